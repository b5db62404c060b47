//! Which row wins, case by case.

use super::*;
use crate::row::columns::push_value_column;

fn schema() -> Schema {
    Schema::Columns {
        key: vec!["id".into()],
        value: vec!["a".into(), "version".into()],
        sql: None,
    }
}

fn column() -> VersionColumn {
    VersionColumn::new(&schema(), Some("version")).unwrap()
}

fn row(a: &str, version: Option<&str>) -> Vec<u8> {
    let mut value = Vec::new();
    push_value_column(&mut value, Some(a.as_bytes()));
    push_value_column(&mut value, version.map(str::as_bytes));
    value
}

/// Whether the first version is less, equal to or greater than the second; in either order of the replicas.
fn order(one: Option<&str>, other: Option<&str>) -> Ordering {
    let win = |one: &[u8], other: &[u8]| {
        let values = [Some(one), None, Some(other)];
        let winner = column().winner(&values).unwrap().to_vec();
        let turned = [Some(other), Some(one)];
        assert_eq!(column().winner(&turned), Some(winner.as_slice()));
        let is_conflict = column().is_conflict(&values, &winner);
        assert_eq!(column().is_conflict(&turned, &winner), is_conflict);
        (winner, is_conflict)
    };
    // The greater columns must not decide but at equal versions.
    let (low, high) = (row("low", one), row("high", other));
    let (winner, is_conflict) = win(&low, &high);
    if is_conflict {
        assert_eq!(winner, low);
        return Ordering::Equal;
    }
    match winner == low {
        true => Ordering::Greater,
        false => Ordering::Less,
    }
}

#[test]
fn numbers_compare_exactly_and_all_else_by_bytes() {
    for (less, greater) in [
        ("9", "10"),
        ("-10", "-9"),
        ("-1", "0"),
        ("0.5", "0.51"),
        (".5", "1."),
        ("-0.51", "-0.5"),
        ("9007199254740992", "9007199254740993"),
        (
            "99999999999999999999999999999998.9",
            "99999999999999999999999999999999",
        ),
        (
            "1.00000000000000000000000000000001",
            "1.00000000000000000000000000000002",
        ),
        ("2026-01-09", "2026-01-10"),
        ("10", "9 "),
        ("2", "1e3"),
        ("-1e3", "-2"),
        ("1e-3", "0.1"),
        ("0", "1e-3"),
        ("-", "0"),
        ("", "0"),
        ("", "-5"),
        ("", " "),
    ] {
        assert_eq!(
            order(Some(less), Some(greater)),
            Ordering::Less,
            "{less} {greater}"
        );
        assert_eq!(
            order(Some(greater), Some(less)),
            Ordering::Greater,
            "{less} {greater}"
        );
        assert_eq!(order(None, Some(greater)), Ordering::Less, "{greater}");
    }
    for (one, other) in [
        ("1", "1.0"),
        ("+7", "007"),
        ("-0", "0"),
        ("x", "x"),
        ("", ""),
    ] {
        assert_eq!(
            order(Some(one), Some(other)),
            Ordering::Equal,
            "{one} {other}"
        );
    }
    assert_eq!(order(None, Some("")), Ordering::Equal);
}

#[test]
fn three_versions_of_two_kinds_have_one_winner_in_any_order() {
    // As numbers 9 < 10; as bytes 10 < 1x < 9.
    let rows = ["9", "10", "1x"].map(|version| row("same", Some(version)));
    let winners: Vec<_> = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ]
    .iter()
    .map(|order| {
        let values = order.map(|at: usize| Some(rows[at].as_slice()));
        column().winner(&values).unwrap().to_vec()
    })
    .collect();
    assert!(winners.iter().all(|winner| *winner == rows[0]));
}

#[test]
fn rows_that_are_the_same_are_no_conflict() {
    let (one, other) = (row("a", Some("1")), row("b", Some("2")));
    let values = [Some(other.as_slice()), Some(one.as_slice()), Some(&other)];
    assert!(!column().is_conflict(&values, &other));
    assert_eq!(column().winner(&[Some(b"\xff")]), None);
}

#[test]
fn a_version_column_that_is_not_there_is_refused_with_those_that_are() {
    for (name, what) in [
        (None, "nothing tells"),
        (Some("id"), "one of the key's"),
        (Some("b"), "no version column b"),
    ] {
        let error = VersionColumn::new(&schema(), name).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.hint().unwrap().contains("a, version"));
    }
}
