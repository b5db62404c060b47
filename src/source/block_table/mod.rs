//! `.sst`: block-based tables of RocksDB and LevelDB, one file each.
//!
//! Read are tables of every RocksDB that writes the format versions 0 to 6 (all there were up to 9.8), written by its
//! SstFileWriter or found in a database, and `.ldb` and `.sst` tables of LevelDB.
//!
//! ```text
//! data block ... data block  [filter] [index partitions] index [dictionary] [range deletions] [properties] metaindex footer
//! ```
//!
//! Each block is followed by a byte for its compression and a checksum (`footer.rs` shows the end of the file, the other
//! files of this folder one part each). Data blocks hold internal keys, ascending by user key and then from the
//! newest version to the oldest: only the newest counts, a deletion or a younger range deletion hides it.
//!
//! A wide-column entity becomes a value with columns of its own (`crate::row::wide`).
//!
//! Refused, by name: merge operands, blob references, values with a preferred write time and
//! deletions with timestamps, where they are the newest version of their key; comparators other than
//! `leveldb.BytewiseComparator`; user-defined timestamps; PlainTable, CuckooTable and Pebble tables; format version 7 and later.

mod block;
mod blocks;
pub mod checksum;
mod entries;
mod every;
mod footer;
mod index;
pub mod key;
mod meta;
mod properties;
mod range_del;
mod stream;
mod table;
mod versions;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use every::visit_all;
pub use footer::is_table;
pub use meta::{BYTEWISE, KeyOrder, REVERSE_BYTEWISE};
pub use range_del::{Fragment, RangeDeletions, fragment};
pub use table::{BlockTable, TableFile};
pub use versions::Versions;
pub use write::create;

use super::{Detected, Format, Reader, Snapshot, SourceOptions};
use crate::error::Result;
use crate::file::input::Input;

/// The line for [`FORMATS`](super::FORMATS).
pub const FORMAT: Format = Format {
    name: "sst",
    about: "a table file of RocksDB or LevelDB (.sst, .ldb)",
    extensions: &["sst", "ldb"],
    reader: Reader::File { detect, open },
    create: Some(create),
};

fn detect(input: &Input) -> Result<Detected> {
    // A file that was cut short lost its magic: then its name must say what it was.
    Ok(match footer::is_table(input)? {
        true => Detected::Yes,
        false => Detected::Maybe,
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(BlockTable::open(input, options)?))
}
