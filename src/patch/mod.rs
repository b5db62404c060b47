#![doc = include_str!("FORMAT.md")]

pub mod header;
pub mod read;
pub mod write;

pub use header::{PatchHeader, PatchSide, PatchTable};
pub use read::{PatchReader, Record};
pub use write::PatchWriter;

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The key it concerns.
    pub key: Vec<u8>,
    /// Fingerprint of the base's row; `None` where the base has no such row.
    pub replaces: Option<u128>,
    /// The value to put; `None` deletes the row.
    pub value: Option<Vec<u8>>,
    /// The base's value, in a reversible patch.
    pub old_value: Option<Vec<u8>>,
}
