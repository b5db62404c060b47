//! Partitioners: the token of a partition key, by which partitions are spread and ordered.
//!
//! | partitioner | token | order of partitions |
//! |---|---|---|
//! | Murmur3 | i64: first half of MurmurHash3 x64 128 of the key, seed 0, with Cassandra's slip (below); -2^63 becomes 2^63-1 | token, then key |
//! | Random | 0 to 2^127: MD5 of the key as a signed number, without its sign | token, then key |
//! | ByteOrdered | the key | key |
//! | Local | the key | order of the key's type; its tokens here are plain bytes |
//!
//! The slip: the bytes behind the last whole block of 16 are taken as signed, so that one of 0x80 or more also flips what
//! lies above it. An empty key has the token -2^63 (Murmur3) or -1 (Random).
//!
//! Facts: `org.apache.cassandra.dht` and `utils.MurmurHash`; order proven on the tables of the tests.

use std::fmt;

use md5::{Digest, Md5};

use super::types::CqlType;

/// How a table spreads its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partitioner {
    /// The default since 1.2.
    Murmur3,
    /// The default before.
    Random,
    /// Keys in their own order.
    ByteOrdered,
    /// Of tables that a node keeps for itself, and of secondary indexes.
    Local,
}

/// A token. Tokens of one partitioner compare as it orders them; tokens of two say nothing of each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// Of [`Partitioner::Murmur3`].
    Murmur3(i64),
    /// Of [`Partitioner::Random`]: -1 to 2^127.
    Random(RandomToken),
    /// Of [`Partitioner::ByteOrdered`] and [`Partitioner::Local`].
    Bytes(Vec<u8>),
}

/// A token of the random partitioner plus one, so that the least of all, -1, is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RandomToken(u128);

impl Partitioner {
    /// The partitioner of a Java class, with or without its package.
    pub fn named(class: &str) -> Option<Partitioner> {
        let short = class
            .strip_prefix("org.apache.cassandra.dht.")
            .unwrap_or(class);
        // The local partitioner is written with the type of its keys in parentheses.
        match short.split('(').next()? {
            "Murmur3Partitioner" => Some(Partitioner::Murmur3),
            "RandomPartitioner" => Some(Partitioner::Random),
            "ByteOrderedPartitioner" => Some(Partitioner::ByteOrdered),
            "LocalPartitioner" => Some(Partitioner::Local),
            _ => None,
        }
    }

    /// Its Java class, without the package.
    pub fn name(self) -> &'static str {
        match self {
            Partitioner::Murmur3 => "Murmur3Partitioner",
            Partitioner::Random => "RandomPartitioner",
            Partitioner::ByteOrdered => "ByteOrderedPartitioner",
            Partitioner::Local => "LocalPartitioner",
        }
    }

    /// The token of a partition key as the SSTable has it (of several columns: the composite).
    pub fn token(self, key: &[u8]) -> Token {
        match self {
            Partitioner::Murmur3 if key.is_empty() => Token::Murmur3(i64::MIN),
            Partitioner::Murmur3 => Token::Murmur3(match murmur3(key) {
                i64::MIN => i64::MAX,
                token => token,
            }),
            Partitioner::Random if key.is_empty() => Token::Random(RandomToken(0)),
            Partitioner::Random => {
                let hash = i128::from_be_bytes(Md5::digest(key).into());
                Token::Random(RandomToken(hash.unsigned_abs() + 1))
            }
            Partitioner::ByteOrdered | Partitioner::Local => Token::Bytes(key.to_vec()),
        }
    }

    /// The least token there is: where the ring begins.
    pub fn token_min(self) -> Token {
        self.token(&[])
    }

    /// Appends a token so that memcmp is its order: 8 bytes for Murmur3, 16 for Random, none for the others, whose order
    /// is the key's.
    pub fn push_ordered(self, token: &Token, out: &mut Vec<u8>) {
        match token {
            Token::Murmur3(token) => out.extend_from_slice(&(token ^ i64::MIN).to_be_bytes()),
            Token::Random(RandomToken(token)) => out.extend_from_slice(&token.to_be_bytes()),
            Token::Bytes(_) => {}
        }
    }

    /// Takes what [`Partitioner::push_ordered`] appended; `None` where bytes are missing. Of a partitioner that appends
    /// none it takes none, and gives an empty token.
    pub fn take_ordered(self, bytes: &mut &[u8]) -> Option<Token> {
        match self {
            Partitioner::Murmur3 => {
                let (head, tail) = bytes.split_first_chunk()?;
                *bytes = tail;
                Some(Token::Murmur3(i64::from_be_bytes(*head) ^ i64::MIN))
            }
            Partitioner::Random => {
                let (head, tail) = bytes.split_first_chunk()?;
                *bytes = tail;
                Some(Token::Random(RandomToken(u128::from_be_bytes(*head))))
            }
            Partitioner::ByteOrdered | Partitioner::Local => Some(Token::Bytes(Vec::new())),
        }
    }

    /// Reads a token as Cassandra and [`Token`]'s `Display` print it: a number, or hexadecimal digits.
    pub fn parse_token(self, text: &str) -> Option<Token> {
        match self {
            Partitioner::Murmur3 => text.parse().ok().map(Token::Murmur3),
            Partitioner::Random => {
                let token = match text {
                    "-1" => 0,
                    _ => {
                        text.parse::<u128>()
                            .ok()
                            .filter(|token| *token <= 1 << 127)?
                            + 1
                    }
                };
                Some(Token::Random(RandomToken(token)))
            }
            Partitioner::ByteOrdered | Partitioner::Local => {
                super::types::parse_hex(text).map(Token::Bytes)
            }
        }
    }

    /// Appends a partition key behind its token: so that memcmp is the order of partitions, no key is the beginning of
    /// another, and [`Partitioner::take_key`] gives it back. `key_type` orders the keys of [`Partitioner::Local`].
    pub fn push_key(self, key: &[u8], key_type: &CqlType, out: &mut Vec<u8>) {
        match self {
            Partitioner::Local => key_type.push_ordered(Some(key), out),
            _ => CqlType::Blob.push_ordered(Some(key), out),
        }
    }

    /// Takes what [`Partitioner::push_key`] appended.
    pub fn take_key(self, key_type: &CqlType, bytes: &mut &[u8]) -> Option<Vec<u8>> {
        match self {
            Partitioner::Local => key_type.take_ordered(bytes)?,
            _ => CqlType::Blob.take_ordered(bytes)?,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Murmur3(token) => write!(f, "{token}"),
            Token::Random(RandomToken(0)) => write!(f, "-1"),
            Token::Random(RandomToken(token)) => write!(f, "{}", token - 1),
            Token::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// The first half of MurmurHash3 x64 128 with seed 0, the last bytes taken as signed.
fn murmur3(key: &[u8]) -> i64 {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let mix1 = |k: u64| k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix2 = |k: u64| k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let (mut h1, mut h2) = (0u64, 0u64);
    let (blocks, tail) = key.as_chunks::<16>();
    for block in blocks {
        let block = u128::from_le_bytes(*block);
        h1 ^= mix1(block as u64);
        h1 = h1.rotate_left(27).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2((block >> 64) as u64);
        h2 = h2.rotate_left(31).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let signed = |bytes: &[u8]| {
        bytes.iter().enumerate().fold(0u64, |k, (at, &byte)| {
            k ^ (i64::from(byte as i8) as u64) << (8 * at)
        })
    };
    let (low, high) = tail.split_at(tail.len().min(8));
    h2 ^= mix2(signed(high));
    h1 ^= mix1(signed(low));
    h1 ^= key.len() as u64;
    h2 ^= key.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    let finish = |mut h: u64| {
        h ^= h >> 33;
        h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
        h ^= h >> 33;
        h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ h >> 33
    };
    finish(h1).wrapping_add(finish(h2)) as i64
}

#[cfg(test)]
mod tests;
