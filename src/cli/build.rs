//! `mdiff build`: snapshots to trees.

use std::path::PathBuf;

use clap::Args;

use super::args::{ForceArgs, RangeArgs, SourceArgs, TableArgs, TreeArgs};
use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

const LONG: &str = "\
Builds the tree of a snapshot: its fingerprint, about a thousandth of its size.

Examples:
  The tree of a table file, beside it as replica-a.sst.mtree:
    mdiff build replica-a.sst

  Text with a key of two columns, and a column that may differ:
    mdiff build users.csv --key tenant,id --ignore-columns updated_at -o users.mtree

  For data an adversary may choose, or a tree that a stranger may see:
    mdiff build a.sst -o a.mtree --hash blake3 --key-file secret.key

The tree depends on the rows and these options alone: not on the layout of the files, their format's compression, the number of threads or the day. Without -o, each SNAPSHOT gets a tree of its own beside it, SNAPSHOT.mtree, where compare, diff and patch find it. With -o and several SNAPSHOTs, these are the shards of one replica and the tree is that of all their rows; a key in two shards is an error.

With --from, --to, --prefix or --table, the tree records what it covers, and compares on that.";

/// Arguments of `mdiff build`.
#[derive(Debug, Clone, Args)]
#[command(about = "Builds the tree of a snapshot", long_about = LONG)]
pub struct BuildArgs {
    /// Files or folders to read
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshots: Vec<PathBuf>,

    /// Where the tree goes; default: SNAPSHOT.mtree
    #[arg(short, long, value_name = "OUT.mtree")]
    pub output: Option<PathBuf>,

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

/// Runs `mdiff build`.
///
/// # Errors
///
/// Those of reading the snapshots and writing the trees.
pub fn run(args: &BuildArgs, out: &mut Output) -> Result<Exit> {
    let _ = (args, out);
    Err(super::not_yet("build"))
}
