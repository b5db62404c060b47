//! Token ranges of a ring: as the command line gives them, and as nodetool prints them.
//!
//! A range `A:B` is Cassandra's `(A, B]`: the partitions of a token greater than A, up to that of B. Where A is not below B it
//! goes over the end of the ring and on from its beginning; `A:A` is the whole ring.
//!
//! Files may be what these print, known by the words in it:
//!
//! - `nodetool describering KEYSPACE`: lines with `TokenRange(start_token:A, end_token:B, endpoints:[10.0.0.1, ...], ...`;
//! - `nodetool ring`: lines of seven columns and more that end in a token, behind one that begins with `Address`.

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
        let head = KeyRange {
            from: Vec::new(),
            to: end.clone(),
        };
        let tail = |from| KeyRange { from, to: None };
        match (start, end) {
            (Some(start), Some(end)) if start < end => vec![KeyRange {
                from: start,
                to: Some(end),
            }],
            (start, None) => vec![tail(start.unwrap_or_default())],
            (None, Some(_)) => vec![head],
            (Some(start), Some(_)) => vec![tail(start), head],
        }
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

/// Reads the ranges of a file: what `nodetool describering` prints, or `A:B` lines. With `endpoints`, only those that all
/// of these nodes hold.
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
    let mut ranges = Vec::new();
    let is_described = text.contains("start_token:");
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let parsed = match is_described {
            true if !line.contains("start_token:") => continue,
            true => parse_described(line, partitioner),
            false if line.is_empty() || line.starts_with('#') => continue,
            false => TokenRange::parse(line, partitioner),
        };
        let located = |e: Error| {
            Error::usage(
                format!("{}: line {}: {e}", path.display(), number + 1),
                e.hint().unwrap_or_default(),
            )
        };
        ranges.push(parsed.map_err(located)?);
    }
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

/// The keys at which the ranges begin that nodetool's ring or describering prints in `text`, ascending; `None` where it is
/// neither.
///
/// # Errors
///
/// Usage, where the table has no ring, or the text no tokens of its partitioner.
pub fn read_boundaries(path: &Path, text: &str, schema: &Schema) -> Result<Option<Vec<Vec<u8>>>> {
    let mut keys = if text.contains("start_token:") {
        let partitioner = partitioner_of(schema)?;
        let ranges = read_ranges(path, text, &[], partitioner)?;
        ranges
            .iter()
            .flat_map(|r| boundaries(r, partitioner))
            .collect()
    } else if text.lines().any(is_ring_head) {
        let partitioner = partitioner_of(schema)?;
        let lines = text.lines().skip_while(|line| !is_ring_head(line)).skip(1);
        let tokens = lines.filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let is_node = columns.len() >= RING_COLUMNS_MIN;
            partitioner.parse_token(columns.last().filter(|_| is_node)?)
        });
        tokens
            .filter_map(|token| behind(&token, partitioner))
            .collect::<Vec<_>>()
    } else {
        return Ok(None);
    };
    keys.retain(|key| !key.is_empty());
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Err(Error::usage(
            format!("{}: no tokens of the table's partitioner", path.display()),
            "give the output of nodetool ring or describering of the cluster that the table is from",
        ));
    }
    Ok(Some(keys))
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
