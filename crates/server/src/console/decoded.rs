//! A token taken apart for people: what each member of its header and claims is, and how long it still lives. Nothing of
//! it is believed; the inspector judges.

use serde_json::{Map, Value};

use tokenhouse_protocol::time::Timestamp;

use super::words;
use crate::inspection;

mod meaning;

/// Longest value that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 4000;
/// Longest header in a line, in characters.
const MAX_SHORT_CHARS: usize = 120;
/// Most members that are shown of a header or of claims.
const MAX_MEMBERS: usize = 200;

/// A token that is a JWT, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decoded {
    /// How it is signed, and with which key.
    pub(crate) header: Vec<Member>,
    /// What it says.
    pub(crate) claims: Vec<Member>,
    /// Until when it is good, if it says so.
    pub(crate) life: Option<Life>,
}

/// A member of a header or of claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// Its value: a text as it is, anything else as JSON.
    pub(crate) value: String,
    /// The value in other words: a time as a date.
    pub(crate) reading: Option<String>,
    /// What it is, where that is known.
    pub(crate) meaning: Option<&'static str>,
}

/// How long a token lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Life {
    /// When it was issued.
    pub(crate) issued_at: Option<Timestamp>,
    /// When it expires.
    pub(crate) expires_at: Timestamp,
    /// How long it lives from now on, in seconds; negative once it has expired.
    pub(crate) left_s: i64,
}

impl Decoded {
    /// Takes a token apart; `None` for what is no JWT, such as an opaque token.
    pub(crate) fn of(token: &str, now: Timestamp) -> Option<Self> {
        let (header, claims) = (inspection::part(token, 0)?, inspection::part(token, 1)?);
        Some(Self {
            header: members(&header, |name, value| (meaning::of_header(name, value), None)),
            claims: members(&claims, |name, value| {
                (meaning::of_claim(name, value), reading(name, value, now))
            }),
            life: Life::of(&claims, now),
        })
    }

    /// Takes a client assertion apart, which an application signs and this server checks: the other way round.
    pub(crate) fn of_assertion(assertion: &str, now: Timestamp) -> Option<Self> {
        let mut decoded = Self::of(assertion, now)?;
        for member in decoded.header.iter_mut().chain(&mut decoded.claims) {
            member.meaning = meaning::of_assertion(&member.name).or(member.meaning);
        }
        Some(decoded)
    }

    /// How it is signed and with which key, in a line.
    pub(crate) fn header_in_short(&self) -> String {
        let members = self
            .header
            .iter()
            .map(|member| format!("{} {}", member.name, member.value));
        let text: String = members.collect::<Vec<_>>().join(", ");
        text.chars().take(MAX_SHORT_CHARS).collect()
    }
}

impl Life {
    fn of(claims: &Map<String, Value>, now: Timestamp) -> Option<Self> {
        let expires_at = time(claims.get("exp")?)?;
        Some(Self {
            issued_at: claims.get("iat").and_then(time),
            expires_at,
            left_s: expires_at.seconds().saturating_sub(now.seconds()),
        })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.left_s <= 0
    }

    /// How long is left, in words: "23 h 59 min left".
    pub(crate) fn words(&self) -> String {
        match self.is_over() {
            true => words::token::expired(&span(self.left_s.saturating_neg())),
            false => words::token::left(&span(self.left_s)),
        }
    }

    /// How long it lives from its issue to its end, in words, where it says both.
    pub(crate) fn whole(&self) -> Option<String> {
        self.whole_s().map(span)
    }

    fn whole_s(&self) -> Option<i64> {
        let begun = self.issued_at?.seconds();
        Some(self.expires_at.seconds().saturating_sub(begun)).filter(|whole| *whole > 0)
    }

    /// How much of it is left, from 0 to 100, for a bar.
    pub(crate) fn percent_left(&self) -> i64 {
        let whole = self.whole_s().unwrap_or(1).max(1);
        (self.left_s.saturating_mul(100) / whole).clamp(0, 100)
    }
}

/// A unit of time in seconds, and how so many of it are written.
type Unit = (i64, fn(i64) -> String);

/// So many seconds in words, in its two largest units: "1 day 4 h", "59 min 10 s".
pub(crate) fn span(seconds: i64) -> String {
    let units: [Unit; 4] = [
        (86_400, words::time::days),
        (3600, words::time::hours),
        (60, words::time::minutes),
        (1, words::time::seconds),
    ];
    let at = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let count = |place: usize, of: i64| {
        let (unit, written) = units[place];
        (of / unit, written(of / unit))
    };
    let (_, first) = count(at, seconds);
    match units.get(at + 1) {
        Some(_) => match count(at + 1, seconds % units[at].0) {
            (0, _) => first,
            (_, second) => format!("{first} {second}"),
        },
        None => first,
    }
}

/// An instant for people: "2026-11-24 03:29:23 UTC".
pub(crate) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((day, time)) => words::time::instant(day, time.split('.').next().unwrap_or_default()),
        None => text,
    }
}

fn members<'a>(
    of: &'a Map<String, Value>,
    explained: impl Fn(&str, &'a Value) -> (Option<&'static str>, Option<String>),
) -> Vec<Member> {
    let members = of.iter().take(MAX_MEMBERS).map(|(name, value)| {
        let (meaning, reading) = explained(name, value);
        Member {
            name: bounded(name),
            value: match value {
                Value::String(text) => bounded(text),
                other => bounded(&other.to_string()),
            },
            reading,
            meaning,
        }
    });
    members.collect()
}

/// A time as a date, and how far from now.
fn reading(name: &str, value: &Value, now: Timestamp) -> Option<String> {
    if !["iat", "exp", "nbf", "auth_time", "updated_at"].contains(&name) {
        return None;
    }
    let at = time(value)?;
    let away = at.seconds().saturating_sub(now.seconds());
    let away = match away {
        0 => words::time::NOW.to_owned(),
        1.. => words::time::from_now(&span(away)),
        _ => words::time::ago(&span(away.saturating_neg())),
    };
    Some(format!("{}, {away}", instant(at)))
}

/// A `NumericDate` within the years that have four digits.
fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64()?;
    (-62_135_596_800..=253_402_300_799)
        .contains(&seconds)
        .then(|| Timestamp::from_seconds(seconds))
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use tokenhouse_protocol::jose::base64url;

    use super::*;

    const NOW: i64 = 1_768_471_200;

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
        format!("{}.{}.{}", part(header), part(claims), "c2ln")
    }

    fn decoded(claims: &Value) -> Decoded {
        let token = token(&json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }), claims);
        Decoded::of(&token, Timestamp::from_seconds(NOW)).unwrap()
    }

    #[test]
    fn every_claim_of_ours_is_explained_and_a_strangers_is_not() {
        let decoded = decoded(&json!({
            "iss": "https://a/", "sub": "abc@clients", "aud": "b", "iat": NOW, "exp": NOW + 86_400, "scope": "a b",
            "gty": "client-credentials", "azp": "abc", "jti": "1", "client_id": "abc", "permissions": ["a"],
            "https://example.com/team": 7
        }));
        for member in decoded.header.iter().chain(&decoded.claims) {
            assert_eq!(
                member.meaning.is_some(),
                member.name != "https://example.com/team",
                "{}",
                member.name
            );
        }
        let claim = |name: &str| decoded.claims.iter().find(|member| member.name == name).unwrap();
        assert_eq!(claim("permissions").value, "[\"a\"]");
        let sub = claim("sub");
        assert!(sub.meaning.unwrap().contains("application itself"));
    }

    #[test]
    fn the_time_left_is_told_in_words() {
        let life = |iat: i64, exp: i64| decoded(&json!({ "iat": iat, "exp": exp })).life.unwrap();
        let whole = life(NOW, NOW + 86_400);
        assert_eq!((whole.words().as_str(), whole.percent_left()), ("1 day left", 100));
        let half = life(NOW - 3600, NOW + 3600);
        assert_eq!((half.words().as_str(), half.percent_left()), ("1 h left", 50));
        let over = life(NOW - 7200, NOW - 90);
        assert_eq!(
            (over.words().as_str(), over.percent_left(), over.is_over()),
            ("expired 1 min 30 s ago", 0, true)
        );
        assert_eq!(decoded(&json!({ "exp": "soon" })).life, None);
    }

    #[test]
    fn what_is_no_jwt_is_not_taken_apart() {
        for text in ["", "abc", "a.b.c", "e30.e30", "~~~.~~~.~~~", "e30.W10.c2ln"] {
            let taken = Decoded::of(text, Timestamp::from_seconds(NOW));
            assert!(taken.is_none() || text == "e30.e30", "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_claims_are_shown_and_bounded(name in "\\PC{0,50}", value in "\\PC{0,5000}", exp: i64) {
            let mut claims = json!({ "exp": exp, "iat": exp, "nbf": exp });
            claims[&name] = Value::from(value);
            let decoded = decoded(&claims);
            prop_assert!(decoded.claims.iter().all(|member| member.value.chars().count() <= MAX_SHOWN_CHARS + 1));
        }
    }
}
