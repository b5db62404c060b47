//! The serialization header, a component of Statistics.db: what the rows of one SSTable are encoded against.
//!
//! ```text
//! uvint  least timestamp - 1442880000000000     deltas in Data.db count from these three;
//! uvint  least local deletion time - 1442880000 the subtractions wrap
//! uvint  least TTL
//! text   type of the partition key
//! uvint  count, then so many texts: types of the clustering columns
//! uvint  count, then so many (bytes name, text type): static columns
//! uvint  count, then so many (bytes name, text type): regular columns
//! ```
//!
//! Texts and names are a uvint length and so many bytes. Types are Java class names. Names of key columns are not there.
//! Rows have their simple columns first, then the complex ones, each by name; one file of ScyllaDB lists them
//! otherwise, so they are sorted here.

use super::descriptor::Version;
use super::wire;
use crate::file::cursor::Cursor;

/// 2015-09-22 in microseconds: what timestamps in the header count from.
const TIMESTAMP_EPOCH: i64 = 1_442_880_000_000_000;
/// The same moment in seconds, for local deletion times.
const LOCAL_TIME_EPOCH: u32 = 1_442_880_000;

/// What the rows of one SSTable are encoded against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Timestamps in Data.db are added to this one, wrapping.
    pub min_timestamp: i64,
    /// Local deletion times are added to this one, wrapping at 32 bits.
    pub min_local_time: i64,
    /// TTLs in seconds are added to this one.
    pub min_ttl: i64,
    /// Type of the partition key, as Java names it.
    pub key_type: String,
    /// Types of the clustering columns.
    pub clustering_types: Vec<String>,
    /// Static columns in the order of the rows: simple ones, then complex ones, each by name.
    pub statics: Vec<Column>,
    /// Regular columns in the same order.
    pub regulars: Vec<Column>,
    /// Class name of the partitioner.
    pub partitioner: String,
}

/// A column of an SSTable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name: UTF-8 in general, any bytes in tables of old APIs.
    pub name: Vec<u8>,
    /// Its type, as Java names it.
    pub type_name: String,
    /// Whether it has a cell for each element: collections and user-defined types that are not frozen.
    pub is_complex: bool,
    /// Length in bytes of each value, where the type has a fixed one; a column that is not complex then stores no lengths.
    pub fixed_len: Option<usize>,
}

impl Header {
    /// Reads the header from its component; `None` where it ends too early or a type is not UTF-8.
    pub fn parse(cursor: &mut Cursor<'_>, version: Version, partitioner: String) -> Option<Header> {
        let min_timestamp = (wire::uvint(cursor)? as i64).wrapping_add(TIMESTAMP_EPOCH);
        let local_time = (wire::uvint(cursor)? as u32).wrapping_add(LOCAL_TIME_EPOCH);
        let min_ttl = i64::from(wire::uvint(cursor)? as i32);
        let key_type = text(cursor)?;
        let count = count(cursor)?;
        let clustering_types = (0..count)
            .map(|_| text(cursor))
            .collect::<Option<Vec<_>>>()?;
        Some(Header {
            min_timestamp,
            min_local_time: match version.is_of_5() {
                true => i64::from(local_time),
                false => i64::from(local_time as i32),
            },
            min_ttl,
            key_type,
            clustering_types,
            statics: columns(cursor)?,
            regulars: columns(cursor)?,
            partitioner,
        })
    }
}

fn text(cursor: &mut Cursor<'_>) -> Option<String> {
    let bytes = wire::uvint_prefixed(cursor)?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// A count of things of a byte and more, so no more than bytes are left.
fn count(cursor: &mut Cursor<'_>) -> Option<u64> {
    wire::uvint(cursor).filter(|&count| count <= cursor.rest().len() as u64)
}

fn columns(cursor: &mut Cursor<'_>) -> Option<Vec<Column>> {
    let count = count(cursor)?;
    let mut columns = (0..count)
        .map(|_| {
            let name = wire::uvint_prefixed(cursor)?.to_vec();
            let type_name = text(cursor)?;
            Some(Column {
                name,
                is_complex: is_complex(&type_name),
                fixed_len: fixed_len(&type_name),
                type_name,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    columns.sort_by(|a, b| (a.is_complex, &a.name).cmp(&(b.is_complex, &b.name)));
    Some(columns)
}

/// Most wrappers (Reversed, Frozen, Vector) around a type; real ones have three or so.
const NESTING_MAX: usize = 64;

/// Length in bytes of every value of a Java type, where it is fixed: such values stand without a length.
pub fn fixed_len(java_type: &str) -> Option<usize> {
    fixed_len_within(java_type, NESTING_MAX)
}

fn fixed_len_within(java_type: &str, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let (class, arguments) = class_and_arguments(java_type);
    match class {
        "BooleanType" => Some(1),
        "Int32Type" | "FloatType" => Some(4),
        "LongType" | "DoubleType" | "TimestampType" | "DateType" => Some(8),
        "UUIDType" | "TimeUUIDType" | "LexicalUUIDType" => Some(16),
        "EmptyType" => Some(0),
        "ReversedType" | "FrozenType" => fixed_len_within(arguments, depth),
        "VectorType" => {
            let (element, count) = arguments.rsplit_once(',')?;
            let count: usize = count.trim().parse().ok()?;
            fixed_len_within(element, depth)?.checked_mul(count)
        }
        _ => None,
    }
}

/// Whether a column of this Java type has a cell for each element.
pub fn is_complex(java_type: &str) -> bool {
    matches!(
        class_and_arguments(java_type).0,
        "ListType" | "SetType" | "MapType" | "UserType"
    )
}

/// The class without its package, and what stands in its parentheses.
fn class_and_arguments(java_type: &str) -> (&str, &str) {
    let java_type = java_type.trim();
    let (class, arguments) = match java_type.split_once('(') {
        Some((class, rest)) => (class, rest.strip_suffix(')').unwrap_or(rest)),
        None => (java_type, ""),
    };
    (class.rsplit('.').next().unwrap_or(class).trim(), arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: &str = "org.apache.cassandra.db.marshal.";

    #[test]
    fn lengths_of_types() {
        assert_eq!(fixed_len(&format!("{P}Int32Type")), Some(4));
        assert_eq!(
            fixed_len(&format!("{P}ReversedType({P}TimeUUIDType)")),
            Some(16)
        );
        assert_eq!(
            fixed_len(&format!("{P}VectorType({P}FloatType , 3)")),
            Some(12)
        );
        let nested = format!("{P}VectorType({P}VectorType({P}LongType , 2) , 3)");
        assert_eq!(fixed_len(&nested), Some(48));
        for none in ["UTF8Type", "ShortType", "SimpleDateType", "TimeType"] {
            assert_eq!(fixed_len(&format!("{P}{none}")), None);
        }
        assert_eq!(fixed_len(&format!("{P}VectorType({P}UTF8Type , 3)")), None);
        assert_eq!(
            fixed_len(&format!("{P}FrozenType({P}ListType({P}Int32Type))")),
            None
        );
        assert_eq!(fixed_len(&"ReversedType(".repeat(100_000)), None);
    }

    #[test]
    fn complex_types() {
        assert!(is_complex(&format!("{P}ListType({P}Int32Type)")));
        assert!(is_complex(&format!("{P}UserType(ks,74,61:{P}Int32Type)")));
        assert!(!is_complex(&format!(
            "{P}FrozenType({P}ListType({P}Int32Type))"
        )));
        assert!(!is_complex(&format!("{P}TupleType({P}Int32Type)")));
    }
}
