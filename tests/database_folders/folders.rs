//! Database folders, and what is known of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::common::{Ran, json_bytes, mdiff, shared_fixtures, testdata, unhex};

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes. An entity with the nameless column alone is the same to RocksDB.
    Bytes(Vec<u8>),
    /// Columns of an entity, by name.
    Columns(BTreeMap<Vec<u8>, Vec<u8>>),
}

impl Value {
    fn columns(columns: BTreeMap<Vec<u8>, Vec<u8>>) -> Value {
        match columns.get(&b""[..]) {
            Some(value) if columns.len() == 1 => Value::Bytes(value.clone()),
            _ => Value::Columns(columns),
        }
    }

    /// The value as `--json` prints it.
    pub fn of_json(json: &Json) -> Value {
        match json {
            Json::Object(fields)
                if fields.len() != 1 || !fields.get("hex").is_some_and(Json::is_string) =>
            {
                let columns = fields.iter().filter(|(_, value)| !value.is_null());
                Value::columns(
                    columns
                        .map(|(name, value)| (name.clone().into_bytes(), json_bytes(value)))
                        .collect(),
                )
            }
            other => Value::Bytes(json_bytes(other)),
        }
    }
}

/// The rows of a table, by key.
pub type Table = BTreeMap<Vec<u8>, Value>;

/// Tables by name.
pub type Tables = BTreeMap<String, Table>;

fn field(line: &Json, name: &str) -> Vec<u8> {
    unhex(line[name].as_str().unwrap_or_else(|| panic!("{line}")))
}

/// A line of known rows: `v`, or the columns `c` (`columns` in the fixtures), in hexadecimal.
fn known_row(line: &Json) -> (Vec<u8>, Value) {
    let columns = line.get("c").or(line.get("columns"));
    let value = match columns {
        None => Value::Bytes(field(line, "v")),
        Some(columns) => Value::columns(
            columns
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| {
                    let part = |at: usize| unhex(pair[at].as_str().unwrap());
                    (part(0), part(1))
                })
                .collect(),
        ),
    };
    (field(line, "k"), value)
}

fn lines(path: &Path) -> Vec<Json> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A folder of the fixtures with its true rows.
pub struct Case {
    /// Its name, and the software that it is of.
    pub name: String,
    /// The database.
    pub db: PathBuf,
    /// The rows that the software itself finds.
    pub rows: Tables,
}

/// The places of fixtures: `testdata/lsm`, and the larger set where it is there.
pub fn places() -> Vec<PathBuf> {
    let mut places = vec![testdata("lsm")];
    match shared_fixtures() {
        Some(fixtures) => {
            println!("with the fixtures of {}", fixtures.display());
            places.extend([fixtures.join("rocksdb"), fixtures.join("leveldb")]);
        }
        None => println!("with testdata/lsm only"),
    }
    places
}

/// The sub-folders of all places whose names start so.
pub fn folders(places: &[PathBuf], prefixes: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = places
        .iter()
        .flat_map(|place| {
            fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
        })
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            path.is_dir() && prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    found.sort();
    found
}

/// A name for messages: the last two parts of a path.
pub fn short(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .rev()
        .take(2)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    format!("{}/{}", parts[1], parts[0])
}

/// The single databases of these places.
pub fn cases(places: &[PathBuf]) -> Vec<Case> {
    folders(places, &["db-", "checkpoint"])
        .into_iter()
        .map(|folder| Case {
            name: short(&folder),
            db: folder.join("db"),
            rows: expected(&folder),
        })
        .collect()
}

/// `expected.jsonl`, `expected.FAMILY.jsonl`, and the columns of entities over both.
fn expected(folder: &Path) -> Tables {
    let mut tables = Tables::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(family) = name
            .strip_prefix("expected")
            .and_then(|name| name.strip_suffix(".jsonl"))
        else {
            continue;
        };
        let family = match family.trim_start_matches('.') {
            "" | "entities" => "default",
            family => family,
        };
        let entities = name == "expected.entities.jsonl";
        let table = tables.entry(family.to_owned()).or_default();
        for line in lines(&path) {
            let (key, value) = known_row(&line);
            if entities || !table.contains_key(&key) {
                table.insert(key, value);
            }
        }
    }
    assert!(!tables.is_empty(), "{}", folder.display());
    tables
}

/// The rows that `make.py` wrote beside a folder; families without rows have no line.
pub fn made_rows(folder: &Path) -> Tables {
    let mut tables = Tables::new();
    for line in lines(&folder.join("rows.jsonl")) {
        let (key, value) = known_row(&line);
        let table = tables
            .entry(line["t"].as_str().unwrap().to_owned())
            .or_default();
        assert!(table.insert(key, value).is_none(), "{line}");
    }
    tables
}

/// The rows that `cat --json` prints: ascending by key in each table.
pub fn printed(ran: &Ran) -> Tables {
    let mut tables = Tables::new();
    let mut previous: Option<(String, Vec<u8>)> = None;
    for line in ran.stdout.lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let table = row["table"].as_str().unwrap_or("default").to_owned();
        let key = json_bytes(&row["key"]);
        if let Some((before, last)) = &previous {
            assert!(
                *before != table || *last < key,
                "{}: {line} in disorder",
                ran.line
            );
            assert!(
                *before == table || !tables.contains_key(&table),
                "{}: {line}",
                ran.line
            );
        }
        tables
            .entry(table.clone())
            .or_default()
            .insert(key.clone(), Value::of_json(&row["value"]));
        previous = Some((table, key));
    }
    tables
}

/// The rows of a folder, by the real binary.
pub fn cat(path: &Path) -> Tables {
    printed(
        &mdiff(["cat".as_ref(), path.as_os_str(), "--json".as_ref()])
            .run()
            .exits(0),
    )
}

/// Tables without those that have no rows: `cat` prints nothing of them.
pub fn filled(tables: &Tables) -> Tables {
    let mut filled = tables.clone();
    filled.retain(|_, rows| !rows.is_empty());
    filled
}

/// Fails with the first row that differs.
#[track_caller]
pub fn assert_same(what: &str, found: &Tables, known: &Tables) {
    let names = |tables: &Tables| tables.keys().cloned().collect::<Vec<_>>();
    let (found, known) = (filled(found), filled(known));
    assert_eq!(names(&found), names(&known), "{what}: tables");
    for (name, known) in &known {
        let first = differences(&found[name], known).into_iter().next();
        assert_eq!(first, None, "{what}, table {name}: found, then known");
    }
}

/// A key whose rows differ: what the left has and what the right has.
pub type Difference = (Vec<u8>, Option<Value>, Option<Value>);

/// What a map of the standard library says of two tables.
pub fn differences(left: &Table, right: &Table) -> Vec<Difference> {
    let mut keys: Vec<&Vec<u8>> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| (key.clone(), left.get(key).cloned(), right.get(key).cloned()))
        .collect()
}

/// What `diff --json` says, by table; the exit code fits it.
pub fn told(left: &Path, right: &Path) -> BTreeMap<String, Vec<Difference>> {
    let ran = mdiff([
        "diff".as_ref(),
        left.as_os_str(),
        right.as_os_str(),
        "--json".as_ref(),
    ])
    .run();
    let mut told: BTreeMap<String, Vec<Difference>> = BTreeMap::new();
    for line in ran.stdout.lines() {
        let change: Json = serde_json::from_str(line).unwrap();
        let side = |name: &str| {
            let value = change.get(name).filter(|value| !value.is_null());
            value.map(Value::of_json)
        };
        let difference = (json_bytes(&change["key"]), side("left"), side("right"));
        let table = change["table"].as_str().unwrap_or("default");
        told.entry(table.to_owned()).or_default().push(difference);
    }
    assert_eq!(ran.code, Some(i32::from(!told.is_empty())), "{ran:#?}");
    told
}

/// The differences that two sets of tables must show.
pub fn truth(left: &Tables, right: &Tables) -> BTreeMap<String, Vec<Difference>> {
    let none = Table::new();
    let mut truth = BTreeMap::new();
    for name in left.keys().chain(right.keys()) {
        let side = |tables: &'_ Tables| tables.get(name).unwrap_or(&none).clone();
        let found = differences(&side(left), &side(right));
        if !found.is_empty() {
            truth.insert(name.clone(), found);
        }
    }
    truth
}

/// The tree of a snapshot, as bytes.
#[track_caller]
pub fn tree_of(path: &Path, args: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("made.mtree");
    mdiff([
        "build".as_ref(),
        path.as_os_str(),
        "-o".as_ref(),
        out.as_os_str(),
    ])
    .args(args)
    .run()
    .exits(0);
    fs::read(out).unwrap()
}

/// Copies a folder with its sub-folders.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `make.py` with these arguments: what it printed, or `None` where nothing can be made here; what is missing is said.
pub fn make(args: &[&str], env: &[(&str, &str)]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/database_folders/make.py");
    let output = Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(env.iter().copied())
        .arg(script)
        .args(args)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for line in said.lines().filter(|line| line.starts_with("missing: ")) {
        crate::common::skipped(&format!("folders by other software: {line}"));
    }
    if output.status.code() == Some(77) {
        return None;
    }
    assert!(
        output.status.success(),
        "make.py {args:?}: {:?}\n{said}",
        output.status
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A place for folders that real software writes and syncs: in memory where there is such a place.
pub fn quick_tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
