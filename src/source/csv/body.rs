//! The records behind the header, where they stand sorted: finding keys, cutting, and proving that they are in order.
//!
//! Keys are found by halving the text, which is right only if the rows are sorted. A scan of everything notices if they are
//! not, since it compares each key with the one before; so do the scans of all the pieces of a split, since each ends
//! exactly where the next begins. A scan of any other part first proves the order of the whole, once, unless the caller
//! checks the rows it gets by other means ([`crate::source::TextOptions::trust_order`]).

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use memchr::memchr_iter;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::range::KeyRange;
use crate::row::RowStream as _;
use crate::source::Estimate;

use super::cut::{Cutter, Disorder, Fault, Text, Window, encode, parse_within};
use super::quotes::Quotes;
use super::record::{Field, is_blank};
use super::scan::Scan;
use super::{locked, on_all_cores};

/// First window of a text that is not mapped; one that is too small for a record grows.
pub(super) const WINDOW_BYTES: u64 = if cfg!(test) { 64 } else { 1 << 20 };
/// First window of a single record.
const PROBE_BYTES: u64 = if cfg!(test) { 16 } else { 16 << 10 };
/// A search goes record by record in a part this long.
const CLOSE_BYTES: u64 = if cfg!(test) { 8 } else { 1 << 10 };

/// The records of a text.
pub(super) struct Body {
    pub input: Input,
    pub text: Text,
    /// Offset of the first record.
    pub start: u64,
    pub quotes: Quotes,
    trust_order: bool,
    order: Mutex<Order>,
    proving: Mutex<()>,
}

/// What is known of the order of the rows.
#[derive(Default)]
struct Order {
    is_proven: bool,
    /// Parts that were scanned to their ends and found in order: start and end.
    scanned: BTreeMap<u64, u64>,
    /// Keys at which this text was split: the pieces between them will all be scanned.
    cuts: HashSet<Vec<u8>>,
}

/// A record that was looked at, and its key.
struct Probe {
    start: u64,
    next: u64,
    key: Vec<u8>,
}

impl Body {
    /// The records of `input` from `start` on.
    pub fn new(input: Input, text: Text, start: u64, trust_order: bool) -> Body {
        let quotes = Quotes::new(input.len());
        Body {
            input,
            text,
            start,
            quotes,
            trust_order,
            order: Mutex::default(),
            proving: Mutex::default(),
        }
    }

    /// End of the text.
    pub fn end(&self) -> u64 {
        self.input.len()
    }

    /// The text in memory: all of it where it is mapped, else `len` bytes from `offset` (fewer at the end).
    pub fn window<'a>(
        &'a self,
        offset: u64,
        len: u64,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Window<'a>> {
        if let Some(bytes) = self.mapped() {
            return Ok(Window {
                bytes,
                base: 0,
                at_end: true,
            });
        }
        let len = len.min(self.end().saturating_sub(offset));
        Ok(Window {
            bytes: self.input.read(offset, len, scratch)?,
            base: offset,
            at_end: offset + len == self.end(),
        })
    }

    /// The whole text, where it is mapped.
    pub fn mapped(&self) -> Option<&[u8]> {
        self.input.mapped()
    }

    /// Scans the rows of `range`.
    pub fn scan(&self, range: &KeyRange) -> Result<Scan<'_>> {
        if !self.trust_order && !self.is_made_of_pieces(range) {
            self.prove_order()?;
        }
        self.scan_unproven(range)
    }

    fn scan_unproven(&self, range: &KeyRange) -> Result<Scan<'_>> {
        if range.is_empty() {
            return Ok(Scan::new(self, self.start, self.start, None));
        }
        let (start, end) = self.place(range)?;
        if start > end {
            return Err(self.unsorted(
                end,
                range.from.clone(),
                range.to.clone().unwrap_or_default(),
            ));
        }
        Ok(Scan::new(self, start, end, range.to.clone()))
    }

    /// Finds where the rows of a range start and end.
    fn place(&self, range: &KeyRange) -> Result<(u64, u64)> {
        let start = self.find(&range.from)?;
        let end = match &range.to {
            Some(to) => self.find(to)?,
            None => self.end(),
        };
        for offset in [start, end] {
            if offset > self.start && offset < self.end() {
                self.quotes.rely_on(&self.input, offset)?;
            }
        }
        Ok((start, end))
    }

    /// Returns the offset of the first record whose key is not below `key`, or the text's end.
    fn find(&self, key: &[u8]) -> Result<u64> {
        if key.is_empty() {
            return Ok(self.start);
        }
        // Every record before `low` has a lower key; `found` is the answer if no record in `low..high` has such a key.
        let (mut low, mut high, mut found) = (self.start, self.end(), self.end());
        while high - low > CLOSE_BYTES {
            let middle = low + (high - low) / 2;
            let probe = match self
                .quotes
                .record_start(&self.input, self.start, middle, high)?
            {
                Some(start) => self.probe(start)?.filter(|probe| probe.start < high),
                None => None,
            };
            match probe {
                None => high = middle,
                Some(probe) if probe.key.as_slice() < key => low = probe.next.min(high),
                Some(probe) => {
                    found = probe.start;
                    high = middle;
                }
            }
        }
        while low < high {
            match self.probe(low)? {
                Some(probe) if probe.start >= high => break,
                Some(probe) if probe.key.as_slice() >= key => return Ok(probe.start),
                Some(probe) => low = probe.next,
                None => break,
            }
        }
        Ok(found)
    }

    /// Looks at the first record from `at` on, which is the start of a record or of an empty line.
    fn probe(&self, mut at: u64) -> Result<Option<Probe>> {
        let (mut scratch, mut undoubled) = (Vec::new(), Vec::new());
        let (mut fields, mut key, mut value) = (Vec::<Field>::new(), Vec::new(), Vec::new());
        let mut len = PROBE_BYTES;
        while at < self.end() {
            let window = self.window(at, len, &mut scratch)?;
            let Some(next) = parse_within(&self.text, &window, at, &mut fields)
                .map_err(|fault| self.error(fault, at))?
            else {
                len *= 4;
                continue;
            };
            if fields.len() == self.text.columns.names.len() {
                encode(
                    &self.text,
                    window.bytes,
                    at,
                    &fields,
                    &mut key,
                    &mut value,
                    &mut undoubled,
                )
                .map_err(|fault| self.error(fault, at))?;
                return Ok(Some(Probe {
                    start: at,
                    next,
                    key,
                }));
            }
            if !is_blank(&fields) {
                // A scan says what is wrong with it; here it has no key.
                let fault = self.text.wrong_width(fields.len(), at);
                return Err(self.error(fault, at));
            }
            at = next;
        }
        Ok(None)
    }

    /// Cuts a range at the keys of records that stand at even distances.
    pub fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let of_pieces = self.is_made_of_pieces(range);
        if !self.trust_order && !of_pieces {
            self.prove_order()?;
        }
        let cuts = self.split_unproven(range, pieces)?;
        if of_pieces {
            locked(&self.order).cuts.extend(cuts.iter().cloned());
        }
        Ok(cuts)
    }

    fn split_unproven(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let mut cuts: Vec<Vec<u8>> = Vec::new();
        if range.is_empty() {
            return Ok(cuts);
        }
        let (start, end) = self.place(range)?;
        let len = end.saturating_sub(start);
        for piece in 1..pieces as u64 {
            let offset = start + (u128::from(len) * u128::from(piece) / pieces as u128) as u64;
            let Some(at) = self
                .quotes
                .record_start(&self.input, self.start, offset, end)?
            else {
                break;
            };
            let Some(probe) = self.probe(at)? else { break };
            if probe.key > range.from
                && range.is_before_end(&probe.key)
                && cuts.last().is_none_or(|last| *last < probe.key)
            {
                cuts.push(probe.key);
            }
        }
        Ok(cuts)
    }

    /// Guesses from the first records.
    pub fn estimate(&self) -> Estimate {
        const SAMPLE_ROWS: u64 = 1000;
        let (mut rows, mut bytes, mut read_to) = (0, 0, self.start);
        let mut scan = Scan::new(self, self.start, self.end(), None).in_any_order();
        // A fault in front will be met again by whoever scans.
        let _ = scan.run(&mut |row, offset| {
            rows += 1;
            bytes += row.len_bytes();
            read_to = offset;
            Ok(rows < SAMPLE_ROWS)
        });
        let file_bytes = self.input.len();
        if rows < SAMPLE_ROWS {
            return Estimate {
                rows,
                bytes,
                file_bytes,
            };
        }
        // `read_to` is the start of the last row that was read.
        let share = (file_bytes - self.start) as f64 / (read_to - self.start).max(1) as f64;
        let scaled = |count: u64| (count as f64 * share) as u64;
        Estimate {
            rows: scaled(rows - 1),
            bytes: scaled(bytes),
            file_bytes,
        }
    }

    /// Whether both ends of the range are ends of the text or keys at which it was split.
    fn is_made_of_pieces(&self, range: &KeyRange) -> bool {
        let order = locked(&self.order);
        order.is_proven
            || (range.from.is_empty() || order.cuts.contains(&range.from))
                && range.to.as_ref().is_none_or(|to| order.cuts.contains(to))
    }

    /// Notes that all rows from `start` to `end` are in order.
    pub fn note_scanned(&self, start: u64, end: u64) {
        let mut order = locked(&self.order);
        if !order.is_proven {
            order.scanned.insert(start, end);
        }
    }

    /// Forgets what scans have found: they were misled.
    pub fn forget_scanned(&self) {
        *locked(&self.order) = Order::default();
    }

    pub fn is_order_proven(&self) -> bool {
        let mut order = locked(&self.order);
        let mut at = self.start;
        while !order.is_proven {
            match order.scanned.get(&at) {
                Some(&end) if end > at => at = end,
                _ => break,
            }
            order.is_proven = at == self.end();
        }
        order.is_proven |= self.start >= self.end();
        if order.is_proven {
            order.scanned.clear();
        }
        order.is_proven
    }

    /// Returns an error unless all rows are in order; looks at all of them at most once.
    pub fn prove_order(&self) -> Result<()> {
        let _proving = locked(&self.proving);
        if self.is_order_proven() {
            return Ok(());
        }
        let all = KeyRange::all();
        let pieces = all.cut_at(&self.split_unproven(&all, 4 * rayon::current_num_threads())?);
        on_all_cores(pieces.len(), |index| match pieces.get(index) {
            Some(piece) => self.scan_unproven(piece)?.for_each(&mut |_| Ok(())),
            None => Ok(()),
        })?;
        if self.is_order_proven() {
            return Ok(());
        }
        Err(self.unsorted(self.start, Vec::new(), Vec::new()))
    }

    /// The error for rows that are not where their order says.
    pub fn unsorted(&self, offset: u64, previous: Vec<u8>, key: Vec<u8>) -> Error {
        self.input.explain(
            ErrorKind::Unsorted {
                path: self.input.path().to_owned(),
                offset,
                previous,
                key,
            }
            .into(),
        )
    }

    /// Turns what stopped a scan that started at `from` into an error.
    pub fn error(&self, fault: Fault, from: u64) -> Error {
        let path = self.input.path();
        let error = match fault {
            Fault::Other(error) => return error,
            Fault::Flaw { at, what } => {
                let (at, what) = self.first_flaw(from, at).unwrap_or((at, what));
                Error::damaged(path, at, format!("line {}: {what}", self.line(at)))
            }
            Fault::Limit {
                at,
                what,
                value,
                max,
            } => ErrorKind::Limit {
                path: path.to_owned(),
                offset: at,
                what,
                value,
                max,
            }
            .into(),
            Fault::Disorder(disorder) => {
                let Disorder {
                    previous_at,
                    previous,
                    at,
                    key,
                } = *disorder;
                if previous != key {
                    return self.unsorted(at, previous, key);
                }
                ErrorKind::Duplicate {
                    path: path.to_owned(),
                    key,
                    first: self.show_place(previous_at),
                    second: self.show_place(at),
                }
                .into()
            }
        };
        self.input.explain(error)
    }

    /// The first flaw of the text, which may make another one at `seen` appear: one stray quote turns all behind it
    /// inside out for whoever starts in the middle. `None` for a scan that started in front.
    fn first_flaw(&self, from: u64, seen: u64) -> Option<(u64, String)> {
        if from <= self.start {
            return None;
        }
        let mut cutter = Cutter::default();
        cutter.any_order = true;
        let (mut pos, mut len, mut scratch) = (self.start, WINDOW_BYTES, Vec::new());
        while pos <= seen {
            let window = self.window(pos, len, &mut scratch).ok()?;
            cutter.forget_window();
            let before = pos;
            match cutter.run(&self.text, &window, &mut pos, seen + 1, &mut |_, _| {
                Ok(true)
            }) {
                Err(Fault::Flaw { at, what }) => return Some((at, what)),
                Err(_) => return None,
                Ok(_) if pos == before => len = len.saturating_mul(4),
                Ok(_) => {}
            }
        }
        None
    }

    /// A place as a person finds it.
    pub fn show_place(&self, offset: u64) -> String {
        format!("line {}, offset {offset}", self.line(offset))
    }

    /// The 1-based number of the line that holds `offset`.
    fn line(&self, offset: u64) -> u64 {
        line_number(&self.input, offset)
    }
}

/// The 1-based number of the line that holds `offset`; of the last line that could be read, where reading fails.
pub fn line_number(input: &Input, offset: u64) -> u64 {
    let (mut line, mut at, mut scratch) = (1, 0, Vec::new());
    while at < offset {
        let len = WINDOW_BYTES.min(offset - at);
        let Ok(bytes) = input.read(at, len, &mut scratch) else {
            break;
        };
        line += memchr_iter(b'\n', bytes).count() as u64;
        at += len;
    }
    line
}
