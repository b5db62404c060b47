//! Folders of real software with the rows that it finds itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::common::*;
use crate::folders::*;

/// Runs `check` on each and fails at the end with all that failed: one broken case does not hide the others.
fn each<T>(what: &str, all: impl IntoIterator<Item = T>, check: impl Fn(&T)) -> usize {
    let (mut count, mut failed) = (0, 0);
    for one in all {
        count += 1;
        let run = std::panic::AssertUnwindSafe(|| check(&one));
        failed += usize::from(std::panic::catch_unwind(run).is_err());
    }
    assert_eq!(failed, 0, "{failed} of {count} {what} failed, see above");
    count
}

#[test]
fn rows_are_those_that_the_software_finds() {
    let cases = cases(&places());
    assert!(cases.len() >= 5, "{} folders", cases.len());
    let count = each("folders", cases, |case| {
        assert_same(&case.name, &cat(&case.db), &case.rows);
        let info = mdiff(["info", text(&case.db)]).run().exits(0);
        for name in case.rows.keys() {
            assert!(
                info.stdout.contains(name.as_str()),
                "{}: {name} in {}",
                case.name,
                info.stdout
            );
        }
    });
    println!("{count} folders");
}

#[test]
fn a_table_is_picked_and_an_unknown_one_is_refused() {
    for case in cases(&places()) {
        for (name, rows) in &case.rows {
            let ran = mdiff(["cat", text(&case.db), "--json", "--table", name]).run();
            let found = printed(&ran.exits(0));
            let known = Tables::from([(name.clone(), rows.clone())]);
            assert_same(&format!("{} --table {name}", case.name), &found, &known);
        }
        mdiff(["cat", text(&case.db), "--table", "no such family"])
            .run()
            .exits(2);
        mdiff(["cat", text(&case.db), "--table", "dropped"])
            .run()
            .exits(2);
    }
}

#[test]
fn a_range_of_keys_holds_what_lies_in_it() {
    for case in cases(&places()) {
        for (name, rows) in &case.rows {
            let Some((from, _)) = rows.iter().nth(rows.len() / 3) else {
                continue;
            };
            let (to, _) = rows.iter().nth(2 * rows.len() / 3).unwrap();
            let (from, to) = (from.clone(), to.clone());
            if from >= to {
                continue;
            }
            let hex = |key: &[u8]| key.iter().map(|b| format!("{b:02x}")).collect::<String>();
            let ran = mdiff(["cat", text(&case.db), "--table", name, "--hex"])
                .args(["--from", &hex(&from), "--to", &hex(&to)])
                .run()
                .exits(0);
            let inside: Vec<String> = rows.range(from..to).map(|(key, _)| hex(key)).collect();
            let found: Vec<&str> = ran
                .stdout
                .lines()
                .map(|line| line.split('\t').next().unwrap())
                .collect();
            assert_eq!(found, inside, "{} {name}", case.name);
        }
    }
}

/// The tree is a function of the rows: not of threads, of mapping, of the folder's tables.
#[test]
fn the_tree_is_that_of_a_flat_table_of_the_same_rows() {
    let count = each("folders", cases(&places()), |case| {
        let ways: [&[&str]; 4] = [&["-j1"], &["-j2"], &["-j8"], &["-j2", "--no-mmap"]];
        let trees: BTreeSet<Vec<u8>> = ways.iter().map(|way| tree_of(&case.db, way)).collect();
        assert_eq!(trees.len(), 1, "{}: trees differ", case.name);
        let dir = tempfile::tempdir().unwrap();
        for (name, rows) in &case.rows {
            let what = format!("{}, table {name}", case.name);
            let flat = dir.path().join("flat.sst");
            let at = |out: &Path| {
                mdiff(["convert", text(&case.db), "--table", name, "--force", "-o"])
                    .args([out])
                    .run()
                    .exits(0);
            };
            at(&flat);
            let of_folder = root(&case.db, name);
            assert_eq!(of_folder, root(&flat, "default"), "{what}");
            // And one that never went through mdiff's reader of folders; columns have no place in it.
            let known: Option<Rows> = rows
                .iter()
                .map(|(key, value)| match value {
                    Value::Bytes(value) => Some((key.clone(), value.clone())),
                    Value::Columns(_) => None,
                })
                .collect();
            if let Some(known) = known {
                let own = dir.path().join("own.sst");
                std::fs::write(&own, sst_bytes(&known, "lz4")).unwrap();
                assert_eq!(of_folder, root(&own, "default"), "{what}");
            }
            let lines = dir.path().join("rows.jsonl");
            at(&lines);
        }
    });
    println!("{count} folders");
}

/// The root of a table, as `compare` of the snapshot with itself says it.
fn root(path: &Path, table: &str) -> String {
    let ran = mdiff([
        "compare",
        text(path),
        text(path),
        "--table",
        table,
        "--json",
    ]);
    let ran = ran.run().exits(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let tables = document["tables"].as_array().unwrap();
    let found = tables.iter().find(|found| found["table"] == table);
    let found = found.unwrap_or_else(|| panic!("{table} in {document}"));
    let side = &found["sides"][0];
    side["root"]
        .as_str()
        .unwrap_or_else(|| panic!("a root in {document}"))
        .to_owned()
}

/// Pairs with known differences: exactly those are told, both ways.
#[test]
fn pairs_differ_as_is_known() {
    let pairs = folders(&places(), &["pair-"]);
    let count = each("pairs", pairs, |pair| {
        let (a, b) = (pair.join("a/db"), pair.join("b/db"));
        let known = known_differences(&pair.join("truth.jsonl"));
        assert!(told(&a, &b) == known, "{}: diff a b", short(pair));
        let turned: BTreeMap<String, Vec<Difference>> = known
            .iter()
            .map(|(name, all)| {
                let all = all.iter().cloned();
                (
                    name.clone(),
                    all.map(|(key, left, right)| (key, right, left)).collect(),
                )
            })
            .collect();
        assert!(told(&b, &a) == turned, "{}: diff b a", short(pair));
        mdiff(["compare", text(&a), text(&b)])
            .run()
            .exits(i32::from(!known.is_empty()));
        if known.is_empty() {
            assert!(
                tree_of(&a, &[]) == tree_of(&b, &[]),
                "{}: trees",
                short(pair)
            );
        }
    });
    println!("{count} pairs");
}

fn known_differences(path: &Path) -> BTreeMap<String, Vec<Difference>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(short(path.parent().unwrap()).contains("identical"));
        return BTreeMap::new();
    };
    let mut all: Vec<Difference> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let side = |name: &str| line[name].as_str().map(unhex).map(Value::Bytes);
            (unhex(line["k"].as_str().unwrap()), side("a"), side("b"))
        })
        .collect();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    match all.is_empty() {
        true => BTreeMap::new(),
        false => BTreeMap::from([("default".to_owned(), all)]),
    }
}

/// Folders that can't be honoured: by name, exit 3, and nothing printed.
#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let refused = folders(&places(), &["refuse-"]);
    let count = each("folders", refused, |folder| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let word = match name {
            "refuse-plain-table" => "lain",
            "refuse-cuckoo-table" => "uckoo",
            "refuse-comparator" => "example.reverse",
            other => panic!("{other}: what should be named?"),
        };
        let db = folder.join("db");
        let dir = tempfile::tempdir().unwrap();
        for command in [&["cat"][..], &["build", "-o", "no.mtree"]] {
            let ran = mdiff(command).args([&db]).in_dir(&dir).run();
            let ran = ran.exits(3).prints_nothing();
            assert!(ran.stderr.contains(word), "{word:?} in {ran:#?}");
        }
        assert!(folder_is_empty(dir.path()));
        mdiff(["compare", text(&db), text(&db)]).run().exits(3);
    });
    println!("{count} refused");
}

fn folder_is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).unwrap().next().is_none()
}
