//! What a file given on the command line is: a snapshot, a tree or a patch.

use std::path::Path;

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
    pub fn of(path: &Path) -> Kind {
        // By name until the rooms of the two formats bring their magic numbers; then by content.
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("mtree") => Kind::Tree,
            Some("mpatch") => Kind::Patch,
            _ => Kind::Snapshot,
        }
    }
}
