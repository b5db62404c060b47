//! What SQL calls a table of named columns: its dialect, its full name, its columns' types. Two tables that differ only in this
//! still compare, by their columns' names; statements are written by it.
//!
//! Each dialect has a room with its spelling of names and values; texts are as its source makes them canonical.

use super::Schema;

mod generic;
pub mod postgres;

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    MySql,
    /// SQLite's.
    Sqlite,
}

impl Dialect {
    /// All of them, at their numbers in files.
    pub const ALL: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Postgres => "PostgreSQL",
            Dialect::MySql => "MySQL",
            Dialect::Sqlite => "SQLite",
        }
    }
}

/// A table as its database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SqlTable {
    /// Whose SQL.
    pub dialect: Dialect,
    /// The name, with the names of what it lies in before it: `["public", "accounts"]`.
    pub name: Vec<String>,
    /// Types of the key's columns as its CREATE TABLE spells them, in the order of the schema; empty where it tells none.
    pub key_types: Vec<String>,
    /// The same of the value's columns.
    pub value_types: Vec<String>,
}

/// How names and values of a table are spelled in statements.
#[derive(Debug, Clone, Copy)]
pub struct Spelling<'s> {
    sql: Option<&'s SqlTable>,
}

impl Spelling<'_> {
    /// That of a table's dialect; standard SQL where it has none.
    pub fn of(schema: &Schema) -> Spelling<'_> {
        let sql = match schema {
            Schema::Columns { sql, .. } => sql.as_deref(),
            _ => None,
        };
        Spelling { sql }
    }

    /// The table's full name; `name` where the schema tells none.
    pub fn table(&self, name: &str) -> String {
        match self.sql {
            Some(sql) => {
                let parts: Vec<String> = sql.name.iter().map(|part| self.name(part)).collect();
                parts.join(".")
            }
            None => self.name(name),
        }
    }

    /// Statements before the first one and behind the last one of a patch, so that all of it is done or nothing.
    pub fn transaction(&self) -> Option<[&'static str; 2]> {
        match self.sql.map(|sql| sql.dialect) {
            Some(Dialect::Postgres) => Some(["BEGIN;", "COMMIT;"]),
            _ => None,
        }
    }

    /// What stands between the columns and VALUES of INSERT.
    pub fn overriding(&self) -> &'static str {
        match self.sql.map(|sql| sql.dialect) {
            Some(Dialect::Postgres) => postgres::OVERRIDING,
            _ => "",
        }
    }

    /// A column's name.
    pub fn name(&self, name: &str) -> String {
        generic::name(name)
    }

    /// The value of the key's column at `index`.
    pub fn key(&self, index: usize, field: &[u8]) -> String {
        self.literal(self.sql.and_then(|sql| sql.key_types.get(index)), field)
    }

    /// The value of the value's column at `index`.
    pub fn value(&self, index: usize, field: Option<&[u8]>) -> String {
        let sql_type = self.sql.and_then(|sql| sql.value_types.get(index));
        field.map_or_else(|| "NULL".into(), |field| self.literal(sql_type, field))
    }

    /// Bytes that are of no column.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        generic::literal(bytes)
    }

    fn literal(&self, sql_type: Option<&String>, field: &[u8]) -> String {
        match self.sql.map(|sql| sql.dialect) {
            Some(Dialect::Postgres) => postgres::literal(sql_type.map(String::as_str), field),
            _ => generic::literal(field),
        }
    }
}
