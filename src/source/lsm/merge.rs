//! The rows of a family: its runs merged by key and sequence number. The newest version of a key counts; a deletion, or a younger range
//! deletion, hides it and all older ones.
//!
//! Where one run alone has the next keys, up to the first key of any other, its rows are handed out straight from its blocks.

use std::path::Path;

use super::blob::{BlobFiles, BlobReference, BlobScratch};
use super::cursor::Cursor;
use super::entity;
use super::lanes::{Lane, Lanes, Place};
use super::operator::Operator;
use super::options_file::MergeOption;
use crate::error::{Error, Result, UnreadableKeys};
use crate::row::{Row, RowStream, escape};
use crate::source::block_table::RangeDeletions;
use crate::source::block_table::key;

/// What turns versions into rows, beside the versions themselves.
pub struct Rules<'a> {
    /// Where the family lies, for messages.
    pub path: &'a Path,
    /// The family's deleted stretches.
    pub deletions: RangeDeletions<'a>,
    /// The family's merge operator, where one is named.
    pub operator: Option<&'a MergeOption>,
    /// Where values lie that are not in the tables; `None` where there is no folder to look in.
    pub blobs: Option<&'a BlobFiles>,
    /// The runs are of one database: sequence numbers are unique, and of equal ones the first run's is the newer. Otherwise
    /// the tables are a loose set, in which equal sequence numbers say nothing.
    pub is_database: bool,
}

/// The merge of several runs.
pub struct Merge<'a> {
    lanes: Lanes<'a>,
    rules: Rules<'a>,
    /// Keys below are skipped: they can't be read.
    floor: Option<Vec<u8>>,
    /// The key that was handed out or skipped last.
    key: Vec<u8>,
    value: Vec<u8>,
    scratch: BlobScratch,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No cursor was advanced yet.
    New,
    /// The first cursor is at an entry that was not looked at.
    Ahead,
    /// The row of the first cursor's entry was handed out.
    LentFirst,
    /// The row in `key` and `value` was handed out.
    LentOwn,
    /// Nothing is left.
    Ended,
}

/// Where the next row lies.
enum Found {
    /// At the first cursor.
    First,
    /// In `key` and `value`.
    Own,
}

impl<'a> Merge<'a> {
    /// Merges runs, the newest first.
    pub fn new(cursors: Vec<Cursor<'a>>, rules: Rules<'a>) -> Merge<'a> {
        Merge {
            lanes: Lanes::new(cursors),
            rules,
            floor: None,
            key: Vec::new(),
            value: Vec::new(),
            scratch: BlobScratch::default(),
            state: State::New,
        }
    }

    fn advance_first(&mut self) -> Result<()> {
        let advanced = self.lanes.advance_first();
        advanced.map_err(|error| self.end(error))
    }

    fn end(&mut self, error: Error) -> Error {
        self.state = State::Ended;
        self.lanes.heap.clear();
        error
    }

    /// Whether the first lane is at an entry of `self.key`.
    fn is_at_key(&self) -> bool {
        let lane = self.lanes.first();
        lane.is_some_and(|lane| lane.error.is_none() && lane.cursor.user_key() == self.key)
    }

    /// Skips what is left of the versions of `self.key`.
    fn skip_key(&mut self) -> Result<()> {
        while self.is_at_key() {
            self.advance_first()?;
        }
        Ok(())
    }

    /// Remembers the first lane's key.
    fn take_key(&mut self) {
        let lane = self.lanes.first();
        if let Some(lane) = lane {
            self.key.clear();
            self.key.extend_from_slice(lane.cursor.user_key());
        }
    }

    /// Leaves the row that was handed out.
    fn leave(&mut self) -> Result<()> {
        match self.state {
            State::Ahead | State::Ended => return Ok(()),
            State::New => {
                for number in 0..self.lanes.all.len() {
                    let pushed = self.lanes.push_next(number);
                    pushed.map_err(|error| self.end(error))?;
                }
                self.lanes.sort();
            }
            State::LentFirst => {
                self.take_key();
                self.skip_key()?;
            }
            State::LentOwn => self.skip_key()?,
        }
        self.state = State::Ahead;
        Ok(())
    }

    /// Goes to the next row.
    fn find(&mut self) -> Result<Option<Found>> {
        self.leave()?;
        loop {
            let Some(&Place { lane: first, .. }) = self.lanes.heap.first() else {
                self.state = State::Ended;
                return Ok(None);
            };
            let Some(lane) = self.lanes.all.get_mut(first) else {
                return Ok(None);
            };
            if let Some(error) = lane.error.take() {
                let keys = error.unreadable_keys();
                let is_told = self.floor.is_some()
                    && keys.is_some_and(|keys| keys.to.is_some() && keys.to <= self.floor);
                if is_told {
                    self.advance_first()?;
                    continue;
                }
                return Err(self.report(first, error));
            }
            if let Some(floor) = &self.floor {
                if lane.cursor.user_key() < floor.as_slice() {
                    self.advance_first()?;
                    continue;
                }
                self.floor = None;
            }
            if let Some(found) = self.judge(first)? {
                return Ok(Some(found));
            }
            self.skip_key()?;
        }
    }

    /// Tells of keys that a lane can't read: no other run may say what they hold.
    fn report(&mut self, lane: usize, error: Error) -> Error {
        let Some(keys) = error.unreadable_keys() else {
            return self.end(error);
        };
        let (mut from, to) = (keys.from.clone(), keys.to.clone());
        if let Some(floor) = self.floor.take() {
            from = from.max(floor);
        }
        let Some(behind) = &to else {
            return self.end(error);
        };
        self.floor = Some(behind.clone().max(from.clone()));
        self.lanes.heap.retain(|place| place.lane != lane);
        match self.lanes.push_next(lane) {
            Ok(()) => {
                self.lanes.sort();
                error.hiding(UnreadableKeys { from, to })
            }
            Err(worse) => self.end(worse),
        }
    }

    /// Looks at the newest version of a key; `None` where it is no row, and then the key is in `self.key`.
    fn judge(&mut self, first: usize) -> Result<Option<Found>> {
        if !self.rules.is_database {
            self.check_order(first)?;
        }
        let Some(lane) = self.lanes.all.get(first) else {
            return Ok(None);
        };
        let kind = key::kind(lane.cursor.trailer());
        if self.rules.deletions.is_empty() && kind == key::PUT {
            self.state = State::LentFirst;
            return Ok(Some(Found::First));
        }
        if self.is_hidden(first)? {
            self.take_key();
            return Ok(None);
        }
        match kind {
            key::PUT => {
                self.state = State::LentFirst;
                Ok(Some(Found::First))
            }
            key::DELETE | key::SINGLE_DELETE => {
                self.take_key();
                Ok(None)
            }
            key::MERGE => self.fold().map(Some),
            kind => {
                self.take_key();
                self.value.clear();
                self.load(first, kind)?;
                self.state = State::LentOwn;
                Ok(Some(Found::Own))
            }
        }
    }

    fn is_hidden(&mut self, lane: usize) -> Result<bool> {
        let Some(Lane { cursor, .. }) = self.lanes.all.get(lane) else {
            return Ok(false);
        };
        let sequence = key::sequence(cursor.trailer());
        let is_hidden = self.rules.deletions.hides(cursor.user_key(), sequence);
        if is_hidden && sequence == 0 && !self.rules.is_database {
            return Err(self.refused(
                cursor.user_key(),
                "lies in a deleted range, and its sequence number 0 does not say which of the two is older",
                "name the folder of the database: its MANIFEST knows",
            ));
        }
        Ok(is_hidden)
    }

    /// In a loose set, two versions of one sequence number must be the same.
    fn check_order(&self, first: usize) -> Result<()> {
        let Some(Lane { cursor: newest, .. }) = self.lanes.all.get(first) else {
            return Ok(());
        };
        for place in self.lanes.heap.iter().skip(1) {
            let Some(Lane {
                cursor: other,
                error,
            }) = self.lanes.all.get(place.lane)
            else {
                continue;
            };
            let is_rival = error.is_none()
                && other.user_key() == newest.user_key()
                && key::sequence(other.trailer()) == key::sequence(newest.trailer());
            if is_rival && (other.trailer(), other.value()) != (newest.trailer(), newest.value()) {
                let what = format!(
                    "stands in {} and in {} with the same sequence number {} and other content: which of them is newer can't be told",
                    path_of(newest),
                    path_of(other),
                    key::sequence(newest.trailer())
                );
                return Err(self.refused(
                    newest.user_key(),
                    &what,
                    "name the folder of the database, or compare the files one by one",
                ));
            }
        }
        Ok(())
    }

    /// Appends to `self.value` the value of an entry that is not a plain one.
    fn load(&mut self, lane: usize, kind: u8) -> Result<()> {
        let Some(Lane { cursor, .. }) = self.lanes.all.get(lane) else {
            return Ok(());
        };
        let user_key = cursor.user_key();
        match (kind, self.rules.blobs) {
            (key::PUT, _) => {
                self.value.extend_from_slice(cursor.value());
            }
            (key::BLOB, Some(blobs)) => {
                let reference = BlobReference::read(cursor.value())
                    .map_err(|bad| bad.at(self.rules.path, 0, user_key))?;
                blobs.fetch(&reference, user_key, &mut self.scratch, &mut self.value)?;
                entity::check_plain(&self.value)
                    .map_err(|bad| bad.at(self.rules.path, 0, user_key))?;
            }
            (key::ENTITY, _) => entity::push_value(cursor.value(), &mut self.value)
                .map_err(|bad| bad.at(self.rules.path, 0, user_key))?,
            _ => {
                let (what, hint) = key::refused(kind).unwrap_or_default();
                return Err(self.refused(user_key, &format!("holds {what}"), hint));
            }
        }
        Ok(())
    }

    /// Folds the operands that the first cursor's key has on top of its newest value.
    fn fold(&mut self) -> Result<Found> {
        self.take_key();
        let Some(named) = self.rules.operator else {
            return Err(self.refused(
                &self.key,
                "holds an unresolved merge operand, and no file names its operator",
                "let the database resolve it: compact the column family with its merge operator, then take the snapshot again",
            ));
        };
        let operator = Operator::named(self.rules.path, &named.name, named.delimiter.as_deref())?;
        let mut operands: Vec<Vec<u8>> = Vec::new();
        let mut base: Option<Vec<u8>> = None;
        let mut is_whole = false;
        while self.is_at_key()
            && let Some(&Place { lane: first, .. }) = self.lanes.heap.first()
        {
            if self.is_hidden(first)? {
                is_whole = true;
                break;
            }
            let Some(lane) = self.lanes.all.get(first) else {
                break;
            };
            match key::kind(lane.cursor.trailer()) {
                key::MERGE => operands.push(lane.cursor.value().to_vec()),
                key::DELETE | key::SINGLE_DELETE => {
                    is_whole = true;
                    break;
                }
                kind => {
                    self.value.clear();
                    self.load(first, kind)?;
                    base = Some(std::mem::take(&mut self.value));
                    is_whole = true;
                    break;
                }
            }
            self.advance_first()?;
        }
        if !is_whole && let Some((lane, error)) = self.take_error_behind_key() {
            return Err(self.report(lane, error));
        }
        operands.reverse();
        let operands: Vec<&[u8]> = operands.iter().map(Vec::as_slice).collect();
        self.value.clear();
        operator
            .fold(base.as_deref(), &operands, &mut self.value)
            .map_err(|what| {
                Error::damaged(
                    self.rules.path,
                    0,
                    format!("key {}: {what}", escape(&self.key)),
                )
            })?;
        self.state = State::LentOwn;
        Ok(Found::Own)
    }

    /// An error that hides what follows directly on `self.key`, and so perhaps older versions of it; it hides that key then.
    fn take_error_behind_key(&mut self) -> Option<(usize, Error)> {
        let behind = key::successor(&self.key);
        let number = self.lanes.all.iter().position(|lane| {
            let keys = lane
                .error
                .as_ref()
                .and_then(|error| error.unreadable_keys());
            keys.is_some_and(|keys| keys.from <= behind)
        })?;
        let error = self.lanes.all.get_mut(number)?.error.take()?;
        let to = error.unreadable_keys().and_then(|keys| keys.to.clone());
        let from = self.key.clone();
        Some((number, error.hiding(UnreadableKeys { from, to })))
    }

    fn refused(&self, user_key: &[u8], what: &str, hint: &str) -> Error {
        Error::unsupported(
            self.rules.path,
            format!("key {} {what}", escape(user_key)),
            hint,
        )
    }

    fn row(&self, found: &Found) -> Result<Row<'_>> {
        let first = self.lanes.first();
        let (Found::First, Some(Lane { cursor, .. })) = (found, first) else {
            return Ok(Row {
                key: &self.key,
                value: &self.value,
            });
        };
        let (key, value) = (cursor.user_key(), cursor.value());
        entity::check_plain(value).map_err(|bad| bad.at(self.rules.path, 0, key))?;
        Ok(Row { key, value })
    }

    /// Hands out the rows that only the first lane has, from the one it is at to the first key of any other lane or
    /// deleted stretch. False where it is at none.
    #[inline]
    fn drain_first(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let (first, second) = match *self.lanes.heap.as_slice() {
            [] => return Ok(false),
            [first] => (first, None),
            [first, second] => (first, Some(second)),
            [first, left, right, ..] if self.lanes.is_before(right, left) => (first, Some(right)),
            [first, left, ..] => (first, Some(left)),
        };
        let (lane, bound) = match second {
            None => (self.lanes.all.get_mut(first.lane), None),
            Some(second) => match self.lanes.all.get_disjoint_mut([first.lane, second.lane]) {
                Ok([lane, other]) => (Some(lane), Some((second.head, other.key()))),
                Err(_) => return Ok(false),
            },
        };
        let Some(Lane {
            cursor: Cursor::Files(files),
            error: None,
        }) = lane
        else {
            return Ok(false);
        };
        let user_key = files.user_key();
        let deleted = match self.rules.deletions.is_empty() {
            true => None,
            false => self.rules.deletions.next_start(user_key),
        };
        let bound = match (bound, deleted.map(|start| (key::head(start), start))) {
            (Some(other), Some(deleted)) if key::is_below(deleted, other) => Some(deleted),
            (other, deleted) => other.or(deleted),
        };
        let is_alone = bound.is_none_or(|bound| key::is_below((first.head, user_key), bound));
        if !is_alone || key::kind(files.trailer()) != key::PUT {
            return Ok(false);
        }
        let path = self.rules.path;
        let drained = files.drain_puts(bound, &mut self.key, |row| {
            entity::check_plain(row.value).map_err(|bad| bad.at(path, 0, row.key))?;
            visit(row)
        });
        if matches!(drained, Ok(false)) {
            // The next file of the run may go on with older versions of the last key.
            self.state = State::LentOwn;
            self.advance_first()?;
        } else {
            let settled = self.lanes.settle(drained);
            settled.map_err(|error| self.end(error))?;
        }
        Ok(true)
    }
}

fn path_of(cursor: &Cursor<'_>) -> String {
    match cursor {
        Cursor::Files(files) => files
            .path()
            .map_or_else(String::new, |path| path.display().to_string()),
        Cursor::Sorted(_) => "the logs".into(),
    }
}

impl RowStream for Merge<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        self.find()?.map(|found| self.row(&found)).transpose()
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        loop {
            self.leave()?;
            let may_drain = self.rules.is_database && self.floor.is_none();
            if may_drain && self.drain_first(visit)? {
                continue;
            }
            match self.find()? {
                Some(found) => visit(self.row(&found)?)?,
                None => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
