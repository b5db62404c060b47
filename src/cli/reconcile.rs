//! `mdiff reconcile`: the last write wins across replicas; a patch for each holds what it lacks.

mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{ExitZeroArgs, ForceArgs};
use super::exit::Exit;
use super::outfile;
use super::output::{Output, counted};
use super::patch::read_back;
use super::replicas::{Replicas, TreeChoice};
use super::sides::{Plan, SharedTable, schemas_of};
use crate::build::chosen_tables;
use crate::error::{Error, Result};
use crate::file::replace::AtomicFile;
use crate::patch::write::PatchCounts;
use crate::patch::{PatchHeader, PatchSide, PatchTable, PatchWriter};
use crate::reconcile::{Found, ReconcileOptions, Rule, reconcile};
use crate::row::{Schema, check_same_schema};
use crate::source::Snapshot;
use report::Report;

const LONG: &str = "\
Makes replicas agree, the last write winning: a patch for each replica holds only what that one lacks. Once every patch is applied, all have the same root.

Examples:
  Three replicas of a Cassandra table; what the second lacks, as CQL statements:
    mdiff reconcile n1/orders n2/orders n3/orders -o fix
    mdiff cat fix.2.mpatch --format cql --base n2/orders --table shop.orders

  Three exports of a table, whose column updated_at says which row is newer:
    mdiff reconcile r1.csv r2.csv r3.csv --version-column updated_at -o fix
    mdiff apply r2.csv fix.2.mpatch -o r2-repaired.csv

  Only tell what would be done:
    mdiff reconcile n1/orders n2/orders --dry-run

-o fix writes fix.1.mpatch, fix.2.mpatch and so on, one for each replica in the order given; a replica that lacks nothing gets an empty one. The order of the replicas decides nothing else.

Cassandra and ScyllaDB tables: cells are merged by timestamp, as Cassandra merges SSTables. Tombstones win as they do there, those of partitions and ranges too; equal timestamps go by --ties; counters merge shard by shard. All tombstones that are still in the files count, however old: with --gc-before, those made before it are not seen, and what they hide comes back. Build trees with --gc-before 0 for the same reason; others that lie beside the snapshots are not used. A cell whose TTL is over at --now counts as a tombstone. --view live has no timestamps and is refused. These patches keep old values too, for the statements need them. Counters can't be set by CQL.

Delimited text: of the rows of one key the one with the greatest --version-column wins. Versions are compared as numbers, exactly, if all replicas' versions of that key are decimal numbers (-12, 3.50, 1e6), else as bytes; a row whose version is empty or NULL loses. Of rows of one version the one with the greater columns wins (by bytes, columns in the order of their names), and that is counted as a conflict. A row that a replica lacks is taken over: text tells of no deletions, so a row deleted on one replica only comes back.

Opaque rows, those of RocksDB say, have no versions: choose a side with mdiff patch.

Only ranges that differ are read again. Trees given by --trees, or found beside all snapshots as SNAPSHOT.mtree, save reading the rest. The exit code is 0 if the replicas were the same already, and 1 if they differed and the patches are written.";

/// The earliest instant a tombstone can be made at, in seconds since 1970.
const ALL_TOMBSTONES: i64 = 0;

/// Most replicas at a time.
const REPLICAS_MAX: usize = 16;

/// Arguments of `mdiff reconcile`.
#[derive(Debug, Clone, Args)]
#[command(about = "Makes replicas agree, the last write winning: a patch for each", long_about = LONG)]
pub struct ReconcileArgs {
    /// Two to sixteen snapshots of one table, each of another replica
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshots: Vec<PathBuf>,

    /// Where the patches go: PREFIX.1.mpatch and so on
    #[arg(
        short,
        long,
        value_name = "PREFIX",
        required_unless_present = "dry_run"
    )]
    pub output: Option<PathBuf>,

    /// Write nothing, and tell what would be written
    #[arg(long)]
    pub dry_run: bool,

    /// Delimited text: the column by which the newer of two rows is known
    ///
    /// Not one of the key's. Greater is newer: by number where all versions of a key are decimal numbers, else by bytes.
    #[arg(long, value_name = "COL")]
    pub version_column: Option<String>,

    /// Keep the old values too, so that the patches can be turned round
    #[arg(long)]
    pub reversible: bool,

    /// Print one JSON document
    ///
    /// It has "schema": "mdiff/1"; fields are only ever added to that.
    #[arg(long)]
    pub json: bool,

    /// Trees of the snapshots, built before, in the same order
    #[arg(long, num_args = 2..=16, value_name = "TREE", conflicts_with = "no_trees")]
    pub trees: Vec<PathBuf>,

    /// Do not use trees that lie beside the snapshots
    #[arg(long)]
    pub no_trees: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub force: ForceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub exit_zero: ExitZeroArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub plan: Plan,
}

/// Runs `mdiff reconcile`.
///
/// # Errors
///
/// Those of reading and writing; Usage where nothing tells which write is the last.
pub fn run(args: &ReconcileArgs, out: &mut Output) -> Result<Exit> {
    let outputs = outputs(args);
    check_files(args, &outputs)?;
    let mut plan = args.plan.clone();
    if let Some(first) = outputs.first() {
        plan.source = plan.source.for_output(first);
    }
    if args.trees.is_empty() {
        // However old: a deletion that is not seen would be undone.
        plan.source.gc_before.get_or_insert(ALL_TOMBSTONES);
    }
    let choice = TreeChoice {
        given: &args.trees,
        none_beside: args.no_trees,
    };
    let paths: Vec<&Path> = args.snapshots.iter().map(PathBuf::as_path).collect();
    let check = |snapshots: &[Box<dyn Snapshot>]| check_snapshots(args, snapshots);
    let replicas = Replicas::open(&paths, &choice, &plan, &check, out)?;
    check_readable(args, &replicas)?;
    warn_of_unseen_tombstones(args, &replicas, out);
    let tables = replicas.tables(&args.plan.tables.tables)?;
    let mut found = Vec::new();
    for table in &tables {
        found.push(find(args, &replicas, table, &plan)?);
    }
    replicas.check_unchanged()?;
    let written = match args.dry_run {
        true => Vec::new(),
        false => write(args, &outputs, &replicas, &tables, &found, out)?,
    };
    let report = Report {
        args,
        outputs: &outputs,
        tables: &tables,
        found: &found,
        written: &written,
    };
    match args.json {
        true => out.json(&report.json())?,
        false => report.text(out)?,
    }
    Ok(Exit::different_if(report.rows() > 0).or_zero(args.exit_zero.exit_zero))
}

/// The names of the patches; none in a dry run.
fn outputs(args: &ReconcileArgs) -> Vec<PathBuf> {
    let Some(prefix) = args.output.as_ref().filter(|_| !args.dry_run) else {
        return Vec::new();
    };
    (1..=args.snapshots.len())
        .map(|number| {
            let mut name = prefix.as_os_str().to_owned();
            name.push(format!(".{number}.mpatch"));
            PathBuf::from(name)
        })
        .collect()
}

fn check_files(args: &ReconcileArgs, outputs: &[PathBuf]) -> Result<()> {
    let count = args.snapshots.len();
    if !(2..=REPLICAS_MAX).contains(&count) {
        return Err(Error::usage(
            format!("{} to reconcile", counted(count as u64, "snapshot")),
            format!("name two to {REPLICAS_MAX} snapshots of one table, each of another replica"),
        ));
    }
    if !args.trees.is_empty() && args.trees.len() != count {
        return Err(Error::usage(
            format!(
                "{} given for {}",
                counted(args.trees.len() as u64, "tree"),
                counted(count as u64, "snapshot")
            ),
            "give --trees one tree for each snapshot, in the same order",
        ));
    }
    if args.plan.tree.keep_going {
        return Err(Error::usage(
            "--keep-going does not go with reconcile: what can't be read may hold the last write",
            "make the damaged replica equal to a healthy one first: mdiff patch --keep-going DAMAGED HEALTHY",
        ));
    }
    let files = [&args.plan.tree.key_file.key_file, &args.plan.tree.split_at];
    let inputs: Vec<&Path> = files
        .into_iter()
        .flatten()
        .chain(&args.trees)
        .chain(&args.snapshots)
        .map(PathBuf::as_path)
        .collect();
    outputs
        .iter()
        .try_for_each(|output| outfile::check(output, args.force.force, &inputs))
}

/// Refuses snapshots that can't be reconciled before hours go into reading them.
fn check_snapshots(args: &ReconcileArgs, snapshots: &[Box<dyn Snapshot>]) -> Result<()> {
    let mut by_table: BTreeMap<&str, Vec<(&Path, &Schema)>> = BTreeMap::new();
    for (snapshot, path) in snapshots.iter().zip(&args.snapshots) {
        for table in chosen_tables(snapshot.as_ref(), &args.plan.tables.tables)? {
            let schemas = by_table.entry(table.name()).or_default();
            schemas.push((path, table.schema()));
        }
    }
    for schemas in by_table.values() {
        let Some(((first_path, first), others)) = schemas.split_first() else {
            continue;
        };
        for (path, schema) in others {
            check_same_schema(first, schema).map_err(|error| {
                let what = format!(
                    "{} (left) and {} (right): {error}",
                    first_path.display(),
                    path.display()
                );
                Error::usage(what, error.hint().unwrap_or_default())
            })?;
        }
        let schemas: Vec<&Schema> = schemas.iter().map(|(_, schema)| *schema).collect();
        Rule::of(&schemas, args.version_column.as_deref())?;
    }
    Ok(())
}

fn check_readable(args: &ReconcileArgs, replicas: &Replicas) -> Result<()> {
    for (tree, path) in replicas.trees.iter().zip(&args.snapshots) {
        let mut tables = tree.header().tables.iter();
        if tables.any(|table| table.summary.unreadable_leaves > 0) {
            return Err(Error::usage(
                format!(
                    "{}: some of its keys can't be read, and may hold the last write",
                    path.display()
                ),
                "make it equal to a healthy replica first, with mdiff patch",
            ));
        }
    }
    Ok(())
}

/// Trees do not tell of the tombstones that were too old when they were built.
fn warn_of_unseen_tombstones(args: &ReconcileArgs, replicas: &Replicas, out: &Output) {
    let has_unseen = |schema: &Schema| match schema {
        Schema::Cql(cql) => cql.gc_before > ALL_TOMBSTONES,
        _ => false,
    };
    let mut schemas = replicas.trees.iter().flat_map(schemas_of);
    if !args.trees.is_empty() && schemas.any(|(_, schema)| has_unseen(schema)) {
        out.warn(
            "these trees know nothing of tombstones made before their --gc-before: rows deleted on one replica may come back; build them with --gc-before 0, or leave out --trees",
        );
    }
}

/// The rule for a table, by the schemas of all replicas.
fn rule(args: &ReconcileArgs, replicas: &Replicas, table: &SharedTable) -> Result<Rule> {
    let empty = replicas.empty_table(table);
    let sides = replicas.sides(table, &empty);
    let schemas: Vec<&Schema> = sides.iter().map(|side| side.table.schema()).collect();
    Rule::of(&schemas, args.version_column.as_deref())
}

fn find(
    args: &ReconcileArgs,
    replicas: &Replicas,
    table: &SharedTable,
    plan: &Plan,
) -> Result<Found> {
    let empty = replicas.empty_table(table);
    let sides = replicas.sides(table, &empty);
    let views = table.views(&replicas.trees);
    for (side, view) in sides.iter().zip(&views) {
        check_same_schema(side.table.schema(), &view.header().schema)?;
    }
    let options = ReconcileOptions {
        hash: &replicas.hash,
        temp_dir: plan.source.temp_dir.clone(),
    };
    reconcile(&views, &sides, &rule(args, replicas, table)?, &options)
}

/// What was written for one replica.
struct Written {
    counts: PatchCounts,
    bytes: u64,
}

/// Writes all patches beside their places, reads all of them back, and only then gives them their names.
fn write(
    args: &ReconcileArgs,
    outputs: &[PathBuf],
    replicas: &Replicas,
    tables: &[SharedTable],
    found: &[Found],
    out: &mut Output,
) -> Result<Vec<Written>> {
    let headers = headers(args, replicas, tables, found)?;
    let mut files = outputs
        .iter()
        .map(|output| AtomicFile::create(output, args.force.force))
        .collect::<Result<Vec<_>>>()?;
    let wraps: Vec<_> = outputs
        .iter()
        .map(|output| move |e| Error::io("writing", output, e))
        .collect();
    let mut writers = Vec::new();
    for ((file, wrap), header) in files.iter_mut().zip(&wraps).zip(&headers) {
        writers.push(PatchWriter::new(file, wrap, header, &replicas.hash, true)?);
    }
    for (index, of_table) in found.iter().enumerate() {
        of_table.write(index, &mut writers)?;
    }
    let mut written = Vec::new();
    for writer in writers {
        let (counts, _) = writer.finish()?;
        written.push(Written { counts, bytes: 0 });
    }
    for ((file, output), written) in files.iter_mut().zip(outputs).zip(&mut written) {
        written.bytes = read_back(file, output)?;
    }
    for (done, file) in files.into_iter().enumerate() {
        if let Err(error) = file.commit() {
            let names = |outputs: &[PathBuf]| {
                let names = outputs.iter().map(|o| o.display().to_string());
                names.collect::<Vec<_>>().join(", ")
            };
            let (there, missing) = outputs.split_at(done);
            if !there.is_empty() {
                out.warn(format!("written: {}", names(there)));
            }
            out.warn(format!("not written: {}", names(missing)));
            return Err(error);
        }
    }
    Ok(written)
}

/// The headers of the patches, one for each replica.
fn headers(
    args: &ReconcileArgs,
    replicas: &Replicas,
    tables: &[SharedTable],
    found: &[Found],
) -> Result<Vec<PatchHeader>> {
    let mut headers = vec![
        PatchHeader {
            hash: replicas.hash.id(),
            reversible: args.reversible,
            tables: Vec::new(),
        };
        replicas.trees.len()
    ];
    for (table, found) in tables.iter().zip(found) {
        let rule = rule(args, replicas, table)?;
        let views = table.views(&replicas.trees);
        for (header, view) in headers.iter_mut().zip(&views) {
            let of_tree = view.header();
            // Without the old values, CQL statements could not tell what a row has to lose.
            header.reversible |= matches!(rule, Rule::Cells(_));
            header.tables.push(PatchTable {
                name: of_tree.name.clone(),
                schema: rule.patch_schema(&of_tree.schema),
                coverage: of_tree.coverage.clone(),
                base: PatchSide::of(of_tree),
                target: found.target.clone(),
            });
        }
    }
    Ok(headers)
}
