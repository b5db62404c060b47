//! Merges runs.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;

use crate::error::{Error, Result};

use super::Twice;
use super::run::{Run, RunReader, StoredRow};

/// Why a merge ended early.
pub(super) enum Stop {
    /// A key stands at two places.
    Twice {
        key: Vec<u8>,
        first: u64,
        second: u64,
    },
    /// Reading or writing failed.
    Failed(Error),
}

impl Stop {
    pub fn twice(a: &StoredRow<'_>, b: &StoredRow<'_>) -> Stop {
        Stop::Twice {
            key: a.key.to_vec(),
            first: a.place.min(b.place),
            second: a.place.max(b.place),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// The next row of a run; the smallest is the heap's greatest.
struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    place: u64,
    run: usize,
}

impl Head {
    /// Of a run of which nothing is read yet.
    fn of(run: usize) -> Head {
        Head {
            key: Vec::new(),
            value: Vec::new(),
            place: 0,
            run,
        }
    }

    fn row(&self) -> StoredRow<'_> {
        StoredRow {
            key: &self.key,
            value: &self.value,
            place: self.place,
        }
    }

    /// Takes the next row of the run; returns whether there is one.
    fn advance(&mut self, reader: &mut RunReader<'_>) -> Result<bool> {
        let Some((_, row)) = reader.next()? else {
            return Ok(false);
        };
        self.key.clear();
        self.key.extend_from_slice(row.key);
        self.value.clear();
        self.value.extend_from_slice(row.value);
        self.place = row.place;
        Ok(true)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        (other.key.as_slice(), other.place).cmp(&(self.key.as_slice(), self.place))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// Hands the rows of all runs to `visit` in the order of their keys; where a later one wins, only that one. `path` is the file
/// that is sorted.
pub(super) fn merge(
    path: &Path,
    runs: Vec<Run>,
    twice: Twice,
    visit: &mut dyn FnMut(&StoredRow<'_>) -> Result<()>,
) -> Result<(), Stop> {
    let mut readers: Vec<RunReader<'_>> = runs
        .iter()
        .map(|run| RunReader::new(run, path, 0))
        .collect();
    let mut heap = BinaryHeap::with_capacity(readers.len());
    for (run, reader) in readers.iter_mut().enumerate() {
        let mut head = Head::of(run);
        if head.advance(reader)? {
            heap.push(head);
        }
    }
    // The row that is handed on as soon as it is known that the next one has another key.
    let mut pending: Option<Head> = None;
    while let Some(mut head) = heap.peek_mut() {
        if let Some(before) = &pending {
            if before.key != head.key {
                visit(&before.row())?;
            } else if twice == Twice::Refused {
                return Err(Stop::twice(&before.row(), &head.row()));
            }
        }
        let kept = pending.get_or_insert_with(|| Head::of(head.run));
        std::mem::swap(&mut kept.key, &mut head.key);
        std::mem::swap(&mut kept.value, &mut head.value);
        kept.place = head.place;
        let has_more = match readers.get_mut(head.run) {
            Some(reader) => head.advance(reader)?,
            None => false,
        };
        if !has_more {
            PeekMut::pop(head);
        }
    }
    if let Some(last) = &pending {
        visit(&last.row())?;
    }
    Ok(())
}
