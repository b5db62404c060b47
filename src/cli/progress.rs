//! Progress on stderr: a bar on a terminal, plain lines for logs, or JSON Lines for programs.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use crate::progress::Progress;

/// How progress is shown, once it is known what stderr is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Not at all.
    Nothing,
    /// As a bar that is redrawn.
    Bar,
    /// As a line of text every ten seconds.
    Plain,
    /// As a JSON document a line, every second.
    Json,
}

impl Shown {
    /// The bar, if stderr is a terminal that can redraw a line.
    pub fn auto() -> Shown {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !dumb {
            Shown::Bar
        } else {
            Shown::Nothing
        }
    }

    fn interval(self) -> Duration {
        match self {
            Shown::Bar | Shown::Nothing => Duration::from_millis(100),
            Shown::Plain => Duration::from_secs(10),
            Shown::Json => Duration::from_secs(1),
        }
    }
}

/// Shows progress from a thread of its own until it is dropped.
#[must_use = "progress is shown until the ticker is dropped"]
pub struct Ticker {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Ticker {
    /// Starts showing `progress`.
    pub fn start(shown: Shown, action: &str, bytes_total: u64, progress: Arc<Progress>) -> Ticker {
        if shown == Shown::Nothing {
            return Ticker { running: None };
        }
        let view = View {
            action: action.to_owned(),
            bytes_total,
            progress,
            start: Instant::now(),
        };
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("progress".into())
            .spawn(move || {
                let bar = (shown == Shown::Bar).then(|| view.bar());
                loop {
                    let wait = stopped.recv_timeout(shown.interval());
                    let last = wait != Err(RecvTimeoutError::Timeout);
                    match &bar {
                        Some(bar) if last => bar.finish_and_clear(),
                        Some(bar) => view.move_bar(bar),
                        None => view.print(shown, last),
                    }
                    if last {
                        return;
                    }
                }
            });
        Ticker {
            // Work goes on without progress where no thread can be started.
            running: thread.ok().map(|thread| (stop, thread)),
        }
    }

    /// Stops showing, and waits until the bar is gone, so that the result does not mix with it.
    pub fn finish(self) {}
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

struct View {
    action: String,
    bytes_total: u64,
    progress: Arc<Progress>,
    start: Instant,
}

impl View {
    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(
            (self.bytes_total > 0).then_some(self.bytes_total),
            ProgressDrawTarget::stderr(),
        );
        let template = if self.bytes_total > 0 {
            "{prefix} [{bar:30}] {bytes}/{total_bytes} ({bytes_per_sec}, {msg}, ETA {eta})"
        } else {
            "{prefix} {spinner} {bytes} ({bytes_per_sec}, {msg})"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(self.action.clone());
        bar
    }

    fn move_bar(&self, bar: &ProgressBar) {
        let (rows, bytes) = self.progress.get();
        // The total is a guess: a bar that overshoots would look broken.
        if self.bytes_total > 0 && bytes > self.bytes_total {
            bar.set_length(bytes);
        }
        bar.set_position(bytes);
        bar.set_message(format!(
            "{} rows/s",
            output::count(per_second(rows, self.start.elapsed()))
        ));
    }

    fn print(&self, shown: Shown, last: bool) {
        let elapsed = self.start.elapsed();
        let line = match shown {
            Shown::Json => self.json(elapsed, last),
            _ => self.plain(elapsed, last),
        };
        let _ = io::stderr()
            .lock()
            .write_all(format!("{line}\n").as_bytes());
    }

    fn plain(&self, elapsed: Duration, last: bool) -> String {
        let (rows, bytes) = self.progress.get();
        let mut line = format!("{}: {}", self.action, output::bytes(bytes));
        if last {
            line.push_str(", done");
        } else if self.bytes_total > 0 {
            let done = bytes.min(self.bytes_total);
            line.push_str(&format!(
                " of about {} ({})",
                output::bytes(self.bytes_total.max(bytes)),
                output::percent(done, self.bytes_total)
            ));
        }
        line.push_str(&format!(
            ", {} rows, {}/s, {} rows/s, {} s",
            output::count(rows),
            output::bytes(per_second(bytes, elapsed)),
            output::count(per_second(rows, elapsed)),
            elapsed.as_secs()
        ));
        if !last && let Some(left) = self.seconds_left(bytes, elapsed) {
            line.push_str(&format!(", about {left} s left"));
        }
        line
    }

    fn json(&self, elapsed: Duration, last: bool) -> String {
        let (rows, bytes) = self.progress.get();
        serde_json::json!({
            "schema": super::JSON_SCHEMA,
            "type": "progress",
            "action": self.action,
            "done": last,
            "rows": rows,
            "bytes": bytes,
            "bytes_total": (self.bytes_total > 0).then_some(self.bytes_total),
            "seconds": elapsed.as_secs_f64(),
            "seconds_left": if last { None } else { self.seconds_left(bytes, elapsed) },
        })
        .to_string()
    }

    fn seconds_left(&self, bytes: u64, elapsed: Duration) -> Option<u64> {
        let left = self.bytes_total.checked_sub(bytes)?;
        (bytes > 0).then(|| (elapsed.as_secs_f64() * left as f64 / bytes as f64).ceil() as u64)
    }
}

fn per_second(number: u64, elapsed: Duration) -> u64 {
    (number as f64 / elapsed.as_secs_f64().max(0.001)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let progress = Progress::default();
        progress.add(1_000, 1 << 20);
        View {
            action: "building a.mtree".into(),
            bytes_total: 4 << 20,
            progress: Arc::new(progress),
            start: Instant::now(),
        }
    }

    #[test]
    fn plain_lines_say_how_far_how_fast_and_how_long() {
        let elapsed = Duration::from_secs(2);
        assert_eq!(
            view().plain(elapsed, false),
            "building a.mtree: 1.0 MiB of about 4.0 MiB (25.00 %), 1,000 rows, 512.0 KiB/s, 500 rows/s, 2 s, about 6 s left"
        );
        assert_eq!(
            view().plain(elapsed, true),
            "building a.mtree: 1.0 MiB, done, 1,000 rows, 512.0 KiB/s, 500 rows/s, 2 s"
        );
    }

    #[test]
    fn json_lines_parse() {
        let line: serde_json::Value =
            serde_json::from_str(&view().json(Duration::from_secs(2), false)).unwrap();
        assert_eq!(line["type"], "progress");
        assert_eq!(line["bytes"], 1 << 20);
        assert_eq!(line["seconds_left"], 6);
        assert_eq!(line["done"], false);
    }

    #[test]
    fn a_wrong_guess_of_the_total_is_no_panic() {
        let mut view = view();
        view.bytes_total = 1;
        assert!(!view.plain(Duration::ZERO, false).contains("left"));
        view.move_bar(&view.bar());
    }
}
