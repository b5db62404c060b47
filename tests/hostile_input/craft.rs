//! Files made by hand, and checksums made right again after an edit.

use std::ops::Range;

/// One byte more under a CRC-32C that is still inverted.
fn crc_step(running: u32, byte: u8) -> u32 {
    (0..8).fold(running ^ u32::from(byte), |crc, _| {
        crc >> 1 ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
    })
}

/// What LevelDB stores for a CRC-32C that is still inverted.
fn masked(running: u32) -> u32 {
    (!running).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn crc(bytes: &[u8]) -> u32 {
    masked(bytes.iter().fold(!0, |crc, byte| crc_step(crc, *byte)))
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// The payloads of the blocks of a table with CRC-32C: found by the checksums alone, for the blocks tile the file.
pub fn blocks(table: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut running = !0;
    while at + 5 <= table.len() {
        running = crc_step(running, table[at]);
        if table[at + 1..at + 5] == masked(running).to_le_bytes() {
            found.push(start..at);
            at += 4;
            start = at + 1;
            running = !0;
        }
        at += 1;
    }
    found
}

/// Makes the checksums of the blocks right.
pub fn seal_table(table: &mut [u8], blocks: &[Range<usize>]) {
    for block in blocks {
        let sum = crc(&table[block.start..=block.end]);
        table[block.end + 1..block.end + 5].copy_from_slice(&sum.to_le_bytes());
    }
}

/// A table that is put together block by block.
#[derive(Default)]
pub struct Craft(pub Vec<u8>);

/// Offset and size.
pub type Handle = (u64, u64);

pub fn handle((offset, size): Handle) -> Vec<u8> {
    [varint(offset), varint(size)].concat()
}

/// `key` of a put with sequence number 1.
pub fn internal(key: &[u8]) -> Vec<u8> {
    [key, &(1u64 << 8 | 1).to_le_bytes()].concat()
}

/// A block of entries with whole keys.
pub fn entries(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut restarts = vec![0u32];
    for (i, (key, value)) in entries.iter().enumerate() {
        if i > 0 {
            restarts.push(out.len() as u32);
        }
        out.extend(
            [
                varint(0),
                varint(key.len() as u64),
                varint(value.len() as u64),
            ]
            .concat(),
        );
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
    let count = restarts.len() as u32;
    for number in restarts.into_iter().chain([count]) {
        out.extend(number.to_le_bytes());
    }
    out
}

impl Craft {
    pub fn block(&mut self, payload: &[u8], compression: u8) -> Handle {
        let offset = self.0.len();
        self.0.extend_from_slice(payload);
        self.0.push(compression);
        let sum = crc(&self.0[offset..]);
        self.0.extend(sum.to_le_bytes());
        (offset as u64, payload.len() as u64)
    }

    /// The end of a table of format version 5, with such an index type and these handles.
    pub fn finish(mut self, index: Handle, index_type: u32) -> Vec<u8> {
        let properties = self.block(
            &entries(&[
                (
                    "rocksdb.block.based.table.index.type".into(),
                    index_type.to_le_bytes().to_vec(),
                ),
                (
                    "rocksdb.comparator".into(),
                    b"leveldb.BytewiseComparator".to_vec(),
                ),
            ]),
            0,
        );
        let metaindex = self.block(
            &entries(&[("rocksdb.properties".into(), handle(properties))]),
            0,
        );
        self.footer(metaindex, index)
    }

    pub fn footer(mut self, metaindex: Handle, index: Handle) -> Vec<u8> {
        let mut footer = vec![1];
        footer.extend(handle(metaindex));
        footer.extend(handle(index));
        footer.resize(41, 0);
        footer.extend(5u32.to_le_bytes());
        footer.extend(0x88e2_41b7_85f4_cff7u64.to_le_bytes());
        self.0.extend(footer);
        self.0
    }

    /// A table of one data block, whose payload and compression are given.
    pub fn one_block(payload: &[u8], compression: u8) -> Vec<u8> {
        let mut craft = Craft::default();
        let data = craft.block(payload, compression);
        let index = craft.block(&entries(&[(internal(b"z"), handle(data))]), 0);
        craft.finish(index, 0)
    }
}

/// A sound tree or patch, its digests, and what they cover: bottom-up for trees, in order for patches.
pub struct Digests {
    /// Where the header digest lies; it covers all before it.
    header_len: usize,
    nodes: Vec<(Range<usize>, [u8; 32])>,
}

impl Digests {
    pub fn of_tree(tree: &[u8]) -> Digests {
        let opened =
            mdiff::mtree::Tree::from_bytes(std::path::Path::new("tree"), tree.to_vec()).unwrap();
        let header_len = u32::from_le_bytes(tree[12..16].try_into().unwrap()) as usize;
        let mut nodes = Vec::new();
        let mut table_start = header_len + 32;
        for view in opened.tables() {
            let lens = &view.header().level_lens;
            let mut level_start = table_start;
            table_start += lens.iter().sum::<u64>() as usize;
            let mut level = view.height();
            let mut row = vec![(
                view.header().coverage.from().to_vec(),
                view.header().summary,
                view.root(),
            )];
            for len in lens {
                for (_, _, child) in &row {
                    let start = level_start + child.offset as usize;
                    nodes.push((start..start + child.len as usize, child.digest));
                }
                level_start += *len as usize;
                if level > 1 {
                    row = row
                        .iter()
                        .flat_map(|(start, summary, child)| {
                            view.node(level, child, start, summary).unwrap()
                        })
                        .map(|entry| (entry.start, entry.summary, entry.child.unwrap()))
                        .collect();
                }
                level -= 1;
            }
        }
        nodes.reverse();
        Digests { header_len, nodes }
    }

    /// Makes every digest of an edited tree right: of the nodes from the leaves up, then of the header.
    pub fn seal_tree(&self, tree: &mut [u8]) {
        for (block, digest) in &self.nodes {
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"mdiff node 1");
            hasher.update(&tree[block.start + 8..block.end]);
            let new = *hasher.finalize().as_bytes();
            if new != *digest
                && let Some(at) = tree.windows(32).position(|window| window == digest)
            {
                tree[at..at + 32].copy_from_slice(&new);
            }
        }
        self.seal_header(tree);
    }

    fn seal_header(&self, file: &mut [u8]) {
        let digest = blake3::hash(&file[..self.header_len]);
        file[self.header_len..self.header_len + 32].copy_from_slice(digest.as_bytes());
    }

    pub fn of_patch(patch: &[u8]) -> Digests {
        let header_len = u32::from_le_bytes(patch[12..16].try_into().unwrap()) as usize;
        let mut nodes = Vec::new();
        let mut at = header_len + 32;
        while at < patch.len() {
            let stored = u32::from_le_bytes(patch[at + 6..at + 10].try_into().unwrap()) as usize;
            let end = at + 10 + stored;
            nodes.push((at..end, patch[end..end + 32].try_into().unwrap()));
            at = end + 32;
        }
        Digests { header_len, nodes }
    }

    /// Makes the chain of digests of an edited patch right.
    pub fn seal_patch(&self, patch: &mut [u8]) {
        self.seal_header(patch);
        let mut previous = self.header_len..self.header_len + 32;
        for (block, _) in &self.nodes {
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"mdiff patch 1");
            hasher.update(&patch[previous.clone()]);
            hasher.update(&patch[block.clone()]);
            previous = block.end..block.end + 32;
            patch[previous.clone()].copy_from_slice(hasher.finalize().as_bytes());
        }
    }

    pub fn header(&self) -> Range<usize> {
        16..self.header_len
    }

    /// The parts that edits should go to.
    pub fn parts(&self) -> Vec<Range<usize>> {
        let nodes = self.nodes.iter().map(|(block, _)| block.clone());
        nodes
            .chain([self.header()])
            .filter(|part| !part.is_empty())
            .collect()
    }
}
