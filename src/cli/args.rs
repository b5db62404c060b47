//! Arguments that several subcommands share, and how their texts become values.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::caps::{Cap, parse_cap, parse_size};
use super::keys::{parse_hex, parse_keys, parse_prefix};
use super::progress::Shown;
use super::time::parse_time;
use crate::error::{Error, Result};
use crate::file::input::FileOptions;
use crate::limits::Limits;
use crate::range::{KeyRange, prefix_end};
use crate::row::Schema;
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::view::View;
use crate::source::{
    CassandraOptions, DatabaseOptions, Snapshot, SourceOptions, Table, TextOptions,
};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ViewArg {
    /// Live cells with their timestamps, and tombstones younger than --gc-before
    #[default]
    Cells,
    /// What SELECT returns: no timestamps, no tombstones
    Live,
}

/// Whose rule decides between writes of equal timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TiesArg {
    /// Cassandra 4.0 and later
    #[default]
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

    /// Delimited text, dumps: the columns of the key
    ///
    /// Names from the first line, or numbers from 1; several are separated by commas, in the order in which rows are sorted
    /// by them. Default: the first column of the first file (of the tree or patch, where there is one); the others' go by its name.
    /// Of a dump: the primary key of each table; where columns are named here, they are the key of each table that has them all.
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub key: Vec<String>,

    /// Delimited text, dumps: only these columns, and the key's
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub columns: Vec<String>,

    /// Delimited text, dumps: all columns but these
    ///
    /// Two rows that differ in such a column only are the same row.
    #[arg(long, value_name = "COL", value_delimiter = ',')]
    pub ignore_columns: Vec<String>,

    /// Delimited text: the character between columns
    ///
    /// One ASCII character, or `tab`. Default: a tab in .tsv and .tab files, else a comma.
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    pub delimiter: Option<u8>,

    /// Delimited text: the first line is a row, columns are numbered from 1
    ///
    /// An empty file then has the columns that --key and --columns name.
    #[arg(long)]
    pub no_header: bool,

    /// Delimited text: how NULL is spelled, for example \N
    ///
    /// An unquoted column of this text is NULL, which is not the same as an empty text. Default: there is no NULL.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub null: Option<String>,

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
    /// Seconds since 1970, or a time such as 2026-11-22T01:30:00Z. One instant holds for all sides; a tree keeps the one it was
    /// built with, so give the same to trees that shall be compared.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub now: Option<i64>,

    /// Cassandra: what of a row counts
    #[arg(long, value_enum, value_name = "VIEW", default_value_t)]
    pub view: ViewArg,

    /// Cassandra: tombstones made before this leave no trace
    ///
    /// Seconds since 1970, or a time such as 2026-11-22T01:30:00Z. Default: --now less the gc_grace_seconds of the table's
    /// schema (ten days where there is none). With 0, mdiff diff also warns of writes under deletions that may be purged any time.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub gc_before: Option<i64>,

    /// Cassandra: whose rule decides between writes of equal timestamps
    #[arg(long, value_enum, value_name = "VERSION", default_value_t)]
    pub ties: TiesArg,

    /// Cassandra, PostgreSQL: the tables' CREATE statements
    ///
    /// Cassandra: without it, the schema.cql that nodetool snapshot leaves beside the SSTables counts, where there is one.
    /// PostgreSQL: what a file of COPY, or a dump of data only, does not tell: names, types, primary keys, as pg_dump -s prints them.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

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
            database: DatabaseOptions {
                no_wal: self.no_wal,
                assume_bytewise: self.assume_bytewise,
            },
            cassandra: CassandraOptions {
                now: self.now,
                view: match self.view {
                    ViewArg::Cells => View::Cells,
                    ViewArg::Live => View::Live,
                },
                gc_before: self.gc_before,
                ties: match self.ties {
                    TiesArg::V4 => Ties::V4,
                    TiesArg::V3_11 => Ties::V3_11,
                },
                schema: self.schema.clone(),
            },
            sort_memory_bytes: self.sort_memory.unwrap_or(0),
            write_compression: String::new(),
        }
    }
}

/// Which tables.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Choosing rows")]
pub struct TableArgs {
    /// Only this table; may be given several times
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,
}

impl TableArgs {
    /// The chosen tables of `snapshot`, in its order; all where none is named.
    ///
    /// # Errors
    ///
    /// Usage, where a named table does not exist.
    pub fn of<'s>(&self, snapshot: &'s dyn Snapshot) -> Result<Vec<&'s dyn Table>> {
        let mut tables = snapshot.tables();
        for name in &self.tables {
            if !tables.iter().any(|table| table.name() == name) {
                let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
                return Err(Error::usage(
                    format!("there is no table {name:?}"),
                    format!("tables are: {}", names.join(", ")),
                ));
            }
        }
        if !self.tables.is_empty() {
            tables.retain(|table| self.tables.iter().any(|name| name == table.name()));
        }
        Ok(tables)
    }
}

/// Which keys.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Choosing rows")]
pub struct RangeArgs {
    /// Only keys from this one on
    ///
    /// As mdiff prints it: a byte that is not printable as \xNN, a backslash as \\, the columns of a key separated by commas.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub from: Option<String>,

    /// Only keys before this one (which is left out)
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub to: Option<String>,

    /// Only keys that start like this
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    pub prefix: Option<String>,
}

impl RangeArgs {
    /// The options, if any is given, as a message names them.
    pub fn option(&self) -> Option<&'static str> {
        self.is_given().then_some("--from, --to or --prefix")
    }

    /// Whether any is given.
    pub fn is_given(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.prefix.is_some()
    }

    /// The range that the arguments mean in a table of `schema`.
    ///
    /// # Errors
    ///
    /// Usage, where a text is no key of this schema, or no key can lie in the range.
    pub fn range(&self, schema: &Schema) -> Result<KeyRange> {
        self.range_by(&|text| schema.parse_key(text), &|text| {
            parse_prefix(schema, text)
        })
    }

    /// The range that the arguments mean when they are hexadecimal digits of encoded keys.
    ///
    /// # Errors
    ///
    /// Usage, where a text is not hexadecimal, or no key can lie in the range.
    pub fn range_in_hex(&self) -> Result<KeyRange> {
        self.range_by(&parse_hex, &parse_hex)
    }

    fn range_by(
        &self,
        key: &dyn Fn(&str) -> Result<Vec<u8>>,
        prefix: &dyn Fn(&str) -> Result<Vec<u8>>,
    ) -> Result<KeyRange> {
        if let Some(text) = &self.prefix {
            let from = prefix(text)?;
            return Ok(KeyRange {
                to: prefix_end(&from),
                from,
            });
        }
        let range = KeyRange {
            from: self
                .from
                .as_deref()
                .map(key)
                .transpose()?
                .unwrap_or_default(),
            to: self.to.as_deref().map(key).transpose()?,
        };
        if range.is_empty() {
            return Err(Error::usage(
                "no key lies between --from and --to",
                "--from is the smaller key; --to is left out of the range",
            ));
        }
        Ok(range)
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
    /// Token ranges or tenants, say: differences are then told apart by them. Trees with and without it still compare.
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
        parse_keys(path, &text, schema)
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
