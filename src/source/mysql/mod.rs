//! Dumps of MySQL and MariaDB: SQL, `--tab` folders and XML of mysqldump and mariadb-dump, and MyDumper's folders.
//!
//! Every table of a dump is one table, by its name; by `database.table` where the dump has tables of several databases. Its key is its
//! PRIMARY KEY, else its first UNIQUE key whose columns are all NOT NULL, as the server chooses; `--key` goes before both where the table has
//! all these columns. Equal rows of a table without a key are counted ([`crate::row::Schema::Bag`]).
//! The rows come in any order and are sorted once.
//!
//! | column | what of it counts |
//! |---|---|
//! | integers, decimals, floats, year | the number ([`crate::row::decimal`]): `007`, `7.0` and `7` are one; zero fill and scale do not count; of a float the six digits that the server prints |
//! | bit | the number that the bits make, whether they are spelled `b'101'`, `0x05` or as raw bytes |
//! | binary, blob, spatial types, vector | the bytes |
//! | all else (char, text, enum, set, json, dates and times, uuid, inet) | the bytes of its text, escapes undone |
//! | generated columns | nothing: they are computed from the others, and no statement may write them |
//!
//! Character sets are not converted: mysqldump writes UTF-8 unless told otherwise (`--tab` and MyDumper: that of each column), so
//! compare dumps that were made alike. Timestamps are in the zone of the dumping session, which mysqldump sets to UTC; where a dump
//! says otherwise, a warning tells.
//!
//! **SQL** (`statements`). A text of statements that end in `;` (or what `DELIMITER` says). `/*!40101 ... */` and `/*M! ... */` count,
//! other comments do not. What counts: `CREATE TABLE` (columns, types, keys), `ALTER TABLE ... ADD PRIMARY KEY`, `DROP TABLE`, `CREATE VIEW` (in
//! place of the table that stood for it), `USE`, `SET` (`SQL_MODE` for quotes and backslashes, `NAMES`), and `INSERT` and `REPLACE`, whose values
//! must be constants. What leaves rows as they are is passed over (LOCK, triggers, routines, events, users). What changes them otherwise
//! (UPDATE, DELETE, LOAD DATA, INSERT ... SELECT, ON DUPLICATE KEY UPDATE, columns altered) is refused by name. A dump that begins with the
//! tool's comment must end with `-- Dump completed`. Character sets in which a backslash may be half a character (big5, cp932, gb18030, gbk,
//! sjis) are refused. Rows without their CREATE TABLE (`--no-create-info`) need `--schema FILE`.
//!
//! **`--tab`** (`tab`). `t.sql` with the CREATE TABLE, `t.txt` with a row a line: fields separated by a tab (`--delimiter`), in quotes
//! or not (`--enclosed-by`), lines ended by `\n` (`--line-end`), escapes by backslash, `\N` for NULL. The files do not tell their separators, and
//! nothing is guessed. Beware of `--tab` with `--default-character-set`: the server then writes `?` for bytes of binary columns.
//!
//! **XML** (`xml`). Columns from `<table_structure>`, rows from `<table_data>`, `xsi:nil` for NULL, `xs:hexBinary` as bytes.
//!
//! **MyDumper** (`folder`). `db.table-schema.sql` and `db.table.sql`, `db.table.00000.sql`, ... beside `metadata`, also compressed. Its
//! files for LOAD DATA (`.dat`) are refused.
//!
//! First a pass finds the tables and where their rows begin and end; the rows of a table are parsed when they are asked for. At most one row, or
//! one other statement, is in memory.
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
    const IN_FRONT: [&str; 3] = ["/*!40", "/*!50", "/*M!"];
    const OF_A_LINE: [&str; 5] = [
        "-- MySQL dump ",
        "-- MariaDB dump ",
        "CREATE TABLE `",
        "CREATE TABLE IF NOT EXISTS `",
        "INSERT INTO `",
    ];
    let mut scratch = Vec::new();
    let head = input.head(16 << 10, &mut scratch)?.trim_ascii_start();
    let starts = |mark: &&str| head.starts_with(mark.as_bytes());
    let has_line = |mark: &&str| {
        starts(mark) || memchr::memmem::find(head, format!("\n{mark}").as_bytes()).is_some()
    };
    // SQLite's own dumps may have names in backquotes too.
    if starts(&"PRAGMA ") {
        return Ok(Detected::No);
    }
    Ok(
        match IN_FRONT.iter().any(starts) || OF_A_LINE.iter().any(has_line) {
            true => Detected::Yes,
            false => Detected::Maybe,
        },
    )
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
