//! A data file: where its sound part ends, and its entries.
//!
//! A bad entry is one whose CRC is wrong, or that reaches behind the end of the file. What it means:
//!
//! | where | what it is |
//! |---|---|
//! | in a file with a finished hint | damage: the file was closed in order |
//! | before a sound entry of the same file | damage: appending is all that Bitcask does |
//! | elsewhere, so at the end of a file that was not closed | a write that a crash tore: it and what follows is left out, with a warning |
//!
//! After a crash Bitcask goes on in a new file, so a torn end need not be in the newest one. Bitcask itself logs a bad entry in the middle,
//! skips it, and may so bring back an older value of its key; an operator wants to know, so it is an error here.

use std::path::{Path, PathBuf};

use super::entry::{CRC_BYTES, HEADER_BYTES, Header, crc32};
use super::folder::Listed;
use super::hint;
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::{FileOptions, Input};

/// Bytes that are hashed at most in search of a sound entry behind a bad one, before that is given up.
const SEARCH_BYTES: u64 = if cfg!(test) { 1 << 16 } else { 256 << 20 };

/// A data file whose end is known.
pub struct DataFile {
    /// As the folder shows it.
    pub listed: Listed,
    /// Where its sound part ends.
    pub end: u64,
    /// Entries, as far as they were counted.
    pub entries: u64,
}

/// An entry.
pub struct Entry<'e> {
    /// Its key.
    pub key: &'e [u8],
    /// Its value.
    pub value: &'e [u8],
}

impl DataFile {
    /// Finds where the sound part of a file ends; shows keys of it to `visit`, and says what was left out.
    ///
    /// # Errors
    ///
    /// Damaged; Limit; Changed; I/O errors.
    pub fn find_end(
        listed: Listed,
        options: &FileOptions,
        notes: &mut Vec<String>,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<DataFile> {
        if let Some(hint) = hint::read(&listed.hint(), options, visit)? {
            if hint.end > listed.len {
                let what = format!(
                    "the file is cut short: its hint file tells of entries up to {}",
                    hint.end
                );
                return Err(Error::damaged(&listed.path, listed.len, what));
            }
            return Ok(DataFile {
                end: listed.len,
                entries: hint.entries,
                listed,
            });
        }
        let mut found = DataFile {
            end: listed.len,
            entries: 0,
            listed,
        };
        let input = found.open(options)?;
        let mut reader = Reader::new(&input, input.len());
        let bad = loop {
            match reader.next() {
                Ok(Some((entry, _))) => {
                    visit(entry.key);
                    found.entries += 1;
                }
                Ok(None) => return Ok(found),
                Err(Stop::Failed(error)) => return Err(input.explain(error)),
                Err(Stop::Bad(offset, what)) => break (offset, what),
            }
        };
        let (offset, what) = bad;
        let left_out = input.len() - offset;
        match search(&input, offset + 1).map_err(|e| input.explain(e))? {
            Search::Found(sound) => {
                let what = format!("{what}, and a sound entry follows at {sound}");
                Err(Error::damaged(input.path(), offset, what))
            }
            Search::GaveUp => Err(Error::damaged(
                input.path(),
                offset,
                format!(
                    "{what}, and in the {left_out} bytes behind it no sound entry was found soon; if that is a write that a crash tore, cut a copy of the file here (truncate -s {offset})"
                ),
            )),
            Search::None => {
                input.check_unchanged()?;
                notes.push(format!(
                    "{}: {what} at offset {offset}, as a crash leaves it; the last {left_out} bytes are left out",
                    input.path().display()
                ));
                found.end = offset;
                Ok(found)
            }
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// I/O errors; Changed where it is not what it was.
    pub fn open(&self, options: &FileOptions) -> Result<Input> {
        let input = Input::open_plain(&self.listed.path, options)?;
        if input.len() != self.listed.len {
            return Err(changed(input.path(), &self.listed, input.len()));
        }
        Ok(input)
    }
}

fn changed(path: &Path, listed: &Listed, now: u64) -> Error {
    ErrorKind::Changed {
        path: PathBuf::from(path),
        what: format!("it had {} bytes and has {now} now", listed.len),
    }
    .into()
}

/// Reads the entries of a file one after the other.
pub struct Reader<'i> {
    input: &'i Input,
    at: u64,
    end: u64,
    scratch: Vec<u8>,
}

/// Why a reader stops.
pub enum Stop {
    /// The entry at this offset is bad.
    Bad(u64, &'static str),
    /// It can't be read.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl<'i> Reader<'i> {
    /// Reads from the front to `end`.
    pub fn new(input: &'i Input, end: u64) -> Reader<'i> {
        Reader {
            input,
            at: 0,
            end,
            scratch: Vec::new(),
        }
    }

    /// The next entry and its offset.
    ///
    /// # Errors
    ///
    /// Where it is bad, over a cap, or can't be read.
    pub fn next(&mut self) -> Result<Option<(Entry<'_>, u64)>, Stop> {
        let at = self.at;
        if at >= self.end {
            return Ok(None);
        }
        let left = self.end - at;
        if left < HEADER_BYTES {
            return Err(Stop::Bad(at, "the file ends within the header of an entry"));
        }
        let Some(header) = Header::parse(self.input.read(at, HEADER_BYTES, &mut self.scratch)?)
        else {
            return Err(Stop::Bad(at, "no header"));
        };
        if header.entry_bytes() > left {
            return Err(Stop::Bad(at, "an entry reaches behind the end of the file"));
        }
        let limits = self.input.limits();
        for (what, value, max) in [
            ("key bytes", header.key_bytes, limits.key_bytes_max),
            ("value bytes", header.value_bytes, limits.value_bytes_max),
        ] {
            if value > max {
                let error = ErrorKind::Limit {
                    path: self.input.path().to_owned(),
                    offset: at,
                    what,
                    value,
                    max,
                };
                return Err(Stop::Failed(error.into()));
            }
        }
        let checked = header.entry_bytes() - CRC_BYTES;
        let bytes = self
            .input
            .read(at + CRC_BYTES, checked, &mut self.scratch)?;
        if crc32(bytes) != header.crc {
            return Err(Stop::Bad(at, "the CRC of an entry is wrong"));
        }
        let data = bytes.get((HEADER_BYTES - CRC_BYTES) as usize..);
        let Some((key, value)) =
            data.and_then(|data| data.split_at_checked(header.key_bytes as usize))
        else {
            return Err(Stop::Bad(at, "no key"));
        };
        self.at += header.entry_bytes();
        Ok(Some((Entry { key, value }, at)))
    }
}

enum Search {
    Found(u64),
    None,
    /// Too much would have to be hashed to tell.
    GaveUp,
}

/// Looks for a sound entry at `from` or behind.
fn search(input: &Input, from: u64) -> Result<Search> {
    let mut left = SEARCH_BYTES;
    let mut scratch = Vec::new();
    for at in from..input.len().saturating_sub(HEADER_BYTES - 1) {
        let Some(header) = Header::parse(input.read(at, HEADER_BYTES, &mut scratch)?) else {
            break;
        };
        if header.entry_bytes() > input.len() - at {
            continue;
        }
        let checked = header.entry_bytes() - CRC_BYTES;
        let Some(rest) = left.checked_sub(checked) else {
            return Ok(Search::GaveUp);
        };
        left = rest;
        if crc32(input.read(at + CRC_BYTES, checked, &mut scratch)?) == header.crc {
            return Ok(Search::Found(at));
        }
    }
    Ok(Search::None)
}
