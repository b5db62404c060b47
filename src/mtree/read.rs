//! Reads `.mtree` files: mapped, not parsed; each node is checked when it is read.

use std::path::{Path, PathBuf};

use super::header::{
    DIGEST_BYTES, Header, MAGIC, SECTION_UNREADABLE, START_BYTES, Section, TableHeader, VERSION,
    read_range, read_text,
};
use super::node::{self, ChildRef, Entry};
use crate::error::{Error, Result};
use crate::file::cursor::Cursor;
use crate::file::input::{FileOptions, Input};
use crate::fingerprint::Summary;
use crate::tree::leaves::Unreadable;

/// An open tree: the trees of all tables of a snapshot.
pub struct Tree {
    image: Image,
    header: Header,
    /// Where each table's levels start; behind them the sections.
    table_offsets: Vec<u64>,
}

enum Image {
    File(Input),
    Memory(PathBuf, Vec<u8>),
}

impl Image {
    fn path(&self) -> &Path {
        match self {
            Image::File(input) => input.path(),
            Image::Memory(path, _) => path,
        }
    }

    fn len(&self) -> u64 {
        match self {
            Image::File(input) => input.len(),
            Image::Memory(_, bytes) => bytes.len() as u64,
        }
    }

    fn read<'a>(&'a self, offset: u64, len: u64, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        match self {
            Image::File(input) => input.read(offset, len, scratch),
            Image::Memory(path, bytes) => {
                let mut cursor = Cursor::new(bytes);
                cursor
                    .take(offset)
                    .and_then(|_| cursor.take(len))
                    .ok_or_else(|| {
                        Error::damaged(
                            path,
                            offset,
                            format!("{len} bytes wanted, the tree ends at {}", bytes.len()),
                        )
                    })
            }
        }
    }
}

/// Whether the first bytes of a file are those of a tree.
pub fn is_tree(head: &[u8]) -> bool {
    head.starts_with(&MAGIC[..4])
}

impl Tree {
    /// Opens the tree at `path`: checks its size, magic, version and header, and reads no node.
    ///
    /// # Errors
    ///
    /// I/O errors; Unsupported for a file that is no tree or of another version; Damaged.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Tree> {
        Tree::from_input(Input::open(path, options)?)
    }

    /// Opens the tree that an open file holds; errors as of [`Tree::open`].
    pub fn from_input(input: Input) -> Result<Tree> {
        Tree::from_image(Image::File(input))
    }

    /// Opens a tree in memory; `name` stands for its path in messages.
    pub fn from_bytes(name: &Path, bytes: Vec<u8>) -> Result<Tree> {
        Tree::from_image(Image::Memory(name.to_owned(), bytes))
    }

    fn from_image(image: Image) -> Result<Tree> {
        let header = read_header(&image).map_err(|error| match &image {
            Image::File(input) => input.explain(error),
            Image::Memory(..) => error,
        })?;
        let header_end = header.1;
        let header = header.0;
        let mut offset = header_end;
        let mut table_offsets = Vec::with_capacity(header.tables.len());
        let lens = |table: &TableHeader| {
            table
                .level_lens
                .iter()
                .try_fold(0u64, |sum, len| sum.checked_add(*len))
        };
        let overflow = || {
            Error::damaged(
                image.path(),
                START_BYTES as u64,
                "tree header: lengths exceed the file",
            )
        };
        for table in &header.tables {
            table_offsets.push(offset);
            offset = lens(table)
                .and_then(|len| offset.checked_add(len))
                .ok_or_else(overflow)?;
        }
        for section in &header.sections {
            offset = offset.checked_add(section.len).ok_or_else(overflow)?;
        }
        if offset != image.len() {
            return Err(Error::damaged(
                image.path(),
                START_BYTES as u64,
                format!(
                    "tree header: its parts end at {offset}, the file at {}",
                    image.len()
                ),
            ));
        }
        let tree = Tree {
            image,
            header,
            table_offsets,
        };
        Ok(tree)
    }

    /// What the tree says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file, or the name given to a tree in memory.
    pub fn path(&self) -> &Path {
        self.image.path()
    }

    /// The tables, ascending by name.
    pub fn tables(&self) -> impl Iterator<Item = TableView<'_>> {
        self.header
            .tables
            .iter()
            .zip(&self.table_offsets)
            .map(|(header, offset)| TableView {
                tree: self,
                header,
                offset: *offset,
            })
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<TableView<'_>> {
        self.tables().find(|table| table.header.name == name)
    }

    /// Returns Changed if the file changed since it was opened.
    pub fn check_unchanged(&self) -> Result<()> {
        match &self.image {
            Image::File(input) => input.check_unchanged(),
            Image::Memory(..) => Ok(()),
        }
    }

    /// Reads every byte and checks all there is to check: digests, sums, order, the exact fit of levels and sections.
    ///
    /// # Errors
    ///
    /// Damaged, at the first contradiction.
    pub fn check_all(&self) -> Result<()> {
        for table in self.tables() {
            table.check_all()?;
            table.unreadable()?;
        }
        let mut scratch = Vec::new();
        for (section, offset) in self.sections() {
            self.section_bytes(section, offset, &mut scratch)?;
        }
        self.check_unchanged()
    }

    fn sections(&self) -> impl Iterator<Item = (&Section, u64)> {
        let mut end = self.image.len() - self.header.sections.iter().map(|s| s.len).sum::<u64>();
        self.header.sections.iter().map(move |section| {
            let offset = end;
            end += section.len;
            (section, offset)
        })
    }

    fn section_bytes<'a>(
        &'a self,
        section: &Section,
        offset: u64,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8]> {
        let bytes = self.image.read(offset, section.len, scratch)?;
        if *blake3::hash(bytes).as_bytes() != section.digest {
            return Err(Error::damaged(
                self.path(),
                offset,
                "tree section does not have its digest",
            ));
        }
        Ok(bytes)
    }
}

fn read_header(image: &Image) -> Result<(Header, u64)> {
    let mut scratch = Vec::new();
    let damaged = |offset: u64, what: &str| Error::damaged(image.path(), offset, what);
    let start = image
        .read(0, image.len().min(START_BYTES as u64), &mut scratch)?
        .to_vec();
    let mut cursor = Cursor::new(&start);
    if cursor.array() != Some(MAGIC) {
        return Err(not_a_tree(image.path(), &start));
    }
    let version = cursor
        .u32()
        .ok_or_else(|| damaged(8, "tree header is cut short"))?;
    if version != VERSION {
        return Err(Error::unsupported(
            image.path(),
            format!("a tree of version {version}; this mdiff reads version {VERSION}"),
            "use the mdiff that wrote it, or build the tree again",
        ));
    }
    let header_len = u64::from(
        cursor
            .u32()
            .ok_or_else(|| damaged(12, "tree header is cut short"))?,
    );
    if header_len < START_BYTES as u64 {
        return Err(damaged(12, "tree header has an impossible length"));
    }
    let bytes = image.read(0, header_len + DIGEST_BYTES as u64, &mut scratch)?;
    let (head, digest) = bytes.split_at(bytes.len() - DIGEST_BYTES);
    if blake3::hash(head).as_bytes() != digest {
        return Err(damaged(0, "tree header does not have its digest"));
    }
    let mut cursor = Cursor::new(head);
    cursor.take(START_BYTES as u64);
    let header = Header::decode(&mut cursor);
    let at = cursor.position() as u64;
    let header = header.ok_or_else(|| {
        damaged(
            at,
            "tree header has the right digest but a malformed content",
        )
    })?;
    if header.file_len_bytes != image.len() {
        return Err(damaged(
            START_BYTES as u64,
            &format!(
                "the tree should have {} bytes, the file has {}",
                header.file_len_bytes,
                image.len()
            ),
        ));
    }
    Ok((header, header_len + DIGEST_BYTES as u64))
}

fn not_a_tree(path: &Path, start: &[u8]) -> Error {
    let text_tree =
        start.starts_with(b"#mtree") || start.starts_with(b"/set") || start.starts_with(b"#\t");
    if text_tree {
        return Error::unsupported(
            path,
            "a BSD mtree(5) specification, a text format of the same name that describes files",
            "mdiff trees are made by: mdiff build SNAPSHOT -o OUT.mtree",
        );
    }
    if start.is_empty() {
        return Error::unsupported(
            path,
            "an empty file, not an mdiff tree",
            "build it again: mdiff build SNAPSHOT -o OUT.mtree",
        );
    }
    if start.starts_with(&MAGIC[..4]) || MAGIC.starts_with(start) {
        return Error::damaged(
            path,
            0,
            "the first bytes of a tree were changed, as by a copy in text mode, or cut short",
        );
    }
    Error::unsupported(
        path,
        "not an mdiff tree",
        "trees are made by: mdiff build SNAPSHOT -o OUT.mtree",
    )
}

/// The tree of one table in an open [`Tree`].
#[derive(Clone, Copy)]
pub struct TableView<'a> {
    tree: &'a Tree,
    header: &'a TableHeader,
    offset: u64,
}

impl<'a> TableView<'a> {
    /// What the tree says of the table.
    pub fn header(&self) -> &'a TableHeader {
        self.header
    }

    /// The tree it belongs to.
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// The number of levels; the root is at this level, level 1 holds the leaves' entries.
    pub fn height(&self) -> u8 {
        self.header.level_lens.len() as u8
    }

    /// Where the root's block lies.
    pub fn root(&self) -> ChildRef {
        let len = self.header.level_lens.first().copied().unwrap_or_default();
        ChildRef {
            offset: 0,
            len,
            digest: self.header.root,
        }
    }

    /// Reads the node of `level` at `child` and checks it against its digest and against what its parent says of it.
    ///
    /// # Errors
    ///
    /// Damaged, naming the place; I/O errors.
    pub fn node(
        &self,
        level: u8,
        child: &ChildRef,
        start: &[u8],
        summary: &Summary,
    ) -> Result<Vec<Entry>> {
        let path = self.tree.path();
        let height = self.height();
        let above = usize::from(height.saturating_sub(level));
        let lens = &self.header.level_lens;
        let level_start = self.offset + lens.iter().take(above).sum::<u64>();
        let level_len = lens.get(above).copied().unwrap_or_default();
        if child
            .offset
            .checked_add(child.len)
            .is_none_or(|end| end > level_len)
        {
            return Err(Error::damaged(
                path,
                level_start,
                "tree node lies outside of its level",
            ));
        }
        let offset = level_start + child.offset;
        let mut scratch = Vec::new();
        let block = self.tree.image.read(offset, child.len, &mut scratch)?;
        let entries = node::decode(block, level, &child.digest)
            .map_err(|e| node::damaged(path, offset, e))?;
        node::check_sum(&entries, start, summary)
            .map_err(|e| node::damaged(path, offset, (0, e)))?;
        Ok(entries)
    }

    /// Reads the root.
    pub fn root_entries(&self) -> Result<Vec<Entry>> {
        self.node(
            self.height(),
            &self.root(),
            self.header.coverage.from(),
            &self.header.summary,
        )
    }

    /// The key ranges that could not be read when the tree was built.
    pub fn unreadable(&self) -> Result<Vec<Unreadable>> {
        let index = self
            .tree
            .header
            .tables
            .iter()
            .position(|table| table.name == self.header.name);
        let mut scratch = Vec::new();
        for (section, offset) in self.tree.sections() {
            if section.id == SECTION_UNREADABLE && Some(section.table) == index.map(|i| i as u64) {
                let bytes = self.tree.section_bytes(section, offset, &mut scratch)?;
                let mut cursor = Cursor::new(bytes);
                return read_unreadable(&mut cursor).ok_or_else(|| {
                    let at = offset + cursor.position() as u64;
                    Error::damaged(
                        self.tree.path(),
                        at,
                        "tree section of unreadable ranges is malformed",
                    )
                });
            }
        }
        Ok(Vec::new())
    }

    /// Hands every leaf to `visit`, in key order.
    pub fn for_each_leaf(&self, visit: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        self.walk(self.height(), self.root_entries()?, visit)
    }

    fn walk(
        &self,
        level: u8,
        entries: Vec<Entry>,
        visit: &mut dyn FnMut(Entry) -> Result<()>,
    ) -> Result<()> {
        for entry in entries {
            match &entry.child {
                None => visit(entry)?,
                Some(child) => {
                    let below = self.node(level - 1, child, &entry.start, &entry.summary)?;
                    self.walk(level - 1, below, visit)?;
                }
            }
        }
        Ok(())
    }

    fn check_all(&self) -> Result<()> {
        let lens = &self.header.level_lens;
        let mut used = vec![0u64; lens.len()];
        if let Some(root) = used.first_mut() {
            *root = self.root().len;
        }
        let mut leaves = 0;
        self.check_level(self.height(), self.root_entries()?, &mut used, &mut leaves)?;
        if used != *lens || leaves != self.header.leaves {
            return Err(Error::damaged(
                self.tree.path(),
                self.offset,
                "tree levels hold more than their nodes",
            ));
        }
        Ok(())
    }

    fn check_level(
        &self,
        level: u8,
        entries: Vec<Entry>,
        used: &mut [u64],
        leaves: &mut u64,
    ) -> Result<()> {
        for entry in entries {
            let Some(child) = &entry.child else {
                *leaves += 1;
                continue;
            };
            let below = usize::from(self.height() - (level - 1));
            let place = used.get_mut(below).filter(|end| **end == child.offset);
            let Some(end) = place else {
                return Err(Error::damaged(
                    self.tree.path(),
                    self.offset,
                    "tree nodes do not follow each other",
                ));
            };
            *end += child.len;
            let node = self.node(level - 1, child, &entry.start, &entry.summary)?;
            self.check_level(level - 1, node, used, leaves)?;
        }
        Ok(())
    }
}

fn read_unreadable(cursor: &mut Cursor<'_>) -> Option<Vec<Unreadable>> {
    let mut all = Vec::new();
    for _ in 0..cursor.varint()? {
        all.push(Unreadable {
            range: read_range(cursor)?,
            why: read_text(cursor)?,
        });
    }
    cursor.is_empty().then_some(all)
}
