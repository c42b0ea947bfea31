//! What a search asks of one thing, a user or a line of the log: `field:value`, with quotes, `*`, ranges, `_exists_`,
//! `AND`, `OR`, `NOT` and parentheses. Texts are compared without case, but for ids; where nothing stands between two
//! terms, one of them is enough.

use serde_json::{Map, Value};

mod reader;

/// A search.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Term {
    /// Every one of these; of none, everything.
    Every(Vec<Term>),
    /// Any one of these.
    Any(Vec<Term>),
    /// Not this.
    Not(Box<Term>),
    /// The property is there.
    Exists(String),
    /// The property, or any that a text is looked for in, is like this.
    Like(Option<String>, Pattern),
    /// The property lies between.
    Between(String, Bound, Bound),
}

/// A text that may have any characters where a star stood.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pattern {
    /// The parts between the stars, as they were written.
    written: Vec<String>,
    /// The same in lower case.
    lower: Vec<String>,
}

/// An end of a range; `None` for none.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bound {
    /// In lower case.
    pub(super) at: Option<String>,
    /// Whether what is just there lies between.
    pub(super) is_included: bool,
}

impl Term {
    /// Reads a search; says what is wrong with it.
    pub(super) fn parse(q: &str) -> Result<Self, String> {
        reader::read(q)
    }

    /// Whether a thing is wanted; a term without a field looks for its text in those of `free`.
    pub(super) fn matches(&self, thing: &Map<String, Value>, free: &[&str]) -> bool {
        match self {
            Self::Every(terms) => terms.iter().all(|term| term.matches(thing, free)),
            Self::Any(terms) => terms.iter().any(|term| term.matches(thing, free)),
            Self::Not(term) => !term.matches(thing, free),
            Self::Exists(field) => property(thing, field).is_some_and(|value| !value.is_null() && value != ""),
            Self::Like(Some(field), pattern) => {
                let is_id = field.ends_with("_id");
                any_value(thing, field, &|text| match is_id {
                    true => is_like(text, &pattern.written),
                    false => is_like(&text.to_lowercase(), &pattern.lower),
                })
            }
            Self::Like(None, pattern) => {
                let around = pattern.around();
                let has = |field: &&str| any_value(thing, field, &|text| is_like(&text.to_lowercase(), &around));
                free.iter().any(has)
            }
            Self::Between(field, low, high) => any_value(thing, field, &|text| {
                let text = text.to_lowercase();
                let is_above = low.at.as_ref().is_none_or(|low_at| match order(&text, low_at) {
                    std::cmp::Ordering::Equal => low.is_included,
                    order => order.is_gt(),
                });
                let is_below = high.at.as_ref().is_none_or(|high_at| match order(&text, high_at) {
                    std::cmp::Ordering::Equal => high.is_included,
                    order => order.is_lt(),
                });
                is_above && is_below
            }),
        }
    }

    /// The names of the fields that it asks about.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::Every(terms) | Self::Any(terms) => terms.iter().flat_map(Self::fields).collect(),
            Self::Not(term) => term.fields(),
            Self::Exists(field) | Self::Like(Some(field), _) | Self::Between(field, ..) => vec![field],
            Self::Like(None, _) => Vec::new(),
        }
    }

    /// The text that `field` must be, as it was written, if every wanted thing has it.
    pub(super) fn exactly(&self, field: &str) -> Option<&str> {
        match self {
            Self::Like(Some(named), pattern) if named == field => pattern.whole(),
            Self::Every(terms) => terms.iter().find_map(|term| term.exactly(field)),
            Self::Any(terms) => match terms.as_slice() {
                [only] => only.exactly(field),
                _ => None,
            },
            Self::Not(_) | Self::Exists(_) | Self::Like(..) | Self::Between(..) => None,
        }
    }
}

impl Pattern {
    /// Of the parts between stars.
    fn of(written: Vec<String>) -> Self {
        let lower = written.iter().map(|part| part.to_lowercase()).collect();
        Self { written, lower }
    }

    /// The whole text, as it was written, if no star is in it.
    pub(super) fn whole(&self) -> Option<&str> {
        match self.written.as_slice() {
            [whole] => Some(whole),
            _ => None,
        }
    }

    /// How the text begins, as it was written, if its one star is at the end.
    pub(super) fn beginning(&self) -> Option<&str> {
        match self.written.as_slice() {
            [beginning, end] if end.is_empty() && !beginning.is_empty() => Some(beginning),
            _ => None,
        }
    }

    /// The same in lower case, with anything around it if it has no star.
    fn around(&self) -> Vec<String> {
        match self.lower.as_slice() {
            [whole] => vec![String::new(), whole.clone(), String::new()],
            parts => parts.to_vec(),
        }
    }
}

/// A property by its name, with dots for what is inside; of lists the first.
pub(super) fn property<'a>(user: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    let mut names = field.split('.');
    let first = user.get(names.next()?)?;
    names.try_fold(first, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.iter().find_map(|item| item.get(name)),
        _ => None,
    })
}

/// Whether the property is there and it, or one of its items, has a text that passes.
fn any_value(user: &Map<String, Value>, field: &str, passes: &dyn Fn(&str) -> bool) -> bool {
    let one = |value: &Value| match value {
        Value::String(text) => passes(text),
        Value::Number(_) | Value::Bool(_) => passes(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    match property(user, field) {
        Some(Value::Array(items)) => items.iter().any(one),
        Some(value) => one(value),
        None => false,
    }
}

/// Whether a text has these parts in their order, with anything between them.
fn is_like(text: &str, pattern: &[String]) -> bool {
    let (Some(first), Some(last)) = (pattern.first(), pattern.last()) else {
        return false;
    };
    if pattern.len() == 1 {
        return text == first;
    }
    let rest = text.strip_prefix(first.as_str());
    let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    for part in &pattern[1..pattern.len() - 1] {
        match rest.find(part.as_str()) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    true
}

/// Numbers by size, the rest by their text, as instants are too.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finds(q: &str) -> bool {
        let user = json!({
            "user_id": "auth0|1", "email": "Ada@Example.com", "name": "Ada Lovelace", "logins_count": 12,
            "created_at": "2026-05-06T07:08:09.000Z", "blocked": false,
            "user_metadata": {"team": {"name": "blue"}, "tags": ["a", "b"]},
            "identities": [{"connection": "Users"}],
        });
        let Value::Object(user) = user else { panic!("an object") };
        Term::parse(q).unwrap().matches(&user, &["email", "name"])
    }

    #[test]
    fn every_form_that_tools_send_finds_its_user_and_no_other() {
        for (q, expected) in [
            ("", true),
            ("*", true),
            (r#"email:"ada@example.com""#, true),
            ("email:ada@example.com", true),
            ("email:ada", false),
            ("email:ada*", true),
            ("email:*example.com", true),
            ("email:*@*", true),
            ("email:a*x*m", true),
            ("email:a*y*m", false),
            ("user_id:auth0|1", true),
            ("lovelace", true),
            ("babbage lovelace", true),
            ("babbage AND lovelace", false),
            (r#"name:"Ada Lovelace""#, true),
            ("NOT name:b*", true),
            ("-lovelace", false),
            ("_exists_:email AND NOT _exists_:username", true),
            ("user_metadata.team.name:blue", true),
            ("user_metadata.tags:b", true),
            ("identities.connection:Users", true),
            ("logins_count:[9 TO 12]", true),
            ("logins_count:[9 TO 12}", false),
            ("logins_count:{12 TO *]", false),
            ("created_at:[2026-05-01 TO 2026-06-01]", true),
            ("blocked:false", true),
            ("(email:x OR name:ada*) AND blocked:false", true),
            (r"name:Ada\ Lovelace", true),
            ("user_id:AUTH0|1", false),
            ("name:(babbage OR ada*)", true),
            ("name:(NOT ada*)", false),
        ] {
            assert_eq!(finds(q), expected, "{q}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for q in [
            "(a",
            "a)",
            r#""a"#,
            "name:",
            "a AND ",
            "x:[1 TO",
            "x:(a",
            "_exists_:",
            &"a ".repeat(99),
            &"(".repeat(99),
        ] {
            assert!(Term::parse(q).is_err(), "{q}");
        }
    }

    #[test]
    fn an_exact_name_is_known_wherever_every_user_must_have_it() {
        let exactly = |q: &str| Term::parse(q).unwrap().exactly("email").map(str::to_owned);
        assert_eq!(exactly("email:A@b AND blocked:false").as_deref(), Some("A@b"));
        assert_eq!(exactly("email:a@b OR blocked:false"), None);
        assert_eq!(exactly("NOT email:a@b"), None);
        assert_eq!(exactly("email:a*"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_search_panic(q in ".{0,60}") {
            if let Ok(term) = Term::parse(&q) {
                term.matches(&Map::new(), &["a"]);
            }
        }
    }
}
