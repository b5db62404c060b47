//! What the writer writes: read back by this reader and by RocksDB's own tools.

use proptest::prelude::*;
use std::process::Command;

use super::*;
use crate::error::ErrorKind;

const COMPRESSIONS: [&str; 5] = ["none", "snappy", "lz4", "zstd", ""];

type Entries = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn entries() -> impl Strategy<Value = Entries> {
    let key = prop_oneof![
        prop::collection::vec(prop::sample::select(vec![0u8, 1, b'a', 0xff]), 0..6),
        prop::collection::vec(any::<u8>(), 0..200),
        (0u32..500).prop_map(|n| format!("table/{n:09}/suffix").into_bytes()),
    ];
    let value = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..300).prop_map(Some),
        1 => (0usize..40_000).prop_map(|len| Some(vec![b'x'; len])),
        1 => Just(None),
    ];
    prop::collection::btree_map(key, value, 0..200).prop_map(|rows| rows.into_iter().collect())
}

fn live(entries: &Entries) -> Rows {
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 1000 }))]

    #[test]
    fn what_is_written_is_read(entries in entries(), codec in 0usize..5, pieces in 1usize..9) {
        let (_folder, table) = open_bytes(&write_table(&entries, COMPRESSIONS[codec]));
        let table = table.unwrap();
        let live = live(&entries);
        prop_assert!(rows(&table, &KeyRange::all()).unwrap() == live);
        let mut joined = Rows::new();
        for piece in KeyRange::all().cut_at(&table.split(&KeyRange::all(), pieces).unwrap()) {
            joined.extend(rows_one_by_one(&table, &piece).unwrap());
        }
        prop_assert!(joined == live);
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    for second in ["b", "a"] {
        let (mut writer, _) = writer("none");
        writer
            .put(Row {
                key: b"b",
                value: b"",
            })
            .unwrap();
        let error = writer.delete(second.as_bytes()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unsorted { .. }));
    }
}

#[test]
fn unknown_compressions_are_refused() {
    let options = SourceOptions {
        write_compression: "xpress".into(),
        ..SourceOptions::default()
    };
    assert!(
        create(
            Box::new(Memory::default()),
            &crate::row::Schema::Bytes,
            &options
        )
        .is_err()
    );
}

fn some_entries() -> Entries {
    let mut random = Random(5);
    (0..3000)
        .map(|n| {
            let key = format!("key-{n:06}-{}", random.below(1000)).into_bytes();
            let value = match random.below(10) {
                0 => None,
                1 => Some(vec![]),
                len => Some(format!("{n}-").repeat(len * 4).into_bytes()),
            };
            (key, value)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

fn is_installed(tool: &str) -> bool {
    let found = Command::new(tool).arg("--help").output().is_ok();
    if !found {
        println!("SKIPPED: {tool} is not installed (Debian: rocksdb-tools)");
    }
    found
}

#[test]
fn sst_dump_reads_what_is_written() {
    if !is_installed("sst_dump") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for compression in COMPRESSIONS {
        let path = folder.path().join(format!("{compression}.sst"));
        let entries = some_entries();
        std::fs::write(&path, write_table(&entries, compression)).unwrap();
        let dump = |command: &str| {
            let output = Command::new("sst_dump")
                .arg(format!("--file={}", path.display()))
                .args([command, "--output_hex"])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let scanned: Vec<String> = dump("--command=scan")
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(str::to_owned)
            .collect();
        let wanted: Vec<String> = entries
            .iter()
            .map(|(key, value)| {
                let (kind, value) = match value {
                    Some(value) => (1, hex(value)),
                    None => (0, String::new()),
                };
                format!("'{}' seq:0, type:{kind} => {value}", hex(key))
            })
            .collect();
        assert!(scanned == wanted, "{compression}");
        let verified = dump("--command=verify");
        assert!(!verified.to_lowercase().contains("corrupt"), "{verified}");
    }
}

#[test]
fn rocksdb_ingests_what_is_written() {
    if !is_installed("ldb") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let entries = some_entries();
    let ldb = |args: &[&str]| {
        let output = Command::new("ldb")
            .arg(format!("--db={}", db.display()))
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Every key is there before; the deletions must take theirs away.
    let before: Entries = entries
        .iter()
        .map(|(key, _)| (key.clone(), Some(b"before".to_vec())))
        .collect();
    for (name, entries) in [("before", &before), ("after", &entries)] {
        let path = folder.path().join(format!("{name}.sst"));
        std::fs::write(&path, write_table(entries, "lz4")).unwrap();
        ldb(&[
            "ingest_extern_sst",
            &path.display().to_string(),
            "--create_if_missing",
        ]);
    }
    let scanned = ldb(&["scan", "--hex"]);
    let wanted: Vec<String> = live(&entries)
        .iter()
        .map(|(key, value)| format!("0x{} : 0x{}", hex(key), hex(value)))
        .collect();
    let scanned: Vec<&str> = scanned.lines().collect();
    assert!(wanted.len() < entries.len());
    assert_eq!(scanned.len(), wanted.len());
    assert!(
        scanned == wanted,
        "{:?} {:?}",
        scanned.first(),
        wanted.first()
    );
}
