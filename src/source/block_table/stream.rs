//! The rows of a key range: the newest version of each key, unless it is a deletion or lies in a deleted range.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::entries::{EntryWalk, Mark, Step};
use super::key;
use super::range_del::RangeDeletions;
use super::table::TableFile;
use super::versions::Versions;
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, escape};
use crate::source::lsm::entity::{self, BadEntity};

/// A stream over the rows of one key range.
pub struct Rows<'t> {
    path: &'t Path,
    versions: Versions,
    deletions: RangeDeletions<'t>,
    /// The value of the last entity.
    entity: Vec<u8>,
    /// What ended the stream was reported.
    ended: bool,
}

/// The newest version of a key is of a type that is no plain row.
struct Special(u8);

impl<'t> Rows<'t> {
    /// Starts at the first row of `range`.
    pub fn new(file: &'t Arc<TableFile>, range: &KeyRange) -> Result<Rows<'t>> {
        Ok(Rows {
            path: file.input().path(),
            versions: Versions::newest(file, range)?,
            deletions: RangeDeletions::new(file.range_deletions()),
            entity: Vec::new(),
            ended: false,
        })
    }

    /// Puts the value of an entry that is no plain row into `self.entity`, where it is an entity.
    #[cold]
    fn load(&mut self, Special(kind): Special) -> Result<()> {
        if kind != key::ENTITY {
            return Err(self.refused(kind));
        }
        self.entity.clear();
        entity::push_value(self.versions.value(), &mut self.entity)
            .map_err(|bad| self.bad_value(bad))
    }

    #[cold]
    fn bad_value(&mut self, bad: BadEntity) -> Error {
        self.ended = true;
        let input = self.versions.file().input();
        input.explain(bad.at(
            input.path(),
            self.versions.offset(),
            self.versions.user_key(),
        ))
    }

    fn refused(&mut self, kind: u8) -> Error {
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
fn is_row(walk: &EntryWalk, deletions: &mut RangeDeletions<'_>) -> Result<bool, Special> {
    if !walk.is_newest() {
        return Ok(false);
    }
    if key::kind(walk.trailer()) == key::PUT && deletions.is_empty() {
        return Ok(true);
    }
    judge(walk, deletions)
}

#[inline(never)]
fn judge(walk: &EntryWalk, deletions: &mut RangeDeletions<'_>) -> Result<bool, Special> {
    if deletions.hides(walk.user_key(), key::sequence(walk.trailer())) {
        return Ok(false);
    }
    match key::kind(walk.trailer()) {
        key::PUT => Ok(true),
        key::DELETE | key::SINGLE_DELETE => Ok(false),
        other => Err(Special(other)),
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
                Err(special) => {
                    self.load(special)?;
                    return Ok(Some(Row {
                        key: self.versions.user_key(),
                        value: &self.entity,
                    }));
                }
            }
        }
        if let Err(bad) = entity::check_plain(self.versions.value()) {
            return Err(self.bad_value(bad));
        }
        Ok(Some(Row {
            key: self.versions.user_key(),
            value: self.versions.value(),
        }))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        while !self.ended && self.versions.fill()? {
            let deletions = &mut self.deletions;
            let path = self.path;
            let (walk, data) = self.versions.block();
            // A row is handed out once the entry behind it is read.
            let mut row: Option<(Mark, Range<usize>)> = None;
            let special = loop {
                let step = walk.step(data);
                if let Some((mark, value)) = row.take() {
                    let key = walk.marked_key(&mark);
                    let value = data.get(value).unwrap_or_default();
                    entity::check_plain(value).map_err(|bad| bad.at(path, 0, key))?;
                    visit(Row { key, value })?;
                }
                match step {
                    Ok(Step::Entry(value)) => match is_row(walk, deletions) {
                        Ok(true) => row = Some((walk.mark(), value)),
                        Ok(false) => {}
                        Err(special) => break Some((special, value)),
                    },
                    Ok(Step::Outside) => {}
                    Ok(Step::End) => break None,
                    Err(what) => return Err(self.versions.stopped(what)),
                }
            };
            if let Some((special, value)) = special {
                self.versions.set_value(value);
                self.load(special)?;
                visit(Row {
                    key: self.versions.user_key(),
                    value: &self.entity,
                })?;
                continue;
            }
            self.versions.end_block();
        }
        Ok(())
    }
}
