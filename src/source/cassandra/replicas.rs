//! The rows of several replicas of one table as one stream, the last write of every cell winning.
//!
//! The rows that a snapshot gives hold all that an SSTable does: partition deletions, bounds of range deletions, static rows and
//! rows with their cells. So every replica is taken for one SSTable, and merged as SSTables are ([`Merger`]).
//!
//! What a view has left out of a replica's rows is not known here: a tombstone that was purged hides nothing, and a cell that has
//! expired is the tombstone that compaction makes of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::cells::Rules;
use super::counter::Holders;
use super::data::PartitionHead;
use super::key::{self, Place};
use super::lane::{Next, Versions};
use super::layout::{Column, Layout};
use super::meaning::{Clock, Kind, judge_row};
use super::model::{Cell, ColumnCells, Deletion, Marker, NO_DELETION_TIME, Row as CqlRow};
use super::reconcile::Merger;
use super::rows::plain::Plain;
use super::table::Rows;
use super::types::CqlType;
use super::value::{self, Body, Element};
use super::view::{Lens, View};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::ahead::RowsAhead;
use crate::row::cql::{CqlColumn, CqlSchema, ROW_FIELD};
use crate::row::{RowStream, unescape};

/// How the replicas of one table merge.
pub struct Replicas {
    layout: Layout,
    statics: Vec<CqlColumn>,
    regulars: Vec<CqlColumn>,
    rules: Rules,
    lens: Lens,
}

impl Replicas {
    /// For replicas of these schemas, which are those of one table ([`crate::row::cql::check_same`]).
    ///
    /// # Errors
    ///
    /// Usage, where rows have no timestamps, or a column is of kinds that do not merge.
    pub fn new(schemas: &[&CqlSchema]) -> Result<Replicas> {
        let first = *schemas
            .first()
            .ok_or_else(|| Error::usage("there is no replica", ""))?;
        if schemas.iter().any(|schema| schema.view == View::Live) {
            return Err(Error::usage(
                "the live view has no timestamps, so nothing tells which write is the last",
                "leave --view live out: replicas are reconciled by all their cells and tombstones",
            ));
        }
        let named = |columns: &[CqlColumn]| -> Result<Vec<Column>> {
            columns
                .iter()
                .map(|c| Ok(Column::new(unescape(&c.name)?, c.cql_type.clone())))
                .collect()
        };
        let (statics, of_statics) = union(schemas.iter().map(|schema| &schema.statics))?;
        let (regulars, of_regulars) = union(schemas.iter().map(|schema| &schema.regulars))?;
        let now = schemas
            .iter()
            .map(|schema| schema.now)
            .max()
            .unwrap_or(first.now);
        Ok(Replicas {
            layout: Layout {
                partitioner: first.partitioner,
                key_type: first.key_type(),
                key: named(&first.key)?,
                clustering: named(&first.clustering)?,
                statics: of_statics,
                regulars: of_regulars,
                is_exact: first.clustering.iter().all(|c| c.cql_type.is_exact()),
            },
            statics,
            regulars,
            rules: Rules {
                ties: first.ties,
                now,
                holders: Holders::Replicas,
            },
            // Whatever a replica shows is kept.
            lens: Lens {
                view: View::Cells,
                now,
                gc_before: i64::MIN,
            },
        })
    }

    /// The schema of one replica, with the columns of all.
    #[must_use]
    pub fn with_all_columns(&self, schema: &CqlSchema) -> CqlSchema {
        CqlSchema {
            statics: self.statics.clone(),
            regulars: self.regulars.clone(),
            ..schema.clone()
        }
    }

    /// Where the partition begins that `key` lies in: what stands before `key` there may cover it.
    pub fn widen(&self, key: &[u8]) -> Vec<u8> {
        let (partitioner, key_type) = (self.layout.partitioner, &self.layout.key_type);
        let len = key::decode_partition(key, partitioner, key_type).map(|(_, len)| len);
        key.get(..len.unwrap_or(key.len())).unwrap_or(key).to_vec()
    }

    /// The merged rows of `range`. Every stream has the rows of one replica, from [`Replicas::widen`] of the range's begin to its
    /// end; its path is for messages.
    ///
    /// # Errors
    ///
    /// Those of the streams.
    pub fn merge<'a>(
        &'a self,
        streams: Vec<(&'a Path, Box<dyn RowStream + 'a>)>,
        range: &KeyRange,
    ) -> Result<Box<dyn RowStream + 'a>> {
        let mut sources = Vec::with_capacity(streams.len());
        for (path, rows) in streams {
            let versions = RowVersions::new(path, &self.layout, rows)?;
            sources.push((versions, self.layout.own_mapping()));
        }
        let merger = Merger::new(&self.layout, self.rules, self.lens.view, sources)?;
        let rows = Rows::new(&self.layout, self.lens, merger, range.clone());
        Ok(Box::new(rows))
    }

    /// Whether a replica has a cell of the same timestamp as the merged row's, and another value.
    pub fn is_conflict(&self, replica: &[u8], merged: &[u8]) -> bool {
        let clock = Clock {
            now: self.lens.now,
            gc_grace: 0,
        };
        let sides = (Some(replica), Some(merged));
        let parts = judge_row(ROW_FIELD, sides.0, sides.1, [Deletion::LIVE; 2], [clock; 2]);
        let is_counter = |name: &[u8]| {
            let columns = self.layout.statics.iter().chain(&self.layout.regulars);
            columns.into_iter().any(|c| c.name == name && c.is_counter)
        };
        parts
            .unwrap_or_default()
            .iter()
            .any(|part| part.meaning.kind == Kind::Conflict && !is_counter(part.column))
    }
}

/// The columns that any of several replicas knows, ascending by name. Of two types of one column (it was altered) the longer
/// counts, so that the order of the replicas does not.
fn union<'s>(
    replicas: impl Iterator<Item = &'s Vec<CqlColumn>>,
) -> Result<(Vec<CqlColumn>, Vec<Column>)> {
    let mut all: BTreeMap<Vec<u8>, CqlColumn> = BTreeMap::new();
    for column in replicas.flatten() {
        let name = unescape(&column.name)?;
        let Some(known) = all.get_mut(&name) else {
            all.insert(name, column.clone());
            continue;
        };
        let kind = |t: &CqlType| (t.is_complex(), *t == CqlType::Counter);
        if kind(&known.cql_type) != kind(&column.cql_type) {
            return Err(Error::usage(
                format!(
                    "the replicas' columns {} do not merge: {} and {}",
                    column.name,
                    known.cql_type.to_cql(),
                    column.cql_type.to_cql()
                ),
                "are all of these replicas of one table?",
            ));
        }
        let order = |t: &CqlType| {
            let text = t.to_java();
            (text.len(), text)
        };
        if order(&column.cql_type) > order(&known.cql_type) {
            known.cql_type = column.cql_type.clone();
        }
    }
    let columns = all
        .iter()
        .map(|(name, column)| Column::new(name.clone(), column.cql_type.clone()))
        .collect();
    Ok((all.into_values().collect(), columns))
}

/// The rows of one replica, taken apart for the merger.
struct RowVersions<'a> {
    path: &'a Path,
    layout: &'a Layout,
    clustering: Vec<CqlType>,
    rows: RowsAhead<'a>,
    /// The current partition's place.
    partition: Vec<u8>,
    /// The range deletion that is open.
    open: Deletion,
}

impl<'a> RowVersions<'a> {
    fn new(
        path: &'a Path,
        layout: &'a Layout,
        rows: Box<dyn RowStream + 'a>,
    ) -> Result<RowVersions<'a>> {
        let clustering = layout.clustering.iter().map(|c| c.cql_type.clone());
        Ok(RowVersions {
            path,
            layout,
            clustering: clustering.collect(),
            rows: RowsAhead::new(rows)?,
            partition: Vec::new(),
            open: Deletion::LIVE,
        })
    }

    /// What of the current partition the next row is, and its value; `None` where that is of another partition.
    fn ahead_in_partition(&self) -> Result<Option<(Place, &[u8])>> {
        let Some(row) = self.rows.row() else {
            return Ok(None);
        };
        let Some(rest) = row.key.strip_prefix(self.partition.as_slice()) else {
            return Ok(None);
        };
        let place = key::decode_place(rest, &self.clustering);
        let place = place.ok_or_else(|| self.damaged("a key is not one of this table"))?;
        Ok(Some((place, row.value)))
    }

    fn deletion(&self, value: &[u8]) -> Result<Deletion> {
        value::decode(value)
            .map(|decoded| decoded.deletion)
            .ok_or_else(|| self.damaged("a deletion can't be taken apart"))
    }
}

impl Versions for RowVersions<'_> {
    fn next_partition(&mut self, head: &mut PartitionHead) -> Result<bool> {
        let is_within =
            |key: &[u8], partition: &[u8]| !partition.is_empty() && key.starts_with(partition);
        while self
            .rows
            .key()
            .is_some_and(|key| is_within(key, &self.partition))
        {
            self.rows.advance()?;
        }
        self.open = Deletion::LIVE;
        let Some(row_key) = self.rows.key() else {
            return Ok(false);
        };
        let (partitioner, key_type) = (self.layout.partitioner, &self.layout.key_type);
        let (key, len) = key::decode_partition(row_key, partitioner, key_type)
            .ok_or_else(|| self.damaged("a key is not one of this table"))?;
        self.partition = row_key.get(..len).unwrap_or_default().to_vec();
        let mut deletion = Deletion::LIVE;
        if let Some((Place::Deletion, value)) = self.ahead_in_partition()? {
            deletion = self.deletion(value)?;
            self.rows.advance()?;
        }
        *head = PartitionHead {
            key,
            deletion,
            ..PartitionHead::default()
        };
        Ok(true)
    }

    fn next(&mut self, row: &mut CqlRow, _plain: &mut Plain) -> Result<Next> {
        let Some((place, value)) = self.ahead_in_partition()? else {
            return Ok(Next::End);
        };
        let (values, is_static) = match place {
            Place::Bound(clustering, side) => {
                let of = |deletion: Deletion| (!deletion.is_live()).then_some(deletion);
                let deletion = self.deletion(value)?;
                let closes = of(std::mem::replace(&mut self.open, deletion));
                self.rows.advance()?;
                return Ok(Next::Marker(Box::new(Marker {
                    clustering,
                    side,
                    closes,
                    opens: of(deletion),
                })));
            }
            Place::Row(values) => (values, false),
            Place::Static => (Vec::new(), true),
            Place::Partition | Place::Deletion => {
                return Err(self.damaged("a key is not one of a row"));
            }
        };
        row.clear();
        row.is_static = is_static;
        for value in values {
            let place = value.map(|value| row.push(&value));
            row.clustering.push(place);
        }
        fill(row, self.layout.columns(is_static), value)
            .ok_or_else(|| self.damaged("a row can't be taken apart"))?;
        self.rows.advance()?;
        Ok(Next::Row)
    }

    fn damaged(&self, what: &str) -> Error {
        Error::damaged(self.path, 0, format!("{what}, among the rows read,"))
    }
}

/// Puts what a value tells into `row`; `None` where it is not a value of these columns.
fn fill(row: &mut CqlRow, columns: &[Column], value: &[u8]) -> Option<()> {
    let decoded = value::decode(value).filter(|decoded| !decoded.is_live_view)?;
    row.liveness = decoded.liveness.timestamp.map(|_| decoded.liveness);
    row.deletion = (!decoded.deletion.is_live()).then_some(decoded.deletion);
    row.is_shadowable = decoded.is_shadowable;
    for (name, body) in &decoded.columns {
        let index = columns
            .binary_search_by(|column| column.name.as_slice().cmp(name))
            .ok()?;
        let (is_complex, deletion, elements) = match value::decode_body(body)? {
            Body::Simple(element) => (false, Deletion::LIVE, vec![element]),
            Body::Complex(deletion, elements) => (true, deletion, elements),
        };
        if columns.get(index)?.is_complex != is_complex {
            return None;
        }
        let first = row.cells.len();
        for element in &elements {
            push_cell(row, element)?;
        }
        let cells = first..row.cells.len();
        row.columns.push(ColumnCells {
            column: index,
            deletion,
            cells,
        });
    }
    Some(())
}

fn push_cell(row: &mut CqlRow, element: &Element<'_>) -> Option<()> {
    let (ttl, local_time) = match (element.deleted, element.expiry) {
        (Some(deleted), _) => (0, deleted),
        (None, Some(expiry)) => expiry,
        (None, None) => (0, NO_DELETION_TIME),
    };
    let path = row.push(element.path);
    let value = row.push(element.value.unwrap_or_default());
    row.cells.push(Cell {
        timestamp: element.timestamp?,
        ttl,
        local_time,
        is_deleted: element.deleted.is_some(),
        path,
        value,
    });
    Some(())
}

#[cfg(test)]
#[path = "replicas_tests.rs"]
mod tests;
