//! Goal: what an index says of partitions is what Data.db holds. Method: every fixture's index against a walk of its data.

use std::fs;

use super::*;
use crate::file::input::FileOptions;
use crate::source::cassandra::descriptor::Descriptor;
use crate::source::cassandra::testing::{sstables, testdata};

fn places(sstable: &Sstable, pieces: usize) -> Option<Vec<IndexPlace>> {
    match sstable.descriptor().version.layout() {
        Layout::Big => sstable.offsets_of_index(pieces),
        Layout::Bti => trie::offsets(sstable, pieces),
    }
}

#[test]
fn indexes_agree_with_the_data() {
    let mut compared = 0;
    for descriptor in sstables() {
        let options = FileOptions::default();
        let sstable = Sstable::open(descriptor.clone(), &options).unwrap();
        // One set is damaged on purpose.
        let all = sstable.data_len() as usize;
        let Ok(walked) = sstable.walked(all) else {
            continue;
        };
        for pieces in [all, 7, 2] {
            let wanted: Vec<u64> = sstable
                .walked(pieces)
                .unwrap()
                .iter()
                .map(|start| start.offset)
                .collect();
            assert!(wanted.len() <= pieces && wanted.first() == Some(&0));
            if let Some(places) = places(&sstable, pieces) {
                let offsets: Vec<u64> = places.iter().map(|place| place.offset).collect();
                assert_eq!(offsets, wanted, "{}", descriptor.name());
                compared += 1;
            } else {
                let index = ["Index.db", "Partitions.db"];
                assert!(
                    index.iter().all(|component| !descriptor.has(component)),
                    "{:?}",
                    descriptor.component("")
                );
            }
        }
        assert_eq!(sstable.partition_starts(all).unwrap(), walked);
    }
    println!("{compared} indexes compared");
    assert!(compared >= 30);
}

#[test]
fn a_wrong_index_only_costs_time() {
    let folder = tempfile::tempdir().unwrap();
    for (case, name, index) in [
        ("mixed_formats", "nb-1-big", "Index.db"),
        ("mixed_formats", "da-3-bti", "Partitions.db"),
    ] {
        for component in [
            "Data.db",
            "CompressionInfo.db",
            "Statistics.db",
            "Rows.db",
            index,
        ] {
            let file = format!("{name}-{component}");
            let _ = fs::copy(testdata(case).join(&file), folder.path().join(&file));
        }
        let path = folder.path().join(format!("{name}-{index}"));
        let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
        let sstable = Sstable::open(descriptor, &FileOptions::default()).unwrap();
        let sound = fs::read(&path).unwrap();
        let wanted = sstable.partition_starts(1000).unwrap();
        assert!(wanted.len() > 2);
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, bytes).unwrap();
            // Some may be missing then, but none is wrong.
            let starts = sstable.partition_starts(1000).unwrap();
            assert_eq!(starts.first(), wanted.first());
            assert!(
                starts.iter().all(|start| wanted.contains(start)),
                "{name} {at}"
            );
        }
        fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        assert_eq!(sstable.partition_starts(1000).unwrap(), wanted);
        fs::remove_file(&path).unwrap();
        assert_eq!(sstable.partition_starts(1000).unwrap(), wanted);
    }
}

#[test]
fn a_spread_is_even() {
    let mut spread = Spread::new(4, 1000);
    let taken: Vec<u64> = (0..100)
        .map(|i| i * 10)
        .filter(|&offset| spread.take(offset).unwrap())
        .collect();
    assert_eq!(taken, [0, 250, 500, 750]);
    assert_eq!(spread.take(990), None);
    assert_eq!(Spread::new(4, 1000).take(10), None);
    let mut wide = Spread::new(4, 1000);
    let taken: Vec<bool> = [0, 900, 950].map(|at| wide.take(at).unwrap()).into();
    assert_eq!(taken, [true, true, false]);
}
