//! What the log keeps of the Management API: a row of every write (`sapi`, refused `fapi`) and of every read that shows
//! a secret (`mgmt_api_read`), with who, what, and which properties; secrets are masked (CONTRACT §4.8).
//!
//! A row is written after its change is durable and before the answer leaves, so that no answer is given of what is not
//! recorded; the change itself is also in the list of the tenant's revisions.

use std::io;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::UserId;
use tokenhouse_store::{Job, LogBody, LogEntry};

use super::access::Administrator;
use super::endpoint::{Endpoint, Reply};
use super::error::Failure;
use super::query::Query;
use super::schema::{Body, Kind, Property};
use crate::caller::Caller;
use crate::tenant::Tenant;

/// What stands in place of a secret.
const MASK: &str = "*****";
/// Words in a property's name that make it a secret, whatever it is: carried properties have no schema.
const SECRET_WORDS: [&str; 5] = ["secret", "password", "private", "token", "api_key"];
/// Parameters of a query that name a person, or may.
const NAMING: [&str; 4] = ["identifier", "email", "q", "search"];
/// Longest body that is kept, as JSON text in bytes; of a longer one the names of its properties are kept alone.
const MAX_BODY_BYTES: usize = 8192;
/// Longest id of a user that is kept, in bytes; no user's is longer.
const MAX_USER_ID_BYTES: usize = 261;
/// What of an answer's body is kept, to find the thing again.
const KEPT: [&str; 6] = ["id", "client_id", "user_id", "kid", "name", "identifier"];

/// A line's own members (CONTRACT §4.8).
#[derive(Serialize)]
struct Line<'a> {
    description: &'a str,
    client_name: &'a str,
    hostname: &'a str,
    user_agent: &'a str,
    audience: &'a str,
    request_id: &'a str,
    channel: &'a str,
    auth0_client: Option<&'a Value>,
    details: Details<'a>,
}

/// What was asked and answered.
#[derive(Serialize)]
struct Details<'a> {
    request: Request<'a>,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a Value,
    body: Option<&'a Value>,
    /// Which properties were sent, however long the body is.
    properties: Vec<&'a String>,
    channel: &'a str,
    ip: IpAddr,
    #[serde(rename = "userAgent")]
    user_agent: &'a str,
    auth: Value,
}

#[derive(Serialize)]
struct Response<'a> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    body: &'a Value,
}

/// A request on its way into the log.
pub(super) struct Record<'a> {
    /// The tenant.
    pub(super) tenant: &'a Tenant,
    /// Who is at the door.
    pub(super) caller: &'a Caller,
    /// Which application it is, or the command line.
    pub(super) administrator: &'a Administrator,
    /// What was asked for.
    pub(super) endpoint: &'a Endpoint,
    /// The path that was asked, raw.
    pub(super) path: &'a str,
    /// The query, as [`queried`] makes it.
    pub(super) query: Value,
    /// The body with its secrets masked, as [`masked`] makes it.
    pub(super) body: Value,
    /// The user that the path names.
    pub(super) user: Option<UserId>,
}

impl Record<'_> {
    /// Records what was done, durably.
    pub(super) async fn done(mut self, reply: &Reply) -> Result<(), Failure> {
        let is_read = self.endpoint.method.is_safe();
        if is_read && !reply.shows_secret {
            return Ok(());
        }
        let kind = if is_read { "mgmt_api_read" } else { "sapi" };
        let shown = reply.body.as_ref().and_then(Value::as_object);
        let made = shown.and_then(|shown| shown.get("user_id")).and_then(Value::as_str);
        let about = reply.about.clone();
        self.user = self.user.or_else(|| made.map(UserId::new)).or(about);
        let kept: Map<String, Value> = shown
            .into_iter()
            .flatten()
            .filter(|(name, value)| KEPT.contains(&name.as_str()) && value.is_string())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let job = Job {
            tenant: self.tenant.id.clone(),
            entries: vec![self.entry(kind, self.endpoint.status, &Value::Object(kept))],
            uses: None,
            counts: None,
        };
        self.tenant.house.audit.record(job).await?;
        Ok(())
    }

    /// Records what was refused, without waiting; a read that is refused leaves no row.
    pub(super) fn refused(self, failure: &Failure) {
        if self.endpoint.method.is_safe() {
            return;
        }
        let entry = self.entry("fapi", failure.status().as_u16(), &failure.to_json());
        self.tenant
            .house
            .audit
            .refused(&self.tenant.id, self.caller.address, vec![entry]);
    }

    fn entry(&self, kind: &'static str, status: u16, answer: &Value) -> LogEntry {
        let Self {
            tenant,
            caller,
            administrator,
            endpoint,
            ..
        } = self;
        let (strategy, client_name) = match &administrator.application {
            Some(application) => ("jwt", application.name.as_str()),
            None => (caller.channel.as_str(), ""),
        };
        // Those that opened this door: all that a token holds would be most of the log.
        let opening: Vec<&str> = endpoint
            .scopes
            .iter()
            .copied()
            .filter(|scope| administrator.has_scope(scope))
            .collect();
        let request = Request {
            method: &endpoint.method.as_str().to_ascii_lowercase(),
            path: self.path,
            query: &self.query,
            body: bounded(&self.body),
            properties: self.body.as_object().into_iter().flat_map(Map::keys).collect(),
            channel: caller.channel.as_str(),
            ip: caller.address,
            user_agent: &caller.user_agent,
            auth: json!({ "strategy": strategy, "credentials": { "scopes": opening }, "user": {} }),
        };
        let line = Line {
            description: endpoint.summary,
            client_name,
            hostname: &caller.host,
            user_agent: &caller.user_agent,
            audience: &tenant.issuer.system_api(),
            request_id: &caller.request_id,
            channel: caller.channel.as_str(),
            auth0_client: caller.auth0_client.as_ref(),
            details: Details {
                request,
                response: Response {
                    status_code: status,
                    body: answer,
                },
            },
        };
        LogEntry {
            at: tenant.house.clock.now(),
            kind,
            client_id: administrator
                .application
                .as_ref()
                .map(|application| application.id.clone()),
            api_id: Some(administrator.api_id.clone()),
            user_id: self.user.clone(),
            grant: None,
            address: Some(caller.address.to_string()),
            tokens: 0,
            repeats: 1,
            body: LogBody::of(&line),
        }
    }
}

/// The user that a path is about, so that their log tells of it, and forgets it with them.
pub(super) fn user_of(endpoint: &Endpoint, path: &[(&'static str, String)]) -> Option<UserId> {
    let is_about_user = endpoint.path.starts_with("users/{id}") || endpoint.path.starts_with("user-blocks/{id}");
    let id = path.iter().find(|(name, _)| is_about_user && *name == "id");
    id.filter(|(_, id)| id.len() <= MAX_USER_ID_BYTES)
        .map(|(_, id)| UserId::new(id))
}

/// A query as the log may keep it: what is looked for in it is somebody's name.
pub(super) fn queried(query: &Query) -> Value {
    let kept = |(name, value): (&'static str, &str)| match NAMING.contains(&name) {
        true => (name.to_owned(), json!(MASK)),
        false => (name.to_owned(), json!(value)),
    };
    Value::Object(query.pairs().map(kept).collect())
}

/// A body as the log may keep it.
pub(super) fn masked(body: &Body, value: &Value) -> Value {
    match body {
        Body::Create(shape) | Body::Change(shape) | Body::Upload(shape) => masked_members(shape.properties, value),
        Body::List(Kind::Object(properties) | Kind::Open(properties)) => match value {
            Value::Array(items) => items.iter().map(|item| masked_members(properties, item)).collect(),
            other => masked_members(properties, other),
        },
        Body::List(_) => masked_members(&[], value),
        Body::None => Value::Null,
    }
}

fn masked_members(properties: &[Property], value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let masked = |(name, value): (&String, &Value)| (name.clone(), masked_member(properties, name, value));
            Value::Object(members.iter().map(masked).collect())
        }
        Value::Array(items) => items.iter().map(|item| masked_members(properties, item)).collect(),
        other => other.clone(),
    }
}

fn masked_member(properties: &[Property], name: &str, value: &Value) -> Value {
    let known = properties.iter().find(|property| property.name == name);
    let lower = name.to_ascii_lowercase();
    let is_secret = match known {
        Some(property) => property.is_secret,
        None => SECRET_WORDS.iter().any(|word| lower.contains(word)),
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(_) | Value::Array(_) | Value::Object(_) if is_secret => MASK.into(),
        value => masked_members(inner(known), value),
    }
}

/// The properties inside a property.
fn inner(property: Option<&Property>) -> &'static [Property] {
    let kind = property.map(|property| property.kind);
    let kind = match kind {
        Some(Kind::List { of, .. }) => Some(*of),
        kind => kind,
    };
    match kind {
        Some(Kind::Object(properties) | Kind::Open(properties)) => properties,
        Some(_) | None => &[],
    }
}

/// A body, unless it is too long.
fn bounded(body: &Value) -> Option<&Value> {
    let mut room = Room(MAX_BODY_BYTES);
    serde_json::to_writer(&mut room, body).is_ok().then_some(body)
}

/// Takes so many bytes and no more, and keeps none.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
