//! Damaged tables: an error or the right rows, never others; and the rest of the table with --keep-going.

use super::super::footer::Handle;
use super::super::key;
use super::super::walk::BlockWalk;
use super::*;

/// A table with context checksums, and one of the writer's own.
fn tables() -> Vec<Vec<u8>> {
    let rows: Vec<_> = (0..400)
        .map(|n| (format!("row {n:05}").into_bytes(), Some(vec![n as u8; 100])))
        .collect();
    let mut tables = vec![write_table(&rows, "none"), write_table(&rows, "lz4")];
    for case in ["fv6-zstd-xxh3", "fv3-partitioned", "leveldb-snapshot-held"] {
        let folder = testdata().join(case);
        tables.push(std::fs::read(folder.join("data.sst")).unwrap());
    }
    tables
}

fn read(bytes: &[u8]) -> Result<Rows> {
    let (_folder, table) = open_bytes(bytes);
    rows(&table?, &KeyRange::all())
}

#[test]
fn a_flipped_byte_gives_an_error_or_the_same_rows() {
    let step = if cfg!(debug_assertions) { 131 } else { 1 };
    for bytes in tables() {
        let sound = read(&bytes).unwrap();
        let tail = bytes.len().saturating_sub(if step > 1 { 60 } else { 0 });
        let mut errors = 0;
        for at in (0..bytes.len()).step_by(step).chain(tail..bytes.len()) {
            for mask in [1u8, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[at] ^= mask;
                match read(&flipped) {
                    Ok(rows) => assert!(rows == sound, "byte {at} ^ {mask}"),
                    Err(_) => errors += 1,
                }
            }
        }
        assert!(errors > bytes.len() / step);
    }
}

#[test]
fn a_table_cut_short_or_grown_is_an_error() {
    for bytes in tables() {
        let step = if cfg!(debug_assertions) { 37 } else { 1 };
        for len in (0..bytes.len())
            .step_by(step)
            .chain(bytes.len() - 70..bytes.len())
        {
            assert!(read(&bytes[..len]).is_err(), "{len}");
        }
        for more in 1..20 {
            let mut grown = bytes.clone();
            grown.resize(bytes.len() + more, 0);
            assert!(read(&grown).is_err());
        }
    }
}

fn data_blocks(table: &BlockTable) -> Vec<(Handle, Vec<u8>)> {
    let mut walk = BlockWalk::new(table.file().clone(), &[]).unwrap();
    let mut found = Vec::new();
    while let Some(handle) = walk.next().map_err(Error::from).unwrap() {
        found.push((handle, walk.separator().to_vec()));
    }
    found
}

/// Damages each data block in turn: the rows outside of the hidden keys are all there, those inside are none, and
/// pieces see the same as the whole.
#[test]
fn a_damaged_block_hides_its_keys_and_no_others() {
    for bytes in tables() {
        let (_folder, table) = open_bytes(&bytes);
        let table = table.unwrap();
        let sound = rows(&table, &KeyRange::all()).unwrap();
        let blocks = data_blocks(&table);
        let step = 1 + blocks.len() / 60;
        for (n, (handle, separator)) in blocks.iter().enumerate().step_by(step) {
            let mut damaged = bytes.clone();
            damaged[handle.offset as usize + handle.size as usize / 2] ^= 4;
            let (_folder, table) = open_bytes(&damaged);
            let table = table.unwrap();
            let (rest, errors) = rows_keep_going(&table, &KeyRange::all());
            assert_eq!(errors.len(), 1, "{errors:?}");
            let hidden = KeyRange::from(errors[0].unreadable_keys().unwrap().clone());
            let before = n.checked_sub(1).map(|n| key::successor(&blocks[n].1));
            assert_eq!(hidden.from, before.unwrap_or_default());
            assert!(hidden.contains(separator));
            let visible: Rows = sound
                .iter()
                .filter(|(key, _)| !hidden.contains(key))
                .cloned()
                .collect();
            assert!(rest == visible, "block {n}");
            check_pieces(&table, &hidden, &visible);
        }
    }
}

fn check_pieces(table: &BlockTable, hidden: &KeyRange, visible: &Rows) {
    let mut cuts = table.split(&KeyRange::all(), 4).unwrap();
    // A cut inside of the damage: both sides report their part.
    cuts.push(key::successor(&hidden.from));
    cuts.sort();
    cuts.dedup();
    let mut joined = Rows::new();
    let mut seen = Vec::new();
    for piece in KeyRange::all().cut_at(&cuts) {
        let (rows, errors) = rows_keep_going(table, &piece);
        joined.extend(rows);
        for error in errors {
            let keys = KeyRange::from(error.unreadable_keys().unwrap().clone());
            assert_eq!(keys, hidden.intersection(&piece));
            seen.push(keys);
        }
    }
    assert!(joined == *visible);
    assert_eq!(seen.first().unwrap().from, hidden.from);
    assert_eq!(seen.last().unwrap().to, hidden.to);
    assert!(
        seen.windows(2)
            .all(|pair| pair[0].to.as_ref() == Some(&pair[1].from))
    );
}

#[test]
fn a_damaged_partition_hides_its_blocks() {
    let bytes = std::fs::read(testdata().join("fv3-partitioned/data.sst")).unwrap();
    let (_folder, table) = open_bytes(&bytes);
    let table = table.unwrap();
    let sound = rows(&table, &KeyRange::all()).unwrap();
    let mut partitions = 0;
    for (separator, handle) in table.file().meta.index.top_entries(&table.file().blocks) {
        partitions += 1;
        let mut damaged = bytes.clone();
        damaged[handle.offset as usize] ^= 1;
        let (_folder, table) = open_bytes(&damaged);
        let (rest, errors) = rows_keep_going(&table.unwrap(), &KeyRange::all());
        assert_eq!(errors.len(), 1);
        let hidden = KeyRange::from(errors[0].unreadable_keys().unwrap().clone());
        assert!(hidden.contains(&separator));
        let mut visible = sound.clone();
        visible.retain(|(key, _)| !hidden.contains(key));
        assert!(rest == visible);
        assert!(rest.len() < sound.len());
    }
    assert!(partitions > 1);
}

/// Random edits with the block's checksum made right again, so that the entries themselves are wrong.
#[test]
fn malformed_entries_never_panic() {
    let rounds = if cfg!(debug_assertions) {
        2_000
    } else {
        100_000
    };
    let mut random = Random(3);
    let tables = tables();
    for _ in 0..rounds {
        let bytes = &tables[random.below(tables.len())];
        let mut edited = bytes.clone();
        let (_folder, table) = open_bytes(bytes);
        let table = table.unwrap();
        let blocks = data_blocks(&table);
        let footer = &table.file().blocks.footer;
        let mut handles: Vec<Handle> = blocks.iter().map(|(handle, _)| *handle).collect();
        handles.extend(footer.index);
        handles.push(footer.metaindex);
        handles.retain(|handle| handle.size > 0);
        let handle = handles[random.below(handles.len())];
        let start = handle.offset as usize;
        let end = start + handle.size as usize;
        for _ in 0..1 + random.below(3) {
            let at = start + random.below(end - start);
            edited[at] = [0, 1, 0x7f, 0x80, 0xff, random.below(256) as u8][random.below(6)];
        }
        let checksum =
            footer
                .checksum
                .stored(&edited[start..=end], footer.base_context, handle.offset);
        edited[end + 1..end + 5].copy_from_slice(&checksum.to_le_bytes());
        let (_folder, table) = open_bytes(&edited);
        if let Ok(table) = table {
            let (rows, _) = rows_keep_going(&table, &KeyRange::all());
            assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
            table.split(&KeyRange::all(), 7).unwrap();
        }
    }
}
