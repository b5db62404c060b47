//! Logs: the framing of write-ahead logs and of MANIFESTs, in LevelDB and RocksDB.
//!
//! A file is a run of blocks of 32 KiB, a block a run of physical records ([`super::frame`]). What does not fit a block
//! is cut: a logical record is one physical record of type 1, or 2, any number of 3, and 4 (5, or 6, 7 and 8 where the
//! file may be used again for a later log). A block's end that can't hold a header is zero-filled.
//!
//! Type 9 stands first in a log whose records are compressed: its payload is a u32, the kind of compression (7, zstd,
//! is the only one). From then on the payloads of one logical record, put together, are one zstd frame; the stream is
//! reset for each logical record. Types 10 and 11 hold the widths of timestamps: (u32 column family, u16 bytes) each. They,
//! and 130 and 131 (what the log before this one held), are never cut: the writer fills the block with zeros when
//! they don't fit. Of types from 128 on a reader may skip those it does not know.
//!
//! From LevelDB's doc/log_format.md and RocksDB's db/log_format.h, log_writer.cc, log_reader.cc.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::{Codec, InflateError, Inflater};
use crate::file::input::Input;

use super::frame::{
    BLOCK_BYTES, COMPRESSION, FIRST, FULL, Frame, HEADER_BYTES, IGNORABLE, LAST, MIDDLE,
    RECYCLABLE, RECYCLABLE_HEADER_BYTES, TIMESTAMP_SIZES, TIMESTAMP_SIZES_RECYCLABLE,
};
pub use super::log_end::LogEnd;
use super::log_end::{Place, Stop, damaged};

/// RocksDB's number for zstd.
const ZSTD: u32 = 7;

/// Reads the logical records of a log, first to last.
///
/// Every record that it gives passed its checksum. It allocates only where a record is cut, compressed, or the file not
/// mapped: then one buffer of the record's size, which is used again.
pub struct LogReader<'i> {
    input: &'i Input,
    log_number: Option<u32>,
    /// The current block, where the file is not mapped.
    block: Vec<u8>,
    block_at: u64,
    block_bytes: usize,
    /// Where the next physical record begins, in the block.
    position: usize,
    recycled: Option<bool>,
    offset: u64,
    joined: Vec<u8>,
    inflater: Option<Inflater>,
    inflated: Vec<u8>,
    timestamp_sizes: Vec<(u32, u16)>,
    end: Option<LogEnd>,
}

/// A physical record, in the current block.
struct Physical {
    kind: u8,
    offset: u64,
    payload: Range<usize>,
}

/// Where a logical record lies.
enum Whole {
    InBlock(Range<usize>),
    Joined,
    Inflated,
}

impl<'i> LogReader<'i> {
    /// Starts at the front of `input`, the log of number `log_number`. A MANIFEST has none: it is never recycled.
    pub fn new(input: &'i Input, log_number: Option<u64>) -> LogReader<'i> {
        LogReader {
            input,
            log_number: log_number.map(|number| number as u32),
            block: Vec::new(),
            block_at: 0,
            block_bytes: 0,
            position: 0,
            recycled: None,
            offset: 0,
            joined: Vec::new(),
            inflater: None,
            inflated: Vec::new(),
            timestamp_sizes: Vec::new(),
            end: None,
        }
    }

    /// Offset of the last record that was given, in bytes from the file's start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How the log ended; asked for after its last record.
    pub fn end(&self) -> LogEnd {
        self.end.clone().unwrap_or(LogEnd::Clean)
    }

    /// Widths of user-defined timestamps: (column family, bytes), as far as the log told.
    pub fn timestamp_sizes(&self) -> &[(u32, u16)] {
        &self.timestamp_sizes
    }

    /// Reads the next logical record; `None` at the log's end.
    ///
    /// # Errors
    ///
    /// Damaged; Limit; Unsupported where a record or a compression is of an unknown type; I/O errors.
    #[allow(clippy::should_implement_trait)] // it lends
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.next_at()?.map(|(_, record)| record))
    }

    /// As [`LogReader::next`], with the record's offset in front.
    ///
    /// # Errors
    ///
    /// As of [`LogReader::next`].
    pub fn next_at(&mut self) -> Result<Option<(u64, &[u8])>> {
        if self.end.is_some() {
            return Ok(None);
        }
        let Some(whole) = self.logical()? else {
            return Ok(None);
        };
        let record = match whole {
            Whole::InBlock(range) => self.loaded().get(range).unwrap_or_default(),
            Whole::Joined => &self.joined,
            Whole::Inflated => &self.inflated,
        };
        Ok(Some((self.offset, record)))
    }

    fn logical(&mut self) -> Result<Option<Whole>> {
        self.joined.clear();
        // Where the first fragment of an unfinished record lies.
        let mut begun: Option<u64> = None;
        loop {
            let physical = match self.physical()? {
                Ok(physical) => physical,
                Err(end) => {
                    self.end = Some(match (begun, end) {
                        (Some(offset), _) => LogEnd::Torn {
                            offset,
                            what: "its last part is missing",
                        },
                        (None, end) => end,
                    });
                    return Ok(None);
                }
            };
            let Physical {
                kind,
                offset,
                payload,
            } = physical;
            let fragment = match kind {
                FULL..=LAST => kind,
                5..=8 => kind - RECYCLABLE,
                _ => {
                    if let Some(begun) = begun {
                        return self.damaged(begun, "a record without its last part");
                    }
                    self.special(kind, offset, payload)?;
                    continue;
                }
            };
            // Old writers left an empty first part at the end of a block and began anew.
            match (fragment, begun) {
                (FULL | FIRST, Some(begun)) if !self.joined.is_empty() => {
                    return self.damaged(begun, "a record without its last part");
                }
                (MIDDLE | LAST, None) => {
                    return self.damaged(offset, "a part of a record without its first part");
                }
                _ => {}
            }
            if matches!(fragment, FULL | FIRST) {
                begun = Some(offset);
                self.offset = offset;
            }
            if fragment == FULL {
                return match self.inflater {
                    None => Ok(Some(Whole::InBlock(payload))),
                    Some(_) => self.inflate(Some(payload)).map(Some),
                };
            }
            self.join(payload)?;
            if fragment == LAST {
                return match self.inflater {
                    None => Ok(Some(Whole::Joined)),
                    Some(_) => self.inflate(None).map(Some),
                };
            }
        }
    }

    fn join(&mut self, payload: Range<usize>) -> Result<()> {
        let max = self.input.limits().block_bytes_max;
        let value = (self.joined.len() + payload.len()) as u64;
        if value > max {
            return Err(self.too_long(value));
        }
        let block = match self.input.mapped() {
            Some(all) => block_of(all, self.block_at, self.block_bytes),
            None => &self.block,
        };
        self.joined
            .extend_from_slice(block.get(payload).unwrap_or_default());
        Ok(())
    }

    fn too_long(&self, value: u64) -> Error {
        ErrorKind::Limit {
            path: self.input.path().to_owned(),
            offset: self.offset,
            what: "block bytes",
            value,
            max: self.input.limits().block_bytes_max,
        }
        .into()
    }

    /// Decompresses a record: `payload` of the block, or the joined one.
    fn inflate(&mut self, payload: Option<Range<usize>>) -> Result<Whole> {
        let compressed = match payload {
            None => &self.joined,
            Some(range) => {
                let block = match self.input.mapped() {
                    Some(all) => block_of(all, self.block_at, self.block_bytes),
                    None => &self.block,
                };
                block.get(range).unwrap_or_default()
            }
        };
        let max = self.input.limits().block_bytes_max;
        // Nothing is compressed to nothing.
        let done = match &mut self.inflater {
            Some(inflater) if !compressed.is_empty() => {
                inflater.inflate(Codec::Zstd, compressed, None, max, &mut self.inflated)
            }
            _ => {
                self.inflated.clear();
                Ok(())
            }
        };
        match done {
            Ok(()) => Ok(Whole::Inflated),
            Err(InflateError::TooLarge { value, .. }) => Err(self.too_long(value)),
            Err(InflateError::Malformed(what)) => {
                self.damaged(self.offset, &format!("a compressed record: {what}"))
            }
        }
    }

    /// A record that is about the log itself.
    fn special(&mut self, kind: u8, offset: u64, payload: Range<usize>) -> Result<()> {
        let mut cursor = Cursor::new(self.loaded().get(payload).unwrap_or_default());
        match kind {
            COMPRESSION => {
                let compression = cursor.u32();
                if offset != 0 || self.inflater.is_some() {
                    return self
                        .damaged(offset, "a mark of compression that is not the first record");
                }
                match compression {
                    Some(0) => {}
                    Some(ZSTD) => self.inflater = Some(Inflater::new(None)),
                    Some(other) => {
                        return self.unsupported(format!("a log with compression {other}"));
                    }
                    None => return self.damaged(offset, "a mark of compression without its kind"),
                }
            }
            TIMESTAMP_SIZES | TIMESTAMP_SIZES_RECYCLABLE => {
                let mut sizes = Vec::new();
                while !cursor.is_empty() {
                    let (Some(family), Some(bytes)) = (cursor.u32(), cursor.u16()) else {
                        return self.damaged(offset, "a cut list of timestamp widths");
                    };
                    sizes.push((family, bytes));
                }
                self.timestamp_sizes.extend(sizes);
            }
            IGNORABLE.. => {}
            other => return self.unsupported(format!("a log record of the unknown type {other}")),
        }
        Ok(())
    }

    /// Reads the next physical record, or tells how the log ended.
    fn physical(&mut self) -> Result<Result<Physical, LogEnd>> {
        loop {
            let left = self.block_bytes - self.position;
            let is_full = self.block_bytes == BLOCK_BYTES;
            let header_min = match self.recycled {
                Some(true) => RECYCLABLE_HEADER_BYTES,
                _ => HEADER_BYTES,
            };
            if left < header_min {
                if left > 0 && !is_full {
                    return self.judge(Stop::HeaderCut).map(Err);
                }
                if !self.load_next()? {
                    return Ok(Err(LogEnd::Clean));
                }
                continue;
            }
            let bytes = self.loaded().get(self.position..).unwrap_or_default();
            let Some(frame) = Frame::parse(bytes, self.log_number.is_some()) else {
                let stop = match is_full {
                    true => Stop::Bad("a record that does not fit its block"),
                    false => Stop::HeaderCut,
                };
                return self.judge(stop).map(Err);
            };
            if frame.is_zero() {
                if self.is_filled_up()? {
                    self.position = self.block_bytes;
                    continue;
                }
                return self.judge(Stop::Zeros).map(Err);
            }
            let stop = if frame.bytes() > left {
                match self.position + frame.bytes() > BLOCK_BYTES {
                    true => Some(Stop::Bad("a record that does not fit its block")),
                    false => Some(Stop::BodyCut),
                }
            } else if !frame.is_of(self.log_number) {
                Some(Stop::Foreign)
            } else if !frame.is_intact(bytes) {
                Some(Stop::Bad("the checksum of a record does not fit"))
            } else if matches!(frame.kind, FULL..=8)
                && self
                    .recycled
                    .is_some_and(|recycled| recycled != (frame.kind > LAST))
            {
                Some(Stop::Bad(
                    "a record of a type that does not belong in this log",
                ))
            } else {
                None
            };
            if let Some(stop) = stop {
                return self.judge(stop).map(Err);
            }
            if matches!(frame.kind, FULL..=8) {
                self.recycled = Some(frame.kind > LAST);
            }
            let start = self.position + frame.header_bytes;
            let physical = Physical {
                kind: frame.kind,
                offset: self.block_at + self.position as u64,
                payload: start..start + frame.payload_bytes,
            };
            self.position += frame.bytes();
            return Ok(Ok(physical));
        }
    }

    /// Whether the rest of the block is zero because the next record, of a kind that is never cut, did not fit.
    fn is_filled_up(&mut self) -> Result<bool> {
        let rest = self.loaded().get(self.position..).unwrap_or_default();
        if self.log_number.is_none() || rest.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        let next = self.block_at + self.block_bytes as u64;
        let len = (self.input.len() - next).min(BLOCK_BYTES as u64);
        let mut scratch = Vec::new();
        let block = self.input.read(next, len, &mut scratch)?;
        Ok(Frame::parse(block, true).is_some_and(|frame| {
            matches!(
                frame.kind,
                TIMESTAMP_SIZES | TIMESTAMP_SIZES_RECYCLABLE | 130 | 131
            ) && frame.is_of(self.log_number)
                && frame.is_intact(block)
        }))
    }

    fn judge(&self, stop: Stop) -> Result<LogEnd> {
        Place {
            input: self.input,
            bytes: self.loaded().get(self.position..).unwrap_or_default(),
            offset: self.block_at + self.position as u64,
            log_number: self.log_number,
            recycled: self.recycled,
        }
        .judge(stop)
    }

    fn loaded(&self) -> &[u8] {
        match self.input.mapped() {
            Some(all) => block_of(all, self.block_at, self.block_bytes),
            None => self.block.get(..self.block_bytes).unwrap_or_default(),
        }
    }

    fn load_next(&mut self) -> Result<bool> {
        let at = self.block_at + self.block_bytes as u64;
        let len = (self.input.len() - at).min(BLOCK_BYTES as u64);
        if len == 0 {
            return Ok(false);
        }
        if self.input.mapped().is_none() {
            self.input.read(at, len, &mut self.block)?;
        }
        self.block_at = at;
        self.block_bytes = len as usize;
        self.position = 0;
        Ok(true)
    }

    fn damaged<T>(&self, offset: u64, what: &str) -> Result<T> {
        Err(damaged(self.input, offset, self.log_number, what))
    }

    fn unsupported<T>(&self, what: String) -> Result<T> {
        Err(Error::unsupported(
            self.input.path(),
            what,
            match self.log_number {
                Some(_) => {
                    "let the database's own software replay the log, or leave it out with --no-wal"
                }
                None => "open the database with its own software and export it from there",
            },
        ))
    }
}

/// A block of a mapped file.
fn block_of(all: &[u8], at: u64, len: usize) -> &[u8] {
    usize::try_from(at)
        .ok()
        .and_then(|at| all.get(at..at.checked_add(len)?))
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
