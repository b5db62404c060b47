//! Writes delimited text: quotes only where they are needed, so that reading it gives the same rows.

use std::io::Write;

use memchr::memchr3;

use crate::error::{Error, Result};
use crate::row::columns::{decode_key, decode_value};
use crate::row::{COPIES, Row, Schema, escape, json};
use crate::source::{RowWriter, SourceOptions};

use super::columns::Columns;
use super::dialect::Dialect;
use super::record::QUOTE;

/// How rows hold their columns.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// They are opaque bytes.
    Bytes,
    /// So many in the key, and in the value.
    Columns(usize, usize),
    /// So many of a row without a key ([`Schema::Bag`]), and how often there is such a row.
    Bag(usize),
}

/// Writes rows as records.
struct Writer<'a> {
    out: std::io::BufWriter<Box<dyn Write + 'a>>,
    dialect: Dialect,
    /// The header's names.
    names: Vec<String>,
    form: Form,
    /// Which of a row's columns stands in each column of the text: those of the key, then those of the value.
    order: Vec<usize>,
    line: Vec<u8>,
}

/// Makes the writer of `convert -o`: key columns, then value columns.
pub(super) fn create<'a>(
    out: Box<dyn Write + 'a>,
    schema: &Schema,
    options: &SourceOptions,
) -> Result<Box<dyn RowWriter + 'a>> {
    let dialect = Dialect::new(&options.text, std::path::Path::new(""))?;
    let (names, form): (Vec<String>, _) = match schema {
        Schema::Bytes | Schema::Cql(_) => (vec!["key".into(), "value".into()], Form::Bytes),
        Schema::Document { .. } => {
            return Err(Error::usage(
                "documents have fields of their own, and delimited text has fixed columns",
                "choose the columns with --columns, or write .jsonl",
            ));
        }
        Schema::Columns { key, value, .. } => (
            key.iter().chain(value).cloned().collect(),
            Form::Columns(key.len(), value.len()),
        ),
        Schema::Bag { columns, .. } => (
            columns.iter().cloned().chain([COPIES.into()]).collect(),
            Form::Bag(columns.len()),
        ),
    };
    start(Writer {
        out: std::io::BufWriter::with_capacity(256 << 10, out),
        dialect,
        order: (0..names.len()).collect(),
        names,
        form,
        line: Vec::new(),
    })
}

/// Makes a writer of the same text as one that was read.
///
/// # Errors
///
/// Usage, where some columns were left out: they would be lost.
pub(super) fn like<'a>(
    out: Box<dyn Write + 'a>,
    dialect: &Dialect,
    columns: &Columns,
) -> Result<Box<dyn RowWriter + 'a>> {
    if columns.leaves_some_out() {
        return Err(Error::usage(
            "some columns were left out by --columns or --ignore-columns and would be missing in the output",
            "read all columns to write the same kind of file",
        ));
    }
    let mut order = vec![0; columns.names.len()];
    for (column, at) in columns.key.iter().chain(&columns.value).enumerate() {
        if let Some(slot) = order.get_mut(*at) {
            *slot = column;
        }
    }
    start(Writer {
        out: std::io::BufWriter::with_capacity(256 << 10, out),
        dialect: dialect.clone(),
        names: columns.names.clone(),
        form: Form::Columns(columns.key.len(), columns.value.len()),
        order,
        line: Vec::new(),
    })
}

fn start<'a>(mut writer: Writer<'a>) -> Result<Box<dyn RowWriter + 'a>> {
    if writer.dialect.has_header {
        let names = std::mem::take(&mut writer.names);
        for (i, name) in names.iter().enumerate() {
            writer.push(i, Some(name.as_bytes()));
        }
        // A name is never NULL, but may be spelled like it.
        writer.end_line()?;
    }
    Ok(Box::new(writer))
}

impl Writer<'_> {
    /// Appends a field to the line.
    fn push(&mut self, index: usize, field: Option<&[u8]>) {
        if index > 0 {
            self.line.push(self.dialect.delimiter);
        }
        let null = self.dialect.null.as_deref();
        let Some(field) = field else {
            self.line.extend_from_slice(null.unwrap_or_default());
            return;
        };
        let is_structured = memchr3(self.dialect.delimiter, b'\n', QUOTE, field).is_some()
            || field.contains(&b'\r');
        if is_structured || null == Some(field) {
            self.push_quoted(field);
        } else {
            self.line.extend_from_slice(field);
        }
    }

    fn push_quoted(&mut self, field: &[u8]) {
        self.line.push(QUOTE);
        for &byte in field {
            if byte == QUOTE {
                self.line.push(QUOTE);
            }
            self.line.push(byte);
        }
        self.line.push(QUOTE);
    }

    fn end_line(&mut self) -> Result<()> {
        // An empty line would be no record; and a byte order mark in front of the first field no part of it.
        if self.line.is_empty() || self.line.starts_with(b"\xef\xbb\xbf") {
            let line = std::mem::take(&mut self.line);
            let first_len = line
                .iter()
                .position(|&byte| byte == self.dialect.delimiter)
                .unwrap_or(line.len());
            let (first, rest) = line.split_at(first_len);
            self.push_quoted(first);
            self.line.extend_from_slice(rest);
        }
        self.line.extend_from_slice(self.dialect.line_end());
        self.out
            .write_all(&self.line)
            .map_err(|e| Error::io("writing", "the output", e))?;
        self.line.clear();
        Ok(())
    }

    fn put_columns(&mut self, row: Row<'_>) -> Result<()> {
        let key;
        let fields: Option<Vec<Option<&[u8]>>> = match self.form {
            Form::Bytes => None,
            Form::Columns(key_columns, value_columns) => {
                key = decode_key(row.key, key_columns);
                let of_key = key.iter().flatten().map(|field| Some(field.as_slice()));
                let of_value = decode_value(row.value, value_columns).filter(|_| key.is_some());
                of_value.map(|of_value| of_key.chain(of_value).collect())
            }
            Form::Bag(columns) => decode_value(row.key, columns)
                .map(|fields| fields.into_iter().chain([Some(row.value)]).collect()),
        };
        let fields = fields.ok_or_else(|| {
            let row = escape(row.key);
            Error::usage(format!("row {row} does not have the table's columns"), "")
        })?;
        let order = std::mem::take(&mut self.order);
        for (i, column) in order.iter().enumerate() {
            let field = fields.get(*column).copied().flatten();
            if field.is_none() && self.dialect.null.is_none() {
                return Err(Error::usage(
                    format!("row {} holds NULL", escape(row.key)),
                    "say with --null how NULL is to be spelled",
                ));
            }
            self.push(i, field);
        }
        self.order = order;
        self.end_line()
    }
}

impl RowWriter for Writer<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        if !matches!(self.form, Form::Bytes) {
            return self.put_columns(row);
        }
        self.push(0, Some(escape(row.key).as_bytes()));
        let value = json::value_field(&Schema::Bytes, row.value);
        self.push(1, Some(value.as_bytes()));
        self.end_line()
    }

    fn delete(&mut self, key: &[u8]) -> Result<()> {
        Err(Error::usage(
            format!("delimited text has no deletions: key {}", escape(key)),
            "write to .sst, or show the operations with mdiff cat",
        ))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out
            .flush()
            .map_err(|e| Error::io("writing", "the output", e))
    }
}
