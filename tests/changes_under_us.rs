//! A snapshot that changes while it is read is an error, never a crash or a guess; one that is replaced by rename is read whole.
//!
//! On the real binary, strace pauses the child at each call on the snapshot. In the library, tables that change their own
//! file at a chosen row stand for every moment between those calls.

mod common;
use common::*;

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use mdiff::apply::{ApplyOptions, apply};
use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::diff::{DiffOptions, Side, diff};
use mdiff::file::input::{FileOptions, Input};
use mdiff::fingerprint::Hash;
use mdiff::progress::Progress;
use mdiff::range::KeyRange;
use mdiff::row::{Row, RowStream, Schema};
use mdiff::source::{self, Estimate, RowWriter, Snapshot, SourceOptions, Table};
use mdiff::{ErrorKind, Result};

const PAGE: u64 = 4096;

/// What somebody else does to the file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    TruncatedToNothing,
    TruncatedToAPage,
    TruncatedInAPage,
    TruncatedInTheLastPage,
    Appended,
    RewrittenInPlace,
    ReplacedByRename,
}

const CHANGES: [Change; 7] = [
    Change::TruncatedToNothing,
    Change::TruncatedToAPage,
    Change::TruncatedInAPage,
    Change::TruncatedInTheLastPage,
    Change::Appended,
    Change::RewrittenInPlace,
    Change::ReplacedByRename,
];

impl Change {
    fn make(self, path: &Path) {
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let len = file.metadata().unwrap().len();
        match self {
            Change::TruncatedToNothing => file.set_len(0).unwrap(),
            Change::TruncatedToAPage => file.set_len(len / 2 / PAGE * PAGE).unwrap(),
            Change::TruncatedInAPage => file.set_len(len / 2 / PAGE * PAGE + 1234).unwrap(),
            Change::TruncatedInTheLastPage => file.set_len(len - 9).unwrap(),
            Change::Appended => file.write_all_at(b"more", len).unwrap(),
            Change::RewrittenInPlace => {
                // The same bytes, so that only the times can tell.
                let mut bytes = vec![0; 100];
                file.read_exact_at(&mut bytes, len / 3).unwrap();
                file.write_all_at(&bytes, len / 3).unwrap();
            }
            Change::ReplacedByRename => {
                let other = path.with_extension("replacement");
                std::fs::write(&other, b"another file").unwrap();
                std::fs::rename(&other, path).unwrap();
            }
        }
    }
}

fn some_rows() -> Rows {
    many_rows(1500, 100, 3)
}

/// Folder with `base.sst`, `target.sst`, `fix.mpatch`, `base.mtree`; files older than the clock's tick.
fn inputs() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let base = some_rows();
    let mut target = base.clone();
    target.insert(b"row 0000500".to_vec(), b"changed".to_vec());
    target.remove(b"row 0001400".as_slice());
    std::fs::write(dir.path().join("base.sst"), sst_bytes(&base, "none")).unwrap();
    std::fs::write(dir.path().join("target.sst"), sst_bytes(&target, "none")).unwrap();
    mdiff(["patch", "base.sst", "target.sst", "-o", "fix.mpatch"])
        .in_dir(&dir)
        .run()
        .exits(0);
    mdiff(["build", "base.sst", "-o", "base.mtree"])
        .in_dir(&dir)
        .run()
        .exits(0);
    dir
}

#[test]
fn the_real_binary_notices_at_every_call() {
    if !strace_works("changes at calls") {
        return;
    }
    let dir = inputs();
    let logs = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let snapshot = dir.path().join("base.sst");
    let sound = std::fs::read(&snapshot).unwrap();
    let out = dir.path().join("out");
    let commands: [Vec<String>; 6] = [
        vec![
            "build".into(),
            path("base.sst"),
            "-o".into(),
            path("out"),
            "--force".into(),
        ],
        vec!["compare".into(), path("base.sst"), path("target.sst")],
        vec![
            "diff".into(),
            path("target.sst"),
            path("base.sst"),
            "--no-trees".into(),
        ],
        vec![
            "patch".into(),
            path("base.sst"),
            path("target.sst"),
            "-o".into(),
            path("out"),
            "--no-trees".into(),
            "--force".into(),
        ],
        vec![
            "apply".into(),
            path("base.sst"),
            path("fix.mpatch"),
            "-o".into(),
            path("out"),
            "--force".into(),
        ],
        vec!["verify".into(), path("base.sst"), path("base.mtree")],
    ];
    let (mut errors, mut whole) = (0, 0);
    for command in &commands {
        for how in ["-j8", "--no-mmap"] {
            let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
            args.extend([how, "-j8"].iter().take(if how == "-j8" { 1 } else { 2 }));
            let traced = Traced::new(&args, &[&snapshot], &logs.path().join("log"));
            let reset = || {
                std::fs::write(&snapshot, &sound).unwrap();
                std::fs::write(&out, b"old").unwrap();
                // A change within the clock's tick of this write could escape on kernels before 6.13.
                std::thread::sleep(std::time::Duration::from_millis(10));
            };
            reset();
            let right = traced.run(None).ran;
            let new = std::fs::read(&out).unwrap();
            reset();
            let calls = traced.calls();
            // Behind the first of these calls the file is open; after the last one comes the check that it is unchanged.
            let mut moments: Vec<(String, usize)> = Vec::new();
            for (name, count) in &calls {
                if !matches!(name.as_str(), "mmap" | "pread64") {
                    continue;
                }
                let all = (1..=*count).collect::<Vec<_>>();
                let step = (all.len() / rounds(3, 20) as usize).max(1);
                moments.extend(
                    all.into_iter()
                        .step_by(step)
                        .map(|when| (name.clone(), when)),
                );
            }
            assert!(!moments.is_empty(), "{args:?}: {calls:?}");
            for change in CHANGES {
                for (call, when) in &moments {
                    let change_it = || change.make(&snapshot);
                    let Some(run) = traced.pause(call, *when, reset, change_it) else {
                        continue; // this thread made fewer such calls this time
                    };
                    let what = format!("{args:?}, {change:?} at {call} {when}: {:?}", run.ran);
                    assert_eq!(run.ran.signal, None, "{what}");
                    if change == Change::ReplacedByRename {
                        assert_eq!(run.ran.code, right.code, "{what}");
                        assert_eq!(run.ran.stdout, right.stdout, "{what}");
                        assert!(std::fs::read(&out).unwrap() == new, "{what}");
                        whole += 1;
                    } else {
                        assert_eq!(run.ran.code, Some(2), "{what}");
                        assert!(
                            run.ran
                                .stderr
                                .contains("the file changed while it was read"),
                            "{what}"
                        );
                        assert!(std::fs::read(&out).unwrap() == b"old", "{what}");
                        assert!(
                            !folder(&dir).keys().any(|name| name.contains("partial")),
                            "{what}"
                        );
                        errors += 1;
                    }
                }
            }
        }
    }
    println!("{errors} changes noticed, {whole} files read whole after they were replaced");
    assert!(errors > 60 && whole > 10);
}

/// A snapshot whose file changes when its n-th row is read, whoever reads it.
struct Shaky {
    inner: Box<dyn Snapshot>,
    path: PathBuf,
    change: Change,
    rows_left: AtomicI64,
    once: Mutex<bool>,
    schema: Schema,
}

impl Shaky {
    fn open(path: &Path, mmap: bool, change: Change, at_row: u64) -> Shaky {
        let options = SourceOptions {
            file: FileOptions {
                mmap,
                ..FileOptions::default()
            },
            ..SourceOptions::default()
        };
        Shaky {
            inner: source::open(path, &options).unwrap(),
            path: path.to_owned(),
            change,
            rows_left: AtomicI64::new(at_row as i64),
            once: Mutex::new(false),
            schema: Schema::Bytes,
        }
    }

    fn table(&self) -> &dyn Table {
        self.inner.tables()[0]
    }

    fn row(&self) {
        if self.rows_left.fetch_sub(1, SeqCst) == 0 {
            let mut done = self.once.lock().unwrap();
            if !*done {
                self.change.make(&self.path);
                *done = true;
            }
        }
    }

    fn has_changed(&self) -> bool {
        *self.once.lock().unwrap()
    }
}

impl Snapshot for Shaky {
    fn format(&self) -> &'static str {
        self.inner.format()
    }
    fn tables(&self) -> Vec<&dyn Table> {
        vec![self]
    }
    fn check_unchanged(&self) -> Result<()> {
        self.inner.check_unchanged()
    }
    fn describe(&self) -> Vec<(String, String)> {
        self.inner.describe()
    }
    fn writer<'a>(&self, out: Box<dyn std::io::Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        self.inner.writer(out)
    }
}

impl Table for Shaky {
    fn name(&self) -> &str {
        "default"
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn estimate(&self) -> Estimate {
        self.table().estimate()
    }
    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        self.table().split(range, pieces)
    }
    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(ShakyStream {
            snapshot: self,
            inner: self.table().scan(range)?,
        }))
    }
}

struct ShakyStream<'a> {
    snapshot: &'a Shaky,
    inner: Box<dyn RowStream + 'a>,
}

impl RowStream for ShakyStream<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        self.snapshot.row();
        self.inner.next()
    }
}

/// An error, or what is right.
fn judge<T>(
    snapshot: &Shaky,
    result: Result<T>,
    is_right: impl FnOnce(T) -> bool,
    what: &str,
) -> bool {
    match result {
        Ok(answer) => {
            let must_fail = snapshot.has_changed() && snapshot.change != Change::ReplacedByRename;
            assert!(!must_fail, "{what}: an answer");
            assert!(is_right(answer), "{what}: a wrong answer");
            false
        }
        Err(error) => {
            assert!(
                snapshot.change != Change::ReplacedByRename,
                "{what}: {error}"
            );
            assert!(
                matches!(error.kind(), ErrorKind::Changed { .. }),
                "{what}: {error}"
            );
            true
        }
    }
}

/// All that reads rows, at many rows, with threads and without mapping.
#[test]
fn every_reader_notices_at_every_row() {
    let dir = inputs();
    let path = dir.path().join("base.sst");
    let sound = std::fs::read(&path).unwrap();
    let target = source::open(&dir.path().join("target.sst"), &SourceOptions::default()).unwrap();
    let patch = Input::open(&dir.path().join("fix.mpatch"), &FileOptions::default()).unwrap();
    let right = tree(&some_rows(), &BuildOptions::default())
        .table("default")
        .unwrap()
        .header()
        .root;
    let target_root = {
        let options = BuildOptions::default();
        let tree = build_in_memory(
            target.as_ref(),
            Path::new("target"),
            &options,
            &Progress::default(),
        )
        .unwrap();
        tree.table("default").unwrap().header().root
    };
    let trees = [&some_rows()].map(|rows| tree(rows, &BuildOptions::default()));
    let target_tree = build_in_memory(
        target.as_ref(),
        Path::new("target"),
        &BuildOptions::default(),
        &Progress::default(),
    )
    .unwrap();
    let ranges = divergences(&[&trees[0], &target_tree]);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(8)
        .build()
        .unwrap();
    let (mut tried, mut errors) = (0, 0);
    let moments = rounds(10, 100);
    let mut random = Random(1);
    for change in CHANGES {
        for mmap in [true, false] {
            for _ in 0..moments {
                for reader in ["scan", "build", "diff", "apply"] {
                    std::fs::write(&path, &sound).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    let last = if reader == "diff" { 20 } else { 1500 };
                    let at_row = random.below(last);
                    let what = format!("{reader}, {change:?} at row {at_row}, mmap {mmap}");
                    let snapshot = Shaky::open(&path, mmap, change, at_row);
                    tried += 1;
                    errors += u32::from(match reader {
                        "scan" => {
                            let mut rows = Rows::new();
                            let result = snapshot.scan(&KeyRange::all()).and_then(|mut stream| {
                                while let Some(row) = stream.next()? {
                                    rows.insert(row.key.to_vec(), row.value.to_vec());
                                }
                                Ok(())
                            });
                            let result = result.and_then(|()| snapshot.check_unchanged());
                            judge(&snapshot, result, |()| rows == some_rows(), &what)
                        }
                        "build" => {
                            let result = pool.install(|| {
                                build_in_memory(
                                    &snapshot,
                                    &path,
                                    &BuildOptions::default(),
                                    &Progress::default(),
                                )
                            });
                            judge(
                                &snapshot,
                                result,
                                |tree| tree.table("default").unwrap().header().root == right,
                                &what,
                            )
                        }
                        "diff" => {
                            let mut changes = Changes(0);
                            let left = Side {
                                table: &snapshot,
                                name: &path,
                            };
                            let right = Side {
                                table: target.tables()[0],
                                name: Path::new("target"),
                            };
                            let options = DiffOptions {
                                hash: &Hash::XXH3,
                                keep_going: false,
                            };
                            let result = diff(left, right, &ranges, &options, &mut changes);
                            let result = result.map(drop).and_then(|()| snapshot.check_unchanged());
                            judge(&snapshot, result, |()| changes.0 == 2, &what)
                        }
                        _ => {
                            let out = dir.path().join("out.sst");
                            let options = ApplyOptions {
                                hash: Hash::XXH3,
                                overwrite: true,
                                keep_going: false,
                            };
                            let result = apply(
                                &snapshot,
                                &path,
                                &patch,
                                Some(&out),
                                &SourceOptions::default(),
                                &options,
                                &Progress::default(),
                            );
                            let failed = judge(
                                &snapshot,
                                result,
                                |applied| applied.root == target_root,
                                &what,
                            );
                            assert_eq!(out.exists(), !failed, "{what}");
                            let _ = std::fs::remove_file(&out);
                            failed
                        }
                    });
                }
            }
        }
    }
    println!("{tried} changes at rows, {errors} noticed");
    assert!(errors * 10 > tried * 7);
}

struct Changes(u32);

impl mdiff::diff::ChangeSink for Changes {
    fn change(&mut self, _: mdiff::diff::Change<'_>) -> Result<()> {
        self.0 += 1;
        Ok(())
    }
    fn unreadable(&mut self, _: usize, unreadable: &mdiff::tree::leaves::Unreadable) -> Result<()> {
        panic!("{unreadable:?}")
    }
}

/// What can't be mapped, or not be read at random, is read all the same.
#[test]
fn what_can_not_be_mapped_is_read() {
    let dir = inputs();
    let sound = mdiff(["build", "base.sst", "-o", "right.mtree"])
        .in_dir(&dir)
        .run()
        .exits(0);
    let right = std::fs::read(dir.path().join("right.mtree")).unwrap();
    let bytes = std::fs::read(dir.path().join("base.sst")).unwrap();
    let is_right = |what: &str| {
        assert!(
            std::fs::read(dir.path().join("out.mtree")).unwrap() == right,
            "{what}"
        );
    };
    mdiff(["build", "-", "-o", "out.mtree"])
        .in_dir(&dir)
        .stdin(bytes.clone())
        .run()
        .exits(0);
    is_right("a pipe on stdin");
    mdiff([
        "build",
        "base.sst",
        "-o",
        "out.mtree",
        "--force",
        "--no-mmap",
    ])
    .in_dir(&dir)
    .run()
    .exits(0);
    is_right("plain reads");

    let fifo = dir.path().join("fifo.sst");
    match tool("mkfifo", &[&fifo.display().to_string()]) {
        Some(output) if output.status.success() => {
            let writer = std::thread::spawn(move || std::fs::write(fifo, bytes));
            mdiff(["build", "fifo.sst", "-o", "out.mtree", "--force"])
                .in_dir(&dir)
                .run()
                .exits(0);
            writer.join().unwrap().unwrap();
            is_right("a FIFO");
        }
        _ => skipped("FIFO: mkfifo does not work here"),
    }
    drop(sound);
    if !strace_works("mmap refused, reads that fail") {
        return;
    }
    let snapshot = dir.path().join("base.sst");
    let logs = tempfile::tempdir().unwrap();
    let [input, out] =
        ["base.sst", "out.mtree"].map(|name| dir.path().join(name).display().to_string());
    let traced = |more: &[&str]| {
        let args = [&["build", &input, "-o", &out, "--force"], more].concat();
        Traced::new(&args, &[&snapshot], &logs.path().join("log"))
    };
    for errno in ["ENOMEM", "ENODEV", "EACCES", "EAGAIN"] {
        let run = traced(&[]).run(Some(&format!("mmap:error={errno}")));
        assert_eq!(run.ran.code, Some(0), "{errno}: {:?}", run.ran);
        assert!(run.log.contains(errno), "{}", run.log);
        is_right(errno);
    }
    for when in 1..=rounds(4, 8) {
        std::fs::write(&out, b"old").unwrap();
        let run =
            traced(&["--no-mmap", "-j1"]).run(Some(&format!("pread64:error=EIO:when={when}")));
        let ran = run
            .ran
            .exits(2)
            .tells("error: reading ")
            .tells("Input/output error");
        assert!(ran.stderr.contains("base.sst"), "{}", ran.stderr);
        assert_eq!(std::fs::read(&out).unwrap(), b"old");
        let run =
            traced(&["--no-mmap", "-j1"]).run(Some(&format!("pread64:error=EINTR:when={when}")));
        assert_eq!(run.ran.code, Some(0), "{:?}", run.ran);
        is_right("EINTR");
    }
}
