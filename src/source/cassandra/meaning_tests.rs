use super::*;

const DAY: Seconds = 86_400;
const NOW: Seconds = 100 * DAY;

const CLOCKS: [Clock; 2] = [Clock {
    now: NOW,
    gc_grace: 9 * DAY,
}; 2];

fn live(timestamp: i64, value: &[u8]) -> State<'_> {
    State::Live {
        timestamp,
        value,
        expiry: None,
    }
}

fn deletion(timestamp: i64, local_time: Seconds) -> Deletion {
    Deletion {
        timestamp,
        local_time,
    }
}

fn dead(timestamp: i64) -> State<'static> {
    State::Dead(deletion(timestamp, NOW))
}

fn kind(left: State<'_>, right: State<'_>) -> (Kind, Option<Replica>) {
    let meaning = judge(left, right, [Deletion::LIVE; 2], CLOCKS).unwrap();
    (meaning.kind, meaning.newer)
}

#[test]
fn the_greater_timestamp_is_newer_and_equal_ones_conflict() {
    let (left, right) = (Some(Replica::Left), Some(Replica::Right));
    assert_eq!(kind(live(5, b"x"), State::Absent), (Kind::OnlyLeft, None));
    assert_eq!(kind(State::Absent, dead(5)), (Kind::OnlyRight, None));
    assert_eq!(
        kind(live(5, b"x"), live(6, b"x")),
        (Kind::NewerRight, right)
    );
    assert_eq!(kind(live(7, b"x"), live(6, b"y")), (Kind::NewerLeft, left));
    assert_eq!(kind(live(5, b"x"), live(5, b"y")), (Kind::Conflict, None));
    assert_eq!(kind(dead(4), dead(5)), (Kind::NewerRight, right));
    let expiring = State::Live {
        timestamp: 5,
        value: b"x",
        expiry: Some((60, NOW)),
    };
    assert_eq!(kind(live(5, b"x"), expiring), (Kind::Conflict, None));
    let later = State::Dead(deletion(5, NOW + 1));
    assert_eq!(kind(dead(5), later), (Kind::DeletionTime, None));
    let same = judge(dead(5), dead(5), [Deletion::LIVE; 2], CLOCKS);
    assert_eq!(same, None);
}

#[test]
fn a_deletion_wins_against_what_is_not_newer() {
    let (left, right) = (Some(Replica::Left), Some(Replica::Right));
    assert_eq!(kind(live(5, b"x"), dead(6)), (Kind::DeletedRight, right));
    assert_eq!(kind(live(5, b"x"), dead(5)), (Kind::DeletedRight, right));
    assert_eq!(kind(live(5, b"x"), dead(4)), (Kind::DeletedRight, left));
    assert_eq!(kind(dead(6), live(5, b"x")), (Kind::DeletedLeft, left));
    assert_eq!(kind(dead(4), live(5, b"x")), (Kind::DeletedLeft, right));
}

#[test]
fn what_lies_under_a_deletion_is_deleted_and_not_only_missing() {
    let judged = |covers| judge(live(5, b"x"), State::Absent, covers, CLOCKS).unwrap();
    let by = |timestamp| judged([Deletion::LIVE, deletion(timestamp, NOW)]).kind;
    assert_eq!(by(5), Kind::DeletedRight);
    assert_eq!(by(4), Kind::OnlyLeft);
    let own = judged([deletion(4, NOW), Deletion::LIVE]);
    assert_eq!(own.kind, Kind::OnlyLeft);
    let both_dead = judge(
        dead(5),
        State::Absent,
        [Deletion::LIVE, deletion(6, NOW)],
        CLOCKS,
    );
    let both_dead = both_dead.unwrap();
    assert_eq!(
        (both_dead.kind, both_dead.is_dead),
        (Kind::NewerRight, true)
    );
}

#[test]
fn what_hides_a_write_may_go_after_gc_grace() {
    let risk = |local_time, timestamp| {
        let dead = State::Dead(deletion(timestamp, local_time));
        let meaning = judge(live(5, b"x"), dead, [Deletion::LIVE; 2], CLOCKS).unwrap();
        (meaning.risk, meaning.purgeable_from)
    };
    assert_eq!(risk(NOW - 9 * DAY, 6), (Some(Risk::Due), Some(NOW)));
    assert_eq!(
        risk(NOW - 9 * DAY + 1, 6),
        (Some(Risk::Soon), Some(NOW + 1))
    );
    let third = NOW - 6 * DAY;
    assert_eq!(risk(third - 1, 6).0, Some(Risk::Soon));
    assert_eq!(risk(third, 6), (None, Some(NOW + 3 * DAY)));
    // What a newer write already hides brings nothing back.
    assert_eq!(risk(0, 4), (None, None));
    // Two deletions have nothing to bring back.
    let old = State::Dead(deletion(6, 0));
    let meaning = judge(old, dead(7), [Deletion::LIVE; 2], CLOCKS).unwrap();
    assert_eq!(meaning.risk, None);
    // Each side keeps deletions as long as its own schema says.
    let mut clocks = CLOCKS;
    clocks[1].gc_grace = 20 * DAY;
    let dead = State::Dead(deletion(6, NOW - 9 * DAY));
    let by_other = judge(live(5, b"x"), dead, [Deletion::LIVE; 2], clocks).unwrap();
    assert_eq!(by_other.risk, None);
}

/// Parts of a row by column, place, and kind.
fn parts(left: Option<&[u8]>, right: Option<&[u8]>, covers: [Deletion; 2]) -> Vec<String> {
    let parts = judge_row(b"[row]", left, right, covers, CLOCKS).unwrap();
    let shown = parts.iter().map(|part| {
        let column = String::from_utf8_lossy(part.column);
        format!("{column} {:?} {}", part.what, part.meaning.kind.name())
    });
    shown.collect()
}

/// A cell of one byte at timestamp 5.
const CELL: &[u8] = b"\x00\0\0\0\0\0\0\0\x05x";

/// The flags of a row and what follows them, then the columns.
fn row(head: &[u8], columns: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut row = head.to_vec();
    for (name, body) in columns {
        for bytes in [name, body] {
            row.push(u8::try_from(bytes.len()).unwrap());
            row.extend_from_slice(bytes);
        }
    }
    row
}

#[test]
fn a_row_is_judged_part_by_part() {
    let simple = [&b"\x00"[..], CELL].concat();
    // Element 1 at timestamp 5, in a collection without deletion; and the collection deleted at 6.
    let element = [&b"\x01\x01\x01\x0a"[..], CELL].concat();
    let overwritten = b"\x02\0\0\0\0\0\0\0\x06\x02".to_vec();
    let inserted = b"\x01\0\0\0\0\0\0\0\x05";
    let left = row(inserted, &[(b"a", &element), (b"b", &simple)]);
    let right = row(inserted, &[(b"a", &overwritten)]);
    let none = [Deletion::LIVE; 2];
    assert_eq!(
        parts(Some(&left), Some(&right), none),
        [
            "a Overwritten only_right",
            "a Element([1]) deleted_right",
            "b Cell only_left"
        ]
    );
    // A row deleted at 6.
    let deleted = b"\x04\0\0\0\0\0\0\0\x06\x02";
    assert_eq!(
        parts(Some(&left), Some(deleted), none),
        [
            "[row] Deleted only_right",
            "[row] Inserted deleted_right",
            "a Element([1]) deleted_right",
            "b Cell deleted_right"
        ]
    );
    let covered = [Deletion::LIVE, deletion(5, NOW)];
    assert_eq!(
        parts(Some(&left), None, covered),
        [
            "[row] Inserted deleted_right",
            "a Element([1]) deleted_right",
            "b Cell deleted_right"
        ]
    );
    assert_eq!(parts(None, Some(b"\0"), none), ["[row] End only_right"]);
    assert_eq!(parts(Some(&left), Some(&left), none), [""; 0]);
    let live_view = judge_row(b"[row]", Some(b"\x10"), None, none, CLOCKS);
    assert_eq!(live_view, None);
}
