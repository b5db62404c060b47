//! Goal: what an index says is what Data.db holds, and a lie is found. Method: every fixture's index against a walk of its data.

use std::fs;

use super::*;
use crate::file::input::FileOptions;
use crate::source::cassandra::data::Within;
use crate::source::cassandra::descriptor::Descriptor;
use crate::source::cassandra::testing::{sstables, testdata};

/// Places of all unfiltereds, with the deletion that is open before each; of the partitions too.
fn all_starts(sstable: &Sstable) -> Result<Vec<Start>> {
    let (mut starts, mut row) = (Vec::new(), Row::default());
    let mut reader = sstable.read(0, sstable.data_len());
    while let Some(head) = reader.next_partition()? {
        starts.push(Start::of_partition(head.offset));
        let mut open = Deletion::LIVE;
        loop {
            let within = Within {
                offset: reader.offset(),
                open,
            };
            match reader.next_unfiltered(&mut row)? {
                Unfiltered::Row => {}
                Unfiltered::Marker(marker) => open = marker.opens.unwrap_or(Deletion::LIVE),
                Unfiltered::End => break,
            }
            starts.push(Start {
                partition: head.offset,
                within: Some(within),
            });
        }
    }
    Ok(starts)
}

fn starts(marks: &[Mark]) -> Vec<Start> {
    marks.iter().map(|mark| mark.start).collect()
}

#[test]
fn indexes_agree_with_the_data() {
    let (mut compared, mut blocks, mut open_blocks) = (0, 0, 0);
    for descriptor in sstables() {
        let sstable = Sstable::open(descriptor.clone(), &FileOptions::default()).unwrap();
        let all = sstable.data_len() as usize;
        // One set is damaged on purpose.
        let Ok(unfiltereds) = all_starts(&sstable) else {
            continue;
        };
        for pieces in [all, 7, 2] {
            let walked = starts(&sstable.walked_marks(pieces).unwrap());
            assert!(walked.len() <= pieces && walked.first() == Some(&Start::of_partition(0)));
            let Some(told) = sstable.told_marks(pieces, false) else {
                let index = ["Index.db", "Partitions.db"];
                assert!(
                    index.iter().all(|component| !descriptor.has(component)),
                    "{:?}",
                    descriptor.component("")
                );
                continue;
            };
            assert_eq!(starts(&told), walked, "{}", descriptor.name());
            compared += 1;
            let told = sstable.told_marks(pieces, true).unwrap();
            assert!(told.len() <= pieces);
            for mark in told {
                assert!(sstable.proves(&mark), "{} {mark:?}", descriptor.name());
                assert!(unfiltereds.contains(&mark.start));
                if let Some(within) = mark.start.within {
                    blocks += 1;
                    open_blocks += usize::from(!within.open.is_live());
                }
            }
        }
    }
    println!("{compared} indexes compared, {blocks} blocks, {open_blocks} with a deletion open");
    assert!(compared >= 30 && blocks > 50 && open_blocks > 10);
}

#[test]
fn a_place_is_proven_by_what_lies_before_it() {
    for name in ["oa-1-big", "da-1-bti"] {
        let case = format!("{}-wide_open", &name[..2]);
        let path = testdata(&case).join(format!("{name}-Data.db"));
        let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
        let sstable = Sstable::open(descriptor, &FileOptions::default()).unwrap();
        let marks = sstable.told_marks(usize::MAX, true).unwrap();
        let all = all_starts(&sstable).unwrap();
        let mut lies = 0;
        for mark in &marks {
            assert!(sstable.proves(mark));
            let mut lie = |change: &dyn Fn(&mut Mark)| {
                let mut changed = mark.clone();
                change(&mut changed);
                // Behind the static row or before it is as true.
                let is_true = changed.key == mark.key && all.contains(&changed.start);
                assert!(is_true || !sstable.proves(&changed), "{changed:?}");
                lies += u64::from(!is_true);
            };
            lie(&|mark| mark.key = Some(b"none".as_slice().into()));
            for less in [1, 2, 10] {
                let moved = |offset: &mut u64| *offset = offset.saturating_sub(less);
                lie(&|mark| match &mut mark.start.within {
                    Some(within) => moved(&mut within.offset),
                    None => moved(&mut mark.start.partition),
                });
            }
            lie(&|mark| mark.start.partition = mark.start.partition.saturating_sub(1));
            lie(&|mark| {
                if let Some(within) = &mut mark.start.within {
                    within.open = Deletion {
                        timestamp: within.open.timestamp.wrapping_add(1),
                        local_time: 5,
                    };
                }
            });
        }
        assert!(lies > 50);
    }
}

#[test]
fn a_wrong_index_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    for (case, name, index) in [
        ("mixed_formats", "nb-1-big", "Index.db"),
        ("mixed_formats", "da-3-bti", "Partitions.db"),
    ] {
        for component in ["Data.db", "CompressionInfo.db", "Statistics.db", "Rows.db"] {
            let file = format!("{name}-{component}");
            let _ = fs::copy(testdata(case).join(&file), folder.path().join(&file));
        }
        let file = format!("{name}-{index}");
        let path = folder.path().join(&file);
        let sound = fs::read(testdata(case).join(&file)).unwrap();
        let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
        let sstable = Sstable::open(descriptor, &FileOptions::default()).unwrap();
        let walked = starts(&sstable.walked_marks(1000).unwrap());
        assert!(walked.len() > 2);
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, bytes).unwrap();
            for mark in sstable.told_marks(1000, true).unwrap_or_default() {
                assert!(walked.contains(&mark.start) || !sstable.proves(&mark));
            }
        }
        fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        assert!(sstable.told_marks(1000, true).is_none());
        fs::remove_file(&path).unwrap();
        assert!(sstable.told_marks(1000, true).is_none());
    }
}

#[test]
fn a_spread_is_even() {
    let offer = |spread: &mut Spread, offset| spread.offer(Start::of_partition(offset), None);
    let mut spread = Spread::new(4, 1000, true);
    for offset in (0..1000).step_by(10) {
        offer(&mut spread, offset).unwrap();
    }
    assert_eq!(offer(&mut spread, 990), None);
    assert_eq!(offer(&mut spread, 1000), None);
    let offsets = |spread: Spread| -> Vec<u64> {
        let marks = spread.finish();
        marks.iter().map(|mark| mark.start.offset()).collect()
    };
    assert_eq!(offsets(spread), [0, 250, 500, 750]);
    assert_eq!(offer(&mut Spread::new(4, 1000, true), 10), None);
    let mut wide = Spread::new(4, 1000, true);
    for offset in [0, 900, 950] {
        offer(&mut wide, offset).unwrap();
    }
    assert_eq!(offsets(wide), [0, 900]);
}
