//! `CREATE TABLE` and `ALTER TABLE`, as far as they say which columns and keys a table has.

use super::lex::{Lexer, Stop, Token};
use crate::row::sql::mysql::Kind;

/// A column as its table was created with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    pub sql_type: String,
    pub kind: Kind,
    pub not_null: bool,
    /// Whether its values are computed.
    pub generated: bool,
}

/// A table as it was created.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Definition {
    pub columns: Vec<Column>,
    /// Names of the columns of the primary key; empty where there is none.
    pub primary: Vec<String>,
    /// Those of the other unique keys.
    pub unique: Vec<Vec<String>>,
}

impl Definition {
    /// The columns that tell rows apart: those of the primary key, else of the first unique key that can't be NULL, as the
    /// server chooses; empty where there is neither.
    pub fn key(&self) -> &[String] {
        let is_whole = |key: &&Vec<String>| {
            key.iter().all(|name| {
                let column = self.columns.iter().find(|column| column.name == **name);
                column.is_some_and(|column| column.not_null)
            })
        };
        match self.primary.as_slice() {
            [] => self.unique.iter().find(is_whole).map_or(&[], Vec::as_slice),
            primary => primary,
        }
    }
}

/// What a column or a key of a table is followed by.
enum Item {
    Column(Column, IsPrimary),
    Primary(Vec<String>),
    Unique(Vec<String>),
    Other,
}

/// Whether a column says of itself that it is the primary key.
type IsPrimary = bool;

/// Reads what stands behind the name of a created table. `text` is what `lexer` walks.
///
/// # Errors
///
/// Refused where the columns do not stand there; flaws.
pub(super) fn definition(
    lexer: &mut Lexer<'_>,
    text: &[u8],
    columns_max: u64,
) -> Result<Definition, Stop> {
    if !lexer.take_sign(b'(')? || lexer.peek()?.is("LIKE") {
        return Err(Stop::refused(
            "a table is created like another, or from a query",
            "name its columns, as a dump does",
        ));
    }
    let mut definition = Definition::default();
    loop {
        match item(lexer, text)? {
            Item::Column(column, is_primary) => {
                if definition.columns.iter().any(|c| c.name == column.name) {
                    let what = format!("the column {:?} stands twice", column.name);
                    return Err(Stop::flaw(lexer.pos(), what));
                }
                if is_primary {
                    definition.primary = vec![column.name.clone()];
                }
                definition.columns.push(column);
            }
            Item::Primary(names) => definition.primary = names,
            Item::Unique(names) => definition.unique.push(names),
            Item::Other => {}
        }
        if definition.columns.len() as u64 > columns_max {
            return Err(Stop::refused(
                format!("a table has more than {columns_max} columns"),
                "raise the limit with --cap columns=N if the dump is sound",
            ));
        }
        match lexer.next()? {
            Token::Sign(b',') => {}
            Token::Sign(b')') => break,
            _ => {
                return Err(Stop::flaw(
                    lexer.pos(),
                    "a column is followed by neither a comma nor a parenthesis",
                ));
            }
        }
    }
    let known = |name: &String| definition.columns.iter().any(|c| c.name == *name);
    if let Some(name) = definition.primary.iter().find(|name| !known(name)) {
        let what = format!("the primary key names {name:?}, which is no column");
        return Err(Stop::flaw(lexer.pos(), what));
    }
    Ok(definition)
}

fn item(lexer: &mut Lexer<'_>, text: &[u8]) -> Result<Item, Stop> {
    let mut ahead = lexer.clone();
    let first = ahead.next()?;
    let second = ahead.next()?;
    let of_key = first.is_any(&["PRIMARY", "UNIQUE", "KEY", "INDEX", "CONSTRAINT", "FOREIGN"])
        || (first.is("CHECK") && second == Token::Sign(b'('))
        || (first.is("PERIOD") && second.is("FOR"))
        || (first.is_any(&["FULLTEXT", "SPATIAL", "VECTOR"]) && second.is_any(&["KEY", "INDEX"]));
    if of_key {
        return key(lexer);
    }
    column(lexer, text)
}

/// Reads a key or a constraint, up to the comma behind it.
fn key(lexer: &mut Lexer<'_>) -> Result<Item, Stop> {
    if lexer.take_word("CONSTRAINT")? {
        let is_named = !lexer
            .peek()?
            .is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]);
        if is_named {
            lexer.next()?;
        }
    }
    let first = lexer.next()?;
    let names = if first.is_any(&["PRIMARY", "UNIQUE"]) {
        while !matches!(lexer.peek()?, Token::Sign(_) | Token::End) {
            lexer.next()?;
        }
        match lexer.take_sign(b'(')? {
            true => key_parts(lexer)?,
            false => None,
        }
    } else {
        None
    };
    skip_item(lexer)?;
    Ok(match names {
        Some(names) if first.is("PRIMARY") => Item::Primary(names),
        Some(names) => Item::Unique(names),
        None => Item::Other,
    })
}

/// Reads the columns of a key behind its parenthesis; `None` where a part is an expression. A part of a column that is unique
/// makes the whole column so.
pub(super) fn key_parts(lexer: &mut Lexer<'_>) -> Result<Option<Vec<String>>, Stop> {
    let (mut names, mut is_plain) = (Vec::new(), true);
    loop {
        if lexer.take_sign(b'(')? {
            lexer.skip_parentheses()?;
            is_plain = false;
        } else {
            names.push(lexer.name()?);
            if lexer.take_sign(b'(')? {
                lexer.skip_parentheses()?;
            }
        }
        loop {
            match lexer.next()? {
                Token::Sign(b',') => break,
                Token::Sign(b')') => return Ok(is_plain.then_some(names)),
                Token::Word(_) => {}
                _ => return Err(Stop::flaw(lexer.pos(), "a key is spelled strangely")),
            }
        }
    }
}

fn column(lexer: &mut Lexer<'_>, text: &[u8]) -> Result<Item, Stop> {
    let name = lexer.name()?;
    lexer.skip_blanks()?;
    let start = lexer.pos();
    let Token::Word(_) = lexer.next()? else {
        let what = format!("the column {name:?} has no type");
        return Err(Stop::flaw(start, what));
    };
    let mut end = lexer.pos();
    loop {
        if lexer.take_sign(b'(')? {
            lexer.skip_parentheses()?;
        } else if lexer
            .peek()?
            .is_any(&["UNSIGNED", "SIGNED", "ZEROFILL", "PRECISION", "VARYING"])
        {
            lexer.next()?;
        } else {
            break;
        }
        end = lexer.pos();
    }
    let sql_type = String::from_utf8_lossy(text.get(start..end).unwrap_or_default()).into_owned();
    let mut column = Column {
        name,
        kind: Kind::of_type(&sql_type),
        sql_type,
        not_null: false,
        generated: false,
    };
    let mut is_primary = false;
    loop {
        match lexer.peek()? {
            Token::Sign(b',' | b')') | Token::End => break,
            Token::Sign(b'(') => {
                lexer.next()?;
                lexer.skip_parentheses()?;
            }
            word => {
                lexer.next()?;
                if word.is("NOT") && lexer.peek()?.is("NULL") {
                    column.not_null = true;
                } else if word.is("AS") {
                    column.generated = true;
                } else if word.is("PRIMARY") {
                    (is_primary, column.not_null) = (true, true);
                }
            }
        }
    }
    Ok(Item::Column(column, is_primary))
}

/// Skips to the comma or the parenthesis behind an item.
fn skip_item(lexer: &mut Lexer<'_>) -> Result<(), Stop> {
    loop {
        match lexer.peek()? {
            Token::Sign(b',' | b')') | Token::End => return Ok(()),
            Token::Sign(b'(') => {
                lexer.next()?;
                lexer.skip_parentheses()?;
            }
            _ => {
                lexer.next()?;
            }
        }
    }
}

/// Reads what stands behind the name of an altered table: the primary key that is added, if one is.
///
/// # Errors
///
/// Refused where columns or rows are altered.
pub(super) fn alteration(lexer: &mut Lexer<'_>) -> Result<Option<Vec<String>>, Stop> {
    let mut primary = None;
    loop {
        let first = lexer.next()?;
        let second = lexer.peek()?;
        let is_harmless = first.is_any(&[
            "DISABLE",
            "ENABLE",
            "MODIFY",
            "AUTO_INCREMENT",
            "COMMENT",
            "ENGINE",
            "PARTITION",
        ]) || (first.is("ADD")
            && second.is_any(&[
                "CONSTRAINT",
                "KEY",
                "INDEX",
                "UNIQUE",
                "FULLTEXT",
                "SPATIAL",
                "FOREIGN",
                "CHECK",
                "PRIMARY",
                "VECTOR",
            ]));
        if !is_harmless {
            return Err(Stop::refused(
                "a table is altered in a way that mdiff can't follow",
                "load the script into a server and dump the database",
            ));
        }
        if first.is("ADD")
            && let Item::Primary(names) = key(lexer)?
        {
            primary = Some(names);
        } else {
            skip_item(lexer)?;
        }
        match lexer.next()? {
            Token::Sign(b',') => {}
            Token::End => return Ok(primary),
            _ => return Err(Stop::flaw(lexer.pos(), "a parenthesis closes nothing")),
        }
    }
}
