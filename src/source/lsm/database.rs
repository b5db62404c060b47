//! A database folder as a snapshot: what its MANIFEST says lives, and what its logs hold beside.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blob::BlobFiles;
use super::family::{Family, Parts};
use super::files::{FileFacts, Files, keys_between, open_max};
use super::manifest::{self, Manifest};
use super::options_file::OptionsFile;
use super::sorted::EntrySorter;
use super::wal::{self, Replayed};
use crate::error::{Error, Result};
use crate::file::lock::is_locked;
use crate::row::Schema;
use crate::source::block_table::{self, BYTEWISE, Fragment, KeyOrder, REVERSE_BYTEWISE, key};
use crate::source::{RowWriter, Snapshot, SourceOptions, Table};

/// An open database folder.
pub struct Database {
    folder: PathBuf,
    manifest: Manifest,
    logs: Option<Replayed>,
    families: Vec<Family>,
    notes: Vec<String>,
    options: SourceOptions,
}

impl Database {
    /// Opens a folder: reads its MANIFEST and its logs; tables are opened when they are needed.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported, where something can't be honoured; Limit; I/O errors.
    pub fn open(folder: &Path, options: &SourceOptions) -> Result<Database> {
        let manifest = Manifest::read(folder, &options.file)?;
        let mut notes = manifest.notes.clone();
        if is_locked(&folder.join("LOCK")) {
            notes.push(format!(
                "{}: its LOCK is held, so a database runs in it: what it writes meanwhile may be missed; a checkpoint is safe",
                folder.display()
            ));
        }
        let mut sorter = EntrySorter::new(folder, options);
        let backwards: Vec<u32> = manifest
            .families
            .iter()
            .filter(|family| family.comparator == REVERSE_BYTEWISE)
            .map(|family| family.id)
            .collect();
        let mut deletions: BTreeMap<u32, Vec<Fragment>> = BTreeMap::new();
        let logs = match options.database.no_wal {
            true => None,
            false => Some(wal::replay(
                folder,
                &manifest,
                &options.file,
                &mut |family, entry| {
                    if entry.kind != key::RANGE_DELETE {
                        return sorter.push(family, entry);
                    }
                    deletions.entry(family).or_default().extend(Fragment::new(
                        entry.key,
                        entry.value,
                        entry.sequence,
                        backwards.contains(&family),
                    ));
                    Ok(())
                },
            )?),
        };
        notes.extend(logs.iter().flat_map(|logs| logs.notes.clone()));
        let sorted = sorter.finish()?.map(Arc::new);
        let options_file = OptionsFile::newest(folder, &options.file)?;
        let blobs = Arc::new(BlobFiles::new(folder, &options.file, open_max() / 2));
        let mut families = Vec::new();
        for family in &manifest.families {
            let order = order_of(&manifest, family, options)?;
            families.push(Family::new(Parts {
                name: family.name.clone(),
                id: family.id,
                path: folder.to_owned(),
                files: Files::new(facts(folder, &manifest, family, order), order, options),
                order,
                logs: sorted.clone(),
                log_deletions: deletions.remove(&family.id).unwrap_or_default(),
                operator: options_file
                    .as_ref()
                    .and_then(|file| file.merge_operator(family.name.as_bytes()))
                    .cloned(),
                blobs: Some(Arc::clone(&blobs)),
                is_database: true,
                options: options.clone(),
            }));
        }
        families.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(Database {
            folder: folder.to_owned(),
            manifest,
            logs,
            families,
            notes,
            options: options.clone(),
        })
    }
}

/// The order of a family's keys, by the name of its comparator.
fn order_of(
    manifest: &Manifest,
    family: &manifest::Family,
    options: &SourceOptions,
) -> Result<KeyOrder> {
    let (what, hint) = match family.comparator.as_str() {
        "" | BYTEWISE => return Ok(KeyOrder::Bytewise),
        REVERSE_BYTEWISE => return Ok(KeyOrder::ReverseBytewise),
        name if name.ends_with(".u64ts") => (
            format!("its keys carry user-defined timestamps (comparator {name})"),
            "export the rows of one moment with the database's own software",
        ),
        _ if options.database.assume_bytewise => return Ok(KeyOrder::AssumeBytewise),
        name => (
            format!("its keys are ordered by the comparator {name}, which mdiff does not know"),
            "if it orders keys by their bytes, say --assume-bytewise; else export the rows with the database's own software",
        ),
    };
    Err(Error::unsupported(
        &manifest.path,
        format!("column family {}: {what}", family.name),
        hint,
    ))
}

/// What the MANIFEST says of a family's tables.
fn facts(
    folder: &Path,
    manifest: &Manifest,
    family: &manifest::Family,
    order: KeyOrder,
) -> Vec<FileFacts> {
    let path = |number: u64, level: u32| {
        let names = [
            format!("{number:06}.sst"),
            format!("{number:06}.ldb"),
            format!("sst_{level}/{number:06}.sst"),
        ];
        let [of_rocksdb, of_leveldb, of_riak] = &names;
        let usual = match (manifest.is_riak, manifest.is_leveldb) {
            (true, _) => of_riak,
            (false, true) => of_leveldb,
            (false, false) => of_rocksdb,
        };
        let found = names.iter().find(|name| folder.join(name).exists());
        folder.join(found.unwrap_or(usual))
    };
    family
        .files
        .iter()
        .map(|file| FileFacts {
            path: path(file.number, file.level),
            number: file.number,
            level: file.level,
            size: Some(file.size),
            keys: keys_between(&file.smallest, &file.largest, order),
            sequences: file.sequences,
        })
        .collect()
}

impl Snapshot for Database {
    fn format(&self) -> &'static str {
        super::FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.families
            .iter()
            .map(|family| family as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.manifest.check_unchanged()?;
        if let Some(logs) = &self.logs {
            logs.check_unchanged()?;
        }
        self.families
            .iter()
            .try_for_each(|family| family.parts().files.check_unchanged())
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut push = |name: &str, value: String| lines.push((name.to_owned(), value));
        let writer = match self.manifest.is_leveldb {
            true => "LevelDB",
            false => "RocksDB",
        };
        push("database", writer.to_owned());
        let manifest = self.manifest.path.file_name().unwrap_or_default();
        push("manifest", manifest.to_string_lossy().into_owned());
        push("last sequence", self.manifest.last_sequence.to_string());
        if let Some(logs) = &self.logs {
            push("logs", logs.logs.len().to_string());
            push("entries in logs", logs.entries.to_string());
        }
        for family in &self.manifest.families {
            let mut levels: BTreeMap<u32, usize> = BTreeMap::new();
            for file in &family.files {
                *levels.entry(file.level).or_default() += 1;
            }
            let levels: Vec<String> = levels
                .iter()
                .map(|(level, files)| format!("L{level} {files}"))
                .collect();
            let files = match levels.is_empty() {
                true => "no tables".to_owned(),
                false => format!("tables by level: {}", levels.join(", ")),
            };
            push(
                &format!("family {}", family.name),
                format!("{files}; comparator {}", family.comparator),
            );
        }
        lines
    }

    fn written_format(&self) -> &'static str {
        block_table::FORMAT.name
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        if let [_] = self.families.as_slice() {
            return block_table::create(out, &Schema::Bytes, &self.options);
        }
        Err(Error::usage(
            format!(
                "{} has several column families, and a table file holds one",
                self.folder.display()
            ),
            "turn the patch into tables to ingest: mdiff convert PATCH -o ops.sst",
        ))
    }
}
