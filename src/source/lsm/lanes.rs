//! The runs of a merge, and which of them has the next entry.

use std::cmp::Ordering;

use super::cursor::Cursor;
use crate::error::{Error, Result};
use crate::source::block_table::key;

/// A run and where the merge is in it.
pub struct Lane<'a> {
    /// The walk over the run.
    pub cursor: Cursor<'a>,
    /// Keys that can't be read, until the merge has come that far.
    pub error: Option<Error>,
}

impl Lane<'_> {
    /// The key of the entry, or the first that can't be read.
    pub fn key(&self) -> &[u8] {
        match self
            .error
            .as_ref()
            .and_then(|error| error.unreadable_keys())
        {
            Some(keys) => &keys.from,
            None => self.cursor.user_key(),
        }
    }
}

/// A lane in the heap.
#[derive(Clone, Copy)]
pub struct Place {
    /// The [`key::head`] of the lane's key.
    pub head: u128,
    /// Its number.
    pub lane: usize,
}

/// The lanes of a merge.
pub struct Lanes<'a> {
    /// All of them, the newest run first.
    pub all: Vec<Lane<'a>>,
    /// Those that are at an entry, or at an error: a heap, the next entry first.
    pub heap: Vec<Place>,
}

impl<'a> Lanes<'a> {
    /// Lanes that were not begun.
    pub fn new(cursors: Vec<Cursor<'a>>) -> Lanes<'a> {
        Lanes {
            heap: Vec::with_capacity(cursors.len()),
            all: cursors
                .into_iter()
                .map(|cursor| Lane {
                    cursor,
                    error: None,
                })
                .collect(),
        }
    }

    /// The first lane.
    pub fn first(&self) -> Option<&Lane<'a>> {
        let first = self.heap.first()?;
        self.all.get(first.lane)
    }

    /// Orders two places: by key, then an error that hides the key, then the newer version.
    #[inline]
    pub fn is_before(&self, left: Place, right: Place) -> bool {
        match left.head == right.head {
            false => left.head < right.head,
            true => self.is_before_in_full(left.lane, right.lane),
        }
    }

    fn is_before_in_full(&self, left: usize, right: usize) -> bool {
        let (Some(a), Some(b)) = (self.all.get(left), self.all.get(right)) else {
            return false;
        };
        let order = a.key().cmp(b.key());
        let order = order.then_with(|| match (&a.error, &b.error) {
            (None, None) => b.cursor.trailer().cmp(&a.cursor.trailer()),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        order.then(left.cmp(&right)) == Ordering::Less
    }

    /// Moves what is at a place of the heap down to where it belongs.
    #[inline]
    fn sift_down(&mut self, mut at: usize) {
        let Some(&moving) = self.heap.get(at) else {
            return;
        };
        loop {
            let child = 2 * at + 1;
            let (next, place) = match (self.heap.get(child), self.heap.get(child + 1)) {
                (Some(&left), Some(&right)) if self.is_before(right, left) => (child + 1, right),
                (Some(&left), _) => (child, left),
                (None, _) => break,
            };
            if !self.is_before(place, moving) {
                break;
            }
            if let Some(slot) = self.heap.get_mut(at) {
                *slot = place;
            }
            at = next;
        }
        if let Some(slot) = self.heap.get_mut(at) {
            *slot = moving;
        }
    }

    pub fn sort(&mut self) {
        for at in (0..self.heap.len() / 2).rev() {
            self.sift_down(at);
        }
    }

    /// The first lane.
    pub fn first_mut(&mut self) -> Option<&mut Lane<'a>> {
        let first = self.heap.first()?;
        self.all.get_mut(first.lane)
    }

    /// Puts the first lane in its place after it moved: to an entry, behind its last one, or to an error.
    ///
    /// # Errors
    ///
    /// Those of moving that hide no keys; they end the merge.
    #[inline]
    pub fn settle(&mut self, moved: Result<bool>) -> Result<()> {
        let Some(lane) = self.first_mut() else {
            return Ok(());
        };
        match moved {
            Ok(true) => {}
            Ok(false) => {
                self.heap.swap_remove(0);
                self.sift_down(0);
                return Ok(());
            }
            Err(error) if error.unreadable_keys().is_some() => lane.error = Some(error),
            Err(error) => return Err(error),
        }
        let head = key::head(lane.key());
        if let Some(first) = self.heap.first_mut() {
            first.head = head;
        }
        self.sift_down(0);
        Ok(())
    }

    /// Goes to the next entry of the first lane.
    ///
    /// # Errors
    ///
    /// Those of reading it that hide no keys; they end the merge.
    pub fn advance_first(&mut self) -> Result<()> {
        let Some(lane) = self.first_mut() else {
            return Ok(());
        };
        let moved = lane.cursor.advance();
        self.settle(moved)
    }

    /// Advances a lane that is not in the heap, and appends it there unless nothing is left.
    ///
    /// # Errors
    ///
    /// Those of reading it that hide no keys; they end the merge.
    pub fn push_next(&mut self, number: usize) -> Result<()> {
        let Some(lane) = self.all.get_mut(number) else {
            return Ok(());
        };
        match lane.cursor.advance() {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if error.unreadable_keys().is_some() => lane.error = Some(error),
            Err(error) => return Err(error),
        }
        self.heap.push(Place {
            head: key::head(lane.key()),
            lane: number,
        });
        Ok(())
    }
}
