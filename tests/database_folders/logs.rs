//! Logs that are cut or left out, against what RocksDB itself finds in the same folder.

use std::fs;
use std::path::Path;

use crate::common::*;
use crate::folders::*;

/// What RocksDB 7.8 said of a folder.
enum Said {
    /// Its rows.
    Rows(Tables),
    /// Why it does not open it.
    Refused(String),
}

/// Asks RocksDB 7.8; `None` where it is not here. The families need no options of their own.
fn ask(db: &Path, families: &str) -> Option<Said> {
    let out = make(&["scan", text(db)], &[("FAMILIES", families)])?;
    if out.contains("{\"error\"") {
        return Some(Said::Refused(out));
    }
    let all: Vec<[String; 3]> = serde_json::from_str(out.trim()).unwrap();
    let mut known = Tables::new();
    for [family, key, value] in all {
        let table = known.entry(family).or_default();
        table.insert(unhex(&key), Value::Bytes(unhex(&value)));
    }
    Some(Said::Rows(known))
}

/// Fixtures that RocksDB 7.8 opens without being told anything.
fn plain_cases() -> Vec<Case> {
    let plain = [
        "db-wal-unflushed",
        "db-wal-compressed",
        "db-wal-torn",
        "db-levels",
        "db-universal",
        "db-range-deletes",
        "checkpoint",
    ];
    let mut cases = cases(&places());
    cases.retain(|case| plain.iter().any(|name| case.name.ends_with(name)));
    if cases.is_empty() {
        skipped("logs against RocksDB: only with the larger set of fixtures");
    }
    cases
}

fn families(case: &Case) -> String {
    let names: Vec<&str> = case.rows.keys().map(String::as_str).collect();
    names.join(",")
}

fn logs(db: &Path) -> Vec<String> {
    let names = folder(db).into_keys();
    names.filter(|name| name.ends_with(".log")).collect()
}

/// A log cut anywhere gives the rows that RocksDB finds in it.
#[test]
fn a_torn_log_is_read_as_rocksdb_reads_it() {
    let mut random = Random(8);
    let (mut asked, mut refused) = (0, 0);
    for case in plain_cases() {
        for _ in 0..rounds(4, 60) {
            let dir = quick_tempdir();
            let db = dir.path().join("db");
            copy_dir(&case.db, &db);
            let Some(log) = logs(&db).pop() else { continue };
            let bytes = fs::read(db.join(&log)).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let cut = random.below(bytes.len() as u64) as usize;
            fs::write(db.join(&log), &bytes[..cut]).unwrap();
            let what = format!("{}, {log} cut to {cut} of {} bytes", case.name, bytes.len());
            let ran = mdiff(["cat", text(&db), "--json"]).run();
            match ask(&db, &families(&case)) {
                None => return skipped("torn logs: no RocksDB 7.8 here"),
                Some(Said::Rows(known)) => {
                    assert_eq!(ran.code, Some(0), "{what}: {ran:#?}");
                    assert_same(&what, &printed(&ran), &known);
                }
                // Its MANIFEST says that the log was whole: so may we say, but give no rows that were never there.
                Some(Said::Refused(why)) => {
                    refused += 1;
                    assert!(matches!(ran.code, Some(0 | 3)), "{what}: {why}{ran:#?}");
                }
            }
            asked += 1;
        }
    }
    println!("{asked} torn logs, {refused} of which RocksDB refuses");
}

/// `--no-wal` gives what RocksDB finds where the logs are gone.
#[test]
fn without_the_logs_only_what_was_flushed_is_there() {
    let mut fewer = 0;
    let cases = plain_cases();
    let any = !cases.is_empty();
    for case in cases {
        let dir = quick_tempdir();
        let db = dir.path().join("db");
        copy_dir(&case.db, &db);
        for log in logs(&db) {
            fs::remove_file(db.join(log)).unwrap();
        }
        let ran = mdiff(["cat", text(&case.db), "--json", "--no-wal"])
            .run()
            .exits(0);
        match ask(&db, &families(&case)) {
            None => return skipped("--no-wal: no RocksDB 7.8 here"),
            Some(Said::Rows(known)) => {
                assert_same(&format!("{} --no-wal", case.name), &printed(&ran), &known);
                fewer += usize::from(known != case.rows);
            }
            Some(Said::Refused(why)) => println!("{}: {why}", case.name),
        }
    }
    assert!(!any || fewer > 0, "some logs hold rows");
}
