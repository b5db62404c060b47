//! Statements and rows of text, against what they are known to mean.

use std::ops::Range;
use std::path::Path;

use proptest::prelude::*;

use super::catalog::Catalog;
use super::copy_text::{self, CopyStyle};
use super::cut;
use super::ddl::{Statement, parse};
use super::layout::Layout;
use super::lexer::{Lexer, Token};
use super::window::{Where, Window};
use crate::file::input::{FileOptions, Input};
use crate::range::KeyRange;
use crate::row::columns::{decode_key, decode_value};
use crate::source::{SourceOptions, TextOptions};

/// A file of these bytes that has no name.
fn input(bytes: &[u8], mmap: bool) -> Input {
    use std::io::Write as _;
    let mut spool = crate::file::spool::Spool::new(None).unwrap();
    spool.write_all(bytes).unwrap();
    let options = FileOptions {
        mmap,
        ..FileOptions::default()
    };
    spool.into_input(Path::new("t.sql"), &options).unwrap()
}

/// Every statement of a script with the tokens that it has.
fn statements(text: &str) -> Vec<Vec<Token>> {
    let input = input(text.as_bytes(), true);
    let window = Window::of_range(&input, 0, input.len(), Where::Text(&input));
    let mut lexer = Lexer::new(window);
    let mut all = Vec::new();
    while let Some(first) = lexer.token().unwrap() {
        let mut tokens = vec![first];
        lexer.statement(&mut tokens, true).unwrap();
        all.push(tokens);
    }
    all
}

#[test]
fn statements_end_where_psql_ends_them() {
    for (text, count) in [
        ("a; b;", 2),
        ("a ';' ''';' b; c;", 2),
        (r"a E'\';' E'\\'; b;", 2),
        (r"a '\'; b;", 2),
        ("a \";\" \"\"\";\"; b;", 2),
        ("a $$;$$ $x$ $$;' $x$; b;", 2),
        ("a $1; b$c$;", 2),
        ("a -- ;\n; b /* ; /* ; */ ; */;", 2),
        ("CREATE RULE r AS ON DELETE TO t DO (a; b); c;", 2),
        (
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN 1 THEN 2 END; b; END; c;",
            2,
        ),
        ("CREATE OR REPLACE PROCEDURE f() BEGIN ATOMIC b; END; c;", 2),
        ("BEGIN; a; END;", 3),
    ] {
        assert_eq!(statements(text).len(), count, "{text}");
    }
}

#[test]
fn strings_mean_what_the_server_takes_them_for() {
    for (text, wanted) in [
        ("'it''s'", &b"it's"[..]),
        (r"'a\n'", br"a\n"),
        (
            r"E'a\n\t\\\'\x41\101\u00fc\q'",
            "a\n\t\\'AA\u{fc}q".as_bytes(),
        ),
        ("$$a'b$$", b"a'b"),
        ("$t$a$$b$t$", b"a$$b"),
        ("B'101'", b"101"),
        ("E'it''s'", b"it's"),
    ] {
        let found = statements(&format!("{text};"));
        assert_eq!(found, [[Token::Text(wanted.to_vec())]], "{text}");
    }
}

#[test]
fn definitions_give_columns_types_and_keys() {
    let text = r#"
        CREATE UNLOGGED TABLE IF NOT EXISTS s."T""x" (
            id bigint DEFAULT nextval('s.q; (1'::regclass) NOT NULL,
            "K;" character varying(20) COLLATE "C" DEFAULT 'a,b)'::character varying,
            n numeric(14,2)[] DEFAULT ARRAY[1,2], at timestamp(3) without time zone,
            e "S x"."My type" NOT NULL, exclude double precision,
            g integer GENERATED ALWAYS AS ((id * 2)) STORED,
            i integer GENERATED ALWAYS AS IDENTITY,
            CONSTRAINT c CHECK ((id > 0)), EXCLUDE USING gist (at WITH &&),
            PRIMARY KEY (at, "K;") INCLUDE (n)
        ) INHERITS (p, s.q) WITH (fillfactor='70') PARTITION BY RANGE (at);"#;
    let all = statements(text);
    let Statement::Table(name, ddl) = parse(&all[0]) else {
        panic!("{all:?}");
    };
    assert_eq!(name.show(), "s.T\"x");
    let columns: Vec<(&str, &str, bool)> = ddl
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.sql_type.as_str(), c.is_generated))
        .collect();
    assert_eq!(
        columns,
        [
            ("id", "bigint", false),
            ("K;", "character varying(20)", false),
            ("n", "numeric(14,2)[]", false),
            ("at", "timestamp(3) without time zone", false),
            ("e", "\"S x\".\"My type\"", false),
            ("exclude", "double precision", false),
            ("g", "integer", true),
            ("i", "integer", false),
        ]
    );
    assert_eq!(ddl.key, ["at", "K;"]);
    let parents: Vec<String> = ddl.parents.iter().map(|p| p.show()).collect();
    assert_eq!(parents, ["p", "s.q"]);
    assert!(ddl.is_partitioned && !ddl.is_foreign);
}

/// The layout of a table of text columns `c0`, `c1`, ... with the first as its key.
fn layout(count: usize) -> Layout {
    let columns: Vec<String> = (0..count).map(|at| format!("c{at} text")).collect();
    let text = format!("CREATE TABLE t ({}, PRIMARY KEY (c0));", columns.join(", "));
    let mut catalog = Catalog::new();
    for tokens in statements(&text) {
        catalog.tell(parse(&tokens));
    }
    let table = catalog.declared().remove(0);
    Layout::new(&table, &TextOptions::default()).unwrap()
}

/// COPY text as the server writes it, by rules of our own.
fn write_copy(rows: &[Vec<Option<Vec<u8>>>], delimiter: u8) -> Vec<u8> {
    let mut text = Vec::new();
    for row in rows {
        for (at, field) in row.iter().enumerate() {
            if at > 0 {
                text.push(delimiter);
            }
            let Some(field) = field else {
                text.extend(b"\\N");
                continue;
            };
            for &byte in field {
                match byte {
                    b'\n' => text.extend(b"\\n"),
                    b'\r' => text.extend(b"\\r"),
                    b'\\' => text.extend(b"\\\\"),
                    b'\t' => text.extend(b"\\t"),
                    1 => text.extend(b"\\1"),
                    2 => text.extend(b"\\x2"),
                    byte if byte == delimiter => text.extend([b'\\', byte]),
                    byte => text.push(byte),
                }
            }
        }
        text.push(b'\n');
    }
    text.extend(b"\\.\n");
    text
}

fn field() -> impl Strategy<Value = Option<Vec<u8>>> {
    // A digit behind an octal or hexadecimal escape would be of it, so there is none.
    let byte = prop::sample::select(b"\\\n\r\t|.Nx'\"\x01\x02\xff\xfcz".to_vec());
    prop::option::weighted(0.8, prop::collection::vec(byte, 0..6))
}

proptest! {
    #[test]
    fn rows_of_copy_are_what_was_written(
        rows in prop::collection::vec(prop::collection::vec(field(), 3), 0..20),
        delimiter in prop::sample::select(b"\t|,".to_vec()),
        mmap in any::<bool>(),
        blanks in 0usize..70,
    ) {
        let mut rows = rows;
        for row in &mut rows {
            row[0].get_or_insert_default();
        }
        let mut text = write_copy(&rows, delimiter);
        text.extend(std::iter::repeat_n(b'\n', blanks));
        let input = input(&text, mmap);
        let end = input.len() - blanks as u64;
        let of_range = |part: Range<u64>| {
            let window = Window::of_range(&input, part.start, part.end, Where::Text(&input));
            (window, part.end == end)
        };
        let of_block = |block: crate::error::Result<cut::Block>| {
            let block = block.unwrap();
            assert_eq!(block.bytes[..], text[block.offset as usize..][..block.bytes.len()]);
            let window = Window::of_bytes(block.bytes, &input, block.offset, Where::Binary);
            (window, block.is_last)
        };
        let whole = vec![of_range(0..end)];
        let parts = cut::at_rows(&input, 0..end).unwrap().into_iter().map(of_range).collect();
        let blocks = cut::Blocks::new(of_range(0..input.len()).0).map(of_block).collect();
        for windows in [whole, parts, blocks] {
            let mut found = Vec::new();
            for (mut window, is_last) in windows {
                let style = CopyStyle { delimiter, needs_end_mark: is_last, ..CopyStyle::default() };
                let mut builder = layout(3).builder(None).unwrap();
                let end = copy_text::read(&mut window, &style, &mut builder, &mut |row, _| {
                    let mut fields: Vec<Option<Vec<u8>>> =
                        decode_key(row.key, 1).unwrap().into_iter().map(Some).collect();
                    let value = decode_value(row.value, 2).unwrap();
                    fields.extend(value.into_iter().map(|field| field.map(<[u8]>::to_vec)));
                    found.push(fields);
                    Ok(())
                })
                .unwrap();
                copy_text::nothing_behind(&mut window, end, is_last).unwrap();
            }
            prop_assert_eq!(&found, &rows);
        }
        let style = CopyStyle { delimiter, ..CopyStyle::default() };
        let mut window = Window::of_range(&input, 0, input.len(), Where::Text(&input));
        let count = copy_text::first_row_len(&mut window, &style).unwrap();
        prop_assert_eq!(count, (!rows.is_empty()).then_some(3));
    }
}

/// A line that is the end mark may not stand between rows, wherever the text is cut.
#[test]
fn rows_behind_the_end_mark_are_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.copy");
    let rows = |from: usize, to: usize| -> String {
        (from..to).map(|n| format!("{n}\tvalue {n}\n")).collect()
    };
    let read = |text: String| {
        std::fs::write(&path, text).unwrap();
        let options = SourceOptions {
            format: Some("pgcopy".into()),
            ..SourceOptions::default()
        };
        let snapshot = crate::source::open(&path, &options)?;
        let table = snapshot.tables()[0];
        let mut count = 0;
        table.scan(&KeyRange::all())?.for_each(&mut |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    };
    for marked in [0, 1, 2, 3, 5, 20, 39] {
        let text = format!("{}\\.\n{}", rows(0, marked), rows(marked, 40));
        let error: crate::error::Error = read(text).unwrap_err();
        let wanted = "text behind the end mark of the rows";
        assert!(error.to_string().contains(wanted), "{marked}: {error}");
    }
    assert_eq!(read(format!("{}\\.\n", rows(0, 40))).unwrap(), 40);
    assert_eq!(read(rows(0, 40)).unwrap(), 40);
}

#[test]
fn no_seam_of_windows_changes_a_row() {
    let read = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/postgres");
        let options = SourceOptions {
            file: FileOptions {
                mmap: name.ends_with(".sql"),
                ..FileOptions::default()
            },
            sort_memory_bytes: 1 << 20,
            ..SourceOptions::default()
        };
        let snapshot = crate::source::open(&folder.join(name), &options).unwrap();
        let mut rows = Vec::new();
        for table in snapshot.tables() {
            let mut stream = table.scan(&KeyRange::all()).unwrap();
            stream
                .for_each(&mut |row| {
                    rows.push((
                        table.name().to_owned(),
                        row.key.to_vec(),
                        row.value.to_vec(),
                    ));
                    Ok(())
                })
                .unwrap();
        }
        rows
    };
    let wanted = read("left.sql");
    assert_eq!(wanted.len(), 128);
    for name in [
        "left.inserts.sql",
        "left.columns.sql",
        "left.rows.sql",
        "left.escapes.sql",
        "left.custom",
        "left.pipe.custom",
        "left.columns.custom",
        "left.dir",
        "left.tar",
    ] {
        assert!(read(name) == wanted, "{name}");
    }
}

#[test]
fn values_have_one_text() {
    use super::value::Kind;
    for (sql_type, text, wanted) in [
        ("numeric(10,2)", "1.50", "1.5"),
        ("bigint", "-7", "-7"),
        ("numeric", "NaN", "NaN"),
        ("real", "0.33333334", "0.33333334"),
        ("real", "315473.62", "315473.62"),
        ("real", "1e-30", "0.000000000000000000000000000001"),
        ("double precision", "0.10000000000000001", "0.1"),
        ("double precision", "1e+300", "1e300"),
        ("double precision", "-Infinity", "-Infinity"),
        ("double precision", "-0", "0"),
        ("boolean", "true", "t"),
        ("bytea", "\\xAB", "\\xab"),
        ("bytea", "a\\\\\\001", "\\x615c01"),
        ("numeric(3,1)[]", "{1.0}", "{1.0}"),
        ("text", "1.0", "1.0"),
    ] {
        let mut out = Vec::new();
        Kind::of(sql_type).push(&mut out, text.as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), wanted, "{sql_type} {text}");
    }
}
