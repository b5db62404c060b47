//! What follows the data blocks: index, properties, metaindex, footer.

use super::block::BlockBuilder;
use super::{BlockFile, Counts, push_handle};
use crate::error::Result;
use crate::file::cursor::push_varint;
use crate::source::block_table::footer::{BLOCK_TRAILER_BYTES, FOOTER_BYTES, Handle, MAGIC};
use crate::source::block_table::properties::GLOBAL_SEQNO;

const FORMAT_VERSION: u32 = 5;
const CRC32C: u8 = 1;
/// The column family of a file that belongs to none yet.
const COLUMN_FAMILY_UNKNOWN: u64 = 0x7fff_ffff;

/// Writes everything behind the data blocks.
pub fn write(file: &mut BlockFile, index: &mut BlockBuilder, counts: &Counts) -> Result<()> {
    let index = file.write_block(index.finish(), false)?;
    let mut properties = properties(file, counts, index.size + BLOCK_TRAILER_BYTES);
    let properties = file.write_block(properties.finish(), false)?;
    let mut metaindex = BlockBuilder::new(1);
    let mut value = Vec::new();
    push_handle(&mut value, properties);
    metaindex.add(b"rocksdb.properties", &value);
    let metaindex = file.write_block(metaindex.finish(), false)?;
    file.write(&footer(metaindex, index))
}

fn footer(metaindex: Handle, index: Handle) -> Vec<u8> {
    let mut footer = vec![CRC32C];
    push_handle(&mut footer, metaindex);
    push_handle(&mut footer, index);
    footer.resize(FOOTER_BYTES as usize - 12, 0);
    footer.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    footer.extend_from_slice(&MAGIC.to_le_bytes());
    footer
}

/// The properties block; one run without restart points, as RocksDB writes it.
fn properties(file: &BlockFile, counts: &Counts, index_bytes: u64) -> BlockBuilder {
    let text = |text: &str| text.as_bytes().to_vec();
    let number = |number: u64| {
        let mut value = Vec::new();
        push_varint(&mut value, number);
        value
    };
    let mut named = [
        (
            "rocksdb.block.based.table.index.type",
            0u32.to_le_bytes().to_vec(),
        ),
        ("rocksdb.block.based.table.prefix.filtering", text("0")),
        ("rocksdb.block.based.table.whole.key.filtering", text("1")),
        ("rocksdb.column.family.id", number(COLUMN_FAMILY_UNKNOWN)),
        ("rocksdb.comparator", text("leveldb.BytewiseComparator")),
        ("rocksdb.compression", text(file.compressor.property())),
        ("rocksdb.creation.time", number(0)),
        ("rocksdb.data.size", number(counts.data_bytes)),
        ("rocksdb.deleted.keys", number(counts.deletions)),
        (GLOBAL_SEQNO, 0u64.to_le_bytes().to_vec()),
        (
            "rocksdb.external_sst_file.version",
            2u32.to_le_bytes().to_vec(),
        ),
        ("rocksdb.filter.size", number(0)),
        ("rocksdb.fixed.key.length", number(0)),
        ("rocksdb.format.version", number(0)),
        ("rocksdb.index.key.is.user.key", number(1)),
        ("rocksdb.index.size", number(index_bytes)),
        ("rocksdb.index.value.is.delta.encoded", number(1)),
        ("rocksdb.merge.operands", number(0)),
        ("rocksdb.merge.operator", text("nullptr")),
        ("rocksdb.num.data.blocks", number(counts.data_blocks)),
        ("rocksdb.num.entries", number(counts.entries)),
        ("rocksdb.num.range-deletions", number(0)),
        ("rocksdb.oldest.key.time", number(0)),
        ("rocksdb.prefix.extractor.name", text("nullptr")),
        ("rocksdb.property.collectors", text("[]")),
        ("rocksdb.raw.key.size", number(counts.key_bytes)),
        ("rocksdb.raw.value.size", number(counts.value_bytes)),
    ];
    named.sort_unstable();
    let mut block = BlockBuilder::new(usize::MAX);
    for (name, value) in &named {
        block.add(name.as_bytes(), value);
    }
    block
}
