//! Cuts rows in COPY's text form into parts that threads read at once: ranges of a file ([`at_rows`]), or blocks of what can
//! only be read from its front ([`Blocks`]).

use std::ops::Range;

use memchr::{memchr_iter, memrchr};

use super::copy_text::is_escaped as ends_escaped;
use super::window::Window;
use crate::error::Result;
use crate::file::input::Input;

/// Bytes of a part: so many that its own cost vanishes.
const PART_BYTES: u64 = if cfg!(test) { 32 } else { 4 << 20 };

/// Bytes of a block: a few of them are in memory for each thread.
const BLOCK_BYTES: usize = if cfg!(test) { 32 } else { 1 << 20 };

/// Bytes that are searched at a time for a line end.
const SEARCH_BYTES: u64 = if cfg!(test) { 8 } else { 64 << 10 };

/// Cuts a range of a file behind line ends that end a row: no backslash makes data of them.
///
/// # Errors
///
/// Those of reading.
pub(super) fn at_rows(input: &Input, range: Range<u64>) -> Result<Vec<Range<u64>>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    while range.end - start > 2 * PART_BYTES {
        let end = row_end(input, start, start + PART_BYTES, range.end)?;
        parts.push(start..end);
        start = end;
    }
    if start < range.end {
        parts.push(start..range.end);
    }
    Ok(parts)
}

/// The first end of a row from `at` on; `to` where there is none. A row starts at `start`.
fn row_end(input: &Input, start: u64, mut at: u64, to: u64) -> Result<u64> {
    let mut scratch = Vec::new();
    while at < to {
        let len = SEARCH_BYTES.min(to - at);
        let bytes = input.read(at, len, &mut scratch)?;
        let line_feeds: Vec<u64> = memchr_iter(b'\n', bytes).map(|at| at as u64).collect();
        for line_feed in line_feeds {
            if !is_escaped(input, start, at + line_feed)? {
                return Ok(at + line_feed + 1);
            }
        }
        at += len;
    }
    Ok(to)
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(input: &Input, start: u64, at: u64) -> Result<bool> {
    let mut scratch = Vec::new();
    let mut before = at;
    while before > start && input.read(before - 1, 1, &mut scratch)? == b"\\" {
        before -= 1;
    }
    Ok((at - before) % 2 == 1)
}

/// Whole rows of a text.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// Where the first of them lies in the text.
    pub offset: u64,
    pub is_last: bool,
}

/// Reads a text, which is decompressed on the way, in blocks.
pub(super) struct Blocks<'a> {
    window: Window<'a>,
    has_ended: bool,
}

impl<'a> Blocks<'a> {
    /// Those of the text under this window.
    pub fn new(window: Window<'a>) -> Blocks<'a> {
        Blocks {
            window,
            has_ended: false,
        }
    }

    fn take(&mut self, len: usize) -> Block {
        let offset = self.window.offset();
        Block {
            bytes: self.window.take(len).to_vec(),
            offset,
            is_last: self.has_ended,
        }
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Result<Block>> {
        while !self.has_ended {
            let bytes = self.window.bytes();
            if bytes.len() >= BLOCK_BYTES
                && let Some(len) = rows_len(bytes)
            {
                return Some(Ok(self.take(len)));
            }
            match self.window.fill() {
                Ok(true) => {}
                Ok(false) => {
                    self.has_ended = true;
                    let len = self.window.bytes().len();
                    return Some(Ok(self.take(len)));
                }
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Bytes of the whole rows in front; `None` where there are none, or the end mark is the last of them: what follows that is none
/// of the rows.
fn rows_len(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let line_feed = memrchr(b'\n', rest)?;
        rest = bytes.get(..line_feed)?;
        if !ends_escaped(rest) {
            break;
        }
    }
    let rows = rest.trim_ascii_end();
    let is_marked = rows == b"\\." || rows.ends_with(b"\n\\.");
    (!is_marked).then_some(rest.len() + 1)
}
