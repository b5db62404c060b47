//! Dumps of MySQL and MariaDB.
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod create;
mod dump;
mod layout;
mod lex;
mod session;
mod statements;
mod tab;
mod values;
mod window;
mod xml;

/// A file of SQL statements.
pub const FORMAT: Format = Format {
    name: "mysql",
    about: "SQL dumps of MySQL and MariaDB (mysqldump, mariadb-dump)",
    extensions: &["sql"],
    reader: Reader::File { detect, open },
    create: None,
};

/// Known by what the tools write in front, and by names in backquotes.
fn detect(input: &Input) -> Result<Detected> {
    let mut scratch = Vec::new();
    let head = input.head(16 << 10, &mut scratch)?;
    let has = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    let starts = |text: &[u8]| head.trim_ascii_start().starts_with(text);
    if starts(b"PRAGMA ") || has(b"\0") && !has(b"INSERT INTO") {
        return Ok(Detected::No);
    }
    let is_dump = ["-- MySQL dump ", "-- MariaDB dump ", "/*!40", "/*!50", "/*M!"]
        .iter()
        .any(|mark| starts(mark.as_bytes()))
        || ["CREATE TABLE `", "CREATE TABLE IF NOT EXISTS `", "INSERT INTO `", "\n-- MySQL dump ", "\n-- MariaDB dump "]
            .iter()
            .any(|mark| has(mark.as_bytes()));
    Ok(match is_dump {
        true => Detected::Yes,
        false => Detected::Maybe,
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(dump::Dump::open(input, options)?))
}

/// The error for whoever wants a dump written.
fn refuse_to_write() -> Error {
    Error::usage(
        "dumps of MySQL can't be written",
        "mend the rows with statements (mdiff cat PATCH --format sql), or turn them into another format with mdiff convert",
    )
}
