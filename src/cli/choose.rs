//! Arguments that choose tables and keys.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::keys::{parse_hex, parse_prefix};
use super::tokens::{self, TokenRange};
use crate::error::{Error, Result};
use crate::range::{Coverage, KeyRange, prefix_end};
use crate::row::Schema;
use crate::source::cassandra::partitioner::Partitioner;
use crate::source::renamed::Renamed;
use crate::source::{Snapshot, Table};

/// Which tables.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Choosing rows")]
pub struct TableArgs {
    /// Only this table; may be given several times
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,

    /// Of two sides: one table that each calls otherwise, LEFT=RIGHT; several times
    ///
    /// For tables of two systems, such as public.accounts=accounts of a dump of PostgreSQL and one of MySQL. Of three sides
    /// A=B=C. Only these tables are then looked at, under the first side's names. A side whose only table has no name
    /// (default, of delimited text say) goes by the name of the other side's table without being asked.
    #[arg(
        long,
        value_name = "NAMES",
        conflicts_with = "tables",
        hide_short_help = true
    )]
    pub same_table: Vec<String>,
}

/// The name of a table where the format has none.
const NAMELESS: &str = "default";

impl TableArgs {
    /// Refuses `--same-table` where there is one snapshot only.
    ///
    /// # Errors
    ///
    /// Usage.
    pub fn check_one_side(&self) -> Result<()> {
        match self.same_table.is_empty() {
            true => Ok(()),
            false => Err(Error::usage(
                "--same-table is about the tables of two sides and more",
                "choose the tables of one snapshot with --table",
            )),
        }
    }

    /// A snapshot on side `side` of `sides`, with the tables of `--same-table` under the first side's names.
    ///
    /// # Errors
    ///
    /// Usage, where a text does not name a table a side, or one that does not exist.
    pub fn rename(
        &self,
        snapshot: Box<dyn Snapshot>,
        side: usize,
        sides: usize,
    ) -> Result<Box<dyn Snapshot>> {
        if self.same_table.is_empty() {
            return Ok(snapshot);
        }
        let mut pairs = Vec::new();
        for text in &self.same_table {
            let names: Vec<&str> = text.split('=').collect();
            let (Some(to), Some(from), true) =
                (names.first(), names.get(side), names.len() == sides)
            else {
                return Err(Error::usage(
                    format!(
                        "--same-table {text:?} does not name one table for each of {sides} sides"
                    ),
                    "separate the names by =, in the order of the sides",
                ));
            };
            pairs.push((*from, *to));
        }
        Ok(Box::new(Renamed::new(snapshot, &pairs)?))
    }

    /// The name that the other sides' only table has (or the one that is chosen), if this side's has none; `others` are the
    /// tables of these.
    pub fn name_for_nameless(&self, tables: &[&str], others: &[Vec<&str>]) -> Option<String> {
        if tables != [NAMELESS] {
            return None;
        }
        let mut names: Vec<&str> = others.iter().flatten().copied().collect();
        names.retain(|name| {
            let is_chosen = self.tables.is_empty() || self.tables.iter().any(|t| t == name);
            is_chosen && *name != NAMELESS
        });
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        }
    }

    /// The chosen tables of `snapshot`, in its order; all where none is named.
    ///
    /// # Errors
    ///
    /// Usage, where a named table does not exist.
    pub fn of<'s>(&self, snapshot: &'s dyn Snapshot) -> Result<Vec<&'s dyn Table>> {
        let mut tables = snapshot.tables();
        for name in &self.tables {
            if !tables.iter().any(|table| table.name() == name) {
                let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
                return Err(Error::usage(
                    format!("there is no table {name:?}"),
                    format!("tables are: {}", names.join(", ")),
                ));
            }
        }
        if !self.tables.is_empty() {
            tables.retain(|table| self.tables.iter().any(|name| name == table.name()));
        }
        Ok(tables)
    }
}

/// Which keys.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Choosing rows")]
pub struct RangeArgs {
    /// Only keys from this one on
    ///
    /// As mdiff prints it: a byte that is not printable as \xNN, a backslash as \\, the columns of a key separated by commas.
    /// Of a Cassandra table: `a,7` is a partition, `a,7 : 2026,x` a row in it, `a,7 static` its static row; `token:N` the place
    /// where a token begins.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub from: Option<String>,

    /// Only keys before this one (which is left out)
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub to: Option<String>,

    /// Only keys that start like this
    ///
    /// Of a Cassandra table: a partition, or the first clustering values with it, such as `a,7 : 2026`.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    pub prefix: Option<String>,

    /// Cassandra: only partitions of tokens greater than A, up to B; several times
    ///
    /// Where A is not below B, the range goes over the end of the ring. Give the ranges that both nodes hold: what only one of
    /// them should have is then no difference.
    #[arg(long = "token-range", value_name = "A:B", allow_hyphen_values = true, conflicts_with_all = ["from", "to", "prefix"])]
    pub token_ranges: Vec<String>,

    /// Cassandra: only the token ranges of this file
    ///
    /// What nodetool describering KEYSPACE or nodetool ring prints, or lines of A:B as of --token-range.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "prefix", "token_ranges"])]
    pub ring: Option<PathBuf>,

    /// Cassandra: of the ranges of --ring, those that all these nodes hold
    ///
    /// Nodes are named as nodetool describering names them, separated by commas: --ring RING --nodes 10.0.0.1,10.0.0.2
    #[arg(
        long,
        value_name = "NODE",
        value_delimiter = ',',
        requires = "ring",
        hide_short_help = true
    )]
    pub nodes: Vec<String>,
}

impl RangeArgs {
    /// The options, if any is given, as a message names them.
    pub fn option(&self) -> Option<&'static str> {
        self.is_given()
            .then_some("--from, --to, --prefix, --token-range or --ring")
    }

    /// Whether any is given.
    pub fn is_given(&self) -> bool {
        self.from.is_some()
            || self.to.is_some()
            || self.prefix.is_some()
            || !self.token_ranges.is_empty()
            || self.ring.is_some()
    }

    /// The keys that the arguments mean in a table of `schema`.
    ///
    /// # Errors
    ///
    /// Usage, where a text is no key of this schema or no token range, or no key can lie in the range; I/O.
    pub fn coverage(&self, schema: &Schema) -> Result<Coverage> {
        if self.token_ranges.is_empty() && self.ring.is_none() {
            let range = self.range_by(&|text| schema.parse_key(text), &|text| {
                parse_prefix(schema, text)
            })?;
            return Ok(range.into());
        }
        let partitioner = tokens::partitioner_of(schema)?;
        let ranges = self.token_ranges(partitioner)?;
        let keys = ranges.iter().flat_map(|range| range.keys(partitioner));
        Ok(Coverage::new(keys.collect()))
    }

    /// The keys at which token ranges begin and end; none without them.
    ///
    /// # Errors
    ///
    /// As of [`RangeArgs::coverage`].
    pub fn boundaries(&self, schema: &Schema) -> Result<Vec<Vec<u8>>> {
        if self.token_ranges.is_empty() && self.ring.is_none() {
            return Ok(Vec::new());
        }
        let partitioner = tokens::partitioner_of(schema)?;
        let ranges = self.token_ranges(partitioner)?;
        let keys = ranges
            .iter()
            .flat_map(|range| tokens::boundaries(range, partitioner));
        Ok(keys.collect())
    }

    /// The token ranges that are asked for; none where none are.
    ///
    /// # Errors
    ///
    /// Usage, where they are no tokens of this partitioner; I/O.
    pub fn token_ranges(&self, partitioner: Partitioner) -> Result<Vec<TokenRange>> {
        match &self.ring {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|e| Error::io("reading", path, e))?;
                tokens::read_ranges(path, &text, &self.nodes, partitioner)
            }
            None => {
                let texts = self.token_ranges.iter();
                texts
                    .map(|text| TokenRange::parse(text, partitioner))
                    .collect()
            }
        }
    }

    /// The range that the arguments mean when they are hexadecimal digits of encoded keys.
    ///
    /// # Errors
    ///
    /// Usage, where a text is not hexadecimal, or no key can lie in the range.
    pub fn coverage_in_hex(&self) -> Result<Coverage> {
        if !self.token_ranges.is_empty() || self.ring.is_some() {
            return Err(Error::usage(
                "token ranges don't go with --hex",
                "give --from and --to in hexadecimal digits",
            ));
        }
        Ok(self.range_by(&parse_hex, &parse_hex)?.into())
    }

    fn range_by(
        &self,
        key: &dyn Fn(&str) -> Result<Vec<u8>>,
        prefix: &dyn Fn(&str) -> Result<Vec<u8>>,
    ) -> Result<KeyRange> {
        if let Some(text) = &self.prefix {
            let from = prefix(text)?;
            return Ok(KeyRange {
                to: prefix_end(&from),
                from,
            });
        }
        let range = KeyRange {
            from: self
                .from
                .as_deref()
                .map(key)
                .transpose()?
                .unwrap_or_default(),
            to: self.to.as_deref().map(key).transpose()?,
        };
        if range.is_empty() {
            return Err(Error::usage(
                "no key lies between --from and --to",
                "--from is the smaller key; --to is left out of the range",
            ));
        }
        Ok(range)
    }
}
