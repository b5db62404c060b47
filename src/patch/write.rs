//! Writes patches: records into blocks, each digest chained to the one before.

use std::io::{self, Write};

use super::header::PatchHeader;
use crate::compare::Divergence;
use crate::diff::{Change, ChangeSink};
use crate::error::{Error, Result};
use crate::file::cursor::{push_length_prefixed, push_varint};
use crate::fingerprint::{Hash, Summary};
use crate::mtree::node::{Digest, push_summary};
use crate::range::KeyRange;
use crate::row::Row;
use crate::tree::leaves::Unreadable;

use super::Op;

/// Content of a block at which it is closed.
const BLOCK_BYTES: usize = 256 << 10;

/// Level of zstd: a patch is written once and shipped.
const ZSTD_LEVEL: i32 = 3;

pub(super) const KIND_DATA: u8 = 1;
pub(super) const KIND_END: u8 = 2;
pub(super) const CODEC_RAW: u8 = 0;
pub(super) const CODEC_ZSTD: u8 = 1;
pub(super) const TAG_TABLE: u8 = 1;
pub(super) const TAG_RANGE: u8 = 2;
pub(super) const TAG_INSERT: u8 = 3;
pub(super) const TAG_REPLACE: u8 = 4;
pub(super) const TAG_DELETE: u8 = 5;

/// What a patch holds, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchCounts {
    /// Divergent ranges.
    pub ranges: u64,
    /// Rows to put.
    pub puts: u64,
    /// Rows to delete.
    pub deletes: u64,
}

/// Writes one patch to a stream. As a [`ChangeSink`], left is the base and right the target.
pub struct PatchWriter<'a> {
    out: &'a mut dyn Write,
    wrap: &'a dyn Fn(io::Error) -> Error,
    hash: &'a Hash,
    reversible: bool,
    compress: bool,
    digest: Digest,
    block: Vec<u8>,
    key: Vec<u8>,
    counts: PatchCounts,
    raw_bytes: u64,
}

impl<'a> PatchWriter<'a> {
    /// Writes the header. Errors of `out` go through `wrap`.
    pub fn new(
        out: &'a mut dyn Write,
        wrap: &'a dyn Fn(io::Error) -> Error,
        header: &PatchHeader,
        hash: &'a Hash,
        compress: bool,
    ) -> Result<PatchWriter<'a>> {
        let bytes = header.encode();
        out.write_all(&bytes).map_err(wrap)?;
        let mut digest = [0; 32];
        digest.copy_from_slice(&bytes[bytes.len() - 32..]);
        Ok(PatchWriter {
            out,
            wrap,
            hash,
            reversible: header.reversible,
            compress,
            digest,
            block: Vec::new(),
            key: Vec::new(),
            counts: PatchCounts::default(),
            raw_bytes: 0,
        })
    }

    /// What follows belongs to the table of this index in the header.
    pub fn table(&mut self, index: usize) -> Result<()> {
        self.block.push(TAG_TABLE);
        push_varint(&mut self.block, index as u64);
        self.close_full_block()
    }

    /// A divergent range begins.
    pub fn begin_range(
        &mut self,
        range: &KeyRange,
        base: &Summary,
        target_bytes: u64,
    ) -> Result<()> {
        self.counts.ranges += 1;
        self.block.push(TAG_RANGE);
        self.push_key(&range.from);
        self.block.push(u8::from(range.to.is_some()));
        if let Some(to) = &range.to {
            self.push_key(to);
        }
        push_summary(&mut self.block, base);
        push_varint(&mut self.block, target_bytes);
        self.close_full_block()
    }

    /// Writes an operation.
    pub fn op(&mut self, op: &Op) -> Result<()> {
        self.push_op(
            &op.key,
            op.replaces,
            op.value.as_deref(),
            op.old_value.as_deref(),
        )
    }

    fn push_op(
        &mut self,
        key: &[u8],
        replaces: Option<u128>,
        value: Option<&[u8]>,
        old_value: Option<&[u8]>,
    ) -> Result<()> {
        self.block.push(match (replaces, value) {
            (None, _) => TAG_INSERT,
            (Some(_), Some(_)) => TAG_REPLACE,
            (Some(_), None) => TAG_DELETE,
        });
        self.push_key(key);
        if let Some(fingerprint) = replaces {
            self.block.extend_from_slice(&fingerprint.to_le_bytes());
        }
        match value {
            Some(value) => {
                self.counts.puts += 1;
                push_length_prefixed(&mut self.block, value);
            }
            None => self.counts.deletes += 1,
        }
        if self.reversible && replaces.is_some() {
            push_length_prefixed(&mut self.block, old_value.unwrap_or_default());
        }
        self.close_full_block()
    }

    fn push_key(&mut self, key: &[u8]) {
        let shared = self.key.iter().zip(key).take_while(|(a, b)| a == b).count();
        push_varint(&mut self.block, shared as u64);
        push_length_prefixed(&mut self.block, &key[shared..]);
        self.key.truncate(shared);
        self.key.extend_from_slice(&key[shared..]);
    }

    fn close_full_block(&mut self) -> Result<()> {
        if self.block.len() >= BLOCK_BYTES {
            self.close_block()
        } else {
            Ok(())
        }
    }

    fn close_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.key.clear();
        let content = std::mem::take(&mut self.block);
        self.write_block(KIND_DATA, &content)?;
        self.block = content;
        self.block.clear();
        Ok(())
    }

    fn write_block(&mut self, kind: u8, content: &[u8]) -> Result<()> {
        self.raw_bytes += content.len() as u64;
        let compressed = if self.compress && kind == KIND_DATA {
            Some(zstd::bulk::compress(content, ZSTD_LEVEL).map_err(self.wrap)?)
        } else {
            None
        };
        let (codec, stored) = match &compressed {
            Some(compressed) if compressed.len() < content.len() => {
                (CODEC_ZSTD, compressed.as_slice())
            }
            _ => (CODEC_RAW, content),
        };
        let mut head = vec![kind, codec];
        for len in [content.len(), stored.len()] {
            let len = u32::try_from(len)
                .map_err(|_| Error::usage("a row of over 4 GiB does not fit a patch", ""))?;
            head.extend_from_slice(&len.to_le_bytes());
        }
        self.digest = block_digest(&self.digest, &head, stored);
        for part in [head.as_slice(), stored, &self.digest] {
            self.out.write_all(part).map_err(self.wrap)?;
        }
        Ok(())
    }

    /// Writes the end. Returns what was written, and the bytes of all records before compression.
    pub fn finish(mut self) -> Result<(PatchCounts, u64)> {
        self.close_block()?;
        let mut end = Vec::new();
        for count in [self.counts.ranges, self.counts.puts, self.counts.deletes] {
            push_varint(&mut end, count);
        }
        self.write_block(KIND_END, &end)?;
        Ok((self.counts, self.raw_bytes))
    }
}

/// Returns the digest of a block in its place.
pub(super) fn block_digest(before: &Digest, head: &[u8], stored: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mdiff patch 1");
    hasher.update(before);
    hasher.update(head);
    hasher.update(stored);
    *hasher.finalize().as_bytes()
}

impl ChangeSink for PatchWriter<'_> {
    fn range(&mut self, divergence: &Divergence) -> Result<()> {
        let [base, target] = divergence.sides.as_slice() else {
            return Err(Error::usage("a patch has two sides", ""));
        };
        self.begin_range(&divergence.range, base, target.bytes)
    }

    fn change(&mut self, change: Change<'_>) -> Result<()> {
        let replaces = change.left.map(|value| {
            self.hash.fingerprint(Row {
                key: change.key,
                value,
            })
        });
        self.push_op(change.key, replaces, change.right, change.left)
    }

    fn unreadable(&mut self, _: usize, _: &Unreadable) -> Result<()> {
        Ok(())
    }
}
