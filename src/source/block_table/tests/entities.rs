//! Wide-column entities: read as rows with columns, written as RocksDB's own.

use std::collections::BTreeMap;

use super::*;
use crate::row::wide;

type Columns = BTreeMap<Vec<u8>, Vec<u8>>;

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// What RocksDB itself reads: the columns of every row that has columns.
fn expected(folder: &Path) -> BTreeMap<Vec<u8>, Columns> {
    let text = std::fs::read_to_string(folder.join("expected.entities.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let columns = row["columns"].as_array().unwrap().iter();
            let columns = columns.map(|pair| (unhex(&pair[0]), unhex(&pair[1])));
            (unhex(&row["k"]), columns.collect())
        })
        .collect()
}

/// The columns of a row; a plain value is the default one.
fn columns(value: &[u8]) -> Columns {
    match wide::read(value) {
        Some(columns) => columns.map(|(n, v)| (n.to_vec(), v.to_vec())).collect(),
        None => [(vec![], value.to_vec())].into(),
    }
}

#[test]
fn entities_are_rows_with_the_columns_that_rocksdb_reads() {
    let mut folders = vec![testdata().join("entities")];
    if let Some(fixtures) = shared_fixtures() {
        println!("with all fixtures of {}", fixtures.display());
        folders.push(fixtures.join("rocksdb/db-fv6-entities"));
    }
    for folder in folders {
        let expected = expected(&folder);
        let mut found = 0;
        let tables = match folder.join("db").is_dir() {
            true => folder.join("db"),
            false => folder.clone(),
        };
        for entry in std::fs::read_dir(tables).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "sst") {
                continue;
            }
            let table = open_at(&path, true).unwrap();
            let all = rows(&table, &KeyRange::all()).unwrap();
            assert!(all == rows_one_by_one(&table, &KeyRange::all()).unwrap());
            assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for (key, value) in &all {
                // An old version of another table may stand here as well.
                if expected.get(key) == Some(&columns(value)) {
                    found += 1;
                }
            }
            for pieces in [2, 5] {
                let mut joined = Rows::new();
                for piece in KeyRange::all().cut_at(&table.split(&KeyRange::all(), pieces).unwrap())
                {
                    joined.extend(rows(&table, &piece).unwrap());
                }
                assert!(joined == all);
            }
        }
        // The others lie in the log of that database.
        assert!(found >= 20, "{found} of {}", expected.len());
    }
}

fn wide_value(columns: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut value = Vec::new();
    wide::push(&mut value, columns.iter().copied());
    value
}

#[test]
fn values_with_columns_are_written_as_entities() {
    let long = vec![b'x'; 300];
    let value = wide_value(&[(b"", b"0"), (b"city", &long)]);
    let none = wide_value(&[]);
    let plain_rows = [
        (b"a".to_vec(), b"plain".to_vec()),
        (b"b".to_vec(), value),
        (b"c".to_vec(), none),
        (b"d".to_vec(), wide::MARKER.to_vec()),
    ];
    let with_some: Vec<_> = plain_rows
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect();
    let bytes = write_table(&with_some, "none");
    // As RocksDB lays it out: version, count, names with the values' lengths, values.
    let entity = [&b"\x01\x02\x00\x01\x04city\xac\x020"[..], &long].concat();
    let count = |needle: &[u8]| bytes.windows(needle.len()).filter(|w| *w == needle).count();
    assert_eq!(count(&entity), 1);
    assert_eq!(count(b"b\x16\0\0\0\0\0\0\0"), 1);
    assert_eq!(count(b"c\x16\0\0\0\0\0\0\0\x01\0"), 1);
    assert_eq!(count(b"a\x01\0\0\0\0\0\0\0plain"), 1);
    assert_eq!(count(&wide::MARKER), 1);
    let (_folder, table) = open_bytes(&bytes);
    let table = table.unwrap();
    assert_eq!(rows(&table, &KeyRange::all()).unwrap(), plain_rows);
    assert_eq!(
        rows_one_by_one(&table, &KeyRange::all()).unwrap(),
        plain_rows
    );
}
