//! Which columns of a table make keys and values, and rows made of them.

use super::create::Definition;
use super::lex::Stop;
use super::statements::TableName;
use super::values::{Field, content};
use crate::error::{Error, Result};
use crate::row::columns::{push_key_column, push_value_column};
use crate::row::sql::mysql::Kind;
use crate::row::sql::{Dialect, SqlTable};
use crate::row::{Row, Schema};
use crate::source::TextOptions;
use crate::source::sort::Twice;

/// The columns of a table and the part each plays.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Name of the table, for messages.
    pub name: String,
    definition: Definition,
    /// Positions of the key's columns, in the order of comparison; none where nothing tells rows apart.
    key: Vec<usize>,
    /// Positions of the value's columns, ascending by name.
    value: Vec<usize>,
    /// Why the table has no rows to compare: what, and what to do.
    refusal: Option<(String, String)>,
}

impl Layout {
    /// Gives the columns of a table their parts. What does not fit is an error only for whoever asks for rows.
    pub fn new(name: String, definition: Definition, options: &TextOptions) -> Layout {
        let stored = |wanted: &String| {
            definition
                .columns
                .iter()
                .position(|column| column.name == *wanted && !column.generated)
        };
        // All of these columns, or none.
        let all = |names: &[String]| -> Vec<usize> {
            let found: Option<Vec<usize>> = names.iter().map(stored).collect();
            found.unwrap_or_default()
        };
        let key = [&options.key, definition.key(), &options.usual_key]
            .map(all)
            .into_iter()
            .find(|key| !key.is_empty())
            .unwrap_or_default();
        let is_listed = |list: &[String], at: usize| {
            let column = definition.columns.get(at);
            column.is_some_and(|column| list.contains(&column.name))
        };
        let mut value: Vec<usize> = (0..definition.columns.len())
            .filter(|at| !key.contains(at) && !is_listed(&options.ignore_columns, *at))
            .filter(|at| definition.columns.get(*at).is_some_and(|c| !c.generated))
            .collect();
        if value.iter().any(|at| is_listed(&options.columns, *at)) {
            value.retain(|at| is_listed(&options.columns, *at));
        }
        value.sort_by_key(|at| definition.columns.get(*at).map(|column| &column.name));
        let refusal = if definition.columns.is_empty() {
            Some((
                format!("there are rows of {name:?}, and not the CREATE TABLE that tells what they are"),
                "name a dump that has it with --schema FILE, or other tables with --table; --no-create-info leaves it out of dumps".to_owned(),
            ))
        } else {
            let ignored = key
                .iter()
                .find(|at| is_listed(&options.ignore_columns, **at));
            ignored
                .and_then(|at| definition.columns.get(*at))
                .map(|column| {
                    (
                        format!(
                            "--ignore-columns: {:?} is a column of the key of {name:?}",
                            column.name
                        ),
                        "choose another key with --key, or other tables with --table".to_owned(),
                    )
                })
        };
        Layout {
            name,
            definition,
            key,
            value,
            refusal,
        }
    }

    /// How the rows are shown; `full_name` is what SQL calls the table.
    pub fn schema(&self, full_name: Vec<String>) -> Schema {
        let names = |list: &[usize]| self.pick(list, |column| column.name.clone());
        let types = |list: &[usize]| self.pick(list, |column| column.sql_type.clone());
        let sql = |key: &[usize], value: &[usize]| {
            Box::new(SqlTable {
                dialect: Dialect::MySql,
                name: full_name,
                key_types: types(key),
                value_types: types(value),
            })
        };
        match self.key.is_empty() {
            true => Schema::Bag {
                columns: names(&self.value),
                sql: sql(&self.value, &[]),
            },
            false => Schema::Columns {
                key: names(&self.key),
                value: names(&self.value),
                sql: Some(sql(&self.key, &self.value)),
            },
        }
    }

    /// What two rows of one key mean: where nothing tells rows apart, equal ones are counted.
    pub fn twice(&self) -> Twice {
        Twice::of_key(!self.key.is_empty())
    }

    fn pick(&self, list: &[usize], what: impl Fn(&super::create::Column) -> String) -> Vec<String> {
        list.iter()
            .filter_map(|at| self.definition.columns.get(*at).map(&what))
            .collect()
    }

    /// Refuses options that name columns which no table has.
    ///
    /// # Errors
    ///
    /// Usage.
    pub fn check_options<'l>(
        layouts: impl Iterator<Item = &'l Layout> + Clone,
        options: &TextOptions,
    ) -> Result<()> {
        for (flag, names) in [
            ("--key", &options.key),
            ("--columns", &options.columns),
            ("--ignore-columns", &options.ignore_columns),
        ] {
            let is_known = |name: &String| {
                let mut columns = layouts
                    .clone()
                    .flat_map(|layout| &layout.definition.columns);
                columns.any(|column| column.name == *name)
            };
            if let Some(name) = names.iter().find(|name| !is_known(name)) {
                return Err(Error::usage(
                    format!("{flag}: no table has a column {name:?}"),
                    "mdiff info FILE tells the tables and their columns",
                ));
            }
        }
        Ok(())
    }

    /// Refuses a table whose rows can't be told apart.
    ///
    /// # Errors
    ///
    /// Usage.
    pub fn check(&self) -> Result<()> {
        match &self.refusal {
            Some((what, hint)) => Err(Error::usage(what, hint)),
            None => Ok(()),
        }
    }

    /// Whether values depend on the time zone of the session that dumps them.
    pub fn has_timestamps(&self) -> bool {
        let is_timestamp = |sql_type: &str| {
            let word = sql_type.get(..9).unwrap_or_default();
            word.eq_ignore_ascii_case("timestamp")
        };
        let columns = &self.definition.columns;
        columns.iter().any(|column| is_timestamp(&column.sql_type))
    }

    /// How many columns the table has, with those that are computed.
    pub fn width(&self) -> usize {
        self.definition.columns.len()
    }

    /// Makes rows of fields that stand in this order; in that of the table where `None`.
    ///
    /// # Errors
    ///
    /// Refused where a column is left out, or not one of the table's.
    pub fn encoder(&self, listed: Option<&[String]>) -> Result<Encoder, Stop> {
        let columns = &self.definition.columns;
        if let Some(names) = listed {
            let unknown = |name: &&String| !columns.iter().any(|column| column.name == **name);
            if let Some(name) = names.iter().find(unknown) {
                return Err(Stop::refused(
                    format!(
                        "rows of {:?} have a column {name:?}, the table has none",
                        self.name
                    ),
                    "dump the database again, without --dump-history",
                ));
            }
        }
        let slots = |list: &[usize]| {
            list.iter()
                .filter_map(|at| columns.get(*at).map(|column| (*at, column)))
                .map(|(at, column)| {
                    let place = match listed {
                        None => Some(at),
                        Some(names) => names.iter().position(|name| *name == column.name),
                    };
                    match place {
                        Some(field) => Ok(Slot {
                            field,
                            kind: column.kind,
                            name: column.name.clone(),
                        }),
                        None => Err(Stop::refused(
                            format!(
                                "rows of {:?} leave out the column {:?}",
                                self.name, column.name
                            ),
                            "dump whole rows, or leave the column out with --ignore-columns",
                        )),
                    }
                })
                .collect::<Result<Vec<Slot>, Stop>>()
        };
        Ok(Encoder {
            width: listed.map_or(columns.len(), <[String]>::len),
            key_slots: slots(&self.key)?,
            value_slots: slots(&self.value)?,
            key: Vec::new(),
            value: Vec::new(),
            scratch: Vec::new(),
        })
    }
}

/// Where a column's field stands among those of a row.
#[derive(Debug)]
struct Slot {
    field: usize,
    kind: Kind,
    name: String,
}

/// Makes rows of fields.
pub(super) struct Encoder {
    /// How many fields a row has.
    width: usize,
    key_slots: Vec<Slot>,
    value_slots: Vec<Slot>,
    key: Vec<u8>,
    value: Vec<u8>,
    scratch: Vec<u8>,
}

impl Encoder {
    /// The row of these fields.
    ///
    /// # Errors
    ///
    /// A flaw.
    pub fn row(&mut self, bytes: &[u8], fields: &[Field]) -> Result<Row<'_>, Stop> {
        if fields.len() != self.width {
            let what = format!("a row of {} values, not {}", fields.len(), self.width);
            return Err(Stop::flaw(0, what));
        }
        self.key.clear();
        self.value.clear();
        let is_one = self.key_slots.len() == 1;
        for slot in &self.key_slots {
            match slot.content(bytes, fields, &mut self.scratch)? {
                Some(text) if is_one => self.key.extend_from_slice(text),
                Some(text) => push_key_column(&mut self.key, text),
                None => {
                    return Err(Stop::refused(
                        format!("NULL in the column {:?} of the key", slot.name),
                        "choose another key with --key",
                    ));
                }
            }
        }
        for slot in &self.value_slots {
            let text = slot.content(bytes, fields, &mut self.scratch)?;
            push_value_column(&mut self.value, text);
        }
        Ok(match self.key_slots.is_empty() {
            true => Row::counted(&self.value),
            false => Row {
                key: &self.key,
                value: &self.value,
            },
        })
    }
}

impl Slot {
    #[inline]
    fn content<'a>(
        &self,
        bytes: &'a [u8],
        fields: &[Field],
        scratch: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>, Stop> {
        let field = fields.get(self.field).copied().unwrap_or(Field::NULL);
        let raw = bytes.get(field.start..field.end).unwrap_or_default();
        content(self.kind, field.form, raw, scratch)
            .map_err(|what| Stop::flaw(field.start, format!("column {:?}: {what}", self.name)))
    }
}

/// What the operator calls tables: with their databases where these are several.
pub(super) fn names_of(tables: &[&TableName]) -> Vec<(String, Vec<String>)> {
    let first = tables.first().map(|name| &name.database);
    let is_one = tables.iter().all(|name| Some(&name.database) == first);
    tables
        .iter()
        .map(|name| match (&name.database, is_one) {
            (Some(database), false) => (
                format!("{database}.{}", name.table),
                vec![database.clone(), name.table.clone()],
            ),
            _ => (name.table.clone(), vec![name.table.clone()]),
        })
        .collect()
}
