//! Whether another process holds a lock on a file; none is taken.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Whether another process holds a lock by `fcntl` on the file at `path`, as RocksDB and LevelDB do. A file that is not there, or
/// can't be asked, is not locked.
pub fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    // SAFETY: all zeros are a value of this plain C struct.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    // What a reader could still lock, a writer's lock does not allow.
    lock.l_type = libc::F_RDLCK as _;
    lock.l_whence = libc::SEEK_SET as _;
    // SAFETY: the descriptor is open as long as `file` lives, and `lock` is a valid struct for the kernel to fill.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) };
    asked == 0 && lock.l_type != libc::F_UNLCK as libc::c_short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nobody_locks_is_free() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!is_locked(file.path()));
        assert!(!is_locked(Path::new("/there/is/no/such/file")));
    }
}
