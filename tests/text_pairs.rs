//! Random pairs of delimited texts, in random layouts, through every command of the real binary, against a map of the
//! standard library that shares no code with mdiff.
//!
//! `MDIFF_SEED=N cargo test --test text_pairs` runs one round again; `MDIFF_ROUNDS=N` runs so many.

mod common;
#[path = "text_pairs/layout.rs"]
mod layout;
#[path = "text_pairs/model.rs"]
mod model;
#[path = "text_pairs/twice.rs"]
mod twice;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, Random, mdiff};
use layout::Layout;
use model::{Columns, Kind, Rows, cat_lines, difference, key_json, value_json};
use serde_json::Value;

/// One pair and the folder it is written to.
struct Round {
    dir: tempfile::TempDir,
    random: Random,
    kind: Kind,
    left: Rows,
    right: Rows,
    left_layout: Layout,
    right_layout: Layout,
    /// Options that say how the texts are to be read.
    reading: Vec<String>,
    a: PathBuf,
    b: PathBuf,
}

impl Round {
    fn new(seed: u64) -> Round {
        let mut random = Random(seed);
        let header = random.below(4) > 0;
        let kind = Kind::random(&mut random, !header);
        let left = kind.rows(&mut random);
        let right = kind.change(&mut random, &left);
        let delimiters = if random.below(4) == 0 { ";|^" } else { ",\t" };
        let delimiter = delimiters
            .chars()
            .nth(random.below(delimiters.len() as u64) as usize)
            .unwrap();
        let Columns { key, value } = &kind.columns;
        let ignored: Vec<String> = match (random.below(4), header) {
            (0, true) => vec!["noise".into(), "updated at".into()],
            (0, false) => vec![(key.len() + value.len() + 1).to_string()],
            _ => Vec::new(),
        };
        let mut reading = vec![format!("--key={}", key.join(","))];
        if delimiters != ",\t" {
            reading.push(format!("--delimiter={delimiter}"));
        }
        if !header {
            reading.push("--no-header".into());
        }
        if let Some(null) = kind.null {
            reading.push(format!("--null={null}"));
        }
        if kind.zeros {
            reading.push("--format=csv".into());
        }
        if !header && (left.is_empty() || right.is_empty()) {
            // Nothing else tells how many columns an empty text without a header has.
            let listed = [key.as_slice(), value].concat();
            reading.push(format!("--columns={}", listed.join(",")));
        } else if !ignored.is_empty() {
            let can_list = value.iter().all(|name| !name.contains(','));
            if random.below(2) == 0 && can_list {
                let listed = [key.as_slice(), value].concat();
                reading.push(format!("--columns={}", listed.join(",")));
            } else {
                reading.push(format!("--ignore-columns={}", ignored.join(",")));
            }
        }
        let layout =
            |random: &mut Random| Layout::random(random, &kind, header, delimiter, &ignored);
        let (left_layout, right_layout) = (layout(&mut random), layout(&mut random));
        let dir = tempfile::tempdir().unwrap();
        let a = left_layout.write(dir.path(), "a", &kind.columns, &left);
        let b = right_layout.write(dir.path(), "b", &kind.columns, &right);
        Round {
            dir,
            random,
            left,
            right,
            left_layout,
            right_layout,
            reading,
            a,
            b,
            kind,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Another name that ends as `like` does, without its compression: what `apply` writes for it.
    fn named_like(&self, name: &str, like: &Path) -> PathBuf {
        let is_tsv = like.to_string_lossy().contains(".tsv");
        self.path(&format!("{name}.{}", if is_tsv { "tsv" } else { "csv" }))
    }

    /// Runs a command that reads texts, in one of the ways that must not change what comes out.
    fn run(&mut self, args: &[&str]) -> Ran {
        let ways: [&[&str]; 7] = [
            &[],
            &["-j1"],
            &["-j2"],
            &["-j8"],
            &["--no-mmap"],
            &["-j1", "--no-mmap"],
            &["--sort-memory=64K", "-j2"],
        ];
        let way = ways[self.random.below(7) as usize];
        mdiff(args).args(&self.reading).args(way).run()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a test's path is text")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What the two sides differ in, as every command says it.
fn differences_are_told(round: &mut Round) {
    let expected = difference(&round.kind.columns, &round.left, &round.right);
    let differs = !expected.diff_lines.is_empty();
    let code = i32::from(differs);
    let (a, b) = (round.a.clone(), round.b.clone());
    let (a, b) = (text(&a), text(&b));
    let diff = round.run(&["diff", a, b, "--json"]).exits(code);
    assert_eq!(lines(&diff.stdout), expected.diff_lines);
    round
        .run(&["diff", a, b, "--stat"])
        .exits(code)
        .prints_exactly(&expected.stat);
    let human = round.run(&["diff", a, b]).exits(code).stdout;
    assert_eq!(human.lines().count(), expected.diff_lines.len(), "{human}");
    let compared = round.run(&["compare", a, b, "--json"]).exits(code).stdout;
    let compared: Value = serde_json::from_str(&compared).expect("one document");
    assert_eq!(
        compared["result"],
        if differs { "different" } else { "same" }
    );
    let sides = &compared["tables"][0]["sides"];
    assert_eq!(sides[0]["rows"], round.left.len());
    assert_eq!(sides[1]["rows"], round.right.len());
    let limit = round.random.below(4) as usize;
    let cut = round
        .run(&["diff", a, b, "--json", "--limit", &limit.to_string()])
        .exits(code);
    let shown = limit.min(expected.diff_lines.len());
    assert_eq!(lines(&cut.stdout), expected.diff_lines[..shown]);
    assert_eq!(
        cut.stderr.contains("--limit"),
        limit < expected.diff_lines.len(),
        "{}",
        cut.stderr
    );
}

/// Trees are equal for equal rows, to the last byte, and know what the rows are.
fn trees_depend_on_rows_alone(round: &mut Round) {
    let Round {
        random,
        kind,
        left_layout,
        dir,
        left,
        ..
    } = round;
    // The same layout options, so that the same reading options fit; another order, quoting and compression.
    let mut other = Layout::random(
        random,
        kind,
        left_layout.header,
        left_layout.delimiter,
        &left_layout.ignored,
    );
    other.sorted = !left_layout.sorted;
    let again = other.write(dir.path(), "again", &kind.columns, left);
    let a = round.a.clone();
    let mut trees = BTreeSet::new();
    for (i, (path, way)) in [
        (&a, &["-j1"][..]),
        (&a, &["-j2", "--no-mmap"]),
        (&a, &["-j8"]),
        (&again, &["-j1", "--no-mmap"]),
        (&again, &["-j8", "--sort-memory=64K"]),
    ]
    .into_iter()
    .enumerate()
    {
        let tree = round.path(&format!("{i}.mtree"));
        mdiff(["build", text(path), "-o", text(&tree), "--leaf-rows=16"])
            .args(&round.reading)
            .args(way)
            .run()
            .exits(0);
        trees.insert(fs::read(tree).unwrap());
    }
    assert_eq!(trees.len(), 1, "trees of one table differ");
    let content = |ran: Ran| -> String {
        let document: Value = serde_json::from_str(&ran.exits(0).stdout).expect("one document");
        document["content"].as_str().expect("a digest").to_owned()
    };
    let of_tree = content(mdiff(["info", "--json", text(&round.path("0.mtree"))]).run());
    assert_eq!(content(round.run(&["info", "--json", text(&a)])), of_tree);
    assert_eq!(
        content(round.run(&["info", "--json", text(&again)])),
        of_tree
    );
    round
        .run(&["verify", text(&again), text(&round.path("0.mtree"))])
        .exits(0);
    let b = round.b.clone();
    let same = i32::from(round.left != round.right);
    round
        .run(&["compare", text(&round.path("0.mtree")), text(&b)])
        .exits(same);
    round
        .run(&["verify", text(&b), text(&round.path("0.mtree"))])
        .exits(same);
}

/// What is printed and converted are the rows.
fn rows_come_out(round: &mut Round) {
    let expected = cat_lines(&round.kind.columns, &round.left);
    let a = round.a.clone();
    let cat = round.run(&["cat", text(&a), "--json"]).exits(0);
    assert_eq!(lines(&cat.stdout), expected);
    let jsonl = round.path("c.jsonl");
    round
        .run(&["convert", text(&a), "-o", text(&jsonl)])
        .exits(0);
    let without_table: Vec<String> = expected
        .iter()
        .map(|line| line.replacen("\"table\":\"default\",", "", 1))
        .collect();
    assert_eq!(lines(&fs::read_to_string(jsonl).unwrap()), without_table);

    let csv = round.path("c.csv");
    round.run(&["convert", text(&a), "-o", text(&csv)]).exits(0);
    // A text without a header gets none, and its columns in another order.
    let mut read_again = round.reading.clone();
    read_again.retain(|option| {
        !option.starts_with("--ignore-columns") && !option.starts_with("--columns")
    });
    if read_again.iter().any(|option| option == "--no-header") {
        let keys: Vec<String> = (1..=round.kind.columns.key.len())
            .map(|n| n.to_string())
            .collect();
        read_again[0] = format!("--key={}", keys.join(","));
    } else {
        mdiff(["compare", text(&a), text(&csv)])
            .args(&round.reading)
            .run()
            .exits_or_columns();
    }
    let back = mdiff(["cat", text(&csv), "--json"])
        .args(&read_again)
        .run()
        .exits(0);
    assert_eq!(back.stdout.lines().count(), expected.len());

    let (sst, sst_b) = (round.path("a.sst"), round.path("b.sst"));
    let b = round.b.clone();
    for (from, to) in [(&a, &sst), (&b, &sst_b)] {
        round.run(&["convert", text(from), "-o", text(to)]).exits(0);
    }
    let expected = difference(&round.kind.columns, &round.left, &round.right);
    let code = i32::from(!expected.diff_lines.is_empty());
    let diff = mdiff(["diff", text(&sst), text(&sst_b), "--stat"])
        .run()
        .exits(code);
    assert_eq!(lines(&diff.stdout)[0], lines(&expected.stat)[0]);
}

/// A patch leads from base to target, proven, once, and back.
fn patches_repair(round: &mut Round) {
    let expected = difference(&round.kind.columns, &round.left, &round.right);
    let (a, b) = (round.a.clone(), round.b.clone());
    let (a, b) = (text(&a), text(&b));
    let mut patches = BTreeSet::new();
    for (i, way) in [&["-j1"][..], &["-j8"], &["-j2", "--no-mmap"]]
        .into_iter()
        .enumerate()
    {
        let patch = round.path(&format!("{i}.mpatch"));
        mdiff(["patch", a, b, "-o", text(&patch)])
            .args(&round.reading)
            .args(way)
            .run()
            .exits(0);
        patches.insert(fs::read(patch).unwrap());
    }
    assert_eq!(patches.len(), 1, "patches of one pair differ");
    let patch = round.path("0.mpatch");
    let patch = text(&patch);
    operations_are_told(patch, &expected);

    let out = round.named_like("out", Path::new(a));
    let can_write = round.left_layout.ignored.is_empty();
    if !can_write {
        round
            .run(&["apply", a, patch, "-o", text(&out)])
            .exits(2)
            .tells("left out");
        assert!(!out.exists());
        round.run(&["apply", a, patch, "--dry-run"]).exits(0);
        return;
    }
    let mut outs = BTreeSet::new();
    for way in [&["-j1"][..], &["-j8", "--force"], &["--no-mmap", "--force"]] {
        mdiff(["apply", a, patch, "-o", text(&out)])
            .args(&round.reading)
            .args(way)
            .run()
            .exits(0);
        outs.insert(fs::read(&out).unwrap());
    }
    assert_eq!(outs.len(), 1, "outputs of one patch differ");
    round.run(&["compare", text(&out), b]).exits(0);
    round
        .run(&["diff", text(&out), b])
        .exits(0)
        .prints_nothing();
    let rows = round.run(&["cat", text(&out), "--json"]).exits(0);
    assert_eq!(
        lines(&rows.stdout),
        cat_lines(&round.kind.columns, &round.right)
    );

    let no = round.named_like("no", Path::new(a));
    if !expected.ops.is_empty() {
        round
            .run(&["apply", text(&out), patch, "-o", text(&no)])
            .exits(1)
            .prints_nothing();
        round
            .run(&["apply", b, patch, "-o", text(&no)])
            .exits(1)
            .prints_nothing();
        let mut other = round.left.clone();
        let key = round
            .kind
            .columns
            .key
            .iter()
            .map(|_| b"surely new".to_vec())
            .collect();
        other.insert(
            key,
            round
                .kind
                .columns
                .value
                .iter()
                .map(|_| Some(Vec::new()))
                .collect(),
        );
        let wrong = round
            .left_layout
            .write(round.dir.path(), "wrong", &round.kind.columns, &other);
        round
            .run(&["apply", text(&wrong), patch, "-o", text(&no)])
            .exits(1)
            .prints_nothing();
        assert!(!no.exists(), "a refused patch wrote something");
    }
    let undo = round.path("undo.mpatch");
    round.run(&["patch", b, a, "-o", text(&undo)]).exits(0);
    let back = round.named_like("back", Path::new(a));
    round
        .run(&["apply", text(&out), text(&undo), "-o", text(&back)])
        .exits(0);
    round.run(&["compare", text(&back), a]).exits(0);

    let both = round.path("both.mpatch");
    round
        .run(&["patch", a, b, "--reversible", "-o", text(&both)])
        .exits(0);
    let inverted = round.path("inverted.mpatch");
    mdiff(["patch", "--invert", text(&both), "-o", text(&inverted)])
        .run()
        .exits(0);
    let back = round.named_like("back2", Path::new(a));
    round
        .run(&["apply", text(&out), text(&inverted), "-o", text(&back)])
        .exits(0);
    round.run(&["diff", text(&back), a]).exits(0);
    let twice = round.path("twice.mpatch");
    mdiff(["patch", "--invert", text(&inverted), "-o", text(&twice)])
        .run()
        .exits(0);
    assert_eq!(
        fs::read(twice).unwrap(),
        fs::read(both).unwrap(),
        "turned round twice"
    );
    mdiff([
        "patch",
        "--invert",
        patch,
        "-o",
        text(&round.path("no.mpatch")),
    ])
    .run()
    .exits(2);
}

fn operations_are_told(patch: &str, expected: &model::Difference) {
    let json = mdiff(["cat", patch, "--format", "json"])
        .run()
        .exits(0)
        .stdout;
    let ops: Vec<_> = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an object a line"))
        .collect();
    assert_eq!(ops.len(), expected.ops.len());
    for (op, (name, key, value, replaces)) in ops.iter().zip(&expected.ops) {
        assert_eq!(
            (&op["op"], &op["key"], &op["value"]),
            (&Value::from(*name), key, value)
        );
        assert_eq!(op["replaces"].is_string(), *replaces);
    }
    let table = mdiff(["cat", patch, "--format", "csv"])
        .run()
        .exits(0)
        .stdout;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(names, ["table", "op", "key", "value"]);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), expected.ops.len());
    for (record, (name, _, value, _)) in records.iter().zip(&expected.ops) {
        assert_eq!(&record[1], *name);
        let shown = if value.is_null() {
            String::new()
        } else {
            value.to_string()
        };
        assert_eq!(&record[3], shown);
    }
    let text = mdiff(["cat", patch]).run().exits(0).stdout;
    assert_eq!(text.lines().count(), expected.ops.len());
}

trait ExitsOrColumns {
    fn exits_or_columns(self);
}

impl ExitsOrColumns for Ran {
    /// The same rows; or, where columns were left out, an option that names a column which is not there any more.
    #[track_caller]
    fn exits_or_columns(self) {
        match self.code {
            Some(0) => {}
            _ => drop(self.exits(2).tells("has no column")),
        }
    }
}

const SQL: &str = include_str!("text_pairs/run_patch.py");

/// SQLite runs the statements of a patch and then holds the target's rows.
fn sqlite_agrees(round: &mut Round) {
    let columns = &round.kind.columns;
    let dump = |name: &str, rows: &Rows| {
        let path = round.path(name);
        let lines: Vec<String> = rows
            .iter()
            .map(|(k, v)| {
                format!(
                    "{{\"key\":{},\"value\":{}}}\n",
                    key_json(columns, k),
                    value_json(columns, v)
                )
            })
            .collect();
        fs::write(&path, lines.concat()).unwrap();
        path
    };
    let (base, target) = (
        dump("base.jsonl", &round.left),
        dump("target.jsonl", &round.right),
    );
    let statements = mdiff(["cat", text(&round.path("0.mpatch")), "--format=sql"])
        .run()
        .exits(0);
    let sql = round.path("patch.sql");
    fs::write(&sql, statements.stdout_bytes).unwrap();
    let output = std::process::Command::new("python3")
        .args(["-c", SQL, text(&base), text(&target), text(&sql)])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn has_sqlite() -> bool {
    let found = std::process::Command::new("python3")
        .args(["-c", "import sqlite3"])
        .output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: NO PYTHON3 WITH sqlite3 HERE, SO THE SQL OF PATCHES WAS NOT RUN");
    }
    found
}

#[test]
fn random_pairs_through_every_command() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match (number("MDIFF_SEED"), number("MDIFF_ROUNDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(rounds)) => 0..rounds,
        (None, None) => 0..if cfg!(debug_assertions) { 15 } else { 120 },
    };
    let has_sqlite = has_sqlite();
    let mut different = 0;
    for seed in seeds.clone() {
        let done = std::panic::catch_unwind(|| {
            let mut round = Round::new(seed);
            differences_are_told(&mut round);
            trees_depend_on_rows_alone(&mut round);
            rows_come_out(&mut round);
            patches_repair(&mut round);
            if has_sqlite {
                sqlite_agrees(&mut round);
            }
            round.left != round.right
        });
        match done {
            Ok(differs) => different += u64::from(differs),
            Err(panic) => {
                let round = Round::new(seed);
                eprintln!("failed: MDIFF_SEED={seed} replays it");
                eprintln!("{:?}\n{:?}", round.left_layout, round.right_layout);
                eprintln!(
                    "{:?}: {} and {} rows",
                    round.reading,
                    round.left.len(),
                    round.right.len()
                );
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!(
        "{} random pairs of texts, {different} of them different",
        seeds.end - seeds.start
    );
}
