//! Branch and leaf pages: elements of 16 bytes behind the header, each with the place of its key, and of its value.
//!
//! ```text
//! header:         id u64, flags u16 (1 branch, 2 leaf), count u16, overflow u32 (further pages that belong to this one)
//! branch element: pos u32, key size u32, child page u64
//! leaf element:   flags u32 (1: the value is a bucket), pos u32, key size u32, value size u32
//! ```
//!
//! `pos` counts from the element's own start; the key lies there, and the value behind it. Pages have no checksum, so all of this is
//! checked when a page is opened: bounds, flags, and that the keys ascend.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::Cursor;
use crate::file::input::Input;

/// Bytes of a page's header.
pub const HEADER_BYTES: u64 = 16;
/// Flags of a branch page.
pub const BRANCH: u16 = 1;
/// Flags of a leaf page.
pub const LEAF: u16 = 2;
/// Flags of a meta page.
pub const META: u16 = 4;
/// Flags of a freelist page.
pub const FREELIST: u16 = 16;

const ELEMENT_BYTES: usize = 16;
/// Flag of an element whose value is a bucket.
const IS_BUCKET: u32 = 1;

/// The header of a page.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub flags: u16,
    /// Its elements.
    pub count: u16,
    /// Further pages that belong to it.
    pub overflow: u32,
}

impl Header {
    /// Reads a header.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let mut cursor = Cursor::new(bytes);
        Some(Header {
            id: cursor.u64()?,
            flags: cursor.u16()?,
            count: cursor.u16()?,
            overflow: cursor.u32()?,
        })
    }
}

/// A checked branch or leaf page with its overflow.
pub struct Page<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where it starts in the file.
    pub offset: u64,
    /// Whether its elements have children.
    pub is_branch: bool,
    count: usize,
}

/// An element of a leaf.
#[derive(Debug, Clone, Copy)]
pub struct Element<'p> {
    /// Its key.
    pub key: &'p [u8],
    /// Its value.
    pub value: &'p [u8],
    /// Whether the value is a bucket.
    pub is_bucket: bool,
    /// Where the value starts in the file.
    pub value_offset: u64,
}

impl<'a> Page<'a> {
    /// Checks the page that `bytes`, which lie at `offset` of the file, hold.
    ///
    /// # Errors
    ///
    /// Damaged; Limit for a key or a value over its cap.
    pub fn new(input: &Input, bytes: Cow<'a, [u8]>, offset: u64) -> Result<Page<'a>> {
        let damaged = |what: &str| Error::damaged(input.path(), offset, what);
        let header = Header::parse(&bytes).ok_or_else(|| damaged("a page ends in its header"))?;
        let is_branch = match header.flags {
            BRANCH => true,
            LEAF => false,
            META => return Err(damaged("a meta page where a branch or a leaf belongs")),
            FREELIST => return Err(damaged("a freelist where a branch or a leaf belongs")),
            flags => {
                let what = format!("page flags {flags:#x}, where a branch or a leaf belongs");
                return Err(damaged(&what));
            }
        };
        let page = Page {
            bytes,
            offset,
            is_branch,
            count: header.count.into(),
        };
        page.check(input)?;
        Ok(page)
    }

    /// Number of its elements.
    pub fn count(&self) -> usize {
        self.count
    }

    fn check(&self, input: &Input) -> Result<()> {
        let mut previous: Option<&[u8]> = None;
        for index in 0..self.count {
            let wrong = |what: &str| {
                let what = format!("element {index} of a page: {what}");
                Err(Error::damaged(input.path(), self.offset, what))
            };
            let Some(raw) = self.raw(index) else {
                return wrong("the page ends before it");
            };
            if raw.flags & !IS_BUCKET != 0 {
                return wrong("unknown flags");
            }
            // What follows the header is all elements first, then keys and values.
            let data_from = (self.count - index) * ELEMENT_BYTES;
            if (raw.pos as usize) < data_from && raw.key_bytes + raw.value_bytes > 0 {
                return wrong("its key lies among the elements");
            }
            let Some((key, value)) = self.data(index, &raw) else {
                return wrong("its key or value lies outside of the page");
            };
            let limits = input.limits();
            for (what, len, max) in [
                ("key bytes", key.len() as u64, limits.key_bytes_max),
                ("value bytes", value.len() as u64, limits.value_bytes_max),
            ] {
                if len > max {
                    return Err(ErrorKind::Limit {
                        path: input.path().to_owned(),
                        offset: self.offset,
                        what,
                        value: len,
                        max,
                    }
                    .into());
                }
            }
            if previous.is_some_and(|previous| previous >= key) {
                return wrong("its key is not above the one before");
            }
            previous = Some(key);
        }
        Ok(())
    }

    fn raw(&self, index: usize) -> Option<Raw> {
        let at = element_at(index);
        let mut cursor = Cursor::new(self.bytes.get(at..at + ELEMENT_BYTES)?);
        Some(match self.is_branch {
            true => Raw {
                flags: 0,
                pos: cursor.u32()?,
                key_bytes: cursor.u32()?.into(),
                value_bytes: 0,
                child: cursor.u64()?,
            },
            false => Raw {
                flags: cursor.u32()?,
                pos: cursor.u32()?,
                key_bytes: cursor.u32()?.into(),
                value_bytes: cursor.u32()?.into(),
                child: 0,
            },
        })
    }

    fn data(&self, index: usize, raw: &Raw) -> Option<(&[u8], &[u8])> {
        let start = element_at(index).checked_add(raw.pos as usize)?;
        let mut cursor = Cursor::new(self.bytes.get(start..)?);
        Some((cursor.take(raw.key_bytes)?, cursor.take(raw.value_bytes)?))
    }

    /// The key of an element.
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        self.data(index, &self.raw(index)?).map(|(key, _)| key)
    }

    /// The first key and the last.
    pub fn ends(&self) -> Option<(&[u8], &[u8])> {
        Some((self.key(0)?, self.key(self.count.checked_sub(1)?)?))
    }

    /// The child of an element of a branch.
    pub fn child(&self, index: usize) -> Option<u64> {
        (index < self.count)
            .then(|| self.raw(index))?
            .map(|raw| raw.child)
    }

    /// An element of a leaf.
    pub fn element(&self, index: usize) -> Option<Element<'_>> {
        if index >= self.count {
            return None;
        }
        let raw = self.raw(index)?;
        let (key, value) = self.data(index, &raw)?;
        let value_at = element_at(index) as u64 + u64::from(raw.pos) + raw.key_bytes;
        Some(Element {
            key,
            value,
            is_bucket: raw.flags & IS_BUCKET != 0,
            value_offset: self.offset + value_at,
        })
    }

    /// The first element whose key is not below `key`.
    pub fn find(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle) {
                Some(found) if found < key => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// The child of a branch in which `key` lies, where it exists.
    pub fn find_child(&self, key: &[u8]) -> usize {
        match self.find(key) {
            at if self.key(at) == Some(key) => at,
            at => at.saturating_sub(1),
        }
    }
}

struct Raw {
    flags: u32,
    pos: u32,
    key_bytes: u64,
    value_bytes: u64,
    child: u64,
}

fn element_at(index: usize) -> usize {
    HEADER_BYTES as usize + index * ELEMENT_BYTES
}
