//! The sorter against a sorted map, with so little memory that every row count takes many runs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::range::KeyRange;
use crate::row::RowStream;

mod parts;

fn options(memory_bytes: u64) -> SortOptions {
    SortOptions {
        temp_dir: None,
        memory_bytes,
        path: PathBuf::from("t.csv"),
    }
}

fn show(place: u64) -> String {
    format!("row {place}")
}

fn sort(rows: &[(Vec<u8>, Vec<u8>)], memory_bytes: u64) -> Result<SortedRows> {
    let mut sorter = Sorter::new(options(memory_bytes), &show);
    for (place, (key, value)) in rows.iter().enumerate() {
        sorter.push(Row { key, value }, place as u64)?;
    }
    sorter.finish()
}

fn collect(mut stream: Box<dyn RowStream + '_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    stream
        .for_each(&mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        })
        .unwrap();
    rows
}

fn short() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 255]), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sorts_and_cuts_as_a_sorted_map(
        model in prop::collection::btree_map(short(), short(), 0..300),
        seed: u64,
        from in short(),
        to in prop::option::of(short()),
        memory in 100u64..4000,
    ) {
        let mut rows: Vec<_> = model.clone().into_iter().collect();
        // A shuffle of its own, by hash of the key.
        rows.sort_by_key(|(key, _)| xxhash_rust::xxh3::xxh3_64_with_seed(key, seed));
        let sorted = sort(&rows, memory).unwrap();
        prop_assert_eq!(sorted.rows(), model.len() as u64);
        prop_assert_eq!(collect(sorted.scan(&KeyRange::all())), model.clone().into_iter().collect::<Vec<_>>());
        let range = KeyRange { from, to };
        let want: Vec<_> = model.into_iter().filter(|(key, _)| range.contains(key)).collect();
        prop_assert_eq!(collect(sorted.scan(&range)), want.clone());
        let cuts = sorted.split(&range, 7);
        prop_assert!(cuts.len() < 7);
        let pieces: Vec<_> = range.cut_at(&cuts).iter().flat_map(|piece| collect(sorted.scan(piece))).collect();
        prop_assert_eq!(pieces, want);
        prop_assert!(cuts.iter().all(|cut| range.contains(cut) && *cut != range.from));
    }

    #[test]
    fn a_key_that_stands_twice_is_shown_with_both_places(
        keys in prop::collection::btree_set(0u32..10_000, 2..200),
        again in any::<prop::sample::Index>(),
        memory in 100u64..4000,
    ) {
        let mut rows: Vec<_> = keys.iter().map(|key| (key.to_le_bytes().to_vec(), vec![0; 20])).collect();
        let first = again.index(rows.len());
        let twin = rows[first].clone();
        rows.push(twin.clone());
        let error = sort(&rows, memory).err().unwrap();
        prop_assert_eq!(error.to_string(), format!(
            "t.csv: key {} stands twice: at row {first} and at row {}", crate::row::escape(&twin.0), rows.len() - 1));
    }
}

#[test]
fn merges_in_rounds_and_keeps_the_index_sparse() {
    let mut model = BTreeMap::new();
    for i in 0u64..5_000 {
        let key = xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes())
            .to_be_bytes()
            .to_vec();
        model.insert(key, vec![i as u8; (i % 50) as usize]);
    }
    let mut rows: Vec<_> = model.clone().into_iter().collect();
    rows.sort_by(|a, b| a.1.cmp(&b.1));
    // 4 rows a run: over 1,000 runs, so merges of merges.
    let sorted = sort(&rows, 300).unwrap();
    assert_eq!(
        collect(sorted.scan(&KeyRange::all())),
        model.into_iter().collect::<Vec<_>>()
    );
    let cuts = sorted.split(&KeyRange::all(), 10);
    assert_eq!(cuts.len(), 9);
    let sizes: Vec<_> = KeyRange::all()
        .cut_at(&cuts)
        .iter()
        .map(|piece| collect(sorted.scan(piece)).len())
        .collect();
    assert!(
        sizes.iter().all(|size| (250..1000).contains(size)),
        "{sizes:?}"
    );
}

#[test]
fn a_row_larger_than_the_memory_passes() {
    let rows = vec![
        (b"b".to_vec(), vec![1; 1 << 20]),
        (b"a".to_vec(), vec![2; 3 << 20]),
        (b"c".to_vec(), vec![]),
    ];
    let sorted = sort(&rows, 100).unwrap();
    let mut want = rows;
    want.sort();
    assert_eq!(collect(sorted.scan(&KeyRange::all())), want);
}

#[test]
fn no_rows_are_a_table_too() {
    let sorted = sort(&[], 100).unwrap();
    assert!(collect(sorted.scan(&KeyRange::all())).is_empty());
    assert!(sorted.split(&KeyRange::all(), 5).is_empty());
}

proptest! {
    /// A log of writes and deletions is the map that it makes.
    #[test]
    fn the_later_write_of_a_log_counts(
        log in prop::collection::vec((0u8..20, prop::option::of(0u8..9)), 0..200),
        memory_bytes in 1u64..3000,
    ) {
        let mut sorter = Sorter::new(options(memory_bytes), &show).on_twice(Twice::LaterWins);
        let mut map = BTreeMap::new();
        for (place, (key, value)) in log.iter().enumerate() {
            let key = vec![*key];
            match value {
                Some(value) => {
                    sorter.push(Row { key: &key, value: &[*value] }, place as u64).unwrap();
                    map.insert(key, vec![*value]);
                }
                None => {
                    sorter.push_deletion(&key, place as u64).unwrap();
                    map.remove(&key);
                }
            }
        }
        let sorted = sorter.finish().unwrap();
        prop_assert_eq!(sorted.rows(), map.len() as u64);
        let rows = collect(sorted.scan(&KeyRange::all()));
        prop_assert_eq!(rows, map.into_iter().collect::<Vec<_>>());
    }
}
