//! Snapshots of a real etcd: their keys are those that etcdctl told of the live server, at the head and at every revision; pairs
//! differ as is known; damage, lag and wrong use are told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod common;

use common::{Ran, json_bytes, mdiff, shared_fixtures, skipped, testdata, unhex};
use mdiff::file::input::Input;
use serde_json::Value;

/// Value, create_revision, mod_revision, version, lease.
type Row = (Vec<u8>, [u64; 4]);
type Rows = BTreeMap<Vec<u8>, Row>;

/// Where sets of fixtures are: those of the repository, and the larger one where it is there.
fn places() -> Vec<PathBuf> {
    let mut places = vec![testdata("etcd")];
    match shared_fixtures() {
        Some(fixtures) => places.push(fixtures.join("etcd")),
        None => skipped("the larger set of etcd's snapshots"),
    }
    places
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The lines of a file that may be packed.
fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let plain = folder.join(name);
    let path = if plain.exists() {
        plain
    } else {
        folder.join(format!("{name}.gz"))
    };
    let input = Input::open(&path, &Default::default()).unwrap();
    let mut scratch = Vec::new();
    let bytes = input.read(0, input.len(), &mut scratch).unwrap();
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn field(line: &Value, name: &str) -> Vec<u8> {
    unhex(line[name].as_str().unwrap())
}

/// What etcdctl told.
fn known(folder: &Path) -> Rows {
    let values = lines(folder, "expected.jsonl");
    let facts = lines(folder, "expected.meta.jsonl");
    assert_eq!(values.len(), facts.len());
    let mut rows = Rows::new();
    for (value, facts) in values.iter().zip(&facts) {
        assert_eq!(value["k"], facts["k"]);
        let numbers = ["create_revision", "mod_revision", "version", "lease"];
        let numbers = numbers.map(|name| facts[name].as_u64().unwrap());
        rows.insert(field(value, "k"), (field(value, "v"), numbers));
    }
    rows
}

/// What mdiff prints.
fn cat(path: &Path, options: &[&str]) -> Rows {
    let ran = mdiff(["cat", text(path), "--json"])
        .args(options)
        .run()
        .exits(0);
    let mut rows = Rows::new();
    for line in ran.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let value = &line["value"];
        let number = |name: &str| value[name].as_str().unwrap().parse().unwrap();
        let numbers = ["create_revision", "mod_revision", "version", "lease"].map(number);
        let row = (json_bytes(&value["value"]), numbers);
        assert!(rows.insert(json_bytes(&line["key"]["key"]), row).is_none());
    }
    rows
}

/// Every folder with a snapshot, and the snapshots in it.
fn cases() -> Vec<(PathBuf, Vec<PathBuf>)> {
    fn visit(folder: &Path, found: &mut Vec<(PathBuf, Vec<PathBuf>)>) {
        let names = [
            "snapshot.db",
            "snapshot.db.gz",
            "member-snap-db",
            "member-snap-db.gz",
        ];
        let files = names.map(|name| folder.join(name)).into_iter();
        let files: Vec<PathBuf> = files.filter(|path| path.exists()).collect();
        if !files.is_empty() {
            found.push((folder.to_owned(), files));
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
    assert!(found.len() >= 4);
    found
}

#[test]
fn rows_are_those_that_etcdctl_told() {
    let mut count = 0;
    for (folder, files) in cases() {
        let known = known(&folder);
        for file in files {
            assert!(cat(&file, &[]) == known, "{}", file.display());
            assert!(cat(&file, &["--no-mmap", "--sort-memory", "20K"]) == known);
            count += 1;
        }
    }
    println!("{count} snapshots");
}

#[test]
fn a_snapshot_and_the_database_that_it_was_taken_of_are_equal() {
    for (_, files) in cases() {
        for file in &files[1..] {
            let ran = mdiff(["compare", text(&files[0]), text(file)])
                .run()
                .exits(0);
            assert!(!ran.stderr.contains("lags"), "{ran:#?}");
        }
    }
}

/// A number of a protobuf message.
fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if *first < 0x80 {
            break;
        }
    }
    value
}

/// The revisions as the raw bucket holds them, played naively up to one of them.
fn played(raw: &[(Vec<u8>, Vec<u8>)], up_to: u64) -> Rows {
    let mut rows = Rows::new();
    for (revision, message) in raw {
        if u64::from_be_bytes(revision[..8].try_into().unwrap()) > up_to {
            break;
        }
        let mut fields = BTreeMap::<u64, Vec<u8>>::new();
        let mut numbers = BTreeMap::<u64, u64>::new();
        let mut rest = message.as_slice();
        while !rest.is_empty() {
            let tag = varint(&mut rest);
            let number = varint(&mut rest);
            if tag & 7 == 2 {
                let (bytes, after) = rest.split_at(number as usize);
                fields.insert(tag >> 3, bytes.to_vec());
                rest = after;
            } else {
                numbers.insert(tag >> 3, number);
            }
        }
        let number = |field| numbers.get(&field).copied().unwrap_or(0);
        let key = fields.remove(&1).unwrap_or_default();
        if revision.last() == Some(&b't') && revision.len() == 18 {
            rows.remove(&key);
            continue;
        }
        let value = fields.remove(&5).unwrap_or_default();
        rows.insert(key, (value, [number(2), number(3), number(4), number(6)]));
    }
    rows
}

#[test]
fn every_revision_that_is_kept_can_be_seen() {
    let file = testdata("etcd/history-kept/snapshot.db.gz");
    let ran = mdiff([
        "cat",
        text(&file),
        "--format",
        "bbolt",
        "--table",
        "key",
        "--json",
    ]);
    let ran = ran.run().exits(0);
    let raw: Vec<(Vec<u8>, Vec<u8>)> = ran
        .stdout
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (json_bytes(&line["key"]), json_bytes(&line["value"]))
        })
        .collect();
    let last = &raw.last().unwrap().0;
    let head = u64::from_be_bytes(last[..8].try_into().unwrap());
    assert_eq!(played(&raw, head), known(&testdata("etcd/history-kept")));
    for revision in [1, 2, head / 3, head / 2, head - 1, head] {
        let seen = cat(&file, &["--rev", &revision.to_string()]);
        assert!(seen == played(&raw, revision), "revision {revision}");
    }
    for revision in ["0", &(head + 1).to_string(), "18446744073709551615"] {
        mdiff(["cat", text(&file), "--rev", revision])
            .run()
            .exits(2);
    }
    let ran = mdiff(["cat", text(&file), "--rev", &(head + 1).to_string()])
        .run()
        .exits(2);
    let range = format!("it has the revisions 1 to {head}");
    assert!(ran.stderr.contains(&range), "{ran:#?}");
}

#[test]
fn revisions_are_those_that_servers_of_3_5_told() {
    for (case, name, compacted) in [
        ("etcd-3.5", "snapshot.db.gz", 158),
        ("pair-3.5.30/a", "snapshot.db.gz", 162),
        ("pair-3.5.30/a", "member-snap-db.gz", 162),
        ("pair-3.5.30/b", "snapshot.db.gz", 162),
    ] {
        let folder = testdata("etcd").join(case);
        let file = folder.join(name);
        type Told = BTreeMap<Vec<u8>, (Vec<u8>, u64)>;
        let mut told: BTreeMap<u64, Told> = BTreeMap::new();
        for line in lines(&folder, "revisions.jsonl") {
            let number = |name: &str| line[name].as_u64().unwrap();
            let row = (field(&line, "v"), number("mod_revision"));
            let rows = told.entry(number("revision")).or_default();
            rows.insert(field(&line, "k"), row);
        }
        assert_eq!(told.len(), 3);
        for (revision, told) in told {
            let seen = cat(&file, &["--rev", &revision.to_string()]);
            let seen = seen.into_iter();
            let seen = seen.map(|(key, (value, [_, modified, ..]))| (key, (value, modified)));
            let seen: BTreeMap<_, _> = seen.collect();
            assert!(seen == told, "{case}, revision {revision}");
        }
        let ran = mdiff(["cat", text(&file), "--rev", &compacted.to_string()]);
        let words = format!("revision {compacted} was compacted away");
        ran.run().exits(2).tells(&words);
    }
}

#[test]
fn a_revision_that_was_compacted_away_is_refused() {
    let Some(fixtures) = shared_fixtures() else {
        return skipped("a snapshot that was compacted");
    };
    let file = fixtures.join("etcd/compacted/snapshot.db");
    let ran = mdiff(["cat", text(&file), "--rev", "701"]).run().exits(2);
    assert!(
        ran.stderr.contains("revision 701 was compacted away"),
        "{ran:#?}"
    );
    assert!(
        ran.stderr.contains("it has the revisions 702 to 743"),
        "{ran:#?}"
    );
    mdiff(["cat", text(&file), "--rev", "702"]).run().exits(0);
}

/// Pairs, and how many of their keys differ.
fn pairs() -> Vec<(PathBuf, usize)> {
    let pairs = places().into_iter().map(|place| (place.join("pair-1"), 24));
    let newer = (testdata("etcd/pair-3.5.30"), 6);
    pairs.chain([newer]).collect()
}

/// The snapshot of one side of a pair.
fn side(pair: &Path, name: &str) -> PathBuf {
    let plain = pair.join(name).join("snapshot.db");
    if plain.exists() {
        plain
    } else {
        pair.join(name).join("snapshot.db.gz")
    }
}

#[test]
fn pairs_differ_as_is_known() {
    for (pair, differ) in pairs() {
        let (a, b) = (side(&pair, "a"), side(&pair, "b"));
        let told = |left: &Path, right: &Path| {
            let ran = mdiff([
                "diff",
                text(left),
                text(right),
                "--json",
                "--columns",
                "value",
            ]);
            let ran = ran.run().exits(1);
            let side = |value: &Value| (!value.is_null()).then(|| json_bytes(&value["value"]));
            let all: Vec<_> = ran
                .stdout
                .lines()
                .map(|line| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    let key = json_bytes(&line["key"]["key"]);
                    (key, side(&line["left"]), side(&line["right"]))
                })
                .collect();
            all
        };
        let mut known: Vec<_> = lines(&pair, "truth.jsonl")
            .iter()
            .map(|line| {
                let side = |name: &str| line[name].as_str().map(unhex);
                (field(line, "k"), side("a"), side("b"))
            })
            .collect();
        known.sort();
        assert_eq!(known.len(), differ);
        assert_eq!(told(&a, &b), known);
        let turned = told(&b, &a)
            .into_iter()
            .map(|(key, left, right)| (key, right, left));
        assert_eq!(turned.collect::<Vec<_>>(), known);
        // By default revisions count too.
        let (rows_a, rows_b) = (self::known(&pair.join("a")), self::known(&pair.join("b")));
        let both = rows_a
            .iter()
            .filter_map(|(key, row)| Some((row, rows_b.get(key)?)));
        let moved = both.filter(|(a, b)| a.1[1] != b.1[1]).count();
        let ran = mdiff(["diff", text(&a), text(&b), "--stat"]).run().exits(1);
        ran.prints(&format!("column mod_revision: changed in {moved} rows"));
        let changed = known.iter().filter(|(_, a, b)| a.is_some() && b.is_some());
        let without = "create_revision,mod_revision,version,lease";
        let ran = mdiff(["diff", text(&a), text(&b), "--stat"]);
        let ran = ran.args(["--ignore-columns", without]).run().exits(1);
        ran.prints(&format!("{} rows changed", changed.count()));
    }
}

#[test]
fn who_lags_is_told_unless_both_are_at_one_revision() {
    let pair = testdata("etcd/pair-1");
    let (a, b) = (side(&pair, "a"), side(&pair, "b"));
    let dir = tempfile::tempdir().unwrap();
    let patch = dir.path().join("p.mpatch");
    let lags = |ran: Ran| {
        ran.stderr.contains("consistent index 754, revision 751") && ran.stderr.contains("lags")
    };
    for command in [
        &["compare"][..],
        &["diff", "--stat"],
        &["patch", "-o", text(&patch)],
    ] {
        let run = |left: &Path, right: &Path, options: &[&str]| {
            mdiff(command)
                .args([left, right])
                .args(options)
                .args(["--progress", "none"])
                .run()
        };
        assert!(lags(run(&a, &b, &[])), "{command:?}");
        let _ = fs::remove_file(&patch);
        assert!(!lags(run(&a, &a, &[])), "{command:?}");
        let _ = fs::remove_file(&patch);
        assert!(!lags(run(&a, &b, &["--rev", "700"])), "{command:?}");
        let _ = fs::remove_file(&patch);
    }
    assert!(
        mdiff(["compare", "-qq"])
            .args([&a, &b])
            .run()
            .exits(1)
            .stderr
            .is_empty()
    );
    let info = mdiff(["info", text(&a), "--quick"]).run().exits(0).stdout;
    for fact in [
        "consistent index: 754",
        "head revision: 751",
        "compacted revision: 1",
        "sha256: right",
    ] {
        assert!(info.contains(fact), "{info}");
    }
}

#[test]
fn a_patch_of_keys_can_be_read() {
    let pair = testdata("etcd/pair-1");
    let (a, b) = (side(&pair, "a"), side(&pair, "b"));
    let dir = tempfile::tempdir().unwrap();
    let patch = dir.path().join("p.mpatch");
    mdiff([
        "patch",
        text(&a),
        text(&b),
        "--columns",
        "value",
        "-o",
        text(&patch),
    ])
    .run()
    .exits(0);
    let ran = mdiff(["cat", text(&patch), "--json"]).run().exits(0);
    assert_eq!(ran.stdout.lines().count(), 24);
    let out = dir.path().join("out.db");
    let ran = mdiff([
        "apply",
        text(&a),
        text(&patch),
        "--columns",
        "value",
        "-o",
        text(&out),
    ])
    .run();
    assert!(ran.exits(2).stderr.contains("bbolt files can't be written"));
    assert!(!out.exists());
}

#[test]
fn the_keys_as_text_are_the_same_rows() {
    let file = testdata("etcd/history-kept/snapshot.db.gz");
    let dir = tempfile::tempdir().unwrap();
    let csv = dir.path().join("keys.csv");
    mdiff(["convert", text(&file), "-o", text(&csv)])
        .run()
        .exits(0);
    // With bytes of zero among them it is no text at first sight.
    for columns in [&[][..], &["--columns", "value"]] {
        let tree = dir.path().join(format!("{}.mtree", columns.len()));
        mdiff(["build", text(&csv), "--format", "csv", "-o", text(&tree)])
            .args(columns)
            .run()
            .exits(0);
        mdiff(["compare", text(&file), text(&tree)])
            .args(columns)
            .run()
            .exits(0);
    }
}

#[test]
fn a_data_folder_is_found_at_any_level() {
    let source = testdata("etcd/empty/snapshot.db");
    let dir = tempfile::tempdir().unwrap();
    let snap = dir.path().join("member/snap");
    fs::create_dir_all(&snap).unwrap();
    let bytes = fs::read(&source).unwrap();
    // Without its SHA-256 a snapshot is a member's database.
    fs::write(snap.join("db"), &bytes[..bytes.len() - 32]).unwrap();
    for folder in [dir.path(), &dir.path().join("member"), &snap] {
        for format in [&[][..], &["--format", "etcd"]] {
            mdiff(["compare", text(folder), text(&source)])
                .args(format)
                .run()
                .exits(0);
        }
    }
    mdiff(["info", text(dir.path()), "--format", "bbolt"])
        .run()
        .exits(2);
}

#[test]
fn damage_is_an_error_that_names_the_place() {
    let bytes = fs::read(testdata("etcd/empty/snapshot.db")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("damaged.db");
    let sha256 = "the SHA-256 behind the pages";
    for (at, words) in [(bytes.len() - 1, sha256), (9000, sha256)] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        fs::write(&file, &damaged).unwrap();
        let ran = mdiff(["cat", text(&file)]).run().exits(3).prints_nothing();
        assert!(
            ran.stderr.contains(words) && ran.stderr.contains("damaged.db"),
            "{ran:#?}"
        );
    }
    for (len, words) in [
        (bytes.len() - 7, "ends within a page of 4096 bytes"),
        (
            bytes.len() - 32 - 4096,
            "the file is cut short: 5 pages are in use, it has 4",
        ),
    ] {
        fs::write(&file, &bytes[..len]).unwrap();
        let ran = mdiff(["cat", text(&file)]).run().exits(3).prints_nothing();
        assert!(ran.stderr.contains(words), "{ran:#?}");
    }
}

#[test]
fn wrong_use_is_told() {
    let file = testdata("etcd/empty/snapshot.db");
    for (options, words) in [
        (
            &["--columns", "valeu"][..],
            "its columns are key, create_revision, lease, mod_revision, value, version",
        ),
        (&["--ignore-columns", "key"], "a key can't be left out"),
        (&["--key", "value"], "the key is given by the format"),
        (&["--table", "key"], "default"),
        (&["--format", "riak"], "is a file"),
    ] {
        let ran = mdiff(["cat", text(&file)]).args(options).run().exits(2);
        assert!(ran.stderr.contains(words), "{ran:#?}");
    }
}
