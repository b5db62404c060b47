//! The words of CQL text.

use crate::source::cassandra::types::cql::take_quoted;

/// One word, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Offset in bytes from the start of the text.
    pub start: usize,
    /// Offset behind it.
    pub end: usize,
    /// What it is.
    pub word: Word,
}

/// What a word of CQL is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A name or keyword without quotes, in lower case; or a number, or a UUID.
    Plain(String),
    /// A name in double quotes.
    Quoted(String),
    /// Text in single quotes or between `$$`.
    Text(String),
    /// Any other character.
    Sign(char),
}

/// Splits CQL into words; comments are left out. The error is the offset of a quote or comment that does not end.
pub fn words(text: &str) -> Result<Vec<Token>, usize> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let start = text.len() - rest.len();
        let after = |prefix: &str| rest.strip_prefix(prefix);
        if c.is_whitespace() || c == '\u{feff}' {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            continue;
        }
        if after("--").is_some() || after("//").is_some() {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        if let Some(comment) = after("/*") {
            rest = comment.split_once("*/").ok_or(start)?.1;
            continue;
        }
        let word = if let Some(quoted) = after("\"") {
            let (name, tail) = take_quoted(quoted, '"').ok_or(start)?;
            rest = tail;
            Word::Quoted(name)
        } else if let Some(quoted) = after("'") {
            let (text, tail) = take_quoted(quoted, '\'').ok_or(start)?;
            rest = tail;
            Word::Text(text)
        } else if let Some(quoted) = after("$$") {
            let (text, tail) = quoted.split_once("$$").ok_or(start)?;
            rest = tail;
            Word::Text(text.to_owned())
        } else if is_plain(c) {
            let end = rest
                .char_indices()
                // A minus goes on in a UUID or an exponent, and starts a negative number.
                .find(|&(at, c)| !(is_plain(c) || at > 0 && matches!(c, '-' | '+')))
                .map_or(rest.len(), |(at, _)| at);
            // Two of them begin a comment.
            let end = rest.find("--").map_or(end, |comment| comment.min(end));
            let (word, tail) = rest.split_at(end);
            rest = tail;
            Word::Plain(word.to_lowercase())
        } else {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            Word::Sign(c)
        };
        let end = text.len() - rest.len();
        out.push(Token { start, end, word });
    }
    Ok(out)
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_cql_into_words() {
        let found = words("CREATE -- x;\n\"My \"\"T\"\"\" 'it''s' /* ; */ $$a'b$$ daaca340-e5e3-11f1-a030-1fb0eccaabeb -5 a.b-- x\n // end").unwrap();
        let plain = |text: &str| Word::Plain(text.into());
        let words: Vec<Word> = found.into_iter().map(|token| token.word).collect();
        assert_eq!(
            words,
            [
                plain("create"),
                Word::Quoted("My \"T\"".into()),
                Word::Text("it's".into()),
                Word::Text("a'b".into()),
                plain("daaca340-e5e3-11f1-a030-1fb0eccaabeb"),
                Word::Sign('-'),
                plain("5"),
                plain("a"),
                Word::Sign('.'),
                plain("b"),
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_named_by_its_place() {
        assert_eq!(words("a 'b"), Err(2));
        assert_eq!(words("ab /* c"), Err(3));
        assert_eq!(words("\"a\"\""), Err(0));
    }
}
