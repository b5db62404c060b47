//! Index.db (BIG): all partitions in order, and of wide ones blocks of their rows.
//!
//! ```text
//! u16 length, key | uvint offset in Data.db before compression | uvint length of what follows of this partition | that much:
//!
//! uvint length of head and static row | deletion of the partition | uvint count, so many blocks | i32 places of the blocks here
//! block: first and last prefix | uvint offset from the partition's | vint length - 64 KiB | u8 1 and a deletion that is open behind it, or 0
//! prefix: u8 kind, u16 count (not where the kind is 4, a row), clustering values
//! ```
//!
//! What is wrong with the blocks of a partition only makes it one that can't be cut.

use super::data::{Sstable, Start, Within};
use super::marks::Spread;
use super::model::Deletion;
use super::wire::{self, uvint_at};
use crate::file::cursor::Cursor;
use crate::file::input::Input;

/// Bytes that are read at once. A block has two prefixes of no more than 64 KiB.
const WINDOW_BYTES: u64 = 256 << 10;

/// Offers all places that Index.db tells of; `None` where it can't be read.
pub fn read(sstable: &Sstable, spread: &mut Spread) -> Option<()> {
    let path = sstable.descriptor().component("Index.db");
    let input = Input::open_plain(&path, sstable.options()).ok()?;
    let (mut at, mut scratch) = (0u64, Vec::new());
    while at < input.len() {
        let len = (input.len() - at).min(WINDOW_BYTES);
        let bytes = input.read(at, len, &mut scratch).ok()?;
        let (mut place, mut used) = (0, 0u64);
        while let Some((key, partition, following)) = front(bytes, &mut place) {
            spread.offer(Start::of_partition(partition), Some(key))?;
            if following > 0 && spread.has_blocks() {
                let body = at.checked_add(place as u64)?;
                let end = body.checked_add(following)?;
                let _ = blocks(sstable, &input, body..end, (partition, key), spread);
            }
            used = (place as u64).checked_add(following)?;
            if used > bytes.len() as u64 {
                break;
            }
            place = used as usize;
        }
        // An entry that does not fit is none.
        at = at.checked_add(used).filter(|_| used > 0)?;
    }
    (at == input.len()).then_some(())
}

/// Key and offset of the partition at a place, and how much of it follows; moves the place behind these.
#[inline]
fn front<'a>(bytes: &'a [u8], place: &mut usize) -> Option<(&'a [u8], u64, u64)> {
    let (key_len, rest) = bytes.get(*place..)?.split_first_chunk()?;
    let key = rest.get(..u16::from_be_bytes(*key_len).into())?;
    *place += key_len.len() + key.len();
    Some((key, uvint_at(bytes, place)?, uvint_at(bytes, place)?))
}

fn blocks(
    sstable: &Sstable,
    input: &Input,
    place: std::ops::Range<u64>,
    (partition, key): (u64, &[u8]),
    spread: &mut Spread,
) -> Option<()> {
    let shape = sstable.shape();
    let (mut at, mut scratch, mut clustering) = (place.start, Vec::new(), Vec::new());
    let mut count = None;
    let mut open = Deletion::LIVE;
    while count != Some(0) {
        let len = place.end.checked_sub(at)?.min(WINDOW_BYTES);
        let mut cursor = Cursor::new(input.read(at, len, &mut scratch).ok()?);
        let mut used = 0;
        let mut left = match count {
            Some(left) => left,
            None => {
                let _head_len = wire::uvint(&mut cursor)?;
                shape.partition_deletion(&mut cursor)?;
                used = cursor.position();
                wire::uvint(&mut cursor)?
            }
        };
        while left > 0 {
            let mut prefix = || shape.skip_prefix(&mut cursor, &mut clustering).ok();
            let Some(()) = prefix().and_then(|()| prefix()) else {
                break;
            };
            let (Some(offset), Some(_), Some(is_open)) = (
                wire::uvint(&mut cursor),
                wire::uvint(&mut cursor),
                cursor.u8(),
            ) else {
                break;
            };
            let behind = match is_open {
                0 => Some(Deletion::LIVE),
                _ => shape.partition_deletion(&mut cursor),
            };
            let Some(behind) = behind else { break };
            let within = Some(Within {
                offset: partition.checked_add(offset)?,
                open: std::mem::replace(&mut open, behind),
            });
            spread.offer(Start { partition, within }, Some(key))?;
            used = cursor.position();
            left -= 1;
        }
        if left > 0 && used == 0 {
            return None;
        }
        at = at.checked_add(used as u64)?;
        count = Some(left);
    }
    Some(())
}
