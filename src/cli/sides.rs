//! The sides of a comparison: trees as they are, snapshots built on the way in the same manner.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::{HashName, SourceArgs, TreeArgs};
use super::choose::{RangeArgs, TableArgs};
use super::kind::Found;
use super::output::{self, Output, counted};
use crate::build::{
    BuildOptions, build_table, chosen_tables, empty_like, guess_leaf_bits, open_built,
};
use crate::error::{Error, Result};
use crate::fingerprint::Hash;
use crate::mtree::{TableTree, TableView, Tree};
use crate::progress::Progress;
use crate::range::Coverage;
use crate::row::Schema;
use crate::source::block_table::is_table;
use crate::source::cassandra::cells::Ties;
use crate::source::lsm::LooseTables;
use crate::source::renamed::Renamed;
use crate::source::union::Union;
use crate::source::{self, Origin, Snapshot, SourceOptions, Table};

/// One side as it was named.
pub enum Opened {
    /// A tree.
    Tree(Box<Tree>),
    /// A snapshot, not yet read.
    Snapshot(Box<dyn Snapshot>),
}

/// Where no key is asked for, delimited text takes the columns of the key from `schema`, that of the side that was opened first:
/// the sides may have their columns in any order.
pub fn take_key(options: &mut SourceOptions, schema: Option<&Schema>) {
    if let (true, Some(Schema::Columns { key, .. } | Schema::Document { key })) =
        (options.text.usual_key.is_empty(), schema)
    {
        options.text.usual_key.clone_from(key);
    }
}

/// Takes from the tables of a tree or a patch how rows of Cassandra are seen, where that is not asked for: the same rows seen
/// at another instant are others.
pub fn take_lens<'t>(
    options: &mut SourceOptions,
    tables: impl IntoIterator<Item = (&'t str, &'t Schema)>,
) {
    let options = &mut options.cassandra;
    for (name, schema) in tables {
        let Schema::Cql(schema) = schema else {
            continue;
        };
        options.view.get_or_insert(schema.view);
        options.ties.get_or_insert(schema.ties);
        if *options.now.get_or_insert(schema.now) == schema.now {
            options
                .gc_before_of
                .insert(name.to_owned(), schema.gc_before);
        }
    }
}

/// The tables of a tree with their schemas, for [`take_lens`].
pub fn schemas_of(tree: &Tree) -> impl Iterator<Item = (&str, &Schema)> {
    let tables = tree.header().tables.iter();
    tables.map(|table| (table.name.as_str(), &table.schema))
}

/// Opens all sides, each a tree or a snapshot: the content decides. Trees come first, so that snapshots are seen as the first
/// tree was; the columns of the key are those of the side that is named first.
///
/// # Errors
///
/// Those of opening; Usage for a patch.
pub fn open_all(
    paths: &[PathBuf],
    tables: &TableArgs,
    options: &mut SourceOptions,
    out: &Output,
) -> Result<Vec<Opened>> {
    enum Side {
        Tree(Box<Tree>),
        Snapshot(Origin),
    }
    let find = |path: &PathBuf| match Found::open(path, &options.file)? {
        Found::Tree(input) => Tree::from_input(input).map(|tree| Side::Tree(Box::new(tree))),
        Found::Snapshot(origin) => Ok(Side::Snapshot(origin)),
        Found::Patch(_) => Err(Error::usage(
            format!(
                "{} is a patch, where a snapshot or a tree is wanted",
                path.display()
            ),
            "look into a patch with: mdiff cat PATCH",
        )),
    };
    let sides = paths.iter().map(find).collect::<Result<Vec<_>>>()?;
    let first_tree = sides.iter().find_map(|side| match side {
        Side::Tree(tree) => Some(tree),
        Side::Snapshot(_) => None,
    });
    if let Some(tree) = first_tree {
        take_lens(options, schemas_of(tree));
    }
    let count = sides.len();
    let mut opened = Vec::new();
    for (index, side) in sides.into_iter().enumerate() {
        let side = match side {
            Side::Tree(tree) => Opened::Tree(tree),
            Side::Snapshot(origin) => {
                let snapshot = open_origin(origin, options, out)?;
                Opened::Snapshot(tables.rename(snapshot, index, count)?)
            }
        };
        take_key(options, side.schema().as_ref());
        opened.push(side);
    }
    name_the_nameless(opened, tables)
}

/// Calls the only table of a snapshot as the other sides do, where it has no name.
fn name_the_nameless(sides: Vec<Opened>, args: &TableArgs) -> Result<Vec<Opened>> {
    let names: Vec<Vec<String>> = sides.iter().map(Opened::table_names).collect();
    let all: Vec<Vec<&str>> = names
        .iter()
        .map(|names| names.iter().map(String::as_str).collect())
        .collect();
    let named = |(index, side): (usize, Opened)| {
        let Opened::Snapshot(snapshot) = side else {
            return Ok(side);
        };
        let own: &[&str] = &all[index];
        Ok(Opened::Snapshot(match args.name_for_nameless(own, &all) {
            Some(name) => Box::new(Renamed::new(snapshot, &[(own[0], &name)])?),
            None => snapshot,
        }))
    };
    sides.into_iter().enumerate().map(named).collect()
}

/// The same of snapshots alone.
///
/// # Errors
///
/// None that is expected.
pub fn name_nameless_snapshots(
    snapshots: Vec<Box<dyn Snapshot>>,
    args: &TableArgs,
) -> Result<Vec<Box<dyn Snapshot>>> {
    let sides = snapshots.into_iter().map(Opened::Snapshot).collect();
    let named = name_the_nameless(sides, args)?.into_iter();
    Ok(named
        .filter_map(|side| match side {
            Opened::Snapshot(snapshot) => Some(snapshot),
            Opened::Tree(_) => None,
        })
        .collect())
}

impl Opened {
    fn table_names(&self) -> Vec<String> {
        match self {
            Opened::Tree(tree) => {
                let tables = tree.header().tables.iter();
                tables.map(|table| table.name.clone()).collect()
            }
            Opened::Snapshot(snapshot) => {
                let tables = snapshot.tables();
                tables.iter().map(|table| table.name().to_owned()).collect()
            }
        }
    }

    /// The schema of its first table.
    pub fn schema(&self) -> Option<Schema> {
        match self {
            Opened::Tree(tree) => tree
                .header()
                .tables
                .first()
                .map(|table| table.schema.clone()),
            Opened::Snapshot(snapshot) => schema_of(snapshot.as_ref()),
        }
    }
}

/// The schema of a snapshot's first table.
pub fn schema_of(snapshot: &dyn Snapshot) -> Option<Schema> {
    snapshot
        .tables()
        .first()
        .map(|table| table.schema().clone())
}

/// Opens a snapshot.
///
/// # Errors
///
/// Those of opening; Usage for a tree or a patch.
pub fn open_snapshot(
    path: &Path,
    options: &SourceOptions,
    out: &Output,
) -> Result<Box<dyn Snapshot>> {
    open_origin(find_snapshot(path, options)?, options, out)
}

/// Opens the snapshot that was found, and tells what should be known of it.
///
/// # Errors
///
/// Those of opening.
pub fn open_origin(
    origin: Origin,
    options: &SourceOptions,
    out: &Output,
) -> Result<Box<dyn Snapshot>> {
    let snapshot = source::open_origin(origin, options)?;
    snapshot.notes().iter().for_each(|note| out.warn(note));
    Ok(snapshot)
}

/// Opens what a snapshot lies in, and does not look into it yet.
///
/// # Errors
///
/// Those of opening; Usage for a tree or a patch.
pub fn find_snapshot(path: &Path, options: &SourceOptions) -> Result<Origin> {
    let (what, hint) = match Found::open(path, &options.file)? {
        Found::Snapshot(origin) => return Ok(origin),
        Found::Tree(input) => {
            // What only has the name of a tree is called what it is.
            Tree::from_input(input)?;
            (
                "tree",
                "a tree holds no rows; compare trees with: mdiff compare A.mtree B.mtree",
            )
        }
        Found::Patch(_) => ("patch", "look into a patch with: mdiff cat PATCH"),
    };
    Err(Error::usage(
        format!("{} is a {what}, where a snapshot is wanted", path.display()),
        hint,
    ))
}

/// Opens the shards of one replica as one snapshot.
///
/// # Errors
///
/// Those of opening; Usage where their columns differ.
pub fn open_shards(
    paths: &[&Path],
    options: &SourceOptions,
    out: &Output,
) -> Result<Box<dyn Snapshot>> {
    if let [path] = paths {
        return open_snapshot(path, options, out);
    }
    let mut seen = HashSet::new();
    for path in paths {
        if std::fs::canonicalize(path).is_ok_and(|place| !seen.insert(place)) {
            return Err(Error::usage(
                format!("{} is named twice", path.display()),
                "name each shard once",
            ));
        }
    }
    let mut tables = Vec::new();
    let mut others = Vec::new();
    for path in paths {
        match find_snapshot(path, options)? {
            // Many tables are not all open at once.
            Origin::File(input) if is_table(&input)? => tables.push(path.to_path_buf()),
            other => others.push((path.to_path_buf(), other)),
        }
    }
    if others.is_empty() {
        return Ok(Box::new(LooseTables::open(&tables, options)?));
    }
    let mut shards = Vec::new();
    for path in tables {
        let snapshot = open_snapshot(&path, options, out)?;
        shards.push((path, snapshot));
    }
    for (path, origin) in others {
        shards.push((path, open_origin(origin, options, out)?));
    }
    Ok(Box::new(Union::new(shards)?))
}

/// How the snapshots among the sides are built: the arguments of all commands that build trees.
#[derive(Debug, Clone, Default, Args)]
pub struct Plan {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tree: TreeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tables: TableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub range: RangeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub source: SourceArgs,
    /// The trees are thrown away after use: leaves may be finer than in trees to keep, so that fewer rows are read twice.
    #[arg(skip)]
    pub fine: bool,
}

/// Tells of cells that servers of another version show otherwise.
fn tell_ties(table: &dyn Table, path: &Path, out: &Output) {
    let (Some(ties), Schema::Cql(schema)) = (table.ties(), table.schema()) else {
        return;
    };
    if ties.cells > 0 {
        let least = if ties.has_more { "at least " } else { "" };
        let other = match schema.ties {
            Ties::V4 => "3.11",
            Ties::V3_11 => "4.0",
        };
        out.note(format!(
            "{path}: {least}{} of table {} written twice at the same timestamp, of which Cassandra {other} takes other writes (--ties {other}); list them with: mdiff cat {path} --ties-only",
            counted(ties.cells, "cell"),
            output::name(table.name()),
            path = output::name(path.display()),
        ));
    }
}

/// How much finer leaves of trees are that are not kept: an eighth of the rows.
const FINER_BITS: u32 = 3;

impl Plan {
    /// The hash that is asked for, or else that of `like`, or xxh3.
    ///
    /// # Errors
    ///
    /// Usage, where a key file is missing; I/O errors of it.
    pub fn hash(&self, like: Option<&Tree>) -> Result<Hash> {
        if let Some(secret) = self.tree.key_file.read()? {
            self.tree.hash()?;
            return Hash::keyed(&secret);
        }
        match (self.tree.hash, like) {
            (Some(HashName::Blake3), _) => Ok(Hash::BLAKE3),
            (Some(HashName::Xxh3), _) | (None, None) => Ok(Hash::XXH3),
            (None, Some(tree)) => tree.header().hash.without_key().ok_or_else(|| {
                Error::usage(
                    format!(
                        "{} was made with a key file, which is needed here too",
                        tree.path().display()
                    ),
                    "give it with --key-file",
                )
            }),
        }
    }

    /// Builds the trees of a snapshot's chosen tables; what is not asked for is as in `like`.
    ///
    /// # Errors
    ///
    /// Those of reading; Usage.
    pub fn build(
        &self,
        snapshot: &dyn Snapshot,
        path: &Path,
        like: Option<&Tree>,
        out: &Output,
    ) -> Result<Vec<TableTree>> {
        let hash = self.hash(like)?;
        let tables = chosen_tables(snapshot, &self.tables.tables)?;
        let bytes = tables.iter().map(|table| table.estimate().bytes).sum();
        let progress = Arc::new(Progress::default());
        let ticker = out.progress(
            &format!("building {}", path.display()),
            bytes,
            Arc::clone(&progress),
        );
        let trees = tables
            .into_iter()
            .map(|table| {
                let like = like
                    .and_then(|like| like.table(table.name()))
                    .map(|view| view.header());
                let coverage = match like {
                    Some(header) if !self.range.is_given() => header.coverage.clone(),
                    _ => self.range.coverage(table.schema())?,
                };
                let mut splits = self.tree.split_keys(table.schema())?;
                splits.extend(self.range.boundaries(table.schema())?);
                splits.sort_unstable();
                splits.dedup();
                let options = BuildOptions {
                    leaf_bits: self
                        .tree
                        .leaf_bits()
                        .or(like.map(|header| header.leaf_bits))
                        .or_else(|| {
                            self.fine
                                .then(|| guess_leaf_bits(table).saturating_sub(FINER_BITS))
                        }),
                    hash: hash.clone(),
                    splits,
                    coverage,
                    tables: Vec::new(),
                    keep_going: self.tree.keep_going,
                    temp_dir: self.source.temp_dir.clone(),
                };
                let tree = build_table(table, &options, &progress)?;
                // All of its files have just been read. Of damage that is passed over a digest says nothing new.
                if options.coverage == Coverage::all() && !options.keep_going {
                    table.check_digests()?;
                }
                Ok(tree)
            })
            .collect::<Result<Vec<_>>>();
        ticker.finish();
        snapshot.check_unchanged()?;
        snapshot
            .tables()
            .iter()
            .for_each(|table| tell_ties(*table, path, out));
        trees
    }

    /// Builds as [`Plan::build`] does, and opens the result.
    ///
    /// # Errors
    ///
    /// As of [`Plan::build`].
    pub fn build_tree(
        &self,
        snapshot: &dyn Snapshot,
        path: &Path,
        like: Option<&Tree>,
        out: &Output,
    ) -> Result<Tree> {
        let tables = self.build(snapshot, path, like, out)?;
        open_built(
            tables,
            path,
            &self.hash(like)?.id(),
            self.source.temp_dir.clone(),
        )
    }

    /// The trees of all sides: those that are trees, and those built from snapshots as the first tree was.
    ///
    /// # Errors
    ///
    /// Those of reading; Usage.
    pub fn trees(&self, sides: Vec<Opened>, paths: &[PathBuf], out: &Output) -> Result<Vec<Tree>> {
        let mut trees: Vec<Option<Tree>> = Vec::new();
        let mut snapshots = Vec::new();
        for (index, side) in sides.into_iter().enumerate() {
            match side {
                Opened::Tree(tree) => trees.push(Some(*tree)),
                Opened::Snapshot(snapshot) => {
                    trees.push(None);
                    snapshots.push((index, snapshot));
                }
            }
        }
        for (index, snapshot) in snapshots {
            let like = trees.iter().flatten().next();
            let tree = self.build_tree(snapshot.as_ref(), &paths[index], like, out)?;
            trees[index] = Some(tree);
        }
        Ok(trees.into_iter().flatten().collect())
    }
}

/// One table in all trees; where a tree lacks it, an empty one stands for it.
pub struct SharedTable {
    /// Its name.
    pub name: String,
    /// For each tree, whether it has the table.
    pub present: Vec<bool>,
    empty: Option<Tree>,
}

impl SharedTable {
    /// The table in each of `trees`.
    pub fn views<'a>(&'a self, trees: &'a [Tree]) -> Vec<TableView<'a>> {
        trees
            .iter()
            .filter_map(|tree| {
                tree.table(&self.name)
                    .or_else(|| self.empty.as_ref()?.table(&self.name))
            })
            .collect()
    }
}

/// The tables of all trees, ascending by name; only those of `names`, where any is named.
///
/// # Errors
///
/// Usage, where a name is in no tree.
pub fn shared_tables(trees: &[Tree], names: &[String]) -> Result<Vec<SharedTable>> {
    let mut all: Vec<String> = trees
        .iter()
        .flat_map(|tree| tree.header().tables.iter().map(|table| table.name.clone()))
        .collect();
    all.sort();
    all.dedup();
    if let Some(missing) = names.iter().find(|name| !all.contains(name)) {
        return Err(Error::usage(
            format!("there is no table {missing:?}"),
            format!("tables are: {}", all.join(", ")),
        ));
    }
    all.retain(|name| names.is_empty() || names.contains(name));
    all.into_iter()
        .map(|name| {
            let present: Vec<bool> = trees
                .iter()
                .map(|tree| tree.table(&name).is_some())
                .collect();
            let model = trees.iter().find_map(|tree| tree.table(&name));
            let empty = match model {
                Some(model) if present.contains(&false) => Some(empty_like(&model)?),
                _ => None,
            };
            Ok(SharedTable {
                name,
                present,
                empty,
            })
        })
        .collect()
}
