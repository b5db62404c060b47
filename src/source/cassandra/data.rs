//! Data.db: partitions, ascending by token, one after another.
//!
//! ```text
//! partition: u16 length, key | deletion of the partition | unfiltereds (see the rows) | 0x01
//! ```
//!
//! The first unfiltered is the static row, if the SSTable has static columns; it is there even where it is empty. Offsets are
//! those of the data before compression.

use super::chunks::{ChunkReader, Chunks};
use super::descriptor::Descriptor;
use super::header::Header;
use super::model::{Deletion, Marker, Place, Row};
use super::rows::plain::{Plain, Plan};
use super::rows::{END, Fault, Front, Shape};
use super::statistics;
use super::window::Window;
use super::wire;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::input::{FileOptions, Input};

/// One SSTable, open for reading from any thread.
pub struct Sstable {
    descriptor: Descriptor,
    header: Header,
    shape: Shape,
    chunks: Chunks,
}

impl Sstable {
    /// Opens the files of an SSTable: Statistics.db is read, Data.db and what goes with it stay open (two files at most).
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported for an unknown compressor or a missing Statistics.db; Damaged; Limit.
    pub fn open(descriptor: Descriptor, options: &FileOptions) -> Result<Sstable> {
        let header = statistics::read(&descriptor, options)?;
        Ok(Sstable {
            shape: Shape::new(&header, descriptor.version, &options.limits),
            chunks: Chunks::open(&descriptor, options)?,
            header,
            descriptor,
        })
    }

    /// The names of its files.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its columns, types and partitioner.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Length of Data.db before compression, in bytes.
    pub fn data_len(&self) -> u64 {
        self.chunks.data_len()
    }

    /// Length of Data.db as it is stored, in bytes.
    pub fn file_len(&self) -> u64 {
        self.chunks.input().len()
    }

    /// Reads the partitions that begin at the uncompressed offsets `from <= offset < to`; `from` must be the beginning of a
    /// partition, and `to` that of another or [`Sstable::data_len`].
    pub fn read(&self, from: u64, to: u64) -> PartitionReader<'_> {
        PartitionReader {
            sstable: self,
            window: Window::new(&self.chunks, from),
            to,
            within: None,
            in_partition: false,
            clustering: Vec::new(),
            plain_len: 0,
        }
    }

    /// Whether the bytes between two uncompressed offsets can be read: their checksums match.
    pub fn can_be_read(&self, from: u64, to: u64) -> bool {
        let (mut reader, mut chunk) = (ChunkReader::new(), Vec::new());
        let (len, end) = (self.chunks.chunk_len(), to.min(self.data_len()));
        (from / len..end.div_ceil(len))
            .all(|at| self.chunks.read(at, &mut reader, &mut chunk).is_ok())
    }

    /// Reads from `start` to the end of the data: of the first partition the head, and its unfiltereds from there on.
    pub fn read_from(&self, start: Start) -> PartitionReader<'_> {
        PartitionReader {
            within: start.within,
            ..self.read(start.partition, self.data_len())
        }
    }

    /// Compares the checksums of all chunks with Digest.crc32; returns false where there is no such file. For who has read them all,
    /// and so has seen that the data are theirs.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged where they differ.
    pub fn check_digest(&self) -> Result<bool> {
        self.chunks.check_digest(&self.descriptor)
    }

    /// Returns Changed if one of the open files changed since it was opened.
    ///
    /// # Errors
    ///
    /// Changed, I/O errors.
    pub fn check_unchanged(&self) -> Result<()> {
        self.chunks.check_unchanged()
    }

    /// How its rows are encoded.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How its files are read.
    pub fn options(&self) -> &FileOptions {
        self.input().options()
    }

    fn input(&self) -> &Input {
        self.chunks.input()
    }

    #[cold]
    fn damaged(&self, offset: u64, what: &str) -> Error {
        let what = format!("{what}, in the data before compression,");
        let input = self.input();
        input.explain(Error::damaged(input.path(), offset, what))
    }

    #[cold]
    fn over_limit(&self, offset: u64, what: &'static str, value: u64, max: u64) -> Error {
        let path = self.input().path().to_owned();
        let error = ErrorKind::Limit {
            path,
            offset,
            what,
            value,
            max,
        };
        self.input().explain(error.into())
    }

    #[cold]
    fn faulty(&self, offset: u64, fault: Fault, short: &str) -> Error {
        let limits = self.input().limits();
        match fault {
            Fault::Short => self.damaged(offset, short),
            Fault::Bad(what) => self.damaged(offset, what),
            Fault::LongKey(len) => self.over_limit(offset, "key bytes", len, limits.key_bytes_max),
            Fault::ManyCells(len) => {
                self.over_limit(offset, "block bytes", len, limits.block_bytes_max)
            }
        }
    }
}

/// A place from which an SSTable can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Where a partition begins, in the data before compression.
    pub partition: u64,
    /// Where in it its unfiltereds are read from; `None` for the first.
    pub within: Option<Within>,
}

/// A place within a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Where an unfiltered begins, in the data before compression.
    pub offset: u64,
    /// The range deletion that is open before it.
    pub open: Deletion,
}

impl Start {
    /// That of the partition at this offset.
    pub fn of_partition(offset: u64) -> Start {
        Start {
            partition: offset,
            within: None,
        }
    }

    /// Where it lies, in the data before compression.
    pub fn offset(&self) -> u64 {
        self.within.map_or(self.partition, |within| within.offset)
    }
}

/// The front of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionHead {
    /// Its key, as the partitioner hashes it.
    pub key: Vec<u8>,
    /// Its deletion; [`Deletion::LIVE`] for none.
    pub deletion: Deletion,
    /// Where it begins, in the data before compression; 0 where it comes from elsewhere.
    pub offset: u64,
    /// The range deletion that is open where its unfiltereds are read from; [`Deletion::LIVE`] for none.
    pub open: Deletion,
}

impl Default for PartitionHead {
    fn default() -> PartitionHead {
        PartitionHead {
            key: Vec::new(),
            deletion: Deletion::LIVE,
            offset: 0,
            open: Deletion::LIVE,
        }
    }
}

/// What follows in a partition.
#[derive(Debug, Clone)]
pub enum Unfiltered {
    /// A row; it stands in the row that was lent. A static row comes first, and may hold nothing.
    Row,
    /// A bound of range tombstones.
    Marker(Box<Marker>),
    /// The partition is at its end.
    End,
}

/// Reads partitions one after another. After an error it is of no more use.
pub struct PartitionReader<'a> {
    sstable: &'a Sstable,
    window: Window<'a>,
    to: u64,
    /// Where to go behind the next head.
    within: Option<Within>,
    in_partition: bool,
    clustering: Vec<Option<Place>>,
    /// Length of a plain row that was read and can be read again; 0 for none.
    plain_len: usize,
}

impl PartitionReader<'_> {
    /// Where the reader is, in the data before compression.
    pub fn offset(&self) -> u64 {
        self.window.position().saturating_add(self.plain_len as u64)
    }

    /// Goes to the next partition, over what is left of the present one; `None` at the end of the range.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged, also where a partition does not end at the end of the range; Limit.
    pub fn next_partition(&mut self) -> Result<Option<PartitionHead>> {
        let mut head = PartitionHead::default();
        Ok(self.next_head(&mut head)?.then_some(head))
    }

    /// As [`PartitionReader::next_partition`], with the memory of a former head; false at the end of the range.
    ///
    /// # Errors
    ///
    /// Those of [`PartitionReader::next_partition`].
    pub fn next_head(&mut self, head: &mut PartitionHead) -> Result<bool> {
        self.skip_partition()?;
        head.offset = self.window.position();
        if head.offset > self.to {
            let what = "a partition goes on here, where another is said to begin";
            return Err(self.sstable.damaged(self.to, what));
        }
        if head.offset == self.to {
            return Ok(false);
        }
        loop {
            let mut cursor = Cursor::new(self.window.loaded());
            let key = wire::u16_prefixed(&mut cursor);
            let deletion = key.and_then(|_| self.sstable.shape.partition_deletion(&mut cursor));
            if let (Some(key), Some(deletion)) = (key, deletion) {
                head.key.clear();
                head.key.extend_from_slice(key);
                head.deletion = deletion;
                self.window.advance(cursor.position() as u64);
                self.in_partition = true;
                head.open = self.go_within()?;
                return Ok(true);
            }
            self.load()?;
        }
    }

    /// Goes from behind a head to where the unfiltereds are read from; returns the deletion that is open there.
    fn go_within(&mut self) -> Result<Deletion> {
        let Some(within) = self.within.take() else {
            return Ok(Deletion::LIVE);
        };
        let behind_head = self.window.position();
        let Some(len) = within.offset.checked_sub(behind_head) else {
            let what = "a row is said to begin before its partition";
            return Err(self.sstable.damaged(within.offset, what));
        };
        self.window.advance(len);
        Ok(within.open)
    }

    /// Decodes what follows in the partition: a row into `row`, whose former content is lost. At the end of the partition, and
    /// outside of one, it says so however often it is asked.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged; Limit.
    pub fn next_unfiltered(&mut self, row: &mut Row) -> Result<Unfiltered> {
        let Some(front) = self.loaded_front()? else {
            return Ok(Unfiltered::End);
        };
        self.decode(&front, row)
    }

    /// Reads what follows in the partition, if that is a plain row all of which is loaded; [`PartitionReader::plain_bytes`] are those of
    /// the row until something else is read. Else returns false, and what follows is still to be read.
    #[inline]
    pub fn next_plain(&mut self, plan: &Plan, plain: &mut Plain) -> bool {
        self.pass_plain();
        self.in_partition && self.is_plain(plan, plain)
    }

    /// Reads what follows where [`PartitionReader::next_plain`] returned false, as [`PartitionReader::next_unfiltered`] does; but a plain
    /// row of which a part was not loaded is read into `plain`, `row` is left as it is, and the result is `None`.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged; Limit.
    #[inline]
    pub fn next_or_plain(
        &mut self,
        plan: &Plan,
        row: &mut Row,
        plain: &mut Plain,
    ) -> Result<Option<Unfiltered>> {
        self.pass_plain();
        if self.in_partition && self.window.loaded().first() == Some(&END) {
            self.end_partition();
            return Ok(Some(Unfiltered::End));
        }
        let loaded = self.window.loaded().len();
        let Some(front) = self.loaded_front()? else {
            return Ok(Some(Unfiltered::End));
        };
        if self.window.loaded().len() > loaded && self.is_plain(plan, plain) {
            return Ok(None);
        }
        self.decode(&front, row).map(Some)
    }

    /// Whether a plain row follows, all of which is loaded.
    #[inline]
    fn is_plain(&mut self, plan: &Plan, plain: &mut Plain) -> bool {
        let shape = &self.sstable.shape;
        self.plain_len = shape.plain(self.window.loaded(), plan, plain).unwrap_or(0);
        self.plain_len > 0
    }

    /// The bytes that begin with the plain row that was read last.
    #[inline]
    pub fn plain_bytes(&self) -> &[u8] {
        self.window.loaded()
    }

    #[inline]
    fn pass_plain(&mut self) {
        let len = std::mem::take(&mut self.plain_len);
        self.window.advance(len as u64);
    }

    /// Decodes the plain row that was read last into `row`.
    ///
    /// # Errors
    ///
    /// Damaged; Limit.
    pub fn decode_plain(&mut self, row: &mut Row) -> Result<()> {
        // It was not passed yet, so it is what follows.
        self.plain_len = 0;
        self.next_unfiltered(row).map(|_| ())
    }

    /// The front of what follows, all of which is loaded; `None` at the end of the partition.
    fn loaded_front(&mut self) -> Result<Option<Front>> {
        let Some(front) = self.front()? else {
            return Ok(None);
        };
        let max = self.sstable.input().limits().value_bytes_max;
        if front.len() > max {
            let (offset, len) = (self.window.position(), front.len());
            return Err(self.sstable.over_limit(offset, "value bytes", len, max));
        }
        while (self.window.loaded().len() as u64) < front.len() {
            self.load()?;
        }
        Ok(Some(front))
    }

    fn decode(&mut self, front: &Front, row: &mut Row) -> Result<Unfiltered> {
        let bytes = loaded(&self.window, front);
        let shape = &self.sstable.shape;
        let decoded = match front.is_marker() {
            true => shape
                .marker(bytes, front, &self.clustering)
                .map(|marker| Unfiltered::Marker(Box::new(marker))),
            false => shape
                .row(bytes, front, &self.clustering, row)
                .map(|()| Unfiltered::Row),
        };
        let unfiltered = decoded.map_err(|(at, fault)| {
            let at = self.window.position().saturating_add(at as u64);
            self.sstable
                .faulty(at, fault, "a row or bound longer than its size says")
        })?;
        self.window.advance(front.len());
        Ok(unfiltered)
    }

    /// Goes to the end of the partition. Its rows are not decoded, and chunks that lie within one are not read.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged; Limit.
    pub fn skip_partition(&mut self) -> Result<()> {
        while let Some(front) = self.front()? {
            self.window.advance(front.len());
        }
        Ok(())
    }

    /// The front of the next unfiltered, whose end is in the file; `None` at the end of the partition, which is then behind.
    fn front(&mut self) -> Result<Option<Front>> {
        self.pass_plain();
        if !self.in_partition {
            return Ok(None);
        }
        loop {
            let mut cursor = Cursor::new(self.window.loaded());
            match self.sstable.shape.front(&mut cursor, &mut self.clustering) {
                Ok(front) if front.is_end() => {
                    self.end_partition();
                    return Ok(None);
                }
                Ok(front) if front.len() <= self.window.left() => return Ok(Some(front)),
                Ok(front) => {
                    let what = format!("a row or bound of {} bytes in less", front.len());
                    return Err(self.sstable.damaged(self.window.position(), &what));
                }
                Err(Fault::Short) => {}
                Err(fault) => {
                    let at = cursor.position() as u64;
                    let at = self.window.position().saturating_add(at);
                    return Err(self.sstable.faulty(at, fault, ""));
                }
            }
            self.load()?;
        }
    }

    fn end_partition(&mut self) {
        self.window.advance(1);
        self.in_partition = false;
    }

    fn load(&mut self) -> Result<()> {
        match self.window.load()? {
            true => Ok(()),
            false => Err(self.sstable.damaged(
                self.window.position(),
                "the data end within a partition that begins before",
            )),
        }
    }
}

/// The bytes of an unfiltered that is loaded.
fn loaded<'w>(window: &'w Window<'_>, front: &Front) -> &'w [u8] {
    // It is loaded, so its length fits.
    let bytes = window.loaded().get(..front.len() as usize);
    bytes.unwrap_or_default()
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
