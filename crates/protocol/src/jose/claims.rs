//! The claims of a token (RFC 7519 §4), each read as its one type. Times are whole seconds: RFC 7519 §2 would allow
//! fractions, but no issuer needs them, and a float in a token is more often an attack than a clock.
//!
//! A payload is read once and kept as it is, with a list of where its members stand: most tokens are asked for a few of
//! their claims, and a map of all of them would cost more than everything else but the signature.

use std::fmt;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use self::members::{Claim, Members};
use crate::time::Timestamp;

mod members;

/// The largest time that is read, in seconds: up to here JSON numbers are exact everywhere (RFC 7493 §2.2).
const MAX_SECONDS: u64 = 1 << 53;

/// The claims, as they were sent.
#[derive(Clone, Debug)]
pub struct Claims {
    members: Members,
    /// The same as a map, once somebody asks for it.
    map: OnceLock<Map<String, Value>>,
}

impl Claims {
    /// Reads a payload: one JSON object, no member twice.
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimError> {
        Self::read(payload.to_vec())
    }

    /// The same of a payload that is nobody else's.
    pub fn read(payload: Vec<u8>) -> Result<Self, ClaimError> {
        let members = Members::read(payload).map_err(|error| ClaimError::NotJson(error.to_string()))?;
        Ok(Self {
            members,
            map: OnceLock::new(),
        })
    }

    /// A claim that is a text: `iss`, `sub`, `azp`, `client_id`, `jti`.
    #[inline]
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Claim::Text(text)) => Ok(Some(text)),
            Some(Claim::Whole(_) | Claim::Other(_)) => Err(ClaimError::Wrong {
                name,
                expected: "a string",
            }),
        }
    }

    /// A claim that is a time: `exp`, `nbf`, `iat`. A whole number of seconds, 0 to 2⁵³: no text, no fraction, no `1e9`.
    #[inline]
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
        let seconds = match self.members.get(name) {
            None => return Ok(None),
            Some(Claim::Whole(seconds)) if seconds <= MAX_SECONDS => i64::try_from(seconds).ok(),
            Some(Claim::Whole(_) | Claim::Text(_) | Claim::Other(_)) => None,
        };
        match seconds {
            Some(seconds) => Ok(Some(Timestamp::from_seconds(seconds))),
            None => Err(ClaimError::Wrong {
                name,
                expected: "a whole number of seconds",
            }),
        }
    }

    /// A claim that is a text or a list of texts, as `aud` (RFC 7519 §4.1.3); absent is an empty list.
    pub fn texts(&self, name: &'static str) -> Result<Vec<&str>, ClaimError> {
        let mut texts = Vec::new();
        self.each_text(name, |text| texts.push(text))?;
        Ok(texts)
    }

    /// Whether such a claim has this text: [`Claims::texts`] without making a list.
    pub fn has_text(&self, name: &'static str, wanted: impl Fn(&str) -> bool) -> Result<bool, ClaimError> {
        let mut has = false;
        self.each_text(name, |text| has |= wanted(text))?;
        Ok(has)
    }

    fn each_text<'a>(&'a self, name: &'static str, mut take: impl FnMut(&'a str)) -> Result<(), ClaimError> {
        let wrong = || ClaimError::Wrong {
            name,
            expected: "a string or an array of strings",
        };
        match self.members.get(name) {
            None => Ok(()),
            Some(Claim::Text(text)) => {
                take(text);
                Ok(())
            }
            Some(Claim::Other(Value::Array(items))) => {
                let mut texts = items.iter().map(|item| item.as_str().ok_or_else(wrong));
                texts.try_for_each(|text| text.map(&mut take))
            }
            Some(Claim::Whole(_) | Claim::Other(_)) => Err(wrong()),
        }
    }

    /// Whether there is a claim of this name, whatever its value.
    #[inline]
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    /// All claims, as they were sent. The first to ask has the map made.
    pub fn members(&self) -> &Map<String, Value> {
        self.map.get_or_init(|| self.members.to_map())
    }

    /// About how many bytes they take in memory, or will when all of them have been asked for.
    pub fn weight_bytes(&self) -> usize {
        self.members.weight_bytes()
    }
}

impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

/// Why a payload, or a claim of it, is not what it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimError {
    /// The payload is not a JSON object, for this reason.
    NotJson(String),
    /// A claim is of another type.
    Wrong {
        /// The claim.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(reason) => write!(f, "the token's payload is not a JSON object: {reason}"),
            Self::Wrong { name, expected } => write!(f, "\"{name}\" claim must be {expected}"),
        }
    }
}

impl std::error::Error for ClaimError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn claim(value: &str) -> Claims {
        Claims::parse(format!(r#"{{"c":{value}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(
            claim("1700000000").time("c"),
            Ok(Some(Timestamp::from_seconds(1_700_000_000)))
        );
        assert_eq!(claim("9007199254740992").time("c").unwrap().unwrap().seconds(), 1 << 53);
        assert_eq!(claim("0").time("other"), Ok(None));
        for bad in [
            "-1",
            "-0",
            "1.5",
            "1.0",
            "1e9",
            "1e308",
            "9007199254740993",
            "\"1700000000\"",
            "true",
            "null",
            "[1]",
            "{}",
        ] {
            assert!(claim(bad).time("c").is_err(), "{bad}");
        }
    }

    #[test]
    fn an_audience_is_a_text_or_texts() {
        assert_eq!(claim(r#""a""#).texts("c"), Ok(vec!["a"]));
        assert_eq!(claim(r#"["a","b"]"#).texts("c"), Ok(vec!["a", "b"]));
        assert_eq!(claim("[]").texts("c"), Ok(vec![]));
        for bad in ["1", "null", r#"["a",1]"#, r#"{"a":1}"#, r#"[["a"]]"#] {
            assert!(claim(bad).texts("c").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_text_is_a_text() {
        assert_eq!(claim(r#""""#).text("c"), Ok(Some("")));
        assert_eq!(
            claim("7").text("c"),
            Err(ClaimError::Wrong {
                name: "c",
                expected: "a string"
            })
        );
        assert!(Claims::parse(br#"["iss"]"#).is_err());
        assert!(Claims::parse(br#"{"aud":"a","aud":"b"}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_time_that_is_accepted_prints_back(seconds in any::<u64>()) {
            if let Ok(Some(time)) = claim(&seconds.to_string()).time("c") {
                prop_assert_eq!(time.seconds().to_string(), seconds.to_string());
            }
        }

        #[test]
        fn any_payload_is_read_or_refused(bytes in any::<Vec<u8>>()) {
            if let Ok(claims) = Claims::parse(&bytes) {
                let _ = (claims.text("iss"), claims.time("exp"), claims.texts("aud"));
            }
        }
    }
}
