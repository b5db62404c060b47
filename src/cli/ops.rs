//! How the operations of a patch are printed: for a person, as JSON Lines, as CSV, or as SQL statements.

use serde_json::{Value, json};

use super::cat::PatchForm;
use super::changes::push_csv;
use super::output::{Output, Tone};
use super::report::hex;
use crate::error::{Error, Result};
use crate::patch::{Op, PatchTable};
use crate::row::columns::{copies, decode_key, decode_value};
use crate::row::json::{key_json, value_field, value_json};
use crate::row::sql::Spelling;
use crate::row::{Schema, scalar, wide};

/// Prints what stands before the first operation on these tables, where the form has that.
///
/// # Errors
///
/// Those of printing.
pub fn begin(form: PatchForm, tables: &[PatchTable], out: &mut Output) -> Result<()> {
    match form {
        PatchForm::Csv => out.line("table,op,key,value"),
        PatchForm::Sql => {
            // The tables of a patch are of one database.
            let spelling = tables.first().map(|table| Spelling::of(&table.schema));
            let preamble = spelling.and_then(|spelling| spelling.preamble());
            preamble.map_or(Ok(()), |line| out.line(line))?;
            out.line("BEGIN;")?;
            let more = spelling.and_then(|spelling| spelling.after_begin());
            more.map_or(Ok(()), |line| out.line(line))
        }
        _ => Ok(()),
    }
}

/// Prints what stands behind the last operation, where the form has that.
///
/// # Errors
///
/// Those of printing.
pub fn end(form: PatchForm, out: &mut Output) -> Result<()> {
    match form {
        PatchForm::Sql => out.line("COMMIT;"),
        _ => Ok(()),
    }
}

/// Which operations are printed when the patch is read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// All, in the order of the patch.
    All,
    /// Deletions.
    Deletions,
    /// All but those.
    Puts,
}

impl Pass {
    /// The passes of a form. Statements delete first, so that no row that comes meets one that goes in a UNIQUE column.
    pub fn of(form: PatchForm) -> &'static [Pass] {
        match form {
            PatchForm::Sql => &[Pass::Deletions, Pass::Puts],
            _ => &[Pass::All],
        }
    }

    /// Whether it prints the operation.
    pub fn prints(self, op: &Op) -> bool {
        match self {
            Pass::All => true,
            Pass::Deletions => op.value.is_none(),
            Pass::Puts => op.value.is_some(),
        }
    }
}

/// Prints one operation of a table.
///
/// # Errors
///
/// Those of printing.
pub fn print(
    table: &PatchTable,
    op: &Op,
    form: PatchForm,
    in_hex: bool,
    out: &mut Output,
) -> Result<()> {
    match form {
        PatchForm::Text => text(table, op, in_hex, out),
        PatchForm::Json => out.json(&json_op(table, op, in_hex)),
        PatchForm::Csv => csv(table, op, out),
        // Of its own: cat_cql.
        PatchForm::Cql => Ok(()),
        PatchForm::Sql => match &table.schema {
            Schema::Bag { columns, .. } => counted(table, columns, op, out),
            _ => out.line(sql(table, op)),
        },
    }
}

fn text(table: &PatchTable, op: &Op, in_hex: bool, out: &mut Output) -> Result<()> {
    let key = if in_hex {
        hex(&op.key)
    } else {
        table.schema.show_key(&op.key)
    };
    let value = op.value.as_ref().map(|value| {
        if in_hex {
            hex(value)
        } else {
            table.schema.show_value(value)
        }
    });
    let (sign, tone) = match (op.replaces, &op.value) {
        (_, None) => ("-", Tone::Left),
        (None, Some(_)) => ("+", Tone::Right),
        (Some(_), Some(_)) => ("~", Tone::Changed),
    };
    let line = match value {
        Some(value) => format!("{sign} {key}\t{}", out.value(&value)),
        None => format!("{sign} {key}"),
    };
    let painted = out.paint(tone, &line).into_owned();
    out.line(painted)
}

fn op_name(op: &Op) -> &'static str {
    if op.value.is_some() { "put" } else { "delete" }
}

fn json_op(table: &PatchTable, op: &Op, in_hex: bool) -> Value {
    let as_hex = |bytes: &[u8]| json!({ "hex": hex(bytes) });
    let show = |value: &Vec<u8>| {
        if in_hex {
            as_hex(value)
        } else {
            value_json(&table.schema, value)
        }
    };
    let mut document = json!({
        "table": table.name,
        "op": op_name(op),
        "key": if in_hex { as_hex(&op.key) } else { key_json(&table.schema, &op.key) },
        "value": op.value.as_ref().map(show),
        "replaces": op.replaces.map(|fingerprint| format!("{fingerprint:032x}")),
    });
    if let Some(old) = &op.old_value {
        document["old_value"] = show(old);
    }
    document
}

fn csv(table: &PatchTable, op: &Op, out: &mut Output) -> Result<()> {
    let value = op
        .value
        .as_ref()
        .map_or_else(Default::default, |value| value_field(&table.schema, value));
    let mut line = String::new();
    for (index, field) in [
        table.name.as_str(),
        op_name(op),
        &table.schema.show_key(&op.key),
        &value,
    ]
    .into_iter()
    .enumerate()
    {
        if index > 0 {
            line.push(',');
        }
        push_csv(&mut line, field);
    }
    out.line(line)
}

/// The statement that does on the table what the operation does, in the table's own SQL ([`Spelling`]). A table of opaque bytes
/// is taken to have the columns `key` and `value`; a value with columns of its own is JSON text. One of documents is taken to
/// have the columns of its key, and the other fields as JSON text in `document`.
fn sql(table: &PatchTable, op: &Op) -> String {
    let spelling = Spelling::of(&table.schema);
    let Columns {
        key,
        conditions,
        value,
    } = columns(table, op, spelling);
    let name = spelling.table(&table.name);
    let matching = conditions.join(" AND ");
    match (value, op.replaces) {
        (None, _) => format!("DELETE FROM {name} WHERE {matching};"),
        (Some(value), Some(_)) => {
            // Columns that the database computes are computed again whatever is set.
            let set = if value.is_empty() { key } else { value };
            let set: Vec<String> = set
                .iter()
                .map(|(name, text)| format!("{name} = {text}"))
                .collect();
            format!("UPDATE {name} SET {} WHERE {matching};", set.join(", "))
        }
        (Some(value), None) => {
            let all: Vec<(String, String)> = key.into_iter().chain(value).collect();
            insert(spelling, &name, &all)
        }
    }
}

/// The statement that adds a row with these names and values.
fn insert(spelling: Spelling<'_>, table: &str, columns: &[(String, String)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let texts: Vec<&str> = columns.iter().map(|(_, text)| text.as_str()).collect();
    format!(
        "INSERT INTO {table} ({}){} VALUES ({});",
        names.join(", "),
        spelling.overriding(),
        texts.join(", ")
    )
}

/// Prints the statements that make a table without a key hold a row as often as the operation says.
fn counted(table: &PatchTable, columns: &[String], op: &Op, out: &mut Output) -> Result<()> {
    let spelling = Spelling::of(&table.schema);
    let name = spelling.table(&table.name);
    let fields = decode_value(&op.key, columns.len());
    let copies = op.value.as_deref().map_or(Some(0), copies);
    let (Some(fields), Some(copies)) = (fields, copies) else {
        return Err(Error::usage(
            format!(
                "a row of {} in the patch is none of its columns: {}",
                table.name,
                table.schema.show_key(&op.key)
            ),
            "make the patch again",
        ));
    };
    let row = || columns.iter().zip(fields.iter().copied()).enumerate();
    if op.value.is_none() || op.replaces.is_some() {
        let conditions: Vec<String> = row()
            .map(|(at, (name, field))| spelling.exact_condition(at, name, field))
            .collect();
        match conditions.is_empty() {
            true => out.line(format!("DELETE FROM {name};"))?,
            false => out.line(format!(
                "DELETE FROM {name} WHERE {};",
                conditions.join(" AND ")
            ))?,
        }
    }
    let text = |at: usize, field: Option<&[u8]>| {
        field.map_or_else(|| "NULL".into(), |field| spelling.key(at, field))
    };
    let all: Vec<(String, String)> = row()
        .map(|(at, (name, field))| (spelling.name(name), text(at, field)))
        .collect();
    let statement = match all.is_empty() {
        true => format!("INSERT INTO {name} DEFAULT VALUES;"),
        false => insert(spelling, &name, &all),
    };
    (0..copies).try_for_each(|_| out.line(&statement))
}

/// An operation's columns as SQL.
struct Columns {
    /// Names and values of the key's.
    key: Vec<(String, String)>,
    /// What is true of the row of this key, of all together.
    conditions: Vec<String>,
    /// Names and values of the value's that can be written, unless the operation deletes.
    value: Option<Vec<(String, String)>>,
}

fn columns(table: &PatchTable, op: &Op, spelling: Spelling<'_>) -> Columns {
    if let Schema::Columns { key, value, .. } = &table.schema
        && let Some(key_fields) = decode_key(&op.key, key.len())
    {
        let of_key = || key.iter().zip(&key_fields).enumerate();
        let values = op.value.as_ref().and_then(|bytes| {
            let fields = decode_value(bytes, value.len())?;
            let values = value.iter().zip(fields).enumerate();
            let text = |at: usize, name: &str, field: Option<&[u8]>| match op.replaces {
                Some(_) => spelling.assigned(at, name, field),
                None => spelling.value(at, field),
            };
            Some(
                values
                    .filter(|(at, _)| spelling.is_written(*at))
                    .map(|(at, (name, field))| (spelling.name(name), text(at, name, field)))
                    .collect(),
            )
        });
        return Columns {
            key: of_key()
                .map(|(at, (name, field))| (spelling.name(name), spelling.key(at, field)))
                .collect(),
            conditions: of_key()
                .map(|(at, (name, field))| spelling.condition(at, name, field))
                .collect(),
            value: values,
        };
    }
    if let Schema::Document { key } = &table.schema
        && let Some(fields) = decode_key(&op.key, key.len())
    {
        let text = |field: &Vec<u8>| match scalar::to_json(field) {
            Value::Number(number) => number.to_string(),
            _ => spelling.bytes(scalar::as_text(field).unwrap_or_default()),
        };
        let keys = key.iter().zip(&fields);
        let keys: Vec<_> = keys
            .map(|(name, field)| (spelling.name(name), text(field)))
            .collect();
        let document = op.value.as_ref().map(|value| {
            let json = value_field(&table.schema, value);
            vec![(spelling.name("document"), spelling.bytes(json.as_bytes()))]
        });
        return Columns {
            conditions: keys
                .iter()
                .map(|(name, text)| format!("{name} = {text}"))
                .collect(),
            key: keys,
            value: document,
        };
    }
    let value = op.value.as_ref().map(|value| {
        // Columns of the value's own are JSON text.
        let text = match wide::read(value) {
            Some(_) => spelling.bytes(value_field(&table.schema, value).as_bytes()),
            None => spelling.bytes(value),
        };
        vec![(spelling.name("value"), text)]
    });
    let (name, text) = (spelling.name("key"), spelling.bytes(&op.key));
    Columns {
        conditions: vec![format!("{name} = {text}")],
        key: vec![(name, text)],
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::PatchSide;
    use crate::range::Coverage;
    use crate::row::columns::push_value_column;

    #[test]
    fn statements_quote_names_and_texts() {
        let table = PatchTable {
            name: "od\"d".into(),
            schema: Schema::Columns {
                key: vec!["id".into()],
                value: vec!["blob".into(), "name".into()],
                sql: None,
            },
            coverage: Coverage::all(),
            base: PatchSide::default(),
            target: PatchSide::default(),
        };
        let mut value = Vec::new();
        push_value_column(&mut value, Some(b"\xff"));
        push_value_column(&mut value, Some(b"O'Neil"));
        let mut op = Op {
            key: b"7".to_vec(),
            replaces: None,
            value: Some(value),
            old_value: None,
        };
        assert_eq!(
            sql(&table, &op),
            r#"INSERT INTO "od""d" ("id", "blob", "name") VALUES ('7', X'ff', 'O''Neil');"#
        );
        op.replaces = Some(1);
        assert_eq!(
            sql(&table, &op),
            r#"UPDATE "od""d" SET "blob" = X'ff', "name" = 'O''Neil' WHERE "id" = '7';"#
        );
        op.value = None;
        assert_eq!(sql(&table, &op), r#"DELETE FROM "od""d" WHERE "id" = '7';"#);
    }

    #[test]
    fn columns_of_the_value_itself_are_json_in_statements() {
        let table = PatchTable {
            name: "t".into(),
            schema: Schema::Bytes,
            coverage: Coverage::all(),
            base: PatchSide::default(),
            target: PatchSide::default(),
        };
        let mut value = Vec::new();
        let columns: [(&[u8], &[u8]); 2] = [(b"", b"O'Neil"), (b"n", b"\xff")];
        wide::push(&mut value, columns.into_iter());
        let op = Op {
            key: b"7".to_vec(),
            replaces: None,
            value: Some(value),
            old_value: None,
        };
        assert_eq!(
            sql(&table, &op),
            r#"INSERT INTO "t" ("key", "value") VALUES ('7', '{"":"O''Neil","n":{"hex":"ff"}}');"#
        );
    }
}
