//! A bbolt file: its pages, and the SHA-256 that `etcdctl snapshot save` writes behind them.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::meta::{self, Meta};
use super::page::{HEADER_BYTES, Header, Page};
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;

/// Bytes of the SHA-256 behind a snapshot's pages.
const TRAILER_BYTES: u64 = 32;
/// A file whose length has this remainder by 512 has such a trailer: so etcdctl tells too.
const TRAILER_OF: u64 = 512;
/// Bytes that are hashed at a time where the file is not mapped.
const HASH_BYTES: u64 = 1 << 20;

/// An open bbolt file.
pub struct BoltFile {
    /// The bytes.
    pub input: Input,
    /// The state that counts.
    pub meta: Meta,
    /// Whether a SHA-256 stands behind the pages; it was right then.
    pub has_trailer: bool,
    /// What should be known of it.
    pub notes: Vec<String>,
}

/// Where the root of a bucket's tree lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// In a page of its own.
    Page(u64),
    /// In the value that stands for the bucket: a leaf, so many bytes at this offset of the file.
    Inline {
        /// Offset of the leaf.
        offset: u64,
        /// Its bytes.
        len: u64,
    },
}

impl BoltFile {
    /// Opens a file: reads its meta pages, and verifies its SHA-256 where it has one.
    ///
    /// # Errors
    ///
    /// Damaged, Unsupported; I/O errors.
    pub fn open(input: Input) -> Result<BoltFile> {
        let has_trailer = input.len() % TRAILER_OF == TRAILER_BYTES;
        let len = match has_trailer {
            true => input.len() - TRAILER_BYTES,
            false => input.len(),
        };
        if has_trailer {
            verify(&input, len).map_err(|e| input.explain(e))?;
        }
        let chosen = meta::choose(&input)?;
        let meta = chosen.meta;
        let pages = len / meta.page_bytes;
        if len % meta.page_bytes != 0 {
            let what = format!(
                "the file ends within a page of {} bytes, and not with a SHA-256 behind the pages either",
                meta.page_bytes
            );
            return Err(Error::damaged(input.path(), pages * meta.page_bytes, what));
        }
        if meta.high_water > pages {
            let what = format!(
                "the file is cut short: {} pages are in use, it has {pages}",
                meta.high_water
            );
            return Err(Error::damaged(input.path(), len, what));
        }
        let notes = chosen.other.map(|why| {
            format!(
                "{}: {why}; the state of transaction {} counts, as the database itself would have it",
                input.path().display(),
                meta.transaction
            )
        });
        Ok(BoltFile {
            input,
            meta,
            has_trailer,
            notes: notes.into_iter().collect(),
        })
    }

    /// Reads and checks a branch or leaf page; returns it with the number of pages that it takes.
    ///
    /// # Errors
    ///
    /// Damaged; Limit; I/O errors.
    pub fn page(&self, id: u64) -> Result<(Page<'_>, u64)> {
        let path = self.input.path();
        if !(2..self.meta.high_water).contains(&id) {
            let what = format!(
                "page {id} is pointed to, but pages 2 to {} are in use",
                self.meta.high_water.saturating_sub(1)
            );
            return Err(Error::damaged(path, 0, what));
        }
        let offset = id * self.meta.page_bytes;
        let mut scratch = Vec::new();
        let head = self.input.read(offset, HEADER_BYTES, &mut scratch)?;
        let header = Header::parse(head).ok_or_else(|| Error::damaged(path, offset, "no page"))?;
        if header.id != id {
            let what = format!("page {id} says that it is page {}", header.id);
            return Err(Error::damaged(path, offset, what));
        }
        let count = u64::from(header.overflow) + 1;
        if count > self.meta.high_water - id {
            let what = format!(
                "page {id} has {} pages of overflow, more than are in use",
                header.overflow
            );
            return Err(Error::damaged(path, offset, what));
        }
        let len = count * self.meta.page_bytes;
        let max = self.input.limits().block_bytes_max;
        if len > max {
            return Err(ErrorKind::Limit {
                path: path.to_owned(),
                offset,
                what: "block bytes",
                value: len,
                max,
            }
            .into());
        }
        Ok((self.read_page(offset, len)?, count))
    }

    /// The root page of a bucket, and the number of pages that it takes.
    ///
    /// # Errors
    ///
    /// As of [`BoltFile::page`].
    pub fn root(&self, root: Root) -> Result<(Page<'_>, u64)> {
        match root {
            Root::Page(id) => self.page(id),
            Root::Inline { offset, len } => {
                let page = self.read_page(offset, len)?;
                if page.is_branch {
                    let what = "a bucket within a value is no leaf";
                    return Err(Error::damaged(self.input.path(), offset, what));
                }
                Ok((page, 0))
            }
        }
    }

    fn read_page(&self, offset: u64, len: u64) -> Result<Page<'_>> {
        let bytes = match self.input.mapped() {
            Some(_) => {
                // A slice of the map needs no buffer.
                let mut none = Vec::new();
                self.input.read(offset, len, &mut none)?;
                mapped(&self.input, offset, len).map(Cow::Borrowed)
            }
            None => {
                let mut buffer = Vec::new();
                let filled = self.input.read(offset, len, &mut buffer)?.len();
                buffer.truncate(filled);
                Some(Cow::Owned(buffer))
            }
        };
        let bytes = bytes.ok_or_else(|| {
            Error::damaged(self.input.path(), offset, "a page reaches behind the end")
        })?;
        Page::new(&self.input, bytes, offset)
    }
}

fn mapped(input: &Input, offset: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    input.mapped()?.get(start..end)
}

/// Compares the SHA-256 of the pages with the one that stands behind them.
fn verify(input: &Input, len: u64) -> Result<()> {
    let mut hasher = Sha256::new();
    let mut scratch = Vec::new();
    let mut at = 0;
    while at < len {
        let bytes = input.read(at, HASH_BYTES.min(len - at), &mut scratch)?;
        hasher.update(bytes);
        at += bytes.len() as u64;
    }
    let stored = input.read(len, TRAILER_BYTES, &mut scratch)?;
    if hasher.finalize().as_slice() != stored {
        return Err(Error::damaged(
            input.path(),
            len,
            "the SHA-256 behind the pages, which etcdctl snapshot save writes, is not that of the pages",
        ));
    }
    Ok(())
}
