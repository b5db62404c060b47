//! Goal: SSTables with partitions of many rows are read and cut within these. Method: SSTables that the test writes itself, so that it
//! knows what is in them.

use std::path::Path;

use mdiff::build::guess_leaf_bits;
use mdiff::range::KeyRange;
use mdiff::row::json::{key_json, value_json};
use mdiff::source::cassandra::CassandraSnapshot;
use mdiff::source::cassandra::view::View;
use mdiff::source::{Snapshot, SourceOptions, Table};
use mdiff::tree::leaf_bits_for;
use serde_json::{Value, json};

#[path = "common/sstable/mod.rs"]
mod sstable;

use sstable::{Compression, Deletion, Row, Writer};

fn row(ck: i64, written: u64) -> Row {
    Row {
        ck,
        written,
        a: format!("text {}", ck * 7919 % 1000),
        b: (ck * 31) as i32,
        c: -ck,
        d: ck.to_be_bytes()[4..].repeat(1 + ck as usize % 40),
    }
}

fn shown(key: &str, row: &Row) -> (Value, Value) {
    let hex: String = row.d.iter().map(|byte| format!("{byte:02x}")).collect();
    (
        json!({ "pk": key, "ck": row.ck }),
        json!({ "a": row.a, "b": row.b, "c": row.c, "d": format!("0x{hex}") }),
    )
}

fn open(folder: &Path, view: View) -> CassandraSnapshot {
    let mut options = SourceOptions::default();
    options.cassandra.view = Some(view);
    options.cassandra.now = Some(1_700_000_100);
    CassandraSnapshot::open(folder, &options).unwrap()
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn scan(table: &dyn Table, range: &KeyRange) -> Rows {
    let (mut rows, mut stream) = (Vec::new(), table.scan(range).unwrap());
    while let Some(row) = stream.next().unwrap() {
        rows.push((row.key.to_vec(), row.value.to_vec()));
    }
    rows
}

#[test]
fn long_rows_are_not_scanned_twice_for_too_coarse_a_guess() {
    for text_len in [0, 600, 5000] {
        let folder = tempfile::tempdir().unwrap();
        let lz4 = Compression::Lz4(16 << 10);
        let mut writer = Writer::create(folder.path(), 1, lz4, 1 << 16).unwrap();
        writer.partition("wide", None).unwrap();
        for ck in 0..20_000 {
            let a = "x".repeat(text_len);
            writer.row(&Row { a, ..row(ck, 1) }).unwrap();
        }
        writer.finish().unwrap();
        let snapshot = open(folder.path(), View::Cells);
        let table = snapshot.tables()[0];
        let rows = scan(table, &KeyRange::all());
        let bytes = rows.iter().map(|(key, value)| key.len() + value.len());
        let wanted = leaf_bits_for(rows.len() as u64, bytes.sum::<usize>() as u64);
        let guess = guess_leaf_bits(table);
        assert!(
            guess <= wanted,
            "{guess} for {wanted}, {text_len} bytes of text"
        );
        assert!(
            guess + 3 >= wanted,
            "{guess} for {wanted}, {text_len} bytes of text"
        );
    }
}

#[test]
fn what_is_written_is_read() {
    for compression in [Compression::None, Compression::Lz4(4096)] {
        let folder = tempfile::tempdir().unwrap();
        let keys = sstable::in_token_order((0..50).map(|n| format!("key {n}")));
        // The second SSTable is newer in every third row of every second partition, and has rows of its own.
        let of_first = |at: usize| (0..5 + at as i64 * 3).map(move |ck| row(ck * 2, 1));
        let of_second = |at: usize| (0..at as i64).map(move |ck| row(ck * 3 - 50, 2));
        let mut first = Writer::create(folder.path(), 1, compression, 1 << 16).unwrap();
        for (at, key) in keys.iter().enumerate() {
            first.partition(key, None).unwrap();
            of_first(at).for_each(|row| first.row(&row).unwrap());
        }
        first.finish().unwrap();
        let mut second = Writer::create(folder.path(), 2, compression, 1 << 16).unwrap();
        for (at, key) in keys.iter().enumerate().skip(1).step_by(2) {
            second.partition(key, None).unwrap();
            of_second(at).for_each(|row| second.row(&row).unwrap());
        }
        second.finish().unwrap();
        let mut expected = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let mut rows: Vec<Row> = of_first(at).collect();
            if at % 2 == 1 {
                rows.retain(|row| of_second(at).all(|newer| newer.ck != row.ck));
                rows.extend(of_second(at));
            }
            rows.sort_by_key(|row| row.ck);
            expected.extend(rows.iter().map(|row| shown(key, row)));
        }
        let snapshot = open(folder.path(), View::Live);
        let table = snapshot.tables()[0];
        let rows: Vec<(Value, Value)> = scan(table, &KeyRange::all())
            .iter()
            .map(|(key, value)| {
                (
                    key_json(table.schema(), key),
                    value_json(table.schema(), value),
                )
            })
            .collect();
        assert_eq!(rows, expected);
        for sstable in snapshot.cassandra_tables()[0].sstables() {
            assert!(sstable.check_digest().unwrap());
        }
    }
}

/// Two SSTables of the same wide partition between small ones. In the first a range is deleted that is longer than a block, in the
/// second another that overlaps it.
fn write_wide(folder: &Path, rows: i64) {
    let keys = sstable::in_token_order(["before", "wide", "behind"].map(String::from).into_iter());
    for (number, step) in [(1, 1), (2, 3)] {
        let compression = Compression::Lz4(4096);
        let mut writer = Writer::create(folder, number, compression, 2048).unwrap();
        for key in &keys {
            writer.partition(key, None).unwrap();
            let rows = if key == "wide" { rows } else { 3 };
            let third = rows / 3 / step * step;
            for ck in (0..rows).step_by(step as usize) {
                let made = Some(Deletion {
                    written: 4 + number as u64,
                    made: 60,
                });
                // From a third on; the first ends at two thirds, where another begins.
                if rows > 3 && ck == third {
                    writer.bound(ck, false, made).unwrap();
                }
                if rows > 3 && ck == 2 * third {
                    let next = made.filter(|_| number == 1);
                    let next = next.map(|made| Deletion { written: 9, ..made });
                    writer.bound(ck, false, next).unwrap();
                }
                // Every tenth is newer than any deletion.
                let written = if ck % 10 == 0 { 100 } else { number as u64 };
                writer.row(&row(ck, written)).unwrap();
            }
            if rows > 3 && number == 1 {
                writer.bound(rows, true, None).unwrap();
            }
        }
        writer.finish().unwrap();
    }
}

#[test]
fn ranges_of_a_wide_partition_are_those_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    write_wide(folder.path(), 600);
    let snapshot = open(folder.path(), View::Cells);
    let table = &snapshot.cassandra_tables()[0];
    let all = scan(table, &KeyRange::all());
    let deletions = all.iter().filter(|(key, _)| *key.last().unwrap() != 0x80);
    assert!(deletions.count() >= 3);
    for sstable in table.sstables() {
        let marks = sstable.told_marks(usize::MAX, true).unwrap();
        assert!(marks.len() > 10);
        assert!(marks.iter().all(|mark| sstable.proves(mark)));
        let within = marks.iter().filter_map(|mark| mark.start.within);
        assert!(within.filter(|within| !within.open.is_live()).count() > 2);
    }
    for (at, (from, _)) in all.iter().enumerate() {
        for to in [None, all.get(at + 7)] {
            let range = KeyRange {
                from: from.clone(),
                to: to.map(|(key, _)| key.clone()),
            };
            let end = to.map_or(all.len(), |_| at + 7);
            assert!(scan(table, &range) == all[at..end], "{range:?}");
        }
    }
    for pieces in [2, 5, 20] {
        let cuts = table.split(&KeyRange::all(), pieces).unwrap();
        assert!(cuts.len() + 1 > pieces / 2, "{}", cuts.len());
        let pieces = KeyRange::all().cut_at(&cuts);
        let joined: Rows = pieces.iter().flat_map(|range| scan(table, range)).collect();
        assert!(joined == all);
    }
}
