//! Delimited text against tables made up in the test and against the csv crate's reader; in tests all windows are tiny, so
//! small texts meet every seam.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::file::input::FileOptions;
use crate::row::Row;
use crate::row::columns::{push_key_column, push_value_column};
use crate::source::TextOptions;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn open_text(text: &[u8], name: &str, options: &SourceOptions) -> Result<Csv> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    let input = Input::open(&path, &options.file).unwrap();
    Csv::open(input, options)
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn with_text(text: TextOptions) -> SourceOptions {
    SourceOptions {
        text,
        ..SourceOptions::default()
    }
}

/// Runs `work` as a build does: again, as long as the table arranges for something better.
fn with_recovery<T>(table: &dyn Table, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..5 {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) if table.recover(&error)? => {}
            Err(error) => return Err(error),
        }
    }
    panic!("recovers for ever");
}

fn scan(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    table.scan(range)?.for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    })?;
    Ok(rows)
}

fn scan_by_next(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    let mut stream = table.scan(range)?;
    while let Some(row) = stream.next()? {
        rows.push((row.key.to_vec(), row.value.to_vec()));
    }
    Ok(rows)
}

fn read(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    with_recovery(table, || scan(table, range))
}

fn read_in_pieces(table: &dyn Table, range: &KeyRange, pieces: usize) -> Result<Rows> {
    with_recovery(table, || {
        let cuts = table.split(range, pieces)?;
        assert!(cuts.len() < pieces.max(1));
        assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
        let mut rows = Vec::new();
        for piece in range.cut_at(&cuts) {
            rows.extend(scan(table, &piece)?);
        }
        Ok(rows)
    })
}

fn read_text(text: &[u8], options: &SourceOptions) -> Result<Rows> {
    read(&open_text(text, "t.csv", options)?, &KeyRange::all())
}

/// A table as the test made it up: each row's fields, in the order of the columns.
#[derive(Debug, Clone)]
struct Made {
    names: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    key: Vec<usize>,
}

impl Made {
    fn key_of(&self, row: &[Option<String>]) -> Vec<u8> {
        let field = |at: usize| row[at].as_deref().unwrap_or_default().as_bytes();
        if let [at] = self.key[..] {
            return field(at).to_vec();
        }
        let mut key = Vec::new();
        for &at in &self.key {
            push_key_column(&mut key, field(at));
        }
        key
    }

    /// What reading it must give.
    fn encoded(&self) -> Rows {
        let mut value_columns: Vec<usize> = (0..self.names.len())
            .filter(|at| !self.key.contains(at))
            .collect();
        value_columns.sort_by_key(|&at| &self.names[at]);
        let mut rows: Rows = self
            .rows
            .iter()
            .map(|row| {
                let mut value = Vec::new();
                for &at in &value_columns {
                    push_value_column(&mut value, row[at].as_deref().map(str::as_bytes));
                }
                (self.key_of(row), value)
            })
            .collect();
        rows.sort();
        rows
    }

    fn sort(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|row| self.key_of(row));
        self.rows = rows;
    }

    /// Writes it with each thing that may be written in two ways chosen by a bit of `choices`.
    fn write(&self, delimiter: char, choices: u64) -> String {
        let mut state = choices | 1;
        let mut choose = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            state >> 63 == 1
        };
        let mut text = String::new();
        let header: Vec<_> = self.names.iter().cloned().map(Some).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            for (i, field) in row.iter().enumerate() {
                if i > 0 {
                    text.push(delimiter);
                }
                match field {
                    None => text.push_str("NULL"),
                    Some(field) => {
                        if field.contains(['"', '\n', '\r', delimiter])
                            || field == "NULL"
                            || choose()
                        {
                            text.push('"');
                            text.push_str(&field.replace('"', "\"\""));
                            text.push('"');
                        } else {
                            text.push_str(field);
                        }
                    }
                }
            }
            text.push_str(if choose() { "\n" } else { "\r\n" });
        }
        if choose() {
            // An unquoted empty last field of a table of one column would vanish with its line end.
            let without = text.trim_end_matches(['\r', '\n']).len();
            if text.len() - without <= 2 && self.names.len() > 1 {
                text.truncate(without);
            }
        }
        text
    }

    fn options(&self, delimiter: char) -> SourceOptions {
        with_text(TextOptions {
            key: self.key.iter().map(|&at| self.names[at].clone()).collect(),
            delimiter: Some(delimiter as u8),
            null: Some("NULL".into()),
            ..TextOptions::default()
        })
    }
}

fn field() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "b",
            "0",
            "1",
            "\"",
            ",",
            "\n",
            "\r\n",
            "\r",
            ";",
            "\t",
            "NULL",
            "\u{fc}",
            " ",
            "\0",
            "\u{1}",
            "long long text",
        ]),
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

/// Up to 60 rows of up to 5 columns, with unique keys of one or two columns, in no order.
fn made() -> impl Strategy<Value = Made> {
    (1usize..6, 1usize..3, any::<u64>())
        .prop_flat_map(|(columns, key_columns, seed)| {
            let row = (
                prop::collection::vec(field(), columns),
                prop::collection::vec(prop::bool::weighted(0.1), columns),
            );
            (
                prop::collection::vec(row, 0..60),
                Just((columns, key_columns.min(columns), seed)),
            )
        })
        .prop_map(|(rows, (columns, key_columns, seed))| {
            // Names in an order that is not theirs.
            let mut names: Vec<String> = (0..columns).map(|i| format!("c{i}")).collect();
            names.sort_by_key(|name| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed));
            let key: Vec<usize> = (0..key_columns)
                .map(|i| (i + seed as usize % columns) % columns)
                .collect();
            let mut made = Made {
                names,
                rows: Vec::new(),
                key,
            };
            let mut unique = BTreeMap::new();
            for (fields, nulls) in rows {
                let row: Vec<Option<String>> = fields
                    .into_iter()
                    .zip(nulls)
                    .enumerate()
                    .map(|(at, (field, null))| (!null || made.key.contains(&at)).then_some(field))
                    .collect();
                unique.insert(made.key_of(&row), row);
            }
            let mut rows: Vec<_> = unique.into_iter().collect();
            rows.sort_by_key(|(key, _)| xxhash_rust::xxh3::xxh3_64_with_seed(key, seed));
            made.rows = rows.into_iter().map(|(_, row)| row).collect();
            made
        })
}

proptest! {
    #[test]
    fn reads_what_was_written(
        mut made in made(),
        sorted: bool,
        mmap: bool,
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        choices: u64,
    ) {
        if sorted {
            made.sort();
        }
        let text = made.write(delimiter, choices);
        let mut options = made.options(delimiter);
        options.file.mmap = mmap;
        options.sort_memory_bytes = 500;
        let want = made.encoded();
        for pieces in [1, 2, 3, 7, 50] {
            let table = open_text(text.as_bytes(), "t.csv", &options).unwrap();
            prop_assert_eq!(&read_in_pieces(&table, &KeyRange::all(), pieces).unwrap(), &want, "{} pieces of {:?}", pieces, text);
            prop_assert_eq!(table.sorted.get().is_none(), made.rows.is_sorted_by_key(|row| made.key_of(row)));
            prop_assert_eq!(&scan_by_next(&table, &KeyRange::all()).unwrap(), &want);
        }
    }

    #[test]
    fn reads_any_part(
        mut made in made(),
        sorted: bool,
        mmap: bool,
        choices: u64,
        from in field(),
        to in prop::option::of(field()),
        at in any::<(prop::sample::Index, prop::sample::Index, u8)>(),
    ) {
        if sorted {
            made.sort();
        }
        let text = made.write(',', choices);
        let mut options = made.options(',');
        options.file.mmap = mmap;
        let all = made.encoded();
        let mut range = KeyRange { from: from.into_bytes(), to: to.map(String::into_bytes) };
        // Keys of rows, or their neighbours, as often as not.
        if !all.is_empty() {
            if at.2 & 1 != 0 {
                range.from = at.0.get(&all).0.clone();
            }
            if at.2 & 2 != 0 {
                range.to = Some(at.1.get(&all).0.clone());
            }
            if at.2 & 4 != 0 {
                range.from.push(0);
            }
        }
        let want: Rows = all.iter().filter(|(key, _)| range.contains(key)).cloned().collect();
        let table = open_text(text.as_bytes(), "t.csv", &options).unwrap();
        prop_assert_eq!(&read(&table, &range).unwrap(), &want, "{:?} of {:?}", &range, &text);
        prop_assert_eq!(&read_in_pieces(&table, &range, 3).unwrap(), &want);
        let table = open_text(text.as_bytes(), "t.csv", &options).unwrap();
        prop_assert_eq!(&read_in_pieces(&table, &KeyRange::all(), 5).unwrap(), &all);
        prop_assert_eq!(&read(&table, &range).unwrap(), &want);
    }

    #[test]
    fn the_order_of_columns_does_not_matter(made in made(), seed: u64, choices: u64) {
        let mut order: Vec<usize> = (0..made.names.len()).collect();
        order.sort_by_key(|&at| xxhash_rust::xxh3::xxh3_64_with_seed(&[at as u8], seed));
        let other = Made {
            names: order.iter().map(|&at| made.names[at].clone()).collect(),
            rows: made.rows.iter().map(|row| order.iter().map(|&at| row[at].clone()).collect()).collect(),
            key: made.key.iter().map(|at| order.iter().position(|o| o == at).unwrap()).collect(),
        };
        let left = read_text(made.write(',', choices).as_bytes(), &made.options(',')).unwrap();
        let right = read_text(other.write(',', !choices).as_bytes(), &other.options(',')).unwrap();
        prop_assert_eq!(left, right);
    }

    /// The csv crate reads the same fields. It takes a lone `\r` for a line end and skips every empty line; so do without.
    #[test]
    fn agrees_with_the_csv_crate(mut made in made(), choices: u64) {
        for field in made.rows.iter_mut().flatten().flatten() {
            *field = field.replace('\r', "");
        }
        made.rows.retain(|row| row.iter().any(|field| field.as_deref() != Some("")));
        let text = made.write(',', choices);
        let mut options = made.options(',');
        options.text.null = None;
        let mut oracle = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let names: Vec<String> = oracle.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = oracle.byte_records().map(|record| {
            record.unwrap().iter().map(|field| Some(String::from_utf8(field.to_vec()).unwrap())).collect()
        });
        let oracle = Made { names, rows: rows.collect(), key: made.key.clone() };
        let want = oracle.encoded();
        match read_text(text.as_bytes(), &options) {
            Ok(rows) => prop_assert_eq!(rows, want),
            Err(error) => {
                prop_assert!(matches!(error.kind(), ErrorKind::Duplicate { .. }), "{}", error);
                prop_assert!(want.windows(2).any(|pair| pair[0].0 == pair[1].0));
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        text in prop::collection::vec(prop::sample::select(b"a1b2,,\"\"\n\n\r\0\xff;".to_vec()), 0..400),
        no_header: bool,
        mmap: bool,
        key in prop::sample::subsequence(vec!["1", "2"], 0..3),
    ) {
        let mut options = with_text(TextOptions { no_header, key: list(&key), null: Some("a".into()), ..TextOptions::default() });
        options.file.mmap = mmap;
        if let Ok(table) = open_text(&text, "t.csv", &options) {
            let whole = read(&table, &KeyRange::all());
            let table = open_text(&text, "t.csv", &options).unwrap();
            let pieces = read_in_pieces(&table, &KeyRange::all(), 5);
            prop_assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok());
            let table = open_text(&text, "t.csv", &options).unwrap();
            let part = KeyRange { from: b"1".to_vec(), to: Some(b"2".to_vec()) };
            if let (Ok(whole), Ok(rows)) = (&whole, read(&table, &part)) {
                let want: Rows = whole.iter().filter(|(key, _)| part.contains(key)).cloned().collect();
                prop_assert_eq!(rows, want);
            }
            table.estimate();
        }
    }

    #[test]
    fn writes_what_it_reads(made in made(), delimiter in prop::sample::select(vec![',', '\t']), choices: u64) {
        let options = made.options(delimiter);
        let want = made.encoded();
        let table = open_text(made.write(delimiter, choices).as_bytes(), "t.csv", &options).unwrap();
        let rows = read(&table, &KeyRange::all()).unwrap();
        let copy = write_all(|out| table.writer(out).unwrap(), &rows);
        let again = open_text(&copy, "t.csv", &options).unwrap();
        prop_assert_eq!(&again.body.text.columns.names, &made.names);
        prop_assert_eq!(again.dialect.has_carriage_returns, table.dialect.has_carriage_returns);
        prop_assert_eq!(&read(&again, &KeyRange::all()).unwrap(), &want, "{:?}", String::from_utf8_lossy(&copy));
        prop_assert!(again.sorted.get().is_none());
        let converted = write_all(|out| (FORMAT.create.unwrap())(out, table.schema(), &options).unwrap(), &rows);
        let again = open_text(&converted, "t.csv", &options).unwrap();
        prop_assert_eq!(again.schema(), table.schema());
        prop_assert_eq!(read(&again, &KeyRange::all()).unwrap(), want);
    }
}

proptest! {
    // Each case is some hundred texts.
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 64 }))]

    #[test]
    fn a_text_cut_anywhere_gives_whole_rows_or_an_error(mut made in made(), choices: u64, sorted: bool) {
        if sorted {
            made.sort();
        }
        made.rows.truncate(4);
        let text = made.write(',', choices);
        let options = made.options(',');
        for len in 0..=text.len() {
            let Ok(rows) = read_text(&text.as_bytes()[..len], &options) else {
                continue;
            };
            // All but the last record in the text are whole.
            let whole = made.encoded();
            let strange = rows.iter().filter(|row| !whole.contains(row)).count();
            prop_assert!(strange <= 1, "{} of {:?}", len, text);
        }
    }
}

/// Texts written and read by Python's csv module; `testdata/csv/README.md` says how.
#[test]
fn reads_what_python_reads() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/csv");
    let mut cases = 0;
    for case in std::fs::read_dir(&folder).unwrap() {
        let case = case.unwrap().path();
        let Ok(how) = std::fs::read(case.join("options.json")) else {
            continue;
        };
        let how: serde_json::Value = serde_json::from_slice(&how).unwrap();
        let mut options = with_text(TextOptions {
            key: serde_json::from_value(how["key"].clone()).unwrap(),
            no_header: how["no_header"].as_bool().unwrap(),
            delimiter: how["delimiter"].as_str().map(|text| text.as_bytes()[0]),
            ..TextOptions::default()
        });
        let want: Vec<serde_json::Value> = std::fs::read_to_string(case.join("rows.jsonl"))
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for (mmap, pieces) in [(true, 1), (true, 7), (false, 1), (false, 7)] {
            options.file.mmap = mmap;
            let path = case.join(how["file"].as_str().unwrap());
            let snapshot = crate::source::open(&path, &options).unwrap();
            let table = snapshot.tables()[0];
            let rows: Vec<_> = read_in_pieces(table, &KeyRange::all(), pieces)
                .unwrap()
                .iter()
                .map(|(key, value)| {
                    serde_json::json!({
                        "key": crate::row::json::key_json(table.schema(), key),
                        "value": crate::row::json::value_json(table.schema(), value),
                    })
                })
                .collect();
            assert_eq!(rows, want, "{}", path.display());
            snapshot.check_unchanged().unwrap();
        }
        cases += 1;
    }
    assert_eq!(cases, 7);
}

/// A writer whose bytes the test can get at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write_all(
    make: impl FnOnce(Box<dyn std::io::Write>) -> Box<dyn RowWriter>,
    rows: &Rows,
) -> Vec<u8> {
    let out = Shared::default();
    let mut writer = make(Box::new(out.clone()));
    for (key, value) in rows {
        writer.put(Row { key, value }).unwrap();
    }
    writer.finish().unwrap();
    let bytes = out.0.lock().unwrap();
    bytes.clone()
}

/// The message without the folder.
fn message(error: &Error) -> String {
    let text = error.to_string();
    match text.find("t.csv") {
        Some(at) => text[at..].to_owned(),
        None => text,
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    for (text, want) in [
        (
            "id,a\n1,x\n2,y\"z\n",
            "t.csv: line 3: a quote inside an unquoted field at offset 12",
        ),
        (
            "id,a\n1,\"x\"y\n",
            "t.csv: line 2: text behind a closing quote at offset 10",
        ),
        (
            "id,a\n1,\"x\n\n",
            "t.csv: line 2: a quoted field is never closed at offset 7",
        ),
        (
            "id,a\n1,\"x\n\"\"\n",
            "t.csv: line 2: a quoted field is never closed at offset 7",
        ),
        (
            "id,a\n1,x\n2\n",
            "t.csv: line 3: a record of 1 field where the table has 2 columns at offset 9",
        ),
        (
            "id,a\n1,x\n\n2,\"\n\",c\n",
            "t.csv: line 4: a record of 3 fields where the table has 2 columns at offset 10",
        ),
        (
            "id,a\n1,x\nN,x\n",
            "t.csv: line 3: NULL in \"id\", a column of the key, at offset 9",
        ),
        (
            "id,a\n1,\"x\"\nN,\"x\"\n",
            "t.csv: line 3: NULL in \"id\", a column of the key, at offset 11",
        ),
        (
            "id,a\n1,x\n1,x\n",
            "t.csv: key 1 stands twice: at line 2, offset 5 and at line 3, offset 9",
        ),
        (
            "id,a\n2,x\n1,\"\n\"\n2,z\n",
            "t.csv: key 2 stands twice: at line 2, offset 5 and at line 5, offset 15",
        ),
        (
            "\"id,a\n1,x\n",
            "t.csv: line 1: a quoted field is never closed at offset 0",
        ),
        (
            "i\"d,a\n1,x\n",
            "t.csv: line 1: a quote inside an unquoted field at offset 1",
        ),
        (
            "id,a,a\n1,x,y\n",
            "t.csv: columns 2 and 3 are both named \"a\"",
        ),
        ("", "t.csv: no header line: the file is empty"),
        ("\n\r\n", "t.csv: no header line: the file is empty"),
        (
            "id,a\r1,x\r",
            "t.csv: the header holds a carriage return without a line feed",
        ),
    ] {
        for mmap in [true, false] {
            let mut options = with_text(TextOptions {
                null: Some("N".into()),
                ..TextOptions::default()
            });
            options.file.mmap = mmap;
            let error = read_text(text.as_bytes(), &options).expect_err(text);
            assert_eq!(message(&error), want, "{text:?}");
            assert_eq!(error.exit_code(), 3, "{text:?}");
        }
    }
}

#[test]
fn the_first_flaw_is_named_whoever_meets_it() {
    let mut text = String::from("id,a\n");
    for i in 0..200 {
        let stray = if i == 60 { "\"" } else { "" };
        text.push_str(&format!("{i:04},\"quoted\n{i}\"{stray}\n"));
    }
    let table = open_text(text.as_bytes(), "t.csv", &SourceOptions::default()).unwrap();
    let last = KeyRange {
        from: b"0150".to_vec(),
        to: None,
    };
    for range in [last, KeyRange::all()] {
        let error = read_in_pieces(&table, &range, 9).unwrap_err();
        // Line 1 is the header, each row before the flaw has two lines, and the field one line end; the stray quote
        // doubles the closing one, so the field ends at the next opening quote.
        assert_eq!(
            message(&error),
            "t.csv: line 124: text behind a closing quote at offset 1039"
        );
    }
}

#[test]
fn limits_hold() {
    for (set, text, want) in [
        (
            "columns",
            "id,a,b\n",
            "t.csv: columns at offset 0 is 3, over the limit of 2",
        ),
        (
            "record_bytes",
            "id\n12345\n",
            "t.csv: record bytes at offset 3 is 5, over the limit of 2",
        ),
        (
            "record_bytes",
            "\"id,a,b",
            "t.csv: record bytes at offset 0 is 4, over the limit of 2",
        ),
        (
            "key_bytes",
            "id\n123\n",
            "t.csv: key bytes at offset 3 is 3, over the limit of 2",
        ),
        (
            "value_bytes",
            "i,a\n1,12\n",
            "t.csv: value bytes at offset 4 is 3, over the limit of 2",
        ),
    ] {
        let mut options = SourceOptions::default();
        assert!(options.file.limits.set(set, 2));
        let error = read_text(text.as_bytes(), &options).expect_err(text);
        assert_eq!(message(&error), want);
    }
}

#[test]
fn options_that_do_not_fit_are_usage_errors() {
    let text = b"id,name\n1,x\n";
    for (text_options, want) in [
        (
            TextOptions {
                key: list(&["ID"]),
                ..TextOptions::default()
            },
            "has no column \"ID\"",
        ),
        (
            TextOptions {
                columns: list(&["3"]),
                ..TextOptions::default()
            },
            "has no column \"3\"",
        ),
        (
            TextOptions {
                ignore_columns: list(&["id"]),
                ..TextOptions::default()
            },
            "\"id\" is a column of the key",
        ),
        (
            TextOptions {
                delimiter: Some(b'"'),
                ..TextOptions::default()
            },
            "can't be a delimiter",
        ),
        (
            TextOptions {
                null: Some("a,b".into()),
                ..TextOptions::default()
            },
            "no unquoted field can hold this text",
        ),
    ] {
        let error = open_text(text, "t.csv", &with_text(text_options))
            .err()
            .unwrap();
        assert!(error.to_string().contains(want), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().is_some());
    }
}

/// Rows as text: fields joined by `|`, NULL as `~`.
fn shown(text: &[u8], name: &str, text_options: TextOptions) -> Vec<String> {
    let table = open_text(text, name, &with_text(text_options)).unwrap();
    let Schema::Columns { key, value } = table.schema() else {
        panic!("no columns")
    };
    let (key, value) = (key.len(), value.len());
    read(&table, &KeyRange::all())
        .unwrap()
        .iter()
        .map(|(k, v)| {
            let keys = crate::row::columns::decode_key(k, key).unwrap();
            let values = crate::row::columns::decode_value(v, value).unwrap();
            keys.iter()
                .map(|field| String::from_utf8_lossy(field).into_owned())
                .chain(values.iter().map(|field| match field {
                    Some(field) => String::from_utf8_lossy(field).into_owned(),
                    None => "~".to_owned(),
                }))
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect()
}

#[test]
fn small_cases() {
    let plain = TextOptions::default;
    let no_header = || TextOptions {
        no_header: true,
        ..TextOptions::default()
    };
    for (text, name, options, want) in [
        ("id,b,a\n1,x,y\n", "t.csv", plain(), &["1|y|x"][..]),
        (
            "\u{feff}id,b\r\n1,x\r\n2,\r\n",
            "t.csv",
            plain(),
            &["1|x", "2|"],
        ),
        (
            "\n\nid,b\n\n1,x\n\r\n\n2,y",
            "t.csv",
            plain(),
            &["1|x", "2|y"],
        ),
        ("id\tb\n1\tx,y\n", "t.tsv", plain(), &["1|x,y"]),
        ("id\tb\n1\t\"x\ty\"\n", "T.TSV", plain(), &["1|x\ty"]),
        ("id\tb\n1\tx\n", "t.tab", plain(), &["1|x"]),
        ("id,b\n", "t.csv", plain(), &[]),
        ("id,b", "t.csv", plain(), &[]),
        // A table of one column: empty lines are rows.
        ("id\n\na\n", "t.csv", plain(), &["", "a"]),
        ("id\na\n\n", "t.csv", plain(), &["", "a"]),
        ("\na\n", "t.csv", no_header(), &["", "a"]),
        ("\n", "t.csv", no_header(), &[""]),
        ("", "t.csv", no_header(), &[]),
        ("1,x\n2,y\n", "t.csv", no_header(), &["1|x", "2|y"]),
        (
            "id,b,c\n1,N,\"N\"\n2,NN,\n",
            "t.csv",
            TextOptions {
                null: Some("N".into()),
                ..plain()
            },
            &["1|~|N", "2|NN|"],
        ),
        (
            "id,b\n1,\n2,\"\"\n",
            "t.csv",
            TextOptions {
                null: Some(String::new()),
                ..plain()
            },
            &["1|~", "2|"],
        ),
        (
            "a,b,c,d\n1,2,3,4\n",
            "t.csv",
            TextOptions {
                key: list(&["d", "2"]),
                ignore_columns: list(&["c"]),
                ..plain()
            },
            &["4|2|1"],
        ),
        (
            "a,b,c,d\n1,2,3,4\n",
            "t.csv",
            TextOptions {
                columns: list(&["d", "a"]),
                ..plain()
            },
            &["1|4"],
        ),
        (
            "a;b\n1;2,3\n",
            "t.csv",
            TextOptions {
                delimiter: Some(b';'),
                ..plain()
            },
            &["1|2,3"],
        ),
    ] {
        assert_eq!(shown(text.as_bytes(), name, options), want, "{text:?}");
    }
}

/// A long quoted field that looks like rows is taken for rows where a search lands in it; the scans notice.
#[test]
fn rows_inside_a_quoted_field_do_not_mislead() {
    let mut text = String::from("id,a\n");
    let mut want = Vec::new();
    for i in 0..40 {
        let value = if i == 17 {
            (0..200)
                .map(|j| format!("\n{:04},fake", 1700 + j % 100))
                .collect()
        } else {
            "x".repeat(40)
        };
        text.push_str(&if i == 17 {
            format!("{i:02}00,\"{value}\"\n")
        } else {
            format!("{i:02}00,{value}\n")
        });
        want.push(format!("{i:02}00"));
    }
    for pieces in 2..30 {
        let table = open_text(text.as_bytes(), "t.csv", &SourceOptions::default()).unwrap();
        let rows = read_in_pieces(&table, &KeyRange::all(), pieces).unwrap();
        let keys: Vec<_> = rows
            .iter()
            .map(|(key, _)| String::from_utf8_lossy(key))
            .collect();
        assert_eq!(keys, want, "{pieces} pieces");
        assert!(table.sorted.get().is_none());
    }
    // Nor any part, not even for a caller who checks sums: here the fake rows are found first, and recognised.
    let table = open_text(text.as_bytes(), "t.csv", &SourceOptions::default()).unwrap();
    let part = KeyRange {
        from: b"1750".to_vec(),
        to: Some(b"1850".to_vec()),
    };
    let keys: Vec<_> = read(&table, &part)
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, [b"1800"]);
}

/// A part of an unsorted text: the rows outside of it tell.
#[test]
fn a_part_of_an_unsorted_text_is_whole() {
    let mut text = String::from("id,a\n");
    for i in 0..100 {
        text.push_str(&format!("{i:03},x\n"));
    }
    text.push_str("0505,late\n");
    let table = open_text(text.as_bytes(), "t.csv", &SourceOptions::default()).unwrap();
    let part = KeyRange {
        from: b"050".to_vec(),
        to: Some(b"052".to_vec()),
    };
    let keys: Vec<_> = read(&table, &part)
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, [&b"050"[..], b"0505", b"051"]);
}

/// One row too far ahead, at each place, also where one piece ends and the next begins.
#[test]
fn disorder_at_a_seam_is_noticed() {
    const ROWS: usize = 24;
    for stray in 0..ROWS {
        let mut text = String::from("id,a\n");
        let mut want = Vec::new();
        for i in 0..ROWS {
            let key = if i == stray {
                format!("{:03}5", i + 1)
            } else {
                format!("{i:03}")
            };
            text.push_str(&format!("{key},{i}\n"));
            want.push(key.into_bytes());
        }
        want.sort();
        for pieces in 2..ROWS {
            let table = open_text(text.as_bytes(), "t.csv", &SourceOptions::default()).unwrap();
            let rows = read_in_pieces(&table, &KeyRange::all(), pieces).unwrap();
            let keys: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, want, "row {stray}, {pieces} pieces");
        }
    }
}

#[test]
fn the_writer_quotes_what_needs_it_and_refuses_what_it_would_lose() {
    let schema = Schema::Columns {
        key: list(&["id"]),
        value: list(&["a", "b"]),
    };
    let mut options = with_text(TextOptions {
        null: Some("NULL".into()),
        ..TextOptions::default()
    });
    let row = |a: Option<&str>, b: &str| {
        let mut value = Vec::new();
        push_value_column(&mut value, a.map(str::as_bytes));
        push_value_column(&mut value, Some(b.as_bytes()));
        value
    };
    let rows = vec![
        (b"1".to_vec(), row(None, "NULL")),
        (b"2".to_vec(), row(Some("a,b"), "say \"x\"")),
        (b"3".to_vec(), row(Some(""), "a\rb")),
    ];
    let create = FORMAT.create.unwrap();
    let text = write_all(|out| create(out, &schema, &options).unwrap(), &rows);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "id,a,b\n1,NULL,\"NULL\"\n2,\"a,b\",\"say \"\"x\"\"\"\n3,,\"a\rb\"\n"
    );
    let text = write_all(
        |out| create(out, &Schema::Bytes, &options).unwrap(),
        &vec![(b"k\xff".to_vec(), b"a\\b".to_vec())],
    );
    assert_eq!(text, b"key,value\nk\\xff,a\\\\b\n");
    options.text.null = None;
    let mut writer = create(Box::<Shared>::default(), &schema, &options).unwrap();
    let error = writer
        .put(Row {
            key: b"1",
            value: &rows[0].1,
        })
        .unwrap_err();
    assert_eq!(error.to_string(), "row 1 holds NULL");
    assert_eq!(writer.delete(b"1").unwrap_err().exit_code(), 2);
    let table = open_text(
        b"id,a\n",
        "t.csv",
        &with_text(TextOptions {
            ignore_columns: list(&["a"]),
            ..TextOptions::default()
        }),
    )
    .unwrap();
    assert_eq!(
        table
            .writer(Box::new(Shared::default()))
            .err()
            .unwrap()
            .exit_code(),
        2
    );
}

#[test]
fn is_found_by_name_where_the_content_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, found) in [
        ("a.csv", &b"id\n"[..], true),
        ("a.TSV", b"id\n", true),
        ("a.txt", b"", true),
        ("a.bin", b"id\n", false),
        ("b.csv", b"i\0d\n", false),
    ] {
        let path: PathBuf = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        let mut options = SourceOptions::default();
        options.text.no_header = true;
        options.file = FileOptions::default();
        let opened = crate::source::open(&path, &options);
        assert_eq!(opened.is_ok(), found, "{name}");
    }
}
