//! The values of a row: where they stand, and the bytes they mean.

use super::lex::{Lexer, Quoting, Stop, Token, quoted, unquote};
use crate::row::decimal::push_canonical;
use crate::row::sql::mysql::Kind;

/// How a value is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// NULL.
    Null,
    /// A number.
    Bare,
    /// A text as it is.
    Plain,
    /// A text with backslashes or doubled quotes.
    Escaped {
        /// Which quote.
        quote: u8,
        /// Whether a backslash is but that.
        plain_backslash: bool,
    },
    /// A field of a file for LOAD DATA with backslashes, or doubled quotes of this kind.
    Loaded(Option<u8>),
    /// A text of XML with entities.
    Entities,
    /// Hexadecimal digits.
    Hex,
    /// Binary digits.
    Bits,
}

/// Where a value stands in the bytes that were parsed, and how it is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    pub form: Form,
}

impl Field {
    pub const NULL: Field = Field {
        start: 0,
        end: 0,
        form: Form::Null,
    };
}

/// Cuts the row whose parenthesis opens in front, of at most `fields_max` values; returns the position behind its closing one.
pub(super) fn tuple(
    bytes: &[u8],
    quoting: Quoting,
    fields_max: u64,
    fields: &mut Vec<Field>,
) -> Result<usize, Stop> {
    fields.clear();
    match bytes.first() {
        Some(b'(') => {}
        None => return Err(Stop::Incomplete),
        Some(_) => return Err(Stop::flaw(0, "a row does not start with a parenthesis")),
    }
    let mut pos = 1;
    loop {
        let (field, next) = value(bytes, pos, quoting)?;
        if fields.len() as u64 == fields_max {
            return Err(Stop::flaw(
                pos,
                format!("a row of more than {fields_max} values"),
            ));
        }
        fields.push(field);
        pos = next;
        loop {
            match bytes.get(pos) {
                Some(b',') => {
                    pos += 1;
                    break;
                }
                Some(b')') => return Ok(pos + 1),
                Some(b' ' | b'\n' | b'\r' | b'\t') => pos += 1,
                None => return Err(Stop::Incomplete),
                Some(_) => return Err(strange(bytes, pos)),
            }
        }
    }
}

/// The value at `pos`, and the position behind it.
#[inline]
fn value(bytes: &[u8], mut pos: usize, quoting: Quoting) -> Result<(Field, usize), Stop> {
    loop {
        let byte = *bytes.get(pos).ok_or(Stop::Incomplete)?;
        return match byte {
            b'\'' | b'"' => text(bytes, pos, quoting),
            b'0'..=b'9' | b'-' | b'+' | b'.' => number(bytes, pos),
            b' ' | b'\n' | b'\r' | b'\t' => {
                pos += 1;
                continue;
            }
            _ => spelled(bytes, pos, quoting),
        };
    }
}

#[inline]
fn text(bytes: &[u8], pos: usize, quoting: Quoting) -> Result<(Field, usize), Stop> {
    let text = quoted(bytes, pos, quoting.plain_backslash)?;
    // The byte behind decides whether the quote is doubled.
    if text.next >= bytes.len() {
        return Err(Stop::Incomplete);
    }
    let form = match text.escaped {
        false => Form::Plain,
        true => Form::Escaped {
            quote: bytes.get(pos).copied().unwrap_or_default(),
            plain_backslash: quoting.plain_backslash,
        },
    };
    let field = Field {
        start: text.start,
        end: text.end,
        form,
    };
    Ok((field, text.next))
}

#[inline]
fn number(bytes: &[u8], pos: usize) -> Result<(Field, usize), Stop> {
    let rest = bytes.get(pos..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|b| !matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
        .ok_or(Stop::Incomplete)?;
    if len == 1 && rest.starts_with(b"0") && matches!(rest.get(1), Some(b'x' | b'X' | b'b' | b'B'))
    {
        let form = match rest.get(1) {
            Some(b'x' | b'X') => Form::Hex,
            _ => Form::Bits,
        };
        let digits = rest.get(2..).unwrap_or_default();
        let len = digits
            .iter()
            .position(|b| !b.is_ascii_alphanumeric())
            .ok_or(Stop::Incomplete)?;
        return Ok((
            Field {
                start: pos + 2,
                end: pos + 2 + len,
                form,
            },
            pos + 2 + len,
        ));
    }
    let field = Field {
        start: pos,
        end: pos + len,
        form: Form::Bare,
    };
    Ok((field, pos + len))
}

/// A value that starts with a word: NULL, a text with its character set before it, digits between quotes, a conversion.
#[cold]
fn spelled(bytes: &[u8], pos: usize, quoting: Quoting) -> Result<(Field, usize), Stop> {
    let rest = bytes.get(pos..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
        .ok_or(Stop::Incomplete)?;
    let word = rest.get(..len).unwrap_or_default().to_ascii_uppercase();
    let next = pos + len;
    let after = rest.get(len).copied();
    match (word.as_slice(), after) {
        (b"NULL", _) => Ok((Field::NULL, next)),
        (b"X" | b"B", Some(b'\'')) => {
            let digits = quoted(bytes, next, true)?;
            let form = match word.as_slice() {
                b"X" => Form::Hex,
                _ => Form::Bits,
            };
            let field = Field {
                start: digits.start,
                end: digits.end,
                form,
            };
            Ok((field, digits.next))
        }
        (b"N", Some(b'\'')) => text(bytes, next, quoting),
        ([b'_', ..], _) => {
            let (field, next) = value(bytes, next, quoting)?;
            match field.form {
                Form::Bare | Form::Null => Err(strange(bytes, pos)),
                _ => Ok((field, next)),
            }
        }
        // MyDumper's JSON: CONVERT("..." USING UTF8MB4).
        (b"CONVERT", Some(b'(')) => {
            let (field, next) = value(bytes, next + 1, quoting)?;
            let mut lexer = Lexer::of_part(bytes.get(next..).unwrap_or_default(), quoting, true);
            let is_conversion = lexer.take_word("USING")?
                && matches!(lexer.next()?, Token::Word(_))
                && lexer.take_sign(b')')?;
            match is_conversion {
                true => Ok((field, next + lexer.pos())),
                false => Err(strange(bytes, pos)),
            }
        }
        _ => Err(strange(bytes, pos)),
    }
}

#[cold]
fn strange(bytes: &[u8], pos: usize) -> Stop {
    let rest = bytes.get(pos..).unwrap_or_default();
    let shown = crate::row::escape(rest.get(..rest.len().min(20)).unwrap_or_default());
    Stop::flaw(pos, format!("{shown:?} is no constant, nor the end of one"))
}

/// The canonical text of a value: lent from the parsed bytes, or from `scratch`. `None` is NULL.
///
/// # Errors
///
/// What is wrong with it.
#[inline]
pub(super) fn content<'a>(
    kind: Kind,
    form: Form,
    raw: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<Option<&'a [u8]>, String> {
    match (kind, form) {
        (_, Form::Null) => Ok(None),
        (Kind::Text | Kind::Bytes, Form::Plain | Form::Bare) => Ok(Some(raw)),
        (Kind::Number | Kind::Float, Form::Plain | Form::Bare) => {
            number_text(raw, scratch).map(Some)
        }
        _ => undone(kind, form, raw, scratch).map(Some),
    }
}

/// A value whose spelling must be undone first.
fn undone<'a>(
    kind: Kind,
    form: Form,
    raw: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], String> {
    scratch.clear();
    match form {
        Form::Null => {}
        Form::Bare | Form::Plain => scratch.extend_from_slice(raw),
        Form::Escaped {
            quote,
            plain_backslash,
        } => unquote(scratch, raw, quote, plain_backslash),
        Form::Loaded(quote) => super::tab::unescape(scratch, raw, quote),
        Form::Entities => super::xml::unescape(scratch, raw)?,
        Form::Hex => push_hex(scratch, raw)?,
        Form::Bits if kind == Kind::Bits => {
            return bits_of_digits(raw).map(|bits| put(scratch, bits));
        }
        Form::Bits => return Err("bits in a column of another type".into()),
    }
    match kind {
        Kind::Text | Kind::Bytes => Ok(scratch),
        Kind::Number | Kind::Float if form == Form::Hex => {
            Err("hexadecimal digits in a column of numbers".into())
        }
        Kind::Bits if form != Form::Bare => {
            let bits = bits_of_bytes(scratch)?;
            Ok(put(scratch, bits))
        }
        _ => {
            let text = std::mem::take(scratch);
            *scratch = number_text(&text, scratch)?.to_vec();
            Ok(scratch)
        }
    }
}

/// The one spelling of a number: the text itself where it is spelled so, else that in `scratch`.
fn number_text<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    if is_small_integer(raw) {
        return Ok(raw);
    }
    scratch.clear();
    match push_canonical(scratch, raw) {
        true => Ok(scratch),
        false => Err(format!(
            "{:?} in a column of numbers",
            crate::row::escape(raw.get(..raw.len().min(40)).unwrap_or_default())
        )),
    }
}

/// Whether a text is an integer in its one spelling, of up to 40 digits.
fn is_small_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 40 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn put(scratch: &mut Vec<u8>, bits: u64) -> &[u8] {
    scratch.clear();
    scratch.extend_from_slice(bits.to_string().as_bytes());
    scratch
}

fn bits_of_digits(digits: &[u8]) -> Result<u64, String> {
    digits.iter().try_fold(0u64, |bits, digit| match digit {
        b'0' | b'1' if bits >> 63 == 0 => Ok(bits << 1 | u64::from(digit - b'0')),
        b'0' | b'1' => Err("more than 64 bits".into()),
        _ => Err("a binary digit that is neither 0 nor 1".into()),
    })
}

fn bits_of_bytes(bytes: &[u8]) -> Result<u64, String> {
    bytes.iter().try_fold(0u64, |bits, byte| match bits >> 56 {
        0 => Ok(bits << 8 | u64::from(*byte)),
        _ => Err("more than 64 bits".into()),
    })
}

/// Appends the bytes that hexadecimal digits mean.
pub(super) fn push_hex(out: &mut Vec<u8>, digits: &[u8]) -> Result<(), String> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .map(|value| value as u8)
            .ok_or_else(|| "a hexadecimal digit that is none".to_owned())
    };
    // An odd number of digits has a zero in front.
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    if let [digit] = odd {
        out.push(value(*digit)?);
    }
    for pair in pairs.chunks_exact(2) {
        if let [high, low] = pair {
            out.push(value(*high)? << 4 | value(*low)?);
        }
    }
    Ok(())
}
