//! What can go wrong, what it means to a user, and which exit code it gives.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::range::KeyRange;
use crate::row::escape;

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate: one pointer wide, so that results stay small in hot loops.
///
/// [`Error::kind`] gives what a caller can act on; `Display` is what a person reads, and [`Error::hint`] what to do next.
pub struct Error(Box<ErrorKind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused to read or write (exit code 2).
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was being done: "opening", "reading", "writing".
        action: &'static str,
        /// The file concerned.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Bytes of an input contradict themselves: a checksum, a length, an order (exit code 3).
    #[error("{}: {what} at offset {offset}{}", path.display(), ShowKeys(keys))]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// Where in the file, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        what: String,
        /// The keys that can't be read because of it, where they are known. A stream that returned such an error
        /// can be asked for its next row: it goes on behind these keys.
        keys: Option<UnreadableKeys>,
    },
    /// The input is sound but of a kind, a version or with a feature that can't be read faithfully (exit code 3).
    #[error("{}: {what}", path.display())]
    Unsupported {
        /// The refused file.
        path: PathBuf,
        /// Which feature or kind was met.
        what: String,
        /// What to do instead; may be empty.
        hint: String,
    },
    /// The file was truncated, rewritten or became unreadable while it was read (exit code 2).
    #[error("{}: the file changed while it was read: {what}", path.display())]
    Changed {
        /// The file that changed.
        path: PathBuf,
        /// What was noticed.
        what: String,
    },
    /// Rows are not in strictly ascending order of their keys (exit code 3). Sources that can sort do so instead.
    #[error("{}: rows are not sorted: key {} at offset {offset} comes after key {}", path.display(), escape(key), escape(previous))]
    Unsorted {
        /// The file.
        path: PathBuf,
        /// Offset of the row that comes too late, in bytes.
        offset: u64,
        /// The key before it.
        previous: Vec<u8>,
        /// The key that comes too late.
        key: Vec<u8>,
    },
    /// Two rows have the same key (exit code 3).
    #[error("{}: key {} stands twice: at {first} and at {second}", path.display(), escape(key))]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The key, as encoded.
        key: Vec<u8>,
        /// The first place, as a person finds it ("line 3, offset 120").
        first: String,
        /// The second place.
        second: String,
    },
    /// A length or count exceeds a limit of [`crate::limits::Limits`] (exit code 3).
    #[error("{}: {what} at offset {offset} is {value}, over the limit of {max}", path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// Where, in bytes from its start.
        offset: u64,
        /// Which quantity.
        what: &'static str,
        /// Its value, in its own unit (bytes, unless `what` says otherwise).
        value: u64,
        /// The limit.
        max: u64,
    },
    /// What was asked for can't be done with these inputs (exit code 2).
    #[error("{what}")]
    Usage {
        /// What does not fit.
        what: String,
        /// What to do instead; may be empty.
        hint: String,
    },
    /// The rows of a snapshot do not add up to what its tree says of them (exit code 2).
    #[error("{}: the tree is not of this snapshot as it is now: keys {} hold {rows} rows here, {rows_in_tree} rows or others in the tree", path.display(), ShowRange(range))]
    StaleTree {
        /// The snapshot.
        path: PathBuf,
        /// The keys that were read.
        range: KeyRange,
        /// Rows found.
        rows: u64,
        /// Rows that the tree tells of.
        rows_in_tree: u64,
    },
    /// A visitor asked to stop; whoever gave it takes this for the end of the work, so no user meets it.
    #[error("stopped")]
    Stopped,
    /// The base of a patch is not the one the patch was made for; nothing was written (exit code 1).
    #[error("{}: {what}", path.display())]
    WrongBase {
        /// The base.
        path: PathBuf,
        /// What differs.
        what: String,
    },
}

/// The keys that one unreadable place of a file hides: `from <= key < to`; no `to` means to the end of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableKeys {
    /// First key that may be hidden.
    pub from: Vec<u8>,
    /// First key that is surely not hidden.
    pub to: Option<Vec<u8>>,
}

struct ShowKeys<'a>(&'a Option<UnreadableKeys>);

impl fmt::Display for ShowKeys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(keys) => write!(f, " (keys {})", ShowRange(&keys.clone().into())),
            None => Ok(()),
        }
    }
}

struct ShowRange<'a>(&'a KeyRange);

impl fmt::Display for ShowRange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from \"{}\" to ", escape(&self.0.from))?;
        match &self.0.to {
            Some(to) => write!(f, "\"{}\"", escape(to)),
            None => write!(f, "the end"),
        }
    }
}

impl Error {
    /// Wraps an I/O error with what was being done to which file.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Error {
        ErrorKind::Io {
            action,
            path: path.as_ref().to_owned(),
            source,
        }
        .into()
    }

    /// Bytes at `offset` of `path` contradict themselves.
    pub fn damaged(path: impl AsRef<Path>, offset: u64, what: impl Into<String>) -> Error {
        ErrorKind::Damaged {
            path: path.as_ref().to_owned(),
            offset,
            what: what.into(),
            keys: None,
        }
        .into()
    }

    /// `path` is of a kind or has a feature that can't be read faithfully.
    pub fn unsupported(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Error {
        ErrorKind::Unsupported {
            path: path.as_ref().to_owned(),
            what: what.into(),
            hint: hint.into(),
        }
        .into()
    }

    /// The request does not fit the inputs.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Error {
        ErrorKind::Usage {
            what: what.into(),
            hint: hint.into(),
        }
        .into()
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The file concerned, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self.kind() {
            ErrorKind::Io { path, .. }
            | ErrorKind::Damaged { path, .. }
            | ErrorKind::Unsupported { path, .. }
            | ErrorKind::Changed { path, .. }
            | ErrorKind::Unsorted { path, .. }
            | ErrorKind::Duplicate { path, .. }
            | ErrorKind::Limit { path, .. }
            | ErrorKind::StaleTree { path, .. }
            | ErrorKind::WrongBase { path, .. } => Some(path),
            ErrorKind::Usage { .. } | ErrorKind::Stopped => None,
        }
    }

    /// Gives a [`ErrorKind::Damaged`] the key range that it hides; leaves every other error as it is.
    #[must_use]
    pub fn hiding(mut self, hidden: UnreadableKeys) -> Error {
        if let ErrorKind::Damaged { keys, .. } = &mut *self.0 {
            *keys = Some(hidden);
        }
        self
    }

    /// The keys that this error hides, if the stream that returned it can go on behind them.
    pub fn unreadable_keys(&self) -> Option<&UnreadableKeys> {
        match self.kind() {
            ErrorKind::Damaged { keys, .. } => keys.as_ref(),
            _ => None,
        }
    }

    /// What a person can do about it, or `None`.
    pub fn hint(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::Unsupported { hint, .. } | ErrorKind::Usage { hint, .. }
                if !hint.is_empty() =>
            {
                Some(hint.clone())
            }
            ErrorKind::Damaged { keys: Some(_), .. } => Some(
                "restore the file from another copy, or read past the damage with --keep-going"
                    .into(),
            ),
            ErrorKind::Damaged { .. } => Some("restore the file from another copy".into()),
            ErrorKind::Changed { .. } => {
                Some("read a snapshot that nothing writes to, then run again".into())
            }
            ErrorKind::Limit { what, .. } => Some(format!(
                "if the file is sound, raise the limit with --cap {}=N",
                what.replace(' ', "-")
            )),
            ErrorKind::StaleTree { .. } => {
                Some("build the tree again, or leave --trees out".into())
            }
            _ => None,
        }
    }

    /// The exit code of a command that ends with this error: 1 refused, 2 usage or I/O trouble, 3 damaged or not what it claims.
    pub fn exit_code(&self) -> u8 {
        match self.kind() {
            ErrorKind::WrongBase { .. } => 1,
            ErrorKind::Io { .. }
            | ErrorKind::Changed { .. }
            | ErrorKind::Usage { .. }
            | ErrorKind::StaleTree { .. }
            | ErrorKind::Stopped => 2,
            ErrorKind::Damaged { .. }
            | ErrorKind::Unsupported { .. }
            | ErrorKind::Unsorted { .. }
            | ErrorKind::Duplicate { .. }
            | ErrorKind::Limit { .. } => 3,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error(Box::new(kind))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
