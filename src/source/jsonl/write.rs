//! Writes rows as JSON lines: documents as they are, all other rows as `{"key":...,"value":...}`.

use std::io::{BufWriter, Write};

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::row::{Row, Schema, escape, json};
use crate::source::{RowWriter, SourceOptions};

use super::path::FieldPath;

/// Makes the writer of `convert -o`.
pub(super) fn create<'a>(
    out: Box<dyn Write + 'a>,
    schema: &Schema,
    _: &SourceOptions,
) -> Result<Box<dyn RowWriter + 'a>> {
    Ok(Box::new(Writer {
        out: BufWriter::with_capacity(256 << 10, out),
        schema: schema.clone(),
    }))
}

struct Writer<'a> {
    out: BufWriter<Box<dyn Write + 'a>>,
    schema: Schema,
}

impl Writer<'_> {
    /// The document that a row was: the key's fields, then the others.
    fn document(&self, row: Row<'_>) -> Option<Value> {
        let Schema::Document { .. } = &self.schema else {
            return None;
        };
        let (Value::Object(key), Value::Object(others)) = (
            json::key_json(&self.schema, row.key),
            json::value_json(&self.schema, row.value),
        ) else {
            return None;
        };
        // A nested field of the key is still in its place among the others.
        let key = key.into_iter().filter_map(|(name, field)| {
            let path = FieldPath::parse(&name);
            (!path.is_nested()).then(|| (path.outermost().to_owned(), field))
        });
        let mut fields: Map<String, Value> = key.collect();
        fields.extend(others);
        Some(Value::Object(fields))
    }
}

impl RowWriter for Writer<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        let object = self.document(row).unwrap_or_else(|| {
            serde_json::json!({
                "key": json::key_json(&self.schema, row.key),
                "value": json::value_json(&self.schema, row.value),
            })
        });
        writeln!(self.out, "{object}").map_err(|e| Error::io("writing", "the output", e))
    }

    fn delete(&mut self, key: &[u8]) -> Result<()> {
        Err(Error::usage(
            format!("JSON lines have no deletions: key {}", escape(key)),
            "write to .sst, or show the operations with mdiff cat --json",
        ))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out
            .flush()
            .map_err(|e| Error::io("writing", "the output", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::columns::push_value_column;

    #[test]
    fn writes_one_object_a_row() {
        let path = std::env::temp_dir().join(format!("mdiff-jsonl-{}", std::process::id()));
        let schema = Schema::Columns {
            key: vec!["id".into()],
            value: vec!["a".into(), "b".into(), "c".into()],
            sql: None,
        };
        let mut value = Vec::new();
        push_value_column(&mut value, Some(b"line\n\"x\""));
        push_value_column(&mut value, None);
        push_value_column(&mut value, Some(b"\xff\x00"));
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = create(Box::new(file), &schema, &SourceOptions::default()).unwrap();
        writer
            .put(Row {
                key: b"1",
                value: &value,
            })
            .unwrap();
        assert_eq!(writer.delete(b"1").unwrap_err().exit_code(), 2);
        writer.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            text,
            "{\"key\":{\"id\":\"1\"},\"value\":{\"a\":\"line\\n\\\"x\\\"\",\"b\":null,\"c\":{\"hex\":\"ff00\"}}}\n"
        );
    }
}
