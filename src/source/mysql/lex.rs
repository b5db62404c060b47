//! Words, names and texts of MySQL's SQL, as `SQL_MODE` has them quoted.

use std::borrow::Cow;

use memchr::memmem;
use memchr::{memchr, memchr2};

/// What a `SQL_MODE` changes about quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quoting {
    /// `NO_BACKSLASH_ESCAPES`: a backslash in a text is a backslash.
    pub plain_backslash: bool,
    /// `ANSI_QUOTES`: double quotes hold a name, not a text.
    pub ansi: bool,
}

impl Quoting {
    /// Those of a mode such as `NO_AUTO_VALUE_ON_ZERO,ANSI_QUOTES`.
    pub fn of_mode(mode: &[u8]) -> Quoting {
        let has = |names: &[&str]| {
            mode.split(|b| *b == b',').any(|word| {
                let word = word.trim_ascii();
                names
                    .iter()
                    .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
            })
        };
        Quoting {
            plain_backslash: has(&["NO_BACKSLASH_ESCAPES"]),
            ansi: has(&[
                "ANSI_QUOTES",
                "ANSI",
                "POSTGRESQL",
                "ORACLE",
                "MSSQL",
                "DB2",
                "MAXDB",
            ]),
        }
    }
}

/// Why a piece of text can't be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes at hand end inside of it.
    Incomplete,
    /// Something is wrong at this position of the bytes at hand.
    Flaw { at: usize, what: String },
    /// It is sound, but can't be read faithfully.
    Refused { what: String, hint: String },
    /// Whoever takes the rows failed.
    Failed(crate::error::Error),
}

impl Stop {
    pub fn flaw(at: usize, what: impl Into<String>) -> Stop {
        Stop::Flaw {
            at,
            what: what.into(),
        }
    }

    pub fn refused(what: impl Into<String>, hint: impl Into<String>) -> Stop {
        Stop::Refused {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// A text between quotes: where its content stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted {
    pub start: usize,
    pub end: usize,
    /// Whether it has backslashes or doubled quotes to be undone.
    pub escaped: bool,
    /// Position behind the closing quote.
    pub next: usize,
}

/// Cuts the text whose opening quote stands at `at`.
#[inline]
pub(super) fn quoted(bytes: &[u8], at: usize, plain_backslash: bool) -> Result<Quoted, Stop> {
    let quote = bytes.get(at).copied().unwrap_or_default();
    let start = at + 1;
    let (mut pos, mut escaped) = (start, false);
    loop {
        let rest = bytes.get(pos..).unwrap_or_default();
        let found = if plain_backslash {
            memchr(quote, rest)
        } else {
            memchr2(quote, b'\\', rest)
        };
        let end = pos + found.ok_or(Stop::Incomplete)?;
        if bytes.get(end) != Some(&quote) {
            escaped = true;
            pos = end + 2;
            continue;
        }
        if bytes.get(end + 1) == Some(&quote) {
            escaped = true;
            pos = end + 2;
            continue;
        }
        return Ok(Quoted {
            start,
            end,
            escaped,
            next: end + 1,
        });
    }
}

/// Appends the text that `raw` spells between quotes.
pub(super) fn unquote(out: &mut Vec<u8>, raw: &[u8], quote: u8, plain_backslash: bool) {
    let mut rest = raw;
    loop {
        let found = if plain_backslash {
            memchr(quote, rest)
        } else {
            memchr2(quote, b'\\', rest)
        };
        let Some(at) = found else {
            out.extend_from_slice(rest);
            return;
        };
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let Some((&mark, tail)) = tail.split_first() else {
            return;
        };
        let Some((&next, tail)) = tail.split_first() else {
            out.push(mark);
            return;
        };
        if mark == quote {
            out.push(quote);
        } else {
            match next {
                b'0' => out.push(0),
                b'b' => out.push(8),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'Z' => out.push(0x1a),
                // For LIKE: both bytes are kept.
                b'%' | b'_' => out.extend_from_slice(&[b'\\', next]),
                other => out.push(other),
            }
        }
        rest = tail;
    }
}

/// One token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'b> {
    /// A keyword, a name without quotes, a number, a variable with its `@`.
    Word(&'b [u8]),
    /// A name in quotes.
    Name(Cow<'b, [u8]>),
    /// A text.
    Text(Cow<'b, [u8]>),
    /// Any other character.
    Sign(u8),
    /// Nothing is left.
    End,
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Whether it is one of these keywords.
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

/// Walks the tokens of a statement. The content of `/*! ... */` and `/*M! ... */` counts, other comments do not.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'b> {
    bytes: &'b [u8],
    pos: usize,
    quoting: Quoting,
    /// Whether more bytes may follow that are not at hand.
    may_go_on: bool,
    in_conditional: bool,
}

impl<'b> Lexer<'b> {
    pub fn new(bytes: &'b [u8], quoting: Quoting) -> Lexer<'b> {
        Lexer {
            bytes,
            pos: 0,
            quoting,
            may_go_on: false,
            in_conditional: false,
        }
    }

    /// Of bytes behind which more may follow.
    pub fn of_part(bytes: &'b [u8], quoting: Quoting, may_go_on: bool) -> Lexer<'b> {
        Lexer {
            may_go_on,
            ..Lexer::new(bytes, quoting)
        }
    }

    /// Position of the next token, or before the blanks in front of it.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Skips blanks and comments.
    ///
    /// # Errors
    ///
    /// Incomplete where a comment does not end, or more may follow.
    pub fn skip_blanks(&mut self) -> Result<(), Stop> {
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or_default();
            match rest {
                [] if self.may_go_on => return Err(Stop::Incomplete),
                [b'/' | b'-' | b'*'] if self.may_go_on => return Err(Stop::Incomplete),
                [b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c, ..] => self.pos += 1,
                [b'#', ..] => self.skip_line(rest)?,
                [b'-', b'-', after @ ..] if after.first().is_none_or(|b| *b <= b' ') => {
                    self.skip_line(rest)?;
                }
                [b'*', b'/', ..] if self.in_conditional => {
                    self.in_conditional = false;
                    self.pos += 2;
                }
                [b'/', b'*', after @ ..] => match conditional(after, self.may_go_on)? {
                    Some(len) => {
                        self.in_conditional = true;
                        self.pos += 2 + len;
                    }
                    None => match memmem::find(after, b"*/") {
                        Some(len) => self.pos += len + 4,
                        None => return Err(Stop::Incomplete),
                    },
                },
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self, rest: &[u8]) -> Result<(), Stop> {
        match memchr(b'\n', rest) {
            Some(len) => self.pos += len + 1,
            None if self.may_go_on => return Err(Stop::Incomplete),
            None => self.pos = self.bytes.len(),
        }
        Ok(())
    }

    /// The next token.
    ///
    /// # Errors
    ///
    /// Incomplete where quotes or a comment do not end, or the token may go on.
    pub fn next(&mut self) -> Result<Token<'b>, Stop> {
        self.skip_blanks()?;
        let bytes = self.bytes;
        let Some(&first) = bytes.get(self.pos) else {
            return Ok(Token::End);
        };
        match first {
            b'`' | b'"' | b'\'' => {
                let is_name = first == b'`' || (first == b'"' && self.quoting.ansi);
                let plain = is_name || self.quoting.plain_backslash;
                let text = quoted(bytes, self.pos, plain)?;
                if text.next == bytes.len() && self.may_go_on {
                    return Err(Stop::Incomplete);
                }
                self.pos = text.next;
                let raw = bytes.get(text.start..text.end).unwrap_or_default();
                let content = if text.escaped {
                    let mut content = Vec::with_capacity(raw.len());
                    unquote(&mut content, raw, first, plain);
                    Cow::Owned(content)
                } else {
                    Cow::Borrowed(raw)
                };
                Ok(if is_name {
                    Token::Name(content)
                } else {
                    Token::Text(content)
                })
            }
            _ if is_word(first) => {
                let rest = bytes.get(self.pos..).unwrap_or_default();
                let len = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
                if len == rest.len() && self.may_go_on {
                    return Err(Stop::Incomplete);
                }
                self.pos += len;
                Ok(Token::Word(rest.get(..len).unwrap_or_default()))
            }
            sign => {
                self.pos += 1;
                Ok(Token::Sign(sign))
            }
        }
    }

    /// The next token, which stays the next one.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::next`].
    pub fn peek(&self) -> Result<Token<'b>, Stop> {
        self.clone().next()
    }

    /// Takes the next token where it is this keyword.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::next`].
    pub fn take_word(&mut self, word: &str) -> Result<bool, Stop> {
        let is_it = self.peek()?.is(word);
        if is_it {
            self.next()?;
        }
        Ok(is_it)
    }

    /// Takes the next token where it is this character.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::next`].
    pub fn take_sign(&mut self, sign: u8) -> Result<bool, Stop> {
        let is_it = self.peek()? == Token::Sign(sign);
        if is_it {
            self.next()?;
        }
        Ok(is_it)
    }

    /// A name, in quotes of either kind or none.
    ///
    /// # Errors
    ///
    /// A flaw where something else stands there, or the name is not UTF-8.
    pub fn name(&mut self) -> Result<String, Stop> {
        self.skip_blanks()?;
        let at = self.pos;
        let name = match self.next()? {
            Token::Name(name) => name,
            // Without the mode that says so: tools write names in double quotes beside it.
            Token::Text(name) if self.bytes.get(at) == Some(&b'"') => name,
            Token::Word(word) => Cow::Borrowed(word),
            _ => return Err(Stop::flaw(at, "a name is missing")),
        };
        String::from_utf8(name.into_owned()).map_err(|_| {
            Stop::refused(
                "a name is not UTF-8",
                "dump with --default-character-set=utf8mb4",
            )
        })
    }

    /// A name, and the name of the database before it.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::name`].
    pub fn table_name(&mut self) -> Result<(Option<String>, String), Stop> {
        let first = self.name()?;
        if !self.take_sign(b'.')? {
            return Ok((None, first));
        }
        Ok((Some(first), self.name()?))
    }

    /// Skips what is between parentheses, whose opening one was just taken.
    ///
    /// # Errors
    ///
    /// A flaw where they do not close.
    pub fn skip_parentheses(&mut self) -> Result<(), Stop> {
        let at = self.pos;
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Token::Sign(b'(') => depth += 1,
                Token::Sign(b')') => depth -= 1,
                Token::End => return Err(Stop::flaw(at, "a parenthesis is not closed")),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Length of the opening of a conditional comment behind its `/*`: `!`, `M!`, digits of a version. `None` where it is a plain
/// comment; one for version 999999, which no server has, is.
pub(super) fn conditional(after: &[u8], may_go_on: bool) -> Result<Option<usize>, Stop> {
    let mark = match after {
        [b'!', ..] => 1,
        [b'M', b'!', ..] => 2,
        [] | [b'M'] if may_go_on => return Err(Stop::Incomplete),
        _ => return Ok(None),
    };
    let rest = after.get(mark..).unwrap_or_default();
    let digits = rest
        .iter()
        .take(6)
        .take_while(|b| b.is_ascii_digit())
        .count();
    if digits == rest.len() && may_go_on {
        return Err(Stop::Incomplete);
    }
    if rest.starts_with(b"999999") {
        return Ok(None);
    }
    Ok(Some(mark + if digits < 5 { 0 } else { digits }))
}

/// Whether a byte is of a word: a keyword, a name without quotes, a number, a variable.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@') || byte >= 0x80
}
