//! Hint files: the keys of a closed data file and their places. They are read for what they tell of the data file, never believed
//! in its place.
//!
//! ```text
//! timestamp u32, key size u16, entry size u32, tombstone bit and offset u63, key
//! ...
//! 0 u32, 0 u16, CRC-32 of all before u32, 2^63 - 1                                   the last one
//! ```

use std::path::Path;

use crate::error::{ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::input::{FileOptions, Input};

/// Bytes of a record before its key.
const RECORD_BYTES: u64 = 18;
/// Bytes that are hashed at a time.
const WINDOW_BYTES: u64 = 1 << 20;
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
pub fn read(
    path: &Path,
    options: &FileOptions,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<Option<Hint>> {
    if !path.is_file() {
        return Ok(None);
    }
    let input = match Input::open_plain(path, options) {
        Ok(input) => input,
        // A merge removed it just now.
        Err(error) if matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let hint = parse(&input, visit)?;
    input.check_unchanged()?;
    Ok(hint)
}

fn parse(input: &Input, visit: &mut dyn FnMut(&[u8])) -> Result<Option<Hint>> {
    let Some(end) = input.len().checked_sub(RECORD_BYTES) else {
        return Ok(None);
    };
    let mut scratch = Vec::new();
    let last = Record::parse(input.read(end, RECORD_BYTES, &mut scratch)?);
    let is_last =
        |last: &Record| last.timestamp == 0 && last.key_bytes == 0 && last.offset == OFFSET;
    let Some(last) = last.filter(is_last) else {
        return Ok(None);
    };
    let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc);
    let mut at = 0;
    while at < end {
        let bytes = input.read(at, WINDOW_BYTES.min(end - at), &mut scratch)?;
        crc.update(bytes);
        at += bytes.len() as u64;
    }
    if crc.finalize() != u64::from(last.entry_bytes) {
        return Ok(None);
    }
    let mut hint = Hint::default();
    let mut at = 0;
    while at < end {
        if end - at < RECORD_BYTES {
            return Ok(None);
        }
        let record = Record::parse(input.read(at, RECORD_BYTES, &mut scratch)?);
        at += RECORD_BYTES;
        let Some(record) = record.filter(|record| record.key_bytes <= end - at) else {
            return Ok(None);
        };
        visit(input.read(at, record.key_bytes, &mut scratch)?);
        at += record.key_bytes;
        hint.entries += 1;
        let entry_end = record.offset.saturating_add(record.entry_bytes.into());
        hint.end = hint.end.max(entry_end);
    }
    Ok(Some(hint))
}

/// One record, without its key.
struct Record {
    timestamp: u32,
    key_bytes: u64,
    entry_bytes: u32,
    offset: u64,
}

impl Record {
    fn parse(bytes: &[u8]) -> Option<Record> {
        let mut cursor = Cursor::new(bytes);
        Some(Record {
            timestamp: u32::from_be_bytes(cursor.array()?),
            key_bytes: u16::from_be_bytes(cursor.array()?).into(),
            entry_bytes: u32::from_be_bytes(cursor.array()?),
            offset: u64::from_be_bytes(cursor.array()?) & OFFSET,
        })
    }
}
