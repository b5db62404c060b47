//! The key of a row, in bytes: memcmp gives Cassandra's order, and it can be taken apart for display.
//!
//! ```text
//! +-----------------+------------------------------+------+----------------------------------------+
//! | token, ordered  | partition key, escaped       | kind | kind 03: clustering values, then side  |
//! | by partitioner  | 00 -> 00 ff, then 00 01      | u8   |                                        |
//! +-----------------+------------------------------+------+----------------------------------------+
//! ```
//!
//! The token is that of [`Partitioner::push_ordered`]: for Murmur3Partitioner 8 bytes, big-endian, with the sign bit flipped. For
//! the local partitioner it is the key as [`CqlType::push_ordered`] writes it.
//! The kind is 01 for the deletion of the partition, 02 for its static row, 03 for rows and for bounds of range deletions.
//!
//! Clustering values are as [`CqlType::push_ordered`] writes them: 01 for null, 02 for empty, else 03 and the value in order (in
//! reversed columns complemented, but the null). Behind the last value stands the side: 80 for a row, which has all values; for
//! a bound, which may have fewer, 00 where it lies before the rows that start with its values and ff where it lies behind
//! them. So a bound of no values lies before or behind all rows of the partition.
//!
//! Example: partition `a` with token 1, clustering `int` 5: `8000000000000001 61 0001 03 03 80000005 80`; the bound before
//! it: the same with 00 at the end.
//!
//! Clustering values that are equal but of other bytes (decimal 1.0 and 1.00) are one row to Cassandra. So rows are merged by
//! [`Exactness::Equal`] places, and the least of the [`Exactness::Bytes`] places is the key.

use super::layout::Layout;
use super::model::{Marker, Row, Side};
use super::partitioner::Partitioner;
use super::types::CqlType;
use crate::row::columns::push_key_column;

/// The kind of the deletion of a partition.
pub const PARTITION_DELETION: u8 = 1;
/// The kind of a static row.
pub const STATIC: u8 = 2;
/// The kind of rows and of bounds of range deletions.
pub const CLUSTERED: u8 = 3;

/// The side of a row.
pub const AT: u8 = 0x80;
const BEFORE: u8 = 0x00;
const BEHIND: u8 = 0xff;

/// Appends a partition's place: its token and its key.
pub fn push_partition(out: &mut Vec<u8>, partitioner: Partitioner, key_type: &CqlType, key: &[u8]) {
    match partitioner {
        Partitioner::Local => key_type.push_ordered(Some(key), out),
        _ => partitioner.push_ordered(&partitioner.token(key), out),
    }
    push_key_column(out, key);
}

/// Which bytes of a value count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// Equal values are equal, whatever their bytes.
    Equal,
    /// All: the value can be had back.
    Bytes,
}

/// Appends a row's place in its partition; `None` where it has not all clustering values.
#[inline]
pub fn push_row(out: &mut Vec<u8>, layout: &Layout, row: &Row, exactness: Exactness) -> Option<()> {
    if row.is_static {
        out.push(STATIC);
        return Some(());
    }
    if row.clustering.len() != layout.clustering.len() {
        return None;
    }
    let values = row.clustering.iter().zip(&layout.clustering);
    let values = values.map(|(place, column)| {
        let value = place.as_ref().map(|place| row.at(place));
        (value, &column.cql_type)
    });
    push_clustered(out, values, exactness);
    Some(())
}

/// Appends the place in its partition of the row of all these clustering values.
#[inline]
pub fn push_clustered<'v>(
    out: &mut Vec<u8>,
    values: impl Iterator<Item = (Option<&'v [u8]>, &'v CqlType)>,
    exactness: Exactness,
) {
    out.push(CLUSTERED);
    for (value, cql_type) in values {
        push_value(out, cql_type, value, exactness);
    }
    out.push(AT);
}

/// Appends a bound's place in its partition; `None` where it has too many clustering values.
pub fn push_bound(
    out: &mut Vec<u8>,
    layout: &Layout,
    marker: &Marker,
    exactness: Exactness,
) -> Option<()> {
    out.push(CLUSTERED);
    if marker.clustering.len() > layout.clustering.len() {
        return None;
    }
    for (value, column) in marker.clustering.iter().zip(&layout.clustering) {
        push_value(out, &column.cql_type, value.as_deref(), exactness);
    }
    out.push(match marker.side {
        Side::Before => BEFORE,
        Side::Behind => BEHIND,
    });
    Some(())
}

/// Appends a clustering value.
#[inline]
pub fn push_value(
    out: &mut Vec<u8>,
    cql_type: &CqlType,
    value: Option<&[u8]>,
    exactness: Exactness,
) {
    match exactness {
        Exactness::Equal => cql_type.push_sort_key(value, out),
        Exactness::Bytes => cql_type.push_ordered(value, out),
    }
}

/// Whether the part of a key behind its partition is that of a deletion: of the partition, or a bound of a range's.
pub fn is_deletion(rest: &[u8]) -> bool {
    match rest {
        [PARTITION_DELETION] => true,
        [CLUSTERED, .., side] => *side != AT,
        _ => false,
    }
}

/// A key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The partition key.
    pub partition: Vec<u8>,
    /// What of the partition it is the key of.
    pub place: Place,
}

/// A place in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before all, where the key is only a partition's.
    Partition,
    /// The deletion of the partition.
    Deletion,
    /// The static row.
    Static,
    /// A row, with its clustering values.
    Row(Vec<Option<Vec<u8>>>),
    /// A bound of a range deletion, with its clustering values.
    Bound(Vec<Option<Vec<u8>>>, Side),
}

/// Takes a key apart; `None` where it is not one (a boundary need not be).
pub fn decode(
    key: &[u8],
    partitioner: Partitioner,
    key_type: &CqlType,
    clustering: &[CqlType],
) -> Option<Decoded> {
    let mut rest = key;
    let partition = take_partition(&mut rest, partitioner, key_type)?;
    let place = decode_place(rest, clustering)?;
    Some(Decoded { partition, place })
}

/// Takes the part of a key behind its partition apart; `None` where it is not one.
pub fn decode_place(rest: &[u8], clustering: &[CqlType]) -> Option<Place> {
    Some(match rest.split_first() {
        None => Place::Partition,
        Some((&PARTITION_DELETION, [])) => Place::Deletion,
        Some((&STATIC, [])) => Place::Static,
        Some((&CLUSTERED, rest)) => take_clustered(rest, clustering)?,
        _ => return None,
    })
}

/// The partition key at the front of a key, and the bytes of its place there; `None` where the key ends within it.
pub fn decode_partition(
    key: &[u8],
    partitioner: Partitioner,
    key_type: &CqlType,
) -> Option<(Vec<u8>, usize)> {
    let mut rest = key;
    let partition = take_partition(&mut rest, partitioner, key_type)?;
    Some((partition, key.len() - rest.len()))
}

fn take_partition(
    rest: &mut &[u8],
    partitioner: Partitioner,
    key_type: &CqlType,
) -> Option<Vec<u8>> {
    match partitioner {
        Partitioner::Local => drop(key_type.take_ordered(rest)?),
        _ => drop(partitioner.take_ordered(rest)?),
    }
    take_partition_key(rest)
}

/// Puts a key together, of which [`decode`] gives `partition` and `place` back; `None` where it has too many clustering
/// values, or a row too few.
pub fn encode(
    partition: &[u8],
    place: &Place,
    partitioner: Partitioner,
    key_type: &CqlType,
    clustering: &[CqlType],
) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    push_partition(&mut key, partitioner, key_type, partition);
    let (values, side) = match place {
        Place::Partition => return Some(key),
        Place::Deletion => {
            key.push(PARTITION_DELETION);
            return Some(key);
        }
        Place::Static => {
            key.push(STATIC);
            return Some(key);
        }
        Place::Row(values) if values.len() != clustering.len() => return None,
        Place::Row(values) => (values, AT),
        Place::Bound(values, Side::Before) => (values, BEFORE),
        Place::Bound(values, Side::Behind) => (values, BEHIND),
    };
    key.push(CLUSTERED);
    if values.len() > clustering.len() {
        return None;
    }
    for (value, cql_type) in values.iter().zip(clustering) {
        cql_type.push_ordered(value.as_deref(), &mut key);
    }
    key.push(side);
    Some(key)
}

/// Appends the beginning of all rows of a partition whose clustering values start with `values`. The last of them counts
/// as equal whatever its bytes.
pub fn push_clustering_prefix(
    out: &mut Vec<u8>,
    values: &[Option<Vec<u8>>],
    clustering: &[CqlType],
) {
    out.push(CLUSTERED);
    for (at, (value, cql_type)) in values.iter().zip(clustering).enumerate() {
        let exactness = match at + 1 == values.len() {
            true => Exactness::Equal,
            false => Exactness::Bytes,
        };
        push_value(out, cql_type, value.as_deref(), exactness);
    }
}

fn take_partition_key(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    loop {
        match rest {
            [0, 0xff, tail @ ..] => {
                key.push(0);
                *rest = tail;
            }
            [0, 1, tail @ ..] => {
                *rest = tail;
                return Some(key);
            }
            [0, ..] | [] => return None,
            [byte, tail @ ..] => {
                key.push(*byte);
                *rest = tail;
            }
        }
    }
}

fn take_clustered(mut rest: &[u8], clustering: &[CqlType]) -> Option<Place> {
    let mut values = Vec::new();
    loop {
        match rest {
            [BEFORE] => return Some(Place::Bound(values, Side::Before)),
            [BEHIND] => return Some(Place::Bound(values, Side::Behind)),
            [AT] if values.len() == clustering.len() => return Some(Place::Row(values)),
            _ => {
                let cql_type = clustering.get(values.len())?;
                values.push(cql_type.take_ordered(&mut rest)?);
            }
        }
    }
}
