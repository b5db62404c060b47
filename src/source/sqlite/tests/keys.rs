//! Which columns are the key, and what if there is none.

use super::*;

fn with_key(key: &[&str]) -> SourceOptions {
    let mut options = SourceOptions::default();
    options.text.key = key.iter().map(|name| (*name).to_owned()).collect();
    options
}

fn key_of(snapshot: &dyn Snapshot, name: &str) -> Vec<String> {
    match table(snapshot, name).schema() {
        Schema::Columns { key, .. } => key.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_primary_key_is_the_key_in_its_order() {
    let made = Made::new(
        "CREATE TABLE a(v, id INTEGER PRIMARY KEY);
         CREATE TABLE b(x TEXT, y INT, z, PRIMARY KEY(y, x));
         CREATE TABLE c(x TEXT, y INT, z, PRIMARY KEY(y, x)) WITHOUT ROWID;
         CREATE TABLE Z(a TEXT PRIMARY KEY COLLATE NOCASE);
         INSERT INTO a VALUES('v', -3), (NULL, 12);
         INSERT INTO b VALUES('x', 2, 1.5), ('', 10, x'00'), ('a,b', 2, NULL);
         INSERT INTO c SELECT * FROM b;
         INSERT INTO Z VALUES('b'), ('A');",
    );
    let snapshot = made.open();
    assert_eq!(names(&*snapshot), ["Z", "a", "b", "c"]);
    assert_eq!(key_of(&*snapshot, "a"), ["id"]);
    assert_eq!(key_of(&*snapshot, "b"), ["y", "x"]);
    assert_eq!(
        made.rows("a"),
        shown([("-3", "v=\\x00tv"), ("12", "v=NULL")])
    );
    let wanted = shown([
        ("2,x", "z=\\x00r1.5"),
        ("10,", "z=\\x00b\\x00"),
        ("2,a,b", "z=NULL"),
    ]);
    assert_eq!(made.rows("b"), wanted);
    assert_eq!(made.rows("c"), wanted);
    assert_eq!(made.rows("Z"), shown([("b", ""), ("A", "")]));
}

#[test]
fn a_table_without_a_key_blocks_no_other() {
    let made = Made::new(
        "CREATE TABLE good(id INTEGER PRIMARY KEY, v INT); CREATE TABLE log(at, what TEXT);
         CREATE TABLE hidden(rowid TEXT, v);
         INSERT INTO good VALUES(1, 2); INSERT INTO log VALUES(1, 'a'), (2, 'b'); INSERT INTO hidden VALUES('r', 1)",
    );
    assert_eq!(made.rows("good"), shown([("1", "v=2")]));
    let counted = shown([("\\x00i1,a", "copies=1"), ("\\x00i2,b", "copies=1")]);
    assert_eq!(made.rows("log"), counted);

    let read = |key: &[&str], table: &str| {
        let snapshot = open(&made.path, &with_key(key)).unwrap();
        rows(&*snapshot, table)
    };
    let log = shown([("\\x00i1", "what=a"), ("\\x00i2", "what=b")]);
    assert_eq!(read(&["at"], "log").unwrap(), log);
    assert_eq!(read(&["at"], "good").unwrap(), shown([("1", "v=2")]));
    let by_both = shown([("b,\\x00i2", ""), ("a,\\x00i1", "")]);
    assert_eq!(read(&["what", "at"], "log").unwrap(), by_both);
    let by_rowid = shown([("1", "at=\\x00i1 what=a"), ("2", "at=\\x00i2 what=b")]);
    assert_eq!(read(&["rowid"], "log").unwrap(), by_rowid);
    // A primary key is better than a rowid, and a column of this name is that column.
    assert_eq!(read(&["rowid"], "good").unwrap(), shown([("1", "v=2")]));
    assert_eq!(
        read(&["rowid"], "hidden").unwrap(),
        shown([("r", "v=\\x00i1")])
    );
    // One that is asked for is taken, and checked.
    assert_eq!(read(&["v"], "good").unwrap(), shown([("2", "id=1")]));
}

#[test]
fn keys_that_do_not_tell_rows_apart_are_refused() {
    let made = Made::new(
        "CREATE TABLE t(a TEXT PRIMARY KEY, b INT, c INT);
         INSERT INTO t VALUES('x', 1, 1), ('y', 1, 2), (NULL, 5, 3)",
    );
    let wanted = shown([("x", "b=1 c=1"), ("y", "b=1 c=2"), ("\\x00n", "b=5 c=3")]);
    assert_eq!(made.rows("t"), wanted);
    let error = error_of(&made.path, &with_key(&["b"]), "t");
    assert_eq!(error.exit_code(), 3);
    assert!(
        error
            .to_string()
            .contains("row 1 of table \"t\" and at row 2"),
        "{error}"
    );
    made.run("INSERT INTO t VALUES(NULL, 6, 4)");
    let error = error_of(&made.path, &SourceOptions::default(), "t");
    assert!(error.to_string().contains("stands twice"), "{error}");
}

#[test]
fn columns_can_be_chosen_and_misspelled_ones_are_told() {
    let made = Made::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c); CREATE TABLE u(a TEXT PRIMARY KEY, d INT);
         INSERT INTO t VALUES(1, 2, 3, 4); INSERT INTO u VALUES('k', 5)",
    );
    let read = |set: &dyn Fn(&mut crate::source::TextOptions), table: &str| {
        let mut options = SourceOptions::default();
        set(&mut options.text);
        open(&made.path, &options).and_then(|snapshot| rows(&*snapshot, table))
    };
    let only = |o: &mut crate::source::TextOptions| o.columns = vec!["b".into()];
    assert_eq!(read(&only, "t").unwrap(), shown([("1", "b=\\x00i3")]));
    assert_eq!(read(&only, "u").unwrap(), shown([("k", "")]));
    let without =
        |o: &mut crate::source::TextOptions| o.ignore_columns = vec!["a".into(), "c".into()];
    assert_eq!(read(&without, "t").unwrap(), shown([("1", "b=\\x00i3")]));
    let error = read(&without, "u").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\"a\" is a column of the key of table \"u\""),
        "{error}"
    );
    for (set, flag) in [
        (
            &(|o: &mut crate::source::TextOptions| o.columns = vec!["B".into()]) as &dyn Fn(&mut _),
            "--columns",
        ),
        (
            &|o: &mut crate::source::TextOptions| o.ignore_columns = vec!["x".into()],
            "--ignore-columns",
        ),
        (
            &|o: &mut crate::source::TextOptions| o.key = vec!["x".into()],
            "--key",
        ),
        (
            &|o: &mut crate::source::TextOptions| o.key = vec!["b".into(), "d".into()],
            "--key",
        ),
    ] {
        let error = read(set, "t").unwrap_err();
        assert!(error.to_string().starts_with(flag), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn a_key_that_several_texts_equal_is_compared_by_bytes_in_statements() {
    let made =
        Made::new("CREATE TABLE t(n TEXT COLLATE NOCASE, k TEXT COLLATE NOCASE PRIMARY KEY)");
    for (key, wanted) in [(&[][..], "TEXT"), (&["n"], "TEXT COLLATE")] {
        let snapshot = open(&made.path, &with_key(key)).unwrap();
        let Schema::Columns { sql: Some(sql), .. } = snapshot.tables()[0].schema().clone() else {
            panic!("no SQL");
        };
        assert_eq!(sql.key_types, [wanted]);
        assert_eq!(sql.name, ["t"]);
    }
}
