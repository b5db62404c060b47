//! `mdiff diff` on snapshots of Cassandra says what the differences mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod common;

use common::{mdiff, shared_fixtures, skipped, testdata};
use serde_json::Value;

fn diff(left: &Path, right: &Path, options: &[&str]) -> common::Ran {
    mdiff(["diff"])
        .args([left, right])
        .args(["--no-progress", "--now", "2026-11-23T00:00:00Z"])
        .args(options)
        .run()
        .exits(1)
}

/// Its lines, by key.
fn lines(left: &Path, right: &Path, options: &[&str]) -> BTreeMap<String, String> {
    let text = diff(left, right, options).stdout;
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(k, v)| (k.into(), v.into())).collect()
}

/// The first SSTable of a table of deletions on the left, all three on the right.
fn tombstones(temp: &Path) -> [PathBuf; 2] {
    let all = testdata("cassandra/me-tombstones");
    for file in fs::read_dir(&all).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        if name.starts_with("me-1-") || name == "schema.cql" {
            fs::write(temp.join(name), fs::read(file.path()).unwrap()).unwrap();
        }
    }
    [temp.to_owned(), all]
}

#[test]
fn rows_under_deletions_of_the_other_side_are_deleted_there() {
    let temp = tempfile::tempdir().unwrap();
    let [left, right] = tombstones(temp.path());
    let found = lines(&left, &right, &["--gc-before", "0"]);
    for (key, text) in [
        // Under the range from 5 to 5.
        (
            "- p1 : 5,0",
            "v=500 w=\"zulu\" @1700000021639688 (deleted right)",
        ),
        ("+ p1 : behind 5", "end of a deletion (only right)"),
        // Under the deletion of the partition, and one of its ranges.
        (
            "- p9 : 7,0",
            "v=700 w=\"lima\" @1700000025184551 (deleted right)",
        ),
        // A cell of its own, and what was written again behind a range deletion.
        (
            "~ p10 : 4,1",
            "w: \"delta\" @1700000025409034 -> deleted @1700000027210848 (deleted right)",
        ),
        (
            "~ p0 : 0,3",
            "row: inserted @1700000020904737 -> inserted @1700000026119926 (newer right), v: 3 @1700000020904737 -> -1 @1700000026119926 (newer right), w: \"golf\" @1700000020904737 -> none (deleted right)",
        ),
        ("+ p4 : 1,1", "v=-1 @1700000026455716 (only right)"),
    ] {
        let shown = found.get(key).map(String::as_str).unwrap_or_default();

        assert_eq!(shown, text, "{key}");
    }
    // From the other side the same, mirrored.
    let mirrored = lines(&right, &left, &["--gc-before", "0"]);
    assert_eq!(mirrored.len(), found.len());
    let shown = &mirrored["+ p1 : 5,0"];
    assert_eq!(shown, "v=500 w=\"zulu\" @1700000021639688 (deleted left)");
}

#[test]
fn before_and_after_of_a_real_table() {
    let Some(fixtures) = shared_fixtures() else {
        return skipped("a table at two moments: no shared fixtures here (MDIFF_SHARED)");
    };
    let table = fixtures.join("cassandra/nb-orders/fx/orders-daaca340e5e311f1a0301fb0eccaabeb");
    let [before, after] = ["before", "after"].map(|tag| table.join("snapshots").join(tag));
    let found = lines(&before, &after, &[]);
    for (key, text) in [
        (
            "~ cust06 : 3",
            "status: \"paid\" @1700000082693744 -> \"changed\" @1700000093319331 (newer right)",
        ),
        (
            "~ cust17 : 7",
            "attrs[\"b\"]: \"x\" @1700000087493322 -> deleted @1700000093528022 (deleted right)",
        ),
        (
            "- cust13 static",
            "region=\"ap\" @1700000083367193 (deleted right)",
        ),
        (
            "+ newcust : 1",
            "status=\"open\" @1700000093585023 (only right)",
        ),
        (
            "~ cust12 : 4",
            "attrs={\"a\":\"6\",\"b\":\"x\"} items=[\"i55\"] status=\"sent\" total=1148.15 @1700000083364610 -> deleted @1700000093432353 (deleted right)",
        ),
    ] {
        assert_eq!(found.get(key).map(String::as_str), Some(text), "{key}");
    }
    // The deletions are of 2026-11-21; gc_grace is ten days.
    let stat = |options: &[&str]| diff(&before, &after, &[options, &["--stat"]].concat());
    let fresh = stat(&[]);
    assert!(!fresh.stderr.contains("resurrection"), "{fresh:#?}");
    assert!(
        fresh
            .stdout
            .contains("  deleted right: 166 cells in 25 rows\n")
    );
    assert!(fresh.stdout.contains("  newer right: 8 cells in 8 rows\n"));
    let json = diff(&before, &after, &["--json"]).stdout;
    let of = |cust: &str| -> Value {
        let rows = json.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut rows = rows.filter(|row: &Value| row["key"]["cust"] == cust);
        rows.next().unwrap()
    };
    assert_eq!(of("cust06")["meaning"]["status"]["is"], "newer_right");
    let element = &of("cust17")["meaning"]["attrs"]["elements"][0];
    assert_eq!(
        (&element["path"], &element["is"]),
        (&"b".into(), &"deleted_right".into())
    );
    for (now, gc_before, line) in [
        (
            "2026-11-30T00:00:00Z",
            None,
            Some("resurrection risk, soon: 166 cells in 25 rows"),
        ),
        ("2026-12-30T00:00:00Z", None, None),
        (
            "2026-12-30T00:00:00Z",
            Some("0"),
            Some("resurrection risk, due: 166 cells in 25 rows"),
        ),
    ] {
        let mut run =
            mdiff(["diff", "--stat", "--no-progress", "--now", now]).args([&before, &after]);
        if let Some(gc_before) = gc_before {
            run = run.args(["--gc-before", gc_before]);
        }
        let ran = run.run().exits(1);
        assert_eq!(
            ran.stdout.contains("resurrection"),
            line.is_some(),
            "{ran:#?}"
        );
        assert!(ran.stdout.contains(line.unwrap_or_default()), "{ran:#?}");
        assert_eq!(ran.stderr.contains("resurrection risk"), line.is_some());
    }
}
