//! Keys of a CQL table as a person reads and gives them.
//!
//! ```text
//! key       = partition [ " static" | " deletion" | " partition" | " : " row | " : " bound ]
//!           | "token:" number | "\raw:" escaped bytes
//! partition = part { "," part }
//! row       = part { "," part }
//! bound     = ( "before" | "behind" ) [ " " part { "," part } ]
//! ```
//!
//! A part is as [`show_key_part`](crate::source::cassandra::types::CqlType::show_key_part) writes it: escaped so that it can be taken for nothing else. A partition alone is
//! the place before all of it, but in a table without clustering columns it is the partition's row, and the place before has
//! ` partition` behind it. A row with fewer parts than there are clustering columns is the place before the rows that start
//! with them. A key that is none of these forms is `\raw:`.

use serde_json::{Map, Value, json};

use super::{CqlColumn, CqlSchema};
use crate::error::{Error, Result};
use crate::row::{escape, unescape};
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::model::Side;
use crate::source::cassandra::partitioner::Token;
use crate::source::cassandra::types::elements::join;
use crate::source::cassandra::types::parse::{DELETION, INSIDE, PARTITION, SIDES, STATIC, TOKEN};

const RAW: &str = "\\raw:";

impl CqlSchema {
    /// A key as a person reads it; [`CqlSchema::parse_key`] gives it back.
    pub fn show_key(&self, key: &[u8]) -> String {
        if key.is_empty() {
            return String::new();
        }
        let shown = self.show_token(key).or_else(|| self.show_place(key));
        // A partition's token need not be its own in a boundary that a stranger chose.
        match shown.filter(|shown| self.parse_key(shown).is_ok_and(|same| same == key)) {
            Some(shown) => shown,
            None => format!("{RAW}{}", escape(key)),
        }
    }

    fn show_token(&self, key: &[u8]) -> Option<String> {
        let rest = &mut { key };
        match self.partitioner.take_ordered(rest)? {
            Token::Bytes(_) => None,
            token => rest.is_empty().then(|| format!("{TOKEN}{token}")),
        }
    }

    fn show_place(&self, key: &[u8]) -> Option<String> {
        let (parts, place) = self.decode_key(key)?;
        let parts: Vec<_> = parts.into_iter().map(Some).collect();
        let partition = show_parts(&self.key, &parts);
        let inside = |values: &[_]| show_parts(&self.clustering, values);
        Some(match place {
            Place::Partition if self.clustering.is_empty() => partition + PARTITION,
            Place::Partition => partition,
            Place::Deletion => partition + DELETION,
            Place::Static => partition + STATIC,
            Place::Row(values) if values.is_empty() => partition,
            Place::Row(values) => partition + INSIDE + &inside(&values),
            Place::Bound(values, side) if values.is_empty() => partition + INSIDE + side_name(side),
            Place::Bound(values, side) => {
                partition + INSIDE + side_name(side) + " " + &inside(&values)
            }
        })
    }

    /// A key as JSON: an object of its columns, and what it is where it is no row.
    pub fn key_json(&self, key: &[u8]) -> Option<Value> {
        let (parts, place) = self.decode_key(key)?;
        let mut object = Map::new();
        for (column, part) in self.key.iter().zip(&parts) {
            object.insert(column.name.clone(), column.cql_type.to_json(part));
        }
        let (values, mark) = match place {
            Place::Partition => (Vec::new(), None),
            Place::Deletion => (Vec::new(), Some(("[partition deletion]", json!(true)))),
            Place::Static => (Vec::new(), Some(("[static]", json!(true)))),
            Place::Row(values) => (values, None),
            Place::Bound(values, side) => (values, Some(("[bound]", json!(side_name(side))))),
        };
        for (column, value) in self.clustering.iter().zip(&values) {
            let value = value.as_ref().map(|v| column.cql_type.to_json(v));
            object.insert(column.name.clone(), value.unwrap_or(Value::Null));
        }
        if let Some((name, value)) = mark {
            object.insert(name.into(), value);
        }
        Some(Value::Object(object))
    }

    /// Turns a key as [`CqlSchema::show_key`] prints it back into bytes.
    ///
    /// # Errors
    ///
    /// Usage, where the text is no key of this table.
    pub fn parse_key(&self, text: &str) -> Result<Vec<u8>> {
        if let Some(key) = self.parse_bytes(text)? {
            return Ok(key);
        }
        let (partition, place) = match self.parse_place(text)? {
            (partition, Named::Place(place)) => (partition, place),
            (partition, Named::Start(values)) => (partition, Place::Bound(values, Side::Before)),
        };
        key::encode(
            &partition,
            &place,
            self.partitioner,
            &self.key_type(),
            &self.clustering_types(),
        )
        .ok_or_else(|| self.no_key(text, "it has too many columns"))
    }

    /// The bytes with which every key starts of what `text` names: a partition, the rows that start with clustering values,
    /// the partitions of a token; or else one key.
    ///
    /// # Errors
    ///
    /// Usage, where the text is no key of this table.
    pub fn parse_prefix(&self, text: &str) -> Result<Vec<u8>> {
        if let Some(key) = self.parse_bytes(text)? {
            return Ok(key);
        }
        let (partition, named) = self.parse_place(text)?;
        let mut prefix = Vec::new();
        key::push_partition(&mut prefix, self.partitioner, &self.key_type(), &partition);
        match named {
            Named::Place(Place::Partition) => {}
            Named::Place(Place::Row(values)) | Named::Start(values) => {
                if !values.is_empty() {
                    key::push_clustering_prefix(&mut prefix, &values, &self.clustering_types());
                }
            }
            Named::Place(_) => return self.parse_key(text),
        }
        Ok(prefix)
    }

    /// The key whose text does not name its parts.
    fn parse_bytes(&self, text: &str) -> Result<Option<Vec<u8>>> {
        if text.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if let Some(raw) = text.strip_prefix(RAW) {
            return unescape(raw).map(Some);
        }
        let Some(token) = text.strip_prefix(TOKEN) else {
            return Ok(None);
        };
        match self.partitioner.parse_token(token) {
            Some(token @ (Token::Murmur3(_) | Token::Random(_))) => {
                let mut key = Vec::new();
                self.partitioner.push_ordered(&token, &mut key);
                Ok(Some(key))
            }
            Some(Token::Bytes(_)) => {
                let name = self.partitioner.name();
                Err(self.no_key(text, &format!("keys by {name} have no token before them")))
            }
            None => {
                let name = self.partitioner.name();
                Err(self.no_key(text, &format!("that is no token of {name}")))
            }
        }
    }

    /// The partition's key, and what of it the text names.
    fn parse_place(&self, text: &str) -> Result<(Vec<u8>, Named)> {
        let mut rest = text;
        let mut parts = Vec::new();
        for (at, column) in self.key.iter().enumerate() {
            if at > 0 {
                rest = rest.strip_prefix(',').ok_or_else(|| {
                    let count = self.key.len();
                    self.no_key(text, &format!("the partition key has {count} columns"))
                })?;
            }
            parts.push(self.take_part(text, &mut rest, column, true)?);
        }
        let partition = match parts.as_mut_slice() {
            [only] => only.take(),
            _ => join(&self.key_type(), &parts),
        };
        let partition = partition.ok_or_else(|| {
            self.no_key(text, "a column of a partition key is null, or over 64 KiB")
        })?;
        let named = match rest {
            "" if self.clustering.is_empty() => Named::Place(Place::Row(Vec::new())),
            "" | PARTITION => Named::Place(Place::Partition),
            STATIC => Named::Place(Place::Static),
            DELETION => Named::Place(Place::Deletion),
            _ => match rest.strip_prefix(INSIDE) {
                Some(inside) => self.parse_inside(text, inside)?,
                None => {
                    let count = self.key.len();
                    let why = format!("the partition key has only {}", columns(count));
                    return Err(self.no_key(text, &why));
                }
            },
        };
        Ok((partition, named))
    }

    fn parse_inside(&self, text: &str, inside: &str) -> Result<Named> {
        let side = [Side::Before, Side::Behind].into_iter().find_map(|side| {
            let rest = inside.strip_prefix(side_name(side))?;
            match rest.strip_prefix(' ') {
                None if rest.is_empty() => Some((side, "")),
                rest => Some((side, rest?)),
            }
        });
        let mut rest = match side {
            Some((_, rest)) => rest,
            None => inside,
        };
        let mut values = Vec::new();
        if side.is_none() || !rest.is_empty() {
            for (at, column) in self.clustering.iter().enumerate() {
                match rest.strip_prefix(',') {
                    Some(tail) if at > 0 => rest = tail,
                    None if at > 0 => break,
                    _ => {}
                }
                values.push(self.take_part(text, &mut rest, column, false)?);
            }
        }
        if !rest.is_empty() || (values.is_empty() && side.is_none()) {
            let why = match self.clustering.len() {
                0 => "the table has no clustering columns".to_owned(),
                count => format!("the table has only {}", columns(count)),
            };
            return Err(self.no_key(text, &why));
        }
        Ok(match side {
            Some((side, _)) => Named::Place(Place::Bound(values, side)),
            None if values.len() == self.clustering.len() => Named::Place(Place::Row(values)),
            None => Named::Start(values),
        })
    }

    fn take_part(
        &self,
        text: &str,
        rest: &mut &str,
        column: &CqlColumn,
        is_partition: bool,
    ) -> Result<Option<Vec<u8>>> {
        let part = column.cql_type.take_key_part(rest, is_partition);
        column.cql_type.parse_key_part(part).ok_or_else(|| {
            let (name, cql_type) = (&column.name, column.cql_type.to_cql());
            self.no_key(text, &format!("{part:?} is no {cql_type}, as {name} is"))
        })
    }

    fn no_key(&self, text: &str, why: &str) -> Error {
        let names = |columns: &[CqlColumn]| {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            names.join(",")
        };
        let (partition, clustering) = (names(&self.key), names(&self.clustering));
        let row = match self.clustering.is_empty() {
            true => partition,
            false => {
                format!("{partition}{INSIDE}{clustering} for a row, {partition} for a partition")
            }
        };
        Error::usage(
            format!("{text:?} is no key of this table: {why}"),
            format!(
                "write {row}, or token:N; in a text a comma is \\x2c, a backslash \\\\; \\0x and digits are the bytes of any part"
            ),
        )
    }
}

/// What of a partition a text names.
enum Named {
    /// A place.
    Place(Place),
    /// The rows that start with some clustering values, but not all.
    Start(Vec<Option<Vec<u8>>>),
}

fn columns(count: usize) -> String {
    match count {
        1 => "1 column".into(),
        count => format!("{count} columns"),
    }
}

fn show_parts(columns: &[CqlColumn], values: &[Option<Vec<u8>>]) -> String {
    let shown = columns.iter().zip(values);
    let shown: Vec<_> = shown
        .map(|(column, value)| column.cql_type.show_key_part(value.as_deref()))
        .collect();
    shown.join(",")
}

fn side_name(side: Side) -> &'static str {
    let [before, behind] = SIDES;
    match side {
        Side::Before => before,
        Side::Behind => behind,
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
