//! Writes SSTables as Cassandra 4 does (version nb), for tests and benchmarks: one table with one clustering column.
//!
//! ```text
//! CREATE TABLE made.rows (pk text, ck bigint, a text, b int, c bigint, d blob, PRIMARY KEY (pk, ck))
//! ```
//!
//! Of Statistics.db there is what readers of rows need: the partitioner's name and the header. There is no filter and no
//! summary.
#![allow(dead_code)] // each user uses a part of it

mod chunks;
mod wire;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use chunks::Compression;
use chunks::DataFile;
use crc_fast::{CrcAlgorithm, checksum};
use mdiff::source::cassandra::partitioner::{Partitioner, Token};
use wire::{push_bytes16, push_svint, push_text, push_uvint};

/// The table's schema.
pub const SCHEMA: &str = "CREATE TABLE made.rows (pk text, ck bigint, a text, b int, c bigint, d blob, PRIMARY KEY (pk, ck));\n";

/// Timestamps of rows count from here, in microseconds.
pub const TIMESTAMP: i64 = 1_700_000_000_000_000;
/// Times of deletions count from here, in seconds.
const LOCAL_TIME: i64 = 1_700_000_000;

const TYPES: &str = "org.apache.cassandra.db.marshal.";

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its clustering column.
    pub ck: i64,
    /// Microseconds behind [`TIMESTAMP`].
    pub written: u64,
    /// The column a.
    pub a: String,
    /// The column b.
    pub b: i32,
    /// The column c.
    pub c: i64,
    /// The column d.
    pub d: Vec<u8>,
}

/// A deletion, by how much later than [`TIMESTAMP`] (microseconds) and its second it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Microseconds.
    pub written: u64,
    /// Seconds.
    pub made: u64,
}

/// Orders partition keys as SSTables have them.
pub fn in_token_order(keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut keys: Vec<(Token, String)> = keys
        .map(|key| (Partitioner::Murmur3.token(key.as_bytes()), key))
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, key)| key).collect()
}

/// A partition that is being written.
struct Partition {
    key: Vec<u8>,
    start: u64,
    head_len: u64,
    deletion: Option<Deletion>,
    /// Length of the unfiltered before.
    previous_len: u64,
    open: Option<Deletion>,
    blocks: Vec<u8>,
    block_ends: Vec<u32>,
    block: Option<Block>,
}

/// A block of rows that is being written: its first and last prefix, and its offset in the partition.
struct Block {
    first: Vec<u8>,
    last: Vec<u8>,
    offset: u64,
}

/// Writes one SSTable, from the front.
pub struct Writer {
    folder: PathBuf,
    name: String,
    data: DataFile,
    index: Vec<u8>,
    block_len: u64,
    partition: Option<Partition>,
    unfiltered: Vec<u8>,
    body: Vec<u8>,
}

impl Writer {
    /// Makes the SSTable of this number, and the folder and its schema where they are not there. Its wide partitions have blocks
    /// of about `block_len` bytes; Cassandra's default is 64 KiB.
    pub fn create(
        folder: &Path,
        number: u32,
        compression: Compression,
        block_len: u64,
    ) -> io::Result<Writer> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("schema.cql"), SCHEMA)?;
        let name = format!("nb-{number}-big");
        let data = DataFile::create(&folder.join(format!("{name}-Data.db")), compression)?;
        let writer = Writer {
            folder: folder.to_owned(),
            name,
            data,
            index: Vec::new(),
            block_len,
            partition: None,
            unfiltered: Vec::new(),
            body: Vec::new(),
        };
        fs::write(writer.component("Statistics.db"), statistics())?;
        Ok(writer)
    }

    fn component(&self, component: &str) -> PathBuf {
        self.folder.join(format!("{}-{component}", self.name))
    }

    /// Begins a partition; keys must come in the order of [`in_token_order`].
    pub fn partition(&mut self, key: &str, deletion: Option<Deletion>) -> io::Result<()> {
        self.end_partition()?;
        let start = self.data.position();
        let mut head = Vec::new();
        push_bytes16(&mut head, key.as_bytes());
        push_deletion(&mut head, deletion);
        self.data.write(&head)?;
        self.partition = Some(Partition {
            key: key.as_bytes().to_vec(),
            start,
            head_len: head.len() as u64,
            deletion,
            previous_len: 0,
            open: None,
            blocks: Vec::new(),
            block_ends: Vec::new(),
            block: None,
        });
        Ok(())
    }

    /// Writes a row; rows must ascend.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        let (mut front, mut body) = self.buffers();
        // With a timestamp, all columns.
        front.extend_from_slice(&[0x24, 0]);
        front.extend_from_slice(&row.ck.to_be_bytes());
        push_uvint(&mut body, row.written);
        // Each cell has the row's timestamp.
        body.push(0x08);
        push_text(&mut body, row.a.as_bytes());
        body.push(0x08);
        body.extend_from_slice(&row.b.to_be_bytes());
        body.push(0x08);
        body.extend_from_slice(&row.c.to_be_bytes());
        body.push(0x08);
        push_text(&mut body, &row.d);
        let mut prefix = [4u8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        prefix[2..].copy_from_slice(&row.ck.to_be_bytes());
        self.unfiltered(front, body, &prefix)
    }

    /// Writes a bound before or behind `ck` where what covers rows becomes `opens`.
    pub fn bound(&mut self, ck: i64, is_behind: bool, opens: Option<Deletion>) -> io::Result<()> {
        let partition = self.partition.as_mut().expect("a partition has begun");
        let closes = std::mem::replace(&mut partition.open, opens);
        let kind = match (closes, opens, is_behind) {
            (Some(_), None, false) => 0,
            (None, Some(_), false) => 1,
            (Some(_), Some(_), false) => 2,
            (Some(_), Some(_), true) => 5,
            (Some(_), None, true) => 6,
            (None, Some(_), true) => 7,
            (None, None, _) => panic!("a bound opens or closes"),
        };
        let (mut front, mut body) = self.buffers();
        let mut prefix = vec![kind, 0, 1, 0];
        prefix.extend_from_slice(&ck.to_be_bytes());
        front.push(0x02);
        front.extend_from_slice(&prefix);
        for deletion in [closes, opens].into_iter().flatten() {
            push_uvint(&mut body, deletion.written);
            push_uvint(&mut body, deletion.made);
        }
        self.unfiltered(front, body, &prefix)
    }

    fn buffers(&mut self) -> (Vec<u8>, Vec<u8>) {
        let mut buffers = (
            std::mem::take(&mut self.unfiltered),
            std::mem::take(&mut self.body),
        );
        buffers.0.clear();
        buffers.1.clear();
        buffers
    }

    /// Writes what `front` and `body` are, with the sizes between them.
    fn unfiltered(&mut self, mut front: Vec<u8>, body: Vec<u8>, prefix: &[u8]) -> io::Result<()> {
        let partition = self.partition.as_mut().expect("a partition has begun");
        let offset = self.data.position() - partition.start;
        let mut previous = Vec::new();
        push_uvint(&mut previous, partition.previous_len);
        push_uvint(&mut front, (previous.len() + body.len()) as u64);
        front.extend_from_slice(&previous);
        front.extend_from_slice(&body);
        partition.previous_len = front.len() as u64;
        self.data.write(&front)?;
        self.unfiltered = front;
        self.body = body;
        let block = partition.block.get_or_insert_with(|| Block {
            first: prefix.to_vec(),
            last: Vec::new(),
            offset,
        });
        block.last.clear();
        block.last.extend_from_slice(prefix);
        let end = self.data.position() - partition.start;
        if end - block.offset >= self.block_len {
            partition.end_block(end);
        }
        Ok(())
    }

    fn end_partition(&mut self) -> io::Result<()> {
        let Some(mut partition) = self.partition.take() else {
            return Ok(());
        };
        assert!(partition.open.is_none(), "every deletion of a range ends");
        partition.end_block(self.data.position() - partition.start);
        self.data.write(&[0x01])?;
        push_bytes16(&mut self.index, &partition.key);
        push_uvint(&mut self.index, partition.start);
        let mut promoted = Vec::new();
        if partition.block_ends.len() > 1 {
            push_uvint(&mut promoted, partition.head_len);
            push_deletion(&mut promoted, partition.deletion);
            push_uvint(&mut promoted, partition.block_ends.len() as u64);
            promoted.extend_from_slice(&partition.blocks);
            let starts = [0].iter().chain(&partition.block_ends);
            for start in starts.take(partition.block_ends.len()) {
                promoted.extend_from_slice(&start.to_be_bytes());
            }
        }
        push_uvint(&mut self.index, promoted.len() as u64);
        self.index.extend_from_slice(&promoted);
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.end_partition()?;
        let prefix = self.folder.join(format!("{}-", self.name));
        fs::write(self.component("Index.db"), &self.index)?;
        self.data.finish(&prefix)
    }
}

impl Partition {
    fn end_block(&mut self, end: u64) {
        let Some(block) = self.block.take() else {
            return;
        };
        let out = &mut self.blocks;
        out.extend_from_slice(&block.first);
        out.extend_from_slice(&block.last);
        push_uvint(out, block.offset);
        push_svint(out, (end - block.offset) as i64 - 65_536);
        match self.open {
            None => out.push(0),
            Some(_) => {
                out.push(1);
                push_deletion(out, self.open);
            }
        }
        self.block_ends.push(out.len() as u32);
    }
}

/// A deletion of a partition, as Data.db and Index.db have it.
fn push_deletion(out: &mut Vec<u8>, deletion: Option<Deletion>) {
    let (made, written) = match deletion {
        None => (i32::MAX, i64::MIN),
        Some(deletion) => (
            (LOCAL_TIME as u64 + deletion.made) as i32,
            TIMESTAMP + deletion.written as i64,
        ),
    };
    out.extend_from_slice(&made.to_be_bytes());
    out.extend_from_slice(&written.to_be_bytes());
}

/// Statistics.db with two components.
fn statistics() -> Vec<u8> {
    let mut validation = Vec::new();
    push_bytes16(
        &mut validation,
        b"org.apache.cassandra.dht.Murmur3Partitioner",
    );
    validation.extend_from_slice(&0.01f64.to_be_bytes());
    let mut header = Vec::new();
    push_uvint(&mut header, (TIMESTAMP - 1_442_880_000_000_000) as u64);
    push_uvint(&mut header, (LOCAL_TIME - 1_442_880_000) as u64);
    push_uvint(&mut header, 0);
    let class = |name: &str| format!("{TYPES}{name}").into_bytes();
    push_text(&mut header, &class("UTF8Type"));
    push_uvint(&mut header, 1);
    push_text(&mut header, &class("LongType"));
    push_uvint(&mut header, 0);
    let columns = [
        ("a", "UTF8Type"),
        ("b", "Int32Type"),
        ("c", "LongType"),
        ("d", "BytesType"),
    ];
    push_uvint(&mut header, columns.len() as u64);
    for (name, name_of_type) in columns {
        push_text(&mut header, name.as_bytes());
        push_text(&mut header, &class(name_of_type));
    }
    let components = [(0u32, validation), (3, header)];
    let mut table = (components.len() as u32).to_be_bytes().to_vec();
    let count_sum = crc32(&table);
    let mut offset = 4 + 4 + 8 * components.len() + 4;
    let mut pairs = Vec::new();
    for (kind, bytes) in &components {
        pairs.extend_from_slice(&kind.to_be_bytes());
        pairs.extend_from_slice(&(offset as u32).to_be_bytes());
        offset += bytes.len() + 4;
    }
    let sum = crc32(&[table.as_slice(), &pairs].concat());
    table.extend_from_slice(&count_sum.to_be_bytes());
    table.extend_from_slice(&pairs);
    table.extend_from_slice(&sum.to_be_bytes());
    for (_, bytes) in &components {
        table.extend_from_slice(bytes);
        table.extend_from_slice(&crc32(bytes).to_be_bytes());
    }
    table
}

fn crc32(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}
