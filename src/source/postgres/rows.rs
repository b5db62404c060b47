//! The rows of one table of a dump, wherever they lie.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::catalog::{Place, RowForm, Section};
use super::chunks::{Chunks, Compression};
use super::copy_text::{self, CopyStyle};
use super::cut;
use super::insert;
use super::layout::{Layout, RowBuilder};
use super::lexer::Lexer;
use super::window::{FileRange, Where, Window, line_of};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::file::unpack::{self, Packing};
use crate::row::Row;
use crate::source::Estimate;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;

/// A table's sections, and how to read them.
pub(super) struct DumpRows {
    /// The dump; of a directory, its toc.dat.
    pub input: Arc<Input>,
    /// How the table is named in messages.
    pub name: String,
    pub layout: Layout,
    pub sections: Vec<Section>,
    /// Whether offsets are those of a text that a person can open.
    pub is_text: bool,
    /// How chunks are compressed.
    pub compression: Compression,
    /// The size of integers in chunks.
    pub int_len: u8,
    /// Bytes of the sections, as they lie in files.
    pub file_bytes: u64,
}

/// Offsets in sections behind the first are told apart by the bits from here on.
const SECTION_SHIFT: u32 = 48;

impl DumpRows {
    fn read_section(&self, section: &Section, number: u64, sorter: &mut Sorter<'_>) -> Result<()> {
        let at = |offset: u64| match section.place {
            Place::Range(_) => offset,
            _ => offset | number << SECTION_SHIFT,
        };
        let part = || Where::Part(self.name.clone());
        match &section.place {
            Place::Range(range) => {
                let parts = match section.form {
                    RowForm::Copy => cut::at_rows(&self.input, range.clone())?,
                    RowForm::Insert => vec![range.clone()],
                };
                sorter.push_parts(&parts, |part, sorter| {
                    let place = match self.is_text {
                        true => Where::Text(&self.input),
                        false => Where::Binary,
                    };
                    let window = Window::of_range(&self.input, part.start, part.end, place);
                    let is_last = part.end == range.end;
                    self.read_window(window, section, is_last, &at, sorter)
                })
            }
            Place::Chunks(offset) => {
                let chunks = Chunks::new(&self.input, *offset, self.int_len);
                let position = chunks.position();
                let source = self
                    .compression
                    .decoder(chunks)
                    .map_err(|e| Error::io("decompressing", self.input.path(), e))?;
                let window = Window::new(source, position, &self.input, 0, part());
                self.read_stream(window, &self.input, section, &at, sorter)
            }
            Place::File(path) => {
                let file = Input::open_plain(path, self.input.options())?;
                let range = FileRange::new(&file, 0, file.len());
                let position = range.position();
                let source: Box<dyn Read + Send + '_> = match packing_of(path) {
                    Some(packing) => unpack::decoder(packing, range)
                        .map_err(|e| Error::io("decompressing", path, e))?,
                    None => Box::new(range),
                };
                let window = Window::new(source, position, &file, 0, part());
                let read = self.read_stream(window, &file, section, &at, sorter);
                read.map_err(|error| file.explain(error))?;
                file.check_unchanged()
            }
        }
    }

    /// Reads the rows of a section that can only be read from its front.
    fn read_stream(
        &self,
        window: Window<'_>,
        input: &Input,
        section: &Section,
        at: &(dyn Fn(u64) -> u64 + Sync),
        sorter: &mut Sorter<'_>,
    ) -> Result<()> {
        if section.form == RowForm::Insert || rayon::current_num_threads() == 1 {
            return sorter
                .push_beside(|sorter| self.read_window(window, section, true, at, sorter));
        }
        sorter.push_each(cut::Blocks::new(window), |block, sorter| {
            let place = Where::Part(self.name.clone());
            let window = Window::of_bytes(block.bytes, input, block.offset, place);
            self.read_window(window, section, block.is_last, at, sorter)
        })
    }

    /// Reads the rows of a section, or of a part of it; `is_last` where the section ends with it.
    fn read_window(
        &self,
        mut window: Window<'_>,
        section: &Section,
        is_last: bool,
        at: &dyn Fn(u64) -> u64,
        sorter: &mut Sorter<'_>,
    ) -> Result<()> {
        let mut sink = |row: Row<'_>, offset: u64| sorter.push(row, at(offset));
        match section.form {
            RowForm::Copy => {
                let mut row = self.builder(&window, section.columns.as_deref())?;
                let style = CopyStyle {
                    needs_end_mark: is_last,
                    ..CopyStyle::default()
                };
                let end = copy_text::read(&mut window, &style, &mut row, &mut sink)?;
                copy_text::nothing_behind(&mut window, end, is_last)
            }
            RowForm::Insert => {
                let mut lexer = Lexer::new(window);
                lexer.standard_strings = section.standard_strings;
                let builder =
                    |lexer: &Lexer<'_>, columns: Option<&[String]>| self.builder(lexer, columns);
                insert::read(&mut lexer, &builder, &mut sink)
            }
        }
    }

    fn builder(&self, window: &Window<'_>, columns: Option<&[String]>) -> Result<RowBuilder> {
        self.layout.builder(columns).map_err(|column| {
            window.damaged_here(format!(
                "the rows of {} and its CREATE TABLE have other columns: {column:?} is in one only,",
                self.name
            ))
        })
    }
}

impl Unsorted for DumpRows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        for (section, number) in self.sections.iter().zip(0..) {
            self.read_section(section, number, sorter)
                .map_err(|error| self.input.explain(error))?;
        }
        Ok(())
    }

    fn twice(&self) -> Twice {
        self.layout.twice()
    }

    fn show_place(&self, place: u64) -> String {
        if self.is_text
            && let Ok(line) = line_of(&self.input, place)
        {
            return format!("line {line}, offset {place}");
        }
        let is_plain = matches!(
            self.sections.first().map(|section| &section.place),
            Some(Place::Range(_))
        );
        match is_plain {
            true => format!("offset {place}"),
            false => {
                let offset = place & ((1 << SECTION_SHIFT) - 1);
                format!("offset {offset} of its decompressed data")
            }
        }
    }

    fn estimate(&self) -> Estimate {
        let bytes = match self.compression {
            Compression::None => self.file_bytes,
            _ => self.file_bytes.saturating_mul(4),
        };
        Estimate {
            rows: bytes / 200,
            bytes,
            file_bytes: self.file_bytes,
        }
    }
}

/// What the file of a table in a directory is compressed with, by its name.
fn packing_of(path: &Path) -> Option<Packing> {
    match path.extension()?.to_str()? {
        "gz" => Some(Packing::Gzip),
        "lz4" => Some(Packing::Lz4),
        "zst" => Some(Packing::Zstd),
        _ => None,
    }
}
