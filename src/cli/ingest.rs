//! The operations of a patch as table files of puts and deletions, for a database to take in: one file a column family.

use std::path::{Path, PathBuf};

use super::convert::ConvertArgs;
use super::exit::Exit;
use super::outfile;
use super::output::{Output, counted};
use crate::error::{Error, Result};
use crate::file::input::Input;
use crate::file::replace::AtomicFile;
use crate::patch::{PatchReader, Record};
use crate::row::{Row, Schema};
use crate::source::{Format, SourceOptions, block_table};

/// Writes the operations of the tables that are asked for: those of a patch of one table, or of one that `--table` picks, to OUT;
/// else those of each table to a file of its own.
///
/// # Errors
///
/// Usage, where the operations are no table's or a file exists; those of reading the patch and of writing.
pub fn convert_patch(
    patch: &Input,
    to: &Format,
    options: &SourceOptions,
    args: &ConvertArgs,
    out: &mut Output,
) -> Result<Exit> {
    let mut reader = PatchReader::new(patch)?;
    let tables = reader.header().tables.clone();
    let picked = &args.tables.tables;
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    if let Some(missing) = picked.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Error::usage(
            format!("there is no table {missing:?} in the patch"),
            format!("tables are: {}", names.join(", ")),
        ));
    }
    let is_wanted = |name: &str| picked.is_empty() || picked.iter().any(|picked| picked == name);
    if to.name != block_table::FORMAT.name
        || tables
            .iter()
            .any(|table| is_wanted(&table.name) && table.schema != Schema::Bytes)
    {
        return Err(Error::usage(
            "the operations of a patch convert to .sst only, and only where keys and values are opaque bytes",
            "print them with: mdiff cat PATCH --format sql (or csv, json)",
        ));
    }
    if args.output == Path::new("-") {
        return Err(Error::usage(
            "the operations of a patch are not written to stdout",
            "name a file with -o",
        ));
    }
    let is_only = tables.iter().filter(|table| is_wanted(&table.name)).count() == 1;
    let path_of = |name: &str| match is_only {
        true => args.output.clone(),
        false => beside(&args.output, name),
    };
    let mut ready: Vec<Written> = Vec::new();
    let mut next = reader.next_record()?;
    while let Some(record) = next {
        let wanted = match record {
            Record::Table(index) => tables.get(index).filter(|table| is_wanted(&table.name)),
            _ => None,
        };
        next = match wanted {
            Some(table) => {
                let path = path_of(&table.name);
                let (written, behind) = write_table(&mut reader, path, options, args)?;
                ready.extend(written);
                behind
            }
            None => reader.next_record()?,
        };
    }
    if ready.is_empty() && is_only {
        let path = args.output.clone();
        let mut file = create(&path, args)?;
        block_table::create(Box::new(&mut file), &Schema::Bytes, options)?.finish()?;
        ready.push(Written {
            file,
            path,
            puts: 0,
            deletes: 0,
        });
    }
    for written in &mut ready {
        written.file.read_back()?;
    }
    for written in ready {
        written.file.commit()?;
        out.note(format!(
            "{}: {} and {}",
            written.path.display(),
            counted(written.puts, "put"),
            counted(written.deletes, "delete")
        ));
    }
    Ok(Exit::DONE)
}

/// A file that is written, and not yet in its place.
struct Written {
    file: AtomicFile,
    path: PathBuf,
    puts: u64,
    deletes: u64,
}

fn create(path: &Path, args: &ConvertArgs) -> Result<AtomicFile> {
    outfile::check(path, args.force.force, &[&args.input])?;
    AtomicFile::create(path, args.force.force)
}

/// Writes the operations that follow, up to those of the next table, and returns the record behind them; no file where there are none.
fn write_table(
    reader: &mut PatchReader<'_>,
    path: PathBuf,
    options: &SourceOptions,
    args: &ConvertArgs,
) -> Result<(Option<Written>, Option<Record>)> {
    let mut record = reader.next_record()?;
    while matches!(record, Some(Record::Range { .. })) {
        record = reader.next_record()?;
    }
    if !matches!(record, Some(Record::Op(_))) {
        return Ok((None, record));
    }
    let mut file = create(&path, args)?;
    let mut writer = block_table::create(Box::new(&mut file), &Schema::Bytes, options)?;
    let (mut puts, mut deletes) = (0, 0);
    loop {
        match &record {
            Some(Record::Op(op)) => match &op.value {
                Some(value) => {
                    puts += 1;
                    writer.put(Row {
                        key: &op.key,
                        value,
                    })?;
                }
                None => {
                    deletes += 1;
                    writer.delete(&op.key)?;
                }
            },
            Some(Record::Range { .. }) => {}
            Some(Record::Table(_)) | None => break,
        }
        record = reader.next_record()?;
    }
    writer.finish()?;
    let written = Written {
        file,
        path,
        puts,
        deletes,
    };
    Ok((Some(written), record))
}

/// `ops.users.sst` beside `ops.sst`; what can't stand in a file name is written as `%` and two digits.
fn beside(output: &Path, table: &str) -> PathBuf {
    let mut name = output.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    for c in table.chars() {
        match c {
            '/' | '%' | '\0'..='\x1f' | '\x7f' => name.push(format!("%{:02x}", u32::from(c))),
            c => name.push(c.to_string()),
        }
    }
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_a_name_of_its_own() {
        for (table, name) in [
            ("users", "d/ops.users.sst"),
            ("a/b%", "d/ops.a%2fb%25.sst"),
            ("..", "d/ops....sst"),
        ] {
            assert_eq!(beside(Path::new("d/ops.sst"), table), Path::new(name));
        }
    }
}
