//! Writes a table as RocksDB's SstFileWriter would, so that `sst_dump`, `ldb` and `IngestExternalFile` take it.
//!
//! Format version 5, CRC-32C, data blocks of 16 KiB with a restart point every 16 entries, one index block whose separators
//! are the last user keys of the data blocks, no filter. All sequence numbers are zero. Equal rows and options give equal
//! bytes: no times, no names of hosts.
//!
//! Rows stream through; in memory are one data block and the index (about 30 bytes for 16 KiB of rows).

mod block;
mod compress;
mod tail;

use std::io::Write;
use std::path::Path;

pub use self::block::BlockBuilder;
use self::compress::Compressor;
use super::checksum::ChecksumKind;
use super::footer::{BLOCK_TRAILER_BYTES, Handle};
use super::key;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::push_varint;
use crate::row::{Row, Schema};
use crate::source::lsm::entity;
use crate::source::{RowWriter, SourceOptions};

/// A data block ends when it has reached this size, in bytes, before compression.
const BLOCK_BYTES: usize = 16 << 10;
const RESTART_INTERVAL: usize = 16;
/// What error messages call the output; whoever opened it knows its name.
const OUTPUT: &str = "the table being written";

/// Makes a writer of `.sst`. Keys and values are written as they are, whatever the schema; values with columns of their own
/// (`crate::row::wide`) as RocksDB's entities.
///
/// # Errors
///
/// Usage, where the options name an unknown compression.
pub fn create<'a>(
    out: Box<dyn Write + 'a>,
    _schema: &Schema,
    options: &SourceOptions,
) -> Result<Box<dyn RowWriter + 'a>> {
    Ok(Box::new(TableWriter {
        file: BlockFile {
            out,
            offset: 0,
            compressor: Compressor::new(&options.write_compression)?,
        },
        block: BlockBuilder::new(RESTART_INTERVAL),
        index: BlockBuilder::new(1),
        counts: Counts::default(),
        last_key: Vec::new(),
        internal_key: Vec::new(),
        entity: Vec::new(),
    }))
}

/// What the properties say of the rows.
#[derive(Default)]
struct Counts {
    entries: u64,
    deletions: u64,
    key_bytes: u64,
    value_bytes: u64,
    data_blocks: u64,
    data_bytes: u64,
}

/// Appends blocks to the output.
struct BlockFile<'a> {
    out: Box<dyn Write + 'a>,
    offset: u64,
    compressor: Compressor,
}

impl BlockFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out
            .write_all(bytes)
            .map_err(|e| Error::io("writing", Path::new(OUTPUT), e))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Writes one block with its trailer.
    fn write_block(&mut self, block: &[u8], compress: bool) -> Result<Handle> {
        let mut packed = match compress {
            true => self.compressor.compress(block)?,
            false => block.to_vec(),
        };
        if !compress || packed.is_empty() {
            packed.clear();
            packed.extend_from_slice(block);
            packed.push(0);
        }
        let handle = Handle {
            offset: self.offset,
            size: packed.len() as u64 - 1,
        };
        let checksum = ChecksumKind::Crc32c.compute(&packed);
        packed.extend_from_slice(&checksum.to_le_bytes());
        self.write(&packed)?;
        self.compressor.give_back(packed);
        Ok(handle)
    }
}

struct TableWriter<'a> {
    file: BlockFile<'a>,
    block: BlockBuilder,
    index: BlockBuilder,
    counts: Counts,
    last_key: Vec<u8>,
    internal_key: Vec<u8>,
    entity: Vec<u8>,
}

impl TableWriter<'_> {
    fn add(&mut self, user_key: &[u8], kind: u8, value: &[u8]) -> Result<()> {
        if self.counts.entries > 0 && user_key <= self.last_key.as_slice() {
            return Err(ErrorKind::Unsorted {
                path: OUTPUT.into(),
                offset: self.file.offset,
                previous: self.last_key.clone(),
                key: user_key.to_vec(),
            }
            .into());
        }
        let longest = user_key.len().saturating_add(value.len());
        if u32::try_from(longest).is_err() {
            return Err(Error::usage(
                format!("a row of {longest} bytes does not fit into a table: 4 GiB is the most"),
                "",
            ));
        }
        self.internal_key.clear();
        self.internal_key.extend_from_slice(user_key);
        self.internal_key
            .extend_from_slice(&u64::from(kind).to_le_bytes());
        self.block.add(&self.internal_key, value);
        self.last_key.clear();
        self.last_key.extend_from_slice(user_key);
        self.counts.entries += 1;
        self.counts.key_bytes += self.internal_key.len() as u64;
        self.counts.value_bytes += value.len() as u64;
        if self.block.len_bytes() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let handle = self.file.write_block(self.block.finish(), true)?;
        self.block.clear();
        self.counts.data_blocks += 1;
        self.counts.data_bytes += handle.size + BLOCK_TRAILER_BYTES;
        let mut value = Vec::with_capacity(20);
        push_handle(&mut value, handle);
        self.index.add_without_length(&self.last_key, &value)
    }
}

fn push_handle(out: &mut Vec<u8>, handle: Handle) {
    push_varint(out, handle.offset);
    push_varint(out, handle.size);
}

impl RowWriter for TableWriter<'_> {
    fn put(&mut self, row: Row<'_>) -> Result<()> {
        let mut entity = std::mem::take(&mut self.entity);
        entity.clear();
        let added = match entity::push_entity(row.value, &mut entity) {
            true => self.add(row.key, key::ENTITY, &entity),
            false => self.add(row.key, key::PUT, row.value),
        };
        self.entity = entity;
        added
    }

    fn delete(&mut self, user_key: &[u8]) -> Result<()> {
        self.counts.deletions += 1;
        self.add(user_key, key::DELETE, &[])
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.end_block()?;
        let TableWriter {
            mut file,
            mut index,
            counts,
            ..
        } = *self;
        tail::write(&mut file, &mut index, &counts)?;
        file.out
            .flush()
            .map_err(|e| Error::io("writing", Path::new(OUTPUT), e))
    }
}
