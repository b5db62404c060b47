//! Seeded mutations of JSON: documents, rows as mdiff writes them, and data files of DynamoDB.

use mdiff::source::{SourceOptions, TextOptions};

use crate::common::Random;
use crate::mutations::{mangle, run};
use crate::parsers::{Place, read_snapshot};

/// Texts of which each is a piece of JSON, or nearly one.
const PIECES: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"-",
    b"1e999999999",
    b"null",
    b"\xff",
    b"\0",
    b"{\"M\":",
];

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let piece = PIECES[random.below(16) as usize];
        match random.below(4) {
            0 => mangle(random, bytes),
            1 => drop(bytes.splice(at..at, piece.repeat(random.below(1500) as usize))),
            2 => drop(bytes.splice(at..at, piece.to_vec())),
            _ => drop(bytes.splice(at..(at + piece.len()).min(bytes.len()), piece.to_vec())),
        }
    }
}

fn mutated(what: &'static str, format: &'static str, key: &[&str], files: Vec<Vec<u8>>) {
    let place = Place::new("input.txt");
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    run(
        what,
        files,
        |random, _, bytes| mutate(random, bytes),
        move |bytes, seed| {
            let options = SourceOptions {
                format: Some(format.into()),
                // The sorter takes what it may use at once; more than a small file needs is the user's wish, not the file's.
                sort_memory_bytes: [256 << 10, 4096][(seed / 2 % 2) as usize],
                text: TextOptions {
                    key: key.clone(),
                    ..TextOptions::default()
                },
                ..SourceOptions::default()
            };
            read_snapshot(&place.path(), bytes, seed % 2 == 0, &options)
        },
    );
}

#[test]
fn mutated_documents() {
    let document = |n: u32| {
        format!(
            "{{\"id\":{n},\"name\":\"n\\u00e9 {n}\",\"nested\":[1.50,{{\"b\":null,\"a\":[true,{{}}]}}],\"big\":{n}e{n}}}"
        )
    };
    let texts: Vec<String> = (0..40).map(document).collect();
    let files = [
        texts.join("\n"),
        format!("[{}]", texts.join(" , ")),
        texts.concat(),
    ];
    mutated(
        "documents",
        "jsonl",
        &["id"],
        files.map(String::into_bytes).to_vec(),
    );
}

#[test]
fn mutated_rows_of_ours() {
    let columns = |n: u32| {
        format!(
            "{{\"key\":{{\"id\":\"{n}\"}},\"value\":{{\"a\":null,\"b\":{{\"hex\":\"ff\"}}}}}}\n"
        )
    };
    let bytes =
        |n: u32| format!("{{\"key\":\"{n:05}\",\"value\":{{\"n\\\\xff\":\"x\",\"\":\"y\"}}}}\n");
    let files = [
        (0..40).map(columns).collect::<String>(),
        (0..40).map(bytes).collect(),
    ];
    mutated("rows", "jsonl", &[], files.map(String::into_bytes).to_vec());
}

#[test]
fn mutated_items() {
    let item = |n: u32| {
        format!(
            "{{\"Item\":{{\"pk\":{{\"S\":\"{n}\"}},\"s\":{{\"NS\":[\"{n}\",\"1.5\"]}},\"m\":{{\"M\":{{\"l\":{{\"L\":[{{\"NULL\":true}},{{\"B\":\"aGk=\"}}]}}}}}},\"o\":{{\"M\":{{\"x\":{{\"BOOL\":true}}}}}}}}}}\n"
        )
    };
    let files = vec![(0..40).map(item).collect::<String>().into_bytes()];
    mutated("items", "dynamodb-json", &["pk"], files);
}
