//! What a file is, by its first bytes, and else by the end of its name: a damaged tree is still to be called a tree.

use std::path::Path;

use crate::error::Result;
use crate::file::input::{FileOptions, Input};
use crate::mtree::read::is_tree;
use crate::patch::read::is_patch;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything that is neither of the others: the source room decides.
    Snapshot,
    /// A `.mtree`.
    Tree,
    /// A `.mpatch`.
    Patch,
}

impl Kind {
    /// Says what the file at `path` is.
    ///
    /// # Errors
    ///
    /// I/O errors.
    pub fn of(path: &Path) -> Result<Kind> {
        Kind::of_input(&Input::open(path, &FileOptions::default())?)
    }

    /// Says what an open file is.
    ///
    /// # Errors
    ///
    /// I/O errors.
    pub fn of_input(input: &Input) -> Result<Kind> {
        let mut scratch = Vec::new();
        let head = input.read(0, input.len().min(8), &mut scratch)?;
        Ok(match head {
            head if is_tree(head) => Kind::Tree,
            head if is_patch(head) => Kind::Patch,
            _ => match input.path().extension() {
                Some(end) if end == "mtree" => Kind::Tree,
                Some(end) if end == "mpatch" => Kind::Patch,
                _ => Kind::Snapshot,
            },
        })
    }
}
