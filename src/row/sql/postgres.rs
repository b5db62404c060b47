//! PostgreSQL's SQL, for psql: fit for any setting of `standard_conforming_strings`.

use std::fmt::Write as _;

/// Lets INSERT give values to columns that are `GENERATED ALWAYS AS IDENTITY`; no harm where there is none.
pub const OVERRIDING: &str = " OVERRIDING SYSTEM VALUE";

/// A literal for a column of this type. Numbers that are exact stand as they are; all else is a string whose type the server takes
/// from the column. Bytes that are no UTF-8 are escaped one by one: they are of the database's own encoding.
pub fn literal(sql_type: Option<&str>, field: &[u8]) -> String {
    if sql_type.is_some_and(is_exact_number)
        && let Ok(text) = std::str::from_utf8(field)
        && !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'))
    {
        return text.to_owned();
    }
    let mut out = String::with_capacity(field.len() + 3);
    let mut has_escapes = false;
    for chunk in field.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' => out.push_str("''"),
                '\\' => {
                    has_escapes = true;
                    out.push_str("\\\\");
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            has_escapes = true;
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    match has_escapes {
        true => format!("E'{out}'"),
        false => format!("'{out}'"),
    }
}

/// What is true of the rows that have exactly this value in a column.
pub(super) fn exact_condition(name: &str, sql_type: &str, field: &[u8]) -> String {
    // Types that can't be compared, that compare as sizes, or whose letters may count as equal: their texts are compared.
    const BY_TEXT: [&str; 11] = [
        "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "citext",
        "text",
    ];
    let value = literal(Some(sql_type), field);
    let base = sql_type.trim_end_matches("[]");
    match BY_TEXT.contains(&base) {
        true => format!("{name}::text = {value} COLLATE \"C\""),
        false => format!("{name} = {value}"),
    }
}

fn is_exact_number(sql_type: &str) -> bool {
    let base = sql_type.split('(').next().unwrap_or_default();
    let names = ["smallint", "integer", "bigint", "numeric"];
    names.contains(&base.trim()) && !sql_type.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_what_psql_reads_back() {
        for (sql_type, field, wanted) in [
            (Some("bigint"), &b"-7"[..], "-7"),
            (Some("numeric(14,2)"), b"0.5", "0.5"),
            (Some("numeric"), b"NaN", "'NaN'"),
            (Some("numeric"), b"1e-41", "'1e-41'"),
            (Some("integer[]"), b"{1}", "'{1}'"),
            (Some("numeric(3,1)[]"), b"7", "'7'"),
            (Some("double precision"), b"0.1", "'0.1'"),
            (Some("text"), b"O'Neil", "'O''Neil'"),
            (Some("text"), b"a\\b\nc", "E'a\\\\b\nc'"),
            (Some("text"), b"\xfc'", r"E'\xfc'''"),
            (Some("bytea"), br"\x00ff", r"E'\\x00ff'"),
            (None, b"7", "'7'"),
            (Some("bigint"), b"", "''"),
        ] {
            assert_eq!(literal(sql_type, field), wanted);
        }
    }
}
