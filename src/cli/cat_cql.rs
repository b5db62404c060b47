//! `mdiff cat PATCH --format cql`: which tables, under which names, and what could not be said.

use std::time::{SystemTime, UNIX_EPOCH};

use super::cat::CatArgs;
use super::exit::Exit;
use super::kind::Found;
use super::output::{Output, counted};
use super::sides::open_origin;
use super::statements::{Statements, Tally};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::patch::{PatchReader, PatchTable, Record};
use crate::range::Coverage;
use crate::row::Schema;
use crate::row::cql::CqlSchema;
use crate::source::Snapshot;
use crate::source::cassandra::view::View;

/// The schema of a table of which statements can be made.
fn schema(table: &PatchTable) -> Result<&CqlSchema> {
    match &table.schema {
        Schema::Cql(schema) if schema.view == View::Cells => Ok(schema),
        Schema::Cql(_) => Err(Error::usage(
            "a patch between live views has no timestamps, so it can't be printed as CQL",
            "make it from snapshots with --view cells",
        )),
        _ => Err(Error::usage(
            format!(
                "table {:?} is not of Cassandra, so it can't be printed as CQL",
                table.name
            ),
            "--format sql prints any table",
        )),
    }
}

/// The tables that are asked for, with their names in CQL.
fn named<'t>(
    tables: &'t [PatchTable],
    args: &CatArgs,
) -> Result<Vec<(usize, &'t PatchTable, String)>> {
    let asked = &args.tables.tables;
    if let ([table], [name]) = (tables, asked.as_slice())
        && !table.name.contains('.')
        && name.contains('.')
    {
        return Ok(vec![(0, table, name.clone())]);
    }
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    if let Some(missing) = asked.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Error::usage(
            format!("there is no table {missing:?}"),
            format!("tables are: {}", names.join(", ")),
        ));
    }
    let chosen = tables.iter().enumerate();
    let chosen = chosen.filter(|(_, table)| asked.is_empty() || asked.contains(&table.name));
    chosen
        .map(|(index, table)| match table.name.contains('.') {
            true => Ok((index, table, table.name.clone())),
            false => Err(Error::usage(
                format!(
                    "the patch does not know the keyspace and table of {:?}",
                    table.name
                ),
                "name them with --table KEYSPACE.TABLE",
            )),
        })
        .collect()
}

/// Prints a patch as statements.
///
/// # Errors
///
/// Usage; those of reading and printing.
pub fn run(patch: &Input, args: &CatArgs, out: &mut Output) -> Result<Exit> {
    let options = args.source.options();
    let mut reader = PatchReader::new(patch)?;
    let tables = reader.header().tables.clone();
    let chosen = named(&tables, args)?;
    for (_, table, _) in &chosen {
        schema(table)?;
    }
    let base: Option<Box<dyn Snapshot>> = match &args.base {
        None => None,
        Some(path) => match Found::open(path, &options.file)? {
            Found::Snapshot(origin) => {
                // It must be seen as it was when the patch was made.
                let mut as_then = options.clone();
                // That is the patch's.
                as_then.format = None;
                if let Some((_, table, _)) = chosen.first() {
                    let schema = schema(table)?;
                    as_then.cassandra.now = Some(schema.now);
                    as_then.cassandra.gc_before = Some(schema.gc_before);
                    as_then.cassandra.view = schema.view;
                    as_then.cassandra.ties = schema.ties;
                }
                Some(open_origin(origin, &as_then, out)?)
            }
            _ => {
                return Err(Error::usage(
                    format!("{} is no snapshot", path.display()),
                    "--base names the snapshot the patch was made for",
                ));
            }
        },
    };
    let base_tables = base.as_ref().map(|base| base.tables()).unwrap_or_default();
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let clock = clock.map_or(0, |since| since.as_secs() as i64);
    let now = options.cassandra.now.unwrap_or(clock);
    let mut tally = Tally::default();
    let mut current: Option<(Statements<'_>, Coverage)> = None;
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut is_cut = false;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Table(index) => {
                if let Some((statements, _)) = current.take() {
                    tally.add(statements.finish(out)?);
                }
                if let Some((_, table, name)) = chosen.iter().find(|(at, ..)| *at == index) {
                    let coverage = args.coverage(&table.schema)?;
                    let base = base_tables.iter().find(|base| base.name() == table.name);
                    let base =
                        base.or_else(|| base_tables.first().filter(|_| base_tables.len() == 1));
                    let statements =
                        Statements::new(table, schema(table)?, name, now, base.copied());
                    current = Some((statements, coverage));
                }
            }
            Record::Range { range, base, .. } => {
                if let Some((statements, _)) = &mut current {
                    statements.range(range, base.rows);
                }
            }
            Record::Op(op) => {
                let Some((statements, coverage)) = &mut current else {
                    continue;
                };
                if !coverage.contains(&op.key) {
                    continue;
                }
                if left == 0 {
                    is_cut = true;
                    break;
                }
                left -= 1;
                statements.op(&op, out)?;
            }
        }
    }
    if let Some((statements, _)) = current.take() {
        tally.add(statements.finish(out)?);
    }
    if let Some(base) = &base {
        base.check_unchanged()?;
    }
    out.flush()?;
    if is_cut {
        out.warn(format!(
            "stopped after {} (--limit); there are more",
            counted(args.limit.unwrap_or(0), "operation")
        ));
    }
    tell(&tally, out);
    Ok(Exit::different_if(tally.not_expressible > 0))
}

fn tell(tally: &Tally, out: &Output) {
    if tally.not_expressible > 0 {
        out.warn(format!(
            "{} can't be expressed in CQL; the comments tell which",
            counted(tally.not_expressible, "change")
        ));
    }
    if tally.unknown > 0 {
        out.warn(format!(
            "the base's values of {} are not in the patch, so what it has besides the target's is not deleted (make the patch with --reversible, or give --base)",
            counted(tally.unknown, "row")
        ));
    }
    if tally.new_tombstones > 0 {
        out.note(format!(
            "{} of the base without a deletion of their own in the target get one (a deletion of their range may cover them too)",
            counted(tally.new_tombstones, "write")
        ));
    }
    if tally.stay > 0 {
        out.note(format!(
            "{} of the base that the target does not have, or has older, stay",
            counted(tally.stay, "deletion")
        ));
    }
}
