//! Texts written for what they show: what Python wrote, small cases, flaws, limits, seams.

use std::path::PathBuf;

use super::*;
use crate::file::input::FileOptions;
use crate::row::columns::push_value_column;

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
    let Schema::Columns { key, value, .. } = table.schema() else {
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
        sql: None,
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
