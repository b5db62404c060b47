//! What a tree or a patch speaks of: some key ranges of a table.

use super::KeyRange;

/// Key ranges, ascending, none empty, with keys between any two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    ranges: Vec<KeyRange>,
}

impl From<KeyRange> for Coverage {
    fn from(range: KeyRange) -> Coverage {
        Coverage::new(vec![range])
    }
}

impl Coverage {
    /// Every key.
    pub fn all() -> Coverage {
        KeyRange::all().into()
    }

    /// The keys of these ranges, which may come in any order, overlap, touch or be empty.
    pub fn new(mut ranges: Vec<KeyRange>) -> Coverage {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by(|a, b| a.from.cmp(&b.from));
        let mut joined: Vec<KeyRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if last.to.as_ref().is_none_or(|to| *to >= range.from) => {
                    last.to = match (last.to.take(), range.to) {
                        (Some(a), Some(b)) => Some(a.max(b)),
                        _ => None,
                    };
                }
                _ => joined.push(range),
            }
        }
        Coverage { ranges: joined }
    }

    /// The ranges.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// From the first key to the last one, with what lies between the ranges.
    pub fn hull(&self) -> KeyRange {
        match (self.ranges.first(), self.ranges.last()) {
            (Some(first), Some(last)) => KeyRange {
                from: first.from.clone(),
                to: last.to.clone(),
            },
            _ => KeyRange {
                from: Vec::new(),
                to: Some(Vec::new()),
            },
        }
    }

    /// First of all keys that the hull has.
    pub fn from(&self) -> &[u8] {
        self.ranges.first().map_or(&[], |first| &first.from)
    }

    /// The ranges between the ranges.
    pub fn gaps(&self) -> Vec<KeyRange> {
        let pairs = self.ranges.windows(2).filter_map(|pair| match pair {
            [before, behind] => Some(KeyRange {
                from: before.to.clone()?,
                to: Some(behind.from.clone()),
            }),
            _ => None,
        });
        pairs.collect()
    }

    /// The keys at which it ends and goes on, but those of the hull: leaves start there, so that a leaf is covered whole or not
    /// at all.
    pub fn boundaries(&self) -> Vec<Vec<u8>> {
        let ends = self
            .gaps()
            .into_iter()
            .flat_map(|gap| [Some(gap.from), gap.to]);
        ends.flatten().collect()
    }

    /// Whether a key is covered.
    pub fn contains(&self, key: &[u8]) -> bool {
        let behind = self
            .ranges
            .partition_point(|range| range.from.as_slice() <= key);
        let range = behind.checked_sub(1).and_then(|at| self.ranges.get(at));
        range.is_some_and(|range| range.is_before_end(key))
    }

    /// The keys that both cover.
    #[must_use]
    pub fn intersection(&self, other: &Coverage) -> Coverage {
        let mut ranges = Vec::new();
        for a in &self.ranges {
            let behind = |range: &&KeyRange| a.is_before_end(&range.from);
            // The other's ranges that end before this one begins are empty in the intersection, and few beside it.
            let first = other
                .ranges
                .partition_point(|range| range.to.as_ref().is_some_and(|to| *to <= a.from));
            let rest = other.ranges.get(first..).unwrap_or_default();
            ranges.extend(rest.iter().take_while(behind).map(|b| a.intersection(b)));
        }
        Coverage::new(ranges)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(from: u8, to: Option<u8>) -> KeyRange {
        KeyRange {
            from: vec![from],
            to: to.map(|to| vec![to]),
        }
    }

    fn any_ranges() -> impl Strategy<Value = Vec<KeyRange>> {
        let one = (0u8..20, prop::option::of(0u8..20)).prop_map(|(from, to)| range(from, to));
        prop::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn covers_what_its_ranges_do(a in any_ranges(), b in any_ranges()) {
            let (ca, cb) = (Coverage::new(a.clone()), Coverage::new(b.clone()));
            let both = ca.intersection(&cb);
            let in_any = |ranges: &[KeyRange], key: &[u8]| ranges.iter().any(|r| r.contains(key));
            for key in 0u8..25 {
                let key = [key];
                prop_assert_eq!(ca.contains(&key), in_any(&a, &key));
                prop_assert_eq!(both.contains(&key), in_any(&a, &key) && in_any(&b, &key));
                let in_gap = in_any(&ca.gaps(), &key);
                prop_assert_eq!(ca.hull().contains(&key), ca.contains(&key) || in_gap);
                prop_assert!(!(ca.contains(&key) && in_gap));
            }
            prop_assert_eq!(ca.is_empty(), ca.hull().is_empty());
            prop_assert_eq!(ca.boundaries().len(), 2 * ca.gaps().len());
        }
    }
}
