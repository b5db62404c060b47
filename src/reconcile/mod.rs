//! Several replicas of a table, where the last write wins: what each of them lacks.
//!
//! ```text
//! trees of all -> divergent ranges -> rows of all, merged by the rule -> what each lacks -> a patch for each
//!                                                                     \-> the tree that all will have
//! ```
//!
//! Only the divergent ranges are read. What a deletion covers may lie in another range than the deletion, so the merge begins at
//! the partition that a range begins in, and goes on to the next range where that begins in the same. What is the same on all
//! replicas stays as it is: no replica shows a row that a deletion of its own covers, so nothing covers what all show.
//! Hence changes lie in divergent ranges only, and the sums of the result follow from those of the trees.

mod found;
mod rule;
mod version;

pub use found::{Counts, Found, ReplicaCounts};
pub use rule::Rule;
pub use version::VersionColumn;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::compare::{self, Divergence};
use crate::diff::{DiffOptions, Side, SideRows};
use crate::error::{Error, Result};
use crate::fingerprint::Hash;
use crate::mtree::TableView;
use crate::range::KeyRange;
use crate::row::ahead::RowsAhead;
use found::Finder;

/// Divergent ranges that are collected before their rows are read, so that memory does not grow with their number.
const RANGES_AT_A_TIME: usize = 1024;

/// Groups of ranges that are read at a time, each by one thread.
const GROUPS_AT_A_TIME: usize = 64;

/// Bytes of rows in these groups from which on no more are read at that time, so that memory does not grow with them.
const BYTES_AT_A_TIME: u64 = 16 << 20;

/// How replicas are reconciled.
#[derive(Debug, Clone)]
pub struct ReconcileOptions<'a> {
    /// The hash of the trees.
    pub hash: &'a Hash,
    /// Where what outgrows memory goes; `None` is the system's folder for temporary files.
    pub temp_dir: Option<PathBuf>,
}

/// Finds what each replica of one table lacks. The trees are those of the replicas, in the same order, and cover the same keys.
///
/// # Errors
///
/// Usage, where the trees can't be compared, or the rows do not add up to what their tree says; those of reading.
pub fn reconcile(
    trees: &[TableView<'_>],
    replicas: &[Side<'_>],
    rule: &Rule,
    options: &ReconcileOptions<'_>,
) -> Result<Found> {
    loop {
        match reconcile_once(trees, replicas, rule, options) {
            Err(error) => {
                let mut is_mended = false;
                for replica in replicas {
                    is_mended |= replica.table.recover(&error)?;
                }
                if !is_mended {
                    return Err(error);
                }
            }
            found => return found,
        }
    }
}

fn reconcile_once(
    trees: &[TableView<'_>],
    replicas: &[Side<'_>],
    rule: &Rule,
    options: &ReconcileOptions<'_>,
) -> Result<Found> {
    let mut finder = Finder::new(trees, rule, options);
    let mut batch: Vec<Divergence> = Vec::new();
    let outcome = compare::compare(trees, &mut |divergence| {
        batch.push(divergence.clone());
        if batch.len() == RANGES_AT_A_TIME {
            merge_ranges(&batch, replicas, &mut finder)?;
            batch.clear();
        }
        Ok(())
    })?;
    merge_ranges(&batch, replicas, &mut finder)?;
    if !outcome.not_compared.is_empty() {
        return Err(Error::usage(
            "the trees can't be compared over all of their keys",
            "build all of them with the same --from and --to",
        ));
    }
    finder.finish(trees)
}

/// Merges the rows of ranges that ascend.
fn merge_ranges(
    mut ranges: &[Divergence],
    replicas: &[Side<'_>],
    finder: &mut Finder<'_>,
) -> Result<()> {
    while !ranges.is_empty() {
        let mut groups = Vec::new();
        let mut bytes = 0u64;
        while !ranges.is_empty() && groups.len() < GROUPS_AT_A_TIME && bytes < BYTES_AT_A_TIME {
            let (group, later) = ranges.split_at(group_len(ranges, finder.rule));
            let sides = group.iter().flat_map(|divergence| &divergence.sides);
            bytes = sides.fold(bytes, |bytes, side| bytes.saturating_add(side.bytes));
            groups.push(group);
            ranges = later;
        }
        let found = groups
            .par_iter()
            .map(|group| {
                let mut of_group = finder.another();
                merge_group(group, replicas, &mut of_group)?;
                Ok(of_group)
            })
            .collect::<Result<Vec<_>>>()?;
        for of_group in found {
            finder.append(of_group)?;
        }
    }
    Ok(())
}

/// How many ranges, from the first on, begin in one partition: that is to be read once, not from its beginning for each.
fn group_len(ranges: &[Divergence], rule: &Rule) -> usize {
    let begins = |divergence: &Divergence| rule.widen(&divergence.range.from);
    let joins = |pair: &&[Divergence]| begins(&pair[0]) == begins(&pair[1]);
    1 + ranges.windows(2).take_while(joins).count()
}

/// Merges the rows of ranges that begin in one partition.
fn merge_group(group: &[Divergence], replicas: &[Side<'_>], finder: &mut Finder<'_>) -> Result<()> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(());
    };
    let mut merged = match finder.rule {
        Rule::Version(_) => None,
        Rule::Cells(cells) => {
            let range = KeyRange {
                from: first.range.from.clone(),
                to: last.range.to.clone(),
            };
            let widened = KeyRange {
                from: cells.widen(&range.from),
                to: range.to.clone(),
            };
            let streams = replicas
                .iter()
                .map(|replica| Ok((replica.name, replica.table.scan(&widened)?)))
                .collect::<Result<Vec<_>>>()?;
            Some(RowsAhead::new(cells.merge(streams, &range)?)?)
        }
    };
    for divergence in group {
        merge_range(divergence, replicas, merged.as_mut(), finder)?;
    }
    Ok(())
}

/// Merges the rows of one range; `merged` gives those that count, unless each key decides for itself.
fn merge_range(
    divergence: &Divergence,
    replicas: &[Side<'_>],
    mut merged: Option<&mut RowsAhead<'_>>,
    finder: &mut Finder<'_>,
) -> Result<()> {
    let range = &divergence.range;
    let options = DiffOptions {
        hash: finder.options.hash,
        keep_going: false,
    };
    finder.begin_range(divergence)?;
    let mut sides = replicas
        .iter()
        .map(|replica| SideRows::new(*replica, range, &options))
        .collect::<Result<Vec<_>>>()?;
    sides.iter_mut().try_for_each(SideRows::advance)?;
    if let Some(merged) = &mut merged {
        // What lies between two ranges is the same on all replicas.
        while merged.key().is_some_and(|key| key < range.from.as_slice()) {
            merged.advance()?;
        }
    }
    let mut key = Vec::new();
    loop {
        let of_merged = merged.as_ref().and_then(|merged| merged.key());
        let of_merged = of_merged.filter(|key| range.is_before_end(key));
        let keys = sides.iter().filter_map(SideRows::key).chain(of_merged);
        let Some(least) = keys.min() else { break };
        key.clear();
        key.extend_from_slice(least);
        let values: Vec<_> = sides.iter().map(|side| side.value_at(&key)).collect();
        let winner = match (&merged, finder.rule) {
            (Some(merged), _) => merged.value_at(&key),
            (None, Rule::Version(column)) => Some(column.winner(&values).ok_or_else(|| {
                let holder = values.iter().position(Option::is_some);
                let path = holder
                    .and_then(|holder| replicas.get(holder))
                    .map(|r| r.name);
                let what = "a row can't be taken apart, among the rows read,";
                Error::damaged(path.unwrap_or(Path::new("")), 0, what)
            })?),
            (None, Rule::Cells(_)) => None,
        };
        finder.row(&key, &values, winner)?;
        for side in sides.iter_mut().filter(|side| side.key() == Some(&key)) {
            side.advance()?;
        }
        if let Some(merged) = merged.as_mut().filter(|merged| merged.key() == Some(&key)) {
            merged.advance()?;
        }
    }
    for (side, expected) in sides.iter().zip(&divergence.sides) {
        side.check(expected)?;
    }
    finder.end_leaf()
}
