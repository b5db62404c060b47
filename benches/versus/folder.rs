//! A whole RocksDB folder of several levels: against RocksDB's own iteration over it, and against one flat table of the same rows.

use std::path::{Path, PathBuf};

use crate::Bench;
use crate::data::Data;
use crate::run::{Program, find, median};
use crate::speed::{build, duel, millions, python_with};
use crate::table::{Line, cores, missing, size};

/// A folder that real RocksDB made.
struct Folder {
    path: String,
    /// Tables on each level, from level 0 on.
    levels: String,
}

impl Folder {
    /// Made at the first run from the rows of the flat table. Level 0 and four more hold tables, or at least four in all.
    fn of(data: &Data) -> Result<Folder, String> {
        let path = data.path("levels.db");
        let notes = format!("{path}.levels");
        if !Path::new(&notes).exists() {
            let python = python_with("rocksdict")
                .ok_or_else(|| missing("rocksdict", "pip install rocksdict==0.3.29"))?;
            eprintln!("making levels.db");
            let script = source("folder.py");
            let rows = data.table_rows().to_string();
            let flat = data.table("none");
            let args = [&script, &flat, &rows, &path].map(String::as_str);
            Program::new(&python, &args).output();
        }
        let levels = std::fs::read_to_string(notes).expect("the levels can be read");
        Ok(Folder { path, levels })
    }
}

impl Folder {
    /// One table of the same rows, with the options of the folder's tables.
    fn flat(&self) -> String {
        format!("{}.sst", self.path)
    }
}

fn source(name: &str) -> String {
    format!("{}/benches/versus/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// RocksDB's own iteration: the faster of its ways to read where its headers and a compiler are here, else its tool.
fn iteration(data: &Data, folder: &Folder) -> Result<(&'static str, Program), String> {
    let all = data.table_rows();
    let rows_of = |program: &Program| {
        program
            .try_output()
            .map(|(out, _)| number(&out))
            .unwrap_or(0)
    };
    if let Some(own) = compiled(data) {
        let ways = [
            ("RocksDB's iterator, reading ahead, C++", &[][..]),
            ("RocksDB's iterator, mapped tables, C++", &["map"]),
        ];
        let mut timed = ways.map(|(name, more)| {
            let program = Program::new(&own, &[&folder.path]).with(more);
            assert_eq!(rows_of(&program), all, "{program} sees all rows");
            (program.seconds(), name, program)
        });
        timed.sort_by(|left, right| left.0.total_cmp(&right.0));
        let [(_, name, program), _] = timed;
        return Ok((name, program));
    }
    let ldb = find("ldb")
        .ok_or_else(|| missing("RocksDB", "Debian: librocksdb-dev g++, or rocksdb-tools"))?;
    let db = format!("--db={}", folder.path);
    let program = Program::new(&ldb, &[&db, "dump", "--count_only"]);
    match rows_of(&program) == all {
        true => Ok(("ldb dump --count_only", program)),
        false => Err("wrong: ldb does not find all rows".into()),
    }
}

/// The first number that a text holds.
fn number(text: &str) -> u64 {
    let digits = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap_or(0)
}

/// `iterate.cc`, compiled; `None` where that can't be done here.
fn compiled(data: &Data) -> Option<PathBuf> {
    let compiler = find("g++")?;
    let program = data.path("iterate");
    let source = source("iterate.cc");
    let args = ["-O2", "-std=c++17", "-o", &program, &source, "-lrocksdb"];
    match Program::new(&compiler, &args).try_output() {
        Ok(_) => Some(program.into()),
        Err(said) => {
            eprintln!("{said}");
            None
        }
    }
}

/// Build of a folder of levels against a full iteration by RocksDB, and against build of a flat table; and its memory.
pub fn build_folder(bench: &Bench) -> Vec<Line> {
    let rows = millions(bench.data.table_rows());
    let folder = match Folder::of(&bench.data) {
        Ok(folder) => folder,
        Err(why) => {
            let mut line = Line::new(format!("build, a folder of {rows}"), "RocksDB", ">= 4x");
            line.peer = why;
            return vec![line];
        }
    };
    let work = format!(
        "build, a RocksDB folder of {rows} ({} tables on its levels)",
        folder.levels
    );
    let flat = bench.data.table("none");
    // Equal rows in both, or the comparison is worth nothing.
    Program::mdiff(&["compare", &folder.path, &flat]).output();
    let own = build(bench, &folder.path);

    let (against, peer) = match iteration(&bench.data, &folder) {
        Ok((against, peer)) => (against, Ok(peer)),
        Err(why) => ("RocksDB", Err(why)),
    };
    let mut iterated = Line::new(&work, against, ">= 4x");
    duel(bench, &mut iterated, &mut || own.seconds(), &peer);

    // One with the checksums of the folder's tables, and the one of the other lines.
    let flattened = [
        (
            folder.flat(),
            "build of one flat .sst of the same rows, by the same RocksDB",
        ),
        (flat, "build of the flat .sst of the lines above (CRC-32C)"),
    ]
    .map(|(flat, against)| {
        let mut line = Line::new(&work, against, ">= 0.6x");
        let other = build(bench, &flat);
        duel(bench, &mut line, &mut || own.seconds(), &Ok(other));
        line
    });

    let allowed = 64 + cores() as u64;
    let mut memory = Line::new(
        format!("memory: build, a RocksDB folder of {rows}"),
        "-",
        &format!("<= {allowed} MiB"),
    );
    let peaks: Vec<f64> = (0..3).map(|_| own.peak_memory().anonymous as f64).collect();
    memory.measured = size(median(&peaks) as u64);
    memory.mdiff.clone_from(&memory.measured);
    let [same, other] = flattened;
    vec![iterated, same, other, memory]
}
