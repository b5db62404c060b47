//! Rows as lines: how they look, and how they are printed from all cores in the order of their keys.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::output::{self, Output, VALUE_ON_TERMINAL_MAX};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::json::{key_json, value_json};
use crate::row::{Row, Schema, escape, fields};
use crate::source::Table;

/// How a NULL column is shown: no text is shown so, for a text's backslash is doubled.
const NULL_SHOWN: &str = "\\N";

/// Bytes of lines that a worker hands over at once.
const CHUNK_BYTES: usize = 128 << 10;
/// Chunks of one piece that wait to be printed; a worker that is further ahead waits.
const CHUNKS_WAITING_MAX: usize = 4;
/// Work below this is not worth a second thread, in bytes of rows.
const PIECE_BYTES_MIN: u64 = 1 << 20;

/// How rows of one table look as lines.
pub struct Lines<'t> {
    /// The table's name; before each row in JSON, and elsewhere where there are several tables.
    pub table: &'t str,
    /// The table's schema.
    pub schema: &'t Schema,
    /// The form of a line.
    pub form: Form,
    /// Keys and values as hexadecimal digits.
    pub hex: bool,
    /// Say the table's name on each line of text too.
    pub name_table: bool,
    /// Cut long values, for a terminal.
    pub cut: bool,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `key<TAB>value`, escaped; columns as `name=value`.
    Text,
    /// `{"table","key","value"}`.
    Json,
}

impl Lines<'_> {
    /// Appends the line of `row`.
    pub fn push(&self, line: &mut Vec<u8>, row: Row<'_>) {
        match self.form {
            Form::Text => self.push_text(line, row),
            Form::Json => self.push_json(line, row),
        }
        line.push(b'\n');
    }

    fn push_json(&self, line: &mut Vec<u8>, row: Row<'_>) {
        let (key, value) = if self.hex {
            (hex_json(row.key), hex_json(row.value))
        } else {
            (
                key_json(self.schema, row.key),
                value_json(self.schema, row.value),
            )
        };
        // Written by hand to keep the order of the fields.
        for (before, field) in [
            (&b"{\"table\":"[..], self.table.into()),
            (b",\"key\":", key),
            (b",\"value\":", value),
        ] {
            line.extend_from_slice(before);
            // Writing JSON to memory can't fail.
            let _ = serde_json::to_writer(&mut *line, &field);
        }
        line.push(b'}');
    }

    fn push_text(&self, line: &mut Vec<u8>, row: Row<'_>) {
        if self.name_table {
            push_escaped(line, self.table.as_bytes());
            line.push(b'\t');
        }
        if self.hex {
            push_hex(line, row.key);
            line.push(b'\t');
            push_hex(line, row.value);
            return;
        }
        match self.schema {
            Schema::Bytes => push_escaped(line, row.key),
            schema => line.extend_from_slice(schema.show_key(row.key).as_bytes()),
        }
        line.push(b'\t');
        match (fields::fields(self.schema, row.value), self.schema) {
            (Some(fields), _) => self.push_fields(line, fields),
            (None, Schema::Bytes) => self.push_value(line, row.value),
            (None, _) => {
                line.extend_from_slice(b"\\raw:");
                self.push_value(line, row.value);
            }
        }
    }

    fn push_fields(&self, line: &mut Vec<u8>, fields: Vec<fields::Field<'_>>) {
        for (i, (name, field)) in fields.into_iter().enumerate() {
            if i > 0 {
                line.push(b'\t');
            }
            match name {
                b"" => line.extend_from_slice(b"\"\""),
                name => push_escaped(line, name),
            }
            line.push(b'=');
            match field {
                Some(field) if matches!(self.schema, Schema::Cql(_)) => {
                    let shown = self.schema.show_field(name, Some(field));
                    self.push_value(line, shown.as_bytes());
                }
                Some(field) if matches!(self.schema, Schema::Document { .. }) => {
                    let shown = self.schema.show_field(name, Some(field));
                    let most = if self.cut {
                        VALUE_ON_TERMINAL_MAX
                    } else {
                        usize::MAX
                    };
                    line.extend_from_slice(output::cut(&shown, most).as_bytes());
                }
                Some(field) => self.push_value(line, field),
                None => line.extend_from_slice(NULL_SHOWN.as_bytes()),
            }
        }
    }

    fn push_value(&self, line: &mut Vec<u8>, value: &[u8]) {
        if self.cut && value.len() > VALUE_ON_TERMINAL_MAX {
            let shown = escape(value);
            line.extend_from_slice(output::cut(&shown, VALUE_ON_TERMINAL_MAX).as_bytes());
        } else {
            push_escaped(line, value);
        }
    }
}

fn push_escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    // Most rows are plain ASCII; a fold without an early end is a few vector instructions.
    let plain = bytes.iter().fold(true, |plain, &byte| {
        plain & (b' '..0x7f).contains(&byte) & (byte != b'\\')
    });
    if plain {
        line.extend_from_slice(bytes);
    } else {
        line.extend_from_slice(escape(bytes).as_bytes());
    }
}

fn push_hex(line: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        line.push(DIGITS[usize::from(byte >> 4)]);
        line.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// What a limited or damaged scan left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// There were rows behind the limit.
    pub cut: bool,
    /// Keys could not be read.
    pub unreadable: bool,
}

/// Prints at most `rows_left` rows of `range` one after the other, and counts it down. With `keep_going`, places that can't
/// be read are told and passed over.
///
/// # Errors
///
/// Those of the scan and of writing.
pub fn print_serially(
    table: &dyn Table,
    range: &KeyRange,
    lines: &Lines<'_>,
    rows_left: &mut Option<u64>,
    keep_going: bool,
    out: &mut Output,
) -> Result<LeftOut> {
    let mut rows = table.scan(range)?;
    let mut left_out = LeftOut::default();
    let mut line = Vec::new();
    loop {
        match rows.next() {
            Ok(None) => return Ok(left_out),
            Ok(Some(row)) => {
                match rows_left {
                    Some(0) => {
                        left_out.cut = true;
                        return Ok(left_out);
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
                line.clear();
                lines.push(&mut line, row);
                out.bytes(&line)?;
            }
            Err(error) if keep_going && error.unreadable_keys().is_some() => {
                out.warn(error.to_string());
                left_out.unreadable = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Prints the rows of `range` in order: threads format pieces of the range, this one prints them.
///
/// # Errors
///
/// Those of the scan and of writing; rows before the place of a scan's error are printed.
pub fn print_in_parallel(
    table: &dyn Table,
    range: &KeyRange,
    lines: &Lines<'_>,
    threads: usize,
    out: &mut Output,
) -> Result<()> {
    let pieces = pieces(table.estimate().bytes, threads);
    let mut pieces = range.cut_at(&table.split(range, pieces)?).into_iter();
    let (jobs, queue) = channel::<(KeyRange, SyncSender<Result<Vec<u8>>>)>();
    let queue = &Mutex::new(queue);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                while let Some((piece, chunks)) = take(queue) {
                    if let Err(error) = format_piece(table, &piece, lines, &chunks) {
                        // Nobody listens where printing has ended already.
                        let _ = chunks.send(Err(error));
                    }
                }
            });
        }
        // On a return from here, `jobs` and the receivers go, and the threads come to their ends.
        let jobs = jobs;
        let mut waiting: VecDeque<Receiver<Result<Vec<u8>>>> = VecDeque::new();
        loop {
            while waiting.len() < threads * 2 {
                let Some(piece) = pieces.next() else { break };
                let (chunks, printed) = sync_channel(CHUNKS_WAITING_MAX);
                waiting.push_back(printed);
                if jobs.send((piece, chunks)).is_err() {
                    break;
                }
            }
            let Some(chunks) = waiting.pop_front() else {
                return Ok(());
            };
            for chunk in chunks {
                out.bytes(&chunk?)?;
            }
        }
    })
}

fn pieces(bytes: u64, threads: usize) -> usize {
    let most = usize::try_from(bytes / PIECE_BYTES_MIN).unwrap_or(usize::MAX);
    // Pieces a good deal smaller than a thread's share, so that all end together; but no more than an index has room for.
    most.clamp(1, threads.saturating_mul(64))
}

fn take<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    queue.lock().ok()?.recv().ok()
}

fn format_piece(
    table: &dyn Table,
    piece: &KeyRange,
    lines: &Lines<'_>,
    chunks: &SyncSender<Result<Vec<u8>>>,
) -> Result<()> {
    let new_chunk = || Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8);
    let mut chunk = new_chunk();
    let formatted = table.scan(piece)?.for_each(&mut |row| {
        lines.push(&mut chunk, row);
        if chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, new_chunk());
            chunks
                .send(Ok(full))
                .map_err(|_| Error::io("writing", "stdout", io::ErrorKind::Interrupted.into()))?;
        }
        Ok(())
    });
    // The rows before an error are printed before it is told.
    let _ = chunks.send(Ok(chunk));
    formatted
}

fn hex_json(bytes: &[u8]) -> serde_json::Value {
    let mut hex = Vec::with_capacity(bytes.len() * 2);
    push_hex(&mut hex, bytes);
    serde_json::json!({ "hex": String::from_utf8_lossy(&hex) })
}
