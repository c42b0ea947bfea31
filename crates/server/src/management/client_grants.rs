//! `/client-grants`: which applications may get tokens for which APIs (CONTRACT §4.5).

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use tokenhouse_protocol::id::{ApiId, ClientGrantId, ClientId};
use tokenhouse_store::ClientGrant;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_CHECKPOINT, BY_NUMBER, Listed, Paging, Window};
use super::schema::{Body, Format, Kind, Property, Shape, Violation, flag, formatted, set, text, word};
use crate::registry::{RegistryError, apis, client_grants};

const READ: &[&str] = &["read:client_grants"];
const SUBJECTS: &[&str] = &["client", "user"];
const USAGES: &[&str] = &["deny", "allow", "require"];
const SCOPE: Kind = Kind::Text {
    min: 1,
    max: 280,
    format: Format::Any,
};
const DETAIL: Kind = Kind::Text {
    min: 1,
    max: 255,
    format: Format::Any,
};

pub(super) static PROPERTIES: &[Property] = &[
    formatted("client_id", 1, 64, Format::ClientId)
        .fixed()
        .note("The application; required, since grants for all of some kind are not kept here"),
    word("default_for", &["third_party_clients"])
        .fixed()
        .note("Refused: name each application"),
    text("audience", 1, 600)
        .required()
        .fixed()
        .note("The identifier of the API"),
    set("scope", &SCOPE, 1000).note("The scopes; each must be one of the API's"),
    flag("allow_all_scopes").note("Every scope of the API instead, now and later"),
    word("subject_type", SUBJECTS)
        .fixed()
        .note("Whether for tokens of the application's own, or of its users"),
    word("organization_usage", USAGES),
    flag("allow_any_organization"),
    set("authorization_details_types", &DETAIL, 100),
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "client-grants",
        scopes: READ,
        summary: "Get client grants",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
            text("audience", 0, 600),
            text("client_id", 0, 255),
            word("subject_type", SUBJECTS),
            text("default_for", 0, 255),
            flag("allow_any_organization"),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "client-grants",
        scopes: &["create:client_grants"],
        summary: "Create a client grant",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "client-grants/{id}",
        scopes: READ,
        summary: "Get a client grant",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "client-grants/{id}",
        scopes: &["update:client_grants"],
        summary: "Update a client grant",
        status: 200,
        query: &[],
        body: Body::Change(Shape::of(PROPERTIES)),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "client-grants/{id}",
        scopes: &["delete:client_grants"],
        summary: "Delete a client grant",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Checkpoint)?;
    let (rows, total) = match rows(&call, &window).await? {
        Rows::Page(rows, total) => (rows, total),
        Rows::All(all) => {
            let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
            (window.cut(all, |grant| grant.id.as_str()), total)
        }
    };
    let (rows, has_more) = window.wanted(rows);
    let next = rows.last().filter(|_| has_more).map(|row| row.id.as_str());
    let listed = Listed {
        plural: "client_grants",
        items: shown(&call, &rows).await?,
        total,
        next,
    };
    Ok(listed.reply(&call, &window))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let mut properties = call.members();
    let mut text = |name: &str| match properties.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let (client, audience, default_for) = (text("client_id"), text("audience"), text("default_for"));
    let client = match (client, default_for) {
        (Some(client), None) => ClientId::new(client),
        (None, Some(_)) => {
            let text = "There are no third-party applications here: give each application a grant by its client_id";
            return Err(Failure::new(
                StatusCode::FORBIDDEN,
                text,
                Some("operation_not_supported"),
            ));
        }
        (Some(_), Some(_)) => {
            let violation = Violation::at("default_for", "client_id and default_for exclude each other");
            return Err(Failure::body(&violation));
        }
        (None, None) => return Err(Failure::body(&Violation::new("Missing required property: client_id"))),
    };
    let audience = audience.unwrap_or_default();
    let grant = client_grants::create_of(&call.tenant, client, &audience, properties).await?;
    one(&call, grant).await
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let grant = client_grants::client_grant(&call.tenant, &id_of(&call)).await?;
    one(&call, grant).await
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let changes = call.members();
    let grant = client_grants::update(&call.tenant, &id_of(&call), changes).await?;
    one(&call, grant).await
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    match client_grants::remove(&call.tenant, &id_of(&call)).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

fn id_of(call: &Call) -> ClientGrantId {
    ClientGrantId::new(call.parameter("id"))
}

/// The rows that a query asks for: a page of many, or all of few.
enum Rows {
    /// The page, and how many there are in all.
    Page(Vec<ClientGrant>, u64),
    /// Every one, by id.
    All(Vec<ClientGrant>),
}

async fn rows(call: &Call, window: &Window) -> Result<Rows, Failure> {
    let (query, tenant, store) = (&call.query, &call.tenant.id, &call.tenant.house.store);
    if query.text("default_for").is_some() || query.flag("allow_any_organization") == Some(true) {
        // Of third parties and organizations there are none.
        return Ok(Rows::All(Vec::new()));
    }
    let api = match query.text("audience") {
        None => None,
        Some(audience) => match apis::api(&call.tenant, audience).await {
            Ok(api) => Some(api.id),
            Err(RegistryError::NotFound(_)) => return Ok(Rows::All(Vec::new())),
            Err(error) => return Err(error.into()),
        },
    };
    let subject = query.text("subject_type");
    if let Some(client) = query.text("client_id") {
        let mut all = store.grants_of_client(tenant, &ClientId::new(client)).await?;
        let is_of_api = |grant: &ClientGrant| api.as_ref().is_none_or(|api| grant.api_id == *api);
        all.retain(|grant| is_of_api(grant) && subject.is_none_or(|subject| grant.subject_type == subject));
        all.sort_by(|a, b| a.id.cmp(&b.id));
        return Ok(Rows::All(all));
    }
    let filter = tokenhouse_store::ClientGrantFilter {
        api_id: api,
        subject_type: subject.map(str::to_owned),
    };
    let rows = store.client_grants_matching(tenant, &filter, window.page()).await?;
    let total = match window.wants_total() {
        true => store.client_grants_total(tenant, &filter).await?,
        false => 0,
    };
    Ok(Rows::Page(rows, total))
}

async fn one(call: &Call, grant: ClientGrant) -> Result<Reply, Failure> {
    let mut shown = shown(call, &[grant]).await?;
    Ok(Reply::json(shown.pop().unwrap_or_default()))
}

/// Grants as they are on the wire: an API is named by its identifier.
async fn shown(call: &Call, grants: &[ClientGrant]) -> Result<Vec<Value>, Failure> {
    let mut audiences: HashMap<&ApiId, String> = HashMap::new();
    let mut shown = Vec::with_capacity(grants.len());
    for grant in grants {
        if !audiences.contains_key(&grant.api_id) {
            let api = apis::api(&call.tenant, grant.api_id.as_str()).await?;
            audiences.insert(&grant.api_id, apis::identifier(&call.tenant, &api));
        }
        let mut item = client_grants::properties(grant);
        item.insert("id".into(), json!(grant.id));
        item.insert("client_id".into(), json!(grant.client_id));
        item.insert("audience".into(), json!(audiences.get(&grant.api_id)));
        item.insert("subject_type".into(), json!(grant.subject_type));
        shown.push(Value::Object(item));
    }
    Ok(shown)
}
