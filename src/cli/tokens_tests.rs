use proptest::prelude::*;

use super::*;
use crate::range::Coverage;

const DESCRIBED: &str = "\
Schema Version:1b04bd14-0324-3fc8-8bcb-9256d1e15f82
TokenRange: 
\tTokenRange(start_token:100, end_token:-9223372036854775808, endpoints:[10.0.0.1, 10.0.0.2], rpc_endpoints:[10.0.0.1, 10.0.0.2], endpoint_details:[EndpointDetails(host:10.0.0.1, datacenter:dc1, rack:r1), EndpointDetails(host:10.0.0.2, datacenter:dc1, rack:r1)])
\tTokenRange(start_token:-9223372036854775808, end_token:-50, endpoints:[10.0.0.2:7000, 10.0.0.3:7000], rpc_endpoints:[10.0.0.2, 10.0.0.3], endpoint_details:[])
\tTokenRange(start_token:-50, end_token:100, endpoints:[/10.0.0.3, /10.0.0.1], rpc_endpoints:[10.0.0.3], endpoint_details:[])
";

const RING: &str = "

Datacenter: dc1
==========
Address    Rack        Status State   Load            Owns                Token
                                                                          100
10.0.0.1   r1          Up     Normal  183.94 KiB      66.67%              -50
10.0.0.2   r1          Up     Normal  ?               66.67%              100

  Warning: \"nodetool ring\" is used to output all the tokens of a node.
  To view status related info of a node use \"nodetool status\" instead.
";

fn key_of(token: i64) -> Vec<u8> {
    let mut key = Vec::new();
    Partitioner::Murmur3.push_ordered(&Token::Murmur3(token), &mut key);
    key.extend_from_slice(b"key");
    key
}

fn covered(ranges: &[TokenRange]) -> Coverage {
    let keys = ranges
        .iter()
        .flat_map(|range| range.keys(Partitioner::Murmur3));
    Coverage::new(keys.collect())
}

fn described(endpoints: &[&str]) -> Result<Vec<TokenRange>> {
    let endpoints: Vec<String> = endpoints.iter().map(|e| (*e).to_owned()).collect();
    read_ranges("f".as_ref(), DESCRIBED, &endpoints, Partitioner::Murmur3)
}

proptest! {
    #[test]
    fn a_range_has_the_partitions_behind_its_start_up_to_its_end(
        start in -3i64..3, end in -3i64..3, token in -5i64..5, is_extreme in any::<[bool; 3]>(),
    ) {
        let place = |n: i64, is_extreme: bool| match is_extreme {
            true if n < 0 => i64::MIN - n.min(-1),
            true => i64::MAX - n,
            false => n,
        };
        let [start, end, token] = [(start, 0), (end, 1), (token, 2)].map(|(n, at)| place(n, is_extreme[at]));
        let range = TokenRange::parse(&format!("{start}:{end}"), Partitioner::Murmur3).unwrap();
        let expected = match start < end {
            true => start < token && token <= end,
            false => start < token || token <= end,
        };
        prop_assert_eq!(covered(&[range]).contains(&key_of(token)), expected);
    }
}

#[test]
fn ranges_that_several_nodes_hold() {
    assert_eq!(covered(&described(&[]).unwrap()), Coverage::all());
    let both = covered(&described(&["10.0.0.1", "10.0.0.2"]).unwrap());
    for (token, is_in) in [
        (100, false),
        (101, true),
        (i64::MAX, true),
        (-60, false),
        (0, false),
    ] {
        assert_eq!(both.contains(&key_of(token)), is_in, "{token}");
    }
    let of_third = covered(&described(&["10.0.0.3"]).unwrap());
    assert!(of_third.contains(&key_of(-60)) && of_third.contains(&key_of(100)));
    assert!(!of_third.contains(&key_of(101)));
    for (nodes, word) in [
        (&["10.0.0.9"][..], "no range is held by 10.0.0.9"),
        (&["10.0.0"], "no range is held by 10.0.0"),
        (
            &["10.0.0.1", "10.0.0.2", "10.0.0.3"],
            "no token range is left",
        ),
    ] {
        let error = described(nodes).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn boundaries_of_what_nodetool_prints() {
    let murmur3 = Partitioner::Murmur3;
    let read = |text| {
        let ranges = read_printed("f".as_ref(), text, murmur3).unwrap()?;
        let mut keys: Vec<_> = ranges
            .iter()
            .flat_map(|range| boundaries(range, murmur3))
            .collect();
        keys.sort();
        keys.dedup();
        Some((keys, covered(&ranges)))
    };
    let expected: Vec<Vec<u8>> = [-49, 101]
        .iter()
        .map(|token| key_of(*token)[..8].to_vec())
        .collect();
    assert_eq!(read(DESCRIBED), Some((expected.clone(), Coverage::all())));
    assert_eq!(read(RING), Some((expected, Coverage::all())));
    assert_eq!(read("token:5\ntoken:7\n"), None);
    let empty = "Address Rack Token\nno tokens\n";
    assert!(read_printed("f".as_ref(), empty, murmur3).is_err());
}

#[test]
fn equal_ranges_are_the_whole_ring() {
    for partitioner in [Partitioner::Murmur3, Partitioner::Random] {
        let ranges = equal_ranges(partitioner, 16);
        let keys = ranges.iter().flat_map(|range| range.keys(partitioner));
        assert_eq!(Coverage::new(keys.collect()), Coverage::all());
        let ends: Vec<_> = ranges
            .iter()
            .flat_map(|range| boundaries(range, partitioner))
            .collect();
        assert_eq!(ends.len(), 30);
    }
    assert_eq!(
        equal_ranges(Partitioner::Murmur3, 16)[0].to_string(),
        "(-9223372036854775808, -8070450532247928832]"
    );
}

#[test]
fn tokens_of_bytes_are_the_keys() {
    let ordered = Partitioner::ByteOrdered;
    let range = TokenRange::parse("61:6162", ordered).unwrap();
    let covered = Coverage::new(range.keys(ordered));
    for (key, is_in) in [
        (&b"a"[..], false),
        (b"a\0", true),
        (b"aa", true),
        (b"ab", true),
        (b"ab\0", false),
    ] {
        let mut place = Vec::new();
        push_key_column(&mut place, key);
        assert_eq!(covered.contains(&place), is_in, "{key:?}");
    }
}

#[test]
fn other_texts_are_refused() {
    for text in ["", "5", "a:b", "1:2:3", "1:9223372036854775808"] {
        assert_eq!(
            TokenRange::parse(text, Partitioner::Murmur3)
                .unwrap_err()
                .exit_code(),
            2,
            "{text}"
        );
    }
    let error = read_ranges(
        "f".as_ref(),
        "1:2\n\n# note\n3:x\n",
        &[],
        Partitioner::Murmur3,
    )
    .unwrap_err();
    assert!(error.to_string().contains("f: line 4"), "{error}");
}
