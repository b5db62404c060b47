//! A dump as a snapshot.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::catalog::{Catalog, Described, Place, Section};
use super::chunks::Compression;
use super::layout::Layout;
use super::rows::DumpRows;
use super::toc::Container;
use super::{FORMAT, archive, lone, plain};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::source::sort::SortOptions;
use crate::source::sorted_table::SortedTable;
use crate::source::{RowWriter, Snapshot, SourceOptions, Table, TextOptions};

/// An open dump.
pub(super) struct Dump {
    input: Arc<Input>,
    tables: Vec<SortedTable<DumpRows>>,
    notes: Vec<String>,
    /// What the dump says of itself.
    facts: Vec<(String, String)>,
}

/// How the rows of a dump are read.
struct Reading<'o> {
    is_text: bool,
    compression: Compression,
    int_len: u8,
    options: &'o SourceOptions,
}

impl Dump {
    /// Opens a plain dump.
    ///
    /// # Errors
    ///
    /// Those of reading it; Usage, where an option names a column that no table has.
    pub fn open_plain(input: Input, options: &SourceOptions) -> Result<Dump> {
        let mut catalog = new_catalog(options)?;
        plain::read(&input, &mut catalog).map_err(|error| input.explain(error))?;
        let reading = Reading {
            is_text: true,
            compression: Compression::None,
            int_len: 0,
            options,
        };
        let facts = vec![fact("dump", "plain")];
        Dump::new(input, catalog, &reading, facts)
    }

    /// Opens an archive; `folder` is where a directory's files lie.
    ///
    /// # Errors
    ///
    /// As of [`Dump::open_plain`].
    pub fn open_archive(
        input: Input,
        container: Container,
        folder: &Path,
        options: &SourceOptions,
    ) -> Result<Dump> {
        let mut catalog = new_catalog(options)?;
        let toc = archive::read(&input, container, folder, &mut catalog)
            .map_err(|error| input.explain(error))?;
        let reading = Reading {
            is_text: false,
            // Files of a directory say by their names what they are compressed with, and tar files never are.
            compression: match container {
                Container::Custom => toc.compression,
                Container::Directory | Container::Tar => Compression::None,
            },
            int_len: toc.int_len,
            options,
        };
        let (major, minor, revision) = toc.version;
        let kind = match container {
            Container::Custom => "custom",
            Container::Directory => "directory",
            Container::Tar => "tar",
        };
        let facts = vec![
            fact("dump", kind),
            fact("archive version", format!("{major}.{minor}.{revision}")),
            fact("compression", toc.compression.name()),
            fact("database", toc.database),
            fact("server", toc.server),
        ];
        Dump::new(input, catalog, &reading, facts)
    }

    fn new(
        input: Input,
        catalog: Catalog,
        reading: &Reading<'_>,
        mut facts: Vec<(String, String)>,
    ) -> Result<Dump> {
        let input = Arc::new(input);
        let encoding = catalog.encoding.clone();
        let (described, notes) = catalog.finish(&input)?;
        check_columns(&described, &reading.options.text, input.path())?;
        let tables = described
            .into_iter()
            .map(|table| sorted_table(&input, table, reading))
            .collect::<Result<Vec<_>>>()?;
        if let Some(encoding) = encoding {
            facts.push(fact("encoding", encoding));
        }
        facts.push(fact("bytes", input.len().to_string()));
        Ok(Dump {
            input,
            tables,
            notes,
            facts,
        })
    }
}

/// A catalog that knows what a given schema tells: a dump of data only has no definitions.
fn new_catalog(options: &SourceOptions) -> Result<Catalog> {
    let mut catalog = Catalog::new();
    if let Some(path) = &options.schema {
        lone::read_schema(path, options, &mut catalog)?;
        catalog.schema = None;
    }
    Ok(catalog)
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

fn sorted_table(
    input: &Arc<Input>,
    table: Described,
    reading: &Reading<'_>,
) -> Result<SortedTable<DumpRows>> {
    let options = reading.options;
    let layout = Layout::new(&table, &options.text)?;
    let schema = layout.schema(table.name.parts());
    let name = table.name.show();
    let sort = SortOptions {
        temp_dir: options.file.temp_dir.clone(),
        memory_bytes: options.sort_memory_bytes,
        path: input.path().to_owned(),
    };
    let rows = DumpRows {
        input: Arc::clone(input),
        name: name.clone(),
        layout,
        file_bytes: table.sections.iter().map(|s| bytes_of(s, input)).sum(),
        sections: table.sections,
        is_text: reading.is_text,
        compression: reading.compression,
        int_len: reading.int_len,
    };
    Ok(SortedTable::new(name, schema, sort, rows))
}

/// Bytes of a section as they lie in a file: a guess for chunks, which tell their lengths one by one.
fn bytes_of(section: &Section, input: &Input) -> u64 {
    match &section.place {
        Place::Range(range) => range.end - range.start,
        Place::Chunks(_) => input.len() / 8,
        Place::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}

/// Refuses names of columns that no table has.
pub(super) fn check_columns(
    tables: &[Described],
    options: &TextOptions,
    path: &Path,
) -> Result<()> {
    let lists = [
        ("--key", &options.key),
        ("--columns", &options.columns),
        ("--ignore-columns", &options.ignore_columns),
    ];
    for (flag, names) in lists {
        for name in names {
            let is_known = tables
                .iter()
                .any(|table| table.columns.iter().any(|column| column.name == *name));
            if !is_known {
                let tables: Vec<String> = tables.iter().map(|table| table.name.show()).collect();
                return Err(Error::usage(
                    format!(
                        "{flag}: no table of {} has a column {name:?}",
                        path.display()
                    ),
                    format!("its tables are {}", tables.join(", ")),
                ));
            }
        }
    }
    Ok(())
}

impl Snapshot for Dump {
    fn format(&self) -> &'static str {
        FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables.iter().map(|table| table as _).collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged()
    }

    fn notes(&self) -> Vec<String> {
        let path = self.input.path().display();
        let notes = self.notes.iter();
        notes.map(|note| format!("{path}: {note}")).collect()
    }

    fn describe(&self) -> Vec<(String, String)> {
        self.facts.clone()
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "mdiff does not write dumps of PostgreSQL",
            "print what a patch does with: mdiff cat PATCH --format sql, and run that by psql",
        ))
    }
}
