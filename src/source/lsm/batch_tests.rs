use super::*;
use crate::source::lsm::testing::{batch, tagged};

/// Family, sequence, kind, key, value.
type Got = (u32, u64, u8, Vec<u8>, Vec<u8>);

fn run(transactions: &mut Transactions, bytes: &[u8]) -> Result<(Vec<Got>, u64), Bad> {
    let mut got = Vec::new();
    let batch = Batch::parse(bytes).unwrap();
    let next = transactions.run(&batch, &Limits::default(), &mut |family, entry| {
        let (key, value) = (entry.key.to_vec(), entry.value.to_vec());
        got.push((family, entry.sequence, entry.kind, key, value));
        Ok(())
    })?;
    Ok((got, next))
}

fn once(bytes: &[u8]) -> Result<Vec<Got>, Bad> {
    run(&mut Transactions::default(), bytes).map(|(got, _)| got)
}

fn got(family: u32, sequence: u64, kind: u8, key: &[u8], value: &[u8]) -> Got {
    (family, sequence, kind, key.to_vec(), value.to_vec())
}

#[test]
fn every_kind_of_record_takes_the_next_sequence_number() {
    let bytes = batch(
        100,
        16,
        &[
            &tagged(1, None, &[b"a", b"1"]),
            &tagged(13, None, &[]),
            &tagged(5, Some(3), &[b"b", b"2"]),
            &tagged(3, None, &[b"log data"]),
            &tagged(0, None, &[b"c"]),
            &tagged(4, Some(3), &[b"d"]),
            &tagged(2, None, &[b"e", b"m"]),
            &tagged(6, Some(3), &[b"f", b"m"]),
            &tagged(7, None, &[b"g"]),
            &tagged(8, Some(3), &[b"h"]),
            &tagged(15, None, &[b"i", b"j"]),
            &tagged(14, Some(3), &[b"k", b"l"]),
            &tagged(17, None, &[b"m", b"blob"]),
            &tagged(16, Some(3), &[b"n", b"blob"]),
            &tagged(22, None, &[b"o", b"columns"]),
            &tagged(23, Some(3), &[b"p", b"columns"]),
            &tagged(24, None, &[b"q", b"v12345678"]),
            &tagged(25, Some(127), &[b"", b"v12345678"]),
        ],
    );
    let expected = [
        got(0, 100, 1, b"a", b"1"),
        got(3, 101, 1, b"b", b"2"),
        got(0, 102, 0, b"c", b""),
        got(3, 103, 0, b"d", b""),
        got(0, 104, 2, b"e", b"m"),
        got(3, 105, 2, b"f", b"m"),
        got(0, 106, 7, b"g", b""),
        got(3, 107, 7, b"h", b""),
        got(0, 108, 15, b"i", b"j"),
        got(3, 109, 15, b"k", b"l"),
        got(0, 110, 17, b"m", b"blob"),
        got(3, 111, 17, b"n", b"blob"),
        got(0, 112, 22, b"o", b"columns"),
        got(3, 113, 22, b"p", b"columns"),
        got(0, 114, 24, b"q", b"v12345678"),
        got(127, 115, 24, b"", b"v12345678"),
    ];
    let (entries, next) = run(&mut Transactions::default(), &bytes).unwrap();
    assert_eq!(entries, expected);
    assert_eq!(next, 116);
}

#[test]
fn transactions_count_from_their_commit_on() {
    let mut transactions = Transactions::default();
    let section = |key: &[u8], name: &[u8]| {
        [
            tagged(9, None, &[]),
            tagged(1, None, &[key, b"1"]),
            tagged(5, Some(2), &[key, b"2"]),
            tagged(10, None, &[name]),
        ]
        .concat()
    };
    for (name, key) in [(b"tx", b"a"), (b"ty", b"b"), (b"tz", b"c")] {
        let bytes = batch(10, 2, &[&section(key, name)]);
        assert_eq!(run(&mut transactions, &bytes).unwrap(), (vec![], 10));
    }
    assert_eq!(transactions.prepared(), 3);
    // A commit runs behind what its own batch holds before it.
    let commit = batch(
        20,
        1,
        &[&tagged(0, None, &[b"z"]), &tagged(11, None, &[b"ty"])],
    );
    let expected = vec![
        got(0, 20, 0, b"z", b""),
        got(0, 21, 1, b"b", b"1"),
        got(2, 22, 1, b"b", b"2"),
    ];
    assert_eq!(run(&mut transactions, &commit).unwrap(), (expected, 23));
    let rollback = batch(23, 0, &[&tagged(12, None, &[b"tx"])]);
    assert_eq!(run(&mut transactions, &rollback).unwrap(), (vec![], 23));
    assert_eq!(
        (transactions.prepared(), transactions.missed_commits()),
        (1, 0)
    );
    let again = batch(23, 0, &[&tagged(11, None, &[b"ty"])]);
    assert_eq!(run(&mut transactions, &again).unwrap(), (vec![], 23));
    assert_eq!(transactions.missed_commits(), 1);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let put = tagged(1, None, &[b"a", b"1"]);
    let begin = tagged(9, None, &[]);
    let end = tagged(10, None, &[b"tx"]);
    let commit = tagged(11, None, &[b"tx"]);
    for (count, records) in [
        (2, vec![&put]),
        (0, vec![&put]),
        (1, vec![&begin, &put]),
        (1, vec![&put, &end]),
        (0, vec![&begin, &begin, &end]),
        (0, vec![&begin, &commit, &end]),
        (0, vec![&begin, &end, &begin, &end]),
    ] {
        let records: Vec<&[u8]> = records.into_iter().map(Vec::as_slice).collect();
        let bad = once(&batch(1, count, &records)).unwrap_err();
        assert!(matches!(bad, Bad::Damaged(_)), "{count} {bad:?}");
    }
    for cut in 13..12 + put.len() {
        assert!(once(&batch(1, 1, &[&put])[..cut]).is_err(), "{cut}");
    }
    for tag in [18, 19, 20, 21, 26, 255] {
        let bad = once(&batch(1, 1, &[&[tag], &[0; 40]])).unwrap_err();
        assert!(matches!(bad, Bad::Unsupported(_)), "{tag} {bad:?}");
    }
    assert_eq!(Batch::parse(&[0; 11]), None);
    assert_eq!(Batch::parse(&[255; 12]), None);
    let last = batch(SEQUENCE_MAX, 2, &[&put, &put]);
    assert!(matches!(once(&last), Err(Bad::Damaged(_))));
    let limits = Limits {
        value_bytes_max: 0,
        ..Limits::default()
    };
    let bytes = batch(1, 1, &[&put]);
    let bad =
        Transactions::default().run(&Batch::parse(&bytes).unwrap(), &limits, &mut |_, _| Ok(()));
    assert!(matches!(bad, Err(Bad::Limit { value: 1, .. })));
}

#[test]
fn any_bytes_give_an_answer() {
    let mut seed = 1u64;
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..40)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as u8 % 30
            })
            .collect();
        let _ = once(&[&[0; 8][..], &bytes].concat());
    }
}

#[test]
fn values_of_riak_lose_their_time() {
    let put = |tag: u8| [vec![tag, 1, b'k', 0x85, 1, 1], b"v".to_vec()].concat();
    let bytes = batch(7, 2, &[&put(2), &put(3)]);
    let mut transactions = Transactions::new(true);
    let expected = vec![got(0, 7, 1, b"k", b"v"), got(0, 8, 1, b"k", b"v")];
    assert_eq!(run(&mut transactions, &bytes).unwrap(), (expected, 9));
    assert_eq!(transactions.expiring(), 1);
}
