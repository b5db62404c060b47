//! The properties block: what RocksDB says of a table. LevelDB writes none.

use super::block::{Bad, Entries};
use crate::file::cursor::Cursor;
use crate::row::escape;

/// Name of the property that RocksDB overwrites in place, without its checksum, when it ingests a file.
pub const GLOBAL_SEQNO: &str = "rocksdb.external_sst_file.global_seqno";

/// The properties of a table, as they are written.
#[derive(Debug, Default)]
pub struct Properties {
    named: Vec<(String, Vec<u8>)>,
}

impl Properties {
    /// Reads the block.
    pub fn read(block: &[u8], key_bytes_max: u64) -> Result<Properties, Bad> {
        let mut named = Vec::new();
        let mut entries = Entries::new(block, key_bytes_max)?;
        while let Some(value) = entries.next()? {
            named.push((escape(entries.key()).into_owned(), value.to_vec()));
        }
        Ok(Properties { named })
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    /// A property that is a varint.
    pub fn number(&self, name: &str) -> Option<u64> {
        let mut cursor = Cursor::new(self.get(name)?);
        cursor.varint().filter(|_| cursor.is_empty())
    }

    /// A property that is a u32.
    pub fn fixed_u32(&self, name: &str) -> Option<u32> {
        Cursor::new(self.get(name)?).u32()
    }

    /// A property that is a u64.
    pub fn fixed_u64(&self, name: &str) -> Option<u64> {
        Cursor::new(self.get(name)?).u64()
    }

    /// A property that is a text; `None` also where it says that there is nothing to say.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        (!value.is_empty() && value != b"nullptr" && value != b"[]")
            .then(|| escape(value).into_owned())
    }

    /// Names and values for a person, those that say something.
    pub fn describe(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut push = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                lines.push((name.to_owned(), value));
            }
        };
        for (name, property) in [
            ("comparator", "rocksdb.comparator"),
            ("compression", "rocksdb.compression"),
            ("merge operator", "rocksdb.merge.operator"),
            ("prefix extractor", "rocksdb.prefix.extractor.name"),
            ("filter policy", "rocksdb.filter.policy"),
            ("column family", "rocksdb.column.family.name"),
        ] {
            push(name, self.text(property));
        }
        for (name, property) in [
            ("entries", "rocksdb.num.entries"),
            ("deletions", "rocksdb.deleted.keys"),
            ("merge operands", "rocksdb.merge.operands"),
            ("range deletions", "rocksdb.num.range-deletions"),
            ("data blocks", "rocksdb.num.data.blocks"),
            ("data bytes", "rocksdb.data.size"),
            ("index bytes", "rocksdb.index.size"),
            ("index partitions", "rocksdb.index.partitions"),
            ("filter bytes", "rocksdb.filter.size"),
            ("raw key bytes", "rocksdb.raw.key.size"),
            ("raw value bytes", "rocksdb.raw.value.size"),
            ("original file number", "rocksdb.original.file.number"),
        ] {
            push(name, self.number(property).map(|n| n.to_string()));
        }
        for (name, property) in [
            ("created", "rocksdb.creation.time"),
            ("file created", "rocksdb.file.creation.time"),
            ("oldest key", "rocksdb.oldest.key.time"),
        ] {
            let time = self.number(property).filter(|&time| time > 0);
            push(name, time.map(|time| format!("{time} s since 1970")));
        }
        push(
            "written by database",
            self.text("rocksdb.creating.db.identity"),
        );
        push(
            "written on host",
            self.text("rocksdb.creating.host.identity"),
        );
        let version = self.fixed_u32("rocksdb.external_sst_file.version");
        push("external file version", version.map(|n| n.to_string()));
        let sequence = self.fixed_u64(GLOBAL_SEQNO).filter(|&n| n > 0);
        push("global sequence number", sequence.map(|n| n.to_string()));
        lines
    }
}

/// Finds the value of the global sequence number in a properties block whose checksum does not hold: its first byte and
/// its length.
pub fn global_seqno_place(block: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut entries = Entries::new(block, 1 << 16).ok()?;
    while let Some(value) = entries.next().ok()? {
        if entries.key() == GLOBAL_SEQNO.as_bytes() && value.len() == 8 {
            let end = entries.position();
            return Some(end - 8..end);
        }
    }
    None
}
