//! Warns where replicas were not equally far when their snapshots were taken: what differs may then be only that.

use std::path::Path;

use super::output::Output;
use crate::source::{Position, Snapshot};

/// Compares the positions of all sides that tell theirs with that of the first.
pub fn warn<'s>(sides: impl IntoIterator<Item = (&'s Path, &'s dyn Snapshot)>, out: &Output) {
    let mut told = sides
        .into_iter()
        .filter_map(|(path, snapshot)| Some((path, snapshot.position()?)));
    let Some((first_path, first)) = told.next() else {
        return;
    };
    for (path, position) in told {
        if position.counters == first.counters {
            continue;
        }
        out.warn(format!(
            "{} is at {}, {} at {}: what differs may be only that one of them lags; {}",
            first_path.display(),
            show(&first),
            path.display(),
            show(&position),
            position.advice
        ));
    }
}

fn show(position: &Position) -> String {
    let counters = position.counters.iter();
    counters
        .map(|counter| format!("{} {}", counter.name, counter.value))
        .collect::<Vec<_>>()
        .join(", ")
}
