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

/// For each digit of a length and each value of it, what so many bytes multiply a CRC by.
pub struct Powers(Box<[[u32; 256]; DIGITS]>);

impl Powers {
    /// All of them.
    pub fn new() -> Powers {
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
        Powers(powers)
    }

    fn of(&self, len: u64) -> u32 {
        let digits = self.0.iter().zip(len.to_le_bytes());
        let powers = digits.filter(|(_, digit)| *digit > 0);
        let powers = powers.map(|(powers, digit)| powers[usize::from(digit)]);
        powers.reduce(multiply).unwrap_or(NO_BYTE)
    }
}

/// Joins the CRC-32s of pieces that follow each other, without the pieces: the CRC of `ab` is that of `a`, multiplied by x^8 for each
/// byte of `b`, plus that of `b`.
pub struct Joined<'p> {
    powers: &'p Powers,
    crc: u32,
    len: u64,
}

impl<'p> Joined<'p> {
    /// No pieces so far.
    pub fn new(powers: &'p Powers) -> Joined<'p> {
        Joined {
            powers,
            crc: 0,
            len: 0,
        }
    }

    /// Takes the CRC of the next piece, of `len` bytes.
    pub fn push(&mut self, crc: u32, len: u64) {
        if self.len > 0 {
            self.crc = multiply(self.crc, self.powers.of(len));
        }
        self.crc ^= crc;
        self.len = self.len.saturating_add(len);
    }

    /// No pieces, to be appended.
    pub fn empty(&self) -> Joined<'p> {
        Joined::new(self.powers)
    }

    /// Takes all that another has taken.
    pub fn append(&mut self, next: &Joined<'_>) {
        self.push(next.crc, next.len);
    }

    /// The CRC of all pieces.
    pub fn crc(&self) -> u32 {
        self.crc
    }
}

/// What the four highest powers of a product leave once it is multiplied by x^4.
const FOLDED: [u32; 16] = {
    let mut folded = [0; 16];
    let mut nibble = 0;
    while nibble < folded.len() {
        folded[nibble] = times_x(times_x(times_x(times_x(nibble as u32))));
        nibble += 1;
    }
    folded
};

const fn times_x(remainder: u32) -> u32 {
    remainder >> 1 ^ POLYNOMIAL & 0u32.wrapping_sub(remainder & 1)
}

/// The product of two remainders.
fn multiply(one: u32, other: u32) -> u32 {
    // By each polynomial of four terms.
    let mut multiples = [0; 16];
    let mut power = other;
    for bit in [8, 4, 2, 1] {
        for nibble in (bit..16).step_by(2 * bit) {
            for with_bit in nibble..nibble + bit {
                multiples[with_bit] = multiples[with_bit - bit] ^ power;
            }
        }
        power = times_x(power);
    }
    // The highest powers of one first.
    (0..u32::BITS).step_by(4).fold(0u32, |product, shift| {
        let folded = product >> 4 ^ FOLDED[(product & 15) as usize];
        folded ^ multiples[(one >> shift & 15) as usize]
    })
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
            let powers = Powers::new();
            let mut joined = Joined::new(&powers);
            for piece in &pieces {
                joined.push(crc32(piece), piece.len() as u64);
            }
            let mut behind = Joined::new(&powers);
            behind.push(crc32(&vec![0; zeros]), zeros as u64);
            behind.push(crc32(b"end"), 3);
            joined.append(&behind);
            let all = [&pieces.concat(), &vec![0; zeros], b"end".as_slice()].concat();
            prop_assert_eq!(joined.crc(), crc32(&all));
        }
    }

    #[test]
    fn is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
