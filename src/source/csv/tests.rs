//! Delimited text against tables made up in the test and against the csv crate's reader; in tests all windows are tiny, so
//! small texts meet every seam.

mod cases;
mod made;

use std::sync::{Arc, Mutex};

use super::*;
use crate::row::Row;
use crate::source::TextOptions;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn open_text(text: &[u8], name: &str, options: &SourceOptions) -> Result<Csv> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    let input = Input::open(&path, &options.file).unwrap();
    Csv::open(input, options)
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn with_text(text: TextOptions) -> SourceOptions {
    SourceOptions {
        text,
        ..SourceOptions::default()
    }
}

/// Runs `work` as a build does: again, as long as the table arranges for something better.
fn with_recovery<T>(table: &dyn Table, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..5 {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) if table.recover(&error)? => {}
            Err(error) => return Err(error),
        }
    }
    panic!("recovers for ever");
}

fn scan(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    table.scan(range)?.for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    })?;
    Ok(rows)
}

fn scan_by_next(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    let mut rows = Vec::new();
    let mut stream = table.scan(range)?;
    while let Some(row) = stream.next()? {
        rows.push((row.key.to_vec(), row.value.to_vec()));
    }
    Ok(rows)
}

fn read(table: &dyn Table, range: &KeyRange) -> Result<Rows> {
    with_recovery(table, || scan(table, range))
}

fn read_in_pieces(table: &dyn Table, range: &KeyRange, pieces: usize) -> Result<Rows> {
    with_recovery(table, || {
        let cuts = table.split(range, pieces)?;
        assert!(cuts.len() < pieces.max(1));
        assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
        let mut rows = Vec::new();
        for piece in range.cut_at(&cuts) {
            rows.extend(scan(table, &piece)?);
        }
        Ok(rows)
    })
}

fn read_text(text: &[u8], options: &SourceOptions) -> Result<Rows> {
    read(&open_text(text, "t.csv", options)?, &KeyRange::all())
}

/// A writer whose bytes the test can get at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write_all(
    make: impl FnOnce(Box<dyn std::io::Write>) -> Box<dyn RowWriter>,
    rows: &Rows,
) -> Vec<u8> {
    let out = Shared::default();
    let mut writer = make(Box::new(out.clone()));
    for (key, value) in rows {
        writer.put(Row { key, value }).unwrap();
    }
    writer.finish().unwrap();
    let bytes = out.0.lock().unwrap();
    bytes.clone()
}

/// The message without the folder.
fn message(error: &Error) -> String {
    let text = error.to_string();
    match text.find("t.csv") {
        Some(at) => text[at..].to_owned(),
        None => text,
    }
}
