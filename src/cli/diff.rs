//! `mdiff diff`: the rows that differ, as a person or a program reads them.

use std::path::PathBuf;

use clap::Args;

use super::args::ExitZeroArgs;
use super::changes::{ChangeCounts, ChangeForm, ChangePrinter};
use super::exit::Exit;
use super::output::{Output, counted};
use super::replicas::{Replicas, TreeChoice};
use super::sides::Plan;
use super::spread::TokenSpread;
use crate::error::{ErrorKind, Result};

const LONG: &str = "\
Prints the rows that differ between two snapshots.

Examples:
  The rows, as a person reads them (- only left, + only right, ~ changed):
    mdiff diff a.sst b.sst

  Only how many, by kind:
    mdiff diff a.csv b.csv --key id --stat

  One JSON object a line, for a program:
    mdiff diff a.sst b.sst --json | jq -r 'select(.change == \"only_left\").key'

  With trees built before: only the ranges that differ are read again:
    mdiff diff a.sst b.sst --trees a.mtree b.mtree

A JSON line is {\"table\",\"change\",\"key\",\"left\",\"right\"}, where change is only_left, only_right or changed; text that is not UTF-8 is {\"hex\":\"...\"}, and a row with columns an object.

Rows of Cassandra tables in the view of cells also say what a difference means, by the timestamps of both sides: only left or right; newer left or right; conflict (one timestamp, but other values or TTLs); deleted left or right (a deletion of the cell, row, range or partition there against a write on the other side; which is newer is said where the write is). --stat counts them. In JSON, \"meaning\" has an object for each changed column, with \"is\": only_left, only_right, newer_left, newer_right, conflict, deleted_left, deleted_right, or deletion_time (two deletions of one timestamp, made at other times), and \"newer\": left or right. Of a collection it has these in \"deleted\" (the collection's own deletion) and in \"elements\", each with its \"path\"; of \"[row]\" in \"inserted\" and \"deleted\".

Riak objects that differ on both sides say which is newer by their vector clocks: \"meaning\" is {\"is\": ...} with newer_left or newer_right (that side's clock descends from the other's), concurrent, or same_vclock (one clock, but not one content).

Resurrection: a write on one side under a newer deletion of the other comes back by repair once the deletion is purged, which may happen from its time + gc_grace_seconds on (\"purgeable_from\"). mdiff warns where that time has come (\"resurrection\": \"due\") or less than a third of gc_grace_seconds is left (\"soon\"). The default view no longer has deletions that are due: such a write is only on one side there. To see those that are still in the files, add --gc-before 0.

Trees given by --trees, or found beside the snapshots as SNAPSHOT.mtree, save reading what is the same. The rows that are read are checked against them, so a tree that is not of its snapshot is an error where it differs from the other tree. Ranges in which the trees agree are not read: if a snapshot may have changed since its tree was built, ask mdiff verify first, or use --no-trees.";

/// Arguments of `mdiff diff`.
#[derive(Debug, Clone, Args)]
#[command(about = "Prints the rows that differ between two snapshots", long_about = LONG)]
pub struct DiffArgs {
    /// The snapshot on the left
    pub left: PathBuf,

    /// The snapshot on the right
    pub right: PathBuf,

    /// Print one JSON object a line
    #[arg(long, group = "form")]
    pub json: bool,

    /// Print comma-separated lines: table, change, key, left, right
    #[arg(long, group = "form")]
    pub csv: bool,

    /// Print only the numbers of rows, by kind of difference
    ///
    /// Of tables of Cassandra also by token range: those of --ring or --token-range, else the ring in 16 equal parts.
    #[arg(long, group = "form")]
    pub stat: bool,

    /// Stop after N rows, and say so
    ///
    /// The exit code is 1 all the same; --stat counts only up to there, and says so too.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Print keys and values as hexadecimal digits
    #[arg(long, conflicts_with_all = ["csv", "stat"])]
    pub hex: bool,

    /// Trees of the two snapshots, built before
    #[arg(long, num_args = 2, value_names = ["LEFT.mtree", "RIGHT.mtree"], conflicts_with = "no_trees")]
    pub trees: Vec<PathBuf>,

    /// Do not use trees that lie beside the snapshots
    #[arg(long)]
    pub no_trees: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub exit_zero: ExitZeroArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub plan: Plan,
}

/// Runs `mdiff diff`.
///
/// # Errors
///
/// Those of reading, and StaleTree where a tree is not of its snapshot.
pub fn run(args: &DiffArgs, out: &mut Output) -> Result<Exit> {
    let plan = Plan {
        fine: true,
        ..args.plan.clone()
    };
    let choice = TreeChoice {
        given: &args.trees,
        none_beside: args.no_trees,
    };
    let paths = [args.left.as_path(), &args.right];
    let pair = Replicas::open(&paths, &choice, &plan, &|_| Ok(()), out)?;
    let tables = pair.tables(&args.plan.tables.tables)?;
    let form = match (args.json, args.csv, args.stat) {
        (true, _, _) => ChangeForm::Json,
        (_, true, _) => ChangeForm::Csv,
        (_, _, true) => ChangeForm::Stat,
        _ => ChangeForm::Text,
    };
    let mut printer = ChangePrinter::new(out, form, args.hex, args.limit, tables.len() > 1)?;
    let mut differs = false;
    for table in &tables {
        let schema = table.views(&pair.trees)[0].header().schema.clone();
        printer.begin(&table.name, &schema)?;
        printer.tell_meanings(pair.both_sides(table));
        if args.stat {
            printer.tell_spread(TokenSpread::new(&schema, &args.plan.range)?);
        }
        let result = pair.diff(table, &mut printer);
        let counts = printer.end()?;
        differs |= counts != ChangeCounts::default();
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Stopped) => {
                differs = true;
                break;
            }
            result => drop(result?),
        }
    }
    let (was_cut, was_unreadable) = (printer.was_cut, printer.was_unreadable);
    drop(printer);
    pair.check_unchanged()?;
    if was_cut {
        out.warn(format!(
            "stopped after {} (--limit); there are more",
            counted(args.limit.unwrap_or(0), "row")
        ));
    }
    if was_unreadable || pair.has_unreadable() {
        return Ok(Exit::Damaged);
    }
    Ok(Exit::different_if(differs).or_zero(args.exit_zero.exit_zero))
}
