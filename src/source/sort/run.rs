//! Runs: sorted rows one behind the other in a temporary file without a name.
//!
//! A stored row is its place (eight bytes, little-endian), two varints (length of the key, length of the value), the key and the
//! value. The place is that in the source times two, and one more for a deletion.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::file::cursor::{Cursor, push_varint};
use crate::file::input::{FileOptions, Input};
use crate::file::spool::Spool;
use crate::row::Row;

use super::index::SparseIndex;
use super::{SortOptions, damaged_run};

/// Most bytes read at once.
pub(super) const READ_BYTES: usize = 128 << 10;

/// Most entries of a run's index: there may be as many runs as are merged at once.
const INDEX_MAX: usize = 1 << 13;

/// A row with its place in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredRow<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub place: u64,
    /// All of it, as it is stored.
    pub stored: &'a [u8],
}

impl StoredRow<'_> {
    pub fn is_deletion(&self) -> bool {
        self.place & 1 == 1
    }

    /// Bytes of key and value.
    pub fn len_bytes(&self) -> u64 {
        (self.key.len() + self.value.len()) as u64
    }
}

/// Appends a row.
#[inline]
pub(super) fn push_row(out: &mut Vec<u8>, row: Row<'_>, place: u64) {
    out.extend_from_slice(&place.to_le_bytes());
    push_varint(out, row.key.len() as u64);
    push_varint(out, row.value.len() as u64);
    out.extend_from_slice(row.key);
    out.extend_from_slice(row.value);
}

/// The row in front; `None` where the bytes end inside it.
#[inline]
fn first_row(bytes: &[u8]) -> Option<StoredRow<'_>> {
    let mut cursor = Cursor::new(bytes);
    let place = cursor.u64()?;
    let key_len = cursor.varint()?;
    let value_len = cursor.varint()?;
    Some(StoredRow {
        key: cursor.take(key_len)?,
        value: cursor.take(value_len)?,
        place,
        stored: bytes.get(..cursor.position())?,
    })
}

/// The row that was pushed at `at`.
#[inline]
pub(super) fn row_at(stored: &[u8], at: u64) -> StoredRow<'_> {
    let rest = stored.get(at as usize..).unwrap_or_default();
    first_row(rest).unwrap_or(StoredRow {
        key: &[],
        value: &[],
        place: 0,
        stored: &[],
    })
}

/// The rows that were pushed, in their order, each with where it was.
pub(super) fn rows_of(stored: &[u8]) -> impl Iterator<Item = (u64, StoredRow<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let row = first_row(stored.get(at..)?)?;
        let start = at as u64;
        at += row.stored.len();
        Some((start, row))
    })
}

/// A finished run.
pub(super) struct Run {
    input: Input,
    pub index: SparseIndex,
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// No key stands twice in it, and nothing in it is a deletion: its rows count as they are.
    pub is_plain: bool,
}

impl Run {
    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.input.len()
    }
}

/// Writes a run.
pub(super) struct RunWriter {
    spool: Spool,
    path: PathBuf,
    index: SparseIndex,
    last_key: Vec<u8>,
    last_place: u64,
    rows: u64,
    bytes: u64,
    is_plain: bool,
}

impl RunWriter {
    pub fn new(options: &SortOptions) -> Result<RunWriter> {
        Ok(RunWriter {
            spool: Spool::new(options.temp_dir.as_deref())?,
            path: options.path.clone(),
            index: SparseIndex::new(INDEX_MAX),
            last_key: Vec::new(),
            last_place: 0,
            rows: 0,
            bytes: 0,
            is_plain: true,
        })
    }

    /// Bytes written so far: the offset of the next row.
    pub fn len(&self) -> u64 {
        self.spool.len()
    }

    /// Whether a row of this key may follow: all before it have lower ones.
    pub fn is_below(&self, key: &[u8]) -> bool {
        self.rows == 0 || self.last_key.as_slice() < key
    }

    /// The place of the last row, if that has this key.
    pub fn place_of(&self, key: &[u8]) -> Option<u64> {
        (self.rows > 0 && self.last_key == key).then_some(self.last_place)
    }

    /// Appends a row whose key is not below the last one's.
    pub fn push(&mut self, row: &StoredRow<'_>) -> Result<()> {
        self.is_plain &= !row.is_deletion() && (self.rows == 0 || self.last_key != row.key);
        self.index.note(row.key, self.spool.len());
        self.note(row);
        self.set_last(row);
        self.spool
            .write_all(row.stored)
            .map_err(|e| self.spool.error(e))
    }

    /// Appends rows as they are stored: their keys ascend strictly, and are above the last one's.
    pub fn push_ascending(&mut self, stored: &[u8]) -> Result<()> {
        let mut last = None;
        let start = self.spool.len();
        for (at, row) in rows_of(stored) {
            self.is_plain &= !row.is_deletion();
            self.index.note(row.key, start + at);
            self.note(&row);
            last = Some(row);
        }
        if let Some(row) = last {
            self.set_last(&row);
        }
        self.spool
            .write_all(stored)
            .map_err(|e| self.spool.error(e))
    }

    fn note(&mut self, row: &StoredRow<'_>) {
        self.rows += 1;
        self.bytes += row.len_bytes();
    }

    fn set_last(&mut self, row: &StoredRow<'_>) {
        self.last_key.clear();
        self.last_key.extend_from_slice(row.key);
        self.last_place = row.place;
    }

    pub fn finish(self) -> Result<Run> {
        // Runs are read from front to end, many at once: a buffer each is all the memory that is wanted.
        let options = FileOptions {
            mmap: false,
            ..FileOptions::default()
        };
        Ok(Run {
            input: self.spool.into_input(&self.path, &options)?,
            index: self.index,
            rows: self.rows,
            bytes: self.bytes,
            is_plain: self.is_plain,
        })
    }
}

/// Reads the rows between two offsets of a run.
pub(super) struct RunReader<'a> {
    run: &'a Run,
    path: &'a Path,
    end: u64,
    read_bytes: usize,
    buffer: Vec<u8>,
    /// Offset of the buffer in the file.
    base: u64,
    at: RowAt,
}

/// Where a row and its parts lie in the buffer.
#[derive(Default)]
struct RowAt {
    start: usize,
    key: usize,
    value: usize,
    end: usize,
    place: u64,
}

impl<'a> RunReader<'a> {
    /// Starts before the first row; `path` is the file that is sorted, for messages.
    pub fn new(
        run: &'a Run,
        path: &'a Path,
        offsets: Range<u64>,
        read_bytes: usize,
    ) -> RunReader<'a> {
        RunReader {
            run,
            path,
            end: offsets.end,
            read_bytes,
            buffer: Vec::new(),
            base: offsets.start,
            at: RowAt::default(),
        }
    }

    /// The run that is read.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// The row that the last call of `advance` went to.
    #[inline]
    pub fn row(&self) -> StoredRow<'_> {
        let RowAt {
            start,
            key,
            value,
            end,
            place,
        } = self.at;
        let part = |from: usize, to: usize| self.buffer.get(from..to).unwrap_or_default();
        StoredRow {
            key: part(key, value),
            value: part(value, end),
            place,
            stored: part(start, end),
        }
    }

    /// Offset of that row; of the end, where there was none.
    pub fn offset(&self) -> u64 {
        self.base + self.at.start as u64
    }

    /// Goes to the next row; returns whether there is one.
    #[inline]
    pub fn advance(&mut self) -> Result<bool> {
        self.at.start = self.at.end;
        loop {
            let start = self.at.start;
            if let Some(row) = first_row(self.buffer.get(start..).unwrap_or_default()) {
                let end = start + row.stored.len();
                let value = end - row.value.len();
                self.at = RowAt {
                    start,
                    key: value - row.key.len(),
                    value,
                    end,
                    place: row.place,
                };
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Reads on from the row that is not whole in the buffer; returns whether there is one.
    #[cold]
    fn fill(&mut self) -> Result<bool> {
        let offset = self.offset();
        let at_hand = self.buffer.len() - self.at.start;
        let left = self.end.saturating_sub(offset);
        if left == 0 {
            self.at.end = self.at.start;
            return Ok(false);
        }
        if at_hand as u64 >= left {
            return Err(damaged_run(self.path, offset));
        }
        let mut wanted = self.read_bytes.max(1);
        while wanted <= at_hand {
            wanted *= 2;
        }
        // Not mapped, so the bytes are read into this buffer.
        let len = left.min(wanted as u64);
        self.run.input.read(offset, len, &mut self.buffer)?;
        self.base = offset;
        self.at = RowAt::default();
        Ok(true)
    }

    /// Goes on to the first row whose key is not below `key`; returns whether there is one. There is a row at hand, or nothing was
    /// read yet.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        let offset = self.run.index.floor(key).min(self.end);
        if offset > self.offset() {
            self.buffer.clear();
            self.base = offset;
            self.at = RowAt::default();
        }
        if self.at.end > 0 && self.row().key >= key {
            return Ok(true);
        }
        while self.advance()? {
            if self.row().key >= key {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
