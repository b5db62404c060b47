//! Token ranges of a ring: as the command line gives them, and as nodetool prints them.
//!
//! A range `A:B` is Cassandra's `(A, B]`: the partitions of a token greater than A, up to that of B. Where A is not below B it
//! goes over the end of the ring and on from its beginning; `A:A` is the whole ring.
//!
//! Files may be what these print, known by the words in it:
//!
//! - `nodetool describering KEYSPACE`: lines with `TokenRange(start_token:A, end_token:B, endpoints:[10.0.0.1, ...], ...`;
//! - `nodetool ring`: lines of seven columns and more that end in a token, behind one that begins with `Address`.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::Schema;
use crate::row::columns::push_key_column;
use crate::source::cassandra::partitioner::{Partitioner, Token};

/// Columns of a node's line of `nodetool ring`.
const RING_COLUMNS_MIN: usize = 7;

/// A range of tokens: (start, end].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRange {
    start: Token,
    end: Token,
    /// The nodes that hold it, where a file tells them.
    endpoints: Vec<String>,
}

/// The partitioner of a table that has one, and a ring.
///
/// # Errors
///
/// Usage for other tables.
pub fn partitioner_of(schema: &Schema) -> Result<Partitioner> {
    match schema {
        Schema::Cql(cql) if cql.partitioner != Partitioner::Local => Ok(cql.partitioner),
        Schema::Cql(_) => Err(Error::usage(
            "a table that a node keeps for itself has no token ranges",
            "leave it out by naming the other tables with --table",
        )),
        _ => Err(Error::usage(
            "token ranges are those of Cassandra's and ScyllaDB's tables",
            "choose keys of other tables with --from, --to or --prefix",
        )),
    }
}

impl TokenRange {
    /// Reads `A:B`.
    ///
    /// # Errors
    ///
    /// Usage, saying what is wanted.
    pub fn parse(text: &str, partitioner: Partitioner) -> Result<TokenRange> {
        let token = |text: &str| partitioner.parse_token(text.trim());
        let parsed = text
            .split_once(':')
            .and_then(|(start, end)| Some((token(start)?, token(end)?)));
        let Some((start, end)) = parsed else {
            return Err(Error::usage(
                format!("{text:?} is no range of tokens of {}", partitioner.name()),
                "give two tokens, such as -100:200 for those greater than -100, up to 200",
            ));
        };
        Ok(TokenRange {
            start,
            end,
            endpoints: Vec::new(),
        })
    }

    /// The keys of its partitions: one range, or two where it goes over the end of the ring.
    pub fn keys(&self, partitioner: Partitioner) -> Vec<KeyRange> {
        let (start, end) = (
            behind(&self.start, partitioner),
            behind(&self.end, partitioner),
        );
        let range = |from, to| KeyRange { from, to };
        let mut ranges = match (start, end) {
            (Some(start), Some(end)) if start < end => vec![range(start, Some(end))],
            (start, None) => vec![range(start.unwrap_or_default(), None)],
            (Some(start), end) => vec![range(Vec::new(), end), range(start, None)],
            (None, end) => vec![range(Vec::new(), end)],
        };
        ranges.retain(|range| !range.is_empty());
        ranges
    }
}

/// The first key behind all of a token: empty for the least token, which no partition has; `None` for the greatest.
fn behind(token: &Token, partitioner: Partitioner) -> Option<Vec<u8>> {
    if *token == partitioner.token_min() {
        return Some(Vec::new());
    }
    let mut key = Vec::new();
    partitioner.push_ordered(token, &mut key);
    if let Token::Bytes(bytes) = token {
        push_key_column(&mut key, bytes);
    }
    let carries = key.iter().rev().take_while(|byte| **byte == 0xff).count();
    let at = key.len().checked_sub(carries + 1)?;
    for (index, byte) in key.iter_mut().enumerate().skip(at) {
        *byte = if index == at { *byte + 1 } else { 0 };
    }
    Some(key)
}

/// Reads the ranges of a file: what nodetool's describering or ring prints, or `A:B` lines. With `endpoints`, only those that
/// all of these nodes hold.
///
/// # Errors
///
/// Usage, with the line; where the file names no such node, or no range is left.
pub fn read_ranges(
    path: &Path,
    text: &str,
    endpoints: &[String],
    partitioner: Partitioner,
) -> Result<Vec<TokenRange>> {
    let mut ranges = match read_printed(path, text, partitioner)? {
        Some(ranges) => ranges,
        None => {
            let lines = text.lines().map(str::trim).enumerate();
            let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
            let parse = |(number, line)| {
                TokenRange::parse(line, partitioner).map_err(|e| in_line(path, number, &e))
            };
            lines.map(parse).collect::<Result<Vec<_>>>()?
        }
    };
    for wanted in endpoints {
        let is_it = |range: &TokenRange| range.is_held_by(wanted);
        if !ranges.iter().any(is_it) {
            let known: Vec<&String> = ranges.iter().flat_map(|range| &range.endpoints).collect();
            return Err(Error::usage(
                format!("{}: no range is held by {wanted}", path.display()),
                match known.first() {
                    Some(first) => format!("name nodes as the file does, such as {first}"),
                    None => {
                        "only what nodetool describering prints tells the nodes of a range".into()
                    }
                },
            ));
        }
    }
    ranges.retain(|range| endpoints.iter().all(|wanted| range.is_held_by(wanted)));
    if ranges.is_empty() {
        return Err(Error::usage(
            format!("{}: no token range is left", path.display()),
            match endpoints {
                [] => "give what nodetool describering prints, or lines such as -100:200",
                _ => "these nodes hold no range together",
            },
        ));
    }
    Ok(ranges)
}

impl fmt::Display for TokenRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}]", self.start, self.end)
    }
}

impl TokenRange {
    /// Whether a node holds it; files name nodes with or without their port.
    fn is_held_by(&self, node: &str) -> bool {
        let is_it = |endpoint: &String| {
            endpoint == node
                || endpoint
                    .strip_prefix(node)
                    .is_some_and(|port| port.starts_with(':') && !port.contains("::"))
        };
        self.endpoints.iter().any(is_it)
    }
}

/// Reads `TokenRange(start_token:A, end_token:B, endpoints:[X, Y], ...`.
fn parse_described(line: &str, partitioner: Partitioner) -> Result<TokenRange> {
    let field = |name: &str| {
        let behind = line.split_once(name)?.1;
        Some(behind.split([',', ')']).next()?.trim())
    };
    let tokens = field("start_token:").zip(field("end_token:"));
    let Some((start, end)) = tokens else {
        return Err(Error::usage(
            "a token range without both of its ends",
            "give the output of nodetool describering as it was printed",
        ));
    };
    let mut range = TokenRange::parse(&format!("{start}:{end}"), partitioner)?;
    let list = line
        .split_once(" endpoints:[")
        .and_then(|(_, rest)| rest.split_once(']'));
    if let Some((list, _)) = list {
        let endpoints = list
            .split(',')
            .map(|e| e.trim().trim_start_matches('/').to_owned());
        range.endpoints = endpoints.filter(|e| !e.is_empty()).collect();
    }
    Ok(range)
}

/// Reads the ranges that nodetool's describering or ring prints in `text`; `None` where it is neither.
///
/// # Errors
///
/// Usage, where they are no tokens of this partitioner.
pub fn read_printed(
    path: &Path,
    text: &str,
    partitioner: Partitioner,
) -> Result<Option<Vec<TokenRange>>> {
    if text.contains("start_token:") {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| line.contains("start_token:"));
        let parse = |(number, line)| {
            parse_described(line, partitioner).map_err(|e| in_line(path, number, &e))
        };
        return lines.map(parse).collect::<Result<_>>().map(Some);
    }
    if !is_printed(text) {
        return Ok(None);
    }
    let lines = text.lines().skip_while(|line| !is_ring_head(line)).skip(1);
    let tokens = lines.filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_node = columns.len() >= RING_COLUMNS_MIN;
        partitioner.parse_token(columns.last().filter(|_| is_node)?)
    });
    let mut tokens: Vec<Token> = tokens.collect();
    tokens.sort();
    tokens.dedup();
    let Some(last) = tokens.last().cloned() else {
        return Err(Error::usage(
            format!("{}: no tokens of {}", path.display(), partitioner.name()),
            "give the output of nodetool ring or describering of the cluster that the table is from",
        ));
    };
    let ranges = tokens.into_iter().scan(last, |start, end| {
        let start = std::mem::replace(start, end.clone());
        Some(TokenRange {
            start,
            end,
            endpoints: Vec::new(),
        })
    });
    Ok(Some(ranges.collect()))
}

/// Whether a text is what nodetool's describering or ring prints.
pub fn is_printed(text: &str) -> bool {
    text.contains("start_token:") || text.lines().any(is_ring_head)
}

fn in_line(path: &Path, number: usize, error: &Error) -> Error {
    Error::usage(
        format!("{}: line {}: {error}", path.display(), number + 1),
        error.hint().unwrap_or_default(),
    )
}

/// The ring in `count` ranges of equal length; none where tokens are no numbers.
pub fn equal_ranges(partitioner: Partitioner, count: u32) -> Vec<TokenRange> {
    let (first, length) = match partitioner {
        Partitioner::Murmur3 => (i128::from(i64::MIN), 1 << 64),
        Partitioner::Random => (-1, i128::MAX),
        Partitioner::ByteOrdered | Partitioner::Local => return Vec::new(),
    };
    let at = |index: u32| match index {
        _ if index == count => first,
        _ => first + length / i128::from(count) * i128::from(index),
    };
    let texts = (0..count).map(|index| format!("{}:{}", at(index), at(index + 1)));
    texts
        .filter_map(|text| TokenRange::parse(&text, partitioner).ok())
        .collect()
}

/// The keys at which a range begins and ends, but the beginning of the table.
pub fn boundaries(range: &TokenRange, partitioner: Partitioner) -> Vec<Vec<u8>> {
    let ends = [&range.start, &range.end].map(|token| behind(token, partitioner));
    ends.into_iter()
        .flatten()
        .filter(|key| !key.is_empty())
        .collect()
}

fn is_ring_head(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("Address") && words.next_back() == Some("Token")
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
