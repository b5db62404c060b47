//! A table whose rows lie in no order: they are sorted once, when they are first asked for.
//!
//! Dumps hold their rows as the server met them, and logs hold the writes; [`Unsorted`] is what such a source says of one of
//! its tables, and [`SortedTable`] makes a table of it, in bounded memory ([`super::sort`]).

use std::sync::{Mutex, OnceLock, PoisonError};

use super::sort::{SortOptions, SortedRows, Sorter, Twice};
use super::{Estimate, Judge, Table};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};

/// The rows of one table, in any order.
pub trait Unsorted: Send + Sync {
    /// Pushes every row, with its place in the source.
    ///
    /// # Errors
    ///
    /// Those of reading and of sorting.
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()>;

    /// Shows a place as a person finds it, for the message about a key that stands twice.
    fn show_place(&self, place: u64) -> String;

    /// A guess at its size, before anything is sorted.
    fn estimate(&self) -> Estimate;

    /// What two rows of one key mean.
    fn twice(&self) -> Twice {
        Twice::Refused
    }

    /// As [`Table::judge`].
    fn judge(&self) -> Option<&dyn Judge> {
        None
    }
}

/// A table that sorts its rows when they are first asked for.
pub struct SortedTable<U> {
    name: String,
    schema: Schema,
    options: SortOptions,
    rows: U,
    sorted: OnceLock<SortedRows>,
    sorting: Mutex<()>,
}

impl<U: Unsorted> SortedTable<U> {
    /// The table `name` of these rows.
    pub fn new(name: String, schema: Schema, options: SortOptions, rows: U) -> SortedTable<U> {
        SortedTable {
            name,
            schema,
            options,
            rows,
            sorted: OnceLock::new(),
            sorting: Mutex::new(()),
        }
    }

    /// What it was made of.
    pub fn rows(&self) -> &U {
        &self.rows
    }

    fn sorted(&self) -> Result<&SortedRows> {
        if let Some(sorted) = self.sorted.get() {
            return Ok(sorted);
        }
        let _one = self.sorting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sorted) = self.sorted.get() {
            return Ok(sorted);
        }
        let sorted = on_threads_of_its_own(|| self.sort())?;
        Ok(self.sorted.get_or_init(|| sorted))
    }

    fn sort(&self) -> Result<SortedRows> {
        let show_place = |place| self.rows.show_place(place);
        let mut sorter = Sorter::new(self.options.clone(), &show_place).on_twice(self.rows.twice());
        self.rows.push_all(&mut sorter)?;
        sorter.finish()
    }
}

/// Works in another pool of threads and waits idly. A thread of the common pool would run other tasks of it while it waits, and
/// one of these may wait for the lock that its caller holds; nor can it wait for the pool, whose threads may all wait for the lock.
fn on_threads_of_its_own<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .build()
        .map_err(|e| {
            let what = format!("can't start threads to sort on: {e}");
            Error::usage(what, "ask for fewer with -j")
        })?;
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| pool.install(work)).join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl<U: Unsorted> Table for SortedTable<U> {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn estimate(&self) -> Estimate {
        let guess = self.rows.estimate();
        match self.sorted.get() {
            Some(sorted) => Estimate {
                rows: sorted.rows(),
                bytes: sorted.bytes(),
                ..guess
            },
            None => guess,
        }
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        Ok(self.sorted()?.split(range, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(self.sorted()?.scan(range))
    }

    fn judge(&self) -> Option<&dyn Judge> {
        self.rows.judge()
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::row::Row;

    struct Countdown(u32);

    impl Unsorted for Countdown {
        fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
            (0..self.0).rev().try_for_each(|n| {
                let key = &n.to_be_bytes();
                sorter.push(Row { key, value: b"" }, n.into())
            })
        }

        fn show_place(&self, place: u64) -> String {
            place.to_string()
        }

        fn estimate(&self) -> Estimate {
            Estimate::default()
        }
    }

    #[test]
    fn many_threads_may_ask_first() {
        let options = SortOptions {
            temp_dir: None,
            memory_bytes: 10_000,
            path: "t".into(),
        };
        let table = SortedTable::new("t".into(), Schema::Bytes, options, Countdown(5000));
        let count = |range: KeyRange| {
            let mut rows = 0;
            let mut stream = table.scan(&range).unwrap();
            stream.for_each(&mut |_| {
                rows += 1;
                Ok(())
            })?;
            Ok::<u32, Error>(rows)
        };
        let counted: Vec<u32> = (0..64)
            .into_par_iter()
            .map(|_| count(KeyRange::all()).unwrap())
            .collect();
        assert_eq!(counted, [5000; 64]);
        assert_eq!(table.estimate().rows, 5000);
    }
}
