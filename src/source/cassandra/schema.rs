//! `schema.cql` of a snapshot: the only place that has the names of key columns, and the times of dropped ones.
//!
//! ```text
//! CREATE TYPE [IF NOT EXISTS] [ks.]name (field type, ...)
//! CREATE TABLE [IF NOT EXISTS] [ks.]name (column type [STATIC] [PRIMARY KEY], ..., [PRIMARY KEY ((a, b), c, ...)])
//!     [WITH ID = uuid AND CLUSTERING ORDER BY (c DESC, ...) AND COMPACT STORAGE AND option = value ...]
//! ALTER TABLE [ks.]name DROP column [USING TIMESTAMP microseconds]
//! ALTER TABLE [ks.]name ADD column type [STATIC], ...
//! ```
//!
//! A snapshot's CREATE TABLE has the dropped columns too, with their types, and an ALTER TABLE ... DROP for each tells when;
//! an ADD behind it means that the column was made again. All else in the file (keyspaces, indexes, views, functions) is
//! passed over. Facts: snapshots of Cassandra 4.0 and 5.0.

use std::path::Path;

use super::types::CqlType;
use super::types::cql::Udts;
use crate::error::{Error, Result};

mod lexer;
mod parse;

/// A column and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it is (without quotes).
    pub name: String,
    /// Its type; of a clustering column in descending order, [`CqlType::Reversed`].
    pub kind: CqlType,
}

/// A column that was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedColumn {
    /// Its name.
    pub name: String,
    /// Its type, where the schema says it.
    pub kind: Option<CqlType>,
    /// Whether it was static.
    pub is_static: bool,
    /// Cells of this timestamp (microseconds) and below are dropped; `None` where the schema does not say when.
    pub dropped_at: Option<i64>,
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its keyspace; empty where the schema does not say.
    pub keyspace: String,
    /// Its name.
    pub table: String,
    /// Its id, 32 hexadecimal digits as in the name of its folder.
    pub id: Option<String>,
    /// Columns of the partition key, in order.
    pub partition_key: Vec<Column>,
    /// Clustering columns, in order.
    pub clustering: Vec<Column>,
    /// Static columns, ascending by the bytes of their names.
    pub statics: Vec<Column>,
    /// Regular columns, ascending by the bytes of their names.
    pub regulars: Vec<Column>,
    /// Dropped columns, in the order they were dropped in.
    pub dropped: Vec<DroppedColumn>,
    /// Whether it is WITH COMPACT STORAGE.
    pub is_compact: bool,
    /// Seconds that a tombstone must be kept; 864000, Cassandra's default, where the schema does not say.
    pub gc_grace_seconds: i64,
    /// Seconds that a write lives unless it says so itself; 0 for ever.
    pub default_time_to_live: i64,
}

impl TableSchema {
    /// Reads the schema of the one table that the text has. `path` is where it comes from, for errors.
    ///
    /// # Errors
    ///
    /// Damaged, with the offset, where the text is not CQL; unsupported where it has no table, several, or a type that is
    /// not known.
    pub fn parse_cql(text: &str, path: &Path) -> Result<TableSchema> {
        let mut tables = TableSchema::parse_all(text, path)?;
        match (tables.pop(), tables.len()) {
            (Some(table), 0) => Ok(table),
            (None, _) => Err(Error::unsupported(
                path,
                "no CREATE TABLE in this schema",
                "give the table's schema with --schema, as DESCRIBE TABLE prints it",
            )),
            (Some(_), more) => Err(Error::unsupported(
                path,
                format!("the schema has {} tables where one is wanted", more + 1),
                "leave only the table's own CREATE TABLE, and the types it needs",
            )),
        }
    }

    /// Reads the schemas of all tables that the text has, in its order.
    ///
    /// # Errors
    ///
    /// Those of [`TableSchema::parse_cql`], but for the number of tables.
    pub fn parse_all(text: &str, path: &Path) -> Result<Vec<TableSchema>> {
        parse::parse(text, path)
    }

    /// The type of the whole partition key, as Statistics.db has it: a composite where there are several columns.
    pub fn key_type(&self) -> CqlType {
        match self.partition_key.as_slice() {
            [column] => column.kind.clone(),
            columns => CqlType::Composite(columns.iter().map(|c| c.kind.clone()).collect()),
        }
    }

    /// Whether it has counters.
    pub fn is_counter(&self) -> bool {
        let mut columns = self.regulars.iter().chain(&self.statics);
        columns.any(|column| column.kind == CqlType::Counter)
    }

    /// The latest drop of a column of this name.
    pub fn dropped_column(&self, name: &str) -> Option<&DroppedColumn> {
        self.dropped.iter().rev().find(|column| column.name == name)
    }
}

/// What a schema has beside tables, while it is read.
#[derive(Debug, Default)]
struct Parsed {
    tables: Vec<TableSchema>,
    udts: Udts,
}

#[cfg(test)]
mod tests;
