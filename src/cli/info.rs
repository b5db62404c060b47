//! `mdiff info`: what a file is and says of itself.

use std::path::PathBuf;

use clap::Args;

use super::args::SourceArgs;
use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

const LONG: &str = "\
Says what a file is and what it says of itself: a snapshot, a tree or a patch.

Examples:
  A tree: its tables, rows, root, hash, leaves and coverage:
    mdiff info a.mtree

  A table file: its format, compression, checksums and counts:
    mdiff info a.sst

  The digest of the content, equal for equal rows, in a script:
    mdiff info a.mtree --json | jq -r .content

Of a snapshot, only what lies in its headers and indexes is read, and the numbers are what the file claims; of a tree or a patch, all that is printed is checked.";

/// Arguments of `mdiff info`.
#[derive(Debug, Clone, Args)]
#[command(about = "Says what a file is and what it says of itself", long_about = LONG)]
pub struct InfoArgs {
    /// A snapshot, a tree or a patch
    pub file: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// Runs `mdiff info`.
///
/// # Errors
///
/// Those of reading.
pub fn run(args: &InfoArgs, out: &mut Output) -> Result<Exit> {
    let _ = (args, out);
    Err(super::not_yet("info"))
}
