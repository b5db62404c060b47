//! Snapshots of Cassandra and ScyllaDB tables: the SSTables of one table, of a keyspace or of a node.

mod checksum; // CRC-32
mod chunks; // Data.db before compression
mod compression; // CompressionInfo.db
pub mod data; // one SSTable: its partitions
pub mod descriptor; // file names
pub mod header; // its columns
pub mod index; // where partitions begin
pub mod model;
mod rows; // how rows are encoded
mod statistics; // Statistics.db
#[cfg(test)]
mod testing; // fixtures
mod trie; // Partitions.db
mod window; // a place in Data.db
mod wire; // integers
