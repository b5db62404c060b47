//! Folders of RocksDB and LevelDB: a checkpoint, a backup, the data directory of a stopped node.

pub mod entry;

use std::path::Path;

use super::{Detected, Format, Reader, Snapshot, SourceOptions};
use crate::error::{Error, Result};

/// The line for [`FORMATS`](super::FORMATS).
pub const FORMAT: Format = Format {
    name: "database",
    about: "a folder of RocksDB or LevelDB",
    extensions: &[],
    reader: Reader::Folder { detect, open },
    create: None,
};

fn detect(folder: &Path) -> Result<Detected> {
    Ok(match folder.join("CURRENT").exists() {
        true => Detected::Yes,
        false => Detected::No,
    })
}

fn open(folder: &Path, _: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Err(Error::unsupported(folder, "not yet", ""))
}
