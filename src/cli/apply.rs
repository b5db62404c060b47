//! `mdiff apply`: base and patch to the target, proven.

use std::path::PathBuf;

use clap::Args;

use super::args::{ForceArgs, KeyFileArgs, SourceArgs};
use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

const LONG: &str = "\
Writes the snapshot that a patch makes of its base, and proves that it is the target.

Examples:
  Repair b:
    mdiff apply b.sst fix.mpatch -o b-repaired.sst

  Would it fit? Reads all, writes nothing:
    mdiff apply b.sst fix.mpatch --dry-run

OUT is in the format of BASE, which is never touched. A base that is not the one the patch was made for, or that has the patch already, is refused with exit code 1; a damaged patch with 3. OUT appears whole, with every row proven to be the target's, or not at all.";

/// Arguments of `mdiff apply`.
#[derive(Debug, Clone, Args)]
#[command(about = "Applies a patch to its base and proves the result", long_about = LONG)]
pub struct ApplyArgs {
    /// The snapshot to repair; it is only read
    pub base: PathBuf,

    /// The patch
    pub patch: PathBuf,

    /// Where the repaired snapshot goes
    #[arg(short, long, value_name = "OUT", required_unless_present = "dry_run")]
    pub output: Option<PathBuf>,

    /// Check that the patch fits and gives the target, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub force: ForceArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub key_file: KeyFileArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// Runs `mdiff apply`.
///
/// # Errors
///
/// WrongBase where the base does not match; Damaged for the patch; those of reading and writing.
pub fn run(args: &ApplyArgs, out: &mut Output) -> Result<Exit> {
    let _ = (args, out);
    Err(super::not_yet("apply"))
}
