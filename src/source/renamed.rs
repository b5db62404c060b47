//! Some tables of a snapshot under other names: those that another system's snapshot has.

use std::io::Write;
use std::sync::Arc;

use super::{Estimate, Judge, Position, RowWriter, Snapshot, Table};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};
use crate::source::cassandra::model::Deletion;
use crate::source::cassandra::tied::{TieCount, Tied};

/// A snapshot of some tables of another.
pub struct Renamed {
    snapshot: Arc<dyn Snapshot>,
    tables: Vec<RenamedTable>,
}

struct RenamedTable {
    snapshot: Arc<dyn Snapshot>,
    /// Its place among the tables there.
    index: usize,
    name: String,
}

impl Renamed {
    /// The tables of `snapshot` named first in each pair, called as the second says.
    ///
    /// # Errors
    ///
    /// Usage, where there is no such table.
    pub fn new(snapshot: Box<dyn Snapshot>, names: &[(&str, &str)]) -> Result<Renamed> {
        let snapshot: Arc<dyn Snapshot> = Arc::from(snapshot);
        let mut tables = Vec::new();
        for (from, to) in names {
            let known = snapshot.tables();
            let index = known.iter().position(|table| table.name() == *from);
            let index = index.ok_or_else(|| {
                let known: Vec<&str> = known.iter().map(|table| table.name()).collect();
                Error::usage(
                    format!("there is no table {from:?}"),
                    format!("tables are: {}", known.join(", ")),
                )
            })?;
            tables.push(RenamedTable {
                snapshot: Arc::clone(&snapshot),
                index,
                name: (*to).to_owned(),
            });
        }
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Renamed { snapshot, tables })
    }
}

impl Snapshot for Renamed {
    fn format(&self) -> &'static str {
        self.snapshot.format()
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.snapshot.check_unchanged()
    }

    fn notes(&self) -> Vec<String> {
        self.snapshot.notes()
    }

    fn position(&self) -> Option<Position> {
        self.snapshot.position()
    }

    fn describe(&self) -> Vec<(String, String)> {
        self.snapshot.describe()
    }

    fn written_format(&self) -> &'static str {
        self.snapshot.written_format()
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        self.snapshot.writer(out)
    }
}

impl RenamedTable {
    fn table(&self) -> &dyn Table {
        // The tables of an open snapshot stay the same.
        self.snapshot.tables().swap_remove(self.index)
    }
}

impl Table for RenamedTable {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &Schema {
        self.table().schema()
    }

    fn estimate(&self) -> Estimate {
        self.table().estimate()
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        self.table().split(range, pieces)
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        self.table().scan(range)
    }

    fn judge(&self) -> Option<&dyn Judge> {
        self.table().judge()
    }

    fn gc_grace_seconds(&self) -> Option<i64> {
        self.table().gc_grace_seconds()
    }

    fn deletions_over(&self, key: &[u8]) -> Result<Option<[Deletion; 2]>> {
        self.table().deletions_over(key)
    }

    fn ties(&self) -> Option<TieCount> {
        self.table().ties()
    }

    fn each_tie(
        &self,
        range: &KeyRange,
        sink: &mut dyn FnMut(&[u8], &Tied) -> Result<()>,
    ) -> Result<()> {
        self.table().each_tie(range, sink)
    }

    fn check_digests(&self) -> Result<()> {
        self.table().check_digests()
    }

    fn may_recover(&self) -> bool {
        self.table().may_recover()
    }

    fn recover(&self, error: &Error) -> Result<bool> {
        self.table().recover(error)
    }
}
