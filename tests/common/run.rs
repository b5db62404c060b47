//! Runs the real binary, so that a case reads as a sentence:
//!
//! `mdiff(["cat", "a.csv"]).in_dir(&dir).run().exits(2).tells("error: opening a.csv")`

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command to run: no environment of the caller's that changes what mdiff prints.
pub struct Mdiff {
    command: Command,
    stdin: Vec<u8>,
    stdout: Option<File>,
}

/// `mdiff` with these arguments.
pub fn mdiff<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Mdiff {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mdiff"));
    command.args(args);
    for name in [
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "MDIFF_THREADS",
        "MDIFF_NO_PROGRESS",
    ] {
        command.env_remove(name);
    }
    Mdiff {
        command,
        stdin: Vec::new(),
        stdout: None,
    }
}

impl Mdiff {
    /// Runs in this folder.
    pub fn in_dir(mut self, dir: impl AsRef<Path>) -> Mdiff {
        self.command.current_dir(dir);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Mdiff {
        self.command.env(name, value);
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Mdiff {
        self.command.args(args);
        self
    }

    /// Gives these bytes on stdin.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Mdiff {
        self.stdin = bytes.into();
        self
    }

    /// Sends stdout to this file (`/dev/full`).
    pub fn stdout_to(mut self, path: &str) -> Mdiff {
        self.stdout = Some(File::options().write(true).open(path).expect(path));
        self
    }

    /// Sends stdout to a pipe that nobody reads.
    pub fn stdout_closed(mut self) -> Mdiff {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.stdout = Some(File::from(std::os::fd::OwnedFd::from(writer)));
        self
    }

    /// Runs to the end.
    pub fn run(mut self) -> Ran {
        self.command
            .stdin(Stdio::piped())
            .stdout(self.stdout.take().map_or_else(Stdio::piped, Stdio::from))
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("mdiff starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let bytes = std::mem::take(&mut self.stdin);
        // On a thread: the child may print before it has read all. It need not read at all, so an error is fine.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().expect("mdiff ends");
        feeder.join().expect("the feeder ends");
        Ran {
            line: format!("{:?}", self.command),
            code: output.status.code(),
            signal: std::os::unix::process::ExitStatusExt::signal(&output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            stdout_bytes: output.stdout,
        }
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// The command line, for messages.
    pub line: String,
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed, to the byte.
    pub stdout_bytes: Vec<u8>,
    /// What it told.
    pub stderr: String,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Checks that stdout holds `text`.
    #[track_caller]
    pub fn prints(self, text: &str) -> Ran {
        assert!(self.stdout.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// Checks that stdout is `text`.
    #[track_caller]
    pub fn prints_exactly(self, text: &str) -> Ran {
        assert_eq!(self.stdout, text, "{}", self.stderr);
        self
    }

    /// Checks that stderr holds `text`.
    #[track_caller]
    pub fn tells(self, text: &str) -> Ran {
        assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// Checks that stderr is empty.
    #[track_caller]
    pub fn tells_nothing(self) -> Ran {
        assert_eq!(self.stderr, "", "{}", self.line);
        self
    }

    /// Checks that stdout is empty.
    #[track_caller]
    pub fn prints_nothing(self) -> Ran {
        assert_eq!(self.stdout, "", "{}", self.line);
        self
    }
}
