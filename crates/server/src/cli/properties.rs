//! What a command says of a thing, as the Management API takes it; and `--set` for whatever has no flag of its own.

use clap::Args;
use serde_json::{Map, Value, json};

use super::Failure;

/// Any property of a thing.
#[derive(Args, Debug)]
pub(super) struct Set {
    /// Any other property by its name in the Management API, with JSON or a text as its value; null clears it. May be
    /// repeated
    #[arg(long = "set", value_name = "PROPERTY=VALUE", value_parser = property)]
    properties: Vec<(String, Value)>,
}

/// The properties that a command says something of.
#[derive(Debug, Default)]
pub(super) struct Properties(Map<String, Value>);

impl Properties {
    /// With a property, if something is said of it.
    pub(super) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        self.0.extend(value.map(|value| (name.to_owned(), value.into())));
        self
    }

    /// With a list, if anything is in it.
    pub(super) fn with_list(self, name: &str, items: &[String]) -> Self {
        self.with(name, (!items.is_empty()).then(|| json!(items)))
    }

    /// With what `--set` says, which wins.
    pub(super) fn with_set(mut self, set: Set) -> Self {
        self.0.extend(set.properties);
        self
    }

    /// Whether a property is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body of a request that makes a thing.
    pub(super) fn body(self) -> Value {
        Value::Object(self.0)
    }

    /// The body of a request that changes a thing; refuses to change nothing.
    pub(super) fn changes(self) -> Result<Value, Failure> {
        match self.0.is_empty() {
            true => Err(Failure(
                "nothing is to be changed: name at least one of the options that --help lists".into(),
            )),
            false => Ok(self.body()),
        }
    }
}

/// Reads `name=value` with any value.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("write it like name=value".into()),
    }
}

/// Reads `name=value`, the value as JSON if it is some.
fn property(text: &str) -> Result<(String, Value), String> {
    let (name, value) = pair(text)?;
    let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_if_it_reads_as_some_and_a_text_otherwise() {
        assert_eq!(property("a=3").unwrap(), ("a".into(), json!(3)));
        assert_eq!(property("a=null").unwrap(), ("a".into(), Value::Null));
        assert_eq!(
            property(r#"a={"b":[true]}"#).unwrap(),
            ("a".into(), json!({ "b": [true] }))
        );
        assert_eq!(property("a=x=y z").unwrap(), ("a".into(), json!("x=y z")));
        assert!(property("=3").is_err() && property("a").is_err());
    }
}
