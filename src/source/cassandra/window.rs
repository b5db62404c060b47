//! A moving window over the bytes of Data.db before compression.

use super::chunks::{ChunkReader, Chunks};
use crate::error::Result;

/// Bytes of a chunk that are joined at first with the end of the one before.
const JOINT_BYTES: usize = 1 << 10;

/// The chunk at the place of the reader. What begins in one and ends in the next is joined; only that is copied.
pub struct Window<'a> {
    chunks: &'a Chunks,
    reader: ChunkReader,
    /// The last chunk that was unpacked.
    chunk: Vec<u8>,
    /// The end of what lies before that chunk, and so many bytes of it; empty where the reader is in the chunk.
    joint: Vec<u8>,
    joined: usize,
    /// Where the reader is: in `joint`, or else in `chunk`.
    start: usize,
    /// The uncompressed offset of that place.
    position: u64,
}

impl<'a> Window<'a> {
    /// Begins at an uncompressed offset, with nothing loaded.
    pub fn new(chunks: &'a Chunks, position: u64) -> Window<'a> {
        Window {
            chunks,
            reader: ChunkReader::new(),
            chunk: Vec::new(),
            joint: Vec::new(),
            joined: 0,
            start: 0,
            position,
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
        let bytes = match self.joint.is_empty() {
            true => &self.chunk,
            false => &self.joint,
        };
        bytes.get(self.start..).unwrap_or_default()
    }

    /// Loads some bytes more; returns false where all of the data are loaded.
    ///
    /// # Errors
    ///
    /// Those of [`Chunks::read`].
    pub fn load(&mut self) -> Result<bool> {
        if !self.joint.is_empty() && self.joined < self.chunk.len() {
            self.join(self.joined);
            return Ok(true);
        }
        let loaded = self.loaded().len();
        let end = self.position.saturating_add(loaded as u64);
        if end >= self.chunks.data_len() {
            return Ok(false);
        }
        let chunk_len = self.chunks.chunk_len();
        let (index, within) = (end / chunk_len, end % chunk_len);
        let has_end = loaded > 0;
        if has_end && self.joint.is_empty() {
            let end = self.chunk.get(self.start..).unwrap_or_default();
            self.joint.extend_from_slice(end);
            self.start = 0;
        }
        self.chunks.read(index, &mut self.reader, &mut self.chunk)?;
        self.joined = 0;
        match has_end {
            true => self.join(JOINT_BYTES),
            false => {
                self.joint.clear();
                // A place within a chunk, so it fits.
                self.start = within as usize;
            }
        }
        Ok(true)
    }

    /// Copies so many bytes more of the chunk, or what it has, behind the end of the one before.
    fn join(&mut self, len: usize) {
        let rest = self.chunk.get(self.joined..).unwrap_or_default();
        let more = rest.get(..len).unwrap_or(rest);
        self.joint.extend_from_slice(more);
        self.joined += more.len();
    }

    /// Moves the reader on; over what is not loaded without reading it.
    #[inline]
    pub fn advance(&mut self, len: u64) {
        self.position = self.position.saturating_add(len);
        let start = usize::try_from(len).map_or(usize::MAX, |len| self.start.saturating_add(len));
        if self.joint.is_empty() {
            self.start = start.min(self.chunk.len());
            return;
        }
        // Where the chunk begins in the joint.
        let chunk_at = self.joint.len() - self.joined;
        match start.checked_sub(chunk_at) {
            Some(in_chunk) => {
                self.joint.clear();
                self.start = in_chunk.min(self.chunk.len());
            }
            None => self.start = start,
        }
    }
}
