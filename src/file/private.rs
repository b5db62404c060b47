//! A folder of our own for copies of files that a library wants to open by name.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::input::Input;
use crate::error::{Error, Result};

/// Bytes copied at a time.
const COPY_BYTES: u64 = 1 << 20;

/// Folders that [`remove_private`] would remove.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn pending() -> MutexGuard<'static, Vec<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every private folder of this process, right before it ends.
pub(super) fn remove_private() {
    for folder in pending().drain(..) {
        let _ = fs::remove_dir_all(folder);
    }
}

/// A folder that only its owner can enter, with copies of files in it. It is removed when this is dropped; files that are open
/// by then can be read on.
pub struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes one in `temp_dir`, or in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// I/O errors.
    pub fn new(temp_dir: Option<&Path>) -> Result<PrivateFolder> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        let mut pending = pending();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!(".mdiff-{}-{count}.folder.tmp", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    pending.push(path.clone());
                    return Ok(PrivateFolder { path });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(Error::io("creating a temporary folder in", &parent, e)),
            }
        }
    }

    /// Copies what `input` reads to the file `name`. Where the file system can, the copy shares the blocks of the original.
    ///
    /// # Errors
    ///
    /// I/O errors; Changed, where the input changed before all of it was copied.
    pub fn copy(&self, input: &Input, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let failed = |e| Error::io("writing a temporary copy to", &path, e);
        match input.on_disk() {
            Some(original) => {
                fs::copy(original, &path).map_err(failed)?;
                fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
            }
            None => {
                let mut options = OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(&path);
                write_all(input, file.map_err(failed)?, &failed)?;
            }
        }
        input.check_unchanged()?;
        Ok(path)
    }
}

fn write_all(input: &Input, mut file: File, failed: &dyn Fn(io::Error) -> Error) -> Result<()> {
    let (mut offset, mut scratch) = (0, Vec::new());
    while offset < input.len() {
        let len = COPY_BYTES.min(input.len() - offset);
        file.write_all(input.read(offset, len, &mut scratch)?)
            .map_err(failed)?;
        offset += len;
    }
    Ok(())
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What can't be removed now can't be later either.
        let _ = fs::remove_dir_all(&self.path);
        pending().retain(|path| *path != self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::input::FileOptions;

    #[test]
    fn copies_are_whole_and_go_with_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3_000_001u32).map(|i| (i / 5) as u8).collect();
        let original = folder.path().join("original");
        fs::write(&original, &bytes).unwrap();
        fs::set_permissions(&original, Permissions::from_mode(0o400)).unwrap();
        let packed = folder.path().join("packed");
        fs::write(&packed, zstd::encode_all(bytes.as_slice(), 1).unwrap()).unwrap();
        let temp = tempfile::tempdir().unwrap();
        for path in [&original, &packed] {
            let input = Input::open(path, &FileOptions::default()).unwrap();
            assert_eq!(input.on_disk().is_some(), path == &original);
            let private = PrivateFolder::new(Some(temp.path())).unwrap();
            let copy = private.copy(&input, "copy").unwrap();
            assert!(fs::read(&copy).unwrap() == bytes);
            OpenOptions::new().write(true).open(&copy).unwrap();
            let mode = fs::metadata(&private.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            drop(private);
            assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
        }
        assert!(PrivateFolder::new(Some(&temp.path().join("missing"))).is_err());
    }

    #[test]
    fn a_file_that_lost_its_name_is_copied_from_the_open_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "first").unwrap();
        let input = Input::open(&path, &FileOptions::default()).unwrap();
        fs::write(folder.path().join("g"), "other").unwrap();
        fs::rename(folder.path().join("g"), &path).unwrap();
        let private = PrivateFolder::new(None).unwrap();
        assert_eq!(input.on_disk(), None);
        let copy = private.copy(&input, "copy").unwrap();
        assert_eq!(fs::read(copy).unwrap(), b"first");
    }
}
