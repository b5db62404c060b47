//! Stores that are logs of writes: a snapshot of etcd and a folder of Bitcask, from a seed.

use std::fs;
use std::io::Write;
use std::path::Path;

use crc_fast::{CrcAlgorithm, checksum};
use mdiff::file::replace::AtomicFile;
use sha2::{Digest as _, Sha256};

use crate::common::{Random, hex};
use crate::data::Data;

/// Writes of a store: three in four make a key, one in four is a newer value of one that is there.
pub fn writes(data: &Data) -> u64 {
    1_000_000 / data.divisor()
}

/// Keys that the writes leave.
pub fn keys(data: &Data) -> u64 {
    writes(data) * 3 / 4
}

/// A write of a key of 40 bytes, in no order, and a value of 180 to 300.
struct Put {
    /// Which key, by the number of the write that made it.
    of: u64,
    key: String,
    value: Vec<u8>,
}

impl Put {
    fn of(n: u64) -> Put {
        let mut random = Random::new(n, 8);
        let is_newer = n % 4 == 3;
        let of = if is_newer { older(n, random.bits()) } else { n };
        let mut value = Vec::with_capacity(320);
        let len = 180 + random.bits() % 120;
        while (value.len() as u64) < len {
            value.extend_from_slice(random.word().as_bytes());
            value.extend(hex(random.bits()));
        }
        value.truncate(len as usize);
        let mut name = Random::new(of, 9);
        let (kind, space) = (name.word(), name.word());
        let id = String::from_utf8_lossy(&hex(name.bits())).into_owned();
        let key = format!("/registry/{kind}/{space}/{id}{:02}", of % 100);
        Put { of, key, value }
    }
}

/// One of the writes before the `n`th that made a key.
fn older(n: u64, bits: u64) -> u64 {
    let one = bits % n;
    one - u64::from(one % 4 == 3)
}

/// A folder of Bitcask: one file, the one that is being written.
pub fn bitcask(data: &Data) -> String {
    data.make("dump.bitcask", |folder| {
        fs::create_dir(folder).expect("a folder can be made");
        let path = folder.join("1.bitcask.data");
        let mut file = AtomicFile::create(&path, true).expect("a file can be made");
        let mut body = Vec::new();
        for put in (0..writes(data)).map(Put::of) {
            body.clear();
            body.extend(1_700_000_000u32.to_be_bytes());
            body.extend((put.key.len() as u16).to_be_bytes());
            body.extend((put.value.len() as u32).to_be_bytes());
            body.extend(put.key.as_bytes());
            body.extend(&put.value);
            let crc = checksum(CrcAlgorithm::Crc32IsoHdlc, &body) as u32;
            file.write_all(&crc.to_be_bytes())
                .expect("it can be written");
            file.write_all(&body).expect("it can be written");
        }
        file.commit().expect("it can be written");
    })
}

/// A snapshot as `etcdctl snapshot save` makes it.
pub fn etcd(data: &Data) -> String {
    data.make("dump-etcd.db", |path| {
        let mut bytes = etcd_file(writes(data));
        let sum = Sha256::digest(&bytes);
        bytes.extend(sum);
        write_whole(path, &bytes);
    })
}

fn write_whole(path: &Path, bytes: &[u8]) {
    let mut file = AtomicFile::create(path, true).expect("a file can be made");
    file.write_all(bytes).expect("it can be written");
    file.commit().expect("it can be written");
}

/// The revisions of these writes, from 2 on as etcd counts.
fn etcd_file(writes: u64) -> Vec<u8> {
    // Of each write that made a key, how many there have been.
    let mut versions = vec![0u64; writes as usize];
    let mut bolt = Bolt::new();
    let mut revisions = Tree::default();
    for n in 0..writes {
        let put = Put::of(n);
        let version = &mut versions[put.of as usize];
        *version += 1;
        let mut message = Vec::with_capacity(400);
        push_bytes(&mut message, 1, put.key.as_bytes());
        for (field, number) in [(2, put.of + 2), (3, n + 2), (4, *version)] {
            push_varint(&mut message, field << 3);
            push_varint(&mut message, number);
        }
        push_bytes(&mut message, 5, &put.value);
        let mut revision = (n + 2).to_be_bytes().to_vec();
        revision.push(b'_');
        revision.extend(0u64.to_be_bytes());
        revisions.push(&mut bolt, revision, message);
    }
    let key = revisions.finish(&mut bolt);
    let mut facts = Tree::default();
    for (name, number) in [("consistent_index", writes + 10), ("term", 2)] {
        facts.push(&mut bolt, name.into(), number.to_be_bytes().to_vec());
    }
    let meta = facts.finish(&mut bolt);
    bolt.finish(&[("key", key), ("meta", meta)])
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn push_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    push_varint(out, field << 3 | 2);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const PAGE_BYTES: usize = 4096;
/// Of a page's header, and of each element.
const HEADER_BYTES: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const META: u16 = 4;
const FREELIST: u16 = 16;
/// In an element's flags: its value is a bucket.
const IS_BUCKET: u32 = 1;

/// A file of bbolt in the making: two meta pages, an empty freelist, then trees.
struct Bolt {
    bytes: Vec<u8>,
}

impl Bolt {
    fn new() -> Bolt {
        let mut bolt = Bolt {
            bytes: vec![0; 2 * PAGE_BYTES],
        };
        bolt.page(FREELIST, &[]);
        bolt
    }

    /// Appends a page; returns its number. An element of a branch has the child's number for a value.
    fn page(&mut self, flags: u16, elements: &[Element]) -> u64 {
        let (start, id) = (self.bytes.len(), (self.bytes.len() / PAGE_BYTES) as u64);
        let out = &mut self.bytes;
        out.extend(id.to_le_bytes());
        out.extend(flags.to_le_bytes());
        out.extend((elements.len() as u16).to_le_bytes());
        out.extend(0u32.to_le_bytes());
        let mut data = HEADER_BYTES * elements.len();
        for element in elements {
            let (pos, key_len) = (data as u32, element.key.len() as u32);
            if flags == LEAF {
                out.extend(element.flags.to_le_bytes());
            }
            out.extend(pos.to_le_bytes());
            out.extend(key_len.to_le_bytes());
            if flags == LEAF {
                out.extend((element.value.len() as u32).to_le_bytes());
                data += element.value.len();
            } else {
                out.extend(&element.value);
            }
            data = data + element.key.len() - HEADER_BYTES;
        }
        for element in elements {
            out.extend(&element.key);
            if flags == LEAF {
                out.extend(&element.value);
            }
        }
        assert!(out.len() <= start + PAGE_BYTES, "elements fit their page");
        out.resize(start + PAGE_BYTES, 0);
        id
    }

    /// Adds the bucket of all buckets and the meta pages, of which that of the older transaction is the same.
    fn finish(mut self, buckets: &[(&str, u64)]) -> Vec<u8> {
        let elements: Vec<Element> = buckets
            .iter()
            .map(|(name, root)| Element {
                flags: IS_BUCKET,
                key: name.as_bytes().to_vec(),
                // Its root and its sequence.
                value: [root.to_le_bytes(), [0; 8]].concat(),
            })
            .collect();
        let root = self.page(LEAF, &elements);
        let high_water = (self.bytes.len() / PAGE_BYTES) as u64;
        for (id, page) in (0u64..).zip(self.bytes.chunks_mut(PAGE_BYTES).take(2)) {
            let mut meta = Vec::new();
            for number in [0xED0C_DAED_u32, 2, PAGE_BYTES as u32, 0] {
                meta.extend(number.to_le_bytes());
            }
            for number in [root, 0, 2, high_water, 8 + id] {
                meta.extend(number.to_le_bytes());
            }
            let sum = meta.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
            meta.extend(sum.to_le_bytes());
            page[..8].copy_from_slice(&id.to_le_bytes());
            page[8..10].copy_from_slice(&META.to_le_bytes());
            page[HEADER_BYTES..HEADER_BYTES + meta.len()].copy_from_slice(&meta);
        }
        self.bytes
    }
}

struct Element {
    flags: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// A tree of ascending keys in the making.
#[derive(Default)]
struct Tree {
    /// Of the page that is being filled.
    elements: Vec<Element>,
    used: usize,
    /// Pages of the lowest level that are whole.
    leaves: Vec<Element>,
}

impl Tree {
    fn push(&mut self, bolt: &mut Bolt, key: Vec<u8>, value: Vec<u8>) {
        let more = HEADER_BYTES + key.len() + value.len();
        if HEADER_BYTES + self.used + more > PAGE_BYTES {
            self.end_leaf(bolt);
        }
        self.used += more;
        self.elements.push(Element {
            flags: 0,
            key,
            value,
        });
    }

    fn end_leaf(&mut self, bolt: &mut Bolt) {
        let page = pointer(bolt, LEAF, &self.elements);
        self.leaves.push(page);
        self.elements.clear();
        self.used = 0;
    }

    /// Returns the number of its root.
    fn finish(mut self, bolt: &mut Bolt) -> u64 {
        self.end_leaf(bolt);
        let mut level = self.leaves;
        while level.len() > 1 {
            let longest = level.iter().map(|e| e.key.len()).max().unwrap_or(0);
            let fan_out = (PAGE_BYTES - HEADER_BYTES) / (HEADER_BYTES + longest);
            level = level
                .chunks(fan_out)
                .map(|children| pointer(bolt, BRANCH, children))
                .collect();
        }
        let root = level[0].value.as_slice().try_into();
        u64::from_le_bytes(root.expect("a page's number has 8 bytes"))
    }
}

/// Appends a page; returns the element that points to it.
fn pointer(bolt: &mut Bolt, flags: u16, elements: &[Element]) -> Element {
    Element {
        flags: 0,
        key: elements.first().map(|e| e.key.clone()).unwrap_or_default(),
        value: bolt.page(flags, elements).to_le_bytes().to_vec(),
    }
}
