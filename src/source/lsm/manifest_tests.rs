//! MANIFESTs made of hand-written edits, and those of real folders.

use super::*;
use crate::file::cursor::{push_length_prefixed, push_varint};
use crate::source::lsm::testing::{databases, log};

/// An edit, built field by field.
#[derive(Clone, Default)]
struct E(Vec<u8>);

impl E {
    fn number(mut self, tag: u64, number: u64) -> E {
        push_varint(&mut self.0, tag);
        push_varint(&mut self.0, number);
        self
    }

    fn bytes(mut self, tag: u64, bytes: &[u8]) -> E {
        push_varint(&mut self.0, tag);
        push_length_prefixed(&mut self.0, bytes);
        self
    }

    fn add(mut self, level: u64, number: u64) -> E {
        for field in [100, level, number, 4000] {
            push_varint(&mut self.0, field);
        }
        push_length_prefixed(&mut self.0, b"a12345678");
        push_length_prefixed(&mut self.0, b"b12345678");
        push_varint(&mut self.0, 5);
        push_varint(&mut self.0, 9);
        self
    }

    fn delete(self, level: u64, number: u64) -> E {
        let mut edit = self.number(6, level);
        push_varint(&mut edit.0, number);
        edit
    }

    fn drop_family(mut self) -> E {
        push_varint(&mut self.0, 202);
        self
    }
}

fn edit() -> E {
    E::default()
}

/// What every MANIFEST begins with.
fn start() -> E {
    edit()
        .bytes(1, b"leveldb.BytewiseComparator")
        .number(2, 4)
        .number(3, 6)
        .number(4, 10)
}

fn read_bytes(bytes: &[u8]) -> Result<Manifest> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("CURRENT"), "MANIFEST-000005\n").unwrap();
    std::fs::write(folder.path().join("MANIFEST-000005"), bytes).unwrap();
    let manifest = Manifest::read(folder.path(), &FileOptions::default())?;
    manifest.check_unchanged()?;
    Ok(manifest)
}

fn read(edits: &[E]) -> Result<Manifest> {
    let records: Vec<Vec<u8>> = edits.iter().map(|edit| edit.0.clone()).collect();
    read_bytes(&log(None, &records))
}

/// Family: level and number of its files.
fn files(manifest: &Manifest) -> Vec<(&str, Vec<(u32, u64)>)> {
    let levels = |family: &Family| {
        let files = family.files.iter();
        files.map(|file| (file.level, file.number)).collect()
    };
    let families = manifest.families.iter();
    families
        .map(|family| (family.name.as_str(), levels(family)))
        .collect()
}

#[test]
fn edits_add_up() {
    let manifest = read(&[
        start(),
        edit().add(0, 7).add(0, 8),
        edit().number(200, 3).bytes(201, b"users").number(2, 9),
        edit().number(200, 5).bytes(201, b"\xffodd"),
        edit().number(200, 4).bytes(201, b"gone"),
        edit().number(200, 4).add(1, 12),
        edit().number(200, 3).add(0, 10),
        // A move to another level, and the same file number in one edit.
        edit()
            .delete(0, 7)
            .add(1, 7)
            .number(10, 3)
            .number(4, 20)
            .number(3, 13),
        edit().number(200, 4).drop_family(),
    ])
    .unwrap();
    assert_eq!(
        files(&manifest),
        [
            ("default", vec![(1, 7), (0, 8)]),
            ("users", vec![(0, 10)]),
            ("\\xffodd", vec![])
        ]
    );
    let ids: Vec<u32> = manifest.families.iter().map(|family| family.id).collect();
    assert_eq!(ids, [0, 3, 5]);
    assert_eq!(
        manifest.families[0].comparator,
        "leveldb.BytewiseComparator"
    );
    assert_eq!(manifest.families[0].files[0].sequences, Some((5, 9)));
    assert_eq!(
        (
            manifest.families[0].log_number,
            manifest.families[1].log_number
        ),
        (4, 9)
    );
    assert_eq!(
        (manifest.last_sequence, manifest.next_file_number),
        (20, 13)
    );
    assert_eq!(manifest.min_log_number_to_keep, 3);
    assert!(!manifest.is_leveldb && manifest.notes.is_empty());
    assert!(read(&[start()]).unwrap().is_leveldb);
}

#[test]
fn contradictions_are_damage() {
    for wrong in [
        edit().delete(0, 7),
        edit().add(0, 6).delete(0, 6),
        edit().add(0, 7).add(1, 7),
        edit().number(200, 3).add(0, 7),
        edit().number(200, 3).drop_family(),
        edit().number(200, 0).bytes(201, b"default"),
        edit().number(7, 1),
    ] {
        let error = read(&[start(), wrong]).err().unwrap();
        assert!(
            matches!(error.kind(), crate::error::ErrorKind::Damaged { .. }),
            "{error}"
        );
    }
    let twice = [start(), edit().add(0, 7), edit().add(0, 7)];
    assert!(read(&twice).is_err());
    let elsewhere = [start(), edit().add(0, 7), edit().delete(1, 7)];
    assert!(read(&elsewhere).is_err());
    assert!(read(&[]).is_err());
    assert!(read(&[edit().number(2, 4)]).is_err());
    let refused = read(&[start(), edit().number(12, 1)]).err().unwrap();
    assert!(matches!(
        refused.kind(),
        crate::error::ErrorKind::Unsupported { .. }
    ));
}

#[test]
fn groups_count_as_a_whole_or_not_at_all() {
    let group = [
        start(),
        edit().add(0, 7).number(300, 2),
        edit().add(0, 8).number(300, 1),
        edit().add(0, 9).number(300, 0),
    ];
    let all = vec![("default", vec![(0, 7), (0, 8), (0, 9)])];
    assert_eq!(files(&read(&group).unwrap()), all);
    for len in 2..4 {
        let manifest = read(&group[..len]).unwrap();
        assert_eq!(files(&manifest), [("default", vec![])]);
        assert_eq!(manifest.notes.len(), 1);
    }
    let amid = [group[0].clone(), group[1].clone(), edit().add(0, 11)];
    assert!(read(&amid).is_err());
    let lost = [group[0].clone(), group[1].clone(), group[3].clone()];
    assert!(read(&lost).is_err());
}

#[test]
fn a_torn_tail_is_left_out_and_said() {
    let records = [start().0, edit().add(0, 7).0, edit().add(0, 8).0];
    let whole = log(None, &records);
    let two = log(None, &records[..2]).len();
    for cut in two + 1..whole.len() {
        let manifest = read_bytes(&whole[..cut]).unwrap();
        assert_eq!(files(&manifest), [("default", vec![(0, 7)])]);
        assert!(
            manifest.notes[0].contains("MANIFEST-000005: the last record"),
            "{cut}"
        );
    }
}

#[test]
fn tracked_logs_are_told() {
    let logs = |bytes: &[u8]| edit().bytes(8199, bytes);
    let manifest = read(&[
        start(),
        logs(&[4, 1]),
        logs(&[5, 1]),
        logs(&[4, 2, 90, 1]),
        logs(&[5, 2, 100, 1]),
        logs(&[5, 2, 80, 1]),
        logs(&[6, 1]),
        edit().bytes(8200, &[5]),
    ])
    .unwrap();
    assert_eq!(manifest.logs, BTreeMap::from([(5, 100)]));
}

#[test]
fn real_manifests_name_the_files_that_are_there() {
    for folder in databases() {
        let manifest = Manifest::read(&folder, &FileOptions::default()).unwrap();
        assert!(manifest.notes.is_empty());
        let is_real = !folder.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"));
        let at = folder.to_str().unwrap();
        for family in &manifest.families {
            println!(
                "{at} {} {} {}",
                family.name,
                family.comparator,
                family.files.len()
            );
            for file in &family.files {
                assert!(file.number < manifest.next_file_number);
                let path = ["sst", "ldb"].map(|e| folder.join(format!("{:06}.{e}", file.number)));
                let len = path.iter().find_map(|path| std::fs::metadata(path).ok());
                if is_real {
                    assert_eq!(len.unwrap().len(), file.size, "{at}");
                }
            }
            let comparator = match family.name.as_str() {
                "reversed" => "rocksdb.ReverseBytewiseComparator",
                _ if at.contains("refuse-comparator") => "example.reverse",
                _ => "leveldb.BytewiseComparator",
            };
            assert_eq!(family.comparator, comparator, "{at}");
        }
        if is_real {
            assert_eq!(manifest.is_leveldb, at.contains("leveldb"), "{at}");
        }
        if at.contains("db-column-families") {
            let mut names: Vec<&str> = manifest.families.iter().map(|f| f.name.as_str()).collect();
            names.sort_unstable();
            let all = [
                "default",
                "empty",
                "late",
                "orders",
                "reversed",
                "schl\u{fc}ssel",
                "users",
            ];
            assert_eq!(names, all);
        }
    }
}
