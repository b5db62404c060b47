//! Cells written more than once at the same timestamp, of which Cassandra's versions take different writes.
//!
//! A node of 3.11 and one of 4.0 then show different values of the same data, and so may replicas during an upgrade. The
//! rules are those of [`super::cells`].

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use super::cells::{Ties, Version};
use super::model::{NO_DELETION_TIME, Seconds};
use super::value::Element;

/// Most cells that are counted; their hashes are kept, so that a cell that is read again counts once.
const COUNTED_MAX: usize = 1 << 16;

/// A write of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    timestamp: i64,
    ttl: i64,
    local_time: Seconds,
    is_deleted: bool,
    value: Vec<u8>,
}

impl Write {
    fn of(version: &Version<'_>) -> Write {
        Write {
            timestamp: version.timestamp,
            ttl: version.ttl,
            local_time: version.local_time,
            is_deleted: version.is_deleted,
            value: version.value.to_vec(),
        }
    }

    /// The write as a cell of the element at `path`.
    pub fn element<'a>(&'a self, path: &'a [u8]) -> Element<'a> {
        let expires = !self.is_deleted && self.local_time != NO_DELETION_TIME;
        Element {
            path,
            value: (!self.is_deleted).then_some(&self.value),
            timestamp: Some(self.timestamp),
            expiry: expires.then_some((self.ttl, self.local_time)),
            deleted: self.is_deleted.then_some(self.local_time),
        }
    }
}

/// A cell of a row, and which write each rule takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tied {
    /// The name of its column, as a value has it.
    pub column: Vec<u8>,
    /// Which element of a collection.
    pub path: Vec<u8>,
    /// What Cassandra 4.0 and later take.
    pub since_4: Write,
    /// What Cassandra 3.0 and 3.11 take.
    pub before_4: Write,
}

impl Tied {
    /// The cell of the version that `rule` takes, and of that which the other takes.
    pub fn of(column: &[u8], best: &Version<'_>, by_other: &Version<'_>, rule: Ties) -> Tied {
        let (since_4, before_4) = match rule {
            Ties::V4 => (best, by_other),
            Ties::V3_11 => (by_other, best),
        };
        Tied {
            column: column.to_vec(),
            path: since_4.path.to_vec(),
            since_4: Write::of(since_4),
            before_4: Write::of(before_4),
        }
    }
}

/// How many such cells scans have met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TieCount {
    /// Cells, each once however often it was read.
    pub cells: u64,
    /// There are more: `cells` is the most that is counted.
    pub has_more: bool,
}

/// Counts them, for the scans of all threads.
#[derive(Debug, Default)]
pub struct Counter(Mutex<HashSet<u64>>);

impl Counter {
    /// Counts the cells of the row at `key`.
    pub fn count(&self, key: &[u8], cells: &[Tied]) {
        // Most rows have none, and threads must not wait for one another over them.
        if cells.is_empty() {
            return;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for cell in cells {
            let mut hash = Xxh3::new();
            for part in [key, &cell.column, &cell.path] {
                hash.update(&(part.len() as u64).to_le_bytes());
                hash.update(part);
            }
            if seen.len() <= COUNTED_MAX {
                seen.insert(hash.digest());
            }
        }
    }

    /// What was counted so far.
    pub fn total(&self) -> TieCount {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        TieCount {
            cells: seen.len().min(COUNTED_MAX) as u64,
            has_more: seen.len() > COUNTED_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_counts_once_and_there_is_an_end() {
        let counter = Counter::default();
        let write = Write {
            timestamp: 1,
            ttl: 0,
            local_time: NO_DELETION_TIME,
            is_deleted: false,
            value: Vec::new(),
        };
        let cell = |path: usize| Tied {
            column: b"v".to_vec(),
            path: path.to_be_bytes().to_vec(),
            since_4: write.clone(),
            before_4: write.clone(),
        };
        counter.count(b"k", &[cell(1), cell(2)]);
        counter.count(b"k", &[cell(2)]);
        counter.count(b"kv", &[cell(2)]);
        let total = |cells, has_more| TieCount { cells, has_more };
        assert_eq!(counter.total(), total(3, false));
        for path in 0..2 * COUNTED_MAX {
            counter.count(b"l", &[cell(path)]);
        }
        assert_eq!(counter.total(), total(COUNTED_MAX as u64, true));
    }
}
