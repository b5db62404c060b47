//! Folders of RocksDB and LevelDB: a checkpoint, a backup, the data directory of a stopped node.

pub mod batch; // what a log's record holds
pub mod current; // which MANIFEST counts
pub mod edit; // a MANIFEST's record
pub mod entry; // one version of a key
pub mod frame; // one physical record of a log
pub mod log; // the records of a log or a MANIFEST
pub mod log_end; // torn or damaged
pub mod manifest; // which files and families live
pub mod wal; // the writes that are in no table yet

#[cfg(test)]
mod testing; // what the tests share
