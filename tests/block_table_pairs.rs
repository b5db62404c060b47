//! Tables of real engines: what mdiff prints, against what is known; and what mdiff writes, read by the engines' own tools.

mod common;
use common::*;

use std::path::{Path, PathBuf};
use std::process::Command;

fn expected(case: &Path) -> Option<Rows> {
    let text = match std::fs::read_to_string(case.join("expected.jsonl")) {
        Ok(text) => text,
        Err(_) => String::from_utf8(
            zstd::decode_all(std::fs::File::open(case.join("expected.jsonl.zst")).ok()?).unwrap(),
        )
        .unwrap(),
    };
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            unhex(row["k"].as_str().unwrap()),
            unhex(row["v"].as_str().unwrap()),
        )
    };
    Some(text.lines().map(row).collect())
}

fn cases() -> Vec<PathBuf> {
    let mut folders = vec![testdata("block_table")];
    match shared_fixtures() {
        Some(fixtures) => {
            println!("with the fixtures of {}", fixtures.display());
            folders.push(fixtures.join("rocksdb"));
        }
        None => println!("with testdata/block_table only"),
    }
    let mut cases: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        // Its newest versions are merge operands, which are refused.
        .filter(|case| case.join("data.sst").is_file() && !case.ends_with("sst-mixed-types"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 8);
    cases
}

/// The rows that `cat --json` prints.
fn cat(path: &Path) -> Rows {
    let ran = mdiff(["cat".as_ref(), path.as_os_str(), "--json".as_ref()])
        .run()
        .exits(0);
    let rows = ran.stdout.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        (json_bytes(&row["key"]), json_bytes(&row["value"]))
    });
    rows.collect()
}

type Difference = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

/// What a map of the standard library says of the two.
fn truth(left: &Rows, right: &Rows) -> Vec<Difference> {
    let mut keys: Vec<&Vec<u8>> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| (key.clone(), left.get(key).cloned(), right.get(key).cloned()))
        .collect()
}

/// What `diff --json` says of the two.
fn told(dir: &Path, left: &str, right: &str) -> Vec<Difference> {
    let ran = mdiff(["diff", left, right, "--json"]).in_dir(dir).run();
    let differences: Vec<Difference> = ran
        .stdout
        .lines()
        .map(|line| {
            let change: serde_json::Value = serde_json::from_str(line).unwrap();
            let side = |name: &str| {
                change
                    .get(name)
                    .filter(|value| !value.is_null())
                    .map(json_bytes)
            };
            (json_bytes(&change["key"]), side("left"), side("right"))
        })
        .collect();
    assert_eq!(
        ran.code,
        Some(i32::from(!differences.is_empty())),
        "{ran:#?}"
    );
    differences
}

/// All that two tables and a patch between them must do.
fn check_pair(dir: &Path, left: &Rows, right: &Rows) {
    let truth = truth(left, right);
    assert!(told(dir, "left.sst", "right.sst") == truth);
    let backwards: Vec<Difference> = truth
        .iter()
        .cloned()
        .map(|(key, left, right)| (key, right, left))
        .collect();
    assert!(told(dir, "right.sst", "left.sst") == backwards);
    let run = |args: &[&str]| mdiff(args).in_dir(dir).run();
    let code = i32::from(!truth.is_empty());
    run(&["compare", "left.sst", "right.sst"]).exits(code);
    run(&[
        "patch",
        "left.sst",
        "right.sst",
        "-o",
        "fix.mpatch",
        "--force",
    ])
    .exits(0);
    run(&[
        "apply",
        "left.sst",
        "fix.mpatch",
        "-o",
        "fixed.sst",
        "--force",
    ])
    .exits(0);
    run(&["compare", "fixed.sst", "right.sst"]).exits(0);
    if code == 1 {
        run(&["apply", "fixed.sst", "fix.mpatch", "-o", "twice.sst"]).exits(1);
        run(&["apply", "right.sst", "fix.mpatch", "-o", "twice.sst"]).exits(1);
    }
    assert!(cat(&dir.join("fixed.sst")) == *right);
}

#[test]
fn tables_of_real_engines_hold_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (mut read, mut rows, mut previous) = (0, 0, None);
    for case in cases() {
        let data = case.join("data.sst");
        let expected = expected(&case).unwrap();
        assert!(cat(&data) == expected, "{}", case.display());
        let copy = dir.path().join("copy.sst");
        mdiff([
            "convert".as_ref(),
            data.as_os_str(),
            "-o".as_ref(),
            copy.as_os_str(),
            "--force".as_ref(),
        ])
        .run()
        .exits(0);
        assert!(cat(&copy) == expected, "{}, converted", case.display());
        mdiff(["compare".as_ref(), data.as_os_str(), copy.as_os_str()])
            .run()
            .exits(0);
        std::fs::copy(&data, dir.path().join("right.sst")).unwrap();
        if let Some(left) = previous.replace(expected.clone()) {
            check_pair(dir.path(), &left, &expected);
        }
        std::fs::copy(&data, dir.path().join("left.sst")).unwrap();
        read += 1;
        rows += expected.len();
    }
    println!("{read} tables, {rows} rows");
}

/// Makes tables by RocksDB itself, of rows that a file of hexadecimal lines gives.
const WRITE_TABLE: &str = "
import sys
from rocksdict import SstFileWriter, Options, DBCompressionType, BlockBasedOptions
for line in open(sys.argv[1]):
    out, rows, compression, block, version = line.split()
    options = Options(raw_mode=True)
    options.set_compression_type(getattr(DBCompressionType, compression)())
    table = BlockBasedOptions()
    table.set_block_size(int(block))
    table.set_format_version(int(version))
    options.set_block_based_table_factory(table)
    writer = SstFileWriter(options=options)
    writer.open(out)
    for row in open(rows):
        key, value = row.rstrip('\\n').split(' ')
        writer[bytes.fromhex(key)] = bytes.fromhex(value)
    writer.finish()
";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn random_pairs_made_by_rocksdb() {
    let has_it =
        tool("python3", &["-c", "import rocksdict"]).is_some_and(|output| output.status.success());
    if !has_it {
        return skipped(
            "random pairs by RocksDB: python3 has no rocksdict (pip install rocksdict)",
        );
    }
    let mut random = Random(11);
    let pairs = rounds(8, 100);
    let dir = tempfile::tempdir().unwrap();
    let mut jobs = String::new();
    let mut made = Vec::new();
    for n in 0..pairs {
        let folder = dir.path().join(format!("{n}"));
        std::fs::create_dir(&folder).unwrap();
        let mut base = random.rows();
        // RocksDB writes no table without rows.
        base.insert(b"one".to_vec(), b"row".to_vec());
        let mut target = random.change(&base);
        target.insert(b"one".to_vec(), b"row".to_vec());
        for (name, rows) in [("left", &base), ("right", &target)] {
            let lines: String = rows
                .iter()
                .map(|(key, value)| format!("{} {}\n", hex(key), hex(value)))
                .collect();
            let path = folder.join(name);
            std::fs::write(path.with_extension("rows"), lines).unwrap();
            let compression = ["none", "snappy", "lz4", "zstd", "zlib"][random.below(5) as usize];
            let block = [64, 512, 4096, 65536][random.below(4) as usize];
            let version = 2 + random.below(5);
            jobs += &format!(
                "{} {} {compression} {block} {version}\n",
                path.with_extension("sst").display(),
                path.with_extension("rows").display()
            );
        }
        made.push((folder, base, target));
    }
    std::fs::write(dir.path().join("jobs"), jobs).unwrap();
    let output = tool(
        "python3",
        &[
            "-c",
            WRITE_TABLE,
            &dir.path().join("jobs").display().to_string(),
        ],
    )
    .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (folder, base, target) in &made {
        check_pair(folder, base, target);
    }
    println!("{pairs} pairs");
}

/// A patch as a table of puts and deletes heals a real database; RocksDB's tools read what apply writes.
#[test]
fn rocksdb_takes_in_what_is_written() {
    for name in ["ldb", "sst_dump"] {
        if tool(name, &["--help"]).is_none() {
            return skipped(&format!("{name} is not installed (Debian: rocksdb-tools)"));
        }
    }
    for compression in ["none", "lz4", "zstd", "snappy"] {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let base = many_rows(1000, 30, 1);
        let mut target = base.clone();
        target.retain(|key, _| !key.ends_with(b"7"));
        target.insert(b"row 0000500".to_vec(), b"changed".to_vec());
        target.insert(b"row 0000500\0".to_vec(), Vec::new());
        std::fs::write(path("base.sst"), sst_bytes(&base, compression)).unwrap();
        std::fs::write(path("target.sst"), sst_bytes(&target, compression)).unwrap();
        let run = |args: &[&str]| mdiff(args).in_dir(&dir).run().exits(0);
        run(&["patch", "base.sst", "target.sst", "-o", "fix.mpatch"]);
        run(&[
            "convert",
            "fix.mpatch",
            "-o",
            "ops.sst",
            "--compression",
            compression,
        ]);
        run(&["apply", "base.sst", "fix.mpatch", "-o", "fixed.sst"]);

        let ldb = |args: &[&str]| {
            let output = Command::new("ldb")
                .arg(format!("--db={}", path("db")))
                .args(args)
                .output()
                .unwrap();
            assert!(output.status.success(), "{args:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        ldb(&[
            "ingest_extern_sst",
            &path("base.sst"),
            "--create_if_missing",
        ]);
        ldb(&["ingest_extern_sst", &path("ops.sst")]);
        let upper = |bytes: &[u8]| hex(bytes).to_uppercase();
        let wanted: Vec<String> = target
            .iter()
            .map(|(key, value)| format!("0x{} : 0x{}", upper(key), upper(value)))
            .collect();
        let scanned = ldb(&["scan", "--hex"]);
        let scanned: Vec<String> = scanned
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        let wanted: Vec<String> = wanted
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect();
        assert_eq!(scanned.len(), wanted.len());
        assert!(
            scanned == wanted,
            "{compression}: the database holds the target"
        );

        for file in ["fixed.sst", "ops.sst"] {
            let output = tool(
                "sst_dump",
                &[&format!("--file={}", path(file)), "--command=verify"],
            )
            .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && !text.to_lowercase().contains("corrupt"),
                "{file}: {text}"
            );
        }
        let dump = tool(
            "sst_dump",
            &[
                &format!("--file={}", path("fixed.sst")),
                "--command=scan",
                "--output_hex",
            ],
        )
        .unwrap();
        let dump = String::from_utf8(dump.stdout).unwrap();
        let lines: Vec<&str> = dump.lines().filter(|line| line.starts_with('\'')).collect();
        assert_eq!(lines.len(), target.len());
        for (line, (key, value)) in lines.iter().zip(&target) {
            assert!(line.starts_with(&format!("'{}'", upper(key))), "{line}");
            assert!(
                line.trim_end()
                    .ends_with(&format!("=> {}", upper(value)).trim_end().to_owned()),
                "{line}"
            );
        }
    }
}
