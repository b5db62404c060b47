//! Cells that were written more than once at the same timestamp, of which Cassandra 3.11 and 4.0 take different writes: counted,
//! told and listed. Truth: the answers of real servers of both versions to the same statements.

mod common;

use std::collections::BTreeSet;

use common::{mdiff, testdata};
use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};
use serde_json::Value;

/// The cases that the servers answer differently, with what 4.0 and 3.11 answer.
const CASES: [(&str, &str, &str, &str); 4] = [
    ("val_highbit", "v", "\"\u{e9}\"", "\"z\""),
    ("int_neg", "n", "-1", "1"),
    ("ttl_vs_plain_small", "v", "\"aaa\"", "\"bbb\""),
    ("ttl_short_vs_long", "v", "\"aaa\"", "\"zzz\""),
];

fn cat(options: &[&str]) -> common::Ran {
    let table = testdata("cassandra/nb-ties");
    let ran = mdiff(["cat", "--ties-only", "--now", "2026-11-24"]).args([table]);
    ran.args(options).run().exits(0)
}

#[test]
fn every_case_is_listed_with_what_each_version_takes() {
    for rule in ["4.0", "3.11"] {
        let lines = cat(&["--json", "--ties", rule]).stdout;
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let found: BTreeSet<_> = lines
            .iter()
            .map(|line| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let write = |version: &str| line[version]["value"].to_string();
                (
                    text(&line["key"]["k"]),
                    text(&line["column"]),
                    write("4.0"),
                    write("3.11"),
                )
            })
            .collect();
        let expected = CASES.map(|(k, c, new, old)| (k.into(), c.into(), new.into(), old.into()));
        assert_eq!(found, BTreeSet::from(expected));
        assert_eq!(lines.len(), CASES.len());
    }
    let text = cat(&["--prefix", "int_neg"]).stdout;
    let at = "\"timestamp\":1700000000123456";
    assert_eq!(
        text,
        format!("int_neg\tn\t4.0={{\"value\":-1,{at}}}\t3.11={{\"value\":1,{at}}}\n")
    );
    cat(&["--limit", "1"]).tells("stopped after 1 cell");
    let table = testdata("cassandra/me-tombstones");
    mdiff(["cat", "--ties-only"])
        .args([table])
        .run()
        .exits(0)
        .prints_nothing();
}

#[test]
fn other_snapshots_and_patches_have_no_such_cells() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.csv"), "k,v\n1,2\n").unwrap();
    std::fs::write(dir.path().join("a.mpatch"), "").unwrap();
    for file in ["a.csv", "a.mpatch"] {
        let ran = mdiff(["cat", file, "--ties-only"]).in_dir(&dir).run();
        ran.exits(2).tells("--ties-only");
    }
}

#[test]
fn whoever_reads_all_of_a_table_tells_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let table = testdata("cassandra/nb-ties");
    for (rule, other) in [("4.0", "3.11"), ("3.11", "4.0")] {
        let ran = mdiff(["build", "-o", "t.mtree", "--force", "--ties", rule]).args([&table]);
        let ran = ran.in_dir(&dir).run().exits(0);
        let ran = ran
            .tells("4 cells of table default")
            .tells(&format!("Cassandra {other}"));
        ran.tells("--ties-only");
    }
    let ran = mdiff(["compare"]).args([&table, &table]).run().exits(0);
    assert_eq!(ran.stderr.matches("4 cells").count(), 2, "{}", ran.stderr);
    let ran = mdiff(["diff", "-q"]).args([&table, &table]).run().exits(0);
    ran.tells_nothing();
    let other = testdata("cassandra/me-tombstones");
    mdiff(["compare"])
        .args([&other, &other])
        .run()
        .exits(0)
        .tells_nothing();
}

#[test]
fn a_cell_counts_once_however_it_is_read() {
    let folder = testdata("cassandra/nb-ties");
    let snapshot = source::open(&folder, &SourceOptions::default()).unwrap();
    let table = snapshot.tables()[0];
    assert_eq!(table.ties().unwrap().cells, 0);
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut all = table.scan(&KeyRange::all()).unwrap();
    while let Some(row) = all.next().unwrap() {
        keys.push(row.key.to_vec());
    }
    assert_eq!(table.ties().unwrap().cells, 4);
    for _ in 0..2 {
        for piece in KeyRange::all().cut_at(&keys) {
            let mut rows = table.scan(&piece).unwrap();
            while rows.next().unwrap().is_some() {}
        }
    }
    assert_eq!(table.ties().unwrap().cells, 4);

    // Pieces alone, in another opening: none is missed.
    let snapshot = source::open(&folder, &SourceOptions::default()).unwrap();
    let table = snapshot.tables()[0];
    for piece in KeyRange::all().cut_at(&keys) {
        let mut rows = table.scan(&piece).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    assert_eq!(table.ties().unwrap().cells, 4);
}
