//! Incremental exports: the changes between two times, which make a later table of an earlier one.
//!
//! | images | meaning | what the base must hold |
//! |---|---|---|
//! | new and old | the item was replaced | the old image |
//! | new alone | it was put; with `NEW_AND_OLD_IMAGES` it was new | with old images: no such item |
//! | old alone | it was deleted | the old image |
//! | none | it was deleted; with `NEW_AND_OLD_IMAGES` it came and went | with old images: no such item |
//!
//! An export says nothing of the rows that did not change, so the sums that a patch needs are known only together with the full
//! export before it: [`open_on`] gives the table after the changes, as a snapshot, and tells where the two do not fit together.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::lines::stored_change;
use super::manifest::Kind;
use super::{Content, Data, DataLines, FILE_FORMAT, Items, folder, shape_of};
use crate::error::{Error, ErrorKind, Result};
use crate::range::KeyRange;
use crate::row::{Row, RowStream, Schema, check_same_schema};
use crate::source::sorted_table::SortedTable;
use crate::source::{Estimate, Origin, RowWriter, Snapshot, SourceOptions, Table};

/// Opens the table that the incremental export `changes` makes of `base`, which lies at `base_path`.
///
/// # Errors
///
/// Usage, where one of the two is something else, or the export begins behind the base's time. While it is read: WrongBase where
/// the base is not as the old images say.
pub fn open_on(
    changes: Origin,
    base: Box<dyn Snapshot>,
    base_path: &Path,
    options: &SourceOptions,
) -> Result<Box<dyn Snapshot>> {
    let data = match changes {
        Origin::File(input) => Data::of_file(input)?,
        Origin::Folder(path) => {
            let found = folder::find(&path, &options.file)?;
            Data {
                path,
                summary: found.summary,
                content: found.content,
                lines: DataLines::Files(found.files),
                options: options.file.clone(),
            }
        }
    };
    if data.content != Content::Changes {
        return Err(Error::usage(
            format!("{} is no incremental export", data.path.display()),
            "--base is the full export that the changes of an incremental one are applied to",
        ));
    }
    let shape = shape_of(&data, &options.text)?;
    let [table] = base.tables()[..] else {
        return Err(Error::usage("the base has several tables", ""));
    };
    check_same_schema(table.schema(), &shape.schema())?;
    check_times(&data, base.as_ref(), base_path)?;
    let has_old_images = match data.summary.as_ref().map(|summary| &summary.kind) {
        Some(Kind::Incremental { has_old_images, .. }) => *has_old_images,
        _ => false,
    };
    let sort = data.sort_options(options);
    let name = table.name().to_owned();
    let schema = shape.schema();
    let changes = SortedTable::new(name, schema, sort, Items { data, shape });
    Ok(Box::new(Target(TargetTable {
        base,
        base_path: base_path.to_owned(),
        changes,
        has_old_images,
    })))
}

/// Where both tell their times: the base must be of the changes' beginning, or within their time.
fn check_times(data: &Data, base: &dyn Snapshot, base_path: &Path) -> Result<()> {
    let Some(Kind::Incremental { from, to, .. }) = data.summary.as_ref().map(|s| &s.kind) else {
        return Ok(());
    };
    let facts = base.describe();
    let time = facts.iter().find(|(name, _)| name == "export time");
    let Some((_, time)) = time else {
        return Ok(());
    };
    let parsed = [from, time, to].map(|text| humantime::parse_rfc3339_weak(text));
    let [Ok(first), Ok(of_base), Ok(last)] = parsed else {
        return Ok(());
    };
    if (first..=last).contains(&of_base) {
        return Ok(());
    }
    Err(Error::usage(
        format!(
            "the changes are those from {from} to {to}, and {} is of {time}",
            base_path.display()
        ),
        "take the full export of the time at which the changes begin",
    ))
}

/// The table after the changes.
struct Target(TargetTable);

struct TargetTable {
    base: Box<dyn Snapshot>,
    base_path: PathBuf,
    changes: SortedTable<Items>,
    has_old_images: bool,
}

impl TargetTable {
    fn base(&self) -> Result<&dyn Table> {
        let table = self.base.tables().into_iter().next();
        table.ok_or_else(|| Error::usage("the base has no table", ""))
    }
}

impl Snapshot for Target {
    fn format(&self) -> &'static str {
        "dynamodb"
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![&self.0]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.0.base.check_unchanged()?;
        match &self.0.changes.rows().data.lines {
            DataLines::Input(input) => input.check_unchanged(),
            DataLines::Files(_) => Ok(()),
        }
    }

    fn notes(&self) -> Vec<String> {
        let note = "the changes say that they hold no old images, or nothing of them: where the full export has other rows than they began with, that may not be seen";
        let is_blind = !self.0.has_old_images;
        is_blind.then(|| note.to_owned()).into_iter().collect()
    }

    fn describe(&self) -> Vec<(String, String)> {
        self.0.changes.rows().data.describe()
    }

    fn written_format(&self) -> &'static str {
        FILE_FORMAT.name
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        self.0.base.writer(out)
    }
}

impl Table for TargetTable {
    fn name(&self) -> &str {
        self.changes.name()
    }

    fn schema(&self) -> &Schema {
        self.changes.schema()
    }

    fn estimate(&self) -> Estimate {
        let base = self
            .base()
            .map_or_else(|_| Estimate::default(), Table::estimate);
        base.plus(self.changes.estimate())
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        self.base()?.split(range, pieces)
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(Merged {
            table: self,
            base: self.base()?.scan(range)?,
            changes: self.changes.scan(range)?,
            row: Held::default(),
            change: Held::default(),
            out: Held::default(),
            is_started: false,
        }))
    }

    fn may_recover(&self) -> bool {
        self.base().is_ok_and(Table::may_recover)
    }

    fn recover(&self, error: &Error) -> Result<bool> {
        self.base()?.recover(error)
    }
}

/// A row that was taken from a stream.
#[derive(Default)]
struct Held {
    is_there: bool,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Held {
    fn take(&mut self, rows: &mut dyn RowStream) -> Result<()> {
        let row = rows.next()?;
        self.is_there = row.is_some();
        if let Some(row) = row {
            self.key.clear();
            self.key.extend_from_slice(row.key);
            self.value.clear();
            self.value.extend_from_slice(row.value);
        }
        Ok(())
    }
}

/// The rows of the base with the changes made.
struct Merged<'a> {
    table: &'a TargetTable,
    base: Box<dyn RowStream + 'a>,
    changes: Box<dyn RowStream + 'a>,
    /// The next of the base, and of the changes.
    row: Held,
    change: Held,
    /// The one that was handed out.
    out: Held,
    is_started: bool,
}

/// What comes next.
enum Next {
    End,
    Base,
    Changed,
}

impl Merged<'_> {
    fn wrong_base(&self, what: &str) -> Error {
        let key = self.table.schema().show_key(&self.change.key);
        ErrorKind::WrongBase {
            path: self.table.base_path.clone(),
            what: format!("the changes of the export do not fit it: item {key} {what}"),
        }
        .into()
    }

    /// Whether the change leaves a row.
    fn check(&self, held: Option<&[u8]>) -> Result<bool> {
        let (old, new) = stored_change(&self.change.value).unwrap_or_default();
        match (old, held) {
            (Some(_), None) => Err(self.wrong_base("was there before the changes and is not here")),
            (Some(old), Some(held)) if old != held => {
                Err(self.wrong_base("was another before the changes than it is here"))
            }
            (None, Some(_)) if self.table.has_old_images => {
                Err(self.wrong_base("was not there before the changes and is here"))
            }
            _ => Ok(new.is_some()),
        }
    }

    fn step(&mut self) -> Result<Next> {
        if !self.is_started {
            self.is_started = true;
            self.row.take(self.base.as_mut())?;
            self.change.take(self.changes.as_mut())?;
        }
        loop {
            let order = self.row.key.cmp(&self.change.key);
            match (self.row.is_there, self.change.is_there) {
                (false, false) => return Ok(Next::End),
                (true, false) => return Ok(Next::Base),
                (true, true) if order.is_lt() => return Ok(Next::Base),
                (has_row, true) => {
                    let is_changed = has_row && order.is_eq();
                    let held = is_changed.then_some(self.row.value.as_slice());
                    let leaves_row = self.check(held)?;
                    if is_changed {
                        self.row.take(self.base.as_mut())?;
                    }
                    if leaves_row {
                        return Ok(Next::Changed);
                    }
                    self.change.take(self.changes.as_mut())?;
                }
            }
        }
    }
}

impl RowStream for Merged<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        let next = self.step()?;
        let (held, rows) = match next {
            Next::End => return Ok(None),
            Next::Base => (&mut self.row, self.base.as_mut()),
            Next::Changed => (&mut self.change, self.changes.as_mut()),
        };
        std::mem::swap(&mut self.out, held);
        held.take(rows)?;
        let value = match next {
            Next::Changed => stored_change(&self.out.value).and_then(|(_, new)| new),
            _ => Some(self.out.value.as_slice()),
        };
        Ok(Some(Row {
            key: &self.out.key,
            value: value.unwrap_or_default(),
        }))
    }
}
