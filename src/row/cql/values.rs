//! How the values of a CQL table are shown: column by column.

use serde_json::{Map, Value, json};

use super::{CqlSchema, ROW_FIELD};
use crate::row::fields::Field;
use crate::row::{escape, json};
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value::{self, Body, Element};

impl CqlSchema {
    /// The fields of a value: its columns, and [`ROW_FIELD`] where it says something of the row; ascending by name.
    pub fn fields<'a>(&self, value: &'a [u8]) -> Option<Vec<Field<'a>>> {
        let decoded = value::decode(value)?;
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(decoded.columns.len());
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
            None => json::bytes_json(field),
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

    /// A write of a cell, or of a collection's element, as JSON.
    pub fn write_json(&self, name: &[u8], element: &Element<'_>) -> Value {
        let cql_type = self.type_of(name).unwrap_or(&CqlType::Blob);
        match cql_type.path_type() {
            Some(_) if !element.path.is_empty() => {
                element_json(&element_types(cql_type).1(element.path), element)
            }
            _ => element_json(cql_type, element),
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
        return json::bytes_json(head);
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
