//! Internal keys: a user key and a trailer of eight bytes, sequence number and type.

/// Bytes that follow the user key.
pub const TRAILER_BYTES: usize = 8;

/// A deletion.
pub const DELETE: u8 = 0;
/// A value.
pub const PUT: u8 = 1;
/// An operand of a merge operator.
pub const MERGE: u8 = 2;
/// A deletion that hides one put.
pub const SINGLE_DELETE: u8 = 7;
/// A value that lies in a blob file.
pub const BLOB: u8 = 17;
/// A value of several columns.
pub const ENTITY: u8 = 22;
/// A range deletion; only in its own block.
pub const RANGE_DELETE: u8 = 15;

/// Splits an internal key into the user key and the trailer.
pub fn split(internal: &[u8]) -> Option<(&[u8], u64)> {
    let (user, trailer) = internal.split_last_chunk::<TRAILER_BYTES>()?;
    Some((user, u64::from_le_bytes(*trailer)))
}

/// Returns the type of an entry.
#[inline]
pub fn kind(trailer: u64) -> u8 {
    trailer as u8
}

/// Returns the sequence number of an entry.
#[inline]
pub fn sequence(trailer: u64) -> u64 {
    trailer >> 8
}

/// The smallest key above `key`.
pub fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// What an entry of this type is, and what to do where it can't be honoured. `None` for puts, entities and
/// deletions.
pub fn refused(kind: u8) -> Option<(String, &'static str)> {
    const COMPACT: &str = "open the database with its own software and export it from there";
    Some(match kind {
        DELETE | PUT | SINGLE_DELETE | ENTITY => return None,
        MERGE => (
            "an unresolved merge operand".into(),
            "let the database resolve it: compact the column family with its merge operator, then take the snapshot again",
        ),
        17 => (
            "a reference to a blob file".into(),
            "the value lies in another file: read the whole database folder, or write the table without blob files",
        ),
        20 => ("a deletion with a user-defined timestamp".into(), COMPACT),
        24 => ("a value with a preferred write time".into(), COMPACT),
        other => (format!("an entry of the unknown type {other}"), COMPACT),
    })
}
