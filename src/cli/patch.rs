//! `mdiff patch`: the rows that make one snapshot equal another, as a file.

use std::path::PathBuf;

use clap::Args;

use super::args::{ForceArgs, RangeArgs, SourceArgs, TableArgs, TreeArgs};
use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

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
    pub tree: TreeArgs,
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

/// Runs `mdiff patch`.
///
/// # Errors
///
/// Those of reading and writing; Usage where `--invert` gets a patch without old values.
pub fn run(args: &PatchArgs, out: &mut Output) -> Result<Exit> {
    let _ = (args, out);
    Err(super::not_yet("patch"))
}
