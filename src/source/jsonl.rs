//! JSON lines, written only: one object a row, `{"key":...,"value":...}`, as [`crate::row::json`] describes them.

use std::io::{BufWriter, Write};

use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::row::{Row, Schema, escape, json};

use super::{Detected, Format, Reader, RowWriter, Snapshot, SourceOptions};

/// JSON lines.
pub const FORMAT: Format = Format {
    name: "jsonl",
    about: "JSON lines, one object a row (.jsonl); written by convert, not read",
    extensions: &["jsonl", "ndjson"],
    // Read by nobody yet, but refused by its name with a reason.
    reader: Reader::File {
        detect: |_| Ok(Detected::Maybe),
        open,
    },
    create: Some(create),
};

fn open(input: Input, _: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Err(Error::unsupported(
        input.path(),
        "mdiff writes .jsonl but does not read it yet",
        "convert the snapshot itself, or export it as .csv",
    ))
}

fn create<'a>(
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

impl RowWriter for Writer<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        let object = serde_json::json!({
            "key": json::key_json(&self.schema, row.key),
            "value": json::value_json(&self.schema, row.value),
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
