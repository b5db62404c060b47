//! The statements of `mdiff cat PATCH --format cql`, run on a small model of last-write-wins, make of the base the target.
//!
//! The model shares nothing with mdiff: it reads what `mdiff cat --json` prints of a snapshot, parses the statements with a
//! parser of its own, and keeps the strongest write of each place.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use serde_json::Value;

const NOW: i64 = 1_795_311_000;

/// A write: timestamp, whether it deletes, its value, and when it expires (0: never). The greatest wins.
type Write = (i64, bool, i64, String);
/// A relation of a range deletion: columns, operator, values.
type Relation = (Vec<String>, String, Vec<String>);

#[derive(Default)]
struct Model {
    /// By partition.
    partitions: BTreeMap<String, i64>,
    ranges: BTreeMap<String, Vec<(i64, Vec<Relation>)>>,
    /// By row: partition, and clustering values or `static`.
    rows: BTreeMap<(String, Vec<String>), BTreeMap<String, Write>>,
    /// Bounds as they were printed: values, side, and the timestamp of what follows.
    bounds: BTreeMap<String, Vec<(Vec<String>, bool, i64)>>,
}

struct Shape {
    key: Vec<String>,
    clustering: Vec<String>,
    /// The columns whose elements are the paths of a list.
    lists: BTreeSet<String>,
    /// Fields of the columns of a user-defined type, in order.
    fields: BTreeMap<String, Vec<String>>,
}

/// A value without what tells a literal of CQL from JSON: quotes, blanks, kinds of brackets.
fn plain(text: &str) -> String {
    text.replace("+0000'", "Z'")
        .chars()
        .filter(|c| !matches!(c, '"' | '\'' | ' ' | '\\'))
        .map(|c| match c {
            '{' | '(' => '[',
            '}' | ')' => ']',
            c => c,
        })
        .collect()
}

fn of_json(value: &Value) -> String {
    plain(&match value {
        // The value of a set's element.
        Value::String(text) if text == "0x" => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn number(value: &Value, name: &str) -> Option<i64> {
    value.get(name).and_then(Value::as_i64)
}

impl Model {
    fn put(&mut self, row: &(String, Vec<String>), place: String, write: Write) {
        let slot = self
            .rows
            .entry(row.clone())
            .or_default()
            .entry(place)
            .or_insert(write.clone());
        if *slot < write {
            *slot = write;
        }
    }

    fn of_snapshot(json: &str, shape: &Shape) -> Model {
        let mut model = Model::default();
        for line in json.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let (key, value) = (&line["key"], &line["value"]);
            let part = |names: &[String]| -> Vec<String> {
                names
                    .iter()
                    .filter_map(|name| key.get(name))
                    .map(of_json)
                    .collect()
            };
            let partition = part(&shape.key).join(",");
            let mut clustering = part(&shape.clustering);
            let row_deletion = number(&value["[row]"]["deleted"], "timestamp");
            if key.get("[partition deletion]").is_some() {
                model.partitions.insert(partition, row_deletion.unwrap());
                continue;
            }
            if let Some(side) = key.get("[bound]") {
                let bound = (
                    clustering,
                    side == "behind",
                    row_deletion.unwrap_or(i64::MIN),
                );
                model.bounds.entry(partition).or_default().push(bound);
                continue;
            }
            if key.get("[static]").is_some() {
                clustering = vec!["static".into()];
            }
            let row = (partition, clustering);
            for (name, column) in value.as_object().unwrap() {
                if name == "[row]" {
                    let inserted = &column["inserted"];
                    if let Some(timestamp) = number(inserted, "timestamp") {
                        let expires = number(inserted, "expires").unwrap_or(0);
                        model.put(
                            &row,
                            "[inserted]".into(),
                            (timestamp, false, expires, String::new()),
                        );
                    }
                    if let Some(timestamp) = row_deletion {
                        model.put(
                            &row,
                            "[deleted]".into(),
                            (timestamp, true, 0, String::new()),
                        );
                    }
                    continue;
                }
                let cell = |cell: &Value| {
                    let timestamp = number(cell, "timestamp").unwrap();
                    match cell.get("deleted") {
                        Some(_) => (timestamp, true, 0, String::new()),
                        None => {
                            let expires = number(cell, "expires").unwrap_or(0);
                            (timestamp, false, expires, of_json(&cell["value"]))
                        }
                    }
                };
                let Some(elements) = column.get("elements") else {
                    model.put(&row, name.clone(), cell(column));
                    continue;
                };
                if let Some(timestamp) = number(&column["deleted"], "timestamp") {
                    model.put(
                        &row,
                        format!("{name}[]"),
                        (timestamp, true, 0, String::new()),
                    );
                }
                for element in elements.as_array().unwrap() {
                    let path = of_json(&element["path"]);
                    model.put(&row, format!("{name}[{path}]"), cell(&element["cell"]));
                }
            }
        }
        model
    }

    /// What deletes a row as a whole: of its partition and of the ranges it lies in.
    fn covering(&self, row: &(String, Vec<String>), shape: &Shape) -> i64 {
        let mut covering = self.partitions.get(&row.0).copied().unwrap_or(i64::MIN);
        if row.1 == ["static"] {
            return covering;
        }
        let mut state = i64::MIN;
        for (values, is_behind, timestamp) in self.bounds.get(&row.0).into_iter().flatten() {
            let order = compare(values, &row.1);
            if order.is_lt() || order.is_eq() && !is_behind {
                state = *timestamp;
            }
        }
        covering = covering.max(state);
        for (timestamp, relations) in self.ranges.get(&row.0).into_iter().flatten() {
            let holds = relations.iter().all(|(columns, operator, values)| {
                let of_row: Vec<String> = columns
                    .iter()
                    .map(|c| row.1[shape.clustering.iter().position(|k| k == c).unwrap()].clone())
                    .collect();
                let order = compare(&of_row, values);
                match operator.as_str() {
                    "=" => order.is_eq(),
                    ">" => order.is_gt(),
                    ">=" => order.is_ge(),
                    "<" => order.is_lt(),
                    _ => order.is_le(),
                }
            });
            if holds {
                covering = covering.max(*timestamp);
            }
        }
        covering
    }

    /// What is left of the rows: live writes, and what deletes more than a cell; of `rows`, what covers them.
    fn seen(
        &self,
        shape: &Shape,
        rows: &BTreeSet<(String, Vec<String>)>,
    ) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        for row in rows {
            let mut covering = self.covering(row, shape);
            if covering > i64::MIN {
                seen.insert(format!("{row:?} covered"), covering.to_string());
            }
            let Some(places) = self.rows.get(row) else {
                continue;
            };
            let timestamp = |place: &str| places.get(place).map_or(i64::MIN, |write| write.0);
            covering = covering.max(timestamp("[deleted]"));
            for (place, write) in places {
                let column = place.split('[').next().unwrap();
                let hidden = covering.max(match column.is_empty() || place.ends_with("[]") {
                    true => i64::MIN,
                    false => timestamp(&format!("{column}[]")),
                });
                if write.0 > hidden && !write.1 && !shape.lists.contains(column) {
                    seen.insert(format!("{row:?} {place}"), format!("{write:?}"));
                }
            }
        }
        seen
    }
}

fn compare(a: &[String], b: &[String]) -> std::cmp::Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    std::cmp::Ordering::Equal
}

/// Splits at a separator outside of quotes and brackets.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 && quote.is_none() && at >= start && text[at..].starts_with(separator) {
            parts.push(text[start..at].trim());
            start = at + separator.len();
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn relation(text: &str) -> Relation {
    for operator in [" >= ", " <= ", " > ", " < ", " = "] {
        if let [left, right] = split(text, operator)[..] {
            let list = |text: &str, is_tuple: bool| -> Vec<String> {
                match is_tuple {
                    true => split(&text[1..text.len() - 1], ",")
                        .into_iter()
                        .map(plain)
                        .collect(),
                    false => vec![plain(text)],
                }
            };
            let is_tuple = left.starts_with('(');
            return (
                list(left, is_tuple),
                operator.trim().into(),
                list(right, is_tuple),
            );
        }
    }
    panic!("{text}");
}

fn using(text: &str) -> (i64, i64) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words[at + 1].parse::<i64>().ok()
    };
    let expires = match after("TTL") {
        None | Some(0) => 0,
        Some(ttl) => NOW + ttl,
    };
    (after("TIMESTAMP").unwrap(), expires)
}

/// `"m"['k']`, `"u"."f"` and `"v"` as the model names places.
fn place(text: &str, shape: &Shape) -> String {
    if let [column, field] = split(text, ".")[..] {
        let column = plain(column);
        let at = shape.fields[&column]
            .iter()
            .position(|f| *f == plain(field))
            .unwrap();
        return format!("{column}[{at}]");
    }
    match text.split_once("\"[") {
        Some((column, path)) => format!("{}[{}]", plain(column), plain(&path[..path.len() - 1])),
        None => plain(text),
    }
}

fn run(model: &mut Model, statement: &str, shape: &Shape, complex: &BTreeSet<String>) {
    let statement = statement.trim().strip_suffix(';').unwrap();
    let row_of = |relations: &[Relation]| {
        let of = |names: &[String]| -> Vec<String> {
            let value = |name| {
                relations
                    .iter()
                    .find(|r| r.0 == [String::clone(name)] && r.1 == "=")
            };
            names
                .iter()
                .filter_map(value)
                .map(|r| r.2[0].clone())
                .collect()
        };
        (of(&shape.key).join(","), of(&shape.clustering))
    };
    let at_static = |mut row: (String, Vec<String>)| {
        if row.1.is_empty() && !shape.clustering.is_empty() {
            row.1.push("static".into());
        }
        row
    };
    if let Some(rest) = statement.strip_prefix("INSERT INTO ") {
        let [columns, rest] = split(rest, " VALUES ")[..] else {
            panic!("{statement}")
        };
        let [values, rest] = split(rest, " USING ")[..] else {
            panic!("{statement}")
        };
        let (timestamp, expires) = using(rest);
        let columns = &columns[columns.find('(').unwrap() + 1..columns.len() - 1];
        let columns = split(columns, ",").into_iter().map(plain);
        let values = split(&values[1..values.len() - 1], ",")
            .into_iter()
            .map(plain);
        let pairs: BTreeMap<String, String> = columns.zip(values).collect();
        let of = |names: &[String]| names.iter().map(|n| pairs[n].clone()).collect::<Vec<_>>();
        let row = (of(&shape.key).join(","), of(&shape.clustering));
        model.put(
            &row,
            "[inserted]".into(),
            (timestamp, false, expires, String::new()),
        );
        for (column, value) in pairs {
            if !shape.key.contains(&column) && !shape.clustering.contains(&column) {
                model.put(&row, column, (timestamp, false, expires, value));
            }
        }
        return;
    }
    let [head, filter] = split(statement, " WHERE ")[..] else {
        panic!("{statement}")
    };
    let relations: Vec<Relation> = split(filter, " AND ").into_iter().map(relation).collect();
    let row = row_of(&relations);
    if let Some(rest) = head.strip_prefix("UPDATE ") {
        let [with, sets] = split(rest, " SET ")[..] else {
            panic!("{statement}")
        };
        let (timestamp, expires) = using(with);
        let row = at_static(row);
        for set in split(sets, ",") {
            let [left, right] = split(set, " = ")[..] else {
                panic!("{set}")
            };
            if let Some(members) = right.strip_prefix(&format!("{left} + ")) {
                for member in split(&members[1..members.len() - 1], ",") {
                    let place = format!("{}[{}]", plain(left), plain(member));
                    model.put(&row, place, (timestamp, false, expires, String::new()));
                }
            } else {
                model.put(
                    &row,
                    place(left, shape),
                    (timestamp, false, expires, plain(right)),
                );
            }
        }
        return;
    }
    let rest = head.strip_prefix("DELETE ").unwrap();
    let (timestamp, _) = using(rest);
    let write = (timestamp, true, 0, String::new());
    match rest.strip_prefix("FROM ") {
        Some(_) if relations.len() == shape.key.len() && !shape.clustering.is_empty() => {
            let slot = model.partitions.entry(row.0).or_insert(timestamp);
            *slot = (*slot).max(timestamp);
        }
        Some(_) if row.1.len() == shape.clustering.len() => {
            model.put(&row, "[deleted]".into(), write);
        }
        Some(_) => {
            let of_range = relations
                .into_iter()
                .filter(|r| !shape.key.contains(&r.0[0]))
                .collect();
            model
                .ranges
                .entry(row.0)
                .or_default()
                .push((timestamp, of_range));
        }
        None => {
            let [what, _] = split(rest, " FROM ")[..] else {
                panic!("{statement}")
            };
            let row = at_static(row);
            for what in split(what, ",") {
                let mut place = place(what, shape);
                if complex.contains(&place) {
                    place.push_str("[]");
                }
                model.put(&row, place, write.clone());
            }
        }
    }
}

fn ran(args: &[&str]) -> Ran {
    mdiff(args).run()
}

/// Makes the patch of two folders, or of the base and other replicas that make up the target together; runs its statements on the
/// model of the base. Returns how many there were, and comments.
fn check(
    name: &str,
    base: &Path,
    others: &[PathBuf],
    target: &Path,
    shape: &Shape,
    complex: &[&str],
    with_base: bool,
) -> (usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    let (base, target) = (base.to_str().unwrap(), target.to_str().unwrap());
    let patch = dir.path().join("p.1.mpatch");
    let patch = patch.to_str().unwrap();
    let now = NOW.to_string();
    match others {
        [] => mdiff(["patch", base, target, "--reversible", "-o", patch])
            .args(["--now", &now])
            .run()
            .exits(0),
        others => mdiff(["reconcile", base, "-o", "p", "--now", &now])
            .args(others)
            .in_dir(dir.path())
            .run()
            .exits(1),
    };
    let mut args = vec![
        "cat", patch, "--format", "cql", "--now", &now, "--table", "fx.t",
    ];
    if with_base {
        args.extend(["--base", base]);
    }
    let printed = ran(&args);
    assert!(matches!(printed.code, Some(0 | 1)), "{printed:#?}");
    let comments: Vec<&str> = printed
        .stdout
        .lines()
        .filter(|line| line.starts_with("-- not expressible: "))
        .collect();
    assert_eq!(
        printed.code,
        Some(i32::from(!comments.is_empty())),
        "{}",
        printed.stderr
    );
    let model = |folder: &str| {
        let json = ran(&["cat", folder, "--json", "--now", &now])
            .exits(0)
            .stdout;
        Model::of_snapshot(&json, shape)
    };
    let (mut ours, theirs) = (model(base), model(target));
    let complex: BTreeSet<String> = complex.iter().map(|name| name.to_string()).collect();
    let statements: Vec<&str> = printed
        .stdout
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let rows: BTreeSet<_> = ours
        .rows
        .keys()
        .chain(theirs.rows.keys())
        .cloned()
        .collect();
    let before = ours.seen(shape, &rows);
    for statement in &statements {
        run(&mut ours, statement, shape, &complex);
    }
    let (ours, theirs) = (ours.seen(shape, &rows), theirs.seen(shape, &rows));
    if with_base {
        for (place, value) in &theirs {
            assert_eq!(ours.get(place), Some(value), "{name}: {place}");
        }
        for place in ours.keys() {
            assert!(
                theirs.contains_key(place),
                "{name}: {place} {}",
                ours[place]
            );
        }
    }
    assert_ne!(before, theirs, "{name}: nothing to do");
    println!(
        "{name}: {} statements, {} not expressible",
        statements.len(),
        comments.len()
    );
    for comment in &comments {
        let is_list = comment.contains(" of the list ");
        assert!(is_list || !with_base, "{name}: {comment}");
    }
    (statements.len(), comments.len())
}

/// A folder with one SSTable of another, and the schema.
fn one_of(folder: &Path, generation: &str, dir: &Path) -> PathBuf {
    for item in fs::read_dir(folder).unwrap().flatten() {
        let name = item.file_name().into_string().unwrap();
        if name.contains(&format!("-{generation}-")) && !name.starts_with("sstable")
            || name == "schema.cql"
        {
            fs::copy(item.path(), dir.join(name)).unwrap();
        }
    }
    dir.to_owned()
}

fn shape(key: &[&str], clustering: &[&str], lists: &[&str]) -> Shape {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| name.to_string())
            .collect::<Vec<_>>()
    };
    Shape {
        key: owned(key),
        clustering: owned(clustering),
        lists: owned(lists).into_iter().collect(),
        fields: BTreeMap::from([("u".to_string(), owned(&["name", "home"]))]),
    }
}

#[test]
fn statements_make_the_target_of_the_base() {
    let mut cases = vec![
        ("da-static_cols", testdata("cassandra/da-static_cols")),
        ("me-tombstones", testdata("cassandra/me-tombstones")),
        ("nb-collections", testdata("cassandra/nb-collections")),
    ];
    let shared = shared_fixtures().map(|fixtures| fixtures.join("cassandra"));
    if let Some(shared) = &shared {
        for name in [
            "nb-tombstones",
            "oa-tombstones",
            "me-static_cols",
            "nb-ttls",
            "da-ttls",
            "oa-collections",
        ] {
            cases.push((name, shared.join(name)));
        }
    }
    for (name, folder) in &cases {
        let (shape, complex): (_, &[&str]) = match name.split_once('-').unwrap().1 {
            "static_cols" => (shape(&["pk"], &["ck"], &[]), &["sm"]),
            "tombstones" => (shape(&["pk"], &["c1", "c2"], &[]), &[]),
            "ttls" => (shape(&["k"], &[], &[]), &[]),
            _ => (
                shape(&["k"], &[], &["l"]),
                &["l", "s", "m", "ml", "u", "su"],
            ),
        };
        let dir = tempfile::tempdir().unwrap();
        let [base, second, third] = ["1", "2", "3"].map(|generation| {
            let dir = dir.path().join(generation);
            fs::create_dir(&dir).unwrap();
            one_of(folder, generation, &dir)
        });
        let (statements, _) = check(name, &base, &[], folder, &shape, complex, true);
        assert!(statements > 0, "{name}");
        check(name, &base, &[], folder, &shape, complex, false);
        let mut others = vec![second, third];
        others.retain(|dir| fs::read_dir(dir).unwrap().count() > 1);
        check(name, &base, &others, folder, &shape, complex, true);
    }
    let Some(shared) = shared else {
        return skipped("the larger set of Cassandra's fixtures");
    };
    let orders = fs::read_dir(shared.join("nb-orders/fx"))
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let moment = |name: &str| orders.path().join("snapshots").join(name);
    let shape = shape(&["cust"], &["id"], &["items"]);
    let (statements, comments) = check(
        "nb-orders",
        &moment("before"),
        &[],
        &moment("after"),
        &shape,
        &["items", "attrs"],
        true,
    );
    assert!(statements > 20 && comments == 8);
}

#[test]
fn what_is_not_of_cassandra_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "id,v\n1,x\n").unwrap();
    fs::write(dir.path().join("b.csv"), "id,v\n1,y\n").unwrap();
    mdiff(["patch", "a.csv", "b.csv", "--key", "id", "-o", "p.mpatch"])
        .in_dir(dir.path())
        .run()
        .exits(0);
    mdiff(["cat", "p.mpatch", "--format", "cql", "--table", "k.t"])
        .in_dir(dir.path())
        .run()
        .exits(2)
        .tells("not of Cassandra");
    let folder = testdata("cassandra/nb-collections");
    let target = folder.to_str().unwrap();
    let base = one_of(&folder, "1", &{
        let base = dir.path().join("base");
        fs::create_dir(&base).unwrap();
        base
    });
    let base = base.to_str().unwrap();
    let patch = |view: &str| {
        ran(&[
            "patch",
            base,
            target,
            "--view",
            view,
            "-o",
            dir.path().join(view).to_str().unwrap(),
        ])
        .exits(0)
    };
    patch("live");
    patch("cells");
    let cat = |file: &str| mdiff(["cat", file, "--format", "cql"]).in_dir(dir.path());
    cat("live")
        .args(["--table", "k.t"])
        .run()
        .exits(2)
        .tells("live views");
    cat("cells")
        .run()
        .exits(2)
        .tells("--table KEYSPACE.TABLE")
        .prints_nothing();
}
