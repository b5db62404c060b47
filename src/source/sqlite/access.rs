//! Opens a database without writing beside it, and without running what it holds.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::failure::{Place, explain};
use crate::error::{Error, ErrorKind, Result};
use crate::file::input::Input;
use crate::file::private::PrivateFolder;
use crate::source::SourceOptions;

/// A header without a frame.
const WAL_HEADER_BYTES: u64 = 32;

/// An open database: one transaction that reads.
pub struct Access {
    /// The connection, in its transaction.
    pub connection: Connection,
    /// What is worth telling of how it was opened.
    pub notes: Vec<String>,
    /// Whether it is of a copy of the file.
    pub is_copy: bool,
    /// Bytes of the log that counts; 0 where there is none.
    pub wal_bytes: u64,
}

/// Files beside a database that belong to it.
#[derive(Default)]
struct Beside {
    wal: Option<Input>,
    journal: Option<Input>,
}

impl Access {
    /// Opens the database in `input` with what lies beside it.
    ///
    /// # Errors
    ///
    /// I/O errors; what SQLite says of the file; Changed, where a database writes to it.
    pub fn open(input: &Input, options: &SourceOptions) -> Result<Access> {
        let place = input.on_disk();
        let beside = match &place {
            Some(path) => Beside::find(path, options)?,
            None => Beside::default(),
        };
        let limit = options.file.limits.record_bytes_max;
        let mut notes = Vec::new();
        let wal_bytes = beside.wal.as_ref().map_or(0, Input::len);
        let is_copy = place.is_none() || !beside.is_nothing();
        let connection = match &place {
            Some(path) if !is_copy => {
                let connection = connect(path, true, limit, input)?;
                if input.on_disk().is_none() {
                    return Err(replaced(input));
                }
                connection
            }
            _ => {
                if beside.journal.is_some() {
                    notes.push(format!(
                        "{}: a transaction was cut off, and is read as rolled back, as its -journal asks",
                        input.path().display()
                    ));
                }
                connect_copy(input, &beside, options)?
            }
        };
        Ok(Access {
            connection,
            notes,
            is_copy,
            wal_bytes,
        })
    }
}

impl Beside {
    fn find(database: &Path, options: &SourceOptions) -> Result<Beside> {
        let open = |ending: &str| -> Result<Option<Input>> {
            let mut path = database.as_os_str().to_owned();
            path.push(ending);
            let path = PathBuf::from(path);
            match path.is_file() {
                true => Input::open_plain(&path, &options.file).map(Some),
                false => Ok(None),
            }
        };
        let wal = match options.database.no_wal {
            true => None,
            false => open("-wal")?.filter(|wal| wal.len() > WAL_HEADER_BYTES),
        };
        let mut journal = open("-journal")?;
        if let Some(input) = &journal {
            let mut scratch = Vec::new();
            // A journal that is kept for the next transaction has zeros in front.
            if matches!(input.head(1, &mut scratch)?, [] | [0]) {
                journal = None;
            }
        }
        Ok(Beside { wal, journal })
    }

    fn is_nothing(&self) -> bool {
        self.wal.is_none() && self.journal.is_none()
    }
}

fn replaced(input: &Input) -> Error {
    ErrorKind::Changed {
        path: input.path().to_owned(),
        what: "another file took its name".into(),
    }
    .into()
}

/// Opens a copy of the database and what is beside it, whose names are gone when this returns.
fn connect_copy(input: &Input, beside: &Beside, options: &SourceOptions) -> Result<Connection> {
    let folder = PrivateFolder::new(options.file.temp_dir.as_deref())?;
    let copy = folder.copy(input, "copy.db")?;
    for (part, name) in [
        (&beside.wal, "copy.db-wal"),
        (&beside.journal, "copy.db-journal"),
    ] {
        if let Some(part) = part {
            folder.copy(part, name)?;
        }
    }
    // Nothing was written between the first byte that was copied and the last.
    for part in [Some(input), beside.wal.as_ref(), beside.journal.as_ref()] {
        part.map_or(Ok(()), Input::check_unchanged)?;
    }
    connect(&copy, false, options.file.limits.record_bytes_max, input)
}

/// Connects, and begins to read.
fn connect(path: &Path, in_place: bool, limit: u64, input: &Input) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match in_place {
        true => Connection::open_with_flags(
            uri(path),
            flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        ),
        false => Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE),
    };
    connection
        .and_then(|connection| begin(&connection, limit).map(|()| connection))
        .map_err(|error| explain(&error, &Place::of(input)))
}

/// The name of a file that nothing writes to, so that SQLite takes no lock and looks for no log.
fn uri(path: &Path) -> OsString {
    let mut uri = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(byte),
            _ => uri.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    uri.extend_from_slice(b"?immutable=1");
    OsString::from_vec(uri)
}

fn begin(connection: &Connection, limit: u64) -> rusqlite::Result<()> {
    use DbConfig as Db;
    // Nothing that the file's author wrote is to run, and nothing is to be written.
    for (setting, value) in [
        (Db::SQLITE_DBCONFIG_DEFENSIVE, true),
        (Db::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (Db::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (Db::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (Db::SQLITE_DBCONFIG_ENABLE_FKEY, false),
        (Db::SQLITE_DBCONFIG_DQS_DML, false),
        (Db::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(setting, value)?;
    }
    connection.set_limit(
        Limit::SQLITE_LIMIT_LENGTH,
        i32::try_from(limit).unwrap_or(i32::MAX),
    )?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.busy_timeout(Duration::ZERO)?;
    // Rows are read as bytes; a collation that an application brought orders none of them.
    connection.collation_needed(|connection, name| {
        connection.create_collation(name, |a, b| a.as_bytes().cmp(b.as_bytes()))
    })?;
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON; BEGIN",
    )?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    connection.query_row(tables, [], |row| row.get::<_, i64>(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn odd_names_become_uris() {
        assert_eq!(
            uri(Path::new(OsStr::from_bytes(b"/a b/c?d#e%f\xff.db"))),
            "file:/a%20b/c%3Fd%23e%25f%FF.db?immutable=1"
        );
    }
}
