//! `mdiff verify`: does a snapshot still hold what its tree recorded?

use std::path::PathBuf;

use clap::Args;

use super::args::{KeyFileArgs, SourceArgs};
use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

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
    let _ = (args, out);
    Err(super::not_yet("verify"))
}
