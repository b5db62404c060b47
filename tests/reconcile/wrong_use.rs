//! Wrong use: each told in words of its own, and nothing written.

use std::fs;

use super::common::{Ran, mdiff, testdata};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.csv", "id,v,ver\n1,x,1\n2,y,1\n"),
            ("b.csv", "id,v,ver\n1,x,1\n2,z,2\n"),
            ("other.csv", "id,w,ver\n1,x,1\n"),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Folder(dir)
    }

    fn run(&self, args: &[&str]) -> Ran {
        mdiff(["reconcile"]).args(args).in_dir(&self.0).run()
    }

    fn names(&self) -> Vec<String> {
        let items = fs::read_dir(&self.0).unwrap().flatten();
        let mut names: Vec<_> = items
            .map(|item| item.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn what_can_not_be_reconciled_is_told_and_nothing_is_written() {
    let dir = Folder::new();
    mdiff(["build", "a.csv", "-o", "a.mtree"])
        .in_dir(&dir.0)
        .run()
        .exits(0);
    let before = dir.names();
    let cassandra = |case: &str| {
        let path = testdata("cassandra").join(case);
        path.to_str().unwrap().to_owned()
    };
    let [tombstones, collections] = ["me-tombstones", "nb-collections"].map(cassandra);
    let demo = testdata("demo/replica-1.sst");
    let demo = demo.to_str().unwrap();
    let version = ["--version-column", "ver"];
    for (args, what) in [
        (&["a.csv"][..], "1 snapshot to reconcile"),
        (&["a.csv"; 17], "17 snapshots to reconcile"),
        (
            &["a.csv", "a.mtree"],
            "is a tree, where a snapshot is wanted",
        ),
        (
            &["a.csv", "b.csv"],
            "nothing tells which of two rows is newer",
        ),
        (
            &["a.csv", "b.csv", "--version-column", "id"],
            "one of the key's",
        ),
        (
            &["a.csv", "b.csv", "--version-column", "no"],
            "no version column no",
        ),
        (
            &["a.csv", "other.csv"],
            "a.csv (left) and other.csv (right): the columns differ",
        ),
        (&[&tombstones, &collections], "type of the partition key"),
        (&[&tombstones, "a.csv"], "can't be compared"),
        (
            &[&tombstones, &tombstones, "--view", "live"],
            "live view has no timestamps",
        ),
        (
            &[&tombstones, &tombstones, "--version-column", "v"],
            "timestamps of their own",
        ),
        (&[demo, demo], "opaque keys and values have no versions"),
        (&["a.csv", "b.csv", "--trees", "a.mtree"], "--trees"),
        (
            &["a.csv", "b.csv", "--trees", "a.mtree", "a.mtree", "a.mtree"],
            "3 trees given for 2 snapshots",
        ),
        (
            &["a.csv", "b.csv", "--keep-going"],
            "may hold the last write",
        ),
        (
            &["a.csv", "b.csv", "--table", "no", version[0], version[1]],
            "no table \"no\"",
        ),
        (
            &["a.csv", "missing.csv", version[0], version[1]],
            "missing.csv",
        ),
    ] {
        dir.run(&[args, &["-o", "fix"]].concat())
            .exits(2)
            .tells(what)
            .prints_nothing();
        assert_eq!(dir.names(), before, "{args:?}");
    }
    dir.run(&["a.csv", "b.csv"]).exits(2).tells("--output");
}

#[test]
fn outputs_are_not_replaced_unasked_and_a_dry_run_writes_none() {
    let dir = Folder::new();
    let all =
        |more: &[&str]| dir.run(&[&["a.csv", "b.csv", "--version-column", "ver"], more].concat());
    let before = dir.names();
    let dry = all(&["--dry-run"]).exits(1).stdout;
    assert_eq!(dir.names(), before);
    assert_eq!(
        dry,
        "1 row differs\n  taken from a.csv: 0 rows\n  taken from b.csv: 1 row\na.csv: 1 put, 0 deletes\nb.csv: lacks nothing\n"
    );
    fs::write(dir.0.path().join("fix.2.mpatch"), "mine").unwrap();
    all(&["-o", "fix"])
        .exits(2)
        .tells("fix.2.mpatch exists already");
    assert!(!dir.names().contains(&"fix.1.mpatch".to_owned()));
    all(&["-o", "fix", "--force"]).exits(1);
    all(&["-o", "fix", "--force", "--exit-zero"]).exits(0);
    mdiff(["apply", "b.csv", "fix.2.mpatch", "-o", "same.csv"])
        .in_dir(&dir.0)
        .run()
        .exits(0);
    mdiff(["apply", "a.csv", "fix.1.mpatch", "-o", "b2.csv"])
        .in_dir(&dir.0)
        .run()
        .exits(0);
    let read = |name: &str| fs::read(dir.0.path().join(name)).unwrap();
    assert_eq!(read("b2.csv"), read("b.csv"));
    assert_eq!(read("same.csv"), read("b.csv"));
    // The base of one patch is not that of another.
    mdiff(["apply", "a.csv", "fix.2.mpatch", "-o", "no.csv"])
        .in_dir(&dir.0)
        .run()
        .exits(1);
}

#[test]
fn trees_built_before_give_the_same_patches_and_stale_ones_are_found_out() {
    let dir = Folder::new();
    let build = |name: &str| {
        mdiff([
            "build",
            &format!("{name}.csv"),
            "-o",
            &format!("{name}.mtree"),
        ])
        .in_dir(&dir.0)
        .run()
        .exits(0);
    };
    build("a");
    build("b");
    let all =
        |more: &[&str]| dir.run(&[&["a.csv", "b.csv", "--version-column", "ver"], more].concat());
    let trees = ["--trees", "a.mtree", "b.mtree"];
    all(&["-o", "one", "--no-trees"]).exits(1);
    all(&[&trees[..], &["-o", "two"]].concat()).exits(1);
    for number in ["1", "2"] {
        let read =
            |name: &str| fs::read(dir.0.path().join(format!("{name}.{number}.mpatch"))).unwrap();
        assert_eq!(read("one"), read("two"));
    }
    fs::write(dir.0.path().join("b.csv"), "id,v,ver\n1,x,1\n2,q,3\n").unwrap();
    all(&[&trees[..], &["-o", "three"]].concat())
        .exits(2)
        .tells("tree");
    assert!(!dir.names().iter().any(|name| name.starts_with("three")));
}
