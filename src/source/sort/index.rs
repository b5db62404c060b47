//! A sparse index: some rows' keys and offsets, at about even distances.

/// Distance of the first entries.
const STEP_BYTES: u64 = if cfg!(test) { 4 << 10 } else { 32 << 10 };

/// Keys and offsets of some rows, ascending; the first row's is the first.
pub(super) struct SparseIndex {
    entries: Vec<(Vec<u8>, u64)>,
    /// Its memory stays bounded; its steps grow with the rows.
    entries_max: usize,
    step_bytes: u64,
    next: u64,
}

impl SparseIndex {
    /// An empty index that never has more than so many entries.
    pub fn new(entries_max: usize) -> SparseIndex {
        SparseIndex {
            entries: Vec::new(),
            entries_max,
            step_bytes: STEP_BYTES,
            next: 0,
        }
    }

    /// Notes a row, where it is time for an entry; rows come in order.
    #[inline]
    pub fn note(&mut self, key: &[u8], offset: u64) {
        if offset >= self.next {
            self.push(key, offset);
        }
    }

    fn push(&mut self, key: &[u8], offset: u64) {
        if self.entries.len() >= self.entries_max {
            let mut is_odd = true;
            self.entries.retain(|_| {
                is_odd = !is_odd;
                !is_odd
            });
            self.step_bytes *= 2;
        }
        self.entries.push((key.to_vec(), offset));
        self.next = offset + self.step_bytes;
    }

    /// The entries.
    pub fn entries(&self) -> &[(Vec<u8>, u64)] {
        &self.entries
    }

    /// Offset of a row whose key is not above `key`, or of the first row; not far from the first row that is not below `key`.
    pub fn floor(&self, key: &[u8]) -> u64 {
        let behind = self
            .entries
            .partition_point(|(entry, _)| entry.as_slice() <= key);
        // Rows of one key may stand on both sides of an entry of it: the one before is sure.
        let at = match self.entries.get(behind.wrapping_sub(1)) {
            Some((entry, _)) if entry == key => behind.saturating_sub(2),
            _ => behind.saturating_sub(1),
        };
        self.entries.get(at).map_or(0, |(_, offset)| *offset)
    }
}
