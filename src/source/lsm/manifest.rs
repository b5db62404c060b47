//! The MANIFEST: which files and column families live, and from which logs on unflushed writes count.
//!
//! CURRENT names it. It is a log ([`super::log`]) of version edits ([`super::edit`]); each changes one column family, and
//! the state after the last is what the database is. Family 0, "default", is always there. Edits of an atomic group count
//! only when all of the group are there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::row::escape;

use super::current;
use super::edit::{Bad, Edit, NewFile};
use super::log::{LogEnd, LogReader};

/// The state of a database, apart from what lies in tables and logs.
pub struct Manifest {
    /// The MANIFEST that counts.
    pub path: PathBuf,
    /// The column families, ascending by id; dropped ones are gone.
    pub families: Vec<Family>,
    /// A log that counts beside those that the families name; 0 is none (LevelDB).
    pub previous_log_number: u64,
    /// Logs below are not needed, for prepared transactions either; 0 where nothing is said.
    pub min_log_number_to_keep: u64,
    /// Highest sequence number when the last edit was written.
    pub last_sequence: u64,
    /// The number that the next file would have got.
    pub next_file_number: u64,
    /// Whether nothing tells that RocksDB wrote it.
    pub is_leveldb: bool,
    /// Whether Riak's LevelDB wrote it: its tables lie in folders of their own, `sst_0` and so on.
    pub is_riak: bool,
    /// Logs that must be there: number, and length in bytes that was surely written.
    pub logs: BTreeMap<u64, u64>,
    /// What was left out, in words for a user.
    pub notes: Vec<String>,
    /// CURRENT and the MANIFEST.
    pub inputs: Vec<Input>,
}

/// A column family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id, as tables and logs name it.
    pub id: u32,
    /// Its name; one that is no UTF-8 is escaped.
    pub name: String,
    /// The name of its comparator; empty where no edit gives one.
    pub comparator: String,
    /// Its records in logs of lower numbers are in tables.
    pub log_number: u64,
    /// Its tables, ascending by number.
    pub files: Vec<LiveFile>,
    /// Numbers of the blob files that were added for it, ascending; some may be gone since.
    pub blob_files: Vec<u64>,
}

/// A table file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFile {
    /// Number, of which its name is made.
    pub number: u64,
    /// Level.
    pub level: u32,
    /// Length in bytes.
    pub size: u64,
    /// Smallest internal key.
    pub smallest: Vec<u8>,
    /// Largest internal key.
    pub largest: Vec<u8>,
    /// Smallest and largest sequence number; LevelDB does not tell.
    pub sequences: Option<(u64, u64)>,
    /// Which of the database's folders holds it; 0 is the first.
    pub path_id: u32,
}

impl Manifest {
    /// Reads CURRENT and the MANIFEST of a folder.
    ///
    /// # Errors
    ///
    /// Damaged, also where the edits contradict each other; Unsupported where one can't be honoured; I/O errors.
    pub fn read(folder: &Path, options: &FileOptions) -> Result<Manifest> {
        let (current, path) = current::read(folder, options)?;
        let input = Input::open_plain(&path, options)?;
        let is_riak = folder.join("sst_0").is_dir();
        let mut replay = Replay::new(&input, is_riak);
        let (notes, end) = replay.run().map_err(|e| input.explain(e))?;
        let mut manifest = replay.finish(end).map_err(|e| input.explain(e))?;
        manifest.notes = notes;
        // A database that was just made by an old RocksDB has no edit that LevelDB could not have written.
        manifest.is_leveldb &= !folder.join("IDENTITY").exists();
        manifest.inputs = vec![current, input];
        manifest.path = path;
        Ok(manifest)
    }

    /// Returns Changed where CURRENT or the MANIFEST changed since they were opened.
    ///
    /// # Errors
    ///
    /// As of [`Input::check_unchanged`].
    pub fn check_unchanged(&self) -> Result<()> {
        self.inputs.iter().try_for_each(Input::check_unchanged)
    }
}

#[derive(Default)]
struct FamilyState {
    name: Vec<u8>,
    comparator: Vec<u8>,
    log_number: u64,
    files: HashMap<u64, LiveFile>,
    blob_files: Vec<u64>,
}

struct Replay<'i> {
    input: &'i Input,
    families: BTreeMap<u32, FamilyState>,
    previous_log_number: u64,
    min_log_number_to_keep: u64,
    log_number: Option<u64>,
    last_sequence: Option<u64>,
    next_file_number: Option<u64>,
    is_rocksdb: bool,
    is_riak: bool,
    logs: BTreeMap<u64, Option<u64>>,
    logs_gone_below: u64,
    /// An atomic group that is not whole yet: offsets and records.
    group: Vec<(u64, Vec<u8>)>,
}

impl<'i> Replay<'i> {
    fn new(input: &'i Input, is_riak: bool) -> Replay<'i> {
        let default = FamilyState {
            name: b"default".to_vec(),
            ..FamilyState::default()
        };
        Replay {
            input,
            families: BTreeMap::from([(0, default)]),
            previous_log_number: 0,
            min_log_number_to_keep: 0,
            log_number: None,
            last_sequence: None,
            next_file_number: None,
            is_rocksdb: false,
            is_riak,
            logs: BTreeMap::new(),
            logs_gone_below: 0,
            group: Vec::new(),
        }
    }

    /// Applies all edits. Returns notes, and the offset of the last edit.
    fn run(&mut self) -> Result<(Vec<String>, u64)> {
        let mut reader = LogReader::new(self.input, None);
        let mut offset = 0;
        // How many edits the unfinished group shall have.
        let mut group_len = 0u64;
        while let Some((at, record)) = reader.next_at()? {
            offset = at;
            let edit = self.parse(record, offset)?;
            self.is_rocksdb |= edit.is_rocksdb;
            let Some(rest) = edit.group_rest else {
                if !self.group.is_empty() {
                    return self.damaged(offset, "an edit amid an atomic group");
                }
                self.apply(&edit, offset)?;
                continue;
            };
            if self.group.is_empty() {
                group_len = u64::from(rest) + 1;
            }
            self.group.push((offset, record.to_vec()));
            if self.group.len() as u64 + u64::from(rest) != group_len {
                return self.damaged(offset, "an atomic group whose edits do not count down");
            }
            if rest == 0 {
                for (offset, record) in std::mem::take(&mut self.group) {
                    let edit = self.parse(&record, offset)?;
                    self.apply(&edit, offset)?;
                }
            }
        }
        let name = self.input.path().file_name().unwrap_or_default().display();
        let as_who = match self.is_rocksdb {
            true => "as RocksDB does when it opens the database",
            false => "as the database does when it is opened",
        };
        let mut notes = Vec::new();
        if let LogEnd::Torn { offset, what } = reader.end() {
            notes.push(format!(
                "{name}: the last record (at offset {offset}) is incomplete, {what}: left out, {as_who}"
            ));
        }
        if let Some((offset, _)) = self.group.first() {
            notes.push(format!(
                "{name}: the last group of edits (at offset {offset}) is incomplete: left out, {as_who}"
            ));
        }
        Ok((notes, offset))
    }

    fn parse<'r>(&self, record: &'r [u8], offset: u64) -> Result<Edit<'r>> {
        Edit::parse(record, self.is_riak).map_err(|bad| match bad {
            Bad::Damaged(what) => Error::damaged(
                self.input.path(),
                offset,
                format!("a version edit that can't be read: {what}"),
            ),
            Bad::Unsupported(what) => Error::unsupported(
                self.input.path(),
                what,
                "open the database with its own software and export it from there",
            ),
        })
    }

    fn damaged<T>(&self, offset: u64, what: impl Into<String>) -> Result<T> {
        Err(Error::damaged(self.input.path(), offset, what))
    }

    fn apply(&mut self, edit: &Edit<'_>, offset: u64) -> Result<()> {
        let id = edit.family;
        if let Some(name) = edit.family_added {
            let family = FamilyState {
                name: name.to_vec(),
                ..FamilyState::default()
            };
            if self.families.insert(id, family).is_some() {
                return self.damaged(offset, format!("column family {id} is added twice"));
            }
        }
        if edit.family_dropped {
            if self.families.remove(&id).is_none() {
                return self.damaged(offset, format!("unknown column family {id} is dropped"));
            }
        } else {
            match self.families.get_mut(&id) {
                None => {
                    return self.damaged(offset, format!("an edit of unknown column family {id}"));
                }
                Some(family) => {
                    if let Err(what) = family.apply(edit) {
                        return self.damaged(offset, what);
                    }
                }
            }
            self.log_number = self.log_number.max(edit.log_number);
        }
        self.previous_log_number = edit.previous_log_number.unwrap_or(self.previous_log_number);
        self.next_file_number = edit.next_file_number.or(self.next_file_number);
        self.last_sequence = edit.last_sequence.or(self.last_sequence);
        let keep = edit.min_log_number_to_keep.unwrap_or_default();
        self.min_log_number_to_keep = self.min_log_number_to_keep.max(keep);
        for &(number, synced) in &edit.logs {
            let known = self.logs.entry(number).or_default();
            *known = (*known).max(synced);
        }
        self.logs_gone_below = edit
            .logs_gone_below
            .unwrap_or_default()
            .max(self.logs_gone_below);
        Ok(())
    }

    fn finish(&mut self, end: u64) -> Result<Manifest> {
        let (Some(_), Some(next_file_number), Some(last_sequence)) =
            (self.log_number, self.next_file_number, self.last_sequence)
        else {
            return self.damaged(
                end,
                "no edit gives log number, next file number and last sequence number",
            );
        };
        let families = std::mem::take(&mut self.families);
        let gone_below = self.logs_gone_below;
        let logs = std::mem::take(&mut self.logs).into_iter();
        Ok(Manifest {
            path: PathBuf::new(),
            families: families
                .into_iter()
                .map(|(id, family)| family.finish(id))
                .collect(),
            previous_log_number: self.previous_log_number,
            min_log_number_to_keep: self.min_log_number_to_keep,
            last_sequence,
            next_file_number,
            is_leveldb: !self.is_rocksdb,
            is_riak: self.is_riak,
            // A log that was never synced need not be in the folder after a crash.
            logs: logs
                .filter(|&(number, _)| number >= gone_below)
                .filter_map(|(number, synced)| Some((number, synced?)))
                .collect(),
            notes: Vec::new(),
            inputs: Vec::new(),
        })
    }
}

impl FamilyState {
    fn apply(&mut self, edit: &Edit<'_>) -> Result<(), String> {
        if let Some(comparator) = edit.comparator {
            self.comparator = comparator.to_vec();
        }
        self.log_number = self.log_number.max(edit.log_number.unwrap_or_default());
        // A file that moves to another level is deleted and added by one edit.
        for &(level, number) in &edit.deleted {
            match self.files.remove(&number) {
                Some(file) if file.level == level => {}
                _ => {
                    return Err(format!(
                        "file {number} is deleted from level {level}, where it is not"
                    ));
                }
            }
        }
        for file in &edit.added {
            if self.files.insert(file.number, file.to_live()).is_some() {
                return Err(format!("file {} is added twice", file.number));
            }
        }
        self.blob_files.extend(&edit.blob_files);
        Ok(())
    }

    fn finish(self, id: u32) -> Family {
        let mut files: Vec<LiveFile> = self.files.into_values().collect();
        files.sort_unstable_by_key(|file| file.number);
        let mut blob_files = self.blob_files;
        blob_files.sort_unstable();
        Family {
            id,
            name: shown(self.name),
            comparator: shown(self.comparator),
            log_number: self.log_number,
            files,
            blob_files,
        }
    }
}

impl NewFile<'_> {
    fn to_live(self) -> LiveFile {
        LiveFile {
            number: self.number,
            level: self.level,
            size: self.size,
            smallest: self.smallest.to_vec(),
            largest: self.largest.to_vec(),
            sequences: self.sequences,
            path_id: self.path_id,
        }
    }
}

fn shown(name: Vec<u8>) -> String {
    String::from_utf8(name).unwrap_or_else(|e| escape(e.as_bytes()).to_string())
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
