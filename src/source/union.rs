//! Several snapshots as one: the shards of a replica, whose tables of equal name are joined.
//!
//! A joined table gives the rows of all its parts in the order of their keys, by a merge of their streams. No key may be in
//! two parts: which of the two rows counts can't be told, so that is an error. A table that some shards lack has the rows of
//! the others.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Estimate, RowWriter, Snapshot, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, Schema, check_same_schema};

/// Cuts that each part is asked for, for every piece of the whole.
const CUTS_A_PIECE: u64 = 4;

/// Shards of one replica as one snapshot.
pub struct Union {
    shards: Vec<Arc<Shard>>,
    tables: Vec<UnionTable>,
}

struct Shard {
    path: PathBuf,
    snapshot: Box<dyn Snapshot>,
}

/// One table of all the shards that have it.
struct UnionTable {
    name: String,
    schema: Schema,
    parts: Vec<Arc<Shard>>,
}

impl Union {
    /// Joins snapshots, each with the name to call it by.
    ///
    /// # Errors
    ///
    /// Usage, where a table has other columns in one shard than in another.
    pub fn new(shards: Vec<(PathBuf, Box<dyn Snapshot>)>) -> Result<Union> {
        let shards: Vec<Arc<Shard>> = shards
            .into_iter()
            .map(|(path, snapshot)| Arc::new(Shard { path, snapshot }))
            .collect();
        let mut tables: Vec<UnionTable> = Vec::new();
        for shard in &shards {
            for table in shard.snapshot.tables() {
                match tables.iter_mut().find(|known| known.name == table.name()) {
                    Some(known) => known.join(shard, table.schema())?,
                    None => tables.push(UnionTable {
                        name: table.name().to_owned(),
                        schema: table.schema().clone(),
                        parts: vec![Arc::clone(shard)],
                    }),
                }
            }
        }
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Union { shards, tables })
    }
}

impl Snapshot for Union {
    fn format(&self) -> &'static str {
        self.shards
            .first()
            .map_or("shards", |shard| shard.snapshot.format())
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables
            .iter()
            .map(|table| table as &dyn Table)
            .collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.shards
            .iter()
            .try_for_each(|shard| shard.snapshot.check_unchanged())
    }

    fn describe(&self) -> Vec<(String, String)> {
        vec![("shards".into(), self.shards.len().to_string())]
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "several shards can't be written as one file of their kind",
            "patch and apply each shard by itself",
        ))
    }
}

impl Shard {
    /// Its table of this name.
    ///
    /// # Errors
    ///
    /// Usage, where it has none; but only shards that have it are asked.
    fn table(&self, name: &str) -> Result<&dyn Table> {
        let mut tables = self.snapshot.tables().into_iter();
        tables.find(|table| table.name() == name).ok_or_else(|| {
            Error::usage(
                format!("{}: there is no table {name:?}", self.path.display()),
                "",
            )
        })
    }
}

impl UnionTable {
    fn join(&mut self, shard: &Arc<Shard>, schema: &Schema) -> Result<()> {
        check_same_schema(&self.schema, schema).map_err(|error| {
            let first = self.parts.first().map(|part| part.path.display());
            let first = first.map_or_else(String::new, |path| path.to_string());
            Error::usage(
                format!(
                    "{first} (left) and {} (right) are no shards of one replica: {error}",
                    shard.path.display()
                ),
                error.hint().unwrap_or_default(),
            )
        })?;
        self.parts.push(Arc::clone(shard));
        Ok(())
    }

    fn tables(&self) -> Result<Vec<&dyn Table>> {
        self.parts
            .iter()
            .map(|part| part.table(&self.name))
            .collect()
    }
}

impl Table for UnionTable {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn estimate(&self) -> Estimate {
        let tables = self.tables().unwrap_or_default();
        tables
            .iter()
            .map(|table| table.estimate())
            .fold(Estimate::default(), Estimate::plus)
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let total = self.estimate().bytes.max(1);
        // Each part says where a share of its rows ends; a cut goes where the shares of all parts add up to a piece.
        let mut cuts: Vec<(Vec<u8>, u64)> = Vec::new();
        for table in self.tables()? {
            let bytes = table.estimate().bytes;
            let wanted = (pieces as u64).saturating_mul(CUTS_A_PIECE);
            let share = u128::from(wanted) * u128::from(bytes) / u128::from(total);
            let count = usize::try_from(share).unwrap_or(pieces).max(1);
            let keys = table.split(range, count)?;
            let weight = bytes / (keys.len() as u64 + 1);
            cuts.extend(keys.into_iter().map(|key| (key, weight)));
        }
        Ok(choose_cuts(cuts, total, pieces))
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        let parts = self
            .tables()?
            .into_iter()
            .map(|table| table.scan(range))
            .collect::<Result<Vec<_>>>()?;
        Ok(Box::new(Merge {
            table: self,
            waiting: (0..parts.len()).collect(),
            parts,
            heads: BinaryHeap::new(),
            current: Head::default(),
        }))
    }

    fn may_recover(&self) -> bool {
        self.tables()
            .is_ok_and(|tables| tables.iter().any(|table| table.may_recover()))
    }

    fn recover(&self, error: &Error) -> Result<bool> {
        let mut is_mended = false;
        for part in &self.parts {
            if error.path() == Some(&part.path) {
                is_mended |= part.table(&self.name)?.recover(error)?;
            }
        }
        Ok(is_mended)
    }
}

/// Of possible cuts, each with the bytes that lie before it and behind the one before of the same part, chooses fewer than
/// `pieces` that lie about evenly in `total` bytes; ascending.
pub(super) fn choose_cuts(
    mut cuts: Vec<(Vec<u8>, u64)>,
    total: u64,
    pieces: usize,
) -> Vec<Vec<u8>> {
    cuts.sort_unstable();
    let mut chosen: Vec<Vec<u8>> = Vec::new();
    let mut bytes_before = 0u128;
    for (key, weight) in cuts {
        bytes_before += u128::from(weight);
        let pieces_before = chosen.len() as u128 + 1;
        let is_due = (bytes_before + u128::from(weight / 2)) * pieces as u128
            >= u128::from(total) * pieces_before;
        if is_due && chosen.len() + 1 < pieces && chosen.last() != Some(&key) {
            chosen.push(key);
        }
    }
    chosen
}

/// The next that a part has: a row, or an error that hides keys from `key` on.
#[derive(Default)]
struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    part: usize,
    error: Option<Error>,
}

impl Head {
    /// An error comes before the rows from the key on where it hides some.
    fn order(&self) -> (&[u8], bool, usize) {
        (&self.key, self.error.is_none(), self.part)
    }
}

/// The smallest head is the heap's greatest.
impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        other.order().cmp(&self.order())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// The rows of all parts, in the order of their keys.
struct Merge<'a> {
    table: &'a UnionTable,
    parts: Vec<Box<dyn RowStream + 'a>>,
    /// Parts whose next row is not in `heads`.
    waiting: Vec<usize>,
    heads: BinaryHeap<Head>,
    /// The row that is lent; its buffers are used again.
    current: Head,
}

impl Merge<'_> {
    /// Takes the next row of a part into the heap.
    fn pull(&mut self, part: usize) -> Result<()> {
        let Some(stream) = self.parts.get_mut(part) else {
            return Ok(());
        };
        let mut head = std::mem::take(&mut self.current);
        head.key.clear();
        head.value.clear();
        head.part = part;
        head.error = None;
        match stream.next() {
            Ok(Some(row)) => {
                head.key.extend_from_slice(row.key);
                head.value.extend_from_slice(row.value);
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                let Some(keys) = error.unreadable_keys() else {
                    return Err(error);
                };
                // Told when the rows of the other parts have come this far.
                head.key.extend_from_slice(&keys.from);
                head.error = Some(error);
            }
        }
        self.heads.push(head);
        Ok(())
    }

    fn duplicate(&self, head: &Head, other: &Head) -> Error {
        let path = |part: usize| {
            let part = self.table.parts.get(part);
            part.map_or(Path::new(""), |part| &part.path)
        };
        let first = path(head.part.min(other.part));
        let second = path(head.part.max(other.part));
        ErrorKind::Duplicate {
            path: first.to_owned(),
            key: head.key.clone(),
            first: "a row of this shard".into(),
            second: format!(
                "a row of the shard {}, and which of them counts can't be told",
                second.display()
            ),
        }
        .into()
    }
}

impl RowStream for Merge<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        while let Some(part) = self.waiting.pop() {
            self.pull(part)?;
        }
        let Some(mut head) = self.heads.pop() else {
            return Ok(None);
        };
        self.waiting.push(head.part);
        if let Some(error) = head.error.take() {
            return Err(error);
        }
        if let Some(other) = self.heads.peek()
            && other.error.is_none()
            && other.key == head.key
        {
            return Err(self.duplicate(&head, other));
        }
        self.current = head;
        Ok(Some(Row {
            key: &self.current.key,
            value: &self.current.value,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::memory::{MemorySnapshot, MemoryTable};

    type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

    fn pairs(from: u32, to: u32, step: usize) -> Pairs {
        (from..to)
            .step_by(step)
            .map(|i| (format!("{i:05}").into_bytes(), i.to_string().into_bytes()))
            .collect()
    }

    fn union(shards: Vec<(&str, Pairs)>) -> Union {
        let shards = shards
            .into_iter()
            .map(|(name, rows)| {
                let snapshot: Box<dyn Snapshot> = Box::new(MemorySnapshot::new(rows));
                (PathBuf::from(name), snapshot)
            })
            .collect();
        Union::new(shards).unwrap()
    }

    fn rows(union: &Union, range: &KeyRange) -> Result<Pairs> {
        let mut rows = Vec::new();
        union.tables()[0].scan(range)?.for_each(&mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn rows_come_in_the_order_of_their_keys_however_shards_share_them() {
        let all = pairs(0, 3000, 1);
        for shards in [
            vec![
                ("a", pairs(0, 3000, 3)),
                ("b", pairs(1, 3000, 3)),
                ("c", pairs(2, 3000, 3)),
            ],
            vec![
                ("a", pairs(1000, 3000, 1)),
                ("b", vec![]),
                ("c", pairs(0, 1000, 1)),
            ],
            vec![("a", pairs(7, 3000, 1)), ("b", pairs(0, 7, 1))],
        ] {
            let union = union(shards);
            assert_eq!(rows(&union, &KeyRange::all()).unwrap(), all);
            for pieces in [1, 2, 7, 64] {
                let cuts = union.tables()[0].split(&KeyRange::all(), pieces).unwrap();
                assert!(cuts.len() < pieces && cuts.is_sorted_by(|a, b| a < b));
                assert!(
                    cuts.len() * 2 >= pieces - 1,
                    "{} cuts of {pieces}",
                    cuts.len()
                );
                let parts = KeyRange::all().cut_at(&cuts);
                let counts: Vec<Pairs> = parts.iter().map(|r| rows(&union, r).unwrap()).collect();
                assert!(
                    counts
                        .iter()
                        .all(|part| part.len() < 2 * 3000 / pieces + 64)
                );
                assert_eq!(counts.concat(), all);
            }
        }
    }

    #[test]
    fn a_key_in_two_shards_is_an_error_that_names_both() {
        let union = union(vec![
            ("a", pairs(0, 9, 2)),
            ("b", pairs(1, 9, 2)),
            ("c", pairs(6, 7, 1)),
        ]);
        let error = rows(&union, &KeyRange::all()).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let text = error.to_string();
        assert!(
            text.starts_with("a: key 00006 stands twice") && text.contains("shard c,"),
            "{text}"
        );
    }

    #[test]
    fn tables_join_by_name() {
        let snapshot = |names: &[&str], from| -> Box<dyn Snapshot> {
            let tables = names
                .iter()
                .map(|name| MemoryTable::new(name, pairs(from, from + 5, 1)));
            Box::new(MemorySnapshot::with_tables(tables.collect()))
        };
        let union = Union::new(vec![
            ("a".into(), snapshot(&["x", "y"], 0)),
            ("b".into(), snapshot(&["w", "y"], 5)),
        ])
        .unwrap();
        let found: Vec<(&str, u64)> = union
            .tables()
            .iter()
            .map(|table| (table.name(), table.estimate().rows))
            .collect();
        assert_eq!(found, [("w", 5), ("x", 5), ("y", 10)]);
    }

    struct Broken(u32);

    impl RowStream for Broken {
        fn next(&mut self) -> Result<Option<Row<'_>>> {
            self.0 += 1;
            match self.0 {
                1 => Ok(Some(Row {
                    key: b"00001",
                    value: b"",
                })),
                2 => Err(
                    Error::damaged("b", 7, "rot").hiding(crate::error::UnreadableKeys {
                        from: b"00004".to_vec(),
                        to: Some(b"00008".to_vec()),
                    }),
                ),
                3 => Ok(Some(Row {
                    key: b"00009",
                    value: b"",
                })),
                _ => Ok(None),
            }
        }
    }

    #[test]
    fn damage_is_told_in_its_place_and_the_rows_behind_it_follow() {
        let union = union(vec![("a", pairs(0, 12, 2)), ("b", vec![])]);
        let table = &union.tables[0];
        let mut merge = Merge {
            table,
            parts: vec![
                table.parts[0]
                    .table("default")
                    .unwrap()
                    .scan(&KeyRange::all())
                    .unwrap(),
                Box::new(Broken(0)),
            ],
            waiting: vec![0, 1],
            heads: BinaryHeap::new(),
            current: Head::default(),
        };
        let mut seen = Vec::new();
        loop {
            match merge.next() {
                Ok(Some(row)) => seen.push(String::from_utf8(row.key.to_vec()).unwrap()),
                Ok(None) => break,
                Err(error) => {
                    seen.push(error.unreadable_keys().map_or("?".into(), |_| "rot".into()))
                }
            }
        }
        assert_eq!(
            seen,
            [
                "00000", "00001", "00002", "rot", "00004", "00006", "00008", "00009", "00010"
            ]
        );
    }
}
