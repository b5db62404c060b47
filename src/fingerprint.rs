//! One row becomes 128 bits, and the rows of a key range become a [`Summary`].
//!
//! | `--hash` | fingerprint of a row | good for |
//! |---|---|---|
//! | `xxh3` | `xxh3_128(value, seed: low half of K) + 2^64 * high half of K`, where K is `xxh3_128(key)` | accidental divergence: lost writes, bit rot, bugs. Rows crafted to collide do collide |
//! | `blake3` | first 16 bytes of BLAKE3 over the key's length (u64), key, value | rows somebody else may choose, one by one; whoever may choose thousands of rows of one leaf can balance sums |
//! | `blake3` with a key file | the same, with BLAKE3 keyed | all of that, and trees handed to somebody who must not guess rows |
//!
//! Sums are wrapping, mod 2^128. The key is inside the fingerprint, and its length or its own hash separates it from the
//! value, so rows (`ab`, `c`) and (`a`, `bc`) have different fingerprints.
//!
//! Why this form of `xxh3`: K is at hand, for it decides where leaves start. Its low half, as the seed, goes through every round over
//! the value, so that values swapped between keys do not cancel out in a sum; its high half is added, so that all 128
//! bits of the key's hash count. Hashing the two hashes once more would give no stronger sum and cost a fifth of a build.

use std::ops::{Add, AddAssign, Sub};

use twox_hash::XxHash3_128;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::error::{Error, Result};
use crate::file::cursor::Cursor;
use crate::range::key_hash;
use crate::row::Row;

/// How rows are fingerprinted. Trees made with different ones can't be compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    kind: HashKind,
    key: Option<[u8; 32]>,
}

/// Which hash it is, as files say it: not its key, only whether two have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashId {
    /// The kind.
    pub kind: HashKind,
    /// Tells two keys apart without giving them away; zero for hashes without a key.
    pub key_check: [u8; 16],
}

impl HashId {
    /// Appends it as the file formats hold it.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        out.extend_from_slice(&self.key_check);
    }

    /// Reads what [`HashId::push`] wrote.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<HashId> {
        Some(HashId {
            kind: HashKind::from_u8(cursor.u8()?)?,
            key_check: cursor.array()?,
        })
    }

    /// The hash itself, where it needs no key.
    pub fn without_key(&self) -> Option<Hash> {
        match self.kind {
            HashKind::Xxh3 => Some(Hash::XXH3),
            HashKind::Blake3 => Some(Hash::BLAKE3),
            HashKind::Blake3Keyed => None,
        }
    }

    /// Refuses a comparison of rows that were fingerprinted differently.
    ///
    /// # Errors
    ///
    /// Usage, naming both hashes.
    pub fn check_same(&self, other: &HashId) -> Result<()> {
        if self.kind != other.kind {
            return Err(Error::usage(
                format!(
                    "one side was made with --hash {}, the other with --hash {}",
                    self.kind.name(),
                    other.kind.name()
                ),
                "build both with the same --hash (and --key-file)",
            ));
        }
        if self.key_check != other.key_check {
            return Err(Error::usage(
                "the two sides were made with different key files",
                "build both with the same --key-file",
            ));
        }
        Ok(())
    }
}

/// The kinds of [`struct@Hash`], as files name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HashKind {
    /// xxh3, 128 bits.
    Xxh3 = 0,
    /// BLAKE3, first 128 bits.
    Blake3 = 1,
    /// BLAKE3 with a secret key, first 128 bits.
    Blake3Keyed = 2,
}

/// Shortest secret that [`Hash::keyed`] takes, in bytes.
const SECRET_BYTES_MIN: usize = 16;

impl Hash {
    /// xxh3: fast, for accidental divergence.
    pub const XXH3: Hash = Hash {
        kind: HashKind::Xxh3,
        key: None,
    };
    /// BLAKE3 without a key.
    pub const BLAKE3: Hash = Hash {
        kind: HashKind::Blake3,
        key: None,
    };

    /// BLAKE3 with a key derived from `secret`, the content of a key file.
    ///
    /// # Errors
    ///
    /// Usage, where the secret has fewer than 16 bytes.
    pub fn keyed(secret: &[u8]) -> Result<Hash> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(Error::usage(
                format!(
                    "the key file holds {} bytes, at least {SECRET_BYTES_MIN} are needed",
                    secret.len()
                ),
                "make one with: head -c 32 /dev/urandom > mdiff.key",
            ));
        }
        Ok(Hash {
            kind: HashKind::Blake3Keyed,
            key: Some(blake3::derive_key(
                "mdiff 2026-11 row fingerprint key",
                secret,
            )),
        })
    }

    /// Which hash it is, for files.
    pub fn id(&self) -> HashId {
        let key_check = match &self.key {
            Some(key) => first_16(blake3::keyed_hash(key, b"mdiff key check").as_bytes()),
            None => [0; 16],
        };
        HashId {
            kind: self.kind,
            key_check,
        }
    }

    /// Fingerprints one row. In loops over many rows, [`Hash::with_row_hash`] chooses the function once.
    pub fn fingerprint(&self, row: Row<'_>) -> u128 {
        let key_hash = key_hash(row.key);
        match &self.key {
            Some(key) => Blake3Rows { key: Some(key) }.fingerprint(row, key_hash),
            None if self.kind == HashKind::Xxh3 => Xxh3Rows.fingerprint(row, key_hash),
            None => Blake3Rows { key: None }.fingerprint(row, key_hash),
        }
    }

    /// Calls `task` with the row hash of this kind, so that its loop is compiled for it.
    pub fn with_row_hash<T: RowHashTask>(&self, task: T) -> T::Output {
        match self.kind {
            HashKind::Xxh3 => task.run(Xxh3Rows),
            HashKind::Blake3 | HashKind::Blake3Keyed => task.run(Blake3Rows {
                key: self.key.as_ref(),
            }),
        }
    }
}

impl HashKind {
    /// The kind with this number in a file.
    fn from_u8(number: u8) -> Option<HashKind> {
        [HashKind::Xxh3, HashKind::Blake3, HashKind::Blake3Keyed]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            HashKind::Xxh3 => "xxh3",
            HashKind::Blake3 => "blake3",
            HashKind::Blake3Keyed => "blake3 with a key",
        }
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.name())
    }
}

/// A function from rows to fingerprints.
pub trait RowHash: Copy + Send + Sync {
    /// Fingerprints one row, given [`key_hash`] of its key.
    fn fingerprint(&self, row: Row<'_>, key_hash: u128) -> u128;
}

/// Work that is compiled once for each [`RowHash`].
pub trait RowHashTask {
    /// What the work gives.
    type Output;
    /// Does the work.
    fn run<H: RowHash>(self, hash: H) -> Self::Output;
}

/// Longer values are hashed by twox-hash, which takes the widest SIMD that the machine has: at 4 KiB in half of the time that
/// xxhash-rust takes, which is faster below. The hash is the same.
const LONG_BYTES: usize = 320;

#[derive(Clone, Copy)]
struct Xxh3Rows;

impl RowHash for Xxh3Rows {
    #[inline]
    fn fingerprint(&self, row: Row<'_>, key_hash: u128) -> u128 {
        let (low, high) = (key_hash as u64, key_hash >> 64);
        let of_value = match row.value.len() > LONG_BYTES {
            true => XxHash3_128::oneshot_with_seed(low, row.value),
            false => xxh3_128_with_seed(row.value, low),
        };
        of_value.wrapping_add(high << 64)
    }
}

#[derive(Clone, Copy)]
struct Blake3Rows<'a> {
    key: Option<&'a [u8; 32]>,
}

impl RowHash for Blake3Rows<'_> {
    fn fingerprint(&self, row: Row<'_>, _: u128) -> u128 {
        let mut hasher = self
            .key
            .map_or_else(blake3::Hasher::new, blake3::Hasher::new_keyed);
        hasher.update(&(row.key.len() as u64).to_le_bytes());
        hasher.update(row.key);
        hasher.update(row.value);
        u128::from_le_bytes(first_16(hasher.finalize().as_bytes()))
    }
}

fn first_16(digest: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// What is known of the rows of a key range. Summaries of neighbouring ranges add up to the summary of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Sum of their fingerprints, mod 2^128.
    pub sum: u128,
    /// Leaves of the range in which something could not be read; rows missing there are in none of the other numbers.
    pub unreadable_leaves: u64,
}

impl Summary {
    /// Adds one row.
    #[inline]
    pub fn add_row(&mut self, row: Row<'_>, fingerprint: u128) {
        self.rows += 1;
        self.bytes = self.bytes.wrapping_add(row.len_bytes());
        self.sum = self.sum.wrapping_add(fingerprint);
    }

    /// Whether two ranges are known to hold the same rows: equal, and nothing unreadable in either.
    pub fn same_rows(&self, other: &Summary) -> bool {
        self == other && self.unreadable_leaves == 0
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        *self = *self + other;
    }
}

impl Add for Summary {
    type Output = Summary;

    fn add(self, other: Summary) -> Summary {
        Summary {
            rows: self.rows.wrapping_add(other.rows),
            bytes: self.bytes.wrapping_add(other.bytes),
            sum: self.sum.wrapping_add(other.sum),
            unreadable_leaves: self.unreadable_leaves.wrapping_add(other.unreadable_leaves),
        }
    }
}

impl Sub for Summary {
    type Output = Summary;

    fn sub(self, other: Summary) -> Summary {
        Summary {
            rows: self.rows.wrapping_sub(other.rows),
            bytes: self.bytes.wrapping_sub(other.bytes),
            sum: self.sum.wrapping_sub(other.sum),
            unreadable_leaves: self.unreadable_leaves.wrapping_sub(other.unreadable_leaves),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn hashes() -> [Hash; 3] {
        [
            Hash::XXH3,
            Hash::BLAKE3,
            Hash::keyed(b"sixteen bytes or more").unwrap(),
        ]
    }

    #[test]
    fn long_values_have_the_hash_that_short_ones_have() {
        let value: Vec<u8> = (0..3000u32).map(|n| (n * n / 7) as u8).collect();
        for len in (0..value.len())
            .step_by(13)
            .chain([240, 241, LONG_BYTES, LONG_BYTES + 1])
        {
            let row = Row {
                key: b"k",
                value: &value[..len],
            };
            let key_hash = key_hash(row.key);
            let (seed, high) = (key_hash as u64, key_hash >> 64);
            let expected = xxh3_128_with_seed(row.value, seed).wrapping_add(high << 64);
            assert_eq!(Hash::XXH3.fingerprint(row), expected, "{len} bytes");
        }
    }

    #[test]
    fn ambiguous_framings_have_different_fingerprints() {
        let text = b"\x00\x00abcabc\x01\x01";
        for hash in hashes() {
            let mut seen = HashSet::new();
            let mut pairs = 0;
            for start in 0..text.len() {
                for end in start..=text.len() {
                    for cut in start..=end {
                        let row = (text[start..cut].to_vec(), text[cut..end].to_vec());
                        if seen.insert((
                            row.clone(),
                            hash.fingerprint(Row {
                                key: &row.0,
                                value: &row.1,
                            }),
                        )) {
                            pairs += 1;
                        }
                    }
                }
            }
            let fingerprints: HashSet<u128> = seen.iter().map(|(_, f)| *f).collect();
            assert_eq!(fingerprints.len(), pairs, "{hash:?}");
        }
    }

    #[test]
    fn the_three_hashes_and_two_keys_disagree() {
        let row = Row {
            key: b"key",
            value: b"value",
        };
        let mut seen: HashSet<u128> = hashes().iter().map(|h| h.fingerprint(row)).collect();
        let other = Hash::keyed(b"another secret, longer").unwrap();
        seen.insert(other.fingerprint(row));
        assert_eq!(seen.len(), 4);
        assert_ne!(other.id(), hashes()[2].id());
        assert!(Hash::keyed(b"short").is_err());
    }
}
