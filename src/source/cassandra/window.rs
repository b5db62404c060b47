//! A moving window over the bytes of Data.db before compression.

use super::chunks::{ChunkReader, Chunks};
use crate::error::Result;

/// The chunks around the place of the reader, one after another in memory.
pub struct Window<'a> {
    chunks: &'a Chunks,
    reader: ChunkReader,
    /// Unpacked chunks; the part before `start` was read.
    bytes: Vec<u8>,
    /// Where in `bytes` the reader is.
    start: usize,
    /// The uncompressed offset of that place.
    position: u64,
    next_chunk: Vec<u8>,
}

impl<'a> Window<'a> {
    /// Begins at an uncompressed offset, with nothing loaded.
    pub fn new(chunks: &'a Chunks, position: u64) -> Window<'a> {
        Window {
            chunks,
            reader: ChunkReader::new(),
            bytes: Vec::new(),
            start: 0,
            position,
            next_chunk: Vec::new(),
        }
    }

    /// The uncompressed offset of the reader.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes from the reader to the end of the data, loaded or not.
    pub fn left(&self) -> u64 {
        self.chunks.data_len().saturating_sub(self.position)
    }

    /// The bytes that are loaded, from the reader on.
    #[inline]
    pub fn loaded(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Loads one chunk more; returns false where all of the data are loaded.
    ///
    /// # Errors
    ///
    /// Those of [`Chunks::read`].
    pub fn load(&mut self) -> Result<bool> {
        let loaded = self.loaded().len() as u64;
        let end = self.position.saturating_add(loaded);
        if end >= self.chunks.data_len() {
            return Ok(false);
        }
        let chunk_len = self.chunks.chunk_len();
        let (index, within) = (end / chunk_len, end % chunk_len);
        if loaded == 0 {
            self.chunks.read(index, &mut self.reader, &mut self.bytes)?;
            // A place within a chunk, so it fits.
            self.start = within as usize;
        } else {
            self.bytes.drain(..self.start);
            self.start = 0;
            self.chunks
                .read(index, &mut self.reader, &mut self.next_chunk)?;
            self.bytes.extend_from_slice(&self.next_chunk);
        }
        Ok(true)
    }

    /// Moves the reader on; over what is not loaded without reading it.
    pub fn advance(&mut self, len: u64) {
        self.position = self.position.saturating_add(len);
        match usize::try_from(len) {
            Ok(len) if len < self.loaded().len() => self.start += len,
            _ => {
                self.bytes.clear();
                self.start = 0;
            }
        }
    }
}
