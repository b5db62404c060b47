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

use super::cells::Rules;
use super::key::{self, Exactness};
use super::layout::{Column, Layout, Mapping};
use super::model::{Deletion, Marker, Row};
use super::row_merge::RowMerge;
use super::rows::plain::Plain;
use super::tied::Tied;
use crate::error::{Error, Result};

/// What [`Merger::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// A row, in the caller's buffer; its clustering values are in [`Merger::position`] only.
    Row,
    /// A plain row, whose value [`Merger::take_plain`] gives.
    Plain,
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
    /// A plain row, in the caller's other buffer; of the row only the clustering values are set.
    Plain,
    /// A range tombstone marker.
    Marker(Box<Marker>),
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
    /// The range deletion that is open where [`Versions::next`] begins.
    pub open: Deletion,
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
    fn next(&mut self, row: &mut Row, plain: &mut Plain) -> Result<Next>;

    /// Reads the row again that was plain, as one that is not.
    ///
    /// # Errors
    ///
    /// Damaged.
    fn decode_plain(&mut self, _row: &mut Row) -> Result<()> {
        Ok(())
    }

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
    plain: Plain,
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
        self.open = self.head.as_ref().map_or(Deletion::LIVE, |head| head.open);
        self.position.clear();
        self.advance(layout)
    }

    fn advance(&mut self, layout: &Layout) -> Result<()> {
        self.next = self.versions.next(&mut self.row, &mut self.plain)?;
        std::mem::swap(&mut self.previous, &mut self.position);
        self.position.clear();
        if let Next::Row = self.next {
            self.mapping.apply(&mut self.row);
        }
        let push = |out: &mut Vec<u8>, exactness| match &self.next {
            Next::Row | Next::Plain => key::push_row(out, layout, &self.row, exactness),
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
        matches!(self.next, Next::Row | Next::Plain)
    }

    fn is_plain(&self) -> bool {
        matches!(self.next, Next::Plain)
    }

    /// Makes of a plain row one that is not.
    fn decode_plain(&mut self) -> Result<()> {
        if self.is_plain() {
            self.versions.decode_plain(&mut self.row)?;
            self.mapping.apply(&mut self.row);
            self.next = Next::Row;
        }
        Ok(())
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
    /// The current row, where it is plain.
    plain: Plain,
    /// What was merged for it before.
    before: Plain,
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
                plain: Plain::default(),
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
            plain: Plain::default(),
            before: Plain::default(),
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
        self.open = self.strongest();
        Ok(())
    }

    /// The range deletion that covers rows here, where the deletion of the partition does not; [`Deletion::LIVE`] for none.
    pub fn open(&self) -> Deletion {
        self.open
    }

    fn strongest(&self) -> Deletion {
        let strongest = self
            .members
            .iter()
            .filter_map(|&lane| self.lanes.get(lane))
            .fold(Deletion::LIVE, |strongest, lane| strongest.max(lane.open));
        match supersedes(strongest, self.deletion) {
            true => strongest,
            false => Deletion::LIVE,
        }
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
                match self.merge_rows(out)? {
                    Some(merged) => return Ok(merged),
                    None => continue,
                }
            }
            self.pass_markers()?;
            let open = self.strongest();
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

    /// Merges the rows that stand here; `None` where nothing of them is left.
    fn merge_rows(&mut self, out: &mut Row) -> Result<Option<Merged>> {
        let covered = self.deletion.max(self.open);
        if covered.is_live() && self.merge_plain() {
            self.advance_here()?;
            return Ok(Some(Merged::Plain));
        }
        for &member in &self.here {
            if let Some(lane) = self.lanes.get_mut(member) {
                lane.decode_plain()?;
            }
        }
        if let ([only], true) = (self.here.as_slice(), covered.is_live()) {
            let Some(lane) = self.lanes.get_mut(*only) else {
                return Ok(None);
            };
            let columns = self.layout.columns(lane.row.is_static);
            if is_settled(&lane.row, columns) {
                std::mem::swap(out, &mut lane.row);
                lane.advance(self.layout)?;
                return Ok((!is_empty(out)).then_some(Merged::Row));
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
        };
        merge.merge(&rows, covered, &mut self.cursors, out);
        self.advance_here()?;
        Ok((!is_empty(out)).then_some(Merged::Row))
    }

    /// Merges the rows that stand here, if all are plain and no rule for equal timestamps matters; else returns false.
    fn merge_plain(&mut self) -> bool {
        let is_plain = |&member: &usize| self.lanes.get(member).is_some_and(Lane::is_plain);
        let Some((first, others)) = self.here.split_first() else {
            return false;
        };
        if !self.here.iter().all(is_plain) {
            return false;
        }
        if let ([], Some(only)) = (others, self.lanes.get_mut(*first)) {
            std::mem::swap(&mut self.plain, &mut only.plain);
            return true;
        }
        for (count, other) in others.iter().enumerate() {
            let [Some(first), Some(other)] = [first, other].map(|&lane| self.lanes.get(lane))
            else {
                return false;
            };
            std::mem::swap(&mut self.plain, &mut self.before);
            let one = if count == 0 {
                &first.plain
            } else {
                &self.before
            };
            if !self.plain.merge(one, &other.plain) {
                return false;
            }
        }
        true
    }

    /// The value of the plain row that [`Merger::next`] found, for a buffer that is of no more use.
    pub fn take_plain(&mut self, value: &mut Vec<u8>) {
        std::mem::swap(value, &mut self.plain.value);
    }

    fn advance_here(&mut self) -> Result<()> {
        for &member in &self.here {
            if let Some(lane) = self.lanes.get_mut(member) {
                lane.advance(self.layout)?;
            }
        }
        Ok(())
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

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
