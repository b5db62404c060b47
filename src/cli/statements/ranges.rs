//! Range deletions: what the target has between two bounds, and the base has not.

use std::collections::BTreeMap;

use super::super::bounds::{BoundOp, Step, slice};
use super::super::output::Output;
use super::{Statements, Tally};
use crate::error::Result;
use crate::range::KeyRange;
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::model::Deletion;
use crate::source::cassandra::value;

impl Statements<'_> {
    /// Prints the range deletions, and returns what could not be said.
    ///
    /// # Errors
    ///
    /// Those of printing, and of reading the base.
    pub fn finish(mut self, out: &mut Output) -> Result<Tally> {
        self.end_range();
        let bounds = std::mem::take(&mut self.bounds);
        for group in bounds.chunk_by(|a, b| a.prefix == b.prefix) {
            self.partition_bounds(group, out)?;
        }
        Ok(self.tally)
    }

    fn partition_bounds(&mut self, group: &[BoundOp], out: &mut Output) -> Result<()> {
        let Some(first) = group.first() else {
            return Ok(());
        };
        let mut steps: BTreeMap<Vec<u8>, Step> = BTreeMap::new();
        if let Some(table) = self.base {
            let from = [first.prefix.as_slice(), &[key::CLUSTERED]].concat();
            let to = [first.prefix.as_slice(), &[key::CLUSTERED + 1]].concat();
            let mut rows = table.scan(&KeyRange { from, to: Some(to) })?;
            while let Some(row) = rows.next()? {
                if let Some((_, Place::Bound(values, side))) = self.schema.decode_key(row.key) {
                    let deletion = value::decode(row.value).map(|value| value.deletion);
                    let step = Step {
                        values,
                        side,
                        base: deletion,
                        target: deletion,
                    };
                    steps.insert(row.key.to_vec(), step);
                }
            }
        }
        for bound in group {
            let mut step = bound.step.clone();
            if let Some(there) = steps.get(&bound.key) {
                step.base = there.base;
            }
            steps.insert(bound.key.clone(), step);
        }
        // Whether all bounds between two are known: the base is there, or the patch has all of its rows.
        let has_base = self.base.is_some();
        let knows = |from: &[u8], to: &[u8]| {
            let within = |w: &KeyRange| w.contains(from) && w.contains(to);
            has_base
                || group
                    .iter()
                    .any(|bound| bound.within.as_ref().is_some_and(within))
        };
        let mut target = Deletion::LIVE;
        let mut base = Deletion::LIVE;
        let mut pieces = Vec::new();
        let all: Vec<_> = steps.iter().collect();
        for (at, (key, step)) in all.iter().enumerate() {
            let is_first_known = match all.get(at.wrapping_sub(1)) {
                Some((before, _)) => knows(before, key),
                None => knows(&first.prefix, key),
            };
            base = step
                .base
                .unwrap_or(if is_first_known { base } else { Deletion::LIVE });
            target = match step.target {
                Some(deletion) => deletion,
                None if is_first_known => target,
                // It goes on as what began before, which is not told.
                None => {
                    pieces.push((*key, *step, None, Err("what reaches over the bound that is gone is not in the patch (name the base with --base)")));
                    Deletion::LIVE
                }
            };
            let next = all.get(at + 1);
            if target.is_live()
                || base.covers(target.timestamp) && base.timestamp == target.timestamp
            {
                if target.is_live() && !base.is_live() && !first.partition.covers(base.timestamp) {
                    let why = "the base's range deletion can't be taken back";
                    pieces.push((*key, *step, None, Err(why)));
                }
                continue;
            }
            let what = match next {
                Some((end, _)) if knows(key, end) => {
                    if base.covers(target.timestamp) {
                        let why = "the base's range deletion is newer";
                        pieces.push((*key, *step, None, Err(why)));
                        continue;
                    }
                    Ok(target.timestamp)
                }
                _ => Err(
                    "where the range deletion ends is not in the patch (name the base with --base)",
                ),
            };
            pieces.push((*key, *step, next.map(|(_, end)| *end), what));
        }
        for (key, start, end, what) in pieces {
            let shown = self.table.schema.show_key(key);
            let text = match (what, end) {
                (Ok(timestamp), Some(end)) => slice(&self.schema.clustering, start, end)
                    .map(|relations| (timestamp, relations))
                    .ok_or("the bounds of the range deletion have no form in CQL"),
                (Err(why), _) => Err(why),
                (Ok(_), None) => Err("the range deletion has no end"),
            };
            match text {
                Ok((timestamp, relations)) => out.line(format!(
                    "DELETE FROM {} USING TIMESTAMP {timestamp} WHERE {} AND {relations};",
                    self.name, first.matching
                ))?,
                Err(why) => self.cannot(out, &shown, why)?,
            }
        }
        Ok(())
    }
}
