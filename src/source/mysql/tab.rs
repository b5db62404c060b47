//! The text files of `mysqldump --tab` and `SELECT ... INTO OUTFILE`: a row a line, as LOAD DATA reads them.

use std::sync::Arc;

use memchr::{memchr2, memchr3};

use super::layout::Layout;
use super::lex::Stop;
use super::snapshot::estimate;
use super::values::{Field, Form};
use super::window::{Window, show_place};
use crate::error::Result;
use crate::file::input::Input;
use crate::row::Row;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;
use crate::source::{Estimate, SourceOptions};

/// How the fields of a file are kept apart. A backslash escapes, as it does unless FIELDS ESCAPED BY says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Separators {
    delimiter: u8,
    enclosed_by: Option<u8>,
    line_end: &'static [u8],
}

impl Separators {
    /// Those that the options tell; else those of mysqldump.
    pub fn of_options(options: &SourceOptions) -> Separators {
        Separators {
            delimiter: options.text.delimiter.unwrap_or(b'\t'),
            enclosed_by: options.load.enclosed_by,
            line_end: match options.load.crlf {
                true => b"\r\n",
                false => b"\n",
            },
        }
    }
}

/// The rows of one table in such a file.
pub(super) struct LoadedRows {
    pub input: Option<Arc<Input>>,
    pub layout: Layout,
    pub separators: Separators,
}

impl LoadedRows {
    fn visit(&self, visit: &mut dyn FnMut(Row<'_>, u64) -> Result<()>) -> Result<()> {
        let Some(input) = &self.input else {
            return Ok(());
        };
        let mut window = Window::new(input, 0);
        let mut fields = Vec::new();
        let mut encoder = self
            .layout
            .encoder(None)
            .map_err(|stop| window.error(0, stop))?;
        let fields_max = self.layout.width();
        while !window.is_at_end() {
            let offset = window.pos();
            window.parse("a row", |bytes, may_go_on| {
                let end = record(bytes, may_go_on, self.separators, fields_max, &mut fields)?;
                let row = encoder.row(bytes, &fields)?;
                visit(row, offset).map_err(Stop::Failed)?;
                Ok(((), end))
            })?;
        }
        Ok(())
    }
}

impl Unsorted for LoadedRows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        self.layout.check()?;
        sorter.push_beside(|sorter| self.visit(&mut |row, offset| sorter.push(row, offset)))
    }

    fn twice(&self) -> Twice {
        self.layout.twice()
    }

    fn show_place(&self, place: u64) -> String {
        match &self.input {
            Some(input) => format!("{} {}", input.path().display(), show_place(input, place)),
            None => format!("offset {place}"),
        }
    }

    fn estimate(&self) -> Estimate {
        let bytes = self.input.as_ref().map_or(0, |input| input.len());
        estimate(bytes, |visit| self.visit(visit))
    }
}

/// Cuts the record in front; returns the position behind its line end.
fn record(
    bytes: &[u8],
    may_go_on: bool,
    separators: Separators,
    fields_max: usize,
    fields: &mut Vec<Field>,
) -> Result<usize, Stop> {
    fields.clear();
    let mut pos = 0;
    loop {
        if fields.len() == fields_max {
            let what = format!(
                "a row of more than {fields_max} fields; if other separators were asked for, tell them with --delimiter, --enclosed-by and --line-end"
            );
            return Err(Stop::flaw(pos, what));
        }
        let is_enclosed = bytes
            .get(pos)
            .copied()
            .is_some_and(|b| Some(b) == separators.enclosed_by);
        let (field, end) = match is_enclosed {
            true => enclosed(bytes, pos)?,
            false => bare(bytes, pos, separators)?,
        };
        fields.push(field);
        let rest = bytes.get(end..).unwrap_or_default();
        if rest.first() == Some(&separators.delimiter) {
            pos = end + 1;
        } else if rest.starts_with(separators.line_end) {
            return Ok(end + separators.line_end.len());
        } else if rest.len() < separators.line_end.len() && (may_go_on || rest.is_empty()) {
            return Err(Stop::Incomplete);
        } else {
            return Err(Stop::flaw(
                end,
                "a closing quote is followed by more of the field",
            ));
        }
    }
}

/// A field between quotes, and the position behind them.
fn enclosed(bytes: &[u8], start: usize) -> Result<(Field, usize), Stop> {
    let quote = bytes.get(start).copied().unwrap_or_default();
    let (mut pos, mut form) = (start + 1, Form::Plain);
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        let at = pos + memchr2(quote, b'\\', rest).ok_or(Stop::Incomplete)?;
        let is_doubled = bytes.get(at + 1) == Some(&quote);
        if bytes.get(at) == Some(&quote) && !is_doubled {
            let field = Field {
                start: start + 1,
                end: at,
                form,
            };
            return Ok((field, at + 1));
        }
        form = Form::Loaded(Some(quote));
        pos = at + 2;
    }
}

/// A field without quotes, and the position of what ends it.
#[inline]
fn bare(bytes: &[u8], start: usize, separators: Separators) -> Result<(Field, usize), Stop> {
    let first_of_end = separators.line_end.first().copied().unwrap_or(b'\n');
    let (mut pos, mut form) = (start, Form::Plain);
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        let at = pos
            + memchr3(separators.delimiter, first_of_end, b'\\', rest).ok_or(Stop::Incomplete)?;
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'\\') {
            form = Form::Loaded(None);
            pos = at + 2;
            continue;
        }
        if rest.first() != Some(&separators.delimiter) && !rest.starts_with(separators.line_end) {
            if rest.len() < separators.line_end.len() {
                return Err(Stop::Incomplete);
            }
            pos = at + 1;
            continue;
        }
        let raw = bytes.get(start..at).unwrap_or_default();
        let is_null = raw == b"\\N" || (raw == b"NULL" && separators.enclosed_by.is_some());
        if is_null {
            form = Form::Null;
        }
        return Ok((
            Field {
                start,
                end: at,
                form,
            },
            at,
        ));
    }
}

/// Appends the field that `raw` spells; `quote` stands around it.
pub(super) fn unescape(out: &mut Vec<u8>, raw: &[u8], quote: Option<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr2(b'\\', quote.unwrap_or(b'\\'), rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let (Some(&mark), next) = (tail.first(), tail.get(1).copied()) else {
            return;
        };
        rest = tail.get(2..).unwrap_or_default();
        match next {
            Some(next) if mark == b'\\' => out.push(match next {
                b'0' => 0,
                b'b' => 8,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'Z' => 0x1a,
                other => other,
            }),
            _ => out.push(mark),
        }
    }
    out.extend_from_slice(rest);
}
