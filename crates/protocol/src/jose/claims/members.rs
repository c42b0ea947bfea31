//! The members of a payload, read in one pass with the strictness of [`json`]: the payload itself, and where in it each
//! name and each text stands.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::super::json::{self, JsonError, Strict};

/// Room for the claims of most tokens.
const EXPECTED: usize = 12;
/// Up to so many members, each name is compared with those before it; more of them are looked up.
const FEW: usize = 24;
/// About what an entry of a map takes beside its name and value.
const ENTRY_BYTES: usize = 16;

/// A payload and its members, in its order.
#[derive(Clone, Debug)]
pub(super) struct Members {
    payload: String,
    list: Vec<Member>,
}

#[derive(Clone, Debug)]
struct Member {
    tag: u64,
    name: Text,
    held: Held,
}

/// The value of a member.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Text(Text),
    /// A number that is a `u64`.
    Whole(u64),
    Other(Value),
}

/// A text of a payload.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// It stands here.
    At(Range<u32>),
    /// It is written with escapes; this is what it says.
    Says(Box<str>),
}

impl Members {
    /// Reads one JSON object, no member twice at any depth, and nothing after it.
    pub(super) fn read(payload: Vec<u8>) -> Result<Self, JsonError> {
        let payload = String::from_utf8(payload).map_err(|_| JsonError::because("not UTF-8"))?;
        // Else the error would tell what it is.
        if !payload.trim_ascii_start().starts_with('{') {
            return Err(JsonError::because("not an object"));
        }
        let mut list = Vec::with_capacity(EXPECTED);
        let object = Object {
            payload: &payload,
            list: &mut list,
        };
        json::read_with(&payload, object)?;
        Ok(Self { payload, list })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Held> {
        let tag = tag_of(name);
        let found = self
            .list
            .iter()
            .find(|member| member.is_called(tag, name, &self.payload));
        found.map(|member| &member.held)
    }

    pub(super) fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        text.of(&self.payload)
    }

    pub(super) fn to_map(&self) -> Map<String, Value> {
        let members = self.list.iter().map(|member| {
            let value = match &member.held {
                Held::Text(text) => Value::from(self.text(text)),
                Held::Whole(number) => Value::from(*number),
                Held::Other(value) => value.clone(),
            };
            (self.text(&member.name).to_owned(), value)
        });
        members.collect()
    }

    /// About how many bytes the payload, the list and the map take, and a list of the texts in each list.
    pub(super) fn weight_bytes(&self) -> usize {
        let of_map = |member: &Member| {
            let inside = match &member.held {
                Held::Text(_) | Held::Whole(_) => 0,
                Held::Other(value) => 3 * weight_of(value),
            };
            inside + size_of::<Value>() + size_of::<String>() + ENTRY_BYTES
        };
        let of_map: usize = self.list.iter().map(of_map).sum();
        2 * self.payload.len() + self.list.capacity() * size_of::<Member>() + of_map
    }
}

impl Member {
    fn is_called(&self, tag: u64, name: &str, payload: &str) -> bool {
        self.tag == tag && (name.len() < size_of::<u64>() || self.name.of(payload) == name)
    }
}

impl Text {
    /// Where `text`, a part of `payload`, stands in it.
    fn within(payload: &str, text: &str) -> Self {
        let start = text.as_ptr().addr().wrapping_sub(payload.as_ptr().addr());
        match (u32::try_from(start), u32::try_from(start.wrapping_add(text.len()))) {
            (Ok(start), Ok(end)) if end as usize <= payload.len() => Self::At(start..end),
            (_, _) => Self::Says(text.into()),
        }
    }

    fn of<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::At(place) => &payload[place.start as usize..place.end as usize],
            Self::Says(text) => text,
        }
    }
}

/// The first seven bytes of a name and its length: of two names shorter than eight bytes that are not the same, the tags
/// differ. The names of most claims are as short, and told apart by one comparison.
fn tag_of(name: &str) -> u64 {
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX).min(0xff);
    name.bytes()
        .take(7)
        .fold(length, |tag, byte| tag << 8 | u64::from(byte))
}

/// Reads the payload's object into the list.
struct Object<'p, 'l> {
    payload: &'p str,
    list: &'l mut Vec<Member>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key_seed(Name(self.payload))? {
            let called = name.of(self.payload);
            let tag = tag_of(called);
            let is_twice = if self.list.len() < FEW {
                let mut before = self.list.iter();
                before.any(|member| member.is_called(tag, called, self.payload))
            } else {
                if seen.is_empty() {
                    seen.extend(self.list.iter().map(|member| member.name.of(self.payload).to_owned()));
                }
                !seen.insert(called.to_owned())
            };
            if is_twice {
                return Err(A::Error::custom(json::twice(called)));
            }
            let held = members.next_value_seed(Anything(self.payload))?;
            self.list.push(Member { tag, name, held });
        }
        Ok(())
    }
}

/// Reads a member's name.
struct Name<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Text, E> {
        Ok(Text::within(self.0, name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Text, E> {
        Ok(Text::Says(name.into()))
    }
}

/// Reads a member's value.
struct Anything<'p>(&'p str);

impl Anything<'_> {
    /// What is inside the payload's object.
    const INSIDE: Strict = Strict::below(1);
}

impl<'de> DeserializeSeed<'de> for Anything<'_> {
    type Value = Held;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Held, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Anything<'_> {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Held, E> {
        Ok(Held::Other(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Held, E> {
        Ok(Held::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Held, E> {
        Ok(Held::Other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Held, E> {
        Ok(Held::Whole(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Held, E> {
        Self::INSIDE.visit_f64(value).map(Held::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Held, E> {
        Ok(Held::Text(Text::within(self.0, text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Held, E> {
        Ok(Held::Text(Text::Says(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Held, A::Error> {
        Self::INSIDE.visit_seq(items).map(Held::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Held, A::Error> {
        Self::INSIDE.visit_map(members).map(Held::Other)
    }
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
    fn names_that_begin_alike_are_told_apart() {
        let long = "n".repeat(300);
        let members = read(&format!(
            r#"{{"permissions":1,"permissible":2,"permiss":3,"{long}":4,"{long}n":5,"":6}}"#
        ));
        let members = members.unwrap();
        let number = |name: &str| match members.get(name) {
            Some(Held::Whole(number)) => *number,
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
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(Members::read(bytes.clone()).is_ok(), json::parse_object(&bytes).is_ok());
        }
    }
}
