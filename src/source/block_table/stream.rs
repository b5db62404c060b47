//! The rows of a key range: the newest version of each key, unless it is a deletion or lies in a deleted range.

use super::block::{Bad, Layout};
use super::blocks::BlockBuffer;
use super::entries::{EntryWalk, Mark, Step, Stop};
use super::footer::Handle;
use super::key;
use super::range_del::RangeDeletions;
use super::table::BlockTable;
use super::walk::{BlockWalk, Broken};
use std::ops::Range;

use crate::error::{Error, ErrorKind, Result, UnreadableKeys};
use crate::file::cursor::Cursor;
use crate::file::inflate::Inflater;
use crate::range::KeyRange;
use crate::row::{Row, RowStream, escape};
use crate::source::lsm::entity;

/// A stream over the rows of one key range.
pub struct Rows<'t> {
    table: &'t BlockTable,
    range: KeyRange,
    index: BlockWalk<'t>,
    inflater: Inflater,
    buffer: BlockBuffer,
    handle: Handle,
    /// Bytes of entries in the current block.
    entries_end: usize,
    walk: EntryWalk<'t>,
    /// The value of the last entity.
    entity: Vec<u8>,
    ended: bool,
}

impl<'t> Rows<'t> {
    /// Starts at the first row of `range`.
    pub fn new(table: &'t BlockTable, range: &KeyRange) -> Result<Rows<'t>> {
        let blocks = table.blocks();
        Ok(Rows {
            table,
            range: range.clone(),
            index: BlockWalk::new(blocks, table.index(), &range.from)?,
            inflater: Inflater::new(blocks.dictionary.as_deref()),
            buffer: BlockBuffer::default(),
            handle: Handle::default(),
            entries_end: 0,
            walk: EntryWalk::new(
                range,
                RangeDeletions::new(table.range_deletions()),
                blocks.input.limits(),
            ),
            entity: Vec::new(),
            ended: range.is_empty(),
        })
    }

    /// Makes sure that the current block has entries left; false behind the last block of the range.
    fn fill(&mut self) -> Result<bool> {
        while self.walk.position() >= self.entries_end {
            if self.ended {
                return Ok(false);
            }
            self.check_end()?;
            match self.index.next() {
                Ok(Some(handle)) => self.handle = handle,
                Ok(None) => self.ended = true,
                Err(Broken::Stretch(error)) => return Err(self.hide(error)),
                Err(Broken::Table(error)) => return Err(self.end(error)),
            }
            if self.ended || self.is_behind_range() {
                self.ended = true;
                return Ok(false);
            }
            let blocks = self.table.blocks();
            match blocks.load(self.handle, &mut self.inflater, &mut self.buffer) {
                Ok(layout) => self.begin_block(layout)?,
                Err(error) => return Err(self.hide(error)),
            }
        }
        Ok(true)
    }

    /// No key of a block exceeds its separator; scans of other ranges count on it.
    fn check_end(&mut self) -> Result<()> {
        let is_first = self.entries_end == 0;
        if !is_first && self.walk.user_key() > self.index.separator() {
            let error = self.damaged("a key behind the separator of its block");
            return Err(self.end(error));
        }
        Ok(())
    }

    /// Whether the current block has only keys behind the range: above the separator of the block before.
    fn is_behind_range(&self) -> bool {
        match (&self.range.to, self.index.previous()) {
            (Some(to), Some(previous)) => match to.strip_prefix(previous) {
                // The range ends at that separator or directly behind it.
                Some(rest) => matches!(rest, [] | [0]),
                None => to.as_slice() < previous,
            },
            _ => false,
        }
    }

    fn begin_block(&mut self, layout: Layout) -> Result<()> {
        self.entries_end = 0;
        let block = self.buffer.bytes(&self.table.blocks().input);
        let data = block.get(..layout.entries_end).unwrap_or_default();
        if data.is_empty() {
            self.walk.begin_block(false);
            return Ok(());
        }
        let Some(first) = first_user_key(data) else {
            let error = self.damaged("the first entry of the block is malformed");
            return Err(self.hide(error));
        };
        if !self.walk.may_begin(first, self.index.previous()) {
            let error = self.damaged("a key before the separator of the block before");
            return Err(self.end(error));
        }
        let reaches_end = match &self.range.to {
            Some(to) => self.index.separator() >= to.as_slice(),
            None => false,
        };
        self.walk.begin_block(reaches_end);
        self.entries_end = layout.entries_end;
        Ok(())
    }

    fn damaged(&self, what: Bad) -> Error {
        self.table.blocks().damaged(self.handle, what)
    }

    /// Ends the stream.
    fn end(&mut self, error: Error) -> Error {
        self.ended = true;
        self.entries_end = 0;
        self.table.blocks().input.explain(error)
    }

    /// Leaves the rest of the current block, or stretch of blocks, if that is what `error` is about; else ends the stream.
    fn hide(&mut self, error: Error) -> Error {
        if !matches!(error.kind(), ErrorKind::Damaged { .. }) {
            return self.end(error);
        }
        let mut from = self.range.from.clone();
        if let Some(previous) = self.index.previous() {
            from = from.max(key::successor(previous));
        }
        if let Some(last) = self.walk.last_user_key() {
            from = from.max(key::successor(last));
        }
        // A block that holds nothing but old versions of one key hides nothing; but no range is empty.
        let behind = key::successor(self.index.separator()).max(key::successor(&from));
        let to = match &self.range.to {
            Some(end) if *end < behind => end.clone(),
            _ => behind,
        };
        if to <= from {
            return self.end(error);
        }
        self.entries_end = 0;
        self.walk.skip_to(&to);
        let error = error.hiding(UnreadableKeys { from, to: Some(to) });
        let explained = self.table.blocks().input.explain(error);
        if explained.unreadable_keys().is_none() {
            self.ended = true;
        }
        explained
    }

    /// Turns what stopped the walk over entries into an error, and leaves the stream where it can go on.
    fn stopped(&mut self, stop: Stop) -> Error {
        match stop {
            Stop::Bad(what) => {
                let error = self.damaged(what);
                self.hide(error)
            }
            Stop::Special(kind, _) => {
                let error = self.refused(kind);
                self.end(error)
            }
        }
    }

    /// Turns what stopped the walk into the value of a row, in `self.entity`, where it was an entity.
    #[cold]
    fn resume(&mut self, stop: Stop) -> Result<()> {
        let Stop::Special(key::ENTITY, value) = stop else {
            return Err(self.stopped(stop));
        };
        self.entity.clear();
        let input = &self.table.blocks().input;
        let entity = self.buffer.bytes(input).get(value).unwrap_or_default();
        entity::push_value(entity, &mut self.entity).map_err(|bad| {
            let error = bad.at(input.path(), self.handle.offset, self.walk.special_key());
            self.end(error)
        })
    }

    fn refused(&self, kind: u8) -> Error {
        let (mut what, hint) = key::refused(kind).unwrap_or_default();
        if kind == key::MERGE {
            let operator = self
                .table
                .properties()
                .and_then(|p| p.text("rocksdb.merge.operator"));
            what += &match operator {
                Some(name) => format!(" of {name}"),
                None => " of an operator that the table does not name".into(),
            };
        }
        Error::unsupported(
            self.table.blocks().input.path(),
            format!("key {} holds {what}", escape(self.walk.special_key())),
            hint,
        )
    }
}

impl RowStream for Rows<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        let table = self.table;
        let input = &table.blocks().input;
        let value = loop {
            if !self.fill()? {
                return Ok(None);
            }
            let block = self.buffer.bytes(input);
            let data = block.get(..self.entries_end).unwrap_or_default();
            match self.walk.next(data) {
                Ok(Some(value)) => break value,
                Ok(None) => self.ended |= self.walk.is_past_end(),
                Err(stop) => {
                    self.resume(stop)?;
                    return Ok(Some(Row {
                        key: self.walk.user_key(),
                        value: &self.entity,
                    }));
                }
            }
        };
        Ok(Some(Row {
            key: self.walk.user_key(),
            value: self.buffer.bytes(input).get(value).unwrap_or_default(),
        }))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while self.fill()? {
            let Rows {
                walk,
                buffer,
                table,
                entries_end,
                ..
            } = self;
            let block = buffer.bytes(&table.blocks().input);
            let data = block.get(..*entries_end).unwrap_or_default();
            // A row is handed out once the entry behind it is read.
            let mut row: Option<(Mark, Range<usize>)> = None;
            let stop = loop {
                let step = walk.step(data);
                if let Some((mark, value)) = row.take() {
                    let key = walk.marked_key(&mark);
                    let value = data.get(value).unwrap_or_default();
                    visit(Row { key, value })?;
                }
                match step {
                    Ok(Step::Row(value)) => row = Some((walk.mark(), value)),
                    Ok(Step::NoRow) => {}
                    Ok(Step::End) => break None,
                    Err(stop) => break Some(stop),
                }
            };
            if let Some(stop) = stop {
                self.resume(stop)?;
                visit(Row {
                    key: self.walk.user_key(),
                    value: &self.entity,
                })?;
            }
            self.ended |= self.walk.is_past_end();
        }
        Ok(())
    }
}

/// The user key of a block's first entry, which shares nothing with the one before.
fn first_user_key(data: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(data);
    let shared = cursor.varint32()?;
    let unshared = cursor.varint32()?;
    cursor.varint32()?;
    let (user_key, _) = key::split(cursor.take(unshared.into())?)?;
    (shared == 0).then_some(user_key)
}
