//! Which folders are Bitcask's, and which files in them count.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

const DATA: &str = ".bitcask.data";
/// Bitcask sets this bit on a file that a merge has made superfluous, and removes it later.
const SETUID: u32 = 0o4000;

/// Where the stores of a snapshot lie.
pub enum Layout {
    /// The folder is one store.
    One,
    /// A node of Riak: a store for each partition, in a folder with its number, ascending by name.
    Partitions(Vec<(String, PathBuf)>),
}

/// A data file, as the folder shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its place.
    pub path: PathBuf,
    /// The number in its name: files of greater numbers were written later.
    pub number: u64,
    /// Its bytes.
    pub len: u64,
    modified: (i64, i64),
}

/// Says what the folder is; `None` where it has nothing to do with Bitcask.
pub fn layout(folder: &Path) -> Option<Layout> {
    if has_data(folder) {
        return Some(Layout::One);
    }
    let mut partitions: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            (is_number && entry.path().is_dir()).then(|| (name, entry.path()))
        })
        .collect();
    partitions.sort();
    let is_of_riak = partitions.iter().any(|(_, path)| has_data(path));
    is_of_riak.then_some(Layout::Partitions(partitions))
}

fn has_data(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| number_of(&entry.path()).is_some())
    })
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(DATA)?;
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| name.parse().ok())?
}

/// The data files of a store in the order in which they were written, and how many others wait to be removed.
///
/// # Errors
///
/// I/O errors; Unsupported where two names have one number.
pub fn list(folder: &Path) -> Result<(Vec<Listed>, usize)> {
    let failed = |e| Error::io("reading", folder, e);
    let mut files = Vec::new();
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(number) = number_of(&path) else {
            continue;
        };
        let metadata = fs::metadata(&path).map_err(|e| Error::io("examining", &path, e))?;
        if metadata.mode() & SETUID != 0 {
            removed += 1;
            continue;
        }
        files.push(Listed {
            number,
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            path,
        });
    }
    files.sort_by(|a, b| (a.number, &a.path).cmp(&(b.number, &b.path)));
    let twice = files.windows(2).find_map(|pair| match pair {
        [a, b] if a.number == b.number => Some(b),
        _ => None,
    });
    match twice {
        Some(file) => Err(Error::unsupported(
            &file.path,
            format!("there is another data file of the number {}", file.number),
            "which of them was written later can't be told; take one away",
        )),
        None => Ok((files, removed)),
    }
}

impl Listed {
    /// Returns Changed if the file is not what it was when it was listed.
    ///
    /// # Errors
    ///
    /// Changed.
    pub fn check_unchanged(&self) -> Result<()> {
        let what = match fs::metadata(&self.path) {
            Err(error) => format!("it can't be examined any more: {error}"),
            Ok(now) if now.len() != self.len => {
                format!("it had {} bytes and has {} now", self.len, now.len())
            }
            Ok(now) if (now.mtime(), now.mtime_nsec()) != self.modified => {
                "it was written to".into()
            }
            Ok(_) => return Ok(()),
        };
        Err(ErrorKind::Changed {
            path: self.path.clone(),
            what,
        }
        .into())
    }

    /// The path of its hint file.
    pub fn hint(&self) -> PathBuf {
        self.path.with_extension("hint")
    }
}
