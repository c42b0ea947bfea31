//! A token taken apart as its reader sees it, its members in the order in which they were written.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use tokenhouse_protocol::jose::base64url;

/// A signed token, not verified.
#[derive(Clone, Debug)]
pub(crate) struct Jwt {
    pub(crate) raw: String,
    /// The header's text.
    pub(crate) header: String,
    /// The claims' text.
    pub(crate) payload: String,
    pub(crate) claims: Value,
}

impl Jwt {
    pub(crate) fn read(raw: &str) -> Self {
        let mut parts = raw.split('.').map(|part| base64url::decode(part).unwrap());
        let mut text = || String::from_utf8(parts.next().unwrap()).unwrap();
        let (header, payload) = (text(), text());
        Self {
            raw: raw.to_owned(),
            claims: serde_json::from_str(&payload).unwrap(),
            header,
            payload,
        }
    }

    /// A claim that is a text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// The key that it says it was signed with.
    pub(crate) fn kid(&self) -> String {
        let header: Value = serde_json::from_str(&self.header).unwrap();
        header["kid"].as_str().unwrap_or_default().to_owned()
    }
}

/// The names of a JSON object's members, in their order.
pub(crate) fn member_names(json: &str) -> Vec<String> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Names).unwrap()
}
