//! Logs written by a naive writer and by real software: whole, cut short, with every bit flipped.

use std::os::unix::fs::FileExt;

use super::*;
use crate::file::input::FileOptions;
use crate::source::lsm::testing::{append, input, log, physical, real_logs};

type Records = Vec<Vec<u8>>;

fn read_input(input: &Input, number: Option<u64>) -> Result<(Records, LogEnd)> {
    let mut reader = LogReader::new(input, number);
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(record.to_vec());
    }
    assert!(reader.next()?.is_none());
    Ok((records, reader.end()))
}

/// Reads mapped and not mapped; both must agree.
fn read(bytes: &[u8], number: Option<u64>) -> Result<(Records, LogEnd)> {
    let (_folder, mapped) = input(bytes, true);
    let (_folder, plain) = input(bytes, false);
    let one = read_input(&mapped, number);
    let other = read_input(&plain, number);
    assert_eq!(one.as_ref().ok(), other.as_ref().ok());
    one
}

fn record(len: usize, seed: u8) -> Vec<u8> {
    (0..len)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed)
        .collect()
}

#[test]
fn records_around_the_seams_of_blocks_come_back() {
    for number in [None, Some(7u32)] {
        for len in (32768 - 40)..(32768 + 12) {
            let records = [
                record(len, 1),
                record(5, 2),
                record(70_000, 3),
                vec![],
                record(9, 4),
            ];
            let bytes = log(number, &records);
            let got = read(&bytes, Some(7)).unwrap();
            assert_eq!(got, (records.to_vec(), LogEnd::Clean), "{len} {number:?}");
        }
    }
    assert_eq!(read(&[], Some(7)).unwrap(), (vec![], LogEnd::Clean));
}

#[test]
fn a_log_cut_at_any_byte_gives_its_first_records_and_says_so() {
    for number in [None, Some(7u32)] {
        let records = [
            record(60, 1),
            record(33_000, 2),
            record(20, 3),
            record(30, 4),
        ];
        let bytes = log(number, &records);
        let ends: Vec<usize> = (0..=records.len())
            .map(|n| log(number, &records[..n]).len())
            .collect();
        let cuts = (0..100).chain(32_700..32_800).chain(33_000..bytes.len());
        for cut in cuts {
            let whole = ends.iter().rposition(|&end| end <= cut).unwrap();
            let (got, end) = read(&bytes[..cut], Some(7)).unwrap();
            assert_eq!(got, records[..whole], "{cut}");
            match ends.contains(&cut) {
                true => assert_eq!(end, LogEnd::Clean, "{cut}"),
                false => match end {
                    LogEnd::Torn { offset, .. } => assert_eq!(offset, ends[whole] as u64),
                    other => panic!("{cut}: {other:?}"),
                },
            }
        }
    }
}

#[test]
fn no_flipped_bit_loses_a_record() {
    for number in [None, Some(7u32), Some(0x0102_0304)] {
        let records = [record(40, 1), vec![0; 60], record(25, 3)];
        let bytes = log(number, &records);
        let (_folder, sound) = input(&bytes, true);
        let file = std::fs::File::options()
            .write(true)
            .open(sound.path())
            .unwrap();
        let as_number = Some(u64::from(number.unwrap_or(7)));
        for bit in 0..bytes.len() * 8 {
            let at = bit / 8;
            file.write_all_at(&[bytes[at] ^ 1 << (bit % 8)], at as u64)
                .unwrap();
            let error = read_input(&sound, as_number).unwrap_err();
            assert_eq!(error.exit_code(), 3, "bit {bit}: {error}");
            file.write_all_at(&[bytes[at]], at as u64).unwrap();
        }
        assert!(read_input(&sound, as_number).is_ok());
    }
}

#[test]
fn no_flipped_bit_of_a_short_last_part_loses_its_record() {
    for number in [None, Some(7u32)] {
        let header = if number.is_some() { 11 } else { 7 };
        for last in 1..5 {
            let bytes = log(number, &[record(32768 - header + last, 1)]);
            let (_folder, sound) = input(&bytes, true);
            let file = std::fs::File::options()
                .write(true)
                .open(sound.path())
                .unwrap();
            for bit in 32768 * 8..bytes.len() * 8 {
                let at = bit / 8;
                file.write_all_at(&[bytes[at] ^ 1 << (bit % 8)], at as u64)
                    .unwrap();
                assert!(read_input(&sound, Some(7)).is_err(), "{last} bit {bit}");
                file.write_all_at(&[bytes[at]], at as u64).unwrap();
            }
        }
    }
}

#[test]
fn no_flipped_bit_of_a_recycled_log_loses_a_record() {
    // An older log's records, over which the newer one was written.
    let old: Records = (0..180).map(|n| record(200 + n % 7, n as u8)).collect();
    let old = log(Some(6), &old);
    let records = [record(40, 1), record(100, 2), record(25, 3)];
    for (count, tail) in [(3, 0), (3, 5), (2, 0), (0, 0)] {
        let mut bytes = log(Some(7), &records[..count]);
        let live = bytes.len();
        bytes.extend(&old[live + tail..]);
        let (got, end) = read(&bytes, Some(7)).unwrap();
        assert_eq!(got, records[..count]);
        assert_eq!(
            end,
            LogEnd::Stale {
                offset: live as u64
            }
        );
        let (_folder, sound) = input(&bytes, true);
        let file = std::fs::File::options()
            .write(true)
            .open(sound.path())
            .unwrap();
        for bit in 0..(live + 400) * 8 {
            let at = bit / 8;
            file.write_all_at(&[bytes[at] ^ 1 << (bit % 8)], at as u64)
                .unwrap();
            match read_input(&sound, Some(7)) {
                Err(error) => assert_eq!(error.exit_code(), 3, "bit {bit}: {error}"),
                Ok((got, _)) => {
                    assert!(at >= live, "bit {bit}");
                    assert_eq!(got, records[..count], "bit {bit}");
                }
            }
            file.write_all_at(&[bytes[at]], at as u64).unwrap();
        }
    }
}

#[test]
fn a_half_written_record_of_a_recycled_log_is_torn() {
    let old = log(Some(6), &[record(30_000, 9), record(30_000, 8)]);
    let whole = log(Some(7), &[record(50, 1), record(500, 2)]);
    for cut in (80..whole.len() - 1).step_by(3) {
        let mut bytes = whole[..cut].to_vec();
        bytes.extend(&old[cut..]);
        let (got, end) = read(&bytes, Some(7)).unwrap();
        assert_eq!(got, [record(50, 1)], "{cut}");
        assert!(
            matches!(end, LogEnd::Torn { offset: 61, .. }),
            "{cut} {end:?}"
        );
    }
}

#[test]
fn a_lost_page_is_damage_and_a_zero_tail_is_torn() {
    let records: Records = (0..90).map(|n| record(1000, n)).collect();
    for number in [None, Some(7u32)] {
        let bytes = log(number, &records);
        for from in [0, 4096, 32768] {
            let mut lost = bytes.clone();
            lost[from..from + 4096].fill(0);
            assert_eq!(read(&lost, Some(7)).unwrap_err().exit_code(), 3, "{from}");
        }
        let mut filled = log(number, &records[..5]);
        let torn_at = filled.len() as u64;
        filled.extend(vec![0; 50_000]);
        let (got, end) = read(&filled, Some(7)).unwrap();
        assert_eq!(got, records[..5]);
        assert!(matches!(end, LogEnd::Torn { offset, .. } if offset == torn_at));
        let mut half = bytes[..3500].to_vec();
        half.extend(vec![0; 50_000]);
        let (got, end) = read(&half, Some(7)).unwrap();
        assert_eq!(got, records[..3]);
        assert!(matches!(end, LogEnd::Torn { .. }));
        // The same without the last zeros: one bit of the last record's own zeros may be wrong.
        assert!(read(&bytes, Some(7)).is_ok());
    }
}

#[test]
fn parts_without_each_other_are_damage() {
    let first = physical(2, None, b"abc");
    let last = physical(4, None, b"def");
    let full = physical(1, None, b"xyz");
    for wrong in [
        [&last[..], &full].concat(),
        [&first[..], &full].concat(),
        [&first[..], &first, &last].concat(),
        [&physical(3, None, b"def")[..], &last].concat(),
    ] {
        assert_eq!(read(&wrong, Some(7)).unwrap_err().exit_code(), 3);
    }
    // What old writers left: an empty first part, then the record anew.
    let anew = [&physical(2, None, b"")[..], &full].concat();
    assert_eq!(read(&anew, Some(7)).unwrap().0, [b"xyz"]);
}

#[test]
fn types_are_skipped_or_refused() {
    let full = physical(1, None, b"xyz");
    let skipped = [
        &physical(200, None, b"new")[..],
        &physical(130, None, b"old"),
        &full,
    ]
    .concat();
    assert_eq!(read(&skipped, Some(7)).unwrap().0, [b"xyz"]);
    for unknown in [12, 127] {
        let refused = [&full[..], &physical(unknown, None, b"?")].concat();
        let error = read(&refused, Some(7)).unwrap_err();
        assert!(error.to_string().contains("unknown type"), "{error}");
    }
    let widths = physical(10, None, &[2, 0, 0, 0, 8, 0]);
    let (_folder, widths) = input(&widths, true);
    let mut reader = LogReader::new(&widths, Some(7));
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.timestamp_sizes(), [(2, 8)]);
    // A record that is never cut, behind a block that was filled up for it.
    let mut filled = log(None, &[record(32_700, 1)]);
    filled.resize(32768, 0);
    filled.extend(physical(10, None, &[2, 0, 0, 0, 8, 0]));
    append(&mut filled, None, &[record(5, 2)]);
    assert_eq!(
        read(&filled, Some(7)).unwrap().0,
        [record(32_700, 1), record(5, 2)]
    );
}

#[test]
fn compressed_records_are_frames_of_their_own() {
    let records = [record(10, 1), vec![], vec![7; 200_000], record(90_000, 2)];
    let mut bytes = physical(9, None, &7u32.to_le_bytes());
    let frames: Records = records
        .iter()
        .map(|record| match record.is_empty() {
            true => vec![],
            false => zstd::encode_all(record.as_slice(), 1).unwrap(),
        })
        .collect();
    append(&mut bytes, None, &frames);
    assert_eq!(read(&bytes, Some(7)).unwrap().0, records);
    let snappy = physical(9, None, &1u32.to_le_bytes());
    assert!(
        read(&snappy, Some(7))
            .unwrap_err()
            .to_string()
            .contains("compression 1")
    );
    let late = [
        &physical(1, None, b"x")[..],
        &physical(9, None, &7u32.to_le_bytes()),
    ]
    .concat();
    assert_eq!(read(&late, Some(7)).unwrap_err().exit_code(), 3);
}

/// Flips bits of the real logs: each gives the same records, or an error. A sample of the bits; all
/// of them, which takes minutes, where MDIFF_ALL_FLIPS is set.
#[test]
fn no_flipped_bit_of_real_logs_loses_a_record() {
    for (path, number) in real_logs() {
        let bytes = std::fs::read(&path).unwrap();
        let (_folder, copy) = input(&bytes, true);
        let (sound, _) = read_input(&copy, number).unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(copy.path())
            .unwrap();
        let step = match std::env::var_os("MDIFF_ALL_FLIPS") {
            Some(_) => 1,
            None if cfg!(debug_assertions) => bytes.len() / 50 + 1,
            None => bytes.len() / 1000 + 1,
        };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let at = bit / 8;
            file.write_all_at(&[bytes[at] ^ 1 << (bit % 8)], at as u64)
                .unwrap();
            match read_input(&copy, number) {
                Ok((got, _)) => assert!(got == sound, "{} bit {bit}", path.display()),
                Err(error) => assert_eq!(error.exit_code(), 3, "{} bit {bit}", path.display()),
            }
            file.write_all_at(&[bytes[at]], at as u64).unwrap();
        }
    }
}

/// Cuts the real logs: each gives the first records, and no error.
#[test]
fn real_logs_cut_short_are_torn() {
    for (path, number) in real_logs() {
        let bytes = std::fs::read(&path).unwrap();
        let (_folder, whole) = input(&bytes, true);
        let (sound, _) = read_input(&whole, number).unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(whole.path())
            .unwrap();
        let step = bytes.len() / 200 + 1;
        for len in (0..bytes.len()).rev().step_by(step) {
            file.set_len(len as u64).unwrap();
            let cut = Input::open_plain(whole.path(), &FileOptions::default()).unwrap();
            let (got, _) = read_input(&cut, number).unwrap();
            assert!(sound.starts_with(&got), "{} at {len}", path.display());
        }
    }
}
