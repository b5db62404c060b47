//! An open dump of any kind: its tables, and what it says of itself.

use std::io::Write;
use std::sync::Arc;

use super::layout::{Layout, names_of};
use super::session::Session;
use super::statements::TableName;
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::source::sort::SortOptions;
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{RowWriter, Snapshot, SourceOptions, Table};

/// The tables of a dump, while it is opened, and then.
pub(super) struct DumpSnapshot {
    format: &'static str,
    inputs: Vec<Arc<Input>>,
    session: Session,
    tables: Vec<Box<dyn Table>>,
    has_timestamps: bool,
}

impl DumpSnapshot {
    /// Gives each table its name and its columns their parts; `rows` makes what finds the rows of one.
    ///
    /// # Errors
    ///
    /// Usage where options name columns that no table has.
    pub fn new<T, U: Unsorted + 'static>(
        format: &'static str,
        inputs: Vec<Arc<Input>>,
        session: Session,
        found: Vec<(TableName, super::create::Definition, T)>,
        options: &SourceOptions,
        mut rows: impl FnMut(TableName, Layout, T) -> U,
    ) -> Result<DumpSnapshot> {
        let names: Vec<&TableName> = found.iter().map(|(name, ..)| name).collect();
        let shown = names_of(&names);
        let mut layouts = Vec::with_capacity(found.len());
        for ((name, definition, place), (shown, full_name)) in found.into_iter().zip(shown) {
            let layout = Layout::new(shown.clone(), definition, &options.text);
            layouts.push((shown, full_name, name, layout, place));
        }
        layouts.sort_by(|a, b| a.0.cmp(&b.0));
        Layout::check_options(layouts.iter().map(|(.., layout, _)| layout), &options.text)?;
        let has_timestamps = layouts
            .iter()
            .any(|(.., layout, _)| layout.has_timestamps());
        let path = inputs
            .first()
            .map_or_else(Default::default, |input| input.path().to_owned());
        let sort = SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path,
        };
        let tables = layouts
            .into_iter()
            .map(|(shown, full_name, name, layout, place)| {
                let schema = layout.schema(full_name);
                let rows = rows(name, layout, place);
                Box::new(SortedTable::new(shown, schema, sort.clone(), rows)) as Box<dyn Table>
            })
            .collect();
        Ok(DumpSnapshot {
            format,
            inputs,
            session,
            tables,
            has_timestamps,
        })
    }
}

impl Snapshot for DumpSnapshot {
    fn format(&self) -> &'static str {
        self.format
    }

    fn tables(&self) -> Vec<&dyn Table> {
        self.tables.iter().map(|table| &**table).collect()
    }

    fn check_unchanged(&self) -> Result<()> {
        self.inputs
            .iter()
            .try_for_each(|input| input.check_unchanged())
    }

    fn notes(&self) -> Vec<String> {
        let session = &self.session;
        // Dumps without comments need not tell the zone that mysqldump sets.
        let is_foreign = match &session.time_zone {
            Some(zone) => zone != "+00:00",
            None => session.writer.is_some(),
        };
        if !(self.has_timestamps && is_foreign) {
            return Vec::new();
        }
        let path = self
            .inputs
            .first()
            .map(|input| input.path().display().to_string());
        vec![format!(
            "{}: timestamps are in the time zone of the session that dumped them (--skip-tz-utc); a dump of another zone differs in all of them",
            path.unwrap_or_default()
        )]
    }

    fn describe(&self) -> Vec<(String, String)> {
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "not told".to_owned());
        let bytes: u64 = self.inputs.iter().map(|input| input.len()).sum();
        vec![
            ("bytes".into(), bytes.to_string()),
            ("written by".into(), told(&self.session.writer)),
            ("character set".into(), told(&self.session.charset)),
            ("time zone".into(), told(&self.session.time_zone)),
        ]
    }

    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage(
            "dumps of MySQL can't be written",
            "mend the rows with statements (mdiff cat PATCH --format sql), or turn them into another format with mdiff convert",
        ))
    }
}

/// A guess at the size of a table from its first rows: `sample` pushes them until it is told to stop, each with the bytes read
/// up to it.
pub(super) fn estimate(
    file_bytes: u64,
    sample: impl FnOnce(&mut dyn FnMut(crate::row::Row<'_>, u64) -> Result<()>) -> Result<()>,
) -> crate::source::Estimate {
    const SAMPLE_ROWS: u64 = 200;
    let (mut rows, mut bytes, mut read_to) = (0, 0, 0);
    // A fault in front will be met again by whoever reads.
    let _ = sample(&mut |row, at| {
        rows += 1;
        bytes += row.len_bytes();
        read_to = at;
        match rows < SAMPLE_ROWS {
            true => Ok(()),
            false => Err(crate::error::ErrorKind::Stopped.into()),
        }
    });
    let scaled = |count: u64| match rows < SAMPLE_ROWS || read_to == 0 {
        true => count,
        false => {
            let scaled = u128::from(count) * u128::from(file_bytes) / u128::from(read_to);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        }
    };
    crate::source::Estimate {
        rows: scaled(rows),
        bytes: scaled(bytes),
        file_bytes,
    }
}
