//! Arguments that say how files for MySQL's LOAD DATA are written.

use clap::{Args, ValueEnum};

use crate::source::LoadOptions;

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LineEndArg {
    /// \\n
    #[default]
    Lf,
    /// \\r\\n
    Crlf,
}

/// How the fields of `mysqldump --tab` are kept apart, besides `--delimiter`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading snapshots")]
pub struct LoadArgs {
    /// MySQL's --tab: the quote around fields, where there is one
    ///
    /// What --fields-enclosed-by or --fields-optionally-enclosed-by was. The files do not tell it.
    #[arg(long, value_name = "CHAR", value_parser = parse_quote, hide_short_help = true)]
    pub enclosed_by: Option<u8>,

    /// MySQL's --tab: what ends a line
    #[arg(
        long,
        value_enum,
        value_name = "END",
        default_value_t,
        hide_short_help = true
    )]
    pub line_end: LineEndArg,
}

impl LoadArgs {
    /// The options for [`crate::source::open`].
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            enclosed_by: self.enclosed_by,
            crlf: self.line_end == LineEndArg::Crlf,
        }
    }
}

fn parse_quote(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii_graphic() && *byte != b'\\' => Ok(*byte),
        _ => Err("one character of ASCII that is no backslash is wanted".into()),
    }
}
