//! The SSTables of one table as one stream: partition by partition, row by row, cell by cell.
//!
//! ```text
//! SSTable 1: [p1: static, rows, markers] [p3 ...]
//! SSTable 2: [p1: rows] [p2 ...]              -> [p1] [p2] [p3], each with what counts of it
//! ```
//!
//! Every SSTable is read once, side by side with the others: memory holds one row of each and the merged one, never a
//! partition. What a deletion of the partition, of a range, of the row or of a collection covers is left out, and a deletion
//! that a stronger one covers too; what has expired or can be purged is not, that is [`super::view`]'s. Columns go by
//! name, so SSTables from before and behind an ALTER TABLE merge; what a dropped column held at the time of its drop is left out.
//!
//! The rules are those of Cassandra's `Rows.merge` and `RangeTombstoneMarker.Merger`; for cells see [`super::cells`].

use std::cmp::Ordering;

use super::cells::{Choice, Rules, Version};
use super::key::{self, Exactness};
use super::layout::{Column, Layout, Mapping};
use super::model::{Cell, ColumnCells, Deletion, Liveness, Marker, Row};
use super::tied::Tied;
use crate::error::{Error, Result};

/// What [`Merger::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// A row, in the caller's buffer; its clustering values are in [`Merger::position`] only.
    Row,
    /// From here on rows are covered by this deletion, or by none ([`Deletion::LIVE`]).
    Covered(Deletion),
    /// The partition has no more.
    End,
}

/// What stands next in one SSTable's partition.
#[derive(Debug, Clone)]
pub enum Next {
    /// A row, in the caller's buffer.
    Row,
    /// A range tombstone marker.
    Marker(Marker),
    /// The partition has no more.
    End,
}

/// The head of a partition in one SSTable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its key.
    pub key: Vec<u8>,
    /// Its deletion.
    pub deletion: Deletion,
}

/// One SSTable, read from the front.
pub trait Versions {
    /// Goes to the next partition, past what is left of this one.
    ///
    /// # Errors
    ///
    /// I/O errors, Damaged.
    fn next_partition(&mut self) -> Result<Option<Head>>;

    /// Reads what stands next in the partition.
    ///
    /// # Errors
    ///
    /// I/O errors, Damaged.
    fn next(&mut self, row: &mut Row) -> Result<Next>;

    /// The error of this SSTable where it contradicts itself.
    fn damaged(&self, what: &str) -> Error;
}

/// One SSTable under way.
struct Lane<V> {
    versions: V,
    mapping: Mapping,
    /// The next partition's place, empty behind the last one.
    partition: Vec<u8>,
    head: Option<Head>,
    row: Row,
    next: Next,
    /// Where `next` stands.
    position: Vec<u8>,
    /// The same as the key has it, where that is other bytes.
    exact: Vec<u8>,
    previous: Vec<u8>,
    /// The range deletion that is open here.
    open: Deletion,
}

impl<V: Versions> Lane<V> {
    fn next_head(&mut self, layout: &Layout) -> Result<()> {
        self.head = self.versions.next_partition()?;
        self.next = Next::End;
        std::mem::swap(&mut self.previous, &mut self.partition);
        self.partition.clear();
        let Some(head) = &self.head else {
            return Ok(());
        };
        let (partitioner, key_type) = (layout.partitioner, &layout.key_type);
        key::push_partition(&mut self.partition, partitioner, key_type, &head.key);
        if self.partition <= self.previous {
            return Err(self.versions.damaged("partitions are not in order"));
        }
        Ok(())
    }

    fn begin(&mut self, layout: &Layout) -> Result<()> {
        self.open = Deletion::LIVE;
        self.position.clear();
        self.advance(layout)
    }

    fn advance(&mut self, layout: &Layout) -> Result<()> {
        self.next = self.versions.next(&mut self.row)?;
        std::mem::swap(&mut self.previous, &mut self.position);
        self.position.clear();
        if let Next::Row = self.next {
            self.mapping.apply(&mut self.row);
        }
        let push = |out: &mut Vec<u8>, exactness| match &self.next {
            Next::Row => key::push_row(out, layout, &self.row, exactness),
            Next::Marker(marker) => key::push_bound(out, layout, marker, exactness),
            Next::End => Some(()),
        };
        let pushed = push(&mut self.position, Exactness::Equal).and_then(|()| {
            if layout.is_exact {
                return Some(());
            }
            self.exact.clear();
            push(&mut self.exact, Exactness::Bytes)
        });
        pushed.ok_or_else(|| {
            self.versions
                .damaged("too many or too few clustering values")
        })?;
        if let Next::End = self.next {
            return Ok(());
        }
        let is_row = self.is_row();
        match self.previous.cmp(&self.position) {
            Ordering::Less => Ok(()),
            Ordering::Equal if !is_row => Ok(()),
            _ => Err(self.versions.damaged("rows are not in order")),
        }
    }

    fn is_row(&self) -> bool {
        matches!(self.next, Next::Row)
    }
}

/// Merges the SSTables of one table.
pub struct Merger<'t, V> {
    layout: &'t Layout,
    rules: Rules,
    lanes: Vec<Lane<V>>,
    /// The lanes that have the current partition.
    members: Vec<usize>,
    /// Those of them that stand at the current position.
    here: Vec<usize>,
    deletion: Deletion,
    /// The range deletion that is open in the merged partition.
    open: Deletion,
    partition: Vec<u8>,
    key: Vec<u8>,
    position: Vec<u8>,
    exact: Vec<u8>,
    cursors: Vec<usize>,
    /// Cells of the current row for which the rules for equal timestamps choose differently.
    pub tied: Vec<Tied>,
}

impl<'t, V: Versions> Merger<'t, V> {
    /// Merges SSTables, each with the mapping of its columns to those of `layout`.
    ///
    /// # Errors
    ///
    /// Those of reading the first partitions.
    pub fn new(
        layout: &'t Layout,
        rules: Rules,
        sources: Vec<(V, Mapping)>,
    ) -> Result<Merger<'t, V>> {
        let mut lanes = Vec::with_capacity(sources.len());
        for (versions, mapping) in sources {
            let mut lane = Lane {
                versions,
                mapping,
                partition: Vec::new(),
                head: None,
                row: Row::default(),
                next: Next::End,
                position: Vec::new(),
                exact: Vec::new(),
                previous: Vec::new(),
                open: Deletion::LIVE,
            };
            lane.next_head(layout)?;
            lanes.push(lane);
        }
        Ok(Merger {
            layout,
            rules,
            lanes,
            members: Vec::new(),
            here: Vec::new(),
            deletion: Deletion::LIVE,
            open: Deletion::LIVE,
            partition: Vec::new(),
            key: Vec::new(),
            position: Vec::new(),
            exact: Vec::new(),
            cursors: Vec::new(),
            tied: Vec::new(),
        })
    }

    /// Goes to the next partition; returns its deletion.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn next_partition(&mut self) -> Result<Option<Deletion>> {
        for &member in &self.members {
            let Some(lane) = self.lanes.get_mut(member) else {
                continue;
            };
            lane.next_head(self.layout)?;
        }
        self.members.clear();
        let ahead = |lane: &&Lane<V>| lane.head.is_some();
        let Some(first) = self.lanes.iter().filter(ahead).map(|l| &l.partition).min() else {
            return Ok(None);
        };
        self.partition.clone_from(first);
        self.deletion = Deletion::LIVE;
        self.open = Deletion::LIVE;
        for (index, lane) in self.lanes.iter().enumerate() {
            let Some(head) = &lane.head else { continue };
            if lane.partition == self.partition {
                self.key.clone_from(&head.key);
                self.deletion = self.deletion.max(head.deletion);
                self.members.push(index);
            }
        }
        Ok(Some(self.deletion))
    }

    /// Begins to read what is in the current partition; without it, the partition is passed over.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn enter(&mut self) -> Result<()> {
        for &member in &self.members {
            if let Some(lane) = self.lanes.get_mut(member) {
                lane.begin(self.layout)?;
            }
        }
        Ok(())
    }

    /// The current partition's place among partitions: token and key, see [`super::key`].
    pub fn partition(&self) -> &[u8] {
        &self.partition
    }

    /// The current partition's key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The current row's or bound's place in its partition, see [`super::key`].
    pub fn position(&self) -> &[u8] {
        match self.layout.is_exact {
            true => &self.position,
            false => &self.exact,
        }
    }

    /// Reads what stands next in the current partition; a row goes into `out`.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn next(&mut self, out: &mut Row) -> Result<Merged> {
        self.tied.clear();
        loop {
            if !self.find_here() {
                return Ok(Merged::End);
            }
            let is_row = self
                .here
                .first()
                .and_then(|&lane| self.lanes.get(lane))
                .is_some_and(Lane::is_row);
            if is_row {
                if self.merge_rows(out)? {
                    return Ok(Merged::Row);
                }
                continue;
            }
            self.pass_markers()?;
            let strongest = self
                .members
                .iter()
                .filter_map(|&lane| self.lanes.get(lane))
                .fold(Deletion::LIVE, |strongest, lane| strongest.max(lane.open));
            let open = match supersedes(strongest, self.deletion) {
                true => strongest,
                false => Deletion::LIVE,
            };
            if open != self.open {
                self.open = open;
                return Ok(Merged::Covered(open));
            }
        }
    }

    /// Finds the lanes that stand foremost; false where none is left.
    fn find_here(&mut self) -> bool {
        self.here.clear();
        for &member in &self.members {
            let Some(lane) = self.lanes.get(member) else {
                continue;
            };
            if matches!(lane.next, Next::End) {
                continue;
            }
            let order = match self.here.first().and_then(|&first| self.lanes.get(first)) {
                Some(first) => lane.position.cmp(&first.position),
                None => Ordering::Less,
            };
            if order.is_lt() {
                self.here.clear();
            }
            if order.is_le() {
                self.here.push(member);
            }
        }
        match self.here.first().and_then(|&first| self.lanes.get(first)) {
            Some(first) => {
                self.position.clone_from(&first.position);
                if !self.layout.is_exact {
                    let exact = self.here.iter().filter_map(|&lane| self.lanes.get(lane));
                    let least = exact.map(|lane| &lane.exact).min();
                    if let Some(least) = least {
                        self.exact.clone_from(least);
                    }
                }
                true
            }
            None => false,
        }
    }

    fn pass_markers(&mut self) -> Result<()> {
        for &member in &self.here {
            let Some(lane) = self.lanes.get_mut(member) else {
                continue;
            };
            while let Next::Marker(marker) = &lane.next {
                if lane.position != self.position {
                    break;
                }
                lane.open = marker.opens.unwrap_or(Deletion::LIVE);
                lane.advance(self.layout)?;
            }
        }
        Ok(())
    }

    /// Merges the rows that stand here; false where nothing of them is left.
    fn merge_rows(&mut self, out: &mut Row) -> Result<bool> {
        let covered = self.deletion.max(self.open);
        if let ([only], true) = (self.here.as_slice(), covered.is_live()) {
            let Some(lane) = self.lanes.get_mut(*only) else {
                return Ok(false);
            };
            let columns = self.layout.columns(lane.row.is_static);
            if is_settled(&lane.row, columns) {
                std::mem::swap(out, &mut lane.row);
                lane.advance(self.layout)?;
                return Ok(!is_empty(out));
            }
        }
        let lanes = &self.lanes;
        let rows: Vec<&Row> = self
            .here
            .iter()
            .filter_map(|&lane| Some(&lanes.get(lane)?.row))
            .collect();
        let mut merge = RowMerge {
            layout: self.layout,
            rules: self.rules,
            tied: &mut self.tied,
            cursors: &mut self.cursors,
        };
        merge.merge(&rows, covered, out);
        for &member in &self.here {
            if let Some(lane) = self.lanes.get_mut(member) {
                lane.advance(self.layout)?;
            }
        }
        Ok(!is_empty(out))
    }
}

/// Whether one deletion is stronger than another.
pub fn supersedes(one: Deletion, other: Deletion) -> bool {
    one != other && one.max(other) == one
}

fn is_empty(row: &Row) -> bool {
    row.columns.is_empty() && row.liveness.is_none() && row.deletion.is_none()
}

/// Whether nothing in a row hides another part of it, so that it counts as it is.
fn is_settled(row: &Row, columns: &[Column]) -> bool {
    row.deletion.is_none()
        && row.columns.iter().all(|cells| {
            let column = columns.get(cells.column);
            cells.deletion.is_live()
                && !cells.cells.is_empty()
                && column.is_some_and(|column| column.dropped.is_none())
        })
}

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
struct RowMerge<'a> {
    layout: &'a Layout,
    rules: Rules,
    tied: &'a mut Vec<Tied>,
    /// For each version, its next column.
    cursors: &'a mut Vec<usize>,
}

impl RowMerge<'_> {
    fn merge(&mut self, rows: &[&Row], covered: Deletion, out: &mut Row) {
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
        // All versions of the least path, again and again; a simple column has the one empty path.
        loop {
            let heads = lanes.iter_mut().filter_map(|lane| Some(lane.peek()?.path));
            let Some(path) = heads.min_by(|a, b| column.compare_paths(a, b)) else {
                break;
            };
            let mut choice: Option<Choice<'_>> = None;
            for lane in &mut lanes {
                while let Some(next) = lane.next_if(|v| column.compare_paths(v.path, path).is_eq())
                {
                    choice = Some(match choice {
                        None => Choice::of(next),
                        Some(choice) => choice.with(next, column.is_counter, self.rules),
                    });
                }
            }
            let Some((best, by_other)) = choice.map(Choice::made) else {
                continue;
            };
            push_cell(out, &best);
            if let Some(other) = by_other {
                let tied = Tied::of(&column.name, &best, &other, self.rules.ties);
                self.tied.push(tied);
            }
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
}

fn push_cell(out: &mut Row, version: &Version<'_>) {
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

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
