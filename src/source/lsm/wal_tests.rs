//! Replays of written and of real folders.

use std::collections::BTreeMap;

use super::*;
use crate::source::block_table::key;
use crate::source::lsm::testing::{batch, databases, log, tagged};

/// What the log alone says of a key: a value, its absence, or something that needs more to resolve.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Put(Vec<u8>),
    Gone,
    Other,
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn expected(case: &Path, family: &str) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let name = match family {
        "default" => "expected.jsonl".to_owned(),
        other => format!("expected.{other}.jsonl"),
    };
    let text = std::fs::read_to_string(case.join(name)).ok()?;
    Some(
        text.lines()
            .map(|line| {
                let row: serde_json::Value = serde_json::from_str(line).unwrap();
                (
                    unhex(row["k"].as_str().unwrap()),
                    unhex(row["v"].as_str().unwrap()),
                )
            })
            .collect(),
    )
}

type SaidOf = BTreeMap<u32, BTreeMap<Vec<u8>, Said>>;

fn said(folder: &Path, manifest: &Manifest) -> Result<(SaidOf, Replayed)> {
    let mut said: SaidOf = BTreeMap::new();
    let mut last = 0;
    let done = replay(
        folder,
        manifest,
        &FileOptions::default(),
        &mut |family, entry| {
            assert!(entry.sequence > last || last == 0);
            last = entry.sequence;
            let keys = said.entry(family).or_default();
            if entry.kind == key::RANGE_DELETE {
                for (key, said) in keys.iter_mut() {
                    if key.as_slice() >= entry.key && key.as_slice() < entry.value {
                        *said = Said::Gone;
                    }
                }
                return Ok(());
            }
            let said = match entry.kind {
                key::PUT => Said::Put(entry.value.to_vec()),
                key::DELETE | key::SINGLE_DELETE => Said::Gone,
                _ => Said::Other,
            };
            keys.insert(entry.key.to_vec(), said);
            Ok(())
        },
    )?;
    Ok((said, done))
}

#[test]
fn real_logs_say_of_their_keys_what_is_true() {
    let mut compared = 0;
    for folder in databases() {
        let manifest = Manifest::read(&folder, &FileOptions::default()).unwrap();
        let (said, done) = said(&folder, &manifest).unwrap();
        done.check_unchanged().unwrap();
        println!(
            "{}: {} entries {:?}",
            folder.display(),
            done.entries,
            done.notes
        );
        let is_torn = folder.to_str().unwrap().contains("torn");
        assert_eq!(done.notes.len(), usize::from(is_torn));
        let case = folder.parent().unwrap();
        for family in &manifest.families {
            let Some(expected) = expected(case, &family.name) else {
                continue;
            };
            let nothing = BTreeMap::new();
            let keys = said.get(&family.id).unwrap_or(&nothing);
            for (key, said) in keys {
                let truth = expected.get(key);
                match said {
                    Said::Put(value) => assert_eq!(truth, Some(value), "{key:?}"),
                    Said::Gone => assert_eq!(truth, None, "{key:?}"),
                    Said::Other => continue,
                }
                compared += 1;
            }
            if family.files.is_empty() {
                let here = keys.values().filter(|said| **said != Said::Gone);
                assert_eq!(here.count(), expected.len(), "{}", family.name);
            }
        }
    }
    assert!(compared > 0);
}

/// Family, key, sequence number.
type Got = (u32, String, u64);

/// A folder with a MANIFEST of one edit and some more, and logs.
struct Made(tempfile::TempDir);

impl Made {
    /// The log number of the default family, and more fields of the edit.
    fn new(log_number: u8, more: &[u8]) -> Made {
        let mut edit = vec![2, log_number, 3, 50, 4, 1];
        edit.extend(tagged(1, None, &[b"leveldb.BytewiseComparator"]));
        edit.extend(more);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("CURRENT"), "MANIFEST-000005\n").unwrap();
        let manifest = folder.path().join("MANIFEST-000005");
        std::fs::write(manifest, log(None, &[edit])).unwrap();
        Made(folder)
    }

    fn log(&self, number: u64, bytes: &[u8]) -> &Made {
        std::fs::write(self.0.path().join(name(number)), bytes).unwrap();
        self
    }

    /// Keys with sequence numbers, and notes.
    fn replay(&self) -> Result<(Vec<Got>, Vec<String>)> {
        let options = FileOptions::default();
        let manifest = Manifest::read(self.0.path(), &options)?;
        let mut got = Vec::new();
        let done = replay(self.0.path(), &manifest, &options, &mut |family, entry| {
            let key = String::from_utf8(entry.key.to_vec()).unwrap();
            got.push((family, key, entry.sequence));
            Ok(())
        })?;
        assert_eq!(done.entries, got.len() as u64);
        Ok((got, done.notes))
    }

    fn keys(&self) -> Vec<String> {
        let (got, _) = self.replay().unwrap();
        got.into_iter().map(|(_, key, _)| key).collect()
    }
}

/// RocksDB's own mark: the database's id, which LevelDB does not know.
const ROCKSDB: &[u8] = &[0x81, 0x40, 1, b'x'];

fn puts(sequence: u64, keys: &[&str]) -> Vec<u8> {
    let records: Vec<Vec<u8>> = keys
        .iter()
        .map(|key| tagged(1, None, &[key.as_bytes(), b"v"]))
        .collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    batch(sequence, keys.len() as u32, &records)
}

#[test]
fn only_logs_that_count_are_applied_in_the_order_of_their_numbers() {
    let made = Made::new(6, ROCKSDB);
    made.log(4, &log(None, &[puts(1, &["old"])]));
    made.log(10, &log(None, &[puts(20, &["c"])]));
    made.log(9, &log(None, &[puts(10, &["b1", "b2"])]));
    made.log(6, &log(None, &[puts(5, &["a"])]));
    std::fs::write(made.0.path().join("7.log"), "not a log's name").unwrap();
    let (got, notes) = made.replay().unwrap();
    let expected = [("a", 5), ("b1", 10), ("b2", 11), ("c", 20)];
    let expected: Vec<_> = expected
        .iter()
        .map(|&(key, at)| (0, key.to_owned(), at))
        .collect();
    assert_eq!(got, expected);
    assert!(notes.is_empty());
    // LevelDB's previous log.
    let made = Made::new(6, &[9, 4]);
    made.log(3, &log(None, &[puts(1, &["older"])]));
    made.log(4, &log(None, &[puts(2, &["old"])]));
    made.log(6, &log(None, &[puts(5, &["a"])]));
    assert_eq!(made.keys(), ["old", "a"]);
}

#[test]
fn a_family_takes_records_from_its_own_log_on() {
    let mut made = Made::new(4, ROCKSDB);
    let manifest = made.0.path().join("MANIFEST-000005");
    let start = [vec![2, 4, 3, 50, 4, 1], ROCKSDB.to_vec()].concat();
    let users = [vec![200, 1, 3, 201, 1, 5], b"users".to_vec(), vec![2, 8]].concat();
    std::fs::write(manifest, log(None, &[start, users])).unwrap();
    let both = |sequence, key: &[u8]| {
        let records = [
            tagged(5, Some(3), &[key, b"v"]),
            tagged(5, Some(9), &[b"of a dropped family", b"v"]),
            tagged(1, None, &[key, b"v"]),
        ];
        batch(sequence, 3, &records.each_ref().map(Vec::as_slice))
    };
    made.log(6, &log(None, &[both(10, b"a")]));
    made.log(8, &log(None, &[both(20, b"b")]));
    let (got, _) = made.replay().unwrap();
    let expected = [(0, "a", 12), (3, "b", 20), (0, "b", 22)];
    let expected: Vec<_> = expected
        .iter()
        .map(|&(family, key, at)| (family, key.to_owned(), at))
        .collect();
    assert_eq!(got, expected);
    // Logs below the smallest one to keep do not count for anyone.
    made = Made::new(4, &[ROCKSDB, &[10, 7]].concat());
    made.log(6, &log(None, &[both(10, b"a")]));
    made.log(8, &log(None, &[both(20, b"b")]));
    assert_eq!(made.keys(), ["b"]);
}

#[test]
fn behind_a_torn_log_only_what_follows_on_counts() {
    let torn = log(None, &[puts(10, &["a", "b"]), puts(12, &["torn"])]);
    let torn = &torn[..torn.len() - 3];
    for (sequence, follows) in [(12, true), (13, false)] {
        let next = log(None, &[puts(sequence, &["c"])]);
        let rocksdb = Made::new(6, ROCKSDB);
        rocksdb.log(6, torn).log(8, &[]).log(9, &next);
        let (got, notes) = rocksdb.replay().unwrap();
        assert_eq!(got.len(), if follows { 3 } else { 2 });
        assert_eq!(notes.len(), if follows { 1 } else { 2 }, "{notes:?}");
        assert!(notes[0].contains("000006.log") && notes[0].contains("RocksDB"));
        let leveldb = Made::new(6, &[]);
        leveldb.log(6, torn).log(9, &next);
        let (got, notes) = leveldb.replay().unwrap();
        assert_eq!((got.len(), notes.len()), (3, 1));
    }
    // Behind the live part of a recycled log it is the same, without a word.
    let mut stale = log(Some(6), &[puts(10, &["a", "b"])]);
    let live = stale.len();
    stale.extend(
        &log(
            Some(3),
            &[puts(1, &["old"]), puts(2, &["older than the others"])],
        )[live..],
    );
    let made = Made::new(6, ROCKSDB);
    made.log(6, &stale)
        .log(9, &log(Some(9), &[puts(12, &["c"])]));
    let (got, notes) = made.replay().unwrap();
    assert_eq!((got.len(), notes.len()), (3, 0));
}

#[test]
fn prepared_sections_may_lie_in_older_logs() {
    let section = |name: &[u8]| {
        let records = [
            vec![9],
            tagged(1, None, &[name, b"v"]),
            tagged(10, None, &[name]),
        ];
        batch(10, 1, &records.each_ref().map(Vec::as_slice))
    };
    let commit = |name: &[u8]| batch(20, 0, &[&tagged(11, None, &[name])]);
    let old = log(
        None,
        &[puts(5, &["flushed"]), section(b"one"), section(b"two")],
    );
    let made = Made::new(8, &[ROCKSDB, &[10, 4]].concat());
    made.log(4, &old).log(8, &log(None, &[commit(b"two")]));
    let (got, notes) = made.replay().unwrap();
    assert_eq!(got, [(0, "two".to_owned(), 20)]);
    assert!(notes[0].starts_with("1 transactions"), "{notes:?}");
    // Where the older log is damaged and a commit may lean on it, nothing is guessed.
    let mut wrong = old.clone();
    wrong[60] ^= 1;
    made.log(4, &wrong);
    assert_eq!(made.replay().unwrap_err().exit_code(), 3);
    made.log(8, &log(None, &[puts(20, &["a"])]));
    assert_eq!(made.keys(), ["a"]);
}

#[test]
fn what_can_not_be_right_is_refused() {
    let refused = |made: &Made, what: &str| {
        let error = made.replay().unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(what), "{error}");
    };
    let made = Made::new(6, ROCKSDB);
    made.log(6, &log(None, &[puts(10, &["a", "b"]), puts(11, &["c"])]));
    refused(&made, "comes again");
    made.log(6, &log(None, &[b"short".to_vec()]));
    refused(&made, "no write batch");
    made.log(6, &log(None, &[batch(10, 0, &[&[18]])]));
    refused(&made, "WritePrepared");
    made.log(
        6,
        &crate::source::lsm::testing::physical(10, None, &[0, 0, 0, 0, 8, 0]),
    );
    refused(&made, "timestamps");
    // A log that the MANIFEST keeps track of.
    let tracked = [ROCKSDB, &[0x87, 0x40, 4, 6, 2, 30, 1]].concat();
    let made = Made::new(6, &tracked);
    refused(&made, "000006.log");
    made.log(6, &log(None, &[puts(10, &["a"])])[..10]);
    refused(&made, "30 bytes");
    made.log(6, &log(None, &[puts(10, &["a long key"])]));
    assert_eq!(made.keys(), ["a long key"]);
}
