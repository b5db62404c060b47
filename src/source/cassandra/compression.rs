//! CompressionInfo.db: how Data.db is compressed, and where its chunks lie. It is there only if Data.db is compressed.
//!
//! ```text
//! u16 length, class name of the compressor ("LZ4Compressor", or with its package)
//! i32 count, then so many options: two texts of a u16 length
//! i32 length of a chunk before compression
//! i32 from this stored length on a chunk is stored as it is (since version na; 0x7fffffff: never)
//! i64 length of the data before compression
//! i32 count, then so many i64: offsets of the chunks in Data.db
//! ```
//!
//! A compaction leaves one chunk more than the data need, of nothing, at the end. The offsets are read when they are needed: there may be millions.

use super::descriptor::{Descriptor, Version};
use super::wire;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::{Codec, InflateError, Inflater};
use crate::file::input::{FileOptions, Input};

/// How a chunk is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compressor {
    /// LZ4 block behind a little-endian u32, the length of what it gives.
    Lz4,
    /// Raw Snappy.
    Snappy,
    /// A zlib stream.
    Deflate,
    /// A zstd frame.
    Zstd,
    /// Not at all, but with a checksum a chunk.
    Noop,
}

/// What CompressionInfo.db says.
pub struct CompressionInfo {
    input: Input,
    /// The compressor.
    pub compressor: Compressor,
    /// Length of each chunk but the last before compression, in bytes; not 0.
    pub chunk_len: u64,
    /// A chunk of this stored length (without its checksum) or longer is stored as it is.
    pub raw_from_len: u64,
    /// Length of the data before compression.
    pub data_len: u64,
    offsets_at: u64,
    /// Chunks of Data.db, at least those that the data take.
    pub chunk_count: u64,
}

/// CompressionInfo.db before its offsets is a few dozen bytes; options are short.
const HEAD_BYTES_MAX: u64 = 64 << 10;

impl CompressionInfo {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported for another compressor; Damaged; Limit where the chunks are too long.
    pub fn open(descriptor: &Descriptor, options: &FileOptions) -> Result<CompressionInfo> {
        let path = descriptor.component("CompressionInfo.db");
        let input = Input::open_plain(&path, options)?;
        let mut scratch = Vec::new();
        let head = Head::read(
            input.head(HEAD_BYTES_MAX, &mut scratch)?,
            descriptor.version,
        );
        let head = head.ok_or_else(|| input.explain(Error::damaged(&path, 0, "ends too early")))?;
        let compressor = match head.class.rsplit('.').next().unwrap_or_default() {
            "LZ4Compressor" => Compressor::Lz4,
            "SnappyCompressor" => Compressor::Snappy,
            "DeflateCompressor" => Compressor::Deflate,
            "ZstdCompressor" => Compressor::Zstd,
            "NoopCompressor" => Compressor::Noop,
            _ => {
                return Err(Error::unsupported(
                    &path,
                    format!("the compressor {}", head.class),
                    "mdiff knows LZ4, Snappy, Deflate, Zstd and Noop; change the compression of the table and run nodetool upgradesstables -a",
                ));
            }
        };
        let max = options.limits.block_bytes_max;
        if head.chunk_len > max {
            return Err(ErrorKind::Limit {
                path,
                offset: 0,
                what: "block bytes",
                value: head.chunk_len,
                max,
            }
            .into());
        }
        let needed = match head.chunk_len {
            0 => u64::MAX,
            len => head.data_len.div_ceil(len),
        };
        let listed = (input.len().saturating_sub(head.offsets_at)) / 8;
        if head.chunk_count < needed || head.chunk_count > listed {
            let what = format!(
                "{} chunks of {} bytes are said to hold {} bytes, {listed} are listed",
                head.chunk_count, head.chunk_len, head.data_len
            );
            return Err(input.explain(Error::damaged(&path, 0, what)));
        }
        Ok(CompressionInfo {
            compressor,
            chunk_len: head.chunk_len,
            raw_from_len: head.raw_from_len,
            data_len: head.data_len,
            offsets_at: head.offsets_at,
            chunk_count: head.chunk_count,
            input,
        })
    }

    /// Where chunk `index` begins in Data.db, and where the next one does: for the last that is the end of the file.
    ///
    /// # Errors
    ///
    /// Damaged where the offsets don't ascend or leave the file.
    pub fn chunk(&self, index: u64, file_len: u64) -> Result<(u64, u64)> {
        let at = index.saturating_mul(8).saturating_add(self.offsets_at);
        let is_last = index.saturating_add(1) >= self.chunk_count;
        let mut scratch = Vec::new();
        let bytes = self
            .input
            .read(at, if is_last { 8 } else { 16 }, &mut scratch)?;
        let mut cursor = Cursor::new(bytes);
        let start = wire::i64(&mut cursor).and_then(|at| u64::try_from(at).ok());
        let end = match is_last {
            true => Some(file_len),
            false => wire::i64(&mut cursor).and_then(|at| u64::try_from(at).ok()),
        };
        match (start, end) {
            (Some(start), Some(end)) if start < end && end <= file_len => Ok((start, end)),
            _ => Err(self.input.explain(Error::damaged(
                self.input.path(),
                at,
                format!("the place of chunk {index} contradicts the next or the length of Data.db"),
            ))),
        }
    }

    /// Unpacks the stored bytes of a chunk (without its checksum), of `len` bytes before compression, into `out`.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn unpack(
        &self,
        stored: &[u8],
        len: u64,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut inflate = |codec, bytes| {
            let done = inflater.inflate(codec, bytes, Some(len), len, out);
            done.map_err(|e| match e {
                InflateError::TooLarge { value, .. } => format!("{value} bytes, not {len}"),
                InflateError::Malformed(what) => what,
            })
        };
        if stored.len() as u64 >= self.raw_from_len {
            // A short last chunk may be padded up to that length.
            return copy(stored, len, out);
        }
        match self.compressor {
            Compressor::Lz4 => {
                let mut cursor = Cursor::new(stored);
                match cursor.u32() {
                    Some(declared) if u64::from(declared) == len => {
                        inflate(Codec::Lz4, cursor.rest())
                    }
                    declared => Err(format!(
                        "{} bytes declared, not {len}",
                        declared.unwrap_or(0)
                    )),
                }
            }
            Compressor::Snappy => inflate(Codec::Snappy, stored),
            Compressor::Zstd => inflate(Codec::Zstd, stored),
            Compressor::Deflate => inflate(Codec::Zlib, zlib_body(stored)?),
            Compressor::Noop if stored.len() as u64 == len => copy(stored, len, out),
            Compressor::Noop => Err(format!("{} bytes, not {len}", stored.len())),
        }
    }

    /// Returns Changed if the file changed since it was opened.
    ///
    /// # Errors
    ///
    /// Those of [`Input::check_unchanged`].
    pub fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged()
    }
}

fn copy(stored: &[u8], len: u64, out: &mut Vec<u8>) -> Result<(), String> {
    let bytes = usize::try_from(len).ok().and_then(|len| stored.get(..len));
    let bytes = bytes.ok_or_else(|| format!("{} bytes, not {len}", stored.len()))?;
    out.clear();
    out.extend_from_slice(bytes);
    Ok(())
}

/// The raw deflate data of a zlib stream (RFC 1950). Its Adler-32 stays unread: the CRC-32 of the chunk covers the same.
fn zlib_body(stream: &[u8]) -> Result<&[u8], String> {
    match stream {
        [method, flags, rest @ ..]
            if method & 0x0f == 8
                && flags & 0x20 == 0
                && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0 =>
        {
            rest.len()
                .checked_sub(4)
                .and_then(|len| rest.get(..len))
                .ok_or_else(|| "a zlib stream that ends too early".into())
        }
        _ => Err("not a zlib stream".into()),
    }
}

/// The fields before the offsets.
struct Head {
    class: String,
    chunk_len: u64,
    raw_from_len: u64,
    data_len: u64,
    chunk_count: u64,
    offsets_at: u64,
}

impl Head {
    fn read(bytes: &[u8], version: Version) -> Option<Head> {
        let mut cursor = Cursor::new(bytes);
        let class = String::from_utf8_lossy(wire::u16_prefixed(&mut cursor)?).into_owned();
        for _ in 0..wire::u32(&mut cursor)? {
            wire::u16_prefixed(&mut cursor)?;
            wire::u16_prefixed(&mut cursor)?;
        }
        let chunk_len = u64::from(wire::u32(&mut cursor)?);
        let raw_from_len = match version.is_of_4() {
            true => match wire::u32(&mut cursor)? {
                0x7fff_ffff => u64::MAX,
                len => u64::from(len),
            },
            false => u64::MAX,
        };
        Some(Head {
            class,
            chunk_len,
            raw_from_len,
            data_len: u64::try_from(wire::i64(&mut cursor)?).ok()?,
            chunk_count: u64::from(wire::u32(&mut cursor)?),
            offsets_at: cursor.position() as u64,
        })
    }
}
