//! Medians, percentiles, and figures as people read them.

/// The middle value; 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(&sorted(values), 0.5)
}

/// The value below which the part `share` (0 to 1) of `sorted` lies; 0 of none.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * share).round() as usize;
    sorted.get(place.min(last)).copied().unwrap_or(0.0)
}

/// The values in ascending order.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// A rate, with blanks between thousands: `12 345/s`.
pub fn rate(per_s: f64) -> String {
    if per_s < 1000.0 {
        return format!("{per_s:.1}/s");
    }
    let digits = format!("{per_s:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text + "/s"
}

/// A time in milliseconds: `0.16 ms`, `12.3 ms`.
pub fn ms(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.2} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_any_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values = sorted((1..=1000).map(f64::from));
        assert_eq!(percentile(&values, 0.99), 990.0);
        assert_eq!(percentile(&values, 1.0), 1000.0);
        assert_eq!(percentile(&values, 0.0), 1.0);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(rate(1_234_567.0), "1 234 567/s");
        assert_eq!(rate(12_345.4), "12 345/s");
        assert_eq!(rate(57.24), "57.2/s");
    }
}
