//! A stream of rows, one row ahead, for merges.

use super::{Row, RowStream};
use crate::error::Result;

/// Rows, of which the next can be looked at before it is taken.
pub struct RowsAhead<'a> {
    stream: Box<dyn RowStream + 'a>,
    has_row: bool,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl<'a> RowsAhead<'a> {
    /// Reads the first row of `stream`.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn new(stream: Box<dyn RowStream + 'a>) -> Result<RowsAhead<'a>> {
        let mut rows = RowsAhead {
            stream,
            has_row: true,
            key: Vec::new(),
            value: Vec::new(),
        };
        rows.advance()?;
        Ok(rows)
    }

    /// The next row; `None` behind the last.
    pub fn row(&self) -> Option<Row<'_>> {
        self.has_row.then_some(Row {
            key: &self.key,
            value: &self.value,
        })
    }

    /// The next row's key.
    pub fn key(&self) -> Option<&[u8]> {
        self.row().map(|row| row.key)
    }

    /// The value at `key`, if that is the next row.
    pub fn value_at(&self, key: &[u8]) -> Option<&[u8]> {
        self.row().filter(|row| row.key == key).map(|row| row.value)
    }

    /// Goes on to the row behind the next.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn advance(&mut self) -> Result<()> {
        if !self.has_row {
            return Ok(());
        }
        match self.stream.next()? {
            Some(row) => {
                self.key.clear();
                self.key.extend_from_slice(row.key);
                self.value.clear();
                self.value.extend_from_slice(row.value);
            }
            None => self.has_row = false,
        }
        Ok(())
    }
}
