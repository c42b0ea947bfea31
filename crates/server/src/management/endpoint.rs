//! One row of the table of endpoints, and how a request finds its row: on the raw path, each segment decoded by itself,
//! since an identifier may hold a slash of its own (CONTRACT §4.1, trap 5).

use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Map, Value};

use tokenhouse_protocol::id::UserId;

use super::access::Administrator;
use super::error::Failure;
use super::query::Query;
use super::schema::{Body, Property, Violation};
use crate::caller::Caller;
use crate::percent;
use crate::tenant::Tenant;

/// Longest path parameter, in bytes: an identifier of 600 characters, encoded twice.
const MAX_PARAMETER_BYTES: usize = 8192;

/// One method of one path.
pub struct Endpoint {
    /// `GET`, `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: Method,
    /// Below `/api/v2/`: segments, `{name}` for a parameter, a last `{name...}` for all the rest.
    pub path: &'static str,
    /// Any one of these must be in the token, and still in the grant.
    pub scopes: &'static [&'static str],
    /// What it does, for people: the log's description.
    pub summary: &'static str,
    /// The status when it did.
    pub status: u16,
    /// The query's parameters; others are not looked at.
    pub query: &'static [Property],
    /// The body.
    pub body: Body,
    /// What does it.
    pub run: Run,
}

/// What does the work of an endpoint.
pub type Run = fn(Call) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// A request whose caller may make it and whose body and query are of the right shape.
pub struct Call {
    /// The tenant.
    pub tenant: Arc<Tenant>,
    /// Who is at the door.
    pub caller: Arc<Caller>,
    /// Which application it is, and what it may.
    pub administrator: Administrator,
    /// The address that was asked, without its query.
    pub url: String,
    /// The path's parameters, decoded.
    pub path: Vec<(&'static str, String)>,
    /// The query's parameters.
    pub query: Query,
    /// The body; `null` if there is none.
    pub body: Value,
}

/// What an endpoint answers.
#[derive(Default)]
pub struct Reply {
    /// The status, where it is another than the row's.
    pub status: Option<u16>,
    /// The body; none with 204.
    pub body: Option<Value>,
    /// The `Link` header of a page.
    pub link: Option<String>,
    /// Whether the body shows a secret, so that the log has a row of it.
    pub shows_secret: bool,
    /// The user whom it is about, where neither the path nor the body says so.
    pub about: Option<UserId>,
}

/// The row of a request.
pub enum Found {
    /// This one, with the path's parameters.
    Row(&'static Endpoint, Vec<(&'static str, String)>),
    /// The path has rows, but for these methods alone.
    OtherMethods(String),
    /// The path has no row.
    Nothing,
    /// A segment cannot be decoded.
    Unreadable(Violation),
}

impl Call {
    /// A path parameter; empty if the row has none of this name.
    pub fn parameter(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Takes the body's members; none if it is no object.
    pub fn members(&mut self) -> Map<String, Value> {
        match self.body.take() {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

impl Reply {
    /// A body.
    pub fn json(body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::default()
        }
    }

    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same; it is about this user.
    #[must_use]
    pub fn about(mut self, user: UserId) -> Self {
        self.about = Some(user);
        self
    }

    /// The same; its body shows a secret if `shows`.
    #[must_use]
    pub fn showing_secret(mut self, shows: bool) -> Self {
        self.shows_secret = shows;
        self
    }
}

/// Finds the row for a raw path below `/api/v2/`. Of several patterns that match, the one with the earliest literal.
pub fn find(endpoints: &[&'static Endpoint], method: &Method, raw: &str) -> Found {
    let segments: Vec<&str> = raw.split('/').collect();
    let mut best: Option<(Vec<bool>, &'static str)> = None;
    for endpoint in endpoints {
        if let Some(literals) = shape(endpoint.path, &segments)
            && best.as_ref().is_none_or(|(known, _)| literals > *known)
        {
            best = Some((literals, endpoint.path));
        }
    }
    let Some((_, path)) = best else { return Found::Nothing };
    let rows = || endpoints.iter().filter(|endpoint| endpoint.path == path);
    let Some(endpoint) = rows().find(|endpoint| endpoint.method == *method) else {
        let methods: Vec<&str> = rows().map(|endpoint| endpoint.method.as_str()).collect();
        return Found::OtherMethods(methods.join(", "));
    };
    match parameters(path, &segments) {
        Ok(parameters) => Found::Row(endpoint, parameters),
        Err(violation) => Found::Unreadable(violation),
    }
}

/// Which segments of a pattern that matches are literal, since the earlier a literal the closer the match.
fn shape(pattern: &str, segments: &[&str]) -> Option<Vec<bool>> {
    let has_tail = pattern.ends_with("...}");
    // A tail is the least close of all.
    matches(pattern, has_tail, segments).then(|| {
        let parts = pattern.split('/');
        parts.map(|part| !part.starts_with('{')).chain([!has_tail]).collect()
    })
}

/// Whether a pattern matches. Most of them do not, and are left at their first literal.
fn matches(pattern: &str, has_tail: bool, segments: &[&str]) -> bool {
    let mut parts = pattern.split('/');
    for segment in segments {
        let is_match = match parts.next() {
            Some(part) if part.starts_with('{') => !segment.is_empty(),
            Some(part) => part == *segment,
            None => has_tail,
        };
        if !is_match {
            return false;
        }
    }
    parts.next().is_none()
}

fn parameters(pattern: &'static str, segments: &[&str]) -> Result<Vec<(&'static str, String)>, Violation> {
    let mut found = Vec::new();
    for (place, part) in pattern.split('/').enumerate() {
        let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            continue;
        };
        let (name, raw) = match name.strip_suffix("...") {
            Some(name) => (name, segments[place..].join("/")),
            None => (name, segments[place].to_owned()),
        };
        found.push((name, decoded(name, &raw)?));
    }
    Ok(found)
}

/// Decodes a segment once.
pub fn decoded(name: &str, raw: &str) -> Result<String, Violation> {
    if raw.len() > MAX_PARAMETER_BYTES {
        return Err(Violation::at(name, "String is too long"));
    }
    let text = percent::decoded(raw);
    text.filter(|text| !text.contains('\0'))
        .ok_or_else(|| Violation::at(name, "The text is not UTF-8, or holds the character U+0000"))
}
