//! The bytes of Data.db before compression, chunk by chunk, each checked against its checksum before it is believed.
//!
//! A compressed chunk is followed by the CRC-32 of its stored bytes. For a file that is not compressed CRC.db has them:
//!
//! ```text
//! i32 length of a chunk, then an i32 CRC-32 for each chunk of Data.db; the last chunk may be shorter
//! ```
//!
//! Some files of ScyllaDB lack CRC.db; then nothing can be checked. Digest.crc32 has the CRC-32 of the whole file as it
//! is stored, in decimal digits. It follows from those of the chunks, so who has read all of these need not read the file again.

use rayon::prelude::*;

use super::checksum::{Joined, Powers, crc32};
use super::compression::CompressionInfo;
use super::descriptor::Descriptor;
use super::wire;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::Inflater;
use crate::file::input::{FileOptions, Input};

/// Data.db and what tells how to read it.
pub struct Chunks {
    input: Input,
    kind: Kind,
}

enum Kind {
    Compressed(CompressionInfo),
    Plain(Option<Sums>),
}

/// CRC.db.
struct Sums {
    input: Input,
    chunk_len: u64,
}

/// Chunks of which one thread joins the checksums.
const CHUNKS_JOINED: usize = 1 << 12;

/// Length of the pieces in which a file without checksums is read.
const PIECE_BYTES: u64 = 64 << 10;

/// What reading chunks needs besides the files; have one a thread.
pub struct ChunkReader {
    inflater: Inflater,
    scratch: Vec<u8>,
}

impl ChunkReader {
    /// With no memory yet.
    pub fn new() -> ChunkReader {
        ChunkReader {
            inflater: Inflater::new(None),
            scratch: Vec::new(),
        }
    }
}

impl Chunks {
    /// Opens Data.db, and CompressionInfo.db or CRC.db.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported for an unknown compressor; Damaged where CompressionInfo.db should be there and is not, or where
    /// the files contradict each other; Limit.
    pub fn open(descriptor: &Descriptor, options: &FileOptions) -> Result<Chunks> {
        let input = Input::open_plain(&descriptor.component("Data.db"), options)?;
        let kind = if descriptor.has("CompressionInfo.db") {
            Kind::Compressed(CompressionInfo::open(descriptor, options)?)
        } else {
            check_not_listed(descriptor)?;
            match descriptor.has("CRC.db") {
                true => Kind::Plain(Some(Sums::open(descriptor, options, input.len())?)),
                false => Kind::Plain(None),
            }
        };
        Ok(Chunks { input, kind })
    }

    /// Length of the data before compression, in bytes.
    pub fn data_len(&self) -> u64 {
        match &self.kind {
            Kind::Compressed(info) => info.data_len,
            Kind::Plain(_) => self.input.len(),
        }
    }

    /// Length of each chunk but the last before compression; not 0.
    pub fn chunk_len(&self) -> u64 {
        match &self.kind {
            Kind::Compressed(info) => info.chunk_len,
            Kind::Plain(Some(sums)) => sums.chunk_len,
            Kind::Plain(None) => PIECE_BYTES,
        }
    }

    /// Data.db as it is stored.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Reads chunk `index` into `out`, whose former content is lost: [`Chunks::chunk_len`] bytes, of the last one the rest.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged where a checksum does not match or the chunk does not unpack to its length.
    pub fn read(&self, index: u64, reader: &mut ChunkReader, out: &mut Vec<u8>) -> Result<()> {
        let start = index.saturating_mul(self.chunk_len());
        let len = self.data_len().saturating_sub(start).min(self.chunk_len());
        match &self.kind {
            Kind::Compressed(info) => self.read_compressed(info, index, len, reader, out),
            Kind::Plain(sums) => {
                let bytes = self.input.read(start, len, &mut reader.scratch)?;
                if let Some(sums) = sums
                    && sums.sum(index)? != crc32(bytes)
                {
                    return Err(self.damaged(
                        start,
                        "the checksum of the chunk, in CRC.db, does not match",
                    ));
                }
                out.clear();
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn read_compressed(
        &self,
        info: &CompressionInfo,
        index: u64,
        len: u64,
        reader: &mut ChunkReader,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (start, end) = info.chunk(index, self.input.len())?;
        let (stored_len, max) = (end - start, self.input.limits().block_bytes_max);
        if stored_len > max {
            return Err(ErrorKind::Limit {
                path: self.input.path().to_owned(),
                offset: start,
                what: "block bytes",
                value: stored_len,
                max,
            }
            .into());
        }
        let stored = self.input.read(start, stored_len, &mut reader.scratch)?;
        let Some((stored, sum)) = stored.split_last_chunk::<4>() else {
            return Err(self.damaged(start, "a compressed chunk without room for its checksum"));
        };
        if u32::from_be_bytes(*sum) != crc32(stored) {
            let what = format!("the checksum of compressed chunk {index} does not match");
            return Err(self.damaged(start, what));
        }
        info.unpack(stored, len, &mut reader.inflater, out)
            .map_err(|what| self.damaged(start, format!("compressed chunk {index}: {what},")))
    }

    /// Compares the CRC-32 of the whole of Data.db with Digest.crc32; returns false where there is no such file. Of chunks with
    /// checksums these are taken for right: only [`Chunks::read`] compares them with the data.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged where they differ, or where Digest.crc32 is no number.
    pub fn check_digest(&self, descriptor: &Descriptor) -> Result<bool> {
        let path = descriptor.component("Digest.crc32");
        if !path.is_file() {
            return Ok(false);
        }
        let mut scratch = Vec::new();
        let digest = Input::open_plain(&path, self.input.options())?;
        let text = String::from_utf8_lossy(digest.head(64, &mut scratch)?);
        let wanted: u32 = text
            .trim()
            .parse()
            .map_err(|_| Error::damaged(&path, 0, "not a checksum in decimal digits"))?;
        match self.whole_crc()? == wanted {
            true => Ok(true),
            false => Err(self.damaged(
                0,
                "the checksum of the whole file, in Digest.crc32, does not match",
            )),
        }
    }

    /// The CRC-32 of the whole file, if its chunks are of their checksums.
    fn whole_crc(&self) -> Result<u32> {
        let chunks = match &self.kind {
            Kind::Compressed(info) => info.chunk_count,
            Kind::Plain(_) => self.data_len().div_ceil(self.chunk_len()),
        };
        let powers = Powers::new();
        let starts: Vec<u64> = (0..chunks).step_by(CHUNKS_JOINED).collect();
        let parts = starts.par_iter().map(|&start| {
            let mut joined = Joined::new(&powers);
            for index in start..chunks.min(start + CHUNKS_JOINED as u64) {
                self.join(index, &mut joined)?;
            }
            Ok(joined)
        });
        let mut whole = Joined::new(&powers);
        for part in parts.collect::<Result<Vec<_>>>()? {
            whole.append(&part);
        }
        Ok(whole.crc())
    }

    /// Joins the stored bytes of a chunk, and the checksum behind them, with those before.
    fn join(&self, index: u64, joined: &mut Joined<'_>) -> Result<()> {
        let mut scratch = Vec::new();
        let needed = self.data_len().div_ceil(self.chunk_len());
        let start = index.saturating_mul(self.chunk_len());
        let len = self.data_len().saturating_sub(start).min(self.chunk_len());
        match &self.kind {
            Kind::Compressed(info) => {
                let (start, end) = info.chunk(index, self.input.len())?;
                // Cassandra may append a chunk that holds nothing, which nobody reads.
                let sum_at = match index < needed {
                    true => start.max(end.saturating_sub(4)),
                    false => start,
                };
                let read = self.input.read(sum_at, end - sum_at, &mut scratch)?;
                let sum = wire::u32(&mut Cursor::new(read));
                let mut chunk = joined.empty();
                if sum_at > start {
                    chunk.push(sum.unwrap_or(0), sum_at - start);
                }
                chunk.push(crc32(read), end - sum_at);
                joined.append(&chunk);
            }
            Kind::Plain(Some(sums)) => joined.push(sums.sum(index)?, len),
            Kind::Plain(None) => {
                let read = self.input.read(start, len, &mut scratch)?;
                joined.push(crc32(read), len);
            }
        }
        Ok(())
    }

    /// Returns Changed if one of the files changed since it was opened.
    ///
    /// # Errors
    ///
    /// Those of [`Input::check_unchanged`].
    pub fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged()?;
        match &self.kind {
            Kind::Compressed(info) => info.check_unchanged(),
            Kind::Plain(Some(sums)) => sums.input.check_unchanged(),
            Kind::Plain(None) => Ok(()),
        }
    }

    fn damaged(&self, offset: u64, what: impl Into<String>) -> Error {
        self.input
            .explain(Error::damaged(self.input.path(), offset, what))
    }
}

/// Refuses to take compressed data for plain ones where TOC.txt tells of CompressionInfo.db.
fn check_not_listed(descriptor: &Descriptor) -> Result<()> {
    let path = descriptor.component("TOC.txt");
    let Ok(listed) = std::fs::read_to_string(&path) else {
        return Ok(());
    };
    match listed
        .lines()
        .any(|line| line.trim() == "CompressionInfo.db")
    {
        true => Err(Error::damaged(
            descriptor.component("CompressionInfo.db"),
            0,
            "TOC.txt lists this file and it is not there: nothing to read",
        )),
        false => Ok(()),
    }
}

impl Sums {
    fn open(descriptor: &Descriptor, options: &FileOptions, data_len: u64) -> Result<Sums> {
        let path = descriptor.component("CRC.db");
        let input = Input::open_plain(&path, options)?;
        let mut scratch = Vec::new();
        let chunk_len = wire::u32(&mut Cursor::new(input.head(4, &mut scratch)?));
        let chunk_len = u64::from(chunk_len.unwrap_or(0));
        let max = options.limits.block_bytes_max;
        if chunk_len == 0 || data_len.div_ceil(chunk_len) > (input.len() - 4) / 4 {
            let what = format!("too few checksums for {data_len} bytes in chunks of {chunk_len}");
            return Err(input.explain(Error::damaged(&path, 0, what)));
        }
        if chunk_len > max {
            return Err(ErrorKind::Limit {
                path,
                offset: 0,
                what: "block bytes",
                value: chunk_len,
                max,
            }
            .into());
        }
        Ok(Sums { input, chunk_len })
    }

    fn sum(&self, index: u64) -> Result<u32> {
        let mut scratch = Vec::new();
        let at = index.saturating_mul(4).saturating_add(4);
        let bytes = self.input.read(at, 4, &mut scratch)?;
        // The read gives four bytes or an error.
        Ok(wire::u32(&mut Cursor::new(bytes)).unwrap_or(0))
    }
}
