//! A file of SQL statements: the tables that are left when all of them were run, and the rows put into these.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::create::Definition;
use super::layout::{Encoder, Layout};
use super::lex::Stop;
use super::session::Session;
use super::snapshot::{DumpSnapshot, estimate};
use super::statements::{Statement, Statements, TableName};
use super::window::show_place;
use crate::error::Result;
use crate::file::input::Input;
use crate::row::Row;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;
use crate::source::{Estimate, SourceOptions};

/// Where the rows of a table lie: from the first INSERT to the last. INSERTs into other tables may stand between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Extent {
    /// Starts of parts that threads read at once, and what was set there: the first INSERT's, and some others'.
    parts: Vec<(u64, Session)>,
    end: u64,
}

/// Bytes of a part: so many that its own cost vanishes.
const PART_BYTES: u64 = if cfg!(test) { 64 } else { 4 << 20 };

impl Extent {
    fn start(&self) -> u64 {
        self.parts.first().map_or(self.end, |(start, _)| *start)
    }
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

/// Passes over a file of statements, with what was set before it. Tables that it does not create are looked for in `known`.
///
/// # Errors
///
/// Damaged; Unsupported.
pub(super) fn read(input: &Input, session: Session, known: &Known) -> Result<Contents> {
    let mut statements = Statements::new(input, 0, session);
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
                        tables.entry(name).or_insert(Found { definition, extent })
                    }
                };
                let extent = found.extent.get_or_insert_default();
                extent.end = end;
                let is_apart = |(last, _): &(u64, Session)| offset - last >= PART_BYTES;
                if extent.parts.last().is_none_or(is_apart) {
                    extent.parts.push((offset, statements.session().clone()));
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
pub(super) struct Known(pub BTreeMap<TableName, Found>);

impl Known {
    /// Those of the file that --schema names.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    pub fn of_option(options: &SourceOptions) -> Result<Known> {
        let Some(path) = &options.schema else {
            return Ok(Known::default());
        };
        let input = Input::open(path, &options.file)?;
        let contents = read(&input, Session::default(), &Known::default())?;
        Ok(Known(contents.tables))
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
        found
            .map(|found| found.definition.clone())
            .unwrap_or_default()
    }
}

/// A part of the rows of a table.
pub(super) struct Part {
    pub input: Arc<Input>,
    pub extent: Extent,
}

/// The rows of one table in files of statements.
pub(super) struct Rows {
    pub name: TableName,
    pub layout: Layout,
    pub parts: Vec<Part>,
}

/// Some rows of a table.
struct Piece<'r> {
    input: &'r Input,
    /// Bytes of the files before this one.
    base: u64,
    start: u64,
    end: u64,
    /// What was set at the start.
    session: &'r Session,
}

impl Rows {
    /// What can be read at once, in the order of the files.
    fn pieces(&self) -> Vec<Piece<'_>> {
        let (mut pieces, mut base) = (Vec::new(), 0);
        for part in &self.parts {
            let starts = &part.extent.parts;
            let ends = starts.iter().skip(1).map(|(start, _)| *start);
            let ends = ends.chain([part.extent.end]);
            pieces.extend(
                starts
                    .iter()
                    .zip(ends)
                    .map(|((start, session), end)| Piece {
                        input: &part.input,
                        base,
                        start: *start,
                        end,
                        session,
                    }),
            );
            base += part.input.len();
        }
        pieces
    }

    /// Hands every row of a piece to `visit`, with its place: its offset in all the files that hold rows, one behind the other.
    fn visit(
        &self,
        piece: &Piece<'_>,
        visit: &mut dyn FnMut(Row<'_>, u64) -> Result<()>,
    ) -> Result<()> {
        let mut encoder: Option<(Option<Vec<String>>, Encoder)> = None;
        let base = piece.base;
        let mut statements = Statements::new(piece.input, piece.start, piece.session.clone());
        while statements.pos() < piece.end {
            // Blanks and comments may stand before the statement that the next piece starts with.
            let found = statements.next()?;
            let Some((offset, statement)) = found.filter(|(offset, _)| *offset < piece.end) else {
                break;
            };
            let Statement::Insert { name, columns } = statement else {
                continue;
            };
            if name != self.name {
                statements.skip_rows()?;
                continue;
            }
            let (_, encoder) = match &mut encoder {
                Some(known) if known.0 == columns => known,
                other => {
                    let made = self
                        .layout
                        .encoder(columns.as_deref())
                        .map_err(|stop| statements.error(offset, stop))?;
                    other.insert((columns, made))
                }
            };
            statements.rows(&mut |bytes, fields, offset| {
                let row = encoder.row(bytes, fields)?;
                visit(row, base + offset).map_err(Stop::Failed)
            })?;
        }
        Ok(())
    }
}

impl Unsorted for Rows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        self.layout.check()?;
        sorter.push_parts(&self.pieces(), |piece, sorter| {
            self.visit(piece, &mut |row, place| sorter.push(row, place))
        })
    }

    fn twice(&self) -> Twice {
        self.layout.twice()
    }

    fn show_place(&self, place: u64) -> String {
        let mut offset = place;
        for part in &self.parts {
            if offset < part.input.len() {
                let shown = show_place(&part.input, offset);
                return match self.parts.len() {
                    1 => shown,
                    _ => format!("{} {shown}", part.input.path().display()),
                };
            }
            offset -= part.input.len();
        }
        format!("offset {place}")
    }

    fn estimate(&self) -> Estimate {
        let file_bytes = self
            .parts
            .iter()
            .map(|part| part.extent.end - part.extent.start());
        let start = self.parts.first().map_or(0, |part| part.extent.start());
        estimate(file_bytes.sum(), |visit| {
            let mut pieces = self.pieces().into_iter();
            pieces.try_for_each(|piece| {
                self.visit(&piece, &mut |row, place| visit(row, place - start))
            })
        })
    }
}

/// Opens a file of statements.
///
/// # Errors
///
/// Damaged; Unsupported; Usage where options name columns that no table has.
pub(super) fn open(input: Input, options: &SourceOptions) -> Result<DumpSnapshot> {
    let contents = read(&input, Session::default(), &Known::of_option(options)?)?;
    let input = Arc::new(input);
    let found = contents
        .tables
        .into_iter()
        .map(|(name, found)| (name, found.definition, found.extent))
        .collect();
    let inputs = vec![input.clone()];
    let format = super::FORMAT.name;
    DumpSnapshot::new(
        format,
        inputs,
        contents.session,
        found,
        options,
        |name, layout, extent| {
            let part = |extent| Part {
                input: input.clone(),
                extent,
            };
            Rows {
                name,
                layout,
                parts: extent.map(part).into_iter().collect(),
            }
        },
    )
}
