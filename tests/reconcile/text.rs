//! Random delimited texts, against a map of the standard library.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::common::{Random, mdiff, rounds};

/// `a` and `version`; no version is NULL.
type Text = BTreeMap<String, (String, Option<String>)>;

/// Millionths; `None` where it is no number.
fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !(whole.to_owned() + fraction)
        .chars()
        .all(|c| c.is_ascii_digit())
        || digits.len() < 2 && digits.parse::<u8>().is_err()
    {
        return None;
    }
    let whole: i128 = format!("0{whole}").parse().ok()?;
    let fraction: i128 = format!("{fraction:0<6}").parse().ok()?;
    Some(sign * (whole * 1_000_000 + fraction))
}

fn version(random: &mut Random) -> Option<String> {
    let number = random.below(12);
    Some(match random.below(9) {
        0 => return None,
        1 => String::new(),
        2 => format!("-{number}"),
        3 => format!("{number}.{}", random.below(3) * 50),
        4 => format!("1844674407370955161{number}"),
        5 => format!("2026-11-{number:02}"),
        6 => format!("0{number}"),
        _ => number.to_string(),
    })
}

/// What comes out, and at how many keys rows of one version are in conflict.
fn merged(replicas: &[Text]) -> (Text, u64) {
    let mut keys: Vec<&String> = replicas.iter().flat_map(|text| text.keys()).collect();
    keys.sort();
    keys.dedup();
    let (mut out, mut conflicts) = (Text::new(), 0);
    for key in keys {
        let rows: Vec<_> = replicas.iter().filter_map(|text| text.get(key)).collect();
        let versions = rows.iter().map(|row| row.1.as_deref().unwrap_or(""));
        let is_numeric = versions
            .filter(|v| !v.is_empty())
            .all(|v| number(v).is_some());
        let compare = |one: &Option<String>, other: &Option<String>| {
            let [one, other] = [one, other].map(|v| v.as_deref().unwrap_or(""));
            match (one.is_empty(), other.is_empty()) {
                (false, false) if is_numeric => number(one).cmp(&number(other)),
                _ => one.cmp(other),
            }
        };
        let mut best = rows[0];
        for row in &rows {
            let order = compare(&row.1, &best.1).then_with(|| row.cmp(&best));
            if order == Ordering::Greater {
                best = row;
            }
        }
        let ties =
            |row: &&&(String, Option<String>)| **row != best && compare(&row.1, &best.1).is_eq();
        conflicts += u64::from(rows.iter().any(|row| ties(&row)));
        out.insert(key.clone(), best.clone());
    }
    (out, conflicts)
}

fn csv(text: &Text) -> String {
    let lines = text.iter().map(|(key, (a, version))| {
        let version = version
            .as_ref()
            .map_or("\\N".into(), |v| format!("\"{v}\""));
        format!("{key},{a},{version}\n")
    });
    format!("id,a,version\n{}", lines.collect::<String>())
}

fn check(seed: u64) {
    let mut random = Random(seed);
    let count = 2 + random.below(3) as usize;
    let keys = [1, 30, 2000][random.below(3) as usize];
    let base: Text = (0..random.below(keys + 1))
        .map(|_| {
            let key = format!("k{:04}", random.below(keys));
            (key, (format!("v{}", random.below(5)), version(&mut random)))
        })
        .collect();
    let mut replicas = vec![base; count];
    for _ in 0..random.below(40) {
        let key = format!("k{:04}", random.below(keys));
        let replica = &mut replicas[random.below(count as u64) as usize];
        match random.below(4) {
            0 => drop(replica.remove(&key)),
            _ => {
                let row = (format!("v{}", random.below(5)), version(&mut random));
                replica.insert(key, row);
            }
        }
    }
    let (expected, conflicts) = merged(&replicas);
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (1..=count).map(|n| format!("r{n}.csv")).collect();
    for (name, text) in names.iter().zip(&replicas) {
        fs::write(dir.path().join(name), csv(text)).unwrap();
    }
    fs::write(dir.path().join("expected.csv"), csv(&expected)).unwrap();
    let reading = ["--null", "\\N"];
    let leaf_rows = ["1", "3", "16"][random.below(3) as usize];
    let reconcile = |names: &[String], prefix: &str, options: &[&str]| {
        mdiff(["reconcile", "--version-column", "version", "-o", prefix])
            .args(reading)
            .args(["--leaf-rows", leaf_rows])
            .args(options)
            .args(names)
            .in_dir(dir.path())
            .run()
    };
    let differs = replicas.iter().any(|text| *text != replicas[0]);
    let ran = reconcile(&names, "fix", &["--json", "-j1"]).exits(differs.into());
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["tables"][0]["target"]["rows"], expected.len() as u64);
    let all_rows = replicas.iter().flat_map(|text| text.keys());
    let differing: std::collections::BTreeSet<_> = all_rows
        .filter(|key| {
            replicas
                .iter()
                .any(|text| text.get(*key) != expected.get(*key))
        })
        .collect();
    assert_eq!(
        json["tables"][0]["rows"],
        differing.len() as u64,
        "seed {seed}"
    );
    assert_eq!(json["tables"][0]["conflicts"], conflicts, "seed {seed}");
    let mut repaired = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let (patch, after) = (
            format!("fix.{}.mpatch", number + 1),
            format!("after-{name}"),
        );
        mdiff(["apply", name, &patch, "-o", &after])
            .args(reading)
            .in_dir(dir.path())
            .run()
            .exits(0);
        mdiff(["compare", &after, "expected.csv"])
            .args(reading)
            .in_dir(dir.path())
            .run()
            .exits(0);
        repaired.push(after);
    }
    reconcile(&repaired, "again", &[])
        .exits(0)
        .prints("same on all replicas");
    // In the other order, by two threads: the same patches.
    let turned: Vec<String> = names.iter().rev().cloned().collect();
    reconcile(&turned, "turned", &["-j2"]).exits(differs.into());
    for number in 1..=count {
        let read = |name: String| fs::read(dir.path().join(name)).unwrap();
        let one = read(format!("fix.{number}.mpatch"));
        let other = read(format!("turned.{}.mpatch", count + 1 - number));
        assert!(
            one == other,
            "seed {seed}: the order of the replicas matters"
        );
    }
}

#[test]
fn random_texts_end_as_in_a_map() {
    if let Ok(seed) = std::env::var("MDIFF_SEED") {
        return check(seed.parse().unwrap());
    }
    let count = std::env::var("MDIFF_ROUNDS").map(|n| n.parse().unwrap());
    for seed in 1..=count.unwrap_or(rounds(30, 400)) {
        println!("seed {seed}");
        check(seed);
    }
}
