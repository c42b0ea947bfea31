//! What each endpoint answers when it did what was asked, as JSON Schema for the OpenAPI document: what a body may hold,
//! and beside it what is ours to write. Of what is answered types, words and times are said and no lengths: those bind
//! who writes.

use axum::http::Method;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::{absent, attack_protection};

use things::{
    API, BLOCKS, CLIENT, CONNECTION, CREDENTIAL, DAY, ENABLED, GRANT, JOB, JOB_ERROR, KEPT_OF_USER, KEY, LOG, MEMBER,
    NOTHING, PERMISSION, PROTECTION, QUOTA, ROLE, SETTINGS, SNIPPET, SNIPPETS, TICKET, Thing, USAGE, USER,
};

mod things;

/// How things are answered.
enum Form {
    One,
    /// As an array.
    List,
    /// As an array, or under this name with totals or a checkpoint.
    Page(&'static str),
}

/// The schema of what an endpoint answers; `None` if it has no body.
pub(super) fn schema(endpoint: &Endpoint) -> Option<Value> {
    if absent::has(endpoint) {
        return (endpoint.method == Method::GET).then(|| json!({ "type": ["array", "object"] }));
    }
    if endpoint.path == "stats/active-users" {
        return Some(json!({ "type": "integer", "minimum": 0 }));
    }
    let (form, thing) = answer(endpoint)?;
    // Whoever chooses properties may leave out any.
    let is_whole = endpoint.query.iter().all(|property| property.name != "fields");
    let item = thing.schema(is_whole);
    Some(match form {
        Form::One => item,
        Form::List => json!({ "type": "array", "items": item }),
        Form::Page(plural) => {
            let items = json!({ "type": "array", "items": item });
            let number = json!({ "type": "integer", "minimum": 0 });
            let totals = json!({
                "start": number, "limit": number, "total": number, "length": number,
                "next": { "type": "string" }, plural: items,
            });
            let under = json!({ "type": "object", "required": [plural], "properties": totals });
            json!({ "anyOf": [items, under] })
        }
    })
}

/// What an endpoint answers, and how.
fn answer(endpoint: &Endpoint) -> Option<(Form, Thing)> {
    let is_get = endpoint.method == Method::GET;
    let is_delete = endpoint.method == Method::DELETE;
    let listed = |plural, thing| Some((if is_get { Form::Page(plural) } else { Form::One }, thing));
    match endpoint.path {
        _ if endpoint.status == 204 => None,
        "roles/{id}" if is_delete => Some((Form::One, NOTHING)),
        "users/{id}/permissions" | "roles/{id}/permissions" | "roles/{id}/users" if !is_get => {
            Some((Form::One, NOTHING))
        }
        _ if is_delete => None,
        "clients" => listed("clients", CLIENT),
        "clients/{id}" | "clients/{id}/rotate-secret" => Some((Form::One, CLIENT)),
        "clients/{id}/credentials" if is_get => Some((Form::List, CREDENTIAL)),
        "clients/{id}/credentials" | "clients/{id}/credentials/{credential_id}" => Some((Form::One, CREDENTIAL)),
        "clients/{id}/connections" | "connections" => listed("connections", CONNECTION),
        "connections/{id}" => Some((Form::One, CONNECTION)),
        "connections/{id}/clients" => listed("clients", ENABLED),
        "resource-servers" | "resource-servers/search" => listed("resource_servers", API),
        "resource-servers/{id...}" => Some((Form::One, API)),
        "client-grants" => listed("client_grants", GRANT),
        "client-grants/{id}" => Some((Form::One, GRANT)),
        "users" => listed("users", USER),
        "users-by-email" => Some((Form::List, USER)),
        "users/{id}" => Some((Form::One, USER)),
        "users/{id}/export" => Some((Form::One, KEPT_OF_USER)),
        "users/{id}/logs" | "logs" => listed("logs", LOG),
        "logs/{id}" => Some((Form::One, LOG)),
        "roles" | "users/{id}/roles" => listed("roles", ROLE),
        "roles/{id}" => Some((Form::One, ROLE)),
        "roles/{id}/users" => listed("users", MEMBER),
        "users/{id}/permissions" | "roles/{id}/permissions" => listed("permissions", PERMISSION),
        "keys/signing" => Some((Form::List, KEY)),
        "keys/signing/{kid}" | "keys/signing/rotate" | "keys/signing/{kid}/revoke" => Some((Form::One, KEY)),
        "tenants/settings" => Some((Form::One, SETTINGS)),
        "stats/daily" => Some((Form::List, DAY)),
        "stats/usage" => Some((Form::List, USAGE)),
        "stats/quotas" => Some((Form::List, QUOTA)),
        "user-blocks" | "user-blocks/{id}" => Some((Form::One, BLOCKS)),
        "jobs/users-imports" | "jobs/users-exports" | "jobs/{id}" => Some((Form::One, JOB)),
        "jobs/{id}/errors" => Some((Form::List, JOB_ERROR)),
        "tickets/password-change" | "tickets/email-verification" => Some((Form::One, TICKET)),
        "snippets" => Some((Form::One, SNIPPETS)),
        "snippets/{request}" => Some((Form::One, SNIPPET)),
        path => attack_protection::properties(path).map(|written| {
            let thing = Thing { written, ..PROTECTION };
            (Form::One, thing)
        }),
    }
}
