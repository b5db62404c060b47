//! `mdiff cat`: the rows of a snapshot, or the operations of a patch.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::SourceArgs;
use super::choose::{RangeArgs, TableArgs};
use super::convert;
use super::exit::Exit;
use super::kind::Found;
use super::ops::{self, Pass};
use super::output::{self, Output, counted};
use super::rows::{self, Form, LeftOut, Lines};
use super::sides::open_origin;
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::patch::{PatchReader, PatchTable, Record};
use crate::range::Coverage;
use crate::row::Schema;
use crate::source::{Snapshot, SourceOptions, Table};

const LONG: &str = "\
Prints the rows of a snapshot, or the operations of a patch.

Examples:
  The first ten rows:
    mdiff cat a.sst --limit 10

  The rows of a key range, as mdiff compare printed it:
    mdiff cat a.sst --from 'user/7f\\x00' --to user/80

  One JSON object a line, for a program:
    mdiff cat users.csv --key id --json | jq .value.email

  What a patch does, as SQL:
    mdiff cat fix.mpatch --format sql

  What a patch of a Cassandra table does, for cqlsh:
    mdiff cat fix.mpatch --format cql --base b/ --table shop.orders

A line is the key, a tab and the value. What is not printable is escaped: a byte as \\xNN, a backslash as \\\\; so what is printed can be given back to --from and --to. Columns are name=value, separated by tabs, and NULL is \\N. Values of more than 200 bytes are cut on a terminal, and marked; keys never.

A JSON line is {\"table\",\"key\",\"value\"}; text that is not UTF-8 is {\"hex\":\"...\"}, and a row with columns an object.";

const FORMAT_LONG: &str = "\
Of a snapshot: its format, instead of detecting it by its content. Of a patch: how its operations are printed: sql, cql, csv or json.

sql: statements in one transaction, BEGIN to COMMIT, deletions first, in the SQL of the database that the rows came from: of PostgreSQL, MySQL or SQLite with its names and literals, of anything else in standard SQL. They change the columns that were read and no others, and triggers of the database run as for any statement. Have the client stop at the first error (sqlite3 -bail, psql -v ON_ERROR_STOP=1), so that all are done or none.

cql: statements that, run on the base, make its rows the target's (Cassandra, --view cells). Each tells its timestamp and TTL; TTL 0 is none. A TTL is what is left of it at --now (default: now), so run them soon. The server stamps deletions with its own clock. What CQL can't express (counters, elements of lists, writes older than the base's) stands there as a comment, -- not expressible: ..., and the exit code is 1. Make the patch with --reversible, or name the base with --base. A patch of one folder does not know the table's name: --table KEYSPACE.TABLE tells it.";

/// Arguments of `mdiff cat`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    about = "Prints the rows of a snapshot, or the operations of a patch",
    long_about = LONG,
    mut_arg("format", |arg| arg
        .help("Snapshot: its format. Patch: print it as sql, cql, csv or json")
        .long_help(FORMAT_LONG))
)]
pub struct CatArgs {
    /// A snapshot or a patch
    #[arg(value_name = "SNAPSHOT|PATCH")]
    pub file: PathBuf,

    /// Print one JSON object a line
    #[arg(long, group = "form")]
    pub json: bool,

    /// Print comma-separated lines with a header
    ///
    /// The same bytes as `mdiff convert` writes to a .csv; one table only.
    #[arg(long, group = "form")]
    pub csv: bool,

    /// Print keys and values as hexadecimal digits
    ///
    /// --from, --to and --prefix are read so too.
    #[arg(long, conflicts_with = "csv")]
    pub hex: bool,

    /// The snapshot that a patch is for, for --format cql
    ///
    /// Range deletions end at bounds that a patch may not hold, and a patch that is not reversible lacks the old values.
    #[arg(long, value_name = "SNAPSHOT")]
    pub base: Option<PathBuf>,

    /// Stop after N rows, and say so on stderr
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Cassandra: only cells of which 4.0 and 3.11 take different writes
    ///
    /// Cells that were written more than once at the same timestamp: a line is the key, the column (with the element of a
    /// collection in brackets), and what each version takes, separated by tabs. A node of 3.11 and one of 4.0 show different
    /// values there.
    #[arg(long, conflicts_with_all = ["csv", "base", "keep_going"])]
    pub ties_only: bool,

    /// Go on past damaged places, and tell them
    ///
    /// The exit code is 3.
    #[arg(long, conflicts_with = "csv")]
    pub keep_going: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub tables: TableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub range: RangeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// How the operations of a patch are printed by `--format`, `--json` and `--csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PatchForm {
    /// For a person: the default.
    #[value(skip)]
    Text,
    /// INSERT, UPDATE and DELETE statements.
    Sql,
    /// Comma-separated lines.
    Csv,
    /// A JSON object a line.
    Json,
    /// Statements of CQL with their timestamps.
    Cql,
}

impl CatArgs {
    /// How a patch is to be printed.
    ///
    /// # Errors
    ///
    /// Usage, where `--format` names something else.
    pub fn patch_form(&self) -> Result<PatchForm> {
        match self.source.format.as_deref() {
            None if self.json => Ok(PatchForm::Json),
            None if self.csv => Ok(PatchForm::Csv),
            None => Ok(PatchForm::Text),
            Some(name) => PatchForm::from_str(name, false).map_err(|_| {
                Error::usage(
                    format!("a patch can't be printed as {name:?}"),
                    "--format of a patch is sql, cql, csv or json",
                )
            }),
        }
    }
}

/// Runs `mdiff cat`.
///
/// # Errors
///
/// Those of reading and of writing to stdout.
pub fn run(args: &CatArgs, out: &mut Output) -> Result<Exit> {
    args.tables.check_one_side()?;
    let options = args.source.options();
    match Found::open(&args.file, &options.file)? {
        Found::Snapshot(origin) => {
            let snapshot = open_origin(origin, &options, out)?;
            print_snapshot(&*snapshot, &options, args, out)
        }
        Found::Patch(_) if args.ties_only => Err(Error::usage(
            "--ties-only is about the cells of a snapshot, not of a patch",
            "name the snapshot",
        )),
        Found::Patch(input) => print_patch(&input, args, out),
        Found::Tree(_) => Err(Error::usage(
            format!("{} is a tree, which holds no rows", args.file.display()),
            "see what it says with: mdiff info",
        )),
    }
}

fn print_patch(patch: &Input, args: &CatArgs, out: &mut Output) -> Result<Exit> {
    let form = args.patch_form()?;
    if form == PatchForm::Cql {
        return super::cat_cql::run(patch, args, out);
    }
    let tables = PatchReader::new(patch)?.header().tables.clone();
    if let Some(missing) = args
        .tables
        .tables
        .iter()
        .find(|name| !tables.iter().any(|table| table.name == **name))
    {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        return Err(Error::usage(
            format!("there is no table {missing:?}"),
            format!("tables are: {}", names.join(", ")),
        ));
    }
    let mut left = args.limit.unwrap_or(u64::MAX);
    ops::begin(form, &tables, out)?;
    for pass in Pass::of(form) {
        if !print_ops(patch, args, *pass, &mut left, out)? {
            out.warn(format!(
                "stopped after {} (--limit); there are more",
                counted(args.limit.unwrap_or(0), "operation")
            ));
            break;
        }
    }
    ops::end(form, out)?;
    Ok(Exit::DONE)
}

/// Prints the chosen operations of a patch; returns false where more than `left` were to be printed.
fn print_ops(
    patch: &Input,
    args: &CatArgs,
    pass: Pass,
    left: &mut u64,
    out: &mut Output,
) -> Result<bool> {
    let form = args.patch_form()?;
    let mut reader = PatchReader::new(patch)?;
    let tables = reader.header().tables.clone();
    let mut current: Option<(&PatchTable, Coverage)> = None;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Table(index) => {
                current = None;
                let Some(table) = tables.get(index) else {
                    continue;
                };
                if args.tables.tables.is_empty() || args.tables.tables.contains(&table.name) {
                    current = Some((table, args.coverage(&table.schema)?));
                    if tables.len() > 1 && form == PatchForm::Text {
                        out.line(format!("table {}", output::name(&table.name)))?;
                    }
                }
            }
            Record::Range { .. } => {}
            Record::Op(op) => {
                let Some((table, coverage)) = &current else {
                    continue;
                };
                if !coverage.contains(&op.key) || !pass.prints(&op) {
                    continue;
                }
                if *left == 0 {
                    return Ok(false);
                }
                *left -= 1;
                ops::print(table, &op, form, args.hex, out)?;
            }
        }
    }
    Ok(true)
}

impl CatArgs {
    /// The keys that are asked for.
    pub(super) fn coverage(&self, schema: &Schema) -> Result<Coverage> {
        match self.hex {
            true => self.range.coverage_in_hex(),
            false => self.range.coverage(schema),
        }
    }
}

fn print_snapshot(
    snapshot: &dyn Snapshot,
    options: &SourceOptions,
    args: &CatArgs,
    out: &mut Output,
) -> Result<Exit> {
    let tables = args.tables.of(snapshot)?;
    if args.ties_only {
        let listed = super::cat_ties::run(&tables, args, out);
        snapshot.check_unchanged()?;
        return listed;
    }
    let printed = print_tables(&tables, options, args, out);
    // A file that changed explains whatever else was seen in it.
    snapshot.check_unchanged()?;
    let left_out = printed?;
    if let (true, Some(limit)) = (left_out.cut, args.limit) {
        out.flush()?;
        out.note(format!(
            "stopped after {}, as --limit asks; there are more",
            counted(limit, "row")
        ));
    }
    Ok(if left_out.unreadable {
        Exit::Damaged
    } else {
        Exit::DONE
    })
}

fn print_tables(
    tables: &[&dyn Table],
    options: &SourceOptions,
    args: &CatArgs,
    out: &mut Output,
) -> Result<LeftOut> {
    let mut left_out = LeftOut::default();
    let mut rows_left = args.limit;
    if args.csv {
        let table = convert::only_table(tables)?;
        return print_csv(table, options, args, &mut rows_left, out);
    }
    for table in tables {
        let coverage = args.coverage(table.schema())?;
        let lines = Lines {
            table: table.name(),
            schema: table.schema(),
            form: if args.json { Form::Json } else { Form::Text },
            hex: args.hex,
            name_table: tables.len() > 1,
            cut: out.is_terminal() && !args.json && !args.hex,
        };
        for range in coverage.ranges() {
            convert::settle(*table, range)?;
            let threads = rayon::current_num_threads();
            if threads > 1 && rows_left.is_none() && !args.keep_going {
                rows::print_in_parallel(*table, range, &lines, threads, out)?;
                continue;
            }
            let left =
                rows::print_serially(*table, range, &lines, &mut rows_left, args.keep_going, out)?;
            left_out.unreadable |= left.unreadable;
            if left.cut {
                left_out.cut = true;
                return Ok(left_out);
            }
        }
    }
    Ok(left_out)
}

fn print_csv(
    table: &dyn Table,
    options: &SourceOptions,
    args: &CatArgs,
    rows_left: &mut Option<u64>,
    out: &mut Output,
) -> Result<LeftOut> {
    let coverage = args.range.coverage(table.schema())?;
    let csv = convert::writer_named("csv")?;
    let mut writer = convert::create(csv, out.writer()?, table.schema(), options)?;
    let mut left_out = LeftOut::default();
    'ranges: for range in coverage.ranges() {
        convert::settle(table, range)?;
        let mut rows = table.scan(range)?;
        while let Some(row) = rows.next()? {
            match rows_left {
                Some(0) => {
                    left_out.cut = true;
                    break 'ranges;
                }
                Some(left) => *left -= 1,
                None => {}
            }
            writer.put(row)?;
        }
    }
    writer.finish()?;
    Ok(left_out)
}

#[cfg(test)]
#[path = "cat_tests.rs"]
mod tests;
