//! A measurement, run by hand: `cargo test --release --lib block_table::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

#[test]
#[ignore = "a measurement"]
fn nanoseconds_a_row() {
    for (rows, rounds) in [(50_000, 400), (6_000_000, 20)] {
        for compression in ["none", "lz4", "snappy", "zstd"] {
            measure(rows, rounds, compression);
        }
    }
}

/// The best of many rounds: other work on the machine only adds.
fn measure(rows: u64, rounds: u32, compression: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.sst");
    let file = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(&path).unwrap());
    let options = SourceOptions {
        write_compression: compression.into(),
        ..SourceOptions::default()
    };
    let start = Instant::now();
    let mut writer = create(Box::new(file), &crate::row::Schema::Bytes, &options).unwrap();
    let mut random = Random(9);
    let mut value = [0u8; 100];
    for n in 0..rows {
        // Half of the value compresses.
        for byte in &mut value[50..] {
            *byte = random.below(256) as u8;
        }
        let key = format!("{:016x}", n.wrapping_mul(3_074_457_345_618));
        writer
            .put(Row {
                key: key.as_bytes(),
                value: &value,
            })
            .unwrap();
    }
    writer.finish().unwrap();
    println!(
        "{rows} rows, {compression}: written in {:.1} s, {} MB",
        start.elapsed().as_secs_f64(),
        std::fs::metadata(&path).unwrap().len() / 1_000_000
    );
    let table = open_at(&path, true).unwrap();
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        let (mut count, mut bytes) = (0u64, 0u64);
        let mut stream = table.scan(&KeyRange::all()).unwrap();
        stream
            .for_each(&mut |row| {
                count += 1;
                bytes += row.len_bytes();
                Ok(())
            })
            .unwrap();
        assert_eq!((count, bytes), (rows, rows * 116));
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / rows as f64);
    }
    println!("  scan: {best:.1} ns a row");
    let start = Instant::now();
    let cuts = table.split(&KeyRange::all(), 64).unwrap();
    println!("  split into {}: {:?}", cuts.len() + 1, start.elapsed());
}
