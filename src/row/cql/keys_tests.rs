//! What is shown of a key gives its bytes back: for keys of all types made at random, and for every key of every fixture.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::range::KeyRange;
use crate::source::cassandra::CassandraSnapshot;
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::partitioner::Partitioner;
use crate::source::cassandra::testing;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::types::samples::{Random, types, value};
use crate::source::cassandra::view::View;
use crate::source::{Snapshot, SourceOptions};

fn schema(partitioner: Partitioner, key: &[CqlType], clustering: &[CqlType]) -> CqlSchema {
    let columns = |prefix: &str, types: &[CqlType]| {
        let named = types.iter().enumerate().map(|(at, cql_type)| CqlColumn {
            name: format!("{prefix}{at}"),
            cql_type: cql_type.clone(),
        });
        named.collect()
    };
    CqlSchema {
        partitioner,
        key: columns("k", key),
        clustering: columns("c", clustering),
        statics: vec![],
        regulars: vec![],
        view: View::Cells,
        ties: Ties::V4,
        now: 5,
        gc_before: -5,
    }
}

fn text_and_int() -> CqlSchema {
    schema(
        Partitioner::Murmur3,
        &[CqlType::Text],
        &[CqlType::Reversed(Box::new(CqlType::Int)), CqlType::Text],
    )
}

#[test]
fn keys_show_what_they_are_of() {
    let schema = text_and_int();
    let mut partition = Vec::new();
    key::push_partition(&mut partition, Partitioner::Murmur3, &CqlType::Text, b"a,b");
    let mut seven = vec![key::CLUSTERED];
    let [first, second] = schema.clustering_types().try_into().unwrap();
    first.push_ordered(Some(&7i32.to_be_bytes()), &mut seven);
    let mut row = seven.clone();
    second.push_ordered(Some(b"before 1"), &mut row);
    for (rest, shown) in [
        (vec![], "a\\x2cb"),
        (vec![key::PARTITION_DELETION], "a\\x2cb deletion"),
        (vec![key::STATIC], "a\\x2cb static"),
        ([&row[..], &[0x80]].concat(), "a\\x2cb : 7,\\x62efore 1"),
        (
            [&row[..], &[0x00]].concat(),
            "a\\x2cb : before 7,\\x62efore 1",
        ),
        ([&seven[..], &[0x00]].concat(), "a\\x2cb : before 7"),
        ([&seven[..], &[0xff]].concat(), "a\\x2cb : behind 7"),
        (vec![key::CLUSTERED, 0], "a\\x2cb : before"),
        (vec![key::CLUSTERED, 0xff], "a\\x2cb : behind"),
    ] {
        let key = [&partition[..], &rest].concat();
        assert_eq!(schema.show_key(&key), shown);
        assert_eq!(schema.parse_key(shown).unwrap(), key);
    }
    for cut in [
        &partition[..8],
        &partition[..10],
        &[&partition[..], &seven].concat(),
    ] {
        let shown = schema.show_key(cut);
        assert_eq!(shown.starts_with("token:"), cut.len() == 8, "{shown}");
        assert_eq!(shown.starts_with("\\raw:"), cut.len() != 8, "{shown}");
        assert_eq!(schema.parse_key(&shown).unwrap(), cut);
    }
    // A row given in part is the place before it.
    let before = schema.parse_key("a\\x2cb : before 7").unwrap();
    assert_eq!(schema.parse_key("a\\x2cb : 7").unwrap(), before);
    assert_eq!(
        schema.parse_prefix("a\\x2cb : 7").unwrap(),
        [&partition[..], &seven].concat()
    );
    assert_eq!(schema.parse_prefix("a\\x2cb").unwrap(), partition);
}

#[test]
fn without_clustering_columns_a_partition_is_its_row() {
    let schema = schema(Partitioner::Murmur3, &[CqlType::Int, CqlType::Text], &[]);
    let row = schema.parse_key("1,a").unwrap();
    let place = schema.parse_key("1,a partition").unwrap();
    assert_eq!(row, [&place[..], &[key::CLUSTERED, 0x80]].concat());
    assert_eq!(schema.show_key(&row), "1,a");
    assert_eq!(schema.show_key(&place), "1,a partition");
    assert_eq!(schema.parse_prefix("1,a").unwrap(), place);
}

#[test]
fn an_equal_value_of_other_bytes_has_the_same_prefix() {
    let schema = schema(Partitioner::Murmur3, &[CqlType::Int], &[CqlType::Decimal]);
    let prefix = schema.parse_prefix("1 : 1.0").unwrap();
    for text in ["1 : 1", "1 : 1.00", "1 : behind 1.0"] {
        assert!(
            schema.parse_key(text).unwrap().starts_with(&prefix),
            "{text}"
        );
    }
    assert!(!schema.parse_key("1 : 2").unwrap().starts_with(&prefix));
}

#[test]
fn what_is_no_key_is_refused_with_the_form_of_a_key() {
    let schema = text_and_int();
    for (text, why) in [
        ("a : x", "\"x\" is no int, as c0 is"),
        ("a,b", "the partition key has only 1 column"),
        ("a : 1,b,c", "the table has only 2 columns"),
        ("a : ", "no key"),
        ("token:x", "that is no token of Murmur3Partitioner"),
        ("null", "null"),
        ("\\q", "is no text, as k0 is"),
        ("\\raw:\\q", "unknown escape"),
    ] {
        match schema.parse_key(text) {
            Ok(key) => assert_eq!(text, "a : ", "{}", schema.show_key(&key)),
            Err(error) => {
                assert!(error.to_string().contains(why), "{error}");
                let hint = error.hint().unwrap();
                assert!(
                    hint.contains("k0 : c0,c1") || text.starts_with("\\raw"),
                    "{hint}"
                );
            }
        }
    }
}

#[test]
fn every_key_of_every_fixture_is_given_back() {
    let folders: BTreeSet<_> = testing::sstables().into_iter().map(|d| d.folder).collect();
    let mut keys = 0;
    for folder in folders {
        let options = SourceOptions::default();
        let Ok(snapshot) = CassandraSnapshot::open(&folder, &options) else {
            continue;
        };
        for table in snapshot.tables() {
            let schema = table.schema();
            let Ok(mut rows) = table.scan(&KeyRange::all()) else {
                continue;
            };
            while let Ok(Some(row)) = rows.next() {
                let shown = schema.show_key(row.key);
                assert_eq!(schema.parse_key(&shown).unwrap(), row.key, "{shown}");
                assert!(!shown.starts_with("\\raw:"), "{shown}");
                keys += 1;
            }
        }
    }
    assert!(keys > 100, "{keys}");
    println!("{keys} keys");
}

fn random_key(schema: &CqlSchema, random: &mut Random) -> Vec<u8> {
    let pick = |random: &mut Random, column: &CqlColumn| {
        // Texts that look like what stands around them.
        let texts = [
            " static",
            " : ",
            "a : before",
            "before 1",
            "null",
            "''",
            "\\0x00",
            "token:1",
            ",",
            " ",
            "\\raw:a",
        ];
        match column.cql_type.inner() {
            CqlType::Text | CqlType::Ascii if random.below(2) == 0 => {
                let at = random.below(texts.len() as u64) as usize;
                let other = random.below(texts.len() as u64) as usize;
                [texts[at], texts[other]].concat().into_bytes()
            }
            _ => value(&column.cql_type, random),
        }
    };
    let parts: Vec<_> = schema
        .key
        .iter()
        .map(|column| Some(pick(random, column)))
        .collect();
    let partition = match parts.as_slice() {
        [Some(only)] => only.clone(),
        _ => join(&schema.key_type(), &parts).unwrap(),
    };
    let mut values: Vec<Option<Vec<u8>>> = Vec::new();
    for column in &schema.clustering {
        let value = pick(random, column);
        values.push((random.below(10) > 0).then_some(value));
    }
    let place = match random.below(6) {
        0 => Place::Partition,
        1 => Place::Deletion,
        2 => Place::Static,
        3 => Place::Row(values),
        side => {
            values.truncate(random.below(values.len() as u64 + 1) as usize);
            Place::Bound(
                values,
                if side == 4 {
                    Side::Before
                } else {
                    Side::Behind
                },
            )
        }
    };
    let types = schema.clustering_types();
    key::encode(
        &partition,
        &place,
        schema.partitioner,
        &schema.key_type(),
        &types,
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2000 } else { 20_000 }))]
    #[test]
    fn every_key_of_every_type_is_given_back(seed in any::<u64>()) {
        let mut random = Random(seed);
        let all = types();
        let some = |random: &mut Random, least: u64| -> Vec<CqlType> {
            let count = least + random.below(3);
            (0..count).map(|_| match random.below(3) {
                0 => CqlType::Text,
                _ => all[random.below(all.len() as u64) as usize].clone(),
            }).collect()
        };
        let key: Vec<_> = some(&mut random, 1).iter().map(|t| t.inner().clone()).collect();
        let clustering = some(&mut random, 0);
        let partitioner = [Partitioner::Murmur3, Partitioner::Random, Partitioner::ByteOrdered]
            [random.below(3) as usize];
        let schema = schema(partitioner, &key, &clustering);
        for _ in 0..4 {
            let key = random_key(&schema, &mut random);
            let shown = schema.show_key(&key);
            prop_assert!(!shown.starts_with("\\raw:"), "{}", shown);
            prop_assert_eq!(&schema.parse_key(&shown).unwrap(), &key, "{}", shown);
            let cut = &key[..random.below(key.len() as u64 + 1) as usize];
            let shown = schema.show_key(cut);
            prop_assert_eq!(&schema.parse_key(&shown).unwrap(), cut, "{}", shown);
        }
    }

    #[test]
    fn any_text_is_a_key_or_an_error(text in "[a-c\\\\,: 0x'\\[\\]{}\"]{0,12}") {
        for schema in [text_and_int(), schema(Partitioner::Random, &[CqlType::Blob, CqlType::Tuple(vec![CqlType::Int])], &[])] {
            if let Ok(key) = schema.parse_key(&text) {
                prop_assert_eq!(schema.parse_key(&schema.show_key(&key)).unwrap(), key);
            }
            let _ = schema.parse_prefix(&text);
        }
    }
}
