//! Which row wins, by what the rows of a table carry.

use super::version::VersionColumn;
use crate::error::{Error, Result};
use crate::row::Schema;
use crate::source::cassandra::replicas::Replicas;

/// The rule of one table.
pub enum Rule {
    /// Every cell has a timestamp, and so has every deletion.
    Cells(Box<Replicas>),
    /// A column of the row tells its version; there are no deletions.
    Version(VersionColumn),
}

impl Rule {
    /// The rule for replicas of these schemas, which can be compared; `version_column` is what the caller named.
    ///
    /// # Errors
    ///
    /// Usage, where nothing in the rows tells which is the last, or not the column that was named.
    pub fn of(schemas: &[&Schema], version_column: Option<&str>) -> Result<Rule> {
        let cql: Option<Vec<_>> = schemas
            .iter()
            .map(|schema| match schema {
                Schema::Cql(cql) => Some(&**cql),
                _ => None,
            })
            .collect();
        if let Some(cql) = cql {
            if version_column.is_some() {
                return Err(Error::usage(
                    "--version-column is for delimited text; cells of a Cassandra table have timestamps of their own",
                    "leave it out",
                ));
            }
            return Replicas::new(&cql).map(|replicas| Rule::Cells(Box::new(replicas)));
        }
        match schemas.first() {
            Some(schema @ Schema::Columns { .. }) => {
                VersionColumn::new(schema, version_column).map(Rule::Version)
            }
            Some(Schema::Bag { .. }) => Err(Error::usage(
                "rows of a table without a key have no versions, so nothing tells which write is the last",
                "name the columns that tell rows apart with --key, and the one that tells which is newer with --version-column",
            )),
            _ => Err(Error::usage(
                "rows of opaque keys and values have no versions, so nothing tells which write is the last",
                "choose a side: mdiff patch BASE TARGET makes BASE equal to TARGET; mdiff compare A B C names the odd one out",
            )),
        }
    }

    /// The schema of the patch for a replica of this schema: rows that it takes over may have columns that it does not know.
    #[must_use]
    pub fn patch_schema(&self, schema: &Schema) -> Schema {
        match (self, schema) {
            (Rule::Cells(replicas), Schema::Cql(cql)) => {
                Schema::Cql(Box::new(replicas.with_all_columns(cql)))
            }
            _ => schema.clone(),
        }
    }

    /// Where reading must begin, so that all is seen that decides over the keys from `key` on.
    pub fn widen(&self, key: &[u8]) -> Vec<u8> {
        match self {
            Rule::Cells(replicas) => replicas.widen(key),
            Rule::Version(_) => key.to_vec(),
        }
    }

    /// Whether two replicas have written different things of one version at a key, so that only the rule for ties decides.
    pub fn is_conflict(&self, values: &[Option<&[u8]>], merged: Option<&[u8]>) -> bool {
        let Some(merged) = merged else { return false };
        match self {
            Rule::Cells(replicas) => values
                .iter()
                .flatten()
                .any(|value| *value != merged && replicas.is_conflict(value, merged)),
            Rule::Version(column) => column.is_conflict(values, merged),
        }
    }
}
