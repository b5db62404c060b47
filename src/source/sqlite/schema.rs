//! The tables of a database, their columns, and the part that each column plays.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

use crate::row::Schema;
use crate::row::sql::sqlite::{Affinity, COLLATED, GENERATED};
use crate::row::sql::{Dialect, SqlTable};
use crate::source::TextOptions;

/// The rowid as a column, for `--key`.
pub const ROWID: &str = "rowid";

/// A table as its CREATE TABLE tells it.
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<ColumnInfo>,
    /// Whether its rows have a rowid beside their columns.
    pub has_rowid: bool,
}

/// A column.
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type, as declared.
    pub declared: String,
    /// What that makes of values.
    pub affinity: Affinity,
    /// Its place in the primary key, from 1; 0 is none.
    pub key_place: i64,
    /// Whether it is computed from others.
    pub is_generated: bool,
    /// Whether its collation takes only equal bytes for equal.
    pub is_binary: bool,
}

/// The tables that hold rows, ascending by name, and what is to be said of the others.
///
/// # Errors
///
/// SQLite's.
pub fn read(connection: &Connection) -> Result<(Vec<TableInfo>, Vec<String>)> {
    let mut virtuals = virtual_tables(connection)?;
    let mut tables = Vec::new();
    let mut shadows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT name, type, wr, strict FROM pragma_table_list
         WHERE schema = 'main' AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let owner = match row.get_ref(1)?.as_str()? {
            "shadow" => owner_of(&name, &virtuals),
            _ => None,
        };
        if let Some(owner) = owner {
            shadows
                .entry(owner.to_owned())
                .or_default()
                .push(name.clone());
        }
        tables.push(TableInfo {
            columns: columns(connection, &name, row.get(3)?)?,
            has_rowid: !row.get::<_, bool>(2)?,
            name,
        });
    }
    let mut notes = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    for (name, module) in std::mem::take(&mut virtuals) {
        let shadows = shadows.remove(&name).unwrap_or_default();
        let content = format!("{name}_content");
        if module.starts_with("fts") && shadows.contains(&content) {
            left_out.extend(shadows.into_iter().filter(|shadow| *shadow != content));
            notes.push(format!(
                "virtual table {name:?} ({module}): its rows are read from {content:?}; the index over them is left out"
            ));
        } else {
            notes.push(format!(
                "virtual table {name:?} ({module}): not read; the tables that it keeps are, as they are"
            ));
        }
    }
    tables.retain(|table| !left_out.contains(&table.name));
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((tables, notes))
}

/// Names of the virtual tables, and of the modules whose code reads them.
fn virtual_tables(connection: &Connection) -> Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'create virtual %'",
    )?;
    let mut found = BTreeMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        // The name of the table is before it, and may hold anything.
        let behind = sql.get(sql.find(&name).map_or(0, |at| at + name.len())..);
        let mut words = behind.unwrap_or_default().split_ascii_whitespace();
        let using = words.find(|word| word.eq_ignore_ascii_case("using"));
        let module = using.and_then(|_| words.next()).unwrap_or("unknown");
        let end = module.find('(').unwrap_or(module.len());
        let module = module.get(..end).unwrap_or_default().to_ascii_lowercase();
        found.insert(name, module);
    }
    Ok(found)
}

/// The virtual table that a shadow table is of: its name is that, `_` and more.
fn owner_of<'v>(shadow: &str, virtuals: &'v BTreeMap<String, String>) -> Option<&'v str> {
    let (owner, _) = shadow.rsplit_once('_')?;
    let (owner, _) = virtuals.get_key_value(owner)?;
    Some(owner)
}

fn columns(connection: &Connection, table: &str, is_strict: bool) -> Result<Vec<ColumnInfo>> {
    let mut statement =
        connection.prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?)")?;
    let mut rows = statement.query([table])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let (_, collation, ..) = connection.column_metadata(Some("main"), table, name.as_str())?;
        let affinity = match is_strict && declared.eq_ignore_ascii_case("ANY") {
            true => Affinity::None,
            false => Affinity::of(&declared),
        };
        found.push(ColumnInfo {
            affinity,
            key_place: row.get(2)?,
            is_generated: matches!(row.get(3)?, 2 | 3),
            is_binary: collation.is_none_or(|name| name.to_bytes().eq_ignore_ascii_case(b"BINARY")),
            name,
            declared,
        });
    }
    Ok(found)
}

/// The columns of a table's key and value, in the order in which rows hold them.
pub struct Parts {
    /// Columns of the key; empty where the table has none.
    pub key: Vec<Part>,
    /// Columns of the value, ascending by name.
    pub value: Vec<Part>,
    /// How the rows are shown.
    pub schema: Schema,
}

/// A column that is read.
pub struct Part {
    /// Its name.
    pub name: String,
    /// What its values are natural in.
    pub affinity: Affinity,
    sql_type: String,
}

impl Part {
    fn new(column: &ColumnInfo, suffix: &str) -> Part {
        Part {
            name: column.name.clone(),
            affinity: column.affinity,
            sql_type: format!("{}{suffix}", column.declared),
        }
    }
}

impl TableInfo {
    /// Whether the table has a column that is called so, or a rowid.
    pub fn has(&self, name: &str) -> bool {
        self.column(name).is_some() || self.is_rowid(name)
    }

    fn column(&self, name: &str) -> Option<&ColumnInfo> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn is_rowid(&self, name: &str) -> bool {
        let hides_it = |column: &ColumnInfo| column.name.eq_ignore_ascii_case(ROWID);
        name == ROWID && self.has_rowid && !self.columns.iter().any(hides_it)
    }

    fn primary_key(&self) -> Vec<&ColumnInfo> {
        let mut key: Vec<&ColumnInfo> = self
            .columns
            .iter()
            .filter(|column| column.key_place > 0)
            .collect();
        key.sort_by_key(|column| column.key_place);
        key
    }

    /// The names of the key's columns: those asked for, where the table has them all, else the primary key's.
    fn key_names<'a>(&'a self, options: &'a TextOptions) -> Vec<&'a str> {
        let primary: Vec<&str> = self.primary_key().iter().map(|c| c.name.as_str()).collect();
        let asked: Vec<&str> = options.key.iter().map(String::as_str).collect();
        let is_asked = !asked.is_empty() && asked.iter().all(|name| self.has(name));
        let is_rowid = asked.iter().any(|name| self.is_rowid(name));
        match is_asked && (!is_rowid || primary.is_empty()) {
            true => asked,
            false => primary,
        }
    }

    /// Gives the columns their parts.
    pub fn parts(&self, options: &TextOptions) -> Parts {
        let mut key_names = self.key_names(options);
        let mut seen = Vec::new();
        key_names.retain(|name| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        let is_primary = self
            .primary_key()
            .iter()
            .map(|c| c.name.as_str())
            .eq(key_names.iter().copied());
        let key: Vec<Part> = key_names
            .iter()
            .map(|name| match self.column(name) {
                // The index of a primary key compares as its column does, so nothing else can be equal in it.
                Some(column) if column.is_binary || is_primary => Part::new(column, ""),
                Some(column) => Part::new(column, COLLATED),
                None => Part {
                    name: ROWID.into(),
                    affinity: Affinity::Numeric,
                    sql_type: "INTEGER".into(),
                },
            })
            .collect();
        let mut value: Vec<&ColumnInfo> = self
            .columns
            .iter()
            .filter(|column| !key_names.contains(&column.name.as_str()))
            .filter(|column| !options.ignore_columns.contains(&column.name))
            .filter(|column| options.columns.is_empty() || options.columns.contains(&column.name))
            .collect();
        let is_bag = key.is_empty();
        // What tells a row of such a table is what was written.
        value.retain(|column| !(is_bag && column.is_generated));
        value.sort_by(|a, b| a.name.cmp(&b.name));
        let value: Vec<Part> = value
            .into_iter()
            .map(|column| match column.is_generated {
                true => Part::new(column, GENERATED),
                false if is_bag && !column.is_binary => Part::new(column, COLLATED),
                false => Part::new(column, ""),
            })
            .collect();
        let names = |parts: &[Part]| parts.iter().map(|part| part.name.clone()).collect();
        let types = |parts: &[Part]| parts.iter().map(|part| part.sql_type.clone()).collect();
        let sql = |key: &[Part], value: &[Part]| {
            Box::new(SqlTable {
                dialect: Dialect::Sqlite,
                name: vec![self.name.clone()],
                key_types: types(key),
                value_types: types(value),
            })
        };
        let schema = match is_bag {
            true => Schema::Bag {
                columns: names(&value),
                sql: sql(&value, &[]),
            },
            false => Schema::Columns {
                key: names(&key),
                value: names(&value),
                sql: Some(sql(&key, &value)),
            },
        };
        Parts { key, value, schema }
    }
}
