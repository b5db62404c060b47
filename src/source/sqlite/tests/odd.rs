//! Odd but sound databases: names, encodings, page sizes, what is no ordinary table.

use std::io::Write as _;

use super::*;

#[test]
fn every_value_is_told_by_its_class() {
    let made = Made::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, free, i INTEGER, r REAL, n NUMERIC, s TEXT, b BLOB);
         INSERT INTO t VALUES(1, 1, 1, 1, 1, 1, 1), (2, '1', '1', '1', '1', '1', '1'), (3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
                             (4, x'31', x'31', x'31', x'31', x'31', x'31'), (5, 'x', 'x', 'x', 'x', 'x', 'x'), (6, 9e999, 1.5, -9e999, 0.1, NULL, x'00')",
    );
    let wanted = shown([
        ("1", "b=\\x00i1 free=\\x00i1 i=1 n=1 r=1 s=1"),
        ("2", "b=\\x00t1 free=\\x00t1 i=1 n=1 r=1 s=1"),
        ("3", "b=\\x00r1 free=\\x00r1 i=1 n=1 r=1 s=1.0"),
        (
            "4",
            "b=1 free=\\x00b1 i=\\x00b1 n=\\x00b1 r=\\x00b1 s=\\x00b1",
        ),
        (
            "5",
            "b=\\x00tx free=\\x00tx i=\\x00tx n=\\x00tx r=\\x00tx s=x",
        ),
        (
            "6",
            "b=\\x00b\\x00 free=\\x00rInfinity i=1.5 n=0.1 r=-Infinity s=NULL",
        ),
    ]);
    assert_eq!(made.rows("t"), wanted);
    // ANY takes numbers where the table is not STRICT, and everything where it is.
    made.run(
        "CREATE TABLE loose(id INTEGER PRIMARY KEY, v ANY); CREATE TABLE strict(id INTEGER PRIMARY KEY, v ANY) STRICT;
         INSERT INTO loose VALUES(1, '1'); INSERT INTO strict VALUES(1, '1')",
    );
    assert_eq!(made.rows("loose"), shown([("1", "v=1")]));
    assert_eq!(made.rows("strict"), shown([("1", "v=\\x00t1")]));
}

#[test]
fn page_sizes_encodings_and_vacuum_modes_do_not_matter() {
    let mut all = Vec::new();
    for page in [512, 1024, 4096, 65536] {
        for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
            for vacuum in ["none", "full"] {
                let made = Made::new(&format!(
                    "PRAGMA page_size = {page}; PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = {vacuum};
                     CREATE TABLE \"schl\u{fc}ssel\"(k TEXT PRIMARY KEY, v);
                     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                     INSERT INTO \"schl\u{fc}ssel\" SELECT 'k\u{20ac}\u{1f600}' || i, CASE i % 3 WHEN 0 THEN i WHEN 1 THEN 'v' || char(0) || i ELSE zeroblob(i * 9) END FROM n;
                     DELETE FROM \"schl\u{fc}ssel\" WHERE v = 27"
                ));
                let rows = made.rows("schl\u{fc}ssel");
                assert_eq!(rows.len(), 299);
                assert_eq!(rows["k\u{20ac}\u{1f600}1"], "v=\\x00tv\\x001");
                all.push(rows);
            }
        }
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn odd_names_and_wide_tables_and_large_values_are_read() {
    let columns: Vec<String> = (0..1999).map(|n| format!("c{n} INT")).collect();
    let made = Made::new(&format!(
        "CREATE TABLE \"a\"\"b'c [d]\"(\"select\" INTEGER PRIMARY KEY, \"x\"\"y\" TEXT, \" \" INT, \"\" INT);
         INSERT INTO \"a\"\"b'c [d]\" VALUES(1, 'v', 2, 3);
         CREATE TABLE wide(id INTEGER PRIMARY KEY, {});
         INSERT INTO wide(id, c7, c1998) VALUES(1, 2, 3);
         CREATE TABLE large(id INTEGER PRIMARY KEY, b BLOB, t TEXT);
         INSERT INTO large VALUES(1, zeroblob(3000001), hex(zeroblob(2000000)))",
        columns.join(", ")
    ));
    assert_eq!(made.rows("a\"b'c [d]"), shown([("1", "=3  =2 x\"y=v")]));
    let wide = &made.rows("wide")["1"];
    assert!(wide.contains(" c7=2 ") && wide.contains(" c1998=3 ") && wide.contains("c8=NULL"));
    // One byte is escaped to four, behind the name and the mark.
    assert_eq!(
        made.rows("large")["1"].len(),
        "b=\\x00b".len() + 4 * 3_000_001 + " t=".len() + 4_000_000
    );
}

#[test]
fn an_empty_database_has_no_tables_and_packed_ones_are_read() {
    let made = Made::new("VACUUM; PRAGMA user_version = 7");
    assert_eq!(names(&*made.open()), [""; 0]);
    let about = made.open().describe();
    assert!(
        about.contains(&("user version".into(), "7".into())),
        "{about:?}"
    );

    let made =
        Made::new("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1, 'x')");
    let packed = made.folder.path().join("t.db.zst");
    let bytes = std::fs::read(&made.path).unwrap();
    let mut encoder = zstd::Encoder::new(std::fs::File::create(&packed).unwrap(), 1).unwrap();
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();
    let snapshot = open(&packed, &SourceOptions::default()).unwrap();
    assert_eq!(snapshot.format(), "sqlite");
    assert_eq!(rows(&*snapshot, "t").unwrap(), shown([("1", "v=x")]));
}

#[test]
fn what_the_file_holds_does_not_run() {
    let made = Made::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, g INT AS (a * 2) STORED, w TEXT AS ('w' || a), CHECK(a < 100));
         INSERT INTO t VALUES(1, 5);
         CREATE VIEW v AS SELECT * FROM t; CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END;
         CREATE INDEX i ON t(a) WHERE a > 3; CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE",
    );
    let snapshot = made.open();
    assert_eq!(names(&*snapshot), ["auto", "t"]);
    assert_eq!(
        rows(&*snapshot, "t").unwrap(),
        shown([("1", "a=5 g=10 w=w5")])
    );
    let Schema::Columns { sql: Some(sql), .. } = table(&*snapshot, "t").schema() else {
        panic!("no SQL");
    };
    assert_eq!(
        sql.value_types,
        ["INT", "INT GENERATED ALWAYS", "TEXT GENERATED ALWAYS"]
    );
}

#[test]
fn virtual_tables_are_read_by_the_tables_they_keep() {
    let made = Made::new(
        "CREATE VIRTUAL TABLE docs USING fts5(title, body); INSERT INTO docs VALUES('a', 'b c');
         CREATE VIRTUAL TABLE old USING fts4(x); INSERT INTO old VALUES('q');
         CREATE VIRTUAL TABLE bare USING fts5(x, content=''); INSERT INTO bare(rowid, x) VALUES(1, 'q');
         CREATE VIRTUAL TABLE boxes USING rtree(id, a, b); INSERT INTO boxes VALUES(1, 2, 3);
         CREATE TABLE docs_of_mine(id INTEGER PRIMARY KEY)",
    );
    let snapshot = made.open();
    let names = names(&*snapshot);
    let wanted = [
        "bare_config",
        "bare_data",
        "bare_docsize",
        "bare_idx",
        "boxes_node",
        "boxes_parent",
        "boxes_rowid",
        "docs_content",
        "docs_of_mine",
        "old_content",
    ];
    assert_eq!(names, wanted);
    assert_eq!(
        rows(&*snapshot, "docs_content").unwrap(),
        shown([("1", "c0=\\x00ta c1=\\x00tb c")])
    );
    let notes = snapshot.notes();
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert!(
        notes[2].contains("\"docs\" (fts5)") && notes[2].contains("\"docs_content\""),
        "{notes:?}"
    );
    assert!(notes[1].contains("\"boxes\" (rtree)"), "{notes:?}");
}

#[test]
fn collations_and_modules_of_applications_are_not_missed() {
    let made = Made::nothing();
    let connection = Connection::open(&made.path).unwrap();
    connection
        .create_collation("LOCALIZED", |a: &str, b: &str| b.cmp(a))
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t(k TEXT COLLATE LOCALIZED PRIMARY KEY, v INT) WITHOUT ROWID;
             INSERT INTO t VALUES('a', 1), ('b', 2);
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES('table', 'geo', 'geo', 0, 'CREATE VIRTUAL TABLE geo USING notthere(x)');",
        )
        .unwrap();
    drop(connection);
    assert_eq!(made.rows("t"), shown([("a", "v=1"), ("b", "v=2")]));
    assert!(made.open().notes()[0].contains("\"geo\" (notthere)"));
}

#[test]
fn dumps_are_called_what_they_are() {
    let made = Made::nothing();
    for text in [
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCOMMIT;\n",
        "BEGIN TRANSACTION;\nCREATE TABLE t(a);\nCOMMIT;\n",
    ] {
        std::fs::write(&made.path, text).unwrap();
        let error = open(&made.path, &SourceOptions::default()).err().unwrap();
        assert!(error.to_string().contains(".dump"), "{error}");
        assert!(error.hint().unwrap().contains("sqlite3 copy.db"));
    }
}
