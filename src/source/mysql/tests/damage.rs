//! Dumps that end too early or were altered.

use super::*;

/// Reads all there is.
fn read_all(snapshot: &dyn Snapshot) -> Result<usize> {
    let mut count = 0;
    for table in snapshot.tables() {
        count += rows_of(table)?.len();
    }
    Ok(count)
}

#[test]
fn a_small_dump_cut_anywhere_is_noticed() {
    let whole = "-- MariaDB dump 10.19\n/*!40101 SET NAMES utf8mb4 */;\nCREATE TABLE `t` (`a` int NOT NULL, `b` text, PRIMARY KEY (`a`)) COMMENT='x; -- y';\nINSERT INTO `t` VALUES (1,'x\\''),\n(2,NULL);\nINSERT INTO `t` VALUES (3,';');\n-- Dump completed";
    for options in [SourceOptions::default(), unmapped()] {
        for len in 1..whole.len() {
            let cut = &whole.as_bytes()[..len];
            let read = open_sql(cut, &options).and_then(|snapshot| read_all(&*snapshot));
            match len {
                // Not yet known to be one that has an end.
                0..21 => drop(read),
                _ => assert_eq!(error_of(read).exit_code(), 3, "cut at {len}"),
            }
        }
        let snapshot = open_sql(whole.as_bytes(), &options).unwrap();
        assert_eq!(read_all(&*snapshot).unwrap(), 3);
    }
}

#[test]
fn a_dump_cut_anywhere_is_noticed() {
    let mut options = SourceOptions::default();
    // So that the table without a key can be read too.
    options.text.usual_key = vec!["a".into()];
    for (name, format) in [
        ("dumps/plain.sql", "mysql"),
        ("dumps/plain.xml", "mysql-xml"),
    ] {
        let whole = std::fs::read(testdata(name)).unwrap();
        let mark: &[u8] = match format {
            "mysql" => b"-- Dump completed",
            _ => b"</mysqldump>",
        };
        let end = memchr::memmem::rfind(&whole, mark).unwrap() + mark.len();
        options.format = Some(format.into());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut");
        let head = memchr::memmem::find(&whole, b"dump").unwrap() + 40;
        for len in (head..whole.len()).step_by(41).chain([end - 1, end]) {
            std::fs::write(&path, &whole[..len]).unwrap();
            let opened = source::open(&path, &options);
            if len >= end {
                let snapshot = opened.unwrap();
                assert_eq!(read_all(&*snapshot).unwrap(), 19, "{name}");
            } else {
                let error = error_of(opened.and_then(|snapshot| read_all(&*snapshot)));
                assert_eq!(error.exit_code(), 3, "{name} cut at {len}: {error}");
            }
        }
    }
}

#[test]
fn a_file_of_a_tab_dump_cut_inside_a_row_is_noticed() {
    let whole = std::fs::read(testdata("tab/types.txt")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(testdata("tab/types.sql"), dir.path().join("types.sql")).unwrap();
    for len in 0..=whole.len() {
        let part = &whole[..len];
        std::fs::write(dir.path().join("types.txt"), part).unwrap();
        let snapshot = source::open(dir.path(), &SourceOptions::default()).unwrap();
        let rows = rows_of(table(&*snapshot, "types"));
        match (part.ends_with(b"\n") && !part.ends_with(b"\\\n")) || part.is_empty() {
            true => drop(rows.unwrap()),
            false => assert_eq!(error_of(rows).exit_code(), 3),
        }
    }
}

/// Bytes changed anywhere: an error or other rows, and never a panic.
#[test]
fn altered_dumps_never_panic() {
    let mut state = 1u64;
    let mut random = move |bound: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 33) as usize) % bound
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("altered");
    let signs = b"'\"`\\;,()\0*/-#0x_nN\xff<>&=\n";
    for (name, format) in [
        ("dumps/hex-blob-routines.sql", "mysql"),
        ("dumps/ansi.sql", "mysql"),
        ("dumps/hex-blob.xml", "mysql-xml"),
    ] {
        let whole = std::fs::read(testdata(name)).unwrap();
        let mut refused = 0;
        for round in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = signs[random(signs.len())],
                    1 => drop(bytes.drain(at..(at + random(30)).min(bytes.len() - 1))),
                    _ => bytes.insert(at, signs[random(signs.len())]),
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            let mut options = match round % 2 {
                0 => SourceOptions::default(),
                _ => unmapped(),
            };
            options.format = Some(format.into());
            options.text.usual_key = vec!["a".into()];
            let read = source::open(&path, &options).and_then(|snapshot| read_all(&*snapshot));
            if let Err(error) = read {
                assert!(matches!(error.exit_code(), 2 | 3), "{error}");
                refused += 1;
            }
        }
        assert!(refused > 100, "{name}: {refused}");
    }
}

#[test]
fn a_row_longer_than_the_limit_is_refused() {
    let dump = format!(
        "CREATE TABLE `t` (`id` int NOT NULL, `a` text, PRIMARY KEY (`id`));\nINSERT INTO `t` VALUES (1,'{}');\n",
        "x".repeat(5000)
    );
    for mut options in [SourceOptions::default(), unmapped()] {
        options.file.limits.record_bytes_max = 1000;
        let snapshot = open_sql(dump.as_bytes(), &options).unwrap();
        let error = error_of(rows_of(table(&*snapshot, "t")));
        assert!(
            error.to_string().contains("over the limit of 1000"),
            "{error}"
        );
    }
}

#[test]
fn unfinished_and_torn_folders_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["bits.sql", "bits.txt"] {
        std::fs::copy(testdata("tab").join(name), dir.path().join(name)).unwrap();
    }
    let read = || source::open(dir.path(), &SourceOptions::default()).map(drop);
    read().unwrap();
    std::fs::copy(testdata("tab/types.sql"), dir.path().join("types.sql")).unwrap();
    let error = error_of(read());
    assert!(
        error
            .to_string()
            .contains("types.txt, which holds the rows"),
        "{error}"
    );
    std::fs::remove_file(dir.path().join("types.sql")).unwrap();
    std::fs::copy(testdata("tab/types.txt"), dir.path().join("types.txt")).unwrap();
    let error = error_of(read());
    assert!(
        error.to_string().contains("types.sql, which tells"),
        "{error}"
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("metadata.partial"), "").unwrap();
    std::fs::write(dir.path().join("d.t.sql"), "").unwrap();
    let error = error_of(source::open(dir.path(), &SourceOptions::default()));
    assert!(error.to_string().contains("not finished"), "{error}");
}
