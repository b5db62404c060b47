//! Rows that several threads push at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Sorter, locked};
use crate::error::{Error, Result};

impl<'a> Sorter<'a> {
    /// Lets each thread of the current rayon pool take one part after the other, and push its rows with `push` to a sorter that has
    /// its share of the memory. Parts are taken in their order.
    ///
    /// # Errors
    ///
    /// That of the first part in this order that fails, whichever thread is the quickest; I/O errors of the temporary files.
    pub fn push_parts<P: Sync>(
        &mut self,
        parts: &[P],
        push: impl Fn(&P, &mut Sorter<'a>) -> Result<()> + Sync,
    ) -> Result<()> {
        let threads = rayon::current_num_threads().min(parts.len());
        self.push_on(threads, parts.iter().map(Ok), push)
    }

    /// As [`Sorter::push_parts`], of parts that are made one by one; no two threads make one at once.
    ///
    /// # Errors
    ///
    /// As of [`Sorter::push_parts`]; a part that could not be made has failed.
    pub fn push_each<P>(
        &mut self,
        parts: impl Iterator<Item = Result<P>> + Send,
        push: impl Fn(P, &mut Sorter<'a>) -> Result<()> + Sync,
    ) -> Result<()> {
        self.push_on(rayon::current_num_threads(), parts, push)
    }

    fn push_on<P>(
        &mut self,
        threads: usize,
        mut parts: impl Iterator<Item = Result<P>> + Send,
        push: impl Fn(P, &mut Sorter<'a>) -> Result<()> + Sync,
    ) -> Result<()> {
        if threads <= 1 {
            return parts.try_for_each(|part| push(part?, self));
        }
        self.flush()?;
        let parts = Mutex::new(parts.enumerate());
        let first_failed = AtomicUsize::new(usize::MAX);
        let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let fail = |number: usize, error: Error| {
            first_failed.fetch_min(number, Ordering::Relaxed);
            let mut failure = locked(&failure);
            if failure.as_ref().is_none_or(|(first, _)| number < *first) {
                *failure = Some((number, error));
            }
        };
        let work = |mut lane: Sorter<'a>| {
            loop {
                let next = locked(&parts).next();
                let Some((number, part)) = next else { break };
                // Those before the one that failed go on: one of them may fail too.
                if number > first_failed.load(Ordering::Relaxed) {
                    return;
                }
                lane.note_cut = true;
                if let Err(error) = part.and_then(|part| push(part, &mut lane)) {
                    return fail(number, error);
                }
            }
            if let Err(error) = lane.flush() {
                fail(usize::MAX, error);
            }
        };
        rayon::scope(|scope| {
            for _ in 0..threads {
                let lane = self.lane(threads);
                let work = &work;
                scope.spawn(move |_| work(lane));
            }
        });
        match failure
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn lane(&self, threads: usize) -> Sorter<'a> {
        Sorter::of(Arc::clone(&self.shared), self.memory_bytes / threads)
    }
}
