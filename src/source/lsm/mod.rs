//! Folders of RocksDB and LevelDB: a checkpoint, a backup, the data directory of a stopped node.

pub mod blob;
pub mod entity;
pub mod entry;
pub mod operator;
pub mod options_file;
pub mod pool;
