//! The real binary under strace, which makes chosen system calls fail, kills the process at them or pauses it there.
//!
//! Only calls that touch given files are seen, so no call of the loader's or of a thread's start is ever meant by mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::{Ran, skipped};

/// Whether strace can trace and inject here; says loudly where not.
pub fn strace_works(test: &str) -> bool {
    let output = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=none",
            "-e",
            "inject=fsync:error=EIO",
            "true",
        ])
        .output();
    match output {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            skipped(&format!("{test}: strace can't trace here: {output:?}"));
            false
        }
        Err(e) => {
            skipped(&format!("{test}: strace does not start ({e}); install it"));
            false
        }
    }
}

/// A command of mdiff to run under strace.
#[derive(Clone)]
pub struct Traced {
    args: Vec<String>,
    /// Calls on these files are seen; absolute.
    files: Vec<PathBuf>,
    log: PathBuf,
}

/// What a traced run gave.
pub struct TracedRun {
    /// Exit code, streams.
    pub ran: Ran,
    /// The calls it made on the files, one a line.
    pub log: String,
}

impl Traced {
    /// `mdiff ARGS`, with an eye on `files`; the log is written to `log`.
    pub fn new(args: &[&str], files: &[&Path], log: &Path) -> Traced {
        assert!(files.iter().all(|file| file.is_absolute()));
        Traced {
            args: args.iter().map(|arg| arg.to_string()).collect(),
            files: files.iter().map(|file| file.to_path_buf()).collect(),
            log: log.to_owned(),
        }
    }

    fn command(&self, inject: Option<&str>) -> Command {
        let mut command = Command::new("strace");
        command.arg("-f").arg("-o").arg(&self.log);
        for file in &self.files {
            command.arg("-P").arg(file);
        }
        if let Some(inject) = inject {
            command.arg("-e").arg(format!("inject={inject}"));
        }
        command.arg(env!("CARGO_BIN_EXE_mdiff")).args(&self.args);
        command.env_remove("MDIFF_THREADS");
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end, with an injection such as `fsync:error=EIO:when=1`.
    pub fn run(&self, inject: Option<&str>) -> TracedRun {
        let mut command = self.command(inject);
        let output = command.output().expect("strace starts");
        TracedRun {
            ran: ran(&command, output),
            log: std::fs::read_to_string(&self.log).unwrap_or_default(),
        }
    }

    /// The calls of a run without injection: how often each was made. Of all threads together.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let run = self.run(None);
        let mut calls = BTreeMap::new();
        for line in run.log.lines() {
            let call = line
                .split_once(' ')
                .map_or("", |(_, call)| call.trim_start());
            if let Some((name, _)) = call.split_once('(')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            {
                *calls.entry(name.to_owned()).or_insert(0) += 1;
            }
        }
        assert!(!calls.is_empty(), "no call was seen: {:?}", run.ran);
        calls
    }

    /// Calls `before`, runs until call `when` of `name` has been made, calls `act`, and lets it go on to its end.
    /// `None` where it ended before that.
    pub fn pause(
        &self,
        name: &str,
        when: usize,
        before: impl Fn(),
        act: impl Fn(),
    ) -> Option<TracedRun> {
        // Where a thread is stopped while another ends the process, strace 6.1 can ask the kernel for a stop that is no
        // more, and gives up with a code of its own. That tells nothing of the process, so it is run again.
        for _ in 0..10 {
            before();
            let run = self.pause_once(name, when, &act);
            if !run
                .as_ref()
                .is_some_and(|run| run.ran.stderr.contains("strace: ptrace("))
            {
                return run;
            }
        }
        panic!("strace fails each time: {:?}", self.args);
    }

    fn pause_once(&self, name: &str, when: usize, act: impl Fn()) -> Option<TracedRun> {
        let _ = std::fs::remove_file(&self.log);
        let mut command = self.command(Some(&format!("{name}:signal=STOP:when={when}")));
        let mut child = command.spawn().expect("strace starts");
        let pid = wait_for_stop(&self.log, &mut child);
        if pid.is_some() {
            act();
        }
        // Strace counts the calls of each thread by itself, so others may stop later: all go on until the end.
        let ended = AtomicBool::new(false);
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut pause = Duration::from_millis(2);
                while let Some(pid) = &pid
                    && !ended.load(SeqCst)
                {
                    let _ = Command::new("kill")
                        .args(["-CONT", pid])
                        .stderr(Stdio::null())
                        .status();
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
            });
            let output = child.wait_with_output().expect("strace ends");
            ended.store(true, SeqCst);
            output
        });
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        pid.map(|_| TracedRun {
            ran: ran(&command, output),
            log,
        })
    }
}

fn ran(command: &Command, output: std::process::Output) -> Ran {
    Ran {
        line: format!("{command:?}"),
        code: output.status.code(),
        signal: std::os::unix::process::ExitStatusExt::signal(&output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        stdout_bytes: output.stdout,
    }
}

/// Waits until all threads stand still; gives the process.
fn wait_for_stop(log: &Path, child: &mut Child) -> Option<String> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let stopped = text
            .lines()
            .find(|line| line.contains("--- stopped by SIGSTOP ---"));
        if let Some(line) = stopped {
            let pid = line.split_whitespace().next().unwrap().to_owned();
            if all_stopped(&pid) {
                return Some(pid);
            }
        } else if child.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no stop: {text}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn all_stopped(pid: &str) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks.flatten().all(|task| {
        std::fs::read_to_string(task.path().join("stat"))
            .ok()
            .and_then(|stat| {
                Some(
                    stat.rsplit_once(')')?
                        .1
                        .trim_start()
                        .starts_with(['t', 'T']),
                )
            })
            .unwrap_or(false)
    })
}
