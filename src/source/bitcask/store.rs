//! One store: the data files of a folder as a log of writes.
//!
//! The place of an entry is its offset in all the files one behind the other, so the later write of a key has the greater one. A tombstone
//! stands at its own place, unless it is about a file only: a merge moves tombstones into newer files, behind writes that
//! they do not mean. Then it stands at that file's end (version 2), or before its start (version 1).

use std::path::{Path, PathBuf};

use super::data::{DataFile, Reader, Stop};
use super::entry::Write;
use super::folder;
use super::riak::{self, clock::Clocks};
use crate::error::{Error, Result};
use crate::file::input::FileOptions;
use crate::row::Row;
use crate::source::chosen::Chosen;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;
use crate::source::{Estimate, Judge};

/// The data files of one folder.
pub struct Store {
    /// Their folder.
    pub folder: PathBuf,
    files: Vec<DataFile>,
    /// Files that a merge made superfluous.
    pub removed: usize,
    options: FileOptions,
    /// Whether every key has the form of Riak's; also where there is none.
    pub has_riak_keys: bool,
    /// Whether there is any key.
    pub has_keys: bool,
    /// How Riak's objects are shown; `None` where rows are opaque.
    pub objects: Option<Objects>,
}

/// How Riak's objects are shown.
pub struct Objects {
    /// Their columns.
    pub chosen: Chosen,
    /// Judges them by their clocks, where these are among the columns.
    pub clocks: Option<Clocks>,
}

impl Store {
    /// Finds the files of a folder and where each ends.
    ///
    /// # Errors
    ///
    /// Damaged; Limit; Unsupported; Changed; I/O errors.
    pub fn open(folder: &Path, options: &FileOptions, notes: &mut Vec<String>) -> Result<Store> {
        let (listed, removed) = folder::list(folder)?;
        let (mut has_riak_keys, mut has_keys) = (true, false);
        let mut files = Vec::new();
        for listed in listed {
            let mut visit = |key: &[u8]| {
                has_keys = true;
                has_riak_keys = has_riak_keys && riak::key::parse(key).is_some();
            };
            files.push(DataFile::find_end(listed, options, notes, &mut visit)?);
        }
        Ok(Store {
            folder: folder.to_owned(),
            files,
            removed,
            options: options.clone(),
            has_riak_keys,
            has_keys,
            objects: None,
        })
    }

    /// Its data files.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Returns Changed if a file is not what it was.
    ///
    /// # Errors
    ///
    /// Changed.
    pub fn check_unchanged(&self) -> Result<()> {
        self.files
            .iter()
            .try_for_each(|file| file.listed.check_unchanged())
    }

    /// The last place of all files whose number `is_hit`; these come first. Places start at 1, so that one is before all.
    fn last_place(&self, is_hit: impl Fn(u64) -> bool) -> u64 {
        let hit = self.files.iter().filter(|file| is_hit(file.listed.number));
        hit.map(|file| file.listed.len).sum()
    }

    fn push(&self, sorter: &mut Sorter<'_>, entry: Entry<'_>, rows: &mut RowBuffers) -> Result<()> {
        let Entry {
            path,
            offset,
            place,
            key,
            value,
        } = entry;
        let key = match &self.objects {
            None => key,
            Some(_) => {
                let parts = riak::key::parse(key).ok_or_else(|| {
                    Error::unsupported(
                        path,
                        format!("the key {} is not of Riak's form", crate::row::escape(key)),
                        "say --format bitcask to see all keys as they are",
                    )
                })?;
                rows.key.clear();
                parts.push(&mut rows.key);
                rows.key.as_slice()
            }
        };
        let value = match Write::of(value) {
            Write::Put(value) => value,
            Write::Delete => return sorter.push_deletion(key, place),
            Write::DeleteBefore(file) => {
                let meant = self.last_place(|number| number < file.into());
                return sorter.push_deletion(key, place.min(meant));
            }
            Write::DeleteIn(file) => {
                let meant = self.last_place(|number| number <= file.into());
                return sorter.push_deletion(key, place.min(meant));
            }
        };
        let value = match &self.objects {
            None => value,
            Some(objects) => {
                rows.value.clear();
                riak::push_value(&mut rows.value, value, &objects.chosen).map_err(|wrong| {
                    let key = objects.chosen.schema().show_key(key);
                    wrong.error(path, offset, &key)
                })?;
                rows.value.as_slice()
            }
        };
        sorter.push(Row { key, value }, place)
    }
}

/// An entry and where it is.
struct Entry<'e> {
    path: &'e Path,
    offset: u64,
    place: u64,
    key: &'e [u8],
    value: &'e [u8],
}

/// Kept from row to row.
#[derive(Default)]
struct RowBuffers {
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Store {
    /// Pushes the entries of a file; before it there are so many bytes of others.
    fn push_file(&self, file: &DataFile, before: u64, sorter: &mut Sorter<'_>) -> Result<()> {
        let mut rows = RowBuffers::default();
        let input = file.open(&self.options)?;
        let mut reader = Reader::new(&input, file.end);
        loop {
            let (entry, offset) = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(Stop::Failed(error)) => return Err(input.explain(error)),
                Err(Stop::Bad(offset, what)) => {
                    let what = format!("{what}, and it is not the end of what a crash tore");
                    return Err(input.explain(Error::damaged(input.path(), offset, what)));
                }
            };
            let entry = Entry {
                path: input.path(),
                offset,
                place: 1 + before + offset,
                key: entry.key,
                value: entry.value,
            };
            self.push(sorter, entry, &mut rows)?;
        }
        input.check_unchanged()
    }
}

impl Unsorted for Store {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        let mut before = 0;
        let mut files = Vec::new();
        for file in &self.files {
            files.push((file, before));
            before += file.listed.len;
        }
        sorter.push_parts(&files, |(file, before), sorter| {
            self.push_file(file, *before, sorter)
        })
    }

    fn show_place(&self, place: u64) -> String {
        format!("offset {place} of all files together")
    }

    fn estimate(&self) -> Estimate {
        let sum = |of: fn(&DataFile) -> u64| self.files.iter().map(of).sum();
        let bytes = sum(|file| file.end);
        Estimate {
            rows: sum(|file| file.entries),
            bytes,
            file_bytes: bytes,
        }
    }

    fn twice(&self) -> Twice {
        Twice::LaterWins
    }

    fn judge(&self) -> Option<&dyn Judge> {
        let clocks = self.objects.as_ref()?.clocks.as_ref()?;
        Some(clocks)
    }
}
