//! Checked reads over a byte slice: every read says `None` where the bytes run out, and never panics.

/// Reads little-endian integers, varints and byte strings from the front of a slice.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the front of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor {
            rest: bytes,
            len: bytes.len(),
        }
    }

    /// Bytes read so far: the offset of the next read, for error messages.
    #[inline]
    pub fn position(&self) -> usize {
        self.len - self.rest.len()
    }

    /// The bytes not yet read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all is read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads `len` bytes.
    #[inline]
    pub fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Reads `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Reads a little-endian u16.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Reads a little-endian u32.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads a little-endian u64.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads a little-endian u128.
    pub fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    /// Reads a base-128 varint, low group first, of at most ten bytes; `None` also where it overflows 64 bits.
    #[inline]
    pub fn varint(&mut self) -> Option<u64> {
        match self.rest.split_first() {
            Some((first @ ..0x80, rest)) => {
                self.rest = rest;
                Some(u64::from(*first))
            }
            _ => self.varint_long(),
        }
    }

    fn varint_long(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Reads a varint that must fit 32 bits.
    pub fn varint32(&mut self) -> Option<u32> {
        self.varint().and_then(|value| u32::try_from(value).ok())
    }

    /// Reads a varint length, then that many bytes.
    #[inline]
    pub fn length_prefixed(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(len)
    }
}

/// Appends a base-128 varint, low group first.
#[inline]
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that are copied in one piece, without a call.
const PIECE_BYTES: usize = 16;

/// Appends the first `len` bytes of `bytes`; few of many in one piece.
#[inline]
pub fn push_front(out: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match bytes.first_chunk::<PIECE_BYTES>() {
        Some(piece) if len <= piece.len() => {
            let end = out.len() + len;
            out.extend_from_slice(piece);
            out.truncate(end);
        }
        _ => out.extend_from_slice(bytes.get(..len).unwrap_or(bytes)),
    }
}

/// Room to write bytes into, which is made once for many pieces.
#[derive(Default)]
pub struct Room<'a> {
    rest: &'a mut [u8],
}

impl<'a> Room<'a> {
    /// All of `bytes` can be written over.
    #[inline]
    pub fn new(bytes: &'a mut [u8]) -> Room<'a> {
        Room { rest: bytes }
    }

    /// Writes bytes; `None` where there is no room for them.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let (piece, rest) = std::mem::take(&mut self.rest).split_at_mut_checked(bytes.len())?;
        piece.copy_from_slice(bytes);
        self.rest = rest;
        Some(())
    }

    /// Has `write` write a piece and say how many bytes of it count; the others will be written over. `None` where there is no room for
    /// a piece.
    #[inline(always)]
    pub fn push_piece<const N: usize>(
        &mut self,
        write: impl FnOnce(&mut [u8; N]) -> usize,
    ) -> Option<()> {
        let rest = std::mem::take(&mut self.rest);
        let len = write(rest.first_chunk_mut()?);
        self.rest = rest.get_mut(len..)?;
        Some(())
    }

    /// Bytes that can yet be written.
    #[inline]
    pub fn left(&self) -> usize {
        self.rest.len()
    }
}

/// Appends a varint length, then the bytes.
pub fn push_length_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_and_refuse_overflow() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                push_varint(&mut bytes, value);
                let mut cursor = Cursor::new(&bytes);
                assert_eq!(cursor.varint(), Some(value));
                assert!(cursor.is_empty());
                assert_eq!(Cursor::new(&bytes[..bytes.len() - 1]).varint(), None);
            }
        }
        assert_eq!(Cursor::new(&[0xff; 10]).varint(), None);
        assert_eq!(Cursor::new(&[0x80; 11]).varint(), None);
    }

    #[test]
    fn reads_stop_at_the_end() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(cursor.u16(), Some(0x0201));
        assert_eq!(cursor.u32(), None);
        assert_eq!(cursor.position(), 2);
        assert_eq!(cursor.take(u64::MAX), None);
        assert_eq!(cursor.length_prefixed(), None);
    }
}
