//! The keys of the bucket of all revisions: `main u64, '_', sub u64`, big-endian, and a `t` behind that for a tombstone.

use crate::file::cursor::Cursor;

/// A revision of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// The transaction that wrote it.
    pub main: u64,
    /// Whether it removes its key.
    pub is_tombstone: bool,
}

impl Revision {
    /// Reads one; `None` where it is none.
    pub fn parse(bytes: &[u8]) -> Option<Revision> {
        let mut cursor = Cursor::new(bytes);
        let main = u64::from_be_bytes(cursor.array()?);
        let underline = cursor.u8()?;
        let _sub = u64::from_be_bytes(cursor.array()?);
        let is_tombstone = match cursor.rest() {
            b"" => false,
            b"t" => true,
            _ => return None,
        };
        (underline == b'_').then_some(Revision { main, is_tombstone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_etcd_writes_and_nothing_else() {
        let bytes = b"\0\0\0\0\0\0\x02\xe7_\0\0\0\0\0\0\0\x01t";
        let parse = |len| Revision::parse(&bytes[..len]).map(|r| (r.main, r.is_tombstone));
        assert_eq!(parse(18), Some((743, true)));
        assert_eq!(parse(17), Some((743, false)));
        for len in 0..17 {
            assert_eq!(parse(len), None);
        }
        let dashed = b"\0\0\0\0\0\0\x02\xe7-\0\0\0\0\0\0\0\x01";
        assert_eq!(Revision::parse(dashed), None);
    }
}
