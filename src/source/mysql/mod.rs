//! Dumps of MySQL and MariaDB.
use std::path::Path;

use crate::error::Result;
use crate::file::input::Input;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod create;
mod dump;
mod folder;
mod layout;
mod lex;
mod session;
mod snapshot;
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

/// A file of XML.
pub const XML_FORMAT: Format = Format {
    name: "mysql-xml",
    about: "XML of mysqldump --xml and mariadb-dump --xml",
    extensions: &["xml"],
    reader: Reader::File {
        detect: xml::detect,
        open: open_xml,
    },
    create: None,
};

/// A folder of files.
pub const FOLDER_FORMAT: Format = Format {
    name: "mysql-folder",
    about: "folders of mysqldump --tab and of MyDumper",
    extensions: &[],
    reader: Reader::Folder {
        detect: folder::detect,
        open: open_folder,
    },
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
    let is_dump = [
        "-- MySQL dump ",
        "-- MariaDB dump ",
        "/*!40",
        "/*!50",
        "/*M!",
    ]
    .iter()
    .any(|mark| starts(mark.as_bytes()))
        || [
            "CREATE TABLE `",
            "CREATE TABLE IF NOT EXISTS `",
            "INSERT INTO `",
            "\n-- MySQL dump ",
            "\n-- MariaDB dump ",
        ]
        .iter()
        .any(|mark| has(mark.as_bytes()));
    Ok(match is_dump {
        true => Detected::Yes,
        false => Detected::Maybe,
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(dump::open(input, options)?))
}

fn open_xml(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(xml::open(input, options)?))
}

fn open_folder(folder: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(folder::open(folder, options)?))
}

#[cfg(test)]
mod tests;
