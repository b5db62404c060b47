//! Plain rows, from Data.db to their values without a detour.
//!
//! A row is plain if all of it is alive for good: simple columns with one cell each, nothing deleted, no TTL. Most rows are. Of a
//! plain row only the places of its cells are noted, in one pass over its bytes; what counts of its versions in several SSTables
//! can be told by these, unless two cells are of one timestamp and differ; and then the value is written once. It is what
//! [`super::Shape::row`], the view and the encoder would make. Whatever is met that is not plain is left to them, damage too.

use std::cmp::Ordering;

use super::super::key::{self, Exactness};
use super::super::layout::{Column, Layout, Mapping};
use super::super::model::Place;
use super::super::position::Position;
use super::super::types::CqlType;
use super::super::types::ordered::Number;
use super::super::value;
use super::super::view::View;
use super::super::wire::uvint_at;
use super::{
    ALL_COLUMNS, CELL_EMPTY, CELL_ROW_TIMESTAMP, COMPLEX_DELETIONS, END, EXTENDED, Field,
    HAS_DELETION, HAS_TIMESTAMP, HAS_TTL, MARKER, STATIC, Shape,
};
use crate::file::cursor::{Cursor, Room};

/// How plain rows of one SSTable are read.
#[derive(Debug, Clone)]
pub struct Plan {
    clustering: Vec<CqlType>,
    /// The clustering columns, where their values are numbers and fit a position's number.
    numbers: Option<Numbers>,
    /// Whether clustering values that are equal are of the same bytes.
    is_exact: bool,
    statics: Vec<Slot>,
    regulars: Vec<Slot>,
    /// Longer rows are not plain: places in them are of 32 bits.
    row_bytes_max: usize,
}

/// By how many bits the value of a lone column of 8 bytes is shifted: two bytes stand before it.
const LONE_SHIFT: u32 = u128::BITS - 8 * (2 + 8);

/// How values that are numbers become a position.
#[derive(Debug, Clone)]
struct Numbers {
    /// The front of the position, but for the values.
    front: u128,
    /// Bytes of the position.
    len: usize,
    columns: Vec<NumberColumn>,
}

#[derive(Debug, Clone)]
struct NumberColumn {
    number: Number,
    fixed_len: Option<u64>,
    /// By how many bits a value is shifted in the front.
    shift: u32,
}

/// A column of the SSTable.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Its index among the table's.
    column: u32,
    value: SlotValue,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy)]
enum SlotValue {
    /// A value of so many bytes.
    Fixed(u32),
    /// A value behind its length.
    Prefixed,
    /// What can't be plain.
    NotPlain,
}

/// A plain row.
#[derive(Debug, Default)]
pub struct Plain {
    /// Whether it is the static row of its partition.
    is_static: bool,
    /// Timestamp of the INSERT.
    inserted: Option<i64>,
    /// Ascending by column, and memory for more behind them.
    cells: Vec<PlainCell>,
    cell_count: usize,
    /// Its bytes in Data.db.
    len: usize,
    /// Its clustering values, where they are not numbers: places in its bytes, behind the flags.
    clustering: Vec<Option<Place>>,
    /// Where it stands.
    pub position: Position,
    /// The same as the key has it, where that is other bytes.
    pub exact: Vec<u8>,
}

/// The cell of a column of a plain row.
#[derive(Debug, Clone, Default)]
struct PlainCell {
    timestamp: i64,
    column: u32,
    /// Where in the bytes of the row its value begins.
    start: u32,
    /// Bytes of its value.
    len: u32,
}

/// A plain row, and the bytes that begin with it.
pub type PlainVersion<'b> = (&'b Plain, &'b [u8]);

/// What counts of the versions of a plain row; keeps its memory.
#[derive(Debug)]
pub struct Winners<'t> {
    layout: &'t Layout,
    view: View,
    /// Bytes that a cell needs room for at most, but for its value.
    cell_bytes_max: usize,
    /// The value of the row, and room behind it.
    value: Vec<u8>,
    value_len: usize,
    /// Which version's, and the cell.
    cells: Vec<(usize, PlainCell)>,
    before: Vec<(usize, PlainCell)>,
}

impl Numbers {
    /// `None` where not all values are numbers, or they take too many bytes.
    fn new(types: &[CqlType], fixed_lens: &[Option<u64>]) -> Option<Numbers> {
        let numbers: Option<Vec<_>> = types.iter().map(CqlType::as_number).collect();
        let numbers = numbers?;
        let len = 2 + numbers.iter().map(|number| 1 + number.len).sum::<usize>();
        // Behind what was placed so far.
        let mut shift = u128::BITS.checked_sub(8)?;
        let mut front = u128::from(key::CLUSTERED) << shift;
        let mut columns = Vec::new();
        for (number, &fixed_len) in numbers.into_iter().zip(fixed_lens) {
            shift = shift.checked_sub(8)?;
            front |= u128::from(number.tag) << shift;
            shift = shift.checked_sub(8 * number.len as u32)?;
            columns.push(NumberColumn {
                number,
                fixed_len,
                shift,
            });
        }
        front |= u128::from(key::AT) << shift.checked_sub(8)?;
        Some(Numbers {
            front,
            len,
            columns,
        })
    }

    /// Reads the values at a place of `bytes`, and sets the position by them; moves the place behind them.
    #[inline(always)]
    fn read(&self, bytes: &[u8], at: &mut usize, position: &mut Position) -> Option<()> {
        if let [only] = self.columns.as_slice()
            && only.fixed_len == Some(8)
            && only.number.len == 8
        {
            // The most frequent one, without a shift by a variable.
            let (0, value) = bytes.get(*at..)?.split_first()? else {
                return None;
            };
            let value = u64::from_be_bytes(*value.first_chunk()?) ^ only.number.flipped;
            position.set(self.front | u128::from(value) << LONE_SHIFT, self.len);
            *at += 9;
            return Some(());
        }
        let mut front = self.front;
        if !self.columns.is_empty() {
            if *bytes.get(*at)? != 0 {
                return None;
            }
            *at += 1;
        }
        for column in &self.columns {
            let len = match column.fixed_len {
                Some(len) => len,
                None => uvint_at(bytes, at)?,
            };
            if len != column.number.len as u64 {
                return None;
            }
            let rest = bytes.get(*at..)?;
            let value = match column.number.len {
                8 => u64::from_be_bytes(*rest.first_chunk()?),
                4 => u32::from_be_bytes(*rest.first_chunk()?).into(),
                len => {
                    let push = |value, &byte: &u8| value << 8 | u64::from(byte);
                    rest.get(..len)?.iter().fold(0, push)
                }
            };
            *at += column.number.len;
            front |= u128::from(value ^ column.number.flipped) << column.shift;
        }
        position.set(front, self.len);
        Some(())
    }
}

impl Plan {
    /// The plan for an SSTable of this shape, whose columns stand in the table where `mapping` says.
    pub fn new(shape: &Shape, mapping: &Mapping, layout: &Layout) -> Plan {
        let columns = layout.clustering.iter();
        let clustering: Vec<_> = columns.map(|column| column.cql_type.clone()).collect();
        Plan {
            numbers: Numbers::new(&clustering, &shape.clustering),
            clustering,
            is_exact: layout.is_exact,
            statics: slots(&shape.statics, mapping.places(true), &layout.statics),
            regulars: slots(&shape.regulars, mapping.places(false), &layout.regulars),
            row_bytes_max: shape.row_bytes_max.min(u32::MAX.into()) as usize,
        }
    }
}

fn slots(fields: &[Field], places: &[usize], columns: &[Column]) -> Vec<Slot> {
    let mut last = None;
    let slot = |(field, &place): (&Field, &usize)| {
        let is_plain = columns.get(place).is_some_and(|column| {
            let is_simple = !field.is_complex && !column.is_complex;
            is_simple && !column.is_counter && column.dropped.is_none()
        });
        // Columns that are not in the table's order have to be sorted.
        let is_next = is_plain && last.replace(place) < Some(place);
        let value = match field.fixed_len {
            _ if !is_next => Some(SlotValue::NotPlain),
            Some(len) => u32::try_from(len).ok().map(SlotValue::Fixed),
            None => Some(SlotValue::Prefixed),
        };
        Slot {
            column: u32::try_from(place).unwrap_or(u32::MAX),
            value: value.unwrap_or(SlotValue::NotPlain),
        }
    };
    fields.iter().zip(places).map(slot).collect()
}

impl Shape {
    /// Reads the clustering values at a place of `bytes`, and sets the position of the row by them; moves the place behind them.
    fn position(&self, bytes: &[u8], at: &mut usize, plan: &Plan, out: &mut Plain) -> Option<()> {
        let bytes = bytes.get(*at..)?;
        let mut cursor = Cursor::new(bytes);
        out.clustering.clear();
        let read = self.clustering(&mut cursor, &self.clustering, &mut out.clustering);
        read.ok()?;
        let values = out.clustering.iter().zip(&plan.clustering);
        let value = |place: &Option<Place>| bytes.get(place.clone()?);
        let values = values.map(|(place, cql_type)| (value(place), cql_type));
        out.position.write(|to| {
            key::push_clustered(to, values.clone(), Exactness::Equal);
            Some(())
        })?;
        if !plan.is_exact {
            out.exact.clear();
            key::push_clustered(&mut out.exact, values, Exactness::Bytes);
        }
        *at += cursor.position();
        Some(())
    }

    /// Reads the plain row that `bytes` begin with; `None` where what begins there is not plain, not all there, or damaged. Returns its
    /// length in bytes.
    pub fn plain(&self, bytes: &[u8], plan: &Plan, out: &mut Plain) -> Option<usize> {
        const NOT_PLAIN: u8 = END | MARKER | HAS_TTL | HAS_DELETION | COMPLEX_DELETIONS;
        let flags = *bytes.first()?;
        if flags & NOT_PLAIN != 0 {
            return None;
        }
        out.is_static = flags & EXTENDED != 0;
        let mut at = 1;
        let slots = if out.is_static {
            if *bytes.get(at)? != STATIC {
                return None;
            }
            at += 1;
            out.position.set(u128::from(key::STATIC) << 120, 1);
            out.exact.clear();
            out.exact.push(key::STATIC);
            plan.statics.as_slice()
        } else {
            match &plan.numbers {
                Some(numbers) => numbers.read(bytes, &mut at, &mut out.position)?,
                None => self.position(bytes, &mut at, plan, out)?,
            }
            plan.regulars.as_slice()
        };
        let size = uvint_at(bytes, &mut at)?;
        if size > (bytes.len() - at) as u64 {
            return None;
        }
        let row_len = at + size as usize;
        if row_len > plan.row_bytes_max {
            return None;
        }
        // The size of the unfiltered before.
        uvint_at(bytes, &mut at)?;
        let inserted = match flags & HAS_TIMESTAMP != 0 {
            true => Some(self.timestamp(uvint_at(bytes, &mut at)?)),
            false => None,
        };
        if out.cells.len() < slots.len() {
            out.cells.resize(slots.len(), PlainCell::default());
        }
        let cells = out.cells.iter_mut();
        if flags & ALL_COLUMNS != 0 {
            for (slot, cell) in slots.iter().zip(cells) {
                *cell = self.plain_cell(slot, bytes, inserted, &mut at)?;
            }
            out.cell_count = slots.len();
        } else {
            if slots.len() >= 64 {
                return None;
            }
            let missing = uvint_at(bytes, &mut at)?;
            if missing >> slots.len() != 0 {
                return None;
            }
            let there = (0..slots.len()).filter(|slot| missing >> slot & 1 == 0);
            for (slot, cell) in there.filter_map(|slot| slots.get(slot)).zip(cells) {
                *cell = self.plain_cell(slot, bytes, inserted, &mut at)?;
            }
            out.cell_count = slots.len() - missing.count_ones() as usize;
        }
        (out.inserted, out.len) = (inserted, row_len);
        let has_any = inserted.is_some() || out.cell_count > 0;
        (at == row_len && has_any).then_some(row_len)
    }

    /// Reads the cell that begins `at` bytes into those of a row, and moves the place behind it. Whether that is still in the row is
    /// not asked.
    #[inline(always)]
    fn plain_cell(
        &self,
        slot: &Slot,
        bytes: &[u8],
        inserted: Option<i64>,
        at: &mut usize,
    ) -> Option<PlainCell> {
        let flags = *bytes.get(*at)?;
        *at += 1;
        let timestamp = match flags & !CELL_EMPTY {
            CELL_ROW_TIMESTAMP => inserted?,
            0 => self.timestamp(uvint_at(bytes, at)?),
            _ => return None,
        };
        let len = match slot.value {
            SlotValue::NotPlain => return None,
            _ if flags & CELL_EMPTY != 0 => 0,
            SlotValue::Fixed(len) => len,
            // No longer than the row.
            SlotValue::Prefixed => u32::try_from(uvint_at(bytes, at)?).ok()?,
        };
        let start = *at;
        *at = start.checked_add(len as usize)?;
        Some(PlainCell {
            timestamp,
            column: slot.column,
            start: start as u32,
            len,
        })
    }
}

impl PlainCell {
    /// Its value, of the bytes that begin with the row.
    #[inline]
    fn value<'b>(&self, row: &'b [u8]) -> Option<&'b [u8]> {
        row.get(self.start as usize..)?.get(..self.len as usize)
    }
}

impl Plain {
    #[inline]
    fn cells(&self) -> &[PlainCell] {
        self.cells.get(..self.cell_count).unwrap_or_default()
    }
}

impl<'t> Winners<'t> {
    /// With no memory yet; values are as `view` sees them.
    pub fn new(layout: &'t Layout, view: View) -> Winners<'t> {
        let columns = layout.statics.iter().chain(&layout.regulars);
        let name_bytes_max = columns.map(|column| column.spelled.bytes().len()).max();
        Winners {
            layout,
            view,
            cell_bytes_max: name_bytes_max.unwrap_or(0) + value::CELL_BYTES,
            value: Vec::new(),
            value_len: 0,
            cells: Vec::new(),
            before: Vec::new(),
        }
    }

    /// The value that was encoded last.
    #[inline]
    pub fn value(&self) -> &[u8] {
        self.value.get(..self.value_len).unwrap_or_default()
    }

    /// Encodes a row of one version; false where that can't be.
    #[inline]
    pub fn encode_one(&mut self, version: PlainVersion<'_>) -> bool {
        self.encode_cells(version, version.0.inserted)
    }

    /// Encodes a row whose cells are all of one version.
    fn encode_cells(&mut self, (plain, bytes): PlainVersion<'_>, inserted: Option<i64>) -> bool {
        let (view, columns) = (self.view, self.layout.columns(plain.is_static));
        let cells = plain.cells().iter().map(|cell| (cell, Some(bytes)));
        let room = self.make_room(plain.len, cells.len());
        let left = encode(room, view, inserted, columns, cells);
        self.keep(left)
    }

    /// Encodes what counts of the versions of a row: of each number in `here`, [`Plain`] and bytes that `version` gives. Returns false
    /// where a rule for equal timestamps has to decide.
    pub fn encode<'b>(
        &mut self,
        here: &[usize],
        version: impl Fn(usize) -> Option<PlainVersion<'b>>,
    ) -> bool {
        let Some((&first, others)) = here.split_first() else {
            return false;
        };
        let Some(one) = version(first) else {
            return false;
        };
        let mut newest = Some(one);
        let mut inserted = one.0.inserted;
        for &other in others {
            let Some(next) = version(other) else {
                return false;
            };
            inserted = inserted.max(next.0.inserted);
            newest = newest.and_then(|newest| newer(newest, next));
        }
        if let Some(newest) = newest {
            return self.encode_cells(newest, inserted);
        }
        let (one, _) = one;
        let mut bytes_max = one.len;
        self.cells.clear();
        let of_first = one.cells().iter().map(|cell| (first, cell.clone()));
        self.cells.extend(of_first);
        for &other in others {
            let Some(next) = version(other) else {
                return false;
            };
            bytes_max += next.0.len;
            if !self.add(other, next, &version) {
                return false;
            }
        }
        let (view, columns) = (self.view, self.layout.columns(one.is_static));
        let cells = std::mem::take(&mut self.cells);
        let bytes = |number: &usize| version(*number).map(|(_, bytes)| bytes);
        let each = cells.iter().map(|(of, cell)| (cell, bytes(of)));
        let room = self.make_room(bytes_max, cells.len());
        let left = encode(room, view, inserted, columns, each);
        self.cells = cells;
        self.keep(left)
    }

    /// Room for the value of a row whose cells take so many bytes at most.
    #[inline]
    fn make_room(&mut self, bytes_max: usize, cells: usize) -> Room<'_> {
        let len = bytes_max + cells * self.cell_bytes_max + 2 * value::CELL_BYTES;
        if self.value.len() < len {
            self.value.resize(len, 0);
        }
        Room::new(&mut self.value)
    }

    fn keep(&mut self, left: Option<usize>) -> bool {
        self.value_len = left.map_or(0, |left| self.value.len() - left);
        left.is_some()
    }

    /// Takes the newer cells of one more version; false where a rule for equal timestamps has to decide.
    fn add<'b>(
        &mut self,
        number: usize,
        (plain, bytes): PlainVersion<'b>,
        version: impl Fn(usize) -> Option<PlainVersion<'b>>,
    ) -> bool {
        let is_newer = |cell: &PlainCell, of: usize, known: &PlainCell| match cell
            .timestamp
            .cmp(&known.timestamp)
        {
            Ordering::Greater => Some(true),
            Ordering::Less => Some(false),
            Ordering::Equal => {
                let (_, of) = version(of)?;
                let is_same = known.value(of)? == cell.value(bytes)?;
                is_same.then_some(false)
            }
        };
        let cells = plain.cells();
        let both = self.cells.iter().zip(cells);
        // Most versions have the same columns.
        if self.cells.len() == cells.len()
            && both.into_iter().all(|((_, k), c)| k.column == c.column)
        {
            for ((of, known), cell) in self.cells.iter_mut().zip(cells) {
                match is_newer(cell, *of, known) {
                    Some(true) => (*of, *known) = (number, cell.clone()),
                    Some(false) => {}
                    None => return false,
                }
            }
            return true;
        }
        std::mem::swap(&mut self.cells, &mut self.before);
        self.cells.clear();
        let mut before = self.before.iter().peekable();
        for cell in cells {
            while let Some(known) = before.next_if(|(_, known)| known.column < cell.column) {
                self.cells.push(known.clone());
            }
            let Some((of, known)) = before.next_if(|(_, known)| known.column == cell.column) else {
                self.cells.push((number, cell.clone()));
                continue;
            };
            self.cells.push(match is_newer(cell, *of, known) {
                Some(true) => (number, cell.clone()),
                Some(false) => (*of, known.clone()),
                None => return false,
            });
        }
        self.cells.extend(before.cloned());
        true
    }
}

/// The one of two versions that has the newer cell of each column; `None` where neither does.
#[inline]
fn newer<'b>(one: PlainVersion<'b>, other: PlainVersion<'b>) -> Option<PlainVersion<'b>> {
    let (cells, others) = (one.0.cells(), other.0.cells());
    let is_newer = |newer: &[PlainCell], older: &[PlainCell]| {
        let is_newer =
            |(n, o): (&PlainCell, &PlainCell)| n.column == o.column && n.timestamp > o.timestamp;
        newer.len() == older.len() && newer.iter().zip(older).all(is_newer)
    };
    match (is_newer(others, cells), is_newer(cells, others)) {
        (true, _) => Some(other),
        (_, true) => Some(one),
        _ => None,
    }
}

/// Writes the value of a row of these cells, each with the bytes that its row begins; returns how much room is left.
#[inline]
fn encode<'a>(
    room: Room<'_>,
    view: View,
    inserted: Option<i64>,
    columns: &[Column],
    cells: impl Iterator<Item = (&'a PlainCell, Option<&'a [u8]>)>,
) -> Option<usize> {
    // Each view has a loop of its own.
    match view {
        View::Live => encode_as(View::Live, room, inserted, columns, cells),
        View::Cells => encode_as(View::Cells, room, inserted, columns, cells),
    }
}

#[inline(always)]
fn encode_as<'a>(
    view: View,
    mut room: Room<'_>,
    inserted: Option<i64>,
    columns: &[Column],
    cells: impl Iterator<Item = (&'a PlainCell, Option<&'a [u8]>)>,
) -> Option<usize> {
    value::push_plain_head(&mut room, view, inserted)?;
    for (cell, bytes) in cells {
        let name = &columns.get(cell.column as usize)?.spelled;
        let (value, len) = (bytes?.get(cell.start as usize..)?, cell.len as usize);
        value::push_plain_cell(&mut room, view, name, cell.timestamp, value, len)?;
    }
    Some(room.left())
}
