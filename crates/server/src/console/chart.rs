//! Bars over time, drawn by the server as SVG: numbers that no colour is needed for, and a table that says the same.
//!
//! What is drawn is worked out here, in the units of the drawing; the template `chart.html` only writes it down.

use super::display::number;
use super::words;

/// The drawing's width and height; where the bars begin from its left, beside the counts; and where they begin and end
/// from its top.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 240;
const LEFT: u64 = 44;
const TOP: u64 = 24;
const BOTTOM: u64 = 204;
/// Most lines across, besides the one at the bottom.
const MAX_LINES: u64 = 4;
/// Space that each label below the bars needs.
const LABEL_WIDTH: u64 = 72;

/// What is counted over one span of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// The span, in full: "2026-11-24 03:00 UTC".
    pub name: String,
    /// The span, in few characters: "03:00".
    pub label: String,
    /// One count for each series.
    pub counts: Vec<u64>,
}

/// A chart, ready to be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart {
    /// What its parts are named after in the page; one chart of a page has it.
    pub id: &'static str,
    /// What it shows: "Tokens issued by hour".
    pub title: &'static str,
    /// What the drawing says, for those who do not see it.
    pub description: String,
    /// What is counted, from the bottom up: at most two, the second is hatched.
    pub series: Vec<&'static str>,
    /// All of each series.
    pub totals: Vec<u64>,
    /// What was counted, for the table.
    pub bars: Vec<Bar>,
    /// The rectangles.
    pub blocks: Vec<Block>,
    /// The lines across, with their counts.
    pub lines: Vec<Line>,
    /// The labels below.
    pub labels: Vec<Label>,
}

/// A rectangle of a bar.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "they are SVG's own")]
pub struct Block {
    /// 0 is solid, 1 is hatched.
    pub series: usize,
    /// What it stands for: "03:00: 12 issued".
    pub title: String,
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
}

/// A line across.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// How far from the top.
    pub y: String,
    /// The count that it stands for: "1.5k".
    pub text: String,
}

/// A label below the bars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Its middle.
    pub x: String,
    /// What it says.
    pub text: String,
    /// Whether it is left out where there is little room.
    pub is_minor: bool,
}

/// A count of the store's, which is never negative.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

impl Chart {
    /// Draws these bars, of which each has a count for each series.
    pub fn new(id: &'static str, title: &'static str, series: &[&'static str], bars: Vec<Bar>) -> Self {
        let totals: Vec<u64> = (0..series.len())
            .map(|at| bars.iter().map(|bar| bar.count(at)).sum())
            .collect();
        let highest = bars.iter().map(Bar::sum).max().unwrap_or_default();
        let (step, lines) = scale(highest);
        let top = (step * lines).max(1);
        Self {
            description: description(series, &totals, &bars),
            blocks: blocks(series, &bars, top),
            lines: (1..=lines)
                .map(|line| Line {
                    y: tenths(height_tenths(BOTTOM - TOP, top - line * step, top) + TOP * 10),
                    text: compact(line * step),
                })
                .collect(),
            labels: labels(&bars),
            series: series.to_vec(),
            totals,
            bars,
            id,
            title,
        }
    }

    /// Whether nothing was counted at all.
    pub fn is_empty(&self) -> bool {
        self.totals.iter().all(|total| *total == 0)
    }

    /// The drawing's width and height.
    pub fn size(&self) -> (u64, u64) {
        (WIDTH, HEIGHT)
    }

    /// Each series with all that was counted of it.
    pub fn legend(&self) -> impl Iterator<Item = (&'static str, String)> {
        let totals = self.totals.iter().map(|total| number(*total));
        self.series.iter().copied().zip(totals)
    }

    /// Where the labels stand.
    pub fn label_y(&self) -> u64 {
        BOTTOM + 18
    }

    /// Where the bars begin, from the left.
    pub fn left(&self) -> u64 {
        LEFT
    }

    /// The line that the bars stand on.
    pub fn bottom(&self) -> u64 {
        BOTTOM
    }
}

impl Bar {
    fn count(&self, series: usize) -> u64 {
        self.counts.get(series).copied().unwrap_or_default()
    }

    /// Its counts, for a table.
    pub fn cells(&self) -> impl Iterator<Item = String> {
        self.counts.iter().map(|count| number(*count))
    }

    fn sum(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A count in few characters: "950", "1.5k", "20M".
pub fn compact(count: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| count >= *unit) else {
        return count.to_string();
    };
    match (count / unit, count % unit * 10 / unit) {
        (whole, 0) => format!("{whole}{name}"),
        (whole, tenth) => format!("{whole}.{tenth}{name}"),
    }
}

/// The count between two lines, a 1, 2 or 5 and noughts, and how many lines reach the highest bar.
fn scale(highest: u64) -> (u64, u64) {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 5].map(|digit| unit.saturating_mul(digit)) {
            let lines = highest.div_ceil(step).max(1);
            if lines <= MAX_LINES {
                return (step, lines);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// The width that each bar has with the gap beside it, in tenths of a unit.
fn slot(bars: &[Bar]) -> u64 {
    (WIDTH - LEFT) * 10 / bars.len().max(1) as u64
}

fn blocks(series: &[&'static str], bars: &[Bar], top: u64) -> Vec<Block> {
    let mut blocks = Vec::new();
    let slot = slot(bars);
    let gap = (slot / 5).max(10).min(slot / 2);
    for (place, bar) in (0_u64..).zip(bars) {
        let mut below = 0;
        for (at, name) in series.iter().enumerate() {
            let count = bar.count(at);
            if count == 0 {
                continue;
            }
            let (from, to) = (
                height_tenths(BOTTOM - TOP, below, top),
                height_tenths(BOTTOM - TOP, below + count, top),
            );
            // What happened once among a million is seen as well.
            let height = (to - from).max(10);
            blocks.push(Block {
                series: at,
                title: words::chart::bar(&bar.name, &number(count), name),
                x: tenths(LEFT * 10 + place * slot + gap / 2),
                y: tenths((BOTTOM * 10).saturating_sub(from + height)),
                width: tenths(slot - gap),
                height: tenths(height),
            });
            below += count;
        }
    }
    blocks
}

fn labels(bars: &[Bar]) -> Vec<Label> {
    let slot = slot(bars);
    // Every bar, every second, third, fourth, sixth: so that the labels have room, twice as much where there is little.
    let room = |width: u64| {
        let every = [1_u64, 2, 3, 4, 6, 7, 8, 12, 14, 24, 30];
        every.into_iter().find(|every| every * slot >= width * 10).unwrap_or(60)
    };
    let (every, rarely) = (room(LABEL_WIDTH), room(LABEL_WIDTH * 2));
    let rarely = rarely.next_multiple_of(every);
    (0_u64..)
        .zip(bars)
        .filter(|(place, _)| place.is_multiple_of(every))
        .map(|(place, bar)| Label {
            x: tenths(LEFT * 10 + place * slot + slot / 2),
            text: bar.label.clone(),
            is_minor: !place.is_multiple_of(rarely),
        })
        .collect()
}

fn description(series: &[&'static str], totals: &[u64], bars: &[Bar]) -> String {
    let of_series = series.iter().enumerate().map(|(at, name)| {
        let total = number(totals.get(at).copied().unwrap_or_default());
        let most = bars
            .iter()
            .max_by_key(|bar| bar.count(at))
            .filter(|bar| bar.count(at) > 0);
        match most {
            Some(bar) => words::chart::total_with_most(&total, name, &bar.name, &number(bar.count(at))),
            None => words::chart::total(&total, name),
        }
    });
    let of_series: Vec<_> = of_series.collect();
    format!("{}.", of_series.join("; "))
}

/// A part of a height, in tenths of a unit.
fn height_tenths(height: u64, part: u64, whole: u64) -> u64 {
    let tenths = u128::from(height) * 10 * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(tenths).unwrap_or(u64::MAX)
}

fn tenths(count: u64) -> String {
    match count % 10 {
        0 => (count / 10).to_string(),
        tenth => format!("{}.{tenth}", count / 10),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(counts: &[[u64; 2]]) -> Chart {
        let bars = counts.iter().enumerate().map(|(hour, counts)| Bar {
            name: format!("2026-01-15 {hour:02}:00 UTC"),
            label: format!("{hour:02}:00"),
            counts: counts.to_vec(),
        });
        Chart::new("tokens", "Tokens by hour", &["issued", "refused"], bars.collect())
    }

    #[test]
    fn bars_stand_on_one_another_and_say_their_counts() {
        let chart = chart(&[[3, 1], [0, 0]]);
        assert_eq!(chart.totals, [3, 1]);
        let drawn: Vec<_> = chart
            .blocks
            .iter()
            .map(|block| (block.series, block.y.as_str(), block.height.as_str()))
            .collect();
        assert_eq!(drawn, [(0, "69", "135"), (1, "24", "45")]);
        assert_eq!(chart.blocks[0].title, "2026-01-15 00:00 UTC: 3 issued");
        let lines: Vec<_> = chart
            .lines
            .iter()
            .map(|line| (line.y.as_str(), line.text.as_str()))
            .collect();
        assert_eq!(lines, [("159", "1"), ("114", "2"), ("69", "3"), ("24", "4")]);
        assert_eq!(
            chart.description,
            "3 issued, the most at 2026-01-15 00:00 UTC: 3; 1 refused, the most at 2026-01-15 00:00 UTC: 1."
        );
    }

    #[test]
    fn nothing_counted_is_told() {
        assert!(chart(&[[0, 0]; 24]).is_empty() && chart(&[]).blocks.is_empty());
        assert_eq!(chart(&[[0, 0]]).description, "0 issued; 0 refused.");
    }

    #[test]
    fn labels_have_room() {
        let labels = chart(&[[1, 0]; 24]).labels;
        let shown: Vec<_> = labels
            .iter()
            .map(|label| (label.text.as_str(), label.is_minor))
            .collect();
        assert_eq!(
            shown[..4],
            [("00:00", false), ("03:00", true), ("06:00", false), ("09:00", true)]
        );
    }

    #[test]
    fn counts_are_written_for_people() {
        assert_eq!([950, 1000, 1500, 20_000_000].map(compact), ["950", "1k", "1.5k", "20M"]);
    }

    proptest! {
        #[test]
        fn any_counts_stay_inside_the_drawing(counts in proptest::collection::vec([0_u64..=u64::MAX / 1000, 0..=1000], 0..100)) {
            let chart = chart(&counts);
            prop_assert!(chart.lines.len() as u64 <= MAX_LINES);
            for block in &chart.blocks {
                let number = |text: &str| text.parse::<f64>().unwrap();
                let (y, height) = (number(&block.y), number(&block.height));
                prop_assert!(y >= 0.0 && y + height <= 205.0, "{block:?}");
                prop_assert!(number(&block.x) >= 44.0 && number(&block.x) + number(&block.width) <= 720.0);
            }
        }
    }
}
