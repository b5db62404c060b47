//! bbolt files written here, against the maps that they were written from; damage; and what the checks are for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::testing::{Bucket, Item, PAGE, Rows, file, open, rows, sealed};
use crate::range::KeyRange;
use crate::source::SourceOptions;

fn many(count: usize) -> Rows {
    (0..count)
        .map(|n| (format!("key/{n:06}").into_bytes(), vec![n as u8; n % 90]))
        .collect()
}

fn plain(options: &mut SourceOptions) -> &SourceOptions {
    options.format = Some("bbolt".into());
    options
}

fn read(bytes: &[u8]) -> crate::Result<BTreeMap<String, Rows>> {
    let mut options = SourceOptions::default();
    let snapshot = open(bytes, plain(&mut options))?;
    rows(snapshot.as_ref())
}

#[test]
fn buckets_are_tables_and_nested_ones_have_paths() {
    let deep = Bucket::of(many(3)).with("in/side", Bucket::of(many(2)));
    let small = Bucket {
        is_inline: true,
        sequence: 5,
        ..Bucket::of(many(4))
    };
    let root = Bucket::default()
        .with("a", Bucket::of(many(500)).with("nested", deep))
        .with("empty", Bucket::default())
        .with("small", small);
    for bytes in [file(&root), sealed(file(&root))] {
        let found = read(&bytes).unwrap();
        let expected = BTreeMap::from([
            ("a".to_owned(), many(500)),
            ("a/nested".to_owned(), many(3)),
            ("a/nested/in\\x2fside".to_owned(), many(2)),
            ("empty".to_owned(), vec![]),
            ("small".to_owned(), many(4)),
        ]);
        assert_eq!(found, expected);
    }
    let mut options = SourceOptions::default();
    let snapshot = open(&file(&root), plain(&mut options)).unwrap();
    let facts = snapshot.describe();
    assert!(
        facts.contains(&("sequence of small".into(), "5".into())),
        "{facts:?}"
    );
    assert_eq!(snapshot.tables()[0].estimate().rows, 500);
}

#[test]
fn a_file_without_buckets_has_no_tables() {
    assert!(read(&file(&Bucket::default())).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 1000 }))]
    #[test]
    fn ranges_and_pieces_hold_what_a_map_says(
        map in prop::collection::btree_map(
            prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 0xff]), 1..6),
            prop::collection::vec(any::<u8>(), 0..2000),
            0..120,
        ),
        ends in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 0xff]), 0..6), 2),
        fan_out in 2usize..9,
        pieces in 1usize..20,
        mmap in any::<bool>(),
    ) {
        let bucket = Bucket { fan_out, ..Bucket::of(map.clone()) };
        let bytes = file(&Bucket::default().with("b", bucket));
        let mut options = SourceOptions::default();
        options.file.mmap = mmap;
        let snapshot = open(&bytes, plain(&mut options)).unwrap();
        let tables = snapshot.tables();
        let table = tables[0];
        let range = KeyRange { from: ends[0].clone(), to: Some(ends[1].clone()) };
        for range in [KeyRange::all(), range] {
            let cuts = table.split(&range, pieces).unwrap();
            prop_assert!(cuts.len() < pieces);
            prop_assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(cuts.iter().all(|cut| *cut > range.from && range.contains(cut)));
            for parts in [vec![range.clone()], range.cut_at(&cuts)] {
                let mut found = Vec::new();
                for part in parts {
                    let mut stream = table.scan(&part).unwrap();
                    stream.for_each(&mut |row| {
                        found.push((row.key.to_vec(), row.value.to_vec()));
                        Ok(())
                    }).unwrap();
                }
                let expected: Rows = map.iter().filter(|(key, _)| range.contains(key))
                    .map(|(key, value)| (key.clone(), value.clone())).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

/// A tree of three levels, and the file of it.
fn three_levels() -> (Rows, Vec<u8>) {
    let rows = many(100);
    let bucket = Bucket {
        fan_out: 4,
        ..Bucket::of(rows.clone())
    };
    (rows, file(&Bucket::default().with("b", bucket)))
}

#[test]
fn a_large_tree_is_cut_from_its_branches() {
    let bytes = file(&Bucket::default().with("b", Bucket::of(many(20_000))));
    let mut options = SourceOptions::default();
    let snapshot = open(&bytes, plain(&mut options)).unwrap();
    let table = snapshot.tables()[0];
    let cuts = table.split(&KeyRange::all(), 8).unwrap();
    assert_eq!(cuts.len(), 7);
    for (index, cut) in cuts.iter().enumerate() {
        let number: usize = String::from_utf8_lossy(&cut[4..]).parse().unwrap();
        let fair = 20_000 * (index + 1) / 8;
        assert!(number.abs_diff(fair) < 1500, "{number} for {fair}");
    }
}

#[test]
fn a_page_that_cannot_be_read_hides_its_keys_alone() {
    let (expected, mut bytes) = three_levels();
    // The id of a leaf in the middle: the leaves come first.
    let leaf = 4 + 12;
    bytes[leaf * PAGE] ^= 1;
    let mut options = SourceOptions::default();
    let snapshot = open(&bytes, plain(&mut options)).unwrap();
    let table = snapshot.tables()[0];
    let mut stream = table.scan(&KeyRange::all()).unwrap();
    let (mut found, mut hidden) = (Vec::new(), Vec::new());
    while let Err(error) = stream.for_each(&mut |row| {
        found.push(row.key.to_vec());
        Ok(())
    }) {
        assert!(
            error
                .to_string()
                .contains("page 16 says that it is page 17"),
            "{error}"
        );
        hidden.push(KeyRange::from(error.unreadable_keys().unwrap().clone()));
    }
    assert_eq!(hidden.len(), 1);
    let readable: Vec<Vec<u8>> = expected
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| !hidden[0].contains(key))
        .collect();
    assert_eq!(found, readable);
    assert_eq!(found.len(), 96);
}

/// Every flipped bit of the meta pages gives the rows, or those of the transaction before with a note; never others.
#[test]
fn a_damaged_meta_page_gives_way_to_the_other() {
    let (expected, bytes) = three_levels();
    let expected = BTreeMap::from([("b".to_owned(), expected)]);
    let (in_use, rest) = (0..8 * 80, (0..8 * 2 * PAGE).step_by(61));
    for bit in in_use
        .clone()
        .chain(in_use.map(|bit| bit + 8 * PAGE))
        .chain(rest)
    {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut options = SourceOptions::default();
        let snapshot = open(&bytes, plain(&mut options)).unwrap();
        let is_first = bit / 8 < PAGE;
        // Beyond flags, magic and what the checksum covers is nothing that counts.
        let counts = matches!(bit / 8 % PAGE, 8..10 | 16..80);
        assert_eq!(snapshot.notes().len(), usize::from(counts), "bit {bit}");
        let found = rows(snapshot.as_ref()).unwrap();
        match is_first && counts {
            true => assert!(found.is_empty(), "bit {bit}"),
            false => assert_eq!(found, expected, "bit {bit}"),
        }
    }
    let mut both = bytes;
    both[16] ^= 1;
    both[PAGE + 16] ^= 1;
    assert_eq!(
        super::meta::choose(&input(&both))
            .err()
            .unwrap()
            .exit_code(),
        3
    );
}

fn input(bytes: &[u8]) -> crate::file::input::Input {
    let temp = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(temp.path(), bytes).unwrap();
    crate::file::input::Input::open(temp.path(), &Default::default()).unwrap()
}

#[test]
fn every_flipped_bit_of_a_sealed_file_is_damage() {
    let bucket = Bucket::of(many(12));
    let bytes = sealed(file(&Bucket::default().with("b", bucket)));
    let step = if cfg!(debug_assertions) { 41 } else { 1 };
    for bit in (0..8 * bytes.len()).step_by(step) {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = read(&bytes).expect_err(&format!("bit {bit}"));
        assert_eq!(error.exit_code(), 3, "bit {bit}: {error}");
    }
}

/// Pages have no checksum: a flipped bit is an error, or changes what it stands in and no more than that.
#[test]
fn a_flipped_bit_of_a_page_never_adds_or_hides_rows_elsewhere() {
    let (expected, bytes) = three_levels();
    let step = if cfg!(debug_assertions) { 97 } else { 1 };
    let (mut errors, mut same, mut other) = (0, 0, 0);
    for bit in (8 * 4 * PAGE..8 * bytes.len()).step_by(step) {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(&bytes) {
            Err(error) => {
                assert_eq!(error.exit_code(), 3, "bit {bit}: {error}");
                errors += 1;
            }
            Ok(found) => {
                let Some(found) = found.get("b") else {
                    // A bit in the name of the bucket.
                    other += 1;
                    continue;
                };
                let changed = found.iter().filter(|row| !expected.contains(row)).count();
                assert!(changed <= 1, "bit {bit}: {changed} rows");
                match *found == expected {
                    true => same += 1,
                    false => other += 1,
                }
            }
        }
    }
    println!("{errors} errors, {same} without effect, {other} other rows");
    assert!(errors > 0 && same > 0 && other > 0);
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let (_, bytes) = three_levels();
    let sealed = sealed(bytes.clone());
    let step = if cfg!(debug_assertions) { 7 } else { 1 };
    for whole in [&bytes, &sealed] {
        for len in (1..whole.len())
            .step_by(step)
            .chain(whole.len() - 40..whole.len())
        {
            // Without its SHA-256 a snapshot is a database.
            if len == bytes.len() {
                continue;
            }
            assert!(read(&whole[..len]).is_err(), "{len} of {}", whole.len());
        }
    }
    let longer = [bytes.as_slice(), &vec![0; 3 * PAGE]].concat();
    assert_eq!(read(&longer).unwrap(), read(&bytes).unwrap(), "grown ahead");
}

/// Lets an element of the root's leaf point elsewhere.
fn redirected(bytes: &[u8], page: usize, element: usize, child: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = page * PAGE + 16 + 16 * element + 8;
    bytes[at..at + 8].copy_from_slice(&child.to_le_bytes());
    bytes
}

#[test]
fn cycles_and_pages_reached_twice_are_damage() {
    let (expected, bytes) = three_levels();
    let pages = bytes.len() / PAGE;
    // Every branch page is made to point at every page, by its first child and its last.
    let (mut tried, mut refused) = (0, 0);
    for page in 4..pages {
        let at = page * PAGE + 8;
        let (flags, count) = (bytes[at], bytes[at + 2] as usize);
        if flags != 1 {
            continue;
        }
        for element in [0, count - 1] {
            for child in 0..pages as u64 + 2 {
                let changed = redirected(&bytes, page, element, child);
                if changed == bytes {
                    continue;
                }
                tried += 1;
                match read(&changed) {
                    Err(_) => refused += 1,
                    // A page below the one that was meant: rows may be lost, which nothing in the file tells.
                    Ok(found) => {
                        let found = &found["b"];
                        assert!(found.iter().all(|row| expected.contains(row)));
                        assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
                    }
                }
            }
        }
    }
    println!("{refused} of {tried} refused");
    assert!(tried > 200 && refused > tried * 9 / 10);
}

#[test]
fn two_buckets_of_one_tree_are_damage() {
    let root = Bucket::default()
        .with("a", Bucket::of(many(5)))
        .with("b", Bucket::of(many(5)));
    let bytes = file(&root);
    // The buckets' leaves are pages 4 and 5, the root's leaf is page 6; the values that stand for them follow the names.
    let values: Vec<usize> = (6 * PAGE..7 * PAGE - 8)
        .filter(|&at| bytes[at..at + 8] == 5u64.to_le_bytes())
        .collect();
    let [at] = values.as_slice() else {
        panic!("{values:?}");
    };
    let mut twice = bytes.clone();
    twice[*at..*at + 8].copy_from_slice(&4u64.to_le_bytes());
    let error = read(&twice).unwrap_err();
    assert!(
        error.to_string().contains("page 4 is reached twice"),
        "{error}"
    );
    let mut within_itself = bytes;
    within_itself[*at..*at + 8].copy_from_slice(&6u64.to_le_bytes());
    assert!(read(&within_itself).is_err());
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let bytes = file(&Bucket::default());
    let set_version = |bytes: &mut Vec<u8>, offset: usize| {
        bytes[offset + 20] = 3;
        let sum = super::meta::fnv1a(&bytes[offset + 16..offset + 72]);
        bytes[offset + 72..offset + 80].copy_from_slice(&sum.to_le_bytes());
    };
    let mut newer = bytes.clone();
    set_version(&mut newer, 0);
    set_version(&mut newer, PAGE);
    let error = read(&newer).unwrap_err();
    assert!(error.to_string().contains("version 3"), "{error}");
    let mut swapped = bytes;
    for offset in [16, 20, PAGE + 16, PAGE + 20] {
        swapped[offset..offset + 4].reverse();
    }
    let error = read(&swapped).unwrap_err();
    assert!(error.to_string().contains("big-endian"), "{error}");
}

#[test]
fn a_key_outside_of_buckets_is_damage() {
    let mut root = Bucket::default();
    root.items.insert(b"k".to_vec(), Item::Value(b"v".to_vec()));
    let error = read(&file(&root)).unwrap_err();
    assert!(
        error.to_string().contains("key k lies in no bucket"),
        "{error}"
    );
}
