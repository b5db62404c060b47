//! A rotten block: an error that names the place, or with `--keep-going` a tree, a comparison and a repair that never take it
//! for sound.

mod common;
use common::*;

/// A folder with `good.sst`, `bad.sst` (the same with one bit flipped in a data block) and `other.sst` (with other rows).
fn damaged(seed: u64, compression: &str) -> (tempfile::TempDir, Rows) {
    let dir = tempfile::tempdir().unwrap();
    let rows = many_rows(2000, 100, seed);
    let good = sst_bytes(&rows, compression);
    let mut other = rows.clone();
    other.insert(b"row 0000009".to_vec(), b"another".to_vec());
    other.remove(b"row 0001990".as_slice());
    other.insert(b"row 0001000x".to_vec(), b"more".to_vec());
    let mut bad = sst_bytes(&other, compression);
    // Data blocks are most of the file, and all of its first half.
    let at = 20_000 + Random(seed).below(good.len() as u64 / 2 - 20_000) as usize;
    bad[at] ^= 1 << (seed % 8);
    std::fs::write(dir.path().join("good.sst"), good).unwrap();
    std::fs::write(dir.path().join("bad.sst"), bad).unwrap();
    std::fs::write(dir.path().join("sound.sst"), sst_bytes(&other, compression)).unwrap();
    (dir, rows)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn a_rotten_block_is_an_error_that_names_the_place() {
    for seed in 0..rounds(4, 40) {
        let (dir, _) = damaged(seed, ["none", "lz4"][seed as usize % 2]);
        let commands: [&[&str]; 8] = [
            &["build", "bad.sst", "-o", "new"],
            &["compare", "good.sst", "bad.sst"],
            &["diff", "good.sst", "bad.sst"],
            &["diff", "bad.sst", "good.sst", "--json"],
            &["patch", "bad.sst", "good.sst", "-o", "new"],
            &["patch", "good.sst", "bad.sst", "-o", "new"],
            &["cat", "bad.sst"],
            &["convert", "bad.sst", "-o", "new", "--to", "sst"],
        ];
        for args in commands {
            let ran = mdiff(args).in_dir(&dir).run().exits(3);
            let ran = ran
                .tells("error: bad.sst: ")
                .tells(" at offset ")
                .tells(" (keys from \"");
            assert!(
                ran.stderr.contains("--keep-going"),
                "a hint: {}",
                ran.stderr
            );
            assert!(!ran.stdout.contains("no difference"), "{ran:#?}");
            assert!(
                !folder(&dir).contains_key("new"),
                "{args:?} wrote something"
            );
        }
    }
}

#[test]
fn keep_going_never_calls_it_equal_and_a_patch_restores_it() {
    let mut restored = 0;
    for seed in 0..rounds(6, 60) {
        let (dir, rows) = damaged(seed, ["none", "lz4", "zstd"][seed as usize % 3]);
        let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
        run(&["build", "good.sst", "-o", "good.mtree"]).exits(0);
        run(&["build", "sound.sst", "-o", "sound.mtree"]).exits(0);
        run(&["build", "bad.sst", "-o", "bad.mtree", "--keep-going"])
            .exits(3)
            .tells("warning: bad.sst: keys not read: ");

        let info = run(&["info", "bad.mtree"]);
        assert!(info.stdout.contains("unreadable"), "{info:#?}");

        // The same rows but for the block: still not the same.
        for sides in [
            ["sound.mtree", "bad.mtree"],
            ["bad.mtree", "sound.mtree"],
            ["bad.mtree", "bad.mtree"],
        ] {
            let ran = run(&["compare", sides[0], sides[1]]);
            assert_eq!(ran.code, Some(3), "{sides:?}: {ran:#?}");
            assert!(ran.stdout.contains("unreadable"), "{ran:#?}");
            let ran = run(&["compare", sides[0], sides[1], "--exit-zero", "--json"]);
            assert_eq!(ran.code, Some(3), "{ran:#?}");
            let document = json(&ran.stdout);
            assert!(
                !document.to_string().contains("\"equal\":true"),
                "{document}"
            );
        }
        run(&["verify", "bad.sst", "sound.mtree"]).exits(3);
        let ran = run(&["verify", "bad.sst", "sound.mtree", "--keep-going"]).exits(3);
        assert!(ran.stdout.contains("unreadable"), "{ran:#?}");
        run(&["verify", "sound.sst", "bad.mtree"]).exits(3);
        run(&["verify", "bad.sst", "bad.mtree", "--keep-going"]).exits(3);

        // Nothing can be taken from where nothing can be read.
        run(&[
            "patch",
            "good.sst",
            "bad.sst",
            "-o",
            "no.mpatch",
            "--keep-going",
        ])
        .exits(2);
        assert!(!folder(&dir).contains_key("no.mpatch"));

        run(&[
            "patch",
            "bad.sst",
            "good.sst",
            "-o",
            "fix.mpatch",
            "--keep-going",
            "--no-trees",
        ])
        .exits(3);
        run(&["apply", "bad.sst", "fix.mpatch", "-o", "fixed.sst"]).exits(3);
        assert!(!folder(&dir).contains_key("fixed.sst"));
        // The patch does not fit the sound file: its block is not what the patch restores.
        let ran = run(&[
            "apply",
            "sound.sst",
            "fix.mpatch",
            "-o",
            "fixed.sst",
            "--keep-going",
        ]);
        assert_ne!(ran.code, Some(0), "{ran:#?}");
        let ran = run(&[
            "apply",
            "bad.sst",
            "fix.mpatch",
            "-o",
            "fixed.sst",
            "--keep-going",
        ]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        let root = std::fs::read(dir.path().join("good.mtree")).unwrap();
        run(&["build", "fixed.sst", "-o", "fixed.mtree"]).exits(0);
        assert!(
            std::fs::read(dir.path().join("fixed.mtree")).unwrap() == root,
            "the tree of the target, to the byte"
        );
        run(&["compare", "good.sst", "fixed.sst"]).exits(0);
        run(&["verify", "fixed.sst", "good.mtree"]).exits(0);
        let printed = run(&["cat", "fixed.sst", "--json"]).exits(0).stdout;
        assert_eq!(printed.lines().count(), rows.len());
        restored += 1;
    }
    println!("{restored} rotten blocks restored");
}
