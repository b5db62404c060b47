//! Rows past damage: an error tells which keys are hidden, and the scan goes on behind them.
//!
//! What was merged when an SSTable turned out to be damaged is not known for any of its keys up to the next partition that its
//! index leads to. So all of these are hidden, those of the other SSTables too, and the merge begins again there.

use super::table::{CassandraTable, Reader, Rows};
use crate::error::{Error, ErrorKind, Result, UnreadableKeys};
use crate::range::KeyRange;
use crate::row::{Row, RowStream};

/// The rows of a range, with what lies behind damage.
pub struct Resuming<'a> {
    table: &'a CassandraTable,
    /// What `rows` are of.
    range: KeyRange,
    /// `None` where they have yet to be opened.
    rows: Option<Rows<'a, Reader<'a>>>,
    has_ended: bool,
}

impl<'a> Resuming<'a> {
    /// Begins; damage shows when the first row is asked for.
    pub fn new(table: &'a CassandraTable, range: &KeyRange) -> Resuming<'a> {
        Resuming {
            table,
            range: range.clone(),
            rows: None,
            has_ended: false,
        }
    }

    /// Goes to the next row; false where there is none.
    fn advance(&mut self) -> Result<bool> {
        if self.has_ended {
            return Ok(false);
        }
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => self.rows.insert(self.table.rows(&self.range)?),
        };
        let has_row = rows.advance()?;
        self.has_ended = !has_row;
        Ok(has_row)
    }

    /// Hands rows to `visit` until it fails; returns what it returned last.
    fn each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<Result<()>> {
        let rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.table.rows(&self.range)?,
        };
        let mut visited = Ok(());
        self.has_ended = self.rows.insert(rows).each(|row| {
            visited = visit(row);
            visited.is_ok()
        })?;
        Ok(visited)
    }

    /// Where to go on after an error, which is told the keys that are passed over.
    #[cold]
    fn past(&mut self, error: Error) -> Error {
        self.has_ended = true;
        if !matches!(error.kind(), ErrorKind::Damaged { .. }) {
            return error;
        }
        let mut from = self.range.from.clone();
        if let Some(rows) = &self.rows {
            // The key behind the last one that is known.
            from = from.max([rows.key(), &[0]].concat());
        }
        let next = self.table.partition_behind(&error, &from);
        let next = next.filter(|next| self.range.is_before_end(next));
        let to = match next {
            Some(next) => {
                self.has_ended = false;
                self.rows = None;
                self.range.from.clone_from(&next);
                Some(next)
            }
            None => self.range.to.clone(),
        };
        error.hiding(UnreadableKeys { from, to })
    }
}

impl RowStream for Resuming<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self.advance() {
            Ok(true) => Ok(self.rows.as_ref().map(Rows::row)),
            Ok(false) => Ok(None),
            Err(error) => Err(self.past(error)),
        }
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while !self.has_ended {
            match self.each(visit) {
                Ok(visited) => visited?,
                Err(error) => return Err(self.past(error)),
            }
        }
        Ok(())
    }
}
