//! Goal: a scan of a range gives what a scan of everything gives of it, wherever the range begins; it begins to read near there; and
//! no index, however wrong, changes that. On every fixture with wide partitions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::file::input::FileOptions;
use crate::source::Table;
use crate::source::cassandra::CassandraTable;
use crate::source::cassandra::cells::{Rules, Ties};
use crate::source::cassandra::descriptor::Descriptor;
use crate::source::cassandra::testing::sstables;
use crate::source::cassandra::view::{Lens, View};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Folders of which an SSTable has wide partitions.
fn folders() -> BTreeSet<PathBuf> {
    let is_wide = |descriptor: &Descriptor| {
        let Ok(sstable) = Sstable::open(descriptor.clone(), &FileOptions::default()) else {
            return false;
        };
        let marks = sstable.told_marks(usize::MAX, true).unwrap_or_default();
        marks.iter().any(|mark| mark.start.within.is_some())
    };
    let wide = sstables().into_iter().filter(is_wide);
    wide.map(|descriptor| descriptor.folder).collect()
}

fn open(folder: &Path, gc_before: i64) -> CassandraTable {
    let options = FileOptions::default();
    let sstables = Descriptor::find(folder)
        .unwrap()
        .into_iter()
        .map(|descriptor| Sstable::open(descriptor, &options).unwrap())
        .collect();
    let now = 1_795_311_000;
    let lens = Lens {
        view: View::Cells,
        now,
        gc_before,
    };
    let rules = Rules {
        ties: Ties::V4,
        now,
        holders: super::super::counter::Holders::OneNode,
    };
    CassandraTable::new("t".into(), folder, sstables, None, lens, rules).unwrap()
}

/// The rows of a range, which are the same whether they are asked for one by one or handed out together.
fn rows(table: &CassandraTable, range: &KeyRange) -> Rows {
    let mut rows = Vec::new();
    let mut scan = table.scan(range).unwrap();
    while let Some(row) = scan.next().unwrap() {
        rows.push((row.key.to_vec(), row.value.to_vec()));
    }
    let mut expected = rows.iter();
    let mut scan = table.scan(range).unwrap();
    scan.for_each(&mut |row| {
        let next = expected.next().map(|(key, value)| (&key[..], &value[..]));
        assert_eq!(next, Some((row.key, row.value)));
        Ok(())
    })
    .unwrap();
    assert_eq!(expected.next(), None);
    rows
}

fn inside<'r>(all: &'r Rows, range: &KeyRange) -> &'r [(Vec<u8>, Vec<u8>)] {
    let from = all.partition_point(|(key, _)| *key < range.from);
    let to = all.partition_point(|(key, _)| range.is_before_end(key));
    &all[from..to.max(from)]
}

/// Keys at which ranges can begin: those of rows, just behind them, and parts of them, which are none.
fn boundaries(all: &Rows) -> BTreeSet<Vec<u8>> {
    let keys = all.iter().map(|(key, _)| key.clone());
    keys.flat_map(|key| {
        let behind = [key.as_slice(), &[0]].concat();
        let part = key[..key.len() - 1].to_vec();
        let side = [&key[..key.len() - 1], &[0xff]].concat();
        [key, behind, part, side]
    })
    .collect()
}

#[test]
fn a_scan_of_a_range_gives_what_the_whole_has_of_it() {
    let mut ranges = 0;
    for folder in folders() {
        for (gc_before, step) in [(i64::MIN, 11), (1_720_000_000, 103)] {
            let table = open(&folder, gc_before);
            let all = rows(&table, &KeyRange::all());
            let boundaries: Vec<Vec<u8>> = boundaries(&all).into_iter().collect();
            for (index, from) in boundaries.iter().enumerate().step_by(step) {
                // Some to the end, most a short way.
                let to = match index % 256 {
                    0 => None,
                    least => boundaries.get(index + least % 16).cloned(),
                };
                let range = KeyRange {
                    from: from.clone(),
                    to,
                };
                assert!(
                    rows(&table, &range) == inside(&all, &range),
                    "{} {range:?}",
                    folder.display()
                );
                ranges += 1;
            }
        }
    }
    println!("{ranges} ranges");
    assert!(ranges > 100);
}

#[test]
fn pieces_are_cut_within_partitions_and_hold_the_whole() {
    for folder in folders() {
        let table = open(&folder, i64::MIN);
        let all = rows(&table, &KeyRange::all());
        for pieces in [2, 3, 8, 1000] {
            let cuts = table.split(&KeyRange::all(), pieces).unwrap();
            assert!(cuts.len() < pieces && cuts.is_sorted_by(|a, b| a < b));
            let layout = table.layout();
            let types: Vec<_> = layout
                .clustering
                .iter()
                .map(|c| c.cql_type.clone())
                .collect();
            let is_within = |cut: &Vec<u8>| {
                let cut = key::decode(cut, layout.partitioner, &layout.key_type, &types);
                cut.unwrap().place != key::Place::Partition
            };
            assert!(pieces < 8 || cuts.iter().any(is_within));
            let joined: Rows = KeyRange::all()
                .cut_at(&cuts)
                .iter()
                .flat_map(|range| rows(&table, range))
                .collect();
            assert!(joined == all, "{}", folder.display());
            let within = KeyRange {
                from: all[all.len() / 4].0.clone(),
                to: Some(all[all.len() / 2].0.clone()),
            };
            let cuts = table.split(&within, pieces).unwrap();
            let is_inside = |cut: &Vec<u8>| *cut > within.from && within.is_before_end(cut);
            assert!(cuts.len() < pieces && cuts.iter().all(is_inside));
        }
    }
}

#[test]
fn reading_begins_at_the_block_of_the_range() {
    let (mut deep, mut asked) = (0, 0);
    for folder in folders() {
        let table = open(&folder, i64::MIN);
        let all = rows(&table, &KeyRange::all());
        for sstable in table.sstables() {
            let marks = sstable.told_marks(MARKS_MAX, true).unwrap();
            let seeker = Seeker::default();
            for (key, _) in &all {
                let start = seeker.start(sstable, table.layout(), key).unwrap();
                let next = marks.iter().find(|m| m.start.offset() > start.offset());
                // What stands behind must not be before the key.
                if let Some(next) = next {
                    let spot = Spot::new(next.clone(), true);
                    let place = spot.place(sstable, table.layout()).unwrap();
                    assert!(place.key > *key || place.is_bound && place.key == *key);
                }
                deep += u64::from(start.within.is_some());
                asked += 1;
            }
            assert!(!seeker.is_wrong.load(Ordering::Relaxed));
        }
    }
    println!("{deep} of {asked} scans begin within a partition");
    assert!(deep > asked / 2);
}

/// Copies one SSTable, so that its index can be changed.
fn copy(descriptor: &Descriptor, folder: &Path) {
    for component in [
        "Data.db",
        "CompressionInfo.db",
        "Statistics.db",
        "Index.db",
        "Partitions.db",
        "Rows.db",
    ] {
        let from = descriptor.component(component);
        if from.is_file() {
            let to = folder.join(from.file_name().unwrap());
            fs::write(to, fs::read(from).unwrap()).unwrap();
        }
    }
}

/// How many bytes of an index are tried in a debug build.
const WRONG_BYTES: usize = 16;

#[test]
fn no_index_changes_the_rows() {
    let (mut tried, mut found) = (0, 0);
    let of_folders = folders().into_iter();
    let mut seen = BTreeSet::new();
    for descriptor in of_folders.flat_map(|folder| Descriptor::find(&folder).unwrap()) {
        let data_len = fs::metadata(descriptor.component("Data.db")).unwrap().len();
        if !seen.insert((descriptor.name(), data_len)) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        copy(&descriptor, folder.path());
        let all = rows(&open(folder.path(), i64::MIN), &KeyRange::all());
        let ranges: Vec<KeyRange> = (1..3)
            .map(|part| all.len() * part / 3)
            .map(|at| KeyRange {
                from: all[at].0.clone(),
                to: all.get(at + 3).map(|(key, _)| key.clone()),
            })
            .collect();
        let mut check = |path: &Path, bytes: &[u8]| {
            // A new file: some file systems sync one that is written over.
            let _ = fs::remove_file(path);
            fs::write(path, bytes).unwrap();
            let table = open(folder.path(), i64::MIN);
            for range in &ranges {
                assert!(rows(&table, range) == inside(&all, range));
            }
            let cuts = table.split(&KeyRange::all(), 5).unwrap();
            assert!(cuts.is_sorted_by(|a, b| a < b));
            tried += 1;
        };
        for component in ["Index.db", "Partitions.db", "Rows.db"] {
            let name = descriptor.component(component);
            let path = folder.path().join(name.file_name().unwrap());
            let Ok(sound) = fs::read(&path) else { continue };
            // In a debug build some bytes, spread over the index.
            let step = match cfg!(debug_assertions) {
                true => (sound.len() / WRONG_BYTES).max(1) | 1,
                false => 1,
            };
            for at in (0..sound.len()).step_by(step) {
                let wrong = [0, sound[at] ^ 0x80, sound[at].wrapping_add(1)];
                let mut bytes = sound.clone();
                bytes[at] = wrong[at % wrong.len()];
                check(&path, &bytes);
            }
            for len in [0, sound.len() / 2] {
                check(&path, &sound[..len]);
            }
            check(&path, &sound);
            found += 1;
        }
    }
    println!("{tried} wrong indexes of {found} files");
    assert!(found >= 6);
}
