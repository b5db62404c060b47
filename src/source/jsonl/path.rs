//! Names of fields, as `--key` and `--columns` give them.

use crate::row::json_text::{Canon, Scanned, Scanner};
use crate::row::scalar;

/// A field by its name; or, behind a `/`, by its path through nested objects as RFC 6901 (JSON Pointer) writes it: `/pk/id`,
/// with `~1` for a slash and `~0` for a tilde in a name. A field whose own name starts with `/` is `/~1...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    /// As it was given, or the plain name.
    pub name: String,
    steps: Vec<String>,
}

impl FieldPath {
    /// Reads a name.
    pub fn parse(text: &str) -> FieldPath {
        let steps: Vec<String> = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(path) => path
                .split('/')
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect(),
        };
        let name = match steps.as_slice() {
            [only] if !only.starts_with('/') => only.clone(),
            _ => text.to_owned(),
        };
        FieldPath { name, steps }
    }

    /// Whether the field lies inside another one.
    pub fn is_nested(&self) -> bool {
        self.steps.len() > 1
    }

    /// The name of the field itself, or of the one that it lies in.
    pub fn outermost(&self) -> &str {
        self.steps.first().map_or("", String::as_str)
    }

    /// Appends the field that lies in `outer`, a field of the outermost name; returns whether there is one.
    pub fn push_nested(&self, canon: &mut Canon, outer: &[u8], out: &mut Vec<u8>) -> bool {
        let steps = self.steps.get(1..).unwrap_or_default();
        // What is no object has nothing inside it.
        if outer.first() != Some(&b'{') {
            return false;
        }
        descend(canon, &mut Scanner::new(outer, 0), steps, out).unwrap_or(false)
    }
}

fn descend(
    canon: &mut Canon,
    scanner: &mut Scanner<'_>,
    steps: &[String],
    out: &mut Vec<u8>,
) -> Scanned<bool> {
    let Some((step, rest)) = steps.split_first() else {
        return scalar::push_value(canon, scanner, out).map(|()| true);
    };
    let mut found = false;
    let mut skipped = Vec::new();
    if scanner.peek() != Some(b'{') {
        canon.push(scanner, &mut skipped)?;
        return Ok(false);
    }
    scanner.object(&mut |scanner, name, _| {
        if name == step.as_bytes() {
            found = descend(canon, scanner, rest, out)?;
            return Ok(());
        }
        skipped.clear();
        canon.push(scanner, &mut skipped)
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_pointers_start_with_a_slash() {
        for (text, name, steps) in [
            ("id", "id", &["id"][..]),
            ("a.b", "a.b", &["a.b"]),
            ("/id", "id", &["id"]),
            ("/pk/S", "/pk/S", &["pk", "S"]),
            ("/~1x", "/~1x", &["/x"]),
            ("/a~01/b~1c", "/a~01/b~1c", &["a~1", "b/c"]),
            ("", "", &[""]),
        ] {
            let path = FieldPath::parse(text);
            assert_eq!(
                (path.name.as_str(), path.steps.as_slice()),
                (
                    name,
                    &steps.iter().map(|s| s.to_string()).collect::<Vec<_>>()[..]
                )
            );
        }
    }

    #[test]
    fn nested_fields_are_found() {
        let outer = br#"{"S":"x","b":{"S":1,"~/":"1","n":null}}"#;
        let find = |text: &str| {
            let mut out = Vec::new();
            let path = FieldPath::parse(text);
            path.push_nested(&mut Canon::default(), outer, &mut out)
                .then_some(out)
        };
        assert_eq!(find("/a/S"), Some(b"x".to_vec()));
        assert_eq!(find("/a/b/S"), Some(b"1".to_vec()));
        assert_eq!(find("/a/b/~0~1"), Some(b"\0s1".to_vec()));
        assert_eq!(find("/a/b/n"), Some(b"null".to_vec()));
        assert_eq!(find("/a/b"), Some(br#"{"S":1,"n":null,"~/":"1"}"#.to_vec()));
        assert_eq!(find("/a/b/x"), None);
        assert_eq!(find("/a/S/x"), None);
        assert_eq!(find("/a/x"), None);
    }
}
