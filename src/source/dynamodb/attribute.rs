//! Attribute values (`{"N":"1"}`) as fields, see [`crate::row::scalar`].
//!
//! | type | field |
//! |---|---|
//! | `S`, `N`, `BOOL`, `NULL` | as the JSON string, decimal, `true` or `false`, `null` |
//! | `L`, `M` | the JSON array or object of their elements, where all of these are lists, maps and the types above; but a map of one element whose name is that of a type below (or `L`, `M`) is not written so, for it could be taken for that type |
//! | `B`, `SS`, `NS`, `BS`; `L` and `M` that hold such, or are taken out above | DynamoDB's own JSON behind `00 D`: sets sorted by their text, maps by their names, numbers by value, no white space |
//!
//! So equal values are equal bytes, whatever the order of sets and maps and the spelling of numbers, and other types never are.

use crate::row::json_text::{Canon, Flaw, Scanned, Scanner, push_string, too_deep};
use crate::row::{decimal, scalar};

/// Deepest nesting of lists and maps; DynamoDB ends at 32. Each level is two of JSON's.
const DEPTH_MAX: usize = 48;

/// Types that a JSON object of one member is taken for.
const TYPED: [&[u8]; 6] = [b"B", b"SS", b"NS", b"BS", b"L", b"M"];

/// Reads attribute values; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Attributes {
    canon: Canon,
    /// The value as DynamoDB's JSON and as plain JSON, with numbers and sets canonical and maps not yet.
    typed: Vec<u8>,
    plain: Vec<u8>,
    /// There is no plain JSON for it.
    is_special: bool,
    text: Vec<u8>,
}

impl Attributes {
    /// Reads an attribute value and appends its field; returns whether it may be a key.
    ///
    /// # Errors
    ///
    /// A flaw, where it is no attribute value.
    pub fn push(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scanned<bool> {
        self.typed.clear();
        self.plain.clear();
        self.is_special = false;
        let mut may_be_key = false;
        let mut members = 0;
        let at = scanner.at();
        scanner.object(&mut |scanner, name, at| {
            members += 1;
            may_be_key = matches!(name, b"S" | b"N" | b"B");
            match name {
                b"S" => {
                    let start = out.len();
                    scanner.string(out)?;
                    scalar::mark_string(&mut self.canon, out, start);
                    Ok(())
                }
                b"N" => self.number(scanner, out),
                b"BOOL" | b"NULL" => {
                    out.extend_from_slice(word(scanner, name)?.as_bytes());
                    Ok(())
                }
                _ => {
                    self.value(name, at, scanner, 0)?;
                    self.push_composite(at, out)
                }
            }
        })?;
        match members {
            1 => Ok(may_be_key),
            _ => Err(not_one_type(at)),
        }
    }

    fn push_composite(&mut self, at: usize, out: &mut Vec<u8>) -> Scanned<()> {
        let text = if self.is_special {
            out.extend_from_slice(scalar::DYNAMODB);
            &self.typed
        } else {
            &self.plain
        };
        let mut canonical = Scanner::new(text, 0);
        // The offsets of its flaws are those of the text in memory.
        let pushed = self.canon.push(&mut canonical, out);
        pushed.map_err(|flaw| Flaw::new(at, flaw.what))
    }

    fn number(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scanned<()> {
        let at = scanner.at();
        self.text.clear();
        scanner.string(&mut self.text)?;
        match decimal::push_canonical(out, &self.text) {
            true => Ok(()),
            false => Err(Flaw::new(at, "the text of an N is no number")),
        }
    }

    /// Appends a value in braces, with its type, to `typed`, and as plain JSON to `plain`.
    fn element(&mut self, scanner: &mut Scanner<'_>, depth: usize) -> Scanned<()> {
        let (at, mut members) = (scanner.at(), 0);
        scanner.object(&mut |scanner, name, at| {
            members += 1;
            self.value(name, at, scanner, depth)
        })?;
        match members {
            1 => Ok(()),
            _ => Err(not_one_type(at)),
        }
    }

    fn value(
        &mut self,
        name: &[u8],
        at: usize,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Scanned<()> {
        if depth > DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.typed.push(b'{');
        push_string(&mut self.typed, name);
        self.typed.push(b':');
        match name {
            b"S" => {
                self.text.clear();
                scanner.string(&mut self.text)?;
                push_string(&mut self.typed, &self.text);
                push_string(&mut self.plain, &self.text);
            }
            b"N" => {
                let start = self.plain.len();
                let mut plain = std::mem::take(&mut self.plain);
                self.number(scanner, &mut plain)?;
                self.plain = plain;
                push_string(&mut self.typed, self.plain.get(start..).unwrap_or_default());
            }
            b"BOOL" | b"NULL" => {
                let word = word(scanner, name)?;
                let typed = if name == b"NULL" { "true" } else { word };
                self.typed.extend_from_slice(typed.as_bytes());
                self.plain.extend_from_slice(word.as_bytes());
            }
            b"L" => self.list(scanner, depth)?,
            b"M" => self.map(scanner, depth)?,
            b"B" => {
                self.is_special = true;
                let at = scanner.at();
                self.text.clear();
                scanner.string(&mut self.text)?;
                tidy_base64(&mut self.text).ok_or_else(|| not_base64(at))?;
                push_string(&mut self.typed, &self.text);
            }
            b"SS" | b"NS" | b"BS" => self.set(name, scanner)?,
            _ => {
                let name = crate::row::escape(name).into_owned();
                return Err(Flaw::new(
                    at,
                    format!("{name:?} is no type of an attribute value"),
                ));
            }
        }
        self.typed.push(b'}');
        Ok(())
    }

    fn list(&mut self, scanner: &mut Scanner<'_>, depth: usize) -> Scanned<()> {
        self.push_both(b'[');
        let mut is_first = true;
        scanner.array(&mut |scanner| {
            if !std::mem::take(&mut is_first) {
                self.push_both(b',');
            }
            self.element(scanner, depth + 1)
        })?;
        self.push_both(b']');
        Ok(())
    }

    fn map(&mut self, scanner: &mut Scanner<'_>, depth: usize) -> Scanned<()> {
        self.push_both(b'{');
        let (mut members, mut could_be_type) = (0, false);
        scanner.object(&mut |scanner, name, _| {
            if members > 0 {
                self.push_both(b',');
            }
            members += 1;
            could_be_type = TYPED.contains(&name);
            for text in [&mut self.typed, &mut self.plain] {
                push_string(text, name);
                text.push(b':');
            }
            self.element(scanner, depth + 1)
        })?;
        self.is_special |= depth == 0 && members == 1 && could_be_type;
        self.push_both(b'}');
        Ok(())
    }

    fn push_both(&mut self, byte: u8) {
        self.typed.push(byte);
        self.plain.push(byte);
    }

    fn set(&mut self, name: &[u8], scanner: &mut Scanner<'_>) -> Scanned<()> {
        self.is_special = true;
        let start = scanner.at();
        let mut elements: Vec<Vec<u8>> = Vec::new();
        scanner.array(&mut |scanner| {
            let at = scanner.at();
            let mut element = Vec::new();
            match name {
                b"NS" => self.number(scanner, &mut element)?,
                _ => scanner.string(&mut element)?,
            }
            if name == b"BS" {
                tidy_base64(&mut element).ok_or_else(|| not_base64(at))?;
            }
            elements.push(element);
            Ok(())
        })?;
        elements.sort();
        if elements
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a == b))
        {
            return Err(Flaw::new(start, "an element stands twice in a set"));
        }
        self.typed.push(b'[');
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.typed.push(b',');
            }
            push_string(&mut self.typed, element);
        }
        self.typed.push(b']');
        Ok(())
    }
}

/// Reads what stands behind `BOOL` or `NULL`, as plain JSON.
fn word(scanner: &mut Scanner<'_>, name: &[u8]) -> Scanned<&'static str> {
    let at = scanner.at();
    match (name, scanner.word()?) {
        (b"NULL", "true") => Ok("null"),
        (b"BOOL", word @ ("true" | "false")) => Ok(word),
        _ => Err(Flaw::new(at, "a BOOL is true or false, a NULL is true")),
    }
}

fn not_one_type(at: usize) -> Flaw {
    Flaw::new(
        at,
        "an attribute value is an object of one member, its type",
    )
}

fn not_base64(at: usize) -> Flaw {
    Flaw::new(at, "the text of a B is not base64")
}

/// Checks base64 with its padding, and clears the bits of the last digit that are of no byte, so that equal bytes are equal text.
fn tidy_base64(text: &mut [u8]) -> Option<()> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |byte: u8| DIGITS.iter().position(|&digit| digit == byte);
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let digits = text.get(..text.len() - padding)?;
    let is_sound = text.len().is_multiple_of(4)
        && padding <= 2
        && digits.iter().all(|&byte| value(byte).is_some());
    if !is_sound {
        return None;
    }
    let last = digits.len().checked_sub(1);
    if let (1 | 2, Some(last)) = (padding, last) {
        let slot = text.get_mut(last)?;
        *slot = *DIGITS.get(value(*slot)? & !((1 << (2 * padding)) - 1))?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Result<String, String> {
        let mut out = Vec::new();
        let mut attributes = Attributes::default();
        attributes
            .push(&mut Scanner::new(text.as_bytes(), 0), &mut out)
            .map_err(|flaw| flaw.what.into_owned())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn types_are_kept_and_spelling_is_not() {
        for (text, want) in [
            (r#"{"S":"a"}"#, "a"),
            (r#"{"S":"1"}"#, "\0s1"),
            (r#"{"N":"1.0"}"#, "1"),
            (r#"{"N":"1E+2"}"#, "100"),
            (r#"{"BOOL":false}"#, "false"),
            (r#"{"NULL":true}"#, "null"),
            (r#" { "B" : "aGk=" } "#, "\0D{\"B\":\"aGk=\"}"),
            (r#"{"B":"aGl="}"#, "\0D{\"B\":\"aGk=\"}"),
            (r#"{"B":"aZ=="}"#, "\0D{\"B\":\"aQ==\"}"),
            (r#"{"B":""}"#, "\0D{\"B\":\"\"}"),
            (
                r#"{"SS":["b","a","\u0061b"]}"#,
                "\0D{\"SS\":[\"a\",\"ab\",\"b\"]}",
            ),
            (r#"{"NS":["10","9.0"]}"#, "\0D{\"NS\":[\"10\",\"9\"]}"),
            (
                r#"{"BS":["aGk=","AA=="]}"#,
                "\0D{\"BS\":[\"AA==\",\"aGk=\"]}",
            ),
            (
                r#"{"M":{"b":{"N":"1"},"a":{"L":[{"S":"1"},{"NULL":true},{"BOOL":true}]}}}"#,
                r#"{"a":["1",null,true],"b":1}"#,
            ),
            (
                r#"{"L":[{"M":{"z":{"N":"1.0"},"a":{"SS":["y","x"]}}},{"NULL":true}]}"#,
                "\0D{\"L\":[{\"M\":{\"a\":{\"SS\":[\"x\",\"y\"]},\"z\":{\"N\":\"1\"}}},{\"NULL\":true}]}",
            ),
            (r#"{"M":{}}"#, "{}"),
            (r#"{"L":[]}"#, "[]"),
            // It could be taken for a B.
            (
                r#"{"M":{"B":{"S":"x"}}}"#,
                "\0D{\"M\":{\"B\":{\"S\":\"x\"}}}",
            ),
            (r#"{"L":[{"M":{"B":{"S":"x"}}}]}"#, r#"[{"B":"x"}]"#),
            (r#"{"S":"[]"}"#, "\0s[]"),
        ] {
            assert_eq!(field(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let deep = format!(r#"{{"M":{}"#, r#"{"a":{"M":"#.repeat(5000));
        for (text, what) in [
            ("{}", "one member"),
            (r#"{"S":"a","N":"1"}"#, "one member"),
            (r#"{"X":"a"}"#, "no type"),
            (r#"{"s":"a"}"#, "no type"),
            (r#"{"N":"x"}"#, "no number"),
            (r#"{"N":1}"#, "a string is wanted"),
            (r#"{"NS":["1","1.0"]}"#, "twice in a set"),
            (r#"{"SS":[1]}"#, "a string is wanted"),
            (r#"{"B":"a"}"#, "base64"),
            (r#"{"B":"a==="}"#, "base64"),
            (r#"{"B":"===="}"#, "base64"),
            (r#"{"B":"a-_="}"#, "base64"),
            (r#"{"BOOL":null}"#, "BOOL"),
            (r#"{"NULL":false}"#, "NULL"),
            (r#"{"M":{"a":{"N":"1"},"a":{"N":"1"}}}"#, "stands twice"),
            (r#"{"L":[{}]}"#, "one member"),
            (r#"{"L":[1]}"#, "an object is wanted"),
            (&deep, "levels deep"),
        ] {
            let found = field(text).unwrap_err();
            assert!(found.contains(what), "{text}: {found}");
        }
    }
}
