use super::super::caps::CAPS;
use super::super::choose::RangeArgs;
use super::*;
use crate::range::KeyRange;
use crate::row::columns::push_key_column;

#[test]
fn sizes() {
    for (text, size) in [
        ("0", 0),
        ("65536", 65_536),
        ("64K", 65_536),
        ("1GiB", 1 << 30),
        ("64m", 64 << 20),
        ("2TB", 2 << 40),
    ] {
        assert_eq!(parse_size(text), Ok(size), "{text}");
    }
    for text in ["", "K", "-1", "1.5G", "64X", "16777216T", "1 K"] {
        assert!(parse_size(text).is_err(), "{text}");
    }
}

#[test]
fn every_cap_in_the_help_exists() {
    for name in CAPS {
        assert!(Limits::default().set(name, 1), "{name}");
    }
    let help = clap::Command::new("x");
    let help = SourceArgs::augment_args(help)
        .render_long_help()
        .to_string();
    for name in CAPS {
        assert!(help.contains(name), "{name} is not in --help");
    }
    assert!(parse_cap("key-bytes=1M").is_ok());
    assert!(parse_cap("keys=1").unwrap_err().contains("value-bytes"));
}

#[test]
fn the_hint_of_a_limit_is_an_argument_that_works() {
    let error: Error = crate::ErrorKind::Limit {
        path: "a.csv".into(),
        offset: 0,
        what: "record bytes",
        value: 9,
        max: 1,
    }
    .into();
    let hint = error.hint().unwrap();
    let (_, cap) = hint.split_once("--cap ").unwrap();
    assert!(parse_cap(&cap.replace('N', "9")).is_ok(), "{hint}");
}

#[test]
fn leaf_rows_are_any_number_that_a_tree_can_have() {
    assert_eq!(parse_leaf_rows("1"), Ok(1));
    assert_eq!(parse_leaf_rows("512"), Ok(512));
    assert_eq!(parse_leaf_rows("500"), Ok(500));
    let leaf_bits = |rows| {
        TreeArgs {
            leaf_rows: Some(rows),
            ..TreeArgs::default()
        }
        .leaf_bits()
    };
    assert_eq!(leaf_bits(500), Some(9));
    assert_eq!(leaf_bits(1), Some(0));
    assert_eq!(leaf_bits(1 << 40), Some(40));
    assert!(parse_leaf_rows("0").is_err());
    assert!(parse_leaf_rows("18446744073709551615").is_err());
}

#[test]
fn delimiters() {
    assert_eq!(parse_delimiter("tab"), Ok(b'\t'));
    assert_eq!(parse_delimiter(";"), Ok(b';'));
    for text in ["", "ab", "\"", "\n", "\u{e4}"] {
        assert!(parse_delimiter(text).is_err(), "{text:?}");
    }
}

fn prefix(schema: &Schema, text: &str) -> KeyRange {
    let args = RangeArgs {
        prefix: Some(text.into()),
        ..RangeArgs::default()
    };
    args.coverage(schema).unwrap().hull()
}

#[test]
fn a_prefix_is_a_range() {
    let range = prefix(&Schema::Bytes, "user/");
    assert!(range.contains(b"user/"));
    assert!(range.contains(b"user/\xff\xff"));
    assert!(!range.contains(b"user0"));
    assert!(!range.contains(b"user"));
    assert_eq!(prefix(&Schema::Bytes, "a\\xff").to, Some(b"b".to_vec()));
    assert_eq!(prefix(&Schema::Bytes, "\\xff").to, None);
    assert_eq!(prefix(&Schema::Bytes, ""), KeyRange::all());
}

#[test]
fn a_prefix_of_a_key_of_columns_is_what_is_printed_at_its_front() {
    let schema = Schema::Columns {
        key: vec!["tenant".into(), "id".into()],
        value: vec![],
        sql: None,
    };
    let key = |columns: [&[u8]; 2]| {
        let mut key = Vec::new();
        columns
            .iter()
            .for_each(|column| push_key_column(&mut key, column));
        key
    };
    for (text, inside, outside) in [
        ("ac", [&b"acme"[..], b"1"], [&b"ab"[..], b"ac"]),
        ("acme,", [b"acme", b"1"], [b"acme2", b"1"]),
        ("acme,1", [b"acme", b"10"], [b"acme", b"2"]),
        ("acme,1", [b"acme", b"1"], [b"acme2", b"1"]),
    ] {
        let range = prefix(&schema, text);
        assert!(range.contains(&key(inside)), "{text}");
        assert!(!range.contains(&key(outside)), "{text}");
    }
}

#[test]
fn a_range_that_holds_no_key_is_an_error() {
    let args = RangeArgs {
        from: Some("b".into()),
        to: Some("a".into()),
        ..RangeArgs::default()
    };
    assert!(args.coverage(&Schema::Bytes).is_err());
    assert!(args.coverage_in_hex().is_err());
}

#[test]
fn keys_of_a_file_are_sorted_and_bad_lines_are_named() {
    let path = Path::new("splits");
    assert_eq!(
        parse_keys(path, "b\r\n\n\\x00\nb\n", &Schema::Bytes).unwrap(),
        [b"\0".to_vec(), b"b".to_vec()]
    );
    let error = parse_keys(path, "a\n\\q\n", &Schema::Bytes).unwrap_err();
    assert!(error.to_string().contains("splits: line 2"), "{error}");
}

#[test]
fn key_files() {
    let dir = tempfile::tempdir().unwrap();
    let read = |bytes: &[u8]| {
        let path = dir.path().join("key");
        fs::write(&path, bytes).unwrap();
        KeyFileArgs {
            key_file: Some(path),
        }
        .read()
    };
    assert_eq!(read(&[7; 32]).unwrap(), Some([7; 32]));
    assert_eq!(read("ab".repeat(32).as_bytes()).unwrap(), Some([0xab; 32]));
    let with_end = format!("{}\n", "ab".repeat(32));
    assert_eq!(read(with_end.as_bytes()).unwrap(), Some([0xab; 32]));
    assert!(read(b"").is_err());
    assert!(read(&[7; 31]).is_err());
}

#[test]
fn a_key_file_means_blake3() {
    let mut args = TreeArgs::default();
    assert_eq!(args.hash().unwrap(), HashName::Xxh3);
    args.key_file.key_file = Some("key".into());
    assert_eq!(args.hash().unwrap(), HashName::Blake3);
    args.hash = Some(HashName::Xxh3);
    assert!(args.hash().is_err());
}

#[test]
fn times() {
    for (text, seconds) in [
        ("0", 0),
        ("-5", -5),
        ("1970-01-01", 0),
        ("2000-02-29T00:00:00Z", 951_782_400),
        ("2026-11-22T01:30:00Z", 1_795_311_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ] {
        assert_eq!(parse_time(text), Ok(seconds), "{text}");
    }
    for text in [
        "",
        "now",
        "2026-02-29",
        "2026-13-01",
        "2026-1-1T24:00:00",
        "1-1-1-1",
        "+1-01-01",
    ] {
        assert!(parse_time(text).is_err(), "{text}");
    }
}
