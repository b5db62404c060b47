//! Snapshots: every format turns into tables, and every table into streams of rows.
//!
//! A new format is one file or folder here, one line in [`FORMATS`] and a folder in `testdata/`. It needs [`Snapshot`] and
//! [`Table`]; nothing outside this room knows a format by name.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, Schema};
use cassandra::cells::Ties;
use cassandra::view::View;

pub mod block_table;
pub mod cassandra;
pub mod csv;
pub mod jsonl;
pub mod lsm;
pub mod memory;
pub mod postgres;
pub mod sort;
pub mod sorted_table;
pub mod union;

/// A format mdiff reads.
pub struct Format {
    /// Its name, for `--format` and messages.
    pub name: &'static str,
    /// What it is and who writes it, for `--help`.
    pub about: &'static str,
    /// File name endings, without the dot: they decide where the content does not.
    pub extensions: &'static [&'static str],
    /// How it is read.
    pub reader: Reader,
    /// Makes a writer of this format for `convert -o`; `None` where mdiff only reads it.
    pub create: Option<CreateWriter>,
}

/// How a format is read: from one file, or from a folder of files.
pub enum Reader {
    /// A snapshot is one file.
    File {
        /// Whether the content is of this format, seen without reading all of it.
        detect: fn(&Input) -> Result<Detected>,
        /// Opens the snapshot.
        open: fn(Input, &SourceOptions) -> Result<Box<dyn Snapshot>>,
    },
    /// A snapshot is a folder.
    Folder {
        /// Whether the folder is of this format, seen by the names in it.
        detect: fn(&Path) -> Result<Detected>,
        /// Opens the snapshot.
        open: fn(&Path, &SourceOptions) -> Result<Box<dyn Snapshot>>,
    },
}

/// Where a snapshot lies.
pub enum Origin {
    /// In an open file.
    File(Input),
    /// In a folder.
    Folder(PathBuf),
}

impl Origin {
    /// Opens the file at `path`, or sees that it is a folder.
    ///
    /// # Errors
    ///
    /// Those of [`Input::open`].
    pub fn open(path: &Path, options: &FileOptions) -> Result<Origin> {
        if path.is_dir() {
            return Ok(Origin::Folder(path.to_owned()));
        }
        Input::open(path, options).map(Origin::File)
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        match self {
            Origin::File(input) => input.path(),
            Origin::Folder(path) => path,
        }
    }
}

/// Makes a writer that turns rows of `Schema` into a format's bytes on a stream.
pub type CreateWriter =
    for<'a> fn(Box<dyn Write + 'a>, &Schema, &SourceOptions) -> Result<Box<dyn RowWriter + 'a>>;

/// What a look at the content says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detected {
    /// It is not of this format.
    No,
    /// It could be: the file name decides.
    Maybe,
    /// It is: a magic number says so (a damaged or refused variant is a Yes too, so that opening it says why).
    Yes,
}

/// The formats, in the order in which they are tried.
pub const FORMATS: &[Format] = &[
    block_table::FORMAT,
    postgres::FORMAT,
    postgres::lone::FORMAT,
    postgres::lone::CSV_FORMAT,
    csv::FORMAT,
    jsonl::FORMAT,
    lsm::FORMAT,
    cassandra::FORMAT,
    postgres::FOLDER_FORMAT,
];

/// How snapshots are opened and read; a format uses what concerns it.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// How files are read.
    pub file: FileOptions,
    /// Name of the format, instead of detecting it.
    pub format: Option<String>,
    /// Delimited text.
    pub text: TextOptions,
    /// Database folders.
    pub database: DatabaseOptions,
    /// Folders of Cassandra's and ScyllaDB's SSTables.
    pub cassandra: CassandraOptions,
    /// Memory for sorting what is not sorted, in bytes; 0 is the default of 64 MiB.
    pub sort_memory_bytes: u64,
    /// Compression of `.sst` files that are written: none, snappy, lz4, zstd. Empty is lz4.
    pub write_compression: String,
}

/// How delimited text is read and written, and which columns of other named ones count.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// Columns of the key, by name or 1-based number; empty is `usual_key`, of a database's table its primary key.
    pub key: Vec<String>,
    /// Columns of the key of delimited text where none is asked for: those of the side that was opened first. Empty is the first column.
    pub usual_key: Vec<String>,
    /// Only these columns (and the key's); empty is all.
    pub columns: Vec<String>,
    /// Not these columns.
    pub ignore_columns: Vec<String>,
    /// The delimiter; `None` is a tab where the file name ends in `.tsv` or `.tab`, else a comma.
    pub delimiter: Option<u8>,
    /// The first line is a row; columns are named by their 1-based numbers.
    pub no_header: bool,
    /// How NULL is spelled; `None`: there is no NULL.
    pub null: Option<String>,
    /// Only for a caller who scans every key, or checks what it reads against sums of its own (a tree's): a scan of a
    /// part then need not prove first that the whole text is in order. The pieces of a table's own
    /// [`Table::split`] are scanned without such a proof in any case.
    pub trust_order: bool,
}

/// How database folders are read.
#[derive(Debug, Clone, Default)]
pub struct DatabaseOptions {
    /// Leave the logs out: only what is in tables counts.
    pub no_wal: bool,
    /// Take comparators that mdiff does not know for the order by bytes.
    pub assume_bytewise: bool,
}

/// How Cassandra's and ScyllaDB's SSTables are read.
#[derive(Debug, Clone, Default)]
pub struct CassandraOptions {
    /// The instant at which what expires is dead, in seconds since 1970; `None` is that of the first opening in this process.
    pub now: Option<i64>,
    /// What of a row counts.
    pub view: View,
    /// Tombstones made before this leave no trace, in seconds since 1970; `None` is `now` less the schema's gc_grace_seconds.
    pub gc_before: Option<i64>,
    /// Whose rule decides between writes of equal timestamps.
    pub ties: Ties,
    /// The tables' schema, instead of the `schema.cql` beside their SSTables; of PostgreSQL's files of COPY and dumps of data only, too.
    pub schema: Option<PathBuf>,
}

/// An open snapshot: named tables of one replica at one moment, read-only.
pub trait Snapshot: Send + Sync {
    /// Name of its format.
    fn format(&self) -> &'static str;

    /// Its tables, ascending by name.
    fn tables(&self) -> Vec<&dyn Table>;

    /// Returns Changed if a file of the snapshot changed since it was opened. Results are believed only after this.
    fn check_unchanged(&self) -> Result<()>;

    /// What whoever asks for this snapshot should know besides its rows: what was left out, as the real software leaves it out,
    /// and what may go wrong.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What the files say of themselves, for `info`: names and values, in the order to print.
    fn describe(&self) -> Vec<(String, String)>;

    /// Name of the format that [`Snapshot::writer`] writes.
    fn written_format(&self) -> &'static str {
        self.format()
    }

    /// Makes a writer of this snapshot's own format and style, for `apply`.
    ///
    /// # Errors
    ///
    /// Usage, where mdiff does not write this format or not with these options (some columns ignored).
    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>>;
}

/// One table of a snapshot: a sorted key space that can be cut and scanned from several threads at once.
pub trait Table: Send + Sync {
    /// Its name; `default` where the format has no names.
    fn name(&self) -> &str;

    /// How its keys and values are shown.
    fn schema(&self) -> &Schema;

    /// Rows and bytes (keys and values) that are likely, from the table's own metadata or a sample. Only the speed
    /// depends on it, never a result.
    fn estimate(&self) -> Estimate;

    /// Returns at most `pieces - 1` keys, strictly ascending and strictly inside `range`, that cut it into ranges of about equal work. Cheap:
    /// from the table's own index or a few samples.
    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>>;

    /// Scans the rows of `range`. Reads little that lies outside of it.
    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>>;

    /// How long its deletions are kept, in seconds; `None` where that is not known, or rows have no deletions.
    fn gc_grace_seconds(&self) -> Option<i64> {
        None
    }

    /// Whether a scan may still fail for a reason that [`Table::recover`] mends. Whoever can't take back the rows that it has
    /// handed out (to a pipe, say) then scans once in vain first.
    fn may_recover(&self) -> bool {
        false
    }

    /// Told why a scan failed, arranges for a better one: sorts what is not sorted, say. Returns whether scanning again
    /// from the start is worth it. Called by one thread, with no stream of this table alive.
    fn recover(&self, error: &Error) -> Result<bool> {
        let _ = error;
        Ok(false)
    }
}

/// A guess at a table's size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Bytes of the snapshot's files that a scan reads, for progress.
    pub file_bytes: u64,
}

impl Estimate {
    /// The size of two parts together.
    #[must_use]
    pub fn plus(self, other: Estimate) -> Estimate {
        Estimate {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
            file_bytes: self.file_bytes.saturating_add(other.file_bytes),
        }
    }
}

/// Writes rows, ascending by key, in some format.
pub trait RowWriter {
    /// Writes one row.
    fn put(&mut self, row: Row<'_>) -> Result<()>;

    /// Writes the deletion of a key.
    ///
    /// # Errors
    ///
    /// Usage, where the format has no deletions.
    fn delete(&mut self, key: &[u8]) -> Result<()>;

    /// Writes what is left and flushes.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Opens the snapshot at `path`: finds its format by content, then by name, unless the options name it.
///
/// # Errors
///
/// I/O errors; Unsupported where no format fits; the format's own errors.
pub fn open(path: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    open_origin(Origin::open(path, &options.file)?, options)
}

/// Opens the snapshot in an open file or a folder; errors as of [`open`].
pub fn open_origin(origin: Origin, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let format = match &options.format {
        Some(name) => FORMATS
            .iter()
            .find(|format| format.name == name)
            .ok_or_else(|| {
                Error::usage(
                    format!("unknown format {name:?}"),
                    format!("formats are: {}", format_names()),
                )
            })?,
        None => detect(&origin)?,
    };
    match (&format.reader, origin) {
        (Reader::File { open, .. }, Origin::File(input)) => open(input, options),
        (Reader::Folder { open, .. }, Origin::Folder(path)) => open(&path, options),
        (reader, origin) => {
            let (is, wants) = match reader {
                Reader::File { .. } => ("a folder", "a file"),
                Reader::Folder { .. } => ("a file", "a folder"),
            };
            Err(Error::usage(
                format!(
                    "{} is {is}, and a snapshot of the format {} is {wants}",
                    origin.path().display(),
                    format.name
                ),
                "leave --format out to have it found",
            ))
        }
    }
}

fn format_names() -> String {
    FORMATS
        .iter()
        .map(|format| format.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn detect(origin: &Origin) -> Result<&'static Format> {
    let mut by_name = None;
    for format in FORMATS {
        let detected = match (&format.reader, origin) {
            (Reader::File { detect, .. }, Origin::File(input)) => detect(input)?,
            (Reader::Folder { detect, .. }, Origin::Folder(path)) => detect(path)?,
            _ => Detected::No,
        };
        match detected {
            Detected::Yes => return Ok(format),
            Detected::Maybe
                if by_name.is_none() && has_extension(origin.path(), format.extensions) =>
            {
                by_name = Some(format);
            }
            _ => {}
        }
    }
    by_name.ok_or_else(|| match origin {
        Origin::File(_) => Error::unsupported(
            origin.path(),
            "not a snapshot in a format that mdiff knows",
            format!(
                "formats are: {}; name one with --format if the file is of that kind",
                format_names()
            ),
        ),
        Origin::Folder(_) => Error::unsupported(
            origin.path(),
            "is a directory, and not that of a database that mdiff knows",
            "that of RocksDB or LevelDB has a file CURRENT, that of a Cassandra table files such as nb-1-big-Data.db; of a directory of loose files, name the files",
        ),
    })
}

/// Whether the file name ends in one of `extensions`, before an ending of a compression such as `.gz`.
fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let mut name = PathBuf::from(path.file_name().unwrap_or_default().to_ascii_lowercase());
    if name
        .extension()
        .is_some_and(|e| ["gz", "zst", "lz4", "bz2", "xz"].iter().any(|c| e == *c))
    {
        name.set_extension("");
    }
    name.extension()
        .is_some_and(|e| extensions.iter().any(|x| e == *x))
}
