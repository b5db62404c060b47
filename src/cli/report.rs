//! What compare and verify print: same or different, where, and who is the odd one out.

mod json;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::exit::Exit;
use super::instants::warnings;
use super::output::{self, Output, Tone, count, counted};
use super::sides::{SharedTable, shared_tables};
use super::strip::Strip;
use crate::compare::place::{Sample, rows_before};
use crate::compare::{self, Divergence, Outcome};
use crate::error::Result;
use crate::mtree::{TableView, Tree};
use crate::range::{Coverage, KeyRange};
use crate::row::{Schema, escape};

/// Divergent ranges that are printed unless all are asked for.
const RANGES_SHOWN: u64 = 10;

/// How a comparison is printed.
pub struct Form {
    /// As one JSON document.
    pub json: bool,
    /// Every divergent range.
    pub all_ranges: bool,
}

/// What a comparison says in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Same,
    /// Nothing differs in what could be compared, but something could not be.
    Unknown,
    Different,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Unknown => "unknown",
            Verdict::Different => "different",
        }
    }
}

/// Compares the tables of all trees and prints what comes of it.
///
/// # Errors
///
/// Those of reading and printing; Usage where the trees can't be compared.
pub fn report(
    paths: &[PathBuf],
    trees: &[Tree],
    names: &[String],
    form: &Form,
    out: &mut Output,
) -> Result<Exit> {
    let tables = shared_tables(trees, names)?;
    for table in &tables {
        compare::check_comparable(&table.views(trees))?;
    }
    let several = tables.len() > 1;
    let sides: Vec<String> = paths
        .iter()
        .map(|path| output::name(path.display()))
        .collect();
    let warnings = warnings(&tables, trees, &sides);
    for warning in &warnings {
        out.warn(&warning.text);
    }
    if form.json {
        let sides: Vec<Value> = paths
            .iter()
            .map(|path| json!({ "path": path.display().to_string() }))
            .collect();
        out.bytes(
            format!(
                "{{\"schema\":\"{}\",\"sides\":{},\"tables\":[",
                super::JSON_SCHEMA,
                Value::from(sides)
            )
            .as_bytes(),
        )?;
    }
    let mut verdict = Verdict::Same;
    let mut unreadable = false;
    for (index, table) in tables.iter().enumerate() {
        let views = table.views(trees);
        unreadable |= views
            .iter()
            .any(|view| view.header().summary.unreadable_leaves > 0);
        let found = if form.json {
            if index > 0 {
                out.bytes(b",")?;
            }
            json::json_table(table, &views, out)?
        } else {
            text_table(paths, table, &views, several, form, out)?
        };
        verdict = verdict.max(found);
    }
    if form.json {
        let warnings: Vec<Value> = warnings
            .iter()
            .map(|warning| json!({ "code": warning.code, "tables": warning.tables, "text": warning.text }))
            .collect();
        out.line(format!(
            "],\"warnings\":{},\"result\":\"{}\"}}",
            Value::from(warnings),
            verdict.word()
        ))?;
    } else if several {
        out.line(format!("all tables: {}", verdict.word()))?;
    }
    if unreadable {
        out.warn(
            "some keys could not be read when a tree was built; they are not known to be equal",
        );
        return Ok(Exit::Damaged);
    }
    Ok(match verdict {
        Verdict::Same => Exit::Same,
        Verdict::Different => Exit::Different,
        Verdict::Unknown => Exit::Trouble,
    })
}

/// What is counted while the divergent ranges of a table pass.
struct Tally {
    sample: Sample,
    strip: Strip,
    /// For each pair of sides (row, column), the ranges in which they hold other rows.
    differ: Vec<Vec<u64>>,
    /// For each side, the ranges in which all others agree without it.
    odd: Vec<u64>,
    unreadable: u64,
    seen: u64,
}

impl Tally {
    fn new(views: &[TableView<'_>]) -> Tally {
        let sides = views.len();
        let rows = views.first().map_or(0, |view| view.header().summary.rows);
        Tally {
            sample: Sample::default(),
            strip: Strip::new(rows),
            differ: vec![vec![0; sides]; sides],
            odd: vec![0; sides],
            unreadable: 0,
            seen: 0,
        }
    }

    fn count(&mut self, divergence: &Divergence) {
        self.seen += 1;
        self.unreadable += u64::from(divergence.has_unreadable());
        self.sample.push(&divergence.range.from);
        self.strip.mark(
            divergence.rows_before,
            divergence.sides.first().map_or(0, |side| side.rows),
        );
        let groups = divergence.groups();
        for (a, row) in self.differ.iter_mut().enumerate() {
            for (b, cell) in row.iter_mut().enumerate() {
                *cell += u64::from(groups[a] != groups[b]);
            }
        }
        if let Some(odd) = odd_one(&groups) {
            self.odd[odd] += 1;
        }
    }

    fn verdict(&self, outcome: &Outcome) -> Verdict {
        if self.seen > self.unreadable {
            Verdict::Different
        } else if self.seen > 0 || !outcome.not_compared.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Same
        }
    }
}

/// The one side that does not hold what all others hold, of three or more.
fn odd_one(groups: &[usize]) -> Option<usize> {
    let majority = majority(groups)?;
    let others: Vec<usize> = (0..groups.len())
        .filter(|side| groups[*side] != majority)
        .collect();
    match others.as_slice() {
        [odd] => Some(*odd),
        _ => None,
    }
}

/// The group that more than half of three or more sides belong to.
fn majority(groups: &[usize]) -> Option<usize> {
    if groups.len() < 3 {
        return None;
    }
    groups
        .iter()
        .copied()
        .find(|group| groups.iter().filter(|other| *other == group).count() * 2 > groups.len())
}

/// What a side is called: left and right of two, else r1, r2 and so on.
pub fn side_name(index: usize, sides: usize) -> String {
    match (index, sides) {
        (0, 2) => "left".into(),
        (1, 2) => "right".into(),
        _ => format!("r{}", index + 1),
    }
}

fn text_table(
    paths: &[PathBuf],
    table: &SharedTable,
    views: &[TableView<'_>],
    several: bool,
    form: &Form,
    out: &mut Output,
) -> Result<Verdict> {
    let schema = views
        .first()
        .map_or(Schema::Bytes, |view| view.header().schema.clone());
    if several {
        let title = out
            .paint(
                Tone::Strong,
                &format!("table {}", output::name(&table.name)),
            )
            .into_owned();
        out.line(title)?;
    }
    let mut tally = Tally::new(views);
    let mut shown = Vec::new();
    let outcome = compare::compare(views, &mut |divergence| {
        tally.count(divergence);
        if form.all_ranges {
            out.line(range_line(divergence, &schema, out))?;
        } else if tally.seen <= RANGES_SHOWN {
            shown.push(range_line(divergence, &schema, out));
        }
        Ok(())
    })?;
    let verdict = tally.verdict(&outcome);
    let headline = match verdict {
        Verdict::Same => out.paint(Tone::Good, "same rows").into_owned(),
        Verdict::Unknown => out
            .paint(
                Tone::Changed,
                "unknown: nothing differs in what could be compared",
            )
            .into_owned(),
        Verdict::Different => {
            let ranges = counted(outcome.divergent_ranges, "key range");
            out.paint(Tone::Left, &format!("different in {ranges}"))
                .into_owned()
        }
    };
    out.line(headline)?;
    side_lines(paths, table, views, out)?;
    coverage_lines(views, &outcome, &schema, out)?;
    if verdict == Verdict::Same {
        return Ok(verdict);
    }
    let total: u64 = views
        .iter()
        .map(|view| view.header().summary.rows)
        .max()
        .unwrap_or(0);
    let inside = outcome.divergent_rows.iter().copied().max().unwrap_or(0);
    if outcome.divergent_ranges > 0 {
        out.line(format!(
            "  {} of the rows lie in these ranges",
            output::percent(inside, total)
        ))?;
        if let Some(strip) = tally.strip.text() {
            out.line(format!("  {strip}"))?;
        }
    }
    for line in &shown {
        out.line(line)?;
    }
    if !form.all_ranges && tally.seen > RANGES_SHOWN {
        out.line(format!(
            "  ... and {} more (--ranges lists all)",
            count(tally.seen - RANGES_SHOWN)
        ))?;
    }
    prefix_line(views, &tally.sample, &schema, out)?;
    if views.len() > 2 {
        agreement_lines(&tally, paths, out)?;
    }
    Ok(verdict)
}

/// One line a side, in columns: name, path, rows, bytes, root.
fn side_lines(
    paths: &[PathBuf],
    table: &SharedTable,
    views: &[TableView<'_>],
    out: &mut Output,
) -> Result<()> {
    let sides: Vec<[String; 3]> = views
        .iter()
        .zip(paths)
        .map(|(view, path)| {
            let summary = &view.header().summary;
            [
                output::name(path.display()),
                counted(summary.rows, "row"),
                output::bytes(summary.bytes),
            ]
        })
        .collect();
    let width = |column: usize| {
        let lens = sides.iter().map(|side| side[column].chars().count());
        lens.max().unwrap_or(0)
    };
    let (path_width, rows_width, bytes_width) = (width(0), width(1), width(2));
    for (index, ([path, rows, bytes], view)) in sides.iter().zip(views).enumerate() {
        let root = hex(&view.header().root);
        let missing = if table.present[index] {
            ""
        } else {
            "  (has no such table)"
        };
        out.line(format!(
            "  {:<6}{path:<path_width$}  {rows:>rows_width$}, {bytes:>bytes_width$}  root {}{missing}",
            side_name(index, views.len()),
            &root[..16],
        ))?;
    }
    Ok(())
}

fn range_line(divergence: &Divergence, schema: &Schema, out: &Output) -> String {
    let sides = divergence.sides.len();
    let rows: Vec<String> = divergence
        .sides
        .iter()
        .enumerate()
        .map(|(index, side)| format!("{} {}", side_name(index, sides), counted(side.rows, "row")))
        .collect();
    let groups = divergence.groups();
    let mut notes = String::new();
    if divergence.has_unreadable() {
        notes.push_str("; unreadable on ");
        let names: Vec<String> = (0..sides)
            .filter(|index| divergence.sides[*index].unreadable_leaves > 0)
            .map(|index| side_name(index, sides))
            .collect();
        notes.push_str(&names.join(", "));
    } else if let Some(odd) = odd_one(&groups) {
        notes = format!("; {} is the odd one out", side_name(odd, sides));
    } else if sides > 2 {
        let agreeing: Vec<String> = (0..sides)
            .filter(|index| groups[*index] == *index)
            .map(|group| {
                (0..sides)
                    .filter(|side| groups[*side] == group)
                    .map(|side| side_name(side, sides))
                    .collect::<Vec<_>>()
                    .join(" = ")
            })
            .collect();
        notes = format!("; {}", agreeing.join(", "));
    }
    format!(
        "  {}: {}{notes}",
        range_text(&divergence.range, schema, out),
        rows.join(", ")
    )
}

fn range_text(range: &KeyRange, schema: &Schema, out: &Output) -> String {
    let from = if range.from.is_empty() {
        "the start".into()
    } else {
        format!("\"{}\"", out.key(schema, &range.from))
    };
    let to = match &range.to {
        Some(to) => format!("\"{}\"", out.key(schema, to)),
        None => "the end".into(),
    };
    format!("from {from} to {to}")
}

fn coverage_text(coverage: &Coverage, schema: &Schema, out: &Output) -> String {
    match coverage.ranges() {
        [only] => range_text(only, schema, out),
        ranges => format!(
            "of {} {}",
            counted(ranges.len() as u64, "range"),
            range_text(&coverage.hull(), schema, out)
        ),
    }
}

fn coverage_lines(
    views: &[TableView<'_>],
    outcome: &Outcome,
    schema: &Schema,
    out: &mut Output,
) -> Result<()> {
    if outcome.shared != Coverage::all() {
        out.line(format!(
            "  compared: keys {}",
            coverage_text(&outcome.shared, schema, out)
        ))?;
    }
    for (index, view) in views.iter().enumerate() {
        if view.header().coverage != outcome.shared {
            let text = coverage_text(&view.header().coverage, schema, out);
            out.line(format!(
                "  not shared: {} covers keys {text}",
                side_name(index, views.len())
            ))?;
        }
    }
    for range in &outcome.not_compared {
        out.line(format!(
            "  not compared, no boundary in common: keys {}",
            range_text(range, schema, out)
        ))?;
    }
    Ok(())
}

/// Says where differences gather, if that is no matter of where the rows are.
fn prefix_line(
    views: &[TableView<'_>],
    sample: &Sample,
    schema: &Schema,
    out: &mut Output,
) -> Result<()> {
    let Some(first) = views.first() else {
        return Ok(());
    };
    for share in [90, 50] {
        let Some((prefix, ranges_share)) = sample.prefix(share) else {
            continue;
        };
        let end = crate::range::prefix_end(&prefix);
        let before = rows_before(*first, &prefix)?;
        let behind = match &end {
            Some(end) => rows_before(*first, end)?,
            None => first.header().summary.rows,
        };
        let rows = first.header().summary.rows.max(1);
        let rows_share = behind.saturating_sub(before).saturating_mul(100) / rows;
        if (rows_share as usize) * 2 <= ranges_share {
            let text = if *schema == Schema::Bytes {
                escape(&prefix).into_owned()
            } else {
                out.key(schema, &prefix)
            };
            let held = output::percent(behind.saturating_sub(before), rows);
            return out.line(format!("  {ranges_share} % of these ranges start with \"{text}\", where {held} of the rows are"));
        }
    }
    Ok(())
}

fn agreement_lines(tally: &Tally, paths: &[PathBuf], out: &mut Output) -> Result<()> {
    let sides = paths.len();
    for (a, row) in tally.differ.iter().enumerate() {
        for (b, ranges) in row.iter().enumerate().skip(a + 1) {
            let words = if *ranges == 0 {
                "agree everywhere".into()
            } else {
                format!("differ in {}", counted(*ranges, "range"))
            };
            out.line(format!(
                "  {} and {} {words}",
                side_name(a, sides),
                side_name(b, sides)
            ))?;
        }
    }
    for (side, ranges) in tally
        .odd
        .iter()
        .enumerate()
        .filter(|(_, ranges)| **ranges > 0)
    {
        out.line(format!(
            "  {} ({}) is the odd one out in {} of {}",
            side_name(side, sides),
            output::name(paths[side].display()),
            count(*ranges),
            counted(tally.seen, "range")
        ))?;
    }
    Ok(())
}

/// A key range as JSON: keys as `--from` and `--to` take them, null for the start and the end.
pub fn key_range(range: &KeyRange, schema: &Schema) -> Value {
    let from = (!range.from.is_empty()).then(|| schema.show_key(&range.from));
    json!({ "from": from, "to": range.to.as_ref().map(|to| schema.show_key(to)) })
}

/// A coverage as JSON: from its first key to its last, and its ranges where it has gaps.
pub fn coverage(coverage: &Coverage, schema: &Schema) -> Value {
    let mut value = key_range(&coverage.hull(), schema);
    if coverage.ranges().len() > 1 {
        let ranges = coverage.ranges().iter();
        value["ranges"] = ranges.map(|range| key_range(range, schema)).collect();
    }
    value
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odd_one_out_needs_a_majority_against_it() {
        assert_eq!(odd_one(&[0, 1]), None);
        assert_eq!(odd_one(&[0, 0, 2]), Some(2));
        assert_eq!(odd_one(&[0, 1, 1]), Some(0));
        assert_eq!(odd_one(&[0, 1, 2]), None);
        assert_eq!(odd_one(&[0, 1, 0, 1]), None);
        assert_eq!(majority(&[0, 0, 2, 0, 4]), Some(0));
        assert_eq!(odd_one(&[0, 0, 2, 0, 4]), None);
    }
}
