//! Builds one block: entries with shared key prefixes, then the restart points.

use crate::error::{Error, Result};
use crate::file::cursor::push_varint;

/// A block under construction; its memory is used again for the next.
pub struct BlockBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    restart_interval: usize,
    /// Entries since the last restart point.
    run: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// Starts a block with a restart point every `restart_interval` entries.
    pub fn new(restart_interval: usize) -> BlockBuilder {
        BlockBuilder {
            bytes: Vec::new(),
            restarts: vec![0],
            restart_interval,
            run: 0,
            last_key: Vec::new(),
        }
    }

    /// Whether there is no entry yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Size of the block if it ended here, in bytes.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len() + 4 * self.restarts.len() + 4
    }

    /// Appends an entry. The caller keeps keys ascending and blocks far below 4 GiB.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut shared = 0;
        if self.run == self.restart_interval {
            self.restarts.push(self.bytes.len() as u32);
            self.run = 0;
        } else if self.run > 0 {
            let pairs = key.iter().zip(&self.last_key);
            shared = pairs.take_while(|(a, b)| a == b).count();
        }
        let (_, suffix) = key.split_at(shared);
        push_varint(&mut self.bytes, shared as u64);
        push_varint(&mut self.bytes, suffix.len() as u64);
        push_varint(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(suffix);
        self.bytes.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(suffix);
        self.run += 1;
    }

    /// Appends an entry of an index with delta-encoded values: it shares nothing, and its value has no length.
    ///
    /// # Errors
    ///
    /// Usage, where the index outgrows its 32-bit offsets.
    pub fn add_without_length(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let offset = u32::try_from(self.bytes.len())
            .map_err(|_| Error::usage("the index of the table exceeds 4 GiB", "split the table"))?;
        if offset > 0 {
            self.restarts.push(offset);
        }
        push_varint(&mut self.bytes, 0);
        push_varint(&mut self.bytes, key.len() as u64);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// Appends the restart points and lends the whole block.
    pub fn finish(&mut self) -> &[u8] {
        for restart in &self.restarts {
            self.bytes.extend_from_slice(&restart.to_le_bytes());
        }
        let count = self.restarts.len() as u32;
        self.bytes.extend_from_slice(&count.to_le_bytes());
        &self.bytes
    }

    /// Starts the next block.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.restarts.clear();
        self.restarts.push(0);
        self.run = 0;
        self.last_key.clear();
    }
}
