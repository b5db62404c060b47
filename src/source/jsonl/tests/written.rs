//! Rows as mdiff writes them, read again.

use super::*;

/// Rows as they are written and read again.
fn round_trip(schema: &Schema, rows: &[Pair]) -> Result<(Schema, Vec<Pair>)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = write::create(Box::new(file), schema, &SourceOptions::default())?;
    for (key, value) in rows {
        writer.put(Row { key, value })?;
    }
    writer.finish()?;
    read(std::fs::read(path).unwrap(), &options(&[]))
}

#[test]
fn rows_that_were_written_are_read_back() {
    use crate::row::columns::{push_key_column, push_value_column};
    use crate::row::wide;
    let mut wide_value = Vec::new();
    let columns: [(&[u8], &[u8]); 3] = [(b"", b"v"), (b"n\xff\\", b"\xfe"), (b"x", b"1")];
    wide::push(&mut wide_value, columns.iter().copied());
    let mut only_hex = Vec::new();
    wide::push(&mut only_hex, [(&b"hex"[..], &b"ff"[..])].into_iter());
    let rows: Vec<Pair> = vec![
        (b"".to_vec(), b"empty key".to_vec()),
        (b"a\"\\\n".to_vec(), wide_value),
        (b"b".to_vec(), only_hex),
        (b"c\x00".to_vec(), b"\xff\x00".to_vec()),
        (b"\xfe".to_vec(), b"".to_vec()),
    ];
    assert_eq!(
        round_trip(&Schema::Bytes, &rows).unwrap(),
        (Schema::Bytes, rows)
    );
    for key_columns in [1, 2] {
        let schema = Schema::Columns {
            key: ["id", "z"][..key_columns]
                .iter()
                .map(|s| s.to_string())
                .collect(),
            value: vec!["a".into(), "b".into()],
            sql: None,
        };
        let mut rows: Vec<Pair> = Vec::new();
        for (key, field) in [
            (&b"1"[..], Some(&b"1"[..])),
            (b"x\"", None),
            (b"\xff", Some(b"\xfe\x00")),
        ] {
            let (mut row_key, mut value) = (Vec::new(), Vec::new());
            match key_columns {
                1 => row_key.extend(key),
                _ => [key, b"2"]
                    .iter()
                    .for_each(|c| push_key_column(&mut row_key, c)),
            }
            push_value_column(&mut value, Some(b"[1, 2.0]"));
            push_value_column(&mut value, field);
            rows.push((row_key, value));
        }
        assert_eq!(round_trip(&schema, &rows).unwrap(), (schema, rows));
    }
}

#[test]
fn rows_of_another_form_than_the_first_are_refused() {
    for text in [
        "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":\"c\",\"value\":1}",
        "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":\"c\",\"value\":\"d\",\"x\":1}",
        "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":\"c\",\"value\":{\"hex\":\"61\"},\"x\":1}",
        "{\"key\":{\"i\":\"a\"},\"value\":{\"v\":\"b\"}}\n{\"key\":{\"i\":\"c\"},\"value\":{}}",
        "{\"key\":{\"i\":\"a\"},\"value\":{\"v\":\"b\"}}\n{\"key\":{\"j\":\"c\"},\"value\":{\"v\":null}}",
        "{\"key\":{\"i\":\"a\"},\"value\":{\"v\":\"b\"}}\n{\"key\":{\"i\":null},\"value\":{\"v\":null}}",
    ] {
        let (message, code) = error(text, &options(&[]));
        assert!(
            message.contains("line 2: this row is not of the form"),
            "{message}"
        );
        assert_eq!(code, 3);
    }
    // Documents that only look like it.
    let (schema, _) = read("{\"key\":\"a\",\"value\":\"b\"}", &options(&["key"])).unwrap();
    assert_eq!(
        schema,
        Schema::Document {
            key: vec!["key".into()]
        }
    );
    for text in [
        "{\"key\":1,\"value\":\"b\"}",
        "{\"key\":{\"id\":1},\"value\":{}}",
        "{\"key\":{},\"value\":{}}",
        "{\"key\":\"a\",\"value\":\"b\",\"c\":\"d\"}",
    ] {
        assert_eq!(error(text, &options(&[])).1, 2, "{text}");
    }
}
