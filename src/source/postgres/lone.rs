//! Files of COPY on their own: rows in its text, CSV or binary form. They tell neither names nor types: a CREATE TABLE given with
//! `--schema` does; without it, columns have the numbers from 1 on, and values are as they stand in the file.

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::catalog::{Catalog, Described};
use super::copy_binary::{self, Decode, SIGNATURE};
use super::copy_csv::{self, CsvStyle};
use super::copy_text::{self, CopyStyle};
use super::cut;
use super::ddl::{Column, TableName, parse};
use super::layout::Layout;
use super::lexer::Lexer;
use super::snapshot::check_columns;
use super::window::{Where, Window, line_of};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::row::Schema;
use crate::source::sort::{SortOptions, Sorter, Twice};
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{
    Detected, Estimate, Format, Reader, RowWriter, Snapshot, SourceOptions, Table, TextOptions,
};

/// Files in COPY's text or binary form.
pub const FORMAT: Format = Format {
    name: "pgcopy",
    about: "rows as PostgreSQL's COPY writes them as text (by its name only) or binary",
    extensions: &[],
    reader: Reader::File {
        detect: |input| {
            let mut scratch = Vec::new();
            let head = input.head(SIGNATURE.len() as u64, &mut scratch)?;
            Ok(match head == SIGNATURE {
                true => Detected::Yes,
                false => Detected::No,
            })
        },
        open: |input, options| Ok(Box::new(Copied::open(input, options, false)?)),
    },
    create: None,
};

/// Files in COPY's CSV form.
pub const CSV_FORMAT: Format = Format {
    name: "pgcopy-csv",
    about: "rows as PostgreSQL's COPY writes them as CSV (by its name only)",
    extensions: &[],
    reader: Reader::File {
        detect: |_| Ok(Detected::No),
        open: |input, options| Ok(Box::new(Copied::open(input, options, true)?)),
    },
    create: None,
};

/// A file of COPY, and its one table.
struct Copied {
    format: &'static str,
    input: Arc<Input>,
    table: SortedTable<CopiedRows>,
}

struct CopiedRows {
    input: Arc<Input>,
    layout: Layout,
    form: Form,
    /// The columns of each row, in their order.
    columns: Vec<String>,
    /// Where the rows start: behind a header.
    start: u64,
}

enum Form {
    Text(CopyStyle),
    Csv(CsvStyle),
    Binary(Vec<Decode>),
}

impl Form {
    fn name(&self) -> &'static str {
        match self {
            Form::Text(_) => "text",
            Form::Csv(_) => "csv",
            Form::Binary(_) => "binary",
        }
    }
}

impl Copied {
    fn open(input: Input, options: &SourceOptions, is_csv: bool) -> Result<Copied> {
        let mut form = form_of(&input, &options.text, is_csv)?;
        let (header, start) = header(&input, &form, &options.text)?;
        let declared = match &options.schema {
            Some(path) => Some(declared(path, options)?),
            None => None,
        };
        let is_declared = declared.is_some();
        let table = match (declared, &header) {
            (Some(table), _) => table,
            (None, Some(names)) => unnamed(names.clone()),
            (None, None) => {
                let count = first_row_len(&input, &form)?
                    .unwrap_or_else(|| columns_named_by(&options.text));
                unnamed((1..=count).map(|number| number.to_string()).collect())
            }
        };
        let stored = table.columns.iter().filter(|column| !column.is_generated);
        let columns = header.unwrap_or_else(|| stored.map(|column| column.name.clone()).collect());
        let tables = [table];
        check_columns(&tables, &options.text, input.path())?;
        let [table] = tables;
        let layout = Layout::new(&table, &options.text)?;
        if let Form::Binary(decode) = &mut form {
            *decode = decodes(&layout, &columns, input.path())?;
        }
        let (name, schema) = match (is_declared, layout.schema(table.name.parts())) {
            (false, Schema::Columns { key, value, .. }) => {
                let sql = None;
                ("default".to_owned(), Schema::Columns { key, value, sql })
            }
            (_, schema) => (table.name.show(), schema),
        };
        let input = Arc::new(input);
        let sort = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path: input.path().to_owned(),
        };
        let rows = CopiedRows {
            input: Arc::clone(&input),
            layout,
            form,
            columns,
            start,
        };
        Ok(Copied {
            format: if is_csv { CSV_FORMAT.name } else { FORMAT.name },
            input,
            table: SortedTable::new(name, schema, sort, rows),
        })
    }
}

fn form_of(input: &Input, options: &TextOptions, is_csv: bool) -> Result<Form> {
    let mut scratch = Vec::new();
    let head = input.head(SIGNATURE.len() as u64, &mut scratch)?;
    let null = options.null.as_ref().map(|null| null.clone().into_bytes());
    Ok(if is_csv {
        Form::Csv(CsvStyle {
            delimiter: options.delimiter.unwrap_or(b','),
            null: null.unwrap_or_default(),
        })
    } else if head == SIGNATURE {
        Form::Binary(Vec::new())
    } else {
        let style = CopyStyle::default();
        Form::Text(CopyStyle {
            delimiter: options.delimiter.unwrap_or(style.delimiter),
            null: null.unwrap_or(style.null),
            needs_end_mark: false,
        })
    })
}

fn window(input: &Input, start: u64, is_text: bool) -> Window<'_> {
    let place = match is_text {
        true => Where::Text(input),
        false => Where::Binary,
    };
    Window::of_range(input, start, input.len(), place)
}

/// The names of the first line of CSV, unless it is a row, and where the rows start.
fn header(input: &Input, form: &Form, options: &TextOptions) -> Result<(Option<Vec<String>>, u64)> {
    let Form::Csv(style) = form else {
        return Ok((None, 0));
    };
    if options.no_header {
        return Ok((None, 0));
    }
    let mut window = window(input, 0, true);
    let mut fields = Vec::new();
    let Some(len) = copy_csv::record(&mut window, style, &mut fields)? else {
        return Err(window.damaged_here("no line with the names of columns"));
    };
    let mut scratch = Vec::new();
    let names = fields
        .iter()
        .map(|field| {
            let name = field.content(window.bytes(), &mut scratch);
            String::from_utf8(name.to_vec())
                .map_err(|_| window.damaged_here("a name of a column that is no UTF-8"))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((Some(names), len as u64))
}

/// Fields of the first row; `None` where there is none.
fn first_row_len(input: &Input, form: &Form) -> Result<Option<usize>> {
    match form {
        Form::Text(style) => {
            let mut window = window(input, 0, true);
            copy_text::first_row_len(&mut window, style)
        }
        Form::Csv(style) => {
            let mut window = window(input, 0, true);
            let mut fields = Vec::new();
            let record = copy_csv::record(&mut window, style, &mut fields)?;
            Ok(record.map(|_| fields.len()))
        }
        Form::Binary(_) => {
            let mut window = window(input, 0, false);
            copy_binary::read_head(&mut window)?;
            copy_binary::field_count(&mut window)
        }
    }
}

/// Columns that a table without a row has: those that options name by their numbers.
fn columns_named_by(options: &TextOptions) -> usize {
    let most = crate::limits::Limits::default().columns_max as usize;
    [
        &options.key,
        &options.usual_key,
        &options.columns,
        &options.ignore_columns,
    ]
    .into_iter()
    .flatten()
    .filter_map(|name| name.parse().ok())
    .fold(1, usize::max)
    .min(most)
}

/// A table of columns of which only the names are known; its key is the first one, if nobody says otherwise.
fn unnamed(names: Vec<String>) -> Described {
    let column = |name: String| Column {
        name,
        sql_type: String::new(),
        is_generated: false,
    };
    Described {
        name: TableName {
            schema: None,
            table: "default".into(),
        },
        key: names.first().cloned().into_iter().collect(),
        columns: names.into_iter().map(column).collect(),
        sections: Vec::new(),
    }
}

/// The one table that a file of SQL makes.
fn declared(path: &Path, options: &SourceOptions) -> Result<Described> {
    let mut catalog = Catalog::new();
    read_schema(path, options, &mut catalog)?;
    let mut tables = catalog.declared();
    match (tables.pop(), tables.len()) {
        (Some(table), 0) => Ok(table),
        (None, _) => Err(Error::usage(
            format!("{} has no CREATE TABLE", path.display()),
            "give the table's definition, as pg_dump -s -t TABLE prints it",
        )),
        (Some(_), more) => Err(Error::usage(
            format!(
                "{} makes {} tables, where that of one file's rows is wanted",
                path.display(),
                more + 1
            ),
            "give the table's definition alone, as pg_dump -s -t TABLE prints it",
        )),
    }
}

/// Takes in the definitions of a file of SQL.
///
/// # Errors
///
/// Those of reading it.
pub(super) fn read_schema(
    path: &Path,
    options: &SourceOptions,
    catalog: &mut Catalog,
) -> Result<()> {
    let input = Input::open(path, &options.file)?;
    let window = Window::of_range(&input, 0, input.len(), Where::Text(&input));
    let mut lexer = Lexer::new(window);
    loop {
        lexer.skip_blank()?;
        if lexer.byte(0)? == Some(b'\\') {
            // A line for psql.
            let len = lexer.line_feed(0)?.unwrap_or(lexer.bytes().len());
            lexer.consume(len);
            continue;
        }
        let Some(first) = lexer.token()? else {
            return input.check_unchanged();
        };
        if !first.is_symbol(b';') {
            let mut tokens = vec![first];
            lexer.statement(&mut tokens, true)?;
            catalog.tell(parse(&tokens));
        }
    }
}

/// How each of these columns is read; an error where the type of one that counts is not known.
fn decodes(layout: &Layout, columns: &[String], path: &Path) -> Result<Vec<Decode>> {
    columns
        .iter()
        .map(|name| {
            let at = layout
                .columns
                .iter()
                .position(|column| column.name == *name);
            let column = at.and_then(|at| layout.columns.get(at));
            let counts =
                at.is_some_and(|at| layout.key.contains(&at) || layout.value.contains(&at));
            let sql_type = column.map_or("", |column| column.sql_type.as_str());
            match Decode::of(sql_type) {
                Some(decode) => Ok(decode),
                None if !counts => Ok(Decode::Raw),
                None => Err(Error::unsupported(
                    path,
                    format!(
                        "column {name:?} is of type {sql_type}, whose binary form is not known"
                    ),
                    format!("leave it out with --ignore-columns {name}, or copy the table as text"),
                )),
            }
        })
        .collect()
}

impl CopiedRows {
    fn push_part(&self, part: Range<u64>, sorter: &mut Sorter<'_>) -> Result<()> {
        let place = match self.form {
            Form::Text(_) | Form::Csv(_) => Where::Text(&self.input),
            Form::Binary(_) => Where::Binary,
        };
        let mut window = Window::of_range(&self.input, part.start, part.end, place);
        let mut row = self.layout.builder(Some(&self.columns)).map_err(|column| {
            Error::usage(
                format!(
                    "{} and its schema have other columns: {column:?} is in one only",
                    self.input.path().display()
                ),
                "give the definition of the table that was copied, with --schema",
            )
        })?;
        let mut sink = |row: crate::row::Row<'_>, offset: u64| sorter.push(row, offset);
        match &self.form {
            Form::Text(style) => {
                let end = copy_text::read(&mut window, style, &mut row, &mut sink)?;
                copy_text::nothing_behind(&mut window, end, part.end == self.input.len())
            }
            Form::Csv(style) => copy_csv::read(&mut window, style, &mut row, &mut sink),
            Form::Binary(decode) => copy_binary::read(&mut window, decode, &mut row, &mut sink),
        }
    }
}

impl Unsorted for CopiedRows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        let all = self.start..self.input.len();
        let parts = match &self.form {
            Form::Text(_) => cut::at_rows(&self.input, all)?,
            Form::Csv(_) | Form::Binary(_) => vec![all],
        };
        sorter.push_parts(&parts, |part, sorter| {
            self.push_part(part.clone(), sorter)
                .map_err(|error| self.input.explain(error))
        })
    }

    fn twice(&self) -> Twice {
        self.layout.twice()
    }

    fn show_place(&self, place: u64) -> String {
        match self.form {
            Form::Binary(_) => format!("offset {place}"),
            _ => match line_of(&self.input, place) {
                Ok(line) => format!("line {line}, offset {place}"),
                Err(_) => format!("offset {place}"),
            },
        }
    }

    fn estimate(&self) -> Estimate {
        let bytes = self.input.len();
        Estimate {
            rows: bytes / 200,
            bytes,
            file_bytes: bytes,
        }
    }
}

impl Snapshot for Copied {
    fn format(&self) -> &'static str {
        self.format
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![&self.table]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged()
    }

    fn describe(&self) -> Vec<(String, String)> {
        vec![
            ("bytes".into(), self.input.len().to_string()),
            ("form".into(), self.table.rows().form.name().into()),
        ]
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "mdiff does not write files of PostgreSQL's COPY",
            "convert to .csv, or print what a patch does with: mdiff cat PATCH --format sql",
        ))
    }
}
