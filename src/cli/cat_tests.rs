use super::*;
use crate::range::KeyRange;
use crate::row::columns::{push_key_column, push_value_column};
use crate::row::{Row, RowStream, Schema, wide};
use crate::source::{Estimate, RowWriter};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A snapshot in memory. Key `!` can't be read; with `unsorted`, a scan fails at its end until the table is told.
#[derive(Default)]
struct Memory(Vec<MemoryTable>);

struct MemoryTable {
    name: String,
    schema: Schema,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    unsorted: AtomicBool,
}

impl Snapshot for Memory {
    fn format(&self) -> &'static str {
        "memory"
    }
    fn tables(&self) -> Vec<&dyn Table> {
        self.0.iter().map(|table| table as &dyn Table).collect()
    }
    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
    fn describe(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    fn writer<'a>(&self, _: Box<dyn Write + 'a>) -> Result<Box<dyn RowWriter + 'a>> {
        Err(Error::usage("read only", ""))
    }
}

impl Table for MemoryTable {
    fn name(&self) -> &str {
        &self.name
    }
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn estimate(&self) -> Estimate {
        Estimate {
            bytes: 1 << 40,
            ..Estimate::default()
        }
    }
    fn split(&self, range: &KeyRange, pieces: usize) -> Result<Vec<Vec<u8>>> {
        let keys: Vec<_> = self.rows.iter().map(|(key, _)| key.clone()).collect();
        let step = keys.len() / pieces + 1;
        let inside = |key: &Vec<u8>| range.contains(key) && *key > range.from;
        Ok(keys.into_iter().step_by(step).filter(inside).collect())
    }
    fn scan<'a>(&'a self, range: &KeyRange) -> Result<Box<dyn RowStream + 'a>> {
        Ok(Box::new(Scan {
            table: self,
            range: range.clone(),
            next: 0,
        }))
    }
    fn may_recover(&self) -> bool {
        self.unsorted.load(Relaxed)
    }
    fn recover(&self, _: &Error) -> Result<bool> {
        Ok(self.unsorted.swap(false, Relaxed))
    }
}

struct Scan<'a> {
    table: &'a MemoryTable,
    range: KeyRange,
    next: usize,
}

impl RowStream for Scan<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        while let Some((key, value)) = self.table.rows.get(self.next) {
            self.next += 1;
            if key == b"!" {
                return Err(
                    Error::damaged("m", 7, "rot").hiding(crate::error::UnreadableKeys {
                        from: b"!".to_vec(),
                        to: Some(b"\"".to_vec()),
                    }),
                );
            }
            if self.range.contains(key) {
                return Ok(Some(Row { key, value }));
            }
        }
        match self.table.unsorted.load(Relaxed) {
            true => Err(Error::damaged("m", 9, "not sorted")),
            false => Ok(None),
        }
    }
}

fn table(name: &str, rows: &[(&[u8], &[u8])]) -> MemoryTable {
    MemoryTable {
        name: name.into(),
        schema: Schema::Bytes,
        rows: rows.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect(),
        unsorted: AtomicBool::new(false),
    }
}

fn cat(tables: Vec<MemoryTable>, args: CatArgs) -> Result<(Exit, String)> {
    let (mut out, bytes) = Output::memory();
    let options = SourceOptions::default();
    let printed = print_snapshot(&Memory(tables), &options, &args, &mut out);
    out.finish()?;
    let text = String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
    printed.map(|exit| (exit, text))
}

fn printed(tables: Vec<MemoryTable>, args: CatArgs) -> String {
    cat(tables, args).unwrap().1
}

fn limit(limit: u64) -> CatArgs {
    CatArgs {
        limit: Some(limit),
        ..CatArgs::default()
    }
}

const ROWS: [(&[u8], &[u8]); 3] = [(b"a\tb", b"1"), (b"b", b"\xff\\"), (b"c", b"")];

#[test]
fn a_line_is_key_tab_value_escaped() {
    let text = "a\\x09b\t1\nb\t\\xff\\\\\nc\t\n";
    assert_eq!(
        printed(vec![table("default", &ROWS)], CatArgs::default()),
        text
    );
    assert_eq!(printed(vec![table("default", &ROWS)], limit(9)), text);
}

#[test]
fn hex_is_exact_and_reads_ranges_in_hex() {
    let mut args = CatArgs {
        hex: true,
        ..CatArgs::default()
    };
    args.range.from = Some("62".into());
    assert_eq!(
        printed(vec![table("default", &ROWS)], args),
        "62\tff5c\n63\t\n"
    );
}

#[test]
fn json_lines_have_table_key_value() {
    let args = CatArgs {
        json: true,
        ..CatArgs::default()
    };
    assert_eq!(
        printed(vec![table("t\"", &ROWS[1..])], args),
        "{\"table\":\"t\\\"\",\"key\":\"b\",\"value\":{\"hex\":\"ff5c\"}}\n{\"table\":\"t\\\"\",\"key\":\"c\",\"value\":\"\"}\n"
    );
}

#[test]
fn columns_are_named_and_null_is_not_a_text() {
    let mut key = Vec::new();
    push_key_column(&mut key, b"acme");
    push_key_column(&mut key, b"1");
    let mut value = Vec::new();
    for field in [None, Some(&b"\\N"[..]), Some(b"x\ty")] {
        push_value_column(&mut value, field);
    }
    let people = || MemoryTable {
        schema: Schema::Columns {
            key: vec!["tenant".into(), "id".into()],
            value: vec!["a".into(), "b".into(), "c".into()],
            sql: None,
        },
        ..table("people", &[(&key, &value), (&key, b"\x09")])
    };
    assert_eq!(
        printed(vec![people()], CatArgs::default()),
        "acme,1\ta=\\N\tb=\\\\N\tc=x\\x09y\nacme,1\t\\raw:\\x09\n"
    );
    let args = CatArgs {
        json: true,
        limit: Some(1),
        ..CatArgs::default()
    };
    let row: serde_json::Value = serde_json::from_str(&printed(vec![people()], args)).unwrap();
    assert_eq!(row["key"], serde_json::json!({"tenant": "acme", "id": "1"}));
    assert_eq!(
        row["value"],
        serde_json::json!({"a": null, "b": "\\N", "c": "x\ty"})
    );
}

#[test]
fn columns_of_the_value_itself_are_named_too() {
    let mut value = Vec::new();
    let columns: [(&[u8], &[u8]); 2] = [(b"", b"v"), (b"n\xff", b"x\ty")];
    wide::push(&mut value, columns.into_iter());
    let tables = || vec![table("t", &[(b"k", &value)])];
    assert_eq!(
        printed(tables(), CatArgs::default()),
        "k\t\"\"=v\tn\\xff=x\\x09y\n"
    );
    let args = CatArgs {
        json: true,
        ..CatArgs::default()
    };
    assert_eq!(
        printed(tables(), args),
        "{\"table\":\"t\",\"key\":\"k\",\"value\":{\"\":\"v\",\"n\\\\xff\":\"x\\ty\"}}\n"
    );
}

#[test]
fn several_tables_are_named_on_each_line_and_can_be_chosen() {
    let tables = || vec![table("t1", &ROWS[..1]), table("t2", &ROWS[2..])];
    assert_eq!(
        printed(tables(), CatArgs::default()),
        "t1\ta\\x09b\t1\nt2\tc\t\n"
    );
    let mut args = CatArgs::default();
    args.tables.tables = vec!["t2".into()];
    assert_eq!(printed(tables(), args.clone()), "c\t\n");
    args.tables.tables = vec!["t3".into()];
    let error = cat(tables(), args).unwrap_err();
    assert_eq!(error.hint().unwrap(), "tables are: t1, t2");
}

#[test]
fn a_limit_counts_over_all_tables() {
    let tables = vec![table("t1", &ROWS[..1]), table("t2", &ROWS)];
    assert_eq!(
        printed(tables, limit(2)),
        "t1\ta\\x09b\t1\nt2\ta\\x09b\t1\n"
    );
    assert_eq!(printed(vec![table("t", &ROWS)], limit(0)), "");
}

#[test]
fn damage_is_passed_over_only_when_asked_and_then_exits_3() {
    let tables = || vec![table("t", &[(b" ", b""), (b"!", b""), (b"a", b"")])];
    let error = cat(tables(), CatArgs::default()).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let args = CatArgs {
        keep_going: true,
        ..CatArgs::default()
    };
    assert_eq!(
        cat(tables(), args).unwrap(),
        (Exit::Damaged, " \t\na\t\n".into())
    );
}

#[test]
fn what_can_be_mended_is_mended_before_the_first_row_is_printed() {
    let unsorted = table("t", &ROWS[2..]);
    unsorted.unsorted.store(true, Relaxed);
    assert_eq!(printed(vec![unsorted], CatArgs::default()), "c\t\n");
}

/// Pieces are formatted on several threads; the lines must come in the order of the keys all the same.
#[test]
fn many_threads_print_in_order() {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = (0..20_000u32)
        .map(|i| (i.to_be_bytes().to_vec(), vec![b'v'; i as usize % 100]))
        .collect();
    let big = MemoryTable {
        rows,
        ..table("big", &[])
    };
    let lines = Lines {
        table: "big",
        schema: &Schema::Bytes,
        form: Form::Text,
        hex: false,
        name_table: false,
        cut: false,
    };
    let all = KeyRange::all();
    let print = |threads: usize| -> Vec<u8> {
        let (mut out, bytes) = Output::memory();
        match threads {
            1 => rows::print_serially(&big, &all, &lines, &mut None, false, &mut out).map(|_| ()),
            _ => rows::print_in_parallel(&big, &all, &lines, threads, &mut out),
        }
        .unwrap();
        out.finish().unwrap();
        std::mem::take(&mut *bytes.lock().unwrap())
    };
    let serial = print(1);
    assert_eq!(serial.iter().filter(|&&byte| byte == b'\n').count(), 20_000);
    for threads in [2, 3, 8] {
        assert!(
            print(threads) == serial,
            "{threads} threads print otherwise"
        );
    }
}

#[test]
fn the_format_of_a_patch_is_how_it_is_printed() {
    let form = |format: Option<&str>, json: bool| {
        let mut args = CatArgs {
            json,
            ..CatArgs::default()
        };
        args.source.format = format.map(Into::into);
        args.patch_form().ok()
    };
    assert_eq!(form(None, false), Some(PatchForm::Text));
    assert_eq!(form(None, true), Some(PatchForm::Json));
    assert_eq!(form(Some("sql"), false), Some(PatchForm::Sql));
    assert_eq!(form(Some("xml"), false), None);
}
