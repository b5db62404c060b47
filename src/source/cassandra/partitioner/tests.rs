//! Tokens against an independent implementation, and against the order of partitions in real SSTables.

use std::path::PathBuf;

use super::*;
use crate::source::cassandra::schema::TableSchema;
use crate::source::cassandra::types::parse_hex;

/// Keys and their tokens by Murmur3 and Random, from a second implementation in another language, written after the
/// description of the hash.
const KNOWN: &[(&str, i64, &str)] = &[
    (
        "00000001",
        -4069959284402364209,
        "19580090105725936846312850328329299579",
    ),
    (
        "74657374",
        -6017608668500074083,
        "12707736894140473154801792860916528374",
    ),
    (
        "313233",
        -7468325962851647638,
        "42767516990368493138776584305024125808",
    ),
    (
        "ff",
        -4442228696663692417,
        "463733602705843015805947089201357461",
    ),
    (
        "78797a7b7c7d7e7f808182838485868788",
        -3867823246018521719,
        "115702734537647823249635233660678636253",
    ),
    (
        "808080808080808080808080808080",
        -5979218241483680930,
        "13280204011591186848128873956240242409",
    ),
    (
        "c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bc",
        8278808741437739469,
        "148031474633725869619781153171773516919",
    ),
];

#[test]
fn tokens_are_those_of_a_second_implementation() {
    for (key, murmur3, random) in KNOWN {
        let key = parse_hex(key).unwrap();
        assert_eq!(Partitioner::Murmur3.token(&key), Token::Murmur3(*murmur3));
        assert_eq!(Partitioner::Random.token(&key).to_string(), *random);
    }
}

#[test]
fn tokens_sort_as_bytes_and_read_back_as_text() {
    let numbers = [i64::MIN, -2, -1, 0, 1, i64::MAX];
    let murmur3: Vec<Token> = numbers.into_iter().map(Token::Murmur3).collect();
    let random: Vec<Token> = [
        "-1",
        "0",
        "1",
        "170141183460469231731687303715884105727",
        "170141183460469231731687303715884105728",
    ]
    .iter()
    .map(|text| Partitioner::Random.parse_token(text).unwrap())
    .collect();
    for (partitioner, tokens, len) in [
        (Partitioner::Murmur3, murmur3, 8),
        (Partitioner::Random, random, 16),
    ] {
        assert_eq!(partitioner.token_min(), tokens[0]);
        let mut before = Vec::new();
        for token in &tokens {
            let mut bytes = Vec::new();
            partitioner.push_ordered(token, &mut bytes);
            assert_eq!(bytes.len(), len);
            assert!(before < bytes);
            assert_eq!(
                partitioner.take_ordered(&mut bytes.as_slice()).as_ref(),
                Some(token)
            );
            assert_eq!(
                partitioner.parse_token(&token.to_string()).as_ref(),
                Some(token)
            );
            before = bytes;
        }
        assert!(tokens.is_sorted());
    }
    assert_eq!(Partitioner::Random.parse_token("-2"), None);
    assert_eq!(
        Partitioner::Random.parse_token("170141183460469231731687303715884105729"),
        None
    );
    assert_eq!(
        Partitioner::ByteOrdered.parse_token("00ff"),
        Some(Token::Bytes(vec![0, 0xff]))
    );
}

#[test]
fn partitioners_are_known_by_their_classes() {
    for (class, partitioner) in [
        (
            "org.apache.cassandra.dht.Murmur3Partitioner",
            Some(Partitioner::Murmur3),
        ),
        ("RandomPartitioner", Some(Partitioner::Random)),
        (
            "org.apache.cassandra.dht.LocalPartitioner(org.apache.cassandra.db.marshal.UTF8Type)",
            Some(Partitioner::Local),
        ),
        ("org.apache.cassandra.dht.OrderPreservingPartitioner", None),
    ] {
        assert_eq!(Partitioner::named(class), partitioner);
    }
    assert_eq!(
        Partitioner::named(Partitioner::ByteOrdered.name()),
        Some(Partitioner::ByteOrdered)
    );
}

/// A partition key of a dump as bytes, for the types the dumps have here.
fn key_of(types: &[CqlType], texts: &[serde_json::Value]) -> Option<Vec<u8>> {
    let mut parts = Vec::new();
    for (t, text) in types.iter().zip(texts) {
        let text = text.as_str()?;
        parts.push(match t {
            CqlType::Int => text.parse::<i32>().ok()?.to_be_bytes().to_vec(),
            CqlType::Text => text.as_bytes().to_vec(),
            CqlType::Vector(..) => parse_hex(text)?,
            _ => return None,
        });
    }
    if let [key] = parts.as_slice() {
        return Some(key.clone());
    }
    let mut key = Vec::new();
    for part in parts {
        key.extend_from_slice(&(part.len() as u16).to_be_bytes());
        key.extend_from_slice(&part);
        key.push(0);
    }
    Some(key)
}

#[test]
fn partitions_of_real_tables_ascend_by_token() {
    let shared = std::env::var_os("MDIFF_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let Ok(folders) = std::fs::read_dir(shared.join("fixtures/cassandra")) else {
        println!("no shared fixtures here: order of real tables not tried");
        return;
    };
    let mut keys = 0;
    for folder in folders {
        let folder = folder.unwrap().path();
        let Ok(text) = std::fs::read_to_string(folder.join("schema.cql")) else {
            continue;
        };
        let is_random = folder.to_string_lossy().contains("random_partitioner");
        let is_plain = ["nb-", "me-", "oa-", "da-", "mixed"].iter().any(|start| {
            folder
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(start)
        });
        let metadata = std::fs::read_dir(&folder).unwrap().find_map(|file| {
            let path = file.unwrap().path();
            let is_it = path
                .file_name()?
                .to_string_lossy()
                .starts_with("sstablemetadata");
            is_it.then(|| std::fs::read_to_string(path).ok()).flatten()
        });
        if metadata.is_some_and(|text| text.contains("ByteOrdered")) || !(is_plain || is_random) {
            continue;
        }
        let partitioner = if is_random {
            Partitioner::Random
        } else {
            Partitioner::Murmur3
        };
        let schema = TableSchema::parse_cql(&text, &folder).unwrap();
        let types: Vec<CqlType> = schema
            .partition_key
            .iter()
            .map(|c| c.kind.clone())
            .collect();
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.starts_with("sstabledump") || !name.ends_with(".json") {
                continue;
            }
            let dump: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let mut before = Vec::new();
            for partition in dump.as_array().unwrap() {
                let Some(key) = key_of(&types, partition["partition"]["key"].as_array().unwrap())
                else {
                    break;
                };
                let mut bytes = Vec::new();
                partitioner.push_ordered(&partitioner.token(&key), &mut bytes);
                partitioner.push_key(&key, &types[0], &mut bytes);
                assert!(
                    before < bytes,
                    "{}: {:?}",
                    path.display(),
                    partition["partition"]
                );
                before = bytes;
                keys += 1;
            }
        }
    }
    println!("{keys} partitions of real tables ascend");
    assert!(keys > 1000, "{keys}");
}
