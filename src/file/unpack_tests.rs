use super::*;
use crate::file::input::Input;
use crate::limits::Limits;
use std::fs;
use std::time::Instant;

const ALL: [Packing; 5] = [
    Packing::Gzip,
    Packing::Zstd,
    Packing::Lz4,
    Packing::Bzip2,
    Packing::Xz,
];

fn pack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    fn all<W: Write>(mut writer: W, bytes: &[u8]) -> W {
        for piece in bytes.chunks(1 << 20) {
            writer.write_all(piece).unwrap();
        }
        writer
    }
    match packing {
        Packing::Gzip => {
            let level = flate2::Compression::new(6);
            all(flate2::write::GzEncoder::new(Vec::new(), level), bytes)
                .finish()
                .unwrap()
        }
        Packing::Zstd => {
            let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            writer.include_checksum(true).unwrap();
            all(writer, bytes).finish().unwrap()
        }
        Packing::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new()
                .content_checksum(true)
                .block_size(lz4_flex::frame::BlockSize::Max64KB);
            let writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            all(writer, bytes).finish().unwrap()
        }
        Packing::Bzip2 => {
            let level = bzip2::Compression::new(1);
            all(bzip2::write::BzEncoder::new(Vec::new(), level), bytes)
                .finish()
                .unwrap()
        }
        Packing::Xz => all(liblzma::write::XzEncoder::new(Vec::new(), 1), bytes)
            .finish()
            .unwrap(),
    }
}

fn rows(n: u32) -> Vec<u8> {
    (0..n)
        .flat_map(|i| format!("{i:08},value {}\n", i.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

struct Case {
    folder: tempfile::TempDir,
    options: FileOptions,
}

impl Case {
    fn new(mmap: bool) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let options = FileOptions {
            few_reads: false,
            mmap,
            temp_dir: Some(folder.path().to_owned()),
            limits: Limits::default(),
        };
        Case { folder, options }
    }

    fn open(&self, name: &str, bytes: &[u8]) -> Result<Input> {
        let path = self.folder.path().join(name);
        // Writing over a file makes ext4 flush it, which is slow.
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        Input::open(&path, &self.options)
    }
}

fn content(input: &Input) -> Vec<u8> {
    input
        .read(0, input.len(), &mut Vec::new())
        .unwrap()
        .to_vec()
}

#[test]
fn packed_files_read_as_what_is_in_them_in_one_part_or_several() {
    for mmap in [true, false] {
        let case = Case::new(mmap);
        for packing in ALL {
            let (first, second) = (rows(30_000), rows(10));
            for name in ["dump.csv", "dump"] {
                let input = case.open(name, &pack(packing, &first)).unwrap();
                assert!(content(&input) == first, "{packing:?}");
                assert_eq!(input.path().file_name().unwrap(), name);
                assert_eq!(input.mapped().is_some(), mmap);
                input.check_unchanged().unwrap();
            }
            let parts = [
                pack(packing, &first),
                pack(packing, &[]),
                pack(packing, &second),
            ];
            let input = case.open("parts", &parts.concat()).unwrap();
            assert!(content(&input) == [first, second].concat(), "{packing:?}");
            let input = case.open("empty", &pack(packing, &[])).unwrap();
            assert!(input.is_empty(), "{packing:?}");
            let plain = Input::open_plain(input.path(), &case.options).unwrap();
            assert!(content(&plain) == pack(packing, &[]));
        }
        assert_eq!(fs::read_dir(case.folder.path()).unwrap().count(), 4);
    }
}

#[test]
fn files_that_only_begin_like_packed_ones_are_read_as_they_are() {
    let case = Case::new(true);
    for packing in ALL {
        let packed = pack(packing, &rows(100));
        for magic in TABLE_MAGICS {
            let table = [&packed[..], &magic].concat();
            assert!(content(&case.open("000012", &table).unwrap()) == table);
        }
        for name in ["a.sst", "nb-1-big-Data.db", "x.ldb"] {
            assert!(content(&case.open(name, &packed).unwrap()) == packed);
        }
        // The magic and noise.
        let noise = [&packed[..10], &[0xff; 100]].concat();
        assert!(
            content(&case.open("noise", &noise).unwrap()) == noise,
            "{packing:?}"
        );
        let error = case
            .open(&format!("noise.{}", packing.extension()), &noise)
            .err()
            .unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::Damaged { .. }),
            "{packing:?}"
        );
    }
    for plain in [
        &b""[..],
        b"B",
        b"BZh",
        b"BZh9 is no bzip2",
        b"\x1f\x8b",
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
    ] {
        assert_eq!(content(&case.open("plain", plain).unwrap()), plain);
    }
}

#[test]
fn every_truncation_is_an_error_that_names_the_place() {
    for mmap in [true, false] {
        let case = Case::new(mmap);
        for packing in ALL {
            let packed = pack(packing, &rows(12_000));
            let name = format!("dump.{}", packing.extension());
            let step = if mmap { 487 } else { 4001 };
            let near_end = packed.len() - 40..packed.len();
            for cut in (16..packed.len()).step_by(step).chain(near_end) {
                let error = case.open(&name, &packed[..cut]).err();
                let error = error.unwrap_or_else(|| panic!("{packing:?} cut to {cut}"));
                let ErrorKind::Damaged { offset, .. } = error.kind() else {
                    panic!("{packing:?} cut to {cut}: {error}");
                };
                assert!(*offset <= cut as u64);
            }
            let error = case.open(&name, &[&packed[..], b"trailing"].concat()).err();
            let error = error.unwrap_or_else(|| panic!("{packing:?} with a tail"));
            assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
        }
    }
}

#[test]
fn lz4_frames_cut_between_two_blocks_are_not_taken_for_whole() {
    let case = Case::new(true);
    let packed = pack(Packing::Lz4, &rows(12_000));
    // Header of 7 bytes, then blocks: length and bytes.
    let mut at = 7usize;
    let mut cuts = 0;
    loop {
        let len = u32::from_le_bytes(packed[at..at + 4].try_into().unwrap());
        assert!(case.open("x.lz4", &packed[..at]).is_err(), "cut to {at}");
        cuts += 1;
        if len == 0 {
            break;
        }
        at += 4 + (len & 0x7fff_ffff) as usize;
    }
    assert!(cuts > 3);
}

#[test]
fn flipped_bits_never_give_other_rows() {
    let case = Case::new(true);
    let bytes = rows(12);
    let (mut flips, mut refused) = (0u32, 0u32);
    for packing in ALL {
        let packed = pack(packing, &bytes);
        let name = format!("dump.{}", packing.extension());
        for bit in 0..packed.len() * 8 {
            let mut bad = packed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
            match case.open(&name, &bad) {
                // A magic that is gone leaves a file of another kind; some header bits mean nothing to the content.
                Ok(input) => assert!(
                    content(&input) == bytes || content(&input) == bad,
                    "{packing:?} bit {bit}"
                ),
                Err(_) => refused += 1,
            }
        }
    }
    println!("{refused} of {flips} flips refused");
    assert!(refused * 10 > flips * 7);
}

#[test]
fn bombs_are_refused_at_the_cap() {
    let zeros = vec![
        0u8;
        if cfg!(debug_assertions) {
            128 << 20
        } else {
            1 << 30
        }
    ];
    for mmap in [true, false] {
        let mut case = Case::new(mmap);
        for packing in ALL {
            let bomb = pack(packing, &zeros);
            case.options.limits = Limits::default();
            let start = Instant::now();
            let error = case.open("bomb", &bomb).err().unwrap();
            println!(
                "{packing:?}: {} bytes refused after {:?}",
                bomb.len(),
                start.elapsed()
            );
            let ErrorKind::Limit {
                what: "expansion",
                value,
                max,
                ..
            } = error.kind()
            else {
                panic!("{packing:?}: {error}");
            };
            assert!(value > max);
            if mmap {
                assert!(case.options.limits.set("expansion", u64::MAX));
                assert_eq!(case.open("bomb", &bomb).unwrap().len(), zeros.len() as u64);
            }
        }
    }
}

#[test]
fn long_windows_and_large_dictionaries_are_refused() {
    let case = Case::new(true);
    let zeros = vec![0u8; 1 << 20];
    let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    writer.window_log(28).unwrap();
    writer.write_all(&zeros).unwrap();
    let error = case.open("x.zst", &writer.finish().unwrap()).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");

    let options = {
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
        options.dict_size(256 << 20);
        options
    };
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let stream =
        liblzma::stream::Stream::new_stream_encoder(&filters, liblzma::stream::Check::Crc32)
            .unwrap();
    let mut writer = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    writer.write_all(&zeros).unwrap();
    let error = case.open("x.xz", &writer.finish().unwrap()).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Damaged { .. }), "{error}");
}

#[test]
fn a_packed_file_is_watched_as_well() {
    let case = Case::new(true);
    let input = case
        .open("dump.gz", &pack(Packing::Gzip, &rows(100)))
        .unwrap();
    input.check_unchanged().unwrap();
    fs::write(input.path(), "rewritten").unwrap();
    let error = input.check_unchanged().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Changed { .. }));
    assert!(content(&input) == rows(100));
}
