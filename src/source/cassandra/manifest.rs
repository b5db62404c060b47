//! manifest.json: which SSTables a snapshot had when it was taken, so that a copy that lost one is noticed.
//!
//! ```text
//! {"files": ["nb-1-big-Data.db", ...], ...}
//! ```
//!
//! It is there since Cassandra 2.0, and only in folders of snapshots. Its names are compared with those of the SSTables that were
//! found; no file is opened by them. Names with a separator are those of secondary indexes' SSTables (`.index/nb-1-big-Data.db`), which are not
//! read.

use std::path::Path;

use serde::Deserialize;

use super::descriptor::Descriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::{FileOptions, Input};

/// Refuses a folder that lacks SSTables which its manifest.json lists.
///
/// # Errors
///
/// Damaged where one is missing, or where the file is no manifest; Limit; I/O errors.
pub fn check(folder: &Path, sstables: &[Descriptor], options: &FileOptions) -> Result<()> {
    let path = folder.join("manifest.json");
    if !path.is_file() {
        return Ok(());
    }
    let input = Input::open_plain(&path, options)?;
    let max = options.limits.record_bytes_max;
    if input.len() > max {
        return Err(ErrorKind::Limit {
            path,
            offset: 0,
            what: "record bytes",
            value: input.len(),
            max,
        }
        .into());
    }
    let mut scratch = Vec::new();
    let bytes = input.read(0, input.len(), &mut scratch)?;
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| {
        input.explain(Error::damaged(
            &path,
            0,
            format!("no manifest of a snapshot ({e})"),
        ))
    })?;
    let is_here = |name: &str| {
        let mut sstables = sstables.iter();
        sstables.any(|sstable| name.strip_prefix(&sstable.name()) == Some("-Data.db"))
    };
    let missing = manifest
        .files
        .iter()
        .find(|name| !name.contains(['/', '\\']) && !is_here(name));
    match missing {
        Some(name) => {
            let what = format!("it lists {name:?}, which is not there: the copy is not whole");
            Err(input.explain(Error::damaged(&path, 0, what)))
        }
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct Manifest {
    files: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::cassandra::descriptor::Version;

    #[test]
    fn what_a_snapshot_had_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let sstable = Descriptor {
            folder: folder.path().to_owned(),
            version: Version::Nb,
            id: "1".into(),
        };
        let check = |text: &str| {
            std::fs::write(folder.path().join("manifest.json"), text).unwrap();
            check(
                folder.path(),
                std::slice::from_ref(&sstable),
                &FileOptions::default(),
            )
        };
        for text in [
            r#"{"files":["nb-1-big-Data.db"],"ephemeral":false}"#,
            r#"{"files":[]}"#,
            r#"{"files":[".by_name/nb-2-big-Data.db","../../x-Data.db","/etc/passwd","C:\\nb"]}"#,
        ] {
            check(text).unwrap();
        }
        for text in [
            r#"{"files":["nb-1-big-Data.db","nb-2-big-Data.db"]}"#,
            r#"{"files":[".."]}"#,
            r#"{"files":["nb-1-big-Data.db\u0000"]}"#,
            r#"{"files":[1]}"#,
            r#"{"files":"nb-1-big-Data.db"}"#,
            "{}",
            "",
            "[[",
        ] {
            let error = check(text).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
        }
    }
}
