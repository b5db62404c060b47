//! Every table that real software wrote, against the rows it is known to hold.

use super::super::block::Entries;
use super::super::blocks::BlockBuffer;
use super::super::key;
use super::super::walk::BlockWalk;
use super::*;
use crate::error::ErrorKind;
use crate::file::inflate::Inflater;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// The rows of a case; a long list is compressed.
fn expected(case: &Path) -> Rows {
    let plain = case.join("expected.jsonl");
    let text = match std::fs::read_to_string(&plain) {
        Ok(text) => text,
        Err(_) => {
            let file = std::fs::File::open(case.join("expected.jsonl.zst")).unwrap();
            String::from_utf8(zstd::decode_all(file).unwrap()).unwrap()
        }
    };
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| unhex(row[name].as_str().unwrap());
            (field("k"), field("v"))
        })
        .collect()
}

/// Folders with a data.sst, of testdata and of the shared fixtures.
fn cases() -> Vec<PathBuf> {
    let mut folders = vec![testdata()];
    match shared_fixtures() {
        Some(fixtures) => {
            println!("with all fixtures of {}", fixtures.display());
            folders.push(fixtures.join("rocksdb"));
        }
        None => println!("with testdata/block_table only"),
    }
    let mut cases: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("data.sst").is_file())
        .collect();
    cases.sort();
    assert!(cases.len() >= 8);
    cases
}

/// Cases of rows alone; one has merge operands that are the newest versions.
fn plain_cases() -> impl Iterator<Item = PathBuf> {
    cases()
        .into_iter()
        .filter(|case| !case.ends_with("sst-mixed-types"))
}

/// Live and other tables in folders of databases.
fn loose_tables() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|e| e == "sst" || e == "ldb") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    if let Some(fixtures) = shared_fixtures() {
        visit(&fixtures.join("rocksdb"), &mut found);
        visit(&fixtures.join("leveldb"), &mut found);
    }
    found.sort();
    found
}

#[test]
fn tables_hold_the_rows_they_are_known_to_hold() {
    for case in plain_cases() {
        let expected = expected(&case);
        for mmap in [true, false] {
            let table = open_at(&case.join("data.sst"), mmap).unwrap();
            let all = rows(&table, &KeyRange::all()).unwrap();
            assert!(all == expected, "{}, mmap {mmap}", case.display());
            let singly = rows_one_by_one(&table, &KeyRange::all()).unwrap();
            assert!(singly == expected, "{}, mmap {mmap}", case.display());
            table.check_unchanged().unwrap();
        }
    }
}

#[test]
fn pieces_hold_the_rows_of_the_whole() {
    let mut random = Random(1);
    for case in plain_cases() {
        let table = open_at(&case.join("data.sst"), true).unwrap();
        let expected = expected(&case);
        for pieces in [1, 2, 3, 7, 50] {
            check_pieces(&table, &KeyRange::all(), pieces, &expected);
            let mut bound = || match random.below(4) {
                0 => vec![],
                1 => vec![random.below(256) as u8],
                _ if expected.is_empty() => vec![7],
                _ => {
                    let mut key = expected[random.below(expected.len())].0.clone();
                    match random.below(3) {
                        0 => key.push(0),
                        1 => drop(key.pop()),
                        _ => {}
                    }
                    key
                }
            };
            for _ in 0..4 {
                let range = KeyRange {
                    from: bound(),
                    to: Some(bound()).filter(|to| !to.is_empty()),
                };
                let inside: Rows = expected
                    .iter()
                    .filter(|(key, _)| range.contains(key))
                    .cloned()
                    .collect();
                check_pieces(&table, &range, pieces, &inside);
            }
        }
    }
}

fn check_pieces(table: &BlockTable, range: &KeyRange, pieces: usize, expected: &Rows) {
    let cuts = table.split(range, pieces).unwrap();
    assert!(cuts.len() < pieces);
    assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(
        cuts.iter()
            .all(|cut| range.contains(cut) && *cut > range.from)
    );
    let mut joined = Vec::new();
    for piece in range.cut_at(&cuts) {
        joined.extend(rows(table, &piece).unwrap());
    }
    assert!(joined == *expected, "{pieces} pieces of {range:?}");
}

#[test]
fn big_tables_are_cut_evenly() {
    for case in plain_cases() {
        let table = open_at(&case.join("data.sst"), true).unwrap();
        let all = rows(&table, &KeyRange::all()).unwrap();
        if all.len() < 300 || case.ends_with("sst-big-values") {
            continue;
        }
        let cuts = table.split(&KeyRange::all(), 3).unwrap();
        assert_eq!(cuts.len(), 2, "{}", case.display());
        for piece in KeyRange::all().cut_at(&cuts) {
            let share = rows(&table, &piece).unwrap().len() as f64 / all.len() as f64;
            assert!((0.1..0.6).contains(&share), "{}: {share}", case.display());
        }
    }
}

#[test]
fn merge_operands_that_count_are_refused_by_their_operator() {
    for case in cases() {
        if !case.ends_with("sst-mixed-types") {
            continue;
        }
        let table = open_at(&case.join("data.sst"), true).unwrap();
        let error = rows(&table, &KeyRange::all()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }));
        assert!(
            error.to_string().contains("merge operand of StringAppend"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("compact"));
        let mut refused = 0;
        let expected = expected(&case);
        for row in &expected {
            let only = KeyRange {
                from: row.0.clone(),
                to: Some(key::successor(&row.0)),
            };
            match rows(&table, &only) {
                Ok(found) => assert_eq!(found, std::slice::from_ref(row)),
                Err(_) => refused += 1,
            }
        }
        let operands = table
            .file()
            .properties()
            .unwrap()
            .number("rocksdb.merge.operands");
        assert_eq!(Some(refused), operands);
    }
}

#[test]
fn every_table_of_every_database_is_read_or_refused_by_name() {
    let (mut read, mut refused) = (0, 0);
    for path in loose_tables() {
        let name = path.display().to_string();
        let table = match open_at(&path, true) {
            Ok(table) => table,
            Err(error) => {
                let text = error.to_string();
                let known = ["PlainTable", "CuckooTable", "comparator"];
                assert!(known.iter().any(|what| text.contains(what)), "{text}");
                refused += 1;
                continue;
            }
        };
        check_entries(&table, &name);
        match rows(&table, &KeyRange::all()) {
            Ok(rows) => {
                read += 1;
                let pieces = table.split(&KeyRange::all(), 5).unwrap();
                let joined: Rows = KeyRange::all()
                    .cut_at(&pieces)
                    .iter()
                    .flat_map(|piece| super::rows(&table, piece).unwrap())
                    .collect();
                assert!(joined == rows, "{name}");
                assert!(newest(&table) == rows, "{name}");
            }
            Err(error) => {
                let text = error.to_string();
                let known = ["merge operand of", "blob file"];
                assert!(known.iter().any(|what| text.contains(what)), "{text}");
                refused += 1;
            }
        }
    }
    println!("{read} tables read, {refused} refused");
    assert!(shared_fixtures().is_none() || read > 100);
}

/// All entries of the data blocks, by the plain walk over each block.
fn entries(table: &BlockTable) -> Vec<(Vec<u8>, u64, Vec<u8>)> {
    let blocks = &table.file().blocks;
    let mut walk = BlockWalk::new(table.file().clone(), &[]).unwrap();
    let mut inflater = Inflater::new(blocks.dictionary.as_deref());
    let mut found = Vec::new();
    while let Some(handle) = walk.next().map_err(Error::from).unwrap() {
        let mut buffer = BlockBuffer::default();
        blocks.load(handle, &mut inflater, &mut buffer).unwrap();
        let mut entries = Entries::new(buffer.bytes(&blocks.input), 1 << 20).unwrap();
        while let Some(value) = entries.next().unwrap() {
            let (user_key, trailer) = key::split(entries.key()).unwrap();
            found.push((user_key.to_vec(), trailer, value.to_vec()));
        }
    }
    found
}

fn check_entries(table: &BlockTable, name: &str) {
    let found = entries(table).len() as u64;
    if let Some(properties) = table.file().properties() {
        let number = |name: &str| properties.number(name).unwrap_or(0);
        let points = number("rocksdb.num.entries") - number("rocksdb.num.range-deletions");
        assert_eq!(found, points, "{name}");
    }
}

/// What a table holds, by the letter: for each key the newest entry that no range deletion hides.
fn newest(table: &BlockTable) -> Rows {
    let mut rows = Rows::new();
    let mut last = None;
    for (user_key, trailer, value) in entries(table) {
        if last.as_ref() == Some(&user_key) {
            continue;
        }
        last = Some(user_key.clone());
        let is_hidden = table.file().range_deletions().iter().any(|deletion| {
            deletion.start <= user_key
                && user_key < deletion.end
                && key::sequence(trailer) < deletion.sequence
        });
        match key::kind(trailer) {
            _ if is_hidden => {}
            key::PUT => rows.push((user_key, value)),
            key::ENTITY => {
                let mut row = Vec::new();
                crate::source::lsm::entity::push_value(&value, &mut row).unwrap();
                rows.push((user_key, row));
            }
            _ => {}
        }
    }
    rows
}

#[test]
fn formats_that_are_not_read_are_named() {
    let Some(fixtures) = shared_fixtures() else {
        println!("skipped: no shared fixtures");
        return;
    };
    for (folder, name) in [
        ("rocksdb/refuse-plain-table", "PlainTable"),
        ("rocksdb/refuse-cuckoo-table", "CuckooTable"),
        ("pebble", "Pebble"),
    ] {
        let mut found = 0;
        let mut folders = vec![fixtures.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "sst")
                    && !path.to_string_lossy().contains("bad-magic")
                {
                    let Err(error) = open_at(&path, true) else {
                        panic!("{} opens", path.display());
                    };
                    assert!(error.to_string().contains(name), "{error}");
                    found += 1;
                }
            }
        }
        assert!(found > 0, "{folder}");
    }
}

#[test]
fn a_newer_format_version_is_refused_with_its_number() {
    let path = testdata().join("fv6-zstd-xxh3/data.sst");
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() - 12;
    bytes[at] = 7;
    let Err(error) = open_bytes(&bytes).1 else {
        panic!("opens");
    };
    assert!(error.to_string().contains("version 7"), "{error}");
    assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }));
}

#[test]
fn tables_tell_about_themselves() {
    let table = open_at(&testdata().join("fv6-zstd-xxh3/data.sst"), true).unwrap();
    let lines = table.describe();
    for (name, value) in [
        ("format version", "6"),
        ("checksum", "kXXH3"),
        ("compression", "ZSTD"),
        ("entries", "800"),
        ("comparator", "leveldb.BytewiseComparator"),
    ] {
        let line = (name.to_owned(), value.to_owned());
        assert!(lines.contains(&line), "{line:?} in {lines:?}");
    }
    assert_eq!(table.estimate().rows, 800);
}
