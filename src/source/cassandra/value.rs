//! The value of a row, in bytes: canonical, so that what means the same is the same.
//!
//! Integers named i64 are big-endian, two's complement; *varint* is base-128, low group first; *seconds* is a varint of the
//! zig-zag of the seconds since 1970; *bytes* is a varint length, then that many bytes.
//!
//! ```text
//! +-------+---------------------------+----------------------+-----------------------------+
//! | flags | [01] i64, [02] ttl varint | [04] i64             | columns, ascending by name: |
//! | u8    |      and expiry seconds   |      and seconds     | name (bytes), body (bytes)  |
//! +-------+---------------------------+----------------------+-----------------------------+
//!           the INSERT                  the deletion
//! ```
//!
//! | flag | meaning |
//! |---|---|
//! | 01 | the row was inserted, at the timestamp that follows |
//! | 02 | the INSERT had a TTL |
//! | 04 | a deletion: of the row; of the partition, in the row that stands for that; at a bound, what covers the rows behind it |
//! | 08 | that deletion is shadowable (materialised views) |
//! | 10 | the live view: no flag but this one, and bodies without timestamps |
//!
//! A bound without a deletion ends one. The columns' names stand in the value, so that it does not depend on what other columns
//! a replica knows. A body begins with its kind:
//!
//! | kind | body |
//! |---|---|
//! | 00 | a cell |
//! | 01 | a collection: for each element its path (bytes) and its cell (bytes) |
//! | 02 | a collection that was deleted (overwritten): timestamp (i64) and seconds of that, then as 01 |
//! | 03 | the live view: a value, to the end |
//! | 04 | the live view: a collection: for each element its path and its value (bytes both; the path of a list's element is empty) |
//!
//! A cell: flags (u8: 01 tombstone, 02 expiring), timestamp (i64), with 01 seconds of the deletion, with 02 ttl (varint) and
//! seconds of the expiry, [not 01] the value, to the end. A counter's value is its context ([`super::counter`]); in the live
//! view the sum, an i64.
//!
//! Example: INSERT of `a = 'x'` at timestamp 5, without TTL, in the view of cells:
//!
//! ```text
//! 01 0000000000000005 01 61 0b 00 00 0000000000000005 78
//! ```
//!
//! and in the live view `10 01 61 02 03 78`.

use super::counter;
use super::layout::{Column, Layout};
use super::model::{Cell, Deletion, Liveness, NO_DELETION_TIME, Row, Seconds};
use super::view::View;
use crate::file::cursor::{Cursor, Room, push_front, push_length_prefixed, push_varint};

const INSERTED: u8 = 0x01;
const INSERTED_WITH_TTL: u8 = 0x02;
const DELETED: u8 = 0x04;
const SHADOWABLE: u8 = 0x08;
const LIVE_VIEW: u8 = 0x10;

/// Kind of the body of a simple column in the live view.
const LIVE_BODY: u8 = 3;

const TOMBSTONE: u8 = 0x01;
const EXPIRING: u8 = 0x02;

/// Encodes values, and keeps the memory for it.
#[derive(Debug, Default)]
pub struct Encoder {
    body: Vec<u8>,
    cell: Vec<u8>,
}

impl Encoder {
    /// Replaces `out` by the value of `row`, of which a view has left what is seen.
    pub fn row(&mut self, out: &mut Vec<u8>, layout: &Layout, view: View, row: &Row) {
        out.clear();
        let liveness = row.liveness.unwrap_or(Liveness::NONE);
        let deletion = row.deletion.unwrap_or(Deletion::LIVE);
        push_head(out, view, liveness, deletion, row.is_shadowable);
        for cells in &row.columns {
            let Some(column) = layout.columns(row.is_static).get(cells.column) else {
                continue;
            };
            let of_column = row.cells.get(cells.cells.clone()).unwrap_or_default();
            if let ([cell], View::Cells, false) = (of_column, view, column.is_complex)
                && is_plain(cell)
            {
                let value = row.at(&cell.value);
                out.extend_from_slice(column.spelled.bytes());
                push_varint(out, (plain_front_len(view) + value.len()) as u64);
                push_plain_front(out, view, cell.timestamp);
                out.extend_from_slice(value);
                continue;
            }
            self.body.clear();
            match view {
                View::Live => push_live_body(&mut self.body, column, row, of_column),
                View::Cells => self.push_body(column, row, cells.deletion, of_column),
            }
            out.extend_from_slice(column.spelled.bytes());
            push_length_prefixed(out, &self.body);
        }
    }

    fn push_body(&mut self, column: &Column, row: &Row, deletion: Deletion, cells: &[Cell]) {
        let body = &mut self.body;
        if !column.is_complex {
            body.push(0);
            if let Some(cell) = cells.first() {
                push_cell(body, row, cell);
            }
            return;
        }
        match deletion.is_live() {
            true => body.push(1),
            false => {
                body.push(2);
                push_deletion(body, deletion);
            }
        }
        for cell in cells {
            push_length_prefixed(body, row.at(&cell.path));
            self.cell.clear();
            push_cell(&mut self.cell, row, cell);
            push_length_prefixed(body, &self.cell);
        }
    }
}

/// Replaces `out` by the value of a row that stands for a deletion: of a partition, or at a bound.
pub fn encode_deletion(out: &mut Vec<u8>, deletion: Deletion) {
    out.clear();
    match deletion.is_live() {
        true => out.push(0),
        false => {
            out.push(DELETED);
            push_deletion(out, deletion);
        }
    }
}

/// The flags, and the timestamp of the INSERT.
type Head = [u8; 9];

/// Appends the front of a row's value: its INSERT and its deletion.
fn push_head(
    out: &mut Vec<u8>,
    view: View,
    liveness: Liveness,
    deletion: Deletion,
    is_shadowable: bool,
) {
    let mut head = Head::default();
    let len = write_head(view, liveness.timestamp, &mut head);
    if view == View::Live {
        return push_front(out, &head, len);
    }
    let has_ttl = liveness.timestamp.is_some() && liveness.ttl != 0;
    if has_ttl {
        head[0] |= INSERTED_WITH_TTL;
    }
    if !deletion.is_live() {
        head[0] |= DELETED;
        if is_shadowable {
            head[0] |= SHADOWABLE;
        }
    }
    push_front(out, &head, len);
    if has_ttl {
        push_varint(out, liveness.ttl as u64);
        push_seconds(out, liveness.expires);
    }
    if !deletion.is_live() {
        push_deletion(out, deletion);
    }
}

fn push_deletion(out: &mut Vec<u8>, deletion: Deletion) {
    out.extend_from_slice(&deletion.timestamp.to_be_bytes());
    push_seconds(out, deletion.local_time);
}

fn push_seconds(out: &mut Vec<u8>, seconds: Seconds) {
    push_varint(out, ((seconds << 1) ^ (seconds >> 63)) as u64);
}

fn push_cell(out: &mut Vec<u8>, row: &Row, cell: &Cell) {
    let is_expiring = !cell.is_deleted && cell.local_time != NO_DELETION_TIME;
    out.push(match (cell.is_deleted, is_expiring) {
        (true, _) => TOMBSTONE,
        (_, true) => EXPIRING,
        _ => 0,
    });
    out.extend_from_slice(&cell.timestamp.to_be_bytes());
    if is_expiring {
        push_varint(out, cell.ttl as u64);
    }
    if cell.is_deleted || is_expiring {
        push_seconds(out, cell.local_time);
    }
    if !cell.is_deleted {
        out.extend_from_slice(row.at(&cell.value));
    }
}

/// Whether a cell is neither deleted nor will expire.
fn is_plain(cell: &Cell) -> bool {
    !cell.is_deleted && cell.local_time == NO_DELETION_TIME
}

/// A column's name, as a value has it.
#[derive(Debug, Clone)]
pub struct Name {
    bytes: Vec<u8>,
    /// The same with zeros behind it, and its length, where it fits.
    piece: [u8; NAME_BYTES],
    piece_len: u8,
}

/// Bytes of a name that are copied in one piece.
const NAME_BYTES: usize = 32;
/// Bytes of a short value.
const SHORT_BYTES: usize = 16;
/// Room for a name, a varint of two bytes, the front of a cell and a short value, each in one piece.
pub const CELL_BYTES: usize = 64;

impl Name {
    /// The form of a name.
    pub fn new(name: &[u8]) -> Name {
        let mut bytes = Vec::new();
        push_length_prefixed(&mut bytes, name);
        let mut piece = [0; NAME_BYTES];
        let fits = bytes.len() < NAME_BYTES;
        for (to, from) in piece.iter_mut().zip(&bytes) {
            *to = *from;
        }
        Name {
            piece_len: if fits { bytes.len() as u8 } else { 0 },
            bytes,
            piece,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes the front of the value of a row that is alive for good; `None` where there is no room.
#[inline(always)]
pub fn push_plain_head(room: &mut Room<'_>, view: View, inserted: Option<i64>) -> Option<()> {
    room.push_piece(|out| write_head(view, inserted, out))
}

#[inline]
fn write_head(view: View, inserted: Option<i64>, out: &mut Head) -> usize {
    match (view, inserted) {
        (View::Live, _) => out[0] = LIVE_VIEW,
        (View::Cells, None) => out[0] = 0,
        (View::Cells, Some(timestamp)) => {
            out[0] = INSERTED;
            out[1..].copy_from_slice(&timestamp.to_be_bytes());
            return out.len();
        }
    }
    1
}

/// Writes a simple column that is alive for good, whose value are the first `len` bytes of `value`; `None` where those are not there, or
/// there is no room for a piece of [`CELL_BYTES`].
#[inline(always)]
pub fn push_plain_cell(
    room: &mut Room<'_>,
    view: View,
    name: &Name,
    timestamp: i64,
    value: &[u8],
    len: usize,
) -> Option<()> {
    let body_len = len + plain_front_len(view);
    if name.piece_len == 0 || body_len >= 1 << 14 {
        // By value, so that what is called need not find it in memory.
        *room = push_long_cell(
            std::mem::take(room),
            view,
            name,
            timestamp,
            value.get(..len)?,
        )?;
        return Some(());
    }
    let short = value
        .first_chunk::<SHORT_BYTES>()
        .filter(|_| len <= SHORT_BYTES);
    room.push_piece(|out: &mut [u8; CELL_BYTES]| {
        out[..NAME_BYTES].copy_from_slice(&name.piece);
        // No more than that, as the compiler sees too.
        let mut at = usize::from(name.piece_len) % NAME_BYTES;
        if body_len < 0x80 {
            out[at] = body_len as u8;
            at += 1;
        } else {
            out[at] = body_len as u8 | 0x80;
            out[at + 1] = (body_len >> 7) as u8;
            at += 2;
        }
        match view {
            View::Live => out[at] = LIVE_BODY,
            View::Cells => {
                // The kind and the flags.
                out[at..at + 2].copy_from_slice(&[0, 0]);
                out[at + 2..at + 10].copy_from_slice(&timestamp.to_be_bytes());
            }
        }
        at += plain_front_len(view);
        match short {
            Some(value) => {
                out[at..at + SHORT_BYTES].copy_from_slice(value);
                at + len
            }
            None => at,
        }
    })?;
    match short {
        Some(_) => Some(()),
        None => room.push(value.get(..len)?),
    }
}

/// The same, whatever its lengths are.
#[cold]
fn push_long_cell<'r>(
    mut room: Room<'r>,
    view: View,
    name: &Name,
    timestamp: i64,
    value: &[u8],
) -> Option<Room<'r>> {
    let mut front = name.bytes.clone();
    push_varint(&mut front, (plain_front_len(view) + value.len()) as u64);
    push_plain_front(&mut front, view, timestamp);
    room.push(&front)?;
    room.push(value)?;
    Some(room)
}

#[inline]
fn plain_front_len(view: View) -> usize {
    match view {
        View::Live => 1,
        View::Cells => 10,
    }
}

/// Appends what stands before the value in the body of a simple column that is alive for good.
fn push_plain_front(out: &mut Vec<u8>, view: View, timestamp: i64) {
    match view {
        View::Live => out.push(LIVE_BODY),
        View::Cells => {
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&timestamp.to_be_bytes());
        }
    }
}

fn push_live_body(body: &mut Vec<u8>, column: &Column, row: &Row, cells: &[Cell]) {
    if column.is_complex {
        body.push(4);
        for cell in cells {
            match column.is_list {
                true => push_length_prefixed(body, b""),
                false => push_length_prefixed(body, row.at(&cell.path)),
            }
            push_length_prefixed(body, row.at(&cell.value));
        }
        return;
    }
    body.push(LIVE_BODY);
    let value = cells
        .first()
        .map(|cell| row.at(&cell.value))
        .unwrap_or_default();
    match counter::sum(value).filter(|_| column.is_counter) {
        Some(sum) => body.extend_from_slice(&sum.to_be_bytes()),
        None => body.extend_from_slice(value),
    }
}

/// A value, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// Whether it is of the live view.
    pub is_live_view: bool,
    /// The INSERT.
    pub liveness: Liveness,
    /// The deletion.
    pub deletion: Deletion,
    /// Whether that is shadowable.
    pub is_shadowable: bool,
    /// The bytes before the columns: a value of a row without columns.
    pub head: &'a [u8],
    /// Names and bodies of the columns.
    pub columns: Vec<(&'a [u8], &'a [u8])>,
}

/// The body of a column, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// A simple column.
    Simple(Element<'a>),
    /// A collection, with its deletion.
    Complex(Deletion, Vec<Element<'a>>),
}

/// A cell, as a value holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<'a> {
    /// Which element of a collection.
    pub path: &'a [u8],
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Timestamp; `None` in the live view.
    pub timestamp: Option<i64>,
    /// Time to live and expiry.
    pub expiry: Option<(i64, Seconds)>,
    /// When it was deleted.
    pub deleted: Option<Seconds>,
}

fn read_seconds(cursor: &mut Cursor<'_>) -> Option<Seconds> {
    let zigzag = cursor.varint()?;
    Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

fn read_i64(cursor: &mut Cursor<'_>) -> Option<i64> {
    cursor.array().map(i64::from_be_bytes)
}

fn read_deletion(cursor: &mut Cursor<'_>) -> Option<Deletion> {
    Some(Deletion {
        timestamp: read_i64(cursor)?,
        local_time: read_seconds(cursor)?,
    })
}

/// Takes a value apart; `None` where it is not one.
pub fn decode(value: &[u8]) -> Option<Decoded<'_>> {
    let mut cursor = Cursor::new(value);
    let flags = cursor.u8()?;
    let mut decoded = Decoded {
        is_live_view: flags == LIVE_VIEW,
        liveness: Liveness::NONE,
        deletion: Deletion::LIVE,
        is_shadowable: flags & SHADOWABLE != 0,
        head: value,
        columns: Vec::new(),
    };
    if flags > LIVE_VIEW {
        return None;
    }
    if flags & INSERTED != 0 {
        decoded.liveness.timestamp = Some(read_i64(&mut cursor)?);
        if flags & INSERTED_WITH_TTL != 0 {
            decoded.liveness.ttl = i64::try_from(cursor.varint()?).ok()?;
            decoded.liveness.expires = read_seconds(&mut cursor)?;
        }
    }
    if flags & DELETED != 0 {
        decoded.deletion = read_deletion(&mut cursor)?;
    }
    decoded.head = value.get(..cursor.position())?;
    while !cursor.is_empty() {
        decoded
            .columns
            .push((cursor.length_prefixed()?, cursor.length_prefixed()?));
    }
    Some(decoded)
}

/// Takes a column's body apart; `None` where it is not one.
pub fn decode_body(body: &[u8]) -> Option<Body<'_>> {
    let mut cursor = Cursor::new(body);
    let kind = cursor.u8()?;
    let live = |path, value| Element {
        path,
        value: Some(value),
        timestamp: None,
        expiry: None,
        deleted: None,
    };
    let mut deletion = Deletion::LIVE;
    match kind {
        0 => return Some(Body::Simple(decode_cell(b"", cursor.rest())?)),
        LIVE_BODY => return Some(Body::Simple(live(b"", cursor.rest()))),
        2 => deletion = read_deletion(&mut cursor)?,
        1 | 4 => {}
        _ => return None,
    }
    let mut elements = Vec::new();
    while !cursor.is_empty() {
        let (path, element) = (cursor.length_prefixed()?, cursor.length_prefixed()?);
        elements.push(match kind {
            4 => live(path, element),
            _ => decode_cell(path, element)?,
        });
    }
    Some(Body::Complex(deletion, elements))
}

/// The timestamps of a body's cells; none in the live view.
pub fn timestamps(body: &[u8]) -> Vec<i64> {
    let elements = match decode_body(body) {
        Some(Body::Simple(element)) => vec![element],
        Some(Body::Complex(_, elements)) => elements,
        None => Vec::new(),
    };
    elements
        .iter()
        .filter_map(|element| element.timestamp)
        .collect()
}

fn decode_cell<'a>(path: &'a [u8], cell: &'a [u8]) -> Option<Element<'a>> {
    let mut cursor = Cursor::new(cell);
    let flags = cursor.u8()?;
    let mut element = Element {
        path,
        value: None,
        timestamp: Some(read_i64(&mut cursor)?),
        expiry: None,
        deleted: None,
    };
    match flags {
        TOMBSTONE => {
            element.deleted = Some(read_seconds(&mut cursor)?);
            return cursor.is_empty().then_some(element);
        }
        EXPIRING => {
            let ttl = i64::try_from(cursor.varint()?).ok()?;
            element.expiry = Some((ttl, read_seconds(&mut cursor)?));
        }
        0 => {}
        _ => return None,
    }
    element.value = Some(cursor.rest());
    Some(element)
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
