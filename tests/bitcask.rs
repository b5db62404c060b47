//! Folders of a real Bitcask: their rows are those that Bitcask itself folds over; pairs differ as is known; Riak's keys are
//! columns; damage is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod common;

use common::{json_bytes, mdiff, shared_fixtures, skipped, testdata, unhex};
use mdiff::file::input::Input;
use serde_json::Value;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn places() -> Vec<PathBuf> {
    let mut places = vec![testdata("bitcask")];
    match shared_fixtures() {
        Some(fixtures) => places.push(fixtures.join("bitcask")),
        None => skipped("the larger set of Bitcask's folders"),
    }
    places
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every folder with a `db` in it.
fn cases() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        if folder.join("db").is_dir() {
            found.push(folder.to_owned());
            return;
        }
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    places().iter().for_each(|place| visit(place, &mut found));
    assert!(found.len() >= 2);
    found
}

fn known(folder: &Path) -> Rows {
    let plain = folder.join("expected.jsonl");
    let path = if plain.exists() {
        plain
    } else {
        folder.join("expected.jsonl.gz")
    };
    let input = Input::open(&path, &Default::default()).unwrap();
    let mut scratch = Vec::new();
    let bytes = input.read(0, input.len(), &mut scratch).unwrap();
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (
                unhex(line["k"].as_str().unwrap()),
                unhex(line["v"].as_str().unwrap()),
            )
        })
        .collect()
}

fn cat(folder: &Path, options: &[&str]) -> Vec<Value> {
    let ran = mdiff(["cat", text(folder), "--json"])
        .args(options)
        .run()
        .exits(0);
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn opaque(folder: &Path, options: &[&str]) -> Rows {
    let options = [&["--format", "bitcask"], options].concat();
    let lines = cat(folder, &options);
    lines
        .iter()
        .map(|line| (json_bytes(&line["key"]), json_bytes(&line["value"])))
        .collect()
}

#[test]
fn rows_are_those_that_bitcask_folds_over() {
    let cases = cases();
    for case in &cases {
        let known = known(case);
        let db = case.join("db");
        assert!(opaque(&db, &[]) == known, "{}", case.display());
        assert!(opaque(&db, &["--no-mmap", "--sort-memory", "9K", "-j1"]) == known);
        let ran = mdiff(["cat", text(&db), "--format", "bitcask"])
            .run()
            .exits(0);
        let is_torn = case.ends_with("db-torn");
        assert_eq!(
            ran.stderr.contains("as a crash leaves it"),
            is_torn,
            "{}",
            case.display()
        );
    }
    println!("{} folders", cases.len());
}

#[test]
fn keys_of_riak_are_columns() {
    for place in places() {
        let case = place.join("db-riak-style-keys");
        let mut known = known(&case);
        for line in cat(&case.join("db"), &[]) {
            let [of_type, bucket, key] =
                ["bucket_type", "bucket", "key"].map(|name| json_bytes(&line["key"][name]));
            let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
            let raw = match of_type.as_slice() {
                b"default" => [vec![2], sized(&bucket), key].concat(),
                of_type => [vec![3], sized(of_type), sized(&bucket), key].concat(),
            };
            assert_eq!(
                known.remove(&raw),
                Some(json_bytes(&line["value"]["value"]))
            );
            assert!(line["value"]["vclock"].is_null());
        }
        assert!(known.is_empty());
    }
}

#[test]
fn pairs_differ_as_is_known() {
    let Some(fixtures) = shared_fixtures() else {
        return skipped("pairs of Bitcask's folders");
    };
    let pair = fixtures.join("bitcask/pair-1");
    let mut known: Vec<_> = fs::read_to_string(pair.join("truth.jsonl"))
        .unwrap()
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let side = |name: &str| line[name].as_str().map(unhex);
            (side("k").unwrap(), side("a"), side("b"))
        })
        .collect();
    known.sort();
    let told = |left: &str, right: &str| -> Vec<_> {
        let ran = mdiff(["diff", "--json"])
            .args([pair.join(left), pair.join(right)])
            .run()
            .exits(1);
        let side = |value: &Value| (!value.is_null()).then(|| json_bytes(value));
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            (
                json_bytes(&line["key"]),
                side(&line["left"]),
                side(&line["right"]),
            )
        };
        ran.stdout.lines().map(line).collect()
    };
    assert_eq!(told("a/db", "b/db"), known);
    let turned = told("b/db", "a/db")
        .into_iter()
        .map(|(key, left, right)| (key, right, left));
    assert_eq!(turned.collect::<Vec<_>>(), known);
    let same = fixtures.join("bitcask/pair-identical");
    mdiff(["compare"])
        .args([same.join("a/db"), same.join("b/db")])
        .run()
        .exits(0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::write(to.join(path.file_name().unwrap()), fs::read(&path).unwrap()).unwrap();
    }
}

#[test]
fn partitions_of_a_node_are_tables_or_shards() {
    let db = testdata("bitcask/db-riak-style-keys/db");
    let dir = tempfile::tempdir().unwrap();
    let node = dir.path().join("bitcask");
    copy(
        &db,
        &node.join("91343852333181432387730302044767688728495783936"),
    );
    fs::create_dir(node.join("0")).unwrap();
    let info = mdiff(["info", text(&node)]).run().exits(0).stdout;
    for fact in [
        "format: riak",
        "name: 0",
        "name: 91343852333181432387730302044767688728495783936",
    ] {
        assert!(info.contains(fact), "{info}");
    }
    let lines = cat(
        &node,
        &["--table", "91343852333181432387730302044767688728495783936"],
    );
    assert_eq!(lines.len(), 150);
    // Two partitions as shards of one tree: a key in both is refused.
    copy(&db, &node.join("0"));
    let tree = dir.path().join("node.mtree");
    let shards = [
        node.join("0"),
        node.join("91343852333181432387730302044767688728495783936"),
    ];
    mdiff(["build", "-o", text(&tree)])
        .args(&shards)
        .run()
        .exits(3);
    mdiff(["build", "-o", text(&tree)])
        .args(&shards[..1])
        .run()
        .exits(0);
    mdiff(["compare", text(&tree), text(&db)]).run().exits(0);
}

#[test]
fn damage_is_an_error_that_names_the_place() {
    let db = testdata("bitcask/db-merged-closed/db");
    let dir = tempfile::tempdir().unwrap();
    copy(&db, dir.path());
    let file = dir.path().join("5.bitcask.data");
    let bytes = fs::read(&file).unwrap();
    let mut damaged = bytes.clone();
    damaged[20_000] ^= 1;
    fs::write(&file, &damaged).unwrap();
    for command in [
        &["cat"][..],
        &["info"],
        &["build", "--keep-going", "-o", "/dev/null", "--force"],
    ] {
        let ran = mdiff(command).args([dir.path()]).run();
        assert!(matches!(ran.code, Some(2 | 3)), "{ran:#?}");
    }
    let ran = mdiff(["cat", text(dir.path())])
        .run()
        .exits(3)
        .prints_nothing();
    assert!(
        ran.stderr
            .contains("5.bitcask.data: the CRC of an entry is wrong"),
        "{ran:#?}"
    );
    fs::write(&file, &bytes[..20_000]).unwrap();
    let ran = mdiff(["cat", text(dir.path())])
        .run()
        .exits(3)
        .prints_nothing();
    assert!(
        ran.stderr
            .contains("its hint file tells of entries up to 29979"),
        "{ran:#?}"
    );
    // Without its hint the file was not closed: its end is what a crash tore.
    fs::remove_file(dir.path().join("5.bitcask.hint")).unwrap();
    let ran = mdiff(["cat", text(dir.path())]).run().exits(0);
    assert!(ran.stderr.contains("as a crash leaves it"), "{ran:#?}");
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => (crc >> 1) ^ 0xedb8_8320,
            _ => crc >> 1,
        })
    })
}

/// An entry with an object of Riak under `k` of the bucket `b`: its clock as actors and counters, and its value.
fn object(clock: &[(u8, u8)], value: &[u8]) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let mut term = [&b"\x83l"[..], &(clock.len() as u32).to_be_bytes()].concat();
    for (actor, counter) in clock {
        term.extend([b'h', 2, b'm', 0, 0, 0, 1, *actor]);
        term.extend([b'h', 2, b'a', *counter, b'a', 9]);
    }
    term.push(b'j');
    let metadata = [&[0, 0, 6, 164, 0, 1, 2, 3, 0, 0, 0, 42, 4][..], b"vtag\0"].concat();
    let object = [
        vec![53, 1],
        sized(&term),
        vec![0, 0, 0, 1],
        sized(&[b"\x01", value].concat()),
        sized(&metadata),
    ];
    let (key, value) = (b"\x02\0\x01bk", object.concat());
    let lens = [&[0, 5][..], &(value.len() as u32).to_be_bytes()].concat();
    let body = [&[9, 9, 9, 9], lens.as_slice(), key, &value].concat();
    [&crc32(&body).to_be_bytes()[..], &body].concat()
}

#[test]
fn vector_clocks_say_what_a_difference_means() {
    let dir = tempfile::tempdir().unwrap();
    let sides = ["left", "right"].map(|name| dir.path().join(name));
    let write = |objects: [Vec<u8>; 2]| {
        for (side, object) in sides.iter().zip(objects) {
            fs::create_dir_all(side).unwrap();
            fs::write(side.join("1.bitcask.data"), object).unwrap();
        }
    };
    let diff = |options: &[&str]| mdiff(["diff"]).args(&sides).args(options).run();
    write([object(&[(b'a', 2)], b"new"), object(&[(b'a', 1)], b"old")]);
    assert_eq!(
        diff(&[]).exits(1).stdout,
        "~ default,b,k\tvalue: \"new\" -> \"old\", vclock: \"[[\\x22a\\x22,2,9]]\" -> \"[[\\x22a\\x22,1,9]]\" (newer left: its vclock descends from the right's)\n"
    );
    let line: Value = serde_json::from_str(&diff(&["--json"]).exits(1).stdout).unwrap();
    assert_eq!(line["meaning"]["is"], "newer_left");
    assert_eq!(line["left"]["last_modified"], "1700066051.000042");
    assert!(
        diff(&["--stat"])
            .exits(1)
            .stdout
            .ends_with("  newer left: 1 row\n")
    );
    write([object(&[(b'a', 2)], b"x"), object(&[(b'b', 1)], b"y")]);
    assert!(diff(&[]).exits(1).stdout.contains("(concurrent: neither"));
    write([object(&[(b'a', 2)], b"x"), object(&[(b'a', 2)], b"y")]);
    assert!(
        diff(&[])
            .exits(1)
            .stdout
            .contains("(one vclock, but not one content)")
    );
    write([
        object(&[(b'a', 2), (b'b', 1)], b"x"),
        object(&[(b'b', 1), (b'a', 2)], b"x"),
    ]);
    diff(&[]).exits(0).prints_nothing();
}

#[test]
fn wrong_use_is_told() {
    let riak = testdata("bitcask/db-riak-style-keys/db");
    let plain = testdata("bitcask/db-merged-closed/db");
    for (path, options, words) in [
        (
            &riak,
            &["--columns", "vclok"][..],
            "there is no column \"vclok\"",
        ),
        (
            &riak,
            &["--key", "bucket"],
            "the key is given by the format",
        ),
        (&riak, &["--table", "0"], "default"),
    ] {
        let ran = mdiff(["cat", text(path)]).args(options).run().exits(2);
        assert!(ran.stderr.contains(words), "{ran:#?}");
    }
    let ran = mdiff(["cat", text(&plain), "--format", "riak"])
        .run()
        .exits(3);
    assert!(ran.stderr.contains("is not of Riak's form"), "{ran:#?}");
    mdiff(["compare", text(&riak), text(&plain)]).run().exits(2);
    let dir = tempfile::tempdir().unwrap();
    let patch = dir.path().join("p.mpatch");
    mdiff(["patch", text(&riak), text(&riak), "-o", text(&patch)])
        .run()
        .exits(0);
    let out = dir.path().join("out");
    let ran = mdiff(["apply", text(&riak), text(&patch), "-o", text(&out)])
        .run()
        .exits(2);
    assert!(
        ran.stderr.contains("Bitcask's files can't be written"),
        "{ran:#?}"
    );
}
