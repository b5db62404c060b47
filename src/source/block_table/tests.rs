//! The reader against tables of real RocksDB and LevelDB, damaged ones, and the writer's own.

mod damage;
mod entities;
mod fixtures;
mod legacy;
mod speed;
mod written;

use std::path::{Path, PathBuf};

use super::*;
use crate::error::Error;
use crate::file::input::FileOptions;
use crate::range::KeyRange;
use crate::row::Row;
use crate::source::{RowWriter, Table};

pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

pub fn open_at(path: &Path, mmap: bool) -> Result<BlockTable> {
    let options = SourceOptions {
        file: FileOptions {
            mmap,
            ..FileOptions::default()
        },
        ..SourceOptions::default()
    };
    BlockTable::open(Input::open(path, &options.file)?, &options)
}

/// Rows of a range, by `for_each`.
pub fn rows(table: &BlockTable, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    table.scan(range)?.for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    })?;
    Ok(rows)
}

/// Rows of a range, by `next`.
pub fn rows_one_by_one(table: &BlockTable, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    let mut stream = table.scan(range)?;
    while let Some(row) = stream.next()? {
        rows.push((row.key.to_vec(), row.value.to_vec()));
    }
    Ok(rows)
}

/// Rows of a range as far as they can be read, and the errors on the way.
pub fn rows_keep_going(table: &BlockTable, range: &KeyRange) -> (Rows, Vec<Error>) {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut stream = table.scan(range).unwrap();
    loop {
        let result = stream.for_each(&mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        });
        match result {
            Ok(()) => return (rows, errors),
            Err(error) => {
                let ends = error.unreadable_keys().is_none();
                errors.push(error);
                if ends {
                    return (rows, errors);
                }
            }
        }
        assert!(errors.len() < 10_000, "the stream does not get on");
    }
}

/// An output that a test can read back.
#[derive(Clone, Default)]
pub struct Memory(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn writer(compression: &str) -> (Box<dyn RowWriter>, Memory) {
    let memory = Memory::default();
    let options = SourceOptions {
        write_compression: compression.into(),
        ..SourceOptions::default()
    };
    let schema = crate::row::Schema::Bytes;
    let writer = create(Box::new(memory.clone()), &schema, &options).unwrap();
    (writer, memory)
}

/// A table of rows; `None` is a deletion.
pub fn write_table(rows: &[(Vec<u8>, Option<Vec<u8>>)], compression: &str) -> Vec<u8> {
    let (mut writer, memory) = writer(compression);
    for (key, value) in rows {
        match value {
            Some(value) => writer.put(Row { key, value }).unwrap(),
            None => writer.delete(key).unwrap(),
        }
    }
    writer.finish().unwrap();
    let bytes = memory.0.lock().unwrap();
    bytes.clone()
}

pub fn open_bytes(bytes: &[u8]) -> (tempfile::TempDir, Result<BlockTable>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sst");
    std::fs::write(&path, bytes).unwrap();
    let table = open_at(&path, true);
    (folder, table)
}

/// The fixtures of the project, where they lie beside it or where MDIFF_SHARED says.
pub fn shared_fixtures() -> Option<PathBuf> {
    let shared = match std::env::var_os("MDIFF_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    let fixtures = shared.join("fixtures");
    fixtures.is_dir().then_some(fixtures)
}

pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/block_table")
}

/// A sequence of numbers from a seed, for tests that must be repeatable.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}
