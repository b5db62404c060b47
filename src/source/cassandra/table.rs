//! One table: its SSTables, merged, as rows.

use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cells::Rules;
use super::data::{PartitionHead, PartitionReader, Sstable, Start, Unfiltered};
use super::key;
use super::lane::{Next, Versions};
use super::layout::{Column, Known, Layout, Mapping};
use super::model::{Deletion, Row as SstableRow, Seconds};
use super::position::Position;
use super::reconcile::{Merged, Merger};
use super::resume::Resuming;
use super::rows::plain::{Plain, Plan};
use super::seek::Seeker;
use super::tied::{Counter, TieCount, Tied};
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
/// A guess at the bytes of a row, where none can be looked at.
const ROW_BYTES_GUESS: u64 = 64;
/// How many rows are looked at for that, dead ones among them, and how many bytes of them.
const SAMPLE_ROWS: usize = 1 << 10;
const SAMPLE_BYTES: u64 = 128 << 10;

/// A table of a Cassandra snapshot.
pub struct CassandraTable {
    name: String,
    folder: PathBuf,
    parts: Vec<Part>,
    layout: Layout,
    lens: Lens,
    rules: Rules,
    schema: Schema,
    ties: Counter,
    gc_grace: Option<Seconds>,
    /// Bytes of a row, about.
    row_bytes: OnceLock<u64>,
}

struct Part {
    sstable: Sstable,
    mapping: Mapping,
    plan: Plan,
    seeker: Seeker,
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
            .map(|sstable| {
                let mapping = layout.mapping(sstable.header());
                Part {
                    plan: Plan::new(sstable.shape(), &mapping, &layout),
                    mapping,
                    sstable,
                    seeker: Seeker::default(),
                }
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
            ties: Counter::default(),
            gc_grace: None,
            row_bytes: OnceLock::new(),
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

    /// Its SSTables.
    pub fn sstables(&self) -> impl Iterator<Item = &Sstable> {
        self.parts.iter().map(|part| &part.sstable)
    }

    /// Returns Changed if a file changed since it was opened.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        self.sstables().try_for_each(Sstable::check_unchanged)
    }

    /// The place of the first partition behind `key` at which the SSTable can be read again in which an error arose.
    pub(super) fn partition_behind(&self, error: &Error, key: &[u8]) -> Option<Vec<u8>> {
        let path = error.path()?;
        let part = self.parts.iter().find(|part| {
            let descriptor = part.sstable.descriptor();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_its = name.strip_prefix(descriptor.name().as_str());
            path.parent() == Some(&descriptor.folder) && is_its.is_some_and(|n| n.starts_with('-'))
        })?;
        let seeker = &part.seeker;
        seeker.partition_behind(&part.sstable, &self.layout, key)
    }

    /// The rows of a range, up to the first error; cells of tied writes are counted.
    pub(super) fn rows(&self, range: &KeyRange) -> Result<Rows<'_, Reader<'_>>> {
        Ok(self.rows_uncounted(range)?.counting_ties(&self.ties))
    }

    fn rows_uncounted(&self, range: &KeyRange) -> Result<Rows<'_, Reader<'_>>> {
        let mut sources = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let start = match range.from.is_empty() {
                true => Start::of_partition(0),
                false => part
                    .seeker
                    .start(&part.sstable, &self.layout, &range.from)?,
            };
            let reader = Reader {
                sstable: &part.sstable,
                plan: &part.plan,
                partitions: part.sstable.read_from(start),
            };
            sources.push((reader, part.mapping.clone()));
        }
        let merger = Merger::new(&self.layout, self.rules, self.lens.view, sources)?;
        Ok(Rows::new(&self.layout, self.lens, merger, range.clone()))
    }

    /// Bytes of a row as it is encoded, by the first ones. A build whose guess at that is too small has to scan twice.
    fn row_bytes(&self) -> u64 {
        *self.row_bytes.get_or_init(|| {
            // Whoever reads what is damaged tells of it.
            let (rows, bytes) = self.sample().unwrap_or_default();
            bytes
                .checked_div(rows)
                .map_or(ROW_BYTES_GUESS, |mean| mean.max(1))
        })
    }

    /// The first rows and their bytes.
    fn sample(&self) -> Result<(u64, u64)> {
        let mut stream = self.rows_uncounted(&KeyRange::all())?;
        let (mut rows, mut bytes) = (0, 0);
        for _ in 0..SAMPLE_ROWS {
            match stream.step()? {
                Step::End => break,
                Step::Nothing => {}
                Step::Row => {
                    rows += 1;
                    bytes += stream.row().len_bytes();
                }
            }
            if bytes >= SAMPLE_BYTES {
                break;
            }
        }
        Ok((rows, bytes))
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
            rows: bytes / self.row_bytes(),
            bytes,
            file_bytes: sum(Sstable::file_len),
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        if pieces < 2 {
            return Ok(Vec::new());
        }
        let count = pieces.saturating_mul(CUTS_A_PIECE);
        let of_part = |part: &Part| {
            let seeker = &part.seeker;
            seeker.cuts(&part.sstable, &self.layout, range, count)
        };
        let of_parts = self.parts.par_iter().map(of_part);
        let (mut cuts, mut total) = (Vec::new(), 0u64);
        for (of_part, size) in of_parts.collect::<Result<Vec<_>>>()? {
            cuts.extend(of_part);
            total = total.saturating_add(size);
        }
        Ok(choose_cuts(cuts, total, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(Resuming::new(self, range)))
    }

    fn check_digests(&self) -> Result<()> {
        let check = |part: &Part| part.sstable.check_digest().map(|_| ());
        self.parts.par_iter().try_for_each(check)
    }

    fn deletions_over(&self, key: &[u8]) -> Result<Option<[Deletion; 2]>> {
        if !self.layout.keys_are_in_order() {
            return Ok(None);
        }
        let range = KeyRange {
            from: key.to_vec(),
            to: None,
        };
        self.rows_uncounted(&range)?.deletions_at_begin().map(Some)
    }

    fn ties(&self) -> Option<TieCount> {
        Some(self.ties.total())
    }

    fn each_tie(
        &self,
        range: &KeyRange,
        sink: &mut dyn FnMut(&[u8], &Tied) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.rows(range)?;
        while !matches!(rows.step()?, Step::End) {
            for cell in rows.tied() {
                sink(&rows.key, cell)?;
            }
        }
        Ok(())
    }
}

/// One SSTable for the merger.
pub(super) struct Reader<'a> {
    sstable: &'a Sstable,
    plan: &'a Plan,
    partitions: PartitionReader<'a>,
}

impl Versions for Reader<'_> {
    fn next_partition(&mut self, head: &mut PartitionHead) -> Result<bool> {
        self.partitions.next_head(head)
    }

    fn next(&mut self, row: &mut SstableRow, plain: &mut Plain) -> Result<Next> {
        Ok(
            match self.partitions.next_or_plain(self.plan, row, plain)? {
                None => Next::Plain,
                Some(Unfiltered::Row) => Next::Row,
                Some(Unfiltered::Marker(marker)) => Next::Marker(marker),
                Some(Unfiltered::End) => Next::End,
            },
        )
    }

    #[inline]
    fn next_plain(&mut self, plain: &mut Plain) -> bool {
        self.partitions.next_plain(self.plan, plain)
    }

    fn plain_bytes(&self) -> &[u8] {
        self.partitions.plain_bytes()
    }

    fn decode_plain(&mut self, row: &mut SstableRow) -> Result<()> {
        self.partitions.decode_plain(row)
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
    ties: Option<&'a Counter>,
    range: KeyRange,
    encoder: Encoder,
    row: SstableRow,
    key: Vec<u8>,
    value: Vec<u8>,
    /// Whether the value is the merger's, of a plain row.
    is_plain: bool,
    /// Bytes of the partition's place in `key`; `None` between partitions.
    partition_len: Option<usize>,
    /// Whether the range has begun.
    has_begun: bool,
    /// Where in the partition it ends, if that can be told by the order of rows.
    end: Option<Position>,
    /// Whether all of the partition is of the range.
    is_within: bool,
    /// The partition's deletion, as it is seen.
    of_partition: Deletion,
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
            is_plain: false,
            partition_len: None,
            has_begun: false,
            end: None,
            is_within: false,
            of_partition: Deletion::LIVE,
            open: Deletion::LIVE,
        }
    }

    /// Counts cells of tied writes.
    fn counting_ties(mut self, ties: &'a Counter) -> Rows<'a, V> {
        self.ties = Some(ties);
        self
    }

    /// Goes to the next row; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool> {
        loop {
            match self.step()? {
                Step::Nothing => {}
                Step::End => return Ok(false),
                Step::Row => return Ok(true),
            }
        }
    }

    /// Hands the rows that are left to `visit`, until it returns false; returns whether there are no more.
    pub(super) fn each(&mut self, mut visit: impl FnMut(Row<'_>) -> bool) -> Result<bool> {
        loop {
            // Most rows are plain.
            let is_within = self.is_within || (self.has_begun && self.end.is_some());
            if let Some(partition_len) = self.partition_len.filter(|_| is_within) {
                let (end, key) = (self.end.as_ref(), &mut self.key);
                while self.merger.next_plain(end, partition_len, key)? {
                    let value = self.merger.plain_value();
                    if !visit(Row { key, value }) {
                        return Ok(false);
                    }
                }
                if self.merger.is_at_end() {
                    self.partition_len = None;
                }
            }
            match self.step()? {
                Step::Nothing => {}
                Step::End => return Ok(true),
                Step::Row if visit(self.row()) => {}
                Step::Row => return Ok(false),
            }
        }
    }

    /// The deletions, of the partition and of a range of rows, that are seen to lie over what is where the range begins.
    fn deletions_at_begin(mut self) -> Result<[Deletion; 2]> {
        let mut over = [Deletion::LIVE; 2];
        while !matches!(self.step()?, Step::End) && self.key < self.range.from {
            over = [self.of_partition, self.open];
        }
        Ok(over)
    }

    /// The row that [`Rows::advance`] went to.
    pub(super) fn row(&self) -> Row<'_> {
        Row {
            key: &self.key,
            value: match self.is_plain {
                true => self.merger.plain_value(),
                false => &self.value,
            },
        }
    }

    /// The key of the last row or of what came to nothing behind it; empty before all.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Goes on; true where `key` and `value` are a row's.
    fn step(&mut self) -> Result<Step> {
        let lens = self.lens;
        let Some(partition_len) = self.partition_len else {
            return self.next_partition();
        };
        let merged = self.merger.next(&mut self.row)?;
        self.is_plain = false;
        self.key.truncate(partition_len);
        self.merger.push_position(&mut self.key);
        match merged {
            Merged::End => {
                self.partition_len = None;
                Ok(Step::Nothing)
            }
            Merged::Row => {
                let step = self.of_range();
                if !matches!(step, Step::Row) {
                    return Ok(step);
                }
                if let Some(ties) = self.ties {
                    ties.count(&self.key, &self.merger.tied);
                }
                if !lens.apply(&mut self.row) {
                    return Ok(Step::Nothing);
                }
                self.encoder
                    .row(&mut self.value, self.layout, lens.view, &self.row);
                Ok(step)
            }
            Merged::Plain => {
                self.is_plain = true;
                Ok(self.of_range())
            }
            Merged::Covered(deletion) => {
                let step = self.of_range();
                let seen = lens.deletion(deletion);
                if seen == self.open && !matches!(step, Step::End) {
                    return Ok(Step::Nothing);
                }
                self.open = seen;
                value::encode_deletion(&mut self.value, seen);
                Ok(step)
            }
        }
    }

    fn next_partition(&mut self) -> Result<Step> {
        let Some(deletion) = self.merger.next_partition()? else {
            return Ok(Step::End);
        };
        self.key.clear();
        self.merger.push_partition(&mut self.key);
        let place = self.key.as_slice();
        if !self.range.is_before_end(place) {
            return Ok(Step::End);
        }
        if !self.has_begun {
            self.has_begun = place >= self.range.from.as_slice();
            if !self.has_begun && !self.range.from.starts_with(place) {
                return Ok(Step::Nothing);
            }
        }
        let end = self.range.to.as_ref().and_then(|to| to.strip_prefix(place));
        self.is_within = self.has_begun && end.is_none();
        self.end = end.filter(|_| self.layout.is_exact).map(Position::of);
        self.partition_len = Some(self.key.len());
        self.merger.enter()?;
        self.open = self.lens.deletion(self.merger.open());
        let seen = self.lens.deletion(deletion);
        self.of_partition = seen;
        if seen.is_live() {
            return Ok(Step::Nothing);
        }
        self.is_plain = false;
        self.key.push(key::PARTITION_DELETION);
        value::encode_deletion(&mut self.value, seen);
        Ok(match self.range.is_before_end(&self.key) {
            true => self.begun(),
            false => Step::End,
        })
    }

    /// Cells of the row that stands here, where it is of the range, for which the rules for equal timestamps choose
    /// differently.
    fn tied(&self) -> &[Tied] {
        match self.range.contains(&self.key) {
            true => &self.merger.tied,
            false => &[],
        }
    }

    /// Whether what the merger found is of the range.
    #[inline]
    fn of_range(&mut self) -> Step {
        if self.is_within {
            return Step::Row;
        }
        let is_behind = match &self.end {
            Some(end) => self.merger.order() >= end,
            None => !self.range.is_before_end(&self.key),
        };
        match is_behind {
            true => Step::End,
            false => self.begun(),
        }
    }

    /// Whether the range has begun at the current key.
    fn begun(&mut self) -> Step {
        let has_begun = self.has_begun || self.key >= self.range.from;
        // Where keys need not be in the order of rows, each is asked.
        self.has_begun = has_begun && self.layout.is_exact;
        match has_begun {
            true => Step::Row,
            false => Step::Nothing,
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
        Ok(match self.advance()? {
            true => Some(self.row()),
            false => None,
        })
    }
}
