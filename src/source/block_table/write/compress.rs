//! Compression of the blocks that are written.

use std::path::Path;

use super::OUTPUT;
use crate::error::{Error, Result};
use crate::file::cursor::push_varint;

/// Compresses blocks by one codec.
pub struct Compressor {
    codec: Codec,
    packed: Vec<u8>,
}

enum Codec {
    None,
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    /// Makes a compressor by the name that options use; the empty name is lz4.
    ///
    /// # Errors
    ///
    /// Usage, for an unknown name.
    pub fn new(name: &str) -> Result<Compressor> {
        let codec = match name {
            "none" => Codec::None,
            "snappy" => Codec::Snappy(Box::new(snap::raw::Encoder::new())),
            "" | "lz4" => Codec::Lz4,
            "zstd" => Codec::Zstd(
                zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?,
            ),
            other => {
                return Err(Error::usage(
                    format!("tables can't be written with the compression {other:?}"),
                    "use none, snappy, lz4 or zstd",
                ));
            }
        };
        Ok(Compressor {
            codec,
            packed: Vec::new(),
        })
    }

    /// Its name in the table's properties.
    pub fn property(&self) -> &'static str {
        match self.codec {
            Codec::None => "NoCompression",
            Codec::Snappy(_) => "Snappy",
            Codec::Lz4 => "LZ4",
            Codec::Zstd(_) => "ZSTD",
        }
    }

    /// Returns the compressed block and its type byte; nothing where it does not shrink by an eighth.
    pub fn compress(&mut self, block: &[u8]) -> Result<Vec<u8>> {
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        let kind = match &mut self.codec {
            Codec::None => return Ok(packed),
            Codec::Snappy(encoder) => {
                packed.resize(snap::raw::max_compress_len(block.len()), 0);
                let len = encoder
                    .compress(block, &mut packed)
                    .map_err(|e| failed(e.into()))?;
                packed.truncate(len);
                1
            }
            Codec::Lz4 => {
                push_varint(&mut packed, block.len() as u64);
                let start = packed.len();
                packed.resize(
                    start + lz4_flex::block::get_maximum_output_size(block.len()),
                    0,
                );
                let len = lz4_flex::block::compress_into(block, &mut packed[start..])
                    .map_err(|e| failed(std::io::Error::other(e)))?;
                packed.truncate(start + len);
                4
            }
            Codec::Zstd(compressor) => {
                push_varint(&mut packed, block.len() as u64);
                let compressed = compressor.compress(block).map_err(failed)?;
                packed.extend_from_slice(&compressed);
                7
            }
        };
        match packed.len() < block.len() - block.len() / 8 {
            true => packed.push(kind),
            false => packed.clear(),
        }
        Ok(packed)
    }

    /// Takes the memory of a block back, for the next one.
    pub fn give_back(&mut self, packed: Vec<u8>) {
        self.packed = packed;
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("compressing", Path::new(OUTPUT), error)
}
