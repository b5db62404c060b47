//! What lies around the data of a table: metaindex, properties, compression dictionary, range deletions, top index.

use super::block::{Bad, Entries};
use super::blocks::{BlockBuffer, Blocks};
use super::footer::{BLOCK_TRAILER_BYTES, Handle};
use super::index::Shape;
use super::properties::{self, Properties};
use super::range_del::{self, Fragment};
use super::walk::Index;
use crate::error::{Error, Result};
use crate::file::cursor::Cursor;
use crate::file::inflate::Inflater;

/// Name of the order by the bytes of the keys.
pub const BYTEWISE: &str = "leveldb.BytewiseComparator";
/// Name of its reverse.
pub const REVERSE_BYTEWISE: &str = "rocksdb.ReverseBytewiseComparator";

/// The order that a table's keys are expected in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrder {
    /// By their bytes, and the table says so.
    Bytewise,
    /// By their bytes backwards, and the table says so.
    ReverseBytewise,
    /// By their bytes, whatever the table says.
    AssumeBytewise,
}

/// The parts of a table other than its data.
pub struct Meta {
    /// The top index block.
    pub index: Index,
    /// RocksDB's properties; LevelDB writes none.
    pub properties: Option<Properties>,
    /// Deleted ranges.
    pub range_deletions: Vec<Fragment>,
}

impl Meta {
    /// Reads and checks all of them; completes `blocks` by what data blocks need.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported, where the table has what can't be honoured; Limit; I/O errors.
    pub fn read(blocks: &mut Blocks, order: KeyOrder) -> Result<Meta> {
        let named = NamedBlocks::read(blocks)?;
        let properties = match named.properties {
            Some(handle) => Some(read_properties(blocks, handle)?),
            None => None,
        };
        blocks.by_rocksdb = properties.is_some();
        if let Some(properties) = &properties {
            check_comparator(blocks, properties, order)?;
        }
        let shape = Shape {
            descending: order == KeyOrder::ReverseBytewise,
            ..shape(blocks, properties.as_ref())?
        };
        if let Some(handle) = named.dictionary {
            let raw = read_dictionary(blocks, handle)?;
            blocks.dictionary = Some(raw);
        }
        let range_deletions = match named.range_deletions {
            Some(handle) => {
                let limit = blocks.input.limits().key_bytes_max;
                with_block(blocks, handle, |block| {
                    range_del::read(block, limit, shape.descending)
                })?
            }
            None => Vec::new(),
        };
        let index = named.index.or(blocks.footer.index).ok_or_else(|| {
            blocks.damaged(blocks.footer.metaindex, "the metaindex names no index")
        })?;
        Ok(Meta {
            index: Index::open(blocks, index, shape)?,
            properties,
            range_deletions,
        })
    }
}

/// Handles by the names of the metaindex.
#[derive(Default)]
struct NamedBlocks {
    index: Option<Handle>,
    properties: Option<Handle>,
    dictionary: Option<Handle>,
    range_deletions: Option<Handle>,
}

impl NamedBlocks {
    fn read(blocks: &Blocks) -> Result<NamedBlocks> {
        let limit = blocks.input.limits().key_bytes_max;
        with_block(blocks, blocks.footer.metaindex, |block| {
            let mut named = NamedBlocks::default();
            let mut entries = Entries::new(block, limit)?;
            while let Some(value) = entries.next()? {
                let slot = match entries.key() {
                    b"rocksdb.index" => &mut named.index,
                    b"rocksdb.properties" | b"rocksdb.stats" => &mut named.properties,
                    b"rocksdb.compression_dict" => &mut named.dictionary,
                    b"rocksdb.range_del" => &mut named.range_deletions,
                    _ => continue,
                };
                let handle = Handle::read(&mut Cursor::new(value));
                *slot = Some(handle.ok_or("the metaindex holds a malformed handle")?);
            }
            Ok(named)
        })
    }
}

/// Loads a block and reads something from it.
fn with_block<T>(
    blocks: &Blocks,
    handle: Handle,
    read: impl FnOnce(&[u8]) -> Result<T, Bad>,
) -> Result<T> {
    let mut buffer = BlockBuffer::default();
    blocks.load(handle, &mut Inflater::new(None), &mut buffer)?;
    read(buffer.bytes(&blocks.input)).map_err(|what| blocks.damaged(handle, what))
}

fn read_properties(blocks: &Blocks, handle: Handle) -> Result<Properties> {
    let limit = blocks.input.limits().key_bytes_max;
    let read = |block: &[u8]| Properties::read(block, limit);
    match with_block(blocks, handle, read) {
        Ok(properties) => Ok(properties),
        Err(error) => match patched_properties(blocks, handle)? {
            Some(block) => read(&block).map_err(|what| blocks.damaged(handle, what)),
            None => Err(error),
        },
    }
}

/// Returns the properties block if its checksum holds with the global sequence number set back to zero: RocksDB before 8.0
/// writes that number into the file when it ingests it, and leaves the checksum as it was.
fn patched_properties(blocks: &Blocks, handle: Handle) -> Result<Option<Vec<u8>>> {
    let mut scratch = Vec::new();
    let raw = blocks.read_raw(handle, &mut scratch)?;
    let Some((payload, &[compression, ..])) =
        raw.split_last_chunk::<{ BLOCK_TRAILER_BYTES as usize }>()
    else {
        return Ok(None);
    };
    let Some(place) = properties::global_seqno_place(payload).filter(|_| compression == 0) else {
        return Ok(None);
    };
    let mut original = raw.to_vec();
    if let Some(number) = original.get_mut(place) {
        number.fill(0);
    }
    Ok(blocks
        .verify(handle, &original)
        .is_ok()
        .then(|| payload.to_vec()))
}

fn read_dictionary(blocks: &Blocks, handle: Handle) -> Result<Vec<u8>> {
    let mut buffer = BlockBuffer::default();
    blocks.load_bytes(handle, &mut Inflater::new(None), &mut buffer)?;
    Ok(buffer.bytes(&blocks.input).to_vec())
}

fn check_comparator(blocks: &Blocks, properties: &Properties, order: KeyOrder) -> Result<()> {
    let refuse =
        |what: String, hint: &str| Err(Error::unsupported(blocks.input.path(), what, hint));
    match properties.text("rocksdb.comparator") {
        None => Ok(()),
        Some(_) if order == KeyOrder::AssumeBytewise => Ok(()),
        Some(name) if name == BYTEWISE && order == KeyOrder::Bytewise => Ok(()),
        Some(name) if name == REVERSE_BYTEWISE && order == KeyOrder::ReverseBytewise => Ok(()),
        Some(name) if name.ends_with(".u64ts") => refuse(
            format!("its keys carry user-defined timestamps (comparator {name})"),
            "export the rows of one moment with the database's own software",
        ),
        Some(name) => refuse(
            format!("its keys are ordered by the comparator {name}, not by their bytes"),
            "export the rows with the database's own software, and compare them as CSV",
        ),
    }
}

fn shape(blocks: &Blocks, properties: Option<&Properties>) -> Result<Shape> {
    let plain = Shape {
        key_bytes_max: blocks
            .input
            .limits()
            .key_bytes_max
            .saturating_add(super::key::TRAILER_BYTES as u64),
        blocks_end: blocks.footer.offset,
        ..Shape::default()
    };
    let Some(properties) = properties else {
        if blocks.footer.format_version > 0 {
            return Err(Error::unsupported(
                blocks.input.path(),
                "the table has no properties: they name its comparator and how its index is written",
                "rewrite the table with RocksDB",
            ));
        }
        return Ok(plain);
    };
    let kind = properties
        .fixed_u32("rocksdb.block.based.table.index.type")
        .unwrap_or(0);
    if kind > 3 {
        return Err(Error::unsupported(
            blocks.input.path(),
            format!("an index of the unknown kind {kind}"),
            "use a newer mdiff, or rewrite the table with index_type=kBinarySearch",
        ));
    }
    let flag = |name: &str| properties.number(name).unwrap_or(0) != 0;
    Ok(Shape {
        two_level: kind == 2,
        first_key: kind == 3,
        user_keys: flag("rocksdb.index.key.is.user.key"),
        delta: flag("rocksdb.index.value.is.delta.encoded"),
        ..plain
    })
}
