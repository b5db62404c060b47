//! What is none of our inputs: each kind has a message of its own and the right exit code, from every command, and nothing is
//! written.

mod common;
use common::*;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// A kind of input: its file, the exit code, and what the message says.
struct Foreign {
    name: &'static str,
    code: i32,
    says: &'static str,
}

const fn foreign(name: &'static str, code: i32, says: &'static str) -> Foreign {
    Foreign { name, code, says }
}

const NEWER_TABLE: &str = "format version 77";

fn kinds() -> Vec<Foreign> {
    vec![
        foreign("empty.sst", 3, "no table ends here"),
        foreign("empty.mtree", 3, "an empty file, not an mdiff tree"),
        foreign("empty", 3, "not a snapshot in a format that mdiff knows"),
        foreign(
            "/dev/null",
            3,
            "not a snapshot in a format that mdiff knows",
        ),
        foreign("folder", 3, "is a directory"),
        foreign("bsd.mtree", 3, "mtree(5)"),
        foreign(
            "picture.png",
            3,
            "not a snapshot in a format that mdiff knows",
        ),
        foreign("garbage.gz", 3, "gzip"),
        foreign("garbage.zst", 3, "zstd"),
        foreign(
            "packed-table.gz",
            3,
            "not a snapshot in a format that mdiff knows",
        ),
        foreign("cut.sst", 3, "no table ends here"),
        foreign("plain.sst", 3, "a RocksDB PlainTable"),
        foreign("cuckoo.sst", 3, "a RocksDB CuckooTable"),
        foreign("pebble.sst", 3, "a Pebble table"),
        foreign("newer.sst", 3, NEWER_TABLE),
        foreign("newer.mtree", 3, "version 2"),
        foreign("newer.mpatch", 3, "version 2"),
        foreign("nowhere", 2, "No such file or directory"),
        foreign("program", 3, "not a snapshot in a format that mdiff knows"),
    ]
}

fn make_all(dir: &Path) {
    let put = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).unwrap();
    let table = sst_bytes(&many_rows(100, 50, 1), "none");
    put("sound.sst", &table);
    mdiff(["build", "sound.sst", "-o", "sound.mtree"])
        .in_dir(dir)
        .run()
        .exits(0);
    mdiff(["patch", "sound.sst", "sound.sst", "-o", "sound.mpatch"])
        .in_dir(dir)
        .run()
        .exits(0);
    put("empty.sst", b"");
    put("empty.mtree", b"");
    put("empty", b"");
    std::fs::create_dir(dir.join("folder")).unwrap();
    put(
        "bsd.mtree",
        b"#mtree\n/set type=file uid=0 gid=0 mode=0644\n.               type=dir mode=0755\n    data.csv    size=17 sha256digest=00\n",
    );
    put(
        "picture.png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde",
    );
    put(
        "garbage.gz",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff and then nothing that deflates",
    );
    put(
        "garbage.zst",
        b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff",
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"\0\x01 binary data of no kind").unwrap();
    put("packed-table.gz", &gzip.finish().unwrap());
    put("cut.sst", &table[..table.len() - 1]);
    let with_magic = |magic: u64| [&table[..table.len() - 8], &magic.to_le_bytes()].concat();
    put("plain.sst", &with_magic(0x8242_2296_63bf_9564));
    put("cuckoo.sst", &with_magic(0x9267_89d0_c5f1_7873));
    // Pebble's, after LevelDB's tables: f0 9f aa b3 f0 9f aa b3.
    put("pebble.sst", &with_magic(0xb3aa_9ff0_b3aa_9ff0));
    let mut newer = table.clone();
    let at = newer.len() - 12;
    newer[at..at + 4].copy_from_slice(&77u32.to_le_bytes());
    put("newer.sst", &newer);
    for name in ["mtree", "mpatch"] {
        let mut newer = std::fs::read(dir.join(format!("sound.{name}"))).unwrap();
        newer[8] = 2;
        put(&format!("newer.{name}"), &newer);
    }
    std::fs::copy(env!("CARGO_BIN_EXE_mdiff"), dir.join("program")).unwrap();
}

#[test]
fn every_command_says_what_a_foreign_input_is() {
    let dir = tempfile::tempdir().unwrap();
    make_all(dir.path());
    let before = folder_names(dir.path());
    let mut messages: BTreeMap<String, &str> = BTreeMap::new();
    let mut tried = 0;
    for kind in kinds() {
        let commands: [&[&str]; 11] = [
            &["build", kind.name, "-o", "out"],
            &["compare", kind.name, "sound.sst"],
            &["compare", "sound.mtree", kind.name],
            &["diff", "sound.sst", kind.name],
            &["patch", "sound.sst", kind.name, "-o", "out"],
            &["apply", kind.name, "sound.mpatch", "-o", "out"],
            &["verify", kind.name, "sound.mtree"],
            &["convert", kind.name, "-o", "out", "--to", "sst"],
            &["cat", kind.name],
            &["info", kind.name],
            &["apply", "sound.sst", kind.name, "-o", "out"],
        ];
        for (n, args) in commands.iter().enumerate() {
            tried += 1;
            let ran = mdiff(*args).in_dir(&dir).run();
            assert_eq!(ran.signal, None, "{ran:#?}");
            // A patch or a tree in the place of a snapshot is usage, even before its version is looked at.
            let code = ran.code.unwrap();
            let wrong_place =
                code == 2 && (kind.name.ends_with(".mpatch") || kind.name.ends_with(".mtree"));
            assert!(code == kind.code || wrong_place, "{args:?}: {ran:#?}");
            assert!(ran.stderr.starts_with("error: "), "{args:?}: {ran:#?}");
            assert!(
                ran.stderr.contains(kind.name),
                "{args:?} names the file: {ran:#?}"
            );
            assert_eq!(ran.stdout, "", "{args:?}");
            assert_eq!(folder_names(dir.path()), before, "{args:?} left something");
            // The last one wants a patch, and says so its own way.
            if n < commands.len() - 1 && !wrong_place {
                assert!(
                    ran.stderr.contains(kind.says),
                    "{args:?}: no {:?} in {ran:#?}",
                    kind.says
                );
            }
            if n == 0 {
                let message = ran.stderr.lines().next().unwrap().replace(kind.name, "IT");
                if let Some(other) = messages.insert(message.clone(), kind.name) {
                    // Any bytes of no kind are one kind; so are two tables that lack their ends.
                    let one_kind = kind.says.is_empty()
                        || kind.says.contains("not a snapshot")
                        || kind.says.contains("no table ends");
                    assert!(one_kind, "{} and {other}: {message}", kind.name);
                }
            }
        }
    }
    println!(
        "{} kinds, {} messages, {tried} runs",
        kinds().len(),
        messages.len()
    );
    assert!(messages.len() >= 12, "{messages:#?}");
}

fn folder_names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A FIFO with garbage, and one that nobody ever writes to is the user's to end: not tried.
#[test]
fn a_pipe_of_garbage_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"\0garbage", b"\x1f\x8b\x08\0garbage"] {
        for args in [
            &["build", "-", "-o", "out"][..],
            &["cat", "-"],
            &["info", "-"],
        ] {
            let ran = mdiff(args).in_dir(&dir).stdin(bytes).run();
            assert_eq!(ran.code, Some(3), "{args:?}, {bytes:?}: {ran:#?}");
            assert!(ran.stderr.starts_with("error: "), "{ran:#?}");
        }
    }
    assert!(folder_names(dir.path()).is_empty());
}

/// Files that other engines really wrote.
#[test]
fn tables_of_other_engines_are_named() {
    let Some(fixtures) = shared_fixtures() else {
        return skipped("tables of other engines: no shared fixtures here (MDIFF_SHARED)");
    };
    let mut seen = BTreeMap::new();
    for (case, says) in [
        ("rocksdb/refuse-plain-table", "PlainTable"),
        ("rocksdb/refuse-cuckoo-table", "CuckooTable"),
        ("pebble/sst-v5-none", "a Pebble table"),
        ("pebble/sst-v7-good", "a Pebble table"),
    ] {
        let folders = [fixtures.join(case), fixtures.join(case).join("db")];
        let entries = folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.flatten() {
            let path = entry.unwrap().path();
            // The block-based one beside them is of another kind on purpose.
            let is_table = path.extension().is_some_and(|e| e == "sst");
            if is_table {
                let ran = mdiff(["cat".as_ref(), path.as_os_str()]).run();
                if ran.code != Some(0) {
                    assert_eq!(ran.code, Some(3), "{ran:#?}");
                    assert!(ran.stderr.contains(says), "{ran:#?}");
                }
                *seen.entry((case, ran.code)).or_insert(0) += 1;
            }
        }
    }
    println!("{seen:?}");
    assert!(
        seen.keys().filter(|(_, code)| *code == Some(3)).count() >= 4,
        "{seen:?}"
    );
}
