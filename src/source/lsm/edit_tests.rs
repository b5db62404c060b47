use super::*;
use crate::file::cursor::{push_length_prefixed, push_varint};

/// A field: a tag, then numbers and byte strings.
enum F {
    N(u64),
    B(&'static [u8]),
}

fn field(tag: u64, fields: &[F]) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, tag);
    for field in fields {
        match field {
            F::N(number) => push_varint(&mut out, *number),
            F::B(bytes) => push_length_prefixed(&mut out, bytes),
        }
    }
    out
}

use F::{B, N};

const SMALLEST: &[u8] = b"a\x01\x05\0\0\0\0\0\0";
const LARGEST: &[u8] = b"b\x01\x06\0\0\0\0\0\0";

fn file(sequences: Option<(u64, u64)>, path_id: u32) -> NewFile<'static> {
    NewFile {
        level: 2,
        number: 300,
        size: 70_000,
        smallest: SMALLEST,
        largest: LARGEST,
        sequences,
        path_id,
    }
}

fn parse(record: &[u8]) -> Result<Edit<'_>, Bad> {
    Edit::parse(record, false)
}

#[test]
fn new_files_of_riak_are_read() {
    let record = field(
        11,
        &[
            N(2),
            N(300),
            N(70_000),
            B(SMALLEST),
            B(LARGEST),
            N(1),
            N(2),
            N(3),
        ],
    );
    let edit = Edit::parse(&record, true).unwrap();
    assert_eq!(edit.added, [file(None, 0)]);
    assert!(!edit.is_rocksdb);
    assert!(Edit::parse(&record[..record.len() - 1], true).is_err());
}

#[test]
fn all_of_leveldb_is_read() {
    let record = [
        field(1, &[B(b"leveldb.BytewiseComparator")]),
        field(2, &[N(12)]),
        field(9, &[N(11)]),
        field(3, &[N(500)]),
        field(4, &[N(1 << 40)]),
        field(5, &[N(1), B(SMALLEST)]),
        field(6, &[N(1), N(299)]),
        field(7, &[N(2), N(300), N(70_000), B(SMALLEST), B(LARGEST)]),
    ]
    .concat();
    let edit = parse(&record).unwrap();
    let expected = Edit {
        comparator: Some(b"leveldb.BytewiseComparator"),
        log_number: Some(12),
        previous_log_number: Some(11),
        next_file_number: Some(500),
        last_sequence: Some(1 << 40),
        deleted: vec![(1, 299)],
        added: vec![file(None, 0)],
        ..Edit::default()
    };
    assert_eq!(edit, expected);
    let starts: Vec<usize> = (0..record.len())
        .filter(|&cut| parse(&record[..cut]).is_ok())
        .collect();
    // Only between fields.
    assert_eq!(starts.len(), 8);
}

#[test]
fn new_files_of_rocksdb_are_read() {
    let two = field(
        100,
        &[N(2), N(300), N(70_000), B(SMALLEST), B(LARGEST), N(5), N(6)],
    );
    let three = field(
        102,
        &[
            N(2),
            N(300),
            N(1),
            N(70_000),
            B(SMALLEST),
            B(LARGEST),
            N(5),
            N(6),
        ],
    );
    let four = |custom: &[Vec<u8>]| {
        let fixed = [N(2), N(300), N(70_000), B(SMALLEST), B(LARGEST), N(5), N(6)];
        [field(103, &fixed), custom.concat(), vec![1]].concat()
    };
    let keep = field(3, &[B(&[9, 0, 0, 0, 0, 0, 0, 0])]);
    let path = field(65, &[B(&[2])]);
    let future = field(33, &[B(b"whatever")]);
    for (record, path_id) in [
        (two, 0),
        (three, 1),
        (four(&[]), 0),
        (four(&[keep.clone(), future, path]), 2),
    ] {
        let edit = parse(&record).unwrap();
        assert_eq!(edit.added, [file(Some((5, 6)), path_id)]);
        assert!(edit.is_rocksdb);
    }
    assert_eq!(
        parse(&four(&[keep])).unwrap().min_log_number_to_keep,
        Some(9)
    );
    for refused in [field(66, &[B(b"")]), field(16, &[B(&[0])])] {
        let bad = parse(&four(&[refused])).unwrap_err();
        assert!(matches!(bad, Bad::Unsupported(_)));
    }
    for damaged in [field(65, &[B(&[9])]), field(3, &[B(&[9])])] {
        let bad = parse(&four(&[damaged])).unwrap_err();
        assert!(matches!(bad, Bad::Damaged(_)));
    }
}

#[test]
fn families_groups_blobs_and_logs_are_read() {
    let record = [
        field(200, &[N(4)]),
        field(201, &[B(b"users")]),
        field(203, &[N(4)]),
        field(300, &[N(2)]),
        field(10, &[N(8)]),
        field(
            400,
            &[N(77), N(3), N(1000), B(b"m"), B(b"c"), N(5), B(b"?"), N(0)],
        ),
        field(401, &[N(77), N(1), N(300), N(0)]),
        field(8193, &[B(b"id")]),
        field(8196, &[N(20), N(1)]),
        field(8199, &[B(&[21, 2, 100, 1])]),
        field(8197, &[N(18)]),
        field(8200, &[B(&[19])]),
        field(8201, &[B(&[1])]),
        field(9000, &[B(b"from the future")]),
    ]
    .concat();
    let expected = Edit {
        family: 4,
        family_added: Some(b"users"),
        group_rest: Some(2),
        min_log_number_to_keep: Some(8),
        blob_files: vec![77],
        logs: vec![(20, None), (21, Some(100))],
        logs_gone_below: Some(19),
        is_rocksdb: true,
        ..Edit::default()
    };
    assert_eq!(parse(&record), Ok(expected));
    assert!(parse(&field(202, &[])).unwrap().family_dropped);
    for refused in [
        field(11, &[N(1)]),
        field(8, &[N(1)]),
        field(
            400,
            &[N(77), N(3), N(1000), B(b"m"), B(b"c"), N(64), B(b"?"), N(0)],
        ),
        field(8196, &[N(20), N(3)]),
    ] {
        assert!(matches!(parse(&refused), Err(Bad::Unsupported(_))));
    }
    // An internal key has eight bytes at least.
    let short = field(7, &[N(2), N(300), N(70_000), B(b"short"), B(LARGEST)]);
    assert!(matches!(parse(&short), Err(Bad::Damaged(_))));
}
