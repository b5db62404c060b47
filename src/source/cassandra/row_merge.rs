//! The versions of one row as one: what counts of each of its parts.

use std::cmp::Ordering;

use super::cells::{Choice, Rules, Version};
use super::layout::{Column, Layout};
use super::model::{Cell, ColumnCells, Deletion, Liveness, Row};
use super::reconcile::supersedes;
use super::tied::Tied;

/// What stands before one liveness and another: Cassandra's `LivenessInfo.supersedes`.
fn stronger(one: Liveness, other: Liveness) -> Liveness {
    let expired_for_good = |l: &Liveness| l.ttl == i64::from(i32::MAX);
    let expires = |l: &Liveness| l.ttl != 0;
    let order = one
        .timestamp
        .cmp(&other.timestamp)
        .then(expired_for_good(&one).cmp(&expired_for_good(&other)))
        .then(expires(&one).cmp(&expires(&other)))
        .then(one.expires.cmp(&other.expires))
        .then(one.ttl.cmp(&other.ttl));
    match order {
        Ordering::Less => other,
        _ => one,
    }
}

/// The merging of the versions of one row.
pub struct RowMerge<'a> {
    /// The columns.
    pub layout: &'a Layout,
    /// Which version of a cell counts.
    pub rules: Rules,
    /// Takes the cells for which the rules for equal timestamps choose differently.
    pub tied: &'a mut Vec<Tied>,
}

impl RowMerge<'_> {
    /// Merges versions into `out`; what is covered is left out. `cursors` is memory to use again, for each version its next column.
    pub fn merge(
        &mut self,
        rows: &[&Row],
        covered: Deletion,
        cursors: &mut Vec<usize>,
        out: &mut Row,
    ) {
        out.clear();
        out.is_static = rows.first().is_some_and(|row| row.is_static);
        let mut liveness: Option<Liveness> = None;
        let mut deletion = Deletion::LIVE;
        let mut shadowable = Deletion::LIVE;
        for row in rows {
            if let Some(of_row) = row.liveness {
                liveness = Some(liveness.map_or(of_row, |before| stronger(before, of_row)));
            }
            let of_row = row.deletion.unwrap_or(Deletion::LIVE);
            match row.is_shadowable {
                true => shadowable = shadowable.max(of_row),
                false => deletion = deletion.max(of_row),
            }
            shadowable = shadowable.max(row.shadowable.unwrap_or(Deletion::LIVE));
        }
        // A shadowable deletion ends at a newer INSERT.
        let written = liveness.and_then(|l| l.timestamp);
        let is_ended = written.is_some_and(|written| written > shadowable.timestamp);
        let is_shadowable = !is_ended && supersedes(shadowable, deletion);
        if is_shadowable {
            deletion = shadowable;
        }
        let mut covered = covered;
        if supersedes(deletion, covered) {
            covered = deletion;
            out.deletion = Some(deletion);
            out.is_shadowable = is_shadowable;
        }
        out.liveness = liveness.filter(|l| l.timestamp.is_some_and(|t| !covered.covers(t)));
        cursors.clear();
        cursors.resize(rows.len(), 0);
        let columns = self.layout.columns(out.is_static);
        loop {
            let heads = rows.iter().zip(cursors.iter());
            let next = heads
                .filter_map(|(row, &at)| Some(row.columns.get(at)?.column))
                .min();
            let Some(next) = next else { return };
            if let Some(column) = columns.get(next) {
                let versions = rows.iter().zip(cursors.iter()).filter_map(|(row, &at)| {
                    let cells = row.columns.get(at)?;
                    (cells.column == next).then_some((*row, cells))
                });
                self.merge_column(next, column, versions, covered, out);
            }
            for (row, at) in rows.iter().zip(cursors.iter_mut()) {
                if row.columns.get(*at).is_some_and(|c| c.column == next) {
                    *at += 1;
                }
            }
        }
    }

    /// Merges what the versions that have a column have of it.
    fn merge_column<'v>(
        &mut self,
        index: usize,
        column: &Column,
        versions: impl Iterator<Item = (&'v Row, &'v ColumnCells)> + Clone,
        covered: Deletion,
        out: &mut Row,
    ) {
        let of_collection = versions
            .clone()
            .fold(Deletion::LIVE, |strongest, (_, cells)| {
                strongest.max(cells.deletion)
            });
        let is_dropped = |timestamp: i64| column.dropped.is_some_and(|at| timestamp <= at);
        let mut deletion = Deletion::LIVE;
        let mut covered = covered;
        if supersedes(of_collection, covered) {
            covered = of_collection;
            if !is_dropped(of_collection.timestamp) {
                deletion = of_collection;
            }
        }
        let hidden = |cell: &Cell| covered.covers(cell.timestamp) || is_dropped(cell.timestamp);
        let first = out.cells.len();
        if column.is_complex {
            self.merge_elements(column, versions, hidden, out);
        } else {
            // One cell in each version.
            let cells = versions.flat_map(|(row, cells)| {
                let of_row = row.cells.get(cells.cells.clone()).unwrap_or_default();
                of_row.iter().map(move |cell| (row, cell))
            });
            self.merge_cells(column, cells.filter(|(_, cell)| !hidden(cell)), out);
        }
        if out.cells.len() > first || !deletion.is_live() {
            let cells = first..out.cells.len();
            out.columns.push(ColumnCells {
                column: index,
                deletion,
                cells,
            });
        }
    }

    /// Merges the versions of one cell.
    fn merge_cells<'v>(
        &mut self,
        column: &Column,
        cells: impl Iterator<Item = (&'v Row, &'v Cell)> + Clone,
        out: &mut Row,
    ) {
        let mut latest: Option<(&Row, &Cell)> = None;
        let mut is_tied = false;
        for (row, cell) in cells.clone() {
            let order = latest.map(|(_, before)| cell.timestamp.cmp(&before.timestamp));
            match order {
                None | Some(Ordering::Greater) => (latest, is_tied) = (Some((row, cell)), false),
                Some(Ordering::Equal) => is_tied = true,
                Some(Ordering::Less) => {}
            }
        }
        let Some((row, latest)) = latest else { return };
        // Of counters the shards count, not the timestamps.
        if !is_tied && !column.is_counter {
            push_cell(out, &Version::of(row, latest));
            return;
        }
        let mut choice = None;
        for (row, cell) in cells {
            choice = Some(self.choose(column, choice, Version::of(row, cell)));
        }
        self.push_choice(column, choice, out);
    }

    /// Merges the elements of a collection.
    fn merge_elements<'v>(
        &mut self,
        column: &Column,
        versions: impl Iterator<Item = (&'v Row, &'v ColumnCells)>,
        hidden: impl Fn(&Cell) -> bool,
        out: &mut Row,
    ) {
        let mut lanes: Vec<_> = versions
            .map(|(row, cells)| {
                let of_row = row.cells.get(cells.cells.clone()).unwrap_or_default();
                of_row
                    .iter()
                    .filter(|cell| !hidden(cell))
                    .map(|cell| Version::of(row, cell))
                    .peekable()
            })
            .collect();
        // All versions of the least path, again and again.
        loop {
            let heads = lanes.iter_mut().filter_map(|lane| Some(lane.peek()?.path));
            let Some(path) = heads.min_by(|a, b| column.compare_paths(a, b)) else {
                break;
            };
            let mut choice = None;
            for lane in &mut lanes {
                while let Some(next) = lane.next_if(|v| column.compare_paths(v.path, path).is_eq())
                {
                    choice = Some(self.choose(column, choice, next));
                }
            }
            self.push_choice(column, choice, out);
        }
    }

    /// The choice so far, with one more version.
    fn choose<'v>(
        &self,
        column: &Column,
        choice: Option<Choice<'v>>,
        next: Version<'v>,
    ) -> Choice<'v> {
        match choice {
            None => Choice::of(next),
            Some(choice) => choice.with(next, column.is_counter, self.rules),
        }
    }

    fn push_choice(&mut self, column: &Column, choice: Option<Choice<'_>>, out: &mut Row) {
        let Some((best, by_other)) = choice.map(Choice::made) else {
            return;
        };
        push_cell(out, &best);
        if let Some(other) = by_other {
            let tied = Tied::of(&column.name, &best, &other, self.rules.ties);
            self.tied.push(tied);
        }
    }
}

/// Appends a version of a cell to a row.
pub fn push_cell(out: &mut Row, version: &Version<'_>) {
    let path = out.push(version.path);
    let value = out.push(&version.value);
    out.cells.push(Cell {
        timestamp: version.timestamp,
        ttl: version.ttl,
        local_time: version.local_time,
        is_deleted: version.is_deleted,
        path,
        value,
    });
}
