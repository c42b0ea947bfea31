//! `/resource-servers`: APIs, by id or by identifier (CONTRACT §4.4). An identifier may come encoded once, twice or not
//! at all, so that the path's whole tail names one. The system API is listed, and keeps what it is.

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Api, Page};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_CHECKPOINT, BY_NUMBER, FIELDS, Listed, Paging, Window, chosen};
use super::schema::{
    Body, Format, Kind, Property, Shape, Violation, anything, flag, formatted, integer, list as list_of, object, open,
    text, word,
};
use super::term::Term;
use crate::percent;
use crate::registry::apis::{self, MAX_TOKEN_LIFETIME_S};
use crate::registry::{RegistryError, apis::signing_secret};

const READ: &[&str] = &["read:resource_servers"];
const ALGORITHMS: &[&str] = &["RS256", "PS256", "ES256", "EdDSA", "HS256"];
const DIALECTS: &[&str] = &[
    "access_token",
    "access_token_authz",
    "rfc9068_profile",
    "rfc9068_profile_authz",
];
const IDENTIFIER: Kind = Kind::Text {
    min: 1,
    max: 600,
    format: Format::Any,
};
const SCOPE: Kind = Kind::Object(&[text("value", 1, 280).required(), text("description", 0, 500)]);

/// APIs that a search reads at once, and looks at before it says where to go on.
const STEP: u32 = 200;
const MAX_LOOKED_AT: usize = 10_000;
/// What is ours to write.
const READ_ONLY: &[&str] = &["id", "is_system", "created_at", "updated_at"];

pub(super) static PROPERTIES: &[Property] = &[
    text("identifier", 1, 600)
        .required()
        .fixed()
        .note("The audience of its tokens; it never changes"),
    formatted("name", 1, 200, Format::Name).note("What people call the API"),
    list_of("scopes", &SCOPE, 1000).note("Its scopes, in order"),
    word("signing_alg", ALGORITHMS).note("How its tokens are signed"),
    text("signing_secret", 16, 1024).secret().note("The key of HS256"),
    integer("token_lifetime", 0, MAX_TOKEN_LIFETIME_S)
        .note("Seconds that its tokens live; a new API that does not say it has the tenant's default_token_lifetime"),
    integer("token_lifetime_for_web", 0, MAX_TOKEN_LIFETIME_S),
    word("token_dialect", DIALECTS).note("How its tokens look"),
    flag("enforce_policies").note("Whether users' permissions limit their scopes"),
    flag("allow_offline_access"),
    flag("allow_online_access"),
    flag("allow_online_access_with_ephemeral_sessions"),
    flag("skip_consent_for_verifiable_first_party_clients"),
    object(
        "subject_type_authorization",
        &[
            object(
                "user",
                &[word("policy", &["allow_all", "deny_all", "require_client_grant"])],
            ),
            object("client", &[word("policy", &["deny_all", "require_client_grant"])]),
        ],
    ),
    word("consent_policy", &["transactional-authorization-with-mfa"]),
    list_of("authorization_details", &Kind::Open(&[]), 100),
    open("token_encryption", &[]),
    open("proof_of_possession", &[]),
    anything("authorization_policy"),
    text("verification_location", 0, 2048),
    open("options", &[]),
];
const SHAPE: Shape = Shape::open(PROPERTIES, READ_ONLY);

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "resource-servers",
        scopes: READ,
        summary: "Get resource servers",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            FIELDS[0],
            FIELDS[1],
            list_of("identifiers", &IDENTIFIER, 100),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "resource-servers/search",
        scopes: READ,
        summary: "Search resource servers",
        status: 200,
        query: &[
            BY_CHECKPOINT[0],
            BY_CHECKPOINT[1],
            text("q", 0, 1024).note("field:value, with quotes, *, ranges, _exists_, AND, OR, NOT and parentheses"),
            word("parser", &["lucene"]),
            word("sort", &["id:1"]).note("They come in the order of their ids"),
            FIELDS[0],
            FIELDS[1],
        ],
        body: Body::None,
        run: |call| Box::pin(search(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "resource-servers",
        scopes: &["create:resource_servers"],
        summary: "Create a resource server",
        status: 201,
        query: &[],
        body: Body::Create(SHAPE),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "resource-servers/{id...}",
        scopes: READ,
        summary: "Get a resource server",
        status: 200,
        query: &FIELDS,
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "resource-servers/{id...}",
        scopes: &["update:resource_servers"],
        summary: "Update a resource server",
        status: 200,
        query: &[],
        body: Body::Change(SHAPE),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "resource-servers/{id...}",
        scopes: &["delete:resource_servers"],
        summary: "Delete a resource server",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let mut identifiers: Vec<&str> = call.query.texts("identifiers").collect();
    let (rows, total) = if identifiers.is_empty() {
        let store = &call.tenant.house.store;
        let rows = apis::apis(&call.tenant, window.page()).await?;
        (rows, store.apis_total(&call.tenant.id).await?)
    } else {
        identifiers.sort_unstable();
        identifiers.dedup();
        let mut found = Vec::new();
        for identifier in identifiers {
            match apis::api(&call.tenant, identifier).await {
                Ok(api) => found.push(api),
                Err(RegistryError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        (window.cut(found, |api| api.id.as_str()), total)
    };
    page(&call, &window, rows, total)
}

async fn search(call: Call) -> Result<Reply, Failure> {
    let term = Term::parse(call.query.text("q").unwrap_or_default());
    let term = term.map_err(|text| Failure::query(&Violation::at("q", text)))?;
    let (mut after, take) = match Window::read(&call.query, Paging::Checkpoint)? {
        Window::Number { per_page, .. } => (None, per_page.max(1)),
        Window::Checkpoint { after, take } => (after, take),
    };
    let (mut found, mut looked_at, mut next) = (Vec::new(), 0, None);
    'pages: loop {
        let page = Page::After {
            after: after.clone(),
            take: STEP,
        };
        let rows = apis::apis(&call.tenant, page).await?;
        let is_last = rows.len() < size(STEP);
        for api in rows {
            if found.len() == size(take) {
                next = after;
                break 'pages;
            }
            looked_at += 1;
            after = Some(api.id.to_string());
            let mut searched = apis::properties(&api);
            searched.insert("id".into(), json!(api.id));
            searched.insert("identifier".into(), json!(apis::identifier(&call.tenant, &api)));
            searched.insert("is_system".into(), json!(api.is_system));
            if term.matches(&searched, &["name", "identifier"]) {
                found.push(api);
            }
        }
        if is_last {
            break;
        }
        if looked_at >= MAX_LOOKED_AT {
            // What is next is looked at when it is asked for.
            next = after;
            break;
        }
    }
    let items: Result<Vec<_>, Failure> = found.iter().map(|api| shown(&call, api)).collect();
    let items = items?;
    let shows_secret = items.iter().any(|item| item.contains_key("signing_secret"));
    let listed = Listed {
        plural: "resource_servers",
        items: items.into_iter().map(Value::Object).collect(),
        total: 0,
        next: next.as_deref(),
    };
    let window = Window::Checkpoint { after: None, take };
    Ok(listed.reply(&call, &window).showing_secret(shows_secret))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let mut properties = call.members();
    let secret = secret(&mut properties);
    let api = apis::create_of(&call.tenant, properties, secret).await?;
    one(&call, &api)
}

async fn show(call: Call) -> Result<Reply, Failure> {
    one(&call, &named(&call).await?)
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let mut changes = call.members();
    let secret = secret(&mut changes);
    let id = named(&call).await?.id;
    let api = apis::update_of(&call.tenant, id.as_str(), changes, secret).await?;
    one(&call, &api)
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    let removed = async { apis::remove(&call.tenant, &named(&call).await?.id).await };
    match removed.await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

/// The API that the path names: as it was decoded once or, since some tools encode twice, as it is decoded again.
async fn named(call: &Call) -> Result<Api, RegistryError> {
    let id = call.parameter("id");
    match apis::api(&call.tenant, id).await {
        Err(RegistryError::NotFound(text)) if id.contains('%') => match percent::decoded(id) {
            Some(again) if !again.contains('\0') => apis::api(&call.tenant, &again).await,
            Some(_) | None => Err(RegistryError::NotFound(text)),
        },
        found => found,
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn page(call: &Call, window: &Window, rows: Vec<Api>, total: u64) -> Result<Reply, Failure> {
    let (rows, has_more) = window.wanted(rows);
    let items: Result<Vec<_>, Failure> = rows.iter().map(|api| shown(call, api)).collect();
    let items = items?;
    let shows_secret = items.iter().any(|item| item.contains_key("signing_secret"));
    let listed = Listed {
        plural: "resource_servers",
        items: items.into_iter().map(Value::Object).collect(),
        total,
        next: rows.last().filter(|_| has_more).map(|api| api.id.as_str()),
    };
    Ok(listed.reply(call, window).showing_secret(shows_secret))
}

fn one(call: &Call, api: &Api) -> Result<Reply, Failure> {
    let shown = shown(call, api)?;
    let shows_secret = shown.contains_key("signing_secret");
    Ok(Reply::json(Value::Object(shown)).showing_secret(shows_secret))
}

/// An API as it is on the wire.
fn shown(call: &Call, api: &Api) -> Result<Map<String, Value>, Failure> {
    let mut shown = apis::properties(api);
    shown.insert("id".into(), json!(api.id));
    shown.insert("identifier".into(), json!(apis::identifier(&call.tenant, api)));
    if api.is_system {
        shown.insert("is_system".into(), json!(true));
    }
    if let Some(secret) = signing_secret(&call.tenant, api)? {
        shown.insert("signing_secret".into(), json!(secret.expose()));
    }
    Ok(chosen(&call.query, shown))
}

/// Takes the secret out of a body.
fn secret(properties: &mut Map<String, Value>) -> Option<Secret> {
    match properties.remove("signing_secret") {
        Some(Value::String(secret)) => Some(Secret::new(secret)),
        Some(_) | None => None,
    }
}
