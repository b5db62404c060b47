//! Arguments that several subcommands share, and how their texts become values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::caps::{Cap, parse_cap, parse_size};
use super::etcd_args::EtcdArgs;
use super::keys::{parse_hex, parse_keys};
use super::load::LoadArgs;
use super::progress::Shown;
use super::time::parse_time;
use super::tokens;
use crate::error::{Error, Result};
use crate::file::input::FileOptions;
use crate::limits::Limits;
use crate::row::Schema;
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::view::View;
use crate::source::{CassandraOptions, DatabaseOptions, SourceOptions, TextOptions};
use crate::tree::leaf_bits_of_rows;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProgressWhen {
    /// A bar, if stderr is a terminal
    #[default]
    Auto,
    /// A line of text every 10 seconds, for logs
    Plain,
    /// A JSON object a line every second, for programs
    Json,
    /// Nothing
    None,
}

/// Arguments of every subcommand.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// Threads to use; 0 is one for each core
    ///
    /// Results do not depend on it, to the last byte.
    #[arg(short = 'j', long, global = true, value_name = "N", env = "MDIFF_THREADS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: u16,

    /// Say less: -q no progress and notes, -qq no result either
    ///
    /// -q silences progress and notes on stderr. -qq also prints no result and no warning: the exit code alone tells.
    /// Errors are always told.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub quiet: u8,

    /// Say on stderr how the work is done
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// When to colour
    ///
    /// NO_COLOR, CLICOLOR_FORCE and TERM=dumb are honoured. Colour never says anything that the text does not say too.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = false
    )]
    pub color: ColorWhen,

    /// How to show progress on stderr
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value_t)]
    pub progress: ProgressWhen,

    /// The same as --progress=none
    #[arg(long, global = true, env = "MDIFF_NO_PROGRESS", value_parser = FalseyValueParser::new())]
    pub no_progress: bool,
}

impl CommonArgs {
    /// How progress is shown on this stderr.
    pub fn progress_shown(&self) -> Shown {
        if self.quiet > 0 || self.no_progress {
            return Shown::Nothing;
        }
        match self.progress {
            ProgressWhen::Auto => Shown::auto(),
            ProgressWhen::Plain => Shown::Plain,
            ProgressWhen::Json => Shown::Json,
            ProgressWhen::None => Shown::Nothing,
        }
    }
}

/// What of a Cassandra row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewArg {
    /// Live cells with their timestamps, and tombstones younger than --gc-before
    Cells,
    /// What SELECT returns: no timestamps, no tombstones
    Live,
}

/// Whose rule decides between writes of equal timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TiesArg {
    /// Cassandra 4.0 and later
    #[value(name = "4.0")]
    V4,
    /// Cassandra 3.0 and 3.11
    #[value(name = "3.11")]
    V3_11,
}

/// How snapshots are read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading snapshots")]
pub struct SourceArgs {
    /// Format of the snapshots, instead of detecting it
    ///
    /// Without it, the content decides, and where that could be anything (delimited text), the end of the file name.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Text, JSON, DynamoDB, SQL tables: the columns of the key
    ///
    /// A table of an SQL dump has a key of its own; this one goes before it where the table has all these columns. Of text: names from the first line, or numbers from 1; several are separated by commas, in the order in which rows are sorted
    /// by them. Default: the first column of the first file (of the tree or patch, where there is one); the others' go by its name.
    /// Of JSON, the fields of the key, which must be named: by name, or /a/b for the field b inside of a. Of DynamoDB, the
    /// partition key and the sort key. Of the tables of a database or dump, those that have all these columns (by name) go by
    /// them, the others by their primary key; of a table that has neither, equal rows are counted (rowid is a key of SQLite's).
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub key: Vec<String>,

    /// Only these columns, and the key's
    ///
    /// Of delimited text, JSON, SQL tables, and formats with columns of their own: of etcd, --columns value leaves the revisions
    /// out, which differ after a restore where values do not; tables of a dump that have none of them are read whole. Rows of
    /// JSON then have fixed columns, which compare with those of delimited text: a field that is missing or null is NULL, and
    /// 1 and "1" are the same text. Without it, each object has fields of its own, and these differ.
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub columns: Vec<String>,

    /// All columns but these
    ///
    /// Of delimited text, and of formats with columns of their own, as --columns. Two rows that differ in such a column only are the same row.
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub ignore_columns: Vec<String>,

    /// Delimited text, and MySQL's --tab: the character between columns
    ///
    /// One ASCII character, or `tab`. Default: a tab in .tsv, .tab and MySQL's files, else a comma.
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    pub delimiter: Option<u8>,

    /// Delimited text: the first line is a row, columns are numbered from 1
    ///
    /// An empty file then has the columns that --key and --columns name.
    #[arg(long, hide_short_help = true)]
    pub no_header: bool,

    /// Delimited text: how NULL is spelled, for example \N
    ///
    /// An unquoted column of this text is NULL, which is not the same as an empty text. Default: there is no NULL.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub null: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub load: LoadArgs,

    /// Databases: leave the logs out, so that only what is in tables counts
    #[arg(long)]
    pub no_wal: bool,

    /// Databases: take comparators that mdiff does not know for the order by bytes
    ///
    /// Keys that turn out to be in another order are an error.
    #[arg(long, hide_short_help = true)]
    pub assume_bytewise: bool,

    /// Cassandra: the instant at which TTLs are judged; default: now
    ///
    /// Seconds since 1970, or a time such as 2026-11-22T01:30:00Z. One instant holds for all sides. A tree keeps the one it was
    /// built with: give the same to trees that shall be compared; a snapshot that meets a tree is seen at the tree's.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub now: Option<i64>,

    /// Cassandra: what of a row counts
    ///
    /// Default: as the tree or patch has it, else cells.
    #[arg(long, value_enum, value_name = "VIEW")]
    pub view: Option<ViewArg>,

    /// Cassandra: tombstones made before this leave no trace
    ///
    /// Seconds since 1970, or a time such as 2026-11-22T01:30:00Z. Default: as the tree or patch has it, else --now less
    /// the gc_grace_seconds of the table's schema (ten days where there is none). With 0, mdiff diff also warns of writes under deletions that may be purged any time.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true, hide_short_help = true)]
    pub gc_before: Option<i64>,

    /// Cassandra: whose rule decides between writes of equal timestamps
    ///
    /// Default: as the tree or patch has it, else 4.0.
    #[arg(long, value_enum, value_name = "VERSION", hide_short_help = true)]
    pub ties: Option<TiesArg>,

    /// Cassandra, MySQL, PostgreSQL: the tables' CREATE statements
    ///
    /// Cassandra: without it, the schema.cql that nodetool snapshot leaves beside the SSTables counts, where there is one.
    /// MySQL: a dump with the CREATE TABLE statements of one that was made with --no-create-info.
    /// PostgreSQL: what a file of COPY, or a dump of data only, does not tell: names, types, primary keys, as pg_dump -s prints them.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// Cassandra: the snapshot of this tag, below the folders of a node's tables
    ///
    /// The name that nodetool snapshot -t was given. Without it, the SSTables of a table's folder itself are read, where it
    /// has any; else its only snapshot.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub etcd: EtcdArgs,

    /// Read files by plain reads instead of mapping them into memory
    ///
    /// For file systems on which mapped files fail or are slow.
    #[arg(long)]
    pub no_mmap: bool,

    /// Folder for temporary files; default: beside the output, or TMPDIR
    ///
    /// Sorting text that is not sorted needs about as much room there as the text has. A command without an output file uses
    /// the system's folder, which TMPDIR names.
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,

    /// Memory for sorting text that is not sorted; default: 64M
    ///
    /// Bytes, or a number with K, M, G or T (powers of 1024).
    #[arg(long, value_name = "SIZE", value_parser = parse_size, hide_short_help = true)]
    pub sort_memory: Option<u64>,

    /// Raise or lower a cap on what an input may claim
    ///
    /// Files are not trusted: a length over its cap is an error before any memory is given to it. Bytes, or a number with
    /// K, M, G or T (powers of 1024). Names: key-bytes (16M), value-bytes (256M), block-bytes (512M), record-bytes (256M: a
    /// line of text), columns (16384), expansion (200: of a compressed file, bytes out a byte in), depth (32: of an index).
    #[arg(long = "cap", value_name = "NAME=SIZE", value_parser = parse_cap, hide_short_help = true)]
    pub caps: Vec<Cap>,
}

impl SourceArgs {
    /// The same, with temporary files beside `output` unless they have a folder already.
    #[must_use]
    pub fn for_output(&self, output: &Path) -> SourceArgs {
        let mut args = self.clone();
        if let (None, Some(folder)) = (&args.temp_dir, output.parent()) {
            let here = folder.as_os_str().is_empty();
            args.temp_dir = Some(if here { ".".into() } else { folder.to_owned() });
        }
        args
    }

    /// The options for [`crate::source::open`].
    pub fn options(&self) -> SourceOptions {
        let mut limits = Limits::default();
        for cap in &self.caps {
            limits.set(&cap.name, cap.value);
        }
        SourceOptions {
            file: FileOptions {
                mmap: !self.no_mmap,
                temp_dir: self.temp_dir.clone(),
                limits,
                few_reads: false,
            },
            format: self.format.clone(),
            text: TextOptions {
                key: self.key.clone(),
                usual_key: Vec::new(),
                columns: self.columns.clone(),
                ignore_columns: self.ignore_columns.clone(),
                delimiter: self.delimiter,
                no_header: self.no_header,
                null: self.null.clone(),
                trust_order: false,
            },
            schema: self.schema.clone(),
            load: self.load.options(),
            database: DatabaseOptions {
                no_wal: self.no_wal,
                assume_bytewise: self.assume_bytewise,
            },
            cassandra: CassandraOptions {
                now: self.now,
                view: self.view.map(|view| match view {
                    ViewArg::Cells => View::Cells,
                    ViewArg::Live => View::Live,
                }),
                gc_before: self.gc_before,
                gc_before_of: BTreeMap::new(),
                ties: self.ties.map(|ties| match ties {
                    TiesArg::V4 => Ties::V4,
                    TiesArg::V3_11 => Ties::V3_11,
                }),
                snapshot: self.tag.clone(),
            },
            etcd: self.etcd.options(),
            sort_memory_bytes: self.sort_memory.unwrap_or(0),
            write_compression: String::new(),
        }
    }
}

/// Which hash a fingerprint is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HashName {
    /// Fast; for lost writes, bit rot and bugs. The default
    Xxh3,
    /// For data an adversary may choose, and trees given to strangers
    Blake3,
}

/// The key of keyed fingerprints.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Trees")]
pub struct KeyFileArgs {
    /// File with the secret key of BLAKE3 fingerprints
    ///
    /// 32 bytes, or 64 hexadecimal digits. Nobody without it can guess rows from a tree; every command that reads rows for a
    /// tree or patch made with it wants it too. One is made by: head -c 32 /dev/urandom > FILE
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl KeyFileArgs {
    /// Reads the key, where one is given.
    ///
    /// # Errors
    ///
    /// I/O, and Usage where the file holds something else.
    pub fn read(&self) -> Result<Option<[u8; 32]>> {
        let Some(path) = &self.key_file else {
            return Ok(None);
        };
        let bytes = fs::read(path).map_err(|e| Error::io("reading", path, e))?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok().or_else(|| {
            let text = std::str::from_utf8(&bytes).ok()?;
            parse_hex(text.trim()).ok()?.try_into().ok()
        });
        key.map(Some).ok_or_else(|| {
            Error::usage(
                format!(
                    "{}: a key file holds 32 bytes or 64 hexadecimal digits, not {} bytes",
                    path.display(),
                    bytes.len()
                ),
                "make one: head -c 32 /dev/urandom > FILE",
            )
        })
    }
}

/// How trees are built.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Trees")]
pub struct TreeArgs {
    /// Rows that a leaf holds on average
    ///
    /// Rounded to the nearest power of two. Fewer rows make a larger tree that pins differences down more closely. Trees of different leaves still compare.
    /// Default: about 64 KiB of rows, and less in a small table, so that it has some 1,000 leaves.
    #[arg(long, value_name = "N", value_parser = parse_leaf_rows)]
    pub leaf_rows: Option<u64>,

    /// What rows are hashed by
    ///
    /// Trees of different hashes do not compare.
    #[arg(long, value_enum, value_name = "HASH")]
    pub hash: Option<HashName>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub key_file: KeyFileArgs,

    /// File with keys, one a line as mdiff prints them, at which leaves start too
    ///
    /// Tenants, say: differences are then told apart by them. For tables of Cassandra also what nodetool ring or nodetool
    /// describering prints: leaves then start where its token ranges do. Trees with and without it still compare.
    #[arg(long, value_name = "FILE")]
    pub split_at: Option<PathBuf>,

    /// Go on past damaged places, and never call them equal
    ///
    /// The tree records the keys that could not be read; the exit code is 3.
    #[arg(long)]
    pub keep_going: bool,
}

impl TreeArgs {
    /// The option given, if any, that asks for other trees than there may be already.
    pub fn shape_option(&self) -> Option<&'static str> {
        let options = [
            (self.leaf_rows.is_some(), "--leaf-rows"),
            (self.hash.is_some(), "--hash"),
            (self.split_at.is_some(), "--split-at"),
        ];
        options
            .into_iter()
            .find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// The hash asked for: a key file alone means BLAKE3.
    ///
    /// # Errors
    ///
    /// Usage, where xxh3 is to be keyed.
    pub fn hash(&self) -> Result<HashName> {
        match (self.hash, &self.key_file.key_file) {
            (Some(HashName::Xxh3), Some(_)) => Err(Error::usage(
                "--key-file does not go with --hash xxh3",
                "use --hash blake3, which can be keyed",
            )),
            (Some(hash), _) => Ok(hash),
            (None, Some(_)) => Ok(HashName::Blake3),
            (None, None) => Ok(HashName::Xxh3),
        }
    }

    /// Bits of a key's hash that are zero at a leaf's start, where `--leaf-rows` is given.
    pub fn leaf_bits(&self) -> Option<u32> {
        self.leaf_rows.map(leaf_bits_of_rows)
    }

    /// The keys of `--split-at` in a table of `schema`, ascending, each once.
    ///
    /// # Errors
    ///
    /// I/O, and Usage with the line number where a line is no key.
    pub fn split_keys(&self, schema: &Schema) -> Result<Vec<Vec<u8>>> {
        let Some(path) = &self.split_at else {
            return Ok(Vec::new());
        };
        let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
        if !tokens::is_printed(&text) {
            return parse_keys(path, &text, schema);
        }
        let partitioner = tokens::partitioner_of(schema)?;
        let ranges = tokens::read_ranges(path, &text, &[], partitioner)?;
        let keys = ranges
            .iter()
            .flat_map(|range| tokens::boundaries(range, partitioner));
        Ok(keys.collect())
    }
}

/// Whether an output may be replaced.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ForceArgs {
    /// Replace an output that exists
    ///
    /// The old file stays whole until the new one is complete and on disk. An input is never replaced.
    #[arg(long)]
    pub force: bool,
}

/// Whether differences are failures.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ExitZeroArgs {
    /// Exit with 0 also where there are differences
    ///
    /// Trouble and damage keep their codes.
    #[arg(long)]
    pub exit_zero: bool,
}

fn parse_leaf_rows(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(rows) if rows > 0 && rows <= 1 << 40 => Ok(rows),
        _ => Err("a number of rows from 1 to 2^40 is wanted".into()),
    }
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [b'"' | b'\r' | b'\n'] => Err("a quote or the end of a line can't separate columns".into()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("one ASCII character, or `tab`, is wanted".into()),
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
