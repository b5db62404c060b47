//! `mdiff cat SNAPSHOT --ties-only`: the cells for which Cassandra's versions take different writes.

use serde_json::{Value, json};

use super::cat::CatArgs;
use super::exit::Exit;
use super::output::{self, Output, Tone, counted};
use crate::error::{Error, ErrorKind, Result};
use crate::row::cql::CqlSchema;
use crate::row::{Schema, escape};
use crate::source::Table;
use crate::source::cassandra::tied::Tied;

/// Prints the cells of all tables, in the order of their keys.
///
/// # Errors
///
/// Usage where the tables are not of Cassandra; those of reading and printing.
pub fn run(tables: &[&dyn Table], args: &CatArgs, out: &mut Output) -> Result<Exit> {
    let mut left = args.limit.unwrap_or(u64::MAX);
    for table in tables {
        let Schema::Cql(schema) = table.schema() else {
            return Err(Error::usage(
                "--ties-only is about cells of Cassandra tables, and there are none here",
                "leave it out",
            ));
        };
        let coverage = args.coverage(table.schema())?;
        let name = (args.json || tables.len() > 1).then(|| table.name());
        let mut print = |key: &[u8], cell: &Tied| {
            left = left.checked_sub(1).ok_or(ErrorKind::Stopped)?;
            match args.json {
                true => out.json(&json_line(name.unwrap_or_default(), schema, key, cell)),
                false => {
                    let line = text_line(name, schema, key, cell, out);
                    out.line(line)
                }
            }
        };
        let mut ranges = coverage.ranges().iter();
        let listed = ranges.try_for_each(|range| table.each_tie(range, &mut print));
        match listed {
            Err(error) if matches!(error.kind(), ErrorKind::Stopped) => {
                out.flush()?;
                out.note(format!(
                    "stopped after {}, as --limit asks; there are more",
                    counted(args.limit.unwrap_or(0), "cell")
                ));
                break;
            }
            listed => listed?,
        }
    }
    Ok(Exit::DONE)
}

fn writes(schema: &CqlSchema, cell: &Tied) -> [(&'static str, Value); 2] {
    [("4.0", &cell.since_4), ("3.11", &cell.before_4)].map(|(version, write)| {
        let element = write.element(&cell.path);
        (version, schema.write_json(&cell.column, &element))
    })
}

fn text_line(
    name: Option<&str>,
    schema: &CqlSchema,
    key: &[u8],
    cell: &Tied,
    out: &Output,
) -> String {
    let table = name
        .map(|name| output::name(name) + "\t")
        .unwrap_or_default();
    let key = schema.show_key(key);
    let column = escape(&cell.column);
    let path = match cell.path.is_empty() {
        true => String::new(),
        false => {
            let path = schema.path_json(&cell.column, &cell.path).to_string();
            format!("[{}]", escape(path.as_bytes()))
        }
    };
    let mut line = format!("{table}{key}\t{column}{path}");
    for ((version, write), tone) in writes(schema, cell).iter().zip([Tone::Right, Tone::Left]) {
        let shown = format!("{version}={}", escape(write.to_string().as_bytes()));
        line.push('\t');
        line.push_str(&out.paint(tone, &shown));
    }
    line
}

fn json_line(name: &str, schema: &CqlSchema, key: &[u8], cell: &Tied) -> Value {
    let of = Schema::Cql(Box::new(schema.clone()));
    let mut line = json!({
        "table": name,
        "key": crate::row::json::key_json(&of, key),
        "column": escape(&cell.column),
    });
    if !cell.path.is_empty() {
        line["path"] = schema.path_json(&cell.column, &cell.path);
    }
    for (version, write) in writes(schema, cell) {
        line[version] = write;
    }
    line
}
