//! Entries that lie in no order, or in another than mdiff's: of logs, of tables ordered backwards, of more overlapping tables than can be open at
//! once. They are sorted first, in bounded memory and temporary files.
//!
//! The key of a sorted entry is the table's number (u32, big-endian), the user key with `00` as `00 ff` and `00 01` behind it, and
//! the complement of sequence number and type (u64, big-endian): ascending by table and user key, then from the newest to the
//! oldest.

use std::path::Path;

use super::entry::Entry;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::columns::push_key_column;
use crate::row::{Row, RowStream};
use crate::source::sort::{SortOptions, SortedRows, Sorter};
use crate::source::{Estimate, SourceOptions};

/// Bytes before the user key.
const TABLE_BYTES: usize = 4;
const TRAILER_BYTES: usize = 8;

/// Takes entries in any order.
pub struct EntrySorter<'p> {
    sorter: Sorter<'p>,
    key: Vec<u8>,
    count: u64,
}

/// Sorted entries of several tables.
pub struct SortedEntries {
    rows: SortedRows,
}

fn no_place(_: u64) -> String {
    "an entry of this sequence number".into()
}

impl EntrySorter<'_> {
    /// Sorts entries of `path`, which messages name.
    pub fn new(path: &Path, options: &SourceOptions) -> EntrySorter<'static> {
        let options = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path: path.to_owned(),
        };
        EntrySorter {
            sorter: Sorter::new(options, &no_place),
            key: Vec::new(),
            count: 0,
        }
    }

    /// Adds an entry of a table.
    ///
    /// # Errors
    ///
    /// I/O errors of the temporary files; Duplicate where an entry was added twice.
    pub fn push(&mut self, table: u32, entry: Entry<'_>) -> Result<()> {
        self.key.clear();
        push_prefix(&mut self.key, table, entry.key);
        let trailer = entry.sequence << 8 | u64::from(entry.kind);
        self.key.extend_from_slice(&(!trailer).to_be_bytes());
        self.count += 1;
        let row = Row {
            key: &self.key,
            value: entry.value,
        };
        self.sorter.push(row, self.count)
    }

    /// Sorts; `None` where there was nothing to sort.
    ///
    /// # Errors
    ///
    /// Those of [`EntrySorter::push`].
    pub fn finish(self) -> Result<Option<SortedEntries>> {
        if self.count == 0 {
            return Ok(None);
        }
        let rows = self.sorter.finish()?;
        Ok(Some(SortedEntries { rows }))
    }
}

fn push_prefix(key: &mut Vec<u8>, table: u32, user_key: &[u8]) {
    key.extend_from_slice(&table.to_be_bytes());
    push_key_column(key, user_key);
}

fn prefix(table: u32, user_key: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    push_prefix(&mut key, table, user_key);
    key
}

/// All keys of one table.
fn whole(table: u32) -> KeyRange {
    KeyRange {
        from: table.to_be_bytes().to_vec(),
        to: table.checked_add(1).map(|next| next.to_be_bytes().to_vec()),
    }
}

impl SortedEntries {
    /// Goes through the entries of a table with keys in `range`.
    pub fn cursor(&self, table: u32, range: &KeyRange) -> SortedCursor<'_> {
        let mut inner = whole(table);
        if !range.from.is_empty() {
            inner.from = prefix(table, &range.from);
        }
        if let Some(to) = &range.to {
            inner.to = Some(prefix(table, to));
        }
        SortedCursor {
            stream: self.rows.scan(&inner),
            user_key: Vec::new(),
            trailer: 0,
            value: Vec::new(),
        }
    }

    /// User keys that cut `range` into pieces.
    pub fn split(&self, table: u32, range: &KeyRange, pieces: usize) -> Vec<Vec<u8>> {
        let mut cuts: Vec<Vec<u8>> = Vec::new();
        for key in self.rows.split(&whole(table), pieces) {
            let mut cut = Vec::new();
            let is_entry = decode(&key, &mut cut).is_some();
            let is_new = cuts.last().is_none_or(|last| *last < cut);
            if is_entry && is_new && cut > range.from && range.is_before_end(&cut) {
                cuts.push(cut);
            }
        }
        cuts
    }

    /// Entries and bytes, of all tables.
    pub fn estimate(&self) -> Estimate {
        Estimate {
            rows: self.rows.rows(),
            bytes: self.rows.bytes(),
            file_bytes: self.rows.bytes(),
        }
    }
}

/// Splits the key of a sorted entry: the user key goes to `user_key`, sequence number and type are returned.
fn decode(key: &[u8], user_key: &mut Vec<u8>) -> Option<u64> {
    user_key.clear();
    let (inner, trailer) = key
        .get(TABLE_BYTES..)?
        .split_last_chunk::<TRAILER_BYTES>()?;
    let escaped = inner.strip_suffix(&[0, 1])?;
    let mut bytes = escaped.iter();
    while let Some(&byte) = bytes.next() {
        user_key.push(byte);
        if byte == 0 && bytes.next() != Some(&0xff) {
            return None;
        }
    }
    Some(!u64::from_be_bytes(*trailer))
}

/// A walk over sorted entries.
pub struct SortedCursor<'a> {
    stream: Box<dyn RowStream + 'a>,
    user_key: Vec<u8>,
    trailer: u64,
    value: Vec<u8>,
}

impl SortedCursor<'_> {
    /// Goes to the next entry; false behind the last one.
    ///
    /// # Errors
    ///
    /// Those of the temporary file.
    pub fn advance(&mut self) -> Result<bool> {
        let Some(row) = self.stream.next()? else {
            return Ok(false);
        };
        let Some(trailer) = decode(row.key, &mut self.user_key) else {
            return Err(Error::damaged("", 0, "a sorted entry was altered"));
        };
        self.trailer = trailer;
        self.value.clear();
        self.value.extend_from_slice(row.value);
        Ok(true)
    }

    /// The user key of the current entry.
    pub fn user_key(&self) -> &[u8] {
        &self.user_key
    }

    /// Sequence number and type of the current entry.
    pub fn trailer(&self) -> u64 {
        self.trailer
    }

    /// The value of the current entry.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}
