//! Fields and literals against the library: what it stores of a value, and what it makes of the literal.

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use super::*;

const TYPES: [&str; 12] = [
    "",
    "INTEGER",
    "int",
    "TEXT",
    "varchar(10)",
    "BLOB",
    "REAL",
    "double precision",
    "NUMERIC",
    "decimal(10,2)",
    "date",
    "ANY",
];

fn push(out: &mut Vec<u8>, affinity: Affinity, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => push_null(out),
        ValueRef::Integer(number) => push_integer(out, affinity, number),
        ValueRef::Real(number) => push_real(out, affinity, number),
        ValueRef::Text(text) => push_text(out, affinity, text),
        ValueRef::Blob(blob) => push_blob(out, affinity, blob),
    }
}

/// A table of one column, with one row: this, written as SQL with at most one parameter.
fn stored(connection: &Connection, declared: &str, sql: &str, value: Option<&Value>) {
    let table = format!("DROP TABLE IF EXISTS t; CREATE TABLE t(v {declared})");
    connection.execute_batch(&table).unwrap();
    let insert = format!("INSERT INTO t VALUES({sql})");
    let changed = match value {
        Some(value) => connection.execute(&insert, [value]),
        None => connection.execute(&insert, []),
    };
    changed.unwrap_or_else(|e| panic!("{insert}: {e}"));
}

/// The field of the one row, and what SQLite says of its class and bytes.
fn field(connection: &Connection, affinity: Affinity) -> (Vec<u8>, String) {
    let read = "SELECT v, typeof(v) || ' ' || hex(v) || ' ' || quote(v) FROM t";
    let of_row = |row: &rusqlite::Row<'_>| {
        let mut field = Vec::new();
        push(&mut field, affinity, row.get_ref(0)?);
        Ok((field, row.get(1)?))
    };
    connection.query_row(read, [], of_row).unwrap()
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z0-9 '\"\\\\\u{0}\u{e000}é\n\r.;-]{0,9}",
        "-?[0-9]{1,19}(\\.[0-9]{1,3})?(e[0-9])?",
        Just("Infinity".to_owned()),
        Just("NaN".to_owned()),
    ];
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-3i64..3).prop_map(Value::Integer),
        prop::sample::select(vec![i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1])
            .prop_map(Value::Integer),
        (-30i32..30).prop_map(|n| Value::Real(f64::from(n) / 4.0)),
        any::<f64>()
            .prop_filter("not a number", |n| !n.is_nan())
            .prop_map(Value::Real),
        prop::sample::select(vec![
            0.1,
            1e300,
            -1e-300,
            5e-324,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9.3e18,
            2f64.powi(60),
            2f64.powi(63)
        ])
        .prop_map(Value::Real),
        text.prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Blob),
        prop::collection::vec(prop::sample::select(b"\0birtn1".to_vec()), 0..4)
            .prop_map(Value::Blob),
    ]
}

proptest! {
    #[test]
    fn literals_give_the_stored_value_back(declared in prop::sample::select(TYPES.to_vec()), value in value()) {
        let connection = Connection::open_in_memory().unwrap();
        let affinity = Affinity::of(declared);
        stored(&connection, declared, "?", Some(&value));
        let (wanted, shown) = field(&connection, affinity);
        let text = literal(declared, &wanted);
        prop_assert!(!text.contains(['\0', '\r']));
        stored(&connection, declared, &text, None);
        prop_assert_eq!(&field(&connection, affinity), &(wanted.clone(), shown), "{}", text);

        let found = format!("SELECT count(*) FROM t WHERE {}", condition("\"v\"", declared, &wanted));
        let count: i64 = connection.query_row(&found, [], |row| row.get(0)).unwrap();
        prop_assert_eq!(count, 1, "{}", found);
    }

    #[test]
    fn no_two_values_share_a_field(declared in prop::sample::select(TYPES.to_vec()), a in value(), b in value()) {
        let connection = Connection::open_in_memory().unwrap();
        let affinity = Affinity::of(declared);
        let read = |value| {
            stored(&connection, declared, "?", Some(value));
            let stored: Value = connection.query_row("SELECT v FROM t", [], |row| row.get(0)).unwrap();
            (stored, field(&connection, affinity).0)
        };
        let ((a, field_of_a), (b, field_of_b)) = (read(&a), read(&b));
        let are_equal = match (&a, &b) {
            (Value::Integer(a), Value::Real(b)) | (Value::Real(b), Value::Integer(a)) => {
                affinity.is_number() && *b == *a as f64 && *b as i64 == *a && *b < 2f64.powi(63)
            }
            (a, b) => a == b,
        };
        prop_assert_eq!(field_of_a == field_of_b, are_equal, "{:?} {:?}", a, b);
    }
}

#[test]
fn fields_are_plain_where_the_class_is_natural() {
    for (declared, value, wanted) in [
        ("", Value::Integer(1), &b"\0i1"[..]),
        ("", Value::Real(1.0), b"\0r1"),
        ("", Value::Text("1".into()), b"\0t1"),
        ("", Value::Blob(b"1".to_vec()), b"\0b1"),
        ("INTEGER", Value::Integer(-7), b"-7"),
        ("INTEGER", Value::Text("x".into()), b"\0tx"),
        ("INTEGER", Value::Real(1.5), b"1.5"),
        ("REAL", Value::Real(1.0), b"1"),
        ("REAL", Value::Real(0.1), b"0.1"),
        ("REAL", Value::Real(f64::NEG_INFINITY), b"-Infinity"),
        (
            "NUMERIC",
            Value::Real(1152921504606846976.0),
            b"1152921504606846976",
        ),
        ("TEXT", Value::Text("t".into()), b"t"),
        ("TEXT", Value::Text("\0t".into()), b"\0t\0t"),
        ("TEXT", Value::Blob(b"t".to_vec()), b"\0bt"),
        ("BLOB", Value::Blob(b"\x01\xff".to_vec()), b"\x01\xff"),
        ("BLOB", Value::Blob(b"\0".to_vec()), b"\0b\0"),
        ("BLOB", Value::Text("t".into()), b"\0tt"),
    ] {
        let mut field = Vec::new();
        push(&mut field, Affinity::of(declared), ValueRef::from(&value));
        assert_eq!(field, wanted, "{declared} {value:?}");
    }
}

#[test]
fn literals_of_other_formats_and_of_forged_patches_are_harmless() {
    for (declared, field, wanted) in [
        ("", &b"plain"[..], "'plain'"),
        ("INTEGER", b"1); DROP TABLE t; --", "'1); DROP TABLE t; --'"),
        ("INTEGER", b"\0i1'", "'1'''"),
        ("REAL", b"Infinity", "9e999"),
        ("NUMERIC", b"-Infinity", "-9e999"),
        (
            "REAL",
            b"1152921504606847000",
            "4503599627370496.0*256.0 /* 1152921504606847000 */",
        ),
        (
            "REAL",
            b"-0.00001",
            "-5902958103587057.0/4611686018427387904.0/128.0 /* -0.00001 */",
        ),
        ("REAL", b"-1234567890.1234", "-1234567890.1234"),
        ("NUMERIC", b"0.5", "0.5"),
        ("NUMERIC", b"1152921504606846976", "1152921504606846976"),
        ("", b"\0r-3", "-3.0"),
        (
            "TEXT",
            b"\r\n",
            "replace('\u{e000}\n', '\u{e000}', char(13))",
        ),
        ("TEXT", b"\xff", "CAST(X'ff' AS TEXT)"),
        (
            "TEXT",
            b"a\0b'",
            "replace('a\u{e000}b''', '\u{e000}', char(0))",
        ),
    ] {
        assert_eq!(literal(declared, field), wanted);
    }
    assert_eq!(condition("k", "TEXT", b"\0n"), "k IS NULL");
    assert_eq!(
        condition("k", "TEXT COLLATE", b"a"),
        "k = 'a' COLLATE BINARY"
    );
}
