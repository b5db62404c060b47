//! Which columns of the text make the key and the value.

use std::path::Path;

use crate::error::{Error, Result};
use crate::row::Schema;
use crate::source::TextOptions;

/// The columns of a text and the part each plays.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// Names, in the order of the text.
    pub names: Vec<String>,
    /// Positions of the key's columns, in the order of comparison.
    pub key: Vec<usize>,
    /// Positions of the value's columns, ascending by name.
    pub value: Vec<usize>,
}

impl Columns {
    /// Gives the columns `names` their parts.
    ///
    /// # Errors
    ///
    /// Unsupported where two columns have one name; usage where an option names a column that is not there.
    pub fn resolve(names: Vec<String>, options: &TextOptions, path: &Path) -> Result<Columns> {
        refuse_twins(&names, path)?;
        let find = |list: &[String], flag: &str| -> Result<Vec<usize>> {
            let mut found = Vec::with_capacity(list.len());
            for wanted in list {
                let at =
                    position(&names, wanted).ok_or_else(|| unknown(&names, wanted, flag, path))?;
                if !found.contains(&at) {
                    found.push(at);
                }
            }
            Ok(found)
        };
        let key = match (options.key.as_slice(), options.usual_key.as_slice()) {
            ([], []) => vec![0],
            ([], _) => find(&options.usual_key, "--key")?,
            _ => find(&options.key, "--key")?,
        };
        let only = find(&options.columns, "--columns")?;
        let ignored = find(&options.ignore_columns, "--ignore-columns")?;
        if let Some(name) = key
            .iter()
            .find(|at| ignored.contains(at))
            .and_then(|&at| names.get(at))
        {
            return Err(Error::usage(
                format!("--ignore-columns: {name:?} is a column of the key"),
                "choose another key with --key",
            ));
        }
        let mut value: Vec<usize> = (0..names.len())
            .filter(|at| !key.contains(at) && !ignored.contains(at))
            .filter(|at| only.is_empty() || only.contains(at))
            .collect();
        value.sort_by_key(|&at| names.get(at));
        Ok(Columns { names, key, value })
    }

    /// How the rows are shown.
    pub fn schema(&self) -> Schema {
        let pick = |list: &[usize]| {
            list.iter()
                .filter_map(|&at| self.names.get(at).cloned())
                .collect()
        };
        Schema::Columns {
            key: pick(&self.key),
            value: pick(&self.value),
            sql: None,
        }
    }

    /// Whether some columns of the text are in no row.
    pub fn leaves_some_out(&self) -> bool {
        self.key.len() + self.value.len() < self.names.len()
    }
}

/// A column by its name, else by its 1-based number.
fn position(names: &[String], wanted: &str) -> Option<usize> {
    names.iter().position(|name| name == wanted).or_else(|| {
        let number: usize = wanted.parse().ok()?;
        number.checked_sub(1).filter(|&at| at < names.len())
    })
}

fn unknown(names: &[String], wanted: &str, flag: &str, path: &Path) -> Error {
    const SHOWN_MAX: usize = 50;
    let mut list = names
        .iter()
        .take(SHOWN_MAX)
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN_MAX {
        list.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    Error::usage(
        format!("{flag}: {} has no column {wanted:?}", path.display()),
        format!(
            "its columns are {list}; or give a number from 1 to {}",
            names.len()
        ),
    )
}

fn refuse_twins(names: &[String], path: &Path) -> Result<()> {
    let mut sorted: Vec<(&String, usize)> = names.iter().zip(1..).collect();
    sorted.sort();
    for pair in sorted.windows(2) {
        if let [(name, first), (other, second)] = pair
            && name == other
        {
            return Err(Error::unsupported(
                path,
                format!("columns {first} and {second} are both named {name:?}"),
                "rename one of them; columns are matched by name",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(names: &[&str], options: &TextOptions) -> Result<Columns> {
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        Columns::resolve(names, options, Path::new("t.csv"))
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn names_win_over_numbers_and_values_are_sorted_by_name() {
        let columns = resolve(
            &["zeta", "1", "alpha"],
            &TextOptions {
                key: list(&["1", "3"]),
                ..TextOptions::default()
            },
        )
        .unwrap();
        assert_eq!(columns.key, [1, 2]);
        assert_eq!(columns.value, [0]);
        let columns = resolve(&["zeta", "b", "alpha"], &TextOptions::default()).unwrap();
        assert_eq!((columns.key, columns.value), (vec![0], vec![2, 1]));
    }

    #[test]
    fn says_which_columns_there_are() {
        let error = resolve(
            &["id", "name"],
            &TextOptions {
                ignore_columns: list(&["nme"]),
                ..TextOptions::default()
            },
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "--ignore-columns: t.csv has no column \"nme\""
        );
        assert_eq!(
            error.hint().unwrap(),
            "its columns are \"id\", \"name\"; or give a number from 1 to 2"
        );
        let error = resolve(&["id", "a", "id"], &TextOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t.csv: columns 1 and 3 are both named \"id\""
        );
        let error = resolve(
            &["id", "a"],
            &TextOptions {
                ignore_columns: list(&["1"]),
                ..TextOptions::default()
            },
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "--ignore-columns: \"id\" is a column of the key"
        );
    }
}
