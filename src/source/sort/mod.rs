//! Sorts rows that a source holds in no order: an external merge sort in bounded memory.
//!
//! [`Sorter`] takes rows in any order, each with its place in the source. It sorts what fits its memory, writes each such run
//! to a temporary file without a name, and merges the runs. [`SortedRows`] is the result: one more temporary file with a
//! sparse index, to be cut and scanned like any other table. Two rows of one key are an error that shows both places; or, where
//! the source is a log of writes, the later one counts ([`Sorter::later_wins`]).

use std::path::{Path, PathBuf};

use rayon::slice::ParallelSliceMut as _;

use crate::error::{Error, ErrorKind, Result};
use crate::row::Row;

mod merge;
mod rows;
mod run;

pub use rows::SortedRows;

use run::{Run, RunWriter, StoredRow};

/// Memory for the rows of one run, where nothing else is said.
pub const MEMORY_BYTES: u64 = 64 << 20;
/// Most runs that are merged at once; each costs a buffer and a file handle.
const RUNS_MAX: usize = 64;

/// Where and how to sort.
#[derive(Debug, Clone)]
pub struct SortOptions {
    /// Where temporary files go; `None` is the system's folder for them.
    pub temp_dir: Option<PathBuf>,
    /// Memory for the rows of one run, in bytes; 0 is [`MEMORY_BYTES`].
    pub memory_bytes: u64,
    /// The file that is sorted, for messages.
    pub path: PathBuf,
}

/// Shows a row's place in its source as a person finds it, for the message about a key that stands twice.
pub type ShowPlace<'a> = &'a (dyn Fn(u64) -> String + Sync);

/// Takes rows in any order and gives them back sorted by key.
pub struct Sorter<'a> {
    options: SortOptions,
    memory_bytes: usize,
    show_place: ShowPlace<'a>,
    twice: Twice,
    /// Rows of the run in the making, one behind the other as [`run`] stores them.
    stored: Vec<u8>,
    order: Vec<Entry>,
    /// Runs on disk by how often their rows were merged: so each row is merged a logarithmic number of times.
    levels: Vec<Vec<Run>>,
}

/// What two rows of one key mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twice {
    /// The source is at fault.
    Refused,
    /// The one of the greater place counts.
    LaterWins,
}

/// A row in memory.
#[derive(Clone, Copy)]
struct Entry {
    /// First eight bytes of the key, padded with zeros: most comparisons need no more.
    prefix: u64,
    /// Where the row is stored.
    at: u64,
}

impl<'a> Sorter<'a> {
    /// Sorts with these options; `show_place` explains the places given to [`Sorter::push`].
    pub fn new(options: SortOptions, show_place: ShowPlace<'a>) -> Sorter<'a> {
        let memory_bytes = match options.memory_bytes {
            0 => MEMORY_BYTES,
            bytes => bytes,
        };
        Sorter {
            options,
            memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
            show_place,
            twice: Twice::Refused,
            stored: Vec::new(),
            order: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Takes the rows for a log of writes: of those of one key, the one of the greatest place counts.
    #[must_use]
    pub fn later_wins(mut self) -> Sorter<'a> {
        self.twice = Twice::LaterWins;
        self
    }

    /// Adds a row and its place in the source, below 2^63.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files; Duplicate where a run turns out to hold a key twice.
    pub fn push(&mut self, row: Row<'_>, place: u64) -> Result<()> {
        self.push_stored(row, place << 1)
    }

    /// Adds the deletion of a key in a log of writes: the row of a smaller place is gone.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files.
    pub fn push_deletion(&mut self, key: &[u8], place: u64) -> Result<()> {
        self.push_stored(Row { key, value: b"" }, place << 1 | 1)
    }

    fn push_stored(&mut self, row: Row<'_>, place: u64) -> Result<()> {
        let added = row.key.len() + row.value.len() + 32;
        let used = self.stored.len() + self.order.len() * size_of::<Entry>();
        if used + added > self.memory_bytes && !self.order.is_empty() {
            self.spill()?;
        }
        if self.stored.capacity() == 0 && self.memory_bytes <= 1 << 30 {
            // Growing by doubling would hold the rows twice for a moment; pages that are never touched cost nothing.
            self.stored.reserve_exact(self.memory_bytes);
        }
        let mut prefix = [0; 8];
        for (to, from) in prefix.iter_mut().zip(row.key) {
            *to = *from;
        }
        self.order.push(Entry {
            prefix: u64::from_be_bytes(prefix),
            at: self.stored.len() as u64,
        });
        run::push_row(&mut self.stored, row, place);
        Ok(())
    }

    /// Sorts what is left and merges the runs.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files; Duplicate where a key stands twice.
    pub fn finish(mut self) -> Result<SortedRows> {
        if !self.order.is_empty() {
            self.spill()?;
        }
        self.stored = Vec::new();
        self.order = Vec::new();
        let mut runs: Vec<Run> = std::mem::take(&mut self.levels)
            .into_iter()
            .flatten()
            .collect();
        while runs.len() > RUNS_MAX {
            // The first ones are the shortest.
            let merged = self.merge(runs.drain(..RUNS_MAX).collect())?;
            runs.push(merged);
        }
        let mut rows = rows::Builder::new(&self.options)?;
        let mut push = |row: &StoredRow<'_>| match row.is_deletion() {
            true => Ok(()),
            false => rows.push(row),
        };
        merge::merge(&self.options.path, runs, self.twice, &mut push)
            .map_err(|stop| self.error(stop))?;
        rows.finish()
    }

    /// Sorts the rows in memory and writes them as a run.
    fn spill(&mut self) -> Result<()> {
        let stored = self.stored.as_slice();
        let row = |entry: &Entry| run::row_at(stored, entry.at);
        self.order.par_sort_unstable_by(|a, b| {
            a.prefix.cmp(&b.prefix).then_with(|| {
                let (a, b) = (row(a), row(b));
                a.key.cmp(b.key).then(a.place.cmp(&b.place))
            })
        });
        let mut writer = RunWriter::new(&self.options)?;
        let mut rows = self.order.iter().map(row).peekable();
        while let Some(row) = rows.next() {
            match (self.twice, rows.peek().filter(|next| next.key == row.key)) {
                (Twice::Refused, Some(next)) => {
                    return Err(self.error(merge::Stop::twice(&row, next)));
                }
                (Twice::LaterWins, Some(_)) => {}
                (_, None) => writer.push(&row)?,
            }
        }
        let run = writer.finish()?;
        self.stored.clear();
        self.order.clear();
        self.keep(run, 0)
    }

    /// Keeps a run, and merges its level if that is full.
    fn keep(&mut self, run: Run, level: usize) -> Result<()> {
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, Vec::new);
        }
        let Some(runs) = self.levels.get_mut(level) else {
            return Ok(());
        };
        runs.push(run);
        if runs.len() < RUNS_MAX {
            return Ok(());
        }
        let runs = std::mem::take(runs);
        let merged = self.merge(runs)?;
        self.keep(merged, level + 1)
    }

    fn merge(&self, runs: Vec<Run>) -> Result<Run> {
        let mut writer = RunWriter::new(&self.options)?;
        merge::merge(&self.options.path, runs, self.twice, &mut |row| {
            writer.push(row)
        })
        .map_err(|stop| self.error(stop))?;
        writer.finish()
    }

    fn error(&self, stop: merge::Stop) -> Error {
        match stop {
            merge::Stop::Failed(error) => error,
            merge::Stop::Twice { key, first, second } => ErrorKind::Duplicate {
                path: self.options.path.clone(),
                key,
                first: (self.show_place)(first >> 1),
                second: (self.show_place)(second >> 1),
            }
            .into(),
        }
    }
}

/// The error for a temporary file that does not hold what was written to it.
fn damaged_run(path: &Path, offset: u64) -> Error {
    Error::damaged(
        path,
        offset,
        "the temporary file of the sorted rows was altered",
    )
}

#[cfg(test)]
mod tests;
