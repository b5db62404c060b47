//! How differences spread over the token ranges of a ring.

use super::choose::RangeArgs;
use super::output::{Output, counted};
use super::tokens::{TokenRange, equal_ranges};
use crate::diff::Change;
use crate::error::Result;
use crate::range::KeyRange;
use crate::row::Schema;

/// Ranges that a ring is cut into where none are given.
const RANGES: u32 = 16;

/// Rows that differ, by token range.
pub struct TokenSpread {
    ranges: Vec<(TokenRange, [u64; 3])>,
    /// The keys of each range, ascending, with its index.
    keys: Vec<(KeyRange, usize)>,
}

impl TokenSpread {
    /// Over the ranges that are asked for, or the ring in equal parts; `None` for a table without a ring.
    ///
    /// # Errors
    ///
    /// Those of [`RangeArgs::token_ranges`].
    pub fn new(schema: &Schema, args: &RangeArgs) -> Result<Option<TokenSpread>> {
        let Schema::Cql(cql) = schema else {
            return Ok(None);
        };
        let mut ranges = args.token_ranges(cql.partitioner)?;
        if ranges.is_empty() {
            ranges = equal_ranges(cql.partitioner, RANGES);
        }
        let of_range = |(index, range): (usize, &TokenRange)| {
            let keys = range.keys(cql.partitioner).into_iter();
            keys.map(move |keys| (keys, index)).collect::<Vec<_>>()
        };
        let mut keys: Vec<_> = ranges.iter().enumerate().flat_map(of_range).collect();
        keys.sort_by(|a, b| a.0.from.cmp(&b.0.from));
        let ranges: Vec<_> = ranges.into_iter().map(|range| (range, [0; 3])).collect();
        Ok((!ranges.is_empty()).then_some(TokenSpread { ranges, keys }))
    }

    /// Counts a row that differs.
    pub fn count(&mut self, change: &Change<'_>) {
        let behind = self
            .keys
            .partition_point(|(keys, _)| keys.from.as_slice() <= change.key);
        let place = behind.checked_sub(1).and_then(|at| self.keys.get(at));
        let Some((_, index)) = place.filter(|(keys, _)| keys.contains(change.key)) else {
            return;
        };
        if let Some((_, counts)) = self.ranges.get_mut(*index) {
            let [only_left, only_right, changed] = counts;
            *match (change.left, change.right) {
                (_, None) => only_left,
                (None, _) => only_right,
                _ => changed,
            } += 1;
        }
    }

    /// Prints the ranges in which rows differ.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn print(&self, out: &mut Output) -> Result<()> {
        for (range, counts) in self.ranges.iter().filter(|(_, counts)| *counts != [0; 3]) {
            let [only_left, only_right, changed] = counts.map(|rows| counted(rows, "row"));
            out.line(format!(
                "  tokens {range}: {only_left} only left, {only_right} only right, {changed} changed"
            ))?;
        }
        Ok(())
    }
}
