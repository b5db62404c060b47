//! CQL types: how they are named, ordered, and shown.
//!
//! An SSTable names the types of its columns by Java classes (`java.rs`), `schema.cql` by CQL ([`cql`]). Both give the same
//! [`CqlType`], in one form: `Frozen` stands only around the outermost collection or user-defined type that is frozen.
//! What is inside it, or inside a tuple or a vector, is frozen without saying so.
//!
//! Facts: the classes of `org.apache.cassandra.db.marshal`, and the SSTables of Cassandra 3.11 to 5.0 they were tried on.

pub mod compare;
pub mod cql;
pub mod elements;
mod java;
mod literal;
mod number;
pub mod ordered;
pub mod parse;
mod show;
mod text;

pub(super) use text::parse_hex;

/// The deepest nesting of types that is read.
const DEPTH_MAX: usize = 32;

/// A type of CQL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CqlType {
    /// `ascii`
    Ascii,
    /// `bigint`: 8 bytes, signed.
    Bigint,
    /// `blob`
    Blob,
    /// `boolean`: 1 byte.
    Boolean,
    /// `counter`: a context of shards.
    Counter,
    /// `date`: 4 bytes, days since 1970-01-01 plus 2^31.
    Date,
    /// `decimal`: 4 bytes of scale, then a varint.
    Decimal,
    /// `double`: 8 bytes.
    Double,
    /// `duration`: months, days and nanoseconds, each a signed vint.
    Duration,
    /// `empty`: no bytes.
    Empty,
    /// `float`: 4 bytes.
    Float,
    /// `inet`: 4 or 16 bytes.
    Inet,
    /// `int`: 4 bytes, signed.
    Int,
    /// `smallint`: 2 bytes, signed.
    Smallint,
    /// `text`
    Text,
    /// `time`: 8 bytes, nanoseconds since midnight.
    Time,
    /// `timestamp`: 8 bytes, milliseconds since 1970, signed.
    Timestamp,
    /// `timeuuid`: 16 bytes.
    Timeuuid,
    /// `tinyint`: 1 byte, signed.
    Tinyint,
    /// `uuid`: 16 bytes.
    Uuid,
    /// `varint`: two's complement of any length.
    Varint,
    /// A clustering column in descending order.
    Reversed(Box<CqlType>),
    /// A collection or user-defined type that is one value.
    Frozen(Box<CqlType>),
    /// `list<element>`
    List(Box<CqlType>),
    /// `set<element>`
    Set(Box<CqlType>),
    /// `map<key, value>`
    Map(Box<CqlType>, Box<CqlType>),
    /// `tuple<...>`
    Tuple(Vec<CqlType>),
    /// A user-defined type.
    Udt {
        /// Its keyspace.
        keyspace: String,
        /// Its name.
        name: String,
        /// Names and types of its fields, in order.
        fields: Vec<(String, CqlType)>,
    },
    /// `vector<element, dimension>`
    Vector(Box<CqlType>, usize),
    /// A partition key of several columns.
    Composite(Vec<CqlType>),
    /// A type that is only a name here (a Java class, with its arguments); its values are bytes.
    Custom(String),
}

impl CqlType {
    /// Length in bytes of each of its values, or `None` where values carry their length. These are the lengths that an
    /// SSTable counts on, so `tinyint`, `smallint`, `date` and `time` have none.
    pub fn fixed_len(&self) -> Option<usize> {
        match self {
            CqlType::Boolean => Some(1),
            CqlType::Int | CqlType::Float => Some(4),
            CqlType::Bigint | CqlType::Double | CqlType::Timestamp => Some(8),
            CqlType::Uuid | CqlType::Timeuuid => Some(16),
            // No bytes at all: read as a value of length zero.
            CqlType::Empty => Some(0),
            CqlType::Vector(element, dimension) => element.fixed_len()?.checked_mul(*dimension),
            CqlType::Reversed(inner) | CqlType::Frozen(inner) => inner.fixed_len(),
            _ => None,
        }
    }

    /// Whether a column of this type has many cells: a collection or user-defined type that is not frozen.
    pub fn is_complex(&self) -> bool {
        matches!(
            self,
            CqlType::List(_) | CqlType::Set(_) | CqlType::Map(..) | CqlType::Udt { .. }
        )
    }

    /// Whether it is a clustering column's in descending order.
    pub fn is_reversed(&self) -> bool {
        matches!(self, CqlType::Reversed(_))
    }

    /// The type itself, without `Reversed` and `Frozen` around it.
    pub fn inner(&self) -> &CqlType {
        match self {
            CqlType::Reversed(inner) | CqlType::Frozen(inner) => inner.inner(),
            _ => self,
        }
    }

    /// Type of the paths of its cells, where it is complex: a list's are timeuuids, a user-defined type's field numbers.
    pub fn path_type(&self) -> Option<CqlType> {
        match self {
            CqlType::List(_) => Some(CqlType::Timeuuid),
            CqlType::Set(element) => Some((**element).clone()),
            CqlType::Map(key, _) => Some((**key).clone()),
            CqlType::Udt { .. } => Some(CqlType::Smallint),
            _ => None,
        }
    }

    /// The same with `Frozen` only where it says something; `is_frozen` is whether it stands inside what is frozen.
    fn normal(self, is_frozen: bool) -> CqlType {
        let inside = |t: Box<CqlType>, is_frozen| Box::new((*t).normal(is_frozen));
        let all = |types: Vec<CqlType>| types.into_iter().map(|t| t.normal(true)).collect();
        match self {
            CqlType::Reversed(t) => CqlType::Reversed(inside(t, is_frozen)),
            CqlType::Frozen(t) => {
                let t = t.normal(true);
                match t.is_complex() && !is_frozen {
                    true => CqlType::Frozen(Box::new(t)),
                    false => t,
                }
            }
            CqlType::List(t) => CqlType::List(inside(t, is_frozen)),
            CqlType::Set(t) => CqlType::Set(inside(t, is_frozen)),
            CqlType::Map(k, v) => CqlType::Map(inside(k, is_frozen), inside(v, is_frozen)),
            CqlType::Vector(t, n) => CqlType::Vector(inside(t, true), n),
            CqlType::Tuple(types) => CqlType::Tuple(all(types)),
            CqlType::Composite(types) => CqlType::Composite(all(types)),
            CqlType::Udt {
                keyspace,
                name,
                fields,
            } => CqlType::Udt {
                keyspace,
                name,
                fields: fields
                    .into_iter()
                    .map(|(name, t)| (name, t.normal(is_frozen)))
                    .collect(),
            },
            other => other,
        }
    }
}

#[cfg(test)]
pub mod samples;
