//! Which of two versions of one cell counts.
//!
//! The greater timestamp wins. At equal timestamps Cassandra's versions differ (proven with servers of 3.11, 4.0 and 5.0):
//!
//! | equal timestamps | 4.0 and later | 3.0 and 3.11 |
//! |---|---|---|
//! | tombstone or expired, and live | the tombstone | the dead one |
//! | expiring and plain | the expiring one | the larger value |
//! | both expiring | the later expiry, then the larger value | the larger value, then the later expiry |
//! | both plain | the larger value | the larger value |
//! | bytes of values compare as | unsigned | signed |
//!
//! Of counters the shards are merged ([`super::counter`]), and a tombstone wins whatever its timestamp.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::counter::{self, Holders};
use super::model::{Cell, NO_DELETION_TIME, Row, Seconds};

/// Whose rule decides between writes of equal timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ties {
    /// Cassandra 4.0 and later.
    #[default]
    V4,
    /// Cassandra 3.0 and 3.11.
    V3_11,
}

/// What decides between versions.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The rule for equal timestamps.
    pub ties: Ties,
    /// The instant at which what expires is dead.
    pub now: Seconds,
    /// Where the versions come from; it matters to counters.
    pub holders: Holders,
}

/// One version of a cell, lent by the row it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<'r> {
    /// Timestamp of the write.
    pub timestamp: i64,
    /// Time to live in seconds; 0 for none.
    pub ttl: i64,
    /// When it was deleted, or when it expires.
    pub local_time: Seconds,
    /// Whether it is a tombstone.
    pub is_deleted: bool,
    /// Which element of a collection.
    pub path: &'r [u8],
    /// Its value.
    pub value: Cow<'r, [u8]>,
}

impl<'r> Version<'r> {
    /// The version that a cell of `row` is.
    pub fn of(row: &'r Row, cell: &Cell) -> Version<'r> {
        Version {
            timestamp: cell.timestamp,
            ttl: cell.ttl,
            local_time: cell.local_time,
            is_deleted: cell.is_deleted,
            path: row.at(&cell.path),
            value: Cow::Borrowed(row.at(&cell.value)),
        }
    }

    fn is_live(&self, now: Seconds) -> bool {
        !self.is_deleted && (self.local_time == NO_DELETION_TIME || self.local_time > now)
    }
}

/// The version of a cell that counts, of all that were met so far.
#[derive(Debug)]
pub struct Choice<'r> {
    best: Version<'r>,
    /// What the other rule for equal timestamps takes, where that may be another.
    by_other: Option<Version<'r>>,
}

impl<'r> Choice<'r> {
    /// The first version.
    pub fn of(best: Version<'r>) -> Choice<'r> {
        Choice {
            best,
            by_other: None,
        }
    }

    /// With one more version.
    #[must_use]
    pub fn with(self, next: Version<'r>, is_counter: bool, rules: Rules) -> Choice<'r> {
        if is_counter {
            return Choice::of(reconcile_counters(self.best, next, rules.holders));
        }
        let other = Rules {
            ties: match rules.ties {
                Ties::V4 => Ties::V3_11,
                Ties::V3_11 => Ties::V4,
            },
            ..rules
        };
        let is_other = |best: &Version<'r>| order(best, &next, rules) != order(best, &next, other);
        let by_other = match self.by_other {
            None if !is_other(&self.best) => None,
            by_other => {
                let best = by_other.unwrap_or_else(|| self.best.clone());
                Some(stronger(best, next.clone(), other))
            }
        };
        Choice {
            best: stronger(self.best, next, rules),
            by_other,
        }
    }

    /// The version that counts, and where the other rule takes another, that.
    pub fn made(self) -> (Version<'r>, Option<Version<'r>>) {
        let by_other = self.by_other.filter(|other| *other != self.best);
        (self.best, by_other)
    }
}

fn order(left: &Version<'_>, right: &Version<'_>, rules: Rules) -> Ordering {
    left.timestamp
        .cmp(&right.timestamp)
        .then_with(|| match rules.ties {
            Ties::V4 => tie_4(left, right),
            Ties::V3_11 => tie_3_11(left, right, rules.now),
        })
}

fn stronger<'r>(left: Version<'r>, right: Version<'r>, rules: Rules) -> Version<'r> {
    // Paths that are equal may be of other bytes: the choice must not depend on the order of the two.
    match order(&left, &right, rules).then_with(|| left.path.cmp(right.path)) {
        Ordering::Less => right,
        _ => left,
    }
}

fn reconcile_counters<'r>(left: Version<'r>, right: Version<'r>, holders: Holders) -> Version<'r> {
    match (left.is_deleted, right.is_deleted) {
        (true, true) if (left.timestamp, left.local_time) > (right.timestamp, right.local_time) => {
            left
        }
        (true, false) => left,
        (_, true) => right,
        (false, false) => {
            let value = counter::merge(&left.value, &right.value, holders);
            Version {
                timestamp: left.timestamp.max(right.timestamp),
                value: value.map_or_else(|| left.value.clone().max(right.value), Cow::Owned),
                ..left
            }
        }
    }
}

fn tie_4(left: &Version<'_>, right: &Version<'_>) -> Ordering {
    let may_die = |v: &Version<'_>| v.is_deleted || v.local_time != NO_DELETION_TIME;
    may_die(left)
        .cmp(&may_die(right))
        .then(left.is_deleted.cmp(&right.is_deleted))
        .then(left.local_time.cmp(&right.local_time))
        .then_with(|| left.value.cmp(&right.value))
        .then(left.ttl.cmp(&right.ttl))
}

fn tie_3_11(left: &Version<'_>, right: &Version<'_>, now: Seconds) -> Ordering {
    left.is_live(now)
        .cmp(&right.is_live(now))
        .reverse()
        .then_with(|| {
            let signed = |byte: &u8| *byte as i8;
            let left = left.value.iter().map(signed);
            left.cmp(right.value.iter().map(signed))
        })
        .then(left.local_time.cmp(&right.local_time))
        .then(left.ttl.cmp(&right.ttl))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: &[u8]) -> Version<'_> {
        Version {
            timestamp: 5,
            ttl: 0,
            local_time: NO_DELETION_TIME,
            is_deleted: false,
            path: b"",
            value: Cow::Borrowed(value),
        }
    }

    fn expiring(value: &[u8], at: Seconds) -> Version<'_> {
        Version {
            ttl: 10,
            local_time: at,
            ..plain(value)
        }
    }

    fn tombstone<'a>() -> Version<'a> {
        Version {
            is_deleted: true,
            local_time: 50,
            ..plain(b"")
        }
    }

    /// Which of two wins by both rules, and how many ties are told.
    fn winners<'a>(left: &Version<'a>, right: &Version<'a>) -> (Version<'a>, Version<'a>, u64) {
        let winner = |rule| {
            let rules = Rules {
                ties: rule,
                now: 100,
                holders: Holders::OneNode,
            };
            let both = [(left, right), (right, left)].map(|(one, other)| {
                let choice = Choice::of(one.clone()).with(other.clone(), false, rules);
                choice.made()
            });
            assert_eq!(both[0], both[1]);
            both[0].clone()
        };
        let ((since_4, other), (before_4, same)) = (winner(Ties::V4), winner(Ties::V3_11));
        let by_other =
            |of: &Option<Version<'a>>, best: &Version<'a>| of.clone().unwrap_or(best.clone());
        assert_eq!(by_other(&other, &since_4), before_4);
        assert_eq!(by_other(&same, &before_4), since_4);
        (since_4, before_4, other.is_some().into())
    }

    #[test]
    fn of_many_versions_each_rule_takes_its_own() {
        let rules = Rules {
            ties: Ties::V4,
            now: 100,
            holders: Holders::OneNode,
        };
        let of = |versions: &[Version<'static>]| {
            let (first, rest) = versions.split_first().unwrap();
            let choice = rest.iter().fold(Choice::of(first.clone()), |choice, next| {
                choice.with(next.clone(), false, rules)
            });
            choice.made()
        };
        let (high, low, middle) = (plain(b"\xff"), plain(b"\x01"), plain(b"\x02"));
        for versions in [
            [high.clone(), low.clone(), middle.clone()],
            [middle.clone(), low.clone(), high.clone()],
            [low, high.clone(), middle.clone()],
        ] {
            assert_eq!(of(&versions), (high.clone(), Some(middle.clone())));
        }
        // Both take the last: that the first two are a tie does not matter.
        let newer = Version {
            timestamp: 6,
            ..plain(b"a")
        };
        assert_eq!(of(&[high, middle, newer.clone()]), (newer, None));
    }

    #[test]
    fn ties_are_decided_by_either_rule() {
        for (left, right, since_4, before_4) in [
            (tombstone(), plain(b"z"), tombstone(), tombstone()),
            (plain(b"a"), plain(b"b"), plain(b"b"), plain(b"b")),
            (
                plain(b"\xff"),
                plain(b"\x01"),
                plain(b"\xff"),
                plain(b"\x01"),
            ),
            (
                expiring(b"a", 200),
                plain(b"b"),
                expiring(b"a", 200),
                plain(b"b"),
            ),
            (
                expiring(b"a", 300),
                expiring(b"b", 200),
                expiring(b"a", 300),
                expiring(b"b", 200),
            ),
            (expiring(b"a", 300), tombstone(), tombstone(), tombstone()),
        ] {
            let expected = (
                since_4.clone(),
                before_4.clone(),
                u64::from(since_4 != before_4),
            );
            assert_eq!(winners(&left, &right), expected);
        }
    }

    #[test]
    fn a_greater_timestamp_wins_over_all() {
        let newer = Version {
            timestamp: 6,
            ..plain(b"a")
        };
        assert_eq!(winners(&tombstone(), &newer), (newer.clone(), newer, 0));
    }
}
