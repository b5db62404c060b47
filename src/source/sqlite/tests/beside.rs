//! Logs and journals beside a database; nothing is written there.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;
use crate::error::ErrorKind;

/// What can be seen of every file: its bytes, times, owner, mode.
fn seen(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, [i64; 8])> {
    let items = fs::read_dir(folder)
        .unwrap()
        .map(|item| item.unwrap().path());
    items
        .map(|path| {
            let m = fs::metadata(&path).unwrap();
            let facts = [
                m.mtime(),
                m.mtime_nsec(),
                m.ctime(),
                m.ctime_nsec(),
                m.nlink() as i64,
                m.uid().into(),
                m.mode().into(),
                m.ino() as i64,
            ];
            (path.clone(), (fs::read(&path).unwrap(), facts))
        })
        .collect()
}

/// A copy of a database and what is beside it while it is open: as a backup of files takes it.
fn copied(live: &Path) -> Made {
    let made = Made::nothing();
    for ending in ["", "-wal", "-journal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        if name(live).exists() {
            fs::copy(name(live), name(&made.path)).unwrap();
        }
    }
    made
}

fn wal(made: &Made) -> PathBuf {
    PathBuf::from(format!("{}-wal", made.path.display()))
}

/// In WAL mode: row 1 is in the file, row 2 in the log, row 3 written but not committed, row 4 in the log behind it.
fn with_wal() -> Made {
    let live = Made::nothing();
    let connection = Connection::open(&live.path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);
             INSERT INTO t VALUES(1, 'file'); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES(2, 'log')",
        )
        .unwrap();
    copied(&live.path)
}

fn no_wal() -> SourceOptions {
    let mut options = SourceOptions::default();
    options.database.no_wal = true;
    options
}

#[test]
fn what_the_log_commits_counts() {
    let made = with_wal();
    let before = seen(made.folder.path());
    let wanted = shown([("1", "v=file"), ("2", "v=log")]);
    assert_eq!(made.rows("t"), wanted);
    let snapshot = open(&made.path, &no_wal()).unwrap();
    assert_eq!(rows(&*snapshot, "t").unwrap(), shown([("1", "v=file")]));
    assert!(seen(made.folder.path()) == before);

    // Through a symbolic link, the log is the one beside the file.
    let link = made.folder.path().join("link");
    std::os::unix::fs::symlink(&made.path, &link).unwrap();
    let snapshot = open(&link, &SourceOptions::default()).unwrap();
    assert_eq!(rows(&*snapshot, "t").unwrap(), wanted);
}

#[test]
fn a_log_counts_up_to_its_last_commit() {
    let made = with_wal();
    let whole = fs::read(wal(&made)).unwrap();
    let (both, one) = (
        shown([("1", "v=file"), ("2", "v=log")]),
        shown([("1", "v=file")]),
    );
    // A tail that was never finished, or is of an older log, is none.
    let mut tail = whole.clone();
    tail.extend_from_slice(&whole[32..]);
    for (bytes, wanted) in [
        (tail, &both),
        (whole[..whole.len() - 1].to_vec(), &one),
        (whole[..40].to_vec(), &one),
        (vec![], &one),
    ] {
        fs::write(wal(&made), bytes).unwrap();
        assert_eq!(made.rows("t"), *wanted);
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(wal(&made), flipped).unwrap();
    assert_eq!(made.rows("t"), one);
    fs::remove_file(wal(&made)).unwrap();
    assert_eq!(made.rows("t"), one);
}

#[test]
fn a_transaction_that_was_not_committed_does_not_count() {
    let live = with_wal();
    let connection = Connection::open(&live.path).unwrap();
    // So small a cache spills into the log before the commit.
    connection
        .execute_batch(
            "PRAGMA cache_size = 2; BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO t SELECT i, hex(zeroblob(99)) FROM n",
        )
        .unwrap();
    let made = copied(&live.path);
    assert!(fs::metadata(wal(&made)).unwrap().len() > 20_000);
    assert_eq!(made.rows("t"), shown([("1", "v=file"), ("2", "v=log")]));
}

#[test]
fn what_a_journal_rolls_back_is_rolled_back_in_a_copy() {
    let live =
        Made::new("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1, 'old')");
    let connection = Connection::open(&live.path).unwrap();
    connection
        .execute_batch(
            "PRAGMA cache_size = 2; BEGIN; UPDATE t SET v = 'new';
             WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO t SELECT i, hex(zeroblob(99)) FROM n",
        )
        .unwrap();
    let made = copied(&live.path);
    let before = seen(made.folder.path());
    assert_eq!(before.len(), 2);
    assert!(fs::metadata(&made.path).unwrap().len() > 20_000);
    let snapshot = made.open();
    assert_eq!(rows(&*snapshot, "t").unwrap(), shown([("1", "v=old")]));
    assert!(
        snapshot.notes()[0].contains("rolled back"),
        "{:?}",
        snapshot.notes()
    );
    assert!(seen(made.folder.path()) == before);
    // A journal that ended well is no journal.
    let journal = PathBuf::from(format!("{}-journal", made.path.display()));
    fs::copy(&live.path, &made.path).unwrap();
    drop(connection);
    fs::write(&journal, [0; 512]).unwrap();
    fs::copy(&live.path, &made.path).unwrap();
    assert_eq!(made.rows("t"), shown([("1", "v=old")]));
    assert!(made.open().notes().is_empty());
}

#[test]
fn nothing_is_written_beside_a_database_of_wal_mode_without_a_log() {
    let made = Made::new(
        "PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1, 'x')",
    );
    assert!(!wal(&made).exists(), "the last to close it empties it");
    fs::set_permissions(&made.path, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(made.folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let before = seen(made.folder.path());
    assert_eq!(made.rows("t"), shown([("1", "v=x")]));
    assert!(seen(made.folder.path()) == before);
    fs::set_permissions(made.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn copies_leave_nothing_where_temporary_files_go() {
    let made = with_wal();
    let temp = tempfile::tempdir().unwrap();
    let mut options = SourceOptions::default();
    options.file.temp_dir = Some(temp.path().to_owned());
    let snapshot = open(&made.path, &options).unwrap();
    assert_eq!(
        fs::read_dir(temp.path()).unwrap().count(),
        0,
        "gone before the first row is read"
    );
    assert_eq!(rows(&*snapshot, "t").unwrap().len(), 2);
    drop(snapshot);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn a_database_that_is_written_to_meanwhile_is_not_believed() {
    let made =
        Made::new("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1, 'x')");
    let snapshot = made.open();
    std::thread::sleep(std::time::Duration::from_millis(20));
    made.run("INSERT INTO t VALUES(2, 'y')");
    let error = rows(&*snapshot, "t").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Changed { .. }), "{error}");
    // A copy is what it was, whatever becomes of the original.
    let made = with_wal();
    let snapshot = made.open();
    std::thread::sleep(std::time::Duration::from_millis(20));
    made.run("INSERT INTO t VALUES(3, 'y')");
    assert_eq!(
        rows(&*snapshot, "t").unwrap(),
        shown([("1", "v=file"), ("2", "v=log")])
    );
}
