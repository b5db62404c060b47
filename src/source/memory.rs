//! Rows in memory as a snapshot: for tests and for programs that have their rows already.

use std::collections::BTreeMap;
use std::io::Write;

use super::{Estimate, RowWriter, Snapshot, Table};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, Schema};

/// Tables held in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySnapshot {
    tables: Vec<MemoryTable>,
}

/// A table held in memory.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    name: String,
    schema: Schema,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl MemorySnapshot {
    /// A snapshot with one table, `default`, of opaque bytes.
    pub fn new(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> MemorySnapshot {
        MemorySnapshot {
            tables: vec![MemoryTable::new("default", rows)],
        }
    }

    /// A snapshot of several tables.
    pub fn with_tables(mut tables: Vec<MemoryTable>) -> MemorySnapshot {
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        MemorySnapshot { tables }
    }
}

impl MemoryTable {
    /// A table of opaque bytes; of two rows with one key, the later counts.
    pub fn new(name: &str, rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> MemoryTable {
        let rows: BTreeMap<Vec<u8>, Vec<u8>> = rows.into_iter().collect();
        MemoryTable {
            name: name.to_owned(),
            schema: Schema::Bytes,
            rows: rows.into_iter().collect(),
        }
    }

    /// The same rows, encoded as this schema says.
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> MemoryTable {
        self.schema = schema;
        self
    }

    /// A table without rows.
    pub fn empty(name: &str, schema: Schema) -> MemoryTable {
        MemoryTable {
            name: name.to_owned(),
            schema,
            rows: Vec::new(),
        }
    }

    fn slice(&self, range: &KeyRange) -> &[(Vec<u8>, Vec<u8>)] {
        let from = self.rows.partition_point(|(key, _)| *key < range.from);
        let to = self
            .rows
            .partition_point(|(key, _)| range.is_before_end(key));
        self.rows.get(from..to).unwrap_or_default()
    }
}

impl Snapshot for MemorySnapshot {
    fn format(&self) -> &'static str {
        "memory"
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage("rows in memory have no file format", ""))
    }
}

impl Table for MemoryTable {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn estimate(&self) -> Estimate {
        let bytes = self
            .rows
            .iter()
            .map(|(key, value)| (key.len() + value.len()) as u64)
            .sum();
        Estimate {
            rows: self.rows.len() as u64,
            bytes,
            file_bytes: bytes,
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let rows = self.slice(range);
        let step = rows.len().div_ceil(pieces.max(1)).max(1);
        Ok(rows
            .iter()
            .step_by(step)
            .skip(1)
            .map(|(key, _)| key.clone())
            .collect())
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(MemoryStream {
            rows: self.slice(range).iter(),
        }))
    }
}

struct MemoryStream<'a> {
    rows: std::slice::Iter<'a, (Vec<u8>, Vec<u8>)>,
}

impl RowStream for MemoryStream<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        Ok(self.rows.next().map(|(key, value)| Row { key, value }))
    }
}
