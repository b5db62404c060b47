//! A table as LevelDB newer than 1.23 writes it with zstd, put together by hand: no fixture has one.

use super::super::checksum::ChecksumKind;
use super::super::footer::LEGACY_MAGIC;
use super::super::write::BlockBuilder;
use super::*;
use crate::file::cursor::push_varint;

fn push_block(file: &mut Vec<u8>, payload: &[u8], kind: u8) -> Vec<u8> {
    let mut handle = Vec::new();
    push_varint(&mut handle, file.len() as u64);
    push_varint(&mut handle, payload.len() as u64);
    let mut block = payload.to_vec();
    block.push(kind);
    let checksum = ChecksumKind::Crc32c.compute(&block);
    file.extend_from_slice(&block);
    file.extend_from_slice(&checksum.to_le_bytes());
    handle
}

fn internal(user_key: &str, sequence: u64, kind: u8) -> Vec<u8> {
    let trailer = sequence << 8 | u64::from(kind);
    [user_key.as_bytes(), &trailer.to_le_bytes()].concat()
}

/// Two blocks; the versions of one key lie in both.
fn table() -> Vec<u8> {
    let mut file = Vec::new();
    let mut index = BlockBuilder::new(1);
    let blocks: [&[(Vec<u8>, &str)]; 2] = [
        &[(internal("a", 1, 1), "first"), (internal("b", 9, 0), "")],
        &[(internal("b", 8, 1), "old"), (internal("c", 3, 1), "last")],
    ];
    for entries in blocks {
        let mut block = BlockBuilder::new(16);
        for (key, value) in entries {
            block.add(key, value.as_bytes());
        }
        let packed = zstd::bulk::compress(block.finish(), 1).unwrap();
        let handle = push_block(&mut file, &packed, 2);
        index.add(&entries.last().unwrap().0, &handle);
    }
    let metaindex = push_block(&mut file, BlockBuilder::new(1).finish(), 0);
    let index = push_block(&mut file, index.finish(), 0);
    let footer = file.len();
    file.extend_from_slice(&[metaindex, index].concat());
    file.resize(footer + 40, 0);
    file.extend_from_slice(&LEGACY_MAGIC.to_le_bytes());
    file
}

fn row(key: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
    (key.into(), value.into())
}

#[test]
fn zstd_in_a_legacy_table_is_told_from_deflate() {
    let (_folder, table) = open_bytes(&table());
    let rows = rows(&table.unwrap(), &KeyRange::all()).unwrap();
    assert_eq!(rows, [row("a", "first"), row("c", "last")]);
}

#[test]
fn an_old_version_behind_a_damaged_block_stays_hidden() {
    let mut bytes = table();
    bytes[5] ^= 1;
    let (_folder, damaged) = open_bytes(&bytes);
    let damaged = damaged.unwrap();
    for from in ["", "a", "b"] {
        let range = KeyRange {
            from: from.into(),
            to: None,
        };
        let (rows, errors) = rows_keep_going(&damaged, &range);
        assert_eq!(rows, [row("c", "last")]);
        let hidden = errors[0].unreadable_keys().unwrap();
        assert_eq!(hidden.from, from.as_bytes());
        assert_eq!(hidden.to.as_deref(), Some(&b"b\0"[..]));
    }
}
