//! `/user-blocks`: who failed to sign in too often, and letting them try again (CONTRACT §4.2, §4.10).
//!
//! Failures are counted by each node for itself, so this is what the node that answers knows.

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_store::{User, normalise};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Property, Violation, flag, text};
use super::users::id_of;
use crate::registry::users;

const READ: &[&str] = &["read:users"];
const UPDATE: &[&str] = &["update:users"];
const IDENTIFIER: Property = text("identifier", 0, 320).note("An e-mail address, or a user name");
const BRUTE_FORCE: Property = flag("consider_brute_force_enablement");

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "user-blocks",
        scopes: READ,
        summary: "Get blocks by identifier",
        status: 200,
        query: &[IDENTIFIER, BRUTE_FORCE],
        body: Body::None,
        run: |call| Box::pin(async move { Ok(blocks(&call, &[identifier(&call)?])) }),
    },
    Endpoint {
        method: Method::DELETE,
        path: "user-blocks",
        scopes: UPDATE,
        summary: "Unblock by identifier",
        status: 204,
        query: &[IDENTIFIER],
        body: Body::None,
        run: |call| Box::pin(async move { Ok(unblock(&call, &[identifier(&call)?])) }),
    },
    Endpoint {
        method: Method::GET,
        path: "user-blocks/{id}",
        scopes: READ,
        summary: "Get a user's blocks",
        status: 200,
        query: &[BRUTE_FORCE],
        body: Body::None,
        run: |call| Box::pin(async move { Ok(blocks(&call, &of_user(&call).await?)) }),
    },
    Endpoint {
        method: Method::DELETE,
        path: "user-blocks/{id}",
        scopes: UPDATE,
        summary: "Unblock a user",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(async move { Ok(unblock(&call, &of_user(&call).await?)) }),
    },
];

fn blocks(call: &Call, identifiers: &[String]) -> Reply {
    let attempts = &call.tenant.house.accounts.attempts;
    let blocked = identifiers.iter().flat_map(|identifier| {
        let addresses = attempts.blocked(&call.tenant.id, identifier);
        let block = move |ip: std::net::IpAddr| json!({ "identifier": identifier, "ip": ip.to_string() });
        addresses.into_iter().map(block)
    });
    Reply::json(json!({ "blocked_for": blocked.collect::<Vec<Value>>() }))
}

fn unblock(call: &Call, identifiers: &[String]) -> Reply {
    for identifier in identifiers {
        call.tenant.house.accounts.attempts.forgive(&call.tenant.id, identifier);
    }
    Reply::empty()
}

fn identifier(call: &Call) -> Result<String, Failure> {
    let identifier = call.query.text("identifier").map(normalise);
    identifier.ok_or_else(|| Failure::query(&Violation::new("Missing required property: identifier")))
}

/// What a user can sign in with.
async fn of_user(call: &Call) -> Result<Vec<String>, Failure> {
    let User { email, username, .. } = users::user(&call.tenant, &id_of(call)).await?;
    Ok([email, username]
        .into_iter()
        .flatten()
        .map(|name| normalise(&name))
        .collect())
}
