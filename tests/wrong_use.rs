//! Options and files that do not go together: said, never ignored.

mod common;

use std::fs;

use common::{Ran, mdiff};
use serde_json::Value;

struct Folder(tempfile::TempDir);

impl Folder {
    /// `a.csv` and `b.csv`, which differ at k0500 and k1500.
    fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        for (name, changed) in [("a", "same"), ("b", "other")] {
            let rows: String = (0..2000)
                .map(|i| {
                    let value = if i % 1000 == 500 { changed } else { "v" };
                    format!("k{i:04},{value}\n")
                })
                .collect();
            fs::write(
                dir.path().join(format!("{name}.csv")),
                format!("id,v\n{rows}"),
            )
            .unwrap();
        }
        Folder(dir)
    }

    fn run(&self, args: &[&str]) -> Ran {
        mdiff(args).in_dir(&self.0).run()
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }
}

#[test]
fn a_text_with_tabs_in_its_name_has_tabs_between_its_columns() {
    let dir = Folder::new();
    for args in [
        &["convert", "a.csv", "-o", "a.tsv"][..],
        &["convert", "a.csv", "-o", "a2.tab"],
        &["convert", "a.csv", "-o", "a3.tsv", "--to", "tsv"],
        &["convert", "a.tsv", "-o", "again.csv"],
    ] {
        dir.run(args).exits(0);
    }
    for name in ["a.tsv", "a2.tab", "a3.tsv", "again.csv"] {
        dir.run(&["compare", "a.csv", name]).exits(0);
    }
    let again = fs::read(dir.0.path().join("again.csv")).unwrap();
    assert_eq!(again, fs::read(dir.0.path().join("a.csv")).unwrap());
}

#[test]
fn apply_refuses_a_name_that_promises_another_format() {
    let dir = Folder::new();
    dir.run(&["patch", "a.csv", "b.csv", "-o", "p"]).exits(0);
    for name in ["out.sst", "out.tsv", "out.csv.gz", "out.jsonl", "OUT.TSV"] {
        dir.run(&["apply", "a.csv", "p", "-o", name])
            .exits(2)
            .tells("not what would be written");
        assert!(!dir.has(name));
    }
    for name in ["out.csv", "out", "out.bak"] {
        dir.run(&["apply", "a.csv", "p", "-o", name]).exits(0);
    }
    dir.run(&["convert", "a.csv", "-o", "a.tsv"]).exits(0);
    dir.run(&["apply", "a.tsv", "p", "-o", "out2"]).exits(2);
    dir.run(&["apply", "a.tsv", "p", "-o", "out2", "--delimiter", "tab"])
        .exits(0);
    dir.run(&["apply", "a.tsv", "p", "-o", "out3.tsv"]).exits(0);
}

#[test]
fn options_of_building_are_refused_where_nothing_is_built() {
    let dir = Folder::new();
    dir.run(&["build", "a.csv", "-o", "a.mtree"]).exits(0);
    dir.run(&["build", "b.csv", "-o", "b.mtree"]).exits(0);
    fs::write(dir.0.path().join("keys"), "k1\n").unwrap();
    for option in [
        "--from=k1",
        "--to=k1",
        "--prefix=k1",
        "--leaf-rows=7",
        "--hash=blake3",
        "--split-at=keys",
    ] {
        dir.run(&["compare", "a.mtree", "b.mtree", option])
            .exits(2)
            .prints_nothing()
            .tells("every side is a tree");
        for command in ["diff", "patch"] {
            dir.run(&[
                command, "a.csv", "b.csv", option, "--trees", "a.mtree", "b.mtree",
            ])
            .exits(2)
            .prints_nothing()
            .tells("given by --trees");
        }
    }
    dir.run(&["compare", "a.mtree", "b.csv", "--from=k1"])
        .exits(1);
}

#[test]
fn trees_of_a_part_never_stand_for_the_whole() {
    let dir = Folder::new();
    // Beside the snapshots, where diff finds them: of the keys from k1 on, in which one of two differences lies.
    dir.run(&["build", "a.csv", "b.csv", "--from=k1"]).exits(0);
    let stat = "0 rows only left, 0 rows only right, 2 rows changed";
    dir.run(&["diff", "a.csv", "b.csv", "--stat"])
        .exits(1)
        .prints(stat)
        .tells("not using the trees a.csv.mtree and b.csv.mtree");
    // Given by name, they are used, and what is left out is said.
    dir.run(&[
        "diff",
        "a.csv",
        "b.csv",
        "--stat",
        "--trees",
        "a.csv.mtree",
        "b.csv.mtree",
    ])
    .exits(1)
    .prints("1 row changed")
    .tells("a.csv.mtree covers only a part of a.csv");
    // Of other columns, too.
    dir.run(&["build", "a.csv", "b.csv", "--ignore-columns=v", "--force"])
        .exits(0);
    dir.run(&["diff", "a.csv", "b.csv", "--stat"])
        .exits(1)
        .prints(stat);
    // Of other hashes.
    dir.run(&["build", "a.csv", "--force"]).exits(0);
    dir.run(&["build", "b.csv", "--force", "--hash=blake3"])
        .exits(0);
    dir.run(&["diff", "a.csv", "b.csv", "--stat"])
        .exits(1)
        .prints(stat);
    dir.run(&["build", "a.csv", "b.csv", "--force"]).exits(0);
    dir.run(&["diff", "a.csv", "b.csv", "--stat"])
        .exits(1)
        .prints(stat)
        .tells("using the trees");
    dir.run(&["diff", "a.csv", "b.csv", "--stat", "--hash=blake3"])
        .exits(1)
        .prints(stat);
}

#[test]
fn a_tree_older_than_its_snapshot_is_warned_of() {
    let dir = Folder::new();
    dir.run(&["build", "a.csv", "b.csv"]).exits(0);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let file = fs::File::options()
        .append(true)
        .open(dir.0.path().join("b.csv"))
        .unwrap();
    file.set_modified(later).unwrap();
    dir.run(&[
        "diff",
        "a.csv",
        "b.csv",
        "--trees",
        "a.csv.mtree",
        "b.csv.mtree",
    ])
    .exits(1)
    .tells("b.csv.mtree is older than b.csv");
    dir.run(&["diff", "a.csv", "b.csv"])
        .exits(1)
        .tells_nothing();
}

#[test]
fn files_of_another_kind_are_named() {
    let dir = Folder::new();
    dir.run(&["build", "a.csv", "-o", "a.mtree"]).exits(0);
    dir.run(&["patch", "a.csv", "b.csv", "-o", "p"]).exits(0);
    dir.run(&["convert", "a.csv", "-o", "a.jsonl"]).exits(0);
    for (args, code, text) in [
        (
            &["verify", "a.mtree", "a.csv"][..],
            2,
            "a.mtree is a tree, where a snapshot is wanted",
        ),
        (&["verify", "a.csv", "b.csv"], 3, "not an mdiff tree"),
        (&["diff", "a.csv", "p"], 2, "p is a patch"),
        (
            &["apply", "p", "a.csv", "-o", "x.csv"],
            2,
            "p is a patch, where a snapshot is wanted",
        ),
        (
            &["apply", "a.csv", "a.mtree", "-o", "x.csv"],
            3,
            "not an mdiff patch",
        ),
        (&["cat", "a.mtree"], 2, "holds no rows"),
        (
            &["cat", "a.jsonl", "--key", "v"],
            3,
            "\"v\" of the key is missing",
        ),
        (&["build", "-"], 2, "name the tree with -o"),
        (
            &["build", "a.csv", "-o", "nowhere/x.mtree"],
            2,
            "creating nowhere/x.mtree",
        ),
    ] {
        dir.run(args).exits(code).prints_nothing().tells(text);
    }
    assert!(!dir.has("x.csv"));
}

#[test]
fn info_names_its_facts_for_programs() {
    let dir = Folder::new();
    dir.run(&["convert", "a.csv", "-o", "a.sst"]).exits(0);
    dir.run(&["build", "a.csv", "-o", "a.mtree"]).exits(0);
    for (name, kind) in [
        ("a.sst", "snapshot"),
        ("a.csv", "snapshot"),
        ("a.mtree", "tree"),
    ] {
        let ran = dir.run(&["info", "--json", name]).exits(0);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["kind"], kind);
        assert_eq!(document["tables"][0]["rows"], 2000);
        assert!(!ran.stdout.contains(" rows\":"), "{}", ran.stdout);
    }
}
