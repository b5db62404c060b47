//! Blocks out of the file: bounds, checksum, then decompression, in this order.
//!
//! Type bytes: 0 none, 1 Snappy, 2 zlib (raw deflate), 3 bzip2, 4 LZ4, 5 LZ4HC, 7 and 64 zstd. From format version 2 on
//! all but Snappy start with the length of the decompressed block as a varint32; before, LZ4 starts with eight bytes of it,
//! and zlib and bzip2 do not say it.
//!
//! Type 2 in a table with the legacy footer is ambiguous: RocksDB's format version 0 means raw deflate, LevelDB newer than
//! 1.23 means zstd. The content decides: with the magic of a zstd frame (28 b5 2f fd) and without RocksDB's properties it
//! is zstd, else deflate. Basho's LevelDB means LZ4 by it: such a block does not decompress, and is reported as damaged.

use std::ops::Range;

use super::block::Layout;
use super::footer::{BLOCK_TRAILER_BYTES, Footer, Handle};
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::{Codec, InflateError, Inflater};
use crate::file::input::Input;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads the blocks of one table.
pub struct Blocks {
    /// The file.
    pub input: Input,
    /// What the footer says.
    pub footer: Footer,
    /// Whether RocksDB wrote the table: its properties say so, where the legacy footer does not.
    pub by_rocksdb: bool,
    /// What data blocks were compressed with.
    pub dictionary: Option<Vec<u8>>,
}

/// One block, decompressed: a place in the mapped file or in its own memory, which is used again for the next block.
#[derive(Default)]
pub struct BlockBuffer {
    raw: ReadAhead,
    plain: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Nowhere,
    /// The payload lies in the mapped file.
    Mapped(Handle),
    /// The payload lies in `raw`.
    Raw { at: usize, len: usize },
    /// The payload was decompressed into `plain`.
    Plain,
}

impl BlockBuffer {
    /// The block that was loaded last; empty before.
    #[inline]
    pub fn bytes<'a>(&'a self, input: &'a Input) -> &'a [u8] {
        match self.place {
            Place::Nowhere => &[],
            Place::Mapped(handle) => input
                .mapped()
                .and_then(|map| {
                    map.get(handle.offset as usize..)?
                        .get(..handle.size as usize)
                })
                .unwrap_or_default(),
            Place::Raw { at, len } => self
                .raw
                .bytes
                .get(at..)
                .and_then(|rest| rest.get(..len))
                .unwrap_or_default(),
            Place::Plain => &self.plain,
        }
    }
}

/// Bytes of a file that is not mapped. The longer blocks follow one another, the more is read at once.
#[derive(Default)]
struct ReadAhead {
    bytes: Vec<u8>,
    /// Offset of the bytes in the file.
    start: u64,
    /// Offset behind the block that was asked for last.
    next: u64,
    /// Bytes to read beyond the next block.
    ahead: u64,
}

/// Most bytes that are read beyond the block that is needed.
const AHEAD_MAX: u64 = 128 << 10;
/// What is read beyond the second block of a row of blocks.
const AHEAD_FIRST: u64 = 16 << 10;

impl ReadAhead {
    /// Makes sure that the bytes from `offset` to `end` are there, and returns their place. Nothing behind `limit` is read.
    fn fetch(&mut self, input: &Input, offset: u64, end: u64, limit: u64) -> Result<Range<usize>> {
        let have = self.start + self.bytes.len() as u64;
        let follows = offset == self.next;
        if offset < self.start || end > have {
            self.ahead = match follows && !input.options().few_reads {
                true => (2 * self.ahead).clamp(AHEAD_FIRST, AHEAD_MAX),
                false => 0,
            };
            let to = end.saturating_add(self.ahead).min(limit).max(end);
            let mut bytes = std::mem::take(&mut self.bytes);
            input.read(offset, to - offset, &mut bytes)?;
            bytes.truncate((to - offset) as usize);
            self.bytes = bytes;
            self.start = offset;
        }
        self.next = end;
        let at = (offset - self.start) as usize;
        Ok(at..at + (end - offset) as usize)
    }
}

impl Blocks {
    /// Loads the block at `handle`, verified and decompressed, and returns its layout.
    ///
    /// # Errors
    ///
    /// Damaged at the block's offset; Limit; Unsupported for an unknown compression; I/O errors.
    pub fn load(
        &self,
        handle: Handle,
        inflater: &mut Inflater,
        buffer: &mut BlockBuffer,
    ) -> Result<Layout> {
        self.load_bytes(handle, inflater, buffer)?;
        Layout::of(buffer.bytes(&self.input)).map_err(|what| self.damaged(handle, what))
    }

    /// Loads a block that has no entries, only bytes.
    ///
    /// # Errors
    ///
    /// As [`Blocks::load`].
    pub fn load_bytes(
        &self,
        handle: Handle,
        inflater: &mut Inflater,
        buffer: &mut BlockBuffer,
    ) -> Result<()> {
        let BlockBuffer { raw, plain, place } = buffer;
        *place = Place::Nowhere;
        let mut at = 0;
        let block = match self.input.mapped() {
            Some(_) => self.read_raw(handle, &mut raw.bytes)?,
            None => {
                let end = self.check_place(handle)?;
                let range = raw.fetch(&self.input, handle.offset, end, self.footer.offset)?;
                at = range.start;
                raw.bytes.get(range).unwrap_or_default()
            }
        };
        self.verify(handle, block)?;
        let (payload, compression) = self.split_type(handle, block)?;
        if compression == 0 {
            *place = match self.input.mapped() {
                Some(_) => Place::Mapped(handle),
                None => Place::Raw {
                    at,
                    len: payload.len(),
                },
            };
        } else {
            self.inflate(handle, compression, payload, inflater, plain)?;
            *place = Place::Plain;
        }
        Ok(())
    }

    /// Reads payload and trailer, unverified.
    pub fn read_raw<'a>(&'a self, handle: Handle, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let len = self.check_place(handle)? - handle.offset;
        match self.input.mapped() {
            Some(map) => map
                .get(handle.offset as usize..)
                .and_then(|rest| rest.get(..len as usize))
                .ok_or_else(|| self.damaged(handle, "the block leaves the file")),
            None => self.input.read(handle.offset, len, scratch),
        }
    }

    /// Returns the offset behind a block's trailer.
    fn check_place(&self, handle: Handle) -> Result<u64> {
        let end = handle.end().filter(|&end| end <= self.footer.offset);
        let end = end.ok_or_else(|| self.damaged(handle, "the block reaches into the footer"))?;
        self.check_len(handle, handle.size)?;
        Ok(end)
    }

    /// Checks payload and trailer against the checksum.
    pub fn verify(&self, handle: Handle, block: &[u8]) -> Result<()> {
        let (bytes, _) = block
            .split_last_chunk::<4>()
            .ok_or_else(|| self.damaged(handle, "the block has no trailer"))?;
        let computed = self
            .footer
            .checksum
            .stored(bytes, self.footer.base_context, handle.offset);
        // Read last: by then the processor has fetched it behind the rest.
        let stored = block
            .last_chunk::<4>()
            .map_or(0, |stored| u32::from_le_bytes(*stored));
        if stored != computed && self.footer.checksum != super::checksum::ChecksumKind::None {
            return Err(self.damaged(
                handle,
                &format!("block checksum mismatch (stored {stored:08x}, computed {computed:08x})"),
            ));
        }
        Ok(())
    }

    fn split_type<'a>(&self, handle: Handle, block: &'a [u8]) -> Result<(&'a [u8], u8)> {
        block
            .split_last_chunk::<{ BLOCK_TRAILER_BYTES as usize }>()
            .map(|(payload, trailer)| (payload, trailer[0]))
            .ok_or_else(|| self.damaged(handle, "the block has no trailer"))
    }

    #[inline(never)]
    fn inflate(
        &self,
        handle: Handle,
        compression: u8,
        payload: &[u8],
        inflater: &mut Inflater,
        plain: &mut Vec<u8>,
    ) -> Result<()> {
        let zstd_of_leveldb =
            self.footer.format_version == 0 && !self.by_rocksdb && payload.starts_with(&ZSTD_MAGIC);
        let (codec, prefixed) = match compression {
            1 => (Codec::Snappy, false),
            2 if zstd_of_leveldb => (Codec::Zstd, false),
            2 => (Codec::Zlib, true),
            3 => (Codec::Bzip2, true),
            4 | 5 => (Codec::Lz4, true),
            7 | 0x40 => (Codec::Zstd, true),
            other => {
                return Err(Error::unsupported(
                    self.input.path(),
                    format!(
                        "a block at offset {} compressed with the unknown type {other}",
                        handle.offset
                    ),
                    "write the table with another compression",
                ));
            }
        };
        let mut cursor = Cursor::new(payload);
        let declared = match (self.footer.format_version >= 2, codec) {
            _ if !prefixed => None,
            (true, _) => Some(cursor.varint32().map(u64::from)),
            (false, Codec::Lz4) => Some(cursor.u64()),
            (false, _) => None,
        };
        let declared = match declared {
            Some(None) => return Err(self.damaged(handle, "a compressed block without its length")),
            Some(len) => len,
            None => None,
        };
        inflater
            .inflate(
                codec,
                cursor.rest(),
                declared,
                self.input.limits().block_bytes_max,
                plain,
            )
            .map_err(|error| match error {
                InflateError::TooLarge { value, .. } => self.too_large(handle, value),
                InflateError::Malformed(what) => {
                    self.damaged(handle, &format!("the block does not decompress: {what}"))
                }
            })
    }

    fn check_len(&self, handle: Handle, len: u64) -> Result<()> {
        if len > self.input.limits().block_bytes_max {
            return Err(self.too_large(handle, len));
        }
        Ok(())
    }

    fn too_large(&self, handle: Handle, value: u64) -> Error {
        ErrorKind::Limit {
            path: self.input.path().to_owned(),
            offset: handle.offset,
            what: "block bytes",
            value,
            max: self.input.limits().block_bytes_max,
        }
        .into()
    }

    /// The block at `handle` contradicts itself.
    pub fn damaged(&self, handle: Handle, what: &str) -> Error {
        Error::damaged(self.input.path(), handle.offset, what)
    }
}
