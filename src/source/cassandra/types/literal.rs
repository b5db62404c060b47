//! Values as literals of CQL: text that a server reads back to the same bytes.
//!
//! Where the usual literal would give other bytes (a varint with a zero in front, text that is not UTF-8, an empty int), a
//! call such as `blobAsInt(0x)` stands for it; every version since 2.0 knows these. Two things have no literal and
//! keep only their meaning: fields that are absent at the end of a user-defined type come back as nulls, and a malformed
//! collection or value of an unknown type is shown as a blob, which only a column of bytes takes. A counter shows its
//! sum.

use super::CqlType;
use super::cql::plain_name;
use super::elements::{is_valid, push_vint, split};
use super::number::{split_decimal, trim_varint};
use super::show::{hex, read_duration, show_timestamp};
use super::text::push_name;

impl CqlType {
    /// A value as a literal of CQL.
    pub fn to_cql_literal(&self, value: &[u8]) -> String {
        let mut out = String::new();
        self.inner().push_literal(value, &mut out);
        out
    }

    fn push_literal(&self, value: &[u8], out: &mut String) {
        match self {
            CqlType::Reversed(t) | CqlType::Frozen(t) => return t.push_literal(value, out),
            CqlType::Blob | CqlType::Custom(_) | CqlType::Composite(_) => {
                out.push_str(&hex(value));
                return;
            }
            CqlType::Counter => return self.push_json(value, out),
            CqlType::Ascii | CqlType::Text => {
                let text = std::str::from_utf8(value).ok();
                match text.filter(|text| *self == CqlType::Text || text.is_ascii()) {
                    Some(text) => push_text(text, out),
                    None => self.push_call(value, out),
                }
                return;
            }
            _ => {}
        }
        let is_sound = !value.is_empty() && is_valid(self, value);
        let parts = split(self, value).filter(|_| is_sound);
        match (self, parts) {
            (CqlType::List(t) | CqlType::Vector(t, _), Some(parts)) => {
                push_all("[", parts.iter().map(|part| (None, &**t, *part)), "]", out);
            }
            (CqlType::Set(t), Some(parts)) => {
                push_all("{", parts.iter().map(|part| (None, &**t, *part)), "}", out);
            }
            (CqlType::Tuple(types), Some(parts)) => {
                push_all(
                    "(",
                    types.iter().zip(parts).map(|(t, part)| (None, t, part)),
                    ")",
                    out,
                );
            }
            (CqlType::Map(key, t), Some(parts)) => {
                let entries = parts.chunks_exact(2).map(|pair| {
                    let mut text = String::new();
                    push_nullable(key, pair.first().copied().flatten(), &mut text);
                    (Some(text), &**t, pair.get(1).copied().flatten())
                });
                push_all("{", entries, "}", out);
            }
            (CqlType::Udt { fields, .. }, Some(parts)) => {
                let entries = fields.iter().zip(parts).map(|((name, t), part)| {
                    let mut text = String::new();
                    push_name(&mut text, name);
                    (Some(text), t, part)
                });
                push_all("{", entries, "}", out);
            }
            _ => match self.exact_text(value).filter(|_| is_sound) {
                Some(text) if self.is_quoted() => push_text(&text, out),
                Some(text) => out.push_str(&text),
                None => self.push_call(value, out),
            },
        }
    }

    fn is_quoted(&self) -> bool {
        matches!(self, CqlType::Inet | CqlType::Date | CqlType::Time)
    }

    /// The text of a literal that gives the same bytes, or `None` where there is none.
    fn exact_text(&self, value: &[u8]) -> Option<String> {
        let is_exact = match self {
            CqlType::Varint => trim_varint(value) == value,
            CqlType::Decimal => {
                let (scale, number) = split_decimal(value)?;
                // Beyond this a server can't read the exponent back.
                trim_varint(number) == number && scale.unsigned_abs() <= 1_000_000
            }
            CqlType::Float => {
                let bits = u32::from_be_bytes(value.try_into().ok()?);
                !f32::from_bits(bits).is_nan() || bits == 0x7fc0_0000
            }
            CqlType::Double => {
                let bits = u64::from_be_bytes(value.try_into().ok()?);
                !f64::from_bits(bits).is_nan() || bits == 0x7ff8_0000_0000_0000
            }
            CqlType::Boolean => matches!(value, [0 | 1]),
            CqlType::Time => u64::from_be_bytes(value.try_into().ok()?) < 86_400_000_000_000,
            CqlType::Date => {
                // Years 1 to 9999: further ones are written in other ways by other versions.
                let days = i64::from(u32::from_be_bytes(value.try_into().ok()?)) - (1 << 31);
                (-719_162..=2_932_896).contains(&days)
            }
            CqlType::Timestamp => {
                let millis = i64::from_be_bytes(value.try_into().ok()?);
                // The Gregorian years up to 9999.
                let is_common = (-12_212_553_600_000..253_402_300_800_000).contains(&millis);
                return Some(match is_common {
                    true => format!("'{}+0000'", show_timestamp(millis)),
                    false => millis.to_string(),
                });
            }
            CqlType::Timeuuid => value.get(6).is_some_and(|byte| byte >> 4 == 1),
            CqlType::Inet => {
                let mapped = <[u8; 16]>::try_from(value)
                    .is_ok_and(|bytes| std::net::Ipv6Addr::from(bytes).to_ipv4_mapped().is_some());
                !mapped
            }
            CqlType::Duration => {
                let (months, days, nanos) = read_duration(value)?;
                let mut same = Vec::new();
                for part in [months, days, nanos] {
                    push_vint(&mut same, part);
                }
                let parts = [months, days, nanos];
                let has_one_sign = parts.iter().all(|n| *n >= 0) || parts.iter().all(|n| *n <= 0);
                let fits = i32::try_from(months).is_ok() && i32::try_from(days).is_ok();
                if same == value && parts == [0; 3] {
                    return Some("0ns".into());
                }
                same == value && has_one_sign && fits
            }
            _ => true,
        };
        is_exact.then(|| self.show_plain(value)).flatten()
    }

    /// Appends a call that turns a blob into the value, or the blob alone where there is none.
    fn push_call(&self, value: &[u8], out: &mut String) {
        let blob = hex(value);
        match plain_name(self).filter(|_| *self != CqlType::Empty) {
            Some(name) => {
                let (first, rest) = name.split_at(1);
                out.push_str(&format!("blobAs{}{rest}({blob})", first.to_uppercase()));
            }
            None => out.push_str(&blob),
        }
    }
}

fn push_text(text: &str, out: &mut String) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

fn push_nullable(t: &CqlType, value: Option<&[u8]>, out: &mut String) {
    match value {
        Some(value) => t.push_literal(value, out),
        None => out.push_str("null"),
    }
}

/// Appends values between brackets, each behind its key or name if it has one.
fn push_all<'a>(
    open: &str,
    parts: impl Iterator<Item = (Option<String>, &'a CqlType, Option<&'a [u8]>)>,
    close: &str,
    out: &mut String,
) {
    out.push_str(open);
    for (at, (key, t, part)) in parts.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if let Some(key) = key {
            out.push_str(&key);
            out.push_str(": ");
        }
        push_nullable(t, part, out);
    }
    out.push_str(close);
}

#[cfg(test)]
mod tests {
    use super::super::cql::Udts;
    use super::super::samples::bytes_of;
    use super::*;

    #[test]
    fn literals_give_the_same_bytes_back() {
        let addr = CqlType::Udt {
            keyspace: "fx".into(),
            name: "addr".into(),
            fields: vec![("zip".into(), CqlType::Int), ("No".into(), CqlType::Text)],
        };
        let udts = Udts::from([(("fx".into(), "addr".into()), addr)]);
        for (t, hex, text) in [
            ("int", "ffffffff", "-1"),
            ("int", "", "blobAsInt(0x)"),
            ("text", "6974277320c3bc", "'it''s \u{fc}'"),
            ("text", "", "''"),
            ("text", "ff", "blobAsText(0xff)"),
            ("ascii", "c3bc", "blobAsAscii(0xc3bc)"),
            ("blob", "", "0x"),
            ("varint", "0001", "blobAsVarint(0x0001)"),
            ("varint", "ff", "-1"),
            ("decimal", "000000010a", "1.0"),
            ("decimal", "7fffffff01", "blobAsDecimal(0x7fffffff01)"),
            ("double", "7ff8000000000000", "NaN"),
            (
                "double",
                "fff8000000000000",
                "blobAsDouble(0xfff8000000000000)",
            ),
            ("float", "ff800000", "-Infinity"),
            ("boolean", "01", "true"),
            ("date", "80000000", "'1970-01-01'"),
            ("date", "00000000", "blobAsDate(0x00000000)"),
            ("time", "0000000000000001", "'00:00:00.000000001'"),
            (
                "timestamp",
                "ffffffffffffffff",
                "'1969-12-31 23:59:59.999+0000'",
            ),
            ("timestamp", "8000000000000000", "-9223372036854775808"),
            (
                "uuid",
                "00000000000040000000000000000000",
                "00000000-0000-4000-0000-000000000000",
            ),
            (
                "timeuuid",
                "00000000000040000000000000000000",
                "blobAsTimeuuid(0x00000000000040000000000000000000)",
            ),
            ("inet", "7f000001", "'127.0.0.1'"),
            ("duration", "000000", "0ns"),
            ("duration", "010305", "-1mo2d3ns"),
            ("duration", "010405", "blobAsDuration(0x010405)"),
            (
                "frozen<set<text>>",
                "0000000200000001610000000162",
                "{'a', 'b'}",
            ),
            (
                "frozen<map<int,text>>",
                "000000010000000400000001000000036f6e65",
                "{1: 'one'}",
            ),
            ("tuple<int,text>", "0000000400000009ffffffff", "(9, null)"),
            (
                "frozen<addr>",
                "0000000400000009ffffffff",
                "{zip: 9, \"No\": null}",
            ),
            ("vector<float, 2>", "bf8000003f000000", "[-1.0, 0.5]"),
        ] {
            let t = CqlType::parse_cql(t, "fx", &udts).unwrap();
            assert_eq!(t.to_cql_literal(&bytes_of(hex)), text, "{t:?} {hex}");
        }
    }
}
