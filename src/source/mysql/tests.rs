//! Dumps of a real server against what the server says it holds; statements by hand; damage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::Schema;
use crate::row::columns::{copies, decode_key, decode_value};
use crate::source::{self, LoadOptions, Snapshot, SourceOptions, Table};

mod damage;
mod mysql_9_7;
mod statements;
mod variants;

/// A row by its columns' names.
type Fields = BTreeMap<String, Option<Vec<u8>>>;

/// All rows of a table.
fn rows_of(table: &dyn Table) -> Result<Vec<Fields>> {
    let mut rows = Vec::new();
    if let Schema::Bag { columns, .. } = table.schema() {
        table.scan(&KeyRange::all())?.for_each(&mut |row| {
            let fields = decode_value(row.key, columns.len()).unwrap().into_iter();
            let fields = fields.map(|field| field.map(<[u8]>::to_vec));
            let fields: Fields = columns.iter().cloned().zip(fields).collect();
            let copies = copies(row.value).unwrap();
            rows.extend(std::iter::repeat_n(fields, copies as usize));
            Ok(())
        })?;
        return Ok(rows);
    }
    let Schema::Columns { key, value, .. } = table.schema() else {
        panic!("named columns are wanted");
    };
    table.scan(&KeyRange::all())?.for_each(&mut |row| {
        let keys = decode_key(row.key, key.len()).unwrap();
        let values = decode_value(row.value, value.len()).unwrap();
        let of_key = key.iter().cloned().zip(keys.into_iter().map(Some));
        let values = values.into_iter().map(|field| field.map(<[u8]>::to_vec));
        rows.push(of_key.chain(value.iter().cloned().zip(values)).collect());
        Ok(())
    })?;
    Ok(rows)
}

fn table<'s>(snapshot: &'s dyn Snapshot, name: &str) -> &'s dyn Table {
    let tables = snapshot.tables();
    let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
    let found = tables.iter().find(|table| table.name() == name);
    *found.unwrap_or_else(|| panic!("no table {name:?} among {names:?}"))
}

/// A file of statements with this text.
fn sql_file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.sql");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

/// Opens statements as a dump, mapped or not.
fn open_sql(text: &[u8], options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let (_dir, path) = sql_file(text);
    let options = SourceOptions {
        format: Some("mysql".into()),
        ..options.clone()
    };
    source::open(&path, &options)
}

/// The texts of all rows of table `t`, `NULL` for NULL, columns by name.
fn texts(snapshot: &dyn Snapshot, name: &str) -> Result<Vec<String>> {
    let rows = rows_of(table(snapshot, name))?;
    let show = |row: &Fields| {
        let fields: Vec<String> = row
            .iter()
            .map(|(name, field)| match field {
                Some(field) => format!("{name}={}", crate::row::escape(field)),
                None => format!("{name}:NULL"),
            })
            .collect();
        fields.join(" ")
    };
    Ok(rows.iter().map(show).collect())
}

/// For texts written with `--fields-terminated-by=, --fields-enclosed-by='"' --lines-terminated-by='\r\n'`.
fn quoted_csv(options: SourceOptions) -> SourceOptions {
    let mut options = SourceOptions {
        load: LoadOptions {
            enclosed_by: Some(b'"'),
            crlf: true,
        },
        ..options
    };
    options.text.delimiter = Some(b',');
    options
}

fn unmapped() -> SourceOptions {
    let mut options = SourceOptions::default();
    options.file.mmap = false;
    options
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/mysql")
        .join(name)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn error_of<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("read as if it were sound"),
        Err(error) => error,
    }
}
