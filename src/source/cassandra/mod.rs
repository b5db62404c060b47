//! Snapshots of Cassandra and ScyllaDB tables: the SSTables of one table, of a keyspace or of a node.
//!
//! ```text
//! folders -> SSTables: partitions, rows, cells -> reconcile (all SSTables of a table) -> view -> rows
//! ```
//!
//! A row of the snapshot is one CQL row, a static row, a bound of a range deletion or the deletion of a partition; see
//! [`key`] and [`value`] for its bytes, [`view`] for what is kept.

pub mod cells; // which version of a cell counts
mod checksum; // CRC-32
mod chunks; // Data.db before compression
mod compression; // CompressionInfo.db
pub mod counter; // shards of a counter
pub mod covering; // deletions over a key
pub mod data; // one SSTable: its partitions
pub mod descriptor; // file names
mod folders; // where SSTables lie
pub mod header; // an SSTable's columns
mod index; // Index.db
pub mod key; // the key of a row
pub mod lane; // one SSTable among those that are merged
pub mod layout; // the columns of a table
mod manifest; // which SSTables there were
mod marks; // where reading can begin
pub mod meaning; // what a difference is
pub mod model; // what an SSTable holds
pub mod partitioner; // tokens
mod position; // of rows in a partition
pub mod reconcile; // SSTables into one stream
pub mod replicas; // the rows of replicas into one stream
mod resume; // past damage
mod row_merge; // versions of one row
mod rows; // how rows are encoded
pub mod schema; // CREATE TABLE
mod seek; // from keys to places
mod snapshot; // a folder
mod statistics; // Statistics.db
mod table; // one table
#[cfg(test)]
pub mod testing; // fixtures
pub mod tied; // cells of which versions take different writes
mod trie; // Partitions.db, Rows.db
pub mod types; // CQL types
pub mod value; // the value of a row
pub mod view; // what is kept
mod window; // a place in Data.db
mod wire; // integers

pub use snapshot::CassandraSnapshot;
pub use table::CassandraTable;

use std::path::Path;

use super::{Detected, Format, Reader, Snapshot, SourceOptions};
use crate::error::Result;

/// The line for [`FORMATS`](super::FORMATS).
pub const FORMAT: Format = Format {
    name: "cassandra",
    about: "a folder of Cassandra's or ScyllaDB's SSTables: what nodetool snapshot leaves, a node's data, a backup",
    extensions: &[],
    reader: Reader::Folder { detect, open },
    create: None,
};

fn detect(folder: &Path) -> Result<Detected> {
    Ok(match folders::is_snapshot(folder) {
        true => Detected::Yes,
        false => Detected::No,
    })
}

fn open(folder: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(CassandraSnapshot::open(folder, options)?))
}
