//! The index: separators and the handles of data blocks, in one block or in two levels.
//!
//! A separator is at least the last key of its block and below the first key of the next; it need not be a key of the table. With
//! delta-encoded values an entry has no value length: where it shares no key bytes its value is a whole handle, else a zigzag
//! varint, the difference to the size of the block before, which this one follows. Kind 3 appends the first key of the block.

use super::block::{Bad, Layout, extend_key};
use super::footer::Handle;
use super::key;
use crate::file::cursor::Cursor;

/// How index blocks are written, from the table's properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// The top block points at index partitions, which point at data blocks.
    pub two_level: bool,
    /// Separators have no trailer of sequence and type.
    pub user_keys: bool,
    /// Values are delta-encoded.
    pub delta: bool,
    /// Separators descend: the table is ordered by the bytes of its keys backwards. Such an index is walked, not searched.
    pub descending: bool,
    /// Each handle is followed by the first key of its block.
    pub first_key: bool,
    /// Longest separator, in bytes.
    pub key_bytes_max: u64,
    /// Blocks end at this offset at the latest.
    pub blocks_end: u64,
}

impl Shape {
    /// Whether `left` comes before `right`, and is another key.
    #[inline]
    pub fn is_before(&self, left: &[u8], right: &[u8]) -> bool {
        match self.descending {
            false => left < right,
            true => right < left,
        }
    }
}

/// A walk over the entries of one index block.
#[derive(Debug, Clone, Default)]
pub struct IndexCursor {
    position: usize,
    key: Vec<u8>,
    user_len: usize,
    before: Vec<u8>,
    handle: Handle,
    begun: bool,
}

const LEAVES: Bad = "an index entry leaves its block";

impl IndexCursor {
    /// Returns to the first entry.
    pub fn rewind(&mut self) {
        self.position = 0;
        self.begun = false;
    }

    /// The separator that was read last, without trailer.
    pub fn separator(&self) -> &[u8] {
        self.key.get(..self.user_len).unwrap_or_default()
    }

    /// The handle that was read last.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Offset of the next entry in its block, in bytes.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Reads the next entry of `block`; false at its end.
    ///
    /// Separators must ascend and blocks must follow each other in the file, so that no walk can loop.
    pub fn next(&mut self, block: &[u8], layout: Layout, shape: Shape) -> Result<bool, Bad> {
        let entries = block.get(..layout.entries_end).ok_or(LEAVES)?;
        let rest = entries.get(self.position..).ok_or(LEAVES)?;
        if rest.is_empty() {
            return Ok(false);
        }
        let mut cursor = Cursor::new(rest);
        let shared = cursor.varint32().ok_or(LEAVES)? as usize;
        let unshared = cursor.varint32().ok_or(LEAVES)?;
        if !shape.delta {
            cursor.varint32().ok_or(LEAVES)?;
        }
        let suffix = cursor.take(unshared.into()).ok_or(LEAVES)?;
        if shared > 0 && !self.begun {
            return Err("the first index entry shares a prefix with none");
        }
        self.before.clear();
        self.before
            .extend_from_slice(self.key.get(..self.user_len).unwrap_or_default());
        extend_key(&mut self.key, shared, suffix, shape.key_bytes_max)
            .ok_or("an index entry with an impossible key")?;
        self.user_len = match shape.user_keys {
            true => self.key.len(),
            false => self
                .key
                .len()
                .checked_sub(key::TRAILER_BYTES)
                .ok_or("a separator without its trailer")?,
        };
        let is_equal = self.separator() == self.before;
        if self.begun
            && (shape.is_before(self.separator(), &self.before) || (shape.user_keys && is_equal))
        {
            return Err("index entries do not ascend: damaged, or ordered by another comparator");
        }
        let handle = self.read_handle(&mut cursor, shared, shape)?;
        let end = handle.end().filter(|&end| end <= shape.blocks_end);
        if end.is_none() {
            return Err("the index points outside of the file's blocks");
        }
        if self.begun && self.handle.end().is_none_or(|end| handle.offset < end) {
            return Err("the index points at blocks that overlap");
        }
        self.handle = handle;
        self.begun = true;
        self.position += cursor.position();
        Ok(true)
    }

    fn read_handle(&self, cursor: &mut Cursor, shared: usize, shape: Shape) -> Result<Handle, Bad> {
        let handle = if shape.delta && shared > 0 {
            let delta = cursor.varint().ok_or(LEAVES)?;
            let delta = (delta >> 1) as i64 ^ -((delta & 1) as i64);
            let offset = self.handle.end().ok_or(LEAVES)?;
            Handle {
                offset,
                size: self
                    .handle
                    .size
                    .checked_add_signed(delta)
                    .ok_or("an index entry with an impossible size")?,
            }
        } else {
            Handle::read(cursor).ok_or(LEAVES)?
        };
        if shape.first_key {
            cursor.length_prefixed().ok_or(LEAVES)?;
        }
        Ok(handle)
    }

    /// Goes to just before the first entry whose separator is at least `target`, or to the end.
    ///
    /// Expects a block that [`check`] found sound.
    pub fn seek(
        &mut self,
        block: &[u8],
        layout: Layout,
        shape: Shape,
        target: &[u8],
    ) -> Result<(), Bad> {
        // The restart points below `low` start with separators below the target.
        let (mut low, mut high) = (0, layout.restarts);
        while low < high {
            let middle = low + (high - low) / 2;
            self.go_to(layout.restart(block, middle).ok_or(LEAVES)?);
            match self.next(block, layout, shape)? && self.separator() < target {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let restart = match low.checked_sub(1) {
            Some(number) => layout.restart(block, number).ok_or(LEAVES)?,
            None => 0,
        };
        self.go_to(restart);
        let mut before = self.clone();
        while self.next(block, layout, shape)? && self.separator() < target {
            before.clone_from(self);
        }
        *self = before;
        Ok(())
    }

    /// Goes to just before the entry at a restart point; false where there is no such point.
    pub fn go_to_restart(&mut self, block: &[u8], layout: Layout, number: usize) -> bool {
        let restart = layout.restart(block, number);
        self.go_to(restart.unwrap_or(layout.entries_end));
        restart.is_some()
    }

    fn go_to(&mut self, position: usize) {
        self.position = position;
        self.begun = false;
    }
}

/// Walks all entries of an index block, and proves that its restart points are where an entry shares nothing; so
/// [`IndexCursor::seek`] finds what a walk finds. Returns the number of entries.
pub fn check(block: &[u8], layout: Layout, shape: Shape) -> Result<u64, Bad> {
    const RESTARTS: Bad = "the restart points of the index are wrong";
    let mut cursor = IndexCursor::default();
    let mut entries = 0;
    let mut restart = 0;
    loop {
        let position = cursor.position();
        let is_restart = restart < layout.restarts
            && layout.restart(block, restart).ok_or(RESTARTS)? == position;
        if is_restart {
            restart += 1;
            if position < layout.entries_end && block.get(position) != Some(&0) {
                return Err(RESTARTS);
            }
        }
        if !cursor.next(block, layout, shape)? {
            // An empty block has one restart point, at its end.
            return match restart == layout.restarts {
                true => Ok(entries),
                false => Err(RESTARTS),
            };
        }
        entries += 1;
    }
}
