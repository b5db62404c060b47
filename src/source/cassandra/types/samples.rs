//! Types and random values for the tests of this room.

use super::CqlType;
use super::elements::{join, push_vint};

/// A small generator, the same on every run.
pub struct Random(pub u64);

impl Random {
    /// 64 bits (splitmix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Bytes that often hit the edges.
    pub fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len)
            .map(|_| match self.below(5) {
                0 => 0,
                1 => 0xff,
                2 => 0x80,
                3 => 1,
                _ => self.next() as u8,
            })
            .collect()
    }
}

/// Bytes of hexadecimal text.
pub fn bytes_of(hex: &str) -> Vec<u8> {
    super::text::parse_hex(hex).unwrap()
}

/// The bytes of a frozen list of these elements.
pub fn frozen_list(elements: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<_> = elements.iter().cloned().map(Some).collect();
    join(&CqlType::List(Box::new(CqlType::Blob)), &parts).unwrap()
}

/// Every plain type, and types made of them.
pub fn types() -> Vec<CqlType> {
    use CqlType::*;
    let frozen = |t| Frozen(Box::new(t));
    let list = |t| List(Box::new(t));
    let mut types = vec![
        Ascii, Bigint, Blob, Boolean, Counter, Date, Decimal, Double, Duration, Empty, Float, Inet,
        Int, Smallint, Text, Time, Timestamp, Timeuuid, Tinyint, Uuid, Varint,
    ];
    let plain = types.clone();
    types.extend(plain.iter().cloned().map(|t| frozen(list(t))));
    types.extend([
        frozen(Set(Box::new(Decimal))),
        frozen(Map(Box::new(Varint), Box::new(Text))),
        frozen(Map(Box::new(Int), Box::new(list(Blob)))),
        Tuple(vec![Int, Text, Decimal]),
        Tuple(vec![Decimal, Tuple(vec![Float, Varint])]),
        frozen(Udt {
            keyspace: "ks".into(),
            name: "t".into(),
            fields: vec![("a".into(), Text), ("B".into(), list(Double))],
        }),
        Vector(Box::new(Float), 2),
        Vector(Box::new(Text), 2),
        Vector(Box::new(Vector(Box::new(Varint), 2)), 2),
        Composite(vec![Int, Text]),
        Custom("org.example.Other".into()),
    ]);
    let reversed: Vec<_> = types
        .iter()
        .map(|t| Reversed(Box::new(t.clone())))
        .collect();
    types.extend(reversed);
    types
}

/// A value: mostly valid, sometimes empty, seldom not of the type.
pub fn value(t: &CqlType, random: &mut Random) -> Vec<u8> {
    match random.below(40) {
        0 | 1 => Vec::new(),
        2 => {
            let len = random.below(5);
            random.bytes(len)
        }
        _ => valid(t, random),
    }
}

fn valid(t: &CqlType, random: &mut Random) -> Vec<u8> {
    let parts = |random: &mut Random, types: &[&CqlType], nulls: bool| -> Vec<Option<Vec<u8>>> {
        let mut out = Vec::new();
        for t in types {
            let is_null = nulls && random.below(4) == 0;
            // Inside a value, only what is of the type, or empty.
            let is_empty = t.fixed_len().is_none() && random.below(6) == 0;
            out.push(match (is_null, is_empty) {
                (true, _) => None,
                (_, true) => Some(Vec::new()),
                _ => Some(valid(t, random)),
            });
        }
        out
    };
    let parts = match t {
        CqlType::Reversed(t) | CqlType::Frozen(t) => return valid(t, random),
        CqlType::Ascii | CqlType::Text | CqlType::Blob | CqlType::Counter | CqlType::Custom(_) => {
            let len = random.below(4);
            return random.bytes(len);
        }
        CqlType::Empty => return Vec::new(),
        CqlType::Inet => {
            let len = 4 + 12 * random.below(2);
            return random.bytes(len);
        }
        CqlType::Duration => {
            let mut out = Vec::new();
            for _ in 0..3 {
                push_vint(&mut out, random.next() as i32 as i64);
            }
            return out;
        }
        CqlType::Boolean => return vec![random.below(2) as u8],
        CqlType::Tinyint => return random.bytes(1),
        CqlType::Smallint => return random.bytes(2),
        CqlType::Date => return random.bytes(4),
        CqlType::Time => return random.bytes(8),
        CqlType::Varint => {
            let len = 1 + random.below(5);
            return random.bytes(len);
        }
        CqlType::Decimal => {
            let mut out = (random.below(7) as i32 - 3).to_be_bytes().to_vec();
            let n = match random.below(2) {
                0 => (random.below(41) as i64 - 20) * 10i64.pow(random.below(4) as u32),
                _ => random.next() as i64 >> random.below(64),
            };
            out.extend_from_slice(&n.to_be_bytes());
            return out;
        }
        CqlType::List(t) | CqlType::Set(t) => {
            let count = random.below(4) as usize;
            parts(random, &vec![&**t; count], false)
        }
        CqlType::Map(key, value) => {
            let count = random.below(3) as usize;
            parts(random, &[&**key, &**value].repeat(count), false)
        }
        CqlType::Vector(t, n) => parts(random, &vec![&**t; *n], false),
        CqlType::Tuple(types) => {
            let mut parts = parts(random, &types.iter().collect::<Vec<_>>(), true);
            parts.truncate(1 + random.below(types.len() as u64) as usize);
            parts
        }
        CqlType::Udt { fields, .. } => {
            let types: Vec<_> = fields.iter().map(|(_, t)| t).collect();
            parts(random, &types, true)
        }
        CqlType::Composite(types) => parts(random, &types.iter().collect::<Vec<_>>(), false),
        t => {
            let len = t.fixed_len().unwrap() as u64;
            return random.bytes(len);
        }
    };
    join(t, &parts).unwrap()
}
