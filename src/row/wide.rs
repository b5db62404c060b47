//! Rows with columns of their own: values of a table of opaque bytes that are sets of named columns (RocksDB's
//! wide-column entities).
//!
//! A value whose only column is the one with the empty name is that column's bytes, as they are: a plain put of the same
//! bytes is the same row. Every other set of columns, the empty one too, is
//!
//! ```text
//! marker (16 bytes) | varint32 columns | per column: varint32 length, name, varint32 length, value
//! ```
//!
//! with strictly ascending names and varints as short as they can be, so that equal rows are equal bytes. The marker was
//! drawn at random; a source that finds a plain value of this shape by accident refuses it, for it could not be told from
//! columns.

use crate::file::cursor::{Cursor, push_varint};

/// The first bytes of a value with columns. They are no UTF-8.
pub const MARKER: [u8; 16] = [
    0xfb, 0x63, 0x5e, 0x9d, 0xa0, 0x43, 0xb5, 0x31, 0x49, 0x34, 0x64, 0x77, 0xf7, 0xe7, 0xda, 0x09,
];

/// The columns of one value, ascending by name: pairs of name and value.
#[derive(Debug, Clone)]
pub struct WideColumns<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

/// Splits a value into its columns; `None` where it has none (any plain value).
#[inline]
pub fn read(value: &[u8]) -> Option<WideColumns<'_>> {
    let columns = read_fields(value.strip_prefix(&MARKER)?)?;
    let mut first_two = columns.clone();
    let is_plain = matches!((first_two.next(), first_two.next()), (Some((b"", _)), None));
    (!is_plain).then_some(columns)
}

/// Splits a value that is columns in every case and has no marker, as documents have them; `None` where it is not so encoded.
#[inline]
pub fn read_fields(bytes: &[u8]) -> Option<WideColumns<'_>> {
    let mut cursor = Cursor::new(bytes);
    let columns = WideColumns {
        left: short_varint(&mut cursor)?,
        cursor,
    };
    // Read once to the end: whoever iterates later meets no surprise.
    let mut rest = columns.clone();
    let mut previous: Option<&[u8]> = None;
    while rest.left > 0 {
        let (name, _) = rest.column()?;
        if previous.is_some_and(|previous| previous >= name) {
            return None;
        }
        previous = Some(name);
    }
    rest.cursor.is_empty().then_some(columns)
}

/// Reads a varint32 that could not be shorter.
fn short_varint(cursor: &mut Cursor<'_>) -> Option<u32> {
    let before = cursor.position();
    let number = cursor.varint32()?;
    let bytes = cursor.position() - before;
    (bytes == 1 || u64::from(number) >> (7 * (bytes - 1)) > 0).then_some(number)
}

impl<'a> WideColumns<'a> {
    fn column(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let len = short_varint(&mut self.cursor)?;
        let name = self.cursor.take(len.into())?;
        let len = short_varint(&mut self.cursor)?;
        let value = self.cursor.take(len.into())?;
        self.left = self.left.checked_sub(1)?;
        Some((name, value))
    }
}

impl<'a> Iterator for WideColumns<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        if self.left == 0 {
            return None;
        }
        self.column()
    }
}

/// Appends the value that holds `columns`: pairs of name and value, strictly ascending by name, each shorter than 4 GiB.
pub fn push<'a>(value: &mut Vec<u8>, columns: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) {
    let mut first_two = columns.clone();
    if let (Some((b"", only)), None) = (first_two.next(), first_two.next()) {
        value.extend_from_slice(only);
        return;
    }
    value.extend_from_slice(&MARKER);
    push_fields(value, columns);
}

/// Appends columns without a marker, for [`read_fields`]; they are as [`push`] wants them.
pub fn push_fields<'a>(
    value: &mut Vec<u8>,
    columns: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
) {
    push_varint(value, columns.clone().count() as u64);
    for (name, field) in columns {
        push_varint(value, name.len() as u64);
        value.extend_from_slice(name);
        push_varint(value, field.len() as u64);
        value.extend_from_slice(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pushed(columns: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut value = Vec::new();
        push(&mut value, columns.iter().copied());
        value
    }

    /// A value of these bytes behind the marker.
    fn marked(bytes: &[u8]) -> Vec<u8> {
        [&MARKER[..], bytes].concat()
    }

    #[test]
    fn the_layout_is_as_documented() {
        assert_eq!(pushed(&[(b"", b"v")]), b"v");
        assert_eq!(pushed(&[]), marked(b"\0"));
        assert_eq!(pushed(&[(b"a", b"")]), marked(b"\x01\x01a\x00"));
        assert_eq!(
            pushed(&[(b"", b"v"), (b"name", &[7; 200])]),
            marked(&[b"\x02\x00\x01v\x04name\xc8\x01", &[7u8; 200][..]].concat())
        );
    }

    #[test]
    fn only_canonical_values_have_columns() {
        let plain: [&[u8]; 12] = [
            b"",
            b"\x01\x00\x01v",
            b"\x01\x01a",
            b"\x01\x01a\x00x",
            b"\x02\x01a\x00",
            b"\x02\x01b\x00\x01a\x00",
            b"\x02\x01a\x00\x01a\x00",
            b"\x81\x00\x01a\x00",
            b"\x01\x81\x00a\x00",
            b"\x01\x01a\x80\x00",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
            b"\xff\xff\xff\xff\x0f",
        ];
        for bytes in plain {
            assert!(read(&marked(bytes)).is_none(), "{bytes:?}");
        }
        assert!(read(b"").is_none());
        assert!(read(&MARKER[..15]).is_none());
        assert!(read(&marked(b"\x01\x01a\x00")).is_some());
        assert_eq!(read(&marked(b"\x00")).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn columns_are_read_as_they_were_pushed(columns in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 0..4),
            prop::collection::vec(any::<u8>(), 0..300),
            0..6,
        )) {
            let pairs: Vec<(&[u8], &[u8])> = columns.iter().map(|(n, v)| (&n[..], &v[..])).collect();
            let value = pushed(&pairs);
            match read(&value) {
                Some(found) => prop_assert_eq!(found.collect::<Vec<_>>(), pairs),
                None => prop_assert!(pairs.len() == 1 && pairs[0].0.is_empty() && pairs[0].1 == value),
            }
        }

        #[test]
        fn no_bytes_have_two_meanings(bytes in prop::collection::vec(0u8..4, 0..12)) {
            let value = marked(&bytes);
            if let Some(columns) = read(&value) {
                prop_assert_eq!(pushed(&columns.collect::<Vec<_>>()), value);
            }
        }
    }
}
