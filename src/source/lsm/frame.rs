//! One physical record of a log: a header and a payload that never cross a block of 32 KiB.
//!
//! ```text
//! u32 checksum | u16 length | u8 type | payload                    types 1..4, 9, 10, 130
//! u32 checksum | u16 length | u8 type | u32 log number | payload   recyclable: types 5..8, 11, 131
//! ```
//!
//! The checksum is a masked CRC-32C of all that stands behind the length; the length is the payload's. From
//! LevelDB's doc/log_format.md and RocksDB's db/log_format.h.

use crate::file::cursor::Cursor;
use crate::source::block_table::checksum::ChecksumKind;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 32 << 10;
/// Bytes of the shorter header; what is left of a block behind the last record is padding when it has fewer.
pub const HEADER_BYTES: usize = 7;
/// Bytes of a recyclable header.
pub const RECYCLABLE_HEADER_BYTES: usize = 11;

/// A whole logical record. The recyclable types of these four are higher by [`RECYCLABLE`].
pub const FULL: u8 = 1;
/// The first fragment.
pub const FIRST: u8 = 2;
/// A fragment that is neither the first nor the last.
pub const MIDDLE: u8 = 3;
/// The last fragment.
pub const LAST: u8 = 4;
/// What the recyclable types of fragments add to the ordinary ones.
pub const RECYCLABLE: u8 = 4;
/// From here on the payloads are compressed.
pub const COMPRESSION: u8 = 9;
/// Widths of user-defined timestamps.
pub const TIMESTAMP_SIZES: u8 = 10;
/// The same in a recyclable log.
pub const TIMESTAMP_SIZES_RECYCLABLE: u8 = 11;
/// Types from here on may be skipped by who does not know them.
pub const IGNORABLE: u8 = 128;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The type.
    pub kind: u8,
    /// Bytes of the header.
    pub header_bytes: usize,
    /// Bytes of the payload.
    pub payload_bytes: usize,
    /// The log that the record was written for; only in recyclable records.
    pub log_number: Option<u32>,
    checksum: u32,
}

impl Frame {
    /// Reads the header at the front of `bytes`; `None` where there are too few of them. Where `may_recycle` is false no
    /// type is taken for a recyclable one.
    pub fn parse(bytes: &[u8], may_recycle: bool) -> Option<Frame> {
        let mut cursor = Cursor::new(bytes);
        let checksum = cursor.u32()?;
        let payload_bytes = usize::from(cursor.u16()?);
        let kind = cursor.u8()?;
        let log_number = match may_recycle && is_recyclable(kind) {
            true => Some(cursor.u32()?),
            false => None,
        };
        Some(Frame {
            kind,
            header_bytes: cursor.position(),
            payload_bytes,
            log_number,
            checksum,
        })
    }

    /// Bytes of header and payload.
    pub fn bytes(&self) -> usize {
        self.header_bytes + self.payload_bytes
    }

    /// What the checksum covers, where `bytes`, which start with the header, hold all of it.
    pub fn covered<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        bytes.get(HEADER_BYTES - 1..self.bytes())
    }

    /// Whether `bytes`, which start with the header, hold the whole record and the checksum fits.
    pub fn is_intact(&self, bytes: &[u8]) -> bool {
        self.covered(bytes)
            .is_some_and(|covered| ChecksumKind::Crc32c.compute(covered) == self.checksum)
    }

    /// The stored CRC, without its mask.
    pub fn crc(&self) -> u32 {
        self.checksum.wrapping_sub(0xa282_ead8).rotate_left(15)
    }

    /// Whether the record belongs to the log of this number, as far as it says.
    pub fn is_of(&self, log_number: Option<u32>) -> bool {
        self.log_number.is_none() || self.log_number == log_number
    }

    /// The header of preallocated bytes that were never written.
    pub fn is_zero(&self) -> bool {
        self.kind == 0 && self.payload_bytes == 0 && self.checksum == 0
    }

    /// Whether this is a record of a type that logs are known to hold.
    pub fn is_known(&self) -> bool {
        matches!(self.kind, FULL..=TIMESTAMP_SIZES_RECYCLABLE | 130 | 131)
    }
}

/// Whether records of this type carry their log's number.
pub fn is_recyclable(kind: u8) -> bool {
    matches!(kind, 5..=8 | TIMESTAMP_SIZES_RECYCLABLE) || kind >= IGNORABLE && kind & 1 == 1
}
