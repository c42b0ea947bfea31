//! Checking a value against its kind. The sentences are those of Auth0's validator, so that whoever reads them there
//! reads them here (CONTRACT §4.1); each names the property.

use serde_json::{Map, Value};

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::time::Timestamp;

use super::{Body, Format, Kind, Property, Shape};

/// How a URL begins that is protected on its way.
const HTTPS: &str = "https://";
/// Longest `client_id`, in characters.
const MAX_CLIENT_ID_CHARS: usize = 64;

/// What is wrong with a request, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What is wrong.
    pub text: String,
    /// The property, from the outside in, with dots between; empty for the whole.
    pub path: String,
    /// What the property is.
    pub note: &'static str,
}

impl Violation {
    /// A violation of the whole.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            path: String::new(),
            note: "",
        }
    }

    /// A violation at a property.
    pub fn at(property: &str, text: impl Into<String>) -> Self {
        Self {
            path: property.to_owned(),
            ..Self::new(text)
        }
    }

    /// The message of the answer; `what` is `Payload`, `Query` or `Path`.
    pub fn message(&self, what: &str) -> String {
        let Self { text, path, note } = self;
        match (path.is_empty(), note.is_empty()) {
            (true, _) => format!("{what} validation error: '{text}'."),
            (false, true) => format!("{what} validation error: '{text}' on property {path}."),
            (false, false) => format!("{what} validation error: '{text}' on property {path} ({note})."),
        }
    }

    /// The same, inside `property`.
    fn inside(mut self, property: &str) -> Self {
        let is_own = self.path.is_empty();
        self.path = match is_own {
            true => property.to_owned(),
            false => format!("{property}.{}", self.path),
        };
        self
    }
}

impl Body {
    /// Checks a body.
    pub fn check(&self, body: &Value) -> Result<(), Violation> {
        check_nul(body)?;
        match self {
            Self::None => Ok(()),
            Self::Create(shape) | Self::Upload(shape) => shape.check(body, false),
            Self::Change(shape) => shape.check(body, true),
            Self::List(kind) => kind.check(body),
        }
    }
}

impl Shape {
    fn check(&self, body: &Value, is_change: bool) -> Result<(), Violation> {
        let members = members(body)?;
        let allowed = |name: &str| match self.properties.iter().find(|property| property.name == name) {
            Some(property) => !(is_change && property.is_fixed),
            None => self.is_open && !self.read_only.contains(&name),
        };
        if let Some(other) = members.keys().find(|name| !allowed(name)) {
            return Err(additional(other));
        }
        checked(self.properties, members, !is_change)
    }
}

impl Kind {
    /// Checks a value.
    pub(in crate::management) fn check(&self, value: &Value) -> Result<(), Violation> {
        match (self, value) {
            (Self::Anything, _) | (Self::Flag, Value::Bool(_)) => Ok(()),
            (Self::Text { min, max, format }, Value::String(text)) => check_text(text, *min, *max, *format),
            (Self::Word(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
            (Self::Word(_), Value::String(word)) => {
                Err(Violation::new(format!("No enum match for: \"{}\"", reflected(word))))
            }
            (Self::Integer { min, max }, Value::Number(number)) => match number.as_i64() {
                Some(number) if number < *min => {
                    Err(Violation::new(format!("Value {number} is less than minimum {min}")))
                }
                Some(number) if number > *max => {
                    Err(Violation::new(format!("Value {number} is greater than maximum {max}")))
                }
                Some(_) => Ok(()),
                None => Err(unexpected("integer", value)),
            },
            (Self::Number, Value::Number(number)) => match number.as_f64() {
                Some(number) if number >= 0.0 => Ok(()),
                Some(_) | None => Err(Violation::new(format!("Value {number} is less than minimum 0"))),
            },
            (Self::List { of, min, max, is_set }, Value::Array(items)) => check_list(items, of, *min, *max, *is_set),
            (Self::Object(properties), Value::Object(members)) => {
                let known = |name: &&String| properties.iter().any(|property| property.name == **name);
                match members.keys().find(|name| !known(name)) {
                    Some(other) => Err(additional(other)),
                    None => checked(properties, members, true),
                }
            }
            (Self::Open(properties), Value::Object(members)) => checked(properties, members, true),
            (Self::Texts { max, max_chars }, Value::Object(members)) => check_texts(members, *max, *max_chars),
            (kind, value) => Err(unexpected(kind.type_name(), value)),
        }
    }

    /// The JSON Schema word for its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Word(_) => "string",
            Self::Integer { .. } => "integer",
            Self::Number => "number",
            Self::Flag => "boolean",
            Self::List { .. } => "array",
            Self::Object(_) | Self::Open(_) | Self::Texts { .. } => "object",
            Self::Anything => "any",
        }
    }
}

/// Refuses a text or a name that holds U+0000, which a database does not take.
fn check_nul(value: &Value) -> Result<(), Violation> {
    let refused = || Err(Violation::new("Texts must not hold the character U+0000"));
    match value {
        Value::String(text) if text.contains('\0') => refused(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_nul(item).map_err(|violation| violation.inside(&index.to_string()))),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| match name.contains('\0') {
            true => refused(),
            false => check_nul(value).map_err(|violation| violation.inside(&reflected(name))),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn members(value: &Value) -> Result<&Map<String, Value>, Violation> {
    value.as_object().ok_or_else(|| unexpected("object", value))
}

/// Checks the known properties among `members`; with `wants_all` those required must be there.
fn checked(properties: &[Property], members: &Map<String, Value>, wants_all: bool) -> Result<(), Violation> {
    for property in properties {
        match members.get(property.name) {
            None if property.is_required && wants_all => {
                return Err(Violation::new(format!("Missing required property: {}", property.name)));
            }
            None => {}
            Some(Value::Null) if !property.is_required => {}
            Some(value) => property.kind.check(value).map_err(|mut violation| {
                if violation.path.is_empty() {
                    violation.note = property.note;
                }
                violation.inside(property.name)
            })?,
        }
    }
    Ok(())
}

fn check_text(text: &str, min: usize, max: usize, format: Format) -> Result<(), Violation> {
    let chars = text.chars().count();
    if chars < min {
        let text = format!("String is too short ({chars} chars), minimum {min}");
        return Err(Violation::new(text));
    }
    if chars > max {
        let text = format!("String is too long ({chars} chars), maximum {max}");
        return Err(Violation::new(text));
    }
    let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let (name, is_right) = match format {
        Format::Any => return Ok(()),
        Format::ClientId => (
            "client-id",
            (1..=MAX_CLIENT_ID_CHARS).contains(&chars) && text.bytes().all(is_id),
        ),
        Format::Name => ("name", !text.contains(['<', '>']) && !text.trim().is_empty()),
        Format::DateTime => ("date-time", Timestamp::parse(text).is_some()),
        Format::Url => ("absolute-uri-or-empty", text.is_empty() || is_url(text)),
        Format::SecureUrl => (
            "absolute-https-uri-or-empty",
            text.is_empty() || is_url(text) && text.len() > HTTPS.len() && text.starts_with(HTTPS),
        ),
        Format::Email => ("email", text.is_empty() || is_email(text)),
    };
    if is_right {
        return Ok(());
    }
    let text = format!("Object didn't pass validation for format {name}: {}", reflected(text));
    Err(Violation::new(text))
}

/// A scheme, a colon, and something without blanks (RFC 3986 §3): what of it may stand for what is not known yet is the
/// caller's to say.
fn is_url(text: &str) -> bool {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let begins = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let steers = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>' || c == '"';
    begins && scheme.bytes().all(is_part) && !rest.is_empty() && !rest.contains(steers)
}

/// Something on both sides of one `@`.
fn is_email(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    text.rsplit_once('@')
        .is_some_and(|(name, host)| is_part(name) && is_part(host))
}

fn check_list(items: &[Value], of: &Kind, min: usize, max: usize, is_set: bool) -> Result<(), Violation> {
    let length = items.len();
    if length < min {
        return Err(Violation::new(format!("Array is too short ({length}), minimum {min}")));
    }
    if length > max {
        return Err(Violation::new(format!("Array is too long ({length}), maximum {max}")));
    }
    for (index, item) in items.iter().enumerate() {
        of.check(item)
            .map_err(|violation| violation.inside(&index.to_string()))?;
    }
    if is_set {
        let mut seen = std::collections::HashMap::with_capacity(length);
        for (index, item) in items.iter().enumerate() {
            if let Some(first) = seen.insert(item.to_string(), index) {
                let text = format!("Array items are not unique (indexes {first} and {index})");
                return Err(Violation::new(text));
            }
        }
    }
    Ok(())
}

fn check_texts(members: &Map<String, Value>, max: usize, max_chars: usize) -> Result<(), Violation> {
    if members.len() > max {
        let text = format!("Too many properties defined ({}), maximum {max}", members.len());
        return Err(Violation::new(text));
    }
    let text = Kind::Text {
        min: 0,
        max: max_chars,
        format: Format::Any,
    };
    for (name, value) in members {
        if name.chars().count() > max_chars {
            return Err(Violation::new(format!("A name is longer than {max_chars} characters")));
        }
        if !value.is_null() {
            text.check(value)
                .map_err(|violation| violation.inside(&reflected(name)))?;
        }
    }
    Ok(())
}

fn additional(name: &str) -> Violation {
    Violation::new(format!("Additional properties not allowed: {}", reflected(name)))
}

fn unexpected(expected: &str, found: &Value) -> Violation {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Violation::new(format!("Expected type {expected} but found type {found}"))
}
