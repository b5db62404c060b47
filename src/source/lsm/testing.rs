//! What the tests of this room share: a naive writer of logs, and the real folders.

use std::path::{Path, PathBuf};

use crate::file::input::{FileOptions, Input};

/// CRC-32C, a bit at a time, masked.
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// One physical record.
pub fn physical(kind: u8, log_number: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let mut covered = vec![kind];
    covered.extend(log_number.map(u32::to_le_bytes).into_iter().flatten());
    covered.extend(payload);
    let mut out = checksum(&covered).to_le_bytes().to_vec();
    out.extend((payload.len() as u16).to_le_bytes());
    out.extend(covered);
    out
}

/// Writes logical records as LevelDB does, or with a log number as RocksDB does in logs that may be recycled.
pub fn log(log_number: Option<u32>, records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    append(&mut out, log_number, records);
    out
}

/// Writes on behind what is there.
pub fn append(out: &mut Vec<u8>, log_number: Option<u32>, records: &[Vec<u8>]) {
    let header = if log_number.is_some() { 11 } else { 7 };
    let add = if log_number.is_some() { 4 } else { 0 };
    for record in records {
        let mut rest = record.as_slice();
        let mut is_first = true;
        loop {
            let left = 32768 - out.len() % 32768;
            if left < header {
                out.extend(vec![0; left]);
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(left - header));
            let kind = match (is_first, later.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            out.extend(physical(kind + add, log_number, now));
            rest = later;
            is_first = false;
            if rest.is_empty() {
                break;
            }
        }
    }
}

/// Opens bytes as a file; it is gone when the folder is dropped.
pub fn input(bytes: &[u8], mmap: bool) -> (tempfile::TempDir, Input) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("000007.log");
    std::fs::write(&path, bytes).unwrap();
    let options = FileOptions {
        mmap,
        ..FileOptions::default()
    };
    let input = Input::open_plain(&path, &options).unwrap();
    (folder, input)
}

/// A write batch.
pub fn batch(sequence: u64, count: u32, records: &[&[u8]]) -> Vec<u8> {
    let mut out = sequence.to_le_bytes().to_vec();
    out.extend(count.to_le_bytes());
    out.extend(records.concat());
    out
}

/// Fields with a length in front of each, behind a tag and, where it is of a family, its id; all below 128.
pub fn tagged(tag: u8, family: Option<u8>, fields: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend(family);
    for field in fields {
        out.push(u8::try_from(field.len()).unwrap());
        out.extend(*field);
    }
    out
}

/// Folders with a CURRENT: those of testdata, and of the shared fixtures where they are.
pub fn databases() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        if folder.join("CURRENT").is_file() {
            found.push(folder.to_owned());
        } else if let Ok(entries) = std::fs::read_dir(folder) {
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, found);
                }
            }
        }
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    visit(&here.join("testdata/lsm-logs"), &mut found);
    let shared = match std::env::var_os("MDIFF_SHARED") {
        Some(shared) => PathBuf::from(shared),
        None => here.join("../shared"),
    };
    let fixtures = shared.join("fixtures");
    match fixtures.is_dir() {
        true => {
            println!("with all fixtures of {}", fixtures.display());
            visit(&fixtures.join("rocksdb"), &mut found);
            visit(&fixtures.join("leveldb"), &mut found);
        }
        false => println!("with testdata/lsm-logs only"),
    }
    found.sort();
    assert!(found.len() >= 3);
    found
}

/// Logs and MANIFESTs of those folders, with their numbers where they are logs.
pub fn real_logs() -> Vec<(PathBuf, Option<u64>)> {
    let mut found = Vec::new();
    for folder in databases() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if let Some(stem) = name.strip_suffix(".log") {
                found.push((path, Some(stem.parse().unwrap())));
            } else if name.starts_with("MANIFEST-") {
                found.push((path, None));
            }
        }
    }
    found.sort();
    found
}
