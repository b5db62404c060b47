//! `mdiff patch`: the rows that make one snapshot equal another, as a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::apply::hash_of;
use super::args::ForceArgs;
use super::exit::Exit;
use super::outfile;
use super::output::{self, Output, counted};
use super::replicas::{Replicas, TreeChoice};
use super::sides::Plan;
use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::file::replace::AtomicFile;
use crate::patch::read::invert;
use crate::patch::write::PatchCounts;
use crate::patch::{PatchHeader, PatchReader, PatchTable, PatchWriter};

const LONG: &str = "\
Writes the patch that makes BASE equal to TARGET: the rows that differ, and the proof.

Examples:
  Repair b with the rows of a:
    mdiff patch b.sst a.sst -o fix.mpatch
    mdiff apply b.sst fix.mpatch -o b-repaired.sst

  The same with trees built before: only the ranges that differ are read:
    mdiff patch b.sst a.sst -o fix.mpatch --trees b.mtree a.mtree

  A patch that can be turned round later, without the snapshots:
    mdiff patch b.sst a.sst -o fix.mpatch --reversible
    mdiff patch --invert fix.mpatch -o undo.mpatch

Trees given by --trees, or found beside the snapshots as SNAPSHOT.mtree, save reading what is the same. The rows that are read are checked against them; ranges in which the trees agree are not read at all.

A patch knows its base and its target by their fingerprints, so that apply can refuse any other base before it writes a byte, and prove the result. Look into one with `mdiff cat`. The exit code is 0 when the patch is written, also when it is empty.";

/// Arguments of `mdiff patch`.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Writes the patch that makes BASE equal to TARGET",
    long_about = LONG,
    override_usage = "mdiff patch [OPTIONS] <BASE> <TARGET> [-o <OUT.mpatch>]\n       mdiff patch [OPTIONS] --invert <PATCH> -o <OUT.mpatch>"
)]
pub struct PatchArgs {
    /// The snapshot to repair
    #[arg(required_unless_present = "invert")]
    pub base: Option<PathBuf>,

    /// The snapshot that it shall equal
    #[arg(required_unless_present = "invert")]
    pub target: Option<PathBuf>,

    /// Where the patch goes; default: BASE.mpatch
    #[arg(
        short,
        long,
        value_name = "OUT.mpatch",
        required_unless_present = "base"
    )]
    pub output: Option<PathBuf>,

    /// Turn a reversible patch round: from TARGET back to BASE
    #[arg(long, value_name = "PATCH", conflicts_with_all = ["base", "target", "trees", "reversible"])]
    pub invert: Option<PathBuf>,

    /// Keep the old values too, so that the patch can be turned round
    #[arg(long)]
    pub reversible: bool,

    /// Trees of the two snapshots, built before
    #[arg(long, num_args = 2, value_names = ["BASE.mtree", "TARGET.mtree"], conflicts_with = "no_trees")]
    pub trees: Vec<PathBuf>,

    /// Do not use trees that lie beside the snapshots
    #[arg(long)]
    pub no_trees: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub force: ForceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub plan: Plan,
}

/// Runs `mdiff patch`.
///
/// # Errors
///
/// Those of reading and writing; Usage where `--invert` gets a patch without old values.
pub fn run(args: &PatchArgs, out: &mut Output) -> Result<Exit> {
    match (&args.base, &args.target, &args.invert, &args.output) {
        (None, None, Some(patch), Some(output)) => run_invert(args, patch, output, out),
        (Some(base), Some(target), None, output) => {
            let output = output.clone().unwrap_or_else(|| {
                let mut name = base.as_os_str().to_owned();
                name.push(".mpatch");
                PathBuf::from(name)
            });
            run_patch(args, base, target, &output, out)
        }
        _ => Err(Error::usage(
            "give BASE and TARGET, or --invert PATCH -o OUT",
            "see: mdiff patch --help",
        )),
    }
}

/// What is read besides snapshots and patches, and no more to be replaced than those.
fn other_inputs(args: &PatchArgs) -> impl Iterator<Item = &Path> {
    let files = [&args.plan.tree.key_file.key_file, &args.plan.tree.split_at];
    let files = files.into_iter().flatten().chain(&args.trees);
    files.map(PathBuf::as_path)
}

fn run_patch(
    args: &PatchArgs,
    base: &Path,
    target: &Path,
    output: &Path,
    out: &mut Output,
) -> Result<Exit> {
    let inputs: Vec<&Path> = [base, target]
        .into_iter()
        .chain(other_inputs(args))
        .collect();
    outfile::check(output, args.force.force, &inputs)?;
    let plan = Plan {
        source: args.plan.source.for_output(output),
        ..args.plan.clone()
    };
    let choice = TreeChoice {
        given: &args.trees,
        none_beside: args.no_trees,
    };
    let pair = Replicas::open(&[base, target], &choice, &plan, &|_| Ok(()), out)?;
    if pair.trees[1]
        .header()
        .tables
        .iter()
        .any(|table| table.summary.unreadable_leaves > 0)
    {
        return Err(Error::usage(
            format!(
                "{}: some of its keys can't be read, so it can't be the target of a patch",
                target.display()
            ),
            "take a healthy replica as the target",
        ));
    }
    let has_unreadable = pair.has_unreadable();
    let (names, force) = (&args.plan.tables.tables, args.force.force);
    write(&pair, names, args.reversible, output, force, out)?;
    Ok(if has_unreadable {
        Exit::Damaged
    } else {
        Exit::DONE
    })
}

/// Writes the patch between the two sides of a pair.
///
/// # Errors
///
/// Those of reading and writing.
pub(super) fn write(
    pair: &Replicas,
    names: &[String],
    reversible: bool,
    output: &Path,
    force: bool,
    out: &mut Output,
) -> Result<()> {
    let tables = pair.tables(names)?;
    let header = PatchHeader {
        hash: pair.hash.id(),
        reversible,
        tables: tables
            .iter()
            .map(|table| {
                let views = table.views(&pair.trees);
                PatchTable::new(&views[0], &views[1])
            })
            .collect(),
    };
    let wrap = |e| Error::io("writing", output, e);
    let mut file = AtomicFile::create(output, force)?;
    let mut writer = PatchWriter::new(&mut file, &wrap, &header, &pair.hash, true)?;
    for (index, table) in tables.iter().enumerate() {
        writer.table(index)?;
        pair.diff(table, &mut writer)?;
    }
    let (counts, raw_bytes) = writer.finish()?;
    pair.check_unchanged()?;
    finish(file, output, counts, out)?;
    out.detail(format!("{raw_bytes} bytes before compression"));
    Ok(())
}

fn run_invert(args: &PatchArgs, patch: &Path, output: &Path, out: &mut Output) -> Result<Exit> {
    let inputs: Vec<&Path> = [patch].into_iter().chain(other_inputs(args)).collect();
    outfile::check(output, args.force.force, &inputs)?;
    let input = Input::open(patch, &args.plan.source.options().file)?;
    let mut reader = PatchReader::new(&input)?;
    let hash = hash_of(&reader.header().hash, &args.plan.tree.key_file, patch)?;
    let mut file = AtomicFile::create(output, args.force.force)?;
    let counts = invert(&mut reader, &hash, &mut file, &|e| {
        Error::io("writing", output, e)
    })?;
    finish(file, output, counts, out)?;
    Ok(Exit::DONE)
}

fn finish(
    mut file: AtomicFile,
    output: &Path,
    counts: PatchCounts,
    out: &mut Output,
) -> Result<()> {
    let len = read_back(&mut file, output)?;
    file.commit()?;
    out.line(format!(
        "{}: {} and {} in {}, {}",
        output::name(output.display()),
        counted(counts.puts, "put"),
        counted(counts.deletes, "delete"),
        counted(counts.ranges, "key range"),
        output::bytes(len)
    ))
}

/// Reads a patch back, every digest checked, before it takes its name; returns its bytes.
///
/// # Errors
///
/// Those of writing and reading.
pub fn read_back(file: &mut AtomicFile, output: &Path) -> Result<u64> {
    file.flush().map_err(|e| Error::io("writing", output, e))?;
    let written = Input::open(file.path(), &FileOptions::default())?;
    let mut reader = PatchReader::new(&written)?;
    while reader.next_record()?.is_some() {}
    Ok(written.len())
}
