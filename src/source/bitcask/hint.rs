//! Hint files: the keys of a closed data file and their places. They are read for what they tell of the data file, never believed
//! in its place.
//!
//! ```text
//! timestamp u32, key size u16, entry size u32, tombstone bit and offset u63, key
//! ...
//! 0 u32, 0 u16, CRC-32 of all before u32, 2^63 - 1                                   the last one
//! ```

use std::path::Path;

use super::entry::crc32;
use crate::error::{ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::input::{FileOptions, Input};

const LAST_BYTES: u64 = 18;
const OFFSET: u64 = (1 << 63) - 1;

/// What the hint of a data file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    /// Where the last entry that it tells of ends in the data file.
    pub end: u64,
    /// How many it tells of.
    pub entries: u64,
}

/// Reads the hint at `path` and shows its keys to `visit`; `None` where there is none, or it was not finished, or it is damaged: then
/// the data file alone counts, as for Bitcask.
///
/// # Errors
///
/// I/O errors.
pub fn read(path: &Path, options: &FileOptions, visit: &mut dyn FnMut(&[u8])) -> Result<Option<Hint>> {
    if !path.is_file() {
        return Ok(None);
    }
    let input = match Input::open_plain(path, options) {
        Ok(input) => input,
        // A merge removed it just now.
        Err(error) if matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut scratch = Vec::new();
    let bytes = match input.mapped() {
        Some(bytes) => bytes,
        None => input.read(0, input.len(), &mut scratch)?,
    };
    let hint = parse(bytes, visit);
    input.check_unchanged()?;
    Ok(hint)
}

fn parse(bytes: &[u8], visit: &mut dyn FnMut(&[u8])) -> Option<Hint> {
    let records = bytes.len().checked_sub(LAST_BYTES as usize)?;
    let (records, last) = bytes.split_at_checked(records)?;
    let mut cursor = Cursor::new(last);
    let zeros: [u8; 6] = cursor.array()?;
    let crc = u32::from_be_bytes(cursor.array()?);
    let offset = u64::from_be_bytes(cursor.array()?);
    if zeros != [0; 6] || offset & OFFSET != OFFSET || crc != crc32(records) {
        return None;
    }
    let mut cursor = Cursor::new(records);
    let mut hint = Hint::default();
    while !cursor.is_empty() {
        let _timestamp = cursor.take(4)?;
        let key_bytes = u16::from_be_bytes(cursor.array()?);
        let entry_bytes = u32::from_be_bytes(cursor.array()?);
        let offset = u64::from_be_bytes(cursor.array()?) & OFFSET;
        visit(cursor.take(key_bytes.into())?);
        hint.entries += 1;
        hint.end = hint.end.max(offset.saturating_add(entry_bytes.into()));
    }
    Some(hint)
}
