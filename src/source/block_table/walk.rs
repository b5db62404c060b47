//! The data blocks of a table in order, through one or two levels of index.

use std::sync::Arc;

use super::block::{Bad, Layout};
use super::blocks::{BlockBuffer, Blocks};
use super::footer::Handle;
use super::index::{self, IndexCursor, Shape};
use super::table::TableFile;
use crate::error::{Error, Result};
use crate::file::inflate::Inflater;
use crate::range::KeyRange;

/// Restart points of the index that a piece of work needs to be cut at them: with fewer, entries are weighed one by one.
const RESTARTS_PER_PIECE: usize = 4;

/// The top index block, checked whole when the table was opened.
pub struct Index {
    buffer: BlockBuffer,
    handle: Handle,
    layout: Layout,
    shape: Shape,
    entries: u64,
}

impl Index {
    /// Loads and checks the block at `handle`.
    ///
    /// # Errors
    ///
    /// Damaged, Limit, I/O.
    pub fn open(blocks: &Blocks, handle: Handle, shape: Shape) -> Result<Index> {
        let mut buffer = BlockBuffer::default();
        let layout = blocks.load(handle, &mut Inflater::new(None), &mut buffer)?;
        let entries = index::check(buffer.bytes(&blocks.input), layout, shape)
            .map_err(|what| blocks.damaged(handle, what))?;
        Ok(Index {
            buffer,
            handle,
            layout,
            shape,
            entries,
        })
    }

    /// The last separator, which no key exceeds; `None` where there is no block.
    pub fn last_separator(&self, blocks: &Blocks) -> Result<Option<Vec<u8>>> {
        let bytes = self.buffer.bytes(&blocks.input);
        let mut cursor = IndexCursor::default();
        cursor.go_to_restart(bytes, self.layout, self.layout.restarts.saturating_sub(1));
        let mut last = None;
        while cursor
            .next(bytes, self.layout, self.shape)
            .map_err(|what| blocks.damaged(self.handle, what))?
        {
            last = Some(cursor.separator().to_vec());
        }
        Ok(last)
    }

    /// How it is written.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether the entries are index partitions.
    pub fn is_two_level(&self) -> bool {
        self.shape.two_level
    }

    /// Returns separators of the top index inside `range`, evenly spread over its restart points: fewer than `pieces`, or `None` where there
    /// are not several restart points for each.
    ///
    /// # Errors
    ///
    /// Damaged, where the index changed since it was checked.
    pub fn spread(
        &self,
        blocks: &Blocks,
        range: &KeyRange,
        pieces: usize,
    ) -> Result<Option<Vec<Vec<u8>>>> {
        let bytes = self.buffer.bytes(&blocks.input);
        let mut cursor = IndexCursor::default();
        let mut separator = |number: usize| -> Result<Vec<u8>> {
            cursor.go_to_restart(bytes, self.layout, number);
            cursor
                .next(bytes, self.layout, self.shape)
                .map_err(|what| blocks.damaged(self.handle, what))?;
            Ok(cursor.separator().to_vec())
        };
        let low = partition_point(self.layout.restarts, |number| {
            Ok(separator(number)? < range.from)
        })?;
        let high = partition_point(self.layout.restarts, |number| {
            Ok(range.is_before_end(&separator(number)?))
        })?;
        let count = high.saturating_sub(low);
        if count / RESTARTS_PER_PIECE < pieces {
            return Ok(None);
        }
        (1..pieces)
            .map(|piece| separator(low + count * piece / pieces))
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }

    /// Separators and handles of the top index, whatever they point at.
    #[cfg(test)]
    pub fn top_entries(&self, blocks: &Blocks) -> Vec<(Vec<u8>, Handle)> {
        let bytes = self.buffer.bytes(&blocks.input);
        let mut cursor = IndexCursor::default();
        let mut entries = Vec::new();
        while cursor.next(bytes, self.layout, self.shape).unwrap() {
            entries.push((cursor.separator().to_vec(), cursor.handle()));
        }
        entries
    }

    /// Number of entries: data blocks or partitions.
    pub fn entries(&self) -> u64 {
        self.entries
    }
}

/// The first of `count` numbers for which `is_before` is false, where it is true for those below and false from there on.
fn partition_point(
    count: usize,
    mut is_before: impl FnMut(usize) -> Result<bool>,
) -> Result<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match is_before(middle)? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

/// Why a walk stopped.
pub enum Broken {
    /// One index partition can't be read: the walk goes on behind [`BlockWalk::separator`].
    Stretch(Error),
    /// The walk can't go on.
    Table(Error),
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Error {
        match broken {
            Broken::Stretch(error) | Broken::Table(error) => error,
        }
    }
}

/// A walk over the data blocks that can hold keys from a given one on.
pub struct BlockWalk {
    file: Arc<TableFile>,
    from: Vec<u8>,
    top: IndexCursor,
    in_partition: Option<Layout>,
    partition: IndexCursor,
    buffer: BlockBuffer,
    inflater: Inflater,
    separator: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    data_end: u64,
}

impl BlockWalk {
    /// Starts at the first block that can hold a key of at least `from`.
    ///
    /// # Errors
    ///
    /// Damaged, where the index changed since it was checked.
    pub fn new(file: Arc<TableFile>, from: &[u8]) -> Result<BlockWalk> {
        let (blocks, index) = (&file.blocks, &file.meta.index);
        let mut top = IndexCursor::default();
        top.seek(
            index.buffer.bytes(&blocks.input),
            index.layout,
            index.shape,
            from,
        )
        .map_err(|what| blocks.damaged(index.handle, what))?;
        Ok(BlockWalk {
            file,
            from: from.to_vec(),
            top,
            in_partition: None,
            partition: IndexCursor::default(),
            buffer: BlockBuffer::default(),
            inflater: Inflater::new(None),
            separator: None,
            previous: None,
            data_end: 0,
        })
    }

    /// A key that no key of the current block, or of the stretch that can't be read, exceeds.
    pub fn separator(&self) -> &[u8] {
        self.separator.as_deref().unwrap_or_default()
    }

    /// The separator of the block before; `None` for the first block of the walk.
    pub fn previous(&self) -> Option<&[u8]> {
        self.previous.as_deref()
    }

    /// Goes to the next data block.
    pub fn next(&mut self) -> Result<Option<Handle>, Broken> {
        std::mem::swap(&mut self.previous, &mut self.separator);
        loop {
            if let Some(layout) = self.in_partition {
                let bytes = self.buffer.bytes(&self.file.blocks.input);
                match self
                    .partition
                    .next(bytes, layout, self.file.meta.index.shape)
                {
                    Ok(true) => return self.data_block().map(Some),
                    Ok(false) => self.in_partition = None,
                    Err(what) => return Err(self.bad_partition(what)),
                }
            }
            let bytes = self.file.meta.index.buffer.bytes(&self.file.blocks.input);
            match self.top.next(
                bytes,
                self.file.meta.index.layout,
                self.file.meta.index.shape,
            ) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(what) => {
                    let error = self.file.blocks.damaged(self.file.meta.index.handle, what);
                    return Err(Broken::Table(error));
                }
            }
            if !self.file.meta.index.shape.two_level {
                set(&mut self.separator, self.top.separator());
                return Ok(Some(self.top.handle()));
            }
            self.open_partition()?;
        }
    }

    fn data_block(&mut self) -> Result<Handle, Broken> {
        let separator = self.partition.separator();
        let handle = self.partition.handle();
        let shape = self.file.meta.index.shape;
        if shape.is_before(self.top.separator(), separator)
            || self
                .previous
                .as_deref()
                .is_some_and(|previous| shape.is_before(separator, previous))
            || handle.offset < self.data_end
        {
            return Err(self.bad_partition("the index partition contradicts the index"));
        }
        set(&mut self.separator, separator);
        self.data_end = handle.end().unwrap_or(u64::MAX);
        Ok(handle)
    }

    fn open_partition(&mut self) -> Result<(), Broken> {
        let handle = self.top.handle();
        let loaded = self
            .file
            .blocks
            .load(handle, &mut self.inflater, &mut self.buffer);
        let layout = match loaded {
            Ok(layout) => layout,
            Err(error) => {
                set(&mut self.separator, self.top.separator());
                return Err(Broken::Stretch(error));
            }
        };
        let bytes = self.buffer.bytes(&self.file.blocks.input);
        let shape = self.file.meta.index.shape;
        self.partition.rewind();
        let begun = index::check(bytes, layout, shape).and_then(|_| {
            // Only the first partition of a walk can hold separators below the start.
            match self.previous {
                None => self.partition.seek(bytes, layout, shape, &self.from),
                Some(_) => Ok(()),
            }
        });
        if let Err(what) = begun {
            return Err(self.bad_partition(what));
        }
        self.in_partition = Some(layout);
        Ok(())
    }

    fn bad_partition(&mut self, what: Bad) -> Broken {
        self.in_partition = None;
        set(&mut self.separator, self.top.separator());
        Broken::Stretch(self.file.blocks.damaged(self.top.handle(), what))
    }
}

/// Stores a key in memory that is used again.
fn set(slot: &mut Option<Vec<u8>>, key: &[u8]) {
    let slot = slot.get_or_insert_default();
    slot.clear();
    slot.extend_from_slice(key);
}
