//! Data blocks of custom archives: chunks of a length and so many bytes, ended by a length of 0, which together are one stream.

use std::io::{self, BufRead, Read};

use super::toc::integer;
use super::window::Position;
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::file::unpack::{self, Packing};

/// What a stream of an archive is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Zlib,
    Lz4,
    Zstd,
}

impl Compression {
    /// Its name, for `info`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Zlib => "zlib",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    /// Decompresses what `source` gives.
    ///
    /// # Errors
    ///
    /// Those of starting the decoder.
    pub fn decoder<'a>(
        self,
        source: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        match self {
            Compression::None => Ok(Box::new(source)),
            Compression::Zlib => Ok(Box::new(flate2::bufread::ZlibDecoder::new(source))),
            Compression::Lz4 => unpack::decoder(Packing::Lz4, source),
            Compression::Zstd => unpack::decoder(Packing::Zstd, source),
        }
    }
}

/// Most bytes lent at a time, where the file is not mapped.
const LENT_BYTES_MAX: u64 = 128 << 10;

/// Reads chunks as one stream.
pub(super) struct Chunks<'a> {
    input: &'a Input,
    int_len: u8,
    position: Position,
    /// Bytes of the chunk that are not yet read.
    left: u64,
    has_ended: bool,
    scratch: Vec<u8>,
}

impl<'a> Chunks<'a> {
    /// Those that start at `offset`, with integers of so many bytes.
    pub fn new(input: &'a Input, offset: u64, int_len: u8) -> Chunks<'a> {
        Chunks {
            input,
            int_len,
            position: Position::new(offset),
            left: 0,
            has_ended: false,
            scratch: Vec::new(),
        }
    }

    /// How far it has read.
    pub fn position(&self) -> Position {
        self.position.clone()
    }

    /// Passes over all of them and gives the offset behind.
    ///
    /// # Errors
    ///
    /// Those of reading; Damaged where a length is none, or the file ends.
    pub fn skip(mut self) -> Result<u64> {
        loop {
            self.start_chunk()?;
            if self.has_ended {
                return Ok(self.position.get());
            }
            self.position.set(self.position.get() + self.left);
            self.left = 0;
        }
    }

    /// Reads the length of the next chunk.
    fn start_chunk(&mut self) -> Result<()> {
        let at = self.position.get();
        let len = integer(self.input, at, self.int_len, &mut self.scratch)?;
        let behind = at + 1 + u64::from(self.int_len);
        let left = u64::try_from(len)
            .ok()
            .filter(|len| *len <= self.input.len().saturating_sub(behind))
            .ok_or_else(|| {
                Error::damaged(
                    self.input.path(),
                    at,
                    format!("a chunk of {len} bytes, with the file's end before its"),
                )
            })?;
        self.position.set(behind);
        self.left = left;
        self.has_ended = left == 0;
        Ok(())
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 && !self.has_ended {
            self.start_chunk().map_err(io::Error::other)?;
        }
        let len = self.left.min(LENT_BYTES_MAX);
        self.input
            .read(self.position.get(), len, &mut self.scratch)
            .map_err(io::Error::other)
    }

    fn consume(&mut self, len: usize) {
        let len = (len as u64).min(self.left);
        self.left -= len;
        self.position.set(self.position.get() + len);
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut lent = self.fill_buf()?;
        let len = lent.read(out)?;
        self.consume(len);
        Ok(len)
    }
}
