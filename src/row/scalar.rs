//! Fields of documents as bytes: what is plain stays plain text, and different values are different bytes.
//!
//! | value | bytes |
//! |---|---|
//! | a string | its UTF-8 text; behind `00 s` where that text is one of the other forms of this table or starts with a zero byte |
//! | a number | its canonical text, see [`super::decimal`]: equal by value, exact to any length |
//! | `true`, `false`, `null` | these words |
//! | an array or an object | its canonical text, see [`super::json_text`] |
//! | a value of a type of DynamoDB that JSON does not have: `B`, `SS`, `NS`, `BS`, and lists and maps that hold such | `00 D` and DynamoDB's own JSON for it, canonical |
//!
//! So the string `1` is `00 73 31` and the number 1 is `31`; the string `01` is `30 31`, since no number is written so.
//!
//! Where columns are fixed ([`super::Schema::Columns`]) fields are text as they are in delimited text: [`as_text`].

use serde_json::Value;

use super::json_text::{Canon, Scanned, Scanner, push_number};
use super::{decimal, escape, json, unescape};
use crate::error::Result;

/// In front of a string that would be taken for something else.
pub const STRING: &[u8; 2] = b"\0s";

/// In front of DynamoDB's JSON.
pub const DYNAMODB: &[u8; 2] = b"\0D";

/// The field of null.
pub const NULL: &[u8] = b"null";

/// Reads a JSON value and appends its field.
///
/// # Errors
///
/// A flaw of the value.
pub fn push_value(canon: &mut Canon, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scanned<()> {
    scanner.skip_white();
    match scanner.peek() {
        Some(b'"') => {
            let start = out.len();
            scanner.string(out)?;
            mark_string(canon, out, start);
            Ok(())
        }
        Some(b'-' | b'0'..=b'9') => push_number(scanner, out),
        _ => canon.push(scanner, out),
    }
}

/// Makes the field of a string of the text that stands in `out` from `start` on.
pub fn mark_string(canon: &mut Canon, out: &mut Vec<u8>, start: usize) {
    if is_ambiguous(canon, out.get(start..).unwrap_or_default()) {
        out.splice(start..start, *STRING);
    }
}

/// Whether a string of this text would be taken for something else.
fn is_ambiguous(canon: &mut Canon, text: &[u8]) -> bool {
    match text.first() {
        Some(0) => true,
        Some(b't' | b'f' | b'n') => matches!(text, b"true" | b"false" | b"null"),
        Some(b'-' | b'0'..=b'9') => decimal::is_canonical(text),
        Some(b'[' | b'{') => canon.is_canonical(text),
        _ => false,
    }
}

/// What a field is, where it is no plain string.
enum Form<'a> {
    Text(&'a [u8]),
    Json(&'a [u8]),
}

fn form(field: &[u8]) -> Form<'_> {
    if let Some(text) = field.strip_prefix(STRING) {
        return Form::Text(text);
    }
    match field.strip_prefix(DYNAMODB) {
        Some(json) => Form::Json(json),
        None if is_ambiguous(&mut Canon::default(), field) => Form::Json(field),
        None => Form::Text(field),
    }
}

/// The text of a field, without its mark; `None` is null.
pub fn as_text(field: &[u8]) -> Option<&[u8]> {
    let text = field
        .strip_prefix(STRING)
        .or_else(|| field.strip_prefix(DYNAMODB));
    match text {
        Some(text) => Some(text),
        None => (field != NULL).then_some(field),
    }
}

/// The JSON value that a field stands for.
pub fn to_json(field: &[u8]) -> Value {
    match form(field) {
        Form::Json(text) => {
            serde_json::from_slice(text).unwrap_or_else(|_| json::bytes_json(field))
        }
        Form::Text(text) => json::bytes_json(text),
    }
}

/// A field of a value as a person reads it: strings in quotes, all else as JSON.
pub fn show(field: &[u8]) -> String {
    match form(field) {
        Form::Json(text) => escape(text).into_owned(),
        Form::Text(text) => super::show_field(Some(text)),
    }
}

/// A field of a key as a person reads it: strings without quotes, unless they would be taken for something else.
/// [`parse_in_key`] gives the same bytes back.
pub fn show_in_key(field: &[u8]) -> String {
    match field.strip_prefix(STRING) {
        Some(text) => super::show_field(Some(text)),
        None => match escape(field) {
            text if text.starts_with('"') => text.replacen('"', "\\x22", 1),
            text => text.into_owned(),
        },
    }
}

/// Turns a field as [`show_in_key`] prints it back into bytes.
///
/// # Errors
///
/// A usage error naming a malformed escape.
pub fn parse_in_key(text: &str) -> Result<Vec<u8>> {
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match quoted {
        Some(inner) => Ok([STRING, unescape(inner)?.as_slice()].concat()),
        None => unescape(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(json: &str) -> Vec<u8> {
        let mut out = b"before".to_vec();
        // A number at the very end could go on.
        let text = format!("{json} ");
        push_value(
            &mut Canon::default(),
            &mut Scanner::new(text.as_bytes(), 0),
            &mut out,
        )
        .unwrap();
        out.split_off(6)
    }

    #[test]
    fn plain_things_are_plain_and_different_things_differ() {
        for (json, bytes, shown, in_key) in [
            (r#""a b""#, &b"a b"[..], r#""a b""#, "a b"),
            (r#""""#, b"", r#""""#, ""),
            ("1.0", b"1", "1", "1"),
            (r#""1""#, b"\0s1", r#""1""#, r#""1""#),
            (r#""1.0""#, b"1.0", r#""1.0""#, "1.0"),
            (r#""01""#, b"01", r#""01""#, "01"),
            ("true", b"true", "true", "true"),
            (r#""true""#, b"\0strue", r#""true""#, r#""true""#),
            ("null", b"null", "null", "null"),
            (r#""null""#, b"\0snull", r#""null""#, r#""null""#),
            (
                r#"{"b": [1E2, "x"], "a": null}"#,
                br#"{"a":null,"b":[100,"x"]}"#,
                r#"{"a":null,"b":[100,"x"]}"#,
                r#"{"a":null,"b":[100,"x"]}"#,
            ),
            (r#""[]""#, b"\0s[]", r#""[]""#, r#""[]""#),
            (r#""[ ]""#, b"[ ]", r#""[ ]""#, "[ ]"),
            (r#""[1.0]""#, b"[1.0]", r#""[1.0]""#, "[1.0]"),
            (r#""\u0000""#, b"\0s\0", r#""\x00""#, r#""\x00""#),
            (r#""\u0000s""#, b"\0s\0s", r#""\x00s""#, r#""\x00s""#),
            (r#""\"q""#, b"\"q", r#""\x22q""#, r"\x22q"),
        ] {
            let found = field(json);
            assert_eq!(found, bytes, "{json}");
            assert_eq!(show(&found), shown);
            assert_eq!(show_in_key(&found), in_key);
            assert_eq!(parse_in_key(in_key).unwrap(), found);
            let want: Value = serde_json::from_str(&json.replace("1.0,", "1,")).unwrap();
            if !matches!(json, "1.0" | r#"{"b": [1E2, "x"], "a": null}"#) {
                assert_eq!(to_json(&found), want);
            }
        }
        assert_eq!(
            to_json(b"\0D{\"B\":\"aGk=\"}").to_string(),
            r#"{"B":"aGk="}"#
        );
        assert_eq!(show(b"\0D{\"B\":\"aGk=\"}"), r#"{"B":"aGk="}"#);
        assert_eq!(as_text(b"null"), None);
        assert_eq!(as_text(b"\0snull"), Some(&b"null"[..]));
        assert_eq!(as_text(b"\0D[]"), Some(&b"[]"[..]));
        assert_eq!(to_json(b"\0D{\xff"), json::bytes_json(b"\0D{\xff"));
    }

    proptest! {
        #[test]
        fn a_string_is_read_back_as_it_was(text in r#"[\x00-\x030-2.eE\-\[\]{}:,"sD truefalsn\\]{0,8}"#) {
            let json = Value::from(text.clone());
            prop_assert_eq!(to_json(&field(&json.to_string())), json);
            let bytes = field(&Value::from(text).to_string());
            prop_assert_eq!(parse_in_key(&show_in_key(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn any_bytes_of_a_key_are_shown_and_parsed(bytes in prop::collection::vec(prop::sample::select(b"\0sD\"1x\\\xff".to_vec()), 0..6)) {
            prop_assert_eq!(parse_in_key(&show_in_key(&bytes)).unwrap(), bytes);
        }
    }
}
