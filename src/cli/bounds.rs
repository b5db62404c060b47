//! Range deletions between bounds, as relations of CQL.

use super::statements::quoted;
use crate::range::KeyRange;
use crate::row::cql::CqlColumn;
use crate::source::cassandra::model::{Deletion, Side};

/// A bound, and what covers the rows behind it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its clustering values.
    pub values: Vec<Option<Vec<u8>>>,
    /// Where it lies among the rows of these values.
    pub side: Side,
    /// What the base has behind it; `None` where the base has no such bound, or it is not told.
    pub base: Option<Deletion>,
    /// What the target has behind it; `None` where the target has no such bound.
    pub target: Option<Deletion>,
}

/// An operation of a patch on a bound.
#[derive(Debug, Clone)]
pub struct BoundOp {
    /// The bytes of its key that name the partition.
    pub prefix: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
    /// The bound.
    pub step: Step,
    /// The deletion of the partition that the patch brings.
    pub partition: Deletion,
    /// Relations that name the partition.
    pub matching: String,
    /// The divergent range it lies in, where the patch has all rows that the base has there.
    pub within: Option<KeyRange>,
}

/// The relations that hold for the rows between two bounds; `None` where CQL has none.
pub fn slice(clustering: &[CqlColumn], start: &Step, end: &Step) -> Option<String> {
    let literals = |step: &Step| -> Option<Vec<String>> {
        let pairs = step.values.iter().zip(clustering);
        pairs
            .map(|(value, column)| Some(column.cql_type.to_cql_literal(value.as_ref()?)))
            .collect()
    };
    let (from, to) = (literals(start)?, literals(end)?);
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let longest = from.len().max(to.len());
    let operator = |side: Side, is_start: bool, is_reversed: bool| {
        let is_inclusive = (side == Side::Before) == is_start;
        match (is_start != is_reversed, is_inclusive) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        }
    };
    let mut relations: Vec<String> = Vec::new();
    if longest <= same + 1 {
        for (column, value) in clustering.iter().zip(from.iter().take(same)) {
            relations.push(format!("{} = {value}", quoted(&column.name)));
        }
        for (values, step, is_start) in [(&from, start, true), (&to, end, false)] {
            if let (Some(value), Some(column)) = (values.get(same), clustering.get(same)) {
                let operator = operator(step.side, is_start, column.cql_type.is_reversed());
                relations.push(format!("{} {operator} {value}", quoted(&column.name)));
            }
        }
    } else {
        let used = clustering.get(..longest)?;
        let is_reversed = used.first()?.cql_type.is_reversed();
        if used
            .iter()
            .any(|column| column.cql_type.is_reversed() != is_reversed)
        {
            return None;
        }
        for (values, step, is_start) in [(&from, start, true), (&to, end, false)] {
            if !values.is_empty() {
                let names: Vec<_> = used
                    .iter()
                    .take(values.len())
                    .map(|c| quoted(&c.name))
                    .collect();
                let operator = operator(step.side, is_start, is_reversed);
                let (names, values) = (names.join(", "), values.join(", "));
                relations.push(format!("({names}) {operator} ({values})"));
            }
        }
    }
    // No relation at all would delete the static row too.
    (!relations.is_empty()).then(|| relations.join(" AND "))
}
