//! `--columns` and `--ignore-columns` for formats whose columns are fixed.

use std::path::Path;

use super::TextOptions;
use crate::error::{Error, Result};
use crate::row::Schema;
use crate::row::columns::push_value_column;

/// The columns of a format, and those of its value that are asked for.
#[derive(Debug, Clone)]
pub struct Chosen {
    key: Vec<String>,
    /// Each column of the value, ascending by name, and whether it counts.
    value: Vec<(String, bool)>,
}

impl Chosen {
    /// Chooses among the columns `value`, which ascend; those of the key always count.
    ///
    /// # Errors
    ///
    /// Usage, where an option names a column that is not there, leaves out one of the key, or asks for another key.
    pub fn new(path: &Path, key: &[&str], value: &[&str], options: &TextOptions) -> Result<Chosen> {
        let wrong = |what: String, hint: &str| {
            let what = format!("{what} ({})", path.display());
            Err(Error::usage(what, hint))
        };
        let columns = format!("its columns are {}, {}", key.join(", "), value.join(", "));
        for (flag, names) in [
            ("--columns", &options.columns),
            ("--ignore-columns", &options.ignore_columns),
        ] {
            let known = |name: &String| key.iter().chain(value).any(|column| column == name);
            if let Some(name) = names.iter().find(|name| !known(name)) {
                return wrong(format!("{flag}: there is no column {name:?}"), &columns);
            }
        }
        if let Some(name) = options
            .ignore_columns
            .iter()
            .find(|name| key.contains(&name.as_str()))
        {
            return wrong(
                format!("--ignore-columns: {name:?} is a column of the key"),
                "a key can't be left out",
            );
        }
        if !options.key.is_empty() && options.key != key {
            return wrong(
                format!(
                    "--key {}: the key is given by the format",
                    options.key.join(",")
                ),
                &format!("it is {}; leave --key out", key.join(",")),
            );
        }
        let counts = |name: &str| {
            let is_in = |names: &[String]| names.iter().any(|other| other == name);
            (options.columns.is_empty() || is_in(&options.columns))
                && !is_in(&options.ignore_columns)
        };
        Ok(Chosen {
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            value: value
                .iter()
                .map(|name| ((*name).to_owned(), counts(name)))
                .collect(),
        })
    }

    /// How rows of the chosen columns are shown.
    pub fn schema(&self) -> Schema {
        Schema::Columns {
            key: self.key.clone(),
            value: self
                .value
                .iter()
                .filter(|(_, counts)| *counts)
                .map(|(name, _)| name.clone())
                .collect(),
            sql: None,
        }
    }

    /// Appends those of `fields`, one for each column of the value, that count.
    pub fn push_value<'f>(
        &self,
        out: &mut Vec<u8>,
        fields: impl IntoIterator<Item = Option<&'f [u8]>>,
    ) {
        for ((_, counts), field) in self.value.iter().zip(fields) {
            if *counts {
                push_value_column(out, field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn choose(columns: &[&str], ignored: &[&str], key: &[&str]) -> Result<Chosen> {
        let options = TextOptions {
            columns: list(columns),
            ignore_columns: list(ignored),
            key: list(key),
            ..TextOptions::default()
        };
        Chosen::new(Path::new("f"), &["k", "l"], &["a", "b", "c"], &options)
    }

    #[test]
    fn the_chosen_columns_are_those_of_the_rows() {
        for (columns, ignored, expected) in [
            (&[][..], &[][..], &["a", "b", "c"][..]),
            (&["b", "k"], &[], &["b"]),
            (&[], &["b"], &["a", "c"]),
            (&["a", "b"], &["b"], &["a"]),
        ] {
            let chosen = choose(columns, ignored, &[]).unwrap();
            let Schema::Columns { key, value, .. } = chosen.schema() else {
                panic!("no columns");
            };
            assert_eq!((key, value.clone()), (list(&["k", "l"]), list(expected)));
            let mut out = Vec::new();
            chosen.push_value(&mut out, [b"a", b"b", b"c"].map(|f| Some(&f[..])));
            let fields = crate::row::columns::decode_value(&out, expected.len()).unwrap();
            let texts: Vec<_> = fields.iter().map(|f| f.unwrap()).collect();
            assert_eq!(texts.concat(), value.concat().as_bytes());
        }
        choose(&[], &[], &["k", "l"]).unwrap();
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for (columns, ignored, key) in [
            (&["d"][..], &[][..], &[][..]),
            (&[], &["d"], &[]),
            (&[], &["k"], &[]),
            (&[], &[], &["k"]),
            (&[], &[], &["a"]),
        ] {
            assert_eq!(choose(columns, ignored, key).unwrap_err().exit_code(), 2);
        }
    }
}
