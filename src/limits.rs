//! Every cap on what an input may claim, in one place.
//!
//! A length read from a file is compared with the bytes that are left in the file, then with its limit here, and only
//! then allocated.

/// The caps, each with its unit. [`Limits::default`] fits every sound file that its software writes by default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest key, in bytes. RocksDB and Cassandra keys end at 64 KiB or 4 GiB; 16 MiB is far above what is in use.
    pub key_bytes_max: u64,
    /// Longest value, in bytes. A row is held whole in memory, once a thread.
    pub value_bytes_max: u64,
    /// Largest block of a table after decompression, in bytes. A block holds at least one row, so this is above the value limit.
    pub block_bytes_max: u64,
    /// Largest whole-file expansion by `.gz .zst .lz4 .bz2 .xz`: output bytes a byte of input, beyond the first 16 MiB.
    pub expansion_max: u64,
    /// Longest line of delimited text (one record), in bytes.
    pub record_bytes_max: u64,
    /// Most columns of delimited text.
    pub columns_max: u64,
    /// Deepest nesting of an index or a tree.
    pub depth_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            key_bytes_max: 16 << 20,
            value_bytes_max: 256 << 20,
            block_bytes_max: 512 << 20,
            expansion_max: 200,
            record_bytes_max: 256 << 20,
            columns_max: 16_384,
            depth_max: 32,
        }
    }
}

impl Limits {
    /// Sets the limit named `name` (a field of this struct, with `-` or `_`, or words as error messages print them).
    ///
    /// Returns false where there is no such limit.
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        let field = match name.replace(['-', ' '], "_").as_str() {
            "key_bytes_max" | "key_bytes" => &mut self.key_bytes_max,
            "value_bytes_max" | "value_bytes" => &mut self.value_bytes_max,
            "block_bytes_max" | "block_bytes" => &mut self.block_bytes_max,
            "expansion_max" | "expansion" => &mut self.expansion_max,
            "record_bytes_max" | "record_bytes" => &mut self.record_bytes_max,
            "columns_max" | "columns" => &mut self.columns_max,
            "depth_max" | "depth" => &mut self.depth_max,
            _ => return false,
        };
        *field = value;
        true
    }
}
