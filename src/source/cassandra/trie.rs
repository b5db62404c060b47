//! Partitions.db and Rows.db (BTI): tries. That of Partitions.db has the shortest unique prefixes of the partitions' tokens and keys;
//! Rows.db has one for each wide partition, of what separates the blocks of its rows.
//!
//! ```text
//! Partitions.db: nodes, children before parents, in pages of 4 KiB | first key, last key
//! i64 position of those keys | i64 count of keys | i64 position of the root
//! Rows.db, again and again: nodes | u16 length, key | uvint offset in Data.db | signed vint, the root's position less the one behind
//! the key | uvint count of blocks | deletion of the partition
//! ```
//!
//! A node: one byte, its type (high 4 bits) and payload bits (low 4), then by type, then its payload. A child lies at the node's
//! position less its pointer.
//!
//! ```text
//! 0        payload only
//! 1        one child: pointer of 4 bits (the payload bits), key byte; no payload
//! 3        one child: pointer of 12 bits (the payload bits are its highest), key byte; no payload
//! 2, 4     one child: key byte, pointer of 1 or 2 bytes
//! 5 7 8 9  u8 count, so many key bytes, so many pointers of 1, 2, 3, 5 bytes
//! 6        the same with pointers of 12 bits, packed
//! 10       u8 first key byte, u8 count less one, pointers of 12 bits, packed; 0 is no child
//! 11..15   the same with pointers of 2, 3, 4, 5, 8 bytes
//! ```
//!
//! Payload of Partitions.db: bits 8 and more: a byte of the key's hash, then (bits - 7) bytes of a signed integer; 1 to 7: an integer of
//! so many bytes. At or above 0 it is the position of a key in Rows.db, else its complement is one in Data.db.
//! Payload of Rows.db: (bits & 7) bytes, the offset of a block from its partition's, then, with bit 8, the deletion that is open there. The
//! last one is the end of the partition.
//!
//! The paths don't tell the keys, so these are read from Data.db.

use super::data::{Sstable, Start, Within};
use super::marks::Spread;
use super::model::Deletion;
use super::wire;
use crate::file::cursor::Cursor;
use crate::file::input::Input;

/// Longest node: 256 children with pointers of 8 bytes, and what is before and behind them.
const NODE_BYTES_MAX: u64 = 3 + 256 + 256 * 8 + 20;

/// Most nodes that wait to be visited: those beside a path, which is no longer than a key.
const STACK_MAX: usize = 1 << 20;

/// Longest entry of Rows.db without its trie.
const ROWS_ENTRY_MAX: u64 = 2 + 0xffff + 9 + 9 + 9;

/// Offers all places that the tries tell of; `None` where they can't be read. Keys come with wide partitions only.
pub fn read(sstable: &Sstable, spread: &mut Spread) -> Option<()> {
    let open = |component| {
        let path = sstable.descriptor().component(component);
        Input::open_plain(&path, sstable.options()).ok()
    };
    let input = open("Partitions.db")?;
    let rows = open("Rows.db");
    let mut scratch = Vec::new();
    let mut footer = Cursor::new(input.tail(24, &mut scratch).ok()?);
    let _keys_at = wire::i64(&mut footer)?;
    // An entry takes two bytes and more.
    let count = wire::i64(&mut footer).filter(|&count| count <= input.len() as i64)?;
    let root = u64::try_from(wire::i64(&mut footer)?).ok()?;
    let count = u64::try_from(count).ok()?;
    walk(&input, root, count, &mut |bits, payload| {
        if bits >= 8 {
            payload.u8()?;
        }
        let bytes = payload.take(u64::from(if bits >= 8 { bits - 7 } else { bits }))?;
        let unused = 64 - 8 * bytes.len().min(8) as u32;
        let position = (integer(bytes) << unused) as i64 >> unused;
        match u64::try_from(position) {
            Ok(at) => wide(sstable, rows.as_ref()?, at, spread),
            Err(_) => {
                let partition = u64::try_from(!position).ok()?;
                spread.offer(Start::of_partition(partition), None)
            }
        }
    })
}

/// Offers a partition that has an entry in Rows.db, and its blocks. What is wrong with the blocks only makes it one that can't be cut.
fn wide(sstable: &Sstable, rows: &Input, at: u64, spread: &mut Spread) -> Option<()> {
    let len = rows.len().checked_sub(at)?.min(ROWS_ENTRY_MAX);
    let mut scratch = Vec::new();
    let mut cursor = Cursor::new(rows.read(at, len, &mut scratch).ok()?);
    let key = wire::u16_prefixed(&mut cursor)?;
    let behind_key = at.checked_add(cursor.position() as u64)?;
    let partition = wire::uvint(&mut cursor)?;
    spread.offer(Start::of_partition(partition), Some(key))?;
    if spread.has_blocks() {
        let root = wire::svint(&mut cursor).and_then(|less| behind_key.checked_add_signed(less));
        // A block takes a byte and more.
        let count = wire::uvint(&mut cursor).filter(|&count| count <= rows.len());
        if let (Some(root), Some(count)) = (root, count) {
            let _ = blocks(sstable, rows, (root, count), (partition, key), spread);
        }
    }
    Some(())
}

fn blocks(
    sstable: &Sstable,
    rows: &Input,
    (root, count): (u64, u64),
    (partition, key): (u64, &[u8]),
    spread: &mut Spread,
) -> Option<()> {
    let mut left = count;
    walk(rows, root, count.checked_add(1)?, &mut |bits, payload| {
        let offset = integer(payload.take(u64::from(bits & 7))?);
        let open = match bits & 8 {
            0 => Deletion::LIVE,
            _ => sstable.shape().partition_deletion(payload)?,
        };
        let Some(after) = left.checked_sub(1) else {
            return Some(());
        };
        left = after;
        let within = Some(Within {
            offset: partition.checked_add(offset)?,
            open,
        });
        spread.offer(Start { partition, within }, Some(key))
    })
}

/// Gives the payloads of a trie, in order, with their bits; `None` where there are not `count`, or one is refused.
fn walk(
    input: &Input,
    root: u64,
    count: u64,
    give: &mut dyn FnMut(u8, &mut Cursor<'_>) -> Option<()>,
) -> Option<()> {
    let mut scratch = Vec::new();
    // Nodes yet to visit, the next one last. Children lie before their parents, so a walk ends; the count of payloads ends
    // one of nodes that are reached on many ways.
    let mut stack = vec![root];
    let mut steps_left = count.checked_mul(64)?.checked_add(1024)?;
    let mut found = 0u64;
    while let Some(at) = stack.pop() {
        steps_left = steps_left.checked_sub(1).filter(|&left| left > 0)?;
        if stack.len() > STACK_MAX {
            return None;
        }
        let len = input.len().checked_sub(at)?.min(NODE_BYTES_MAX);
        let mut node = Cursor::new(input.read(at, len, &mut scratch).ok()?);
        let bits = visit(&mut node, at, &mut stack)?;
        if bits > 0 {
            found += 1;
            give(bits, &mut node)?;
        }
    }
    (found == count).then_some(())
}

/// Pushes the children of a node at `at`, the last one first, and returns the bits of its payload, to which it goes; 0 where it has
/// none. `None` stands for damage.
fn visit(cursor: &mut Cursor<'_>, at: u64, stack: &mut Vec<u64>) -> Option<u8> {
    let first = cursor.u8()?;
    let (kind, bits) = (first >> 4, first & 0x0f);
    let child = |pointer: u64| match pointer {
        0 => None,
        _ => at.checked_sub(pointer),
    };
    let has_payload = kind != 1 && kind != 3;
    match kind {
        0 => {}
        1 => stack.push(child(u64::from(bits))?),
        3 => {
            let low = u64::from(cursor.u8()?);
            stack.push(child(u64::from(bits) << 8 | low)?);
        }
        2 | 4 => {
            cursor.u8()?;
            stack.push(child(integer(cursor.take(u64::from(kind / 2))?))?);
        }
        5..=9 => {
            let count = usize::from(cursor.u8()?);
            cursor.take(count as u64)?;
            for pointer in pointers(cursor, kind, count)?.into_iter().rev() {
                stack.push(child(pointer)?);
            }
        }
        _ => {
            cursor.u8()?;
            let count = usize::from(cursor.u8()?) + 1;
            for pointer in pointers(cursor, kind, count)?.into_iter().rev() {
                if pointer != 0 {
                    stack.push(child(pointer)?);
                }
            }
        }
    }
    Some(if has_payload { bits } else { 0 })
}

/// The pointers of a node of many children.
fn pointers(cursor: &mut Cursor<'_>, kind: u8, count: usize) -> Option<Vec<u64>> {
    let len = match kind {
        5 => 1,
        7 | 11 => 2,
        8 | 12 => 3,
        13 => 4,
        9 | 14 => 5,
        15 => 8,
        _ => {
            let bytes = cursor.take((count as u64 * 3).div_ceil(2))?;
            let pointer = |i: usize| {
                let (a, b) = (i * 3 / 2, i * 3 / 2 + 1);
                let pair = u64::from(*bytes.get(a)?) << 8 | u64::from(*bytes.get(b)?);
                Some(if i.is_multiple_of(2) {
                    pair >> 4
                } else {
                    pair & 0xfff
                })
            };
            return (0..count).map(pointer).collect();
        }
    };
    (0..count).map(|_| cursor.take(len).map(integer)).collect()
}

/// A big-endian integer of at most eight bytes.
fn integer(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}
