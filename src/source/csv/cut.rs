//! Text to rows: the hot loop.
//!
//! A piece of text is first searched for delimiters, line ends and quotes ([`Places`]). Where the next places are
//! as many as there are columns, all delimiters but the last, a line feed, they enclose the fields of a record. Whatever
//! looks different (a quote, an empty line, a wrong number of fields, a record longer than the piece, the end of the
//! text) goes to [`super::record`], one record at a time.

use crate::error::Error;
use crate::file::structure::Places;
use crate::limits::Limits;
use crate::row::Row;
use crate::row::columns::{push_key_column, push_value_column};

use super::columns::Columns;
use super::plain::Plain;
use super::record::{self, Field, Parsed};

/// Bytes that are searched for structure at once: they and what is made of them stay in the nearest cache.
const PIECE_BYTES: usize = if cfg!(test) { 96 } else { 16 << 10 };

/// How the text is cut into fields, and what becomes of them.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub delimiter: u8,
    /// How NULL is spelled.
    pub null: Option<Vec<u8>>,
    pub columns: Columns,
    pub limits: Limits,
    /// Bytes that are searched at once; no record that fits can break a limit.
    piece_bytes: usize,
}

impl Text {
    /// Text of these columns under these limits.
    pub fn new(delimiter: u8, null: Option<Vec<u8>>, columns: Columns, limits: &Limits) -> Text {
        let smallest = limits
            .record_bytes_max
            .min(limits.key_bytes_max / 4)
            .min(limits.value_bytes_max / 4);
        Text {
            delimiter,
            null,
            columns,
            limits: limits.clone(),
            piece_bytes: usize::try_from(smallest)
                .unwrap_or(usize::MAX)
                .min(PIECE_BYTES),
        }
    }

    /// What is wrong with a record of so many fields.
    pub fn wrong_width(&self, fields: usize, at: u64) -> Fault {
        Fault::Flaw {
            at,
            what: format!(
                "a record of {} where the table has {}",
                counted(fields, "field"),
                counted(self.columns.names.len(), "column"),
            ),
        }
    }

    /// Whether an unquoted field is NULL.
    #[inline(always)]
    pub fn is_null(&self, field: &[u8]) -> bool {
        self.null.as_deref() == Some(field)
    }
}

/// A part of the text in memory.
#[derive(Clone, Copy)]
pub(super) struct Window<'w> {
    pub bytes: &'w [u8],
    /// Offset of its first byte in the text.
    pub base: u64,
    /// Whether the text ends where it does.
    pub at_end: bool,
}

/// Why [`Cutter::run`] came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The end was reached, or passed.
    End,
    /// The next record is not whole in the window.
    More,
    /// The visitor asked for it.
    Asked,
}

/// What stops the cutting for good.
#[derive(Debug)]
pub(super) enum Fault {
    /// The text breaks the rules.
    Flaw { at: u64, what: String },
    /// A key is not above the one before it.
    Disorder(Box<Disorder>),
    /// A limit is passed.
    Limit {
        at: u64,
        what: &'static str,
        value: u64,
        max: u64,
    },
    /// Reading or visiting failed.
    Other(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Other(error)
    }
}

/// Two successive rows of which the second should not come after the first.
#[derive(Debug)]
pub(super) struct Disorder {
    pub previous_at: u64,
    pub previous: Vec<u8>,
    pub at: u64,
    pub key: Vec<u8>,
}

/// Why the fast road ends.
enum Bend {
    Stop(Stop),
    /// The places found so far end inside a record.
    RanOut,
    /// The next record has another shape.
    Shape,
}

/// Cuts windows of text into rows; keeps its buffers.
#[derive(Default)]
pub(super) struct Cutter {
    /// Whether keys may come in any order.
    pub any_order: bool,
    /// End of the last record with quotes.
    pub quoted_until: u64,
    /// Places of structure from `ends_base` on.
    ends: Places,
    ends_base: u64,
    /// Index into `ends` of the next record's start.
    at: usize,
    fields: Vec<Field>,
    scratch: Vec<u8>,
    /// The value of the fast road: longer than any value it makes.
    value_room: Vec<u8>,
    value: Vec<u8>,
    key: Vec<u8>,
    previous: Vec<u8>,
    previous_at: Option<u64>,
}

impl Cutter {
    /// Forgets what it knows of the window: the next one lies elsewhere.
    pub fn forget_window(&mut self) {
        self.ends.clear();
        self.at = 0;
    }

    /// Key of the last row, if there was one, and its offset.
    pub fn last(&self) -> Option<(&[u8], u64)> {
        self.previous_at.map(|at| (self.previous.as_slice(), at))
    }

    /// Hands the rows from `*pos` (an offset in the text at which a record starts) to `visit`, with their offsets, until it returns false or `end` is reached.
    pub fn run<V>(
        &mut self,
        text: &Text,
        window: &Window<'_>,
        pos: &mut u64,
        end: u64,
        visit: &mut V,
    ) -> Result<Stop, Fault>
    where
        V: FnMut(Row<'_>, u64) -> Result<bool, Error>,
    {
        loop {
            if *pos >= end {
                return Ok(Stop::End);
            }
            if !self.knows(*pos) {
                self.search(text, window, *pos);
            }
            match self.fast(text, window, pos, end, visit)? {
                Bend::Stop(stop) => return Ok(stop),
                Bend::RanOut if self.at > 0 => {
                    self.forget_window();
                    continue;
                }
                Bend::RanOut | Bend::Shape => {}
            }
            if let Some(stop) = self.one(text, window, pos, visit)? {
                return Ok(stop);
            }
        }
    }

    fn knows(&self, pos: u64) -> bool {
        self.ends
            .as_slice()
            .get(self.at)
            .is_some_and(|&end| self.ends_base + u64::from(end) == pos)
    }

    fn search(&mut self, text: &Text, window: &Window<'_>, pos: u64) {
        let from = (pos - window.base) as usize;
        let rest = window.bytes.get(from..).unwrap_or_default();
        let piece = rest.get(..text.piece_bytes).unwrap_or(rest);
        self.ends.find(piece, text.delimiter);
        self.ends_base = pos;
        self.at = 0;
    }

    /// Cuts as long as records have the plain shape.
    fn fast<V>(
        &mut self,
        text: &Text,
        window: &Window<'_>,
        pos: &mut u64,
        end: u64,
        visit: &mut V,
    ) -> Result<Bend, Fault>
    where
        V: FnMut(Row<'_>, u64) -> Result<bool, Error>,
    {
        let base = self.ends_base;
        let from = (base - window.base) as usize;
        let bytes = window.bytes.get(from..).unwrap_or_default();
        let columns = text.columns.names.len();
        let end = u32::try_from(end - base).unwrap_or(u32::MAX);
        // Each field may grow by the longer varint of its length, and is copied in steps of up to 64 bytes.
        let room = 2 * text.piece_bytes + 4 * columns + 128;
        if self.value_room.len() < room {
            self.value_room.resize(room, 0);
        }
        let single = match text.columns.key.as_slice() {
            [column] => Some(*column),
            _ => None,
        };
        let Cutter {
            any_order,
            ends,
            at,
            value_room,
            key: built,
            previous: kept,
            previous_at,
            ..
        } = self;
        let ends = ends.as_slice();
        // The previous key stays where it is in the window, if it could be lent from there.
        let mut lent: Option<&[u8]> = None;
        let bend = loop {
            let Some(places) = ends.get(*at..=*at + columns) else {
                break Ok(Bend::RanOut);
            };
            if places.first().is_none_or(|&start| start >= end) {
                break Ok(Bend::Stop(Stop::End));
            }
            let Some(record) = Plain::new(bytes, places, text.delimiter) else {
                break Ok(Bend::Shape);
            };
            let offset = base + u64::from(record.start());
            if text.null.is_some()
                && let Some(fault) = record.null_in_key(text, offset)
            {
                break Err(fault);
            }
            let key = match single {
                Some(column) => record.field(column),
                None => {
                    built.clear();
                    for &column in &text.columns.key {
                        push_key_column(built, record.field(column));
                    }
                    &*built
                }
            };
            if let Some(at) = *previous_at
                && !*any_order
            {
                let previous = lent.unwrap_or(kept);
                if previous >= key {
                    break Err(disorder(at, previous, offset, key));
                }
            }
            let len = record.write_value(value_room, text);
            let value = value_room.get(..len).unwrap_or_default();
            let go_on = visit(Row { key, value }, offset);
            match single {
                Some(column) => lent = Some(record.field(column)),
                None => std::mem::swap(built, kept),
            }
            *previous_at = Some(offset);
            *at += columns;
            match go_on {
                Ok(true) => {}
                Ok(false) => break Ok(Bend::Stop(Stop::Asked)),
                Err(error) => break Err(Fault::Other(error)),
            }
        };
        if let Some(key) = lent {
            kept.clear();
            kept.extend_from_slice(key);
        }
        if let Some(&start) = ends.get(*at) {
            *pos = base + u64::from(start);
        }
        bend
    }

    /// Cuts one record of any shape.
    fn one<V>(
        &mut self,
        text: &Text,
        window: &Window<'_>,
        pos: &mut u64,
        visit: &mut V,
    ) -> Result<Option<Stop>, Fault>
    where
        V: FnMut(Row<'_>, u64) -> Result<bool, Error>,
    {
        let start = *pos;
        let Some(next) = parse_within(text, window, start, &mut self.fields)? else {
            return Ok(Some(Stop::More));
        };
        *pos = next;
        if self.fields.iter().any(|field| field.quoted) {
            self.quoted_until = next;
        }
        while self
            .ends
            .as_slice()
            .get(self.at)
            .is_some_and(|&end| self.ends_base + u64::from(end) < next)
        {
            self.at += 1;
        }
        let columns = text.columns.names.len();
        if record::is_blank(&self.fields) && columns > 1 {
            return Ok(None);
        }
        if self.fields.len() != columns {
            return Err(text.wrong_width(self.fields.len(), start));
        }
        encode(
            text,
            window.bytes,
            start,
            &self.fields,
            &mut self.key,
            &mut self.value,
            &mut self.scratch,
        )?;
        if let Some(at) = self.previous_at
            && !self.any_order
            && self.previous >= self.key
        {
            return Err(disorder(at, &self.previous, start, &self.key));
        }
        let go_on = visit(
            Row {
                key: &self.key,
                value: &self.value,
            },
            start,
        );
        std::mem::swap(&mut self.key, &mut self.previous);
        self.previous_at = Some(start);
        Ok((!go_on?).then_some(Stop::Asked))
    }
}

/// Parses the record at offset `start` of the text, which lies in the window; `None` where the window ends too early.
pub(super) fn parse_within(
    text: &Text,
    window: &Window<'_>,
    start: u64,
    fields: &mut Vec<Field>,
) -> Result<Option<u64>, Fault> {
    let max = text.limits.record_bytes_max;
    let from = (start - window.base) as usize;
    // An unclosed quote must not lead to the end of a huge file.
    let reach = usize::try_from(max)
        .unwrap_or(usize::MAX)
        .saturating_add(from)
        .saturating_add(3);
    let (bytes, at_end) = match window.bytes.get(..reach) {
        Some(bytes) => (bytes, false),
        None => (window.bytes, window.at_end),
    };
    let too_long = |value| Fault::Limit {
        at: start,
        what: "record bytes",
        value,
        max,
    };
    match record::parse(bytes, from, at_end, text.delimiter, fields) {
        Ok(Parsed::Record(next)) if (next - from) as u64 > max => {
            Err(too_long((next - from) as u64))
        }
        Ok(Parsed::Record(next)) => Ok(Some(window.base + next as u64)),
        Ok(Parsed::Incomplete) if (bytes.len() - from) as u64 > max => {
            Err(too_long((bytes.len() - from) as u64))
        }
        Ok(Parsed::Incomplete) => Ok(None),
        Err(flaw) => Err(Fault::Flaw {
            at: window.base + flaw.at as u64,
            what: flaw.what,
        }),
    }
}

/// Encodes the record at offset `start` whose fields were parsed in `bytes`. There are as many as there are columns.
pub(super) fn encode(
    text: &Text,
    bytes: &[u8],
    start: u64,
    fields: &[Field],
    key: &mut Vec<u8>,
    value: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> Result<(), Fault> {
    key.clear();
    value.clear();
    let single = text.columns.key.len() == 1;
    for &column in &text.columns.key {
        let Some(field) = fields.get(column) else {
            continue;
        };
        let content = field.content(bytes, scratch);
        if !field.quoted && text.is_null(content) {
            return Err(null_key(text, column, start));
        }
        if single {
            key.extend_from_slice(content);
        } else {
            push_key_column(key, content);
        }
    }
    for &column in &text.columns.value {
        let Some(field) = fields.get(column) else {
            continue;
        };
        let content = field.content(bytes, scratch);
        let is_null = !field.quoted && text.is_null(content);
        push_value_column(value, (!is_null).then_some(content));
    }
    for (what, len, max) in [
        ("key bytes", key.len(), text.limits.key_bytes_max),
        ("value bytes", value.len(), text.limits.value_bytes_max),
    ] {
        if len as u64 > max {
            return Err(Fault::Limit {
                at: start,
                what,
                value: len as u64,
                max,
            });
        }
    }
    Ok(())
}

#[cold]
fn disorder(previous_at: u64, previous: &[u8], at: u64, key: &[u8]) -> Fault {
    Fault::Disorder(Box::new(Disorder {
        previous_at,
        previous: previous.to_vec(),
        at,
        key: key.to_vec(),
    }))
}

/// The fault of a NULL in the key.
#[cold]
pub(super) fn null_key(text: &Text, column: usize, at: u64) -> Fault {
    let name = text.columns.names.get(column).cloned().unwrap_or_default();
    Fault::Flaw {
        at,
        what: format!("NULL in {name:?}, a column of the key,"),
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
