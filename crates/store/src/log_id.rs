//! The ids of log rows: 55 decimal digits, ordered by time, never made twice (CONTRACT §0).
//!
//! `900`, the time in UTC to the millisecond (17), the node (29), a count within the millisecond (6).

use tokenhouse_protocol::id::{LogId, NodeId};
use tokenhouse_protocol::time::Timestamp;

/// Ids of one millisecond.
const PER_MS: u32 = 1_000_000;

/// Makes the ids of one node's rows, each greater than the one before.
pub(crate) struct LogIds {
    node: String,
    at: Timestamp,
    sequence: u32,
    prefix: String,
    last: Option<LogId>,
}

impl LogIds {
    pub(crate) fn new(node: &NodeId) -> Self {
        let at = Timestamp::from_ms(0);
        Self {
            node: format!("{:029}", number(node)),
            at,
            sequence: 0,
            prefix: prefix(at),
            last: None,
        }
    }

    /// The next id: of `now`, or of the last id's time when the clock has gone back.
    pub(crate) fn next(&mut self, now: Timestamp) -> LogId {
        if now > self.at {
            self.turn(now);
        } else if self.sequence == PER_MS {
            self.turn(self.at.plus_ms(1));
        }
        let id = LogId::new(format!("{}{}{:06}", self.prefix, self.node, self.sequence));
        self.sequence += 1;
        self.last = Some(id.clone());
        id
    }

    /// The last id made, or the empty text, which comes before all.
    pub(crate) fn last(&self) -> &str {
        self.last.as_ref().map_or("", LogId::as_str)
    }

    fn turn(&mut self, at: Timestamp) {
        self.at = at;
        self.sequence = 0;
        self.prefix = prefix(at);
    }
}

/// What every id of this millisecond begins with: it comes before all of them, and after all older ones.
pub(crate) fn prefix(at: Timestamp) -> String {
    let c = at.civil();
    format!(
        "900{:04}{:02}{:02}{:02}{:02}{:02}{:03}",
        c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond
    )
}

/// The node's 16 letters and digits, read as a number to the base 62: below 10²⁹, and another for every node.
fn number(node: &NodeId) -> u128 {
    let digits = node
        .as_str()
        .bytes()
        .rev()
        .take_while(u8::is_ascii_alphanumeric)
        .take(16);
    digits.fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            _ => digit - b'a' + 36,
        };
        number * 62 + u128::from(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(letters: &str) -> NodeId {
        NodeId::new(format!("nod_{letters}"))
    }

    #[test]
    fn ids_have_55_digits_and_begin_with_the_time() {
        let id = LogIds::new(&node("zzzzzzzzzzzzzzzz")).next(Timestamp::from_ms(1_678_805_228_709));
        assert_eq!(id.as_str().len(), 55);
        assert!(id.as_str().bytes().all(|digit| digit.is_ascii_digit()));
        assert!(id.as_str().starts_with("90020230314144708709"), "{id}");
    }

    #[test]
    fn ids_grow_though_the_clock_stands_or_goes_back() {
        let mut ids = LogIds::new(&node("AAAAAAAAAAAAAAAA"));
        let now = Timestamp::from_ms(1_678_805_228_709);
        let mut last = ids.next(now);
        for back in 0..10 {
            let id = ids.next(now.plus_ms(-back * 1000));
            assert!(id > last);
            last = id;
        }
    }

    #[test]
    fn a_millisecond_that_is_full_borrows_from_the_next() {
        let mut ids = LogIds::new(&node("AAAAAAAAAAAAAAAA"));
        let now = Timestamp::from_ms(1_678_805_228_709);
        ids.next(now);
        ids.sequence = PER_MS;
        assert!(ids.next(now).as_str().starts_with("90020230314144708710"));
    }

    #[test]
    fn two_nodes_have_two_numbers() {
        assert_ne!(number(&node("AAAAAAAAAAAAAAAB")), number(&node("BAAAAAAAAAAAAAAA")));
        assert!(number(&node("zzzzzzzzzzzzzzzz")) < 10_u128.pow(29));
    }
}
