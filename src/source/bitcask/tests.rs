//! Folders written here, against a naive model of what each write means; torn ends; damage.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use proptest::prelude::*;

use super::testing::{entry, hint, open, rows, write, write_hint};

type Writes = Vec<(Vec<u8>, Vec<u8>)>;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn bytes(writes: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    writes
        .iter()
        .flat_map(|(key, value)| entry(key, value))
        .collect()
}

fn many(count: usize, seed: usize) -> Writes {
    (0..count)
        .map(|n| {
            (
                format!("key {n:03}").into_bytes(),
                vec![seed as u8; (n + seed) % 40],
            )
        })
        .collect()
}

fn read(folder: &Path) -> crate::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    rows(open(folder, "bitcask")?.as_ref())
}

/// A write of the model.
#[derive(Debug, Clone)]
enum Op {
    Put(u8),
    Tombstone(Option<(u8, u32)>),
}

fn value(op: &Op) -> Vec<u8> {
    match op {
        Op::Put(byte) => vec![*byte; usize::from(*byte)],
        Op::Tombstone(None) => b"bitcask_tombstone".to_vec(),
        Op::Tombstone(Some((version, file))) => {
            let name = format!("bitcask_tombstone{version}").into_bytes();
            [name, file.to_be_bytes().to_vec()].concat()
        }
    }
}

/// Of each key the last put, unless some tombstone kills it.
fn model(files: &[(u64, Vec<(u8, Op)>)]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut writes = Vec::new();
    for (number, ops) in files {
        writes.extend(ops.iter().map(|(key, op)| (*number, *key, op)));
    }
    let mut rows = BTreeMap::new();
    for key in 0..=u8::MAX {
        let last = writes
            .iter()
            .rposition(|(_, other, op)| *other == key && matches!(op, Op::Put(_)));
        let Some(last) = last else {
            continue;
        };
        let (in_file, _, put) = writes[last];
        let kills = |op: &Op| match op {
            Op::Put(_) => false,
            Op::Tombstone(None) => true,
            Op::Tombstone(Some((1, file))) => in_file < u64::from(*file),
            Op::Tombstone(Some((_, file))) => in_file <= u64::from(*file),
        };
        let is_dead = writes[last..]
            .iter()
            .any(|(_, other, op)| *other == key && kills(op));
        if !is_dead {
            rows.insert(vec![key], value(put));
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 80 } else { 2000 }))]
    #[test]
    fn rows_are_those_of_a_naive_model(
        files in prop::collection::vec(
            prop::collection::vec(
                (0u8..6, prop_oneof![
                    2 => any::<u8>().prop_map(Op::Put),
                    1 => Just(Op::Tombstone(None)),
                    2 => (1u8..3, 0u32..14).prop_map(|of| Op::Tombstone(Some(of))),
                ]),
                0..12,
            ),
            1..7,
        ),
        with_hints in any::<bool>(),
    ) {
        // Numbers of one and two digits: their order is not that of the names.
        let files: Vec<(u64, Vec<(u8, Op)>)> = files.into_iter().enumerate().map(|(n, ops)| (2 * n as u64 + 1, ops)).collect();
        let dir = folder();
        for (number, ops) in &files {
            let writes: Writes = ops.iter().map(|(key, op)| (vec![*key], value(op))).collect();
            write(dir.path(), *number, &bytes(&writes));
            if with_hints {
                write_hint(dir.path(), *number, &hint(&writes));
            }
        }
        let snapshot = open(dir.path(), "bitcask").unwrap();
        prop_assert!(snapshot.notes().is_empty());
        prop_assert_eq!(rows(snapshot.as_ref()).unwrap(), model(&files));
    }
}

/// What a merge moves behind a newer write leaves that alone.
#[test]
fn a_moved_tombstone_means_its_file_only() {
    let dir = folder();
    let put = |value: &[u8]| entry(b"k", value);
    write(dir.path(), 2, &put(b"old"));
    write(dir.path(), 4, &put(b"new"));
    write(dir.path(), 5, &put(b"bitcask_tombstone2\0\0\0\x02"));
    assert_eq!(read(dir.path()).unwrap()[&b"k"[..]], b"new");
    write(dir.path(), 5, &put(b"bitcask_tombstone2\0\0\0\x04"));
    assert!(read(dir.path()).unwrap().is_empty());
    write(dir.path(), 5, &put(b"bitcask_tombstone1\0\0\0\x04"));
    assert_eq!(read(dir.path()).unwrap()[&b"k"[..]], b"new");
}

#[test]
fn a_torn_end_is_left_out_with_a_note_at_any_length() {
    let writes = many(6, 3);
    let whole = bytes(&writes);
    let mut ends = vec![0];
    for (key, value) in &writes {
        ends.push(ends.last().unwrap() + entry(key, value).len());
    }
    let newer = many(2, 9);
    for has_newer in [false, true] {
        for len in 0..whole.len() {
            let dir = folder();
            write(dir.path(), 7, &whole[..len]);
            if has_newer {
                write(dir.path(), 12, &bytes(&newer));
                write_hint(dir.path(), 12, &hint(&newer));
            }
            let count = ends.iter().filter(|end| **end <= len).count() - 1;
            let snapshot = open(dir.path(), "bitcask").unwrap();
            let is_torn = !ends.contains(&len);
            assert_eq!(snapshot.notes().len(), usize::from(is_torn), "{len}");
            let mut expected: BTreeMap<_, _> = writes[..count].iter().cloned().collect();
            if has_newer {
                expected.extend(newer.clone());
            }
            assert_eq!(rows(snapshot.as_ref()).unwrap(), expected, "{len}");
        }
    }
}

#[test]
fn zeros_that_a_crash_leaves_at_the_end_are_torn_too() {
    let dir = folder();
    let writes = many(3, 1);
    write(dir.path(), 1, &[bytes(&writes), vec![0; 4096]].concat());
    let snapshot = open(dir.path(), "bitcask").unwrap();
    assert!(
        snapshot.notes()[0].contains("4096 bytes are left out"),
        "{:?}",
        snapshot.notes()
    );
    assert_eq!(rows(snapshot.as_ref()).unwrap().len(), 3);
}

#[test]
fn a_file_that_was_closed_has_no_torn_end() {
    let writes = many(6, 3);
    let whole = bytes(&writes);
    for len in 0..whole.len() {
        let dir = folder();
        write(dir.path(), 1, &whole[..len]);
        write_hint(dir.path(), 1, &hint(&writes));
        let error = read(dir.path()).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("its hint file tells"), "{error}");
    }
}

/// A finished hint or not: a flipped bit is an error, but in the last entry of a file that was not closed.
#[test]
fn every_flipped_bit_is_damage_or_the_torn_end() {
    let writes = many(5, 2);
    let whole = bytes(&writes);
    let last = whole.len() - entry(&writes[4].0, &writes[4].1).len();
    let without_last: BTreeMap<_, _> = writes[..4].iter().cloned().collect();
    for is_closed in [true, false] {
        let dir = folder();
        if is_closed {
            write_hint(dir.path(), 1, &hint(&writes));
        }
        for bit in 0..8 * whole.len() {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            write(dir.path(), 1, &flipped);
            match open(dir.path(), "bitcask").and_then(|snapshot| {
                let notes = snapshot.notes();
                rows(snapshot.as_ref()).map(|rows| (rows, notes))
            }) {
                Err(error) => {
                    assert_eq!(error.exit_code(), 3, "bit {bit}: {error}");
                    assert!(is_closed || bit / 8 < last, "bit {bit}: {error}");
                }
                Ok((found, notes)) => {
                    assert!(!is_closed && bit / 8 >= last, "bit {bit}");
                    assert_eq!(notes.len(), 1);
                    assert_eq!(found, without_last, "bit {bit}");
                }
            }
        }
    }
}

/// A hint is never believed in place of the data.
#[test]
fn a_damaged_hint_changes_no_row() {
    let writes = many(4, 1);
    let (whole, sound) = (bytes(&writes), hint(&writes));
    let expected: BTreeMap<_, _> = writes.into_iter().collect();
    let dir = folder();
    write(dir.path(), 3, &whole);
    for bit in 0..8 * sound.len() {
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        write_hint(dir.path(), 3, &flipped);
        assert_eq!(read(dir.path()).unwrap(), expected, "bit {bit}");
    }
    for len in 0..sound.len() {
        write_hint(dir.path(), 3, &sound[..len]);
        assert_eq!(read(dir.path()).unwrap(), expected, "{len} bytes");
    }
}

#[test]
fn a_torn_write_too_long_to_search_is_not_guessed_about() {
    let dir = folder();
    // Headers that claim what is there, so that all of it would be hashed for each of them.
    let claims: Vec<u8> = (0..4000).flat_map(|_| [0, 0, 0x10, 0]).collect();
    write(dir.path(), 1, &[bytes(&many(1, 1)), claims].concat());
    let error = read(dir.path()).unwrap_err();
    assert!(error.to_string().contains("truncate -s"), "{error}");
}

#[test]
fn files_that_wait_to_be_removed_and_foreign_ones_are_left_out() {
    let dir = folder();
    write(dir.path(), 1, &entry(b"k", b"one"));
    write(dir.path(), 2, &entry(b"k", b"two"));
    fs::write(dir.path().join("x.bitcask.data"), b"?").unwrap();
    fs::write(dir.path().join("bitcask.write.lock"), b"1 2.bitcask.data").unwrap();
    assert_eq!(read(dir.path()).unwrap()[&b"k"[..]], b"two");
    let path = dir.path().join("2.bitcask.data");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4644)).unwrap();
    let snapshot = open(dir.path(), "bitcask").unwrap();
    assert!(
        snapshot.describe()[0]
            .1
            .contains("1 files that wait to be removed")
    );
    assert_eq!(rows(snapshot.as_ref()).unwrap()[&b"k"[..]], b"one");
}

#[test]
fn two_files_of_one_number_are_refused() {
    let dir = folder();
    write(dir.path(), 1, b"");
    fs::write(dir.path().join("01.bitcask.data"), b"").unwrap();
    assert_eq!(open(dir.path(), "").err().unwrap().exit_code(), 3);
}

#[test]
fn what_is_written_meanwhile_is_a_change() {
    let dir = folder();
    write(dir.path(), 1, &bytes(&many(2, 1)));
    let snapshot = open(dir.path(), "bitcask").unwrap();
    snapshot.check_unchanged().unwrap();
    write(dir.path(), 1, &bytes(&many(3, 1)));
    assert_eq!(snapshot.check_unchanged().unwrap_err().exit_code(), 2);
    assert_eq!(rows(snapshot.as_ref()).unwrap_err().exit_code(), 2);
}

#[test]
fn keys_decide_the_format_and_partitions_are_tables() {
    let dir = folder();
    let riak = [
        entry(b"\x02\0\x01bk", b"v"),
        entry(b"\x03\0\x01t\0\x01bk", b"w"),
    ]
    .concat();
    for name in ["0", "182687704666362864775460604089535377456991567872"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    write(&dir.path().join("0"), 1, &riak);
    let snapshot = open(dir.path(), "").unwrap();
    assert_eq!(snapshot.format(), "riak");
    let names: Vec<_> = snapshot
        .tables()
        .iter()
        .map(|table| table.name().to_owned())
        .collect();
    assert_eq!(
        names,
        ["0", "182687704666362864775460604089535377456991567872"]
    );
    assert_eq!(open(&dir.path().join("0"), "").unwrap().format(), "riak");
    write(&dir.path().join("0"), 2, &entry(b"plain", b"v"));
    assert_eq!(open(dir.path(), "").unwrap().format(), "bitcask");
    let error = rows(open(&dir.path().join("0"), "riak").unwrap().as_ref()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the key plain is not of Riak's form"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--format bitcask"));
}
