//! Trees of some key ranges only: against maps of the standard library, and by token ranges through the binary.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Random, mdiff, testdata};
use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::compare::{Divergence, Outcome, compare};
use mdiff::mtree::Tree;
use mdiff::progress::Progress;
use mdiff::range::{Coverage, KeyRange};
use mdiff::source::memory::MemorySnapshot;
use serde_json::Value;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

const KEYS: u64 = 400;

fn key(n: u64) -> Vec<u8> {
    format!("k{n:04}").into_bytes()
}

fn rows(random: &mut Random) -> Rows {
    let count = random.below(KEYS);
    (0..count)
        .map(|_| (key(random.below(KEYS)), b"v".to_vec()))
        .collect()
}

fn some_ranges(random: &mut Random) -> Vec<KeyRange> {
    (0..1 + random.below(4))
        .map(|_| {
            let from = random.below(KEYS);
            let to = from + 1 + random.below(KEYS / 3);
            KeyRange {
                from: if from < 20 { Vec::new() } else { key(from) },
                to: (to < KEYS - 20).then(|| key(to)),
            }
        })
        .collect()
}

fn tree(rows: &Rows, ranges: &[KeyRange], splits: &[Vec<u8>]) -> Tree {
    let snapshot = MemorySnapshot::new(rows.clone());
    let mut splits = splits.to_vec();
    splits.extend(ranges.iter().map(|range| range.from.clone()));
    splits.extend(ranges.iter().filter_map(|range| range.to.clone()));
    splits.sort();
    splits.dedup();
    let options = BuildOptions {
        leaf_bits: Some(3),
        coverage: Coverage::new(ranges.to_vec()),
        splits,
        ..BuildOptions::default()
    };
    build_in_memory(&snapshot, Path::new("t"), &options, &Progress::default()).unwrap()
}

fn compared(trees: [&Tree; 2]) -> (Vec<Divergence>, Option<Outcome>) {
    let views: Vec<_> = trees.iter().flat_map(|tree| tree.tables()).collect();
    let mut found = Vec::new();
    let outcome = compare(&views, &mut |divergence| {
        found.push(divergence.clone());
        Ok(())
    });
    (found, outcome.ok())
}

fn count(rows: &Rows, coverage: &Coverage, range: &KeyRange) -> u64 {
    let is_in = |key: &&Vec<u8>| range.contains(key) && coverage.contains(key);
    rows.keys().filter(is_in).count() as u64
}

#[test]
fn a_tree_of_some_ranges_has_their_rows_and_no_others() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let rows = rows(&mut random);
        let ranges = some_ranges(&mut random);
        let tree = tree(&rows, &ranges, &[]);
        let view = tree.tables().next().unwrap();
        let coverage = Coverage::new(ranges.clone());
        let expected = count(&rows, &coverage, &KeyRange::all());
        assert_eq!(view.header().summary.rows, expected, "seed {seed}");
        assert_eq!(view.header().coverage, coverage, "seed {seed}");
        let mut sum = 0;
        view.for_each_leaf(&mut |leaf| {
            sum += leaf.summary.rows;
            Ok(())
        })
        .unwrap();
        assert_eq!(sum, expected, "seed {seed}");
    }
}

#[test]
fn trees_of_some_ranges_compare_on_what_both_cover() {
    let (mut divergences, mut uncovered) = (0, 0);
    for seed in 0..2000 {
        let mut random = Random(seed);
        let left = rows(&mut random);
        let mut right = left.clone();
        for _ in 0..random.below(6) {
            let key = key(random.below(KEYS));
            if right.remove(&key).is_none() {
                right.insert(key, b"w".to_vec());
            }
        }
        let left_ranges = some_ranges(&mut random);
        let right_ranges = match random.below(3) {
            0 => left_ranges.clone(),
            _ => some_ranges(&mut random),
        };
        // Half the time both trees have the boundaries of each other, as trees split at one ring have.
        let has_all = random.below(2) == 0;
        let ends = |ranges: &[KeyRange]| -> Vec<Vec<u8>> {
            let ends = ranges
                .iter()
                .flat_map(|r| [Some(r.from.clone()), r.to.clone()]);
            ends.flatten().filter(|_| has_all).collect()
        };
        let (lt, rt) = (
            tree(&left, &left_ranges, &ends(&right_ranges)),
            tree(&right, &right_ranges, &ends(&left_ranges)),
        );
        let (found, outcome) = compared([&lt, &rt]);
        let (cl, cr) = (Coverage::new(left_ranges), Coverage::new(right_ranges));
        let shared = cl.intersection(&cr);
        let Some(outcome) = outcome else {
            assert!(shared.is_empty(), "seed {seed}");
            continue;
        };
        assert_eq!(outcome.shared, shared, "seed {seed}");
        if cl == cr || has_all {
            assert_eq!(outcome.not_compared, [], "seed {seed}");
        }
        let inside = |range: &KeyRange, key: &[u8]| range.contains(key);
        for n in 0..KEYS {
            let key = key(n);
            let differs = left.get(&key) != right.get(&key);
            let is_found = found.iter().any(|d| inside(&d.range, &key));
            let is_left_out = outcome.not_compared.iter().any(|r| inside(r, &key));
            if differs && shared.contains(&key) {
                assert!(is_found || is_left_out, "seed {seed}: {n} is missed");
            }
            if is_left_out {
                assert!(shared.contains(&key) && !is_found, "seed {seed}: {n}");
            }
        }
        for divergence in &found {
            let counted = [
                count(&left, &cl, &divergence.range),
                count(&right, &cr, &divergence.range),
            ];
            let told: Vec<u64> = divergence.sides.iter().map(|side| side.rows).collect();
            assert_eq!(told, counted, "seed {seed}");
            let differs = (0..KEYS).map(key).any(|key| {
                inside(&divergence.range, &key)
                    && shared.contains(&key)
                    && left.get(&key) != right.get(&key)
            });
            assert!(differs, "seed {seed}: nothing differs in {divergence:?}");
        }
        divergences += found.len();
        uncovered += outcome.not_compared.len();
    }
    println!("2000 pairs, {divergences} divergent ranges, {uncovered} not compared");
    assert!(divergences > 500 && uncovered > 500);
}

const NOW: [&str; 3] = ["--now", "1700000000", "--no-progress"];

/// The rows of a table, each with its token: the first eight bytes of its key, with the sign bit flipped.
fn rows_with_tokens(folder: &Path) -> Vec<(i64, String)> {
    let ran = mdiff(["cat", "--hex"])
        .args([folder])
        .args(NOW)
        .run()
        .exits(0);
    let lines = ran.stdout.lines().map(|line| {
        let token = u64::from_str_radix(&line[..16], 16).unwrap() ^ 1 << 63;
        (token as i64, line.to_owned())
    });
    lines.collect()
}

fn rows_of(folder: &Path, options: &[String]) -> u64 {
    let ran = mdiff(["compare", "--json"])
        .args([folder, folder])
        .args(NOW)
        .args(options)
        .run()
        .exits(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    document["tables"][0]["sides"][0]["rows"].as_u64().unwrap()
}

#[test]
fn token_ranges_choose_partitions() {
    let folder = testdata("cassandra/me-tombstones");
    let all = rows_with_tokens(&folder);
    let tokens: Vec<i64> = all.iter().map(|(token, _)| *token).collect();
    let mut random = Random(7);
    for _ in 0..12 {
        let pick = |random: &mut Random| {
            let token = tokens[random.below(tokens.len() as u64) as usize];
            token + [-1, 0, 1][random.below(3) as usize]
        };
        let (start, end) = (pick(&mut random), pick(&mut random));
        let is_in = |token: i64| match start < end {
            true => start < token && token <= end,
            false => start < token || token <= end,
        };
        let expected = tokens.iter().filter(|token| is_in(**token)).count() as u64;
        let option = format!("--token-range={start}:{end}");
        assert_eq!(rows_of(&folder, &[option]), expected, "{start}:{end}");
    }
}

#[test]
fn the_ranges_that_two_nodes_hold_are_those_that_are_compared() {
    let temp = tempfile::tempdir().unwrap();
    let folder = testdata("cassandra/me-tombstones");
    let all = rows_with_tokens(&folder);
    let middle = all[all.len() / 2].0;
    let ring = temp.path().join("ring");
    let range = |start: i64, end: i64, nodes: &str| {
        format!(
            "\tTokenRange(start_token:{start}, end_token:{end}, endpoints:[{nodes}], rpc_endpoints:[])\n"
        )
    };
    let text = format!(
        "Schema Version:0\nTokenRange: \n{}{}",
        range(i64::MIN, middle, "10.0.0.1, 10.0.0.2"),
        range(middle, i64::MIN, "10.0.0.2, 10.0.0.3"),
    );
    fs::write(&ring, text).unwrap();
    let option = format!("--ring={}", ring.display());
    let up_to = all.iter().filter(|(token, _)| *token <= middle).count() as u64;
    let total = all.len() as u64;
    for (nodes, expected) in [
        ("10.0.0.1", up_to),
        ("10.0.0.1,10.0.0.2", up_to),
        ("10.0.0.3", total - up_to),
        ("10.0.0.2", total),
    ] {
        let nodes = format!("--nodes={nodes}");
        assert_eq!(rows_of(&folder, &[option.clone(), nodes]), expected);
    }

    // Trees of a node each, of the ranges it holds, compare on the one that both hold.
    for (name, nodes) in [("a", "10.0.0.1"), ("b", "10.0.0.2"), ("c", "10.0.0.3")] {
        mdiff(["build"])
            .args([&folder])
            .args(["-o", &format!("{name}.mtree"), &option, "--nodes", nodes])
            .args(NOW)
            .in_dir(temp.path())
            .run()
            .exits(0);
    }
    mdiff(["compare", "a.mtree", "b.mtree"])
        .in_dir(temp.path())
        .run()
        .exits(0)
        .prints("not shared: right covers");
    mdiff(["compare", "a.mtree", "c.mtree"])
        .in_dir(temp.path())
        .run()
        .exits(2)
        .tells("cover no key in common");
    // A tree of everything has a boundary there if it was told of the ring.
    mdiff(["build"])
        .args([&folder])
        .args(["-o", "all.mtree", "--split-at", "ring"])
        .args(NOW)
        .in_dir(temp.path())
        .run()
        .exits(0);
    mdiff(["compare", "a.mtree", "all.mtree"])
        .in_dir(temp.path())
        .run()
        .exits(0)
        .prints("same rows");
}

#[test]
fn token_ranges_in_the_wrong_place_are_refused() {
    let folder = testdata("cassandra/me-tombstones");
    let csv = testdata("csv/excel_shuffled/rows.csv");
    let run = |path: &Path, options: &[&str]| mdiff(["cat"]).args([path]).args(options).run();
    run(&csv, &["--token-range", "1:2"])
        .exits(2)
        .tells("token ranges are those of Cassandra");
    run(&folder, &["--token-range", "1-2"])
        .exits(2)
        .tells("no range of tokens of Murmur3Partitioner");
    run(&folder, &["--token-range", "1:2", "--from", "token:1"])
        .exits(2)
        .tells("cannot be used with");
    run(&folder, &["--nodes", "10.0.0.1"])
        .exits(2)
        .tells("--ring");
    run(&folder, &["--hex", "--token-range", "1:2"])
        .exits(2)
        .tells("--hex");
    run(&folder, &["--ring", "/nonexistent"])
        .exits(2)
        .tells("/nonexistent");
}

/// The numbers of rows in the lines of `--stat` that start like this, added up.
fn stat_rows(stat: &str, start: &str) -> [u64; 3] {
    let mut sums = [0; 3];
    for line in stat.lines().filter(|line| line.starts_with(start)) {
        let counts = line.split_once(": ").unwrap().1.split(", ");
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count.split(' ').next().unwrap().parse::<u64>().unwrap();
        }
    }
    sums
}

#[test]
fn every_row_that_differs_counts_in_one_token_range() {
    let temp = tempfile::tempdir().unwrap();
    let all = testdata("cassandra/me-tombstones");
    for file in fs::read_dir(&all).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        if name.starts_with("me-1-") || name == "schema.cql" {
            fs::copy(file.path(), temp.path().join(name)).unwrap();
        }
    }
    let ring = temp.path().join("ring");
    fs::write(
        &ring,
        "-5:5\n5:3000000000000000000\n3000000000000000000:-5\n",
    )
    .unwrap();
    for options in [vec![], vec![format!("--ring={}", ring.display())]] {
        let ran = mdiff(["diff", "--stat"])
            .args([temp.path(), &all])
            .args(NOW)
            .args(&options)
            .run()
            .exits(1);
        let total = stat_rows(&ran.stdout, "table default");
        assert!(total.iter().sum::<u64>() > 10);
        assert_eq!(
            stat_rows(&ran.stdout, "  tokens ("),
            total,
            "{}",
            ran.stdout
        );
        let lines = ran
            .stdout
            .lines()
            .filter(|line| line.starts_with("  tokens ("));
        assert!(lines.count() > 1);
    }
}
