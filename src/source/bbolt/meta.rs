//! The two meta pages: which state of the file counts.
//!
//! ```text
//! page header: id u64, flags u16 = 4, count u16, overflow u32
//! meta:        magic u32 = 0xED0CDAED, version u32 = 2, page size u32, flags u32,
//!              root bucket (root page u64, sequence u64), freelist page u64, high water u64, transaction u64, checksum u64
//! ```
//!
//! The checksum is FNV-1a of the 56 bytes of meta before it. A commit writes the meta page of its number's parity last, so the
//! valid one of the greater transaction counts, and the other is the state before it.

use crate::error::{Error, Result};
use crate::file::cursor::Cursor;
use crate::file::input::Input;

use super::page::{HEADER_BYTES, META};

const MAGIC: u32 = 0xED0C_DAED;
const MAGIC_BYTES: u64 = 4;
const VERSION: u32 = 2;
const META_BYTES: u64 = 64;
/// Bytes of meta that its checksum covers.
const CHECKED_BYTES: usize = 56;
/// Page sizes in use: powers of two, as the software itself tries them.
const PAGE_BYTES_MIN: u64 = 1 << 10;
const PAGE_BYTES_MAX: u64 = 1 << 25;

/// What a meta page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Bytes of a page.
    pub page_bytes: u64,
    /// Root page of the bucket of all buckets.
    pub root: u64,
    /// The first page that is not in use.
    pub high_water: u64,
    /// The transaction that wrote it.
    pub transaction: u64,
}

/// The meta that counts, and why the other one does not.
pub struct Chosen {
    /// What counts.
    pub meta: Meta,
    /// What is wrong with the other page.
    pub other: Option<String>,
}

/// Whether the file starts as a bbolt file does, on a machine of either byte order: at one of its meta pages.
///
/// # Errors
///
/// I/O errors.
pub fn is_bbolt(input: &Input) -> Result<bool> {
    for offset in std::iter::once(0).chain(page_sizes()) {
        let mut scratch = Vec::new();
        let end = offset + HEADER_BYTES + MAGIC_BYTES;
        if end > input.len() {
            break;
        }
        let mut cursor =
            Cursor::new(input.read(offset + HEADER_BYTES, MAGIC_BYTES, &mut scratch)?);
        let magic = cursor.u32();
        if magic == Some(MAGIC) || magic == Some(MAGIC.swap_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads both meta pages and chooses.
///
/// # Errors
///
/// Damaged where neither is valid; Unsupported for another version or byte order; I/O errors.
pub fn choose(input: &Input) -> Result<Chosen> {
    let first = read_at(input, 0)?;
    let second = match &first {
        Ok(meta) => read_at(input, meta.page_bytes)?,
        // Where the first page can't be read, the page size is unknown.
        Err(_) => {
            let mut found = Err("no meta page at any page size".to_owned());
            for page_bytes in page_sizes() {
                let read = read_at(input, page_bytes)?;
                if read
                    .as_ref()
                    .is_ok_and(|meta| meta.page_bytes == page_bytes)
                {
                    found = read;
                    break;
                }
            }
            found
        }
    };
    match (first, second) {
        (Ok(first), Ok(second)) if first.page_bytes != second.page_bytes => Err(Error::damaged(
            input.path(),
            0,
            format!(
                "the meta pages tell of pages of {} and of {} bytes",
                first.page_bytes, second.page_bytes
            ),
        )),
        (Ok(first), Ok(second)) => Ok(Chosen {
            meta: match first.transaction > second.transaction {
                true => first,
                false => second,
            },
            other: None,
        }),
        (Ok(meta), Err(why)) => Ok(Chosen {
            meta,
            other: Some(format!("meta page 1: {why}")),
        }),
        (Err(why), Ok(meta)) => Ok(Chosen {
            meta,
            other: Some(format!("meta page 0: {why}")),
        }),
        (Err(first), Err(second)) => Err(Error::damaged(
            input.path(),
            0,
            format!("neither meta page is valid (page 0: {first}; page 1: {second})"),
        )),
    }
}

fn page_sizes() -> impl Iterator<Item = u64> {
    (PAGE_BYTES_MIN.trailing_zeros()..=PAGE_BYTES_MAX.trailing_zeros()).map(|bits| 1 << bits)
}

/// Reads the meta page at an offset, or says what is wrong with it.
fn read_at(input: &Input, offset: u64) -> Result<Result<Meta, String>> {
    let len = HEADER_BYTES + META_BYTES;
    if offset + len > input.len() {
        return Ok(Err("the file ends before it".into()));
    }
    let mut scratch = Vec::new();
    let bytes = input.read(offset, len, &mut scratch)?;
    let Some((header, meta)) = bytes.split_at_checked(HEADER_BYTES as usize) else {
        return Ok(Err("the file ends before it".into()));
    };
    Ok(match parse(header, meta) {
        Parsed::Meta(meta) => Ok(meta),
        Parsed::Bad(what) => Err(what.to_owned()),
        Parsed::Version(version) => {
            return Err(Error::unsupported(
                input.path(),
                format!("a bbolt file of version {version}, where 2 is known"),
                "export its rows with the software that wrote it",
            ));
        }
        Parsed::OtherOrder => {
            return Err(Error::unsupported(
                input.path(),
                "a bbolt file of a machine with the other byte order (big-endian)",
                "export its rows with the software that wrote it",
            ));
        }
    })
}

enum Parsed {
    Meta(Meta),
    Bad(&'static str),
    Version(u32),
    OtherOrder,
}

fn parse(header: &[u8], bytes: &[u8]) -> Parsed {
    let mut head = Cursor::new(header);
    let flags = (head.u64(), head.u16()).1;
    let mut cursor = Cursor::new(bytes);
    let mut word = || cursor.u32().unwrap_or_default();
    let (magic, version, page_bytes, _flags) = (word(), word(), word(), word());
    let mut long = || cursor.u64().unwrap_or_default();
    let (root, _sequence, _freelist, high_water) = (long(), long(), long(), long());
    let (transaction, checksum) = (long(), long());
    if magic == MAGIC.swap_bytes() && version == VERSION.swap_bytes() {
        return Parsed::OtherOrder;
    }
    if magic != MAGIC {
        return Parsed::Bad("not a meta page (no magic number)");
    }
    if fnv1a(bytes.get(..CHECKED_BYTES).unwrap_or_default()) != checksum {
        return Parsed::Bad("its checksum does not match");
    }
    if version != VERSION {
        return Parsed::Version(version);
    }
    let page_bytes = u64::from(page_bytes);
    if flags != Some(META) {
        return Parsed::Bad("its page header is not that of a meta page");
    }
    if !page_bytes.is_power_of_two() || !(PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes) {
        return Parsed::Bad("its page size is no power of two from 1 KiB to 32 MiB");
    }
    Parsed::Meta(Meta {
        page_bytes,
        root,
        high_water,
        transaction,
    })
}

/// The hash of a meta page.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
