//! The merge against a naive model: all cells of all SSTables of a table in maps, and for each place all that was ever
//! written there, sorted. On every fixture; both give the same rows, byte for byte.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::cells::{Ties, Version};
use super::super::counter::Holders;
use super::super::data::{Sstable, Unfiltered};
use super::super::descriptor::Descriptor;
use super::super::key::{self, Exactness};
use super::super::model::{ColumnCells, Liveness, Seconds};
use super::super::row_merge::push_cell;
use super::super::value::{Encoder, encode_deletion};
use super::super::view::{Lens, View};
use super::super::{CassandraTable, testing};
use super::*;
use crate::error::ErrorKind;
use crate::file::input::FileOptions;
use crate::range::KeyRange;
use crate::source::Table;

/// All that SSTables say of one partition.
#[derive(Default)]
struct Partition {
    deletions: Vec<Deletion>,
    /// Versions of rows by place, with the key's bytes.
    rows: BTreeMap<Vec<u8>, Vec<(Vec<u8>, Row)>>,
    /// Range tombstones: between which places, which deletion.
    ranges: Vec<(Vec<u8>, Vec<u8>, Deletion)>,
    /// The key's bytes of each bound.
    bounds: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn read(layout: &Layout, sstables: &[Sstable]) -> Result<BTreeMap<Vec<u8>, Partition>> {
    let mut partitions: BTreeMap<Vec<u8>, Partition> = BTreeMap::new();
    for sstable in sstables {
        let mapping = layout.mapping(sstable.header());
        let mut reader = sstable.read(0, sstable.data_len());
        while let Some(head) = reader.next_partition()? {
            let mut place = Vec::new();
            key::push_partition(&mut place, layout.partitioner, &layout.key_type, &head.key);
            let partition = partitions.entry(place).or_default();
            partition.deletions.push(head.deletion);
            let mut open: Option<(Vec<u8>, Deletion)> = None;
            let mut row = Row::default();
            loop {
                match reader.next_unfiltered(&mut row)? {
                    Unfiltered::End => break,
                    Unfiltered::Row => {
                        mapping.apply(&mut row);
                        let (mut at, mut exact) = (Vec::new(), Vec::new());
                        key::push_row(&mut at, layout, &row, Exactness::Equal).unwrap();
                        key::push_row(&mut exact, layout, &row, Exactness::Bytes).unwrap();
                        partition
                            .rows
                            .entry(at)
                            .or_default()
                            .push((exact, row.clone()));
                    }
                    Unfiltered::Marker(marker) => {
                        let (mut at, mut exact) = (Vec::new(), Vec::new());
                        key::push_bound(&mut at, layout, &marker, Exactness::Equal).unwrap();
                        key::push_bound(&mut exact, layout, &marker, Exactness::Bytes).unwrap();
                        partition
                            .bounds
                            .entry(at.clone())
                            .or_default()
                            .insert(exact);
                        if let Some((from, deletion)) = open.take() {
                            assert_eq!(marker.closes, Some(deletion));
                            partition.ranges.push((from, at.clone(), deletion));
                        }
                        open = marker.opens.map(|deletion| (at, deletion));
                    }
                }
            }
            assert!(open.is_none());
        }
    }
    Ok(partitions)
}

fn strongest(deletions: impl Iterator<Item = Deletion>) -> Deletion {
    deletions
        .filter(|d| !d.is_live())
        .max_by_key(|d| (d.timestamp, d.local_time))
        .unwrap_or(Deletion::LIVE)
}

/// Whether one is stronger than the other.
fn beats(one: Deletion, other: Deletion) -> bool {
    !one.is_live()
        && (other.is_live()
            || (one.timestamp, one.local_time) > (other.timestamp, other.local_time))
}

fn naive(layout: &Layout, sstables: &[Sstable], lens: Lens, rules: Rules) -> Result<Rows> {
    let mut out = Rows::new();
    let mut encoder = Encoder::default();
    let mut value = Vec::new();
    for (place, partition) in read(layout, sstables)? {
        let of_partition = strongest(partition.deletions.iter().copied());
        let key = |rest: &[u8]| [place.as_slice(), rest].concat();
        if !lens.deletion(of_partition).is_live() {
            encode_deletion(&mut value, lens.deletion(of_partition));
            out.insert(key(&[key::PARTITION_DELETION]), value.clone());
        }
        let range_at = |is_inside: &dyn Fn(&[u8], &[u8]) -> bool| {
            let inside = partition.ranges.iter().filter(|(a, b, _)| is_inside(a, b));
            let found = strongest(inside.map(|(_, _, d)| *d));
            match beats(found, of_partition) {
                true => found,
                false => Deletion::LIVE,
            }
        };
        let mut shown = Deletion::LIVE;
        for (at, exact) in &partition.bounds {
            let behind = lens.deletion(range_at(&|a, b| a <= at.as_slice() && at.as_slice() < b));
            if behind != shown {
                encode_deletion(&mut value, behind);
                out.insert(key(exact.first().unwrap()), value.clone());
                shown = behind;
            }
        }
        for (at, versions) in &partition.rows {
            let range = range_at(&|a, b| a < at.as_slice() && at.as_slice() < b);
            let covered = strongest([of_partition, range].into_iter());
            let mut row = merge_naively(layout, versions, covered, rules);
            if lens.apply(&mut row) {
                encoder.row(&mut value, layout, lens.view, &row);
                let exact = versions.iter().map(|(exact, _)| exact).min().unwrap();
                out.insert(key(exact), value.clone());
            }
        }
    }
    Ok(out)
}

fn merge_naively(
    layout: &Layout,
    versions: &[(Vec<u8>, Row)],
    covered: Deletion,
    rules: Rules,
) -> Row {
    let rows: Vec<&Row> = versions.iter().map(|(_, row)| row).collect();
    let mut out = Row {
        is_static: rows[0].is_static,
        ..Row::default()
    };
    let mut inserts: Vec<Liveness> = rows.iter().filter_map(|row| row.liveness).collect();
    inserts.sort_by_key(|l| {
        (
            l.timestamp,
            l.ttl == i64::from(i32::MAX),
            l.ttl > 0,
            l.expires,
            l.ttl,
        )
    });
    let insert = inserts.last().copied();
    let regular = strongest(
        rows.iter()
            .filter(|r| !r.is_shadowable)
            .filter_map(|r| r.deletion),
    );
    let of_view = rows
        .iter()
        .filter(|r| r.is_shadowable)
        .filter_map(|r| r.deletion);
    let shadowable = strongest(of_view.chain(rows.iter().filter_map(|r| r.shadowable)));
    let ended = insert.is_some_and(|i| i.timestamp.unwrap() > shadowable.timestamp);
    let is_shadowable = !ended && beats(shadowable, regular);
    let deletion = if is_shadowable { shadowable } else { regular };
    let mut covered = covered;
    if beats(deletion, covered) {
        covered = deletion;
        out.deletion = Some(deletion);
        out.is_shadowable = is_shadowable;
    }
    out.liveness = insert.filter(|i| !covered.covers(i.timestamp.unwrap()));
    for (index, column) in layout.columns(out.is_static).iter().enumerate() {
        let of_column: Vec<(&Row, &ColumnCells)> = rows
            .iter()
            .flat_map(|row| row.columns.iter().map(move |cells| (*row, cells)))
            .filter(|(_, cells)| cells.column == index)
            .collect();
        let deletion = strongest(of_column.iter().map(|(_, cells)| cells.deletion));
        let is_dropped = |timestamp| column.dropped.is_some_and(|at| timestamp <= at);
        let is_kept = beats(deletion, covered) && !is_dropped(deletion.timestamp);
        let hiding = if beats(deletion, covered) {
            deletion
        } else {
            covered
        };
        let mut elements: Vec<Version<'_>> = Vec::new();
        for (row, cells) in &of_column {
            for cell in &row.cells[cells.cells.clone()] {
                if !hiding.covers(cell.timestamp) && !is_dropped(cell.timestamp) {
                    elements.push(Version::of(row, cell));
                }
            }
        }
        elements.sort_by(|a, b| column.compare_paths(a.path, b.path));
        let of_paths = elements.chunk_by(|a, b| column.compare_paths(a.path, b.path).is_eq());
        let start = out.cells.len();
        let best: Vec<Version<'_>> = of_paths
            .map(|of_path| best(of_path, column.is_counter, rules))
            .collect();
        best.iter().for_each(|version| push_cell(&mut out, version));
        if start < out.cells.len() || is_kept {
            let deletion = if is_kept { deletion } else { Deletion::LIVE };
            let cells = start..out.cells.len();
            out.columns.push(ColumnCells {
                column: index,
                deletion,
                cells,
            });
        }
    }
    out
}

/// The version that counts, by sorting.
fn best<'r>(versions: &[Version<'r>], is_counter: bool, rules: Rules) -> Version<'r> {
    if is_counter {
        let dead: Vec<_> = versions.iter().filter(|v| v.is_deleted).collect();
        if let Some(dead) = dead.into_iter().max_by_key(|v| v.timestamp) {
            return dead.clone();
        }
        let mut shards: BTreeMap<Vec<u8>, (i64, i64)> = BTreeMap::new();
        let mut headers = BTreeSet::new();
        for version in versions {
            let (head, body) = version.value.split_at(2);
            let count = usize::from(u16::from_be_bytes([head[0], head[1]]));
            headers.insert(count == body.len().saturating_sub(count * 2) / 32);
            for shard in body[count * 2..].chunks(32) {
                let number = |at: usize| i64::from_be_bytes(shard[at..at + 8].try_into().unwrap());
                let shard_now = (number(16), number(24));
                let known = shards.entry(shard[..16].to_vec()).or_insert(shard_now);
                *known = shard_now.max(*known);
            }
        }
        if versions.len() == 1 {
            return versions[0].clone();
        }
        assert_eq!(
            headers,
            BTreeSet::from([true]),
            "the model knows global shards only"
        );
        let mut value = (shards.len() as i16).to_be_bytes().to_vec();
        for index in 0..shards.len() {
            value.extend_from_slice(&(index as u16 | 0x8000).to_be_bytes());
        }
        for (id, (clock, count)) in shards {
            value.extend_from_slice(&id);
            value.extend_from_slice(&clock.to_be_bytes());
            value.extend_from_slice(&count.to_be_bytes());
        }
        return Version {
            timestamp: versions.iter().map(|v| v.timestamp).max().unwrap(),
            value: Cow::Owned(value),
            ..versions[0].clone()
        };
    }
    let dead = |v: &Version<'_>| v.is_deleted || v.local_time <= rules.now;
    let never = Seconds::MAX;
    let mut sorted = versions.to_vec();
    sorted.sort_by_key(|v| match rules.ties {
        Ties::V4 => (
            v.timestamp,
            v.local_time != never,
            v.is_deleted,
            v.local_time,
            v.value.to_vec(),
            v.ttl,
        ),
        Ties::V3_11 => {
            let signed: Vec<u8> = v.value.iter().map(|b| b ^ 0x80).collect();
            (v.timestamp, dead(v), false, 0, signed, v.local_time)
        }
    });
    sorted.pop().unwrap()
}

fn streamed(table: &CassandraTable, range: &KeyRange) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut rows = Vec::new();
    table.scan(range)?.for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    })?;
    Ok(rows)
}

fn open(
    folder: &Path,
    descriptors: &[Descriptor],
    lens: Lens,
    rules: Rules,
) -> Result<CassandraTable> {
    CassandraTable::new(
        "t".into(),
        folder,
        open_all(descriptors)?,
        None,
        lens,
        rules,
    )
}

fn open_all(descriptors: &[Descriptor]) -> Result<Vec<Sstable>> {
    let options = FileOptions::default();
    descriptors
        .iter()
        .map(|d| Sstable::open(d.clone(), &options))
        .collect()
}

#[test]
fn the_merge_is_that_of_a_naive_model() {
    let mut folders: BTreeMap<PathBuf, Vec<Descriptor>> = BTreeMap::new();
    for descriptor in testing::sstables() {
        folders
            .entry(descriptor.folder.clone())
            .or_default()
            .push(descriptor);
    }
    let (mut tables, mut rows_seen, mut refused) = (0, 0, Vec::new());
    for (folder, descriptors) in &folders {
        for (view, ties) in [
            (View::Cells, Ties::V4),
            (View::Cells, Ties::V3_11),
            (View::Live, Ties::V4),
        ] {
            for (now, gc_before) in [(0, Seconds::MIN), (1_800_000_000, 1_700_000_000)] {
                let (lens, rules) = (
                    Lens {
                        view,
                        now,
                        gc_before,
                    },
                    Rules {
                        ties,
                        now,
                        holders: Holders::OneNode,
                    },
                );
                let both = open(folder, descriptors, lens, rules).and_then(|table| {
                    let sstables = open_all(descriptors)?;
                    let rows = streamed(&table, &KeyRange::all())?;
                    let expected = naive(table.layout(), &sstables, lens, rules)?;
                    Ok((table, rows, expected))
                });
                let (table, rows, expected) = match both {
                    Ok(both) => both,
                    Err(error) => {
                        assert!(
                            matches!(
                                error.kind(),
                                ErrorKind::Damaged { .. } | ErrorKind::Unsupported { .. }
                            ),
                            "{error}"
                        );
                        refused.push(folder.clone());
                        continue;
                    }
                };
                let expected: Vec<_> = expected.into_iter().collect();
                for (row, expected) in rows.iter().zip(&expected) {
                    assert_eq!(row, expected, "{folder:?} {lens:?} {rules:?}");
                }
                assert_eq!(rows.len(), expected.len(), "{folder:?}");
                // The pieces hold the rows of the whole, cut at partitions and at any row.
                let mut cuts = table.split(&KeyRange::all(), 5).unwrap();
                cuts.extend(
                    rows.iter()
                        .step_by(rows.len() / 7 + 1)
                        .map(|(key, _)| key.clone()),
                );
                cuts.sort();
                cuts.dedup();
                let pieces = KeyRange::all().cut_at(&cuts);
                let pieces: Vec<_> = pieces
                    .iter()
                    .flat_map(|range| streamed(&table, range).unwrap())
                    .collect();
                assert_eq!(pieces, rows, "{folder:?}");
                rows_seen += rows.len();
            }
        }
        tables += 1;
    }
    refused.dedup();
    println!("{tables} tables, {rows_seen} rows; refused: {refused:?}");
    assert!(refused.len() < 8, "{refused:?}");
}
