//! `mdiff reconcile` by the real binary: Cassandra's tables against the merge of all their SSTables, delimited text against a map of
//! the standard library, and wrong use.
//!
//! `MDIFF_SEED=N` runs one random round again; `MDIFF_ROUNDS=N` runs so many.

#[path = "reconcile/cassandra.rs"]
mod cassandra;
mod common;
#[path = "reconcile/random.rs"]
mod random;
#[path = "reconcile/text.rs"]
mod text;
#[path = "reconcile/wrong_use.rs"]
mod wrong_use;

use std::path::Path;

use common::Rows;
use mdiff::build::{BuildOptions, build_in_memory};
use mdiff::file::input::{FileOptions, Input};
use mdiff::patch::{PatchReader, PatchTable, Record};
use mdiff::progress::Progress;
use mdiff::source::memory::MemorySnapshot;

/// What a patch makes of rows, by a map; the patch says only what is needed. Gives the table of its header too.
fn applied(rows: &Rows, patch: &Path) -> (Rows, PatchTable) {
    let input = Input::open(patch, &FileOptions::default()).unwrap();
    let mut reader = PatchReader::new(&input).unwrap();
    let table = reader.header().tables[0].clone();
    let mut rows = rows.clone();
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Op(op) = record else { continue };
        let before = match op.value {
            Some(value) => {
                let before = rows.insert(op.key, value.clone());
                assert_ne!(before, Some(value), "a row that was there already");
                before
            }
            None => rows.remove(&op.key),
        };
        assert_eq!(before.is_some(), op.replaces.is_some());
    }
    (rows, table)
}

/// Checks that the patch's target is these rows, by their sums and by the root of a tree built anew.
fn check_target(table: &PatchTable, rows: &Rows) {
    let options = BuildOptions {
        leaf_bits: Some(table.target.leaf_bits),
        ..BuildOptions::default()
    };
    let snapshot = MemorySnapshot::new(rows.clone());
    let name = Path::new("expected");
    let tree = build_in_memory(&snapshot, name, &options, &Progress::default()).unwrap();
    let expected = tree.table("default").unwrap().header();
    assert_eq!(table.target.summary, expected.summary);
    assert_eq!(table.target.root, expected.root);
}
