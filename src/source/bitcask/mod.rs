//! Bitcask, the default store of Riak: folders of append-only files, read as the log of writes that they are.
//!
//! ```text
//! N.bitcask.data   entries, one behind the other; the files of greater N were written later   `data`, [`entry`]
//! N.bitcask.hint   keys and places of a closed data file                                      [`hint`]
//! bitcask.*.lock   who writes and merges: not looked at, a crash leaves them behind
//! ```
//!
//! **Rows.** Of each key the last write counts, by file number and offset; timestamps do not decide. A tombstone (a value that
//! starts with `bitcask_tombstone`) removes the key: what was written before it (version 0); what was written in files before the
//! one it names (version 1); or in that file and older ones (version 2), so that one that a merge has moved
//! behind a newer write leaves that alone. That a merge's copy and its original are both there after a crash changes nothing. Files that
//! wait to be removed (with the setuid bit) are left out, as Bitcask leaves them out. Values may expire by a setting (`expiry_secs`) that is
//! not in the files: such values are rows here until a merge has removed them.
//!
//! **Order.** Bitcask has none: rows are sorted when they are first asked for, in the memory of `--sort-memory` and temporary files.
//!
//! **What is checked.** The CRC of every entry, and that a file is as long as its hint says. `data` says which bad
//! entries are damage and which are what a crash leaves: the latter are left out with a warning. As nothing is sorted, it can't be told
//! which keys an unreadable place hides, so `--keep-going` does not go on behind one.
//!
//! **Two formats.** Where all keys have the form of Riak's, the format is `riak`, with columns for keys and objects ([`riak`]). Otherwise
//! it is `bitcask`, with opaque keys and values, which `--format bitcask` asks for in any case.
//!
//! **A snapshot is** one store's folder (the table `default`) or a node's folder of partitions (Riak's `data/bitcask`), in which each
//! folder with a number for its name is a table of that name. Each partition is a table because each is a replica of its own: a
//! node holds several, and a ring of other size or a node that took over for another has a key in two. To compare nodes that hold
//! the same keys in partitions of other numbers, name the partitions as shards of one tree: `mdiff build node1/* -o node1.mtree`;
//! a key that is in two of them is an error then.
//!
//! The folder of a running node may be read, but what is written meanwhile is noticed as a change: a copy is safer.

use std::path::Path;

use crate::error::Result;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod data;
mod entry;
mod folder;
mod hint;
pub mod riak;
mod snapshot;
mod store;

use snapshot::BitcaskSnapshot;

/// Folders of Bitcask, and Riak's where the format is not named. The line for [`FORMATS`](super::FORMATS).
pub const FORMAT: Format = Format {
    name: "bitcask",
    about: "a folder of Bitcask, with keys and values as they are",
    extensions: &[],
    reader: Reader::Folder {
        detect: |folder| {
            Ok(match folder::layout(folder) {
                Some(_) => Detected::Yes,
                None => Detected::No,
            })
        },
        open,
    },
    create: None,
};

/// Riak's folders by name; without it [`FORMAT`] finds them. The line for [`FORMATS`](super::FORMATS).
pub const RIAK: Format = Format {
    name: "riak",
    about: "Riak's data in Bitcask: one partition's folder, or a node's folder of partitions",
    extensions: &[],
    reader: Reader::Folder {
        detect: |_| Ok(Detected::No),
        open,
    },
    create: None,
};

fn open(folder: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(BitcaskSnapshot::open(folder, options)?))
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
