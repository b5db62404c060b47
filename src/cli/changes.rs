//! How rows that differ are printed: as lines for a person, as JSON Lines, as CSV, or only counted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::meanings::{Meaning, Meanings};
use super::output::{Output, Tone, counted};
use super::spread::TokenSpread;
use crate::diff::{Change, ChangeSink};
use crate::error::{ErrorKind, Result};
use crate::row::Schema;
use crate::row::fields::{changed, show_name};
use crate::row::json::{key_json, value_field, value_json};
use crate::source::Table;
use crate::tree::leaves::Unreadable;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeForm {
    /// `- + ~` lines.
    Text,
    /// One object a line.
    Json,
    /// Comma-separated lines with a header.
    Csv,
    /// Only the numbers.
    Stat,
}

/// Rows that differ in one table, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Only on the left.
    pub only_left: u64,
    /// Only on the right.
    pub only_right: u64,
    /// On both sides, with other values.
    pub changed: u64,
    /// Rows in which a column changed, by column.
    pub columns: BTreeMap<String, u64>,
}

/// Prints the changes of one table after the other.
pub struct ChangePrinter<'o> {
    out: &'o mut Output,
    form: ChangeForm,
    hex: bool,
    limit: Option<u64>,
    several: bool,
    table: String,
    schema: Schema,
    counts: ChangeCounts,
    meanings: Option<Meanings<'o>>,
    spread: Option<TokenSpread>,
    printed: u64,
    line: String,
    /// The limit cut the result.
    pub was_cut: bool,
    /// Some keys could not be read.
    pub was_unreadable: bool,
}

impl<'o> ChangePrinter<'o> {
    /// A printer of changes; `several` tables are told apart in the text.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn new(
        out: &'o mut Output,
        form: ChangeForm,
        hex: bool,
        limit: Option<u64>,
        several: bool,
    ) -> Result<ChangePrinter<'o>> {
        if form == ChangeForm::Csv {
            out.line("table,change,key,left,right")?;
        }
        Ok(ChangePrinter {
            out,
            form,
            hex,
            limit,
            several,
            table: String::new(),
            schema: Schema::Bytes,
            counts: ChangeCounts::default(),
            meanings: None,
            spread: None,
            printed: 0,
            line: String::new(),
            was_cut: false,
            was_unreadable: false,
        })
    }

    /// What follows belongs to this table.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn begin(&mut self, table: &str, schema: &Schema) -> Result<()> {
        self.table = table.to_owned();
        self.schema = schema.clone();
        self.counts = ChangeCounts::default();
        self.meanings = None;
        self.spread = None;
        if self.several && self.form == ChangeForm::Text {
            let title = self
                .out
                .paint(Tone::Strong, &format!("table {table}"))
                .into_owned();
            self.out.line(title)?;
        }
        Ok(())
    }

    /// What its changes mean is told too, where that can be known; `tables` are its two sides.
    pub fn tell_meanings(&mut self, tables: [Option<&'o dyn Table>; 2]) {
        if !self.hex {
            self.meanings = Meanings::new(&self.schema, tables);
        }
    }

    /// Counts its changes by token range too.
    pub(super) fn tell_spread(&mut self, spread: Option<TokenSpread>) {
        self.spread = spread;
    }

    /// Ends the table; returns how many of its rows differ.
    ///
    /// # Errors
    ///
    /// Those of printing.
    pub fn end(&mut self) -> Result<ChangeCounts> {
        let counts = std::mem::take(&mut self.counts);
        if self.form == ChangeForm::Stat {
            let cut = if self.was_cut {
                " (stopped at --limit)"
            } else {
                ""
            };
            self.out.line(format!(
                "table {}: {} only left, {} only right, {} changed{cut}",
                self.table,
                counted(counts.only_left, "row"),
                counted(counts.only_right, "row"),
                counted(counts.changed, "row")
            ))?;
            for (column, rows) in &counts.columns {
                self.out.line(format!(
                    "  column {column}: changed in {}",
                    counted(*rows, "row")
                ))?;
            }
            if let Some(meanings) = &self.meanings {
                meanings.print_counts(self.out)?;
            }
            if let Some(spread) = &self.spread {
                spread.print(self.out)?;
            }
        }
        if let Some(meanings) = &self.meanings {
            meanings.warn(&self.table, self.out);
        }
        Ok(counts)
    }

    fn key_text(&self, key: &[u8]) -> String {
        if self.hex {
            super::report::hex(key)
        } else {
            self.schema.show_key(key)
        }
    }

    fn value_text(&self, value: &[u8]) -> String {
        if self.hex {
            return super::report::hex(value);
        }
        self.schema.show_value(value)
    }

    fn text_line(&mut self, change: &Change<'_>, meaning: Option<&Meaning<'_>>) -> Result<()> {
        let key = self.key_text(change.key);
        let plain = || match (change.left, change.right) {
            (Some(left), Some(right)) => self.change_text(left, right),
            (Some(one), None) | (None, Some(one)) => self.cut(self.value_text(one)),
            (None, None) => String::new(),
        };
        let rest = match (&self.meanings, meaning) {
            (Some(meanings), Some(meaning)) => meanings.text(change, meaning, plain, self.out),
            _ => plain(),
        };
        let (sign, tone) = match (change.left, change.right) {
            (_, None) => ("-", Tone::Left),
            (None, _) => ("+", Tone::Right),
            _ => ("~", Tone::Changed),
        };
        let line = format!("{sign} {key}\t{rest}");
        let painted = self.out.paint(tone, &line).into_owned();
        self.out.line(painted)
    }

    fn cut(&self, text: String) -> String {
        self.out.value(&text).into_owned()
    }

    /// What changed in a row: the columns, where it has columns, else both values.
    fn change_text(&self, left: &[u8], right: &[u8]) -> String {
        if !self.hex
            && let Some(changed) = changed(&self.schema, left, right)
        {
            let side = |name: &[u8], field: Option<&[u8]>| match (&self.schema, field) {
                (Schema::Bytes, None) => "none".into(),
                (schema, field) => self.cut(schema.show_field(name, field)),
            };
            let changes: Vec<String> = changed
                .iter()
                .map(|(name, left, right)| {
                    let (left, right) = (side(name, *left), side(name, *right));
                    format!("{}: {left} -> {right}", show_name(name))
                })
                .collect();
            return changes.join(", ");
        }
        format!(
            "{} -> {}",
            self.cut(self.value_text(left)),
            self.cut(self.value_text(right))
        )
    }

    fn json_line(&mut self, change: &Change<'_>, meaning: Option<&Meaning<'_>>) -> Result<()> {
        let show = |value: Option<&[u8]>| value.map_or(Value::Null, |value| self.json_value(value));
        let key = if self.hex {
            json!({ "hex": super::report::hex(change.key) })
        } else {
            key_json(&self.schema, change.key)
        };
        let mut document = json!({
            "table": self.table,
            "change": kind(change),
            "key": key,
            "left": show(change.left),
            "right": show(change.right),
        });
        if let (Some(meanings), Some(meaning), Value::Object(document)) =
            (&self.meanings, meaning, &mut document)
        {
            document.insert("meaning".into(), meanings.json(meaning));
        }
        self.out.json(&document)
    }

    fn json_value(&self, value: &[u8]) -> Value {
        match self.hex {
            true => json!({ "hex": super::report::hex(value) }),
            false => value_json(&self.schema, value),
        }
    }

    fn csv_line(&mut self, change: &Change<'_>) -> Result<()> {
        let schema = &self.schema;
        let value = |value: Option<&[u8]>| {
            value.map_or_else(String::new, |value| value_field(schema, value).into_owned())
        };
        let fields = [
            self.table.clone(),
            kind(change).to_owned(),
            self.key_text(change.key),
            value(change.left),
            value(change.right),
        ];
        self.line.clear();
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.line.push(',');
            }
            push_csv(&mut self.line, field);
        }
        let line = std::mem::take(&mut self.line);
        self.out.line(&line)?;
        self.line = line;
        Ok(())
    }

    fn count(&mut self, change: &Change<'_>) {
        if let Some(spread) = &mut self.spread {
            spread.count(change);
        }
        match (change.left, change.right) {
            (Some(left), Some(right)) => {
                self.counts.changed += 1;
                self.count_columns(left, right);
            }
            (Some(_), None) => self.counts.only_left += 1,
            (None, _) => self.counts.only_right += 1,
        }
    }

    fn count_columns(&mut self, left: &[u8], right: &[u8]) {
        for (name, _, _) in changed(&self.schema, left, right).unwrap_or_default() {
            *self.counts.columns.entry(show_name(name)).or_default() += 1;
        }
    }
}

impl ChangeSink for ChangePrinter<'_> {
    fn change(&mut self, change: Change<'_>) -> Result<()> {
        if self.limit.is_some_and(|limit| self.printed == limit) {
            self.was_cut = true;
            return Err(ErrorKind::Stopped.into());
        }
        self.printed += 1;
        self.count(&change);
        let meaning = match &mut self.meanings {
            Some(meanings) => meanings.of(&change)?,
            None => None,
        };
        let meaning = meaning.as_ref();
        match self.form {
            ChangeForm::Text => self.text_line(&change, meaning),
            ChangeForm::Json => self.json_line(&change, meaning),
            ChangeForm::Csv => self.csv_line(&change),
            ChangeForm::Stat => Ok(()),
        }
    }

    fn unreadable(&mut self, side: usize, unreadable: &Unreadable) -> Result<()> {
        self.was_unreadable = true;
        let side = if side == 0 { "left" } else { "right" };
        self.out.warn(format!(
            "{side}: not read, so rows among these keys may be wrongly called missing: {}",
            unreadable.why
        ));
        Ok(())
    }
}

/// The name of a kind of change, in JSON and CSV.
fn kind(change: &Change<'_>) -> &'static str {
    match (change.left, change.right) {
        (Some(_), None) => "only_left",
        (None, _) => "only_right",
        (Some(_), Some(_)) => "changed",
    }
}

/// Appends one field of a CSV line.
pub fn push_csv(line: &mut String, field: &str) {
    if field.contains([',', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&field.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::columns::push_value_column;
    use crate::row::wide;

    fn printed(form: ChangeForm, schema: &Schema, left: &[u8], right: &[u8]) -> String {
        let (mut out, bytes) = Output::memory();
        let mut printer = ChangePrinter::new(&mut out, form, false, None, false).unwrap();
        printer.begin("t", schema).unwrap();
        let change = Change {
            key: b"k",
            left: Some(left),
            right: Some(right),
        };
        printer.change(change).unwrap();
        printer.end().unwrap();
        drop(printer);
        out.finish().unwrap();
        String::from_utf8(bytes.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn columns_that_changed_are_shown_alone() {
        let schema = Schema::Columns {
            key: vec!["id".into()],
            value: vec!["a".into(), "b".into()],
            sql: None,
        };
        let value = |b: Option<&[u8]>| {
            let mut value = Vec::new();
            push_value_column(&mut value, Some(b"same"));
            push_value_column(&mut value, b);
            value
        };
        let (left, right) = (value(None), value(Some(b"x\"")));
        assert_eq!(
            printed(ChangeForm::Text, &schema, &left, &right),
            "~ k\tb: NULL -> \"x\\x22\"\n"
        );
        let stat = printed(ChangeForm::Stat, &schema, &left, &right);
        assert!(stat.ends_with("  column b: changed in 1 row\n"), "{stat}");
    }

    #[test]
    fn columns_of_the_values_themselves_are_shown_alone_too() {
        let value = |columns: &[(&[u8], &[u8])]| {
            let mut value = Vec::new();
            wide::push(&mut value, columns.iter().copied());
            value
        };
        let left = value(&[(b"", b"v"), (b"city", b"Rome"), (b"zip", b"1")]);
        let right = value(&[(b"", b"w"), (b"city", b"Rome"), (b"name", b"")]);
        let show = |form| printed(form, &Schema::Bytes, &left, &right);
        assert_eq!(
            show(ChangeForm::Text),
            "~ k\t\"\": \"v\" -> \"w\", name: none -> \"\", zip: \"1\" -> none\n"
        );
        assert_eq!(
            show(ChangeForm::Csv),
            concat!(
                "table,change,key,left,right\n",
                "t,changed,k,\"{\"\"\"\":\"\"v\"\",\"\"city\"\":\"\"Rome\"\",\"\"zip\"\":\"\"1\"\"}\",",
                "\"{\"\"\"\":\"\"w\"\",\"\"city\"\":\"\"Rome\"\",\"\"name\"\":\"\"\"\"}\"\n"
            )
        );
        assert!(show(ChangeForm::Stat).contains("  column zip: changed in 1 row\n"));
        assert!(show(ChangeForm::Json).contains(r#""right":{"":"w","city":"Rome","name":""}"#));
        let plain = printed(ChangeForm::Text, &Schema::Bytes, b"v", &right);
        assert_eq!(
            plain,
            "~ k\t\"\": \"v\" -> \"w\", city: none -> \"Rome\", name: none -> \"\"\n"
        );
        let plain = printed(ChangeForm::Text, &Schema::Bytes, b"v", b"w");
        assert_eq!(plain, "~ k\tv -> w\n");
    }
}
