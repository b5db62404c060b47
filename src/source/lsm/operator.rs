//! Merge operators: how the operands of a key, and what lay under them, become one value.
//!
//! Two operators of RocksDB do the same in every program that uses them; their code (`utilities/merge_operators` of
//! RocksDB) says all there is to know. Any other is a program's own, and refused by its name.
//!
//! | operator | without a base | with one |
//! |---|---|---|
//! | `StringAppendOperator`, `StringAppendTESTOperator` | operands joined by the delimiter | base, then each operand behind a delimiter; an empty base counts |
//! | `UInt64AddOperator` | sum of the operands, modulo 2^64 | base plus the sum; what is not 8 bytes long (little-endian) counts as 0 |
//!
//! A base with columns of its own (a wide-column entity) keeps them: its default column is the base and takes the
//! result, and an absent one counts as an empty base. So RocksDB 9.8 does.

use std::path::Path;

use crate::error::{Error, Result};
use crate::row::wide::{self, WideColumns};

/// What is wrong with a merge; the caller adds file and offset.
pub type Bad = &'static str;

/// A merge operator whose meaning is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// Joins texts.
    StringAppend {
        /// What stands between two of them; may be empty.
        delimiter: Vec<u8>,
    },
    /// Adds integers of 64 bits.
    UInt64Add,
}

impl Operator {
    /// The operator that tables and the options file of the database call `name`; `path` is the file or folder to blame.
    ///
    /// # Errors
    ///
    /// Unsupported, where the operator is of another name, or joins by a delimiter that is not known.
    pub fn named(path: &Path, name: &str, delimiter: Option<&[u8]>) -> Result<Operator> {
        match (name, delimiter) {
            ("UInt64AddOperator" | "uint64add", _) => Ok(Operator::UInt64Add),
            (
                "StringAppendOperator"
                | "StringAppendTESTOperator"
                | "stringappend"
                | "stringappendtest",
                Some(delimiter),
            ) => Ok(Operator::StringAppend {
                delimiter: delimiter.to_vec(),
            }),
            ("StringAppendOperator" | "StringAppendTESTOperator", None) => Err(Error::unsupported(
                path,
                format!("merge operands of {name}, whose delimiter is not known"),
                "copy the OPTIONS file of the database beside the tables: it names the delimiter",
            )),
            _ => Err(Error::unsupported(
                path,
                format!("merge operands of the operator {name}, which mdiff does not know"),
                "let the database resolve them: compact the column family, then take the snapshot again",
            )),
        }
    }

    /// Puts the value of a row into `out`, in place of what it held. `base` is the value of the put under the operands,
    /// with columns too as [`wide`] has them; `None` where there is a deletion or nothing.
    ///
    /// # Errors
    ///
    /// Bad, where there is neither a base nor an operand.
    pub fn fold(
        &self,
        base: Option<&[u8]>,
        operands_oldest_first: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        out.clear();
        match (base, operands_oldest_first) {
            (None, []) => Err("a merge of nothing"),
            (Some(base), []) => {
                out.extend_from_slice(base);
                Ok(())
            }
            (base, operands) => {
                match base.and_then(wide::read) {
                    Some(columns) => self.fold_default_column(columns, operands, out),
                    None => self.fold_bytes(base, operands, out),
                }
                Ok(())
            }
        }
    }

    fn fold_default_column(&self, columns: WideColumns<'_>, operands: &[&[u8]], out: &mut Vec<u8>) {
        let base = columns
            .clone()
            .next()
            .filter(|(name, _)| name.is_empty())
            .map_or(&[][..], |(_, value)| value);
        let mut merged = Vec::new();
        self.fold_bytes(Some(base), operands, &mut merged);
        let others = columns.filter(|(name, _)| !name.is_empty());
        wide::push(
            out,
            std::iter::once((&[][..], merged.as_slice())).chain(others),
        );
    }

    /// Appends what the operator makes of plain bytes.
    fn fold_bytes(&self, base: Option<&[u8]>, operands: &[&[u8]], out: &mut Vec<u8>) {
        let parts = base.iter().chain(operands);
        match self {
            Operator::StringAppend { delimiter } => {
                for (i, part) in parts.enumerate() {
                    if i > 0 {
                        out.extend_from_slice(delimiter);
                    }
                    out.extend_from_slice(part);
                }
            }
            Operator::UInt64Add => {
                let number = |part: &[u8]| <[u8; 8]>::try_from(part).map_or(0, u64::from_le_bytes);
                let sum = parts.fold(0u64, |sum, part| sum.wrapping_add(number(part)));
                out.extend_from_slice(&sum.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(delimiter: &[u8]) -> Operator {
        Operator::named(Path::new("db"), "StringAppendOperator", Some(delimiter)).unwrap()
    }

    fn fold(operator: &Operator, base: Option<&[u8]>, operands: &[&[u8]]) -> Vec<u8> {
        let mut out = b"old".to_vec();
        operator.fold(base, operands, &mut out).unwrap();
        out
    }

    // Every result of these tests was seen to come from RocksDB 7.8.3 or, with columns, 9.8.4.

    #[test]
    fn texts_are_joined() {
        for (delimiter, base, operands, result) in [
            (&b"|"[..], None, &[&b"a"[..], b"b"][..], &b"a|b"[..]),
            (b"xy", None, &[b"a", b"b"], b"axyb"),
            (b"", None, &[b"a", b"b"], b"ab"),
            (b",", Some(&b""[..]), &[b"a", b""], b",a,"),
            (b",", None, &[b"", b""], b","),
            (b",", None, &[b"a"], b"a"),
            (b",", Some(b"base"), &[], b"base"),
        ] {
            assert_eq!(fold(&append(delimiter), base, operands), result);
        }
        assert!(append(b",").fold(None, &[], &mut Vec::new()).is_err());
    }

    #[test]
    fn numbers_are_added_and_all_else_is_zero() {
        let add = Operator::named(Path::new("db"), "UInt64AddOperator", None).unwrap();
        let five = 5u64.to_le_bytes();
        for (base, operands, sum) in [
            (None, &[&five[..], b"abc", &five][..], 10u64),
            (Some(&b"xx"[..]), &[&five], 5),
            (None, &[b"xx"], 0),
            (Some(&[0xff; 8]), &[&five], 4),
        ] {
            assert_eq!(fold(&add, base, operands), sum.to_le_bytes());
        }
    }

    #[test]
    fn columns_are_kept_and_the_default_one_takes_the_result() {
        let wide = |columns: &[(&[u8], &[u8])]| {
            let mut value = Vec::new();
            wide::push(&mut value, columns.iter().copied());
            value
        };
        let bar = append(b"|");
        let operands: &[&[u8]] = &[b"x", b"y"];
        for (base, result) in [
            (
                wide(&[(b"a", b"1"), (b"b", b"2")]),
                wide(&[(b"", b"|x|y"), (b"a", b"1"), (b"b", b"2")]),
            ),
            (
                wide(&[(b"", b"0"), (b"b", b"2")]),
                wide(&[(b"", b"0|x|y"), (b"b", b"2")]),
            ),
            (wide(&[(b"", b"0")]), b"0|x|y".to_vec()),
            (wide(&[]), b"|x|y".to_vec()),
        ] {
            assert_eq!(fold(&bar, Some(&base), operands), result);
        }
    }

    /// A real database: entities in a table, and for all but one of them the operands "x" and "y" in the log.
    #[test]
    fn entities_take_operands_as_rocksdb_does() {
        use crate::file::input::{FileOptions, Input};
        use crate::range::KeyRange;
        use crate::source::lsm::options_file::OptionsFile;
        use crate::source::{SourceOptions, Table, block_table::BlockTable};

        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lsm/entity-merge");
        let (db, options) = (case.join("db"), FileOptions::default());
        let file = OptionsFile::newest(&db, &options).unwrap().unwrap();
        let option = file.merge_operator(b"default").unwrap();
        let operator = Operator::named(&db, &option.name, option.delimiter.as_deref()).unwrap();
        let input = Input::open(&db.join("000009.sst"), &options).unwrap();
        let table = BlockTable::open(input, &SourceOptions::default()).unwrap();
        let mut found = String::new();
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        table
            .scan(&KeyRange::all())
            .unwrap()
            .for_each(&mut |row| {
                let operands: &[&[u8]] = match row.key {
                    b"unsorted" => &[],
                    _ => &[b"x", b"y"],
                };
                let value = fold(&operator, Some(row.value), operands);
                let columns: Vec<String> = match wide::read(&value) {
                    Some(columns) => columns
                        .map(|(name, field)| format!(r#"["{}", "{}"]"#, hex(name), hex(field)))
                        .collect(),
                    None => vec![format!(r#"["", "{}"]"#, hex(&value))],
                };
                found += &format!(
                    "{{\"k\": \"{}\", \"columns\": [{}]}}\n",
                    hex(row.key),
                    columns.join(", ")
                );
                Ok(())
            })
            .unwrap();
        let expected = std::fs::read_to_string(case.join("expected.entities.jsonl")).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let path = Path::new("db");
        let error = Operator::named(path, "CassandraMergeOperator", None).unwrap_err();
        assert!(error.to_string().contains("CassandraMergeOperator"));
        assert_eq!(error.exit_code(), 3);
        let error = Operator::named(path, "StringAppendOperator", None).unwrap_err();
        assert!(error.hint().unwrap().contains("OPTIONS"));
    }
}
