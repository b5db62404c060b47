//! Each stage of the pipeline by itself, in memory or on warm files: rows a second and bytes a second.
//!
//! ```text
//! cargo bench --bench stages
//! cargo bench --bench stages -- scan/lz4
//! ```

#[path = "common/mod.rs"]
mod common;

use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use mdiff::build::{self, BuildOptions};
use mdiff::compare::{Divergence, compare};
use mdiff::diff::{self, Change, ChangeSink, DiffOptions, Side};
use mdiff::file::input::{FileOptions, Input};
use mdiff::fingerprint::{Hash, RowHash, RowHashTask};
use mdiff::mtree::{Tree, write};
use mdiff::patch::{PatchHeader, PatchReader, PatchTable, PatchWriter};
use mdiff::progress::Progress;
use mdiff::range::{Coverage, KeyRange, key_hash, rank};
use mdiff::row::Row;
use mdiff::source::{self, Snapshot, SourceOptions};
use mdiff::tree::leaves::{self, LeafOptions, Unreadable};
use mdiff::{Error, Result};

use common::{Differences, KEY_BYTES, ROW_BYTES, VALUE_BYTES};

/// Rows of the files: 23 MB, more than the caches of most processors hold.
const ROWS: u64 = 200_000;
/// Rows of what is hashed in memory.
const MEMORY_ROWS: u64 = 10_000;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn throughput(group: &mut Group<'_>, rows: u64, bytes: u64) {
    group.throughput(Throughput::ElementsAndBytes {
        elements: rows,
        bytes,
    });
}

fn some_rows() -> Vec<([u8; KEY_BYTES], [u8; VALUE_BYTES])> {
    (0..MEMORY_ROWS)
        .map(|n| (common::key(n), common::value(n, 0)))
        .collect()
}

struct SumAll<'a>(&'a [([u8; KEY_BYTES], [u8; VALUE_BYTES])]);

impl RowHashTask for SumAll<'_> {
    type Output = u128;

    fn run<H: RowHash>(self, hash: H) -> u128 {
        self.0.iter().fold(0, |sum: u128, (key, value)| {
            sum.wrapping_add(hash.fingerprint(Row { key, value }, key_hash(key)))
        })
    }
}

fn fingerprints(c: &mut Criterion) {
    let rows = some_rows();
    let mut group = c.benchmark_group("fingerprint");
    throughput(&mut group, MEMORY_ROWS, MEMORY_ROWS * ROW_BYTES);
    for (name, hash) in [("xxh3", Hash::XXH3), ("blake3", Hash::BLAKE3)] {
        group.bench_function(name, |b| {
            b.iter(|| hash.with_row_hash(SumAll(black_box(&rows))))
        });
    }
    group.finish();
}

fn ranks(c: &mut Criterion) {
    let rows = some_rows();
    let mut group = c.benchmark_group("rank");
    throughput(&mut group, MEMORY_ROWS, MEMORY_ROWS * KEY_BYTES as u64);
    group.bench_function("key", |b| {
        b.iter(|| {
            black_box(&rows)
                .iter()
                .filter(|(key, _)| rank(key) >= 9)
                .count()
        })
    });
    group.finish();
}

/// Files of [`ROWS`] rows, in a folder that goes away.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        Files {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn table(
        &self,
        name: &str,
        compression: &str,
        differences: Differences,
        second: bool,
    ) -> Box<dyn Snapshot> {
        let path = self.path(name);
        common::write_sst(&path, compression, differences.side(second));
        open(&path)
    }

    fn text(&self) -> (Box<dyn Snapshot>, u64) {
        let path = self.path("rows.csv");
        let (mut text, mut line) = (common::CSV_HEADER.to_vec(), Vec::new());
        for n in 0..ROWS {
            common::csv_line(n, 0, &mut line);
            text.extend_from_slice(&line);
        }
        let mut file = std::fs::File::create(&path).expect("a text file");
        file.write_all(&text).expect("a text file can be written");
        (open(&path), text.len() as u64)
    }
}

fn open(path: &Path) -> Box<dyn Snapshot> {
    source::open(path, &SourceOptions::default()).expect("the snapshot opens")
}

const NO_DIFFERENCES: Differences = Differences {
    rows: ROWS,
    count: 0,
};

fn scan(snapshot: &dyn Snapshot) -> u64 {
    let mut bytes = 0;
    let mut stream = snapshot.tables()[0]
        .scan(&KeyRange::all())
        .expect("the table can be scanned");
    stream
        .for_each(&mut |row| {
            bytes += row.len_bytes();
            Ok(())
        })
        .expect("the table is sound");
    bytes
}

fn scans(c: &mut Criterion) {
    let files = Files::new();
    let mut group = c.benchmark_group("scan");
    throughput(&mut group, ROWS, ROWS * ROW_BYTES);
    for codec in ["none", "lz4", "zstd", "snappy"] {
        let snapshot = files.table(codec, codec, NO_DIFFERENCES, false);
        assert_eq!(scan(&*snapshot), ROWS * ROW_BYTES);
        group.bench_function(codec, |b| b.iter(|| scan(&*snapshot)));
    }
    let (snapshot, text_bytes) = files.text();
    throughput(&mut group, ROWS, text_bytes);
    group.bench_function("csv", |b| b.iter(|| scan(&*snapshot)));
    group.finish();
}

fn leaf_sums(c: &mut Criterion) {
    let files = Files::new();
    let snapshot = files.table("none", "none", NO_DIFFERENCES, false);
    let mut group = c.benchmark_group("leaves");
    throughput(&mut group, ROWS, ROWS * ROW_BYTES);
    for (name, hash) in [("xxh3", Hash::XXH3), ("blake3", Hash::BLAKE3)] {
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            let options = LeafOptions {
                leaf_bits: 9,
                hash: &hash,
                splits: &[],
                coverage: &Coverage::all(),
                keep_going: false,
            };
            group.bench_function(format!("{name}, threads: {threads}"), |b| {
                b.iter(|| pool.install(|| sum_leaves(&*snapshot, &options)));
            });
        }
    }
    group.finish();
}

fn sum_leaves(snapshot: &dyn Snapshot, options: &LeafOptions<'_>) -> u64 {
    let mut leaves = 0;
    let table = snapshot.tables()[0];
    let ranges = leaves::cut(table, options.coverage).expect("a table can be cut");
    leaves::scan(table, &ranges, options, &Progress::default(), &mut |_| {
        leaves += 1;
        Ok(())
    })
    .expect("the table is sound");
    leaves
}

fn broken(error: std::io::Error) -> Error {
    Error::io("writing", Path::new("memory"), error)
}

/// Two tables that differ in 1 row of 1,000, and their trees.
struct Pair {
    snapshots: [Box<dyn Snapshot>; 2],
    images: [Vec<u8>; 2],
    trees: [Tree; 2],
}

impl Pair {
    fn new(files: &Files) -> Pair {
        let differences = Differences {
            rows: ROWS,
            count: ROWS / 1000,
        };
        let snapshots = [false, true].map(|second| {
            files.table(
                if second { "right" } else { "left" },
                "none",
                differences,
                second,
            )
        });
        let images = snapshots.each_ref().map(|snapshot| {
            let mut image = Vec::new();
            let tables = build::build(&**snapshot, &fine(), &Progress::default()).expect("a tree");
            write::write(tables, &Hash::XXH3.id(), &mut image, &broken).expect("a tree in memory");
            image
        });
        let trees = images.each_ref().map(|image| open_tree(image.clone()));
        Pair {
            snapshots,
            images,
            trees,
        }
    }

    fn divergences(&self) -> Vec<Divergence> {
        let views = self
            .trees
            .each_ref()
            .map(|tree| tree.tables().next().expect("a table"));
        let mut found = Vec::new();
        compare(&views, &mut |divergence| {
            found.push(divergence.clone());
            Ok(())
        })
        .expect("the trees compare");
        found
    }

    fn diff(&self, divergences: &[Divergence], sink: &mut dyn ChangeSink) {
        let side = |index: usize| Side {
            table: self.snapshots[index].tables()[0],
            name: Path::new("rows"),
        };
        let options = DiffOptions {
            hash: &Hash::XXH3,
            keep_going: false,
        };
        diff::diff(side(0), side(1), divergences, &options, sink).expect("the tables are sound");
    }
}

fn open_tree(image: Vec<u8>) -> Tree {
    Tree::from_bytes(Path::new("tree"), image).expect("the tree opens")
}

/// Sixteen rows a leaf, so that there are leaves enough to measure.
fn fine() -> BuildOptions {
    BuildOptions {
        leaf_bits: Some(4),
        ..BuildOptions::default()
    }
}

fn trees(c: &mut Criterion) {
    let files = Files::new();
    let pair = Pair::new(&files);
    let image_bytes = pair.images[0].len() as u64;
    let table = pair.trees[0].tables().next().expect("a table");
    let leaf_count = table.header().leaves;
    let mut entries = Vec::new();
    table
        .for_each_leaf(&mut |entry| {
            entries.push(entry);
            Ok(())
        })
        .expect("the tree is sound");

    // Elements are leaves here, and bytes are those of the tree.
    let mut group = c.benchmark_group("tree");
    throughput(&mut group, leaf_count, image_bytes);
    group.bench_function("write", |b| {
        b.iter(|| {
            let all = Coverage::all();
            let spill = mdiff::file::spill::SpillBuffer::new(None);
            let mut writer = mdiff::mtree::TableWriter::new(4, &all, spill);
            for entry in &entries {
                writer
                    .push_leaf(&entry.start, &entry.summary)
                    .expect("memory");
            }
            let schema = table.header().schema.clone();
            let built = writer
                .finish("default", &schema, &[], Vec::new())
                .expect("memory");
            let mut image = Vec::with_capacity(pair.images[0].len());
            write::write(vec![built], &Hash::XXH3.id(), &mut image, &broken).expect("memory");
            image
        });
    });
    group.bench_function("read and check all", |b| {
        b.iter(|| pair.trees[0].check_all().expect("the tree is sound"));
    });
    group.bench_function("compare, 1 row of 1,000 differs", |b| {
        b.iter(|| pair.divergences().len());
    });
    group.finish();
}

/// Takes changes and does nothing with them.
struct Ignore;

impl ChangeSink for Ignore {
    fn change(&mut self, change: Change<'_>) -> Result<()> {
        black_box(change);
        Ok(())
    }

    fn unreadable(&mut self, _: usize, _: &Unreadable) -> Result<()> {
        Ok(())
    }
}

fn write_patch(
    header: &PatchHeader,
    changes: &[([u8; KEY_BYTES], [u8; VALUE_BYTES])],
    compress: bool,
) -> Vec<u8> {
    let mut image = Vec::new();
    let mut writer =
        PatchWriter::new(&mut image, &broken, header, &Hash::XXH3, compress).expect("memory");
    writer.table(0).expect("memory");
    let range = KeyRange::all();
    let sums = mdiff::fingerprint::Summary::default();
    writer.begin_range(&range, &sums, 0).expect("memory");
    for (key, value) in changes {
        let change = Change {
            key,
            left: None,
            right: Some(value),
        };
        writer.change(change).expect("memory");
    }
    writer.finish().expect("memory");
    image
}

fn patches(c: &mut Criterion) {
    let files = Files::new();
    let pair = Pair::new(&files);
    let divergences = pair.divergences();
    let read: (u64, u64) = divergences
        .iter()
        .flat_map(|divergence| &divergence.sides)
        .fold((0, 0), |sum, side| (sum.0 + side.rows, sum.1 + side.bytes));
    let mut group = c.benchmark_group("diff");
    throughput(&mut group, read.0, read.1);
    group.bench_function("rows of divergent ranges", |b| {
        b.iter(|| pair.diff(&divergences, &mut Ignore));
    });
    group.finish();

    let views = pair
        .trees
        .each_ref()
        .map(|tree| tree.tables().next().expect("a table"));
    let header = PatchHeader {
        hash: Hash::XXH3.id(),
        reversible: false,
        tables: vec![PatchTable::new(&views[0], &views[1])],
    };
    let rows = some_rows();
    let mut group = c.benchmark_group("patch");
    throughput(&mut group, MEMORY_ROWS, MEMORY_ROWS * ROW_BYTES);
    for (name, compress) in [("raw", false), ("zstd", true)] {
        group.bench_function(format!("write, {name}"), |b| {
            b.iter(|| write_patch(&header, black_box(&rows), compress).len());
        });
        let path = files.path(name);
        std::fs::write(&path, write_patch(&header, &rows, compress)).expect("a patch");
        let input = Input::open(&path, &FileOptions::default()).expect("the patch opens");
        group.bench_function(format!("read, {name}"), |b| {
            b.iter(|| {
                let mut reader = PatchReader::new(&input).expect("a patch");
                let mut records = 0;
                while reader.next_record().expect("the patch is sound").is_some() {
                    records += 1;
                }
                assert_eq!(records, MEMORY_ROWS + 2);
            });
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    fingerprints,
    ranks,
    scans,
    leaf_sums,
    trees,
    patches
);
criterion_main!(benches);
