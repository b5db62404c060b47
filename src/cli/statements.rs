//! The operations of a patch as CQL statements (`mdiff cat PATCH --format cql`).
//!
//! Every statement tells its timestamp, so their order does not matter, and each may run twice. Every write tells its TTL
//! too: `TTL 0` is none, whatever default the table has. The TTL of what expires is what is left of it at an instant
//! (`--now`, else that of printing), so a statement that runs then gives the target's expiry, and each second of delay
//! puts it off by one. What has expired by then is deleted; an INSERT that has gets a TTL of one second.
//!
//! The server stamps a deletion with its own clock: a deletion that differs in that only is left alone.
//!
//! What needs a base that is older than the target, and what CQL has no words for, is told as `-- not expressible:`.
//! A range deletion lies between two bounds, and bounds that did not change are not in a patch. So it is printed where the
//! patch has all rows of the base between them (the counts of its ranges tell it), or where the base is at hand.

mod columns; // what of a column changed
mod ranges; // range deletions

use std::collections::BTreeMap;

use super::bounds::{BoundOp, Step};
use super::output::Output;
use crate::error::Result;
use crate::patch::{Op, PatchTable};
use crate::range::KeyRange;
use crate::row::cql::CqlSchema;
use crate::source::Table;
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::model::{Deletion, Liveness};
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value::{self, Body, Decoded};

/// The value of a row of which nothing is known.
const NOTHING: &[u8] = &[0];

/// What could not be said, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Comments that tell what CQL can't express.
    pub not_expressible: u64,
    /// Deletions that the base has and the target has not: they stay, and hide nothing of the target's.
    pub stay: u64,
    /// Cells of the base that had to be deleted, which leaves tombstones that the target has not.
    pub new_tombstones: u64,
    /// Rows of the base whose values are not known.
    pub unknown: u64,
}

impl Tally {
    /// Counts what another table could not say.
    pub fn add(&mut self, other: Tally) {
        self.not_expressible += other.not_expressible;
        self.stay += other.stay;
        self.new_tombstones += other.new_tombstones;
        self.unknown += other.unknown;
    }
}

/// A write that a statement of some timestamp and TTL makes.
enum Write {
    Column(String, String),
    Element(String),
    Member(String, String),
}

/// Prints the statements of one table of a patch.
pub struct Statements<'a> {
    schema: &'a CqlSchema,
    table: &'a PatchTable,
    name: String,
    now: i64,
    base: Option<&'a dyn Table>,
    bounds: Vec<BoundOp>,
    /// Rows of the base in the divergent range, how many of them operations replaced, and its first bound.
    range: (KeyRange, u64, u64, usize),
    /// The partition whose deletion the patch brings.
    deleted: (Vec<u8>, Deletion),
    tally: Tally,
}

/// A name, quoted.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the target and the base have of something.
type Sides<T> = (Option<T>, Option<T>);

/// What of a row the statements are built from.
struct RowWork<'w> {
    matching: &'w str,
    shown: &'w str,
    /// Stronger than the row's own: the deletion of the partition.
    partition: Deletion,
    writes: BTreeMap<(i64, i64), Vec<Write>>,
    deletes: BTreeMap<i64, Vec<String>>,
    missing: Vec<String>,
}

impl<'a> Statements<'a> {
    /// Statements for the table `name` (`keyspace.table`) at the instant `now`; `base` is the base's table, where it is there.
    pub fn new(
        table: &'a PatchTable,
        schema: &'a CqlSchema,
        name: &str,
        now: i64,
        base: Option<&'a dyn Table>,
    ) -> Statements<'a> {
        Statements {
            schema,
            table,
            name: name
                .splitn(2, '.')
                .map(quoted)
                .collect::<Vec<_>>()
                .join("."),
            now,
            base,
            bounds: Vec::new(),
            range: (KeyRange::all(), 0, 0, 0),
            deleted: (Vec::new(), Deletion::LIVE),
            tally: Tally::default(),
        }
    }

    /// A divergent range begins, of which the base has so many rows.
    pub fn range(&mut self, range: KeyRange, base_rows: u64) {
        self.end_range();
        self.range = (range, base_rows, 0, self.bounds.len());
    }

    fn end_range(&mut self) {
        let (range, rows, replaced, first) = &self.range;
        if rows == replaced {
            for bound in self.bounds.iter_mut().skip(*first) {
                bound.within = Some(range.clone());
            }
        }
    }

    fn cannot(&mut self, out: &mut Output, shown: &str, what: &str) -> Result<()> {
        self.tally.not_expressible += 1;
        out.line(format!(
            "-- not expressible: {shown}: {}",
            what.replace(['\n', '\r'], " ")
        ))
    }

    /// Prints the statements of an operation; those of range deletions follow in [`Statements::finish`].
    ///
    /// # Errors
    ///
    /// Those of printing, and of reading the base.
    pub fn op(&mut self, op: &Op, out: &mut Output) -> Result<()> {
        self.range.2 += u64::from(op.replaces.is_some());
        let shown = self.table.schema.show_key(&op.key);
        let Some((parts, place)) = self.schema.decode_key(&op.key) else {
            return self.cannot(out, &shown, "this is no key of a row");
        };
        let all = self.schema.regulars.iter().chain(&self.schema.statics);
        if all
            .into_iter()
            .any(|c| *c.cql_type.inner() == CqlType::Counter)
        {
            return self.cannot(out, &shown, "counters take no timestamps");
        }
        let mut old = op.old_value.clone();
        if old.is_none() && op.replaces.is_some() {
            old = self.of_base(&op.key)?;
        }
        let is_unknown = op.replaces.is_some() && old.is_none();
        self.tally.unknown += u64::from(is_unknown);
        let target = value::decode(op.value.as_deref().unwrap_or(NOTHING));
        let base = value::decode(old.as_deref().unwrap_or(NOTHING));
        let (Some(target), Some(base)) = (target, base) else {
            return self.cannot(out, &shown, "its value is not one of a CQL row");
        };
        let prefix = self.partition_prefix(&op.key);
        let mut matching = self
            .schema
            .key
            .iter()
            .zip(&parts)
            .map(|(c, part)| format!("{} = {}", quoted(&c.name), c.cql_type.to_cql_literal(part)))
            .collect::<Vec<_>>()
            .join(" AND ");
        match place {
            Place::Partition => self.cannot(out, &shown, "this is no key of a row"),
            Place::Deletion => {
                if !target.deletion.is_live() {
                    self.deleted = (prefix, target.deletion);
                }
                match target.deletion {
                    Deletion { timestamp, .. } if target.deletion.covers(timestamp) => {
                        if base.deletion.covers(timestamp) {
                            if base.deletion.timestamp > timestamp {
                                return self.cannot(out, &shown, "the base's deletion is newer");
                            }
                            return Ok(());
                        }
                        let name = &self.name;
                        out.line(format!(
                            "DELETE FROM {name} USING TIMESTAMP {timestamp} WHERE {matching};"
                        ))
                    }
                    _ => self.cannot(out, &shown, "a deletion can't be taken back"),
                }
            }
            Place::Bound(values, side) => {
                self.bounds.push(BoundOp {
                    partition: self.partition_deletion(&prefix),
                    prefix,
                    key: op.key.clone(),
                    step: Step {
                        values,
                        side,
                        base: (op.replaces.is_some() && !is_unknown).then_some(base.deletion),
                        target: op.value.is_some().then_some(target.deletion),
                    },
                    matching,
                    within: None,
                });
                Ok(())
            }
            Place::Static | Place::Row(_) => {
                if let Place::Row(values) = &place {
                    for (column, value) in self.schema.clustering.iter().zip(values) {
                        let Some(value) = value else {
                            return self.cannot(out, &shown, "a clustering column is null");
                        };
                        let literal = column.cql_type.to_cql_literal(value);
                        matching.push_str(&format!(" AND {} = {literal}", quoted(&column.name)));
                    }
                }
                if is_unknown && op.value.is_none() {
                    return self.cannot(
                        out,
                        &shown,
                        "the timestamps of the row that is to go are not in the patch (make it with --reversible)",
                    );
                }
                let partition = self.partition_deletion(&prefix);
                let work = RowWork {
                    matching: &matching,
                    shown: &shown,
                    partition,
                    writes: BTreeMap::new(),
                    deletes: BTreeMap::new(),
                    missing: Vec::new(),
                };
                let keys = match &place {
                    Place::Row(values) => self.key_lists(&parts, values),
                    _ => (String::new(), String::new()),
                };
                self.row(work, &target, &base, keys, out)
            }
        }
    }

    fn partition_deletion(&self, prefix: &[u8]) -> Deletion {
        match self.deleted.0 == prefix {
            true => self.deleted.1,
            false => Deletion::LIVE,
        }
    }

    fn partition_prefix(&self, key: &[u8]) -> Vec<u8> {
        let clustering: Vec<CqlType> = self
            .schema
            .clustering
            .iter()
            .map(|c| c.cql_type.clone())
            .collect();
        let key_type = self.schema.key_type();
        let mut prefix = Vec::new();
        if let Some(decoded) = key::decode(key, self.schema.partitioner, &key_type, &clustering) {
            let partitioner = self.schema.partitioner;
            key::push_partition(&mut prefix, partitioner, &key_type, &decoded.partition);
        }
        prefix
    }

    fn of_base(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(table) = self.base else {
            return Ok(None);
        };
        let mut rows = table.scan(&KeyRange {
            from: key.to_vec(),
            to: Some([key, &[0]].concat()),
        })?;
        Ok(rows.next()?.map(|row| row.value.to_vec()))
    }

    /// Names and values of the primary key, for an INSERT.
    fn key_lists(&self, parts: &[Vec<u8>], values: &[Option<Vec<u8>>]) -> (String, String) {
        let clustering = values
            .iter()
            .map(|value| value.as_deref().unwrap_or_default());
        let columns = self.schema.key.iter().chain(&self.schema.clustering);
        let pairs = columns.zip(parts.iter().map(Vec::as_slice).chain(clustering));
        let (names, literals): (Vec<_>, Vec<_>) = pairs
            .map(|(c, value)| (quoted(&c.name), c.cql_type.to_cql_literal(value)))
            .unzip();
        (names.join(", "), literals.join(", "))
    }

    /// The TTL that leads to an expiry; `None` where that has passed.
    fn ttl(&self, expiry: Option<i64>) -> Option<i64> {
        match expiry {
            None => Some(0),
            Some(expires) => Some(expires.saturating_sub(self.now)).filter(|left| *left > 0),
        }
    }

    fn row(
        &mut self,
        mut work: RowWork<'_>,
        target: &Decoded<'_>,
        base: &Decoded<'_>,
        keys: (String, String),
        out: &mut Output,
    ) -> Result<()> {
        let mut row_deletes = Vec::new();
        if target.deletion.is_live() {
            let is_left =
                !base.deletion.is_live() && !work.partition.covers(base.deletion.timestamp);
            self.tally.stay += u64::from(is_left);
        } else if target.is_shadowable {
            work.missing
                .push("a shadowable deletion, which only a view makes".into());
        } else if !base.deletion.covers(target.deletion.timestamp) {
            row_deletes.push(target.deletion.timestamp);
        }
        let mut columns: BTreeMap<&[u8], Sides<&[u8]>> = BTreeMap::new();
        for (name, body) in &target.columns {
            columns.entry(name).or_default().0 = Some(body);
        }
        for (name, body) in &base.columns {
            columns.entry(name).or_default().1 = Some(body);
        }
        let covering = target.deletion.max(work.partition);
        self.liveness(&mut work, target, base, covering, &mut row_deletes);
        // What a DELETE of the row takes along.
        let gone = row_deletes
            .iter()
            .max()
            .map_or(Deletion::LIVE, |timestamp| Deletion {
                timestamp: *timestamp,
                local_time: 0,
            });
        let covering = covering.max(gone);
        for (name, (new, old)) in columns {
            if new != old {
                self.column(&mut work, name, new, old, covering, base.deletion);
            }
        }
        let (name, matching) = (&self.name, work.matching);
        for timestamp in row_deletes {
            out.line(format!(
                "DELETE FROM {name} USING TIMESTAMP {timestamp} WHERE {matching};"
            ))?;
        }
        for (timestamp, what) in &work.deletes {
            let what = what.join(", ");
            out.line(format!(
                "DELETE {what} FROM {name} USING TIMESTAMP {timestamp} WHERE {matching};"
            ))?;
        }
        let inserted = target
            .liveness
            .timestamp
            .filter(|_| target.liveness != base.liveness && !keys.0.is_empty())
            .map(|timestamp| {
                let expiry = (target.liveness.ttl != 0).then_some(target.liveness.expires);
                (timestamp, self.ttl(expiry).unwrap_or(1))
            });
        if let Some(of_insert) = inserted {
            work.writes.entry(of_insert).or_default();
        }
        for ((timestamp, ttl), writes) in &work.writes {
            let using = format!("USING TIMESTAMP {timestamp} AND TTL {ttl}");
            let is_insert = inserted == Some((*timestamp, *ttl));
            let (mut names, mut literals) = keys.clone();
            let mut sets = Vec::new();
            let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for write in writes {
                match write {
                    Write::Column(column, literal) if is_insert => {
                        names.push_str(&format!(", {column}"));
                        literals.push_str(&format!(", {literal}"));
                    }
                    Write::Column(column, literal) => sets.push(format!("{column} = {literal}")),
                    Write::Element(text) => sets.push(text.clone()),
                    Write::Member(column, literal) => {
                        members.entry(column).or_default().push(literal);
                    }
                }
            }
            for (column, literals) in members {
                sets.push(format!("{column} = {column} + {{{}}}", literals.join(", ")));
            }
            if is_insert {
                out.line(format!(
                    "INSERT INTO {name} ({names}) VALUES ({literals}) {using};"
                ))?;
            }
            if !sets.is_empty() {
                let sets = sets.join(", ");
                out.line(format!(
                    "UPDATE {name} {using} SET {sets} WHERE {matching};"
                ))?;
            }
        }
        for what in work.missing {
            self.cannot(out, work.shown, &what)?;
        }
        Ok(())
    }

    fn liveness(
        &mut self,
        work: &mut RowWork<'_>,
        target: &Decoded<'_>,
        base: &Decoded<'_>,
        covering: Deletion,
        row_deletes: &mut Vec<i64>,
    ) {
        if target.liveness == base.liveness {
            return;
        }
        let rank = |l: &Liveness| (l.timestamp, l.ttl != 0, l.expires);
        match (target.liveness.timestamp, base.liveness.timestamp) {
            (Some(new), _) if base.deletion.covers(new) => {
                work.missing.push(format!(
                    "the INSERT of timestamp {new}: the base has deleted the row later"
                ));
            }
            (Some(new), Some(_)) if rank(&target.liveness) < rank(&base.liveness) => {
                work.missing.push(format!(
                    "the INSERT of timestamp {new}: the base's is newer"
                ));
            }
            (None, Some(old)) if !covering.covers(old) => {
                let hides = |body: &[u8]| match value::decode_body(body) {
                    Some(Body::Simple(e)) => e.timestamp <= Some(old),
                    Some(Body::Complex(_, all)) => all.iter().any(|e| e.timestamp <= Some(old)),
                    None => true,
                };
                if target.columns.iter().any(|(_, body)| hides(body)) {
                    work.missing.push(format!(
                        "the base's INSERT of timestamp {old} can't be taken back without cells that the target has"
                    ));
                } else {
                    self.tally.new_tombstones += 1;
                    row_deletes.push(old);
                }
            }
            _ => {}
        }
    }
}
