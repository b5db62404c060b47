//! Dumps of MySQL's own server by its own mysqldump, row for row against what the server said.

use super::variants::expected;
use super::*;

type Tables = BTreeMap<String, Vec<Fields>>;

fn folder(name: &str) -> PathBuf {
    testdata("mysql-9.7").join(name)
}

fn known(side: &str) -> Tables {
    let tables = expected(&format!("mysql-9.7/{side}.expected.jsonl"));
    assert!(tables.values().flatten().count() == 49);
    tables
}

/// The rows of these tables, and no other table but empty ones.
fn check(path: &Path, options: &SourceOptions, known: &Tables) {
    check_without(&[], path, options, known);
}

/// The same without these columns.
fn check_without(left_out: &[&str], path: &Path, options: &SourceOptions, known: &Tables) {
    let known = changed(known, |row, _| {
        row.retain(|name, _| !left_out.contains(&name.as_str()))
    });
    let shown = path.display();
    let snapshot = source::open(path, options).unwrap_or_else(|e| panic!("{shown}: {e}"));
    for table in snapshot.tables() {
        let mut rows = rows_of(table).unwrap_or_else(|e| panic!("{shown}: {e}"));
        rows.iter_mut()
            .for_each(|row| row.retain(|name, _| !left_out.contains(&name.as_str())));
        rows.sort();
        let known = known.get(table.name()).cloned().unwrap_or_default();
        assert_eq!(rows, known, "{shown}: {}", table.name());
    }
    for name in known.keys() {
        table(&*snapshot, name);
    }
}

/// With the texts that a change leaves.
fn changed(tables: &Tables, change: impl Fn(&mut Fields, &str)) -> Tables {
    let mut tables = tables.clone();
    for (name, rows) in &mut tables {
        rows.iter_mut().for_each(|row| change(row, name));
        rows.sort();
    }
    tables
}

/// As a server tells texts to who asks for latin1.
fn in_latin1(tables: &Tables) -> Tables {
    changed(tables, |row, table| {
        let texts: &[&str] = match table {
            "kinds" => &["c", "v", "t", "tt", "u3", "a", "u16", "e", "s", "j", "ex"],
            "names" => &["name"],
            name if name.starts_with("we`") => &["a,b", r"d\\"],
            _ => &[],
        };
        for name in texts {
            let field = row.get_mut(*name).unwrap();
            let text = field.take().map(|bytes| String::from_utf8(bytes).unwrap());
            let byte = |sign| match sign {
                '\u{20ac}' => 0x80, // latin1 is windows-1252
                sign => u8::try_from(sign).unwrap_or(b'?'),
            };
            *field = text.map(|text| text.chars().map(byte).collect());
        }
    })
}

#[test]
fn every_dump_holds_the_rows_of_the_server() {
    let base = known("base");
    for options in [SourceOptions::default(), unmapped()] {
        for name in [
            "plain.sql",
            "hex-blob-routines.sql",
            "skip-extended-insert.sql",
            "compact.sql",
            "complete-insert.sql",
            "ansi.sql",
            "replace-skip-opt.sql",
            "plain.xml",
            "hex-blob.xml",
        ] {
            check(&folder(&format!("dumps/{name}.gz")), &options, &base);
        }
        check(&folder("target.sql.gz"), &options, &known("target"));
        let latin1 = folder("dumps/latin1.sql.gz");
        check(&latin1, &options, &in_latin1(&base));
    }
}

#[test]
fn a_dump_of_two_databases_holds_the_rows_of_both() {
    let mut both = Tables::new();
    for side in ["base", "target"] {
        let tables = known(side).into_iter();
        both.extend(tables.map(|(name, rows)| (format!("{side}.{name}"), rows)));
    }
    let path = folder("dumps/two.sql.gz");
    check(&path, &SourceOptions::default(), &both);
}

/// The rows of a folder whose texts are in the character sets of their columns, without the texts that are not in UTF-8.
fn check_in_charsets(path: &Path, mut options: SourceOptions, known: &Tables) {
    for mmap in [true, false] {
        options.file.mmap = mmap;
        check_without(&["v", "u16"], path, &options, known);
    }
}

/// The folder of `--tab`, with the name that the server gave the files called `weird` here: not every system has such names.
fn tab() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder("tab")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let name = name.replace("weird", "we`ird ; n\"ame");
        std::fs::copy(file.path(), copy.path().join(name)).unwrap();
    }
    copy
}

#[test]
fn texts_in_the_character_sets_of_their_columns_are_read_as_they_are() {
    let base = known("base");
    let mut few = base.clone();
    few.retain(|name, _| name == "kinds" || name == "names");
    for (name, options, known) in [
        ("dumps/binary.sql.gz", SourceOptions::default(), &base),
        ("tab-csv", quoted_csv(SourceOptions::default()), &few),
    ] {
        check_in_charsets(&folder(name), options, known);
    }
    let tab = tab();
    check_in_charsets(tab.path(), SourceOptions::default(), &base);
    let snapshot = source::open(tab.path(), &SourceOptions::default()).unwrap();
    let rows = rows_of(table(&*snapshot, "kinds")).unwrap();
    let row = |id: &[u8]| {
        let found = rows.iter().find(|row| row["id"].as_deref() == Some(id));
        found.unwrap().clone()
    };
    assert_eq!(row(b"1")["v"].as_deref(), Some(&b"l\xe4tin"[..]));
    assert_eq!(row(b"4294967295")["u16"].as_deref(), Some(&b"\x046"[..]));
}
