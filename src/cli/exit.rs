//! Exit codes, how an error is told, and how the process ends.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::signals;
use crate::error::{Error, ErrorKind};

/// What a command that came to its end says to the script that called it. Errors carry codes of their own
/// ([`Error::exit_code`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: the work is done, or the two sides are the same.
    Same,
    /// 1: the sides differ.
    Different,
    /// 2: part of the work was not done, because of usage or I/O.
    Trouble,
    /// 3: part of the input was damaged and left out (`--keep-going`). Wins over every other code.
    Damaged,
}

impl Exit {
    /// The work is done.
    pub const DONE: Exit = Exit::Same;

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Same => 0,
            Exit::Different => 1,
            Exit::Trouble => 2,
            Exit::Damaged => 3,
        }
    }

    /// [`Exit::Different`] if `different`, else [`Exit::Same`].
    pub fn different_if(different: bool) -> Exit {
        if different {
            Exit::Different
        } else {
            Exit::Same
        }
    }

    /// With `--exit-zero`, a difference is no failure; trouble and damage stay what they are.
    #[must_use]
    pub fn or_zero(self, exit_zero: bool) -> Exit {
        match self {
            Exit::Different if exit_zero => Exit::Same,
            other => other,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// The table of exit codes at the end of every `--help` and man page.
pub const TABLE: &str = "\
Exit codes:
  0      same, or done
  1      different; from apply: refused, the base is not the one of the patch
  2      usage or I/O trouble
  3      an input is damaged, or not what it claims to be
  128+N  ended by signal N

  The table may grow: treat any code >= 2 that you do not know as a failure.";

/// Ends the process for `error`: tells it on stderr, with a hint where there is one, and returns its exit code.
///
/// A broken pipe is not trouble: the reader has seen enough, and we go as quietly as any other filter does.
pub fn fail(error: &Error) -> ExitCode {
    if is_broken_pipe(error) {
        signals::die_of_broken_pipe();
    }
    tell("error", AnsiColor::Red, &error.to_string());
    if let Some(hint) = error.hint() {
        tell("hint", AnsiColor::Cyan, &hint);
    }
    ExitCode::from(error.exit_code())
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints `label: text` on stderr. Nothing can be done where that fails too.
pub(super) fn tell(label: &str, colour: AnsiColor, text: &str) {
    let style = if stderr_has_colour() {
        Style::new().bold().fg_color(Some(colour.into()))
    } else {
        Style::new()
    };
    let line = format!("{style}{label}:{style:#} {}\n", printable(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

fn stderr_has_colour() -> bool {
    super::output::colour_is_on(super::output::colour_choice(), io::stderr().is_terminal())
}

/// Escapes what a terminal could take for a command (a file name may hold anything); keeps line ends.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_zero_forgives_differences_only() {
        for (exit, forgiven) in [
            (Exit::Same, 0),
            (Exit::Different, 0),
            (Exit::Trouble, 2),
            (Exit::Damaged, 3),
        ] {
            assert_eq!(exit.or_zero(true).code(), forgiven);
            assert_eq!(exit.or_zero(false), exit);
        }
    }

    #[test]
    fn a_message_cannot_drive_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc\x07"), "a\\u{1b}[2Jb\nc\\u{7}");
    }

    #[test]
    fn only_a_broken_pipe_is_quiet() {
        let error = |kind: io::ErrorKind| Error::io("writing", "stdout", kind.into());
        assert!(is_broken_pipe(&error(io::ErrorKind::BrokenPipe)));
        assert!(!is_broken_pipe(&error(io::ErrorKind::StorageFull)));
    }
}
