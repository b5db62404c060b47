//! The head and the table of contents of an archive: of `pg_dump -Fc` at the front of the file, of `-Fd` and `-Ft` in toc.dat.
//!
//! ```text
//! "PGDMP" major minor revision int_len offset_len format
//! compression             an int (the level; 0 is none) before 1.15, a byte (the algorithm) from 1.15 on
//! created                 7 ints
//! database, server, pg_dump   3 strings
//! count                   an int, then so many entries
//!
//! int: a byte (1: below zero), then int_len bytes, little-endian
//! string: an int (its length; below zero: NULL), then so many bytes
//! ```

use super::chunks::Compression;
use super::window::{Where, Window};
use crate::error::{Error, Result};
use crate::file::input::Input;

/// What archives begin with.
pub(super) const MAGIC: &[u8; 5] = b"PGDMP";

/// How an archive keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// In blocks of the same file.
    Custom,
    /// In files of a folder.
    Directory,
    /// In members of a tar file.
    Tar,
}

/// An archive's head and entries.
#[derive(Debug)]
pub(super) struct Toc {
    /// Of the archive format: major, minor, revision.
    pub version: (u8, u8, u8),
    pub int_len: u8,
    pub compression: Compression,
    pub database: String,
    pub server: String,
    pub entries: Vec<Entry>,
    /// Offset behind the last entry: where a custom archive's blocks start.
    pub end: u64,
}

/// What an entry says of its data's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DataPlace {
    /// It has none.
    None,
    /// It has some; the writer could not say where.
    Unknown,
    /// A block starts here.
    Offset(u64),
    /// In the file, or the member, of this name.
    Named(String),
}

/// An entry of the table of contents.
#[derive(Debug)]
pub(super) struct Entry {
    pub dump_id: i64,
    /// What it is of: `TABLE DATA`, `CONSTRAINT`.
    pub kind: String,
    /// The statement that makes it.
    pub definition: Vec<u8>,
    /// The COPY statement; empty where rows are INSERT statements.
    pub copy: Vec<u8>,
    pub tag: String,
    pub schema: Option<String>,
    pub place: DataPlace,
}

/// Newest version of the archive format that is known.
const VERSION_MAX: (u8, u8, u8) = (1, 16, 255);

impl Toc {
    /// Reads the one between these offsets of a file.
    ///
    /// # Errors
    ///
    /// Those of reading; Damaged where it contradicts itself; Unsupported for versions that are not known.
    pub fn read(input: &Input, start: u64, end: u64, container: Container) -> Result<Toc> {
        let window = Window::of_range(input, start, end, Where::Binary);
        let mut reader = Reader {
            window,
            int_len: 4,
            offset_len: 8,
        };
        reader.toc(container)
    }

    /// Whether a table of as many contents begins at an offset.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn is_again_at(&self, input: &Input, offset: u64) -> Result<bool> {
        let count = integer(input, offset, self.int_len, &mut Vec::new())?;
        Ok(usize::try_from(count) == Ok(self.entries.len()))
    }
}

struct Reader<'a> {
    window: Window<'a>,
    int_len: u8,
    offset_len: u8,
}

impl Reader<'_> {
    fn toc(&mut self, container: Container) -> Result<Toc> {
        if !self.window.starts_with(MAGIC)? {
            return Err(self
                .window
                .damaged_here("no PGDMP where the table of contents starts"));
        }
        self.window.consume(MAGIC.len());
        let version = (self.byte()?, self.byte()?, self.byte()?);
        if version < (1, 10, 0) || version > VERSION_MAX {
            let (major, minor, _) = version;
            return Err(self.window.unsupported(
                format!("version {major}.{minor} of pg_dump's archives"),
                "mdiff knows 1.10 to 1.16 (PostgreSQL 8.1 to 18); print the dump with pg_restore -f FILE.sql, and read that",
            ));
        }
        let at = self.window.offset();
        self.int_len = self.byte()?;
        self.offset_len = self.byte()?;
        if !(1..=8).contains(&self.int_len) || !(1..=8).contains(&self.offset_len) {
            return Err(self
                .window
                .damaged(at, "integers of a length other than 1 to 8 bytes"));
        }
        let at = self.window.offset();
        let format = self.byte()?;
        let wanted: &[u8] = match container {
            Container::Custom => &[1],
            // Folders say that they are tar files.
            Container::Directory | Container::Tar => &[3, 5],
        };
        if !wanted.contains(&format) {
            return Err(self.window.damaged(
                at,
                format!("format {format} of the archive, which is another than its file's"),
            ));
        }
        let compression = self.compression(version)?;
        for _ in 0..7 {
            self.int()?;
        }
        let database = self.text()?;
        let server = self.text()?;
        self.text()?;
        let at = self.window.offset();
        let count = self.int()?;
        if count < 0 {
            return Err(self.window.damaged(at, format!("{count} entries")));
        }
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(self.entry(version, container)?);
        }
        Ok(Toc {
            version,
            int_len: self.int_len,
            compression,
            database,
            server,
            entries,
            end: self.window.offset(),
        })
    }

    fn compression(&mut self, version: (u8, u8, u8)) -> Result<Compression> {
        let at = self.window.offset();
        if version < (1, 15, 0) {
            return Ok(match self.int()? {
                0 => Compression::None,
                _ => Compression::Zlib,
            });
        }
        match self.byte()? {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Zlib),
            2 => Ok(Compression::Lz4),
            3 => Ok(Compression::Zstd),
            other => Err(self.window.damaged(
                at,
                format!("compression {other}, which is none that is known"),
            )),
        }
    }

    fn entry(&mut self, version: (u8, u8, u8), container: Container) -> Result<Entry> {
        let at = self.window.offset();
        let dump_id = self.int()?;
        if dump_id <= 0 {
            return Err(self
                .window
                .damaged(at, format!("an entry of number {dump_id}")));
        }
        self.int()?; // has data of its own
        self.string()?; // catalog and object
        self.string()?;
        let tag = self.text()?;
        let kind = self.text()?;
        if version >= (1, 11, 0) {
            self.int()?; // section
        }
        let definition = self.string()?.unwrap_or_default();
        self.string()?; // DROP
        let copy = self.string()?.unwrap_or_default();
        let schema = self.string()?.map(lossy);
        self.string()?; // tablespace
        if version >= (1, 14, 0) {
            self.string()?; // access method
        }
        if version >= (1, 16, 0) {
            self.int()?; // kind of relation
        }
        self.string()?; // owner
        self.string()?; // with OIDs
        while self.string()?.is_some() {} // what it depends on
        let place = match container {
            Container::Custom => self.offset()?,
            Container::Directory | Container::Tar => match self.string()? {
                Some(name) if !name.is_empty() => DataPlace::Named(lossy(name)),
                _ => DataPlace::None,
            },
        };
        Ok(Entry {
            dump_id,
            kind,
            definition,
            copy,
            tag,
            schema: schema.filter(|schema| !schema.is_empty()),
            place,
        })
    }

    fn offset(&mut self) -> Result<DataPlace> {
        let at = self.window.offset();
        let state = self.byte()?;
        let bytes = self.bytes(u64::from(self.offset_len))?;
        let offset = little_endian(&bytes);
        match state {
            1 => Ok(DataPlace::Unknown),
            2 => Ok(DataPlace::Offset(offset)),
            3 => Ok(DataPlace::None),
            other => Err(self
                .window
                .damaged(at, format!("state {other} of an entry's data"))),
        }
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.window.byte(0)?.ok_or_else(|| self.ended())?;
        self.window.consume(1);
        Ok(byte)
    }

    fn bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let wanted = usize::try_from(len).unwrap_or(usize::MAX);
        if !self.window.ensure(wanted)? {
            return Err(self.ended());
        }
        let bytes = self
            .window
            .bytes()
            .get(..wanted)
            .unwrap_or_default()
            .to_vec();
        self.window.consume(wanted);
        Ok(bytes)
    }

    fn int(&mut self) -> Result<i64> {
        let sign = self.byte()?;
        let bytes = self.bytes(u64::from(self.int_len))?;
        signed(sign, &bytes).ok_or_else(|| self.window.damaged_here("an integer out of bounds"))
    }

    fn string(&mut self) -> Result<Option<Vec<u8>>> {
        match u64::try_from(self.int()?) {
            Ok(len) => self.bytes(len).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn text(&mut self) -> Result<String> {
        Ok(self.string()?.map(lossy).unwrap_or_default())
    }

    fn ended(&self) -> Error {
        self.window
            .damaged_here("the table of contents ends too early")
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| crate::row::escape(e.as_bytes()).into_owned())
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The integer at `offset`, of a sign byte and `int_len` bytes.
///
/// # Errors
///
/// Those of reading; Damaged where it is out of bounds.
pub(super) fn integer(
    input: &Input,
    offset: u64,
    int_len: u8,
    scratch: &mut Vec<u8>,
) -> Result<i64> {
    let bytes = input.read(offset, 1 + u64::from(int_len), scratch)?;
    bytes
        .split_first()
        .and_then(|(sign, bytes)| signed(*sign, bytes))
        .ok_or_else(|| Error::damaged(input.path(), offset, "an integer out of bounds"))
}

/// An integer of its sign byte and its magnitude.
fn signed(sign: u8, bytes: &[u8]) -> Option<i64> {
    let magnitude = i64::try_from(little_endian(bytes)).ok()?;
    Some(if sign == 0 { magnitude } else { -magnitude })
}
