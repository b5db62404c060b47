use super::*;
use std::io::Write;

const ALL: [Codec; 5] = [
    Codec::Snappy,
    Codec::Zlib,
    Codec::Bzip2,
    Codec::Lz4,
    Codec::Zstd,
];

fn rows(n: u32) -> Vec<u8> {
    (0..n)
        .flat_map(|i| format!("key{i:08}value{}", i.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

fn compress(codec: Codec, bytes: &[u8], dictionary: Option<&[u8]>) -> Vec<u8> {
    match codec {
        Codec::Snappy => snap::raw::Encoder::new().compress_vec(bytes).unwrap(),
        Codec::Zlib => {
            let mut deflate = flate2::Compress::new(flate2::Compression::new(6), false);
            if let Some(dictionary) = dictionary {
                deflate.set_dictionary(dictionary).unwrap();
            }
            let mut out = Vec::with_capacity(bytes.len() + 1000);
            let status = deflate
                .compress_vec(bytes, &mut out, flate2::FlushCompress::Finish)
                .unwrap();
            assert_eq!(status, Status::StreamEnd);
            out
        }
        Codec::Bzip2 => {
            let mut writer =
                bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        Codec::Lz4 => match dictionary {
            Some(dictionary) => lz4_flex::block::compress_with_dict(bytes, dictionary),
            None => lz4_flex::block::compress(bytes),
        },
        Codec::Zstd => zstd::bulk::Compressor::with_dictionary(3, dictionary.unwrap_or_default())
            .unwrap()
            .compress(bytes)
            .unwrap(),
    }
}

fn zstd_without_length(bytes: &[u8]) -> Vec<u8> {
    let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn is_malformed(result: Result<(), InflateError>) -> bool {
    matches!(result, Err(InflateError::Malformed(_)))
}

#[test]
fn blocks_of_every_codec_come_back_whatever_the_buffer_held() {
    let mut inflater = Inflater::new(None);
    let mut out = vec![7; 100];
    for codec in ALL {
        for bytes in [rows(200), Vec::new(), rows(3), rows(40_000), vec![0; 5000]] {
            let block = compress(codec, &bytes, None);
            let len = bytes.len() as u64;
            inflater
                .inflate(codec, &block, Some(len), len, &mut out)
                .unwrap_or_else(|e| panic!("{codec:?} {len}: {e:?}"));
            assert!(out == bytes, "{codec:?} {len}");
            if codec != Codec::Lz4 {
                inflater
                    .inflate(codec, &block, None, len, &mut out)
                    .unwrap_or_else(|e| panic!("{codec:?} {len} without a length: {e:?}"));
                assert!(out == bytes, "{codec:?} {len} without a length");
            }
        }
    }
    let bytes = rows(40_000);
    let block = zstd_without_length(&bytes);
    assert_eq!(zstd_safe::get_frame_content_size(&block).unwrap(), None);
    let len = bytes.len() as u64;
    for declared in [None, Some(len)] {
        inflater
            .inflate(Codec::Zstd, &block, declared, len, &mut out)
            .unwrap();
        assert!(out == bytes);
    }
    assert_eq!(
        inflater.inflate(Codec::Zstd, &block, None, len - 1, &mut out),
        Err(InflateError::TooLarge {
            value: len,
            max: len - 1
        })
    );
}

#[test]
fn a_warm_buffer_is_not_allocated_again() {
    let bytes = rows(200);
    let mut out = Vec::with_capacity(bytes.len());
    let address = out.as_ptr();
    let mut inflater = Inflater::new(None);
    for codec in ALL {
        let block = compress(codec, &bytes, None);
        inflater
            .inflate(codec, &block, Some(bytes.len() as u64), 1 << 20, &mut out)
            .unwrap();
    }
    assert_eq!(out.as_ptr(), address);
}

#[test]
fn dictionaries_raw_and_trained_serve_block_after_block() {
    let samples: Vec<Vec<u8>> = (0..400u32)
        .map(|i| format!("{{\"tenant\":\"tenant{:03}\",\"id\":{i},\"state\":\"open\",\"note\":\"no note was given for {i}\"}}", i % 37).into_bytes())
        .collect();
    let trained = zstd::dict::from_samples(&samples, 4096).unwrap();
    assert_eq!(trained.get(..4), Some(&[0x37, 0xa4, 0x30, 0xec][..]));
    let raw = samples[..40].concat();
    for (codec, dictionary) in [
        (Codec::Zstd, &trained),
        (Codec::Zstd, &raw),
        (Codec::Lz4, &raw),
        (Codec::Zlib, &raw),
        (Codec::Bzip2, &raw),
    ] {
        let mut with = Inflater::new(Some(dictionary));
        let mut without = Inflater::new(None);
        let mut out = Vec::new();
        for bytes in &samples[100..120] {
            let block = compress(codec, bytes, Some(dictionary));
            let len = bytes.len() as u64;
            with.inflate(codec, &block, Some(len), len, &mut out)
                .unwrap();
            assert_eq!(&out, bytes, "{codec:?}");
            let bare = without.inflate(codec, &block, Some(len), len, &mut out);
            if codec == Codec::Bzip2 {
                bare.unwrap();
            } else {
                assert!(
                    bare.is_err() || &out != bytes,
                    "{codec:?} without its dictionary"
                );
            }
        }
    }
}

#[test]
fn a_wrong_length_a_cut_block_and_a_small_cap_are_errors() {
    let bytes = rows(2000);
    let len = bytes.len() as u64;
    let mut inflater = Inflater::new(None);
    let mut out = Vec::new();
    for codec in ALL {
        let block = compress(codec, &bytes, None);
        for wrong in [0, 1, len - 1, len + 1] {
            let result = inflater.inflate(codec, &block, Some(wrong), u64::MAX, &mut out);
            assert!(is_malformed(result), "{codec:?} declared as {wrong}");
        }
        for cut in [0, 1, 4, block.len() / 2, block.len() - 1] {
            let result = inflater.inflate(codec, &block[..cut], Some(len), u64::MAX, &mut out);
            assert!(is_malformed(result), "{codec:?} cut to {cut}");
            if codec != Codec::Lz4 {
                let result = inflater.inflate(codec, &block[..cut], None, u64::MAX, &mut out);
                assert!(
                    result.is_err() || (cut == 0 && out.is_empty()),
                    "{codec:?} cut to {cut} without a length"
                );
            }
        }
        let small = inflater.inflate(codec, &block, Some(len), len - 1, &mut out);
        assert_eq!(
            small,
            Err(InflateError::TooLarge {
                value: len,
                max: len - 1
            })
        );
        if codec != Codec::Lz4 {
            let small = inflater.inflate(codec, &block, None, len - 1, &mut out);
            assert!(matches!(small, Err(InflateError::TooLarge { .. })));
        }
    }
}

#[test]
fn lengths_beyond_the_codecs_ratio_are_refused_before_allocation() {
    let mut inflater = Inflater::new(None);
    for codec in ALL {
        let block = compress(codec, b"short", None);
        let mut out = Vec::new();
        for lie in [1 << 27, 1 << 32, 1 << 63, u64::MAX] {
            if codec == Codec::Bzip2 && lie == 1 << 27 {
                continue; // possible by its ratio
            }
            let result = inflater.inflate(codec, &block, Some(lie), u64::MAX, &mut out);
            assert!(is_malformed(result), "{codec:?}");
        }
        assert_eq!(out.capacity(), 0, "{codec:?}");
    }
    // A Snappy header that promises 4 GiB.
    let mut out = Vec::new();
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61];
    assert!(is_malformed(inflater.inflate(
        Codec::Snappy,
        &lie,
        None,
        u64::MAX,
        &mut out
    )));
    // bzip2's claim is possible but false: no more is allocated than a sound start would need.
    let block = compress(Codec::Bzip2, b"short", None);
    let result = inflater.inflate(Codec::Bzip2, &block, Some(1 << 25), u64::MAX, &mut out);
    assert!(is_malformed(result));
    assert!(out.capacity() <= 16 << 20);
}

#[test]
fn blocks_at_the_highest_ratio_pass() {
    let bytes = vec![0u8; 8 << 20];
    let mut inflater = Inflater::new(None);
    let mut out = Vec::new();
    for codec in ALL {
        let block = compress(codec, &bytes, None);
        let len = bytes.len() as u64;
        inflater
            .inflate(codec, &block, Some(len), len, &mut out)
            .unwrap_or_else(|e| panic!("{codec:?}: {e:?}"));
        assert!(out == bytes);
    }
}

#[test]
fn zstd_windows_above_the_limit_are_refused() {
    let frame = |window: u8| {
        // No content size, one raw block "a", the last.
        [
            &[0x28, 0xb5, 0x2f, 0xfd, 0x00, window][..],
            &[0x09, 0x00, 0x00, b'a'],
        ]
        .concat()
    };
    let mut inflater = Inflater::new(None);
    let mut out = Vec::new();
    for declared in [None, Some(1)] {
        inflater
            .inflate(Codec::Zstd, &frame(17 << 3), declared, 9, &mut out)
            .unwrap();
        assert_eq!(out, b"a");
        for window in [(17 << 3) + 1, 18 << 3, 0xff] {
            let result = inflater.inflate(Codec::Zstd, &frame(window), declared, 9, &mut out);
            assert!(is_malformed(result), "{window}");
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let bytes = rows(60);
    let dictionary = rows(20);
    let mut inflater = Inflater::new(Some(&dictionary));
    let mut out = Vec::new();
    let mut flips = 0u32;
    for codec in ALL {
        let block = compress(codec, &bytes, Some(&dictionary));
        for bit in 0..block.len() * 8 {
            let mut bad = block.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            for declared in [None, Some(bytes.len() as u64)] {
                let _ = inflater.inflate(codec, &bad, declared, 1 << 20, &mut out);
                assert!(out.len() <= 1 << 20);
            }
            flips += 1;
        }
        // The state of a failed call does not leak into the next.
        inflater
            .inflate(codec, &block, Some(bytes.len() as u64), 1 << 20, &mut out)
            .unwrap();
        assert!(out == bytes, "{codec:?}");
    }
    println!("{flips} flips");
}
