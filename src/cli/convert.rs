//! `mdiff convert`: any snapshot to a format mdiff writes.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;

use super::args::{ForceArgs, SourceArgs};
use super::changes_export as changes;
use super::choose::TableArgs;
use super::exit::Exit;
use super::ingest::convert_patch;
use super::kind::Found;
use super::outfile;
use super::output::{Output, counted};
use super::sides::open_origin;
use crate::error::{Error, Result};
use crate::file::replace::AtomicFile;
use crate::range::KeyRange;
use crate::row::Schema;
use crate::source::csv::is_tab_separated;
use crate::source::{FORMATS, Format, RowWriter, Snapshot, SourceOptions, Table};

const LONG: &str = "\
Writes the rows of a snapshot, or the operations of a patch, in another format.

Examples:
  A table file to text, and back:
    mdiff convert a.sst -o a.csv
    mdiff convert a.csv -o a-again.sst --compression zstd

  Text that is not sorted to text that is:
    mdiff convert users.csv --key id -o users-sorted.csv

  A patch to a table file of puts and deletes, for RocksDB to ingest:
    mdiff convert fix.mpatch -o fix.sst
    ldb --db=DIR ingest_extern_sst fix.sst

  One table of a database:
    mdiff convert /backups/db --table users -o users.sst

  An incremental export of DynamoDB to the patch that it is, given the full export before it:
    mdiff convert bucket/inc --base bucket/full --key pk,sk -o changes.mpatch

The end of OUT's name gives the format: .sst, .csv, .tsv (tabs between columns), .jsonl or .ddbjson (lines of DynamoDB's JSON); --to overrides it. Text is written as it is read: with --delimiter, --null and --no-header where they are given. Text that is not sorted is sorted in bounded memory, with temporary files. Of a patch of several tables each becomes a file of its own: OUT.sst gives OUT.TABLE.sst. OUT appears whole or not at all; `-o -` is stdout, and wants --to.";

/// Arguments of `mdiff convert`.
#[derive(Debug, Clone, Args)]
#[command(about = "Writes a snapshot or a patch in another format", long_about = LONG)]
pub struct ConvertArgs {
    /// A snapshot or a patch
    #[arg(value_name = "SNAPSHOT|PATCH")]
    pub input: PathBuf,

    /// Where the rows go; - is stdout
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// The format to write, instead of what OUT's name says
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<String>,

    /// DynamoDB: the full export that SNAPSHOT, an incremental one, goes on from
    ///
    /// The output is the table after the changes; or, where OUT is a .mpatch, the patch from FULL to it. An incremental export by
    /// itself can't be a patch: it says nothing of the rows that did not change, which a patch knows the sums of. Old images
    /// that are not what FULL holds are refused with exit code 1.
    #[arg(long, value_name = "FULL")]
    pub base: Option<PathBuf>,

    /// Compression of a .sst: none, snappy, lz4 or zstd
    #[arg(long, value_name = "NAME", default_value = "lz4", value_parser = ["none", "snappy", "lz4", "zstd"])]
    pub compression: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub force: ForceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tables: TableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// Runs `mdiff convert`.
///
/// # Errors
///
/// Those of reading and writing.
pub fn run(args: &ConvertArgs, out: &mut Output) -> Result<Exit> {
    args.tables.check_one_side()?;
    if changes::is_patch(args) {
        return changes::to_patch(args, out);
    }
    let to = to_format(args)?;
    let to_stdout = args.output == Path::new("-");
    if !to_stdout {
        let inputs: Vec<&Path> = changes::inputs(args).collect();
        outfile::check(&args.output, args.force.force, &inputs)?;
    }
    let mut options = args.source.for_output(&args.output).options();
    options.write_compression = args.compression.clone();
    match Found::open(&args.input, &options.file)? {
        Found::Snapshot(origin) => {
            let snapshot = match &args.base {
                Some(base) => changes::target(origin, base, &options, out)?,
                None => open_origin(origin, &options, out)?,
            };
            if is_tab_separated(&args.output) || args.to.as_deref().is_some_and(is_tab_name) {
                options.text.delimiter = Some(b'\t');
            }
            convert_snapshot(&*snapshot, to, &options, args, out)
        }
        _ if args.base.is_some() => Err(Error::usage(
            format!("{} is no incremental export", args.input.display()),
            "--base goes with an incremental export of DynamoDB",
        )),
        Found::Patch(input) => convert_patch(&input, to, &options, args, out),
        Found::Tree(_) => Err(Error::usage(
            format!("{} is a tree, which holds no rows", args.input.display()),
            "convert the snapshot that it was built of",
        )),
    }
}

fn convert_snapshot(
    snapshot: &dyn Snapshot,
    to: &Format,
    options: &SourceOptions,
    args: &ConvertArgs,
    out: &mut Output,
) -> Result<Exit> {
    let table = only_table(&args.tables.of(snapshot)?)?;
    if args.output == Path::new("-") {
        settle(table, &KeyRange::all())?;
        write_rows(table, create(to, out.writer()?, table.schema(), options)?)?;
        snapshot.check_unchanged()?;
        return Ok(Exit::DONE);
    }
    loop {
        let mut file = AtomicFile::create(&args.output, args.force.force)?;
        let written = create(to, Box::new(&mut file), table.schema(), options)
            .and_then(|writer| write_rows(table, writer));
        snapshot.check_unchanged()?;
        match written {
            Ok(rows) => {
                file.read_back()?;
                file.commit()?;
                out.note(format!(
                    "{}: {}",
                    args.output.display(),
                    counted(rows, "row")
                ));
                return Ok(Exit::DONE);
            }
            Err(error) if table.recover(&error)? => {}
            Err(error) => return Err(error),
        }
    }
}

/// Starts a file of `format` on `out`.
pub(super) fn create<'a>(
    format: &Format,
    out: Box<dyn Write + 'a>,
    schema: &Schema,
    options: &SourceOptions,
) -> Result<Box<dyn RowWriter + 'a>> {
    match format.create {
        Some(create) => create(out, schema, options),
        None => Err(Error::usage(
            format!("mdiff does not write {:?}", format.name),
            "",
        )),
    }
}

fn is_tab_name(name: &str) -> bool {
    is_tab_separated(&Path::new("rows").with_extension(name))
}

fn to_format(args: &ConvertArgs) -> Result<&'static Format> {
    let extension = args.output.extension().and_then(|text| text.to_str());
    let Some(name) = args.to.as_deref().or(extension) else {
        return Err(Error::usage(
            format!("the name {} does not say a format", args.output.display()),
            format!("name one with --to: {}", writable()),
        ));
    };
    writer_named(name)
}

/// The writer of the format of this name, or of files with this ending.
///
/// # Errors
///
/// Usage, where mdiff writes no such format.
pub(super) fn writer_named(name: &str) -> Result<&'static Format> {
    FORMATS
        .iter()
        .filter(|format| format.create.is_some())
        .find(|format| format.name == name || format.extensions.contains(&name))
        .ok_or_else(|| {
            Error::usage(
                format!("mdiff does not write {name:?}"),
                format!("formats to write are: {}", writable()),
            )
        })
}

fn writable() -> String {
    let names: Vec<&str> = FORMATS
        .iter()
        .filter(|format| format.create.is_some())
        .map(|format| format.name)
        .collect();
    names.join(", ")
}

/// The one table of the chosen ones, for outputs that hold one.
///
/// # Errors
///
/// Usage, where there are more or none.
pub(super) fn only_table<'t>(tables: &[&'t dyn Table]) -> Result<&'t dyn Table> {
    match tables {
        [table] => Ok(*table),
        [] => Err(Error::usage("the snapshot has no table", "")),
        more => {
            let names: Vec<&str> = more.iter().map(|table| table.name()).collect();
            Err(Error::usage(
                format!(
                    "the snapshot has {} tables, the output holds one",
                    more.len()
                ),
                format!("choose one with --table: {}", names.join(", ")),
            ))
        }
    }
}

/// Scans in vain where a first scan may fail for a reason that the table can mend: rows that went to stdout can't be
/// taken back.
///
/// # Errors
///
/// Those of the scan that can't be mended.
pub(super) fn settle(table: &dyn Table, range: &KeyRange) -> Result<()> {
    let scan = |piece: &KeyRange| table.scan(piece)?.for_each(&mut |_| Ok(()));
    while table.may_recover() {
        let scanned = table
            .split(range, rayon::current_num_threads() * 4)
            .and_then(|cuts| range.cut_at(&cuts).par_iter().try_for_each(scan));
        match scanned {
            Ok(()) => break,
            Err(error) if table.recover(&error)? => {}
            // The scan that prints meets it again, and prints the rows before it.
            Err(_) => break,
        }
    }
    Ok(())
}

fn write_rows(table: &dyn Table, mut writer: Box<dyn RowWriter + '_>) -> Result<u64> {
    let mut rows = 0;
    table.scan(&KeyRange::all())?.for_each(&mut |row| {
        rows += 1;
        writer.put(row)
    })?;
    writer.finish()?;
    Ok(rows)
}
