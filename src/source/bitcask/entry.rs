//! One entry of a data file, and what its value says if it is a deletion.
//!
//! ```text
//! crc u32 (CRC-32 of all that follows), timestamp u32 (seconds), key size u16, value size u32, key, value
//! ```

use crate::file::cursor::Cursor;

/// Bytes before the key.
pub const HEADER_BYTES: u64 = 14;
/// Bytes that the checksum does not cover: its own.
pub const CRC_BYTES: u64 = 4;

const TOMBSTONE: &[u8] = b"bitcask_tombstone";

/// The header of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// CRC-32 of what follows it.
    pub crc: u32,
    /// Bytes of the key.
    pub key_bytes: u64,
    /// Bytes of the value.
    pub value_bytes: u64,
}

impl Header {
    /// Reads a header from its 14 bytes.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let mut cursor = Cursor::new(bytes);
        let crc = u32::from_be_bytes(cursor.array()?);
        let _timestamp = u32::from_be_bytes(cursor.array()?);
        Some(Header {
            crc,
            key_bytes: u16::from_be_bytes(cursor.array()?).into(),
            value_bytes: u32::from_be_bytes(cursor.array()?).into(),
        })
    }

    /// Bytes of the whole entry.
    pub fn entry_bytes(&self) -> u64 {
        HEADER_BYTES + self.key_bytes + self.value_bytes
    }
}

/// The CRC-32 of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// What an entry does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// Gives it a value.
    Put(&'a [u8]),
    /// Removes what was written before, wherever that is.
    Delete,
    /// Removes what was written in files before the one of this number.
    DeleteBefore(u32),
    /// Removes what was written in the file of this number or an older one.
    DeleteIn(u32),
}

impl Write<'_> {
    /// What an entry of this value does. Every value that starts as a tombstone is one, as for Bitcask itself.
    pub fn of(value: &[u8]) -> Write<'_> {
        let Some(rest) = value.strip_prefix(TOMBSTONE) else {
            return Write::Put(value);
        };
        let number = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(u32::from_be_bytes);
        match rest.split_first() {
            Some((b'1', rest)) => number(rest).map_or(Write::Delete, Write::DeleteBefore),
            Some((b'2', rest)) => number(rest).map_or(Write::Delete, Write::DeleteIn),
            _ => Write::Delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_of_every_version_are_told_from_values() {
        assert_eq!(
            Write::of(b"bitcask_tombston"),
            Write::Put(b"bitcask_tombston")
        );
        assert_eq!(Write::of(b"bitcask_tombstone"), Write::Delete);
        assert_eq!(
            Write::of(b"bitcask_tombstone1\0\0\x01\x02"),
            Write::DeleteBefore(0x102)
        );
        assert_eq!(
            Write::of(b"bitcask_tombstone2\0\0\0\x07"),
            Write::DeleteIn(7)
        );
        for other in [
            &b"bitcask_tombstone2"[..],
            b"bitcask_tombstone2\0\0\0\0\0",
            b"bitcask_tombstones",
        ] {
            assert_eq!(Write::of(other), Write::Delete);
        }
        assert_eq!(Write::of(b""), Write::Put(b""));
    }
}
