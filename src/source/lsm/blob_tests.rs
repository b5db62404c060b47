//! Blob files of real RocksDB, against the rows of their database; and what damage does to them.

use super::*;
use std::collections::HashMap;

const OPEN_MAX: usize = 2;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lsm/blob")
}

/// The fixture folder with all blob files, where it is there.
fn shared() -> Option<PathBuf> {
    let shared = match std::env::var_os("MDIFF_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    let folder = shared.join("fixtures/rocksdb/db-fv6-blob");
    folder.is_dir().then_some(folder)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// The rows that RocksDB reads.
fn expected(folder: &Path) -> HashMap<Vec<u8>, Vec<u8>> {
    let text = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            (
                unhex(row["k"].as_str().unwrap()),
                unhex(row["v"].as_str().unwrap()),
            )
        })
        .collect()
}

/// Every record of a blob file, by its lengths alone: its key and the reference to it.
fn records(path: &Path) -> Vec<(Vec<u8>, BlobReference)> {
    let bytes = std::fs::read(path).unwrap();
    let number = path.file_stem().unwrap().to_str().unwrap();
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut found = Vec::new();
    let mut at = 30;
    while at < bytes.len() - 32 {
        let (key_len, value_len) = (u64_at(at) as usize, u64_at(at + 8) as usize);
        let value_at = at + 32 + key_len;
        let reference = BlobReference {
            file_number: number.parse().unwrap(),
            offset: value_at as u64,
            size: value_len as u64,
            compression: bytes[13],
        };
        found.push((bytes[at + 32..value_at].to_vec(), reference));
        at = value_at + value_len;
    }
    found
}

fn blobs_in(folder: &Path) -> Vec<PathBuf> {
    let mut blobs: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "blob"))
        .collect();
    blobs.sort();
    blobs
}

fn fetch(files: &BlobFiles, reference: &BlobReference, key: &[u8]) -> Result<Vec<u8>> {
    let mut out = b"old".to_vec();
    files.fetch(reference, key, &mut BlobScratch::default(), &mut out)?;
    Ok(out)
}

#[test]
fn values_are_those_that_rocksdb_reads() {
    let mut folders = vec![(testdata(), testdata())];
    match shared() {
        Some(folder) => {
            println!("with {}", folder.display());
            folders.push((folder.join("db"), folder));
        }
        None => println!("with testdata/lsm/blob only"),
    }
    for (db, folder) in folders {
        let expected = expected(&folder);
        for mmap in [true, false] {
            let options = FileOptions {
                mmap,
                ..FileOptions::default()
            };
            let files = BlobFiles::new(&db, &options, OPEN_MAX);
            let mut newest = HashMap::new();
            for (key, reference) in blobs_in(&db).iter().flat_map(|path| records(path)) {
                let value = fetch(&files, &reference, &key).unwrap();
                newest.insert(key, value);
            }
            // A later log may hold a newer version of the row, or its deletion.
            let found = newest
                .iter()
                .filter(|(key, value)| expected.get(*key) == Some(*value))
                .count();
            println!("{found} of {} keys in blobs are rows", newest.len());
            assert!(found > 50 && found * 100 >= newest.len() * 60);
            if folder == testdata() {
                assert_eq!(found, expected.len());
            }
        }
    }
}

#[test]
fn references_are_read() {
    // File 10, offset 300, 16,384 bytes, LZ4.
    assert_eq!(
        BlobReference::read(b"\x01\x0a\xac\x02\x80\x80\x01\x04"),
        Ok(BlobReference {
            file_number: 10,
            offset: 300,
            size: 16_384,
            compression: 4
        })
    );
    for (value, bad) in [
        (&b"\x00\x0a\x01v"[..], BadReference::Expiring),
        (b"\x02\x01\x01\x01\x01\x01", BadReference::Expiring),
        (b"\x03\x01\x01\x01\x01", BadReference::Malformed),
        (b"", BadReference::Malformed),
        (b"\x01\x0a\x01\x01", BadReference::Malformed),
        (b"\x01\x0a\x01\x01\x00\x00", BadReference::Malformed),
    ] {
        assert_eq!(BlobReference::read(value), Err(bad), "{value:?}");
    }
    let error = BadReference::Expiring.at(Path::new("000009.sst"), 0, b"key\0");
    assert!(
        error
            .to_string()
            .contains("key\\x00 holds a value with an expiry")
    );
}

#[test]
fn a_missing_file_is_named() {
    let files = BlobFiles::new(&testdata(), &FileOptions::default(), OPEN_MAX);
    let reference = BlobReference {
        file_number: 7,
        offset: 100,
        size: 1,
        compression: 0,
    };
    let error = fetch(&files, &reference, b"k").unwrap_err();
    assert!(error.to_string().contains("000007.blob"), "{error}");
    assert_eq!(error.exit_code(), 3);
}

/// The first record of the test file, and that file's bytes.
fn first_record() -> (Vec<u8>, BlobReference, Vec<u8>) {
    let path = blobs_in(&testdata()).remove(0);
    let (key, reference) = records(&path).remove(0);
    (key, reference, std::fs::read(path).unwrap())
}

fn fetch_from(bytes: &[u8], reference: &BlobReference, key: &[u8]) -> Result<Vec<u8>> {
    fetch_with(bytes, reference, key, &FileOptions::default())
}

fn fetch_with(
    bytes: &[u8],
    reference: &BlobReference,
    key: &[u8],
    options: &FileOptions,
) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let files = BlobFiles::new(folder.path(), options, OPEN_MAX);
    std::fs::write(files.path(reference.file_number), bytes).unwrap();
    fetch(&files, reference, key)
}

#[test]
fn no_flipped_bit_gives_another_value() {
    let (key, reference, mut bytes) = first_record();
    let value = fetch_from(&bytes, &reference, &key).unwrap();
    let end = (reference.offset + reference.size) as usize;
    let footer = bytes.len() - 32;
    let (mut refused, mut right) = (0, 0);
    for at in (0..end).chain(footer..bytes.len()) {
        bytes[at] ^= 1 << (at % 8);
        match fetch_from(&bytes, &reference, &key) {
            Ok(found) => {
                // Only the column family, unused flags and the footer's magic tell nothing of a value.
                assert!(found == value && (at < 13 || at >= footer), "byte {at}");
                right += 1;
            }
            Err(error) => {
                assert_eq!(error.exit_code(), 3);
                refused += 1;
            }
        }
        bytes[at] ^= 1 << (at % 8);
    }
    assert!(
        right <= 5 + 4,
        "{right} of {} flips unseen",
        refused + right
    );
}

#[test]
fn a_reference_must_fit_its_record() {
    let (key, reference, bytes) = first_record();
    assert!(fetch_from(&bytes, &reference, &key).is_ok());
    let other = |change: &dyn Fn(&mut BlobReference)| {
        let mut changed = reference;
        change(&mut changed);
        changed
    };
    for reference in [
        other(&|reference| reference.offset += 1),
        other(&|reference| reference.offset = 40),
        other(&|reference| reference.offset = u64::MAX),
        other(&|reference| reference.size -= 1),
        other(&|reference| reference.size = u64::MAX),
        other(&|reference| reference.size = bytes.len() as u64 - reference.offset),
        other(&|reference| reference.compression = 7),
    ] {
        let error = fetch_from(&bytes, &reference, &key).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Damaged { .. }),
            "{reference:?}: {error}"
        );
    }
    let mut other_key = key.clone();
    other_key[0] ^= 1;
    let error = fetch_from(&bytes, &reference, &other_key).unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");
}

#[test]
fn files_cut_short_are_damaged_or_give_the_value() {
    let (key, reference, bytes) = first_record();
    let end = (reference.offset + reference.size) as usize;
    let value = fetch_from(&bytes, &reference, &key).unwrap();
    for len in (0..end + 3).chain([bytes.len() - 1]) {
        match fetch_from(&bytes[..len], &reference, &key) {
            Ok(found) => assert!(len >= end && found == value),
            Err(error) => assert!(len < end, "{len}: {error}"),
        }
    }
}

#[test]
fn values_over_the_limit_are_refused() {
    let (key, reference, bytes) = first_record();
    let value = fetch_from(&bytes, &reference, &key).unwrap();
    let mut options = FileOptions::default();
    options.limits.value_bytes_max = value.len() as u64;
    assert!(fetch_with(&bytes, &reference, &key, &options).is_ok());
    options.limits.value_bytes_max -= 1;
    let error = fetch_with(&bytes, &reference, &key, &options).unwrap_err();
    assert!(error.to_string().contains("value bytes"), "{error}");
    options = FileOptions::default();
    options.limits.block_bytes_max = reference.size - 1;
    let error = fetch_with(&bytes, &reference, &key, &options).unwrap_err();
    assert!(error.to_string().contains("block bytes"), "{error}");
}

/// A blob file of one record that is stored with `compression`.
fn blob_file(key: &[u8], stored: &[u8], compression: u8) -> (Vec<u8>, BlobReference) {
    let mut bytes = MAGIC.to_le_bytes().to_vec();
    bytes.extend([1, 0, 0, 0, 9, 0, 0, 0, 0, compression]);
    bytes.resize(30, 0);
    let mut header = Vec::new();
    for number in [key.len() as u64, stored.len() as u64, 0] {
        header.extend(number.to_le_bytes());
    }
    header.extend(crc_of(&header).to_le_bytes());
    header.extend(crc_of(&[key, stored].concat()).to_le_bytes());
    bytes.extend(header);
    bytes.extend(key);
    let reference = BlobReference {
        file_number: 3,
        offset: bytes.len() as u64,
        size: stored.len() as u64,
        compression,
    };
    bytes.extend(stored);
    (bytes, reference)
}

#[test]
fn every_compression_is_read_or_named() {
    let value = b"value value value value".repeat(20);
    let prefixed = |packed: Vec<u8>| [&[0xcc, 0x03][..], &packed].concat();
    assert_eq!(value.len(), 0x3 << 7 | 0x4c);
    let cases = [
        (0, value.clone()),
        (1, snap::raw::Encoder::new().compress_vec(&value).unwrap()),
        (4, prefixed(lz4_flex::block::compress(&value))),
        (5, prefixed(lz4_flex::block::compress(&value))),
        (7, prefixed(zstd::bulk::compress(&value, 3).unwrap())),
    ];
    for (compression, stored) in cases {
        let (bytes, reference) = blob_file(b"key", &stored, compression);
        let found = fetch_from(&bytes, &reference, b"key").unwrap();
        assert!(found == value, "{compression}");
    }
    let (bytes, reference) = blob_file(b"key", b"x", 6);
    let error = fetch_from(&bytes, &reference, b"key").unwrap_err();
    assert!(error.to_string().contains("unknown type 6"), "{error}");
    let (mut bytes, reference) = blob_file(b"key", b"x", 0);
    bytes[12] |= 1;
    let error = fetch_from(&bytes, &reference, b"key").unwrap_err();
    assert!(error.to_string().contains("old BlobDB"), "{error}");
}
