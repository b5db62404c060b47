//! The footer: the last bytes of a table, which say what it is and where its metaindex and index lie.
//!
//! | table | bytes | content |
//! |---|---|---|
//! | LevelDB, RocksDB format version 0 | 48 | two handles, zeros up to 40, magic |
//! | RocksDB 1 to 5 | 53 | checksum type, two handles, zeros up to 41, u32 version, magic |
//! | RocksDB 6 | 53 | checksum type, `3e 00 7a 00`, u32 footer checksum, u32 base of context checksums, u32 metaindex size, 24 zeros, u32 version, magic |
//!
//! A handle is two varints, offset and size. Integers are little-endian.

use super::checksum::ChecksumKind;
use crate::error::{Error, Result};
use crate::file::cursor::Cursor;
use crate::file::input::Input;

/// Bytes behind each block: its compression type and its checksum.
pub const BLOCK_TRAILER_BYTES: u64 = 5;
/// Newest format version that is read.
pub const FORMAT_VERSION_MAX: u32 = 6;

const MAGIC_BYTES: u64 = 8;
const LEGACY_BYTES: u64 = 48;
/// Bytes of the footer from format version 1 on.
pub const FOOTER_BYTES: u64 = 53;
/// Magic of LevelDB tables and of RocksDB's format version 0.
pub const LEGACY_MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// Magic of RocksDB's block-based tables from format version 1 on.
pub const MAGIC: u64 = 0x88e2_41b7_85f4_cff7;
const EXTENDED_MAGIC: [u8; 4] = [0x3e, 0, 0x7a, 0];

/// Magics of tables that are no block-based tables, with their names.
const FOREIGN: [(u64, &str); 4] = [
    (0x8242_2296_63bf_9564, "a RocksDB PlainTable"),
    (0x4f34_18eb_7a8f_13b8, "a RocksDB PlainTable (legacy)"),
    (0x9267_89d0_c5f1_7873, "a RocksDB CuckooTable"),
    (0xb3aa_9ff0_b3aa_9ff0, "a Pebble table"),
];

/// Where a block lies. The trailer follows the `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handle {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Bytes of the payload.
    pub size: u64,
}

impl Handle {
    /// Reads a handle.
    pub fn read(cursor: &mut Cursor) -> Option<Handle> {
        Some(Handle {
            offset: cursor.varint()?,
            size: cursor.varint()?,
        })
    }

    /// Returns the offset behind the block and its trailer, where it does not overflow.
    pub fn end(self) -> Option<u64> {
        self.offset
            .checked_add(self.size)?
            .checked_add(BLOCK_TRAILER_BYTES)
    }
}

/// What the footer says.
#[derive(Debug, Clone)]
pub struct Footer {
    /// 0 for the legacy footer, whoever wrote it.
    pub format_version: u32,
    /// What guards the blocks.
    pub checksum: ChecksumKind,
    /// What makes the place of a block enter its checksum; 0 is nothing.
    pub base_context: u32,
    /// The block that names all others.
    pub metaindex: Handle,
    /// The index; from format version 6 on the metaindex names it.
    pub index: Option<Handle>,
    /// Offset of the footer: all blocks end before it.
    pub offset: u64,
}

/// Whether the file ends in the magic of a table, of a refused kind too.
pub fn is_table(input: &Input) -> Result<bool> {
    Ok(read_magic(input)?.is_some_and(|magic| {
        magic == MAGIC
            || magic == LEGACY_MAGIC
            || FOREIGN.iter().any(|(foreign, _)| *foreign == magic)
    }))
}

fn read_magic(input: &Input) -> Result<Option<u64>> {
    let Some(offset) = input.len().checked_sub(MAGIC_BYTES) else {
        return Ok(None);
    };
    let mut scratch = Vec::new();
    let bytes = input.read(offset, MAGIC_BYTES, &mut scratch)?;
    Ok(Cursor::new(bytes).u64())
}

/// Reads the footer of `input`.
///
/// # Errors
///
/// Unsupported, by name, for other kinds of tables and newer versions; Damaged.
pub fn read(input: &Input) -> Result<Footer> {
    let len = match read_magic(input)? {
        Some(MAGIC) => FOOTER_BYTES,
        Some(LEGACY_MAGIC) => LEGACY_BYTES,
        magic => return Err(not_a_table(input, magic)),
    };
    let damaged = |what: &str| Error::damaged(input.path(), input.len().saturating_sub(len), what);
    let offset = input
        .len()
        .checked_sub(len)
        .ok_or_else(|| damaged("the file is shorter than a footer"))?;
    let mut scratch = Vec::new();
    let bytes = input.read(offset, len, &mut scratch)?;
    let footer = if len == LEGACY_BYTES {
        let (metaindex, index) = read_handles(bytes.get(..40).unwrap_or_default())
            .ok_or_else(|| damaged(BAD_HANDLES))?;
        Footer {
            format_version: 0,
            checksum: ChecksumKind::Crc32c,
            base_context: 0,
            metaindex,
            index: Some(index),
            offset,
        }
    } else {
        read_modern(input, bytes, offset)?
    };
    for handle in [Some(footer.metaindex), footer.index].into_iter().flatten() {
        if handle.end().is_none_or(|end| end > offset) {
            return Err(damaged("the footer points at a block that reaches into it"));
        }
    }
    Ok(footer)
}

const BAD_HANDLES: &str = "the footer holds no two block handles";

/// Reads the two handles and the zeros behind them.
fn read_handles(bytes: &[u8]) -> Option<(Handle, Handle)> {
    let mut cursor = Cursor::new(bytes);
    let handles = (Handle::read(&mut cursor)?, Handle::read(&mut cursor)?);
    cursor.rest().iter().all(|&b| b == 0).then_some(handles)
}

fn read_modern(input: &Input, bytes: &[u8], offset: u64) -> Result<Footer> {
    let damaged = |what: &str| Error::damaged(input.path(), offset, what);
    let short = || damaged("the footer is too short");
    let format_version = Cursor::new(bytes.get(41..).unwrap_or_default())
        .u32()
        .ok_or_else(short)?;
    if format_version > FORMAT_VERSION_MAX {
        return Err(Error::unsupported(
            input.path(),
            format!(
                "a block-based table of format version {format_version}; versions up to {FORMAT_VERSION_MAX} are read"
            ),
            "write it with format_version=6 or lower, or use a newer mdiff",
        ));
    }
    if format_version == 0 {
        return Err(damaged("format version 0 with the magic of later versions"));
    }
    let mut cursor = Cursor::new(bytes);
    let checksum_byte = cursor.u8().ok_or_else(short)?;
    let checksum = ChecksumKind::from_byte(checksum_byte).ok_or_else(|| {
        Error::unsupported(
            input.path(),
            format!("blocks with the unknown checksum type {checksum_byte}"),
            "use a newer mdiff, if the file is sound",
        )
    })?;
    if format_version < 6 {
        let (metaindex, index) = read_handles(bytes.get(1..41).unwrap_or_default())
            .ok_or_else(|| damaged(BAD_HANDLES))?;
        return Ok(Footer {
            format_version,
            checksum,
            base_context: 0,
            metaindex,
            index: Some(index),
            offset,
        });
    }
    if cursor.array() != Some(EXTENDED_MAGIC) {
        return Err(damaged("the second magic of the footer is missing"));
    }
    let stored = cursor.u32().ok_or_else(short)?;
    let base_context = cursor.u32().ok_or_else(short)?;
    let metaindex_size = cursor.u32().ok_or_else(short)?;
    if cursor.array() != Some([0u8; 24]) {
        return Err(damaged("bytes of the footer that must be zero are not"));
    }
    let mut unsealed = bytes.to_vec();
    if let Some(field) = unsealed.get_mut(5..9) {
        field.fill(0);
    }
    let computed = checksum.stored(&unsealed, base_context, offset);
    if stored != computed {
        return Err(damaged(&format!(
            "footer checksum mismatch (stored {stored:08x}, computed {computed:08x})"
        )));
    }
    let metaindex_offset = offset
        .checked_sub(u64::from(metaindex_size) + BLOCK_TRAILER_BYTES)
        .ok_or_else(|| damaged("the metaindex is longer than the file"))?;
    Ok(Footer {
        format_version,
        checksum,
        base_context,
        metaindex: Handle {
            offset: metaindex_offset,
            size: u64::from(metaindex_size),
        },
        index: None,
        offset,
    })
}

fn not_a_table(input: &Input, magic: Option<u64>) -> Error {
    match FOREIGN.iter().find(|(foreign, _)| Some(*foreign) == magic) {
        Some((_, name)) => Error::unsupported(
            input.path(),
            format!("{name}, not a block-based table"),
            "convert the database to block-based tables with its own software, or export it",
        ),
        None => Error::damaged(
            input.path(),
            input.len().saturating_sub(MAGIC_BYTES),
            "no table ends here: the magic number is missing, the file is cut short or of another kind",
        ),
    }
}
