//! `mdiff compare`: two or more trees or snapshots to divergent key ranges.

use std::path::PathBuf;

use clap::Args;

use super::args::ExitZeroArgs;
use super::exit::Exit;
use super::lag;
use super::output::Output;
use super::report::{Form, report};
use super::sides::{self, Opened, Plan};
use crate::error::{Error, Result};

const LONG: &str = "\
Says whether replicas hold the same rows, and in which key ranges they do not.

Examples:
  Two trees, in milliseconds whatever their size:
    mdiff compare a.mtree b.mtree

  Snapshots; the trees are built on the way:
    mdiff compare a.sst b.sst

  Three replicas: who is the odd one out, range by range?
    mdiff compare r1.mtree r2.mtree r3.mtree --ranges

  In a script:
    mdiff compare a.mtree b.mtree --json > verdict.json

Trees and snapshots mix, and so do trees of different leaf sizes, split keys and coverages: they compare on what they share, and what they do not share is said. Trees of different hashes or keys are refused. A range that one side could not read is never equal.";

/// Arguments of `mdiff compare`.
#[derive(Debug, Clone, Args)]
#[command(about = "Says whether replicas are the same, and which key ranges are not", long_about = LONG)]
pub struct CompareArgs {
    /// Two to sixteen trees or snapshots; the first is the left side
    #[arg(required = true, num_args = 2..=16, value_name = "TREE|SNAPSHOT")]
    pub sides: Vec<PathBuf>,

    /// Print one JSON document
    ///
    /// It has "schema": "mdiff/1"; fields are only ever added to that. "warnings" are objects with a "code", the "tables" and a
    /// "text".
    #[arg(long)]
    pub json: bool,

    /// List every divergent range, not only the first ten
    #[arg(long)]
    pub ranges: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub exit_zero: ExitZeroArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub plan: Plan,
}

/// Runs `mdiff compare`.
///
/// # Errors
///
/// Those of reading, and Usage where the sides can't be compared.
pub fn run(args: &CompareArgs, out: &mut Output) -> Result<Exit> {
    let plan = &args.plan;
    let mut options = plan.source.options();
    let sides = sides::open_all(&args.sides, &plan.tables, &mut options, out)?;
    let snapshots = args.sides.iter().zip(&sides).filter_map(|(path, side)| {
        let Opened::Snapshot(snapshot) = side else {
            return None;
        };
        Some((path.as_path(), snapshot.as_ref()))
    });
    lag::warn(snapshots, out);
    let option = plan.range.option().or(plan.tree.shape_option());
    if let Some(option) = option
        && sides.iter().all(|side| matches!(side, Opened::Tree(_)))
    {
        return Err(Error::usage(
            format!("{option} says how trees are built, but every side is a tree already"),
            "compare the snapshots, or build the trees with it",
        ));
    }
    let trees = plan.trees(sides, &args.sides, out)?;
    let form = Form {
        json: args.json,
        all_ranges: args.ranges,
    };
    let exit = report(&args.sides, &trees, &args.plan.tables.tables, &form, out)?;
    trees.iter().try_for_each(|tree| tree.check_unchanged())?;
    Ok(exit.or_zero(args.exit_zero.exit_zero))
}
