//! Types as CQL names them.

use std::collections::BTreeMap;

use super::text::push_name;
use super::{CqlType, DEPTH_MAX};

/// User-defined types by keyspace and name; each is a [`CqlType::Udt`].
pub type Udts = BTreeMap<(String, String), CqlType>;

/// Names without arguments and their types; where a type has two, the first is the one written.
const PLAIN: &[(&str, CqlType)] = &[
    ("ascii", CqlType::Ascii),
    ("bigint", CqlType::Bigint),
    ("blob", CqlType::Blob),
    ("boolean", CqlType::Boolean),
    ("counter", CqlType::Counter),
    ("date", CqlType::Date),
    ("decimal", CqlType::Decimal),
    ("double", CqlType::Double),
    ("duration", CqlType::Duration),
    ("empty", CqlType::Empty),
    ("float", CqlType::Float),
    ("inet", CqlType::Inet),
    ("int", CqlType::Int),
    ("smallint", CqlType::Smallint),
    ("text", CqlType::Text),
    ("varchar", CqlType::Text),
    ("time", CqlType::Time),
    ("timestamp", CqlType::Timestamp),
    ("timeuuid", CqlType::Timeuuid),
    ("tinyint", CqlType::Tinyint),
    ("uuid", CqlType::Uuid),
    ("varint", CqlType::Varint),
];

/// The name of a plain type, or `None` for another.
pub(super) fn plain_name(t: &CqlType) -> Option<&'static str> {
    let (name, _) = PLAIN.iter().find(|(_, plain)| plain == t)?;
    Some(name)
}

impl CqlType {
    /// Reads a type as CQL names it. User-defined types are looked up in `udts`, without a keyspace before the name in
    /// `keyspace`. `None` where the text is no type or names one that is not there.
    pub fn parse_cql(text: &str, keyspace: &str, udts: &Udts) -> Option<CqlType> {
        let mut parser = Parser {
            rest: text,
            keyspace,
            udts,
        };
        let t = parser.parse(DEPTH_MAX)?;
        parser.rest.trim().is_empty().then(|| t.normal(false))
    }

    /// The type as CQL names it; the order of a clustering column is no part of it.
    pub fn to_cql(&self) -> String {
        let mut out = String::new();
        self.push_cql(&mut out, false);
        out
    }

    fn push_cql(&self, out: &mut String, is_frozen: bool) {
        let list = |out: &mut String, name: &str, types: &[&CqlType], is_frozen: bool| {
            out.push_str(name);
            out.push('<');
            for (i, t) in types.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                match is_frozen && t.is_complex() {
                    true => CqlType::Frozen(Box::new((*t).clone())).push_cql(out, true),
                    false => t.push_cql(out, is_frozen),
                }
            }
            out.push('>');
        };
        match self {
            CqlType::Reversed(t) => t.push_cql(out, is_frozen),
            CqlType::Frozen(t) => {
                out.push_str("frozen<");
                t.push_cql(out, true);
                out.push('>');
            }
            CqlType::List(t) => list(out, "list", &[t], is_frozen),
            CqlType::Set(t) => list(out, "set", &[t], is_frozen),
            CqlType::Map(key, value) => list(out, "map", &[key, value], is_frozen),
            CqlType::Tuple(types) => list(out, "tuple", &types.iter().collect::<Vec<_>>(), true),
            CqlType::Vector(t, dimension) => {
                out.push_str("vector<");
                t.push_cql(out, true);
                out.push_str(&format!(", {dimension}>"));
            }
            CqlType::Udt { name, .. } => push_name(out, name),
            CqlType::Custom(name) => {
                out.push('\'');
                out.push_str(&name.replace('\'', "''"));
                out.push('\'');
            }
            CqlType::Composite(_) => {
                out.push('\'');
                out.push_str(&self.to_java());
                out.push('\'');
            }
            plain => out.push_str(plain_name(plain).unwrap_or_default()),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    keyspace: &'a str,
    udts: &'a Udts,
}

impl Parser<'_> {
    fn take_char(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(c)?;
        Some(())
    }

    /// Takes a name, and whether it was quoted.
    fn take_name(&mut self) -> Option<(String, bool)> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (name, rest) = take_quoted(rest, '"')?;
            self.rest = rest;
            return Some((name, true));
        }
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| (name.to_ascii_lowercase(), false))
    }

    fn parse(&mut self, depth: usize) -> Option<CqlType> {
        let depth = depth.checked_sub(1)?;
        if let Some(rest) = self.rest.trim_start().strip_prefix('\'') {
            let (class, rest) = take_quoted(rest, '\'')?;
            self.rest = rest;
            return CqlType::parse_java(&class);
        }
        let (name, is_quoted) = self.take_name()?;
        if !is_quoted && self.take_char('<').is_some() {
            return self.parse_arguments(&name, depth);
        }
        if self.take_char('.').is_some() {
            let (in_keyspace, _) = self.take_name()?;
            return self.udts.get(&(name, in_keyspace)).cloned();
        }
        let plain = PLAIN.iter().find(|(plain, _)| *plain == name);
        match plain {
            Some((_, t)) if !is_quoted => Some(t.clone()),
            _ => self.udts.get(&(self.keyspace.to_owned(), name)).cloned(),
        }
    }

    fn parse_arguments(&mut self, name: &str, depth: usize) -> Option<CqlType> {
        let first = Box::new(self.parse(depth)?);
        let t = match name {
            "frozen" => CqlType::Frozen(first),
            "list" => CqlType::List(first),
            "set" => CqlType::Set(first),
            "map" => {
                self.take_char(',')?;
                CqlType::Map(first, Box::new(self.parse(depth)?))
            }
            "vector" => {
                self.take_char(',')?;
                CqlType::Vector(first, self.take_name()?.0.parse().ok()?)
            }
            "tuple" => {
                let mut types = vec![*first];
                while self.take_char(',').is_some() {
                    types.push(self.parse(depth)?);
                }
                CqlType::Tuple(types)
            }
            _ => return None,
        };
        self.take_char('>')?;
        Some(t)
    }
}

/// Takes text up to a closing quote that is not doubled, and gives what follows it.
pub(in crate::source::cassandra) fn take_quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let (part, tail) = rest.split_once(quote)?;
        out.push_str(part);
        match tail.strip_prefix(quote) {
            Some(tail) => {
                out.push(quote);
                rest = tail;
            }
            None => return Some((out, tail)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udts() -> Udts {
        let addr = CqlType::Udt {
            keyspace: "fx".into(),
            name: "Addr".into(),
            fields: vec![("zip".into(), CqlType::Int)],
        };
        Udts::from([(("fx".into(), "Addr".into()), addr)])
    }

    #[test]
    fn reads_and_writes_the_names_of_cql() {
        for text in [
            "int",
            "list<text>",
            "frozen<map<int, frozen<list<text>>>>",
            "map<int, frozen<list<text>>>",
            "tuple<int, frozen<set<text>>>",
            "vector<float, 3>",
            "frozen<\"Addr\">",
            "\"Addr\"",
            "set<frozen<\"Addr\">>",
            "'org.example.Other'",
        ] {
            let t = CqlType::parse_cql(text, "fx", &udts()).unwrap();
            assert_eq!(t.to_cql(), text);
        }
        for (text, same) in [
            ("VARCHAR", "text"),
            ("frozen<tuple<int>>", "tuple<int>"),
            ("FROZEN < list<int> >", "frozen<list<int>>"),
            ("fx.\"Addr\"", "\"Addr\""),
            ("list<frozen<vector<float,2>>>", "list<vector<float, 2>>"),
        ] {
            let t = CqlType::parse_cql(text, "fx", &udts()).unwrap();
            assert_eq!(t.to_cql(), same);
        }
        for text in [
            "",
            "addr",
            "list<int",
            "list<>",
            "map<int>",
            "int int",
            "'x",
            "vector<int, x>",
        ] {
            assert_eq!(CqlType::parse_cql(text, "fx", &udts()), None, "{text}");
        }
    }
}
