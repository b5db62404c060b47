//! SQLite databases through the real binary, against what Python's sqlite3 module reads in them, and patches as SQL that the
//! real sqlite3 runs.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::*;
use serde_json::Value;

/// A value as Python tells it.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// What a column's plain fields are.
#[derive(Clone, Copy)]
enum Natural {
    Number,
    Text,
    Blob,
    Nothing,
}

use Natural::{Blob, Nothing, Number, Text};

impl Cell {
    fn of_python(value: &Value) -> Cell {
        match value {
            Value::Null => Cell::Null,
            Value::String(text) => Cell::Text(text.clone().into_bytes()),
            Value::Object(_) => Cell::Blob(json_bytes(value)),
            number => match number.as_i64() {
                Some(number) => Cell::Integer(number),
                None => Cell::Real(number.to_string().parse().unwrap()),
            },
        }
    }

    /// Reads a field as the documentation tells how it is written.
    fn of_field(field: Option<Vec<u8>>, natural: Natural) -> Cell {
        let number = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.parse()
                .map_or_else(|_| Cell::Real(text.parse().unwrap()), Cell::Integer)
        };
        let Some(field) = field else {
            return Cell::Null;
        };
        match field.as_slice() {
            [0, b'i', digits @ ..] => number(digits),
            [0, b'r', digits @ ..] => {
                Cell::Real(String::from_utf8(digits.to_vec()).unwrap().parse().unwrap())
            }
            [0, b't', text @ ..] => Cell::Text(text.to_vec()),
            [0, b'b', blob @ ..] => Cell::Blob(blob.to_vec()),
            _ => match natural {
                Number => number(&field),
                Text => Cell::Text(field),
                Blob => Cell::Blob(field),
                Nothing => panic!("{field:?} tells no class"),
            },
        }
    }

    /// Where numbers are natural, equal ones are one.
    fn is(&self, other: &Cell, natural: Natural) -> bool {
        match (self, other, natural) {
            (Cell::Integer(a), Cell::Real(b), Number)
            | (Cell::Real(b), Cell::Integer(a), Number) => *a as f64 == *b,
            (a, b, _) => a == b,
        }
    }
}

/// The rows that `mdiff cat` prints, held against those of a file of arrays.
fn holds(database: &Path, table: &str, columns: &[(&str, Natural)], more: &[&str], wanted: &str) {
    let ran = mdiff(["cat", "--json", "--table", table])
        .args(more)
        .args([database])
        .run()
        .exits(0);
    let mut found: Vec<Vec<Cell>> = ran
        .stdout
        .lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let cell = |(name, natural): &(&str, Natural)| {
                let field = row["key"].get(name).or(row["value"].get(name));
                let field = field.unwrap_or_else(|| panic!("no {name} in {row}"));
                Cell::of_field((!field.is_null()).then(|| json_bytes(field)), *natural)
            };
            columns.iter().map(cell).collect()
        })
        .collect();
    let wanted: Vec<Vec<Cell>> = wanted
        .lines()
        .map(|line| match serde_json::from_str(line).unwrap() {
            Value::Array(values) => values.iter().map(Cell::of_python).collect(),
            // The keys and values of kv are told as two texts.
            row => ["k", "v"]
                .iter()
                .map(|name| Cell::Blob(unhex(row[name].as_str().unwrap())))
                .collect(),
        })
        .collect();
    assert_eq!(found.len(), wanted.len());
    for row in &wanted {
        let is_it = |other: &Vec<Cell>| {
            row.iter()
                .zip(other)
                .zip(columns)
                .all(|((a, b), (_, natural))| a.is(b, *natural))
        };
        let at = found
            .iter()
            .position(is_it)
            .unwrap_or_else(|| panic!("no {row:?} in {found:?}"));
        found.swap_remove(at);
    }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn rows_are_those_that_python_reads() {
    let pair = testdata("sqlite/pair");
    for side in ["a", "b"] {
        let database = pair.join(format!("{side}.db"));
        let wanted = |table: &str| read(pair.join(format!("{side}.{table}.jsonl")));
        let accounts = [
            ("id", Number),
            ("name", Text),
            ("note", Text),
            ("data", Blob),
            ("balance", Number),
            ("ok", Number),
            ("any_", Nothing),
        ];
        holds(&database, "accounts", &accounts, &[], &wanted("accounts"));
        let odd = [("tenant", Text), ("the key", Blob), ("v", Nothing)];
        holds(&database, "odd \"name", &odd, &[], &wanted("odd-name"));
        let keyless = [("a", Nothing), ("b", Text)];
        holds(
            &database,
            "keyless",
            &keyless,
            &["--key", "rowid"],
            &wanted("keyless"),
        );
    }
}

#[test]
fn rows_of_the_larger_fixtures_too() {
    let Some(fixtures) = shared_fixtures() else {
        return skipped("the fixtures of sqlite are not here");
    };
    for side in ["a", "b"] {
        let folder = fixtures.join("sqlite").join(side);
        let database = folder.join("data.db");
        let wanted = |table: &str| read(folder.join(format!("expected.{table}.jsonl")));
        let accounts = [
            ("id", Number),
            ("name", Text),
            ("note", Text),
            ("data", Blob),
            ("amount", Text),
            ("ok", Number),
            ("at", Text),
        ];
        let before = folder_facts(&folder);
        holds(&database, "accounts", &accounts, &[], &wanted("accounts"));
        holds(
            &database,
            "kv",
            &[("k", Blob), ("v", Blob)],
            &[],
            &wanted("kv"),
        );
        let mixed = [
            ("rowid", Number),
            ("a", Nothing),
            ("b", Number),
            ("c", Number),
            ("d", Number),
        ];
        holds(
            &database,
            "mixed",
            &mixed,
            &["--key", "rowid"],
            &wanted("mixed"),
        );
        assert_eq!(
            folder_facts(&folder),
            before,
            "nothing is written beside a database"
        );
    }
}

fn folder_facts(folder: &Path) -> Vec<(PathBuf, std::time::SystemTime, u64)> {
    let mut facts: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|item| {
            let path = item.unwrap().path();
            let metadata = fs::metadata(&path).unwrap();
            (path, metadata.modified().unwrap(), metadata.len())
        })
        .collect();
    facts.sort();
    facts
}

/// Differences of `accounts` by id: what kind each is.
fn differences(a: &Path, b: &Path) -> BTreeMap<i64, String> {
    let ran = mdiff(["diff", "--json", "--table", "accounts"])
        .args([a, b])
        .run()
        .exits(1);
    let mut found = BTreeMap::new();
    for line in ran.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(id) = line["key"]["id"].as_str() {
            let kind = line["change"].as_str().unwrap_or_else(|| panic!("{line}"));
            found.insert(id.parse().unwrap(), kind.to_owned());
        }
    }
    found
}

#[test]
fn the_pair_differs_where_it_should() {
    let pair = testdata("sqlite/pair");
    let found = differences(&pair.join("a.db"), &pair.join("b.db"));
    let kinds: Vec<(i64, &str)> = found
        .iter()
        .map(|(id, kind)| (*id, kind.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (-389, "only_left"),
            (-315, "changed"),
            (129, "only_left"),
            (610, "changed")
        ]
    );
    let Some(fixtures) = shared_fixtures() else {
        return skipped("the fixtures of sqlite are not here");
    };
    let folder = fixtures.join("sqlite");
    let wanted: BTreeMap<i64, String> = read(folder.join("truth.accounts.jsonl"))
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let kind = match line["kind"].as_str().unwrap() {
                "only_a" => "only_left",
                "only_b" => "only_right",
                other => other,
            };
            (line["id"].as_i64().unwrap(), kind.to_owned())
        })
        .collect();
    assert_eq!(
        differences(&folder.join("a/data.db"), &folder.join("b/data.db")),
        wanted
    );
}

/// Runs a script or a tool; false, said loudly, where it is not there.
fn has(tool: &str, args: &[&str]) -> bool {
    let works = Command::new(tool)
        .args(args)
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        skipped(&format!(
            "{tool} {args:?} does not run here, so statements were not run by it"
        ));
    }
    works
}

fn python(script: &str, args: &[&str]) {
    let output = Command::new("python3")
        .args(["-c", script])
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const RUN: &str = "import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).executescript(open(sys.argv[2], encoding='utf-8', newline='').read())";

/// Copies a database with its log.
fn copy(from: &Path, to: &Path) {
    for ending in ["", "-wal"] {
        let from = PathBuf::from(format!("{}{ending}", from.display()));
        if from.exists() {
            let to = PathBuf::from(format!("{}{ending}", to.display()));
            fs::copy(from, &to).unwrap();
            let mut permissions = fs::metadata(&to).unwrap().permissions();
            #[allow(clippy::permissions_set_readonly_false)]
            permissions.set_readonly(false);
            fs::set_permissions(&to, permissions).unwrap();
        }
    }
}

/// Lines of a dump, sorted: rows of equal tables need not lie in one order.
fn dump(database: &Path) -> Vec<String> {
    let output = Command::new("sqlite3")
        .args([text(database), ".dump"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// Patches copies of `base` with the statements of a patch to `target`, by each tool there is.
fn patched(base: &Path, target: &Path, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let made = mdiff([
        "patch",
        text(base),
        text(target),
        "-o",
        text(&at("p.mpatch")),
    ])
    .args(more)
    .run();
    assert!(matches!(made.code, Some(0 | 1)), "{made:#?}");
    let statements = mdiff(["cat", text(&at("p.mpatch")), "--format", "sql"])
        .run()
        .exits(0);
    fs::write(at("p.sql"), &statements.stdout_bytes).unwrap();
    copy(target, &at("target.db"));
    if has("python3", &["-c", "import sqlite3"]) {
        copy(base, &at("python.db"));
        python(RUN, &[text(&at("python.db")), text(&at("p.sql"))]);
        mdiff(["compare", text(&at("python.db")), text(target)])
            .args(more)
            .run()
            .exits(0);
        python(
            include_str!("sqlite/same.py"),
            &[text(&at("python.db")), text(&at("target.db"))],
        );
    }
    if has("sqlite3", &["--version"]) {
        copy(base, &at("tool.db"));
        let ran = Command::new("sqlite3")
            .args(["-bail", text(&at("tool.db"))])
            .stdin(Stdio::from(fs::File::open(at("p.sql")).unwrap()))
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&ran.stderr),
            statements.stdout
        );
        mdiff(["compare", text(&at("tool.db")), text(target)])
            .args(more)
            .run()
            .exits(0);
        assert_eq!(dump(&at("tool.db")), dump(&at("target.db")));
    }
}

#[test]
fn the_statements_of_a_patch_make_the_target() {
    let pair = testdata("sqlite/pair");
    patched(&pair.join("a.db"), &pair.join("b.db"), &["--key", "rowid"]);
    patched(&pair.join("b.db"), &pair.join("a.db"), &["--key", "rowid"]);
    patched(&pair.join("a.db"), &pair.join("b.db"), &[]);
    patched(&pair.join("b.db"), &pair.join("a.db"), &[]);
    if let Some(fixtures) = shared_fixtures() {
        let folder = fixtures.join("sqlite");
        patched(
            &folder.join("a/data.db"),
            &folder.join("b/data.db"),
            &["--key", "rowid"],
        );
    }
}

#[test]
fn random_databases_are_patched_by_their_statements() {
    if !has("python3", &["-c", "import sqlite3"]) {
        return;
    }
    for seed in 0..rounds(6, 300) {
        println!("seed {seed}");
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.db"), folder.path().join("b.db"));
        python(
            include_str!("sqlite/make_pair.py"),
            &[&seed.to_string(), text(&a), text(&b)],
        );
        patched(&a, &b, &[]);
        patched(&b, &a, &[]);
    }
}

#[test]
fn other_commands_do_what_they_can() {
    let pair = testdata("sqlite/pair");
    let (a, b) = (pair.join("a.db"), pair.join("b.db"));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let accounts = ["--table", "accounts"];
    mdiff(["build", text(&a), "-o", text(&at("a.mtree"))])
        .args(accounts)
        .run()
        .exits(0);
    mdiff(["verify", text(&a), text(&at("a.mtree"))])
        .run()
        .exits(0);
    mdiff(["verify", text(&b), text(&at("a.mtree"))])
        .run()
        .exits(1);
    mdiff(["info", "--quick", text(&a)])
        .run()
        .exits(0)
        .prints("SQLite")
        .prints("keyless");
    mdiff(["cat", text(&a), "--table", "keyless"])
        .run()
        .exits(0)
        .prints("copies=1");
    mdiff(["convert", text(&a), "-o", text(&at("a.csv"))])
        .args(accounts)
        .args(["--null", "NULL"])
        .run()
        .exits(0);
    // Classes are told by zero bytes, which text has not.
    mdiff(["compare", text(&at("a.csv")), text(&at("a.csv"))])
        .args(["--format", "csv", "--null", "NULL"])
        .run()
        .exits(0);
    mdiff(["patch", text(&a), text(&b), "-o", text(&at("p.mpatch"))])
        .args(accounts)
        .run();
    mdiff([
        "apply",
        text(&a),
        text(&at("p.mpatch")),
        "-o",
        text(&at("out.db")),
    ])
    .run()
    .exits(2)
    .tells("can't be written")
    .tells("--format sql");
    mdiff(["cat", text(&a), "--table", "accounts", "--key", "nope"])
        .run()
        .exits(2)
        .tells("--key");
}
