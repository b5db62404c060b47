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

pub mod batch; // what a log's record holds
pub mod blob; // values outside of the tables
pub mod current; // which MANIFEST counts
mod cursor; // a walk over one run
mod database; // the folder as a snapshot
pub mod edit; // a MANIFEST's record
pub mod entity; // values of several columns
pub mod entry; // one version of a key
mod family; // a column family as a table
mod files; // table files, opened when needed
pub mod frame; // one physical record of a log
mod lanes; // the runs of a merge
pub mod log; // the records of a log or a MANIFEST
pub mod log_end; // torn or damaged
mod loose; // tables without a MANIFEST
pub mod manifest; // which files and families live
mod merge; // runs into rows
pub mod operator; // merge operators
pub mod options_file; // what OPTIONS says of them
pub mod pool; // a bounded number of open files
mod sorted; // entries that lie in no order
pub mod wal; // the writes that are in no table yet

#[cfg(test)]
mod testing; // what the tests share

pub use loose::LooseTables;

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
