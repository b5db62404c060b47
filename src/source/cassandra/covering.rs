//! Which deletion of a partition or a range lies over a key: found by reading the partition from its beginning, or where the key is
//! far, from the last place before it at which the table knows what is open.
//!
//! Keys are asked for in ascending order, so every partition is read at most once, and only as far as the last key.

use super::key;
use super::model::Deletion;
use super::value;
use crate::error::Result;
use crate::range::{KeyRange, prefix_end};
use crate::row::cql::CqlSchema;
use crate::row::{RowStream, Schema};
use crate::source::Table;

/// A key behind so many rows is far.
const FAR_ROWS: usize = 1 << 10;

/// The deletions of one table, asked for key by key.
pub struct Covering<'t> {
    table: &'t dyn Table,
    schema: &'t CqlSchema,
    partition: Vec<u8>,
    rows: Option<Box<dyn RowStream + 't>>,
    of_partition: Deletion,
    of_range: Deletion,
    /// A deletion that begins or ends behind the last key.
    ahead: Option<(Vec<u8>, Deletion)>,
    far_rows: usize,
}

impl<'t> Covering<'t> {
    /// The deletions of `table`; `None` where it is not CQL.
    pub fn new(table: &'t dyn Table) -> Option<Covering<'t>> {
        let Schema::Cql(schema) = table.schema() else {
            return None;
        };
        Some(Covering {
            table,
            schema,
            partition: Vec::new(),
            rows: None,
            of_partition: Deletion::LIVE,
            of_range: Deletion::LIVE,
            ahead: None,
            far_rows: FAR_ROWS,
        })
    }

    /// The deletion that lies over what is at `key`. Keys must ascend.
    ///
    /// # Errors
    ///
    /// Those of reading; what can't be read is passed over.
    pub fn at(&mut self, key: &[u8]) -> Result<Deletion> {
        let Some(partition) = self.schema.partition_of(key) else {
            return Ok(Deletion::LIVE);
        };
        if self.partition != partition {
            self.rows = Some(self.table.scan(&KeyRange {
                from: partition.clone(),
                to: prefix_end(&partition),
            })?);
            self.partition = partition;
            self.of_partition = Deletion::LIVE;
            self.of_range = Deletion::LIVE;
            self.ahead = None;
        }
        let rest = key.get(self.partition.len()..).unwrap_or_default();
        self.read_to(key)?;
        Ok(match rest.first() {
            Some(&key::CLUSTERED) => self.of_partition.max(self.of_range),
            Some(&key::STATIC) => self.of_partition,
            _ => Deletion::LIVE,
        })
    }

    /// Goes to a key without what lies before it, if the table can.
    fn jump(&mut self, key: &[u8]) -> Result<()> {
        // Damage is told of where the rows are read.
        let Ok(Some([of_partition, of_range])) = self.table.deletions_over(key) else {
            return Ok(());
        };
        (self.of_partition, self.of_range) = (of_partition, of_range);
        self.rows = Some(self.table.scan(&KeyRange {
            from: key.to_vec(),
            to: prefix_end(&self.partition),
        })?);
        Ok(())
    }

    fn read_to(&mut self, key: &[u8]) -> Result<()> {
        let mut read = 0;
        loop {
            if let Some((at, deletion)) = &self.ahead {
                // A bound says what covers the rows behind it, not what stands at it.
                if at.as_slice() >= key {
                    return Ok(());
                }
                match at.get(self.partition.len()) {
                    Some(&key::PARTITION_DELETION) => self.of_partition = *deletion,
                    _ => self.of_range = *deletion,
                }
                self.ahead = None;
            }
            if read == self.far_rows {
                self.jump(key)?;
            }
            read += 1;
            let Some(rows) = &mut self.rows else {
                return Ok(());
            };
            match rows.next() {
                Ok(None) => self.rows = None,
                Ok(Some(row)) => {
                    let rest = row.key.get(self.partition.len()..).unwrap_or_default();
                    let deletion = match key::is_deletion(rest) {
                        true => value::decode(row.value).map(|decoded| decoded.deletion),
                        false => None,
                    };
                    let is_there = row.key >= key;
                    self.ahead = deletion.map(|deletion| (row.key.to_vec(), deletion));
                    if is_there && self.ahead.is_none() {
                        return Ok(());
                    }
                }
                Err(error) if error.unreadable_keys().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
#[path = "covering_tests.rs"]
mod tests;
