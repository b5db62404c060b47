//! Riak's keys: bucket type, bucket and key in one.
//!
//! ```text
//! 0x02, bucket size u16, bucket, key
//! 0x03, type size u16, type, bucket size u16, bucket, key
//! 131 ...                an Erlang term {Bucket, Key} or {{Type, Bucket}, Key}, before Riak 2.0
//! ```
//!
//! The form changes with Riak's version, not with the row: both forms of one key are the same row, as for Riak.

use std::borrow::Cow;

use super::term::{self, Term};
use crate::file::cursor::Cursor;
use crate::row::columns::push_key_column;

/// The columns of a key.
pub const COLUMNS: [&str; 3] = ["bucket_type", "bucket", "key"];
/// The type of buckets that have none.
const DEFAULT_TYPE: &[u8] = b"default";
const UNTYPED: u8 = 2;
const TYPED: u8 = 3;

/// A key of Riak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    bucket_type: Cow<'a, [u8]>,
    bucket: Cow<'a, [u8]>,
    key: Cow<'a, [u8]>,
}

impl Key<'_> {
    /// Appends it as the key of a row.
    pub fn push(&self, out: &mut Vec<u8>) {
        for column in [&self.bucket_type, &self.bucket, &self.key] {
            push_key_column(out, column);
        }
    }
}

/// Reads a key; `None` where it is not of Riak's form.
pub fn parse(bytes: &[u8]) -> Option<Key<'_>> {
    let mut cursor = Cursor::new(bytes);
    let sized = |cursor: &mut Cursor<'_>| {
        let len = u16::from_be_bytes(cursor.array()?);
        let position = cursor.position();
        cursor.take(len.into())?;
        bytes.get(position..cursor.position())
    };
    let (bucket_type, bucket) = match cursor.u8()? {
        UNTYPED => (DEFAULT_TYPE, sized(&mut cursor)?),
        // Riak gives the default type no name, so that one row has one key.
        TYPED => (
            sized(&mut cursor).filter(|name| *name != DEFAULT_TYPE)?,
            sized(&mut cursor)?,
        ),
        term::VERSION => return of_term(&term::decode(bytes).ok()?),
        _ => return None,
    };
    Some(Key {
        bucket_type: Cow::Borrowed(bucket_type),
        bucket: Cow::Borrowed(bucket),
        key: Cow::Borrowed(bytes.get(cursor.position()..)?),
    })
}

fn of_term<'a>(term: &Term<'a>) -> Option<Key<'a>> {
    let owned = |bytes: &[u8]| Cow::Owned(bytes.to_vec());
    let Term::Tuple(items) = term else {
        return None;
    };
    let [bucket, Term::Binary(key)] = items.as_slice() else {
        return None;
    };
    let (bucket_type, bucket) = match bucket {
        Term::Binary(bucket) => (DEFAULT_TYPE, *bucket),
        Term::Tuple(items) => match items.as_slice() {
            [Term::Binary(of_type), Term::Binary(bucket)] => (*of_type, *bucket),
            _ => return None,
        },
        _ => return None,
    };
    Some(Key {
        bucket_type: owned(bucket_type),
        bucket: owned(bucket),
        key: owned(key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Option<[Vec<u8>; 3]> {
        let key = parse(bytes)?;
        Some([key.bucket_type, key.bucket, key.key].map(Cow::into_owned))
    }

    fn parts(of_type: &str, bucket: &str, key: &str) -> Option<[Vec<u8>; 3]> {
        Some([of_type, bucket, key].map(|text| text.as_bytes().to_vec()))
    }

    #[test]
    fn every_form_of_a_key_is_read() {
        assert_eq!(key(b"\x02\0\x01bk"), parts("default", "b", "k"));
        assert_eq!(key(b"\x03\0\x01t\0\x02bbk"), parts("t", "bb", "k"));
        // term_to_binary({<<"b">>, <<"k">>}), term_to_binary({{<<"t">>, <<"b">>}, <<"k">>})
        assert_eq!(
            key(b"\x83h\x02m\0\0\0\x01bm\0\0\0\x01k"),
            parts("default", "b", "k")
        );
        assert_eq!(
            key(b"\x83h\x02h\x02m\0\0\0\x01tm\0\0\0\x01bm\0\0\0\x01k"),
            parts("t", "b", "k")
        );
        assert_eq!(key(b"\x02\0\0"), parts("default", "", ""));
    }

    #[test]
    fn what_has_another_form_is_no_key_of_riak() {
        for bytes in [
            &b""[..],
            b"user/1",
            b"\x02\0\x05bk",
            b"\x03\0\x01t\0\x05b",
            b"\x03\0\x07default\0\x01bk",
            b"\x83h\x02m\0\0\0\x01b",
            b"\x83h\x01m\0\0\0\x01b",
        ] {
            assert_eq!(key(bytes), None, "{bytes:?}");
        }
    }
}
