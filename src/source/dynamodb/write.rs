//! Writes documents as lines of a data file: `{"Item":{...}}`, in DynamoDB's own JSON.

use std::io::{BufWriter, Write};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::row::columns::decode_key;
use crate::row::{Row, Schema, escape, scalar, wide};
use crate::source::jsonl::path::FieldPath;
use crate::source::{RowWriter, SourceOptions};

/// Makes the writer.
///
/// # Errors
///
/// Usage, where the rows are no documents.
pub(super) fn create<'a>(
    out: Box<dyn Write + 'a>,
    schema: &Schema,
    _: &SourceOptions,
) -> Result<Box<dyn RowWriter + 'a>> {
    let Schema::Document { key } = schema else {
        return Err(Error::usage(
            "only documents are written as items of DynamoDB",
            "write .jsonl, .csv or .sst",
        ));
    };
    Ok(Box::new(Writer {
        out: BufWriter::with_capacity(256 << 10, out),
        key: key.clone(),
    }))
}

struct Writer<'a> {
    out: BufWriter<Box<dyn Write + 'a>>,
    key: Vec<String>,
}

impl Writer<'_> {
    fn item(&self, row: Row<'_>) -> Option<Value> {
        let mut item = Map::new();
        for (name, field) in self.key.iter().zip(decode_key(row.key, self.key.len())?) {
            let path = FieldPath::parse(name);
            // A nested field of the key is still in its place among the others.
            if !path.is_nested() {
                item.insert(path.outermost().into(), attribute(&field));
            }
        }
        for (name, field) in wide::read_fields(row.value)? {
            item.insert(std::str::from_utf8(name).ok()?.into(), attribute(field));
        }
        Some(Value::Object(item))
    }
}

/// A field as an attribute value.
fn attribute(field: &[u8]) -> Value {
    let json = scalar::to_json(field);
    // It has its type already.
    match field.starts_with(scalar::DYNAMODB) {
        true => json,
        false => typed(json),
    }
}

fn typed(json: Value) -> Value {
    match json {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().map(typed).collect();
            json!({ "L": items })
        }
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, typed(value)));
            json!({ "M": members.collect::<Map<_, _>>() })
        }
    }
}

impl RowWriter for Writer<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        let item = self.item(row).ok_or_else(|| {
            let what = format!("row {} is no document with its key", escape(row.key));
            Error::usage(what, "")
        })?;
        writeln!(self.out, "{}", json!({ "Item": item }))
            .map_err(|e| Error::io("writing", "the output", e))
    }

    fn delete(&mut self, key: &[u8]) -> Result<()> {
        Err(Error::usage(
            format!(
                "data files of an export have no deletions: key {}",
                escape(key)
            ),
            "write to .sst, or show the operations with mdiff cat --json",
        ))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out
            .flush()
            .map_err(|e| Error::io("writing", "the output", e))
    }
}
