//! The buckets of a file: named trees, which may lie in each other.
//!
//! The value of an element that is a bucket is `root page u64, sequence u64`; where the root page is 0, the bucket is small, and a
//! whole leaf page follows in the value.

use std::collections::VecDeque;

use super::cursor::Scan;
use super::file::{BoltFile, Root};
use super::page::Element;
use super::seen::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::range::KeyRange;
use crate::row::escape;

/// Bytes of a bucket's root and sequence.
const HEADER_BYTES: u64 = 16;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name; of a nested one, its path: names separated by `/`, a `/` within one as `\x2f`.
    pub name: String,
    /// Where its tree is.
    pub root: Root,
    /// The counter that programs draw numbers from.
    pub sequence: u64,
    /// Rows that could be read.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Bucket {
    fn parse(file: &BoltFile, name: String, element: &Element<'_>) -> Result<Bucket> {
        let mut cursor = Cursor::new(element.value);
        let header = cursor.u64().zip(cursor.u64());
        let Some((root, sequence)) = header else {
            let what = format!("the value of the bucket {name} is shorter than its header");
            return Err(Error::damaged(
                file.input.path(),
                element.value_offset,
                what,
            ));
        };
        Ok(Bucket {
            name,
            root: match root {
                0 => Root::Inline {
                    offset: element.value_offset + HEADER_BYTES,
                    len: element.value.len() as u64 - HEADER_BYTES,
                },
                page => Root::Page(page),
            },
            sequence,
            rows: 0,
            bytes: 0,
        })
    }
}

/// The buckets of the file's root, ascending by name.
///
/// # Errors
///
/// Damaged, Limit, I/O errors.
pub fn top(file: &BoltFile) -> Result<Vec<Bucket>> {
    scan_top(file, Scan::new(file, root(file), &KeyRange::all())).map(|(buckets, _)| buckets)
}

fn root(file: &BoltFile) -> Root {
    Root::Page(file.meta.root)
}

fn scan_top<'a>(file: &'a BoltFile, scan: Scan<'a>) -> Result<(Vec<Bucket>, Option<Seen>)> {
    // No row lies in the root, so no key is hidden by what can't be read there.
    let mut scan = scan.of_other_keys();
    let mut buckets = Vec::new();
    while let Some(element) = scan.next_element()? {
        if !element.is_bucket {
            let what = format!("key {} lies in no bucket", escape(element.key));
            return Err(Error::damaged(
                file.input.path(),
                element.value_offset,
                what,
            ));
        }
        buckets.push(Bucket::parse(file, show_name(element.key), &element)?);
    }
    Ok((buckets, scan.into_seen()))
}

/// All buckets, nested ones too, ascending by name. Every page is read; what can't be read in a bucket is left to the scan of its
/// rows, which will tell.
///
/// # Errors
///
/// Damaged where a page is reached twice or the root can't be read; Limit where buckets are nested too deep; I/O errors.
pub fn all(file: &BoltFile) -> Result<Vec<Bucket>> {
    let seen = Seen::new(file.meta.high_water);
    let scan = Scan::new(file, root(file), &KeyRange::all()).recording(seen);
    let (top, mut seen) = scan_top(file, scan)?;
    let mut found = Vec::new();
    let mut open: VecDeque<(u64, Bucket)> = top.into_iter().map(|bucket| (1, bucket)).collect();
    while let Some((depth, mut bucket)) = open.pop_front() {
        let mut scan = Scan::new(file, bucket.root, &KeyRange::all());
        if let Some(seen) = seen.take() {
            scan = scan.recording(seen);
        }
        loop {
            let element = match scan.next_element() {
                Ok(Some(element)) => element,
                Ok(None) => break,
                Err(error) if error.unreadable_keys().is_some() => continue,
                // A limit, say, which the scan of the rows meets again.
                Err(error) if matches!(error.kind(), ErrorKind::Limit { .. }) => break,
                Err(error) => return Err(error),
            };
            if !element.is_bucket {
                bucket.rows += 1;
                bucket.bytes += (element.key.len() + element.value.len()) as u64;
                continue;
            }
            let path = file.input.path();
            if matches!(bucket.root, Root::Inline { .. }) {
                let what = "a bucket lies in one that is within a value, which can't be";
                return Err(Error::damaged(path, element.value_offset, what));
            }
            if depth >= file.input.limits().depth_max {
                let what = "buckets are nested deeper than any program would";
                return Err(Error::damaged(path, element.value_offset, what));
            }
            let name = format!("{}/{}", bucket.name, show_name(element.key));
            open.push_back((depth + 1, Bucket::parse(file, name, &element)?));
        }
        seen = scan.into_seen();
        found.push(bucket);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn show_name(name: &[u8]) -> String {
    escape(name).replace('/', "\\x2f")
}
