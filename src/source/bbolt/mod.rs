//! bbolt files: etcd's snapshots and databases as their user sees them, and those of other programs bucket by bucket.
//!
//! bbolt (before: Bolt) is a B+tree in one file, copy on write. etcd keeps its store in it, and so do Consul, InfluxDB, containerd and
//! many programs in Go. Two members of a cluster that hold the same keys have different files: pages lie as writes and
//! defragmentation came. Nothing is written and no lock is taken.
//!
//! **Two formats.** `etcd` is what a file with etcd's buckets is taken for: its rows are the keys that clients see ([`etcd`]). `bbolt`
//! is any such file (with `--format bbolt` also etcd's): each bucket is a table of raw bytes; a nested bucket is a table whose name is
//! its path. A bucket's sequence counter is told by `info`, and is not compared.
//!
//! ```text
//! page 0, page 1     meta: page size, root, transaction, checksum                 [`meta`]
//! page n             branch, leaf or freelist, with overflow in the pages behind  [`page`]
//! ...                pages that nothing points to hold stale data, and are not read
//! end of a snapshot  SHA-256 of all before, 32 bytes, by `etcdctl snapshot save`
//! ```
//!
//! **What is checked.** The SHA-256 where there is one, when the file is opened: a wrong one is damage. The checksum of the meta pages:
//! where one is wrong, the other counts, as for bbolt itself, with a warning. All other pages have no checksum: number, flags, counts,
//! bounds, order of keys, and that each page's keys lie where its branch says, so that a page of another place or time is mostly noticed;
//! but a flipped bit within a key or a value is not, nor a branch that points to a page below the one that it should, unless the SHA-256
//! tells.
//!
//! **A snapshot is** a file of `etcdctl snapshot save`, a member's `snap/db`, or the folder that holds it (a data folder, its `member`,
//! or that's `snap`). The file of a running server may be read while it is written: what changed meanwhile is noticed by the file's
//! times, but a snapshot is safe. Writes that are not committed yet (100 ms or 10,000 of them) are only in etcd's write-ahead log,
//! which is not read.
//!
//! **Not read:** files of big-endian machines, versions of bbolt other than 2: refused by name. The freelist is not looked at.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::file::input::Input;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod buckets;
mod cursor;
pub mod etcd;
mod file;
mod meta;
mod page;
mod plain;
mod seen;

use etcd::EtcdSnapshot;
use file::BoltFile;
use plain::BoltSnapshot;

/// Any bbolt file, and etcd's where the format is not named. The line for [`FORMATS`](super::FORMATS).
pub const BBOLT: Format = Format {
    name: "bbolt",
    about: "any file of bbolt, the Go key/value store, one table a bucket",
    extensions: &[],
    reader: Reader::File {
        detect: |input| {
            Ok(match meta::is_bbolt(input)? {
                true => Detected::Yes,
                false => Detected::No,
            })
        },
        open,
    },
    create: None,
};

/// etcd's files by name; without it [`BBOLT`] finds them. The line for [`FORMATS`](super::FORMATS).
pub const ETCD: Format = Format {
    name: "etcd",
    about: "etcd: a file of etcdctl snapshot save, or a member's db: its keys at the head or at --rev",
    extensions: &[],
    reader: Reader::File {
        detect: |_| Ok(Detected::No),
        open,
    },
    create: None,
};

/// The folders that hold etcd's files. The line for [`FORMATS`](super::FORMATS).
pub const ETCD_FOLDER: Format = Format {
    reader: Reader::Folder {
        detect: |folder| {
            Ok(match database_in(folder) {
                Some(_) => Detected::Yes,
                None => Detected::No,
            })
        },
        open: |folder, options| {
            let path = database_in(folder).unwrap_or_else(|| folder.join("member/snap/db"));
            open(Input::open(&path, &options.file)?, options)
        },
    },
    ..ETCD
};

/// Opens a file as what it is, or as the format that is named.
fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let file = BoltFile::open(input)?;
    let is_named = |format: &Format| options.format.as_deref() == Some(format.name);
    if !is_named(&BBOLT) && (is_named(&ETCD) || etcd::has_buckets(&file)?) {
        return Ok(Box::new(EtcdSnapshot::open(file, options)?));
    }
    Ok(Box::new(BoltSnapshot::open(file)?))
}

/// The database of a member in its data folder, or one of the folders in it.
fn database_in(folder: &Path) -> Option<PathBuf> {
    let mut paths = ["member/snap/db", "snap/db"]
        .map(|name| folder.join(name))
        .into_iter();
    if let Some(path) = paths.find(|path| path.is_file()) {
        return Some(path);
    }
    // A file of such a short name alone says little.
    let path = folder.join("db");
    let is_snap = folder.file_name().is_some_and(|name| name == "snap");
    (is_snap && path.is_file()).then_some(path)
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
