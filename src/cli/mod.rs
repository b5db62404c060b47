//! The command line: arguments to library calls, results to text and exit codes.
//!
//! One file a subcommand; each has its arguments with their help texts, and a `run`. The man pages in `man/` are made from
//! the same definitions ([`man::pages`]).

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::{Error, Result};

pub mod apply;
pub mod args;
pub mod bounds;
pub mod build;
pub mod caps;
pub mod cat;
mod cat_cql;
mod cat_ties;
pub mod changes;
pub mod changes_export;
pub mod choose;
pub mod compare;
pub mod completions;
pub mod convert;
pub mod diff;
pub mod etcd_args;
pub mod exit;
pub mod info;
mod ingest;
mod instants;
pub mod keys;
pub mod kind;
mod lag;
pub mod load;
pub mod man;
mod meanings;
pub mod ops;
pub mod outfile;
pub mod output;
pub mod patch;
pub mod progress;
pub mod reconcile;
pub mod replicas;
pub mod report;
pub mod rows;
pub mod sides;
pub mod signals;
mod spread;
pub mod statements;
pub mod strip;
mod time;
mod tokens;
pub mod verify;

use args::CommonArgs;
use exit::Exit;
use output::Output;

/// What JSON documents call their schema. Fields are only ever added to it.
pub const JSON_SCHEMA: &str = "mdiff/1";

const LONG_ABOUT: &str = "\
Finds and repairs silent divergence between replicas of a database, offline, from their snapshot files.

Examples:
  Are two replicas the same? Which keys differ? Make the right side like the left:
    mdiff compare a.sst b.sst
    mdiff diff a.sst b.sst
    mdiff patch b.sst a.sst -o fix.mpatch
    mdiff apply b.sst fix.mpatch -o b-repaired.sst

  The same, when the replicas are far apart: ship only the trees (0.1 % of the data):
    mdiff build a.sst -o a.mtree
    mdiff build b.sst -o b.mtree
    mdiff compare a.mtree b.mtree

  Keep a tree beside a backup, and check the backup against it years later:
    mdiff build backup.sst -o backup.mtree
    mdiff verify backup.sst backup.mtree

A snapshot is what one replica holds at one moment: the folder of a database, a table file or delimited text, which is only ever read. A tree (.mtree) is its fingerprint; equal trees mean equal rows, whatever the files look like. A patch (.mpatch) holds the rows by which one snapshot differs from another.

`mdiff help COMMAND` says all about a command.";

/// The arguments of the process.
#[derive(Debug, Parser)]
#[command(
    name = "mdiff",
    version,
    about = "Finds and repairs silent divergence between replicas of a database, offline",
    long_about = LONG_ABOUT,
    after_long_help = exit::TABLE,
    after_help = "Exit codes: 0 same or done, 1 different, 2 usage or I/O trouble, 3 damaged input. More: --help",
    max_term_width = 100,
    subcommand_required = true
)]
pub struct Cli {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum Command {
    Build(build::BuildArgs),
    Compare(compare::CompareArgs),
    Diff(diff::DiffArgs),
    Patch(patch::PatchArgs),
    Reconcile(reconcile::ReconcileArgs),
    Apply(apply::ApplyArgs),
    Verify(verify::VerifyArgs),
    Convert(convert::ConvertArgs),
    Cat(cat::CatArgs),
    Info(info::InfoArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    Man(man::ManArgs),
}

/// The definitions of all commands, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command().mut_subcommands(|sub| sub.after_long_help(exit::TABLE))
}

/// Runs the process: arguments in, exit code out.
pub fn main() -> ExitCode {
    signals::install();
    match run() {
        Ok(exit) => exit.into(),
        Err(error) => exit::fail(&error),
    }
}

fn run() -> Result<Exit> {
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| <Cli as clap::FromArgMatches>::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(answer) => return print_answer(&answer),
    };
    use_threads(cli.common.threads)?;
    let mut out = Output::stdout(&cli.common)?;
    let done = dispatch(&cli.command, &mut out);
    match (done, out.finish()) {
        (Ok(exit), Ok(())) => Ok(exit),
        // The command's own error says more than what the last write met.
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
    }
}

fn dispatch(command: &Command, out: &mut Output) -> Result<Exit> {
    match command {
        Command::Build(args) => build::run(args, out),
        Command::Compare(args) => compare::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Patch(args) => patch::run(args, out),
        Command::Reconcile(args) => reconcile::run(args, out),
        Command::Apply(args) => apply::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Convert(args) => convert::run(args, out),
        Command::Cat(args) => cat::run(args, out),
        Command::Info(args) => info::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
    }
}

/// Prints what clap answers in place of a command: help and version on stdout, usage errors on stderr.
fn print_answer(answer: &clap::Error) -> Result<Exit> {
    if answer.use_stderr() {
        // Nothing can be done where stderr can't be written.
        let _ = answer.print();
        return Ok(Exit::Trouble);
    }
    let mut out = Output::stdout(&CommonArgs::default())?;
    let text = answer.render();
    if out.has_colour() {
        out.bytes(text.ansi().to_string().as_bytes())?;
    } else {
        out.bytes(text.to_string().as_bytes())?;
    }
    out.finish()?;
    Ok(Exit::DONE)
}

fn use_threads(threads: u16) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.into())
        .thread_name(|i| format!("worker-{i}"))
        .build_global()
        .map_err(|e| {
            Error::usage(
                format!("can't start {threads} threads: {e}"),
                "ask for fewer with -j",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        command().debug_assert();
    }

    /// Every help text is there, in short and long, and the long one leads with examples.
    #[test]
    fn every_command_and_argument_has_its_help() {
        let mut all = command();
        all.build();
        for sub in all.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = sub.get_name();
            if name == "help" {
                continue;
            }
            let long = sub.get_long_about().unwrap_or_default().to_string();
            assert!(long.contains("\nExamples:\n"), "{name}: no examples");
            assert!(sub.get_after_long_help().is_some(), "{name}: no exit codes");
            for arg in sub.get_arguments() {
                let short = arg.get_help().unwrap_or_default().to_string();
                assert!(!short.is_empty(), "{name}: {} has no help", arg.get_id());
                assert!(
                    short.len() <= 80,
                    "{name}: {}: long short help",
                    arg.get_id()
                );
            }
        }
    }
}
