//! Statements of CQL, as far as patches need them, run on the model.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Model, NOW, Relation, Shape, plain};

/// Splits at a separator outside of quotes and brackets.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 && quote.is_none() && at >= start && text[at..].starts_with(separator) {
            parts.push(text[start..at].trim());
            start = at + separator.len();
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn relation(text: &str) -> Relation {
    for operator in [" >= ", " <= ", " > ", " < ", " = "] {
        if let [left, right] = split(text, operator)[..] {
            let list = |text: &str, is_tuple: bool| -> Vec<String> {
                match is_tuple {
                    true => split(&text[1..text.len() - 1], ",")
                        .into_iter()
                        .map(plain)
                        .collect(),
                    false => vec![plain(text)],
                }
            };
            let is_tuple = left.starts_with('(');
            return (
                list(left, is_tuple),
                operator.trim().into(),
                list(right, is_tuple),
            );
        }
    }
    panic!("{text}");
}

fn using(text: &str) -> (i64, i64) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words[at + 1].parse::<i64>().ok()
    };
    let expires = match after("TTL") {
        None | Some(0) => 0,
        Some(ttl) => NOW + ttl,
    };
    (after("TIMESTAMP").unwrap(), expires)
}

/// `"m"['k']`, `"u"."f"` and `"v"` as the model names places.
fn place(text: &str, shape: &Shape) -> String {
    if let [column, field] = split(text, ".")[..] {
        let column = plain(column);
        let at = shape.fields[&column]
            .iter()
            .position(|f| *f == plain(field))
            .unwrap();
        return format!("{column}[{at}]");
    }
    match text.split_once("\"[") {
        Some((column, path)) => format!("{}[{}]", plain(column), plain(&path[..path.len() - 1])),
        None => plain(text),
    }
}

/// Runs a statement.
pub fn run(model: &mut Model, statement: &str, shape: &Shape, complex: &BTreeSet<String>) {
    let statement = statement.trim().strip_suffix(';').unwrap();
    let row_of = |relations: &[Relation]| {
        let of = |names: &[String]| -> Vec<String> {
            let value = |name| {
                relations
                    .iter()
                    .find(|r| r.0 == [String::clone(name)] && r.1 == "=")
            };
            names
                .iter()
                .filter_map(value)
                .map(|r| r.2[0].clone())
                .collect()
        };
        (of(&shape.key).join(","), of(&shape.clustering))
    };
    let at_static = |mut row: (String, Vec<String>)| {
        if row.1.is_empty() && !shape.clustering.is_empty() {
            row.1.push("static".into());
        }
        row
    };
    if let Some(rest) = statement.strip_prefix("INSERT INTO ") {
        let [columns, rest] = split(rest, " VALUES ")[..] else {
            panic!("{statement}")
        };
        let [values, rest] = split(rest, " USING ")[..] else {
            panic!("{statement}")
        };
        let (timestamp, expires) = using(rest);
        let columns = &columns[columns.find('(').unwrap() + 1..columns.len() - 1];
        let columns = split(columns, ",").into_iter().map(plain);
        let values = split(&values[1..values.len() - 1], ",")
            .into_iter()
            .map(plain);
        let pairs: BTreeMap<String, String> = columns.zip(values).collect();
        let of = |names: &[String]| names.iter().map(|n| pairs[n].clone()).collect::<Vec<_>>();
        let row = (of(&shape.key).join(","), of(&shape.clustering));
        model.put(
            &row,
            "[inserted]".into(),
            (timestamp, false, expires, String::new()),
        );
        for (column, value) in pairs {
            if !shape.key.contains(&column) && !shape.clustering.contains(&column) {
                model.put(&row, column, (timestamp, false, expires, value));
            }
        }
        return;
    }
    let [head, filter] = split(statement, " WHERE ")[..] else {
        panic!("{statement}")
    };
    let relations: Vec<Relation> = split(filter, " AND ").into_iter().map(relation).collect();
    let row = row_of(&relations);
    if let Some(rest) = head.strip_prefix("UPDATE ") {
        let [with, sets] = split(rest, " SET ")[..] else {
            panic!("{statement}")
        };
        let (timestamp, expires) = using(with);
        let row = at_static(row);
        for set in split(sets, ",") {
            let [left, right] = split(set, " = ")[..] else {
                panic!("{set}")
            };
            if let Some(members) = right.strip_prefix(&format!("{left} + ")) {
                for member in split(&members[1..members.len() - 1], ",") {
                    let place = format!("{}[{}]", plain(left), plain(member));
                    model.put(&row, place, (timestamp, false, expires, String::new()));
                }
            } else {
                model.put(
                    &row,
                    place(left, shape),
                    (timestamp, false, expires, plain(right)),
                );
            }
        }
        return;
    }
    let rest = head.strip_prefix("DELETE ").unwrap();
    let (timestamp, _) = using(rest);
    let write = (timestamp, true, 0, String::new());
    match rest.strip_prefix("FROM ") {
        Some(_) if relations.len() == shape.key.len() && !shape.clustering.is_empty() => {
            let slot = model.partitions.entry(row.0).or_insert(timestamp);
            *slot = (*slot).max(timestamp);
        }
        Some(_) if row.1.len() == shape.clustering.len() => {
            model.put(&row, "[deleted]".into(), write);
        }
        Some(_) => {
            let of_range = relations
                .into_iter()
                .filter(|r| !shape.key.contains(&r.0[0]))
                .collect();
            model
                .ranges
                .entry(row.0)
                .or_default()
                .push((timestamp, of_range));
        }
        None => {
            let [what, _] = split(rest, " FROM ")[..] else {
                panic!("{statement}")
            };
            let row = at_static(row);
            for what in split(what, ",") {
                let mut place = place(what, shape);
                if complex.contains(&place) {
                    place.push_str("[]");
                }
                model.put(&row, place, write.clone());
            }
        }
    }
}
