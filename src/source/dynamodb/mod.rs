//! Exports of DynamoDB to S3, as they lie in the bucket.
//!
//! Written after AWS's documentation of the layout; no export of the real service was at hand.
//!
//! ```text
//! PREFIX/AWSDynamoDB/EXPORT-ID/manifest-summary.json   what it is; .checksum or .md5: MD5 in base64
//!                             /manifest-files.json     a line for each data file: items, MD5, key in the bucket
//!                             /data/NAME.json.gz       a line for each item: {"Item":{"pk":{"S":"a"},...}}
//! PREFIX/AWSDynamoDB/data/NAME.json.gz                 of an incremental export, a line for each changed item:
//!                      {"Metadata":{...},"Keys":{...},"NewImage":{...},"OldImage":{...}}
//! ```
//!
//! A snapshot is the folder of the bucket, of the prefix or of the export, or a folder of loose data files, or one such file. It is one
//! table, `default`, whatever the table was called: a restored table has another name. Its rows are documents
//! ([`crate::row::Schema::Document`]) with the attributes as fields ([`attribute`]); the key, which no export tells, is what
//! `--key` names: the partition key, then the sort key if there is one.
//!
//! Checked: the MD5 of the manifests and of each data file, the number of items of each and of all, that no key stands twice.
//! Data files are found by what stands behind `AWSDynamoDB/` in their keys, and never outside of the export's folder.
//!
//! Refused: the Amazon Ion format, by name; an incremental export as a snapshot (see [`incremental`]); several exports below one
//! folder, with a list of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file::input::{FileOptions, Input};
use crate::row::json_text::{Scanned, Scanner};
use crate::source::jsonl::cut::{self, Part};
use crate::source::jsonl::records;
use crate::source::jsonl::shape::{Seen, Shape};
use crate::source::sort::{SortOptions, Sorter};
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{
    Detected, Estimate, Format, Reader, RowWriter, Snapshot, SourceOptions, Table, TextOptions,
};

pub mod attribute;
mod folder;
pub mod incremental;
mod lines;
mod manifest;
mod write;

use lines::Lines;
use manifest::{DataFile, Kind, Summary};

/// Folders with an export.
pub const FORMAT: Format = Format {
    name: "dynamodb",
    about: "a folder with an export of DynamoDB to S3",
    extensions: &[],
    reader: Reader::Folder {
        detect: folder::detect,
        open: open_folder,
    },
    create: None,
};

/// One data file of an export.
pub const FILE_FORMAT: Format = Format {
    name: "dynamodb-json",
    about: "a data file of an export of DynamoDB: one {\"Item\":...} a line",
    extensions: &["ddbjson"],
    reader: Reader::File {
        detect: detect_file,
        open: open_file,
    },
    create: Some(write::create),
};

/// What the lines of data files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Items,
    Changes,
}

fn detect_file(input: &Input) -> Result<Detected> {
    Ok(match kind_of_first(input)? {
        Some(_) => Detected::Yes,
        None => Detected::No,
    })
}

/// What the first line of a data file says that it holds; `None` where it is none of a data file.
fn kind_of_first(input: &Input) -> Result<Option<Content>> {
    let mut scratch = Vec::new();
    let head = input.head(64 << 10, &mut scratch)?;
    Ok(kind_of_line(&mut Scanner::new(head, 0)).ok().flatten())
}

fn kind_of_line(scanner: &mut Scanner<'_>) -> Scanned<Option<Content>> {
    let mut name = Vec::new();
    let mut open_member = |scanner: &mut Scanner<'_>| {
        name.clear();
        if scanner.eat(b'{') {
            scanner.string(&mut name)?;
        }
        scanner.eat(b':');
        Ok(name.clone())
    };
    let content = match open_member(scanner)?.as_slice() {
        b"Item" => Content::Items,
        b"Metadata" | b"Keys" | b"NewImage" | b"OldImage" => Content::Changes,
        _ => return Ok(None),
    };
    open_member(scanner)?;
    let attribute_type = open_member(scanner)?;
    let is_type = matches!(
        attribute_type.as_slice(),
        b"S" | b"N" | b"B" | b"BOOL" | b"NULL" | b"L" | b"M" | b"SS" | b"NS" | b"BS"
    );
    Ok(is_type.then_some(content))
}

/// What the first file that is not empty holds.
fn content_of(files: &[DataFile], options: &FileOptions) -> Result<Content> {
    for file in files {
        let input = Input::open(&file.path, options)?;
        if let Some(content) = kind_of_first(&input)? {
            return Ok(content);
        }
        if !input.is_empty() {
            return Err(records::damaged(
                &input,
                0,
                "this is no line of an export of DynamoDB, {\"Item\":{...}}",
            ));
        }
    }
    Ok(Content::Items)
}

fn open_folder(path: &Path, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let found = folder::find(path, &options.file)?;
    open(
        Data {
            path: path.to_owned(),
            summary: found.summary,
            content: found.content,
            lines: DataLines::Files(found.files),
            options: options.file.clone(),
        },
        options,
    )
}

fn open_file(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    open(Data::of_file(input)?, options)
}

fn open(data: Data, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    if data.content == Content::Changes {
        return Err(Error::usage(
            format!(
                "{} is an incremental export: changes, and no table",
                data.path.display()
            ),
            "make a patch of it and the full export before it: mdiff convert EXPORT --base FULL -o fix.mpatch",
        ));
    }
    let shape = shape_of(&data, &options.text)?;
    let schema = shape.schema();
    let sort = data.sort_options(options);
    let rows = Items { data, shape };
    let table = SortedTable::new("default".into(), schema, sort, rows);
    Ok(Box::new(Export(table)))
}

/// The shape of the rows, by the options.
///
/// # Errors
///
/// Usage, where no key is named, with the attributes that could be it, or a nested one is.
fn shape_of(data: &Data, options: &TextOptions) -> Result<Shape> {
    if options.wanted_key().is_empty() {
        let candidates = data.key_candidates()?;
        let mut what = format!(
            "{}: which attributes are the key? an export does not tell",
            data.path.display()
        );
        if !candidates.is_empty() {
            what.push_str(&format!("; it could be of: {}", candidates.join(", ")));
        }
        return Err(Error::usage(
            what,
            "name the partition key, and the sort key if there is one: --key pk,sk",
        ));
    }
    let shape = Shape::new(options)?;
    match shape.nested_key() {
        None => Ok(shape),
        Some(name) => Err(Error::usage(
            format!("--key: {name:?} is inside of another attribute"),
            "the attributes of a key stand by themselves: --key pk,sk",
        )),
    }
}

/// The data files of an export and what is known of them.
struct Data {
    path: PathBuf,
    summary: Option<Summary>,
    content: Content,
    lines: DataLines,
    options: FileOptions,
}

enum DataLines {
    Files(Vec<DataFile>),
    /// One file, open already.
    Input(Box<Input>),
}

/// Bits of a place that are the offset in a file; the others are the file's number.
const OFFSET_BITS: u32 = 40;

impl Data {
    /// One loose data file.
    fn of_file(input: Input) -> Result<Data> {
        Ok(Data {
            path: input.path().to_owned(),
            summary: None,
            content: kind_of_first(&input)?.unwrap_or(Content::Items),
            options: input.options().clone(),
            lines: DataLines::Input(Box::new(input)),
        })
    }

    fn sort_options(&self, options: &SourceOptions) -> SortOptions {
        SortOptions {
            temp_dir: options.file.temp_dir.clone(),
            memory_bytes: options.sort_memory_bytes,
            path: self.path.clone(),
        }
    }

    /// Pushes the row of every line of every file, checking each file against the manifest.
    fn push_all(&self, shape: &Shape, sorter: &mut Sorter<'_>) -> Result<()> {
        let seen = Seen::default();
        match &self.lines {
            DataLines::Input(input) => {
                cut::push_objects(input, sorter, &|| seen.clear(), &|part, sorter| {
                    Lines::new(shape, self.content, &seen, sorter).read(input, part, 0)
                })?;
            }
            DataLines::Files(files) => {
                let files: Vec<_> = files.iter().zip(0u64..).collect();
                sorter.push_parts(&files, |(file, index), sorter| {
                    let lines = Lines::new(shape, self.content, &seen, sorter);
                    self.push_file(file, *index, lines)
                })?;
            }
        }
        match seen.missing(shape) {
            Some(name) => Err(Error::usage(
                format!(
                    "--columns: no item of {} has an attribute {name:?}",
                    self.path.display()
                ),
                "name only attributes that are there",
            )),
            None => Ok(()),
        }
    }

    fn push_file(&self, file: &DataFile, index: u64, mut lines: Lines<'_, '_>) -> Result<()> {
        if let Some(claim) = &file.claim {
            manifest::check_md5(&file.path, &claim.md5, &self.options)?;
        }
        let input = Input::open(&file.path, &self.options)?;
        let read = lines.read(&input, &Part::whole(&input), index);
        read.map_err(|error| input.explain(error))?;
        let items = lines.count();
        if let Some(claim) = file.claim.as_ref().filter(|claim| claim.items != items) {
            let what = format!("it holds {items} items, the manifest says {}", claim.items);
            return Err(Error::damaged(&file.path, input.len(), what));
        }
        input.check_unchanged()
    }

    fn show_place(&self, place: u64) -> String {
        let offset = place & ((1 << OFFSET_BITS) - 1);
        match &self.lines {
            DataLines::Input(input) => records::show_place(input, offset),
            DataLines::Files(files) => {
                let file = usize::try_from(place >> OFFSET_BITS).ok();
                let file = file.and_then(|index| files.get(index));
                let path = file.map_or(self.path.display(), |file| file.path.display());
                format!("{path}, offset {offset} of its text")
            }
        }
    }

    fn file_bytes(&self) -> u64 {
        match &self.lines {
            DataLines::Input(input) => input.len(),
            DataLines::Files(files) => files
                .iter()
                .filter_map(|file| std::fs::metadata(&file.path).ok())
                .map(|metadata| metadata.len())
                .sum(),
        }
    }

    fn estimate(&self) -> Estimate {
        let bytes = match &self.lines {
            DataLines::Input(_) => self.file_bytes(),
            // Text of this kind compresses well.
            DataLines::Files(_) => self.file_bytes().saturating_mul(5),
        };
        let said = self.summary.as_ref().and_then(|summary| summary.items);
        Estimate {
            rows: said.unwrap_or(bytes / 200),
            bytes,
            file_bytes: bytes,
        }
    }

    /// The attributes that could be a key, by the first lines: those that every item has, of a type that a key may have.
    fn key_candidates(&self) -> Result<Vec<String>> {
        let mut candidates = lines::Candidates::default();
        match &self.lines {
            DataLines::Input(input) => records::for_each(input, &mut candidates)?,
            DataLines::Files(files) => {
                for file in files {
                    records::for_each(&Input::open(&file.path, &self.options)?, &mut candidates)?;
                    if candidates.has_items() {
                        break;
                    }
                }
            }
        }
        Ok(candidates.names())
    }

    fn describe(&self) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        if let Some(summary) = &self.summary {
            facts.push(("table of the export".into(), summary.table.clone()));
            if let Kind::Full { time } = &summary.kind {
                facts.push(("export time".into(), time.clone()));
            }
        }
        if let DataLines::Files(files) = &self.lines {
            facts.push(("data files".into(), files.len().to_string()));
        }
        facts.push(("bytes".into(), self.file_bytes().to_string()));
        facts
    }
}

/// A full export, and its one table.
struct Export(SortedTable<Items>);

/// The lines of an export, of items or of changes.
struct Items {
    data: Data,
    shape: Shape,
}

impl Unsorted for Items {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        self.data.push_all(&self.shape, sorter)
    }

    fn show_place(&self, place: u64) -> String {
        self.data.show_place(place)
    }

    fn estimate(&self) -> Estimate {
        self.data.estimate()
    }
}

impl Snapshot for Export {
    fn format(&self) -> &'static str {
        FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![&self.0]
    }

    /// Each file was seen to be unchanged once it was read, and is not read again.
    fn check_unchanged(&self) -> Result<()> {
        match &self.0.rows().data.lines {
            DataLines::Input(input) => input.check_unchanged(),
            DataLines::Files(_) => Ok(()),
        }
    }

    fn describe(&self) -> Vec<(String, String)> {
        self.0.rows().data.describe()
    }

    fn written_format(&self) -> &'static str {
        FILE_FORMAT.name
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        if self.0.rows().shape.leaves_some_out() {
            return Err(Error::usage(
                "some attributes were left out by --columns or --ignore-columns and would be missing in the output",
                "read all attributes to write the same kind of file",
            ));
        }
        write::create(out, self.0.schema(), &SourceOptions::default())
    }
}

#[cfg(test)]
mod tests;
