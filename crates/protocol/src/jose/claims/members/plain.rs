//! The short way through a payload as issuers write most of them: no white space around what is in it, no escapes, and
//! nothing but texts and whole numbers as values. What is anything else is not judged here, but left to [`super::reading`].

use super::{EXPECTED, FEW, Held, Member, Text, tag_of};

/// The longest whole number that is a `u64` for certain, in digits.
const MAX_DIGITS: usize = 19;

/// The members of a payload, if it is such a one and nobody is named twice.
pub(super) fn read(payload: &str) -> Option<Vec<Member>> {
    // Asked of all bytes at once, since that is quicker than of each where it stands.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'\\';
    if !payload.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return None;
    }
    let mut rest = Rest { payload, place: 0 };
    let mut members: Vec<Member> = Vec::with_capacity(EXPECTED);
    rest.take(b'{')?;
    loop {
        let name = rest.text()?;
        rest.take(b':')?;
        let held = match rest.next()? {
            b'"' => Held::Text(rest.text()?),
            _ => Held::Whole(rest.whole()?),
        };
        let called = name.of(payload, "");
        let tag = tag_of(called);
        let is_twice = |before: &Member| before.is_called(payload, "", tag, called);
        if members.len() == FEW || members.iter().any(is_twice) {
            return None;
        }
        members.push(Member { tag, name, held });
        match rest.next()? {
            b',' => rest.place += 1,
            _ => break,
        }
    }
    rest.take(b'}')?;
    (rest.place == payload.len()).then_some(members)
}

/// What of a payload was not read yet.
struct Rest<'p> {
    payload: &'p str,
    place: usize,
}

impl Rest<'_> {
    fn next(&self) -> Option<u8> {
        self.payload.as_bytes().get(self.place).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.place += 1)
    }

    /// A text, which stands in the payload as it is, between quotation marks.
    fn text(&mut self) -> Option<Text> {
        self.take(b'"')?;
        let start = self.place;
        let end = start + memchr::memchr(b'"', &self.payload.as_bytes()[start..])?;
        self.place = end + 1;
        Some(Text {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
        })
    }

    /// A number without sign, fraction and exponent.
    fn whole(&mut self) -> Option<u64> {
        let start = self.place;
        let mut number = 0;
        while let Some(digit @ b'0'..=b'9') = self.next() {
            if self.place - start == MAX_DIGITS {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
            self.place += 1;
        }
        let has_idle_zero = self.place - start > 1 && self.payload.as_bytes()[start] == b'0';
        (self.place > start && !has_idle_zero).then_some(number)
    }
}
