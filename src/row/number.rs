//! Decimal numbers as text, equal by value: one spelling for each number, exact to any length.
//!
//! A number other than zero is ±D·10^E with D a string of digits that neither starts nor ends with a zero. It is written
//!
//! | where | as | such as |
//! |---|---|---|
//! | at most [`ZEROS_MAX`] zeros stand between D and the decimal point | plain digits | `-120`, `0.05`, `3.25` |
//! | else | the first digit of D, a point and the others if there are any, `e` and the exponent | `1e41`, `-2.5e-60` |
//!
//! Zero is `0`, also where it was written with a sign.

/// Most zeros that plain digits have to the left of the point behind D, or to the right of the point before D: enough for
/// every number of 38 digits.
pub const ZEROS_MAX: i64 = 40;

/// The largest exponent that is read: far beyond what any system computes with, and its sums stay inside 64 bits.
const EXPONENT_MAX: i64 = 1_000_000_000_000_000;

/// A text that is no number, or one whose exponent is out of all reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

/// Appends the canonical text of a number: an optional sign, digits with or without a point, an optional exponent. Signs `+`,
/// leading zeros and a point without digits on one of its sides are taken too.
///
/// # Errors
///
/// [`NotANumber`], with nothing appended.
pub fn push_canonical(out: &mut Vec<u8>, text: &[u8]) -> Result<(), NotANumber> {
    if is_short_integer(text) {
        out.extend_from_slice(text);
        return Ok(());
    }
    let (is_negative, rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (whole, rest) = take_digits(rest);
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', rest)) => take_digits(rest),
        _ => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(NotANumber);
    }
    let exponent = match rest.split_first() {
        Some((b'e' | b'E', rest)) => read_exponent(rest)?,
        None => 0,
        Some(_) => return Err(NotANumber),
    };
    push_parts(out, is_negative, whole, fraction, exponent);
    Ok(())
}

/// Whether `text` is what [`push_canonical`] writes.
pub fn is_canonical(text: &[u8]) -> bool {
    if is_short_integer(text) {
        return true;
    }
    let could_be = matches!(text.first(), Some(b'-' | b'0'..=b'9'))
        && text
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'-'));
    let mut canonical = Vec::new();
    could_be && push_canonical(&mut canonical, text).is_ok() && canonical == text
}

/// Integers that are their own canonical text and stand in most rows.
fn is_short_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => {
            (rest.len() as i64) < ZEROS_MAX && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn take_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let len = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at_checked(len).unwrap_or_default()
}

fn read_exponent(text: &[u8]) -> Result<i64, NotANumber> {
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = take_digits(digits);
    if digits.is_empty() || !rest.is_empty() {
        return Err(NotANumber);
    }
    let mut exponent = 0i64;
    for digit in digits {
        exponent = exponent * 10 + i64::from(digit - b'0');
        if exponent > EXPONENT_MAX {
            return Err(NotANumber);
        }
    }
    Ok(if is_negative { -exponent } else { exponent })
}

/// Writes ±`whole`.`fraction`·10^`exponent`.
fn push_parts(out: &mut Vec<u8>, is_negative: bool, whole: &[u8], fraction: &[u8], exponent: i64) {
    let all = || whole.iter().chain(fraction);
    let is_zero = |digit: &&u8| **digit == b'0';
    let leading = all().take_while(is_zero).count();
    let significant = whole.len() + fraction.len() - leading;
    if significant == 0 {
        out.push(b'0');
        return;
    }
    let trailing = all().rev().take_while(is_zero).count();
    let len = significant - trailing;
    let mut digits = all().skip(leading).take(len).copied();
    // The number is 0.D * 10^point.
    let point = whole.len() as i64 - leading as i64 + exponent;
    let zeros = |count: i64| std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0));
    if is_negative {
        out.push(b'-');
    }
    if point > 0 && point - len as i64 <= ZEROS_MAX {
        let before = (len as i64).min(point);
        out.extend(digits.by_ref().take(before as usize));
        out.extend(zeros(point - len as i64));
        if point < len as i64 {
            out.push(b'.');
            out.extend(digits);
        }
    } else if (-ZEROS_MAX..=0).contains(&point) {
        out.extend_from_slice(b"0.");
        out.extend(zeros(-point));
        out.extend(digits);
    } else {
        out.extend(digits.next());
        if len > 1 {
            out.push(b'.');
            out.extend(digits);
        }
        out.push(b'e');
        out.extend_from_slice((point - 1).to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> Option<String> {
        let mut out = Vec::new();
        push_canonical(&mut out, text.as_bytes()).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_number_has_one_spelling() {
        let many = "123456789".repeat(20);
        let zeros = |n| "0".repeat(n);
        for (text, want) in [
            ("1", "1"),
            ("1.0", "1"),
            ("1e0", "1"),
            ("1E+2", "100"),
            ("-0", "0"),
            ("-0.00e7", "0"),
            ("0e999", "0"),
            ("0.10", "0.1"),
            ("+5", "5"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1200e-2", "12"),
            ("123.4500", "123.45"),
            ("-1.5e-3", "-0.0015"),
            ("1e41", "1e41"),
            ("1e-41", "0.00000000000000000000000000000000000000001"),
            ("1e-42", "1e-42"),
            ("12.5e-60", "1.25e-59"),
            ("1e999999999", "1e999999999"),
            ("-10e-999999999", "-1e-999999998"),
            (&many, &many),
            (&format!("1{}", zeros(40)), &format!("1{}", zeros(40))),
            (&format!("1{}", zeros(41)), "1e41"),
            (
                &format!("{many}{}", zeros(41)),
                &format!("1.{}e220", &many[1..]),
            ),
            ("1e00000000000000000000001", "10"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(want), "{text}");
            assert!(is_canonical(want.as_bytes()), "{want}");
            assert_eq!(is_canonical(text.as_bytes()), text == want, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "1x",
            "1.2.3",
            "--1",
            "0x1",
            " 1",
            "1 ",
            "NaN",
            "Infinity",
            "1e9999999999999999",
            "1e-99999999999999999999999999",
            "\u{661}",
        ] {
            assert_eq!(canonical(text), None, "{text}");
            assert!(!is_canonical(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn respelled_numbers_are_equal_and_others_differ(
            digits in "[0-9]{1,60}",
            shift in -80i64..80,
            other in "[0-9]{1,60}",
        ) {
            // digits * 10^shift, three times.
            let plain = canonical(&format!("{digits}e{shift}")).unwrap();
            let (head, tail) = digits.split_at(digits.len() / 2);
            let moved = format!("00{head}.{tail}000E{}", shift + tail.len() as i64);
            prop_assert_eq!(&canonical(&moved).unwrap(), &plain);
            prop_assert_eq!(&canonical(&plain).unwrap(), &plain);
            let same = digits.trim_start_matches('0') == other.trim_start_matches('0');
            prop_assert_eq!(canonical(&format!("{other}e{shift}")).unwrap() == plain, same);
        }
    }
}
