//! The Management API of the place that a command works on: of the tenant in this process, or of a server. A command
//! asks for the same either way, so that it needs no second design and repeats no rule of the house.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::remote::Remote;
use crate::management::error;
use crate::management::request::{self, Asked};
use crate::tenant::Tenant;

/// Items of a page: the most that the API gives at once.
const PAGE_ITEMS: usize = 100;
/// What to do where the house cannot do it.
const DOCTOR: &str = "`tokenhouse doctor` looks at the database, and says what to do.";
/// What is encoded in a segment of a path: all but RFC 3986's unreserved characters.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where requests go.
pub(super) enum Management {
    /// To the tenant whose database is open.
    Here(Arc<Tenant>),
    /// To a server.
    There(Box<Remote>),
}

/// A request that was refused, in the API's words.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) message: String,
    /// What the person at the terminal may do about it.
    pub(super) hint: String,
}

impl Management {
    /// The issuer of the tenant's tokens.
    pub(super) fn issuer(&self) -> &str {
        match self {
            Self::Here(tenant) => tenant.issuer.as_str(),
            Self::There(remote) => remote.issuer(),
        }
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Refused> {
        self.ask(Method::GET, path, query, Value::Null).await
    }

    /// The thing at a path without its secret, so that the log has no row of a secret that nobody asked for.
    pub(super) async fn get_without(&self, path: &str, secret: &str) -> Result<Value, Refused> {
        self.get(path, &[("fields", secret), ("include_fields", "false")]).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.ask(Method::PATCH, path, &[], body).await
    }

    pub(super) async fn delete(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.ask(Method::DELETE, path, &[], body).await
    }

    /// Asks for something: the answer's JSON, `null` where it has none.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Value,
    ) -> Result<Value, Refused> {
        let pairs = query
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let answered = match self {
            Self::Here(tenant) => {
                let asked = Asked {
                    method: &method,
                    path,
                    query: &query,
                    body,
                };
                let reply = request::perform(tenant, asked).await;
                reply
                    .map(|reply| reply.body.unwrap_or_default())
                    .map_err(|failure| refused_here(&failure))
            }
            Self::There(remote) => remote.ask(method, path, &query, body).await,
        };
        answered.map_err(|refused| match refused.status {
            404 if refused.hint.is_empty() => Refused {
                hint: who_lists(path),
                ..refused
            },
            _ => refused,
        })
    }

    /// Every item of a list, or the first `most`.
    ///
    /// By checkpoint where there is one, and by number elsewhere: lists that know no checkpoint look past `take`.
    pub(super) async fn all(
        &self,
        path: &str,
        query: &[(&str, &str)],
        most: Option<usize>,
    ) -> Result<Vec<Value>, Refused> {
        let most = most.unwrap_or(usize::MAX);
        let take = PAGE_ITEMS.to_string();
        let (mut found, mut page, mut from) = (Vec::new(), 0_u32, None::<String>);
        loop {
            let number = page.to_string();
            let mut query = query.to_vec();
            query.extend([
                ("take", take.as_str()),
                ("per_page", take.as_str()),
                ("page", number.as_str()),
            ]);
            query.extend(from.as_deref().map(|from| ("from", from)));
            let mut answer = self.get(path, &query).await?;
            let is_last = match &mut answer {
                Value::Array(items) => {
                    let is_last = items.len() < PAGE_ITEMS;
                    found.append(items);
                    is_last
                }
                Value::Object(members) => {
                    from = members.get("next").and_then(Value::as_str).map(str::to_owned);
                    let items = members.values_mut().find_map(Value::as_array_mut);
                    found.append(items.unwrap_or(&mut Vec::new()));
                    from.is_none()
                }
                _ => true,
            };
            if is_last || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
            page += 1;
        }
    }
}

/// A path of these segments, each encoded whatever it holds.
pub(super) fn path<const N: usize>(segments: [&str; N]) -> String {
    segments
        .map(|segment| utf8_percent_encode(segment, IN_SEGMENT).to_string())
        .join("/")
}

/// A permission as the API names it.
pub(super) fn permissions(api: &str, scopes: &[String]) -> Value {
    let named = scopes
        .iter()
        .map(|scope| json!({ "resource_server_identifier": api, "permission_name": scope }));
    json!({ "permissions": named.collect::<Vec<_>>() })
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let Refused { message, hint, .. } = refused;
        match (message.ends_with(['.', '!', '?']), hint.is_empty()) {
            (_, true) => Self(message),
            (true, false) => Self(format!("{message} {hint}")),
            (false, false) => Self(format!("{message}. {hint}")),
        }
    }
}

/// What the tenant in this process refused. Why the house cannot do it is told here: whoever types has the database.
fn refused_here(failure: &error::Failure) -> Refused {
    let status = failure.status();
    let cause = failure.cause().filter(|_| status.is_server_error());
    let hint = if cause.is_some() { DOCTOR } else { "" };
    Refused {
        status: status.as_u16(),
        message: cause.unwrap_or(failure.message()).to_owned(),
        hint: hint.to_owned(),
    }
}

/// Where to look for the name of a thing that is not there.
fn who_lists(path: &str) -> String {
    let command = match path.split('/').next().unwrap_or_default() {
        "clients" => "apps list",
        "resource-servers" => "apis list",
        "client-grants" => "grants list",
        "users" => "users list",
        "roles" => "roles list",
        "keys" => "keys list",
        _ => return String::new(),
    };
    format!("`tokenhouse {command}` shows those that there are.")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use tokenhouse_store::StoreError;

    use super::*;

    #[test]
    fn whoever_has_the_database_is_told_why_it_cannot_be_used() {
        let full = StoreError::Unavailable("database or disk is full".into());
        let Failure(said) = refused_here(&full.into()).into();
        let expected = "the database cannot be used now: database or disk is full. \
                        `tokenhouse doctor` looks at the database, and says what to do.";
        assert_eq!(said, expected);
        let absent = error::Failure::new(StatusCode::NOT_FOUND, "The client does not exist", None);
        let Failure(said) = refused_here(&absent).into();
        assert_eq!(said, "The client does not exist");
    }
}
