//! Archives of pg_dump: custom files, directories and tar files. All have the same table of contents, and the rows of each table as
//! COPY text (or INSERT statements) of its own.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use super::catalog::{Catalog, Place, RowForm, Section};
use super::chunks::Chunks;
use super::ddl::{Statement, TableName, parse};
use super::lexer::Lexer;
use super::toc::{Container, DataPlace, Entry, Toc, integer};
use super::window::{Where, Window};
use crate::error::{Error, Result};
use crate::file::input::Input;

/// Rows of a table, or of none.
const BLOCK_DATA: u8 = 1;
/// Large objects.
const BLOCK_BLOBS: u8 = 3;

/// Finds the tables of an archive. `folder` is where a directory's files lie.
///
/// # Errors
///
/// Those of reading; Damaged where the archive contradicts itself.
pub(super) fn read(
    input: &Input,
    container: Container,
    folder: &Path,
    catalog: &mut Catalog,
) -> Result<Toc> {
    let members = match container {
        Container::Tar => members(input)?,
        _ => HashMap::new(),
    };
    let range = match container {
        Container::Tar => members.get("toc.dat").cloned().ok_or_else(|| {
            Error::damaged(input.path(), 0, "a tar file without a member toc.dat")
        })?,
        _ => 0..input.len(),
    };
    let toc = Toc::read(input, range.start, range.end, container)?;
    let mut blocks = None;
    let mut places = HashSet::new();
    for entry in &toc.entries {
        let statements = statements(input, entry, &entry.definition, catalog)?;
        match entry.kind.as_str() {
            "TABLE DATA" => {}
            "BLOBS" | "BLOB" | "BLOB METADATA" => {
                catalog.tell_large_objects();
                continue;
            }
            _ => {
                statements
                    .into_iter()
                    .for_each(|statement| catalog.tell(statement));
                continue;
            }
        }
        let place = match &entry.place {
            DataPlace::None => continue,
            DataPlace::Offset(offset) => block(input, &toc, *offset, entry.dump_id)?,
            DataPlace::Unknown => {
                let blocks = match &mut blocks {
                    Some(blocks) => blocks,
                    none => none.insert(all_blocks(input, &toc)?),
                };
                match blocks.get(&entry.dump_id) {
                    Some(offset) => Place::Chunks(*offset),
                    None => return Err(missing(input, entry, "has no block of rows")),
                }
            }
            DataPlace::Named(name) if container == Container::Tar => {
                let range = members.get(name);
                let range =
                    range.ok_or_else(|| missing(input, entry, &format!("has no member {name}")))?;
                Place::Range(range.clone())
            }
            DataPlace::Named(name) => Place::File(file_of(input, folder, name, entry)?),
        };
        let mut copy = self::statements(input, entry, &entry.copy, catalog)?.into_iter();
        let (name, form, columns) = match copy.next() {
            Some(Statement::Copy(name, columns)) => (name, RowForm::Copy, columns),
            None => {
                let name = TableName {
                    schema: entry.schema.clone(),
                    table: entry.tag.clone(),
                };
                (name, RowForm::Insert, None)
            }
            Some(_) => {
                return Err(Error::unsupported(
                    input.path(),
                    format!("the rows of {} come by a COPY that is not known", entry.tag),
                    "mdiff reads COPY table (columns) FROM stdin; and its rows in COPY's text form",
                ));
            }
        };
        if !places.insert(place.clone()) {
            return Err(missing(
                input,
                entry,
                "has those of another entry at its place",
            ));
        }
        let section = Section {
            place,
            form,
            columns,
            standard_strings: catalog.standard_strings,
        };
        catalog.tell_rows(name, section);
    }
    Ok(toc)
}

fn missing(input: &Input, entry: &Entry, what: &str) -> Error {
    Error::damaged(
        input.path(),
        0,
        format!(
            "the table of contents tells of rows of {}, which {what},",
            entry.tag
        ),
    )
}

/// The statements of an entry. Old archives name tables without their schema, which the entry tells.
fn statements(
    input: &Input,
    entry: &Entry,
    text: &[u8],
    catalog: &mut Catalog,
) -> Result<Vec<Statement>> {
    catalog.schema.clone_from(&entry.schema);
    let place = Where::Part(format!("the entry {} {}", entry.kind, entry.tag));
    let window = Window::of_bytes(text.to_vec(), input, 0, place);
    let mut lexer = Lexer::new(window);
    lexer.standard_strings = catalog.standard_strings;
    let mut statements = Vec::new();
    // Other entries tell nothing of tables, and may be of anything.
    let concerns_tables = matches!(
        entry.kind.as_str(),
        "TABLE"
            | "TYPE"
            | "FOREIGN TABLE"
            | "CONSTRAINT"
            | "TABLE DATA"
            | "ENCODING"
            | "STDSTRINGS"
            | "MATERIALIZED VIEW"
            | "SEQUENCE SET"
    );
    while concerns_tables && let Some(first) = lexer.token()? {
        if first.is_symbol(b';') {
            continue;
        }
        let mut tokens = vec![first];
        lexer.statement(&mut tokens, true)?;
        statements.push(parse(&tokens));
    }
    Ok(statements)
}

/// The chunks of the block at `offset`, which must be that of this entry.
fn block(input: &Input, toc: &Toc, offset: u64, dump_id: i64) -> Result<Place> {
    let (kind, id, chunks) = block_head(input, toc, offset)?;
    if kind != BLOCK_DATA || id != dump_id {
        return Err(Error::damaged(
            input.path(),
            offset,
            format!("a block of kind {kind} and number {id}, where rows of number {dump_id} are"),
        ));
    }
    Ok(Place::Chunks(chunks))
}

/// Kind and number of a block, and where it goes on.
fn block_head(input: &Input, toc: &Toc, offset: u64) -> Result<(u8, i64, u64)> {
    let mut scratch = Vec::new();
    let kind = match input.read(offset, 1, &mut scratch)? {
        [kind] => *kind,
        _ => 0,
    };
    let id = integer(input, offset + 1, toc.int_len, &mut scratch)?;
    Ok((kind, id, offset + 2 + u64::from(toc.int_len)))
}

/// Where the chunks of each block of rows start, of a file whose writer could not go back to say so.
fn all_blocks(input: &Input, toc: &Toc) -> Result<HashMap<i64, u64>> {
    let mut blocks = HashMap::new();
    let mut at = toc.end;
    let mut scratch = Vec::new();
    while at < input.len() {
        let (kind, id, mut behind) = block_head(input, toc, at)?;
        match kind {
            BLOCK_DATA => {
                blocks.insert(id, behind);
                at = Chunks::new(input, behind, toc.int_len).skip()?;
            }
            BLOCK_BLOBS => {
                while integer(input, behind, toc.int_len, &mut scratch)? != 0 {
                    let chunks = behind + 1 + u64::from(toc.int_len);
                    behind = Chunks::new(input, chunks, toc.int_len).skip()?;
                }
                at = behind + 1 + u64::from(toc.int_len);
            }
            // Since PostgreSQL 16, of pg_dump -Fc > FILE: the table of contents, now with offsets, was to go over the first one. It
            // goes to the end, as pg_dump sets its standard output to append.
            0 if toc.is_again_at(input, at)? => break,
            other => {
                return Err(Error::damaged(
                    input.path(),
                    at,
                    format!("a block of kind {other}, which is none that is known,"),
                ));
            }
        }
    }
    Ok(blocks)
}

/// The file of a table's rows, as it is or compressed.
fn file_of(input: &Input, folder: &Path, name: &str, entry: &Entry) -> Result<std::path::PathBuf> {
    let plain = Path::new(name);
    if plain.file_name() != Some(plain.as_os_str()) {
        return Err(missing(
            input,
            entry,
            &format!("are to be in {name:?}, outside of the folder"),
        ));
    }
    let found = ["", ".gz", ".lz4", ".zst"]
        .iter()
        .map(|extension| folder.join(format!("{name}{extension}")))
        .find(|path| path.is_file());
    found.ok_or_else(|| missing(input, entry, &format!("has no file {name} in the folder")))
}

/// Size of tar's blocks.
const TAR_BLOCK: u64 = 512;

/// The members of a tar file, and where their content lies.
fn members(input: &Input) -> Result<HashMap<String, Range<u64>>> {
    let mut members = HashMap::new();
    let mut scratch = Vec::new();
    let mut at = 0;
    loop {
        let header = input.read(at, TAR_BLOCK, &mut scratch)?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(members);
        }
        let bad =
            |what: &str| Error::damaged(input.path(), at, format!("a tar header with {what}"));
        let field = |range: Range<usize>| header.get(range).unwrap_or_default();
        let sum: u64 = header
            .iter()
            .enumerate()
            .map(|(at, byte)| match at {
                148..156 => u64::from(b' '),
                _ => u64::from(*byte),
            })
            .sum();
        if number(field(148..156)) != Some(sum) {
            return Err(bad("a wrong checksum"));
        }
        let name = field(0..100).split(|byte| *byte == 0).next();
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let size = number(field(124..136)).ok_or_else(|| bad("a size that is no number"))?;
        let start = at + TAR_BLOCK;
        let end = start
            .checked_add(size)
            .filter(|end| *end <= input.len())
            .ok_or_else(|| bad("a size beyond the end of the file"))?;
        members.insert(name, start..end);
        at = end.next_multiple_of(TAR_BLOCK);
    }
}

/// A number of a tar header: octal digits, or, with the first bit set, the bytes of a large one.
fn number(field: &[u8]) -> Option<u64> {
    if let [first @ 0x80..=0xff, rest @ ..] = field {
        return rest
            .iter()
            .try_fold(u64::from(first & 0x7f), |value, byte| {
                value.checked_mul(256)?.checked_add(u64::from(*byte))
            });
    }
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}
