//! The objects of a text one after the other, whatever stands between them: line ends, nothing, or the commas of one array.
//! Only one window of the text is in memory.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::row::json_text::{Flaw, Scanned, Scanner};
use crate::source::csv::line_number;

/// Bytes that are looked at together, unless an object is longer.
const WINDOW_BYTES: u64 = if cfg!(test) { 16 } else { 1 << 20 };

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is done with each object.
pub trait Visit {
    /// Reads an object. It may be asked again for the same one, where the window ended inside of it.
    ///
    /// # Errors
    ///
    /// A flaw of the object.
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()>;

    /// Takes the object that was read last, which stands at `offset`; returns whether to go on.
    ///
    /// # Errors
    ///
    /// Any error; it ends the reading.
    fn take(&mut self, offset: u64) -> Result<bool>;
}

/// Where in the text the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Between objects outside of any array.
    Between,
    /// Behind the opening bracket.
    FirstElement,
    /// Behind a comma.
    Element,
    /// Behind an element.
    BehindElement,
    /// Behind the closing bracket.
    Behind,
}

/// Hands every object of `input` to `visit`.
///
/// # Errors
///
/// Damaged, with line and offset, where the text is something else; Limit for an object that is too long; those of reading and
/// of [`Visit::take`].
pub fn for_each(input: &Input, visit: &mut dyn Visit) -> Result<()> {
    let mut scratch = Vec::new();
    let at = match input.head(3, &mut scratch)? {
        BYTE_ORDER_MARK => 3,
        _ => 0,
    };
    walk(input, at, u64::MAX, State::Start, visit).map(drop)
}

/// Hands to `visit` the objects that start in a part of a text, where an object starts that is in no array. Returns where the
/// next one starts, or the text's end.
///
/// # Errors
///
/// As of [`for_each`].
pub fn for_each_in(input: &Input, part: Range<u64>, visit: &mut dyn Visit) -> Result<u64> {
    walk(input, part.start, part.end, State::Between, visit)
}

fn walk(
    input: &Input,
    mut at: u64,
    to: u64,
    mut state: State,
    visit: &mut dyn Visit,
) -> Result<u64> {
    let (mut scratch, mut len) = (Vec::new(), WINDOW_BYTES);
    loop {
        let is_last = len >= input.len() - at;
        let window = input.read(at, len.min(input.len() - at), &mut scratch)?;
        let mut scanner = Scanner::new(window, 0);
        loop {
            scanner.skip_white();
            let start = scanner.at();
            if at + start as u64 >= to && scanner.peek().is_some() {
                return Ok(at + start as u64);
            }
            match step(&mut scanner, &mut state, visit) {
                Ok(Step::Object) => {
                    let offset = at + start as u64;
                    check_len(input, offset, (scanner.at() - start) as u64)?;
                    if !visit.take(offset)? {
                        return Ok(at + scanner.at() as u64);
                    }
                }
                Ok(Step::Mark) => {}
                Ok(Step::End) if is_last => return end(input, state).map(|()| input.len()),
                Ok(Step::End) => {
                    at += start as u64;
                    break;
                }
                Err(flaw) if flaw.is_end && !is_last => {
                    if start == 0 {
                        check_len(input, at, len)?;
                        len = len.saturating_mul(4);
                    }
                    at += start as u64;
                    break;
                }
                Err(flaw) => return Err(damaged(input, at + flaw.at as u64, &flaw.what)),
            }
        }
    }
}

enum Step {
    Object,
    Mark,
    End,
}

fn step(scanner: &mut Scanner<'_>, state: &mut State, visit: &mut dyn Visit) -> Scanned<Step> {
    let Some(byte) = scanner.peek() else {
        return Ok(Step::End);
    };
    let next = match (*state, byte) {
        (State::Start | State::Between, b'{') => State::Between,
        (State::FirstElement | State::Element, b'{') => State::BehindElement,
        (State::Start, b'[') => State::FirstElement,
        (State::FirstElement | State::BehindElement, b']') => State::Behind,
        (State::BehindElement, b',') => State::Element,
        (State::Behind, _) => {
            return Err(Flaw::new(scanner.at(), "something stands behind the array"));
        }
        (State::BehindElement, _) => {
            return Err(scanner.unexpected("a comma or the end of the array"));
        }
        _ => return Err(scanner.unexpected("an object, which starts with a brace,")),
    };
    if byte == b'{' {
        visit.read(scanner)?;
        *state = next;
        return Ok(Step::Object);
    }
    scanner.eat(byte);
    *state = next;
    Ok(Step::Mark)
}

fn end(input: &Input, state: State) -> Result<()> {
    match state {
        State::Start | State::Between | State::Behind => Ok(()),
        _ => Err(damaged(
            input,
            input.len(),
            "the text ends inside of an array",
        )),
    }
}

fn check_len(input: &Input, offset: u64, len: u64) -> Result<()> {
    let max = input.limits().record_bytes_max;
    if len <= max {
        return Ok(());
    }
    Err(ErrorKind::Limit {
        path: input.path().to_owned(),
        offset,
        what: "record bytes",
        value: len,
        max,
    }
    .into())
}

/// The error for what is wrong at an offset, with its line.
pub fn damaged(input: &Input, offset: u64, what: &str) -> Error {
    let line = line_number(input, offset);
    input.explain(Error::damaged(
        input.path(),
        offset,
        format!("line {line}: {what}"),
    ))
}

/// An offset as a person finds it.
pub fn show_place(input: &Input, offset: u64) -> String {
    format!("line {}, offset {offset}", line_number(input, offset))
}
