//! Rows as `mdiff cat --json` prints them and as a server's own JSON tells them, in one shape: table, then every column of key and value.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::common::mdiff;

/// Rows, each with its table, in no order.
pub type Rows = BTreeSet<String>;

fn shape(table: &str, row: &Map<String, Value>) -> String {
    let mut columns: Vec<String> = row
        .iter()
        .map(|(name, value)| format!("{name:?}: {value}"))
        .collect();
    columns.sort();
    format!("{table}: {}", columns.join(", "))
}

/// What mdiff reads.
pub fn read(path: &Path, options: &[&str]) -> Rows {
    let ran = mdiff(["cat", "--json", "-q"])
        .args([path])
        .args(options)
        .run()
        .exits(0);
    let mut rows = Rows::new();
    for line in ran.stdout.lines() {
        add(&mut rows, &serde_json::from_str(line).unwrap(), "value");
    }
    rows
}

/// Adds a row that mdiff prints, with the value of this name, where it has one.
pub fn add(rows: &mut Rows, line: &Value, value: &str) {
    let Some(value) = line[value].as_object() else {
        return;
    };
    let mut row = line["key"].as_object().unwrap().clone();
    // Fields are texts; a number is how often a row of a table without a key is there.
    let copies = value.get("copies").and_then(Value::as_u64);
    if copies.is_none() {
        row.extend(value.clone());
    }
    let shaped = shape(line["table"].as_str().unwrap(), &row);
    for copy in 1..=copies.unwrap_or(1) {
        let added = rows.insert(numbered(&shaped, copy));
        assert!(added, "a row stands twice: {line}");
    }
}

/// Equal rows of a table without a key, told apart.
fn numbered(row: &str, copy: u64) -> String {
    match copy {
        1 => row.to_owned(),
        _ => format!("{row}, for the {copy}. time"),
    }
}

/// What the server says, in the form of `testdata/postgres/*.expected.jsonl`.
pub fn expected(path: &Path) -> Rows {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = Rows::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let row = line["row"].as_object().unwrap();
        let shaped = shape(line["table"].as_str().unwrap(), row);
        let copy = (1..).find(|copy| rows.insert(numbered(&shaped, *copy)));
        assert!(copy.is_some());
    }
    rows
}

/// A row of the shared fixtures' `expected.NAME.jsonl`, whose fields are as JSON has them.
pub fn shared_row(table: &str, row: &Value) -> String {
    let mut shaped = Map::new();
    for (name, value) in row.as_object().unwrap() {
        let text = match value {
            Value::Number(number) => Value::String(number.to_string()),
            Value::Bool(yes) => Value::String(if *yes { "t" } else { "f" }.into()),
            other => other.clone(),
        };
        let (name, text) = match (name.as_str(), text) {
            ("data_hex", Value::String(hex)) => ("data", format!("\\x{hex}").into()),
            ("data_hex", null) => ("data", null),
            ("amount", Value::String(amount)) if amount.contains('.') => {
                let amount = amount.trim_end_matches('0').trim_end_matches('.');
                (name.as_str(), amount.into())
            }
            ("at", Value::String(at)) => (name.as_str(), at.replace('T', " ").into()),
            (name, text) => (name, text),
        };
        shaped.insert(name.into(), text);
    }
    shape(table, &shaped)
}

/// Tables, rows and roots, as `mdiff info` tells them; the first line of a difference is the whole message.
pub fn roots(path: &Path, options: &[&str]) -> Vec<(String, u64, String)> {
    let ran = mdiff(["info", "--json", "-q"])
        .args([path])
        .args(options)
        .run()
        .exits(0);
    let info: Value = serde_json::from_str(&ran.stdout).unwrap();
    let tables = info["tables"].as_array().unwrap();
    tables
        .iter()
        .map(|table| {
            let text = |name: &str| table[name].as_str().unwrap().to_owned();
            (text("name"), table["rows"].as_u64().unwrap(), text("root"))
        })
        .collect()
}
