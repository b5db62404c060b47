//! Write batches: what a record of a write-ahead log holds.
//!
//! ```text
//! u64 sequence | u32 count | records
//! record: u8 tag | [varint32 column family] | length-prefixed key | [length-prefixed value]
//! ```
//!
//! | tag | what | fields behind the tag |
//! |---|---|---|
//! | 0, 1, 2, 7 | delete, put, merge, single delete | key, and a value for put and merge |
//! | 4, 5, 6, 8 | the same of a column family | family, then as above |
//! | 15, 14 | range deletion; of a column family | \[family,\] first key, first key behind |
//! | 17, 16 | reference to a blob; of a column family | \[family,\] key, reference |
//! | 22, 23 | wide-column entity; of a column family | \[family,\] key, columns |
//! | 24, 25 | put with a write time; of a column family | \[family,\] key, value and u64 time |
//! | 3 | data for the log's readers only | the data |
//! | 9, 10 | a prepared transaction begins, ends | the end has the transaction's name |
//! | 11, 12 | commit, rollback | the transaction's name |
//! | 13 | nothing | |
//! | 18, 19 | begin of transactions that are written before they are committed | |
//! | 21 | commit with a timestamp | timestamp, name |
//!
//! Each data record takes the next sequence number, whether its column family still lives or not. The records of a
//! prepared section take none there: they are held back until the commit, which runs them with the sequence
//! numbers that follow there. The count is that of the data records, prepared ones included. LevelDB has tags 0 and 1
//! only; Riak's LevelDB has besides 2 and 3, puts with a varint of microseconds between key and value: the time of
//! writing, or of the value's end. From RocksDB's and Basho's db/write_batch.cc.

use std::collections::HashMap;

use crate::error::Error;
use crate::file::cursor::Cursor;
use crate::limits::Limits;
use crate::source::block_table::key::{DELETE, MERGE, PUT, RANGE_DELETE, SINGLE_DELETE};

use super::entry::Entry;

/// Highest sequence number.
pub const SEQUENCE_MAX: u64 = (1 << 56) - 1;

/// Tags of Riak's LevelDB: a put with the time of its writing, and with the time of its end.
const RIAK_WRITE_TIME: u8 = 2;
const RIAK_EXPIRY: u8 = 3;

const BLOB_INDEX: u8 = 17;
const ENTITY: u8 = 22;
const PUT_WITH_TIME: u8 = 24;

/// Why a batch can't be run; who knows the file adds the path and the offset.
#[derive(Debug)]
pub enum Bad {
    /// It contradicts itself.
    Damaged(String),
    /// It can't be honoured.
    Unsupported(String),
    /// A key or a value is longer than allowed, in bytes.
    Limit {
        /// Which of them.
        what: &'static str,
        /// Its length.
        value: u64,
        /// The limit.
        max: u64,
    },
    /// The sink's own error.
    Sink(Error),
}

/// The fixed front of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Sequence number of its first data record.
    pub sequence: u64,
    /// Data records.
    pub count: u32,
    records: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads the front; `None` where the record is too short for one or the sequence number too high.
    pub fn parse(record: &'a [u8]) -> Option<Batch<'a>> {
        let mut cursor = Cursor::new(record);
        let sequence = cursor.u64().filter(|&sequence| sequence <= SEQUENCE_MAX)?;
        let count = cursor.u32()?;
        Some(Batch {
            sequence,
            count,
            records: cursor.rest(),
        })
    }
}

/// One record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record<'a> {
    Data {
        family: u32,
        kind: u8,
        key: &'a [u8],
        value: &'a [u8],
    },
    Nothing,
    BeginPrepare,
    EndPrepare(&'a [u8]),
    Commit(&'a [u8]),
    Rollback(&'a [u8]),
}

/// The transactions that are prepared and neither committed nor rolled back, by name.
///
/// Their records are kept in memory, as RocksDB keeps them.
#[derive(Debug, Default)]
pub struct Transactions {
    prepared: HashMap<Vec<u8>, Vec<u8>>,
    missed_commits: u64,
    is_riak: bool,
    expiring: u64,
}

impl Transactions {
    /// Starts with none; `is_riak` where Riak's LevelDB wrote the logs.
    pub fn new(is_riak: bool) -> Transactions {
        Transactions {
            is_riak,
            ..Transactions::default()
        }
    }

    /// Values with a time of their own at which they expire (Riak). They are handed out as puts.
    pub fn expiring(&self) -> u64 {
        self.expiring
    }

    /// Transactions that are still prepared: their records are no rows.
    pub fn prepared(&self) -> usize {
        self.prepared.len()
    }

    /// Commits whose prepared section was not met. It lay in a log that is gone since all it holds is in tables.
    pub fn missed_commits(&self) -> u64 {
        self.missed_commits
    }

    /// Runs a batch: hands `sink` the column family and the entry of each data record, and returns the sequence number
    /// behind the last one.
    ///
    /// # Errors
    ///
    /// [`Bad`]; the sink may have got entries before.
    pub fn run(
        &mut self,
        batch: &Batch<'_>,
        limits: &Limits,
        sink: &mut dyn FnMut(u32, Entry<'_>) -> Result<(), Error>,
    ) -> Result<u64, Bad> {
        let mut sequence = batch.sequence;
        let mut count = 0u64;
        let mut cursor = Cursor::new(batch.records);
        // Where the records of the prepared section begin.
        let mut prepared_from: Option<usize> = None;
        while !cursor.is_empty() {
            let before = cursor.position();
            let tag = cursor.rest().first();
            self.expiring += u64::from(self.is_riak && tag == Some(&RIAK_EXPIRY));
            let record = next(&mut cursor, limits, self.is_riak)?;
            match record {
                Record::Nothing => {}
                Record::Data { .. } => {
                    count += 1;
                    if prepared_from.is_none() {
                        deliver(record, &mut sequence, sink)?;
                    }
                }
                Record::BeginPrepare => {
                    if prepared_from.replace(cursor.position()).is_some() {
                        return Err(damaged("a prepared section within another"));
                    }
                }
                Record::EndPrepare(name) => {
                    let section = prepared_from
                        .take()
                        .and_then(|from| batch.records.get(from..before))
                        .ok_or_else(|| {
                            damaged("the end of a prepared section without its begin")
                        })?;
                    let former = self.prepared.insert(name.to_vec(), section.to_vec());
                    if former.is_some() {
                        return Err(damaged("a transaction that is prepared twice"));
                    }
                }
                Record::Commit(_) | Record::Rollback(_) if prepared_from.is_some() => {
                    return Err(damaged(
                        "the end of a transaction within a prepared section",
                    ));
                }
                Record::Rollback(name) => {
                    self.prepared.remove(name);
                }
                Record::Commit(name) => match self.prepared.remove(name) {
                    None => self.missed_commits += 1,
                    Some(section) => {
                        let mut cursor = Cursor::new(&section);
                        while !cursor.is_empty() {
                            let record = next(&mut cursor, limits, self.is_riak)?;
                            if matches!(record, Record::Data { .. }) {
                                deliver(record, &mut sequence, sink)?;
                            }
                        }
                    }
                },
            }
        }
        if prepared_from.is_some() {
            return Err(damaged("a prepared section without an end"));
        }
        if count != u64::from(batch.count) {
            return Err(Bad::Damaged(format!(
                "a batch of {count} records that says it has {}",
                batch.count
            )));
        }
        Ok(sequence)
    }
}

fn deliver(
    record: Record<'_>,
    sequence: &mut u64,
    sink: &mut dyn FnMut(u32, Entry<'_>) -> Result<(), Error>,
) -> Result<(), Bad> {
    if let Record::Data {
        family,
        kind,
        key,
        value,
    } = record
    {
        if *sequence > SEQUENCE_MAX {
            return Err(damaged("a sequence number above the highest"));
        }
        let entry = Entry {
            key,
            sequence: *sequence,
            kind,
            value,
        };
        sink(family, entry).map_err(Bad::Sink)?;
        *sequence += 1;
    }
    Ok(())
}

fn next<'a>(cursor: &mut Cursor<'a>, limits: &Limits, is_riak: bool) -> Result<Record<'a>, Bad> {
    let tag = cursor.u8().unwrap_or_default();
    let fields = match (is_riak, tag) {
        (true, RIAK_WRITE_TIME | RIAK_EXPIRY) => riak_put(cursor),
        _ => fields(tag, cursor)?,
    };
    let record = fields
        .ok_or_else(|| Bad::Damaged(format!("a batch that ends within a record of type {tag}")))?;
    if let Record::Data { key, value, .. } = record {
        for (what, bytes, max) in [
            ("key bytes", key, limits.key_bytes_max),
            ("value bytes", value, limits.value_bytes_max),
        ] {
            let value = bytes.len() as u64;
            if value > max {
                return Err(Bad::Limit { what, value, max });
            }
        }
    }
    Ok(record)
}

/// A put with a time between key and value.
fn riak_put<'a>(cursor: &mut Cursor<'a>) -> Option<Record<'a>> {
    let key = cursor.length_prefixed()?;
    cursor.varint()?;
    let value = cursor.length_prefixed()?;
    Some(Record::Data {
        family: 0,
        kind: PUT,
        key,
        value,
    })
}

/// Reads the fields of a record; `None` where the bytes run out.
fn fields<'a>(tag: u8, cursor: &mut Cursor<'a>) -> Result<Option<Record<'a>>, Bad> {
    let (kind, of_family, has_value) = match tag {
        0 | 4 => (DELETE, tag == 4, false),
        1 | 5 => (PUT, tag == 5, true),
        2 | 6 => (MERGE, tag == 6, true),
        7 | 8 => (SINGLE_DELETE, tag == 8, false),
        15 | 14 => (RANGE_DELETE, tag == 14, true),
        17 | 16 => (BLOB_INDEX, tag == 16, true),
        22 | 23 => (ENTITY, tag == 23, true),
        24 | 25 => (PUT_WITH_TIME, tag == 25, true),
        3 => return Ok(cursor.length_prefixed().map(|_| Record::Nothing)),
        9 => return Ok(Some(Record::BeginPrepare)),
        10 => return Ok(cursor.length_prefixed().map(Record::EndPrepare)),
        11 => return Ok(cursor.length_prefixed().map(Record::Commit)),
        12 => return Ok(cursor.length_prefixed().map(Record::Rollback)),
        13 => return Ok(Some(Record::Nothing)),
        18 | 19 => {
            return Err(Bad::Unsupported(
                "a transaction that is written before it is committed (policy WritePrepared or WriteUnprepared)"
                    .into(),
            ));
        }
        21 => {
            return Err(Bad::Unsupported(
                "a commit with a user-defined timestamp".into(),
            ));
        }
        other => {
            return Err(Bad::Unsupported(format!(
                "a batch record of the unknown type {other}"
            )));
        }
    };
    let data = || {
        Some(Record::Data {
            family: if of_family { cursor.varint32()? } else { 0 },
            kind,
            key: cursor.length_prefixed()?,
            value: if has_value {
                cursor.length_prefixed()?
            } else {
                &[]
            },
        })
    };
    Ok({ data }())
}

fn damaged(what: &str) -> Bad {
    Bad::Damaged(what.into())
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
