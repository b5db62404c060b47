//! A second implementation of the tree, written from `src/mtree/FORMAT.md` for reading rather than speed: it holds all rows,
//! works top-down by recursion and calls no code of the crate except hashes. The real one must give the same file, bit for bit.

use std::path::Path;

use mdiff::build::BuildOptions;
use mdiff::range::Coverage;
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

mod common;
use common::{Rows, documented_example, hex_lines, rows, tree_bytes};

struct Node {
    start: Vec<u8>,
    rows: u64,
    bytes: u64,
    sum: u128,
    digest: [u8; 32],
    /// Blocks of this node's subtree, by level, level 1 first; a leaf has none.
    blocks: Vec<Vec<Vec<u8>>>,
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    loop {
        let low = (n % 128) as u8;
        n /= 128;
        if n == 0 {
            return out.push(low);
        }
        out.push(low + 128);
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn summary(out: &mut Vec<u8>, rows: u64, row_bytes: u64, sum: u128) {
    varint(out, rows);
    varint(out, row_bytes);
    out.extend(sum.to_le_bytes());
    varint(out, 0);
}

fn rank(key: &[u8]) -> u32 {
    (xxh3_128(key) as u64).trailing_zeros()
}

fn fingerprint(key: &[u8], value: &[u8]) -> u128 {
    let key = xxh3_128(key);
    xxh3_128_with_seed(value, key as u64).wrapping_add((key >> 64) << 64)
}

fn leaves(rows: &Rows, leaf_bits: u32, splits: &[Vec<u8>]) -> Vec<Node> {
    let mut starts: Vec<Vec<u8>> = rows
        .keys()
        .filter(|key| rank(key) >= leaf_bits)
        .cloned()
        .collect();
    starts.extend(splits.iter().cloned());
    starts.push(Vec::new());
    starts.sort();
    starts.dedup();
    (0..starts.len())
        .map(|i| {
            let end = starts.get(i + 1);
            let inside: Vec<_> = rows
                .iter()
                .filter(|(key, _)| **key >= starts[i] && end.is_none_or(|end| *key < end))
                .collect();
            Node {
                start: starts[i].clone(),
                rows: inside.len() as u64,
                bytes: inside
                    .iter()
                    .map(|(key, value)| (key.len() + value.len()) as u64)
                    .sum(),
                sum: inside.iter().fold(0, |sum, (key, value)| {
                    u128::wrapping_add(sum, fingerprint(key, value))
                }),
                digest: [0; 32],
                blocks: Vec::new(),
            }
        })
        .collect()
}

/// Joins the nodes of one level into the nodes of the next, until one is left.
fn root(mut nodes: Vec<Node>, leaf_bits: u32) -> (Node, u8) {
    for level in 1u8.. {
        let mut parents: Vec<Vec<Node>> = Vec::new();
        for node in nodes {
            let starts = rank(&node.start) >= leaf_bits + 4 * u32::from(level);
            match parents.last_mut() {
                Some(siblings) if !starts => siblings.push(node),
                _ => parents.push(vec![node]),
            }
        }
        let mut offset = 0;
        nodes = parents
            .into_iter()
            .map(|children| parent(children, level, &mut offset))
            .collect();
        if nodes.len() == 1 {
            return (nodes.remove(0), level);
        }
    }
    unreachable!()
}

fn parent(children: Vec<Node>, level: u8, offset: &mut u64) -> Node {
    let mut body = vec![level];
    varint(&mut body, children.len() as u64);
    let mut previous: &[u8] = &[];
    for child in &children {
        let shared = previous
            .iter()
            .zip(&child.start)
            .take_while(|(a, b)| a == b)
            .count();
        varint(&mut body, shared as u64);
        bytes(&mut body, &child.start[shared..]);
        summary(&mut body, child.rows, child.bytes, child.sum);
        if level >= 2 {
            body.extend(child.digest);
            varint(&mut body, child.blocks.last().unwrap()[0].len() as u64);
        }
        previous = &child.start;
    }
    let mut block = if level == 1 { 0u64 } else { *offset }
        .to_le_bytes()
        .to_vec();
    block.extend(&body);
    *offset += children
        .iter()
        .filter_map(|child| Some(child.blocks.last()?[0].len() as u64))
        .sum::<u64>();
    let mut blocks: Vec<Vec<Vec<u8>>> = vec![Vec::new(); usize::from(level) - 1];
    for child in &children {
        for (all, some) in blocks.iter_mut().zip(&child.blocks) {
            all.extend(some.iter().cloned());
        }
    }
    blocks.push(vec![block]);
    Node {
        start: children[0].start.clone(),
        rows: children.iter().map(|child| child.rows).sum(),
        bytes: children.iter().map(|child| child.bytes).sum(),
        sum: children
            .iter()
            .fold(0, |sum, child| sum.wrapping_add(child.sum)),
        digest: *blake3::hash(&[b"mdiff node 1".as_slice(), &body].concat()).as_bytes(),
        blocks,
    }
}

fn file(rows: &Rows, leaf_bits: u32, splits: &[Vec<u8>]) -> Vec<u8> {
    let leaves = leaves(rows, leaf_bits, splits);
    let leaf_count = leaves.len() as u64;
    let (root, height) = root(leaves, leaf_bits);
    let levels: Vec<Vec<u8>> = root
        .blocks
        .iter()
        .rev()
        .map(|blocks| blocks.concat())
        .collect();
    let mut body = vec![0];
    body.extend([0; 16]);
    varint(&mut body, 1);
    bytes(&mut body, b"default");
    body.push(0);
    bytes(&mut body, b"");
    body.push(0);
    body.push(leaf_bits as u8);
    if splits.is_empty() {
        body.extend([0; 32]);
    } else {
        let mut text = b"mdiff splits 1".to_vec();
        splits.iter().for_each(|split| bytes(&mut text, split));
        body.extend(blake3::hash(&text).as_bytes());
    }
    varint(&mut body, leaf_count);
    summary(&mut body, root.rows, root.bytes, root.sum);
    body.extend(root.digest);
    body.push(height);
    levels
        .iter()
        .for_each(|level| body.extend((level.len() as u64).to_le_bytes()));
    varint(&mut body, 0);
    let header_len = 16 + 8 + body.len();
    let file_len = header_len + 32 + levels.iter().map(Vec::len).sum::<usize>();
    let mut file = b"\x89MTR\r\n\x1a\n".to_vec();
    file.extend(1u32.to_le_bytes());
    file.extend((header_len as u32).to_le_bytes());
    file.extend((file_len as u64).to_le_bytes());
    file.extend(body);
    let digest = blake3::hash(&file);
    file.extend(digest.as_bytes());
    levels.iter().for_each(|level| file.extend(level));
    file
}

fn real(rows: &Rows, leaf_bits: u32, splits: &[Vec<u8>]) -> Vec<u8> {
    let options = BuildOptions {
        leaf_bits: Some(leaf_bits),
        splits: splits.to_vec(),
        ..BuildOptions::default()
    };
    tree_bytes(rows, &options)
}

#[test]
fn the_real_tree_is_the_reference_tree() {
    for count in [0u64, 1, 2, 15, 16, 17, 100, 1000, 5000] {
        let rows: Rows = (0..count)
            .map(|n| {
                (
                    format!("k{:06}", n * 7919 % 10007).into_bytes(),
                    n.to_le_bytes().to_vec(),
                )
            })
            .collect();
        for leaf_bits in [0, 1, 2, 4, 7, 63] {
            for splits in [
                vec![],
                vec![
                    b"a".to_vec(),
                    b"k003".to_vec(),
                    b"k003000".to_vec(),
                    b"z".to_vec(),
                ],
            ] {
                assert!(
                    real(&rows, leaf_bits, &splits) == file(&rows, leaf_bits, &splits),
                    "{count} rows, leaf_bits {leaf_bits}, {} splits",
                    splits.len()
                );
            }
        }
    }
}

#[test]
fn the_documented_example_is_what_is_written_and_read() {
    let documented = documented_example(include_str!("../src/mtree/FORMAT.md"));
    let written = real(&rows([("a", "1"), ("b", "2"), ("c", "3")]), 4, &[]);
    assert!(
        documented == written,
        "src/mtree/FORMAT.md should show:\n{}",
        hex_lines(&written)
    );
    let tree = mdiff::mtree::Tree::from_bytes(Path::new("example"), documented).unwrap();
    tree.check_all().unwrap();
    let table = tree.table("default").unwrap();
    assert_eq!(table.header().summary.rows, 3);
    assert_eq!(table.header().summary.bytes, 6);
    assert_eq!(table.header().coverage, Coverage::all());
}
