//! Rows in COPY's CSV form: records as RFC 4180 has them. NULL is an unquoted field that is empty (or what `--null` says).

use super::copy_text::show_flaw;
use super::layout::RowBuilder;
use super::window::Window;
use crate::error::Result;
use crate::row::Row;
use crate::source::csv::record::{Field, Parsed, is_blank, parse};

/// How the records are written.
#[derive(Debug, Clone)]
pub(super) struct CsvStyle {
    /// Stands between fields.
    pub delimiter: u8,
    /// The unquoted text of NULL.
    pub null: Vec<u8>,
}

/// Reads the record ahead into `fields`; its length, or `None` at the end of the text.
///
/// # Errors
///
/// Those of reading; Damaged where it is no record.
pub(super) fn record(
    window: &mut Window<'_>,
    style: &CsvStyle,
    fields: &mut Vec<Field>,
) -> Result<Option<usize>> {
    let mut at_end = false;
    loop {
        let bytes = window.bytes();
        if !bytes.is_empty() || at_end {
            if bytes.is_empty() {
                return Ok(None);
            }
            match parse(bytes, 0, at_end, style.delimiter, fields) {
                Ok(Parsed::Record(len)) => return Ok(Some(len)),
                Ok(Parsed::Incomplete) => {}
                Err(flaw) => {
                    let offset = window.offset() + flaw.at as u64;
                    return Err(window.damaged(offset, flaw.what));
                }
            }
        }
        at_end = !window.fill()?;
    }
}

/// Hands each row to `sink`, with its offset.
///
/// # Errors
///
/// Those of reading and of `sink`; Damaged where a record is no row.
pub(super) fn read(
    window: &mut Window<'_>,
    style: &CsvStyle,
    row: &mut RowBuilder,
    sink: &mut dyn FnMut(Row<'_>, u64) -> Result<()>,
) -> Result<()> {
    let mut fields = Vec::new();
    let mut scratch = Vec::new();
    while let Some(len) = record(window, style, &mut fields)? {
        let offset = window.offset();
        row.begin();
        if row.len() > 0 || !is_blank(&fields) {
            for field in &fields {
                let content = field.content(window.bytes(), &mut scratch);
                match !field.quoted && content == style.null {
                    true => row.push_null(),
                    false => row.push(content),
                }
            }
        }
        match row.finish() {
            Ok(row) => sink(row, offset)?,
            Err(flaw) => return Err(window.damaged(offset, show_flaw(&flaw, row))),
        }
        window.consume(len);
    }
    Ok(())
}
