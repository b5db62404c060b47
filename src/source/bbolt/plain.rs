//! A bbolt file as it is: every bucket a table of raw bytes.

use std::io::Write;
use std::sync::Arc;

use super::buckets::{self, Bucket};
use super::cursor::{self, Scan};
use super::file::BoltFile;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};
use crate::source::{Estimate, RowWriter, Snapshot, Table};

/// An open file.
pub struct BoltSnapshot {
    file: Arc<BoltFile>,
    tables: Vec<BucketTable>,
}

/// A bucket as a table.
struct BucketTable {
    file: Arc<BoltFile>,
    bucket: Bucket,
}

impl BoltSnapshot {
    /// Finds the buckets of a file.
    ///
    /// # Errors
    ///
    /// Damaged, Limit, I/O errors.
    pub fn open(file: BoltFile) -> Result<BoltSnapshot> {
        let buckets = buckets::all(&file).map_err(|e| file.input.explain(e))?;
        let file = Arc::new(file);
        let tables = buckets.into_iter().map(|bucket| BucketTable {
            file: Arc::clone(&file),
            bucket,
        });
        Ok(BoltSnapshot {
            tables: tables.collect(),
            file,
        })
    }
}

/// What the file says of itself, for every view of it.
pub fn describe(file: &BoltFile) -> Vec<(String, String)> {
    let sha256 = match file.has_trailer {
        true => "right",
        false => "none, not a file of etcdctl snapshot save",
    };
    vec![
        ("bytes".into(), file.input.len().to_string()),
        ("page size".into(), file.meta.page_bytes.to_string()),
        ("pages in use".into(), file.meta.high_water.to_string()),
        ("transaction".into(), file.meta.transaction.to_string()),
        ("sha256".into(), sha256.into()),
    ]
}

/// The answer to who wants to write such a file.
pub fn no_writer() -> Error {
    Error::usage(
        "bbolt files can't be written",
        "print the rows of a patch with mdiff cat --json, and put them through the program itself",
    )
}

impl Snapshot for BoltSnapshot {
    fn format(&self) -> &'static str {
        super::BBOLT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.file.input.check_unchanged()
    }

    fn notes(&self) -> Vec<String> {
        self.file.notes.clone()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let mut facts = describe(&self.file);
        let sequences = self.tables.iter().filter(|t| t.bucket.sequence != 0);
        facts.extend(sequences.map(|table| {
            let name = format!("sequence of {}", table.bucket.name);
            (name, table.bucket.sequence.to_string())
        }));
        facts
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(no_writer())
    }
}

impl Table for BucketTable {
    fn name(&self) -> &str {
        &self.bucket.name
    }

    fn schema(&self) -> &Schema {
        &Schema::Bytes
    }

    fn estimate(&self) -> Estimate {
        Estimate {
            rows: self.bucket.rows,
            bytes: self.bucket.bytes,
            file_bytes: self.bucket.bytes,
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        Ok(cursor::split(&self.file, self.bucket.root, range, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(Scan::new(&self.file, self.bucket.root, range)))
    }
}
