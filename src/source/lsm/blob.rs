//! Values that lie in files of their own (RocksDB's BlobDB): references in tables and logs, and `NNNNNN.blob`.
//!
//! A reference is the value of an entry of type 17 (0x11):
//!
//! ```text
//! kind (1 byte): 1 | varint64 file number | varint64 offset of the value | varint64 bytes stored | compression (1 byte)
//! ```
//!
//! A blob file, all integers little-endian, checksums CRC-32C masked as in tables:
//!
//! ```text
//! header   u32 magic 0x00248f37 | u32 version 1 | u32 column family | u8 flags | u8 compression | u64, u64 expiry range   (30 bytes)
//! record   u64 key length | u64 value length | u64 expiry | u32 checksum of these 24 bytes | u32 checksum of key and value   (32 bytes)
//!          key | value
//! footer   u32 magic | u64 records | u64, u64 expiry range | u32 checksum of these 28 bytes   (32 bytes)
//! ```
//!
//! A compressed value is what a block of format version 2 is: its length as a varint32, then the data; Snappy has no such
//! length. The layout is RocksDB's `db/blob/blob_log_format.h` and `blob_index.h`. What a value is taken from is under
//! checksums and bears its key, so a fetched value is right whatever happens to the file meanwhile.
//!
//! Refused by name: the kinds 0 and 2 of references, and files with expiry, which only the old BlobDB (before RocksDB
//! 6.18) wrote; other versions; unknown compressions.

use std::io;
use std::path::{Path, PathBuf};

use super::pool::Pool;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::{Codec, InflateError, Inflater};
use crate::file::input::{FileOptions, Input};
use crate::row::escape;
use crate::source::block_table::checksum::ChecksumKind;

const MAGIC: u32 = 0x0024_8f37;
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 30;
const RECORD_HEADER_BYTES: u64 = 32;
const FOOTER_BYTES: u64 = 32;
const CRC_BYTES: usize = 4;

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobReference {
    /// Number of the blob file.
    pub file_number: u64,
    /// Offset of the value in it, in bytes.
    pub offset: u64,
    /// Bytes that the value takes there.
    pub size: u64,
    /// Its compression, as of table blocks.
    pub compression: u8,
}

/// Why a reference can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadReference {
    /// It is malformed.
    Malformed,
    /// A value with an expiry, of the old BlobDB.
    Expiring,
}

impl BadReference {
    /// The error for the value of `key`, found in `path` at `offset` (or in the block or record that begins there).
    pub fn at(self, path: &Path, offset: u64, key: &[u8]) -> Error {
        match self {
            BadReference::Malformed => Error::damaged(
                path,
                offset,
                format!("a malformed reference to a blob file: key {}", escape(key)),
            ),
            BadReference::Expiring => Error::unsupported(
                path,
                format!(
                    "key {} holds a value with an expiry, of the old BlobDB",
                    escape(key)
                ),
                "open the database with its own software and export it from there",
            ),
        }
    }
}

impl BlobReference {
    /// Reads the value of an entry of type 17.
    ///
    /// # Errors
    ///
    /// Malformed; Expiring.
    pub fn read(value: &[u8]) -> Result<BlobReference, BadReference> {
        let mut cursor = Cursor::new(value);
        match cursor.u8() {
            Some(1) => {}
            Some(0 | 2) => return Err(BadReference::Expiring),
            _ => return Err(BadReference::Malformed),
        }
        let mut number = || cursor.varint().ok_or(BadReference::Malformed);
        let (file_number, offset, size) = (number()?, number()?, number()?);
        match cursor.rest() {
            &[compression] => Ok(BlobReference {
                file_number,
                offset,
                size,
                compression,
            }),
            _ => Err(BadReference::Malformed),
        }
    }
}

/// What one thread needs to fetch values; used again and again.
pub struct BlobScratch {
    record: Vec<u8>,
    inflater: Inflater,
}

impl Default for BlobScratch {
    fn default() -> BlobScratch {
        BlobScratch {
            record: Vec::new(),
            inflater: Inflater::new(None),
        }
    }
}

/// An open blob file.
pub struct BlobFile {
    input: Input,
    compression: u8,
    /// Where the records end: before the footer, if there is one.
    records_end: u64,
}

impl BlobFile {
    /// Takes the file, its header and its footer checked; no footer stands in a file that was still written to.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported for other versions and files with expiry; I/O errors.
    pub fn open(input: Input) -> Result<BlobFile> {
        let mut scratch = Vec::new();
        let header = input.read(0, HEADER_BYTES.min(input.len()), &mut scratch)?;
        let compression = read_header(header, input.path())?;
        let mut file = BlobFile {
            records_end: input.len(),
            compression,
            input,
        };
        if file.has_footer(&mut scratch)? {
            file.records_end -= FOOTER_BYTES;
        }
        Ok(file)
    }

    fn has_footer(&self, scratch: &mut Vec<u8>) -> Result<bool> {
        let len = self.input.len();
        let Some(offset) = len
            .checked_sub(FOOTER_BYTES)
            .filter(|&offset| offset >= HEADER_BYTES)
        else {
            return Ok(false);
        };
        let footer = self.input.read(offset, FOOTER_BYTES, scratch)?;
        if !footer.starts_with(&MAGIC.to_le_bytes()) {
            return Ok(false);
        }
        match footer.split_last_chunk::<CRC_BYTES>() {
            Some((bytes, crc)) if crc_of(bytes) == u32::from_le_bytes(*crc) => Ok(true),
            _ => Err(self.damaged(offset, "checksum mismatch in the footer")),
        }
    }

    /// Puts the value that `reference` means, of the row `user_key`, into `out`, in place of what it held.
    ///
    /// # Errors
    ///
    /// Damaged at the record's offset; Limit; Unsupported for an unknown compression; I/O errors, Changed.
    pub fn fetch(
        &self,
        reference: &BlobReference,
        user_key: &[u8],
        scratch: &mut BlobScratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.fetch_from(reference, user_key, scratch, out)
            .map_err(|error| self.input.explain(error))
    }

    fn fetch_from(
        &self,
        reference: &BlobReference,
        user_key: &[u8],
        scratch: &mut BlobScratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let value_offset = reference.offset;
        let before = RECORD_HEADER_BYTES + user_key.len() as u64;
        let is_inside = value_offset
            .checked_add(reference.size)
            .is_some_and(|end| end <= self.records_end);
        let Some(offset) = value_offset
            .checked_sub(before)
            .filter(|&offset| is_inside && offset >= HEADER_BYTES)
        else {
            return Err(self.damaged(
                value_offset,
                "a value is referred to that lies outside of the records",
            ));
        };
        let limits = self.input.limits();
        let max = match reference.compression {
            0 => limits.value_bytes_max,
            _ => limits.block_bytes_max,
        };
        if reference.size > max {
            return Err(self.too_large(offset, reference.size, max));
        }
        let BlobScratch { record, inflater } = scratch;
        let record = self.input.read(offset, before + reference.size, record)?;
        let value = check_record(record, user_key, reference.size)
            .map_err(|what| self.damaged(offset, what))?;
        if reference.compression != self.compression {
            return Err(self.damaged(
                offset,
                "the value is referred to by another compression than the file's",
            ));
        }
        self.inflate(offset, value, inflater, out)
    }

    fn inflate(
        &self,
        offset: u64,
        stored: &[u8],
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (codec, has_length) = match self.compression {
            0 => {
                out.clear();
                out.extend_from_slice(stored);
                return Ok(());
            }
            1 => (Codec::Snappy, false),
            2 => (Codec::Zlib, true),
            3 => (Codec::Bzip2, true),
            4 | 5 => (Codec::Lz4, true),
            7 | 0x40 => (Codec::Zstd, true),
            other => {
                return Err(Error::unsupported(
                    self.input.path(),
                    format!("blobs compressed with the unknown type {other}"),
                    "write the database with another blob compression",
                ));
            }
        };
        let mut cursor = Cursor::new(stored);
        let declared =
            match has_length {
                true => Some(cursor.varint32().ok_or_else(|| {
                    self.damaged(offset, "a compressed value without its length")
                })?),
                false => None,
            };
        let max = self.input.limits().value_bytes_max;
        inflater
            .inflate(codec, cursor.rest(), declared.map(u64::from), max, out)
            .map_err(|error| match error {
                InflateError::TooLarge { value, .. } => self.too_large(offset, value, max),
                InflateError::Malformed(what) => {
                    self.damaged(offset, &format!("the value does not decompress: {what}"))
                }
            })
    }

    fn too_large(&self, offset: u64, value: u64, max: u64) -> Error {
        ErrorKind::Limit {
            path: self.input.path().to_owned(),
            offset,
            what: match max == self.input.limits().value_bytes_max {
                true => "value bytes",
                false => "block bytes",
            },
            value,
            max,
        }
        .into()
    }

    fn damaged(&self, offset: u64, what: &str) -> Error {
        Error::damaged(self.input.path(), offset, what)
    }
}

fn crc_of(bytes: &[u8]) -> u32 {
    ChecksumKind::Crc32c.compute(bytes)
}

/// Checks the header of a blob file and returns its compression.
fn read_header(header: &[u8], path: &Path) -> Result<u8> {
    let mut cursor = Cursor::new(header);
    if cursor.u32() != Some(MAGIC) {
        return Err(Error::damaged(path, 0, "no blob file: another magic"));
    }
    let version = cursor.u32();
    let fields = (cursor.u32(), cursor.u8(), cursor.u8(), cursor.u128());
    let (Some(version), (Some(_family), Some(flags), Some(compression), Some(expiry))) =
        (version, fields)
    else {
        return Err(Error::damaged(path, 0, "the header is cut short"));
    };
    if version != VERSION {
        return Err(Error::unsupported(
            path,
            format!("a blob file of version {version}"),
            "mdiff reads version 1",
        ));
    }
    if flags & 1 != 0 || expiry != 0 {
        return Err(Error::unsupported(
            path,
            "a blob file with expiry, of the old BlobDB",
            "open the database with its own software and export it from there",
        ));
    }
    Ok(compression)
}

/// Checks a record and returns its value, as stored.
fn check_record<'a>(
    record: &'a [u8],
    user_key: &[u8],
    size: u64,
) -> Result<&'a [u8], &'static str> {
    const CUT: &str = "a record is cut short";
    let (header, data) = record
        .split_first_chunk::<{ RECORD_HEADER_BYTES as usize }>()
        .ok_or(CUT)?;
    let mut cursor = Cursor::new(header);
    let lengths = cursor.take(24).ok_or(CUT)?;
    if cursor.u32() != Some(crc_of(lengths)) {
        return Err("checksum mismatch in the header of a record, or no record is here");
    }
    let mut lengths = Cursor::new(lengths);
    if lengths.u64() != Some(user_key.len() as u64) || lengths.u64() != Some(size) {
        return Err("the record has other lengths than the reference to it");
    }
    if cursor.u32() != Some(crc_of(data)) {
        return Err("checksum mismatch in a record");
    }
    let (key, value) = data.split_at_checked(user_key.len()).ok_or(CUT)?;
    if key != user_key {
        return Err("the record is of another key than the reference to it");
    }
    Ok(value)
}

/// The blob files of a database.
pub struct BlobFiles {
    folder: PathBuf,
    options: FileOptions,
    pool: Pool<BlobFile>,
}

impl BlobFiles {
    /// The blob files in `folder`, of which at most `open_max` are open at once (beside those in use).
    pub fn new(folder: &Path, options: &FileOptions, open_max: usize) -> BlobFiles {
        BlobFiles {
            folder: folder.to_owned(),
            options: options.clone(),
            pool: Pool::new(open_max),
        }
    }

    /// The path of blob file `number`.
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.blob"))
    }

    /// Puts the value that `reference` means, of the row `user_key`, into `out`, in place of what it held.
    ///
    /// # Errors
    ///
    /// Those of [`BlobFile`]; Damaged, where the file is missing.
    pub fn fetch(
        &self,
        reference: &BlobReference,
        user_key: &[u8],
        scratch: &mut BlobScratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let number = reference.file_number;
        let file = self.pool.get(number, || self.open(number))?;
        file.fetch(reference, user_key, scratch, out)
    }

    fn open(&self, number: u64) -> Result<BlobFile> {
        let path = self.path(number);
        let input =
            Input::open_plain(&path, &self.options).map_err(|error| match error.kind() {
                ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                    Error::damaged(
                        &path,
                        0,
                        "the blob file is missing, though values refer to it",
                    )
                }
                _ => error,
            })?;
        BlobFile::open(input)
    }
}

#[cfg(test)]
#[path = "blob_tests.rs"]
mod tests;
