//! All versions of the keys of a range, block after block.

use std::ops::Range;
use std::sync::Arc;

use super::block::{Bad, Layout};
use super::blocks::BlockBuffer;
use super::entries::{EntryWalk, Step};
use super::footer::Handle;
use super::key;
use super::table::TableFile;
use super::walk::{BlockWalk, Broken};
use crate::error::{Error, ErrorKind, Result, UnreadableKeys};
use crate::file::cursor::Cursor;
use crate::file::inflate::Inflater;
use crate::range::KeyRange;
use crate::row::Row;

/// A walk over the entries of one key range of a table: ascending by user key, from the newest version of a key to its oldest.
///
/// After an error with [`Error::unreadable_keys`] it goes on behind these keys; any other error ends it.
pub struct Versions {
    file: Arc<TableFile>,
    range: KeyRange,
    index: BlockWalk,
    inflater: Inflater,
    buffer: BlockBuffer,
    handle: Handle,
    /// Bytes of entries in the current block.
    entries_end: usize,
    walk: EntryWalk,
    value: Range<usize>,
    /// Versions of a key beside its newest matter: blocks behind the range may begin with those of its last key.
    with_old: bool,
    ended: bool,
}

impl Versions {
    /// Starts before the first entry of `range`.
    ///
    /// # Errors
    ///
    /// Damaged, Changed.
    pub fn new(file: &Arc<TableFile>, range: &KeyRange) -> Result<Versions> {
        Versions::open(file, range, true)
    }

    /// As [`Versions::new`], but perhaps without the older versions of the last key.
    ///
    /// # Errors
    ///
    /// As of [`Versions::new`].
    pub fn newest(file: &Arc<TableFile>, range: &KeyRange) -> Result<Versions> {
        Versions::open(file, range, false)
    }

    fn open(file: &Arc<TableFile>, range: &KeyRange, with_old: bool) -> Result<Versions> {
        let blocks = &file.blocks;
        Ok(Versions {
            range: range.clone(),
            index: BlockWalk::new(Arc::clone(file), &range.from)
                .map_err(|error| blocks.input.explain(error))?,
            inflater: Inflater::new(blocks.dictionary.as_deref()),
            buffer: BlockBuffer::default(),
            handle: Handle::default(),
            entries_end: 0,
            walk: EntryWalk::new(range, blocks.input.limits()),
            value: 0..0,
            with_old,
            ended: range.is_empty(),
            file: Arc::clone(file),
        })
    }

    /// The table.
    pub fn file(&self) -> &TableFile {
        &self.file
    }

    /// The walk over the entries of the current block, and these entries.
    #[inline]
    pub fn block(&mut self) -> (&mut EntryWalk, &[u8]) {
        let block = self.buffer.bytes(&self.file.blocks.input);
        let data = block.get(..self.entries_end).unwrap_or_default();
        (&mut self.walk, data)
    }

    /// The walk over the entries of the current block.
    #[inline]
    pub fn walk(&self) -> &EntryWalk {
        &self.walk
    }

    /// Takes note that the walk over the current block came to its end.
    pub fn end_block(&mut self) {
        self.ended |= self.walk.is_past_end();
    }

    /// Turns what stopped the walk over the current block into an error, and leaves the rest of the block.
    pub fn stopped(&mut self, what: Bad) -> Error {
        let error = self.damaged(what);
        self.hide(error)
    }

    /// Goes to the next entry; false behind the last one.
    ///
    /// # Errors
    ///
    /// Damaged, Limit, Changed, I/O.
    pub fn advance(&mut self) -> Result<bool> {
        while self.fill()? {
            let (walk, data) = self.block();
            match walk.step(data) {
                Ok(Step::Entry(value)) => {
                    self.value = value;
                    return Ok(true);
                }
                Ok(Step::Outside) => {}
                Ok(Step::End) => self.end_block(),
                Err(what) => return Err(self.stopped(what)),
            }
        }
        Ok(false)
    }

    /// Hands out the current entry and those behind it as rows, as long as they are puts and the newest versions of their
    /// keys, and their keys are below `bound` (given with its [`key::head`]). Starts and ends like [`Versions::advance`]: at an entry, which is not
    /// handed out, or, with false, behind the last one; `last_key` is then the last key of the table that was met.
    ///
    /// The current entry must be such a row itself.
    ///
    /// # Errors
    ///
    /// Those of [`Versions::advance`] and of `visit`.
    pub fn drain_puts(
        &mut self,
        bound: Option<(u128, &[u8])>,
        last_key: &mut Vec<u8>,
        mut visit: impl FnMut(Row<'_>) -> Result<()>,
    ) -> Result<bool> {
        let mut row = Some((self.walk.mark(), self.value.clone()));
        loop {
            let (walk, data) = self.block();
            let at = loop {
                let step = walk.step(data);
                if let Some((mark, value)) = row.take() {
                    let key = walk.marked_key(&mark);
                    let value = data.get(value).unwrap_or_default();
                    visit(Row { key, value })?;
                }
                match step {
                    Ok(Step::Entry(_)) if !walk.is_newest() => {}
                    Ok(Step::Entry(value)) => {
                        let is_put = key::kind(walk.trailer()) == key::PUT;
                        let is_below = bound.is_none_or(|bound| {
                            let user_key = walk.user_key();
                            key::is_below((key::head(user_key), user_key), bound)
                        });
                        if !is_put || !is_below {
                            break Some(value);
                        }
                        row = Some((walk.mark(), value));
                    }
                    Ok(Step::Outside) => {}
                    Ok(Step::End) => break None,
                    Err(what) => return Err(self.stopped(what)),
                }
            };
            if let Some(value) = at {
                self.value = value;
                return Ok(true);
            }
            self.end_block();
            if !self.fill()? {
                last_key.clear();
                last_key.extend_from_slice(self.walk.user_key());
                return Ok(false);
            }
        }
    }

    /// The user key of the current entry.
    #[inline]
    pub fn user_key(&self) -> &[u8] {
        self.walk.user_key()
    }

    /// Sequence number and type of the current entry.
    #[inline]
    pub fn trailer(&self) -> u64 {
        self.walk.trailer()
    }

    /// Makes the value of the entry that the walk over the current block is at the current one.
    pub fn set_value(&mut self, value: Range<usize>) {
        self.value = value;
    }

    /// Offset of the current block in the file, in bytes.
    pub fn offset(&self) -> u64 {
        self.handle.offset
    }

    /// The value of the entry that [`Versions::advance`] went to last.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let block = self.buffer.bytes(&self.file.blocks.input);
        block.get(self.value.clone()).unwrap_or_default()
    }

    /// Makes sure that the current block has entries left; false behind the last block of the range.
    #[inline]
    pub fn fill(&mut self) -> Result<bool> {
        if self.walk.position() < self.entries_end {
            return Ok(true);
        }
        self.next_block()
    }

    fn next_block(&mut self) -> Result<bool> {
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
            let blocks = &self.file.blocks;
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
                Some(rest) => rest.is_empty() || rest == [0] && !self.with_old,
                None => to.as_slice() < previous,
            },
            _ => false,
        }
    }

    fn begin_block(&mut self, layout: Layout) -> Result<()> {
        self.entries_end = 0;
        let block = self.buffer.bytes(&self.file.blocks.input);
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
        self.file.blocks.damaged(self.handle, what)
    }

    /// Ends the stream.
    fn end(&mut self, error: Error) -> Error {
        self.ended = true;
        self.entries_end = 0;
        self.file.blocks.input.explain(error)
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
        let explained = self.file.blocks.input.explain(error);
        if explained.unreadable_keys().is_none() {
            self.ended = true;
        }
        explained
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
