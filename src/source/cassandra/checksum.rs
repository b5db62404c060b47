//! CRC-32 (the one of zlib), which guards chunks, Statistics.db and the whole of Data.db.

use crc_fast::CrcAlgorithm;

/// The CRC-32 of `bytes`.
#[inline]
pub fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// A CRC-32 that is fed piece by piece.
pub struct Crc32(crc_fast::Digest);

impl Crc32 {
    /// That of nothing so far.
    pub fn new() -> Crc32 {
        Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The CRC of all bytes.
    pub fn finish(self) -> u32 {
        self.0.finalize() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let mut crc = Crc32::new();
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.finish(), 0xcbf4_3926);
    }
}
