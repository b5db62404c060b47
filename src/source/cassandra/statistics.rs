//! Statistics.db: a table of components, of which a reader of rows needs two, the partitioner's name and the header.
//!
//! ```text
//! i32 count | crc32 of it | count x (i32 type, i32 offset from the start of the file) | crc32 of count and pairs
//! components, each followed by the crc32 of its bytes
//! ```
//!
//! The checksums are there since version na. The pairs need not be in the order of the offsets (ScyllaDB's are not).
//! Types: 0 validation, 1 compaction, 2 stats, 3 header.
//!
//! Facts: read from files of Cassandra 3.0 to 5.0 and ScyllaDB, all of whose checksums were verified.

use std::path::Path;

use super::checksum::crc32;
use super::descriptor::{Descriptor, Version};
use super::header::Header;
use super::wire;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::input::{FileOptions, Input};

const VALIDATION: u32 = 0;
const HEADER: u32 = 3;

/// Reads the header of an SSTable, and the name of its partitioner.
///
/// # Errors
///
/// I/O errors; Unsupported where there is no Statistics.db; Damaged, Limit.
pub fn read(descriptor: &Descriptor, options: &FileOptions) -> Result<Header> {
    let path = descriptor.component("Statistics.db");
    if !path.exists() {
        return Err(Error::unsupported(
            descriptor.component("Data.db"),
            "its Statistics.db, which tells the types of its columns, is not beside it",
            "copy all files of an SSTable",
        ));
    }
    let input = Input::open_plain(&path, options)?;
    let max = options.limits.block_bytes_max;
    if input.len() > max {
        return Err(ErrorKind::Limit {
            path,
            offset: 0,
            what: "block bytes",
            value: input.len(),
            max,
        }
        .into());
    }
    let mut scratch = Vec::new();
    let header = input
        .read(0, input.len(), &mut scratch)
        .and_then(|bytes| parse(&path, bytes, descriptor.version));
    let header = header.map_err(|e| input.explain(e))?;
    input.check_unchanged()?;
    Ok(header)
}

fn parse(path: &Path, bytes: &[u8], version: Version) -> Result<Header> {
    let components = components(path, bytes, version)?;
    let find = |wanted, name| {
        let found = components.iter().find(|c| c.0 == wanted);
        found.ok_or_else(|| Error::damaged(path, 0, format!("there is no {name} component")))
    };
    let &(_, offset, validation) = find(VALIDATION, "validation")?;
    let partitioner = wire::u16_prefixed(&mut Cursor::new(validation))
        .and_then(|name| std::str::from_utf8(name).ok())
        .ok_or_else(|| Error::damaged(path, offset, "no name of a partitioner"))?;
    let &(_, offset, header) = find(HEADER, "header")?;
    let mut cursor = Cursor::new(header);
    Header::parse(&mut cursor, version, partitioner.to_owned()).ok_or_else(|| {
        let at = offset.saturating_add(cursor.position() as u64);
        Error::damaged(path, at, "the serialization header ends too early")
    })
}

/// Type, offset and bytes of each component.
fn components<'a>(
    path: &Path,
    bytes: &'a [u8],
    version: Version,
) -> Result<Vec<(u32, u64, &'a [u8])>> {
    let short = || Error::damaged(path, 0, "the table of components ends too early");
    let mut cursor = Cursor::new(bytes);
    let count = wire::u32(&mut cursor).ok_or_else(short)?;
    if version.is_of_4() {
        check(path, bytes, 0, 4, wire::u32(&mut cursor))?;
    }
    let pairs_at = cursor.position();
    let pairs_len = u64::from(count).checked_mul(8).ok_or_else(short)?;
    let pairs = cursor.take(pairs_len).ok_or_else(short)?;
    if version.is_of_4() {
        let mut covered = count.to_be_bytes().to_vec();
        covered.extend_from_slice(pairs);
        if wire::u32(&mut cursor) != Some(crc32(&covered)) {
            let what = "the checksum of the table of components does not match";
            return Err(Error::damaged(path, pairs_at as u64, what));
        }
    }
    let first = cursor.position();
    let mut starts = Vec::new();
    let mut cursor = Cursor::new(pairs);
    while let (Some(kind), Some(offset)) = (wire::u32(&mut cursor), wire::u32(&mut cursor)) {
        let offset = offset as usize;
        if offset < first || offset > bytes.len() {
            let what = format!("component {kind} is said to begin outside of the file");
            return Err(Error::damaged(path, pairs_at as u64, what));
        }
        starts.push((kind, offset));
    }
    starts
        .iter()
        .map(|&(kind, start)| {
            let later = starts.iter().map(|s| s.1).filter(|&s| s > start);
            let end = later.min().unwrap_or(bytes.len());
            let mut component = bytes.get(start..end).unwrap_or_default();
            if version.is_of_4() {
                let (body, stored) = component.split_last_chunk::<4>().ok_or_else(|| {
                    Error::damaged(path, start as u64, "a component without a checksum")
                })?;
                check(
                    path,
                    bytes,
                    start,
                    body.len(),
                    Some(u32::from_be_bytes(*stored)),
                )?;
                component = body;
            }
            Ok((kind, start as u64, component))
        })
        .collect()
}

fn check(path: &Path, bytes: &[u8], start: usize, len: usize, stored: Option<u32>) -> Result<()> {
    let covered = bytes.get(start..start.saturating_add(len));
    if covered.map(crc32) == stored && stored.is_some() {
        return Ok(());
    }
    Err(Error::damaged(
        path,
        start as u64,
        format!("the checksum of the {len} bytes does not match"),
    ))
}
