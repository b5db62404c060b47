//! Where delimiters, line ends and quotes stand in a piece of text: one pass, 64 bytes a step.
//!
//! It lives in this room because the processor's wide registers can only be used by a function that is unsafe to call.

const QUOTE: u8 = b'"';

/// Places in a piece of text; keeps its memory from one piece to the next.
#[derive(Debug, Default)]
pub struct Places {
    /// Longer than what is in use.
    ends: Vec<u32>,
    len: usize,
}

impl Places {
    /// A 0, then the position behind each delimiter, line feed and quote, ascending: successive ones enclose the fields, as
    /// long as no quote is among them.
    #[inline(always)]
    pub fn as_slice(&self) -> &[u32] {
        self.ends.get(..self.len).unwrap_or_default()
    }

    /// Forgets all places.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Finds the places of `text`, which is shorter than 4 GiB.
    pub fn find(&mut self, text: &[u8], delimiter: u8) {
        // Eight places are written a step whether they are needed or not: cheaper than a branch that can't be foreseen.
        let room = text.len() + 1 + 64;
        if self.ends.len() < room {
            self.ends.resize(room, 0);
        }
        self.len = find(text, delimiter, &mut self.ends);
    }
}

fn find(text: &[u8], delimiter: u8, ends: &mut [u32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the function is safe but for the instructions it uses, and the processor was just asked for each of
        // the sets that its attribute names.
        return unsafe { find_wide(text, delimiter, ends) };
    }
    fill(text, ends, |block| mask(block, delimiter))
}

/// As [`find`], 32 bytes a register.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn find_wide(text: &[u8], delimiter: u8, ends: &mut [u32]) -> usize {
    use std::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };
    let delimiter = _mm256_set1_epi8(delimiter as i8);
    let line_feed = _mm256_set1_epi8(b'\n' as i8);
    let quote = _mm256_set1_epi8(QUOTE as i8);
    let half = |bytes: &[u8; 32]| {
        let (words, _) = bytes.as_chunks::<8>();
        let mut w = [0i64; 4];
        for (word, bytes) in w.iter_mut().zip(words) {
            *word = i64::from_le_bytes(*bytes);
        }
        let lane = _mm256_set_epi64x(w[3], w[2], w[1], w[0]);
        let hits = _mm256_or_si256(
            _mm256_or_si256(
                _mm256_cmpeq_epi8(lane, delimiter),
                _mm256_cmpeq_epi8(lane, line_feed),
            ),
            _mm256_cmpeq_epi8(lane, quote),
        );
        u64::from(_mm256_movemask_epi8(hits) as u32)
    };
    fill(text, ends, |block| {
        let (halves, _) = block.as_chunks::<32>();
        match halves {
            [low, high] => half(low) | half(high) << 32,
            _ => 0,
        }
    })
}

/// Writes the places of `text` to `ends`, given which bytes of a block are structure; returns their number.
#[inline(always)]
fn fill(text: &[u8], ends: &mut [u32], mask: impl Fn(&[u8; 64]) -> u64) -> usize {
    let Some(first) = ends.first_mut() else {
        return 0;
    };
    *first = 0;
    let mut count = 1;
    let (blocks, tail) = text.as_chunks::<64>();
    let mut base = 0u32;
    for block in blocks {
        count = push(ends, count, base, mask(block));
        base = base.wrapping_add(64);
    }
    if !tail.is_empty() {
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(tail) {
            *to = *from;
        }
        let inside = u64::MAX >> (64 - tail.len());
        count = push(ends, count, base, mask(&block) & inside);
    }
    count
}

/// Writes the positions behind the bits of `mask`; returns the new count.
#[inline(always)]
fn push(ends: &mut [u32], count: usize, base: u32, mut mask: u64) -> usize {
    // Nothing wraps: the text is shorter than 4 GiB. Surplus slots get nonsense, and are written again by the next step.
    let added = mask.count_ones() as usize;
    let behind = base.wrapping_add(1);
    if let Some(slots) = ends.get_mut(count..count + 8) {
        for slot in slots {
            *slot = behind.wrapping_add(mask.trailing_zeros());
            mask &= mask.wrapping_sub(1);
        }
    }
    if added > 8
        && let Some(slots) = ends.get_mut(count + 8..count + added)
    {
        for slot in slots {
            *slot = behind.wrapping_add(mask.trailing_zeros());
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
            let mut places = Places::default();
            places.find(&text[..text.len() / 2], b';');
            places.find(&text, b',');
            prop_assert_eq!(places.as_slice(), &want);
            places.ends.fill(7);
            places.len = fill(&text, &mut places.ends, |block| mask(block, b','));
            prop_assert_eq!(places.as_slice(), &want);
        }
    }
}
