//! The table of ratios, and what it was measured on.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// One line of the table.
pub struct Line {
    /// What is done.
    pub work: String,
    /// What it is held against.
    pub against: String,
    /// What the design asks for.
    pub aim: String,
    /// What came out, in the aim's terms.
    pub measured: String,
    /// mdiff's own figure.
    pub mdiff: String,
    /// The peer's figure.
    pub peer: String,
}

/// The figure of a peer that can't be run here.
pub fn missing(peer: &str, how: &str) -> String {
    format!("{peer} is missing ({how})")
}

impl Line {
    /// Starts a line.
    pub fn new(work: impl Into<String>, against: &str, aim: &str) -> Line {
        Line {
            work: work.into(),
            against: against.into(),
            aim: aim.into(),
            measured: "-".into(),
            mdiff: "-".into(),
            peer: "-".into(),
        }
    }
}

/// Prints the lines as a Markdown table.
pub fn markdown(lines: &[Line]) -> String {
    let mut out = String::from(
        "| work | against | aim | measured | mdiff | peer |\n|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let cells = [
            &line.work,
            &line.against,
            &line.aim,
            &line.measured,
            &line.mdiff,
            &line.peer,
        ];
        for cell in cells {
            let _ = write!(out, "| {cell} ");
        }
        out.push_str("|\n");
    }
    out
}

/// The machine: its cores, and how busy it is with other things.
pub fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    let memory = memory.map_or("?".into(), |kib| (kib >> 20).to_string());
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.into());
    format!("{} cores of {model}, {memory} GiB of memory", cores())
}

/// How many processes wanted a core in the last minute, on average.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Cores that work is spread over.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The first line that a program prints of itself.
pub fn version(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().next()?.trim().to_owned())
}

/// Seconds, with a unit and three digits.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => format!("{:.1} ms", s * 1000.0),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s => format!("{s:.2} s"),
    }
}

/// A speed.
pub fn speed(bytes: u64, seconds: f64) -> String {
    match bytes as f64 / seconds {
        each if each < 1e9 => format!("{:.0} MB/s", each / 1e6),
        each => format!("{:.2} GB/s", each / 1e9),
    }
}

/// A number of bytes.
pub fn size(bytes: u64) -> String {
    match bytes {
        b if b < 10 << 10 => format!("{b} bytes"),
        b if b < 10 << 20 => format!("{:.0} KiB", b as f64 / 1024.0),
        b => format!("{:.1} MiB", b as f64 / 1024.0 / 1024.0),
    }
}

/// How many times.
pub fn times(ratio: f64) -> String {
    format!("{ratio:.2}x")
}

/// Which peers are installed, in which versions.
pub fn peers() -> String {
    let peers = [
        ("b3sum", version("b3sum", &["--version"])),
        ("comm", version("comm", &["--version"])),
        ("sst_dump", version("sst_dump", &["--version"])),
        (
            "DuckDB",
            version(
                "python3",
                &["-c", "import duckdb; print('duckdb', duckdb.__version__)"],
            ),
        ),
        (
            "pg_restore",
            crate::pg_server::bin()
                .and_then(|bin| version(bin.join("pg_restore").to_str()?, &["--version"])),
        ),
        (
            "sqlite3",
            version("sqlite3", &["--version"])
                .and_then(|said| Some(format!("sqlite3 {}", said.split(' ').next()?))),
        ),
        (
            "etcdutl",
            version("etcdutl", &["version"]).or_else(|| version("etcdctl", &["version"])),
        ),
    ];
    let said = peers.map(|(name, version)| version.unwrap_or_else(|| format!("no {name}")));
    format!("Peers: {}.", said.join(", "))
}
