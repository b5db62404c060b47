//! Sorted rows on disk, to be cut and scanned.

use std::path::PathBuf;

use crate::error::Result;
use crate::range::KeyRange;
use crate::row::{Row, RowStream};

use super::SortOptions;
use super::run::{Run, RunReader, RunWriter, StoredRow};

/// Most entries of the sparse index: its memory stays bounded, its steps grow with the rows.
const INDEX_MAX: usize = 1 << 16;
const FIRST_STEP_BYTES: u64 = 4 << 10;

/// Rows sorted by key in a temporary file that vanishes with this value.
pub struct SortedRows {
    run: Run,
    path: PathBuf,
    /// Some rows' keys and offsets, at about even distances; the first row's is the first.
    index: Vec<(Vec<u8>, u64)>,
    rows: u64,
    bytes: u64,
}

impl SortedRows {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// As [`crate::source::Table::split`].
    pub fn split(&self, range: &KeyRange, pieces: usize) -> Vec<Vec<u8>> {
        let first = self.index.partition_point(|(key, _)| *key <= range.from);
        let last = self
            .index
            .partition_point(|(key, _)| range.is_before_end(key));
        let inside = self.index.get(first..last.max(first)).unwrap_or_default();
        let count = pieces.saturating_sub(1).min(inside.len());
        (1..=count)
            .filter_map(|piece| inside.get(inside.len() * piece / (count + 1)))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// As [`crate::source::Table::scan`].
    pub fn scan<'a>(&'a self, range: &KeyRange) -> Box<dyn RowStream + 'a> {
        let at = self.index.partition_point(|(key, _)| *key <= range.from);
        let offset = match at.checked_sub(1).and_then(|at| self.index.get(at)) {
            Some((_, offset)) => *offset,
            None => 0,
        };
        Box::new(Scan {
            reader: RunReader::new(&self.run, &self.path, offset),
            range: range.clone(),
            is_done: range.is_empty(),
        })
    }
}

struct Scan<'a> {
    reader: RunReader<'a>,
    range: KeyRange,
    is_done: bool,
}

impl RowStream for Scan<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        let found = loop {
            if self.is_done {
                return Ok(None);
            }
            let Some((start, row)) = self.reader.next()? else {
                self.is_done = true;
                continue;
            };
            if !self.range.is_before_end(row.key) {
                self.is_done = true;
            } else if row.key >= self.range.from.as_slice() {
                break start;
            }
        };
        let StoredRow { key, value, .. } = self.reader.row_at(found);
        Ok(Some(Row { key, value }))
    }
}

/// Builds [`SortedRows`] from rows in order.
pub(super) struct Builder {
    writer: RunWriter,
    path: PathBuf,
    index: Vec<(Vec<u8>, u64)>,
    step_bytes: u64,
    rows: u64,
    bytes: u64,
}

impl Builder {
    pub fn new(options: &SortOptions) -> Result<Builder> {
        Ok(Builder {
            writer: RunWriter::new(options)?,
            path: options.path.clone(),
            index: Vec::new(),
            step_bytes: FIRST_STEP_BYTES,
            rows: 0,
            bytes: 0,
        })
    }

    pub fn push(&mut self, row: &StoredRow<'_>) -> Result<()> {
        let offset = self.writer.len();
        let next = self
            .index
            .last()
            .map_or(0, |(_, offset)| offset + self.step_bytes);
        if offset >= next {
            if self.index.len() >= INDEX_MAX {
                let mut is_odd = true;
                self.index.retain(|_| {
                    is_odd = !is_odd;
                    !is_odd
                });
                self.step_bytes *= 2;
            }
            self.index.push((row.key.to_vec(), offset));
        }
        self.rows += 1;
        self.bytes += (row.key.len() + row.value.len()) as u64;
        self.writer.push(row)
    }

    pub fn finish(self) -> Result<SortedRows> {
        Ok(SortedRows {
            run: self.writer.finish()?,
            path: self.path,
            index: self.index,
            rows: self.rows,
            bytes: self.bytes,
        })
    }
}
