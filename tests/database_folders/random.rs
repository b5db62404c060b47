//! Random folders, made by the real software from seeds, through every command; patches taken in by the real tools.

use std::path::Path;
use std::process::Command;

use crate::common::*;
use crate::folders::*;

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

fn about(side: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(side.join("about.json")).unwrap()).unwrap()
}

/// Pairs of folders, and how often each was something.
#[derive(Default, Debug)]
struct Seen {
    pairs: u64,
    different: u64,
    healed: u64,
    most_levels: u64,
}

#[test]
fn random_folders_of_real_software() {
    let rounds = number("MDIFF_ROUNDS", rounds(5, 150));
    let first = number("MDIFF_SEED", 0);
    let mut seen = Seen::default();
    let mut failed = Vec::new();
    for seed in first..first + rounds {
        let dir = quick_tempdir();
        let out = dir.path().join("made");
        let Some(said) = make(&["pairs", text(&out), &seed.to_string()], &[]) else {
            return skipped("random folders: neither RocksDB nor LevelDB is here");
        };
        println!("{}", said.trim());
        let pair = out.join(seed.to_string());
        let run = std::panic::AssertUnwindSafe(|| check_pair(&pair, &mut seen));
        if std::panic::catch_unwind(run).is_err() {
            failed.push(seed);
            if std::env::var_os("MDIFF_KEEP").is_some() {
                println!("kept: {}", dir.keep().display());
            }
        }
    }
    println!("{seen:?}");
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed (MDIFF_SEED=N MDIFF_ROUNDS=1 MDIFF_KEEP=1 runs one again)"
    );
}

fn check_pair(pair: &Path, seen: &mut Seen) {
    let (a, b) = (pair.join("a"), pair.join("b"));
    let (left, right) = (made_rows(&a), made_rows(&b));
    for (side, rows) in [(&a, &left), (&b, &right)] {
        let what = format!("seed {}", short(side));
        assert_same(&what, &cat(&side.join("db")), rows);
        let levels = about(side)["levels"].as_u64().unwrap();
        seen.most_levels = seen.most_levels.max(levels);
        crate::pieces::check_pieces(&side.join("db"));
        trees_agree(&side.join("db"), rows);
    }
    let (a_db, b_db) = (a.join("db"), b.join("db"));
    let truth = truth(&left, &right);
    assert!(told(&a_db, &b_db) == truth, "seed {}: diff", short(pair));
    // Entities and plain values differ as tables do: a table that has columns is shown by them.
    let code = i32::from(!truth.is_empty());
    mdiff(["compare", text(&a_db), text(&b_db)])
        .run()
        .exits(code);
    mdiff(["compare", text(&b_db), text(&a_db), "--no-mmap", "-j1"])
        .run()
        .exits(code);
    if code == 0 {
        assert!(
            tree_of(&a_db, &[]) == tree_of(&b_db, &[]),
            "equal rows, unequal trees"
        );
    }
    seen.pairs += 1;
    seen.different += code as u64;
    if about(&b)["heals"] == true && heal(pair, &right, &left) {
        seen.healed += 1;
    }
    let alone = |tables: &Tables| tables.keys().all(|name| name == "default");
    if alone(&left) && alone(&right) && about(&a)["families"].as_object().unwrap().len() == 1 {
        patch_applies(pair, &right);
    }
}

/// The same tree from the folder, whatever the threads; the same root from flat tables of its rows.
fn trees_agree(db: &Path, rows: &Tables) {
    let one = tree_of(db, &["-j1", "--no-mmap"]);
    assert!(
        one == tree_of(db, &["-j8"]),
        "{}: threads change the tree",
        db.display()
    );
    let dir = tempfile::tempdir().unwrap();
    for (name, table) in rows {
        let flat = dir.path().join("flat.sst");
        mdiff([
            "convert",
            "--table",
            name,
            "--force",
            text(db),
            "-o",
            "flat.sst",
        ])
        .in_dir(&dir)
        .run()
        .exits(0);
        let known = Tables::from([("default".to_owned(), table.clone())]);
        assert_same(
            &format!("{} {name}, flat", db.display()),
            &cat(&flat),
            &known,
        );
        let roots = [(db, name.as_str()), (&flat, "default")].map(|(path, table)| {
            let ran = mdiff([
                "compare",
                text(path),
                text(path),
                "--table",
                table,
                "--json",
            ]);
            let document: serde_json::Value =
                serde_json::from_str(&ran.run().exits(0).stdout).unwrap();
            document["tables"][0]["sides"][0]["root"].clone()
        });
        assert!(roots[0].is_string() && roots[0] == roots[1], "{roots:?}");
    }
}

/// A folder of one table is a base like any other: what is written is a table of the target's rows.
fn patch_applies(pair: &Path, target: &Tables) {
    let run = |args: &[&str]| mdiff(args).in_dir(pair).run();
    run(&["patch", "a/db", "b/db", "-o", "to-b.mpatch"]).exits(0);
    run(&["apply", "a/db", "to-b.mpatch", "-o", "applied.sst"]).exits(0);
    run(&["compare", "applied.sst", "b/db"]).exits(0);
    assert_same("applied", &cat(&pair.join("applied.sst")), target);
}

/// Brings b's rows into line with a's by RocksDB's own tool, and proves it. Returns whether there was something to do.
fn heal(pair: &Path, base: &Tables, target: &Tables) -> bool {
    if tool("ldb", &["--help"]).is_none() {
        skipped("healing: ldb is not installed (Debian: rocksdb-tools)");
        return false;
    }
    let changed: Vec<String> = truth(base, target).into_keys().collect();
    if changed.is_empty() {
        return false;
    }
    copy_dir(&pair.join("b/db"), &pair.join("healed"));
    let run = |args: &[&str]| mdiff(args).in_dir(pair).run();
    run(&["patch", "healed", "a/db", "-o", "fix.mpatch"]).exits(0);
    run(&["convert", "fix.mpatch", "-o", "ops.sst"]).exits(0);
    let mut taken = 0;
    for family in &changed {
        let own = format!("ops.{family}.sst");
        let table = match pair.join(&own).is_file() {
            true => own,
            false => "ops.sst".to_owned(),
        };
        assert!(pair.join(&table).is_file(), "{table} for {changed:?}");
        ingest(&pair.join("healed"), family, &pair.join(table));
        taken += 1;
    }
    run(&["compare", "a/db", "healed"]).exits(0);
    assert_same("healed", &cat(&pair.join("healed")), target);
    taken > 0
}

/// `ldb ingest_extern_sst`.
#[track_caller]
pub fn ingest(db: &Path, family: &str, table: &Path) {
    let output = Command::new("ldb")
        .arg(format!("--db={}", text(db)))
        .arg(format!("--column_family={family}"))
        .args(["ingest_extern_sst", text(table)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("external SST files ingested"),
        "{family}: {said}"
    );
}

/// A patch of real RocksDB folders, taken in by RocksDB's own tool, makes both the same.
#[test]
fn a_patch_heals_a_real_database() {
    let pairs = folders(&places(), &["pair-"]);
    let mut healed = 0;
    for pair in pairs {
        if !pair.join("a/db/IDENTITY").exists() || short(&pair).contains("identical") {
            continue; // LevelDB, and nothing to do.
        }
        let dir = tempfile::tempdir().unwrap();
        for side in ["a", "b"] {
            copy_dir(
                &pair.join(side).join("db"),
                &dir.path().join(side).join("db"),
            );
        }
        // The side that ldb 7.8 can open is healed.
        let (left, right) = (dir.path().join("a/db"), dir.path().join("b/db"));
        let (good, bad) = match right.join("rocksdict-config.json").exists() {
            true => (right, left),
            false => (left, right),
        };
        if tool("ldb", &["--help"]).is_none() {
            return skipped("healing: ldb is not installed (Debian: rocksdb-tools)");
        }
        let run = |args: &[&str]| mdiff(args).in_dir(&dir).run();
        run(&["compare", text(&good), text(&bad)]).exits(1);
        run(&["patch", text(&bad), text(&good), "-o", "fix.mpatch"]).exits(0);
        run(&["convert", "fix.mpatch", "-o", "ops.sst"]).exits(0);
        let ops = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|ending| ending == "sst"))
            .expect("a table of operations");
        ingest(&bad, "default", &ops);
        run(&["compare", text(&good), text(&bad)]).exits(0);
        assert!(
            tree_of(&good, &[]) == tree_of(&bad, &[]),
            "equal rows, unequal trees"
        );
        healed += 1;
    }
    println!("{healed} healed");
}
