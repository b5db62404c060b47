//! Integers as Cassandra writes them: big-endian, and its own variable-length form.
//!
//! An unsigned vint says in the leading one bits of its first byte how many bytes follow; the rest of the first byte are the
//! highest bits of the value, the bytes after it the lower ones, big-endian. `0xff` means that eight bytes follow.
//!
//! ```text
//! 0xxxxxxx                     7 bits
//! 10xxxxxx x1                 14 bits
//! 110xxxxx x1 x2              21 bits
//! ...
//! 11111111 x1 .. x8           64 bits
//! ```

use crate::file::cursor::Cursor;

/// Reads an unsigned vint.
#[inline]
pub fn uvint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut len = 0;
    let value = uvint_at(cursor.rest(), &mut len)?;
    cursor.take(len as u64)?;
    Some(value)
}

/// Takes an unsigned vint from the front of bytes.
#[inline(always)]
pub fn take_uvint(bytes: &mut &[u8]) -> Option<u64> {
    let mut len = 0;
    let value = uvint_at(bytes, &mut len)?;
    *bytes = bytes.get(len..)?;
    Some(value)
}

/// Reads the unsigned vint that stands at a place of bytes, and moves the place behind it.
#[inline(always)]
pub fn uvint_at(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    if first < 0x80 {
        *at += 1;
        return Some(first.into());
    }
    if first < 0xc0 {
        let second = *bytes.get(*at + 1)?;
        *at += 2;
        return Some(u64::from(first & 0x3f) << 8 | u64::from(second));
    }
    let vint = bytes.get(*at..)?;
    let extra = first.leading_ones() as usize;
    // In one piece, but for the longest and those near the end of the bytes.
    let value = match vint.first_chunk() {
        Some(ahead) if extra < 8 => {
            let bits = u64::from_be_bytes(*ahead) >> (56 - 8 * extra);
            bits & ((1 << (7 * extra + 7)) - 1)
        }
        _ => long_uvint(first, vint.get(1..=extra)?),
    };
    *at += 1 + extra;
    Some(value)
}

/// The value of a vint, by its first byte and the others.
#[cold]
fn long_uvint(first: u8, others: &[u8]) -> u64 {
    let head = 0xffu8.checked_shr(first.leading_ones()).unwrap_or(0) & first;
    let push = |value, &byte: &u8| value << 8 | u64::from(byte);
    others.iter().fold(u64::from(head), push)
}

/// Reads a signed vint: an unsigned one whose lowest bit is the sign.
pub fn svint(cursor: &mut Cursor<'_>) -> Option<i64> {
    let zigzag = uvint(cursor)?;
    Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

/// Reads an unsigned vint that is a length, then so many bytes.
#[inline]
pub fn uvint_prefixed<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = uvint(cursor)?;
    cursor.take(len)
}

/// Reads a u16.
#[inline]
pub fn u16(cursor: &mut Cursor<'_>) -> Option<u16> {
    cursor.array().map(u16::from_be_bytes)
}

/// Reads a u32.
pub fn u32(cursor: &mut Cursor<'_>) -> Option<u32> {
    cursor.array().map(u32::from_be_bytes)
}

/// Reads an i64.
pub fn i64(cursor: &mut Cursor<'_>) -> Option<i64> {
    cursor.array().map(i64::from_be_bytes)
}

/// Reads a length of two bytes, then so many bytes.
#[inline]
pub fn u16_prefixed<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = u16(cursor)?;
    cursor.take(u64::from(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_vint_is_not_of_it() {
        for (bytes, value) in [
            (vec![0xbf, 0xff], 0x3fff),
            (vec![0xc1, 0x00, 0x02], 0x1_0002),
            (vec![0xfe, 1, 2, 3, 4, 5, 6, 7], 0x0001_0203_0405_0607),
            (vec![0xff, 1, 2, 3, 4, 5, 6, 7, 8], 0x0102_0304_0506_0708),
        ] {
            for behind in 0..9 {
                let with_more = [bytes.clone(), vec![0xaa; behind]].concat();
                let mut cursor = Cursor::new(&with_more);
                assert_eq!(uvint(&mut cursor), Some(value));
                assert_eq!(cursor.position(), bytes.len());
            }
        }
    }

    #[test]
    fn vints_of_every_length() {
        let read = |bytes: &[u8]| uvint(&mut Cursor::new(bytes));
        assert_eq!(read(&[0x7f]), Some(127));
        assert_eq!(read(&[0x80, 0x80]), Some(128));
        assert_eq!(read(&[0xc1, 0x00, 0x02]), Some(0x1_0002));
        assert_eq!(
            read(&[0xfe, 1, 2, 3, 4, 5, 6, 7]),
            Some(0x0001_0203_0405_0607)
        );
        assert_eq!(read(&[0xff; 9]), Some(u64::MAX));
        assert_eq!(read(&[0xff; 8]), None);
        assert_eq!(read(&[]), None);
    }
}
