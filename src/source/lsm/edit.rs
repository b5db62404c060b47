//! Version edits: the records of a MANIFEST.
//!
//! An edit is a run of fields, each a varint32 tag and what it asks for (v32, v64: varints; bytes: length-prefixed):
//!
//! | tag | what | fields |
//! |---|---|---|
//! | 1 | comparator | bytes |
//! | 2, 9, 10 | log number, previous log number, smallest log to keep | v64 |
//! | 3, 4 | next file number, last sequence number | v64 |
//! | 5 | where compaction goes on | v32 level, bytes |
//! | 6 | deleted file | v32 level, v64 number |
//! | 7 | new file | v32 level, v64 number, v64 size, smallest, largest internal key |
//! | 100 | new file 2 | as 7, then v64 smallest and largest sequence number |
//! | 102 | new file 3 | as 100, with a v32 path between number and size |
//! | 103 | new file 4 | as 100, then (v32 tag, bytes) up to tag 1; those with bit 6 may not be ignored |
//! | 200 | the column family that the edit is about | v32 |
//! | 201, 202 | this family begins; is dropped | bytes name; nothing |
//! | 203 | highest column family | v32 |
//! | 300 | part of a group that counts as a whole or not at all | v32 edits that still follow |
//! | 400, 8194 | blob file | v64 number, v64 blobs, v64 bytes, bytes method, bytes checksum, (v32, bytes) up to tag 0 |
//! | 401, 8195 | unused blobs | v64 number, v64 blobs, v64 bytes, (v32, bytes) up to tag 0 |
//! | 8196, 8199 | log; 8199 has a length before it | v64 number, (v32 2, v64 synced bytes) up to tag 1 |
//! | 8197, 8200 | logs below are gone; 8200 has a length before it | v64 number |
//! | others with bit 13 | may be ignored | bytes |
//!
//! LevelDB has the tags 1 to 7 and 9. Riak's LevelDB has besides 11, a new file: as 7, then three v64 of expiry. From
//! LevelDB's, RocksDB's and Basho's db/version_edit.cc, db/wal_edit.cc and db/blob/blob_file_{addition,garbage}.cc.
//!
//! Custom fields of new file 4 that matter here: 3, the smallest log to keep (u64); 16, byte 0 where timestamps are left
//! out of the keys; 65, the path (one byte).

use crate::file::cursor::Cursor;
use crate::source::block_table::key;

/// One edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit<'a> {
    /// Name of the comparator.
    pub comparator: Option<&'a [u8]>,
    /// The family's records in older logs are in tables.
    pub log_number: Option<u64>,
    /// A second log, older than the first (LevelDB).
    pub previous_log_number: Option<u64>,
    /// Logs below are not needed, for prepared transactions either.
    pub min_log_number_to_keep: Option<u64>,
    /// The number that the next file gets.
    pub next_file_number: Option<u64>,
    /// Highest sequence number in use.
    pub last_sequence: Option<u64>,
    /// Files that are gone: level and number.
    pub deleted: Vec<(u32, u64)>,
    /// Files that are new.
    pub added: Vec<NewFile<'a>>,
    /// The column family that the edit is about.
    pub family: u32,
    /// It begins: its name.
    pub family_added: Option<&'a [u8]>,
    /// It is dropped.
    pub family_dropped: bool,
    /// Part of an atomic group: how many edits of it follow.
    pub group_rest: Option<u32>,
    /// Numbers of new blob files.
    pub blob_files: Vec<u64>,
    /// Logs that exist: number and the length, in bytes, that was surely written.
    pub logs: Vec<(u64, Option<u64>)>,
    /// Logs below are gone.
    pub logs_gone_below: Option<u64>,
    /// Whether LevelDB does not know a tag of it.
    pub is_rocksdb: bool,
}

/// A table file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile<'a> {
    /// Level.
    pub level: u32,
    /// Number, of which its name is made.
    pub number: u64,
    /// Length in bytes.
    pub size: u64,
    /// Smallest internal key.
    pub smallest: &'a [u8],
    /// Largest internal key.
    pub largest: &'a [u8],
    /// Smallest and largest sequence number.
    pub sequences: Option<(u64, u64)>,
    /// Which of the database's folders holds it; 0 is the first.
    pub path_id: u32,
}

/// Why an edit can't be read; who knows the file adds the path and the offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// It contradicts itself: which part.
    Damaged(&'static str),
    /// It can't be honoured.
    Unsupported(String),
}

impl<'a> Edit<'a> {
    /// Reads an edit; `is_riak` where Riak's LevelDB wrote it.
    ///
    /// # Errors
    ///
    /// [`Bad`].
    pub fn parse(record: &'a [u8], is_riak: bool) -> Result<Edit<'a>, Bad> {
        let mut edit = Edit::default();
        let mut cursor = Cursor::new(record);
        while !cursor.is_empty() {
            let tag = cursor.varint32().ok_or(Bad::Damaged("a tag"))?;
            if is_riak && tag == 11 {
                edit.added
                    .push(riak_file(&mut cursor).ok_or(Bad::Damaged("a new file"))?);
                continue;
            }
            edit.is_rocksdb |= !matches!(tag, 1..=7 | 9);
            edit.field(tag, &mut cursor)?;
        }
        Ok(edit)
    }

    fn field(&mut self, tag: u32, cursor: &mut Cursor<'a>) -> Result<(), Bad> {
        let bad = Bad::Damaged;
        match tag {
            1 => {
                let name = cursor.length_prefixed();
                self.comparator = Some(name.ok_or(bad("the comparator"))?);
            }
            2 => self.log_number = Some(cursor.varint().ok_or(bad("the log number"))?),
            3 => self.next_file_number = Some(cursor.varint().ok_or(bad("the next file number"))?),
            4 => {
                let sequence = cursor.varint();
                self.last_sequence = Some(sequence.ok_or(bad("the last sequence number"))?);
            }
            5 => {
                let _ = cursor.varint32().ok_or(bad("a compaction's level"))?;
                internal_key(cursor).ok_or(bad("a compaction's key"))?;
            }
            6 => {
                let level = cursor.varint32().ok_or(bad("a deleted file's level"))?;
                let number = cursor.varint().ok_or(bad("a deleted file's number"))?;
                self.deleted.push((level, number));
            }
            7 | 100 | 102 | 103 => {
                let mut file = new_file(tag, cursor).ok_or(bad("a new file"))?;
                if tag == 103 {
                    self.custom_fields(&mut file, cursor)?;
                }
                self.added.push(file);
            }
            9 => {
                let number = cursor.varint();
                self.previous_log_number = Some(number.ok_or(bad("the previous log number"))?);
            }
            10 => {
                let number = cursor.varint();
                self.keep_logs_from(number.ok_or(bad("the smallest log to keep"))?);
            }
            200 => self.family = cursor.varint32().ok_or(bad("the column family"))?,
            201 => {
                let name = cursor.length_prefixed();
                self.family_added = Some(name.ok_or(bad("a column family's name"))?);
            }
            202 => self.family_dropped = true,
            203 => {
                let _ = cursor.varint32().ok_or(bad("the highest column family"))?;
            }
            300 => {
                let rest = cursor.varint32();
                self.group_rest = Some(rest.ok_or(bad("the rest of an atomic group"))?);
            }
            400 | 8194 => {
                let number = blob_file(cursor).ok_or(bad("a blob file"))?;
                blob_fields(cursor)?;
                self.blob_files.push(number);
            }
            401 | 8195 => {
                for _ in 0..3 {
                    let _ = cursor.varint().ok_or(bad("a blob file's garbage"))?;
                }
                blob_fields(cursor)?;
            }
            8196 => self.log(cursor)?,
            8199 => self.log(&mut inner(cursor)?)?,
            8197 => self.logs_gone(cursor)?,
            8200 => self.logs_gone(&mut inner(cursor)?)?,
            tag if tag & 0x2000 != 0 => {
                let _ = inner(cursor)?;
            }
            other => {
                return Err(Bad::Unsupported(format!(
                    "a version edit with the unknown tag {other}"
                )));
            }
        }
        Ok(())
    }

    fn keep_logs_from(&mut self, number: u64) {
        self.min_log_number_to_keep = self.min_log_number_to_keep.max(Some(number));
    }

    /// Reads what follows new file 4, up to the terminating tag.
    fn custom_fields(
        &mut self,
        file: &mut NewFile<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Bad> {
        loop {
            let tag = cursor
                .varint32()
                .ok_or(Bad::Damaged("a new file's fields"))?;
            if tag == 1 {
                return Ok(());
            }
            let field = cursor.length_prefixed();
            let field = field.ok_or(Bad::Damaged("a new file's field"))?;
            match (tag, field) {
                (3, field) => {
                    let number = Cursor::new(field).u64();
                    self.keep_logs_from(number.ok_or(Bad::Damaged("the smallest log to keep"))?);
                }
                (65, &[path_id @ 0..=3]) => file.path_id = path_id.into(),
                (65, _) => return Err(Bad::Damaged("a new file's path")),
                // Keys are stored without the timestamps that the comparator asks for.
                (16, &[0]) => {
                    return Err(Bad::Unsupported(
                        "a table whose user-defined timestamps are left out".into(),
                    ));
                }
                (tag, _) if tag & 64 != 0 => {
                    return Err(Bad::Unsupported(format!(
                        "a new file with the unknown field {tag}, which may not be ignored"
                    )));
                }
                _ => {}
            }
        }
    }

    fn log(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        let bad = || Bad::Damaged("a log's entry");
        let number = cursor.varint().ok_or_else(bad)?;
        let mut synced = None;
        loop {
            match cursor.varint32().ok_or_else(bad)? {
                1 => break,
                2 => synced = Some(cursor.varint().ok_or_else(bad)?),
                other => {
                    return Err(Bad::Unsupported(format!(
                        "a log's entry with the unknown tag {other}"
                    )));
                }
            }
        }
        self.logs.push((number, synced));
        Ok(())
    }

    fn logs_gone(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        let number = cursor.varint().ok_or(Bad::Damaged("a log's deletion"))?;
        self.logs_gone_below = self.logs_gone_below.max(Some(number));
        Ok(())
    }
}

/// A field of its own length.
fn inner<'a>(cursor: &mut Cursor<'a>) -> Result<Cursor<'a>, Bad> {
    let field = cursor.length_prefixed();
    Ok(Cursor::new(field.ok_or(Bad::Damaged("a field's length"))?))
}

fn internal_key<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    cursor
        .length_prefixed()
        .filter(|bytes| bytes.len() >= key::TRAILER_BYTES)
}

fn new_file<'a>(tag: u32, cursor: &mut Cursor<'a>) -> Option<NewFile<'a>> {
    let level = cursor.varint32()?;
    let number = cursor.varint()?;
    let path_id = if tag == 102 { cursor.varint32()? } else { 0 };
    let size = cursor.varint()?;
    let smallest = internal_key(cursor)?;
    let largest = internal_key(cursor)?;
    let sequences = match tag {
        7 => None,
        _ => Some((cursor.varint()?, cursor.varint()?)),
    };
    Some(NewFile {
        level,
        number,
        size,
        smallest,
        largest,
        sequences,
        path_id,
    })
}

fn riak_file<'a>(cursor: &mut Cursor<'a>) -> Option<NewFile<'a>> {
    let file = new_file(7, cursor)?;
    for _expiry in 0..3 {
        cursor.varint()?;
    }
    Some(file)
}

fn blob_file(cursor: &mut Cursor<'_>) -> Option<u64> {
    let number = cursor.varint()?;
    cursor.varint()?;
    cursor.varint()?;
    cursor.length_prefixed()?;
    cursor.length_prefixed()?;
    Some(number)
}

fn blob_fields(cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    loop {
        match cursor
            .varint32()
            .ok_or(Bad::Damaged("a blob file's fields"))?
        {
            0 => return Ok(()),
            tag if tag & 64 != 0 => {
                return Err(Bad::Unsupported(format!(
                    "a blob file with the unknown field {tag}, which may not be ignored"
                )));
            }
            _ => {
                let _ = inner(cursor)?;
            }
        }
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
