//! Where in a table the differences lie: how many rows stand before a key, and under which prefixes differences gather.

use super::cursor::TreeCursor;
use crate::error::Result;
use crate::mtree::TableView;

/// Returns about how many rows of the table come before `key`, to the nearest leaf; reads one node a level.
///
/// # Errors
///
/// Damaged where the tree contradicts itself; I/O errors.
pub fn rows_before(table: TableView<'_>, key: &[u8]) -> Result<u64> {
    TreeCursor::new(table).seek(key)
}

/// Keys of divergent ranges, thinned out evenly so that their number stays bounded.
#[derive(Debug, Clone)]
pub struct Sample {
    keys: Vec<Vec<u8>>,
    step: u64,
    seen: u64,
}

/// Most keys a [`Sample`] keeps.
const SAMPLE_MAX: usize = 4096;

/// Fewest keys from which a concentration is told.
const SAMPLE_MIN: usize = 4;

impl Default for Sample {
    fn default() -> Sample {
        Sample {
            keys: Vec::new(),
            step: 1,
            seen: 0,
        }
    }
}

impl Sample {
    /// Takes the next key, in key order.
    pub fn push(&mut self, key: &[u8]) {
        if self.seen.is_multiple_of(self.step) {
            if self.keys.len() == SAMPLE_MAX {
                let mut index = 0;
                self.keys.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.step *= 2;
            }
            if self.seen.is_multiple_of(self.step) {
                self.keys.push(key.to_vec());
            }
        }
        self.seen += 1;
    }

    /// Returns the longest prefix that at least `share` (of 100) of the keys start with, and how many of 100 do. `None` for
    /// too few keys, or where only the empty prefix does.
    pub fn prefix(&self, share: usize) -> Option<(Vec<u8>, usize)> {
        if self.keys.len() < SAMPLE_MIN {
            return None;
        }
        let wanted = (self.keys.len() * share).div_ceil(100);
        // The keys ascend, so those with a common prefix stand together, and its ends tell its length.
        let best = self
            .keys
            .windows(wanted)
            .map(|keys| common_prefix(&keys[0], &keys[keys.len() - 1]))
            .max_by_key(|p| p.len())?;
        let holding = self.keys.iter().filter(|key| key.starts_with(best)).count();
        (!best.is_empty()).then(|| (best.to_vec(), holding * 100 / self.keys.len()))
    }
}

fn common_prefix<'a>(a: &'a [u8], b: &[u8]) -> &'a [u8] {
    let len = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    &a[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_that_holds_most_is_found() {
        let mut sample = Sample::default();
        sample.push(b"alpha");
        for n in 0..9 {
            sample.push(format!("user/7{n}").as_bytes());
        }
        assert_eq!(sample.prefix(90), Some((b"user/7".to_vec(), 90)));
        assert_eq!(sample.prefix(100), None);
    }

    #[test]
    fn a_sample_stays_bounded_and_even() {
        let mut sample = Sample::default();
        for n in 0..100_000u32 {
            sample.push(&n.to_be_bytes());
        }
        assert!(sample.keys.len() <= SAMPLE_MAX && sample.keys.len() > SAMPLE_MAX / 4);
        let steps: Vec<u32> = sample
            .keys
            .windows(2)
            .map(|pair| {
                u32::from_be_bytes(pair[1][..].try_into().unwrap())
                    - u32::from_be_bytes(pair[0][..].try_into().unwrap())
            })
            .collect();
        assert!(steps.iter().all(|step| *step == steps[0]), "evenly thinned");
    }
}
