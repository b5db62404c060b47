//! Numbers of any length: varints and decimals, and how Java prints numbers.
//!
//! A varint is two's complement, big-endian. A decimal is an i32 scale and then such a number: number * 10^-scale.

use std::cmp::Ordering;

/// A varint without bytes that say nothing; a valid varint has at least one byte.
pub fn trim_varint(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        let sign = match rest.first() {
            Some(second) if second & 0x80 != 0 => 0xff,
            Some(_) => 0,
            None => return bytes,
        };
        if *first != sign {
            return bytes;
        }
        bytes = rest;
    }
    bytes
}

/// Whether a varint is below zero.
pub fn is_negative(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & 0x80 != 0)
}

/// Order of two varints by number.
pub fn compare_varints(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (trim_varint(a), trim_varint(b));
    let longer = match is_negative(a) {
        true => b.len().cmp(&a.len()),
        false => a.len().cmp(&b.len()),
    };
    let sign = is_negative(b).cmp(&is_negative(a));
    sign.then(longer).then_with(|| a.cmp(b))
}

/// The decimal digits of a varint without its sign; "0" for zero.
pub fn digits(bytes: &[u8]) -> Vec<u8> {
    const GROUP: u64 = 1_000_000_000;
    let flip = if is_negative(bytes) { 0xff } else { 0 };
    let mut carry = flip & 1;
    let mut magnitude: Vec<u8> = Vec::with_capacity(bytes.len() + 1);
    for &byte in bytes.iter().rev() {
        let (byte, is_over) = (byte ^ flip).overflowing_add(carry);
        carry = is_over.into();
        magnitude.push(byte);
    }
    magnitude.push(carry);
    let mut limbs: Vec<u32> = magnitude
        .chunks(4)
        .rev()
        .map(|chunk| {
            let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
            byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24
        })
        .collect();
    let mut out = Vec::new();
    let mut start = 0;
    loop {
        while limbs.get(start) == Some(&0) {
            start += 1;
        }
        let Some(rest) = limbs.get_mut(start..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let mut group = 0;
        for limb in rest {
            let value = group << 32 | u64::from(*limb);
            *limb = (value / GROUP) as u32;
            group = value % GROUP;
        }
        for _ in 0..9 {
            out.push(b'0' + (group % 10) as u8);
            group /= 10;
        }
    }
    while out.last() == Some(&b'0') {
        out.pop();
    }
    if out.is_empty() {
        out.push(b'0');
    }
    out.reverse();
    out
}

/// A decimal, taken apart so that it can be ordered: sign, place of the first digit, digits without zeros at the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Decimal {
    /// -1, 0 or 1.
    pub sign: i8,
    /// The number is 0.DIGITS * 10^exponent.
    pub exponent: i64,
    /// Digits as text, neither first nor last a zero; none for zero.
    pub digits: Vec<u8>,
}

impl Decimal {
    /// Takes a decimal of at least 5 bytes apart.
    pub fn read(value: &[u8]) -> Option<Decimal> {
        let (scale, bytes) = split_decimal(value)?;
        let mut digits = digits(bytes);
        if digits == b"0" {
            return Some(Decimal {
                sign: 0,
                exponent: 0,
                digits: Vec::new(),
            });
        }
        let exponent = i64::try_from(digits.len()).ok()? - i64::from(scale);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Some(Decimal {
            sign: if is_negative(bytes) { -1 } else { 1 },
            exponent,
            digits,
        })
    }

    /// Order by number.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        self.sign.cmp(&other.sign).then_with(|| {
            let size = (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
            if self.sign < 0 { size.reverse() } else { size }
        })
    }
}

/// Scale and number of a decimal.
pub fn split_decimal(value: &[u8]) -> Option<(i32, &[u8])> {
    let (scale, bytes) = value.split_first_chunk::<4>()?;
    (!bytes.is_empty()).then(|| (i32::from_be_bytes(*scale), bytes))
}

/// A varint as text.
pub fn show_varint(bytes: &[u8]) -> String {
    let sign = if is_negative(bytes) { "-" } else { "" };
    sign.to_owned() + &String::from_utf8_lossy(&digits(bytes))
}

/// A decimal as Java's BigDecimal prints it: text that gives scale and number back.
pub fn show_decimal(scale: i32, bytes: &[u8]) -> String {
    let digits = String::from_utf8_lossy(&digits(bytes)).into_owned();
    let sign = if is_negative(bytes) { "-" } else { "" };
    let count = digits.len() as i64;
    let exponent = count - 1 - i64::from(scale);
    if scale >= 0 && exponent >= -6 {
        let scale = scale as usize;
        let zeros = "0".repeat((scale + 1).saturating_sub(digits.len()));
        let digits = zeros + &digits;
        let (whole, part) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        return format!("{sign}{whole}{point}{part}");
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    match exponent {
        0 => format!("{sign}{first}{point}{rest}"),
        _ => format!("{sign}{first}{point}{rest}E{exponent:+}"),
    }
}

/// The shortest varint of a number in decimal digits with or without a sign.
pub fn parse_varint(text: &str) -> Option<Vec<u8>> {
    const GROUP: usize = 9;
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Least significant first.
    let mut limbs: Vec<u32> = Vec::new();
    for group in digits.as_bytes().chunks(GROUP) {
        let mut carry = std::str::from_utf8(group).ok()?.parse::<u64>().ok()?;
        let base = 10u64.pow(group.len() as u32);
        for limb in &mut limbs {
            let value = u64::from(*limb) * base + carry;
            *limb = value as u32;
            carry = value >> 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    let mut bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    bytes.push(0);
    if is_negative {
        let mut carry = 1;
        for byte in &mut bytes {
            let (value, is_over) = (!*byte).overflowing_add(carry);
            *byte = value;
            carry = is_over.into();
        }
    }
    bytes.reverse();
    Some(trim_varint(&bytes).to_vec())
}

/// The decimal whose text by Java's BigDecimal this is: `12`, `-0.50`, `1E+3`.
pub fn parse_decimal(text: &str) -> Option<Vec<u8>> {
    let (number, exponent) = match text.split_once(['E', 'e']) {
        Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let scale = i64::try_from(part.len()).ok()?.checked_sub(exponent)?;
    let mut value = i32::try_from(scale).ok()?.to_be_bytes().to_vec();
    value.extend(parse_varint(&format!("{whole}{part}"))?);
    Some(value)
}

/// A finite float or double as Java prints it, from the shortest digits that give it back, as `{:e}` has them.
fn show_shortest(text: &str, is_plain: bool) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !is_plain {
        let point = if digits.contains('.') { "" } else { ".0" };
        return format!("{sign}{digits}{point}E{exponent}");
    }
    let digits = digits.replace('.', "");
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let digits = format!("{digits:0<width$}", width = exponent + 2);
            let (whole, part) = digits.split_at(exponent + 1);
            format!("{sign}{whole}.{part}")
        }
        Err(_) => {
            let zeros = "0".repeat((-exponent - 1) as usize);
            format!("{sign}0.{zeros}{digits}")
        }
    }
}

/// A double as Java prints it (where Java's own text is the shortest).
pub fn show_double(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        v => {
            let size = v.abs();
            show_shortest(
                &format!("{v:e}"),
                size == 0.0 || (1e-3..1e7).contains(&size),
            )
        }
    }
}

/// A float as Java prints it (where Java's own text is the shortest).
pub fn show_float(value: f32) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        f32::INFINITY => "Infinity".into(),
        f32::NEG_INFINITY => "-Infinity".into(),
        v => {
            let size = v.abs();
            show_shortest(
                &format!("{v:e}"),
                size == 0.0 || (1e-3..1e7).contains(&size),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_print_and_compare_as_numbers() {
        for n in [
            0i128,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            999_999_999,
            1_000_000_000,
            -1_000_000_000,
            i64::MAX as i128,
            i128::MAX,
            i128::MIN,
        ] {
            let bytes = n.to_be_bytes();
            assert_eq!(show_varint(&bytes), n.to_string());
            assert_eq!(show_varint(trim_varint(&bytes)), n.to_string());
            for m in [
                0i128,
                1,
                -1,
                127,
                128,
                -128,
                -129,
                255,
                256,
                -32769,
                i128::MIN,
            ] {
                let other = m.to_be_bytes();
                assert_eq!(compare_varints(&bytes, trim_varint(&other)), n.cmp(&m));
            }
        }
        assert_eq!(trim_varint(&[0, 0]), [0]);
        assert_eq!(trim_varint(&[0xff, 0xff]), [0xff]);
        assert_eq!(trim_varint(&[0, 0x80]), [0, 0x80]);
    }

    #[test]
    fn decimals_print_as_java_prints_them() {
        for (scale, n, text) in [
            (0, 0i64, "0"),
            (3, 0, "0.000"),
            (-3, 0, "0E+3"),
            (2, 12345, "123.45"),
            (5, 12, "0.00012"),
            (7, 12, "0.0000012"),
            (8, 12, "1.2E-7"),
            (-2, -12, "-1.2E+3"),
            (-100, 1, "1E+100"),
            (1, 10, "1.0"),
        ] {
            assert_eq!(show_decimal(scale, &n.to_be_bytes()), text);
        }
    }

    #[test]
    fn floats_print_as_java_prints_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (0.001, "0.001"),
            (0.00099, "9.9E-4"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1234567.25, "1234567.25"),
            (-2.1644707967338995e191, "-2.1644707967338995E191"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(show_double(value), text);
        }
        assert_eq!(show_float(0.40146908), "0.40146908");
        assert_eq!(show_float(3.4028235e38), "3.4028235E38");
    }
}
