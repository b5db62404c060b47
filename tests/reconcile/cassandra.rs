//! Every table of several SSTables: dealt out to replicas, some SSTables to two, and put together again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};

use super::common::{Rows, mdiff, shared_fixtures, skipped, testdata};
use super::{applied, check_target};

/// The files of each SSTable of a folder, by generation; a schema apart.
fn sstables(folder: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for item in fs::read_dir(folder).unwrap().flatten() {
        let name = item.file_name().into_string().unwrap();
        if let Some((sstable, component)) = name.rsplit_once('-')
            && component.contains('.')
            && sstable.split('-').count() == 3
        {
            found
                .entry(sstable.to_owned())
                .or_default()
                .push(fs::canonicalize(item.path()).unwrap());
        }
    }
    found.retain(|_, files| {
        let ends = |file: &PathBuf| file.to_string_lossy().ends_with("-Data.db");
        files.iter().any(ends)
    });
    found
}

/// Folders with two SSTables or more, at any depth.
fn tables(folder: &Path, found: &mut Vec<PathBuf>) {
    if sstables(folder).len() > 1 {
        found.push(folder.to_owned());
    }
    for item in fs::read_dir(folder).unwrap().flatten() {
        if item.path().is_dir() {
            tables(&item.path(), found);
        }
    }
}

/// Deals the SSTables of a table out to so many replicas; some go to two. No replica stays without.
fn deal(table: &Path, replicas: usize, dir: &Path) -> Vec<PathBuf> {
    let folders: Vec<PathBuf> = (1..=replicas).map(|n| dir.join(format!("r{n}"))).collect();
    for folder in &folders {
        fs::create_dir(folder).unwrap();
        let schema = table.join("schema.cql");
        if schema.is_file() {
            fs::copy(schema, folder.join("schema.cql")).unwrap();
        }
    }
    let sstables: Vec<_> = sstables(table).into_values().collect();
    let mut dealt = BTreeSet::new();
    for number in 0..sstables.len().max(replicas) {
        dealt.insert((number % sstables.len(), number % replicas));
        if number % 3 == 2 {
            dealt.insert((number % sstables.len(), (number + 1) % replicas));
        }
    }
    for (number, replica) in dealt {
        for file in &sstables[number] {
            symlink(file, folders[replica].join(file.file_name().unwrap())).unwrap();
        }
    }
    folders
}

fn rows(folder: &Path, now: i64) -> mdiff::Result<Rows> {
    let mut options = SourceOptions::default();
    options.cassandra.now = Some(now);
    options.cassandra.gc_before = Some(0);
    let snapshot = source::open(folder, &options)?;
    let mut rows = Rows::new();
    let mut stream = snapshot.tables()[0].scan(&KeyRange::all())?;
    stream.for_each(&mut |row| {
        rows.insert(row.key.to_vec(), row.value.to_vec());
        Ok(())
    })?;
    drop(stream);
    Ok(rows)
}

/// Reconciles, and gives the patches' bytes.
fn reconcile(
    replicas: &[PathBuf],
    options: &[&str],
    now: i64,
    code: i32,
    dir: &Path,
) -> Vec<Vec<u8>> {
    // All tombstones count, though they are years old.
    mdiff(["reconcile", "--force", "-q", "-o", "fix"])
        .args(["--now".to_owned(), now.to_string()])
        .args(options)
        .args(replicas)
        .in_dir(dir)
        .run()
        .exits(code);
    let patch = |n: usize| fs::read(dir.join(format!("fix.{n}.mpatch"))).unwrap();
    (1..=replicas.len()).map(patch).collect()
}

fn check(table: &Path, count: usize, leaf_rows: &str, now: i64) {
    let dir = tempfile::tempdir().unwrap();
    let replicas = deal(table, count, dir.path());
    let expected = rows(table, now).unwrap();
    let before: Vec<Rows> = replicas
        .iter()
        .map(|folder| rows(folder, now).unwrap())
        .collect();
    let code = i32::from(before.iter().any(|rows| *rows != before[0]));
    let options = ["--leaf-rows", leaf_rows, "-j1"];
    let patches = reconcile(&replicas, &options, now, code, dir.path());
    for (number, before) in before.iter().enumerate() {
        let patch = dir.path().join(format!("fix.{}.mpatch", number + 1));
        let (after, of_patch) = applied(before, &patch);
        for ((key, found), (_, wanted)) in after.iter().zip(&expected) {
            let shown = of_patch.schema.show_key(key);
            assert_eq!(found, wanted, "{table:?} r{} {shown}", number + 1);
        }
        assert_eq!(after, expected, "{table:?}");
        check_target(&of_patch, &expected);
    }
    // In another order, by two threads.
    let turned: Vec<PathBuf> = replicas.iter().rev().cloned().collect();
    let options = ["--leaf-rows", leaf_rows, "-j2"];
    let mut again = reconcile(&turned, &options, now, code, dir.path());
    again.reverse();
    assert!(
        again == patches,
        "{table:?}: the order of the replicas matters"
    );
}

#[test]
fn replicas_of_dealt_out_sstables_agree_on_the_merge_of_all() {
    let mut found = Vec::new();
    tables(&testdata("cassandra"), &mut found);
    assert!(found.len() >= 5, "{found:?}");
    match shared_fixtures() {
        Some(fixtures) => tables(&fixtures.join("cassandra"), &mut found),
        None => skipped("the larger set of Cassandra's fixtures"),
    }
    let mut checked = 0;
    for table in &found {
        if let Err(error) = rows(table, 0) {
            println!("{table:?} can't be read: {error}");
            continue;
        }
        check(table, 2, "1", 0);
        check(table, 3, "4", 1_800_000_000);
        checked += 1;
    }
    println!("{checked} tables");
    assert!(checked >= 5);
}
