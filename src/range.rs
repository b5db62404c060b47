//! Key ranges, and the keys at which leaves start: the same on every replica, whatever its files look like.

use crate::error::UnreadableKeys;

mod coverage;

pub use coverage::Coverage;

/// The keys from `from` (included) to `to` (excluded; `None` is the end of the table), by memcmp.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// First key of the range; the empty key is the first of all.
    pub from: Vec<u8>,
    /// First key behind the range.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> KeyRange {
        KeyRange::default()
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.from.as_slice() <= key && self.is_before_end(key)
    }

    /// Whether `key` lies before the end of the range.
    #[inline]
    pub fn is_before_end(&self, key: &[u8]) -> bool {
        self.to.as_deref().is_none_or(|to| key < to)
    }

    /// Whether no key can lie in the range.
    pub fn is_empty(&self) -> bool {
        self.to
            .as_deref()
            .is_some_and(|to| to <= self.from.as_slice())
    }

    /// The keys in both ranges.
    #[must_use]
    pub fn intersection(&self, other: &KeyRange) -> KeyRange {
        let to = match (&self.to, &other.to) {
            (Some(a), Some(b)) => Some(a.min(b).clone()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        KeyRange {
            from: self.from.clone().max(other.from.clone()),
            to,
        }
    }

    /// Cuts the range at `cuts` (ascending, inside the range), into one more range than there are cuts.
    pub fn cut_at(&self, cuts: &[Vec<u8>]) -> Vec<KeyRange> {
        let mut from = self.from.clone();
        let mut ranges = Vec::with_capacity(cuts.len() + 1);
        for cut in cuts {
            ranges.push(KeyRange {
                from: std::mem::replace(&mut from, cut.clone()),
                to: Some(cut.clone()),
            });
        }
        ranges.push(KeyRange {
            from,
            to: self.to.clone(),
        });
        ranges
    }
}

impl From<UnreadableKeys> for KeyRange {
    fn from(keys: UnreadableKeys) -> KeyRange {
        KeyRange {
            from: keys.from,
            to: keys.to,
        }
    }
}

/// Returns the hash of a key that decides its rank: 128 bits of xxh3. The fingerprint uses it too, so that a key is hashed
/// once.
#[inline]
pub fn key_hash(key: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(key)
}

/// Returns the rank of a key from its hash: the trailing zero bits of the low half; 64 where all are zero.
///
/// A key starts a leaf of a tree of `leaf_bits` when its rank is at least `leaf_bits`; so a leaf holds 2^leaf_bits rows
/// on average, on every replica the same.
#[inline]
pub fn rank_of_hash(key_hash: u128) -> u32 {
    (key_hash as u64).trailing_zeros()
}

/// Returns the rank of a key.
#[inline]
pub fn rank(key: &[u8]) -> u32 {
    rank_of_hash(key_hash(key))
}

/// Returns the first key behind all that start with `prefix`; `None` where there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
