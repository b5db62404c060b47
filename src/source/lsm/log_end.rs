//! Where a log ends before its file does: whether the last write was cut off, or live bytes are damaged.
//!
//! The software itself gives up silently at the first record that it can't read. For a snapshot that is not good
//! enough: one flipped bit in a header would take all later rows with it. So a log that seems to end is held against what
//! one flipped bit can do. Where a single bit makes the record whole again, where a length below the one that is stored
//! does, or where records of this very log follow further on, the log is damaged. Where nothing of that holds, the last
//! write was cut off, or the file had another life before ("recycled") and its former content begins here.
//!
//! A CRC is linear: the wrong bit of a payload shows in the difference of the two checksums alone, at the price of one
//! table look-up a byte and a bit.

use crate::error::{Error, Result};
use crate::file::input::Input;

use super::frame::{
    BLOCK_BYTES, FULL, Frame, HEADER_BYTES, LAST, RECYCLABLE_HEADER_BYTES, is_recyclable,
};

/// How a log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEnd {
    /// With its last record.
    Clean,
    /// The last record is incomplete and left out.
    Torn {
        /// Where it begins, in bytes from the file's start.
        offset: u64,
        /// What was seen there.
        what: &'static str,
    },
    /// The bytes that follow are left from the file's life as an older log.
    Stale {
        /// Where they begin, in bytes from the file's start.
        offset: u64,
    },
}

/// What stopped the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The file ends inside a header.
    HeaderCut,
    /// The file ends inside a payload.
    BodyCut,
    /// A record of another log.
    Foreign,
    /// Zeros.
    Zeros,
    /// A record that can't be: why.
    Bad(&'static str),
}

/// A place where a log can't be read on.
pub struct Place<'p> {
    /// The log.
    pub input: &'p Input,
    /// The rest of the block.
    pub bytes: &'p [u8],
    /// Offset of `bytes` in the file.
    pub offset: u64,
    /// The log's own number, where its records may carry it.
    pub log_number: Option<u32>,
    /// Whether records before this one carry the log's number; `None` where none was read.
    pub recycled: Option<bool>,
}

impl Place<'_> {
    /// Tells a torn or recycled end from damage.
    ///
    /// # Errors
    ///
    /// Damaged; I/O errors.
    pub fn judge(&self, stop: Stop) -> Result<LogEnd> {
        let offset = self.offset;
        let torn = |what| Ok(LogEnd::Torn { offset, what });
        match stop {
            // A short last part may look like the begin of a longer header.
            Stop::HeaderCut if !self.is_one_bit_off() => return torn("its header is cut off"),
            Stop::Zeros => return self.judge_zeros(),
            _ => {}
        }
        let frame = self.parse(self.bytes);
        let intact = frame.is_some_and(|frame| frame.is_intact(self.bytes));
        if !intact && self.is_one_bit_off() {
            return self.damaged("a record with one flipped bit");
        }
        if stop == Stop::BodyCut && self.is_whole_when_shorter() {
            return self.damaged("a record with a wrong length");
        }
        if let Some(at) = self.following()? {
            return self.damaged(&format!(
                "a record that can't be read, and a sound one of the same log at {at}"
            ));
        }
        let carries_our_number =
            frame.is_some_and(|frame| frame.log_number.is_some() && frame.is_of(self.log_number));
        let was_recycled = self.recycled == Some(true);
        match stop {
            Stop::Foreign if was_recycled || intact && self.recycled.is_none() => {
                Ok(LogEnd::Stale { offset })
            }
            Stop::BodyCut if !was_recycled || carries_our_number => torn("it is cut off"),
            _ if carries_our_number && self.recycled != Some(false) => {
                torn("it was not written to its end")
            }
            _ if was_recycled => Ok(LogEnd::Stale { offset }),
            _ if self.is_zero_from_inside(frame)? => torn("its end is zero-filled"),
            Stop::Bad(what) => self.damaged(what),
            _ => self.damaged("a record of another log"),
        }
    }

    fn judge_zeros(&self) -> Result<LogEnd> {
        let offset = self.offset;
        let rest = offset + self.bytes.len() as u64;
        if !is_zero(self.bytes) || !is_zero_to_the_end(self.input, rest)? {
            if self.recycled == Some(true) && self.following()?.is_none() {
                return Ok(LogEnd::Stale { offset });
            }
            return self.damaged("zeros within the log");
        }
        let what = "the rest of the file is zero-filled";
        Ok(LogEnd::Torn { offset, what })
    }

    fn damaged<T>(&self, what: &str) -> Result<T> {
        Err(damaged(self.input, self.offset, self.log_number, what))
    }

    fn parse(&self, bytes: &[u8]) -> Option<Frame> {
        Frame::parse(bytes, self.log_number.is_some())
    }

    /// Whether `bytes` begin with a sound record that this log may hold.
    fn is_live(&self, bytes: &[u8]) -> bool {
        let fits_the_log = |frame: &Frame| match self.recycled {
            Some(recycled) => !matches!(frame.kind, FULL..=8) || (frame.kind > LAST) == recycled,
            None => true,
        };
        self.parse(bytes).is_some_and(|frame| {
            frame.is_known()
                && frame.is_of(self.log_number)
                && fits_the_log(&frame)
                && frame.is_intact(bytes)
        })
    }

    fn is_one_bit_off(&self) -> bool {
        let mut bytes = self.bytes.to_vec();
        for bit in 0..RECYCLABLE_HEADER_BYTES * 8 {
            let mask = 1u8 << (bit % 8);
            let Some(byte) = bytes.get_mut(bit / 8) else {
                break;
            };
            *byte ^= mask;
            if self.is_live(&bytes) {
                return true;
            }
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= mask;
            }
        }
        self.parse(self.bytes).is_some_and(|frame| {
            let payload = frame.bytes() - frame.header_bytes;
            frame.is_known()
                && frame.is_of(self.log_number)
                && frame.covered(self.bytes).is_some_and(|covered| {
                    let difference = crc(covered) ^ frame.crc();
                    is_of_one_bit(difference, payload)
                })
        })
    }

    /// Whether the record is sound with some length below the stored one, and the log goes on or ends behind it.
    fn is_whole_when_shorter(&self) -> bool {
        let Some(frame) = self.parse(self.bytes) else {
            return false;
        };
        if !frame.is_of(self.log_number) || !frame.is_known() {
            return false;
        }
        let mut state = !0u32;
        for (at, &byte) in self.bytes.iter().enumerate().skip(HEADER_BYTES - 1) {
            state = step(state, byte);
            let end = at + 1;
            if end >= frame.header_bytes && !state == frame.crc() {
                let rest = self.bytes.get(end..).unwrap_or_default();
                if rest.len() < HEADER_BYTES || self.is_live(rest) {
                    return true;
                }
            }
        }
        false
    }

    /// Offset of a sound record of this log further on.
    fn following(&self) -> Result<Option<u64>> {
        let within = (1..self.bytes.len())
            .find(|&at| self.is_live(self.bytes.get(at..).unwrap_or_default()));
        if let Some(at) = within {
            return Ok(Some(self.offset + at as u64));
        }
        let Some(log_number) = self.log_number else {
            return Ok(None);
        };
        // Only records that carry the number can be told from the file's former content.
        let number = log_number.to_le_bytes();
        let mut scratch = Vec::new();
        let mut start = self.offset + self.bytes.len() as u64;
        while start < self.input.len() {
            let len = (self.input.len() - start).min(BLOCK_BYTES as u64);
            let block = self.input.read(start, len, &mut scratch)?;
            for at in memchr::memmem::find_iter(block, &number) {
                let Some(header) = at.checked_sub(HEADER_BYTES) else {
                    continue;
                };
                let bytes = block.get(header..).unwrap_or_default();
                if is_recyclable(bytes.get(6).copied().unwrap_or_default()) && self.is_live(bytes) {
                    return Ok(Some(start + header as u64));
                }
            }
            start += len;
        }
        Ok(None)
    }

    /// Whether the file holds only zeros from somewhere inside the record to its end.
    fn is_zero_from_inside(&self, frame: Option<Frame>) -> Result<bool> {
        let Some(frame) = frame else {
            return Ok(false);
        };
        let live = self
            .bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |at| at + 1);
        let zeros = self.input.len() - self.offset - live as u64;
        Ok(live >= HEADER_BYTES - 1
            && live < frame.bytes()
            && zeros >= 16
            && is_zero_to_the_end(self.input, self.offset + live as u64)?)
    }
}

/// Damage at `offset` of a log, or of a MANIFEST where `log_number` is not given.
pub fn damaged(input: &Input, offset: u64, log_number: Option<u32>, what: &str) -> Error {
    let way_out = match log_number {
        Some(_) => " (--no-wal leaves the logs out)",
        None => "",
    };
    Error::damaged(input.path(), offset, format!("{what}{way_out}"))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

fn is_zero_to_the_end(input: &Input, mut from: u64) -> Result<bool> {
    let mut scratch = Vec::new();
    while from < input.len() {
        let len = (input.len() - from).min(BLOCK_BYTES as u64);
        if !is_zero(input.read(from, len, &mut scratch)?) {
            return Ok(false);
        }
        from += len;
    }
    Ok(true)
}

/// CRC-32C, a byte at a time: the register before it is inverted at the end.
const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut state = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            state = state >> 1 ^ if state & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[byte] = state;
        byte += 1;
    }
    table
};

fn step(state: u32, byte: u8) -> u32 {
    let index = usize::from(state as u8 ^ byte);
    state >> 8 ^ TABLE.get(index).copied().unwrap_or_default()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |state, &byte| step(state, byte))
}

/// Whether one wrong bit in the last `len` bytes makes this difference of CRCs.
fn is_of_one_bit(difference: u32, len: usize) -> bool {
    let mut states = [0u32; 8];
    for (bit, state) in states.iter_mut().enumerate() {
        *state = step(0, 1 << bit);
    }
    for _ in 0..len {
        if states.contains(&difference) {
            return true;
        }
        for state in &mut states {
            *state = step(*state, 0);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_bit_is_seen_in_the_difference() {
        let sound: Vec<u8> = (0..300u32).map(|i| (i * 7) as u8).collect();
        for bit in 0..sound.len() * 8 {
            let mut wrong = sound.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let difference = crc(&sound) ^ crc(&wrong);
            assert!(is_of_one_bit(difference, sound.len()));
            assert_eq!(
                is_of_one_bit(difference, sound.len() - 1),
                bit >= 8,
                "bit {bit}"
            );
        }
        assert_eq!(crc(b"123456789"), 0xe306_9283);
    }
}
