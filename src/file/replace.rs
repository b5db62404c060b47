//! Atomic output: a temporary file beside the target, written, synced and renamed over it.
//!
//! The temporary file of `NAME` is always `.NAME.mdiff-partial`, locked while it is in use. What a killed run left is
//! found under that name and cleared by the next run; a second run at the same time sees the lock and stops.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};

const SUFFIX: &str = ".mdiff-partial";

/// Bytes collected before a write.
const BUFFER_BYTES: usize = 256 << 10;

/// Longest file name on the file systems in use, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Most symbolic links followed from the target, as the kernel does.
const LINKS_MAX: u32 = 40;

/// Device and inode: which file it is, whatever its names.
type FileId = (u64, u64);

/// Temporary files that [`remove_pending`] would remove. A file is here from before it is of use to after its rename.
static PENDING: Mutex<Vec<(PathBuf, FileId)>> = Mutex::new(Vec::new());

fn pending() -> MutexGuard<'static, Vec<(PathBuf, FileId)>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of every unfinished [`AtomicFile`] of this process and its private folders, right before it
/// ends: for the thread that waits for signals (not for a signal handler itself).
pub fn remove_pending() {
    super::private::remove_private();
    for (path, id) in pending().drain(..) {
        if names_file(&path, id) {
            let _ = fs::remove_file(path);
        }
    }
}

/// An output that takes its target's place whole, or not at all.
///
/// Write, then [`AtomicFile::commit`]. Dropped without that, it leaves the target as it was and removes what it wrote.
pub struct AtomicFile {
    file: File,
    temp: PathBuf,
    target: PathBuf,
    id: FileId,
    buffer: Vec<u8>,
    /// Of every byte that was handed to the system.
    written: Xxh3,
    overwrite: bool,
    failed: bool,
}

impl AtomicFile {
    /// Creates the temporary file for `target`, whose permissions it takes over. A symbolic link is followed: what it
    /// points to is replaced.
    ///
    /// # Errors
    ///
    /// Usage where `target` exists and `overwrite` is false, where it is no regular file, and where another run is
    /// writing it; I/O errors.
    pub fn create(target: &Path, overwrite: bool) -> Result<AtomicFile> {
        let shown = target;
        let target = follow_links(target)?;
        let old = match fs::symlink_metadata(&target) {
            Ok(old) => Some(old),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io("examining", shown, e)),
        };
        if let Some(old) = &old {
            if !old.is_file() {
                return Err(Error::usage(
                    format!("{} is not a regular file", shown.display()),
                    "name a file to write, or - for the standard output",
                ));
            }
            if !overwrite {
                return Err(exists(shown));
            }
        }
        let temp = temp_path(&target)?;
        let (file, id) = create_locked(&temp, shown)?;
        pending().push((temp.clone(), id));
        let new = AtomicFile {
            file,
            temp,
            target,
            id,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            written: Xxh3::new(),
            overwrite,
            failed: false,
        };
        if let Some(old) = old {
            new.file
                .set_permissions(old.permissions())
                .map_err(|e| Error::io("setting the permissions of", &new.temp, e))?;
        }
        Ok(new)
    }

    /// Where the bytes are until the commit. To read them back, flush first.
    pub fn path(&self) -> &Path {
        &self.temp
    }

    /// Where the bytes will be, with symbolic links followed.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes what is left and reads all of it back, before the commit of an output that nothing else proves.
    ///
    /// # Errors
    ///
    /// I/O errors, and one where other bytes are read than were written.
    pub fn read_back(&mut self) -> Result<()> {
        self.flush()
            .map_err(|e| Error::io("writing", &self.temp, e))?;
        let failed = |e| Error::io("reading back", &self.temp, e);
        let mut file = File::open(&self.temp).map_err(failed)?;
        let mut read = Xxh3::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => read.update(buffer.get(..len).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(failed(e)),
            }
        }
        if read.digest128() == self.written.digest128() {
            return Ok(());
        }
        Err(failed(io::Error::other("other bytes than were written")))
    }

    /// Writes what is left, syncs it to the disk, renames it over the target and syncs the folder.
    ///
    /// # Errors
    ///
    /// I/O errors, with an earlier one of a write too. The target is then as it was, unless only the folder's
    /// sync failed.
    pub fn commit(mut self) -> Result<()> {
        self.flush()
            .map_err(|e| Error::io("writing", &self.temp, e))?;
        self.file
            .sync_all()
            .map_err(|e| Error::io("syncing", &self.temp, e))?;
        self.rename()?;
        sync_folder(&self.target)
    }

    /// Renames under the registry's lock, so that `remove_pending` sees the file before or after, not in between.
    fn rename(&self) -> Result<()> {
        let mut pending = pending();
        if !names_file(&self.temp, self.id) {
            let gone = io::Error::new(
                io::ErrorKind::NotFound,
                "the temporary file was removed or replaced",
            );
            return Err(Error::io("renaming", &self.temp, gone));
        }
        if self.overwrite {
            fs::rename(&self.temp, &self.target)
        } else {
            rename_new(&self.temp, &self.target)
        }
        .map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.target),
            _ => Error::io("renaming a finished file to", &self.target, e),
        })?;
        pending.retain(|(_, id)| *id != self.id);
        Ok(())
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        let result = self.file.write_all(&self.buffer);
        self.written.update(&self.buffer);
        self.failed |= result.is_err();
        self.buffer.clear();
        result
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.write_buffer()?;
        }
        if bytes.len() < BUFFER_BYTES {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        let result = self.file.write_all(bytes);
        self.written.update(bytes);
        self.failed |= result.is_err();
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_buffer()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        let mut pending = pending();
        if let Some(i) = pending.iter().position(|(_, id)| *id == self.id) {
            pending.swap_remove(i);
            if names_file(&self.temp, self.id) {
                let _ = fs::remove_file(&self.temp);
            }
        }
    }
}

/// Refuses an output that is an input under this or another name, before anything is written. `-` is the standard input
/// or output.
///
/// # Errors
///
/// Usage where both are one file: the same path, a hard link or a symbolic link; I/O errors where `input` can't be
/// examined.
pub fn refuse_same_file(input: &Path, output: &Path) -> Result<()> {
    let standard = Path::new("-");
    let read = if input == standard {
        let stdin = io::stdin().as_fd().try_clone_to_owned();
        stdin.and_then(|stdin| File::from(stdin).metadata())
    } else {
        fs::metadata(input)
    }
    .map_err(|e| Error::io("examining", input, e))?;
    if !read.is_file() || output == standard {
        return Ok(());
    }
    let target = follow_links(output)?;
    for written in [temp_path(&target)?, target] {
        if names_file(&written, (read.dev(), read.ino())) {
            return Err(Error::usage(
                format!(
                    "the output {} and the input {} are the same file",
                    output.display(),
                    input.display()
                ),
                "write to another file and rename it afterwards",
            ));
        }
    }
    Ok(())
}

fn exists(target: &Path) -> Error {
    Error::usage(
        format!("{} exists already", target.display()),
        "replace it with --force, or name another file",
    )
}

/// The file that the symbolic links starting at `path` lead to; it need not exist.
fn follow_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            Ok(next) => path = folder(&path).join(next),
            // EINVAL: not a link.
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(e) => return Err(Error::io("examining", path, e)),
        }
    }
    let e = io::Error::from_raw_os_error(libc::ELOOP);
    Err(Error::io("examining", path, e))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn temp_path(target: &Path) -> Result<PathBuf> {
    let Some(name) = target.file_name() else {
        return Err(Error::usage(
            format!("{} is not a file name", target.display()),
            "name a file to write",
        ));
    };
    let mut temp = std::ffi::OsString::from(".");
    if name.len() + 1 + SUFFIX.len() <= NAME_BYTES_MAX {
        temp.push(name);
    } else {
        let hash = xxhash_rust::xxh3::xxh3_64(name.as_encoded_bytes());
        temp.push(format!("{hash:016x}"));
    }
    temp.push(SUFFIX);
    Ok(folder(target).join(temp))
}

/// Whether `path` itself (no link) is the file `id`.
fn names_file(path: &Path, id: FileId) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| (m.dev(), m.ino()) == id)
}

/// Creates and locks the file `temp`, after removing what a killed run left there.
///
/// A leftover is removed, never written to: its inode may have other names. Between two runs that find the same leftover, the
/// lock decides, and whoever gets it checks that the name still leads to what was locked.
fn create_locked(temp: &Path, shown: &Path) -> Result<(File, FileId)> {
    let failed = |e: io::Error| match e.kind() {
        // The folder is what is wrong, so the name that the caller knows says it.
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Error::io("creating", shown, e)
        }
        _ => Error::io("creating", temp, e),
    };
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    for _ in 0..LINKS_MAX {
        let (file, is_new) = match options.clone().create_new(true).open(temp) {
            Ok(file) => (file, true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => match options.open(temp) {
                Ok(file) => (file, false),
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(failed(e)),
            },
            Err(e) => return Err(failed(e)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(
                    format!("another run is writing {}", shown.display()),
                    "wait for it to end, or name another file",
                ));
            }
            // File systems without locks: the check before the rename still keeps two runs apart.
            Err(TryLockError::Error(e))
                if e.kind() == io::ErrorKind::Unsupported
                    || e.raw_os_error() == Some(libc::ENOLCK) => {}
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let metadata = file.metadata().map_err(failed)?;
        let id = (metadata.dev(), metadata.ino());
        if !names_file(temp, id) {
            continue;
        }
        if is_new {
            return Ok((file, id));
        }
        if !metadata.is_file() {
            return Err(Error::usage(
                format!("{} is in the way and not a regular file", temp.display()),
                "remove it",
            ));
        }
        fs::remove_file(temp).map_err(failed)?;
    }
    Err(failed(io::Error::other("other runs keep taking its place")))
}

/// Renames unless the target exists, in one step where the system has one.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            // The target is in place; a name left over is cleared by the next run.
            let _ = fs::remove_file(from);
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // No hard links here: look, then rename.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Syncs the folder of `target`, so that the rename survives a power failure.
fn sync_folder(target: &Path) -> Result<()> {
    let folder = folder(target);
    let result = File::open(folder).and_then(|folder| folder.sync_all());
    match result {
        // Some file systems can't sync folders: their renames are as durable as they get.
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        result => result.map_err(|e| Error::io("syncing the folder", folder, e)),
    }
}

#[cfg(test)]
#[path = "replace_tests.rs"]
mod tests;
