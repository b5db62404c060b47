//! How a text is written: delimiter, header, line ends, NULL; found out from the options and its first record.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::source::TextOptions;

use super::body::{WINDOW_BYTES, line_number};
use super::columns::Columns;
use super::record::{self, Field, Parsed, QUOTE};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a text is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    pub has_header: bool,
    /// Whether lines end in `\r\n`, as the first one does.
    pub has_carriage_returns: bool,
    /// How NULL is spelled.
    pub null: Option<Vec<u8>>,
}

impl Dialect {
    /// What the options say, for a file named `path`.
    ///
    /// # Errors
    ///
    /// Usage, where a delimiter or a NULL could not be told from the rest of the text.
    pub fn new(options: &TextOptions, path: &Path) -> Result<Dialect> {
        let delimiter =
            options
                .delimiter
                .unwrap_or(if is_tab_separated(path) { b'\t' } else { b',' });
        let is_structure = |byte| matches!(byte, QUOTE | b'\n' | b'\r');
        if is_structure(delimiter) {
            return Err(Error::usage(
                format!(
                    "--delimiter: {:?} can't be a delimiter",
                    char::from(delimiter)
                ),
                "a delimiter is one byte other than a quote or a line end",
            ));
        }
        let null = options.null.clone().map(String::into_bytes);
        if null
            .iter()
            .flatten()
            .any(|&byte| byte == delimiter || is_structure(byte))
        {
            return Err(Error::usage(
                "--null: no unquoted field can hold this text",
                "NULL is spelled without delimiters, quotes and line ends",
            ));
        }
        Ok(Dialect {
            delimiter,
            has_header: !options.no_header,
            has_carriage_returns: false,
            null,
        })
    }

    /// What ends a line.
    pub fn line_end(&self) -> &'static [u8] {
        if self.has_carriage_returns {
            b"\r\n"
        } else {
            b"\n"
        }
    }
}

/// Whether a file's name says that tabs stand between its columns: `rows.tsv`, `rows.tab`, `rows.tsv.gz`.
pub fn is_tab_separated(path: &Path) -> bool {
    const TABBED: &[&str] = &["tsv", "tab"];
    // Of a compression, or of a file that is being written.
    const OUTER: &[&str] = &["gz", "zst", "lz4", "bz2", "xz", "mdiff-partial"];
    let mut name = PathBuf::from(path.file_name().unwrap_or_default().to_ascii_lowercase());
    let is_one_of = |name: &Path, ends: &[&str]| {
        name.extension()
            .is_some_and(|e| ends.iter().any(|t| e == *t))
    };
    if is_one_of(&name, OUTER) {
        name.set_extension("");
    }
    is_one_of(&name, TABBED)
}

/// The first record of a text, and where it stands.
struct First {
    fields: Vec<Vec<u8>>,
    start: u64,
    next: u64,
    has_carriage_return: bool,
}

/// Reads the header, or what stands for one: returns the dialect, the columns and the offset of the first row.
pub(super) fn read_head(input: &Input, options: &TextOptions) -> Result<(Dialect, Columns, u64)> {
    let mut dialect = Dialect::new(options, input.path())?;
    let mut scratch = Vec::new();
    let head = input.read(0, input.len().min(3), &mut scratch)?;
    let start = if head == BYTE_ORDER_MARK { 3 } else { 0 };
    let first = first_record(input, start, &dialect)?;
    dialect.has_carriage_returns = first
        .as_ref()
        .is_some_and(|first| first.has_carriage_return);
    let limits = input.limits();
    if let Some(first) = &first
        && first.fields.len() as u64 > limits.columns_max
    {
        return Err(ErrorKind::Limit {
            path: input.path().to_owned(),
            offset: first.start,
            what: "columns",
            value: first.fields.len() as u64,
            max: limits.columns_max,
        }
        .into());
    }
    if !dialect.has_header {
        let count = match &first {
            Some(first) => first.fields.len(),
            None => columns_named_by(options),
        };
        let names = (1..=count).map(|number| number.to_string()).collect();
        let columns = Columns::resolve(names, options, input.path())?;
        // Empty lines in front are rows if there is one column.
        return Ok((dialect, columns, start));
    }
    let Some(first) = first else {
        return Err(Error::unsupported(
            input.path(),
            "no header line: the file is empty",
            "a table without rows still has a header; use --no-header if rows start at the first line",
        ));
    };
    let names = first
        .fields
        .iter()
        .map(|field| column_name(field, input.path()))
        .collect::<Result<_>>()?;
    let columns = Columns::resolve(names, options, input.path())?;
    Ok((dialect, columns, first.next))
}

fn column_name(field: &[u8], path: &Path) -> Result<String> {
    let name = std::str::from_utf8(field).map_err(|_| {
        Error::unsupported(
            path,
            "the header is not UTF-8",
            "name the columns in UTF-8, or use --no-header if the first line is a row",
        )
    })?;
    if name.contains('\r') {
        return Err(Error::unsupported(
            path,
            "the header holds a carriage return without a line feed",
            "lines end in \\n or \\r\\n; convert the line ends of old Macs first",
        ));
    }
    Ok(name.to_owned())
}

/// An empty text without header has as many columns as the options speak of.
fn columns_named_by(options: &TextOptions) -> usize {
    // An empty table need not have more columns than any table has.
    let most = crate::limits::Limits::default().columns_max as usize;
    [
        &options.key,
        &options.usual_key,
        &options.columns,
        &options.ignore_columns,
    ]
    .into_iter()
    .flatten()
    .filter_map(|name| name.parse().ok())
    .filter(|&number| number <= most)
    .max()
    .unwrap_or(1)
}

/// Reads the first record that is not an empty line.
fn first_record(input: &Input, mut at: u64, dialect: &Dialect) -> Result<Option<First>> {
    let max = input.limits().record_bytes_max;
    let (mut len, mut scratch) = (WINDOW_BYTES / 16, Vec::new());
    let mut fields: Vec<Field> = Vec::new();
    let mut has_empty_line = None;
    while at < input.len() {
        let left = input.len() - at;
        let bytes = input.read(at, len.min(left), &mut scratch)?;
        let parsed = record::parse(bytes, 0, len >= left, dialect.delimiter, &mut fields);
        let next = match parsed {
            Ok(Parsed::Record(next)) => next,
            Ok(Parsed::Incomplete) if len > max => {
                return Err(ErrorKind::Limit {
                    path: input.path().to_owned(),
                    offset: at,
                    what: "record bytes",
                    value: len,
                    max,
                }
                .into());
            }
            Ok(Parsed::Incomplete) => {
                len *= 4;
                continue;
            }
            Err(flaw) => {
                let offset = at + flaw.at as u64;
                let line = line_number(input, offset);
                return Err(input.explain(Error::damaged(
                    input.path(),
                    offset,
                    format!("line {line}: {}", flaw.what),
                )));
            }
        };
        let has_carriage_return = bytes
            .get(..next)
            .is_some_and(|record| record.ends_with(b"\r\n"));
        let mut undoubled = Vec::new();
        let first = First {
            fields: fields
                .iter()
                .map(|field| field.content(bytes, &mut undoubled).to_vec())
                .collect(),
            start: at,
            next: at + next as u64,
            has_carriage_return,
        };
        if !record::is_blank(&fields) {
            return Ok(Some(first));
        }
        at = first.next;
        has_empty_line.get_or_insert(first);
    }
    // Nothing but empty lines: rows of one column, if they are no header.
    Ok(has_empty_line.filter(|_| !dialect.has_header))
}
