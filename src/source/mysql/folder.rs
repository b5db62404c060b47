//! Dumps that are folders: those of `mysqldump --tab`, and those of MyDumper.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dump::{Found, Known, Part, Rows, read};
use super::session::Session;
use super::snapshot::DumpSnapshot;
use super::statements::TableName;
use super::tab::{LoadedRows, Separators};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::source::{Detected, SourceOptions};

/// Endings of compressions that are undone when a file is opened.
const PACKINGS: [&str; 5] = [".gz", ".zst", ".lz4", ".bz2", ".xz"];

/// The files of a folder by the name without a compression's ending.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let failed = |e| Error::io("reading", folder, e);
    let mut files = BTreeMap::new();
    for item in fs::read_dir(folder).map_err(failed)? {
        let path = item.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let bare = PACKINGS
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .unwrap_or(name)
            .to_owned();
        if let Some(other) = files.insert(bare, path.clone()) {
            return Err(Error::unsupported(
                &path,
                format!("{} is there too", other.display()),
                "leave one of the two in the folder",
            ));
        }
    }
    Ok(files)
}

/// Files of MyDumper that hold no rows and no tables.
fn is_beside(stem: &str) -> bool {
    [
        "-schema-create",
        "-schema-triggers",
        "-schema-post",
        "-schema-view",
        "-schema-sequence",
    ]
    .iter()
    .any(|ending| stem.ends_with(ending))
}

fn is_of_mydumper(files: &BTreeMap<String, PathBuf>) -> bool {
    let is_told = ["metadata", "metadata.partial"]
        .iter()
        .any(|name| files.contains_key(*name));
    is_told && files.keys().any(|name| name.ends_with(".sql"))
}

/// Known by its files: `t.sql` beside `t.txt`, or `metadata` beside `db.t-schema.sql`.
pub(super) fn detect(folder: &Path) -> Result<Detected> {
    let files = files(folder).unwrap_or_default();
    let is_tab = files.keys().any(|name| {
        let stem = name.strip_suffix(".sql");
        stem.is_some_and(|stem| files.contains_key(&format!("{stem}.txt")))
    });
    Ok(match is_tab || is_of_mydumper(&files) {
        true => Detected::Yes,
        false => Detected::No,
    })
}

/// Opens the folder.
///
/// # Errors
///
/// Damaged; Unsupported; Usage; I/O errors.
pub(super) fn open(folder: &Path, options: &SourceOptions) -> Result<DumpSnapshot> {
    let files = files(folder)?;
    match is_of_mydumper(&files) {
        true => open_mydumper(folder, &files, options),
        false => open_tab(folder, &files, options),
    }
}

fn open_tab(
    folder: &Path,
    files: &BTreeMap<String, PathBuf>,
    options: &SourceOptions,
) -> Result<DumpSnapshot> {
    let (mut inputs, mut found) = (Vec::new(), Vec::new());
    let mut session = Session::default();
    for (name, path) in files {
        if let Some(stem) = name.strip_suffix(".txt")
            && !files.contains_key(&format!("{stem}.sql"))
        {
            return Err(Error::unsupported(
                path,
                format!("{stem}.sql, which tells what its columns are, is not beside it"),
                "dump with --tab and without --no-create-info",
            ));
        }
        let Some(stem) = name.strip_suffix(".sql") else {
            continue;
        };
        let schema = Input::open(path, &options.file)?;
        let contents = read(&schema, Session::default(), &Known::default())?;
        session = contents.session;
        let data = match files.get(&format!("{stem}.txt")) {
            Some(path) => Some(Arc::new(Input::open(path, &options.file)?)),
            None => None,
        };
        let count = contents.tables.len();
        for (name, table) in contents.tables {
            if table.extent.is_some() || count > 1 {
                return Err(Error::unsupported(
                    path,
                    "it holds more than the one table of a --tab dump",
                    "name the file itself, if it is a dump",
                ));
            }
            if data.is_none() {
                return Err(Error::unsupported(
                    path,
                    format!("{stem}.txt, which holds the rows, is not beside it"),
                    "restore the file from another copy",
                ));
            }
            found.push((name, table.definition, data.clone()));
        }
        inputs.extend(data);
        inputs.push(Arc::new(schema));
    }
    inputs.sort_by(|a, b| a.path().cmp(b.path()));
    let separators = Separators::of_options(options);
    refuse_twins(folder, found.iter().map(|(name, ..)| name))?;
    let format = super::FOLDER_FORMAT.name;
    DumpSnapshot::new(
        format,
        inputs,
        session,
        found,
        options,
        |_, layout, input| LoadedRows {
            input,
            layout,
            separators,
        },
    )
}

fn refuse_twins<'n>(folder: &Path, names: impl Iterator<Item = &'n TableName>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Error::unsupported(
                folder,
                format!("two files create the table {:?}", name.table),
                "keep each dump in a folder of its own",
            ));
        }
    }
    Ok(())
}

fn open_mydumper(
    folder: &Path,
    files: &BTreeMap<String, PathBuf>,
    options: &SourceOptions,
) -> Result<DumpSnapshot> {
    if files.contains_key("metadata.partial") {
        return Err(Error::damaged(
            folder.join("metadata.partial"),
            0,
            "the dump was not finished",
        ));
    }
    if let Some((_, path)) = files.iter().find(|(name, _)| name.ends_with(".dat")) {
        return Err(Error::unsupported(
            path,
            "rows for LOAD DATA of MyDumper are not read",
            "dump with mydumper and without --load-data and --csv",
        ));
    }
    let of_database = |name: &str| {
        let mut session = Session::default();
        session.database = name
            .split_once('.')
            .map(|(database, _)| database.to_owned());
        session
    };
    let (mut inputs, mut known) = (Vec::new(), Known::default());
    let scripts: Vec<(&str, &PathBuf)> = files
        .iter()
        .filter_map(|(name, path)| name.strip_suffix(".sql").map(|stem| (stem, path)))
        .filter(|(stem, _)| !is_beside(stem))
        .collect();
    for (stem, path) in &scripts {
        let Some(table) = stem.strip_suffix("-schema") else {
            continue;
        };
        if files.contains_key(&format!("{table}-schema-view.sql")) {
            continue;
        }
        let input = Input::open(path, &options.file)?;
        known
            .0
            .extend(read(&input, of_database(stem), &Known::default())?.tables);
        inputs.push(Arc::new(input));
    }
    let mut parts: BTreeMap<TableName, Vec<Part>> = BTreeMap::new();
    let mut session = Session::default();
    for (stem, path) in scripts
        .iter()
        .filter(|(stem, _)| !stem.ends_with("-schema"))
    {
        let input = Arc::new(Input::open(path, &options.file)?);
        let contents = read(&input, of_database(stem), &known)?;
        session = contents.session;
        for (name, table) in contents.tables {
            let Found { definition, extent } = table;
            known.0.entry(name.clone()).or_insert(Found {
                definition,
                extent: None,
            });
            let part = extent.map(|extent| Part {
                input: input.clone(),
                extent,
            });
            parts.entry(name).or_default().extend(part);
        }
        inputs.push(input);
    }
    session.writer = Some("MyDumper".to_owned());
    let found = known
        .0
        .into_iter()
        .map(|(name, found)| {
            let parts = parts.remove(&name).unwrap_or_default();
            (name, found.definition, parts)
        })
        .collect();
    let format = super::FOLDER_FORMAT.name;
    DumpSnapshot::new(
        format,
        inputs,
        session,
        found,
        options,
        |name, layout, parts| Rows {
            name,
            layout,
            parts,
        },
    )
}
