//! A file of SQL statements: the tables that are left when all of them were run, and the rows put into these.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use super::create::Definition;
use super::layout::{Layout, names_of};
use super::lex::Stop;
use super::session::Session;
use super::statements::{Statement, Statements, TableName};
use super::window::show_place;
use crate::error::{ErrorKind, Result};
use crate::file::input::Input;
use crate::source::sort::{SortOptions, Sorter};
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{Estimate, RowWriter, Snapshot, SourceOptions, Table};

/// Where the rows of a table lie: from the first INSERT to the last. INSERTs into other tables may stand between them.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    start: u64,
    end: u64,
    /// What was set at the start.
    session: Session,
}

/// A table that was found in a file of statements.
#[derive(Debug)]
pub(super) struct Found {
    pub definition: Definition,
    pub extent: Option<Extent>,
}

/// What a file of statements makes.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub tables: BTreeMap<TableName, Found>,
    /// What was set at the end.
    pub session: Session,
}

/// Passes over a file of statements. Tables that it does not create are looked for in `known`.
///
/// # Errors
///
/// Damaged; Unsupported.
pub(super) fn read(input: &Input, known: &Known) -> Result<Contents> {
    let mut statements = Statements::new(input, 0, Session::default());
    let mut tables: BTreeMap<TableName, Found> = BTreeMap::new();
    while let Some((offset, statement)) = statements.next()? {
        match statement {
            Statement::Create {
                name,
                definition,
                if_not_exists,
            } => match tables.get(&name) {
                Some(found) if !if_not_exists || found.definition != definition => {
                    let what = format!("the table {:?} is created twice", name.table);
                    return Err(statements.damaged(offset, &what));
                }
                Some(_) => {}
                None => {
                    let extent = None;
                    tables.insert(name, Found { definition, extent });
                }
            },
            Statement::Drop(names) => names.iter().for_each(|name| {
                tables.remove(name);
            }),
            Statement::AddPrimary(name, primary) => {
                if let Some(found) = tables.get_mut(&name) {
                    found.definition.primary = primary;
                }
            }
            Statement::Insert { name, .. } => {
                statements.skip_rows()?;
                let end = statements.pos();
                let found = match tables.get_mut(&name) {
                    Some(found) => found,
                    None => {
                        let definition = known.table(&name);
                        let extent = None;
                        tables
                            .entry(name)
                            .or_insert(Found { definition, extent })
                    }
                };
                match &mut found.extent {
                    Some(extent) => extent.end = end,
                    None => {
                        found.extent = Some(Extent {
                            start: offset,
                            end,
                            session: statements.session().clone(),
                        });
                    }
                }
            }
        }
    }
    Ok(Contents {
        tables,
        session: statements.session().clone(),
    })
}

/// Tables whose CREATE statements stand in another file.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<TableName, Found>);

impl Known {
    /// Those of the file that --schema names.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    pub fn of_option(options: &SourceOptions) -> Result<Known> {
        let Some(path) = &options.cassandra.schema else {
            return Ok(Known::default());
        };
        let input = Input::open(path, &options.file)?;
        read(&input, &Known::default()).map(|contents| Known(contents.tables))
    }

    /// How the table was created; without columns where that is not known.
    fn table(&self, name: &TableName) -> Definition {
        let exact = self.0.get(name);
        let found = exact.or_else(|| {
            let mut others = self.0.iter().filter(|(other, _)| other.table == name.table);
            let (only, None) = (others.next(), others.next()) else {
                return None;
            };
            only.map(|(_, found)| found)
        });
        found.map(|found| found.definition.clone()).unwrap_or_default()
    }
}

/// The rows of one table of a file of statements.
struct Rows {
    input: Arc<Input>,
    name: TableName,
    layout: Layout,
    extent: Option<Extent>,
}

impl Rows {
    /// Hands every row and its offset to `visit`.
    fn visit(
        &self,
        visit: &mut dyn FnMut(crate::row::Row<'_>, u64) -> Result<()>,
    ) -> Result<()> {
        let Some(extent) = &self.extent else {
            return Ok(());
        };
        let mut statements =
            Statements::new(&self.input, extent.start, extent.session.clone());
        while statements.pos() < extent.end {
            let Some((offset, statement)) = statements.next()? else {
                break;
            };
            let Statement::Insert { name, columns } = statement else {
                continue;
            };
            if name != self.name {
                statements.skip_rows()?;
                continue;
            }
            let mut encoder = self
                .layout
                .encoder(columns.as_deref())
                .map_err(|stop| statements.error(offset, stop))?;
            statements.rows(&mut |bytes, fields, offset| {
                let row = encoder.row(bytes, fields)?;
                visit(row, offset).map_err(Stop::Failed)
            })?;
        }
        Ok(())
    }
}

impl Unsorted for Rows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        self.layout.check()?;
        self.visit(&mut |row, offset| sorter.push(row, offset))
    }

    fn show_place(&self, place: u64) -> String {
        show_place(&self.input, place)
    }

    fn estimate(&self) -> Estimate {
        const SAMPLE_ROWS: u64 = 200;
        let Some(extent) = &self.extent else {
            return Estimate::default();
        };
        let (mut rows, mut bytes, mut read_to) = (0, 0, extent.start);
        // A fault in front will be met again by whoever reads.
        let _ = self.visit(&mut |row, offset| {
            rows += 1;
            bytes += row.len_bytes();
            read_to = offset;
            match rows < SAMPLE_ROWS {
                true => Ok(()),
                false => Err(ErrorKind::Stopped.into()),
            }
        });
        let file_bytes = extent.end - extent.start;
        let sampled = read_to - extent.start;
        let scaled = |count: u64| match rows < SAMPLE_ROWS || sampled == 0 {
            true => count,
            false => {
                let scaled = u128::from(count) * u128::from(file_bytes) / u128::from(sampled);
                u64::try_from(scaled).unwrap_or(u64::MAX)
            }
        };
        Estimate {
            rows: scaled(rows),
            bytes: scaled(bytes),
            file_bytes,
        }
    }
}

/// An open dump.
pub(super) struct Dump {
    input: Arc<Input>,
    session: Session,
    tables: Vec<SortedTable<Rows>>,
}

impl Dump {
    /// Finds the tables of a dump.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported; Usage where options name columns that no table has.
    pub fn open(input: Input, options: &SourceOptions) -> Result<Dump> {
        let contents = read(&input, &Known::of_option(options)?)?;
        let input = Arc::new(input);
        let names: Vec<&TableName> = contents.tables.keys().collect();
        let shown = names_of(&names);
        let sort = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path: input.path().to_owned(),
        };
        let mut tables = Vec::new();
        for ((name, found), (shown, full_name)) in contents.tables.into_iter().zip(shown) {
            let layout = Layout::new(shown.clone(), found.definition, &options.text);
            let schema = layout.schema(full_name);
            let rows = Rows {
                input: input.clone(),
                name,
                layout,
                extent: found.extent,
            };
            tables.push(SortedTable::new(shown, schema, sort.clone(), rows));
        }
        tables.sort_by(|a, b| a.name().cmp(b.name()));
        Layout::check_options(tables.iter().map(|table| &table.rows().layout), &options.text)?;
        Ok(Dump {
            input,
            session: contents.session,
            tables,
        })
    }
}

impl Snapshot for Dump {
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
        self.input.check_unchanged()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "not told".to_owned());
        vec![
            ("bytes".into(), self.input.len().to_string()),
            ("written by".into(), told(&self.session.writer)),
            ("character set".into(), told(&self.session.charset)),
            ("time zone".into(), told(&self.session.time_zone)),
        ]
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(super::refuse_to_write())
    }
}
