//! A folder of Bitcask as a snapshot.

use std::io::Write;
use std::path::Path;

use super::folder::{self, Layout};
use super::riak::{self, clock::Clocks};
use super::store::{Objects, Store};
use crate::error::{Error, Result};
use crate::row::Schema;
use crate::source::sort::SortOptions;
use crate::source::sorted_table::SortedTable;
use crate::source::{RowWriter, Snapshot, SourceOptions, Table};

/// The stores of a folder, each a table.
pub struct BitcaskSnapshot {
    tables: Vec<SortedTable<Store>>,
    is_riak: bool,
    notes: Vec<String>,
}

impl BitcaskSnapshot {
    /// Opens a folder: finds where each file ends. Rows are read when they are first asked for.
    ///
    /// # Errors
    ///
    /// Damaged, Limit, Unsupported, Changed; Usage for columns that there are not; I/O errors.
    pub fn open(folder: &Path, options: &SourceOptions) -> Result<BitcaskSnapshot> {
        let layout = folder::layout(folder).unwrap_or(Layout::One);
        let has_partitions = matches!(layout, Layout::Partitions(_));
        let folders = match layout {
            Layout::One => vec![("default".to_owned(), folder.to_owned())],
            Layout::Partitions(partitions) => partitions,
        };
        let mut notes = Vec::new();
        let mut stores = Vec::new();
        for (name, folder) in folders {
            stores.push((name, Store::open(&folder, &options.file, &mut notes)?));
        }
        let is_riak = match options.format.as_deref() {
            Some(name) if name == super::RIAK.name => true,
            Some(name) if name == super::FORMAT.name => false,
            _ => {
                stores.iter().all(|(_, store)| store.has_riak_keys)
                    && (has_partitions || stores.iter().any(|(_, store)| store.has_keys))
            }
        };
        let chosen = match is_riak {
            true => Some(riak::choose(folder, &options.text)?),
            false => None,
        };
        let schema = match &chosen {
            Some(chosen) => chosen.schema(),
            None => Schema::Bytes,
        };
        let tables = stores.into_iter().map(|(name, mut store)| {
            store.objects = chosen.clone().map(|chosen| Objects {
                clocks: Clocks::of(&schema),
                chosen,
            });
            let sort = SortOptions {
                temp_dir: options.file.temp_dir.clone(),
                memory_bytes: options.sort_memory_bytes,
                path: store.folder.clone(),
            };
            SortedTable::new(name, schema.clone(), sort, store)
        });
        Ok(BitcaskSnapshot {
            tables: tables.collect(),
            is_riak,
            notes,
        })
    }
}

impl Snapshot for BitcaskSnapshot {
    fn format(&self) -> &'static str {
        match self.is_riak {
            true => super::RIAK.name,
            false => super::FORMAT.name,
        }
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
            .try_for_each(|table| table.rows().check_unchanged())
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let of_table = |table: &SortedTable<Store>| {
            let store = table.rows();
            let files = store.files();
            let bytes: u64 = files.iter().map(|file| file.listed.len).sum();
            let entries: u64 = files.iter().map(|file| file.entries).sum();
            let mut text = format!("{} files, {bytes} bytes, {entries} entries", files.len());
            if store.removed > 0 {
                text.push_str(&format!(
                    ", and {} files that wait to be removed",
                    store.removed
                ));
            }
            (format!("table {}", table.name()), text)
        };
        self.tables.iter().map(of_table).collect()
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "Bitcask's files can't be written",
            "print the rows of a patch with mdiff cat --json, and put them through Riak; or let its read repair do it",
        ))
    }
}
