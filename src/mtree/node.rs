//! Nodes of a tree as blocks of bytes: encoding, decoding, digests.

use crate::error::{Error, Result};
use crate::file::cursor::{Cursor, push_varint};
use crate::fingerprint::Summary;

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// Bytes of a block in front of what its digest covers.
pub(super) const FIRST_CHILD_BYTES: usize = 8;

/// One child of a node, as its parent describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// First key of the child's range.
    pub start: Vec<u8>,
    /// The rows of the child's range.
    pub summary: Summary,
    /// Where the child's own block is; `None` for a leaf.
    pub child: Option<ChildRef>,
}

/// Where a node's block lies and what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildRef {
    /// Offset in its level, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// Digest of the block.
    pub digest: Digest,
}

/// A node that is being filled; its block is `first_child` and then what is pushed.
#[derive(Debug)]
pub(super) struct NodeWriter {
    level: u8,
    first_child: u64,
    count: u64,
    entries: Vec<u8>,
    previous_key: Vec<u8>,
    pub(super) start: Vec<u8>,
    pub(super) summary: Summary,
}

impl NodeWriter {
    pub(super) fn new(level: u8) -> NodeWriter {
        NodeWriter {
            level,
            first_child: 0,
            count: 0,
            entries: Vec::new(),
            previous_key: Vec::new(),
            start: Vec::new(),
            summary: Summary::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Appends a child; `child` says where its block lies, for level 2 and above.
    pub(super) fn push(&mut self, start: &[u8], summary: &Summary, child: Option<&ChildRef>) {
        if self.count == 0 {
            self.first_child = child.map_or(0, |child| child.offset);
            self.start = start.to_vec();
        }
        let shared = self
            .previous_key
            .iter()
            .zip(start)
            .take_while(|(a, b)| a == b)
            .count();
        push_varint(&mut self.entries, shared as u64);
        push_varint(&mut self.entries, (start.len() - shared) as u64);
        self.entries.extend_from_slice(&start[shared..]);
        push_summary(&mut self.entries, summary);
        if let Some(child) = child {
            self.entries.extend_from_slice(&child.digest);
            push_varint(&mut self.entries, child.len);
        }
        self.previous_key.clear();
        self.previous_key.extend_from_slice(start);
        self.summary += *summary;
        self.count += 1;
    }

    /// Appends the block to `out` and returns its digest; the writer is empty again.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Digest {
        out.extend_from_slice(&self.first_child.to_le_bytes());
        let body = out.len();
        out.push(self.level);
        push_varint(out, self.count);
        out.extend_from_slice(&self.entries);
        let digest = digest(&out[body..]);
        self.count = 0;
        self.entries.clear();
        self.previous_key.clear();
        self.summary = Summary::default();
        digest
    }
}

fn digest(body: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mdiff node 1");
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

/// Appends a summary as entries and headers hold it.
pub(crate) fn push_summary(out: &mut Vec<u8>, summary: &Summary) {
    push_varint(out, summary.rows);
    push_varint(out, summary.bytes);
    out.extend_from_slice(&summary.sum.to_le_bytes());
    push_varint(out, summary.unreadable_leaves);
}

/// Reads what [`push_summary`] wrote.
pub(crate) fn read_summary(cursor: &mut Cursor<'_>) -> Option<Summary> {
    Some(Summary {
        rows: cursor.varint()?,
        bytes: cursor.varint()?,
        sum: cursor.u128()?,
        unreadable_leaves: cursor.varint()?,
    })
}

/// Checks a block against its digest and decodes its entries.
///
/// # Errors
///
/// What is wrong, as [`Error::damaged`] wants it, and where in the block.
pub(super) fn decode(
    block: &[u8],
    level: u8,
    expected: &Digest,
) -> std::result::Result<Vec<Entry>, (usize, String)> {
    let body = block.get(FIRST_CHILD_BYTES..).unwrap_or_default();
    if digest(body) != *expected {
        return Err((
            0,
            "tree node does not have the digest that its parent holds".into(),
        ));
    }
    let first_child = Cursor::new(block).u64().unwrap_or_default();
    let mut cursor = Cursor::new(body);
    let entries = decode_entries(&mut cursor, level, first_child);
    entries.ok_or_else(|| {
        (
            FIRST_CHILD_BYTES + cursor.position(),
            "tree node has the right digest but a malformed content".into(),
        )
    })
}

fn decode_entries(cursor: &mut Cursor<'_>, level: u8, first_child: u64) -> Option<Vec<Entry>> {
    if cursor.u8()? != level || (level == 1 && first_child != 0) {
        return None;
    }
    let count = cursor.varint()?;
    // An entry has at least 21 bytes, so a false count asks for no more than the block's own size.
    let mut entries = Vec::with_capacity(
        usize::try_from(count)
            .ok()?
            .min(cursor.rest().len() / 21 + 1),
    );
    let mut offset = first_child;
    for _ in 0..count {
        let shared = usize::try_from(cursor.varint()?).ok()?;
        let rest = cursor.length_prefixed()?;
        let previous: &[u8] = entries.last().map_or(&[], |last: &Entry| &last.start);
        let mut start = Vec::with_capacity(shared.min(previous.len()) + rest.len());
        start.extend_from_slice(previous.get(..shared)?);
        start.extend_from_slice(rest);
        if !entries.is_empty() && start.as_slice() <= previous {
            return None;
        }
        let summary = read_summary(cursor)?;
        let child = if level >= 2 {
            let digest = cursor.array()?;
            let len = cursor.varint()?;
            let child = ChildRef {
                offset,
                len,
                digest,
            };
            offset = offset.checked_add(len)?;
            Some(child)
        } else {
            None
        };
        entries.push(Entry {
            start,
            summary,
            child,
        });
    }
    (!entries.is_empty() && cursor.is_empty()).then_some(entries)
}

/// Turns what [`decode`] says into an error with a place in the file.
pub(super) fn damaged(
    path: &std::path::Path,
    block_offset: u64,
    (at, what): (usize, String),
) -> Error {
    Error::damaged(path, block_offset + at as u64, what)
}

/// Checks that the entries of a node add up to what its parent says of it.
pub(super) fn check_sum(entries: &[Entry], start: &[u8], summary: &Summary) -> Result<(), String> {
    let total = entries
        .iter()
        .fold(Summary::default(), |total, entry| total + entry.summary);
    if total != *summary || entries.first().is_none_or(|first| first.start != start) {
        return Err("tree node does not add up to what its parent says of it".into());
    }
    Ok(())
}
