//! What SQL calls a table of named columns: its dialect, its full name, its columns' types. Two tables that differ only in this
//! still compare, by their columns' names; statements are written by it.
//!
//! Each dialect has a room with its spelling of names and values; texts are as its source makes them canonical.

use super::Schema;

pub mod generic;
pub mod mysql;
pub mod postgres;
pub mod sqlite;

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
            Schema::Bag { sql, .. } => Some(sql.as_ref()),
            _ => None,
        };
        Spelling { sql }
    }

    /// What a session must be told before the statements, where it must.
    pub fn preamble(&self) -> Option<&'static str> {
        match self.sql?.dialect {
            Dialect::MySql => Some(mysql::PREAMBLE),
            _ => None,
        }
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

    /// What stands between the columns and VALUES of INSERT.
    pub fn overriding(&self) -> &'static str {
        match self.sql.map(|sql| sql.dialect) {
            Some(Dialect::Postgres) => postgres::OVERRIDING,
            _ => "",
        }
    }

    /// A column's name.
    pub fn name(&self, name: &str) -> String {
        match self.sql.map(|sql| sql.dialect) {
            Some(Dialect::MySql) => mysql::name(name),
            _ => generic::name(name),
        }
    }

    /// The value of the key's column at `index`.
    pub fn key(&self, index: usize, field: &[u8]) -> String {
        self.literal(self.key_type(index), field)
    }

    /// What is true of the rows whose key's column at `index`, called `name`, has this value.
    pub fn condition(&self, index: usize, name: &str, field: &[u8]) -> String {
        let name = self.name(name);
        match self.dialect() {
            Some(Dialect::Sqlite) => sqlite::condition(&name, self.key_type(index), field),
            Some(Dialect::MySql) => mysql::condition(&name, self.key_type(index), field),
            _ => format!("{name} = {}", self.key(index, field)),
        }
    }

    /// What is true of the rows of a table without a key that have this value in the column at `index`, called `name`.
    pub fn exact_condition(&self, index: usize, name: &str, field: Option<&[u8]>) -> String {
        let Some(field) = field else {
            return format!("{} IS NULL", self.name(name));
        };
        let sql_type = self.key_type(index);
        match self.dialect() {
            Some(Dialect::MySql) => mysql::exact_condition(&self.name(name), sql_type, field),
            Some(Dialect::Postgres) => postgres::exact_condition(&self.name(name), sql_type, field),
            _ => self.condition(index, name, field),
        }
    }

    /// The value of the value's column at `index`.
    pub fn value(&self, index: usize, field: Option<&[u8]>) -> String {
        let sql_type = self.value_type(index);
        field.map_or_else(|| "NULL".into(), |field| self.literal(sql_type, field))
    }

    /// What UPDATE sets the value's column at `index`, called `name`, to.
    pub fn assigned(&self, index: usize, name: &str, field: Option<&[u8]>) -> String {
        match (self.dialect(), field) {
            (Some(Dialect::MySql), Some(field)) => {
                mysql::assigned(&self.name(name), self.value_type(index), field)
            }
            _ => self.value(index, field),
        }
    }

    /// Whether statements can give the value's column at `index` a value: not where the database computes it.
    pub fn is_written(&self, index: usize) -> bool {
        match self.dialect() {
            Some(Dialect::Sqlite) => sqlite::is_written(self.value_type(index)),
            _ => true,
        }
    }

    /// What follows BEGIN, so that statements may come in the order of a patch.
    pub fn after_begin(&self) -> Option<&'static str> {
        match self.dialect() {
            Some(Dialect::Sqlite) => Some(sqlite::AFTER_BEGIN),
            _ => None,
        }
    }

    /// Bytes that are of no column.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        generic::literal(bytes)
    }

    fn literal(&self, sql_type: &str, field: &[u8]) -> String {
        match self.dialect() {
            Some(Dialect::Sqlite) => sqlite::literal(sql_type, field),
            Some(Dialect::MySql) => {
                mysql::literal(Some(sql_type).filter(|of| !of.is_empty()), field)
            }
            Some(Dialect::Postgres) => {
                postgres::literal(Some(sql_type).filter(|of| !of.is_empty()), field)
            }
            None => generic::literal(field),
        }
    }

    fn dialect(&self) -> Option<Dialect> {
        self.sql.map(|sql| sql.dialect)
    }

    fn key_type(&self, index: usize) -> &str {
        let sql_type = self.sql.and_then(|sql| sql.key_types.get(index));
        sql_type.map_or("", String::as_str)
    }

    fn value_type(&self, index: usize) -> &str {
        let sql_type = self.sql.and_then(|sql| sql.value_types.get(index));
        sql_type.map_or("", String::as_str)
    }
}
