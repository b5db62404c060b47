//! A loose set of tables: files of one database without the MANIFEST that says how they lie on each other.
//!
//! Sequence numbers decide. Where two versions of a key have the same one (0, after a compaction to the last level) and
//! differ, nothing does, and the set is refused; likewise where a range deletion meets an entry of sequence 0.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use super::family::{Family, Parts};
use super::files::{FileFacts, Files};
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::range::KeyRange;
use crate::source::block_table::key::successor;
use crate::source::block_table::{KeyOrder, TableFile, Versions};
use crate::source::{RowWriter, Snapshot, SourceOptions, Table};

/// Tables without a MANIFEST, as one snapshot: a table for every column family that they name.
pub struct LooseTables {
    families: Vec<Family>,
    files: usize,
}

impl LooseTables {
    /// Looks into each of the files.
    ///
    /// # Errors
    ///
    /// Those of opening them.
    pub fn open(paths: &[PathBuf], options: &SourceOptions) -> Result<LooseTables> {
        /// Files of one family and one order.
        type Group = (KeyOrder, Vec<FileFacts>);
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for (number, path) in paths.iter().enumerate() {
            let (file, order) = open_in_its_order(path, options)?;
            let name = file
                .properties()
                .and_then(|p| p.text("rocksdb.column.family.name"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "default".into());
            let keys = match order {
                KeyOrder::ReverseBytewise => None,
                _ => keys_of(file)?,
            };
            let (known, group) = groups.entry(name).or_insert_with(|| (order, Vec::new()));
            if *known != order {
                return Err(Error::usage(
                    format!(
                        "{} is ordered by another comparator than the other tables of its column family",
                        path.display()
                    ),
                    "name the tables of one database",
                ));
            }
            group.push(FileFacts {
                path: path.clone(),
                number: number as u64,
                level: 0,
                size: None,
                keys,
                sequences: None,
            });
        }
        let families = groups
            .into_iter()
            .map(|(name, (order, facts))| {
                Family::new(Parts {
                    name,
                    id: 0,
                    path: facts.first().map(|f| f.path.clone()).unwrap_or_default(),
                    files: Files::new(facts, order, options),
                    order,
                    logs: None,
                    log_deletions: Vec::new(),
                    operator: None,
                    blobs: None,
                    is_database: false,
                    options: options.clone(),
                })
            })
            .collect();
        Ok(LooseTables {
            families,
            files: paths.len(),
        })
    }
}

fn open_in_its_order(
    path: &PathBuf,
    options: &SourceOptions,
) -> Result<(std::sync::Arc<TableFile>, KeyOrder)> {
    let open = |order| -> Result<_> {
        let input = Input::open_plain(path, &options.file)?;
        Ok((std::sync::Arc::new(TableFile::open(input, order)?), order))
    };
    let orders = [KeyOrder::ReverseBytewise, KeyOrder::AssumeBytewise];
    let others = match options.database.assume_bytewise {
        true => &orders[..],
        false => &orders[..1],
    };
    let first = open(KeyOrder::Bytewise);
    match first {
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }) => {
            let found = others.iter().find_map(|&order| open(order).ok());
            found.ok_or(error)
        }
        other => other,
    }
}

/// The keys that a file's entries lie in.
fn keys_of(file: std::sync::Arc<TableFile>) -> Result<Option<KeyRange>> {
    let last = file.last_separator()?;
    let mut versions = Versions::new(&file, &KeyRange::all())?;
    let mut keys = KeyRange {
        from: Vec::new(),
        to: Some(Vec::new()),
    };
    // What is damaged here a scan will say.
    if !matches!(versions.advance(), Ok(false)) {
        keys = KeyRange {
            from: versions.user_key().to_vec(),
            to: last.map(|last| successor(&last)),
        };
    }
    Ok(Some(keys))
}

impl Snapshot for LooseTables {
    fn format(&self) -> &'static str {
        crate::source::block_table::FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.families
            .iter()
            .map(|family| family as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.families
            .iter()
            .try_for_each(|family| family.parts().files.check_unchanged())
    }

    fn describe(&self) -> Vec<(String, String)> {
        vec![("tables".into(), self.files.to_string())]
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "several tables can't be written as one file of their kind",
            "turn the patch into tables to ingest: mdiff convert PATCH -o ops.sst",
        ))
    }
}
