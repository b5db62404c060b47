//! Wide-column entities: values of the type 22 (0x16), as RocksDB has them since 7.4.
//!
//! ```text
//! varint32 version (1) | varint32 columns | per column: varint32 length, name, varint32 value length | all values
//! ```
//!
//! Names ascend strictly. The layout is RocksDB's `db/wide/wide_column_serialization.h`. mdiff holds an entity as
//! [`crate::row::wide`] describes: one whose only column is the default one (of the empty name) is the same row as a plain
//! put of that column's value, since RocksDB's `Get` can't tell the two apart.

use std::path::Path;

use crate::error::Error;
use crate::file::cursor::{Cursor, push_length_prefixed, push_varint};
use crate::row::{escape, wide};

/// The only version there is up to RocksDB 9.8.
const VERSION: u32 = 1;

/// Why a value can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEntity {
    /// The entity contradicts itself.
    Malformed(&'static str),
    /// An entity of an unknown version.
    Version(u32),
    /// A plain value that looks like mdiff's own form of columns.
    Ambiguous,
}

impl BadEntity {
    /// The error for the value of `key`, found in `path` at `offset` (or in the block or record that begins there).
    pub fn at(self, path: &Path, offset: u64, key: &[u8]) -> Error {
        let key = escape(key);
        match self {
            BadEntity::Malformed(what) => {
                Error::damaged(path, offset, format!("the entity of key {key}: {what}"))
            }
            BadEntity::Version(version) => Error::unsupported(
                path,
                format!("key {key} holds a wide-column entity of version {version}"),
                "mdiff reads version 1: open the database with its own software and export it from there",
            ),
            BadEntity::Ambiguous => Error::unsupported(
                path,
                format!("the plain value of key {key} looks like mdiff's own form of wide columns"),
                "it can't be told from an entity with these columns: leave this key out with --to and --from",
            ),
        }
    }
}

/// Appends the value of a row that is an entity.
///
/// # Errors
///
/// Malformed; Version.
pub fn push_value(entity: &[u8], value: &mut Vec<u8>) -> Result<(), BadEntity> {
    wide::push(value, Columns::read(entity)?);
    Ok(())
}

/// Appends RocksDB's form of a value with columns; false, and nothing appended, where `value` is a plain one.
pub fn push_entity(value: &[u8], entity: &mut Vec<u8>) -> bool {
    let Some(columns) = wide::read(value) else {
        return false;
    };
    push_varint(entity, VERSION.into());
    push_varint(entity, columns.clone().count() as u64);
    for (name, field) in columns.clone() {
        push_length_prefixed(entity, name);
        push_varint(entity, field.len() as u64);
    }
    for (_, field) in columns {
        entity.extend_from_slice(field);
    }
    true
}

/// Refuses a plain value that could not be told from columns.
///
/// # Errors
///
/// Ambiguous.
#[inline]
pub fn check_plain(value: &[u8]) -> Result<(), BadEntity> {
    match wide::read(value) {
        None => Ok(()),
        Some(_) => Err(BadEntity::Ambiguous),
    }
}

/// The columns of an entity that was checked whole.
#[derive(Clone)]
struct Columns<'a> {
    /// Before the next name.
    index: Cursor<'a>,
    /// Before the next value.
    values: Cursor<'a>,
    left: u32,
}

impl<'a> Columns<'a> {
    fn read(entity: &'a [u8]) -> Result<Columns<'a>, BadEntity> {
        const CUT: BadEntity = BadEntity::Malformed("it is cut short");
        let mut cursor = Cursor::new(entity);
        let version = cursor.varint32().ok_or(CUT)?;
        if version != VERSION {
            return Err(BadEntity::Version(version));
        }
        let left = cursor.varint32().ok_or(CUT)?;
        let index = cursor.clone();
        let mut previous: Option<&[u8]> = None;
        let mut values_len = 0u64;
        for _ in 0..left {
            let (name, len) = index_entry(&mut cursor).ok_or(CUT)?;
            if previous.is_some_and(|previous| previous >= name) {
                return Err(BadEntity::Malformed("its columns are out of order"));
            }
            previous = Some(name);
            values_len += u64::from(len);
        }
        if values_len != cursor.rest().len() as u64 {
            return Err(BadEntity::Malformed(
                "its values are not as long as it says",
            ));
        }
        Ok(Columns {
            index,
            values: cursor,
            left,
        })
    }
}

/// Reads a column's name and the length of its value.
fn index_entry<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a [u8], u32)> {
    let len = cursor.varint32()?;
    let name = cursor.take(len.into())?;
    Some((name, cursor.varint32()?))
}

impl<'a> Iterator for Columns<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.left = self.left.checked_sub(1)?;
        let (name, len) = index_entry(&mut self.index)?;
        Some((name, self.values.take(len.into())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(entity: &[u8]) -> Result<Vec<u8>, BadEntity> {
        let mut value = Vec::new();
        push_value(entity, &mut value)?;
        Ok(value)
    }

    /// What RocksDB 9.8.4 stored for the columns "" = "0", "b" = "22".
    const ENTITY: &[u8] = b"\x01\x02\x00\x01\x01b\x02022";

    #[test]
    fn an_entity_becomes_a_value_and_back() {
        let row = value(ENTITY).unwrap();
        let columns: Vec<_> = wide::read(&row).unwrap().collect();
        assert_eq!(columns, [(&b""[..], &b"0"[..]), (b"b", b"22")]);
        let mut back = Vec::new();
        assert!(push_entity(&row, &mut back));
        assert_eq!(back, ENTITY);
        let none = value(b"\x01\x00").unwrap();
        assert_eq!(wide::read(&none).unwrap().count(), 0);
        back.clear();
        assert!(push_entity(&none, &mut back));
        assert_eq!(back, b"\x01\x00");
    }

    #[test]
    fn the_default_column_alone_is_a_plain_value() {
        assert_eq!(value(b"\x01\x01\x00\x03abc").unwrap(), b"abc");
        assert!(!push_entity(b"abc", &mut Vec::new()));
        assert_eq!(check_plain(b"abc"), Ok(()));
        assert_eq!(check_plain(&wide::MARKER), Ok(()));
        let row = value(ENTITY).unwrap();
        assert_eq!(check_plain(&row), Err(BadEntity::Ambiguous));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert_eq!(value(b"\x02\x00"), Err(BadEntity::Version(2)));
        let error = BadEntity::Version(2).at(Path::new("a.sst"), 7, b"k\xff");
        assert!(error.to_string().contains("version 2"), "{error}");
        for bytes in [
            &b"\x01\x02\x01b\x00\x01a\x00"[..],
            b"\x01\x02\x01b\x00\x01b\x00",
            b"\x01\x01\x01b\x01",
            b"\x01\x01\x01b\x01vv",
            b"\x01\xff\xff\xff\xff\x0f",
        ] {
            assert!(
                matches!(value(bytes), Err(BadEntity::Malformed(_))),
                "{bytes:?}"
            );
        }
        for len in 0..ENTITY.len() {
            assert!(value(&ENTITY[..len]).is_err(), "{len}");
        }
    }
}
