//! What each replica lacks, and what all will have: found range by range, kept outside of memory, then written as patches.

use std::path::Path;

use super::{ReconcileOptions, Rule};
use crate::compare::Divergence;
use crate::diff::{Change, ChangeSink};
use crate::error::{Error, Result};
use crate::file::cursor::{Cursor, push_length_prefixed};
use crate::file::frames::{FrameReader, FrameWriter, Frames};
use crate::file::spill::SpillBuffer;
use crate::fingerprint::Summary;
use crate::mtree::TableView;
use crate::mtree::header::{push_range, read_range};
use crate::mtree::node::{Digest, push_summary, read_summary};
use crate::mtree::write::TableWriter;
use crate::patch::{PatchSide, PatchWriter};
use crate::range::{KeyRange, rank};
use crate::row::Row;
use crate::tree::Leaf;

const TAG_RANGE: u8 = 1;
const TAG_CHANGE: u8 = 2;
const TAG_LEAF: u8 = 3;

/// What was found in one table, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys at which not all replicas have the same.
    pub rows: u64,
    /// Those of them at which two replicas have written different things of one version.
    pub conflicts: u64,
    /// Those of them at which no replica has what comes out: it is put together of several.
    pub mixed: u64,
    /// Of each replica.
    pub replicas: Vec<ReplicaCounts>,
}

/// What one replica gives and lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplicaCounts {
    /// Rows that it has as they shall be, and another replica has not.
    pub taken: u64,
    /// Rows to put.
    pub puts: u64,
    /// Rows to delete.
    pub deletes: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.rows += other.rows;
        self.conflicts += other.conflicts;
        self.mixed += other.mixed;
        for (counts, of_other) in self.replicas.iter_mut().zip(&other.replicas) {
            counts.taken += of_other.taken;
            counts.puts += of_other.puts;
            counts.deletes += of_other.deletes;
        }
    }
}

/// What the replicas of one table lack.
pub struct Found {
    /// In numbers.
    pub counts: Counts,
    /// What all replicas will hold.
    pub target: PatchSide,
    /// Divergent ranges, each followed by the keys at which not all replicas have the same.
    changes: Frames,
    /// Bytes that all replicas will hold in each of the ranges.
    merged_bytes: Vec<u64>,
}

/// Takes what is found, in the order of the keys.
pub(super) struct Finder<'a> {
    pub rule: &'a Rule,
    pub options: &'a ReconcileOptions<'a>,
    counts: Counts,
    changes: FrameWriter,
    /// Divergent ranges, each followed by the leaves of the merged rows: first what belongs to the leaf before the range.
    leaves: FrameWriter,
    merged_bytes: Vec<u64>,
    leaf_bits: u32,
    /// The leaf under way.
    leaf: Option<Leaf>,
    /// All that the replicas hold in the ranges so far, and what they will.
    before: Vec<Summary>,
    merged: Summary,
    frame: Vec<u8>,
}

impl<'a> Finder<'a> {
    /// For replicas with these trees.
    pub fn new(
        trees: &[TableView<'_>],
        rule: &'a Rule,
        options: &'a ReconcileOptions<'a>,
    ) -> Finder<'a> {
        Finder::empty(
            rule,
            options,
            trees.first().map_or(0, |tree| tree.header().leaf_bits),
            trees.len(),
        )
    }

    fn empty(
        rule: &'a Rule,
        options: &'a ReconcileOptions<'a>,
        leaf_bits: u32,
        replicas: usize,
    ) -> Finder<'a> {
        let spill = || FrameWriter::new(options.temp_dir.clone());
        Finder {
            rule,
            options,
            leaf_bits,
            counts: Counts {
                replicas: vec![ReplicaCounts::default(); replicas],
                ..Counts::default()
            },
            changes: spill(),
            leaves: spill(),
            merged_bytes: Vec::new(),
            leaf: None,
            before: vec![Summary::default(); replicas],
            merged: Summary::default(),
            frame: Vec::new(),
        }
    }

    /// One for later ranges, to be appended.
    pub fn another(&self) -> Finder<'a> {
        Finder::empty(self.rule, self.options, self.leaf_bits, self.before.len())
    }

    /// Takes over what another has found behind this one's ranges.
    pub fn append(&mut self, other: Finder<'_>) -> Result<()> {
        self.counts.add(&other.counts);
        for (to, from) in [
            (&mut self.changes, other.changes),
            (&mut self.leaves, other.leaves),
        ] {
            let frames = from.finish()?;
            let mut frames = frames.reader();
            while let Some(frame) = frames.next()? {
                to.push(frame)?;
            }
        }
        self.merged_bytes.extend(other.merged_bytes);
        for (before, of_other) in self.before.iter_mut().zip(other.before) {
            *before += of_other;
        }
        self.merged += other.merged;
        Ok(())
    }

    pub fn begin_range(&mut self, divergence: &Divergence) -> Result<()> {
        self.frame.clear();
        self.frame.push(TAG_RANGE);
        push_range(&mut self.frame, &divergence.range);
        self.leaves.push(&self.frame)?;
        for (before, side) in self.before.iter_mut().zip(&divergence.sides) {
            push_summary(&mut self.frame, side);
            *before += *side;
        }
        self.changes.push(&self.frame)?;
        self.merged_bytes.push(0);
        self.leaf = Some(Leaf {
            start: divergence.range.from.clone(),
            summary: Summary::default(),
        });
        Ok(())
    }

    /// What each replica has at a key of the range, and what counts.
    pub fn row(
        &mut self,
        key: &[u8],
        values: &[Option<&[u8]>],
        merged: Option<&[u8]>,
    ) -> Result<()> {
        if let Some(value) = merged {
            self.add_to_leaf(Row { key, value })?;
        }
        if values.iter().all(|value| *value == merged) {
            return Ok(());
        }
        self.counts.rows += 1;
        self.counts.conflicts += u64::from(self.rule.is_conflict(values, merged));
        self.counts.mixed += u64::from(!values.contains(&merged));
        self.frame.clear();
        self.frame.push(TAG_CHANGE);
        push_length_prefixed(&mut self.frame, key);
        push_optional(&mut self.frame, merged);
        for (value, counts) in values.iter().zip(&mut self.counts.replicas) {
            match (*value == merged, merged) {
                (true, Some(_)) => counts.taken += 1,
                (true, None) => {}
                (false, Some(_)) => counts.puts += 1,
                (false, None) => counts.deletes += 1,
            }
            push_optional(&mut self.frame, *value);
        }
        self.changes.push(&self.frame)
    }

    fn add_to_leaf(&mut self, row: Row<'_>) -> Result<()> {
        if let Some(bytes) = self.merged_bytes.last_mut() {
            *bytes = bytes.wrapping_add(row.len_bytes());
        }
        if rank(row.key) >= self.leaf_bits {
            self.end_leaf()?;
            self.leaf = Some(Leaf {
                start: row.key.to_vec(),
                summary: Summary::default(),
            });
        }
        let fingerprint = self.options.hash.fingerprint(row);
        self.merged.add_row(row, fingerprint);
        if let Some(leaf) = &mut self.leaf {
            leaf.summary.add_row(row, fingerprint);
        }
        Ok(())
    }

    /// The leaf under way has no more rows: neither has its range, or another leaf begins.
    pub fn end_leaf(&mut self) -> Result<()> {
        let Some(leaf) = self.leaf.take() else {
            return Ok(());
        };
        let mut frame = vec![TAG_LEAF];
        push_length_prefixed(&mut frame, &leaf.start);
        push_summary(&mut frame, &leaf.summary);
        self.leaves.push(&frame)
    }

    /// What was found in the end.
    pub fn finish(self, trees: &[TableView<'_>]) -> Result<Found> {
        let mut summaries = trees.iter().zip(&self.before).map(|(tree, before)| {
            let summary = tree.header().summary - *before + self.merged;
            (tree, summary)
        });
        let (first, summary) = summaries
            .next()
            .ok_or_else(|| Error::usage("there is no replica", ""))?;
        if let Some((tree, _)) = summaries.find(|(_, other)| *other != summary) {
            return Err(Error::damaged(
                tree.tree().path(),
                0,
                "the tree holds other sums than its ranges",
            ));
        }
        let leaves = self.leaves.finish()?;
        let mut target = PatchSide {
            leaf_bits: self.leaf_bits,
            summary,
            ..PatchSide::default()
        };
        // Patches tell no root of a tree with boundaries that its rows do not give.
        if first.header().splits == [0; 32] {
            target.root = root(first, &leaves, self.options, summary)?;
        }
        Ok(Found {
            counts: self.counts,
            target,
            changes: self.changes.finish()?,
            merged_bytes: self.merged_bytes,
        })
    }
}

/// The root of the tree that is `tree` outside of the divergent ranges, and has the merged leaves in them.
fn root(
    tree: &TableView<'_>,
    merged: &Frames,
    options: &ReconcileOptions<'_>,
    expected: Summary,
) -> Result<Digest> {
    let header = tree.header();
    let mut target = Target {
        writer: TableWriter::new(
            header.leaf_bits,
            &header.coverage,
            SpillBuffer::new(options.temp_dir.clone()),
        ),
        open: Leaf {
            start: header.coverage.from().to_vec(),
            summary: Summary::default(),
        },
    };
    let mut merged = merged.reader();
    let mut next = next_range(&mut merged, &mut target)?;
    let mut inside: Option<KeyRange> = None;
    tree.for_each_leaf(&mut |entry| {
        while let Some(range) = next.take_if(|range| range.from <= entry.start) {
            // The leaves of the range, up to the next one.
            next = next_range(&mut merged, &mut target)?;
            inside = Some(range);
        }
        if inside
            .as_ref()
            .is_some_and(|range| range.is_before_end(&entry.start))
        {
            return Ok(());
        }
        target.leaf(entry.start, entry.summary)
    })?;
    let Target { mut writer, open } = target;
    writer.push_leaf(&open.start, &open.summary)?;
    let built = writer.finish(&header.name, &header.schema, &[], Vec::new())?;
    let built = built.header();
    match built.summary == expected && next.is_none() {
        true => Ok(built.root),
        false => Err(Error::damaged(
            tree.tree().path(),
            0,
            "the tree holds other sums than its leaves",
        )),
    }
}

/// Hands the merged leaves before the next range to `target`; returns that range.
fn next_range(merged: &mut FrameReader<'_>, target: &mut Target<'_>) -> Result<Option<KeyRange>> {
    let mut is_head = true;
    while let Some(frame) = merged.next()? {
        let mut cursor = Cursor::new(frame);
        match cursor.u8() {
            Some(TAG_RANGE) => return read_range(&mut cursor).map(Some).ok_or_else(cut_short),
            _ => {
                let start = cursor.length_prefixed().ok_or_else(cut_short)?;
                let summary = read_summary(&mut cursor).ok_or_else(cut_short)?;
                match std::mem::take(&mut is_head) {
                    true => target.open.summary += summary,
                    false => target.leaf(start.to_vec(), summary)?,
                }
            }
        }
    }
    Ok(None)
}

/// The tree that all replicas will have.
struct Target<'a> {
    writer: TableWriter<'a>,
    open: Leaf,
}

impl Target<'_> {
    fn leaf(&mut self, start: Vec<u8>, summary: Summary) -> Result<()> {
        // The first row of the coverage may be a boundary itself.
        if start == self.open.start {
            self.open.summary += summary;
            return Ok(());
        }
        let leaf = std::mem::replace(&mut self.open, Leaf { start, summary });
        self.writer.push_leaf(&leaf.start, &leaf.summary)
    }
}

impl Found {
    /// Writes what each replica lacks, each into its own patch; `table` is the table's index in the patches' headers.
    ///
    /// # Errors
    ///
    /// Those of the writers, and of temporary files.
    pub fn write(&self, table: usize, writers: &mut [PatchWriter<'_>]) -> Result<()> {
        for writer in writers.iter_mut() {
            writer.table(table)?;
        }
        let mut merged_bytes = self.merged_bytes.iter();
        let mut changes = self.changes.reader();
        let mut range = KeyRange::all();
        let mut bytes = 0;
        // What each replica holds in the range, until it is told.
        let mut sides: Vec<Option<Summary>> = Vec::new();
        while let Some(frame) = changes.next()? {
            let mut cursor = Cursor::new(frame);
            if cursor.u8() == Some(TAG_RANGE) {
                range = read_range(&mut cursor).ok_or_else(cut_short)?;
                bytes = *merged_bytes.next().ok_or_else(cut_short)?;
                let summaries = writers.iter().map(|_| read_summary(&mut cursor).map(Some));
                sides = summaries.collect::<Option<_>>().ok_or_else(cut_short)?;
                continue;
            }
            let key = cursor.length_prefixed().ok_or_else(cut_short)?;
            let merged = read_optional(&mut cursor).ok_or_else(cut_short)?;
            for (writer, side) in writers.iter_mut().zip(&mut sides) {
                let value = read_optional(&mut cursor).ok_or_else(cut_short)?;
                if value == merged {
                    continue;
                }
                if let Some(base) = side.take() {
                    writer.begin_range(&range, &base, bytes)?;
                }
                writer.change(Change {
                    key,
                    left: value,
                    right: merged,
                })?;
            }
        }
        Ok(())
    }
}

fn cut_short() -> Error {
    Error::damaged(Path::new("a temporary file"), 0, "it is cut short")
}

fn push_optional(out: &mut Vec<u8>, value: Option<&[u8]>) {
    out.push(u8::from(value.is_some()));
    push_length_prefixed(out, value.unwrap_or_default());
}

fn read_optional<'a>(cursor: &mut Cursor<'a>) -> Option<Option<&'a [u8]>> {
    let is_there = cursor.u8()? == 1;
    let value = cursor.length_prefixed()?;
    Some(is_there.then_some(value))
}
