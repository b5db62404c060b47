//! What of a column changed: cells, elements of collections, fields.

use std::collections::BTreeMap;

use super::{RowWork, Sides, Statements, Write, quoted};
use crate::row::cql::element_types;
use crate::row::escape;
use crate::source::cassandra::model::Deletion;
use crate::source::cassandra::types::CqlType;
use crate::source::cassandra::value::{self, Body, Element};

impl Statements<'_> {
    pub(super) fn column(
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
        let deletion_of = |body: Option<&[u8]>| match body.map(value::decode_body) {
            None | Some(Some(Body::Simple(_))) => Some(Deletion::LIVE),
            Some(Some(Body::Complex(deletion, _))) => Some(deletion),
            Some(None) => None,
        };
        let (Some(new_deletion), Some(old_deletion)) = (deletion_of(new), deletion_of(old)) else {
            return work.missing.push(format!("column {shown} is malformed"));
        };
        if new_deletion.is_live() {
            let is_left = !old_deletion.is_live() && !covering.covers(old_deletion.timestamp);
            self.tally.stay += u64::from(is_left);
        } else if !old_deletion.covers(new_deletion.timestamp) {
            let deletes = work.deletes.entry(new_deletion.timestamp).or_default();
            deletes.push(quoted_name.clone());
        }
        let covering = covering.max(new_deletion);
        let hidden_by = base_deletion.max(old_deletion);
        let mut elements: BTreeMap<&[u8], Sides<Element<'_>>> = BTreeMap::new();
        for element in elements_of(new) {
            let path = element.path;
            elements.entry(path).or_default().0 = Some(element);
        }
        for element in elements_of(old) {
            let path = element.path;
            elements.entry(path).or_default().1 = Some(element);
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
}

fn elements_of(body: Option<&[u8]>) -> Vec<Element<'_>> {
    match body.and_then(value::decode_body) {
        Some(Body::Simple(element)) => vec![element],
        Some(Body::Complex(_, elements)) => elements,
        None => Vec::new(),
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
