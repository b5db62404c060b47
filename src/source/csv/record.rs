//! One record of delimited text, cut strictly as RFC 4180 says.
//!
//! Handles every record; [`super::cut`] has the fast road for those without quotes.

use memchr::{memchr, memchr3};

/// The quote of RFC 4180; the same in tab-separated text.
pub(in crate::source) const QUOTE: u8 = b'"';

/// Where a field stands in the bytes that were parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct Field {
    /// First byte of the content, behind an opening quote.
    pub start: usize,
    /// End of the content, before a closing quote.
    pub end: usize,
    /// Whether the field stands in quotes.
    pub quoted: bool,
    /// Whether the content has doubled quotes.
    pub doubled: bool,
}

impl Field {
    /// The content; doubled quotes are undone in `scratch`.
    pub fn content<'a>(&self, bytes: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let raw = bytes.get(self.start..self.end).unwrap_or_default();
        if !self.doubled {
            return raw;
        }
        scratch.clear();
        let mut rest = raw;
        while let Some(at) = memchr(QUOTE, rest) {
            let (head, tail) = rest.split_at(at + 1);
            scratch.extend_from_slice(head);
            rest = tail.get(1..).unwrap_or_default();
        }
        scratch.extend_from_slice(rest);
        scratch
    }
}

/// What [`parse`] found.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Parsed {
    /// A record; the next one starts at this position.
    Record(usize),
    /// The bytes end inside the record.
    Incomplete,
}

/// Where and how a record breaks the rules.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) struct Flaw {
    /// Position in the bytes that were parsed.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
}

impl Flaw {
    fn new(at: usize, what: &str) -> Flaw {
        Flaw {
            at,
            what: what.to_owned(),
        }
    }
}

/// Parses the record at `start` into `fields`. `at_end` says that the text ends where `bytes` do.
///
/// An empty line is a record of one empty field; whether it counts is for the caller to say.
pub(in crate::source) fn parse(
    bytes: &[u8],
    start: usize,
    at_end: bool,
    delimiter: u8,
    fields: &mut Vec<Field>,
) -> Result<Parsed, Flaw> {
    fields.clear();
    let mut at = start;
    loop {
        let (field, next) = if bytes.get(at) == Some(&QUOTE) {
            match quoted(bytes, at, at_end, delimiter)? {
                Some(found) => found,
                None => return Ok(Parsed::Incomplete),
            }
        } else {
            match unquoted(bytes, at, at_end, delimiter)? {
                Some(found) => found,
                None => return Ok(Parsed::Incomplete),
            }
        };
        fields.push(field);
        match next {
            Next::Field(next) => at = next,
            Next::Record(next) => return Ok(Parsed::Record(next)),
        }
    }
}

/// What comes behind a field, and where.
enum Next {
    Field(usize),
    Record(usize),
}

fn unquoted(
    bytes: &[u8],
    start: usize,
    at_end: bool,
    delimiter: u8,
) -> Result<Option<(Field, Next)>, Flaw> {
    let rest = bytes.get(start..).unwrap_or_default();
    let plain = |end| Field {
        start,
        end,
        quoted: false,
        doubled: false,
    };
    // `\r` belongs to the line's end where the line ends behind it.
    let line_end = |end: usize| match bytes.get(start..end) {
        Some([.., b'\r']) => end - 1,
        _ => end,
    };
    match memchr3(delimiter, b'\n', QUOTE, rest) {
        None if at_end => {
            let end = bytes.len();
            Ok(Some((plain(line_end(end)), Next::Record(end))))
        }
        None => Ok(None),
        Some(len) => {
            let end = start + len;
            match bytes.get(end) {
                Some(&QUOTE) => Err(Flaw::new(end, "a quote inside an unquoted field")),
                Some(b'\n') => Ok(Some((plain(line_end(end)), Next::Record(end + 1)))),
                _ => Ok(Some((plain(end), Next::Field(end + 1)))),
            }
        }
    }
}

fn quoted(
    bytes: &[u8],
    open: usize,
    at_end: bool,
    delimiter: u8,
) -> Result<Option<(Field, Next)>, Flaw> {
    let mut doubled = false;
    let mut from = open + 1;
    loop {
        let Some(len) = memchr(QUOTE, bytes.get(from..).unwrap_or_default()) else {
            return if at_end {
                Err(Flaw::new(open, "a quoted field is never closed"))
            } else {
                Ok(None)
            };
        };
        let close = from + len;
        let field = Field {
            start: open + 1,
            end: close,
            quoted: true,
            doubled,
        };
        let next = match (bytes.get(close + 1), bytes.get(close + 2)) {
            (Some(&QUOTE), _) => {
                doubled = true;
                from = close + 2;
                continue;
            }
            (Some(&byte), _) if byte == delimiter => Next::Field(close + 2),
            (Some(b'\n'), _) => Next::Record(close + 2),
            (Some(b'\r'), Some(b'\n')) => Next::Record(close + 3),
            (Some(b'\r'), None) if at_end => Next::Record(close + 2),
            (None, _) if at_end => Next::Record(close + 1),
            (None, _) | (Some(b'\r'), None) => return Ok(None),
            _ => return Err(Flaw::new(close + 1, "text behind a closing quote")),
        };
        return Ok(Some((field, next)));
    }
}

/// Whether these fields are those of an empty line.
pub(in crate::source) fn is_blank(fields: &[Field]) -> bool {
    matches!(fields, [field] if !field.quoted && field.start == field.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<(Vec<String>, Parsed), Flaw> {
        let mut fields = Vec::new();
        let parsed = parse(text.as_bytes(), 0, true, b',', &mut fields)?;
        let mut scratch = Vec::new();
        let texts = fields
            .iter()
            .map(|f| String::from_utf8_lossy(f.content(text.as_bytes(), &mut scratch)).into_owned())
            .collect();
        Ok((texts, parsed))
    }

    #[test]
    fn cuts_records_as_rfc_4180_says() {
        for (text, want, next) in [
            ("a,b\nc", &["a", "b"][..], 4),
            ("a,b\r\nc", &["a", "b"], 5),
            ("a,b", &["a", "b"], 3),
            ("a,b\r", &["a", "b"], 4),
            ("a,\n", &["a", ""], 3),
            ("a,", &["a", ""], 2),
            (",\n", &["", ""], 2),
            ("\n", &[""], 1),
            ("\r\n", &[""], 2),
            ("\"\"\n", &[""], 3),
            ("\"a,\"\"\n\",b\n", &["a,\"\n", "b"], 10),
            ("\"a\"\r\nx", &["a"], 5),
            ("\"a\"\r", &["a"], 4),
            ("\"a\"", &["a"], 3),
            ("\"\"\"\"\"\"", &["\"\""], 6),
            ("a\rb,c\n", &["a\rb", "c"], 6),
        ] {
            let (texts, parsed) = fields(text).unwrap();
            assert_eq!(texts, want, "{text:?}");
            assert_eq!(parsed, Parsed::Record(next), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_rfc_4180_does_not_have() {
        for (text, at) in [
            ("a\"b\n", 1),
            ("a,\"b\n", 2),
            ("\"a\"b\n", 3),
            ("\"a\"\rb\n", 3),
            ("a,\"b\" ,c\n", 5),
        ] {
            assert_eq!(fields(text).unwrap_err().at, at, "{text:?}");
        }
    }

    #[test]
    fn asks_for_more_until_the_record_is_whole() {
        let text = b"a,\"b\"\"\n\"\r\nnext";
        for len in 0..11 {
            let mut fields = Vec::new();
            let parsed = parse(&text[..len], 0, false, b',', &mut fields).unwrap();
            let want = if len < 10 {
                Parsed::Incomplete
            } else {
                Parsed::Record(10)
            };
            assert_eq!(parsed, want, "{len}");
        }
    }
}
