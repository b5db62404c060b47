//! The checksums of blocks: what they cover, and how the type byte and the place of a block enter.

use twox_hash::{XxHash3_64, XxHash32, XxHash64};

/// Which checksum guards the blocks of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumKind {
    /// None at all: the field is zero.
    None,
    /// CRC-32C, masked as LevelDB masks it. The only one of LevelDB.
    Crc32c,
    /// XXH32, seed 0.
    XxHash,
    /// Low half of XXH64, seed 0.
    XxHash64,
    /// Low half of XXH3 (64 bits), with the type byte mixed in.
    Xxh3,
}

impl ChecksumKind {
    /// The kind that the footer's byte stands for.
    pub fn from_byte(byte: u8) -> Option<ChecksumKind> {
        Some(match byte {
            0 => ChecksumKind::None,
            1 => ChecksumKind::Crc32c,
            2 => ChecksumKind::XxHash,
            3 => ChecksumKind::XxHash64,
            4 => ChecksumKind::Xxh3,
            _ => return None,
        })
    }

    /// Its name, as RocksDB's options spell it.
    pub fn name(self) -> &'static str {
        match self {
            ChecksumKind::None => "kNoChecksum",
            ChecksumKind::Crc32c => "kCRC32c",
            ChecksumKind::XxHash => "kxxHash",
            ChecksumKind::XxHash64 => "kxxHash64",
            ChecksumKind::Xxh3 => "kXXH3",
        }
    }

    /// Computes the checksum of `bytes`: a payload followed by its type byte.
    #[inline]
    pub fn compute(self, bytes: &[u8]) -> u32 {
        match self {
            ChecksumKind::None => 0,
            ChecksumKind::Crc32c => {
                mask(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32)
            }
            ChecksumKind::XxHash => XxHash32::oneshot(0, bytes),
            ChecksumKind::XxHash64 => XxHash64::oneshot(0, bytes) as u32,
            ChecksumKind::Xxh3 => match bytes.split_last() {
                Some((&last, payload)) => {
                    XxHash3_64::oneshot(payload) as u32 ^ u32::from(last).wrapping_mul(0x6b90_83d9)
                }
                None => 0,
            },
        }
    }

    /// Computes what is stored for a block at `offset`: its checksum, plus what format version 6 adds for the place.
    #[inline]
    pub fn stored(self, bytes: &[u8], base_context: u32, offset: u64) -> u32 {
        self.compute(bytes)
            .wrapping_add(context(base_context, offset))
    }
}

/// Masks a CRC, so that the CRC of bytes that hold CRCs is not degenerate.
fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// What the place of a block adds to its checksum, so that a block moved within or between files is noticed.
fn context(base: u32, offset: u64) -> u32 {
    if base == 0 {
        return 0;
    }
    base ^ (offset as u32).wrapping_add((offset >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_enters_only_with_a_base() {
        assert_eq!(context(0, 77), 0);
        assert_eq!(context(0xff, 0x1_0000_0001), 0xff ^ 2);
    }

    #[test]
    fn crc_is_masked() {
        // The check value of CRC-32C over "123456789" is e3069283; 2507c60d is that, rotated by 15 bits to the right.
        let masked = 0x2507_c60d_u32.wrapping_add(0xa282_ead8);
        assert_eq!(ChecksumKind::Crc32c.compute(b"123456789"), masked);
    }
}
