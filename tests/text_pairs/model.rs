//! Tables as a map of the standard library holds them, and what mdiff has to say of two of them. Shares no code with mdiff.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::common::Random;

/// A field of a row; `None` is NULL.
pub type Field = Option<Vec<u8>>;

/// Rows by their key's fields.
pub type Rows = BTreeMap<Vec<Vec<u8>>, Vec<Field>>;

/// The columns of a table: those of the key in the order of comparison, the others in ascending order.
#[derive(Debug, Clone)]
pub struct Columns {
    pub key: Vec<String>,
    pub value: Vec<String>,
}

/// What a random table may hold.
#[derive(Debug, Clone)]
pub struct Kind {
    pub columns: Columns,
    /// How NULL is spelled, where there is NULL.
    pub null: Option<&'static str>,
    /// Fields may hold zero bytes.
    pub zeros: bool,
    /// Fields may be large.
    pub huge: bool,
}

const TEXTS: &[&[u8]] = &[
    b"",
    b"0",
    b"a",
    b"A",
    b"aa",
    b"x,y",
    b"x;y|z",
    b"tab\there",
    b"say \"hi\"",
    b"\"",
    b"two\nlines",
    b"three\r\nlines\n",
    b"\r",
    b"\n",
    b" space ",
    b"\\N",
    b"NULL",
    b"null",
    b"O'Neil",
    b"back\\slash",
    "\u{fc}n\u{ef}".as_bytes(),
    "\u{65e5}\u{672c}".as_bytes(),
    "\u{1f600}".as_bytes(),
    b"\xff\xfe",
    b"\xc3",
    b"{\"json\": [1, 2]}",
];

impl Kind {
    /// A random kind; with `numbered` columns, as a text without a header has them.
    pub fn random(random: &mut Random, numbered: bool) -> Kind {
        let keys = [1, 1, 1, 2, 3][random.below(5) as usize];
        let values = random.below(5) as usize;
        let (key, mut value): (Vec<String>, Vec<String>) = if numbered {
            // The key's columns may stand anywhere in the line, in any order.
            let mut all: Vec<String> = (1..=keys + values).map(|n| n.to_string()).collect();
            random.shuffle(&mut all);
            let value = all.split_off(keys);
            (all, value)
        } else {
            let odd = ["v", "a b", "quo\"te", "com,ma", "na\u{ef}ve", "Z"];
            (
                ["id", "Tenant", "k3"][..keys]
                    .iter()
                    .map(|s| s.to_string())
                    .collect(),
                odd[random.below(2) as usize..][..values]
                    .iter()
                    .map(|s| s.to_string())
                    .collect(),
            )
        };
        value.sort();
        Kind {
            columns: Columns { key, value },
            null: [None, Some("\\N"), Some("NULL"), Some("")][random.below(4) as usize],
            zeros: random.below(6) == 0,
            huge: random.below(10) == 0,
        }
    }

    fn text(&self, random: &mut Random) -> Vec<u8> {
        match random.below(if self.huge { 40 } else { 12 }) {
            0..4 => TEXTS[random.below(TEXTS.len() as u64) as usize].to_vec(),
            4 if self.zeros => b"\0\xff\0"[..random.below(4) as usize].to_vec(),
            5 if self.huge => vec![b'h'; 300_000 + random.below(9) as usize],
            6 if self.huge => "\"\u{e9}\n,".repeat(30_000).into_bytes(),
            _ => format!("text {}", random.below(1000)).into_bytes(),
        }
    }

    fn key(&self, random: &mut Random, space: u64) -> Vec<Vec<u8>> {
        (0..self.columns.key.len())
            .map(|_| match random.below(4) {
                0 => self.text(random),
                _ => format!("{:05}", random.below(space)).into_bytes(),
            })
            .collect()
    }

    fn value(&self, random: &mut Random) -> Vec<Field> {
        (0..self.columns.value.len())
            .map(|_| {
                if self.null.is_some() && random.below(5) == 0 {
                    None
                } else {
                    Some(self.text(random))
                }
            })
            .collect()
    }

    /// Random rows: none, one, some, or thousands.
    pub fn rows(&self, random: &mut Random) -> Rows {
        let count = [0, 1, 2, 17, 300, 300, 2500][random.below(7) as usize];
        let count = if self.huge { count.min(60) } else { count };
        (0..count)
            .map(|_| (self.key(random, 2 * count + 1), self.value(random)))
            .collect()
    }

    /// The rows with some inserted, deleted and changed.
    pub fn change(&self, random: &mut Random, rows: &Rows) -> Rows {
        let mut changed = rows.clone();
        for _ in 0..[0, 1, 1, 3, 20, 300][random.below(6) as usize] {
            let known = rows.len().max(1) as u64;
            match rows.keys().nth(random.below(known) as usize).cloned() {
                Some(key) if random.below(3) == 0 => drop(changed.remove(&key)),
                Some(key) if random.below(2) == 0 => {
                    // One column, mostly.
                    let mut value = rows[&key].clone();
                    if let Some(field) = random.pick(&mut value) {
                        *field = Some(self.text(random));
                    }
                    changed.insert(key, value);
                }
                _ => drop(changed.insert(self.key(random, 5000), self.value(random))),
            }
        }
        changed
    }
}

impl Random {
    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    /// One of `items`, if there is any.
    pub fn pick<'a, T>(&mut self, items: &'a mut [T]) -> Option<&'a mut T> {
        let count = items.len().max(1) as u64;
        let index = self.below(count) as usize;
        items.get_mut(index)
    }
}

/// Bytes as mdiff prints them in JSON.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            json!({ "hex": bytes.iter().map(|b| format!("{b:02x}")).collect::<String>() })
        }
    }
}

fn object(names: &[String], fields: impl Iterator<Item = Value>) -> Value {
    Value::Object(names.iter().cloned().zip(fields).collect::<Map<_, _>>())
}

/// The lines of `cat --json`.
pub fn cat_lines(columns: &Columns, rows: &Rows) -> Vec<String> {
    rows.iter()
        .map(|(key, value)| {
            json!({ "table": "default", "key": key_json(columns, key), "value": value_json(columns, value) })
                .to_string()
        })
        .collect()
}

/// A key as mdiff prints it in JSON.
pub fn key_json(columns: &Columns, key: &[Vec<u8>]) -> Value {
    object(&columns.key, key.iter().map(|field| bytes(field)))
}

/// A value as mdiff prints it in JSON.
pub fn value_json(columns: &Columns, value: &[Field]) -> Value {
    let show = |field: &Field| field.as_deref().map_or(Value::Null, bytes);
    object(&columns.value, value.iter().map(show))
}

/// What two tables differ in.
pub struct Difference {
    /// The lines of `diff --json`.
    pub diff_lines: Vec<String>,
    /// Operation, key and value that `cat PATCH --json` prints, without what they replace.
    pub ops: Vec<(&'static str, Value, Value, bool)>,
    /// The lines of `diff --stat`.
    pub stat: String,
}

/// Finds what differs, by looking at every key of both maps.
pub fn difference(columns: &Columns, left: &Rows, right: &Rows) -> Difference {
    let mut keys: Vec<&Vec<Vec<u8>>> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut found = Difference {
        diff_lines: Vec::new(),
        ops: Vec::new(),
        stat: String::new(),
    };
    let mut counts = [0, 0, 0];
    let mut by_column = BTreeMap::new();
    for key in keys {
        let (l, r) = (left.get(key), right.get(key));
        let kind = match (l, r) {
            (Some(l), Some(r)) if l == r => continue,
            (Some(l), Some(r)) => {
                for (i, name) in columns.value.iter().enumerate() {
                    if l[i] != r[i] {
                        *by_column.entry(name).or_insert(0) += 1;
                    }
                }
                2
            }
            (Some(_), None) => 0,
            (None, _) => 1,
        };
        counts[kind] += 1;
        let show =
            |value: Option<&Vec<Field>>| value.map_or(Value::Null, |v| value_json(columns, v));
        let key = key_json(columns, key);
        let change = ["only_left", "only_right", "changed"][kind];
        found.diff_lines.push(
            json!({
                "table": "default",
                "change": change,
                "key": key,
                "left": show(l),
                "right": show(r),
            })
            .to_string(),
        );
        let op = if r.is_some() { "put" } else { "delete" };
        found.ops.push((op, key, show(r), l.is_some()));
    }
    found.stat = format!(
        "table default: {} only left, {} only right, {} changed\n",
        rows(counts[0]),
        rows(counts[1]),
        rows(counts[2])
    );
    for (name, count) in by_column {
        found.stat += &format!("  column {name}: changed in {}\n", rows(count));
    }
    found
}

fn rows(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match count {
        0..1000 => format!("{count} row{plural}"),
        _ => format!("{},{:03} rows", count / 1000, count % 1000),
    }
}
