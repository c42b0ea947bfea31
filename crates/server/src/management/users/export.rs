//! `/users/{id}/export`: all that is kept about a user in one answer (GDPR articles 15 and 20). Ours, not Auth0's.

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::id::LogId;
use tokenhouse_store::{Permission, User, normalise};

use super::super::endpoint::{Call, Endpoint, Reply};
use super::super::error::Failure;
use super::super::logs;
use super::super::schema::{Body, text};
use super::{id_of, shown_all};
use crate::audit::event;
use crate::registry::{apis, users};

/// Lines of the log in one answer; the next ones are behind `next`.
const LINES: u32 = 500;

/// The row of the table.
pub(in crate::management) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "users/{id}/export",
    scopes: &["read:users"],
    summary: "Export what is kept about a user; wants read:logs as well",
    status: 200,
    query: &[text("from", 0, 64).note("What next said: goes on with the log")],
    body: Body::None,
    run: |call| Box::pin(export(call)),
}];

/// The user, what they may do, whether they are shut out, and the log about them, oldest first.
async fn export(call: Call) -> Result<Reply, Failure> {
    call.administrator.require(logs::READ)?;
    let (tenant, store) = (&call.tenant, &call.tenant.house.store);
    let user = users::user(tenant, &id_of(&call)).await?;
    let from = call.query.text("from").map(LogId::new);
    let rows = store
        .logs_of_user_after(&tenant.id, &user.id, from.as_ref(), LINES + 1)
        .await?;
    let kept = rows.len().min(usize::try_from(LINES).unwrap_or(usize::MAX));
    let next = rows.get(kept).and(rows[..kept].last()).map(|row| &row.id);
    let mut profile = shown_all(tenant, std::slice::from_ref(&user)).await?;
    let roles = store.roles_of_user(&tenant.id, &user.id).await?;
    let direct = store.permissions_of_user(&tenant.id, &user.id).await?;
    let mut body = json!({
        "exported_at": tenant.house.clock.now().to_string(),
        "user": profile.pop().unwrap_or_default(),
        "roles": roles.iter().map(|role| json!({ "id": role.id, "name": role.name })).collect::<Vec<_>>(),
        "permissions": permissions(&call, &direct).await?,
        "blocked_for": blocks(&call, &user),
        "logs": rows[..kept].iter().map(|row| Value::Object(event::shown(row))).collect::<Vec<_>>(),
    });
    if let Some(next) = next {
        body["next"] = json!(next);
    }
    // What is personal leaves the house: the log says so.
    Ok(Reply::json(body).showing_secret(true))
}

/// The permissions that the user has by themselves.
async fn permissions(call: &Call, held: &[Permission]) -> Result<Vec<Value>, Failure> {
    let mut shown = Vec::with_capacity(held.len());
    for permission in held {
        let api = call.tenant.house.store.api(&call.tenant.id, &permission.api_id).await?;
        let identifier = api.map(|api| apis::identifier(&call.tenant, &api));
        shown.push(json!({ "permission_name": permission.scope, "resource_server_identifier": identifier }));
    }
    Ok(shown)
}

/// The addresses from which they failed to sign in too often.
fn blocks(call: &Call, user: &User) -> Vec<Value> {
    let attempts = &call.tenant.house.accounts.attempts;
    let names = [&user.email, &user.username].into_iter().flatten();
    let addresses = names.flat_map(|name| attempts.blocked(&call.tenant.id, &normalise(name)));
    addresses.map(|ip| json!({ "ip": ip.to_string() })).collect()
}
