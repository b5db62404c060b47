//! Snapshot to tree: chooses the leaf size, scans, folds, and gives the tree of each table.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::spill::{SpillBuffer, Spilled};
use crate::fingerprint::{Hash, HashId, Summary};
use crate::mtree::write::{TableTree, TableWriter};
use crate::mtree::{TableView, Tree, write};
use crate::progress::Progress;
use crate::range::{Coverage, rank};
use crate::source::{Snapshot, Table};
use crate::tree::leaves::{self, CutRange, LeafOptions};
use crate::tree::{Leaf, leaf_bits_for};

/// How trees are built.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Keys of at least this rank start a leaf; `None` chooses by the content.
    pub leaf_bits: Option<u32>,
    /// How rows are fingerprinted.
    pub hash: Hash,
    /// Extra boundaries, ascending.
    pub splits: Vec<Vec<u8>>,
    /// The keys to cover.
    pub coverage: Coverage,
    /// Only the tables of these names; empty is all.
    pub tables: Vec<String>,
    /// Go on behind what can't be read, and record it in the tree.
    pub keep_going: bool,
    /// Where buffers that outgrow memory go; `None` is the system's folder for temporary files.
    pub temp_dir: Option<PathBuf>,
}

impl Default for BuildOptions {
    fn default() -> BuildOptions {
        BuildOptions {
            leaf_bits: None,
            hash: Hash::XXH3,
            splits: Vec::new(),
            coverage: Coverage::all(),
            tables: Vec::new(),
            keep_going: false,
            temp_dir: None,
        }
    }
}

impl BuildOptions {
    fn with_splits(&self, more: Vec<Vec<u8>>) -> BuildOptions {
        let mut options = self.clone();
        options.splits.extend(more);
        options.splits.sort_unstable();
        options.splits.dedup();
        options
    }
}

/// Builds the trees of all (chosen) tables of a snapshot.
///
/// # Errors
///
/// Usage, where a chosen table does not exist or the coverage is empty; the snapshot's errors; Changed, if it changed meanwhile.
pub fn build(
    snapshot: &dyn Snapshot,
    options: &BuildOptions,
    progress: &Progress,
) -> Result<Vec<TableTree>> {
    let trees = chosen_tables(snapshot, &options.tables)?
        .into_iter()
        .map(|table| build_table(table, options, progress))
        .collect::<Result<Vec<_>>>()?;
    snapshot.check_unchanged()?;
    Ok(trees)
}

/// Builds as [`build`] does, and opens the result without leaving a file; `name` stands for it in messages.
///
/// # Errors
///
/// Those of [`build`], and I/O errors of temporary files.
pub fn build_in_memory(
    snapshot: &dyn Snapshot,
    name: &Path,
    options: &BuildOptions,
    progress: &Progress,
) -> Result<Tree> {
    let tables = build(snapshot, options, progress)?;
    open_built(tables, name, &options.hash.id(), options.temp_dir.clone())
}

/// Returns the tables of these names (all, where none is named), ascending by name.
///
/// # Errors
///
/// Usage, naming the tables there are.
pub fn chosen_tables<'a>(
    snapshot: &'a dyn Snapshot,
    names: &[String],
) -> Result<Vec<&'a dyn Table>> {
    let tables = snapshot.tables();
    if let Some(missing) = names
        .iter()
        .find(|name| !tables.iter().any(|table| table.name() == *name))
    {
        let known: Vec<&str> = tables.iter().map(|table| table.name()).collect();
        return Err(Error::usage(
            format!("no table {missing:?}"),
            format!("its tables are: {}", known.join(", ")),
        ));
    }
    Ok(tables
        .into_iter()
        .filter(|table| names.is_empty() || names.iter().any(|name| name == table.name()))
        .collect())
}

/// Opens built trees without leaving a file; `name` stands for it in messages.
///
/// # Errors
///
/// I/O errors of temporary files.
pub fn open_built(
    tables: Vec<TableTree>,
    name: &Path,
    hash: &HashId,
    temp_dir: Option<PathBuf>,
) -> Result<Tree> {
    let mut image = SpillBuffer::new(temp_dir);
    write::write(tables, hash, &mut image, &|e| Error::io("writing", name, e))?;
    match image.finish(name)? {
        Spilled::Memory(bytes) => Tree::from_bytes(name, bytes),
        Spilled::File(input) => Tree::from_input(input),
    }
}

/// Builds the tree of one table. A table that can arrange for a better scan (sort what was not sorted) is scanned again.
///
/// # Errors
///
/// As of [`build`].
pub fn build_table(
    table: &dyn Table,
    options: &BuildOptions,
    progress: &Progress,
) -> Result<TableTree> {
    if options.coverage.is_empty() {
        return Err(Error::usage(
            "--from is not below --to: no key lies between them",
            "give a --to behind --from",
        ));
    }
    let with_boundaries;
    let mut options = options;
    let boundaries = options.coverage.boundaries();
    if !boundaries.is_empty() {
        with_boundaries = options.with_splits(boundaries);
        options = &with_boundaries;
    }
    loop {
        match build_table_once(table, options, progress) {
            Err(error) if table.recover(&error)? => {}
            result => return result,
        }
    }
}

fn build_table_once(
    table: &dyn Table,
    options: &BuildOptions,
    progress: &Progress,
) -> Result<TableTree> {
    let ranges = leaves::cut(table, &options.coverage)?;
    let scan = |leaf_bits| scan(table, &ranges, leaf_bits, options, progress);
    if let Some(leaf_bits) = options.leaf_bits {
        return scan(leaf_bits).map(|(tree, _)| tree);
    }
    // The right leaf size is known once every row was seen, since it must not depend on the files. So the scan uses a
    // guess that is rather too fine, and the tree is folded to the right size. A table that is sorted to be cut guesses well by now.
    let (tree, total) = scan(guess_leaf_bits(table))?;
    let wanted = leaf_bits_for(total.rows, total.bytes);
    let built = tree.header().leaf_bits;
    if wanted == built {
        return Ok(tree);
    }
    if wanted < built {
        return scan(wanted).map(|(tree, _)| tree);
    }
    fold(tree, wanted, options)
}

/// Returns the leaf size that a table's own estimate calls for; rather too fine than too coarse, as estimates are off by
/// an eighth at times.
pub fn guess_leaf_bits(table: &dyn Table) -> u32 {
    let estimate = table.estimate();
    let (rows, bytes) = (estimate.rows, estimate.bytes);
    leaf_bits_for(rows - rows / 8, bytes).min(leaf_bits_for(rows - rows / 8, bytes - bytes / 4))
}

fn scan(
    table: &dyn Table,
    ranges: &[CutRange],
    leaf_bits: u32,
    options: &BuildOptions,
    progress: &Progress,
) -> Result<(TableTree, Summary)> {
    let mut writer = TableWriter::new(
        leaf_bits,
        &options.coverage,
        SpillBuffer::new(options.temp_dir.clone()),
    );
    let leaf_options = LeafOptions {
        leaf_bits,
        hash: &options.hash,
        splits: &options.splits,
        coverage: &options.coverage,
        keep_going: options.keep_going,
    };
    let unreadable = leaves::scan(table, ranges, &leaf_options, progress, &mut |leaf| {
        writer.push_leaf(&leaf.start, &leaf.summary)
    })?;
    let tree = writer.finish(table.name(), table.schema(), &options.splits, unreadable)?;
    let summary = tree.header().summary;
    Ok((tree, summary))
}

/// Makes a tree coarser, as if it had been built so.
fn fold(tree: TableTree, leaf_bits: u32, options: &BuildOptions) -> Result<TableTree> {
    let fine = open_built(
        vec![tree],
        Path::new("tree"),
        &options.hash.id(),
        options.temp_dir.clone(),
    )?;
    let Some(table) = fine.tables().next() else {
        return Err(Error::usage("a tree without a table", ""));
    };
    let header = table.header();
    let mut writer = TableWriter::new(
        leaf_bits,
        &options.coverage,
        SpillBuffer::new(options.temp_dir.clone()),
    );
    let mut open: Option<Leaf> = None;
    table.for_each_leaf(&mut |entry| {
        let starts =
            rank(&entry.start) >= leaf_bits || options.splits.binary_search(&entry.start).is_ok();
        match &mut open {
            Some(leaf) if !starts => {
                let unreadable = leaf.summary.unreadable_leaves | entry.summary.unreadable_leaves;
                leaf.summary += entry.summary;
                leaf.summary.unreadable_leaves = unreadable;
            }
            _ => {
                let next = Leaf {
                    start: entry.start,
                    summary: entry.summary,
                };
                if let Some(leaf) = open.replace(next) {
                    writer.push_leaf(&leaf.start, &leaf.summary)?;
                }
            }
        }
        Ok(())
    })?;
    if let Some(leaf) = open {
        writer.push_leaf(&leaf.start, &leaf.summary)?;
    }
    writer.finish(
        &header.name,
        &header.schema,
        &options.splits,
        table.unreadable()?,
    )
}

/// Returns the tree that a table like `table`, but without rows, has: stands for a table that one side lacks.
///
/// # Errors
///
/// None that is expected: nothing is read.
pub fn empty_like(table: &TableView<'_>) -> Result<Tree> {
    let header = table.header();
    let mut writer = TableWriter::new(header.leaf_bits, &header.coverage, SpillBuffer::new(None));
    writer.push_leaf(header.coverage.from(), &Summary::default())?;
    let tree = writer.finish(&header.name, &header.schema, &[], Vec::new())?;
    open_built(
        vec![tree],
        Path::new("an empty table"),
        &table.tree().header().hash,
        None,
    )
}
