//! A small model of last-write-wins: rows as `mdiff cat --json` prints them, and of each place the strongest write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub const NOW: i64 = 1_795_311_000;

/// A write: timestamp, whether it deletes, its value, and when it expires (0: never). The greatest wins.
pub type Write = (i64, bool, i64, String);
/// A relation of a range deletion: columns, operator, values.
pub type Relation = (Vec<String>, String, Vec<String>);

#[derive(Default)]
pub struct Model {
    /// By partition.
    pub partitions: BTreeMap<String, i64>,
    pub ranges: BTreeMap<String, Vec<(i64, Vec<Relation>)>>,
    /// By row: partition, and clustering values or `static`.
    pub rows: BTreeMap<(String, Vec<String>), BTreeMap<String, Write>>,
    /// Bounds as they were printed: values, side, and the timestamp of what follows.
    pub bounds: BTreeMap<String, Vec<(Vec<String>, bool, i64)>>,
}

pub struct Shape {
    pub key: Vec<String>,
    pub clustering: Vec<String>,
    /// The columns whose elements are the paths of a list.
    pub lists: BTreeSet<String>,
    /// Fields of the columns of a user-defined type, in order.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// A value without what tells a literal of CQL from JSON: quotes, blanks, kinds of brackets.
pub fn plain(text: &str) -> String {
    text.replace("+0000'", "Z'")
        .chars()
        .filter(|c| !matches!(c, '"' | '\'' | ' ' | '\\'))
        .map(|c| match c {
            '{' | '(' => '[',
            '}' | ')' => ']',
            c => c,
        })
        .collect()
}

pub fn of_json(value: &Value) -> String {
    plain(&match value {
        // The value of a set's element.
        Value::String(text) if text == "0x" => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

pub fn number(value: &Value, name: &str) -> Option<i64> {
    value.get(name).and_then(Value::as_i64)
}

impl Model {
    pub fn put(&mut self, row: &(String, Vec<String>), place: String, write: Write) {
        let slot = self
            .rows
            .entry(row.clone())
            .or_default()
            .entry(place)
            .or_insert(write.clone());
        if *slot < write {
            *slot = write;
        }
    }

    pub fn of_snapshot(json: &str, shape: &Shape) -> Model {
        let mut model = Model::default();
        for line in json.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let (key, value) = (&line["key"], &line["value"]);
            let part = |names: &[String]| -> Vec<String> {
                names
                    .iter()
                    .filter_map(|name| key.get(name))
                    .map(of_json)
                    .collect()
            };
            let partition = part(&shape.key).join(",");
            let mut clustering = part(&shape.clustering);
            let row_deletion = number(&value["[row]"]["deleted"], "timestamp");
            if key.get("[partition deletion]").is_some() {
                model.partitions.insert(partition, row_deletion.unwrap());
                continue;
            }
            if let Some(side) = key.get("[bound]") {
                let bound = (
                    clustering,
                    side == "behind",
                    row_deletion.unwrap_or(i64::MIN),
                );
                model.bounds.entry(partition).or_default().push(bound);
                continue;
            }
            if key.get("[static]").is_some() {
                clustering = vec!["static".into()];
            }
            let row = (partition, clustering);
            for (name, column) in value.as_object().unwrap() {
                if name == "[row]" {
                    let inserted = &column["inserted"];
                    if let Some(timestamp) = number(inserted, "timestamp") {
                        let expires = number(inserted, "expires").unwrap_or(0);
                        model.put(
                            &row,
                            "[inserted]".into(),
                            (timestamp, false, expires, String::new()),
                        );
                    }
                    if let Some(timestamp) = row_deletion {
                        model.put(
                            &row,
                            "[deleted]".into(),
                            (timestamp, true, 0, String::new()),
                        );
                    }
                    continue;
                }
                let cell = |cell: &Value| {
                    let timestamp = number(cell, "timestamp").unwrap();
                    match cell.get("deleted") {
                        Some(_) => (timestamp, true, 0, String::new()),
                        None => {
                            let expires = number(cell, "expires").unwrap_or(0);
                            (timestamp, false, expires, of_json(&cell["value"]))
                        }
                    }
                };
                let Some(elements) = column.get("elements") else {
                    model.put(&row, name.clone(), cell(column));
                    continue;
                };
                if let Some(timestamp) = number(&column["deleted"], "timestamp") {
                    model.put(
                        &row,
                        format!("{name}[]"),
                        (timestamp, true, 0, String::new()),
                    );
                }
                for element in elements.as_array().unwrap() {
                    let path = of_json(&element["path"]);
                    model.put(&row, format!("{name}[{path}]"), cell(&element["cell"]));
                }
            }
        }
        model
    }

    /// What deletes a row as a whole: of its partition and of the ranges it lies in.
    pub fn covering(&self, row: &(String, Vec<String>), shape: &Shape) -> i64 {
        let mut covering = self.partitions.get(&row.0).copied().unwrap_or(i64::MIN);
        if row.1 == ["static"] {
            return covering;
        }
        let mut state = i64::MIN;
        for (values, is_behind, timestamp) in self.bounds.get(&row.0).into_iter().flatten() {
            let order = compare(values, &row.1);
            if order.is_lt() || order.is_eq() && !is_behind {
                state = *timestamp;
            }
        }
        covering = covering.max(state);
        for (timestamp, relations) in self.ranges.get(&row.0).into_iter().flatten() {
            let holds = relations.iter().all(|(columns, operator, values)| {
                let of_row: Vec<String> = columns
                    .iter()
                    .map(|c| row.1[shape.clustering.iter().position(|k| k == c).unwrap()].clone())
                    .collect();
                let order = compare(&of_row, values);
                match operator.as_str() {
                    "=" => order.is_eq(),
                    ">" => order.is_gt(),
                    ">=" => order.is_ge(),
                    "<" => order.is_lt(),
                    _ => order.is_le(),
                }
            });
            if holds {
                covering = covering.max(*timestamp);
            }
        }
        covering
    }

    /// What is left of the rows: live writes, and what deletes more than a cell; of `rows`, what covers them.
    pub fn seen(
        &self,
        shape: &Shape,
        rows: &BTreeSet<(String, Vec<String>)>,
    ) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        for row in rows {
            let mut covering = self.covering(row, shape);
            if covering > i64::MIN {
                seen.insert(format!("{row:?} covered"), covering.to_string());
            }
            let Some(places) = self.rows.get(row) else {
                continue;
            };
            let timestamp = |place: &str| places.get(place).map_or(i64::MIN, |write| write.0);
            covering = covering.max(timestamp("[deleted]"));
            for (place, write) in places {
                let column = place.split('[').next().unwrap();
                let hidden = covering.max(match column.is_empty() || place.ends_with("[]") {
                    true => i64::MIN,
                    false => timestamp(&format!("{column}[]")),
                });
                if write.0 > hidden && !write.1 && !shape.lists.contains(column) {
                    seen.insert(format!("{row:?} {place}"), format!("{write:?}"));
                }
            }
        }
        seen
    }
}

pub fn compare(a: &[String], b: &[String]) -> std::cmp::Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    std::cmp::Ordering::Equal
}
