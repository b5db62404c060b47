//! Counters of the work done so far, shared between the threads that work and the one that shows it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Rows and bytes done so far. Add in steps of a block or so, not of a row: the counters are shared by all cores. Counting
/// never changes a result.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of keys and values that are done.
    pub bytes: AtomicU64,
    /// Rows that are done.
    pub rows: AtomicU64,
}

impl Progress {
    /// Counts `rows` more rows of `bytes` bytes (keys and values).
    pub fn add(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Rows and bytes so far.
    pub fn get(&self) -> (u64, u64) {
        (self.rows.load(Relaxed), self.bytes.load(Relaxed))
    }
}
