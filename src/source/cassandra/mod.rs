//! Snapshots of Cassandra and ScyllaDB tables: the SSTables of one table, of a keyspace or of a node.

pub mod model;
pub mod partitioner;
pub mod schema;
pub mod types;
