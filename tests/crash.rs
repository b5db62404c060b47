//! Killed, out of disk, failing calls: the target is the old file or the new one, whole, and the next run works.
//!
//! The real binary runs under strace, which kills it at, or fails, each system call that touches the output, the
//! temporary file beside it or their folder. So the program needs no hooks, and nothing is left out that it does.

mod common;
use common::*;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder with inputs, a command that writes `out` there, and what it writes.
struct Case {
    name: &'static str,
    dir: tempfile::TempDir,
    logs: tempfile::TempDir,
    args: Vec<String>,
    new: Vec<u8>,
}

const OLD: &[u8] = b"the old file";

impl Case {
    fn all() -> Vec<Case> {
        ["build", "patch", "apply", "convert"]
            .map(|name| Case::of(name, 300, 60))
            .into()
    }

    fn of(name: &'static str, rows: u64, value_bytes: usize) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let base = many_rows(rows, value_bytes, 1);
        let mut target = base.clone();
        target.remove(b"row 0000007".as_slice());
        for (key, value) in many_rows(rows, value_bytes, 2).into_iter().step_by(3) {
            target.insert(key, value);
        }
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(path("base.sst"), sst_bytes(&base, "none")).unwrap();
        std::fs::write(path("target.sst"), sst_bytes(&target, "none")).unwrap();
        mdiff(["patch", "base.sst", "target.sst", "-o", "fix.mpatch"])
            .in_dir(&dir)
            .run()
            .exits(0);
        let inputs: &[&str] = match name {
            "build" | "convert" => &["base.sst"],
            "patch" => &["base.sst", "target.sst"],
            _ => &["base.sst", "fix.mpatch"],
        };
        let mut args = vec![name.to_owned()];
        args.extend(inputs.iter().map(|input| path(input)));
        args.extend(["-o".into(), path(out_name(name)), "-j2".into()]);
        mdiff(&args).run().exits(0);
        let new = std::fs::read(path(out_name(name))).unwrap();
        std::fs::remove_file(path(out_name(name))).unwrap();
        let logs = tempfile::tempdir().unwrap();
        Case {
            name,
            dir,
            logs,
            args,
            new,
        }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join(out_name(self.name))
    }

    fn temp(&self) -> PathBuf {
        self.dir
            .path()
            .join(format!(".{}.mdiff-partial", out_name(self.name)))
    }

    /// Nothing there but the inputs and, with `old`, an older output.
    fn reset(&self, old: bool) {
        let _ = std::fs::remove_file(self.temp());
        let _ = std::fs::remove_file(self.out());
        if old {
            std::fs::write(self.out(), OLD).unwrap();
        }
    }

    fn args(&self, old: bool) -> Vec<&str> {
        let force = old.then_some("--force");
        self.args.iter().map(String::as_str).chain(force).collect()
    }

    fn traced(&self, old: bool) -> Traced {
        let files = [self.temp(), self.out(), self.dir.path().to_owned()];
        Traced::new(
            &self.args(old),
            &files.each_ref().map(PathBuf::as_path),
            &self.logs.path().join("log"),
        )
    }

    /// The calls on the output of a sound run.
    fn calls(&self, old: bool) -> Vec<(String, usize)> {
        self.reset(old);
        let calls = self.traced(old).calls();
        for call in [
            "write",
            "fsync",
            "close",
            if old { "rename" } else { "linkat" },
        ] {
            assert!(
                calls.contains_key(call),
                "{}: no {call} in {calls:?}",
                self.name
            );
        }
        calls.into_iter().collect()
    }

    fn is_new(&self) -> bool {
        std::fs::read(self.out()).is_ok_and(|bytes| bytes == self.new)
    }

    fn is_old(&self, old: bool) -> bool {
        match std::fs::read(self.out()) {
            Ok(bytes) => old && bytes == OLD,
            Err(_) => !old,
        }
    }

    /// The next run does its work and leaves the inputs and the output, nothing else.
    fn next_run_works(&self, what: &str) {
        mdiff(self.args(true)).run().exits(0);
        assert!(self.is_new(), "{what}: the next run wrote something else");
        let files: Vec<String> = folder(&self.dir).into_keys().collect();
        let mut wanted = ["base.sst", "fix.mpatch", "target.sst", out_name(self.name)];
        wanted.sort_unstable();
        assert_eq!(files, wanted, "{what}: litter");
    }
}

fn out_name(command: &str) -> &'static str {
    match command {
        "build" => "out.mtree",
        "patch" => "out.mpatch",
        _ => "out.sst",
    }
}

#[test]
fn killed_at_any_call_the_target_is_the_old_file_or_the_new() {
    if !strace_works("kills") {
        return;
    }
    let (mut kills, mut left_old, mut left_new) = (0, 0, 0);
    for case in Case::all() {
        for old in [true, false] {
            for (call, count) in case.calls(old) {
                for when in 1..=count {
                    let what = format!("{}, killed at {call} {when}", case.name);
                    case.reset(old);
                    let run = case
                        .traced(old)
                        .run(Some(&format!("{call}:signal=KILL:when={when}")));
                    // A call of a loop may be made less often this time: then nothing was killed.
                    assert!(
                        run.ran.signal == Some(9) || run.ran.code == Some(0),
                        "{what}: {:?}",
                        run.ran
                    );
                    kills += u32::from(run.ran.signal == Some(9));
                    assert!(case.is_old(old) || case.is_new(), "{what}");
                    *if case.is_new() {
                        &mut left_new
                    } else {
                        &mut left_old
                    } += 1;
                    case.next_run_works(&what);
                }
            }
        }
    }
    println!("{kills} kills: {left_old} left the old file, {left_new} the new one");
    assert!(kills > 100 && left_old > 50 && left_new > 10);
}

#[test]
fn a_failing_call_is_an_error_and_the_old_file_stays() {
    if !strace_works("failing calls") {
        return;
    }
    let (mut tried, mut errors) = (0, 0);
    for case in Case::all() {
        for old in [true, false] {
            for (call, count) in case.calls(old) {
                for when in 1..=count {
                    for errno in ["ENOSPC", "EIO", "EDQUOT", "EINTR"] {
                        if cfg!(debug_assertions) && errno == "EDQUOT" && call != "write" {
                            continue;
                        }
                        let what = format!("{}: {errno} at {call} {when}", case.name);
                        case.reset(old);
                        let inject = format!("{call}:error={errno}:when={when}");
                        let run = case.traced(old).run(Some(&inject));
                        tried += 1;
                        let is_last_fsync = call == "fsync" && when == count;
                        match run.ran.code {
                            Some(0) => {
                                assert!(case.is_new(), "{what}: success without the new file");
                                let must_fail =
                                    matches!(call.as_str(), "write" | "fsync" | "rename");
                                assert!(
                                    !must_fail || errno == "EINTR",
                                    "{what}: taken for success"
                                );
                            }
                            Some(2) => {
                                errors += 1;
                                assert!(
                                    run.ran.stderr.starts_with("error: "),
                                    "{what}: {}",
                                    run.ran.stderr
                                );
                                let never = errno == "EINTR"
                                    && matches!(call.as_str(), "write" | "fsync" | "openat");
                                assert!(!never, "{what}: not tried again: {}", run.ran.stderr);
                                let stays = is_last_fsync
                                    || case.is_old(old)
                                    || call == "openat"
                                    || call == "unlink";
                                assert!(stays, "{what}: an error, and the old file is gone");
                                assert!(case.is_old(old) || case.is_new(), "{what}");
                                // Before the lock is held, the file may be another run's.
                                if !matches!(call.as_str(), "unlink" | "flock" | "statx") {
                                    assert!(!case.temp().exists(), "{what}: litter");
                                }
                            }
                            _ => panic!("{what}: {:?}", run.ran),
                        }
                        if when == 1 {
                            case.next_run_works(&what);
                        }
                    }
                }
            }
        }
    }
    println!("{tried} failing calls, {errors} of them errors");
    assert!(errors > 50);
}

/// After a failed fsync the kernel may have dropped the pages: trying again would succeed and mean nothing.
#[test]
fn a_failed_fsync_is_never_success_and_never_tried_again() {
    if !strace_works("fsync") {
        return;
    }
    for case in Case::all() {
        for old in [true, false] {
            for when in [1, 2] {
                case.reset(old);
                let run = case
                    .traced(old)
                    .run(Some(&format!("fsync:error=EIO:when={when}")));
                let ran = run
                    .ran
                    .exits(2)
                    .tells("error: syncing")
                    .tells("Input/output error");
                assert_eq!(run.log.matches(" fsync(").count(), when, "{}", run.log);
                assert!(
                    !ran.stdout.contains("root"),
                    "no result is told: {}",
                    ran.stdout
                );
                if when == 1 {
                    assert!(case.is_old(old), "{}", case.name);
                    assert!(
                        !run.log.contains(" rename(") && !run.log.contains(" linkat("),
                        "{}",
                        run.log
                    );
                } else {
                    assert!(case.is_new(), "{}", case.name);
                }
            }
        }
    }
}

/// What a power failure may drop is what no fsync followed. So: every write before the file's fsync, that before the
/// rename, and then the folder's.
#[test]
fn the_file_is_synced_before_it_is_renamed_and_the_folder_after() {
    if !strace_works("order of calls") {
        return;
    }
    for case in Case::all() {
        for old in [true, false] {
            case.reset(old);
            let log = case.traced(old).run(None).log;
            let places = |call: &str| -> Vec<usize> {
                log.match_indices(&format!(" {call}("))
                    .map(|(at, _)| at)
                    .collect()
            };
            let (writes, syncs) = (places("write"), places("fsync"));
            let renames = places(if old { "rename" } else { "linkat" });
            assert!(
                syncs.len() == 2
                    && renames.len() == 1
                    && writes.iter().all(|write| *write < syncs[0])
                    && syncs[0] < renames[0]
                    && renames[0] < syncs[1],
                "{}: {log}",
                case.name
            );
        }
    }
}

/// A write that says it wrote and did not, and a bit that flips in the file right after each write.
#[test]
fn what_was_written_is_read_back_before_it_takes_its_name() {
    if !strace_works("reading back") {
        return;
    }
    let flips = rounds(8, 100) as usize;
    let mut tried = 0;
    for case in Case::all() {
        let old = true;
        for lie in [0usize, 1, 10] {
            case.reset(old);
            // A write of nothing is an error by itself.
            let run = case
                .traced(old)
                .run(Some(&format!("write:retval={lie}:when=1")));
            assert!(
                matches!(run.ran.code, Some(2 | 3)),
                "{}: {:?}",
                case.name,
                run.ran
            );
            assert!(case.is_old(old), "{}", case.name);
            case.next_run_works("after a lying write");
        }
        let writes = case.traced(old).calls()["write"];
        for flip in 0..flips {
            let at = flip * (case.new.len() - 1) / (flips - 1);
            let reset = || case.reset(old);
            let run = case.traced(old).pause("write", writes, reset, || {
                let mut bytes = std::fs::read(case.temp()).unwrap();
                assert_eq!(bytes.len(), case.new.len(), "{}: all is written", case.name);
                bytes[at] ^= 1 << (flip % 8);
                std::fs::write(case.temp(), bytes).unwrap();
            });
            let run = run.expect("it writes");
            tried += 1;
            let what = format!("{}: a flip in byte {at}: {:?}", case.name, run.ran);
            assert!(case.is_old(old), "{what}");
            assert!(matches!(run.ran.code, Some(2 | 3)), "{what}");
            assert!(!case.temp().exists(), "{what}: litter");
        }
    }
    println!("{tried} flips, all noticed");
}

fn with_file_size_limit(bytes: usize, args: &[&str]) -> Option<std::process::Output> {
    Command::new("prlimit")
        .arg(format!("--fsize={bytes}"))
        .arg(env!("CARGO_BIN_EXE_mdiff"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .ok()
}

/// The kernel writes a part and then refuses: what a full disk does.
#[test]
fn a_limit_on_the_size_of_files_at_any_byte_keeps_the_old_file() {
    if with_file_size_limit(1 << 20, &["--version"]).is_none_or(|output| !output.status.success()) {
        return skipped("limits on the size of files: prlimit (util-linux) does not work here");
    }
    let mut steps = 0;
    for (name, rows, value_bytes) in [
        ("build", 900, 20),
        ("patch", 60, 60),
        ("apply", 30, 60),
        ("convert", 30, 60),
        ("apply", 2000, 500),
        ("patch", 2000, 1000),
    ] {
        let case = Case::of(name, rows, value_bytes);
        let len = case.new.len();
        let count = (rounds(40, 1000) as usize).min(len);
        for step in 0..count {
            let limit = step * (len - 1) / (count - 1).max(1);
            case.reset(true);
            let output = with_file_size_limit(limit, &case.args(true)).unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{name}, {limit} of {len} bytes: {stderr}"
            );
            assert!(
                stderr.contains("File too large"),
                "{name}, {limit} of {len} bytes: {stderr}"
            );
            assert!(case.is_old(true), "{name}, {limit} of {len} bytes");
            assert!(
                !case.temp().exists(),
                "{name}, {limit} of {len} bytes: litter"
            );
            steps += 1;
        }
        let output = with_file_size_limit(len, &case.args(true)).unwrap();
        assert!(
            output.status.success(),
            "{name}: {len} bytes are enough: {output:?}"
        );
        case.next_run_works(name);
    }
    println!("{steps} limits");
}

fn inputs() -> tempfile::TempDir {
    let case = Case::of("apply", 3000, 60);
    mdiff(["build", "base.sst", "-o", "base.mtree"])
        .in_dir(&case.dir)
        .run()
        .exits(0);
    mdiff([
        "patch",
        "base.sst",
        "target.sst",
        "-o",
        "rev.mpatch",
        "--reversible",
    ])
    .in_dir(&case.dir)
    .run()
    .exits(0);
    case.dir
}

const PRINTING: [&[&str]; 12] = [
    &["build", "base.sst", "-o", "new", "--force"],
    &["compare", "base.sst", "target.sst"],
    &["compare", "base.sst", "target.sst", "--json"],
    &["diff", "base.sst", "target.sst"],
    &["diff", "base.sst", "target.sst", "--json"],
    &["patch", "base.sst", "target.sst", "-o", "new", "--force"],
    &["apply", "base.sst", "fix.mpatch", "-o", "new", "--force"],
    &["verify", "base.sst", "base.mtree"],
    &["cat", "base.sst"],
    &["cat", "fix.mpatch"],
    &["info", "base.sst"],
    &["convert", "base.sst", "-o", "-", "--to", "sst"],
];

#[test]
fn a_full_disk_behind_stdout_is_trouble_for_every_command() {
    let dir = inputs();
    for args in PRINTING {
        mdiff(args)
            .in_dir(&dir)
            .stdout_to("/dev/full")
            .run()
            .exits(2)
            .tells("No space left on device");
    }
}

#[test]
fn a_reader_that_went_away_is_no_trouble_for_any_command() {
    let dir = inputs();
    for args in PRINTING {
        let ran = mdiff(args)
            .in_dir(&dir)
            .stdout_closed()
            .run()
            .tells_nothing();
        assert_eq!(ran.signal, Some(13), "SIGPIPE, as any filter: {ran:#?}");
    }
    assert!(
        !folder(&dir).keys().any(|name| name.contains("partial")),
        "litter"
    );
}

/// The first files that a process without streams opens get the numbers 0, 1 and 2: what it prints must not go there.
#[test]
fn streams_closed_at_the_start_overwrite_no_file() {
    let dir = inputs();
    let before = folder(&dir);
    for args in PRINTING {
        for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>&-"] {
            let _ = std::fs::remove_file(dir.path().join("new"));
            let line = format!(
                "'{}' {} {closed}",
                env!("CARGO_BIN_EXE_mdiff"),
                args.join(" ")
            );
            let output = Command::new("sh")
                .args(["-c", &line])
                .current_dir(&dir)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(
                matches!(output.status.code(), Some(0..=2)),
                "{line}: {output:?}"
            );
            let mut after = folder(&dir);
            if let Some(new) = after.remove("new") {
                mdiff(["info", "new"]).in_dir(&dir).run().exits(0);
                assert!(new.len() > 100, "{line}");
            }
            assert!(after == before, "{line}: {:?}", after.keys());
        }
    }
}

/// Each name of each input of each command that writes; and the temporary file's name, under which it would be overwritten.
#[test]
fn an_input_is_never_the_output() {
    let dir = inputs();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("secret.key"), [7u8; 32]).unwrap();
    std::fs::write(path("splits"), "row 0000100\n").unwrap();
    mdiff(["build", "target.sst", "-o", "target.mtree"])
        .in_dir(&dir)
        .run()
        .exits(0);
    let before = folder(&dir);
    let commands: [(&[&str], &[&str]); 8] = [
        (&["build", "base.sst"], &["base.sst"]),
        (
            &["build", "base.sst", "--key-file", "secret.key"],
            &["base.sst", "secret.key"],
        ),
        (&["build", "base.sst", "--split-at", "splits"], &["splits"]),
        (
            &["patch", "base.sst", "target.sst"],
            &["base.sst", "target.sst"],
        ),
        (
            &[
                "patch",
                "base.sst",
                "target.sst",
                "--trees",
                "base.mtree",
                "target.mtree",
            ],
            &["base.sst", "base.mtree", "target.mtree"],
        ),
        (&["patch", "--invert", "rev.mpatch"], &["rev.mpatch"]),
        (
            &["apply", "base.sst", "fix.mpatch"],
            &["base.sst", "fix.mpatch"],
        ),
        (&["convert", "base.sst", "--to", "sst"], &["base.sst"]),
    ];
    let mut refused = 0;
    for (args, inputs) in commands {
        for input in inputs {
            std::os::unix::fs::symlink(input, path("symlink")).unwrap();
            std::os::unix::fs::symlink("symlink", path("symlink2")).unwrap();
            std::fs::hard_link(path(input), path("hardlink")).unwrap();
            std::fs::hard_link(path(input), path(".fresh.mdiff-partial")).unwrap();
            let absolute = path(input).display().to_string();
            let dotted = format!("./{input}");
            for out in [
                input,
                dotted.as_str(),
                &absolute,
                "symlink",
                "symlink2",
                "hardlink",
                "fresh",
            ] {
                let ran = mdiff(args).args(["-o", out, "--force"]).in_dir(&dir).run();
                assert_eq!(
                    ran.code,
                    Some(2),
                    "{args:?} -o {out} over {input}: {ran:#?}"
                );
                ran.tells("are the same file").prints_nothing();
                refused += 1;
            }
            for link in ["symlink", "symlink2", "hardlink", ".fresh.mdiff-partial"] {
                std::fs::remove_file(path(link)).unwrap();
            }
            assert!(folder(&dir) == before, "{args:?} over {input}");
        }
    }
    println!("{refused} outputs refused");
}
