//! What of a merged partition is a row of the snapshot.
//!
//! **Live**: what SELECT returns. A row is there if its INSERT is alive, or any of its cells; a static row if any of its
//! cells is (SELECT shows it in every row of the partition, and alone where there is none). Only live cells count, without
//! timestamps.
//!
//! **Cells**: what a compaction at `gc_before` would leave. Live cells with their timestamps, and of what is dead that
//! which is young: tombstones of every level made at `gc_before` or later. A cell that has expired is a tombstone
//! made when it was written, as compaction makes it one. So neither purged tombstones nor finished TTLs make a difference.
//!
//! Range deletions are in normal form: where the deletion that covers rows changes, and only there, stands a bound that says
//! what covers the rows behind it. What a stronger deletion hides, and what is too old, is left out before that; so bounds that
//! join two equal deletions vanish.

use super::model::{Cell, Deletion, Liveness, NO_DELETION_TIME, Row, Seconds};

/// What is kept of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum View {
    /// Live values, as SELECT returns them.
    Live,
    /// Live cells with their timestamps, and young tombstones.
    #[default]
    Cells,
}

/// A view at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lens {
    /// What is kept.
    pub view: View,
    /// What expires then or before is dead.
    pub now: Seconds,
    /// Tombstones made before leave no trace.
    pub gc_before: Seconds,
}

impl Lens {
    /// What is seen of a deletion.
    pub fn deletion(&self, deletion: Deletion) -> Deletion {
        match self.view == View::Cells && deletion.local_time >= self.gc_before {
            true => deletion,
            false => Deletion::LIVE,
        }
    }

    /// Whether an INSERT keeps its row alive.
    pub fn is_liveness_live(&self, liveness: &Liveness) -> bool {
        let is_expired = liveness.ttl == i64::from(i32::MAX)
            || liveness.ttl != 0 && liveness.expires <= self.now;
        liveness.timestamp.is_some() && !is_expired
    }

    /// Whether a cell is alive.
    pub fn is_cell_live(&self, cell: &Cell) -> bool {
        !cell.is_deleted && (cell.local_time == NO_DELETION_TIME || cell.local_time > self.now)
    }

    /// Leaves of a row what is seen; returns whether anything is.
    pub fn apply(&self, row: &mut Row) -> bool {
        if self.sees_all(row) {
            return row.liveness.is_some() || !row.columns.is_empty();
        }
        row.liveness = row.liveness.filter(|l| self.is_liveness_seen(l));
        row.deletion = row
            .deletion
            .map(|deletion| self.deletion(deletion))
            .filter(|deletion| !deletion.is_live());
        row.is_shadowable &= row.deletion.is_some();
        let mut kept = 0;
        let cells = &mut row.cells;
        row.columns.retain_mut(|column| {
            let first = kept;
            for index in column.cells.clone() {
                let Some(cell) = cells.get(index) else { break };
                if let Some(seen) = self.cell(cell) {
                    // `kept` never runs ahead of `index`.
                    if let Some(slot) = cells.get_mut(kept) {
                        *slot = seen;
                        kept += 1;
                    }
                }
            }
            column.cells = first..kept;
            column.deletion = self.deletion(column.deletion);
            first < kept || !column.deletion.is_live()
        });
        cells.truncate(kept);
        row.liveness.is_some() || row.deletion.is_some() || !row.columns.is_empty()
    }

    /// Whether nothing of a row is dead; most rows are such.
    fn sees_all(&self, row: &Row) -> bool {
        row.deletion.is_none()
            && row.liveness.is_none_or(|l| self.is_liveness_live(&l))
            && row
                .columns
                .iter()
                .all(|c| c.deletion.is_live() && !c.cells.is_empty())
            && row.cells.iter().all(|cell| self.is_cell_live(cell))
    }

    fn is_liveness_seen(&self, liveness: &Liveness) -> bool {
        self.is_liveness_live(liveness)
            || self.view == View::Cells && liveness.expires >= self.gc_before
    }

    fn cell(&self, cell: &Cell) -> Option<Cell> {
        if self.is_cell_live(cell) {
            return Some(cell.clone());
        }
        let mut dead = cell.clone();
        if !dead.is_deleted {
            dead.is_deleted = true;
            dead.local_time = dead.local_time.saturating_sub(dead.ttl);
            dead.ttl = 0;
            dead.value = dead.value.start..dead.value.start;
        }
        (self.view == View::Cells && dead.local_time >= self.gc_before).then_some(dead)
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::ColumnCells;
    use super::*;

    const DAY: Seconds = 86_400;

    fn lens(view: View) -> Lens {
        Lens {
            view,
            now: 100 * DAY,
            gc_before: 90 * DAY,
        }
    }

    fn cell(ttl: i64, local_time: Seconds, is_deleted: bool) -> Cell {
        Cell {
            timestamp: 1,
            ttl,
            local_time,
            is_deleted,
            path: 0..0,
            value: 0..0,
        }
    }

    /// How many cells of a row of these each view keeps.
    fn kept(cells: &[Cell]) -> (usize, usize) {
        let count = |view| {
            let mut row = Row {
                cells: cells.to_vec(),
                columns: vec![ColumnCells {
                    column: 0,
                    deletion: Deletion::LIVE,
                    cells: 0..cells.len(),
                }],
                ..Row::default()
            };
            lens(view).apply(&mut row);
            row.cells.len()
        };
        (count(View::Live), count(View::Cells))
    }

    #[test]
    fn what_is_dead_and_old_leaves_no_trace() {
        assert_eq!(kept(&[cell(0, NO_DELETION_TIME, false)]), (1, 1));
        assert_eq!(kept(&[cell(5, 101 * DAY, false)]), (1, 1));
        assert_eq!(kept(&[cell(5, 100 * DAY, false)]), (0, 1));
        assert_eq!(kept(&[cell(11 * DAY, 100 * DAY, false)]), (0, 0));
        assert_eq!(kept(&[cell(0, 90 * DAY, true)]), (0, 1));
        assert_eq!(kept(&[cell(0, 90 * DAY - 1, true)]), (0, 0));
        assert_eq!(kept(&[cell(0, -5, true), cell(3, -2, false)]), (0, 0));
    }

    #[test]
    fn an_expired_cell_is_the_tombstone_that_compaction_makes_of_it() {
        let expired = cell(DAY, 99 * DAY, false);
        let tombstone = cell(0, 98 * DAY, true);
        assert_eq!(lens(View::Cells).cell(&expired), Some(tombstone));
    }

    #[test]
    fn an_insert_alone_keeps_a_row_until_it_expires() {
        let inserted = |ttl, expires| {
            [View::Live, View::Cells].map(|view| {
                let mut row = Row {
                    liveness: Some(Liveness {
                        timestamp: Some(1),
                        ttl,
                        expires,
                    }),
                    ..Row::default()
                };
                lens(view).apply(&mut row)
            })
        };
        assert_eq!(inserted(0, NO_DELETION_TIME), [true, true]);
        assert_eq!(inserted(9, 101 * DAY), [true, true]);
        assert_eq!(inserted(9, 95 * DAY), [false, true]);
        assert_eq!(inserted(9, 80 * DAY), [false, false]);
    }
}
