//! The inside of a block: entries with shared key prefixes, then the restart points.
//!
//! An entry is varint32 shared, varint32 unshared, varint32 value length, the key's unshared bytes, the value. Behind the entries
//! lie the restart offsets (u32 each), an optional hash index, and a u32: the number of restarts, with bit 31 for the
//! hash index.

use crate::file::cursor::Cursor;

/// What is wrong inside a block; the caller adds file and offset.
pub type Bad = &'static str;

/// Where the parts of a block lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of entries, from the block's start.
    pub entries_end: usize,
    /// Number of restart offsets that follow.
    pub restarts: usize,
}

impl Layout {
    /// Reads the layout of a decompressed block.
    pub fn of(block: &[u8]) -> Result<Layout, Bad> {
        const SHORT: Bad = "the block is too short for its restart points";
        let (body, packed) = block.split_last_chunk::<4>().ok_or(SHORT)?;
        let packed = u32::from_le_bytes(*packed);
        let restarts = (packed & 0x7fff_ffff) as usize;
        let mut end = body.len();
        if packed >> 31 != 0 {
            let (_, buckets) = body.split_last_chunk::<2>().ok_or(SHORT)?;
            let buckets = usize::from(u16::from_le_bytes(*buckets));
            end = end.checked_sub(2 + buckets).ok_or(SHORT)?;
        }
        let entries_end = restarts
            .checked_mul(4)
            .and_then(|bytes| end.checked_sub(bytes))
            .ok_or(SHORT)?;
        if restarts == 0 && entries_end > 0 {
            return Err("the block has entries but no restart point");
        }
        Ok(Layout {
            entries_end,
            restarts,
        })
    }

    /// Returns the offset of a restart point.
    pub fn restart(&self, block: &[u8], number: usize) -> Option<usize> {
        let at = self.entries_end.checked_add(number.checked_mul(4)?)?;
        let bytes = block.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes) as usize)
    }
}

/// Walks the entries of a small block: metaindex, properties, range deletions.
pub struct Entries<'a> {
    cursor: Cursor<'a>,
    key: Vec<u8>,
    key_bytes_max: u64,
}

impl<'a> Entries<'a> {
    /// Starts at the first entry of `block`.
    pub fn new(block: &'a [u8], key_bytes_max: u64) -> Result<Entries<'a>, Bad> {
        let layout = Layout::of(block)?;
        Ok(Entries {
            cursor: Cursor::new(block.get(..layout.entries_end).unwrap_or_default()),
            key: Vec::new(),
            key_bytes_max,
        })
    }

    /// Reads the next entry: its value. The key is in [`Entries::key`].
    pub fn next(&mut self) -> Result<Option<&'a [u8]>, Bad> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        self.read().map(Some).ok_or("an entry leaves its block")
    }

    fn read(&mut self) -> Option<&'a [u8]> {
        let shared = self.cursor.varint32()? as usize;
        let unshared = self.cursor.varint32()?;
        let value_len = self.cursor.varint32()?;
        extend_key(
            &mut self.key,
            shared,
            self.cursor.take(unshared.into())?,
            self.key_bytes_max,
        )?;
        self.cursor.take(value_len.into())
    }

    /// The key of the entry that was read last.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Offset in the block of the next entry, in bytes.
    pub fn position(&self) -> usize {
        self.cursor.position()
    }
}

/// Turns the previous key into the next one.
pub fn extend_key(
    key: &mut Vec<u8>,
    shared: usize,
    suffix: &[u8],
    key_bytes_max: u64,
) -> Option<()> {
    if shared > key.len() || (shared as u64).saturating_add(suffix.len() as u64) > key_bytes_max {
        return None;
    }
    key.truncate(shared);
    key.extend_from_slice(suffix);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_refuses_what_does_not_fit() {
        assert!(Layout::of(&[]).is_err());
        assert!(Layout::of(&[1, 0, 0]).is_err());
        assert!(Layout::of(&[1, 0, 0, 0]).is_err());
        assert!(Layout::of(&[0xff, 0xff, 0xff, 0x7f]).is_err());
        assert!(Layout::of(&[9, 0, 0, 0, 0]).is_err());
        // One restart, a hash index of three buckets.
        let block = [0, 0, 0, 0, 1, 2, 3, 3, 0, 1, 0, 0, 0x80];
        let layout = Layout::of(&block).unwrap();
        assert_eq!((layout.entries_end, layout.restarts), (0, 1));
        assert_eq!(layout.restart(&block, 0), Some(0));
        assert!(Layout::of(&block[6..]).is_err());
    }

    #[test]
    fn entries_share_prefixes() {
        let block = [
            0, 2, 1, b'a', b'b', b'1', 1, 1, 0, b'c', 0, 0, 0, 0, 1, 0, 0, 0,
        ];
        let mut entries = Entries::new(&block, 100).unwrap();
        assert_eq!(entries.next().unwrap(), Some(&b"1"[..]));
        assert_eq!(entries.key(), b"ab");
        assert_eq!(entries.next().unwrap(), Some(&b""[..]));
        assert_eq!(entries.key(), b"ac");
        assert_eq!(entries.next().unwrap(), None);
        let mut entries = Entries::new(&block, 1).unwrap();
        assert!(entries.next().is_err());
    }
}
