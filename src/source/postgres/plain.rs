//! Plain dumps: scripts for psql. One pass finds the tables and where their rows lie.

use memchr::memmem;

use super::catalog::{Catalog, Place, RowForm, Section};
use super::ddl::{Statement, TableName, parse};
use super::insert;
use super::lexer::{Lexer, Token};
use super::window::{Where, Window};
use crate::error::{Error, Result};
use crate::file::input::Input;

/// How a dump begins.
const HEADS: [&[u8]; 2] = [
    b"-- PostgreSQL database dump\n",
    b"-- PostgreSQL database cluster dump\n",
];

/// Whether the first bytes of a file are those of a plain dump.
pub(super) fn is_dump(head: &[u8]) -> bool {
    let head: Vec<u8> = head.iter().filter(|b| **b != b'\r').copied().collect();
    HEADS
        .iter()
        .any(|line| memmem::find(&head, line).is_some_and(|at| is_blank_text(head.get(..at))))
}

/// Whether nothing but empty comments and white space stands there.
fn is_blank_text(text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| text.iter().all(|b| b.is_ascii_whitespace() || *b == b'-'))
}

/// Finds the tables of a plain dump.
///
/// # Errors
///
/// Those of reading; Damaged where the text ends too early; Unsupported for what can't be read faithfully.
pub(super) fn read(input: &Input, catalog: &mut Catalog) -> Result<()> {
    let window = Window::of_range(input, 0, input.len(), Where::Text(input));
    let mut reader = Reader {
        lexer: Lexer::new(window),
        catalog,
        head: Vec::new(),
        table: None,
        dumps_open: 0,
        was_dump: false,
        connected: false,
    };
    if reader.lexer.starts_with(b"\xef\xbb\xbf")? {
        reader.lexer.consume(3);
    }
    while reader.step()? {}
    if !reader.was_dump && !reader.catalog.has_tables() {
        return Err(Error::unsupported(
            input.path(),
            "a text without the head of a dump by pg_dump, and without a table",
            "leave --format out to have the format found",
        ));
    }
    if reader.dumps_open > 0 {
        return Err(reader.lexer.damaged_here(
            "no comment \"PostgreSQL database dump complete\" at the end: the dump is not complete",
        ));
    }
    Ok(())
}

struct Reader<'r, 'a> {
    lexer: Lexer<'a>,
    catalog: &'r mut Catalog,
    /// The INSERT before this statement up to its rows, and its table: most are followed by another of the same.
    head: Vec<u8>,
    table: Option<TableName>,
    /// Dumps begun and not yet told to be complete.
    dumps_open: u64,
    was_dump: bool,
    /// Whether psql went to another database since there were rows.
    connected: bool,
}

impl Reader<'_, '_> {
    /// Reads a statement, and the rows behind it; false at the end.
    fn step(&mut self) -> Result<bool> {
        self.lexer.skip_blank()?;
        self.take_comments()?;
        let start = self.lexer.offset();
        match self.lexer.byte(0)? {
            None => return Ok(false),
            Some(b'\\') => return self.meta_command().map(|()| true),
            Some(b';') => {
                self.lexer.consume(1);
                return Ok(true);
            }
            _ => {}
        }
        self.lexer.standard_strings = self.catalog.standard_strings;
        if !self.head.is_empty() && self.lexer.starts_with(&self.head)? {
            self.lexer.consume(self.head.len());
            return self.rows_of_insert().map(|()| true);
        }
        self.lexer.ensure(7)?;
        let ahead = self.lexer.bytes().get(..7).unwrap_or_default();
        if ahead.eq_ignore_ascii_case(b"insert ") {
            self.insert(start)?;
            return Ok(true);
        }
        // What comes behind another statement is not of the same section.
        self.head.clear();
        self.table = None;
        let Some(first) = self.lexer.token()? else {
            return Ok(false);
        };
        let keep = ["create", "alter", "copy", "set", "select"]
            .iter()
            .any(|word| first.is(word));
        let mut tokens: Vec<Token> = vec![first];
        self.lexer.statement(&mut tokens, keep)?;
        match parse(&tokens) {
            Statement::Copy(name, columns) => self.copy(name, columns)?,
            Statement::OtherCopy => {
                return Err(self.lexer.unsupported(
                    "a COPY statement that pg_dump does not write",
                    "mdiff reads COPY table (columns) FROM stdin; and its rows in COPY's text form",
                ));
            }
            other => self.catalog.tell(other),
        }
        Ok(true)
    }

    fn take_comments(&mut self) -> Result<()> {
        for comment in std::mem::take(&mut self.lexer.comments) {
            if !comment.starts_with(b"-- PostgreSQL database ") {
                self.catalog.tell_comment(&comment);
            } else if comment.ends_with(b" dump") {
                self.dumps_open += 1;
                self.was_dump = true;
            } else if comment.ends_with(b" dump complete") {
                self.dumps_open = self.dumps_open.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// A line for psql itself: `\restrict`, `\connect` and the like.
    fn meta_command(&mut self) -> Result<()> {
        let len = match self.lexer.line_feed(0)? {
            Some(at) => at,
            None => self.lexer.bytes().len(),
        };
        let line = self.lexer.bytes().get(..len).unwrap_or_default();
        if line.starts_with(b"\\c") && self.catalog.has_rows() {
            self.connected = true;
        }
        self.lexer.consume(len);
        Ok(())
    }

    /// Refuses rows of a second database: its tables may have the names of the first one's.
    fn check_database(&self) -> Result<(), Error> {
        match self.connected {
            false => Ok(()),
            true => Err(self.lexer.unsupported(
                "a dump of several databases",
                "dump each database to a file of its own, with pg_dump",
            )),
        }
    }

    fn copy(&mut self, name: TableName, columns: Option<Vec<String>>) -> Result<()> {
        self.check_database()?;
        let len = self.lexer.line_feed(0)?;
        let rest = self.lexer.bytes().get(..len.unwrap_or(0));
        let is_blank = rest.is_some_and(|rest| rest.iter().all(u8::is_ascii_whitespace));
        let Some(len) = len.filter(|_| is_blank) else {
            return Err(self
                .lexer
                .damaged_here("no line end behind COPY ... FROM stdin;"));
        };
        self.lexer.consume(len + 1);
        let start = self.lexer.offset();
        self.skip_copy_rows(&name)?;
        let section = Section {
            place: Place::Range(start..self.lexer.offset()),
            form: RowForm::Copy,
            columns,
            standard_strings: true,
        };
        self.catalog.tell_rows(name, section);
        Ok(())
    }

    /// Passes over rows and the end mark behind them.
    fn skip_copy_rows(&mut self, name: &TableName) -> Result<()> {
        let start = self.lexer.offset();
        let finder = memmem::Finder::new(b"\n\\.");
        loop {
            // Here a line starts.
            self.lexer.ensure(4)?;
            let line = self.lexer.bytes();
            let is_end_mark = match line.strip_prefix(b"\\.") {
                Some(rest) => matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r']),
                None => false,
            };
            if is_end_mark {
                self.lexer.consume(2);
                return Ok(());
            }
            loop {
                let bytes = self.lexer.bytes();
                if let Some(at) = finder.find(bytes) {
                    self.lexer.consume(at + 1);
                    break;
                }
                let len = bytes.len().saturating_sub(2);
                self.lexer.consume(len);
                if !self.lexer.fill()? {
                    return Err(self.lexer.damaged(
                        start,
                        format!(
                            "the rows of {} end without a line \\. behind them: the dump is not complete",
                            name.show()
                        ),
                    ));
                }
            }
        }
    }

    fn insert(&mut self, start: u64) -> Result<()> {
        let mut head = Vec::new();
        let (name, columns) = insert::read_head(&mut self.lexer, &mut head)?;
        self.check_database()?;
        self.head = head;
        let is_more = self.table.as_ref() == Some(&name)
            && (self.catalog.last_section(&name)).is_some_and(|last| last.columns == columns);
        if !is_more {
            let section = Section {
                place: Place::Range(start..start),
                form: RowForm::Insert,
                columns,
                standard_strings: self.catalog.standard_strings,
            };
            self.catalog.tell_rows(name.clone(), section);
            self.table = Some(name);
        }
        self.rows_of_insert()
    }

    /// Passes over the rows of an INSERT, and adds them to its table's.
    fn rows_of_insert(&mut self) -> Result<()> {
        insert::skip_rows(&mut self.lexer)?;
        let end = self.lexer.offset();
        if let Some(name) = &self.table
            && let Some(section) = self.catalog.last_section(name)
            && let Place::Range(range) = &mut section.place
        {
            range.end = end;
        }
        Ok(())
    }
}
