//! Runs: sorted rows one behind the other in a temporary file without a name.
//!
//! A stored row is three varints (length of the key, length of the value, place), the key and the value. The place is that in the
//! source times two, and one more for a deletion.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::file::cursor::{Cursor, push_varint};
use crate::file::input::{FileOptions, Input};
use crate::file::spool::Spool;
use crate::row::Row;

use super::{SortOptions, damaged_run};

/// Bytes read at once; each run that is merged has such a buffer.
const READ_BYTES: usize = 128 << 10;

/// A row with its place in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredRow<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub place: u64,
}

impl StoredRow<'_> {
    pub fn is_deletion(&self) -> bool {
        self.place & 1 == 1
    }
}

/// Appends a row.
pub(super) fn push_row(out: &mut Vec<u8>, row: Row<'_>, place: u64) {
    push_varint(out, row.key.len() as u64);
    push_varint(out, row.value.len() as u64);
    push_varint(out, place);
    out.extend_from_slice(row.key);
    out.extend_from_slice(row.value);
}

/// Takes a row from the front; `None` where the bytes end inside it.
pub(super) fn take_row<'a>(cursor: &mut Cursor<'a>) -> Option<StoredRow<'a>> {
    let key_len = cursor.varint()?;
    let value_len = cursor.varint()?;
    let place = cursor.varint()?;
    Some(StoredRow {
        key: cursor.take(key_len)?,
        value: cursor.take(value_len)?,
        place,
    })
}

/// The row that was pushed at `at`.
pub(super) fn row_at(stored: &[u8], at: u64) -> StoredRow<'_> {
    let rest = stored.get(at as usize..).unwrap_or_default();
    take_row(&mut Cursor::new(rest)).unwrap_or(StoredRow {
        key: &[],
        value: &[],
        place: 0,
    })
}

/// A finished run.
pub(super) struct Run {
    input: Input,
}

/// Writes a run.
pub(super) struct RunWriter {
    spool: Spool,
    path: PathBuf,
    stored: Vec<u8>,
}

impl RunWriter {
    pub fn new(options: &SortOptions) -> Result<RunWriter> {
        Ok(RunWriter {
            spool: Spool::new(options.temp_dir.as_deref())?,
            path: options.path.clone(),
            stored: Vec::new(),
        })
    }

    /// Bytes written so far: the offset of the next row.
    pub fn len(&self) -> u64 {
        self.spool.len()
    }

    pub fn push(&mut self, row: &StoredRow<'_>) -> Result<()> {
        let StoredRow { key, value, place } = *row;
        self.stored.clear();
        push_row(&mut self.stored, Row { key, value }, place);
        self.spool
            .write_all(&self.stored)
            .map_err(|e| self.spool.error(e))
    }

    pub fn finish(self) -> Result<Run> {
        // Runs are read from front to end, many at once: a buffer each is all the memory that is wanted.
        let options = FileOptions {
            mmap: false,
            ..FileOptions::default()
        };
        Ok(Run {
            input: self.spool.into_input(&self.path, &options)?,
        })
    }
}

/// Reads the rows of a run from an offset on.
pub(super) struct RunReader<'a> {
    run: &'a Run,
    path: &'a Path,
    buffer: Vec<u8>,
    /// Offset of the buffer in the file.
    base: u64,
    /// The next row in the buffer.
    next: usize,
}

impl<'a> RunReader<'a> {
    /// `path` is the file that is sorted, for messages.
    pub fn new(run: &'a Run, path: &'a Path, offset: u64) -> RunReader<'a> {
        RunReader {
            run,
            path,
            buffer: Vec::new(),
            base: offset,
            next: 0,
        }
    }

    /// Returns the next row, and where [`RunReader::row_at`] finds it until the next call.
    pub fn next(&mut self) -> Result<Option<(usize, StoredRow<'_>)>> {
        Ok(self.advance()?.map(|start| (start, self.row_at(start))))
    }

    /// Returns the row that `next` returned with `start`.
    pub fn row_at(&self, start: usize) -> StoredRow<'_> {
        row_at(&self.buffer, start as u64)
    }

    /// Makes the next row whole in the buffer; returns where.
    fn advance(&mut self) -> Result<Option<usize>> {
        let mut wanted = READ_BYTES;
        loop {
            let rest = self.buffer.get(self.next..).unwrap_or_default();
            let mut cursor = Cursor::new(rest);
            if take_row(&mut cursor).is_some() {
                let start = self.next;
                self.next += cursor.position();
                return Ok(Some(start));
            }
            let offset = self.base + self.next as u64;
            let left = self.run.input.len() - offset;
            if left == 0 {
                return Ok(None);
            }
            if rest.len() as u64 >= left {
                return Err(damaged_run(self.path, offset));
            }
            while wanted <= rest.len() {
                wanted *= 2;
            }
            // Not mapped, so the bytes are read into this buffer.
            let len = left.min(wanted as u64);
            self.run.input.read(offset, len, &mut self.buffer)?;
            self.base = offset;
            self.next = 0;
        }
    }
}
