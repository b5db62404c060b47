//! Random rows, and what the core makes of them.

use std::collections::BTreeMap;
use std::path::Path;

use mdiff::build::{BuildOptions, build, build_in_memory};
use mdiff::compare::{Divergence, compare};
use mdiff::diff::{DiffOptions, Side, diff};
use mdiff::fingerprint::Hash;
use mdiff::mtree::Tree;
use mdiff::mtree::write::write;
use mdiff::patch::{PatchHeader, PatchTable, PatchWriter};
use mdiff::progress::Progress;
use mdiff::source::Snapshot;
use mdiff::source::memory::MemorySnapshot;

/// Rows of a table, sorted by a map of the standard library.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A small generator with a seed, so that a failure can be replayed.
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Random rows: none, some, or thousands.
    pub fn rows(&mut self) -> Rows {
        let count = [0, 1, 2, 16, 17, 300, 3000][self.below(7) as usize];
        let keys = 1 + self.below(2 * count + 1);
        (0..count)
            .map(|_| (self.key(keys), vec![b'v'; self.below(20) as usize]))
            .collect()
    }

    /// A key of so many; the first is empty.
    pub fn key(&mut self, keys: u64) -> Vec<u8> {
        let number = self.below(keys);
        if number == 0 {
            Vec::new()
        } else {
            format!("key{number:05}").into_bytes()
        }
    }

    /// The rows with a few inserted, deleted and changed.
    pub fn change(&mut self, rows: &Rows) -> Rows {
        let mut changed = rows.clone();
        let changes = [0, 1, 2, 10, 500][self.below(5) as usize];
        for _ in 0..changes {
            let key = match rows
                .keys()
                .nth(self.below(rows.len().max(1) as u64) as usize)
            {
                Some(key) if self.below(3) > 0 => key.clone(),
                _ => self.key(4000),
            };
            match self.below(2) {
                0 => changed.remove(&key),
                _ => changed.insert(key, format!("new{}", self.below(9)).into_bytes()),
            };
        }
        changed
    }

    /// Random options of a build.
    pub fn options(&mut self) -> BuildOptions {
        let mut options = BuildOptions::default();
        if self.below(2) == 0 {
            options.leaf_bits = Some(self.below(9) as u32);
        }
        if self.below(3) == 0 {
            options.splits = (0..self.below(5)).map(|_| self.key(4000)).collect();
            options.splits.sort();
            options.splits.dedup();
        }
        options
    }
}

/// The rows as a snapshot.
pub fn snapshot(rows: &Rows) -> MemorySnapshot {
    MemorySnapshot::new(rows.clone())
}

/// The tree of the rows.
pub fn tree(rows: &Rows, options: &BuildOptions) -> Tree {
    build_in_memory(
        &snapshot(rows),
        Path::new("memory"),
        options,
        &Progress::default(),
    )
    .unwrap()
}

/// The tree of the rows, as a file's bytes.
pub fn tree_bytes(rows: &Rows, options: &BuildOptions) -> Vec<u8> {
    let tables = build(&snapshot(rows), options, &Progress::default()).unwrap();
    let mut out = Vec::new();
    write(tables, &options.hash.id(), &mut out, &|e| panic!("{e}")).unwrap();
    out
}

/// The divergent ranges of the trees' tables.
pub fn divergences(trees: &[&Tree]) -> Vec<Divergence> {
    let mut found = Vec::new();
    let views: Vec<_> = trees
        .iter()
        .map(|tree| tree.table("default").unwrap())
        .collect();
    compare(&views, &mut |divergence| {
        found.push(divergence.clone());
        Ok(())
    })
    .unwrap();
    found
}

/// The patch between two sets of rows, as a file's bytes.
pub fn patch_bytes(
    base: &Rows,
    target: &Rows,
    options: &BuildOptions,
    reversible: bool,
    compress: bool,
) -> Vec<u8> {
    let (base_tree, target_tree) = (tree(base, options), tree(target, options));
    let ranges = divergences(&[&base_tree, &target_tree]);
    let header = PatchHeader {
        hash: options.hash.id(),
        reversible,
        tables: vec![PatchTable::new(
            &base_tree.table("default").unwrap(),
            &target_tree.table("default").unwrap(),
        )],
    };
    let mut out = Vec::new();
    let wrap = |e: std::io::Error| -> mdiff::Error { panic!("{e}") };
    let mut writer = PatchWriter::new(&mut out, &wrap, &header, &options.hash, compress).unwrap();
    writer.table(0).unwrap();
    let (base, target) = (snapshot(base), snapshot(target));
    let name = Path::new("memory");
    diff(
        Side {
            table: base.tables()[0],
            name,
        },
        Side {
            table: target.tables()[0],
            name,
        },
        &ranges,
        &DiffOptions {
            hash: &Hash::XXH3,
            keep_going: false,
        },
        &mut writer,
    )
    .unwrap();
    writer.finish().unwrap();
    out
}

/// The bytes of the hex in the last code block of a format document.
pub fn documented_example(document: &str) -> Vec<u8> {
    let hex = document
        .rsplit("```hex\n")
        .next()
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

/// Bytes as lines of hex, as the format documents show them.
pub fn hex_lines(bytes: &[u8]) -> String {
    bytes
        .chunks(32)
        .map(|line| {
            line.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                + "\n"
        })
        .collect()
}

/// Rows from text pairs.
pub fn rows<const N: usize>(pairs: [(&str, &str); N]) -> Rows {
    pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}
