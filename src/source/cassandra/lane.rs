//! One SSTable of those that are merged: what stands next in it, and where.

use std::cmp::Ordering;

use super::data::PartitionHead;
use super::key::{self, Exactness};
use super::layout::{Layout, Mapping};
use super::model::{Deletion, Marker, Row};
use super::position::Position;
use super::rows::plain::{Plain, PlainVersion};
use crate::error::{Error, Result};

/// What stands next in one SSTable's partition.
#[derive(Debug, Clone)]
pub enum Next {
    /// A row, in the caller's buffer.
    Row,
    /// A plain row, in the caller's other buffer.
    Plain,
    /// A range tombstone marker.
    Marker(Box<Marker>),
    /// The partition has no more.
    End,
}

/// One SSTable, read from the front.
pub trait Versions {
    /// Goes to the next partition, past what is left of this one, and sets `head` to its head; false where there is none.
    ///
    /// # Errors
    ///
    /// I/O errors, Damaged.
    fn next_partition(&mut self, head: &mut PartitionHead) -> Result<bool>;

    /// Reads what stands next in the partition, where [`Versions::next_plain`] returned false.
    ///
    /// # Errors
    ///
    /// I/O errors, Damaged.
    fn next(&mut self, row: &mut Row, plain: &mut Plain) -> Result<Next>;

    /// Reads what stands next, if that is a plain row and soon told; else nothing was done.
    fn next_plain(&mut self, _plain: &mut Plain) -> bool {
        false
    }

    /// The bytes that begin with the plain row that was read last.
    fn plain_bytes(&self) -> &[u8] {
        &[]
    }

    /// Reads the row again that was plain, as one that is not.
    ///
    /// # Errors
    ///
    /// Damaged.
    fn decode_plain(&mut self, _row: &mut Row) -> Result<()> {
        Ok(())
    }

    /// The error of this SSTable where it contradicts itself.
    fn damaged(&self, what: &str) -> Error;
}

/// One SSTable under way.
pub struct Lane<V> {
    versions: V,
    mapping: Mapping,
    /// Whether there is a next partition.
    pub is_ahead: bool,
    /// Its head.
    pub head: PartitionHead,
    /// Its place among partitions.
    pub partition: Position,
    /// The row that stands next, if it is not plain.
    pub row: Row,
    plain: Plain,
    /// What stands next in the partition.
    pub next: Next,
    /// Where that is.
    pub position: Position,
    /// The same as the key has it, where that is other bytes.
    pub exact: Vec<u8>,
    /// Memory for the next position, or partition.
    scratch: Position,
    /// The range deletion that is open here.
    pub open: Deletion,
}

impl<V: Versions> Lane<V> {
    /// Before the first partition.
    pub fn new(versions: V, mapping: Mapping) -> Lane<V> {
        Lane {
            versions,
            mapping,
            is_ahead: false,
            head: PartitionHead::default(),
            partition: Position::default(),
            row: Row::default(),
            plain: Plain::default(),
            next: Next::End,
            position: Position::default(),
            exact: Vec::new(),
            scratch: Position::default(),
            open: Deletion::LIVE,
        }
    }

    /// Goes to the next partition.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged, also where partitions are not in order.
    pub fn next_head(&mut self, layout: &Layout) -> Result<()> {
        self.is_ahead = self.versions.next_partition(&mut self.head)?;
        self.next = Next::End;
        if !self.is_ahead {
            return Ok(());
        }
        let (partitioner, key_type) = (layout.partitioner, &layout.key_type);
        let key = self.head.key.as_slice();
        self.scratch.write(|out| {
            key::push_partition(out, partitioner, key_type, key);
            Some(())
        });
        if self.scratch <= self.partition {
            return Err(self.versions.damaged("partitions are not in order"));
        }
        std::mem::swap(&mut self.scratch, &mut self.partition);
        Ok(())
    }

    /// Reads what stands first in the partition.
    ///
    /// # Errors
    ///
    /// Those of [`Lane::advance`].
    pub fn begin(&mut self, layout: &Layout) -> Result<()> {
        self.open = self.head.open;
        self.position.clear();
        self.advance(layout)
    }

    /// Reads what stands next in the partition.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged, also where rows are not in order.
    #[inline]
    pub fn advance(&mut self, layout: &Layout) -> Result<()> {
        // Most of what is read.
        if self.versions.next_plain(&mut self.plain) {
            return self.stand_at_plain(layout);
        }
        self.next = self.versions.next(&mut self.row, &mut self.plain)?;
        match self.next {
            Next::End => return Ok(()),
            Next::Plain => return self.stand_at_plain(layout),
            Next::Row | Next::Marker(_) => self.place(layout)?,
        }
        match self.position.cmp(&self.scratch) {
            Ordering::Less => {}
            Ordering::Equal if !self.is_row() => {}
            _ => return Err(self.not_in_order()),
        }
        self.position.copy_from(&self.scratch);
        Ok(())
    }

    #[inline(always)]
    fn stand_at_plain(&mut self, layout: &Layout) -> Result<()> {
        self.next = Next::Plain;
        if self.position >= self.plain.position {
            return Err(self.not_in_order());
        }
        self.position.copy_from(&self.plain.position);
        if !layout.is_exact {
            std::mem::swap(&mut self.exact, &mut self.plain.exact);
        }
        Ok(())
    }

    #[cold]
    fn not_in_order(&self) -> Error {
        self.versions.damaged("rows are not in order")
    }

    /// Finds the position of a row that is not plain, or of a marker, and gives a row's columns the table's indexes.
    fn place(&mut self, layout: &Layout) -> Result<()> {
        if let Next::Row = self.next {
            self.mapping.apply(&mut self.row);
        }
        let push = |out: &mut Vec<u8>, exactness| match &self.next {
            Next::Marker(marker) => key::push_bound(out, layout, marker, exactness),
            _ => key::push_row(out, layout, &self.row, exactness),
        };
        let written = self.scratch.write(|out| push(out, Exactness::Equal));
        let pushed = written.and_then(|()| {
            if layout.is_exact {
                return Some(());
            }
            self.exact.clear();
            push(&mut self.exact, Exactness::Bytes)
        });
        pushed.ok_or_else(|| {
            self.versions
                .damaged("too many or too few clustering values")
        })
    }

    /// Whether a row stands next.
    pub fn is_row(&self) -> bool {
        matches!(self.next, Next::Row | Next::Plain)
    }

    fn is_plain(&self) -> bool {
        matches!(self.next, Next::Plain)
    }

    /// The plain row that stands here.
    #[inline]
    pub fn plain_version(&self) -> Option<PlainVersion<'_>> {
        let bytes = self.versions.plain_bytes();
        self.is_plain().then_some((&self.plain, bytes))
    }

    /// Appends where `next` stands in the partition, as the key has it.
    #[inline]
    pub fn push_place(&self, layout: &Layout, key: &mut Vec<u8>) {
        push_place(layout, &self.position, &self.exact, key);
    }

    /// Makes of a plain row one that is not.
    ///
    /// # Errors
    ///
    /// Damaged.
    pub fn decode_plain(&mut self) -> Result<()> {
        if self.is_plain() {
            self.versions.decode_plain(&mut self.row)?;
            self.mapping.apply(&mut self.row);
            self.next = Next::Row;
        }
        Ok(())
    }
}

/// Appends a place in a partition as the key has it.
#[inline]
pub fn push_place(layout: &Layout, position: &Position, exact: &[u8], key: &mut Vec<u8>) {
    match layout.is_exact {
        true => position.push_to(key),
        false => key.extend_from_slice(exact),
    }
}
