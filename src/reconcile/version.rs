//! Rows with a version column: of the rows of one key, the greatest version wins.
//!
//! Versions are compared as decimal numbers where all versions of that key are such, exactly and of any length; else as bytes. So
//! the order of the replicas decides nothing. A row without a version (NULL or empty) loses against any that has one. Of
//! rows of one version the one with the greater columns wins: compared by bytes, in the order of their names, NULL least.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::row::columns::decode_value;
use crate::row::{Schema, decimal};

/// The column that says which row is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionColumn {
    /// Its place among the value's columns.
    index: usize,
    /// How many columns values have.
    columns: usize,
}

type Fields<'a> = Vec<Option<&'a [u8]>>;

impl VersionColumn {
    /// The column `name` of a table with named columns.
    ///
    /// # Errors
    ///
    /// Usage, where it is none of the value's columns, or none is named.
    pub fn new(schema: &Schema, name: Option<&str>) -> Result<VersionColumn> {
        let Schema::Columns { key, value, .. } = schema else {
            return Err(Error::usage("a table without columns has no versions", ""));
        };
        let known = format!("columns that are not of the key: {}", value.join(", "));
        let Some(name) = name else {
            return Err(Error::usage(
                "nothing tells which of two rows is newer",
                format!("name the column that does with --version-column; {known}"),
            ));
        };
        if key.iter().any(|column| column == name) {
            return Err(Error::usage(
                format!(
                    "the version column {name} is one of the key's: rows of one key have one version"
                ),
                known,
            ));
        }
        match value.iter().position(|column| column == name) {
            Some(index) => Ok(VersionColumn {
                index,
                columns: value.len(),
            }),
            None => Err(Error::usage(
                format!("there is no version column {name}"),
                known,
            )),
        }
    }

    fn version<'a>(&self, fields: &Fields<'a>) -> Option<&'a [u8]> {
        let version = fields.get(self.index).copied().flatten();
        version.filter(|version| !version.is_empty())
    }

    /// How the versions of these rows compare.
    fn order(&self, rows: &[Fields<'_>]) -> fn(&[u8], &[u8]) -> Ordering {
        let mut versions = rows.iter().filter_map(|row| self.version(row));
        match versions.all(|version| decimal::compare(version, version).is_some()) {
            true => |one, other| decimal::compare(one, other).unwrap_or(Ordering::Equal),
            false => |one, other| one.cmp(other),
        }
    }

    fn compare(
        &self,
        one: &Fields<'_>,
        other: &Fields<'_>,
        order: fn(&[u8], &[u8]) -> Ordering,
    ) -> Ordering {
        match (self.version(one), self.version(other)) {
            (Some(one), Some(other)) => order(one, other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        }
    }

    fn decode<'a>(&self, values: &[Option<&'a [u8]>]) -> Option<Vec<Fields<'a>>> {
        let there = values.iter().flatten();
        there
            .map(|value| decode_value(value, self.columns))
            .collect()
    }

    /// The value that wins among those of one key; `None` where one of them is no value of these columns.
    pub fn winner<'a>(&self, values: &[Option<&'a [u8]>]) -> Option<&'a [u8]> {
        let rows = self.decode(values)?;
        let order = self.order(&rows);
        let greatest = rows.iter().zip(values.iter().flatten()).max_by(|a, b| {
            let versions = self.compare(a.0, b.0, order);
            versions.then_with(|| a.0.cmp(b.0))
        });
        greatest.map(|(_, value)| *value)
    }

    /// Whether another row than the one that won has its version.
    pub fn is_conflict(&self, values: &[Option<&[u8]>], winner: &[u8]) -> bool {
        let (Some(rows), Some(won)) = (self.decode(values), decode_value(winner, self.columns))
        else {
            return false;
        };
        let order = self.order(&rows);
        rows.iter()
            .any(|row| *row != won && self.compare(row, &won, order).is_eq())
    }
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod tests;
