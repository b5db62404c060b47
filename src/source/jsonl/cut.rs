//! Cuts JSON lines into parts that threads read at once.
//!
//! A line end before a brace need not be one between two objects, so a part is right only if the one before it ends where it
//! starts; the first starts with the text.

use std::ops::Range;

use memchr::memmem;

use crate::error::Result;
use crate::file::input::Input;

/// Bytes of a part: so many that its own cost vanishes.
const PART_BYTES: u64 = if cfg!(test) { 48 } else { 4 << 20 };

/// Bytes that are searched at a time for a line end.
const SEARCH_BYTES: u64 = if cfg!(test) { 8 } else { 64 << 10 };

/// Cuts a text at lines that start with a brace; one part where it is no list of objects.
///
/// # Errors
///
/// Those of reading.
pub(super) fn at_lines(input: &Input) -> Result<Vec<Range<u64>>> {
    let mut scratch = Vec::new();
    let head = input.head(SEARCH_BYTES, &mut scratch)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mark_len = (head.len() - text.len()) as u64;
    let is_list = text.trim_ascii_start().starts_with(b"{");
    let (mut parts, mut start, end) = (Vec::new(), mark_len, input.len());
    while is_list && end - start > 2 * PART_BYTES {
        let Some(next) = line_start(input, start + PART_BYTES)? else {
            break;
        };
        parts.push(start..next);
        start = next;
    }
    parts.push(start..end);
    Ok(parts)
}

/// The first brace behind a line end, from `at` on.
fn line_start(input: &Input, mut at: u64) -> Result<Option<u64>> {
    let mut scratch = Vec::new();
    while at < input.len() {
        // One more byte, for what lies across two pieces.
        let len = (SEARCH_BYTES + 1).min(input.len() - at);
        let bytes = input.read(at, len, &mut scratch)?;
        if let Some(found) = memmem::find(bytes, b"\n{") {
            return Ok(Some(at + found as u64 + 1));
        }
        at += SEARCH_BYTES;
    }
    Ok(None)
}
