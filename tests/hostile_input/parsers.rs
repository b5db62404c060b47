//! Each parser, driven over all that a file can hold; what it answers does not matter here.

use std::path::{Path, PathBuf};

use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::file::input::{FileOptions, Input};
use mdiff::mtree::Tree;
use mdiff::patch::PatchReader;
use mdiff::progress::Progress;
use mdiff::range::KeyRange;
use mdiff::source::{self, Snapshot, SourceOptions, Table};

use crate::common::divergences;

/// A place for the input of one run.
pub struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    pub fn new(name: &str) -> Place {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        Place { _dir: dir, path }
    }

    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// Opens a snapshot and reads it in every way there is. Returns whether it was read to the end without an error.
pub fn read_snapshot(path: &Path, bytes: &[u8], mmap: bool, options: &SourceOptions) -> bool {
    std::fs::write(path, bytes).unwrap();
    let mut options = options.clone();
    options.file.mmap = mmap;
    let Ok(snapshot) = source::open(path, &options) else {
        return false;
    };
    walk_snapshot(snapshot.as_ref())
}

/// As [`read_snapshot`], of the folder in which the file is.
pub fn read_folder(path: &Path, bytes: &[u8], mmap: bool, options: &SourceOptions) -> bool {
    std::fs::write(path, bytes).unwrap();
    let mut options = options.clone();
    options.file.mmap = mmap;
    let Ok(snapshot) = source::open(path.parent().unwrap(), &options) else {
        return false;
    };
    walk_snapshot(snapshot.as_ref())
}

/// Reads a snapshot in every way there is. Returns whether it was read to the end without an error.
pub fn walk_snapshot(snapshot: &dyn Snapshot) -> bool {
    let mut sound = true;
    snapshot.describe();
    for table in snapshot.tables() {
        table.estimate();
        settle(table);
        let cuts = table.split(&KeyRange::all(), 5).unwrap_or_default();
        let mut ranges = KeyRange::all().cut_at(&cuts);
        ranges.push(KeyRange::all());
        for range in ranges {
            let (mut outside, mut whole) = (false, true);
            let mut previous: Option<Vec<u8>> = None;
            let mut stream = match table.scan(&range) {
                Ok(stream) => stream,
                Err(_) => {
                    sound = false;
                    continue;
                }
            };
            // A stream that can go on says so; one that goes on for ever would be a hang.
            while let Err(error) = stream.for_each(&mut |row| {
                outside |= !range.contains(row.key);
                assert!(
                    previous.as_deref().is_none_or(|key| key < row.key),
                    "rows in disorder"
                );
                previous = Some(row.key.to_vec());
                Ok(())
            }) {
                whole = false;
                if error.unreadable_keys().is_none() {
                    break;
                }
            }
            sound &= whole;
            assert!(
                !outside || !whole,
                "a row outside of the range that was asked for"
            );
        }
    }
    let options = BuildOptions {
        keep_going: true,
        ..BuildOptions::default()
    };
    let built = build_in_memory(snapshot, Path::new("input"), &options, &Progress::default());
    if let Ok(tree) = built {
        for table in tree.tables() {
            let unreadable = table.header().summary.unreadable_leaves > 0;
            assert!(!sound || !unreadable, "read whole, and unreadable");
        }
    }
    sound
}

/// Lets the table mend what it can, as every command does.
fn settle(table: &dyn Table) {
    while table.may_recover() {
        let scanned = table
            .scan(&KeyRange::all())
            .and_then(|mut stream| stream.for_each(&mut |_| Ok(())));
        match scanned {
            Err(error) if table.recover(&error).unwrap_or(false) => {}
            _ => break,
        }
    }
}

/// Reads all of a tree, and compares it with itself.
pub fn read_tree(bytes: &[u8]) -> bool {
    let Ok(tree) = Tree::from_bytes(Path::new("input"), bytes.to_vec()) else {
        return false;
    };
    let sound = tree.check_all().is_ok();
    for table in tree.tables() {
        let _ = table.unreadable();
        let _ = table.root_entries();
        let _ = table.for_each_leaf(&mut |_| Ok(()));
    }
    if sound && tree.tables().any(|table| table.header().name == "default") {
        assert!(
            divergences(&[&tree, &tree]).is_empty()
                || tree.header().tables[0].summary.unreadable_leaves > 0
        );
    }
    sound
}

/// Reads all of a patch.
pub fn read_patch(path: &Path, bytes: &[u8], mmap: bool) -> bool {
    std::fs::write(path, bytes).unwrap();
    let options = FileOptions {
        mmap,
        ..FileOptions::default()
    };
    let Ok(input) = Input::open(path, &options) else {
        return false;
    };
    let Ok(mut reader) = PatchReader::new(&input) else {
        return false;
    };
    loop {
        match reader.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
