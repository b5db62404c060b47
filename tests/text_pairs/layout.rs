//! The many ways in which one table is written as delimited text. Naive on purpose, and no code of mdiff's.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::model::{Columns, Field, Kind, Rows};
use crate::common::Random;

/// One way of writing.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The columns in the order of the file, those that are ignored too.
    pub columns: Vec<String>,
    pub ignored: Vec<String>,
    pub sorted: bool,
    pub line_end: &'static str,
    pub last_line_end: bool,
    pub quote_all: bool,
    pub byte_order_mark: bool,
    pub header: bool,
    pub delimiter: char,
    pub null: Option<&'static str>,
    pub compression: &'static str,
    pub seed: u64,
}

impl Layout {
    /// A random layout of a table of `kind` without a header or with one.
    pub fn random(
        random: &mut Random,
        kind: &Kind,
        header: bool,
        delimiter: char,
        ignored: &[String],
    ) -> Layout {
        let mut columns: Vec<String> = kind.columns.key.clone();
        columns.extend(kind.columns.value.iter().cloned());
        columns.extend(ignored.iter().cloned());
        if header {
            random.shuffle(&mut columns);
        } else {
            columns.sort_by_key(|name| name.parse::<u32>().expect("numbers"));
        }
        Layout {
            columns,
            ignored: ignored.to_vec(),
            sorted: random.below(2) == 0,
            line_end: ["\n", "\r\n"][random.below(2) as usize],
            last_line_end: random.below(4) > 0,
            quote_all: random.below(4) == 0,
            byte_order_mark: header && random.below(5) == 0,
            header,
            delimiter,
            null: kind.null,
            compression: ["", "", "", ".gz", ".zst", ".lz4", ".bz2", ".xz"]
                [random.below(8) as usize],
            seed: random.below(u64::MAX),
        }
    }

    /// Writes the rows to `dir/name.csv` or `.tsv`, with the ending of the compression; returns the path.
    pub fn write(&self, dir: &Path, name: &str, columns: &Columns, rows: &Rows) -> PathBuf {
        let ending = if self.delimiter == '\t' { "tsv" } else { "csv" };
        let path = dir.join(format!("{name}.{ending}{}", self.compression));
        let bytes = compress(&self.text(columns, rows), self.compression);
        std::fs::write(&path, bytes).expect("the test's folder can be written");
        path
    }

    fn text(&self, columns: &Columns, rows: &Rows) -> Vec<u8> {
        let mut random = Random(self.seed);
        let mut order: Vec<_> = rows.iter().collect();
        if !self.sorted {
            random.shuffle(&mut order);
        }
        let mut out = Vec::new();
        if self.byte_order_mark {
            out.extend_from_slice(b"\xef\xbb\xbf");
        }
        let mut lines: Vec<Vec<u8>> = Vec::new();
        if self.header {
            let names: Vec<Field> = self
                .columns
                .iter()
                .map(|name| Some(name.clone().into_bytes()))
                .collect();
            lines.push(self.line(&names, &mut random));
        }
        for (key, value) in order {
            let fields: Vec<Field> = self
                .columns
                .iter()
                .map(|name| {
                    if let Some(i) = columns.key.iter().position(|k| k == name) {
                        Some(key[i].clone())
                    } else if let Some(i) = columns.value.iter().position(|v| v == name) {
                        value[i].clone()
                    } else {
                        Some(format!("noise {}", random.below(1 << 40)).into_bytes())
                    }
                })
                .collect();
            lines.push(self.line(&fields, &mut random));
        }
        let end = self.line_end.as_bytes();
        let last_is_blank = lines.last().is_some_and(Vec::is_empty);
        out.extend_from_slice(&lines.join(end));
        if !lines.is_empty() && (self.last_line_end || last_is_blank) {
            out.extend_from_slice(end);
        }
        out
    }

    fn line(&self, fields: &[Field], random: &mut Random) -> Vec<u8> {
        let mut line = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                line.extend_from_slice(self.delimiter.to_string().as_bytes());
            }
            let null = self.null.map(str::as_bytes);
            let Some(field) = field else {
                line.extend_from_slice(null.expect("NULL has a spelling"));
                continue;
            };
            let must = null == Some(field)
                || field
                    .iter()
                    .any(|b| b"\"\r\n".contains(b) || char::from(*b) == self.delimiter);
            if must || self.quote_all || random.below(20) == 0 {
                line.push(b'"');
                for byte in field {
                    if *byte == b'"' {
                        line.push(b'"');
                    }
                    line.push(*byte);
                }
                line.push(b'"');
            } else {
                line.extend_from_slice(field);
            }
        }
        line
    }
}

/// Compresses by the crates, as `gzip`, `zstd`, `lz4`, `bzip2` and `xz` do.
pub fn compress(bytes: &[u8], ending: &str) -> Vec<u8> {
    let level = flate2::Compression::new(6);
    match ending {
        "" => bytes.to_vec(),
        ".gz" => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        ".zst" => zstd::encode_all(bytes, 3).unwrap(),
        ".lz4" => {
            let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        ".bz2" => {
            let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(6));
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        ".xz" => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 6);
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        other => panic!("no compression {other}"),
    }
}
