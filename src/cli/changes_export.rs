//! Incremental exports: `mdiff convert EXPORT --base FULL`, to the table after the changes or to a patch.

use std::path::{Path, PathBuf};

use super::convert::ConvertArgs;
use super::exit::Exit;
use super::output::Output;
use super::replicas::Replicas;
use super::sides::{Plan, find_snapshot, open_snapshot};
use super::{outfile, patch};
use crate::error::{Error, Result};
use crate::source::dynamodb::incremental;
use crate::source::{Origin, Snapshot, SourceOptions};

/// Whether a patch is to be written.
pub fn is_patch(args: &ConvertArgs) -> bool {
    let extension = args.output.extension().and_then(|text| text.to_str());
    args.to.as_deref().or(extension) == Some("mpatch")
}

/// The files that are read.
pub fn inputs(args: &ConvertArgs) -> impl Iterator<Item = &Path> {
    [Some(&args.input), args.base.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
}

/// The table that the changes make of the full export at `base`.
///
/// # Errors
///
/// Those of opening; Usage where the two do not belong together.
pub fn target(
    changes: Origin,
    base: &Path,
    options: &SourceOptions,
    out: &Output,
) -> Result<Box<dyn Snapshot>> {
    let full = open_snapshot(base, options, out)?;
    let target = incremental::open_on(changes, full, base, options)?;
    target.notes().iter().for_each(|note| out.warn(note));
    Ok(target)
}

/// Writes the patch from the full export to the table after the changes.
///
/// # Errors
///
/// Usage without a base; WrongBase where the changes do not fit it; those of reading and writing.
pub fn to_patch(args: &ConvertArgs, out: &mut Output) -> Result<Exit> {
    let Some(base) = &args.base else {
        return Err(Error::usage(
            format!("{} by itself can't become a patch", args.input.display()),
            "of two snapshots: mdiff patch BASE TARGET; of an incremental export of DynamoDB, name the full export before it with --base",
        ));
    };
    if args.output == Path::new("-") {
        return Err(Error::usage(
            "a patch is not written to stdout",
            "name a file with -o",
        ));
    }
    let inputs: Vec<&Path> = inputs(args).collect();
    outfile::check(&args.output, args.force.force, &inputs)?;
    let plan = Plan {
        source: args.source.for_output(&args.output),
        ..Plan::default()
    };
    let options = plan.source.options();
    let changes = find_snapshot(&args.input, &options)?;
    let after = target(changes, base, &options, out)?;
    let before = open_snapshot(base, &options, out)?;
    let paths = vec![base.clone(), args.input.clone()];
    let pair = Replicas::build(paths, vec![before, after], &plan, out)?;
    let (names, force) = (&args.tables.tables, args.force.force);
    patch::write(&pair, names, false, &args.output, force, out)?;
    Ok(Exit::DONE)
}
