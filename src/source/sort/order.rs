//! The order of rows in memory.

use rayon::slice::ParallelSliceMut as _;

use super::merge::prefix;
use super::run::{row_at, rows_of};

/// Memory that the order takes for each row.
pub(super) const ROW_BYTES: usize = size_of::<Entry>();

/// A row in memory.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The eight bytes of the key behind those that all keys share: most comparisons need no more.
    prefix: u64,
    at: u64,
}

impl Entry {
    /// Where the row is stored.
    pub fn at(&self) -> u64 {
        self.at
    }
}

/// The `count` rows that are stored, by key and then by place; sorted by this thread alone, or by all of a rayon pool.
pub(super) fn sorted(stored: &[u8], count: usize, is_alone: bool) -> Vec<Entry> {
    let shared = shared_len(stored);
    let mut order = Vec::with_capacity(count);
    order.extend(rows_of(stored).map(|(at, row)| Entry {
        prefix: prefix(row.key.get(shared..).unwrap_or_default()),
        at,
    }));
    let compare = |a: &Entry, b: &Entry| {
        a.prefix.cmp(&b.prefix).then_with(|| {
            let (a, b) = (row_at(stored, a.at), row_at(stored, b.at));
            a.key.cmp(b.key).then(a.place.cmp(&b.place))
        })
    };
    match is_alone {
        true => order.sort_unstable_by(compare),
        false => order.par_sort_unstable_by(compare),
    }
    order
}

/// Length of what all keys start with.
fn shared_len(stored: &[u8]) -> usize {
    let mut rows = rows_of(stored).map(|(_, row)| row.key);
    let Some(first) = rows.next() else {
        return 0;
    };
    rows.fold(first.len(), |len, key| {
        let equal = first.iter().zip(key).take(len);
        match key.get(..len) == first.get(..len) {
            true => len,
            false => equal.take_while(|(a, b)| a == b).count(),
        }
    })
}
