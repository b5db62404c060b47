//! The table files of a family: known by what the MANIFEST says of them, opened when they are needed, a bounded number at once.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pool::Pool;
use crate::error::{Error, ErrorKind, Result, UnreadableKeys};
use crate::file::input::{FileOptions, Input};
use crate::file::process::open_files_limit;
use crate::range::KeyRange;
use crate::source::SourceOptions;
use crate::source::block_table::key::{self, successor};
use crate::source::block_table::{KeyOrder, TableFile};

/// Most table files that are kept open; a few more are while threads use them.
const OPEN_MAX: usize = 256;

/// Table files to keep open: a quarter of what the process may have, for every thread that merges holds some of its own.
pub fn open_max() -> usize {
    (open_files_limit() / 4).clamp(4, OPEN_MAX)
}

/// What is known of a table file before it is opened.
#[derive(Debug, Clone)]
pub struct FileFacts {
    /// Where it lies.
    pub path: PathBuf,
    /// Its number: of two files at the same place of the order, the higher is the newer.
    pub number: u64,
    /// Its level; 0 where files may overlap.
    pub level: u32,
    /// Its length in bytes, where that is known.
    pub size: Option<u64>,
    /// No key in it, nor any that it deletes, lies outside; `None` where that is not known.
    pub keys: Option<KeyRange>,
    /// The lowest and the highest sequence number in it, where they are known.
    pub sequences: Option<(u64, u64)>,
}

/// Table files in one folder.
pub struct Files {
    facts: Vec<FileFacts>,
    stamps: Vec<Option<Stamp>>,
    pool: Pool<OpenFile>,
    order: KeyOrder,
    options: SourceOptions,
}

/// An open table file.
pub struct OpenFile {
    /// The file.
    pub file: Arc<TableFile>,
    /// The sequence number that every entry has, whatever is written in it: of ingested files.
    pub sequence: Option<u64>,
}

/// What tells whether a name still means the same unchanged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    fn at(path: &Path) -> io::Result<Stamp> {
        fs::metadata(path).map(|metadata| Stamp::of(&metadata))
    }
}

impl Files {
    /// Takes note of the files as they are now.
    pub fn new(facts: Vec<FileFacts>, order: KeyOrder, options: &SourceOptions) -> Files {
        Files {
            stamps: facts
                .iter()
                .map(|facts| Stamp::at(&facts.path).ok())
                .collect(),
            facts,
            pool: Pool::new(open_max()),
            order,
            options: options.clone(),
        }
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// What is known of a file.
    pub fn facts(&self, file: usize) -> Option<&FileFacts> {
        self.facts.get(file)
    }

    /// Whether a file can hold keys of `range`.
    pub fn may_hold(&self, file: usize, range: &KeyRange) -> bool {
        let keys = self.facts(file).and_then(|facts| facts.keys.as_ref());
        keys.is_none_or(|keys| keys.is_before_end(&range.from) && range.is_before_end(&keys.from))
    }

    /// Opens a file, unless it is open.
    ///
    /// # Errors
    ///
    /// Damaged, where it is missing or not as long as it is known to be, or its content is damaged: such an error hides all keys of
    /// the file. Changed where it was replaced since the snapshot was opened. Those of [`TableFile::open`].
    pub fn open(&self, file: usize) -> Result<Arc<OpenFile>> {
        let Some(facts) = self.facts(file) else {
            return Err(Error::usage("no such table file", ""));
        };
        self.pool
            .get(file as u64, || self.open_now(file, facts))
            .map_err(|error| match (error.kind(), &facts.keys) {
                (ErrorKind::Damaged { .. }, Some(keys)) => error.hiding(UnreadableKeys {
                    from: keys.from.clone(),
                    to: keys.to.clone(),
                }),
                _ => error,
            })
    }

    fn open_now(&self, file: usize, facts: &FileFacts) -> Result<OpenFile> {
        let path = &facts.path;
        let changed = |what: &str| -> Error {
            ErrorKind::Changed {
                path: path.clone(),
                what: what.into(),
            }
            .into()
        };
        let known = self.stamps.get(file).copied().flatten();
        let now = match (Stamp::at(path), known) {
            (Ok(now), _) => now,
            (Err(e), None) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Error::damaged(
                    path,
                    0,
                    "the file is missing, and the MANIFEST says that it holds rows",
                ));
            }
            (Err(e), Some(_)) if e.kind() == io::ErrorKind::NotFound => {
                return Err(changed("it was there, and is gone"));
            }
            (Err(e), _) => return Err(Error::io("opening", path, e)),
        };
        if known.is_some_and(|known| known != now) {
            return Err(changed("it is another file now, or was written to"));
        }
        if let Some(size) = facts.size
            && size != now.size
        {
            return Err(Error::damaged(
                path,
                now.size.min(size),
                format!("it has {} bytes, and {size} by the MANIFEST", now.size),
            ));
        }
        // A database writes its tables in small pieces, so their pages are many and costly to map one by one: reading many
        // blocks at once costs less.
        let reads = FileOptions {
            mmap: false,
            ..self.options.file.clone()
        };
        let input = Input::open_plain(path, &reads)?;
        let file = Arc::new(TableFile::open(input, self.order)?);
        Ok(OpenFile {
            sequence: global_sequence(&file, facts)?,
            file,
        })
    }

    /// Returns Changed if a file changed since the snapshot was opened. One that was removed meanwhile was read before.
    ///
    /// # Errors
    ///
    /// Changed.
    pub fn check_unchanged(&self) -> Result<()> {
        for (facts, known) in self.facts.iter().zip(&self.stamps) {
            let (Some(known), Ok(now)) = (known, Stamp::at(&facts.path)) else {
                continue;
            };
            let is_same_file = (known.device, known.inode) == (now.device, now.inode);
            if is_same_file && *known != now {
                return Err(ErrorKind::Changed {
                    path: facts.path.clone(),
                    what: "it was written to".into(),
                }
                .into());
            }
        }
        Ok(())
    }
}

/// The sequence number of all entries of an ingested file: from the MANIFEST, or, where RocksDB before 8.0 ingested it, from its
/// properties. RocksDB's rule: where both are there they agree.
fn global_sequence(file: &TableFile, facts: &FileFacts) -> Result<Option<u64>> {
    let Some(properties) = file.properties() else {
        return Ok(None);
    };
    let version = properties.fixed_u32("rocksdb.external_sst_file.version");
    let written = properties
        .fixed_u64("rocksdb.external_sst_file.global_seqno")
        .unwrap_or(0);
    if version.unwrap_or(0) < 2 {
        return Ok(None);
    }
    match facts.sequences {
        None => Ok(Some(written)),
        Some((_, known)) if written == 0 || written == known => Ok(Some(known)),
        Some((_, known)) => Err(Error::damaged(
            &facts.path,
            0,
            format!(
                "its sequence number is {written} by its properties and {known} by the MANIFEST"
            ),
        )),
    }
}

/// The keys from a smallest to a largest internal key, as the MANIFEST gives them; `None` where one of them has no trailer.
///
/// Where the largest is the end of a range deletion (its sequence number is the highest there is), that key is not in the file.
pub fn keys_between(smallest: &[u8], largest: &[u8], order: KeyOrder) -> Option<KeyRange> {
    const SEQUENCE_MAX: u64 = (1 << 56) - 1;
    let (first, _) = key::split(smallest)?;
    let (last, trailer) = key::split(largest)?;
    let is_end = key::kind(trailer) == key::RANGE_DELETE && key::sequence(trailer) == SEQUENCE_MAX;
    let (from, to) = match (order, is_end) {
        (KeyOrder::ReverseBytewise, true) => (successor(last), successor(first)),
        (KeyOrder::ReverseBytewise, false) => (last.to_vec(), successor(first)),
        (_, true) => (first.to_vec(), last.to_vec()),
        (_, false) => (first.to_vec(), successor(last)),
    };
    Some(KeyRange { from, to: Some(to) })
}
