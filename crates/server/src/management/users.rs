//! `/users` and `/users-by-email`: people and their properties (CONTRACT §4.6). A password is taken and never shown.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::id::{ConnectionId, UserId};
use tokenhouse_store::{Logins, User};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_NUMBER, FIELDS, Listed, Paging, Window, chosen};
use super::schema::{Body, Format, Property, Shape, URL, Violation, flag, formatted, open, text, word};
use crate::accounts::profile::picture;
use crate::registry::{RegistryError, users};
use crate::tenant::Tenant;

pub(super) mod export;
mod search;

const READ: &[&str] = &["read:users"];
/// What changes what an application keeps about a user, and no more.
const UPDATE_APP_METADATA: &str = "update:users_app_metadata";
/// Where users may be sorted by.
const MAX_SORT_CHARS: usize = 255;

pub(super) static PROPERTIES: &[Property] = &[
    text("connection", 1, 128).required().note("Where the user is kept"),
    text("user_id", 1, 255)
        .fixed()
        .note("Their id, after auth0|; made for them if it is not given"),
    formatted("email", 1, 254, Format::Email),
    text("username", 1, 128),
    text("phone_number", 1, 32),
    text("password", 1, 1024).secret().note("Never shown again"),
    text("name", 1, 300),
    text("nickname", 1, 300),
    text("given_name", 1, 150),
    text("family_name", 1, 150),
    Property::new("picture", URL),
    flag("email_verified"),
    flag("verify_email").note("Accepted; no mail is sent"),
    flag("phone_verified"),
    flag("blocked").note("Whether they are shut out: they get no tokens then"),
    open("user_metadata", &[]).note("What the user may change; merged one level deep"),
    open("app_metadata", &[]).note("What applications keep about the user; merged one level deep"),
];
static CHANGES: &[Property] = &[
    text("connection", 1, 128).note("Where the user is kept; it cannot be changed"),
    text("client_id", 1, 64).note("Accepted; no mail is sent"),
    PROPERTIES[2],
    PROPERTIES[3],
    PROPERTIES[4],
    PROPERTIES[5],
    PROPERTIES[6],
    PROPERTIES[7],
    PROPERTIES[8],
    PROPERTIES[9],
    PROPERTIES[10],
    PROPERTIES[11],
    PROPERTIES[12],
    flag("verify_phone_number"),
    flag("verify_password"),
    PROPERTIES[13],
    PROPERTIES[14],
    PROPERTIES[15],
    PROPERTIES[16],
];
/// What asks for mails and messages, of which there are none.
const REQUESTS: [&str; 4] = ["verify_email", "verify_phone_number", "verify_password", "client_id"];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "users",
        scopes: READ,
        summary: "List or Search Users",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            FIELDS[0],
            FIELDS[1],
            text("sort", 0, MAX_SORT_CHARS).note("A property, then :1 or :-1; of 100 000 users at most"),
            text("connection", 0, 128),
            text("q", 0, 1024).note(
                "field:value, with quotes, *, ranges, _exists_, AND, OR, NOT and parentheses; among more than 100 000 \
                 users only what names an email, a username or a user_id exactly, and what follows it after AND",
            ),
            word("search_engine", &["v1", "v2", "v3"]).note("Every one is answered as v3"),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "users",
        scopes: &["create:users"],
        summary: "Create a User",
        status: 201,
        query: &[],
        body: Body::Create(Shape::of(PROPERTIES)),
        run: |call| Box::pin(create(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "users-by-email",
        scopes: READ,
        summary: "Search Users by Email",
        status: 200,
        query: &[text("email", 0, 254), FIELDS[0], FIELDS[1]],
        body: Body::None,
        run: |call| Box::pin(by_email(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "users/{id}",
        scopes: READ,
        summary: "Get a User",
        status: 200,
        query: &FIELDS,
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::PATCH,
        path: "users/{id}",
        scopes: &["update:users", UPDATE_APP_METADATA],
        summary: "Update a User",
        status: 200,
        query: &[],
        body: Body::Change(Shape::of(CHANGES)),
        run: |call| Box::pin(update(call)),
    },
    Endpoint {
        method: Method::DELETE,
        path: "users/{id}",
        scopes: &["delete:users"],
        summary: "Delete a User",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(delete(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let (items, total) = match search::wanted(&call.query)? {
        Some(search) => search.run(&call, &window).await?,
        None => {
            let rows = users::users(&call.tenant, window.page()).await?;
            let total = match window.wants_total() {
                true => call.tenant.house.store.users_total(&call.tenant.id).await?,
                false => 0,
            };
            (shown_all(&call.tenant, &rows).await?, total)
        }
    };
    let items = items.into_iter().map(|item| chosen(&call.query, item).into());
    let listed = Listed {
        plural: "users",
        items: items.collect(),
        total,
        next: None,
    };
    Ok(listed.reply(&call, &window))
}

async fn by_email(call: Call) -> Result<Reply, Failure> {
    let Some(email) = call.query.text("email") else {
        let violation = Violation::new("Missing required property: email");
        return Err(Failure::query(&violation));
    };
    let rows = users::users_by_email(&call.tenant, email).await?;
    let items = shown_all(&call.tenant, &rows).await?.into_iter();
    let items: Vec<Value> = items.map(|item| chosen(&call.query, item).into()).collect();
    Ok(Reply::json(items.into()))
}

async fn create(mut call: Call) -> Result<Reply, Failure> {
    let mut said = without_requests(call.members());
    let mut text = |name: &str| match said.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let (connection, id) = (text("connection").unwrap_or_default(), text("user_id"));
    let user = users::create_of(&call.tenant, &connection, id.as_deref(), said).await?;
    one(&call, &user).await
}

async fn show(call: Call) -> Result<Reply, Failure> {
    one(&call, &users::user(&call.tenant, &id_of(&call)).await?).await
}

async fn update(mut call: Call) -> Result<Reply, Failure> {
    let changes = without_requests(call.members());
    if changes.keys().any(|name| name != "app_metadata") || changes.is_empty() {
        call.administrator.require(&["update:users"])?;
    }
    let user = users::update(&call.tenant, &id_of(&call), changes).await?;
    one(&call, &user).await
}

async fn delete(call: Call) -> Result<Reply, Failure> {
    match users::remove(&call.tenant, &id_of(&call)).await {
        // What is gone already is what was wanted.
        Ok(()) | Err(RegistryError::NotFound(_)) => Ok(Reply::empty()),
        Err(error) => Err(error.into()),
    }
}

async fn one(call: &Call, user: &User) -> Result<Reply, Failure> {
    let mut shown = shown_all(&call.tenant, std::slice::from_ref(user)).await?;
    let shown = shown.pop().unwrap_or_default();
    Ok(Reply::json(Value::Object(chosen(&call.query, shown))))
}

/// The user that a path names.
pub(super) fn id_of(call: &Call) -> UserId {
    UserId::new(call.parameter("id"))
}

/// Users as they are on the wire.
pub(super) async fn shown_all(tenant: &Tenant, users: &[User]) -> Result<Vec<Map<String, Value>>, Failure> {
    let mut connections: HashMap<&ConnectionId, String> = HashMap::new();
    let mut shown = Vec::with_capacity(users.len());
    for user in users {
        if !connections.contains_key(&user.connection_id) {
            let connection = tenant.house.store.connection(&tenant.id, &user.connection_id).await?;
            let name = connection.map(|connection| connection.name).unwrap_or_default();
            connections.insert(&user.connection_id, name);
        }
        let connection = connections.get(&user.connection_id).map_or("", String::as_str);
        shown.push(self::shown(tenant, user, connection));
    }
    Ok(shown)
}

/// A user of the connection of this name.
pub(super) fn shown(tenant: &Tenant, user: &User, connection: &str) -> Map<String, Value> {
    let mut shown = users::properties(user);
    if let Some(name) = user.email.as_deref().or(user.username.as_deref()) {
        shown.entry("name").or_insert_with(|| json!(name));
        let local_part = name.split('@').next().unwrap_or(name);
        shown.entry("nickname").or_insert_with(|| json!(local_part));
    }
    // Cleared, the one of the two is not shown and the other empty.
    if shown
        .get("app_metadata")
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty)
    {
        shown.remove("app_metadata");
    }
    let (provider, id) = user.id.as_str().split_once('|').unwrap_or(("auth0", user.id.as_str()));
    let identity = json!({ "user_id": id, "connection": connection, "provider": provider, "isSocial": false });
    shown.insert("picture".into(), json!(picture(&tenant.issuer, user)));
    // Counted from the log about once a second.
    let Logins {
        count,
        last_at,
        last_address,
    } = &user.logins;
    if let Some(last_at) = last_at {
        shown.insert("logins_count".into(), json!(count));
        shown.insert("last_login".into(), json!(last_at.to_string()));
        shown.insert("last_ip".into(), json!(last_address));
    }
    shown.insert("user_id".into(), json!(user.id));
    shown.insert("identities".into(), json!([identity]));
    shown.insert("created_at".into(), json!(user.created_at.to_string()));
    shown.insert("updated_at".into(), json!(user.updated_at.to_string()));
    shown
}

fn without_requests(mut said: Map<String, Value>) -> Map<String, Value> {
    said.retain(|name, _| !REQUESTS.contains(&name.as_str()));
    said
}
