//! The pieces of a table's own cuts hold the rows of the whole, however many pieces.

use std::path::Path;

use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions, Table};

use crate::folders::*;

fn scan(table: &dyn Table, range: &KeyRange) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut stream = table.scan(range).unwrap();
    let scanned = stream.for_each(&mut |row| {
        rows.push((row.key.to_vec(), row.value.to_vec()));
        Ok(())
    });
    scanned.unwrap();
    rows
}

/// Checks every table of a folder, cut in many ways.
pub fn check_pieces(db: &Path) {
    let snapshot = source::open(db, &SourceOptions::default()).unwrap();
    for table in snapshot.tables() {
        let whole = scan(table, &KeyRange::all());
        for pieces in [2, 3, 7, 16, 40, 128, 1000] {
            let cuts = table.split(&KeyRange::all(), pieces).unwrap();
            let mut from = 0;
            for range in KeyRange::all().cut_at(&cuts) {
                for (key, value) in scan(table, &range) {
                    let known = whole.get(from);
                    let what = format!(
                        "{}, table {}, {pieces} pieces, {range:?}",
                        db.display(),
                        table.name()
                    );
                    let known = known.unwrap_or_else(|| panic!("{what}: too many rows"));
                    assert_eq!(known.0, key, "{what}: key");
                    assert_eq!(known.1, value, "{what}: value of {}", key.escape_ascii());
                    from += 1;
                }
            }
            assert_eq!(
                from,
                whole.len(),
                "{}: rows in {pieces} pieces",
                db.display()
            );
        }
    }
}

#[test]
fn pieces_hold_the_rows_of_the_whole() {
    for case in cases(&places()) {
        check_pieces(&case.db);
    }
}

/// A folder that anybody names: `MDIFF_FOLDER=DIR cargo test --test database_folders named -- --ignored`.
#[test]
#[ignore = "wants MDIFF_FOLDER"]
fn pieces_of_a_named_folder() {
    check_pieces(Path::new(&std::env::var("MDIFF_FOLDER").unwrap()));
}
