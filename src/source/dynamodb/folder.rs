//! Where in a folder an export lies: the folder of the export itself, or that of its bucket or prefix; or loose data files.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{self, DataFile, Summary};
use super::{Content, content_of, kind_of_first};
use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::source::Detected;

/// How deep below a folder exports are looked for: a prefix of a few parts, `AWSDynamoDB` and the export's id.
const DEPTH_MAX: usize = 8;

/// Folders that are looked into.
const FOLDERS_MAX: usize = 10_000;

/// What was found in a folder.
pub struct Found {
    /// What the manifest says, where there is one.
    pub summary: Option<Summary>,
    /// The data files.
    pub files: Vec<DataFile>,
    /// Whether they hold items or changes.
    pub content: Content,
}

/// Whether a folder holds an export.
pub fn detect(folder: &Path) -> Result<Detected> {
    if !exports_below(folder).is_empty() {
        return Ok(Detected::Yes);
    }
    for path in loose_files(folder) {
        if is_ion_name(&path) {
            return Ok(Detected::Yes);
        }
        let input = Input::open(&path, &FileOptions::default())?;
        if kind_of_first(&input)?.is_some() {
            return Ok(Detected::Yes);
        }
        // An empty partition is an empty file.
        if !input.is_empty() {
            break;
        }
    }
    Ok(Detected::No)
}

/// Finds the one export in a folder.
///
/// # Errors
///
/// Usage where there are several; Unsupported for Ion; those of the manifests.
pub fn find(folder: &Path, options: &FileOptions) -> Result<Found> {
    match exports_below(folder).as_slice() {
        [] => loose(folder, options),
        [export] => {
            let (summary, files) = manifest::read(export, options)?;
            let content = match &summary.kind {
                manifest::Kind::Full { .. } => Content::Items,
                manifest::Kind::Incremental { .. } => Content::Changes,
            };
            Ok(Found {
                summary: Some(summary),
                files,
                content,
            })
        }
        several => {
            let list: Vec<String> = several.iter().map(|p| p.display().to_string()).collect();
            Err(Error::usage(
                format!(
                    "{} holds {} exports, and a snapshot is one",
                    folder.display(),
                    several.len()
                ),
                format!("name one of them: {}", list.join(", ")),
            ))
        }
    }
}

/// The folders with a manifest, at or below `folder`; ascending.
fn exports_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut level = vec![folder.to_owned()];
    let mut seen = 0;
    for _ in 0..DEPTH_MAX {
        let mut next = Vec::new();
        for folder in level {
            seen += 1;
            if seen > FOLDERS_MAX {
                return found;
            }
            if folder.join(manifest::SUMMARY).is_file() {
                found.push(folder);
                continue;
            }
            // A folder that can't be read has no export that can.
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let folders = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
            next.extend(folders.map(|entry| entry.path()));
        }
        level = next;
    }
    found.sort();
    found
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    endings.iter().any(|ending| name.ends_with(ending))
}

fn is_ion_name(path: &Path) -> bool {
    has_ending(path, &[".ion", ".ion.gz"])
}

/// Files in the folder, or in its folder `data`, whose names are those of data files; ascending.
fn loose_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("data")] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        files.extend(paths.filter(|path| {
            has_ending(path, &[".json", ".json.gz", ".ion", ".ion.gz"])
                && !has_ending(path, &["manifest-files.json"])
                && path.is_file()
        }));
    }
    files.sort();
    files
}

fn loose(folder: &Path, options: &FileOptions) -> Result<Found> {
    let files = loose_files(folder);
    if let Some(ion) = files.iter().find(|path| is_ion_name(path)) {
        return Err(manifest::is_ion(ion));
    }
    let files: Vec<DataFile> = files
        .into_iter()
        .map(|path| DataFile { path, claim: None })
        .collect();
    if files.is_empty() {
        return Err(Error::unsupported(
            folder,
            "no export of DynamoDB lies here",
            "it has a folder AWSDynamoDB with manifest-summary.json in it; or name a folder of its .json.gz files",
        ));
    }
    let content = content_of(&files, options)?;
    Ok(Found {
        summary: None,
        files,
        content,
    })
}
