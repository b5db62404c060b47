//! How fast one core decompresses the blocks of a table, or the chunks of an SSTable, by the same crates that mdiff uses and nothing
//! around them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// The data blocks of a table that mdiff wrote, in memory.
pub struct PackedTable {
    bytes: Vec<u8>,
    /// Where each block's payload starts and ends; the byte behind it names the codec.
    blocks: Vec<(usize, usize)>,
    plain: Vec<u8>,
}

impl PackedTable {
    /// Reads the table and finds its blocks. It knows what mdiff writes, no more: the footer of format version 5, and an index whose
    /// entries share nothing.
    pub fn read(path: &str) -> PackedTable {
        let bytes = std::fs::read(path).expect("the table can be read");
        // Footer: type of checksum, metaindex handle, index handle, padding, version and magic.
        let mut footer = bytes.len() - 53 + 1;
        let mut handles = [0; 4];
        for number in &mut handles {
            *number = varint(&bytes, &mut footer);
        }
        let index = &bytes[handles[2]..handles[2] + handles[3]];
        let count_at = index.len() - 4;
        let count = u32::from_le_bytes(index[count_at..].try_into().expect("four bytes")) as usize;
        let mut at = 0;
        let mut blocks = Vec::with_capacity(count);
        while at < count_at - 4 * count {
            assert_eq!(
                varint(index, &mut at),
                0,
                "an index entry that shares nothing"
            );
            let key_len = varint(index, &mut at);
            at += key_len;
            let start = varint(index, &mut at);
            let len = varint(index, &mut at);
            blocks.push((start, start + len));
        }
        assert_eq!(blocks.len(), count, "one restart point an entry");
        PackedTable {
            bytes,
            blocks,
            plain: vec![0; 1 << 20],
        }
    }

    /// Decompresses every block into the same buffer, on this thread. Returns the seconds and the bytes that came out.
    pub fn decompress(&mut self) -> (f64, u64) {
        let mut snappy = snap::raw::Decoder::new();
        let mut zstd = zstd::bulk::Decompressor::new().expect("zstd starts");
        let mut total = 0;
        let start = Instant::now();
        for (from, to) in &self.blocks {
            let payload = &self.bytes[*from..*to];
            let mut at = 0;
            let plain = &mut self.plain[..];
            let len = match self.bytes[*to] {
                0 => {
                    plain[..payload.len()].copy_from_slice(payload);
                    payload.len()
                }
                1 => snappy.decompress(payload, plain).expect("sound snappy"),
                4 => {
                    let len = varint(payload, &mut at);
                    lz4_flex::block::decompress_into(&payload[at..], &mut plain[..len])
                        .expect("sound lz4")
                }
                7 => {
                    let len = varint(payload, &mut at);
                    zstd.decompress_to_buffer(&payload[at..], &mut plain[..len])
                        .expect("sound zstd")
                }
                other => panic!("codec {other}"),
            };
            std::hint::black_box(&plain[..len]);
            total += len as u64;
        }
        (start.elapsed().as_secs_f64(), total)
    }
}

/// Chunks of LZ4 of an SSTable that the benchmark wrote, in memory.
pub struct PackedChunks {
    bytes: Vec<u8>,
    /// Where each chunk starts in the file.
    starts: Vec<usize>,
    /// Length of a chunk before compression.
    plain_len: usize,
}

/// Chunks that a thread takes at once.
const CHUNKS_AT_ONCE: usize = 256;

impl PackedChunks {
    /// Reads Data.db and CompressionInfo.db; `prefix` is the beginning of their paths.
    pub fn read(prefix: &str) -> PackedChunks {
        let file = |name: &str| std::fs::read(format!("{prefix}{name}")).expect("a file is there");
        let info = file("CompressionInfo.db");
        // The name of the compressor, no options, the length of chunks, one more length, that of the data, the count of chunks.
        let chunk_len_at = 2 + "LZ4Compressor".len() + 4;
        let number = |at: usize| u32::from_be_bytes(info[at..at + 4].try_into().expect("4 bytes"));
        let offsets = info[chunk_len_at + 20..].chunks_exact(8);
        PackedChunks {
            bytes: file("Data.db"),
            starts: offsets
                .map(|offset| u64::from_be_bytes(offset.try_into().expect("8 bytes")) as usize)
                .collect(),
            plain_len: number(chunk_len_at) as usize,
        }
    }

    /// What each chunk holds: in front of it stands its length, behind it a checksum.
    fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.starts.iter().skip(1).copied();
        let ends = ends.chain([self.bytes.len()]);
        let places = self.starts.iter().zip(ends);
        places.map(|(from, to)| &self.bytes[*from + 4..to - 4])
    }
}

/// Decompresses every chunk of several files, each thread into a buffer of its own. Returns the seconds and the bytes that came out.
pub fn decompress_chunks(packed: &[PackedChunks], threads: usize) -> (f64, u64) {
    let payloads: Vec<&[u8]> = packed.iter().flat_map(PackedChunks::payloads).collect();
    let plain_len = packed.iter().map(|each| each.plain_len).max().unwrap_or(0);
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut plain = vec![0; plain_len];
                loop {
                    let from = next.fetch_add(CHUNKS_AT_ONCE, Ordering::Relaxed);
                    let Some(left) = payloads.get(from..).filter(|left| !left.is_empty()) else {
                        break;
                    };
                    for payload in &left[..left.len().min(CHUNKS_AT_ONCE)] {
                        let len = lz4_flex::block::decompress_into(payload, &mut plain);
                        let len = len.expect("sound lz4");
                        std::hint::black_box(&plain[..len]);
                        total.fetch_add(len as u64, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (start.elapsed().as_secs_f64(), total.into_inner())
}

fn varint(bytes: &[u8], at: &mut usize) -> usize {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = bytes[*at];
        *at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}
