//! JSON lines and arrays, through the real binary, against what serde_json reads in them.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use common::{Ran, mdiff, rounds, testdata};
use serde_json::{Map, Value, json};

/// A folder with the texts of `testdata/jsonl`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(testdata("jsonl")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
        Folder(dir)
    }

    fn run(&self, args: &[&str]) -> Ran {
        mdiff(args).in_dir(&self.0).run()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn root(&self, name: &str, args: &[&str]) -> String {
        let args = [&["info", name, "--json"][..], args].concat();
        let ran = self.run(&args).exits(0);
        let info: Value = serde_json::from_str(&ran.stdout).unwrap();
        info["content"].as_str().unwrap().to_owned()
    }
}

/// Printed objects that stand for rows.
fn changes(ran: &Ran) -> Vec<Value> {
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line.get("change").is_some())
        .collect()
}

#[test]
fn one_table_spelled_in_many_ways_is_the_same() {
    let dir = Folder::new();
    for other in [
        "turned.ndjson",
        "pretty.json",
        "array.json",
        "concatenated.json",
    ] {
        dir.run(&["compare", "plain.jsonl", other, "--key", "id"])
            .exits(0);
        dir.run(&["diff", other, "plain.jsonl", "--key", "id"])
            .exits(0)
            .prints_nothing();
    }
    let packed = fs::File::create(dir.path("packed.json.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::copy(
        &mut fs::File::open(dir.path("pretty.json")).unwrap(),
        &mut packed,
    )
    .unwrap();
    packed.finish().unwrap();
    dir.run(&["compare", "plain.jsonl", "packed.json.gz", "--key", "id"])
        .exits(0);
    // The content tells, whatever the name.
    fs::copy(dir.path("pretty.json"), dir.path("text.txt")).unwrap();
    dir.run(&["compare", "plain.jsonl", "text.txt", "--key", "id"])
        .exits(0);
    let stdin = fs::read(dir.path("array.json")).unwrap();
    let piped = mdiff(["compare", "-", "plain.jsonl", "--key", "id"]).in_dir(&dir.0);
    piped.stdin(stdin).run().exits(0);
}

#[test]
fn changes_are_shown_field_by_field() {
    let dir = Folder::new();
    let ran = dir
        .run(&["diff", "plain.jsonl", "changed.jsonl", "--key", "id"])
        .exits(1);
    assert_eq!(
        ran.stdout,
        "~ \"1\"\tname: null -> none\n\
         ~ 1\tscore: 1.5 -> \"1.5\"\n\
         - 10\tempty={} name=\"\u{1f600} \\x22q\\x22 \\\\ \\x0a\" none=[]\n\
         ~ 2\tscore: 100 -> 101\n\
         + new\t\n"
    );
    let ran = dir
        .run(&[
            "diff",
            "plain.jsonl",
            "changed.jsonl",
            "--key",
            "id",
            "--json",
        ])
        .exits(1);
    let changed = &changes(&ran)[1];
    assert_eq!(changed["key"], json!({"id": 1}));
    assert_eq!(
        changed["left"],
        json!({"name": "Ann", "score": 1.5, "tags": ["x", "y"]})
    );
    assert_eq!(changed["right"]["score"], json!("1.5"));
    // What is printed can be given back.
    for (from, first) in [("\"1\"", "\"1\"\t"), ("1", "1\t"), ("10", "10\t")] {
        let ran = dir
            .run(&["cat", "plain.jsonl", "--key", "id", "--from", from])
            .exits(0);
        assert!(ran.stdout.starts_with(first), "{ran:#?}");
    }
    let ran = dir.run(&["cat", "plain.jsonl", "--key", "id"]).exits(0);
    ran.prints("name=\"\u{1f600} \\x22q\\x22 \\\\ \\x0a\"");
}

#[test]
fn a_patch_leads_from_one_to_the_other() {
    let dir = Folder::new();
    dir.run(&[
        "patch",
        "pretty.json",
        "changed.jsonl",
        "--key",
        "id",
        "-o",
        "p.mpatch",
    ])
    .exits(0);
    dir.run(&["apply", "pretty.json", "p.mpatch", "-o", "out.json"])
        .exits(0);
    dir.run(&["compare", "out.json", "changed.jsonl", "--key", "id"])
        .exits(0);
    dir.run(&["apply", "changed.jsonl", "p.mpatch", "-o", "no.json"])
        .exits(1);
    dir.run(&["build", "plain.jsonl", "--key", "id", "-o", "t.mtree"])
        .exits(0);
    // The key is the tree's.
    dir.run(&["verify", "turned.ndjson", "t.mtree"]).exits(0);
    dir.run(&["compare", "t.mtree", "changed.jsonl"]).exits(1);
    let sql = dir.run(&["cat", "p.mpatch", "--format", "sql"]).exits(0);
    let sql = sql.prints("DELETE FROM \"default\" WHERE \"id\" = 10;");
    sql.prints("WHERE \"id\" = '1';");
}

#[test]
fn documents_convert_to_documents() {
    let dir = Folder::new();
    dir.run(&["convert", "pretty.json", "--key", "id", "-o", "out.jsonl"])
        .exits(0);
    let parse = |name: &str| -> BTreeMap<String, Value> {
        let text = fs::read_to_string(dir.path(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|document| (document["id"].to_string(), document))
            .collect()
    };
    assert_eq!(parse("out.jsonl"), parse("plain.jsonl"));
    dir.run(&["compare", "out.jsonl", "plain.jsonl", "--key", "id"])
        .exits(0);
    // A nested key is written once, in its place.
    fs::write(dir.path("n.jsonl"), "{\"k\":{\"x\":7,\"y\":1},\"v\":2}\n").unwrap();
    let ran = dir.run(&[
        "convert", "n.jsonl", "--key", "/k/x", "-o", "-", "--to", "jsonl",
    ]);
    ran.exits(0)
        .prints_exactly("{\"k\":{\"x\":7,\"y\":1},\"v\":2}\n");
    fs::write(dir.path("s.jsonl"), "{\"/s\":1,\"v\":2}\n").unwrap();
    let args = [
        "convert", "s.jsonl", "--key", "/~1s", "-o", "-", "--to", "jsonl",
    ];
    dir.run(&args)
        .exits(0)
        .prints_exactly("{\"/s\":1,\"v\":2}\n");
    dir.run(&["convert", "plain.jsonl", "--key", "id", "-o", "x.csv"])
        .exits(2)
        .tells("choose the columns with --columns");
}

#[test]
fn what_mdiff_wrote_is_read_as_it_was() {
    let dir = Folder::new();
    fs::write(
        dir.path("a.csv"),
        b"id,b,a\n1,x,\\N\n2,\"\xff\",\"1\"\"\"\n",
    )
    .unwrap();
    let null = ["--null", "\\N"];
    dir.run(&[&["convert", "a.csv", "-o", "a.jsonl"][..], &null].concat())
        .exits(0);
    assert_eq!(dir.root("a.csv", &null), dir.root("a.jsonl", &[]));
    dir.run(&[&["diff", "a.csv", "a.jsonl"][..], &null].concat())
        .exits(0);
    dir.run(&[&["diff", "a.jsonl", "a.csv"][..], &null].concat())
        .exits(0);
    dir.run(&["diff", "a.jsonl", "a.jsonl", "--columns", "a"])
        .exits(0);
    dir.run(&["convert", "a.jsonl", "-o", "again.jsonl"])
        .exits(0);
    assert_eq!(
        fs::read(dir.path("a.jsonl")).unwrap(),
        fs::read(dir.path("again.jsonl")).unwrap()
    );
    let tables = ["block_table/entities", "block_table/edge-keys", "demo"].map(testdata);
    let mut count = 0;
    for table in tables
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
    {
        let table = table.unwrap().path();
        if table.extension().is_some_and(|end| end == "sst") {
            let name = table.to_str().unwrap();
            dir.run(&["convert", name, "-o", "t.jsonl", "--force"])
                .exits(0);
            assert_eq!(dir.root(name, &[]), dir.root("t.jsonl", &[]), "{name}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let dir = Folder::new();
    fs::write(dir.path("a.csv"), "id,name\n1,Ann\n").unwrap();
    fs::write(dir.path("twice.jsonl"), "{\"id\":1}\n{\"id\":1.0}\n").unwrap();
    for (args, code, what) in [
        (
            &["cat", "plain.jsonl"][..],
            2,
            "its first object has \"id\", \"name\", \"tags\", \"score\"",
        ),
        (
            &["diff", "plain.jsonl", "a.csv", "--key", "id"],
            2,
            "with --columns",
        ),
        (
            &["cat", "plain.jsonl", "--key", "name"],
            3,
            "line 2: the field \"name\" of the key is null",
        ),
        (
            &["cat", "twice.jsonl", "--key", "id"],
            3,
            "line 1, offset 0 and at line 2, offset 9",
        ),
        (
            &["cat", "plain.jsonl", "--key", "id", "--columns", "nme"],
            2,
            "\"nme\"",
        ),
        (
            &[
                "cat",
                "plain.jsonl",
                "--key",
                "id",
                "--ignore-columns",
                "id",
            ],
            2,
            "of the key",
        ),
        (
            &["cat", "a.csv", "--format", "jsonl", "--key", "id"],
            3,
            "line 1",
        ),
    ] {
        dir.run(args).exits(code).prints_nothing().tells(what);
    }
    // As text, the numbers and the strings 1 are one key.
    let columns = ["--key", "id", "--columns", "name"];
    dir.run(&[&["diff", "a.csv", "plain.jsonl"][..], &columns].concat())
        .exits(3)
        .tells("stands twice");
    dir.run(&["build", "plain.jsonl", "--key", "id", "-o", "d.mtree"])
        .exits(0);
    dir.run(&["build", "a.csv", "-o", "c.mtree"]).exits(0);
    dir.run(&["compare", "d.mtree", "c.mtree"])
        .exits(2)
        .tells("fixed columns");
    dir.run(&["build", "plain.jsonl", "--key", "name,id", "-o", "x.mtree"])
        .exits(3);
    dir.run(&["build", "changed.jsonl", "--key", "/id", "-o", "e.mtree"])
        .exits(0);
    dir.run(&["compare", "d.mtree", "e.mtree"]).exits(1);
}

#[test]
fn random_documents_differ_where_a_model_says() {
    for seed in 0..rounds(15, 300) {
        let mut random = common::Random(seed);
        let mut document = |id: u64| {
            let mut fields = Map::new();
            for name in ["a", "b", "c"] {
                let value = match random.below(6) {
                    0 => continue,
                    1 => Value::Null,
                    2 => json!(random.below(3)),
                    3 => json!(random.below(3).to_string()),
                    4 => json!([random.below(2), {"x": random.below(2)}]),
                    _ => json!(["", "true", "x"][random.below(3) as usize]),
                };
                fields.insert(name.into(), value);
            }
            fields.insert("id".into(), json!(id));
            Value::Object(fields)
        };
        let left: BTreeMap<u64, Value> = (0..30).map(|id| (id * 2, document(id * 2))).collect();
        let mut right: BTreeMap<u64, Value> = left.clone();
        for id in 0..10 {
            right.insert(id, document(id));
        }
        right.remove(&40);
        let dir = tempfile::tempdir().unwrap();
        for (name, rows) in [("l.json", &left), ("r.jsonl", &right)] {
            let texts: Vec<String> = rows.values().rev().map(Value::to_string).collect();
            let text = match name {
                "l.json" => format!("[{}]", texts.join(",\n")),
                _ => texts.join("\n"),
            };
            fs::write(dir.path().join(name), text).unwrap();
        }
        let run = mdiff(["diff", "l.json", "r.jsonl", "--key", "id", "--json"])
            .in_dir(&dir)
            .run();
        let found: BTreeMap<u64, (Value, Value)> = changes(&run)
            .into_iter()
            .map(|change| {
                let id = change["key"]["id"].as_u64().unwrap();
                (id, (change["left"].clone(), change["right"].clone()))
            })
            .collect();
        let without_id = |row: Option<&Value>| {
            row.map_or(Value::Null, |row| {
                let mut row = row.clone();
                row.as_object_mut().unwrap().shift_remove("id");
                row
            })
        };
        let want: BTreeMap<u64, (Value, Value)> = (0..60)
            .filter(|id| left.get(id) != right.get(id))
            .map(|id| (id, (without_id(left.get(&id)), without_id(right.get(&id)))))
            .collect();
        assert_eq!(found, want, "seed {seed}");
        assert_eq!(run.code, Some(i32::from(!want.is_empty())), "seed {seed}");
    }
}
