//! Files for the real binary to work on: tables, what is in a folder, and where fixtures are.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mdiff::row::{Row, Schema};
use mdiff::source::{SourceOptions, block_table};

use super::{Random, Rows};

/// Prints what was left out, so that it is found in a log and never taken for a pass.
pub fn skipped(what: &str) {
    eprintln!("\n*** SKIPPED *** {what}\n");
}

/// Few rounds in debug, more in release or with `MDIFF_LONG_TESTS=1`.
pub fn rounds(debug: u64, release: u64) -> u64 {
    if cfg!(debug_assertions) && std::env::var_os("MDIFF_LONG_TESTS").is_none() {
        debug
    } else {
        release
    }
}

/// The bytes of a `.sst` with these rows, compressed so (`none`, `snappy`, `lz4`, `zstd`).
pub fn sst_bytes(rows: &Rows, compression: &str) -> Vec<u8> {
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);
    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let memory = Memory::default();
    let options = SourceOptions {
        write_compression: compression.into(),
        ..SourceOptions::default()
    };
    let mut writer =
        block_table::create(Box::new(memory.clone()), &Schema::Bytes, &options).unwrap();
    for (key, value) in rows {
        writer.put(Row { key, value }).unwrap();
    }
    writer.finish().unwrap();
    let bytes = memory.0.lock().unwrap();
    bytes.clone()
}

/// `count` rows of `value_bytes` of noise each, under keys that ascend.
pub fn many_rows(count: u64, value_bytes: usize, seed: u64) -> Rows {
    let mut random = Random(seed);
    (0..count)
        .map(|n| {
            let value = (0..value_bytes).map(|_| random.below(256) as u8).collect();
            (format!("row {n:07}").into_bytes(), value)
        })
        .collect()
}

/// Every file of a folder with its bytes.
pub fn folder(dir: impl AsRef<Path>) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// `testdata/` of this repository.
pub fn testdata(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(case)
}

/// The larger set of fixtures, where it is there.
pub fn shared_fixtures() -> Option<PathBuf> {
    let shared = match std::env::var_os("MDIFF_SHARED") {
        Some(shared) => PathBuf::from(shared),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    Some(shared.join("fixtures")).filter(|fixtures| fixtures.is_dir())
}

/// Runs a tool that need not be there; `None` where it is not.
pub fn tool(name: &str, args: &[&str]) -> Option<std::process::Output> {
    std::process::Command::new(name).args(args).output().ok()
}

/// The bytes that a field of `--json` stands for: text, or hexadecimal where they are no UTF-8.
pub fn json_bytes(field: &serde_json::Value) -> Vec<u8> {
    match field {
        serde_json::Value::String(text) => text.clone().into_bytes(),
        other => unhex(other["hex"].as_str().unwrap_or_else(|| panic!("{other}"))),
    }
}

/// The bytes of hexadecimal digits.
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}
