//! A database as a snapshot.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::FORMAT;
use super::access::Access;
use super::failure::{Place, explain};
use super::schema::{self, TableInfo};
use super::table::{Database, SqliteRows};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::row::Schema;
use crate::source::sort::SortOptions;
use crate::source::sorted_table::SortedTable;
use crate::source::{Estimate, RowWriter, Snapshot, SourceOptions, Table, TextOptions};

/// A guess at the bytes of a row, where nothing is known of the rows.
const ROW_BYTES: u64 = 100;

/// An open database.
pub struct SqliteSnapshot {
    database: Arc<Database>,
    tables: Vec<SortedTable<SqliteRows>>,
    notes: Vec<String>,
    description: Vec<(String, String)>,
}

impl SqliteSnapshot {
    /// Opens the database in `input`, and reads its schema.
    ///
    /// # Errors
    ///
    /// I/O errors; what SQLite says of the file; Changed; Usage, where an option names a column that no table has.
    pub fn open(input: Input, options: &SourceOptions) -> Result<SqliteSnapshot> {
        let access = Access::open(&input, options)?;
        let mut notes = access.notes;
        let found = schema::read(&access.connection)
            .and_then(|found| Ok((found, describe(&access.connection)?)));
        let ((tables, of_schema), mut description) =
            found.map_err(|error| explain(&error, &Place::of(&input)))?;
        notes.extend(
            of_schema
                .into_iter()
                .map(|note| format!("{}: {note}", input.path().display())),
        );
        check_names(&tables, &options.text, &input)?;
        description.insert(0, ("bytes".into(), input.len().to_string()));
        if access.wal_bytes > 0 {
            let bytes = access.wal_bytes.to_string();
            description.push(("bytes of -wal".into(), bytes));
        }
        let file_bytes = input.len() + access.wal_bytes;
        let bytes = file_bytes / (tables.len() as u64).max(1);
        let estimate = Estimate {
            rows: bytes / ROW_BYTES,
            bytes,
            file_bytes: bytes,
        };
        let sort = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path: input.path().to_owned(),
        };
        let database = Arc::new(Database {
            connection: Mutex::new(access.connection),
            is_copy: access.is_copy,
            input,
        });
        let mut sorted = Vec::new();
        for table in &tables {
            let parts = table.parts(&options.text);
            let schema = parts.schema.clone();
            description.push((format!("table {}", table.name), show_columns(&schema)));
            let rows = SqliteRows::new(
                Arc::clone(&database),
                table,
                parts,
                estimate,
                &options.text.ignore_columns,
            );
            sorted.push(SortedTable::new(
                table.name.clone(),
                schema,
                sort.clone(),
                rows,
            ));
        }
        Ok(SqliteSnapshot {
            database,
            tables: sorted,
            notes,
            description,
        })
    }
}

/// Refuses columns that no table has: they are misspelled.
fn check_names(tables: &[TableInfo], options: &TextOptions, input: &Input) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    for (flag, names) in [
        ("--key", &options.key),
        ("--columns", &options.columns),
        ("--ignore-columns", &options.ignore_columns),
    ] {
        let missing = names
            .iter()
            .find(|name| !tables.iter().any(|table| table.has(name)));
        if let Some(name) = missing {
            return Err(Error::usage(
                format!(
                    "{flag}: no table of {} has a column {name:?}",
                    input.path().display()
                ),
                "mdiff info --quick shows the tables and their columns",
            ));
        }
    }
    let has_all = |table: &TableInfo| options.key.iter().all(|name| table.has(name));
    if !tables.iter().any(has_all) {
        return Err(Error::usage(
            format!(
                "--key: no table of {} has all the columns {}",
                input.path().display(),
                options.key.join(", ")
            ),
            "mdiff info --quick shows the tables and their columns",
        ));
    }
    Ok(())
}

fn show_columns(schema: &Schema) -> String {
    let Schema::Columns { key, value, .. } = schema else {
        let Schema::Bag { columns, .. } = schema else {
            return String::new();
        };
        return format!("no key; rows of {} are counted", columns.join(", "));
    };
    let key = format!("key {}", key.join(", "));
    match value.as_slice() {
        [] => key,
        names => format!("{key}; value {}", names.join(", ")),
    }
}

fn describe(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    for (name, pragma) in [
        ("page bytes", "page_size"),
        ("pages", "page_count"),
        ("encoding", "encoding"),
        ("user version", "user_version"),
        ("application id", "application_id"),
    ] {
        let value = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })?;
        lines.push((name.to_owned(), value));
    }
    Ok(lines)
}

impl Snapshot for SqliteSnapshot {
    fn format(&self) -> &'static str {
        FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        match self.database.is_copy {
            // It was found unchanged when all of it was copied.
            true => Ok(()),
            false => self.database.input.check_unchanged(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn describe(&self) -> Vec<(String, String)> {
        self.description.clone()
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "SQLite databases can't be written",
            "run the statements of the patch on a copy: mdiff cat PATCH --format sql | sqlite3 -bail COPY.db",
        ))
    }
}
