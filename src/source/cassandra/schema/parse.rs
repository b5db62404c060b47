//! Reads the statements of a schema.

use std::path::Path;

use super::lexer::{Token, Word, words};
use super::{Column, DroppedColumn, Parsed, TableSchema};
use crate::error::{Error, Result};
use crate::source::cassandra::types::CqlType;

const GC_GRACE_DEFAULT: i64 = 864_000;

pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<TableSchema>> {
    let tokens = words(text).map_err(|offset| {
        Error::damaged(
            path,
            offset as u64,
            "a quote or comment in CQL does not end",
        )
    })?;
    let mut parsed = Parsed::default();
    for statement in tokens.split(|token| token.word == Word::Sign(';')) {
        let mut reader = Reader {
            text,
            path,
            rest: statement,
            keyspace: String::new(),
        };
        reader.statement(&mut parsed)?;
    }
    for table in &mut parsed.tables {
        table.statics.sort_by(|a, b| a.name.cmp(&b.name));
        table.regulars.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(parsed.tables)
}

/// Reads one statement.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    rest: &'a [Token],
    /// Keyspace of what the statement names.
    keyspace: String,
}

/// A column of CREATE TABLE, as it is read.
struct Described {
    column: Column,
    is_static: bool,
}

impl<'a> Reader<'a> {
    fn damaged(&self, what: impl Into<String>) -> Error {
        let offset = self
            .rest
            .first()
            .map_or(self.text.len(), |token| token.start);
        Error::damaged(self.path, offset as u64, what)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Takes these keywords if they are next.
    fn take(&mut self, keywords: &[&str]) -> bool {
        let is_next = self.rest.len() >= keywords.len()
            && keywords.iter().zip(self.rest).all(
                |(keyword, token)| matches!(&token.word, Word::Plain(word) if word == keyword),
            );
        if is_next {
            self.rest = self.rest.get(keywords.len()..).unwrap_or_default();
        }
        is_next
    }

    fn take_sign(&mut self, sign: char) -> bool {
        match self.rest {
            [first, rest @ ..] if first.word == Word::Sign(sign) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn sign(&mut self, sign: char) -> Result<()> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => Err(self.damaged(format!("'{sign}' expected in CQL"))),
        }
    }

    fn name(&mut self) -> Result<String> {
        match self.rest {
            [
                Token {
                    word: Word::Plain(name) | Word::Quoted(name),
                    ..
                },
                rest @ ..,
            ] => {
                self.rest = rest;
                Ok(name.clone())
            }
            _ => Err(self.damaged("a name expected in CQL")),
        }
    }

    /// Takes `[keyspace.]name`, and keeps the keyspace.
    fn full_name(&mut self) -> Result<String> {
        let mut name = self.name()?;
        if self.take_sign('.') {
            self.keyspace = std::mem::replace(&mut name, self.name()?);
        }
        Ok(name)
    }

    /// Takes a type: all up to a comma or bracket that is none of its own, or to a word that can't be of a type.
    fn kind(&mut self, parsed: &Parsed) -> Result<CqlType> {
        let start = self
            .rest
            .first()
            .ok_or_else(|| self.damaged("a type expected in CQL"))?
            .start;
        let mut end = start;
        let mut depth = 0usize;
        let mut is_behind_name = false;
        while let Some(token) = self.rest.first() {
            let is_name = matches!(token.word, Word::Plain(_) | Word::Quoted(_) | Word::Text(_));
            match token.word {
                Word::Sign('<') => depth += 1,
                Word::Sign('>') => depth = depth.saturating_sub(1),
                Word::Sign(',' | ')') if depth == 0 => break,
                // A second word without a sign between: STATIC, PRIMARY KEY, MASKED WITH and the like.
                _ if is_name && is_behind_name && depth == 0 => break,
                _ => {}
            }
            is_behind_name = is_name || token.word == Word::Sign('>');
            end = token.end;
            self.next();
        }
        let text = self.text.get(start..end).unwrap_or_default();
        CqlType::parse_cql(text, &self.keyspace, &parsed.udts).ok_or_else(|| {
            Error::unsupported(
                self.path,
                format!("type {text} of a schema is not known (offset {start})"),
                "put the CREATE TYPE statements it needs before the CREATE TABLE",
            )
        })
    }

    /// Passes over all up to a comma or bracket that is not inside others.
    fn skip_to_separator(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.rest.first() {
            match token.word {
                Word::Sign('(' | '{' | '[' | '<') => depth += 1,
                Word::Sign(',' | ')') if depth == 0 => return,
                Word::Sign(')' | '}' | ']' | '>') => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.next();
        }
    }

    fn statement(&mut self, parsed: &mut Parsed) -> Result<()> {
        if self.take(&["create", "table"]) || self.take(&["create", "columnfamily"]) {
            self.take(&["if", "not", "exists"]);
            let table = self.create_table(parsed)?;
            parsed.tables.push(table);
        } else if self.take(&["create", "type"]) {
            self.take(&["if", "not", "exists"]);
            self.create_type(parsed)?;
        } else if self.take(&["alter", "type"]) {
            self.take(&["if", "exists"]);
            self.alter_type(parsed)?;
        } else if self.take(&["alter", "table"]) {
            self.take(&["if", "exists"]);
            self.alter_table(parsed)?;
        }
        Ok(())
    }

    fn create_type(&mut self, parsed: &mut Parsed) -> Result<()> {
        let name = self.full_name()?;
        self.sign('(')?;
        let mut fields = Vec::new();
        while !self.take_sign(')') {
            let field = self.name()?;
            fields.push((field, self.kind(parsed)?));
            self.skip_to_separator();
            self.take_sign(',');
            if self.rest.is_empty() {
                return Err(self.damaged("CREATE TYPE does not end"));
            }
        }
        let keyspace = self.keyspace.clone();
        let udt = CqlType::Udt {
            keyspace: keyspace.clone(),
            name: name.clone(),
            fields,
        };
        parsed.udts.insert((keyspace, name), udt);
        Ok(())
    }

    fn alter_type(&mut self, parsed: &mut Parsed) -> Result<()> {
        let name = self.full_name()?;
        if !self.take(&["add"]) {
            return Ok(());
        }
        self.take(&["if", "not", "exists"]);
        let field = self.name()?;
        let kind = self.kind(parsed)?;
        let key = (self.keyspace.clone(), name);
        if let Some(CqlType::Udt { fields, .. }) = parsed.udts.get_mut(&key) {
            fields.push((field, kind));
        }
        Ok(())
    }

    fn create_table(&mut self, parsed: &Parsed) -> Result<TableSchema> {
        let start = self.rest;
        let table = self.full_name()?;
        self.sign('(')?;
        let mut columns = Vec::new();
        let mut partition = Vec::new();
        let mut clustering = Vec::new();
        while !self.take_sign(')') {
            if self.take(&["primary", "key"]) {
                (partition, clustering) = self.primary_key()?;
            } else {
                let name = self.name()?;
                let kind = self.kind(parsed)?;
                let is_static = self.take(&["static"]);
                if self.take(&["primary", "key"]) {
                    partition.push(name.clone());
                }
                columns.push(Described {
                    column: Column { name, kind },
                    is_static,
                });
                // A mask or a constraint: nothing that SSTables know of.
                self.skip_to_separator();
            }
            self.take_sign(',');
            if self.rest.is_empty() {
                return Err(self.damaged("CREATE TABLE does not end"));
            }
        }
        let mut take_column = |name: &String| {
            let at = columns.iter().position(|c| c.column.name == *name)?;
            Some(columns.remove(at).column)
        };
        let mut take_all = |names: &[String]| names.iter().map(&mut take_column).collect();
        let keys: (Option<Vec<Column>>, Option<Vec<Column>>) =
            (take_all(&partition), take_all(&clustering));
        let (Some(partition_key), Some(clustering)) = keys else {
            self.rest = start;
            return Err(self.damaged("the primary key names a column that the table does not have"));
        };
        if partition_key.is_empty() {
            self.rest = start;
            return Err(self.damaged("CREATE TABLE without a primary key"));
        }
        let (statics, regulars): (Vec<_>, Vec<_>) = columns.into_iter().partition(|c| c.is_static);
        let unwrap = |columns: Vec<Described>| columns.into_iter().map(|c| c.column).collect();
        let mut schema = TableSchema {
            keyspace: self.keyspace.clone(),
            table,
            id: None,
            partition_key,
            clustering,
            statics: unwrap(statics),
            regulars: unwrap(regulars),
            dropped: Vec::new(),
            is_compact: false,
            gc_grace_seconds: GC_GRACE_DEFAULT,
            default_time_to_live: 0,
        };
        if self.take(&["with"]) {
            self.options(&mut schema)?;
        }
        Ok(schema)
    }

    /// Names of the partition key's columns, and of the clustering columns.
    fn primary_key(&mut self) -> Result<(Vec<String>, Vec<String>)> {
        self.sign('(')?;
        let mut partition = Vec::new();
        if self.take_sign('(') {
            partition.push(self.name()?);
            while self.take_sign(',') {
                partition.push(self.name()?);
            }
            self.sign(')')?;
        } else {
            partition.push(self.name()?);
        }
        let mut clustering = Vec::new();
        while self.take_sign(',') {
            clustering.push(self.name()?);
        }
        self.sign(')')?;
        Ok((partition, clustering))
    }

    fn options(&mut self, schema: &mut TableSchema) -> Result<()> {
        while !self.rest.is_empty() {
            if self.take(&["compact", "storage"]) {
                schema.is_compact = true;
            } else if self.take(&["clustering", "order", "by"]) {
                self.clustering_order(schema)?;
            } else {
                let start = self.rest;
                let option = self.name().unwrap_or_default();
                let has_value = self.take_sign('=');
                let sign = if self.take_sign('-') { -1 } else { 1 };
                let value = match self.rest.first().map(|token| &token.word) {
                    Some(Word::Plain(value) | Word::Text(value)) if has_value => value.clone(),
                    _ => String::new(),
                };
                let number = || value.parse::<i64>().ok().map(|value| sign * value);
                let is_read = match option.as_str() {
                    "id" => {
                        let id: String = value.chars().filter(|c| *c != '-').collect();
                        let is_id = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
                        schema.id = is_id.then_some(id);
                        is_id
                    }
                    "gc_grace_seconds" => number().map(|n| schema.gc_grace_seconds = n).is_some(),
                    "default_time_to_live" => {
                        number().map(|n| schema.default_time_to_live = n).is_some()
                    }
                    _ => true,
                };
                if !is_read {
                    self.rest = start;
                    return Err(self.damaged(format!("table option {option} has no value")));
                }
            }
            self.skip_option();
        }
        Ok(())
    }

    /// Passes over all up to the next option.
    fn skip_option(&mut self) {
        let mut depth = 0usize;
        while !self.rest.is_empty() {
            if depth == 0 && self.take(&["and"]) {
                return;
            }
            match self.next().map(|token| &token.word) {
                Some(Word::Sign('(' | '{' | '[')) => depth += 1,
                Some(Word::Sign(')' | '}' | ']')) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn clustering_order(&mut self, schema: &mut TableSchema) -> Result<()> {
        self.sign('(')?;
        loop {
            let name = self.name()?;
            let is_descending = self.take(&["desc"]);
            if !is_descending {
                self.take(&["asc"]);
            }
            let column = schema.clustering.iter_mut().find(|c| c.name == name);
            let Some(column) = column else {
                return Err(self.damaged(format!(
                    "CLUSTERING ORDER BY names {name}, which is no clustering column"
                )));
            };
            if is_descending && !column.kind.is_reversed() {
                let kind = std::mem::replace(&mut column.kind, CqlType::Empty);
                column.kind = CqlType::Reversed(Box::new(kind));
            }
            if self.take_sign(')') {
                return Ok(());
            }
            self.sign(',')?;
        }
    }

    fn alter_table(&mut self, parsed: &mut Parsed) -> Result<()> {
        let name = self.full_name()?;
        let is_it = |table: &TableSchema| table.table == name && table.keyspace == self.keyspace;
        let Some(at) = parsed.tables.iter().position(is_it) else {
            return Ok(());
        };
        if self.take(&["drop"]) {
            self.take(&["if", "exists"]);
            if self.take(&["compact", "storage"]) {
                if let Some(table) = parsed.tables.get_mut(at) {
                    table.is_compact = false;
                }
                return Ok(());
            }
            let dropped = self.dropped_names()?;
            if let Some(table) = parsed.tables.get_mut(at) {
                for (name, dropped_at) in dropped {
                    table.drop_column(name, dropped_at);
                }
            }
        } else if self.take(&["add"]) {
            self.take(&["if", "not", "exists"]);
            let in_brackets = self.take_sign('(');
            loop {
                let name = self.name()?;
                let kind = self.kind(parsed)?;
                let is_static = self.take(&["static"]);
                if let Some(table) = parsed.tables.get_mut(at) {
                    let column = Column { name, kind };
                    match is_static {
                        true => table.statics.push(column),
                        false => table.regulars.push(column),
                    }
                }
                self.skip_to_separator();
                if !self.take_sign(',') {
                    break;
                }
            }
            if in_brackets {
                self.sign(')')?;
            }
        } else if self.take(&["with"])
            && let Some(table) = parsed.tables.get_mut(at)
        {
            self.options(table)?;
        } else if self.take(&["rename"])
            && let Some(table) = parsed.tables.get_mut(at)
        {
            self.rename(table)?;
        }
        Ok(())
    }

    /// Names of dropped columns, and when they were dropped.
    fn dropped_names(&mut self) -> Result<Vec<(String, Option<i64>)>> {
        let in_brackets = self.take_sign('(');
        let mut names = vec![self.name()?];
        while self.take_sign(',') {
            names.push(self.name()?);
        }
        if in_brackets {
            self.sign(')')?;
        }
        let mut dropped_at = None;
        if self.take(&["using", "timestamp"]) {
            let sign = if self.take_sign('-') { "-" } else { "" };
            let number = sign.to_owned() + &self.name()?;
            dropped_at = number.parse().ok();
            if dropped_at.is_none() {
                return Err(self.damaged(format!("{number} is no timestamp")));
            }
        }
        Ok(names.into_iter().map(|name| (name, dropped_at)).collect())
    }

    fn rename(&mut self, table: &mut TableSchema) -> Result<()> {
        loop {
            let from = self.name()?;
            if !self.take(&["to"]) {
                return Err(self.damaged("TO expected in ALTER TABLE ... RENAME"));
            }
            let to = self.name()?;
            let mut columns = table.partition_key.iter_mut().chain(&mut table.clustering);
            if let Some(column) = columns.find(|column| column.name == from) {
                column.name = to;
            }
            if !self.take(&["and"]) {
                return Ok(());
            }
        }
    }
}

impl TableSchema {
    /// Moves a column to the dropped ones; one that the table does not have is dropped all the same, of unknown type.
    fn drop_column(&mut self, name: String, dropped_at: Option<i64>) {
        let take = |columns: &mut Vec<Column>| {
            let at = columns.iter().position(|column| column.name == name)?;
            Some(columns.remove(at).kind)
        };
        let (kind, is_static) = match take(&mut self.statics) {
            Some(kind) => (Some(kind), true),
            None => (take(&mut self.regulars), false),
        };
        self.dropped.push(DroppedColumn {
            name,
            kind,
            is_static,
            dropped_at,
        });
    }
}
