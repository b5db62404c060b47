//! Output files: what may not be replaced.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::file::replace::refuse_same_file;

/// Refuses an output that is one of the inputs (always) or that exists (without `--force`): called before anything is read,
/// for the work of hours should not end with this.
///
/// # Errors
///
/// Usage, and I/O where an input can't be examined.
pub fn check(path: &Path, force: bool, inputs: &[&Path]) -> Result<()> {
    for input in inputs {
        refuse_same_file(input, path)?;
    }
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(Error::usage(
            format!("{} exists already", path.display()),
            "replace it with --force, or give another name to -o",
        ));
    }
    Ok(())
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
            assert!(error.to_string().contains("the same file"), "{error}");
        }
        let error = check(&input, false, &[]).unwrap_err();
        assert!(error.hint().unwrap().contains("--force"));
        assert!(check(&input, true, &[]).is_ok());
        assert!(check(&dir.path().join("new"), false, &[&input]).is_ok());
    }
}
