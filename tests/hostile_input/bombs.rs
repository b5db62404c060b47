//! Little data that claims to be much, or is.

use std::io::Write;
use std::time::Duration;

use mdiff::ErrorKind;
use mdiff::file::input::{FileOptions, Input};
use mdiff::limits::Limits;
use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};

use crate::common::*;
use crate::craft::{Craft, varint};
use crate::harness::{Allowed, Harness};
use crate::parsers::Place;

const ZEROS: u64 = 1 << 30;

/// Zeros without end, a part at a time, through an encoder.
fn zeros(mut out: impl Write, len: u64) {
    let part = vec![0; 1 << 20];
    for _ in 0..len >> 20 {
        out.write_all(&part).unwrap();
    }
}

fn zstd_zeros(len: u64) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zeros(&mut encoder, len);
    encoder.finish().unwrap()
}

fn deflate_zeros(len: u64) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    zeros(&mut encoder, len);
    encoder.finish().unwrap()
}

fn bzip2_zeros(len: u64) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    zeros(&mut encoder, len);
    encoder.finish().unwrap()
}

/// One literal, then a match of `len` bytes, then the five literals that must end a block.
fn lz4_zeros(len: u64) -> Vec<u8> {
    let mut out = vec![0x1f, 0, 1, 0];
    let mut rest = len - 15 - 4;
    while rest >= 255 {
        out.push(255);
        rest -= 255;
    }
    out.push(rest as u8);
    out.extend([0x50, 0, 0, 0, 0, 0]);
    out
}

fn snappy_zeros(len: u64) -> Vec<u8> {
    let mut out = varint(len);
    out.extend([0, 0]);
    for _ in 0..len / 64 {
        out.extend([0xfe, 1, 0]);
    }
    out
}

/// Blocks of a table that inflate to much or say so: what each says it is, and is.
#[test]
fn blocks_that_inflate_without_end_are_refused() {
    // First: what this test itself allocates must not count against another.
    let mut harness = Harness::new();
    let gib = ZEROS;
    // Debug builds compress slowly; the sizes that blocks claim are the same.
    let real = rounds(64 << 20, ZEROS);
    // What it is, what it claims, the table.
    let mut bombs: Vec<(String, u64, Vec<u8>)> = Vec::new();
    for (name, compression, compressed) in [
        ("zlib", 2u8, deflate_zeros(real)),
        ("bzip2", 3, bzip2_zeros(real)),
        ("lz4", 4, lz4_zeros(real)),
        ("zstd", 7, zstd_zeros(real)),
    ] {
        let len = compressed.len() as u64;
        for declared in [
            0,
            1,
            100,
            len,
            1 << 20,
            real - 1,
            real + 1,
            gib,
            1 << 31,
            u64::from(u32::MAX),
            1 << 40,
            u64::MAX,
        ] {
            if declared != real {
                let payload = [varint(declared), compressed.clone()].concat();
                bombs.push((
                    format!("{name} says {declared}"),
                    declared,
                    Craft::one_block(&payload, compression),
                ));
            }
        }
        // Nothing but a claim.
        for declared in [1 << 20, 500 << 20, gib, u64::from(u32::MAX)] {
            let payload = [
                varint(declared),
                compressed[..compressed.len().min(20)].to_vec(),
            ]
            .concat();
            bombs.push((
                format!("{name} claims {declared}"),
                0,
                Craft::one_block(&payload, compression),
            ));
        }
        let nested = [
            varint(len),
            match name {
                "zstd" => zstd::encode_all(&compressed[..], 1).unwrap(),
                _ => continue,
            },
        ]
        .concat();
        bombs.push((
            format!("{name} nested"),
            len,
            Craft::one_block(&nested, compression),
        ));
    }
    for declared in [1 << 20, gib, u64::from(u32::MAX)] {
        let mut claim = varint(declared);
        claim.extend([0, 0, 0xfe, 1, 0]);
        bombs.push((
            format!("snappy claims {declared}"),
            0,
            Craft::one_block(&claim, 1),
        ));
    }
    bombs.push((
        "snappy of a GiB".into(),
        rounds(32 << 20, 0),
        Craft::one_block(&snappy_zeros(rounds(32 << 20, 1 << 30)), 1),
    ));
    // A window of 2^30: the decoder would have to keep that much.
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(30).unwrap();
    wide.include_contentsize(false).unwrap();
    zeros(&mut wide, 1 << 20);
    let wide = wide.finish().unwrap();
    bombs.push((
        "zstd of a wide window".into(),
        1 << 20,
        Craft::one_block(&[varint((1 << 20) + 1), wide].concat(), 7),
    ));

    let place = Place::new("input.sst");
    for (name, claim, table) in bombs {
        let path = place.path();
        std::fs::write(&path, &table).unwrap();
        // A claim that the cap and the codec's highest ratio allow is believed; any other allocates nothing.
        let believed = if claim <= Limits::default().block_bytes_max {
            claim as usize
        } else {
            0
        };
        let allowed = Allowed {
            time: Duration::from_millis(rounds(1000, 300)),
            allocation_bytes: believed + 4 * table.len() + (1 << 20),
            peak_bytes: believed + 2 * table.len() + (64 << 20),
        };
        let what = name.clone();
        let result = harness.check(allowed, move || {
            let snapshot = source::open(&path, &SourceOptions::default()).unwrap();
            let table = snapshot.tables()[0];
            let error = table
                .scan(&KeyRange::all())
                .and_then(|mut stream| stream.for_each(&mut |_| Ok(())));
            let error = error.expect_err("read as if it were sound");
            assert!(matches!(error.exit_code(), 3), "{what}: {error}");
        });
        if let Err(error) = result {
            panic!("{name} ({} bytes): {error}", table.len());
        }
    }
    harness.report("blocks that are bombs");
}

/// Whole files: refused at the cap, in bounded memory.
#[test]
fn files_that_inflate_without_end_are_refused() {
    let mut harness = Harness::new();
    let len = rounds(128 << 20, ZEROS);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zeros(&mut gzip, len);
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    zeros(&mut xz, len);
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    zeros(&mut lz4, len);
    let mut bombs = vec![
        ("a.csv.gz", gzip.finish().unwrap()),
        ("a.csv.xz", xz.finish().unwrap()),
        ("a.csv.lz4", lz4.finish().unwrap()),
        ("a.csv.bz2", bzip2_zeros(len)),
        ("a.csv.zst", zstd_zeros(len)),
    ];
    // Frame after frame, each small.
    let frame = zstd_zeros(8 << 20);
    bombs.push(("b.csv.zst", frame.repeat((len >> 23) as usize)));
    for (name, bomb) in bombs {
        let place = Place::new(name);
        let path = place.path();
        std::fs::write(&path, &bomb).unwrap();
        // It may write up to the cap to its temporary file before it refuses; the time goes with that.
        let allowed = Allowed {
            time: Duration::from_secs(10),
            peak_bytes: 128 << 20,
            allocation_bytes: 64 << 20,
        };
        let result = harness.check(allowed, move || {
            let limits = Limits {
                expansion_max: 20,
                ..Limits::default()
            };
            let error = match Input::open(
                &path,
                &FileOptions {
                    limits,
                    ..FileOptions::default()
                },
            ) {
                Ok(input) => panic!("{} bytes of {}", input.len(), path.display()),
                Err(error) => error,
            };
            assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
        });
        assert_eq!(result, Ok(()), "{name}, {} bytes", bomb.len());
    }
    harness.report("files that are bombs");
}
