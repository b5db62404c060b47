//! Sizes as the command line takes them, and `--cap`.

use crate::limits::Limits;

/// One `--cap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// Name of the limit.
    pub name: String,
    /// Its new value.
    pub value: u64,
}

/// The names that `--cap` takes.
pub(super) const CAPS: [&str; 7] = [
    "key-bytes",
    "value-bytes",
    "block-bytes",
    "record-bytes",
    "columns",
    "expansion",
    "depth",
];

/// A cap from `NAME=SIZE`.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse_cap(text: &str) -> Result<Cap, String> {
    let (name, value) = text.split_once('=').ok_or("a cap is NAME=SIZE")?;
    let value = parse_size(value)?;
    if !Limits::default().set(name, value) {
        return Err(format!(
            "there is no cap {name:?}; caps are {}",
            CAPS.join(", ")
        ));
    }
    Ok(Cap {
        name: name.to_owned(),
        value,
    })
}

/// Bytes from `65536`, `64K`, `64KiB`, `1g`: K, M, G and T are powers of 1024.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_| "a size is a whole number, with K, M, G or T behind it or not")?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(format!("unknown unit {unit:?}; units are K, M, G, T")),
    };
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "the size does not fit 64 bits".into())
}
