//! What is asked for wrongly, and tables without a key.

use crate::common::{mdiff, testdata};

const KEYLESS: &str = "--\n-- PostgreSQL database dump\n--\n
CREATE TABLE a.t (\n    x integer,\n    y text\n);\n
CREATE TABLE a.u (\n    id integer NOT NULL\n);\n
COPY a.t (x, y) FROM stdin;\n1\tone\n2\ttwo\n\\.\n
COPY a.u (id) FROM stdin;\n1\n\\.\n
ALTER TABLE ONLY a.u\n    ADD CONSTRAINT u_pkey PRIMARY KEY (id);\n
--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn a_table_without_a_key_is_refused_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dump.sql"), KEYLESS).unwrap();
    let run = |args: &[&str]| mdiff(args.iter().copied()).in_dir(&folder).run();
    run(&["info", "dump.sql"])
        .exits(2)
        .tells("table a.t has no primary key, so its rows can't be told apart")
        .tells("name columns that identify a row with --key, or choose other tables with --table; its columns are \"x\", \"y\"");
    run(&["cat", "dump.sql", "--table", "a.u"])
        .exits(0)
        .prints("1");
    run(&["cat", "dump.sql", "--key", "x"])
        .exits(0)
        .prints("2\ty=two");
    run(&["cat", "dump.sql", "--key", "y,x", "--table", "a.t"])
        .exits(0)
        .prints("two,2");
    run(&["cat", "dump.sql", "--key", "z"])
        .exits(2)
        .tells("--key: no table of dump.sql has a column \"z\"")
        .tells("its tables are a.t, a.u");
    run(&["cat", "dump.sql", "--key", "x", "--ignore-columns", "x"])
        .exits(2)
        .tells("--ignore-columns: \"x\" is a column of the key of a.t");
    run(&[
        "compare",
        "dump.sql",
        "dump.sql",
        "--key",
        "x",
        "--ignore-columns",
        "y",
    ])
    .exits(0);
}

#[test]
fn rows_of_two_databases_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let all = format!("{KEYLESS}\\connect other\n\n{KEYLESS}");
    std::fs::write(folder.path().join("all.sql"), all).unwrap();
    mdiff(["info", "all.sql"])
        .in_dir(&folder)
        .run()
        .exits(3)
        .tells("a dump of several databases")
        .tells("dump each database to a file of its own, with pg_dump");
}

#[test]
fn dumps_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let dump = |name: &str| testdata("postgres").join(name);
    mdiff(["patch", "--table", "public.kinds", "-o", "p.mpatch"])
        .args([dump("left.sql"), dump("right.sql")])
        .in_dir(&folder)
        .run()
        .exits(0);
    mdiff(["apply", "-o", "out.sql"])
        .args([dump("left.sql"), folder.path().join("p.mpatch")])
        .in_dir(&folder)
        .run()
        .exits(2)
        .tells("mdiff cat PATCH --format sql");
}
