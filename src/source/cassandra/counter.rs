//! The context of a counter cell: its shards, one for each node that took increments.
//!
//! ```text
//! +----------+----------------+---------------------------------------+
//! | count h  | h x index      | shards, ascending by id               |
//! | i16      | i16 each       | each: id (16), clock (i64), count (i64)|
//! +----------+----------------+---------------------------------------+
//! ```
//!
//! All integers are big-endian. An index names a shard: plain (0 and up) is a local one of old versions, plus `8000` (so
//! negative) a global one; shards that no index names are remote ones of old versions. The value is the sum of the counts.

use std::cmp::Ordering;

const SHARD_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Remote,
    Local,
    Global,
}

#[derive(Debug, Clone, Copy)]
struct Shard {
    id: [u8; 16],
    clock: i64,
    count: i64,
    kind: Kind,
}

fn shards(context: &[u8]) -> Option<Vec<Shard>> {
    if context.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = context.split_first_chunk::<2>()?;
    let header_bytes = usize::try_from(i16::from_be_bytes(*count)).ok()? * 2;
    let (header, body) = rest.split_at_checked(header_bytes)?;
    if body.len() % SHARD_BYTES != 0 {
        return None;
    }
    let mut shards = Vec::with_capacity(body.len() / SHARD_BYTES);
    for shard in body.chunks_exact(SHARD_BYTES) {
        let (id, numbers) = shard.split_first_chunk::<16>()?;
        let (clock, count) = numbers.split_first_chunk::<8>()?;
        shards.push(Shard {
            id: *id,
            clock: i64::from_be_bytes(*clock),
            count: i64::from_be_bytes(count.try_into().ok()?),
            kind: Kind::Remote,
        });
    }
    for index in header.chunks_exact(2) {
        let index = i16::from_be_bytes(index.try_into().ok()?);
        let (index, kind) = match usize::try_from(index) {
            Ok(index) => (index, Kind::Local),
            Err(_) => ((i32::from(index) + 0x8000) as usize, Kind::Global),
        };
        shards.get_mut(index)?.kind = kind;
    }
    Some(shards)
}

fn encode(shards: &[Shard]) -> Vec<u8> {
    let mut header = Vec::new();
    for (index, shard) in shards.iter().enumerate() {
        match shard.kind {
            Kind::Remote => {}
            Kind::Local => header.push(index as i16),
            Kind::Global => header.push((index as u16 | 0x8000) as i16),
        }
    }
    let mut out = (header.len() as i16).to_be_bytes().to_vec();
    header
        .iter()
        .for_each(|index| out.extend_from_slice(&index.to_be_bytes()));
    for shard in shards {
        out.extend_from_slice(&shard.id);
        out.extend_from_slice(&shard.clock.to_be_bytes());
        out.extend_from_slice(&shard.count.to_be_bytes());
    }
    out
}

/// Where two contexts that are merged come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holders {
    /// SSTables of one node: its local shards are increments, which add up.
    #[default]
    OneNode,
    /// Two replicas: a node's own shard and the copies of it elsewhere are one shard, of which the latest counts.
    Replicas,
}

/// One shard out of two of the same id.
fn choose(left: Shard, right: Shard, holders: Holders) -> Shard {
    if holders == Holders::Replicas {
        let order = |s: &Shard| (s.kind == Kind::Global, s.clock, s.count, s.kind);
        return match order(&left) >= order(&right) {
            true => left,
            false => right,
        };
    }
    if left.kind == Kind::Local && right.kind == Kind::Local {
        return Shard {
            clock: left.clock.wrapping_add(right.clock),
            count: left.count.wrapping_add(right.count),
            ..left
        };
    }
    let order = |s: &Shard| (s.kind, s.clock, s.count);
    match order(&left) >= order(&right) {
        true => left,
        false => right,
    }
}

/// Merges two contexts; `None` where one is malformed.
pub fn merge(left: &[u8], right: &[u8], holders: Holders) -> Option<Vec<u8>> {
    if holders == Holders::Replicas && left == right {
        return Some(left.to_vec());
    }
    let (left, right) = (shards(left)?, shards(right)?);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => one.id.cmp(&other.id),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Some(encode(&merged)),
        };
        let one = left.next_if(|_| order.is_le());
        let other = right.next_if(|_| order.is_ge());
        merged.extend(match (one, other) {
            (Some(one), Some(other)) => Some(choose(one, other, holders)),
            (one, other) => one.or(other),
        });
    }
}

/// The value of a counter; `None` where the context is malformed.
pub fn sum(context: &[u8]) -> Option<i64> {
    let counts = shards(context)?.into_iter().map(|shard| shard.count);
    Some(counts.fold(0, i64::wrapping_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(of: &[(u8, i64, i64, Kind)]) -> Vec<u8> {
        let shards: Vec<Shard> = of
            .iter()
            .map(|&(id, clock, count, kind)| Shard {
                id: [id; 16],
                clock,
                count,
                kind,
            })
            .collect();
        encode(&shards)
    }

    fn merge(left: &[u8], right: &[u8]) -> Option<Vec<u8>> {
        super::merge(left, right, Holders::OneNode)
    }

    #[test]
    fn shards_are_merged_by_id() {
        let left = context(&[(1, 5, 10, Kind::Global), (3, 1, 1, Kind::Global)]);
        let right = context(&[(1, 6, 7, Kind::Global), (2, 1, 100, Kind::Remote)]);
        let merged = merge(&left, &right).unwrap();
        let expected = [
            (1, 6, 7, Kind::Global),
            (2, 1, 100, Kind::Remote),
            (3, 1, 1, Kind::Global),
        ];
        assert_eq!(merged, context(&expected));
        assert_eq!(merge(&right, &left).unwrap(), merged);
        assert_eq!(sum(&merged), Some(108));
    }

    #[test]
    fn local_shards_add_up_and_give_way_to_global_ones() {
        let local = context(&[(1, 2, 3, Kind::Local)]);
        let global = context(&[(1, 1, 50, Kind::Global)]);
        assert_eq!(sum(&merge(&local, &local).unwrap()), Some(6));
        assert_eq!(sum(&merge(&local, &global).unwrap()), Some(50));
        assert_eq!(merge(&local, b"\0"), None);
        assert_eq!(merge(&local, b""), Some(local));
    }

    #[test]
    fn of_a_shard_that_replicas_share_the_latest_counts() {
        let merge = |left: &[u8], right: &[u8]| super::merge(left, right, Holders::Replicas);
        let own = context(&[(1, 5, 10, Kind::Local)]);
        let behind = context(&[(1, 4, 8, Kind::Remote)]);
        let ahead = context(&[(1, 6, 12, Kind::Remote)]);
        let global = context(&[(1, 1, 3, Kind::Global)]);
        for (left, right, expected) in [
            (&own, &own, &own),
            (&own, &behind, &own),
            (&own, &ahead, &ahead),
            (&own, &global, &global),
        ] {
            assert_eq!(merge(left, right).as_ref(), Some(expected));
            assert_eq!(merge(right, left).as_ref(), Some(expected));
        }
    }
}
