//! `mdiff apply`: base and patch to the target, proven.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::{ForceArgs, KeyFileArgs, SourceArgs};
use super::exit::Exit;
use super::output::{self, Output, counted};
use super::report::hex;
use super::{outfile, sides};
use crate::apply::{ApplyOptions, apply};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::fingerprint::{Hash, HashId};
use crate::patch::PatchReader;
use crate::progress::Progress;
use crate::source::FORMATS;
use crate::source::csv::{self, is_tab_separated};

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

    /// Go on past damaged places of the base, for a patch made so
    #[arg(long)]
    pub keep_going: bool,

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
    let output = args.output.as_deref().filter(|_| !args.dry_run);
    if let Some(output) = output {
        let key_file = args.key_file.key_file.as_deref();
        let inputs: Vec<&Path> = [args.base.as_path(), &args.patch]
            .into_iter()
            .chain(key_file)
            .collect();
        outfile::check(output, args.force.force, &inputs)?;
    }
    let source_args = match output {
        Some(output) => args.source.for_output(output),
        None => args.source.clone(),
    };
    let mut source_options = source_args.options();
    let base = sides::find_snapshot(&args.base, &source_options)?;
    let patch = Input::open(&args.patch, &source_options.file)?;
    let tables = PatchReader::new(&patch)?.header().tables.clone();
    sides::take_key(
        &mut source_options,
        tables.first().map(|table| &table.schema),
    );
    let schemas = tables
        .iter()
        .map(|table| (table.name.as_str(), &table.schema));
    sides::take_lens(&mut source_options, schemas);
    let base = sides::open_origin(base, &source_options, out)?;
    if let Some(output) = output {
        check_name(output, args, base.written_format())?;
    }
    let options = ApplyOptions {
        hash: hash_of(
            &PatchReader::new(&patch)?.header().hash,
            &args.key_file,
            &args.patch,
        )?,
        overwrite: args.force.force,
        keep_going: args.keep_going,
    };
    let progress = Arc::new(Progress::default());
    let ticker = out.progress(
        &format!("applying to {}", args.base.display()),
        0,
        Arc::clone(&progress),
    );
    let applied = apply(
        base.as_ref(),
        &args.base,
        &patch,
        output,
        &source_options,
        &options,
        &progress,
    );
    ticker.finish();
    let applied = applied?;
    let (puts, deletes) = (applied.counts.puts, applied.counts.deletes);
    let what = format!(
        "{} and {}",
        counted(puts, "put"),
        counted(deletes, "delete")
    );
    out.line(match output {
        Some(path) => format!(
            "{}: {what} applied; {}, proven to have the target's root {}",
            output::name(path.display()),
            counted(applied.rows, "row"),
            hex(&applied.root)
        ),
        None => format!(
            "the patch fits {}: {what} lead to the target's {}",
            output::name(args.base.display()),
            counted(applied.rows, "row")
        ),
    })?;
    Ok(Exit::DONE)
}

/// Refuses a name for the output that promises another format than that of the base, in which it is written.
fn check_name(output: &Path, args: &ApplyArgs, format: &str) -> Result<()> {
    let name = output.file_name().unwrap_or_default().to_ascii_lowercase();
    let has_ending = |ending: &str| name.to_string_lossy().ends_with(&format!(".{ending}"));
    let what = if ["gz", "zst", "lz4", "bz2", "xz"]
        .iter()
        .any(|e| has_ending(e))
    {
        "it is not compressed"
    } else if FORMATS.iter().any(|other| {
        let is_other = other.name != format && other.create.is_some();
        is_other && other.extensions.iter().any(|e| has_ending(e))
    }) {
        "it is in another format"
    } else if format == csv::FORMAT.name
        && args.source.delimiter.is_none()
        && is_tab_separated(output) != is_tab_separated(&args.base)
    {
        "it has another character between columns"
    } else {
        return Ok(());
    };
    Err(Error::usage(
        format!(
            "{} is not what would be written: {what}; the output is as the base {} is",
            output.display(),
            args.base.display()
        ),
        "give it an ending like the base's; mdiff convert writes it in another format afterwards",
    ))
}

/// The hash of a patch or tree, with its key from the key file where it has one.
///
/// # Errors
///
/// Usage, where the key file is missing or another one.
pub fn hash_of(id: &HashId, key_file: &KeyFileArgs, path: &Path) -> Result<Hash> {
    let hash = match (id.without_key(), key_file.read()?) {
        (Some(hash), _) => hash,
        (None, Some(secret)) => Hash::keyed(&secret)?,
        (None, None) => {
            return Err(Error::usage(
                format!(
                    "{} was made with a key file, which is needed here too",
                    path.display()
                ),
                "give it with --key-file",
            ));
        }
    };
    id.check_same(&hash.id())?;
    Ok(hash)
}
