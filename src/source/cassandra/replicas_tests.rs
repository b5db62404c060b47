//! Replicas that know other columns, counters, and what is not a row of the table.

use super::super::cells::Ties;
use super::super::key::push_partition;
use super::super::partitioner::Partitioner;
use super::super::value::Encoder;
use super::*;
use crate::error::ErrorKind;
use crate::row::Row;
use crate::source::Table;
use crate::source::memory::MemoryTable;

fn schema(regulars: &[(&str, CqlType)]) -> CqlSchema {
    let column = |(name, cql_type): &(&str, CqlType)| CqlColumn {
        name: (*name).into(),
        cql_type: cql_type.clone(),
    };
    CqlSchema {
        partitioner: Partitioner::Murmur3,
        key: vec![column(&("k", CqlType::Int))],
        clustering: Vec::new(),
        statics: Vec::new(),
        regulars: regulars.iter().map(column).collect(),
        view: View::Cells,
        ties: Ties::V4,
        now: 0,
        gc_before: 0,
    }
}

/// The one row of partition 1, with these cells: column, timestamp, value.
fn row(schema: &CqlSchema, cells: &[(usize, i64, &[u8])]) -> (Vec<u8>, Vec<u8>) {
    let replicas = Replicas::new(&[schema]).unwrap();
    let mut row = CqlRow::default();
    for (column, timestamp, value) in cells {
        let first = row.cells.len();
        let (path, value) = (row.push(b""), row.push(value));
        row.cells.push(Cell {
            timestamp: *timestamp,
            ttl: 0,
            local_time: NO_DELETION_TIME,
            is_deleted: false,
            path,
            value,
        });
        row.columns.push(ColumnCells {
            column: *column,
            deletion: Deletion::LIVE,
            cells: first..first + 1,
        });
    }
    let mut key = Vec::new();
    push_partition(&mut key, schema.partitioner, &CqlType::Int, &[0, 0, 0, 1]);
    key::push_row(&mut key, &replicas.layout, &row, key::Exactness::Bytes).unwrap();
    let mut value = Vec::new();
    Encoder::default().row(&mut value, &replicas.layout, View::Cells, &row);
    (key, value)
}

/// The merged rows of replicas, of which each has one row.
fn merged(replicas: &Replicas, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let tables: Vec<MemoryTable> = rows
        .iter()
        .map(|row| MemoryTable::new("t", [row.clone()]))
        .collect();
    let streams = tables.iter().map(|table| {
        let path = Path::new("a replica");
        (path, table.scan(&KeyRange::all()).unwrap())
    });
    let mut out = Vec::new();
    let mut stream = replicas.merge(streams.collect(), &KeyRange::all())?;
    while let Some(Row { key, value }) = stream.next()? {
        out.push((key.to_vec(), value.to_vec()));
    }
    Ok(out)
}

#[test]
fn columns_that_one_replica_knows_are_not_lost() {
    let left = schema(&[("a", CqlType::Int), ("z", CqlType::Text)]);
    let right = schema(&[("b", CqlType::Varint), ("z", CqlType::Text)]);
    let replicas = Replicas::new(&[&left, &right]).unwrap();
    let all = replicas.with_all_columns(&left);
    let names: Vec<_> = all.regulars.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "z"]);
    let rows = [
        row(&left, &[(0, 1, b"\0\0\0\x05"), (1, 7, b"new")]),
        row(&right, &[(0, 2, b"\x09"), (1, 6, b"old")]),
    ];
    let expected = row(
        &all,
        &[(0, 1, b"\0\0\0\x05"), (1, 2, b"\x09"), (2, 7, b"new")],
    );
    assert_eq!(merged(&replicas, &rows).unwrap(), [expected]);
}

#[test]
fn an_altered_column_has_one_type_whatever_the_order() {
    let (ascii, varint) = (
        schema(&[("a", CqlType::Int)]),
        schema(&[("a", CqlType::Varint)]),
    );
    let types = [[&ascii, &varint], [&varint, &ascii]].map(|schemas| {
        let replicas = Replicas::new(&schemas).unwrap();
        replicas.with_all_columns(&ascii).regulars
    });
    assert_eq!(types[0], types[1]);
    let set = schema(&[("a", CqlType::Set(Box::new(CqlType::Int)))]);
    for other in [set, schema(&[("a", CqlType::Counter)])] {
        let error = Replicas::new(&[&ascii, &other]).err().unwrap();
        assert!(error.to_string().contains("do not merge"), "{error}");
    }
}

#[test]
fn counters_merge_shard_by_shard_and_are_no_conflict() {
    let counter = schema(&[("n", CqlType::Counter)]);
    let replicas = Replicas::new(&[&counter, &counter]).unwrap();
    let shard = |id: u8, clock: i64, count: i64| {
        let numbers = [clock.to_be_bytes(), count.to_be_bytes()].concat();
        [&[id; 16][..], &numbers].concat()
    };
    let context = |shards: &[Vec<u8>]| {
        let mut out = (shards.len() as i16).to_be_bytes().to_vec();
        for index in 0..shards.len() as u16 {
            out.extend_from_slice(&(index | 0x8000).to_be_bytes());
        }
        [out, shards.concat()].concat()
    };
    let left = row(
        &counter,
        &[(0, 5, &context(&[shard(1, 4, 40), shard(2, 1, 1)]))],
    );
    let right = row(
        &counter,
        &[(0, 5, &context(&[shard(1, 3, 30), shard(3, 1, 7)]))],
    );
    let shards = [shard(1, 4, 40), shard(2, 1, 1), shard(3, 1, 7)];
    let expected = row(&counter, &[(0, 5, &context(&shards))]);
    assert!(!replicas.is_conflict(&left.1, &expected.1));
    assert_eq!(merged(&replicas, &[left, right]).unwrap(), [expected]);
}

#[test]
fn two_writes_of_one_timestamp_are_a_conflict() {
    let of = schema(&[("a", CqlType::Text)]);
    let replicas = Replicas::new(&[&of, &of]).unwrap();
    let [less, more, newer] = [(5, b"x"), (5, b"y"), (6, b"a")]
        .map(|(timestamp, value)| row(&of, &[(0, timestamp, value)]));
    let of_both = merged(&replicas, &[more.clone(), less.clone()]).unwrap();
    assert_eq!(of_both.first(), Some(&more));
    assert!(replicas.is_conflict(&less.1, &more.1));
    assert!(!replicas.is_conflict(&less.1, &newer.1));
}

#[test]
fn what_is_no_row_of_the_table_is_damage_and_no_guess() {
    let of = schema(&[("a", CqlType::Int)]);
    let (key, value) = row(&of, &[(0, 1, b"\0\0\0\x05")]);
    let replicas = Replicas::new(&[&of]).unwrap();
    let long = [key.as_slice(), b"\0"].concat();
    let unknown = row(&schema(&[("b", CqlType::Int)]), &[(0, 1, b"\0\0\0\x05")]);
    for row in [
        (key.clone(), value[..value.len() / 2].to_vec()),
        (key.clone(), Vec::new()),
        (key[..5].to_vec(), value.clone()),
        (long, value),
        unknown,
    ] {
        let error = merged(&replicas, std::slice::from_ref(&row)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Damaged { .. }),
            "{row:?}: {error}"
        );
    }
    let live = CqlSchema {
        view: View::Live,
        ..of
    };
    let error = Replicas::new(&[&live, &live]).err().unwrap();
    assert!(error.to_string().contains("no timestamps"), "{error}");
}
