//! Rows of a key range, straight from the text.

use crate::error::{Error, Result};
use crate::row::{Row, RowStream};

use super::body::{Body, WINDOW_BYTES};
use super::cut::{Cutter, Stop, Window};

/// A stream over the records from one offset to another, which checks that they are in order and end where they should.
pub(super) struct Scan<'a> {
    body: &'a Body,
    cutter: Cutter,
    start: u64,
    pos: u64,
    end: u64,
    /// The key that every row must be below.
    to: Option<Vec<u8>>,
    is_done: bool,
    /// The part of a text that is not mapped which was read last, and its offset.
    scratch: Vec<u8>,
    base: u64,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl<'a> Scan<'a> {
    /// Rows of the records from `start` to `end`, all of them below `to`.
    pub fn new(body: &'a Body, start: u64, end: u64, to: Option<Vec<u8>>) -> Scan<'a> {
        Scan {
            body,
            cutter: Cutter::default(),
            start,
            pos: start,
            end,
            to,
            is_done: start >= end,
            scratch: Vec::new(),
            base: start,
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Lets keys come in any order.
    pub fn in_any_order(mut self) -> Scan<'a> {
        self.cutter.any_order = true;
        self
    }

    /// Hands the rows and their offsets to `visit` until it returns false; returns whether it did.
    pub fn run<V>(&mut self, visit: &mut V) -> Result<bool>
    where
        V: FnMut(Row<'_>, u64) -> Result<bool>,
    {
        while !self.is_done {
            let stop = match self.step(visit) {
                Ok(stop) => stop,
                Err(error) => {
                    self.is_done = true;
                    return Err(error);
                }
            };
            match stop {
                Stop::Asked => return Ok(true),
                Stop::More => {}
                Stop::End => {
                    self.is_done = true;
                    self.check_end()?;
                }
            }
        }
        Ok(false)
    }

    fn step<V>(&mut self, visit: &mut V) -> Result<Stop>
    where
        V: FnMut(Row<'_>, u64) -> Result<bool>,
    {
        let body = self.body;
        let window = match body.mapped() {
            Some(bytes) => Window {
                bytes,
                base: 0,
                at_end: true,
            },
            None => {
                if self.base + self.scratch.len() as u64 <= self.pos {
                    self.read_window(WINDOW_BYTES)?;
                }
                Window {
                    bytes: &self.scratch,
                    base: self.base,
                    at_end: self.base + self.scratch.len() as u64 == body.end(),
                }
            }
        };
        let stop = self
            .cutter
            .run(&body.text, &window, &mut self.pos, self.end, visit)
            .map_err(|fault| body.error(fault, self.start))?;
        if stop == Stop::More {
            let is_too_small = self.base == self.pos;
            let len = if is_too_small {
                self.scratch.len() as u64 * 4
            } else {
                WINDOW_BYTES
            };
            self.read_window(len)?;
        }
        Ok(stop)
    }

    fn read_window(&mut self, len: u64) -> Result<()> {
        let input = &self.body.input;
        let len = len.min(input.len().saturating_sub(self.pos));
        // What is not mapped is read into the buffer that was given.
        input.read(self.pos, len, &mut self.scratch)?;
        self.base = self.pos;
        self.cutter.forget_window();
        Ok(())
    }

    /// Checks that the rows ended where the next part begins.
    fn check_end(&mut self) -> Result<()> {
        let body = self.body;
        if body.quotes.is_misled() || self.pos > self.end {
            return Err(body.input.explain(Error::damaged(
                body.input.path(),
                self.end,
                "a record was expected to start inside another",
            )));
        }
        // The search for `to` has seen that the row before its place is below it; a text that changes meanwhile may differ.
        if let (Some((last, _)), Some(to)) = (self.cutter.last(), &self.to)
            && last >= to.as_slice()
            && !self.cutter.any_order
        {
            return Err(body.unsorted(self.end, last.to_vec(), to.clone()));
        }
        if !self.cutter.any_order {
            body.note_scanned(self.start, self.end);
        }
        let quiet_from = self.cutter.quoted_until.max(self.start);
        if quiet_from < self.end {
            body.quotes.note_none(quiet_from, self.end);
        }
        Ok(())
    }
}

impl RowStream for Scan<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        let (mut key, mut value) = (
            std::mem::take(&mut self.key),
            std::mem::take(&mut self.value),
        );
        let found = self.run(&mut |row, _| {
            key.clear();
            key.extend_from_slice(row.key);
            value.clear();
            value.extend_from_slice(row.value);
            Ok(false)
        });
        (self.key, self.value) = (key, value);
        Ok(found?.then_some(Row {
            key: &self.key,
            value: &self.value,
        }))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        self.run(&mut |row, _| visit(row).map(|()| true)).map(drop)
    }
}
