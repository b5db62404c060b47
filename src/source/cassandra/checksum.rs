//! CRC-32 (the one of zlib), which guards chunks, Statistics.db and the whole of Data.db.

use crc_fast::CrcAlgorithm;

/// The CRC-32 of `bytes`.
#[inline]
pub fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// The polynomial, the lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// 1 and x^8: what no byte and one byte multiply a CRC by.
const NO_BYTE: u32 = 1 << 31;
const ONE_BYTE: u32 = 1 << 23;
/// Digits of a length, in base 256.
const DIGITS: usize = size_of::<u64>();

/// Joins the CRC-32s of pieces that follow each other, without the pieces: the CRC of `ab` is that of `a`, multiplied by x^8 for each
/// byte of `b`, plus that of `b`.
pub struct Joined {
    /// For each digit of a length and each value of it, what so many bytes multiply by.
    powers: Box<[[u32; 256]; DIGITS]>,
    crc: u32,
}

impl Joined {
    /// That of no pieces so far.
    pub fn new() -> Joined {
        let mut powers = Box::new([[NO_BYTE; 256]; DIGITS]);
        let mut one = ONE_BYTE;
        for digit in powers.iter_mut() {
            let mut power = NO_BYTE;
            for slot in digit {
                *slot = power;
                power = multiply(power, one);
            }
            one = power;
        }
        Joined { powers, crc: 0 }
    }

    /// Takes the CRC of the next piece, of `len` bytes.
    pub fn push(&mut self, crc: u32, len: u64) {
        for (powers, digit) in self.powers.iter().zip(len.to_le_bytes()) {
            if digit > 0 {
                self.crc = multiply(self.crc, powers[usize::from(digit)]);
            }
        }
        self.crc ^= crc;
    }

    /// The CRC of all pieces.
    pub fn finish(&self) -> u32 {
        self.crc
    }
}

/// The product of two remainders.
fn multiply(one: u32, other: u32) -> u32 {
    let (mut product, mut other) = (0, other);
    for bit in (0..32).rev() {
        product ^= other & 0u32.wrapping_sub(one >> bit & 1);
        other = other >> 1 ^ POLYNOMIAL & 0u32.wrapping_sub(other & 1);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn joined_pieces_have_the_crc_of_all(
            pieces in prop::collection::vec(
                prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..600)],
                0..6,
            ),
            zeros in prop_oneof![Just(0usize), 1usize..70_000],
        ) {
            let mut joined = Joined::new();
            for piece in &pieces {
                joined.push(crc32(piece), piece.len() as u64);
            }
            joined.push(crc32(&vec![0; zeros]), zeros as u64);
            let all = [pieces.concat(), vec![0; zeros]].concat();
            prop_assert_eq!(joined.finish(), crc32(&all));
        }
    }

    #[test]
    fn is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
