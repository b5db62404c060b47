//! A bounded cache of open files, so that a folder of ten thousand of them needs no more than a few hundred descriptors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::Result;

/// Open things by number, at most so many at once, shared by threads.
///
/// The least recently used goes first, of those that nobody uses at the moment: to let go of one in use would free
/// nothing, for it stays alive with its users. Looking one up that is there takes a shared lock and no allocation.
pub struct Pool<T> {
    capacity: usize,
    /// Counts the look-ups.
    clock: AtomicU64,
    slots: RwLock<HashMap<u64, Slot<T>>>,
}

struct Slot<T> {
    thing: Arc<T>,
    /// The clock when it was last looked up.
    used: AtomicU64,
}

impl<T> Pool<T> {
    /// A pool that keeps `capacity` things (at least one) open.
    pub fn new(capacity: usize) -> Pool<T> {
        Pool {
            capacity: capacity.max(1),
            clock: AtomicU64::new(0),
            slots: RwLock::default(),
        }
    }

    /// Returns thing `number`, opened now if it is not there. No lock is held meanwhile: of two threads that open the
    /// same thing at once, both get the one that was ready first.
    ///
    /// # Errors
    ///
    /// Those of `open`; nothing is kept then.
    pub fn get(&self, number: u64, open: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(thing) = self.find(number, now) {
            return Ok(thing);
        }
        let opened = Arc::new(open()?);
        // What goes is closed after the lock is given back.
        let (kept, _gone) = self.keep(number, now, opened);
        Ok(kept)
    }

    fn find(&self, number: u64, now: u64) -> Option<Arc<T>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(&number)?;
        slot.used.fetch_max(now, Ordering::Relaxed);
        Some(slot.thing.clone())
    }

    /// Takes `opened` in, unless another thread was faster; returns what is in the pool now, and what is not any more.
    fn keep(&self, number: u64, now: u64, opened: Arc<T>) -> (Arc<T>, Option<Arc<T>>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&number) {
            return (slot.thing.clone(), Some(opened));
        }
        let gone = (slots.len() >= self.capacity)
            .then(|| least_used(&slots))
            .flatten()
            .and_then(|number| slots.remove(&number))
            .map(|slot| slot.thing);
        let slot = Slot {
            thing: opened.clone(),
            used: AtomicU64::new(now),
        };
        slots.insert(number, slot);
        (opened, gone)
    }
}

fn least_used<T>(slots: &HashMap<u64, Slot<T>>) -> Option<u64> {
    slots
        .iter()
        .min_by_key(|(_, slot)| {
            let in_use = Arc::strong_count(&slot.thing) > 1;
            (in_use, slot.used.load(Ordering::Relaxed))
        })
        .map(|(&number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    /// Counts how many of its kind are open.
    struct Open<'a>(u64, &'a AtomicUsize);

    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn open(number: u64, count: &AtomicUsize) -> Result<Open<'_>> {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Open(number, count))
    }

    fn fail<T>() -> Result<T> {
        Err(Error::usage("not to be opened", ""))
    }

    #[test]
    fn the_least_recently_used_goes() {
        let count = AtomicUsize::new(0);
        let pool = Pool::new(2);
        for number in [1, 2, 1, 3] {
            pool.get(number, || open(number, &count)).unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert_eq!(pool.get(1, fail).unwrap().0, 1);
        assert_eq!(pool.get(3, fail).unwrap().0, 3);
        assert!(pool.get(2, fail).is_err());
        assert!(pool.get(2, fail).is_err());
    }

    #[test]
    fn what_is_in_use_stays_alive_and_in_the_pool() {
        let count = AtomicUsize::new(0);
        let pool = Pool::new(2);
        let first = pool.get(1, || open(1, &count)).unwrap();
        for number in 2..9 {
            pool.get(number, || open(number, &count)).unwrap();
            assert_eq!(count.load(Ordering::SeqCst), 2);
        }
        assert!(Arc::ptr_eq(&first, &pool.get(1, fail).unwrap()));
        let others: Vec<_> = (20..25)
            .map(|number| pool.get(number, || open(number, &count)).unwrap())
            .collect();
        assert_eq!(first.0, 1);
        assert_eq!(others.iter().map(|open| open.0).sum::<u64>(), 110);
        drop((first, others));
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn two_that_open_the_same_get_the_same() {
        let count = AtomicUsize::new(0);
        let pool = Pool::new(4);
        let both_open = Barrier::new(2);
        let get = || {
            pool.get(7, || {
                both_open.wait();
                open(7, &count)
            })
            .unwrap()
        };
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(get);
            (get(), other.join().unwrap())
        });
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn many_threads_stay_within_the_capacity() {
        let count = AtomicUsize::new(0);
        let pool = Pool::new(3);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let (pool, count) = (&pool, &count);
                scope.spawn(move || {
                    for step in 0..2000u64 {
                        let number = (step * (thread + 3)) % 10;
                        let thing = pool.get(number, || open(number, count)).unwrap();
                        assert_eq!(thing.0, number);
                        // The pool's, and what each thread holds or has just opened.
                        assert!(count.load(Ordering::SeqCst) <= 3 + 2 * 4);
                    }
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }
}
