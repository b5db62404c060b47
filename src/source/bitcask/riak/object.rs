//! Riak's objects: a vector clock and the values that it allows, of which there are several after concurrent writes.
//!
//! ```text
//! version 1   53, 1, clock size u32, clock (a term), sibling count u32, siblings
//! sibling     value size u32, value, metadata size u32, metadata
//! value       encoding u8 (1: bytes, 0: a term), the value
//! metadata    last modified 3 x u32 (millions of seconds, seconds, microseconds), vtag size u8, vtag, deleted u8,
//!             then pairs: key size u32, key, value size u32, value, both encoded as a value is
//! version 0   131, a term: {r_object, Bucket, Key, [{r_content, Metadata, Value}], Clock, _, _}
//! ```
//!
//! The version changes with Riak's settings, not with the row: an object is the same in both.

use super::term::{self, NoTerm, Term};
use crate::file::cursor::Cursor;

const MAGIC: u8 = 53;
const VERSION_1: u8 = 1;
const AS_TERM: u8 = 0;
const AS_BYTES: u8 = 1;
/// How Riak stores that there is no vtag.
const NO_VTAG: &[u8] = b"empty";

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<'a> {
    /// Its clock, ascending by actor.
    pub clock: Vec<Tick<'a>>,
    /// Its values in a canonical order.
    pub siblings: Vec<Sibling>,
}

/// How many writes of an actor an object has seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick<'a> {
    /// The actor, mostly a binary.
    pub actor: Term<'a>,
    /// Its writes.
    pub counter: u64,
    /// When it last wrote, in seconds of Erlang's calendar (from year 0).
    pub time: u64,
}

/// One of the values of an object. The fields stand in the order in which siblings are sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sibling {
    /// A hash that Riak gives each write.
    pub vtag: Option<Vec<u8>>,
    /// When it was written: seconds since 1970, and microseconds.
    pub last_modified: Option<(u64, u32)>,
    /// Whether it is the tombstone of a deleted object.
    pub is_deleted: bool,
    /// The value: bytes, or the text of a term.
    pub value: Vec<u8>,
    /// How the value was encoded, if not as bytes.
    pub encoding: Option<u8>,
    /// Whatever else is known of it, as texts of terms, ascending.
    pub metadata: Vec<(String, String)>,
}

/// Why a value that starts as an object does can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It contradicts itself.
    Damaged(&'static str),
    /// Something in it is not known.
    Unsupported(String),
}

impl From<NoTerm> for Wrong {
    fn from(no_term: NoTerm) -> Wrong {
        match no_term {
            NoTerm::Damaged => Wrong::Damaged("an Erlang term of the object is damaged"),
            NoTerm::Unknown(80) => Wrong::Unsupported("a compressed Erlang term".into()),
            NoTerm::Unknown(tag) => {
                Wrong::Unsupported(format!("an Erlang term with the tag {tag}"))
            }
        }
    }
}

/// Reads an object; `None` where the value is none.
///
/// # Errors
///
/// Where it starts as an object does, but can't be read.
pub fn parse(value: &[u8]) -> Result<Option<Object<'_>>, Wrong> {
    let mut object = match value {
        [MAGIC, VERSION_1, rest @ ..] => version_1(rest)?,
        [term::VERSION, ..] => match term::decode(value) {
            Ok(term) => match term.record(b"r_object") {
                Some(fields) => version_0(fields)?,
                None => return Ok(None),
            },
            // Whatever an object can't be read for; of other terms nothing is wanted.
            Err(wrong) if starts_as_object(value) => return Err(wrong.into()),
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    object.siblings.sort();
    Ok(Some(object))
}

fn starts_as_object(value: &[u8]) -> bool {
    // A tuple of seven, the first an atom of eight letters, in one of the ways in which Erlang writes atoms.
    let tuple = value
        .strip_prefix(&[term::VERSION, 104, 7])
        .unwrap_or_default();
    [&b"d\0\x08"[..], b"v\0\x08", b"s\x08", b"w\x08"]
        .iter()
        .any(|atom| {
            tuple
                .strip_prefix(*atom)
                .is_some_and(|rest| rest.starts_with(b"r_object"))
        })
}

const SHORT: Wrong = Wrong::Damaged("a Riak object ends too soon");

fn version_1(bytes: &[u8]) -> Result<Object<'_>, Wrong> {
    let mut cursor = Cursor::new(bytes);
    let clock = clock(&term::decode(sized(&mut cursor)?)?)?;
    let count = u32::from_be_bytes(cursor.array().ok_or(SHORT)?);
    let mut siblings = Vec::new();
    for _ in 0..count {
        let value = sized(&mut cursor)?;
        let metadata = sized(&mut cursor)?;
        siblings.push(sibling_1(value, metadata)?);
    }
    if !cursor.is_empty() {
        return Err(Wrong::Damaged("a Riak object goes on behind its siblings"));
    }
    Ok(Object { clock, siblings })
}

/// A size and so many bytes.
fn sized<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Wrong> {
    let len = u32::from_be_bytes(cursor.array().ok_or(SHORT)?);
    cursor.take(len.into()).ok_or(SHORT)
}

fn sibling_1(value: &[u8], metadata: &[u8]) -> Result<Sibling, Wrong> {
    let (value, encoding) = match value {
        [AS_BYTES, bytes @ ..] => (bytes.to_vec(), None),
        [AS_TERM, bytes @ ..] => (term::decode(bytes)?.show().into_bytes(), Some(AS_TERM)),
        [encoding, bytes @ ..] => (bytes.to_vec(), Some(*encoding)),
        [] => return Err(Wrong::Damaged("a value of a Riak object has no encoding")),
    };
    let mut cursor = Cursor::new(metadata);
    let mut number = || cursor.array().map(u32::from_be_bytes).ok_or(SHORT);
    let time = [number()?, number()?, number()?];
    let vtag_bytes = cursor.u8().ok_or(SHORT)?;
    let vtag = cursor.take(vtag_bytes.into()).ok_or(SHORT)?;
    let is_deleted = cursor.u8().ok_or(SHORT)? == 1;
    let mut pairs = Vec::new();
    while !cursor.is_empty() {
        let key = decode_maybe(sized(&mut cursor)?)?.show();
        pairs.push((key, decode_maybe(sized(&mut cursor)?)?.show()));
    }
    pairs.sort();
    let twice = |pair: &[(String, String)]| matches!(pair, [(a, _), (b, _)] if a == b);
    if pairs.windows(2).any(twice) {
        return Err(Wrong::Damaged("metadata of a Riak object has a key twice"));
    }
    Ok(Sibling {
        vtag: (vtag != NO_VTAG).then(|| vtag.to_vec()),
        last_modified: seconds(time),
        is_deleted,
        value,
        encoding,
        metadata: pairs,
    })
}

/// A key or value of metadata.
fn decode_maybe(bytes: &[u8]) -> Result<Term<'_>, Wrong> {
    match bytes {
        [AS_BYTES, bytes @ ..] => Ok(Term::Binary(bytes)),
        [AS_TERM, bytes @ ..] => Ok(term::decode(bytes)?),
        [other, ..] => Err(Wrong::Unsupported(format!(
            "metadata in the encoding {other}"
        ))),
        [] => Err(Wrong::Damaged("metadata of a Riak object has no encoding")),
    }
}

/// Erlang's time; all zeros stand for none.
fn seconds([millions, seconds, micros]: [u32; 3]) -> Option<(u64, u32)> {
    let since = u64::from(millions) * 1_000_000 + u64::from(seconds);
    (since > 0 || micros > 0).then_some((since, micros))
}

fn clock<'a>(term: &Term<'a>) -> Result<Vec<Tick<'a>>, Wrong> {
    const NO_CLOCK: Wrong = Wrong::Damaged("the vector clock of a Riak object is none");
    let Term::List(items, None) = term else {
        return Err(NO_CLOCK);
    };
    let mut ticks = Vec::new();
    for item in items {
        let (actor, counter, time) = match item {
            Term::Tuple(parts) => match parts.as_slice() {
                [actor, Term::Tuple(rest)] => match rest.as_slice() {
                    [Term::Integer(counter), Term::Integer(time)] => (actor, *counter, *time),
                    _ => return Err(NO_CLOCK),
                },
                _ => return Err(NO_CLOCK),
            },
            _ => return Err(NO_CLOCK),
        };
        ticks.push(Tick {
            actor: actor.clone(),
            counter: u64::try_from(counter).map_err(|_| NO_CLOCK)?,
            time: u64::try_from(time).map_err(|_| NO_CLOCK)?,
        });
    }
    ticks.sort_by_key(|tick| tick.actor.show());
    Ok(ticks)
}

fn version_0<'a>(fields: &[Term<'a>]) -> Result<Object<'a>, Wrong> {
    const NO_OBJECT: Wrong = Wrong::Damaged("a Riak object of version 0 has other fields");
    let [_bucket, _key, Term::List(contents, None), vector, _, _] = fields else {
        return Err(NO_OBJECT);
    };
    let siblings = contents.iter().map(|content| {
        let Some([metadata, value]) = content.record(b"r_content") else {
            return Err(NO_OBJECT);
        };
        sibling_0(&dict(metadata).ok_or(NO_OBJECT)?, value)
    });
    Ok(Object {
        clock: clock(vector)?,
        siblings: siblings.collect::<Result<_, _>>()?,
    })
}

fn sibling_0(metadata: &[(&Term<'_>, Term<'_>)], value: &Term<'_>) -> Result<Sibling, Wrong> {
    let (value, encoding) = match value {
        Term::Binary(bytes) => (bytes.to_vec(), None),
        term => (term.show().into_bytes(), Some(AS_TERM)),
    };
    let mut sibling = Sibling {
        vtag: None,
        last_modified: None,
        is_deleted: false,
        value,
        encoding,
        metadata: Vec::new(),
    };
    for (key, value) in metadata {
        match key {
            Term::Binary(b"X-Riak-VTag") => sibling.vtag = value.text(),
            Term::Binary(b"X-Riak-Deleted") => {
                let is_true = *value == Term::Atom(b"true");
                sibling.is_deleted = is_true || value.text().as_deref() == Some(b"true");
            }
            Term::Binary(b"X-Riak-Last-Modified") => sibling.last_modified = time_0(value)?,
            key => sibling.metadata.push((key.show(), value.show())),
        }
    }
    sibling.metadata.sort();
    Ok(sibling)
}

fn time_0(term: &Term<'_>) -> Result<Option<(u64, u32)>, Wrong> {
    const NO_TIME: Wrong = Wrong::Damaged("the time of a Riak object is none");
    let Term::Tuple(items) = term else {
        return Err(NO_TIME);
    };
    let numbers = items.iter().map(|item| match item {
        Term::Integer(number) => u32::try_from(*number).map_err(|_| NO_TIME),
        _ => Err(NO_TIME),
    });
    let numbers: Vec<u32> = numbers.collect::<Result<_, _>>()?;
    Ok(seconds(numbers.try_into().map_err(|_| NO_TIME)?))
}

/// The pairs of a `dict` of Erlang: `{dict, Size, N, MaxN, Bso, ExpSize, ConSize, Empty, Segments}`, where Segments is a tuple of tuples
/// of lists of `[Key | Value]`.
fn dict<'t, 'a>(term: &'t Term<'a>) -> Option<Vec<(&'t Term<'a>, Term<'a>)>> {
    let [_, _, _, _, _, _, _, Term::Tuple(segments)] = term.record(b"dict")? else {
        return None;
    };
    let mut pairs = Vec::new();
    for segment in segments {
        let Term::Tuple(slots) = segment else {
            return None;
        };
        for slot in slots {
            let Term::List(found, None) = slot else {
                return None;
            };
            for pair in found {
                let Term::List(items, tail) = pair else {
                    return None;
                };
                let (key, rest) = items.split_first()?;
                // `[Key | Value]` of a value that is a list is one longer list.
                let value = match (rest, tail) {
                    ([], Some(value)) => (**value).clone(),
                    (rest, tail) => Term::List(rest.to_vec(), tail.clone()),
                };
                pairs.push((key, value));
            }
        }
    }
    Some(pairs)
}
