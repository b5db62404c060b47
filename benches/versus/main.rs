//! Whole processes side by side: mdiff and the peers that are installed, on data made from a seed.
//!
//! ```text
//! cargo bench --bench versus                      all of it: 10 GB of data, ten minutes
//! cargo bench --bench versus -- --quick           a tenth of the data
//! cargo bench --bench versus -- --only patch      the groups whose names hold this text (cassandra or dumps, say)
//! ```
//!
//! Prints the ratios as a Markdown table. Times are medians of runs taken in turns (`--runs N`, 5 if not given), after one that does
//! not count; the page cache is warm unless a line says otherwise, and mdiff writes and syncs its results as it always does. Peers
//! are found on the PATH: b3sum, sst_dump, comm, python3 with the duckdb wheel, RocksDB itself (librocksdb-dev with g++, or ldb),
//! sqlite3, and etcdutl or etcdctl; PostgreSQL's server and tools also in `/usr/lib/postgresql`. The wheel rocksdict makes the folder of
//! several levels, and PostgreSQL's server the archive that pg_restore reads. One that is missing is said to be. The data stays in
//! `target/tmp/versus` (or `--data DIR`) for the next run, with every single time in `raw.txt` and the table in `table.md`.

mod cassandra;
mod codec;
mod data;
mod dumps;
mod dumps_data;
mod dumps_stores;
mod folder;
mod run;
mod speed;
mod table;
mod thrift;

#[path = "../common/mod.rs"]
mod common;
#[path = "../../tests/common/pg_server.rs"]
mod pg_server;
#[path = "../../tests/common/sstable/mod.rs"]
mod sstable;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use data::Data;
use table::Line;

/// What every group of measurements needs.
#[derive(Clone)]
pub struct Bench {
    /// The files.
    pub data: Data,
    /// Runs of each program.
    pub runs: usize,
    raw: Rc<RefCell<String>>,
}

impl Bench {
    /// Keeps every single time.
    pub fn raw(&self, work: &str, who: &str, seconds: &[f64]) {
        let times: Vec<String> = seconds.iter().map(|s| format!("{s:.5}")).collect();
        let line = format!("{work} | {who} | {}", times.join(" "));
        eprintln!("{line}");
        let _ = writeln!(self.raw.borrow_mut(), "{line}");
    }
}

/// Groups of lines, in the order of the table.
type Group = fn(&Bench) -> Vec<Line>;
const GROUPS: [(&str, Group); 20] = [
    ("build", speed::build_plain),
    ("build-packed", speed::build_packed),
    ("build-folder", folder::build_folder),
    ("cassandra-build", cassandra::build_folder),
    ("cassandra-wide", cassandra::wide_partition),
    ("dumps-postgres", dumps::postgres),
    ("dumps-postgres-custom", dumps::postgres_custom),
    ("dumps-mysql", dumps::mysql),
    ("dumps-jsonl", dumps::json_lines),
    ("dumps-sqlite", dumps::sqlite),
    ("dumps-stores", dumps::stores),
    ("dumps-memory", dumps::memory),
    ("diff-text", speed::diff_text),
    ("rows", speed::rows_out),
    ("compare", speed::compare_trees),
    ("patch-reads", thrift::patch_reads),
    ("patch-size", thrift::patch_size),
    ("memory", thrift::memory),
    ("threads", speed::threads),
    ("threads-text", speed::threads_text),
];

struct Args {
    quick: bool,
    only: Option<String>,
    runs: usize,
    data: PathBuf,
}

/// Returns `None` where cargo runs this as a test.
fn parse() -> Option<Args> {
    if !std::env::args().any(|arg| arg == "--bench") {
        return None;
    }
    let mut args = Args {
        quick: false,
        only: None,
        runs: 5,
        data: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("versus"),
    };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        let mut value = || {
            given
                .next()
                .unwrap_or_else(|| panic!("{arg} wants a value"))
        };
        match arg.as_str() {
            "--bench" => {}
            "--quick" => args.quick = true,
            "--only" => args.only = Some(value()),
            "--runs" => args.runs = value().parse().expect("--runs wants a number"),
            "--data" => args.data = value().into(),
            other => panic!("unknown argument {other}; there are --quick --only --runs --data"),
        }
    }
    Some(args)
}

fn main() {
    let Some(args) = parse() else { return };
    let bench = Bench {
        data: Data::open(&args.data, args.quick),
        runs: args.runs,
        raw: Rc::default(),
    };
    let before = table::load();
    let mut lines = Vec::new();
    for (name, group) in GROUPS {
        if args.only.as_ref().is_none_or(|only| name.contains(only)) {
            lines.extend(group(&bench));
        }
    }
    let note = format!(
        "{}{}. Load before: {before:.1}, after: {:.1}. {}",
        if args.quick {
            "A tenth of the data, on "
        } else {
            ""
        },
        table::machine(),
        table::load(),
        table::peers(),
    );
    let out = format!("{}\n{note}\n", table::markdown(&lines));
    println!("{out}");
    let keep = |name: &str, text: &str| {
        std::fs::write(bench.data.folder().join(name), text).expect("results can be kept");
    };
    keep("table.md", &out);
    keep("raw.txt", &bench.raw.borrow());
}
