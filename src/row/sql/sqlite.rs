//! SQLite: its values as fields, and fields as its literals.
//!
//! SQLite types each value, not each column, so a field tells the storage class wherever the column does not. A field without
//! a zero byte in front is of the natural class of its column's affinity; any other value is a zero byte, a letter and the rest:
//!
//! | class | natural in columns of | field there | field elsewhere |
//! |---|---|---|---|
//! | integer, real | INTEGER, REAL and NUMERIC affinity | the number ([`decimal`]) | `00` `i` or `00` `r`, and the number |
//! | text | TEXT affinity | the text as UTF-8 | `00` `t`, and the text |
//! | blob | a declared type with BLOB in it | the bytes | `00` `b`, and the bytes |
//! | NULL in a key | none | | `00` `n` |
//!
//! Natural text and bytes that begin with a zero byte are written as elsewhere, so no two values share a field, but for equal
//! numbers in columns where numbers are natural: there 1 and 1.0 are one. In a column without a declared type (and of the type ANY in a
//! STRICT table) no class is natural, and 1, 1.0, '1' and x'31' all differ. Infinity is spelled `Infinity` and `-Infinity`.

use super::generic;
use crate::row::decimal;

/// What a column makes of the values it is given: <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// Numbers, whole ones as integers.
    Numeric,
    /// Numbers, all as reals.
    Real,
    /// Text.
    Text,
    /// Whatever comes, declared as bytes.
    Blob,
    /// Whatever comes.
    None,
}

/// What is behind a type of [`super::SqlTable`] whose column is computed from others, and can't be written.
pub const GENERATED: &str = " GENERATED ALWAYS";
/// What is behind the type of a key's column whose collation takes several texts for equal, and may hold such.
pub const COLLATED: &str = " COLLATE";
/// Foreign keys are checked at the COMMIT.
pub const AFTER_BEGIN: &str = "PRAGMA defer_foreign_keys = ON;";

impl Affinity {
    /// That of a declared type, in a table that is not STRICT.
    pub fn of(declared: &str) -> Affinity {
        let declared = declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Affinity::Numeric
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Affinity::Text
        } else if has("BLOB") {
            Affinity::Blob
        } else if declared.is_empty() {
            Affinity::None
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Affinity::Numeric | Affinity::Real)
    }
}

/// Appends the field of an integer.
pub fn push_integer(out: &mut Vec<u8>, affinity: Affinity, number: i64) {
    use std::io::Write as _;
    if !affinity.is_number() {
        out.extend_from_slice(b"\0i");
    }
    // A vector takes all that it is given.
    let _ = write!(out, "{number}");
}

/// Appends the field of a real.
pub fn push_real(out: &mut Vec<u8>, affinity: Affinity, number: f64) {
    if !affinity.is_number() {
        out.extend_from_slice(b"\0r");
    }
    let is_whole = number.fract() == 0.0 && (-(2f64.powi(63))..2f64.powi(63)).contains(&number);
    if affinity == Affinity::Numeric && is_whole {
        // The shortest text of a large one may be that of another integer.
        return push_integer(out, affinity, number as i64);
    }
    if number.is_infinite() {
        let text: &[u8] = if number > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        };
        return out.extend_from_slice(text);
    }
    decimal::push_float(out, number);
}

/// Appends the field of a text, in UTF-8.
pub fn push_text(out: &mut Vec<u8>, affinity: Affinity, text: &[u8]) {
    if affinity != Affinity::Text || text.first() == Some(&0) {
        out.extend_from_slice(b"\0t");
    }
    out.extend_from_slice(text);
}

/// Appends the field of a blob.
pub fn push_blob(out: &mut Vec<u8>, affinity: Affinity, blob: &[u8]) {
    if affinity != Affinity::Blob || blob.first() == Some(&0) {
        out.extend_from_slice(b"\0b");
    }
    out.extend_from_slice(blob);
}

/// Appends the field of a NULL in a key, which SQLite allows.
pub fn push_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\0n");
}

/// Whether statements can give a column of this type a value.
pub fn is_written(sql_type: &str) -> bool {
    !sql_type.ends_with(GENERATED)
}

/// What finds the field in a column of a key.
pub fn condition(name: &str, sql_type: &str, field: &[u8]) -> String {
    match literal(sql_type, field) {
        null if null == "NULL" => format!("{name} IS NULL"),
        text if sql_type.ends_with(COLLATED) => format!("{name} = {text} COLLATE BINARY"),
        text => format!("{name} = {text}"),
    }
}

/// The value of a field as a literal.
pub fn literal(sql_type: &str, field: &[u8]) -> String {
    let declared = sql_type
        .trim_end_matches(GENERATED)
        .trim_end_matches(COLLATED);
    match field {
        [0, b'n'] => "NULL".into(),
        [0, b'i', number @ ..] => plain(number),
        [0, b'r', number @ ..] => real(number),
        [0, b't', text @ ..] => text_literal(text),
        [0, b'b', blob @ ..] => blob_literal(blob),
        _ => match Affinity::of(declared) {
            Affinity::Numeric if is_integer(field) => plain(field),
            // Large whole numbers are other values as integers.
            Affinity::Numeric | Affinity::Real => real(field),
            Affinity::Text => text_literal(field),
            Affinity::Blob => blob_literal(field),
            // Of another format, which types no value.
            Affinity::None => generic::literal(field),
        },
    }
}

fn is_integer(number: &[u8]) -> bool {
    std::str::from_utf8(number).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// A number that stays a real in any column, and the same real in any version of SQLite: many round a long decimal fraction to a
/// neighbour. What divides by at most 10^4 is exact everywhere: its distance from the middle between two reals is above
/// 2^-65 of it, more than the rounding to the 64 bits that they compute with.
fn real(number: &[u8]) -> String {
    match number {
        b"Infinity" => return "9e999".into(),
        b"-Infinity" => return "-9e999".into(),
        _ => {}
    }
    let text = plain(number);
    let Ok(value) = text.parse::<f64>() else {
        return text;
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
    match decimals.len() <= 4 && whole.len() <= 11 && !text.contains('e') {
        true => format!("{whole}.{decimals}"),
        false => format!("{} /* {text} */", exact(value)),
    }
}

/// A real as whole numbers and powers of two, which are read exactly.
fn exact(value: f64) -> String {
    let (bits, sign) = (value.abs().to_bits(), if value < 0.0 { "-" } else { "" });
    let fraction = bits & ((1 << 52) - 1);
    let (mut whole, mut power) = match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    };
    if power < 0 {
        let zeros = whole.trailing_zeros().min(power.unsigned_abs());
        whole >>= zeros;
        power += zeros as i32;
    }
    let mut text = format!("{sign}{whole}.0");
    while power != 0 {
        let step = power.clamp(-62, 62);
        let sign = if step > 0 { '*' } else { '/' };
        text.push_str(&format!("{sign}{}.0", 1u64 << step.unsigned_abs()));
        power -= step;
    }
    text
}

fn plain(number: &[u8]) -> String {
    let mut canonical = Vec::new();
    match decimal::push_canonical(&mut canonical, number) {
        true => String::from_utf8_lossy(&canonical).into_owned(),
        // Only a patch that was made by hand holds such; as a text it does no harm.
        false => text_literal(number),
    }
}

fn blob_literal(bytes: &[u8]) -> String {
    format!("X'{}'", generic::hex(bytes))
}

/// A literal can't hold what is not UTF-8. SQLite's own shell ends a statement at a zero byte, and takes a carriage return away at
/// the end of a line.
fn text_literal(text: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(text) else {
        return format!("CAST({} AS TEXT)", blob_literal(text));
    };
    let mut unused = ('\u{e000}'..).filter(|c| !text.contains(*c));
    let (mut marked, mut calls) = (text.to_owned(), Vec::new());
    for char in ['\0', '\r'] {
        if text.contains(char)
            && let Some(mark) = unused.next()
        {
            marked = marked.replace(char, &mark.to_string());
            calls.push((mark, u32::from(char)));
        }
    }
    let quoted = generic::literal(marked.as_bytes());
    calls.iter().fold(quoted, |inner, (mark, code)| {
        format!("replace({inner}, '{mark}', char({code}))")
    })
}

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
