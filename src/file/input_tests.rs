use super::*;
use crate::file::guard::Registration;
use crate::file::process::child;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const PAGE: u64 = 4096;

fn options(mmap: bool) -> FileOptions {
    FileOptions {
        mmap,
        ..FileOptions::default()
    }
}

fn pattern(len: u64) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8 + 1).collect()
}

fn is_changed(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Changed { .. })
}

#[test]
fn both_ways_of_reading_lend_the_same_bytes_within_the_same_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 100_000] {
        let bytes = pattern(len);
        fs::write(&path, &bytes).unwrap();
        for mmap in [true, false] {
            let input = Input::open(&path, &options(mmap)).unwrap();
            assert_eq!(input.len(), len);
            assert_eq!(input.mapped().is_some(), mmap);
            let mut state = 1u64;
            for _ in 0..200 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let from = (state >> 33) % (len + 1);
                let count = (state >> 13) % (len - from + 1);
                let mut scratch = Vec::new();
                let got = input.read(from, count, &mut scratch).unwrap();
                assert_eq!(got, &bytes[from as usize..(from + count) as usize]);
                assert!(scratch.capacity() as u64 <= count.max(8));
            }
            let mut scratch = Vec::new();
            for (from, count) in [
                (0, len + 1),
                (len, 1),
                (len + 1, 0),
                (1, u64::MAX),
                (u64::MAX, 1),
            ] {
                let error = input.read(from, count, &mut scratch).unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Damaged { .. }));
                assert_eq!(scratch.capacity(), 0);
            }
            assert_eq!(
                input.head(16, &mut scratch).unwrap(),
                &bytes[..len.min(16) as usize]
            );
            assert_eq!(
                input.tail(16, &mut scratch).unwrap(),
                &bytes[len.saturating_sub(16) as usize..]
            );
            input.check_unchanged().unwrap();
        }
    }
}

/// Truncates the file while four threads read it over and over; they must survive and the check must tell.
fn truncate_under_readers(len: u64, to: u64, mmap: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let bytes = pattern(len);
    fs::write(&path, &bytes).unwrap();
    let input = Input::open(&path, &options(mmap)).unwrap();
    let stop = AtomicBool::new(false);
    let passes = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut scratch = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    for from in (0..len).step_by(1000) {
                        let count = (len - from).min(1000);
                        match input.read(from, count, &mut scratch) {
                            Ok(got) => {
                                std::hint::black_box(
                                    got.iter().map(|&b| u64::from(b)).sum::<u64>(),
                                );
                            }
                            Err(e) => assert!(is_changed(&e), "{e}"),
                        }
                    }
                    passes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while passes.load(Ordering::Relaxed) < 8 {
            thread::yield_now();
        }
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(to)
            .unwrap();
        let seen = passes.load(Ordering::Relaxed);
        while passes.load(Ordering::Relaxed) < seen + 8 {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let error = input.check_unchanged().expect_err("a truncated file");
    assert!(is_changed(&error), "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("{len} bytes and has {to} now")),
        "{error}"
    );
    let other = Error::damaged(&path, 7, "checksum");
    assert!(is_changed(&input.explain(other)));
}

#[test]
fn a_file_truncated_under_many_readers_is_an_error_and_no_signal() {
    let len = 40 * PAGE + 123;
    for round in 0..5 {
        for to in [
            0,
            1,
            PAGE,
            7 * PAGE,
            7 * PAGE + 1000 + round,
            40 * PAGE,
            len - 50,
            len - 1,
        ] {
            for mmap in [true, false] {
                truncate_under_readers(len, to, mmap);
            }
        }
    }
}

#[test]
fn zeros_of_a_lost_page_are_noted_even_if_the_size_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, pattern(10 * PAGE)).unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let bytes = Bytes::new(Arc::new(file.try_clone().unwrap()), 10 * PAGE, true);
    let input = Input::from_parts(path, bytes, None, &options(true));
    input.check_unchanged().unwrap();
    file.set_len(3 * PAGE + 1).unwrap();
    let mapped = input.mapped().unwrap();
    assert_eq!(
        mapped[3 * PAGE as usize],
        pattern(10 * PAGE)[3 * PAGE as usize]
    );
    input.check_unchanged().unwrap();
    assert_eq!(mapped[7 * PAGE as usize + 5], 0);
    assert_eq!(mapped[5 * PAGE as usize], 0);
    assert_eq!(mapped[10 * PAGE as usize - 1], 0);
    file.set_len(10 * PAGE).unwrap();
    let error = input.check_unchanged().unwrap_err();
    assert!(error.to_string().contains("offset 20480"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn writes_are_seen_and_new_names_are_not_taken_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let other = folder.path().join("other");
    let old = pattern(3 * PAGE);
    type Act<'a> = &'a dyn Fn();
    let writer = || OpenOptions::new().write(true).open(&path).unwrap();
    let cases: [(&str, bool, Act); 9] = [
        ("nothing", false, &|| {}),
        ("appended", true, &|| {
            writer().write_all_at(b"x", 3 * PAGE).unwrap()
        }),
        ("rewritten", true, &|| {
            writer().write_all_at(b"x", 5).unwrap()
        }),
        ("truncated in its last page", true, &|| {
            writer().set_len(3 * PAGE - 50).unwrap()
        }),
        ("rewritten and its time set back", true, &|| {
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            writer().write_all_at(b"x", 5).unwrap();
            writer().set_modified(time).unwrap();
        }),
        ("truncated and filled again", true, &|| {
            fs::write(&path, &old).unwrap()
        }),
        ("renamed over", false, &|| {
            fs::write(&other, "new").unwrap();
            fs::rename(&other, &path).unwrap();
        }),
        ("linked", false, &|| fs::hard_link(&path, &other).unwrap()),
        ("removed", false, &|| fs::remove_file(&path).unwrap()),
    ];
    for (what, changes, act) in cases {
        for mmap in [true, false] {
            let _ = fs::remove_file(&path);
            let _ = fs::remove_file(&other);
            fs::write(&path, &old).unwrap();
            thread::sleep(Duration::from_millis(10));
            let input = Input::open(&path, &options(mmap)).unwrap();
            let mut scratch = Vec::new();
            assert!(input.read(0, PAGE, &mut scratch).unwrap() == &old[..PAGE as usize]);
            act();
            match input.check_unchanged() {
                Ok(()) => {
                    assert!(!changes, "{what}");
                    assert!(
                        input.read(0, 3 * PAGE, &mut scratch).unwrap() == old,
                        "{what}"
                    );
                }
                Err(e) => assert!(changes && is_changed(&e), "{what}: {e}"),
            }
        }
    }
}

#[test]
fn what_is_no_ordinary_file_is_copied_or_refused() {
    for mmap in [true, false] {
        let options = options(mmap);
        let mut scratch = Vec::new();
        let input = Input::open(Path::new("/dev/null"), &options).unwrap();
        assert!(input.is_empty());
        input.check_unchanged().unwrap();

        #[cfg(target_os = "linux")]
        {
            let path = Path::new("/proc/self/auxv");
            let input = Input::open(path, &options).unwrap();
            let bytes = fs::read(path).unwrap();
            assert!(!bytes.is_empty());
            assert_eq!(input.read(0, input.len(), &mut scratch).unwrap(), bytes);
            let error = Input::open(Path::new("/proc/self/mem"), &options)
                .err()
                .unwrap();
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Io {
                        action: "reading",
                        ..
                    }
                ),
                "{error}"
            );
        }

        let folder = tempfile::tempdir().unwrap();
        let error = Input::open(folder.path(), &options).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }));
        assert!(error.to_string().contains("is a directory") && error.hint().is_some());
        let error = Input::open(&folder.path().join("none"), &options)
            .err()
            .unwrap();
        assert!(matches!(error.kind(), ErrorKind::Io { .. }));

        let fifo = folder.path().join("fifo");
        let name = std::ffi::CString::new(fifo.as_os_str().as_encoded_bytes()).unwrap();
        // SAFETY: the name is a valid C string that lives through the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let bytes = pattern(300_000);
        thread::scope(|scope| {
            scope.spawn(|| fs::write(&fifo, &bytes).unwrap());
            let input = Input::open(&fifo, &options).unwrap();
            assert!(input.read(0, input.len(), &mut scratch).unwrap() == bytes);
            assert_eq!(input.path(), fifo);
            input.check_unchanged().unwrap();
        });
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_read_names_the_offset() {
    // The first page of memory is never mapped, so reading it gives EIO.
    let file = Arc::new(File::open("/proc/self/mem").unwrap());
    let bytes = Bytes::new(file, PAGE, false);
    let input = Input::from_parts("shown".into(), bytes, None, &options(false));
    let error = input.read(64, 8, &mut Vec::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
    assert!(error.to_string().contains("shown: at offset 64"), "{error}");
}

#[test]
fn where_the_system_refuses_to_map_files_are_read() {
    if !child::is_child("file::input::tests::where_the_system_refuses_to_map_files_are_read") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let len = 8u64 << 30;
    let file = File::create(&path).unwrap();
    file.set_len(len).unwrap();
    file.write_all_at(b"here", len - 4).unwrap();
    child::limit_address_space(4 << 30);
    let input = Input::open(&path, &options(true)).unwrap();
    assert!(input.mapped().is_none());
    let mut scratch = Vec::new();
    assert_eq!(input.read(len - 4, 4, &mut scratch).unwrap(), b"here");
    input.check_unchanged().unwrap();
    file.set_len(len - 1).unwrap();
    assert!(is_changed(
        &input.read(len - 4, 4, &mut scratch).unwrap_err()
    ));
}

#[test]
fn with_the_guards_table_full_files_are_read() {
    if !child::is_child("file::input::tests::with_the_guards_table_full_files_are_read") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, pattern(PAGE)).unwrap();
    let page = [0u8; 1];
    // SAFETY: nothing faults in this byte, so the guard never acts on it.
    let all: Vec<_> =
        std::iter::from_fn(|| unsafe { Registration::new(page.as_ptr(), 1) }).collect();
    assert!(all.len() > 1000);
    assert!(
        Input::open(&path, &options(true))
            .unwrap()
            .mapped()
            .is_none()
    );
    drop(all);
    assert!(
        Input::open(&path, &options(true))
            .unwrap()
            .mapped()
            .is_some()
    );
}

#[test]
fn a_bus_error_of_somebody_else_still_ends_the_process() {
    const NAME: &str = "file::input::tests::a_bus_error_of_somebody_else_still_ends_the_process";
    if std::env::var("MDIFF_TEST_BUS").is_ok() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, pattern(2 * PAGE)).unwrap();
        let _guarded = Input::open(&path, &options(true)).unwrap();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        // SAFETY: the point is to read past the end of the file, which ends this process.
        let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
        file.set_len(0).unwrap();
        std::hint::black_box(map[5]);
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact"])
        .env("MDIFF_TEST_BUS", "1")
        .output()
        .unwrap()
        .status;
    assert_eq!(status.signal(), Some(libc::SIGBUS));
}

#[test]
fn standard_input_is_read_from_where_it_stands() {
    const NAME: &str = "file::input::tests::standard_input_is_read_from_where_it_stands";
    if let Ok(wanted) = std::env::var("MDIFF_TEST_STDIN") {
        let input = Input::open(Path::new("-"), &options(true)).unwrap();
        let got = input
            .read(0, input.len(), &mut Vec::new())
            .unwrap()
            .to_vec();
        assert_eq!(String::from_utf8(got).unwrap(), wanted);
        input.check_unchanged().unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "one two").unwrap();
    let mut behind = File::open(&path).unwrap();
    behind.seek(io::SeekFrom::Start(4)).unwrap();
    let (pipe, mut sink) = io::pipe().unwrap();
    sink.write_all(b"piped").unwrap();
    drop(sink);
    for (stdin, wanted) in [
        (File::open(&path).unwrap().into(), "one two"),
        (behind.into(), "two"),
        (std::process::Stdio::from(pipe), "piped"),
        (std::process::Stdio::null(), ""),
    ] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact"])
            .env("MDIFF_TEST_STDIN", wanted)
            .stdin(stdin)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
}
