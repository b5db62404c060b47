//! `mdiff info`: what a file is and says of itself.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::args::SourceArgs;
use super::exit::Exit;
use super::kind::Found;
use super::output::{self, Output, count};
use super::report::{coverage, hex, key_range};
use super::sides::Plan;
use super::sides::open_origin;
use crate::error::Result;
use crate::file::input::Input;
use crate::fingerprint::HashId;
use crate::mtree::header::{VERSION, content_digest};
use crate::mtree::{Digest, Tree};
use crate::patch::{PatchReader, PatchSide};
use crate::row::Schema;
use crate::source::Snapshot;

const LONG: &str = "\
Says what a file is and what it says of itself: a snapshot, a tree or a patch.

Examples:
  A tree: its tables, rows, root, hash, leaves and coverage:
    mdiff info a.mtree

  A table file: its format, compression, checksums and counts:
    mdiff info a.sst

  The digest of the content, equal for equal rows, in a script:
    mdiff info a.mtree --json | jq -r .content

Every byte is read and checked, and the content digest is equal for equal rows whatever the format, the layout and the leaf size (of the same --hash, columns and keys). With --quick, a snapshot's rows are not read: its numbers are then what the file claims.";

/// Arguments of `mdiff info`.
#[derive(Debug, Clone, Args)]
#[command(about = "Says what a file is and what it says of itself", long_about = LONG)]
pub struct InfoArgs {
    /// A snapshot, a tree or a patch
    pub file: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,

    /// Of a snapshot, do not read the rows: no counts of ours, no digest
    #[arg(long)]
    pub quick: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
}

/// Runs `mdiff info`.
///
/// # Errors
///
/// Those of reading.
pub fn run(args: &InfoArgs, out: &mut Output) -> Result<Exit> {
    let options = args.source.options();
    let facts = match Found::open(&args.file, &options.file)? {
        Found::Tree(input) => tree_facts(&Tree::from_input(input)?)?,
        Found::Patch(input) => patch_facts(&input)?,
        Found::Snapshot(origin) => {
            snapshot_facts(open_origin(origin, &options, out)?.as_ref(), args, out)?
        }
    };
    if args.json {
        let mut document =
            json!({ "schema": super::JSON_SCHEMA, "path": args.file.display().to_string() });
        for (name, value) in facts {
            document[name.replace(' ', "_")] = with_plain_names(value);
        }
        out.json(&document)?;
    } else {
        for (name, value) in &facts {
            print_fact(0, name, value, out)?;
        }
    }
    Ok(Exit::DONE)
}

/// The names of facts as a program wants them: without spaces.
fn with_plain_names(value: Value) -> Value {
    match value {
        Value::Object(facts) => facts
            .into_iter()
            .map(|(name, value)| (name.replace(' ', "_"), with_plain_names(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(with_plain_names).collect(),
        other => other,
    }
}

type Facts = Vec<(String, Value)>;

fn fact(name: &str, value: impl Into<Value>) -> (String, Value) {
    (name.to_owned(), value.into())
}

/// Prints `name: value`, tables and other lists of facts indented below it.
fn print_fact(depth: usize, name: &str, value: &Value, out: &mut Output) -> Result<()> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(facts) => {
            out.line(format!("{indent}{name}:"))?;
            facts
                .iter()
                .try_for_each(|(name, value)| print_fact(depth + 1, name, value, out))
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().try_for_each(|item| {
                print_fact(depth, name.strip_suffix('s').unwrap_or(name), item, out)
            })
        }
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(text).collect();
            out.line(format!("{indent}{name}: {}", texts.join(", ")))
        }
        value => out.line(format!("{indent}{name}: {}", text(value))),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => output::name(text),
        Value::Null => "-".into(),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), count),
        other => other.to_string(),
    }
}

fn tree_facts(tree: &Tree) -> Result<Facts> {
    tree.check_all()?;
    let header = tree.header();
    let mut tables = Vec::new();
    for view in tree.tables() {
        let table = view.header();
        let mut value = json!({
            "name": table.name,
            "schema": schema_fact(&table.schema),
            "rows": table.summary.rows,
            "bytes": table.summary.bytes,
            "root": hex(&table.root),
            "content": hex(&table.content_digest(&header.hash)),
            "leaf rows": 1u64 << table.leaf_bits,
            "leaves": table.leaves,
            "levels": table.level_lens.len(),
            "coverage": coverage(&table.coverage, &table.schema),
            "extra boundaries": table.splits != [0; 32],
        });
        let unreadable = view.unreadable()?;
        if !unreadable.is_empty() {
            value["unreadable"] = unreadable
                .iter()
                .map(|unreadable| {
                    let mut range = key_range(&unreadable.range, &table.schema);
                    range["why"] = json!(unreadable.why);
                    range
                })
                .collect();
        }
        tables.push(value);
    }
    Ok(vec![
        fact("kind", "tree"),
        fact("version", VERSION),
        fact("hash", header.hash.kind.name()),
        fact("file bytes", header.file_len_bytes),
        fact(
            "content",
            content(
                &header
                    .tables
                    .iter()
                    .map(|t| (t.name.as_str(), t.content_digest(&header.hash)))
                    .collect::<Vec<_>>(),
            ),
        ),
        fact("tables", tables),
    ])
}

fn patch_facts(input: &Input) -> Result<Facts> {
    let mut reader = PatchReader::new(input)?;
    while reader.next_record()?.is_some() {}
    let counts = reader.counts();
    let header = reader.header();
    let side = |side: &PatchSide, key_hash: &HashId| {
        json!({
            "rows": side.summary.rows,
            "bytes": side.summary.bytes,
            "root": hex(&side.root),
            "content": hex(&content_digest(key_hash, &side.summary)),
        })
    };
    let tables: Vec<Value> = header
        .tables
        .iter()
        .map(|table| {
            json!({
                "name": table.name,
                "schema": schema_fact(&table.schema),
                "coverage": coverage(&table.coverage, &table.schema),
                "base": side(&table.base, &header.hash),
                "target": side(&table.target, &header.hash),
            })
        })
        .collect();
    Ok(vec![
        fact("kind", "patch"),
        fact("version", crate::patch::header::VERSION),
        fact("hash", header.hash.kind.name()),
        fact("file bytes", input.len()),
        fact("reversible", header.reversible),
        fact("divergent ranges", counts.ranges),
        fact("puts", counts.puts),
        fact("deletes", counts.deletes),
        fact("tables", tables),
    ])
}

fn snapshot_facts(snapshot: &dyn Snapshot, args: &InfoArgs, out: &Output) -> Result<Facts> {
    let mut facts = vec![fact("kind", "snapshot"), fact("format", snapshot.format())];
    facts.extend(
        snapshot
            .describe()
            .into_iter()
            .map(|(name, value)| fact(&name, value)),
    );
    let mut tables: Vec<Value> = Vec::new();
    if args.quick {
        for table in snapshot.tables() {
            tables.push(json!({ "name": table.name(), "schema": schema_fact(table.schema()) }));
        }
    } else {
        let plan = Plan {
            source: args.source.clone(),
            ..Plan::default()
        };
        let tree = plan.build_tree(snapshot, &args.file, None, out)?;
        let hash = tree.header().hash;
        let digests: Vec<_> = tree
            .header()
            .tables
            .iter()
            .map(|t| (t.name.as_str(), t.content_digest(&hash)))
            .collect();
        facts.push(fact("hash", hash.kind.name()));
        facts.push(fact("content", content(&digests)));
        for table in &tree.header().tables {
            tables.push(json!({
                "name": table.name,
                "schema": schema_fact(&table.schema),
                "rows": table.summary.rows,
                "bytes": table.summary.bytes,
                "root": hex(&table.root),
                "content": hex(&table.content_digest(&hash)),
            }));
        }
    }
    facts.push(fact("tables", tables));
    Ok(facts)
}

/// The digest of all tables: that of the one, or else of their names and digests.
fn content(tables: &[(&str, Digest)]) -> String {
    if let [(_, digest)] = tables {
        return hex(digest);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mdiff contents 1");
    for (name, digest) in tables {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(digest);
    }
    hex(hasher.finalize().as_bytes())
}

fn schema_fact(schema: &Schema) -> Value {
    match schema {
        Schema::Bytes => json!("bytes"),
        Schema::Columns { key, value, sql } => {
            let mut document = json!({ "key": key, "columns": value });
            if let Some(sql) = sql {
                document["dialect"] = sql.dialect.name().into();
                document["key_types"] = json!(sql.key_types);
                document["column_types"] = json!(sql.value_types);
            }
            document
        }
        Schema::Cql(cql) => cql.describe(),
        Schema::Bag { columns, sql } => json!({
            "key": "whole rows",
            "columns": columns,
            "dialect": sql.dialect.name(),
            "column_types": sql.key_types,
        }),
        Schema::Document { key } => json!({ "key": key, "columns": "of each row" }),
    }
}
