//! Dumps of databases, mangled: text and archives.

use mdiff::source::SourceOptions;

use crate::common::*;
use crate::mutations::{mangle, run};
use crate::parsers::{Place, read_snapshot};

/// A plain dump of two small tables, one of INSERT statements.
const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n
CREATE TABLE public.t (\n    id integer NOT NULL,\n    \"a;b\" text DEFAULT E'x;\\''\n);\n
CREATE TABLE public.u (\n    id integer NOT NULL,\n    f real\n) INHERITS (public.v);\n
CREATE FUNCTION f() RETURNS int AS $x$ ; $x$ LANGUAGE sql;
COPY public.t (id, \"a;b\") FROM stdin;\n1\tone\\n\n2\t\\N\n30\t\\\\.\\x41\\101\n\\.\n\n
INSERT INTO public.u VALUES (1, 1e-7);\nINSERT INTO public.u VALUES (2, 'NaN'), (3, E'1\\060') ON CONFLICT DO NOTHING;\n
ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n
ALTER TABLE ONLY public.u\n    ADD CONSTRAINT u_pkey PRIMARY KEY (id);\n
--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn mutated_dumps_of_postgres() {
    let file = |name: &str| std::fs::read(testdata("postgres").join(name)).unwrap();
    // A large one costs much more time.
    let mut files = vec![PLAIN.as_bytes().to_vec(); 12];
    files.extend([
        file("kinds.copy.binary"),
        file("left.custom"),
        file("left.pipe.custom"),
        file("left.tar"),
    ]);
    let place = Place::new("input");
    let options = SourceOptions {
        sort_memory_bytes: 1 << 20,
        ..SourceOptions::default()
    };
    run(
        "dumps-of-postgres",
        files,
        |random, _, bytes| mangle(random, bytes),
        move |bytes, seed| read_snapshot(&place.path(), bytes, seed % 2 == 0, &options),
    );
}
