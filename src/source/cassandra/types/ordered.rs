//! Values as bytes whose memcmp order is the order of [`CqlType::compare`], and back.
//!
//! ```text
//! value     = 01                          null
//!           | 02                          empty
//!           | 03 content                  a value of the type
//!           | 04 escaped                  bytes that are none
//! escaped   = bytes, each 00 as 00 ff; then 00 01
//! ```
//!
//! No value starts with 00 or ff: they are left for bounds before and behind all values. Of a Reversed type all bytes are
//! complemented, but the null's.
//!
//! | type | content |
//! |---|---|
//! | text, ascii, blob, inet, duration, counter, unknown types | escaped |
//! | tinyint .. bigint, timestamp | the bytes, sign bit flipped |
//! | boolean, date, time | the bytes |
//! | float, double | the bits in order: below zero all flipped, else the sign bit |
//! | uuid | version, first half (version 1: time first), second half |
//! | timeuuid | first half, time first; second half, the sign bit of each byte flipped |
//! | varint | 01 below zero, 02 not; u32 length (below zero complemented); two's complement, as short as can be |
//! | decimal | 01, 02 (zero, no more) or 03; i64 exponent, sign bit flipped; digits, each as text; 00. Below zero complemented |
//! | list, set, map, composite | each element as a value; 00 |
//! | tuple, UDT | each field as a value, nulls at the end left out; 00 |
//! | vector | each element as a value |
//!
//! Some values are equal though their bytes differ: 1.0 and 1.00, a varint with a zero in front. For types that have such
//! values, [`CqlType::push_ordered`] appends 00 where the content gives the very bytes back, else 01 and the bytes, escaped.

use super::CqlType;
use super::compare::{double_rank, float_rank, time_back, timeuuid_rank, uuid_rank};
use super::elements::{element_type, is_valid, join, split};
use super::number::{Decimal, is_negative, trim_varint};

const NULL: u8 = 1;
const EMPTY: u8 = 2;
const VALUE: u8 = 3;
const MALFORMED: u8 = 4;
/// Ends elements whose number is not given by the type.
const END: u8 = 0;

/// The order of values that are numbers: what [`CqlType::push_sort_key`] appends of a value of `len` bytes is `tag`, then these
/// bytes with some bits flipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Bytes of a value, 8 at most.
    pub len: usize,
    /// What stands before it.
    pub tag: u8,
    /// Which of its bits are flipped.
    pub flipped: u64,
}

impl CqlType {
    /// Appends a value so that memcmp of what is appended is the order of values, and so that [`CqlType::take_ordered`]
    /// gives the same bytes back. Values that are equal but of other bytes are told apart.
    pub fn push_ordered(&self, value: Option<&[u8]>, out: &mut Vec<u8>) {
        let start = out.len();
        self.push_sort_key(value, out);
        let Some(value) = value.filter(|_| !self.is_exact()) else {
            return;
        };
        let mut key = out.get(start..).unwrap_or_default();
        match self.take_sort_key(&mut key) {
            Some(Taken::Value(Some(same))) if same == value => out.push(0),
            _ => {
                out.push(1);
                push_escaped(value, out);
            }
        }
    }

    /// Takes what [`CqlType::push_ordered`] appended: `Some(None)` is null; `None` means that the bytes are not of that
    /// form.
    pub fn take_ordered(&self, bytes: &mut &[u8]) -> Option<Option<Vec<u8>>> {
        let key = match self.take_sort_key(bytes)? {
            Taken::Null => return Some(None),
            Taken::Value(value) => value,
        };
        if self.is_exact() {
            return key.map(Some);
        }
        let mut reader = Reader { bytes, mask: 0 };
        match reader.byte()? {
            0 => key.map(Some),
            1 => reader.escaped().map(Some),
            _ => None,
        }
    }

    /// Appends only what orders a value: equal values give equal bytes, and are not all given back.
    pub fn push_sort_key(&self, value: Option<&[u8]>, out: &mut Vec<u8>) {
        let Some(value) = value else {
            out.push(NULL);
            return;
        };
        match self {
            CqlType::Frozen(t) => t.push_sort_key(Some(value), out),
            CqlType::Reversed(t) => {
                let start = out.len();
                t.push_sort_key(Some(value), out);
                for byte in out.get_mut(start..).unwrap_or_default() {
                    *byte = !*byte;
                }
            }
            _ if value.is_empty() => out.push(EMPTY),
            _ if !is_valid(self, value) => {
                out.push(MALFORMED);
                push_escaped(value, out);
            }
            _ => {
                out.push(VALUE);
                self.push_content(value, out);
            }
        }
    }

    /// How values of this type are ordered, where that is as numbers of a few bytes.
    pub fn as_number(&self) -> Option<Number> {
        let (len, is_signed) = match self {
            CqlType::Frozen(t) => return t.as_number(),
            CqlType::Reversed(t) => {
                let number = t.as_number()?;
                return Some(Number {
                    tag: !number.tag,
                    flipped: number.flipped ^ u64::MAX >> (64 - 8 * number.len),
                    ..number
                });
            }
            CqlType::Boolean => (1, false),
            CqlType::Tinyint => (1, true),
            CqlType::Smallint => (2, true),
            CqlType::Int => (4, true),
            CqlType::Date => (4, false),
            CqlType::Bigint | CqlType::Timestamp => (8, true),
            CqlType::Time => (8, false),
            _ => return None,
        };
        Some(Number {
            len,
            tag: VALUE,
            flipped: u64::from(is_signed) << (8 * len - 1),
        })
    }

    /// Whether values that are equal are of the same bytes.
    pub fn is_exact(&self) -> bool {
        !matches!(
            self.inner(),
            CqlType::Varint
                | CqlType::Decimal
                | CqlType::Float
                | CqlType::Double
                | CqlType::List(_)
                | CqlType::Set(_)
                | CqlType::Map(..)
                | CqlType::Vector(..)
                | CqlType::Tuple(_)
                | CqlType::Udt { .. }
                | CqlType::Composite(_)
        )
    }

    fn push_content(&self, value: &[u8], out: &mut Vec<u8>) {
        match self {
            CqlType::Tinyint
            | CqlType::Smallint
            | CqlType::Int
            | CqlType::Bigint
            | CqlType::Timestamp => {
                let start = out.len();
                out.extend_from_slice(value);
                if let Some(first) = out.get_mut(start) {
                    *first ^= 0x80;
                }
            }
            CqlType::Boolean | CqlType::Date | CqlType::Time => out.extend_from_slice(value),
            CqlType::Float => out.extend_from_slice(&float_rank(value).to_be_bytes()),
            CqlType::Double => out.extend_from_slice(&double_rank(value).to_be_bytes()),
            CqlType::Uuid => {
                let (version, high, low) = uuid_rank(value);
                out.push(version);
                out.extend_from_slice(&high.to_be_bytes());
                out.extend_from_slice(&low.to_be_bytes());
            }
            CqlType::Timeuuid => {
                let (high, low) = timeuuid_rank(value);
                out.extend_from_slice(&high.to_be_bytes());
                out.extend_from_slice(&low.to_be_bytes());
            }
            CqlType::Varint => {
                let number = trim_varint(value);
                let len = number.len() as u32;
                let (sign, len) = if is_negative(number) {
                    (1, !len)
                } else {
                    (2, len)
                };
                out.push(sign);
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(number);
            }
            CqlType::Decimal => push_decimal(value, out),
            _ => match split(self, value) {
                Some(parts) => self.push_elements(&parts, out),
                None => push_escaped(value, out),
            },
        }
    }

    fn push_elements(&self, mut parts: &[Option<&[u8]>], out: &mut Vec<u8>) {
        if let CqlType::Tuple(_) | CqlType::Udt { .. } = self {
            while let [rest @ .., None] = parts {
                parts = rest;
            }
        }
        for (at, part) in parts.iter().enumerate() {
            if let Some(t) = element_type(self, at) {
                t.push_sort_key(*part, out);
            }
        }
        if !matches!(self, CqlType::Vector(..)) {
            out.push(END);
        }
    }

    /// Takes what [`CqlType::push_sort_key`] appended; `None` where the bytes are not of that form.
    pub fn take_sort_key(&self, bytes: &mut &[u8]) -> Option<Taken> {
        self.take_key(&mut Reader { bytes, mask: 0 })
    }

    fn take_key(&self, reader: &mut Reader<'_, '_>) -> Option<Taken> {
        // Before a Reversed type turns the mask: it leaves the null's byte as the bytes around it are.
        if reader.bytes.first() == Some(&(NULL ^ reader.mask)) {
            reader.byte()?;
            return Some(Taken::Null);
        }
        let t = match self {
            CqlType::Frozen(t) => return t.take_key(reader),
            CqlType::Reversed(t) => {
                reader.mask = !reader.mask;
                let taken = t.take_key(reader);
                reader.mask = !reader.mask;
                return taken;
            }
            t => t,
        };
        match reader.byte()? {
            EMPTY => Some(Taken::Value(Some(Vec::new()))),
            VALUE => t.take_content(reader).map(Taken::Value),
            MALFORMED => reader.escaped().map(|value| Taken::Value(Some(value))),
            _ => None,
        }
    }

    /// Takes a content: the outer `None` is damage, the inner that the value can't be given back from it.
    fn take_content(&self, reader: &mut Reader<'_, '_>) -> Option<Option<Vec<u8>>> {
        let value = match self {
            CqlType::Tinyint => reader.signed(1)?,
            CqlType::Smallint => reader.signed(2)?,
            CqlType::Int => reader.signed(4)?,
            CqlType::Bigint | CqlType::Timestamp => reader.signed(8)?,
            CqlType::Boolean => reader.take(1)?,
            CqlType::Date => reader.take(4)?,
            CqlType::Time => reader.take(8)?,
            CqlType::Float => {
                let rank = u32::from_be_bytes(reader.array()?);
                let bits = if rank >> 31 == 1 {
                    rank ^ 1 << 31
                } else {
                    !rank
                };
                bits.to_be_bytes().to_vec()
            }
            CqlType::Double => {
                let rank = u64::from_be_bytes(reader.array()?);
                let bits = if rank >> 63 == 1 {
                    rank ^ 1 << 63
                } else {
                    !rank
                };
                bits.to_be_bytes().to_vec()
            }
            CqlType::Uuid => {
                let version = reader.byte()?;
                let high = u64::from_be_bytes(reader.array()?);
                let high = if version == 1 { time_back(high) } else { high };
                let mut value = high.to_be_bytes().to_vec();
                value.extend(reader.take(8)?);
                value
            }
            CqlType::Timeuuid => {
                let high = time_back(u64::from_be_bytes(reader.array()?));
                let mut value = high.to_be_bytes().to_vec();
                value.extend(reader.take(8)?.iter().map(|byte| byte ^ 0x80));
                value
            }
            CqlType::Varint => {
                let sign = reader.byte()?;
                let len = u32::from_be_bytes(reader.array()?);
                let len = if sign == 1 { !len } else { len };
                reader.take(len as usize)?
            }
            CqlType::Decimal => return reader.skip_decimal().map(|()| None),
            CqlType::List(_)
            | CqlType::Set(_)
            | CqlType::Map(..)
            | CqlType::Vector(..)
            | CqlType::Tuple(_)
            | CqlType::Udt { .. }
            | CqlType::Composite(_) => return self.take_elements(reader),
            _ => reader.escaped()?,
        };
        Some(Some(value))
    }

    fn take_elements(&self, reader: &mut Reader<'_, '_>) -> Option<Option<Vec<u8>>> {
        let mut parts = Vec::new();
        let mut is_whole = true;
        loop {
            match self {
                CqlType::Vector(_, dimension) if parts.len() == *dimension => break,
                CqlType::Vector(..) => {}
                _ if reader.bytes.first() == Some(&(END ^ reader.mask)) => {
                    reader.byte()?;
                    break;
                }
                _ => {}
            }
            match element_type(self, parts.len())?.take_key(reader)? {
                Taken::Null => parts.push(None),
                Taken::Value(part) => {
                    is_whole &= part.is_some();
                    // In place of a part that can't be given back; the whole can't either, then.
                    parts.push(Some(part.unwrap_or_default()));
                }
            }
        }
        Some(join(self, &parts).filter(|_| is_whole))
    }
}

/// What a sort key says of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Null.
    Null,
    /// A value: its bytes, or `None` where the sort key tells only its place in the order. The bytes may be others than
    /// those pushed, of an equal value.
    Value(Option<Vec<u8>>),
}

fn push_escaped(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 1]);
}

fn push_decimal(value: &[u8], out: &mut Vec<u8>) {
    let Some(decimal) = Decimal::read(value).filter(|decimal| decimal.sign != 0) else {
        out.push(2);
        return;
    };
    out.push(if decimal.sign < 0 { 1 } else { 3 });
    let start = out.len();
    out.extend_from_slice(&(decimal.exponent ^ i64::MIN).to_be_bytes());
    out.extend_from_slice(&decimal.digits);
    out.push(END);
    if decimal.sign < 0 {
        for byte in out.get_mut(start..).unwrap_or_default() {
            *byte = !*byte;
        }
    }
}

/// Reads bytes, each under a mask that undoes the complement of a Reversed type.
struct Reader<'r, 'b> {
    bytes: &'r mut &'b [u8],
    mask: u8,
}

impl Reader<'_, '_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        *self.bytes = rest;
        Some(first ^ self.mask)
    }

    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let (head, tail) = self.bytes.split_at_checked(len)?;
        *self.bytes = tail;
        Some(head.iter().map(|byte| byte ^ self.mask).collect())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn signed(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut value = self.take(len)?;
        *value.first_mut()? ^= 0x80;
        Some(value)
    }

    fn escaped(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            match self.byte()? {
                0 => match self.byte()? {
                    0xff => out.push(0),
                    1 => return Some(out),
                    _ => return None,
                },
                byte => out.push(byte),
            }
        }
    }

    fn skip_decimal(&mut self) -> Option<()> {
        let end = match self.byte()? {
            1 => !END,
            2 => return Some(()),
            3 => END,
            _ => return None,
        };
        self.take(8)?;
        while self.byte()? != end {}
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CqlType;
    use super::super::samples::{Random, types, value};
    use std::cmp::Ordering;

    const VALUES: usize = if cfg!(debug_assertions) { 60 } else { 400 };

    #[test]
    fn memcmp_is_the_order_of_values_and_values_come_back() {
        let mut random = Random(1);
        for t in types() {
            let mut values: Vec<Option<Vec<u8>>> =
                (0..VALUES).map(|_| Some(value(&t, &mut random))).collect();
            values.push(None);
            let encode = |value: &Option<Vec<u8>>| {
                let mut out = vec![0xaa];
                t.push_ordered(value.as_deref(), &mut out);
                assert!(!matches!(out[1], 0 | 0xff));
                out.split_off(1)
            };
            let keys: Vec<_> = values.iter().map(encode).collect();
            for (value, key) in values.iter().zip(&keys) {
                let mut bytes = [key.as_slice(), b"tail"].concat();
                let mut rest = bytes.as_slice();
                assert_eq!(
                    t.take_ordered(&mut rest).as_ref(),
                    Some(value),
                    "{t:?} {key:?}"
                );
                assert_eq!(rest, b"tail");
                bytes.truncate(key.len() - 1);
                assert_eq!(t.take_ordered(&mut bytes.as_slice()), None, "{t:?} {key:?}");
            }
            for (a, key_a) in values.iter().zip(&keys) {
                for (b, key_b) in values.iter().zip(&keys) {
                    let order = t.compare_nullable(a.as_deref(), b.as_deref());
                    let sort_key = |value: &Option<Vec<u8>>| {
                        let mut out = Vec::new();
                        t.push_sort_key(value.as_deref(), &mut out);
                        out
                    };
                    assert_eq!(sort_key(a).cmp(&sort_key(b)), order, "{t:?} {a:?} {b:?}");
                    match order {
                        // Bytes tell equal values apart, and nothing else does.
                        Ordering::Equal => assert_eq!(key_a == key_b, a == b, "{t:?} {a:?} {b:?}"),
                        order => assert_eq!(key_a.cmp(key_b), order, "{t:?} {a:?} {b:?}"),
                    }
                    if order == Ordering::Equal && t.is_exact() {
                        assert_eq!(a, b, "{t:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_are_ordered_as_their_types_are() {
        let mut random = Random(3);
        let all: Vec<_> = types()
            .into_iter()
            .flat_map(|t| [t.clone(), CqlType::Reversed(Box::new(t))])
            .collect();
        let numbers = all.iter().filter_map(|t| Some((t, t.as_number()?)));
        let mut lens = Vec::new();
        for (t, number) in numbers {
            for _ in 0..VALUES {
                let value = random.bytes(number.len as u64);
                let mut sort_key = Vec::new();
                t.push_sort_key(Some(&value), &mut sort_key);
                let (tag, content) = sort_key.split_first().unwrap();
                let flipped = &number.flipped.to_be_bytes()[8 - number.len..];
                let expected: Vec<u8> = value.iter().zip(flipped).map(|(v, f)| v ^ f).collect();
                assert_eq!((*tag, content), (number.tag, expected.as_slice()), "{t:?}");
            }
            lens.push(number.len);
        }
        for len in [1, 2, 4, 8] {
            assert!(lens.contains(&len), "no number of {len} bytes");
        }
    }

    #[test]
    fn any_bytes_are_refused_or_taken_without_a_panic() {
        let mut random = Random(2);
        for t in types() {
            for _ in 0..VALUES {
                let len = random.below(24);
                let mut bytes = random.bytes(len);
                if let Some(first) = bytes.first_mut() {
                    *first = 1 + random.below(4) as u8;
                }
                let _ = t.take_ordered(&mut bytes.as_slice());
                let bytes: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
                let _ = t.take_ordered(&mut bytes.as_slice());
            }
        }
    }
}
