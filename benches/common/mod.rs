//! Rows from a seed, the same on every machine: what all benchmarks read.

#![allow(dead_code)] // Each benchmark uses a part of it.

use std::path::Path;

use mdiff::file::replace::AtomicFile;
use mdiff::row::{Row, Schema};
use mdiff::source::{SourceOptions, block_table};

/// Bytes of every key.
pub const KEY_BYTES: usize = 16;
/// Bytes of every value.
pub const VALUE_BYTES: usize = 100;
/// Bytes of every row.
pub const ROW_BYTES: u64 = (KEY_BYTES + VALUE_BYTES) as u64;

const SEED: u64 = 0x6d64_6966_6600_0001;
const HEX: &[u8; 16] = b"0123456789abcdef";
const WORDS: [&str; 16] = [
    "amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty",
    "knoll", "larch", "maple", "north", "osier", "poppy",
];

/// SplitMix64: small, fast, and the same for ever.
pub struct Random(u64);

impl Random {
    /// A stream of its own for each pair of numbers.
    pub fn new(n: u64, version: u64) -> Random {
        let start = n.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ version.rotate_left(32);
        let mut random = Random(SEED ^ start);
        random.bits();
        random
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A word of five letters.
    pub fn word(&mut self) -> &'static str {
        WORDS[(self.bits() % 16) as usize]
    }
}

/// The key of row `n`: 16 hexadecimal digits that ascend with `n`, with gaps between them.
pub fn key(n: u64) -> [u8; KEY_BYTES] {
    const STEP: u64 = 1 << 38;
    let number = n * STEP + Random::new(n, 0).bits() % STEP;
    hex(number)
}

/// Sixteen hexadecimal digits.
pub fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|i| HEX[(number >> (60 - 4 * i)) as usize & 15])
}

/// The value of row `n` in one of its versions: text with words and digits, of which about 40 % compress away.
pub fn value(n: u64, version: u64) -> [u8; VALUE_BYTES] {
    let mut random = Random::new(n, version + 1);
    let mut text = String::with_capacity(VALUE_BYTES + 40);
    for field in ["name=", ";city=", ";mail="] {
        text.push_str(field);
        text.push_str(random.word());
        text.push('-');
        text.push_str(random.word());
    }
    text.push_str(";note=");
    let mut out = [0; VALUE_BYTES];
    while text.len() < VALUE_BYTES {
        text.extend(hex(random.bits()).map(char::from));
    }
    out.copy_from_slice(&text.as_bytes()[..VALUE_BYTES]);
    out
}

/// What two sides have to say of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Both the same.
    Same,
    /// Both, with other values.
    Changed,
    /// Only the first side has it.
    OnlyFirst,
    /// Only the second side has it.
    OnlySecond,
}

/// Where two sides differ: `count` single rows, spread at random over `rows` rows; six in ten changed, two in ten lacking on
/// either side.
#[derive(Debug, Clone, Copy)]
pub struct Differences {
    /// Rows in all.
    pub rows: u64,
    /// Rows that differ.
    pub count: u64,
}

impl Differences {
    /// What row `n` is.
    pub fn kind(&self, n: u64) -> Kind {
        if self.count == 0 {
            return Kind::Same;
        }
        let stride = self.rows / self.count;
        let stretch = n / stride;
        if stretch >= self.count || n % stride != Random::new(stretch, 1 << 40).bits() % stride {
            return Kind::Same;
        }
        match stretch % 10 {
            0..=5 => Kind::Changed,
            6 | 7 => Kind::OnlyFirst,
            _ => Kind::OnlySecond,
        }
    }

    /// Lines of a text that only one of both sides has.
    pub fn lines(&self) -> u64 {
        (0..self.rows)
            .map(|n| match self.kind(n) {
                Kind::Same => 0,
                Kind::Changed => 2,
                Kind::OnlyFirst | Kind::OnlySecond => 1,
            })
            .sum()
    }

    /// The numbers of the rows that one side has, with the version of their values.
    pub fn side(self, second: bool) -> impl Iterator<Item = (u64, u64)> {
        (0..self.rows).filter_map(move |n| match self.kind(n) {
            Kind::OnlyFirst if second => None,
            Kind::OnlySecond if !second => None,
            Kind::Changed => Some((n, u64::from(second))),
            _ => Some((n, 0)),
        })
    }
}

/// Writes an `.sst` with these rows (number and version) by mdiff's own writer, under its name only once it is whole.
pub fn write_sst(path: &Path, compression: &str, rows: impl Iterator<Item = (u64, u64)>) {
    let options = SourceOptions {
        write_compression: compression.into(),
        ..SourceOptions::default()
    };
    let mut file = AtomicFile::create(path, true).unwrap();
    let mut writer = block_table::create(Box::new(&mut file), &Schema::Bytes, &options).unwrap();
    for (n, version) in rows {
        let row = Row {
            key: &key(n),
            value: &value(n, version),
        };
        writer.put(row).unwrap();
    }
    writer.finish().unwrap();
    file.commit().unwrap();
}

/// The lines of delimited text with the same rows: seven columns, about 119 bytes a line, ascending by line and by key.
pub fn csv_line(n: u64, version: u64, line: &mut Vec<u8>) {
    let mut random = Random::new(n, version + 1);
    line.clear();
    // Behind the letters of the header's first column, so that the header is the first line for `comm` too.
    line.push(b'u');
    line.extend_from_slice(&hex(n * 16 + Random::new(n, 0).bits() % 16)[1..]);
    for _ in 0..2 {
        line.push(b',');
        line.extend_from_slice(random.word().as_bytes());
        line.push(b' ');
        line.extend_from_slice(random.word().as_bytes());
    }
    let mail = (random.word(), random.word());
    line.extend_from_slice(format!(",{}.{}@example.org", mail.0, mail.1).as_bytes());
    let (cents, seconds) = (random.bits() % 10_000_000, random.bits() % 100_000_000);
    let amount = format!(
        ",{:05}.{:02},{}",
        cents / 100,
        cents % 100,
        1_600_000_000 + seconds
    );
    line.extend_from_slice(amount.as_bytes());
    line.push(b',');
    for _ in 0..2 {
        line.extend_from_slice(&hex(random.bits()));
    }
    line.push(HEX[(random.bits() % 16) as usize]);
    line.push(b'\n');
}

/// The header of [`csv_line`]'s columns.
pub const CSV_HEADER: &[u8] = b"id,name,city,mail,amount,updated_at,note\n";
