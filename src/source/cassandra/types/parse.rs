//! Values from text: what a person gives back of what [`CqlType::show_key_part`] showed.
//!
//! | type | text |
//! |---|---|
//! | text, ascii | escaped, see [`crate::row::escape`]; without what separates the parts of a key |
//! | numbers, boolean, uuid | as CQL has them; `NaN`, `Infinity` |
//! | date, time | `2020-01-31`, `12:34:56.789000000` |
//! | timestamp | `2020-01-31 12:34:56.789Z`, less of it, or milliseconds since 1970 |
//! | inet | an address of either kind |
//! | list, set, tuple, vector, map, UDT | JSON, as SELECT JSON prints it |
//! | all others | `0x` and hexadecimal |
//!
//! `null` is null, `''` an empty value. Bytes that no such text gives back are `\0x` and hexadecimal, in every type.

use serde_json::Value;

use super::CqlType;
use super::elements::{is_valid, join};
use super::number::{parse_decimal, parse_varint};
use super::text::{parse_hex, push_hex};
use crate::row::{escape, unescape};

/// Stands before the hexadecimal digits of bytes that have no other text.
const RAW: &str = "\\0x";
/// An empty value.
const EMPTY: &str = "''";
/// Null.
const NULL: &str = "null";
/// A number longer than this shows as its bytes: its digits would take long to work out.
const NUMBER_LEN_MAX: usize = 1024;

/// Stands behind a partition for its static row.
pub const STATIC: &str = " static";
/// Stands behind a partition for its deletion.
pub const DELETION: &str = " deletion";
/// Stands behind a partition for the place before all of it.
pub const PARTITION: &str = " partition";
const SUFFIXES: [&str; 3] = [STATIC, DELETION, PARTITION];
/// What stands before the clustering values of a bound.
pub const SIDES: [&str; 2] = ["before", "behind"];
/// Stands between a partition and what is in it.
pub const INSIDE: &str = " : ";
/// What stands before a token.
pub const TOKEN: &str = "token:";

impl CqlType {
    /// A value as a part of a key: text that [`CqlType::parse_key_part`] turns into the same bytes, and that nothing beside
    /// it in the text of a key can be mistaken for.
    pub fn show_key_part(&self, value: Option<&[u8]>) -> String {
        let (t, value) = match (self.inner(), value) {
            (_, None) => return NULL.into(),
            (_, Some([])) => return EMPTY.into(),
            (t, Some(value)) => (t, value),
        };
        if t.is_text() {
            return show_text(value);
        }
        let shown = t.show_part(value);
        match shown.filter(|shown| t.parse_key_part(shown).as_ref() == Some(&Some(value.to_vec())))
        {
            Some(shown) => shown,
            None => {
                let mut raw = RAW.to_owned();
                push_hex(&mut raw, value);
                raw
            }
        }
    }

    /// The bytes of a part of a key; the inner `None` is null, the outer a text that is of another type.
    pub fn parse_key_part(&self, text: &str) -> Option<Option<Vec<u8>>> {
        match text {
            NULL => return Some(None),
            EMPTY | "" => return Some(Some(Vec::new())),
            _ => {}
        }
        let t = self.inner();
        let value = match text.strip_prefix(RAW) {
            Some(digits) => parse_hex(digits),
            None if t.is_text() => unescape(text).ok(),
            None if t.is_made_of_values() => t.parse_json(&serde_json::from_str(text).ok()?),
            None => t.parse_plain(text),
        };
        value.map(Some)
    }

    /// Takes a part from the front of the text of a key: up to a comma or, where `is_partition`, what may follow a
    /// partition.
    pub fn take_key_part<'t>(&self, rest: &mut &'t str, is_partition: bool) -> &'t str {
        let end = match self.inner().is_made_of_values() && rest.starts_with(['[', '{']) {
            true => {
                let mut json = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
                json.next();
                json.byte_offset()
            }
            false if is_partition => {
                let suffixes = SUFFIXES
                    .iter()
                    .filter_map(|suffix| rest.strip_suffix(suffix));
                let ends = [rest.find(','), rest.find(INSIDE)].into_iter().flatten();
                ends.chain(suffixes.map(str::len))
                    .min()
                    .unwrap_or(rest.len())
            }
            false => rest.find(',').unwrap_or(rest.len()),
        };
        let (part, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        *rest = tail;
        part
    }

    fn is_text(&self) -> bool {
        matches!(self, CqlType::Ascii | CqlType::Text)
    }

    fn is_made_of_values(&self) -> bool {
        matches!(
            self,
            CqlType::List(_)
                | CqlType::Set(_)
                | CqlType::Map(..)
                | CqlType::Tuple(_)
                | CqlType::Udt { .. }
                | CqlType::Vector(..)
        )
    }

    /// The text of a value that is neither text nor empty; it need not give the value back.
    fn show_part(&self, value: &[u8]) -> Option<String> {
        match self {
            CqlType::Varint | CqlType::Decimal if value.len() > NUMBER_LEN_MAX => None,
            CqlType::Blob | CqlType::Counter | CqlType::Custom(_) | CqlType::Composite(_) => {
                let mut text = "0x".to_owned();
                push_hex(&mut text, value);
                Some(text)
            }
            t if !is_valid(t, value) => None,
            t if t.is_made_of_values() => Some(escape_json(&t.to_json(value).to_string())),
            t => t.show_plain(value),
        }
    }

    /// The value of a type that is not made of others; `None` where the text is not of it, and for durations, which no
    /// key has.
    fn parse_plain(&self, text: &str) -> Option<Vec<u8>> {
        Some(match self {
            CqlType::Tinyint => text.parse::<i8>().ok()?.to_be_bytes().to_vec(),
            CqlType::Smallint => text.parse::<i16>().ok()?.to_be_bytes().to_vec(),
            CqlType::Int => text.parse::<i32>().ok()?.to_be_bytes().to_vec(),
            CqlType::Bigint => text.parse::<i64>().ok()?.to_be_bytes().to_vec(),
            CqlType::Varint => parse_varint(text)?,
            CqlType::Decimal => parse_decimal(text)?,
            CqlType::Float => match text.parse::<f32>().ok()? {
                nan if nan.is_nan() => 0x7fc0_0000_u32.to_be_bytes().to_vec(),
                number => number.to_be_bytes().to_vec(),
            },
            CqlType::Double => match text.parse::<f64>().ok()? {
                nan if nan.is_nan() => 0x7ff8_0000_0000_0000_u64.to_be_bytes().to_vec(),
                number => number.to_be_bytes().to_vec(),
            },
            CqlType::Boolean => vec![text.parse::<bool>().ok()?.into()],
            CqlType::Date => {
                let days = parse_date(text)?.checked_add(1 << 31)?;
                u32::try_from(days).ok()?.to_be_bytes().to_vec()
            }
            CqlType::Time => parse_time(text)?.to_be_bytes().to_vec(),
            CqlType::Timestamp => parse_timestamp(text)?.to_be_bytes().to_vec(),
            CqlType::Uuid | CqlType::Timeuuid => {
                let digits = text.replace('-', "");
                parse_hex(&digits).filter(|bytes| bytes.len() == 16)?
            }
            CqlType::Inet => match text.parse().ok()? {
                std::net::IpAddr::V4(address) => address.octets().to_vec(),
                std::net::IpAddr::V6(address) => address.octets().to_vec(),
            },
            CqlType::Blob | CqlType::Counter | CqlType::Custom(_) | CqlType::Composite(_) => {
                parse_hex(text.strip_prefix("0x")?)?
            }
            _ => return None,
        })
    }

    /// The value that [`CqlType::to_json`] shows as `json`, with all fields of a tuple or a user-defined type.
    fn parse_json(&self, json: &Value) -> Option<Vec<u8>> {
        let part = |t: &CqlType, json: &Value| match json {
            Value::Null => Some(None),
            json => t.inner().parse_json(json).map(Some),
        };
        let parts: Vec<Option<Vec<u8>>> = match (self, json) {
            (CqlType::List(t) | CqlType::Set(t), Value::Array(parts)) => parts
                .iter()
                .map(|json| part(t, json))
                .collect::<Option<_>>()?,
            (CqlType::Vector(t, dimension), Value::Array(parts)) if parts.len() == *dimension => {
                parts
                    .iter()
                    .map(|json| part(t, json))
                    .collect::<Option<_>>()?
            }
            (CqlType::Tuple(types), Value::Array(parts)) if parts.len() == types.len() => {
                let parts = types.iter().zip(parts);
                parts
                    .map(|(t, json)| part(t, json))
                    .collect::<Option<_>>()?
            }
            (CqlType::Map(key, value), Value::Object(entries)) => {
                let mut parts = Vec::new();
                for (name, json) in entries {
                    let key = key.inner();
                    parts.push(match key.is_made_of_values() {
                        true => part(key, &serde_json::from_str(name).ok()?)?,
                        false => Some(key.parse_json(&Value::String(name.clone()))?),
                    });
                    parts.push(part(value, json)?);
                }
                parts
            }
            (CqlType::Udt { fields, .. }, Value::Object(entries))
                if entries.len() == fields.len() =>
            {
                // In their order: a name stands in quotes or not.
                let parts = fields.iter().zip(entries.values());
                parts
                    .map(|((_, t), json)| part(t, json))
                    .collect::<Option<_>>()?
            }
            (t, _) if t.is_made_of_values() => return None,
            (_, Value::String(text)) if text.is_empty() => return Some(Vec::new()),
            (t, Value::String(text)) if t.is_text() => return Some(text.as_bytes().to_vec()),
            (t, Value::String(text)) => return t.parse_plain(text),
            (t, Value::Number(number)) => return t.parse_plain(&number.to_string()),
            (t, Value::Bool(value)) => return t.parse_plain(&value.to_string()),
            _ => return None,
        };
        join(self, &parts)
    }
}

/// Text as a part of a key: escaped, and nothing in it that means something there.
fn show_text(value: &[u8]) -> String {
    let escape_at = |text: &mut String, at: usize| {
        if let Some(&byte) = text.as_bytes().get(at) {
            text.replace_range(at..=at, &format!("\\x{byte:02x}"));
        }
    };
    let mut text = escape(value).replace(',', "\\x2c").replace(" :", " \\x3a");
    let mut suffixes = SUFFIXES.into_iter().chain([" "]);
    let suffix = suffixes.find(|suffix| text.ends_with(suffix));
    if let Some(suffix) = suffix {
        let at = text.len() - suffix.len();
        escape_at(&mut text, at);
    }
    let is_side = SIDES.iter().any(|side| {
        let rest = text.strip_prefix(side);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let is_special = text == NULL
        || text == EMPTY
        || text.starts_with(TOKEN)
        || text.starts_with(' ')
        || is_side;
    if is_special {
        escape_at(&mut text, 0);
    }
    text
}

/// JSON without characters that a terminal could misread.
fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let mut utf8 = [0; 4];
        // Only strings hold such characters; a backslash is JSON's own.
        if c == '\\'
            || matches!(
                escape(c.encode_utf8(&mut utf8).as_bytes()),
                std::borrow::Cow::Borrowed(_)
            )
        {
            out.push(c);
        } else {
            let mut utf16 = [0; 2];
            for unit in c.encode_utf16(&mut utf16) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn parse_digits(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Days since 1970 of a date of the Gregorian calendar.
fn parse_date(text: &str) -> Option<i64> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.split('-').map(parse_digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // No date of CQL is further, so nothing below overflows.
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || year > 10_000_000
    {
        return None;
    }
    let year = if is_negative { -year } else { year };
    // Years that begin in March, in eras of 400 years.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Nanoseconds since midnight of `hh:mm[:ss[.fraction]]`.
fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(parse_digits);
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let is_clock = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    let nanos = parse_digits(&format!("{fraction:0<9}")).filter(|_| fraction.len() <= 9)?;
    is_clock.then(|| ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + nanos)
}

/// Milliseconds since 1970 of a date, with or without a time of day in UTC; or of their number.
fn parse_timestamp(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse() {
        return Some(millis);
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, parse_time(time)?),
        None => (text, 0),
    };
    parse_date(date)?
        .checked_mul(86_400_000)?
        .checked_add(time / 1_000_000)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
