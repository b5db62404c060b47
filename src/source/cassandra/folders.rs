//! Where the SSTables of a snapshot lie: in the folder that was named, or in table folders below it.
//!
//! ```text
//! node or backup/<keyspace>/<table>-<32 hex digits>/nb-1-big-Data.db
//!                                                  /snapshots/<tag>/nb-1-big-Data.db, manifest.json, schema.cql
//! ```
//!
//! Any level may be named: a folder of SSTables is one table, `default`; a keyspace's or a node's folder has a table for each
//! table folder, `keyspace.table`. A table folder that holds no SSTables itself but a single snapshot (a backup's tree, say)
//! stands for that snapshot; where a snapshot is named, each stands for that one. Folders of secondary indexes (`.name`) and `backups` are left out.

use std::fs;
use std::path::{Path, PathBuf};

use super::descriptor::Descriptor;
use crate::error::{Error, Result};

/// Name of the table where a snapshot is one folder of SSTables.
pub const ONLY_TABLE: &str = "default";

/// A table's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFolder {
    /// Name of the table.
    pub name: String,
    /// Where its SSTables lie.
    pub path: PathBuf,
}

/// Whether a folder holds SSTables of any version, or table folders.
pub fn is_snapshot(folder: &Path) -> bool {
    has_sstables(folder)
        || subfolders(folder).is_ok_and(|folders| {
            folders.iter().any(|path| {
                is_table_folder(path)
                    || subfolders(path).is_ok_and(|below| below.iter().any(|p| is_table_folder(p)))
            })
        })
        || is_table_folder(folder)
}

/// Finds the table folders of a snapshot, ascending by name; with `tag`, the folders of the snapshots of this name.
///
/// # Errors
///
/// I/O errors; Usage where it can't be told which snapshot of a table, or which folder of a table's name, is meant.
pub fn find(folder: &Path, tag: Option<&str>) -> Result<Vec<TableFolder>> {
    let only = |path| TableFolder {
        name: ONLY_TABLE.into(),
        path,
    };
    if tag.is_none() && has_sstables(folder) {
        return Ok(vec![only(folder.to_owned())]);
    }
    if let Some(path) = snapshot_within(folder, tag)? {
        return Ok(vec![only(path)]);
    }
    let mut found = Vec::new();
    push_keyspace(folder, tag, &mut found)?;
    for keyspace in subfolders(folder)? {
        if !is_table_folder(&keyspace) {
            push_keyspace(&keyspace, tag, &mut found)?;
        }
    }
    if let (Some(tag), true) = (tag, found.is_empty()) {
        return Err(Error::usage(
            format!("{} has no snapshot {tag:?} with SSTables", folder.display()),
            "name the tag that nodetool snapshot -t was given, and a table's, keyspace's or node's folder",
        ));
    }
    found.sort_by(|a: &TableFolder, b| a.name.cmp(&b.name));
    let twice = found.windows(2).find_map(|pair| match pair {
        [a, b] if a.name == b.name => Some((a, b)),
        _ => None,
    });
    if let Some((one, other)) = twice {
        return Err(Error::usage(
            format!(
                "{} is there twice: {} and {}",
                one.name,
                one.path.display(),
                other.path.display()
            ),
            "name the folder of one of them",
        ));
    }
    Ok(found)
}

/// Appends the table folders of a keyspace's folder.
fn push_keyspace(folder: &Path, tag: Option<&str>, found: &mut Vec<TableFolder>) -> Result<()> {
    let keyspace = name_of(&fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()));
    for path in subfolders(folder)? {
        let name = name_of(&path);
        let (is_dated, table) = match name.rsplit_once('-') {
            Some((table, id)) if is_id(id) => (true, table.to_owned()),
            _ => (false, name.clone()),
        };
        let holds = match tag.is_none() && has_sstables(&path) {
            true => Some(path.clone()),
            false if is_dated => snapshot_within(&path, tag)?,
            false => None,
        };
        if let Some(path) = holds {
            let name = format!("{keyspace}.{table}");
            found.push(TableFolder { name, path });
        }
    }
    Ok(())
}

/// The snapshot of this name, or else the only one, with SSTables in a table folder.
fn snapshot_within(folder: &Path, tag: Option<&str>) -> Result<Option<PathBuf>> {
    let tags = subfolders(&folder.join("snapshots")).unwrap_or_default();
    let is_meant = |path: &PathBuf| tag.is_none_or(|tag| name_of(path) == tag);
    let mut tags = tags
        .into_iter()
        .filter(|path| is_meant(path) && has_sstables(path));
    match (tags.next(), tags.next()) {
        (Some(_), Some(_)) => Err(Error::usage(
            format!("{} has several snapshots", folder.display()),
            "choose one with --tag TAG, or name its folder below snapshots/",
        )),
        (only, _) => Ok(only),
    }
}

fn has_sstables(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().ends_with("-Data.db")
                && !matches!(Descriptor::of_path(Path::new(&name)), Ok(None))
        })
    })
}

/// Whether a folder is named as a table's: `<table>-<32 hex digits>`.
fn is_table_folder(path: &Path) -> bool {
    name_of(path)
        .rsplit_once('-')
        .is_some_and(|(table, id)| !table.is_empty() && is_id(id))
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The folders in a folder, but hidden ones, ascending.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io("reading", folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_hidden = name.to_string_lossy().starts_with('.');
        if !is_hidden && name != "backups" && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "daaca340e5e311f1a0301fb0eccaabeb";

    fn touch(root: &Path, name: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn any_level_can_be_named() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        touch(root, &format!("fx/orders-{ID}/nb-1-big-Data.db"));
        touch(
            root,
            &format!("fx/orders-{ID}/snapshots/a/nb-1-big-Data.db"),
        );
        touch(root, &format!("fx/orders-{ID}/backups/nb-1-big-Data.db"));
        touch(root, &format!("fx/orders-{ID}/.index/nb-1-big-Data.db"));
        touch(root, &format!("gx/only-{ID}/snapshots/a/nb-1-big-Data.db"));
        touch(root, &format!("gx/empty-{ID}/manifest.json"));
        let names = |folder: &str| {
            let folder = root.join(folder);
            assert!(is_snapshot(&folder), "{folder:?}");
            let found = find(&folder, None).unwrap();
            found
                .into_iter()
                .map(|table| table.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["fx.orders", "gx.only"]);
        assert_eq!(names("fx"), ["fx.orders"]);
        assert_eq!(names(&format!("fx/orders-{ID}")), [ONLY_TABLE]);
        assert_eq!(names(&format!("fx/orders-{ID}/snapshots/a")), [ONLY_TABLE]);
        assert_eq!(names(&format!("gx/only-{ID}")), [ONLY_TABLE]);
        assert!(!is_snapshot(
            &root.join(format!("fx/orders-{ID}/snapshots"))
        ));
        touch(root, &format!("gx/only-{ID}/snapshots/b/nb-1-big-Data.db"));
        assert!(find(&root.join("gx"), None).is_err());
        let tagged = |folder: &str, tag| {
            let found = find(&root.join(folder), Some(tag));
            found.map(|found| {
                found
                    .into_iter()
                    .map(|table| table.path)
                    .collect::<Vec<_>>()
            })
        };
        let path = |name: &str| root.join(name);
        let orders = path(&format!("fx/orders-{ID}/snapshots/a"));
        let b = path(&format!("gx/only-{ID}/snapshots/b"));
        let a = path(&format!("gx/only-{ID}/snapshots/a"));
        assert_eq!(tagged("", "a").unwrap(), [orders.clone(), a]);
        assert_eq!(tagged("gx", "b").unwrap(), [b]);
        assert_eq!(tagged(&format!("fx/orders-{ID}"), "a").unwrap(), [orders]);
        assert!(tagged("fx", "b").is_err());
    }
}
