//! Rows as JSON.

use serde_json::{Map, Value, json};

use super::{Schema, columns};

/// A key as JSON: text where it is UTF-8, else `{"hex": "..."}`; an object where it has several columns.
pub fn key_json(schema: &Schema, key: &[u8]) -> Value {
    match schema {
        Schema::Columns { key: names, .. } if names.len() > 1 => {
            match columns::decode_key(key, names.len()) {
                Some(fields) => names
                    .iter()
                    .zip(&fields)
                    .map(|(name, field)| (name.clone(), bytes_json(field)))
                    .collect::<Map<_, _>>()
                    .into(),
                None => hex_json(key),
            }
        }
        _ => bytes_json(key),
    }
}

/// A value as JSON: text where it is UTF-8, else `{"hex": "..."}`; an object where it has columns, NULL as null.
pub fn value_json(schema: &Schema, value: &[u8]) -> Value {
    match schema {
        Schema::Columns { value: names, .. } => match columns::decode_value(value, names.len()) {
            Some(fields) => names
                .iter()
                .zip(&fields)
                .map(|(name, field)| (name.clone(), field.map_or(Value::Null, bytes_json)))
                .collect::<Map<_, _>>()
                .into(),
            None => hex_json(value),
        },
        Schema::Bytes => bytes_json(value),
    }
}

fn bytes_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => hex_json(bytes),
    }
}

/// Bytes as `{"hex": "..."}`.
pub fn hex_json(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "hex": hex })
}
