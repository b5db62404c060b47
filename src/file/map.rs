//! The bytes of an open file: a guarded map where that is possible, else reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use memmap2::{Advice, Mmap, MmapOptions};

use super::guard::Registration;

/// The bytes of an open file, of the length it had when it was opened.
pub(super) enum Bytes {
    Mapped(Map),
    Read { file: Arc<File>, len: u64 },
}

/// A mapping under the guard. The registration comes first, so that it ends before the mapping does.
pub(super) struct Map {
    registration: Registration,
    map: Mmap,
}

impl Bytes {
    /// Maps the first `len` bytes of `file` if `mmap` says so and the system does; else they will be read.
    pub fn new(file: Arc<File>, len: u64, mmap: bool) -> Bytes {
        match mmap.then(|| Map::new(&file, len)).flatten() {
            Some(map) => Bytes::Mapped(map),
            None => Bytes::Read { file, len },
        }
    }

    pub fn len(&self) -> u64 {
        match self {
            Bytes::Mapped(map) => map.map.len() as u64,
            Bytes::Read { len, .. } => *len,
        }
    }

    /// All of them, where they are mapped.
    #[inline]
    pub fn mapped(&self) -> Option<&[u8]> {
        match self {
            Bytes::Mapped(map) => Some(&map.map),
            Bytes::Read { .. } => None,
        }
    }

    /// Lends `len` bytes from `offset`; `scratch` holds them where they are not mapped.
    ///
    /// # Errors
    ///
    /// UnexpectedEof where the file has become shorter or the range leaves it; what the system says to a read.
    #[inline]
    pub fn read<'a>(
        &'a self,
        offset: u64,
        len: usize,
        scratch: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        match self {
            Bytes::Mapped(map) => usize::try_from(offset)
                .ok()
                .and_then(|start| map.map.get(start..start.checked_add(len)?))
                .ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            Bytes::Read { file, .. } => {
                if scratch.capacity() < len {
                    // Growing would copy bytes that are about to be overwritten.
                    scratch.clear();
                    scratch.reserve_exact(len);
                }
                scratch.resize(len, 0);
                file.read_exact_at(scratch, offset)?;
                Ok(scratch)
            }
        }
    }

    /// Offset of the lowest mapped page that could not be read.
    pub fn fault(&self) -> Option<u64> {
        match self {
            Bytes::Mapped(map) => map.registration.fault(),
            Bytes::Read { .. } => None,
        }
    }

    /// Tells the system how the bytes will be read. Only the speed depends on it.
    pub fn advise(&self, advice: Advice, offset: u64, len: u64) {
        if let Bytes::Mapped(map) = self
            && let (Ok(offset), Ok(len)) = (usize::try_from(offset), usize::try_from(len))
        {
            let len = len.min(map.map.len().saturating_sub(offset));
            let _ = map.map.advise_range(advice, offset, len);
        }
    }
}

impl Map {
    fn new(file: &File, len: u64) -> Option<Map> {
        let len = usize::try_from(len).ok().filter(|&len| len > 0)?;
        // SAFETY: the slice that the map lends can change under its reader if another process writes to the file. That is
        // not within Rust's rules, and no program that maps files can prevent it. What follows from it here: the readers check
        // every bound against `len`, which is fixed, and believe no result before the file is found unchanged; a page that
        // is gone reads as zeros, by the guard.
        let map = unsafe { MmapOptions::new().len(len).map(file) }.ok()?;
        // SAFETY: the mapping is read-only, ours alone, and outlives the registration by the order of fields in `Map`.
        let registration = unsafe { Registration::new(map.as_ptr(), map.len()) }?;
        Some(Map { registration, map })
    }
}
