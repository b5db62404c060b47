//! Against databases that the library writes here.

mod beside;
mod damage;
mod keys;
mod odd;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::Schema;
use crate::row::columns::{decode_key, decode_value};
use crate::source::{Snapshot, SourceOptions, Table, open};

/// A folder with one database.
pub struct Made {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl Made {
    /// A database that these statements make.
    pub fn new(sql: &str) -> Made {
        let made = Made::nothing();
        made.run(sql);
        made
    }

    pub fn nothing() -> Made {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        Made { folder, path }
    }

    pub fn run(&self, sql: &str) {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    pub fn open(&self) -> Box<dyn Snapshot> {
        open(&self.path, &SourceOptions::default()).unwrap()
    }

    pub fn rows(&self, table: &str) -> Shown {
        rows(&*self.open(), table).unwrap()
    }
}

/// Rows as text: fields of the key, and of the value by name; what is not printable escaped.
pub type Shown = BTreeMap<String, String>;

pub fn table<'s>(snapshot: &'s dyn Snapshot, name: &str) -> &'s dyn Table {
    let found = snapshot
        .tables()
        .into_iter()
        .find(|table| table.name() == name);
    found.unwrap_or_else(|| panic!("no table {name}"))
}

pub fn names(snapshot: &dyn Snapshot) -> Vec<String> {
    snapshot
        .tables()
        .iter()
        .map(|table| table.name().to_owned())
        .collect()
}

/// The rows of a table. Its files are found unchanged afterwards.
pub fn rows(snapshot: &dyn Snapshot, name: &str) -> Result<Shown> {
    let table = table(snapshot, name);
    if let schema @ Schema::Bag { .. } = table.schema() {
        let mut shown = Shown::new();
        table.scan(&KeyRange::all())?.for_each(&mut |row| {
            let copies = String::from_utf8_lossy(row.value).into_owned();
            shown.insert(schema.show_key(row.key), format!("copies={copies}"));
            Ok(())
        })?;
        return Ok(shown);
    }
    let Schema::Columns { key, value, .. } = table.schema() else {
        panic!("{:?}", table.schema());
    };
    let show = |field: &[u8]| crate::row::escape(field).into_owned();
    let mut shown = Shown::new();
    let mut last: Option<Vec<u8>> = None;
    table.scan(&KeyRange::all())?.for_each(&mut |row| {
        assert!(last.as_deref().is_none_or(|last| last < row.key));
        last = Some(row.key.to_vec());
        let keys: Vec<String> = decode_key(row.key, key.len())
            .unwrap()
            .iter()
            .map(|field| show(field))
            .collect();
        let fields = decode_value(row.value, value.len()).unwrap();
        let values: Vec<String> = value
            .iter()
            .zip(fields)
            .map(|(name, field)| format!("{name}={}", field.map_or("NULL".into(), show)))
            .collect();
        shown.insert(keys.join(","), values.join(" "));
        Ok(())
    })?;
    snapshot.check_unchanged()?;
    Ok(shown)
}

pub fn shown<const N: usize>(rows: [(&str, &str); N]) -> Shown {
    rows.into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

pub fn error_of(path: &Path, options: &SourceOptions, table: &str) -> Error {
    match open(path, options).map(|snapshot| rows(&*snapshot, table)) {
        Err(error) | Ok(Err(error)) => error,
        Ok(Ok(rows)) => panic!("{rows:?}"),
    }
}
