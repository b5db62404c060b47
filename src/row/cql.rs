//! Rows of a CQL table: how keys and values of [`crate::source::cassandra`] are shown.
//!
//! A key shows as its partition key, then what of the partition it is: `a,7 : 2026,'x'` is a row, `a,7 static` the static row,
//! `a,7 deletion` the deletion of the partition, `a,7 : before 2026` and `a,7 : behind 2026` are bounds of range deletions.
//! `token:N` and `\raw:...` name places among keys too.

use serde_json::{Map, Value, json};

use super::{escape, unescape};
use crate::error::{Error, Result};
use crate::source::cassandra::cells::Ties;
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::model::Side;
use crate::source::cassandra::partitioner::Partitioner;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value::{self, Body, Element};
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
        let clustering: Vec<CqlType> = self.clustering.iter().map(|c| c.cql_type.clone()).collect();
        let decoded = key::decode(key, self.partitioner, &self.key_type(), &clustering)?;
        let parts = match self.key.len() {
            1 => vec![decoded.partition],
            count => split_composite(&decoded.partition, count)?,
        };
        Some((parts, decoded.place))
    }

    /// The partition's part of a key; `None` where it has none.
    pub fn partition_of(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (_, len) = key::decode_partition(key, self.partitioner, &self.key_type())?;
        key.get(..len).map(<[u8]>::to_vec)
    }

    /// A key as a person reads it.
    pub fn show_key(&self, key: &[u8]) -> String {
        let Some((parts, place)) = self.decode_key(key) else {
            return match self.partitioner.take_ordered(&mut &*key) {
                _ if key.is_empty() => String::new(),
                Some(token) if key.len() == 8 => format!("token:{token}"),
                _ => format!("\\raw:{}", escape(key)),
            };
        };
        let list = |columns: &[CqlColumn], values: &[Option<Vec<u8>>]| {
            let shown = columns.iter().zip(values);
            let shown = shown.map(|(c, v)| text(&c.cql_type, v.as_deref()));
            shown.collect::<Vec<_>>().join(",")
        };
        let parts: Vec<_> = parts.into_iter().map(Some).collect();
        let partition = list(&self.key, &parts);
        match place {
            Place::Partition => partition,
            Place::Deletion => format!("{partition} deletion"),
            Place::Static => format!("{partition} static"),
            Place::Row(values) if values.is_empty() => partition,
            Place::Row(values) => format!("{partition} : {}", list(&self.clustering, &values)),
            Place::Bound(values, side) => {
                let side = side_name(side);
                format!("{partition} : {side} {}", list(&self.clustering, &values))
            }
        }
    }

    /// A key as JSON: an object of its columns, and what it is where it is no row.
    pub fn key_json(&self, key: &[u8]) -> Option<Value> {
        let (parts, place) = self.decode_key(key)?;
        let mut object = Map::new();
        for (column, part) in self.key.iter().zip(&parts) {
            object.insert(column.name.clone(), json_of(&column.cql_type, part));
        }
        let (values, mark) = match place {
            Place::Partition => (Vec::new(), None),
            Place::Deletion => (Vec::new(), Some(("[partition deletion]", json!(true)))),
            Place::Static => (Vec::new(), Some(("[static]", json!(true)))),
            Place::Row(values) => (values, None),
            Place::Bound(values, side) => (values, Some(("[bound]", json!(side_name(side))))),
        };
        for (column, value) in self.clustering.iter().zip(&values) {
            let value = value.as_ref().map(|v| json_of(&column.cql_type, v));
            object.insert(column.name.clone(), value.unwrap_or(Value::Null));
        }
        if let Some((name, value)) = mark {
            object.insert(name.into(), value);
        }
        Some(Value::Object(object))
    }

    /// Reads a place among keys: `token:N`, or escaped bytes behind `\raw:`.
    ///
    /// # Errors
    ///
    /// Usage for other texts.
    pub fn parse_key(&self, text: &str) -> Result<Vec<u8>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(raw) = text.strip_prefix("\\raw:") {
            return unescape(raw);
        }
        let token = text
            .strip_prefix("token:")
            .and_then(|token| self.partitioner.parse_token(token));
        let mut key = Vec::new();
        match token {
            Some(token) => self.partitioner.push_ordered(&token, &mut key),
            None => {
                return Err(Error::usage(
                    format!("{text:?} is no place among the keys of a Cassandra table"),
                    "give token:N, or the bytes of a key behind \\raw:",
                ));
            }
        }
        Ok(key)
    }

    /// The type of a column that is not of the key, by its name as a value has it.
    pub fn type_of(&self, name: &[u8]) -> Option<&CqlType> {
        let name = escape(name);
        let columns = self.regulars.iter().chain(&self.statics);
        let found = columns.into_iter().find(|column| column.name == name)?;
        Some(&found.cql_type)
    }

    /// The fields of a value: its columns, and [`ROW_FIELD`] where it says something of the row; ascending by name.
    pub fn fields<'a>(&self, value: &'a [u8]) -> Option<Vec<super::fields::Field<'a>>> {
        let decoded = value::decode(value)?;
        let mut fields: Vec<super::fields::Field<'a>> = Vec::with_capacity(decoded.columns.len());
        if !decoded.is_live_view {
            fields.push((ROW_FIELD, Some(decoded.head)));
        }
        fields.extend(
            decoded
                .columns
                .iter()
                .map(|(name, body)| (*name, Some(*body))),
        );
        fields.sort_by(|a, b| a.0.cmp(b.0));
        Some(fields)
    }

    /// A field of [`CqlSchema::fields`] as JSON.
    pub fn field_json(&self, name: &[u8], field: &[u8]) -> Value {
        if name == ROW_FIELD {
            return row_json(field);
        }
        let cql_type = self.type_of(name).unwrap_or(&CqlType::Blob);
        match value::decode_body(field) {
            Some(Body::Simple(element)) => element_json(cql_type, &element),
            Some(Body::Complex(_, elements))
                if elements
                    .first()
                    .is_some_and(|element| element.timestamp.is_none()) =>
            {
                collection_json(cql_type, &elements)
            }
            Some(Body::Complex(deletion, elements)) => {
                let (path_type, value_type) = element_types(cql_type);
                let mut list = Vec::new();
                for element in &elements {
                    let mut shown = Map::new();
                    if let Some(path_type) = &path_type
                        && !element.path.is_empty()
                    {
                        shown.insert("path".into(), json_of(path_type, element.path));
                    }
                    shown.insert(
                        "cell".into(),
                        element_json(&value_type(element.path), element),
                    );
                    list.push(Value::Object(shown));
                }
                let mut object = Map::new();
                if !deletion.is_live() {
                    object.insert(
                        "deleted".into(),
                        deletion_json(deletion.timestamp, deletion.local_time),
                    );
                }
                object.insert("elements".into(), list.into());
                Value::Object(object)
            }
            None => super::json::bytes_json(field),
        }
    }

    /// The value of a cell, or of a collection's element at `path`, as JSON.
    pub fn cell_json(&self, name: &[u8], path: &[u8], value: &[u8]) -> Value {
        let cql_type = self.type_of(name).unwrap_or(&CqlType::Blob);
        match cql_type.path_type() {
            Some(_) if !path.is_empty() => json_of(&element_types(cql_type).1(path), value),
            _ => json_of(cql_type, value),
        }
    }

    /// The path of a collection's element as JSON.
    pub fn path_json(&self, name: &[u8], path: &[u8]) -> Value {
        let path_type = self.type_of(name).and_then(CqlType::path_type);
        json_of(&path_type.unwrap_or(CqlType::Blob), path)
    }

    /// What of a field's body is alive, as SELECT returns it: without timestamps; `None` where nothing is.
    pub fn live_json(&self, name: &[u8], body: &[u8]) -> Option<Value> {
        let cql_type = self.type_of(name).unwrap_or(&CqlType::Blob);
        match value::decode_body(body)? {
            Body::Simple(element) => Some(json_of(cql_type, element.value?)),
            Body::Complex(_, mut elements) => {
                elements.retain(|element| element.value.is_some());
                (!elements.is_empty()).then(|| collection_json(cql_type, &elements))
            }
        }
    }

    /// A value as JSON.
    pub fn value_json(&self, value: &[u8]) -> Option<Value> {
        let fields = self.fields(value)?;
        let mut object = Map::new();
        for (name, field) in fields {
            let field = field.unwrap_or_default();
            let is_plain = name == ROW_FIELD && field == [0];
            if !is_plain {
                object.insert(escape(name).into_owned(), self.field_json(name, field));
            }
        }
        Some(Value::Object(object))
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::Behind => "behind",
    }
}

/// The parts of a composite: each u16 length, bytes, 00.
fn split_composite(key: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    let mut rest = key;
    let mut parts = Vec::with_capacity(count);
    while !rest.is_empty() {
        let (len, tail) = rest.split_first_chunk::<2>()?;
        let (part, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        parts.push(part.to_vec());
        rest = tail.split_first()?.1;
    }
    (parts.len() == count).then_some(parts)
}

fn text(cql_type: &CqlType, value: Option<&[u8]>) -> String {
    match value.map(|value| json_of(cql_type, value)) {
        None => "null".into(),
        Some(Value::String(text)) => escape(text.as_bytes()).replace(',', "\\x2c"),
        Some(other) => other.to_string(),
    }
}

/// The types of a collection's paths, and of the value at a path.
pub(crate) fn element_types(cql_type: &CqlType) -> (Option<CqlType>, impl Fn(&[u8]) -> CqlType) {
    let of = cql_type.clone();
    let value_type = move |path: &[u8]| match &of {
        CqlType::List(element) => (**element).clone(),
        CqlType::Map(_, value) => (**value).clone(),
        CqlType::Udt { fields, .. } => {
            let index = path
                .try_into()
                .map_or(usize::MAX, |p| usize::from(u16::from_be_bytes(p)));
            fields.get(index).map_or(CqlType::Blob, |(_, t)| t.clone())
        }
        _ => CqlType::Blob,
    };
    (cql_type.path_type(), value_type)
}

/// A live collection as SELECT JSON prints it.
fn collection_json(cql_type: &CqlType, elements: &[Element<'_>]) -> Value {
    let (path_type, value_type) = element_types(cql_type);
    let path = |element: &Element<'_>| {
        let path_type = path_type.as_ref().unwrap_or(&CqlType::Blob);
        json_of(path_type, element.path)
    };
    let value = |e: &Element<'_>| json_of(&value_type(e.path), e.value.unwrap_or_default());
    match cql_type {
        CqlType::Set(_) => elements.iter().map(path).collect(),
        CqlType::Map(..) => {
            let named = elements.iter().map(|element| {
                let name = match path(element) {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                (name, value(element))
            });
            Value::Object(named.collect())
        }
        CqlType::Udt { fields, .. } => {
            let mut object = Map::new();
            for (index, (name, _)) in fields.iter().enumerate() {
                let path = (index as u16).to_be_bytes();
                let element = elements.iter().find(|element| element.path == path);
                object.insert(name.clone(), element.map_or(Value::Null, &value));
            }
            Value::Object(object)
        }
        _ => elements.iter().map(value).collect(),
    }
}

fn deletion_json(timestamp: i64, local_time: i64) -> Value {
    json!({ "timestamp": timestamp, "at": local_time })
}

fn row_json(head: &[u8]) -> Value {
    let Some(decoded) = value::decode(head) else {
        return super::json::bytes_json(head);
    };
    let mut object = Map::new();
    if let Some(timestamp) = decoded.liveness.timestamp {
        let mut inserted = Map::new();
        inserted.insert("timestamp".into(), timestamp.into());
        if decoded.liveness.ttl != 0 {
            inserted.insert("ttl".into(), decoded.liveness.ttl.into());
            inserted.insert("expires".into(), decoded.liveness.expires.into());
        }
        object.insert("inserted".into(), inserted.into());
    }
    if !decoded.deletion.is_live() {
        let deletion = decoded.deletion;
        object.insert(
            "deleted".into(),
            deletion_json(deletion.timestamp, deletion.local_time),
        );
    }
    if decoded.is_shadowable {
        object.insert("shadowable".into(), true.into());
    }
    Value::Object(object)
}

/// A cell: its value alone in the live view, else with what is known of the write.
fn element_json(cql_type: &CqlType, element: &Element<'_>) -> Value {
    let value = element
        .value
        .map(|value| match (cql_type, element.timestamp) {
            (CqlType::Counter, None) => json_of(&CqlType::Bigint, value),
            _ => json_of(cql_type, value),
        });
    let Some(timestamp) = element.timestamp else {
        return value.unwrap_or(Value::Null);
    };
    let mut object = Map::new();
    if let Some(value) = value {
        object.insert("value".into(), value);
    }
    object.insert("timestamp".into(), timestamp.into());
    if let Some((ttl, expires)) = element.expiry {
        object.insert("ttl".into(), ttl.into());
        object.insert("expires".into(), expires.into());
    }
    if let Some(deleted) = element.deleted {
        object.insert("deleted".into(), deleted.into());
    }
    Value::Object(object)
}

/// A value of a CQL type as JSON.
fn json_of(cql_type: &CqlType, value: &[u8]) -> Value {
    cql_type.to_json(value)
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

    fn key(rest: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        key::push_partition(&mut key, Partitioner::Murmur3, &CqlType::Text, b"a,b");
        key.extend_from_slice(rest);
        key
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
    fn keys_show_what_they_are_of() {
        let schema = schema();
        let mut clustering = vec![key::CLUSTERED];
        schema.clustering[0]
            .cql_type
            .push_ordered(Some(&7i32.to_be_bytes()), &mut clustering);
        let with = |side: u8| [clustering.as_slice(), &[side]].concat();
        for (rest, shown) in [
            (vec![], "a\\x2cb"),
            (vec![key::PARTITION_DELETION], "a\\x2cb deletion"),
            (vec![key::STATIC], "a\\x2cb static"),
            (with(0x80), "a\\x2cb : 7"),
            (with(0x00), "a\\x2cb : before 7"),
            (with(0xff), "a\\x2cb : behind 7"),
            (vec![key::CLUSTERED, 0], "a\\x2cb : before "),
        ] {
            assert_eq!(schema.show_key(&key(&rest)), shown);
        }
        let cut = &key(b"")[..10];
        let shown = schema.show_key(cut);
        assert!(shown.starts_with("\\raw:"));
        assert_eq!(schema.parse_key(&shown).unwrap(), cut);
        let token = schema.show_key(&key(b"")[..8]);
        assert_eq!(schema.parse_key(&token).unwrap(), &key(b"")[..8]);
        assert!(schema.parse_key("a").is_err());
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
