//! Merges runs.

use crate::error::Result;

use super::run::{RunReader, StoredRow};

/// Some runs' rows in the order of their keys, and those of one key in the order of their places.
pub(super) struct Merge<'a> {
    readers: Vec<RunReader<'a>>,
    /// The readers that have a row at hand: a heap with the least in front.
    heap: Vec<Head>,
}

/// The row at hand of a reader.
#[derive(Clone, Copy)]
struct Head {
    /// First bytes of its key: most comparisons need no more.
    prefix: u64,
    reader: usize,
}

/// The first eight bytes of a key, padded with zeros: compares as the key does, or equal.
#[inline]
pub(super) fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            for (to, from) in bytes.iter_mut().zip(key) {
                *to = *from;
            }
            u64::from_be_bytes(bytes)
        }
    }
}

impl<'a> Merge<'a> {
    /// Merges what the readers read from the first row on whose key is not below `from`.
    pub fn new(mut readers: Vec<RunReader<'a>>, from: &[u8]) -> Result<Merge<'a>> {
        let mut heap = Vec::with_capacity(readers.len());
        for (number, reader) in readers.iter_mut().enumerate() {
            if reader.seek(from)? {
                heap.push(Head {
                    prefix: prefix(reader.row().key),
                    reader: number,
                });
            }
        }
        let mut merge = Merge { readers, heap };
        for at in (0..merge.heap.len()).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    /// The row that comes next.
    #[inline]
    pub fn row(&self) -> Option<StoredRow<'_>> {
        Some(self.reader(self.heap.first()?)?.row())
    }

    /// Whether another row of the same key follows the next one.
    #[inline]
    pub fn is_followed(&self) -> bool {
        let Some((first, followers)) = self.front() else {
            return false;
        };
        let mut followers = followers.iter();
        followers.any(|head| {
            let key = |head| self.reader(head).map(|reader| reader.row().key);
            head.prefix == first.prefix && key(head) == key(first)
        })
    }

    /// The reader of the next row, if it alone has rows with keys below `to`.
    pub fn only_below(&self, to: Option<&[u8]>) -> Option<&RunReader<'a>> {
        let (first, followers) = self.front()?;
        let is_below = |head: &Head| {
            let reader = self.reader(head);
            reader.is_some_and(|reader| to.is_none_or(|to| reader.row().key < to))
        };
        let is_alone = is_below(first) && !followers.iter().any(is_below);
        self.reader(first).filter(|_| is_alone)
    }

    /// Goes on behind the next row.
    #[inline]
    pub fn advance(&mut self) -> Result<()> {
        self.move_front(RunReader::advance)
    }

    /// Lets the reader of the next row go on to the first of its rows that is not below `to`; to its end, where `to` is `None`.
    pub fn skip_to(&mut self, to: Option<&[u8]>) -> Result<()> {
        self.move_front(|reader| match to {
            Some(to) => reader.seek(to),
            None => Ok(false),
        })
    }

    fn move_front(&mut self, go: impl FnOnce(&mut RunReader<'a>) -> Result<bool>) -> Result<()> {
        let Some(first) = self.heap.first_mut() else {
            return Ok(());
        };
        let Some(reader) = self.readers.get_mut(first.reader) else {
            return Ok(());
        };
        if go(reader)? {
            first.prefix = prefix(reader.row().key);
        } else {
            self.heap.swap_remove(0);
        }
        self.sift_down(0);
        Ok(())
    }

    fn reader(&self, head: &Head) -> Option<&RunReader<'a>> {
        self.readers.get(head.reader)
    }

    /// The head in front, and those of which one comes behind it.
    fn front(&self) -> Option<(&Head, &[Head])> {
        let (first, rest) = self.heap.split_first()?;
        Some((first, rest.get(..2).unwrap_or(rest)))
    }

    #[inline]
    fn is_less(&self, one: &Head, other: &Head) -> bool {
        if one.prefix != other.prefix {
            return one.prefix < other.prefix;
        }
        let order = |head| {
            let row = self.reader(head).map(RunReader::row);
            row.map(|row| (row.key, row.place))
        };
        order(one) < order(other)
    }

    #[inline]
    fn sift_down(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let Some(one) = self.heap.get(left) else {
                return;
            };
            let (child, head) = match self.heap.get(right) {
                Some(other) if self.is_less(other, one) => (right, other),
                _ => (left, one),
            };
            match self.heap.get(at) {
                Some(parent) if self.is_less(head, parent) => self.heap.swap(at, child),
                _ => return,
            }
            at = child;
        }
    }
}
