//! Exports of DynamoDB, through the real binary, against what is known of them.

mod common;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use common::{Ran, mdiff, shared_fixtures, skipped, testdata};
use serde_json::{Map, Value, json};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A number as sign, digits and exponent: equal by value, equal as text. Shares nothing with mdiff.
fn number(text: &str) -> String {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap();
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let exponent = exponent - fraction.len() as i64 + (digits.len() - kept.len()) as i64;
    match kept.trim_start_matches('0') {
        "" => "number 0".into(),
        digits => format!("number {sign}{digits}e{exponent}"),
    }
}

/// JSON with numbers, and the numbers of DynamoDB's types, as text by value; sets sorted, as the known results have them.
fn by_value(json: &Value) -> Value {
    match json {
        Value::Number(n) => number(&n.to_string()).into(),
        Value::Array(items) => items.iter().map(by_value).collect(),
        Value::Object(members) => {
            let mut all = BTreeMap::new();
            for (name, value) in members {
                let value = match (name.as_str(), value) {
                    ("N", Value::String(text)) => number(text).into(),
                    ("NS", Value::Array(items)) => {
                        let mut items: Vec<String> =
                            items.iter().map(|n| number(n.as_str().unwrap())).collect();
                        items.sort();
                        items.into()
                    }
                    _ => by_value(value),
                };
                all.insert(name.clone(), value);
            }
            Value::Object(all.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// What mdiff is to print for an attribute: JSON where JSON has the types.
fn shown(attribute: &Value) -> Value {
    match plain(attribute) {
        Some(Value::Object(map)) if looks_typed(&map) => attribute.clone(),
        Some(plain) => plain,
        None => attribute.clone(),
    }
}

fn looks_typed(map: &Map<String, Value>) -> bool {
    map.len() == 1
        && ["B", "SS", "NS", "BS", "L", "M"]
            .iter()
            .any(|t| map.contains_key(*t))
}

fn plain(attribute: &Value) -> Option<Value> {
    let (name, value) = attribute.as_object().unwrap().iter().next().unwrap();
    match name.as_str() {
        "S" | "BOOL" => Some(value.clone()),
        "N" => Some(serde_json::from_str(value.as_str().unwrap()).unwrap()),
        "NULL" => Some(Value::Null),
        "L" => value
            .as_array()
            .unwrap()
            .iter()
            .map(plain)
            .collect::<Option<Vec<_>>>()
            .map(Value::from),
        "M" => {
            let members = value.as_object().unwrap().iter();
            let plain = members.map(|(name, value)| Some((name.clone(), plain(value)?)));
            plain.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        _ => None,
    }
}

/// An item as mdiff is to print it: its key, and the other attributes.
fn row(item: &Value) -> (Value, Value) {
    let (mut key, mut value) = (Map::new(), Map::new());
    for (name, attribute) in item.as_object().unwrap() {
        let part = if matches!(name.as_str(), "pk" | "sk") {
            &mut key
        } else {
            &mut value
        };
        part.insert(name.clone(), shown(attribute));
    }
    (by_value(&key.into()), by_value(&value.into()))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn expected(side: &Path) -> String {
    let plain = side.join("expected.jsonl");
    if plain.exists() {
        return std::fs::read_to_string(plain).unwrap();
    }
    let file = std::fs::File::open(side.join("expected.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The pairs: that of this repository, and those beside it.
fn pairs() -> Vec<PathBuf> {
    let mut pairs = vec![testdata("dynamodb/pair")];
    match shared_fixtures() {
        Some(shared) => pairs.push(shared.join("dynamodb/pair-1")),
        None => skipped("the larger fixtures are not there"),
    }
    pairs
}

#[test]
fn every_item_of_an_export_is_a_row() {
    for pair in pairs() {
        for side in ["a", "b"] {
            let side = pair.join(side);
            let ran = mdiff(["cat", text(&side), "--key", "pk,sk", "--json"])
                .run()
                .exits(0);
            let mut found: Vec<String> = lines(&ran.stdout)
                .iter()
                .map(|line| format!("{} {}", by_value(&line["key"]), by_value(&line["value"])))
                .collect();
            let mut want: Vec<String> = lines(&expected(&side))
                .iter()
                .map(|line| {
                    let (key, value) = row(&line["item"]);
                    format!("{key} {value}")
                })
                .collect();
            found.sort();
            want.sort();
            assert_eq!(found, want, "{}", side.display());
        }
    }
}

#[test]
fn diff_finds_exactly_the_items_that_differ() {
    for pair in pairs() {
        let (a, b) = (pair.join("a"), pair.join("b"));
        let ran = mdiff(["diff", text(&a), text(&b), "--key", "pk,sk", "--json"])
            .run()
            .exits(1);
        let mut found: Vec<String> = lines(&ran.stdout)
            .iter()
            .filter(|line| line.get("change").is_some())
            .map(|line| {
                let side = |name: &str| by_value(&line[name]);
                format!(
                    "{} {} {}",
                    by_value(&line["key"]),
                    side("left"),
                    side("right")
                )
            })
            .collect();
        let truth = std::fs::read_to_string(pair.join("truth.jsonl")).unwrap();
        let mut want: Vec<String> = lines(&truth)
            .iter()
            .map(|line| {
                let side = |name: &str| (!line[name].is_null()).then(|| row(&line[name]));
                let (left, right) = (side("a"), side("b"));
                let key = left.as_ref().or(right.as_ref()).unwrap().0.clone();
                let value = |side: Option<(Value, Value)>| side.map_or(Value::Null, |side| side.1);
                format!("{key} {} {}", value(left), value(right))
            })
            .collect();
        found.sort();
        want.sort();
        assert_eq!(found, want);
    }
}

#[test]
fn a_patch_makes_one_export_of_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let pair = testdata("dynamodb/pair");
    let (a, b) = (pair.join("a"), pair.join("b"));
    let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
    run(&[
        "patch",
        text(&a),
        text(&b),
        "--key",
        "pk,sk",
        "-o",
        "p.mpatch",
    ])
    .exits(0);
    // The key is the patch's.
    run(&["apply", text(&a), "p.mpatch", "-o", "out.ddbjson"]).exits(0);
    run(&["compare", "out.ddbjson", text(&b), "--key", "pk,sk"]).exits(0);
    run(&["apply", text(&b), "p.mpatch", "-o", "no.ddbjson"]).exits(1);
    run(&["build", text(&a), "--key", "pk,sk", "-o", "a.mtree"]).exits(0);
    run(&["compare", "a.mtree", text(&b)]).exits(1);
    run(&["verify", text(&a), "a.mtree"]).exits(0);
    run(&["convert", text(&a), "--key", "pk,sk", "-o", "a.jsonl"]).exits(0);
    run(&["convert", text(&a), "--key", "pk,sk", "-o", "a.sst"]).exits(0);
    // Fixed columns compare with delimited text.
    let columns = [
        "--key",
        "pk,sk",
        "--columns",
        "echo,kilo,yankee",
        "--null",
        "\\N",
    ];
    run(&[&["convert", text(&a), "-o", "a.csv"][..], &columns].concat()).exits(0);
    run(&[&["compare", "a.csv", text(&a)][..], &columns].concat()).exits(0);
}

/// The changes of the incremental export, and a full export before and after them, with `others` items that do not change.
fn history(folder: &Path, others: usize) -> PathBuf {
    let export = testdata("dynamodb/incremental/a");
    let data = export.join("inc/AWSDynamoDB/data");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for file in std::fs::read_dir(data).unwrap() {
        let file = std::fs::File::open(file.unwrap().path()).unwrap();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
        for change in lines(&text) {
            before.extend(change.get("OldImage").cloned());
            after.extend(change.get("NewImage").cloned());
        }
    }
    for n in 0..others {
        let item = json!({"pk": {"S": format!("other {n}")}, "sk": {"N": n.to_string()}, "v": {"SS": ["b", "a"]}});
        before.push(item.clone());
        after.push(item);
    }
    for (name, items) in [("before", before), ("after", after)] {
        std::fs::create_dir(folder.join(name)).unwrap();
        let mut file = std::fs::File::create(folder.join(name).join("x.json")).unwrap();
        for item in items {
            writeln!(file, "{}", json!({ "Item": item })).unwrap();
        }
    }
    export
}

#[test]
fn an_incremental_export_is_the_patch_from_the_full_one() {
    for others in [0, 1, 3000] {
        let dir = tempfile::tempdir().unwrap();
        let export = history(dir.path(), others);
        let convert = |out: &str| -> Ran {
            let args = [
                "convert",
                text(&export),
                "--base",
                "before",
                "--key",
                "pk,sk",
                "-o",
                out,
            ];
            mdiff(args).in_dir(&dir).run()
        };
        let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
        convert("p.mpatch")
            .exits(0)
            .prints("40 puts and 20 deletes");
        run(&["apply", "before", "p.mpatch", "-o", "t.ddbjson"]).exits(0);
        run(&["compare", "t.ddbjson", "after", "--key", "pk,sk"]).exits(0);
        run(&["apply", "after", "p.mpatch", "-o", "no.ddbjson"]).exits(1);
        convert("after.ddbjson").exits(0);
        run(&["compare", "after.ddbjson", "after", "--key", "pk,sk"]).exits(0);
    }
}

#[test]
fn changes_that_do_not_fit_their_base_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let export = history(dir.path(), 10);
    let before = dir.path().join("before/x.json");
    let sound = std::fs::read_to_string(&before).unwrap();
    let (first, rest) = sound.split_once('\n').unwrap();
    let inserted = std::fs::read_to_string(dir.path().join("after/x.json")).unwrap();
    // One that the changes put, and that was not there.
    let inserted = lines(&inserted)
        .into_iter()
        .find(|line| {
            let key = |line: &Value| (line["Item"]["pk"].clone(), line["Item"]["sk"].clone());
            lines(&sound).iter().all(|other| key(other) != key(line))
        })
        .unwrap();
    for (base, what) in [
        (
            rest.to_owned(),
            "was there before the changes and is not here",
        ),
        (
            format!(
                "{}\n{rest}",
                first.replacen("}}}", "},\"new\":{\"N\":\"1\"}}}", 1)
            ),
            "was another before the changes than it is here",
        ),
        (
            format!("{sound}{inserted}\n"),
            "was not there before the changes and is here",
        ),
    ] {
        std::fs::write(&before, base).unwrap();
        for out in ["p.mpatch", "t.ddbjson"] {
            let args = [
                "convert",
                text(&export),
                "--base",
                "before",
                "--key",
                "pk,sk",
                "-o",
                out,
            ];
            mdiff(args).in_dir(&dir).run().exits(1).tells(what);
            assert!(!dir.path().join(out).exists());
        }
    }
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let incremental = history(dir.path(), 0);
    let pair = testdata("dynamodb/pair");
    let (inc, a, pair) = (text(&incremental), pair.join("a"), text(&pair).to_owned());
    let a = text(&a);
    for (args, code, what) in [
        (&["cat", a][..], 2, "it could be of: pk, sk"),
        (&["cat", &pair, "--key", "pk,sk"], 2, "holds 2 exports"),
        (
            &["cat", inc, "--key", "pk,sk"],
            2,
            "mdiff convert EXPORT --base FULL",
        ),
        (&["cat", a, "--key", "pk"], 3, "stands twice"),
        (&["cat", a, "--key", "pk,kilo"], 3, "\"kilo\" of the key"),
        (
            &["convert", inc, "--key", "pk,sk", "-o", "p.mpatch"],
            2,
            "with --base",
        ),
        (
            &[
                "convert", inc, "--key", "pk,sk", "--base", a, "-o", "p.mpatch",
            ],
            2,
            "take the full export of the time at which the changes begin",
        ),
        (
            &[
                "convert", a, "--key", "pk,sk", "--base", "before", "-o", "p.mpatch",
            ],
            2,
            "is no incremental export",
        ),
        (
            &[
                "convert", inc, "--key", "pk", "--base", "before", "-o", "p.mpatch",
            ],
            3,
            "other attributes than --key names",
        ),
        (
            &["convert", inc, "--base", "before", "-o", "p.mpatch"],
            2,
            "it could be of: pk, sk",
        ),
        (
            &[
                "convert", inc, "--key", "pk,sk", "--base", "before", "--to", "mpatch", "-o", "-",
            ],
            2,
            "not written to stdout",
        ),
        (
            &["convert", a, "--key", "pk,sk", "-o", "x.csv"],
            2,
            "--columns",
        ),
        (
            &["cat", a, "--key", "pk,sk", "--columns", "nme"],
            2,
            "an attribute \"nme\"",
        ),
    ] {
        mdiff(args)
            .in_dir(&dir)
            .run()
            .exits(code)
            .prints_nothing()
            .tells(what);
        assert!(!dir.path().join("p.mpatch").exists());
    }
}
