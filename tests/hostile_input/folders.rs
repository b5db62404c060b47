//! Snapshots of Cassandra as files in memory, changed one component at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};

use crate::common::{Rows, testdata};

/// The files of a folder by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The components of a case of testdata, and its schema.
pub fn sstables(case: &str) -> Files {
    let folder = testdata("cassandra").join(case);
    let mut files = Files::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_component =
            name.ends_with(".db") || name.ends_with(".crc32") || name.ends_with("-TOC.txt");
        // Neither is read.
        let is_unread = name.ends_with("-Filter.db") || name.ends_with("-Summary.db");
        if (is_component && !is_unread) || name == "schema.cql" {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
    files
}

/// Only the SSTable of this name, and the schema.
pub fn one_sstable(case: &str, name: &str) -> Files {
    let mut files = sstables(case);
    files.retain(|file, _| file.starts_with(&format!("{name}-")) || file == "schema.cql");
    files
}

/// Writes a file anew: a file system may flush one that is cut to nothing and written again, which takes long.
fn replace(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

/// A folder on disk with files that are changed and put back.
pub struct Folder {
    dir: tempfile::TempDir,
    files: Files,
}

impl Folder {
    pub fn new(files: Files) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in &files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        Folder { dir, files }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Runs `check` while these files are other ones; `None` is a file that is not there.
    pub fn with<T>(
        &self,
        changes: &[(&str, Option<Vec<u8>>)],
        check: impl FnOnce(&Path) -> T,
    ) -> T {
        for (name, bytes) in changes {
            let path = self.dir.path().join(name);
            match bytes {
                Some(bytes) => replace(&path, bytes),
                None => drop(std::fs::remove_file(path)),
            }
        }
        let result = check(self.dir.path());
        for (name, _) in changes {
            let path = self.dir.path().join(name);
            match self.files.get(*name) {
                Some(bytes) => replace(&path, bytes),
                None => drop(std::fs::remove_file(path)),
            }
        }
        result
    }
}

/// An instant for all, so that two readings see the same.
pub fn options() -> SourceOptions {
    let mut options = SourceOptions::default();
    options.cassandra.now = Some(1_795_478_400);
    options
}

/// All rows of a snapshot's only table, its digests checked.
pub fn read_rows(folder: &Path, options: &SourceOptions) -> mdiff::Result<Rows> {
    let snapshot = source::open(folder, options)?;
    let mut rows = Rows::new();
    for table in snapshot.tables() {
        table.scan(&KeyRange::all())?.for_each(&mut |row| {
            rows.insert(row.key.to_vec(), row.value.to_vec());
            Ok(())
        })?;
        table.check_digests()?;
    }
    snapshot.check_unchanged()?;
    Ok(rows)
}

/// CRC-32, as zlib has it, written down once more.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(field.try_into().unwrap()) as usize)
}

/// Makes the checksums of a Statistics.db of version na and later right, as far as its table of components can be followed.
pub fn seal_statistics(bytes: &mut [u8]) {
    let Some(count) = u32_at(bytes, 0).filter(|count| *count < 100) else {
        return;
    };
    let pairs = 8..8 + 8 * count;
    if bytes.len() < pairs.end + 4 {
        return;
    }
    let put = |at: usize, sum: u32, bytes: &mut [u8]| {
        bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    };
    put(4, crc32(&bytes[..4]), bytes);
    let covered = [&bytes[..4], &bytes[pairs.clone()]].concat();
    put(pairs.end, crc32(&covered), bytes);
    let mut starts: Vec<usize> = (0..count)
        .filter_map(|n| u32_at(bytes, pairs.start + 8 * n + 4))
        .filter(|start| *start > pairs.end && *start < bytes.len())
        .collect();
    starts.push(bytes.len());
    starts.sort_unstable();
    starts.dedup();
    for pair in starts.windows(2) {
        if pair[1] - pair[0] >= 4 {
            put(pair[1] - 4, crc32(&bytes[pair[0]..pair[1] - 4]), bytes);
        }
    }
}

/// The CRC.db of plain data.
pub fn sums(data: &[u8]) -> Vec<u8> {
    const CHUNK: usize = 64 << 10;
    let mut out = (CHUNK as u32).to_be_bytes().to_vec();
    for chunk in data.chunks(CHUNK) {
        out.extend(crc32(chunk).to_be_bytes());
    }
    out
}

/// Makes the checksums of LZ4 chunks right; the offsets are those of the sound CompressionInfo.db.
pub fn seal_chunks(data: &mut [u8], info: &[u8]) {
    let starts = chunk_starts(info);
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(data.len());
        if end <= data.len() && *start + 4 <= end {
            let sum = crc32(&data[*start..end - 4]);
            data[end - 4..end].copy_from_slice(&sum.to_be_bytes());
        }
    }
}

/// Where chunks begin in Data.db; offsets are the last thing in CompressionInfo.db, behind their count.
fn chunk_starts(info: &[u8]) -> Vec<usize> {
    let count = (0..info.len() / 8)
        .find(|count| u32_at(info, info.len() - 8 * count - 4) == Some(*count) && *count > 0)
        .unwrap();
    let offsets = &info[info.len() - 8 * count..];
    offsets
        .chunks(8)
        .map(|offset| u32_at(offset, 4).unwrap())
        .collect()
}

/// The same SSTable without compression: LZ4 chunks unpacked, and CRC.db for them.
pub fn plain(files: &Files, name: &str) -> Files {
    let info = &files[&format!("{name}-CompressionInfo.db")];
    let data = &files[&format!("{name}-Data.db")];
    let starts = chunk_starts(info);
    let mut out = Vec::new();
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(data.len());
        let stored = &data[*start..end - 4];
        let len = u32::from_le_bytes(stored[..4].try_into().unwrap()) as usize;
        if len > 0 {
            out.extend(lz4_flex::block::decompress(&stored[4..], len).unwrap());
        }
    }
    let mut files = files.clone();
    files.retain(|file, _| {
        !["CompressionInfo.db", "Digest.crc32", "TOC.txt"]
            .iter()
            .any(|component| *file == format!("{name}-{component}"))
    });
    files.insert(format!("{name}-CRC.db"), sums(&out));
    files.insert(format!("{name}-Data.db"), out);
    files
}
