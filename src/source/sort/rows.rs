//! Sorted rows on disk, to be cut and scanned.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::range::KeyRange;
use crate::row::{Row, RowStream};

use super::run::{READ_BYTES, Run, RunReader};

/// Most entries of the sparse index: its memory stays bounded, its steps grow with the rows.
const INDEX_MAX: usize = 1 << 16;

/// A part of a run.
pub(super) struct Segment {
    pub run: Arc<Run>,
    pub first_key: Vec<u8>,
    /// Offset of its first row.
    pub start: u64,
    /// Offset behind its last row.
    pub end: u64,
}

/// Rows sorted by key in temporary files that vanish with this value.
pub struct SortedRows {
    path: PathBuf,
    /// One behind the other they are the rows.
    pub(super) segments: Vec<Segment>,
    /// Some rows, at about even distances; the first row of each segment is among them.
    index: Vec<Mark>,
    rows: u64,
    bytes: u64,
}

/// A row whose place is known.
struct Mark {
    key: Vec<u8>,
    segment: usize,
    offset: u64,
}

impl SortedRows {
    /// The rows of these segments, which are not empty and in the order of their keys.
    pub(super) fn new(path: PathBuf, segments: Vec<Segment>, rows: u64, bytes: u64) -> SortedRows {
        let entries: usize = segments.iter().map(Segment::entries).map(<[_]>::len).sum();
        let step = entries.div_ceil(INDEX_MAX).max(1);
        let mut index = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            index.push(Mark {
                key: segment.first_key.clone(),
                segment: number,
                offset: segment.start,
            });
            let entries = segment.entries().iter().step_by(step);
            index.extend(entries.map(|(key, offset)| Mark {
                key: key.clone(),
                segment: number,
                offset: *offset,
            }));
        }
        SortedRows {
            path,
            segments,
            index,
            rows,
            bytes,
        }
    }

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
        let first = self.index.partition_point(|mark| mark.key <= range.from);
        let last = self
            .index
            .partition_point(|mark| range.is_before_end(&mark.key));
        let inside = self.index.get(first..last.max(first)).unwrap_or_default();
        let count = pieces.saturating_sub(1).min(inside.len());
        (1..=count)
            .filter_map(|piece| inside.get(inside.len() * piece / (count + 1)))
            .map(|mark| mark.key.clone())
            .collect()
    }

    /// As [`crate::source::Table::scan`].
    pub fn scan<'a>(&'a self, range: &KeyRange) -> Box<dyn RowStream + 'a> {
        let at = self.index.partition_point(|mark| mark.key <= range.from);
        let mark = self.index.get(at.saturating_sub(1));
        let (segment, offset) = mark.map_or((0, 0), |mark| (mark.segment, mark.offset));
        let mut scan = Scan {
            rows: self,
            segment,
            reader: None,
            range: range.clone(),
        };
        if !range.is_empty() {
            scan.reader = scan.reader_from(offset);
        }
        Box::new(scan)
    }
}

impl Segment {
    /// The entries of the run's index that lie behind its first row.
    fn entries(&self) -> &[(Vec<u8>, u64)] {
        let entries = self.run.index.entries();
        let from = entries.partition_point(|(_, offset)| *offset <= self.start);
        let to = entries.partition_point(|(_, offset)| *offset < self.end);
        entries.get(from..to).unwrap_or_default()
    }
}

struct Scan<'a> {
    rows: &'a SortedRows,
    /// The segment that is read.
    segment: usize,
    /// `None` once all was read.
    reader: Option<RunReader<'a>>,
    range: KeyRange,
}

impl<'a> Scan<'a> {
    fn reader_from(&self, offset: u64) -> Option<RunReader<'a>> {
        let segment = self.rows.segments.get(self.segment)?;
        Some(RunReader::new(
            &segment.run,
            &self.rows.path,
            offset.max(segment.start)..segment.end,
            READ_BYTES,
        ))
    }

    /// Goes to the next row of the range; returns whether there is one.
    fn advance(&mut self) -> Result<bool> {
        while let Some(reader) = &mut self.reader {
            if !reader.advance()? {
                self.segment += 1;
                self.reader = self.reader_from(0);
                continue;
            }
            let key = reader.row().key;
            if !self.range.is_before_end(key) {
                self.reader = None;
            } else if key >= self.range.from.as_slice() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn row(&self) -> Option<Row<'_>> {
        let row = self.reader.as_ref()?.row();
        Some(Row {
            key: row.key,
            value: row.value,
        })
    }
}

impl RowStream for Scan<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        self.advance()?;
        Ok(self.row())
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while self.advance()? {
            if let Some(row) = self.row() {
                visit(row)?;
            }
        }
        Ok(())
    }
}
