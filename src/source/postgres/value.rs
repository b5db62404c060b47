//! Types, and the one text that each value of a type is compared by.
//!
//! | type | text |
//! |---|---|
//! | `smallint`, `integer`, `bigint`, `oid`, `numeric` | digits in the spelling of [`crate::row::decimal`]: `1.50` is `1.5`. `NaN`, `Infinity`, `-Infinity` as they are |
//! | `real`, `double precision` | the shortest decimal number that stands for the same float, in that spelling |
//! | `boolean` | `t` or `f` |
//! | `bytea` | `\x` and hexadecimal digits in lower case |
//! | all others, arrays and domains too | as the server prints them |

use crate::row::decimal;

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Float4,
    Float8,
    Bool,
    Bytea,
    /// All that stays as the server prints it.
    Text,
}

impl Kind {
    /// That of a type as CREATE TABLE spells it.
    pub fn of(sql_type: &str) -> Kind {
        match base_type(sql_type).as_str() {
            "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8" | "oid"
            | "numeric" | "decimal" | "smallserial" | "serial" | "bigserial" => Kind::Number,
            "real" | "float4" => Kind::Float4,
            "double precision" | "float8" | "float" => Kind::Float8,
            "boolean" | "bool" => Kind::Bool,
            "bytea" => Kind::Bytea,
            _ => Kind::Text,
        }
    }

    /// Appends the text of a value that the server printed as `text`.
    pub fn push(self, out: &mut Vec<u8>, text: &[u8]) {
        match self {
            Kind::Text => out.extend_from_slice(text),
            Kind::Number => {
                if !decimal::push_canonical(out, text) {
                    out.extend_from_slice(text);
                }
            }
            Kind::Float4 => match parse::<f32>(text) {
                Some(float) => push_float(out, float),
                None => out.extend_from_slice(text),
            },
            // Fifteen digits stand for a float of their own, of which they are the shortest spelling.
            Kind::Float8 if text.len() <= 15 && decimal::is_plain(text) => {
                out.extend_from_slice(text);
            }
            Kind::Float8 => match parse::<f64>(text) {
                Some(float) => push_float(out, float),
                None => out.extend_from_slice(text),
            },
            Kind::Bool => out.extend_from_slice(match text {
                b"true" => b"t",
                b"false" => b"f",
                other => other,
            }),
            Kind::Bytea => match text.strip_prefix(b"\\x") {
                Some(digits) => {
                    out.extend_from_slice(b"\\x");
                    out.extend(digits.iter().map(u8::to_ascii_lowercase));
                }
                None => push_escaped_bytes(out, text),
            },
        }
    }
}

/// The type in lower case, without `(...)` and `pg_catalog.`.
pub(super) fn base_type(sql_type: &str) -> String {
    let mut base = String::with_capacity(sql_type.len());
    let mut depth = 0u64;
    for c in sql_type.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => base.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    base.trim().trim_start_matches("pg_catalog.").to_owned()
}

/// A finite float; the server's NaN and infinities stay as they are.
fn parse<F: std::str::FromStr + Copy + Into<f64>>(text: &[u8]) -> Option<F> {
    let float: F = std::str::from_utf8(text).ok()?.parse().ok()?;
    float.into().is_finite().then_some(float)
}

/// Appends a float.
pub(super) fn push_float(out: &mut Vec<u8>, float: impl zmij::Float + Into<f64>) {
    let wide: f64 = float.into();
    if wide.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if wide.is_infinite() {
        out.extend_from_slice(if wide > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        });
    } else {
        decimal::push_float(out, float);
    }
}

/// Appends bytes as the server prints them.
pub(super) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend_from_slice(b"\\x");
    out.extend(
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]),
    );
}

/// Appends bytes that the server printed with `bytea_output = escape`.
fn push_escaped_bytes(out: &mut Vec<u8>, text: &[u8]) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                rest = tail;
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    push_bytes(out, &bytes);
}
