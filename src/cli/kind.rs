//! What lies at a path, by its first bytes, and else by the end of its name: a damaged tree is still to be called a tree.

use std::path::Path;

use crate::error::Result;
use crate::file::input::{FileOptions, Input};
use crate::mtree::read::is_tree;
use crate::patch::read::is_patch;
use crate::source::Origin;

/// What lies at a path, opened.
pub enum Found {
    /// Anything that is neither of the others: the source room decides.
    Snapshot(Origin),
    /// A `.mtree`.
    Tree(Input),
    /// A `.mpatch`.
    Patch(Input),
}

impl Found {
    /// Opens what lies at `path`.
    ///
    /// # Errors
    ///
    /// I/O errors.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Found> {
        let input = match Origin::open(path, options)? {
            Origin::File(input) => input,
            folder => return Ok(Found::Snapshot(folder)),
        };
        let mut scratch = Vec::new();
        let head = input.head(8, &mut scratch)?;
        let (is_tree, is_patch) = (is_tree(head), is_patch(head));
        let extension = path.extension().and_then(|end| end.to_str());
        Ok(match (is_tree, is_patch, extension) {
            (true, _, _) | (false, false, Some("mtree")) => Found::Tree(input),
            (_, true, _) | (_, _, Some("mpatch")) => Found::Patch(input),
            _ => Found::Snapshot(Origin::File(input)),
        })
    }
}
