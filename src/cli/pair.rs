//! Two snapshots with their trees: what diff and patch work on.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
            || plan.tree.shape_option().is_some()
            || plan.tree.key_file.key_file.is_some()
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
        let left_snapshot = open_snapshot(left, &options, out)?;
        take_key(&mut options, schema_of(left_snapshot.as_ref()).as_ref());
        let snapshots = [left_snapshot, open_snapshot(right, &options, out)?];
        let found = match (&files, choice.given) {
            (None, _) => None,
            (Some(files), []) => found_beside(files, &snapshots, plan, out)?,
            (Some(files), _) => Some(given(files, &paths, &snapshots, plan, out)?),
        };
        let trees = match found {
            Some(trees) => trees,
            None => {
                let left = plan.build_tree(snapshots[0].as_ref(), left, None, out)?;
                let right = plan.build_tree(snapshots[1].as_ref(), right, Some(&left), out)?;
                vec![left, right]
            }
        };
        Pair::new(paths, snapshots, trees, plan)
    }

    /// A pair of two snapshots that are open already.
    ///
    /// # Errors
    ///
    /// Those of reading; Usage.
    pub fn build(
        paths: [PathBuf; 2],
        snapshots: [Box<dyn Snapshot>; 2],
        plan: &Plan,
        out: &Output,
    ) -> Result<Pair> {
        let [left, right] = &snapshots;
        let left = plan.build_tree(left.as_ref(), &paths[0], None, out)?;
        let right = plan.build_tree(right.as_ref(), &paths[1], Some(&left), out)?;
        Pair::new(paths, snapshots, vec![left, right], plan)
    }

    fn new(
        paths: [PathBuf; 2],
        snapshots: [Box<dyn Snapshot>; 2],
        trees: Vec<Tree>,
        plan: &Plan,
    ) -> Result<Pair> {
        let hash = plan.hash(trees.first())?;
        for tree in &trees {
            tree.header().hash.check_same(&hash.id())?;
        }
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

    /// A table of both snapshots, where they have it.
    pub fn both_sides(&self, table: &SharedTable) -> [Option<&dyn Table>; 2] {
        self.snapshots.each_ref().map(|snapshot| {
            let mut tables = snapshot.tables().into_iter();
            tables.find(|t| t.name() == table.name)
        })
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

/// Opens the trees that were named.
fn given(
    files: &[PathBuf; 2],
    paths: &[PathBuf; 2],
    snapshots: &[Box<dyn Snapshot>; 2],
    plan: &Plan,
    out: &Output,
) -> Result<Vec<Tree>> {
    if let Some(option) = plan.range.option().or(plan.tree.shape_option()) {
        return Err(Error::usage(
            format!("{option} says how trees are built, but they are given by --trees"),
            "leave one of the two out",
        ));
    }
    let options = plan.source.options().file;
    let mut trees = Vec::new();
    for ((file, path), snapshot) in files.iter().zip(paths).zip(snapshots) {
        let tree = Tree::open(file, &options)?;
        if modified(file) < modified(path) {
            out.warn(format!(
                "{} is older than {}: what changed since it was built may be missed",
                file.display(),
                path.display()
            ));
        }
        if !covers_all(&tree, snapshot.as_ref()) {
            out.warn(format!(
                "{} covers only a part of {}; the rest is not looked at",
                file.display(),
                path.display()
            ));
        }
        trees.push(tree);
    }
    Ok(trees)
}

/// The trees that lie beside the snapshots, where they are such as would be built now.
fn found_beside(
    files: &[PathBuf; 2],
    snapshots: &[Box<dyn Snapshot>; 2],
    plan: &Plan,
    out: &Output,
) -> Result<Option<Vec<Tree>>> {
    let options = plan.source.options().file;
    let trees = vec![
        Tree::open(&files[0], &options)?,
        Tree::open(&files[1], &options)?,
    ];
    let fits = |tree: &Tree, snapshot: &dyn Snapshot| {
        let tables = snapshot.tables();
        covers_all(tree, snapshot)
            && tables.len() == tree.header().tables.len()
            && tables.iter().all(|table| {
                let view = tree.table(table.name());
                view.is_some_and(|view| view.header().schema == *table.schema())
            })
    };
    let has_one_hash = trees[0].header().hash == trees[1].header().hash
        && trees[0].header().hash.without_key().is_some();
    let names = format!("{} and {}", files[0].display(), files[1].display());
    if !has_one_hash
        || !trees
            .iter()
            .zip(snapshots)
            .all(|(tree, snapshot)| fits(tree, snapshot.as_ref()))
    {
        out.note(format!(
            "not using the trees {names}: they were built with other options"
        ));
        return Ok(None);
    }
    out.note(format!(
        "using the trees {names}, which are newer than the snapshots (--no-trees builds them anew)"
    ));
    Ok(Some(trees))
}

/// Whether a tree tells of every key of every table of a snapshot.
fn covers_all(tree: &Tree, snapshot: &dyn Snapshot) -> bool {
    let has_all = |table: &dyn Table| {
        let view = tree.table(table.name());
        view.is_some_and(|view| view.header().coverage == KeyRange::all())
    };
    snapshot.tables().into_iter().all(has_all)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

/// The tree beside a snapshot, if it is there and newer than the snapshot.
fn beside(snapshot: &Path) -> Option<PathBuf> {
    let tree = super::build::beside(snapshot);
    (modified(&tree)? > modified(snapshot)?).then_some(tree)
}
