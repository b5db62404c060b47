//! The fixtures that tests of SSTables share.

use std::path::{Path, PathBuf};

use super::descriptor::Descriptor;

/// Every SSTable that can be had here: those of testdata, and of the project's fixtures where they lie beside it or where
/// MDIFF_SHARED says.
pub fn sstables() -> Vec<Descriptor> {
    fn visit(folder: &Path, found: &mut Vec<Descriptor>) {
        found.extend(Descriptor::find(folder).unwrap());
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            }
        }
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    visit(&here.join("testdata/cassandra"), &mut found);
    assert!(found.len() >= 10);
    let shared = match std::env::var_os("MDIFF_SHARED") {
        Some(shared) => PathBuf::from(shared),
        None => here.join("../shared"),
    };
    let fixtures = shared.join("fixtures/cassandra");
    match fixtures.is_dir() {
        true => {
            println!("with all fixtures of {}", fixtures.display());
            visit(&fixtures, &mut found);
        }
        false => println!("with testdata/cassandra only"),
    }
    found
}

/// A folder of testdata.
pub fn testdata(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/cassandra")
        .join(case)
}

/// The path of the server's dump of an SSTable: in its folder, or in one above it.
pub fn dump_of(descriptor: &Descriptor) -> Option<PathBuf> {
    let name = descriptor.name();
    descriptor.folder.ancestors().take(6).find_map(|folder| {
        ["json", "json.gz"]
            .iter()
            .map(|ending| folder.join(format!("sstabledump.{name}.{ending}")))
            .find(|path| path.is_file())
    })
}
