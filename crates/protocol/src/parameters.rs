//! The parameters of a request, from a form or from JSON, read strictly: each name once, each value a text
//! (RFC 6749 §3.1, §3.2; CONTRACT §1.1).

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::error::reflected;
use crate::jose::json;

/// Most parameters that one request may carry.
const MAX_PARAMETERS: usize = 100;

/// The parameters of one request, from a form or from a JSON object, each name at most once.
#[derive(Clone, Debug)]
pub struct Parameters(Map<String, Value>);

/// Why a body gives no parameters, or a parameter no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParameterError {
    /// The body is not what its content type says; the text says where.
    Malformed(String),
    /// A parameter occurs twice (RFC 6749 §3.2).
    Duplicate(String),
    /// There are more parameters than any honest request has.
    TooMany,
    /// A parameter is something else than text.
    NotText(&'static str),
    /// A parameter is longer than any can be, or holds U+0000.
    Unusable(&'static str),
    /// A required parameter is missing (RFC 6749 §5.2).
    Missing(&'static str),
    /// `grant_type` names none of ours.
    UnsupportedGrantType(String),
    /// A parameter that would change the token asks for something that this server does not have.
    Unsupported(&'static str),
    /// `scope` holds a character that scopes cannot hold.
    InvalidScope,
    /// `audience` and `resource` disagree, or there are several resources (RFC 8707 §2).
    InvalidTarget(&'static str),
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn from_form(body: &[u8]) -> Result<Self, ParameterError> {
        let mut parameters = Map::new();
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let split = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let decoded =
                |bytes| form_decoded(bytes).ok_or_else(|| ParameterError::Malformed("the form is not UTF-8".into()));
            let name = decoded(&pair[..split])?;
            let value = decoded(pair.get(split + 1..).unwrap_or_default())?;
            if name == "resource" && parameters.contains_key(&name) {
                return Err(ParameterError::InvalidTarget(SEVERAL_RESOURCES));
            }
            if parameters.contains_key(&name) {
                return Err(ParameterError::Duplicate(reflected(&name)));
            }
            parameters.insert(name, Value::String(value));
            if parameters.len() > MAX_PARAMETERS {
                return Err(ParameterError::TooMany);
            }
        }
        Ok(Self(parameters))
    }

    /// Reads a JSON object; `null` is absent, as Auth0's SDKs expect (CONTRACT §1.1).
    pub fn from_json(body: &[u8]) -> Result<Self, ParameterError> {
        match json::parse(body) {
            Ok(Value::Object(parameters)) if parameters.len() > MAX_PARAMETERS => Err(ParameterError::TooMany),
            Ok(Value::Object(parameters)) => Ok(Self(parameters)),
            Ok(_) => Err(ParameterError::Malformed("the JSON is not an object".into())),
            Err(error) => Err(ParameterError::Malformed(error.to_string())),
        }
    }

    /// The value of `name`; absent, `null` and empty are all `None` (RFC 6749 §3.1).
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ParameterError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => Err(ParameterError::Unusable(name)),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ParameterError::NotText(name)),
        }
    }

    /// The value of `name`, which there must be.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, ParameterError> {
        self.text(name)?.ok_or(ParameterError::Missing(name))
    }

    /// Whether `name` is a list.
    pub(crate) fn is_list(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Array(_)))
    }
}

/// Undoes `application/x-www-form-urlencoded`; `None` if what comes out is not UTF-8.
pub fn form_decoded(bytes: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).ok()
}

/// Several APIs cannot be asked for at once (CONTRACT Decision 4).
pub(crate) const SEVERAL_RESOURCES: &str = "Several resource values. Ask for one token for each API.";
