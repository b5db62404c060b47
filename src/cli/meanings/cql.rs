//! What changed rows of CQL tables mean, for a person, for a program, and counted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::output::{Output, counted};
use crate::diff::Change;
use crate::error::Result;
use crate::row::Schema;
use crate::row::cql::{CqlSchema, ROW_FIELD};
use crate::row::fields::show_name;
use crate::source::Table;
use crate::source::cassandra::covering::Covering;
use crate::source::cassandra::meaning::{
    Clock, Kind, Meaning, Part, Risk, State, What, judge_row, needs_covers,
};
use crate::source::cassandra::model::Deletion;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value;
use crate::source::cassandra::view::View;

/// How long deletions are kept where the table does not say: ten days.
const GC_GRACE_SECONDS: i64 = 864_000;

/// Rows and cells, counted.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    rows: u64,
    cells: u64,
}

/// Tells what the changes of one CQL table mean.
pub struct CqlMeanings<'t> {
    schema: CqlSchema,
    covering: [Option<Covering<'t>>; 2],
    clocks: [Clock; 2],
    kinds: BTreeMap<Kind, Count>,
    risks: BTreeMap<Risk, Count>,
}

impl<'t> CqlMeanings<'t> {
    /// For a table of this schema, whose sides are `tables`; `None` where its rows have no timestamps.
    pub fn new(schema: &Schema, tables: [Option<&'t dyn Table>; 2]) -> Option<CqlMeanings<'t>> {
        let Schema::Cql(schema) = schema else {
            return None;
        };
        (schema.view == View::Cells).then(|| CqlMeanings {
            schema: (**schema).clone(),
            covering: tables.map(|table| table.and_then(Covering::new)),
            clocks: tables.map(|table| Clock {
                now: schema.now,
                gc_grace: table
                    .and_then(Table::gc_grace_seconds)
                    .unwrap_or(GC_GRACE_SECONDS),
            }),
            kinds: BTreeMap::new(),
            risks: BTreeMap::new(),
        })
    }

    /// The differences of a row, and counts them; `None` where they can't be told.
    ///
    /// # Errors
    ///
    /// Those of reading the deletions that lie over the row.
    pub fn of<'a>(&mut self, change: &Change<'a>) -> Result<Option<Vec<Part<'a>>>> {
        let judge = |covers| judge_row(ROW_FIELD, change.left, change.right, covers, self.clocks);
        let mut parts = judge([Deletion::LIVE; 2]);
        if let Some(found) = &parts
            && needs_covers(found)
        {
            let mut covers = [Deletion::LIVE; 2];
            for (cover, covering) in covers.iter_mut().zip(&mut self.covering) {
                if let Some(covering) = covering {
                    *cover = covering.at(change.key)?;
                }
            }
            parts = judge(covers);
        }
        self.count(parts.as_deref().unwrap_or_default());
        Ok(parts)
    }

    fn count(&mut self, parts: &[Part<'_>]) {
        let mut kinds = BTreeMap::<Kind, u64>::new();
        let mut risks = BTreeMap::<Risk, u64>::new();
        for Part { meaning, .. } in told(parts) {
            *kinds.entry(meaning.kind).or_default() += 1;
            if let Some(risk) = meaning.risk {
                *risks.entry(risk).or_default() += 1;
            }
        }
        for (kind, cells) in kinds {
            let count = self.kinds.entry(kind).or_default();
            count.rows += 1;
            count.cells += cells;
        }
        for (risk, cells) in risks {
            let count = self.risks.entry(risk).or_default();
            count.rows += 1;
            count.cells += cells;
        }
    }

    /// Prints how many differences there were, by kind.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn print_counts(&self, out: &mut Output) -> Result<()> {
        let line = |words: &str, count: &Count| {
            let rows = counted(count.rows, "row");
            format!("  {words}: {} in {rows}", counted(count.cells, "cell"))
        };
        for (kind, count) in &self.kinds {
            out.line(line(&kind.name().replace('_', " "), count))?;
        }
        for (risk, count) in &self.risks {
            let words = match risk {
                Risk::Due => "resurrection risk, due",
                Risk::Soon => "resurrection risk, soon",
            };
            out.line(line(words, count))?;
        }
        Ok(())
    }

    /// Warns of cells that may come back.
    pub fn warn(&self, table: &str, out: &Output) {
        for (risk, count) in &self.risks {
            let (cells, rows) = (counted(count.cells, "cell"), counted(count.rows, "row"));
            let when = match risk {
                Risk::Due => "is past gc_grace and may be purged at any compaction",
                Risk::Soon => "will be past gc_grace soon",
            };
            out.warn(format!(
                "table {table}: resurrection risk: {cells} of {rows} live on one side under a deletion of the other that {when}; once it is purged, repair brings them back everywhere"
            ));
        }
    }

    /// A row that differs, as a person reads it.
    pub fn text(&self, change: &Change<'_>, parts: &[Part<'_>], out: &Output) -> String {
        let told = told(parts);
        let mut words: Vec<String> = told.iter().map(|part| words(&part.meaning)).collect();
        words.dedup();
        let sides = [change.left, change.right].map(|value| self.side_text(value, out));
        let has_data = |side: usize| {
            let mut states = parts.iter().map(|part| part.states.get(side));
            states.any(|state| matches!(state, Some(State::Live { .. })))
        };
        let is_whole = words.len() == 1 && told.first().is_some_and(|part| part.is_of_data());
        match (change.left, change.right, words.as_slice()) {
            (Some(_), None, [words]) => format!("{} ({words})", sides[0]),
            (None, Some(_), [words]) => format!("{} ({words})", sides[1]),
            (Some(_), Some(_), [words])
                if is_whole && told.len() > 1 && has_data(0) != has_data(1) =>
            {
                format!("{} -> {} ({words})", sides[0], sides[1])
            }
            (_, _, [words]) => {
                let items: Vec<_> = told.iter().map(|part| self.part_text(part, out)).collect();
                format!("{} ({words})", items.join(", "))
            }
            _ => {
                let item = |part: &&Part<'_>| {
                    format!(
                        "{} ({})",
                        self.part_text(part, out),
                        self::words(&part.meaning)
                    )
                };
                told.iter().map(item).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// All that is alive in a row, and when it was written; or when it was deleted.
    fn side_text(&self, value: Option<&[u8]>, out: &Output) -> String {
        let Some(decoded) = value.and_then(value::decode) else {
            return "none".into();
        };
        let mut items = Vec::new();
        let mut times = Vec::new();
        times.extend(decoded.liveness.timestamp);
        for (name, body) in &decoded.columns {
            let (shown, of_column) = match self.schema.live_json(name, body) {
                Some(json) => (json.to_string(), value::timestamps(body)),
                None => ("deleted".to_owned(), value::timestamps(body)),
            };
            times.extend(of_column);
            items.push(format!("{}={}", show_name(name), out.value(&shown)));
        }
        if !decoded.deletion.is_live() {
            items.push(format!("deleted @{}", decoded.deletion.timestamp));
        } else if items.is_empty() {
            items.push(match decoded.liveness.timestamp {
                Some(_) => "inserted".into(),
                None => "end of a deletion".into(),
            });
        }
        match (times.iter().min(), times.iter().max()) {
            (Some(first), Some(last)) if first == last => items.push(format!("@{first}")),
            (Some(first), Some(last)) => items.push(format!("@{first}..{last}")),
            _ => {}
        }
        items.join(" ")
    }

    fn part_text(&self, part: &Part<'_>, out: &Output) -> String {
        let name = show_name(part.column);
        let place = match part.what {
            What::Inserted | What::Deleted | What::End => "row".into(),
            What::Cell => name,
            What::Overwritten => format!("{name}[all]"),
            What::Element(path) => {
                let path = self.schema.path_json(part.column, path).to_string();
                format!("{name}[{}]", out.value(&path))
            }
        };
        let [left, right] = part.states.map(|state| self.state_text(part, state, out));
        format!("{place}: {left} -> {right}")
    }

    fn state_text(&self, part: &Part<'_>, state: State<'_>, out: &Output) -> String {
        let (timestamp, value, expiry) = match state {
            State::Absent if part.what == What::End => return "end of a deletion".into(),
            State::Absent => return "none".into(),
            State::Dead(deletion) => return format!("deleted @{}", deletion.timestamp),
            State::Live {
                timestamp,
                value,
                expiry,
            } => (timestamp, value, expiry),
        };
        let shown = match part.what {
            What::Cell => self.schema.cell_json(part.column, b"", value).to_string(),
            What::Element(_) if value.is_empty() => "there".into(),
            What::Element(path) => self.schema.cell_json(part.column, path, value).to_string(),
            _ => "inserted".into(),
        };
        let shown = out.value(&shown);
        match expiry {
            Some((ttl, expires)) => {
                format!(
                    "{shown} @{timestamp} TTL {ttl} until {}",
                    show_time(expires)
                )
            }
            None => format!("{shown} @{timestamp}"),
        }
    }

    /// What the differences of a row mean, as JSON: by column.
    pub fn json(&self, parts: &[Part<'_>]) -> Value {
        let mut columns = Map::new();
        for part in parts {
            let name = show_name(part.column);
            let column = columns.entry(name).or_insert_with(|| json!({}));
            let Value::Object(column) = column else {
                continue;
            };
            let meaning = meaning_json(&part.meaning);
            match part.what {
                What::Cell | What::End => *column = meaning,
                What::Inserted => drop(column.insert("inserted".into(), meaning.into())),
                What::Deleted | What::Overwritten => {
                    column.insert("deleted".into(), meaning.into());
                }
                What::Element(path) => {
                    let mut element = meaning;
                    element.insert("path".into(), self.schema.path_json(part.column, path));
                    let elements = column.entry("elements").or_insert_with(|| json!([]));
                    if let Value::Array(elements) = elements {
                        elements.push(element.into());
                    }
                }
            }
        }
        columns.into()
    }
}

/// The differences worth telling: of writes, where there are any; else of deletions.
fn told<'p, 'a>(parts: &'p [Part<'a>]) -> Vec<&'p Part<'a>> {
    let of_data: Vec<_> = parts.iter().filter(|part| part.is_of_data()).collect();
    match of_data.is_empty() {
        true => parts.iter().collect(),
        false => of_data,
    }
}

fn meaning_json(meaning: &Meaning) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("is".into(), meaning.kind.name().into());
    if let Some(newer) = meaning.newer {
        object.insert("newer".into(), newer.name().into());
    }
    if let Some(purgeable) = meaning.purgeable_from {
        object.insert("purgeable_from".into(), purgeable.into());
    }
    if let Some(risk) = meaning.risk {
        let risk = match risk {
            Risk::Due => "due",
            Risk::Soon => "soon",
        };
        object.insert("resurrection".into(), risk.into());
    }
    object
}

fn words(meaning: &Meaning) -> String {
    let newer = meaning.newer.map_or("", |newer| newer.name());
    let mut words = match meaning.kind {
        Kind::OnlyLeft if meaning.is_dead => "deletion only left".to_owned(),
        Kind::OnlyRight if meaning.is_dead => "deletion only right".to_owned(),
        Kind::OnlyLeft => "only left".to_owned(),
        Kind::OnlyRight => "only right".to_owned(),
        Kind::NewerLeft | Kind::NewerRight if meaning.is_dead => {
            format!("deleted on both, newer {newer}")
        }
        Kind::NewerLeft => "newer left".to_owned(),
        Kind::NewerRight => "newer right".to_owned(),
        Kind::Conflict => "conflict: one timestamp".to_owned(),
        Kind::DeletedLeft if newer == "right" => "deleted left, newer right".to_owned(),
        Kind::DeletedRight if newer == "left" => "deleted right, newer left".to_owned(),
        Kind::DeletedLeft => "deleted left".to_owned(),
        Kind::DeletedRight => "deleted right".to_owned(),
        Kind::DeletionTime => "deleted on both, at other times".to_owned(),
    };
    if let (Some(risk), Some(purgeable)) = (meaning.risk, meaning.purgeable_from) {
        let from = match risk {
            Risk::Due => "since",
            Risk::Soon => "from",
        };
        words.push_str(&format!(
            ", resurrection risk {from} {}",
            show_time(purgeable)
        ));
    }
    words
}

fn show_time(seconds: i64) -> String {
    let millis = seconds.saturating_mul(1000);
    match CqlType::Timestamp.to_json(&millis.to_be_bytes()) {
        Value::String(text) => text.replace(".000", "").replace(' ', "T"),
        other => other.to_string(),
    }
}
