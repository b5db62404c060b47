//! Damaged databases: an error that says so, or rows; never a panic, never a wrong number of rows in silence.

use std::fs;

use super::*;
use crate::error::ErrorKind;

fn sample() -> Made {
    Made::new(
        "PRAGMA page_size = 512; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t SELECT i, 'value ' || i FROM n",
    )
}

#[test]
fn every_truncation_is_an_error() {
    let made = sample();
    let whole = fs::read(&made.path).unwrap();
    let lengths = (0..200)
        .chain((200..whole.len()).step_by(97))
        .chain([whole.len() - 1, whole.len() - 512]);
    let options = SourceOptions {
        format: Some("sqlite".into()),
        ..SourceOptions::default()
    };
    for len in lengths {
        fs::write(&made.path, &whole[..len]).unwrap();
        let error = error_of(&made.path, &options, "t");
        assert_eq!(error.exit_code(), 3, "{len}: {error}");
    }
}

#[test]
fn a_page_that_was_overwritten_is_named() {
    let made = sample();
    let whole = fs::read(&made.path).unwrap();
    for page in 2..whole.len() / 512 {
        let mut bytes = whole.clone();
        bytes[page * 512..][..512].fill(0xa5);
        fs::write(&made.path, &bytes).unwrap();
        let error = error_of(&made.path, &SourceOptions::default(), "t");
        let ErrorKind::Damaged { offset, what, .. } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(*offset, page as u64 * 512, "{error}");
        assert!(
            what.contains("table \"t\"") && what.contains("malformed"),
            "{what}"
        );
    }
}

#[test]
fn flipped_bits_give_rows_or_an_error() {
    let made = sample();
    let whole = fs::read(&made.path).unwrap();
    let (mut read, mut refused) = (0, 0);
    for at in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&made.path, &bytes).unwrap();
        let options = SourceOptions {
            format: Some("sqlite".into()),
            ..SourceOptions::default()
        };
        match open(&made.path, &options).map(|snapshot| {
            let has_it = names(&*snapshot).contains(&"t".to_owned());
            has_it.then(|| rows(&*snapshot, "t")).transpose()
        }) {
            Ok(Ok(_)) => read += 1,
            Ok(Err(error)) | Err(error) => {
                assert!((2..=3).contains(&error.exit_code()), "{at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(read > 20 && refused > 10, "{read} {refused}");
}

#[test]
fn what_is_no_database_is_refused_with_what_to_do() {
    let made = Made::nothing();
    let options = SourceOptions {
        format: Some("sqlite".into()),
        ..SourceOptions::default()
    };
    // As an encrypted one looks.
    let noise: Vec<u8> = (0..4096u32)
        .map(|n| (n.wrapping_mul(2654435761) >> 13) as u8)
        .collect();
    fs::write(&made.path, noise).unwrap();
    let error = error_of(&made.path, &options, "t");
    assert!(
        error.to_string().contains("file is not a database"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("encrypted"));
    fs::write(&made.path, b"").unwrap();
    assert!(matches!(
        error_of(&made.path, &options, "t").kind(),
        ErrorKind::Damaged { .. }
    ));

    let made = sample();
    let connection = Connection::open(&made.path).unwrap();
    let spoil =
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(id, v'";
    connection.execute_batch(spoil).unwrap();
    drop(connection);
    let error = error_of(&made.path, &SourceOptions::default(), "t");
    assert!(
        error.to_string().contains("malformed database schema"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 3);
}

#[test]
fn a_row_over_the_limit_names_it() {
    let made = Made::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB); INSERT INTO t VALUES(1, zeroblob(20000))",
    );
    let mut options = SourceOptions::default();
    options.file.limits.record_bytes_max = 10_000;
    let error = error_of(&made.path, &options, "t");
    assert!(error.to_string().contains("limit record-bytes"), "{error}");
    assert!(error.hint().unwrap().contains("--cap record-bytes"));
}
