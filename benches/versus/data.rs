//! The files that are read: made from a seed at the first run, kept for the next.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use mdiff::file::replace::AtomicFile;

use crate::common::{self, CSV_HEADER, Differences};
use crate::run::Program;

/// Raised when the files would come out differently.
const VERSION: u32 = 2;

/// A folder with files.
#[derive(Clone)]
pub struct Data {
    folder: PathBuf,
    /// 1, or 10 where a tenth is to do.
    divisor: u64,
}

impl Data {
    /// Opens the folder for full or quick runs.
    pub fn open(root: &Path, quick: bool) -> Data {
        let size = if quick { "quick" } else { "full" };
        let folder = root.join(format!("{size}-{VERSION}"));
        fs::create_dir_all(&folder).expect("the folder for data can be made");
        Data {
            folder,
            divisor: if quick { 10 } else { 1 },
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder, for a result.
    pub fn path(&self, name: &str) -> String {
        let path = self.folder.join(name);
        path.into_os_string()
            .into_string()
            .expect("the path of the data is text")
    }

    /// The divisor of a number of rows: 10 where a tenth is to do.
    pub fn divisor(&self) -> u64 {
        self.divisor
    }

    /// The path of a file or folder, which `write` makes where it is not there.
    pub fn make(&self, name: &str, write: impl FnOnce(&Path)) -> String {
        let path = self.folder.join(name);
        if !path.exists() {
            eprintln!("making {name}");
            write(&path);
        }
        self.path(name)
    }

    /// Rows of [`Data::table`].
    pub fn table_rows(&self) -> u64 {
        6_000_000 / self.divisor
    }

    /// An `.sst` of 6 M rows.
    pub fn table(&self, compression: &str) -> String {
        let rows = self.table_rows();
        self.make(&format!("{compression}.sst"), |path| {
            common::write_sst(path, compression, (0..rows).map(|n| (n, 0)));
        })
    }

    /// How the two of [`Data::pair`] differ.
    pub fn pair_differences(&self) -> Differences {
        Differences {
            rows: (1 << 30) / common::ROW_BYTES / self.divisor,
            count: 1000 / self.divisor,
        }
    }

    /// Two `.sst` of 1 GB with 1,000 differences: base and target.
    pub fn pair(&self) -> [String; 2] {
        self.table_pair("base.sst", "target.sst", self.pair_differences())
    }

    /// Two `.sst` of 100 MB with 1,000 differences.
    pub fn small_pair(&self) -> [String; 2] {
        let differences = Differences {
            rows: self.pair_differences().rows / 10,
            ..self.pair_differences()
        };
        self.table_pair("small-base.sst", "small-target.sst", differences)
    }

    /// How the two of [`Data::dense_pair`] differ.
    pub fn dense_differences(&self) -> Differences {
        let rows = self.pair_differences().rows / 10;
        Differences {
            rows,
            count: rows / 10,
        }
    }

    /// Two `.sst` of 100 MB in which one row in ten differs.
    pub fn dense_pair(&self) -> [String; 2] {
        self.table_pair(
            "dense-base.sst",
            "dense-target.sst",
            self.dense_differences(),
        )
    }

    fn table_pair(&self, base: &str, target: &str, differences: Differences) -> [String; 2] {
        [(base, false), (target, true)].map(|(name, second)| {
            self.make(name, |path| {
                common::write_sst(path, "none", differences.side(second))
            })
        })
    }

    /// How the two of [`Data::texts`] differ.
    pub fn text_differences(&self) -> Differences {
        Differences {
            rows: 5_000_000 / self.divisor,
            count: 1000,
        }
    }

    /// Two sorted `.csv` of 5 M rows with 1,000 differences.
    pub fn texts(&self) -> [String; 2] {
        self.text_pair("left.csv", "right.csv", self.text_differences())
    }

    /// Two sorted `.csv` of 100 MB.
    pub fn small_texts(&self) -> [String; 2] {
        let differences = Differences {
            rows: 840_000 / self.divisor,
            count: 1000,
        };
        self.text_pair("small-left.csv", "small-right.csv", differences)
    }

    fn text_pair(&self, left: &str, right: &str, differences: Differences) -> [String; 2] {
        [(left, false), (right, true)].map(|(name, second)| {
            self.make(name, |path| {
                let mut file = AtomicFile::create(path, true).expect("a text file can be made");
                let mut line = Vec::new();
                file.write_all(CSV_HEADER).expect("text can be written");
                for (n, version) in differences.side(second) {
                    common::csv_line(n, version, &mut line);
                    file.write_all(&line).expect("text can be written");
                }
                file.commit().expect("a text file can be written");
            })
        })
    }

    /// Leaves of [`Data::fine_trees`].
    pub fn fine_leaves(&self) -> u64 {
        1_000_000 / self.divisor
    }

    /// Two trees of 1 M leaves, of one row each, in which 10 differ.
    pub fn fine_trees(&self) -> [String; 2] {
        let differences = Differences {
            rows: self.fine_leaves(),
            count: 10,
        };
        [("fine-a", false), ("fine-b", true)].map(|(name, second)| {
            let table = self.make(&format!("{name}.sst"), |path| {
                common::write_sst(path, "lz4", differences.side(second));
            });
            self.tree(&table, name, &["--leaf-rows", "1"])
        })
    }

    /// The tree of a snapshot, built anew by the mdiff of this build.
    pub fn tree(&self, snapshot: &str, name: &str, args: &[&str]) -> String {
        let tree = self.path(&format!("{name}.mtree"));
        Program::mdiff(&["build", snapshot, "--force", "-o", &tree])
            .with(args)
            .output();
        tree
    }
}
