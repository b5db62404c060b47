//! Sorts rows that a source holds in no order: an external merge sort in bounded memory.
//!
//! [`Sorter`] takes rows in any order, each with its place in the source. It sorts what fits its memory, writes each such run
//! to a temporary file without a name, and merges the runs. Rows that come in the order of their keys are not sorted: they
//! continue a run, and what lies in one run alone is not merged; so sorted rows are written once. Several threads may push at once
//! ([`Sorter::push_parts`]), or sort what one pushes ([`Sorter::push_beside`]).
//!
//! [`SortedRows`] is the result: parts of temporary files with a sparse index, to be cut and scanned like any other table. Two rows
//! of one key are an error that shows both places; or the later one counts, or they are counted ([`Twice`]).

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::row::Row;

mod index;
mod join;
mod lanes;
mod merge;
mod order;
mod rows;
mod run;

pub use rows::SortedRows;

use run::{Run, RunWriter};

/// Memory for the rows that are sorted at once, where nothing else is said.
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
    shared: Arc<Shared<'a>>,
    memory_bytes: usize,
    /// Rows in memory, one behind the other as [`run`] stores them.
    stored: Vec<u8>,
    rows: usize,
    /// Where the key of the last of them lies.
    last_key: Range<usize>,
    /// Whether their keys ascend.
    ascends: bool,
    /// The run that these rows continue, if all of its keys are lower.
    run: Option<RunWriter>,
    /// The next row's key is worth a cut.
    note_cut: bool,
    /// Takes the rows when the memory is full, instead of a run.
    hand_on: Option<lanes::HandOn>,
    /// It is of a thread of no pool: those of the common one may be waiting for what it does.
    is_alone: bool,
}

/// Rows in memory.
struct Batch {
    stored: Vec<u8>,
    rows: usize,
    ascends: bool,
}

/// What the sorters of one table share.
struct Shared<'a> {
    options: SortOptions,
    show_place: ShowPlace<'a>,
    twice: Twice,
    /// Runs on disk by how often their rows were merged: so each row is merged a logarithmic number of times.
    levels: Mutex<Vec<Vec<Run>>>,
    /// Keys at which a run, or a part of one, starts.
    cuts: Mutex<Vec<Vec<u8>>>,
}

/// What two rows of one key mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twice {
    /// The source is at fault.
    Refused,
    /// The source is a log of writes: the one of the greater place counts.
    LaterWins,
    /// The table holds the row so often, which becomes its value ([`crate::row::Schema::Bag`]); all are pushed with the value
    /// [`crate::row::ONCE`].
    Counted,
}

impl Twice {
    /// Of a table of a database: rows of one key are a fault; where it has no key, equal rows are counted.
    pub fn of_key(has_key: bool) -> Twice {
        match has_key {
            true => Twice::Refused,
            false => Twice::Counted,
        }
    }
}

impl<'a> Sorter<'a> {
    /// Sorts with these options; `show_place` explains the places given to [`Sorter::push`].
    pub fn new(options: SortOptions, show_place: ShowPlace<'a>) -> Sorter<'a> {
        Sorter::with(options, show_place, Twice::Refused)
    }

    /// Takes rows of one key for what `twice` says.
    #[must_use]
    pub fn on_twice(self, twice: Twice) -> Sorter<'a> {
        let shared = &self.shared;
        Sorter::with(shared.options.clone(), shared.show_place, twice)
    }

    fn with(options: SortOptions, show_place: ShowPlace<'a>, twice: Twice) -> Sorter<'a> {
        let memory_bytes = match options.memory_bytes {
            0 => MEMORY_BYTES,
            bytes => bytes,
        };
        let shared = Shared {
            options,
            show_place,
            twice,
            levels: Mutex::default(),
            cuts: Mutex::default(),
        };
        let memory_bytes = usize::try_from(memory_bytes).unwrap_or(usize::MAX);
        Sorter::of(Arc::new(shared), memory_bytes)
    }

    fn of(shared: Arc<Shared<'a>>, memory_bytes: usize) -> Sorter<'a> {
        Sorter {
            shared,
            memory_bytes,
            stored: Vec::new(),
            rows: 0,
            last_key: 0..0,
            ascends: true,
            run: None,
            note_cut: false,
            hand_on: None,
            is_alone: false,
        }
    }

    /// Adds a row and its place in the source, below 2^63. Rows whose keys ascend are not sorted.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files.
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
        let added = row.key.len() + row.value.len() + 48;
        let used = self.stored.len() + self.rows * order::ROW_BYTES;
        if used + added > self.memory_bytes && self.rows > 0 {
            self.spill()?;
        }
        if self.stored.capacity() == 0 && self.memory_bytes <= 1 << 30 {
            // Growing by doubling would hold the rows twice for a moment; pages that are never touched cost nothing.
            self.stored.reserve_exact(self.memory_bytes);
        }
        if self.note_cut {
            self.note_cut = false;
            self.shared.note_cut(row.key);
        }
        if self.ascends && self.rows > 0 {
            let last = self.stored.get(self.last_key.clone()).unwrap_or_default();
            self.ascends = last < row.key;
        }
        run::push_row(&mut self.stored, row, place);
        self.rows += 1;
        let key_end = self.stored.len() - row.value.len();
        self.last_key = key_end - row.key.len()..key_end;
        Ok(())
    }

    /// Forgets all rows that were pushed.
    pub fn clear(&mut self) {
        self.stored.clear();
        (self.rows, self.ascends, self.run) = (0, true, None);
        locked(&self.shared.levels).clear();
        locked(&self.shared.cuts).clear();
    }

    /// Sorts what is left and merges the runs.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files; Duplicate, for the lowest key that stands twice.
    pub fn finish(mut self) -> Result<SortedRows> {
        self.flush()?;
        join::join(&self.shared, self.memory_bytes)
    }

    /// Writes all rows in memory, and frees it.
    fn flush(&mut self) -> Result<()> {
        self.spill()?;
        self.stored = Vec::new();
        match self.run.take() {
            Some(run) => self.shared.keep(run.finish()?, 0),
            None => Ok(()),
        }
    }

    /// Frees the memory: writes the rows, or hands them on.
    fn spill(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let batch = Batch {
            stored: std::mem::take(&mut self.stored),
            rows: std::mem::take(&mut self.rows),
            ascends: std::mem::replace(&mut self.ascends, true),
        };
        if let Some(hand_on) = &self.hand_on {
            return hand_on.send(batch);
        }
        self.write(&batch)?;
        self.stored = batch.stored;
        self.stored.clear();
        Ok(())
    }

    /// Writes rows, sorted: behind those of the run that was written last, if they continue it.
    fn write(&mut self, batch: &Batch) -> Result<()> {
        let stored = batch.stored.as_slice();
        if batch.ascends {
            let first = run::row_at(stored, 0);
            return self.run_above(first.key)?.push_ascending(stored);
        }
        self.write_sorted(stored, batch.rows)
    }

    fn write_sorted(&mut self, stored: &[u8], rows: usize) -> Result<()> {
        let twice = self.shared.twice;
        let order = order::sorted(stored, rows, self.is_alone);
        let mut rows = order
            .iter()
            .map(|at| run::row_at(stored, at.at()))
            .peekable();
        let Some(first) = rows.peek() else {
            return Ok(());
        };
        let writer = self.run_above(first.key)?;
        while let Some(row) = rows.next() {
            let is_superseded =
                twice == Twice::LaterWins && rows.peek().is_some_and(|next| next.key == row.key);
            if !is_superseded {
                writer.push(&row)?;
            }
        }
        Ok(())
    }

    /// The run at hand where all of its keys are below `key`, else a new one.
    fn run_above(&mut self, key: &[u8]) -> Result<&mut RunWriter> {
        if let Some(run) = self.run.take_if(|run| !run.is_below(key)) {
            self.shared.keep(run.finish()?, 0)?;
        }
        match &mut self.run {
            Some(run) => Ok(run),
            none => {
                self.shared.note_cut(key);
                Ok(none.insert(RunWriter::new(&self.shared.options)?))
            }
        }
    }
}

impl Shared<'_> {
    /// Takes note of a key at which other rows may start.
    fn note_cut(&self, key: &[u8]) {
        locked(&self.cuts).push(key.to_vec());
    }

    /// Keeps a run, and merges its level if that is full.
    fn keep(&self, run: Run, level: usize) -> Result<()> {
        let full = {
            let mut levels = locked(&self.levels);
            if levels.len() <= level {
                levels.resize_with(level + 1, Vec::new);
            }
            let Some(runs) = levels.get_mut(level) else {
                return Ok(());
            };
            runs.push(run);
            match runs.len() < RUNS_MAX {
                true => return Ok(()),
                false => std::mem::take(runs),
            }
        };
        self.keep(self.merge(full)?, level + 1)
    }

    /// The error for a key that stands at two stored places.
    fn twice_error(&self, key: &[u8], first: u64, second: u64) -> Error {
        ErrorKind::Duplicate {
            path: self.options.path.clone(),
            key: key.to_vec(),
            first: (self.show_place)(first >> 1),
            second: (self.show_place)(second >> 1),
        }
        .into()
    }
}

/// Locks; a panic elsewhere has left nothing half done behind these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
