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
use super::lane::{Lane, Next, Versions, push_place};
use super::layout::{Column, Layout, Mapping};
use super::model::{Deletion, Row};
use super::position::Position;
use super::row_merge::RowMerge;
use super::rows::plain::Winners;
use super::tied::Tied;
use super::view::View;
use crate::error::{Error, Result};

/// What [`Merger::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// A row, in the caller's buffer; [`Merger::push_position`] gives its clustering values.
    Row,
    /// A plain row, whose value [`Merger::plain_value`] gives.
    Plain,
    /// From here on rows are covered by this deletion, or by none ([`Deletion::LIVE`]).
    Covered(Deletion),
    /// The partition has no more.
    End,
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
    /// The stronger of both.
    covered: Deletion,
    position: Position,
    exact: Vec<u8>,
    cursors: Vec<usize>,
    winners: Winners<'t>,
    /// What went wrong behind the current row.
    failed: Option<Error>,
    /// Cells of the current row for which the rules for equal timestamps choose differently.
    pub tied: Vec<Tied>,
}

impl<'t, V: Versions> Merger<'t, V> {
    /// Merges SSTables, each with the mapping of its columns to those of `layout`; values of plain rows are as `view` sees them.
    ///
    /// # Errors
    ///
    /// Those of reading the first partitions.
    pub fn new(
        layout: &'t Layout,
        rules: Rules,
        view: View,
        sources: Vec<(V, Mapping)>,
    ) -> Result<Merger<'t, V>> {
        let mut lanes = Vec::with_capacity(sources.len());
        for (versions, mapping) in sources {
            let mut lane = Lane::new(versions, mapping);
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
            covered: Deletion::LIVE,
            position: Position::default(),
            exact: Vec::new(),
            cursors: Vec::new(),
            winners: Winners::new(layout, view),
            failed: None,
            tied: Vec::new(),
        })
    }

    /// Goes to the next partition; returns its deletion.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn next_partition(&mut self) -> Result<Option<Deletion>> {
        self.check_failed()?;
        for &member in &self.members {
            let Some(lane) = self.lanes.get_mut(member) else {
                continue;
            };
            lane.next_head(self.layout)?;
        }
        let lanes = self.lanes.iter().enumerate();
        let ahead = lanes.filter(|(_, lane)| lane.is_ahead);
        foremost(
            ahead.map(|(at, lane)| (at, &lane.partition)),
            &mut self.members,
        );
        let heads = self
            .members
            .iter()
            .filter_map(|&member| self.lanes.get(member));
        self.deletion = heads.fold(Deletion::LIVE, |strongest, lane| {
            strongest.max(lane.head.deletion)
        });
        self.set_open(Deletion::LIVE);
        Ok((!self.members.is_empty()).then_some(self.deletion))
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
        self.set_open(self.strongest());
        Ok(())
    }

    fn set_open(&mut self, open: Deletion) {
        self.open = open;
        self.covered = self.deletion.max(open);
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

    /// Appends the current partition's place among partitions: token and key, see [`super::key`].
    pub fn push_partition(&self, key: &mut Vec<u8>) {
        if let Some(lane) = self.members.first().and_then(|&lane| self.lanes.get(lane)) {
            lane.partition.push_to(key);
        }
    }

    /// The current row's or bound's place in its partition, as rows are ordered by.
    #[inline]
    pub fn order(&self) -> &Position {
        &self.position
    }

    /// Appends the current row's or bound's place in its partition, see [`super::key`].
    pub fn push_position(&self, key: &mut Vec<u8>) {
        push_place(self.layout, &self.position, &self.exact, key);
    }

    /// The value of the plain row that [`Merger::next`] found.
    pub fn plain_value(&self) -> &[u8] {
        self.winners.value()
    }

    /// Reads what stands next in the current partition; a row that is not plain goes into `out`.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn next(&mut self, out: &mut Row) -> Result<Merged> {
        self.check_failed()?;
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
                self.set_open(open);
                return Ok(Merged::Covered(open));
            }
        }
    }

    /// Reads what stands next in the current partition, if that is a plain row before `end` over which no deletion lies: its place in
    /// the partition replaces what stands in `key` behind `partition_len` bytes, and its value is [`Merger::plain_value`]. Else
    /// returns false, and nothing was done.
    ///
    /// # Errors
    ///
    /// Those of reading.
    #[inline]
    pub fn next_plain(
        &mut self,
        end: Option<&Position>,
        partition_len: usize,
        key: &mut Vec<u8>,
    ) -> Result<bool> {
        self.check_failed()?;
        if !self.covered.is_live() {
            return Ok(false);
        }
        let only = match self.members.as_slice() {
            &[only] => only,
            // Of several places that are equal, the key has the least.
            _ if !self.layout.is_exact => return Ok(false),
            _ => {
                self.find_foremost();
                match self.here.as_slice() {
                    &[only] => only,
                    _ => return self.next_plain_of_several(end, partition_len, key),
                }
            }
        };
        let Some(lane) = self.lanes.get_mut(only) else {
            return Ok(false);
        };
        if end.is_some_and(|end| lane.position >= *end) {
            return Ok(false);
        }
        let version = lane.plain_version();
        if !version.is_some_and(|version| self.winners.encode_one(version)) {
            return Ok(false);
        }
        key.truncate(partition_len);
        lane.push_place(self.layout, key);
        // The row was read, so an error is that of what follows it.
        self.failed = lane.advance(self.layout).err();
        Ok(true)
    }

    fn next_plain_of_several(
        &mut self,
        end: Option<&Position>,
        partition_len: usize,
        key: &mut Vec<u8>,
    ) -> Result<bool> {
        let Some(first) = self.here.first().and_then(|&lane| self.lanes.get(lane)) else {
            return Ok(false);
        };
        if end.is_some_and(|end| first.position >= *end) {
            return Ok(false);
        }
        let version = |lane: usize| self.lanes.get(lane)?.plain_version();
        if !self.winners.encode(&self.here, version) {
            return Ok(false);
        }
        key.truncate(partition_len);
        first.push_place(self.layout, key);
        self.failed = self.advance_here().err();
        Ok(true)
    }

    /// Whether the current partition has no more.
    pub fn is_at_end(&self) -> bool {
        let mut lanes = self.members.iter().filter_map(|&lane| self.lanes.get(lane));
        lanes.all(|lane| matches!(lane.next, Next::End))
    }

    #[inline]
    fn check_failed(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Finds the lanes that stand foremost; false where none is left.
    fn find_here(&mut self) -> bool {
        self.find_foremost();
        match self.here.first().and_then(|&first| self.lanes.get(first)) {
            Some(first) => {
                self.position.copy_from(&first.position);
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

    fn find_foremost(&mut self) {
        let members = self.members.iter();
        let lanes = members.filter_map(|&member| Some((member, self.lanes.get(member)?)));
        let left = lanes.filter(|(_, lane)| !matches!(lane.next, Next::End));
        foremost(left.map(|(at, lane)| (at, &lane.position)), &mut self.here);
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
        let covered = self.covered;
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

    /// Encodes what counts of the rows that stand here, if all are plain and no rule for equal timestamps matters; else returns false.
    fn merge_plain(&mut self) -> bool {
        let lanes = &self.lanes;
        let version = |lane: usize| lanes.get(lane)?.plain_version();
        self.winners.encode(&self.here, version)
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

/// Sets `out` to the lanes at the least of their places.
fn foremost<'l>(places: impl Iterator<Item = (usize, &'l Position)>, out: &mut Vec<usize>) {
    out.clear();
    let mut least = None;
    for (lane, place) in places {
        let order = least.map_or(Ordering::Less, |least| place.cmp(least));
        if order.is_lt() {
            out.clear();
            least = Some(place);
        }
        if order.is_le() {
            out.push(lane);
        }
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
