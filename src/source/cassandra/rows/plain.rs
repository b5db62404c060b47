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
use super::super::wire::take_uvint;
use super::{
    ALL_COLUMNS, CELL_EMPTY, CELL_ROW_TIMESTAMP, COMPLEX_DELETIONS, END, EXTENDED, Field,
    HAS_DELETION, HAS_TIMESTAMP, HAS_TTL, MARKER, STATIC, Shape,
};
use crate::file::cursor::{Cursor, PIECE_BYTES, Room};

/// How plain rows of one SSTable are read.
#[derive(Debug, Clone)]
pub struct Plan {
    clustering: Vec<CqlType>,
    /// The clustering columns, where their values are numbers and fit a position's number.
    numbers: Option<Numbers>,
    /// Whether clustering values that are equal are of the same bytes.
    is_exact: bool,
    statics: Vec<Option<Slot>>,
    regulars: Vec<Option<Slot>>,
}

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

/// A column whose cells can be plain.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Its index among the table's.
    column: usize,
    fixed_len: Option<u64>,
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
    column: usize,
    timestamp: i64,
    /// Its value, in the bytes of the row.
    value: Place,
}

/// A plain row, and the bytes that begin with it.
pub type PlainVersion<'b> = (&'b Plain, &'b [u8]);

/// What counts of the versions of a plain row; keeps its memory.
#[derive(Debug)]
pub struct Winners<'t> {
    layout: &'t Layout,
    view: View,
    /// Bytes that a cell takes at most, but for its value.
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

    /// Reads the values that `bytes` begin with, and sets the position by them; returns the bytes behind them.
    #[inline(always)]
    fn read<'b>(&self, bytes: &'b [u8], position: &mut Position) -> Option<&'b [u8]> {
        let mut rest = bytes;
        if !self.columns.is_empty() {
            let (0, behind) = rest.split_first()? else {
                return None;
            };
            rest = behind;
        }
        let mut front = self.front;
        for column in &self.columns {
            let len = match column.fixed_len {
                Some(len) => len,
                None => take_uvint(&mut rest)?,
            };
            if len != column.number.len as u64 {
                return None;
            }
            let value;
            (value, rest) = match column.number.len {
                8 => {
                    let (value, rest) = rest.split_first_chunk()?;
                    (u64::from_be_bytes(*value), rest)
                }
                4 => {
                    let (value, rest) = rest.split_first_chunk()?;
                    (u32::from_be_bytes(*value).into(), rest)
                }
                len => {
                    let (value, rest) = rest.split_at_checked(len)?;
                    let push = |value, &byte: &u8| value << 8 | u64::from(byte);
                    (value.iter().fold(0, push), rest)
                }
            };
            front |= u128::from(value ^ column.number.flipped) << column.shift;
        }
        position.set(front, self.len);
        Some(rest)
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
        Some(Slot {
            column: place,
            fixed_len: field.fixed_len,
        })
    };
    fields.iter().zip(places).map(slot).collect()
}

impl Shape {
    /// Reads the clustering values that `bytes` begin with, and sets the position of the row by them; returns the bytes behind them.
    fn position<'b>(&self, bytes: &'b [u8], plan: &Plan, out: &mut Plain) -> Option<&'b [u8]> {
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
        Some(cursor.rest())
    }

    /// Reads the plain row that `bytes` begin with; `None` where what begins there is not plain, not all there, or damaged. Returns its
    /// length in bytes.
    pub fn plain(&self, bytes: &[u8], plan: &Plan, out: &mut Plain) -> Option<usize> {
        const NOT_PLAIN: u8 = END | MARKER | HAS_TTL | HAS_DELETION | COMPLEX_DELETIONS;
        let (&flags, mut rest) = bytes.split_first()?;
        if flags & NOT_PLAIN != 0 {
            return None;
        }
        out.is_static = flags & EXTENDED != 0;
        let slots = if out.is_static {
            let (&STATIC, behind) = rest.split_first()? else {
                return None;
            };
            rest = behind;
            out.position.set(u128::from(key::STATIC) << 120, 1);
            out.exact.clear();
            out.exact.push(key::STATIC);
            &plan.statics
        } else {
            rest = match &plan.numbers {
                Some(numbers) => numbers.read(rest, &mut out.position)?,
                None => self.position(rest, plan, out)?,
            };
            &plan.regulars
        };
        let size = take_uvint(&mut rest)?;
        let (body, behind) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        let row_len = bytes.len() - behind.len();
        if row_len as u64 > self.row_bytes_max {
            return None;
        }
        rest = body;
        // The size of the unfiltered before.
        take_uvint(&mut rest)?;
        out.inserted = match flags & HAS_TIMESTAMP != 0 {
            true => Some(self.timestamp(take_uvint(&mut rest)?)),
            false => None,
        };
        let mut missing = match flags & ALL_COLUMNS != 0 {
            true => 0,
            false if slots.len() < 64 => take_uvint(&mut rest)?,
            false => return None,
        };
        if missing != 0 && missing >> slots.len() != 0 {
            return None;
        }
        if out.cells.len() < slots.len() {
            out.cells.resize(slots.len(), PlainCell::default());
        }
        let mut free = out.cells.iter_mut();
        for slot in slots {
            let is_missing = missing & 1 != 0;
            missing >>= 1;
            if is_missing {
                continue;
            }
            let slot = slot.as_ref()?;
            let (flags, behind) = rest.split_first()?;
            rest = behind;
            if flags & !(CELL_EMPTY | CELL_ROW_TIMESTAMP) != 0 {
                return None;
            }
            let timestamp = match flags & CELL_ROW_TIMESTAMP != 0 {
                true => out.inserted?,
                false => self.timestamp(take_uvint(&mut rest)?),
            };
            let len = match (flags & CELL_EMPTY != 0, slot.fixed_len) {
                (true, _) => 0,
                (false, Some(len)) => len,
                (false, None) => take_uvint(&mut rest)?,
            };
            let len = usize::try_from(len).ok()?;
            let start = row_len - rest.len();
            rest = rest.get(len..)?;
            *free.next()? = PlainCell {
                column: slot.column,
                timestamp,
                value: start..start + len,
            };
        }
        let free = free.len();
        out.cell_count = out.cells.len() - free;
        out.len = row_len;
        let has_any = out.inserted.is_some() || out.cell_count > 0;
        (rest.is_empty() && has_any).then_some(row_len)
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
            cell_bytes_max: name_bytes_max.unwrap_or(0) + PIECE_BYTES,
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
    pub fn encode_one(&mut self, (plain, bytes): PlainVersion<'_>) -> bool {
        let (view, columns) = (self.view, self.layout.columns(plain.is_static));
        let cells = plain.cells().iter().map(|cell| (cell, Some(bytes)));
        let room = self.make_room(plain.len, cells.len());
        let left = encode(room, view, plain.inserted, columns, cells);
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
        if others.is_empty() {
            return self.encode_one(one);
        }
        let (one, _) = one;
        let (mut inserted, mut bytes_max) = (one.inserted, one.len);
        self.cells.clear();
        let of_first = one.cells().iter().map(|cell| (first, cell.clone()));
        self.cells.extend(of_first);
        for &other in others {
            let Some(next) = version(other) else {
                return false;
            };
            inserted = inserted.max(next.0.inserted);
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
    fn make_room(&mut self, bytes_max: usize, cells: usize) -> Room<'_> {
        let len = bytes_max + cells * self.cell_bytes_max + 2 * PIECE_BYTES;
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
                let is_same = of.get(known.value.clone())? == bytes.get(cell.value.clone())?;
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

/// Writes the value of a row of these cells, each with the bytes that hold it; returns how much room is left.
#[inline]
fn encode<'a>(
    mut room: Room<'_>,
    view: View,
    inserted: Option<i64>,
    columns: &[Column],
    cells: impl Iterator<Item = (&'a PlainCell, Option<&'a [u8]>)>,
) -> Option<usize> {
    room.push_piece(|out| value::write_head(view, inserted, out))?;
    let front_len = value::plain_front_len(view);
    for (cell, bytes) in cells {
        columns.get(cell.column)?.spelled.write(&mut room)?;
        let value_len = cell.value.len();
        room.push_varint((front_len + value_len) as u64)?;
        room.push_piece(|out| value::write_plain_front(view, cell.timestamp, out))?;
        room.push_front(bytes?.get(cell.value.start..)?, value_len)?;
    }
    Some(room.left())
}
