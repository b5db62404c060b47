use super::*;
use crate::row::escape;
use proptest::prelude::*;
use serde_json::Value;

fn canonical(text: &[u8]) -> Scanned<String> {
    let mut out = Vec::new();
    let text = [text, b" "].concat();
    Canon::default().push(&mut Scanner::new(&text, 0), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn equal_values_have_one_text() {
    for (text, want) in [
        (r#" [ 1 , 2.50 , -0 ] "#, "[1,2.5,0]"),
        (
            r#"{"b":1,"a":{"d":[],"c":{}}}"#,
            r#"{"a":{"c":{},"d":[]},"b":1}"#,
        ),
        (r#"{"ab":1,"a":2,"a!":3}"#, r#"{"a":2,"a!":3,"ab":1}"#),
        (r#""A\/\n\u0001\ud83d\ude00""#, "\"A/\\n\\u0001\u{1f600}\""),
        (r#"{"\u00fc":1,"z":2}"#, "{\"z\":2,\"\u{fc}\":1}"),
        ("\t[true,\r\nfalse , null]", "[true,false,null]"),
        ("1e999999999", "1e999999999"),
        (
            r#"[{"b":[{"y":1,"x":2}],"a":0}]"#,
            r#"[{"a":0,"b":[{"x":2,"y":1}]}]"#,
        ),
    ] {
        assert_eq!(canonical(text.as_bytes()).unwrap(), want);
        assert_eq!(canonical(want.as_bytes()).unwrap(), want);
        let is_canonical = Canon::default().is_canonical(text.as_bytes());
        assert_eq!(is_canonical, text == want && text.starts_with(['[', '{']));
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let deep = "[".repeat(10_000);
    for (text, at, what) in [
        ("[1,]", 3, "a value is wanted"),
        ("{\"a\":1,}", 7, "a string is wanted"),
        ("{\"a\" 1}", 5, "a colon"),
        ("{\"a\":1 \"b\"}", 7, "a comma"),
        ("[1 2]", 3, "a comma"),
        ("{a:1}", 1, "a string"),
        ("['a']", 1, "a value"),
        ("[01]", 1, "needless zero"),
        ("[1.]", 3, "a digit"),
        ("[.5]", 1, "a value"),
        ("[+5]", 1, "a value"),
        ("[1e]", 3, "a digit"),
        ("[NaN]", 1, "a value"),
        ("[nul]", 1, "a value"),
        ("[\"\n\"]", 2, "control character"),
        ("[\"\\x\"]", 2, "unknown escape"),
        ("[\"\\u12g4\"]", 2, "hexadecimal"),
        ("[\"\\ud800\"]", 2, "surrogate"),
        ("[\"\\ud800\\u0041\"]", 2, "surrogate"),
        ("[\"\\udc00\"]", 2, "surrogate"),
        ("{\"a\":1,\"b\":2,\"a\":3}", 13, "\"a\" stands twice"),
        ("{\"a\":1,\"\\u0061\":3}", 7, "\"a\" stands twice"),
        ("[1e99999999999999999999]", 1, "exponent"),
        (&deep, DEPTH_MAX, "100 levels"),
    ] {
        let flaw = canonical(text.as_bytes()).unwrap_err();
        assert!(flaw.what.contains(what), "{text}: {}", flaw.what);
        assert_eq!((flaw.at, flaw.is_end), (at, false), "{text}");
    }
    let flaw = canonical(b"[\"ab\xff\"]").unwrap_err();
    assert_eq!((flaw.at, &*flaw.what), (4, "a string is not UTF-8"));
    let deepest = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert!(canonical(deepest.as_bytes()).is_ok());
}

#[test]
fn a_text_that_is_cut_is_told_from_one_that_is_wrong() {
    let text = r#"{"a":[1.5e3,true,null,"\u00e9\ud83d\ude00é",{"b":false}],"c":{}}"#.as_bytes();
    for end in 0..text.len() {
        let mut out = Vec::new();
        let mut scanner = Scanner::new(&text[..end], 0);
        let flaw = Canon::default().push(&mut scanner, &mut out).unwrap_err();
        assert!(flaw.is_end, "{}: {flaw:?}", escape(&text[..end]));
    }
}

/// JSON as serde_json has it, spelled with white space and escapes at random places.
fn spelled(value: &Value, noise: &mut impl FnMut(u32) -> u32) -> String {
    let white = |noise: &mut dyn FnMut(u32) -> u32| " \n\t\r"[..noise(3) as usize].to_owned();
    let mut out = white(noise);
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| spelled(item, noise)).collect();
            out += &format!("[{}]", items.join(","));
        }
        Value::Object(members) => {
            let mut parts: Vec<String> = Vec::new();
            for (name, value) in members {
                let name = spelled(&Value::from(name.clone()), noise);
                let part = format!("{name}:{}", spelled(value, noise));
                parts.insert(noise(parts.len() as u32 + 1) as usize, part);
            }
            out += &format!("{{{}}}", parts.join(","));
        }
        Value::String(text) => {
            out.push('"');
            for unit in text.chars() {
                if noise(4) == 0 || unit.is_control() || unit == '"' || unit == '\\' {
                    for unit in unit.encode_utf16(&mut [0; 2]) {
                        out += &format!("\\u{unit:04X}");
                    }
                } else {
                    out.push(unit);
                }
            }
            out.push('"');
        }
        other => out += &other.to_string(),
    }
    out + &white(noise)
}

/// The canonical text as the module describes it, by way of serde_json.
fn naive(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(naive).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut parts: Vec<(String, String)> = members
                .iter()
                .map(|(name, value)| (Value::from(name.clone()).to_string(), naive(value)))
                .collect();
            parts.sort_by(|a, b| a.0.trim_matches('"').cmp(b.0.trim_matches('"')));
            let parts: Vec<String> = parts.iter().map(|(n, v)| format!("{n}:{v}")).collect();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\u{1}\u{e9}\u{1f600}\\\\ /]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-c\u{7f}\u{e9}]{0,3}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn spelling_does_not_matter(value in value(), seed in any::<u32>()) {
        let mut state = seed;
        let mut noise = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        let text = spelled(&value, &mut noise);
        prop_assert_eq!(canonical(text.as_bytes()).unwrap(), naive(&value));
    }

    #[test]
    fn plain_text_ends_where_a_byte_is_special(
        bytes in prop::collection::vec(prop::sample::select(b"aaaaaaaa ~\x1f\x00\"\\!#[]\x7f\x80\xa2\xdc\xff".to_vec()), 0..30),
        skipped in 0usize..9,
    ) {
        let text = bytes.get(skipped..).unwrap_or_default();
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let len = text.iter().position(is_special).unwrap_or(text.len());
        prop_assert_eq!(plain_len(text), (len, text[..len].is_ascii()));
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in r#"[\[\]{}",:0-1e.\-\\unt a]{0,12}"#) {
        let theirs = serde_json::from_str::<Value>(&text);
        let mut scanner = Scanner::new(text.as_bytes(), 0);
        let mut out = Vec::new();
        let text_with_end = format!("{text} ");
        let ours = Canon::default()
            .push(&mut scanner, &mut out)
            .or_else(|flaw| if flaw.is_end {
                scanner = Scanner::new(text_with_end.as_bytes(), 0);
                out.clear();
                Canon::default().push(&mut scanner, &mut out)
            } else {
                Err(flaw)
            });
        scanner.skip_white();
        let ours = ours.is_ok() && scanner.peek().is_none();
        let has_twins = |text: &str| text.matches(':').count() > 1;
        if !has_twins(&text) {
            prop_assert_eq!(ours, theirs.is_ok());
        }
    }
}
