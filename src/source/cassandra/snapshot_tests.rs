//! Snapshots against what the servers answered: `SELECT JSON` of every fixture, equal rows before and behind a compaction,
//! equal live rows whatever version wrote them, and the differences of two moments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::view::View;
use super::*;
use crate::file::input::{FileOptions, Input};
use crate::range::KeyRange;
use crate::row::Schema;
use crate::row::json::{key_json, value_json};

/// A moment at which the fixtures' short TTLs had run out, and the long ones not: the servers were asked then.
const NOW: Seconds = 1_795_311_000;

fn options(view: View, ties: Ties) -> SourceOptions {
    let mut options = SourceOptions::default();
    options.cassandra.now = Some(NOW);
    options.cassandra.view = Some(view);
    options.cassandra.ties = Some(ties);
    options
}

/// Folders of testdata and of the fixtures, by name.
fn cases() -> BTreeMap<String, PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("MDIFF_SHARED").map_or_else(|| here.join("../shared"), PathBuf::from);
    let mut cases = BTreeMap::new();
    for root in [
        here.join("testdata/cassandra"),
        shared.join("fixtures/cassandra"),
    ] {
        for item in fs::read_dir(root).into_iter().flatten().flatten() {
            if item.path().is_dir() {
                cases.insert(item.file_name().to_string_lossy().into_owned(), item.path());
            }
        }
    }
    cases
}

fn text(path: &Path) -> Option<String> {
    let gz = path.with_extension("json.gz");
    let path = if path.is_file() { path } else { &gz };
    if !path.is_file() {
        return None;
    }
    let input = Input::open(path, &FileOptions::default()).unwrap();
    let mut scratch = Vec::new();
    let bytes = input.read(0, input.len(), &mut scratch).unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;
/// The key and the values of a static row, and whether a row of its partition was seen.
type StaticRow = (Map<String, Value>, Map<String, Value>, bool);

fn rows(folder: &Path, options: &SourceOptions) -> (Rows, Schema) {
    let snapshot = CassandraSnapshot::open(folder, options).unwrap();
    let [table] = snapshot.cassandra_tables() else {
        panic!("{folder:?}");
    };
    let mut rows = Vec::new();
    let scanned = table.scan(&KeyRange::all()).unwrap().for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    });
    scanned.unwrap();
    (rows, table.schema().clone())
}

/// Puts live rows together as SELECT does: static columns in every row, alone where there is none, nulls for what is not there.
fn select(rows: &Rows, schema: &Schema) -> Vec<Map<String, Value>> {
    let Schema::Cql(cql) = schema else { panic!() };
    let object = |value: Value| match value {
        Value::Object(object) => object,
        other => panic!("{other}"),
    };
    let mut out = Vec::new();
    let mut statics: Option<StaticRow> = None;
    let flush = |statics: &mut Option<StaticRow>, out: &mut Vec<Map<String, Value>>| {
        if let Some((mut key, values, false)) = statics.take() {
            key.extend(values);
            out.push(key);
        }
    };
    for (key, value) in rows {
        let mut key = object(key_json(schema, key));
        let value = object(value_json(schema, value));
        if key.remove("[static]").is_some() {
            flush(&mut statics, &mut out);
            statics = Some((key, value, false));
            continue;
        }
        let is_same = statics
            .as_ref()
            .is_some_and(|(of, _, _)| of.iter().all(|(n, v)| key.get(n) == Some(v)));
        if !is_same {
            flush(&mut statics, &mut out);
        }
        let mut row = key;
        if let Some((_, values, is_shown)) = &mut statics {
            row.extend(values.clone());
            *is_shown = true;
        }
        row.extend(value);
        out.push(row);
    }
    flush(&mut statics, &mut out);
    for row in &mut out {
        let columns = cql
            .clustering
            .iter()
            .chain(&cql.statics)
            .chain(&cql.regulars);
        for column in columns {
            row.entry(column.name.clone()).or_insert(Value::Null);
        }
    }
    out
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // The least of all floats has two short texts.
        (Value::Number(one), Value::Number(other)) => {
            let float = |number: &serde_json::Number| number.as_f64().map(|f| f as f32);
            one.as_f64() == other.as_f64()
                || one.as_f64().is_some_and(|f| f.abs() < 1e-40) && float(one) == float(other)
        }
        // 3.11 prints years of more than four digits without a sign.
        (Value::String(one), Value::String(other)) => {
            one.trim_start_matches('+') == other.trim_start_matches('+')
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, a)| other.get(name).is_some_and(|b| is_same(a, b)))
        }
        (one, other) => one == other,
    }
}

#[test]
fn live_rows_are_what_select_answers() {
    let (mut tables, mut rows_seen) = (0, 0);
    let mut wrong = Vec::new();
    for (name, folder) in cases() {
        let Some(expected) = text(&folder.join("EXPECTED.rows.json")) else {
            continue;
        };
        let ties = if name == "me-ties" {
            Ties::V3_11
        } else {
            Ties::V4
        };
        let (rows, schema) = rows(&folder, &options(View::Live, ties));
        let Schema::Cql(cql) = &schema else { panic!() };
        let ours = select(&rows, &schema);
        let theirs: Vec<Map<String, Value>> = expected
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let known: Vec<&str> = cql
            .key
            .iter()
            .chain(&cql.clustering)
            .chain(&cql.statics)
            .chain(&cql.regulars)
            .map(|c| c.name.as_str())
            .collect();
        let mut problems = Vec::new();
        if ours.len() != theirs.len() {
            problems.push(format!("{} rows, not {}", ours.len(), theirs.len()));
        }
        for (ours, theirs) in ours.iter().zip(&theirs) {
            // Columns that no SSTable has are null; a dropped one is null everywhere.
            for column in known
                .iter()
                .copied()
                .chain(theirs.keys().map(String::as_str))
            {
                let (a, b) = (
                    ours.get(column).unwrap_or(&Value::Null),
                    theirs.get(column).unwrap_or(&Value::Null),
                );
                if !is_same(a, b) {
                    problems.push(format!("{column}: {a} not {b} in {theirs:?}"));
                }
            }
        }
        if !problems.is_empty() {
            wrong.push(format!(
                "{name}: {} problems, first {}",
                problems.len(),
                problems[0]
            ));
        }
        tables += 1;
        rows_seen += ours.len();
    }
    println!("{tables} tables, {rows_seen} rows");
    assert!(tables > 0);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn compaction_makes_no_difference() {
    let mut seen = 0;
    for (name, folder) in cases() {
        if !name.ends_with("-orders") && !name.ends_with("-tickets") {
            continue;
        }
        let snapshots = snapshots_below(&folder);
        let find = |tag: &str| snapshots.iter().find(|path| path.ends_with(tag)).unwrap();
        for view in [View::Cells, View::Live] {
            let of = |tag| rows(find(tag), &options(view, Ties::V4)).0;
            let (before, compacted, after) = (of("before"), of("compacted"), of("after"));
            assert_eq!(before, compacted, "{name}");
            assert_ne!(before, after, "{name}");
        }
        check_difference(&folder, find("before"), find("after"));
        seen += 1;
    }
    println!("{seen} tables with snapshots of three moments");
}

fn snapshots_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap().flatten() {
            if item.path().is_dir() {
                folders.push(item.path());
                found.push(item.path());
            }
        }
    }
    found
}

/// Rows removed, added and changed, against EXPECTED.diff.json.
fn check_difference(folder: &Path, before: &Path, after: &Path) {
    let expected: Value =
        serde_json::from_str(&text(&folder.join("EXPECTED.diff.json")).unwrap()).unwrap();
    let options = options(View::Live, Ties::V4);
    let (before, schema) = rows(before, &options);
    let (after, _) = rows(after, &options);
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (before.into_iter().collect(), after.into_iter().collect());
    let Schema::Cql(cql) = &schema else { panic!() };
    let names: Vec<&String> = cql
        .key
        .iter()
        .chain(&cql.clustering)
        .map(|c| &c.name)
        .collect();
    let mut found = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for key in before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(*key)))
    {
        let shown = key_json(&schema, key);
        let place: Vec<Value> = names
            .iter()
            .filter_map(|n| shown.get(n.as_str()).cloned())
            .collect();
        let is_static = shown.get("[static]").is_some();
        let kind = match (before.get(key), after.get(key)) {
            (one, other) if one == other => continue,
            _ if is_static => 3,
            (Some(_), None) => 0,
            (None, _) => 1,
            _ => 2,
        };
        found[kind].push(Value::Array(place));
    }
    let sorted = |mut list: Vec<Value>| {
        list.sort_by_key(Value::to_string);
        list
    };
    let keys = |name: &str| {
        let list = expected[name].as_array().cloned().unwrap_or_default();
        sorted(
            list.iter()
                .map(|item| item.get("key").unwrap_or(item).clone())
                .collect(),
        )
    };
    let [removed, added, changed, statics] = found.map(sorted);
    assert_eq!(removed, keys("rows_removed"), "{folder:?}");
    assert_eq!(added, keys("rows_added"), "{folder:?}");
    assert_eq!(changed, keys("rows_changed"), "{folder:?}");
    // A partition that comes or goes does so with its static row.
    let moved = expected["static_changed"].as_array().map_or(0, Vec::len);
    assert!(statics.len() >= moved, "{folder:?}");
}

#[test]
fn live_rows_are_the_same_whatever_version_wrote_them() {
    let cases = cases();
    let mut pairs = 0;
    for (name, folder) in &cases {
        let Some(case) = name.strip_prefix("nb-") else {
            continue;
        };
        if text(&folder.join("EXPECTED.rows.json")).is_none() {
            continue;
        }
        let mine = rows(folder, &options(View::Live, Ties::V4)).0;
        for version in ["me", "oa", "da"] {
            let Some(other) = cases.get(&format!("{version}-{case}")) else {
                continue;
            };
            let theirs = rows(other, &options(View::Live, Ties::V4)).0;
            assert!(mine == theirs, "{name} and {other:?}");
            pairs += 1;
        }
    }
    println!("{pairs} pairs of versions");
}
