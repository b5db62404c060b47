//! The whole way with a real server: dump two databases, diff, patch, let psql run the patch on a copy, dump that: the target's roots.

use crate::common::{mdiff, skipped, testdata};
use crate::model::roots;
use crate::pg_server::Server;

#[test]
fn psql_makes_the_base_equal_to_the_target() {
    let Some(server) = Server::start() else {
        skipped("no PostgreSQL server is installed: patches are not run by psql");
        return;
    };
    let file = |name: &str| testdata("postgres").join(name);
    for database in ["left", "right"] {
        server.run("createdb", &[database]);
        server.sql(database, &file("made.sql"));
    }
    server.sql("right", &file("change.sql"));
    server.run("createdb", &["-T", "left", "copy"]);

    let left = server.dump("left", "left.sql", &[]);
    let right = server.dump("right", "right.custom", &["-Fc"]);
    assert_eq!(roots(&left, &[]), roots(&file("left.sql"), &[]));
    let patch = server.path().join("fix.mpatch");
    mdiff(["patch", "-q", "-o"])
        .args([&patch, &left, &right])
        .run()
        .exits(0);
    let statements = mdiff(["cat", "--format", "sql"])
        .args([&patch])
        .run()
        .exits(0);
    let script = server.path().join("fix.sql");
    std::fs::write(&script, &statements.stdout_bytes).unwrap();
    server.sql("copy", &script);

    let wanted = roots(&right, &[]);
    assert_ne!(roots(&left, &[]), wanted);
    for (name, options) in [
        ("copy.sql", &[][..]),
        ("copy.inserts.sql", &["--inserts"]),
        ("copy.dir", &["-Fd"]),
        ("copy.tar", &["-Ft"]),
    ] {
        let copy = server.dump("copy", name, options);
        assert_eq!(roots(&copy, &[]), wanted, "{name}");
    }
    // All of a patch is done or nothing: on a base that it does not fit, nothing is.
    let before = roots(&left, &[]);
    let here = script.to_str().unwrap();
    server.run(
        "psql",
        &["-c", "INSERT INTO empty_table VALUES (1)", "left"],
    );
    assert!(!server.runs(
        "psql",
        &["-Xq", "-v", "ON_ERROR_STOP=1", "-f", here, "left"]
    ));
    server.run("psql", &["-c", "DELETE FROM empty_table", "left"]);
    let left = server.dump("left", "left.again.sql", &[]);
    assert_eq!(roots(&left, &[]), before);
    rows_without_a_key_become_the_targets(&server);
}

const BASE: &str = "
CREATE TABLE bag (i integer, t text, d double precision, r real, j json, p point, x bytea, n numeric, z timestamptz, a text[], c char(5), b boolean);
CREATE TABLE nothing ();
CREATE TABLE one (t text);
INSERT INTO bag SELECT n % 7, 'row ' || n % 5, n % 3 / 3.0, n % 2 / 10.0, '{\"a\":1}', '(1,2)', '\\x00ff', n % 4, '2024-05-06 07:08:09+02', ARRAY['x', NULL, 'a,b'], 'k', n % 2 = 0 FROM generate_series(1, 500) n;
INSERT INTO bag (t) VALUES ('a'), ('A'), ('a'), (''), (NULL), (NULL), ('back\\slash'), (E'line\nend');
INSERT INTO bag (j, d) VALUES ('{\"a\": 1}', 'NaN'), ('{\"a\" :1}', '-Infinity'), (NULL, 0.1), (NULL, 0.1);
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO one VALUES (NULL), (''), ('x'), ('x'), ('1');
";

const CHANGE: &str = "
DELETE FROM bag WHERE i = 3;
DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE i = 5 LIMIT 9);
INSERT INTO bag SELECT * FROM bag WHERE i = 1 LIMIT 11;
DELETE FROM bag WHERE t = 'A';
DELETE FROM bag WHERE ctid = (SELECT ctid FROM bag WHERE t IS NULL AND d IS NULL LIMIT 1);
UPDATE bag SET t = 'other' WHERE j::text = '{\"a\" :1}';
INSERT INTO bag (t, r, n) VALUES ('new', 0.1, 1.5), ('new', 0.1, 1.5), ('it''s', 1e30, 1e-30);
DELETE FROM nothing;
INSERT INTO nothing DEFAULT VALUES;
DELETE FROM one WHERE t = '';
INSERT INTO one VALUES (NULL), ('x');
";

/// Equal rows are counted, and statements make them as many.
fn rows_without_a_key_become_the_targets(server: &Server) {
    let script = server.path().join("bag.sql");
    for (database, text) in [("bag", BASE), ("more", BASE), ("more", CHANGE)] {
        if text == BASE {
            server.run("createdb", &[database]);
        }
        std::fs::write(&script, text).unwrap();
        server.sql(database, &script);
    }
    let sides = [("bag", "bag.a.sql"), ("more", "bag.b.sql")];
    let [base, target] = sides.map(|(database, name)| server.dump(database, name, &[]));
    // Of a dump of rows in another form, too.
    let again = server.dump("bag", "bag.a.dump", &["-Fc", "--inserts"]);
    mdiff(["compare", "-qq"])
        .args([&base, &again])
        .run()
        .exits(0);
    for (database, from, to) in [("bag", &base, &target), ("more", &target, &base)] {
        let patch = server.path().join(format!("{database}.mpatch"));
        let made = mdiff(["patch", "-q", "-o"]).args([&patch, from, to]).run();
        made.exits(0);
        let statements = mdiff(["cat", "--format", "sql"])
            .args([&patch])
            .run()
            .exits(0);
        std::fs::write(&script, &statements.stdout_bytes).unwrap();
        server.sql(database, &script);
        let after = server.dump(database, "bag.after.sql", &[]);
        mdiff(["compare", "-qq"]).args([&after, to]).run().exits(0);
        // The same lines, whatever we make of them: only where rows lie differs.
        let lines = |path: &std::path::Path| {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().filter(|line| !line.contains("restrict"));
            let mut lines: Vec<String> = lines.map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines(&after), lines(to));
    }
}
