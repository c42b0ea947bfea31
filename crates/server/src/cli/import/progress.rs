//! How far a long import is, on stderr: a bar for people, a line now and then where nobody watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::tally::Tally;

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(200);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(10);
/// Characters of the bar.
const WIDTH: usize = 24;

/// The bar.
pub(super) struct Progress {
    size: u64,
    began: Instant,
    /// The bytes that an earlier run had read, once the first batch of this one is known.
    before: Option<(u64, u64)>,
    drawn: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    /// Of a file of so many bytes.
    pub(super) fn new(size: u64) -> Self {
        Self {
            size,
            began: Instant::now(),
            before: None,
            drawn: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is, if it is time to.
    pub(super) fn show(&mut self, tally: &Tally) {
        let (offset, records) = (tally.reached.offset, tally.read());
        let (first_offset, first_records) = *self.before.get_or_insert((offset, records));
        let pause = if self.is_terminal { FRAME } else { LINE };
        if self.drawn.unwrap_or(self.began).elapsed() < pause {
            return;
        }
        self.drawn = Some(Instant::now());
        let took = self.began.elapsed().as_secs().max(1);
        let rate = (records - first_records) / took;
        let done = offset.saturating_sub(first_offset).max(1);
        let left_s = self.size.saturating_sub(offset).saturating_mul(took) / done;
        let percent = (offset * 100).checked_div(self.size).unwrap_or(100);
        let text = format!(
            "{percent:>3} %  {records} records, {rate} a second, {} rejected, {left_s} s left",
            tally.rejected
        );
        let mut stderr = io::stderr().lock();
        // Where nobody reads stderr there is nobody to tell.
        let _ = match self.is_terminal {
            true => {
                let full = usize::try_from(percent).unwrap_or(100).min(100) * WIDTH / 100;
                let bar = format!("{}{}", "#".repeat(full), "-".repeat(WIDTH - full));
                write!(stderr, "\r\x1b[K[{bar}] {text}").and_then(|()| stderr.flush())
            }
            false => writeln!(stderr, "{text}"),
        };
    }

    /// Leaves the line of the bar.
    pub(super) fn end(&mut self) {
        if self.is_terminal && self.drawn.take().is_some() {
            let _ = writeln!(io::stderr());
        }
    }
}
