//! Output files: what may not be replaced, and how a whole file takes its place.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Refuses an output that exists (without `--force`) or that is one of the inputs (always), before anything is read.
///
/// # Errors
///
/// Usage.
pub fn check(path: &Path, force: bool, inputs: &[&Path]) -> Result<()> {
    let Ok(found) = fs::metadata(path) else {
        return Ok(());
    };
    let show = path.display();
    for input in inputs {
        if fs::metadata(input).is_ok_and(|input| same_file(&found, &input)) {
            return Err(Error::usage(
                format!(
                    "{show} is an input ({}), which is never replaced",
                    input.display()
                ),
                "give another name to -o",
            ));
        }
    }
    if found.is_dir() {
        return Err(Error::usage(
            format!("{show} is a folder"),
            "give the name of a file to -o",
        ));
    }
    if !force {
        return Err(Error::usage(
            format!("{show} exists already"),
            "replace it with --force, or give another name to -o",
        ));
    }
    Ok(())
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    false
}

/// A file that takes its place only when it is whole. Stands in for `file::replace` until that room is there.
pub struct OutFile {
    path: PathBuf,
    temp: PathBuf,
    file: File,
    done: bool,
}

impl OutFile {
    /// Starts a file that will be at `path`.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn create(path: &Path) -> Result<OutFile> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", std::process::id()));
        let temp = path.with_file_name(name);
        let file = File::create(&temp).map_err(|e| Error::io("creating", &temp, e))?;
        Ok(OutFile {
            path: path.to_owned(),
            temp,
            file,
            done: false,
        })
    }

    /// A writer to it.
    ///
    /// # Errors
    ///
    /// I/O.
    pub fn writer(&self) -> Result<Box<dyn Write>> {
        let file = self
            .file
            .try_clone()
            .map_err(|e| self.error("writing", e))?;
        Ok(Box::new(file))
    }

    /// Puts it in its place, on disk.
    ///
    /// # Errors
    ///
    /// I/O; the old file is then still there.
    pub fn commit(mut self) -> Result<()> {
        self.file.sync_all().map_err(|e| self.error("writing", e))?;
        fs::rename(&self.temp, &self.path).map_err(|e| self.error("replacing", e))?;
        self.done = true;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| self.error("syncing the folder of", e))
    }

    fn error(&self, action: &'static str, error: std::io::Error) -> Error {
        Error::io(action, &self.path, error)
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.temp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_never_replaced_and_another_file_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in");
        let link = dir.path().join("link");
        fs::write(&input, "rows").unwrap();
        fs::hard_link(&input, &link).unwrap();
        for out in [&input, &link] {
            let error = check(out, true, &[&input]).unwrap_err();
            assert!(error.to_string().contains("is an input"), "{error}");
        }
        assert!(
            check(&input, false, &[])
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("--force")
        );
        assert!(check(&input, true, &[]).is_ok());
        assert!(check(dir.path(), true, &[]).is_err());
        assert!(check(&dir.path().join("new"), false, &[&input]).is_ok());
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_the_old_one_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, "old").unwrap();
        let file = OutFile::create(&path).unwrap();
        file.writer().unwrap().write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let file = OutFile::create(&path).unwrap();
        file.writer().unwrap().write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
