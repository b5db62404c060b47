//! The merge against a naive model: all versions of a key in one list, read from the newest on.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::range::KeyRange;
use crate::source::SourceOptions;
use crate::source::block_table::{Fragment, fragment};
use crate::source::lsm::entry::Entry;
use crate::source::lsm::sorted::{EntrySorter, SortedEntries};

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// A version: key, type, value, and the run that holds it. Its place in the list is its sequence number.
type Version = (Vec<u8>, u8, Vec<u8>, usize);

const RUNS: usize = 5;

fn version() -> impl Strategy<Value = Version> {
    let key = prop::collection::vec(prop::sample::select(vec![0u8, 1, b'a', 0xff]), 0..4);
    let kind = prop::sample::select(vec![
        key::PUT,
        key::PUT,
        key::DELETE,
        key::SINGLE_DELETE,
        key::MERGE,
    ]);
    (key, kind, prop::collection::vec(any::<u8>(), 0..3), 0..RUNS)
}

/// Entries that delete: from, to, and how many versions were written before.
fn deletion() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, u64)> {
    let key = || prop::collection::vec(prop::sample::select(vec![0u8, 1, b'a', 0xff]), 0..3);
    (key(), key(), 0u64..60)
}

fn runs(versions: &[Version]) -> Vec<Option<SortedEntries>> {
    (0..RUNS)
        .map(|run| {
            let mut sorter = EntrySorter::new(Path::new("test"), &SourceOptions::default());
            for (sequence, (key, kind, value, of_run)) in versions.iter().enumerate() {
                if *of_run == run {
                    let entry = Entry {
                        key,
                        sequence: sequence as u64 + 1,
                        kind: *kind,
                        value,
                    };
                    sorter.push(7, entry).unwrap();
                }
            }
            sorter.finish().unwrap()
        })
        .collect()
}

fn merged(
    runs: &[Option<SortedEntries>],
    deletions: &[Fragment],
    range: &KeyRange,
    one_by_one: bool,
) -> Rows {
    let operator = MergeOption {
        name: "StringAppendOperator".into(),
        delimiter: Some(b"|".to_vec()),
    };
    let cursors = runs
        .iter()
        .flatten()
        .map(|run| Cursor::Sorted(run.cursor(7, range)))
        .collect();
    let mut merge = Merge::new(
        cursors,
        Rules {
            path: Path::new("test"),
            deletions: RangeDeletions::new(deletions),
            operator: Some(&operator),
            blobs: None,
            is_database: true,
        },
    );
    let mut rows = Rows::new();
    if one_by_one {
        while let Some(row) = merge.next().unwrap() {
            rows.push((row.key.to_vec(), row.value.to_vec()));
        }
    } else {
        merge
            .for_each(&mut |row| {
                rows.push((row.key.to_vec(), row.value.to_vec()));
                Ok(())
            })
            .unwrap();
    }
    rows
}

/// What the versions mean, in the order of their writing.
fn model(versions: &[Version], deletions: &[(Vec<u8>, Vec<u8>, u64)]) -> Rows {
    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for written in 0..=versions.len() {
        let is_now = |at: u64| (at as usize).min(versions.len()) == written;
        for (from, to, _) in deletions.iter().filter(|(.., at)| is_now(*at)) {
            rows.retain(|key, _| !(from <= key && key < to));
        }
        let Some((key, kind, value, _)) = versions.get(written) else {
            break;
        };
        match *kind {
            key::PUT => {
                rows.insert(key.clone(), value.clone());
            }
            key::MERGE => match rows.get_mut(key) {
                Some(row) => {
                    row.push(b'|');
                    row.extend_from_slice(value);
                }
                None => {
                    rows.insert(key.clone(), value.clone());
                }
            },
            _ => {
                rows.remove(key);
            }
        }
    }
    rows.into_iter().collect()
}

proptest! {
    #[test]
    fn merges_as_the_writes_went(
        versions in prop::collection::vec(version(), 0..60),
        deletions in prop::collection::vec(deletion(), 0..4),
        cut in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let runs = runs(&versions);
        // A deletion hides the versions of lower sequence numbers: those written before.
        let fragments: Vec<Fragment> = deletions
            .iter()
            .filter_map(|(from, to, at)| Fragment::new(from, to, at + 1, false))
            .collect();
        let fragments = fragment(&fragments);
        let want = model(&versions, &deletions);
        let all = KeyRange::all();
        prop_assert_eq!(&merged(&runs, &fragments, &all, true), &want);
        prop_assert_eq!(&merged(&runs, &fragments, &all, false), &want);
        let parts = all.cut_at(&[cut]);
        let of_parts: Vec<Rows> = parts
            .iter()
            .map(|part| merged(&runs, &fragments, part, false))
            .collect();
        prop_assert_eq!(&of_parts.concat(), &want);
    }
}

#[test]
fn in_a_loose_set_equal_sequence_numbers_must_agree() {
    let one = |value: &[u8]| {
        let mut sorter = EntrySorter::new(Path::new("test"), &SourceOptions::default());
        let entry = Entry {
            key: b"k",
            sequence: 0,
            kind: key::PUT,
            value,
        };
        sorter.push(0, entry).unwrap();
        sorter.finish().unwrap().unwrap()
    };
    for (left, right, is_fine) in [(b"1", b"1", true), (b"1", b"2", false)] {
        let (left, right) = (one(left), one(right));
        let cursors = [&left, &right]
            .map(|run| Cursor::Sorted(run.cursor(0, &KeyRange::all())))
            .into_iter()
            .collect();
        let mut merge = Merge::new(
            cursors,
            Rules {
                path: Path::new("test"),
                deletions: RangeDeletions::new(&[]),
                operator: None,
                blobs: None,
                is_database: false,
            },
        );
        match merge.next() {
            Ok(row) => assert!(is_fine && row.unwrap().value == b"1"),
            Err(error) => {
                assert!(!is_fine && error.exit_code() == 3, "{error}");
                assert!(
                    error.to_string().contains("which of them is newer"),
                    "{error}"
                );
            }
        }
    }
}
