//! MySQL's and MariaDB's SQL: statements that mean the same whatever `SQL_MODE` and character set the session has.
//!
//! No literal holds a backslash, so `NO_BACKSLASH_ESCAPES` changes nothing; names stand in backquotes and texts in single quotes,
//! so `ANSI_QUOTES` changes nothing; a text that is not plain ASCII says its own character set. Numbers of `float` and `double`
//! have an exponent: without one they would be decimals, which end after 30 or 38 digits behind the point.

use super::generic::hex;
use crate::row::decimal::push_canonical;

/// What a column holds, which decides how its values are made canonical and how they are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An exact number: its one decimal spelling.
    Number,
    /// A binary fraction: likewise.
    Float,
    /// Bits: the number they make.
    Bits,
    /// Bytes.
    Bytes,
    /// All else: the text as it is.
    Text,
}

impl Kind {
    /// That of a type as it is spelled: `bigint(20) unsigned`.
    pub fn of_type(sql_type: &str) -> Kind {
        let word = sql_type
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match word.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal"
            | "numeric" | "dec" | "fixed" | "number" | "year" | "bool" | "boolean" | "serial" => {
                Kind::Number
            }
            "float" | "double" | "real" => Kind::Float,
            "bit" => Kind::Bits,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob"
            | "geometry" | "point" | "linestring" | "polygon" | "multipoint"
            | "multilinestring" | "multipolygon" | "geometrycollection" | "geomcollection"
            | "vector" => Kind::Bytes,
            _ => Kind::Text,
        }
    }
}

/// Names are in UTF-8, timestamps in the time zone that mysqldump sets, 0 is no request for the next number, a value that does not fit
/// is an error, and a row that others refer to can be changed, with nothing else changed by it.
pub(super) const PREAMBLE: &str = "SET NAMES utf8mb4, TIME_ZONE = '+00:00', SQL_MODE = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES', FOREIGN_KEY_CHECKS = 0;";

/// A name in backquotes.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The literal of a column of this type; that of a text where the type is not known, or the field is none of it.
pub(super) fn literal(sql_type: Option<&str>, field: &[u8]) -> String {
    let of_kind = match sql_type.map_or(Kind::Text, Kind::of_type) {
        Kind::Number => number(field),
        Kind::Float => number(field).map(|text| match text.contains('e') {
            true => text,
            false => text + "e0",
        }),
        Kind::Bits => bits(field),
        Kind::Bytes => Some(format!("X'{}'", hex(field))),
        Kind::Text => None,
    };
    of_kind.unwrap_or_else(|| text(field))
}

/// What is true of the row with this value in a column of the key.
pub(super) fn condition(name: &str, sql_type: &str, field: &[u8]) -> String {
    let value = literal(Some(sql_type), field);
    match is_short_float(sql_type) {
        true => prints_as(name, &value),
        false => format!("{name} = {value}"),
    }
}

/// What a column is set to, so that it has this value in a dump.
pub(super) fn assigned(name: &str, sql_type: &str, field: &[u8]) -> String {
    let value = literal(Some(sql_type), field);
    match is_short_float(sql_type) {
        // A value that did not change keeps the digits that no dump shows.
        true => format!("IF({}, {name}, {value})", prints_as(name, &value)),
        false => value,
    }
}

/// Whether the server prints fewer digits of this type than it stores: six.
fn is_short_float(sql_type: &str) -> bool {
    let word = sql_type.get(..5).unwrap_or_default();
    word.eq_ignore_ascii_case("float")
}

/// What is true where a float is printed so.
fn prints_as(name: &str, value: &str) -> String {
    format!("CONCAT({name}) + 0e0 = {value}")
}

/// What is true of the rows that have exactly this value in a column, whatever its collation takes for equal.
pub(super) fn exact_condition(name: &str, sql_type: &str, field: &[u8]) -> String {
    if Kind::of_type(sql_type) != Kind::Text {
        return condition(name, sql_type, field);
    }
    let value = text(field);
    match std::str::from_utf8(field) {
        Ok(_) => format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY) = CAST({value} AS BINARY)"),
        // Of a file that holds texts in the character sets of their columns.
        Err(_) => format!("CAST({name} AS BINARY) = {value}"),
    }
}

fn number(field: &[u8]) -> Option<String> {
    let mut canonical = Vec::new();
    let is_number = push_canonical(&mut canonical, field) && canonical == field;
    is_number.then(|| String::from_utf8(canonical).ok())?
}

fn bits(field: &[u8]) -> Option<String> {
    let bits: u64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    Some(format!("b'{bits:b}'"))
}

fn text(field: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(field) else {
        return format!("_binary X'{}'", hex(field));
    };
    if text.contains(|c: char| c.is_ascii_control() || c == '\\') {
        return format!("_utf8mb4 X'{}'", hex(field));
    }
    let charset = if text.is_ascii() { "" } else { "_utf8mb4" };
    format!("{charset}'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_the_same_in_every_session() {
        for (sql_type, field, want) in [
            ("text", &b"plain"[..], "'plain'"),
            ("varchar(9)", b"O'Neil \"x\" `y`", "'O''Neil \"x\" `y`'"),
            ("text", b"", "''"),
            ("text", b"a\\b", "_utf8mb4 X'615c62'"),
            ("text", b"a\nb", "_utf8mb4 X'610a62'"),
            ("text", b"\0", "_utf8mb4 X'00'"),
            ("text", "\u{fc}'".as_bytes(), "_utf8mb4'\u{fc}'''"),
            ("text", b"\xfc", "_binary X'fc'"),
            ("varbinary(20)", b"ab", "X'6162'"),
            ("BLOB", b"", "X''"),
            ("bit(9)", b"191", "b'10111111'"),
            (
                "bigint(20) unsigned",
                b"18446744073709551615",
                "18446744073709551615",
            ),
            ("decimal(14,2)", b"-0.5", "-0.5"),
            ("double", b"0.00005", "0.00005e0"),
            ("float", b"1e-42", "1e-42"),
            ("datetime", b"2024-06-13 12:59:28", "'2024-06-13 12:59:28'"),
            ("int", b"1; DROP TABLE t", "'1; DROP TABLE t'"),
            ("bit(1)", b"x", "'x'"),
        ] {
            assert_eq!(literal(Some(sql_type), field), want, "{sql_type}");
        }
        assert_eq!(literal(None, b"7"), "'7'");
        // Of 123456.789 the server prints six digits.
        let prints = "CONCAT(`f`) + 0e0 = 123457e0";
        let float = "FLOAT unsigned";
        assert_eq!(condition("`f`", float, b"123457"), prints);
        assert_eq!(exact_condition("`f`", "float", b"123457"), prints);
        let kept = format!("IF({prints}, `f`, 123457e0)");
        assert_eq!(assigned("`f`", float, b"123457"), kept);
        assert_eq!(assigned("`f`", "double", b"0.5"), "0.5e0");
        assert_eq!(name("odd`name"), "`odd``name`");
    }
}
