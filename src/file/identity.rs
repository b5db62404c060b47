//! Whether an open file is still what it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// An open file and what the system said of it at the opening.
///
/// A write is seen by the file's times, so on kernels before 6.13 one that follows another within the clock's tick (4 ms) and
/// the opening in between can escape.
pub(super) struct Watched {
    file: Arc<File>,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    links: u64,
}

impl Watched {
    /// Notes what `file` is now.
    pub fn new(file: Arc<File>) -> io::Result<Watched> {
        let now = file.metadata()?;
        Ok(Watched {
            size: now.size(),
            modified: (now.mtime(), now.mtime_nsec()),
            changed: (now.ctime(), now.ctime_nsec()),
            links: now.nlink(),
            file,
        })
    }

    /// The size at the opening, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether `path` leads to this file.
    pub fn is_at(&self, path: &Path) -> bool {
        match (self.file.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    /// Says what changed since the opening, or `None`.
    pub fn change(&self) -> io::Result<Option<String>> {
        let now = self.file.metadata()?;
        if now.size() != self.size {
            return Ok(Some(format!(
                "it had {} bytes and has {} now",
                self.size,
                now.size()
            )));
        }
        if (now.mtime(), now.mtime_nsec()) != self.modified {
            return Ok(Some("it was written to".into()));
        }
        // A new or a lost name (a backup's hard link, a rename over it) moves this time too, and changes no byte.
        if (now.ctime(), now.ctime_nsec()) != self.changed && now.nlink() == self.links {
            return Ok(Some(
                "its attributes changed, as when it is written to and its time set back".into(),
            ));
        }
        Ok(None)
    }
}
