//! The rows of a family: its runs merged by key and sequence number. The newest version of a key counts; a deletion, or a younger range
//! deletion, hides it and all older ones.
//!
//! Where one run alone has the next keys, up to the first key of any other, its rows are handed out straight from its blocks.

use std::cmp::Ordering;
use std::path::Path;

use super::blob::{BlobFiles, BlobReference, BlobScratch};
use super::cursor::Cursor;
use super::entity;
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
    cursors: Vec<Cursor<'a>>,
    /// Numbers of the cursors that are at an entry, or at an error: a heap, the next entry first.
    heap: Vec<usize>,
    /// Errors that hide keys, by cursor, until the merge has come that far.
    errors: Vec<Option<Error>>,
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
            errors: cursors.iter().map(|_| None).collect(),
            heap: Vec::with_capacity(cursors.len()),
            cursors,
            rules,
            floor: None,
            key: Vec::new(),
            value: Vec::new(),
            scratch: BlobScratch::default(),
            state: State::New,
        }
    }

    /// Orders two cursors by what they are at: by key, then an error that hides the key, then the newer version.
    fn is_before(&self, left: usize, right: usize) -> bool {
        let order = self.key_of(left).cmp(self.key_of(right));
        let order = order.then_with(|| match (self.error_of(left), self.error_of(right)) {
            (None, None) => self.trailer_of(right).cmp(&self.trailer_of(left)),
            (left, right) => left.is_none().cmp(&right.is_none()),
        });
        order.then(left.cmp(&right)) == Ordering::Less
    }

    fn error_of(&self, cursor: usize) -> Option<&Error> {
        self.errors.get(cursor)?.as_ref()
    }

    fn key_of(&self, cursor: usize) -> &[u8] {
        match self
            .error_of(cursor)
            .and_then(|error| error.unreadable_keys())
        {
            Some(keys) => &keys.from,
            None => self.cursors.get(cursor).map_or(&[], |c| c.user_key()),
        }
    }

    fn trailer_of(&self, cursor: usize) -> u64 {
        self.cursors.get(cursor).map_or(0, |c| c.trailer())
    }

    /// Moves the heap's first down to where it belongs.
    fn sift_down(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if let (Some(&child_cursor), Some(&least_cursor)) =
                    (self.heap.get(child), self.heap.get(least))
                    && self.is_before(child_cursor, least_cursor)
                {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn remove_first(&mut self) {
        if !self.heap.is_empty() {
            self.heap.swap_remove(0);
            self.sift_down(0);
        }
    }

    /// Puts the first cursor in its place after it moved: to an entry, behind its last one, or to an error.
    fn settle(&mut self, moved: Result<bool>) -> Result<()> {
        match moved {
            Ok(true) => self.sift_down(0),
            Ok(false) => self.remove_first(),
            Err(error) if error.unreadable_keys().is_some() => {
                if let Some(slot) = self.heap.first().and_then(|&at| self.errors.get_mut(at)) {
                    *slot = Some(error);
                }
                self.sift_down(0);
            }
            Err(error) => return Err(self.end(error)),
        }
        Ok(())
    }

    fn end(&mut self, error: Error) -> Error {
        self.state = State::Ended;
        self.heap.clear();
        error
    }

    fn advance_first(&mut self) -> Result<()> {
        let Some(cursor) = self.heap.first().and_then(|&at| self.cursors.get_mut(at)) else {
            return Ok(());
        };
        let moved = cursor.advance();
        self.settle(moved)
    }

    fn begin(&mut self) -> Result<()> {
        for number in 0..self.cursors.len() {
            self.push_next(number)?;
        }
        self.sort_heap();
        Ok(())
    }

    /// Advances a cursor that is not in the heap, and appends it there unless nothing is left.
    fn push_next(&mut self, number: usize) -> Result<()> {
        let Some(cursor) = self.cursors.get_mut(number) else {
            return Ok(());
        };
        match cursor.advance() {
            Ok(true) => self.heap.push(number),
            Ok(false) => {}
            Err(error) if error.unreadable_keys().is_some() => {
                if let Some(slot) = self.errors.get_mut(number) {
                    *slot = Some(error);
                }
                self.heap.push(number);
            }
            Err(error) => return Err(self.end(error)),
        }
        Ok(())
    }

    fn sort_heap(&mut self) {
        for at in (0..self.heap.len() / 2).rev() {
            self.sift_down(at);
        }
    }

    /// Skips what is left of the versions of `self.key`.
    fn skip_key(&mut self) -> Result<()> {
        while let Some(&first) = self.heap.first()
            && self.error_of(first).is_none()
            && self.key_of(first) == self.key
        {
            self.advance_first()?;
        }
        Ok(())
    }

    /// Remembers the first cursor's key.
    fn take_key(&mut self) {
        if let Some(cursor) = self.heap.first().and_then(|&at| self.cursors.get(at)) {
            self.key.clear();
            self.key.extend_from_slice(cursor.user_key());
        }
    }

    /// Goes to the next row.
    fn find(&mut self) -> Result<Option<Found>> {
        match self.state {
            State::New => self.begin()?,
            State::Ahead | State::Ended => {}
            State::LentFirst => {
                self.take_key();
                self.skip_key()?;
            }
            State::LentOwn => self.skip_key()?,
        }
        self.state = State::Ahead;
        loop {
            let Some(&first) = self.heap.first() else {
                self.state = State::Ended;
                return Ok(None);
            };
            if let Some(error) = self.errors.get_mut(first).and_then(Option::take) {
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
                if self.key_of(first) < floor.as_slice() {
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

    /// Tells of keys that `cursor` can't read: no other run may say what they hold.
    fn report(&mut self, cursor: usize, error: Error) -> Error {
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
        self.heap.retain(|&number| number != cursor);
        match self.push_next(cursor) {
            Ok(()) => {
                self.sort_heap();
                error.hiding(UnreadableKeys { from, to })
            }
            Err(worse) => worse,
        }
    }

    /// Looks at the newest version of a key; `None` where it is no row, and then the key is in `self.key`.
    fn judge(&mut self, first: usize) -> Result<Option<Found>> {
        if !self.rules.is_database {
            self.check_order(first)?;
        }
        let Some(cursor) = self.cursors.get(first) else {
            return Ok(None);
        };
        let trailer = cursor.trailer();
        let kind = key::kind(trailer);
        if self.rules.deletions.is_empty() && kind == key::PUT {
            return self.plain(first);
        }
        if self.is_hidden(first)? {
            self.take_key();
            return Ok(None);
        }
        match kind {
            key::PUT => self.plain(first),
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

    fn plain(&mut self, first: usize) -> Result<Option<Found>> {
        if let Some(cursor) = self.cursors.get(first) {
            entity::check_plain(cursor.value())
                .map_err(|bad| bad.at(self.rules.path, 0, cursor.user_key()))?;
        }
        self.state = State::LentFirst;
        Ok(Some(Found::First))
    }

    fn is_hidden(&mut self, cursor: usize) -> Result<bool> {
        let Some(cursor) = self.cursors.get(cursor) else {
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
        let Some(newest) = self.cursors.get(first) else {
            return Ok(());
        };
        for &number in self.heap.iter().skip(1) {
            let Some(other) = self.cursors.get(number) else {
                continue;
            };
            let is_rival = self.error_of(number).is_none()
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
    fn load(&mut self, cursor: usize, kind: u8) -> Result<()> {
        let Some(cursor) = self.cursors.get(cursor) else {
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
        while let Some(&first) = self.heap.first()
            && self.error_of(first).is_none()
            && self.key_of(first) == self.key
        {
            if self.is_hidden(first)? {
                is_whole = true;
                break;
            }
            let kind = key::kind(self.trailer_of(first));
            match kind {
                key::MERGE => {
                    let value = self.cursors.get(first).map_or(&[][..], |c| c.value());
                    operands.push(value.to_vec());
                }
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
        if !is_whole && let Some((cursor, error)) = self.take_error_behind_key() {
            return Err(self.report(cursor, error));
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
        let cursor = self.errors.iter().position(|error| {
            let keys = error.as_ref().and_then(|error| error.unreadable_keys());
            keys.is_some_and(|keys| keys.from <= behind)
        })?;
        let error = self.errors.get_mut(cursor)?.take()?;
        let to = error.unreadable_keys().and_then(|keys| keys.to.clone());
        let from = self.key.clone();
        Some((cursor, error.hiding(UnreadableKeys { from, to })))
    }

    fn refused(&self, user_key: &[u8], what: &str, hint: &str) -> Error {
        Error::unsupported(
            self.rules.path,
            format!("key {} {what}", escape(user_key)),
            hint,
        )
    }

    fn row(&self, found: &Found) -> Row<'_> {
        match (
            found,
            self.heap.first().and_then(|&at| self.cursors.get(at)),
        ) {
            (Found::First, Some(cursor)) => Row {
                key: cursor.user_key(),
                value: cursor.value(),
            },
            _ => Row {
                key: &self.key,
                value: &self.value,
            },
        }
    }

    /// Hands out the rows that only the first cursor has, from the one it is at to the first key of any other cursor.
    /// False where it has none.
    fn drain_first(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let Some(&first) = self.heap.first() else {
            return Ok(false);
        };
        let mut second: Option<usize> = None;
        for &child in self.heap.iter().skip(1).take(2) {
            if second.is_none_or(|second| self.is_before(child, second)) {
                second = Some(child);
            }
        }
        if second.is_some_and(|second| self.error_of(second).is_some()) {
            return Ok(false);
        }
        let (cursor, bound) = match second {
            None => (self.cursors.get_mut(first), None),
            Some(second) => match self.cursors.get_disjoint_mut([first, second]) {
                Ok([first, second]) => (Some(first), Some(&*second)),
                Err(_) => return Ok(false),
            },
        };
        let Some(Cursor::Files(files)) = cursor else {
            return Ok(false);
        };
        let others = bound.map(Cursor::user_key);
        let deleted = self.rules.deletions.next_start(files.user_key());
        let bound = match (others, deleted) {
            (Some(others), Some(deleted)) => Some(others.min(deleted)),
            (others, deleted) => others.or(deleted),
        };
        if bound.is_some_and(|bound| files.user_key() >= bound) {
            return Ok(false);
        }
        let path = self.rules.path;
        let drained = files.drain_puts(bound, &mut self.key, |row| {
            entity::check_plain(row.value).map_err(|bad| bad.at(path, 0, row.key))?;
            visit(row)
        });
        match drained {
            Ok(true) => {
                self.state = State::Ahead;
                self.sift_down(0);
            }
            // The next file of the run may go on with older versions of the last key.
            Ok(false) => {
                self.state = State::LentOwn;
                self.advance_first()?;
            }
            Err(error) => {
                self.state = State::Ahead;
                self.settle(Err(error))?;
            }
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
        Ok(self.find()?.map(|found| self.row(&found)))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while let Some(found) = self.find()? {
            if !(self.rules.is_database
                && matches!(found, Found::First)
                && self.drain_first(visit)?)
            {
                visit(self.row(&found))?;
            }
        }
        Ok(())
    }
}
