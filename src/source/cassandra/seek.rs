//! From a key to the place in an SSTable from which its rows are read, and places to cut an SSTable at.
//!
//! Keys of places are read when they are asked for, and kept. A place that begins a scan is proven first, see [`super::marks`];
//! where one proves wrong the index is not asked again. Where the data are damaged, the places are left out that can't be proven
//! for it, so that what lies behind the damage can be read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::data::{Sstable, Start, Unfiltered};
use super::key::{self, Exactness};
use super::layout::Layout;
use super::marks::Mark;
use super::model::Row;
use crate::error::{ErrorKind, Result};
use crate::range::KeyRange;

/// Most places of an SSTable that are kept in memory, evenly spread.
const MARKS_MAX: usize = 1 << 13;

/// A possible cut: a key, and the bytes between it and the one before.
pub type Cut = (Vec<u8>, u64);

/// The places of one SSTable that are known.
#[derive(Default)]
pub struct Seeker {
    /// Those of the index; `None` where it can't be read.
    told: OnceLock<Option<Vec<Spot>>>,
    /// Of these, those that damage leaves; `None` where the index is wrong. Only looked for where there is damage.
    sound: OnceLock<Option<Vec<Spot>>>,
    /// Those that were found in the data.
    walked: OnceLock<Vec<Spot>>,
    /// Whether the index was found to be wrong.
    is_wrong: AtomicBool,
}

struct Spot {
    mark: Mark,
    /// `None` where it can't be read.
    place: OnceLock<Option<Place>>,
    is_proven: OnceLock<bool>,
}

/// What stands at a mark.
struct Place {
    /// The key, or the partition's.
    key: Vec<u8>,
    /// Whether that is a bound of range deletions. Of these the one before may have the same key.
    is_bound: bool,
}

impl Spot {
    fn new(mark: Mark, is_proven: bool) -> Spot {
        Spot {
            mark,
            place: OnceLock::new(),
            is_proven: match is_proven {
                true => OnceLock::from(true),
                false => OnceLock::new(),
            },
        }
    }

    fn offset(&self) -> u64 {
        self.mark.start.offset()
    }

    /// What stands there; not proven, if the mark is not.
    fn place(&self, sstable: &Sstable, layout: &Layout) -> Option<&Place> {
        let place = self.place.get_or_init(|| self.read(sstable, layout));
        place.as_ref()
    }

    fn read(&self, sstable: &Sstable, layout: &Layout) -> Option<Place> {
        let start = self.mark.start;
        let mut key = Vec::new();
        let mut push_partition = |of: &[u8]| {
            key::push_partition(&mut key, layout.partitioner, &layout.key_type, of);
        };
        if let (Some(told), None) = (&self.mark.key, start.within) {
            push_partition(told);
            return Some(Place {
                key,
                is_bound: false,
            });
        }
        let mut reader = sstable.read_from(start);
        push_partition(&reader.next_partition().ok()??.key);
        let mut row = Row::default();
        let mut is_bound = false;
        if start.within.is_some() {
            match reader.next_unfiltered(&mut row).ok()? {
                Unfiltered::Row => key::push_row(&mut key, layout, &row, Exactness::Bytes)?,
                Unfiltered::Marker(marker) => {
                    is_bound = true;
                    key::push_bound(&mut key, layout, &marker, Exactness::Bytes)?;
                }
                Unfiltered::End => return None,
            }
        }
        Some(Place { key, is_bound })
    }

    fn is_proven(&self, sstable: &Sstable) -> bool {
        *self.is_proven.get_or_init(|| sstable.proves(&self.mark))
    }
}

impl Seeker {
    /// The last known place from which all keys from `from` on can be read.
    ///
    /// # Errors
    ///
    /// I/O errors; Damaged where the data must be walked and can't.
    pub fn start(&self, sstable: &Sstable, layout: &Layout, from: &[u8]) -> Result<Start> {
        let find = |spots: &[Spot]| {
            let behind = partition_point(spots, |spot| {
                let place = spot.place(sstable, layout)?;
                Some(match place.is_bound {
                    true => place.key.as_slice() < from,
                    false => place.key.as_slice() <= from,
                })
            })?;
            match behind.checked_sub(1).and_then(|last| spots.get(last)) {
                Some(spot) => spot.is_proven(sstable).then_some(spot.mark.start),
                None => Some(Start::of_partition(0)),
            }
        };
        let found = self.ask(sstable, layout, find)?;
        // What was walked is proven, and has keys.
        Ok(found.unwrap_or(Start::of_partition(0)))
    }

    /// About `count` keys strictly inside of `range` that cut what the SSTable has of it, ascending, and the bytes of all of it.
    ///
    /// # Errors
    ///
    /// As of [`Seeker::start`].
    pub fn cuts(
        &self,
        sstable: &Sstable,
        layout: &Layout,
        range: &KeyRange,
        count: usize,
    ) -> Result<(Vec<Cut>, u64)> {
        let end = sstable.data_len();
        let find = |spots: &[Spot]| {
            let first_where = |is_before: &dyn Fn(&[u8]) -> bool| {
                partition_point(spots, |spot| {
                    Some(is_before(&spot.place(sstable, layout)?.key))
                })
            };
            let first = match range.from.is_empty() {
                true => 0,
                false => first_where(&|key| key <= range.from.as_slice())?,
            };
            let behind = match range.to {
                None => spots.len(),
                Some(_) => first_where(&|key| range.is_before_end(key))?,
            };
            let from = first.checked_sub(1).and_then(|last| spots.get(last));
            let mut last = from.map_or(0, Spot::offset);
            let size = spots.get(behind).map_or(end, Spot::offset) - last.min(end);
            let step = (size / count.max(1) as u64).max(1);
            let mut cuts = Vec::new();
            for spot in spots.get(first..behind).unwrap_or_default() {
                let len = spot.offset().saturating_sub(last);
                if len < step {
                    continue;
                }
                let key = &spot.place(sstable, layout)?.key;
                if *key > range.from && range.is_before_end(key) {
                    cuts.push((key.clone(), len));
                    last = spot.offset();
                }
            }
            Some((cuts, size))
        };
        Ok(self.ask(sstable, layout, find)?.unwrap_or_default())
    }

    /// The place of the first partition behind `key` from which the SSTable can be read, though it is damaged.
    pub fn partition_behind(
        &self,
        sstable: &Sstable,
        layout: &Layout,
        key: &[u8],
    ) -> Option<Vec<u8>> {
        let partitions = self
            .sound(sstable, layout)?
            .iter()
            .filter(|spot| spot.mark.start.within.is_none());
        let mut places = partitions.filter_map(|spot| spot.place(sstable, layout));
        let found = places.find(|place| place.key.as_slice() > key)?;
        Some(found.key.clone())
    }

    /// The places of the index.
    fn told(&self, sstable: &Sstable, layout: &Layout) -> Option<&[Spot]> {
        let told = self.told.get_or_init(|| {
            let has_blocks = layout.keys_are_in_order();
            let marks = sstable.told_marks(MARKS_MAX, has_blocks)?;
            let spot = |mark| Spot::new(mark, false);
            Some(marks.into_iter().map(spot).collect())
        });
        told.as_deref()
    }

    /// The places of the index that can be proven.
    fn sound(&self, sstable: &Sstable, layout: &Layout) -> Option<&[Spot]> {
        let sound = self.sound.get_or_init(|| {
            let mut sound = Vec::new();
            for spot in self.told(sstable, layout)? {
                if spot.place(sstable, layout).is_some() && spot.is_proven(sstable) {
                    sound.push(Spot::new(spot.mark.clone(), true));
                } else if sstable.can_prove(&spot.mark) {
                    return None;
                }
            }
            Some(sound)
        });
        sound.as_deref()
    }

    /// Asks the places of the index, then, where these are none or wrong (`find` gives `None`), those of the data.
    fn ask<T>(
        &self,
        sstable: &Sstable,
        layout: &Layout,
        find: impl Fn(&[Spot]) -> Option<T>,
    ) -> Result<Option<T>> {
        if !self.is_wrong.load(Ordering::Relaxed) {
            if let Some(found) = self.told(sstable, layout).and_then(&find) {
                return Ok(Some(found));
            }
            if let Some(found) = self.sound(sstable, layout).and_then(&find) {
                return Ok(Some(found));
            }
            self.is_wrong.store(true, Ordering::Relaxed);
        }
        let walked = match self.walked.get() {
            Some(walked) => walked,
            None => {
                let marks = match sstable.walked_marks(MARKS_MAX) {
                    // Whoever reads what is damaged tells of it; seeking does without.
                    Err(error) if matches!(error.kind(), ErrorKind::Damaged { .. }) => Vec::new(),
                    marks => marks?,
                };
                let spot = |mark| Spot::new(mark, true);
                let walked = marks.into_iter().map(spot).collect();
                self.walked.get_or_init(|| walked)
            }
        };
        Ok(find(walked))
    }
}

/// Index of the first spot that is not `before`; `None` where one that is looked at can't be read.
fn partition_point(spots: &[Spot], before: impl Fn(&Spot) -> Option<bool>) -> Option<usize> {
    let (mut low, mut high) = (0, spots.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match before(spots.get(middle)?)? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Some(low)
}

#[cfg(test)]
#[path = "seek_tests.rs"]
mod tests;
