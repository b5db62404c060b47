//! Folders of RocksDB and LevelDB: a checkpoint, a backup, the data directory of a stopped node.

pub mod entry;
