//! A folder of SSTables as a snapshot.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cells::{Rules, Ties};
use super::counter::Holders;
use super::data::Sstable;
use super::descriptor::Descriptor;
use super::folders::{self, ONLY_TABLE};
use super::layout::Known;
use super::manifest;
use super::model::Seconds;
use super::schema::TableSchema;
use super::table::CassandraTable;
use super::view::Lens;
use crate::error::{Error, Result};
use crate::source::{CassandraOptions, RowWriter, Snapshot, SourceOptions, Table};

/// How long tombstones are kept where no schema says it: Cassandra's default, ten days.
const GC_GRACE_SECONDS: i64 = 864_000;

/// An open snapshot.
pub struct CassandraSnapshot {
    tables: Vec<CassandraTable>,
    notes: Vec<String>,
    lens_of_all: CassandraOptions,
}

impl CassandraSnapshot {
    /// Opens all SSTables of a folder.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported, Damaged; Usage where it can't be told what the folder is.
    pub fn open(folder: &Path, options: &SourceOptions) -> Result<CassandraSnapshot> {
        let mut tables = Vec::new();
        let mut notes = Vec::new();
        for of_table in folders::find(folder, options.cassandra.snapshot.as_deref())? {
            tables.push(open_table(
                &of_table.name,
                &of_table.path,
                options,
                &mut notes,
            )?);
        }
        if tables.is_empty() {
            return Err(Error::unsupported(
                folder,
                "has no SSTables",
                "a snapshot of an empty table has none; name a folder with files such as nb-1-big-Data.db",
            ));
        }
        Ok(CassandraSnapshot {
            tables,
            notes,
            lens_of_all: options.cassandra.clone(),
        })
    }

    /// Its tables.
    pub fn cassandra_tables(&self) -> &[CassandraTable] {
        &self.tables
    }
}

/// The instant of this process: both sides of a comparison are seen at the same.
fn process_now() -> Seconds {
    static NOW: OnceLock<Seconds> = OnceLock::new();
    *NOW.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs() as Seconds)
    })
}

fn open_table(
    name: &str,
    folder: &Path,
    options: &SourceOptions,
    notes: &mut Vec<String>,
) -> Result<CassandraTable> {
    let descriptors = Descriptor::find(folder)?;
    manifest::check(folder, &descriptors, &options.file)?;
    let sstables = descriptors
        .into_iter()
        .map(|descriptor| Sstable::open(descriptor, &options.file))
        .collect::<Result<Vec<_>>>()?;
    let schema = read_schema(name, folder, options.schema.as_deref())?;
    let known = schema.as_ref().map(Known::of);
    let now = options.cassandra.now.unwrap_or_else(process_now);
    let gc_grace = schema
        .as_ref()
        .map_or(GC_GRACE_SECONDS, |schema| schema.gc_grace_seconds);
    if schema.is_none() {
        notes.push(format!(
            "{}: no schema.cql, so its key columns have no names, dropped columns are shown, and tombstones are kept for ten days (--schema FILE tells better)",
            folder.display()
        ));
    }
    let lens = Lens {
        view: options.cassandra.view.unwrap_or_default(),
        now,
        gc_before: options
            .cassandra
            .gc_before
            .or_else(|| options.cassandra.gc_before_of.get(name).copied())
            .unwrap_or_else(|| now.saturating_sub(gc_grace)),
    };
    let rules = Rules {
        ties: options.cassandra.ties.unwrap_or_default(),
        now,
        holders: Holders::OneNode,
    };
    let table = CassandraTable::new(
        name.to_owned(),
        folder,
        sstables,
        known.as_ref(),
        lens,
        rules,
    )?;
    Ok(table.with_gc_grace(Some(gc_grace)))
}

/// Reads `schema.cql` of a folder, or the file that was named instead.
fn read_schema(name: &str, folder: &Path, named: Option<&Path>) -> Result<Option<TableSchema>> {
    let beside: PathBuf = folder.join("schema.cql");
    let path = match named {
        Some(path) => path,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
    if name == ONLY_TABLE {
        return TableSchema::parse_cql(&text, path).map(Some);
    }
    let schemas = TableSchema::parse_all(&text, path)?;
    let is_it = |schema: &TableSchema| match name.rsplit_once('.') {
        Some((keyspace, table)) => {
            schema.table == table && (schema.keyspace.is_empty() || schema.keyspace == keyspace)
        }
        None => schema.table == name,
    };
    Ok(schemas.into_iter().find(is_it))
}

impl Snapshot for CassandraSnapshot {
    fn format(&self) -> &'static str {
        super::FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.tables
            .iter()
            .try_for_each(CassandraTable::check_unchanged)
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        if self.lens_of_all.ties == Some(Ties::V3_11) {
            lines.push(("ties".to_owned(), "by the rule of 3.11".to_owned()));
        }
        for table in &self.tables {
            let names: Vec<String> = table
                .sstables()
                .map(|sstable| sstable.descriptor().name())
                .collect();
            lines.push((format!("table {}", table.name()), names.join(", ")));
        }
        lines
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "SSTables can't be written",
            "mend the rows with CQL statements, or turn them into another format with mdiff convert",
        ))
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
