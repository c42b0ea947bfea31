//! `/jobs`: users come in from a file, or go out to one (`exports`; CONTRACT §4.2). An import is done when it is answered;
//! the answer says what Auth0's says, and whoever looks after it finds it completed.

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::id::ConnectionId;
use tokenhouse_store::Transfer;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::exports;
use super::schema::{Body, LONG, Property, Shape, flag, text};
use crate::registry::exports::KIND;
use crate::registry::import::transfers::{self, NewTransfer};

const CREATE: &[&str] = &["create:users"];
const READ: &[&str] = &["create:users", "read:users"];

static PROPERTIES: &[Property] = &[
    text("users", 1, LONG)
        .required()
        .secret()
        .note("The file: a JSON list of users, or an object in each line"),
    text("connection_id", 1, 64).required().note("Where the users are kept"),
    flag("upsert").note("Whether users who are there already are changed"),
    text("external_id", 0, 255).note("What the caller calls the job"),
    flag("send_completion_email").note("Accepted; no mail is sent"),
];

/// What a job did not take; answered with 204 where it took all.
pub(super) const ERRORS: &str = "jobs/{id}/errors";

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "jobs/users-imports",
        scopes: CREATE,
        summary: "Create a job to import users",
        status: 202,
        query: &[],
        body: Body::Upload(Shape::of(PROPERTIES)),
        run: |call| Box::pin(import(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "jobs/{id}",
        scopes: READ,
        summary: "Get a job",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::GET,
        path: ERRORS,
        scopes: READ,
        summary: "Get job error details",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(errors(call)),
    },
];

async fn import(mut call: Call) -> Result<Reply, Failure> {
    let mut said = call.members();
    let mut text = |name: &str| match said.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let (users, connection_id, external_id) = (text("users"), text("connection_id"), text("external_id"));
    let is_set = |name: &str| said.get(name) == Some(&json!(true));
    let new = NewTransfer {
        connection_id: ConnectionId::new(connection_id.unwrap_or_default()),
        users: users.unwrap_or_default(),
        upsert: is_set("upsert"),
        external_id,
        send_completion_email: said.get("send_completion_email") != Some(&json!(false)),
    };
    let transfer = transfers::import(&call.tenant, new).await?;
    Ok(Reply::json(begun(&transfer)))
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let transfer = transfers::transfer(&call.tenant, call.parameter("id")).await?;
    let mut shown = shown(&transfer);
    let leads_to_users = transfer.kind == KIND && call.administrator.require(exports::READ).is_ok();
    if leads_to_users {
        shown["location"] = json!(exports::location(&call.tenant, &transfer));
    }
    Ok(Reply::json(shown).showing_secret(leads_to_users))
}

async fn errors(call: Call) -> Result<Reply, Failure> {
    let transfer = transfers::transfer(&call.tenant, call.parameter("id")).await?;
    match transfer.errors.is_empty() {
        true => Ok(Reply {
            status: Some(204),
            ..Reply::empty()
        }),
        false => Ok(Reply::json(transfer.errors.into())),
    }
}

/// A job as it is answered when it was asked for.
pub(super) fn begun(transfer: &Transfer) -> Value {
    let mut shown = shown(transfer);
    shown["status"] = json!("pending");
    for later in ["summary", "percentage_done", "time_left_seconds"] {
        shown.as_object_mut().map(|shown| shown.remove(later));
    }
    shown
}

fn shown(transfer: &Transfer) -> Value {
    let mut shown = transfer.body.clone();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    put("id", json!(transfer.id));
    put("type", json!(transfer.kind));
    put("status", json!("completed"));
    put("created_at", json!(transfer.created_at.to_string()));
    put("percentage_done", json!(100));
    put("time_left_seconds", json!(0));
    if let Some(connection) = &transfer.connection_id {
        put("connection_id", json!(connection));
    }
    if let Some(external) = &transfer.external_id {
        put("external_id", json!(external));
    }
    shown.into()
}
