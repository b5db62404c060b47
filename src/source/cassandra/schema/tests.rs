//! Schemas as nodes write them.

use std::path::{Path, PathBuf};

use super::*;

fn parse(text: &str) -> Result<TableSchema> {
    TableSchema::parse_cql(text, Path::new("schema.cql"))
}

fn names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn a_snapshots_schema_with_all_that_it_may_have() {
    let schema = parse(
        "CREATE TYPE fx.\"Addr\" (street text, zip int, tags frozen<set<text>>);
         CREATE TABLE IF NOT EXISTS fx.\"Big Table\" (
             \"Part\" int, b text, c1 int, c2 frozen<list<int>>,
             z text static, gone text, again int, home \"Addr\", list frozen<list<int>>, m map<text, frozen<\"Addr\">>,
             PRIMARY KEY ((\"Part\", b), c1, c2)
         ) WITH ID = daaca340-e5e3-11f1-a030-1fb0eccaabeb
             AND CLUSTERING ORDER BY (c1 ASC, c2 DESC)
             AND comment = 'it''s; AND id = 5'
             AND compaction = {'class': 'X', 'and': '4'}
             AND default_time_to_live = 60
             AND gc_grace_seconds = 3600;
         ALTER TABLE fx.\"Big Table\" DROP gone USING TIMESTAMP 1700000000000001;
         ALTER TABLE fx.\"Big Table\" DROP again USING TIMESTAMP -5;
         ALTER TABLE fx.\"Big Table\" ADD again int;
         CREATE INDEX i ON fx.\"Big Table\" (home);",
    )
    .unwrap();
    assert_eq!(
        (schema.keyspace.as_str(), schema.table.as_str()),
        ("fx", "Big Table")
    );
    assert_eq!(
        schema.id.as_deref(),
        Some("daaca340e5e311f1a0301fb0eccaabeb")
    );
    assert_eq!(names(&schema.partition_key), ["Part", "b"]);
    assert_eq!(
        schema.key_type(),
        CqlType::Composite(vec![CqlType::Int, CqlType::Text])
    );
    assert_eq!(names(&schema.clustering), ["c1", "c2"]);
    assert_eq!(
        schema.clustering[1].kind.to_java(),
        "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.Int32Type)))"
    );
    assert_eq!(names(&schema.statics), ["z"]);
    assert_eq!(names(&schema.regulars), ["again", "home", "list", "m"]);
    assert_eq!(
        schema.regulars[3].kind.to_cql(),
        "map<text, frozen<\"Addr\">>"
    );
    assert_eq!(
        (schema.gc_grace_seconds, schema.default_time_to_live),
        (3600, 60)
    );
    assert!(!schema.is_compact);
    let gone = schema.dropped_column("gone").unwrap();
    assert_eq!(
        (gone.kind.as_ref(), gone.dropped_at),
        (Some(&CqlType::Text), Some(1700000000000001))
    );
    assert_eq!(schema.dropped_column("again").unwrap().dropped_at, Some(-5));
}

#[test]
fn short_forms() {
    let schema = parse("create table T (K int primary key, v counter) with compact storage and id='daaca340-e5e3-11f1-a030-1fb0eccaabeb'").unwrap();
    assert_eq!((schema.keyspace.as_str(), schema.table.as_str()), ("", "t"));
    assert_eq!(names(&schema.partition_key), ["k"]);
    assert!(schema.is_compact && schema.is_counter());
    assert_eq!(schema.gc_grace_seconds, 864_000);
    let schema = parse("CREATE TABLE a.t (k int PRIMARY KEY, v text MASKED WITH DEFAULT, w int); ALTER TABLE a.t DROP (v, w); ALTER TABLE a.t RENAME k TO kk").unwrap();
    assert_eq!(names(&schema.partition_key), ["kk"]);
    assert_eq!(schema.regulars, []);
    assert_eq!(schema.dropped.len(), 2);
    assert_eq!(schema.dropped[0].dropped_at, None);
}

#[test]
fn what_is_no_schema_is_refused() {
    for (text, says) in [
        ("", "no CREATE TABLE"),
        (
            "CREATE TABLE a.t (k int PRIMARY KEY); CREATE TABLE a.u (k int PRIMARY KEY)",
            "2 tables",
        ),
        ("CREATE TABLE a.t (k int PRIMARY KEY", "offset 35"),
        ("CREATE TABLE a.t (k int)", "without a primary key"),
        ("CREATE TABLE a.t (k int, PRIMARY KEY (l))", "does not have"),
        ("CREATE TABLE a.t (k addr PRIMARY KEY)", "type addr"),
        (
            "CREATE TABLE a.t (k int PRIMARY KEY) WITH comment = 'x",
            "does not end at offset 52",
        ),
        (
            "CREATE TABLE a.t (k int PRIMARY KEY) WITH gc_grace_seconds = many",
            "gc_grace_seconds",
        ),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

/// Every file named `schema.cql` below a folder.
fn find(folder: &Path, out: &mut Vec<PathBuf>) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            find(&path, out);
        } else if path.file_name().is_some_and(|name| name == "schema.cql") {
            out.push(path);
        }
    }
}

#[test]
fn schemas_of_real_tables_are_read() {
    let shared = std::env::var_os("MDIFF_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let folder = shared.join("fixtures/cassandra");
    if !folder.is_dir() {
        println!("no shared fixtures here: schemas of real tables not tried");
        return;
    }
    let mut paths = Vec::new();
    find(&folder, &mut paths);
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        let schema = TableSchema::parse_cql(&text, path).unwrap();
        assert!(!schema.partition_key.is_empty(), "{}", path.display());
        if text.contains("PRIMARY KEY ((a,b),c1,c2,c3)") {
            assert_eq!(
                schema
                    .clustering
                    .iter()
                    .map(|c| c.kind.is_reversed())
                    .collect::<Vec<_>>(),
                [false, true, true]
            );
        }
    }
    println!("{} schemas of real tables", paths.len());
    assert!(paths.len() > 50);
}
