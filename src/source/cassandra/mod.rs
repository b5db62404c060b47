//! Snapshots of Cassandra and ScyllaDB tables: the SSTables of one table, of a keyspace or of a node.
//!
//! ```text
//! folders -> SSTables: partitions, rows, cells -> reconcile (all SSTables of a table) -> view -> rows
//! ```
//!
//! A row of the snapshot is one CQL row, a static row, a bound of a range deletion or the deletion of a partition; see
//! [`key`] and [`value`] for its bytes, [`view`] for what is kept.

pub mod model;
pub mod partitioner;
pub mod schema;
pub mod types;
