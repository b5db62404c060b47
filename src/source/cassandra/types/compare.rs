//! The order of values of a type: Cassandra's order of clustering columns, of set elements and of map keys.
//!
//! | type | order |
//! |---|---|
//! | tinyint .. bigint, timestamp, varint, decimal | by number |
//! | float, double | as Java's compare: -0.0 below 0.0, NaN above all |
//! | boolean, date, time, inet, duration, blob, text, ascii | unsigned bytes |
//! | timeuuid | time, then the last eight bytes, each **signed** |
//! | uuid | version, then time (version 1) or the first eight bytes, then the last eight, unsigned |
//! | list, set, map, tuple, UDT, vector | element by element, the shorter first |
//! | Reversed | the other way round, the empty value included |
//!
//! The empty value is the lowest of each type. In tuples null is below all else, and an absent field is null.
//! Facts: `compareCustom` of the classes of `org.apache.cassandra.db.marshal`, 3.11 to 5.0.
//!
//! Bytes that are no value of the type (of a wrong length, say) are above all values, by unsigned bytes: Cassandra would
//! fail, here all have a place.

use std::cmp::Ordering;

use super::CqlType;
use super::elements::{element_type, is_valid, split};
use super::number::{Decimal, compare_varints};

impl CqlType {
    /// Order of two values of this type.
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            CqlType::Reversed(t) => t.compare(b, a),
            CqlType::Frozen(t) => t.compare(a, b),
            // Any bytes are a value, and empty ones are the lowest.
            CqlType::Ascii
            | CqlType::Text
            | CqlType::Blob
            | CqlType::Inet
            | CqlType::Duration
            | CqlType::Counter
            | CqlType::Custom(_) => a.cmp(b),
            _ => {
                let rank = |value: &[u8]| match value {
                    [] => 0,
                    value if is_valid(self, value) => 1,
                    _ => 2,
                };
                match (rank(a), rank(b)) {
                    (1, 1) => self.compare_valid(a, b),
                    (2, 2) => a.cmp(b),
                    (a, b) => a.cmp(&b),
                }
            }
        }
    }

    /// Order of two clustering values: null is the lowest of any type, reversed or not.
    pub fn compare_nullable(&self, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    fn compare_valid(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            CqlType::Boolean | CqlType::Date | CqlType::Time => a.cmp(b),
            CqlType::Tinyint
            | CqlType::Smallint
            | CqlType::Int
            | CqlType::Bigint
            | CqlType::Timestamp => {
                let sign = |value: &[u8]| value.first().map(|&first| first as i8);
                sign(a).cmp(&sign(b)).then_with(|| a.cmp(b))
            }
            CqlType::Varint => compare_varints(a, b),
            CqlType::Decimal => match (Decimal::read(a), Decimal::read(b)) {
                (Some(a), Some(b)) => a.compare(&b),
                _ => a.cmp(b),
            },
            CqlType::Float => float_rank(a).cmp(&float_rank(b)),
            CqlType::Double => double_rank(a).cmp(&double_rank(b)),
            CqlType::Uuid => uuid_rank(a).cmp(&uuid_rank(b)),
            CqlType::Timeuuid => timeuuid_rank(a).cmp(&timeuuid_rank(b)),
            _ => self.compare_elements(a, b),
        }
    }

    fn compare_elements(&self, a: &[u8], b: &[u8]) -> Ordering {
        let (Some(a), Some(b)) = (split(self, a), split(self, b)) else {
            return a.cmp(b);
        };
        let has_fields = matches!(self, CqlType::Tuple(_) | CqlType::Udt { .. });
        for at in 0..a.len().max(b.len()) {
            let (left, right) = (a.get(at), b.get(at));
            if !has_fields && (left.is_none() || right.is_none()) {
                return a.len().cmp(&b.len());
            }
            let (left, right) = (left.copied().flatten(), right.copied().flatten());
            let order = match element_type(self, at) {
                Some(t) => t.compare_nullable(left, right),
                None => left.cmp(&right),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// Bits whose order as a number is the order of floats; all NaNs are one.
pub(super) fn float_rank(value: &[u8]) -> u32 {
    let bits = value.try_into().map(u32::from_be_bytes).unwrap_or(0);
    let bits = match f32::from_bits(bits).is_nan() {
        true => 0x7fc0_0000,
        false => bits,
    };
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

/// Bits whose order as a number is the order of doubles; all NaNs are one.
pub(super) fn double_rank(value: &[u8]) -> u64 {
    let bits = value.try_into().map(u64::from_be_bytes).unwrap_or(0);
    let bits = match f64::from_bits(bits).is_nan() {
        true => 0x7ff8_0000_0000_0000,
        false => bits,
    };
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// The first eight bytes of a UUID with the time in order: high, middle, low.
fn time_first(high: u64) -> u64 {
    high << 48 | (high << 16 & 0xffff_0000_0000) | high >> 32
}

/// Undoes [`time_first`].
pub(super) fn time_back(time: u64) -> u64 {
    time << 32 | (time >> 16 & 0xffff_0000) | time >> 48
}

fn halves(value: &[u8]) -> (u64, u64) {
    let value = value.try_into().map(u128::from_be_bytes).unwrap_or(0);
    ((value >> 64) as u64, value as u64)
}

/// What orders a UUID: version, time or first half, second half.
pub(super) fn uuid_rank(value: &[u8]) -> (u8, u64, u64) {
    let (high, low) = halves(value);
    let version = (high >> 12 & 0xf) as u8;
    let high = if version == 1 { time_first(high) } else { high };
    (version, high, low)
}

/// What orders a timeuuid: time, then the second half with the sign bit of each byte flipped.
pub(super) fn timeuuid_rank(value: &[u8]) -> (u64, u64) {
    let (high, low) = halves(value);
    (time_first(high), low ^ 0x8080_8080_8080_8080)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{bytes_of, frozen_list};
    use super::*;

    /// Each value is below the next.
    fn assert_ascending(t: &CqlType, values: &[Vec<u8>]) {
        for (at, a) in values.iter().enumerate() {
            for (other, b) in values.iter().enumerate() {
                assert_eq!(t.compare(a, b), at.cmp(&other), "{t:?} {a:?} {b:?}");
                let reversed = CqlType::Reversed(Box::new(t.clone()));
                assert_eq!(reversed.compare(a, b), other.cmp(&at));
            }
        }
    }

    #[test]
    fn plain_types_have_cassandras_order() {
        let text = |parts: &[&str]| parts.iter().map(|p| bytes_of(p)).collect::<Vec<_>>();
        assert_ascending(
            &CqlType::Int,
            &text(&["", "80000000", "ffffffff", "00000000", "7fffffff", "ff"]),
        );
        assert_ascending(
            &CqlType::Tinyint,
            &text(&["", "80", "ff", "00", "7f", "0000"]),
        );
        assert_ascending(&CqlType::Text, &text(&["", "00", "61", "6100", "c3bc"]));
        assert_ascending(&CqlType::Boolean, &text(&["", "00", "01"]));
        assert_ascending(
            &CqlType::Date,
            &text(&["", "00000000", "7fffffff", "80000000"]),
        );
        assert_ascending(
            &CqlType::Varint,
            &text(&[
                "", "8000", "ff7f", "80", "ff", "00", "01", "7f", "0080", "00ff",
            ]),
        );
        assert_ascending(
            &CqlType::Float,
            &text(&[
                "", "ff800000", "bf800000", "80000000", "00000000", "3f800000", "7f800000",
                "7fc00000",
            ]),
        );
        // 1.5 below 2 below 10, and the same below zero.
        assert_ascending(
            &CqlType::Decimal,
            &text(&[
                "",
                "00000000f6",
                "00000000fe",
                "00000001f1",
                "0000000000",
                "000000010f",
                "0000000002",
                "ffffffff01",
                "00",
            ]),
        );
    }

    #[test]
    fn equal_numbers_of_other_bytes_are_equal() {
        let equal = |t: CqlType, a: &str, b: &str| {
            assert_eq!(
                t.compare(&bytes_of(a), &bytes_of(b)),
                Ordering::Equal,
                "{t:?}"
            );
        };
        equal(CqlType::Decimal, "000000010a", "0000000264");
        equal(CqlType::Decimal, "0000000000", "0000000500");
        equal(CqlType::Varint, "0001", "01");
        equal(CqlType::Float, "7fc00000", "ffc00001");
        let pair = CqlType::Tuple(vec![CqlType::Int, CqlType::Int]);
        equal(pair, "0000000400000001", "0000000400000001ffffffff");
    }

    #[test]
    fn uuids_have_two_orders() {
        // Time 1 of a node that starts with 0x7f, time 1 of one that starts with 0x80, then time 2^32 and time 2^48.
        let a = bytes_of("00000001000010007f00000000000000");
        let b = bytes_of("00000001000010008000000000000000");
        let c = bytes_of("00000000000110000000000000000000");
        let d = bytes_of("00000000000010010000000000000000");
        let version_4 = bytes_of("00000000000040000000000000000000");
        assert_ascending(
            &CqlType::Uuid,
            &[
                vec![],
                a.clone(),
                b.clone(),
                c.clone(),
                d.clone(),
                version_4,
            ],
        );
        assert_ascending(&CqlType::Timeuuid, &[vec![], b, a, c, d]);
    }

    #[test]
    fn collections_compare_element_by_element() {
        let list = |values: &[Vec<u8>]| frozen_list(values);
        let (one, two, minus) = (vec![0, 0, 0, 1], vec![0, 0, 0, 2], vec![0xff; 4]);
        let t = CqlType::Frozen(Box::new(CqlType::List(Box::new(CqlType::Int))));
        assert_ascending(
            &t,
            &[
                vec![],
                list(&[]),
                list(&[minus.clone(), two.clone()]),
                list(std::slice::from_ref(&one)),
                list(&[one.clone(), minus]),
                list(&[one, two]),
            ],
        );
        let vector = CqlType::Vector(Box::new(CqlType::Float), 2);
        assert_ascending(
            &vector,
            &[
                bytes_of("bf8000003f800000"),
                bytes_of("3f800000bf800000"),
                bytes_of("3f8000003f800000"),
            ],
        );
    }
}
