//! How the fields of an object become a row.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::path::FieldPath;
use crate::error::{Error, Result};
use crate::row::columns::{push_key_column, push_value_column};
use crate::row::json_text::{Canon, Flaw, Scanned, twice};
use crate::row::{Schema, scalar, wide};
use crate::source::TextOptions;

/// The fields of one object, as they were read.
#[derive(Debug, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    list: Vec<Field>,
    /// Their positions, ascending by name: once sorted, and those of the last object until then.
    order: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
    /// Offset of its name in what was scanned.
    at: usize,
    /// It does not belong to the value.
    is_out: bool,
}

impl Fields {
    /// Forgets all fields.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a field: its name, the offset of that in what was scanned, and what appends its value as [`scalar`] has it.
    ///
    /// # Errors
    ///
    /// Those of `value`.
    pub fn push(
        &mut self,
        name: &[u8],
        at: usize,
        value: impl FnOnce(&mut Vec<u8>) -> Scanned<()>,
    ) -> Scanned<()> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        let middle = self.bytes.len();
        value(&mut self.bytes)?;
        self.list.push(Field {
            name: start..middle,
            value: middle..self.bytes.len(),
            at,
            is_out: false,
        });
        Ok(())
    }

    /// Puts the fields in the order of their names.
    ///
    /// # Errors
    ///
    /// A flaw where two have one name.
    pub fn sort(&mut self) -> Scanned<()> {
        let name = |at: &usize| self.list.get(*at).map(|field| self.name(field));
        // Most objects have the fields of the one before, in the same order.
        let is_sorted = self.order.len() == self.list.len()
            && self
                .order
                .is_sorted_by(|one, other| name(one) < name(other));
        if !is_sorted {
            let mut order: Vec<usize> = (0..self.list.len()).collect();
            order.sort_by(|one, other| name(one).cmp(&name(other)));
            let mut pairs = order.iter().zip(order.iter().skip(1));
            if let Some((_, other)) = pairs.find(|(one, other)| name(one) == name(other))
                && let Some(field) = self.list.get(*other)
            {
                return Err(twice(field.at, self.name(field)));
            }
            self.order = order;
        }
        Ok(())
    }

    fn name(&self, field: &Field) -> &[u8] {
        self.bytes.get(field.name.clone()).unwrap_or_default()
    }

    fn value(&self, field: &Field) -> &[u8] {
        self.bytes.get(field.value.clone()).unwrap_or_default()
    }

    /// The fields, in order.
    fn sorted(&self) -> impl Iterator<Item = &Field> + Clone {
        self.order.iter().filter_map(|at| self.list.get(*at))
    }

    fn position(&self, name: &str) -> Option<usize> {
        let name_at = |at: &usize| self.list.get(*at).map(|field| self.name(field));
        let found = (self.order).binary_search_by(|at| name_at(at).cmp(&Some(name.as_bytes())));
        self.order.get(found.ok()?).copied()
    }

    /// The names, in order; only after [`Fields::sort`].
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.sorted().map(|field| self.name(field))
    }

    /// A field's value; only after [`Fields::sort`].
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let field = self.list.get(self.position(name)?)?;
        Some(self.value(field))
    }

    fn leave_out(&mut self, name: &str) {
        if let Some(at) = self.position(name)
            && let Some(field) = self.list.get_mut(at)
        {
            field.is_out = true;
        }
    }

    /// The fields that were not left out, with their names.
    fn kept(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.sorted()
            .filter(|field| !field.is_out)
            .map(|field| (self.name(field), self.value(field)))
    }
}

/// Which fields make the key and the value.
#[derive(Debug, Clone)]
pub struct Shape {
    key: Vec<FieldPath>,
    /// The only fields of the value, ascending by name, where they are fixed.
    columns: Option<Vec<FieldPath>>,
    ignored: Vec<FieldPath>,
}

impl Shape {
    /// The shape that the options ask for; their key is not empty.
    ///
    /// # Errors
    ///
    /// Usage, where a name is given twice, or a field of the key or a nested one is ignored.
    pub fn new(options: &TextOptions) -> Result<Shape> {
        let paths = |names: &[String]| -> Vec<FieldPath> {
            names.iter().map(|name| FieldPath::parse(name)).collect()
        };
        let key = paths(options.wanted_key());
        for (at, path) in key.iter().enumerate() {
            if key.iter().take(at).any(|other| other.name == path.name) {
                return Err(Error::usage(
                    format!("--key names the field {:?} twice", path.name),
                    "name each field of the key once",
                ));
            }
        }
        let ignored = paths(&options.ignore_columns);
        if let (Some(path), true) = (
            ignored.iter().find(|path| path.is_nested()),
            options.columns.is_empty(),
        ) {
            return Err(Error::usage(
                format!(
                    "--ignore-columns: {:?} is inside of another field",
                    path.name
                ),
                "ignore the field that it lies in, or choose fields with --columns",
            ));
        }
        let is_ignored = |path: &FieldPath| ignored.iter().any(|other| other.name == path.name);
        if let Some(path) = key.iter().find(|path| is_ignored(path)) {
            return Err(Error::usage(
                format!("--ignore-columns: {:?} is a field of the key", path.name),
                "choose another key with --key",
            ));
        }
        let columns = (!options.columns.is_empty()).then(|| {
            let mut columns = paths(&options.columns);
            columns
                .retain(|path| !is_ignored(path) && !key.iter().any(|key| key.name == path.name));
            columns.sort_by(|one, other| one.name.cmp(&other.name));
            columns.dedup();
            columns
        });
        Ok(Shape {
            key,
            columns,
            ignored,
        })
    }

    /// How the rows are shown.
    pub fn schema(&self) -> Schema {
        let names = |paths: &[FieldPath]| paths.iter().map(|path| path.name.clone()).collect();
        match &self.columns {
            Some(columns) => Schema::Columns {
                key: names(&self.key),
                value: names(columns),
                sql: None,
            },
            None => Schema::Document {
                key: names(&self.key),
            },
        }
    }

    /// Whether some fields of the documents are in no row.
    pub fn leaves_some_out(&self) -> bool {
        self.columns.is_some() || !self.ignored.is_empty()
    }

    /// Number of the key's fields.
    pub fn key_len(&self) -> usize {
        self.key.len()
    }

    /// Whether a field of this name is, or holds, one of the key.
    pub fn is_of_key(&self, name: &[u8]) -> bool {
        let mut names = self.key.iter().map(FieldPath::outermost);
        names.any(|of_key| of_key.as_bytes() == name)
    }

    /// A field of the key that lies inside another, where there is one.
    pub fn nested_key(&self) -> Option<&str> {
        let path = self.key.iter().find(|path| path.is_nested());
        path.map(|path| path.name.as_str())
    }
}

/// Makes rows of objects; keeps its memory from one to the next.
#[derive(Debug)]
pub struct RowMaker<'s> {
    shape: &'s Shape,
    canon: Canon,
    nested: Vec<u8>,
    /// Which of the fixed columns some object had.
    seen: Vec<bool>,
    /// The key of the last row.
    pub key: Vec<u8>,
    /// The value of the last row.
    pub value: Vec<u8>,
}

impl<'s> RowMaker<'s> {
    /// Makes rows of this shape.
    pub fn new(shape: &'s Shape) -> RowMaker<'s> {
        let columns = shape.columns.as_ref().map_or(0, Vec::len);
        RowMaker {
            shape,
            canon: Canon::default(),
            nested: Vec::new(),
            seen: vec![false; columns],
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Makes the row of an object, which starts at offset `at` of what was scanned.
    ///
    /// # Errors
    ///
    /// A flaw, where two fields have one name, or one of the key is missing or null.
    pub fn make(&mut self, fields: &mut Fields, at: usize) -> Scanned<()> {
        fields.sort()?;
        self.make_key(fields, at)?;
        self.value.clear();
        if let Some(columns) = &self.shape.columns {
            for (path, seen) in columns.iter().zip(&mut self.seen) {
                let field = find(&mut self.canon, &mut self.nested, fields, path);
                *seen |= field.is_some();
                push_value_column(&mut self.value, field.and_then(scalar::as_text));
            }
            return Ok(());
        }
        let of_key = self.shape.key.iter().filter(|path| !path.is_nested());
        for path in of_key.chain(&self.shape.ignored) {
            fields.leave_out(path.outermost());
        }
        wide::push_fields(&mut self.value, fields.kept());
        Ok(())
    }

    fn make_key(&mut self, fields: &Fields, at: usize) -> Scanned<()> {
        self.key.clear();
        for path in &self.shape.key {
            let flaw =
                |what: &str| Flaw::new(at, format!("the field {:?} of the key {what}", path.name));
            let field = find(&mut self.canon, &mut self.nested, fields, path);
            let field = field.ok_or_else(|| flaw("is missing in this object"))?;
            let text = scalar::as_text(field).ok_or_else(|| flaw("is null"))?;
            let field = match self.shape.columns {
                Some(_) => text,
                None => field,
            };
            match self.shape.key.len() {
                1 => self.key.extend_from_slice(field),
                _ => push_key_column(&mut self.key, field),
            }
        }
        Ok(())
    }
}

/// What the objects had of which several threads make rows.
#[derive(Debug, Default)]
pub struct Seen(Mutex<SeenColumns>);

#[derive(Debug, Default)]
struct SeenColumns {
    rows: u64,
    /// Which of the fixed columns some object had.
    columns: Vec<bool>,
}

impl Seen {
    fn locked(&self) -> MutexGuard<'_, SeenColumns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what the objects had that became these many rows.
    pub fn add(&self, maker: &RowMaker<'_>, rows: u64) {
        let mut seen = self.locked();
        seen.rows += rows;
        seen.columns.resize(maker.seen.len(), false);
        for (all, one) in seen.columns.iter_mut().zip(&maker.seen) {
            *all |= one;
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.locked() = SeenColumns::default();
    }

    /// A fixed column that no object had; `None` where there was no object.
    pub fn missing<'s>(&self, shape: &'s Shape) -> Option<&'s str> {
        let seen = self.locked();
        let columns = shape.columns.iter().flatten();
        let mut unseen = columns.zip(&seen.columns).filter(|(_, seen)| !**seen);
        let (path, _) = unseen.next().filter(|_| seen.rows > 0)?;
        Some(path.name.as_str())
    }
}

fn find<'f>(
    canon: &mut Canon,
    nested: &'f mut Vec<u8>,
    fields: &'f Fields,
    path: &FieldPath,
) -> Option<&'f [u8]> {
    let outer = fields.get(path.outermost())?;
    if !path.is_nested() {
        return Some(outer);
    }
    nested.clear();
    path.push_nested(canon, outer, nested)
        .then_some(nested.as_slice())
}
