//! Instants, and the one clock of the house. Everything that asks for the time is handed a [`Clock`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, as stored in every `…_at` column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The instant `seconds` after the epoch; saturates far outside any calendar.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads an instant as RFC 3339 §5.6 writes it, fractions beyond the millisecond cut off; a date alone is its first
    /// moment in UTC. `None` for anything else, leap seconds among it.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            let is_number = digits.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| digits.parse::<i64>().ok()).flatten()
        };
        let bytes = text.as_bytes();
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + i64::from(is_leap),
            _ => 31,
        };
        if bytes[4] != b'-' || bytes[7] != b'-' || !(1..=12).contains(&month) || !(1..=days).contains(&day) {
            return None;
        }
        // Days since 0000-03-01, in eras of 400 years: Howard Hinnant's days_from_civil.
        let shifted_year = year - i64::from(month <= 2);
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let midnight = (era * 146_097 + day_of_era - 719_468) * 86_400_000;
        if bytes.len() == 10 {
            return Some(Self(midnight));
        }
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' || bytes[16] != b':' {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = &text[19..];
        let mut ms = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            let padded: String = fraction[..digits].chars().chain("000".chars()).take(3).collect();
            ms = padded.parse().ok()?;
            rest = &fraction[digits..];
        }
        let offset_minutes = match rest.as_bytes() {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let at = text.len() - 5;
                let (hours, minutes) = (number(at..at + 2)?, number(at + 3..at + 5)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = hours * 60 + minutes;
                if *sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        let of_day = hour * HOUR_MS + (minute - offset_minutes) * 60_000 + second * 1000 + ms;
        Some(Self(midnight + of_day))
    }

    /// Milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: a `NumericDate` (RFC 7519 §2).
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant and `ms` more.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The beginning of this instant's hour, UTC: a usage bucket.
    #[must_use]
    pub fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR_MS) * HOUR_MS)
    }

    /// Year, month, day, hour, minute, second, millisecond in UTC (proleptic Gregorian).
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(86_400_000);
        let ms = self.0.rem_euclid(86_400_000);
        // Days since 0000-03-01, in eras of 400 years: Howard Hinnant's civil_from_days.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let month = if month_shifted < 10 {
            month_shifted + 3
        } else {
            month_shifted - 9
        };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_shifted + 2) / 5 + 1,
            hour: ms / HOUR_MS,
            minute: ms / 60_000 % 60,
            second: ms / 1000 % 60,
            millisecond: ms % 1000,
        }
    }
}

/// ISO 8601 with milliseconds and `Z`, as Auth0 writes times: `2023-07-11T16:30:16.596Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond
        )
    }
}

/// A [`Timestamp`] taken apart; see [`Timestamp::civil`].
#[expect(missing_docs, reason = "each field is its name")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub millisecond: i64,
}

/// Tells the time: the system's, or one that a test moves. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Set(Arc<AtomicI64>),
    /// The machine's, so many milliseconds ahead.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `at` until it is moved.
    pub fn set_to(at: Timestamp) -> Self {
        Self(Source::Set(Arc::new(AtomicI64::new(at.ms()))))
    }

    /// A clock that goes as the machine's does, and can be moved: for servers that tests talk to.
    pub fn movable() -> Self {
        Self(Source::Ahead(Arc::default()))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => machine(),
            Source::Set(ms) => Timestamp(ms.load(Ordering::SeqCst)),
            Source::Ahead(ms) => machine().plus_ms(ms.load(Ordering::SeqCst)),
        }
    }

    /// Moves a clock made with [`Clock::set_to`] or [`Clock::movable`] by `ms`, backwards if negative; the machine's
    /// stays as it is.
    pub fn advance_ms(&self, ms: i64) {
        match &self.0 {
            Source::System => {}
            Source::Set(moved) | Source::Ahead(moved) => {
                moved.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }
}

/// What the machine's clock says.
fn machine() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    let now = SystemTime::now();
    let ms = match now.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Timestamp(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_auth0_prints_them() {
        assert_eq!(
            Timestamp::from_ms(1_689_093_016_596).to_string(),
            "2023-07-11T16:30:16.596Z"
        );
        assert_eq!(
            Timestamp::from_ms(951_782_400_000).to_string(),
            "2000-02-29T00:00:00.000Z"
        );
        assert_eq!(Timestamp::from_ms(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_printed_reads_back_and_what_is_no_instant_does_not() {
        for ms in [0, -1, 1_689_093_016_596, 951_782_400_000, -62_135_596_800_000] {
            let time = Timestamp::from_ms(ms);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time), "{time}");
        }
        for (text, same) in [
            ("2023-07-11", "2023-07-11T00:00:00.000Z"),
            ("2023-07-11T16:30:16Z", "2023-07-11T16:30:16.000Z"),
            ("2023-07-11T16:30:16.1239Z", "2023-07-11T16:30:16.123Z"),
            ("2023-07-11T16:30:16+02:30", "2023-07-11T14:00:16.000Z"),
            ("2024-02-29T23:00:00-01:00", "2024-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), same);
        }
        for bad in [
            "",
            "2023-02-29",
            "2023-13-01",
            "2023-00-01",
            "2023-7-11",
            "2023-07-11T",
            "2023-07-11T16:30:16",
            "2023-07-11T16:30:16.Z",
            "2023-07-11T24:00:00Z",
            "2023-07-11T16:30:16+0200",
            "2023-07-1\u{e9}T16:30:16Z",
            "+023-07-11",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_hour_begins_on_the_hour() {
        assert_eq!(
            Timestamp::from_ms(1_689_093_016_596).hour().to_string(),
            "2023-07-11T16:00:00.000Z"
        );
    }

    #[test]
    fn a_set_clock_moves_only_when_moved() {
        let clock = Clock::set_to(Timestamp::from_seconds(100));
        let shared = clock.clone();
        clock.advance_ms(1500);
        assert_eq!(shared.now(), Timestamp::from_ms(101_500));
    }

    #[test]
    fn a_movable_clock_goes_on_from_where_it_was_moved_to() {
        let (clock, machine) = (Clock::movable(), Clock::system());
        let before = machine.now();
        clock.advance_ms(3_600_000);
        let moved = clock.now();
        assert!(moved >= before.plus_ms(3_600_000) && moved <= machine.now().plus_ms(3_600_000));
        clock.advance_ms(-3_600_000);
        assert!(clock.now() <= machine.now());
    }
}
