//! Rows in COPY's binary form.
//!
//! ```text
//! "PGCOPY\n" ff 0d 0a 00   flags: u32   length of an extension: u32, and so many bytes
//! rows: number of fields: i16, then for each its length: i32 (-1: NULL), and so many bytes
//! end:  -1: i16
//! ```
//!
//! All integers are big-endian. A field is in its type's own form, which the file does not tell.

use super::copy_text::show_flaw;
use super::layout::RowBuilder;
use super::value::{base_type, push_bytes, push_float};
use super::window::Window;
use crate::error::Result;
use crate::row::{Row, decimal};

/// What a file begins with.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Flags that a reader must know; none is known but that of OIDs, which servers before 12 wrote.
const CRITICAL_FLAGS: u32 = 0xffff_0000;

/// How the bytes of a field become the text that the server prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decode {
    /// As they are.
    Raw,
    Bool,
    Int,
    Float4,
    Float8,
    Bytes,
    Numeric,
    Timestamp,
    TimestampTz,
    Date,
    Time,
    Uuid,
    Jsonb,
}

impl Decode {
    /// That of a type; `None` where it is not known. A type that is not told stays as it is.
    pub fn of(sql_type: &str) -> Option<Decode> {
        Some(match base_type(sql_type).as_str() {
            "" | "text" | "character varying" | "varchar" | "character" | "char" | "bpchar"
            | "name" | "json" | "xml" => Decode::Raw,
            "boolean" | "bool" => Decode::Bool,
            "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8" => Decode::Int,
            "real" | "float4" => Decode::Float4,
            "double precision" | "float8" => Decode::Float8,
            "bytea" => Decode::Bytes,
            "numeric" | "decimal" => Decode::Numeric,
            "timestamp without time zone" | "timestamp" => Decode::Timestamp,
            "timestamp with time zone" | "timestamptz" => Decode::TimestampTz,
            "date" => Decode::Date,
            "time without time zone" | "time" => Decode::Time,
            "uuid" => Decode::Uuid,
            "jsonb" => Decode::Jsonb,
            _ => return None,
        })
    }

    /// Appends the text of `bytes`; `None` where they are not of this type.
    fn push(self, out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
        match self {
            Decode::Raw => out.extend_from_slice(bytes),
            Decode::Bool => out.push(match bytes {
                [0] => b'f',
                [1] => b't',
                _ => return None,
            }),
            Decode::Int => {
                let int = match bytes.len() {
                    2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
                    4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
                    _ => i64::from_be_bytes(bytes.try_into().ok()?),
                };
                out.extend_from_slice(int.to_string().as_bytes());
            }
            Decode::Float4 => push_float(out, f32::from_be_bytes(bytes.try_into().ok()?)),
            Decode::Float8 => push_float(out, f64::from_be_bytes(bytes.try_into().ok()?)),
            Decode::Bytes => push_bytes(out, bytes),
            Decode::Numeric => push_numeric(out, bytes)?,
            Decode::Timestamp | Decode::TimestampTz => {
                match i64::from_be_bytes(bytes.try_into().ok()?) {
                    i64::MAX => out.extend_from_slice(b"infinity"),
                    i64::MIN => out.extend_from_slice(b"-infinity"),
                    micros => {
                        let zone = if self == Decode::TimestampTz {
                            "+00"
                        } else {
                            ""
                        };
                        let days = micros.div_euclid(DAY_MICROS);
                        let time = show_time(micros.rem_euclid(DAY_MICROS));
                        let (date, era) = show_date(days);
                        out.extend_from_slice(format!("{date} {time}{zone}{era}").as_bytes());
                    }
                }
            }
            Decode::Date => match i32::from_be_bytes(bytes.try_into().ok()?) {
                i32::MAX => out.extend_from_slice(b"infinity"),
                i32::MIN => out.extend_from_slice(b"-infinity"),
                days => {
                    let (date, era) = show_date(days.into());
                    out.extend_from_slice(format!("{date}{era}").as_bytes());
                }
            },
            Decode::Time => {
                let micros = i64::from_be_bytes(bytes.try_into().ok()?);
                if !(0..=DAY_MICROS).contains(&micros) {
                    return None;
                }
                out.extend_from_slice(show_time(micros).as_bytes());
            }
            Decode::Uuid => {
                let number = u128::from_be_bytes(bytes.try_into().ok()?);
                let digits = format!("{number:032x}");
                for (at, digit) in digits.bytes().enumerate() {
                    if matches!(at, 8 | 12 | 16 | 20) {
                        out.push(b'-');
                    }
                    out.push(digit);
                }
            }
            Decode::Jsonb => out.extend_from_slice(bytes.strip_prefix(&[1])?),
        }
        Some(())
    }
}

const DAY_MICROS: i64 = 86_400_000_000;

/// `10:19:48.5`, without zeros behind.
fn show_time(micros: i64) -> String {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if rest != 0 {
        text.push_str(format!(".{rest:06}").trim_end_matches('0'));
    }
    text
}

/// The date so many days after 2000-01-01, and ` BC` where it lies before our era.
fn show_date(days: i64) -> (String, &'static str) {
    // Counted from 0000-03-01 on, so that a leap day ends its year; 400 years have 146097 days.
    let days = days + 730_425;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = cycle * 400 + year + carry;
    match year > 0 {
        true => (format!("{year:04}-{month:02}-{date:02}"), ""),
        false => (format!("{:04}-{month:02}-{date:02}", 1 - year), " BC"),
    }
}

/// Appends a number of base-10000 digits: their count, the weight of the first, the sign, the scale to print, the digits.
fn push_numeric(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let (words, rest) = bytes.as_chunks::<2>();
    let words: Vec<u16> = words.iter().map(|word| u16::from_be_bytes(*word)).collect();
    let [count, weight, sign, _scale, digits @ ..] = words.as_slice() else {
        return None;
    };
    if !rest.is_empty() || usize::from(*count) != digits.len() {
        return None;
    }
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xc000 => return push_text(out, b"NaN"),
        0xd000 => return push_text(out, b"Infinity"),
        0xf000 => return push_text(out, b"-Infinity"),
        _ => return None,
    };
    let mut text = String::from(sign);
    text.push('0');
    for digit in digits {
        if *digit > 9999 {
            return None;
        }
        text.push_str(&format!("{digit:04}"));
    }
    let exponent = 4 * (i64::from(*weight as i16) + 1 - digits.len() as i64);
    text.push_str(&format!("e{exponent}"));
    decimal::push_canonical(out, text.as_bytes()).then_some(())
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    out.extend_from_slice(text);
    Some(())
}

/// Passes over what stands before the rows.
///
/// # Errors
///
/// Those of reading; Damaged and Unsupported where it is not such as servers write.
pub(super) fn read_head(window: &mut Window<'_>) -> Result<()> {
    if !window.starts_with(SIGNATURE)? {
        return Err(window.damaged_here("not the signature of COPY's binary form"));
    }
    window.consume(SIGNATURE.len());
    let flags = u32::from_be_bytes(array(window)?);
    if flags & CRITICAL_FLAGS != 0 {
        return Err(window.unsupported(
            format!("COPY's binary form with flags {flags:#x}"),
            "copy the table WITHOUT OIDS, or as text",
        ));
    }
    let len = u32::from_be_bytes(array(window)?);
    take(window, u64::from(len))?;
    Ok(())
}

/// The number of fields of the row ahead; `None` at the end mark. Consumes nothing.
///
/// # Errors
///
/// Those of reading; Damaged where the file ends, or there can't be so many.
pub(super) fn field_count(window: &mut Window<'_>) -> Result<Option<usize>> {
    if !window.ensure(2)? {
        return Err(window.damaged_here("the rows end without an end mark"));
    }
    let count = match window.bytes() {
        [high, low, ..] => i16::from_be_bytes([*high, *low]),
        _ => -1,
    };
    match usize::try_from(count) {
        Ok(count) => Ok(Some(count)),
        Err(_) if count == -1 => Ok(None),
        Err(_) => Err(window.damaged_here(format!("a row of {count} fields"))),
    }
}

/// Hands each row to `sink`, with its offset; `decode` says how each field is read.
///
/// # Errors
///
/// Those of reading and of `sink`; Damaged where bytes are no row, or no value of their type.
pub(super) fn read(
    window: &mut Window<'_>,
    decode: &[Decode],
    row: &mut RowBuilder,
    sink: &mut dyn FnMut(Row<'_>, u64) -> Result<()>,
) -> Result<()> {
    read_head(window)?;
    loop {
        let offset = window.offset();
        let Some(count) = field_count(window)? else {
            window.consume(2);
            return match window.byte(0)? {
                None => Ok(()),
                Some(_) => Err(window.damaged_here("bytes behind the end mark of the rows")),
            };
        };
        window.consume(2);
        row.begin();
        for at in 0..count {
            let start = window.offset();
            let len = i32::from_be_bytes(array(window)?);
            if len == -1 {
                row.push_null();
                continue;
            }
            let len = u64::try_from(len)
                .map_err(|_| window.damaged(start, format!("a field of {len} bytes")))?;
            let is_wanted = row.kind().is_some();
            let decode = decode.get(at).copied().unwrap_or(Decode::Raw);
            let bytes = take(window, len)?;
            if !is_wanted {
                row.push_null();
                continue;
            }
            let mut is_sound = true;
            row.push_by(|out| is_sound = decode.push(out, bytes).is_some());
            if !is_sound {
                return Err(window.damaged(
                    start,
                    format!("field {} is not of the type that its column has", at + 1),
                ));
            }
        }
        match row.finish() {
            Ok(row) => sink(row, offset)?,
            Err(flaw) => return Err(window.damaged(offset, show_flaw(&flaw, row))),
        }
    }
}

fn array<const N: usize>(window: &mut Window<'_>) -> Result<[u8; N]> {
    let bytes = take(window, N as u64)?;
    // As many as were asked for.
    Ok(bytes.try_into().unwrap_or([0; N]))
}

/// Consumes so many bytes and lends them.
fn take<'w>(window: &'w mut Window<'_>, len: u64) -> Result<&'w [u8]> {
    let wanted = usize::try_from(len).unwrap_or(usize::MAX);
    if !window.ensure(wanted)? {
        return Err(window.damaged_here("the file ends inside a row"));
    }
    Ok(window.take(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, date, era) in [
            (0, "2000-01-01", ""),
            (-1, "1999-12-31", ""),
            (59, "2000-02-29", ""),
            (60, "2000-03-01", ""),
            (8765, "2023-12-31", ""),
            (-730_119, "0001-01-01", ""),
            (-730_120, "0001-12-31", " BC"),
            (2_921_939, "9999-12-31", ""),
            (2_921_940, "10000-01-01", ""),
        ] {
            assert_eq!(show_date(days), (date.into(), era), "{days}");
        }
        assert_eq!(show_time(36_000_000_000 + 500_000), "10:00:00.5");
    }

    #[test]
    fn numbers_of_large_digits_are_decimal() {
        for (words, wanted) in [
            (&[0u16, 0, 0, 0][..], Some("0")),
            (&[1, 0, 0, 0, 7], Some("7")),
            (&[2, 0, 0x4000, 2, 12, 3400], Some("-12.34")),
            (&[1, 0xffff, 0, 4, 50], Some("0.005")),
            (&[1, 2, 0, 0, 1], Some("100000000")),
            (&[0, 0, 0xc000, 0], Some("NaN")),
            (&[1, 0, 0, 0, 10_000], None),
            (&[2, 0, 0, 0, 1], None),
            (&[1, 0, 7, 0, 1], None),
            (&[1, 0, 0], None),
        ] {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let mut out = Vec::new();
            let pushed = push_numeric(&mut out, &bytes);
            assert_eq!(
                pushed.map(|()| String::from_utf8(out).unwrap()).as_deref(),
                wanted
            );
        }
    }
}
