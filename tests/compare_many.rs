//! Three to sixteen replicas with known divergences: who agrees with whom, per range, against a map of the standard library.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Mdiff, Random, mdiff};
use serde_json::Value;

/// Keys are plain text, so that a range's bounds in JSON are the keys themselves.
type Rows = BTreeMap<String, String>;

fn write(dir: &Path, name: &str, rows: &Rows) {
    let lines: String = rows.iter().map(|(k, v)| format!("{k},{v}\n")).collect();
    fs::write(dir.join(name), format!("id,v\n{lines}")).unwrap();
}

/// Replicas that hold the same rows but for a few, of which some are shared by several replicas.
fn replicas(random: &mut Random, count: usize) -> Vec<Rows> {
    let rows = [0, 3, 200, 3000][random.below(4) as usize];
    let base: Rows = (0..rows)
        .map(|i| (format!("k{:05}", i * 3), format!("v{}", random.below(50))))
        .collect();
    let mut replicas = vec![base; count];
    for _ in 0..random.below(12) {
        let key = format!("k{:05}", random.below(3 * rows + 9));
        let value = format!("new{}", random.below(3));
        let is_deleted = random.below(3) == 0;
        // One replica misses a write, or only one has it, or any of them.
        let one = random.below(count as u64) as usize;
        let kind = random.below(3);
        for (i, replica) in replicas.iter_mut().enumerate() {
            let is_touched = match kind {
                0 => i == one,
                1 => i != one,
                _ => random.below(2) == 0,
            };
            if is_touched && is_deleted {
                replica.remove(&key);
            } else if is_touched {
                replica.insert(key.clone(), value.clone());
            }
        }
    }
    replicas
}

fn inside(rows: &Rows, range: &Value) -> Rows {
    let from = range["from"].as_str().unwrap_or("");
    let to = range["to"].as_str();
    rows.iter()
        .filter(|(key, _)| key.as_str() >= from && to.is_none_or(|to| key.as_str() < to))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// For each of several, the first that is equal to it.
fn groups<T: PartialEq>(items: &[T]) -> Vec<usize> {
    items
        .iter()
        .map(|item| items.iter().position(|other| other == item).unwrap())
        .collect()
}

fn majority(groups: &[usize]) -> Option<usize> {
    let count = |group: usize| groups.iter().filter(|g| **g == group).count();
    (0..groups.len()).find(|group| groups.len() > 2 && count(*group) * 2 > groups.len())
}

fn odd_one(groups: &[usize]) -> Option<usize> {
    let majority = majority(groups)?;
    let mut others = (0..groups.len()).filter(|i| groups[*i] != majority);
    let odd = others.next();
    odd.filter(|_| others.next().is_none())
}

fn number(value: Option<usize>) -> Value {
    value.map_or(Value::Null, Value::from)
}

/// Checks a comparison in JSON of `replicas` (cut to what all of them cover); returns how many ranges diverge.
#[track_caller]
fn check(document: &Value, replicas: &[Rows]) -> usize {
    let table = &document["tables"][0];
    let ranges = table["ranges"].as_array().expect("a list");
    let mut shown: Vec<Rows> = vec![Rows::new(); replicas.len()];
    let mut odd_count = vec![0u64; replicas.len()];
    let mut by_pair = vec![vec![0u64; replicas.len()]; replicas.len()];
    let mut last_to = Some("");
    for range in ranges {
        let from = range["from"].as_str().unwrap_or("");
        assert!(
            last_to.is_some_and(|to| to <= from),
            "ranges overlap: {range}"
        );
        last_to = range["to"].as_str();
        let held: Vec<Rows> = replicas.iter().map(|rows| inside(rows, range)).collect();
        let expected = groups(&held);
        assert!(
            expected.iter().any(|group| *group != 0),
            "nothing differs in {range}"
        );
        assert_eq!(range["groups"], Value::from(expected.clone()), "{range}");
        let (most, odd) = (majority(&expected), odd_one(&expected));
        assert_eq!(range["majority"], number(most), "{range}");
        assert_eq!(range["odd_one_out"], number(odd), "{range}");
        if let Some(odd) = odd {
            odd_count[odd] += 1;
        }
        for (side, held) in held.into_iter().enumerate() {
            assert_eq!(range["sides"][side]["rows"], held.len(), "{range}");
            for (other, cell) in by_pair[side].iter_mut().enumerate() {
                *cell += u64::from(expected[side] != expected[other]);
            }
            shown[side].extend(held);
        }
    }
    // What is in no range is the same everywhere.
    let rest = |side: usize| -> Rows {
        let not_shown = |key: &String| !shown[side].contains_key(key);
        let rows = replicas[side].iter().filter(|(key, _)| not_shown(key));
        rows.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    for side in 1..replicas.len() {
        assert_eq!(
            rest(side),
            rest(0),
            "a difference of side {side} is in no range"
        );
    }
    assert_eq!(table["divergent_ranges"], ranges.len());
    if replicas.len() > 2 {
        assert_eq!(table["odd_one_out"], Value::from(odd_count));
        let by_pair: Vec<Value> = by_pair.into_iter().map(Value::from).collect();
        assert_eq!(table["ranges_by_pair"], Value::from(by_pair));
    }
    let verdict = if ranges.is_empty() {
        "same"
    } else {
        "different"
    };
    assert_eq!(document["result"], verdict);
    ranges.len()
}

fn json(command: Mdiff, code: i32) -> Value {
    let ran = command.args(["--json"]).run().exits(code);
    serde_json::from_str(&ran.stdout).expect("one document")
}

#[test]
fn every_range_says_who_agrees_with_whom() {
    let rounds = if cfg!(debug_assertions) { 25 } else { 250 };
    let mut total = 0;
    for seed in 0..rounds {
        let mut random = Random(seed);
        let count = [2, 3, 3, 4, 5, 16][random.below(6) as usize];
        let replicas = replicas(&mut random, count);
        let dir = tempfile::tempdir().unwrap();
        let mut names = Vec::new();
        for (i, rows) in replicas.iter().enumerate() {
            let name = format!("r{i}.csv");
            write(dir.path(), &name, rows);
            // A snapshot is built on the way; a tree has leaves and boundaries of its own.
            if random.below(3) == 0 {
                names.push(name);
                continue;
            }
            let tree = format!("r{i}.mtree");
            let leaf_rows = format!(
                "--leaf-rows={}",
                [1, 3, 16, 100, 5000][random.below(5) as usize]
            );
            let mut build = mdiff(["build", &name, "-o", &tree, &leaf_rows]).in_dir(&dir);
            if random.below(2) == 0 {
                let splits: String = (0..random.below(4))
                    .map(|_| format!("k{:05}\n", random.below(9000)))
                    .collect();
                fs::write(dir.path().join("splits"), splits).unwrap();
                build = build.args(["--split-at", "splits"]);
            }
            build.run().exits(0);
            names.push(tree);
        }
        let differ = i32::from(replicas.iter().any(|rows| *rows != replicas[0]));
        let arguments: Vec<&str> = ["compare"]
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .collect();
        let document = json(mdiff(&arguments).in_dir(&dir), differ);
        let done = std::panic::catch_unwind(|| check(&document, &replicas));
        total += done.unwrap_or_else(|panic| {
            eprintln!("failed with seed {seed}: {names:?}");
            std::panic::resume_unwind(panic)
        });
        let text = mdiff(&arguments)
            .args(["--ranges"])
            .in_dir(&dir)
            .run()
            .exits(differ)
            .stdout;
        assert_eq!(text.contains("same rows"), differ == 0, "{text}");
    }
    println!("{rounds} comparisons with {total} divergent ranges");
}

#[test]
fn what_trees_share_is_compared_and_the_rest_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(3);
    let all: Rows = (0..2000)
        .map(|i| (format!("k{i:05}"), format!("v{}", random.below(9))))
        .collect();
    let mut changed = all.clone();
    for key in ["k00100", "k00900", "k01900"] {
        changed.insert(key.into(), "changed".into());
    }
    write(dir.path(), "a.csv", &all);
    write(dir.path(), "b.csv", &changed);
    let build = |from: &str, out: &str, options: &[&str]| {
        let command = mdiff(["build", from, "-o", out]).args(options).in_dir(&dir);
        command.run().exits(0);
    };
    let compare = |names: &[&str], code| json(mdiff(["compare"]).args(names).in_dir(&dir), code);
    build("a.csv", "a.mtree", &[]);
    build("b.csv", "b.mtree", &["--leaf-rows=4"]);
    // Exactly one of the three changes lies in what both cover.
    build("b.csv", "b-part.mtree", &["--from=k00500", "--to=k01500"]);
    build("a.csv", "a-part.mtree", &["--from=k00500", "--to=k01500"]);
    build("a.csv", "a-low.mtree", &["--to=k00500"]);
    let part = |rows: &Rows| {
        inside(
            rows,
            &serde_json::json!({ "from": "k00500", "to": "k01500" }),
        )
    };
    let (all_part, changed_part) = (part(&all), part(&changed));
    let document = compare(&["a-part.mtree", "b-part.mtree"], 1);
    assert_eq!(
        check(&document, &[all_part.clone(), changed_part.clone()]),
        1
    );
    let shared = &document["tables"][0]["shared"];
    assert_eq!(
        *shared,
        serde_json::json!({ "from": "k00500", "to": "k01500" })
    );

    // A tree of all keys has no leaf that starts where the other's coverage does: a little at each end is not compared.
    let mixed = compare(&["a.mtree", "b-part.mtree"], 1);
    let table = &mixed["tables"][0];
    let not_compared = table["not_compared"].as_array().unwrap();
    assert!(not_compared.len() <= 2, "{table}");
    assert_eq!(table["ranges"].as_array().unwrap().len(), 1, "{table}");
    let text = mdiff(["compare", "a.mtree", "b-part.mtree"])
        .in_dir(&dir)
        .run()
        .exits(1);
    let text = text
        .prints("compared: keys")
        .prints("not shared: left covers keys");
    if !not_compared.is_empty() {
        text.prints("not compared, no boundary in common");
    }

    // A snapshot beside a tree is built as the tree was, so all of the tree's keys are compared.
    let document = compare(&["b-part.mtree", "a.csv"], 1);
    assert_eq!(check(&document, &[changed_part, all_part]), 1);
    assert_eq!(document["tables"][0]["not_compared"], serde_json::json!([]));

    // Nothing in common is not the same.
    let nothing = mdiff(["compare", "a-low.mtree", "b-part.mtree"])
        .in_dir(&dir)
        .run();
    assert!(nothing.code == Some(2), "{nothing:#?}");
    assert!(!nothing.stdout.contains("same rows"), "{nothing:#?}");
}

#[test]
fn trees_of_other_hashes_or_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Rows = (0..500).map(|i| (format!("k{i:05}"), "v".into())).collect();
    write(dir.path(), "a.csv", &rows);
    let mut changed = rows.clone();
    changed.remove("k00007");
    write(dir.path(), "b.csv", &changed);
    fs::write(dir.path().join("secret"), [7u8; 32]).unwrap();
    fs::write(dir.path().join("other"), "ab".repeat(32)).unwrap();
    fs::write(dir.path().join("short"), [7u8; 31]).unwrap();
    let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
    run(&["build", "a.csv", "-o", "x.mtree"]).exits(0);
    run(&["build", "a.csv", "-o", "b3.mtree", "--hash=blake3"]).exits(0);
    run(&["build", "a.csv", "-o", "secret.mtree", "--key-file=secret"]).exits(0);
    run(&[
        "build",
        "b.csv",
        "-o",
        "b-secret.mtree",
        "--key-file=secret",
    ])
    .exits(0);
    run(&["build", "a.csv", "-o", "other.mtree", "--key-file=other"]).exits(0);
    run(&["build", "a.csv", "-o", "no.mtree", "--key-file=short"])
        .exits(2)
        .tells("32 bytes");
    run(&[
        "build",
        "a.csv",
        "-o",
        "no.mtree",
        "--key-file=other",
        "--hash=xxh3",
    ])
    .exits(2);
    let trees = ["x.mtree", "b3.mtree", "secret.mtree", "other.mtree"];
    for (i, left) in trees.iter().enumerate() {
        for (j, right) in trees.iter().enumerate() {
            let code = if i == j { 0 } else { 2 };
            let ran = run(&["compare", left, right]).exits(code);
            assert_eq!(ran.stderr.contains("error:"), i != j, "{ran:#?}");
            run(&["compare", left, right, left]).exits(code);
        }
    }
    // Two trees of one key compare without it; a snapshot needs it.
    run(&["compare", "secret.mtree", "b-secret.mtree"]).exits(1);
    run(&["compare", "secret.mtree", "a.csv"])
        .exits(2)
        .tells("--key-file");
    run(&["compare", "secret.mtree", "a.csv", "--key-file=secret"]).exits(0);
    run(&["compare", "secret.mtree", "a.csv", "--key-file=other"]).exits(2);
    run(&["verify", "a.csv", "secret.mtree"])
        .exits(2)
        .tells("--key-file");
    run(&["verify", "a.csv", "secret.mtree", "--key-file=secret"]).exits(0);
    run(&["verify", "a.csv", "secret.mtree", "--key-file=other"]).exits(2);
    run(&["verify", "a.csv", "b3.mtree"]).exits(0);
    run(&["compare", "b3.mtree", "a.csv", "b.csv"])
        .exits(1)
        .prints("r3");

    run(&["patch", "b.csv", "a.csv", "-o", "p", "--key-file=secret"]).exits(0);
    run(&["apply", "b.csv", "p", "-o", "out.csv"])
        .exits(2)
        .tells("--key-file");
    run(&["apply", "b.csv", "p", "-o", "out.csv", "--key-file=other"]).exits(2);
    assert!(!dir.path().join("out.csv").exists());
    run(&["apply", "b.csv", "p", "-o", "out.csv", "--key-file=secret"]).exits(0);
    run(&["compare", "a.csv", "out.csv"]).exits(0);
}

#[test]
fn two_to_sixteen() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.csv", &Rows::new());
    for (count, code) in [(1, 2), (2, 0), (16, 0), (17, 2)] {
        mdiff(["compare"])
            .args(vec!["a.csv"; count])
            .in_dir(&dir)
            .run()
            .exits(code);
    }
}
