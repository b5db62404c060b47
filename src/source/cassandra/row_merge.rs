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
    /// For each version, its next column.
    pub cursors: &'a mut Vec<usize>,
}

impl RowMerge<'_> {
    /// Merges versions into `out`; what is covered is left out.
    pub fn merge(&mut self, rows: &[&Row], covered: Deletion, out: &mut Row) {
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
        self.cursors.clear();
        self.cursors.resize(rows.len(), 0);
        let columns = self.layout.columns(out.is_static);
        let mut of_column: Vec<(&Row, &ColumnCells)> = Vec::with_capacity(rows.len());
        loop {
            of_column.clear();
            let cursors = rows.iter().zip(self.cursors.iter());
            let next = cursors
                .filter_map(|(row, &at)| Some(row.columns.get(at)?.column))
                .min();
            let Some(next) = next else { return };
            for (row, at) in rows.iter().zip(self.cursors.iter_mut()) {
                if let Some(cells) = row.columns.get(*at).filter(|c| c.column == next) {
                    of_column.push((row, cells));
                    *at += 1;
                }
            }
            if let Some(column) = columns.get(next) {
                self.merge_column(next, column, &of_column, covered, out);
            }
        }
    }

    fn merge_column(
        &mut self,
        index: usize,
        column: &Column,
        versions: &[(&Row, &ColumnCells)],
        covered: Deletion,
        out: &mut Row,
    ) {
        let of_collection = versions
            .iter()
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
        if !column.is_complex {
            let mut choice = None;
            // One cell in each version.
            for (row, cells) in versions {
                let of_row = row.cells.get(cells.cells.clone()).unwrap_or_default();
                for cell in of_row.iter().filter(|cell| !hidden(cell)) {
                    let next = Version::of(row, cell);
                    choice = Some(self.choose(column, choice, next));
                }
            }
            self.push_choice(column, choice, out);
        } else {
            self.merge_elements(column, versions, hidden, out);
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

    /// Merges the elements of a collection.
    fn merge_elements(
        &mut self,
        column: &Column,
        versions: &[(&Row, &ColumnCells)],
        hidden: impl Fn(&Cell) -> bool,
        out: &mut Row,
    ) {
        let mut lanes: Vec<_> = versions
            .iter()
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
