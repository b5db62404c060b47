//! Which pages were reached.

/// A bit for each page.
#[derive(Debug, Clone)]
pub struct Seen {
    bits: Vec<u64>,
}

impl Seen {
    /// None of `pages`.
    pub fn new(pages: u64) -> Seen {
        Seen {
            bits: vec![0; usize::try_from(pages / 64 + 1).unwrap_or(0)],
        }
    }

    /// Adds `count` pages from `first` on; returns one that was there already.
    pub fn insert(&mut self, first: u64, count: u64) -> Option<u64> {
        for page in first..first.saturating_add(count) {
            let word = usize::try_from(page / 64).ok();
            let Some(word) = word.and_then(|at| self.bits.get_mut(at)) else {
                continue;
            };
            let bit = 1 << (page % 64);
            if *word & bit != 0 {
                return Some(page);
            }
            *word |= bit;
        }
        None
    }
}
