//! One column family: a table whose rows are merged out of table files and logs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::blob::BlobFiles;
use super::cursor::{Cursor, FilesCursor};
use super::entry::Entry;
use super::files::{Files, open_max};
use super::merge::{Merge, Rules};
use super::options_file::MergeOption;
use super::sorted::{EntrySorter, SortedEntries};
use crate::error::{ErrorKind, Result};
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};
use crate::source::block_table::{
    Fragment, KeyOrder, RangeDeletions, Versions, fragment, key, visit_all,
};
use crate::source::union::choose_cuts;
use crate::source::{Estimate, SourceOptions, Table};

/// Cuts that each file is asked for, for every piece of the whole.
const CUTS_A_PIECE: u64 = 4;

/// What a family is made of.
pub struct Parts {
    /// Its name.
    pub name: String,
    /// Its number in `logs`.
    pub id: u32,
    /// Where it lies, for messages.
    pub path: PathBuf,
    /// Its table files.
    pub files: Files,
    /// The order of its keys.
    pub order: KeyOrder,
    /// Unflushed entries of all families.
    pub logs: Option<Arc<SortedEntries>>,
    /// Its deleted stretches in the logs.
    pub log_deletions: Vec<Fragment>,
    /// Its merge operator, where the options file names one.
    pub operator: Option<MergeOption>,
    /// The folder's blob files.
    pub blobs: Option<Arc<BlobFiles>>,
    /// Whether sequence numbers are those of one database; else the files are a loose set.
    pub is_database: bool,
    /// How to read.
    pub options: SourceOptions,
}

/// A column family.
pub struct Family {
    parts: Parts,
    survey: OnceLock<Survey>,
    surveying: Mutex<()>,
}

/// What a look into all files of a family gave.
struct Survey {
    deletions: Vec<Fragment>,
    /// Files that follow one another, the newest run first.
    runs: Vec<Vec<usize>>,
    /// The entries of files that are in no run.
    sorted: Option<SortedEntries>,
    operator: Option<MergeOption>,
    estimate: Estimate,
}

impl Family {
    /// A family of these parts; its files are not opened before they are needed.
    pub fn new(parts: Parts) -> Family {
        Family {
            parts,
            survey: OnceLock::new(),
            surveying: Mutex::new(()),
        }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    fn survey(&self) -> Result<&Survey> {
        if let Some(survey) = self.survey.get() {
            return Ok(survey);
        }
        let _only_one = self
            .surveying
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(survey) = self.survey.get() {
            return Ok(survey);
        }
        let survey = self.parts.survey()?;
        Ok(self.survey.get_or_init(|| survey))
    }
}

impl Parts {
    /// Opens every file once.
    fn survey(&self) -> Result<Survey> {
        let mut deletions = self.log_deletions.clone();
        let mut operator = self.operator.clone();
        let mut estimate = Estimate::default();
        for number in 0..self.files.len() {
            let open = match self.files.open(number) {
                Ok(open) => open,
                // A scan will say so in its place.
                Err(error) if matches!(error.kind(), ErrorKind::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            estimate = estimate.plus(open.file.estimate());
            let facts = self.files.facts(number);
            let keys = facts
                .and_then(|f| f.keys.as_ref())
                .filter(|_| self.is_database);
            deletions.extend(
                open.file
                    .range_deletions()
                    .iter()
                    .filter_map(|deletion| clip(deletion, keys, open.sequence)),
            );
            if operator.is_none() {
                let name = open
                    .file
                    .properties()
                    .and_then(|p| p.text("rocksdb.merge.operator"));
                operator = name
                    .filter(|name| !name.is_empty() && name != "nullptr")
                    .map(|name| MergeOption {
                        name,
                        delimiter: None,
                    });
            }
        }
        if let Some(logs) = &self.logs {
            // They were read when the folder was opened: a scan reads no file for them.
            estimate = estimate.plus(Estimate {
                file_bytes: 0,
                ..logs.estimate()
            });
        }
        let (runs, excess) = match self.order {
            KeyOrder::ReverseBytewise => (Vec::new(), (0..self.files.len()).collect()),
            _ => self.runs(),
        };
        Ok(Survey {
            deletions: fragment(&deletions),
            runs,
            sorted: self.sort(&excess)?,
            operator,
            estimate,
        })
    }

    /// Joins files into runs, the newest first; and the files of the smallest runs, where there are too many.
    fn runs(&self) -> (Vec<Vec<usize>>, Vec<usize>) {
        let facts = |file: usize| self.files.facts(file);
        let size = |file: usize| facts(file).and_then(|f| f.size).unwrap_or(0);
        let levels: BTreeSet<u32> = (0..self.files.len())
            .filter_map(|file| Some(facts(file)?.level))
            .collect();
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for level in levels {
            let of_level =
                (0..self.files.len()).filter(|&file| facts(file).is_some_and(|f| f.level == level));
            runs.extend(self.join(of_level.collect()));
        }
        // The entries of the smallest runs are sorted into one where not all can be open at once.
        let runs_max = open_max() / 2;
        let mut excess = Vec::new();
        if runs.len() > runs_max {
            let mut by_size: Vec<usize> = (0..runs.len()).collect();
            by_size.sort_by_key(|&run| -> u64 {
                runs.get(run)
                    .map_or(0, |files| files.iter().map(|&f| size(f)).sum())
            });
            by_size.truncate(runs.len() - runs_max);
            let small: BTreeSet<usize> = by_size.into_iter().collect();
            let mut number = 0;
            runs.retain_mut(|files| {
                let is_small = small.contains(&number);
                if is_small {
                    excess.append(files);
                }
                number += 1;
                !is_small
            });
        }
        (runs, excess)
    }

    /// Joins files of one level into runs in which no two overlap: one where none do.
    fn join(&self, mut files: Vec<usize>) -> Vec<Vec<usize>> {
        let facts = |file: usize| self.files.facts(file);
        files.sort_by_key(|&file| {
            facts(file).map(|f| (f.keys.as_ref().map(|keys| &keys.from), f.number))
        });
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for file in files {
            let follows = |run: &&mut Vec<usize>| {
                let last = run
                    .last()
                    .and_then(|&last| facts(last)?.keys.as_ref()?.to.as_ref());
                let from = facts(file).and_then(|f| Some(&f.keys.as_ref()?.from));
                matches!((last, from), (Some(last), Some(from)) if last <= from)
            };
            match runs.iter_mut().rev().find(follows) {
                Some(run) => run.push(file),
                None => runs.push(vec![file]),
            }
        }
        // Of equal sequence numbers the newer file's counts.
        runs.sort_by_key(|run| {
            std::cmp::Reverse(run.iter().filter_map(|&f| Some(facts(f)?.number)).max())
        });
        runs
    }

    /// Sorts the entries of files.
    fn sort(&self, files: &[usize]) -> Result<Option<SortedEntries>> {
        let mut sorter = EntrySorter::new(&self.path, &self.options);
        for &number in files {
            let open = self.files.open(number)?;
            let mut push = |user_key: &[u8], trailer: u64, value: &[u8]| {
                let entry = Entry {
                    key: user_key,
                    sequence: open.sequence.unwrap_or(key::sequence(trailer)),
                    kind: key::kind(trailer),
                    value,
                };
                sorter.push(0, entry)
            };
            if self.order == KeyOrder::ReverseBytewise {
                visit_all(&open.file, &mut push)?;
            } else {
                let mut versions = Versions::new(&open.file, &KeyRange::all())?;
                while versions.advance()? {
                    push(versions.user_key(), versions.trailer(), versions.value())?;
                }
            }
            open.file.input().check_unchanged()?;
        }
        sorter.finish()
    }
}

/// A deletion as far as it counts: inside of the keys of its file, for what was written since lies elsewhere.
fn clip(deletion: &Fragment, keys: Option<&KeyRange>, sequence: Option<u64>) -> Option<Fragment> {
    let mut clipped = Fragment {
        sequence: sequence.unwrap_or(deletion.sequence),
        ..deletion.clone()
    };
    if let Some(keys) = keys {
        clipped.start = clipped.start.max(keys.from.clone());
        if let Some(to) = &keys.to {
            clipped.end = clipped.end.min(to.clone());
        }
    }
    (clipped.start < clipped.end).then_some(clipped)
}

impl Table for Family {
    fn name(&self) -> &str {
        &self.parts.name
    }

    fn schema(&self) -> &Schema {
        &Schema::Bytes
    }

    fn estimate(&self) -> Estimate {
        // What is wrong with the files a scan will say.
        self.survey()
            .map_or_else(|_| Estimate::default(), |survey| survey.estimate)
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let survey = self.survey()?;
        let files = &self.parts.files;
        let inside: Vec<(usize, u64)> = survey
            .runs
            .iter()
            .flatten()
            .filter(|&&file| files.may_hold(file, range))
            .map(|&file| {
                (
                    file,
                    files.facts(file).and_then(|f| f.size).unwrap_or(1).max(1),
                )
            })
            .collect();
        let total: u64 = inside.iter().map(|(_, size)| size).sum();
        let mut cuts: Vec<(Vec<u8>, u64)> = Vec::new();
        for (file, size) in inside {
            let wanted = u128::from((pieces as u64).saturating_mul(CUTS_A_PIECE));
            let count = (wanted * u128::from(size) / u128::from(total.max(1))) as usize;
            let end = files.facts(file).and_then(|f| f.keys.as_ref()?.to.clone());
            let keys = match (count, end) {
                (0 | 1, Some(end)) => vec![end],
                _ => match files.open(file) {
                    Ok(open) => open.file.split(range, count.max(2))?,
                    // A scan will say so.
                    Err(_) => continue,
                },
            };
            let weight = size / (keys.len() as u64 + 1).max(1);
            cuts.extend(keys.into_iter().map(|key| (key, weight)));
        }
        let sorted = [
            (survey.sorted.as_ref(), 0),
            (self.parts.logs.as_deref(), self.parts.id),
        ];
        let mut total = total;
        for (sorted, table) in sorted {
            let Some(sorted) = sorted else { continue };
            let keys = sorted.split(table, range, pieces);
            let bytes = sorted.estimate().bytes;
            total = total.saturating_add(bytes);
            let weight = bytes / (keys.len() as u64 + 1);
            cuts.extend(keys.into_iter().map(|key| (key, weight)));
        }
        cuts.retain(|(key, _)| *key > range.from && range.is_before_end(key));
        Ok(choose_cuts(cuts, total, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        let survey = self.survey()?;
        let files = &self.parts.files;
        let mut cursors = Vec::new();
        if let Some(logs) = &self.parts.logs {
            cursors.push(Cursor::Sorted(logs.cursor(self.parts.id, range)));
        }
        if let Some(sorted) = &survey.sorted {
            cursors.push(Cursor::Sorted(sorted.cursor(0, range)));
        }
        for run in &survey.runs {
            let from = run.partition_point(|&file| {
                let end = files.facts(file).and_then(|f| f.keys.as_ref()?.to.as_ref());
                end.is_some_and(|end| *end <= range.from)
            });
            let run = run.get(from..).unwrap_or_default();
            if run.first().is_some_and(|&file| files.may_hold(file, range)) {
                cursors.push(Cursor::Files(FilesCursor::new(files, run, range)));
            }
        }
        let rules = Rules {
            path: &self.parts.path,
            deletions: RangeDeletions::new(&survey.deletions),
            operator: survey.operator.as_ref(),
            blobs: self.parts.blobs.as_deref(),
            is_database: self.parts.is_database,
        };
        Ok(Box::new(Merge::new(cursors, rules)))
    }
}
