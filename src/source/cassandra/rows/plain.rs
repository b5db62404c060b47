//! Plain rows, from Data.db straight to their values.
//!
//! A row is plain if all of it is alive for good: simple columns with one cell each, nothing deleted, no TTL. Most rows are. Of a
//! plain row [`super::Shape::row`], the view and the encoder would make what is made here at once; whatever is met that is not
//! plain is left to them, damage too.
//!
//! Where several SSTables have plain versions of a row, the newest cell of each column counts; that can be told by the encoded
//! columns alone, unless two of them are of one timestamp and differ.

use std::cmp::Ordering;

use super::super::layout::{Column, Layout, Mapping};
use super::super::model::{Deletion, Liveness, Place};
use super::super::value;
use super::super::view::View;
use super::super::wire;
use super::{
    ALL_COLUMNS, CELL_EMPTY, CELL_ROW_TIMESTAMP, COMPLEX_DELETIONS, Field, Front, HAS_DELETION,
    HAS_TIMESTAMP, HAS_TTL, MARKER, STATIC, Shape,
};
use crate::file::cursor::{Cursor, push_front};

/// How plain rows of one SSTable are encoded.
#[derive(Debug, Clone)]
pub struct Plan {
    view: View,
    statics: Vec<Option<Slot>>,
    regulars: Vec<Option<Slot>>,
}

/// A column whose cells can be plain.
#[derive(Debug, Clone)]
struct Slot {
    /// Its index among the table's.
    column: usize,
    /// Its name, as a value has it, and zeros behind it, so that it can be copied in one piece.
    name: Vec<u8>,
    name_len: usize,
    fixed_len: Option<u64>,
}

/// A plain row.
#[derive(Debug, Default)]
pub struct Plain {
    /// Timestamp of the INSERT.
    inserted: Option<i64>,
    /// Its columns, ascending.
    columns: Vec<PlainColumn>,
    /// Its value, see [`super::super::value`].
    pub value: Vec<u8>,
}

/// A column of a plain row.
#[derive(Debug, Clone)]
struct PlainColumn {
    column: usize,
    timestamp: i64,
    /// Name and body, in the value.
    place: Place,
}

impl Plain {
    fn clear(&mut self) {
        self.inserted = None;
        self.columns.clear();
        self.value.clear();
    }

    fn at(&self, place: &Place) -> &[u8] {
        self.value.get(place.clone()).unwrap_or_default()
    }

    /// What stands before the columns.
    fn head(&self) -> &[u8] {
        let len = self.columns.first().map(|column| column.place.start);
        self.at(&(0..len.unwrap_or(self.value.len())))
    }

    fn push(&mut self, of: &Plain, column: &PlainColumn) {
        let start = self.value.len();
        self.value.extend_from_slice(of.at(&column.place));
        self.columns.push(PlainColumn {
            place: start..self.value.len(),
            ..*column
        });
    }

    /// Becomes what counts of two versions of a row; false where a rule for equal timestamps has to decide.
    pub fn merge(&mut self, one: &Plain, other: &Plain) -> bool {
        self.clear();
        let newer = match one.inserted >= other.inserted {
            true => one,
            false => other,
        };
        self.inserted = newer.inserted;
        self.value.extend_from_slice(newer.head());
        let mut ones = one.columns.as_slice();
        let mut others = other.columns.as_slice();
        loop {
            let (taken, from) = match (ones, others) {
                ([first, ..], [second, ..]) if first.column == second.column => {
                    (ones, others) = (
                        ones.get(1..).unwrap_or_default(),
                        others.get(1..).unwrap_or_default(),
                    );
                    match first.timestamp.cmp(&second.timestamp) {
                        Ordering::Greater => (first, one),
                        Ordering::Less => (second, other),
                        Ordering::Equal if one.at(&first.place) == other.at(&second.place) => {
                            (first, one)
                        }
                        Ordering::Equal => return false,
                    }
                }
                ([first, rest @ ..], [second, ..]) if first.column < second.column => {
                    ones = rest;
                    (first, one)
                }
                (_, [second, rest @ ..]) => {
                    others = rest;
                    (second, other)
                }
                ([first, rest @ ..], []) => {
                    ones = rest;
                    (first, one)
                }
                ([], []) => return true,
            };
            self.push(from, taken);
        }
    }
}

impl Plan {
    /// The plan for an SSTable of this shape, whose columns stand in the table where `mapping` says.
    pub fn new(shape: &Shape, mapping: &Mapping, layout: &Layout, view: View) -> Plan {
        Plan {
            view,
            statics: slots(&shape.statics, mapping.places(true), &layout.statics),
            regulars: slots(&shape.regulars, mapping.places(false), &layout.regulars),
        }
    }
}

fn slots(fields: &[Field], places: &[usize], columns: &[Column]) -> Vec<Option<Slot>> {
    let mut last = None;
    let slot = |(field, &place): (&Field, &usize)| {
        let column = columns.get(place)?;
        if field.is_complex || column.is_complex || column.is_counter || column.dropped.is_some() {
            return None;
        }
        // Columns that are not in the table's order have to be sorted.
        if last.replace(place) >= Some(place) {
            return None;
        }
        let mut name = value::name(&column.name);
        let name_len = name.len();
        name.resize(name_len + 16, 0);
        Some(Slot {
            column: place,
            name,
            name_len,
            fixed_len: field.fixed_len,
        })
    };
    fields.iter().zip(places).map(slot).collect()
}

impl Shape {
    /// Encodes a row, of which `bytes` are all; `None` where it is not plain, or damaged.
    pub fn plain(&self, bytes: &[u8], front: &Front, plan: &Plan, out: &mut Plain) -> Option<()> {
        const NOT_PLAIN: u8 = MARKER | HAS_TTL | HAS_DELETION | COMPLEX_DELETIONS;
        if front.flags & NOT_PLAIN != 0 || front.extended & !STATIC != 0 {
            return None;
        }
        let slots = match front.extended & STATIC != 0 {
            true => &plan.statics,
            false => &plan.regulars,
        };
        out.clear();
        let mut cursor = Cursor::new(bytes);
        cursor.take(front.body_at as u64)?;
        wire::uvint(&mut cursor)?;
        if front.flags & HAS_TIMESTAMP != 0 {
            out.inserted = Some(self.read_timestamp(&mut cursor).ok()?);
        }
        let liveness = Liveness {
            timestamp: out.inserted,
            ..Liveness::NONE
        };
        value::push_head(&mut out.value, plan.view, liveness, Deletion::LIVE, false);
        let missing = match front.flags & ALL_COLUMNS != 0 {
            true => 0,
            false if slots.len() < 64 => wire::uvint(&mut cursor)?,
            false => return None,
        };
        if missing != 0 && missing >> slots.len() != 0 {
            return None;
        }
        let is_missing = |index: usize| index < 64 && missing >> index & 1 != 0;
        for (index, slot) in slots.iter().enumerate() {
            if !is_missing(index) {
                self.plain_cell(&mut cursor, slot.as_ref()?, plan.view, out)?;
            }
        }
        let is_whole = cursor.is_empty();
        (is_whole && (out.inserted.is_some() || !out.columns.is_empty())).then_some(())
    }

    #[inline]
    fn plain_cell(
        &self,
        cursor: &mut Cursor<'_>,
        slot: &Slot,
        view: View,
        out: &mut Plain,
    ) -> Option<()> {
        let flags = cursor.u8()?;
        if flags & !(CELL_EMPTY | CELL_ROW_TIMESTAMP) != 0 {
            return None;
        }
        let timestamp = match flags & CELL_ROW_TIMESTAMP != 0 {
            true => out.inserted?,
            false => self.read_timestamp(cursor).ok()?,
        };
        let len = match (flags & CELL_EMPTY != 0, slot.fixed_len) {
            (true, _) => 0,
            (false, Some(len)) => len,
            (false, None) => wire::uvint(cursor)?,
        };
        let rest = cursor.rest();
        let cell = cursor.take(len)?;
        let start = out.value.len();
        push_front(&mut out.value, &slot.name, slot.name_len);
        value::push_plain_front(&mut out.value, view, timestamp, cell.len());
        push_front(&mut out.value, rest, cell.len());
        out.columns.push(PlainColumn {
            column: slot.column,
            timestamp,
            place: start..out.value.len(),
        });
        Some(())
    }
}
