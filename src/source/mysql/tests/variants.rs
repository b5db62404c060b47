//! Every kind of dump of one database, row for row against what the server said.

use super::*;

/// What a server said it holds: rows by table, in the order of all fields.
pub(super) fn expected(name: &str) -> BTreeMap<String, Vec<Fields>> {
    let mut tables: BTreeMap<String, Vec<Fields>> = BTreeMap::new();
    for line in lines(&testdata(name)) {
        let row = line["row"].as_object().unwrap();
        let fields = row
            .iter()
            .map(|(name, field)| (name.clone(), field.as_str().map(unhex)))
            .collect();
        let table = line["table"].as_str().unwrap().to_owned();
        tables.entry(table).or_default().push(fields);
    }
    tables.values_mut().for_each(|rows| rows.sort());
    tables
}

fn check(path: &Path, options: &SourceOptions, in_column_charset: bool) {
    let shown = path.display();
    let snapshot = source::open(path, options).unwrap_or_else(|e| panic!("{shown}: {e}"));
    let mut found = 0;
    for (name, mut want) in expected("expected.jsonl") {
        if name.starts_with("we`") && shown.to_string().contains("mydumper") {
            continue;
        }
        let mut rows = rows_of(table(&*snapshot, &name)).unwrap_or_else(|e| panic!("{shown}: {e}"));
        if in_column_charset && name == "types" {
            rows.iter_mut().chain(&mut want).for_each(|row| {
                row.remove("v");
            });
        }
        rows.sort();
        found += rows.len();
        assert_eq!(rows, want, "{shown}: {name}");
    }
    assert!(found >= 15, "{found}");
    assert!(
        rows_of(table(&*snapshot, "log")).unwrap().is_empty()
            || shown.to_string().contains("mydumper")
    );
    snapshot.check_unchanged().unwrap();
}

#[test]
fn every_dump_of_a_database_holds_the_rows_of_the_server() {
    let mut dumps: Vec<PathBuf> = std::fs::read_dir(testdata("dumps"))
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    dumps.sort();
    assert_eq!(dumps.len(), 12);
    for path in &dumps {
        let is_binary = path.ends_with("binary.sql");
        check(path, &SourceOptions::default(), is_binary);
        check(path, &unmapped(), is_binary);
    }
}

#[test]
fn folders_hold_the_rows_of_the_server() {
    for options in [SourceOptions::default(), unmapped()] {
        check(&testdata("tab"), &options, true);
        check(&testdata("mydumper"), &options, true);
        check(&testdata("tab-csv"), &quoted_csv(options), true);
    }
}

#[test]
fn texts_of_select_into_outfile_hold_the_rows_of_a_server_of_mysql() {
    let folder = testdata("outfile-5.6");
    let snapshot = source::open(&folder, &SourceOptions::default()).unwrap();
    let expected = expected("outfile-5.6/expected.jsonl");
    assert_eq!(expected.len(), 2);
    for (name, want) in expected {
        let mut rows = rows_of(table(&*snapshot, &name)).unwrap();
        rows.sort();
        assert_eq!(rows, want, "{name}");
    }
}

#[test]
fn separators_that_were_not_told_are_an_error() {
    let snapshot = source::open(&testdata("tab-csv"), &SourceOptions::default()).unwrap();
    let error = error_of(rows_of(table(&*snapshot, "types")));
    assert_eq!(error.exit_code(), 3, "{error}");
}

/// The fixtures of the project, where they lie beside it.
#[test]
fn the_whole_fixtures_hold_what_the_server_said() {
    let shared = std::env::var_os("MDIFF_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let fixtures = shared.join("fixtures/mariadb");
    if !fixtures.is_dir() {
        println!("without the fixtures, which do not lie beside this repository");
        return;
    }
    for side in ["a", "b"] {
        let folder = fixtures.join(side);
        let ansi = SourceOptions {
            schema: Some(folder.join("dump.sql")),
            ..SourceOptions::default()
        };
        for (name, options) in [
            ("dump.sql", SourceOptions::default()),
            ("dump.skip-extended.sql", unmapped()),
            ("dump.hex-blob.sql", SourceOptions::default()),
            ("dump.ansi.sql", ansi),
            ("dump.xml", SourceOptions::default()),
            ("tab", SourceOptions::default()),
            ("tab-csv", quoted_csv(SourceOptions::default())),
        ] {
            let snapshot = source::open(&folder.join(name), &options).unwrap();
            let accounts = rows_of(table(&*snapshot, "accounts")).unwrap();
            // These two were written in UTF-8, which replaces what is none in binary columns.
            let lossy = name.starts_with("tab");
            check_accounts(&accounts, &folder, lossy);
            if name.starts_with("dump.") && !name.contains("xml") && !name.contains("ansi") {
                check_events(&rows_of(table(&*snapshot, "events")).unwrap(), &folder);
            }
        }
    }
}

fn check_accounts(rows: &[Fields], folder: &Path, lossy: bool) {
    let mut want: Vec<Fields> = lines(&folder.join("expected.accounts.jsonl"))
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().map(|text| text.as_bytes().to_vec());
            let amount = line["amount"].as_str().map(|amount| {
                let plain = amount.trim_end_matches('0').trim_end_matches('.');
                plain.as_bytes().to_vec()
            });
            BTreeMap::from([
                ("id".to_owned(), Some(line["id"].to_string().into_bytes())),
                ("name".to_owned(), text("name")),
                ("note".to_owned(), text("note")),
                ("data".to_owned(), line["data_hex"].as_str().map(unhex)),
                ("amount".to_owned(), amount),
                (
                    "ok".to_owned(),
                    line["ok"]
                        .as_bool()
                        .map(|ok| vec![if ok { b'1' } else { b'0' }]),
                ),
                ("at".to_owned(), text("at")),
            ])
        })
        .collect();
    let mut rows = rows.to_vec();
    if lossy {
        rows.iter_mut().chain(&mut want).for_each(|row| {
            row.remove("data");
        });
    }
    rows.sort();
    want.sort();
    assert_eq!(rows, want);
}

fn check_events(rows: &[Fields], folder: &Path) {
    let want = lines(&folder.join("expected.events.jsonl"));
    assert_eq!(rows.len(), want.len());
    for line in &want {
        let number = |name: &str| Some(line[name].to_string().into_bytes());
        let row = rows
            .iter()
            .find(|row| row["tenant"] == number("tenant") && row["seq"] == number("seq"))
            .unwrap();
        for name in ["b", "y"] {
            let want = (!line[name].is_null()).then(|| line[name].to_string().into_bytes());
            assert_eq!(row[name], want, "{line}");
        }
        for name in ["kind", "body", "f"] {
            let want = line[name].as_str().map(|text| text.as_bytes().to_vec());
            assert_eq!(row[name], want, "{line}");
        }
    }
}
