//! The names of an SSTable's files: `<version>-<id>-<format>-<Component>`, such as `nb-12-big-Data.db` or
//! `da-3h5p_1kge_0saio25ha88df1xo81-bti-Data.db`.
//!
//! The id is a number or a time-UUID in base 36; both kinds may lie in one folder, so it is opaque text here. A version means
//! something only within its format: as plain text `da` (BTI) sorts before `ma` (BIG), though it came after `oa`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Which index files an SSTable has; the data are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// `big`: Index.db and Summary.db.
    Big,
    /// `bti`: Partitions.db and Rows.db, tries.
    Bti,
}

impl Layout {
    /// Its name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Big => "big",
            Layout::Bti => "bti",
        }
    }
}

/// A version of the format that can be read, ascending by what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Cassandra 3.0.0.
    Ma,
    /// 3.0.7.
    Mb,
    /// 3.0.8.
    Mc,
    /// 3.0.18, 3.11.4.
    Md,
    /// 3.0.25, 3.11.11, ScyllaDB.
    Me,
    /// Before 4.0.
    Na,
    /// 4.0, 4.1, and 5.0 as it is shipped.
    Nb,
    /// Before 5.0.
    Nc,
    /// 5.0, BIG.
    Oa,
    /// 5.0, BTI.
    Da,
}

const VERSIONS: [(Version, Layout, &str); 10] = [
    (Version::Ma, Layout::Big, "ma"),
    (Version::Mb, Layout::Big, "mb"),
    (Version::Mc, Layout::Big, "mc"),
    (Version::Md, Layout::Big, "md"),
    (Version::Me, Layout::Big, "me"),
    (Version::Na, Layout::Big, "na"),
    (Version::Nb, Layout::Big, "nb"),
    (Version::Nc, Layout::Big, "nc"),
    (Version::Oa, Layout::Big, "oa"),
    (Version::Da, Layout::Bti, "da"),
];

impl Version {
    /// Its name in file names.
    pub fn name(self) -> &'static str {
        VERSIONS
            .iter()
            .find(|known| known.0 == self)
            .map_or("", |known| known.2)
    }

    /// Which index files go with it.
    pub fn layout(self) -> Layout {
        match self {
            Version::Da => Layout::Bti,
            _ => Layout::Big,
        }
    }

    /// Whether Statistics.db has checksums, and CompressionInfo.db the length from which chunks are stored as they are.
    pub fn is_of_4(self) -> bool {
        self >= Version::Na
    }

    /// Whether local deletion times are unsigned, and the deletion of a partition has the newer form.
    pub fn is_of_5(self) -> bool {
        self >= Version::Oa
    }
}

/// One SSTable: what its files' names have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// Version of its format.
    pub version: Version,
    /// Its id, as text.
    pub id: String,
}

/// What a file name says.
enum Named<'a> {
    /// A component of an SSTable that can be read.
    Sstable(Version, &'a str, &'a str),
    /// A component of one that can't: which, in words.
    Foreign(String),
    /// Something else.
    No,
}

const HINT: &str = "mdiff reads versions ma to oa (big) and da (bti), of Cassandra 3.0 to 5.0 and ScyllaDB; run nodetool upgradesstables, then take a new snapshot";

impl Descriptor {
    /// Takes the path of any component apart; `None` where the name is not that of an SSTable's component.
    ///
    /// # Errors
    ///
    /// Unsupported for a version or a format that can't be read.
    pub fn of_path(path: &Path) -> Result<Option<Descriptor>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match parse(&name) {
            Named::Sstable(version, id, _) => Ok(Some(Descriptor {
                folder: path.parent().unwrap_or(Path::new("")).to_owned(),
                version,
                id: id.to_owned(),
            })),
            Named::Foreign(what) => Err(Error::unsupported(path, what, HINT)),
            Named::No => Ok(None),
        }
    }

    /// Finds the SSTables of a folder, not of those below it, ascending by name.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported where one is of a version or a format that can't be read; Damaged where one has lost its Data.db.
    pub fn find(folder: &Path) -> Result<Vec<Descriptor>> {
        let failed = |e| Error::io("reading", folder, e);
        let mut found: BTreeMap<(String, &'static str), (Descriptor, bool)> = BTreeMap::new();
        let mut foreign: Option<(PathBuf, String)> = None;
        for item in fs::read_dir(folder).map_err(failed)? {
            let path = item.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match parse(&name) {
                Named::Sstable(version, id, component) => {
                    let entry = found
                        .entry((id.to_owned(), version.name()))
                        .or_insert_with(|| {
                            let descriptor = Descriptor {
                                folder: folder.to_owned(),
                                version,
                                id: id.to_owned(),
                            };
                            (descriptor, false)
                        });
                    entry.1 |= component == "Data.db";
                }
                Named::Foreign(what) => {
                    let first = foreign.get_or_insert_with(|| (path.clone(), what.clone()));
                    if path < first.0 {
                        *first = (path.clone(), what);
                    }
                }
                Named::No => {}
            }
        }
        if let Some((path, what)) = foreign {
            return Err(Error::unsupported(path, what, HINT));
        }
        let mut sstables = Vec::with_capacity(found.len());
        for (descriptor, has_data) in found.into_values() {
            if !has_data {
                return Err(Error::damaged(
                    descriptor.component("Data.db"),
                    0,
                    "other files of this SSTable are there and this one is not: nothing to read",
                ));
            }
            sstables.push(descriptor);
        }
        Ok(sstables)
    }

    /// What the names of its files have in common, such as `nb-12-big`.
    pub fn name(&self) -> String {
        let version = self.version.name();
        format!("{version}-{}-{}", self.id, self.version.layout().name())
    }

    /// The path of a component, such as `Data.db`.
    pub fn component(&self, component: &str) -> PathBuf {
        self.folder.join(format!("{}-{component}", self.name()))
    }

    /// Whether a component is there.
    pub fn has(&self, component: &str) -> bool {
        self.component(component).is_file()
    }
}

/// Whether `text` can be a version of any SSTable: two small letters.
fn is_version(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn is_component(text: &str) -> bool {
    text.ends_with(".db") || text.ends_with(".crc32") || text.ends_with(".txt")
}

fn parse(name: &str) -> Named<'_> {
    let parts: Vec<&str> = name.split('-').collect();
    match parts[..] {
        [version, id, layout, component]
            if is_version(version)
                && !id.is_empty()
                && is_component(component)
                && layout.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            let known = VERSIONS
                .iter()
                .find(|known| known.1.name() == layout && known.2 == version);
            match known {
                Some(known) => Named::Sstable(known.0, id, component),
                None => Named::Foreign(match (layout, version) {
                    ("bti", _) => format!(
                        "an SSTable of version {version} of the format bti (of DSE, HCD, or newer than Cassandra 5.0)"
                    ),
                    ("big", "jb" | "ka" | "la") => {
                        format!("an SSTable of version {version}, of before Cassandra 3.0")
                    }
                    _ => {
                        format!("an SSTable of version {version} of the format {layout}")
                    }
                }),
            }
        }
        // Before 2.2 the names began with the keyspace and the table: ks-table-ka-1-Data.db.
        [_, _, version, id, component]
            if is_version(version)
                && component.ends_with(".db")
                && id.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Named::Foreign(format!(
                "an SSTable of version {version}, of before Cassandra 3.0"
            ))
        }
        _ => Named::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn names_come_apart_and_together() {
        for name in [
            "nb-12-big-Data.db",
            "da-3h5p_1kge_0saio25ha88df1xo81-bti-Data.db",
            "me-1-big-Digest.crc32",
        ] {
            let path = Path::new("/x").join(name);
            let descriptor = Descriptor::of_path(&path).unwrap().unwrap();
            let component = name.rsplit('-').next().unwrap();
            assert_eq!(descriptor.component(component), path);
        }
        assert!(Version::Da.is_of_5() && Version::Oa.is_of_5() && !Version::Nc.is_of_5());
        assert!(Version::Na.is_of_4() && !Version::Me.is_of_4());
    }

    #[test]
    fn foreign_versions_are_refused_by_name() {
        for (name, says) in [
            ("la-1-big-Data.db", "version la"),
            ("ks-tab-ka-1-Data.db", "version ka"),
            ("ks-tab-jb-77-Index.db", "version jb"),
            ("aa-1-bti-Data.db", "DSE"),
            ("nb-1-bti-Data.db", "version nb of the format bti"),
            ("zz-1-big-Data.db", "version zz"),
        ] {
            let error = Descriptor::of_path(Path::new(name)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }));
            assert!(error.to_string().contains(says), "{error}");
        }
        for name in ["schema.cql", "manifest.json", "nb-1-big", "a-b-c-d", "x.db"] {
            assert_eq!(Descriptor::of_path(Path::new(name)).unwrap(), None);
        }
    }

    #[test]
    fn a_lost_data_file_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["nb-1-big-Data.db", "oa-2-big-Data.db", "nb-1-big-TOC.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = Descriptor::find(folder.path()).unwrap();
        let names: Vec<String> = found.iter().map(Descriptor::name).collect();
        assert_eq!(names, ["nb-1-big", "oa-2-big"]);
        fs::write(folder.path().join("nb-3-big-Statistics.db"), "").unwrap();
        let error = Descriptor::find(folder.path()).unwrap_err();
        assert!(error.to_string().contains("nb-3-big-Data.db"), "{error}");
    }
}
