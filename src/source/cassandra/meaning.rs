//! What a difference between two replicas means, cell by cell, by the timestamps of both sides.
//!
//! What one side does not have may lie under a deletion there (of its collection, row, range or partition): then it is
//! deleted on that side, not only missing. So a cell is judged together with the deletion that covers its place.
//!
//! | kind | when |
//! |---|---|
//! | only left, only right | a write, or a deletion, of which the other side knows nothing |
//! | newer left, newer right | both have a write, or both a deletion; that side's has the greater timestamp |
//! | conflict | two writes of one timestamp, with other values or another time to live |
//! | deleted left, deleted right | a deletion on that side against a write on the other; the newer counts, at a tie the deletion |
//! | deletion time | two deletions of one timestamp, made at other times: they delete the same |
//!
//! **Resurrection.** A deletion may be purged once gc_grace has passed since it was made. If the write that it hides is still
//! on another replica then, nothing hides it any more, and repair brings it back everywhere. So where a newer deletion stands
//! against a write, the risk is *due* from its time + gc_grace on, and comes *soon* when less than a third of gc_grace is left:
//! of Cassandra's ten days three and a third, which is when a repair once a week has missed it.

use super::model::{Deletion, Seconds};
use super::value::{self, Body, Decoded, Element};

/// One of the two replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replica {
    /// The first.
    Left,
    /// The second.
    Right,
}

impl Replica {
    /// `left` or `right`.
    pub fn name(self) -> &'static str {
        match self {
            Replica::Left => "left",
            Replica::Right => "right",
        }
    }
}

/// What a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Only the left knows of it.
    OnlyLeft,
    /// Only the right knows of it.
    OnlyRight,
    /// The left's is newer.
    NewerLeft,
    /// The right's is newer.
    NewerRight,
    /// Two writes of one timestamp.
    Conflict,
    /// Deleted on the left, written on the right.
    DeletedLeft,
    /// Written on the left, deleted on the right.
    DeletedRight,
    /// Deleted by one timestamp at other times.
    DeletionTime,
}

impl Kind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::OnlyLeft => "only_left",
            Kind::OnlyRight => "only_right",
            Kind::NewerLeft => "newer_left",
            Kind::NewerRight => "newer_right",
            Kind::Conflict => "conflict",
            Kind::DeletedLeft => "deleted_left",
            Kind::DeletedRight => "deleted_right",
            Kind::DeletionTime => "deletion_time",
        }
    }

    fn of(replica: Replica, left: Kind, right: Kind) -> Kind {
        match replica {
            Replica::Left => left,
            Replica::Right => right,
        }
    }
}

/// Whether a deletion that hides a write elsewhere may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// It may be purged at any compaction.
    Due,
    /// Less than a third of gc_grace is left.
    Soon,
}

/// The time of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The instant of the view.
    pub now: Seconds,
    /// How long this side keeps deletions, in seconds.
    pub gc_grace: Seconds,
}

/// What a side has at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<'a> {
    /// Nothing.
    Absent,
    /// A write.
    Live {
        /// Its timestamp.
        timestamp: i64,
        /// Its value; empty for an INSERT.
        value: &'a [u8],
        /// Time to live, and expiry.
        expiry: Option<(i64, Seconds)>,
    },
    /// A deletion.
    Dead(Deletion),
}

impl<'a> State<'a> {
    fn of_deletion(deletion: Deletion) -> State<'a> {
        match deletion.is_live() {
            true => State::Absent,
            false => State::Dead(deletion),
        }
    }

    fn of_element(element: &Element<'a>) -> State<'a> {
        let timestamp = element.timestamp.unwrap_or(i64::MIN);
        match (element.value, element.deleted) {
            (Some(value), _) => State::Live {
                timestamp,
                value,
                expiry: element.expiry,
            },
            (None, local_time) => State::Dead(Deletion {
                timestamp,
                local_time: local_time.unwrap_or(0),
            }),
        }
    }

    fn of_insert(row: Option<&Decoded<'_>>) -> State<'a> {
        let Some((liveness, timestamp)) =
            row.and_then(|row| Some((row.liveness, row.liveness.timestamp?)))
        else {
            return State::Absent;
        };
        State::Live {
            timestamp,
            value: b"",
            expiry: (liveness.ttl != 0).then_some((liveness.ttl, liveness.expires)),
        }
    }

    fn timestamp(&self) -> Option<i64> {
        match self {
            State::Absent => None,
            State::Live { timestamp, .. } => Some(*timestamp),
            State::Dead(deletion) => Some(deletion.timestamp),
        }
    }

    /// What stands here against `other`, where `cover` lies over the place.
    fn under(self, cover: Deletion, other: &State<'_>) -> State<'a> {
        match (self, other.timestamp()) {
            (State::Absent, Some(timestamp)) if cover.covers(timestamp) => State::Dead(cover),
            (state, _) => state,
        }
    }
}

/// What one difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What it is.
    pub kind: Kind,
    /// The side whose write or deletion counts, where both have one.
    pub newer: Option<Replica>,
    /// Whether what differs is deleted wherever it is.
    pub is_dead: bool,
    /// From when on the deletion that hides a write may be purged.
    pub purgeable_from: Option<Seconds>,
    /// Whether that is soon.
    pub risk: Option<Risk>,
}

impl Meaning {
    fn new(kind: Kind, newer: Option<Replica>, is_dead: bool) -> Meaning {
        Meaning {
            kind,
            newer,
            is_dead,
            purgeable_from: None,
            risk: None,
        }
    }

    fn deleted(on: Replica, deletion: Deletion, written: i64, clock: Clock) -> Meaning {
        let kind = Kind::of(on, Kind::DeletedLeft, Kind::DeletedRight);
        if !deletion.covers(written) {
            let other = match on {
                Replica::Left => Replica::Right,
                Replica::Right => Replica::Left,
            };
            return Meaning::new(kind, Some(other), false);
        }
        let purgeable = deletion.local_time.saturating_add(clock.gc_grace);
        let left = purgeable.saturating_sub(clock.now);
        Meaning {
            purgeable_from: Some(purgeable),
            risk: match left {
                ..=0 => Some(Risk::Due),
                left if left < clock.gc_grace / 3 => Some(Risk::Soon),
                _ => None,
            },
            ..Meaning::new(kind, Some(on), false)
        }
    }
}

/// Says what a difference at one place means; `None` where there is none. `covers` lie over the place on either side.
pub fn judge(
    left: State<'_>,
    right: State<'_>,
    covers: [Deletion; 2],
    clocks: [Clock; 2],
) -> Option<Meaning> {
    if left == right {
        return None;
    }
    let [left_cover, right_cover] = covers;
    let [left_clock, right_clock] = clocks;
    let newer = |one: i64, other: i64, equal: Kind, is_dead| match one.cmp(&other) {
        std::cmp::Ordering::Less => Meaning::new(Kind::NewerRight, Some(Replica::Right), is_dead),
        std::cmp::Ordering::Equal => Meaning::new(equal, None, is_dead),
        std::cmp::Ordering::Greater => Meaning::new(Kind::NewerLeft, Some(Replica::Left), is_dead),
    };
    Some(
        match (
            left.under(left_cover, &right),
            right.under(right_cover, &left),
        ) {
            (State::Absent, State::Absent) => return None,
            (one, State::Absent) => {
                Meaning::new(Kind::OnlyLeft, None, matches!(one, State::Dead(_)))
            }
            (State::Absent, other) => {
                Meaning::new(Kind::OnlyRight, None, matches!(other, State::Dead(_)))
            }
            (State::Live { timestamp: one, .. }, State::Live { timestamp, .. }) => {
                newer(one, timestamp, Kind::Conflict, false)
            }
            (State::Dead(one), State::Dead(other)) => {
                newer(one.timestamp, other.timestamp, Kind::DeletionTime, true)
            }
            (State::Live { timestamp, .. }, State::Dead(deletion)) => {
                Meaning::deleted(Replica::Right, deletion, timestamp, right_clock)
            }
            (State::Dead(deletion), State::Live { timestamp, .. }) => {
                Meaning::deleted(Replica::Left, deletion, timestamp, left_clock)
            }
        },
    )
}

/// A place in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'a> {
    /// The INSERT.
    Inserted,
    /// The deletion of the row; of the partition or the range, in the row that stands for that.
    Deleted,
    /// The end of a range deletion.
    End,
    /// A simple column.
    Cell,
    /// The deletion of a whole collection.
    Overwritten,
    /// The element of a collection at a path.
    Element(&'a [u8]),
}

/// A difference at one place of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The column; [`crate::row::cql::ROW_FIELD`] for the row.
    pub column: &'a [u8],
    /// Where in it.
    pub what: What<'a>,
    /// What both sides have.
    pub states: [State<'a>; 2],
    /// What it means.
    pub meaning: Meaning,
}

impl Part<'_> {
    /// Whether it is of a write, on either side, not of deletions of whole rows and collections.
    pub fn is_of_data(&self) -> bool {
        !matches!(self.what, What::Deleted | What::Overwritten | What::End)
    }
}

/// The differences between two values of one key, in the view of cells; `None` where one is of another view, or none.
///
/// `covers` are the deletions of the partition and of ranges that lie over the row on either side.
pub fn judge_row<'a>(
    row_field: &'a [u8],
    left: Option<&'a [u8]>,
    right: Option<&'a [u8]>,
    covers: [Deletion; 2],
    clocks: [Clock; 2],
) -> Option<Vec<Part<'a>>> {
    let decode = |value: Option<&'a [u8]>| match value {
        None => Some(None),
        Some(value) => value::decode(value).filter(|d| !d.is_live_view).map(Some),
    };
    let rows = [decode(left)?, decode(right)?];
    let mut parts = Vec::new();
    let mut add = |column, what, states: [State<'a>; 2], covers| {
        let meaning = judge(states[0], states[1], covers, clocks);
        parts.extend(meaning.map(|meaning| Part {
            column,
            what,
            states,
            meaning,
        }));
    };
    let deletions = rows
        .each_ref()
        .map(|row| row.as_ref().map_or(Deletion::LIVE, |row| row.deletion));
    let dead = deletions.map(State::of_deletion);
    add(row_field, What::Deleted, dead, covers);
    let covers = both(covers, deletions);
    let inserted = rows.each_ref().map(|row| State::of_insert(row.as_ref()));
    add(row_field, What::Inserted, inserted, covers);
    let columns = rows
        .each_ref()
        .map(|row| row.as_ref().map_or(&[][..], |row| row.columns.as_slice()));
    for (name, [left, right]) in joined(columns, |column| column.0) {
        let decode = |column: Option<&(&'a [u8], &'a [u8])>| match column {
            None => Some(None),
            Some(column) => value::decode_body(column.1).map(Some),
        };
        match [decode(left)?, decode(right)?] {
            [None, None] => {}
            [Some(Body::Complex(..)), Some(Body::Simple(_))]
            | [Some(Body::Simple(_)), Some(Body::Complex(..))] => return None,
            [
                left @ (None | Some(Body::Simple(_))),
                right @ (None | Some(Body::Simple(_))),
            ] => {
                let states = [left, right].map(|body| match &body {
                    Some(Body::Simple(element)) => State::of_element(element),
                    _ => State::Absent,
                });
                add(name, What::Cell, states, covers);
            }
            bodies => {
                let [(left_deletion, left), (right_deletion, right)] =
                    bodies.map(|body| match body {
                        Some(Body::Complex(deletion, elements)) => (deletion, elements),
                        _ => (Deletion::LIVE, Vec::new()),
                    });
                let deletions = [left_deletion, right_deletion];
                let dead = deletions.map(State::of_deletion);
                add(name, What::Overwritten, dead, covers);
                let covers = both(covers, deletions);
                for (path, elements) in joined([&left, &right], |element| element.path) {
                    let states =
                        elements.map(|element| element.map_or(State::Absent, State::of_element));
                    add(name, What::Element(path), states, covers);
                }
            }
        }
    }
    if parts.is_empty() && (left.is_none() || right.is_none()) {
        let kind = if right.is_none() {
            Kind::OnlyLeft
        } else {
            Kind::OnlyRight
        };
        parts.push(Part {
            column: row_field,
            what: What::End,
            states: [State::Absent, State::Absent],
            meaning: Meaning::new(kind, None, false),
        });
    }
    Some(parts)
}

/// Whether deletions over the row may change what these differences mean: one side has nothing somewhere.
pub fn needs_covers(parts: &[Part<'_>]) -> bool {
    let absent = |part: &Part<'_>| part.states.contains(&State::Absent);
    parts
        .iter()
        .any(|part| part.what != What::End && absent(part))
}

fn both(covers: [Deletion; 2], deletions: [Deletion; 2]) -> [Deletion; 2] {
    let ([one, other], [left, right]) = (covers, deletions);
    [one.max(left), other.max(right)]
}

/// What two lists have by name. The order is that of the names; elements of lists ascend by time, not by path, so neither list is
/// taken to be in order.
fn joined<'v, 'a, T>(
    lists: [&'v [T]; 2],
    name: impl Fn(&'v T) -> &'a [u8],
) -> std::collections::BTreeMap<&'a [u8], [Option<&'v T>; 2]> {
    let mut found = std::collections::BTreeMap::<_, [Option<&'v T>; 2]>::new();
    let [left, right] = lists;
    for item in left {
        found.entry(name(item)).or_default()[0] = Some(item);
    }
    for item in right {
        found.entry(name(item)).or_default()[1] = Some(item);
    }
    found
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
