//! Dumps and stores, whose rows lie in any order: each beside a reader of its own system, or DuckDB, where there is one.
//!
//! A speed "a core" is that of the whole run divided by the cores of the machine, whether they had work or not.

use std::path::Path;

use mdiff::file::input::FileOptions;
use mdiff::mtree::Tree;

use crate::Bench;
use crate::dumps_data::{self as made, Order};
use crate::dumps_stores as stores;
use crate::pg_server;
use crate::run::{Program, find};
use crate::speed::{build, checked, duel, installed, millions, python_with, two_against_one};
use crate::table::{Line, cores, missing, size, speed};
use crate::thrift::anonymous;

const AIM: &str = ">= 1x, 200 MB/s a core";
/// Where no peer reads the same.
const AIM_ALONE: &str = "200 MB/s a core";
/// Instead of a peer's name, there.
const NOBODY: &str = "-";

/// Reads all rows and makes one number of all of their values.
const DUCKDB_ROWS: &str = "
import sys, duckdb
duckdb.sql('SET enable_progress_bar = false')
sql = '''
SELECT count(*), bit_xor(hash(id, name, city, mail, amount, made_at, is_open, score, note, data)) FROM %s
''' % sys.argv[1]
print(duckdb.sql(sql).fetchall()[0][0])
";

/// DuckDB on what a table function of it gives, if it finds that many rows.
fn duckdb(table: &str, rows: u64) -> Result<Program, String> {
    let python = python_with("duckdb").ok_or_else(|| missing("DuckDB", "pip install duckdb"))?;
    let program = Program::new(&python, &["-c", DUCKDB_ROWS, table]);
    checked(program, rows, |out| out.trim().parse().unwrap_or(0))
}

/// DuckDB on the rows of a plain dump: as delimited text, whose head is skipped and whose foot has too few columns. Escapes stay as
/// they are.
fn duckdb_on_copy(dump: &str, rows: u64) -> Result<Program, String> {
    let columns = [
        "id", "name", "city", "mail", "amount", "made_at", "is_open", "score", "note", "data",
    ]
    .map(|name| format!("'{name}': 'VARCHAR'"))
    .join(", ");
    let head = made::postgres_head_lines();
    let table = format!(
        r"read_csv('{dump}', auto_detect = false, delim = '\t', quote = '', escape = '', nullstr = '\N', header = false, skip = {head}, ignore_errors = true, columns = {{{columns}}})"
    );
    duckdb(&table, rows)
}

/// Bytes of a file, or of the files of a folder.
fn len(path: &str) -> u64 {
    let files = std::fs::read_dir(path).into_iter().flatten().flatten();
    match Path::new(path).is_dir() {
        true => files
            .filter_map(|file| file.metadata().ok())
            .map(|metadata| metadata.len())
            .sum(),
        false => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}

/// A dump or store to build a tree of.
struct Dump<'a> {
    what: String,
    path: &'a str,
    /// Options that it needs.
    options: &'a [&'a str],
    /// The rows that must come out.
    rows: u64,
    /// Bytes to take its speed by: of the text within, where that is packed.
    bytes: u64,
}

/// Dumps are large, and half of the runs tell enough.
fn few(bench: &Bench) -> Bench {
    Bench {
        runs: bench.runs.div_ceil(2),
        ..bench.clone()
    }
}

impl<'a> Dump<'a> {
    fn new(what: String, path: &'a str, rows: u64) -> Dump<'a> {
        Dump {
            what,
            path,
            options: &[],
            rows,
            bytes: len(path),
        }
    }

    /// Build beside a peer, with the speed on the dump's bytes.
    fn beside(&self, bench: &Bench, against: &str, peer: &Result<Program, String>) -> Line {
        let aim = if against == NOBODY { AIM_ALONE } else { AIM };
        let work = format!("build, {}, {}", self.what, size(len(self.path)));
        let mut line = Line::new(work, against, aim);
        let program = build(bench, self.path).with(self.options);
        let own = duel(&few(bench), &mut line, &mut || program.seconds(), peer);
        assert_eq!(built_rows(bench), self.rows, "mdiff finds every row");
        let each = format!("{} a core", speed(self.bytes / cores() as u64, own));
        line.measured = match peer {
            Ok(_) => format!("{}; {each}", line.measured),
            Err(_) => each,
        };
        line.mdiff = format!("{} ({})", line.mdiff, speed(self.bytes, own));
        line
    }
}

/// Rows of the tree that was built last.
fn built_rows(bench: &Bench) -> u64 {
    let path = bench.data.path("built.mtree");
    let tree = Tree::open(path.as_ref(), &FileOptions::default()).expect("the tree opens");
    tree.tables().map(|table| table.header().summary.rows).sum()
}

/// Plain dumps of PostgreSQL, by their key and shuffled; and two threads against one.
pub fn postgres(bench: &Bench) -> Vec<Line> {
    let rows = made::rows(&bench.data);
    let orders = [(Order::Key, "in key order"), (Order::Shuffled, "shuffled")];
    let mut lines: Vec<Line> = orders
        .map(|(order, said)| {
            let path = made::postgres(&bench.data, order);
            let what = format!("PostgreSQL's plain dump of {}, {said}", millions(rows));
            let against = "DuckDB reads the rows of COPY as text and hashes them";
            let peer = duckdb_on_copy(&path, rows);
            Dump::new(what, &path, rows).beside(bench, against, &peer)
        })
        .into();
    let path = made::postgres(&bench.data, Order::Key);
    let work = "build, PostgreSQL's plain dump, in key order";
    lines.push(two_against_one(&few(bench), work, &build(bench, &path)));
    lines
}

/// A custom archive of PostgreSQL.
pub fn postgres_custom(bench: &Bench) -> Vec<Line> {
    let against = "pg_restore -f - to /dev/null";
    let rows = made::rows(&bench.data);
    let what = format!(
        "PostgreSQL's custom archive (-Fc) of {}, in key order; speed by the plain dump's bytes",
        millions(rows)
    );
    let archive = match made::postgres_custom(&bench.data) {
        Ok(archive) => archive,
        Err(why) => {
            let mut line = Line::new(format!("build, {what}"), against, AIM);
            line.peer = why;
            return vec![line];
        }
    };
    // Equal rows in both, or the comparison is worth nothing.
    let plain = made::postgres(&bench.data, Order::Key);
    Program::mdiff(&["compare", &archive, &plain]).output();
    let restore = pg_server::bin()
        .map(|bin| bin.join("pg_restore"))
        .ok_or_else(|| missing("pg_restore", "Debian: postgresql"))
        .map(|restore| Program::new(&restore, &["-f", "-", &archive]));
    let dump = Dump {
        bytes: len(&plain),
        ..Dump::new(what, &archive, rows)
    };
    vec![dump.beside(bench, against, &restore)]
}

/// A dump of mysqldump.
pub fn mysql(bench: &Bench) -> Vec<Line> {
    let rows = made::rows(&bench.data);
    let what = format!("mysqldump's SQL of {}, in key order", millions(rows));
    let path = made::mysql(&bench.data);
    let none = Err("nothing reads it but a server that is restored".into());
    vec![Dump::new(what, &path, rows).beside(bench, NOBODY, &none)]
}

/// JSON lines.
pub fn json_lines(bench: &Bench) -> Vec<Line> {
    let rows = made::rows(&bench.data);
    let what = format!("JSON lines of {}, in key order", millions(rows));
    let path = made::json_lines(&bench.data);
    let against = "DuckDB reads the rows by read_json and hashes them";
    let table = format!("read_json('{path}', format = 'newline_delimited')");
    let dump = Dump {
        options: &["--key", "id"],
        ..Dump::new(what, &path, rows)
    };
    vec![dump.beside(bench, against, &duckdb(&table, rows))]
}

/// A database of SQLite.
pub fn sqlite(bench: &Bench) -> Vec<Line> {
    let rows = made::rows(&bench.data);
    let what = format!("SQLite's database of {}", millions(rows));
    let path = made::sqlite(&bench.data);
    let against = "sqlite3 FILE .dump to /dev/null";
    let sqlite = installed("sqlite3", "Debian: sqlite3")
        .map(|sqlite| Program::new(&sqlite, &["-readonly", &path, ".dump"]));
    vec![Dump::new(what, &path, rows).beside(bench, against, &sqlite)]
}

/// Stores that are logs of writes.
pub fn stores(bench: &Bench) -> Vec<Line> {
    let (writes, keys) = (stores::writes(&bench.data), stores::keys(&bench.data));
    let of = format!(
        "of {:.2} M writes to {:.2} M keys",
        writes as f64 / 1e6,
        keys as f64 / 1e6
    );
    let snapshot = stores::etcd(&bench.data);
    let status = ["etcdutl", "etcdctl"]
        .into_iter()
        .find_map(find)
        .ok_or_else(|| missing("etcdutl", "etcd; Debian: etcd-client"))
        .map(|tool| {
            Program::new(&tool, &["snapshot", "status", &snapshot]).env("ETCDCTL_API", "3")
        });
    let etcd = Dump::new(format!("etcd's snapshot {of}"), &snapshot, keys);
    let folder = stores::bitcask(&bench.data);
    let none = Err("no reader outside of Erlang".into());
    let bitcask = Dump::new(format!("a folder of Bitcask {of}"), &folder, keys);
    vec![
        etcd.beside(
            bench,
            "etcd's snapshot status: one hash of all buckets, the SHA-256 not checked",
            &status,
        ),
        bitcask.beside(bench, NOBODY, &none),
    ]
}

/// The most anonymous memory while a large shuffled dump is sorted, with the usual and with a small budget for that.
pub fn memory(bench: &Bench) -> Vec<Line> {
    let large = made::large(&bench.data);
    let small = made::postgres(&bench.data, Order::Shuffled);
    [
        ("the default --sort-memory", 64, None),
        ("--sort-memory 16M", 16, Some("16M")),
    ]
    .map(|(said, budget, given)| {
        let options: Vec<&str> = given.map_or(vec![], |given| vec!["--sort-memory", given]);
        let peak = |snapshot: &str| build(bench, snapshot).with(&options).peak_memory();
        let allowed = 64 + cores() as u64 + budget;
        let mut line = Line::new(
            format!(
                "memory: build, PostgreSQL's plain dump of {}, shuffled, {}, {said}",
                millions(made::large_rows(&bench.data)),
                size(len(&large))
            ),
            "an eighth of the rows",
            &format!("<= {allowed} MiB, of which {budget} to sort; flat"),
        );
        let (small, large) = (peak(&small), peak(&large));
        line.measured = size(large.anonymous);
        line.mdiff = anonymous(&large);
        line.peer = anonymous(&small);
        line
    })
    .into()
}
