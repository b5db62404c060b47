//! Snapshots with their trees: what diff, patch and reconcile work on.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::choose::TableArgs;
use super::instants::{have_one_instant, warnings};
use super::lag;
use super::output::Output;
use super::report::side_name;
use super::sides::{
    Plan, SharedTable, name_nameless_snapshots, open_snapshot, schema_of, schemas_of,
    shared_tables, take_key, take_lens,
};
use crate::compare::{self, Divergence, Outcome};
use crate::diff::{self, ChangeSink, DiffOptions, Side};
use crate::error::{Error, Result};
use crate::fingerprint::Hash;
use crate::mtree::Tree;
use crate::range::Coverage;
use crate::row::Schema;
use crate::source::memory::MemoryTable;
use crate::source::{Snapshot, SourceOptions, Table};

/// Divergent ranges that are collected before their rows are read, so that memory does not grow with their number.
const RANGES_AT_A_TIME: usize = 1024;

/// Open snapshots, two or more, and a tree of each.
pub struct Replicas {
    paths: Vec<PathBuf>,
    snapshots: Vec<Box<dyn Snapshot>>,
    /// In the order of the snapshots; of two, left and right.
    pub trees: Vec<Tree>,
    /// The hash of all.
    pub hash: Hash,
    keep_going: bool,
}

/// Refuses snapshots by what is known of them before they are read.
pub type SnapshotsCheck<'a> = dyn Fn(&[Box<dyn Snapshot>]) -> Result<()> + 'a;

/// Where the trees come from.
pub struct TreeChoice<'a> {
    /// Given by name: one for each snapshot, or none.
    pub given: &'a [PathBuf],
    /// Do not look beside the snapshots.
    pub none_beside: bool,
}

impl Replicas {
    /// Opens all snapshots, has them checked before any is read, takes the trees that are given or lie beside them, and builds
    /// what is missing.
    ///
    /// # Errors
    ///
    /// Those of reading and of `check`; Usage.
    pub fn open(
        paths: &[&Path],
        choice: &TreeChoice<'_>,
        plan: &Plan,
        check: &SnapshotsCheck<'_>,
        out: &Output,
    ) -> Result<Replicas> {
        let may_look_beside = !(choice.none_beside
            || plan.range.is_given()
            || plan.tree.shape_option().is_some()
            || plan.tree.key_file.key_file.is_some()
            || plan.tree.keep_going);
        let files: Option<Vec<PathBuf>> = match choice.given {
            [] if may_look_beside => paths.iter().map(|path| beside(path)).collect(),
            [] => None,
            given => Some(given.to_vec()),
        };
        let mut options = plan.source.options();
        // The rows of every range are checked against the sums of trees, which were built from all rows.
        options.text.trust_order = !plan.range.is_given();
        // With trees at hand, only the divergent ranges are read.
        options.file.few_reads = files.is_some();
        let trees = match &files {
            Some(files) => Some(open_trees(files, plan)?),
            None => None,
        };
        let mut snapshots = open_all(paths, trees.as_deref(), &plan.tables, &options, out)?;
        check(&snapshots)?;
        let sides = paths.iter().zip(&snapshots);
        lag::warn(
            sides.map(|(path, snapshot)| (*path, snapshot.as_ref())),
            out,
        );
        let has_lens = trees
            .iter()
            .flatten()
            .any(|tree| schemas_of(tree).any(|(_, schema)| matches!(schema, Schema::Cql(_))));
        let names: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let found = match (&files, trees, choice.given) {
            (Some(files), Some(trees), []) => found_beside(files, trees, &snapshots, out)?,
            (Some(files), Some(trees), _) => {
                Some(given(files, trees, &names, &snapshots, plan, out)?)
            }
            _ => None,
        };
        let trees = match found {
            Some(trees) => trees,
            None => {
                if has_lens {
                    // They are seen as the trees were, which are not used.
                    snapshots = open_all(paths, None, &plan.tables, &options, out)?;
                }
                build_trees(&names, &snapshots, plan, out)?
            }
        };
        Replicas::new(names, snapshots, trees, plan, out)
    }

    /// Replicas whose snapshots are open already.
    ///
    /// # Errors
    ///
    /// Those of reading; Usage.
    pub fn build(
        paths: Vec<PathBuf>,
        snapshots: Vec<Box<dyn Snapshot>>,
        plan: &Plan,
        out: &Output,
    ) -> Result<Replicas> {
        let trees = build_trees(&paths, &snapshots, plan, out)?;
        Replicas::new(paths, snapshots, trees, plan, out)
    }

    fn new(
        paths: Vec<PathBuf>,
        snapshots: Vec<Box<dyn Snapshot>>,
        trees: Vec<Tree>,
        plan: &Plan,
        out: &Output,
    ) -> Result<Replicas> {
        let sides: Vec<String> = (0..paths.len())
            .map(|index| side_name(index, paths.len()))
            .collect();
        for warning in warnings(&shared_tables(&trees, &[])?, &trees, &sides) {
            out.warn(warning.text);
        }
        let hash = plan.hash(trees.first())?;
        for tree in &trees {
            tree.header().hash.check_same(&hash.id())?;
        }
        Ok(Replicas {
            paths,
            snapshots,
            trees,
            hash,
            keep_going: plan.tree.keep_going,
        })
    }

    /// The tables of all sides.
    ///
    /// # Errors
    ///
    /// Usage, where a name is on no side.
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
                    "build all of them with the same --from and --to, or --token-range",
                ));
            }
        }
        Ok(tables)
    }

    /// A table of the first two snapshots, where they have it.
    pub fn both_sides(&self, table: &SharedTable) -> [Option<&dyn Table>; 2] {
        [0, 1].map(|index| self.find(index, &table.name))
    }

    fn find(&self, index: usize, name: &str) -> Option<&dyn Table> {
        let tables = self.snapshots.get(index)?.tables();
        tables.into_iter().find(|table| table.name() == name)
    }

    /// A table of all snapshots; where one lacks it, `empty` stands for it.
    pub fn sides<'s>(&'s self, table: &SharedTable, empty: &'s dyn Table) -> Vec<Side<'s>> {
        let of = |(index, name): (usize, &'s PathBuf)| Side {
            table: self.find(index, &table.name).unwrap_or(empty),
            name,
        };
        self.paths.iter().enumerate().map(of).collect()
    }

    /// A table without rows, to stand for `table` where a snapshot lacks it.
    pub fn empty_table(&self, table: &SharedTable) -> MemoryTable {
        let schema = table
            .views(&self.trees)
            .first()
            .map_or(Schema::Bytes, |view| view.header().schema.clone());
        MemoryTable::empty(&table.name, schema)
    }

    /// Hands every change of a table between the first two to `sink`.
    ///
    /// # Errors
    ///
    /// Those of reading and of `sink`.
    pub fn diff(&self, table: &SharedTable, sink: &mut dyn ChangeSink) -> Result<Outcome> {
        let views = table.views(&self.trees);
        let empty = self.empty_table(table);
        let sides = self.sides(table, &empty);
        let (Some(left), Some(right)) = (sides.first(), sides.get(1)) else {
            return Err(Error::usage("a diff has two sides", ""));
        };
        for view in &views {
            crate::row::check_same_schema(left.table.schema(), &view.header().schema)?;
        }
        let options = DiffOptions {
            hash: &self.hash,
            keep_going: self.keep_going,
        };
        let mut batch: Vec<Divergence> = Vec::new();
        let outcome = compare::compare(&views, &mut |divergence| {
            batch.push(divergence.clone());
            if batch.len() == RANGES_AT_A_TIME {
                diff::diff(*left, *right, &batch, &options, sink)?;
                batch.clear();
            }
            Ok(())
        })?;
        diff::diff(*left, *right, &batch, &options, sink)?;
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

/// The trees of all snapshots, as the first one's is.
fn build_trees(
    paths: &[PathBuf],
    snapshots: &[Box<dyn Snapshot>],
    plan: &Plan,
    out: &Output,
) -> Result<Vec<Tree>> {
    let mut trees: Vec<Tree> = Vec::new();
    for (snapshot, path) in snapshots.iter().zip(paths) {
        let tree = plan.build_tree(snapshot.as_ref(), path, trees.first(), out)?;
        trees.push(tree);
    }
    Ok(trees)
}

/// Opens all snapshots, each seen as its tree was.
fn open_all(
    paths: &[&Path],
    trees: Option<&[Tree]>,
    tables: &TableArgs,
    options: &SourceOptions,
    out: &Output,
) -> Result<Vec<Box<dyn Snapshot>>> {
    let mut options = options.clone();
    let mut snapshots = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let mut of_this = options.clone();
        if let Some(tree) = trees.and_then(|trees| trees.get(index)) {
            take_lens(&mut of_this, schemas_of(tree));
        }
        let snapshot = open_snapshot(path, &of_this, out)?;
        let snapshot = tables.rename(snapshot, index, paths.len())?;
        take_key(&mut options, schema_of(snapshot.as_ref()).as_ref());
        snapshots.push(snapshot);
    }
    name_nameless_snapshots(snapshots, tables)
}

fn open_trees(files: &[PathBuf], plan: &Plan) -> Result<Vec<Tree>> {
    let options = plan.source.options().file;
    files
        .iter()
        .map(|file| Tree::open(file, &options))
        .collect()
}

/// The trees that were named, where they can be used.
fn given(
    files: &[PathBuf],
    trees: Vec<Tree>,
    paths: &[PathBuf],
    snapshots: &[Box<dyn Snapshot>],
    plan: &Plan,
    out: &Output,
) -> Result<Vec<Tree>> {
    if let Some(option) = plan.range.option().or(plan.tree.shape_option()) {
        return Err(Error::usage(
            format!("{option} says how trees are built, but they are given by --trees"),
            "leave one of the two out",
        ));
    }
    for (((file, tree), path), snapshot) in files.iter().zip(&trees).zip(paths).zip(snapshots) {
        if modified(file) < modified(path) {
            out.warn(format!(
                "{} is older than {}: what changed since it was built may be missed",
                file.display(),
                path.display()
            ));
        }
        if !covers_all(tree, snapshot.as_ref()) {
            out.warn(format!(
                "{} covers only a part of {}; the rest is not looked at",
                file.display(),
                path.display()
            ));
        }
    }
    Ok(trees)
}

/// The trees that lie beside the snapshots, where they are such as would be built now.
fn found_beside(
    files: &[PathBuf],
    trees: Vec<Tree>,
    snapshots: &[Box<dyn Snapshot>],
    out: &Output,
) -> Result<Option<Vec<Tree>>> {
    let fits = |tree: &Tree, snapshot: &dyn Snapshot| {
        let tables = snapshot.tables();
        covers_all(tree, snapshot)
            && tables.len() == tree.header().tables.len()
            && tables.iter().all(|table| {
                let view = tree.table(table.name());
                view.is_some_and(|view| view.header().schema == *table.schema())
            })
    };
    let Some(first) = trees.first() else {
        return Ok(None);
    };
    let see_alike = trees.iter().all(|tree| {
        first.tables().all(|one| {
            let other = tree.table(&one.header().name);
            other.is_none_or(|other| have_one_instant(&one.header().schema, &other.header().schema))
        })
    });
    let hash = &first.header().hash;
    let has_one_hash =
        hash.without_key().is_some() && trees.iter().all(|tree| tree.header().hash == *hash);
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let names = names.join(" and ");
    if !has_one_hash
        || !see_alike
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
        view.is_some_and(|view| view.header().coverage == Coverage::all())
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
