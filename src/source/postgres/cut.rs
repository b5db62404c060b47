//! Cuts rows in COPY's text form into parts that threads read at once.

use std::ops::Range;

use memchr::memchr_iter;

use crate::error::Result;
use crate::file::input::Input;

/// Bytes of a part: so many that its own cost vanishes.
const PART_BYTES: u64 = if cfg!(test) { 32 } else { 4 << 20 };

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
