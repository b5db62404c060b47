use super::*;
use crate::error::ErrorKind;
use crate::file::process::{self, child};
use std::os::unix::fs::{PermissionsExt, symlink};

fn is_usage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Usage { .. })
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_target_is_the_old_file_until_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let bytes: Vec<u8> = (0..2_000_003u32).map(|i| (i * 7) as u8).collect();

    let mut file = AtomicFile::create(&target, true).unwrap();
    file.write_all(&bytes[..5]).unwrap();
    drop(file);
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["out"]);

    let mut file = AtomicFile::create(&target, true).unwrap();
    let mut rest = &bytes[..];
    for len in [1, 100, BUFFER_BYTES - 1, BUFFER_BYTES, 3, BUFFER_BYTES + 1] {
        let (now, later) = rest.split_at(len);
        file.write_all(now).unwrap();
        rest = later;
    }
    file.write_all(rest).unwrap();
    file.flush().unwrap();
    assert!(fs::read(file.path()).unwrap() == bytes);
    assert_eq!(fs::read(&target).unwrap(), b"old");
    file.commit().unwrap();
    assert!(fs::read(&target).unwrap() == bytes);
    assert_eq!(names(folder.path()), ["out"]);
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn an_existing_target_wants_permission_even_if_it_appears_late() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let file = AtomicFile::create(&target, false).unwrap();
    fs::write(&target, "late").unwrap();
    assert!(is_usage(&file.commit().unwrap_err()));
    assert!(is_usage(&AtomicFile::create(&target, false).err().unwrap()));
    assert_eq!(fs::read(&target).unwrap(), b"late");
    assert_eq!(names(folder.path()), ["out"]);

    let other = folder.path().join("new");
    let mut file = AtomicFile::create(&other, false).unwrap();
    file.write_all(b"bytes").unwrap();
    file.commit().unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"bytes");
    assert_eq!(names(folder.path()), ["new", "out"]);
}

#[test]
fn leftovers_are_cleared_and_a_running_writer_is_respected() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let leftover = folder.path().join(".out.mdiff-partial");
    let precious = folder.path().join("precious");
    fs::write(
        &precious,
        "a file with two names, longer than what is written",
    )
    .unwrap();
    fs::hard_link(&precious, &leftover).unwrap();

    let mut file = AtomicFile::create(&target, false).unwrap();
    assert_eq!(file.path(), leftover);
    assert!(is_usage(&AtomicFile::create(&target, false).err().unwrap()));
    file.write_all(b"new").unwrap();
    file.commit().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert!(fs::read(&precious).unwrap().starts_with(b"a file with"));
    assert_eq!(names(folder.path()), ["out", "precious"]);
}

#[test]
fn links_are_followed_at_the_target_and_refused_at_the_temporary_name() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    let link = folder.path().join("link");
    symlink("real", &link).unwrap();
    for old in ["", "old"] {
        let mut file = AtomicFile::create(&link, !old.is_empty()).unwrap();
        file.write_all(b"through the link").unwrap();
        file.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"through the link");
    }

    let victim = folder.path().join("victim");
    fs::write(&victim, "victim").unwrap();
    symlink(&victim, folder.path().join(".real.mdiff-partial")).unwrap();
    assert!(AtomicFile::create(&real, true).is_err());
    assert_eq!(fs::read(&victim).unwrap(), b"victim");

    symlink("loop", folder.path().join("loop")).unwrap();
    assert!(AtomicFile::create(&folder.path().join("loop"), true).is_err());
    for not_a_file in [Path::new("/dev/null"), folder.path(), Path::new("/")] {
        let error = AtomicFile::create(not_a_file, true).err().unwrap();
        assert!(is_usage(&error), "{error}");
    }
    let missing = folder.path().join("no/such/folder");
    assert!(matches!(
        AtomicFile::create(&missing, true).err().unwrap().kind(),
        ErrorKind::Io { .. }
    ));
}

#[test]
fn a_temporary_file_that_was_taken_away_is_never_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    fs::write(&target, "old").unwrap();
    let mut file = AtomicFile::create(&target, true).unwrap();
    file.write_all(b"new").unwrap();
    fs::remove_file(file.path()).unwrap();
    fs::write(file.path(), "foreign").unwrap();
    let temp = file.path().to_owned();
    assert!(file.commit().is_err());
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert_eq!(fs::read(&temp).unwrap(), b"foreign");
}

#[test]
fn names_of_the_longest_length_work() {
    let folder = tempfile::tempdir().unwrap();
    for len in [240, 241, 255] {
        let target = folder.path().join("n".repeat(len));
        AtomicFile::create(&target, false)
            .unwrap()
            .commit()
            .unwrap();
        assert!(target.exists());
    }
}

#[test]
fn the_same_file_under_any_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("input"), "bytes").unwrap();
    fs::hard_link(path("input"), path("hard")).unwrap();
    symlink("input", path("soft")).unwrap();
    symlink("soft", path("softer")).unwrap();
    fs::write(path("other"), "bytes").unwrap();
    fs::hard_link(path("input"), path(".victim.mdiff-partial")).unwrap();
    for output in ["input", "hard", "soft", "softer", "victim", "./input"] {
        for input in ["input", "soft"] {
            let error = refuse_same_file(&path(input), &path(output)).unwrap_err();
            assert!(is_usage(&error), "{output}: {error}");
        }
    }
    for output in ["other", "new"] {
        refuse_same_file(&path("input"), &path(output)).unwrap();
    }
    assert!(refuse_same_file(&path("missing"), &path("new")).is_err());
}

#[test]
fn a_signal_removes_what_is_pending() {
    if !child::is_child("file::replace::tests::a_signal_removes_what_is_pending") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let done = AtomicFile::create(&folder.path().join("done"), false).unwrap();
    done.commit().unwrap();
    let mut file = AtomicFile::create(&folder.path().join("out"), false).unwrap();
    remove_pending();
    assert_eq!(names(folder.path()), ["done"]);
    file.write_all(b"late").unwrap();
    assert!(file.commit().is_err());
    assert_eq!(names(folder.path()), ["done"]);
}

#[test]
fn a_file_size_limit_at_any_byte_leaves_the_old_file() {
    if !child::is_child("file::replace::tests::a_file_size_limit_at_any_byte_leaves_the_old_file") {
        return;
    }
    process::ignore_sigxfsz();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    fs::write(&target, "old").unwrap();
    for (len, step) in [(4096u64, 1), (1 << 20, 1049)] {
        let bytes = vec![b'n'; len as usize];
        for limit in (0..len).step_by(step) {
            child::limit_file_size(limit);
            let mut file = AtomicFile::create(&target, true).unwrap();
            let result = bytes
                .chunks(1000)
                .try_for_each(|piece| file.write_all(piece));
            let committed = file.commit();
            child::limit_file_size(libc::RLIM_INFINITY);
            let error = committed.expect_err("a commit after a failed write");
            assert!(result.is_err() || matches!(error.kind(), ErrorKind::Io { .. }));
            assert_eq!(fs::read(&target).unwrap(), b"old");
            assert_eq!(names(folder.path()), ["out"]);
        }
    }
}

#[test]
fn of_several_runs_at_once_each_ends_whole_or_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let run = &|letter: u8| {
        let mut file = AtomicFile::create(&target, true)?;
        file.write_all(&vec![letter; 300_000]).unwrap();
        file.commit()
    };
    run(b'0').unwrap();
    let committed: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (b'a'..b'i')
            .map(|letter| scope.spawn(move || (0..30).filter(|_| run(letter).is_ok()).count()))
            .collect();
        for _ in 0..200 {
            let bytes = fs::read(&target).unwrap();
            assert_eq!(bytes.len(), 300_000);
            assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        }
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    println!("{committed} of 240 runs got through");
    assert!(committed > 0);
    assert_eq!(names(folder.path()), ["out"]);
}
