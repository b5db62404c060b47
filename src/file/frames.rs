//! Byte strings one behind the other, written once and then read from the front, any number of times: in memory, or in a temporary
//! file once they are many.

use std::path::{Path, PathBuf};

use super::spill::{SpillBuffer, Spilled};
use crate::error::{Error, Result};

/// What stands before each: its length, u64, little-endian.
const LEN_BYTES: u64 = 8;

/// What messages call the temporary file.
const NAME: &str = "a temporary file";

/// Byte strings under way.
pub struct FrameWriter {
    buffer: SpillBuffer,
}

impl FrameWriter {
    /// None yet; many go to a file in `temp_dir`, or in the system's folder for temporary files.
    pub fn new(temp_dir: Option<PathBuf>) -> FrameWriter {
        FrameWriter {
            buffer: SpillBuffer::new(temp_dir),
        }
    }

    /// Appends one.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary file.
    pub fn push(&mut self, frame: &[u8]) -> Result<()> {
        self.buffer.push(&(frame.len() as u64).to_le_bytes())?;
        self.buffer.push(frame)
    }

    /// Ends the writing.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary file.
    pub fn finish(self) -> Result<Frames> {
        self.buffer.finish(Path::new(NAME)).map(Frames)
    }
}

/// Byte strings, all there.
pub struct Frames(Spilled);

impl Frames {
    /// Reads from the front.
    pub fn reader(&self) -> FrameReader<'_> {
        FrameReader {
            frames: self,
            offset: 0,
            scratch: Vec::new(),
        }
    }

    fn len(&self) -> u64 {
        match &self.0 {
            Spilled::Memory(bytes) => bytes.len() as u64,
            Spilled::File(input) => input.len(),
        }
    }

    fn read<'r>(&'r self, offset: u64, len: u64, scratch: &'r mut Vec<u8>) -> Result<&'r [u8]> {
        match &self.0 {
            Spilled::File(input) => input.read(offset, len, scratch),
            Spilled::Memory(bytes) => {
                let rest = bytes.get(offset as usize..).unwrap_or_default();
                rest.get(..len as usize)
                    .ok_or_else(|| Error::damaged(NAME, offset, "it is cut short"))
            }
        }
    }
}

/// Reads byte strings from the front.
pub struct FrameReader<'a> {
    frames: &'a Frames,
    offset: u64,
    scratch: Vec<u8>,
}

impl FrameReader<'_> {
    /// The next one; `None` behind the last.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged, where the temporary file was changed.
    #[allow(clippy::should_implement_trait)] // lends
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        if self.offset >= self.frames.len() {
            return Ok(None);
        }
        let head = self
            .frames
            .read(self.offset, LEN_BYTES, &mut self.scratch)?;
        let len = head.try_into().map_or(u64::MAX, u64::from_le_bytes);
        let start = self.offset + LEN_BYTES;
        if len > self.frames.len().saturating_sub(start) {
            return Err(Error::damaged(NAME, self.offset, "it is cut short"));
        }
        self.offset = start + len;
        self.frames.read(start, len, &mut self.scratch).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_more_than_once_from_memory_and_from_a_file() {
        for count in [0usize, 3, 5000] {
            let frame = |n: usize| vec![n as u8; (n * 7) % 2000];
            let mut writer = FrameWriter::new(None);
            for n in 0..count {
                writer.push(&frame(n)).unwrap();
            }
            let frames = writer.finish().unwrap();
            assert_eq!(matches!(frames.0, Spilled::File(_)), count == 5000);
            for _ in 0..2 {
                let mut reader = frames.reader();
                for n in 0..count {
                    assert_eq!(reader.next().unwrap(), Some(frame(n).as_slice()));
                }
                assert_eq!(reader.next().unwrap(), None);
            }
        }
    }
}
