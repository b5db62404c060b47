//! Snapshots: every format turns into tables, and every table into streams of rows.
//!
//! A new format is one file or folder here, one line in [`FORMATS`] and a folder in `testdata/`. It needs [`Snapshot`] and
//! [`Table`]; nothing outside this room knows a format by name.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, Schema};
use cassandra::cells::Ties;
use cassandra::model::Deletion;
use cassandra::tied::{TieCount, Tied};
use cassandra::view::View;

pub mod bbolt;
pub mod bitcask;
pub mod block_table;
pub mod cassandra;
pub mod chosen;
pub mod csv;
pub mod dynamodb;
pub mod jsonl;
pub mod lsm;
pub mod memory;
pub mod mysql;
pub mod postgres;
pub mod renamed;
pub mod sort;
pub mod sorted_table;
pub mod sqlite;
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

impl Reader {
    fn takes(&self, origin: &Origin) -> bool {
        matches!(
            (self, origin),
            (Reader::File { .. }, Origin::File(_)) | (Reader::Folder { .. }, Origin::Folder(_))
        )
    }
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
    dynamodb::FILE_FORMAT,
    jsonl::FORMAT,
    lsm::FORMAT,
    cassandra::FORMAT,
    sqlite::FORMAT,
    bbolt::BBOLT,
    bbolt::ETCD,
    bbolt::ETCD_FOLDER,
    bitcask::FORMAT,
    bitcask::RIAK,
    dynamodb::FORMAT,
    mysql::FORMAT,
    mysql::XML_FORMAT,
    mysql::FOLDER_FORMAT,
    postgres::FOLDER_FORMAT,
];

/// How snapshots are opened and read; a format uses what concerns it.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// How files are read.
    pub file: FileOptions,
    /// Name of the format, instead of detecting it.
    pub format: Option<String>,
    /// The tables' schema, where it is not to be had from the snapshot: instead of the `schema.cql` beside Cassandra's SSTables, and
    /// for PostgreSQL's and MySQL's dumps of data only.
    pub schema: Option<PathBuf>,
    /// Delimited text.
    pub text: TextOptions,
    /// Files for LOAD DATA of MySQL.
    pub load: LoadOptions,
    /// Database folders.
    pub database: DatabaseOptions,
    /// Folders of Cassandra's and ScyllaDB's SSTables.
    pub cassandra: CassandraOptions,
    /// Snapshots of etcd.
    pub etcd: EtcdOptions,
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

impl TextOptions {
    /// The columns of the key that are asked for, else those of the other side.
    pub fn wanted_key(&self) -> &[String] {
        match self.key.is_empty() {
            true => &self.usual_key,
            false => &self.key,
        }
    }
}

/// How files for LOAD DATA are read, besides [`TextOptions::delimiter`].
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// The quote around fields, which may stand around some or all of them.
    pub enclosed_by: Option<u8>,
    /// Lines end in `\r\n`.
    pub crlf: bool,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CassandraOptions {
    /// The instant at which what expires is dead, in seconds since 1970; `None` is that of the first opening in this process.
    pub now: Option<i64>,
    /// What of a row counts; `None` is [`View::default`].
    pub view: Option<View>,
    /// Tombstones made before this leave no trace, in seconds since 1970; `None` is `now` less the schema's gc_grace_seconds.
    pub gc_before: Option<i64>,
    /// The same for tables by name, where `gc_before` is `None`: as a tree has it.
    pub gc_before_of: BTreeMap<String, i64>,
    /// Whose rule decides between writes of equal timestamps; `None` is [`Ties::default`].
    pub ties: Option<Ties>,
    /// Name of the snapshot to read below the tables' folders, instead of the SSTables in these.
    pub snapshot: Option<String>,
}

/// How snapshots of etcd are read.
#[derive(Debug, Clone, Default)]
pub struct EtcdOptions {
    /// The revision to show; `None` is the head.
    pub revision: Option<u64>,
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

    /// How far its replica had come when it was taken, where the format tells: two sides that were not equally far may differ
    /// by that alone.
    fn position(&self) -> Option<Position> {
        None
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

/// How far a replica had come in what all replicas go through.
///
/// Trees do not carry it: they are a function of the rows alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What it counts itself by.
    pub counters: Vec<Counter>,
    /// What to do where two sides were not equally far.
    pub advice: &'static str,
}

/// A number that only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// What the software calls it.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
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

    /// Who says what differences between its rows mean, by what the rows themselves tell.
    fn judge(&self) -> Option<&dyn Judge> {
        None
    }

    /// How long its deletions are kept, in seconds; `None` where that is not known, or rows have no deletions.
    fn gc_grace_seconds(&self) -> Option<i64> {
        None
    }

    /// The deletions that lie over what is at `key`, of its partition and of a range of rows, as the rows of a scan before it tell
    /// them; `None` where only these do.
    ///
    /// # Errors
    ///
    /// Those of reading.
    fn deletions_over(&self, key: &[u8]) -> Result<Option<[Deletion; 2]>> {
        let _ = key;
        Ok(None)
    }

    /// Cells that scans have met so far and of which versions of the software take different writes; `None` where there is no
    /// such thing.
    fn ties(&self) -> Option<TieCount> {
        None
    }

    /// Hands the key and the cell of each of those in `range` to `sink`, ascending by key.
    ///
    /// # Errors
    ///
    /// Those of a scan and of `sink`.
    fn each_tie(
        &self,
        range: &KeyRange,
        sink: &mut dyn FnMut(&[u8], &Tied) -> Result<()>,
    ) -> Result<()> {
        let _ = (range, sink);
        Ok(())
    }

    /// Checks what only a reading of whole files proves: digests that lie beside them.
    ///
    /// # Errors
    ///
    /// Damaged; I/O errors.
    fn check_digests(&self) -> Result<()> {
        Ok(())
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

/// Says what a difference between two values of one key means.
pub trait Judge: Send + Sync {
    /// Judges the values of both sides, as rows have them; `None` where nothing can be told.
    fn judge(&self, left: Option<&[u8]>, right: Option<&[u8]>) -> Option<Verdict>;
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// One word, for programs: `newer_left`.
    pub is: &'static str,
    /// The same, for a person.
    pub words: &'static str,
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
            .filter(|format| format.name == name)
            // One name may stand for files and for folders of them.
            .max_by_key(|format| format.reader.takes(&origin))
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
    let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.dedup();
    names.join(", ")
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
            "that of RocksDB or LevelDB has a file CURRENT, that of a Cassandra table files such as nb-1-big-Data.db, that of etcd member/snap/db, that of Bitcask files such as 1.bitcask.data; of a directory of loose files, name the files",
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
