//! Writes bbolt files for tests: trees of as many levels as the rows need, nested and inline buckets.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::meta::fnv1a;
use super::page::{BRANCH, FREELIST, LEAF, META};
use crate::file::input::{FileOptions, Input};
use crate::source::{Snapshot, SourceOptions};

/// Keys and values.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Bytes of a page of test files.
pub const PAGE: usize = 1024;

/// What a key of a bucket has.
#[derive(Debug, Clone)]
pub enum Item {
    Value(Vec<u8>),
    Bucket(Bucket),
}

/// A bucket to write.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub items: BTreeMap<Vec<u8>, Item>,
    pub sequence: u64,
    /// Within the value that stands for it.
    pub is_inline: bool,
    /// Most elements of a page; 0 is what fits.
    pub fan_out: usize,
}

impl Bucket {
    pub fn of(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Bucket {
        Bucket {
            items: rows
                .into_iter()
                .map(|(key, value)| (key, Item::Value(value)))
                .collect(),
            ..Bucket::default()
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, bucket: Bucket) -> Bucket {
        self.items
            .insert(name.as_bytes().to_vec(), Item::Bucket(bucket));
        self
    }
}

struct Writer {
    pages: Vec<Vec<u8>>,
}

struct Element {
    flags: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// A leaf or a branch, padded to whole pages unless it is inline.
fn page(id: u64, flags: u16, elements: &[Element], is_inline: bool) -> Vec<u8> {
    let data: usize = elements.iter().map(|e| e.key.len() + e.value.len()).sum();
    let is_branch = flags == BRANCH;
    let data = if is_branch {
        data - 8 * elements.len()
    } else {
        data
    };
    let len = 16 + 16 * elements.len() + data;
    let pages = len.div_ceil(PAGE);
    let mut bytes = Vec::new();
    bytes.extend(id.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend((elements.len() as u16).to_le_bytes());
    bytes.extend((pages as u32 - 1).to_le_bytes());
    let mut at = 16 + 16 * elements.len();
    for (index, element) in elements.iter().enumerate() {
        let pos = (at - 16 - 16 * index) as u32;
        let key_bytes = (element.key.len() as u32).to_le_bytes();
        if is_branch {
            bytes.extend(pos.to_le_bytes());
            bytes.extend(key_bytes);
            bytes.extend(&element.value);
            at += element.key.len();
        } else {
            bytes.extend(element.flags.to_le_bytes());
            bytes.extend(pos.to_le_bytes());
            bytes.extend(key_bytes);
            bytes.extend((element.value.len() as u32).to_le_bytes());
            at += element.key.len() + element.value.len();
        }
    }
    for element in elements {
        bytes.extend(&element.key);
        if !is_branch {
            bytes.extend(&element.value);
        }
    }
    if !is_inline {
        bytes.resize(pages * PAGE, 0);
    }
    bytes
}

impl Writer {
    fn add(&mut self, flags: u16, elements: &[Element]) -> u64 {
        let id = self.pages.len() as u64;
        let bytes = page(id, flags, elements, false);
        self.pages.extend(bytes.chunks(PAGE).map(<[u8]>::to_vec));
        id
    }

    fn bucket(&mut self, bucket: &Bucket) -> u64 {
        let elements: Vec<Element> = bucket
            .items
            .iter()
            .map(|(key, item)| self.element(key, item))
            .collect();
        let mut level = self.level(LEAF, elements, bucket.fan_out);
        while level.len() > 1 {
            level = self.level(BRANCH, level, bucket.fan_out);
        }
        let value = &level[0].value;
        u64::from_le_bytes(value.as_slice().try_into().unwrap())
    }

    fn element(&mut self, key: &[u8], item: &Item) -> Element {
        let (flags, value) = match item {
            Item::Value(value) => (0, value.clone()),
            Item::Bucket(bucket) => (1, self.header(bucket)),
        };
        Element {
            flags,
            key: key.to_vec(),
            value,
        }
    }

    fn header(&mut self, bucket: &Bucket) -> Vec<u8> {
        let mut value = Vec::new();
        if bucket.is_inline {
            value.extend(0u64.to_le_bytes());
            value.extend(bucket.sequence.to_le_bytes());
            let elements: Vec<Element> = bucket
                .items
                .iter()
                .map(|(key, item)| self.element(key, item))
                .collect();
            value.extend(page(0, LEAF, &elements, true));
        } else {
            value.extend(self.bucket(bucket).to_le_bytes());
            value.extend(bucket.sequence.to_le_bytes());
        }
        value
    }

    /// Writes pages of elements; returns the elements that point to them.
    fn level(&mut self, flags: u16, elements: Vec<Element>, fan_out: usize) -> Vec<Element> {
        let mut groups: Vec<Vec<Element>> = vec![Vec::new()];
        let mut used = 16;
        for element in elements {
            let bytes = 16
                + element.key.len()
                + if flags == LEAF {
                    element.value.len()
                } else {
                    0
                };
            let count = groups.last().unwrap().len();
            let is_full = used + bytes > PAGE || count == fan_out;
            // A branch of one child would never end.
            if is_full && count >= if flags == LEAF { 1 } else { 2 } {
                groups.push(Vec::new());
                used = 16;
            }
            used += bytes;
            groups.last_mut().unwrap().push(element);
        }
        groups
            .into_iter()
            .map(|group| Element {
                flags: 0,
                key: group.first().map(|e| e.key.clone()).unwrap_or_default(),
                value: self.add(flags, &group).to_le_bytes().to_vec(),
            })
            .collect()
    }
}

/// A meta page.
fn meta(id: u64, root: u64, high_water: u64, transaction: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(id.to_le_bytes());
    bytes.extend(META.to_le_bytes());
    bytes.extend([0; 6]);
    let mut meta = Vec::new();
    meta.extend(0xED0C_DAED_u32.to_le_bytes());
    meta.extend(2u32.to_le_bytes());
    meta.extend((PAGE as u32).to_le_bytes());
    meta.extend(0u32.to_le_bytes());
    for number in [root, 0, 2, high_water, transaction] {
        meta.extend(number.to_le_bytes());
    }
    let checksum = fnv1a(&meta);
    meta.extend(checksum.to_le_bytes());
    bytes.extend(meta);
    bytes.resize(PAGE, 0);
    bytes
}

/// A file whose root bucket is `root`: the meta page of the older transaction says that there was nothing.
pub fn file(root: &Bucket) -> Vec<u8> {
    let mut writer = Writer {
        pages: vec![vec![0; PAGE]; 2],
    };
    writer.add(FREELIST, &[]);
    let nothing = writer.add(LEAF, &[]);
    let root = writer.bucket(root);
    let high_water = writer.pages.len() as u64;
    writer.pages[0] = meta(0, root, high_water, 8);
    writer.pages[1] = meta(1, nothing, high_water, 7);
    writer.pages.concat()
}

/// The same with the SHA-256 of `etcdctl snapshot save`.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = Sha256::digest(&bytes);
    bytes.extend(sum);
    bytes
}

/// Opens these bytes.
pub fn open(bytes: &[u8], options: &SourceOptions) -> crate::Result<Box<dyn Snapshot>> {
    let temp = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(temp.path(), bytes).unwrap();
    // The name goes; the open file stays.
    crate::source::open_origin(
        crate::source::Origin::File(Input::open(
            temp.path(),
            &FileOptions {
                mmap: options.file.mmap,
                ..FileOptions::default()
            },
        )?),
        options,
    )
}

/// All rows of all tables, by name.
pub fn rows(snapshot: &dyn Snapshot) -> crate::Result<BTreeMap<String, Rows>> {
    let mut all = BTreeMap::new();
    for table in snapshot.tables() {
        let mut rows = Vec::new();
        let mut stream = table.scan(&crate::range::KeyRange::all())?;
        stream.for_each(&mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        })?;
        all.insert(table.name().to_owned(), rows);
    }
    Ok(all)
}
