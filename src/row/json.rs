//! Rows as JSON: the same shape wherever a command prints one.
//!
//! Bytes are a string where they are UTF-8, else `{"hex":"..."}`. With [`Schema::Columns`], a key (of one column too) and a
//! value are objects from column names to such bytes, NULL is `null`. Bytes that do not have the schema's columns, a boundary
//! key say, are shown as bytes.
//!
//! With [`Schema::Bag`], a key is such an object, and a value `{"copies":N}`.
//! With [`Schema::Document`], a key and a value are such objects too, and each field is the JSON value that it stands for
//! ([`scalar`]).
//!
//! A value with columns of its own ([`wide`]) is an object too. Its names are escaped as keys are for a person; a name
//! `hex` that stands alone is `\\x68ex`, so that no such object looks like bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::columns::{copies, decode_key, decode_value};
use super::wide::{self, WideColumns};
use super::{COPIES, Schema, escape, scalar};

/// Returns a key as JSON.
pub fn key_json(schema: &Schema, key: &[u8]) -> Value {
    if let Schema::Columns { key: names, .. } = schema
        && let Some(fields) = decode_key(key, names.len())
    {
        return object(names, fields.iter().map(|field| bytes_json(field)));
    }
    if let Schema::Cql(cql) = schema
        && let Some(json) = cql.key_json(key)
    {
        return json;
    }
    if let Schema::Document { key: names } = schema
        && let Some(fields) = decode_key(key, names.len())
    {
        return object(names, fields.iter().map(|field| scalar::to_json(field)));
    }
    if let Schema::Bag { columns, .. } = schema
        && let Some(fields) = decode_value(key, columns.len())
    {
        let fields = fields.iter();
        return object(
            columns,
            fields.map(|field| field.map_or(Value::Null, bytes_json)),
        );
    }
    bytes_json(key)
}

/// Returns a value as JSON.
pub fn value_json(schema: &Schema, value: &[u8]) -> Value {
    if let Schema::Columns { value: names, .. } = schema
        && let Some(fields) = decode_value(value, names.len())
    {
        return object(
            names,
            fields
                .iter()
                .map(|field| field.map_or(Value::Null, bytes_json)),
        );
    }
    if let Schema::Cql(cql) = schema
        && let Some(json) = cql.value_json(value)
    {
        return json;
    }
    if let Schema::Bag { .. } = schema
        && let Some(copies) = copies(value)
    {
        return json!({ COPIES: copies });
    }
    if let (Schema::Bytes, Some(columns)) = (schema, wide::read(value)) {
        return wide_json(columns);
    }
    if let (Schema::Document { .. }, Some(fields)) = (schema, wide::read_fields(value)) {
        let fields = fields.map(|(name, field)| (name_json(name), scalar::to_json(field)));
        return Value::Object(fields.collect());
    }
    bytes_json(value)
}

/// Returns a value as the text of one field: escaped, or as JSON where it has columns, so that they can be taken apart
/// again.
pub fn value_field<'a>(schema: &Schema, value: &'a [u8]) -> Cow<'a, str> {
    match schema {
        Schema::Bytes if wide::read(value).is_none() => escape(value),
        _ => value_json(schema, value).to_string().into(),
    }
}

fn wide_json(columns: WideColumns<'_>) -> Value {
    let only_hex = columns.clone().map(|(name, _)| name).eq([b"hex"]);
    let name_of = |name| match only_hex {
        true => "\\x68ex".into(),
        false => escape(name).into_owned(),
    };
    let fields = columns.map(|(name, field)| (name_of(name), bytes_json(field)));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// The name of a document's field, which is UTF-8.
fn name_json(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => escape(name).into_owned(),
    }
}

/// Returns bytes as a JSON string where they are UTF-8, else as `{"hex":"..."}`.
pub fn bytes_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => {
            let mut hex = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                let _ = write!(hex, "{byte:02x}");
            }
            json!({ "hex": hex })
        }
    }
}

fn object(names: &[String], fields: impl Iterator<Item = Value>) -> Value {
    Value::Object(names.iter().cloned().zip(fields).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::columns::push_key_column;

    #[test]
    fn rows_have_one_shape() {
        let one = Schema::Columns {
            key: vec!["id".into()],
            value: vec!["a".into()],
            sql: None,
        };
        let two = Schema::Columns {
            key: vec!["x".into(), "y".into()],
            value: vec![],
            sql: None,
        };
        let mut key = Vec::new();
        push_key_column(&mut key, b"1");
        push_key_column(&mut key, b"\x00\xff");
        assert_eq!(key_json(&Schema::Bytes, b"k").to_string(), r#""k""#);
        assert_eq!(
            value_json(&Schema::Bytes, b"\xfe").to_string(),
            r#"{"hex":"fe"}"#
        );
        assert_eq!(key_json(&one, b"1").to_string(), r#"{"id":"1"}"#);
        assert_eq!(
            key_json(&two, &key).to_string(),
            r#"{"x":"1","y":{"hex":"00ff"}}"#
        );
        assert_eq!(value_json(&one, b"\x00").to_string(), r#"{"a":null}"#);
        assert_eq!(
            value_json(&one, b"\x00\x00").to_string(),
            r#""\u0000\u0000""#
        );
        assert_eq!(value_json(&two, b"").to_string(), "{}");
    }

    #[test]
    fn values_with_columns_of_their_own_are_objects() {
        let shown = |columns: &[(&[u8], &[u8])]| {
            let mut value = Vec::new();
            wide::push(&mut value, columns.iter().copied());
            let json = value_json(&Schema::Bytes, &value).to_string();
            assert_eq!(value_field(&Schema::Bytes, &value), json);
            json
        };
        assert_eq!(
            shown(&[(b"", b"v"), (b"hex", b"00"), (b"n\xff", b"\xfe")]),
            r#"{"":"v","hex":"00","n\\xff":{"hex":"fe"}}"#
        );
        assert_eq!(shown(&[(b"hex", b"00")]), r#"{"\\x68ex":"00"}"#);
        assert_eq!(shown(&[]), "{}");
        assert_eq!(value_field(&Schema::Bytes, b"a\xff"), "a\\xff");
    }
}
