//! Tokens of PostgreSQL's SQL, as far as finding the ends of statements and reading definitions needs them: names, strings of
//! every kind (`'...'`, `E'...'`, `$tag$...$tag$`), numbers, comments.

use std::ops::{Deref, DerefMut};

use memchr::{memchr, memchr2, memmem};

use super::window::Window;
use crate::error::Result;
use crate::row::escape;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword without quotes, in lower case.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A string.
    Text(Vec<u8>),
    /// A number.
    Number(String),
    /// Any other character.
    Symbol(u8),
}

impl Token {
    /// Whether it is this keyword.
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word == keyword)
    }

    /// Whether it is this character.
    pub fn is_symbol(&self, symbol: u8) -> bool {
        *self == Token::Symbol(symbol)
    }

    /// The name that it is.
    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// Cuts a window into tokens.
pub(super) struct Lexer<'a> {
    window: Window<'a>,
    /// Whether a backslash in `'...'` is a plain character.
    pub standard_strings: bool,
    /// The comments that a dump tells something in, until they are taken.
    pub comments: Vec<Vec<u8>>,
}

/// Comments of a dump that tell what no statement does.
const TELLING: [&[u8]; 2] = [b"-- Data for Name: ", b"-- PostgreSQL database "];

impl<'a> Deref for Lexer<'a> {
    type Target = Window<'a>;

    fn deref(&self) -> &Window<'a> {
        &self.window
    }
}

impl<'a> DerefMut for Lexer<'a> {
    fn deref_mut(&mut self) -> &mut Window<'a> {
        &mut self.window
    }
}

/// Whether a byte goes on a name.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

impl<'a> Lexer<'a> {
    pub fn new(window: Window<'a>) -> Lexer<'a> {
        Lexer {
            window,
            standard_strings: true,
            comments: Vec::new(),
        }
    }

    /// Passes over white space and comments.
    ///
    /// # Errors
    ///
    /// Those of reading; Damaged where a comment does not end.
    pub fn skip_blank(&mut self) -> Result<()> {
        loop {
            let blank = self.bytes().iter().take_while(|b| is_blank(**b)).count();
            self.consume(blank);
            match self.byte(0)? {
                Some(byte) if is_blank(byte) => {}
                Some(b'-') if self.byte(1)? == Some(b'-') => self.line_comment()?,
                Some(b'/') if self.byte(1)? == Some(b'*') => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn line_comment(&mut self) -> Result<()> {
        let len = match self.line_feed(0)? {
            Some(at) => at,
            None => self.bytes().len(),
        };
        let text = self.bytes().get(..len).unwrap_or_default();
        if TELLING.iter().any(|start| text.starts_with(start)) {
            let text = text.trim_ascii_end().to_vec();
            self.comments.push(text);
        }
        self.consume(len);
        Ok(())
    }

    fn block_comment(&mut self) -> Result<()> {
        let start = self.offset();
        let mut depth = 0u64;
        loop {
            match (self.byte(0)?, self.byte(1)?) {
                (Some(b'/'), Some(b'*')) => depth += 1,
                (Some(b'*'), Some(b'/')) => depth -= 1,
                (None, _) => return Err(self.damaged(start, "a comment is never closed")),
                _ => {
                    let bytes = self.bytes();
                    let rest = bytes.get(1..).unwrap_or_default();
                    let len = memchr2(b'/', b'*', rest).unwrap_or(rest.len());
                    self.consume(1 + len);
                    continue;
                }
            }
            self.consume(2);
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The next token; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of reading; Damaged where a string, name or comment does not end.
    pub fn token(&mut self) -> Result<Option<Token>> {
        self.skip_blank()?;
        let Some(first) = self.byte(0)? else {
            return Ok(None);
        };
        let token = match first {
            b'"' => Token::Quoted(self.quoted_name()?),
            b'\'' => {
                let mut text = Vec::new();
                self.string(0, !self.standard_strings, &mut text)?;
                Token::Text(text)
            }
            b'$' => match self.dollar_string()? {
                Some(text) => Token::Text(text),
                None => {
                    self.consume(1);
                    Token::Symbol(b'$')
                }
            },
            b'0'..=b'9' => {
                Token::Number(self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'.')?)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => match (first, self.byte(1)?) {
                (b'e' | b'E', Some(b'\'')) => {
                    let mut text = Vec::new();
                    self.string(1, true, &mut text)?;
                    Token::Text(text)
                }
                (b'b' | b'B' | b'x' | b'X' | b'n' | b'N', Some(b'\'')) => {
                    let mut text = Vec::new();
                    self.string(1, false, &mut text)?;
                    Token::Text(text)
                }
                _ => Token::Word(self.run(goes_on)?.to_ascii_lowercase()),
            },
            other => {
                self.consume(1);
                Token::Symbol(other)
            }
        };
        Ok(Some(token))
    }

    fn run(&mut self, goes_on: impl Fn(u8) -> bool) -> Result<String> {
        let mut len = 0;
        loop {
            let rest = self.bytes().get(len..).unwrap_or_default();
            let more = rest.iter().take_while(|byte| goes_on(**byte)).count();
            len += more;
            if more < rest.len() || !self.fill()? {
                let text = name_of(self.bytes().get(..len).unwrap_or_default());
                self.consume(len);
                return Ok(text);
            }
        }
    }

    fn quoted_name(&mut self) -> Result<String> {
        let mut name = Vec::new();
        self.delimited(1, b'"', false, &mut name)?;
        Ok(name_of(&name))
    }

    /// Passes over a string whose quote is `prefix` bytes ahead, and appends its content to `out`; with `escapes`, those of `E'...'`.
    ///
    /// # Errors
    ///
    /// Those of reading; Damaged where it does not end.
    pub fn string(&mut self, prefix: usize, escapes: bool, out: &mut Vec<u8>) -> Result<()> {
        self.delimited(prefix + 1, b'\'', escapes, out)
    }

    /// Passes over the string that starts here.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::string`].
    pub fn skip_string(&mut self, escapes: bool) -> Result<()> {
        let start = self.offset();
        self.consume(1);
        loop {
            let bytes = self.bytes();
            let found = match escapes {
                true => memchr2(b'\'', b'\\', bytes),
                false => memchr(b'\'', bytes),
            };
            match found {
                Some(at) if bytes.get(at) == Some(&b'\\') => {
                    self.consume(at);
                    self.ensure(2)?;
                    self.consume(2);
                }
                Some(at) => {
                    self.consume(at + 1);
                    if self.byte(0)? != Some(b'\'') {
                        return Ok(());
                    }
                    self.consume(1);
                }
                None => {
                    let len = bytes.len();
                    self.consume(len);
                    if !self.fill()? {
                        return Err(self.damaged(start, "a text in ' is never closed"));
                    }
                }
            }
        }
    }

    fn delimited(
        &mut self,
        prefix: usize,
        quote: u8,
        escapes: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let start = self.offset();
        self.consume(prefix);
        loop {
            let bytes = self.bytes();
            let found = match escapes {
                true => memchr2(quote, b'\\', bytes),
                false => memchr(quote, bytes),
            };
            let Some(at) = found else {
                out.extend_from_slice(bytes);
                let len = bytes.len();
                self.consume(len);
                if !self.fill()? {
                    return Err(self.damaged(
                        start,
                        format!("a text in {} is never closed", char::from(quote)),
                    ));
                }
                continue;
            };
            out.extend_from_slice(bytes.get(..at).unwrap_or_default());
            let is_escape = bytes.get(at) == Some(&b'\\');
            self.consume(at);
            if is_escape {
                self.escape(out)?;
            } else if self.byte(1)? == Some(quote) {
                out.push(quote);
                self.consume(2);
            } else {
                self.consume(1);
                return Ok(());
            }
        }
    }

    /// Undoes the escape of `E'...'` that stands here.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(letter) = self.byte(1)? else {
            self.consume(1);
            return Ok(());
        };
        let mut len = 2;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'x' | b'u' | b'U' | b'0'..=b'7' => {
                let (from, digits_max, radix) = match letter {
                    b'x' => (2, 2, 16),
                    b'u' => (2, 4, 16),
                    b'U' => (2, 8, 16),
                    _ => (1, 3, 8),
                };
                let mut value = 0u32;
                len = from;
                while len < from + digits_max
                    && let Some(digit) = self.byte(len)?.and_then(|b| char::from(b).to_digit(radix))
                {
                    value = value.wrapping_mul(radix).wrapping_add(digit);
                    len += 1;
                }
                match letter {
                    b'u' | b'U' => {
                        let c = char::from_u32(value).ok_or_else(|| {
                            self.damaged_here("an escape that is no Unicode character")
                        })?;
                        let mut utf8 = [0; 4];
                        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                    }
                    b'x' if len == from => out.push(b'x'),
                    // More than a byte wraps, as the server has it.
                    _ => out.push(value as u8),
                }
            }
            other => out.push(other),
        }
        self.consume(len);
        Ok(())
    }

    /// The content of a dollar-quoted string, if one starts here.
    fn dollar_string(&mut self) -> Result<Option<Vec<u8>>> {
        let mut len = 1;
        while let Some(byte) = self.byte(len)? {
            if byte == b'$' {
                break;
            }
            if !goes_on(byte) || (len == 1 && byte.is_ascii_digit()) {
                return Ok(None);
            }
            len += 1;
        }
        if self.byte(len)?.is_none() {
            return Ok(None);
        }
        let start = self.offset();
        let tag = self.bytes().get(..=len).unwrap_or_default().to_vec();
        self.consume(tag.len());
        let mut text = Vec::new();
        loop {
            let bytes = self.bytes();
            if let Some(at) = memmem::find(bytes, &tag) {
                text.extend_from_slice(bytes.get(..at).unwrap_or_default());
                self.consume(at + tag.len());
                return Ok(Some(text));
            }
            // The tag may be cut by the window.
            let len = bytes.len().saturating_sub(tag.len() - 1);
            text.extend_from_slice(bytes.get(..len).unwrap_or_default());
            self.consume(len);
            if !self.fill()? {
                return Err(self.damaged(start, "a dollar-quoted text is never closed"));
            }
        }
    }

    /// Reads the rest of a statement, and its semicolon, into `tokens` if `keep` says so; `tokens` has its first one.
    ///
    /// # Errors
    ///
    /// As of [`Lexer::token`]; Damaged where the text ends before the statement does.
    pub fn statement(&mut self, tokens: &mut Vec<Token>, keep: bool) -> Result<()> {
        let start = self.offset();
        let mut shape = Shape::default();
        tokens.iter().for_each(|token| shape.push(token));
        while let Some(token) = self.token()? {
            if token.is_symbol(b';') && shape.may_end() {
                return Ok(());
            }
            shape.push(&token);
            if keep {
                tokens.push(token);
            }
        }
        Err(self.damaged(
            start,
            "the text ends inside a statement: the dump is not complete",
        ))
    }
}

/// Follows what a semicolon may stand in without ending the statement: parentheses (of rules), and the bodies of functions
/// in the SQL standard's way (`BEGIN ATOMIC ... END`). As psql does.
#[derive(Default)]
struct Shape {
    /// Words so far, up to four.
    head: Vec<String>,
    parentheses: u64,
    blocks: u64,
}

impl Shape {
    fn push(&mut self, token: &Token) {
        match token {
            Token::Symbol(b'(') => self.parentheses += 1,
            Token::Symbol(b')') => self.parentheses = self.parentheses.saturating_sub(1),
            Token::Word(word) => {
                if self.head.len() < 4 {
                    self.head.push(word.clone());
                }
                if self.is_routine() {
                    match word.as_str() {
                        "begin" => self.blocks += 1,
                        "case" if self.blocks > 0 => self.blocks += 1,
                        "end" => self.blocks = self.blocks.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn is_routine(&self) -> bool {
        let words: Vec<&str> = self.head.iter().map(String::as_str).collect();
        matches!(
            words.as_slice(),
            ["create", "function" | "procedure", ..]
                | ["create", "or", "replace", "function" | "procedure"]
        )
    }

    fn may_end(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// A name as text; one in an encoding other than UTF-8 with its bytes escaped.
fn name_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(name) => name.to_owned(),
        Err(_) => escape(bytes).into_owned(),
    }
}
