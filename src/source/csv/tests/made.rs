//! Texts made up at random, against the table they were made of and the csv crate's reader.

use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;
use crate::row::columns::{push_key_column, push_value_column};

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
