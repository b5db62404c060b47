//! `mdiff build`: snapshots to trees.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::ForceArgs;
use super::exit::Exit;
use super::outfile;
use super::output::{self, Output, counted, counted_as};
use super::report::hex;
use super::sides::{self, Plan};
use crate::error::{Error, Result};
use crate::file::replace::AtomicFile;
use crate::mtree::Tree;
use crate::mtree::write::write;

const LONG: &str = "\
Builds the tree of a snapshot: its fingerprint, about a thousandth of its size.

Examples:
  The tree of a table file, beside it as replica-a.sst.mtree:
    mdiff build replica-a.sst

  Text with a key of two columns, and a column that may differ:
    mdiff build users.csv --key tenant,id --ignore-columns updated_at -o users.mtree

  The shards of one replica:
    mdiff build shard-1.sst shard-2.sst -o replica-a.mtree

  For data an adversary may choose, or a tree that a stranger may see:
    mdiff build a.sst -o a.mtree --hash blake3 --key-file secret.key

The tree depends on the rows and these options alone: not on the layout of the files, their format's compression, the number of threads or the day. Without -o, each SNAPSHOT gets a tree of its own beside it, SNAPSHOT.mtree, where compare, diff and patch find it. With -o and several SNAPSHOTs, these are the shards of one replica and the tree is that of all their rows; a key in two shards is an error, for which of the two rows counts is not known.

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
    pub plan: Plan,
}

/// Runs `mdiff build`.
///
/// # Errors
///
/// Those of reading the snapshots and writing the trees.
pub fn run(args: &BuildArgs, out: &mut Output) -> Result<Exit> {
    args.plan.tables.check_one_side()?;
    let mut plan = args.plan.clone();
    let jobs: Vec<(Vec<&Path>, PathBuf)> = match &args.output {
        Some(output) => vec![(
            args.snapshots.iter().map(PathBuf::as_path).collect(),
            output.clone(),
        )],
        None => args
            .snapshots
            .iter()
            .map(|path| (vec![path.as_path()], beside(path)))
            .collect(),
    };
    if args.output.is_none() && args.snapshots.iter().any(|path| path == Path::new("-")) {
        return Err(Error::usage(
            "stdin has no name for the tree to be beside",
            "name the tree with -o",
        ));
    }
    for (snapshots, output) in &jobs {
        let others = [
            args.plan.tree.key_file.key_file.as_deref(),
            args.plan.tree.split_at.as_deref(),
        ];
        let inputs: Vec<&Path> = snapshots
            .iter()
            .copied()
            .chain(others.into_iter().flatten())
            .collect();
        outfile::check(output, args.force.force, &inputs)?;
    }
    let mut exit = Exit::DONE;
    for (snapshots, output) in &jobs {
        plan.source = args.plan.source.for_output(output);
        let snapshot = sides::open_shards(snapshots, &plan.source.options(), out)?;
        let shown = snapshots.first().copied().unwrap_or(output);
        let tables = plan.build(snapshot.as_ref(), shown, None, out)?;
        let hash = plan.hash(None)?.id();
        // Letting go of a large snapshot takes as long as writing its tree.
        let tree = std::thread::scope(|scope| -> Result<Tree> {
            // Where no thread can be had, it is let go of here.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || drop(snapshot));
            let mut file = AtomicFile::create(output, args.force.force)?;
            write(tables, &hash, &mut file, &|e| {
                Error::io("writing", output, e)
            })?;
            file.flush().map_err(|e| Error::io("writing", output, e))?;
            let tree = Tree::open(file.path(), &plan.source.options().file)?;
            tree.check_all()?;
            file.commit()?;
            Ok(tree)
        })?;
        for table in tree.tables() {
            let header = table.header();
            if header.summary.unreadable_leaves > 0 {
                exit = Exit::Damaged;
                let from = match snapshots.as_slice() {
                    [one] => one.display().to_string(),
                    _ => "one of the shards".into(),
                };
                for unreadable in table.unreadable()? {
                    out.warn(format!("{from}: keys not read: {}", unreadable.why));
                }
            }
            out.line(format!(
                "{}: table {}, {}, {}, {}, root {}",
                output::name(output.display()),
                output::name(&header.name),
                counted(header.summary.rows, "row"),
                output::bytes(header.summary.bytes),
                counted_as(header.leaves, "leaf", "leaves"),
                hex(&header.root)
            ))?;
        }
    }
    Ok(exit)
}

/// Where the tree of a snapshot goes by itself, and is looked for.
pub fn beside(snapshot: &Path) -> PathBuf {
    let mut name = snapshot.as_os_str().to_owned();
    name.push(".mtree");
    PathBuf::from(name)
}
