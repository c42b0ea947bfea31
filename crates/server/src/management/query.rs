//! A request's query: the parameters that its endpoint knows, checked; others are not looked at, since tools send along
//! what other versions of an endpoint know (CONTRACT §4.7).

use serde_json::{Value, json};

use super::schema::{Kind, Property, Violation};
use crate::percent;

/// Most parameters that are looked at.
const MAX_PARAMETERS: usize = 200;

/// The known parameters of a query, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a raw query.
    pub fn read(raw: &str, known: &'static [Property]) -> Result<Self, Violation> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (form_decoded(name), form_decoded(value)) else {
                return Err(Violation::new("The query is not UTF-8"));
            };
            let Some(property) = known.iter().find(|property| property.name == name) else {
                continue;
            };
            if value.contains('\0') {
                return Err(Violation::at(property.name, "Texts must not hold the character U+0000"));
            }
            let said = pairs.iter().filter(|(name, _)| *name == property.name).count();
            let most = match property.kind {
                Kind::List { max, .. } => max,
                _ => 1,
            };
            if said >= most {
                let text = match most {
                    1 => "The parameter occurs more than once".to_owned(),
                    most => format!("Array is too long, maximum {most}: ask for the others in another request"),
                };
                return Err(Violation::at(property.name, text));
            }
            if pairs.len() >= MAX_PARAMETERS {
                return Err(Violation::new(format!("Too many parameters, maximum {MAX_PARAMETERS}")));
            }
            check(property, &value)?;
            pairs.push((property.name, value));
        }
        Ok(Self(pairs))
    }

    /// The parameters and their values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// A parameter's text; an empty one is as good as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Every value of a parameter that may be repeated.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .0
            .iter()
            .filter(move |(known, value)| *known == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// A parameter that is true or false.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "true")
    }

    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.text(name).and_then(|value| value.parse().ok())
    }
}

/// Decodes as forms are, `+` for a blank.
fn form_decoded(raw: &str) -> Option<String> {
    percent::decoded(&raw.replace('+', " "))
}

/// Checks a text against the kind that it stands for.
fn check(property: &Property, value: &str) -> Result<(), Violation> {
    if value.is_empty() {
        return Ok(());
    }
    let kind = match &property.kind {
        Kind::List { of, .. } => of,
        kind => kind,
    };
    let value = match (kind, value) {
        (Kind::Integer { .. }, number) => number.parse::<i64>().map_or_else(|_| json!(number), Value::from),
        (Kind::Flag, "true") => json!(true),
        (Kind::Flag, "false") => json!(false),
        (_, text) => json!(text),
    };
    kind.check(&value).map_err(|violation| Violation {
        path: property.name.into(),
        ..violation
    })
}
