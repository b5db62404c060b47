//! Sides that were seen at different instants: what expired in between looks like a difference.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use super::output;
use super::sides::SharedTable;
use crate::mtree::Tree;
use crate::row::Schema;
use crate::row::cql::CqlSchema;

/// A warning of `compare`, `verify`, `diff` and `patch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is, for programs.
    pub code: &'static str,
    /// The tables it is of.
    pub tables: Vec<String>,
    /// What it says.
    pub text: String,
}

/// What should be known before the tables of these trees are compared. `names` are those of the sides.
pub fn warnings(tables: &[SharedTable], trees: &[Tree], names: &[String]) -> Vec<Warning> {
    let mut found: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for table in tables {
        let views = table.views(trees);
        let sides = names.iter().zip(&views).zip(&table.present);
        let seen: Vec<(&str, &CqlSchema)> = sides
            .filter(|(_, present)| **present)
            .filter_map(|((name, view), _)| match &view.header().schema {
                Schema::Cql(schema) => Some((name.as_str(), &**schema)),
                _ => None,
            })
            .collect();
        for (code, what) in differing(&seen) {
            found
                .entry((code, what))
                .or_default()
                .push(table.name.clone());
        }
    }
    let found = found.into_iter();
    found
        .map(|((code, text), tables)| Warning {
            text: format!("table {}: {text}", output::name(tables.join(", "))),
            code,
            tables,
        })
        .collect()
}

/// Whether rows of two schemas were seen at the same instant.
pub fn have_one_instant(one: &Schema, other: &Schema) -> bool {
    match (one, other) {
        (Schema::Cql(one), Schema::Cql(other)) => differing(&[("", one), ("", other)]).is_empty(),
        _ => true,
    }
}

fn differing(seen: &[(&str, &CqlSchema)]) -> Vec<(&'static str, String)> {
    let list = |of: fn(&CqlSchema) -> i64| {
        let all = seen.iter();
        let sides: Vec<_> = all
            .map(|(name, schema)| format!("{} ({name})", show_time(of(schema))))
            .collect();
        sides.join(" and ")
    };
    let differs =
        |of: fn(&CqlSchema) -> i64| seen.windows(2).any(|pair| of(pair[0].1) != of(pair[1].1));
    let mut out = Vec::new();
    if differs(|schema| schema.now) {
        out.push((
            "instants-differ",
            format!(
                "expiry was judged at different instants, {}: what expired in between looks different though it is not; build the trees with one --now",
                list(|schema| schema.now)
            ),
        ));
    }
    if differs(|schema| schema.gc_before) {
        out.push((
            "gc-before-differs",
            format!(
                "tombstones were left out up to different instants, {}: those made in between look different though they are not; build the trees with one --now and --gc-before",
                list(|schema| schema.gc_before)
            ),
        ));
    }
    out
}

/// Seconds since 1970 as `--now` takes them.
fn show_time(seconds: i64) -> String {
    let since = u64::try_from(seconds).ok().map(Duration::from_secs);
    let time = since.and_then(|since| UNIX_EPOCH.checked_add(since));
    // The last second of the year 9999: what is shown is read back.
    match time.filter(|_| seconds <= 253_402_300_799) {
        Some(time) => humantime::format_rfc3339_seconds(time).to_string(),
        None => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_they_are_given() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_290_210, "2026-11-21T19:43:30Z"),
            (253_402_300_800, "253402300800"),
            (-5, "-5"),
        ] {
            assert_eq!(show_time(seconds), text);
            assert_eq!(super::super::time::parse_time(text), Ok(seconds));
        }
    }
}
