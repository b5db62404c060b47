//! Where delimiters, line ends and quotes stand in a piece of text: one pass, 64 bytes a step.

use super::record::QUOTE;

/// Fills `ends` with the positions behind each delimiter, line feed and quote of `text`, ascending, after a first 0: so
/// successive positions enclose the fields, as long as no quote is among them.
pub(super) fn find(text: &[u8], delimiter: u8, ends: &mut Vec<u32>) {
    // Eight places are written a step whether they are needed or not: cheaper than a branch that can't be foreseen.
    let places = text.len() + 1 + 64;
    if ends.len() < places {
        ends.resize(places, 0);
    }
    let Some(first) = ends.first_mut() else {
        return;
    };
    *first = 0;
    let mut count = 1;
    let (blocks, tail) = text.as_chunks::<64>();
    let mut base = 0u32;
    for block in blocks {
        count = push(ends, count, base, mask(block, delimiter));
        base += 64;
    }
    if !tail.is_empty() {
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(tail) {
            *to = *from;
        }
        let inside = u64::MAX >> (64 - tail.len());
        count = push(ends, count, base, mask(&block, delimiter) & inside);
    }
    ends.truncate(count);
}

/// Writes the positions behind the bits of `mask`; returns the new count.
#[inline(always)]
fn push(ends: &mut [u32], count: usize, base: u32, mut mask: u64) -> usize {
    let added = mask.count_ones() as usize;
    let behind = base + 1;
    if let Some(slots) = ends.get_mut(count..count + 8) {
        for slot in slots {
            *slot = behind + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    }
    if added > 8
        && let Some(slots) = ends.get_mut(count + 8..count + added)
    {
        for slot in slots {
            *slot = behind + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    }
    count + added
}

/// Returns a bit for each byte that is the delimiter, a line feed or a quote.
///
/// The first loop becomes SIMD compares on every target; the second gathers eight bytes a step.
#[inline(always)]
fn mask(block: &[u8; 64], delimiter: u8) -> u64 {
    let mut hits = [0u8; 64];
    for (hit, &byte) in hits.iter_mut().zip(block) {
        *hit = u8::from((byte == delimiter) | (byte == b'\n') | (byte == QUOTE));
    }
    let (words, _) = hits.as_chunks::<8>();
    let mut mask = 0u64;
    for (i, word) in words.iter().enumerate() {
        // Moves the lowest bit of byte n to bit n of the top byte; no two products meet.
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= gathered << (8 * i);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), any::<u8>()],
            0..300,
        )
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(text in text()) {
            let mut want = vec![0u32];
            want.extend((0..text.len()).filter(|&i| matches!(text[i], b',' | b'\n' | b'"')).map(|i| i as u32 + 1));
            let mut ends = vec![7; 3];
            find(&text, b',', &mut ends);
            prop_assert_eq!(ends, want);
        }
    }
}
