//! The `q` of a search of the log: terms with `AND` between, each a property, a colon and what it must be. What is not
//! understood is refused and says what would be: a search that looked past a term would answer what was not asked.

use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{LogFilter, MAX_LOG_KINDS};

use super::super::error::Failure;
use super::super::schema::Violation;

/// Reads a `q`; an empty one wants every line.
pub(super) fn filter(q: &str) -> Result<LogFilter, Failure> {
    let mut filter = LogFilter::default();
    let mut seen = Vec::new();
    for term in terms(q) {
        let Some((name, value)) = term.split_once(':').map(|(name, value)| (name.trim(), value.trim())) else {
            return refused("Write each term like type:seccft, with AND between");
        };
        if seen.contains(&name) {
            return refused("A property can be named once: type:(a OR b) for several kinds");
        }
        seen.push(name);
        match name {
            "type" => kinds(&mut filter, value)?,
            "client_id" => filter.client_id = Some(ClientId::new(exact(value)?)),
            "user_id" => filter.user_id = Some(UserId::new(exact(value)?)),
            "ip" => filter.address = Some(exact(value)?.to_owned()),
            "date" => (filter.from, filter.to) = dates(value)?,
            _ => return refused("Only type, client_id, user_id, ip and date can be searched for"),
        }
    }
    Ok(filter)
}

/// The terms of a query: at ` AND ` outside of quotes.
fn terms(q: &str) -> Vec<&str> {
    if q.trim().is_empty() {
        return Vec::new();
    }
    let mut terms = Vec::new();
    let (mut begin, mut is_quoted) = (0, false);
    for (place, character) in q.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted && q[place..].starts_with(" AND ") => {
                terms.push(&q[begin..place]);
                begin = place + " AND ".len();
            }
            _ => {}
        }
    }
    terms.push(q.get(begin..).unwrap_or_default());
    terms.into_iter().map(str::trim).collect()
}

/// `seccft`, `"seccft"`, `s*` or `(s OR f)`.
fn kinds(filter: &mut LogFilter, value: &str) -> Result<(), Failure> {
    if let Some(beginning) = value.strip_suffix('*').filter(|beginning| !beginning.is_empty()) {
        filter.kind_prefix = Some(exact(beginning)?.to_owned());
        return Ok(());
    }
    let several = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'));
    let kinds: Result<Vec<&str>, Failure> = several.unwrap_or(value).split(" OR ").map(exact).collect();
    let kinds = kinds?;
    if kinds.len() > MAX_LOG_KINDS {
        return refused("At most six types can be searched for at once");
    }
    filter.kinds = kinds.into_iter().map(str::to_owned).collect();
    Ok(())
}

/// `[2018-12-10 TO *]`, either end a date, an instant or `*`.
fn dates(value: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
    let range = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let Some((from, to)) = range.and_then(|range| range.split_once(" TO ")) else {
        return refused("Write a date like [2018-12-10 TO *]");
    };
    let end = |text: &str| match text.trim() {
        "*" => Ok(None),
        text => match Timestamp::parse(text) {
            Some(at) => Ok(Some(at)),
            None => refused("Write a date like 2018-12-10 or 2018-12-10T14:47:08.713Z"),
        },
    };
    // A day lasts until its end.
    let last = end(to)?.map(|at| match to.trim().len() {
        10 => at.plus_ms(86_400_000 - 1),
        _ => at,
    });
    Ok((end(from)?, last))
}

/// A value as it is, or in quotes.
fn exact(value: &str) -> Result<&str, Failure> {
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let steers = |c: char| c.is_whitespace() || "\"*?()[]{}~^".contains(c);
    match quoted {
        Some(value) if !value.is_empty() && !value.contains('"') => Ok(value),
        None if !value.is_empty() && !value.contains(steers) => Ok(value),
        Some(_) | None => refused("A value is one word, or stands in quotes; types may end in *"),
    }
}

fn refused<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::query(&Violation::at("q", text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_are_read_into_a_filter() {
        let q = r#"type:(sapi OR "fapi") AND client_id:"a AND b" AND ip:127.0.0.1 AND date:[2018-12-10 TO *]"#;
        let read = filter(q).unwrap();
        assert_eq!(read.kinds, ["sapi", "fapi"]);
        assert_eq!(read.client_id, Some(ClientId::new("a AND b")));
        assert_eq!(read.address.as_deref(), Some("127.0.0.1"));
        assert_eq!((read.from, read.to), (Timestamp::parse("2018-12-10"), None));
        assert_eq!(filter("type:s*").unwrap().kind_prefix.as_deref(), Some("s"));
        assert_eq!(filter(" ").unwrap(), LogFilter::default());
    }

    #[test]
    fn a_day_at_the_end_is_in_the_range() {
        let read = filter("date:[2018-12-10 TO 2018-12-10]").unwrap();
        assert_eq!(read.to, Timestamp::parse("2018-12-10T23:59:59.999Z"));
    }

    #[test]
    fn what_would_be_looked_past_is_refused() {
        for q in [
            "seccft",
            "type:a type:b",
            "type:a AND type:b",
            "description:x",
            "type:*",
            "type:(",
            "date:today",
            "NOT type:a",
            "type:a AND ",
        ] {
            assert!(filter(q).is_err(), "{q}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(q in "[a-z:\"()\\[\\]* ANDORT0-9-]{0,60}") {
            let _read = filter(&q).is_ok();
        }
    }
}
