//! Erlang's external term format, as far as Riak stores it: what `term_to_binary` gives, read without trust.

use std::fmt::Write as _;

use crate::file::cursor::Cursor;
use crate::row::escape;

/// The first byte of a term on its own.
pub const VERSION: u8 = 131;
/// Deepest nesting of lists and tuples; Riak's metadata has some six levels.
const DEPTH_MAX: usize = 32;

/// A term.
#[derive(Debug, Clone, PartialEq)]
pub enum Term<'a> {
    /// An integer of up to 64 bits.
    Integer(i128),
    /// A float, by its bits.
    Float(u64),
    /// An atom's name.
    Atom(&'a [u8]),
    /// A binary.
    Binary(&'a [u8]),
    /// A tuple.
    Tuple(Vec<Term<'a>>),
    /// A list, and what stands behind its last `|` where that is not the empty list.
    List(Vec<Term<'a>>, Option<Box<Term<'a>>>),
    /// A map, in the order of its bytes.
    Map(Vec<(Term<'a>, Term<'a>)>),
}

/// Why bytes are not read as a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTerm {
    /// They end too soon, or go on behind it, or nest too deep.
    Damaged,
    /// A kind that Riak does not store, by its tag.
    Unknown(u8),
}

/// Decodes a term that fills `bytes`, with the version in front.
///
/// # Errors
///
/// Where it is none.
pub fn decode(bytes: &[u8]) -> Result<Term<'_>, NoTerm> {
    let mut decoder = Decoder {
        cursor: Cursor::new(bytes),
    };
    if decoder.cursor.u8() != Some(VERSION) {
        return Err(NoTerm::Damaged);
    }
    let term = decoder.term(0)?;
    match decoder.cursor.is_empty() {
        true => Ok(term),
        false => Err(NoTerm::Damaged),
    }
}

struct Decoder<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Decoder<'a> {
    fn term(&mut self, depth: usize) -> Result<Term<'a>, NoTerm> {
        if depth > DEPTH_MAX {
            return Err(NoTerm::Damaged);
        }
        let tag = self.u8()?;
        Ok(match tag {
            97 => Term::Integer(self.u8()?.into()),
            98 => Term::Integer(i32::from_be_bytes(self.array()?).into()),
            110 => self.big()?,
            70 => Term::Float(u64::from_be_bytes(self.array()?)),
            100 | 118 => {
                let len = u16::from_be_bytes(self.array()?);
                Term::Atom(self.take(len.into())?)
            }
            115 | 119 => {
                let len = self.u8()?;
                Term::Atom(self.take(len.into())?)
            }
            104 => {
                let count = self.u8()?;
                Term::Tuple(self.terms(count.into(), depth)?)
            }
            105 => {
                let count = self.u32()?;
                Term::Tuple(self.terms(count, depth)?)
            }
            106 => Term::List(Vec::new(), None),
            // A list of small numbers, as text is.
            107 => {
                let len = u16::from_be_bytes(self.array()?);
                let bytes = self.take(len.into())?.iter();
                Term::List(
                    bytes.map(|byte| Term::Integer((*byte).into())).collect(),
                    None,
                )
            }
            108 => {
                let count = self.u32()?;
                let items = self.terms(count, depth)?;
                let tail = self.term(depth + 1)?;
                list(items, tail)
            }
            109 => {
                let len = self.u32()?;
                Term::Binary(self.take(len)?)
            }
            116 => {
                let count = self.u32()?;
                let mut pairs = Vec::new();
                for _ in 0..count {
                    pairs.push((self.term(depth + 1)?, self.term(depth + 1)?));
                }
                Term::Map(pairs)
            }
            tag => return Err(NoTerm::Unknown(tag)),
        })
    }

    /// So many terms; each takes a byte at least, so the bytes bound the memory.
    fn terms(&mut self, count: u32, depth: usize) -> Result<Vec<Term<'a>>, NoTerm> {
        if count as usize > self.cursor.rest().len() {
            return Err(NoTerm::Damaged);
        }
        let mut terms = Vec::new();
        for _ in 0..count {
            terms.push(self.term(depth + 1)?);
        }
        Ok(terms)
    }

    fn big(&mut self) -> Result<Term<'a>, NoTerm> {
        let len = self.u8()?;
        let is_negative = self.u8()? != 0;
        let digits = self.take(len.into())?;
        let mut value = 0i128;
        for digit in digits.iter().rev() {
            // No more than fits: Riak's are times and sizes.
            if value >> 112 != 0 {
                return Err(NoTerm::Unknown(110));
            }
            value = value << 8 | i128::from(*digit);
        }
        Ok(Term::Integer(if is_negative { -value } else { value }))
    }

    fn u8(&mut self) -> Result<u8, NoTerm> {
        self.cursor.u8().ok_or(NoTerm::Damaged)
    }

    fn u32(&mut self) -> Result<u32, NoTerm> {
        self.array().map(u32::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoTerm> {
        self.cursor.array().ok_or(NoTerm::Damaged)
    }

    fn take(&mut self, len: u32) -> Result<&'a [u8], NoTerm> {
        self.cursor.take(len.into()).ok_or(NoTerm::Damaged)
    }
}

/// `[items | tail]`: equal lists are equal, however they were put together.
fn list<'a>(mut items: Vec<Term<'a>>, tail: Term<'a>) -> Term<'a> {
    match tail {
        Term::List(more, tail) => {
            items.extend(more);
            Term::List(items, tail)
        }
        other => Term::List(items, Some(Box::new(other))),
    }
}

impl<'a> Term<'a> {
    /// The text of a list of characters.
    pub fn text(&self) -> Option<Vec<u8>> {
        let Term::List(items, None) = self else {
            return None;
        };
        items
            .iter()
            .map(|item| match item {
                Term::Integer(byte) => u8::try_from(*byte).ok(),
                _ => None,
            })
            .collect()
    }

    /// The items of a tuple whose first is the atom `name`, without that.
    pub fn record(&self, name: &[u8]) -> Option<&[Term<'a>]> {
        match self {
            Term::Tuple(items) => match items.split_first() {
                Some((Term::Atom(first), rest)) if *first == name => Some(rest),
                _ => None,
            },
            _ => None,
        }
    }

    /// The term as Erlang writes it, with bytes escaped as keys are: a text for each term, and no two terms share one.
    pub fn show(&self) -> String {
        let mut out = String::new();
        self.push(&mut out);
        out
    }

    fn push(&self, out: &mut String) {
        let mut all = |open: &str, items: &[Term<'_>], close: &str| {
            out.push_str(open);
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                item.push(out);
            }
            out.push_str(close);
        };
        match self {
            Term::Integer(number) => drop(write!(out, "{number}")),
            Term::Float(bits) => drop(write!(out, "{:?}", f64::from_bits(*bits))),
            Term::Atom(name) => drop(write!(out, "'{}'", quoted(name, '\''))),
            Term::Binary(bytes) => drop(write!(out, "<<\"{}\">>", quoted(bytes, '"'))),
            Term::Tuple(items) => all("{", items, "}"),
            Term::List(items, None) => match self.text() {
                Some(text) if !text.is_empty() => drop(write!(out, "\"{}\"", quoted(&text, '"'))),
                _ => all("[", items, "]"),
            },
            Term::List(items, Some(tail)) => {
                all("[", items, "|");
                tail.push(out);
                out.push(']');
            }
            Term::Map(pairs) => {
                out.push_str("#{");
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    key.push(out);
                    out.push_str("=>");
                    value.push(out);
                }
                out.push('}');
            }
        }
    }
}

fn quoted(bytes: &[u8], quote: char) -> String {
    escape(bytes).replace(quote, if quote == '"' { "\\x22" } else { "\\x27" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(bytes: &[u8]) -> Result<String, NoTerm> {
        decode(&[&[VERSION], bytes].concat()).map(|term| term.show())
    }

    /// Made by `term_to_binary/1` of Erlang/OTP, as its documentation describes it.
    #[test]
    fn terms_are_shown_as_erlang_writes_them() {
        for (bytes, text) in [
            (&b"a\x05"[..], "5"),
            (b"b\xff\xff\xff\xfe", "-2"),
            (b"n\x05\x00\0\0\0\0\x01", "4294967296"),
            (b"n\x01\x01\x07", "-7"),
            (b"d\0\x02ok", "'ok'"),
            (b"w\x02ok", "'ok'"),
            (b"m\0\0\0\x02a\"", "<<\"a\\x22\">>"),
            (b"h\x02a\x01j", "{1,[]}"),
            (b"k\0\x02hi", "\"hi\""),
            (b"l\0\0\0\x01m\0\0\0\x01ka\x02", "[<<\"k\">>|2]"),
            // [<<"k">> | "hi"] is [<<"k">>, 104, 105].
            (b"l\0\0\0\x01m\0\0\0\x01kk\0\x02hi", "[<<\"k\">>,104,105]"),
            (b"F?\xf8\0\0\0\0\0\0", "1.5"),
            (b"t\0\0\0\x01a\x01a\x02", "#{1=>2}"),
        ] {
            assert_eq!(show(bytes).as_deref(), Ok(text), "{bytes:?}");
            for len in 0..bytes.len() {
                assert!(show(&bytes[..len]).is_err(), "{bytes:?} to {len}");
            }
            assert!(show(&[bytes, b"j"].concat()).is_err());
        }
    }

    #[test]
    fn claims_are_bounded() {
        assert_eq!(show(b"l\xff\xff\xff\xff"), Err(NoTerm::Damaged));
        assert_eq!(show(b"i\xff\xff\xff\xffj"), Err(NoTerm::Damaged));
        assert_eq!(
            show(&[b"n\xff\0".as_slice(), &[1; 255]].concat()),
            Err(NoTerm::Unknown(110))
        );
        assert_eq!(show(b"P\0\0\0\0"), Err(NoTerm::Unknown(b'P')));
        let deep: Vec<u8> = [[b'h', 1]; 1000].concat();
        assert_eq!(show(&deep), Err(NoTerm::Damaged));
    }
}
