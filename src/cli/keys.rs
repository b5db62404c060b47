//! Keys as the command line and its files give them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::row::Schema;

/// The keys that stand in the lines of `text`, ascending; `path` is where they were read.
///
/// # Errors
///
/// Usage, with the line.
pub fn parse_keys(path: &Path, text: &str, schema: &Schema) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    for (i, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let key = schema.parse_key(line).map_err(|e| {
            Error::usage(
                format!("{}: line {}: {e}", path.display(), i + 1),
                e.hint().unwrap_or_default(),
            )
        })?;
        keys.push(key);
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Bytes from hexadecimal digits.
///
/// # Errors
///
/// Usage.
pub fn parse_hex(text: &str) -> Result<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => Ok(digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()),
        _ => Err(Error::usage(
            format!("{text:?} is not hexadecimal: two digits a byte"),
            "",
        )),
    }
}

/// The bytes with which every key starts that is printed with `text` at its front; of a CQL table, of the partition or the
/// clustering values that `text` names.
///
/// # Errors
///
/// Usage, where it is no start of a key.
pub fn parse_prefix(schema: &Schema, text: &str) -> Result<Vec<u8>> {
    if let Schema::Cql(cql) = schema {
        return cql.parse_prefix(text);
    }
    let mut key = schema.parse_key(text)?;
    if let Schema::Columns { key: names, .. } | Schema::Document { key: names } = schema
        && names.len() > 1
        && !text.starts_with("\\raw:")
    {
        // The last column given is the start of a column: take its end mark away. See row::columns.
        key.truncate(key.len().saturating_sub(2));
    }
    Ok(key)
}
