//! What SQLite says, as errors of this crate.

use std::io;

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, Error as SqliteError};

use crate::error::{Error, Result};
use crate::file::input::Input;

/// Where something failed.
pub struct Place<'a> {
    input: &'a Input,
    /// The table that was read, and the connection, which can look closer.
    table: Option<(&'a str, &'a Connection)>,
}

impl<'a> Place<'a> {
    /// Somewhere in the database.
    pub fn of(input: &'a Input) -> Place<'a> {
        Place { input, table: None }
    }

    /// In a table of it.
    pub fn in_table(input: &'a Input, table: &'a str, connection: &'a Connection) -> Place<'a> {
        Place {
            input,
            table: Some((table, connection)),
        }
    }
}

/// Turns an error of SQLite into one of ours. A file that changed explains whatever else was seen in it.
pub fn explain(error: &SqliteError, place: &Place<'_>) -> Error {
    let path = place.input.path();
    let says = match error {
        SqliteError::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    let of_table = place
        .table
        .map_or_else(String::new, |(name, _)| format!("table {name:?}: "));
    let error = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::unsupported(
            path,
            format!("SQLite says: {says}"),
            "an encrypted database must be decrypted first; a damaged one restored from another copy",
        ),
        Some(ErrorCode::DatabaseCorrupt) => {
            damaged(place, &format!("{of_table}SQLite says: {says}"))
        }
        Some(ErrorCode::SystemIoFailure) if is_short_read(error) => damaged(
            place,
            &format!("{of_table}the file ends inside a page (SQLite says: {says})"),
        ),
        Some(ErrorCode::TooBig) => Error::unsupported(
            path,
            format!(
                "{of_table}a row is longer than the {} bytes of the limit record-bytes",
                place.input.limits().record_bytes_max
            ),
            "if the file is sound, raise the limit with --cap record-bytes=N",
        ),
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked,
        ) => Error::io(
            "reading",
            path,
            io::Error::other(format!("{of_table}SQLite says: {says}")),
        ),
        _ => Error::unsupported(
            path,
            format!("{of_table}SQLite says: {says}"),
            "see whether the sqlite3 tool can read it, and export what it reads",
        ),
    };
    place.input.explain(error)
}

fn is_short_read(error: &SqliteError) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    extended == Some(rusqlite::ffi::SQLITE_IOERR_SHORT_READ)
}

/// Damage, with the place of the page if SQLite's own check of the table finds it.
fn damaged(place: &Place<'_>, what: &str) -> Error {
    let found = place
        .table
        .and_then(|(table, connection)| check(connection, table).ok().flatten());
    match found {
        Some((offset, finding)) => Error::damaged(
            place.input.path(),
            offset,
            format!("{what}; its check says {finding:?}, of the page"),
        ),
        None => Error::damaged(place.input.path(), 0, what),
    }
}

/// What is wrong with a table, and the offset of the page where.
fn check(connection: &Connection, table: &str) -> Result<Option<(u64, String)>, SqliteError> {
    let page_bytes: u64 =
        connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))? as u64;
    let mut findings = connection.prepare("SELECT quick_check FROM pragma_quick_check(?)")?;
    let mut rows = findings.query([table])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        for line in text.lines() {
            if let Some(page) = page_of(line) {
                let offset = page.saturating_sub(1).saturating_mul(page_bytes);
                return Ok(Some((offset, line.to_owned())));
            }
        }
    }
    Ok(None)
}

/// The page that a finding such as `Tree 3 page 6 cell 1: ...` is about.
fn page_of(finding: &str) -> Option<u64> {
    let mut words = finding.split([' ', ':']);
    words.find(|word| word.eq_ignore_ascii_case("page"))?;
    words.next()?.parse().ok()
}
