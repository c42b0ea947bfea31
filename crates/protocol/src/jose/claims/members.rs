//! The members of a payload, read in one pass with the strictness of [`json`]: the payload itself, and where in it each
//! name and each text stands.
//!
//! A verified token is kept for some time among thousands of others, so what it takes is small and in few pieces: what is
//! kept is read from memory that no cache of the processor has, and what is forgotten is not looked at again.

use serde_json::{Map, Value};

use self::reading::{Object, Reading};
use super::super::json::{self, JsonError};

mod plain;
mod reading;

/// Room for the claims of most tokens.
const EXPECTED: usize = 12;
/// Up to so many members, each name is compared with those before it; more of them are looked up.
const FEW: usize = 24;
/// About what an entry of a map takes beside its name and value.
const ENTRY_BYTES: usize = 16;
/// The longest payload: places in it, and in what it says without escapes, are `u32`.
const MAX_BYTES: usize = u32::MAX as usize / 2;

/// A payload and its members, in its order.
#[derive(Clone, Default, Debug)]
pub(super) struct Members {
    payload: String,
    /// What names and texts that are written with escapes say: their places count on from the payload's end.
    unescaped: String,
    list: Vec<Member>,
    /// The values that are neither texts nor whole numbers.
    others: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    tag: u64,
    name: Text,
    held: Held,
}

/// The value of a member, without what it borrows from [`Members`].
#[derive(Clone, Copy, Debug)]
enum Held {
    Text(Text),
    Whole(u64),
    /// The place among the others.
    Other(u32),
}

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
struct Text {
    start: u32,
    end: u32,
}

/// The value of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim<'a> {
    Text(&'a str),
    /// A number that is a `u64`.
    Whole(u64),
    Other(&'a Value),
}

impl Members {
    /// Reads one JSON object, no member twice at any depth, and nothing after it.
    pub(super) fn read(payload: Vec<u8>) -> Result<Self, JsonError> {
        let payload = String::from_utf8(payload).map_err(|_| JsonError::because("not UTF-8"))?;
        if payload.len() > MAX_BYTES {
            return Err(JsonError::because("too long"));
        }
        if let Some(list) = plain::read(&payload) {
            return Ok(Self {
                payload,
                list,
                ..Self::default()
            });
        }
        // Else the error would tell what it is.
        if !payload.trim_ascii_start().starts_with('{') {
            return Err(JsonError::because("not an object"));
        }
        let mut members = Self {
            list: Vec::with_capacity(EXPECTED),
            ..Self::default()
        };
        let object = Reading {
            payload: &payload,
            members: &mut members,
        };
        json::read_with(&payload, Object(object))?;
        members.payload = payload;
        Ok(members)
    }

    /// Inlined, as all of its way is: most names are constants, and their tags are then made by the compiler.
    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<Claim<'_>> {
        let tag = tag_of(name);
        let (payload, unescaped) = (self.payload.as_str(), self.unescaped.as_str());
        let mut members = self.list.iter();
        let found = members.find(|member| member.is_called(payload, unescaped, tag, name));
        found.map(|member| self.claim(member.held))
    }

    pub(super) fn to_map(&self) -> Map<String, Value> {
        let members = self.list.iter().map(|member| {
            let value = match self.claim(member.held) {
                Claim::Text(text) => Value::from(text),
                Claim::Whole(number) => Value::from(number),
                Claim::Other(value) => value.clone(),
            };
            (self.text(member.name).to_owned(), value)
        });
        members.collect()
    }

    /// About how many bytes the payload, the list and the map take, and a list of the texts in each list.
    pub(super) fn weight_bytes(&self) -> usize {
        let of_others: usize = self.others.iter().map(weight_of).sum();
        let of_entry = size_of::<Value>() + size_of::<String>() + ENTRY_BYTES;
        2 * (self.payload.len() + self.unescaped.len())
            + self.list.capacity() * size_of::<Member>()
            + self.list.len() * of_entry
            + 3 * of_others
    }

    #[inline]
    fn claim(&self, held: Held) -> Claim<'_> {
        match held {
            Held::Text(text) => Claim::Text(self.text(text)),
            Held::Whole(number) => Claim::Whole(number),
            Held::Other(place) => Claim::Other(&self.others[place as usize]),
        }
    }

    fn text(&self, text: Text) -> &str {
        text.of(&self.payload, &self.unescaped)
    }
}

impl Member {
    /// Payload and unescaped texts are handed in, since they have no owner yet while they are read.
    #[inline]
    fn is_called(&self, payload: &str, unescaped: &str, tag: u64, name: &str) -> bool {
        self.tag == tag && (name.len() < size_of::<u64>() || self.name.of(payload, unescaped) == name)
    }
}

impl Text {
    #[inline]
    fn of<'a>(self, payload: &'a str, unescaped: &'a str) -> &'a str {
        let (start, end) = (self.start as usize, self.end as usize);
        match start.checked_sub(payload.len()) {
            None => &payload[start..end],
            Some(start) => &unescaped[start..end - payload.len()],
        }
    }
}

/// The first seven bytes of a name and its length: of two names shorter than eight bytes that are not the same, the tags
/// differ. The names of most claims are as short, and told apart by one comparison.
#[inline]
fn tag_of(name: &str) -> u64 {
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX).min(0xff);
    name.bytes()
        .take(7)
        .fold(length, |tag, byte| tag << 8 | u64::from(byte))
}

/// About how many bytes a value takes.
fn weight_of(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight_of).sum(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| size_of::<String>() + ENTRY_BYTES + name.len() + weight_of(value))
                .sum()
        }
    };
    inside + size_of::<Value>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn read(text: &str) -> Result<Members, JsonError> {
        Members::read(text.as_bytes().to_vec())
    }

    #[test]
    fn a_member_named_twice_is_refused_wherever_it_stands() {
        let many: String = (0..200).map(|number| format!(r#""n{number}":{number},"#)).collect();
        for (text, name) in [
            (r#"{"a":1,"\u0061":1}"#.to_owned(), "a"),
            (
                r#"{"https://example.com/a":1,"b":2,"https://example.com/a":1}"#.to_owned(),
                "https://example.com/a",
            ),
            (r#"{"a":{"b":1,"b":1}}"#.to_owned(), "b"),
            (format!(r#"{{{many}"n7":1}}"#), "n7"),
            (format!(r#"{{{many}"n199":1}}"#), "n199"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("the member \"{name}\" appears twice")),
                "{error}"
            );
        }
        assert!(read(&format!(r#"{{{many}"last":1}}"#)).is_ok());
    }

    #[test]
    fn most_payloads_are_plain_and_what_is_not_is_read_all_the_same() {
        let plain = [
            r#"{"exp":1}"#,
            r#"{"iss":"https://é/","aud":"","exp":9999999999999999999,"a":0}"#,
        ];
        let others = [
            "{}",
            r#"{ "a":1}"#,
            r#"{"a":1 }"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":-1}"#,
            r#"{"a":1.5}"#,
            r#"{"a":"\u0061"}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":true}"#,
        ];
        for text in plain.iter().chain(&others) {
            assert_eq!(plain::read(text).is_some(), plain.contains(text), "{text}");
            assert_eq!(
                read(text).unwrap().to_map(),
                json::parse_object(text.as_bytes()).unwrap(),
                "{text}"
            );
        }
        for refused in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            r#"{"a":1}}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":1"#,
        ] {
            assert!(plain::read(refused).is_none() && read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        let long = "n".repeat(300);
        let members = read(&format!(
            r#"{{"permissions":1,"permissible":2,"permiss":3,"{long}":4,"{long}n":5,"":6}}"#
        ));
        let members = members.unwrap();
        let number = |name: &str| match members.get(name) {
            Some(Claim::Whole(number)) => number,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(
            ["permissions", "permissible", "permiss", &long, &format!("{long}n"), ""].map(number),
            [1, 2, 3, 4, 5, 6]
        );
        assert!(members.get("permission").is_none() && members.get("permis").is_none() && members.get("n").is_none());
    }

    #[test]
    fn nesting_has_the_same_end_as_everywhere() {
        let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        for depth in [json::MAX_DEPTH - 1, json::MAX_DEPTH] {
            let text = nested(depth);
            assert_eq!(read(&text).is_ok(), json::parse(text.as_bytes()).is_ok(), "{depth}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_and_refused_is_what_strict_json_says(text in r#"\{("[a-c\\u006 ]{0,3}":([0-9.eE-]{1,4}|"[a\\nu0é]{0,6}"|[\[\]{}":,a]{0,8}|null|true),?){0,4}\}?"#) {
            let (ours, theirs) = (read(&text), json::parse_object(text.as_bytes()));
            prop_assert_eq!(ours.is_ok(), theirs.is_ok());
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.to_map(), theirs);
            }
        }

        #[test]
        fn a_plain_payload_is_read_as_any_other(text in r#"\{("[a-cé]{0,9}":([0-9]{1,20}|"[a {}:,é]{0,6}"),){0,4}"d":(0|01|7|"x"|-1|1.0|1e1)[ ,]?\}[ }]?"#) {
            let payload = || plain::read(&text).map(|list| Members { payload: text.clone(), list, ..Members::default() });
            match (payload(), json::parse_object(text.as_bytes())) {
                (Some(ours), Ok(theirs)) => prop_assert_eq!(ours.to_map(), theirs),
                (Some(_), Err(error)) => panic!("{text}: {error}"),
                (None, _) => {}
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(Members::read(bytes.clone()).is_ok(), json::parse_object(&bytes).is_ok());
        }
    }
}
