//! Whole processes against the clock: mdiff and its peers in turns, the page cache warm.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};
use rayon::prelude::*;

use crate::codec::PackedTable;
use crate::run::{Duel, Program, alone, find, median};
use crate::table::{Line, cores, missing, speed, time, times, version};
use crate::{Bench, common};

/// Fills a line with a duel between mdiff and a peer; without one, it says why there is none. Returns mdiff's seconds.
pub fn duel(
    bench: &Bench,
    line: &mut Line,
    mdiff: &mut dyn FnMut() -> f64,
    peer: &Result<Program, String>,
) -> f64 {
    let peer = match peer {
        Ok(peer) => peer,
        Err(why) => {
            let own = alone(bench.runs, mdiff);
            bench.raw(&line.work, "mdiff", &own);
            line.mdiff = time(median(&own));
            line.peer.clone_from(why);
            return median(&own);
        }
    };
    let duel = Duel::run(bench.runs, mdiff, &mut || peer.seconds());
    bench.raw(&line.work, "mdiff", &duel.first);
    bench.raw(&line.work, &line.against, &duel.second);
    line.measured = ratios(&duel, 1.0);
    line.mdiff = time(median(&duel.first));
    line.peer = time(median(&duel.second));
    median(&duel.first)
}

/// How many times faster the first is than `divisor` of the second would be.
pub fn ratios(duel: &Duel, divisor: f64) -> String {
    let (middle, best) = (duel.ratio() / divisor, duel.best_ratio() / divisor);
    format!("{} (best runs: {})", times(middle), times(best))
}

/// Build of a snapshot's tree, by a process.
pub fn build(bench: &Bench, snapshot: &str) -> Program {
    let tree = bench.data.path("built.mtree");
    Program::mdiff(&["build", snapshot, "--force", "-o", &tree])
}

fn diff(left: &str, right: &str) -> Program {
    Program::mdiff(&["diff", left, right, "--key", "id"]).finds_differences()
}

/// A number of rows, for people.
pub fn millions(rows: u64) -> String {
    format!("{:.1} M rows", rows as f64 / 1e6)
}

/// Build of an uncompressed table against hashing the same file.
pub fn build_plain(bench: &Bench) -> Vec<Line> {
    let path = bench.data.table("none");
    let rows = millions(bench.data.table_rows());
    let mut line = Line::new(
        format!("build, .sst of {rows}, uncompressed"),
        "b3sum of the same file",
        ">= 1.0x",
    );
    let b3sum =
        installed("b3sum", "cargo install b3sum").map(|b3sum| Program::new(&b3sum, &[&path]));
    let build = build(bench, &path);
    duel(bench, &mut line, &mut || build.seconds(), &b3sum);
    vec![line]
}

/// Build of compressed tables against the bare codec on as many cores.
pub fn build_packed(bench: &Bench) -> Vec<Line> {
    let rows = millions(bench.data.table_rows());
    ["lz4", "zstd", "snappy"]
        .map(|codec| {
            let path = bench.data.table(codec);
            let mut line = Line::new(
                format!("build, .sst of {rows}, {codec}"),
                &format!("{codec} decompression on one core, x {}", cores()),
                ">= 0.8x",
            );
            let mut packed = PackedTable::read(&path);
            let plain_bytes = Cell::new(0);
            let program = build(bench, &path);
            let duel = Duel::run(bench.runs, &mut || program.seconds(), &mut || {
                let (seconds, bytes) = packed.decompress();
                plain_bytes.set(bytes);
                seconds
            });
            bench.raw(&line.work, "mdiff", &duel.first);
            bench.raw(&line.work, "one core of the codec", &duel.second);
            let (own, core) = (median(&duel.first), median(&duel.second));
            let perfect = core / cores() as f64;
            line.measured = ratios(&duel, cores() as f64);
            line.mdiff = format!("{} ({})", time(own), speed(plain_bytes.get(), own));
            line.peer = format!("{} ({})", time(perfect), speed(plain_bytes.get(), perfect));
            line
        })
        .into()
}

const DUCKDB_JOIN: &str = "
import sys, duckdb
duckdb.sql('SET enable_progress_bar = false')
sql = '''
SELECT count(*) FROM read_csv('%s', header = true, all_varchar = true) l
FULL OUTER JOIN read_csv('%s', header = true, all_varchar = true) r ON l.id = r.id
WHERE l.id IS NULL OR r.id IS NULL
OR (l.name, l.city, l.mail, l.amount, l.updated_at, l.note) IS DISTINCT FROM (r.name, r.city, r.mail, r.amount, r.updated_at, r.note)
''' % (sys.argv[1], sys.argv[2])
print(duckdb.sql(sql).fetchall()[0][0])
";

/// Rows that differ between two sorted texts.
pub fn diff_text(bench: &Bench) -> Vec<Line> {
    let differences = bench.data.text_differences();
    let [left, right] = bench.data.texts();
    let rows = millions(differences.rows);
    let work = format!(
        "diff, two sorted .csv of {rows}, {} differences",
        differences.count
    );
    let mdiff = diff(&left, &right);
    let (found, _) = mdiff.output();
    assert_eq!(
        found
            .lines()
            .filter(|line| line.starts_with(['+', '-', '~']))
            .count() as u64,
        differences.count,
        "mdiff finds every difference"
    );
    let mut comm_line = Line::new(work.clone(), "comm -3", ">= 3x");
    let comm = installed("comm", "GNU coreutils")
        .map(|comm| Program::new(&comm, &["-3", &left, &right]).env("LC_ALL", "C"))
        .and_then(|comm| checked(comm, differences.lines(), |out| out.lines().count() as u64));
    duel(bench, &mut comm_line, &mut || mdiff.seconds(), &comm);

    let mut duck_line = Line::new(work, "DuckDB full outer join", "faster");
    let duck = python_with("duckdb")
        .ok_or_else(|| missing("DuckDB", "pip install duckdb"))
        .map(|python| Program::new(&python, &["-c", DUCKDB_JOIN, &left, &right]))
        .and_then(|duck| {
            checked(duck, differences.count, |out| {
                out.trim().parse().unwrap_or(0)
            })
        });
    duel(bench, &mut duck_line, &mut || mdiff.seconds(), &duck);
    vec![comm_line, duck_line]
}

/// Takes a peer only if it finds what there is to find.
pub fn checked(peer: Program, expected: u64, count: fn(&str) -> u64) -> Result<Program, String> {
    match peer.try_output() {
        Err(said) => {
            eprintln!("{said}");
            Err("failed, see stderr".into())
        }
        Ok((out, _)) if count(&out) == expected => Ok(peer),
        Ok((out, said)) => {
            eprintln!("{peer} printed:\n{out}\n{said}");
            Err(format!("wrong: does not find {expected}, see stderr"))
        }
    }
}

/// Where a program is, or what to install.
pub fn installed(name: &str, from: &str) -> Result<PathBuf, String> {
    find(name).ok_or_else(|| missing(name, from))
}

/// An interpreter that has a module: itself, since what is on the PATH may be a script that looks for it.
pub fn python_with(module: &str) -> Option<PathBuf> {
    let asked = format!("import {module}, sys; print(sys.executable)");
    version("python3", &["-c", &asked]).map(PathBuf::from)
}

/// Rows out of a table: as text, and lent to a program that uses the library.
pub fn rows_out(bench: &Bench) -> Vec<Line> {
    let path = bench.data.table("none");
    let rows = bench.data.table_rows();
    // sst_dump takes long: half of the runs tell enough.
    let few = Bench {
        runs: bench.runs.div_ceil(2),
        ..bench.clone()
    };
    let cat = Program::mdiff(&["cat", &path]);
    let mut by_cat = || cat.seconds();
    let mut by_scan = || scan_seconds(Path::new(&path), rows);
    let mut lines = Vec::new();
    // As text it is lossless only in hexadecimal, so both are peers.
    for hex in [&[][..], &["--output_hex"]] {
        let against = [
            "sst_dump --command=scan",
            hex.first().copied().unwrap_or(""),
        ]
        .join(" ");
        let dump = installed("sst_dump", "Debian: rocksdb-tools").map(|dump| {
            Program::new(&dump, &[&format!("--file={path}"), "--command=scan"]).with(hex)
        });
        let mut text = Line::new(
            "rows out of .sst: mdiff cat to /dev/null",
            against.trim(),
            ">= 40x",
        );
        duel(&few, &mut text, &mut by_cat, &dump);
        let mut lent = Line::new(
            "rows out of .sst: a scan by the library, all cores",
            against.trim(),
            ">= 40x",
        );
        duel(&few, &mut lent, &mut by_scan, &dump);
        lines.extend([text, lent]);
    }
    lines
}

/// Opens a table, scans its rows on all cores, and looks at each.
fn scan_seconds(path: &Path, rows: u64) -> f64 {
    let start = Instant::now();
    let snapshot = source::open(path, &SourceOptions::default()).expect("the table opens");
    let table = snapshot.tables()[0];
    let all = KeyRange::all();
    let cuts = table
        .split(&all, 16 * cores())
        .expect("the table can be cut");
    let seen: (u64, u64) = all
        .cut_at(&cuts)
        .par_iter()
        .map(|range| {
            let mut seen = (0, 0);
            let mut stream = table.scan(range).expect("the table can be scanned");
            stream
                .for_each(&mut |row| {
                    seen.0 += 1;
                    seen.1 += row.len_bytes();
                    Ok(())
                })
                .expect("the table is sound");
            seen
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert_eq!(seen, (rows, rows * common::ROW_BYTES));
    start.elapsed().as_secs_f64()
}

/// Comparing large trees that differ in little; the same command on equal trees does no more than open them.
pub fn compare_trees(bench: &Bench) -> Vec<Line> {
    let [left, right] = bench.data.fine_trees();
    let compare = Program::mdiff(&["compare", &left, &right]).finds_differences();
    let open = Program::mdiff(&["compare", &left, &left]);
    let many = Bench {
        runs: 5 * bench.runs,
        ..bench.clone()
    };
    let leaves = bench.data.fine_leaves();
    let mut line = Line::new(
        format!("compare, two trees of {leaves} leaves, 10 differences"),
        "the same with equal trees: only opens them",
        "<= 5 ms",
    );
    duel(
        &many,
        &mut line,
        &mut || compare.seconds(),
        &Ok(open.clone()),
    );
    line.measured.clone_from(&line.mdiff);
    let reads = |program: &Program| program.clone().with(&["--no-mmap"]).reads().by_calls;
    let (own, opening) = (reads(&compare), reads(&open));
    let whole = std::fs::metadata(&left).map_or(0, |metadata| metadata.len());
    let mut read = Line::new(
        format!("compare, two trees of {leaves} leaves, 10 differences: bytes read"),
        "both files whole",
        "follows the differences",
    );
    read.measured = format!(
        "{:.2} %",
        100.0 * own.saturating_sub(opening) as f64 / (2 * whole) as f64
    );
    read.mdiff = crate::table::size(own.saturating_sub(opening));
    read.peer = crate::table::size(2 * whole);
    vec![line, read]
}

/// Two threads against one, on tables.
pub fn threads(bench: &Bench) -> Vec<Line> {
    ["none", "lz4", "zstd"]
        .map(|codec| {
            let work = format!("build, .sst, compression {codec}");
            two_against_one(bench, &work, &build(bench, &bench.data.table(codec)))
        })
        .into()
}

/// Two threads against one, on text.
pub fn threads_text(bench: &Bench) -> Vec<Line> {
    let [left, right] = bench.data.texts();
    vec![two_against_one(
        bench,
        "diff, two sorted .csv",
        &diff(&left, &right),
    )]
}

/// Two threads against one.
pub fn two_against_one(bench: &Bench, work: &str, program: &Program) -> Line {
    let mut line = Line::new(format!("{work}: 2 threads"), "1 thread", ">= 1.9x");
    if cores() < 2 {
        line.peer = "this machine has one core".into();
        return line;
    }
    let two = program.clone().with(&["--threads", "2"]);
    let one = program.clone().with(&["--threads", "1"]);
    duel(bench, &mut line, &mut || two.seconds(), &Ok(one));
    line
}
