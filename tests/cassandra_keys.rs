//! Keys of Cassandra tables on the command line: what is printed is taken back, and a partition or the start of its
//! clustering values names the rows in it.

mod common;

use std::path::{Path, PathBuf};

use common::{mdiff, shared_fixtures, skipped, testdata};

const NOW: [&str; 3] = ["--no-progress", "--now", "2026-11-22T00:00:00Z"];

fn cat(folder: &Path, options: &[&str]) -> Vec<String> {
    let ran = mdiff(["cat"]).args([folder]).args(NOW).args(options).run();
    let lines = ran.exits(0).stdout;
    lines.lines().map(str::to_owned).collect()
}

fn key(line: &str) -> &str {
    line.split_once('\t').unwrap().0
}

/// Tables of many types of keys, from the larger set where it is there.
fn tables() -> Vec<PathBuf> {
    let mut tables: Vec<_> = [
        "da-static_cols",
        "me-tombstones",
        "mixed_formats",
        "nb-collections",
    ]
    .map(|case| testdata("cassandra").join(case))
    .into();
    match shared_fixtures() {
        Some(shared) => tables.extend(
            [
                "nb-composite_clust",
                "oa-vec_clust",
                "nb-all_types",
                "nb-many_ck",
                "nb-static_cols",
            ]
            .map(|case| shared.join("cassandra").join(case)),
        ),
        None => skipped("keys of the larger set of fixtures"),
    }
    tables
}

#[test]
fn a_printed_key_names_its_row() {
    for table in tables() {
        let lines = cat(&table, &[]);
        assert!(lines.len() > 3, "{}", table.display());
        let step = lines.len().div_ceil(6);
        for (at, line) in lines.iter().enumerate().step_by(step) {
            let found = cat(&table, &["--from", key(line), "--limit", "1"]);
            assert_eq!(found, [&**line], "{}", table.display());
            let before = cat(&table, &["--to", key(line)]);
            assert_eq!(before, lines[..at], "{}", table.display());
        }
    }
}

#[test]
fn a_prefix_names_a_partition_or_the_start_of_its_clustering_values() {
    let table = testdata("cassandra/me-tombstones");
    let lines = cat(&table, &[]);
    for (prefix, count_min) in [
        ("p1", 15),
        ("p1 : 0", 3),
        ("p1 : 0,1", 1),
        ("p9 deletion", 0),
    ] {
        let is_under = |line: &&String| {
            let key = key(line).replace("before ", "").replace("behind ", "");
            let rest = key.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
        };
        let expected: Vec<_> = lines.iter().filter(is_under).cloned().collect();
        assert!(expected.len() >= count_min, "{prefix}: {expected:?}");
        assert_eq!(cat(&table, &["--prefix", prefix]), expected, "{prefix}");
    }
    // The marks of a deletion in front of, and behind, all of these rows.
    let (from, to) = ("p1 : before 0", "p1 : behind 0");
    let within = cat(&table, &["--from", from, "--to", to]);
    let prefix = cat(&table, &["--prefix", "p1 : 0"]);
    assert!(prefix.starts_with(&within));
}

#[test]
fn ranges_of_trees_may_be_split_at_keys() {
    let dir = tempfile::tempdir().unwrap();
    let table = testdata("cassandra/me-tombstones");
    std::fs::write(
        dir.path().join("keys"),
        "p1\np1 : 0,1\np10 static\ntoken:0\n",
    )
    .unwrap();
    let build = |more: &[&str]| {
        mdiff([
            "build",
            "-o",
            "t.mtree",
            "--force",
            "--leaf-rows",
            "1048576",
        ])
        .args([&table])
        .args(NOW)
        .args(more)
        .in_dir(&dir)
        .run()
        .exits(0)
        .stdout
    };
    let leaves = |line: &str| -> u64 {
        let found = line
            .split(", ")
            .find_map(|part| part.strip_suffix(" leaves").or(part.strip_suffix(" leaf")));
        found.unwrap().parse().unwrap()
    };
    assert_eq!(
        leaves(&build(&[])) + 4,
        leaves(&build(&["--split-at", "keys"]))
    );
}

#[test]
fn what_is_no_key_is_told_with_the_columns_of_the_table() {
    let table = testdata("cassandra/me-tombstones");
    mdiff(["cat", "--from", "p1 : x"])
        .args([&table])
        .run()
        .exits(2)
        .tells("\"x\" is no int, as c1 is")
        .tells("pk : c1,c2 for a row");
}
