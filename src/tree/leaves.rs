//! Scans a table on all cores and gives its leaves in key order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Leaf;
use crate::error::{Error, ErrorKind, Result, UnreadableKeys};
use crate::fingerprint::{Hash, RowHash, RowHashTask, Summary};
use crate::progress::Progress;
use crate::range::{Coverage, KeyRange, key_hash, rank_of_hash};
use crate::row::Row;
use crate::source::Table;

/// Bytes of a file that the last pieces of work cover: small enough that the cores end together.
const PIECE_BYTES: u64 = 1 << 20;

/// Bytes of a file that a piece covers at most, if that is more: enough that a piece's own cost vanishes.
const LARGE_PIECE_BYTES: u64 = 16 << 20;

/// Into how many pieces for each thread all that is left is cut.
const PIECES_A_THREAD: usize = 4;

/// Most pieces a table is cut into.
const PIECES_MAX: u64 = 16_384;

/// Pieces that may wait, finished, for one before them; a core that would run further ahead waits.
const PIECES_AHEAD_MAX: usize = 64;

/// What decides where leaves start and what they hold.
#[derive(Debug, Clone)]
pub struct LeafOptions<'a> {
    /// Keys of at least this rank start a leaf.
    pub leaf_bits: u32,
    /// How rows are fingerprinted.
    pub hash: &'a Hash,
    /// Extra boundaries, ascending.
    pub splits: &'a [Vec<u8>],
    /// The keys to cover.
    pub coverage: &'a Coverage,
    /// Go on behind what can't be read, and note it.
    pub keep_going: bool,
}

/// A key range that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Keys that may be missing.
    pub range: KeyRange,
    /// What is wrong and where, without the file's name.
    pub why: String,
}

/// Says what an unreadable place suffers from, in words that do not depend on how the work was cut or the file is named.
fn why(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Damaged { offset, what, .. } => format!("{what} at offset {offset}"),
        _ => error.to_string(),
    }
}

/// A part of a coverage or a gap in it; whether it is covered.
pub type CutRange = (KeyRange, bool);

/// Scans `table` with the threads of the current rayon pool, in the ranges that [`cut`] gave, and hands its leaves to `emit` in
/// key order.
///
/// Returns the ranges that could not be read (none, unless [`LeafOptions::keep_going`]).
///
/// # Errors
///
/// The first error in key order, of the table or of `emit`.
pub fn scan(
    table: &dyn Table,
    ranges: &[CutRange],
    options: &LeafOptions<'_>,
    progress: &Progress,
    emit: &mut (dyn FnMut(Leaf) -> Result<()> + Send),
) -> Result<Vec<Unreadable>> {
    let threads = rayon::current_num_threads();
    let joiner = Joiner::new(options.coverage.from().to_vec(), emit);
    let next = AtomicUsize::new(0);
    rayon::scope(|scope| {
        for _ in 0..threads.min(ranges.len()) {
            scope.spawn(|_| {
                while !joiner.stopped() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((range, is_covered)) = ranges.get(index) else {
                        break;
                    };
                    let sums = options.hash.with_row_hash(PieceTask {
                        table,
                        range,
                        is_covered: *is_covered,
                        options,
                        progress,
                    });
                    joiner.put(index, sums);
                }
            });
        }
    });
    joiner.finish()
}

/// Cuts a coverage of `table` into ranges for the threads of the current rayon pool, by the size of the table.
///
/// # Errors
///
/// Those of the table.
pub fn cut(table: &dyn Table, coverage: &Coverage) -> Result<Vec<CutRange>> {
    let threads = rayon::current_num_threads();
    let file_bytes = table.estimate().file_bytes;
    let pieces = (file_bytes / PIECE_BYTES).clamp(threads as u64, PIECES_MAX);
    let joined_max = LARGE_PIECE_BYTES.saturating_mul(pieces) / file_bytes.max(1);
    let pieces = pieces as usize;
    let mut gaps = coverage.gaps().into_iter();
    let of_range = pieces / coverage.ranges().len().max(1);
    let mut cut = Vec::new();
    for range in coverage.ranges() {
        let cuts = table.split(range, of_range.max(1))?;
        let cuts = join(cuts, threads, joined_max as usize);
        cut.extend(range.cut_at(&cuts).into_iter().map(|piece| (piece, true)));
        cut.extend(gaps.next().map(|gap| (gap, false)));
    }
    Ok(cut)
}

/// Leaves out cuts, so that pieces are large at first, of so many at most, and become smaller towards the end.
fn join(cuts: Vec<Vec<u8>>, threads: usize, joined_max: usize) -> Vec<Vec<u8>> {
    let mut left = cuts.len() + 1;
    let mut of_piece = 0;
    let ends_piece = |_: &Vec<u8>| {
        of_piece += 1;
        let is_end = of_piece >= (left / PIECES_A_THREAD / threads).min(joined_max);
        if is_end {
            left -= of_piece;
            of_piece = 0;
        }
        is_end
    };
    cuts.into_iter().filter(ends_piece).collect()
}

/// The sums of one piece: what belongs to the leaf before it, then the leaves that start in it.
struct PieceSums {
    head: Summary,
    leaves: Vec<Leaf>,
    unreadable: Vec<Unreadable>,
}

struct PieceTask<'a> {
    table: &'a dyn Table,
    range: &'a KeyRange,
    /// Whether it is no gap in the coverage, of which nothing is read.
    is_covered: bool,
    options: &'a LeafOptions<'a>,
    progress: &'a Progress,
}

impl RowHashTask for PieceTask<'_> {
    type Output = Result<PieceSums>;

    fn run<H: RowHash>(self, hash: H) -> Result<PieceSums> {
        let options = self.options;
        let inside = |split: &Vec<u8>| {
            split.as_slice() > options.coverage.from() && self.range.contains(split)
        };
        let first = options
            .splits
            .partition_point(|split| *split < self.range.from);
        let splits: Vec<&Vec<u8>> = options.splits[first..]
            .iter()
            .take_while(|split| self.range.is_before_end(split))
            .filter(|split| inside(split))
            .collect();
        let mut piece = Piece {
            leaf_bits: options.leaf_bits,
            splits: splits.into_iter().peekable(),
            unreadable_to: None,
            current: Summary::default(),
            start: None,
            head: Summary::default(),
            leaves: Vec::new(),
        };
        let mut unreadable = Vec::new();
        if !self.is_covered {
            piece.start_splits(None);
            return Ok(piece.finish(Vec::new()));
        }
        let mut stream = self.table.scan(self.range)?;
        loop {
            let result = if piece.splits.peek().is_some() {
                stream.for_each(&mut |row| {
                    piece.start_splits(Some(row.key));
                    piece.add(row, hash);
                    Ok(())
                })
            } else {
                stream.for_each(&mut |row| {
                    piece.add(row, hash);
                    Ok(())
                })
            };
            let Err(error) = result else { break };
            match error.unreadable_keys() {
                Some(keys) if options.keep_going => {
                    piece.mark_unreadable(keys);
                    unreadable.push(Unreadable {
                        range: keys.clone().into(),
                        why: why(&error),
                    });
                }
                _ => return Err(error),
            }
        }
        drop(stream);
        piece.start_splits(None);
        let sums = piece.finish(unreadable);
        let total = sums.total();
        self.progress.add(total.rows, total.bytes);
        Ok(sums)
    }
}

impl PieceSums {
    fn total(&self) -> Summary {
        self.leaves
            .iter()
            .fold(self.head, |total, leaf| total + leaf.summary)
    }
}

/// The leaf at hand while a piece is scanned.
struct Piece<'a, I: Iterator<Item = &'a Vec<u8>>> {
    leaf_bits: u32,
    splits: std::iter::Peekable<I>,
    /// End of the last unreadable range; leaves that start before it miss rows too.
    unreadable_to: Option<Option<Vec<u8>>>,
    current: Summary,
    /// Start of the current leaf; `None` while it is the one that began before the piece.
    start: Option<Vec<u8>>,
    head: Summary,
    leaves: Vec<Leaf>,
}

impl<'a, I: Iterator<Item = &'a Vec<u8>>> Piece<'a, I> {
    #[inline(always)]
    fn add<H: RowHash>(&mut self, row: Row<'_>, hash: H) {
        let key_hash = key_hash(row.key);
        if rank_of_hash(key_hash) >= self.leaf_bits {
            self.start_leaf(row.key);
        }
        self.current.add_row(row, hash.fingerprint(row, key_hash));
    }

    /// Starts a leaf at every extra boundary up to `key`; at all that are left, without a key.
    fn start_splits(&mut self, key: Option<&[u8]>) {
        while let Some(split) = self
            .splits
            .next_if(|split| key.is_none_or(|key| split.as_slice() <= key))
        {
            self.start_leaf(split);
        }
    }

    #[cold]
    #[inline(never)]
    fn start_leaf(&mut self, key: &[u8]) {
        if self.start.as_deref() == Some(key) {
            return;
        }
        let summary = std::mem::take(&mut self.current);
        match self.start.replace(key.to_vec()) {
            None => self.head = summary,
            Some(start) => self.leaves.push(Leaf { start, summary }),
        }
        // A table of several parts may have rows among the keys that one part could not read.
        let is_before = |to: &Option<Vec<u8>>| to.as_deref().is_none_or(|to| key < to);
        if self.unreadable_to.as_ref().is_some_and(is_before) {
            self.current.unreadable_leaves = 1;
        }
    }

    fn mark_unreadable(&mut self, keys: &UnreadableKeys) {
        self.start_splits(Some(&keys.from));
        self.current.unreadable_leaves = 1;
        let reaches_further = match (&self.unreadable_to, &keys.to) {
            (Some(Some(known)), Some(to)) => known < to,
            (Some(None), _) => false,
            (None, _) | (_, None) => true,
        };
        if reaches_further {
            self.unreadable_to = Some(keys.to.clone());
        }
    }

    fn finish(mut self, unreadable: Vec<Unreadable>) -> PieceSums {
        match self.start.take() {
            None => self.head = self.current,
            Some(start) => self.leaves.push(Leaf {
                start,
                summary: self.current,
            }),
        }
        PieceSums {
            head: self.head,
            leaves: self.leaves,
            unreadable,
        }
    }
}

/// Joins the sums of pieces, which end in any order, at their seams.
struct Joiner<'a> {
    state: Mutex<JoinState<'a>>,
    turn: Condvar,
    stopped: AtomicBool,
}

struct JoinState<'a> {
    next: usize,
    waiting: BTreeMap<usize, Result<PieceSums>>,
    leaf: Leaf,
    unreadable: Vec<Unreadable>,
    emit: &'a mut (dyn FnMut(Leaf) -> Result<()> + Send),
    result: Result<()>,
}

impl<'a> Joiner<'a> {
    fn new(from: Vec<u8>, emit: &'a mut (dyn FnMut(Leaf) -> Result<()> + Send)) -> Joiner<'a> {
        let leaf = Leaf {
            start: from,
            summary: Summary::default(),
        };
        let state = JoinState {
            next: 0,
            waiting: BTreeMap::new(),
            leaf,
            unreadable: Vec::new(),
            emit,
            result: Ok(()),
        };
        Joiner {
            state: Mutex::new(state),
            turn: Condvar::new(),
            stopped: AtomicBool::new(false),
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, JoinState<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, index: usize, sums: Result<PieceSums>) {
        let mut state = self.lock();
        // The piece whose turn it is never waits, so the others can't wait for ever.
        while index >= state.next + PIECES_AHEAD_MAX && !self.stopped() {
            state = self
                .turn
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.insert(index, sums);
        let before = state.next;
        while let Some(sums) = {
            let next = state.next;
            state.waiting.remove(&next)
        } {
            state.next += 1;
            if state.result.is_ok() {
                state.result = sums.and_then(|sums| state.join(sums));
            }
            if state.result.is_err() {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
        if state.next != before {
            self.turn.notify_all();
        }
    }

    fn finish(self) -> Result<Vec<Unreadable>> {
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state.result, Ok(()))?;
        (state.emit)(state.leaf)?;
        Ok(state.unreadable)
    }
}

impl JoinState<'_> {
    fn join(&mut self, sums: PieceSums) -> Result<()> {
        self.add_to_leaf(sums.head);
        for leaf in sums.leaves {
            // The first row of the coverage may be a boundary itself.
            if leaf.start == self.leaf.start {
                self.add_to_leaf(leaf.summary);
                continue;
            }
            (self.emit)(std::mem::replace(&mut self.leaf, leaf))?;
        }
        for next in sums.unreadable {
            match self.unreadable.last_mut() {
                Some(last)
                    if last.range.to.as_ref() == Some(&next.range.from) && last.why == next.why =>
                {
                    last.range.to = next.range.to;
                }
                _ => self.unreadable.push(next),
            }
        }
        Ok(())
    }

    fn add_to_leaf(&mut self, head: Summary) {
        let unreadable = self.leaf.summary.unreadable_leaves | head.unreadable_leaves;
        self.leaf.summary += head;
        self.leaf.summary.unreadable_leaves = unreadable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_smaller_and_hold_all() {
        for (count, threads, joined_max) in [(500, 2, 16), (500, 8, 16), (7, 2, 16), (90, 1, 1)] {
            let cuts: Vec<Vec<u8>> = (1..count).map(|n: u16| n.to_be_bytes().into()).collect();
            let kept = join(cuts.clone(), threads, joined_max);
            let number = |cut: &Vec<u8>| usize::from(u16::from_be_bytes([cut[0], cut[1]]));
            let starts = [0].into_iter().chain(kept.iter().map(number));
            let ends = kept.iter().map(number).chain([usize::from(count)]);
            let sizes: Vec<usize> = starts.zip(ends).map(|(from, to)| to - from).collect();
            assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
            assert!(
                sizes[0] <= joined_max && sizes.last() == Some(&1),
                "{sizes:?}"
            );
            assert_eq!(sizes.iter().sum::<usize>(), usize::from(count));
            let is_one_each = joined_max == 1 || usize::from(count) < 8 * threads;
            assert_eq!(kept.len() == cuts.len(), is_one_each, "{sizes:?}");
        }
    }
}
