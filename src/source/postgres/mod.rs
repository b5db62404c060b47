//! PostgreSQL's dumps, as pg_dump writes them in all its formats.
//!
//! | format | what it is | how it is known |
//! |---|---|---|
//! | plain | a script of SQL: `pg_dump`, `pg_restore -f` | a comment `PostgreSQL database dump` in front |
//! | custom | `pg_dump -Fc`: one file, each table's rows compressed (zlib, LZ4, zstd) or not | `PGDMP` |
//! | directory | `pg_dump -Fd`: `toc.dat` and a file a table (`.dat`, `.gz`, `.lz4`, `.zst`) | a file `toc.dat` |
//! | tar | `pg_dump -Ft`: the same in a tar file | a first member `toc.dat` |
//!
//! Rows are COPY text, or INSERT statements (`--inserts`, `--column-inserts`, `--rows-per-insert`, `--on-conflict-do-nothing`).
//! All of them give the same snapshot: a table `schema.name` for each table that has rows in the dump, with its columns by name;
//! the key is the primary key, or what `--key` names; equal rows of a table without one are counted ([`crate::row::Schema::Bag`]).
//! `value` says what text stands for a value.
//!
//! Files of COPY alone ([`lone`]) are read too.
//!
//! # What is not compared, and said so in a note
//!
//! Tables without their rows in the dump, foreign tables, materialized views, generated columns, values of sequences, large objects.
//! Definitions (indexes, functions, grants, ...) are no rows, and are passed over. Of a partitioned table, the partitions have the
//! rows; the table itself only where the dump was made with `--load-via-partition-root`.
//!
//! # What is refused
//!
//! Scripts with rows of several databases (`pg_dumpall`), COPY and INSERT in ways in which pg_dump does not write them, archives of
//! versions that are not known. A dump that ends before its end is damaged.

use std::path::Path;

use crate::error::Result;
use crate::file::input::Input;
use crate::source::{Detected, Format, Reader, Snapshot, SourceOptions};

mod archive;
mod catalog;
mod chunks;
mod copy_binary;
mod copy_csv;
mod copy_text;
mod cut;
mod ddl;
mod insert;
mod layout;
mod lexer;
pub mod lone;
mod plain;
mod rows;
mod snapshot;
mod toc;
mod value;
mod window;

use snapshot::Dump;
use toc::Container;

/// Dumps that are one file.
pub const FORMAT: Format = Format {
    name: "postgres",
    about: "a dump by PostgreSQL's pg_dump: plain, custom or tar",
    extensions: &["sql", "dump", "pgdump"],
    reader: Reader::File { detect, open },
    create: None,
};

/// Dumps that are a folder.
pub const FOLDER_FORMAT: Format = Format {
    name: "postgres-dir",
    about: "a dump by PostgreSQL's pg_dump in its directory format",
    extensions: &[],
    reader: Reader::Folder {
        detect: |path| {
            Ok(match path.join("toc.dat").is_file() {
                true => Detected::Yes,
                false => Detected::No,
            })
        },
        open: |path, options| {
            let input = Input::open_plain(&path.join("toc.dat"), &options.file)?;
            let dump = Dump::open_archive(input, Container::Directory, path, options)?;
            Ok(Box::new(dump))
        },
    },
    create: None,
};

/// Bytes in front that tell what a file is.
const HEAD_BYTES: u64 = 1 << 10;

/// What a file is, by its first bytes.
enum Kind {
    Plain,
    Archive(Container),
    Other,
}

fn kind_of(input: &Input) -> Result<Kind> {
    let mut scratch = Vec::new();
    let head = input.head(HEAD_BYTES, &mut scratch)?;
    let is_tar = head.starts_with(b"toc.dat\0") && head.get(257..262) == Some(b"ustar");
    Ok(if head.starts_with(toc::MAGIC) {
        Kind::Archive(Container::Custom)
    } else if is_tar {
        Kind::Archive(Container::Tar)
    } else if plain::is_dump(head) {
        Kind::Plain
    } else {
        Kind::Other
    })
}

fn detect(input: &Input) -> Result<Detected> {
    Ok(match kind_of(input)? {
        Kind::Other => Detected::No,
        Kind::Plain | Kind::Archive(_) => Detected::Yes,
    })
}

fn open(input: Input, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
    let dump = match kind_of(&input)? {
        Kind::Archive(container) => Dump::open_archive(input, container, Path::new(""), options)?,
        // A script without its head was asked for by name.
        Kind::Plain | Kind::Other => Dump::open_plain(input, options)?,
    };
    Ok(Box::new(dump))
}

#[cfg(test)]
mod tests;
