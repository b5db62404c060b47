//! Rows pushed in parts by several threads, in order and out of it, against a sorted map.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{collect, options, show};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::Row;
use crate::source::sort::{SortOptions, SortedRows, Sorter, Twice};

/// A row and its place; without a value it is a deletion.
type Write = (Vec<u8>, Option<Vec<u8>>, u64);

/// Runs `work` on so many threads.
fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(work)
}

/// Who pushes the parts.
#[derive(Debug, Clone, Copy)]
enum Pushed {
    /// All threads, one part after the other.
    InParts,
    /// All threads, each part as it is made.
    Each,
    /// One, beside those that sort.
    Beside,
}

fn ways() -> impl Strategy<Value = Pushed> {
    prop::sample::select(vec![Pushed::InParts, Pushed::Each, Pushed::Beside])
}

fn sort(
    parts: &[Vec<Write>],
    way: Pushed,
    threads: usize,
    memory_bytes: u64,
    twice: Twice,
) -> Result<SortedRows> {
    let push = |part: &Vec<Write>, sorter: &mut Sorter<'_>| {
        part.iter().try_for_each(|(key, value, place)| match value {
            Some(value) => sorter.push(Row { key, value }, *place),
            None => sorter.push_deletion(key, *place),
        })
    };
    on_threads(threads, || {
        let mut sorter = Sorter::new(options(memory_bytes), &show).on_twice(twice);
        match way {
            Pushed::InParts => sorter.push_parts(parts, push)?,
            Pushed::Each => sorter.push_each(parts.iter().map(Ok), push)?,
            Pushed::Beside => {
                sorter
                    .push_beside(|sorter| parts.iter().try_for_each(|part| push(part, sorter)))?;
            }
        }
        sorter.finish()
    })
}

/// How rows come.
#[derive(Debug, Clone, Copy)]
enum Order {
    Ascending,
    Descending,
    /// Ascending but for some that were swapped.
    Nearly,
    /// As numbers without zeros in front come: a few ascending runs of keys that overlap.
    ByLength,
    Shuffled,
}

fn arrange(keys: &mut [Vec<u8>], order: Order, seed: u64) {
    let hash = |key: &[u8]| xxhash_rust::xxh3::xxh3_64_with_seed(key, seed);
    match order {
        Order::Ascending => keys.sort(),
        Order::Descending => keys.sort_by(|a, b| b.cmp(a)),
        Order::ByLength => keys.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b))),
        Order::Shuffled => keys.sort_by_key(|key| hash(key)),
        Order::Nearly => {
            keys.sort();
            let len = keys.len();
            for swap in 0..3u64.min(len as u64) {
                let at = |salt: u64| hash(&(swap + salt).to_le_bytes()) as usize % len;
                keys.swap(at(0), at(9));
            }
        }
    }
}

fn orders() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![
        Order::Ascending,
        Order::Descending,
        Order::Nearly,
        Order::ByLength,
        Order::Shuffled,
    ])
}

/// Numbers as text, some with a long common front.
fn key_of(number: u32, prefix: &str) -> Vec<u8> {
    format!("{prefix}{number}").into_bytes()
}

fn in_parts(writes: Vec<Write>, part_len: usize) -> Vec<Vec<Write>> {
    writes.chunks(part_len).map(<[Write]>::to_vec).collect()
}

fn prefixes() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "n", "a long front of all keys "])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_order_and_any_threads_give_the_same_rows(
        numbers in prop::collection::btree_set(0u32..20_000, 0..400),
        prefix in prefixes(),
        order in orders(),
        seed: u64,
        part_len in 1usize..60,
        way in ways(),
        threads in prop::sample::select(vec![1usize, 2, 5]),
        memory_bytes in prop::sample::select(vec![1u64, 300, 3000, 1 << 20]),
    ) {
        let mut keys: Vec<_> = numbers.iter().map(|n| key_of(*n, prefix)).collect();
        arrange(&mut keys, order, seed);
        let value_of = |key: &[u8]| vec![7; key.len() * 3];
        let writes = keys.iter().zip(0..).map(|(k, place)| (k.clone(), Some(value_of(k)), place));
        let parts = in_parts(writes.collect(), part_len);
        let sorted = sort(&parts, way, threads, memory_bytes, Twice::Refused).unwrap();
        keys.sort();
        let model: Vec<_> = keys.iter().map(|key| (key.clone(), value_of(key))).collect();
        prop_assert_eq!(sorted.rows(), model.len() as u64);
        let bytes: usize = model.iter().map(|(k, v)| k.len() + v.len()).sum();
        prop_assert_eq!(sorted.bytes(), bytes as u64);
        prop_assert_eq!(collect(sorted.scan(&KeyRange::all())), model.clone());
        let cuts = sorted.split(&KeyRange::all(), 9);
        prop_assert!(cuts.is_sorted_by(|a, b| a < b));
        let pieces = KeyRange::all().cut_at(&cuts);
        let pieces = pieces.iter().flat_map(|piece| collect(sorted.scan(piece)));
        prop_assert_eq!(pieces.collect::<Vec<_>>(), model.clone());
        for bounds in keys.windows(5).step_by(11) {
            let range = KeyRange { from: bounds[0].clone(), to: Some(bounds[4].clone()) };
            let want: Vec<_> = model.iter().filter(|(key, _)| range.contains(key)).cloned().collect();
            prop_assert_eq!(collect(sorted.scan(&range)), want);
        }
    }

    /// Of all keys that stand twice, the lowest is told, at the first two of its places.
    #[test]
    fn the_same_key_is_told_whatever_the_threads_do(
        numbers in prop::collection::btree_set(0u32..20_000, 1..300),
        again in prop::collection::vec((any::<prop::sample::Index>(), 1usize..4), 1..6),
        prefix in prefixes(),
        order in orders(),
        seed: u64,
        part_len in 1usize..60,
        way in ways(),
        threads in prop::sample::select(vec![1usize, 2, 5]),
        memory_bytes in prop::sample::select(vec![1u64, 300, 3000, 1 << 20]),
    ) {
        let mut keys: Vec<_> = numbers.iter().map(|n| key_of(*n, prefix)).collect();
        for (which, times) in again {
            let key = keys[which.index(numbers.len())].clone();
            keys.extend(std::iter::repeat_n(key, times));
        }
        arrange(&mut keys, order, seed);
        let mut places: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (place, key) in keys.iter().enumerate() {
            places.entry(key).or_default().push(place);
        }
        let (key, places) = places.into_iter().find(|(_, places)| places.len() > 1).unwrap();
        let wanted = format!(
            "t.csv: key {} stands twice: at row {} and at row {}",
            crate::row::escape(key), places[0], places[1]);
        let writes = keys.iter().zip(0..).map(|(k, place)| (k.clone(), Some(vec![1; 9]), place));
        let parts = in_parts(writes.collect(), part_len);
        let error = sort(&parts, way, threads, memory_bytes, Twice::Refused).err().unwrap();
        prop_assert_eq!(error.to_string(), wanted);
    }

    #[test]
    fn the_later_write_counts_whichever_thread_pushes_it(
        log in prop::collection::vec((0u32..40, prop::option::of(0u8..9)), 0..300),
        part_len in 1usize..60,
        way in ways(),
        threads in prop::sample::select(vec![1usize, 2, 5]),
        memory_bytes in prop::sample::select(vec![1u64, 300, 3000, 1 << 20]),
        is_sorted: bool,
    ) {
        let mut log = log;
        if is_sorted {
            log.sort_by_key(|(number, _)| *number);
        }
        let mut map = BTreeMap::new();
        let mut writes = Vec::new();
        for ((number, value), place) in log.into_iter().zip(0..) {
            let (key, value) = (key_of(number, ""), value.map(|byte| vec![byte]));
            match &value {
                Some(value) => map.insert(key.clone(), value.clone()),
                None => map.remove(&key),
            };
            writes.push((key, value, place));
        }
        let sorted = sort(&in_parts(writes, part_len), way, threads, memory_bytes, Twice::LaterWins).unwrap();
        prop_assert_eq!(sorted.rows(), map.len() as u64);
        let rows = collect(sorted.scan(&KeyRange::all()));
        prop_assert_eq!(rows, map.into_iter().collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equal_rows_are_counted_whoever_pushes_them(
        numbers in prop::collection::vec(0u32..300, 0..400),
        prefix in prefixes(),
        order in orders(),
        seed: u64,
        part_len in 1usize..60,
        way in ways(),
        threads in prop::sample::select(vec![1usize, 2, 5]),
        memory_bytes in prop::sample::select(vec![1u64, 300, 3000, 1 << 20]),
    ) {
        let mut keys: Vec<_> = numbers.iter().map(|n| key_of(*n / 20, prefix)).collect();
        arrange(&mut keys, order, seed);
        let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for key in &keys {
            *counts.entry(key.clone()).or_default() += 1;
        }
        let writes = keys.iter().zip(0..).map(|(k, place)| (k.clone(), Some(b"1".to_vec()), place));
        let parts = in_parts(writes.collect(), part_len);
        let sorted = sort(&parts, way, threads, memory_bytes, Twice::Counted).unwrap();
        let model: Vec<_> = counts.into_iter().map(|(key, n)| (key, n.to_string().into_bytes())).collect();
        prop_assert_eq!(sorted.rows(), model.len() as u64);
        let bytes: usize = model.iter().map(|(k, v)| k.len() + v.len()).sum();
        prop_assert_eq!(sorted.bytes(), bytes as u64);
        prop_assert_eq!(collect(sorted.scan(&KeyRange::all())), model);
    }
}

#[test]
fn the_first_part_that_fails_is_told() {
    let numbers: Vec<u64> = (0..200).collect();
    for threads in [1, 2, 5] {
        let error = on_threads(threads, || {
            let mut sorter = Sorter::new(options(500), &show);
            sorter.push_parts(&numbers, |number, sorter| {
                if [60, 61, 63, 150].contains(number) {
                    return Err(Error::usage(format!("part {number}"), ""));
                }
                let key = &number.to_be_bytes();
                sorter.push(Row { key, value: b"" }, *number)
            })
        });
        assert_eq!(error.unwrap_err().to_string(), "part 60");
    }
}

#[test]
fn what_could_not_be_made_has_failed() {
    for threads in [1, 2, 5] {
        let error = on_threads(threads, || {
            let mut sorter = Sorter::new(options(500), &show);
            let parts = (0..200u64).map(|number| match number {
                0..60 => Ok(number),
                _ => Err(Error::usage(format!("part {number}"), "")),
            });
            sorter.push_each(parts, |number, sorter| {
                let key = &number.to_be_bytes();
                sorter.push(Row { key, value: b"" }, number)
            })
        });
        assert_eq!(error.unwrap_err().to_string(), "part 60");
    }
}

#[test]
fn the_error_of_who_pushes_beside_others_is_told() {
    for threads in [1, 2, 5] {
        let error = on_threads(threads, || {
            let mut sorter = Sorter::new(options(500), &show);
            sorter.push_beside(|sorter| {
                for number in 0..100u64 {
                    let key = &number.to_le_bytes();
                    sorter.push(Row { key, value: b"" }, number)?;
                }
                Err(Error::usage("row 100", ""))
            })
        });
        assert_eq!(error.unwrap_err().to_string(), "row 100");
    }
}

/// Where no temporary file can be made, whoever pushes is told, and nobody waits for ever.
#[test]
fn threads_that_cannot_write_end_the_work() {
    for (threads, way) in [(2, Pushed::Beside), (5, Pushed::Beside), (5, Pushed::Each)] {
        let error = on_threads(threads, || {
            let options = SortOptions {
                temp_dir: Some("/nowhere/at/all".into()),
                ..options(500)
            };
            let mut sorter = Sorter::new(options, &show);
            let push = |sorter: &mut Sorter<'_>| {
                (0..1000u64).try_for_each(|number| {
                    let key = &number.to_le_bytes();
                    sorter.push(Row { key, value: b"" }, number)
                })
            };
            match way {
                Pushed::Beside => sorter.push_beside(push),
                _ => sorter.push_each([(); 9].map(Ok).into_iter(), |(), sorter| push(sorter)),
            }
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }
}

/// Rows in order are written once, however many do not fit the memory.
#[test]
fn what_ascends_is_not_merged() {
    let write = |n: u64| (n.to_be_bytes().to_vec(), Some(vec![1; 50]), n);
    let parts = in_parts((0..2000).map(write).collect(), 40);
    let ways = [Pushed::InParts, Pushed::Each, Pushed::Beside];
    for (way, threads) in ways.into_iter().flat_map(|way| [1, 2, 5].map(|n| (way, n))) {
        let sorted = sort(&parts, way, threads, 3000, Twice::Refused).unwrap();
        let runs: BTreeMap<_, _> = (sorted.segments.iter())
            .map(|segment| (Arc::as_ptr(&segment.run), segment.run.rows))
            .collect();
        let rows_of_runs: u64 = runs.values().sum();
        // Only where work was cut beside a part a few rows were copied; a merge would have copied all of them.
        assert!(
            rows_of_runs < 2200,
            "{way:?}, {threads} threads: {rows_of_runs}"
        );
        assert_eq!(collect(sorted.scan(&KeyRange::all())).len(), 2000);
    }
}

#[test]
fn what_is_forgotten_is_gone() {
    on_threads(3, || {
        let mut sorter = Sorter::new(options(300), &show);
        let parts = [0u64, 1, 2, 3];
        let push = |part: &u64, sorter: &mut Sorter<'_>| {
            (0..100u64).try_for_each(|n| {
                let key = &(part << 8 | n).to_be_bytes();
                sorter.push(Row { key, value: b"v" }, n)
            })
        };
        sorter.push_parts(&parts, push).unwrap();
        sorter
            .push(
                Row {
                    key: b"x",
                    value: b"",
                },
                0,
            )
            .unwrap();
        sorter.clear();
        sorter.push_parts(&parts[..2], push).unwrap();
        let sorted = sorter.finish().unwrap();
        assert_eq!(sorted.rows(), 200);
        assert_eq!(collect(sorted.scan(&KeyRange::all())).len(), 200);
    });
}
