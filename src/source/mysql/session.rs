//! What the statements of a dump set for those behind them.

use super::lex::{Lexer, Quoting, Stop, Token};

/// Most variables in which a dump may keep a mode; mysqldump uses three.
const VARIABLES_MAX: usize = 64;

/// Character sets in which a backslash or a quote may be the second byte of a character.
const BACKSLASH_IN_CHARACTERS: [&str; 5] = ["big5", "cp932", "gb18030", "gbk", "sjis"];

/// What was set so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub quoting: Quoting,
    mode: Vec<u8>,
    /// Variables that hold a mode.
    saved: Vec<(Vec<u8>, Vec<u8>)>,
    /// What ends a statement.
    pub delimiter: Vec<u8>,
    /// The database in use.
    pub database: Option<String>,
    /// Whether the line was met that opens a dump, and not yet the one that closes it.
    pub lacks_end: bool,
    /// The program and version that wrote the dump, as it says.
    pub writer: Option<String>,
    /// The character set of texts, where it is set.
    pub charset: Option<String>,
    /// The time zone of timestamps, where it is set.
    pub time_zone: Option<String>,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            quoting: Quoting::default(),
            mode: Vec::new(),
            saved: Vec::new(),
            delimiter: b";".to_vec(),
            database: None,
            lacks_end: false,
            writer: None,
            charset: None,
            time_zone: None,
        }
    }
}

impl Session {
    /// Takes note of a comment that opens or closes a dump.
    pub fn note_comment(&mut self, line: &[u8]) {
        let text = line.get(2..).unwrap_or_default().trim_ascii();
        if text.starts_with(b"MariaDB dump ") || text.starts_with(b"MySQL dump ") {
            self.lacks_end = true;
            self.writer = Some(String::from_utf8_lossy(text).into_owned());
        } else if text.starts_with(b"Dump completed") {
            self.lacks_end = false;
        }
    }

    fn set_mode(&mut self, mode: Vec<u8>) {
        self.quoting = Quoting::of_mode(&mode);
        self.mode = mode;
    }

    fn save(&mut self, variable: Vec<u8>) {
        self.saved.retain(|(name, _)| *name != variable);
        if self.saved.len() < VARIABLES_MAX {
            self.saved.push((variable, self.mode.clone()));
        }
    }
}

/// Follows a SET, behind that word.
///
/// # Errors
///
/// Refused where it sets a mode or a character set with which the text can't be read faithfully.
pub(super) fn set(lexer: &mut Lexer<'_>, session: &mut Session) -> Result<(), Stop> {
    loop {
        let mut left = Vec::new();
        let mut token = lexer.next()?;
        while let Token::Word(word) = token {
            left.extend_from_slice(word);
            left.push(b' ');
            token = lexer.next()?;
            if token == Token::Sign(b'.') {
                left.clear();
                token = lexer.next()?;
            }
        }
        let left = left.to_ascii_uppercase();
        let words: Vec<&[u8]> = left
            .split(|b| *b == b' ')
            .filter(|w| !w.is_empty())
            .collect();
        if let [b"NAMES", rest @ ..] | [b"CHARACTER", b"SET", rest @ ..] = words.as_slice() {
            let name = match (rest, &token) {
                ([name, ..], _) => Some(name.to_vec()),
                ([], Token::Text(name)) => Some(name.to_vec()),
                _ => None,
            };
            set_charset(session, name)?;
            return Ok(());
        }
        if token == Token::Sign(b':') {
            token = lexer.next()?;
        }
        if token != Token::Sign(b'=') {
            return Ok(());
        }
        let right = value(lexer)?;
        assign(session, words.last().copied().unwrap_or_default(), right)?;
        if lexer.next()? != Token::Sign(b',') {
            return Ok(());
        }
    }
}

/// The right side of an assignment.
enum Value {
    Text(Vec<u8>),
    /// A word such as a variable, in capitals.
    Word(Vec<u8>),
    Other,
}

/// Reads an expression up to the comma behind it.
fn value(lexer: &mut Lexer<'_>) -> Result<Value, Stop> {
    let mut parts = Vec::new();
    loop {
        match lexer.peek()? {
            Token::End | Token::Sign(b',') => break,
            Token::Sign(b'(') => {
                lexer.next()?;
                lexer.skip_parentheses()?;
                parts.push(Value::Other);
            }
            token => {
                lexer.next()?;
                parts.push(match token {
                    Token::Text(text) => Value::Text(text.into_owned()),
                    Token::Word(word) => Value::Word(word.to_ascii_uppercase()),
                    // @@session.sql_mode: what stands behind the point counts.
                    Token::Sign(b'.') => {
                        parts.clear();
                        continue;
                    }
                    _ => Value::Other,
                });
            }
        }
    }
    Ok(match (parts.pop(), parts.is_empty()) {
        (Some(part), true) => part,
        _ => Value::Other,
    })
}

fn assign(session: &mut Session, left: &[u8], right: Value) -> Result<(), Stop> {
    match left {
        b"SQL_MODE" | b"@@SQL_MODE" => match right {
            Value::Text(mode) => session.set_mode(mode),
            Value::Word(variable) => {
                let saved = session.saved.iter().find(|(name, _)| *name == variable);
                let mode = saved.map(|(_, mode)| mode.clone()).unwrap_or_default();
                session.set_mode(mode);
            }
            Value::Other => {
                return Err(Stop::refused(
                    "SQL_MODE is set to an expression",
                    "put the mode itself in its place, as mysqldump does",
                ));
            }
        },
        b"TIME_ZONE" | b"@@TIME_ZONE" => {
            if let Value::Text(zone) = right {
                session.time_zone = Some(String::from_utf8_lossy(&zone).into_owned());
            }
        }
        b"CHARACTER_SET_CLIENT" | b"@@CHARACTER_SET_CLIENT" => {
            let name = match right {
                Value::Text(name) | Value::Word(name) => name,
                Value::Other => return Ok(()),
            };
            if !name.starts_with(b"@") {
                refuse_charset(&String::from_utf8_lossy(&name))?;
            }
        }
        [b'@', ..] => {
            if let Value::Word(word) = &right
                && matches!(word.as_slice(), b"@@SQL_MODE" | b"SQL_MODE")
            {
                session.save(left.to_vec());
            }
        }
        _ => {}
    }
    Ok(())
}

fn set_charset(session: &mut Session, name: Option<Vec<u8>>) -> Result<(), Stop> {
    let Some(name) = name else { return Ok(()) };
    let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
    refuse_charset(&name)?;
    session.charset = Some(name);
    Ok(())
}

fn refuse_charset(name: &str) -> Result<(), Stop> {
    if BACKSLASH_IN_CHARACTERS
        .iter()
        .any(|charset| charset.eq_ignore_ascii_case(name))
    {
        return Err(Stop::refused(
            format!("texts are in {name}, of which a backslash may be half a character"),
            "dump with --default-character-set=utf8mb4",
        ));
    }
    Ok(())
}
