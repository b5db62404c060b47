//! An open table file: a snapshot of one table.

use std::io::Write;
use std::sync::Arc;

use super::blocks::Blocks;
use super::footer;
use super::meta::{KeyOrder, Meta};
use super::properties::Properties;
use super::range_del::Fragment;
use super::stream::Rows;
use super::walk::{BlockWalk, Index};
use super::write;
use crate::error::Result;
use crate::file::input::Input;
use crate::range::KeyRange;
use crate::row::{RowStream, Schema};
use crate::source::{Estimate, RowWriter, Snapshot, SourceOptions, Table};

/// Bytes of a row that are assumed where a table has no properties.
const ROW_BYTES_GUESSED: u64 = 128;

/// An open table file as a snapshot of one table.
pub struct BlockTable {
    file: Arc<TableFile>,
    options: SourceOptions,
}

/// An open table file. Opening reads and checks its footer, metaindex, properties, range deletions and top index.
pub struct TableFile {
    /// The blocks of the file.
    pub(super) blocks: Blocks,
    /// What lies around the data.
    pub(super) meta: Meta,
}

impl BlockTable {
    /// Opens a table.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported, where the table has what can't be honoured; Limit; I/O errors.
    pub fn open(input: Input, options: &SourceOptions) -> Result<BlockTable> {
        let order = match options.database.assume_bytewise {
            true => KeyOrder::AssumeBytewise,
            false => KeyOrder::Bytewise,
        };
        Ok(BlockTable {
            file: Arc::new(TableFile::open(input, order)?),
            options: options.clone(),
        })
    }

    /// The file.
    pub fn file(&self) -> &Arc<TableFile> {
        &self.file
    }
}

impl TableFile {
    /// Opens a table whose keys are in `order`.
    ///
    /// # Errors
    ///
    /// Damaged; Unsupported, where the table has what can't be honoured or another order; Limit; I/O errors.
    pub fn open(input: Input, order: KeyOrder) -> Result<TableFile> {
        let footer = footer::read(&input).map_err(|e| input.explain(e))?;
        let mut blocks = Blocks {
            input,
            footer,
            by_rocksdb: false,
            dictionary: None,
        };
        let meta = Meta::read(&mut blocks, order).map_err(|e| blocks.input.explain(e))?;
        Ok(TableFile { blocks, meta })
    }

    /// The file below.
    pub fn input(&self) -> &Input {
        &self.blocks.input
    }

    /// The stretches of keys that it deletes, ascending and disjoint.
    pub fn range_deletions(&self) -> &[Fragment] {
        &self.meta.range_deletions
    }

    /// RocksDB's properties; LevelDB writes none.
    pub fn properties(&self) -> Option<&Properties> {
        self.meta.properties.as_ref()
    }

    /// A key that no key of the table exceeds; `None` where it has no entries.
    ///
    /// # Errors
    ///
    /// Damaged, where the index changed since it was checked.
    pub fn last_separator(&self) -> Result<Option<Vec<u8>>> {
        self.meta.index.last_separator(&self.blocks)
    }

    fn index(&self) -> &Index {
        &self.meta.index
    }

    fn number(&self, property: &str) -> Option<u64> {
        self.properties()?.number(property)
    }

    /// Rows and bytes that are likely, all versions counted.
    pub fn estimate(&self) -> Estimate {
        let file_bytes = self.blocks.input.len();
        let guess = Estimate {
            rows: file_bytes / ROW_BYTES_GUESSED,
            bytes: file_bytes,
            file_bytes,
        };
        let (Some(entries), Some(keys), Some(values)) = (
            self.number("rocksdb.num.entries"),
            self.number("rocksdb.raw.key.size"),
            self.number("rocksdb.raw.value.size"),
        ) else {
            return guess;
        };
        let deletions = self.number("rocksdb.deleted.keys").unwrap_or(0);
        let trailers = entries.saturating_mul(super::key::TRAILER_BYTES as u64);
        Estimate {
            rows: entries.saturating_sub(deletions),
            bytes: keys.saturating_sub(trailers).saturating_add(values),
            file_bytes,
        }
    }
}

impl Snapshot for BlockTable {
    fn format(&self) -> &'static str {
        super::FORMAT.name
    }

    fn tables(&self) -> Vec<&dyn Table> {
        vec![self]
    }

    fn check_unchanged(&self) -> Result<()> {
        self.file.input().check_unchanged()
    }

    fn describe(&self) -> Vec<(String, String)> {
        let file = &self.file;
        let footer = &file.blocks.footer;
        let mut lines = Vec::new();
        let mut push = |name: &str, value: String| lines.push((name.to_owned(), value));
        let writer = match (footer.format_version, file.blocks.by_rocksdb) {
            (0, false) => "LevelDB",
            _ => "RocksDB",
        };
        push("table kind", format!("block-based table of {writer}"));
        push("format version", footer.format_version.to_string());
        push("checksum", footer.checksum.name().to_owned());
        if footer.base_context != 0 {
            push(
                "context checksums",
                format!("base {:08x}", footer.base_context),
            );
        }
        if let Some(dictionary) = &file.blocks.dictionary {
            push(
                "compression dictionary",
                format!("{} bytes", dictionary.len()),
            );
        }
        let index = file.index();
        let (levels, what) = match index.is_two_level() {
            true => (2, "partitions"),
            false => (1, "data blocks"),
        };
        push("index levels", levels.to_string());
        push("top index", format!("{} {what}", index.entries()));
        if !file.range_deletions().is_empty() {
            let count = file.range_deletions().len();
            push("deleted stretches", count.to_string());
        }
        if let Some(properties) = file.properties() {
            lines.extend(properties.describe());
        }
        lines
    }

    fn writer<'a>(&self, out: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        let mut options = self.options.clone();
        if options.write_compression.is_empty() {
            let name = self
                .file
                .properties()
                .and_then(|p| p.text("rocksdb.compression"));
            options.write_compression = match name.as_deref() {
                Some("NoCompression") => "none",
                Some("Snappy") => "snappy",
                Some("ZSTD" | "ZSTDNotFinal") => "zstd",
                _ => "",
            }
            .to_owned();
        }
        write::create(out, self.schema(), &options)
    }
}

impl Table for BlockTable {
    fn name(&self) -> &str {
        "default"
    }

    fn schema(&self) -> &Schema {
        &Schema::Bytes
    }

    fn estimate(&self) -> Estimate {
        self.file.estimate()
    }

    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        self.file.split(range, pieces)
    }

    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(Rows::new(&self.file, range)?))
    }
}

impl TableFile {
    /// Cuts as [`Table::split`] says: directly behind separators, so that no two pieces read the same block.
    pub fn split(self: &Arc<TableFile>, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        self.cut(range, pieces)
            .map_err(|error| self.blocks.input.explain(error))
    }

    fn cut(self: &Arc<TableFile>, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        if pieces < 2 || range.is_empty() {
            return Ok(Vec::new());
        }
        let mut cuts: Vec<Vec<u8>> = Vec::new();
        let mut add = |separator: &[u8]| {
            let cut = super::key::successor(separator);
            let is_new = cuts.last().is_none_or(|last| *last < cut);
            if is_new && cut > range.from && range.is_before_end(&cut) {
                cuts.push(cut);
            }
        };
        match self.index().spread(&self.blocks, range, pieces)? {
            Some(separators) => separators.iter().for_each(|separator| add(separator)),
            None => self.weigh_out(range, pieces, &mut add)?,
        }
        Ok(cuts)
    }

    /// Hands out the separators at which the bytes of the blocks before reach the next even share.
    fn weigh_out(
        self: &Arc<TableFile>,
        range: &KeyRange,
        pieces: usize,
        add: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let mut total = 0u64;
        self.weigh(range, |_, bytes| total = total.saturating_add(bytes))?;
        let mut done = 0u64;
        let mut piece = 1;
        self.weigh(range, |separator, bytes| {
            done = done.saturating_add(bytes);
            let aim = u128::from(total) * piece as u128 / pieces as u128;
            if piece < pieces && u128::from(done) >= aim && done < total {
                add(separator);
                piece += 1;
            }
        })
    }

    /// Visits the separators and sizes of the blocks that can hold keys of `range`.
    fn weigh(
        self: &Arc<TableFile>,
        range: &KeyRange,
        mut visit: impl FnMut(&[u8], u64),
    ) -> Result<()> {
        let mut walk = BlockWalk::new(Arc::clone(self), &range.from)?;
        loop {
            match walk.next() {
                Ok(Some(handle)) => visit(walk.separator(), handle.size),
                Ok(None) => return Ok(()),
                // A scan will say what is unreadable; the cuts do without it.
                Err(super::walk::Broken::Stretch(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if !range.is_before_end(walk.separator()) {
                return Ok(());
            }
        }
    }
}
