//! Texts of JSON against what serde_json reads in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::file::input::FileOptions;
use crate::range::KeyRange;
use crate::row::{Schema, json as row_json};

mod written;

fn options(key: &[&str]) -> SourceOptions {
    SourceOptions {
        text: TextOptions {
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            ..TextOptions::default()
        },
        ..SourceOptions::default()
    }
}

struct File(tempfile::TempDir);

impl File {
    fn new(text: impl AsRef<[u8]>) -> File {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.json"), text).unwrap();
        File(dir)
    }

    fn open(&self, options: &SourceOptions) -> Result<Box<dyn Snapshot>> {
        super::open(
            Input::open(&self.0.path().join("a.json"), &options.file)?,
            options,
        )
    }
}

/// The schema and the rows, mapped and not.
fn read(text: impl AsRef<[u8]>, options: &SourceOptions) -> Result<(Schema, Vec<Pair>)> {
    let file = File::new(text);
    let mut found = Vec::new();
    for mmap in [true, false] {
        let options = SourceOptions {
            file: FileOptions {
                mmap,
                ..options.file.clone()
            },
            ..options.clone()
        };
        let snapshot = file.open(&options)?;
        let table = snapshot.tables()[0];
        let mut rows = Vec::new();
        table.scan(&KeyRange::all())?.for_each(&mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Ok(())
        })?;
        snapshot.check_unchanged()?;
        found.push((table.schema().clone(), rows));
    }
    assert_eq!(found[0], found[1]);
    Ok(found.remove(0))
}

type Pair = (Vec<u8>, Vec<u8>);

/// The error's message, without the folder of the file.
fn error(text: impl AsRef<[u8]>, options: &SourceOptions) -> (String, u8) {
    let error = read(text, options).unwrap_err();
    let message = error.to_string();
    let at = message.find("a.json").unwrap_or(0);
    (message[at..].to_owned(), error.exit_code())
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// A value whose numbers are written as mdiff writes them.
    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth > 2 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => Value::from(self.below(2) == 0),
            2 | 3 => {
                let numbers = [
                    "0",
                    "1",
                    "-1",
                    "100",
                    "1.5",
                    "-0.25",
                    "12345678901234567890123",
                ];
                serde_json::from_str(self.pick(&numbers)).unwrap()
            }
            4 | 5 => Value::from(self.pick(&[
                "",
                "a",
                "1",
                "1.0",
                "true",
                "null",
                "[]",
                "{}",
                "\u{0}",
                "\"q\"",
                "\\",
                "\n",
                "\u{e9}\u{1f600}",
                "0",
                "-1",
                " ",
                "[1",
                "\u{7f}",
                "/",
            ])),
            6 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            _ => Value::Object(self.fields(depth + 1)),
        }
    }

    fn fields(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.below(5))
            .map(|_| {
                let name = self.pick(&["a", "b", "ab", "", "\u{e9}", "k\"", "a.b", "/a"]);
                (name.to_owned(), self.value(depth))
            })
            .collect()
    }

    fn white(&mut self) -> &'static str {
        self.pick(&["", "", " ", "\n", "\r\n", "\t "])
    }

    /// Spells a value in one of many ways.
    fn spell(&mut self, value: &Value) -> String {
        let text = match value {
            Value::Number(number) => {
                let text = number.to_string();
                match self.below(4) {
                    0 if text.contains('.') => format!("{text}00"),
                    0 => format!("{text}.000"),
                    1 => format!("{text}E+0"),
                    2 if !text.contains('.') && text != "0" => format!("{text}0e-1"),
                    _ => text,
                }
            }
            Value::String(text) => {
                let mut out = String::from("\"");
                for c in text.chars() {
                    if self.below(3) == 0 || c < ' ' || c == '"' || c == '\\' {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            out += &format!("\\u{unit:04x}");
                        }
                    } else {
                        out.push(c);
                    }
                }
                out + "\""
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.spell(item)).collect();
                format!("[{}{}]", items.join(","), self.white())
            }
            Value::Object(fields) => {
                let mut parts: Vec<String> = Vec::new();
                for (name, value) in fields {
                    let name = self.spell(&Value::from(name.clone()));
                    let part = format!("{name}:{}", self.spell(value));
                    parts.insert(self.below(parts.len() + 1), part);
                }
                format!("{{{}{}}}", self.white(), parts.join(","))
            }
            other => other.to_string(),
        };
        format!("{}{text}{}", self.white(), self.white())
    }

    /// All documents as one text, in any order.
    fn text(&mut self, documents: &[Value]) -> String {
        let mut parts: Vec<String> = Vec::new();
        for document in documents {
            let part = self.spell(document);
            parts.insert(self.below(parts.len() + 1), part);
        }
        match self.below(4) {
            0 => format!("{}[{}]{}", self.white(), parts.join(","), self.white()),
            1 => format!("\u{feff}{}", parts.join("\n")),
            2 => parts.concat(),
            _ => parts.join("\r\n\r\n") + "\n",
        }
    }
}

/// Equal as JSON values, whatever the order of fields: the text of a value with its fields sorted.
fn sorted(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(sorted).collect::<Vec<_>>().join(",")
            )
        }
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields
                .iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            format!("{fields:?}")
        }
        other => other.to_string(),
    }
}

#[test]
fn random_documents_are_read_as_a_model_has_them() {
    for seed in 0..if cfg!(debug_assertions) { 150 } else { 20_000 } {
        let mut random = Random(seed);
        let mut model: BTreeMap<String, Value> = BTreeMap::new();
        for _ in 0..random.below(12) {
            let mut fields = random.fields(0);
            let id = random.value(1);
            if !id.is_null() {
                fields.insert("id".into(), id.clone());
                model.insert(sorted(&id), Value::Object(fields));
            }
        }
        let documents: Vec<Value> = model.into_values().collect();
        let text = random.text(&documents);
        let (schema, rows) = read(&text, &options(&["id"])).unwrap_or_else(|error| {
            panic!("seed {seed}: {error}: {text}");
        });
        let mut found: Vec<String> = rows
            .iter()
            .map(|(key, value)| {
                let mut all = row_json::value_json(&schema, value);
                all["id"] = row_json::key_json(&schema, key)["id"].clone();
                sorted(&all)
            })
            .collect();
        let mut want: Vec<String> = documents.iter().map(sorted).collect();
        found.sort();
        want.sort();
        assert_eq!(found, want, "seed {seed}: {text}");
        // Another spelling of the same, byte for byte.
        let again = random.text(&documents);
        assert_eq!(
            read(&again, &options(&["id"])).unwrap().1,
            rows,
            "seed {seed}"
        );
    }
}

#[test]
fn different_documents_are_different_bytes() {
    let mut random = Random(7);
    let mut seen: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for _ in 0..500 {
        let mut fields = random.fields(0);
        fields.insert("id".into(), json!(1));
        let document = Value::Object(fields);
        let text = random.text(std::slice::from_ref(&document));
        let (_, rows) = read(&text, &options(&["id"])).unwrap();
        let bytes = rows[0].1.clone();
        let same = seen.entry(bytes).or_insert_with(|| sorted(&document));
        assert_eq!(*same, sorted(&document));
    }
    assert!(seen.len() > 200);
}

#[test]
fn keys_are_fields_by_name_or_by_path() {
    let text = r#"{"_id":{"$oid":"x"},"a":1,"a/b":"7"} {"_id":{"$oid":"w"},"a":"1","a/b":7}"#;
    let (schema, rows) = read(text, &options(&["/_id/$oid", "a"])).unwrap();
    let shown: Vec<String> = rows.iter().map(|(key, _)| schema.show_key(key)).collect();
    assert_eq!(shown, ["w,\"1\"", "x,1"]);
    for (key, _) in &rows {
        assert_eq!(&schema.parse_key(&schema.show_key(key)).unwrap(), key);
    }
    assert_eq!(
        row_json::value_json(&schema, &rows[1].1).to_string(),
        r#"{"_id":{"$oid":"x"},"a/b":"7"}"#
    );
    let (schema, rows) = read(text, &options(&["a/b"])).unwrap();
    let shown: Vec<String> = rows.iter().map(|(key, _)| schema.show_key(key)).collect();
    assert_eq!(shown, ["\"7\"", "7"]);
    let (message, code) = error(text, &options(&["_id.$oid"]));
    assert_eq!(code, 3);
    assert!(
        message.contains("\"_id.$oid\" of the key is missing"),
        "{message}"
    );
}

#[test]
fn chosen_columns_are_text() {
    let text =
        "{\"id\":1,\"b\":\"2\",\"c\":null,\"x\":[]}\n{\"id\":\"2\",\"b\":2.0,\"d\":{\"e\":true}}";
    let mut chosen = options(&["id"]);
    chosen.text.columns = ["d", "c", "b", "id", "/d/e"].map(String::from).to_vec();
    let (schema, rows) = read(text, &chosen).unwrap();
    let want = Schema::Columns {
        key: vec!["id".into()],
        value: ["/d/e", "b", "c", "d"].map(String::from).to_vec(),
        sql: None,
    };
    assert_eq!(schema, want);
    let shown: Vec<String> = rows
        .iter()
        .map(|(key, value)| format!("{} {}", schema.show_key(key), schema.show_value(value)))
        .collect();
    assert_eq!(
        shown,
        [
            r#"1 /d/e=NULL b="2" c=NULL d=NULL"#,
            r#"2 /d/e="true" b="2" c=NULL d="{\x22e\x22:true}""#
        ]
    );
    chosen.text.columns = vec!["b".into(), "nme".into()];
    let (message, code) = error(text, &chosen);
    assert_eq!(code, 2);
    assert!(message.ends_with("a.json has a field \"nme\""), "{message}");
    let mut ignoring = options(&["id"]);
    ignoring.text.ignore_columns = vec!["b".into(), "x".into(), "not there".into()];
    let (schema, rows) = read(text, &ignoring).unwrap();
    assert_eq!(
        row_json::value_json(&schema, &rows[1].1).to_string(),
        r#"{"c":null}"#
    );
    ignoring.text.ignore_columns = vec!["/d/e".into()];
    assert_eq!(error(text, &ignoring).1, 2);
    ignoring.text.ignore_columns = vec!["id".into()];
    assert_eq!(error(text, &ignoring).1, 2);
    assert_eq!(error(text, &options(&["id", "/id"])).1, 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let deep = format!("{{\"id\":{}", "[".repeat(10_000));
    for (text, line, offset, what) in [
        (
            &b"{\"id\":1}\n{\"x\":2}"[..],
            2,
            9,
            "\"id\" of the key is missing",
        ),
        (
            b"{\"id\":1}\n{\"id\":null}",
            2,
            9,
            "\"id\" of the key is null",
        ),
        (b"{\"id\":1}\n[{\"id\":2}]", 2, 9, "an object"),
        (b"{\"id\":1},{\"id\":2}", 1, 8, "an object"),
        (b"{\"id\":1}\n7", 2, 9, "an object"),
        (b"\"x\"", 1, 0, "an object"),
        (b"id,name\n1,x\n", 1, 0, "an object"),
        (b"{\"id\":1,\"a\":2,\"a\":2}", 1, 14, "\"a\" stands twice"),
        (
            b"{\"id\":1,\"a\":{\"b\":2,\"b\":2}}",
            1,
            19,
            "\"b\" stands twice",
        ),
        (b"{\"id\":1}\n\n{\"id\":\"\xff\"}", 3, 17, "not UTF-8"),
        (b"{\"id\":1}\n{\"id\":\"\\ud800\"}", 2, 16, "surrogate"),
        (b"{\"id\":1}\n{\"id\":2", 2, 16, "ends inside"),
        (
            b"[{\"id\":1},\n{\"id\":2}",
            2,
            19,
            "ends inside of an array",
        ),
        (b"[{\"id\":1}]\n{\"id\":2}", 2, 11, "behind the array"),
        (b"[{\"id\":1} {\"id\":2}]", 1, 10, "a comma"),
        (b"[{\"id\":1},]", 1, 10, "an object"),
        (b"[1]", 1, 1, "an object"),
        (b"{\"id\":1e99999999999999999999}", 1, 6, "exponent"),
        (b"{\"id\":1}\n{\"id\":tru}", 2, 15, "a value"),
        (b"{\"id\":1}\0", 1, 8, "an object"),
        (deep.as_bytes(), 1, 106, "100 levels"),
    ] {
        let (message, code) = error(text, &options(&["id"]));
        let shown = crate::row::escape(text);
        let end = format!(" at offset {offset}");
        assert!(message.contains(what), "{shown}: {message}");
        assert!(
            message.starts_with(&format!("a.json: line {line}: ")),
            "{shown}: {message}"
        );
        assert!(message.ends_with(&end), "{shown}: {message}");
        assert_eq!(code, 3);
    }
    let (message, code) = error("{\"id\":1}\n{\"id\":1.0}\n", &options(&["id"]));
    assert_eq!(
        message,
        "a.json: key 1 stands twice: at line 1, offset 0 and at line 2, offset 9"
    );
    assert_eq!(code, 3);
}

#[test]
fn every_truncation_is_an_error_or_whole_rows() {
    let text = "[ {\"id\": 1, \"a\": [1, \"\u{e9}\\u00e9\"]} , {\"id\": 2, \"b\": {\"c\": null}} ]"
        .as_bytes();
    assert_eq!(read(text, &options(&["id"])).unwrap().1.len(), 2);
    for end in 0..text.len() {
        let ran = read(&text[..end], &options(&["id"]));
        assert_eq!(
            ran.is_ok(),
            end == 0,
            "{}",
            crate::row::escape(&text[..end])
        );
    }
    let lines = text[2..text.len() - 2].replace_comma();
    for end in 0..lines.len() {
        let read = read(&lines[..end], &options(&["id"]));
        let whole = lines[..end].trim_ascii();
        let is_whole = whole.is_empty() || whole.ends_with(b"]}");
        assert_eq!(
            read.is_ok(),
            is_whole,
            "{}",
            crate::row::escape(&lines[..end])
        );
    }
}

trait ReplaceComma {
    fn replace_comma(&self) -> Vec<u8>;
}

impl ReplaceComma for [u8] {
    /// The comma between the two objects as a line feed.
    fn replace_comma(&self) -> Vec<u8> {
        let text = String::from_utf8(self.to_vec()).unwrap();
        text.replace("} , {", "} \n {").into_bytes()
    }
}

#[test]
fn caps_are_kept() {
    let long = format!("{{\"id\":1,\"a\":\"{}\"}}", "x".repeat(5000));
    for (cap, value, what) in [
        ("record_bytes", 1000, "record bytes"),
        ("value_bytes", 1000, "value bytes"),
        ("columns", 1, "more than 1 fields"),
    ] {
        let mut capped = options(&["id"]);
        assert!(capped.file.limits.set(cap, value));
        let (message, code) = error(&long, &capped);
        assert!(message.contains(what), "{message}");
        assert_eq!(code, 3);
    }
    let mut capped = options(&["a"]);
    capped.file.limits.key_bytes_max = 1000;
    assert!(error(&long, &capped).0.contains("key bytes"));
    assert!(read(&long, &options(&["id"])).is_ok());
}

#[test]
fn what_has_no_key_is_told_how_to_name_it() {
    let (message, code) = error("{\"n\":1,\"id\":2}", &options(&[]));
    assert_eq!(
        message,
        "a.json: which fields are the key? its first object has \"n\", \"id\""
    );
    assert_eq!(code, 2);
    let (message, code) = error("\n", &options(&[]));
    assert!(message.contains("holds no object"), "{message}");
    assert_eq!(code, 2);
    assert_eq!(read("\n", &options(&["id"])).unwrap().1, []);
    assert_eq!(read("[ ]", &options(&["id"])).unwrap().1, []);
    let many: String = (0..60).map(|n| format!("\"f{n}\":0,")).collect();
    let (message, _) = error(format!("{{{many}\"z\":0}}"), &options(&[]));
    assert!(message.ends_with("\"f49\" and 11 more"), "{message}");
}

#[test]
fn only_json_is_taken_for_json() {
    let detected = |text: &str| {
        let file = File::new(text);
        let path = file.0.path().join("a.json");
        detect(&Input::open(&path, &FileOptions::default()).unwrap()).unwrap()
    };
    let long = format!("{{\"a\":1,\"b\":\"{}\"}}", "x".repeat(100_000));
    for text in ["{\"a\":1}", " [ {\"a\" : 1}", "\u{feff}{\"a\":[]}\n", &long] {
        assert_eq!(detected(text), Detected::Yes, "{text}");
    }
    for text in [
        "",
        "{}",
        "[]",
        "{a:1}",
        "a,b\n",
        "{\"a\":1,b",
        "[1]",
        "{{\"a\":1}}",
    ] {
        assert_eq!(detected(text), Detected::Maybe, "{text}");
    }
}
