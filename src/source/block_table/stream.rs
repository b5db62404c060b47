//! The rows of a key range: the newest version of each key, unless it is a deletion or lies in a deleted range.

use std::ops::Range;
use std::sync::Arc;

use super::entries::{EntryWalk, Mark, Step};
use super::key;
use super::range_del::RangeDeletions;
use super::table::TableFile;
use super::versions::Versions;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, escape};

/// A stream over the rows of one key range.
pub struct Rows<'t> {
    versions: Versions,
    deletions: RangeDeletions<'t>,
    /// What ended the stream was reported.
    ended: bool,
}

/// The newest version of a key is of a type that can't be read as a row.
struct Refused(u8);

impl<'t> Rows<'t> {
    /// Starts at the first row of `range`.
    pub fn new(file: &'t Arc<TableFile>, range: &KeyRange) -> Result<Rows<'t>> {
        Ok(Rows {
            versions: Versions::new(file, range)?,
            deletions: RangeDeletions::new(file.range_deletions()),
            ended: false,
        })
    }

    fn refused(&mut self, Refused(kind): Refused) -> Error {
        self.ended = true;
        let file = self.versions.file();
        let (mut what, hint) = key::refused(kind).unwrap_or_default();
        if kind == key::MERGE {
            let operator = file
                .properties()
                .and_then(|p| p.text("rocksdb.merge.operator"));
            what += &match operator {
                Some(name) => format!(" of {name}"),
                None => " of an operator that the table does not name".into(),
            };
        }
        let key = escape(self.versions.user_key());
        let error =
            Error::unsupported(file.input().path(), format!("key {key} holds {what}"), hint);
        file.input().explain(error)
    }
}

/// Whether the entry that `walk` is at is a row.
#[inline(always)]
fn is_row(walk: &EntryWalk, deletions: &mut RangeDeletions<'_>) -> Result<bool, Refused> {
    if !walk.is_newest() {
        return Ok(false);
    }
    if key::kind(walk.trailer()) == key::PUT && deletions.is_empty() {
        return Ok(true);
    }
    judge(walk, deletions)
}

#[inline(never)]
fn judge(walk: &EntryWalk, deletions: &mut RangeDeletions<'_>) -> Result<bool, Refused> {
    if deletions.hides(walk.user_key(), key::sequence(walk.trailer())) {
        return Ok(false);
    }
    match key::kind(walk.trailer()) {
        key::PUT => Ok(true),
        key::DELETE | key::SINGLE_DELETE => Ok(false),
        other => Err(Refused(other)),
    }
}

impl RowStream for Rows<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        loop {
            if self.ended || !self.versions.advance()? {
                return Ok(None);
            }
            match is_row(self.versions.walk(), &mut self.deletions) {
                Ok(true) => break,
                Ok(false) => {}
                Err(refused) => return Err(self.refused(refused)),
            }
        }
        Ok(Some(Row {
            key: self.versions.user_key(),
            value: self.versions.value(),
        }))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while !self.ended && self.versions.fill()? {
            let deletions = &mut self.deletions;
            let (walk, data) = self.versions.block();
            // A row is handed out once the entry behind it is read.
            let mut row: Option<(Mark, Range<usize>)> = None;
            loop {
                let step = walk.step(data);
                if let Some((mark, value)) = row.take() {
                    let key = walk.marked_key(&mark);
                    let value = data.get(value).unwrap_or_default();
                    visit(Row { key, value })?;
                }
                match step {
                    Ok(Step::Entry(value)) => match is_row(walk, deletions) {
                        Ok(true) => row = Some((walk.mark(), value)),
                        Ok(false) => {}
                        Err(refused) => return Err(self.refused(refused)),
                    },
                    Ok(Step::Outside) => {}
                    Ok(Step::End) => break,
                    Err(what) => return Err(self.versions.stopped(what)),
                }
            }
            self.versions.end_block();
        }
        Ok(())
    }
}
