//! How pages write moments and numbers.

use tokenhouse_protocol::time::Timestamp;

use super::words;

/// A moment, for `parts::moment`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// As programs read it.
    pub(crate) iso: String,
    /// As people read it, in UTC.
    pub(crate) text: String,
}

impl Moment {
    /// The moment of an instant.
    pub(crate) fn of(at: Timestamp) -> Self {
        let iso = at.to_string();
        let part = |range: std::ops::Range<usize>| iso.get(range).unwrap_or_default();
        let month = part(5..7).parse::<usize>().ok().and_then(|month| month.checked_sub(1));
        let month = month
            .and_then(|month| words::time::MONTHS.get(month))
            .copied()
            .unwrap_or_default();
        let day = part(8..10).trim_start_matches('0');
        let text = words::time::moment(day, month, part(0..4), part(11..16));
        Self { iso, text }
    }
}

/// A number with its thousands apart.
pub(crate) fn number(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if number < 0 { format!("\u{2212}{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_numbers_read_as_people_write_them() {
        let moment = Moment::of(Timestamp::from_seconds(1_768_471_200));
        assert_eq!(moment.text, "15 Jan 2026, 10:00 UTC");
        assert_eq!(moment.iso, "2026-01-15T10:00:00.000Z");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(-12), "\u{2212}12");
    }
}
