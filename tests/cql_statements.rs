//! The statements of `mdiff cat PATCH --format cql`, run on a small model of last-write-wins, make of the base the target.
//!
//! The model shares nothing with mdiff: it reads what `mdiff cat --json` prints of a snapshot, parses the statements with a
//! parser of its own, and keeps the strongest write of each place.

mod common;
#[path = "cql_statements/language.rs"]
mod language;
#[path = "cql_statements/model.rs"]
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use language::run;
use model::{Model, NOW, Shape};

fn ran(args: &[&str]) -> Ran {
    mdiff(args).run()
}

/// Makes the patch of two folders, or of the base and other replicas that make up the target together; runs its statements on the
/// model of the base. Returns how many there were, and comments.
fn check(
    name: &str,
    base: &Path,
    others: &[PathBuf],
    target: &Path,
    shape: &Shape,
    complex: &[&str],
    with_base: bool,
) -> (usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    let (base, target) = (base.to_str().unwrap(), target.to_str().unwrap());
    let patch = dir.path().join("p.1.mpatch");
    let patch = patch.to_str().unwrap();
    let now = NOW.to_string();
    match others {
        [] => mdiff(["patch", base, target, "--reversible", "-o", patch])
            .args(["--now", &now])
            .run()
            .exits(0),
        others => mdiff(["reconcile", base, "-o", "p", "--now", &now])
            .args(others)
            .in_dir(dir.path())
            .run()
            .exits(1),
    };
    let mut args = vec![
        "cat", patch, "--format", "cql", "--now", &now, "--table", "fx.t",
    ];
    if with_base {
        args.extend(["--base", base]);
    }
    let printed = ran(&args);
    assert!(matches!(printed.code, Some(0 | 1)), "{printed:#?}");
    let comments: Vec<&str> = printed
        .stdout
        .lines()
        .filter(|line| line.starts_with("-- not expressible: "))
        .collect();
    assert_eq!(
        printed.code,
        Some(i32::from(!comments.is_empty())),
        "{}",
        printed.stderr
    );
    let model = |folder: &str| {
        let json = ran(&["cat", folder, "--json", "--now", &now])
            .exits(0)
            .stdout;
        Model::of_snapshot(&json, shape)
    };
    let (mut ours, theirs) = (model(base), model(target));
    let complex: BTreeSet<String> = complex.iter().map(|name| name.to_string()).collect();
    let statements: Vec<&str> = printed
        .stdout
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let rows: BTreeSet<_> = ours
        .rows
        .keys()
        .chain(theirs.rows.keys())
        .cloned()
        .collect();
    let before = ours.seen(shape, &rows);
    for statement in &statements {
        run(&mut ours, statement, shape, &complex);
    }
    let (ours, theirs) = (ours.seen(shape, &rows), theirs.seen(shape, &rows));
    if with_base {
        for (place, value) in &theirs {
            assert_eq!(ours.get(place), Some(value), "{name}: {place}");
        }
        for place in ours.keys() {
            assert!(
                theirs.contains_key(place),
                "{name}: {place} {}",
                ours[place]
            );
        }
    }
    assert_ne!(before, theirs, "{name}: nothing to do");
    println!(
        "{name}: {} statements, {} not expressible",
        statements.len(),
        comments.len()
    );
    for comment in &comments {
        let is_list = comment.contains(" of the list ");
        assert!(is_list || !with_base, "{name}: {comment}");
    }
    (statements.len(), comments.len())
}

/// A folder with one SSTable of another, and the schema.
fn one_of(folder: &Path, generation: &str, dir: &Path) -> PathBuf {
    for item in fs::read_dir(folder).unwrap().flatten() {
        let name = item.file_name().into_string().unwrap();
        if name.contains(&format!("-{generation}-")) && !name.starts_with("sstable")
            || name == "schema.cql"
        {
            fs::copy(item.path(), dir.join(name)).unwrap();
        }
    }
    dir.to_owned()
}

fn shape(key: &[&str], clustering: &[&str], lists: &[&str]) -> Shape {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| name.to_string())
            .collect::<Vec<_>>()
    };
    Shape {
        key: owned(key),
        clustering: owned(clustering),
        lists: owned(lists).into_iter().collect(),
        fields: BTreeMap::from([("u".to_string(), owned(&["name", "home"]))]),
    }
}

#[test]
fn statements_make_the_target_of_the_base() {
    let mut cases = vec![
        ("da-static_cols", testdata("cassandra/da-static_cols")),
        ("me-tombstones", testdata("cassandra/me-tombstones")),
        ("nb-collections", testdata("cassandra/nb-collections")),
    ];
    let shared = shared_fixtures().map(|fixtures| fixtures.join("cassandra"));
    if let Some(shared) = &shared {
        for name in [
            "nb-tombstones",
            "oa-tombstones",
            "me-static_cols",
            "nb-ttls",
            "da-ttls",
            "oa-collections",
        ] {
            cases.push((name, shared.join(name)));
        }
    }
    for (name, folder) in &cases {
        let (shape, complex): (_, &[&str]) = match name.split_once('-').unwrap().1 {
            "static_cols" => (shape(&["pk"], &["ck"], &[]), &["sm"]),
            "tombstones" => (shape(&["pk"], &["c1", "c2"], &[]), &[]),
            "ttls" => (shape(&["k"], &[], &[]), &[]),
            _ => (
                shape(&["k"], &[], &["l"]),
                &["l", "s", "m", "ml", "u", "su"],
            ),
        };
        let dir = tempfile::tempdir().unwrap();
        let [base, second, third] = ["1", "2", "3"].map(|generation| {
            let dir = dir.path().join(generation);
            fs::create_dir(&dir).unwrap();
            one_of(folder, generation, &dir)
        });
        let (statements, _) = check(name, &base, &[], folder, &shape, complex, true);
        assert!(statements > 0, "{name}");
        check(name, &base, &[], folder, &shape, complex, false);
        let mut others = vec![second, third];
        others.retain(|dir| fs::read_dir(dir).unwrap().count() > 1);
        check(name, &base, &others, folder, &shape, complex, true);
    }
    let Some(shared) = shared else {
        return skipped("the larger set of Cassandra's fixtures");
    };
    let orders = fs::read_dir(shared.join("nb-orders/fx"))
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let moment = |name: &str| orders.path().join("snapshots").join(name);
    let shape = shape(&["cust"], &["id"], &["items"]);
    let (statements, comments) = check(
        "nb-orders",
        &moment("before"),
        &[],
        &moment("after"),
        &shape,
        &["items", "attrs"],
        true,
    );
    assert!(statements > 20 && comments == 8);
}

#[test]
fn what_is_not_of_cassandra_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "id,v\n1,x\n").unwrap();
    fs::write(dir.path().join("b.csv"), "id,v\n1,y\n").unwrap();
    mdiff(["patch", "a.csv", "b.csv", "--key", "id", "-o", "p.mpatch"])
        .in_dir(dir.path())
        .run()
        .exits(0);
    mdiff(["cat", "p.mpatch", "--format", "cql", "--table", "k.t"])
        .in_dir(dir.path())
        .run()
        .exits(2)
        .tells("not of Cassandra");
    let folder = testdata("cassandra/nb-collections");
    let target = folder.to_str().unwrap();
    let base = one_of(&folder, "1", &{
        let base = dir.path().join("base");
        fs::create_dir(&base).unwrap();
        base
    });
    let base = base.to_str().unwrap();
    let patch = |view: &str| {
        ran(&[
            "patch",
            base,
            target,
            "--view",
            view,
            "-o",
            dir.path().join(view).to_str().unwrap(),
        ])
        .exits(0)
    };
    patch("live");
    patch("cells");
    let cat = |file: &str| mdiff(["cat", file, "--format", "cql"]).in_dir(dir.path());
    cat("live")
        .args(["--table", "k.t"])
        .run()
        .exits(2)
        .tells("live views");
    cat("cells")
        .run()
        .exits(2)
        .tells("--table KEYSPACE.TABLE")
        .prints_nothing();
}
