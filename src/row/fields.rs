//! The named fields of a value, whatever gives it names: the schema of its table, or the value itself ([`wide`]).

use super::columns::decode_value;
use super::{COPIES, Schema, escape, wide};

/// One field: its name, and its bytes; `None` is NULL.
pub type Field<'a> = (&'a [u8], Option<&'a [u8]>);

/// A field that differs between two values: its name and both sides; `None` is NULL, or no such field.
pub type ChangedField<'a> = (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>);

/// Splits a value into its fields; `None` where it has none.
#[inline]
pub fn fields<'a>(schema: &'a Schema, value: &'a [u8]) -> Option<Vec<Field<'a>>> {
    match schema {
        Schema::Bytes => {
            wide::read(value).map(|columns| columns.map(|(n, v)| (n, Some(v))).collect())
        }
        Schema::Cql(cql) => cql.fields(value),
        Schema::Document { .. } => {
            wide::read_fields(value).map(|columns| columns.map(|(n, v)| (n, Some(v))).collect())
        }
        Schema::Bag { .. } => Some(vec![(COPIES.as_bytes(), Some(value))]),
        Schema::Columns { value: names, .. } => {
            let fields = decode_value(value, names.len())?;
            Some(names.iter().map(String::as_bytes).zip(fields).collect())
        }
    }
}

/// The fields that differ between two values of one key, in ascending order of their names; `None` where the two have no
/// fields.
///
/// Where only one value has columns of its own, the other is its default column (of the empty name).
pub fn changed<'a>(
    schema: &'a Schema,
    left: &'a [u8],
    right: &'a [u8],
) -> Option<Vec<ChangedField<'a>>> {
    let (left, right) = match (schema, fields(schema, left), fields(schema, right)) {
        (_, Some(left), Some(right)) => (left, right),
        (Schema::Bytes, Some(fields), None) => (fields, vec![(&b""[..], Some(right))]),
        (Schema::Bytes, None, Some(fields)) => (vec![(&b""[..], Some(left))], fields),
        _ => return None,
    };
    let mut changed = Vec::new();
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    // The fields of both ascend.
    loop {
        let name = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => one.0.min(other.0),
            (Some((name, _)), None) | (None, Some((name, _))) => name,
            (None, None) => return Some(changed),
        };
        let one = left.next_if(|field| field.0 == name);
        let other = right.next_if(|field| field.0 == name);
        if one != other {
            let bytes = |field: Option<Field<'a>>| field.and_then(|(_, bytes)| bytes);
            changed.push((name, bytes(one), bytes(other)));
        }
    }
}

/// The name of a field as a person reads it: escaped; of the default column, which has none, `""`.
pub fn show_name(name: &[u8]) -> String {
    match name {
        b"" => "\"\"".into(),
        name => escape(name).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::columns::push_value_column;

    fn wide_value(columns: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut value = Vec::new();
        wide::push(&mut value, columns.iter().copied());
        value
    }

    #[test]
    fn columns_of_both_kinds_are_compared_by_name() {
        let left = wide_value(&[(b"a", b"1"), (b"b", b"2"), (b"d", b"4")]);
        let right = wide_value(&[(b"", b"0"), (b"a", b"1"), (b"b", b"3")]);
        assert_eq!(
            changed(&Schema::Bytes, &left, &right).unwrap(),
            [
                (&b""[..], None, Some(&b"0"[..])),
                (b"b", Some(&b"2"[..]), Some(&b"3"[..])),
                (b"d", Some(&b"4"[..]), None),
            ]
        );
        let schema = Schema::Columns {
            key: vec!["id".into()],
            value: vec!["x".into(), "y".into()],
            sql: None,
        };
        let value = |y: Option<&[u8]>| {
            let mut value = Vec::new();
            push_value_column(&mut value, Some(b"same"));
            push_value_column(&mut value, y);
            value
        };
        let (left, right) = (value(None), value(Some(b"")));
        assert_eq!(
            changed(&schema, &left, &right).unwrap(),
            [(&b"y"[..], None, Some(&b""[..]))]
        );
        assert_eq!(changed(&schema, b"\xff", &right), None);
    }

    #[test]
    fn a_plain_value_is_the_default_column() {
        let columns = wide_value(&[(b"", b"v"), (b"n", b"1")]);
        assert_eq!(
            changed(&Schema::Bytes, b"v", &columns).unwrap(),
            [(&b"n"[..], None, Some(&b"1"[..]))]
        );
        assert_eq!(
            changed(&Schema::Bytes, &columns, b"w").unwrap(),
            [
                (&b""[..], Some(&b"v"[..]), Some(&b"w"[..])),
                (b"n", Some(&b"1"[..]), None)
            ]
        );
        assert_eq!(changed(&Schema::Bytes, b"v", b"w"), None);
        assert_eq!(show_name(b""), "\"\"");
    }
}
