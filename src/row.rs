//! Rows, streams of rows, and how rows are shown.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::error::{Error, Result};

pub mod ahead;
pub mod columns;
pub mod cql;
pub mod decimal;
pub mod fields;
pub mod json;
pub mod json_text;
pub mod scalar;
pub mod sql;
pub mod wide;

/// One row, lent by the source that read it: two byte strings. Keys are unique in a table and ascend by memcmp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The key as the source encodes it.
    pub key: &'a [u8],
    /// The value as the source encodes it.
    pub value: &'a [u8],
}

impl<'a> Row<'a> {
    /// The row of a table without a key ([`Schema::Bag`]) that holds these columns once.
    pub fn counted(columns: &'a [u8]) -> Row<'a> {
        Row {
            key: columns,
            value: ONCE,
        }
    }
}

impl Row<'_> {
    /// Bytes of key and value.
    pub fn len_bytes(&self) -> u64 {
        self.key.len() as u64 + self.value.len() as u64
    }
}

/// Rows of one key range in strictly ascending order of their keys. The source checks the order.
pub trait RowStream: Send {
    /// Returns the next row, or `None` behind the last one.
    ///
    /// # Errors
    ///
    /// An error with [`Error::unreadable_keys`] leaves the stream usable: the next call goes on behind these keys. Any
    /// other error ends it.
    fn next(&mut self) -> Result<Option<Row<'_>>>;

    /// Hands every remaining row to `visit`; stops at the first error of either. What holds for an error of
    /// [`RowStream::next`] holds here: after one with unreadable keys, a second call goes on behind them.
    ///
    /// # Errors
    ///
    /// Those of [`RowStream::next`] and of `visit`.
    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while let Some(row) = self.next()? {
            visit(row)?;
        }
        Ok(())
    }
}

/// How keys and values of a table are shown; part of the table's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Schema {
    /// Opaque byte strings.
    Bytes,
    /// Named columns, encoded as [`columns`] says. Value columns are in ascending order of their names, so that the order
    /// of columns in a file does not matter.
    Columns {
        /// Names of the key's columns, in the order of comparison.
        key: Vec<String>,
        /// Names of the value's columns, ascending.
        value: Vec<String>,
        /// What SQL calls the table, where it is one of a database.
        sql: Option<Box<sql::SqlTable>>,
    },
    /// Rows of a CQL table.
    Cql(Box<cql::CqlSchema>),
    /// Rows without fixed columns: the key's are encoded as [`columns`] says, the value holds its fields with their names, as
    /// [`wide::read_fields`] reads them; each field is bytes as [`scalar`] says.
    Document {
        /// Names of the key's columns, in the order of comparison.
        key: Vec<String>,
    },
    /// Rows of a table without a key, which may hold a row more than once: the key is a whole row, its columns encoded as a value's
    /// ([`columns`]), and the value is how often the table holds it, in decimal digits.
    Bag {
        /// Names of the columns, ascending.
        columns: Vec<String>,
        /// What SQL calls the table; its key's types are those of the columns.
        sql: Box<sql::SqlTable>,
    },
}

/// The value of a row that a table without a key ([`Schema::Bag`]) holds once.
pub const ONCE: &[u8] = b"1";

/// What the value of such a table is called.
pub const COPIES: &str = "copies";

/// NULL in a column of the key of such a table.
const NULL_IN_KEY: &str = "\\null";

impl Schema {
    /// Returns the key as a person reads it: printable UTF-8 as it is, all else escaped; the columns of a key joined by commas.
    pub fn show_key(&self, key: &[u8]) -> String {
        match self {
            Schema::Cql(cql) => cql.show_key(key),
            Schema::Columns { key: names, .. } | Schema::Document { key: names }
                if names.len() > 1 =>
            {
                match columns::decode_key(key, names.len()) {
                    Some(fields) => {
                        let mut out = String::new();
                        for (i, field) in fields.iter().enumerate() {
                            if i > 0 {
                                out.push(',');
                            }
                            out.push_str(&self.show_key_column(field).replace(',', "\\x2c"));
                        }
                        out
                    }
                    // A boundary need not be a whole key.
                    None => format!("\\raw:{}", escape(key)),
                }
            }
            Schema::Bag { columns, .. } => match columns::decode_value(key, columns.len()) {
                Some(fields) => {
                    let show = |field: &Option<&[u8]>| match field {
                        None => NULL_IN_KEY.to_owned(),
                        Some(field) => escape(field).replace(',', "\\x2c"),
                    };
                    fields.iter().map(show).collect::<Vec<_>>().join(",")
                }
                None => format!("\\raw:{}", escape(key)),
            },
            _ => self.show_key_column(key),
        }
    }

    fn show_key_column(&self, field: &[u8]) -> String {
        match self {
            Schema::Document { .. } => scalar::show_in_key(field),
            _ => escape(field).into_owned(),
        }
    }

    fn parse_key_column(&self, text: &str) -> Result<Vec<u8>> {
        match self {
            Schema::Document { .. } => scalar::parse_in_key(text),
            _ => unescape(text),
        }
    }

    /// Returns the value as a person reads it: escaped, or its columns as `name="text"`, NULL without quotes.
    pub fn show_value(&self, value: &[u8]) -> String {
        match fields::fields(self, value) {
            Some(fields) => fields
                .iter()
                .map(|(name, field)| {
                    format!(
                        "{}={}",
                        fields::show_name(name),
                        self.show_field(name, *field)
                    )
                })
                .collect::<Vec<_>>()
                .join(" "),
            None => escape(value).into_owned(),
        }
    }

    /// A field of a value as a person reads it: see [`show_field`]; of a CQL column or a document, JSON.
    pub fn show_field(&self, name: &[u8], field: Option<&[u8]>) -> String {
        match (self, field) {
            (Schema::Cql(_), None) => "none".into(),
            (Schema::Cql(cql), Some(field)) => cql.field_json(name, field).to_string(),
            (Schema::Document { .. }, None) => "none".into(),
            (Schema::Document { .. }, Some(field)) => scalar::show(field),
            _ => show_field(field),
        }
    }

    /// Turns a key as [`Schema::show_key`] prints it back into bytes.
    ///
    /// # Errors
    ///
    /// A usage error where an escape is malformed or the number of columns is wrong.
    pub fn parse_key(&self, text: &str) -> Result<Vec<u8>> {
        match self {
            Schema::Cql(cql) => cql.parse_key(text),
            Schema::Columns { key: names, .. } | Schema::Document { key: names }
                if names.len() > 1 =>
            {
                if let Some(raw) = text.strip_prefix("\\raw:") {
                    return unescape(raw);
                }
                let fields: Vec<Vec<u8>> = text
                    .split(',')
                    .map(|field| self.parse_key_column(field))
                    .collect::<Result<_>>()?;
                check_columns(text, fields.len(), names.len())?;
                let mut key = Vec::new();
                for field in &fields {
                    columns::push_key_column(&mut key, field);
                }
                Ok(key)
            }
            Schema::Bag { columns, .. } => {
                if let Some(raw) = text.strip_prefix("\\raw:") {
                    return unescape(raw);
                }
                check_columns(text, text.split(',').count(), columns.len())?;
                let mut key = Vec::new();
                for field in text.split(',') {
                    match field {
                        NULL_IN_KEY => columns::push_value_column(&mut key, None),
                        _ => columns::push_value_column(&mut key, Some(&unescape(field)?)),
                    }
                }
                Ok(key)
            }
            _ => self.parse_key_column(text),
        }
    }
}

fn check_columns(text: &str, columns: usize, most: usize) -> Result<()> {
    if columns <= most {
        return Ok(());
    }
    Err(Error::usage(
        format!("key {text:?} has {columns} columns, the table's keys have {most}"),
        "separate the columns of a key by commas; write a comma inside a column as \\x2c",
    ))
}

/// Refuses two schemas whose rows can't be compared.
///
/// # Errors
///
/// Usage, naming the columns that only one side has.
pub fn check_same_schema(left: &Schema, right: &Schema) -> Result<()> {
    if left == right {
        return Ok(());
    }
    if let (Schema::Cql(left), Schema::Cql(right)) = (left, right) {
        return cql::check_same(left, right);
    }
    if let (Schema::Document { key: left }, Schema::Document { key: right }) = (left, right) {
        return Err(other_key(left, right));
    }
    if let (Schema::Document { .. }, Schema::Columns { .. })
    | (Schema::Columns { .. }, Schema::Document { .. }) = (left, right)
    {
        return Err(Error::usage(
            "one side has fixed columns, the other documents with fields of their own; their rows can't be compared",
            "name the columns to compare with --columns: documents are then read as rows of these",
        ));
    }
    match (left, right) {
        (Schema::Bag { columns: left, .. }, Schema::Bag { columns: right, .. }) => {
            return match left == right {
                true => Ok(()),
                false => Err(other_columns(left, right)),
            };
        }
        (Schema::Bag { .. }, _) | (_, Schema::Bag { .. }) => {
            return Err(Error::usage(
                "the table has a key on one side and none on the other, where whole rows are counted",
                "name the same key columns for both with --key",
            ));
        }
        _ => {}
    }
    let (
        Schema::Columns {
            key: lk, value: lv, ..
        },
        Schema::Columns {
            key: rk, value: rv, ..
        },
    ) = (left, right)
    else {
        return Err(Error::usage(
            "one side has named columns, the other opaque bytes; their rows can't be compared",
            "convert one of them to the other's format first",
        ));
    };
    if lk == rk && lv == rv {
        return Ok(());
    }
    if lk != rk {
        return Err(other_key(lk, rk));
    }
    Err(other_columns(lv, rv))
}

fn other_columns(left: &[String], right: &[String]) -> Error {
    let missing = |from: &[String], other: &[String]| {
        other
            .iter()
            .filter(|name| !from.contains(name))
            .cloned()
            .collect::<Vec<_>>()
            .join(",")
    };
    let sides = [
        ("left", missing(right, left)),
        ("right", missing(left, right)),
    ];
    let text: Vec<String> = sides
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(side, names)| format!("only {side}: {names}"))
        .collect();
    Error::usage(
        format!("the columns differ ({})", text.join("; ")),
        "compare the columns both have with --columns or --ignore-columns",
    )
}

fn other_key(left: &[String], right: &[String]) -> Error {
    Error::usage(
        format!(
            "the key columns differ: {} on the left, {} on the right",
            left.join(","),
            right.join(",")
        ),
        "name the same key columns for both with --key",
    )
}

/// A column's text: quoted where it could be taken for something else, NULL without quotes.
pub fn show_field(field: Option<&[u8]>) -> String {
    match field {
        None => "NULL".into(),
        Some(field) => format!("\"{}\"", escape(field).replace('"', "\\x22")),
    }
}

/// Escapes bytes for a person: printable UTF-8 as it is, a backslash as `\\`, each other byte as `\xNN`.
///
/// [`unescape`] gives the same bytes back.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(is_plain)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_plain(c) {
                out.push(c);
            } else if c == '\\' {
                out.push_str("\\\\");
            } else {
                let mut utf8 = [0; 4];
                push_hex(&mut out, c.encode_utf8(&mut utf8).as_bytes());
            }
        }
        push_hex(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// Whether a character can be printed without confusing a terminal or a reader.
fn is_plain(c: char) -> bool {
    !(c.is_control()
        || c == '\\'
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'))
}

/// Turns text as [`escape`] prints it back into bytes.
///
/// # Errors
///
/// A usage error naming the malformed escape.
pub fn unescape(text: &str) -> Result<Vec<u8>> {
    let bad = |what: &str| {
        Error::usage(
            format!("key {text:?}: {what}"),
            "write a byte as \\xNN (two hexadecimal digits) and a backslash as \\\\",
        )
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'\\') => out.push(b'\\'),
            Some(b'x') => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                match (digit(bytes.next()), digit(bytes.next())) {
                    (Some(high), Some(low)) => out.push((high * 16 + low) as u8),
                    _ => return Err(bad("\\x wants two hexadecimal digits")),
                }
            }
            _ => return Err(bad("unknown escape")),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_could_misread_and_parses_back() {
        for (bytes, text) in [
            (&b"plain key"[..], "plain key"),
            ("schl\u{fc}ssel".as_bytes(), "schl\u{fc}ssel"),
            (b"", ""),
            (b"a\x1b[31mb", "a\\x1b[31mb"),
            (b"\xff\x00", "\\xff\\x00"),
            (b"back\\slash", "back\\\\slash"),
            ("\u{202e}rtl".as_bytes(), "\\xe2\\x80\\xaertl"),
        ] {
            assert_eq!(escape(bytes), text);
            assert_eq!(unescape(text).unwrap(), bytes);
        }
        assert!(unescape("\\x4").is_err());
        assert!(unescape("\\n").is_err());
    }

    #[test]
    fn keys_of_several_columns_show_and_parse_back() {
        let bag = Schema::Bag {
            columns: vec!["a".into(), "b".into()],
            sql: Box::new(sql::SqlTable {
                dialect: sql::Dialect::Postgres,
                name: vec!["t".into()],
                key_types: vec![String::new(); 2],
                value_types: Vec::new(),
            }),
        };
        let texts = [
            None,
            Some(&b""[..]),
            Some(b"x,y"),
            Some(b"\\null"),
            Some(b"\0"),
        ];
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (one, other))) {
            let mut key = Vec::new();
            columns::push_value_column(&mut key, *one);
            columns::push_value_column(&mut key, other);
            let shown = bag.show_key(&key);
            assert_eq!(bag.parse_key(&shown).unwrap(), key, "{shown}");
        }
        assert_eq!(bag.parse_key(&bag.show_key(b"\x05x")).unwrap(), b"\x05x");
        assert!(bag.parse_key("a,b,c").is_err());
        let schema = Schema::Columns {
            key: vec!["tenant".into(), "id".into()],
            value: vec![],
            sql: None,
        };
        let mut key = Vec::new();
        columns::push_key_column(&mut key, b"a,b");
        columns::push_key_column(&mut key, b"\x007");
        let text = schema.show_key(&key);
        assert_eq!(text, "a\\x2cb,\\x007");
        assert_eq!(schema.parse_key(&text).unwrap(), key);
    }
}
