//! The columns of a table, and where each SSTable's columns stand among them.
//!
//! SSTables of one table can have different columns (from before and behind an ALTER TABLE). A table's columns are those of all
//! its SSTables, by name, with the types of the schema where there is one, else of the newest SSTable that has the column.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use super::header::{self, Header};
use super::model::Row;
use super::partitioner::Partitioner;
use super::schema::{self, TableSchema};
use super::types::CqlType;
use super::value::Name;
use crate::error::{Error, Result};

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name; of key columns without a schema, `key` or `clustering` and a number.
    pub name: Vec<u8>,
    /// Its name, as values have it.
    pub spelled: Name,
    /// Its type.
    pub cql_type: CqlType,
    /// Whether it has a cell for each element.
    pub is_complex: bool,
    /// Whether it is a list that is not frozen.
    pub is_list: bool,
    /// Whether it is a counter.
    pub is_counter: bool,
    /// What it held up to this timestamp was dropped.
    pub dropped: Option<i64>,
    path_type: Option<CqlType>,
}

impl Column {
    /// A column of this name and type.
    pub fn new(name: Vec<u8>, cql_type: CqlType) -> Column {
        Column {
            spelled: Name::new(&name),
            name,
            is_complex: cql_type.is_complex(),
            is_list: matches!(cql_type, CqlType::List(_)),
            is_counter: cql_type == CqlType::Counter,
            dropped: None,
            path_type: cql_type.path_type(),
            cql_type,
        }
    }

    /// The order of two elements of a collection.
    pub fn compare_paths(&self, left: &[u8], right: &[u8]) -> Ordering {
        match &self.path_type {
            Some(path_type) => path_type.compare(left, right),
            None => Ordering::Equal,
        }
    }
}

/// The columns of a table.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How partitions are ordered.
    pub partitioner: Partitioner,
    /// Type of the partition key as a whole.
    pub key_type: CqlType,
    /// Columns of the partition key, in order.
    pub key: Vec<Column>,
    /// Clustering columns, in order.
    pub clustering: Vec<Column>,
    /// Static columns, ascending by name.
    pub statics: Vec<Column>,
    /// Regular columns, ascending by name.
    pub regulars: Vec<Column>,
    /// Whether clustering values that are equal are of the same bytes.
    pub is_exact: bool,
}

/// What a schema says of a table.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Names of the partition key's columns.
    pub key: Vec<String>,
    /// Names of the clustering columns.
    pub clustering: Vec<String>,
    /// Names of static and regular columns that are there now, and their types.
    pub columns: BTreeMap<Vec<u8>, CqlType>,
    /// Names of columns that were dropped, and up to which timestamp.
    pub dropped: BTreeMap<Vec<u8>, i64>,
}

impl Known {
    /// What matters of a schema.
    pub fn of(schema: &TableSchema) -> Known {
        let names = |columns: &[schema::Column]| columns.iter().map(|c| c.name.clone()).collect();
        let columns: BTreeMap<Vec<u8>, CqlType> = schema
            .statics
            .iter()
            .chain(&schema.regulars)
            .map(|column| (column.name.clone().into_bytes(), column.kind.clone()))
            .collect();
        let mut dropped = BTreeMap::new();
        for column in &schema.dropped {
            let name = column.name.clone().into_bytes();
            // Where the schema does not say when, all of a column that is gone was before.
            let at = match column.dropped_at {
                None if !columns.contains_key(&name) => Some(i64::MAX),
                at => at,
            };
            if let Some(at) = at {
                let latest = dropped.entry(name).or_insert(at);
                *latest = at.max(*latest);
            }
        }
        Known {
            key: names(&schema.partition_key),
            clustering: names(&schema.clustering),
            columns,
            dropped,
        }
    }
}

impl Layout {
    /// The columns that the SSTables of a table have together, the newest SSTable last; `path` is for messages.
    ///
    /// # Errors
    ///
    /// Unsupported where the SSTables contradict one another or the schema.
    pub fn new(path: &Path, headers: &[&Header], known: Option<&Known>) -> Result<Layout> {
        let refused = |what: String| {
            Error::unsupported(
                path,
                what,
                "are all these SSTables of one table? see also --schema",
            )
        };
        let last = headers
            .last()
            .ok_or_else(|| refused("there is no SSTable".into()))?;
        for header in headers {
            if header.partitioner != last.partitioner {
                let (one, other) = (&header.partitioner, &last.partitioner);
                return Err(refused(format!(
                    "its SSTables are of two partitioners, {one} and {other}"
                )));
            }
            if header.clustering_types.len() != last.clustering_types.len() {
                return Err(refused(
                    "its SSTables differ in the number of clustering columns".into(),
                ));
            }
        }
        let parse = |name: &str| {
            CqlType::parse_java(name)
                .ok_or_else(|| refused(format!("the type {name} can't be read")))
        };
        let key_type = parse(&last.key_type)?;
        let partitioner = Partitioner::named(&last.partitioner)
            .ok_or_else(|| refused(format!("its partitioner {} is not known", last.partitioner)))?;
        let key_types = match &key_type {
            CqlType::Composite(types) => types.clone(),
            single => vec![single.clone()],
        };
        let clustering_types = last
            .clustering_types
            .iter()
            .map(|name| parse(name))
            .collect::<Result<Vec<_>>>()?;
        let is_exact = clustering_types.iter().all(CqlType::is_exact);
        let named = |types: Vec<CqlType>, names: Option<&Vec<String>>, what: &str| {
            let names = names.filter(|names| names.len() == types.len());
            types
                .into_iter()
                .enumerate()
                .map(|(index, cql_type)| {
                    let name = names.and_then(|names| names.get(index)).cloned();
                    let name = name.unwrap_or_else(|| format!("{what}{}", index + 1));
                    Column::new(name.into_bytes(), cql_type)
                })
                .collect::<Vec<_>>()
        };
        let columns = |of: fn(&Header) -> &[header::Column]| -> Result<Vec<Column>> {
            let mut columns: BTreeMap<Vec<u8>, Column> = BTreeMap::new();
            for column in headers.iter().flat_map(|header| of(header)) {
                let now = known.and_then(|known| known.columns.get(&column.name));
                let cql_type = match now {
                    Some(cql_type) if cql_type.is_complex() == column.is_complex => {
                        cql_type.clone()
                    }
                    _ => parse(&column.type_name)?,
                };
                let mut made = Column::new(column.name.clone(), cql_type);
                made.dropped = known
                    .and_then(|known| known.dropped.get(&column.name))
                    .copied();
                if columns
                    .get(&column.name)
                    .is_some_and(|c| c.is_complex != made.is_complex)
                {
                    let name = String::from_utf8_lossy(&column.name);
                    return Err(refused(format!(
                        "its column {name} is a collection of cells in one SSTable and a single cell in another"
                    )));
                }
                columns.insert(column.name.clone(), made);
            }
            Ok(columns.into_values().collect())
        };
        Ok(Layout {
            partitioner,
            key_type,
            key: named(key_types, known.map(|known| &known.key), "key"),
            clustering: named(
                clustering_types,
                known.map(|known| &known.clustering),
                "clustering",
            ),
            statics: columns(|header| &header.statics)?,
            regulars: columns(|header| &header.regulars)?,
            is_exact,
        })
    }

    /// Whether the keys of a partition's rows are in the order of these rows for certain. Where a clustering column before the last
    /// has values that are equal but of other bytes, keys go by the bytes and rows don't.
    pub fn keys_are_in_order(&self) -> bool {
        let before_last = self.clustering.split_last().map(|(_, before)| before);
        let mut before_last = before_last.unwrap_or_default().iter();
        before_last.all(|column| column.cql_type.is_exact())
    }

    /// Static or regular columns.
    pub fn columns(&self, is_static: bool) -> &[Column] {
        match is_static {
            true => &self.statics,
            false => &self.regulars,
        }
    }

    /// The mapping of rows that have the table's own indexes.
    pub fn own_mapping(&self) -> Mapping {
        Mapping {
            statics: (0..self.statics.len()).collect(),
            regulars: (0..self.regulars.len()).collect(),
        }
    }

    /// Where the columns of one SSTable stand.
    pub fn mapping(&self, header: &Header) -> Mapping {
        let places = |columns: &[Column], of: &[header::Column]| {
            of.iter()
                .map(|column| {
                    // All columns of all headers are there.
                    columns
                        .binary_search_by(|known| known.name.as_slice().cmp(&column.name))
                        .unwrap_or(usize::MAX)
                })
                .collect()
        };
        Mapping {
            statics: places(&self.statics, &header.statics),
            regulars: places(&self.regulars, &header.regulars),
        }
    }
}

/// Where the columns of one SSTable stand among those of its table.
#[derive(Debug, Clone)]
pub struct Mapping {
    statics: Vec<usize>,
    regulars: Vec<usize>,
}

impl Mapping {
    /// For each static or regular column of the SSTable, its index among the table's; `usize::MAX` for one that it has not.
    pub fn places(&self, is_static: bool) -> &[usize] {
        match is_static {
            true => &self.statics,
            false => &self.regulars,
        }
    }

    /// Gives the columns of a row the table's indexes, and their order; their cells follow, column by column.
    pub fn apply(&self, row: &mut Row) {
        let places = self.places(row.is_static);
        for column in &mut row.columns {
            column.column = places.get(column.column).copied().unwrap_or(usize::MAX);
        }
        // An SSTable has its collections behind the other columns.
        if row.columns.is_sorted_by_key(|column| column.column) {
            return;
        }
        row.columns.sort_unstable_by_key(|column| column.column);
        let cells = std::mem::take(&mut row.cells);
        for column in &mut row.columns {
            let first = row.cells.len();
            let of_column = cells.get(column.cells.clone()).unwrap_or_default();
            row.cells.extend_from_slice(of_column);
            column.cells = first..row.cells.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Cell, ColumnCells, Deletion, NO_DELETION_TIME};
    use super::*;

    #[test]
    fn cells_follow_their_columns_into_the_order_of_the_table() {
        let cell = |timestamp| Cell {
            timestamp,
            ttl: 0,
            local_time: NO_DELETION_TIME,
            is_deleted: false,
            path: 0..0,
            value: 0..0,
        };
        let column = |column, cells| ColumnCells {
            column,
            deletion: Deletion::LIVE,
            cells,
        };
        // In the SSTable `v`, then the list `l`.
        let mut row = Row {
            cells: vec![cell(1), cell(2), cell(3)],
            columns: vec![column(0, 0..1), column(1, 1..3)],
            ..Row::default()
        };
        let mapping = Mapping {
            statics: Vec::new(),
            regulars: vec![4, 2],
        };
        mapping.apply(&mut row);
        assert_eq!(row.columns, [column(2, 0..2), column(4, 2..3)]);
        assert_eq!(row.cells, [cell(2), cell(3), cell(1)]);
    }
}
