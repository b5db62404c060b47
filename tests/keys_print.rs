//! Keys of any bytes: printed without a byte that a terminal obeys, and what is printed is taken back to the same bytes.

mod common;
use common::*;

use std::collections::BTreeSet;

/// Bytes that escapes, quotes, shells and terminals care about, and parts of multi-byte characters.
fn nasty(random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 28] = [
        b"\x1b[31m",
        b"\x1b]0;title\x07",
        b"\\",
        b"\\x",
        b"\\x4",
        b"\\x41",
        b"\\n",
        b"\\\\",
        b"\n",
        b"\r\n",
        b"\t",
        b"\0",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xc3",
        b"\xc3\xa4",
        b"\xe2\x80\xae",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\xc2\x9b",
        b"\"",
        b"'",
        b",",
        b" ",
        b"$(x)",
        b"\\raw:",
        b"hex:00",
    ];
    let mut key = Vec::new();
    for _ in 0..random.below(7) {
        match random.below(3) {
            0 => key.push(random.below(256) as u8),
            1 => key.extend(format!("{}", random.below(1000)).into_bytes()),
            _ => key.extend_from_slice(PIECES[random.below(PIECES.len() as u64) as usize]),
        }
    }
    key
}

/// No byte that moves a cursor, colours or rings; and no character that turns text round.
#[track_caller]
fn harmless(printed: &str) {
    for c in printed.chars() {
        assert!(!c.is_control(), "{c:?} in {printed:?}");
        assert!(
            !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
            "{c:?} in {printed:?}"
        );
    }
}

/// `\xNN`, `\\`, and everything else as it is: written again here, from the manual alone.
fn parse(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match behind.first() {
            Some(b'\\') => {
                out.push(b'\\');
                rest = &behind[1..];
            }
            Some(b'x') => {
                out.push(
                    u8::from_str_radix(std::str::from_utf8(&behind[1..3]).unwrap(), 16).unwrap(),
                );
                rest = &behind[3..];
            }
            other => panic!("an escape that the manual does not name: {other:?} in {text:?}"),
        }
    }
    out
}

#[test]
fn what_is_printed_of_a_key_is_taken_back() {
    let mut random = Random(7);
    let mut keys: BTreeSet<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    keys.insert(Vec::new());
    while keys.len() < 10_000 {
        keys.insert(nasty(&mut random));
    }
    let rows: Rows = keys
        .iter()
        .map(|key| (key.clone(), b"v".to_vec()))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.sst"), sst_bytes(&rows, "none")).unwrap();
    std::fs::write(dir.path().join("none.sst"), sst_bytes(&Rows::new(), "none")).unwrap();

    let printed = mdiff(["cat", "a.sst"]).in_dir(&dir).run().exits(0).stdout;
    let printed: Vec<&str> = printed
        .strip_suffix('\n')
        .unwrap()
        .split('\n')
        .map(|line| line.strip_suffix("\tv").unwrap())
        .collect();
    assert_eq!(printed.len(), keys.len(), "one line a row");
    for (key, text) in keys.iter().zip(&printed) {
        harmless(text);
        assert_eq!(parse(text), *key, "{text:?}");
    }

    // A row that is only on the right.
    let diff = mdiff(["diff", "none.sst", "a.sst"])
        .in_dir(&dir)
        .run()
        .exits(1)
        .stdout;
    let lines: Vec<&str> = diff.lines().filter(|line| line.starts_with("+ ")).collect();
    assert_eq!(lines.len(), keys.len());
    for (line, text) in lines.iter().zip(&printed) {
        assert_eq!(line.strip_prefix("+ "), Some(format!("{text}\tv").as_str()));
    }

    // All keys at once, as boundaries: the tree tells where its leaves start.
    std::fs::write(
        dir.path().join("keys"),
        printed
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| format!("{text}\n"))
            .collect::<String>(),
    )
    .unwrap();
    mdiff([
        "build",
        "a.sst",
        "--split-at",
        "keys",
        "--leaf-rows",
        "65536",
        "-o",
        "a.mtree",
    ])
    .in_dir(&dir)
    .run()
    .exits(0);
    let tree = mdiff::mtree::Tree::open(
        &dir.path().join("a.mtree"),
        &mdiff::file::input::FileOptions::default(),
    )
    .unwrap();
    let mut starts = Vec::new();
    tree.table("default")
        .unwrap()
        .for_each_leaf(&mut |leaf| {
            starts.push(leaf.start);
            Ok(())
        })
        .unwrap();
    assert!(starts.iter().eq(keys.iter()), "a leaf starts at each key");

    // And some by themselves.
    let all: Vec<&Vec<u8>> = keys.iter().collect();
    let mut tried = 0;
    for n in (0..all.len()).step_by(rounds(97, 7) as usize) {
        let text = printed[n];
        let ran = mdiff(["cat", "a.sst", "--limit", "1", "--from", text])
            .in_dir(&dir)
            .run()
            .exits(0);
        assert_eq!(ran.stdout, format!("{text}\tv\n"));
        if n + 1 < all.len() {
            let ran = mdiff(["cat", "a.sst", "--from", text, "--to", printed[n + 1]])
                .in_dir(&dir)
                .run()
                .exits(0);
            assert_eq!(ran.stdout, format!("{text}\tv\n"), "--to is left out");
        }
        tried += 1;
    }
    println!(
        "{} keys parsed back, {tried} given to --from and --to",
        keys.len()
    );
}

/// JSON has its own escapes; bytes that are no text are told apart from text that looks like them.
#[test]
fn json_keeps_every_byte() {
    let mut random = Random(8);
    let rows: Rows = (0..3000)
        .map(|_| (nasty(&mut random), nasty(&mut random)))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.sst"), sst_bytes(&rows, "lz4")).unwrap();
    let printed = mdiff(["cat", "a.sst", "--json"])
        .in_dir(&dir)
        .run()
        .exits(0)
        .stdout;
    let read: Rows = printed
        .lines()
        .map(|line| {
            // What JSON must escape; programs, not terminals, read it.
            assert!(!line.bytes().any(|byte| byte < 0x20), "{line:?}");
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            (json_bytes(&row["key"]), json_bytes(&row["value"]))
        })
        .collect();
    assert!(read == rows);
}

/// A file's name may hold anything as well.
#[test]
fn names_of_files_are_escaped_in_messages() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a\x1b[31mb.sst", "line\nbreak.sst", "bell\x07.sst"] {
        let ran = mdiff(["build", name]).in_dir(&dir).run().exits(2);
        harmless(&ran.stderr.replace('\n', " "));
        std::fs::write(
            dir.path().join(name),
            sst_bytes(&rows([("a", "b")]), "none"),
        )
        .unwrap();
        let ran = mdiff(["build", name]).in_dir(&dir).run().exits(0);
        harmless(ran.stdout.trim_end().replace('\n', " ").as_str());
    }
}
