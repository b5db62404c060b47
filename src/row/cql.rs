//! Rows of a CQL table: how keys and values of [`crate::source::cassandra`] are shown.
//!
//! A key shows as its partition key, then what of the partition it is: `a,7 : 2026,x` is a row, `a,7 static` the static row,
//! `a,7 deletion` the deletion of the partition, `a,7 : before 2026` and `a,7 : behind 2026` are bounds of range deletions.
//! `token:N` and `\raw:...` name places among keys too. What is shown can be given back.

mod keys; // keys as text
mod values; // values as JSON

pub(crate) use values::element_types;

use serde_json::{Value, json};

use super::escape;
use crate::error::{Error, Result};
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::partitioner::Partitioner;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::types::elements::split;
use crate::source::cassandra::view::View;

/// The field of a value that tells of its row as a whole.
pub const ROW_FIELD: &[u8] = b"[row]";

/// A column and its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CqlColumn {
    /// Its name; bytes that are no text are escaped.
    pub name: String,
    /// Its type.
    pub cql_type: CqlType,
}

/// The columns of a table, and how its rows were seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CqlSchema {
    /// How partitions are ordered.
    pub partitioner: Partitioner,
    /// Columns of the partition key.
    pub key: Vec<CqlColumn>,
    /// Clustering columns.
    pub clustering: Vec<CqlColumn>,
    /// Static columns, ascending by name.
    pub statics: Vec<CqlColumn>,
    /// Regular columns, ascending by name.
    pub regulars: Vec<CqlColumn>,
    /// What of a row counts.
    pub view: View,
    /// Whose rule decides between writes of equal timestamps.
    pub ties: Ties,
    /// The instant at which what expires is dead, in seconds since 1970.
    pub now: i64,
    /// Tombstones made before leave no trace, in seconds since 1970.
    pub gc_before: i64,
}

impl CqlSchema {
    /// Type of the partition key as a whole.
    pub fn key_type(&self) -> CqlType {
        match self.key.as_slice() {
            [only] => only.cql_type.clone(),
            several => CqlType::Composite(several.iter().map(|c| c.cql_type.clone()).collect()),
        }
    }

    /// Types of the clustering columns.
    fn clustering_types(&self) -> Vec<CqlType> {
        let types = self.clustering.iter().map(|column| column.cql_type.clone());
        types.collect()
    }

    /// What the table is and how its rows were seen, as JSON.
    pub fn describe(&self) -> Value {
        let columns = |columns: &[CqlColumn]| {
            let named = columns
                .iter()
                .map(|c| (c.name.clone(), c.cql_type.to_cql().into()));
            Value::Object(named.collect())
        };
        json!({
            "partitioner": self.partitioner.name(),
            "key": columns(&self.key),
            "clustering": columns(&self.clustering),
            "static": columns(&self.statics),
            "columns": columns(&self.regulars),
            "view": match self.view { View::Live => "live", View::Cells => "cells" },
            "ties": match self.ties { Ties::V4 => "4.0", Ties::V3_11 => "3.11" },
            "now": self.now,
            "gc_before": self.gc_before,
        })
    }

    /// The columns of the partition key, and what of the partition a key is of; `None` where it is no key of a row.
    pub fn decode_key(&self, key: &[u8]) -> Option<(Vec<Vec<u8>>, Place)> {
        let clustering = self.clustering_types();
        let decoded = key::decode(key, self.partitioner, &self.key_type(), &clustering)?;
        let parts = match self.key.len() {
            1 => vec![decoded.partition],
            count => {
                let parts = split(&self.key_type(), &decoded.partition)?;
                let parts: Vec<_> = parts.into_iter().flatten().map(<[u8]>::to_vec).collect();
                (parts.len() == count).then_some(parts)?
            }
        };
        Some((parts, decoded.place))
    }

    /// The partition's part of a key; `None` where it has none.
    pub fn partition_of(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (_, len) = key::decode_partition(key, self.partitioner, &self.key_type())?;
        key.get(..len).map(<[u8]>::to_vec)
    }

    /// The type of a column that is not of the key, by its name as a value has it.
    pub fn type_of(&self, name: &[u8]) -> Option<&CqlType> {
        let name = escape(name);
        let columns = self.regulars.iter().chain(&self.statics);
        let found = columns.into_iter().find(|column| column.name == name)?;
        Some(&found.cql_type)
    }
}

/// Refuses two schemas whose rows can't be compared. The sets of columns may differ, and the instants.
///
/// # Errors
///
/// Usage, naming what differs.
pub fn check_same(left: &CqlSchema, right: &CqlSchema) -> Result<()> {
    let types = |columns: &[CqlColumn]| {
        let types = columns.iter().map(|column| column.cql_type.to_java());
        types.collect::<Vec<_>>().join(",")
    };
    let facts = |schema: &CqlSchema| {
        [
            ("partitioner", schema.partitioner.name().to_owned()),
            ("type of the partition key", types(&schema.key)),
            ("types of the clustering columns", types(&schema.clustering)),
            ("view (--view)", format!("{:?}", schema.view)),
            ("rule for ties (--ties)", format!("{:?}", schema.ties)),
        ]
    };
    for ((what, one), (_, other)) in facts(left).into_iter().zip(facts(right)) {
        if one != other {
            return Err(Error::usage(
                format!("the sides differ in the {what}: {one} on the left, {other} on the right"),
                "build both from snapshots of one table, with the same options",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::cursor::Cursor;
    use crate::mtree::header::{push_schema, read_schema};
    use crate::row::{Schema, check_same_schema};
    use crate::source::cassandra::model::Deletion;
    use crate::source::cassandra::value::encode_deletion;

    fn schema() -> CqlSchema {
        let column = |name: &str, cql_type| CqlColumn {
            name: name.into(),
            cql_type,
        };
        CqlSchema {
            partitioner: Partitioner::Murmur3,
            key: vec![column("k", CqlType::Text)],
            clustering: vec![column("c", CqlType::Reversed(Box::new(CqlType::Int)))],
            statics: vec![],
            regulars: vec![
                column("l", CqlType::List(Box::new(CqlType::Int))),
                column("v", CqlType::Text),
            ],
            view: View::Cells,
            ties: Ties::V4,
            now: 5,
            gc_before: -5,
        }
    }

    #[test]
    fn a_schema_is_kept_in_files() {
        let schema = Schema::Cql(Box::new(schema()));
        let mut bytes = Vec::new();
        push_schema(&mut bytes, &schema);
        assert_eq!(read_schema(&mut Cursor::new(&bytes)), Some(schema));
        for len in 0..bytes.len() {
            assert_eq!(read_schema(&mut Cursor::new(&bytes[..len])), None);
        }
    }

    #[test]
    fn columns_and_instants_may_differ_and_views_not() {
        let check = |change: fn(&mut CqlSchema)| {
            let mut other = schema();
            change(&mut other);
            let sides = [schema(), other].map(|side| Schema::Cql(Box::new(side)));
            check_same_schema(&sides[0], &sides[1])
        };
        check(|other| other.now = 9).unwrap();
        check(|other| drop(other.regulars.pop())).unwrap();
        let error = check(|other| other.view = View::Live).unwrap_err();
        assert!(error.to_string().contains("--view"), "{error}");
        assert!(check(|other| other.ties = Ties::V3_11).is_err());
        assert!(check(|other| other.clustering.clear()).is_err());
    }

    #[test]
    fn values_show_column_by_column() {
        let schema = schema();
        // The example of the value's documentation.
        let value = b"\x01\0\0\0\0\0\0\0\x05\x01v\x0b\0\0\0\0\0\0\0\0\0\x05x";
        assert_eq!(
            schema.value_json(value).unwrap().to_string(),
            r#"{"[row]":{"inserted":{"timestamp":5}},"v":{"value":"x","timestamp":5}}"#
        );
        assert_eq!(
            schema
                .value_json(b"\x10\x01v\x02\x03x")
                .unwrap()
                .to_string(),
            r#"{"v":"x"}"#
        );
        let live_list = b"\x10\x01l\x0d\x04\0\x04\0\0\0\x07\0\x04\0\0\0\x08";
        assert_eq!(
            schema.value_json(live_list).unwrap().to_string(),
            r#"{"l":[7,8]}"#
        );
        let mut deletion = Vec::new();
        encode_deletion(
            &mut deletion,
            Deletion {
                timestamp: 9,
                local_time: 1,
            },
        );
        assert_eq!(
            schema.value_json(&deletion).unwrap().to_string(),
            r#"{"[row]":{"deleted":{"timestamp":9,"at":1}}}"#
        );
        assert_eq!(schema.value_json(b"\xff"), None);
    }
}
