//! Laws of the core on random pairs of row sets, against a sorted map that shares no code with it: which rows differ, which
//! ranges hold them, what a patch does.

use std::collections::BTreeMap;
use std::path::Path;

use mdiff::Result;
use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::compare::{Divergence, compare};
use mdiff::diff::{Change, ChangeSink, DiffOptions, Side, diff};
use mdiff::fingerprint::Hash;
use mdiff::mtree::Tree;
use mdiff::progress::Progress;
use mdiff::source::Snapshot;
use mdiff::source::memory::MemorySnapshot;
use mdiff::tree::leaves::Unreadable;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A small generator with a seed, so that a failure can be replayed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn rows(&mut self) -> Rows {
        let count = [0, 1, 2, 16, 17, 300, 3000][self.below(7) as usize];
        let keys = 1 + self.below(2 * count + 1);
        (0..count)
            .map(|_| (self.key(keys), vec![b'v'; self.below(20) as usize]))
            .collect()
    }

    fn key(&mut self, keys: u64) -> Vec<u8> {
        let number = self.below(keys);
        if number == 0 {
            Vec::new()
        } else {
            format!("key{number:05}").into_bytes()
        }
    }

    fn change(&mut self, rows: &Rows) -> Rows {
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

    fn options(&mut self) -> BuildOptions {
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

#[derive(Default)]
struct Seen(Vec<(Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>)>);

impl ChangeSink for Seen {
    fn change(&mut self, change: Change<'_>) -> Result<()> {
        self.0.push((
            change.key.to_vec(),
            change.left.map(<[u8]>::to_vec),
            change.right.map(<[u8]>::to_vec),
        ));
        Ok(())
    }

    fn unreadable(&mut self, _: usize, _: &Unreadable) -> Result<()> {
        panic!("all is readable");
    }
}

fn snapshot(rows: &Rows) -> MemorySnapshot {
    MemorySnapshot::new(rows.clone())
}

fn tree(rows: &Rows, options: &BuildOptions) -> Tree {
    build_in_memory(
        &snapshot(rows),
        Path::new("memory"),
        options,
        &Progress::default(),
    )
    .unwrap()
}

fn divergences(trees: &[&Tree]) -> Vec<Divergence> {
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

fn expected(left: &Rows, right: &Rows) -> Vec<(Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>)> {
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    keys.into_iter()
        .filter(|key| left.get(*key) != right.get(*key))
        .map(|key| (key.clone(), left.get(key).cloned(), right.get(key).cloned()))
        .collect()
}

#[test]
fn random_pairs_differ_where_the_model_says() {
    let rounds = if cfg!(debug_assertions) {
        1_000
    } else {
        10_000
    };
    for seed in 0..rounds {
        let mut random = Random(seed);
        let left = random.rows();
        let right = random.change(&left);
        let left_options = random.options();
        let right_options = if random.below(2) == 0 {
            left_options.clone()
        } else {
            random.options()
        };
        let (left_tree, right_tree) = (tree(&left, &left_options), tree(&right, &right_options));
        left_tree.check_all().unwrap();
        let ranges = divergences(&[&left_tree, &right_tree]);
        let truth = expected(&left, &right);
        assert_eq!(ranges.is_empty(), truth.is_empty(), "seed {seed}");
        assert!(
            ranges.len() <= truth.len(),
            "seed {seed}: more ranges than changes"
        );
        let mut seen = Seen::default();
        let (left_snapshot, right_snapshot) = (snapshot(&left), snapshot(&right));
        let name = Path::new("memory");
        diff(
            Side {
                table: left_snapshot.tables()[0],
                name,
            },
            Side {
                table: right_snapshot.tables()[0],
                name,
            },
            &ranges,
            &DiffOptions {
                hash: &Hash::XXH3,
                keep_going: false,
            },
            &mut seen,
        )
        .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(seen.0, truth, "seed {seed}");
    }
    println!("{rounds} random pairs");
}

#[test]
fn compare_reads_the_same_both_ways_round_and_names_the_odd_one() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let rows = random.rows();
        let changed = random.change(&rows);
        let (a, b, c) = (random.options(), random.options(), random.options());
        let trees = [tree(&rows, &a), tree(&changed, &b), tree(&rows, &c)];
        let there: Vec<_> = divergences(&[&trees[0], &trees[1]])
            .into_iter()
            .map(|d| d.range)
            .collect();
        let back: Vec<_> = divergences(&[&trees[1], &trees[0]])
            .into_iter()
            .map(|d| d.range)
            .collect();
        assert_eq!(there, back, "seed {seed}");
        for divergence in divergences(&[&trees[0], &trees[1], &trees[2]]) {
            assert_eq!(divergence.groups(), [0, 1, 0], "seed {seed}");
        }
    }
}

#[test]
fn a_tree_is_the_same_for_any_number_of_threads() {
    for seed in 0..100 {
        let mut random = Random(seed);
        let rows = random.rows();
        let options = random.options();
        let roots: Vec<_> = [1, 2, 3, 8]
            .iter()
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(*threads)
                    .build()
                    .unwrap();
                pool.install(|| tree(&rows, &options).header().clone())
            })
            .collect();
        assert!(
            roots.windows(2).all(|pair| pair[0] == pair[1]),
            "seed {seed}"
        );
    }
}
