//! SQLite databases: one file, with its write-ahead log beside it, read by the SQLite library itself.
//!
//! | what | how it is read |
//! |---|---|
//! | tables | every table with rows of its own, by name; not those of SQLite (`sqlite_...`), no views, no triggers |
//! | virtual tables | not through their code: their rows lie in shadow tables, which are read like others. Of a full-text index that keeps its content, only the table `..._content`: the others follow from it, and lie differently on each replica. A note says so |
//! | key | the columns of the PRIMARY KEY in its order; `--key` where a table has all these columns; `--key rowid` for tables that have neither (rowids need not agree between replicas, and VACUUM may renumber them). Equal rows of a table without a key are counted ([`crate::row::Schema::Bag`]) |
//! | NULL in a key | SQLite allows it, so it has a spelling ([`crate::row::sql::sqlite`]); two such rows of one key are an error |
//! | values | typed each by itself, as [`crate::row::sql::sqlite`] tells |
//! | generated columns | their values, computed by SQLite's own functions only; statements of a patch leave them out |
//! | text | as UTF-8; in a UTF-16 database, half a surrogate pair reads as U+FFFD, as the library gives it |
//! | `-wal` | what it commits counts, unless `--no-wal` |
//! | `-journal` | what it rolls back is rolled back, as the next opening by SQLite would |
//! | part of a page at the end | damage: so does a copy look that was cut off. SQLite reads zeros there, and in less than a page a database without tables |
//!
//! Nothing is written beside the database. Without log and journal, the file is opened as immutable, in place. Else it is copied
//! with them to the folder for temporary files, the copy is opened and read from within one transaction, and its names are gone
//! before the first row is read. A database that runs meanwhile is noticed, and refused.
//!
//! SQLite has no checksums: damage is found where it breaks the structure of a page, and a changed byte of a value is not.
//!
//! The text that `.dump` writes is refused by name: to be loaded into a database first.

use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod access;
mod failure;
mod schema;
mod snapshot;
mod table;

#[cfg(test)]
mod tests;

/// SQLite databases.
pub const FORMAT: Format = Format {
    name: "sqlite",
    about: "SQLite databases (.db, .sqlite), with the -wal beside them",
    extensions: &["db", "sqlite", "sqlite3", "db3"],
    reader: Reader::File { detect, open },
    create: None,
};

const MAGIC: &[u8] = b"SQLite format 3\0";

const PAGE_BYTES_MIN: u64 = 512;
const PAGE_BYTES_MAX: u64 = 65_536;

/// How the texts begin that the `.dump` of sqlite3 writes, and of Python.
const DUMPS: [&[u8]; 2] = [
    b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n",
    b"BEGIN TRANSACTION;\nCREATE TABLE ",
];

fn detect(input: &Input) -> Result<Detected> {
    let mut scratch = Vec::new();
    let head = input.head(64, &mut scratch)?;
    let is_it = head.starts_with(MAGIC) || is_dump(head);
    Ok(if is_it { Detected::Yes } else { Detected::No })
}

fn is_dump(head: &[u8]) -> bool {
    DUMPS.iter().any(|dump| head.starts_with(dump))
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let mut scratch = Vec::new();
    if is_dump(input.head(64, &mut scratch)?) {
        return Err(Error::unsupported(
            input.path(),
            "is SQL text that the .dump of sqlite3 wrote",
            "load it into a database first: sqlite3 copy.db < FILE; then name copy.db",
        ));
    }
    check_whole_pages(&input)?;
    let snapshot = snapshot::SqliteSnapshot::open(input, options)?;
    Ok(Box::new(snapshot))
}

/// SQLite takes a file that ends inside its first page for a database without tables, and reads zeros where it ends inside another.
fn check_whole_pages(input: &Input) -> Result<()> {
    let mut scratch = Vec::new();
    let head = input.head(18, &mut scratch)?;
    let page_bytes = match (head.starts_with(MAGIC), head.get(16..18)) {
        (true, Some([0, 1])) => PAGE_BYTES_MAX,
        (true, Some([high, low])) => u64::from(*high) << 8 | u64::from(*low),
        _ => PAGE_BYTES_MIN,
    };
    // Of other sizes, SQLite says what is wrong.
    let page_bytes = page_bytes.clamp(PAGE_BYTES_MIN, PAGE_BYTES_MAX);
    match input.is_empty() || !input.len().is_multiple_of(page_bytes) {
        true => Err(Error::damaged(
            input.path(),
            input.len(),
            format!("the file ends inside a page of {page_bytes} bytes"),
        )),
        false => Ok(()),
    }
}
