//! One table: its SSTables, merged, as rows.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cells::Rules;
use super::data::{PartitionReader, Sstable, Unfiltered};
use super::key;
use super::layout::{Column, Known, Layout, Mapping};
use super::model::{Deletion, Row as SstableRow, Seconds};
use super::reconcile::{Head, Merged, Merger, Next, Versions};
use super::value::{self, Encoder};
use super::view::Lens;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::cql::{CqlColumn, CqlSchema};
use crate::row::{Row, RowStream, Schema, escape};
use crate::source::union::choose_cuts;
use crate::source::{Estimate, Table};

/// Cuts that each SSTable is asked for, for every piece of the whole.
const CUTS_A_PIECE: usize = 4;
/// Most partitions of an SSTable whose places are kept in memory, evenly spread.
const MARKS_MAX: usize = 1 << 13;
/// A guess at the bytes of a row in Data.db.
const ROW_BYTES_GUESS: u64 = 64;

/// A table of a Cassandra snapshot.
pub struct CassandraTable {
    name: String,
    folder: PathBuf,
    parts: Vec<Part>,
    layout: Layout,
    lens: Lens,
    rules: Rules,
    schema: Schema,
    ties: AtomicU64,
    gc_grace: Option<Seconds>,
}

struct Part {
    sstable: Sstable,
    mapping: Mapping,
    /// Where some of its partitions begin: their place among partitions, and the offset; ascending.
    marks: OnceLock<Vec<(Vec<u8>, u64)>>,
}

impl CassandraTable {
    /// The table of all these SSTables; `folder` is for messages.
    ///
    /// # Errors
    ///
    /// Unsupported where the SSTables contradict one another or the schema.
    pub fn new(
        name: String,
        folder: &Path,
        mut sstables: Vec<Sstable>,
        known: Option<&Known>,
        lens: Lens,
        rules: Rules,
    ) -> Result<CassandraTable> {
        sstables.sort_by_key(|sstable| sstable.header().min_timestamp);
        let headers: Vec<_> = sstables.iter().map(Sstable::header).collect();
        let layout = Layout::new(folder, &headers, known)?;
        let parts = sstables
            .into_iter()
            .map(|sstable| Part {
                mapping: layout.mapping(sstable.header()),
                sstable,
                marks: OnceLock::new(),
            })
            .collect();
        Ok(CassandraTable {
            name,
            folder: folder.to_owned(),
            parts,
            schema: schema_of(&layout, lens, rules),
            layout,
            lens,
            rules,
            ties: AtomicU64::new(0),
            gc_grace: None,
        })
    }

    /// With the gc_grace_seconds of its schema.
    #[must_use]
    pub fn with_gc_grace(mut self, seconds: Option<Seconds>) -> CassandraTable {
        self.gc_grace = seconds;
        self
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its columns.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Cells met in scans so far for which the rules for equal timestamps choose differently; a cell counts in every scan
    /// that reads it.
    pub fn ties(&self) -> u64 {
        self.ties.load(Ordering::Relaxed)
    }

    /// Its SSTables.
    pub fn sstables(&self) -> impl Iterator<Item = &Sstable> {
        self.parts.iter().map(|part| &part.sstable)
    }

    /// Returns Changed if a file changed since it was opened.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        self.sstables().try_for_each(Sstable::check_unchanged)
    }

    fn marks<'p>(&self, part: &'p Part) -> Result<&'p [(Vec<u8>, u64)]> {
        if let Some(marks) = part.marks.get() {
            return Ok(marks);
        }
        let marks = self.read_marks(part)?;
        Ok(part.marks.get_or_init(|| marks))
    }

    fn read_marks(&self, part: &Part) -> Result<Vec<(Vec<u8>, u64)>> {
        let starts = part.sstable.partition_starts(MARKS_MAX)?;
        let mut marks: Vec<(Vec<u8>, u64)> = Vec::with_capacity(starts.len());
        for start in starts {
            let mut place = Vec::new();
            let (partitioner, key_type) = (self.layout.partitioner, &self.layout.key_type);
            key::push_partition(&mut place, partitioner, key_type, &start.key);
            if marks.last().is_some_and(|(last, _)| *last >= place) {
                return Err(damaged(&part.sstable, "partitions are not in order"));
            }
            marks.push((place, start.offset));
        }
        Ok(marks)
    }

    /// The offsets of an SSTable between which the partitions of a range lie.
    fn extent(&self, part: &Part, range: &KeyRange) -> Result<(u64, u64)> {
        let end = part.sstable.data_len();
        if *range == KeyRange::all() {
            return Ok((0, end));
        }
        let marks = self.marks(part)?;
        let offset = |index: usize| marks.get(index).map(|(_, offset)| *offset);
        let behind = marks.partition_point(|(place, _)| *place <= range.from);
        let from = behind.checked_sub(1).and_then(offset).unwrap_or(0);
        let to = match &range.to {
            Some(to) => offset(marks.partition_point(|(place, _)| place < to)),
            None => None,
        };
        Ok((from, to.unwrap_or(end)))
    }
}

fn schema_of(layout: &Layout, lens: Lens, rules: Rules) -> Schema {
    let columns = |columns: &[Column]| {
        columns
            .iter()
            .map(|column| CqlColumn {
                name: escape(&column.name).into_owned(),
                cql_type: column.cql_type.clone(),
            })
            .collect()
    };
    Schema::Cql(Box::new(CqlSchema {
        partitioner: layout.partitioner,
        key: columns(&layout.key),
        clustering: columns(&layout.clustering),
        statics: columns(&layout.statics),
        regulars: columns(&layout.regulars),
        view: lens.view,
        ties: rules.ties,
        now: lens.now,
        gc_before: lens.gc_before,
    }))
}

fn damaged(sstable: &Sstable, what: &str) -> Error {
    Error::damaged(sstable.descriptor().component("Data.db"), 0, what)
}

impl Table for CassandraTable {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn gc_grace_seconds(&self) -> Option<i64> {
        self.gc_grace
    }

    fn estimate(&self) -> Estimate {
        let sum = |of: fn(&Sstable) -> u64| self.sstables().map(of).fold(0, u64::saturating_add);
        let bytes = sum(Sstable::data_len);
        Estimate {
            rows: bytes / ROW_BYTES_GUESS,
            bytes,
            file_bytes: sum(Sstable::file_len),
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        if pieces < 2 {
            return Ok(Vec::new());
        }
        let mut cuts: Vec<(Vec<u8>, u64)> = Vec::new();
        let mut total = 0u64;
        for part in &self.parts {
            let (from, to) = self.extent(part, range)?;
            let size = to.saturating_sub(from);
            total = total.saturating_add(size);
            let step = (size / (pieces.saturating_mul(CUTS_A_PIECE) as u64)).max(1);
            let mut last = from;
            for (place, offset) in self.marks(part)? {
                let is_inside = *place > range.from && range.is_before_end(place);
                if is_inside && offset.saturating_sub(last) >= step {
                    cuts.push((place.clone(), offset - last));
                    last = *offset;
                }
            }
        }
        Ok(choose_cuts(cuts, total, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        let mut sources = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let (from, to) = self.extent(part, range)?;
            let reader = Reader {
                sstable: &part.sstable,
                partitions: part.sstable.read(from, to),
            };
            sources.push((reader, part.mapping.clone()));
        }
        let merger = Merger::new(&self.layout, self.rules, sources)?;
        let rows = Rows::new(&self.layout, self.lens, merger, range.clone());
        Ok(Box::new(rows.counting_ties(&self.ties)))
    }
}

/// One SSTable for the merger.
struct Reader<'a> {
    sstable: &'a Sstable,
    partitions: PartitionReader<'a>,
}

impl Versions for Reader<'_> {
    fn next_partition(&mut self) -> Result<Option<Head>> {
        Ok(self.partitions.next_partition()?.map(|head| Head {
            key: head.key,
            deletion: head.deletion,
        }))
    }

    fn next(&mut self, row: &mut SstableRow) -> Result<Next> {
        Ok(match self.partitions.next_unfiltered(row)? {
            Unfiltered::Row => Next::Row,
            Unfiltered::Marker(marker) => Next::Marker(marker),
            Unfiltered::End => Next::End,
        })
    }

    fn damaged(&self, what: &str) -> Error {
        let what = format!("{what}, in the data before compression,");
        let path = self.sstable.descriptor().component("Data.db");
        Error::damaged(path, self.partitions.offset(), what)
    }
}

/// The rows of a range, encoded.
pub(super) struct Rows<'a, V> {
    layout: &'a Layout,
    lens: Lens,
    merger: Merger<'a, V>,
    ties: Option<&'a AtomicU64>,
    range: KeyRange,
    encoder: Encoder,
    row: SstableRow,
    key: Vec<u8>,
    value: Vec<u8>,
    /// Bytes of the partition's place in `key`; `None` between partitions.
    partition_len: Option<usize>,
    /// The range deletion that is seen to be open.
    open: Deletion,
}

impl<'a, V: Versions> Rows<'a, V> {
    /// What `lens` sees of the rows that `merger` gives, in `range`.
    pub(super) fn new(
        layout: &'a Layout,
        lens: Lens,
        merger: Merger<'a, V>,
        range: KeyRange,
    ) -> Rows<'a, V> {
        Rows {
            layout,
            lens,
            merger,
            ties: None,
            range,
            encoder: Encoder::default(),
            row: SstableRow::default(),
            key: Vec::new(),
            value: Vec::new(),
            partition_len: None,
            open: Deletion::LIVE,
        }
    }

    /// Adds the merger's ties to `ties` in the end.
    fn counting_ties(mut self, ties: &'a AtomicU64) -> Rows<'a, V> {
        self.ties = Some(ties);
        self
    }

    /// Goes on; true where `key` and `value` are a row's.
    fn step(&mut self) -> Result<Step> {
        let lens = &self.lens;
        let Some(partition_len) = self.partition_len else {
            return self.next_partition();
        };
        let merged = self.merger.next(&mut self.row)?;
        self.key.truncate(partition_len);
        self.key.extend_from_slice(self.merger.position());
        match merged {
            Merged::End => {
                self.partition_len = None;
                return Ok(Step::Nothing);
            }
            Merged::Row => {
                if self.key < self.range.from || !lens.apply(&mut self.row) {
                    return Ok(Step::Nothing);
                }
                self.encoder
                    .row(&mut self.value, self.layout, lens.view, &self.row);
            }
            Merged::Covered(deletion) => {
                let seen = lens.deletion(deletion);
                if seen == self.open {
                    return Ok(Step::Nothing);
                }
                self.open = seen;
                value::encode_deletion(&mut self.value, seen);
            }
        }
        Ok(self.of_range())
    }

    fn next_partition(&mut self) -> Result<Step> {
        let Some(deletion) = self.merger.next_partition()? else {
            return Ok(Step::End);
        };
        let place = self.merger.partition();
        if !self.range.is_before_end(place) {
            return Ok(Step::End);
        }
        if place < self.range.from.as_slice() && !self.range.from.starts_with(place) {
            return Ok(Step::Nothing);
        }
        self.key.clear();
        self.key.extend_from_slice(place);
        self.partition_len = Some(self.key.len());
        self.merger.enter()?;
        self.open = Deletion::LIVE;
        let seen = self.lens.deletion(deletion);
        if seen.is_live() {
            return Ok(Step::Nothing);
        }
        self.key.push(key::PARTITION_DELETION);
        value::encode_deletion(&mut self.value, seen);
        Ok(self.of_range())
    }

    fn of_range(&self) -> Step {
        if !self.range.is_before_end(&self.key) {
            return Step::End;
        }
        match self.key < self.range.from {
            true => Step::Nothing,
            false => Step::Row,
        }
    }
}

enum Step {
    Row,
    Nothing,
    End,
}

impl<V: Versions + Send> RowStream for Rows<'_, V> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        loop {
            match self.step()? {
                Step::Nothing => {}
                Step::End => return Ok(None),
                Step::Row => {
                    return Ok(Some(Row {
                        key: &self.key,
                        value: &self.value,
                    }));
                }
            }
        }
    }
}

impl<V> Drop for Rows<'_, V> {
    fn drop(&mut self) {
        if let Some(ties) = self.ties {
            ties.fetch_add(self.merger.ties, Ordering::Relaxed);
        }
    }
}
