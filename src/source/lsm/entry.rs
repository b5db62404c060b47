//! One version of a key, wherever it lies: a table file, a log.

/// A version of a key, or a range deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The user key; of a range deletion, its first key.
    pub key: &'a [u8],
    /// Sequence number: the newest version has the highest.
    pub sequence: u64,
    /// Its type, as the constants of `block_table::key` name them.
    pub kind: u8,
    /// The value; of a range deletion, the first key behind.
    pub value: &'a [u8],
}
