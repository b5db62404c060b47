//! One file, opened for reading: mapped where that is possible, read by `pread` where it is not.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Advice;

use super::identity::Watched;
use super::map::Bytes;
use super::spool::Spool;
use super::unpack;
use crate::error::{Error, ErrorKind, Result};
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
    /// Few places will be read, so the system shall not read ahead of them. Only the speed depends on it.
    pub few_reads: bool,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            mmap: true,
            temp_dir: None,
            limits: Limits::default(),
            few_reads: false,
        }
    }
}

/// An open file, read-only, of a fixed length.
///
/// Other processes may truncate or rewrite the file at any moment. Reads then give an error or wrong bytes, never a
/// signal; [`Input::check_unchanged`] tells.
pub struct Input {
    path: PathBuf,
    bytes: Bytes,
    /// The file at `path`; `None` where all of it was copied at the opening.
    watched: Option<Watched>,
    /// The bytes are those that the file at `path` has when it is decompressed.
    is_unpacked: bool,
    options: FileOptions,
}

impl Input {
    /// Opens `path`; `-` is the standard input. What can't be read at random (a pipe, a device, `/proc`) is copied to a
    /// temporary file first; a file compressed as a whole (gzip, zstd, lz4, bzip2, xz, by content) is decompressed to one.
    ///
    /// # Errors
    ///
    /// I/O errors, with the path; Unsupported for a folder; Damaged where compressed data don't decompress, Limit where
    /// they expand beyond the limit.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Input> {
        Input::open_plain(path, options)?.unpacked()
    }

    /// Opens `path` as [`Input::open`] does, but gives the bytes as they are, whatever they look like.
    ///
    /// # Errors
    ///
    /// I/O errors, with the path; Unsupported for a folder.
    pub fn open_plain(path: &Path, options: &FileOptions) -> Result<Input> {
        let failed = |e| Error::io("opening", path, e);
        let (mut file, is_stdin) = if path == Path::new("-") {
            let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
            (File::from(stdin), true)
        } else {
            (File::open(path).map_err(failed)?, false)
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Error::unsupported(
                path,
                "is a directory",
                "name a file; mdiff reads a directory where its content is of a format that it knows",
            ));
        }
        let is_at_start = || !is_stdin || (&file).stream_position().is_ok_and(|at| at == 0);
        if !metadata.is_file() || !is_at_start() || has_hidden_bytes(&file, metadata.len()) {
            let bytes = copy_all(&mut file, path, options)?;
            return Ok(Input::from_parts(path.to_owned(), bytes, None, options));
        }
        let file = Arc::new(file);
        let watched = Watched::new(file.clone()).map_err(failed)?;
        let bytes = Bytes::new(file, watched.size(), options.mmap);
        if options.few_reads {
            bytes.advise(Advice::Random, 0, watched.size());
        }
        Ok(Input::from_parts(
            path.to_owned(),
            bytes,
            Some(watched),
            options,
        ))
    }

    pub(super) fn from_parts(
        path: PathBuf,
        bytes: Bytes,
        watched: Option<Watched>,
        options: &FileOptions,
    ) -> Input {
        Input {
            path,
            bytes,
            watched,
            is_unpacked: false,
            options: options.clone(),
        }
    }

    fn unpacked(mut self) -> Result<Input> {
        let Some(packing) = unpack::detect(&self.bytes, &self.path).map_err(|e| self.explain(e))?
        else {
            return Ok(self);
        };
        let spool = unpack::unpack(packing, &self.bytes, &self.path, &self.options)
            .map_err(|e| self.explain(e))?;
        if let Some(spool) = spool {
            // A page that was lost is known only as long as the map is there.
            self.check_unchanged()?;
            self.bytes = spool.into_bytes(self.options.mmap)?;
            self.is_unpacked = true;
        }
        Ok(self)
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path without symbolic links, if the file there is the one that is open, and its bytes are read as they are: for
    /// software that opens files itself.
    pub fn on_disk(&self) -> Option<PathBuf> {
        let watched = self.watched.as_ref().filter(|_| !self.is_unpacked)?;
        let path = self.path.canonicalize().ok()?;
        watched.is_at(&path).then_some(path)
    }

    /// Length in bytes, fixed at the opening (after decompression, where the whole file was compressed).
    pub fn len(&self) -> u64 {
        self.bytes.len()
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

    /// Lends `len` bytes from `offset`: a slice of the map, or `scratch` filled by a read, which grows to `len` bytes.
    ///
    /// # Errors
    ///
    /// Damaged where the range leaves the file (checked before anything is allocated), I/O errors, and Changed where the
    /// file shrank.
    #[inline]
    pub fn read<'a>(&'a self, offset: u64, len: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let range = offset
            .checked_add(len)
            .filter(|&end| end <= self.len())
            .and_then(|_| usize::try_from(len).ok());
        let Some(range_len) = range else {
            return Err(self.outside(offset, len));
        };
        self.bytes
            .read(offset, range_len, scratch)
            .map_err(|e| self.unreadable(offset, e))
    }

    #[cold]
    fn outside(&self, offset: u64, len: u64) -> Error {
        Error::damaged(
            &self.path,
            offset,
            format!("{len} bytes wanted, the file ends at {}", self.len()),
        )
    }

    #[cold]
    fn unreadable(&self, offset: u64, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.explain(self.changed("it is shorter than it was".into()));
        }
        let error = io::Error::new(error.kind(), format!("at offset {offset}: {error}"));
        Error::io("reading", &self.path, error)
    }

    fn changed(&self, what: String) -> Error {
        ErrorKind::Changed {
            path: self.path.clone(),
            what,
        }
        .into()
    }

    /// Lends the first `len` bytes, or all where there are fewer: for telling formats apart.
    ///
    /// # Errors
    ///
    /// As [`Input::read`], without Damaged.
    pub fn head<'a>(&'a self, len: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        self.read(0, len.min(self.len()), scratch)
    }

    /// Lends the last `len` bytes, or all where there are fewer.
    ///
    /// # Errors
    ///
    /// As [`Input::read`], without Damaged.
    pub fn tail<'a>(&'a self, len: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let len = len.min(self.len());
        self.read(self.len() - len, len, scratch)
    }

    /// The whole file as one slice, where it is mapped.
    #[inline]
    pub fn mapped(&self) -> Option<&[u8]> {
        match self.bytes.mapped() {
            // Nothing can't be mapped.
            None if self.options.mmap && self.is_empty() => Some(&[]),
            mapped => mapped,
        }
    }

    /// Returns Changed if the file was truncated, rewritten or became unreadable since it was opened. Whoever has read
    /// something calls this before believing it.
    ///
    /// A new file that took its name changes nothing: the old one is read to the end.
    ///
    /// # Errors
    ///
    /// Changed; an I/O error, with the offset, where a mapped page could not be read though the file is as it was.
    pub fn check_unchanged(&self) -> Result<()> {
        if let Some(watched) = &self.watched {
            let change = watched
                .change()
                .map_err(|e| Error::io("examining", &self.path, e))?;
            if let Some(what) = change {
                return Err(self.changed(what));
            }
        }
        match self.bytes.fault() {
            None => Ok(()),
            Some(offset) => {
                let error = io::Error::other(format!("at offset {offset}: the page can't be read"));
                Err(Error::io("reading", &self.path, error))
            }
        }
    }

    /// Returns Changed in place of `error` if the file changed under the reader, which explains whatever else was seen.
    pub fn explain(&self, error: Error) -> Error {
        self.check_unchanged().err().unwrap_or(error)
    }
}

/// Whether a file that says it is empty is not: those of /proc and /sys do.
fn has_hidden_bytes(file: &File, len: u64) -> bool {
    use std::os::unix::fs::FileExt;
    // An error here comes again when the file is copied, and is reported then.
    len == 0 && !matches!(file.read_at(&mut [0], 0), Ok(0))
}

/// Copies what `file` gives, to its end, to a temporary file.
fn copy_all(file: &mut File, path: &Path, options: &FileOptions) -> Result<Bytes> {
    let mut spool = Spool::new(options.temp_dir.as_deref())?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return spool.into_bytes(options.mmap),
            Ok(len) => spool
                .write_all(buffer.get(..len).unwrap_or_default())
                .map_err(|e| spool.error(e))?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("reading", path, e)),
        }
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
