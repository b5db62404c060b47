//! Divergent ranges and the rows of both sides: the rows that differ.
//!
//! Only the divergent ranges are read. What is read is added up again and must give the sums the trees hold, so a tree that
//! does not belong to its snapshot is an error, never a wrong answer.

use rayon::prelude::*;

use crate::compare::Divergence;
use crate::error::{Error, ErrorKind, Result};
use crate::fingerprint::{Hash, Summary};
use crate::range::KeyRange;
use crate::row::RowStream;
use crate::source::Table;
use crate::tree::leaves::Unreadable;

/// Bytes of rows in one divergent range above which its changes are handed on one by one instead of being collected, so
/// that memory does not grow with a range.
const COLLECT_BYTES_MAX: u64 = 4 << 20;

/// Divergent ranges read at a time.
const RANGES_AT_A_TIME: usize = 64;

/// One row that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// Its value on the left; `None` where only the right has the row.
    pub left: Option<&'a [u8]>,
    /// Its value on the right; `None` where only the left has the row.
    pub right: Option<&'a [u8]>,
}

/// What a diff hands out, in key order within each table.
pub trait ChangeSink {
    /// A divergent range begins; its changes follow.
    fn range(&mut self, divergence: &Divergence) -> Result<()> {
        let _ = divergence;
        Ok(())
    }

    /// A row that differs.
    fn change(&mut self, change: Change<'_>) -> Result<()>;

    /// Keys that one side (0 left, 1 right) could not read; changes among them are handed out as seen.
    fn unreadable(&mut self, side: usize, unreadable: &Unreadable) -> Result<()>;
}

/// One side of a diff.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its rows.
    pub table: &'a dyn Table,
    /// What it is called in messages: the snapshot's path.
    pub name: &'a std::path::Path,
}

/// How rows are read for a diff.
#[derive(Debug, Clone)]
pub struct DiffOptions<'a> {
    /// The hash of the trees.
    pub hash: &'a Hash,
    /// Go on behind what can't be read.
    pub keep_going: bool,
}

/// Reads the divergent ranges of both sides and hands out what differs, in the order of the ranges.
///
/// # Errors
///
/// Usage, where the rows of a range do not add up to what its tree says (the tree is of another snapshot, or stale);
/// the errors of both tables and of `sink`.
pub fn diff(
    left: Side<'_>,
    right: Side<'_>,
    ranges: &[Divergence],
    options: &DiffOptions<'_>,
    sink: &mut dyn ChangeSink,
) -> Result<()> {
    let small = |divergence: &Divergence| {
        divergence
            .sides
            .iter()
            .all(|side| side.bytes <= COLLECT_BYTES_MAX)
    };
    let mut rest = ranges;
    while let Some(first) = rest.first() {
        if !small(first) {
            sink.range(first)?;
            diff_range(left, right, first, options, sink)?;
            rest = &rest[1..];
            continue;
        }
        let count = rest
            .iter()
            .take(RANGES_AT_A_TIME)
            .take_while(|divergence| small(divergence))
            .count();
        let (now, later) = rest.split_at(count);
        let collected = loop {
            let collected: Result<Vec<Collected>> = now
                .par_iter()
                .map(|divergence| {
                    let mut collected = Collected::default();
                    diff_range(left, right, divergence, options, &mut collected)?;
                    Ok(collected)
                })
                .collect();
            match collected {
                Err(error) if left.table.recover(&error)? || right.table.recover(&error)? => {}
                collected => break collected?,
            }
        };
        for (divergence, changes) in now.iter().zip(collected) {
            sink.range(divergence)?;
            changes.hand_on(sink)?;
        }
        rest = later;
    }
    Ok(())
}

/// Merges the two streams of one range.
fn diff_range(
    left: Side<'_>,
    right: Side<'_>,
    divergence: &Divergence,
    options: &DiffOptions<'_>,
    sink: &mut dyn ChangeSink,
) -> Result<()> {
    let [left_summary, right_summary] = divergence.sides.as_slice() else {
        return Err(Error::usage("a diff has two sides", ""));
    };
    let mut left_rows = SideRows::new(left, &divergence.range, options)?;
    let mut right_rows = SideRows::new(right, &divergence.range, options)?;
    left_rows.advance()?;
    right_rows.advance()?;
    loop {
        let order = match (left_rows.key(), right_rows.key()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let (take_left, take_right) = (order.is_le(), order.is_ge());
        let left_value = take_left.then_some(left_rows.value.as_slice());
        let right_value = take_right.then_some(right_rows.value.as_slice());
        if left_value != right_value {
            let key = if take_left {
                &left_rows.key
            } else {
                &right_rows.key
            };
            sink.change(Change {
                key,
                left: left_value,
                right: right_value,
            })?;
        }
        if take_left {
            left_rows.advance()?;
        }
        if take_right {
            right_rows.advance()?;
        }
    }
    left_rows.check(left_summary)?;
    right_rows.check(right_summary)?;
    for (side, rows) in [left_rows, right_rows].into_iter().enumerate() {
        for unreadable in rows.unreadable {
            sink.unreadable(side, &unreadable)?;
        }
    }
    Ok(())
}

/// The rows of one side in one range, added up as they pass.
pub(crate) struct SideRows<'a> {
    side: Side<'a>,
    stream: Box<dyn RowStream + 'a>,
    range: &'a KeyRange,
    options: &'a DiffOptions<'a>,
    seen: Summary,
    has_row: bool,
    key: Vec<u8>,
    value: Vec<u8>,
    unreadable: Vec<Unreadable>,
}

impl<'a> SideRows<'a> {
    pub(crate) fn new(
        side: Side<'a>,
        range: &'a KeyRange,
        options: &'a DiffOptions<'a>,
    ) -> Result<SideRows<'a>> {
        Ok(SideRows {
            stream: side.table.scan(range)?,
            side,
            range,
            options,
            seen: Summary::default(),
            has_row: false,
            key: Vec::new(),
            value: Vec::new(),
            unreadable: Vec::new(),
        })
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        self.has_row.then_some(self.key.as_slice())
    }

    /// The value of the row at `key`, if it stands there.
    pub(crate) fn value_at(&self, key: &[u8]) -> Option<&[u8]> {
        (self.key() == Some(key)).then_some(self.value.as_slice())
    }

    pub(crate) fn advance(&mut self) -> Result<()> {
        loop {
            match self.stream.next() {
                Ok(Some(row)) => {
                    self.seen.add_row(row, self.options.hash.fingerprint(row));
                    self.key.clear();
                    self.key.extend_from_slice(row.key);
                    self.value.clear();
                    self.value.extend_from_slice(row.value);
                    self.has_row = true;
                    return Ok(());
                }
                Ok(None) => {
                    self.has_row = false;
                    return Ok(());
                }
                Err(error) => match error.unreadable_keys() {
                    Some(keys) if self.options.keep_going => {
                        self.unreadable.push(Unreadable {
                            range: keys.clone().into(),
                            why: error.to_string(),
                        });
                    }
                    _ => return Err(error),
                },
            }
        }
    }

    pub(crate) fn check(&self, expected: &Summary) -> Result<()> {
        let expected = Summary {
            unreadable_leaves: 0,
            ..*expected
        };
        if self.seen == expected {
            return Ok(());
        }
        Err(ErrorKind::StaleTree {
            path: self.side.name.to_owned(),
            range: self.range.clone(),
            rows: self.seen.rows,
            rows_in_tree: expected.rows,
        }
        .into())
    }
}

/// Changes of one range, kept until those before it are handed out.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    changes: Vec<CollectedChange>,
    unreadable: Vec<(usize, Unreadable)>,
}

struct CollectedChange {
    key: std::ops::Range<usize>,
    left: Option<std::ops::Range<usize>>,
    right: Option<std::ops::Range<usize>>,
}

impl Collected {
    fn keep(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn hand_on(self, sink: &mut dyn ChangeSink) -> Result<()> {
        for change in &self.changes {
            sink.change(Change {
                key: &self.bytes[change.key.clone()],
                left: change.left.clone().map(|left| &self.bytes[left]),
                right: change.right.clone().map(|right| &self.bytes[right]),
            })?;
        }
        self.unreadable
            .iter()
            .try_for_each(|(side, unreadable)| sink.unreadable(*side, unreadable))
    }
}

impl ChangeSink for Collected {
    fn change(&mut self, change: Change<'_>) -> Result<()> {
        let key = self.keep(change.key);
        let left = change.left.map(|left| self.keep(left));
        let right = change.right.map(|right| self.keep(right));
        self.changes.push(CollectedChange { key, left, right });
        Ok(())
    }

    fn unreadable(&mut self, side: usize, unreadable: &Unreadable) -> Result<()> {
        self.unreadable.push((side, unreadable.clone()));
        Ok(())
    }
}
