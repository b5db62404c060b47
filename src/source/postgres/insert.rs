//! Rows in INSERT statements, as `pg_dump --inserts`, `--column-inserts`, `--rows-per-insert` and `--on-conflict-do-nothing` write
//! them: `INSERT INTO table [(columns)] VALUES (value, ...), ...;`

use super::copy_text::show_flaw;
use super::ddl::{TableName, insert_head};
use super::layout::RowBuilder;
use super::lexer::Lexer;
use crate::error::Result;
use crate::row::Row;

/// Makes rows of the named columns, or of all.
pub(super) type MakeBuilder<'b> = dyn Fn(&Lexer<'_>, Option<&[String]>) -> Result<RowBuilder> + 'b;

/// What to do about statements that pg_dump does not write.
pub(super) const HINT: &str =
    "mdiff reads INSERT statements as pg_dump writes them: with values only";

/// The table and the columns of the INSERT that starts here; reads up to VALUES and leaves `head` with the bytes so far.
///
/// # Errors
///
/// Those of reading; Unsupported for another INSERT.
pub(super) fn read_head(
    lexer: &mut Lexer<'_>,
    head: &mut Vec<u8>,
) -> Result<(TableName, Option<Vec<String>>)> {
    lexer.mark();
    let mut tokens = Vec::new();
    loop {
        let Some(token) = lexer.token()? else {
            return Err(lexer.damaged_here("the text ends inside INSERT"));
        };
        let is_end = token.is("values") || token.is_symbol(b';');
        tokens.push(token);
        if is_end {
            break;
        }
    }
    head.clear();
    head.extend_from_slice(lexer.marked());
    insert_head(&tokens)
        .ok_or_else(|| lexer.unsupported("an INSERT that is not of plain values", HINT))
}

/// Passes over the rest of a statement whose head was read.
///
/// # Errors
///
/// Those of reading; Damaged where the text ends before it does.
pub(super) fn skip_rows(lexer: &mut Lexer<'_>) -> Result<()> {
    let start = lexer.offset();
    loop {
        let bytes = lexer.bytes();
        let Some(at) = memchr::memchr2(b'\'', b';', bytes) else {
            // What comes before a quote is looked at.
            let len = bytes.len().saturating_sub(2);
            lexer.consume(len);
            if !lexer.fill()? {
                return Err(lexer.damaged(
                    start,
                    "the text ends inside INSERT: the dump is not complete",
                ));
            }
            continue;
        };
        if bytes.get(at) == Some(&b';') {
            lexer.consume(at + 1);
            return Ok(());
        }
        let has_escapes =
            !lexer.standard_strings || matches!(bytes.get(..at), Some([.., b'e' | b'E']));
        lexer.consume(at);
        lexer.skip_string(has_escapes)?;
    }
}

/// Hands each row of the statements up to the end of the text to `sink`, with its offset.
///
/// # Errors
///
/// Those of reading, of `builder` and of `sink`; Damaged where values are no row.
pub(super) fn read(
    lexer: &mut Lexer<'_>,
    builder: &MakeBuilder<'_>,
    sink: &mut dyn FnMut(Row<'_>, u64) -> Result<()>,
) -> Result<()> {
    let mut head = Vec::new();
    let mut scratch = Vec::new();
    let mut last = None;
    loop {
        lexer.skip_blank()?;
        if lexer.byte(0)?.is_none() {
            return Ok(());
        }
        let row = match &mut last {
            Some(row) if lexer.starts_with(&head)? => {
                lexer.consume(head.len());
                row
            }
            other => {
                let (_, columns) = read_head(lexer, &mut head)?;
                other.insert(builder(lexer, columns.as_deref())?)
            }
        };
        loop {
            lexer.skip_blank()?;
            let offset = lexer.offset();
            row.begin();
            // Of a table without columns: DEFAULT VALUES;
            if lexer.byte(0)? != Some(b';') {
                tuple(lexer, row, &mut scratch)?;
            }
            match row.finish() {
                Ok(row) => sink(row, offset)?,
                Err(flaw) => return Err(lexer.damaged(offset, show_flaw(&flaw, row))),
            }
            lexer.skip_blank()?;
            match lexer.byte(0)? {
                Some(b',') => lexer.consume(1),
                Some(b';') => {
                    lexer.consume(1);
                    break;
                }
                _ => {
                    let mut tokens = vec![];
                    lexer.statement(&mut tokens, true)?;
                    let is = |at: usize, word| tokens.get(at).is_some_and(|t| t.is(word));
                    if is(0, "on") && is(1, "conflict") && is(2, "do") && is(3, "nothing") {
                        break;
                    }
                    return Err(lexer.unsupported("an INSERT that goes on behind its values", HINT));
                }
            }
        }
    }
}

/// Reads `(value, ...)`.
fn tuple(lexer: &mut Lexer<'_>, row: &mut RowBuilder, scratch: &mut Vec<u8>) -> Result<()> {
    if lexer.byte(0)? != Some(b'(') {
        return Err(lexer.damaged_here("no ( where a row of INSERT starts"));
    }
    lexer.consume(1);
    loop {
        lexer.skip_blank()?;
        value(lexer, row, scratch)?;
        lexer.skip_blank()?;
        let byte = lexer.byte(0)?;
        match byte {
            Some(b',') => lexer.consume(1),
            Some(b')') => {
                lexer.consume(1);
                return Ok(());
            }
            _ => return Err(lexer.damaged_here("no , or ) behind a value of INSERT")),
        }
    }
}

fn value(lexer: &mut Lexer<'_>, row: &mut RowBuilder, scratch: &mut Vec<u8>) -> Result<()> {
    let (prefix, has_escapes) = match (lexer.byte(0)?, lexer.byte(1)?) {
        (Some(b'\''), _) => (0, !lexer.standard_strings),
        (Some(b'e' | b'E'), Some(b'\'')) => (1, true),
        (Some(b'b' | b'B'), Some(b'\'')) => (1, false),
        _ => return bare_value(lexer, row),
    };
    scratch.clear();
    lexer.string(prefix, has_escapes, scratch)?;
    row.push(scratch);
    Ok(())
}

/// A number, `true`, `false`, `NULL` or `DEFAULT`.
fn bare_value(lexer: &mut Lexer<'_>, row: &mut RowBuilder) -> Result<()> {
    let is_bare =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let mut len = 0;
    while lexer.byte(len)?.is_some_and(is_bare) {
        len += 1;
    }
    let text = lexer.bytes().get(..len).unwrap_or_default();
    match text {
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => row.push(text),
        _ if text.eq_ignore_ascii_case(b"null") => row.push_null(),
        _ if text.eq_ignore_ascii_case(b"true") => row.push(b"t"),
        _ if text.eq_ignore_ascii_case(b"false") => row.push(b"f"),
        // The server computes it.
        _ if text.eq_ignore_ascii_case(b"default") && row.is_generated() => row.push_null(),
        _ => return Err(lexer.unsupported("a value of INSERT that is no literal", HINT)),
    }
    lexer.consume(len);
    Ok(())
}
