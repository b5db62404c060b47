//! Dumps whose rows are known.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{mdiff, shared_fixtures, skipped, testdata};
use crate::model::{Rows, add, expected, read, roots, shared_row};

fn file(name: &str) -> PathBuf {
    testdata("postgres").join(name)
}

#[test]
fn every_format_gives_the_rows_that_the_server_has() {
    let rows = expected(&file("left.expected.jsonl"));
    assert!(rows.len() > 100);
    let wanted = roots(&file("left.sql"), &[]);
    let names: Vec<&str> = wanted.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "\"we.ird\".Ta\"b;le -- x",
            "public.child",
            "public.empty_table",
            "public.kinds",
            "public.meas1",
            "public.meas2",
            "public.parent",
            "public.typed",
            "public.unl",
        ]
    );
    for name in [
        "left.sql",
        "left.inserts.sql",
        "left.columns.sql",
        "left.rows.sql",
        "left.escapes.sql",
        "left.custom",
        "left.pipe.custom",
        "left.columns.custom",
        "left.dir",
        "left.tar",
        "left.v16.custom",
        "left.v16.dir",
    ] {
        assert_eq!(read(&file(name), &[]), rows, "{name}");
        assert_eq!(roots(&file(name), &["--no-mmap"]), wanted, "{name}");
    }
    assert_eq!(
        read(&file("right.sql"), &[]),
        expected(&file("right.expected.jsonl"))
    );
}

#[test]
fn dumps_of_newer_servers_hold_the_rows_that_the_servers_have() {
    let newer = |name: &str| file("newer").join(name);
    let rows = expected(&newer("base.expected.jsonl"));
    let of_18 = ["public.virtuals: ", "public.bookings: ", "public.checked: "];
    let mut older = rows.clone();
    older.retain(|row| !of_18.iter().any(|table| row.starts_with(table)));
    assert_eq!((rows.len(), older.len()), (21, 15));
    for (version, names, rows) in [
        (
            16,
            &["base.sql.gz", "base.custom.gz", "base.tar.gz"][..],
            &older,
        ),
        (
            17,
            &[
                "base.sql.gz",
                "base.inserts.sql.gz",
                "base.lz4.custom.gz",
                "base.zstd.custom.gz",
                "base.lz4.dir",
            ],
            &older,
        ),
        (
            18,
            &[
                "base.sql.gz",
                "base.columns.sql.gz",
                "base.rows.sql.gz",
                "base.custom.gz",
                "base.stdout.custom.gz",
                "base.stats.custom.gz",
                "base.dir",
                "base.tar.gz",
            ],
            &rows,
        ),
    ] {
        let folder = newer(&version.to_string());
        let wanted = roots(&folder.join("base.sql.gz"), &[]);
        for name in names {
            let path = folder.join(name);
            assert_eq!(&read(&path, &[]), rows, "{}", path.display());
            assert_eq!(roots(&path, &["--no-mmap"]), wanted, "{}", path.display());
        }
    }
    // Of 18 the tables of the other dumps too, which tell inherited columns that are NOT NULL.
    let rows = expected(&file("left.expected.jsonl"));
    assert_eq!(read(&newer("18/left.sql.gz"), &[]), rows);
}

#[test]
fn dumps_of_a_newer_server_differ_as_its_rows_do() {
    let newer = |name: &str| file("newer").join(name);
    let (base, target) = (newer("18/base.custom.gz"), newer("18/target.sql.gz"));
    let ran = mdiff(["diff", "--json", "-q"]).args([&base, &target]).run();
    let (mut left, mut right) = (Rows::new(), Rows::new());
    for line in ran.exits(1).stdout.lines() {
        let line = serde_json::from_str(line).unwrap();
        add(&mut left, &line, "left");
        add(&mut right, &line, "right");
    }
    let sides = ["base", "target"].map(|side| expected(&newer(&format!("{side}.expected.jsonl"))));
    assert_eq!(&left - &right, &sides[0] - &sides[1]);
    assert_eq!(&right - &left, &sides[1] - &sides[0]);
    // Statements that psql was seen to take, and that made the server's rows those of the target.
    let folder = tempfile::tempdir().unwrap();
    let patch = folder.path().join("p.mpatch");
    let made = mdiff(["patch", "-q", "-o"]).args([&patch, &base, &target]);
    made.run().exits(0);
    let taken = std::fs::read_to_string(newer("18/patch.sql")).unwrap();
    let statements = mdiff(["cat", "--format", "sql"]).args([&patch]).run();
    statements.exits(0).prints_exactly(&taken);
}

#[test]
fn streams_of_lz4_and_zstd_are_read() {
    let wanted = roots(&file("left.sql"), &[]);
    let pack = |extension: &str, bytes: &[u8]| {
        use std::io::Write;
        if extension == "zst" {
            return zstd::encode_all(bytes, 3).unwrap();
        }
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for (number, extension) in [(2, "lz4"), (3, "zst")] {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(file("left.v16.dir")).unwrap() {
            let from = entry.unwrap().path();
            let name = from.file_name().unwrap().to_str().unwrap().to_owned();
            let mut bytes = std::fs::read(&from).unwrap();
            if name == "toc.dat" {
                // Behind PGDMP, the version, the lengths of integers and offsets, and the format.
                assert_eq!(bytes[11], 0);
                bytes[11] = number;
                std::fs::write(folder.path().join(name), bytes).unwrap();
            } else {
                let name = format!("{name}.{extension}");
                std::fs::write(folder.path().join(name), pack(extension, &bytes)).unwrap();
            }
        }
        assert_eq!(roots(folder.path(), &[]), wanted, "{extension}");
    }
}

#[test]
fn what_is_not_compared_is_told() {
    for name in ["left.sql", "left.custom", "left.dir", "left.tar"] {
        mdiff(["info", "--quick"])
            .args([file(name)])
            .run()
            .exits(0)
            .tells("materialized views, which the server computes from other tables: public.mv")
            .tells("generated columns, which the server computes from others: public.kinds.gen")
            .tells("values of 2 sequences")
            .tells("large objects");
    }
    mdiff(["info", "--quick"])
        .args([file("kinds.schema.sql")])
        .run()
        .exits(0)
        .tells("tables whose rows are not in the dump (of the schema only, or with excluded data): public.kinds");
}

#[test]
fn files_of_copy_alone_get_names_types_and_a_key_from_a_schema() {
    let schema = file("kinds.schema.sql");
    let schema = schema.to_str().unwrap();
    let kinds = |rows: Rows| -> Rows {
        let is_kind = |row: &String| row.starts_with("public.kinds: ");
        rows.into_iter().filter(is_kind).collect()
    };
    let wanted = kinds(read(&file("left.sql"), &[]));
    assert!(wanted.len() > 60);
    let text = ["--schema", schema, "--format", "pgcopy"];
    assert_eq!(read(&file("kinds.copy.text"), &text), wanted);
    let csv = ["--schema", schema, "--format", "pgcopy-csv", "--no-header"];
    assert_eq!(read(&file("kinds.copy.csv"), &csv), wanted);
    // The binary form of some types is not known: they are left out, in the dump too.
    let ignored = ["--ignore-columns", "ia,ta,m,ip,bi,iv"];
    let binary = ["--schema", schema, ignored[0], ignored[1]];
    let wanted = kinds(read(&file("left.sql"), &ignored));
    assert_eq!(read(&file("kinds.copy.binary"), &binary), wanted);
    mdiff(["info"])
        .args([file("kinds.copy.binary")])
        .args(["--schema", schema])
        .run()
        .exits(3)
        .tells("column \"ia\" is of type integer[], whose binary form is not known");
}

#[test]
fn files_of_copy_alone_are_read_without_a_schema() {
    for (name, format) in [
        ("kinds.copy.text", Some("pgcopy")),
        ("kinds.copy.binary", None),
    ] {
        let options: Vec<&str> = format.into_iter().flat_map(|f| ["--format", f]).collect();
        let tables = roots(&file(name), &options);
        assert_eq!((tables[0].0.as_str(), tables[0].1), ("default", 66));
    }
    let rows = read(
        &file("kinds.copy.text"),
        &["--format", "pgcopy", "--key", "1", "--columns", "8"],
    );
    assert!(
        rows.contains("default: \"1\": \"1\", \"8\": \"te\\\\xt\\t1\\n;'\\\"--/*\""),
        "{rows:?}"
    );
}

fn shared() -> Option<PathBuf> {
    let fixtures = shared_fixtures().map(|fixtures| fixtures.join("postgres"));
    let found = fixtures.filter(|folder| folder.is_dir());
    if found.is_none() {
        skipped("the shared fixtures of PostgreSQL are not there");
    }
    found
}

const TABLES: [(&str, &str); 3] = [
    ("accounts", "public.accounts"),
    ("events", "public.events"),
    ("odd", "public.Odd \"Name"),
];

#[test]
fn shared_dumps_hold_the_rows_that_are_expected() {
    let Some(fixtures) = shared() else { return };
    for side in ["a", "b"] {
        let side = fixtures.join(side);
        let mut rows = Rows::new();
        for (name, table) in TABLES {
            let path = side.join(format!("expected.{name}.jsonl"));
            let text = std::fs::read_to_string(path).unwrap();
            rows.extend(text.lines().map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                shared_row(table, &row)
            }));
        }
        assert!(rows.len() > 600);
        let wanted = roots(&side.join("dump.sql"), &[]);
        for name in [
            "dump.sql",
            "dump.inserts.sql",
            "dump.custom",
            "dump.custom.z0",
            "dump.dir",
            "dump.tar",
        ] {
            assert_eq!(read(&side.join(name), &[]), rows, "{name}");
            assert_eq!(roots(&side.join(name), &[]), wanted, "{name}");
        }
        accounts_of_copy(&side, &wanted);
        // Only data: names of columns, and nothing of keys and types.
        let options = ["--table", "public.accounts", "--key", "id"];
        let mut accounts = rows;
        accounts.retain(|row| row.starts_with("public.accounts: "));
        let found = read(&side.join("dump.column-inserts.sql"), &options);
        assert_eq!(found.len(), accounts.len());
    }
}

/// The files of COPY, with the schema of the dump.
fn accounts_of_copy(side: &Path, wanted: &[(String, u64, String)]) {
    let dump = std::fs::read_to_string(side.join("dump.sql")).unwrap();
    let start = dump.find("CREATE TABLE public.accounts").unwrap();
    let end = start + dump[start..].find(";").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("accounts.sql");
    let text = format!(
        "{};\nALTER TABLE ONLY public.accounts ADD CONSTRAINT k PRIMARY KEY (id);",
        &dump[start..end]
    );
    std::fs::write(&schema, text).unwrap();
    let accounts: Vec<_> = wanted
        .iter()
        .filter(|(name, ..)| name == "public.accounts")
        .cloned()
        .collect();
    for (name, options) in [
        ("accounts.copy.text", &["--format", "pgcopy"][..]),
        (
            "accounts.copy.pipe.text",
            &["--format", "pgcopy", "--delimiter", "|", "--null", "nil"],
        ),
        (
            "accounts.copy.csv",
            &["--format", "pgcopy-csv", "--no-header"],
        ),
        (
            "accounts.copy.header.csv",
            &["--format", "pgcopy-csv", "--null", "\\N"],
        ),
        ("accounts.copy.binary", &[]),
    ] {
        let mut options = options.to_vec();
        options.extend(["--schema", schema.to_str().unwrap()]);
        assert_eq!(roots(&side.join(name), &options), accounts, "{name}");
    }
}

#[test]
fn shared_pairs_differ_as_the_truth_says() {
    let Some(fixtures) = shared() else { return };
    let mut truth = Vec::new();
    let lines = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(fixtures.join(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let side = |table: &str, row: &Value| (!row.is_null()).then(|| shared_row(table, row));
    for line in lines("truth.accounts.jsonl") {
        let table = "public.accounts";
        truth.push((side(table, &line["a"]), side(table, &line["b"])));
    }
    for line in lines("truth.other.jsonl") {
        let name = line["table"].as_str().unwrap();
        let (_, table) = TABLES.iter().find(|(short, _)| *short == name).unwrap();
        truth.push((side(table, &line["a"]), side(table, &line["b"])));
    }
    truth.sort();
    for (left, right) in [
        ("dump.sql", "dump.custom"),
        ("dump.dir", "dump.inserts.sql"),
        ("dump.tar", "dump.custom.z0"),
    ] {
        let ran = mdiff(["diff", "--json", "-q"])
            .args([
                fixtures.join("a").join(left),
                fixtures.join("b").join(right),
            ])
            .run()
            .exits(1);
        let mut found: Vec<(Option<String>, Option<String>)> = ran
            .stdout
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let table = line["table"].as_str().unwrap();
                let side = |name: &str| {
                    let mut row = line["key"].clone();
                    let value = line[name].as_object()?;
                    row.as_object_mut().unwrap().extend(value.clone());
                    Some(shared_row(table, &row))
                };
                (side("left"), side("right"))
            })
            .collect();
        found.sort();
        assert_eq!(found, truth, "{left} {right}");
    }
}
