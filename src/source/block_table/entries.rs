//! The walk over the entries of data blocks: the hot loop.
//!
//! Keys are rebuilt in two buffers by turns, values stay where they are. By turns, so that a row can be looked at after the next
//! entry was read: a processor that loads a key right after its last bytes were stored has to wait for the store. Most entries take the short way: lengths of one byte (two for
//! the value), a key that its first own bytes already put behind the one before, a plain put. Everything else, the checks of the
//! range's ends and of deleted ranges too, is off that way.

use std::ops::Range;

use super::block::Bad;
use super::key;
use super::range_del::RangeDeletions;
use crate::file::cursor::Cursor;
use crate::limits::Limits;
use crate::range::KeyRange;

/// Why a walk stopped before the end of a block.
pub enum Stop {
    /// The entry after [`EntryWalk::last_user_key`] is malformed.
    Bad(Bad),
    /// The newest version of [`EntryWalk::special_key`] is of this type, which is neither a plain value nor a deletion;
    /// behind it lies the place of its value. The walk can go on after it.
    Special(u8, Range<usize>),
}

/// What an entry is.
pub enum Step {
    /// A row: the place of its value. Its key is [`EntryWalk::user_key`].
    Row(Range<usize>),
    /// No row of the range.
    NoRow,
    /// There was no entry left in the block, or in the range.
    End,
}

/// An entry whose key is wanted later.
pub struct Mark {
    in_second: bool,
    user_len: usize,
}

/// Own key bytes of an entry that are copied at once on the short way, needed or not.
const COPY_BYTES: usize = 32;
/// Most bytes of an entry's lengths on the short way.
const LENGTHS_BYTES: usize = 4;

/// Walks entries, block after block, and picks the rows.
pub struct EntryWalk<'t> {
    position: usize,
    /// One holds the internal key of the last entry, in its first `user_len + 8` bytes, with room for a copy behind it. In the
    /// other, with the key of the entry before, the next one is put together.
    keys: [Vec<u8>; 2],
    /// Whether the second of `keys` is the last entry's.
    in_second: bool,
    user_len: usize,
    trailer: u64,
    /// Whether there was an entry, in this block or before.
    begun: bool,
    /// No end of the range, and no deleted range, can concern the entries of this block.
    plain: bool,
    /// Keys below are skipped.
    floor: Option<Vec<u8>>,
    /// End of the range.
    to: Option<Vec<u8>>,
    reaches_end: bool,
    past_end: bool,
    deletions: RangeDeletions<'t>,
    key_bytes_max: usize,
    value_bytes_max: usize,
}

/// Whether the first `own` bytes of `new`, or the first 16 if these are more, are above those of `old`.
#[inline(always)]
fn ascends(new: &[u8; COPY_BYTES], old: &[u8; COPY_BYTES], own: usize) -> bool {
    let head = |bytes: &[u8; COPY_BYTES]| match bytes.first_chunk() {
        Some(head) => u128::from_be_bytes(*head),
        None => 0,
    };
    let (new, old) = (head(new), head(old));
    let same_bytes = (new ^ old).leading_zeros() as usize / 8;
    new > old && same_bytes < own
}

/// Copies at least the first `len` bytes, in strides; false where a buffer is too short for that.
#[inline(always)]
fn copy_prefix(from: &[u8], to: &mut [u8], len: usize) -> bool {
    let strides = from
        .as_chunks::<COPY_BYTES>()
        .0
        .iter()
        .zip(to.as_chunks_mut::<COPY_BYTES>().0);
    let mut copied = 0;
    for (from, to) in strides {
        *to = *from;
        copied += COPY_BYTES;
        if copied >= len {
            return true;
        }
    }
    false
}

/// An entry's lengths, and where it lies in the block.
struct Entry {
    shared: usize,
    suffix: Range<usize>,
    value: Range<usize>,
}

impl<'t> EntryWalk<'t> {
    /// Starts before the first entry of `range`.
    pub fn new(range: &KeyRange, deletions: RangeDeletions<'t>, limits: &Limits) -> EntryWalk<'t> {
        EntryWalk {
            position: 0,
            keys: [vec![0; 128 + 2 * COPY_BYTES], vec![0; 128 + 2 * COPY_BYTES]],
            in_second: false,
            user_len: 0,
            trailer: 0,
            begun: false,
            plain: false,
            floor: (!range.from.is_empty()).then(|| range.from.clone()),
            to: range.to.clone(),
            reaches_end: false,
            past_end: false,
            deletions,
            key_bytes_max: usize::try_from(limits.key_bytes_max).unwrap_or(usize::MAX),
            value_bytes_max: usize::try_from(limits.value_bytes_max).unwrap_or(usize::MAX),
        }
    }

    /// Offset of the next entry in its block, in bytes.
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The user key of the last entry.
    #[inline]
    pub fn user_key(&self) -> &[u8] {
        self.last_key().get(..self.user_len).unwrap_or_default()
    }

    #[inline(always)]
    fn key_in(&self, second: bool) -> &[u8] {
        let [first, other] = &self.keys;
        if second { other } else { first }
    }

    /// The last key, and where the next one is put together.
    #[inline(always)]
    fn last_and_next(&mut self) -> (&[u8], &mut Vec<u8>) {
        let [first, second] = &mut self.keys;
        if self.in_second {
            (second, first)
        } else {
            (first, second)
        }
    }

    #[inline(always)]
    fn last_key(&self) -> &[u8] {
        self.key_in(self.in_second)
    }

    /// What finds the user key of the last entry again after one more step.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark {
            in_second: self.in_second,
            user_len: self.user_len,
        }
    }

    /// The user key of the entry that was marked; at most one was read since.
    #[inline]
    pub fn marked_key(&self, mark: &Mark) -> &[u8] {
        self.key_in(mark.in_second)
            .get(..mark.user_len)
            .unwrap_or_default()
    }

    /// The user key of the last entry, if there was one since the walk began or last skipped.
    pub fn last_user_key(&self) -> Option<&[u8]> {
        self.begun.then(|| self.user_key())
    }

    /// The key that [`Stop::Special`] is about.
    pub fn special_key(&self) -> &[u8] {
        self.user_key()
    }

    /// Whether an entry behind the range was met.
    pub fn is_past_end(&self) -> bool {
        self.past_end
    }

    /// Whether a block may start with `first` behind a block of the separator `previous`: with a key above it, or with an old
    /// version of a key that was met or that is skipped.
    pub fn may_begin(&self, first: &[u8], previous: Option<&[u8]>) -> bool {
        let Some(previous) = previous else {
            return true;
        };
        first > previous
            || first == previous
                && (self.last_user_key() == Some(first)
                    || self.floor.as_deref().is_some_and(|floor| first < floor))
    }

    /// Starts the next block; `reaches_end` where it may hold keys behind the range.
    pub fn begin_block(&mut self, reaches_end: bool) {
        self.position = 0;
        self.reaches_end = reaches_end;
        self.set_plain();
    }

    /// Forgets the current block and skips keys below `floor` from now on.
    pub fn skip_to(&mut self, floor: &[u8]) {
        self.position = 0;
        self.floor = Some(floor.to_vec());
        self.begun = false;
        self.user_len = 0;
    }

    fn set_plain(&mut self) {
        self.plain = self.floor.is_none() && !self.reaches_end && self.deletions.is_empty();
    }

    /// Goes to the next row and returns the place of its value; `None` at the end of the block (`data`, its entries).
    pub fn next(&mut self, data: &[u8]) -> Result<Option<Range<usize>>, Stop> {
        loop {
            match self.step(data)? {
                Step::Row(value) => return Ok(Some(value)),
                Step::NoRow => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Reads one entry of the block (`data`, its entries).
    #[inline(always)]
    pub fn step(&mut self, data: &[u8]) -> Result<Step, Stop> {
        let Some(value) = self.short_way(data) else {
            return self.long_way(data);
        };
        if self.plain && key::kind(self.trailer) == key::PUT || self.judge(value.clone())? {
            return Ok(Step::Row(value));
        }
        Ok(Step::NoRow)
    }

    /// Reads an entry that is surely behind the one before; `None`, and nothing changed, where that is not plain to see.
    #[inline(always)]
    fn short_way(&mut self, data: &[u8]) -> Option<Range<usize>> {
        let window = data.get(self.position..)?;
        let &[shared, unshared, low, high] = window.first_chunk::<LENGTHS_BYTES>()?;
        let (value_len, lengths) = match low < 0x80 {
            true => (usize::from(low), 3),
            false => (usize::from(low & 0x7f) | usize::from(high) << 7, 4),
        };
        let is_short = (shared | unshared) < 0x80 && (low < 0x80 || high < 0x80);
        let (shared, unshared) = (usize::from(shared), usize::from(unshared));
        // With more own bytes than a trailer the first of them belongs to the user key, and so it does in the key before.
        let is_own =
            shared < self.user_len && unshared > key::TRAILER_BYTES && unshared <= COPY_BYTES;
        if !(is_short && is_own) {
            return None;
        }
        let suffix = window.get(lengths..)?.first_chunk::<COPY_BYTES>()?;
        let old = self.last_key().get(shared..)?.first_chunk::<COPY_BYTES>()?;
        let own = (self.user_len - shared).min(unshared - key::TRAILER_BYTES);
        if suffix[0] <= old[0] && !ascends(suffix, old, own) {
            return None;
        }
        let start = self.position.wrapping_add(lengths).wrapping_add(unshared);
        let end = start.wrapping_add(value_len);
        let (_, trailer) = data
            .get(..start)?
            .split_last_chunk::<{ key::TRAILER_BYTES }>()?;
        if end > data.len() {
            return None;
        }
        let (last, next) = self.last_and_next();
        if !copy_prefix(last, next, shared) {
            return None;
        }
        *next.get_mut(shared..)?.first_chunk_mut::<COPY_BYTES>()? = *suffix;
        self.in_second = !self.in_second;
        self.trailer = u64::from_le_bytes(*trailer);
        self.user_len = shared
            .wrapping_add(unshared)
            .wrapping_sub(key::TRAILER_BYTES);
        self.position = end;
        Some(start..end)
    }

    /// Reads any entry.
    #[inline(never)]
    fn long_way(&mut self, data: &[u8]) -> Result<Step, Stop> {
        if self.position >= data.len() {
            return Ok(Step::End);
        }
        let entry = self.read_lengths(data).map_err(Stop::Bad)?;
        let suffix = data.get(entry.suffix.clone()).unwrap_or_default();
        let is_newer = self.extend_key(entry.shared, suffix).map_err(Stop::Bad)?;
        self.position = entry.value.end;
        Ok(match is_newer && self.judge(entry.value.clone())? {
            true => Step::Row(entry.value),
            false if self.past_end => Step::End,
            false => Step::NoRow,
        })
    }

    fn read_lengths(&self, data: &[u8]) -> Result<Entry, Bad> {
        const LEAVES: Bad = "an entry leaves its block";
        let mut cursor = Cursor::new(data.get(self.position..).ok_or(LEAVES)?);
        let shared = cursor.varint32().ok_or(LEAVES)? as usize;
        let unshared = cursor.varint32().ok_or(LEAVES)? as usize;
        let value_len = cursor.varint32().ok_or(LEAVES)? as usize;
        let start = self.position + cursor.position();
        let rest = cursor.rest().len();
        if unshared > rest || value_len > rest - unshared {
            return Err(LEAVES);
        }
        // In a block's first entry nothing can be shared; later, not more than there is.
        let shared_max = match self.position {
            0 => 0,
            _ => self.user_len + key::TRAILER_BYTES,
        };
        if shared > shared_max {
            return Err("an entry shares more key bytes than there are");
        }
        if shared + unshared < key::TRAILER_BYTES {
            return Err("a key without its sequence number");
        }
        if shared + unshared - key::TRAILER_BYTES > self.key_bytes_max {
            return Err("a key over the limit 'key bytes'");
        }
        if value_len > self.value_bytes_max {
            return Err("a value over the limit 'value bytes'");
        }
        let suffix_end = start + unshared;
        Ok(Entry {
            shared,
            suffix: start..suffix_end,
            value: suffix_end..suffix_end + value_len,
        })
    }

    /// Makes the next key out of the one before and checks the order; false for an older version of the same user key.
    fn extend_key(&mut self, shared: usize, suffix: &[u8]) -> Result<bool, Bad> {
        const ORDER: Bad = "keys do not ascend: damaged, or ordered by another comparator";
        let len = shared + suffix.len();
        let user_len = len - key::TRAILER_BYTES;
        let trailer = self.trailer_of(shared, suffix);
        let order = self.compare(shared, suffix, user_len);
        if self.begun && (order.is_lt() || order.is_eq() && trailer >= self.trailer) {
            return Err(ORDER);
        }
        let is_newer = !self.begun || order.is_gt();
        let (last, next) = self.last_and_next();
        if next.len() < len + COPY_BYTES {
            next.resize(2 * len + COPY_BYTES, 0);
        }
        if let Some((prefix, rest)) = next.split_at_mut_checked(shared) {
            prefix.copy_from_slice(last.get(..shared).unwrap_or_default());
            if let Some(slot) = rest.get_mut(..suffix.len()) {
                slot.copy_from_slice(suffix);
            }
        }
        self.in_second = !self.in_second;
        self.user_len = user_len;
        self.trailer = trailer;
        self.begun = true;
        Ok(is_newer)
    }

    fn trailer_of(&self, shared: usize, suffix: &[u8]) -> u64 {
        if let Some(trailer) = suffix.last_chunk::<{ key::TRAILER_BYTES }>() {
            return u64::from_le_bytes(*trailer);
        }
        let mut trailer = [0; key::TRAILER_BYTES];
        let kept = key::TRAILER_BYTES - suffix.len();
        let before = self
            .last_key()
            .get(shared - kept..shared)
            .unwrap_or_default();
        trailer[..kept].copy_from_slice(before);
        trailer[kept..].copy_from_slice(suffix);
        u64::from_le_bytes(trailer)
    }

    /// Compares the next user key, given by its parts, with the last.
    fn compare(&self, shared: usize, suffix: &[u8], user_len: usize) -> std::cmp::Ordering {
        let last = self.user_key();
        // Both user keys start with as many bytes of the shared ones as belong to both.
        let common = shared.min(user_len).min(last.len());
        let own = suffix
            .get(..user_len.saturating_sub(shared))
            .unwrap_or_default();
        if common == shared {
            return own.cmp(last.get(common..).unwrap_or_default());
        }
        // Part of the shared bytes is a trailer in one of the two keys: put the new one together.
        let mut next = self
            .last_key()
            .get(..shared.min(user_len))
            .unwrap_or_default()
            .to_vec();
        next.extend_from_slice(own);
        next.as_slice().cmp(last)
    }

    /// Says whether the newest version of a key, just read, is a row of the range. `value` is the place of its value.
    #[inline(never)]
    fn judge(&mut self, value: Range<usize>) -> Result<bool, Stop> {
        let user_key = self.last_key().get(..self.user_len).unwrap_or_default();
        if let Some(floor) = &self.floor {
            if user_key < floor.as_slice() {
                return Ok(false);
            }
            self.floor = None;
            self.set_plain();
        }
        let [first, second] = &self.keys;
        let last = if self.in_second { second } else { first };
        let user_key = last.get(..self.user_len).unwrap_or_default();
        if self.reaches_end && self.to.as_deref().is_some_and(|to| user_key >= to) {
            self.past_end = true;
            self.position = usize::MAX;
            return Ok(false);
        }
        if self.deletions.hides(user_key, key::sequence(self.trailer)) {
            return Ok(false);
        }
        match key::kind(self.trailer) {
            key::PUT => Ok(true),
            key::DELETE | key::SINGLE_DELETE => Ok(false),
            other => Err(Stop::Special(other, value)),
        }
    }
}
