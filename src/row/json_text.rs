//! JSON text, read from bytes piece by piece, and written so that equal values are equal bytes.
//!
//! [`Scanner`] reads strictly what RFC 8259 describes: no comments, no trailing commas, no lone surrogates, UTF-8 only.
//!
//! **Canonical text** ([`Canon`]) has no white space; numbers as [`super::decimal`] writes them; in strings only `"`, `\` and the
//! control characters below U+0020 escaped (as `\b \f \n \r \t` where there is such a letter, else `\u00xx`); the members of
//! an object ascending by the bytes of their names so written. Two members of one name are an error.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::decimal;

/// Deepest nesting of arrays and objects in a value.
pub const DEPTH_MAX: usize = 100;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Offset in the bytes that were scanned.
    pub at: usize,
    /// What is wrong.
    pub what: Cow<'static, str>,
    /// The bytes end inside of a value: it may go on behind them.
    pub is_end: bool,
}

/// A result whose error is a [`Flaw`].
pub type Scanned<T> = Result<T, Flaw>;

/// Reads the value of an object's member: given its name, and the offset of that.
pub type VisitMember<'a, 'v> = dyn FnMut(&mut Scanner<'a>, &[u8], usize) -> Scanned<()> + 'v;

impl Flaw {
    /// A flaw at an offset.
    pub fn new(at: usize, what: impl Into<Cow<'static, str>>) -> Flaw {
        Flaw {
            at,
            what: what.into(),
            is_end: false,
        }
    }
}

/// Reads JSON from the front of a slice.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at an offset of `bytes`.
    pub fn new(bytes: &'a [u8], at: usize) -> Scanner<'a> {
        Scanner { bytes, at }
    }

    /// The offset of what is read next.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The bytes from here to where `later`, a scanner of the same bytes, is.
    pub fn until(&self, later: &Scanner<'_>) -> &'a [u8] {
        self.bytes.get(self.at..later.at).unwrap_or_default()
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space.
    #[inline]
    pub fn skip_white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips white space, then `byte` if it comes next; returns whether it did.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        self.skip_white();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn end(&self) -> Flaw {
        Flaw {
            at: self.bytes.len(),
            what: "the text ends inside of a value".into(),
            is_end: true,
        }
    }

    /// The flaw that something else than `wanted` comes next.
    #[cold]
    pub fn unexpected(&self, wanted: &str) -> Flaw {
        match self.peek() {
            None => self.end(),
            Some(byte) => Flaw::new(
                self.at,
                format!("{wanted} is wanted, not \"{}\"", super::escape(&[byte])),
            ),
        }
    }

    /// Reads a string and appends what it stands for, as UTF-8.
    ///
    /// # Errors
    ///
    /// A flaw, where there is no sound string.
    pub fn string(&mut self, out: &mut Vec<u8>) -> Scanned<()> {
        self.skip_white();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a string"));
        }
        self.at += 1;
        loop {
            let run = self.plain_run()?;
            out.extend_from_slice(run);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape(out)?,
                Some(_) => {
                    return Err(Flaw::new(
                        self.at,
                        "a control character stands in a string unescaped",
                    ));
                }
                None => return Err(self.end()),
            }
        }
    }

    /// The bytes up to the next quote, backslash or control character.
    #[inline]
    fn plain_run(&mut self) -> Scanned<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (len, is_ascii) = plain_len(rest);
        if len == rest.len() {
            return Err(self.end());
        }
        let run = rest.get(..len).unwrap_or_default();
        if !is_ascii && let Err(error) = std::str::from_utf8(run) {
            return Err(Flaw::new(
                self.at + error.valid_up_to(),
                "a string is not UTF-8",
            ));
        }
        self.at += len;
        Ok(run)
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Scanned<()> {
        let start = self.at;
        let letter = self.bytes.get(start + 1).ok_or_else(|| self.end())?;
        self.at += 2;
        let byte = match letter {
            b'"' | b'\\' | b'/' => *letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(start, out),
            _ => return Err(Flaw::new(start, "an unknown escape stands in a string")),
        };
        out.push(byte);
        Ok(())
    }

    /// Reads what follows `\u`; the escape began at `start`.
    fn unicode(&mut self, start: usize, out: &mut Vec<u8>) -> Scanned<()> {
        let lone = || Flaw::new(start, "a surrogate stands alone in a string");
        let first = self.four_digits(start)?;
        let code = match first {
            0xd800..0xdc00 => {
                for wanted in [b'\\', b'u'] {
                    match self.peek() {
                        Some(byte) if byte == wanted => self.at += 1,
                        Some(_) => return Err(lone()),
                        None => return Err(self.end()),
                    }
                }
                let second = self.four_digits(start)?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(lone());
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        let c = char::from_u32(code).ok_or_else(lone)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn four_digits(&mut self, start: usize) -> Scanned<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.peek().ok_or_else(|| self.end())?;
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or_else(|| Flaw::new(start, "\\u wants four hexadecimal digits"))?;
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Reads a number and returns its text.
    ///
    /// # Errors
    ///
    /// A flaw, where there is none; where the bytes end behind it, for it may go on.
    pub fn number(&mut self) -> Scanned<&'a [u8]> {
        self.skip_white();
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.unexpected("a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.peek() {
            None => Err(self.end()),
            Some(b'0'..=b'9') => Err(Flaw::new(start, "a number starts with a needless zero")),
            Some(_) => Ok(self.bytes.get(start..self.at).unwrap_or_default()),
        }
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Scanned<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected("a digit"));
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    /// Reads `true`, `false` or `null`.
    ///
    /// # Errors
    ///
    /// A flaw, where none comes next.
    pub fn word(&mut self) -> Scanned<&'static str> {
        self.skip_white();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for word in ["true", "false", "null"] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(word);
            }
            if word.as_bytes().starts_with(rest) {
                return Err(self.end());
            }
        }
        Err(self.unexpected("a value"))
    }

    /// Reads an object: `member` reads what stands behind the name, which is given with its offset.
    ///
    /// # Errors
    ///
    /// A flaw of the object, and those of `member`.
    pub fn object(&mut self, member: &mut VisitMember<'a, '_>) -> Scanned<()> {
        if !self.eat(b'{') {
            return Err(self.unexpected("an object"));
        }
        if self.eat(b'}') {
            return Ok(());
        }
        let mut name = Vec::new();
        loop {
            self.skip_white();
            let at = self.at;
            name.clear();
            self.string(&mut name)?;
            if !self.eat(b':') {
                return Err(self.unexpected("a colon"));
            }
            self.skip_white();
            member(self, &name, at)?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("a comma or the end of the object"));
            }
        }
    }

    /// Reads an array: `element` reads each of its values.
    ///
    /// # Errors
    ///
    /// A flaw of the array, and those of `element`.
    pub fn array(
        &mut self,
        element: &mut dyn FnMut(&mut Scanner<'a>) -> Scanned<()>,
    ) -> Scanned<()> {
        if !self.eat(b'[') {
            return Err(self.unexpected("an array"));
        }
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.skip_white();
            element(self)?;
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("a comma or the end of the array"));
            }
        }
    }
}

/// How many bytes come before the first quote, backslash or control character, and whether all of them are ASCII.
#[inline]
fn plain_len(text: &[u8]) -> (usize, bool) {
    const STEP: usize = 8;
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW << 7;
    // The high bit of the lowest byte that is below `limit` is set, and none below that one.
    let below = |bytes: u64, limit: u64| bytes.wrapping_sub(LOW * limit) & !bytes & HIGH;
    let equal = |bytes: u64, byte: u8| below(bytes ^ (LOW * u64::from(byte)), 1);
    let (mut len, mut all) = (0, 0);
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        let bytes = u64::from_le_bytes(*step);
        let special = equal(bytes, b'"') | equal(bytes, b'\\') | below(bytes, 0x20);
        if special != 0 {
            let before = special.trailing_zeros() - 7;
            all |= bytes & ((1 << before) - 1);
            return (len + before as usize / 8, all & HIGH == 0);
        }
        len += STEP;
        all |= bytes;
    }
    for &byte in rest {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        len += 1;
        all |= u64::from(byte);
    }
    (len, all & HIGH == 0)
}

/// Writes values as canonical text; keeps its memory from one value to the next.
#[derive(Debug, Default)]
pub struct Canon {
    text: Vec<u8>,
    sorted: Vec<u8>,
    members: Vec<Member>,
}

/// A member of an object, as it was written.
#[derive(Debug, Clone)]
struct Member {
    name: Range<usize>,
    end: usize,
    /// Offset of its name in what was scanned.
    at: usize,
}

impl Canon {
    /// Reads a value and appends its canonical text.
    ///
    /// # Errors
    ///
    /// A flaw of the value.
    pub fn push(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scanned<()> {
        self.push_at_depth(scanner, out, 0)
    }

    fn push_at_depth(
        &mut self,
        scanner: &mut Scanner<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Scanned<()> {
        scanner.skip_white();
        match scanner.peek() {
            Some(b'"') => {
                self.text.clear();
                scanner.string(&mut self.text)?;
                push_string(out, &self.text);
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => push_number(scanner, out),
            Some(b'[' | b'{') if depth == DEPTH_MAX => Err(too_deep(scanner.at())),
            Some(b'[') => {
                out.push(b'[');
                let mut is_first = true;
                scanner.array(&mut |scanner| {
                    if !std::mem::take(&mut is_first) {
                        out.push(b',');
                    }
                    self.push_at_depth(scanner, out, depth + 1)
                })?;
                out.push(b']');
                Ok(())
            }
            Some(b'{') => self.push_object(scanner, out, depth),
            _ => {
                out.extend_from_slice(scanner.word()?.as_bytes());
                Ok(())
            }
        }
    }

    fn push_object(
        &mut self,
        scanner: &mut Scanner<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Scanned<()> {
        let first = self.members.len();
        let result = self.push_members(scanner, out, depth);
        self.members.truncate(first);
        result
    }

    fn push_members(
        &mut self,
        scanner: &mut Scanner<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Scanned<()> {
        out.push(b'{');
        let (first, start) = (self.members.len(), out.len());
        scanner.object(&mut |scanner, name, at| {
            if out.len() > start {
                out.push(b',');
            }
            let name_start = out.len() + 1;
            push_string(out, name);
            let name = name_start..out.len() - 1;
            out.push(b':');
            self.push_at_depth(scanner, out, depth + 1)?;
            let end = out.len();
            self.members.push(Member { name, end, at });
            Ok(())
        })?;
        self.sort_members(first, start, out)?;
        out.push(b'}');
        Ok(())
    }

    /// Puts the members from `first` on, whose text starts at `start`, in order.
    fn sort_members(&mut self, first: usize, start: usize, out: &mut Vec<u8>) -> Scanned<()> {
        let members = self.members.get_mut(first..).unwrap_or_default();
        let name = |member: &Member| out.get(member.name.clone()).unwrap_or_default();
        let is_sorted = members.windows(2).all(|pair| match pair {
            [one, other] => name(one).cmp(name(other)) == Ordering::Less,
            _ => true,
        });
        if is_sorted {
            return Ok(());
        }
        // Stable, so that of two equal names the later one is reported.
        members.sort_by(|one, other| name(one).cmp(name(other)));
        for pair in members.windows(2) {
            if let [one, other] = pair
                && name(one) == name(other)
            {
                return Err(twice(other.at, name(other)));
            }
        }
        self.sorted.clear();
        for member in members.iter() {
            if !self.sorted.is_empty() {
                self.sorted.push(b',');
            }
            let text = out.get(member.name.start - 1..member.end);
            self.sorted.extend_from_slice(text.unwrap_or_default());
        }
        out.truncate(start);
        out.extend_from_slice(&self.sorted);
        Ok(())
    }

    /// Whether `text` is the canonical text of an array or an object.
    pub fn is_canonical(&mut self, text: &[u8]) -> bool {
        let mut scanner = Scanner::new(text, 0);
        let mut out = Vec::new();
        matches!(text.first(), Some(b'[' | b'{'))
            && self.push(&mut scanner, &mut out).is_ok()
            && out == text
    }
}

/// Reads a number and appends its canonical text.
///
/// # Errors
///
/// A flaw of the number.
pub fn push_number(scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scanned<()> {
    let at = scanner.at();
    let text = scanner.number()?;
    match decimal::push_canonical(out, text) {
        true => Ok(()),
        false => Err(Flaw::new(
            at,
            "the exponent of a number is out of all reason",
        )),
    }
}

/// Appends a string in quotes, escaped where it must be.
pub fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, behind) = rest.split_at(plain_len(rest).0.min(rest.len()));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = behind.split_first() else {
            break;
        };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = behind;
    }
    out.push(b'"');
}

/// The flaw of two members of one name.
pub fn twice(at: usize, name: &[u8]) -> Flaw {
    Flaw::new(
        at,
        format!(
            "a field {:?} stands twice in one object",
            super::escape(name)
        ),
    )
}

/// The flaw of values nested too deep.
pub fn too_deep(at: usize) -> Flaw {
    Flaw::new(
        at,
        format!("values are nested more than {DEPTH_MAX} levels deep"),
    )
}

#[cfg(test)]
#[path = "json_text_tests.rs"]
mod tests;
