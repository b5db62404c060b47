//! Where partitions begin, so that an SSTable can be cut into pieces: from its index, else from Data.db itself.
//!
//! Index.db (BIG) lists all partitions in order:
//!
//! ```text
//! u16 length, key | uvint offset in Data.db before compression | uvint length of what follows of this partition | that much
//! ```
//!
//! An index has no checksum, and only the speed depends on it. So each place that is taken from it is looked up in Data.db: the key
//! must stand there, if the index tells it, and the partition before must end there (this is looked up only where it is short).
//! Where anything about an index is wrong, or it is missing, Data.db is walked instead. A wrong place that is not noticed here
//! is damage to whoever reads up to it, so no row is lost in silence.

use super::data::Sstable;
use super::descriptor::Layout;
use super::trie;
use super::wire;
use crate::error::Result;
use crate::file::cursor::Cursor;
use crate::file::input::Input;

/// A place at which an SSTable can be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStart {
    /// Key of the partition.
    pub key: Vec<u8>,
    /// Where it begins, in the data before compression.
    pub offset: u64,
}

/// A place that an index tells of.
pub struct IndexPlace {
    /// Offset of the partition.
    pub offset: u64,
    /// Offset of the partition before, if there is one.
    pub previous: Option<u64>,
    /// Its key, where the index tells it.
    pub key: Option<Vec<u8>>,
}

/// Longest partition that is walked to prove that the index is right about the next one, in bytes.
const PROOF_BYTES_MAX: u64 = 1 << 20;

/// Picks, of offsets that come in ascending order, about `pieces` that are evenly spread.
pub struct Spread {
    pieces: u64,
    data_len: u64,
    /// The next piece that has no beginning yet.
    taken: u64,
    last: Option<u64>,
}

impl Spread {
    /// Of data of this length.
    pub fn new(pieces: usize, data_len: u64) -> Spread {
        Spread {
            pieces: (pieces as u64).max(1),
            data_len,
            taken: 0,
            last: None,
        }
    }

    /// The offset that came last.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Whether this offset is one to take. `None` where the offsets don't ascend, or leave the data.
    pub fn take(&mut self, offset: u64) -> Option<bool> {
        if self.last.is_some_and(|last| offset <= last) || offset >= self.data_len {
            return None;
        }
        if self.last.is_none() && offset != 0 {
            return None;
        }
        self.last = Some(offset);
        let piece = u128::from(offset) * u128::from(self.pieces) / u128::from(self.data_len);
        // It is less than `pieces`. Those that begin within a wide partition are passed over.
        let piece = piece as u64;
        let is_taken = piece >= self.taken;
        if is_taken {
            self.taken = piece + 1;
        }
        Some(is_taken)
    }
}

impl Sstable {
    /// Finds the beginnings of at most `pieces` partitions that cut the data into pieces of about equal length, ascending, the first
    /// partition always among them; none where the SSTable is empty. The whole index is read, not the data, if there is one.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged where the data must be walked and can't.
    pub fn partition_starts(&self, pieces: usize) -> Result<Vec<PartitionStart>> {
        if self.data_len() == 0 {
            return Ok(Vec::new());
        }
        if pieces > 1 {
            let offsets = match self.descriptor().version.layout() {
                Layout::Big => self.offsets_of_index(pieces),
                Layout::Bti => trie::offsets(self, pieces),
            };
            if let Some(starts) = offsets.and_then(|places| self.looked_up(places)) {
                return Ok(starts);
            }
        }
        self.walked(pieces)
    }

    /// Reads the keys that stand at these places; `None` if one is not as the index says. Those that can't be read are left
    /// out: the data may be damaged there and sound elsewhere.
    fn looked_up(&self, places: Vec<IndexPlace>) -> Option<Vec<PartitionStart>> {
        let starts = places.into_iter().map(|place| {
            let (from, to) = (place.previous.unwrap_or(place.offset), place.offset);
            match self.look_up(place) {
                Ok(found) => found,
                Err(_) if self.can_be_read(from, to.saturating_add(HEAD_BYTES_MAX)) => None,
                Err(_) => Some(None),
            }
        });
        let starts = starts.collect::<Option<Vec<_>>>()?;
        let starts: Vec<_> = starts.into_iter().flatten().collect();
        (!starts.is_empty()).then_some(starts)
    }

    /// The partition at a place, or `None` where there is no beginning of one.
    fn look_up(&self, place: IndexPlace) -> Result<Option<Option<PartitionStart>>> {
        let offset = place.offset;
        if let Some(previous) = place.previous.filter(|p| offset - p <= PROOF_BYTES_MAX) {
            let mut reader = self.read(previous, offset);
            if reader.next_partition()?.is_none() || reader.next_partition()?.is_some() {
                return Ok(None);
            }
        }
        let head = self.read(offset, self.data_len()).next_partition()?;
        Ok(head.and_then(|head| match place.key {
            Some(wanted) if wanted != head.key => None,
            _ => Some(Some(PartitionStart {
                key: head.key,
                offset,
            })),
        }))
    }

    /// Reads Index.db; `None` where it can't be read.
    fn offsets_of_index(&self, pieces: usize) -> Option<Vec<IndexPlace>> {
        let path = self.descriptor().component("Index.db");
        let input = Input::open_plain(&path, self.options()).ok()?;
        let (mut places, mut spread) = (Vec::new(), Spread::new(pieces, self.data_len()));
        let (mut at, mut scratch) = (0, Vec::new());
        while at < input.len() {
            let len = (input.len() - at).min(INDEX_ENTRY_FRONT_MAX);
            let mut cursor = Cursor::new(input.read(at, len, &mut scratch).ok()?);
            let key = wire::u16_prefixed(&mut cursor)?;
            let offset = wire::uvint(&mut cursor)?;
            let following = wire::uvint(&mut cursor)?;
            let previous = spread.last();
            if spread.take(offset)? {
                places.push(IndexPlace {
                    offset,
                    previous,
                    key: Some(key.to_vec()),
                });
            }
            let front = cursor.position() as u64;
            at = at.checked_add(front)?.checked_add(following)?;
        }
        (at == input.len()).then_some(places)
    }

    fn walked(&self, pieces: usize) -> Result<Vec<PartitionStart>> {
        let (mut starts, mut spread) = (Vec::new(), Spread::new(pieces, self.data_len()));
        let mut reader = self.read(0, self.data_len());
        while let Some(head) = reader.next_partition()? {
            if spread.take(head.offset) == Some(true) {
                starts.push(PartitionStart {
                    key: head.key,
                    offset: head.offset,
                });
            }
            if pieces <= 1 {
                break;
            }
        }
        Ok(starts)
    }
}

/// Longest head of a partition: its key, the length of that, its deletion.
const HEAD_BYTES_MAX: u64 = 2 + 0xffff + 12;

/// Longest front of an entry of Index.db: a key of 64 KiB, its length, two uvints.
const INDEX_ENTRY_FRONT_MAX: u64 = 2 + 0xffff + 9 + 9;

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
