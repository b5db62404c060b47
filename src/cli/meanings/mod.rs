//! What changed rows mean, for a person, for a program, and counted: of CQL tables cell by cell, of others by what their source
//! says of each row.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::output::{Output, counted};
use crate::diff::Change;
use crate::error::Result;
use crate::row::Schema;
use crate::source::cassandra::meaning::Part;
use crate::source::{Judge, Table, Verdict};

mod cql;

use cql::CqlMeanings;

/// Tells what the changes of one table mean.
pub enum Meanings<'t> {
    /// Of cells, by their timestamps.
    Cql(Box<CqlMeanings<'t>>),
    /// Of rows, by what the source says of them.
    Rows {
        /// Who says it.
        judge: &'t dyn Judge,
        /// How often each verdict was given.
        counts: BTreeMap<&'static str, u64>,
    },
}

/// What one change means.
pub enum Meaning<'a> {
    /// Cell by cell.
    Parts(Vec<Part<'a>>),
    /// Of the whole row.
    Verdict(Verdict),
}

impl<'t> Meanings<'t> {
    /// For a table of this schema, whose sides are `tables`; `None` where nobody can tell.
    pub fn new(schema: &Schema, tables: [Option<&'t dyn Table>; 2]) -> Option<Meanings<'t>> {
        if let Some(cql) = CqlMeanings::new(schema, tables) {
            return Some(Meanings::Cql(Box::new(cql)));
        }
        let judge = tables.into_iter().flatten().find_map(Table::judge)?;
        Some(Meanings::Rows {
            judge,
            counts: BTreeMap::new(),
        })
    }

    /// What a change means, and counts it; `None` where that can't be told.
    ///
    /// # Errors
    ///
    /// Those of reading more of the tables for it.
    pub fn of<'a>(&mut self, change: &Change<'a>) -> Result<Option<Meaning<'a>>> {
        match self {
            Meanings::Cql(cql) => Ok(cql.of(change)?.map(Meaning::Parts)),
            Meanings::Rows { judge, counts } => {
                let verdict = judge.judge(change.left, change.right);
                if let Some(verdict) = verdict {
                    *counts.entry(verdict.is).or_default() += 1;
                }
                Ok(verdict.map(Meaning::Verdict))
            }
        }
    }

    /// Prints how many differences there were, by kind.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn print_counts(&self, out: &mut Output) -> Result<()> {
        match self {
            Meanings::Cql(cql) => cql.print_counts(out),
            Meanings::Rows { counts, .. } => counts.iter().try_for_each(|(is, rows)| {
                out.line(format!(
                    "  {}: {}",
                    is.replace('_', " "),
                    counted(*rows, "row")
                ))
            }),
        }
    }

    /// Warns of what should not wait.
    pub fn warn(&self, table: &str, out: &Output) {
        if let Meanings::Cql(cql) = self {
            cql.warn(table, out);
        }
    }

    /// A row that differs, as a person reads it; `plain` shows both its values.
    pub fn text(
        &self,
        change: &Change<'_>,
        meaning: &Meaning<'_>,
        plain: impl FnOnce() -> String,
        out: &Output,
    ) -> String {
        match (self, meaning) {
            (Meanings::Cql(cql), Meaning::Parts(parts)) => cql.text(change, parts, out),
            (_, Meaning::Verdict(verdict)) => format!("{} ({})", plain(), verdict.words),
            _ => plain(),
        }
    }

    /// The same as JSON.
    pub fn json(&self, meaning: &Meaning<'_>) -> Value {
        match (self, meaning) {
            (Meanings::Cql(cql), Meaning::Parts(parts)) => cql.json(parts),
            (_, Meaning::Verdict(verdict)) => json!({ "is": verdict.is }),
            _ => Value::Null,
        }
    }
}
