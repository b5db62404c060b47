//! How rows and range tombstone markers ("unfiltereds") are encoded in Data.db.
//!
//! ```text
//! row:    flags [extended flags] clustering | uvint size | uvint size of the unfiltered before | body
//!         body: [ts] [ttl ldt] [deletion] [shadowable deletion] [column subset] columns
//! marker: flags, u8 kind, u16 count, so many clustering values | uvint size | uvint size before | one deletion, or two
//! end of the partition: 0x01
//! ```
//!
//! `size` counts from just behind itself. Flags: 01 end, 02 marker, 04 timestamp, 08 TTL, 10 deletion, 20 all columns,
//! 40 deletions of complex columns, 80 extended flags (01 static, 02 the deletion is shadowable, 80 ScyllaDB's shadowable
//! deletion besides). Deletions here are `uvint ts, uvint ldt`. Clustering values come in blocks of 32 or fewer: a uvint with two
//! bits a value (low: empty, high: null), then the values that are present.
//!
//! The column subset is, below 64 columns, a uvint whose bits are the missing ones; else a uvint, how many are missing, then
//! the indexes of those that are there (if these are less than half), or of those that are not.
//!
//! ```text
//! complex column: [deletion] | uvint count | cells
//! cell: flags [ts] [ldt] [ttl] [uvint length, path] [value]
//! ```
//!
//! Cell flags: 01 deleted, 02 expiring, 04 no value, 08 timestamp of the row, 10 TTL of the row. A value has a uvint length in
//! front, unless its type has a fixed length and its column is not complex.
//!
//! A row's bytes are taken over in one piece and its places point into them; nothing is copied a cell.

pub mod plain;

use super::descriptor::Version;
use super::header::{Column, Header};
use super::model::{
    Cell, ColumnCells, Deletion, Liveness, Marker, NO_DELETION_TIME, Place, Row, Seconds, Side,
};
use super::wire;
use crate::file::cursor::Cursor;
use crate::limits::Limits;

/// All that stands where a partition ends.
pub const END: u8 = 0x01;
const MARKER: u8 = 0x02;
const HAS_TIMESTAMP: u8 = 0x04;
const HAS_TTL: u8 = 0x08;
const HAS_DELETION: u8 = 0x10;
const ALL_COLUMNS: u8 = 0x20;
const COMPLEX_DELETIONS: u8 = 0x40;
const EXTENDED: u8 = 0x80;

const STATIC: u8 = 0x01;
const SHADOWABLE: u8 = 0x02;
const SCYLLA_SHADOWABLE: u8 = 0x80;

const CELL_DELETED: u8 = 0x01;
const CELL_EXPIRING: u8 = 0x02;
const CELL_EMPTY: u8 = 0x04;
const CELL_ROW_TIMESTAMP: u8 = 0x08;
const CELL_ROW_TTL: u8 = 0x10;

/// What an index calls the clustering values of a row, where bounds have their kind.
const CLUSTERING_KIND: u8 = 4;

/// Why a piece of Data.db can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end too early: more may follow in the file, or else it is damaged.
    Short,
    /// They contradict themselves.
    Bad(&'static str),
    /// A clustering value is longer than allowed, in bytes.
    LongKey(u64),
    /// The cells of one row would take more memory than allowed, in bytes.
    ManyCells(u64),
}

type Decoded<T> = Result<T, Fault>;

/// What decoding needs to know of the SSTable.
pub struct Shape {
    is_of_5: bool,
    min_timestamp: i64,
    min_local_time: u32,
    min_ttl: i32,
    clustering: Vec<Option<u64>>,
    statics: Vec<Field>,
    regulars: Vec<Field>,
    key_bytes_max: u64,
    row_bytes_max: u64,
    cells_bytes_max: u64,
}

#[derive(Clone, Copy)]
struct Field {
    is_complex: bool,
    fixed_len: Option<u64>,
}

/// The front of an unfiltered.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    flags: u8,
    extended: u8,
    /// Kind of the bound of a marker.
    kind: u8,
    /// Where the bytes begin that `size` counts.
    body_at: usize,
    /// Length of the body in bytes, as the file says.
    pub size: u64,
}

impl Front {
    /// Whether the partition ends here.
    pub fn is_end(&self) -> bool {
        self.flags == END
    }

    /// Whether it is a range tombstone marker.
    pub fn is_marker(&self) -> bool {
        self.flags & MARKER != 0
    }

    /// Length of the whole unfiltered in bytes.
    pub fn len(&self) -> u64 {
        (self.body_at as u64).saturating_add(self.size)
    }
}

impl Shape {
    /// That of the SSTables with this header.
    pub fn new(header: &Header, version: Version, limits: &Limits) -> Shape {
        let fields = |columns: &[Column]| {
            let field = |column: &Column| Field {
                is_complex: column.is_complex,
                fixed_len: column.fixed_len.map(|len| len as u64),
            };
            columns.iter().map(field).collect()
        };
        let types = header.clustering_types.iter();
        Shape {
            is_of_5: version.is_of_5(),
            min_timestamp: header.min_timestamp,
            min_local_time: header.min_local_time as u32,
            min_ttl: header.min_ttl as i32,
            clustering: types
                .map(|name| super::header::fixed_len(name).map(|len| len as u64))
                .collect(),
            statics: fields(&header.statics),
            regulars: fields(&header.regulars),
            key_bytes_max: limits.key_bytes_max,
            row_bytes_max: limits.value_bytes_max,
            cells_bytes_max: limits.block_bytes_max,
        }
    }

    /// Reads the deletion of a partition: `i32 ldt, i64 ts` up to nc; for oa and da `0x80` where there is none, else
    /// `i64 ts, u32 ldt`.
    ///
    /// A timestamp below 0 has no form in oa and da, yet Cassandra 5.0 writes it plainly (and can't read it again); it is taken as it
    /// stands.
    pub fn partition_deletion(&self, cursor: &mut Cursor<'_>) -> Option<Deletion> {
        if !self.is_of_5 {
            let local_time = self.local_time(wire::u32(cursor)?);
            let timestamp = wire::i64(cursor)?;
            return Some(Deletion {
                timestamp,
                local_time,
            });
        }
        if cursor.rest().first() == Some(&0x80) {
            cursor.u8()?;
            return Some(Deletion::LIVE);
        }
        let timestamp = wire::i64(cursor)?;
        let local_time = self.local_time(wire::u32(cursor)?);
        Some(Deletion {
            timestamp,
            local_time,
        })
    }

    /// What the 32 bits of a local deletion time mean.
    #[inline]
    fn local_time(&self, bits: u32) -> Seconds {
        match self.is_of_5 {
            true if bits == u32::MAX => NO_DELETION_TIME,
            true => Seconds::from(bits),
            false if bits == i32::MAX as u32 => NO_DELETION_TIME,
            false => Seconds::from(bits as i32),
        }
    }

    #[inline]
    fn timestamp(&self, delta: u64) -> i64 {
        self.min_timestamp.wrapping_add(delta as i64)
    }

    #[inline]
    fn read_timestamp(&self, cursor: &mut Cursor<'_>) -> Decoded<i64> {
        let delta = wire::uvint(cursor).ok_or(Fault::Short)?;
        Ok(self.timestamp(delta))
    }

    #[inline]
    fn read_local_time(&self, cursor: &mut Cursor<'_>) -> Decoded<Seconds> {
        let delta = wire::uvint(cursor).ok_or(Fault::Short)?;
        Ok(self.local_time(self.min_local_time.wrapping_add(delta as u32)))
    }

    #[inline]
    fn read_ttl(&self, cursor: &mut Cursor<'_>) -> Decoded<i64> {
        let delta = wire::uvint(cursor).ok_or(Fault::Short)?;
        Ok(i64::from(self.min_ttl.wrapping_add(delta as i32)))
    }

    fn read_deletion(&self, cursor: &mut Cursor<'_>) -> Decoded<Deletion> {
        Ok(Deletion {
            timestamp: self.read_timestamp(cursor)?,
            local_time: self.read_local_time(cursor)?,
        })
    }

    /// Reads the front of an unfiltered, and the places of its clustering values.
    ///
    /// # Errors
    ///
    /// Short where more bytes are wanted; else what is wrong, at the cursor.
    pub fn front(
        &self,
        cursor: &mut Cursor<'_>,
        clustering: &mut Vec<Option<Place>>,
    ) -> Decoded<Front> {
        clustering.clear();
        let mut front = Front {
            flags: cursor.u8().ok_or(Fault::Short)?,
            extended: 0,
            kind: 0,
            body_at: 1,
            size: 0,
        };
        if front.flags & END != 0 {
            return match front.flags {
                END => Ok(front),
                _ => Err(Fault::Bad("the end of a partition with other flags")),
            };
        }
        if front.flags & EXTENDED != 0 {
            front.extended = cursor.u8().ok_or(Fault::Short)?;
            if front.extended & !(STATIC | SHADOWABLE | SCYLLA_SHADOWABLE) != 0 {
                return Err(Fault::Bad("a row with unknown flags"));
            }
        }
        if front.is_marker() {
            front.kind = cursor.u8().ok_or(Fault::Short)?;
            let count = usize::from(wire::u16(cursor).ok_or(Fault::Short)?);
            let Some(lens) = self.clustering.get(..count) else {
                return Err(Fault::Bad("a bound of more values than clustering columns"));
            };
            self.clustering(cursor, lens, clustering)?;
        } else if front.extended & STATIC == 0 {
            self.clustering(cursor, &self.clustering, clustering)?;
        }
        front.size = wire::uvint(cursor).ok_or(Fault::Short)?;
        front.body_at = cursor.position();
        Ok(front)
    }

    /// Goes over the kind and the clustering values of a row or a bound, as an index has them.
    ///
    /// # Errors
    ///
    /// Short where more bytes are wanted; else what is wrong, at the cursor.
    pub fn skip_prefix(
        &self,
        cursor: &mut Cursor<'_>,
        clustering: &mut Vec<Option<Place>>,
    ) -> Decoded<()> {
        clustering.clear();
        let kind = cursor.u8().ok_or(Fault::Short)?;
        let count = match kind {
            CLUSTERING_KIND => self.clustering.len(),
            _ => usize::from(wire::u16(cursor).ok_or(Fault::Short)?),
        };
        let lens = self.clustering.get(..count);
        let lens = lens.ok_or(Fault::Bad("more values than clustering columns"))?;
        self.clustering(cursor, lens, clustering)
    }

    fn clustering(
        &self,
        cursor: &mut Cursor<'_>,
        lens: &[Option<u64>],
        out: &mut Vec<Option<Place>>,
    ) -> Decoded<()> {
        for block in lens.chunks(32) {
            let mut bits = wire::uvint(cursor).ok_or(Fault::Short)?;
            for fixed_len in block {
                let place = match bits & 3 {
                    0 => {
                        let len = match fixed_len {
                            Some(len) => *len,
                            None => wire::uvint(cursor).ok_or(Fault::Short)?,
                        };
                        if len > self.key_bytes_max {
                            return Err(Fault::LongKey(len));
                        }
                        Some(place(cursor, len)?)
                    }
                    1 => Some(place(cursor, 0)?),
                    2 => None,
                    _ => return Err(Fault::Bad("a clustering value both empty and null")),
                };
                out.push(place);
                bits >>= 2;
            }
        }
        Ok(())
    }

    /// Decodes a row. `bytes` are those of the whole row, `clustering` the places that [`Shape::front`] found.
    ///
    /// # Errors
    ///
    /// Short where the row is longer than its size says; else what is wrong; both with where.
    pub fn row(
        &self,
        bytes: &[u8],
        front: &Front,
        clustering: &[Option<Place>],
        row: &mut Row,
    ) -> Result<(), (usize, Fault)> {
        row.clear();
        row.bytes.extend_from_slice(bytes);
        row.clustering.extend_from_slice(clustering);
        let mut cursor = Cursor::new(bytes);
        self.row_body(&mut cursor, front, row)
            .map_err(|fault| (cursor.position(), fault))
    }

    fn row_body(&self, cursor: &mut Cursor<'_>, front: &Front, row: &mut Row) -> Decoded<()> {
        cursor.take(front.body_at as u64).ok_or(Fault::Short)?;
        wire::uvint(cursor).ok_or(Fault::Short)?;
        row.is_static = front.extended & STATIC != 0;
        if front.flags & HAS_TIMESTAMP != 0 {
            let mut liveness = Liveness {
                timestamp: Some(self.read_timestamp(cursor)?),
                ..Liveness::NONE
            };
            if front.flags & HAS_TTL != 0 {
                liveness.ttl = self.read_ttl(cursor)?;
                liveness.expires = self.read_local_time(cursor)?;
            }
            row.liveness = Some(liveness);
        } else if front.flags & HAS_TTL != 0 {
            return Err(Fault::Bad("a row with a TTL and no timestamp"));
        }
        if front.flags & HAS_DELETION != 0 {
            row.deletion = Some(self.read_deletion(cursor)?);
            row.is_shadowable = front.extended & SHADOWABLE != 0;
        }
        if front.extended & SCYLLA_SHADOWABLE != 0 {
            let deletion = self.read_deletion(cursor)?;
            match row.deletion {
                Some(_) => row.shadowable = Some(deletion),
                None => {
                    row.deletion = Some(deletion);
                    row.is_shadowable = true;
                }
            }
        }
        let fields = match row.is_static {
            true => &self.statics,
            false => &self.regulars,
        };
        if front.flags & ALL_COLUMNS != 0 {
            for (column, field) in fields.iter().enumerate() {
                self.column(cursor, front, column, field, row)?;
            }
        } else if fields.len() < 64 {
            let missing = wire::uvint(cursor).ok_or(Fault::Short)?;
            if missing >> fields.len() != 0 {
                return Err(Fault::Bad("a missing column that there is not"));
            }
            for (column, field) in fields.iter().enumerate() {
                if missing >> column & 1 == 0 {
                    self.column(cursor, front, column, field, row)?;
                }
            }
        } else {
            for column in large_subset(cursor, fields.len())? {
                if let Some(field) = fields.get(column) {
                    self.column(cursor, front, column, field, row)?;
                }
            }
        }
        match cursor.is_empty() {
            true => Ok(()),
            false => Err(Fault::Bad("a row shorter than its size says")),
        }
    }

    #[inline]
    fn column(
        &self,
        cursor: &mut Cursor<'_>,
        front: &Front,
        column: usize,
        field: &Field,
        row: &mut Row,
    ) -> Decoded<()> {
        let first = row.cells.len();
        let mut deletion = Deletion::LIVE;
        if field.is_complex {
            if front.flags & COMPLEX_DELETIONS != 0 {
                deletion = self.read_deletion(cursor)?;
            }
            let count = wire::uvint(cursor).ok_or(Fault::Short)?;
            // A cell takes two bytes and more.
            if count > cursor.rest().len() as u64 {
                return Err(Fault::Short);
            }
            let memory = (first as u64 + count).saturating_mul(size_of::<Cell>() as u64);
            if memory > self.cells_bytes_max {
                return Err(Fault::ManyCells(memory));
            }
            for _ in 0..count {
                let cell = self.cell(cursor, field, row.liveness.as_ref())?;
                row.cells.push(cell);
            }
        } else {
            let cell = self.cell(cursor, field, row.liveness.as_ref())?;
            row.cells.push(cell);
        }
        row.columns.push(ColumnCells {
            column,
            deletion,
            cells: first..row.cells.len(),
        });
        Ok(())
    }

    #[inline]
    fn cell(
        &self,
        cursor: &mut Cursor<'_>,
        field: &Field,
        liveness: Option<&Liveness>,
    ) -> Decoded<Cell> {
        let flags = cursor.u8().ok_or(Fault::Short)?;
        if flags & 0xe0 != 0 {
            return Err(Fault::Bad("a cell with unknown flags"));
        }
        let timestamp = match flags & CELL_ROW_TIMESTAMP != 0 {
            true => liveness
                .and_then(|liveness| liveness.timestamp)
                .ok_or(Fault::Bad(
                    "a cell with the timestamp of a row that has none",
                ))?,
            false => self.read_timestamp(cursor)?,
        };
        let (mut ttl, mut local_time) = (0, NO_DELETION_TIME);
        if flags & CELL_ROW_TTL != 0 {
            let liveness =
                liveness.ok_or(Fault::Bad("a cell with the TTL of a row without one"))?;
            (ttl, local_time) = (liveness.ttl, liveness.expires);
        } else {
            if flags & (CELL_DELETED | CELL_EXPIRING) != 0 {
                local_time = self.read_local_time(cursor)?;
            }
            if flags & CELL_EXPIRING != 0 {
                ttl = self.read_ttl(cursor)?;
            }
        }
        let path = match field.is_complex {
            true => prefixed_place(cursor)?,
            false => 0..0,
        };
        let value = match (flags & CELL_EMPTY != 0, field.fixed_len) {
            (true, _) => 0..0,
            (false, Some(len)) if !field.is_complex => place(cursor, len)?,
            (false, _) => prefixed_place(cursor)?,
        };
        Ok(Cell {
            timestamp,
            ttl,
            local_time,
            is_deleted: flags & CELL_DELETED != 0,
            path,
            value,
        })
    }

    /// Decodes a marker; arguments and errors as of [`Shape::row`].
    pub fn marker(
        &self,
        bytes: &[u8],
        front: &Front,
        clustering: &[Option<Place>],
    ) -> Result<Marker, (usize, Fault)> {
        let mut cursor = Cursor::new(bytes);
        let (side, closes, opens) = self
            .marker_body(&mut cursor, front)
            .map_err(|fault| (cursor.position(), fault))?;
        let value = |place: &Option<Place>| {
            let place = place.clone()?;
            Some(bytes.get(place).unwrap_or_default().to_vec())
        };
        Ok(Marker {
            clustering: clustering.iter().map(value).collect(),
            side,
            closes,
            opens,
        })
    }

    fn marker_body(
        &self,
        cursor: &mut Cursor<'_>,
        front: &Front,
    ) -> Decoded<(Side, Option<Deletion>, Option<Deletion>)> {
        let (side, closes, opens) = match front.kind {
            0 => (Side::Before, true, false),
            1 => (Side::Before, false, true),
            2 => (Side::Before, true, true),
            5 => (Side::Behind, true, true),
            6 => (Side::Behind, true, false),
            7 => (Side::Behind, false, true),
            _ => return Err(Fault::Bad("a bound of no known kind")),
        };
        cursor.take(front.body_at as u64).ok_or(Fault::Short)?;
        wire::uvint(cursor).ok_or(Fault::Short)?;
        let mut deletion = |is_there| match is_there {
            true => self.read_deletion(cursor).map(Some),
            false => Ok(None),
        };
        let bounds = (side, deletion(closes)?, deletion(opens)?);
        match cursor.is_empty() {
            true => Ok(bounds),
            false => Err(Fault::Bad("a bound shorter than its size says")),
        }
    }
}

/// The columns that are there, of 64 or more.
fn large_subset(cursor: &mut Cursor<'_>, total: usize) -> Decoded<Vec<usize>> {
    const BAD: Fault = Fault::Bad("a subset of columns that contradicts itself");
    let missing = wire::uvint(cursor).ok_or(Fault::Short)?;
    let missing = usize::try_from(missing).map_err(|_| BAD)?;
    let present = total.checked_sub(missing).ok_or(BAD)?;
    let lists_present = present < total / 2;
    let count = if lists_present { present } else { missing };
    let mut listed = Vec::with_capacity(count);
    for _ in 0..count {
        let index = wire::uvint(cursor).ok_or(Fault::Short)? as usize;
        if index >= total || listed.last().is_some_and(|&last| index <= last) {
            return Err(BAD);
        }
        listed.push(index);
    }
    if lists_present {
        return Ok(listed);
    }
    let mut missing = listed.into_iter().peekable();
    Ok((0..total)
        .filter(|index| missing.next_if_eq(index).is_none())
        .collect())
}

#[inline]
fn place(cursor: &mut Cursor<'_>, len: u64) -> Decoded<Place> {
    let start = cursor.position();
    cursor.take(len).ok_or(Fault::Short)?;
    Ok(start..cursor.position())
}

#[inline]
fn prefixed_place(cursor: &mut Cursor<'_>) -> Decoded<Place> {
    let len = wire::uvint(cursor).ok_or(Fault::Short)?;
    place(cursor, len)
}
