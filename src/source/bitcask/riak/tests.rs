//! Objects built after the published layouts: no real ones were at hand.

use serde_json::json;

use super::clock::Clocks;
use super::object::parse;
use super::{COLUMNS, Wrong, choose, columns, push_value};
use crate::row::columns::decode_value;
use crate::source::bitcask::testing::{entry, open, rows, write};
use crate::source::{Judge as _, TextOptions, Verdict};

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    [b"m".as_slice(), &sized(bytes)].concat()
}

/// `[{Actor, {Counter, Time}}]`, without the version.
fn clock_term(ticks: &[(&str, u8)]) -> Vec<u8> {
    if ticks.is_empty() {
        return b"j".to_vec();
    }
    let mut term = [b"l".as_slice(), &(ticks.len() as u32).to_be_bytes()].concat();
    for (actor, counter) in ticks {
        term.extend(b"h\x02");
        term.extend(binary(actor.as_bytes()));
        // 63,871,776,255 seconds take five bytes.
        term.extend([
            b'h', 2, b'a', *counter, b'n', 5, 0, 0xff, 0xf5, 0x0d, 0xdf, 0x0e,
        ]);
    }
    term.push(b'j');
    term
}

struct Sib<'a> {
    value: &'a [u8],
    vtag: &'a [u8],
    is_deleted: bool,
    metadata: &'a [(&'a [u8], &'a [u8])],
}

impl<'a> Sib<'a> {
    fn of(value: &'a [u8], vtag: &'a [u8]) -> Sib<'a> {
        Sib {
            value,
            vtag,
            is_deleted: false,
            metadata: &[],
        }
    }
}

const SECONDS: [u32; 3] = [1700, 123_456, 42];

/// An object of version 1.
fn version_1(ticks: &[(&str, u8)], siblings: &[Sib<'_>]) -> Vec<u8> {
    let mut out = vec![53, 1];
    out.extend(sized(&[&[131], clock_term(ticks).as_slice()].concat()));
    out.extend((siblings.len() as u32).to_be_bytes());
    for sibling in siblings {
        out.extend(sized(sibling.value));
        let mut metadata = Vec::new();
        for part in SECONDS {
            metadata.extend(part.to_be_bytes());
        }
        metadata.push(sibling.vtag.len() as u8);
        metadata.extend(sibling.vtag);
        metadata.push(sibling.is_deleted.into());
        for (key, value) in sibling.metadata {
            metadata.extend(sized(key));
            metadata.extend(sized(value));
        }
        out.extend(sized(&metadata));
    }
    out
}

/// The same object of version 0: metadata is a dict with one slot.
fn version_0(ticks: &[(&str, u8)], value: &[u8], vtag: &[u8], content_type: &str) -> Vec<u8> {
    let text =
        |bytes: &[u8]| [b"k".as_slice(), &(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let atom = |name: &str| [&[b'd', 0, name.len() as u8], name.as_bytes()].concat();
    let pair =
        |key: &[u8], tail: Vec<u8>| [b"l\0\0\0\x01".as_slice(), &binary(key), &tail].concat();
    let mut time = b"h\x03".to_vec();
    for part in SECONDS {
        time.push(b'b');
        time.extend(part.to_be_bytes());
    }
    let slot = [
        b"l\0\0\0\x03".to_vec(),
        pair(b"X-Riak-VTag", text(vtag)),
        pair(b"X-Riak-Last-Modified", time),
        pair(b"content-type", text(content_type.as_bytes())),
        b"j".to_vec(),
    ]
    .concat();
    let mut dict = [b"h\x09".to_vec(), atom("dict")].concat();
    for number in [3, 16, 16, 8, 80, 48] {
        dict.extend([b'a', number]);
    }
    dict.extend(b"h\x01j");
    dict.extend([b"h\x01h\x02j".to_vec(), slot].concat());
    let content = [b"h\x03".to_vec(), atom("r_content"), dict, binary(value)].concat();
    let object = [
        b"\x83h\x07".to_vec(),
        atom("r_object"),
        binary(b"bucket"),
        binary(b"key"),
        b"l\0\0\0\x01".to_vec(),
        content,
        b"j".to_vec(),
        clock_term(ticks),
        b"h\x02a\x01a\x02".to_vec(),
        atom("undefined"),
    ];
    object.concat()
}

fn texts(value: &[u8]) -> Vec<Option<String>> {
    let object = parse(value).unwrap().unwrap();
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    columns(&object)
        .iter()
        .map(|column| column.as_ref().map(text))
        .collect()
}

#[test]
fn an_object_becomes_columns() {
    let sibling = Sib {
        metadata: &[
            (b"\x01content-type", b"\0\x83k\0\x04text"),
            (b"\0\x83d\0\x03dot", b"\0\x83a\x07"),
        ],
        ..Sib::of(b"\x01hello", b"4aFx")
    };
    let bytes = version_1(&[("b", 2), ("a", 1)], &[sibling]);
    let expected = [
        "false",
        "1700123456.000042",
        r#"{"'dot'":"7","<<\"content-type\">>":"\"text\""}"#,
        "1",
        "hello",
        r#"[["a",1,63871776255],["b",2,63871776255]]"#,
        "4aFx",
    ];
    let found = texts(&bytes);
    for ((found, expected), name) in found.iter().zip(expected).zip(COLUMNS) {
        assert_eq!(found.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn siblings_and_clocks_have_one_order() {
    let (one, other) = (Sib::of(b"\x01x", b"v1"), Sib::of(b"\x01\xffy", b"v2"));
    let both = [version_1(&[("a", 1), ("b", 3)], &[one, other])];
    let (one, other) = (Sib::of(b"\x01x", b"v1"), Sib::of(b"\x01\xffy", b"v2"));
    let turned = version_1(&[("b", 3), ("a", 1)], &[other, one]);
    assert_eq!(texts(&both[0]), texts(&turned));
    let found = texts(&turned);
    assert_eq!(found[3].as_deref(), Some("2"));
    assert_eq!(found[4].as_deref(), Some(r#"["x",{"hex":"ff79"}]"#));
    assert_eq!(found[6].as_deref(), Some(r#"["v1","v2"]"#));
}

#[test]
fn both_versions_of_an_object_are_one_row() {
    let sibling = Sib {
        metadata: &[(b"\x01content-type", b"\0\x83k\0\x04text")],
        ..Sib::of(b"\x01hello", b"4aFx")
    };
    let ticks = [("a", 1), ("b", 2)];
    let old = version_0(&ticks, b"hello", b"4aFx", "text");
    assert_eq!(texts(&version_1(&ticks, &[sibling])), texts(&old));
    for len in 14..old.len() {
        assert!(parse(&old[..len]).is_err(), "{len} of {}", old.len());
    }
}

#[test]
fn deleted_objects_and_missing_parts_are_told() {
    let mut sibling = Sib::of(b"\x01", b"empty");
    sibling.is_deleted = true;
    let found = texts(&version_1(&[], &[sibling]));
    assert_eq!(found[0].as_deref(), Some("true"));
    assert_eq!(found[4].as_deref(), Some(""));
    assert_eq!(found[5].as_deref(), Some("[]"));
    assert_eq!(found[6], None);
    let term = texts(&version_1(&[], &[Sib::of(b"\0\x83a\x05", b"t")]));
    assert_eq!(term[2].as_deref(), Some(r#"{"encoding":0}"#));
    assert_eq!(term[4].as_deref(), Some("5"));
    let text = texts(&version_1(&[], &[Sib::of(b"\x015", b"t")]));
    assert_ne!(term, text, "a term and the text of it");
}

#[test]
fn what_starts_as_an_object_and_is_none_is_damage() {
    let bytes = version_1(&[("a", 1)], &[Sib::of(b"\x01x", b"v")]);
    for len in 2..bytes.len() {
        assert!(
            matches!(parse(&bytes[..len]), Err(Wrong::Damaged(_))),
            "{len}"
        );
    }
    assert!(parse(&[bytes.as_slice(), b"!"].concat()).is_err());
    let mut lying = bytes;
    lying[2..6].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(parse(&lying).is_err());
    let compressed = [&[53, 1], sized(b"\x83P\0\0\0\x01x").as_slice()].concat();
    assert!(matches!(parse(&compressed), Err(Wrong::Unsupported(_))));
    for other in [&b""[..], b"5", b"{}", b"\x83a\x01", b"\x83", b"\x83P"] {
        assert_eq!(parse(other), Ok(None), "{other:?}");
    }
}

#[test]
fn clocks_say_which_side_is_newer() {
    let chosen = choose("f".as_ref(), &TextOptions::default()).unwrap();
    let clocks = Clocks::of(&chosen.schema()).unwrap();
    let row = |ticks: &[(&str, u8)]| {
        let mut out = Vec::new();
        push_value(
            &mut out,
            &version_1(ticks, &[Sib::of(b"\x01x", b"v")]),
            &chosen,
        )
        .unwrap();
        assert!(decode_value(&out, COLUMNS.len()).is_some());
        out
    };
    let is = |left: &[(&str, u8)], right: &[(&str, u8)]| {
        let verdict: Option<Verdict> = clocks.judge(Some(&row(left)), Some(&row(right)));
        verdict.unwrap().is
    };
    assert_eq!(is(&[("a", 2)], &[("a", 1)]), "newer_left");
    assert_eq!(is(&[("a", 2)], &[("a", 2), ("b", 1)]), "newer_right");
    assert_eq!(is(&[("a", 2)], &[("a", 1), ("b", 1)]), "concurrent");
    assert_eq!(is(&[("a", 2)], &[("a", 2)]), "same_vclock");
    assert_eq!(clocks.judge(Some(&row(&[])), None), None);
    let mut plain = Vec::new();
    push_value(&mut plain, b"no object", &chosen).unwrap();
    assert_eq!(clocks.judge(Some(&row(&[])), Some(&plain)), None);
    let left_out = TextOptions {
        ignore_columns: vec!["vclock".into()],
        ..TextOptions::default()
    };
    let chosen = choose("f".as_ref(), &left_out).unwrap();
    assert!(Clocks::of(&chosen.schema()).is_none());
}

#[test]
fn a_damaged_object_is_told_with_its_key_and_place() {
    let dir = tempfile::tempdir().unwrap();
    let object = version_1(&[("a", 1)], &[Sib::of(b"\x01x", b"v")]);
    let first = entry(b"\x02\0\x01bk", &object);
    write(
        dir.path(),
        1,
        &[first.clone(), entry(b"\x02\0\x01bl", &object[..9])].concat(),
    );
    let error = rows(open(dir.path(), "").unwrap().as_ref()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("at offset {}", first.len())),
        "{text}"
    );
    assert!(
        text.contains("key default,b,l: ") && text.contains("--format bitcask"),
        "{text}"
    );
    assert_eq!(error.exit_code(), 3);
    let raw = rows(open(dir.path(), "bitcask").unwrap().as_ref()).unwrap();
    assert_eq!(raw[&b"\x02\0\x01bk"[..]], object);
    assert_eq!(json!(raw.len()), 2);
}
