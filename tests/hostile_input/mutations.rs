//! Seeded mutations of sound files. The seed of a failure is in its message; so is the input, saved.

use std::ops::Range;
use std::sync::Arc;

use mdiff::build::BuildOptions;
use mdiff::source::{SourceOptions, TextOptions};

use crate::common::*;
use crate::craft::{Digests, blocks, seal_table, varint};
use crate::harness::{Allowed, Harness};
use crate::parsers::{Place, read_patch, read_snapshot, read_tree};

fn how_many() -> u64 {
    rounds(1_200, 100_000)
}

/// Numbers at which arithmetic breaks.
pub const EXTREMES: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    1 << 32,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// Overwrites 1 to 3 places inside of `part`; the length stays.
pub fn overwrite(random: &mut Random, bytes: &mut [u8], part: &Range<usize>) {
    for _ in 0..1 + random.below(3) {
        let at = part.start + random.below(part.len() as u64) as usize;
        let room = part.end - at;
        let number = match random.below(3) {
            0 => random.below(1 << 16),
            1 => (bytes.len() as u64)
                .wrapping_add(random.below(5))
                .wrapping_sub(2),
            _ => EXTREMES[random.below(16) as usize],
        };
        let new = match random.below(5) {
            0 => vec![bytes[at] ^ (1 << random.below(8))],
            1 => varint(number),
            2 => (number as u32).to_le_bytes().to_vec(),
            3 => number.to_le_bytes().to_vec(),
            _ => {
                let from = part.start + random.below(part.len() as u64) as usize;
                let len = (1 + random.below(40) as usize).min(part.end - from);
                bytes[from..from + len].to_vec()
            }
        };
        let len = new.len().min(room);
        bytes[at..at + len].copy_from_slice(&new[..len]);
    }
}

/// Any change at all, of the length too.
pub fn mangle(random: &mut Random, bytes: &mut Vec<u8>) {
    let len = bytes.len() as u64;
    let at = random.below(len + 1) as usize;
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(
            at..at,
            vec![random.below(256) as u8; random.below(100) as usize],
        )),
        2 => drop(bytes.drain(at..(at + random.below(100) as usize).min(len as usize))),
        3 => {
            let end = (at + random.below(1000) as usize).min(len as usize);
            let copy = bytes[at..end].to_vec();
            let to = random.below(len + 1) as usize;
            drop(bytes.splice(to..to, copy));
        }
        4 => bytes[at..].fill(0),
        _ if len > 0 => overwrite(random, bytes, &(0..len as usize)),
        _ => {}
    }
}

/// Runs `check` on mutations of `files` and reports what it found.
pub fn run(
    what: &str,
    files: Vec<Vec<u8>>,
    mutate: impl Fn(&mut Random, usize, &mut Vec<u8>),
    check: impl Fn(&[u8], u64) -> bool + Send + Sync + 'static,
) {
    let check = Arc::new(check);
    let mut harness = Harness::new();
    let (mut found, mut unchanged) = (0, 0);
    for (which, file) in files.iter().enumerate() {
        assert!(check(file, 0), "file {which} is sound before it is changed");
    }
    for seed in 0..how_many() {
        let mut random = Random(seed);
        let which = random.below(files.len() as u64) as usize;
        let mut bytes = files[which].clone();
        mutate(&mut random, which, &mut bytes);
        unchanged += u64::from(bytes == files[which]);
        let allowed = Allowed::for_file(bytes.len());
        let bytes = Arc::new(bytes);
        let (input, check) = (bytes.clone(), check.clone());
        let result = harness.check(allowed, move || {
            check(&input, seed);
        });
        if let Err(error) = result {
            let saved = std::env::temp_dir().join(format!("mdiff-hostile-{what}-{seed}"));
            std::fs::write(&saved, &**bytes).unwrap();
            eprintln!(
                "{what}, seed {seed}, file {which}, saved as {}: {error}",
                saved.display()
            );
            found += 1;
            assert!(found < 20, "too many");
        }
    }
    harness.report(what);
    assert!(
        unchanged < how_many() / 5,
        "{unchanged} mutations changed nothing"
    );
    assert_eq!(found, 0, "inputs that it should have borne");
}

#[test]
fn mutated_tables() {
    let mut files = vec![
        sst_bytes(&many_rows(60, 100, 1), "none"),
        sst_bytes(&many_rows(600, 60, 2), "lz4"),
        sst_bytes(
            &(0..900)
                .map(|n| (format!("key/{n:05}").into_bytes(), vec![b'v'; n % 50]))
                .collect(),
            "zstd",
        ),
        sst_bytes(
            &(0..300)
                .map(|n| (vec![0xff; n], vec![n as u8; 9]))
                .collect(),
            "snappy",
        ),
        sst_bytes(&Rows::new(), "none"),
    ];
    // Written by LevelDB and RocksDB: deletions, versions, partitions.
    for case in [
        "leveldb-snapshot-held",
        "fv0-legacy-footer",
        "fv3-partitioned",
        "fv5-lz4-dict",
        "fv5-index-first-key",
    ] {
        files.push(std::fs::read(testdata("block_table").join(case).join("data.sst")).unwrap());
    }
    let parts: Vec<Vec<Range<usize>>> = files.iter().map(|file| blocks(file)).collect();
    let sealed = parts.iter().filter(|parts| parts.len() >= 3).count();
    assert!(sealed >= 9, "blocks are found in {sealed} files");
    let place = Place::new("input.sst");
    run(
        "tables",
        files,
        move |random, which, bytes| {
            let parts = &parts[which];
            if random.below(5) == 0 || parts.is_empty() {
                return mangle(random, bytes);
            }
            // The last blocks are the ones that lead to the others.
            let back = random
                .below(parts.len() as u64)
                .min(random.below(parts.len() as u64)) as usize;
            let part = &parts[parts.len() - 1 - back];
            if part.is_empty() {
                return mangle(random, bytes);
            }
            // Now and then the byte that says how it is compressed, too.
            let end = part.end + usize::from(random.below(9) == 0);
            overwrite(random, bytes, &(part.start..end));
            seal_table(bytes, parts);
        },
        move |bytes, seed| {
            read_snapshot(
                &place.path(),
                bytes,
                seed % 2 == 0,
                &SourceOptions::default(),
            )
        },
    );
}

pub fn sound_trees() -> Vec<Vec<u8>> {
    let rows: Rows = (0..300)
        .map(|n| (format!("key{n:04}").into_bytes(), vec![b'v'; 8]))
        .collect();
    let with = |leaf_bits, hash: &mdiff::fingerprint::Hash| {
        tree_bytes(
            &rows,
            &BuildOptions {
                leaf_bits: Some(leaf_bits),
                hash: hash.clone(),
                ..BuildOptions::default()
            },
        )
    };
    vec![
        tree_bytes(&Rows::new(), &BuildOptions::default()),
        with(0, &mdiff::fingerprint::Hash::XXH3),
        with(2, &mdiff::fingerprint::Hash::BLAKE3),
        with(5, &mdiff::fingerprint::Hash::XXH3),
    ]
}

pub fn sound_patches() -> Vec<Vec<u8>> {
    let base: Rows = (0..200)
        .map(|n| (format!("key{n:04}").into_bytes(), vec![b'v'; 30]))
        .collect();
    let mut target = base.clone();
    target.retain(|key, _| key[6] != b'3');
    target.insert(b"key0005".to_vec(), b"new".to_vec());
    target.insert(b"key9999".to_vec(), vec![b'x'; 3000]);
    let options = BuildOptions {
        leaf_bits: Some(2),
        ..BuildOptions::default()
    };
    [(true, false), (false, false), (true, true)]
        .map(|(reversible, compress)| patch_bytes(&base, &target, &options, reversible, compress))
        .into()
}

#[test]
fn mutated_trees() {
    let files = sound_trees();
    let digests: Vec<Digests> = files.iter().map(|file| Digests::of_tree(file)).collect();
    run(
        "trees",
        files,
        move |random, which, bytes| {
            if random.below(10) == 0 {
                return mangle(random, bytes);
            }
            let parts = digests[which].parts();
            let part = parts[random.below(parts.len() as u64) as usize].clone();
            let part = if random.below(3) == 0 {
                digests[which].header()
            } else {
                part
            };
            overwrite(random, bytes, &part);
            digests[which].seal_tree(bytes);
        },
        |bytes, _| read_tree(bytes),
    );
}

#[test]
fn mutated_patches() {
    let files = sound_patches();
    let digests: Vec<Digests> = files.iter().map(|file| Digests::of_patch(file)).collect();
    let place = Place::new("input.mpatch");
    run(
        "patches",
        files,
        move |random, which, bytes| {
            if random.below(10) == 0 {
                return mangle(random, bytes);
            }
            let parts = digests[which].parts();
            let part = parts[random.below(parts.len() as u64) as usize].clone();
            overwrite(random, bytes, &part);
            digests[which].seal_patch(bytes);
        },
        move |bytes, seed| read_patch(&place.path(), bytes, seed % 2 == 0),
    );
}

#[test]
fn mutated_text() {
    let plain: String = (0..400)
        .map(|n| format!("{n:04},name {n},{}\n", n * 7))
        .collect();
    let quoted: String = (0..300)
        .map(|n| format!("\"{n:04}\",\"a \"\"quoted\"\" \n{n}\",\\N\r\n"))
        .collect();
    let files = vec![
        format!("id,name,number\n{plain}").into_bytes(),
        format!("id,name,number\r\n{quoted}").into_bytes(),
        format!(
            "\u{feff}id\n{}",
            (0..500)
                .rev()
                .map(|n| format!("{n:03}\n"))
                .collect::<String>()
        )
        .into_bytes(),
        b"id,name,number\n".to_vec(),
    ];
    let place = Place::new("input.csv");
    run(
        "text",
        files,
        |random, _, bytes| {
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len() as u64 + 1) as usize;
                match random.below(4) {
                    0 => mangle(random, bytes),
                    1 => bytes.insert(at, b"\"\n\r,\0\\\t\xff"[random.below(8) as usize]),
                    2 => drop(bytes.splice(
                        at..at,
                        vec![b",\"\n\""[random.below(4) as usize]; random.below(3000) as usize],
                    )),
                    _ => drop(bytes.splice(at..at, *b"\n0007,x,\"")),
                }
            }
        },
        move |bytes, seed| {
            let options = SourceOptions {
                format: Some("csv".into()),
                // The sorter takes what it may use at once; more than a small file needs is the user's wish, not the file's.
                sort_memory_bytes: [256 << 10, 4096][(seed / 2 % 2) as usize],
                text: TextOptions {
                    no_header: seed % 5 == 4,
                    null: (seed % 3 == 0).then(|| "\\N".into()),
                    ..TextOptions::default()
                },
                ..SourceOptions::default()
            };
            read_snapshot(&place.path(), bytes, seed % 2 == 0, &options)
        },
    );
}
