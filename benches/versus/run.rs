//! Runs processes: how long they take, what they read, how much memory they hold.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program with its arguments, as it can be run again and again.
#[derive(Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
    /// Exit codes that mean success.
    good: Vec<i32>,
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.path.display(), self.args.join(" "))
    }
}

impl Program {
    /// The mdiff of this build.
    pub fn mdiff(args: &[&str]) -> Program {
        Program::new(Path::new(env!("CARGO_BIN_EXE_mdiff")), args)
    }

    /// Some program.
    pub fn new(path: &Path, args: &[&str]) -> Program {
        Program {
            path: path.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            good: vec![0],
        }
    }

    /// Adds a variable to its environment.
    pub fn env(mut self, name: &'static str, value: &'static str) -> Program {
        self.env.push((name, value));
        self
    }

    /// Takes 1, "different", for success, and only that.
    pub fn finds_differences(mut self) -> Program {
        self.good = vec![1];
        self
    }

    /// Appends arguments.
    pub fn with(mut self, args: &[&str]) -> Program {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.args)
            .envs(self.env.iter().copied())
            .env_remove("MDIFF_THREADS")
            .stdin(Stdio::null());
        command
    }

    fn check(&self, code: Option<i32>, said: &str) -> Result<(), String> {
        match code.is_some_and(|code| self.good.contains(&code)) {
            true => Ok(()),
            false => Err(format!("{self} ended with {code:?}\n{said}")),
        }
    }

    fn must(&self, code: Option<i32>) {
        self.check(code, "").unwrap_or_else(|said| panic!("{said}"));
    }

    /// Seconds from before its start to after its end; what it prints goes to `/dev/null`.
    pub fn seconds(&self) -> f64 {
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().expect("a program that was found runs");
        let seconds = start.elapsed().as_secs_f64();
        self.must(status.code());
        seconds
    }

    /// What it prints on stdout and on stderr.
    pub fn output(&self) -> (String, String) {
        self.try_output().unwrap_or_else(|said| panic!("{said}"))
    }

    /// What it prints on stdout and on stderr; how it failed, where it did.
    pub fn try_output(&self) -> Result<(String, String), String> {
        let output = self
            .command()
            .output()
            .expect("a program that was found runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (out, err) = (text(output.stdout), text(output.stderr));
        self.check(output.status.code(), &err)?;
        Ok((out, err))
    }

    /// What it read in all. Its stdout ends when its last thread has closed its files, and then the kernel's account is
    /// complete, and stays until the process is waited for.
    pub fn reads(&self) -> Reads {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program that was found runs");
        if let Some(mut out) = child.stdout.take() {
            io::copy(&mut out, &mut io::sink()).expect("a pipe can be read");
        }
        let account = proc_file(&child, "io").unwrap_or_default();
        let status = child.wait().expect("a child can be waited for");
        self.must(status.code());
        let field = |name: &str| number_after(&account, name).unwrap_or(0);
        Reads {
            by_calls: field("rchar:"),
            from_disk: field("read_bytes:"),
        }
    }

    /// The most memory it held, seen by looking all the time.
    pub fn peak_memory(&self) -> Peak {
        let mut child = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program that was found runs");
        let mut peak = Peak::default();
        let status = loop {
            if let Some(text) = proc_file(&child, "status") {
                let bytes = |name| number_after(&text, name).unwrap_or(0) * 1024;
                peak.anonymous = peak.anonymous.max(bytes("RssAnon:"));
                peak.all = peak.all.max(bytes("VmHWM:"));
                peak.looks += 1;
            }
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break status;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        self.must(status.code());
        peak
    }
}

/// What a process read.
pub struct Reads {
    /// Bytes that it got from `read` and its kind; a mapped file is not among them.
    pub by_calls: u64,
    /// Bytes that the kernel fetched from the disk for it, mapped files and reading ahead included.
    pub from_disk: u64,
}

/// The most memory a process held.
#[derive(Default)]
pub struct Peak {
    /// Anonymous memory in bytes: what does not come from a file.
    pub anonymous: u64,
    /// All resident memory in bytes, pages of mapped files included.
    pub all: u64,
    /// How often it was looked at.
    pub looks: u64,
}

fn proc_file(child: &Child, name: &str) -> Option<String> {
    let mut text = String::new();
    let path = format!("/proc/{}/{name}", child.id());
    std::fs::File::open(path)
        .ok()?
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Drops what the page cache holds of a file, by the tool that can. Returns whether it did.
pub fn evict(path: &Path) -> bool {
    let status = Command::new("dd")
        .arg(format!("if={}", path.display()))
        .args(["iflag=nocache", "count=0", "status=none"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Where a program is, if it is installed.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Times of two ways to do something, taken in turns after one run of each that does not count.
pub struct Duel {
    /// Seconds of each run of the first.
    pub first: Vec<f64>,
    /// Seconds of each run of the second.
    pub second: Vec<f64>,
}

impl Duel {
    /// Runs both `runs` times.
    pub fn run(
        runs: usize,
        first: &mut dyn FnMut() -> f64,
        second: &mut dyn FnMut() -> f64,
    ) -> Duel {
        first();
        second();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            a.push(first());
            b.push(second());
        }
        Duel {
            first: a,
            second: b,
        }
    }

    /// How many times faster the first is, by the medians.
    pub fn ratio(&self) -> f64 {
        median(&self.second) / median(&self.first)
    }

    /// The same by the best run of each: what is left of it where the machine has other things to do.
    pub fn best_ratio(&self) -> f64 {
        let best = |seconds: &[f64]| seconds.iter().copied().fold(f64::INFINITY, f64::min);
        best(&self.second) / best(&self.first)
    }
}

/// Times of one way alone, where its rival is missing.
pub fn alone(runs: usize, task: &mut dyn FnMut() -> f64) -> Vec<f64> {
    task();
    (0..runs).map(|_| task()).collect()
}

/// The middle one, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}
