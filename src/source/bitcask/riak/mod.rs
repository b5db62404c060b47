//! What Riak keeps in Bitcask, as rows with columns.
//!
//! A key becomes the columns `bucket_type` (`default` where the bucket has no type), `bucket` and `key`. An object
//! becomes these columns; replicas hold the same object if they hold the same in all of them:
//!
//! | column | what |
//! |---|---|
//! | deleted | `true`: the tombstone that a deleted object is for some seconds, or until a node that was away is back |
//! | last_modified | seconds since 1970 and microseconds, by the clock of the node that took the write; it travels with the object, so replicas agree on it |
//! | metadata | links, indexes, content type and so on, and the encoding of a value that is not bytes: a JSON object of Erlang terms |
//! | siblings | how many values there are |
//! | value | the value; the text of one that is an Erlang term |
//! | vclock | the vector clock: JSON, `[[actor, counter, time], ...]`, ascending by actor |
//! | vtag | Riak's hash of the write |
//!
//! Where there is not exactly one sibling, deleted, last_modified, metadata, value and vtag are JSON arrays of what each has, in an order
//! that does not depend on that in the file. Of a value that is no object, the column `value` has its bytes and all others are NULL.
//!
//! **By description only.** The fixtures have keys of this form, but no real file with Riak's objects was at hand: the layouts of
//! `object` and `term` follow Riak's published source and Erlang's documentation, and are tested on objects built after them.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::row::json::bytes_json;
use crate::source::TextOptions;
use crate::source::chosen::Chosen;

pub mod clock;
pub mod key;
mod object;
mod term;

use object::{Object, Sibling, Wrong};

/// The column of the vector clock.
const CLOCK: &str = "vclock";
const COLUMNS: [&str; 7] = [
    "deleted",
    "last_modified",
    "metadata",
    "siblings",
    "value",
    CLOCK,
    "vtag",
];

/// The columns that are asked for.
///
/// # Errors
///
/// Usage, where there is no such column.
pub fn choose(path: &Path, options: &TextOptions) -> Result<Chosen> {
    Chosen::new(path, &key::COLUMNS, &COLUMNS, options)
}

impl Wrong {
    /// The error for the value at `offset` of `path`.
    pub fn error(self, path: &Path, offset: u64, key: &str) -> Error {
        match self {
            Wrong::Damaged(what) => Error::damaged(
                path,
                offset,
                format!("key {key}: {what} (--format bitcask shows values as they are)"),
            ),
            Wrong::Unsupported(what) => Error::unsupported(
                path,
                format!(
                    "the object of key {key} at offset {offset} has {what}, which mdiff does not read"
                ),
                "say --format bitcask to compare values as they are",
            ),
        }
    }
}

/// Appends a value as a row has it.
///
/// # Errors
///
/// Where it starts as an object does, but can't be read.
pub fn push_value(out: &mut Vec<u8>, value: &[u8], chosen: &Chosen) -> Result<(), Wrong> {
    let Some(object) = object::parse(value)? else {
        let none = [None; COLUMNS.len()];
        let fields = none.into_iter().zip(COLUMNS);
        let fields = fields.map(|(none, name)| if name == "value" { Some(value) } else { none });
        chosen.push_value(out, fields);
        return Ok(());
    };
    let columns = columns(&object);
    chosen.push_value(out, columns.iter().map(|column| column.as_deref()));
    Ok(())
}

/// The columns of an object, in their order.
fn columns(object: &Object<'_>) -> [Option<Vec<u8>>; COLUMNS.len()] {
    let of = |show: fn(&Sibling) -> Option<Vec<u8>>| match object.siblings.as_slice() {
        [only] => show(only),
        several => {
            let shown = several.iter().map(|sibling| match show(sibling) {
                Some(bytes) => bytes_json(&bytes),
                None => Value::Null,
            });
            Some(Value::Array(shown.collect()).to_string().into_bytes())
        }
    };
    let ticks = object.clock.iter().map(|tick| {
        let actor = match &tick.actor {
            term::Term::Binary(bytes) => bytes_json(bytes),
            other => json!({ "term": other.show() }),
        };
        json!([actor, tick.counter, tick.time])
    });
    [
        of(|sibling| Some(sibling.is_deleted.to_string().into_bytes())),
        of(|sibling| {
            let (seconds, micros) = sibling.last_modified?;
            Some(format!("{seconds}.{micros:06}").into_bytes())
        }),
        of(|sibling| Some(metadata(sibling).to_string().into_bytes())),
        Some(object.siblings.len().to_string().into_bytes()),
        of(|sibling| Some(sibling.value.clone())),
        Some(Value::Array(ticks.collect()).to_string().into_bytes()),
        of(|sibling| sibling.vtag.clone()),
    ]
}

fn metadata(sibling: &Sibling) -> Value {
    let mut object: Map<String, Value> = sibling
        .metadata
        .iter()
        .map(|(key, value)| (key.clone(), value.clone().into()))
        .collect();
    // No term is shown as a plain word, so this is nobody's key.
    if let Some(encoding) = sibling.encoding {
        object.insert("encoding".into(), encoding.into());
    }
    object.into()
}

#[cfg(test)]
mod tests;
