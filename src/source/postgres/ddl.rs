//! The statements that say what tables there are: CREATE TABLE, ALTER TABLE ... PRIMARY KEY, COPY and the head of INSERT.

use super::lexer::Token;

/// The full name of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TableName {
    /// The schema it lies in; `None` where the text does not say.
    pub schema: Option<String>,
    /// Its own name.
    pub table: String,
}

impl TableName {
    /// As a person writes it: `public.accounts`; a part with a point in it stands in quotes.
    pub fn show(&self) -> String {
        let part = |part: &str| match part.contains('.') {
            true => format!("\"{}\"", part.replace('"', "\"\"")),
            false => part.to_owned(),
        };
        match &self.schema {
            Some(schema) => format!("{}.{}", part(schema), part(&self.table)),
            None => part(&self.table),
        }
    }

    /// Its parts.
    pub fn parts(&self) -> Vec<String> {
        self.schema.iter().chain([&self.table]).cloned().collect()
    }
}

/// A column as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// Its type as it is spelled; empty where that is not known.
    pub sql_type: String,
    /// Whether it is computed from others, so that no dump holds it.
    pub is_generated: bool,
}

/// What CREATE TABLE says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableDdl {
    pub columns: Vec<Column>,
    /// Columns of the primary key; empty where there is none (here).
    pub key: Vec<String>,
    /// The tables, or the type, whose columns come first.
    pub parents: Vec<TableName>,
    /// Its rows lie in its partitions.
    pub is_partitioned: bool,
    /// Its rows lie on another server.
    pub is_foreign: bool,
}

/// A statement that concerns tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// A table is made.
    Table(TableName, TableDdl),
    /// A type is made that tables may be of.
    Type(TableName, TableDdl),
    /// A table gets its primary key.
    Key(TableName, Vec<String>),
    /// Rows follow, as COPY text.
    Copy(TableName, Option<Vec<String>>),
    /// COPY in a way that pg_dump does not write.
    OtherCopy,
    /// A view is made whose rows are computed.
    MaterializedView(TableName),
    /// A setting: its name and value.
    Set(String, String),
    /// A function is called: its name.
    Call(String),
    /// Anything else.
    Other,
}

/// Reads a statement's tokens, without the semicolon.
pub(super) fn parse(tokens: &[Token]) -> Statement {
    let mut tokens = Tokens { tokens };
    parse_some(&mut tokens).unwrap_or(Statement::Other)
}

fn parse_some(tokens: &mut Tokens<'_>) -> Option<Statement> {
    if tokens.take("create") {
        return create(tokens);
    }
    if tokens.take("alter") {
        return alter(tokens);
    }
    if tokens.take("copy") {
        return copy(tokens);
    }
    if tokens.take("set") {
        return set(tokens);
    }
    if tokens.take("select") {
        return call(tokens);
    }
    None
}

fn create(tokens: &mut Tokens<'_>) -> Option<Statement> {
    if tokens.take("materialized") {
        tokens.take_all(&["view"])?;
        tokens.take_all(&["if", "not", "exists"]);
        return Some(Statement::MaterializedView(tokens.table_name()?));
    }
    let mut ddl = TableDdl::default();
    if tokens.take("type") {
        let name = tokens.table_name()?;
        tokens.take_all(&["as"])?;
        elements(tokens, &mut ddl)?;
        return Some(Statement::Type(name, ddl));
    }
    loop {
        match tokens.word()? {
            "unlogged" | "global" | "local" | "temporary" | "temp" => {}
            "foreign" => ddl.is_foreign = true,
            "table" => break,
            _ => return None,
        }
    }
    tokens.take_all(&["if", "not", "exists"]);
    let name = tokens.table_name()?;
    let mut is_typed = false;
    if tokens.take_all(&["partition", "of"]).is_some() {
        ddl.parents.push(tokens.table_name()?);
    } else if tokens.take("of") {
        ddl.parents.push(tokens.table_name()?);
        is_typed = true;
    }
    if tokens.peek().is_some_and(|token| token.is_symbol(b'(')) {
        elements(tokens, &mut ddl)?;
    }
    if is_typed {
        // What stands there are only options of the type's columns.
        ddl.columns.clear();
    }
    // INHERITS (...) and PARTITION BY ... come behind.
    while let Some(token) = tokens.next() {
        if token.is("inherits") {
            for parent in split(tokens.parenthesized()?) {
                ddl.parents.push(Tokens { tokens: parent }.table_name()?);
            }
        } else if token.is("partition") && tokens.take("by") {
            ddl.is_partitioned = true;
        }
    }
    Some(Statement::Table(name, ddl))
}

/// Columns and constraints in parentheses.
fn elements(tokens: &mut Tokens<'_>, ddl: &mut TableDdl) -> Option<()> {
    for element in split(tokens.parenthesized()?) {
        table_element(&mut Tokens { tokens: element }, ddl);
    }
    Some(())
}

fn table_element(tokens: &mut Tokens<'_>, ddl: &mut TableDdl) -> Option<()> {
    let mut behind = tokens.clone();
    let first = behind.next()?;
    let is_constraint = match first {
        Token::Word(word) => match word.as_str() {
            "constraint" | "primary" | "unique" | "check" | "foreign" | "like" => true,
            // NOT NULL of an inherited column, since PostgreSQL 18.
            "not" => true,
            // It may be a column's name.
            "exclude" => behind
                .next()
                .is_some_and(|next| next.is("using") || next.is_symbol(b'(')),
            _ => false,
        },
        _ => false,
    };
    if is_constraint {
        if let Some(key) = primary_key(tokens) {
            ddl.key = key;
        }
        return Some(());
    }
    let name = tokens.name()?.to_owned();
    let mut sql_type = String::new();
    let mut depth = 0u64;
    let mut is_first = true;
    while let Some(token) = tokens.peek() {
        if depth == 0 && !is_first && matches!(token, Token::Word(word) if ends_type(word)) {
            break;
        }
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        push_spelled(&mut sql_type, token);
        is_first = false;
        tokens.next();
    }
    let mut is_generated = false;
    while let Some(token) = tokens.next() {
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            token if token.is("generated") && tokens.take_all(&["always", "as"]).is_some() => {
                is_generated |= tokens.peek().is_some_and(|next| next.is_symbol(b'('));
            }
            token if token.is("primary") && tokens.take("key") => ddl.key = vec![name.clone()],
            _ => {}
        }
    }
    ddl.columns.push(Column {
        name,
        sql_type,
        is_generated,
    });
    Some(())
}

/// Words that come behind a column's type.
fn ends_type(word: &str) -> bool {
    matches!(
        word,
        "collate"
            | "constraint"
            | "not"
            | "null"
            | "default"
            | "generated"
            | "primary"
            | "unique"
            | "check"
            | "references"
            | "storage"
            | "compression"
            | "options"
    )
}

fn push_spelled(out: &mut String, token: &Token) {
    let is_tight = |byte: &u8| matches!(byte, b'(' | b')' | b',' | b'[' | b']' | b'.');
    let opens = out.ends_with(['(', '.', '[', ',']);
    if !out.is_empty() && !opens && !matches!(token, Token::Symbol(byte) if is_tight(byte)) {
        out.push(' ');
    }
    match token {
        Token::Word(word) => out.push_str(word),
        Token::Number(number) => out.push_str(number),
        Token::Quoted(name) => {
            out.push('"');
            out.push_str(&name.replace('"', "\"\""));
            out.push('"');
        }
        Token::Text(text) => {
            out.push('\'');
            out.push_str(&String::from_utf8_lossy(text).replace('\'', "''"));
            out.push('\'');
        }
        Token::Symbol(byte) => out.push(char::from(*byte)),
    }
}

fn alter(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.take_all(&["table"])?;
    tokens.take_all(&["if", "exists"]);
    tokens.take("only");
    let name = tokens.table_name()?;
    if !tokens.take("add") {
        return None;
    }
    primary_key(tokens).map(|key| Statement::Key(name, key))
}

/// The columns of `[CONSTRAINT name] PRIMARY KEY (...)`.
fn primary_key(tokens: &mut Tokens<'_>) -> Option<Vec<String>> {
    if tokens.take("constraint") {
        tokens.name()?;
    }
    tokens.take_all(&["primary", "key"])?;
    split(tokens.parenthesized()?)
        .map(|column| Some(Tokens { tokens: column }.name()?.to_owned()))
        .collect()
}

fn copy(tokens: &mut Tokens<'_>) -> Option<Statement> {
    let name = tokens.table_name()?;
    let columns = tokens.column_list()?;
    if tokens.take_all(&["from", "stdin"]).is_some() && tokens.tokens.is_empty() {
        return Some(Statement::Copy(name, columns));
    }
    Some(Statement::OtherCopy)
}

/// The table and the columns of an INSERT; its tokens up to VALUES. `None` where it is not such as pg_dump writes.
pub(super) fn insert_head(tokens: &[Token]) -> Option<(TableName, Option<Vec<String>>)> {
    let mut tokens = Tokens { tokens };
    tokens.take_all(&["insert", "into"])?;
    let name = tokens.table_name()?;
    let columns = tokens.column_list()?;
    if tokens.take("overriding") {
        tokens.word()?;
        tokens.take_all(&["value"])?;
    }
    tokens.take("default");
    tokens.take_all(&["values"])?;
    tokens.tokens.is_empty().then_some((name, columns))
}

fn set(tokens: &mut Tokens<'_>) -> Option<Statement> {
    let mut name = tokens.name()?;
    if matches!(name, "session" | "local") {
        name = tokens.name()?;
    }
    match tokens.next()? {
        Token::Symbol(b'=') => {}
        token if token.is("to") => {}
        _ => return None,
    }
    let value = match tokens.next()? {
        Token::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => other.name()?.to_owned(),
    };
    Some(Statement::Set(name.to_owned(), value))
}

fn call(tokens: &mut Tokens<'_>) -> Option<Statement> {
    let name = tokens.table_name()?.table;
    if name == "set_config"
        && let [
            Token::Text(setting),
            Token::Symbol(b','),
            Token::Text(value),
            ..,
        ] = tokens.parenthesized()?
    {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        return Some(Statement::Set(text(setting), text(value)));
    }
    Some(Statement::Call(name))
}

/// Tokens that are yet to be read.
#[derive(Clone)]
struct Tokens<'t> {
    tokens: &'t [Token],
}

impl<'t> Tokens<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Passes over a keyword, if it comes next.
    fn take(&mut self, keyword: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is(keyword));
        if is_next {
            self.next();
        }
        is_next
    }

    /// Passes over these keywords, if they come next; `None` (and nothing is passed over) where they do not.
    fn take_all(&mut self, keywords: &[&str]) -> Option<()> {
        let before = self.clone();
        for keyword in keywords {
            if !self.take(keyword) {
                *self = before;
                return None;
            }
        }
        Some(())
    }

    fn word(&mut self) -> Option<&'t str> {
        match self.next()? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        self.next()?.name()
    }

    /// A name with those of what it lies in; of more than two parts, the last two.
    fn table_name(&mut self) -> Option<TableName> {
        let mut schema = None;
        let mut table = self.name()?.to_owned();
        while self.peek().is_some_and(|token| token.is_symbol(b'.')) {
            self.next();
            schema = Some(std::mem::replace(&mut table, self.name()?.to_owned()));
        }
        Some(TableName { schema, table })
    }

    /// Names in parentheses, if they come next.
    fn column_list(&mut self) -> Option<Option<Vec<String>>> {
        if !self.peek().is_some_and(|token| token.is_symbol(b'(')) {
            return Some(None);
        }
        let names = split(self.parenthesized()?)
            .map(|tokens| match tokens {
                [token] => token.name().map(str::to_owned),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Some(names))
    }

    /// What stands in the parentheses that come next.
    fn parenthesized(&mut self) -> Option<&'t [Token]> {
        if !self.next()?.is_symbol(b'(') {
            return None;
        }
        let mut depth = 1u64;
        let inside = self.tokens;
        let mut len = 0;
        loop {
            match self.next()? {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return inside.get(..len);
            }
            len += 1;
        }
    }
}

/// Cuts at the commas outside of parentheses; no tokens are no parts.
fn split(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0u64;
    tokens
        .split(move |token| {
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.is_symbol(b',')
        })
        .filter(|part| !part.is_empty())
}
