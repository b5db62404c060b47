//! Decimal numbers as text in one spelling, so that equal numbers are equal bytes.
//!
//! `-` if below zero, digits without zeros in front, a point and digits without zeros behind; zero is `0`. Where that takes more
//! than 40 zeros besides the digits, `d.ddde-41`: one digit before the point, and an exponent. Any length is exact.

use std::cmp::Ordering;

/// Zeros that are written out between the digits and the point.
const ZEROS_MAX: i64 = 40;

/// Appends the one spelling of a number such as `007`, `+1.50`, `-.5`, `1E+2`; returns false, with nothing appended, where
/// `text` is not a decimal number (or its exponent is beyond 18 digits).
pub fn push_canonical(out: &mut Vec<u8>, text: &[u8]) -> bool {
    if push_plain(out, text) {
        return true;
    }
    let Some(number) = Number::parse(text) else {
        return false;
    };
    number.push(out);
    true
}

/// Whether a text is the one spelling of a number.
pub fn is_canonical(text: &[u8]) -> bool {
    if is_plain(text) {
        return true;
    }
    let mut canonical = Vec::new();
    push_canonical(&mut canonical, text) && canonical == text
}

/// The order of two numbers as [`push_canonical`] takes them, exactly; `None` where one of them is none.
pub fn compare(one: &[u8], other: &[u8]) -> Option<Ordering> {
    let (one, other) = (Number::parse(one)?, Number::parse(other)?);
    let size = |number: &Number| (!number.digits.is_empty()).then_some(number.point);
    let sizes =
        |a: &Number, b: &Number| size(a).cmp(&size(b)).then_with(|| a.digits.cmp(&b.digits));
    Some(match (one.is_negative, other.is_negative) {
        (false, false) => sizes(&one, &other),
        (true, true) => sizes(&other, &one),
        (one, other) => other.cmp(&one),
    })
}

/// Appends the shortest decimal number that stands for a finite float, in its one spelling.
pub fn push_float(out: &mut Vec<u8>, float: impl zmij::Float) {
    push_canonical(out, zmij::Buffer::new().format_finite(float).as_bytes());
}

/// Beyond this length zeros would have to be counted.
const PLAIN_LEN_MAX: usize = 40;

/// Whether a text is surely in the one spelling already, as most are.
pub fn is_plain(text: &[u8]) -> bool {
    let Some((whole, fraction)) = plain_parts(text) else {
        return false;
    };
    match fraction {
        [] => !(whole == b"0" && text.len() > 1),
        [.., last] => *last != b'0',
    }
}

/// Appends a number that has no more than zeros behind the point to be left out, as most have; false, with nothing appended, where
/// it may be another.
fn push_plain(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let Some((whole, fraction)) = plain_parts(text) else {
        return false;
    };
    let zeros = fraction.iter().rev().take_while(|b| **b == b'0').count();
    let fraction = fraction.get(..fraction.len() - zeros).unwrap_or_default();
    if fraction.is_empty() && whole == b"0" {
        out.push(b'0');
        return true;
    }
    let len = match fraction.len() {
        0 => text.len() - zeros - usize::from(zeros > 0),
        _ => text.len() - zeros,
    };
    out.extend_from_slice(text.get(..len).unwrap_or_default());
    true
}

/// The digits before and behind the point of a number without an exponent, of some length at most: those before it without
/// needless zeros in front, those behind it none only where there is no point.
fn plain_parts(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole_len = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let (whole, rest) = digits.split_at_checked(whole_len)?;
    let is_whole = match whole {
        [] => false,
        [b'0'] => true,
        [first, ..] => *first != b'0',
    };
    let fraction = match rest {
        [] => rest,
        [b'.', fraction @ ..] if !fraction.is_empty() => fraction,
        _ => return None,
    };
    let is_plain = is_whole && text.len() <= PLAIN_LEN_MAX;
    (is_plain && fraction.iter().all(u8::is_ascii_digit)).then_some((whole, fraction))
}

/// The number `0.DIGITS * 10^point`.
struct Number {
    is_negative: bool,
    /// Without zeros in front and behind; empty for zero.
    digits: Vec<u8>,
    point: i64,
}

impl Number {
    fn parse(text: &[u8]) -> Option<Number> {
        let may_stand = |byte: &u8| byte.is_ascii_digit() || b".-+eE".contains(byte);
        if !text.iter().all(may_stand) {
            return None;
        }
        let (is_negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mantissa_len = text
            .iter()
            .position(|b| matches!(b, b'e' | b'E'))
            .unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at_checked(mantissa_len)?;
        let exponent = match exponent {
            [] => 0,
            [_, digits @ ..] => parse_exponent(digits)?,
        };
        let whole_len = mantissa
            .iter()
            .position(|b| *b == b'.')
            .unwrap_or(mantissa.len());
        let (whole, rest) = mantissa.split_at_checked(whole_len)?;
        let fraction = rest.get(1..).unwrap_or_default();
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let all = [whole, fraction].concat();
        if !all.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let zeros = all.iter().take_while(|d| **d == b'0').count();
        let last = all.iter().rposition(|d| *d != b'0').map_or(0, |at| at + 1);
        let digits = all.get(zeros..last).unwrap_or_default().to_vec();
        if digits.is_empty() {
            return Some(Number {
                is_negative: false,
                digits,
                point: 0,
            });
        }
        let point = (whole.len() as i64 - zeros as i64).checked_add(exponent)?;
        Some(Number {
            is_negative,
            digits,
            point,
        })
    }

    fn push(&self, out: &mut Vec<u8>) {
        let (digits, len) = (self.digits.as_slice(), self.digits.len() as i64);
        if digits.is_empty() {
            out.push(b'0');
            return;
        }
        if self.is_negative {
            out.push(b'-');
        }
        let zeros = |out: &mut Vec<u8>, count: i64| {
            out.extend(std::iter::repeat_n(
                b'0',
                usize::try_from(count).unwrap_or(0),
            ));
        };
        if self.point > len.saturating_add(ZEROS_MAX) || self.point < -ZEROS_MAX {
            let (first, rest) = digits.split_at(1);
            out.extend_from_slice(first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
            out.extend_from_slice(format!("e{}", self.point.saturating_sub(1)).as_bytes());
        } else if self.point <= 0 {
            out.extend_from_slice(b"0.");
            zeros(out, -self.point);
            out.extend_from_slice(digits);
        } else if self.point >= len {
            out.extend_from_slice(digits);
            zeros(out, self.point - len);
        } else {
            // It is between 0 and the length.
            let (whole, fraction) = digits.split_at(self.point as usize);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
    }
}

fn parse_exponent(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    if plain.is_empty() || plain.len() > 18 || !plain.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Option<String> {
        let mut out = Vec::new();
        push_canonical(&mut out, text.as_bytes()).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_have_one_spelling() {
        for (texts, one) in [
            (&["0", "-0", "+0.000", "0e5", ".0", "0."][..], "0"),
            (&["1", "01", "1.0", "10e-1", "0.1E+1", "+1."], "1"),
            (&["100", "1E+2", "1e2", "100.00"], "100"),
            (&["-0.5", "-.50", "-5e-1", "-0.05e1"], "-0.5"),
            (&["12.34", "1234e-2", "0012.3400"], "12.34"),
            (&["1e-42", "0.1e-41"], "1e-42"),
            (&["-12.5e60", "-1.25e61", "-125e59"], "-1.25e61"),
            (&["1e999999999999"], "1e999999999999"),
        ] {
            for text in texts {
                assert_eq!(canonical(text).as_deref(), Some(one), "{text}");
            }
        }
        for text in [
            "",
            "-",
            ".",
            "e1",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "0x1",
            "NaN",
            " 1",
            "1_0",
            "1e1.5",
            "1e9999999999999999999",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    /// The digits of a float, after a look at those that the standard library finds.
    fn shortest(float: impl zmij::Float, theirs: String) -> String {
        let mut out = Vec::new();
        push_float(&mut out, float);
        let (ours, theirs) = (String::from_utf8(out).unwrap(), canonical(&theirs).unwrap());
        let is_even = |text: &str| text.ends_with(['0', '2', '4', '6', '8']);
        let is_rounded_to_even = ours.len() == theirs.len() && is_even(&ours) && !is_even(&theirs);
        assert!(ours == theirs || is_rounded_to_even, "{ours} {theirs}");
        ours
    }

    proptest! {
        /// Against integers scaled by hand.
        #[test]
        fn respelled_numbers_are_the_same(n in any::<i64>(), shift in 0usize..60, zeros in 0usize..5) {
            let one = canonical(&format!("{n}e-{shift}")).unwrap();
            let respelled = format!("{n}{}e-{}", "0".repeat(zeros), shift + zeros);
            prop_assert_eq!(canonical(&respelled), Some(one.clone()));
            prop_assert_eq!(canonical(&one), Some(one.clone()));
            let mut slow = Vec::new();
            Number::parse(one.as_bytes()).unwrap().push(&mut slow);
            prop_assert_eq!(slow, one.as_bytes());
            if shift == 0 {
                prop_assert_eq!(one, n.to_string());
            }
        }

        /// Against those that the standard library finds; of two that are as near, that of an even last digit.
        #[test]
        fn floats_have_their_shortest_digits(
            double in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
            single in prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL,
            short in -9_999_999i32..9_999_999,
            shift in 0i32..9,
        ) {
            prop_assert_eq!(shortest(single, format!("{single:e}")).parse(), Ok(single));
            for double in [double, f64::from(short) / 10f64.powi(shift)] {
                prop_assert_eq!(shortest(double, format!("{double:e}")).parse(), Ok(double));
            }
        }
    }
}
