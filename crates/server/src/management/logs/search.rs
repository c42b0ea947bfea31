//! The `q` of a search of the log. What the store can look for by itself becomes its filter; the rest is asked of each
//! line that the filter lets through. A field that no line has is refused and told which there are: a search that
//! looked past a term would answer what was not asked.

use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{LogFilter, LogRow, MAX_LOG_KINDS, StoreError};

use super::super::error::Failure;
use super::super::schema::Violation;
use super::super::term::{Bound, Pattern, Term};
use crate::audit::event;
use crate::tenant::Tenant;

/// What can be asked, as it is told.
pub(super) const NOTE: &str = "field:value, with quotes, *, ranges, _exists_, AND, OR, NOT and parentheses; the fields are \
     type, client_id, client_name, user_id, user_name, ip, date, description, connection, connection_id, strategy, \
     strategy_type, audience, scope, hostname, user_agent, log_id, request_id, channel, organization_id, \
     organization_name, and details with dots for what is inside";
/// The fields, `details` aside.
const FIELDS: [&str; 21] = [
    "type",
    "client_id",
    "client_name",
    "user_id",
    "user_name",
    "ip",
    "date",
    "description",
    "connection",
    "connection_id",
    "strategy",
    "strategy_type",
    "audience",
    "scope",
    "hostname",
    "user_agent",
    "log_id",
    "request_id",
    "channel",
    "organization_id",
    "organization_name",
];
/// Where a term without a field looks.
const FREE: [&str; 11] = [
    "type",
    "description",
    "client_name",
    "client_id",
    "user_name",
    "user_id",
    "ip",
    "audience",
    "connection",
    "hostname",
    "log_id",
];
/// Lines that are read at once where each is asked.
const STEP: u32 = 500;
/// A day.
const DAY_MS: i64 = 86_400_000;

/// Which lines are wanted.
#[derive(Debug, PartialEq)]
pub(super) struct Search {
    /// What the store looks for.
    pub(super) filter: LogFilter,
    /// What is asked of each line besides.
    rest: Option<Term>,
}

/// Reads a `q`; an empty one wants every line.
pub(super) fn read(q: &str) -> Result<Search, Failure> {
    let refused = |text: &str| Failure::query(&Violation::at("q", text));
    let term = Term::parse(q).map_err(|text| refused(&format!("{text}. Write {NOTE}")))?;
    let is_known = |field: &&str| FIELDS.contains(field) || *field == "details" || field.starts_with("details.");
    if let Some(other) = term.fields().into_iter().find(|field| !is_known(field)) {
        let other = tokenhouse_protocol::error::reflected(other);
        return Err(refused(&format!(
            "No line of the log has the field {other}. Write {NOTE}"
        )));
    }
    let term = dated(term).map_err(refused)?;
    let mut filter = LogFilter::default();
    let rest = narrowed(term, &mut filter);
    Ok(Search { filter, rest })
}

impl From<LogFilter> for Search {
    fn from(filter: LogFilter) -> Self {
        Self { filter, rest: None }
    }
}

impl Search {
    /// Whether the store finds all that is wanted by itself.
    pub(super) fn is_simple(&self) -> bool {
        self.rest.is_none()
    }

    /// Looks through the lines until `enough` were found: those after the first `skip`, `take` at most, and how many
    /// were found in all.
    pub(super) async fn run(
        &self,
        tenant: &Tenant,
        (skip, take, enough): (usize, usize, usize),
        is_ascending: bool,
    ) -> Result<(Vec<LogRow>, usize), StoreError> {
        let (store, filter) = (&tenant.house.store, &self.filter);
        let mut span = store.log_span(&tenant.id, filter).await?;
        let (mut found, mut total) = (Vec::new(), 0);
        while total < enough {
            let rows = store
                .logs_within(&tenant.id, filter, &span, (0, STEP), is_ascending)
                .await?;
            let Some(last) = rows.last() else { break };
            span.beyond(&last.id, is_ascending);
            let wanted = rows.into_iter().filter(|row| self.wants(row)).take(enough - total);
            for row in wanted {
                if total >= skip && found.len() < take {
                    found.push(row);
                }
                total += 1;
            }
        }
        Ok((found, total))
    }

    fn wants(&self, row: &LogRow) -> bool {
        let rest = self.rest.as_ref();
        rest.is_none_or(|term| term.matches(&event::shown(row), &FREE))
    }
}

/// The same, with days and instants as lines have them; a day lasts until its end.
fn dated(term: Term) -> Result<Term, &'static str> {
    let each = |terms: Vec<Term>| terms.into_iter().map(dated).collect::<Result<Vec<_>, _>>();
    Ok(match term {
        Term::Every(terms) => Term::Every(each(terms)?),
        Term::Any(terms) => Term::Any(each(terms)?),
        Term::Not(term) => Term::Not(Box::new(dated(*term)?)),
        Term::Like(Some(field), pattern) if field == "date" => {
            let (first, last) = moment(pattern.whole().unwrap_or_default())?;
            Term::Between(field, bound(Some(first), true), bound(Some(last), true))
        }
        Term::Between(field, low, high) if field == "date" => {
            let end = |bound: &Bound| bound.at.as_deref().map(moment).transpose();
            let (from, to) = (end(&low)?, end(&high)?);
            let from = from.map(|(first, last)| if low.is_included { first } else { last });
            let to = to.map(|(first, last)| if high.is_included { last } else { first });
            Term::Between(field, bound(from, low.is_included), bound(to, high.is_included))
        }
        Term::Exists(_) | Term::Like(..) | Term::Between(..) => term,
    })
}

fn bound(at: Option<Timestamp>, is_included: bool) -> Bound {
    Bound {
        at: at.map(|at| at.to_string().to_lowercase()),
        is_included,
    }
}

/// The first and the last millisecond of what a date names.
fn moment(text: &str) -> Result<(Timestamp, Timestamp), &'static str> {
    let at = Timestamp::parse(&text.to_uppercase());
    let at = at.ok_or("Write a date like [2018-12-10 TO *], its ends like 2018-12-10 or 2018-12-10T14:47:08.713Z")?;
    Ok((at, if text.len() == 10 { at.plus_ms(DAY_MS - 1) } else { at }))
}

/// Moves into the filter what every wanted line must be; what is left to ask of each line.
fn narrowed(term: Term, filter: &mut LogFilter) -> Option<Term> {
    match term {
        Term::Every(terms) => {
            let mut left: Vec<Term> = terms.into_iter().filter_map(|term| narrowed(term, filter)).collect();
            match left.len() {
                0 => None,
                1 => left.pop(),
                _ => Some(Term::Every(left)),
            }
        }
        Term::Any(terms) => match kinds(&terms) {
            Some(kinds) if filter.kinds.is_empty() => {
                filter.kinds = kinds;
                None
            }
            Some(_) | None => Some(Term::Any(terms)),
        },
        Term::Like(Some(field), pattern) => match is_taken(filter, &field, &pattern) {
            true => None,
            false => Some(Term::Like(Some(field), pattern)),
        },
        Term::Between(field, low, high) if field == "date" && filter.from.is_none() && filter.to.is_none() => {
            let end = |bound: &Bound, off_ms: i64| {
                let at = bound.at.as_deref().and_then(|at| Timestamp::parse(&at.to_uppercase()));
                at.map(|at| at.plus_ms(if bound.is_included { 0 } else { off_ms }))
            };
            (filter.from, filter.to) = (end(&low, 1), end(&high, -1));
            None
        }
        Term::Not(_) | Term::Exists(_) | Term::Like(None, _) | Term::Between(..) => Some(term),
    }
}

/// The kinds, if these terms ask for nothing else and the store can look for so many at once.
fn kinds(terms: &[Term]) -> Option<Vec<String>> {
    let kind = |term: &Term| match term {
        Term::Like(Some(field), pattern) if field == "type" => pattern.whole().map(str::to_lowercase),
        Term::Every(_) | Term::Any(_) | Term::Not(_) | Term::Exists(_) | Term::Like(..) | Term::Between(..) => None,
    };
    let kinds: Option<Vec<String>> = terms.iter().map(kind).collect();
    kinds.filter(|kinds| (1..=MAX_LOG_KINDS).contains(&kinds.len()))
}

/// Whether the filter takes a condition: it has a place for each kind of them, once.
fn is_taken(filter: &mut LogFilter, field: &str, pattern: &Pattern) -> bool {
    let lower = |text: &str| text.to_lowercase();
    match (field, pattern.whole(), pattern.beginning()) {
        ("type", Some(kind), _) if filter.kinds.is_empty() && !kind.is_empty() => filter.kinds = vec![lower(kind)],
        ("type", _, Some(beginning)) if filter.kind_prefix.is_none() => filter.kind_prefix = Some(lower(beginning)),
        ("client_id", Some(id), _) if filter.client_id.is_none() && !id.is_empty() => {
            filter.client_id = Some(ClientId::new(id));
        }
        ("user_id", Some(id), _) if filter.user_id.is_none() && !id.is_empty() => {
            filter.user_id = Some(UserId::new(id));
        }
        ("ip", Some(address), _) if filter.address.is_none() && !address.is_empty() => {
            filter.address = Some(lower(address));
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_every_line_must_be_becomes_the_filter() {
        let q = r#"type:(sapi OR "fapi") AND client_id:"a AND B" AND ip:127.0.0.1 AND date:[2018-12-10 TO *]"#;
        let search = read(q).unwrap();
        assert!(search.is_simple());
        let filter = search.filter;
        assert_eq!(filter.kinds, ["sapi", "fapi"]);
        assert_eq!(filter.client_id, Some(ClientId::new("a AND B")));
        assert_eq!(filter.address.as_deref(), Some("127.0.0.1"));
        assert_eq!((filter.from, filter.to), (Timestamp::parse("2018-12-10"), None));
        assert_eq!(read("type:s*").unwrap().filter.kind_prefix.as_deref(), Some("s"));
        assert_eq!(read("type:a OR type:b").unwrap().filter.kinds, ["a", "b"]);
        assert_eq!(read(" ").unwrap(), LogFilter::default().into());
    }

    #[test]
    fn what_only_some_lines_must_be_does_not_become_the_filter() {
        for q in ["type:a OR client_id:b", "NOT type:a", "a", "client_name:x", "type:*a"] {
            let search = read(q).unwrap();
            assert!(!search.is_simple() && search.filter == LogFilter::default(), "{q}");
        }
        let search = read("type:a AND type:b").unwrap();
        assert!(!search.is_simple() && search.filter.kinds == ["a"]);
    }

    #[test]
    fn a_day_lasts_until_its_end() {
        let range = |q: &str| {
            let filter = read(q).unwrap().filter;
            let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
            (text(filter.from), text(filter.to))
        };
        let (first, last) = ("2018-12-10T00:00:00.000Z", "2018-12-10T23:59:59.999Z");
        assert_eq!(range("date:[2018-12-10 TO 2018-12-10]"), (first.into(), last.into()));
        assert_eq!(range("date:2018-12-10"), (first.into(), last.into()));
        let (after, before) = ("2018-12-11T00:00:00.000Z", "2018-12-09T23:59:59.999Z");
        assert_eq!(range("date:{2018-12-10 TO 2018-12-10}"), (after.into(), before.into()));
    }

    #[test]
    fn what_would_be_looked_past_is_refused_and_told_what_there_is() {
        for q in [
            "type:(",
            "date:today",
            "type:a AND ",
            "no_such_field:x",
            "_exists_:other",
            "NOT (a OR foo:b)",
        ] {
            let refused = read(q).unwrap_err();
            let text = refused.message();
            assert!(text.contains("client_id") || text.contains("2018-12-10"), "{q}: {text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(q in "[a-z:\"()\\[\\]* ANDORT0-9-]{0,60}") {
            let _read = read(&q).is_ok();
        }
    }
}
