//! Values as JSON, as Cassandra's SELECT JSON prints them.
//!
//! | type | JSON |
//! |---|---|
//! | numbers | a number with all its digits; NaN and the infinities are null |
//! | blob | "0x" and hexadecimal |
//! | date, time, timestamp | "2020-01-31", "12:34:56.789000000", "2020-01-31 12:34:56.789Z" |
//! | duration | "1y2mo3d4h5m6s7ms8us9ns" |
//! | counter | the sum of its shards |
//! | list, set, tuple, vector | an array; absent fields of a tuple are null |
//! | map | an object, keys that are no text in quotes |
//! | UDT | an object, every field named |
//!
//! An empty value of a type that has none is "". Timestamps before 1582-10-15 are in the Julian calendar, as Java's are.
//! Years above 9999 have a plus (4.0 and later). Bytes that are no value of the type are hexadecimal in quotes.

use std::fmt::Write as _;

use serde_json::Value;

use super::CqlType;
use super::elements::{is_valid, split, take_vint};
use super::number::{show_decimal, show_double, show_float, show_varint, split_decimal};
use super::text::{push_hex, push_name};

impl CqlType {
    /// A value as JSON; numbers keep all their digits.
    pub fn to_json(&self, value: &[u8]) -> Value {
        let mut text = String::new();
        self.push_json(value, &mut text);
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// Appends a value as JSON text, spaced as Cassandra spaces it.
    pub fn push_json(&self, value: &[u8], out: &mut String) {
        let t = self.inner();
        match t {
            CqlType::Ascii | CqlType::Text => match std::str::from_utf8(value) {
                Ok(text) => push_quoted(text, out),
                Err(_) => push_quoted(&hex(value), out),
            },
            CqlType::Blob | CqlType::Custom(_) | CqlType::Composite(_) => {
                push_quoted(&hex(value), out);
            }
            CqlType::Counter => match counter_sum(value) {
                Some(sum) => {
                    let _ = write!(out, "{sum}");
                }
                None => push_quoted(&hex(value), out),
            },
            _ if value.is_empty() => out.push_str("\"\""),
            _ if !is_valid(t, value) => push_quoted(&hex(value), out),
            _ => t.push_json_valid(value, out),
        }
    }

    fn push_json_valid(&self, value: &[u8], out: &mut String) {
        match self {
            CqlType::List(t) | CqlType::Set(t) | CqlType::Vector(t, _) => {
                let parts = split(self, value).unwrap_or_default();
                push_json_array(parts.iter().map(|part| (&**t, *part)), out);
            }
            CqlType::Tuple(types) => {
                let mut parts = split(self, value).unwrap_or_default();
                parts.resize(types.len(), None);
                push_json_array(types.iter().zip(parts), out);
            }
            CqlType::Map(key, t) => {
                let parts = split(self, value).unwrap_or_default();
                let entries = parts.chunks_exact(2).map(|pair| {
                    let mut text = String::new();
                    push_json_nullable(key, pair.first().copied().flatten(), &mut text);
                    (text, &**t, pair.get(1).copied().flatten())
                });
                push_json_object(entries, out);
            }
            CqlType::Udt { fields, .. } => {
                let mut parts = split(self, value).unwrap_or_default();
                parts.resize(fields.len(), None);
                let entries = fields.iter().zip(parts).map(|((name, t), part)| {
                    let mut text = String::new();
                    let is_lower = !name.bytes().any(|b| b.is_ascii_uppercase());
                    // Cassandra keeps the quotes of a name that needs them for its case.
                    match is_lower {
                        true => push_quoted(name, &mut text),
                        false => {
                            let mut quoted = String::new();
                            push_name(&mut quoted, name);
                            push_quoted(&quoted, &mut text);
                        }
                    }
                    (text, t, part)
                });
                push_json_object(entries, out);
            }
            _ => match self.show_plain(value) {
                Some(text) => match self {
                    CqlType::Float | CqlType::Double if text.ends_with(['N', 'y']) => {
                        out.push_str("null");
                    }
                    t if t.is_bare() => out.push_str(&text),
                    _ => push_quoted(&text, out),
                },
                None => push_quoted(&hex(value), out),
            },
        }
    }

    /// Whether JSON and CQL have its values without quotes.
    pub(super) fn is_bare(&self) -> bool {
        matches!(
            self,
            CqlType::Tinyint
                | CqlType::Smallint
                | CqlType::Int
                | CqlType::Bigint
                | CqlType::Varint
                | CqlType::Decimal
                | CqlType::Float
                | CqlType::Double
                | CqlType::Boolean
        )
    }

    /// The text of a valid value of a type that is not made of others; `None` where it has none.
    pub(super) fn show_plain(&self, value: &[u8]) -> Option<String> {
        Some(match self {
            CqlType::Tinyint => i8::from_be_bytes(value.try_into().ok()?).to_string(),
            CqlType::Smallint => i16::from_be_bytes(value.try_into().ok()?).to_string(),
            CqlType::Int => i32::from_be_bytes(value.try_into().ok()?).to_string(),
            CqlType::Bigint => i64::from_be_bytes(value.try_into().ok()?).to_string(),
            CqlType::Varint => show_varint(value),
            CqlType::Decimal => {
                let (scale, number) = split_decimal(value)?;
                show_decimal(scale, number)
            }
            CqlType::Float => show_float(f32::from_be_bytes(value.try_into().ok()?)),
            CqlType::Double => show_double(f64::from_be_bytes(value.try_into().ok()?)),
            CqlType::Boolean => (value != [0]).to_string(),
            CqlType::Date => {
                let days = u32::from_be_bytes(value.try_into().ok()?);
                show_date(i64::from(days) - (1 << 31))
            }
            CqlType::Time => {
                let nanos = u64::from_be_bytes(value.try_into().ok()?);
                let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                format!(
                    "{:02}:{:02}:{seconds:02}.{nanos:09}",
                    minutes / 60,
                    minutes % 60
                )
            }
            CqlType::Timestamp => show_timestamp(i64::from_be_bytes(value.try_into().ok()?)) + "Z",
            CqlType::Uuid | CqlType::Timeuuid => {
                let mut text = String::new();
                push_hex(&mut text, value);
                for at in [20, 16, 12, 8] {
                    text.insert(at, '-');
                }
                text
            }
            CqlType::Inet => show_inet(value)?,
            CqlType::Duration => show_duration(value)?,
            _ => return None,
        })
    }
}

/// Bytes as a blob of CQL.
pub(super) fn hex(value: &[u8]) -> String {
    let mut out = "0x".to_owned();
    push_hex(&mut out, value);
    out
}

fn push_quoted(text: &str, out: &mut String) {
    out.push_str(&Value::String(text.to_owned()).to_string());
}

fn push_json_nullable(t: &CqlType, value: Option<&[u8]>, out: &mut String) {
    match value {
        Some(value) => t.push_json(value, out),
        None => out.push_str("null"),
    }
}

fn push_json_array<'a>(
    parts: impl Iterator<Item = (&'a CqlType, Option<&'a [u8]>)>,
    out: &mut String,
) {
    out.push('[');
    for (at, (t, part)) in parts.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        push_json_nullable(t, part, out);
    }
    out.push(']');
}

/// Appends an object of keys that are JSON text already, in quotes or not.
fn push_json_object<'a>(
    entries: impl Iterator<Item = (String, &'a CqlType, Option<&'a [u8]>)>,
    out: &mut String,
) {
    out.push('{');
    for (at, (key, t, part)) in entries.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        match key.starts_with('"') {
            true => out.push_str(&key),
            false => push_quoted(&key, out),
        }
        out.push_str(": ");
        push_json_nullable(t, part, out);
    }
    out.push('}');
}

/// The sum of a counter's shards: i16 number of marked shards, as many i16, then shards of 16 bytes id, i64 clock, i64
/// count.
fn counter_sum(context: &[u8]) -> Option<i64> {
    if context.is_empty() {
        return Some(0);
    }
    let (marked, rest) = context.split_first_chunk::<2>()?;
    let marked = usize::from(i16::from_be_bytes(*marked).unsigned_abs());
    let (shards, rest) = rest.get(2 * marked..)?.as_chunks::<32>();
    rest.is_empty().then(|| {
        shards.iter().fold(0, |sum: i64, shard| {
            let (_, count) = shard.split_at(24);
            sum.wrapping_add(i64::from_be_bytes(count.try_into().unwrap_or_default()))
        })
    })
}

/// Year, month and day of a count of days since 1970-01-01, by the Gregorian calendar at all times.
fn gregorian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    civil(year + era * 400, day)
}

/// The same by the Julian calendar.
fn julian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_470;
    let era = days.div_euclid(1_461);
    let day = days.rem_euclid(1_461);
    let year = (day - day / 1_460) / 365;
    civil(year + era * 4, day - 365 * year)
}

/// Year, month and day of a year that begins in March and a day in it.
fn civil(year: i64, day: i64) -> (i64, i64, i64) {
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    match month < 10 {
        true => (year, month + 3, day),
        false => (year + 1, month - 9, day),
    }
}

fn show_date(days: i64) -> String {
    let (year, month, day) = gregorian(days);
    let sign = match year {
        ..0 => "-",
        10_000.. => "+",
        _ => "",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.abs())
}

/// A timestamp without its zone, UTC.
pub(super) fn show_timestamp(millis: i64) -> String {
    const DAY: i64 = 86_400_000;
    /// 1582-10-15, the first day of the Gregorian calendar.
    const FIRST_DAY: i64 = -141_427;
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (year, month, day) = match days < FIRST_DAY {
        true => julian(days),
        false => gregorian(days),
    };
    // Java counts years before the first from 1 again.
    let year = if year < 1 { 1 - year } else { year };
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
}

fn show_inet(value: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(value) {
        return Some(std::net::Ipv4Addr::from(bytes).to_string());
    }
    let address = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?);
    // Java takes such an address for the one inside it.
    Some(match address.to_ipv4_mapped() {
        Some(address) => address.to_string(),
        None => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            groups.join(":")
        }
    })
}

/// Months, days and nanoseconds of a duration.
pub(super) fn read_duration(value: &[u8]) -> Option<(i64, i64, i64)> {
    let bytes = &mut { value };
    let parts = (take_vint(bytes)?, take_vint(bytes)?, take_vint(bytes)?);
    bytes.is_empty().then_some(parts)
}

fn show_duration(value: &[u8]) -> Option<String> {
    let (months, days, nanos) = read_duration(value)?;
    let mut out = String::new();
    if months < 0 || days < 0 || nanos < 0 {
        out.push('-');
    }
    let mut push = |amount: u64, unit: &str| {
        if amount > 0 {
            let _ = write!(out, "{amount}{unit}");
        }
    };
    let (months, days, nanos) = (
        months.unsigned_abs(),
        days.unsigned_abs(),
        nanos.unsigned_abs(),
    );
    push(months / 12, "y");
    push(months % 12, "mo");
    push(days, "d");
    push(nanos / 3_600_000_000_000, "h");
    push(nanos / 60_000_000_000 % 60, "m");
    push(nanos / 1_000_000_000 % 60, "s");
    push(nanos / 1_000_000 % 1_000, "ms");
    push(nanos / 1_000 % 1_000, "us");
    push(nanos % 1_000, "ns");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::cql::Udts;
    use super::super::samples::{Random, bytes_of, types, value};
    use super::*;

    /// Pairs of a type, a value in hexadecimal, and its text from SELECT JSON of Cassandra 4.0 (table all_types).
    #[test]
    fn values_print_as_select_json_prints_them() {
        for (t, hex, text) in [
            ("int", "80000000", "-2147483648"),
            ("bigint", "7fffffffffffffff", "9223372036854775807"),
            ("smallint", "8000", "-32768"),
            ("tinyint", "7f", "127"),
            (
                "varint",
                "0080000000000000000000000000000000",
                "170141183460469231731687303715884105728",
            ),
            ("decimal", "ffffff9c01", "1E+100"),
            ("decimal", "0000000300", "0.000"),
            ("double", "8000000000000000", "-0.0"),
            ("double", "7ff8000000000000", "null"),
            ("float", "ff800000", "null"),
            ("boolean", "01", "true"),
            ("blob", "deadbeef", "\"0xdeadbeef\""),
            ("text", "0920746162", "\"\\t tab\""),
            ("date", "00000000", "\"-5877641-06-23\""),
            ("date", "ffffffff", "\"+5881580-07-11\""),
            ("date", "80000000", "\"1970-01-01\""),
            ("time", "00004e94914effff", "\"23:59:59.999999999\""),
            (
                "timestamp",
                "0000e677d21fdbff",
                "\"9999-12-31 23:59:59.999Z\"",
            ),
            (
                "timestamp",
                "ffffffffffffffff",
                "\"1969-12-31 23:59:59.999Z\"",
            ),
            // The day before 1582-10-15.
            (
                "timestamp",
                "fffff4e2f43e5000",
                "\"1582-10-04 00:00:00.000Z\"",
            ),
            (
                "uuid",
                "123e4567e89b12d3a456426614174000",
                "\"123e4567-e89b-12d3-a456-426614174000\"",
            ),
            (
                "inet",
                "00000000000000000000000000000001",
                "\"0:0:0:0:0:0:0:1\"",
            ),
            ("inet", "ffffffff", "\"255.255.255.255\""),
            ("duration", "010305", "\"-1mo2d3ns\""),
            ("duration", "180000", "\"1y\""),
            ("duration", "000000", "\"\""),
            (
                "frozen<list<int>>",
                "0000000200000004000000010000000400000002",
                "[1, 2]",
            ),
            (
                "frozen<map<int,text>>",
                "000000010000000400000001000000036f6e65",
                "{\"1\": \"one\"}",
            ),
            (
                "tuple<int,text,double>",
                "0000000400000009",
                "[9, null, null]",
            ),
            ("vector<float, 2>", "bf8000003f000000", "[-1.0, 0.5]"),
            (
                "counter",
                "00010000000000000000000000000000000000010000000000000001fffffffffffffffe",
                "-2",
            ),
            ("int", "", "\"\""),
            ("int", "00", "\"0x00\""),
        ] {
            let t = CqlType::parse_cql(t, "", &Udts::new()).unwrap();
            let mut out = String::new();
            t.push_json(&bytes_of(hex), &mut out);
            assert_eq!(out, text, "{t:?} {hex}");
        }
    }

    #[test]
    fn whatever_is_shown_is_json() {
        let mut random = Random(3);
        for t in types() {
            for _ in 0..200 {
                let value = value(&t, &mut random);
                let mut text = String::new();
                t.push_json(&value, &mut text);
                let json: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(t.to_json(&value), json, "{t:?} {value:?}");
            }
        }
    }
}
