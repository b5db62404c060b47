//! What tables a dump has, as its statements tell one after the other, and where their rows lie.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;

use super::ddl::{Column, Statement, TableDdl, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;

/// How many times the columns of one table all tables together may have.
const COLUMNS_FACTOR: u64 = 64;

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Where they lie.
    pub place: Place,
    /// How they are written.
    pub form: RowForm,
    /// The columns that each row has, where the section says.
    pub columns: Option<Vec<String>>,
    /// Whether a backslash in `'...'` is a plain character.
    pub standard_strings: bool,
}

/// Where rows lie.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Between these offsets of the file.
    Range(Range<u64>),
    /// In the chunks of a custom archive, the first of which starts here.
    Chunks(u64),
    /// In a file of its own.
    File(PathBuf),
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowForm {
    /// COPY text up to a line `\.`.
    Copy,
    /// INSERT statements.
    Insert,
}

/// A table with all that the dump says of it.
#[derive(Debug)]
pub(super) struct TableInfo {
    pub name: TableName,
    /// `None` where the dump has no CREATE TABLE of it.
    pub ddl: Option<TableDdl>,
    pub sections: Vec<Section>,
}

/// What statements have told so far.
#[derive(Debug)]
pub(super) struct Catalog {
    tables: Vec<TableInfo>,
    by_name: HashMap<TableName, usize>,
    /// Columns of types that tables may be of.
    types: HashMap<TableName, TableDdl>,
    /// The schema of names that tell none.
    pub schema: Option<String>,
    /// The encoding of all texts.
    pub encoding: Option<String>,
    /// Setting `standard_conforming_strings`.
    pub standard_strings: bool,
    /// Tables whose rows the dump has, though it may be none: comments say so.
    data_comments: HashSet<String>,
    sequences: u64,
    large_objects: bool,
    materialized_views: Vec<String>,
}

impl Catalog {
    pub fn new() -> Catalog {
        Catalog {
            tables: Vec::new(),
            by_name: HashMap::new(),
            types: HashMap::new(),
            schema: None,
            encoding: None,
            standard_strings: true,
            data_comments: HashSet::new(),
            sequences: 0,
            large_objects: false,
            materialized_views: Vec::new(),
        }
    }

    fn qualified(&self, name: TableName) -> TableName {
        TableName {
            schema: name.schema.or_else(|| self.schema.clone()),
            ..name
        }
    }

    fn table(&mut self, name: TableName) -> &mut TableInfo {
        let name = self.qualified(name);
        let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
            self.tables.push(TableInfo {
                name,
                ddl: None,
                sections: Vec::new(),
            });
            self.tables.len() - 1
        });
        // Entries are never taken out.
        #[allow(clippy::indexing_slicing)]
        &mut self.tables[at]
    }

    /// Takes in a statement.
    pub fn tell(&mut self, statement: Statement) {
        match statement {
            Statement::Table(name, mut ddl) => {
                ddl.parents = ddl.parents.into_iter().map(|p| self.qualified(p)).collect();
                self.table(name).ddl = Some(ddl);
            }
            Statement::Type(name, ddl) => {
                let name = self.qualified(name);
                self.types.insert(name, ddl);
            }
            Statement::Key(name, key) => {
                if let Some(ddl) = &mut self.table(name).ddl {
                    ddl.key = key;
                }
            }
            Statement::MaterializedView(name) => {
                let name = self.qualified(name).show();
                self.materialized_views.push(name);
            }
            Statement::Set(setting, value) => match setting.as_str() {
                "client_encoding" => self.encoding = Some(value),
                "standard_conforming_strings" => {
                    self.standard_strings = !matches!(value.as_str(), "off" | "false" | "0");
                }
                "search_path" => {
                    self.schema = Some(value).filter(|v| !v.is_empty() && v != "pg_catalog");
                }
                _ => {}
            },
            Statement::Call(function) => match function.as_str() {
                "setval" => self.sequences += 1,
                name if name.starts_with("lo_") || name == "lowrite" => self.large_objects = true,
                _ => {}
            },
            Statement::Copy(..) | Statement::OtherCopy | Statement::Other => {}
        }
    }

    /// Takes in the comment that a table's rows follow: `-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: ...`.
    pub fn tell_comment(&mut self, comment: &[u8]) {
        let text = String::from_utf8_lossy(comment);
        if let Some(end) = text.rfind("; Owner: ") {
            self.data_comments
                .insert(text.get(..end).unwrap_or_default().to_owned());
        }
    }

    /// Takes in that the dump has large objects.
    pub fn tell_large_objects(&mut self) {
        self.large_objects = true;
    }

    /// Takes in that a table has rows at a place.
    pub fn tell_rows(&mut self, name: TableName, section: Section) {
        self.table(name).sections.push(section);
    }

    /// The last section of a table.
    pub fn last_section(&mut self, name: &TableName) -> Option<&mut Section> {
        self.table(name.clone()).sections.last_mut()
    }

    /// Whether there is any table.
    pub fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    /// Whether any table has rows at a place.
    pub fn has_rows(&self) -> bool {
        self.tables.iter().any(|table| !table.sections.is_empty())
    }

    /// A table's columns in their order, the inherited ones first.
    fn columns(&self, at: usize) -> Vec<Column> {
        let mut columns = Columns::default();
        self.add_columns(at, &mut HashSet::new(), &mut columns);
        columns.list
    }

    /// `seen` are the tables whose columns are there already.
    fn add_columns(&self, at: usize, seen: &mut HashSet<usize>, out: &mut Columns) {
        let Some(ddl) = self.tables.get(at).and_then(|table| table.ddl.as_ref()) else {
            return;
        };
        if !seen.insert(at) {
            return;
        }
        for parent in &ddl.parents {
            if let Some(parent) = self.by_name.get(parent) {
                self.add_columns(*parent, seen, out);
            } else if let Some(parent) = self.types.get(parent) {
                parent.columns.iter().for_each(|column| out.add(column));
            }
        }
        ddl.columns.iter().for_each(|column| out.add(column));
    }

    /// Ends it: all tables that are declared, with rows or without.
    pub fn declared(self) -> Vec<Described> {
        let mut described = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            if let Some(ddl) = &table.ddl {
                described.push(Described {
                    name: table.name.clone(),
                    columns: self.columns(at),
                    key: ddl.key.clone(),
                    sections: Vec::new(),
                });
            }
        }
        described
    }

    /// Ends it: the tables whose rows the dump `input` has, ascending by name, and what there is to note.
    ///
    /// # Errors
    ///
    /// Limit, where there are more columns than any database has.
    pub fn finish(self, input: &Input) -> Result<(Vec<Described>, Vec<String>)> {
        let max = input.limits().columns_max;
        let check = |what, value: usize, max| match value as u64 > max {
            true => Err(Error::from(ErrorKind::Limit {
                path: input.path().to_owned(),
                offset: 0,
                what,
                value: value as u64,
                max,
            })),
            false => Ok(()),
        };
        let mut columns_of: Vec<Vec<Column>> = Vec::with_capacity(self.tables.len());
        let mut total = 0;
        for at in 0..self.tables.len() {
            let columns = self.columns(at);
            total += columns.len();
            check("columns", columns.len(), max)?;
            // Columns that many tables inherit could be more than the dump has bytes.
            check("columns", total, max.saturating_mul(COLUMNS_FACTOR))?;
            columns_of.push(columns);
        }
        let mut notes = Notes::default();
        let mut described = Vec::new();
        for (table, columns) in self.tables.into_iter().zip(columns_of) {
            let shown = table.name.show();
            let ddl = table.ddl.unwrap_or_default();
            let comment = format!(
                "-- Data for Name: {}; Type: TABLE DATA; Schema: {}",
                table.name.table,
                table.name.schema.as_deref().unwrap_or("-")
            );
            if table.sections.is_empty() && !self.data_comments.contains(&comment) {
                match (ddl.is_partitioned, ddl.is_foreign) {
                    (true, _) => {}
                    (_, true) => notes.foreign.push(shown),
                    _ => notes.without_data.push(shown),
                }
                continue;
            }
            for column in columns.iter().filter(|column| column.is_generated) {
                notes.generated.push(format!("{shown}.{}", column.name));
            }
            let columns = match table.sections.first() {
                // Only the data tell.
                Some(section) if columns.is_empty() => section
                    .columns
                    .iter()
                    .flatten()
                    .map(|name| Column {
                        name: name.clone(),
                        sql_type: String::new(),
                        is_generated: false,
                    })
                    .collect(),
                _ => columns,
            };
            described.push(Described {
                name: table.name,
                columns,
                key: ddl.key,
                sections: table.sections,
            });
        }
        described.sort_by_cached_key(|table| table.name.show());
        notes.views = self.materialized_views;
        notes.views.sort();
        notes.views.dedup();
        notes.sequences = self.sequences;
        notes.large_objects = self.large_objects;
        notes.encoding = self.encoding;
        Ok((described, notes.texts()))
    }
}

/// Columns in their order, each name once.
#[derive(Default)]
struct Columns {
    list: Vec<Column>,
    by_name: HashMap<String, usize>,
}

impl Columns {
    fn add(&mut self, column: &Column) {
        let next = self.list.len();
        let at = *self.by_name.entry(column.name.clone()).or_insert(next);
        match self.list.get_mut(at) {
            Some(other) => *other = column.clone(),
            None => self.list.push(column.clone()),
        }
    }
}

/// A table whose rows the dump has.
#[derive(Debug)]
pub(super) struct Described {
    pub name: TableName,
    /// All its columns in their order.
    pub columns: Vec<Column>,
    /// Those of its primary key; empty where it has none.
    pub key: Vec<String>,
    pub sections: Vec<Section>,
}

#[derive(Default)]
struct Notes {
    without_data: Vec<String>,
    foreign: Vec<String>,
    generated: Vec<String>,
    views: Vec<String>,
    sequences: u64,
    large_objects: bool,
    encoding: Option<String>,
}

impl Notes {
    fn texts(self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut list = |names: &[String], what: &str| {
            if !names.is_empty() {
                texts.push(format!("not compared: {what}: {}", shortened(names)));
            }
        };
        list(
            &self.without_data,
            "tables whose rows are not in the dump (of the schema only, or with excluded data)",
        );
        list(
            &self.foreign,
            "foreign tables, whose rows are on another server",
        );
        list(
            &self.views,
            "materialized views, which the server computes from other tables",
        );
        list(
            &self.generated,
            "generated columns, which the server computes from others",
        );
        if self.sequences > 0 {
            texts.push(format!(
                "not compared: the values of {} sequences",
                self.sequences
            ));
        }
        if self.large_objects {
            texts.push("not compared: large objects".into());
        }
        if let Some(encoding) = self.encoding.filter(|encoding| !is_utf8(encoding)) {
            texts.push(format!(
                "texts are in the encoding {encoding}, and are compared byte for byte: equal only to texts in the same encoding"
            ));
        }
        texts
    }
}

fn is_utf8(encoding: &str) -> bool {
    ["UTF8", "UTF-8", "UNICODE", "SQL_ASCII"]
        .iter()
        .any(|name| encoding.eq_ignore_ascii_case(name))
}

/// The first few names.
fn shortened(names: &[String]) -> String {
    const SHOWN_MAX: usize = 10;
    let shown = names.get(..SHOWN_MAX).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
