//! Folders of RocksDB and LevelDB: a checkpoint, a backup, the data directory of a stopped node; and loose sets of their tables.
//!
//! ```text
//! CURRENT -> MANIFEST: column families, live tables, which logs count
//! tables (levels), logs -> runs of versions -> merge -> rows
//! ```
//!
//! Each column family is a table. The newest version of a key counts, wherever it lies; point and range deletions hide what is older, across
//! tables, levels and logs. Values in blob files are fetched, wide-column entities become named columns, operands of known
//! merge operators are resolved. Nothing is written into the folder, and no lock is taken.

pub mod blob;
mod cursor;
mod database;
pub mod entity;
pub mod entry;
mod family;
mod files;
mod merge;
pub mod operator;
pub mod options_file;
pub mod pool;
mod sorted;

use std::path::Path;

use super::{Detected, Format, Reader, Snapshot, SourceOptions};
use crate::error::Result;

/// The line for [`FORMATS`](super::FORMATS).
pub const FORMAT: Format = Format {
    name: "database",
    about: "a folder of RocksDB or LevelDB: a checkpoint, a backup, a stopped node's data",
    extensions: &[],
    reader: Reader::Folder { detect, open },
    create: None,
};

fn detect(folder: &Path) -> Result<Detected> {
    let has = |name: &str| folder.join(name).exists();
    // A folder that lost its CURRENT is still to be called a database.
    let has_manifest = || {
        std::fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with("MANIFEST-"))
        })
    };
    Ok(match has("CURRENT") || has_manifest() {
        true => Detected::Yes,
        false => Detected::No,
    })
}

fn open(folder: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(database::Database::open(folder, options)?))
}
