//! One flipped bit, a cut, a swap anywhere in a tree or a patch is an error that names the place, never an answer.

mod common;
use common::*;

use std::path::{Path, PathBuf};

use mdiff::build::BuildOptions;
use mdiff::file::input::{FileOptions, Input};
use mdiff::fingerprint::Hash;
use mdiff::mtree::Tree;
use mdiff::patch::{PatchReader, Record};
use mdiff::{Error, Result};

fn check_tree(bytes: Vec<u8>) -> Result<()> {
    Tree::from_bytes(Path::new("tree"), bytes)?.check_all()
}

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("patch.mpatch");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn read_patch(&self, bytes: &[u8]) -> Result<Vec<Record>> {
        let input = Input::open(&self.file(bytes), &FileOptions::default())?;
        let mut reader = PatchReader::new(&input)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record);
        }
        Ok(records)
    }
}

fn trees() -> Vec<Vec<u8>> {
    let sizes: &[(u64, Hash)] = &[
        (0, Hash::XXH3),
        (1, Hash::BLAKE3),
        (2, Hash::XXH3),
        (300, Hash::BLAKE3),
        (300, Hash::XXH3),
    ];
    sizes
        .iter()
        .map(|(count, hash)| {
            let rows: Rows = (0..*count)
                .map(|n| (format!("key{n:04}").into_bytes(), vec![b'v'; 8]))
                .collect();
            tree_bytes(
                &rows,
                &BuildOptions {
                    leaf_bits: Some(0),
                    hash: hash.clone(),
                    ..BuildOptions::default()
                },
            )
        })
        .collect()
}

fn patch() -> Vec<u8> {
    let base: Rows = (0..40)
        .map(|n| (format!("key{n:04}").into_bytes(), vec![b'v'; 8]))
        .collect();
    let mut target = base.clone();
    target.remove(b"key0003".as_slice());
    target.insert(b"key0005".to_vec(), b"new".to_vec());
    target.insert(b"key9999".to_vec(), b"more".to_vec());
    patch_bytes(
        &base,
        &target,
        &BuildOptions {
            leaf_bits: Some(2),
            ..BuildOptions::default()
        },
        true,
        true,
    )
}

/// Applies every damage of the list to `bytes` and demands an error from `check` each time.
fn every_damage_is_an_error(bytes: &[u8], check: &dyn Fn(Vec<u8>) -> Result<()>) -> usize {
    check(bytes.to_vec()).expect("sound before it is damaged");
    let mut tried = 0;
    let mut try_one = |what: &str, at: usize, damaged: Vec<u8>| {
        if damaged == bytes {
            return;
        }
        tried += 1;
        let error: Error = check(damaged)
            .err()
            .unwrap_or_else(|| panic!("{what} at {at} was not noticed"));
        assert!(
            matches!(error.exit_code(), 2 | 3),
            "{what} at {at}: {error}"
        );
    };
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1 << bit;
            try_one("a flipped bit", at, damaged);
        }
        for value in [0, 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[at] = value;
            try_one("a changed byte", at, damaged);
        }
        try_one("a cut", at, bytes[..at].to_vec());
    }
    for more in 1..=64 {
        try_one(
            "bytes behind the end",
            more,
            [bytes, &vec![0; more]].concat(),
        );
    }
    tried
}

#[test]
fn every_damage_to_a_tree_is_an_error() {
    let mut tried = 0;
    for tree in trees() {
        tried += every_damage_is_an_error(&tree, &check_tree);
    }
    println!("{tried} damaged trees");
}

#[test]
fn every_damage_to_a_patch_is_an_error() {
    let scratch = Scratch::new();
    let tried = every_damage_is_an_error(&patch(), &|bytes| scratch.read_patch(&bytes).map(drop));
    println!("{tried} damaged patches");
}

#[test]
fn the_tail_of_one_tree_on_the_head_of_another_is_an_error() {
    let rows = |value: &str| -> Rows {
        (0..300)
            .map(|n| (format!("key{n:04}").into_bytes(), value.into()))
            .collect()
    };
    let options = BuildOptions {
        leaf_bits: Some(2),
        ..BuildOptions::default()
    };
    let (a, b) = (
        tree_bytes(&rows("left"), &options),
        tree_bytes(&rows("rite"), &options),
    );
    assert_eq!(
        a.len(),
        b.len(),
        "same keys and lengths, so that the parts fit"
    );
    for cut in 1..a.len() {
        let mixed = [&a[..cut], &b[cut..]].concat();
        if mixed != a && mixed != b {
            check_tree(mixed).expect_err(&format!("cut at {cut}"));
        }
    }
}

#[test]
fn a_tree_with_swapped_nodes_is_an_error() {
    let tree = tree_bytes(
        &(0..300)
            .map(|n| (format!("key{n:04}").into_bytes(), b"v".to_vec()))
            .collect(),
        &BuildOptions {
            leaf_bits: Some(1),
            ..BuildOptions::default()
        },
    );
    let opened = Tree::from_bytes(Path::new("tree"), tree.clone()).unwrap();
    let view = opened.table("default").unwrap();
    let leaf_level = *view.header().level_lens.last().unwrap() as usize;
    let start = tree.len() - leaf_level;
    let children: Vec<_> = parents_of_leaves(&opened);
    assert!(children.len() > 3);
    for pair in children.windows(2) {
        let (first, second) = (
            start + pair[0].0..start + pair[0].0 + pair[0].1,
            start + pair[1].0..start + pair[1].0 + pair[1].1,
        );
        let swapped = [
            &tree[..first.start],
            &tree[second.clone()],
            &tree[first.clone()],
            &tree[second.end..],
        ]
        .concat();
        check_tree(swapped).expect_err("swapped neighbours");
        let mut copied = tree.clone();
        if first.len() == second.len() {
            copied.copy_within(first, second.start);
            check_tree(copied).expect_err("a node over its neighbour");
        }
    }
}

/// Offset and length in their level of all level-1 nodes, found by walking the tree.
fn parents_of_leaves(tree: &Tree) -> Vec<(usize, usize)> {
    let view = tree.table("default").unwrap();
    let mut level = view.height();
    let mut nodes = vec![(
        view.header().coverage.from().to_vec(),
        view.header().summary,
        view.root(),
    )];
    while level > 1 {
        nodes = nodes
            .iter()
            .flat_map(|(start, summary, child)| view.node(level, child, start, summary).unwrap())
            .map(|entry| (entry.start, entry.summary, entry.child.unwrap()))
            .collect();
        level -= 1;
    }
    nodes
        .iter()
        .map(|(_, _, child)| (child.offset as usize, child.len as usize))
        .collect()
}

#[test]
fn the_documented_patch_is_what_is_written_and_read() {
    let base = rows([("a", "1"), ("b", "2"), ("c", "3")]);
    let target = rows([("a", "1"), ("b", "4"), ("d", "5")]);
    let options = BuildOptions {
        leaf_bits: Some(4),
        ..BuildOptions::default()
    };
    let written = patch_bytes(&base, &target, &options, true, false);
    let documented = documented_example(include_str!("../src/patch/FORMAT.md"));
    assert!(
        documented == written,
        "src/patch/FORMAT.md should show:\n{}",
        hex_lines(&written)
    );
    let ops: Vec<_> = Scratch::new()
        .read_patch(&documented)
        .unwrap()
        .into_iter()
        .filter_map(|record| match record {
            Record::Op(op) => Some((op.key, op.value, op.old_value)),
            _ => None,
        })
        .collect();
    let text = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(
        ops,
        [
            (b"b".to_vec(), text("4"), text("2")),
            (b"c".to_vec(), None, text("3")),
            (b"d".to_vec(), text("5"), None),
        ]
    );
}
