//! The leaves of a tree: where they start, how fine they are, and their sums, added up on all cores.
//!
//! A leaf starts at the first key of the coverage, at every row whose key's [`rank`](crate::range::rank) is at least
//! `leaf_bits`, and at every extra boundary. That depends on the rows and the options alone, so a tree is the same for any
//! number of threads and any files that hold the same rows.

pub mod leaves;

use crate::fingerprint::Summary;

/// Levels of the tree above the leaves rise by this many bits of rank: a node has 16 children on average.
pub const FAN_OUT_BITS: u32 = 4;

/// Fewest bits of a leaf that is chosen automatically: 16 rows.
const LEAF_BITS_MIN: u32 = 4;

/// Most bits of a leaf.
pub const LEAF_BITS_MAX: u32 = 63;

/// What an automatically chosen leaf aims at, in bytes of keys and values.
const LEAF_BYTES: u64 = 64 << 10;

/// Fewest leaves of an automatically chosen size, as long as they keep 2^[`LEAF_BITS_MIN`] rows.
const LEAVES_MIN: u64 = 1000;

/// One leaf: the rows from `start` to the next leaf's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// First key of the range.
    pub start: Vec<u8>,
    /// Its rows.
    pub summary: Summary,
}

/// Returns the leaf size for a table of so many rows and bytes: about 64 KiB a leaf, but finer where there would be fewer
/// than about 1,000 leaves, down to 16 rows. A function of the content alone.
pub fn leaf_bits_for(rows: u64, bytes: u64) -> u32 {
    if rows == 0 {
        return LEAF_BITS_MIN;
    }
    let row_bytes = (bytes / rows).max(1);
    let by_bytes = (LEAF_BYTES / row_bytes).max(1).ilog2();
    let by_count = (rows / LEAVES_MIN).max(1).ilog2();
    by_bytes.min(by_count.max(LEAF_BITS_MIN))
}

/// Returns the leaf size nearest to `rows` rows a leaf: a power of two.
pub fn leaf_bits_of_rows(rows: u64) -> u32 {
    let below = rows.max(1).ilog2();
    let middle = (1u64 << below) + ((1u64 << below) / 2).max(1);
    if rows >= middle && below < LEAF_BITS_MAX {
        below + 1
    } else {
        below
    }
}

/// Returns how many levels end where a leaf starts whose key has this rank.
pub fn levels_starting_at(rank: u32, leaf_bits: u32) -> u32 {
    rank.saturating_sub(leaf_bits) / FAN_OUT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaf_sizes_follow_the_content() {
        assert_eq!(leaf_bits_for(0, 0), 4);
        assert_eq!(leaf_bits_for(1, 0), 4);
        assert_eq!(leaf_bits_for(1_000, 100_000), 4);
        assert_eq!(leaf_bits_for(64_000, 6_400_000), 6);
        assert_eq!(leaf_bits_for(6_000_000, 696_000_000), 9);
        assert_eq!(leaf_bits_for(1_000, 1_000 << 20), 0);
        assert_eq!(leaf_bits_for(u64::MAX, u64::MAX), 16);
    }

    #[test]
    fn leaf_rows_round_to_the_nearest_power_of_two() {
        for (rows, bits) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (5, 2),
            (6, 3),
            (1000, 10),
            (700, 9),
            (u64::MAX, 63),
        ] {
            assert_eq!(leaf_bits_of_rows(rows), bits, "{rows}");
        }
    }
}
