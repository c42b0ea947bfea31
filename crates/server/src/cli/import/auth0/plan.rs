//! What an import does, step by step: asked of the Management API's own table, or only checked against it.

use std::sync::Arc;

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::cli::Failure;
use crate::management::endpoint::{Found, find};
use crate::management::endpoints;
use crate::management::request::{Asked, perform};
use crate::tenant::Tenant;

/// Items of a page.
const PAGE: usize = 100;

/// The steps so far, and what became of them.
pub(in crate::cli) struct Plan<'a> {
    /// Into which tenant.
    pub(super) tenant: &'a Arc<Tenant>,
    /// Whether nothing is done.
    pub(super) is_dry: bool,
    /// What was done, or would be.
    pub(super) lines: Vec<Line>,
    /// What the person at the terminal should know.
    pub(super) notes: Vec<String>,
    /// What could not be done.
    pub(super) failures: Vec<String>,
}

/// One thing.
pub(super) struct Line {
    /// What became of it.
    pub(super) action: Action,
    kind: &'static str,
    name: String,
    /// The properties that changed, or the new id.
    detail: String,
}

/// What becomes of a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Created,
    Updated,
    Unchanged,
}

/// A thing of the export on its way in.
pub(super) struct Subject<'a> {
    /// What it is, for people.
    pub(super) kind: &'static str,
    /// How people call it.
    pub(super) name: &'a str,
    /// Where it stands in the export.
    pub(super) at: &'a str,
}

impl<'a> Plan<'a> {
    /// Nothing yet.
    pub(in crate::cli) fn new(tenant: &'a Arc<Tenant>, is_dry: bool) -> Self {
        Self {
            tenant,
            is_dry,
            lines: Vec::new(),
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Says something beside the steps, once.
    pub(super) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// What is there now at a path.
    pub(in crate::cli) async fn get(&self, path: &str, query: &str) -> Result<Value, Failure> {
        let asked = Asked {
            method: &Method::GET,
            path,
            query,
            body: Value::Null,
        };
        let reply = perform(self.tenant, asked).await;
        let reply = reply.map_err(|failure| Failure::because(path, failure.message()))?;
        Ok(reply.body.unwrap_or_default())
    }

    /// Every item of a list.
    pub(in crate::cli) async fn all(&self, path: &str, query: &str) -> Result<Vec<Value>, Failure> {
        let mut found = Vec::new();
        for page in 0.. {
            let answer = self.get(path, &format!("page={page}&per_page={PAGE}{query}")).await?;
            let Value::Array(items) = answer else { break };
            let is_last = items.len() < PAGE;
            found.extend(items);
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Every item of a list that knows checkpoints alone, by its name in the answer.
    pub(in crate::cli) async fn all_by_checkpoint(&self, path: &str, list: &str) -> Result<Vec<Value>, Failure> {
        let (mut found, mut query) = (Vec::new(), format!("take={PAGE}"));
        loop {
            let mut answer = self.get(path, &query).await?;
            if let Some(Value::Array(items)) = answer.get_mut(list) {
                found.append(items);
            }
            match text(&answer, "next") {
                "" => return Ok(found),
                next => query = format!("take={PAGE}&from={}", segment(next)),
            }
        }
    }

    /// Makes a thing; `None` in a dry run, and where it could not be made.
    pub(super) async fn create(
        &mut self,
        subject: &Subject<'_>,
        path: &str,
        body: Map<String, Value>,
    ) -> Option<Value> {
        let answer = self.done(subject, &Method::POST, path, Value::Object(body)).await?;
        let id = answer.get("client_id").and_then(Value::as_str).unwrap_or_default();
        let detail = match (subject.kind, id) {
            ("application", id) if !id.is_empty() => format!("client_id {id}"),
            _ => String::new(),
        };
        self.line(Action::Created, subject, detail);
        Some(answer).filter(|_| !self.is_dry)
    }

    /// Changes what is not as `wanted` says.
    pub(super) async fn update(
        &mut self,
        subject: &Subject<'_>,
        path: &str,
        wanted: &Map<String, Value>,
        current: &Value,
    ) {
        let changed = changed(wanted, current);
        if changed.is_empty() {
            return self.line(Action::Unchanged, subject, String::new());
        }
        let names: Vec<&str> = changed.keys().map(String::as_str).collect();
        let detail = names.join(", ");
        if self.done(subject, &Method::PATCH, path, changed.into()).await.is_some() {
            self.line(Action::Updated, subject, detail);
        }
    }

    /// Asks for a change, or checks whether it could be asked for; `None` if it was refused.
    pub(super) async fn done(
        &mut self,
        subject: &Subject<'_>,
        method: &Method,
        path: &str,
        body: Value,
    ) -> Option<Value> {
        let done = match self.is_dry {
            true => match find(endpoints(), method, path) {
                Found::Row(endpoint, _) => {
                    let checked = endpoint.body.check(&body);
                    checked
                        .map(|()| Value::Null)
                        .map_err(|violation| violation.message("Payload"))
                }
                Found::OtherMethods(_) | Found::Nothing | Found::Unreadable(_) => Err(format!("{path} is not there")),
            },
            false => {
                let asked = Asked {
                    method,
                    path,
                    query: "",
                    body,
                };
                let reply = perform(self.tenant, asked).await;
                reply
                    .map(|reply| reply.body.unwrap_or_default())
                    .map_err(|failure| failure.message().to_owned())
            }
        };
        done.map_err(|text| {
            let Subject { kind, name, at } = subject;
            self.failures.push(format!("{kind} {name} ({at}): {text}"));
        })
        .ok()
    }

    /// Writes down what became of a thing.
    pub(super) fn line(&mut self, action: Action, subject: &Subject<'_>, detail: String) {
        self.lines.push(Line {
            action,
            kind: subject.kind,
            name: subject.name.to_owned(),
            detail,
        });
    }
}

impl Line {
    /// For people; nothing of what is as it was.
    pub(super) fn shown(&self) -> Option<String> {
        let sign = match self.action {
            Action::Created => '+',
            Action::Updated => '~',
            Action::Unchanged => return None,
        };
        let Self { kind, name, detail, .. } = self;
        let detail = match detail.is_empty() {
            true => String::new(),
            false => format!("  ({detail})"),
        };
        Some(format!("{sign} {kind:<12} {name}{detail}\n"))
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Option<Value> {
        let action = match self.action {
            Action::Created => "create",
            Action::Updated => "update",
            Action::Unchanged => return None,
        };
        Some(json!({ "action": action, "kind": self.kind, "name": self.name, "detail": self.detail }))
    }
}

/// A path's segment, whatever it holds.
pub(in crate::cli) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The text of a member; empty if there is none.
pub(in crate::cli) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Of what is wanted that which is not so.
fn changed(wanted: &Map<String, Value>, current: &Value) -> Map<String, Value> {
    let differs = |(name, value): &(&String, &Value)| !is_so(value, current.get(name.as_str()).unwrap_or(&Value::Null));
    let pairs = wanted.iter().filter(differs);
    pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether what there is is as wanted. An object may have more: defaults are shown that an export need not name. Lists of
/// texts and of scopes have no order.
fn is_so(wanted: &Value, current: &Value) -> bool {
    match (wanted, current) {
        (Value::Object(wanted), Value::Object(current)) => wanted
            .iter()
            .all(|(name, value)| is_so(value, current.get(name).unwrap_or(&Value::Null))),
        (Value::Array(wanted), Value::Array(current)) => {
            let order = |items: &[Value]| {
                let mut items: Vec<(String, Value)> = items.iter().map(|item| (key(item), item.clone())).collect();
                items.sort_by(|a, b| a.0.cmp(&b.0));
                items
            };
            let (wanted, current) = (order(wanted), order(current));
            let pairs = wanted.iter().zip(&current);
            wanted.len() == current.len()
                && pairs
                    .into_iter()
                    .all(|((_, wanted), (_, current))| is_so(wanted, current))
        }
        (Value::Number(wanted), Value::Number(current)) => wanted.as_f64() == current.as_f64(),
        // An object that is not there has nothing in it.
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        (wanted, current) => wanted == current,
    }
}

/// What an item of a list is known by: a scope's value, or itself.
fn key(item: &Value) -> String {
    match item.get("value").and_then(Value::as_str) {
        Some(value) => value.to_owned(),
        None => item.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_so_is_no_change() {
        let current = json!({
            "name": "n", "scopes": [{"value": "b"}, {"value": "a", "description": "A"}], "jwt": {"alg": "RS256", "life": 5},
            "list": ["x", "y"], "number": 5,
        });
        let changes = |wanted: Value| changed(wanted.as_object().unwrap(), &current);
        let same = json!({
            "scopes": [{"value": "a", "description": "A"}, {"value": "b"}], "jwt": {"life": 5.0}, "list": ["y", "x"],
            "absent": null, "empty": {},
        });
        assert_eq!(changes(same), Map::new());
        let other = json!({"scopes": [{"value": "a"}], "jwt": {"life": 6}, "list": ["x"], "number": null, "new": 1});
        assert_eq!(changes(other).len(), 5);
    }
}
