//! JSON lines (`.jsonl`, `.ndjson`) and JSON arrays (`.json`) of objects, as databases and scripts export them.
//!
//! A file is one table, `default`. It holds objects one after the other, with line ends, other white space or nothing between
//! them, or one array of objects; a UTF-8 byte order mark in front is skipped.
//!
//! | what | how it is read |
//! |---|---|
//! | the key | the fields that `--key` names; by name, or `/a/b` for a nested one ([`path`]). A row without one of them, or with null there, is an error |
//! | the value | all other fields ([`crate::row::Schema::Document`], each as [`crate::row::scalar`] says), without those of `--ignore-columns`. A field that is missing is not one that is null |
//! | `--columns` | rows of these fields alone, as text ([`crate::row::Schema::Columns`]): what is null or missing is NULL, and `1` and `"1"` are the same text, as they are in delimited text |
//! | rows as mdiff writes them | `{"key":...,"value":...}`, where the first object is such a row and `--key` does not name other fields: the rows that they were ([`own`]) |
//! | equal | whatever the white space, the order of fields and the spelling of strings and numbers |
//! | refused, with line and offset | what RFC 8259 does not allow, lone surrogates, bytes that are not UTF-8, two fields of one name, what is no object, nesting beyond [`crate::row::json_text::DEPTH_MAX`], exponents beyond 10^15, text behind an array, two rows of one key |
//!
//! Rows are sorted before they are read, in bounded memory. An array is written back as JSON lines.

use std::io::Write;

use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::limits::Limits;
use crate::row::json_text::{Canon, Flaw, Scanned, Scanner};
use crate::row::{Row, escape, scalar};
use crate::source::sort::{SortOptions, Sorter};
use crate::source::sorted_table::{SortedTable, Unsorted};
use crate::source::{
    Detected, Estimate, Format, Reader, RowWriter, Snapshot, SourceOptions, Table, TextOptions,
};

pub mod cut;
pub mod own;
pub mod path;
pub mod records;
pub mod shape;
mod write;

use cut::Part;
use own::OwnForm;
use records::Visit;
use shape::{Fields, RowMaker, Seen, Shape};

/// JSON lines and arrays.
pub const FORMAT: Format = Format {
    name: "jsonl",
    about: "JSON lines (.jsonl, .ndjson) or an array of objects (.json)",
    extensions: &["jsonl", "ndjson", "json"],
    reader: Reader::File { detect, open },
    create: Some(write::create),
};

/// Bytes that are looked at to see what a file is.
const HEAD_BYTES: u64 = 64 << 10;

/// No delimited text starts with an object that has a field, for a quote can't stand inside of an unquoted field.
fn detect(input: &Input) -> Result<Detected> {
    let mut scratch = Vec::new();
    let head = input.head(HEAD_BYTES, &mut scratch)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let (mut canon, mut skipped) = (Canon::default(), Vec::new());
    let mut fields = 0;
    let mut scanner = Scanner::new(head, 0);
    scanner.eat(b'[');
    scanner.skip_white();
    let scanned = scanner.object(&mut |scanner, _, _| {
        skipped.clear();
        canon.push(scanner, &mut skipped)?;
        fields += 1;
        Ok(())
    });
    let is_sound = scanned.map_or_else(|flaw| flaw.is_end, |()| true);
    Ok(if is_sound && fields > 0 {
        Detected::Yes
    } else {
        Detected::Maybe
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let form = Form::of(&input, &options.text)?;
    let schema = match &form {
        Form::Own(own) => own.schema(),
        Form::Documents(shape) => shape.schema(),
    };
    let sort = SortOptions {
        temp_dir: options.file.temp_dir.clone(),
        memory_bytes: options.sort_memory_bytes,
        path: input.path().to_owned(),
    };
    let rows = Rows { input, form };
    Ok(Box::new(JsonLines(SortedTable::new(
        "default".into(),
        schema,
        sort,
        rows,
    ))))
}

/// What the objects of a file are.
enum Form {
    Own(OwnForm),
    Documents(Shape),
}

impl Form {
    fn of(input: &Input, options: &TextOptions) -> Result<Form> {
        let mut first = First::default();
        records::for_each(input, &mut first)?;
        if let Some(own) = OwnForm::of_first(&first.text, options) {
            return Ok(Form::Own(own));
        }
        if options.wanted_key().is_empty() {
            return Err(no_key(input, &first.names));
        }
        Shape::new(options).map(Form::Documents)
    }
}

/// Looks at the first object only.
#[derive(Default)]
struct First {
    canon: Canon,
    text: Vec<u8>,
    names: Vec<String>,
}

impl Visit for First {
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        // In the order of the text, which the canonical text of the whole would lose.
        self.text.clear();
        self.names.clear();
        self.text.push(b'{');
        scanner.object(&mut |scanner, name, _| {
            if !self.names.is_empty() {
                self.text.push(b',');
            }
            self.names.push(String::from_utf8_lossy(name).into_owned());
            crate::row::json_text::push_string(&mut self.text, name);
            self.text.push(b':');
            let start = scanner.clone();
            let mut skipped = Vec::new();
            self.canon.push(scanner, &mut skipped)?;
            self.text.extend_from_slice(start.until(scanner));
            Ok(())
        })?;
        self.text.push(b'}');
        Ok(())
    }

    fn take(&mut self, _: u64) -> Result<bool> {
        Ok(false)
    }
}

fn no_key(input: &Input, names: &[String]) -> Error {
    const SHOWN_MAX: usize = 50;
    let Some(first) = names.first() else {
        return Error::usage(
            format!(
                "{} holds no object with fields, so nothing says what its key is",
                input.path().display()
            ),
            "name the fields of the key with --key",
        );
    };
    let mut list = names
        .iter()
        .take(SHOWN_MAX)
        .map(|name| format!("{:?}", escape(name.as_bytes())))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN_MAX {
        list.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    Error::usage(
        format!(
            "{}: which fields are the key? its first object has {list}",
            input.path().display()
        ),
        format!(
            "name them with --key, such as --key {}; /a/b is the field b inside of a",
            escape(first.as_bytes())
        ),
    )
}

/// A file of JSON, and its one table.
struct JsonLines(SortedTable<Rows>);

struct Rows {
    input: Input,
    form: Form,
}

impl Unsorted for Rows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        let seen = Seen::default();
        cut::push_objects(&self.input, sorter, &|| seen.clear(), &|part, sorter| {
            self.push(part, &seen, sorter)
        })?;
        match &self.form {
            Form::Documents(shape) => match seen.missing(shape) {
                Some(name) => Err(unseen(&self.input, name)),
                None => Ok(()),
            },
            Form::Own(_) => Ok(()),
        }
    }

    fn show_place(&self, place: u64) -> String {
        records::show_place(&self.input, place)
    }

    fn estimate(&self) -> Estimate {
        let bytes = self.input.len();
        Estimate {
            rows: bytes / 100,
            bytes,
            file_bytes: bytes,
        }
    }
}

impl Rows {
    fn push(&self, part: &Part<'_>, seen: &Seen, sorter: &mut Sorter<'_>) -> Result<()> {
        let out = Out::new(&self.input, sorter);
        let shape = match &self.form {
            Form::Own(form) => {
                return part.read(&mut OwnRows {
                    form,
                    out,
                    canon: Canon::default(),
                    key: Vec::new(),
                    value: Vec::new(),
                });
            }
            Form::Documents(shape) => shape,
        };
        let mut documents = Documents {
            maker: RowMaker::new(shape),
            out,
            canon: Canon::default(),
            fields: Fields::default(),
        };
        part.read(&mut documents)?;
        seen.add(&documents.maker, documents.out.rows);
        Ok(())
    }
}

/// The error for a column that no object has: a slip of the pen would else make every row equal in it.
fn unseen(input: &Input, name: &str) -> Error {
    Error::usage(
        format!(
            "--columns: no object of {} has a field {name:?}",
            input.path().display()
        ),
        "name only fields that are there; /a/b is the field b inside of a",
    )
}

/// Where rows go, with the caps on them.
struct Out<'r, 's> {
    input: &'r Input,
    limits: &'r Limits,
    sorter: &'r mut Sorter<'s>,
    rows: u64,
}

impl<'r, 's> Out<'r, 's> {
    fn new(input: &'r Input, sorter: &'r mut Sorter<'s>) -> Out<'r, 's> {
        Out {
            input,
            limits: input.limits(),
            sorter,
            rows: 0,
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8], offset: u64) -> Result<bool> {
        for (what, len, max) in [
            ("key bytes", key.len(), self.limits.key_bytes_max),
            ("value bytes", value.len(), self.limits.value_bytes_max),
        ] {
            if len as u64 > max {
                return Err(ErrorKind::Limit {
                    path: self.input.path().to_owned(),
                    offset,
                    what,
                    value: len as u64,
                    max,
                }
                .into());
            }
        }
        self.rows += 1;
        self.sorter.push(Row { key, value }, offset)?;
        Ok(true)
    }
}

struct Documents<'r, 's> {
    maker: RowMaker<'r>,
    out: Out<'r, 's>,
    canon: Canon,
    fields: Fields,
}

impl Visit for Documents<'_, '_> {
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        let start = scanner.at();
        let most = self.out.limits.columns_max;
        let (canon, fields) = (&mut self.canon, &mut self.fields);
        fields.clear();
        scanner.object(&mut |scanner, name, at| {
            if fields.len() as u64 >= most {
                return Err(Flaw::new(
                    at,
                    format!("an object has more than {most} fields (see --cap columns)"),
                ));
            }
            fields.push(name, at, |out| scalar::push_value(canon, scanner, out))
        })?;
        self.maker.make(fields, start)
    }

    fn take(&mut self, offset: u64) -> Result<bool> {
        let maker = &self.maker;
        self.out.push(&maker.key, &maker.value, offset)
    }
}

struct OwnRows<'r, 's> {
    form: &'r OwnForm,
    out: Out<'r, 's>,
    canon: Canon,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Visit for OwnRows<'_, '_> {
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        self.key.clear();
        self.value.clear();
        self.form
            .read(scanner, &mut self.canon, &mut self.key, &mut self.value)
    }

    fn take(&mut self, offset: u64) -> Result<bool> {
        self.out.push(&self.key, &self.value, offset)
    }
}

impl Snapshot for JsonLines {
    fn format(&self) -> &'static str {
        FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![&self.0]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.0.rows().input.check_unchanged()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let rows = self.0.rows();
        let is = match &rows.form {
            Form::Own(_) => "rows as mdiff writes them",
            Form::Documents(_) => "documents",
        };
        vec![
            ("bytes".into(), rows.input.len().to_string()),
            ("objects".into(), is.into()),
        ]
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        let leaves_some_out = match &self.0.rows().form {
            Form::Own(own) => own.leaves_some_out(),
            Form::Documents(shape) => shape.leaves_some_out(),
        };
        if leaves_some_out {
            return Err(Error::usage(
                "some fields were left out by --columns or --ignore-columns and would be missing in the output",
                "read all fields to write the same kind of file",
            ));
        }
        write::create(out, self.0.schema(), &SourceOptions::default())
    }
}

#[cfg(test)]
mod tests;
