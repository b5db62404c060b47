//! Types as Statistics.db names them: Java classes, with arguments in parentheses.
//!
//! ```text
//! type      = class [ "(" argument { "," argument } ")" ]
//! argument  = type | hex name ":" type | text
//! ```
//!
//! `UserType(keyspace,hex of name,hex of field:type,...)`, `VectorType(type , dimension)`. A class without dots is of
//! `org.apache.cassandra.db.marshal`. Around commas there may be spaces.

use super::text::{parse_hex, push_hex};
use super::{CqlType, DEPTH_MAX};

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// Classes without arguments and their types; where a type has two, the first is the one written.
const PLAIN: &[(&str, CqlType)] = &[
    ("AsciiType", CqlType::Ascii),
    ("LongType", CqlType::Bigint),
    ("BytesType", CqlType::Blob),
    ("BooleanType", CqlType::Boolean),
    ("CounterColumnType", CqlType::Counter),
    ("SimpleDateType", CqlType::Date),
    ("DecimalType", CqlType::Decimal),
    ("DoubleType", CqlType::Double),
    ("DurationType", CqlType::Duration),
    ("EmptyType", CqlType::Empty),
    ("FloatType", CqlType::Float),
    ("InetAddressType", CqlType::Inet),
    ("Int32Type", CqlType::Int),
    ("ShortType", CqlType::Smallint),
    ("UTF8Type", CqlType::Text),
    ("TimeType", CqlType::Time),
    ("TimestampType", CqlType::Timestamp),
    ("DateType", CqlType::Timestamp),
    ("TimeUUIDType", CqlType::Timeuuid),
    ("ByteType", CqlType::Tinyint),
    ("UUIDType", CqlType::Uuid),
    ("IntegerType", CqlType::Varint),
];

impl CqlType {
    /// Reads a type as Statistics.db names it; `None` where the text is not of that form. A class that is not known is a
    /// [`CqlType::Custom`].
    pub fn parse_java(text: &str) -> Option<CqlType> {
        let mut rest = text;
        let t = parse(&mut rest, DEPTH_MAX)?;
        rest.trim().is_empty().then(|| t.normal(false))
    }

    /// The type as Statistics.db names it.
    pub fn to_java(&self) -> String {
        let mut out = String::new();
        self.push_java(&mut out);
        out
    }

    fn push_java(&self, out: &mut String) {
        let list = |out: &mut String, class: &str, types: &[&CqlType]| {
            out.push_str(PACKAGE);
            out.push_str(class);
            out.push('(');
            for (i, t) in types.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                t.push_java(out);
            }
            out.push(')');
        };
        match self {
            CqlType::Reversed(t) => list(out, "ReversedType", &[t]),
            CqlType::Frozen(t) => list(out, "FrozenType", &[t]),
            CqlType::List(t) => list(out, "ListType", &[t]),
            CqlType::Set(t) => list(out, "SetType", &[t]),
            CqlType::Map(key, value) => list(out, "MapType", &[key, value]),
            CqlType::Tuple(types) => list(out, "TupleType", &types.iter().collect::<Vec<_>>()),
            CqlType::Composite(types) => {
                list(out, "CompositeType", &types.iter().collect::<Vec<_>>());
            }
            CqlType::Vector(t, dimension) => {
                out.push_str(PACKAGE);
                out.push_str("VectorType(");
                t.push_java(out);
                out.push_str(&format!(" , {dimension})"));
            }
            CqlType::Udt {
                keyspace,
                name,
                fields,
            } => {
                out.push_str(PACKAGE);
                out.push_str("UserType(");
                out.push_str(keyspace);
                out.push(',');
                push_hex(out, name.as_bytes());
                for (field, t) in fields {
                    out.push(',');
                    push_hex(out, field.as_bytes());
                    out.push(':');
                    t.push_java(out);
                }
                out.push(')');
            }
            CqlType::Custom(name) => out.push_str(name),
            plain => {
                if let Some((class, _)) = PLAIN.iter().find(|(_, t)| t == plain) {
                    out.push_str(PACKAGE);
                    out.push_str(class);
                }
            }
        }
    }
}

/// Takes a word: all up to a bracket, a comma or a colon.
fn take_word<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(['(', ')', ',', ':']).unwrap_or(rest.len());
    let (word, tail) = rest.split_at(end);
    *rest = tail;
    word.trim()
}

fn take_char(rest: &mut &str, c: char) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(c)?;
    Some(())
}

/// Takes the end of a list of arguments (`false`) or the comma before the next (`true`).
fn take_separator(rest: &mut &str) -> Option<bool> {
    match take_char(rest, ',') {
        Some(()) => Some(true),
        None => take_char(rest, ')').map(|()| false),
    }
}

fn parse_arguments(rest: &mut &str, depth: usize) -> Option<Vec<CqlType>> {
    take_char(rest, '(')?;
    let mut types = Vec::new();
    if take_char(rest, ')').is_some() {
        return Some(types);
    }
    loop {
        types.push(parse(rest, depth)?);
        if !take_separator(rest)? {
            return Some(types);
        }
    }
}

fn parse(rest: &mut &str, depth: usize) -> Option<CqlType> {
    let depth = depth.checked_sub(1)?;
    let start = *rest;
    let word = take_word(rest);
    if word.is_empty() {
        return None;
    }
    let class = match word.strip_prefix(PACKAGE) {
        Some(class) => class,
        None if !word.contains('.') => word,
        None => return parse_custom(start, rest),
    };
    let one = |types: Vec<CqlType>| match <[CqlType; 1]>::try_from(types) {
        Ok([t]) => Some(Box::new(t)),
        Err(_) => None,
    };
    Some(match class {
        "ReversedType" => CqlType::Reversed(one(parse_arguments(rest, depth)?)?),
        "FrozenType" => CqlType::Frozen(one(parse_arguments(rest, depth)?)?),
        "ListType" => CqlType::List(one(parse_arguments(rest, depth)?)?),
        "SetType" => CqlType::Set(one(parse_arguments(rest, depth)?)?),
        "MapType" => {
            let [key, value] = parse_arguments(rest, depth)?.try_into().ok()?;
            CqlType::Map(Box::new(key), Box::new(value))
        }
        "TupleType" => CqlType::Tuple(parse_arguments(rest, depth)?),
        "CompositeType" => CqlType::Composite(parse_arguments(rest, depth)?),
        "VectorType" => {
            take_char(rest, '(')?;
            let element = parse(rest, depth)?;
            take_char(rest, ',')?;
            let dimension = take_word(rest).parse().ok()?;
            take_char(rest, ')')?;
            CqlType::Vector(Box::new(element), dimension)
        }
        "UserType" => parse_udt(rest, depth)?,
        _ => match PLAIN.iter().find(|(name, _)| *name == class) {
            Some((_, plain)) if !rest.starts_with('(') => plain.clone(),
            _ => return parse_custom(start, rest),
        },
    })
}

fn parse_udt(rest: &mut &str, depth: usize) -> Option<CqlType> {
    take_char(rest, '(')?;
    let keyspace = take_word(rest).to_owned();
    take_char(rest, ',')?;
    let hex = |rest: &mut &str| String::from_utf8(parse_hex(take_word(rest))?).ok();
    let name = hex(rest)?;
    let mut fields = Vec::new();
    while take_separator(rest)? {
        let field = hex(rest)?;
        take_char(rest, ':')?;
        fields.push((field, parse(rest, depth)?));
    }
    Some(CqlType::Udt {
        keyspace,
        name,
        fields,
    })
}

/// Takes a class that is not known, with its arguments as text.
fn parse_custom(start: &str, rest: &mut &str) -> Option<CqlType> {
    if rest.starts_with('(') {
        let mut depth = 0usize;
        let end = rest.char_indices().find_map(|(at, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth == 0).then_some(at + 1)
        })?;
        *rest = rest.get(end..)?;
    }
    let name = start.get(..start.len() - rest.len())?.trim();
    Some(CqlType::Custom(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_statistics_db_says() {
        for text in [
            "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.TimestampType)",
            "org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.Int32Type,org.apache.cassandra.db.marshal.UTF8Type)",
            "org.apache.cassandra.db.marshal.MapType(org.apache.cassandra.db.marshal.Int32Type,org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.UTF8Type)))",
            "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.UserType(fx,61646472,737472656574:org.apache.cassandra.db.marshal.UTF8Type,74616773:org.apache.cassandra.db.marshal.SetType(org.apache.cassandra.db.marshal.UTF8Type)))",
            "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)",
            "org.example.Other(a,b(c))",
            "org.apache.cassandra.db.marshal.DynamicCompositeType(a=>org.apache.cassandra.db.marshal.AsciiType)",
        ] {
            let t = CqlType::parse_java(text).unwrap();
            assert_eq!(t.to_java(), text);
        }
        for (_, t) in PLAIN {
            assert_eq!(CqlType::parse_java(&t.to_java()).as_ref(), Some(t));
        }
        assert_eq!(
            CqlType::parse_java("VectorType(Int32Type,2)"),
            Some(CqlType::Vector(Box::new(CqlType::Int), 2))
        );
    }

    #[test]
    fn what_is_frozen_says_so_once() {
        assert_eq!(
            CqlType::parse_java("FrozenType(ListType(FrozenType(SetType(Int32Type))))"),
            CqlType::parse_java("FrozenType(ListType(SetType(Int32Type)))"),
        );
        assert_eq!(
            CqlType::parse_java("FrozenType(TupleType(Int32Type))"),
            CqlType::parse_java("TupleType(Int32Type)"),
        );
    }

    #[test]
    fn refuses_what_is_not_a_type() {
        for text in [
            "",
            "ListType",
            "ListType(",
            "ListType(Int32Type",
            "MapType(Int32Type)",
            "Int32Type)",
            "UserType(k,6)",
            "VectorType(Int32Type)",
        ] {
            assert_eq!(CqlType::parse_java(text), None, "{text}");
        }
        let deep = "ListType(".repeat(1000) + "Int32Type" + &")".repeat(1000);
        assert_eq!(CqlType::parse_java(&deep), None);
    }
}
