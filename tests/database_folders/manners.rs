//! A folder is only read: nothing is written into it, no lock is taken, and a few open files are enough.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::*;
use crate::folders::*;

/// Names, sizes, times and modes of all that a folder holds, itself too.
fn state(dir: &Path) -> BTreeMap<String, (u64, i64, i64, i64, u32, u64)> {
    let of = |path: &Path| {
        let meta = fs::metadata(path).unwrap();
        let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime_nsec());
        (
            meta.len(),
            times.0,
            times.1,
            times.2,
            meta.mode(),
            meta.ino(),
        )
    };
    let mut state = BTreeMap::from([(".".to_owned(), of(dir))]);
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        state.insert(short(&path), of(&path));
    }
    state
}

/// Every command that reads snapshots.
fn every_command(dir: &Path) {
    let db = dir.join("db");
    let db = text(&db);
    let run = |args: &[&str]| mdiff(args).in_dir(dir).run();
    run(&["build", db, "-o", "db.mtree"]).exits(0);
    run(&["verify", db, "db.mtree"]).exits(0);
    run(&["compare", db, db]).exits(0);
    run(&["compare", db, "db.mtree"]).exits(0);
    run(&["diff", db, db]).exits(0);
    run(&["patch", db, db, "-o", "none.mpatch"]).exits(0);
    run(&["cat", db, "--limit", "3"]).exits(0);
    run(&["info", db]).exits(0);
    run(&["convert", db, "--table", "default", "-o", "rows.jsonl"]).exits(0);
}

#[test]
fn nothing_is_written_into_the_folder() {
    for case in cases(&[testdata("lsm")]) {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        copy_dir(&case.db, &db);
        let before = state(&db);
        every_command(dir.path());
        assert_eq!(state(&db), before, "{}", case.name);
    }
}

/// The folder and its files can't be written, as on a read-only mount. Root may write all the same, so the modes tell nothing to
/// root; the listing above does.
#[test]
fn a_folder_that_cannot_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let case = &cases(&[testdata("lsm")])[0];
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    copy_dir(&case.db, &db);
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for entry in fs::read_dir(&db).unwrap() {
        mode(&entry.unwrap().path(), 0o444);
    }
    mode(&db, 0o555);
    every_command(dir.path());
    assert_same(&case.name, &cat(&db), &case.rows);
    mode(&db, 0o755);
}

const HOLD: &str = "
import fcntl, sys
lock = open(sys.argv[1], 'r+')
fcntl.lockf(lock, fcntl.LOCK_EX)
print('held', flush=True)
sys.stdin.read()
";

#[test]
fn a_held_lock_is_warned_about_and_the_answer_given() {
    for case in cases(&[testdata("lsm")]) {
        if !case.db.join("LOCK").exists() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        copy_dir(&case.db, &db);
        let told = |stderr: &str| stderr.to_lowercase().contains("lock");
        let quiet = mdiff(["build", text(&db), "-o", "a.mtree"])
            .in_dir(&dir)
            .run();
        assert!(!told(&quiet.exits(0).stderr), "nobody holds it");
        let holder = Command::new("python3")
            .args(["-c", HOLD, text(&db.join("LOCK"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut holder) = holder else {
            return skipped("a held LOCK: python3 is missing");
        };
        let mut line = String::new();
        let mut out = BufReader::new(holder.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        let ran = mdiff(["build", text(&db), "-o", "b.mtree"])
            .in_dir(&dir)
            .run()
            .exits(0);
        assert!(
            told(&ran.stderr) && ran.stderr.contains("warning"),
            "{ran:#?}"
        );
        assert_same(&case.name, &cat(&db), &case.rows);
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success(), "the lock was not taken");
        let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
        assert!(read("a.mtree") == read("b.mtree"));
    }
}

/// As many tables as a neglected node has, under few open files.
#[test]
fn far_more_tables_than_open_files_are_read() {
    // Written by real software, one flush each: fewer of them where there is little time.
    let tables = rounds(300, 10_000) as usize;
    let open = rounds(128, 1024);
    let dir = quick_tempdir();
    let out = dir.path().join("made");
    if make(&["many", text(&out), &tables.to_string()], &[]).is_none() {
        return skipped("many tables: no RocksDB here");
    }
    let db = out.join("db");
    let count = fs::read_dir(&db)
        .unwrap()
        .filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            path.extension().is_some_and(|ending| ending == "sst")
        })
        .count();
    assert!(count >= tables - tables / 100, "{count} tables");
    let known = made_rows(&out);
    for more in [&[][..], &["--no-mmap"]] {
        let command = format!(
            "ulimit -n {open}; exec \"$0\" cat \"$1\" --json {}",
            more.join(" ")
        );
        let output = Command::new("bash")
            .args(["-c", &command, env!("CARGO_BIN_EXE_mdiff"), text(&db)])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        let ran = Ran {
            line: command,
            code: output.status.code(),
            signal: None,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stdout_bytes: Vec::new(),
            stderr: said,
        };
        assert_same("many tables", &printed(&ran), &known);
    }
    println!("{count} tables under {open} open files");
}

/// A compaction of a live node deletes tables under our eyes.
#[test]
fn a_file_that_vanishes_is_an_error_that_names_it() {
    let case = cases(&[testdata("lsm")])
        .into_iter()
        .find(|case| case.name.ends_with("db-snapshot-held"))
        .unwrap();
    let tables = |db: &Path| -> Vec<_> {
        let entries = fs::read_dir(db).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.extension().is_some_and(|ending| ending == "ldb"))
            .collect()
    };
    // Before the run.
    for vanished in tables(&case.db) {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        copy_dir(&case.db, &db);
        let name = vanished.file_name().unwrap().to_str().unwrap();
        fs::remove_file(db.join(name)).unwrap();
        let ran = mdiff(["build", text(&db), "-o", "no.mtree"])
            .in_dir(&dir)
            .run();
        ran.exits(3).tells("error: ").tells(name).prints_nothing();
        assert!(!dir.path().join("no.mtree").exists());
    }
    // During it: the process stops at its first read of CURRENT's MANIFEST, and goes on when the tables are gone.
    vanishing_during_the_run(&case);
}

fn vanishing_during_the_run(case: &Case) {
    use mdiff::build::{BuildOptions, build_in_memory};
    use mdiff::progress::Progress;
    use mdiff::source::{self, SourceOptions};
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    copy_dir(&case.db, &db);
    let snapshot = source::open(&db, &SourceOptions::default()).unwrap();
    for entry in fs::read_dir(&db).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "ldb") {
            fs::remove_file(path).unwrap();
        }
    }
    // Either it holds the files already and reads them to the end, or it says which is gone: never other rows.
    let built = build_in_memory(
        snapshot.as_ref(),
        &db,
        &BuildOptions::default(),
        &Progress::default(),
    );
    match built.and_then(|tree| snapshot.check_unchanged().map(|()| tree)) {
        Ok(tree) => {
            let rows = tree.table("default").unwrap().header().summary.rows;
            assert_eq!(rows as usize, case.rows["default"].len());
        }
        Err(error) => {
            assert!(matches!(error.exit_code(), 2 | 3), "{error}");
            assert!(error.to_string().contains(".ldb"), "{error}");
        }
    }
}
