//! The statements of a dump, one after the other: what each does to tables and rows.

use memchr::{memchr, memchr2, memchr3, memmem};

use super::create::{self, Definition};
use super::lex::{Lexer, Quoting, Stop, Token, conditional, quoted};
use super::session::{Session, set};
use super::values::{Field, tuple};
use super::window::{Window, first_part};
use crate::error::{Error, Result};
use crate::file::input::Input;

/// Longest statement that is no INSERT: what is made of its words takes some memory for each.
const STATEMENT_BYTES_MAX: usize = 16 << 20;

/// A table, and its database where one is named or in use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableName {
    pub database: Option<String>,
    pub table: String,
}

/// What a statement does.
#[derive(Debug)]
pub(super) enum Statement {
    /// Makes a table.
    Create {
        name: TableName,
        definition: Definition,
        if_not_exists: bool,
    },
    /// Removes tables or views, or makes a view in place of a table that stood for it.
    Drop(Vec<TableName>),
    /// Gives a table its primary key.
    AddPrimary(TableName, Vec<String>),
    /// Puts rows into a table; these follow, for [`Statements::rows`] or [`Statements::skip_rows`].
    Insert {
        name: TableName,
        columns: Option<Vec<String>>,
    },
}

/// One step through the text.
enum Unit {
    Statement(Statement),
    /// Nothing that concerns rows.
    Nothing,
    /// Nothing is left.
    End,
}

/// Takes a row: the bytes that its fields lie in, the fields, its offset.
type VisitFields<'v> = &'v mut dyn FnMut(&[u8], &[Field], u64) -> Result<(), Stop>;

/// Walks the statements of a text.
pub(super) struct Statements<'i> {
    window: Window<'i>,
    session: Session,
    columns_max: u64,
}

impl<'i> Statements<'i> {
    /// From an offset on, with what was set before it.
    pub fn new(input: &'i Input, offset: u64, session: Session) -> Statements<'i> {
        Statements {
            window: Window::new(input, offset),
            session,
            columns_max: input.limits().columns_max,
        }
    }

    /// Offset of what is read next.
    pub fn pos(&self) -> u64 {
        self.window.pos()
    }

    /// What was set so far.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The next statement that concerns tables or rows, and its offset.
    ///
    /// # Errors
    ///
    /// Damaged, also where a dump lacks its end; Unsupported for what changes rows in a way that can't be followed.
    pub fn next(&mut self) -> Result<Option<(u64, Statement)>> {
        loop {
            let start = self.window.pos();
            let (session, columns_max) = (&mut self.session, self.columns_max);
            let found = self.window.parse("a statement", |bytes, may_go_on| {
                unit(bytes, may_go_on, session, columns_max)
            })?;
            match found {
                Unit::Statement(statement) => return Ok(Some((start, statement))),
                Unit::Nothing => {}
                Unit::End => break,
            }
        }
        if self.session.lacks_end {
            let what = "the dump ends without the line \"-- Dump completed\"";
            return Err(self.window.damaged(self.window.pos(), what));
        }
        Ok(None)
    }

    /// The error for a text that is wrong at an offset.
    pub fn damaged(&self, offset: u64, what: &str) -> Error {
        self.window.damaged(offset, what)
    }

    /// The error for a statement at an offset.
    pub fn error(&self, offset: u64, stop: Stop) -> Error {
        self.window.error(offset, stop)
    }

    /// Passes over the rows of an INSERT.
    ///
    /// # Errors
    ///
    /// Damaged where they do not end.
    pub fn skip_rows(&mut self) -> Result<()> {
        let plain = self.session.quoting.plain_backslash;
        let mut quote = None;
        loop {
            let is_over = self
                .window
                .parse("the rows of an INSERT", |bytes, may_go_on| {
                    let (part, goes_on) = first_part(bytes, may_go_on);
                    skip_rows(part, goes_on, plain, &mut quote)
                })?;
            if is_over {
                return Ok(());
            }
        }
    }

    /// Hands each row of an INSERT to `visit`.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported for values that are not constants; those of `visit`.
    pub fn rows(&mut self, visit: VisitFields<'_>) -> Result<()> {
        let (quoting, columns_max) = (self.session.quoting, self.columns_max);
        let mut fields = Vec::new();
        loop {
            let offset = self.window.pos();
            let is_last = self.window.parse("a row", |bytes, may_go_on| {
                let end = tuple(bytes, quoting, columns_max, &mut fields)?;
                let (next, is_last) = row_end(bytes, end, may_go_on)?;
                visit(bytes, &fields, offset)?;
                Ok((is_last, next))
            })?;
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What follows a row: the position of the next one, or behind the statement.
fn row_end(bytes: &[u8], end: usize, may_go_on: bool) -> Result<(usize, bool), Stop> {
    let blank = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
    let after = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        let skipped = rest.iter().position(|b| !blank(b));
        match skipped {
            Some(len) => Ok(at + len),
            None if may_go_on => Err(Stop::Incomplete),
            None => Ok(bytes.len()),
        }
    };
    let at = after(end)?;
    match bytes.get(at) {
        Some(b',') => Ok((after(at + 1)?, false)),
        Some(b';') => Ok((at + 1, true)),
        None => Err(Stop::Incomplete),
        _ if bytes
            .get(at..at + 2)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"ON")) =>
        {
            Err(Stop::refused(
                "an INSERT that may update rows instead",
                "load the script into a server and dump the database",
            ))
        }
        _ => Err(Stop::flaw(
            at,
            "a row is followed by neither a comma nor a semicolon",
        )),
    }
}

/// Passes over rows as far as bytes are at hand. `quote` is the one inside of which they ended. Returns whether the statement is over.
fn skip_rows(
    bytes: &[u8],
    may_go_on: bool,
    plain_backslash: bool,
    quote: &mut Option<u8>,
) -> Result<(bool, usize), Stop> {
    let mut pos = 0;
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        if let Some(open) = *quote {
            let found = if plain_backslash {
                memchr(open, rest)
            } else {
                memchr2(open, b'\\', rest)
            };
            match found.map(|at| (at, rest.get(at..).unwrap_or_default())) {
                Some((at, [byte, ..])) if *byte == open => {
                    *quote = None;
                    pos += at + 1;
                }
                Some((at, [_, _, ..])) => pos += at + 2,
                // A backslash whose other half is not at hand.
                Some((at, _)) if may_go_on && pos + at > 0 => return Ok((false, pos + at)),
                None if may_go_on && !bytes.is_empty() => return Ok((false, bytes.len())),
                _ => return Err(Stop::Incomplete),
            }
        } else {
            match memchr3(b'\'', b'"', b';', rest) {
                Some(at) if rest.get(at) == Some(&b';') => return Ok((true, pos + at + 1)),
                Some(at) => {
                    *quote = rest.get(at).copied();
                    pos += at + 1;
                }
                None if may_go_on && !bytes.is_empty() => return Ok((false, bytes.len())),
                None => return Err(Stop::Incomplete),
            }
        }
    }
}

/// Reads one unit: a run of blanks, a comment, a statement, or that of an INSERT which stands before its rows.
fn unit(
    bytes: &[u8],
    may_go_on: bool,
    session: &mut Session,
    columns_max: u64,
) -> Result<(Unit, usize), Stop> {
    let blanks = bytes
        .iter()
        .position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))
        .unwrap_or(bytes.len());
    if blanks > 0 {
        return Ok((Unit::Nothing, blanks));
    }
    if bytes.is_empty() {
        return match may_go_on {
            true => Err(Stop::Incomplete),
            false => Ok((Unit::End, 0)),
        };
    }
    if bytes.len() < 3 && may_go_on {
        return Err(Stop::Incomplete);
    }
    if let [b'#', ..] | [b'-', b'-', b' ' | b'\t' | b'\r' | b'\n', ..] | [b'-', b'-'] = bytes {
        let len = match memchr(b'\n', bytes) {
            Some(len) => len + 1,
            None if may_go_on => return Err(Stop::Incomplete),
            None => bytes.len(),
        };
        session.note_comment(bytes.get(..len).unwrap_or_default());
        return Ok((Unit::Nothing, len));
    }
    if let [b'/', b'*', after @ ..] = bytes
        && conditional(after, may_go_on)?.is_none()
    {
        let len = memmem::find(after, b"*/").ok_or(Stop::Incomplete)?;
        return Ok((Unit::Nothing, len + 4));
    }
    let lexer = Lexer::of_part(bytes, session.quoting, may_go_on);
    let first = lexer.peek()?;
    if first.is("DELIMITER") {
        let Some(len) = memchr(b'\n', bytes) else {
            return Err(Stop::Incomplete);
        };
        let line = bytes.get(..len).unwrap_or_default();
        let delimiter = line.get(9..).unwrap_or_default().trim_ascii();
        if delimiter.is_empty() {
            return Err(Stop::flaw(0, "a DELIMITER of nothing"));
        }
        session.delimiter = delimiter.to_vec();
        return Ok((Unit::Nothing, len + 1));
    }
    if first.is_any(&["INSERT", "REPLACE"]) {
        return insert(lexer, session, columns_max);
    }
    let end = statement_end(bytes, session.quoting, &session.delimiter, may_go_on)?;
    let text = bytes.get(..end).unwrap_or_default();
    let unit = statement(text, session, columns_max)?;
    Ok((unit, end + session.delimiter.len()))
}

/// Reads an INSERT up to its rows.
fn insert(
    mut lexer: Lexer<'_>,
    session: &Session,
    columns_max: u64,
) -> Result<(Unit, usize), Stop> {
    if session.delimiter != b";" {
        return Err(Stop::refused(
            "rows are put into a table under another delimiter",
            "dump the database with mysqldump or mariadb-dump",
        ));
    }
    lexer.next()?;
    while lexer
        .peek()?
        .is_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"])
    {
        lexer.next()?;
    }
    let name = table_name(&mut lexer, session)?;
    let columns = match lexer.take_sign(b'(')? {
        true if lexer.take_sign(b')')? => Some(Vec::new()),
        true => Some(names(&mut lexer, columns_max)?),
        false => None,
    };
    let at = lexer.pos();
    if !lexer.next()?.is_any(&["VALUES", "VALUE"]) {
        return Err(Stop::refused(
            format!(
                "{:?} is filled from something that is no list of rows",
                name.table
            ),
            "load the script into a server and dump the database",
        ));
    }
    lexer.skip_blanks()?;
    if lexer.peek()? != Token::Sign(b'(') {
        return Err(Stop::flaw(at, "no row follows VALUES"));
    }
    let insert = Statement::Insert { name, columns };
    Ok((Unit::Statement(insert), lexer.pos()))
}

/// Reads names separated by commas, and the parenthesis behind them.
fn names(lexer: &mut Lexer<'_>, max: u64) -> Result<Vec<String>, Stop> {
    let mut names = Vec::new();
    loop {
        if names.len() as u64 == max {
            return Err(Stop::flaw(
                lexer.pos(),
                format!("more than {max} columns are named"),
            ));
        }
        names.push(lexer.name()?);
        match lexer.next()? {
            Token::Sign(b',') => {}
            Token::Sign(b')') => return Ok(names),
            _ => {
                return Err(Stop::flaw(
                    lexer.pos(),
                    "a list of names is spelled strangely",
                ));
            }
        }
    }
}

fn table_name(lexer: &mut Lexer<'_>, session: &Session) -> Result<TableName, Stop> {
    let (database, table) = lexer.table_name()?;
    Ok(TableName {
        database: database.or_else(|| session.database.clone()),
        table,
    })
}

/// Position of the delimiter that ends the statement in front.
fn statement_end(
    bytes: &[u8],
    quoting: Quoting,
    delimiter: &[u8],
    may_go_on: bool,
) -> Result<usize, Stop> {
    let mut pos = 0;
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        if rest.len() < delimiter.len().max(3) && may_go_on {
            return Err(Stop::Incomplete);
        }
        if rest.starts_with(delimiter) {
            return Ok(pos);
        }
        match rest {
            [] => return Err(Stop::Incomplete),
            [quote @ (b'\'' | b'"' | b'`'), ..] => {
                let is_name = *quote == b'`' || (*quote == b'"' && quoting.ansi);
                pos = quoted(bytes, pos, is_name || quoting.plain_backslash)?.next;
            }
            [b'#', ..] | [b'-', b'-', b' ' | b'\t' | b'\r' | b'\n', ..] => {
                pos += memchr(b'\n', rest).ok_or(Stop::Incomplete)?;
            }
            [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', ..] => pos += 2,
            [b'/', b'*', after @ ..] => {
                pos += memmem::find(after, b"*/").ok_or(Stop::Incomplete)? + 4;
            }
            _ => pos += 1,
        }
    }
}

/// Reads a whole statement that is no INSERT.
fn statement(text: &[u8], session: &mut Session, columns_max: u64) -> Result<Unit, Stop> {
    if text.len() > STATEMENT_BYTES_MAX {
        return Err(Stop::flaw(
            0,
            format!("a statement without rows of {} bytes", text.len()),
        ));
    }
    let mut lexer = Lexer::new(text, session.quoting);
    let first = lexer.next()?;
    let Token::Word(word) = first else {
        return match first {
            Token::End => Ok(Unit::Nothing),
            _ => Err(Stop::flaw(0, "a statement starts with no word")),
        };
    };
    let word = word.to_ascii_uppercase();
    match word.as_slice() {
        b"SET" => {
            set(&mut lexer, session)?;
            Ok(Unit::Nothing)
        }
        b"USE" => {
            session.database = Some(lexer.name()?);
            Ok(Unit::Nothing)
        }
        b"CREATE" => create(lexer, text, session, columns_max),
        b"DROP" => drop(lexer, session),
        b"ALTER" => alter(lexer, session),
        b"LOCK" | b"UNLOCK" | b"BEGIN" | b"START" | b"COMMIT" | b"FLUSH" | b"ANALYZE"
        | b"CHANGE" | b"STOP" | b"RESET" | b"GRANT" | b"REVOKE" | b"SELECT" | b"SHOW"
        | b"INSTALL" => Ok(Unit::Nothing),
        // mariadb-dump --system=all
        b"DO" | b"EXECUTE" | b"PREPARE" | b"DEALLOCATE" => Ok(Unit::Nothing),
        other => Err(Stop::refused(
            format!(
                "a statement {} is not of those that dumps are made of",
                crate::row::escape(other)
            ),
            "load the script into a server and dump the database with mysqldump or mariadb-dump",
        )),
    }
}

fn create(
    mut lexer: Lexer<'_>,
    text: &[u8],
    session: &Session,
    columns_max: u64,
) -> Result<Unit, Stop> {
    let mut is_replaced = false;
    loop {
        let word = lexer.next()?;
        if word.is("TABLE") {
            break;
        }
        if word.is("VIEW") {
            let view = table_name(&mut lexer, session)?;
            return Ok(Unit::Statement(Statement::Drop(vec![view])));
        }
        is_replaced |= word.is("REPLACE");
        let is_other = word.is_any(&[
            "DATABASE",
            "SCHEMA",
            "TRIGGER",
            "FUNCTION",
            "PROCEDURE",
            "EVENT",
            "SEQUENCE",
            "USER",
            "ROLE",
            "PACKAGE",
            "SERVER",
            "INDEX",
            "UNIQUE",
            "FULLTEXT",
            "LOGFILE",
            "TABLESPACE",
            "AGGREGATE",
        ]);
        if is_other || word == Token::End {
            return Ok(Unit::Nothing);
        }
    }
    let if_not_exists = lexer.take_word("IF")?;
    if if_not_exists {
        lexer.next()?;
        lexer.next()?;
    }
    let name = table_name(&mut lexer, session)?;
    let definition = create::definition(&mut lexer, text, columns_max)?;
    if is_replaced {
        return Err(Stop::refused(
            format!("the table {:?} is created in place of another", name.table),
            "dump with --add-drop-table",
        ));
    }
    Ok(Unit::Statement(Statement::Create {
        name,
        definition,
        if_not_exists,
    }))
}

fn drop(mut lexer: Lexer<'_>, session: &Session) -> Result<Unit, Stop> {
    lexer.take_word("TEMPORARY")?;
    if !lexer.next()?.is_any(&["TABLE", "TABLES", "VIEW"]) {
        return Ok(Unit::Nothing);
    }
    if lexer.take_word("IF")? {
        lexer.next()?;
    }
    let mut tables = Vec::new();
    loop {
        tables.push(table_name(&mut lexer, session)?);
        if !lexer.take_sign(b',')? {
            return Ok(Unit::Statement(Statement::Drop(tables)));
        }
    }
}

fn alter(mut lexer: Lexer<'_>, session: &Session) -> Result<Unit, Stop> {
    lexer.take_word("IGNORE")?;
    if !lexer.next()?.is("TABLE") {
        return Ok(Unit::Nothing);
    }
    let table = table_name(&mut lexer, session)?;
    Ok(match create::alteration(&mut lexer)? {
        Some(primary) => Unit::Statement(Statement::AddPrimary(table, primary)),
        None => Unit::Nothing,
    })
}
