//! A place in a tree, on any level: the range under it can be skipped whole or entered.

use crate::error::Result;
use crate::mtree::{Entry, TableView};

/// The end of a range: a key, or behind every key.
pub(super) type End = Option<Vec<u8>>;

/// Whether one end lies before another.
pub(super) fn before(a: &End, b: &End) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a < b,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// A walk over the segments of a tree in key order. A segment is a leaf or a whole node.
#[derive(Clone)]
pub(super) struct TreeCursor<'a> {
    table: TableView<'a>,
    frames: Vec<Frame>,
}

#[derive(Clone)]
struct Frame {
    level: u8,
    entries: std::rc::Rc<Vec<Entry>>,
    index: usize,
    end: End,
}

impl<'a> TreeCursor<'a> {
    /// Starts with the whole table as one segment.
    pub(super) fn new(table: TableView<'a>) -> TreeCursor<'a> {
        let root = Entry {
            start: table.header().coverage.from().to_vec(),
            summary: table.header().summary,
            child: Some(table.root()),
        };
        let frame = Frame {
            level: table.height() + 1,
            entries: std::rc::Rc::new(vec![root]),
            index: 0,
            end: table.header().coverage.hull().to,
        };
        TreeCursor {
            table,
            frames: vec![frame],
        }
    }

    /// The current segment; `None` behind the last.
    pub(super) fn segment(&self) -> Option<&Entry> {
        let frame = self.frames.last()?;
        frame.entries.get(frame.index)
    }

    /// Where the current segment ends; the end of the coverage, behind the last.
    pub(super) fn end(&self) -> End {
        let Some(frame) = self.frames.last() else {
            return self.table.header().coverage.hull().to;
        };
        match frame.entries.get(frame.index + 1) {
            Some(next) => Some(next.start.clone()),
            None => frame.end.clone(),
        }
    }

    /// Whether the current segment can't be entered.
    pub(super) fn is_leaf(&self) -> bool {
        self.segment().is_none_or(|segment| segment.child.is_none())
    }

    /// The rank that keys need to start a segment of the current kind: the higher, the coarser.
    pub(super) fn coarseness(&self) -> u32 {
        let below = self
            .frames
            .last()
            .map_or(0, |frame| u32::from(frame.level.saturating_sub(1)));
        self.table.header().leaf_bits + below * crate::tree::FAN_OUT_BITS
    }

    /// Goes to the next segment.
    pub(super) fn advance(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
            if frame.index < frame.entries.len() {
                return;
            }
            self.frames.pop();
        }
    }

    /// Enters the current segment: its first child becomes the segment. Reads and checks one node.
    pub(super) fn descend(&mut self) -> Result<()> {
        let end = self.end();
        let Some(frame) = self.frames.last() else {
            return Ok(());
        };
        let Some(segment) = frame.entries.get(frame.index) else {
            return Ok(());
        };
        let Some(child) = &segment.child else {
            return Ok(());
        };
        let level = frame.level - 1;
        let entries = self
            .table
            .node(level, child, &segment.start, &segment.summary)?;
        self.frames.push(Frame {
            level,
            entries: std::rc::Rc::new(entries),
            index: 0,
            end,
        });
        Ok(())
    }

    /// Goes to the first segment that starts at `key` or behind it; enters nodes on the way. Returns the rows passed.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<u64> {
        let mut passed = 0;
        while let Some(segment) = self.segment() {
            if segment.start.as_slice() >= key {
                break;
            }
            let holds_key = self.end().is_none_or(|end| end.as_slice() > key);
            if holds_key && segment.child.is_some() {
                self.descend()?;
            } else {
                passed += segment.summary.rows;
                self.advance();
            }
        }
        Ok(passed)
    }
}
