//! Range deletions, cut into disjoint fragments.
//!
//! Each hides the entries with keys in [start, end) and a lower sequence number; an equal one is not hidden. Within one
//! ingested file all sequence numbers are equal, so nothing is hidden there.

use std::collections::BTreeMap;

use super::block::{Bad, Entries};
use super::key;

/// A stretch of keys and the highest sequence number that deletes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// First key.
    pub start: Vec<u8>,
    /// First key behind.
    pub end: Vec<u8>,
    /// Entries below this sequence number are deleted.
    pub sequence: u64,
}

impl Fragment {
    /// The deletion of the keys from `start` to `end`, exclusive, in the table's own order; `None` where it deletes nothing.
    pub fn new(start: &[u8], end: &[u8], sequence: u64, descending: bool) -> Option<Fragment> {
        let (start, end) = match descending {
            false => (start.to_vec(), end.to_vec()),
            true => (key::successor(end), key::successor(start)),
        };
        (start < end).then_some(Fragment {
            start,
            end,
            sequence,
        })
    }
}

/// Reads the block of range deletions: fragments, ascending and disjoint.
pub fn read(block: &[u8], key_bytes_max: u64, descending: bool) -> Result<Vec<Fragment>, Bad> {
    let mut deletions = Vec::new();
    let mut entries = Entries::new(block, key_bytes_max)?;
    while let Some(end) = entries.next()? {
        let (start, trailer) =
            key::split(entries.key()).ok_or("a range deletion without sequence number")?;
        if key::kind(trailer) != key::RANGE_DELETE {
            return Err("an entry among the range deletions is none");
        }
        deletions.extend(Fragment::new(
            start,
            end,
            key::sequence(trailer),
            descending,
        ));
    }
    Ok(fragment(&deletions))
}

/// Cuts overlapping deletions at each other's ends; the highest sequence number of each stretch counts.
pub fn fragment(deletions: &[Fragment]) -> Vec<Fragment> {
    /// What starts and ends at a key: sequence numbers.
    type Turns = (Vec<u64>, Vec<u64>);
    let mut turns: BTreeMap<&[u8], Turns> = BTreeMap::new();
    for deletion in deletions {
        turns
            .entry(&deletion.start)
            .or_default()
            .0
            .push(deletion.sequence);
        turns
            .entry(&deletion.end)
            .or_default()
            .1
            .push(deletion.sequence);
    }
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    let mut since: &[u8] = &[];
    for (at, (starts, ends)) in turns {
        if let Some((&sequence, _)) = open.last_key_value() {
            match fragments.last_mut() {
                Some(last) if last.end == since && last.sequence == sequence => {
                    last.end = at.to_vec();
                }
                _ => fragments.push(Fragment {
                    start: since.to_vec(),
                    end: at.to_vec(),
                    sequence,
                }),
            }
        }
        for sequence in starts {
            *open.entry(sequence).or_default() += 1;
        }
        for sequence in ends {
            if let Some(count) = open.get_mut(&sequence) {
                *count -= 1;
                if *count == 0 {
                    open.remove(&sequence);
                }
            }
        }
        since = at;
    }
    fragments
}

/// Whether entries are deleted, asked for ascending keys.
#[derive(Debug, Clone)]
pub struct RangeDeletions<'t> {
    rest: &'t [Fragment],
}

impl<'t> RangeDeletions<'t> {
    /// Starts before the first key.
    pub fn new(fragments: &'t [Fragment]) -> RangeDeletions<'t> {
        RangeDeletions { rest: fragments }
    }

    /// Whether nothing that follows is deleted.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The first key of the next deleted stretch that does not end at or before `user_key`, if there is one; it may be below
    /// `user_key`, which is deleted in part then. No key may be below one that was asked for before.
    pub fn next_start(&mut self, user_key: &[u8]) -> Option<&'t [u8]> {
        self.skip_to(user_key);
        self.rest.first().map(|first| first.start.as_slice())
    }

    fn skip_to(&mut self, user_key: &[u8]) {
        while let Some((first, rest)) = self.rest.split_first()
            && first.end.as_slice() <= user_key
        {
            self.rest = rest;
        }
    }

    /// Whether an entry is deleted; no key may be below one that was asked for before.
    pub fn hides(&mut self, user_key: &[u8], sequence: u64) -> bool {
        self.skip_to(user_key);
        self.rest
            .first()
            .is_some_and(|first| first.start.as_slice() <= user_key && sequence < first.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fragments_hide_what_the_deletions_hide(
            deletions in prop::collection::vec((0u8..12, 0u8..12, 1u64..6), 0..8),
        ) {
            let whole: Vec<Fragment> = deletions
                .iter()
                .filter(|(start, end, _)| start < end)
                .map(|&(start, end, sequence)| Fragment { start: vec![start], end: vec![end], sequence })
                .collect();
            let fragments = fragment(&whole);
            prop_assert!(fragments.windows(2).all(|pair| pair[0].end <= pair[1].start));
            let mut asked = RangeDeletions::new(&fragments);
            for key in 0..12u8 {
                for sequence in (0..7).rev() {
                    let hidden = deletions
                        .iter()
                        .any(|&(start, end, s)| start <= key && key < end && sequence < s);
                    prop_assert_eq!(asked.hides(&[key], sequence), hidden);
                }
            }
        }
    }
}
