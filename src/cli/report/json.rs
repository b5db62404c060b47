//! A comparison as JSON.

use serde_json::{Value, json};

use super::{Tally, Verdict, coverage, hex, key_range, majority, odd_one};
use crate::cli::output::Output;
use crate::cli::sides::SharedTable;
use crate::compare::{self, Divergence};
use crate::error::Result;
use crate::mtree::TableView;
use crate::row::Schema;

/// Prints the object of one table; its ranges as they come.
///
/// # Errors
///
/// Those of reading and printing.
pub(super) fn json_table(
    table: &SharedTable,
    views: &[TableView<'_>],
    out: &mut Output,
) -> Result<Verdict> {
    let schema = views
        .first()
        .map_or(Schema::Bytes, |view| view.header().schema.clone());
    out.bytes(
        format!(
            "{{\"table\":{},\"ranges\":[",
            Value::from(table.name.as_str())
        )
        .as_bytes(),
    )?;
    let mut tally = Tally::new(views);
    let outcome = compare::compare(views, &mut |divergence| {
        let comma = if tally.seen > 0 { "," } else { "" };
        tally.count(divergence);
        out.bytes(format!("{comma}{}", json_range(divergence, &schema)).as_bytes())
    })?;
    let verdict = tally.verdict(&outcome);
    let sides = views
        .iter()
        .zip(&table.present)
        .map(|(view, present)| json_side(view, *present))
        .collect::<Result<Vec<_>>>()?;
    let mut rest = json!({
        "result": verdict.word(),
        "sides": sides,
        "divergent_ranges": outcome.divergent_ranges,
        "divergent_rows": outcome.divergent_rows,
        "unreadable_ranges": tally.unreadable,
        "shared": coverage(&outcome.shared, &schema),
        "not_compared": outcome.not_compared.iter().map(|range| key_range(range, &schema)).collect::<Vec<_>>(),
    });
    if views.len() > 2 {
        rest["ranges_by_pair"] = json!(tally.differ);
        rest["odd_one_out"] = json!(tally.odd);
    }
    let rest = rest.to_string();
    out.bytes(format!("],{}", &rest[1..]).as_bytes())?;
    Ok(verdict)
}

fn json_side(view: &TableView<'_>, present: bool) -> Result<Value> {
    let header = view.header();
    let unreadable: Vec<Value> = view
        .unreadable()?
        .iter()
        .map(|unreadable| {
            let mut value = key_range(&unreadable.range, &header.schema);
            value["why"] = json!(unreadable.why);
            value
        })
        .collect();
    Ok(json!({
        "present": present,
        "rows": header.summary.rows,
        "bytes": header.summary.bytes,
        "root": hex(&header.root),
        "content": hex(&header.content_digest(&view.tree().header().hash)),
        "leaf_rows": 1u64 << header.leaf_bits,
        "leaves": header.leaves,
        "coverage": coverage(&header.coverage, &header.schema),
        "unreadable": unreadable,
    }))
}

fn json_range(divergence: &Divergence, schema: &Schema) -> Value {
    let groups = divergence.groups();
    let mut value = key_range(&divergence.range, schema);
    value["sides"] = divergence
        .sides
        .iter()
        .map(|side| json!({ "rows": side.rows, "bytes": side.bytes, "unreadable": side.unreadable_leaves > 0 }))
        .collect();
    value["groups"] = json!(groups);
    if groups.len() > 2 {
        value["majority"] = json!(majority(&groups));
        value["odd_one_out"] = json!(odd_one(&groups));
    }
    value
}
