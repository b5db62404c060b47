//! Rows as `convert` writes them: `{"key":...,"value":...}`, as [`crate::row::json`] describes them.
//!
//! Of what a table was, only the shape of its rows is in such a file: opaque bytes (with columns of their own, or not) where the
//! key is a string or `{"hex":"..."}`, named columns where it is an object. What can't be told: the types of CQL; a table without
//! rows; a single column named `hex` whose text happens to be hexadecimal digits of bytes that are no UTF-8.

use serde_json::{Map, Value};

use crate::row::columns::{push_key_column, push_value_column};
use crate::row::json_text::{Canon, Flaw, Scanned, Scanner};
use crate::row::{Schema, unescape, wide};
use crate::source::TextOptions;

/// Which rows a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnForm {
    /// Keys and values of opaque bytes.
    Bytes,
    /// Named columns.
    Columns {
        /// Of the key, in order.
        key: Vec<String>,
        /// Of the value, ascending, as they are in the file.
        value: Vec<String>,
        /// Those of the value that were chosen.
        chosen: Vec<String>,
    },
}

impl OwnForm {
    /// The form of the rows of which `text` is the first; `None` where it is no such row, or the key that was asked for
    /// is not that of these rows.
    pub fn of_first(text: &[u8], options: &TextOptions) -> Option<OwnForm> {
        let Value::Object(row) = serde_json::from_slice(text).ok()? else {
            return None;
        };
        let (key, value) = key_and_value(&row)?;
        if bytes_of(key).is_some() {
            let is_own =
                options.wanted_key().is_empty() && push_bytes_value(value, &mut Vec::new());
            return is_own.then_some(OwnForm::Bytes);
        }
        let (Value::Object(key), Value::Object(value)) = (key, value) else {
            return None;
        };
        let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        let (key_names, mut value_names) = (names(key), names(value));
        value_names.sort();
        let mut chosen = value_names.clone();
        chosen.retain(|name| {
            let is_asked = options.columns.is_empty() || options.columns.contains(name);
            is_asked && !options.ignore_columns.contains(name)
        });
        let fields_are_bytes = key.values().all(|field| bytes_of(field).is_some())
            && value
                .values()
                .all(|field| field.is_null() || bytes_of(field).is_some());
        let is_asked = options.wanted_key().is_empty() || options.wanted_key() == key_names;
        (fields_are_bytes && is_asked && !key_names.is_empty()).then_some(OwnForm::Columns {
            key: key_names,
            value: value_names,
            chosen,
        })
    }

    /// How the rows are shown.
    pub fn schema(&self) -> Schema {
        match self {
            OwnForm::Bytes => Schema::Bytes,
            OwnForm::Columns { key, chosen, .. } => Schema::Columns {
                key: key.clone(),
                value: chosen.clone(),
                sql: None,
            },
        }
    }

    /// Whether some columns of the file are in no row.
    pub fn leaves_some_out(&self) -> bool {
        matches!(self, OwnForm::Columns { value, chosen, .. } if value != chosen)
    }

    /// Reads a row and appends its key and value.
    ///
    /// # Errors
    ///
    /// A flaw, where it is no JSON or not of this form.
    pub fn read(
        &self,
        scanner: &mut Scanner<'_>,
        canon: &mut Canon,
        key: &mut Vec<u8>,
        value: &mut Vec<u8>,
    ) -> Scanned<()> {
        let at = scanner.at();
        let mut text = Vec::new();
        canon.push(scanner, &mut text)?;
        let is_read = match serde_json::from_slice(&text) {
            Ok(Value::Object(row)) => self.push_row(&row, key, value).is_some(),
            _ => false,
        };
        match is_read {
            true => Ok(()),
            false => Err(Flaw::new(
                at,
                "this row is not of the form of the first one, {\"key\":...,\"value\":...} as mdiff writes it (of documents, name the key with --key)",
            )),
        }
    }

    fn push_row(
        &self,
        row: &Map<String, Value>,
        key: &mut Vec<u8>,
        value: &mut Vec<u8>,
    ) -> Option<()> {
        let (key_json, value_json) = key_and_value(row)?;
        let OwnForm::Columns {
            key: key_names,
            value: value_names,
            chosen,
        } = self
        else {
            key.extend(bytes_of(key_json)?);
            return push_bytes_value(value_json, value).then_some(());
        };
        let (Value::Object(key_fields), Value::Object(value_fields)) = (key_json, value_json)
        else {
            return None;
        };
        if key_fields.len() != key_names.len() || value_fields.len() != value_names.len() {
            return None;
        }
        for name in key_names {
            let field = bytes_of(key_fields.get(name)?)?;
            match key_names.len() {
                1 => key.extend(field),
                _ => push_key_column(key, &field),
            }
        }
        for name in value_names {
            let field = match value_fields.get(name)? {
                Value::Null => None,
                field => Some(bytes_of(field)?),
            };
            if chosen.binary_search(name).is_ok() {
                push_value_column(value, field.as_deref());
            }
        }
        Some(())
    }
}

fn key_and_value(row: &Map<String, Value>) -> Option<(&Value, &Value)> {
    match (row.len(), row.get("key"), row.get("value")) {
        (2, Some(key), Some(value)) => Some((key, value)),
        _ => None,
    }
}

/// The bytes that [`crate::row::json::bytes_json`] writes so.
fn bytes_of(json: &Value) -> Option<Vec<u8>> {
    match json {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) => {
            let (Some(Value::String(hex)), 1) = (object.get("hex"), object.len()) else {
                return None;
            };
            let bytes = hex_bytes(hex)?;
            std::str::from_utf8(&bytes).is_err().then_some(bytes)
        }
        _ => None,
    }
}

/// The bytes of lower-case hexadecimal digits.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect();
    if rest.is_empty() { bytes } else { None }
}

/// Appends a value of opaque bytes, or of columns of its own; returns whether it is one.
fn push_bytes_value(json: &Value, value: &mut Vec<u8>) -> bool {
    if let Some(bytes) = bytes_of(json) {
        value.extend(bytes);
        return true;
    }
    let Value::Object(fields) = json else {
        return false;
    };
    let columns: Option<Vec<(Vec<u8>, Vec<u8>)>> = fields
        .iter()
        .map(|(name, field)| Some((unescape(name).ok()?, bytes_of(field)?)))
        .collect();
    let Some(mut columns) = columns else {
        return false;
    };
    columns.sort();
    if columns
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
    {
        return false;
    }
    wide::push(
        value,
        columns.iter().map(|(n, v)| (n.as_slice(), v.as_slice())),
    );
    true
}
