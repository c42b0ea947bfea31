//! `/clients`: applications (CONTRACT §4.3). Secrets are shown to whoever may read client keys, and the log says so.

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Client, ClientFilter, MAX_APP_TYPES};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_CHECKPOINT, BY_NUMBER, FIELDS, Listed, Paging, Window, chosen};
use super::schema::{Body, Violation, flag, text};
use crate::registry::clients::{self, Credentials};
use crate::registry::{RegistryError, client_keys};
use crate::tenant::Tenant;

mod body;

pub(super) use body::{PROPERTIES, TOKEN_QUOTA};
pub(super) mod credentials;

/// What shows secrets.
const READ_KEYS: &str = "read:client_keys";
/// What shows a name and no more.
const READ_SUMMARY: &str = "read:client_summary";
const READ: &[&str] = &["read:clients", READ_KEYS, READ_SUMMARY];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "clients",
        scopes: READ,
        summary: "Get clients",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
            FIELDS[0],
            FIELDS[1],
            flag("is_global"),
            flag("is_first_party"),
            text("app_type", 0, 255).note("Kinds, with commas between"),
            text("external_client_id", 0, 2048),
            text("q", 0, 1024).note("client_grant.organization_id:… or client_grant.allow_any_organization:…"),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "clients",
        scopes: &["create:clients"],
        summary: "Create a client",
        status: 201,
        query: &[],
        body: Body::Create(body::SHAPE),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "clients/{id}",
        scopes: READ,
        summary: "Get a client",
        status: 200,
        query: &FIELDS,
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "clients/{id}",
        scopes: &["update:clients", "update:client_keys"],
        summary: "Update a client",
        status: 200,
        query: &[],
        body: Body::Change(body::SHAPE),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "clients/{id}",
        scopes: &["delete:clients"],
        summary: "Delete a client",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "clients/{id}/rotate-secret",
        scopes: &["update:client_keys"],
        summary: "Rotate a client secret",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(rotate_secret(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Checkpoint)?;
    let store = &call.tenant.house.store;
    let (rows, total) = match filter(&call)? {
        Some(filter) => {
            let rows = store.clients_matching(&call.tenant.id, &filter, window.page()).await?;
            let total = match window.wants_total() {
                true => store.clients_total(&call.tenant.id, &filter).await?,
                false => 0,
            };
            (rows, total)
        }
        None => (Vec::new(), 0),
    };
    let (rows, has_more) = window.wanted(rows);
    let next = rows.last().filter(|_| has_more).map(|row| row.id.clone());
    let secrets = match call.administrator.has_scope(READ_KEYS) {
        true => {
            let ids: Vec<ClientId> = rows.iter().map(|row| row.id.clone()).collect();
            clients::secrets(&call.tenant, &ids).await?
        }
        false => Vec::new(),
    };
    let certificates = certificates(&call).await?;
    let mut shows_secret = false;
    let item = |row: &Client| {
        let secret = secrets.iter().find(|(id, _)| *id == row.id);
        let mut item = shown(&call, row, secret.map(|(_, secret)| secret));
        item.extend(certificates.clone());
        let item = chosen(&call.query, item);
        shows_secret |= item.contains_key("client_secret");
        Value::Object(item)
    };
    let listed = Listed {
        plural: "clients",
        items: rows.iter().map(item).collect(),
        total,
        next: next.as_ref().map(ClientId::as_str),
    };
    Ok(listed.reply(&call, &window).showing_secret(shows_secret))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let mut properties = call.members();
    let credentials = Credentials {
        secret: secret(&mut properties),
        keys: credentials::embedded(&mut properties)?,
    };
    let (client, secret) = clients::create_of(&call.tenant, properties, credentials).await?;
    // Whoever makes an application is told its secret: once, if they may not read it again.
    let mut shown = properties_of(&call.tenant, &client);
    with_secret(&mut shown, &client, secret.as_ref());
    shown.extend(certificates(&call).await?);
    Ok(Reply::json(Value::Object(shown)))
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let id = client_of(&call);
    let client = clients::client(&call.tenant, &id).await?;
    one(&call, &client).await
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let id = client_of(&call);
    let mut changes = call.members();
    let secret = secret(&mut changes);
    if secret.is_some() {
        call.administrator.require(&["update:client_keys"])?;
    }
    if secret.is_none() || !changes.is_empty() {
        call.administrator.require(&["update:clients"])?;
    }
    let client = clients::update(&call.tenant, &id, changes, secret).await?;
    one(&call, &client).await
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    match clients::remove(&call.tenant, &client_of(&call)).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

async fn rotate_secret(call: Call) -> Result<Reply, Failure> {
    let id = client_of(&call);
    let secret = clients::rotate_secret(&call.tenant, &id).await?;
    let client = clients::client(&call.tenant, &id).await?;
    let mut shown = properties_of(&call.tenant, &client);
    with_secret(&mut shown, &client, Some(&secret));
    shown.extend(certificates(&call).await?);
    Ok(Reply::json(Value::Object(shown)))
}

/// An application as a reader may see it.
async fn one(call: &Call, client: &Client) -> Result<Reply, Failure> {
    let secret = match call.administrator.has_scope(READ_KEYS) {
        true => clients::secret(&call.tenant, &client.id).await?,
        false => None,
    };
    let mut shown = shown(call, client, secret.as_ref());
    shown.extend(certificates(call).await?);
    let shown = chosen(&call.query, shown);
    let shows_secret = shown.contains_key("client_secret");
    Ok(Reply::json(Value::Object(shown)).showing_secret(shows_secret))
}

fn shown(call: &Call, client: &Client, secret: Option<&Secret>) -> Map<String, Value> {
    let mut shown = properties_of(&call.tenant, client);
    let may = |scope| call.administrator.has_scope(scope);
    let is_summary = may(READ_SUMMARY) && !["read:clients", READ_KEYS, "update:clients"].into_iter().any(may);
    if is_summary {
        shown.retain(|name, _| name == "client_id" || name == "name");
    }
    with_secret(&mut shown, client, secret);
    shown
}

/// The certificate beside the key that signs for applications, for whoever may read keys: all of one tenant have the same.
async fn certificates(call: &Call) -> Result<Option<(String, Value)>, Failure> {
    if !call.administrator.has_scope(READ_KEYS) {
        return Ok(None);
    }
    let keys = call.tenant.keyring.keys().await?;
    Ok(Some(("signing_keys".to_owned(), keys.certificates.clone())))
}

/// An application as it is on the wire, without its secret.
fn properties_of(tenant: &Tenant, client: &Client) -> Map<String, Value> {
    let mut shown = clients::properties(client);
    shown.insert("tenant".into(), json!(tenant.id));
    shown.insert("client_id".into(), json!(client.id));
    shown.insert("global".into(), json!(client.is_global));
    shown.insert("callback_url_template".into(), json!(false));
    shown
}

fn with_secret(shown: &mut Map<String, Value>, client: &Client, secret: Option<&Secret>) {
    // Whoever proves itself by keys, or not at all, has none that counts (CONTRACT Decision 13).
    let is_used = !client_keys::uses_assertions(client) && client.token_endpoint_auth_method.as_deref() != Some("none");
    if let Some(secret) = secret.filter(|_| is_used) {
        shown.insert("client_secret".into(), json!(secret.expose()));
    }
}

/// Takes the secret out of a body.
fn secret(properties: &mut Map<String, Value>) -> Option<Secret> {
    match properties.remove("client_secret") {
        Some(Value::String(secret)) => Some(Secret::new(secret)),
        Some(_) | None => None,
    }
}

/// Which applications are wanted; `None` for none that there can be.
fn filter(call: &Call) -> Result<Option<ClientFilter>, Failure> {
    let refused = |property: &str, text: &str| Err(Failure::query(&Violation::at(property, text)));
    let query = &call.query;
    if let Some(q) = query.text("q") {
        // Of organizations there are none.
        return match q.starts_with("client_grant.") {
            true => Ok(None),
            false => refused(
                "q",
                "Only client_grant.organization_id and client_grant.allow_any_organization are known",
            ),
        };
    }
    if query.text("external_client_id").is_some() {
        return Ok(None);
    }
    let kinds = query.text("app_type").unwrap_or_default().split(',').map(str::trim);
    let app_types: Vec<String> = kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    if app_types.len() > MAX_APP_TYPES {
        return refused("app_type", "At most six kinds can be asked for at once");
    }
    Ok(Some(ClientFilter {
        is_global: query.flag("is_global"),
        is_first_party: query.flag("is_first_party"),
        app_types,
    }))
}

/// The application that a path names.
pub(super) fn client_of(call: &Call) -> ClientId {
    ClientId::new(call.parameter("id"))
}
