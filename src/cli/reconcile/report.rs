//! What reconcile tells: what was taken from whom, and what each replica lacks.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::JSON_SCHEMA;
use super::super::output::{self, Output, counted, counted_as};
use super::super::report::hex;
use super::super::sides::SharedTable;
use super::{ReconcileArgs, Written};
use crate::error::Result;
use crate::reconcile::{Counts, Found};

/// All that there is to tell.
pub(super) struct Report<'a> {
    pub args: &'a ReconcileArgs,
    /// The patches' names; none in a dry run.
    pub outputs: &'a [PathBuf],
    pub tables: &'a [SharedTable],
    /// In each of the tables.
    pub found: &'a [Found],
    /// Into each of the patches.
    pub written: &'a [Written],
}

impl Report<'_> {
    /// Keys at which not all replicas have the same.
    pub fn rows(&self) -> u64 {
        self.found.iter().map(|found| found.counts.rows).sum()
    }

    /// Puts and deletes of one replica, in all tables.
    fn operations(&self, replica: usize) -> (u64, u64) {
        let of = |found: &Found| found.counts.replicas.get(replica).copied();
        let counts = self.found.iter().filter_map(of);
        counts.fold((0, 0), |(puts, deletes), counts| {
            (puts + counts.puts, deletes + counts.deletes)
        })
    }

    /// Prints it for a person.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn text(&self, out: &mut Output) -> Result<()> {
        for (table, found) in self.tables.iter().zip(self.found) {
            self.table_text(table, found, out)?;
        }
        for (index, path) in self.args.snapshots.iter().enumerate() {
            let (puts, deletes) = self.operations(index);
            let lacks = match (puts, deletes) {
                (0, 0) => "lacks nothing".to_owned(),
                _ => format!("{}, {}", counted(puts, "put"), counted(deletes, "delete")),
            };
            let file = match (self.outputs.get(index), self.written.get(index)) {
                (Some(output), Some(written)) => format!(
                    " -> {}, {}",
                    output::name(output.display()),
                    output::bytes(written.bytes)
                ),
                _ => String::new(),
            };
            out.line(format!("{}: {lacks}{file}", output::name(path.display())))?;
        }
        Ok(())
    }

    fn table_text(&self, table: &SharedTable, found: &Found, out: &mut Output) -> Result<()> {
        let name = match self.tables.len() {
            1 => String::new(),
            _ => format!("table {}: ", output::name(&table.name)),
        };
        let Counts {
            rows,
            conflicts,
            mixed,
            replicas,
        } = &found.counts;
        if *rows == 0 {
            return out.line(format!("{name}same on all replicas"));
        }
        out.line(format!(
            "{name}{}",
            counted_as(*rows, "row differs", "rows differ")
        ))?;
        let replicas = replicas.iter().zip(&table.present);
        for (path, (counts, is_there)) in self.args.snapshots.iter().zip(replicas) {
            let path = output::name(path.display());
            out.line(match is_there {
                true => format!("  taken from {path}: {}", counted(counts.taken, "row")),
                false => format!("  {path} has no such table"),
            })?;
        }
        if *mixed > 0 {
            out.line(format!(
                "  put together of several replicas: {}",
                counted(*mixed, "row")
            ))?;
        }
        if *conflicts > 0 {
            out.line(format!(
                "  conflicts of one version, decided by value: {}",
                counted(*conflicts, "row")
            ))?;
        }
        Ok(())
    }

    /// The same as a JSON document.
    pub fn json(&self) -> Value {
        let replicas: Vec<Value> = (self.args.snapshots.iter().enumerate())
            .map(|(index, path)| {
                let (puts, deletes) = self.operations(index);
                let patch = self.outputs.get(index).map(|o| o.display().to_string());
                let written = self.written.get(index);
                json!({
                    "path": path.display().to_string(),
                    "puts": puts,
                    "deletes": deletes,
                    "patch": patch,
                    "ranges": written.map(|written| written.counts.ranges),
                    "bytes": written.map(|written| written.bytes),
                })
            })
            .collect();
        let tables: Vec<Value> = (self.tables.iter().zip(self.found))
            .map(|(table, found)| {
                let counts = &found.counts;
                let of_replicas: Vec<Value> = (counts.replicas.iter().zip(&table.present))
                    .map(|(counts, is_there)| {
                        json!({
                            "present": is_there,
                            "taken": counts.taken,
                            "puts": counts.puts,
                            "deletes": counts.deletes,
                        })
                    })
                    .collect();
                let root = found.target.root;
                json!({
                    "name": table.name,
                    "rows": counts.rows,
                    "conflicts": counts.conflicts,
                    "mixed": counts.mixed,
                    "replicas": of_replicas,
                    "target": {
                        "rows": found.target.summary.rows,
                        "bytes": found.target.summary.bytes,
                        "root": (root != [0; 32]).then(|| hex(&root)),
                    },
                })
            })
            .collect();
        json!({
            "schema": JSON_SCHEMA,
            "result": if self.rows() == 0 { "same" } else { "different" },
            "dry_run": self.args.dry_run,
            "replicas": replicas,
            "tables": tables,
        })
    }
}
