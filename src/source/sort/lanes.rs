//! Rows that several threads push at once, or sort while one pushes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::{Batch, Sorter, locked, run};
use crate::error::{Error, ErrorKind, Result};

/// Where a sorter's rows go that does not write them itself.
pub(super) struct HandOn {
    batches: SyncSender<Batch>,
    /// Some thread could not write its rows.
    has_failed: Arc<AtomicBool>,
}

impl HandOn {
    /// Waits until a thread takes these rows.
    ///
    /// # Errors
    ///
    /// Stopped, where one has failed.
    pub fn send(&self, batch: Batch) -> Result<()> {
        let sent = self.batches.send(batch);
        match sent.is_err() || self.has_failed.load(Ordering::Relaxed) {
            true => Err(ErrorKind::Stopped.into()),
            false => Ok(()),
        }
    }
}

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
        if let [part] = parts {
            return self.push_beside(|sorter| push(part, sorter));
        }
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
        match locked(&failure).take() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Lets this thread push rows, with `push`, and as many others as make up a rayon pool sort and write them. The threads share the
    /// memory. The others are of no pool: this thread waits for them, and a pool need not wake a thread for what another of its own
    /// can do.
    ///
    /// # Errors
    ///
    /// That of `push`; I/O errors of the temporary files.
    pub fn push_beside(&mut self, push: impl FnOnce(&mut Sorter<'a>) -> Result<()>) -> Result<()> {
        let threads = rayon::current_num_threads();
        if threads <= 1 {
            return push(self);
        }
        self.flush()?;
        // Nothing waits in the channel: a thread takes rows when it has memory for them.
        let (batches, received) = sync_channel::<Batch>(0);
        // Gone with the last thread that takes from it, whatever ends that: who pushes then waits for nobody.
        let received = Arc::new(Mutex::new(received));
        let has_failed = Arc::new(AtomicBool::new(false));
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let work = |mut lane: Sorter<'a>, received: Arc<Mutex<Receiver<Batch>>>| {
            let mut written = Ok(());
            loop {
                let next = locked(&received).recv();
                let Ok(batch) = next else { break };
                // After a failure, rows are still taken: who pushes them waits for that.
                if written.is_ok() {
                    lane.shared.note_cut(run::row_at(&batch.stored, 0).key);
                    written = lane.write(&batch);
                    has_failed.fetch_or(written.is_err(), Ordering::Relaxed);
                }
            }
            if let Err(error) = written.and_then(|()| lane.flush()) {
                *locked(&failure) = Some(error);
            }
        };
        let mut front = self.lane(threads);
        front.hand_on = Some(HandOn {
            batches,
            has_failed: Arc::clone(&has_failed),
        });
        let pushed = std::thread::scope(|scope| {
            for _ in 1..threads {
                let (mut lane, received) = (self.lane(threads), Arc::clone(&received));
                lane.is_alone = true;
                let work = &work;
                scope.spawn(move || work(lane, received));
            }
            drop(received);
            // Whoever waits for more rows goes on when this sorter is gone.
            let mut front = front;
            push(&mut front).and_then(|()| front.spill())
        });
        match locked(&failure).take() {
            Some(error) => Err(error),
            None => pushed,
        }
    }

    fn lane(&self, threads: usize) -> Sorter<'a> {
        Sorter::of(Arc::clone(&self.shared), self.memory_bytes / threads)
    }
}
