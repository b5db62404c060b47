//! The write-ahead logs of a folder: writes that are in no table yet.
//!
//! A log counts when its number is at least a column family's log number and at least the smallest log to keep, or equal
//! to the previous log number (LevelDB); a record of a family only in logs from that family's log number on. Older
//! logs from the smallest one to keep on may hold prepared sections of transactions that later ones commit, and nothing
//! else that counts.
//!
//! Where a log ends torn, RocksDB (by default: recovery to a point in time) goes on with the next one only if its first
//! sequence number is the one that follows: it was written after such an end was met. Otherwise writes lie between,
//! and nothing after the torn end counts. It refuses to open the database if tables hold newer writes of some
//! family. LevelDB goes on with the next log. From RocksDB's db/db_impl/db_impl_open.cc and LevelDB's db/db_impl.cc.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::{FileOptions, Input};

use super::batch::{Bad, Batch, Transactions};
use super::current;
use super::entry::Entry;
use super::log::{LogEnd, LogReader};
use super::log_end::damaged;
use super::manifest::Manifest;

/// Logs that are kept open after they were read, at most: to see whether they change. Of more than these it is only seen
/// while they are read.
const OPEN_LOGS_MAX: usize = 64;

/// What takes the entries: it gets the column family's id with each.
pub type Sink<'s> = dyn FnMut(u32, Entry<'_>) -> Result<()> + 's;

/// What was read from the logs.
pub struct Replayed {
    /// The logs that were read, or the first of them where they are many.
    pub logs: Vec<Input>,
    /// Entries that were handed out.
    pub entries: u64,
    /// What was left out, in words for a user.
    pub notes: Vec<String>,
}

impl Replayed {
    /// Returns Changed where a log changed since it was opened.
    ///
    /// # Errors
    ///
    /// As of [`Input::check_unchanged`].
    pub fn check_unchanged(&self) -> Result<()> {
        self.logs.iter().try_for_each(Input::check_unchanged)
    }
}

/// Hands `sink` every entry of the logs that count, in the order of their writing.
///
/// # Errors
///
/// Damaged, also where a log is missing that the MANIFEST says is there; Unsupported, Limit, I/O errors; the sink's own
/// errors. The sink may have got entries before.
pub fn replay(
    folder: &Path,
    manifest: &Manifest,
    options: &FileOptions,
    sink: &mut Sink<'_>,
) -> Result<Replayed> {
    let first_needed = manifest.families.iter().map(|family| family.log_number);
    let first_needed = first_needed
        .min()
        .unwrap_or_default()
        .max(manifest.min_log_number_to_keep);
    let previous = manifest.previous_log_number;
    let is_needed = |number| number >= first_needed || previous != 0 && number == previous;
    let numbers = numbers(folder)?;
    check_tracked(folder, manifest, &numbers, first_needed)?;
    let mut replay = Replay {
        manifest,
        log_numbers: manifest
            .families
            .iter()
            .map(|family| (family.id, family.log_number))
            .collect(),
        transactions: Transactions::new(manifest.is_riak),
        next_sequence: None,
        stopped: None,
        unread: None,
        done: Replayed {
            logs: Vec::new(),
            entries: 0,
            notes: Vec::new(),
        },
        sink,
    };
    for number in numbers {
        let may_prepare = !manifest.is_leveldb && number >= manifest.min_log_number_to_keep;
        if is_needed(number) || may_prepare {
            let path = folder.join(name(number));
            let input = Input::open_plain(&path, options)?;
            replay.log(number, &input, is_needed(number))?;
            input.check_unchanged()?;
            if replay.done.logs.len() < OPEN_LOGS_MAX {
                replay.done.logs.push(input);
            }
        }
    }
    replay.finish(folder)
}

fn name(number: u64) -> String {
    format!("{number:06}.log")
}

/// The numbers of the logs in a folder, ascending.
fn numbers(folder: &Path) -> Result<Vec<u64>> {
    let failed = |e| Error::io("listing", folder, e);
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let stem = file.to_str().and_then(|file| file.strip_suffix(".log"));
        if let Some(number) = stem.and_then(|stem| current::number(stem.as_bytes()))
            && file.to_str() == Some(&name(number))
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Compares the logs with what the MANIFEST says of them, where RocksDB was told to keep track.
fn check_tracked(
    folder: &Path,
    manifest: &Manifest,
    numbers: &[u64],
    first_needed: u64,
) -> Result<()> {
    for (&number, &synced) in manifest.logs.range(first_needed..) {
        let path = folder.join(name(number));
        let what = if !numbers.contains(&number) {
            "the MANIFEST says that this log is there, and it is missing".to_owned()
        } else {
            let metadata =
                std::fs::metadata(&path).map_err(|e| Error::io("examining", &path, e))?;
            if metadata.len() >= synced {
                continue;
            }
            format!("the log ends here; the MANIFEST says that it has {synced} bytes at least")
        };
        let at = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let way_out = " (--no-wal leaves the logs out)";
        return Err(Error::damaged(path, at, format!("{what}{way_out}")));
    }
    Ok(())
}

struct Replay<'r, 's> {
    manifest: &'r Manifest,
    log_numbers: HashMap<u32, u64>,
    transactions: Transactions,
    /// The sequence number behind the last record.
    next_sequence: Option<u64>,
    /// The log that ended before its time, while nothing shows that the next one follows on; and whether it is torn.
    stopped: Option<(u64, bool)>,
    /// Why an old log, where only prepared sections could count, can't be read.
    unread: Option<Error>,
    done: Replayed,
    sink: &'r mut Sink<'s>,
}

impl Replay<'_, '_> {
    fn log(&mut self, number: u64, input: &Input, is_needed: bool) -> Result<()> {
        match self.read(number, input, is_needed) {
            Err(error) if !is_needed => {
                self.unread.get_or_insert(input.explain(error));
                Ok(())
            }
            result => result.map_err(|e| input.explain(e)),
        }
    }

    fn read(&mut self, number: u64, input: &Input, is_needed: bool) -> Result<()> {
        let mut reader = LogReader::new(input, Some(number));
        let mut is_first = true;
        while let Some((offset, record)) = reader.next_at()? {
            let Some(batch) = Batch::parse(record) else {
                return Err(damaged(
                    input,
                    offset,
                    Some(0),
                    "a record that is no write batch",
                ));
            };
            if std::mem::take(&mut is_first)
                && let Some((stopped, _)) = self.stopped
            {
                if Some(batch.sequence) != self.next_sequence {
                    self.done.notes.push(format!(
                        "{}: left out, since writes are missing between {} and it, as RocksDB does when it opens the database",
                        name(number),
                        name(stopped)
                    ));
                    return Ok(());
                }
                self.stopped = None;
            }
            self.batch(number, input, offset, &batch)?;
        }
        self.check_timestamps(input, reader.timestamp_sizes())?;
        if is_needed {
            self.end(number, reader.end());
        }
        Ok(())
    }

    fn batch(&mut self, number: u64, input: &Input, offset: u64, batch: &Batch<'_>) -> Result<()> {
        if let Some(next) = self.next_sequence
            && batch.sequence < next
        {
            let what = format!(
                "sequence number {} comes again, {next} should follow",
                batch.sequence
            );
            return Err(damaged(input, offset, Some(0), &what));
        }
        let missed = self.transactions.missed_commits();
        let (log_numbers, sink, entries) =
            (&self.log_numbers, &mut *self.sink, &mut self.done.entries);
        let previous = self.manifest.previous_log_number;
        let counts = |family: u32| {
            log_numbers
                .get(&family)
                .is_some_and(|&from| number >= from || number == previous)
        };
        let run = self
            .transactions
            .run(batch, input.limits(), &mut |family, entry| {
                if counts(family) {
                    *entries += 1;
                    sink(family, entry)?;
                }
                Ok(())
            });
        let next = run.map_err(|bad| match bad {
            Bad::Damaged(what) => damaged(input, offset, Some(0), &what),
            Bad::Unsupported(what) => Error::unsupported(
                input.path(),
                what,
                "let the database's own software replay the log, or leave it out with --no-wal",
            ),
            Bad::Limit { what, value, max } => ErrorKind::Limit {
                path: input.path().to_owned(),
                offset,
                what,
                value,
                max,
            }
            .into(),
            Bad::Sink(error) => error,
        })?;
        if self.transactions.missed_commits() > missed
            && let Some(error) = self.unread.take()
        {
            return Err(error);
        }
        self.next_sequence = Some(next);
        Ok(())
    }

    /// Refuses logs whose keys carry timestamps that the column family does not know, and would be cut by RocksDB.
    fn check_timestamps(&self, input: &Input, sizes: &[(u32, u16)]) -> Result<()> {
        for family in &self.manifest.families {
            let is_recorded = sizes
                .iter()
                .any(|&(id, bytes)| id == family.id && bytes > 0);
            if is_recorded && !family.comparator.ends_with(".u64ts") {
                return Err(Error::unsupported(
                    input.path(),
                    format!(
                        "keys of column family {} carry timestamps that its comparator does not know",
                        family.name
                    ),
                    "let the database's own software replay the log, or leave it out with --no-wal",
                ));
            }
        }
        Ok(())
    }

    fn end(&mut self, number: u64, end: LogEnd) {
        let is_leveldb = self.manifest.is_leveldb;
        match end {
            LogEnd::Clean => {}
            LogEnd::Stale { .. } => self.stopped = Some((number, false)),
            LogEnd::Torn { offset, what } => {
                let who = if is_leveldb { "LevelDB" } else { "RocksDB" };
                self.done.notes.push(format!(
                    "{}: the last record (at offset {offset}) is incomplete, {what}: left out, as {who} does when it opens the database",
                    name(number)
                ));
                if !is_leveldb {
                    self.stopped = Some((number, true));
                }
            }
        }
    }

    fn finish(mut self, folder: &Path) -> Result<Replayed> {
        if let Some((number, true)) = self.stopped {
            let newer = self
                .manifest
                .families
                .iter()
                .find(|family| family.log_number > number && !family.files.is_empty());
            if let Some(family) = newer {
                let path = folder.join(name(number));
                let at = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
                return Err(Error::damaged(
                    path,
                    at,
                    format!(
                        "the log is torn, and tables of column family {} hold newer writes: RocksDB refuses to open such a database (--no-wal leaves the logs out)",
                        family.name
                    ),
                ));
            }
        }
        let expiring = self.transactions.expiring();
        if expiring > 0 {
            self.done.notes.push(format!(
                "{expiring} writes in the logs carry a time at which they expire: they are taken as live"
            ));
        }
        let prepared = self.transactions.prepared();
        if prepared > 0 {
            self.done.notes.push(format!(
                "{prepared} transactions that were prepared and not committed are left out"
            ));
        }
        Ok(self.done)
    }
}

#[cfg(test)]
#[path = "wal_tests.rs"]
mod tests;
