//! A piece of a long text: the bytes that are being parsed, and as many behind them as were asked for.

use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memchr_iter;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::file::unpack;

/// First size of the buffer, and the least that is read at a time. Tiny in tests, so that small texts meet every seam.
const BUFFER_BYTES: usize = if cfg!(test) { 5 } else { 256 << 10 };

/// Bytes of a file lent at a time, where they are not mapped.
const CHUNK_BYTES: u64 = 128 << 10;

/// What tells a person where an offset lies.
#[derive(Clone)]
pub(super) enum Where<'a> {
    /// In this file, as it is: lines can be counted.
    Text(&'a Input),
    /// In the data of a part of an archive, decompressed: what it is called.
    Part(String),
    /// In bytes that are no text.
    Binary,
}

/// How far a file was read, seen past the decoder that holds the reader.
#[derive(Debug, Clone, Default)]
pub(super) struct Position(Arc<AtomicU64>);

impl Position {
    pub fn new(offset: u64) -> Position {
        Position(Arc::new(AtomicU64::new(offset)))
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, offset: u64) {
        self.0.store(offset, Ordering::Relaxed);
    }
}

/// A window that moves over a text from front to back.
pub(super) struct Window<'a> {
    source: Box<dyn Read + Send + 'a>,
    path: PathBuf,
    place: Where<'a>,
    /// Where the source started in the file behind it, and how far it has read.
    file_start: u64,
    file_position: Position,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes from here on are kept though they are consumed.
    mark: Option<usize>,
    /// Of the byte at `start`.
    offset: u64,
    at_end: bool,
    bytes_max: u64,
    expansion_max: u64,
}

impl<'a> Window<'a> {
    /// Over the bytes `start..end` of a file.
    pub fn of_range(input: &'a Input, start: u64, end: u64, place: Where<'a>) -> Window<'a> {
        let range = FileRange::new(input, start, end);
        let file_position = range.position.clone();
        Window::new(Box::new(range), file_position, input, start, place)
    }

    /// Over what `source` gives, which reads `input` and tells in `file_position` how far.
    pub fn new(
        source: Box<dyn Read + Send + 'a>,
        file_position: Position,
        input: &Input,
        offset: u64,
        place: Where<'a>,
    ) -> Window<'a> {
        Window {
            source,
            path: input.path().to_owned(),
            place,
            file_start: file_position.get(),
            file_position,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            mark: None,
            offset,
            at_end: false,
            bytes_max: input.limits().record_bytes_max,
            expansion_max: input.limits().expansion_max,
        }
    }

    /// Over these bytes, which were read from `input` or decompressed; the first lies at `offset`.
    pub fn of_bytes(bytes: Vec<u8>, input: &Input, offset: u64, place: Where<'a>) -> Window<'a> {
        let nothing = Box::new(io::empty());
        let mut window = Window::new(nothing, Position::default(), input, offset, place);
        window.end = bytes.len();
        window.buffer = bytes;
        window.at_end = true;
        window
    }

    /// The bytes that are at hand.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the first of them lies.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes over `len` of them.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.offset += len as u64;
    }

    /// Passes over `len` of them and lends them.
    pub fn take(&mut self, len: usize) -> &[u8] {
        let start = self.start;
        self.consume(len);
        self.buffer.get(start..self.start).unwrap_or_default()
    }

    /// Keeps what is consumed from here on, for [`Window::marked`].
    pub fn mark(&mut self) {
        self.mark = Some(self.start);
    }

    /// What was consumed since the mark, which is gone now.
    pub fn marked(&mut self) -> &[u8] {
        let mark = self.mark.take().unwrap_or(self.start);
        self.buffer.get(mark..self.start).unwrap_or_default()
    }

    /// Reads on; false at the end of the text.
    ///
    /// # Errors
    ///
    /// Those of the source; Limit where more is wanted at once than a record may have.
    pub fn fill(&mut self) -> Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        let from = self.mark.unwrap_or(self.start);
        let kept = self.end - from;
        if kept as u64 > self.bytes_max {
            return Err(ErrorKind::Limit {
                path: self.path.clone(),
                offset: self.offset,
                what: "record bytes",
                value: kept as u64,
                max: self.bytes_max,
            }
            .into());
        }
        if from > 0 {
            self.buffer.copy_within(from..self.end, 0);
            self.start -= from;
            self.end -= from;
            self.mark = self.mark.map(|_| 0);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.end * 2).max(BUFFER_BYTES), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.source.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(len) => {
                    self.end += len;
                    return self.check_expansion().map(|()| true);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.source_error(e)),
            }
        }
    }

    fn check_expansion(&self) -> Result<()> {
        if !matches!(self.place, Where::Part(_)) {
            return Ok(());
        }
        let written = self.offset + (self.end - self.start) as u64;
        let read = self.file_position.get() - self.file_start;
        unpack::check_expansion(written, read, &self.path, self.expansion_max)
    }

    fn source_error(&self, error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::damaged(
                &self.path,
                self.file_position.get(),
                format!("compressed data do not decompress: {error}"),
            ),
        }
    }

    /// Whether `len` bytes are at hand, after reading on where they are not.
    ///
    /// # Errors
    ///
    /// As of [`Window::fill`].
    #[inline]
    pub fn ensure(&mut self, len: usize) -> Result<bool> {
        while self.end - self.start < len {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The byte `at` bytes ahead; `None` behind the end.
    ///
    /// # Errors
    ///
    /// As of [`Window::fill`].
    #[inline]
    pub fn byte(&mut self, at: usize) -> Result<Option<u8>> {
        if let Some(byte) = self.bytes().get(at) {
            return Ok(Some(*byte));
        }
        self.ensure(at + 1)?;
        Ok(self.bytes().get(at).copied())
    }

    /// Whether the bytes ahead are `text`.
    ///
    /// # Errors
    ///
    /// As of [`Window::fill`].
    pub fn starts_with(&mut self, text: &[u8]) -> Result<bool> {
        self.ensure(text.len())?;
        Ok(self.bytes().starts_with(text))
    }

    /// How many bytes ahead the next line feed is; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As of [`Window::fill`].
    #[inline]
    pub fn line_feed(&mut self, from: usize) -> Result<Option<usize>> {
        let mut from = from;
        loop {
            let bytes = self.bytes();
            if let Some(at) = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default()) {
                return Ok(Some(from + at));
            }
            from = bytes.len();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The error for what is wrong at `offset`.
    pub fn damaged(&self, offset: u64, what: impl std::fmt::Display) -> Error {
        let what = match &self.place {
            Where::Text(input) => match line_of(input, offset) {
                Ok(line) => format!("line {line}: {what}"),
                Err(error) => return error,
            },
            Where::Part(name) => format!("in the decompressed data of {name}: {what}"),
            Where::Binary => what.to_string(),
        };
        Error::damaged(&self.path, offset, what)
    }

    /// The error for what is wrong here.
    pub fn damaged_here(&self, what: impl std::fmt::Display) -> Error {
        self.damaged(self.offset, what)
    }

    /// The error for what can't be read faithfully.
    pub fn unsupported(&self, what: impl std::fmt::Display, hint: &str) -> Error {
        Error::unsupported(
            &self.path,
            format!("{what} (at offset {})", self.offset),
            hint,
        )
    }
}

/// The line, from 1, in which an offset lies.
pub(super) fn line_of(input: &Input, offset: u64) -> Result<u64> {
    let mut scratch = Vec::new();
    let (mut at, mut line) = (0, 1);
    let end = offset.min(input.len());
    while at < end {
        let len = CHUNK_BYTES.min(end - at);
        let bytes = input.read(at, len, &mut scratch)?;
        line += memchr_iter(b'\n', bytes).count() as u64;
        at += len;
    }
    Ok(line)
}

/// Reads a part of a file.
pub(super) struct FileRange<'a> {
    input: &'a Input,
    position: Position,
    end: u64,
    scratch: Vec<u8>,
}

impl<'a> FileRange<'a> {
    pub fn new(input: &'a Input, start: u64, end: u64) -> FileRange<'a> {
        FileRange {
            input,
            position: Position::new(start),
            end: end.min(input.len()),
            scratch: Vec::new(),
        }
    }

    /// How far it has read.
    pub fn position(&self) -> Position {
        self.position.clone()
    }
}

impl BufRead for FileRange<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let at = self.position.get();
        let len = CHUNK_BYTES.min(self.end.saturating_sub(at));
        self.input
            .read(at, len, &mut self.scratch)
            .map_err(io::Error::other)
    }

    fn consume(&mut self, len: usize) {
        self.position.set(self.position.get() + len as u64);
    }
}

impl Read for FileRange<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let at = self.position.get();
        let len = (out.len() as u64).min(self.end.saturating_sub(at));
        let bytes = self
            .input
            .read(at, len, &mut self.scratch)
            .map_err(io::Error::other)?;
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.position.set(at + len);
        Ok(len as usize)
    }
}
