//! Several replicas of a table, where the last write wins: what each of them lacks.
//!
//! ```text
//! trees of all -> divergent ranges -> rows of all, merged by the rule -> what each lacks -> a patch for each
//!                                                                     \-> the tree that all will have
//! ```
//!
//! Only the divergent ranges are read. What a deletion covers may lie in another range than the deletion, so the merge begins at
//! the partition that a range begins in, and passes over to the next range where both are of one partition. What is the same on
//! all replicas stays as it is: no replica shows a row that a deletion of its own covers, so nothing covers what all show.
//! Hence changes lie in divergent ranges only, and the sums of the result follow from those of the trees.

mod found;
mod rule;
mod version;

pub use found::{Counts, Found, ReplicaCounts};
pub use rule::Rule;
pub use version::VersionColumn;

use std::path::PathBuf;

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
    while let Some(first) = ranges.first() {
        let mut end = &first.range.to;
        let joined = ranges.iter().skip(1).take_while(|next| {
            let reads_on = !is_behind(&finder.rule.widen(&next.range.from), end);
            end = &next.range.to;
            reads_on
        });
        let (now, later) = ranges.split_at(1 + joined.count());
        merge_group(now, replicas, finder)?;
        ranges = later;
    }
    Ok(())
}

fn is_behind(key: &[u8], end: &Option<Vec<u8>>) -> bool {
    end.as_deref().is_some_and(|end| key > end)
}

/// Merges the rows of ranges between which reading goes on.
fn merge_group(group: &[Divergence], replicas: &[Side<'_>], finder: &mut Finder<'_>) -> Result<()> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(());
    };
    let range = KeyRange {
        from: first.range.from.clone(),
        to: last.range.to.clone(),
    };
    let widened = KeyRange {
        from: finder.rule.widen(&range.from),
        to: range.to.clone(),
    };
    let streams = replicas
        .iter()
        .map(|replica| Ok((replica.name, replica.table.scan(&widened)?)))
        .collect::<Result<Vec<_>>>()?;
    let mut merged = RowsAhead::new(finder.rule.merge(streams, &range)?)?;
    for divergence in group {
        merge_range(divergence, replicas, &mut merged, finder)?;
    }
    Ok(())
}

fn merge_range(
    divergence: &Divergence,
    replicas: &[Side<'_>],
    merged: &mut RowsAhead<'_>,
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
    // What lies between two ranges is the same on all replicas.
    while merged.key().is_some_and(|key| key < range.from.as_slice()) {
        merged.advance()?;
    }
    let mut key = Vec::new();
    loop {
        let of_merged = merged.key().filter(|key| range.is_before_end(key));
        let keys = sides.iter().filter_map(SideRows::key).chain(of_merged);
        let Some(least) = keys.min() else { break };
        key.clear();
        key.extend_from_slice(least);
        let values: Vec<_> = sides.iter().map(|side| side.value_at(&key)).collect();
        finder.row(&key, &values, merged.value_at(&key))?;
        for side in sides.iter_mut().filter(|side| side.key() == Some(&key)) {
            side.advance()?;
        }
        if merged.key() == Some(&key) {
            merged.advance()?;
        }
    }
    for (side, expected) in sides.iter().zip(&divergence.sides) {
        side.check(expected)?;
    }
    Ok(())
}
