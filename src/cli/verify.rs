//! `mdiff verify`: does a snapshot still hold what its tree recorded?

use std::path::PathBuf;

use clap::Args;

use super::args::{KeyFileArgs, SourceArgs, TreeArgs};
use super::choose::TableArgs;
use super::exit::Exit;
use super::output::Output;
use super::report::{Form, report};
use super::sides::{self, Plan};
use crate::build::open_built;
use crate::error::Result;
use crate::mtree::Tree;

const LONG: &str = "\
Reads a snapshot again and says whether it holds the rows that its tree recorded.

Examples:
  Is this backup still what it was?
    mdiff verify backup.sst backup.mtree

  Is what was restored what was backed up, whatever its format now?
    mdiff verify restored.csv backup.mtree --key id

  In a script:
    mdiff verify -qq backup.sst backup.mtree || alarm \"backup: exit code $?\"

The snapshot is read as the tree was built: same hash, leaves, tables and coverage. Where rows changed, the key ranges are named, and how many rows each held and holds.";

/// Arguments of `mdiff verify`.
#[derive(Debug, Clone, Args)]
#[command(about = "Says whether a snapshot still holds what its tree recorded", long_about = LONG)]
pub struct VerifyArgs {
    /// The snapshot to read
    pub snapshot: PathBuf,

    /// The tree that was built of it
    pub tree: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

    /// List every range that changed, not only the first ten
    #[arg(long)]
    pub ranges: bool,

    /// Go on past damaged places, and never call them equal
    ///
    /// The exit code is 3.
    #[arg(long)]
    pub keep_going: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub key_file: KeyFileArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// Runs `mdiff verify`.
///
/// # Errors
///
/// Those of reading.
pub fn run(args: &VerifyArgs, out: &mut Output) -> Result<Exit> {
    let mut options = args.source.options();
    let origin = sides::find_snapshot(&args.snapshot, &options)?;
    let tree = Tree::open(&args.tree, &options.file)?;
    tree.check_all()?;
    sides::take_key(
        &mut options,
        tree.header().tables.first().map(|table| &table.schema),
    );
    sides::take_lens(&mut options, sides::schemas_of(&tree));
    let snapshot = sides::open_origin(origin, &options, out)?;
    let recorded: Vec<String> = tree
        .header()
        .tables
        .iter()
        .map(|table| table.name.clone())
        .collect();
    let (tables, others): (Vec<String>, Vec<String>) = snapshot
        .tables()
        .iter()
        .map(|table| table.name().to_owned())
        .partition(|name| recorded.contains(name));
    if !others.is_empty() {
        out.note(format!(
            "not in the tree, so not verified: {}",
            others.join(", ")
        ));
    }
    let plan = Plan {
        tree: TreeArgs {
            key_file: args.key_file.clone(),
            keep_going: args.keep_going,
            ..TreeArgs::default()
        },
        tables: TableArgs {
            tables: tables.clone(),
            ..TableArgs::default()
        },
        source: args.source.clone(),
        ..Plan::default()
    };
    let now = match tables.as_slice() {
        [] => open_built(Vec::new(), &args.snapshot, &tree.header().hash, None)?,
        _ => plan.build_tree(snapshot.as_ref(), &args.snapshot, Some(&tree), out)?,
    };
    let form = Form {
        json: args.json,
        all_ranges: args.ranges,
    };
    let exit = report(
        &[args.tree.clone(), args.snapshot.clone()],
        &[tree, now],
        &recorded,
        &form,
        out,
    )?;
    snapshot.check_unchanged()?;
    Ok(exit)
}
