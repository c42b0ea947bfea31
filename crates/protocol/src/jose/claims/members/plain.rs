//! The short way through a payload as issuers write most of them: no white space around what is in it, no escapes, and
//! nothing but texts and whole numbers as values. What is anything else is not judged here, but left to [`super::reading`].
//!
//! Where no text has escapes, the quotation marks stand in pairs around texts: they are found eight bytes at a time, and
//! what is between the texts is looked at where it must stand.

use super::{EXPECTED, FEW, Held, Member, Text, tag_of};

/// The longest whole number that is a `u64` for certain, in digits.
const MAX_DIGITS: usize = 19;
/// The marks of as many members, a name and a text each.
const MAX_QUOTES: usize = 4 * FEW;

/// The members of a payload, if it is such a one and nobody is named twice.
pub(super) fn read(payload: &str) -> Option<Vec<Member>> {
    let bytes = payload.as_bytes();
    // Asked of all bytes at once, since that is quicker than of each where it stands.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'\\';
    if !bytes.iter().fold(true, |all, byte| all & is_plain(*byte)) {
        return None;
    }
    let mut places = [0; MAX_QUOTES];
    let mut quotes = find_quotes(bytes, &mut places)?.iter().copied();
    let mut members: Vec<Member> = Vec::with_capacity(EXPECTED);
    let mut seen = 0_u64;
    expect(bytes, 0, b'{')?;
    let mut place = 1;
    loop {
        let name = text(&mut quotes, place)?;
        let colon = name.end as usize + 1;
        expect(bytes, colon, b':')?;
        let (held, end) = if bytes.get(colon + 1) == Some(&b'"') {
            let value = text(&mut quotes, colon + 1)?;
            (Held::Text(value), value.end as usize + 1)
        } else {
            let (number, end) = whole(bytes, colon + 1)?;
            (Held::Whole(number), end)
        };
        let tag = tag_at(payload, name);
        // Of two tags in different places of this table, no more has to be compared.
        let sign = 1 << (tag.wrapping_mul(SPREAD) >> 58);
        let is_twice = |before: &Member| before.is_called(payload, "", tag, name.of(payload, ""));
        if members.len() == FEW || (seen & sign != 0 && members.iter().any(is_twice)) {
            return None;
        }
        seen |= sign;
        members.push(Member { tag, name, held });
        match bytes.get(end)? {
            b',' => place = end + 1,
            b'}' if end + 1 == bytes.len() => return Some(members),
            _ => return None,
        }
    }
}

/// An odd number whose product has all of a tag in its highest bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

fn expect(bytes: &[u8], place: usize, byte: u8) -> Option<()> {
    (*bytes.get(place)? == byte).then_some(())
}

/// A text whose first mark stands at `place`: what is between that one and the next.
fn text(quotes: &mut impl Iterator<Item = u32>, place: usize) -> Option<Text> {
    let first = quotes.next()?;
    let end = quotes.next()?;
    (first as usize == place).then_some(Text { start: first + 1, end })
}

/// A number without sign, fraction and exponent that begins at `start`, and where it ends.
fn whole(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    let digits = bytes.get(start..)?.iter().take(MAX_DIGITS + 1);
    let (mut number, mut count) = (0_u64, 0);
    for digit in digits.take_while(|byte| byte.is_ascii_digit()) {
        if count == MAX_DIGITS {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
        count += 1;
    }
    let has_idle_zero = count > 1 && bytes[start] == b'0';
    (count > 0 && !has_idle_zero).then_some((number, start + count))
}

/// What [`tag_of`] makes of this name: of its first eight bytes at once, where as many bytes follow.
fn tag_at(payload: &str, name: Text) -> u64 {
    let (start, end) = (name.start as usize, name.end as usize);
    let first = payload.as_bytes().get(start..start + size_of::<u64>());
    let length = end - start;
    match first.and_then(|first| first.try_into().ok()) {
        Some(first) if (1..=u8::MAX.into()).contains(&length) => {
            let unused_bits = 64 - 8 * length.min(7);
            ((length as u64) << (64 - unused_bits)) | (u64::from_be_bytes(first) >> unused_bits)
        }
        _ => tag_of(name.of(payload, "")),
    }
}

/// Where quotation marks stand, from the left; `None` if there are more than `places` has room for.
fn find_quotes<'p>(bytes: &[u8], places: &'p mut [u32; MAX_QUOTES]) -> Option<&'p [u32]> {
    let mut count = 0;
    let mut from = 0;
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    for eight in eights.iter().chain([&last]) {
        let mut marks = marks(u64::from_le_bytes(*eight));
        while marks != 0 {
            *places.get_mut(count)? = from + marks.trailing_zeros() / 8;
            count += 1;
            marks &= marks - 1;
        }
        from += 8;
    }
    places.get(..count)
}

/// The highest bit of each byte that is a quotation mark.
fn marks(eight: u64) -> u64 {
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let other = eight ^ 0x2222_2222_2222_2222;
    // Exact: the sum carries nothing into the next byte.
    !(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS)
}
