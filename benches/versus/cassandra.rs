//! Folders of Cassandra's SSTables: many partitions of some rows, and one of millions.

use std::cell::Cell;
use std::path::Path;

use crate::Bench;
use crate::codec::{PackedChunks, decompress_chunks};
use crate::common::{Random, hex};
use crate::data::Data;
use crate::run::{Duel, Program, median};
use crate::speed::{build, millions, ratios, two_against_one};
use crate::sstable::{Compression, Row, Writer, in_token_order};
use crate::table::{Line, cores, size, speed, time};
use crate::thrift::{divergent_bytes, patch, percent};

/// Cassandra's defaults.
const CHUNK: Compression = Compression::Lz4(16 << 10);
const BLOCK_BYTES: u64 = 64 << 10;

/// Rows of each partition of the folder.
const ROWS_A_PARTITION: u64 = 5;
/// Rows of the wide partition that differ between two snapshots.
const WIDE_DIFFERENCES: u64 = 20;

/// A row of about `text_len` bytes of text, of which a half compresses away, and 32 other bytes.
fn row(n: u64, ck: i64, version: u64, text_len: usize) -> Row {
    let mut random = Random::new(n, version);
    let mut text = String::with_capacity(text_len + 16);
    while text.len() < text_len {
        for _ in 0..3 {
            text.push_str(random.word());
            text.push('-');
        }
        text.extend(hex(random.bits()).map(char::from));
    }
    Row {
        ck,
        written: version * 1000 + n % 1000,
        a: text,
        b: random.bits() as i32,
        c: random.bits() as i64,
        d: random.bits().to_be_bytes().repeat(2),
    }
}

/// Three SSTables: all rows, then newer versions of a part of them, twice.
fn folder(data: &Data) -> (String, u64) {
    let rows = 1_500_000 / data.divisor();
    let path = data.make("cassandra.rows", |path| {
        let keys = in_token_order((0..rows / ROWS_A_PARTITION).map(|n| format!("partition-{n}")));
        for (number, one_in) in [(1, 1), (2, 3), (3, 10)] {
            let mut writer =
                Writer::create(path, number, CHUNK, BLOCK_BYTES).expect("it can be made");
            for (at, key) in (0u64..).zip(&keys) {
                if at % one_in != 0 {
                    continue;
                }
                writer.partition(key, None).expect("it can be written");
                for ck in 0..ROWS_A_PARTITION {
                    let n = at * ROWS_A_PARTITION + ck;
                    let row = row(n, ck as i64, u64::from(number), 250);
                    writer.row(&row).expect("it can be written");
                }
            }
            writer.finish().expect("it can be written");
        }
    });
    (path, rows)
}

/// One partition; every so many-th row has another version in the second of a pair.
fn wide(data: &Data, name: &str, rows: u64, is_second: bool) -> String {
    data.make(name, |path| {
        let mut writer = Writer::create(path, 1, CHUNK, BLOCK_BYTES).expect("it can be made");
        writer.partition("wide", None).expect("it can be written");
        let stride = rows / WIDE_DIFFERENCES;
        for n in 0..rows {
            let is_newer = is_second && n % stride == stride / 2;
            let row = row(n, n as i64 * 3, 1 + u64::from(is_newer), 90);
            writer.row(&row).expect("it can be written");
        }
        writer.finish().expect("it can be written");
    })
}

/// The packed chunks of all SSTables of a folder.
fn packed(folder: &str) -> Vec<PackedChunks> {
    let prefix = |number| format!("{folder}/nb-{number}-big-");
    let is_there = |prefix: &String| Path::new(&format!("{prefix}Data.db")).exists();
    (1..)
        .map(prefix)
        .take_while(is_there)
        .map(|prefix| PackedChunks::read(&prefix))
        .collect()
}

/// Build against decompression of the same chunks: by one core, as if as many did as much, and by all cores at once.
fn against_codec(bench: &Bench, work: &str, folder: &str, rows_read: u64) -> [Line; 2] {
    let packed = packed(folder);
    let program = build(bench, folder);
    let one_core = format!("lz4 decompression on one core, x {}", cores());
    let all_cores = format!("lz4 decompression on {} cores at once", cores());
    [(one_core, 1, cores()), (all_cores, cores(), 1)].map(|(against, threads, times)| {
        let mut line = Line::new(work, &against, ">= 0.5x");
        let plain_bytes = Cell::new(0);
        let duel = Duel::run(bench.runs, &mut || program.seconds(), &mut || {
            let (seconds, bytes) = decompress_chunks(&packed, threads);
            plain_bytes.set(bytes);
            seconds
        });
        bench.raw(&line.work, "mdiff", &duel.first);
        bench.raw(
            &line.work,
            &format!("the codec, {threads} threads"),
            &duel.second,
        );
        let own = median(&duel.first);
        let perfect = median(&duel.second) / times as f64;
        line.measured = ratios(&duel, times as f64);
        let rows_a_second = rows_read as f64 / own / 1e6;
        line.mdiff = format!(
            "{} ({}, {rows_a_second:.2} M rows/s)",
            time(own),
            speed(plain_bytes.get(), own)
        );
        line.peer = format!("{} ({})", time(perfect), speed(plain_bytes.get(), perfect));
        line
    })
}

fn peak(program: &Program) -> u64 {
    let peaks: Vec<f64> = (0..3)
        .map(|_| program.peak_memory().anonymous as f64)
        .collect();
    median(&peaks) as u64
}

/// Build of a folder of three SSTables that overlap.
pub fn build_folder(bench: &Bench) -> Vec<Line> {
    let (folder, rows) = folder(&bench.data);
    let read = rows + rows / 3 + rows / 10;
    let work = format!(
        "build, Cassandra's SSTables: {} in three that overlap",
        millions(read)
    );
    let [one_core, all_cores] = against_codec(bench, &work, &folder, read);
    vec![
        one_core,
        all_cores,
        two_against_one(bench, &work, &build(bench, &folder)),
    ]
}

/// One partition of millions of rows: build, its memory, and what a patch reads.
pub fn wide_partition(bench: &Bench) -> Vec<Line> {
    let data = &bench.data;
    let rows = 3_000_000 / data.divisor();
    let base = wide(data, "cassandra.wide", rows, false);
    let target = wide(data, "cassandra.wide-target", rows, true);
    let small = wide(data, "cassandra.wide-small", rows / 10, false);
    let work = format!("build, one Cassandra partition of {}", millions(rows));

    let allowed = 64 + cores() as u64;
    let mut memory = Line::new(
        format!("memory: {work}"),
        "a tenth of the rows",
        &format!("<= {allowed} MiB, flat"),
    );
    memory.measured = size(peak(&build(bench, &base)));
    memory.mdiff.clone_from(&memory.measured);
    memory.peer = size(peak(&build(bench, &small)));

    let data_file = |folder: &str| {
        let path = format!("{folder}/nb-1-big-Data.db");
        std::fs::metadata(path).map_or(0, |metadata| metadata.len())
    };
    let whole = data_file(&base) + data_file(&target);
    let trees = [(&base, "wide-base"), (&target, "wide-target")]
        .map(|(folder, name)| data.tree(folder, name, &[]));
    let mut reads = Line::new(
        format!(
            "patch with trees, two such partitions with {WIDE_DIFFERENCES} differences: bytes read by calls (--no-mmap)"
        ),
        "reading both Data.db",
        "<= 3 %",
    );
    let by_calls = patch(bench, &base, &target)
        .with(&["--no-mmap", "--trees", &trees[0], &trees[1]])
        .reads()
        .by_calls;
    reads.measured = percent(by_calls, whole);
    reads.mdiff = size(by_calls);
    let divergent = size(divergent_bytes(&trees));
    reads.peer = format!("{}; the divergent ranges hold {divergent}", size(whole));

    let [one_core, all_cores] = against_codec(bench, &work, &base, rows);
    vec![
        one_core,
        all_cores,
        two_against_one(bench, &work, &build(bench, &base)),
        memory,
        reads,
    ]
}
