//! The table: a row for each promise, its ratio, and whether it was kept.

use tokenhouse_bench::generator::Report;
use tokenhouse_bench::numbers::median;

/// Above this share of its core a load generator measures itself.
const MOST_GENERATOR_SHARE: f64 = 0.9;

/// A figure and what it is compared with, of one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) measured: f64,
    pub(crate) against: f64,
}

/// What the ratio of measured to compared must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Only stated.
    None,
}

/// One row.
pub(crate) struct Row {
    what: String,
    measured: String,
    against: String,
    ratio: f64,
    bound: Bound,
    void: Option<String>,
}

impl Row {
    /// A row from rounds; `unit` writes a figure, `reference` says what the second one is.
    pub(crate) fn of(
        what: impl Into<String>,
        pairs: &[Pair],
        unit: fn(f64) -> String,
        reference: &str,
        bound: Bound,
    ) -> Self {
        let measured = median(pairs.iter().map(|pair| pair.measured));
        let against = median(pairs.iter().map(|pair| pair.against));
        Self {
            what: what.into(),
            measured: unit(measured),
            against: format!("{} {reference}", unit(against)),
            ratio: median(pairs.iter().map(|pair| pair.measured / pair.against)),
            bound,
            void: None,
        }
    }

    /// The same, void if the load generator was too busy in most rounds, or got anything but good answers.
    pub(crate) fn checked<'a>(mut self, reports: impl IntoIterator<Item = &'a Report>) -> Self {
        let reports: Vec<&Report> = reports.into_iter().collect();
        let share = median(reports.iter().map(|report| report.cpu_share));
        let broken: u64 = reports.iter().map(|report| report.broken).sum();
        let other = reports.iter().find_map(|report| report.others.iter().next());
        let nothing = reports.iter().any(|report| report.good == 0);
        self.void = match other {
            Some((status, count)) => Some(format!("status {status} × {count}")),
            None if broken > 0 => Some(format!("{broken} broken connections")),
            None if nothing => Some("no answers".into()),
            None if share > MOST_GENERATOR_SHARE => Some(format!("generator {:.0} % busy", share * 100.0)),
            None => None,
        };
        self
    }

    /// The same with a remark behind the measured figure.
    pub(crate) fn remark(mut self, remark: &str) -> Self {
        self.measured = format!("{} ({remark})", self.measured);
        self
    }

    fn verdict(&self) -> String {
        if let Some(reason) = &self.void {
            return format!("void: {reason}");
        }
        let kept = match self.bound {
            Bound::AtLeast(least) => self.ratio >= least,
            Bound::AtMost(most) => self.ratio <= most,
            Bound::None => return "stated".into(),
        };
        if kept { "yes".into() } else { "**no**".into() }
    }
}

/// The rows as a table in Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = "| what | measured | against | ratio | must be | kept |\n|---|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let bound = match row.bound {
            Bound::AtLeast(least) => format!("≥ {least:.2}"),
            Bound::AtMost(most) => format!("≤ {most:.2}"),
            Bound::None => "–".into(),
        };
        let cells = [
            row.what.clone(),
            row.measured.clone(),
            row.against.clone(),
            format!("{:.2}", row.ratio),
            bound,
            row.verdict(),
        ];
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use tokenhouse_bench::numbers::rate;

    use super::*;

    fn row(measured: f64) -> Row {
        let pairs = [
            Pair {
                measured,
                against: 100.0,
            },
            Pair {
                measured: 1.0,
                against: 100.0,
            },
            Pair {
                measured: 99.0,
                against: 100.0,
            },
        ];
        Row::of("it", &pairs, rate, "raw", Bound::AtLeast(0.8))
    }

    #[test]
    fn a_row_is_judged_by_the_median_of_its_rounds_ratios() {
        assert_eq!(row(80.0).verdict(), "yes");
        assert_eq!(row(79.0).verdict(), "**no**");
        assert!(markdown(&[row(80.0)]).ends_with("| it | 80.0/s | 100.0/s raw | 0.80 | ≥ 0.80 | yes |\n"));
    }

    #[test]
    fn a_busy_generator_or_a_refusal_makes_a_row_void() {
        let good = Report {
            good: 1,
            ..Report::default()
        };
        assert_eq!(row(80.0).checked([&good]).verdict(), "yes");
        let busy = Report {
            cpu_share: 0.91,
            ..good.clone()
        };
        assert!(row(80.0).checked([&busy]).verdict().starts_with("void"));
        let refused = Report {
            others: [(503, 1)].into(),
            ..good
        };
        assert_eq!(row(80.0).checked([&refused]).verdict(), "void: status 503 × 1");
    }
}
