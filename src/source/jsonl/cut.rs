//! Cuts JSON lines into parts that threads read at once.
//!
//! A line end before a brace need not be one between two objects, so a part is right only if the one before it ends where it
//! starts; the first starts with the text.

use std::ops::Range;

use memchr::memmem;

use super::records::{self, Visit};
use crate::error::{ErrorKind, Result};
use crate::file::input::Input;
use crate::source::sort::Sorter;

/// Bytes of a part: so many that its own cost vanishes.
const PART_BYTES: u64 = if cfg!(test) { 48 } else { 4 << 20 };

/// Bytes that are searched at a time for a line end.
const SEARCH_BYTES: u64 = if cfg!(test) { 8 } else { 64 << 10 };

/// A part of a text of objects, or all of it.
pub struct Part<'i> {
    input: &'i Input,
    range: Option<Range<u64>>,
}

impl<'i> Part<'i> {
    /// All of a text.
    pub fn whole(input: &'i Input) -> Part<'i> {
        Part { input, range: None }
    }

    /// Hands its objects to `visit`.
    ///
    /// # Errors
    ///
    /// As of [`records::for_each`]; Stopped where the text was cut inside of an object.
    pub fn read(&self, visit: &mut dyn Visit) -> Result<()> {
        let Some(range) = &self.range else {
            return records::for_each(self.input, visit);
        };
        let end = records::for_each_in(self.input, range.clone(), visit)?;
        match end == range.end {
            true => Ok(()),
            false => Err(ErrorKind::Stopped.into()),
        }
    }
}

/// Lets `push` push the rows of a text of objects part by part, on all threads where the text can be cut. Where that did not go
/// well, `forget` is to forget what `push` noted, and it is asked again, for all of the text.
///
/// # Errors
///
/// Those of reading and of `push`.
pub fn push_objects<'s>(
    input: &Input,
    sorter: &mut Sorter<'s>,
    forget: &dyn Fn(),
    push: &(dyn Fn(&Part<'_>, &mut Sorter<'s>) -> Result<()> + Sync),
) -> Result<()> {
    let part = |range| Part {
        input,
        range: Some(range),
    };
    let parts: Vec<Part<'_>> = at_lines(input)?.into_iter().map(part).collect();
    if parts.len() > 1 && sorter.push_parts(&parts, push).is_ok() {
        return Ok(());
    }
    // What was wrong in the parts may be but the cuts. Who reads from the front knows.
    sorter.clear();
    forget();
    let read = sorter.push_beside(|sorter| push(&Part::whole(input), sorter));
    read.map_err(|error| input.explain(error))
}

/// Cuts a text at lines that start with a brace; one part where it is no list of objects.
///
/// # Errors
///
/// Those of reading.
fn at_lines(input: &Input) -> Result<Vec<Range<u64>>> {
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
