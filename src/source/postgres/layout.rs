//! Which columns of a table make the key and the value, and rows made of fields.

use std::collections::{HashMap, HashSet};

use super::catalog::Described;
use super::ddl::Column;
use super::value::Kind;
use crate::error::{Error, Result};
use crate::row::columns::{push_key_column, push_value_column};
use crate::row::sql::{Dialect, SqlTable};
use crate::row::{Row, Schema};
use crate::source::TextOptions;
use crate::source::sort::Twice;

/// The columns of a table and the part each plays.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Names and types, in the table's order.
    pub columns: Vec<Column>,
    /// Positions of the key's columns, in the order of comparison; none where there is no key, and rows are counted.
    pub key: Vec<usize>,
    /// Positions of the value's columns, ascending by name.
    pub value: Vec<usize>,
}

impl Layout {
    /// Gives the columns of a table their parts: the key is `--key` where the table has all these columns, else its primary
    /// key, else the columns of [`TextOptions::usual_key`].
    ///
    /// # Errors
    ///
    /// Usage, where a column of the key is to be ignored.
    pub fn new(table: &Described, options: &TextOptions) -> Result<Layout> {
        let columns = &table.columns;
        let position = |name: &String| {
            let is_stored = |column: &Column| !column.is_generated && column.name == *name;
            columns.iter().position(is_stored)
        };
        let all = |names: &[String]| -> Option<Vec<usize>> {
            let found: Option<Vec<usize>> = names.iter().map(position).collect();
            found.filter(|found| !found.is_empty())
        };
        let key = all(&options.key)
            .or_else(|| all(&table.key))
            .or_else(|| all(&options.usual_key))
            .unwrap_or_default();
        let ignored: Vec<usize> = options
            .ignore_columns
            .iter()
            .filter_map(&position)
            .collect();
        if let Some(column) = key
            .iter()
            .find(|at| ignored.contains(at))
            .and_then(|at| columns.get(*at))
        {
            return Err(Error::usage(
                format!(
                    "--ignore-columns: {:?} is a column of the key of {}",
                    column.name,
                    table.name.show()
                ),
                "choose another key with --key",
            ));
        }
        let only: Vec<usize> = options.columns.iter().filter_map(&position).collect();
        let mut value: Vec<usize> = columns
            .iter()
            .enumerate()
            .filter(|(at, column)| {
                !column.is_generated
                    && !key.contains(at)
                    && !ignored.contains(at)
                    && (options.columns.is_empty() || only.contains(at))
            })
            .map(|(at, _)| at)
            .collect();
        value.sort_by_key(|at| columns.get(*at).map(|column| &column.name));
        Ok(Layout {
            columns: columns.clone(),
            key,
            value,
        })
    }

    /// What two rows of one key mean: where nothing tells rows apart, equal ones are counted.
    pub fn twice(&self) -> Twice {
        Twice::of_key(!self.key.is_empty())
    }

    /// How the rows are shown.
    pub fn schema(&self, name: Vec<String>) -> Schema {
        let pick = |list: &[usize], field: fn(&Column) -> &String| -> Vec<String> {
            list.iter()
                .filter_map(|at| self.columns.get(*at))
                .map(|column| field(column).clone())
                .collect()
        };
        let sql = |key: &[usize], value: &[usize]| {
            Box::new(SqlTable {
                dialect: Dialect::Postgres,
                name,
                key_types: pick(key, |column| &column.sql_type),
                value_types: pick(value, |column| &column.sql_type),
            })
        };
        match self.key.is_empty() {
            true => Schema::Bag {
                columns: pick(&self.value, |column| &column.name),
                sql: sql(&self.value, &[]),
            },
            false => Schema::Columns {
                key: pick(&self.key, |column| &column.name),
                value: pick(&self.value, |column| &column.name),
                sql: Some(sql(&self.key, &self.value)),
            },
        }
    }

    /// Makes rows whose fields come in the order of these columns (all that are stored, where none are named).
    ///
    /// # Errors
    ///
    /// The name of a column that the table, or the section, does not have.
    pub fn builder(&self, columns: Option<&[String]>) -> Result<RowBuilder, String> {
        let order: Vec<usize> = match columns {
            Some(names) => {
                let columns = self.columns.iter().zip(0..);
                let by_name: HashMap<&str, usize> =
                    columns.map(|(c, at)| (c.name.as_str(), at)).collect();
                let find = |name: &String| by_name.get(name.as_str()).copied();
                names
                    .iter()
                    .map(|name| find(name).ok_or_else(|| name.clone()))
                    .collect::<Result<_, _>>()?
            }
            None => (0..self.columns.len()).collect(),
        };
        let slots: HashMap<usize, usize> = order.iter().copied().zip(0..).collect();
        let slot = |at: &usize| {
            let column = || self.columns.get(*at).map(|column| column.name.clone());
            slots
                .get(at)
                .copied()
                .ok_or_else(|| column().unwrap_or_default())
        };
        let key = self.key.iter().map(slot).collect::<Result<Vec<_>, _>>()?;
        let value = self.value.iter().map(slot).collect::<Result<Vec<_>, _>>()?;
        let wanted: HashSet<usize> = key.iter().chain(&value).copied().collect();
        let fields = order
            .iter()
            .enumerate()
            .map(|(slot, at)| {
                let column = self.columns.get(*at);
                Field {
                    kind: column
                        .filter(|_| wanted.contains(&slot))
                        .map(|column| Kind::of(&column.sql_type)),
                    is_generated: column.is_some_and(|column| column.is_generated),
                    end: 0,
                    start: 0,
                    is_null: true,
                }
            })
            .collect();
        Ok(RowBuilder {
            fields,
            at: 0,
            store: Vec::new(),
            key_of: key,
            value_of: value,
            key: Vec::new(),
            value: Vec::new(),
        })
    }
}

/// Why fields make no row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// There are so many fields, or more.
    Count(usize),
    /// A field of the key, at its position, is NULL.
    NullKey(usize),
}

/// Takes the fields of a row one by one.
pub(super) struct RowBuilder {
    fields: Vec<Field>,
    at: usize,
    store: Vec<u8>,
    key_of: Vec<usize>,
    value_of: Vec<usize>,
    key: Vec<u8>,
    value: Vec<u8>,
}

struct Field {
    /// `None` where the field is in no row.
    kind: Option<Kind>,
    is_generated: bool,
    start: usize,
    end: usize,
    is_null: bool,
}

impl RowBuilder {
    /// Number of fields that a row has.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Starts a row.
    #[inline]
    pub fn begin(&mut self) {
        self.at = 0;
        self.store.clear();
    }

    /// The next field's kind; `None` where its content does not matter.
    #[inline]
    pub fn kind(&self) -> Option<Kind> {
        self.fields.get(self.at)?.kind
    }

    /// Whether the next field is computed by the server.
    pub fn is_generated(&self) -> bool {
        self.fields
            .get(self.at)
            .is_some_and(|field| field.is_generated)
    }

    /// The next field is NULL, or does not matter.
    #[inline]
    pub fn push_null(&mut self) {
        if let Some(field) = self.fields.get_mut(self.at) {
            field.is_null = true;
        }
        self.at += 1;
    }

    /// The next field is what the server printed as `text`.
    #[inline]
    pub fn push(&mut self, text: &[u8]) {
        match self.kind() {
            Some(kind) => self.push_by(|out| kind.push(out, text)),
            None => self.push_null(),
        }
    }

    /// The next field is what `append` appends.
    #[inline]
    pub fn push_by(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        let start = self.store.len();
        append(&mut self.store);
        let end = self.store.len();
        if let Some(field) = self.fields.get_mut(self.at) {
            (field.start, field.end, field.is_null) = (start, end, false);
        }
        self.at += 1;
    }

    /// The row.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    #[inline]
    pub fn finish(&mut self) -> Result<Row<'_>, Flaw> {
        if self.at != self.fields.len() {
            return Err(Flaw::Count(self.at));
        }
        let field = |slot: &usize| {
            let field = self.fields.get(*slot)?;
            match field.is_null {
                true => None,
                false => self.store.get(field.start..field.end),
            }
        };
        self.key.clear();
        for slot in &self.key_of {
            let bytes = field(slot).ok_or(Flaw::NullKey(*slot))?;
            match self.key_of.len() {
                1 => self.key.extend_from_slice(bytes),
                _ => push_key_column(&mut self.key, bytes),
            }
        }
        self.value.clear();
        for slot in &self.value_of {
            push_value_column(&mut self.value, field(slot));
        }
        Ok(match self.key_of.is_empty() {
            true => Row::counted(&self.value),
            false => Row {
                key: &self.key,
                value: &self.value,
            },
        })
    }
}
