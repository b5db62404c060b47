//! Values that are made of values: what stands where.
//!
//! ```text
//! list, set   i32 count, then each element: i32 length (-1 null), bytes
//! map         i32 count, then each key and value likewise
//! tuple, UDT  each field: i32 length (-1 null), bytes; fields at the end may be absent
//! vector      elements of a fixed length one after another; others each with a uvint length before it
//! composite   each part: u16 length, bytes, 00
//! ```
//!
//! All big-endian. A uvint's first byte starts with as many one bits as bytes follow it.

use super::super::wire::take_uvint;
use super::CqlType;

/// Takes `len` bytes.
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(len)?;
    *bytes = tail;
    Some(head)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    take(bytes, N)?.try_into().ok()
}

/// Appends an unsigned vint.
pub fn push_uvint(out: &mut Vec<u8>, value: u64) {
    let bits = 64 - (value | 1).leading_zeros();
    // Each byte behind the first brings seven bits more; the ninth byte brings eight.
    let extra = ((bits - 1) / 7).min(8) as usize;
    let bytes = value.to_be_bytes();
    match extra {
        8 => {
            out.push(0xff);
            out.extend_from_slice(&bytes);
        }
        _ => {
            let start = out.len();
            out.extend(bytes.iter().skip(7 - extra));
            if let Some(first) = out.get_mut(start) {
                *first |= !(0xff_u8 >> extra);
            }
        }
    }
}

/// Takes a signed vint.
pub fn take_vint(bytes: &mut &[u8]) -> Option<i64> {
    let value = take_uvint(bytes)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// Appends a signed vint.
pub fn push_vint(out: &mut Vec<u8>, value: i64) {
    push_uvint(out, (value << 1 ^ value >> 63) as u64);
}

/// Takes a value behind its length of 32 bits; `Some(None)` is null.
fn take_sized<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match i32::from_be_bytes(take_array(bytes)?) {
        -1 => Some(None),
        len => take(bytes, usize::try_from(len).ok()?).map(Some),
    }
}

/// The values inside a value, in order; `None` where the bytes are not of this type. A map gives keys and values in turn,
/// a tuple no more fields than the value has.
pub fn split<'a>(t: &CqlType, value: &'a [u8]) -> Option<Vec<Option<&'a [u8]>>> {
    let bytes = &mut { value };
    let mut out = Vec::new();
    match t {
        CqlType::List(_) | CqlType::Set(_) | CqlType::Map(..) => {
            let count = i32::from_be_bytes(take_array(bytes)?);
            let per_entry = if matches!(t, CqlType::Map(..)) { 2 } else { 1 };
            let count = u64::try_from(count).ok()?.checked_mul(per_entry)?;
            for _ in 0..count {
                out.push(take_sized(bytes)?);
            }
        }
        CqlType::Tuple(_) | CqlType::Udt { .. } => {
            while !bytes.is_empty() && out.len() < count_max(t) {
                out.push(take_sized(bytes)?);
            }
        }
        CqlType::Vector(element, dimension) => match element.fixed_len() {
            // Nothing to take, however many there are.
            Some(0) => {}
            fixed => {
                for _ in 0..*dimension {
                    let len = match fixed {
                        Some(len) => len,
                        None => usize::try_from(take_uvint(bytes)?).ok()?,
                    };
                    out.push(Some(take(bytes, len)?));
                }
            }
        },
        CqlType::Composite(_) => {
            while !bytes.is_empty() && out.len() < count_max(t) {
                let len = u16::from_be_bytes(take_array(bytes)?);
                out.push(Some(take(bytes, len.into())?));
                if take(bytes, 1)? != [0] {
                    return None;
                }
            }
        }
        _ => return None,
    }
    bytes.is_empty().then_some(out)
}

/// Puts together what [`split`] takes apart; `None` where a part is too long.
pub fn join(t: &CqlType, parts: &[Option<Vec<u8>>]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let count = match t {
        CqlType::List(_) | CqlType::Set(_) => Some(parts.len()),
        CqlType::Map(..) => Some(parts.len() / 2),
        _ => None,
    };
    if let Some(count) = count {
        out.extend_from_slice(&i32::try_from(count).ok()?.to_be_bytes());
    }
    for part in parts {
        let part = part.as_deref();
        match t {
            CqlType::Vector(element, _) => {
                let part = part?;
                if element.fixed_len().is_none() {
                    push_uvint(&mut out, part.len() as u64);
                }
                out.extend_from_slice(part);
            }
            CqlType::Composite(_) => {
                let part = part?;
                out.extend_from_slice(&u16::try_from(part.len()).ok()?.to_be_bytes());
                out.extend_from_slice(part);
                out.push(0);
            }
            _ => match part {
                None => out.extend_from_slice(&(-1i32).to_be_bytes()),
                Some(part) => {
                    out.extend_from_slice(&i32::try_from(part.len()).ok()?.to_be_bytes());
                    out.extend_from_slice(part);
                }
            },
        }
    }
    Some(out)
}

/// How many values a value of this type has at most.
fn count_max(t: &CqlType) -> usize {
    match t {
        CqlType::Tuple(types) | CqlType::Composite(types) => types.len(),
        CqlType::Udt { fields, .. } => fields.len(),
        CqlType::Vector(_, dimension) => *dimension,
        _ => usize::MAX,
    }
}

/// Type of the value at an index of [`split`].
pub fn element_type(t: &CqlType, at: usize) -> Option<&CqlType> {
    match t {
        CqlType::List(t) | CqlType::Set(t) | CqlType::Vector(t, _) => Some(t),
        CqlType::Map(key, value) => Some(if at.is_multiple_of(2) { key } else { value }),
        CqlType::Tuple(types) | CqlType::Composite(types) => types.get(at),
        CqlType::Udt { fields, .. } => fields.get(at).map(|(_, t)| t),
        _ => None,
    }
}

/// Whether bytes, at least one, are a value of this type as far as its order is concerned.
pub fn is_valid(t: &CqlType, value: &[u8]) -> bool {
    match t {
        CqlType::Reversed(t) | CqlType::Frozen(t) => is_valid(t, value),
        CqlType::Ascii
        | CqlType::Text
        | CqlType::Blob
        | CqlType::Inet
        | CqlType::Duration
        | CqlType::Counter
        | CqlType::Varint
        | CqlType::Custom(_) => true,
        CqlType::Decimal => value.len() > 4,
        CqlType::Tinyint => value.len() == 1,
        CqlType::Smallint => value.len() == 2,
        CqlType::Date | CqlType::Int => value.len() == 4,
        CqlType::Time | CqlType::Bigint | CqlType::Timestamp => value.len() == 8,
        CqlType::Empty => false,
        _ => match split(t, value) {
            Some(parts) => parts.iter().enumerate().all(|(at, part)| {
                part.is_none_or(|part| {
                    part.is_empty() || element_type(t, at).is_some_and(|t| is_valid(t, part))
                })
            }),
            None => t.fixed_len() == Some(value.len()) && !matches!(t, CqlType::Vector(..)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vints_round_trip() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                push_uvint(&mut bytes, value);
                assert_eq!(take_uvint(&mut bytes.as_slice()), Some(value));
                assert_eq!(take_uvint(&mut &bytes[..bytes.len() - 1]), None);
                bytes.clear();
                push_vint(&mut bytes, value as i64);
                assert_eq!(take_vint(&mut bytes.as_slice()), Some(value as i64));
            }
        }
        let mut bytes = Vec::new();
        push_uvint(&mut bytes, 0x80);
        assert_eq!(bytes, [0x80, 0x80]);
        bytes.clear();
        push_uvint(&mut bytes, 0x4000);
        assert_eq!(bytes, [0xc0, 0x40, 0x00]);
    }

    #[test]
    fn counts_beyond_the_bytes_are_refused() {
        let list = CqlType::List(Box::new(CqlType::Int));
        assert_eq!(split(&list, &[0x7f, 0xff, 0xff, 0xff]), None);
        assert_eq!(split(&list, &[0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(split(&list, &[0, 0, 0, 0, 1]), None);
        let vector = CqlType::Vector(Box::new(CqlType::Empty), usize::MAX);
        assert_eq!(split(&vector, &[]), Some(vec![]));
        let vector = CqlType::Vector(Box::new(CqlType::Text), usize::MAX);
        assert_eq!(split(&vector, &[0, 0]), None);
    }
}
