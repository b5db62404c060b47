//! Writes folders of Bitcask for tests.

use std::collections::BTreeMap;
use std::path::Path;

use super::entry::crc32;
use crate::error::Result;
use crate::range::KeyRange;
use crate::source::{Snapshot, SourceOptions};

/// An entry.
pub fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(1_700_000_000u32.to_be_bytes());
    body.extend((key.len() as u16).to_be_bytes());
    body.extend((value.len() as u32).to_be_bytes());
    body.extend(key);
    body.extend(value);
    [crc32(&body).to_be_bytes().as_slice(), &body].concat()
}

/// The hint of a data file of these entries, finished.
pub fn hint(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut at) = (Vec::new(), 0u64);
    for (key, value) in entries {
        let len = 14 + key.len() + value.len();
        bytes.extend(1_700_000_000u32.to_be_bytes());
        bytes.extend((key.len() as u16).to_be_bytes());
        bytes.extend((len as u32).to_be_bytes());
        let tombstone = u64::from(value.starts_with(b"bitcask_tombstone")) << 63;
        bytes.extend((tombstone | at).to_be_bytes());
        bytes.extend(key);
        at += len as u64;
    }
    let crc = crc32(&bytes);
    bytes.extend([0; 6]);
    bytes.extend(crc.to_be_bytes());
    bytes.extend(((1u64 << 63) - 1).to_be_bytes());
    bytes
}

/// Writes a data file of a folder.
pub fn write(folder: &Path, number: u64, bytes: &[u8]) {
    std::fs::write(folder.join(format!("{number}.bitcask.data")), bytes).unwrap();
}

/// Writes the hint of a data file.
pub fn write_hint(folder: &Path, number: u64, bytes: &[u8]) {
    std::fs::write(folder.join(format!("{number}.bitcask.hint")), bytes).unwrap();
}

/// Opens a folder in this format; in the one that is found where the name is empty.
pub fn open(folder: &Path, format: &str) -> Result<Box<dyn Snapshot>> {
    let options = SourceOptions {
        format: (!format.is_empty()).then(|| format.to_owned()),
        sort_memory_bytes: 4000,
        ..SourceOptions::default()
    };
    crate::source::open(folder, &options)
}

/// All rows of the only table.
pub fn rows(snapshot: &dyn Snapshot) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let tables = snapshot.tables();
    assert_eq!(tables.len(), 1);
    let mut rows = BTreeMap::new();
    tables[0].scan(&KeyRange::all())?.for_each(&mut |row| {
        rows.insert(row.key.to_vec(), row.value.to_vec());
        Ok(())
    })?;
    Ok(rows)
}
