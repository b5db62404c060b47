//! The encoding of named columns as keys and values: canonical, so that equal rows are equal bytes.
//!
//! **Key of one column**: the column's bytes as they are.
//!
//! **Key of several columns**: each column with `00` replaced by `00 ff`, followed by `00 01`; so memcmp compares column by
//! column, a shorter column before a longer one that starts with it, and no two tuples share an encoding.
//!
//! **Value**: for each column in ascending order of its name, a varint of its length plus one, then its bytes; the varint
//! 0 alone is NULL.

use crate::file::cursor::push_varint;

/// Appends one column to a key of several columns.
pub fn push_key_column(key: &mut Vec<u8>, field: &[u8]) {
    let mut rest = field;
    while let Some(at) = memchr::memchr(0, rest) {
        let (plain, behind) = rest.split_at(at + 1);
        key.extend_from_slice(plain);
        key.push(0xff);
        rest = behind;
    }
    key.extend_from_slice(rest);
    key.extend_from_slice(&[0, 1]);
}

/// Splits a key of `count` columns; `None` where it is not such a key (a key of one column is always one).
pub fn decode_key(key: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    if count == 1 {
        return Some(vec![key.to_vec()]);
    }
    let mut fields = Vec::with_capacity(count);
    let mut field = Vec::new();
    let mut bytes = key.iter();
    while let Some(&byte) = bytes.next() {
        if byte != 0 {
            field.push(byte);
            continue;
        }
        match bytes.next()? {
            0xff => field.push(0),
            1 => fields.push(std::mem::take(&mut field)),
            _ => return None,
        }
    }
    (field.is_empty() && fields.len() == count).then_some(fields)
}

/// Appends one column to a value; `None` is NULL.
#[inline]
pub fn push_value_column(value: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => value.push(0),
        Some(field) => {
            push_varint(value, field.len() as u64 + 1);
            value.extend_from_slice(field);
        }
    }
}

/// Splits a value of `count` columns; `None` where it is not such a value.
pub fn decode_value(value: &[u8], count: usize) -> Option<Vec<Option<&[u8]>>> {
    let mut fields = Vec::with_capacity(count.min(value.len()));
    let mut rest = value;
    while !rest.is_empty() {
        let mut cursor = crate::file::cursor::Cursor::new(rest);
        let len_plus_one = cursor.varint()?;
        rest = cursor.rest();
        match len_plus_one.checked_sub(1) {
            None => fields.push(None),
            Some(len) => {
                let (field, tail) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                fields.push(Some(field));
                rest = tail;
            }
        }
    }
    (fields.len() == count).then_some(fields)
}

/// How often a table without a key holds a row of this value; `None` where it is not such a value.
pub fn copies(value: &[u8]) -> Option<u64> {
    let copies: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (copies > 0 && value == copies.to_string().as_bytes()).then_some(copies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(fields: &[Vec<u8>]) -> Vec<u8> {
        let mut key = Vec::new();
        for field in fields {
            push_key_column(&mut key, field);
        }
        key
    }

    proptest! {
        #[test]
        fn keys_sort_as_their_columns_and_decode(
            a in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 0xfe, 0xff]), 0..4), 2),
            b in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 0xfe, 0xff]), 0..4), 2),
        ) {
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            prop_assert_eq!(decode_key(&key(&a), 2), Some(a));
        }

        #[test]
        fn values_decode(fields in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..200)), 0..5)) {
            let mut value = Vec::new();
            for field in &fields {
                push_value_column(&mut value, field.as_deref());
            }
            let decoded = decode_value(&value, fields.len()).unwrap();
            prop_assert_eq!(decoded, fields.iter().map(|f| f.as_deref()).collect::<Vec<_>>());
            prop_assert_eq!(decode_value(&value, fields.len() + 1), None);
        }
    }
}
