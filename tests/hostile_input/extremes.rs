//! Every field set to every number at which arithmetic breaks; and tables that lead their reader in circles.

use std::sync::Arc;

use mdiff::source::SourceOptions;

use crate::common::*;
use crate::craft::{Craft, Digests, entries, handle, internal, varint};
use crate::harness::{Allowed, Harness};
use crate::mutations::{EXTREMES, sound_patches, sound_trees};
use crate::parsers::{Place, read_patch, read_snapshot, read_tree};

/// At each place of `part`, each extreme number as a varint, u32 and u64, written over what is there: whatever fields there are,
/// they are among these places.
fn every_field(file: &[u8], part: std::ops::Range<usize>, step: usize, visit: Visit<'_>) {
    let len = file.len() as u64;
    for at in part.clone().step_by(step) {
        for number in EXTREMES.into_iter().chain([len - 1, len, len + 1]) {
            for new in [
                varint(number),
                (number as u32).to_le_bytes().to_vec(),
                number.to_le_bytes().to_vec(),
            ] {
                if new.len() <= part.end - at && new != file[at..at + new.len()] {
                    let mut edited = file.to_vec();
                    edited[at..at + new.len()].copy_from_slice(&new);
                    visit(
                        edited,
                        &format!("{number:#x} in {} bytes at {at}", new.len()),
                    );
                }
            }
        }
    }
}

/// Takes an input and where in it the change is.
type Visit<'a> = &'a mut dyn FnMut(Vec<u8>, &str);

fn check_all(
    what: &str,
    inputs: &mut dyn FnMut(Visit<'_>),
    check: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
) {
    let mut harness = Harness::new();
    let check = Arc::new(check);
    let mut found = 0;
    inputs(&mut |bytes, place| {
        let allowed = Allowed::for_file(bytes.len());
        let check = check.clone();
        let result = harness.check(allowed, move || {
            check(&bytes);
        });
        if let Err(error) = result {
            eprintln!("{what}: {place}: {error}");
            found += 1;
            assert!(found < 20, "too many");
        }
    });
    harness.report(what);
    assert_eq!(found, 0, "inputs that it should have borne");
}

#[test]
fn every_field_of_a_tree() {
    check_all(
        "fields of trees",
        &mut |visit| {
            for tree in sound_trees() {
                let digests = Digests::of_tree(&tree);
                let step = if tree.len() > 2000 {
                    rounds(37, 3) as usize
                } else {
                    rounds(3, 1) as usize
                };
                for part in [
                    0..16,
                    16..digests.header().end,
                    digests.header().end + 32..tree.len(),
                ] {
                    every_field(&tree, part, step, &mut |mut edited, place| {
                        digests.seal_tree(&mut edited);
                        visit(edited, place);
                    });
                }
            }
        },
        read_tree,
    );
}

#[test]
fn every_field_of_a_patch() {
    let place = Place::new("input.mpatch");
    check_all(
        "fields of patches",
        &mut |visit| {
            for patch in &sound_patches()[..2] {
                let digests = Digests::of_patch(patch);
                let step = rounds(41, 1) as usize;
                for part in std::iter::once(0..16).chain(digests.parts()) {
                    let step = if part.len() > 200 { step } else { 1 + step / 4 };
                    every_field(patch, part, step, &mut |mut edited, place| {
                        digests.seal_patch(&mut edited);
                        visit(edited, place);
                    });
                }
            }
        },
        move |bytes| read_patch(&place.path(), bytes, false),
    );
}

#[test]
fn every_field_of_a_table() {
    let place = Place::new("input.sst");
    check_all(
        "fields of tables",
        &mut |visit| {
            let mut files = vec![sst_bytes(&many_rows(20, 30, 1), "none")];
            files.push(
                std::fs::read(testdata("block_table").join("leveldb-snapshot-held/data.sst"))
                    .unwrap(),
            );
            for (n, file) in files.iter().enumerate() {
                let blocks = crate::craft::blocks(file);
                let step = if n == 0 {
                    rounds(23, 1) as usize
                } else {
                    rounds(401, 29) as usize
                };
                let footer = file.len() - 53..file.len();
                for part in blocks.iter().cloned().chain([footer.clone()]) {
                    let step = if part == footer {
                        rounds(3, 1) as usize
                    } else {
                        step
                    };
                    every_field(file, part, step, &mut |mut edited, place| {
                        crate::craft::seal_table(&mut edited, &blocks);
                        visit(edited, place);
                    });
                }
            }
        },
        move |bytes| read_snapshot(&place.path(), bytes, false, &SourceOptions::default()),
    );
}

/// Tables that are wrong as a whole; none may be read as if it were sound.
fn crooked_tables() -> Vec<(&'static str, Vec<u8>)> {
    let rows = |from: u32, to: u32| {
        let rows: Vec<_> = (from..to)
            .map(|n| (internal(format!("k{n:04}").as_bytes()), b"v".to_vec()))
            .collect();
        entries(&rows)
    };
    let key = |text: &str| internal(text.as_bytes());
    let mut found = Vec::new();
    let mut add = |name, make: &dyn Fn(&mut Craft) -> (Vec<u8>, u32)| {
        let mut craft = Craft::default();
        let (index, index_type) = make(&mut craft);
        let index = craft.block(&index, 0);
        found.push((name, craft.finish(index, index_type)));
    };
    add("the index leads to itself", &|craft| {
        craft.block(&rows(0, 9), 0);
        let here = craft.0.len() as u64;
        (entries(&[(key("k0009"), handle((here, 20)))]), 0)
    });
    add("one block twice", &|craft| {
        let data = craft.block(&rows(0, 9), 0);
        (
            entries(&[(key("k0009"), handle(data)), (key("k0019"), handle(data))]),
            0,
        )
    });
    add("blocks backwards", &|craft| {
        let first = craft.block(&rows(0, 9), 0);
        let second = craft.block(&rows(10, 19), 0);
        (
            entries(&[
                (key("k0009"), handle(second)),
                (key("k0019"), handle(first)),
            ]),
            0,
        )
    });
    add("blocks that overlap", &|craft| {
        let first = craft.block(&rows(0, 9), 0);
        let second = craft.block(&rows(4, 19), 0);
        (
            entries(&[
                (key("k0009"), handle(first)),
                (key("k0019"), handle(second)),
            ]),
            0,
        )
    });
    add("the index leads into the footer", &|craft| {
        craft.block(&rows(0, 9), 0);
        (
            entries(&[(key("k0009"), handle((craft.0.len() as u64 + 200, 40)))]),
            0,
        )
    });
    add("the index leads behind the end", &|craft| {
        craft.block(&rows(0, 9), 0);
        (entries(&[(key("k0009"), handle((u64::MAX - 10, 5)))]), 0)
    });
    add("a block of the largest size", &|craft| {
        craft.block(&rows(0, 9), 0);
        (entries(&[(key("k0009"), handle((0, u64::MAX)))]), 0)
    });
    add("a separator below its block's keys", &|craft| {
        let data = craft.block(&rows(0, 9), 0);
        (entries(&[(key("a"), handle(data))]), 0)
    });
    add("separators that descend", &|craft| {
        let first = craft.block(&rows(0, 9), 0);
        let second = craft.block(&rows(10, 19), 0);
        (
            entries(&[
                (key("k0019"), handle(first)),
                (key("k0009"), handle(second)),
            ]),
            0,
        )
    });
    add("a partition that leads to itself", &|craft| {
        // Its size is that of one entry with a handle of so many digits.
        let here = craft.0.len() as u64;
        let size = entries(&[(key("k0009"), handle((here, 60)))]).len() as u64;
        let partition = entries(&[(key("k0009"), handle((here, size)))]);
        let partition = craft.block(&partition, 0);
        (entries(&[(key("k0009"), handle(partition))]), 2)
    });
    add("one partition a thousand times", &|craft| {
        let data = craft.block(&rows(0, 9), 0);
        let partition = craft.block(&entries(&[(key("k0009"), handle(data))]), 0);
        let index: Vec<_> = (0..1000)
            .map(|n| (key(&format!("k{n:04}")), handle(partition)))
            .collect();
        (entries(&index), 2)
    });
    add("an unknown kind of index", &|craft| {
        let data = craft.block(&rows(0, 9), 0);
        (entries(&[(key("k0009"), handle(data))]), 77)
    });
    add("keys too short for a sequence number", &|craft| {
        let data = craft.block(&entries(&[(b"abc".to_vec(), b"v".to_vec())]), 0);
        (entries(&[(key("k0009"), handle(data))]), 0)
    });
    add("keys that descend", &|craft| {
        let data = craft.block(
            &entries(&[(key("b"), b"1".to_vec()), (key("a"), b"2".to_vec())]),
            0,
        );
        (entries(&[(key("k0009"), handle(data))]), 0)
    });
    for (name, restarts) in [
        ("restarts behind the end", [0xffff_ffffu32, 1]),
        ("more restarts than bytes", [0, 0xffff_ffff]),
        (
            "so many restarts that their bytes overflow",
            [0, 0x4000_0001],
        ),
        ("no restarts", [0, 0]),
    ] {
        add(name, &|craft| {
            let mut block = rows(0, 1);
            block.truncate(block.len() - 8);
            block.extend(restarts.map(u32::to_le_bytes).concat());
            let data = craft.block(&block, 0);
            (entries(&[(key("k0009"), handle(data))]), 0)
        });
    }
    for (name, handles) in [
        ("the metaindex leads to itself", true),
        ("the metaindex is the index", false),
    ] {
        let mut craft = Craft::default();
        let data = craft.block(&rows(0, 9), 0);
        let index = craft.block(&entries(&[(key("k0009"), handle(data))]), 0);
        let here = craft.0.len() as u64;
        let size = entries(&[("rocksdb.properties".into(), handle((here, 60)))]).len() as u64;
        let metaindex = craft.block(
            &entries(&[("rocksdb.properties".into(), handle((here, size)))]),
            0,
        );
        found.push((
            name,
            craft.footer(if handles { metaindex } else { index }, index),
        ));
    }
    found
}

#[test]
fn tables_that_lead_in_circles_are_errors() {
    let place = Place::new("input.sst");
    let sound = {
        let rows: Vec<_> = (0..9)
            .map(|n| (internal(format!("k{n}").as_bytes()), b"v".to_vec()))
            .collect();
        Craft::one_block(&entries(&rows), 0)
    };
    assert!(
        read_snapshot(&place.path(), &sound, true, &SourceOptions::default()),
        "what is crafted well is read"
    );
    let mut harness = Harness::new();
    let mut wrong = Vec::new();
    let tables = crooked_tables();
    for (name, table) in tables {
        let path = place.path();
        // One block is an index and a data block at once, the others are wrong where nobody looks: each answer is right.
        let harmless = [
            "a partition that leads to itself",
            "restarts behind the end",
            "the metaindex leads to itself",
        ]
        .contains(&name);
        let allowed = Allowed::for_file(table.len());
        let result = harness.check(allowed, move || {
            for mmap in [true, false] {
                let sound = read_snapshot(&path, &table, mmap, &SourceOptions::default());
                assert_eq!(sound, harmless, "whether it is read as if it were sound");
            }
        });
        if let Err(error) = result {
            wrong.push(format!("{name}: {error}"));
        }
    }
    harness.report("crooked tables");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
