//! Output files: what may not be replaced, and a writer that formats can own.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::file::replace::{AtomicFile, refuse_same_file};

/// Refuses an output that is one of the inputs (always) or that exists (without `--force`): called before anything is read,
/// for the work of hours should not end with this.
///
/// # Errors
///
/// Usage, and I/O where an input can't be examined.
pub fn check(path: &Path, force: bool, inputs: &[&Path]) -> Result<()> {
    for input in inputs {
        refuse_same_file(input, path)?;
    }
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(Error::usage(
            format!("{} exists already", path.display()),
            "replace it with --force, or give another name to -o",
        ));
    }
    Ok(())
}

/// A file that takes its place only when it is whole ([`AtomicFile`]), written by something that owns its writer.
pub struct OutFile {
    file: Rc<RefCell<Option<AtomicFile>>>,
}

impl OutFile {
    /// Starts a file that will be at `path`, in place of another one only if `force`.
    ///
    /// # Errors
    ///
    /// Those of [`AtomicFile::create`].
    pub fn create(path: &Path, force: bool) -> Result<OutFile> {
        let file = AtomicFile::create(path, force)?;
        Ok(OutFile {
            file: Rc::new(RefCell::new(Some(file))),
        })
    }

    /// A writer to it, which fails after [`OutFile::commit`].
    pub fn writer(&self) -> Box<dyn Write> {
        Box::new(Writer(Rc::clone(&self.file)))
    }

    /// Puts the file in its place, on disk.
    ///
    /// # Errors
    ///
    /// Those of [`AtomicFile::commit`].
    pub fn commit(self) -> Result<()> {
        match self.file.take() {
            Some(file) => file.commit(),
            None => Ok(()),
        }
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        // A writer that still lives must not keep the temporary file.
        self.file.take();
    }
}

struct Writer(Rc<RefCell<Option<AtomicFile>>>);

impl Writer {
    fn with<T>(&self, write: impl FnOnce(&mut AtomicFile) -> io::Result<T>) -> io::Result<T> {
        match &mut *self.0.borrow_mut() {
            Some(file) => write(file),
            None => Err(io::Error::other("the output is finished")),
        }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|file| file.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| file.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(AtomicFile::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_never_replaced_and_another_file_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in");
        let link = dir.path().join("link");
        fs::write(&input, "rows").unwrap();
        fs::hard_link(&input, &link).unwrap();
        for out in [&input, &link] {
            let error = check(out, true, &[&input]).unwrap_err();
            assert!(error.to_string().contains("the same file"), "{error}");
        }
        let error = check(&input, false, &[]).unwrap_err();
        assert!(error.hint().unwrap().contains("--force"));
        assert!(check(&input, true, &[]).is_ok());
        assert!(check(&dir.path().join("new"), false, &[&input]).is_ok());
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_the_old_one_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, "old").unwrap();
        let file = OutFile::create(&path, true).unwrap();
        let mut writer = file.writer();
        writer.write_all(b"half").unwrap();
        drop(file);
        assert!(writer.write_all(b"late").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let file = OutFile::create(&path, true).unwrap();
        file.writer().write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
