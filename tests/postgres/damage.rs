//! Dumps that are cut off or changed: an error that says where, or the same rows.

use std::path::{Path, PathBuf};

use mdiff::error::{ErrorKind, Result};
use mdiff::range::KeyRange;
use mdiff::source::{self, SourceOptions};

use crate::common::{mdiff, rounds, testdata};

type Rows = Vec<(String, Vec<u8>, Vec<u8>)>;

fn read(path: &Path, options: &SourceOptions) -> Result<Rows> {
    let snapshot = source::open(path, options)?;
    let mut rows = Rows::new();
    for table in snapshot.tables() {
        table.scan(&KeyRange::all())?.for_each(&mut |row| {
            rows.push((table.name().into(), row.key.to_vec(), row.value.to_vec()));
            Ok(())
        })?;
    }
    Ok(rows)
}

/// A small dump with the rows of two tables.
const SMALL: &str = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n
CREATE TABLE public.t (\n    id integer NOT NULL,\n    \"a;b\" text DEFAULT 'x;'\n);\n
CREATE TABLE public.u (\n    id integer NOT NULL\n);\n
--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: o\n--\n
COPY public.t (id, \"a;b\") FROM stdin;\n1\tone\\n\n2\t\\N\n30\t\\\\.\n\\.\n\n
INSERT INTO public.u VALUES (1);\nINSERT INTO public.u VALUES (2), (3) ON CONFLICT DO NOTHING;\n
ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n
ALTER TABLE ONLY public.u\n    ADD CONSTRAINT u_pkey PRIMARY KEY (id);\n
--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn no_dump_that_is_cut_off_is_taken_for_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    let fixture = |name: &str| std::fs::read(testdata("postgres").join(name)).unwrap();
    let options = SourceOptions {
        format: Some("postgres".into()),
        ..SourceOptions::default()
    };
    for (name, bytes, step) in [
        ("plain", SMALL.as_bytes().to_vec(), 1),
        ("custom", fixture("left.custom"), rounds(787, 1)),
        ("pipe", fixture("left.pipe.custom"), rounds(1511, 7)),
        ("tar", fixture("left.tar"), rounds(2311, 7)),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let whole = read(&path, &options).unwrap();
        assert!(whole.len() >= 6);
        let mut refused = 0;
        for len in (0..bytes.len()).step_by(step as usize) {
            std::fs::write(&path, &bytes[..len]).unwrap();
            match read(&path, &options) {
                // What is cut off is the end mark of the archive, or the last line.
                Ok(rows) => assert!(rows == whole, "{name}: {len} bytes"),
                Err(error) => {
                    assert_eq!(error.exit_code(), 3, "{name}, {len} bytes: {error}");
                    refused += 1;
                }
            }
        }
        let all = bytes.len() / step as usize;
        assert!(refused > all * 9 / 10, "{name}: {refused} of {all}");
    }
}

#[test]
fn messages_tell_the_line_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    for (from, to, message) in [
        (
            "2\t\\N\n",
            "2\n",
            "line 22: a row of 1 fields, where 2 columns are declared, at offset 316",
        ),
        (
            "2\t\\N\n",
            "\\N\t2\n",
            "line 22: NULL in field 1, a column of the key, at offset 316",
        ),
        (
            "\\.\n\n\nINSERT",
            "\n\n\nINSERT",
            "the rows of public.t end without a line \\. behind them: the dump is not complete",
        ),
        (
            "VALUES (1);",
            "VALUES (1;",
            "no , or ) behind a value of INSERT",
        ),
        (
            "VALUES (1);",
            "VALUES (now());",
            "a value of INSERT that is no literal",
        ),
        (
            "DO NOTHING;",
            "DO UPDATE SET id = 1;",
            "an INSERT that goes on behind its values",
        ),
        (
            "INSERT INTO public.u VALUES (1);",
            "INSERT INTO public.u SELECT 1;",
            "an INSERT that is not of plain values",
        ),
        (
            "COPY public.t (id, \"a;b\") FROM stdin;",
            "COPY public.t (id, \"a;b\") FROM stdin WITH (FORMAT csv);",
            "a COPY statement that pg_dump does not write",
        ),
        (
            "COPY public.t (id, \"a;b\")",
            "COPY public.t (id, c)",
            "have other columns: \"c\" is in one only",
        ),
        (
            "30\t",
            "2\t",
            "key 2 stands twice: at line 22, offset 316 and at line 23, offset 321",
        ),
        ("dump complete", "", "the dump is not complete"),
        ("DEFAULT 'x;'", "DEFAULT 'x;", "is never closed"),
    ] {
        assert_eq!(SMALL.matches(from).count(), 1, "{from}");
        std::fs::write(&path, SMALL.replace(from, to)).unwrap();
        mdiff(["info", "dump.sql"])
            .in_dir(&folder)
            .run()
            .exits(3)
            .tells(message);
    }
}

#[test]
fn a_flipped_bit_of_compressed_rows_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["left.custom", "left.v16.custom"] {
        let sound = std::fs::read(testdata("postgres").join(name)).unwrap();
        let path: PathBuf = folder.path().join("dump");
        std::fs::write(&path, &sound).unwrap();
        let whole = read(&path, &SourceOptions::default()).unwrap();
        let start = sound.len() - 6000;
        for at in (start..sound.len()).step_by(rounds(397, 1) as usize) {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, bytes).unwrap();
            match read(&path, &SourceOptions::default()) {
                Err(error) => assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::Damaged { .. } | ErrorKind::Limit { .. }
                    ),
                    "{error}"
                ),
                // Large objects are not read.
                Ok(rows) => assert!(rows == whole, "{name}: bit at {at}"),
            }
        }
    }
}
