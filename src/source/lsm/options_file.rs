//! The newest `OPTIONS-NNNNNN` of a RocksDB folder, for what nothing else says: the parameters of merge operators.
//!
//! ```text
//! [Version]
//!   rocksdb_version=7.8.3
//! [CFOptions "users"]
//!   merge_operator={id=StringAppendOperator;delimiter=|;}
//! ```
//!
//! Lines as of an INI file; `#` begins a comment unless a backslash stands before it. In names and texts `\r` and `\n`
//! stand for themselves, and a backslash before any other character (`\\`, `\#`, `\:`) for that character; a `;` or a
//! brace is written as it is, so a delimiter ends only where the line ends. An operator without parameters is its bare
//! name. So is, from RocksDB 7.0 on, one whose delimiter is empty; before, delimiters were not written. (Seen in files
//! that 7.8.3 wrote for 25 delimiters.)

use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Result};
use crate::file::input::{FileOptions, Input};

/// The first major version of RocksDB whose options files have all parameters of merge operators.
const VERSION_WITH_PARAMETERS: u32 = 7;

/// What an options file says of merge operators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionsFile {
    /// The file.
    pub path: PathBuf,
    families: Vec<(Vec<u8>, MergeOption)>,
}

/// The merge operator of a column family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeOption {
    /// Its name.
    pub name: String,
    /// Its delimiter; `None` where it has none, or the file does not say.
    pub delimiter: Option<Vec<u8>>,
}

impl OptionsFile {
    /// Reads the options file with the highest number; `None` where there is none in `folder`.
    ///
    /// # Errors
    ///
    /// I/O errors; Limit, where the file is longer than a record may be.
    pub fn newest(folder: &Path, options: &FileOptions) -> Result<Option<OptionsFile>> {
        let failed = |e| crate::error::Error::io("reading", folder, e);
        let mut newest: Option<(u64, PathBuf)> = None;
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(number) = name.to_str().and_then(number) else {
                continue;
            };
            if newest.as_ref().is_none_or(|(most, _)| number > *most) {
                newest = Some((number, entry.path()));
            }
        }
        newest
            .map(|(_, path)| OptionsFile::open(&path, options))
            .transpose()
    }

    /// Reads the options file at `path`.
    ///
    /// # Errors
    ///
    /// As of [`OptionsFile::newest`].
    pub fn open(path: &Path, options: &FileOptions) -> Result<OptionsFile> {
        let input = Input::open_plain(path, options)?;
        let max = input.limits().record_bytes_max;
        if input.len() > max {
            return Err(ErrorKind::Limit {
                path: path.to_owned(),
                offset: 0,
                what: "record bytes",
                value: input.len(),
                max,
            }
            .into());
        }
        let mut scratch = Vec::new();
        let families = parse(input.read(0, input.len(), &mut scratch)?);
        input.check_unchanged()?;
        Ok(OptionsFile {
            path: path.to_owned(),
            families,
        })
    }

    /// The merge operator of the column family `family`; `None` where it has none, or is not in the file.
    pub fn merge_operator(&self, family: &[u8]) -> Option<&MergeOption> {
        self.families
            .iter()
            .find(|(name, _)| name == family)
            .map(|(_, operator)| operator)
    }
}

/// The number of an options file; `None` for any other file, a temporary one too.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("OPTIONS-")?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn parse(text: &[u8]) -> Vec<(Vec<u8>, MergeOption)> {
    let mut families = Vec::new();
    let mut writes_parameters = false;
    let mut family: Option<Vec<u8>> = None;
    for line in text.split(|&byte| byte == b'\n') {
        let line = without_comment(line).trim_ascii();
        if line.starts_with(b"[") {
            family = family_of(line);
        } else if let Some(version) = line.strip_prefix(b"rocksdb_version=") {
            writes_parameters = major(version) >= Some(VERSION_WITH_PARAMETERS);
        } else if let (Some(family), Some(value)) = (&family, line.strip_prefix(b"merge_operator="))
            && let Some(operator) = operator_of(value, writes_parameters)
        {
            families.push((family.clone(), operator));
        }
    }
    families
}

fn without_comment(line: &[u8]) -> &[u8] {
    let mut before = 0;
    let end = line.iter().position(|&byte| {
        let begins = byte == b'#' && before != b'\\';
        before = byte;
        begins
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

/// The name of the family whose options begin with this line.
fn family_of(line: &[u8]) -> Option<Vec<u8>> {
    let name = line.strip_prefix(b"[CFOptions \"")?.strip_suffix(b"\"]")?;
    Some(unescape(name))
}

fn major(version: &[u8]) -> Option<u32> {
    let major = version.split(|&byte| byte == b'.').next()?;
    std::str::from_utf8(major).ok()?.parse().ok()
}

fn operator_of(value: &[u8], writes_parameters: bool) -> Option<MergeOption> {
    let text = |name: &[u8]| String::from_utf8_lossy(name.trim_ascii()).into_owned();
    let Some(inner) = value.strip_prefix(b"{") else {
        let is_none = value.is_empty() || value == b"nullptr";
        return (!is_none).then(|| MergeOption {
            name: text(value),
            delimiter: writes_parameters.then(Vec::new),
        });
    };
    let inner = inner.strip_suffix(b"}").unwrap_or(inner);
    let inner = inner.strip_prefix(b"id=")?;
    let name_end = inner.iter().position(|&byte| byte == b';')?;
    let (name, rest) = inner.split_at_checked(name_end)?;
    let delimiter = rest
        .strip_prefix(b";delimiter=")
        .map(|rest| unescape(rest.strip_suffix(b";").unwrap_or(rest)));
    Some(MergeOption {
        name: text(name),
        delimiter,
    })
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&other) => other,
                None => break,
            },
            other => other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &str) -> OptionsFile {
        let text = format!("# by hand\n[Version]\n  rocksdb_version=7.8.3\n{lines}");
        OptionsFile {
            families: parse(text.as_bytes()),
            ..OptionsFile::default()
        }
    }

    /// What RocksDB 7.8.3 wrote for these delimiters.
    const WRITTEN: [(&str, &str); 14] = [
        ("{id=StringAppendOperator;delimiter=|;}", "|"),
        ("StringAppendOperator", ""),
        (r"{id=StringAppendOperator;delimiter=\\;}", "\\"),
        ("{id=StringAppendOperator;delimiter=;;}", ";"),
        ("{id=StringAppendOperator;delimiter=;;;}", ";;"),
        ("{id=StringAppendOperator;delimiter={};}", "{}"),
        ("{id=StringAppendOperator;delimiter= ;}", " "),
        (r"{id=StringAppendOperator;delimiter=\#;}", "#"),
        (r"{id=StringAppendOperator;delimiter=\\\#;}", "\\#"),
        (r"{id=StringAppendOperator;delimiter=\\n;}", "\\n"),
        (r"{id=StringAppendOperator;delimiter=\:;}", ":"),
        ("{id=StringAppendOperator;delimiter==;}", "="),
        ("{id=StringAppendOperator;delimiter=\t;}", "\t"),
        ("{id=StringAppendOperator;delimiter=nullptr;}", "nullptr"),
    ];

    #[test]
    fn delimiters_are_read_as_rocksdb_writes_them() {
        for (written, delimiter) in WRITTEN {
            let file = parsed(&format!(
                "[CFOptions \"default\"]\n  merge_operator={written}\n"
            ));
            let found = file.merge_operator(b"default").unwrap();
            assert_eq!(found.name, "StringAppendOperator");
            assert_eq!(found.delimiter.as_deref(), Some(delimiter.as_bytes()));
        }
    }

    #[test]
    fn families_are_told_apart() {
        let file = parsed(
            "[CFOptions \"default\"]\n  merge_operator=nullptr # none\n\
             [TableOptions/BlockBasedTable \"default\"]\n  merge_operator=Foreign\n\
             [CFOptions \"a\\#\\n\"]\n  merge_operator=UInt64AddOperator\n",
        );
        assert_eq!(file.merge_operator(b"default"), None);
        assert_eq!(file.merge_operator(b"other"), None);
        let found = file.merge_operator(b"a#\n").unwrap();
        assert_eq!(found.name, "UInt64AddOperator");
    }

    #[test]
    fn old_versions_do_not_tell_the_delimiter() {
        let families = parse(
            b"[Version]\nrocksdb_version=6.11.4\n[CFOptions \"default\"]\nmerge_operator=StringAppendOperator\n",
        );
        assert_eq!(families[0].1.delimiter, None);
    }

    #[test]
    fn the_file_with_the_highest_number_counts() {
        let folder = tempfile::tempdir().unwrap();
        let options = FileOptions::default();
        assert_eq!(OptionsFile::newest(folder.path(), &options).unwrap(), None);
        for (name, operator) in [
            ("OPTIONS-000009", "Old"),
            ("OPTIONS-1000000", "New"),
            ("OPTIONS-999999", "Old"),
            ("OPTIONS-2000000.dbtmp", "Torn"),
            ("OPTIONS-", "Torn"),
        ] {
            let text = format!("[CFOptions \"default\"]\nmerge_operator={operator}\n");
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let newest = OptionsFile::newest(folder.path(), &options)
            .unwrap()
            .unwrap();
        assert_eq!(newest.merge_operator(b"default").unwrap().name, "New");
        assert!(newest.path.ends_with("OPTIONS-1000000"));
    }
}
