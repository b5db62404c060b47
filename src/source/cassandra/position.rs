//! Where a row or a bound stands in its partition, or a partition in its table: bytes that memcmp orders, quick to compare.
//!
//! The first 16 bytes are kept as a number, which alone tells most positions apart, and is all of the short ones. Bytes that were
//! just written piece by piece are slow to read again in larger pieces; a number that was put together in registers is not.

use std::cmp::Ordering;

use crate::file::cursor::push_front;

/// Bytes that the number holds.
const FRONT_BYTES: usize = size_of::<u128>();

/// A position; the empty one stands before all others.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// The first bytes, big-endian, zeros behind the end.
    front: u128,
    len: usize,
    /// All bytes, where they are more than those.
    bytes: Vec<u8>,
}

impl Position {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Position {
        let mut position = Position::default();
        position.write(|out| {
            out.extend_from_slice(bytes);
            Some(())
        });
        position
    }

    /// Becomes the empty position.
    pub fn clear(&mut self) {
        (self.front, self.len) = (0, 0);
    }

    /// Becomes the highest `len` bytes of a number, big-endian, whose other bytes are 0; `len` is at most [`FRONT_BYTES`].
    #[inline]
    pub fn set(&mut self, front: u128, len: usize) {
        (self.front, self.len) = (front, len);
    }

    /// Becomes the bytes that `push` appends; empty where it returns `None`, as this does then.
    pub fn write(&mut self, push: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
        self.clear();
        self.bytes.clear();
        push(&mut self.bytes)?;
        self.len = self.bytes.len();
        self.front = match self.bytes.first_chunk() {
            Some(front) => u128::from_be_bytes(*front),
            None => {
                let mut front = [0; FRONT_BYTES];
                front
                    .iter_mut()
                    .zip(&self.bytes)
                    .for_each(|(to, from)| *to = *from);
                u128::from_be_bytes(front)
            }
        };
        Some(())
    }

    /// Appends its bytes.
    #[inline]
    pub fn push_to(&self, out: &mut Vec<u8>) {
        match self.len <= FRONT_BYTES {
            true => push_front(out, &self.front.to_be_bytes(), self.len),
            false => out.extend_from_slice(&self.bytes),
        }
    }

    /// Becomes the same as another.
    #[inline]
    pub fn copy_from(&mut self, other: &Position) {
        (self.front, self.len) = (other.front, other.len);
        if self.len > FRONT_BYTES {
            self.bytes.clone_from(&other.bytes);
        }
    }
}

impl Ord for Position {
    #[inline]
    fn cmp(&self, other: &Position) -> Ordering {
        // Not by `cmp`, which loads a number at once that may just have been written in halves; that waits for the halves.
        if self.front < other.front {
            return Ordering::Less;
        }
        if other.front < self.front {
            return Ordering::Greater;
        }
        match self.len > FRONT_BYTES && other.len > FRONT_BYTES {
            true => self.bytes.cmp(&other.bytes),
            // One is the other with zeros behind it, or with more.
            false => self.len.cmp(&other.len),
        }
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Position) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Position {
    fn eq(&self, other: &Position) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Position {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        // Few bytes, so that fronts are alike.
        let byte = prop_oneof![Just(0u8), Just(1), Just(0xff)];
        prop_oneof![
            prop::collection::vec(byte, 0..4),
            (14usize..20, any::<u8>()).prop_map(|(len, last)| [vec![0; len], vec![last]].concat()),
        ]
    }

    proptest! {
        #[test]
        fn are_in_the_order_of_their_bytes(one in bytes(), other in bytes()) {
            let mut copy = Position::of(&other);
            prop_assert_eq!(Position::of(&one).cmp(&copy), one.cmp(&other));
            copy.copy_from(&Position::of(&one));
            let mut out = vec![7];
            copy.push_to(&mut out);
            prop_assert_eq!(&out[1..], &one[..]);
            prop_assert!(copy == Position::of(&one));
        }

        #[test]
        fn a_number_is_its_bytes(number in any::<u128>(), len in 0..=FRONT_BYTES) {
            let bytes = &number.to_be_bytes()[..len];
            let mut front = [0; FRONT_BYTES];
            front[..len].copy_from_slice(bytes);
            let mut set = Position::of(&[9; 20]);
            set.set(u128::from_be_bytes(front), len);
            prop_assert!(set == Position::of(bytes));
            let mut out = Vec::new();
            set.push_to(&mut out);
            prop_assert_eq!(&out[..], bytes);
        }
    }
}
