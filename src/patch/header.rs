//! The header of a `.mpatch` file: what the patch was made for and where it leads.

use crate::file::cursor::{Cursor, push_length_prefixed, push_varint};
use crate::fingerprint::{HashId, Summary};
use crate::mtree::header::{push_coverage, push_schema, read_coverage, read_schema, read_text};
use crate::mtree::node::{Digest, push_summary, read_summary};
use crate::mtree::{TableHeader, TableView};
use crate::range::Coverage;
use crate::row::Schema;

/// First bytes of the file.
pub const MAGIC: [u8; 8] = *b"\x89MPT\r\n\x1a\n";

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

pub(super) const START_BYTES: usize = 16;
pub(super) const DIGEST_BYTES: usize = 32;
const FLAG_REVERSIBLE: u8 = 1;

/// What a patch says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchHeader {
    /// How rows are fingerprinted.
    pub hash: HashId,
    /// Old values are in the operations.
    pub reversible: bool,
    /// The tables, ascending by name.
    pub tables: Vec<PatchTable>,
}

/// What a patch says of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchTable {
    /// Its name.
    pub name: String,
    /// How its keys and values are shown.
    pub schema: Schema,
    /// The keys that were compared.
    pub coverage: Coverage,
    /// What it was made from.
    pub base: PatchSide,
    /// What it leads to.
    pub target: PatchSide,
}

/// What a patch knows of one side of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchSide {
    /// Leaf size of its tree.
    pub leaf_bits: u32,
    /// All its rows in the coverage.
    pub summary: Summary,
    /// Root of its tree; zero where that depends on extra boundaries.
    pub root: Digest,
}

impl PatchSide {
    /// What a tree says of its table.
    pub fn of(header: &TableHeader) -> PatchSide {
        let root = if header.splits == [0; 32] {
            header.root
        } else {
            [0; 32]
        };
        PatchSide {
            leaf_bits: header.leaf_bits,
            summary: header.summary,
            root,
        }
    }
}

impl PatchTable {
    /// Describes the patch between two trees of a table that cover the same keys.
    pub fn new(base: &TableView<'_>, target: &TableView<'_>) -> PatchTable {
        PatchTable {
            name: base.header().name.clone(),
            schema: base.header().schema.clone(),
            coverage: base.header().coverage.clone(),
            base: PatchSide::of(base.header()),
            target: PatchSide::of(target.header()),
        }
    }
}

impl PatchHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        self.hash.push(&mut out);
        out.push(if self.reversible { FLAG_REVERSIBLE } else { 0 });
        push_varint(&mut out, self.tables.len() as u64);
        for table in &self.tables {
            push_length_prefixed(&mut out, table.name.as_bytes());
            push_schema(&mut out, &table.schema);
            push_coverage(&mut out, &table.coverage);
            for side in [&table.base, &table.target] {
                out.push(side.leaf_bits as u8);
                push_summary(&mut out, &side.summary);
                out.extend_from_slice(&side.root);
            }
        }
        let header_len = u32::try_from(out.len()).unwrap_or(u32::MAX);
        out[12..START_BYTES].copy_from_slice(&header_len.to_le_bytes());
        let digest = blake3::hash(&out);
        out.extend_from_slice(digest.as_bytes());
        out
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<PatchHeader> {
        let hash = HashId::read(cursor)?;
        let flags = cursor.u8()?;
        if flags & !FLAG_REVERSIBLE != 0 {
            return None;
        }
        let mut tables: Vec<PatchTable> = Vec::new();
        for _ in 0..cursor.varint()? {
            let table = PatchTable {
                name: read_text(cursor)?,
                schema: read_schema(cursor)?,
                coverage: read_coverage(cursor)?,
                base: read_side(cursor)?,
                target: read_side(cursor)?,
            };
            if tables.last().is_some_and(|last| last.name >= table.name) {
                return None;
            }
            tables.push(table);
        }
        cursor.is_empty().then_some(PatchHeader {
            hash,
            reversible: flags & FLAG_REVERSIBLE != 0,
            tables,
        })
    }

    /// The patch that leads back.
    pub fn inverted(&self) -> PatchHeader {
        let mut inverted = self.clone();
        for table in &mut inverted.tables {
            std::mem::swap(&mut table.base, &mut table.target);
        }
        inverted
    }
}

fn read_side(cursor: &mut Cursor<'_>) -> Option<PatchSide> {
    Some(PatchSide {
        leaf_bits: u32::from(cursor.u8()?).min(crate::tree::LEAF_BITS_MAX),
        summary: read_summary(cursor)?,
        root: cursor.array()?,
    })
}
