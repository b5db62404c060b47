//! The message that stands for one write: protobuf fields 1 key, 2 create_revision, 3 mod_revision, 4 version, 5 value, 6 lease.
//! Those at zero are absent; a tombstone has the key alone.

use crate::file::cursor::Cursor;

/// One write of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyValue<'a> {
    /// The user's key.
    pub key: &'a [u8],
    /// Revision of its creation.
    pub create_revision: u64,
    /// Revision of this write.
    pub mod_revision: u64,
    /// Writes since its creation.
    pub version: u64,
    /// What was written.
    pub value: &'a [u8],
    /// The lease, an i64 of any sign.
    pub lease: i64,
}

/// Why a message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is no such message.
    Damaged(&'static str),
    /// It has a field of this number besides.
    UnknownField(u64),
}

const BYTES: u64 = 2;
const VARINT: u64 = 0;

impl KeyValue<'_> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Where it is none, or has more fields.
    pub fn parse(bytes: &[u8]) -> Result<KeyValue<'_>, Wrong> {
        const SHORT: Wrong = Wrong::Damaged("its message ends within a field");
        let mut cursor = Cursor::new(bytes);
        let mut found = KeyValue::default();
        while !cursor.is_empty() {
            let tag = cursor.varint().ok_or(SHORT)?;
            let (field, kind) = (tag >> 3, tag & 7);
            match (field, kind) {
                (1, BYTES) => found.key = cursor.length_prefixed().ok_or(SHORT)?,
                (2, VARINT) => found.create_revision = cursor.varint().ok_or(SHORT)?,
                (3, VARINT) => found.mod_revision = cursor.varint().ok_or(SHORT)?,
                (4, VARINT) => found.version = cursor.varint().ok_or(SHORT)?,
                (5, BYTES) => found.value = cursor.length_prefixed().ok_or(SHORT)?,
                (6, VARINT) => found.lease = cursor.varint().ok_or(SHORT)? as i64,
                (0..=6, _) => {
                    return Err(Wrong::Damaged("a field of its message is of another kind"));
                }
                _ => return Err(Wrong::UnknownField(field)),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_in_any_order_and_refuses_others() {
        let bytes = b"\x32\x03a\0b\x0a\x01k";
        assert_eq!(
            KeyValue::parse(bytes),
            Err(Wrong::Damaged("a field of its message is of another kind"))
        );
        let bytes = b"\x2a\x03a\0b\x0a\x01k\x10\x07\x18\xac\x02\x20\x02\x30\x01";
        let found = KeyValue::parse(bytes).unwrap();
        let expected = KeyValue {
            key: b"k",
            create_revision: 7,
            mod_revision: 300,
            version: 2,
            value: b"a\0b",
            lease: 1,
        };
        assert_eq!(found, expected);
        for len in 0..bytes.len() {
            let cut = KeyValue::parse(&bytes[..len]);
            assert!(cut != Ok(expected), "{len}");
        }
        assert_eq!(KeyValue::parse(b"\x38\x01"), Err(Wrong::UnknownField(7)));
    }
}
