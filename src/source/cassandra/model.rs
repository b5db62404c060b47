//! What an SSTable holds, decoded: partitions, rows, range tombstone markers, cells.
//!
//! A row keeps all its bytes in one buffer that is used again for the next, so nothing is allocated a cell.

use std::ops::Range;

/// Seconds since 1970; Cassandra keeps 32 bits of them.
pub type Seconds = i64;

/// The local deletion time of what is not deleted and does not expire.
pub const NO_DELETION_TIME: Seconds = i64::MAX;

/// A deletion of a partition, a range, a row or a whole collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Writes of this timestamp (microseconds by convention) and below are deleted; `i64::MIN` deletes nothing.
    pub timestamp: i64,
    /// When the deletion was made; [`NO_DELETION_TIME`] for none.
    pub local_time: Seconds,
}

impl Deletion {
    /// Deletes nothing.
    pub const LIVE: Deletion = Deletion {
        timestamp: i64::MIN,
        local_time: NO_DELETION_TIME,
    };

    /// Whether it deletes nothing.
    pub fn is_live(&self) -> bool {
        *self == Deletion::LIVE
    }

    /// Whether a write of this timestamp is deleted.
    pub fn covers(&self, timestamp: i64) -> bool {
        !self.is_live() && timestamp <= self.timestamp
    }

    /// The stronger of two: of the greater timestamp, then of the later time.
    #[must_use]
    pub fn max(self, other: Deletion) -> Deletion {
        let order = |d: &Deletion| (!d.is_live(), d.timestamp, d.local_time);
        match order(&self) >= order(&other) {
            true => self,
            false => other,
        }
    }
}

/// What an INSERT leaves besides its cells: a row with it lives without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Timestamp of the write; `None` where there was no INSERT.
    pub timestamp: Option<i64>,
    /// Time to live in seconds; 0 for none.
    pub ttl: i64,
    /// When it expires; [`NO_DELETION_TIME`] for never.
    pub expires: Seconds,
}

impl Liveness {
    /// No INSERT.
    pub const NONE: Liveness = Liveness {
        timestamp: None,
        ttl: 0,
        expires: NO_DELETION_TIME,
    };
}

/// A place in a row's buffer.
pub type Place = Range<usize>;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Timestamp of the write.
    pub timestamp: i64,
    /// Time to live in seconds; 0 for none.
    pub ttl: i64,
    /// When it was deleted, or when it expires; [`NO_DELETION_TIME`] where neither.
    pub local_time: Seconds,
    /// Whether it is a tombstone.
    pub is_deleted: bool,
    /// Which element of a collection, or which field of a user-defined type; empty for a simple column.
    pub path: Place,
    /// Its value; empty for a tombstone. For a counter, the context of its shards.
    pub value: Place,
}

/// The cells of one column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnCells {
    /// Index of the column among the table's static or regular columns, in the order of the SSTable's header.
    pub column: usize,
    /// Deletion of the whole collection.
    pub deletion: Deletion,
    /// Its cells: one for a simple column; of a collection, ascending by path as the SSTable has them.
    pub cells: Range<usize>,
}

/// One row, static or clustered.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Whether it is the static row of its partition.
    pub is_static: bool,
    /// Clustering values, in the order of the clustering columns; `None` is null (an empty value is an empty place).
    pub clustering: Vec<Option<Place>>,
    /// Liveness of its primary key.
    pub liveness: Option<Liveness>,
    /// Deletion of the row.
    pub deletion: Option<Deletion>,
    /// Whether that deletion ends at a newer row (materialised views).
    pub is_shadowable: bool,
    /// A shadowable deletion besides that deletion: ScyllaDB keeps both.
    pub shadowable: Option<Deletion>,
    /// Columns that are there, ascending by index.
    pub columns: Vec<ColumnCells>,
    /// All cells, column by column.
    pub cells: Vec<Cell>,
    /// What the places point into.
    pub bytes: Vec<u8>,
}

impl Row {
    /// The bytes at a place.
    pub fn at(&self, place: &Place) -> &[u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }

    /// Empties the row, and keeps its memory.
    pub fn clear(&mut self) {
        self.is_static = false;
        self.clustering.clear();
        self.liveness = None;
        self.deletion = None;
        self.is_shadowable = false;
        self.shadowable = None;
        self.columns.clear();
        self.cells.clear();
        self.bytes.clear();
    }

    /// Appends bytes, and returns their place.
    pub fn push(&mut self, bytes: &[u8]) -> Place {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }
}

/// Where a bound lies among the rows that share its clustering prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Before the rows of the prefix.
    Before,
    /// Behind them.
    Behind,
}

/// A range tombstone marker: at a bound, a deletion ends, begins, or both.
#[derive(Debug, Clone)]
pub struct Marker {
    /// Clustering prefix of the bound: fewer values than clustering columns, or all, or none.
    pub clustering: Vec<Option<Vec<u8>>>,
    /// Where the bound lies.
    pub side: Side,
    /// The deletion that ends here.
    pub closes: Option<Deletion>,
    /// The deletion that begins here.
    pub opens: Option<Deletion>,
}
