//! Settings of the whole process that reading and writing files safely needs.

/// Ignores SIGXFSZ, so that a write over the file size limit (`ulimit -f`) gives an error instead of ending the process.
///
/// To be called once, at the start of the program.
pub fn ignore_sigxfsz() {
    // SAFETY: SIG_IGN is no function of ours, so nothing can run at a bad moment. The call fails only for an unknown
    // signal; then the default stays, which kills the process but damages nothing.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Raises the limit of open files as far as the system allows: a snapshot may be a folder of thousands.
///
/// To be called once, at the start of the program. What can't be raised stays.
pub fn raise_open_files_limit() {
    // SAFETY: the struct is plain data for which zero is valid, and lives through the calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Files that this process may have open at once.
pub fn open_files_limit() -> usize {
    // SAFETY: the struct is plain data for which zero is valid, and lives through the call.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        match libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) {
            0 => limit.rlim_cur,
            _ => 256,
        }
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(super) mod child {
    //! Runs one test again in a process of its own, for what would disturb other tests: limits and signals.

    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const MARK: &str = "MDIFF_TEST_CHILD";

    /// In the parent, runs the test named `name` alone in a child, checks that it passed, and returns false. In the
    /// child, returns true: go on with the test.
    pub fn is_child(name: &str) -> bool {
        if std::env::var(MARK).is_ok_and(|mark| mark == name) {
            return true;
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(MARK, name)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{name}: {:?}, signal {:?}\n{text}\n{}",
            output.status,
            output.status.signal(),
            String::from_utf8_lossy(&output.stderr),
        );
        false
    }

    /// Caps the size of files this process writes, in bytes.
    pub fn limit_file_size(bytes: u64) {
        // SAFETY: the struct is valid and lives through the call.
        assert_eq!(
            unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &soft(bytes)) },
            0
        );
    }

    /// Caps the address space of this process, in bytes.
    pub fn limit_address_space(bytes: u64) {
        // SAFETY: the struct is valid and lives through the call.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &soft(bytes)) }, 0);
    }

    fn soft(bytes: u64) -> libc::rlimit {
        libc::rlimit {
            rlim_cur: bytes,
            rlim_max: libc::RLIM_INFINITY,
        }
    }
}
