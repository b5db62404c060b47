//! Builds the levels of a tree from its leaves, in one pass, and writes the file.

use std::io::Write;

use super::header::{
    DIGEST_BYTES, Header, SECTION_UNREADABLE, Section, TableHeader, push_range, splits_digest,
};
use super::node::{ChildRef, Digest, NodeWriter};
use crate::error::Result;
use crate::file::cursor::{push_length_prefixed, push_varint};
use crate::file::spill::SpillBuffer;
use crate::fingerprint::{HashId, Summary};
use crate::range::{Coverage, rank};
use crate::row::Schema;
use crate::tree::leaves::Unreadable;
use crate::tree::levels_starting_at;

/// Takes leaves in key order and keeps one open node a level; finished nodes go to a buffer a level, which spills to a
/// temporary file, so that memory does not grow with the tree.
pub struct TableWriter<'a> {
    leaf_bits: u32,
    coverage: &'a Coverage,
    levels: Vec<Level>,
    leaves: u64,
    spill: SpillBuffer,
}

/// The tree of one table, not yet in a file.
pub struct TableTree {
    pub(super) header: TableHeader,
    pub(super) unreadable: Vec<Unreadable>,
    /// Level 1 first.
    levels: Vec<SpillBuffer>,
}

struct Level {
    open: NodeWriter,
    done: SpillBuffer,
    /// The last finished node, not yet told to the level above.
    block: Vec<u8>,
    nodes: u64,
}

impl Level {
    fn new(number: usize, spill: &SpillBuffer) -> Level {
        Level {
            open: NodeWriter::new(number as u8),
            done: spill.another(),
            block: Vec::new(),
            nodes: 0,
        }
    }
}

impl<'a> TableWriter<'a> {
    /// Starts a tree whose buffers spill where `spill` does.
    pub fn new(leaf_bits: u32, coverage: &'a Coverage, spill: SpillBuffer) -> TableWriter<'a> {
        TableWriter {
            leaf_bits,
            coverage,
            levels: vec![Level::new(1, &spill)],
            leaves: 0,
            spill,
        }
    }

    /// Appends the next leaf; the first one starts where the coverage does.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files.
    pub fn push_leaf(&mut self, start: &[u8], summary: &Summary) -> Result<()> {
        if self.leaves > 0 {
            let ending = levels_starting_at(rank(start), self.leaf_bits) as usize;
            for number in 1..=ending {
                self.close(number)?;
            }
        }
        self.leaves += 1;
        self.levels[0].open.push(start, summary, None);
        Ok(())
    }

    /// Finishes the open node of a level, if it has children, and enters it one level up.
    fn close(&mut self, number: usize) -> Result<()> {
        if number > self.levels.len() {
            return Ok(());
        }
        let level = &mut self.levels[number - 1];
        if level.open.is_empty() {
            return Ok(());
        }
        let start = std::mem::take(&mut level.open.start);
        let summary = level.open.summary;
        let child = level.finish_node()?;
        if number == self.levels.len() {
            self.levels.push(Level::new(number + 1, &self.spill));
        }
        self.levels[number]
            .open
            .push(&start, &summary, Some(&child));
        Ok(())
    }

    /// Finishes the tree.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files.
    pub fn finish(
        mut self,
        name: &str,
        schema: &Schema,
        splits: &[Vec<u8>],
        unreadable: Vec<Unreadable>,
    ) -> Result<TableTree> {
        let mut number = 1;
        // The root is the lowest level with one node: what is open now, where nothing of its level is done.
        while self.levels[number - 1].nodes > 0 {
            self.close(number)?;
            number += 1;
        }
        let top = &mut self.levels[number - 1];
        let summary = top.open.summary;
        let root: Digest = top.finish_node()?.digest;
        self.levels.truncate(number);
        let header = TableHeader {
            name: name.to_owned(),
            schema: schema.clone(),
            coverage: self.coverage.clone(),
            leaf_bits: self.leaf_bits,
            splits: splits_digest(splits, &self.coverage.hull()),
            leaves: self.leaves,
            summary,
            root,
            level_lens: self
                .levels
                .iter()
                .rev()
                .map(|level| level.done.len())
                .collect(),
        };
        Ok(TableTree {
            header,
            unreadable,
            levels: self.levels.into_iter().map(|level| level.done).collect(),
        })
    }
}

impl Level {
    fn finish_node(&mut self) -> Result<ChildRef> {
        self.block.clear();
        let digest = self.open.finish(&mut self.block);
        let child = ChildRef {
            offset: self.done.len(),
            len: self.block.len() as u64,
            digest,
        };
        self.done.push(&self.block)?;
        self.nodes += 1;
        Ok(child)
    }
}

impl TableTree {
    /// What the tree says of itself.
    pub fn header(&self) -> &TableHeader {
        &self.header
    }

    fn unreadable_section(&self) -> Option<Vec<u8>> {
        if self.unreadable.is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        push_varint(&mut bytes, self.unreadable.len() as u64);
        for unreadable in &self.unreadable {
            push_range(&mut bytes, &unreadable.range);
            push_length_prefixed(&mut bytes, unreadable.why.as_bytes());
        }
        Some(bytes)
    }
}

/// Writes the file: header, levels, sections. The tables are put in ascending order of their names.
///
/// # Errors
///
/// I/O errors of the temporary files, and those of `out` through `wrap`.
pub fn write(
    mut tables: Vec<TableTree>,
    hash: &HashId,
    out: &mut dyn Write,
    wrap: &dyn Fn(std::io::Error) -> crate::error::Error,
) -> Result<()> {
    tables.sort_by(|a, b| a.header.name.cmp(&b.header.name));
    let sections: Vec<(u64, Vec<u8>)> = tables
        .iter()
        .enumerate()
        .filter_map(|(index, table)| Some((index as u64, table.unreadable_section()?)))
        .collect();
    let mut header = Header {
        file_len_bytes: 0,
        hash: *hash,
        tables: tables.iter().map(|table| table.header.clone()).collect(),
        sections: sections
            .iter()
            .map(|(table, bytes)| Section {
                id: SECTION_UNREADABLE,
                table: *table,
                len: bytes.len() as u64,
                digest: *blake3::hash(bytes).as_bytes(),
            })
            .collect(),
    };
    let bytes = header.encode();
    debug_assert!(bytes.len() > DIGEST_BYTES);
    out.write_all(&bytes).map_err(wrap)?;
    for table in tables {
        for level in table.levels.into_iter().rev() {
            level.copy_to(out, wrap)?;
        }
    }
    for (_, bytes) in &sections {
        out.write_all(bytes).map_err(wrap)?;
    }
    Ok(())
}
