//! The rows of one table.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqliteRow};

use super::failure::{Place, explain};
use super::schema::{Part, Parts, TableInfo};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::row::Row;
use crate::row::columns::{push_key_column, push_value_column};
use crate::row::sql::generic;
use crate::row::sql::sqlite::{push_blob, push_integer, push_null, push_real, push_text};
use crate::source::Estimate;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;

/// A database that tables share: its one transaction, and the file.
pub struct Database {
    /// The connection; who reads through it holds it to the end.
    pub connection: Mutex<Connection>,
    /// The database's file.
    pub input: Input,
    /// Whether a copy of it is read, which nobody else can change.
    pub is_copy: bool,
}

/// A table's rows, as they lie in the database.
pub struct SqliteRows {
    database: Arc<Database>,
    name: String,
    key: Vec<Part>,
    value: Vec<Part>,
    estimate: Estimate,
    /// Why its rows can't be had: it, and what to do.
    refusal: Option<(String, String)>,
}

impl SqliteRows {
    /// The rows of a table, in these parts.
    pub fn new(
        database: Arc<Database>,
        table: &TableInfo,
        parts: Parts,
        estimate: Estimate,
        ignored: &[String],
    ) -> SqliteRows {
        let refusal = refusal(table, &parts, ignored);
        SqliteRows {
            database,
            name: table.name.clone(),
            key: parts.key,
            value: parts.value,
            estimate,
            refusal,
        }
    }

    /// The statement that reads them, in the order of the file: no index is used, so none can hide a row.
    fn select(&self) -> String {
        let names: Vec<String> = self
            .key
            .iter()
            .chain(&self.value)
            .map(|part| generic::name(&part.name))
            .collect();
        let table = generic::name(&self.name);
        format!("SELECT {} FROM {table} NOT INDEXED", names.join(", "))
    }

    fn read(&self, connection: &Connection, sorter: &mut Sorter<'_>) -> Result<()> {
        let place = Place::in_table(&self.database.input, &self.name, connection);
        let failed = |error: rusqlite::Error| explain(&error, &place);
        let mut statement = connection.prepare(&self.select()).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let is_bag = self.key.is_empty();
        let (mut key, mut value, mut field) = (Vec::new(), Vec::new(), Vec::new());
        let mut number = 0;
        while let Some(row) = rows.next().map_err(failed)? {
            number += 1;
            key.clear();
            value.clear();
            self.encode(row, &mut key, &mut value, &mut field)
                .map_err(failed)?;
            let row = match is_bag {
                true => Row::counted(&value),
                false => Row {
                    key: &key,
                    value: &value,
                },
            };
            sorter.push(row, number)?;
        }
        Ok(())
    }

    fn encode(
        &self,
        row: &SqliteRow<'_>,
        key: &mut Vec<u8>,
        value: &mut Vec<u8>,
        field: &mut Vec<u8>,
    ) -> rusqlite::Result<()> {
        for (at, part) in self.key.iter().enumerate() {
            field.clear();
            if !push_field(field, part, row.get_ref(at)?) {
                push_null(field);
            }
            match self.key.len() {
                1 => key.extend_from_slice(field),
                _ => push_key_column(key, field),
            }
        }
        for (at, part) in self.value.iter().enumerate() {
            field.clear();
            let is_given = push_field(field, part, row.get_ref(self.key.len() + at)?);
            push_value_column(value, is_given.then_some(field));
        }
        Ok(())
    }
}

/// Appends the field of a value; false for NULL.
fn push_field(out: &mut Vec<u8>, part: &Part, value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null => return false,
        ValueRef::Integer(number) => push_integer(out, part.affinity, number),
        ValueRef::Real(number) => push_real(out, part.affinity, number),
        ValueRef::Text(text) => push_text(out, part.affinity, text),
        ValueRef::Blob(blob) => push_blob(out, part.affinity, blob),
    }
    true
}

fn refusal(table: &TableInfo, parts: &Parts, ignored: &[String]) -> Option<(String, String)> {
    let name = &table.name;
    if parts.key.is_empty() && parts.value.is_empty() {
        return Some((
            format!("of table {name:?}, all columns are left out"),
            "choose other columns, or other tables with --table".into(),
        ));
    }
    let part = parts.key.iter().find(|part| ignored.contains(&part.name))?;
    Some((
        format!(
            "--ignore-columns: {:?} is a column of the key of table {name:?}",
            part.name
        ),
        "choose another key with --key, or other tables with --table".into(),
    ))
}

impl Unsorted for SqliteRows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        if let Some((what, hint)) = &self.refusal {
            let path = self.database.input.path().display();
            return Err(Error::usage(format!("{path}: {what}"), hint));
        }
        let connection = self.database.connection.lock();
        let connection = connection.unwrap_or_else(PoisonError::into_inner);
        sorter.push_beside(|sorter| self.read(&connection, sorter))
    }

    fn twice(&self) -> Twice {
        Twice::of_key(!self.key.is_empty())
    }

    fn show_place(&self, place: u64) -> String {
        format!("row {place} of table {:?}", self.name)
    }

    fn estimate(&self) -> Estimate {
        self.estimate
    }
}
