//! Reads patches: one pass, each block checked against its digest before it is decompressed.

use std::io::Write;

use super::Op;
use super::header::{DIGEST_BYTES, MAGIC, PatchHeader, START_BYTES, VERSION};
use super::write::{
    CODEC_RAW, CODEC_ZSTD, KIND_DATA, KIND_END, PatchCounts, PatchWriter, TAG_DELETE, TAG_INSERT,
    TAG_RANGE, TAG_REPLACE, TAG_TABLE, block_digest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::{Codec, InflateError, Inflater};
use crate::file::input::Input;
use crate::fingerprint::{Hash, Summary};
use crate::mtree::node::{Digest, read_summary};
use crate::range::KeyRange;
use crate::row::Row;

/// Bytes of a block's head: kind, codec, raw_len, stored_len.
const HEAD_BYTES: u64 = 10;

/// A patch that is being read.
pub struct PatchReader<'a> {
    input: &'a Input,
    header: PatchHeader,
    offset: u64,
    digest: Digest,
    block_offset: u64,
    block: Vec<u8>,
    position: usize,
    key: Vec<u8>,
    counts: PatchCounts,
    ended: bool,
    /// Index of the table the records belong to, and the last key of an operation in it.
    table: Option<usize>,
    last_op: Option<Vec<u8>>,
    range: Option<KeyRange>,
    inflater: Inflater,
}

/// One record of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// What follows belongs to the table of this index in the header.
    Table(usize),
    /// A divergent range, whose operations follow.
    Range {
        /// Its keys.
        range: KeyRange,
        /// What the base holds there.
        base: Summary,
        /// Bytes that the target holds there.
        target_bytes: u64,
    },
    /// An operation.
    Op(Op),
}

/// Whether the first bytes of a file are those of a patch.
pub fn is_patch(head: &[u8]) -> bool {
    head.starts_with(&MAGIC[..4])
}

impl<'a> PatchReader<'a> {
    /// Reads and checks the header.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported for a file that is no patch or of another version; Damaged.
    pub fn new(input: &'a Input) -> Result<PatchReader<'a>> {
        let damaged = |offset: u64, what: &str| Error::damaged(input.path(), offset, what);
        let mut scratch = Vec::new();
        let start = input
            .read(0, input.len().min(START_BYTES as u64), &mut scratch)?
            .to_vec();
        let mut cursor = Cursor::new(&start);
        if cursor.array() != Some(MAGIC) {
            return Err(
                if is_patch(&start) || (!start.is_empty() && MAGIC.starts_with(&start)) {
                    damaged(
                        0,
                        "the first bytes of a patch were changed, as by a copy in text mode, or cut short",
                    )
                } else {
                    Error::unsupported(
                        input.path(),
                        "not an mdiff patch",
                        "patches are made by: mdiff patch BASE TARGET -o OUT.mpatch",
                    )
                },
            );
        }
        let version = cursor
            .u32()
            .ok_or_else(|| damaged(8, "patch header is cut short"))?;
        if version != VERSION {
            return Err(Error::unsupported(
                input.path(),
                format!("a patch of version {version}; this mdiff reads version {VERSION}"),
                "use the mdiff that wrote it, or make the patch again",
            ));
        }
        let header_len = u64::from(
            cursor
                .u32()
                .ok_or_else(|| damaged(12, "patch header is cut short"))?,
        );
        if header_len < START_BYTES as u64 {
            return Err(damaged(12, "patch header has an impossible length"));
        }
        let bytes = input.read(0, header_len + DIGEST_BYTES as u64, &mut scratch)?;
        let (head, digest) = bytes.split_at(bytes.len() - DIGEST_BYTES);
        let expected = *blake3::hash(head).as_bytes();
        if expected != digest {
            return Err(damaged(0, "patch header does not have its digest"));
        }
        let mut cursor = Cursor::new(head);
        cursor.take(START_BYTES as u64);
        let header = PatchHeader::decode(&mut cursor).ok_or_else(|| {
            damaged(
                cursor.position() as u64,
                "patch header has the right digest but a malformed content",
            )
        })?;
        Ok(PatchReader {
            input,
            header,
            offset: header_len + DIGEST_BYTES as u64,
            digest: expected,
            block_offset: 0,
            block: Vec::new(),
            position: 0,
            key: Vec::new(),
            counts: PatchCounts::default(),
            ended: false,
            table: None,
            last_op: None,
            range: None,
            inflater: Inflater::new(None),
        })
    }

    /// What the patch says of itself.
    pub fn header(&self) -> &PatchHeader {
        &self.header
    }

    /// What was read so far; at the end, all there is.
    pub fn counts(&self) -> PatchCounts {
        self.counts
    }

    /// Reads the next record; `None` behind the last, when the end and its counts were checked.
    ///
    /// # Errors
    ///
    /// Damaged, I/O errors, limits.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        while self.position >= self.block.len() {
            if self.ended || !self.read_block()? {
                self.input.check_unchanged()?;
                return Ok(None);
            }
        }
        let block = std::mem::take(&mut self.block);
        let mut cursor = Cursor::new(block.get(self.position..).unwrap_or_default());
        let record = self.decode(&mut cursor);
        let at = self.position + cursor.position();
        self.position = at;
        self.block = block;
        record.map(Some).ok_or_else(|| {
            let what = format!("patch block is malformed {at} bytes into its content");
            Error::damaged(self.input.path(), self.block_offset, what)
        })
    }

    fn decode(&mut self, cursor: &mut Cursor<'_>) -> Option<Record> {
        let tag = cursor.u8()?;
        if tag == TAG_TABLE {
            let index = usize::try_from(cursor.varint()?).ok()?;
            let follows =
                self.table.is_none_or(|table| index > table) && index < self.header.tables.len();
            self.table = Some(index);
            self.last_op = None;
            self.range = None;
            return follows.then_some(Record::Table(index));
        }
        self.table?;
        self.read_key(cursor)?;
        let key = self.key.clone();
        if tag == TAG_RANGE {
            let to = match cursor.u8()? {
                0 => None,
                1 => {
                    self.read_key(cursor)?;
                    Some(self.key.clone())
                }
                _ => return None,
            };
            let range = KeyRange { from: key, to };
            let follows = self
                .range
                .as_ref()
                .is_none_or(|before| before.to.as_ref().is_some_and(|end| *end <= range.from));
            let base = read_summary(cursor)?;
            let target_bytes = cursor.varint()?;
            self.counts.ranges += 1;
            self.range = Some(range.clone());
            return (follows && !range.is_empty()).then_some(Record::Range {
                range,
                base,
                target_bytes,
            });
        }
        let ascends = self.last_op.as_ref().is_none_or(|last| *last < key);
        if !ascends || !self.range.as_ref()?.contains(&key) {
            return None;
        }
        let replaces = match tag {
            TAG_INSERT => None,
            TAG_REPLACE | TAG_DELETE => Some(cursor.u128()?),
            _ => return None,
        };
        let value = if tag == TAG_DELETE {
            None
        } else {
            Some(cursor.length_prefixed()?.to_vec())
        };
        let has_old = self.header.reversible && replaces.is_some();
        let old_value = if has_old {
            Some(cursor.length_prefixed()?.to_vec())
        } else {
            None
        };
        match value {
            Some(_) => self.counts.puts += 1,
            None => self.counts.deletes += 1,
        }
        self.last_op = Some(key.clone());
        Some(Record::Op(Op {
            key,
            replaces,
            value,
            old_value,
        }))
    }

    fn read_key(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let shared = usize::try_from(cursor.varint()?).ok()?;
        let rest = cursor.length_prefixed()?;
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(rest);
        Some(())
    }

    /// Reads the next block into `self.block`; false at the end block.
    fn read_block(&mut self) -> Result<bool> {
        let path = self.input.path();
        let mut head_scratch = Vec::new();
        let mut scratch = Vec::new();
        let head = self
            .input
            .read(self.offset, HEAD_BYTES, &mut head_scratch)?;
        let mut cursor = Cursor::new(head);
        let (Some(kind), Some(codec), Some(raw_len), Some(stored_len)) =
            (cursor.u8(), cursor.u8(), cursor.u32(), cursor.u32())
        else {
            return Err(Error::damaged(
                path,
                self.offset,
                "patch block is cut short",
            ));
        };
        let (raw_len, stored_len) = (u64::from(raw_len), u64::from(stored_len));
        let body = self.input.read(
            self.offset + HEAD_BYTES,
            stored_len + DIGEST_BYTES as u64,
            &mut scratch,
        )?;
        let (stored, digest) = body.split_at(stored_len as usize);
        let expected = block_digest(&self.digest, head, stored);
        if expected != digest {
            return Err(Error::damaged(
                path,
                self.offset,
                "patch block does not have its digest",
            ));
        }
        let max = self.input.limits().block_bytes_max;
        if raw_len > max {
            let (path, offset) = (path.to_owned(), self.offset);
            return Err(ErrorKind::Limit {
                path,
                offset,
                what: "block bytes",
                value: raw_len,
                max,
            }
            .into());
        }
        let content = match codec {
            CODEC_RAW => stored.to_vec(),
            CODEC_ZSTD => {
                let mut content = Vec::new();
                let inflated =
                    self.inflater
                        .inflate(Codec::Zstd, stored, Some(raw_len), max, &mut content);
                match inflated {
                    Ok(()) => content,
                    Err(InflateError::TooLarge { .. }) => {
                        return Err(Error::damaged(
                            path,
                            self.offset,
                            "patch block does not decompress: it is larger than it says",
                        ));
                    }
                    Err(InflateError::Malformed(what)) => {
                        return Err(Error::damaged(
                            path,
                            self.offset,
                            format!("patch block does not decompress: {what}"),
                        ));
                    }
                }
            }
            _ => {
                return Err(Error::damaged(
                    path,
                    self.offset,
                    format!("patch block has unknown codec {codec}"),
                ));
            }
        };
        if content.len() as u64 != raw_len {
            return Err(Error::damaged(
                path,
                self.offset,
                "patch block has another length than it says",
            ));
        }
        self.block_offset = self.offset;
        self.offset += HEAD_BYTES + stored_len + DIGEST_BYTES as u64;
        self.digest = expected;
        match kind {
            KIND_DATA => {
                self.block = content;
                self.position = 0;
                self.key.clear();
                Ok(true)
            }
            KIND_END => {
                self.ended = true;
                self.check_end(&content).map(|()| false)
            }
            _ => Err(Error::damaged(
                path,
                self.block_offset,
                format!("patch block has unknown kind {kind}"),
            )),
        }
    }

    fn check_end(&self, content: &[u8]) -> Result<()> {
        let mut cursor = Cursor::new(content);
        let counts = (cursor.varint(), cursor.varint(), cursor.varint());
        let expected = (
            Some(self.counts.ranges),
            Some(self.counts.puts),
            Some(self.counts.deletes),
        );
        if counts != expected || !cursor.is_empty() {
            return Err(Error::damaged(
                self.input.path(),
                self.block_offset,
                "patch holds other operations than its end says",
            ));
        }
        if self.offset != self.input.len() {
            return Err(Error::damaged(
                self.input.path(),
                self.offset,
                "bytes behind the end of the patch",
            ));
        }
        Ok(())
    }
}

/// Turns a reversible patch round: the result leads from the target back to the base.
///
/// # Errors
///
/// Usage, where the patch is not reversible; those of reading and writing.
pub fn invert(
    reader: &mut PatchReader<'_>,
    hash: &Hash,
    out: &mut dyn Write,
    wrap: &dyn Fn(std::io::Error) -> Error,
) -> Result<PatchCounts> {
    if !reader.header().reversible {
        return Err(Error::usage(
            "the patch holds no old values, so it can't be turned round",
            "make it with --reversible, or make the opposite patch: mdiff patch TARGET BASE",
        ));
    }
    let header = reader.header().inverted();
    let mut writer = PatchWriter::new(out, wrap, &header, hash, true)?;
    let mut range: Option<(KeyRange, Summary, u64)> = None;
    let mut ops = Vec::new();
    loop {
        let record = reader.next_record()?;
        if let Some(Record::Op(op)) = record {
            ops.push(op);
            continue;
        }
        if let Some((range, base, target_bytes)) = range.take() {
            let target = ops
                .iter()
                .fold(base, |summary, op| after(summary, op, hash));
            writer.begin_range(
                &range,
                &Summary {
                    bytes: target_bytes,
                    ..target
                },
                base.bytes,
            )?;
            for op in ops.drain(..) {
                writer.op(&inverse(op, hash))?;
            }
        }
        match record {
            None => break,
            Some(Record::Table(index)) => writer.table(index)?,
            Some(Record::Range {
                range: next,
                base,
                target_bytes,
            }) => range = Some((next, base, target_bytes)),
            Some(Record::Op(_)) => {}
        }
    }
    writer.finish().map(|(counts, _)| counts)
}

/// Rows and sum after an operation (the bytes are not known from the operation alone).
fn after(mut summary: Summary, op: &Op, hash: &Hash) -> Summary {
    if let Some(fingerprint) = op.replaces {
        summary.rows = summary.rows.wrapping_sub(1);
        summary.sum = summary.sum.wrapping_sub(fingerprint);
    }
    if let Some(value) = &op.value {
        summary.rows = summary.rows.wrapping_add(1);
        summary.sum = summary.sum.wrapping_add(hash.fingerprint(Row {
            key: &op.key,
            value,
        }));
    }
    summary
}

fn inverse(op: Op, hash: &Hash) -> Op {
    let replaces = op.value.as_ref().map(|value| {
        hash.fingerprint(Row {
            key: &op.key,
            value,
        })
    });
    Op {
        key: op.key,
        replaces,
        value: op.old_value,
        old_value: op.value,
    }
}
