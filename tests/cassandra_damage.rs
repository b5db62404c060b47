//! A rotten chunk of a Cassandra SSTable: an error that names the place, or with `--keep-going` a tree, a comparison and a
//! patch that never take it for sound. And digests of whole files.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{Ran, mdiff, rounds, testdata};

const NOW: &str = "2026-11-24T00:00:00Z";

fn run(dir: &Path, args: &[&str]) -> Ran {
    mdiff(args).args(["--no-progress"]).in_dir(dir).run()
}

/// A folder with the snapshot as `good` and `bad`, of the latter one byte changed.
fn damaged(case: &str, data: &str, at: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["good", "bad"] {
        let to = dir.path().join(name);
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(testdata("cassandra").join(case))
            .unwrap()
            .flatten()
        {
            fs::write(to.join(file.file_name()), fs::read(file.path()).unwrap()).unwrap();
        }
    }
    let path = dir.path().join("bad").join(data);
    let mut bytes = fs::read(&path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
    dir
}

#[test]
fn a_rotten_chunk_is_never_taken_for_sound_and_a_patch_restores_it() {
    let mut kept = 0;
    for (case, data) in [
        ("nb-comp_lz4", "nb-1-big-Data.db"),
        ("nb-comp_none", "nb-1-big-Data.db"),
        ("me-tombstones", "me-2-big-Data.db"),
    ] {
        for seed in 0..rounds(2, 40) {
            let dir = damaged(case, data, seed as usize * 9001 + 5);
            let dir = dir.path();
            for args in [
                &["build", "bad", "-o", "new"][..],
                &["compare", "good", "bad"],
                &["diff", "good", "bad"],
                &["cat", "bad"],
            ] {
                let ran = run(dir, args).exits(3).tells(data).tells("checksum");
                ran.tells("--keep-going");
            }
            assert!(!dir.join("new").exists());
            run(dir, &["build", "good", "-o", "good.mtree", "--now", NOW]).exits(0);
            run(
                dir,
                &[
                    "build",
                    "bad",
                    "-o",
                    "bad.mtree",
                    "--now",
                    NOW,
                    "--keep-going",
                ],
            )
            .exits(3)
            .tells("keys not read: the checksum");
            let compared = run(dir, &["compare", "good.mtree", "bad.mtree"]).exits(3);
            compared.prints("unreadable on right");
            run(dir, &["verify", "bad", "good.mtree", "--keep-going"]).exits(3);

            // What is read is sound, and no more is missing than what the tree says.
            let lines = |folder: &str, options: &[&str]| -> BTreeSet<String> {
                let ran = mdiff(["cat", folder, "--now", NOW])
                    .args(options)
                    .in_dir(dir)
                    .run();
                ran.stdout.lines().map(str::to_owned).collect()
            };
            let (good, bad) = (lines("good", &[]), lines("bad", &["--keep-going"]));
            if case != "me-tombstones" {
                assert!(bad.is_subset(&good), "{case}, seed {seed}");
                assert!(bad.len() < good.len());
                kept += bad.len();
            }
            let patch = [
                "patch",
                "bad",
                "good",
                "-o",
                "fix.mpatch",
                "--keep-going",
                "--now",
                NOW,
            ];
            run(dir, &patch).exits(3);
            run(dir, &["apply", "bad", "fix.mpatch", "--dry-run"]).exits(3);
            run(
                dir,
                &["apply", "bad", "fix.mpatch", "--dry-run", "--keep-going"],
            )
            .exits(0)
            .prints(&format!("lead to the target's {} rows", good.len()));
        }
    }
    // The chunks behind a rotten one are read.
    assert!(kept > 150, "{kept}");
}

#[test]
fn a_digest_that_does_not_match_is_damage_once_all_was_read() {
    let dir = damaged("nb-comp_lz4", "nb-1-big-Digest.crc32", 0);
    let dir = dir.path();
    run(dir, &["build", "good", "-o", "good.mtree", "--now", NOW]).exits(0);
    for args in [
        &["build", "bad", "-o", "bad.mtree"][..],
        &["verify", "bad", "good.mtree"],
        &["compare", "bad", "good"],
    ] {
        run(dir, args).exits(3).tells("Digest.crc32");
    }
    assert!(!dir.join("bad.mtree").exists());
    // A part, or past damage: each chunk has a checksum of its own.
    run(dir, &["build", "bad", "-o", "part.mtree", "--from", "1"]).exits(0);
    run(dir, &["verify", "bad", "good.mtree", "--keep-going"]).exits(0);
    run(dir, &["cat", "bad"]).exits(0);
}
