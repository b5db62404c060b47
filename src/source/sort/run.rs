//! Runs: sorted rows one behind the other in a temporary file without a name.
//!
//! A stored row is three varints (length of the key, length of the value, place in the source), the key and the value.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::file::cursor::{Cursor, push_varint};
use crate::row::Row;

use super::{SortOptions, damaged_run};

const WRITE_BYTES: usize = 256 << 10;
/// Bytes read at once; each run that is merged has such a buffer.
pub(super) const READ_BYTES: usize = 128 << 10;

/// A row with its place in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredRow<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub place: u64,
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

/// A temporary file that vanishes with its last handle.
pub(super) struct TempFile {
    file: File,
    dir: PathBuf,
}

impl TempFile {
    pub fn new(options: &SortOptions) -> Result<TempFile> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let dir = options.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!(".mdiff-sort-{}-{count}", std::process::id()));
            match OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
            {
                Ok(file) => {
                    std::fs::remove_file(&path).map_err(|e| Error::io("removing", &path, e))?;
                    return Ok(TempFile { file, dir });
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("creating a temporary file in", &dir, e)),
            }
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|e| Error::io("writing a temporary file in", &self.dir, e))
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|e| Error::io("reading a temporary file in", &self.dir, e))
    }
}

/// A finished run.
pub(super) struct Run {
    pub file: TempFile,
    pub len: u64,
}

/// Writes a run.
pub(super) struct RunWriter {
    file: TempFile,
    buffer: Vec<u8>,
    len: u64,
}

impl RunWriter {
    pub fn new(options: &SortOptions) -> Result<RunWriter> {
        Ok(RunWriter {
            file: TempFile::new(options)?,
            buffer: Vec::with_capacity(WRITE_BYTES + 4096),
            len: 0,
        })
    }

    /// Bytes written so far: the offset of the next row.
    pub fn len(&self) -> u64 {
        self.len + self.buffer.len() as u64
    }

    pub fn push(&mut self, row: &StoredRow<'_>) -> Result<()> {
        let StoredRow { key, value, place } = *row;
        push_row(&mut self.buffer, Row { key, value }, place);
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write(&self.buffer)?;
        self.len += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub fn finish(mut self) -> Result<Run> {
        self.flush()?;
        Ok(Run {
            file: self.file,
            len: self.len,
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
            let left = self.run.len - offset;
            if left == 0 {
                return Ok(None);
            }
            if rest.len() as u64 >= left {
                return Err(damaged_run(self.path, offset));
            }
            while wanted <= rest.len() {
                wanted *= 2;
            }
            self.buffer.resize(left.min(wanted as u64) as usize, 0);
            self.run.file.read(offset, &mut self.buffer)?;
            self.base = offset;
            self.next = 0;
        }
    }
}
