//! Rows in COPY's text form: a line a row, fields with a delimiter between them, `\N` for NULL, escapes with a backslash, and a line
//! `\.` behind the last one.

use memchr::{memchr, memchr_iter, memchr2};

use super::layout::{Flaw, RowBuilder};
use super::value::Kind;
use super::window::Window;
use crate::error::Result;
use crate::row::Row;

/// How the rows are written.
#[derive(Debug, Clone)]
pub(super) struct CopyStyle {
    /// Stands between fields.
    pub delimiter: u8,
    /// The text of NULL, before escapes are undone.
    pub null: Vec<u8>,
    /// Whether the text is not whole without its end mark.
    pub needs_end_mark: bool,
}

impl Default for CopyStyle {
    fn default() -> CopyStyle {
        CopyStyle {
            delimiter: b'\t',
            null: b"\\N".to_vec(),
            needs_end_mark: true,
        }
    }
}

/// What the rows end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end mark.
    Mark,
    /// The last row.
    Text,
}

/// Hands each row to `sink`, with its offset.
///
/// # Errors
///
/// Those of reading and of `sink`; Damaged where a line is no row, or the text has no end mark.
pub(super) fn read(
    window: &mut Window<'_>,
    style: &CopyStyle,
    row: &mut RowBuilder,
    sink: &mut dyn FnMut(Row<'_>, u64) -> Result<()>,
) -> Result<End> {
    let mut unescaped = Vec::new();
    loop {
        let offset = window.offset();
        let Some((len, next)) = line(window)? else {
            if !style.needs_end_mark {
                return Ok(End::Text);
            }
            return Err(window.damaged_here("the rows end without a line \\. behind them"));
        };
        let line = window.bytes().get(..len).unwrap_or_default();
        if line == b"\\." {
            window.consume(next);
            return Ok(End::Mark);
        }
        row.begin();
        if row.len() > 0 || !line.is_empty() {
            cut(line, style, row, &mut unescaped);
        }
        match row.finish() {
            Ok(row) => sink(row, offset)?,
            Err(flaw) => return Err(window.damaged(offset, show_flaw(&flaw, row))),
        }
        window.consume(next);
    }
}

/// Reads to the end of a window whose rows ended with `end`: no text may follow, and checksums of compressed data are seen to be
/// right. `is_last` where nothing but blanks may follow the window either.
///
/// # Errors
///
/// Those of reading; Damaged where text follows.
pub(super) fn nothing_behind(window: &mut Window<'_>, end: End, is_last: bool) -> Result<()> {
    let behind = |window: &Window<'_>| window.damaged_here("text behind the end mark of the rows");
    loop {
        let bytes = window.bytes();
        let blank = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let is_blank = blank == bytes.len();
        window.consume(blank);
        if !is_blank {
            return Err(behind(window));
        }
        if !window.fill()? {
            return match end == End::Mark && !is_last {
                true => Err(behind(window)),
                false => Ok(()),
            };
        }
    }
}

/// Fields of the first row; `None` where there is none.
///
/// # Errors
///
/// Those of reading.
pub(super) fn first_row_len(window: &mut Window<'_>, style: &CopyStyle) -> Result<Option<usize>> {
    let Some((len, _)) = line(window)? else {
        return Ok(None);
    };
    let line = window.bytes().get(..len).unwrap_or_default();
    let mut count = 1;
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            bytes.next();
        } else if *byte == style.delimiter {
            count += 1;
        }
    }
    Ok((line != b"\\.").then_some(count))
}

/// What is wrong with a row, in words.
pub(super) fn show_flaw(flaw: &Flaw, row: &RowBuilder) -> String {
    match flaw {
        Flaw::Count(count) => format!(
            "a row of {count} fields, where {} columns are declared,",
            row.len()
        ),
        Flaw::NullKey(at) => format!("NULL in field {}, a column of the key,", at + 1),
    }
}

/// The length of the line ahead, without its end, and where the next one starts; `None` at the end of the text.
#[inline]
fn line(window: &mut Window<'_>) -> Result<Option<(usize, usize)>> {
    let mut from = 0;
    loop {
        let Some(at) = window.line_feed(from)? else {
            let len = window.bytes().len();
            return Ok((len > 0).then_some((len, len)));
        };
        let bytes = window.bytes().get(..at).unwrap_or_default();
        if bytes.last() == Some(&b'\\') && is_escaped(bytes) {
            // The line feed is data.
            from = at + 1;
            continue;
        }
        let len = match bytes {
            [text @ .., b'\r'] if !is_escaped(text) => text.len(),
            _ => at,
        };
        return Ok(Some((len, at + 1)));
    }
}

/// Whether the byte behind `bytes` stands behind a backslash that is no escaped one itself.
pub(super) fn is_escaped(bytes: &[u8]) -> bool {
    bytes.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

#[inline]
fn cut(line: &[u8], style: &CopyStyle, row: &mut RowBuilder, unescaped: &mut Vec<u8>) {
    if memchr(b'\\', line).is_none() {
        let mut start = 0;
        for end in memchr_iter(style.delimiter, line) {
            push_plain(line.get(start..end).unwrap_or_default(), style, row);
            start = end + 1;
        }
        push_plain(line.get(start..).unwrap_or_default(), style, row);
        return;
    }
    let mut rest = line;
    loop {
        let mut len = 0;
        let mut has_escapes = false;
        while let Some(at) = memchr2(style.delimiter, b'\\', rest.get(len..).unwrap_or_default()) {
            len += at;
            if rest.get(len) == Some(&style.delimiter) {
                break;
            }
            has_escapes = true;
            len = (len + 2).min(rest.len());
        }
        let is_last = rest.get(len) != Some(&style.delimiter);
        let field = match is_last {
            true => rest,
            false => rest.get(..len).unwrap_or_default(),
        };
        if has_escapes && field != style.null.as_slice() {
            push_escaped(field, row, unescaped);
        } else {
            push_plain(field, style, row);
        }
        if is_last {
            return;
        }
        rest = rest.get(len + 1..).unwrap_or_default();
    }
}

#[inline]
fn push_plain(field: &[u8], style: &CopyStyle, row: &mut RowBuilder) {
    if field == style.null.as_slice() {
        row.push_null();
    } else {
        row.push(field);
    }
}

fn push_escaped(field: &[u8], row: &mut RowBuilder, unescaped: &mut Vec<u8>) {
    match row.kind() {
        None => row.push_null(),
        Some(Kind::Text) => row.push_by(|out| unescape(field, out)),
        Some(_) => {
            unescaped.clear();
            unescape(field, unescaped);
            row.push(unescaped);
        }
    }
}

/// Appends a field with its escapes undone.
fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut rest = field;
    while let Some(at) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let [_, letter, tail @ ..] = escape else {
            // A backslash alone at the end is one.
            out.push(b'\\');
            return;
        };
        rest = tail;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let mut value = u32::from(letter - b'0');
                let digits = rest.iter().take(2).take_while(|b| matches!(b, b'0'..=b'7'));
                let count = digits
                    .map(|digit| value = value * 8 + u32::from(digit - b'0'))
                    .count();
                rest = rest.get(count..).unwrap_or_default();
                // More than a byte wraps, as the server has it.
                out.push(value as u8);
            }
            b'x' => {
                let mut value = 0;
                let digits = rest
                    .iter()
                    .map_while(|b| char::from(*b).to_digit(16))
                    .take(2);
                let count = digits.map(|digit| value = value * 16 + digit).count();
                rest = rest.get(count..).unwrap_or_default();
                out.push(if count == 0 { b'x' } else { value as u8 });
            }
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
}
