//! Data.db in chunks, and what goes with them: CompressionInfo.db or CRC.db, and Digest.crc32.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest};

use super::{crc32, wire};

/// How Data.db is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// LZ4 chunks of so many bytes; Cassandra's default is 16 KiB.
    Lz4(usize),
}

/// Length of the pieces of a plain file that CRC.db has the sums of.
const PLAIN_CHUNK: usize = 64 << 10;

/// Data.db, from the front.
pub struct DataFile {
    out: BufWriter<File>,
    compression: Compression,
    chunk: Vec<u8>,
    /// Length of what came, before compression.
    len: u64,
    /// Where each chunk begins in the file.
    offsets: Vec<u64>,
    stored: u64,
    sums: Vec<u32>,
    digest: Digest,
}

impl DataFile {
    /// Makes the file.
    pub fn create(path: &Path, compression: Compression) -> io::Result<DataFile> {
        Ok(DataFile {
            out: BufWriter::with_capacity(1 << 20, File::create(path)?),
            compression,
            chunk: Vec::new(),
            len: 0,
            offsets: Vec::new(),
            stored: 0,
            sums: Vec::new(),
            digest: Digest::new(CrcAlgorithm::Crc32IsoHdlc),
        })
    }

    /// Where the next byte goes, before compression.
    pub fn position(&self) -> u64 {
        self.len
    }

    fn chunk_len(&self) -> usize {
        match self.compression {
            Compression::None => PLAIN_CHUNK,
            Compression::Lz4(len) => len,
        }
    }

    /// Appends bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = self.chunk_len() - self.chunk.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == self.chunk_len() {
                self.end_chunk()?;
            }
        }
        Ok(())
    }

    fn end_chunk(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        self.offsets.push(self.stored);
        match self.compression {
            Compression::None => {
                self.sums.push(crc32(&chunk));
                self.store(&chunk)?;
            }
            Compression::Lz4(_) => {
                let mut stored = (chunk.len() as u32).to_le_bytes().to_vec();
                stored.extend(lz4_flex::block::compress(&chunk));
                stored.extend(crc32(&stored).to_be_bytes());
                self.store(&stored)?;
            }
        }
        self.chunk = chunk;
        self.chunk.clear();
        Ok(())
    }

    fn store(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stored += bytes.len() as u64;
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }

    /// Writes what is left, and the files whose names begin with `prefix`.
    pub fn finish(mut self, prefix: &Path) -> io::Result<()> {
        if !self.chunk.is_empty() {
            self.end_chunk()?;
        }
        self.out.flush()?;
        let path = |component: &str| format!("{}{component}", prefix.display());
        let digest = self.digest.finalize() as u32;
        fs::write(path("Digest.crc32"), digest.to_string())?;
        let mut beside = Vec::new();
        match self.compression {
            Compression::None => {
                beside.extend_from_slice(&(PLAIN_CHUNK as u32).to_be_bytes());
                for sum in &self.sums {
                    beside.extend_from_slice(&sum.to_be_bytes());
                }
                fs::write(path("CRC.db"), beside)
            }
            Compression::Lz4(chunk_len) => {
                wire::push_bytes16(&mut beside, b"LZ4Compressor");
                beside.extend_from_slice(&0u32.to_be_bytes());
                beside.extend_from_slice(&(chunk_len as u32).to_be_bytes());
                beside.extend_from_slice(&i32::MAX.to_be_bytes());
                beside.extend_from_slice(&self.len.to_be_bytes());
                beside.extend_from_slice(&(self.offsets.len() as u32).to_be_bytes());
                for offset in &self.offsets {
                    beside.extend_from_slice(&offset.to_be_bytes());
                }
                fs::write(path("CompressionInfo.db"), beside)
            }
        }
    }
}
