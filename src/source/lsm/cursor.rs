//! A walk over one sorted run of entries: table files that follow one another, or entries that were sorted.

use std::sync::Arc;

use super::files::{Files, OpenFile};
use super::sorted::SortedCursor;
use crate::error::{Error, Result, UnreadableKeys};
use crate::range::KeyRange;
use crate::row::Row;
use crate::source::block_table::Versions;
use crate::source::block_table::key;

/// A walk over the entries of a run: ascending by user key, from the newest version to the oldest.
///
/// After an error with [`Error::unreadable_keys`] it goes on behind these keys.
#[allow(
    clippy::large_enum_variant,
    reason = "a merge has few cursors, and looks at them for every row"
)]
pub enum Cursor<'a> {
    /// Files that follow one another.
    Files(FilesCursor<'a>),
    /// Sorted entries.
    Sorted(SortedCursor<'a>),
}

impl Cursor<'_> {
    /// Goes to the next entry; false behind the last one.
    ///
    /// # Errors
    ///
    /// Those of reading the run.
    pub fn advance(&mut self) -> Result<bool> {
        match self {
            Cursor::Files(files) => files.advance(),
            Cursor::Sorted(sorted) => sorted.advance(),
        }
    }

    /// The user key of the current entry.
    #[inline]
    pub fn user_key(&self) -> &[u8] {
        match self {
            Cursor::Files(files) => files.user_key(),
            Cursor::Sorted(sorted) => sorted.user_key(),
        }
    }

    /// Sequence number and type of the current entry.
    #[inline]
    pub fn trailer(&self) -> u64 {
        match self {
            Cursor::Files(files) => files.trailer(),
            Cursor::Sorted(sorted) => sorted.trailer(),
        }
    }

    /// The value of the current entry.
    pub fn value(&self) -> &[u8] {
        match self {
            Cursor::Files(files) => files.value(),
            Cursor::Sorted(sorted) => sorted.value(),
        }
    }
}

/// A walk over files whose keys ascend from file to file.
pub struct FilesCursor<'a> {
    files: &'a Files,
    range: KeyRange,
    /// Numbers of the files that were not begun.
    rest: &'a [usize],
    current: Option<Current>,
}

struct Current {
    versions: Versions,
    open: Arc<OpenFile>,
    number: usize,
    begun: bool,
}

impl<'a> FilesCursor<'a> {
    /// Starts before the first entry of `range` in the files of a run, given by their numbers.
    pub fn new(files: &'a Files, run: &'a [usize], range: &KeyRange) -> FilesCursor<'a> {
        FilesCursor {
            files,
            range: range.clone(),
            rest: run,
            current: None,
        }
    }

    fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(current) = &mut self.current {
                if current.versions.advance()? {
                    current.check_start(self.files, &self.range)?;
                    return Ok(true);
                }
                self.leave()?;
            }
            let Some((&number, rest)) = self.rest.split_first() else {
                return Ok(false);
            };
            self.rest = rest;
            if self.files.may_hold(number, &self.range) {
                let open = self.files.open(number).map_err(|e| self.clip(e))?;
                self.current = Some(Current {
                    versions: Versions::new(&open.file, &self.range)?,
                    open,
                    number,
                    begun: false,
                });
            }
        }
    }

    /// Of the keys that an error hides, only those of this walk.
    fn clip(&self, error: Error) -> Error {
        match error.unreadable_keys() {
            Some(keys) => {
                let hidden = KeyRange {
                    from: keys.from.clone(),
                    to: keys.to.clone(),
                };
                let KeyRange { from, to } = hidden.intersection(&self.range);
                error.hiding(UnreadableKeys { from, to })
            }
            None => error,
        }
    }

    /// Ends the current file: what was read of it is believed only now.
    fn leave(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let input = current.open.file.input();
        input.check_unchanged()?;
        let keys = self
            .files
            .facts(current.number)
            .and_then(|f| f.keys.as_ref());
        let is_inside = keys.is_none_or(|keys| keys.is_before_end(current.versions.user_key()));
        if current.begun && !is_inside {
            return Err(outside(&current));
        }
        Ok(())
    }

    /// Hands out rows as [`Versions::drain_puts`] does.
    pub fn drain_puts(
        &mut self,
        bound: Option<(u128, &[u8])>,
        last_key: &mut Vec<u8>,
        visit: impl FnMut(Row<'_>) -> Result<()>,
    ) -> Result<bool> {
        let Some(current) = &mut self.current else {
            return Ok(false);
        };
        if current.versions.drain_puts(bound, last_key, visit)? {
            return Ok(true);
        }
        self.leave()?;
        Ok(false)
    }

    #[inline]
    pub fn user_key(&self) -> &[u8] {
        match &self.current {
            Some(current) => current.versions.user_key(),
            None => &[],
        }
    }

    /// Sequence number and type of the current entry.
    #[inline]
    pub fn trailer(&self) -> u64 {
        let Some(current) = &self.current else {
            return 0;
        };
        let trailer = current.versions.trailer();
        match current.open.sequence {
            Some(sequence) => sequence << 8 | u64::from(key::kind(trailer)),
            None => trailer,
        }
    }

    fn value(&self) -> &[u8] {
        match &self.current {
            Some(current) => current.versions.value(),
            None => &[],
        }
    }

    /// The path of the current file, for messages.
    pub fn path(&self) -> Option<&std::path::Path> {
        let current = self.current.as_ref()?;
        Some(current.open.file.input().path())
    }
}

impl Current {
    /// The MANIFEST says which keys a file holds, and scans of other ranges count on it.
    fn check_start(&mut self, files: &Files, range: &KeyRange) -> Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let keys = files.facts(self.number).and_then(|f| f.keys.as_ref());
        match keys {
            Some(keys)
                if self.versions.user_key() < keys.from.as_slice() && range.from < keys.from =>
            {
                Err(outside(self))
            }
            _ => Ok(()),
        }
    }
}

fn outside(current: &Current) -> Error {
    Error::damaged(
        current.open.file.input().path(),
        0,
        "it holds keys outside of those that the MANIFEST gives it",
    )
}
