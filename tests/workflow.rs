//! The story of the README, told by the real binary: three replicas, one missed write, found, repaired and proven.

mod common;

use std::fs;
use std::path::Path;

use common::{Random, mdiff};

/// Rows of a replica as text; `user/0042` on c still has its old value.
fn replica(random: &mut Random, missed: bool) -> String {
    let mut lines: Vec<String> = (0..5000)
        .map(|i| {
            let email = if i == 42 && missed { "old" } else { "new" };
            format!("user/{i:04},{email}{i}@example.org,{}\n", i % 90)
        })
        .collect();
    // Replicas hold their rows in orders of their own.
    for i in (1..lines.len()).rev() {
        lines.swap(i, random.below(i as u64 + 1) as usize);
    }
    format!("id,email,age\n{}", lines.concat())
}

/// Runs the story on files that end in `ending`; `text` are the options that read them.
fn story(dir: &Path, ending: &str) {
    let name = |stem: &str| format!("{stem}.{ending}");
    let (a, b, c) = (name("a"), name("b"), name("c"));
    let run = |args: &[&str]| mdiff(args).in_dir(dir).run();

    // Each replica makes its tree where its snapshot lies.
    run(&["build", &a, &b, &c]).exits(0).prints("5,000 rows");
    let trees = [&a, &b, &c].map(|path| format!("{path}.mtree"));
    let [ta, tb, tc] = [&trees[0], &trees[1], &trees[2]];
    let small: u64 = fs::metadata(dir.join(ta)).unwrap().len();
    assert!(
        small * 8 < fs::metadata(dir.join(&a)).unwrap().len(),
        "{small} bytes of tree"
    );

    // The trees alone say who is wrong.
    run(&["compare", ta, tb]).exits(0).prints("same rows");
    run(&["compare", ta, tb, tc])
        .exits(1)
        .prints("different in 1 key range")
        .prints(&format!("r3 ({tc}) is the odd one out in 1 of 1 range"))
        .prints("r1 and r2 agree everywhere");
    run(&["compare", "-qq", ta, tc])
        .exits(1)
        .prints_nothing()
        .tells_nothing();

    // The snapshots say which row.
    let diff = run(&["diff", &c, &a, "--json"]).exits(1).stdout;
    assert_eq!(diff.lines().count(), 1, "{diff}");
    assert!(
        diff.contains("user/0042") && diff.contains("\"changed\""),
        "{diff}"
    );

    // The patch is small, fits c alone, and leads to a.
    run(&["patch", &c, &a, "-o", "fix.mpatch"])
        .exits(0)
        .prints("1 put and 0 deletes");
    assert!(fs::metadata(dir.join("fix.mpatch")).unwrap().len() < 1000);
    run(&["cat", "fix.mpatch"]).exits(0).prints("user/0042");
    let before = fs::read(dir.join(&c)).unwrap();
    let fixed = name("c-fixed");
    run(&["apply", &a, "fix.mpatch", "-o", &fixed])
        .exits(1)
        .prints_nothing();
    assert!(!dir.join(&fixed).exists());
    run(&["apply", &c, "fix.mpatch", "--dry-run"])
        .exits(0)
        .prints("the patch fits");
    assert!(!dir.join(&fixed).exists());
    run(&["apply", &c, "fix.mpatch", "-o", &fixed])
        .exits(0)
        .prints("proven to have the target's root");
    assert_eq!(
        fs::read(dir.join(&c)).unwrap(),
        before,
        "the base was touched"
    );
    run(&["apply", &fixed, "fix.mpatch", "-o", &name("twice")]).exits(1);

    // Proven again, from the files.
    run(&["verify", &fixed, ta]).exits(0).prints("same rows");
    run(&["verify", &c, ta])
        .exits(1)
        .prints("different in 1 key range");
    run(&["compare", &a, &b, &fixed])
        .exits(0)
        .prints("same rows");
    run(&["diff", &fixed, &a]).exits(0).prints_nothing();

    // And back.
    run(&["patch", &a, &c, "-o", "undo.mpatch"]).exits(0);
    run(&["apply", &fixed, "undo.mpatch", "-o", &name("c-again")]).exits(0);
    run(&["verify", &name("c-again"), tc]).exits(0);
    let litter: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.') || name.contains("tmp"))
        .collect();
    assert!(litter.is_empty(), "{litter:?}");
}

fn three_replicas(dir: &Path) {
    for (seed, name) in ["a", "b", "c"].into_iter().enumerate() {
        let text = replica(&mut Random(seed as u64), name == "c");
        fs::write(dir.join(format!("{name}.csv")), text).unwrap();
    }
}

#[test]
fn one_missed_write_is_found_and_repaired_in_text() {
    let dir = tempfile::tempdir().unwrap();
    three_replicas(dir.path());
    story(dir.path(), "csv");
}

#[test]
fn one_missed_write_is_found_and_repaired_in_table_files() {
    let dir = tempfile::tempdir().unwrap();
    three_replicas(dir.path());
    for (name, compression) in [("a", "none"), ("b", "zstd"), ("c", "lz4")] {
        let (from, to) = (format!("{name}.csv"), format!("{name}.sst"));
        mdiff(["convert", &from, "-o", &to, "--compression", compression])
            .in_dir(&dir)
            .run()
            .exits(0);
    }
    story(dir.path(), "sst");
}

#[test]
fn shards_make_the_tree_of_all_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(7);
    let text = replica(&mut random, false);
    fs::write(dir.path().join("whole.csv"), &text).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut shards = vec![format!("{header}\n"); 3];
    for row in rows.lines() {
        shards[random.below(3) as usize] += &format!("{row}\n");
    }
    for (i, shard) in shards.iter().enumerate() {
        fs::write(dir.path().join(format!("{i}.csv")), shard).unwrap();
        let (from, to) = (format!("{i}.csv"), format!("{i}.sst"));
        mdiff(["convert", &from, "-o", &to])
            .in_dir(&dir)
            .run()
            .exits(0);
    }
    let build = |args: &[&str], out: &str| {
        let ran = mdiff(["build", "-o", out]).args(args).in_dir(&dir).run();
        ran.exits(0);
        fs::read(dir.path().join(out)).unwrap()
    };
    let whole = build(&["whole.csv"], "whole.mtree");
    let names = ["2.csv", "0.csv", "1.csv"];
    assert_eq!(build(&names, "joined.mtree"), whole);
    assert_eq!(
        build(&[&names[..], &["-j1", "--no-mmap"]].concat(), "one.mtree"),
        whole
    );
    mdiff(["convert", "whole.csv", "-o", "whole.sst"])
        .in_dir(&dir)
        .run()
        .exits(0);
    let tables = build(&["0.sst", "1.sst", "2.sst"], "joined-sst.mtree");
    assert_eq!(tables, build(&["whole.sst"], "whole-sst.mtree"));
    let range = ["--from=user/1000", "--to=user/3000"];
    let part = build(&[&names[..], &range].concat(), "part.mtree");
    assert_eq!(
        part,
        build(&[&["whole.csv"][..], &range].concat(), "whole-part.mtree")
    );

    fs::write(
        dir.path().join("extra.csv"),
        "age,id,email\n1,user/0007,x\n",
    )
    .unwrap();
    mdiff([
        "build",
        "whole.csv",
        "extra.csv",
        "-o",
        "no.mtree",
        "--key=id",
    ])
    .in_dir(&dir)
    .run()
    .exits(3)
    .tells("stands twice")
    .tells("whole.csv")
    .tells("extra.csv");
    mdiff(["build", "0.sst", "./0.sst", "-o", "no.mtree"])
        .in_dir(&dir)
        .run()
        .exits(2)
        .tells("named twice");
    // Tables have no other order than their sequence numbers, which are all 0 here.
    mdiff(["convert", "extra.csv", "-o", "extra.sst", "--key=id"])
        .in_dir(&dir)
        .run()
        .exits(0);
    mdiff(["build", "whole.sst", "extra.sst", "-o", "no.mtree"])
        .in_dir(&dir)
        .run()
        .exits(3)
        .tells("same sequence number")
        .tells("whole.sst")
        .tells("extra.sst");
    mdiff(["build", "0.csv", "1.sst", "-o", "no.mtree"])
        .in_dir(&dir)
        .run()
        .exits(2)
        .tells("no shards of one replica");
    assert!(!dir.path().join("no.mtree").exists());
}
