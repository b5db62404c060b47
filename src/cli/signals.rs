//! Signals: temporary files go, then the process dies of the signal, so that the shell sees 128+N.

use std::process;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::file::process::{ignore_sigxfsz, raise_open_files_limit};
use crate::file::replace::remove_pending;

/// Starts listening. Called once, before any thread that opens an output.
///
/// Signals that the parent asked to ignore (`nohup`, a background job of a script) stay ignored.
pub fn install() {
    // A write over RLIMIT_FSIZE then fails with EFBIG, which names the file, where the default would kill the process and
    // leave its temporary file behind.
    ignore_sigxfsz();
    raise_open_files_limit();
    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let Ok(mut signals) = Signals::new(wanted) else {
        return;
    };
    // Where no thread can be started, the default action of the signals would be lost; closing the handle restores nothing
    // either, so the process then only answers to SIGKILL. It would fail at its first worker thread anyway.
    let _ = thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                die_of(signal);
            }
        });
}

/// Removes temporary files and dies of SIGPIPE, which Rust programs ignore at their start.
pub fn die_of_broken_pipe() -> ! {
    die_of(SIGPIPE)
}

fn die_of(signal: i32) -> ! {
    remove_pending();
    let _ = emulate_default_handler(signal);
    // Only reached where the signal has no default action here.
    process::exit(128 + signal)
}

/// The mask of signals that were ignored when the process started: bit N-1 for signal N; 0 where the system does not say.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status)
}

fn ignored_in(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_mask_of_ignored_signals() {
        let status = "Name:\tmdiff\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n";
        let mask = ignored_in(status);
        assert_eq!(mask >> (SIGHUP - 1) & 1, 1);
        assert_eq!(mask >> (SIGPIPE - 1) & 1, 1);
        assert_eq!(mask >> (SIGINT - 1) & 1, 0);
        assert_eq!(ignored_in(""), 0);
    }
}
