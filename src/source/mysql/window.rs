//! A text read from front to back: straight from the map, or through a window that grows where a piece does not fit.

use std::io;

use memchr::memchr_iter;

use super::lex::Stop;
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;

/// First length of a window.
const WINDOW_BYTES: u64 = if cfg!(test) { 64 } else { 1 << 20 };

/// The first of the bytes at hand, and whether more follow behind them: what is passed over may be longer than a record, so it is
/// passed over in parts.
pub(super) fn first_part(bytes: &[u8], may_go_on: bool) -> (&[u8], bool) {
    const PART_BYTES: usize = if cfg!(test) { 64 } else { 1 << 20 };
    match bytes.get(..PART_BYTES) {
        Some(part) if part.len() < bytes.len() => (part, true),
        _ => (bytes, may_go_on),
    }
}

/// A text, and how far it is read.
pub(super) struct Window<'i> {
    input: &'i Input,
    scratch: Vec<u8>,
    base: u64,
    pos: u64,
}

impl<'i> Window<'i> {
    /// From an offset on.
    pub fn new(input: &'i Input, pos: u64) -> Window<'i> {
        Window {
            input,
            scratch: Vec::new(),
            base: pos,
            pos,
        }
    }

    /// Offset of the next byte.
    pub fn pos(&self) -> u64 {
        self.pos
    }

    /// Whether all is read.
    pub fn is_at_end(&self) -> bool {
        self.pos >= self.input.len()
    }

    /// Lets `parse` read one piece from the front of the bytes at hand; it is told whether more may follow behind them, and
    /// returns how many it used. Where it needs more, it is called again with more.
    ///
    /// # Errors
    ///
    /// What `parse` says is wrong, with the place; Damaged where the text ends inside `what`; Limit where the piece is longer
    /// than a record may be.
    pub fn parse<T>(
        &mut self,
        what: &str,
        mut parse: impl FnMut(&[u8], bool) -> Result<(T, usize), Stop>,
    ) -> Result<T> {
        let input = self.input;
        let max = input.limits().record_bytes_max;
        loop {
            let (bytes, may_go_on) = match input.mapped() {
                Some(all) => {
                    let at = usize::try_from(self.pos).unwrap_or(usize::MAX);
                    (all.get(at..).unwrap_or_default(), false)
                }
                None => {
                    let at = usize::try_from(self.pos - self.base).unwrap_or(usize::MAX);
                    let may_go_on = self.base + (self.scratch.len() as u64) < input.len();
                    (self.scratch.get(at..).unwrap_or_default(), may_go_on)
                }
            };
            let at_hand = bytes.len() as u64;
            let stop = match parse(bytes, may_go_on) {
                Ok((value, used)) if used as u64 <= max => {
                    self.pos += used as u64;
                    return Ok(value);
                }
                Ok((_, used)) => return Err(self.too_long(used as u64, max)),
                Err(stop) => stop,
            };
            match stop {
                Stop::Incomplete if may_go_on => {
                    if at_hand > max {
                        return Err(self.too_long(at_hand, max));
                    }
                    self.read((at_hand * 2).max(WINDOW_BYTES))?;
                }
                Stop::Incomplete => {
                    let what = format!("the file ends inside {what}");
                    return Err(self.damaged(input.len(), &what));
                }
                stop => return Err(self.error(self.pos, stop)),
            }
        }
    }

    /// The error for what stands at an offset.
    pub fn error(&self, offset: u64, stop: Stop) -> Error {
        match stop {
            Stop::Failed(error) => error,
            Stop::Incomplete => self.damaged(offset, "it has no end"),
            Stop::Flaw { at, what } => self.damaged(offset + at as u64, &what),
            Stop::Refused { what, hint } => {
                let what = format!("{}: {what}", show_place(self.input, offset));
                let error = Error::unsupported(self.input.path(), what, hint);
                self.input.explain(error)
            }
        }
    }

    fn read(&mut self, len: u64) -> Result<()> {
        let len = len.min(self.input.len() - self.pos);
        // What is not mapped is read into the buffer that was given.
        self.input.read(self.pos, len, &mut self.scratch)?;
        if self.scratch.len() as u64 != len {
            let error = io::Error::other("a read gave another length");
            return Err(Error::io("reading", self.input.path(), error));
        }
        self.base = self.pos;
        Ok(())
    }

    /// The error for a text that is wrong at an offset.
    pub fn damaged(&self, offset: u64, what: &str) -> Error {
        let line = line_number(self.input, offset);
        let error = Error::damaged(self.input.path(), offset, format!("line {line}: {what}"));
        self.input.explain(error)
    }

    fn too_long(&self, value: u64, max: u64) -> Error {
        ErrorKind::Limit {
            path: self.input.path().to_owned(),
            offset: self.pos,
            what: "record bytes",
            value,
            max,
        }
        .into()
    }
}

/// A place in a text as a person finds it.
pub(super) fn show_place(input: &Input, offset: u64) -> String {
    format!("line {}, offset {offset}", line_number(input, offset))
}

/// The 1-based number of the line that holds `offset`; of the last line that could be read, where reading fails.
fn line_number(input: &Input, offset: u64) -> u64 {
    const PIECE_BYTES: u64 = 1 << 20;
    let (mut line, mut at, mut scratch) = (1, 0, Vec::new());
    while at < offset {
        let len = PIECE_BYTES.min(offset - at);
        let Ok(bytes) = input.read(at, len, &mut scratch) else {
            break;
        };
        line += memchr_iter(b'\n', bytes).count() as u64;
        at += len;
    }
    line
}
