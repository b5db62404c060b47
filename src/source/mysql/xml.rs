//! The XML of `mysqldump --xml`.
//!
//! It is read as the tool writes it, not as XML at large: bytes are raw (so it need not be UTF-8, and may hold what XML forbids), and
//! only `<`, `>`, `&` and `"` are entities. So no tag can stand inside a value, and the rows of a table end at `</table_data>`.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::{memchr, memmem};

use super::create::{Column, Definition};
use super::layout::{Encoder, Layout};
use super::lex::Stop;
use super::session::Session;
use super::snapshot::{DumpSnapshot, estimate};
use super::statements::TableName;
use super::values::{Field, Form};
use super::window::{Window, first_part, show_place};
use crate::error::Result;
use crate::file::input::Input;
use crate::row::Row;
use crate::row::sql::mysql::Kind;
use crate::source::sort::{Sorter, Twice};
use crate::source::sorted_table::Unsorted;
use crate::source::{Detected, Estimate, SourceOptions};

const ROWS_END: &[u8] = b"</table_data>";

/// Known by the element that holds all others.
pub(super) fn detect(input: &Input) -> Result<Detected> {
    let mut scratch = Vec::new();
    let head = input.head(4 << 10, &mut scratch)?;
    Ok(match memmem::find(head, b"<mysqldump") {
        Some(_) => Detected::Yes,
        None => Detected::No,
    })
}

/// A tag: its name, what stands behind that, and the position behind the tag.
struct Tag<'b> {
    name: &'b [u8],
    attributes: &'b [u8],
    end: usize,
}

impl<'b> Tag<'b> {
    /// The next tag, past any text; `None` where none is left.
    fn next(bytes: &'b [u8], may_go_on: bool) -> Result<Option<Tag<'b>>, Stop> {
        let mut pos = 0;
        loop {
            let rest = bytes.get(pos..).unwrap_or_default();
            let Some(at) = memchr(b'<', rest) else {
                return match may_go_on {
                    true => Err(Stop::Incomplete),
                    false => Ok(None),
                };
            };
            let tag = rest.get(at + 1..).unwrap_or_default();
            let end = match tag {
                // What triggers and routines are made of, and comments.
                [b'!', b'[', ..] => memmem::find(tag, b"]]>").map(|len| len + 3),
                [b'!', b'-', ..] => memmem::find(tag, b"-->").map(|len| len + 3),
                [] | [b'!'] => None,
                _ => {
                    let len = memchr(b'>', tag).ok_or(Stop::Incomplete)?;
                    let inside = tag.get(..len).unwrap_or_default();
                    let name_len = inside
                        .iter()
                        .position(u8::is_ascii_whitespace)
                        .unwrap_or(len);
                    let (name, attributes) = inside.split_at(name_len);
                    return Ok(Some(Tag {
                        name,
                        attributes,
                        end: pos + at + 1 + len + 1,
                    }));
                }
            };
            pos += at + 1 + end.ok_or(Stop::Incomplete)?;
        }
    }

    /// The raw text of an attribute.
    fn raw(&self, name: &str) -> Option<&'b [u8]> {
        let mut rest = self.attributes;
        loop {
            let at = memchr(b'=', rest)?;
            let key = rest.get(..at)?.trim_ascii();
            let text = rest.get(at + 1..)?.strip_prefix(b"\"")?;
            let len = memchr(b'"', text)?;
            if key == name.as_bytes() {
                return text.get(..len);
            }
            rest = text.get(len + 1..)?;
        }
    }

    /// The text of an attribute.
    fn get(&self, name: &str) -> Result<Option<String>, Stop> {
        self.raw(name).map(name_of).transpose()
    }

    fn need(&self, name: &str) -> Result<String, Stop> {
        let missing = || Stop::flaw(0, format!("a tag has no attribute {name}"));
        self.get(name)?.ok_or_else(missing)
    }
}

fn name_of(raw: &[u8]) -> Result<String, Stop> {
    let mut text = Vec::with_capacity(raw.len());
    unescape(&mut text, raw).map_err(|what| Stop::flaw(0, what))?;
    String::from_utf8(text).map_err(|_| Stop::flaw(0, "a name that is not UTF-8"))
}

/// A table of the file: its columns, and where its rows lie.
#[derive(Default)]
struct Found {
    definition: Definition,
    rows: Option<(u64, u64)>,
}

/// What the tags so far have opened.
#[derive(Default)]
struct Reader {
    database: Option<String>,
    table: Option<TableName>,
    tables: BTreeMap<TableName, Found>,
    is_closed: bool,
}

/// What follows a tag.
enum Next {
    Tag,
    Rows(TableName),
    End,
}

impl Reader {
    fn tag(&mut self, tag: &Tag<'_>) -> Result<Next, Stop> {
        match tag.name {
            b"database" => self.database = Some(tag.need("name")?),
            b"table_structure" => {
                let name = self.name(tag.need("name")?);
                if self.tables.insert(name.clone(), Found::default()).is_some() {
                    let what = format!("the table {:?} stands twice", name.table);
                    return Err(Stop::flaw(0, what));
                }
                self.table = Some(name);
            }
            b"/table_structure" => self.table = None,
            b"table_data" => return Ok(Next::Rows(self.name(tag.need("name")?))),
            b"field" => {
                let column = column(tag)?;
                if let Some(definition) = self.definition() {
                    definition.columns.push(column);
                }
            }
            b"key" if tag.raw("Non_unique") == Some(b"0") => {
                let name = tag.need("Key_name")?;
                let is_first = tag.raw("Seq_in_index") == Some(b"1");
                // A part that is an expression has no column, and its key tells nothing.
                let column = tag.get("Column_name")?.unwrap_or_default();
                if let Some(definition) = self.definition() {
                    if name == "PRIMARY" {
                        definition.primary.push(column);
                    } else if is_first {
                        definition.unique.push(vec![column]);
                    } else if let Some(key) = definition.unique.last_mut() {
                        key.push(column);
                    }
                }
            }
            b"options" if tag.raw("Comment") == Some(b"VIEW") && tag.raw("Engine").is_none() => {
                if let Some(view) = self.table.take() {
                    self.tables.remove(&view);
                }
            }
            b"/mysqldump" => self.is_closed = true,
            _ => {}
        }
        Ok(Next::Tag)
    }

    fn name(&self, table: String) -> TableName {
        TableName {
            database: self.database.clone(),
            table,
        }
    }

    fn definition(&mut self) -> Option<&mut Definition> {
        let found = self.tables.get_mut(self.table.as_ref()?)?;
        Some(&mut found.definition)
    }
}

fn column(tag: &Tag<'_>) -> Result<Column, Stop> {
    let sql_type = tag.need("Type")?;
    Ok(Column {
        name: tag.need("Field")?,
        kind: Kind::of_type(&sql_type),
        sql_type,
        not_null: tag.raw("Null") == Some(b"NO"),
        generated: tag.get("Extra")?.is_some_and(|extra| {
            extra.ends_with("VIRTUAL GENERATED") || extra.ends_with("STORED GENERATED")
        }),
    })
}

/// Opens a file of XML.
///
/// # Errors
///
/// Damaged; Usage where options name columns that no table has.
pub(super) fn open(input: Input, options: &SourceOptions) -> Result<DumpSnapshot> {
    let mut window = Window::new(&input, 0);
    let mut reader = Reader::default();
    loop {
        let next = window.parse("a tag", |bytes, may_go_on| {
            match Tag::next(bytes, may_go_on)? {
                Some(tag) => Ok((reader.tag(&tag)?, tag.end)),
                None => Ok((Next::End, bytes.len())),
            }
        })?;
        match next {
            Next::Tag => {}
            Next::End => break,
            Next::Rows(name) => {
                let start = window.pos();
                let end = skip_rows(&mut window)?;
                let found = reader.tables.entry(name.clone()).or_default();
                if found.rows.replace((start, end)).is_some() {
                    let what = format!("the rows of {:?} stand twice", name.table);
                    return Err(window.damaged(start, &what));
                }
            }
        }
    }
    if !reader.is_closed {
        return Err(window.damaged(input.len(), "the dump ends without </mysqldump>"));
    }
    let found = reader
        .tables
        .into_iter()
        .map(|(name, found)| (name, found.definition, found.rows))
        .collect();
    let input = Arc::new(input);
    let inputs = vec![input.clone()];
    let format = super::XML_FORMAT.name;
    DumpSnapshot::new(
        format,
        inputs,
        Session::default(),
        found,
        options,
        |_, layout, rows| XmlRows {
            input: input.clone(),
            layout,
            rows: rows.unwrap_or_default(),
        },
    )
}

/// Passes over the rows of a table; returns where they end.
fn skip_rows(window: &mut Window<'_>) -> Result<u64> {
    loop {
        let start = window.pos();
        let found = window.parse("the rows of a table", |bytes, may_go_on| {
            let (bytes, may_go_on) = first_part(bytes, may_go_on);
            match memmem::find(bytes, ROWS_END) {
                Some(at) => Ok((Some(at), at + ROWS_END.len())),
                // The end may begin in the last bytes at hand.
                None if may_go_on && bytes.len() > ROWS_END.len() => {
                    Ok((None, bytes.len() - ROWS_END.len()))
                }
                None => Err(Stop::Incomplete),
            }
        })?;
        if let Some(at) = found {
            return Ok(start + at as u64);
        }
    }
}

/// The rows of one table of a file of XML.
struct XmlRows {
    input: Arc<Input>,
    layout: Layout,
    /// Offset of the first row, and behind the last.
    rows: (u64, u64),
}

impl XmlRows {
    fn visit(&self, visit: &mut dyn FnMut(Row<'_>, u64) -> Result<()>) -> Result<()> {
        let (start, end) = self.rows;
        let mut window = Window::new(&self.input, start);
        let fields_max = self.input.limits().columns_max;
        let (mut fields, mut names) = (Vec::new(), Names::default());
        while window.pos() < end {
            let offset = window.pos();
            window.parse("a row", |bytes, may_go_on| {
                let Some(len) = row(bytes, may_go_on, fields_max, &mut fields, &mut names)? else {
                    // What is left stands before the end of the rows.
                    let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
                    return Ok(((), left.min(bytes.len())));
                };
                let encoder = names.encoder(&self.layout)?;
                let row = encoder.row(bytes, &fields)?;
                visit(row, offset).map_err(Stop::Failed)?;
                Ok(((), len))
            })?;
        }
        Ok(())
    }
}

impl Unsorted for XmlRows {
    fn push_all(&self, sorter: &mut Sorter<'_>) -> Result<()> {
        self.layout.check()?;
        sorter.push_beside(|sorter| self.visit(&mut |row, offset| sorter.push(row, offset)))
    }

    fn twice(&self) -> Twice {
        self.layout.twice()
    }

    fn show_place(&self, place: u64) -> String {
        show_place(&self.input, place)
    }

    fn estimate(&self) -> Estimate {
        let (start, end) = self.rows;
        estimate(end - start, |visit| {
            self.visit(&mut |row, offset| visit(row, offset - start))
        })
    }
}

/// The names of a row's fields, raw, and what makes rows of fields so named.
#[derive(Default)]
struct Names {
    raw: Vec<Vec<u8>>,
    encoder: Option<Encoder>,
}

impl Names {
    /// Takes note of the name of the field at a position.
    fn note(&mut self, at: usize, raw: &[u8]) {
        if self.raw.get(at).is_some_and(|known| known == raw) {
            return;
        }
        self.raw.truncate(at);
        self.raw.push(raw.to_vec());
        self.encoder = None;
    }

    /// Forgets names behind those of a row of `count` fields.
    fn end(&mut self, count: usize) {
        if self.raw.len() > count {
            self.raw.truncate(count);
            self.encoder = None;
        }
    }

    fn encoder(&mut self, layout: &Layout) -> Result<&mut Encoder, Stop> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => {
                let names: Result<Vec<String>, Stop> =
                    self.raw.iter().map(|raw| name_of(raw)).collect();
                layout.encoder(Some(&names?))?
            }
        };
        Ok(self.encoder.insert(encoder))
    }
}

/// Cuts the row in front; returns the position behind it, or `None` where the rows end.
fn row(
    bytes: &[u8],
    may_go_on: bool,
    fields_max: u64,
    fields: &mut Vec<Field>,
    names: &mut Names,
) -> Result<Option<usize>, Stop> {
    fields.clear();
    let strange = |at: usize| Stop::flaw(at, "a tag that stands in no row");
    let first = tag_at(bytes, 0, may_go_on)?;
    match first.name {
        b"row" => {}
        b"/table_data" => return Ok(None),
        _ => return Err(strange(0)),
    }
    let mut pos = first.end;
    loop {
        let tag = tag_at(bytes, pos, may_go_on)?;
        let start = tag.end;
        match tag.name {
            b"/row" => {
                names.end(fields.len());
                return Ok(Some(start));
            }
            b"field" => {}
            _ => return Err(strange(pos)),
        }
        let name = tag.raw("name").ok_or_else(|| strange(pos))?;
        if fields.len() as u64 == fields_max {
            return Err(Stop::flaw(
                pos,
                format!("a row of more than {fields_max} fields"),
            ));
        }
        names.note(fields.len(), name);
        if tag.raw("xsi:nil") == Some(b"true") {
            fields.push(Field::NULL);
            pos = start;
            continue;
        }
        let text = bytes.get(start..).unwrap_or_default();
        let end = start + memchr(b'<', text).ok_or(Stop::Incomplete)?;
        let raw = bytes.get(start..end).unwrap_or_default();
        let form = if tag.raw("xsi:type") == Some(b"xs:hexBinary") {
            Form::Hex
        } else if memchr(b'&', raw).is_some() {
            Form::Entities
        } else {
            Form::Plain
        };
        fields.push(Field { start, end, form });
        let close = tag_at(bytes, end, may_go_on)?;
        if close.name != b"/field" {
            return Err(strange(end));
        }
        pos = close.end;
    }
}

/// The tag at `at`, before which only blanks may stand; its end counts from the start of `bytes`.
fn tag_at(bytes: &[u8], at: usize, may_go_on: bool) -> Result<Tag<'_>, Stop> {
    let rest = bytes.get(at..).unwrap_or_default();
    let blanks = rest
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .ok_or(Stop::Incomplete)?;
    if rest.get(blanks) != Some(&b'<') {
        return Err(Stop::flaw(at + blanks, "text that stands in no field"));
    }
    let tag = Tag::next(rest, may_go_on)?.ok_or(Stop::Incomplete)?;
    Ok(Tag {
        end: at + tag.end,
        ..tag
    })
}

/// Appends the text that `raw` spells with entities.
pub(super) fn unescape(out: &mut Vec<u8>, raw: &[u8]) -> Result<(), String> {
    let mut rest = raw;
    while let Some(at) = memchr(b'&', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let entities: [(&[u8], u8); 5] = [
            (b"&lt;", b'<'),
            (b"&gt;", b'>'),
            (b"&amp;", b'&'),
            (b"&quot;", b'"'),
            (b"&apos;", b'\''),
        ];
        let known = entities.iter().find(|(entity, _)| tail.starts_with(entity));
        let Some((entity, byte)) = known else {
            return Err("an entity that mysqldump does not write".into());
        };
        out.push(*byte);
        rest = tail.get(entity.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Ok(())
}
