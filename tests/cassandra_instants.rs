//! Trees of Cassandra tables keep the instant at which they were built: snapshots that meet them are seen at the same, and
//! trees of two instants are told apart from trees of two contents.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, mdiff, testdata};

/// Between these, elements with a TTL expire.
const EARLY: &str = "2026-11-24T00:00:00Z";
const LATE: &str = "2036-01-01T00:00:00Z";

fn table() -> PathBuf {
    testdata("cassandra/nb-collections")
}

fn run(dir: &Path, args: &[&str]) -> Ran {
    mdiff(args).args(["--no-progress"]).in_dir(dir).run()
}

/// Copies the files whose names start like this.
fn copy(to: &Path, starts: &[&str]) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(table()).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        if starts.iter().any(|start| name.starts_with(start)) {
            fs::write(to.join(name), fs::read(file.path()).unwrap()).unwrap();
        }
    }
}

/// A folder with the snapshot as `table`, and its tree at each instant.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&dir.path().join("table"), &["nb-", "schema.cql"]);
    for (name, now) in [("early.mtree", EARLY), ("late.mtree", LATE)] {
        run(dir.path(), &["build", "table", "-o", name, "--now", now]).exits(0);
    }
    dir
}

#[test]
fn trees_of_two_instants_are_told() {
    let dir = prepared();
    let ran = run(dir.path(), &["compare", "early.mtree", "late.mtree"]).exits(1);
    let ran = ran.tells(EARLY).tells(LATE).tells("(early.mtree)");
    ran.tells("expiry was judged at different instants")
        .tells("build the trees with one --now")
        .tells("tombstones were left out up to different instants");
    let ran = run(
        dir.path(),
        &["compare", "early.mtree", "late.mtree", "--json"],
    )
    .exits(1);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let warnings = document["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings
        .iter()
        .map(|w| w["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["gc-before-differs", "instants-differ"]);
    assert_eq!(warnings[0]["tables"], serde_json::json!(["default"]));
    let ran = run(
        dir.path(),
        &["compare", "early.mtree", "early.mtree", "--json"],
    )
    .exits(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["warnings"], serde_json::json!([]));
    ran.tells_nothing();
}

#[test]
fn a_snapshot_is_seen_as_its_tree_was() {
    let dir = prepared();
    run(
        dir.path(),
        &[
            "build",
            "table",
            "-o",
            "live.mtree",
            "--now",
            LATE,
            "--view",
            "live",
            "--ties",
            "3.11",
        ],
    )
    .exits(0);
    for tree in ["early.mtree", "late.mtree", "live.mtree"] {
        run(dir.path(), &["verify", "table", tree])
            .exits(0)
            .tells_nothing();
        run(dir.path(), &["compare", "table", tree])
            .exits(0)
            .tells_nothing();
        run(dir.path(), &["compare", tree, "table"])
            .exits(0)
            .tells_nothing();
        let trees = ["diff", "table", "table", "--trees", tree, tree];
        run(dir.path(), &trees).exits(0).tells_nothing();
    }
    // What is asked for counts.
    run(
        dir.path(),
        &["verify", "table", "early.mtree", "--now", LATE],
    )
    .exits(1)
    .tells("expiry was judged at different instants");
    run(
        dir.path(),
        &["verify", "table", "early.mtree", "--view", "live"],
    )
    .exits(2)
    .tells("--view");
    run(
        dir.path(),
        &["verify", "table", "early.mtree", "--gc-before", "0"],
    )
    .exits(0)
    .tells("tombstones were left out up to different instants");
}

#[test]
fn trees_beside_snapshots_bring_their_instant() {
    let dir = prepared();
    copy(&dir.path().join("other"), &["nb-1-", "nb-2-", "schema.cql"]);
    run(dir.path(), &["build", "table", "other", "--now", LATE]).exits(0);
    let late = run(dir.path(), &["diff", "table", "other"]).exits(1);
    let late = late.tells("using the trees");
    run(
        dir.path(),
        &["diff", "table", "other", "--no-trees", "--now", LATE],
    )
    .exits(1)
    .prints_exactly(&late.stdout);
    run(dir.path(), &["build", "table", "--now", EARLY, "--force"]).exits(0);
    run(dir.path(), &["diff", "table", "other", "--now", LATE])
        .exits(1)
        .tells("not using the trees")
        .prints_exactly(&late.stdout);
    run(dir.path(), &["diff", "table", "other"])
        .exits(1)
        .tells("not using the trees");
    let trees = ["--trees", "early.mtree", "other.mtree"];
    let ran = mdiff(["diff", "table", "other"])
        .args(trees)
        .in_dir(&dir)
        .run();
    ran.exits(1).tells(EARLY).tells(LATE);
}

#[test]
fn a_patch_is_tried_on_its_base_as_it_was_seen() {
    let dir = prepared();
    copy(&dir.path().join("other"), &["nb-1-", "nb-2-", "schema.cql"]);
    run(
        dir.path(),
        &["patch", "other", "table", "-o", "p.mpatch", "--now", LATE],
    )
    .exits(0);
    run(dir.path(), &["apply", "other", "p.mpatch", "--dry-run"]).exits(0);
    run(
        dir.path(),
        &["apply", "other", "p.mpatch", "--dry-run", "--now", EARLY],
    )
    .exits(1);
}
