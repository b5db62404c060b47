//! The lines of data files as rows.

use super::attribute::Attributes;
use super::{Content, OFFSET_BITS};
use crate::error::{Error, ErrorKind, Result};
use crate::file::cursor::{Cursor, push_length_prefixed};
use crate::file::input::Input;
use crate::row::Row;
use crate::row::json_text::{Canon, Flaw, Scanned, Scanner};
use crate::source::jsonl::cut::Part;
use crate::source::jsonl::records::Visit;
use crate::source::jsonl::shape::{Fields, RowMaker, Seen, Shape};
use crate::source::sort::Sorter;

/// Reads lines and pushes their rows.
pub struct Lines<'r, 's> {
    content: Content,
    shape: &'r Shape,
    maker: RowMaker<'r>,
    attributes: Attributes,
    fields: Fields,
    canon: Canon,
    change: Change,
    seen: &'r Seen,
    sorter: &'r mut Sorter<'s>,
    file: u64,
    count: u64,
    /// Caps, and the path for their errors.
    caps: Option<Caps>,
}

struct Caps {
    path: std::path::PathBuf,
    key_bytes_max: u64,
    value_bytes_max: u64,
    columns_max: u64,
}

/// The row of a changed item in the making.
#[derive(Debug, Default)]
struct Change {
    key: Option<Vec<u8>>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    stored: Vec<u8>,
}

impl<'r, 's> Lines<'r, 's> {
    /// Makes rows of `shape` of lines that hold `content`, and tells `seen` what they had.
    pub fn new(
        shape: &'r Shape,
        content: Content,
        seen: &'r Seen,
        sorter: &'r mut Sorter<'s>,
    ) -> Lines<'r, 's> {
        Lines {
            content,
            shape,
            maker: RowMaker::new(shape),
            attributes: Attributes::default(),
            fields: Fields::default(),
            canon: Canon::default(),
            change: Change::default(),
            seen,
            sorter,
            file: 0,
            count: 0,
            caps: None,
        }
    }

    /// Lines read so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads the lines of a part of a file, which has this number.
    ///
    /// # Errors
    ///
    /// Damaged, with line and offset, for what is no such line; Limit; those of reading and sorting.
    pub fn read(&mut self, input: &Input, part: &Part<'_>, file: u64) -> Result<()> {
        if input.len() >> OFFSET_BITS > 0 || file >> (62 - OFFSET_BITS) > 0 {
            return Err(Error::unsupported(
                input.path(),
                "an export of over 4 million files, or a file of over 1 TiB",
                "",
            ));
        }
        let limits = input.limits();
        self.file = file;
        self.caps = Some(Caps {
            path: input.path().to_owned(),
            key_bytes_max: limits.key_bytes_max,
            value_bytes_max: limits.value_bytes_max,
            columns_max: limits.columns_max,
        });
        part.read(self)?;
        if self.content == Content::Items {
            self.seen.add(&self.maker, self.count);
        }
        Ok(())
    }

    /// Reads the attributes of an item into `fields`, and makes its row.
    fn image(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        let start = scanner.at();
        let most = self.caps.as_ref().map_or(u64::MAX, |caps| caps.columns_max);
        let (fields, attributes, shape) = (&mut self.fields, &mut self.attributes, self.shape);
        fields.clear();
        scanner.object(&mut |scanner, name, at| {
            if fields.len() as u64 >= most {
                let what = format!("an item has more than {most} attributes (see --cap columns)");
                return Err(Flaw::new(at, what));
            }
            fields.push(name, at, |out| {
                let may_be_key = attributes.push(scanner, out)?;
                match may_be_key || !shape.is_of_key(name) {
                    true => Ok(()),
                    false => Err(Flaw::new(at, "an attribute of the key is no S, N or B")),
                }
            })
        })?;
        self.maker.make(&mut self.fields, start)
    }

    fn item(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        let (start, mut members) = (scanner.at(), 0);
        scanner.object(&mut |scanner, name, at| {
            members += 1;
            match name {
                b"Item" => self.image(scanner),
                _ => Err(no_member(at, name, "{\"Item\":{...}}")),
            }
        })?;
        match members {
            1 => Ok(()),
            _ => Err(Flaw::new(start, "a line holds one Item")),
        }
    }

    fn changed_item(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        let start = scanner.at();
        self.change = Change::default();
        let mut key_of_images: Option<Vec<u8>> = None;
        scanner.object(&mut |scanner, name, at| {
            if name == b"Metadata" {
                self.change.stored.clear();
                return self.canon.push(scanner, &mut self.change.stored);
            }
            if !matches!(name, b"Keys" | b"NewImage" | b"OldImage") {
                return Err(no_member(
                    at,
                    name,
                    "{\"Metadata\":..,\"Keys\":..,\"NewImage\":..}",
                ));
            }
            self.image(scanner)?;
            let (key, value) = (self.maker.key.clone(), self.maker.value.clone());
            let twice = match name {
                b"Keys" if self.fields.len() != self.shape.key_len() => {
                    return Err(Flaw::new(
                        at,
                        "the key of this table has other attributes than --key names",
                    ));
                }
                b"Keys" => self.change.key.replace(key).is_some(),
                _ => {
                    if key_of_images.get_or_insert_with(|| key.clone()) != &key {
                        return Err(Flaw::new(at, "the two images have different keys"));
                    }
                    let image = match name {
                        b"NewImage" => &mut self.change.new,
                        _ => &mut self.change.old,
                    };
                    image.replace(value).is_some()
                }
            };
            match twice {
                true => Err(crate::row::json_text::twice(at, name)),
                false => Ok(()),
            }
        })?;
        let Some(key) = &self.change.key else {
            return Err(Flaw::new(start, "a changed item has no Keys"));
        };
        if key_of_images.is_some_and(|image| image != *key) {
            return Err(Flaw::new(start, "an image has another key than Keys says"));
        }
        self.change.store();
        Ok(())
    }
}

fn no_member(at: usize, name: &[u8], wanted: &str) -> Flaw {
    let name = crate::row::escape(name).into_owned();
    Flaw::new(
        at,
        format!("a line of this export is {wanted}, without a member {name:?}"),
    )
}

impl Visit for Lines<'_, '_> {
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        match self.content {
            Content::Items => self.item(scanner),
            Content::Changes => self.changed_item(scanner),
        }
    }

    fn take(&mut self, offset: u64) -> Result<bool> {
        let (key, value) = match self.content {
            Content::Items => (self.maker.key.as_slice(), self.maker.value.as_slice()),
            Content::Changes => (
                self.change.key.as_deref().unwrap_or_default(),
                self.change.stored.as_slice(),
            ),
        };
        if let Some(caps) = &self.caps {
            for (what, len, max) in [
                ("key bytes", key.len() as u64, caps.key_bytes_max),
                ("value bytes", value.len() as u64, caps.value_bytes_max),
            ] {
                if len > max {
                    return Err(ErrorKind::Limit {
                        path: caps.path.clone(),
                        offset,
                        what,
                        value: len,
                        max,
                    }
                    .into());
                }
            }
        }
        self.count += 1;
        self.sorter
            .push(Row { key, value }, self.file << OFFSET_BITS | offset)?;
        Ok(true)
    }
}

const HAS_OLD: u8 = 1;
const HAS_NEW: u8 = 2;

impl Change {
    /// Writes the change as a value to be sorted: flags, the old value with its length, the new one.
    fn store(&mut self) {
        let stored = &mut self.stored;
        stored.clear();
        let flag = |image: &Option<Vec<u8>>, flag| if image.is_some() { flag } else { 0 };
        stored.push(flag(&self.old, HAS_OLD) | flag(&self.new, HAS_NEW));
        if let Some(old) = &self.old {
            push_length_prefixed(stored, old);
        }
        stored.extend(self.new.iter().flatten());
    }
}

/// The values of an item before and after a change.
pub type Images<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// The old and the new value of a change that was stored; `None` where it was not.
pub fn stored_change(stored: &[u8]) -> Option<Images<'_>> {
    let mut cursor = Cursor::new(stored);
    let flags = cursor.u8()?;
    let old = match flags & HAS_OLD {
        0 => None,
        _ => Some(cursor.length_prefixed()?),
    };
    Some((old, (flags & HAS_NEW != 0).then(|| cursor.rest())))
}

/// Looks at the first items for attributes that could be a key.
#[derive(Default)]
pub struct Candidates {
    attributes: Attributes,
    canon: Canon,
    skipped: Vec<u8>,
    found: Vec<String>,
    /// Of all items so far.
    common: Option<Vec<String>>,
    items: u32,
}

impl Candidates {
    const ITEMS_MAX: u32 = 100;

    /// Whether any item was seen.
    pub fn has_items(&self) -> bool {
        self.items > 0
    }

    /// The names, ascending.
    pub fn names(self) -> Vec<String> {
        self.common.unwrap_or_default()
    }
}

impl Visit for Candidates {
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Scanned<()> {
        self.found.clear();
        scanner.object(&mut |scanner, name, _| {
            self.skipped.clear();
            if !matches!(name, b"Item" | b"Keys") {
                return self.canon.push(scanner, &mut self.skipped);
            }
            scanner.object(&mut |scanner, name, _| {
                if self.attributes.push(scanner, &mut self.skipped)? {
                    self.found.push(String::from_utf8_lossy(name).into_owned());
                }
                Ok(())
            })
        })
    }

    fn take(&mut self, _: u64) -> Result<bool> {
        self.items += 1;
        self.found.sort();
        match &mut self.common {
            Some(common) => common.retain(|name| self.found.contains(name)),
            None => self.common = Some(self.found.clone()),
        }
        Ok(self.items < Candidates::ITEMS_MAX)
    }
}
