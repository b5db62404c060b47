//! Records without quotes, cut at places that are known already.

use super::cut::{Fault, Text, null_key};

/// A record without quotes, and the places between its fields.
pub(super) struct Plain<'a> {
    bytes: &'a [u8],
    places: &'a [u32],
    /// End of the last field.
    end: usize,
}

impl<'a> Plain<'a> {
    /// `None` where the places do not enclose one record: `places` are the start and as many ends as there are columns.
    #[inline(always)]
    pub fn new(bytes: &'a [u8], places: &'a [u32], delimiter: u8) -> Option<Plain<'a>> {
        let (&behind, inner) = places.split_last()?;
        let inner = inner.get(1..)?;
        let byte_before = |place: u32| bytes.get((place as usize).wrapping_sub(1)).copied();
        if byte_before(behind) != Some(b'\n') {
            return None;
        }
        for &place in inner {
            if byte_before(place) != Some(delimiter) {
                return None;
            }
        }
        let last_start = *inner.last().or(places.first())? as usize;
        let mut end = behind as usize - 1;
        if end > last_start && bytes.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        Some(Plain { bytes, places, end })
    }

    /// Where it starts, from the front of the bytes.
    #[inline(always)]
    pub fn start(&self) -> u32 {
        self.places.first().copied().unwrap_or_default()
    }

    /// Start and end of a field.
    #[inline(always)]
    fn bounds(&self, column: usize) -> (usize, usize) {
        match self.places.get(column..) {
            Some([start, _]) => (*start as usize, self.end),
            Some([start, next, ..]) => (*start as usize, *next as usize - 1),
            _ => (0, 0),
        }
    }

    /// A field's bytes.
    #[inline(always)]
    pub fn field(&self, column: usize) -> &'a [u8] {
        let (start, end) = self.bounds(column);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Whether a column of the key is NULL.
    pub fn null_in_key(&self, text: &Text, offset: u64) -> Option<Fault> {
        text.columns
            .key
            .iter()
            .find(|&&column| text.is_null(self.field(column)))
            .map(|&column| null_key(text, column, offset))
    }

    /// Writes the value's columns to the front of `room`, which is long enough; returns the length.
    #[inline(always)]
    pub fn write_value(&self, room: &mut [u8], text: &Text) -> usize {
        let mut len = 0;
        for &column in &text.columns.value {
            let (start, end) = self.bounds(column);
            if text.null.is_some() && text.is_null(self.bytes.get(start..end).unwrap_or_default()) {
                if let Some(byte) = room.get_mut(len) {
                    *byte = 0;
                }
                len += 1;
                continue;
            }
            let field_len = end - start;
            if field_len < 0x7f {
                if let Some(byte) = room.get_mut(len) {
                    *byte = field_len as u8 + 1;
                }
                len += 1;
            } else {
                len += write_varint(
                    room.get_mut(len..).unwrap_or_default(),
                    field_len as u64 + 1,
                );
            }
            copy(room, len, self.bytes, start, field_len);
            len += field_len;
        }
        len
    }
}

/// Copies `len` bytes from `from` of `bytes` to `to` of `room`; short ones in one fixed step, which may write past the end.
#[inline(always)]
fn copy(room: &mut [u8], to: usize, bytes: &[u8], from: usize, len: usize) {
    let (Some(room), Some(bytes)) = (room.get_mut(to..), bytes.get(from..)) else {
        return;
    };
    if len <= 32
        && let Some(source) = bytes.first_chunk::<32>()
        && let Some(target) = room.first_chunk_mut::<32>()
    {
        *target = *source;
    } else if len <= 64
        && let Some(source) = bytes.first_chunk::<64>()
        && let Some(target) = room.first_chunk_mut::<64>()
    {
        *target = *source;
    } else if let (Some(source), Some(target)) = (bytes.get(..len), room.get_mut(..len)) {
        target.copy_from_slice(source);
    }
}

fn write_varint(room: &mut [u8], mut value: u64) -> usize {
    let mut len = 0;
    for slot in room {
        len += 1;
        *slot = value as u8 & 0x7f;
        value >>= 7;
        if value == 0 {
            break;
        }
        *slot |= 0x80;
    }
    len
}
