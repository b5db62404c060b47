//! Counters of the work done so far, shared between the threads that work and the one that shows it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::fingerprint::Summary;

/// Rows and bytes done so far. Counting never changes a result.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of keys and values read.
    pub bytes: AtomicU64,
    /// Rows read.
    pub rows: AtomicU64,
}

impl Progress {
    /// Counts the rows of `done`.
    pub fn add(&self, done: &Summary) {
        self.rows.fetch_add(done.rows, Ordering::Relaxed);
        self.bytes.fetch_add(done.bytes, Ordering::Relaxed);
    }
}
