//! Delimited text: `.csv`, `.tsv` and their kin, as RFC 4180 describes them and every database exports them.
//!
//! A file is one table, `default`, with named columns; [`crate::row::columns`] says how they become keys and values. Columns are matched
//! by name, so their order does not matter.
//!
//! | what | how it is read |
//! |---|---|
//! | line ends | `\n` and `\r\n`, also mixed; the last one may be missing. A lone `\r` is part of a field, and refused in a header |
//! | quotes | a field that starts with `"` ends at the next `"` that is not doubled; nothing but a delimiter or a line end may follow. A quote inside an unquoted field is an error. The same in tab-separated text |
//! | header | the first line that is not empty, unless `--no-header`; then columns are named `1`, `2`, ... Two columns of one name are an error |
//! | empty lines | skipped, unless the table has one column: then a row with an empty field |
//! | NULL | an unquoted field that is exactly the text given by `--null`; never a quoted one. Not allowed in the key |
//! | bytes | any: fields need not be UTF-8, names of columns must be. A UTF-8 byte order mark in front is skipped |
//! | number of fields | the same in every record, or an error |
//!
//! Sorted text (strictly ascending by encoded key, so by bytes) is read in parallel straight from the map. Any other is sorted
//! first, in bounded memory. A key that stands twice is an error that shows both lines.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};
use crate::source::sort::{SortOptions, SortedRows, Sorter};
use crate::source::{
    Detected, Estimate, Format, Reader, RowWriter, Snapshot, SourceOptions, Table,
};

mod body;
mod columns;
mod cut;
mod dialect;
mod plain;
mod quotes;
pub(in crate::source) mod record;
mod scan;
mod write;

pub use body::line_number;
pub use dialect::is_tab_separated;

use body::Body;
use cut::Text;
use dialect::Dialect;
use scan::Scan;

/// Delimited text.
pub const FORMAT: Format = Format {
    name: "csv",
    about: "delimited text (.csv, .tsv), as every database and spreadsheet exports it",
    extensions: &["csv", "tsv", "tab", "txt"],
    reader: Reader::File { detect, open },
    create: Some(write::create),
};

/// Text can't be told from other text: anything without a zero byte in front could be it.
fn detect(input: &Input) -> Result<Detected> {
    let mut scratch = Vec::new();
    let head = input.read(0, input.len().min(4 << 10), &mut scratch)?;
    Ok(if head.contains(&0) {
        Detected::No
    } else {
        Detected::Maybe
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    Ok(Box::new(Csv::open(input, options)?))
}

/// A file of delimited text, and its one table.
struct Csv {
    dialect: Dialect,
    schema: Schema,
    body: Body,
    sort: SortOptions,
    /// The rows in order, once it is known that the text's are not.
    sorted: OnceLock<SortedRows>,
}

impl Csv {
    fn open(input: Input, options: &SourceOptions) -> Result<Csv> {
        let (dialect, columns, start) = dialect::read_head(&input, &options.text)?;
        let schema = columns.schema();
        let text = Text::new(
            dialect.delimiter,
            dialect.null.clone(),
            columns,
            input.limits(),
        );
        Ok(Csv {
            dialect,
            schema,
            sort: SortOptions {
                temp_dir: options.file.temp_dir.clone(),
                memory_bytes: options.sort_memory_bytes,
                path: input.path().to_owned(),
            },
            body: Body::new(input, text, start, options.text.trust_order),
            sorted: OnceLock::new(),
        })
    }

    fn sort(&self) -> Result<()> {
        let body = &self.body;
        let show_place = |offset| body.show_place(offset);
        let mut sorter = Sorter::new(self.sort.clone(), &show_place);
        Scan::new(body, body.start, body.end(), None)
            .in_any_order()
            .run(&mut |row, offset| sorter.push(row, offset).map(|()| true))?;
        let sorted = sorter.finish().map_err(|error| body.input.explain(error))?;
        let _ = self.sorted.set(sorted);
        Ok(())
    }
}

impl Snapshot for Csv {
    fn format(&self) -> &'static str {
        FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![self]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.body.input.check_unchanged()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let columns = &self.body.text.columns;
        let list = |at: &[usize]| {
            at.iter()
                .filter_map(|&at| columns.names.get(at).map(String::as_str))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let yes_no = |yes| if yes { "yes" } else { "no" }.to_owned();
        vec![
            ("bytes".into(), self.body.input.len().to_string()),
            (
                "delimiter".into(),
                crate::row::escape(&[self.dialect.delimiter]).into_owned(),
            ),
            ("header".into(), yes_no(self.dialect.has_header)),
            (
                "line ends".into(),
                if self.dialect.has_carriage_returns {
                    "\\r\\n"
                } else {
                    "\\n"
                }
                .into(),
            ),
            ("columns".into(), columns.names.len().to_string()),
            ("key".into(), list(&columns.key)),
            ("value".into(), list(&columns.value)),
        ]
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        write::like(out, &self.dialect, &self.body.text.columns)
    }
}

impl Table for Csv {
    fn name(&self) -> &str {
        "default"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn estimate(&self) -> Estimate {
        let file_bytes = self.body.input.len();
        match self.sorted.get() {
            Some(sorted) => Estimate {
                rows: sorted.rows(),
                bytes: sorted.bytes(),
                file_bytes,
            },
            None => self.body.estimate(),
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        match self.sorted.get() {
            Some(sorted) => Ok(sorted.split(range, pieces)),
            None => self.body.split(range, pieces),
        }
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        match self.sorted.get() {
            Some(sorted) => Ok(sorted.scan(range)),
            None => Ok(Box::new(self.body.scan(range)?)),
        }
    }

    fn may_recover(&self) -> bool {
        self.sorted.get().is_none() && !self.body.is_order_proven()
    }

    fn recover(&self, error: &Error) -> Result<bool> {
        if self.sorted.get().is_some() {
            return Ok(false);
        }
        let had_guesses = !self.body.quotes.is_exact();
        if self.body.quotes.settle(&self.body.input)? {
            self.body.forget_scanned();
            return Ok(true);
        }
        match error.kind() {
            ErrorKind::Unsorted { .. } => self.sort().map(|()| true),
            // Ranges were looked for in a text that was trusted to be in order.
            ErrorKind::StaleTree { .. } => match self.body.prove_order() {
                Err(error) if matches!(error.kind(), ErrorKind::Unsorted { .. }) => {
                    self.sort().map(|()| true)
                }
                proven => proven.map(|()| had_guesses),
            },
            // A search may have met the middle of a quoted field.
            ErrorKind::Damaged { .. } | ErrorKind::Limit { .. } => Ok(had_guesses),
            _ => Ok(false),
        }
    }
}

/// Locks; a panic elsewhere has left nothing half done behind these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `count` pieces of work on threads of their own: as many as rayon has, but free of its habit of running other tasks
/// while one waits, which may hold a lock. Returns the first error.
fn on_all_cores(count: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let threads = rayon::current_num_threads().min(count);
    if threads <= 1 {
        return (0..count).try_for_each(work);
    }
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let run = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            work(index).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        }
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles
            .into_iter()
            .try_for_each(|handle| match handle.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

#[cfg(test)]
mod tests;
