//! Places at which an SSTable can be cut, and from which it can be read: from its index, else from Data.db itself.
//!
//! An index tells where partitions begin, and of wide ones where blocks of their rows do, each with the range deletion that is
//! open there (`index.rs`, `trie.rs`). It has no checksum, and only the speed depends on it. So its places are marks, of which
//! about [`Spread`]'s many are kept, evenly spread; and one from which rows are read is proven first: reading from the place
//! before it must lead to it, into the same partition and with the same deletion open, and its partition must have the key that
//! the index tells. Where an index is wrong or missing, Data.db is walked instead, for the beginnings of partitions only.

use std::sync::Arc;

use super::data::{Sstable, Start, Unfiltered};
use super::descriptor::Layout;
use super::index;
use super::model::{Deletion, Row};
use super::trie;
use crate::error::Result;

/// Longest head of a partition: its key, the length of that, its deletion.
const HEAD_BYTES_MAX: u64 = 2 + 0xffff + 12;

/// A place that an index tells of, or that was found in Data.db.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The place.
    pub start: Start,
    /// Key of the partition, where the index tells it.
    pub key: Option<Arc<[u8]>>,
    /// The place before it that the index tells of, if there is one.
    previous: Option<Start>,
}

/// Keeps, of places that come in ascending order, about so many that are evenly spread.
pub struct Spread {
    pieces: u64,
    data_len: u64,
    /// Places before this offset are passed over: their pieces have a mark, or begin within one without any.
    next: u64,
    last: Option<Start>,
    marks: Vec<Mark>,
    has_blocks: bool,
}

impl Spread {
    /// At most `pieces` places of data of this length; with places within partitions, or without.
    pub fn new(pieces: usize, data_len: u64, has_blocks: bool) -> Spread {
        Spread {
            pieces: (pieces as u64).max(1),
            data_len,
            next: 0,
            last: None,
            marks: Vec::new(),
            has_blocks,
        }
    }

    /// Whether places within partitions are wanted.
    pub fn has_blocks(&self) -> bool {
        self.has_blocks
    }

    /// Takes the next place, or passes it over. `None` where the places don't ascend, don't begin with the data, or leave them.
    #[inline]
    pub fn offer(&mut self, start: Start, key: Option<&[u8]>) -> Option<()> {
        let offset = start.offset();
        let is_ordered = match self.last {
            Some(last) => offset > last.offset(),
            None => offset == 0,
        };
        if !is_ordered || offset >= self.data_len {
            return None;
        }
        if offset < self.next {
            self.last = Some(start);
        } else {
            self.take(start, key);
        }
        Some(())
    }

    #[cold]
    fn take(&mut self, start: Start, key: Option<&[u8]>) {
        let previous = self.last.replace(start);
        let offset = start.offset();
        let (pieces, data_len) = (u128::from(self.pieces), u128::from(self.data_len));
        let piece = u128::from(offset) * pieces / data_len;
        // It is at most the length of the data.
        self.next = ((piece + 1) * data_len).div_ceil(pieces) as u64;
        // The marks of one partition share its key.
        let shared = self.marks.last().and_then(|mark| mark.key.clone());
        self.marks.push(Mark {
            start,
            key: key.map(|key| match shared {
                Some(shared) if *shared == *key => shared,
                _ => key.into(),
            }),
            previous,
        });
    }

    /// The places that were taken.
    pub fn finish(self) -> Vec<Mark> {
        self.marks
    }
}

impl Sstable {
    /// At most `pieces` places that cut the data into pieces of about equal length, ascending, as the index tells them:
    /// partitions, and within them too where `has_blocks`. The whole index is read, not the data. `None` where it can't be read.
    pub fn told_marks(&self, pieces: usize, has_blocks: bool) -> Option<Vec<Mark>> {
        let mut spread = Spread::new(pieces, self.data_len(), has_blocks);
        match self.descriptor().version.layout() {
            Layout::Big => index::read(self, &mut spread)?,
            Layout::Bti => trie::read(self, &mut spread)?,
        }
        Some(spread.finish())
    }

    /// The same of partitions only, found by reading the data.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged.
    pub fn walked_marks(&self, pieces: usize) -> Result<Vec<Mark>> {
        let mut spread = Spread::new(pieces, self.data_len(), false);
        let mut reader = self.read(0, self.data_len());
        while let Some(head) = reader.next_partition()? {
            // A reader goes forward.
            let _ = spread.offer(Start::of_partition(head.offset), Some(&head.key));
        }
        Ok(spread.finish())
    }

    /// Whether what proves a mark can be read, that is, is not damaged.
    pub fn can_prove(&self, mark: &Mark) -> bool {
        let from = mark.previous.map_or(0, |previous| previous.offset());
        let (head, at) = (mark.start.partition, mark.start.offset());
        let behind = |offset: u64| offset.saturating_add(HEAD_BYTES_MAX);
        self.can_be_read(head, behind(head)) && self.can_be_read(from, behind(at))
    }

    /// Whether the data hold what the index tells of a mark.
    pub fn proves(&self, mark: &Mark) -> bool {
        self.try_to_prove(mark).unwrap_or(false)
    }

    fn try_to_prove(&self, mark: &Mark) -> Option<bool> {
        let start = mark.start;
        let mut reader = self.read_from(Start::of_partition(start.partition));
        let key = reader.next_partition().ok()??.key;
        if mark.key.as_ref().is_some_and(|told| **told != *key) {
            return Some(false);
        }
        let Some(previous) = mark.previous else {
            return Some(start.offset() == 0);
        };
        let mut reader = self.read_from(previous);
        let mut open = reader.next_partition().ok()??.open;
        let Some(within) = start.within else {
            reader.skip_partition().ok()?;
            return Some(reader.offset() == start.partition);
        };
        if previous.partition != start.partition {
            return Some(false);
        }
        let mut row = Row::default();
        while reader.offset() < within.offset {
            match reader.next_unfiltered(&mut row).ok()? {
                Unfiltered::Row => {}
                Unfiltered::Marker(marker) => open = marker.opens.unwrap_or(Deletion::LIVE),
                Unfiltered::End => return Some(false),
            }
        }
        Some(reader.offset() == within.offset && open == within.open)
    }
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
