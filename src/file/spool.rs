//! A temporary file without a name: written once, then read. It is gone when the process is, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::input::{FileOptions, Input};
use super::map::Bytes;
use crate::error::{Error, Result};

const BUFFER_BYTES: usize = 256 << 10;

/// Bytes on their way to a temporary file.
pub struct Spool {
    file: BufWriter<File>,
    folder: PathBuf,
    len: u64,
}

impl Spool {
    /// Creates one in `temp_dir`, or in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// I/O errors, with the folder.
    pub fn new(temp_dir: Option<&Path>) -> Result<Spool> {
        let folder = temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        let file = create_unnamed(&folder)
            .map_err(|e| Error::io("creating a temporary file in", &folder, e))?;
        Ok(Spool {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            folder,
            len: 0,
        })
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives an error of a write its path.
    pub fn error(&self, error: io::Error) -> Error {
        Error::io("writing a temporary file in", &self.folder, error)
    }

    /// Turns what was written into an input, which calls itself `path`.
    ///
    /// # Errors
    ///
    /// I/O errors of the last write.
    pub fn into_input(self, path: &Path, options: &FileOptions) -> Result<Input> {
        let bytes = self.into_bytes(options.mmap)?;
        Ok(Input::from_parts(path.to_owned(), bytes, None, options))
    }

    pub(super) fn into_bytes(self, mmap: bool) -> Result<Bytes> {
        let Spool { file, folder, len } = self;
        let file = file
            .into_inner()
            .map_err(|e| Error::io("writing a temporary file in", &folder, e.into_error()))?;
        Ok(Bytes::new(Arc::new(file), len, mmap))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn create_unnamed(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    #[cfg(target_os = "linux")]
    if let Ok(file) = options.clone().custom_flags(libc::O_TMPFILE).open(folder) {
        return Ok(file);
    }
    create_and_unlink(&options, folder)
}

/// For file systems without O_TMPFILE.
fn create_and_unlink(options: &OpenOptions, folder: &Path) -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".mdiff-{}-{count}.tmp", std::process::id()));
        match options.clone().create_new(true).open(&path) {
            Ok(file) => {
                std::fs::remove_file(path)?;
                return Ok(file);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_is_read_back_and_leaves_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..1_000_001u32).map(|i| (i / 3) as u8).collect();
        for mmap in [true, false] {
            let options = FileOptions {
                mmap,
                ..FileOptions::default()
            };
            let mut spool = Spool::new(Some(folder.path())).unwrap();
            assert!(spool.is_empty());
            for piece in bytes.chunks(777) {
                spool.write_all(piece).unwrap();
            }
            assert_eq!(spool.len(), bytes.len() as u64);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            let input = spool.into_input(Path::new("shown"), &options).unwrap();
            assert_eq!(input.path(), Path::new("shown"));
            assert_eq!(input.mapped().is_some(), mmap);
            let mut scratch = Vec::new();
            assert!(input.read(0, input.len(), &mut scratch).unwrap() == bytes);
            input.check_unchanged().unwrap();
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let mut file = create_and_unlink(&options, folder.path()).unwrap();
        file.write_all(b"bytes").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Spool::new(Some(&folder.path().join("missing"))).is_err());
    }
}
