//! Two or more trees of a table: where do they differ?
//!
//! The walk goes down all trees at once and enters only nodes that differ, so its cost follows the differences. Trees of
//! different leaf sizes, extra boundaries or coverages are compared on the boundaries they share: sums of neighbouring
//! ranges add up, so nothing is lost but fineness.

mod cursor;
pub mod place;

use cursor::{End, TreeCursor, before};

use crate::error::{Error, Result};
use crate::fingerprint::Summary;
use crate::mtree::{Entry, TableView};
use crate::range::{Coverage, KeyRange};

/// A key range in which not all trees are known to hold the same rows; the smallest that all of them can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The keys.
    pub range: KeyRange,
    /// What each tree holds there, in the order of the trees.
    pub sides: Vec<Summary>,
    /// Rows of the first tree before this range, to show where in the table it lies.
    pub rows_before: u64,
}

impl Divergence {
    /// Whether something could not be read there, so that equal or different can't be told for sure.
    pub fn has_unreadable(&self) -> bool {
        self.sides.iter().any(|side| side.unreadable_leaves > 0)
    }

    /// Which trees agree: for each tree, the index of the first one that holds the same there.
    pub fn groups(&self) -> Vec<usize> {
        let first_equal = |side: &Summary| self.sides.iter().position(|other| other == side);
        self.sides
            .iter()
            .enumerate()
            .map(|(index, side)| {
                if side.unreadable_leaves > 0 {
                    index
                } else {
                    first_equal(side).unwrap_or(index)
                }
            })
            .collect()
    }
}

/// What a comparison covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Number of divergent ranges that were handed out.
    pub divergent_ranges: u64,
    /// Rows of each tree that lie in them.
    pub divergent_rows: Vec<u64>,
    /// The keys that all trees cover.
    pub shared: Coverage,
    /// Parts of `shared` that could not be compared, because no boundary cuts them out of every tree.
    pub not_compared: Vec<KeyRange>,
}

/// Refuses tables that can't be compared: other hashes, other schemas.
///
/// # Errors
///
/// Usage, saying what differs.
pub fn check_comparable(tables: &[TableView<'_>]) -> Result<()> {
    let Some((first, others)) = tables.split_first() else {
        return Ok(());
    };
    for other in others {
        let header = first.tree().header();
        let other_header = other.tree().header();
        header.hash.check_same(&other_header.hash)?;
        crate::row::check_same_schema(&first.header().schema, &other.header().schema)?;
    }
    Ok(())
}

/// Compares the trees of one table and hands every divergent range to `visit`, in key order. It stops at the first error.
///
/// # Errors
///
/// Those of [`check_comparable`] and of `visit`; Damaged where a tree contradicts itself; Usage where no key is covered by all.
pub fn compare(
    tables: &[TableView<'_>],
    visit: &mut dyn FnMut(&Divergence) -> Result<()>,
) -> Result<Outcome> {
    check_comparable(tables)?;
    let shared = tables.iter().fold(Coverage::all(), |shared, table| {
        shared.intersection(&table.header().coverage)
    });
    if shared.is_empty() {
        return Err(Error::usage(
            "the trees cover no key in common",
            "build them with the same --from and --to, or --token-range",
        ));
    }
    let exact = tables.windows(2).all(|pair| {
        let (a, b) = (pair[0].header(), pair[1].header());
        a.leaf_bits == b.leaf_bits && a.splits == b.splits && a.coverage == b.coverage
    });
    let cursors = tables.iter().map(|table| TreeCursor::new(*table)).collect();
    let outcome = Outcome {
        divergent_ranges: 0,
        divergent_rows: vec![0; tables.len()],
        shared: shared.clone(),
        not_compared: Vec::new(),
    };
    let mut walk = Walk {
        cursors,
        exact,
        shared: KeyRange::all(),
        rows_before: 0,
        outcome,
        visit,
    };
    // Where all trees have the same gaps, these are equal too.
    let covers_shared = |table: &TableView<'_>| table.header().coverage == shared;
    match tables.iter().all(covers_shared) {
        true => walk.run(shared.hull())?,
        false => shared
            .ranges()
            .iter()
            .try_for_each(|range| walk.run(range.clone()))?,
    }
    Ok(walk.outcome)
}

struct Walk<'a, 'v> {
    cursors: Vec<TreeCursor<'a>>,
    /// All trees have the same boundaries where they hold the same rows, so equal digests and equal rows are one.
    exact: bool,
    /// The range at hand, which all trees cover.
    shared: KeyRange,
    rows_before: u64,
    outcome: Outcome,
    visit: &'v mut dyn FnMut(&Divergence) -> Result<()>,
}

impl Walk<'_, '_> {
    fn run(&mut self, shared: KeyRange) -> Result<()> {
        self.shared = shared;
        let from = self.shared.from.clone();
        let Some(start) = self.align(&from)? else {
            self.outcome.not_compared.push(self.shared.clone());
            return Ok(());
        };
        if start > from {
            self.outcome.not_compared.push(KeyRange {
                from,
                to: Some(start),
            });
        }
        while let Some(start) = self.start() {
            if !self.shared.is_before_end(&start) {
                break;
            }
            let ends: Vec<End> = self.cursors.iter().map(TreeCursor::end).collect();
            if ends.windows(2).all(|pair| pair[0] == pair[1]) {
                self.step_on_common_range(start, &ends[0])?;
            } else if !self.skip_to_farthest_end(&ends) {
                self.step_on_different_ranges(start, &ends)?;
            }
        }
        Ok(())
    }

    /// Where all cursors stand; `None` once one of them is at its end.
    fn start(&self) -> Option<Vec<u8>> {
        self.cursors
            .iter()
            .map(|cursor| cursor.segment().map(|segment| segment.start.clone()))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .next()
    }

    /// Moves all cursors to the first boundary they share at `from` or behind it.
    fn align(&mut self, from: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut target = from.to_vec();
        loop {
            let mut moved = false;
            for (index, cursor) in self.cursors.iter_mut().enumerate() {
                let passed = cursor.seek(&target)?;
                if index == 0 {
                    self.rows_before += passed;
                }
                let Some(segment) = cursor.segment() else {
                    return Ok(None);
                };
                if segment.start > target {
                    target = segment.start.clone();
                    moved = true;
                }
            }
            if !moved {
                return Ok(self.shared.is_before_end(&target).then_some(target));
            }
        }
    }

    /// All segments span the same keys.
    fn step_on_common_range(&mut self, start: Vec<u8>, end: &End) -> Result<()> {
        let segments: Vec<&Entry> = self
            .cursors
            .iter()
            .filter_map(TreeCursor::segment)
            .collect();
        let is_leaf = self.cursors.iter().any(TreeCursor::is_leaf);
        let same = segments.windows(2).all(|pair| self.same(pair[0], pair[1]));
        // What reaches over the end of the shared keys may reach into the next ones, and is entered.
        if same && (is_leaf || !self.is_over_end(end)) {
            self.rows_before += segments[0].summary.rows;
            self.cursors.iter_mut().for_each(TreeCursor::advance);
            return Ok(());
        }
        if is_leaf {
            let sides = segments.iter().map(|segment| segment.summary).collect();
            self.cursors.iter_mut().for_each(TreeCursor::advance);
            return self.report_shared(start, end.clone(), sides);
        }
        self.cursors.iter_mut().try_for_each(TreeCursor::descend)
    }

    /// Whether an end lies behind that of the keys that all trees cover.
    fn is_over_end(&self, end: &End) -> bool {
        before(&self.shared.to, end)
    }

    fn same(&self, a: &Entry, b: &Entry) -> bool {
        let digests = match (&a.child, &b.child) {
            (Some(a), Some(b)) if self.exact => a.digest == b.digest,
            _ => true,
        };
        digests && a.summary.same_rows(&b.summary)
    }

    /// Where finer segments add up to the coarsest one and are the same, goes behind all of them without entering any.
    fn skip_to_farthest_end(&mut self, ends: &[End]) -> bool {
        let Some(farthest) = ends.iter().max_by(|a, b| {
            if before(a, b) {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Greater
            }
        }) else {
            return false;
        };
        if self.is_over_end(farthest) {
            return false;
        }
        let mut ahead = self.cursors.clone();
        let mut total: Option<Summary> = None;
        for cursor in &mut ahead {
            let mut sum = Summary::default();
            loop {
                let Some(segment) = cursor.segment() else {
                    return false;
                };
                let end = cursor.end();
                if before(farthest, &end) {
                    return false;
                }
                sum += segment.summary;
                cursor.advance();
                if end == *farthest {
                    break;
                }
            }
            if total.is_some_and(|total| !total.same_rows(&sum)) || sum.unreadable_leaves > 0 {
                return false;
            }
            total = Some(sum);
        }
        self.cursors = ahead;
        self.rows_before += total.map_or(0, |total| total.rows);
        true
    }

    fn step_on_different_ranges(&mut self, start: Vec<u8>, ends: &[End]) -> Result<()> {
        let straddles = |cursor: &TreeCursor<'_>, end: &End| {
            !cursor.is_leaf() && ends.iter().any(|e| before(e, end))
        };
        let coarsest = self
            .cursors
            .iter()
            .zip(ends)
            .filter(|(cursor, end)| straddles(cursor, end))
            .map(|(cursor, _)| cursor.coarseness())
            .max();
        match coarsest {
            Some(coarsest) => {
                for (cursor, end) in self.cursors.iter_mut().zip(ends) {
                    if straddles(cursor, end) && cursor.coarseness() == coarsest {
                        cursor.descend()?;
                    }
                }
                Ok(())
            }
            None => self.join_leaves(start),
        }
    }

    /// The leaves of some trees reach over the ends of others': adds up to the next boundary that all share.
    fn join_leaves(&mut self, start: Vec<u8>) -> Result<()> {
        let mut sums = vec![Summary::default(); self.cursors.len()];
        let mut ends: Vec<Option<End>> = vec![None; self.cursors.len()];
        loop {
            // The one that lags furthest behind takes its next segment.
            let mut lagging = 0;
            for index in 1..ends.len() {
                let lags = match (&ends[index], &ends[lagging]) {
                    (None, Some(_)) => true,
                    (Some(a), Some(b)) => before(a, b),
                    (_, None) => false,
                };
                if lags {
                    lagging = index;
                }
            }
            let cursor = &mut self.cursors[lagging];
            let farthest = ends.iter().flatten().max_by(|a, b| {
                if before(a, b) {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Greater
                }
            });
            while !cursor.is_leaf()
                && farthest.is_none_or(|farthest| before(farthest, &cursor.end()))
            {
                cursor.descend()?;
            }
            let Some(segment) = cursor.segment() else {
                let to = self.shared.to.clone();
                self.outcome.not_compared.push(KeyRange { from: start, to });
                return Ok(());
            };
            sums[lagging] += segment.summary;
            ends[lagging] = Some(cursor.end());
            cursor.advance();
            if let Some(Some(end)) = ends.first()
                && ends.iter().all(|other| other.as_ref() == Some(end))
            {
                let end = end.clone();
                if sums.windows(2).all(|pair| pair[0].same_rows(&pair[1])) {
                    self.rows_before += sums[0].rows;
                    return Ok(());
                }
                return self.report_shared(start, end, sums);
            }
        }
    }

    /// Reports a range that differs, if it lies in the keys that all trees cover: what reaches over their end says nothing of them.
    fn report_shared(&mut self, from: Vec<u8>, to: End, sides: Vec<Summary>) -> Result<()> {
        if !self.is_over_end(&to) {
            return self.report(from, to, sides);
        }
        let to = self.shared.to.clone();
        self.outcome.not_compared.push(KeyRange { from, to });
        self.rows_before += sides.first().map_or(0, |side| side.rows);
        Ok(())
    }

    fn report(&mut self, from: Vec<u8>, to: End, sides: Vec<Summary>) -> Result<()> {
        self.outcome.divergent_ranges += 1;
        for (total, side) in self.outcome.divergent_rows.iter_mut().zip(&sides) {
            *total += side.rows;
        }
        let divergence = Divergence {
            range: KeyRange { from, to },
            sides,
            rows_before: self.rows_before,
        };
        self.rows_before += divergence.sides.first().map_or(0, |side| side.rows);
        (self.visit)(&divergence)
    }
}
