//! Mutations of bbolt's pages and of Bitcask's entries, with their checksums made right again.

use std::ops::Range;

use mdiff::file::input::Input;
use mdiff::source::SourceOptions;

use crate::common::*;
use crate::mutations::{mangle, overwrite, run};
use crate::parsers::{Place, read_folder, read_snapshot};

const PAGE: usize = 4096;

/// A database as its member has it: without the SHA-256, so that mutations are seen by what is behind that.
fn database(case: &str) -> Vec<u8> {
    let input = Input::open(&testdata(case), &Default::default()).unwrap();
    let mut scratch = Vec::new();
    let bytes = input.read(0, input.len() - 32, &mut scratch).unwrap();
    bytes.to_vec()
}

/// Makes the checksum of a meta page right.
fn seal_meta(bytes: &mut [u8], at: usize) {
    let Some(meta) = bytes.get_mut(at..at + 80) else {
        return;
    };
    let sum = meta[16..72]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    meta[72..].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn mutated_bbolt_files() {
    let files = vec![
        database("etcd/empty/snapshot.db"),
        database("etcd/history-kept/snapshot.db.gz"),
    ];
    let place = Place::new("input.db");
    run(
        "bbolt",
        files,
        |random, _, bytes| {
            if random.below(5) == 0 {
                return mangle(random, bytes);
            }
            let pages = (bytes.len() / PAGE) as u64;
            let page = match random.below(4) {
                0 => random.below(2),
                _ => random.below(pages),
            } as usize;
            // Headers and the first elements lead to all else.
            let len = if random.below(3) == 0 { PAGE } else { 160 };
            overwrite(random, bytes, &(page * PAGE..page * PAGE + len));
            seal_meta(bytes, 0);
            seal_meta(bytes, PAGE);
        },
        move |bytes, seed| {
            let options = SourceOptions {
                format: (seed % 3 == 0).then(|| "bbolt".into()),
                sort_memory_bytes: 32 << 10,
                ..SourceOptions::default()
            };
            read_snapshot(&place.path(), bytes, seed % 2 == 0, &options)
        },
    );
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => crc >> 1 ^ 0xedb8_8320,
            _ => crc >> 1,
        })
    })
}

fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    let lens = [
        &(key.len() as u16).to_be_bytes()[..],
        &(value.len() as u32).to_be_bytes(),
    ]
    .concat();
    let body = [&[9, 9, 9, 9], lens.as_slice(), key, value].concat();
    [&crc32(&body).to_be_bytes()[..], &body].concat()
}

/// Objects of Riak in both versions, two of the first with siblings.
fn objects() -> Vec<Vec<u8>> {
    let sized = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let clock = b"\x83l\0\0\0\x01h\x02m\0\0\0\x02abh\x02a\x03b\0\x01\0\0j";
    let metadata = [
        &[0, 0, 6, 164, 0, 1, 2, 3, 0, 0, 0, 42, 4][..],
        b"vtag\0",
        &sized(b"\x01content-type"),
        &sized(b"\0\x83k\0\x04text"),
        &sized(b"\0\x83d\0\x03dot"),
        &sized(b"\0\x83t\0\0\0\x01a\x01F?\xf8\0\0\0\0\0\0"),
    ]
    .concat();
    let sibling = [sized(b"\x01some value"), sized(&metadata)].concat();
    let of = |count: u32| {
        let head = [&[53, 1][..], &sized(clock), &count.to_be_bytes()].concat();
        [head, sibling.repeat(count as usize)].concat()
    };
    let old = [
        &b"\x83h\x07d\0\x08r_objectm\0\0\0\x01bm\0\0\0\x01kl\0\0\0\x01h\x03d\0\x09r_contenth\x09d\0\x04dict"[..],
        b"a\x01a\x10a\x10a\x08a\x50a\x30h\x01jh\x01h\x01l\0\0\0\x01l\0\0\0\x01m\0\0\0\x0bX-Riak-VTagk\0\x02vtj",
        b"m\0\0\0\x05valuej",
        &clock[1..],
        b"jd\0\x09undefined",
    ]
    .concat();
    vec![of(1), of(3), of(0), old]
}

/// Where the entries of a data file are.
fn entries(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(header) = bytes.get(at..at + 14) {
        let key = u16::from_be_bytes([header[8], header[9]]) as usize;
        let value = u32::from_be_bytes([header[10], header[11], header[12], header[13]]) as usize;
        found.push(at..at + 14 + key + value);
        at += 14 + key + value;
    }
    found
}

#[test]
fn mutated_bitcask_files() {
    let mut objects: Vec<u8> = objects()
        .iter()
        .enumerate()
        .flat_map(|(n, object)| entry(&[b"\x02\0\x01b", &[n as u8][..]].concat(), object))
        .collect();
    objects.extend(entry(b"\x83h\x02m\0\0\0\x01bm\0\0\0\x01k", b"old key"));
    objects.extend(entry(
        b"\x03\0\x01t\0\x01bk",
        b"bitcask_tombstone2\0\0\0\x01",
    ));
    let real = testdata("bitcask/db-riak-style-keys/db/1.bitcask.data");
    let files = vec![objects, std::fs::read(real).unwrap()];
    let parts: Vec<Vec<Range<usize>>> = files.iter().map(|file| entries(file)).collect();
    let place = Place::new("1.bitcask.data");
    run(
        "bitcask",
        files,
        move |random, which, bytes| {
            if random.below(5) == 0 {
                return mangle(random, bytes);
            }
            let entry = &parts[which][random.below(parts[which].len() as u64) as usize];
            let from = match random.below(3) {
                0 => entry.start + 4,
                _ => (entry.start + 14).min(entry.end - 1),
            };
            overwrite(random, bytes, &(from..entry.end));
            let crc = crc32(&bytes[entry.start + 4..entry.end]);
            bytes[entry.start..entry.start + 4].copy_from_slice(&crc.to_be_bytes());
        },
        move |bytes, seed| {
            let options = SourceOptions {
                format: (seed % 4 > 0)
                    .then(|| ["riak", "bitcask", "riak"][seed as usize % 3].into()),
                sort_memory_bytes: 8 << 10,
                ..SourceOptions::default()
            };
            read_folder(&place.path(), bytes, seed % 2 == 0, &options)
        },
    );
}
