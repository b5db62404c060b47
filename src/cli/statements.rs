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

use std::collections::BTreeMap;

use super::bounds::{BoundOp, Step, slice};
use super::output::Output;
use crate::error::Result;
use crate::patch::{Op, PatchTable};
use crate::range::KeyRange;
use crate::row::cql::{CqlSchema, element_types};
use crate::row::escape;
use crate::source::Table;
use crate::source::cassandra::key::{self, Place};
use crate::source::cassandra::model::{Deletion, Liveness};
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value::{self, Body, Decoded, Element};

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
        let mut columns: BTreeMap<&[u8], (Option<&[u8]>, Option<&[u8]>)> = BTreeMap::new();
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

    fn column(
        &mut self,
        work: &mut RowWork<'_>,
        name: &[u8],
        new: Option<&[u8]>,
        old: Option<&[u8]>,
        covering: Deletion,
        base_deletion: Deletion,
    ) {
        let shown = escape(name).into_owned();
        let quoted_name = match std::str::from_utf8(name) {
            Ok(name) if !name.is_empty() => quoted(name),
            _ => {
                return work
                    .missing
                    .push(format!("column {shown:?} has no name in CQL"));
            }
        };
        let Some(cql_type) = self.schema.type_of(name) else {
            if new.is_some() {
                work.missing
                    .push(format!("column {shown} is not in the base's schema"));
            }
            return;
        };
        let split = |body: Option<&'_ [u8]>| -> Option<(bool, Deletion, Vec<u8>)> {
            let body = body?;
            match value::decode_body(body)? {
                Body::Simple(_) => Some((false, Deletion::LIVE, body.to_vec())),
                Body::Complex(deletion, _) => Some((true, deletion, body.to_vec())),
            }
        };
        if (new.is_some() && split(new).is_none()) || (old.is_some() && split(old).is_none()) {
            return work.missing.push(format!("column {shown} is malformed"));
        }
        let none = (false, Deletion::LIVE, Vec::new());
        let (_, new_deletion, _) = split(new).unwrap_or(none.clone());
        let (_, old_deletion, _) = split(old).unwrap_or(none);
        if new_deletion.is_live() {
            let is_left = !old_deletion.is_live() && !covering.covers(old_deletion.timestamp);
            self.tally.stay += u64::from(is_left);
        } else if !old_deletion.covers(new_deletion.timestamp) {
            let deletes = work.deletes.entry(new_deletion.timestamp).or_default();
            deletes.push(quoted_name.clone());
        }
        let covering = covering.max(new_deletion);
        let hidden_by = base_deletion.max(old_deletion);
        let mut elements: BTreeMap<&[u8], (Option<Element<'_>>, Option<Element<'_>>)> =
            BTreeMap::new();
        let list = |body: Option<&'_ [u8]>| {
            match body.and_then(value::decode_body) {
                Some(Body::Simple(element)) => vec![element],
                Some(Body::Complex(_, elements)) => elements,
                None => Vec::new(),
            }
            .into_iter()
            .map(|e| {
                (
                    e.path.to_vec(),
                    e.value.map(<[u8]>::to_vec),
                    e.timestamp,
                    e.expiry,
                    e.deleted,
                )
            })
            .collect::<Vec<_>>()
        };
        let (new_list, old_list) = (list(new), list(old));
        type Owned = (
            Vec<u8>,
            Option<Vec<u8>>,
            Option<i64>,
            Option<(i64, i64)>,
            Option<i64>,
        );
        fn element(e: &Owned) -> Element<'_> {
            Element {
                path: &e.0,
                value: e.1.as_deref(),
                timestamp: e.2,
                expiry: e.3,
                deleted: e.4,
            }
        }
        for e in &new_list {
            elements.entry(&e.0).or_default().0 = Some(element(e));
        }
        for e in &old_list {
            elements.entry(&e.0).or_default().1 = Some(element(e));
        }
        for (path, (new, old)) in elements {
            if new != old {
                let of = Spot {
                    cql_type,
                    name: &quoted_name,
                    path,
                };
                self.element(work, &of, new, old, covering, hidden_by);
            }
        }
    }

    fn element(
        &mut self,
        work: &mut RowWork<'_>,
        of: &Spot<'_>,
        new: Option<Element<'_>>,
        old: Option<Element<'_>>,
        covering: Deletion,
        hidden_by: Deletion,
    ) {
        let (path_type, value_type) = element_types(of.cql_type);
        let path = path_type
            .map(|t| t.to_cql_literal(of.path))
            .unwrap_or_default();
        let value_type = value_type(of.path);
        let name = of.name;
        let field = match of.cql_type {
            CqlType::Udt { fields, .. } => <[u8; 2]>::try_from(of.path)
                .ok()
                .and_then(|at| fields.get(usize::from(u16::from_be_bytes(at))))
                .map(|(field, _)| format!("{name}.{}", quoted(field))),
            _ => None,
        };
        let place = match (of.cql_type, field) {
            (CqlType::List(_), _) => None,
            (CqlType::Set(_) | CqlType::Map(..), _) => Some(format!("{name}[{path}]")),
            (CqlType::Udt { .. }, field) => field,
            _ => Some(name.to_owned()),
        };
        let rank = |e: &Element<'_>| {
            let value = e.value.map(<[u8]>::to_vec);
            (
                e.timestamp,
                e.value.is_none(),
                e.expiry.map(|(_, at)| at),
                value,
            )
        };
        let Some(new) = new else {
            let Some(old) = old else { return };
            let at = old.timestamp.unwrap_or_default();
            if covering.covers(at) {
                return;
            }
            match (old.value, place) {
                (None, _) => self.tally.stay += 1,
                (Some(_), Some(place)) => {
                    self.tally.new_tombstones += 1;
                    work.deletes.entry(at).or_default().push(place);
                }
                (Some(_), None) => work.missing.push(list_element(name, &path, "deleted")),
            }
            return;
        };
        let at = new.timestamp.unwrap_or_default();
        let Some(place) = place else {
            return work.missing.push(list_element(name, &path, "written"));
        };
        if let Some(old) = &old {
            if new.value.is_none() && old.value.is_none() && new.timestamp == old.timestamp {
                return;
            }
            if rank(&new) < rank(old) {
                return work.missing.push(format!(
                    "{place} at timestamp {at}: the base's write is newer"
                ));
            }
        }
        if hidden_by.covers(at) {
            return work.missing.push(format!(
                "{place} at timestamp {at}: the base has deleted it later"
            ));
        }
        let ttl = self.ttl(new.expiry.map(|(_, expires)| expires));
        let (Some(value), Some(ttl)) = (new.value, ttl) else {
            return work.deletes.entry(at).or_default().push(place);
        };
        let literal = match of.cql_type.is_complex() {
            true => value_type.to_cql_literal(value),
            false => of.cql_type.to_cql_literal(value),
        };
        let write = match of.cql_type {
            CqlType::Set(_) => Write::Member(name.to_owned(), path),
            t if t.is_complex() => Write::Element(format!("{place} = {literal}")),
            _ => Write::Column(place, literal),
        };
        work.writes.entry((at, ttl)).or_default().push(write);
    }

    /// Prints the range deletions, and returns what could not be said.
    ///
    /// # Errors
    ///
    /// Those of printing, and of reading the base.
    pub fn finish(mut self, out: &mut Output) -> Result<Tally> {
        self.end_range();
        let bounds = std::mem::take(&mut self.bounds);
        for group in bounds.chunk_by(|a, b| a.prefix == b.prefix) {
            self.partition_bounds(group, out)?;
        }
        Ok(self.tally)
    }

    fn partition_bounds(&mut self, group: &[BoundOp], out: &mut Output) -> Result<()> {
        let Some(first) = group.first() else {
            return Ok(());
        };
        let mut steps: BTreeMap<Vec<u8>, Step> = BTreeMap::new();
        if let Some(table) = self.base {
            let from = [first.prefix.as_slice(), &[key::CLUSTERED]].concat();
            let to = [first.prefix.as_slice(), &[key::CLUSTERED + 1]].concat();
            let mut rows = table.scan(&KeyRange { from, to: Some(to) })?;
            while let Some(row) = rows.next()? {
                if let Some((_, Place::Bound(values, side))) = self.schema.decode_key(row.key) {
                    let deletion = value::decode(row.value).map(|value| value.deletion);
                    let step = Step {
                        values,
                        side,
                        base: deletion,
                        target: deletion,
                    };
                    steps.insert(row.key.to_vec(), step);
                }
            }
        }
        for bound in group {
            let mut step = bound.step.clone();
            if let Some(there) = steps.get(&bound.key) {
                step.base = there.base;
            }
            steps.insert(bound.key.clone(), step);
        }
        // Whether all bounds between two are known: the base is there, or the patch has all of its rows.
        let has_base = self.base.is_some();
        let knows = |from: &[u8], to: &[u8]| {
            let within = |w: &KeyRange| w.contains(from) && w.contains(to);
            has_base
                || group
                    .iter()
                    .any(|bound| bound.within.as_ref().is_some_and(within))
        };
        let mut target = Deletion::LIVE;
        let mut base = Deletion::LIVE;
        let mut pieces = Vec::new();
        let all: Vec<_> = steps.iter().collect();
        for (at, (key, step)) in all.iter().enumerate() {
            let is_first_known = match all.get(at.wrapping_sub(1)) {
                Some((before, _)) => knows(before, key),
                None => knows(&first.prefix, key),
            };
            base = step
                .base
                .unwrap_or(if is_first_known { base } else { Deletion::LIVE });
            target = match step.target {
                Some(deletion) => deletion,
                None if is_first_known => target,
                // It goes on as what began before, which is not told.
                None => {
                    pieces.push((*key, *step, None, Err("what reaches over the bound that is gone is not in the patch (name the base with --base)")));
                    Deletion::LIVE
                }
            };
            let next = all.get(at + 1);
            if target.is_live()
                || base.covers(target.timestamp) && base.timestamp == target.timestamp
            {
                if target.is_live() && !base.is_live() && !first.partition.covers(base.timestamp) {
                    let why = "the base's range deletion can't be taken back";
                    pieces.push((*key, *step, None, Err(why)));
                }
                continue;
            }
            let what = match next {
                Some((end, _)) if knows(key, end) => {
                    if base.covers(target.timestamp) {
                        let why = "the base's range deletion is newer";
                        pieces.push((*key, *step, None, Err(why)));
                        continue;
                    }
                    Ok(target.timestamp)
                }
                _ => Err(
                    "where the range deletion ends is not in the patch (name the base with --base)",
                ),
            };
            pieces.push((*key, *step, next.map(|(_, end)| *end), what));
        }
        for (key, start, end, what) in pieces {
            let shown = self.table.schema.show_key(key);
            let text = match (what, end) {
                (Ok(timestamp), Some(end)) => slice(&self.schema.clustering, start, end)
                    .map(|relations| (timestamp, relations))
                    .ok_or("the bounds of the range deletion have no form in CQL"),
                (Err(why), _) => Err(why),
                (Ok(_), None) => Err("the range deletion has no end"),
            };
            match text {
                Ok((timestamp, relations)) => out.line(format!(
                    "DELETE FROM {} USING TIMESTAMP {timestamp} WHERE {} AND {relations};",
                    self.name, first.matching
                ))?,
                Err(why) => self.cannot(out, &shown, why)?,
            }
        }
        Ok(())
    }
}

/// A column, and which of its elements.
struct Spot<'p> {
    cql_type: &'p CqlType,
    name: &'p str,
    path: &'p [u8],
}

fn list_element(name: &str, path: &str, what: &str) -> String {
    format!("the element {path} of the list {name} can't be {what} by its path")
}
