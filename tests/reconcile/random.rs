//! Random writes and deletions, each on some of the replicas, against a naive model of the last write winning: all that was ever
//! written at a place, and the greatest of it.

use std::collections::BTreeMap;
use std::path::Path;

use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::diff::Side;
use mdiff::fingerprint::Hash;
use mdiff::mtree::Tree;
use mdiff::patch::{PatchHeader, PatchSide, PatchTable, PatchWriter};
use mdiff::progress::Progress;
use mdiff::reconcile::{ReconcileOptions, Rule, reconcile};
use mdiff::row::Schema;
use mdiff::row::cql::{CqlColumn, CqlSchema};
use mdiff::source::Snapshot;
use mdiff::source::cassandra::cells::Ties;
use mdiff::source::cassandra::key;
use mdiff::source::cassandra::layout::{Column, Layout};
use mdiff::source::cassandra::model::{
    Cell, ColumnCells, Deletion, Liveness, Marker, NO_DELETION_TIME, Row, Side as BoundSide,
};
use mdiff::source::cassandra::partitioner::Partitioner;
use mdiff::source::cassandra::types::CqlType;
use mdiff::source::cassandra::value::{Encoder, encode_deletion};
use mdiff::source::cassandra::view::View;
use mdiff::source::memory::{MemorySnapshot, MemoryTable};

use super::common::{Random, Rows, rounds};
use super::{applied, check_target};

/// Rows of a partition; bounds lie before and behind each.
const ROWS: u64 = 7;
/// Places of a partition: of each row the bound before it, the row, and the bound behind it.
const PLACES: u64 = 3 * ROWS;

/// A write, to a partition.
#[derive(Debug, Clone)]
enum Write {
    Partition(Deletion),
    /// Covers what lies between two bounds.
    Range(u64, u64, Deletion),
    /// Of a row.
    Row(u64, Deletion),
    Insert(u64, Liveness),
    /// Of a row's set.
    Set(u64, Deletion),
    /// Of a row, or of the static row: into a plain column, or into the set at a path.
    Cell(Option<u64>, Option<u8>, OneCell),
}

/// Greater ones win.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct OneCell {
    timestamp: i64,
    may_die: bool,
    is_deleted: bool,
    local_time: i64,
    value: Vec<u8>,
    ttl: i64,
}

fn deletion(random: &mut Random) -> Deletion {
    Deletion {
        timestamp: random.below(8) as i64 - 1,
        local_time: random.below(3) as i64,
    }
}

fn write(random: &mut Random) -> Write {
    let row = random.below(ROWS);
    // The bounds of a row are the places before and behind it.
    let bound = |n: u64| 3 * (n / 2) + 2 * (n % 2);
    match random.below(12) {
        0 => Write::Partition(deletion(random)),
        1..=3 => {
            let (one, other) = (random.below(2 * ROWS), random.below(2 * ROWS));
            let (from, to) = (bound(one.min(other)), bound(one.max(other)));
            match from == to {
                true => Write::Row(row, deletion(random)),
                false => Write::Range(from, to, deletion(random)),
            }
        }
        4 => Write::Row(row, deletion(random)),
        5 => {
            let ttl = 10 * random.below(2) as i64;
            Write::Insert(
                row,
                Liveness {
                    timestamp: Some(random.below(9) as i64),
                    ttl,
                    expires: match ttl {
                        0 => NO_DELETION_TIME,
                        _ => 100 + random.below(2) as i64,
                    },
                },
            )
        }
        6 => Write::Set(row, deletion(random)),
        _ => {
            let kind = random.below(5);
            let cell = OneCell {
                timestamp: random.below(9) as i64,
                may_die: kind < 2,
                is_deleted: kind == 0,
                local_time: match kind {
                    0 => random.below(3) as i64,
                    1 => 100 + random.below(2) as i64,
                    _ => NO_DELETION_TIME,
                },
                value: match kind {
                    0 => Vec::new(),
                    _ => vec![0, 0, 0, random.below(3) as u8],
                },
                ttl: if kind == 1 { 10 } else { 0 },
            };
            let row = (random.below(6) > 0).then_some(row);
            let path = (row.is_some() && random.below(2) == 0).then(|| random.below(3) as u8);
            Write::Cell(row, path, cell)
        }
    }
}

fn column(name: &str, cql_type: CqlType) -> CqlColumn {
    CqlColumn {
        name: name.into(),
        cql_type,
    }
}

fn schema() -> CqlSchema {
    CqlSchema {
        partitioner: Partitioner::Murmur3,
        key: vec![column("k", CqlType::Int)],
        clustering: vec![column("c", CqlType::Int)],
        statics: vec![column("st", CqlType::Int)],
        regulars: vec![
            column("s", CqlType::Set(Box::new(CqlType::Int))),
            column("v", CqlType::Int),
        ],
        view: View::Cells,
        ties: Ties::V4,
        now: 10,
        gc_before: 0,
    }
}

fn layout(schema: &CqlSchema) -> Layout {
    let named = |columns: &[CqlColumn]| {
        let columns = columns.iter();
        let named = columns.map(|c| Column::new(c.name.clone().into_bytes(), c.cql_type.clone()));
        named.collect()
    };
    Layout {
        partitioner: schema.partitioner,
        key_type: schema.key_type(),
        key: named(&schema.key),
        clustering: named(&schema.clustering),
        statics: named(&schema.statics),
        regulars: named(&schema.regulars),
        is_exact: true,
    }
}

fn strength(deletion: &Deletion) -> (bool, i64, i64) {
    let is_there = !deletion.is_live();
    (is_there, deletion.timestamp, deletion.local_time)
}

fn strongest(deletions: impl Iterator<Item = Deletion>) -> Deletion {
    deletions.max_by_key(strength).unwrap_or(Deletion::LIVE)
}

/// `deletion`, unless one that is as strong lies over it.
fn unless_under(deletion: Deletion, cover: Deletion) -> Deletion {
    match strength(&deletion) > strength(&cover) {
        true => deletion,
        false => Deletion::LIVE,
    }
}

/// The rows that a replica shows which has seen these writes.
fn rows_of(writes: &[(u32, Write)], layout: &Layout) -> Rows {
    let mut rows = Rows::new();
    for partition in 0..4 {
        let of_partition = writes.iter().filter(|(at, _)| *at == partition);
        let writes: Vec<&Write> = of_partition.map(|(_, write)| write).collect();
        let mut place = Vec::new();
        let key = partition.to_be_bytes();
        key::push_partition(&mut place, layout.partitioner, &layout.key_type, &key);
        partition_rows(&writes, layout, &place, &mut rows);
    }
    rows
}

fn partition_rows(writes: &[&Write], layout: &Layout, place: &[u8], rows: &mut Rows) {
    let of_partition = strongest(writes.iter().filter_map(|write| match write {
        Write::Partition(deletion) => Some(*deletion),
        _ => None,
    }));
    let mut put = |rest: &[u8], value: &[u8]| rows.insert([place, rest].concat(), value.to_vec());
    let mut value = Vec::new();
    if !of_partition.is_live() {
        encode_deletion(&mut value, of_partition);
        put(&[key::PARTITION_DELETION], &value);
    }
    // What covers what lies at a place, or right behind it.
    let range = |covers: &dyn Fn(u64, u64) -> bool| {
        let found = strongest(writes.iter().filter_map(|write| match write {
            Write::Range(from, to, deletion) if covers(*from, *to) => Some(*deletion),
            _ => None,
        }));
        unless_under(found, of_partition)
    };
    let mut shown = Deletion::LIVE;
    let mut encoder = Encoder::default();
    for at in 0..PLACES {
        let number = at / 3;
        let clustering = (number as i32).to_be_bytes().to_vec();
        let mut rest = Vec::new();
        if at % 3 == 1 {
            let covered = range(&|from, to| from < at && at < to);
            let covered = [of_partition, covered].into_iter().max_by_key(strength);
            let mut row = row_of(writes, Some(number), covered.unwrap());
            let clustering = row.push(&clustering);
            row.clustering.push(Some(clustering));
            if row.liveness.is_some() || row.deletion.is_some() || !row.columns.is_empty() {
                key::push_row(&mut rest, layout, &row, key::Exactness::Bytes).unwrap();
                encoder.row(&mut value, layout, View::Cells, &row);
                put(&rest, &value);
            }
            continue;
        }
        let behind = range(&|from, to| from <= at && at < to);
        if behind == shown {
            continue;
        }
        shown = behind;
        let marker = Marker {
            clustering: vec![Some(clustering)],
            side: match at % 3 {
                0 => BoundSide::Before,
                _ => BoundSide::Behind,
            },
            closes: None,
            opens: None,
        };
        key::push_bound(&mut rest, layout, &marker, key::Exactness::Bytes).unwrap();
        encode_deletion(&mut value, behind);
        put(&rest, &value);
    }
    let row = row_of(writes, None, of_partition);
    if !row.columns.is_empty() {
        encoder.row(&mut value, layout, View::Cells, &row);
        put(&[key::STATIC], &value);
    }
}

fn row_of(writes: &[&Write], number: Option<u64>, covered: Deletion) -> Row {
    let mut row = Row {
        is_static: number.is_none(),
        ..Row::default()
    };
    let of_row = strongest(writes.iter().filter_map(|write| match write {
        Write::Row(at, deletion) if Some(*at) == number => Some(*deletion),
        _ => None,
    }));
    let of_row = unless_under(of_row, covered);
    let mut covered = covered;
    if !of_row.is_live() {
        row.deletion = Some(of_row);
        covered = of_row;
    }
    let inserts = writes.iter().filter_map(|write| match write {
        Write::Insert(at, liveness) if Some(*at) == number => Some(*liveness),
        _ => None,
    });
    row.liveness = inserts
        .max_by_key(|l| (l.timestamp, l.ttl > 0, l.expires))
        .filter(|l| !covered.covers(l.timestamp.unwrap()));
    let of_set = strongest(writes.iter().filter_map(|write| match write {
        Write::Set(at, deletion) if Some(*at) == number => Some(*deletion),
        _ => None,
    }));
    let of_set = unless_under(of_set, covered);
    let cover_of_set = match of_set.is_live() {
        true => covered,
        false => of_set,
    };
    let mut cells: BTreeMap<Option<u8>, Vec<&OneCell>> = BTreeMap::new();
    for write in writes {
        if let Write::Cell(at, path, cell) = write
            && *at == number
        {
            let cover = if path.is_some() {
                cover_of_set
            } else {
                covered
            };
            if !cover.covers(cell.timestamp) {
                cells.entry(*path).or_default().push(cell);
            }
        }
    }
    // The plain column; of the static row its only one, else behind the set.
    let plain = cells.remove(&None);
    if !cells.is_empty() || !of_set.is_live() {
        for (path, versions) in cells {
            push_cell(&mut row, &[0, 0, 0, path.unwrap()], &versions);
        }
        row.columns.push(ColumnCells {
            column: 0,
            deletion: of_set,
            cells: 0..row.cells.len(),
        });
    }
    if let Some(versions) = plain {
        let first = row.cells.len();
        push_cell(&mut row, b"", &versions);
        row.columns.push(ColumnCells {
            column: usize::from(number.is_some()),
            deletion: Deletion::LIVE,
            cells: first..first + 1,
        });
    }
    row
}

fn push_cell(row: &mut Row, path: &[u8], versions: &[&OneCell]) {
    let best = *versions.iter().max().unwrap();
    // An element of a set has no value.
    let value: &[u8] = if path.is_empty() { &best.value } else { b"" };
    let (path, value) = (row.push(path), row.push(value));
    row.cells.push(Cell {
        timestamp: best.timestamp,
        ttl: best.ttl,
        local_time: best.local_time,
        is_deleted: best.is_deleted,
        path,
        value,
    });
}

/// Reconciles tables in memory, and gives what each then holds.
fn reconciled(replicas: &[Rows], schema: &CqlSchema, options: &BuildOptions) -> Vec<Rows> {
    let schema = Schema::Cql(Box::new(schema.clone()));
    let table = |rows: &Rows| MemoryTable::new("default", rows.clone()).with_schema(schema.clone());
    let snapshots: Vec<MemorySnapshot> = replicas
        .iter()
        .map(|rows| MemorySnapshot::with_tables(vec![table(rows)]))
        .collect();
    let name = Path::new("memory");
    let trees: Vec<Tree> = snapshots
        .iter()
        .map(|s| build_in_memory(s, name, options, &Progress::default()).unwrap())
        .collect();
    let views: Vec<_> = trees.iter().map(|t| t.table("default").unwrap()).collect();
    let sides: Vec<Side<'_>> = snapshots
        .iter()
        .map(|snapshot| Side {
            table: snapshot.tables()[0],
            name,
        })
        .collect();
    let rule = Rule::of(&vec![&schema; replicas.len()], None).unwrap();
    let how = ReconcileOptions {
        hash: &Hash::XXH3,
        temp_dir: None,
    };
    let found = reconcile(&views, &sides, &rule, &how).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let headers = views.iter().map(|view| PatchHeader {
        hash: Hash::XXH3.id(),
        reversible: false,
        tables: vec![PatchTable {
            name: "default".into(),
            schema: schema.clone(),
            coverage: view.header().coverage.clone(),
            base: PatchSide::of(view.header()),
            target: found.target.clone(),
        }],
    });
    let headers: Vec<PatchHeader> = headers.collect();
    let wrap = |e: std::io::Error| -> mdiff::Error { panic!("{e}") };
    let mut patches = vec![Vec::new(); replicas.len()];
    let mut writers: Vec<PatchWriter<'_>> = patches
        .iter_mut()
        .zip(&headers)
        .map(|(out, header)| PatchWriter::new(out, &wrap, header, &Hash::XXH3, true).unwrap())
        .collect();
    found.write(0, &mut writers).unwrap();
    for writer in writers {
        writer.finish().unwrap();
    }
    let mut all = Vec::new();
    for (rows, patch) in replicas.iter().zip(patches) {
        let path = dir.path().join("patch");
        std::fs::write(&path, patch).unwrap();
        let (after, of_patch) = applied(rows, &path);
        check_target(&of_patch, &after);
        all.push(after);
    }
    all
}

#[test]
fn random_writes_end_as_in_the_naive_model() {
    let seeds = match std::env::var("MDIFF_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => {
            let count = std::env::var("MDIFF_ROUNDS").map(|n| n.parse().unwrap());
            1..=count.unwrap_or(rounds(300, 3000))
        }
    };
    let schema = schema();
    let layout = layout(&schema);
    for seed in seeds {
        println!("seed {seed}");
        let mut random = Random(seed);
        let count = 2 + random.below(3) as usize;
        let partitions = 1 + random.below(4);
        let mut all = Vec::new();
        let mut replicas = vec![Vec::new(); count];
        for _ in 0..random.below(60) {
            let write = (random.below(partitions) as u32, write(&mut random));
            all.push(write.clone());
            // On all replicas, on one, or on any.
            let kind = random.below(3);
            let one = random.below(count as u64) as usize;
            for (number, replica) in replicas.iter_mut().enumerate() {
                if kind == 0 || number == one || kind == 1 && random.below(2) == 0 {
                    replica.push(write.clone());
                }
            }
        }
        let options = BuildOptions {
            leaf_bits: Some(random.below(4) as u32),
            ..BuildOptions::default()
        };
        let expected = rows_of(&all, &layout);
        let replicas: Vec<Rows> = replicas.iter().map(|w| rows_of(w, &layout)).collect();
        for (number, after) in reconciled(&replicas, &schema, &options).iter().enumerate() {
            for (key, value) in &expected {
                let show = |value: Option<&Vec<u8>>| value.and_then(|v| schema.value_json(v));
                assert_eq!(
                    show(after.get(key)),
                    show(Some(value)),
                    "seed {seed}, replica {number}: {}",
                    schema.show_key(key)
                );
            }
            assert_eq!(*after, expected, "seed {seed}, replica {number}");
        }
        // In the other order the same.
        let turned: Vec<Rows> = replicas.into_iter().rev().collect();
        let after = reconciled(&turned, &schema, &options);
        assert!(after.iter().all(|after| *after == expected), "seed {seed}");
    }
}
