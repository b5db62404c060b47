//! What is asked for wrongly, and tables without a key.

use crate::common::{mdiff, testdata};

const KEYLESS: &str = "--\n-- PostgreSQL database dump\n--\n
CREATE TABLE a.t (\n    x integer,\n    y text\n);\n
CREATE TABLE a.u (\n    id integer NOT NULL\n);\n
COPY a.t (x, y) FROM stdin;\n1\tone\n2\ttwo\n1\tone\n\\N\tnone, or \\\\null\n\\.\n
COPY a.u (id) FROM stdin;\n1\n\\.\n
ALTER TABLE ONLY a.u\n    ADD CONSTRAINT u_pkey PRIMARY KEY (id);\n
--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn rows_of_a_table_without_a_key_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dump.sql"), KEYLESS).unwrap();
    let run = |args: &[&str]| mdiff(args.iter().copied()).in_dir(&folder).run();
    run(&["info", "dump.sql"]).exits(0);
    let rows = [
        "\\null,none\\x2c or \\\\null\tcopies=1",
        "1,one\tcopies=2",
        "2,two\tcopies=1",
    ];
    let all = run(&["cat", "dump.sql", "--table", "a.t"]).exits(0);
    rows.iter().fold(all, |all, row| all.prints(row));
    for row in rows {
        let key = row.split('\t').next().unwrap();
        let behind = format!("{key}\\x00");
        run(&[
            "cat", "dump.sql", "--table", "a.t", "--from", key, "--to", &behind, "--limit", "1",
        ])
        .exits(0)
        .prints_exactly(&format!("{row}\n"));
    }
    run(&["cat", "dump.sql", "--table", "a.t", "--json"])
        .exits(0)
        .prints(r#""key":{"x":null,"y":"none, or \\null"},"value":{"copies":1}"#)
        .prints(r#""key":{"x":"1","y":"one"},"value":{"copies":2}"#);
    run(&[
        "convert", "dump.sql", "--table", "a.t", "--null", "NULL", "-o", "t.csv",
    ])
    .exits(0);
    let csv = std::fs::read_to_string(folder.path().join("t.csv")).unwrap();
    assert!(
        csv.starts_with("x,y,copies\n") && csv.contains("\n1,one,2\n"),
        "{csv}"
    );
    run(&["cat", "dump.sql", "--table", "a.u"])
        .exits(0)
        .prints("1");
    std::fs::write(
        folder.path().join("dump.sql"),
        KEYLESS.replace("1\tone\n\\N\tnone, or \\\\null\n", ""),
    )
    .unwrap();
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
