//! The result on stdout and notes on stderr: checked writes, colour, and how numbers and long values are shown.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, OnceLock};

use anstyle::{AnsiColor, Style};

use super::args::{ColorWhen, CommonArgs};
use super::exit::tell;
use super::progress::{Shown, Ticker};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::row::Schema;

/// Longest value that is shown whole on a terminal, in bytes of its escaped text. Keys are never cut.
pub const VALUE_ON_TERMINAL_MAX: usize = 200;

const BUFFER_BYTES: usize = 128 << 10;

static COLOUR: OnceLock<ColorWhen> = OnceLock::new();

/// What `--color` said; `auto` before the command line is read.
pub(super) fn colour_choice() -> ColorWhen {
    COLOUR.get().copied().unwrap_or(ColorWhen::Auto)
}

/// Whether to colour a stream: `--color`, else NO_COLOR, CLICOLOR_FORCE and TERM=dumb, else whether it is a terminal.
pub(super) fn colour_is_on(when: ColorWhen, is_terminal: bool) -> bool {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    colour_by(
        when,
        is_terminal,
        &var("NO_COLOR"),
        &var("CLICOLOR_FORCE"),
        &var("TERM"),
    )
}

fn colour_by(when: ColorWhen, terminal: bool, no_color: &str, force: &str, term: &str) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if !no_color.is_empty() => false,
        ColorWhen::Auto if !force.is_empty() && force != "0" => true,
        ColorWhen::Auto => terminal && term != "dumb",
    }
}

/// What a piece of output means; gives its colour where there is colour. Signs and words must say the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Same, proven, good.
    Good,
    /// Only on the left, removed, bad.
    Left,
    /// Only on the right, added.
    Right,
    /// On both sides, but not the same.
    Changed,
    /// A heading.
    Strong,
    /// Of little weight.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Tone::Good => colour(AnsiColor::Green),
            // Not red and green: the pair must be told apart by everybody.
            Tone::Left => colour(AnsiColor::Yellow),
            Tone::Right => colour(AnsiColor::Blue),
            Tone::Changed => colour(AnsiColor::Magenta),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        }
    }
}

/// Where results go. Every write is checked, and [`Output::finish`] checks the last.
pub struct Output {
    sink: Sink,
    buffer: Vec<u8>,
    colour: bool,
    terminal: bool,
    quiet: u8,
    verbose: u8,
    shown: Shown,
}

enum Sink {
    Stdout(File),
    Nothing,
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl Output {
    /// Results to stdout, as the common arguments ask.
    ///
    /// # Errors
    ///
    /// I/O, where stdout can't be used.
    pub fn stdout(common: &CommonArgs) -> Result<Output> {
        let _ = COLOUR.set(common.color);
        let terminal = io::stdout().is_terminal();
        let sink = if common.quiet >= 2 {
            Sink::Nothing
        } else {
            Sink::Stdout(own_stdout()?)
        };
        Ok(Output {
            sink,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            colour: colour_is_on(common.color, terminal),
            terminal,
            quiet: common.quiet,
            verbose: common.verbose,
            shown: common.progress_shown(),
        })
    }

    /// Results to memory, without colour: for tests.
    pub fn memory() -> (Output, Arc<Mutex<Vec<u8>>>) {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let output = Output {
            sink: Sink::Memory(Arc::clone(&bytes)),
            buffer: Vec::new(),
            colour: false,
            terminal: false,
            quiet: 1,
            verbose: 0,
            shown: Shown::Nothing,
        };
        (output, bytes)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len().saturating_add(bytes.len()) > BUFFER_BYTES {
            self.flush()?;
            if bytes.len() > BUFFER_BYTES {
                return self.sink.write(bytes);
            }
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes one line.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.bytes(text.as_ref().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes one JSON document on one line.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn json(&mut self, document: &serde_json::Value) -> Result<()> {
        self.line(document.to_string())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let written = self.sink.write(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        written
    }

    /// Writes the last bytes. A result counts only after this.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()
    }

    /// Returns a writer to the same place, behind what was written so far: for writers of formats.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn writer(&mut self) -> Result<Box<dyn Write>> {
        self.flush()?;
        Ok(match &self.sink {
            Sink::Stdout(file) => Box::new(file.try_clone().map_err(stdout_error)?),
            Sink::Nothing => Box::new(io::sink()),
            Sink::Memory(bytes) => Box::new(Shared(Arc::clone(bytes))),
        })
    }

    /// `text` in the colour of `tone`, or as it is where there is no colour.
    pub fn paint<'t>(&self, tone: Tone, text: &'t str) -> Cow<'t, str> {
        if !self.colour {
            return Cow::Borrowed(text);
        }
        let style = tone.style();
        Cow::Owned(format!("{style}{text}{style:#}"))
    }

    /// Whether results are coloured.
    pub fn has_colour(&self) -> bool {
        self.colour
    }

    /// Whether results go to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The key as a person reads it: never cut, and `--from` takes it back.
    pub fn key(&self, schema: &Schema, key: &[u8]) -> String {
        schema.show_key(key)
    }

    /// `text`, a value already escaped, cut on a terminal where it is long; what is missing is said.
    pub fn value<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.terminal {
            cut(text, VALUE_ON_TERMINAL_MAX)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Tells something on stderr that is no result; `-q` silences it.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.quiet == 0 {
            tell("note", AnsiColor::Blue, text.as_ref());
        }
    }

    /// Tells on stderr that the result is not whole; only `-qq` silences it.
    pub fn warn(&self, text: impl AsRef<str>) {
        if self.quiet < 2 {
            tell("warning", AnsiColor::Yellow, text.as_ref());
        }
    }

    /// Tells on stderr how the work is done; only with `-v`.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.verbose > 0 {
            tell("detail", AnsiColor::Green, text.as_ref());
        }
    }

    /// Shows the progress of `action` ("building a.mtree") on stderr until the ticker is dropped, in the way the user
    /// asked for. `bytes_total` is a guess at what `progress.bytes` will reach; 0 where there is none.
    pub fn progress(&self, action: &str, bytes_total: u64, progress: Arc<Progress>) -> Ticker {
        Ticker::start(self.shown, action, bytes_total, progress)
    }
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Sink::Stdout(file) => file.write_all(bytes).map_err(stdout_error),
            Sink::Nothing => Ok(()),
            Sink::Memory(memory) => Shared(Arc::clone(memory))
                .write_all(bytes)
                .map_err(stdout_error),
        }
    }
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut memory = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file of stdout's own: std's handle flushes at every line and takes some errors for success.
fn own_stdout() -> Result<File> {
    let owned = io::stdout().as_fd().try_clone_to_owned();
    owned.map(File::from).map_err(stdout_error)
}

fn stdout_error(error: io::Error) -> Error {
    Error::io("writing", "stdout", error)
}

/// A name as a person reads it: what a terminal could take for a command is escaped. Names of files and tables, and what a file says of
/// itself, may hold anything.
pub fn name(name: impl fmt::Display) -> String {
    let mut out = String::new();
    for c in name.to_string().chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A count with thousands separated: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of things: `1 row`, `2 rows`.
pub fn counted(number: u64, one: &str) -> String {
    format!(
        "{} {one}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// A count of things whose plural is another word: `1 leaf`, `2 leaves`.
pub fn counted_as(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Bytes in the unit that suits them: `999 B`, `1.5 KiB`, `64.0 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would print as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A share of a whole: `0 %`, `<0.01 %`, `12.34 %`, `100 %`. Never rounds a difference away to none, nor up to all.
pub fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".into();
    }
    if part >= whole {
        return "100 %".into();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.01 {
        "<0.01 %".into()
    } else {
        format!("{:.2} %", percent.min(99.99))
    }
}

/// `text`, cut at a character's end to at most `max` bytes, with the number of bytes left out.
pub(super) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let end = (0..=max)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0);
    let left_out = (text.len() - end) as u64;
    Cow::Owned(format!(
        "{}...[{} more bytes]",
        &text[..end],
        count(left_out)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "row"), "0 rows");
    }

    #[test]
    fn bytes_have_a_unit_that_suits() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (64 << 20, "64.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(1, 1_000_000_000), "<0.01 %");
        assert_eq!(percent(1, 8), "12.50 %");
        assert_eq!(percent(999_999_999, 1_000_000_000), "99.99 %");
        assert_eq!(percent(10, 10), "100 %");
    }

    #[test]
    fn long_values_are_cut_with_a_mark() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "longe...[1 more bytes]");
        assert_eq!(cut("\u{e4}\u{e4}", 3), "\u{e4}...[2 more bytes]");
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        use ColorWhen::{Always, Auto, Never};
        for (when, terminal, no_color, force, term, on) in [
            (Auto, true, "", "", "xterm", true),
            (Auto, false, "", "", "xterm", false),
            (Auto, true, "1", "", "xterm", false),
            (Auto, true, "1", "1", "xterm", false),
            (Auto, false, "", "1", "dumb", true),
            (Auto, true, "", "", "dumb", false),
            (Always, false, "1", "", "dumb", true),
            (Never, true, "", "1", "xterm", false),
        ] {
            assert_eq!(colour_by(when, terminal, no_color, force, term), on);
        }
    }

    #[test]
    fn a_writer_goes_on_behind_what_was_written() {
        let (mut out, bytes) = Output::memory();
        out.line("head").unwrap();
        out.writer().unwrap().write_all(b"rows\n").unwrap();
        out.line("tail").unwrap();
        out.finish().unwrap();
        assert_eq!(*bytes.lock().unwrap(), b"head\nrows\ntail\n");
    }
}
