//! Two snapshots with their trees: what diff and patch work on.

use std::path::{Path, PathBuf};

use super::output::Output;
use super::sides::{Plan, SharedTable, open_snapshot, schema_of, shared_tables, take_key};
use crate::compare::{self, Divergence, Outcome};
use crate::diff::{self, ChangeSink, DiffOptions, Side};
use crate::error::{Error, Result};
use crate::fingerprint::Hash;
use crate::mtree::Tree;
use crate::range::KeyRange;
use crate::row::Schema;
use crate::source::memory::MemoryTable;
use crate::source::{Snapshot, Table};

/// Divergent ranges that are collected before their rows are read, so that memory does not grow with their number.
const RANGES_AT_A_TIME: usize = 1024;

/// Two open snapshots and a tree of each.
pub struct Pair {
    paths: [PathBuf; 2],
    snapshots: [Box<dyn Snapshot>; 2],
    /// Left and right.
    pub trees: Vec<Tree>,
    /// The hash of both.
    pub hash: Hash,
    keep_going: bool,
}

/// Where the trees come from.
pub struct TreeChoice<'a> {
    /// Given by name: two or none.
    pub given: &'a [PathBuf],
    /// Do not look beside the snapshots.
    pub none_beside: bool,
}

impl Pair {
    /// Opens both snapshots; takes the trees that are given or lie beside them, and builds what is missing.
    ///
    /// # Errors
    ///
    /// Those of reading; Usage.
    pub fn open(
        left: &Path,
        right: &Path,
        choice: &TreeChoice<'_>,
        plan: &Plan,
        out: &Output,
    ) -> Result<Pair> {
        let paths = [left.to_owned(), right.to_owned()];
        let may_look_beside = !(choice.none_beside
            || plan.range.is_given()
            || plan.tree.leaf_rows.is_some()
            || plan.tree.keep_going);
        let files: Option<[PathBuf; 2]> = match choice.given {
            [left, right] => Some([left.clone(), right.clone()]),
            _ if may_look_beside => beside(left)
                .zip(beside(right))
                .map(|(left, right)| [left, right]),
            _ => None,
        };
        let mut options = plan.source.options();
        // The rows of every range are checked against the sums of trees, which were built from all rows.
        options.text.trust_order = !plan.range.is_given();
        // With trees at hand, only the divergent ranges are read.
        options.file.few_reads = files.is_some();
        let left_snapshot = open_snapshot(left, &options)?;
        take_key(&mut options, schema_of(left_snapshot.as_ref()).as_ref());
        let snapshots = [left_snapshot, open_snapshot(right, &options)?];
        let found = match &files {
            Some(files) => Some(open_trees(files, choice, &snapshots, plan, out)?)
                .filter(|trees| !trees.is_empty()),
            None => None,
        };
        let trees = match found {
            Some(trees) => trees,
            None => {
                let left = plan.build_tree(snapshots[0].as_ref(), left, None, out)?;
                let right = plan.build_tree(snapshots[1].as_ref(), right, Some(&left), out)?;
                vec![left, right]
            }
        };
        let hash = plan.hash(trees.first())?;
        Ok(Pair {
            paths,
            snapshots,
            trees,
            hash,
            keep_going: plan.tree.keep_going,
        })
    }

    /// The tables of both sides.
    ///
    /// # Errors
    ///
    /// Usage, where a name is on neither side.
    pub fn tables(&self, names: &[String]) -> Result<Vec<SharedTable>> {
        let tables = shared_tables(&self.trees, names)?;
        for table in &tables {
            let views = table.views(&self.trees);
            if views
                .windows(2)
                .any(|pair| pair[0].header().coverage != pair[1].header().coverage)
            {
                return Err(Error::usage(
                    "the trees cover different keys",
                    "build both with the same --from and --to",
                ));
            }
        }
        Ok(tables)
    }

    /// Hands every change of a table to `sink`.
    ///
    /// # Errors
    ///
    /// Those of reading and of `sink`.
    pub fn diff(&self, table: &SharedTable, sink: &mut dyn ChangeSink) -> Result<Outcome> {
        let views = table.views(&self.trees);
        let schema = views
            .first()
            .map_or(Schema::Bytes, |view| view.header().schema.clone());
        let empty = MemoryTable::empty(&table.name, schema);
        let find = |index: usize| -> &dyn Table {
            let snapshot = &self.snapshots[index];
            snapshot
                .tables()
                .into_iter()
                .find(|t| t.name() == table.name)
                .unwrap_or(&empty)
        };
        let side = |index: usize| Side {
            table: find(index),
            name: &self.paths[index],
        };
        for view in &views {
            crate::row::check_same_schema(side(0).table.schema(), &view.header().schema)?;
        }
        let options = DiffOptions {
            hash: &self.hash,
            keep_going: self.keep_going,
        };
        let mut batch: Vec<Divergence> = Vec::new();
        let outcome = compare::compare(&views, &mut |divergence| {
            batch.push(divergence.clone());
            if batch.len() == RANGES_AT_A_TIME {
                diff::diff(side(0), side(1), &batch, &options, sink)?;
                batch.clear();
            }
            Ok(())
        })?;
        diff::diff(side(0), side(1), &batch, &options, sink)?;
        Ok(outcome)
    }

    /// Whether a tree says that some of its snapshot could not be read.
    pub fn has_unreadable(&self) -> bool {
        self.trees.iter().any(|tree| {
            tree.header()
                .tables
                .iter()
                .any(|table| table.summary.unreadable_leaves > 0)
        })
    }

    /// Returns Changed if any of the files changed meanwhile. Results count only after this.
    ///
    /// # Errors
    ///
    /// Changed.
    pub fn check_unchanged(&self) -> Result<()> {
        self.snapshots
            .iter()
            .try_for_each(|snapshot| snapshot.check_unchanged())?;
        self.trees.iter().try_for_each(Tree::check_unchanged)
    }
}

/// Opens the trees; none, where they lay beside the snapshots and are not trees of all of them, read as now.
fn open_trees(
    files: &[PathBuf; 2],
    choice: &TreeChoice<'_>,
    snapshots: &[Box<dyn Snapshot>; 2],
    plan: &Plan,
    out: &Output,
) -> Result<Vec<Tree>> {
    let options = plan.source.options().file;
    let trees = files
        .iter()
        .map(|file| Tree::open(file, &options))
        .collect::<Result<Vec<_>>>()?;
    if !choice.given.is_empty() {
        return Ok(trees);
    }
    let names = format!("{} and {}", files[0].display(), files[1].display());
    let fit = trees
        .iter()
        .zip(snapshots)
        .all(|(tree, snapshot)| is_whole(tree, snapshot.as_ref()))
        && plan
            .hash(trees.first())
            .is_ok_and(|hash| trees.iter().all(|tree| tree.header().hash == hash.id()));
    if !fit {
        out.note(format!(
            "not using the trees {names}: they were built with other options"
        ));
        return Ok(Vec::new());
    }
    out.note(format!(
        "using the trees {names}, which are newer than the snapshots (--no-trees builds them anew)"
    ));
    Ok(trees)
}

/// Whether a tree covers every key of every table of a snapshot, with the columns that are asked for now.
fn is_whole(tree: &Tree, snapshot: &dyn Snapshot) -> bool {
    let tables = snapshot.tables();
    tables.len() == tree.header().tables.len()
        && tables.iter().all(|table| {
            tree.table(table.name()).is_some_and(|view| {
                view.header().coverage == KeyRange::all() && view.header().schema == *table.schema()
            })
        })
}

/// The tree beside a snapshot, if it is there and newer than the snapshot.
fn beside(snapshot: &Path) -> Option<PathBuf> {
    let tree = super::build::beside(snapshot);
    let modified = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    (modified(&tree)? > modified(snapshot)?).then_some(tree)
}
