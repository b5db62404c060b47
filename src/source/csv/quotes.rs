//! Where records start, seen from the middle of a text.
//!
//! A line feed ends a record unless it stands between quotes, and whether it does depends on how many quotes stand before it
//! in the whole text. [`Quotes`] remembers, for each chunk of the text, what is known of its quotes. As long as a
//! neighbourhood has none, its line feeds are taken for the ends of records: wrong only inside a quoted field of more than
//! 64 KiB without a quote, and whoever relies on such a guess is told if it was wrong ([`Quotes::is_misled`]). Once every
//! chunk is counted, all answers are exact.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use memchr::{memchr, memchr_iter};

use crate::error::Result;
use crate::file::input::Input;

use super::record::QUOTE;
use super::{locked, on_all_cores};

// Tests have small texts.
const CHUNK_BYTES: u64 = if cfg!(test) { 32 } else { 32 << 10 };
/// So much is counted rather than guessed.
const COUNTED_ANYWAY_CHUNKS: usize = if cfg!(test) { 3 } else { 512 };

const UNKNOWN: u8 = 0;
/// No quote.
const NONE: u8 = 1;
/// An even number of quotes, not none.
const EVEN: u8 = 2;
const ODD: u8 = 3;

/// What is known of a text's quotes.
pub(super) struct Quotes {
    chunks: Vec<AtomicU8>,
    unknown: AtomicUsize,
    exact: OnceLock<Exact>,
    counting: Mutex<()>,
    /// Offsets that were taken for starts of records and that scans rely on.
    guesses: Mutex<Vec<u64>>,
    misled: AtomicBool,
}

/// The state at the start of each chunk, once all are counted.
struct Exact {
    /// Whether there is no quote at all.
    none: bool,
    /// Whether each chunk starts between quotes.
    inside: Vec<bool>,
}

impl Quotes {
    /// Nothing is known of a text of this length.
    pub fn new(len: u64) -> Quotes {
        let count = len.div_ceil(CHUNK_BYTES) as usize;
        Quotes {
            chunks: (0..count).map(|_| AtomicU8::new(UNKNOWN)).collect(),
            unknown: AtomicUsize::new(count),
            exact: OnceLock::new(),
            counting: Mutex::new(()),
            guesses: Mutex::new(Vec::new()),
            misled: AtomicBool::new(false),
        }
    }

    /// Notes that no quote stands from `from` to `to`.
    pub fn note_none(&self, from: u64, to: u64) {
        let first = from.div_ceil(CHUNK_BYTES) as usize;
        let last = (to / CHUNK_BYTES) as usize;
        for chunk in self.chunks.get(first..last).unwrap_or_default() {
            self.know(chunk, NONE);
        }
    }

    fn know(&self, chunk: &AtomicU8, state: u8) {
        if chunk.swap(state, Ordering::Relaxed) == UNKNOWN {
            self.unknown.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether a guess that a scan relies on has turned out wrong: what was read is worth nothing.
    pub fn is_misled(&self) -> bool {
        self.misled.load(Ordering::Acquire)
    }

    /// Whether all quotes are counted, so that nothing is guessed any more.
    pub fn is_exact(&self) -> bool {
        self.exact.get().is_some()
    }

    /// Counts all quotes; returns whether a guess was wrong, and starts afresh.
    pub fn settle(&self, input: &Input) -> Result<bool> {
        self.count_all(input)?;
        Ok(self.misled.swap(false, Ordering::AcqRel))
    }

    /// Notes that a scan relies on a record starting at `offset`, behind the first one.
    pub fn rely_on(&self, input: &Input, offset: u64) -> Result<()> {
        let mut guesses = locked(&self.guesses);
        match self.exact.get() {
            None => guesses.push(offset),
            // It may have been guessed just before the last chunk was counted.
            Some(exact) => self.check(exact, input, offset)?,
        }
        Ok(())
    }

    fn check(&self, exact: &Exact, input: &Input, offset: u64) -> Result<()> {
        if !exact.none
            && offset != input.len()
            && exact.next_record(input, offset.saturating_sub(1), input.len())? != Some(offset)
        {
            self.misled.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Returns the start of the first record at or behind `offset` and before `end`.
    ///
    /// `body` is the start of the first record of all.
    pub fn record_start(
        &self,
        input: &Input,
        body: u64,
        offset: u64,
        end: u64,
    ) -> Result<Option<u64>> {
        if offset <= body {
            return Ok(Some(body).filter(|&start| start < end));
        }
        // Searching from the byte before finds the line feed in front of a record that starts at `offset` itself.
        let from = offset - 1;
        match self.exact.get() {
            Some(exact) if exact.none => return next_line(input, from, end),
            Some(exact) => return exact.next_record(input, from, end),
            None => {}
        }
        if self.unknown.load(Ordering::Relaxed) > COUNTED_ANYWAY_CHUNKS
            && self.is_quiet_around(input, from)?
        {
            return next_line(input, from, end);
        }
        self.count_all(input)?.next_record(input, from, end)
    }

    /// Whether the chunk of `offset` and those beside it have no quote.
    fn is_quiet_around(&self, input: &Input, offset: u64) -> Result<bool> {
        let at = (offset / CHUNK_BYTES) as usize;
        let mut scratch = Vec::new();
        for index in at.saturating_sub(1)..(at + 2).min(self.chunks.len()) {
            if self.chunk_state(input, index, &mut scratch)? != NONE {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn chunk_state(&self, input: &Input, index: usize, scratch: &mut Vec<u8>) -> Result<u8> {
        let Some(chunk) = self.chunks.get(index) else {
            return Ok(NONE);
        };
        let known = chunk.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let bytes = read_chunk(input, index as u64, scratch)?;
        let state = match memchr_iter(QUOTE, bytes).count() {
            0 => NONE,
            count if count % 2 == 0 => EVEN,
            _ => ODD,
        };
        self.know(chunk, state);
        Ok(state)
    }

    /// Counts what is not counted yet, on all cores, and checks the guesses.
    fn count_all(&self, input: &Input) -> Result<&Exact> {
        // Rayon would be free to run another task of this kind while it waits, which would then wait for this lock.
        let counting = locked(&self.counting);
        if let Some(exact) = self.exact.get() {
            return Ok(exact);
        }
        const BATCH: usize = 256;
        on_all_cores(self.chunks.len().div_ceil(BATCH), |batch| {
            let mut scratch = Vec::new();
            for index in batch * BATCH..((batch + 1) * BATCH).min(self.chunks.len()) {
                self.chunk_state(input, index, &mut scratch)?;
            }
            Ok(())
        })?;
        let mut none = true;
        let mut is_inside = false;
        let mut inside = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            inside.push(is_inside);
            let state = chunk.load(Ordering::Relaxed);
            is_inside ^= state == ODD;
            none &= state == NONE;
        }
        let exact = Exact { none, inside };
        let mut guesses = locked(&self.guesses);
        for offset in guesses.drain(..) {
            self.check(&exact, input, offset)?;
        }
        // Set while `guesses` is locked: whoever adds one later sees that it is exact.
        let exact = self.exact.get_or_init(|| exact);
        drop(guesses);
        drop(counting);
        Ok(exact)
    }
}

impl Exact {
    /// Returns what follows the first line feed at or behind `from` that ends a record, if it lies before `end`.
    fn next_record(&self, input: &Input, from: u64, end: u64) -> Result<Option<u64>> {
        let mut scratch = Vec::new();
        let mut index = from / CHUNK_BYTES;
        while index * CHUNK_BYTES < end {
            let mut inside = self.inside.get(index as usize).copied().unwrap_or(false);
            let base = index * CHUNK_BYTES;
            let bytes = read_chunk(input, index, &mut scratch)?;
            let skip = from.saturating_sub(base) as usize;
            for at in memchr::memchr2_iter(QUOTE, b'\n', bytes) {
                if bytes.get(at) == Some(&QUOTE) {
                    inside = !inside;
                } else if !inside && at >= skip {
                    return Ok(Some(base + at as u64 + 1).filter(|&start| start < end));
                }
            }
            index += 1;
        }
        Ok(None)
    }
}

fn next_line(input: &Input, from: u64, end: u64) -> Result<Option<u64>> {
    let mut scratch = Vec::new();
    let mut at = from;
    while at < end {
        let len = CHUNK_BYTES.min(input.len() - at);
        let bytes = input.read(at, len, &mut scratch)?;
        if let Some(found) = memchr(b'\n', bytes) {
            return Ok(Some(at + found as u64 + 1).filter(|&start| start < end));
        }
        at += len.max(1);
    }
    Ok(None)
}

fn read_chunk<'a>(input: &'a Input, index: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let base = index * CHUNK_BYTES;
    input.read(
        base,
        CHUNK_BYTES.min(input.len().saturating_sub(base)),
        scratch,
    )
}
