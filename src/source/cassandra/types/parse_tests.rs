use super::*;
use crate::source::cassandra::types::cql::Udts;
use crate::source::cassandra::types::samples::{Random, bytes_of, types, value};

#[test]
fn every_value_shows_as_a_text_that_gives_it_back() {
    let mut random = Random(11);
    for t in types() {
        assert_eq!(t.parse_key_part(&t.show_key_part(None)), Some(None));
        for _ in 0..300 {
            let value = value(&t, &mut random);
            let shown = t.show_key_part(Some(&value));
            assert_eq!(t.parse_key_part(&shown), Some(Some(value)), "{t:?} {shown}");
            let mut rest = &*format!("{shown},x");
            assert_eq!(t.take_key_part(&mut rest, true), shown);
            assert_eq!(rest, ",x");
        }
    }
}

/// Texts that a person reads, not bytes; and that read back.
#[test]
fn values_of_keys_are_readable() {
    for (t, hex, text) in [
        ("int", "80000000", "-2147483648"),
        ("bigint", "7fffffffffffffff", "9223372036854775807"),
        ("smallint", "8000", "-32768"),
        ("tinyint", "7f", "127"),
        (
            "varint",
            "00ffffffffffffffffffff",
            "1208925819614629174706175",
        ),
        ("varint", "ff", "-1"),
        ("varint", "80", "-128"),
        ("varint", "ff7f", "-129"),
        ("varint", "0001", "\\0x0001"),
        ("decimal", "000000010a", "1.0"),
        ("decimal", "ffffff9c01", "1E+100"),
        ("decimal", "0000000300", "0.000"),
        ("decimal", "00000002ff", "-0.01"),
        ("double", "7ff8000000000000", "NaN"),
        ("double", "fff0000000000000", "-Infinity"),
        ("double", "7ff8000000000001", "\\0x7ff8000000000001"),
        ("double", "8000000000000000", "-0.0"),
        ("float", "7f800000", "Infinity"),
        ("float", "3dcccccd", "0.1"),
        ("boolean", "01", "true"),
        ("boolean", "02", "\\0x02"),
        ("blob", "deadbeef", "0xdeadbeef"),
        ("date", "80000000", "1970-01-01"),
        ("date", "00000000", "-5877641-06-23"),
        ("date", "ffffffff", "+5881580-07-11"),
        ("time", "00004e94914effff", "23:59:59.999999999"),
        ("timestamp", "ffffffffffffffff", "1969-12-31 23:59:59.999Z"),
        ("timestamp", "fffff4e2f43e5000", "\\0xfffff4e2f43e5000"),
        (
            "uuid",
            "123e4567e89b12d3a456426614174000",
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        (
            "inet",
            "00000000000000000000000000000001",
            "0:0:0:0:0:0:0:1",
        ),
        ("inet", "7f000001", "127.0.0.1"),
        (
            "inet",
            "00000000000000000000ffff7f000001",
            "\\0x00000000000000000000ffff7f000001",
        ),
        ("duration", "020406", "\\0x020406"),
        (
            "frozen<list<text>>",
            "00000002000000016100000004202c203a",
            "[\"a\",\" , :\"]",
        ),
        (
            "frozen<map<int,text>>",
            "000000010000000400000001000000036f6e65",
            "{\"1\":\"one\"}",
        ),
        ("tuple<int,text>", "0000000400000009ffffffff", "[9,null]"),
        (
            "tuple<int,text>",
            "0000000400000009",
            "\\0x0000000400000009",
        ),
        ("vector<float, 2>", "bf8000003f000000", "[-1.0,0.5]"),
        (
            "frozen<list<text>>",
            "0000000100000003e280ae",
            "[\"\\u202e\"]",
        ),
        ("int", "", "''"),
        ("int", "00", "\\0x00"),
        ("text", "612c62", "a\\x2cb"),
        ("text", "", "''"),
        ("text", "2727", "\\x27'"),
        ("text", "6e756c6c", "\\x6eull"),
        ("text", "6120737461746963", "a\\x20static"),
        ("text", "612064656c6574696f6e", "a\\x20deletion"),
        ("text", "61203a2062", "a \\x3a b"),
        ("text", "6265666f72652031", "\\x62efore 1"),
        ("text", "6265666f726568616e64", "beforehand"),
        ("text", "746f6b656e3a37", "\\x74oken:7"),
        ("text", "5c7261773a61", "\\\\raw:a"),
        ("text", "ff", "\\xff"),
    ] {
        let t = CqlType::parse_cql(t, "", &Udts::new()).unwrap();
        let value = bytes_of(hex);
        assert_eq!(t.show_key_part(Some(&value)), text, "{t:?} {hex}");
        assert_eq!(t.parse_key_part(text), Some(Some(value)), "{t:?} {text}");
    }
}

#[test]
fn a_person_may_write_less() {
    for (t, text, hex) in [
        ("timestamp", "1970-01-02", "0000000005265c00"),
        ("timestamp", "1970-01-02T00:00Z", "0000000005265c00"),
        ("timestamp", "-1", "ffffffffffffffff"),
        ("time", "00:01", "0000000df8475800"),
        ("inet", "::1", "00000000000000000000000000000001"),
        ("double", "1", "3ff0000000000000"),
        ("decimal", "1e3", "fffffffd01"),
    ] {
        let t = CqlType::parse_cql(t, "", &Udts::new()).unwrap();
        assert_eq!(t.parse_key_part(text), Some(Some(bytes_of(hex))), "{text}");
    }
}

#[test]
fn refuses_what_is_of_another_type() {
    for (t, text) in [
        ("int", "x"),
        ("int", "2147483648"),
        ("varint", "1.5"),
        ("varint", "-"),
        ("decimal", "1E+9999999999"),
        ("boolean", "yes"),
        ("date", "2026-13-01"),
        ("date", "99999999-01-01"),
        ("time", "24:00"),
        ("timestamp", "tomorrow"),
        ("uuid", "123"),
        ("blob", "deadbeef"),
        ("blob", "0xabc"),
        ("duration", "1mo"),
        ("frozen<list<int>>", "[1"),
        ("frozen<list<int>>", "[\"x\"]"),
        ("vector<float, 2>", "[1]"),
        ("text", "\\q"),
    ] {
        let t = CqlType::parse_cql(t, "", &Udts::new()).unwrap();
        assert_eq!(t.parse_key_part(text), None, "{text}");
    }
}
