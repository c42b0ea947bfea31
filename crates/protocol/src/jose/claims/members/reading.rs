//! One pass over a payload's object: where each name and text stands, and the other values, strict as [`json`] is.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{FEW, Held, Member, Members, Text, tag_of};
use crate::jose::json::{self, Strict};

/// A payload while it is read, and what was read of it.
pub(super) struct Reading<'p, 'm> {
    pub(super) payload: &'p str,
    pub(super) members: &'m mut Members,
}

impl<'p> Reading<'p, '_> {
    fn again(&mut self) -> Reading<'p, '_> {
        Reading {
            payload: self.payload,
            members: self.members,
        }
    }

    /// A text that stands in the payload as it is.
    fn borrowed(&mut self, text: &str) -> Text {
        let start = text.as_ptr().addr().wrapping_sub(self.payload.as_ptr().addr());
        match (u32::try_from(start), u32::try_from(start.wrapping_add(text.len()))) {
            (Ok(start), Ok(end)) if (end as usize) < self.payload.len() => Text { start, end },
            (_, _) => self.unescaped(text),
        }
    }

    /// A text that is written with escapes. It is no longer than it is written.
    fn unescaped(&mut self, text: &str) -> Text {
        let unescaped = &mut self.members.unescaped;
        let place = |length: usize| u32::try_from(self.payload.len() + length).unwrap_or(u32::MAX);
        let start = place(unescaped.len());
        unescaped.push_str(text);
        Text {
            start,
            end: place(unescaped.len()),
        }
    }

    fn other(self, value: Value) -> Held {
        let others = &mut self.members.others;
        others.push(value);
        Held::Other(u32::try_from(others.len() - 1).unwrap_or(u32::MAX))
    }
}

/// Reads the payload's object.
pub(super) struct Object<'p, 'm>(pub(super) Reading<'p, 'm>);

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

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(mut reading) = self;
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key_seed(Name(reading.again()))? {
            let (payload, Members { list, unescaped, .. }) = (reading.payload, &*reading.members);
            let called = name.of(payload, unescaped);
            let tag = tag_of(called);
            let is_twice = if list.len() < FEW {
                let mut before = list.iter();
                before.any(|member| member.is_called(payload, unescaped, tag, called))
            } else {
                if seen.is_empty() {
                    let before = list.iter();
                    seen.extend(before.map(|member| member.name.of(payload, unescaped).to_owned()));
                }
                !seen.insert(called.to_owned())
            };
            if is_twice {
                return Err(A::Error::custom(json::twice(called)));
            }
            let held = map.next_value_seed(Anything(reading.again()))?;
            reading.members.list.push(Member { tag, name, held });
        }
        Ok(())
    }
}

/// Reads a member's name.
struct Name<'p, 'm>(Reading<'p, 'm>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_, '_> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(mut self, name: &'de str) -> Result<Text, E> {
        Ok(self.0.borrowed(name))
    }

    fn visit_str<E>(mut self, name: &str) -> Result<Text, E> {
        Ok(self.0.unescaped(name))
    }
}

/// Reads a member's value.
struct Anything<'p, 'm>(Reading<'p, 'm>);

impl Anything<'_, '_> {
    /// What is inside the payload's object.
    const INSIDE: Strict = Strict::below(1);
}

impl<'de> DeserializeSeed<'de> for Anything<'_, '_> {
    type Value = Held;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Held, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Anything<'_, '_> {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Held, E> {
        Ok(self.0.other(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Held, E> {
        Ok(self.0.other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Held, E> {
        Ok(self.0.other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Held, E> {
        Ok(Held::Whole(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Held, E> {
        let value = Self::INSIDE.visit_f64(value)?;
        Ok(self.0.other(value))
    }

    fn visit_borrowed_str<E>(mut self, text: &'de str) -> Result<Held, E> {
        Ok(Held::Text(self.0.borrowed(text)))
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Held, E> {
        Ok(Held::Text(self.0.unescaped(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Held, A::Error> {
        let value = Self::INSIDE.visit_seq(items)?;
        Ok(self.0.other(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Held, A::Error> {
        let value = Self::INSIDE.visit_map(members)?;
        Ok(self.0.other(value))
    }
}
