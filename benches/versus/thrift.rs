//! What is not time: bytes read, bytes written, memory.

use std::fs;

use crate::Bench;
use crate::common::{Differences, KEY_BYTES, Kind, ROW_BYTES};
use crate::run::{Peak, Program, evict};
use crate::table::{Line, cores, size, times};

/// What a patch reads when both trees are at hand, for leaves of the default size and for finer ones.
pub fn patch_reads(bench: &Bench) -> Vec<Line> {
    let [base, target] = bench.data.pair();
    let snapshots = len(&base) + len(&target);
    let count = bench.data.pair_differences().count;
    [("default leaves", None), ("--leaf-rows 64", Some("64"))]
        .into_iter()
        .flat_map(|(leaves, rows)| {
            let args: Vec<&str> = rows.map_or(vec![], |rows| vec!["--leaf-rows", rows]);
            let trees = [
                bench.data.tree(&base, "base-tree", &args),
                bench.data.tree(&target, "target-tree", &args),
            ];
            let patch = patch(bench, &base, &target).with(&["--trees", &trees[0], &trees[1]]);
            let divergent = divergent_bytes(&trees);
            let work =
                format!("patch with trees of {leaves}, two .sst of {} in all, {count} scattered differences", size(snapshots));
            let mut asked = Line::new(
                format!("{work}: bytes read by calls (--no-mmap)"),
                "reading all of both snapshots",
                "<= 3 %",
            );
            let reads = patch.clone().with(&["--no-mmap"]).reads();
            asked.measured = percent(reads.by_calls, snapshots);
            asked.mdiff = size(reads.by_calls);
            asked.peer = format!(
                "{}; the divergent ranges hold {}",
                size(snapshots),
                size(divergent)
            );
            let mut fetched = Line::new(
                format!("{work}: bytes fetched from disk (mapped, cold; reading ahead included)"),
                "reading all of both snapshots",
                "<= 3 %",
            );
            fetched.peer.clone_from(&asked.peer);
            let files = [&base, &target, &trees[0], &trees[1]];
            if files.iter().all(|file| evict(file.as_ref())) {
                let reads = patch.reads();
                fetched.mdiff = size(reads.from_disk);
                fetched.measured = match reads.from_disk {
                    0 => "this file system keeps no account".into(),
                    bytes => percent(bytes, snapshots),
                };
            } else {
                fetched.measured = "dd is missing, so the page cache can't be emptied".into();
            }
            [asked, fetched]
        })
        .collect()
}

/// Size of a patch before compression against the rows that it carries.
pub fn patch_size(bench: &Bench) -> Vec<Line> {
    [
        (
            "scattered over a large table",
            bench.data.pair_differences(),
            bench.data.pair(),
        ),
        (
            "one row in ten",
            bench.data.dense_differences(),
            bench.data.dense_pair(),
        ),
    ]
    .map(|(what, differences, [base, target])| {
        let mut line = Line::new(
            format!(
                "patch size before compression, {} differences, {what}",
                differences.count
            ),
            "bytes of the rows that differ",
            "<= 1.05x",
        );
        let program = patch(bench, &base, &target).with(&["--verbose", "--color", "never"]);
        let (_, said) = program.output();
        let raw = said
            .lines()
            .find_map(|line| line.split_once(" bytes before compression"))
            .and_then(|(before, _)| before.split_whitespace().last()?.parse::<u64>().ok())
            .expect("mdiff patch --verbose says the bytes before compression");
        let rows = bytes_that_differ(&differences);
        line.measured = times(raw as f64 / rows as f64);
        line.mdiff = format!(
            "{}; {} compressed",
            size(raw),
            size(len(&bench.data.path("made.mpatch")))
        );
        line.peer = size(rows);
        line
    })
    .into()
}

/// What must be in a patch from the first side to the second: whole rows to put, the keys of rows to delete.
fn bytes_that_differ(differences: &Differences) -> u64 {
    (0..differences.rows)
        .map(|n| match differences.kind(n) {
            Kind::Same => 0,
            Kind::Changed | Kind::OnlySecond => ROW_BYTES,
            Kind::OnlyFirst => KEY_BYTES as u64,
        })
        .sum()
}

/// The most anonymous memory, on a small and on a large input.
pub fn memory(bench: &Bench) -> Vec<Line> {
    let [base, target] = bench.data.pair();
    let [small_base, small_target] = bench.data.small_pair();
    let [left, right] = bench.data.texts();
    let [small_left, small_right] = bench.data.small_texts();
    let build = |path: &str| {
        Program::mdiff(&[
            "build",
            path,
            "--force",
            "-o",
            &bench.data.path("built.mtree"),
        ])
    };
    let diff = |left: &str, right: &str| {
        Program::mdiff(&["diff", left, right, "--key", "id"]).finds_differences()
    };
    let works = [
        ("build, .sst", build(&small_base), build(&base)),
        (
            "patch, two .sst, no trees",
            patch(bench, &small_base, &small_target),
            patch(bench, &base, &target),
        ),
        (
            "cat, .sst",
            Program::mdiff(&["cat", &small_base]),
            Program::mdiff(&["cat", &base]),
        ),
        (
            "diff, two .csv",
            diff(&small_left, &small_right),
            diff(&left, &right),
        ),
    ];
    let allowed = 64 + cores() as u64;
    works
        .map(|(work, small, large)| {
            let mut line = Line::new(
                format!("memory: {work}"),
                "a tenth of the input",
                &format!("<= {allowed} MiB, flat"),
            );
            let unmapped = large.clone().with(&["--no-mmap"]).peak_memory();
            let (small, large) = (small.peak_memory(), large.peak_memory());
            line.measured = size(large.anonymous);
            line.mdiff = format!(
                "{}; all resident memory with --no-mmap: {}",
                anonymous(&large),
                size(unmapped.all)
            );
            line.peer = anonymous(&small);
            line
        })
        .into()
}

/// The anonymous memory of a process, and how sure that is.
pub fn anonymous(peak: &Peak) -> String {
    format!("{}, the most of {} looks", size(peak.anonymous), peak.looks)
}

/// A patch that is made, by a process.
pub fn patch(bench: &Bench, base: &str, target: &str) -> Program {
    Program::mdiff(&[
        "patch",
        base,
        target,
        "--force",
        "-o",
        &bench.data.path("made.mpatch"),
    ])
}

/// Bytes of the rows of both sides in the divergent ranges of two trees.
pub fn divergent_bytes(trees: &[String; 2]) -> u64 {
    use mdiff::compare::compare;
    use mdiff::file::input::FileOptions;
    use mdiff::mtree::Tree;
    let trees = trees
        .each_ref()
        .map(|path| Tree::open(path.as_ref(), &FileOptions::default()).expect("the tree opens"));
    let views = trees
        .each_ref()
        .map(|tree| tree.tables().next().expect("a tree has a table"));
    let mut bytes = 0;
    compare(&views, &mut |divergence| {
        bytes += divergence.sides.iter().map(|side| side.bytes).sum::<u64>();
        Ok(())
    })
    .expect("the trees compare");
    bytes
}

/// A part of a whole.
pub fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole as f64)
}

fn len(path: &str) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
