//! A buffer that only grows at its end, and moves to a temporary file once it is large.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::input::{FileOptions, Input};
use super::spool::Spool;
use crate::error::{Error, Result};

/// Bytes kept in memory before a buffer moves to a temporary file.
const MEMORY_BYTES_MAX: usize = 4 << 20;

/// Bytes copied at a time out of a temporary file.
const COPY_BYTES: u64 = 1 << 20;

/// Where the bytes of a finished buffer are.
pub enum Spilled {
    /// In memory.
    Memory(Vec<u8>),
    /// In a temporary file without a name.
    File(Input),
}

/// Appended bytes, to be read in the end.
pub struct SpillBuffer {
    temp_dir: Option<PathBuf>,
    memory: Vec<u8>,
    spool: Option<Spool>,
}

impl SpillBuffer {
    /// An empty buffer that spills into `temp_dir`, or the system's folder for temporary files.
    pub fn new(temp_dir: Option<PathBuf>) -> SpillBuffer {
        SpillBuffer {
            temp_dir,
            memory: Vec::new(),
            spool: None,
        }
    }

    /// An empty buffer that spills to the same folder.
    #[must_use]
    pub fn another(&self) -> SpillBuffer {
        SpillBuffer::new(self.temp_dir.clone())
    }

    /// Bytes appended so far.
    pub fn len(&self) -> u64 {
        self.memory.len() as u64 + self.spool.as_ref().map_or(0, Spool::len)
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary file.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.memory.len() + bytes.len() <= MEMORY_BYTES_MAX {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(Spool::new(self.temp_dir.as_deref())?),
        };
        for part in [self.memory.as_slice(), bytes] {
            if let Err(error) = spool.write_all(part) {
                return Err(spool.error(error));
            }
        }
        self.memory.clear();
        Ok(())
    }

    /// Ends the buffer and gives its bytes for reading; `name` stands for a path in messages.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary file.
    pub fn finish(self, name: &Path) -> Result<Spilled> {
        let Some(mut spool) = self.spool else {
            return Ok(Spilled::Memory(self.memory));
        };
        if let Err(error) = spool.write_all(&self.memory) {
            return Err(spool.error(error));
        }
        spool
            .into_input(name, &FileOptions::default())
            .map(Spilled::File)
    }

    /// Ends the buffer and copies its bytes to `out`, whose errors go through `wrap`.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary file and of `out`.
    pub fn copy_to(self, out: &mut dyn Write, wrap: &dyn Fn(io::Error) -> Error) -> Result<()> {
        match self.finish(Path::new("a temporary file"))? {
            Spilled::Memory(bytes) => out.write_all(&bytes).map_err(wrap),
            Spilled::File(input) => {
                let mut scratch = Vec::new();
                let mut offset = 0;
                while offset < input.len() {
                    let len = COPY_BYTES.min(input.len() - offset);
                    out.write_all(input.read(offset, len, &mut scratch)?)
                        .map_err(wrap)?;
                    offset += len;
                }
                input.check_unchanged()
            }
        }
    }
}

impl Write for SpillBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_comes_out_from_memory_and_from_a_file() {
        for parts in [0usize, 3, 5000] {
            let part: Vec<u8> = (0..=255).cycle().take(1777).collect();
            let mut buffer = SpillBuffer::new(None);
            for _ in 0..parts {
                buffer.push(&part).unwrap();
            }
            assert_eq!(buffer.len(), (parts * part.len()) as u64);
            assert_eq!(buffer.spool.is_some(), parts == 5000);
            let mut out = Vec::new();
            buffer
                .copy_to(&mut out, &|e| Error::io("copying", "out", e))
                .unwrap();
            assert!(out == part.repeat(parts));
        }
    }
}
