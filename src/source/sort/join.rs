//! Makes one sorted table of the runs: merged where their keys overlap, in parallel; as they are where they do not.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::merge::Merge;
use super::rows::{Segment, SortedRows};
use super::run::{self, READ_BYTES, Run, RunReader, RunWriter, StoredRow};
use super::{RUNS_MAX, Shared, SortOptions, Twice};
use crate::error::Result;
use crate::range::KeyRange;
use crate::row::Row;

/// Bytes of rows that are worth a piece of work of its own.
const TASK_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 4 << 20 };

/// Bytes of rows from which on they are better left where they are; fewer are cheaper to copy than to find.
const SEGMENT_BYTES_MIN: u64 = if cfg!(test) { 256 } else { 64 << 10 };

/// Most pieces of work; each writes a file.
const TASKS_MAX: usize = 64;

/// Joins what was sorted so far.
///
/// # Errors
///
/// Duplicate, for the lowest key that stands twice and the first two places of it; I/O errors of the temporary files.
pub(super) fn join(shared: &Shared<'_>, memory_bytes: usize) -> Result<SortedRows> {
    let runs: Vec<Arc<Run>> = shared.take_runs()?.into_iter().map(Arc::new).collect();
    let mut cuts = shared.take_cuts();
    cuts.sort_unstable();
    cuts.dedup();
    let threads = rayon::current_num_threads();
    let read_bytes = memory_bytes / threads.max(1) / runs.len().max(1);
    let join = Join {
        shared,
        runs: &runs,
        cuts: &cuts,
        read_bytes: read_bytes.clamp(READ_BYTES / 16, READ_BYTES),
    };
    let tasks = KeyRange::all().cut_at(&task_starts(&runs, threads));
    // All of them are done, and the first error counts, so that it does not depend on which was the quickest.
    let done: Vec<Result<Joined>> = tasks.par_iter().map(|range| join.range(range)).collect();
    let (mut rows, mut bytes) = (0, 0);
    for run in &runs {
        rows += run.rows;
        bytes += run.bytes;
    }
    let mut segments = Vec::new();
    for joined in done {
        let joined = joined?;
        rows -= joined.dropped_rows;
        bytes -= joined.dropped_bytes;
        joined
            .segments
            .into_iter()
            .for_each(|next| push_segment(&mut segments, next));
    }
    Ok(SortedRows::new(
        shared.options.path.clone(),
        segments,
        rows,
        bytes,
    ))
}

/// Adds a segment; makes one of two that lie one behind the other in a run.
fn push_segment(segments: &mut Vec<Segment>, next: Segment) {
    match segments.last_mut() {
        Some(last) if Arc::ptr_eq(&last.run, &next.run) && last.end == next.start => {
            last.end = next.end;
        }
        _ => segments.push(next),
    }
}

/// Keys that cut the work into parts of about equal size.
fn task_starts(runs: &[Arc<Run>], threads: usize) -> Vec<Vec<u8>> {
    let total: u64 = runs.iter().map(|run| run.len()).sum();
    let by_size = usize::try_from(total / TASK_BYTES).unwrap_or(usize::MAX);
    let tasks = by_size.min(threads * 4).clamp(1, TASKS_MAX) as u64;
    let mut entries: Vec<(&[u8], u64)> = Vec::new();
    for run in runs {
        let mut end = run.len();
        for (key, offset) in run.index.entries().iter().rev() {
            entries.push((key, end - offset));
            end = *offset;
        }
    }
    entries.sort_unstable();
    let (mut starts, mut seen) = (Vec::<Vec<u8>>::new(), 0);
    for (key, len) in entries {
        let wanted = (starts.len() as u64 + 1) * total / tasks;
        let is_new = starts.last().is_none_or(|last| last.as_slice() < key) && !key.is_empty();
        if seen >= wanted && (starts.len() as u64) + 1 < tasks && is_new {
            starts.push(key.to_vec());
        }
        seen += len;
    }
    starts
}

struct Join<'a> {
    shared: &'a Shared<'a>,
    runs: &'a [Arc<Run>],
    /// Keys at which another run may be the only one that has rows, ascending.
    cuts: &'a [Vec<u8>],
    read_bytes: usize,
}

/// The rows of a range.
#[derive(Default)]
struct Joined {
    segments: Vec<Segment>,
    /// Rows of the runs that do not count, and their bytes.
    dropped_rows: u64,
    dropped_bytes: u64,
}

impl Joined {
    fn drop(&mut self, row: &StoredRow<'_>) {
        self.dropped_rows += 1;
        self.dropped_bytes += row.len_bytes();
    }
}

/// Writes each of the equal rows once, with how many there are as its value.
fn count(
    merge: &mut Merge<'_>,
    is_wanted: &dyn Fn(&[u8]) -> bool,
    writer: &mut RunWriter,
    joined: &mut Joined,
) -> Result<()> {
    let (mut key, mut stored) = (Vec::new(), Vec::new());
    loop {
        let Some(first) = merge.row().filter(|row| is_wanted(row.key)) else {
            return Ok(());
        };
        key.clear();
        key.extend_from_slice(first.key);
        let place = first.place;
        let mut copies = 0u64;
        while let Some(row) = merge.row().filter(|row| row.key == key) {
            copies += 1;
            joined.drop(&row);
            merge.advance()?;
        }
        let value = copies.to_string();
        let row = Row {
            key: &key,
            value: value.as_bytes(),
        };
        stored.clear();
        run::push_row(&mut stored, row, place);
        let row = run::row_at(&stored, 0);
        // A digit more of the count is ten rows that were dropped, each of a byte at least.
        joined.dropped_rows -= 1;
        joined.dropped_bytes -= row.len_bytes();
        writer.push(&row)?;
    }
}

/// Where a part of a range lies.
enum Part {
    Run(Segment),
    /// In the file of what was merged.
    Merged {
        first_key: Vec<u8>,
        start: u64,
        end: u64,
    },
}

impl Join<'_> {
    fn range(&self, range: &KeyRange) -> Result<Joined> {
        let inside = |cut: &&Vec<u8>| range.contains(cut) && **cut != range.from;
        let cuts: Vec<Vec<u8>> = self.cuts.iter().filter(inside).cloned().collect();
        let path: &Path = &self.shared.options.path;
        let readers = self
            .runs
            .iter()
            .map(|run| RunReader::new(run, path, 0..run.len(), self.read_bytes))
            .collect();
        let mut merge = Merge::new(readers, &range.from)?;
        let mut joined = Joined::default();
        let mut parts = Vec::new();
        let mut merged: Option<RunWriter> = None;
        for piece in range.cut_at(&cuts) {
            let to = piece.to.as_deref();
            if let Some(segment) = self.segment_of_one_run(&mut merge, to)? {
                parts.push(Part::Run(segment));
                continue;
            }
            let is_below = |key: &[u8]| to.is_none_or(|to| key < to);
            let Some(first) = merge.row().filter(|row| is_below(row.key)) else {
                continue;
            };
            let first_key = first.key.to_vec();
            let writer = match &mut merged {
                Some(writer) => writer,
                none => none.insert(RunWriter::new(&self.shared.options)?),
            };
            let start = writer.len();
            match self.shared.twice {
                Twice::Counted => count(&mut merge, &is_below, writer, &mut joined)?,
                _ => self.copy(&mut merge, &is_below, writer, &mut joined)?,
            }
            let end = writer.len();
            if end > start {
                parts.push(Part::Merged {
                    first_key,
                    start,
                    end,
                });
            }
        }
        let merged = match merged {
            Some(writer) => Some(Arc::new(writer.finish()?)),
            None => None,
        };
        for part in parts {
            match (part, &merged) {
                (Part::Run(segment), _) => joined.segments.push(segment),
                (
                    Part::Merged {
                        first_key,
                        start,
                        end,
                    },
                    Some(run),
                ) => joined.segments.push(Segment {
                    run: Arc::clone(run),
                    first_key,
                    start,
                    end,
                }),
                (Part::Merged { .. }, None) => {}
            }
        }
        Ok(joined)
    }

    /// Writes the rows that count.
    fn copy(
        &self,
        merge: &mut Merge<'_>,
        is_wanted: &dyn Fn(&[u8]) -> bool,
        writer: &mut RunWriter,
        joined: &mut Joined,
    ) -> Result<()> {
        while let Some(row) = merge.row().filter(|row| is_wanted(row.key)) {
            let is_superseded = self.shared.twice == Twice::LaterWins && merge.is_followed();
            if is_superseded || row.is_deletion() {
                joined.drop(&row);
            } else {
                if let Some(place) = writer.place_of(row.key) {
                    return Err(self.shared.twice_error(row.key, place, row.place));
                }
                writer.push(&row)?;
            }
            merge.advance()?;
        }
        Ok(())
    }

    /// The rows below `to` as they lie in a run, if all of them lie in one, and all of them count.
    fn segment_of_one_run(
        &self,
        merge: &mut Merge<'_>,
        to: Option<&[u8]>,
    ) -> Result<Option<Segment>> {
        let found = merge.only_below(to).and_then(|reader| {
            let mut runs = self.runs.iter();
            let run = runs.find(|run| std::ptr::eq(&***run, reader.run()) && run.is_plain)?;
            Some((run, reader.row().key.to_vec(), reader.offset()))
        });
        let Some((run, first_key, start)) = found else {
            return Ok(None);
        };
        let end = match to {
            Some(to) => {
                let path = &self.shared.options.path;
                let mut ahead = RunReader::new(run, path, start..run.len(), READ_BYTES / 16);
                ahead.seek(to)?;
                ahead.offset()
            }
            None => run.len(),
        };
        if end - start < SEGMENT_BYTES_MIN {
            return Ok(None);
        }
        merge.skip_to(to)?;
        Ok(Some(Segment {
            run: Arc::clone(run),
            first_key,
            start,
            end,
        }))
    }
}

impl Shared<'_> {
    /// Takes the runs, as few as can be merged at once.
    fn take_runs(&self) -> Result<Vec<Run>> {
        let levels = std::mem::take(&mut *super::locked(&self.levels));
        let mut runs: Vec<Run> = levels.into_iter().flatten().collect();
        while runs.len() > RUNS_MAX {
            // The first ones are the shortest.
            let merged = self.merge(runs.drain(..RUNS_MAX).collect())?;
            runs.push(merged);
        }
        Ok(runs)
    }

    fn take_cuts(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *super::locked(&self.cuts))
    }

    /// Merges runs into one, which keeps what may be needed to tell that a key stands twice.
    pub(super) fn merge(&self, runs: Vec<Run>) -> Result<Run> {
        let options: &SortOptions = &self.options;
        let readers = runs
            .iter()
            .map(|run| RunReader::new(run, &options.path, 0..run.len(), READ_BYTES))
            .collect();
        let mut merge = Merge::new(readers, b"")?;
        let mut writer = RunWriter::new(options)?;
        while let Some(row) = merge.row() {
            if self.twice != Twice::LaterWins || !merge.is_followed() {
                writer.push(&row)?;
            }
            merge.advance()?;
        }
        writer.finish()
    }
}
