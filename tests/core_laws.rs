//! Laws of the core on random pairs of row sets, against a sorted map that shares no code with it: which rows differ, which
//! ranges hold them, what a patch does.

use std::path::Path;

use mdiff::Result;
use mdiff::diff::{Change, ChangeSink, DiffOptions, Side, diff};
use mdiff::fingerprint::Hash;
use mdiff::source::Snapshot;
use mdiff::tree::leaves::Unreadable;

mod common;
use common::*;

/// Key, left value, right value.
type Differing = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

#[derive(Default)]
struct Seen(Vec<Differing>);

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

fn expected(left: &Rows, right: &Rows) -> Vec<Differing> {
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
